"""How much energy each way of control takes, beside the best there is: `scripts/bench energy`.

A plant of a plant file runs through a year of weather under the controllers,
the arbiter and the interlocks that run real plants, once for each way of
control. The bound is what an enumeration of all settings finds for the same
loads and weather. Comfort and starts stand beside the energy: a plant that
saves by not cooling has saved nothing.

Where no plant and no weather is asked for, it runs the first plant in its
climate, then the same plant in another climate, then another plant: the same
forms for all, filled in from the plant file alone.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
import json
import os
from pathlib import Path
import platform
import sys
from typing import NamedTuple

from .bus_parts.result import Figure
from .energy_parts.controls import CONTROLS
from .energy_parts.figures import by_component, figures_of
from .energy_parts.outcome import OPTIMUM, Outcome, outcome_of, outcome_of_bound
from .energy_parts.recording import Run
from .energy_parts.year import DAYS_A_YEAR, GENERATED, doubts_of, run_days
from .shared import page

_REPOSITORY = Path(__file__).parents[1]
_BEGIN, _END = "<!-- energy: begin -->\n", "<!-- energy: end -->\n"
_BOUND_OF = "ours"
"""The run whose loads the bound is found for."""
_FOLDERS = ("examples", "benchmarks/sites")
_CASES = (
    ("three_chillers", "tropical"),
    ("three_chillers", "desert"),
    ("vane_chillers", "tropical"),
)
"""What is run if nothing is asked for. The first one's figures begin with
`energy.`, those of the others with their plant and weather besides."""


@dataclass(frozen=True, slots=True)
class Case:
    """A plant in a climate."""

    site: Path
    weather: str
    days: int
    key: str = "energy"

    @property
    def what(self) -> str:
        """What people read above its figures."""
        return (
            f"{self.site.parent.name}, weather {Path(self.weather).name}, "
            f"{self.days} days"
        )


class Measured(NamedTuple):
    """What a case came to."""

    case: Case
    outcomes: dict[str, Outcome]
    figures: list[Figure]
    doubts: tuple[str, ...]


def _site(text: str) -> Path:
    """Return a plant file by its path, or by the name of an example."""
    named = (_REPOSITORY / folder / text / "plant.yaml" for folder in _FOLDERS)
    for path in (Path(text), *named):
        if path.is_file():
            return path
    raise argparse.ArgumentTypeError(f"neither a plant file nor an example: {text}")


def _weather(text: str) -> str:
    if text in (*GENERATED, "site") or Path(text).is_file():
        return text
    raise argparse.ArgumentTypeError(
        f"neither {', '.join(GENERATED)}, site nor an EPW file: {text}"
    )


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= DAYS_A_YEAR:
        raise argparse.ArgumentTypeError(f"1 to {DAYS_A_YEAR} days")
    return days


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench energy", description=__doc__)
    parser.add_argument(
        "--site",
        type=_site,
        help="only this plant: a plant file, or the name of an example",
    )
    parser.add_argument(
        "--weather",
        type=_weather,
        help="only this weather: tropical or desert (generated years), site (what the"
        " plant file says) or an EPW file",
    )
    parser.add_argument(
        "--days",
        type=_days,
        default=DAYS_A_YEAR,
        help="so many days, spread over the year (default: all)",
    )
    parser.add_argument(
        "--control",
        nargs="+",
        choices=[*CONTROLS, OPTIMUM],
        default=[*CONTROLS, OPTIMUM],
        help="only these ways of control (default: all)",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="figures for a program")
    output.add_argument(
        "--markdown",
        action="store_true",
        help=f"write the tables into {page.PAGE.relative_to(_REPOSITORY)} too",
    )
    parser.add_argument(
        "--report", type=Path, metavar="FOLDER", help="draw pictures into this folder"
    )
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def _machine() -> str:
    return (
        f"{datetime.now(UTC):%d %b %Y}, {os.process_cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}"
    )


def _markdown(rows: Sequence[Sequence[str]]) -> list[str]:
    head, *rest = rows
    return [
        f"| {' | '.join(head)} |",
        f"|{'---|' * len(head)}",
        *(f"| {' | '.join(row)} |" for row in rest),
    ]


def _page_of(measured: Measured) -> list[str]:
    rows = [
        (
            f"`{item.key}`",
            page.number(item),
            page.bound(item),
            page.verdict(item),
            item.beside,
        )
        for item in measured.figures
    ]
    return [
        f"### {measured.case.what[0].upper()}{measured.case.what[1:]}",
        "",
        *_markdown(by_component(measured.outcomes)),
        "",
        *_markdown([("figure", "value", "bound", "verdict", "beside it"), *rows]),
        "",
    ]


def _write_page(cases: Sequence[Measured]) -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    head, begin, rest = text.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        raise SystemExit(f"{page.PAGE.name} has no place for the energy tables")
    lines = [f"Measured on {_machine()}.", ""]
    for measured in cases:
        lines += _page_of(measured)
    page.PAGE.write_text(
        head + _BEGIN + "\n".join(lines) + _END + tail, encoding="utf-8"
    )


def _cases(arguments: argparse.Namespace) -> tuple[Case, ...]:
    """Return what is asked for; raise ArgumentTypeError where there is no such."""
    if arguments.site is None and arguments.weather is None:
        return tuple(
            Case(
                _site(site),
                weather,
                arguments.days,
                f"energy.{site}.{weather}" if number else "energy",
            )
            for number, (site, weather) in enumerate(_CASES)
        )
    site, weather = _CASES[0]
    return (
        Case(
            arguments.site or _site(site), arguments.weather or weather, arguments.days
        ),
    )


def _measure(case: Case, wanted: Sequence[str]) -> Measured:
    """Run a case; raise ValueError, with the reason in words, where it cannot be."""
    outcomes: dict[str, Outcome] = {}
    reference: Run | None = None
    controls = [key for key in wanted if key != OPTIMUM]
    if OPTIMUM in wanted and _BOUND_OF not in controls:
        controls.append(_BOUND_OF)
    try:
        doubts = doubts_of(case.site, case.weather, controls)
    except ValueError as error:
        raise ValueError(f"{case.site}: {error}") from error
    for doubt in doubts:
        _say(f"doubtful: {doubt}")
    for control in controls:
        run = run_days(case.site, case.weather, control, case.days)
        _say(
            f"{case.what}: {control}, {run.wall_seconds:.0f} s, "
            f"{sum(run.kw_per_rt.values()):.4f} kW/RT"
        )
        if control == _BOUND_OF:
            reference = run
        if control in wanted:
            outcomes[control] = outcome_of(run)
    if reference is not None and OPTIMUM in wanted:
        outcomes[OPTIMUM] = outcome_of_bound(case.site, case.weather, reference)
    return Measured(
        case, outcomes, figures_of(outcomes, case.days, case.key), tuple(doubts)
    )


def _told(cases: Sequence[Measured]) -> str:
    told: dict[str, object] = {
        figure.key: round(figure.value, 5)
        for measured in cases
        for figure in measured.figures
    }
    told["details"] = {
        "machine": _machine(),
        "cases": [
            {
                "key": case.key,
                "what": case.what,
                "doubts": doubts,
                "controls": {key: item.details() for key, item in outcomes.items()},
            }
            for case, outcomes, _, doubts in cases
        ],
    }
    return json.dumps(told, indent=2, ensure_ascii=False)


def main() -> int:
    """Run; return 0 when everything that was asked for could be measured."""
    arguments = _arguments()
    wanted = list(dict.fromkeys(arguments.control))
    try:
        cases = [_measure(case, wanted) for case in _cases(arguments)]
    except ValueError as error:
        _say(str(error))
        return 2
    if arguments.report is not None:
        # Nobody who wants figures only has to wait for a drawing library.
        from .energy_parts.report import write_report  # noqa: PLC0415

        for number, measured in enumerate(cases):
            folder = arguments.report
            if number:
                folder /= "_".join(measured.case.key.split(".")[1:])
            for path in write_report(folder, measured.outcomes, measured.case.what):
                _say(f"drawn: {path}")
    if arguments.markdown:
        _write_page(cases)
    if arguments.json:
        print(_told(cases))
        return 0
    print(f"\n{_machine()}")
    for measured in cases:
        print(
            f"\n{measured.case.what}\n\n{_columns(by_component(measured.outcomes))}\n"
        )
        print(page.table(measured.figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
