"""How much energy each way of control takes, beside the best there is: `scripts/bench energy`.

A plant of a plant file runs through a year of weather under the controllers,
the arbiter and the interlocks that run real plants, once for each way of
control. The bound is what an enumeration of all settings finds for the same
loads and weather. Comfort and starts stand beside the energy: a plant that
saves by not cooling has saved nothing.
"""

import argparse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
import json
import os
from pathlib import Path
import platform
import sys

from .bus_parts.result import Figure
from .energy_parts.controls import CONTROLS
from .energy_parts.figures import by_component, figures_of
from .energy_parts.outcome import OPTIMUM, Outcome, outcome_of, outcome_of_bound
from .energy_parts.recording import Run
from .energy_parts.year import DAYS_A_YEAR, doubts_of, run_days
from .shared import page

_REPOSITORY = Path(__file__).parents[1]
_BEGIN, _END = "<!-- energy: begin -->\n", "<!-- energy: end -->\n"
_BOUND_OF = "ours"
"""The run whose loads the bound is found for."""


def _site(text: str) -> Path:
    """Return a plant file by its path, or by the name of an example."""
    for path in (Path(text), _REPOSITORY / "examples" / text / "plant.yaml"):
        if path.is_file():
            return path
    raise argparse.ArgumentTypeError(f"neither a plant file nor an example: {text}")


def _weather(text: str) -> str:
    if text in ("tropical", "site") or Path(text).is_file():
        return text
    raise argparse.ArgumentTypeError(f"neither tropical, site nor an EPW file: {text}")


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
        default="three_chillers",
        help="a plant file, or the name of an example (default: three_chillers)",
    )
    parser.add_argument(
        "--weather",
        type=_weather,
        default="tropical",
        help="tropical (a generated year, the default), site (what the plant file"
        " says) or an EPW file",
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


def _write_page(
    outcomes: Mapping[str, Outcome], figures: Sequence[Figure], what: str
) -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    head, begin, rest = text.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        raise SystemExit(f"{page.PAGE.name} has no place for the energy tables")
    rows = [
        (
            f"`{item.key}`",
            page.number(item),
            page.bound(item),
            page.verdict(item),
            item.beside,
        )
        for item in figures
    ]
    lines = [
        f"Measured on {_machine()}: {what}.",
        "",
        *_markdown(by_component(outcomes)),
        "",
        *_markdown([("figure", "value", "bound", "verdict", "beside it"), *rows]),
        "",
    ]
    page.PAGE.write_text(
        head + _BEGIN + "\n".join(lines) + _END + tail, encoding="utf-8"
    )


def main() -> int:
    """Run; return 0 when everything that was asked for could be measured."""
    arguments = _arguments()
    wanted = list(dict.fromkeys(arguments.control))
    outcomes: dict[str, Outcome] = {}
    reference: Run | None = None
    controls = [key for key in wanted if key != OPTIMUM]
    if OPTIMUM in wanted and _BOUND_OF not in controls:
        controls.append(_BOUND_OF)
    try:
        doubts = doubts_of(arguments.site, arguments.weather, controls)
    except ValueError as error:
        _say(f"{arguments.site}: {error}")
        return 2
    for doubt in doubts:
        _say(f"doubtful: {doubt}")
    for control in controls:
        run = run_days(arguments.site, arguments.weather, control, arguments.days)
        _say(
            f"{control}: {run.days:g} days in {run.wall_seconds:.0f} s, "
            f"{sum(run.kw_per_rt.values()):.4f} kW/RT"
        )
        if control == _BOUND_OF:
            reference = run
        if control in wanted:
            outcomes[control] = outcome_of(run)
    if reference is not None and OPTIMUM in wanted:
        outcomes[OPTIMUM] = outcome_of_bound(
            arguments.site, arguments.weather, reference
        )
    figures = figures_of(outcomes, arguments.days)
    what = (
        f"{arguments.site.parent.name}, weather {Path(arguments.weather).name}, "
        f"{arguments.days} days"
    )
    if arguments.report is not None:
        # Nobody who wants figures only has to wait for a drawing library.
        from .energy_parts.report import write_report  # noqa: PLC0415

        for path in write_report(arguments.report, outcomes, what):
            _say(f"drawn: {path}")
    if arguments.markdown:
        _write_page(outcomes, figures, what)
    if arguments.json:
        told: dict[str, object] = {
            figure.key: round(figure.value, 5) for figure in figures
        }
        told["details"] = {
            "machine": _machine(),
            "what": what,
            "doubts": doubts,
            "controls": {key: item.details() for key, item in outcomes.items()},
        }
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print(f"\n{_machine()}: {what}\n\n{_columns(by_component(outcomes))}\n")
        print(page.table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
