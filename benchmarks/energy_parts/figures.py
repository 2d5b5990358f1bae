"""The figures that a comparison comes to, and what they must be."""

from collections.abc import Mapping

import numpy as np

from benchmarks.bus_parts.result import Figure

from .outcome import OPTIMUM, Outcome
from .recording import Run
from .year import DAYS_A_YEAR

ABOVE_OPTIMUM = 1.03
BELOW_FIXED = 0.90
"""Ratios that are asked for, of a plant whose condenser pumps have drives."""


def figures_of(
    outcomes: Mapping[str, Outcome], days: float, key: str = "energy"
) -> list[Figure]:
    """Return the figures that are asked for, with their bounds; `key` begins each."""
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
                Figure(f"{key}.year_wall_s", slowest, "s", 120.0, "lower", each)
            )
        figures.append(
            Figure(f"{key}.memory_mb", most, "MB", 500.0, "lower", "all processes")
        )
    figures.extend(
        Figure(
            f"{key}.kw_per_rt.{item.control}",
            item.total,
            "kW/RT",
            None,
            "lower",
            f"{item.energy / 1000:.0f} MWh for {item.cooling / 1000:.0f} MWh of cooling",
        )
        for item in outcomes.values()
    )
    if ours and best:
        figures.append(
            Figure(
                f"{key}.ratio.ours_to_optimum",
                ours.total / best.total,
                "",
                ABOVE_OPTIMUM,
                "lower",
                f"{100 * (ours.total / best.total - 1):+.1f} %, hour by hour",
            )
        )
    if fixed:
        figures.extend(
            Figure(
                f"{key}.ratio.{item.control}_to_fixed",
                item.total / fixed.total,
                "",
                BELOW_FIXED if item is ours else None,
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
                f"{key}.unmet_kh.{item.control}",
                item.run.unmet,
                "K h",
                None if others is None else others.unmet,
                "lower",
                "of all zones together",
            )
        )
        figures.append(
            Figure(
                f"{key}.starts.{item.control}",
                sum(item.run.starts.values()),
                "",
                None if others is None else sum(others.starts.values()),
                "lower",
                ", ".join(f"{key} {count}" for key, count in item.run.starts.items()),
            )
        )
    return figures


def by_component(outcomes: Mapping[str, Outcome]) -> list[tuple[str, ...]]:
    """Return the comparison as people want it, and what the saving must not cost.

    The fans of the air handlers are no part of the plant and of no kW/RT; they
    show whether a way of control has only moved its energy there.
    """
    parts = next(iter(outcomes.values())).kw_per_rt
    rows: list[tuple[str, ...]] = [
        (
            "control",
            "kWh",
            "kW/RT",
            *(name.replace("_", " ") for name in parts),
            "unmet K h",
            "starts",
            "air fans kWh",
            "zone RH mean, 95th %",
        )
    ]
    rows += [
        (
            item.control,
            f"{item.energy:,.0f}",
            f"{item.total:.4f}",
            *(f"{value:.4f}" for value in item.kw_per_rt.values()),
            *_beside(item.run),
        )
        for item in outcomes.values()
    ]
    return rows


def _beside(run: Run | None) -> tuple[str, ...]:
    if run is None:
        return ("–",) * 4
    humidity = run["most_humid_zone"]
    return (
        f"{run.unmet:.1f}",
        " + ".join(str(count) for count in run.starts.values()),
        f"{run.air_fans:,.0f}",
        f"{humidity.mean():.0f}, {np.percentile(humidity, 95):.0f}",
    )
