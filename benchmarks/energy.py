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
from .energy_parts import REPOSITORY
from .energy_parts.controls import CONTROLS
from .energy_parts.outcome import OPTIMUM, Outcome, outcome_of, outcome_of_bound
from .energy_parts.recording import Run
from .energy_parts.year import DAYS_A_YEAR, run_days

_PAGE = REPOSITORY / "docs" / "benchmarks.md"
_BEGIN, _END = "<!-- energy: begin -->\n", "<!-- energy: end -->\n"
_BOUND_OF = "ours"
"""The run whose loads the bound is found for."""


def _site(text: str) -> Path:
    """Return a plant file by its path, or by the name of an example."""
    for path in (Path(text), REPOSITORY / "examples" / text / "plant.yaml"):
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
        help=f"write the tables into {_PAGE.relative_to(REPOSITORY)} too",
    )
    parser.add_argument(
        "--report", type=Path, metavar="FOLDER", help="draw pictures into this folder"
    )
    return parser.parse_args()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def figures_of(outcomes: Mapping[str, Outcome], days: float) -> list[Figure]:
    """Return the figures that are asked for, with their bounds."""
    figures: list[Figure] = []
    runs = [item for item in outcomes.values() if item.run is not None]
    fixed, ours, best = (outcomes.get(key) for key in ("fixed", "ours", OPTIMUM))
    if runs:
        slowest = max(item.run.wall_seconds for item in runs if item.run)
        most = max(item.run.memory_mb for item in runs if item.run)
        each = ", ".join(
            f"{item.control} {item.run.wall_seconds:.0f} s"
            f" ({item.run.cpu_seconds:.0f} s of CPU)"
            for item in runs
            if item.run
        )
        if round(days) == DAYS_A_YEAR:
            figures.append(
                Figure("energy.year_wall_s", slowest, "s", 120.0, "lower", each)
            )
        figures.append(
            Figure("energy.memory_mb", most, "MB", 500.0, "lower", "all processes")
        )
    for item in outcomes.values():
        figures.append(
            Figure(
                f"energy.kw_per_rt.{item.control}",
                item.total,
                "kW/RT",
                None,
                "lower",
                f"{item.energy / 1000:.0f} MWh for {item.cooling / 1000:.0f} MWh",
            )
        )
    if ours and best:
        figures.append(
            Figure(
                "energy.ratio.ours_to_optimum",
                ours.total / best.total,
                "",
                1.05,
                "lower",
                "the same loads, hour by hour",
            )
        )
    if fixed:
        figures.extend(
            Figure(
                f"energy.ratio.{item.control}_to_fixed",
                item.total / fixed.total,
                "",
                0.92 if item is ours else None,
                "lower",
                f"{100 * (item.total / fixed.total - 1):+.1f} %",
            )
            for item in outcomes.values()
            if item is not fixed
        )
    for item in outcomes.values():
        if item.run is None:
            continue
        others = fixed.run if item is ours and fixed else None
        figures.append(
            Figure(
                f"energy.unmet_kh.{item.control}",
                item.run.unmet,
                "K h",
                None if others is None else others.unmet,
                "lower",
                "of all zones together",
            )
        )
        figures.append(
            Figure(
                f"energy.starts.{item.control}",
                sum(item.run.starts.values()),
                "",
                None if others is None else sum(others.starts.values()),
                "lower",
                ", ".join(f"{key} {count}" for key, count in item.run.starts.items()),
            )
        )
    return figures


def _number(figure: Figure) -> str:
    text = f"{figure.value:.0f}" if abs(figure.value) >= 100 else f"{figure.value:.4g}"
    return f"{text} {figure.unit}".strip()


def _row(figure: Figure) -> tuple[str, ...]:
    bound = "–"
    if figure.bound is not None:
        sign = "≥" if figure.better == "higher" else "≤"
        bound = f"{sign} {figure.bound:.4g}"
    verdict = {True: "kept", False: "NOT kept", None: "–"}[figure.kept]
    return figure.key, _number(figure), bound, verdict, figure.beside


def _columns(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def _by_component(outcomes: Mapping[str, Outcome]) -> list[tuple[str, ...]]:
    """Return the comparison as people want it: kW/RT of each part of the plant."""
    parts = next(iter(outcomes.values())).kw_per_rt
    rows = [
        (
            "control",
            "kWh",
            "kW/RT",
            *(name.replace("_", " ") for name in parts),
            "unmet K h",
            "starts",
        )
    ]
    rows += [
        (
            item.control,
            f"{item.energy:,.0f}",
            f"{item.total:.4f}",
            *(f"{value:.4f}" for value in item.kw_per_rt.values()),
            "–" if item.run is None else f"{item.run.unmet:.1f}",
            "–"
            if item.run is None
            else " + ".join(str(count) for count in item.run.starts.values()),
        )
        for item in outcomes.values()
    ]
    return rows


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
    page = _PAGE.read_text(encoding="utf-8")
    head, begin, rest = page.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        raise SystemExit(f"{_PAGE} has no place for the energy tables")
    rows = [("figure", "value", "bound", "verdict", "beside it"), *map(_row, figures)]
    lines = [
        f"Measured on {_machine()}: {what}.",
        "",
        *_markdown(_by_component(outcomes)),
        "",
        *_markdown(
            [(f"`{row[0]}`" if i else row[0], *row[1:]) for i, row in enumerate(rows)]
        ),
        "",
    ]
    _PAGE.write_text(head + _BEGIN + "\n".join(lines) + _END + tail, encoding="utf-8")


def main() -> int:
    """Run; return 0 when everything that was asked for could be measured."""
    arguments = _arguments()
    wanted = list(dict.fromkeys(arguments.control))
    outcomes: dict[str, Outcome] = {}
    reference: Run | None = None
    controls = [key for key in wanted if key != OPTIMUM]
    if OPTIMUM in wanted and _BOUND_OF not in controls:
        controls.append(_BOUND_OF)
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
        outcomes[OPTIMUM] = outcome_of_bound(arguments.site, reference, _say)
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
            "controls": {key: item.details() for key, item in outcomes.items()},
        }
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print(f"\n{_machine()}: {what}\n\n{_columns(_by_component(outcomes))}\n")
        print(
            _columns(
                [
                    ("figure", "value", "bound", "verdict", "beside it"),
                    *map(_row, figures),
                ]
            )
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
