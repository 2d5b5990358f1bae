"""Whether a site sheds what it is asked for, and is settled for it: `scripts/bench demand_response`.

A simulated office with its plant, circuits, battery and tank keeps events of different
size, length and notice, on days of seeded weather, under the controllers, the command
desk and the interlocks that run real plants. Each day goes by a second time without
the event, which is the truth that nobody has at a site. Baselines are tried on a history
of ordinary days. It takes some minutes.
"""

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
import json
import os
import platform
from statistics import fmean
import sys
import time
from typing import Any

import numpy as np

from benchmarks.energy_parts.closed_loop import Guest
from custom_components.chiller_plant.plant.demand_response.baselines import WEATHER
from custom_components.chiller_plant.plant.demand_response.outdoor_air import MEASURED
from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.simulator.weather_series import (
    DAY,
    YEAR_START,
    WeatherSeries,
)

from .bus_parts.result import Figure
from .demand_response_parts.days import watch
from .demand_response_parts.events import (
    CASES,
    HOUR,
    Case,
    Means,
    Outside,
    is_off,
    played,
)
from .demand_response_parts.judge import METHOD_NAMES, Outcome, outcome, trusted, worst
from .demand_response_parts.site import site
from .shared.page import PAGE, table, write_rows

DAYS = 42
"""Of history."""
_CHUNK = 2
"""Days that go by one after another."""
_PRIORITY = 50


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/bench demand_response", description=__doc__
    )
    parser.add_argument(
        "--days", type=int, default=DAYS, help=f"of history (default: {DAYS})"
    )
    parser.add_argument(
        "--events",
        type=int,
        default=len(CASES),
        help=f"only the first of the {len(CASES)} events",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the weather")
    parser.add_argument("--json", action="store_true", help="figures for a program")
    parser.add_argument(
        "--markdown", action="store_true", help=f"write the table into {PAGE.name} too"
    )
    return parser.parse_args()


def _machine() -> str:
    return (
        f"{datetime.now(UTC):%d %b %Y}, one of {os.process_cpu_count()} cores"
        f" ({platform.machine()}), Python {platform.python_version()}, numpy"
        f" {np.__version__}"
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def history(
    plant: Plant, weather: WeatherSeries, days: int
) -> tuple[Means, dict[str, dict[float, float]]]:
    """Return the hours of ordinary days, from the first of the year on.

    That is the load, and what the weather station measured.
    """
    starts = [YEAR_START + DAY * day for day in range(0, days, _CHUNK)]
    seen = watch(plant, weather, starts, _CHUNK, {})
    means: Means = []
    outside: dict[str, dict[float, float]] = {role: {} for role in MEASURED}
    for start, item in zip(starts, seen, strict=True):
        for hour in range(24 * _CHUNK):
            at = start + HOUR * hour
            means.append((at, item.mean(at, at + HOUR)))
            air = item.outside(at, at + HOUR)
            for role, value in zip(MEASURED, air, strict=True):
                outside[role][at] = value
    return means, outside


def event_days(days: int, count: int) -> list[float]:
    """Return the midnights of the last weekdays of a history."""
    weekdays = [
        midnight
        for midnight in (YEAR_START + DAY * day for day in range(days))
        if not is_off(datetime.fromtimestamp(midnight, UTC).date())
    ]
    return weekdays[-count:]


def outcomes_of(
    plant: Plant,
    weather: WeatherSeries,
    cases: Sequence[Case],
    means: Means,
    outside: Outside,
) -> list[Outcome]:
    """Play each case on a day of its own, and the same days without."""
    midnights = event_days(round(len(means) / 24), len(cases))
    outdoor = []
    for case, midnight in zip(cases, midnights, strict=True):
        times = np.arange(case.begins, case.begins + case.hours, 0.5, dtype=np.float64)
        outdoor.append(float(weather.at(midnight + HOUR * times).dry_bulb.mean()))
    sites = played(plant, cases, midnights, means, outdoor)
    guests = {
        index: Guest(f"demand_response:{plant.key}", _PRIORITY, item)
        for index, item in enumerate(sites)
    }
    seen = watch(plant, weather, [*midnights, *midnights], 1, guests)
    return [
        outcome(
            item,
            seen[index],
            seen[index + len(sites)],
            [known for known in means if known[0] < midnights[index]],
            {
                role: {
                    at: value for at, value in hours.items() if at < midnights[index]
                }
                for role, hours in outside.items()
            },
        )
        for index, item in enumerate(sites)
    ]


def figures_of(
    found: Sequence[Outcome], means: Means, outside: Outside | None = None
) -> list[Figure]:
    """Return what is judged."""
    ahead = [item for item in found if "pre-cooled" in item.name]
    cooling = [item for item in found if "cooling only" in item.name]
    beside = f"{len(found)} events"
    figures = [
        Figure(
            "dr.target_error",
            worst(found, "target_error"),
            "",
            0.05,
            "lower",
            f"the worst of {beside}, mean {fmean(i.target_error for i in found):.3f};"
            f" in the minutes 15 to 20 {worst(found, 'late_error'):.3f}, mean"
            f" {fmean(i.late_error for i in found):.3f}; by cooling only"
            f" {worst(cooling, 'target_error') if cooling else float('nan'):.3f}",
        ),
        Figure(
            "dr.comfort_violation_kh",
            sum(item.comfort_violation for item in found),
            "K h",
            0.0,
            "lower",
            f"all zones of {beside} and the hours after; the warmest"
            f" {worst(found, 'warmest'):.1f} °C",
        ),
        Figure(
            "dr.rebound",
            worst(found, "rebound"),
            "",
            1.2,
            "lower",
            f"the worst of {beside}, mean {fmean(i.rebound for i in found):.2f}; risen"
            " by cooling ahead"
            f" {worst(ahead, 'risen') if ahead else float('nan'):.2f}",
        ),
    ]
    tried = trusted(means, YEAR_START + 14 * HOUR, YEAR_START + 17 * HOUR, outside)
    figures += [
        Figure(
            f"dr.baseline_cvrmse.{name}",
            tried[name].cvrmse,
            "",
            None,
            "lower",
            f"{tried[name].days} weekdays from 14:00 to 17:00, bias"
            f" {tried[name].bias:+.3f}, {tried[name].confidence}",
        )
        for name in METHOD_NAMES
        if name in tried
    ]
    shed = [abs(i.settled - i.achieved) / abs(i.achieved) for i in found]
    figures.append(
        Figure(
            "dr.performance_error",
            fmean(item.performance_error for item in found),
            "",
            0.02,
            "lower",
            f"of the load, the mean of {beside}, the worst"
            f" {worst(found, 'performance_error'):.3f}; of the energy shed"
            f" {fmean(shed):.2f}; all together"
            f" {sum(i.settled - i.achieved for i in found) / sum(i.truth for i in found):+.3f};"
            f" {sum(i.method == WEATHER for i in found)} of them by their weather;"
            f" without a pyranometer {fmean(i.off(i.without_sun) for i in found):.3f},"
            f" without a weather station {fmean(i.off(i.without_weather) for i in found):.3f}",
        )
    )
    return figures


def main() -> int:
    """Run; return 0 when everything could be measured, whatever the verdicts."""
    arguments = _arguments()
    if arguments.days < 28 or not 1 <= arguments.events <= len(CASES):
        _say(f"28 days of history at least, and 1 to {len(CASES)} events")
        return 2
    plant, weather = site(), WeatherSeries.tropical(arguments.seed)
    began = time.monotonic()
    means, outside = history(plant, weather, -(-arguments.days // _CHUNK) * _CHUNK)
    _say(f"{arguments.days} days of history, {time.monotonic() - began:.0f} s")
    found = outcomes_of(plant, weather, CASES[: arguments.events], means, outside)
    _say(f"{len(found)} events, {time.monotonic() - began:.0f} s together")
    figures = figures_of(found, means, outside)
    if arguments.markdown:
        write_rows("demand_response", _machine(), figures)
    if arguments.json:
        told: dict[str, Any] = {item.key: round(item.value, 9) for item in figures}
        told["details"] = {
            "machine": _machine(),
            "days": arguments.days,
            "seed": arguments.seed,
            "events": [asdict(item) for item in found],
        }
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    print(f"{_machine()}\n\n{table(figures)}\n")
    for item in found:
        print(
            f"{item.name}: target {item.target:.0f}, was {item.actual:.0f},"
            f" {100 * item.target_error:.1f} % off; rebound {item.rebound:.2f}; settled"
            f" {item.settled:.0f} by {item.method}, truly {item.achieved:.0f} kW"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
