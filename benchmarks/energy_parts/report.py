"""Pictures of what the ways of control did, so that an engineer can see why.

Means of five minutes and of hours as they were recorded; nothing is smoothed.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib.axes import Axes
from matplotlib.figure import Figure as Picture
import numpy as np

from custom_components.chiller_plant.plant.units import KW_PER_RT
from custom_components.chiller_plant.simulator.arrays import Array
from custom_components.chiller_plant.simulator.weather_series import DAY, HOUR

from .outcome import Outcome
from .recording import COMPONENTS, Run

_COLOURS = {
    "chillers": "#4c6a92",
    "primary_pumps": "#7fb069",
    "secondary_pumps": "#b5d99c",
    "condenser_pumps": "#e6aa68",
    "towers": "#ca3c25",
}
_CONTROLS = {
    "fixed": "#6c757d",
    "guideline36": "#e07a1f",
    "ours": "#1b7f5a",
    "optimum": "#3a3a9f",
}
_LEAST_LOAD = 100.0
"""kW below which kW/RT says nothing."""
_SHOWN_DAYS = 3

type Drawing = Callable[[Mapping[str, Outcome], str], Picture]


def write_report(
    folder: Path, outcomes: Mapping[str, Outcome], what: str
) -> Sequence[Path]:
    """Draw everything into a folder; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    mpl.rcParams.update(
        {
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.3,
            "axes.axisbelow": True,
            "legend.frameon": False,
        }
    )
    written = []
    for name, draw in _DRAWINGS.items():
        picture = draw(outcomes, what)
        path = folder / f"{name}.png"
        picture.savefig(path, dpi=130)
        written.append(path)
    return written


def _colour(control: str) -> str:
    return _CONTROLS.get(control, "#222222")


def _said(name: str) -> str:
    return name.replace("_", " ")


def _picture(
    rows: int, columns: int, width: float, height: float, what: str, **options: bool
) -> tuple[Picture, np.ndarray]:
    picture = Picture(figsize=(width, height), layout="constrained")
    axes = picture.subplots(rows, columns, squeeze=False, **options)
    picture.supxlabel(what, fontsize=7, color="#777777", x=0.99, ha="right")
    return picture, axes


def _components(outcomes: Mapping[str, Outcome], what: str) -> Picture:
    """Draw where the energy goes."""
    picture, axes = _picture(1, 1, 9.0, 1.4 + 0.55 * len(outcomes), what)
    axis: Axes = axes[0, 0]
    fixed = outcomes.get("fixed")
    left = np.zeros(len(outcomes))
    place = np.arange(len(outcomes))[::-1]
    for name in COMPONENTS:
        values = np.array([item.kw_per_rt[name] for item in outcomes.values()])
        axis.barh(place, values, 0.62, left, color=_COLOURS[name], label=_said(name))
        for y, start, value in zip(place, left, values, strict=True):
            if value > 0.045:
                axis.text(
                    start + value / 2,
                    y,
                    f"{value:.3f}",
                    ha="center",
                    va="center",
                    color="white",
                    fontsize=7.5,
                )
        left += values
    for y, total, item in zip(place, left, outcomes.values(), strict=True):
        text = f" {total:.3f}"
        if fixed is not None and item is not fixed:
            text += f"  ({100 * (total / fixed.total - 1):+.1f} %)"
        axis.text(total, y, text, va="center", fontweight="bold")
    axis.set_yticks(place, list(outcomes))
    axis.set_xlim(0, left.max() * 1.16)
    axis.set_xlabel("kW/RT of the whole plant, all hours")
    axis.set_title("Where the energy goes", loc="left")
    axis.grid(visible=False, axis="y")
    axis.legend(
        ncols=5, loc="upper left", bbox_to_anchor=(0, -0.22 - 0.3 / len(outcomes))
    )
    return picture


def _stacked(axis: Axes, item: Outcome, over: Array, edges: Array) -> None:
    """Draw kW/RT by component over bins of a quantity."""
    real = item.load > _LEAST_LOAD
    place = np.digitize(over, edges) - 1
    middle = (edges[1:] + edges[:-1]) / 2
    rows = np.full((len(COMPONENTS), len(middle)), np.nan)
    for index in range(len(middle)):
        chosen = real & (place == index)
        if chosen.sum() >= 3:
            tons = item.load[chosen].sum() / KW_PER_RT
            rows[:, index] = [
                item.power[name][chosen].sum() / tons for name in COMPONENTS
            ]
    seen = ~np.isnan(rows[0])
    if seen.any():
        axis.stackplot(
            middle[seen],
            rows[:, seen],
            colors=[_COLOURS[name] for name in COMPONENTS],
            labels=[_said(name) for name in COMPONENTS],
            linewidth=0,
        )


def _edges(values: Array, step: float) -> Array:
    low = np.floor(values.min() / step) * step
    return np.arange(low, values.max() + step, step)


def _over_load_and_wet_bulb(outcomes: Mapping[str, Outcome], what: str) -> Picture:
    """Draw each part's kW/RT over load and over wet bulb."""
    picture, axes = _picture(
        2, len(outcomes), 1.2 + 3.0 * len(outcomes), 6.2, what, sharey=True
    )
    any_ = next(iter(outcomes.values()))
    loads = _edges(any_.load[any_.load > _LEAST_LOAD], 200.0)
    bulbs = _edges(any_.wet_bulb, 0.5)
    for column, item in enumerate(outcomes.values()):
        _stacked(axes[0, column], item, item.load, loads)
        _stacked(axes[1, column], item, item.wet_bulb, bulbs)
        axes[0, column].set_title(item.control, loc="left")
        axes[0, column].set_xlabel("cooling load, kW")
        axes[1, column].set_xlabel("wet bulb, °C")
    for axis in axes[:, 0]:
        axis.set_ylabel("kW/RT")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    picture.legend(handles[::-1], labels[::-1], fontsize=8, loc="outside right upper")
    return picture


def _map(outcomes: Mapping[str, Outcome], what: str) -> Picture:
    """Draw kW/RT of the plant for each load and wet bulb."""
    picture, axes = _picture(
        1, len(outcomes), 1.5 + 2.9 * len(outcomes), 3.6, what, sharey=True
    )
    any_ = next(iter(outcomes.values()))
    loads = _edges(any_.load[any_.load > _LEAST_LOAD], 200.0)
    bulbs = _edges(any_.wet_bulb, 0.5)
    tables = []
    for item in outcomes.values():
        real = item.load > _LEAST_LOAD
        total = np.add.reduce(list(item.power.values()))
        sums = [
            np.histogram2d(
                item.wet_bulb[real],
                item.load[real],
                (bulbs, loads),
                weights=weight[real],
            )[0]
            for weight in (total, item.load / KW_PER_RT, np.ones_like(total))
        ]
        with np.errstate(invalid="ignore", divide="ignore"):
            tables.append(np.where(sums[2] > 0, sums[0] / sums[1], np.nan))
    low = min(np.nanpercentile(table, 1) for table in tables)
    high = max(np.nanpercentile(table, 97) for table in tables)
    mesh = None
    for axis, item, table in zip(axes[0], outcomes.values(), tables, strict=True):
        mesh = axis.pcolormesh(
            loads, bulbs, table, vmin=low, vmax=high, cmap="viridis_r", shading="flat"
        )
        axis.set_title(item.control, loc="left")
        axis.set_xlabel("cooling load, kW")
        axis.grid(visible=False)
    axes[0, 0].set_ylabel("wet bulb, °C")
    if mesh is not None:
        picture.colorbar(mesh, ax=list(axes[0]), label="kW/RT", extend="max")
    return picture


def _runs(outcomes: Mapping[str, Outcome]) -> list[Run]:
    return [item.run for item in outcomes.values() if item.run is not None]


def _window(run: Run) -> slice:
    """Return the days after each other with the highest load."""
    day = np.floor(run.time / DAY - 1e-6)
    best, found = -1.0, slice(0, len(day))
    for first in np.unique(day):
        chosen = np.flatnonzero((day >= first) & (day < first + _SHOWN_DAYS))
        together = np.ptp(run.time[chosen]) < _SHOWN_DAYS * DAY
        load = float(run["cooling_load"][chosen].sum())
        if together and load > best:
            best, found = load, slice(int(chosen[0]), int(chosen[-1]) + 1)
    return found


def _days(outcomes: Mapping[str, Outcome], what: str) -> Picture:
    """Draw what happened on the days with the highest load."""
    runs = _runs(outcomes)
    if not runs:
        return Picture()
    shown = _window(runs[0])
    picture, axes = _picture(6, 1, 11.0, 12.5, what, sharex=True)
    panels: list[Axes] = list(axes[:, 0])
    hours = (runs[0].time[shown] - runs[0].time[shown][0]) / HOUR
    start = (runs[0].time[shown][0] % DAY) / HOUR
    hours = hours + start
    for run in runs:
        colour, name = _colour(run.control), run.control

        def line(panel: int, quantity: str, **style: object) -> None:
            panels[panel].plot(hours, run[quantity][shown], **style)  # noqa: B023

        line(0, "cooling_load", color=colour, lw=1.2, label=name)
        panels[1].step(
            hours, run["chillers_running"][shown], color=colour, lw=1.3, label=name
        )
        line(2, "chilled_water_supply_temperature", color=colour, lw=1.0, label=name)
        line(
            2,
            "chilled_water_supply_temperature_setpoint",
            color=colour,
            lw=0.8,
            ls=":",
        )
        line(3, "condenser_water_supply_temperature", color=colour, lw=1.0, label=name)
        line(4, "fan_speed", color=colour, lw=1.0, label=f"{name}: fans")
        line(
            4,
            "condenser_pump_speed",
            color=colour,
            lw=0.9,
            ls="--",
            label=f"{name}: condenser pumps",
        )
        line(5, "warmest_zone", color=colour, lw=1.0, label=name)
    panels[3].plot(
        hours,
        runs[0]["wet_bulb"][shown],
        color="black",
        lw=0.8,
        ls="--",
        label="wet bulb",
    )
    panels[5].axhline(25.0, color="black", lw=0.8, ls="--", label="comfort limit")
    titles = (
        ("Cooling load", "kW"),
        ("Chillers running", ""),
        ("Chilled-water supply; dotted: what the chillers are set to", "°C"),
        ("Condenser water to the chillers", "°C"),
        ("Speeds of what runs", "%"),
        ("Warmest zone", "°C"),
    )
    for axis, (title, unit) in zip(panels, titles, strict=True):
        axis.set_title(title, loc="left")
        axis.set_ylabel(unit)
        axis.legend(
            loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=7, handlelength=1.5
        )
    panels[1].set_yticks([0, 1, 2, 3])
    last = hours[-1]
    ticks = np.arange(np.ceil(hours[0] / 6) * 6, last + 1, 6)
    panels[-1].set_xticks(ticks, [f"{int(tick) % 24:02d}:00" for tick in ticks])
    panels[-1].set_xlim(hours[0], last)
    panels[-1].set_xlabel("local time, the days with the highest load")
    return picture


def _temperatures(outcomes: Mapping[str, Outcome], what: str) -> Picture:
    """Draw how long which temperatures and speeds lasted."""
    runs = _runs(outcomes)
    picture, axes = _picture(1, 4, 13.0, 3.6, what)
    for run in runs:
        turning = run["chillers_running"] > 0.5
        share = np.linspace(0, 100, int(turning.sum()))
        quantities = (
            run["chilled_water_supply_temperature"],
            run["condenser_water_supply_temperature"] - run["wet_bulb"],
            run["fan_speed"],
            run["condenser_pump_speed"],
        )
        for axis, values in zip(axes[0], quantities, strict=True):
            axis.plot(
                share,
                np.sort(values[turning])[::-1],
                color=_colour(run.control),
                label=run.control,
            )
    titles = (
        "Chilled-water supply, °C",
        "Condenser water above wet bulb, K",
        "Tower fans, %",
        "Condenser pumps, %",
    )
    for axis, title in zip(axes[0], titles, strict=True):
        axis.set_title(title, loc="left")
        axis.set_xlabel("% of the time in which chillers run")
    if runs:
        axes[0, 0].legend()
        supply = np.concatenate(
            [run["chilled_water_supply_temperature"] for run in runs]
        )
        axes[0, 0].set_ylim(
            np.percentile(supply, 0.2) - 0.5, np.percentile(supply, 99.8) + 0.5
        )
    return picture


def _starts_and_comfort(outcomes: Mapping[str, Outcome], what: str) -> Picture:
    """Draw what the saving must not cost: starts, and zones too warm."""
    runs = _runs(outcomes)
    picture, axes = _picture(1, 3, 12.0, 3.6, what)
    width = 0.8 / max(len(runs), 1)
    for index, run in enumerate(runs):
        colour = _colour(run.control)
        names = list(run.starts)
        place = np.arange(len(names)) + (index - (len(runs) - 1) / 2) * width
        bars = axes[0, 0].bar(
            place,
            list(run.starts.values()),
            width * 0.94,
            color=colour,
            label=f"{run.control}: {sum(run.starts.values())}",
        )
        axes[0, 0].bar_label(bars, fontsize=7)
        axes[0, 0].set_xticks(range(len(names)), [_said(name) for name in names])
        bars = axes[0, 1].bar(index, run.unmet, 0.7, color=colour)
        axes[0, 1].bar_label(bars, fmt="%.1f", fontsize=8)
        starts = np.add.reduce(
            [run[name] for name in run.names if name.startswith("starts_")]
        )
        by_hour = np.bincount(
            np.floor((run.time - 1.0) % DAY / HOUR).astype(int), starts, 24
        )
        axes[0, 2].step(
            range(24),
            by_hour / max(run.days, 1),
            where="mid",
            color=colour,
            label=run.control,
        )
    axes[0, 0].set_title("Starts", loc="left")
    axes[0, 0].legend(fontsize=7, loc="upper left", title="all chillers")
    axes[0, 0].set_ylim(0, 1.45 * max(axes[0, 0].get_ylim()[1], 1.0))
    axes[0, 1].set_ylim(0, max(1.2 * axes[0, 1].get_ylim()[1], 1.0))
    axes[0, 1].set_title("Zones above the comfort limit, K h", loc="left")
    axes[0, 1].set_xticks(range(len(runs)), [run.control for run in runs])
    axes[0, 2].set_title("Starts a day, by the hour", loc="left")
    axes[0, 2].set_xlabel("hour of the day")
    if runs:
        axes[0, 2].legend(fontsize=7)
    return picture


_DRAWINGS: Mapping[str, Drawing] = {
    "components": _components,
    "load_and_wet_bulb": _over_load_and_wet_bulb,
    "map": _map,
    "days": _days,
    "temperatures": _temperatures,
    "starts_and_comfort": _starts_and_comfort,
}
