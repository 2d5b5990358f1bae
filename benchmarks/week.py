"""A week of a site under its own automations: `scripts/bench week`.

Profiles, calendar and forms are the files that an integrator imports; engine,
controllers, desk and interlocks are those that run real plants; time is
virtual. Judges who know nothing of them say whether each automation was at
what the day and the priorities say, whether a machine was treated as it must
not be, and whether every change of a stage has a reason.
"""

import argparse
from collections.abc import Sequence
from datetime import UTC, date, datetime
import json
import os
from pathlib import Path
import platform
import sys
from zoneinfo import ZoneInfo

from .bus_parts.result import Figure
from .shared import page
from .week_parts.comfort import unmet_kelvin_hours
from .week_parts.expected_kspo import WATCHED, expected
from .week_parts.plan_judge import judge_plan
from .week_parts.site_run import Record, run_site
from .week_parts.stage_judge import judge_stages
from .week_parts.wire_judge import violations

_EXAMPLES = Path(__file__).parents[1] / "examples"
SITES = {"kspo": ZoneInfo("Asia/Seoul")}
"""The sites whose days are known, and where they are."""
FIRST_DAY = date(2027, 5, 3)
"""A Monday, with Children's Day in its week."""
_RUN_HOURS = "week.run_hours_spread"
_LONG = 28
"""Days from which run hours are judged."""


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= 366:
        raise argparse.ArgumentTypeError("1 to 366 days")
    return days


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench week", description=__doc__)
    parser.add_argument("--site", choices=sorted(SITES), default="kspo")
    parser.add_argument(
        "--days", type=_days, default=7, help="from the first day on (default: 7)"
    )
    parser.add_argument(
        "--first-day",
        type=date.fromisoformat,
        default=FIRST_DAY,
        metavar="DATE",
        help=f"local date at the site (default: {FIRST_DAY})",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("--json", action="store_true", help="figures for a program")
    output.add_argument(
        "--markdown",
        action="store_true",
        help="write the table into docs/benchmarks.md too",
    )
    return parser.parse_args()


def spread(run_hours: Sequence[float]) -> float:
    """Return the difference of the most and the least run hours, % of their mean."""
    mean = sum(run_hours) / len(run_hours)
    return 100.0 * (max(run_hours) - min(run_hours)) / mean if mean else 0.0


def figures_of(record: Record) -> tuple[list[Figure], dict[str, object]]:
    """Judge a run; return the figures and what is behind them."""
    plan = judge_plan(record, expected)
    broken = violations(record)
    stages = judge_stages(record)
    unmet = unmet_kelvin_hours(record)
    hours = record.run_hours
    ran = ", ".join(f"{key} {value:.1f} h" for key, value in hours.items())
    figures = [
        Figure(
            "week.automations_right",
            plan.right,
            "%",
            100.0,
            "higher",
            f"{plan.looks:,} looks at automations and owners of points",
        ),
        Figure(
            "week.interlock_violations",
            len(broken),
            "",
            0.0,
            "lower",
            f"{len(record.trouble)} forced stops, failed starts or points that did not"
            " follow",
        ),
        Figure(
            "week.stage_changes",
            len(stages.changes),
            "",
            None,
            "lower",
            "starts and stops of chillers on the wire",
        ),
        Figure(
            "week.stage_changes_without_reason",
            len(stages.without_reason),
            "",
            0.0,
            "lower",
            "of these",
        ),
        Figure(
            "week.unmet_kh",
            sum(unmet.values()),
            "K h",
            1.0,
            "lower",
            ", ".join(f"{key} {value:.2f}" for key, value in unmet.items()),
        ),
        Figure(
            _RUN_HOURS,
            spread(list(hours.values())),
            "%",
            5.0 if record.days >= _LONG else None,
            "lower",
            f"{record.days} days: {ran}",
        ),
    ]
    return figures, {
        "machine": _machine(),
        "what": _what(record),
        "cpu_s": round(record.cpu_seconds, 1),
        "wrong": plan.examples,
        "violations": broken,
        "trouble": record.trouble,
        "complaints": record.complaints,
        "changes": stages.changes,
        "without_reason": stages.without_reason,
        "unmet_kh": {key: round(value, 3) for key, value in unmet.items()},
        "run_hours": {key: round(value, 2) for key, value in hours.items()},
    }


def _machine() -> str:
    return (
        f"{datetime.now(UTC):%d %b %Y}, {os.process_cpu_count()} cores "
        f"({platform.machine()}), Python {platform.python_version()}"
    )


def _what(record: Record) -> str:
    return f"{record.plant.key}, {record.days} days from {record.first_day}"


def main() -> int:
    """Run; return 0 when every figure keeps its bound."""
    arguments = _arguments()
    record = run_site(
        _EXAMPLES / arguments.site,
        arguments.first_day,
        arguments.days,
        SITES[arguments.site],
        WATCHED,
    )
    figures, details = figures_of(record)
    if arguments.markdown:
        # A week says nothing of run hours, and a month is run for nothing else.
        long = record.days >= _LONG
        page.write_rows(
            "week",
            _machine(),
            [item for item in figures if (item.key == _RUN_HOURS) == long],
        )
    if arguments.json:
        told: dict[str, object] = {
            figure.key: round(figure.value, 5) for figure in figures
        }
        told["details"] = details
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print(f"{_machine()}: {_what(record)}\n")
        print(page.table(figures))
        for topic in ("wrong", "violations", "trouble", "complaints", "without_reason"):
            for line in details[topic]:  # type: ignore[attr-defined]
                print(f"{topic}: {line}")
    return 0 if all(figure.kept is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
