"""The least that any control could take, hour by hour: the enumerated bound.

In each hour, every number of chillers and of cells, every supply temperature
that the coils bear, primary and condenser flows and fan speeds are tried with
the machines of the simulator in steady operation. First on a coarse grid; then
the best of its corners on finer ones.

Within what a plant does anyway: a primary and a condenser pump for each chiller
that runs, flows that keep the flow switches made, loads that the machines can
carry. Not within it: starts, ramps and what the water holds from the hour
before. So a plant under control can come near, and not below but by luck.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.roles import EquipmentType
from custom_components.chiller_plant.simulator import fleets
from custom_components.chiller_plant.simulator.arrays import Array, Flags
from custom_components.chiller_plant.simulator.chiller_performance import (
    ChillerPerformance,
    ChillerRating,
)
from custom_components.chiller_plant.simulator.coupled import Cell, Coupled, solve
from custom_components.chiller_plant.simulator.layout import Layout
from custom_components.chiller_plant.simulator.settings import read_settings
from custom_components.chiller_plant.simulator.tower_performance import LEAST_AIR
from custom_components.chiller_plant.simulator.water import HEAT_CAPACITY

from .pump_tables import PumpTable, pump_table

_LEAST_FLOW = 0.52
"""Share of a chiller's rated flows: a little above where flow switches make."""

_COLDEST_SUPPLY = 4.5
"""°C that a chiller is set to at least."""

_PRIMARY_SHARES = (1.0, 0.92)
"""Primary flow over secondary flow; what is short is paid by colder chillers."""

_FAN_GRID = np.array([0.30, 0.43, 0.56, 0.72, 0.95])
_CONDENSER_POINTS = 5
_CORNERS = 10
"""Combinations of numbers and supplies that are looked at closely."""

_FINE = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
_ZOOMS = ((0.10, 0.10), (0.05, 0.04), (0.02, 0.02))
"""Reach of each finer grid in fan speed and in condenser pump speed."""

_CHUNK = 40
"""Hours that are solved together: some hundred thousand points."""

_IDLE = 1.0
"""kW of load below which nothing needs to run."""

type Index = NDArray[np.intp]

COMPONENTS = (
    "chillers",
    "primary_pumps",
    "secondary_pumps",
    "condenser_pumps",
    "towers",
)


_NUMBERS = (
    "supply",
    "chiller_supply",
    "chillers",
    "cells",
    "fan_speed",
    "condenser_pump_speed",
    "condenser_flow",
    "primary_flow",
    "condenser_entering",
    "part_load_ratio",
)


@dataclass
class Bound:
    """The best of each hour; every array is (hours,)."""

    power: dict[str, Array]
    """kW by component."""

    supply: Array
    """°C to the coils."""

    chiller_supply: Array
    """°C that the chillers make: colder where primary flow is short."""

    chillers: Array
    cells: Array
    fan_speed: Array
    condenser_pump_speed: Array
    condenser_flow: Array
    """Share of the chillers' design flow."""

    primary_flow: Array
    """l/s of all primary pumps."""

    condenser_entering: Array
    part_load_ratio: Array
    feasible: Flags
    """False: no combination carries the load; everything then is full on."""

    clipped: Flags = field(repr=False)

    @property
    def total(self) -> Array:
        """KW of the plant."""
        total: Array = np.sum(list(self.power.values()), axis=0)
        return total


class _Machines(NamedTuple):
    """What the plant file says, as far as a bound needs it."""

    performance: ChillerPerformance
    rating: ChillerRating
    cell: Cell
    chillers: int
    cells: int
    primary: PumpTable
    condenser: PumpTable


class _Choice(NamedTuple):
    """Settings that are tried; all broadcast against each other."""

    row: Index
    """Chillers that run, less one."""
    cells: Array
    supply: Index
    """Index among the supplies."""
    primary: Index
    condenser: Index
    """Columns of the pump tables."""
    fan: Array


def _alike[T](items: Sequence[T], what: str, plant: Plant) -> T:
    if any(item != items[0] for item in items):
        raise ValueError(
            f"{plant.key}: the bound is made for plants whose {what} are alike"
        )
    return items[0]


def _machines(plant: Plant) -> _Machines:
    layout = Layout(plant)
    ratings = fleets.chiller_ratings(layout, read_settings(plant))
    rating = _alike(ratings, "chillers", plant)
    towers = fleets.towers(layout, 1, 25.0)
    cell = _alike(
        [
            Cell(flow, power)
            for flow, power in zip(
                towers.design_flow[0].tolist(),
                towers.fans.rated_power.tolist(),
                strict=True,
            )
        ],
        "tower cells",
        plant,
    )

    def table(kind: EquipmentType) -> PumpTable:
        condenser = kind is EquipmentType.CONDENSER_WATER_PUMP
        make = fleets.condenser_circuit if condenser else fleets.chilled_circuit
        return pump_table(
            len(ratings),
            lambda scenarios: fleets.pumps(layout, kind, scenarios),
            lambda pumps: make(layout, ratings, pumps),
        )

    return _Machines(
        ChillerPerformance([rating]),
        rating,
        cell,
        len(ratings),
        towers.design_flow.shape[1],
        table(EquipmentType.PRIMARY_CHILLED_WATER_PUMP),
        table(EquipmentType.CONDENSER_WATER_PUMP),
    )


class _Hours(NamedTuple):
    """What is given of some hours: (hours,) and (hours, supplies)."""

    wet_bulb: Array
    load: Array
    secondary_power: Array
    secondary_flow: Array
    supplies: Array


class _Tried(NamedTuple):
    """What choices came to."""

    total: Array
    """kW; infinite where it cannot be."""
    solution: Coupled
    chiller_supply: Array
    primary_power: Array
    condenser_power: Array
    secondary_power: Array


def _count(index: Index) -> Array:
    return index.astype(np.float64) + 1.0


def _try(machines: _Machines, hours: _Hours, at: Index, choice: _Choice) -> _Tried:
    """Solve choices; `at` is the hour of each, broadcasting like them."""
    row, supply = choice.row, choice.supply
    primary, condenser = machines.primary, machines.condenser
    number = _count(row)
    secondary_power = hours.secondary_power[at, supply]
    asked = hours.supplies[supply]
    load = hours.load[at, supply]
    secondary = hours.secondary_flow[at, supply]
    moved = number * primary.flow[row, choice.primary]
    # Water that the secondary pumps take beyond it is their own return.
    shortage = np.maximum(secondary - moved, 0.0)
    rise = load / (HEAT_CAPACITY * np.maximum(secondary, 1e-6))
    made = asked - shortage / moved * rise
    flow = condenser.flow[row, choice.condenser]
    solution = solve(
        machines.performance,
        machines.cell,
        load=load + primary.heat[row, choice.primary],
        wet_bulb=hours.wet_bulb[at],
        chillers=number,
        cells=choice.cells,
        fan_speed=choice.fan,
        condenser_flow_ratio=flow / machines.rating.condenser_water_flow,
        supply=made,
        pump_heat=condenser.heat[row, choice.condenser],
    )
    primary_power = primary.power[row, choice.primary]
    condenser_power = condenser.power[row, choice.condenser]
    total = (
        solution.chiller_power
        + solution.fan_power
        + primary_power
        + condenser_power
        + secondary_power
    )
    possible = solution.feasible & (made >= _COLDEST_SUPPLY)
    possible &= flow >= _LEAST_FLOW * machines.rating.condenser_water_flow
    return _Tried(
        np.where(possible, total, np.inf),
        solution,
        made,
        primary_power,
        condenser_power,
        secondary_power,
    )


def _primary_columns(machines: _Machines, hours: _Hours) -> Index:
    """Return speeds (hours, rows, supplies, shares) worth trying."""
    row = np.arange(machines.chillers)[None, :, None, None]
    each = hours.secondary_flow[:, None, :, None] / (row + 1.0)
    least = _LEAST_FLOW * machines.rating.chilled_water_flow
    wanted = np.maximum(each * np.array(_PRIMARY_SHARES), least)
    return machines.primary.column(row, wanted)


def _best(machines: _Machines, hours: _Hours) -> tuple[_Choice, Flags]:
    """Return the best choice of each hour, and whether there is any."""
    count = len(hours.wet_bulb)
    table = machines.condenser
    first = table.least(_LEAST_FLOW * machines.rating.condenser_water_flow)
    last = len(table.speed) - 1
    coarse = np.unique(np.linspace(first, last, _CONDENSER_POINTS).astype(np.intp))
    primary = _primary_columns(machines, hours)
    shape = (count, machines.chillers, machines.cells, *primary.shape[2:])
    hour, row, cells, supply, share = np.ogrid[tuple(slice(n) for n in shape)]
    speeds = primary[hour, row, supply, share]
    tried = _try(
        machines,
        hours,
        hour[..., None, None],
        _Choice(
            row[..., None, None],
            _count(cells[..., None, None]),
            supply[..., None, None],
            speeds[..., None, None],
            coarse,
            _FAN_GRID[:, None],
        ),
    )
    # The best fan and condenser pump of each corner, then the best corners.
    corners = tried.total.reshape(count, -1, len(_FAN_GRID) * len(coarse))
    inner = corners.argmin(axis=2)
    value = np.take_along_axis(corners, inner[..., None], axis=2)[..., 0]
    kept = min(_CORNERS, value.shape[1])
    chosen = np.argpartition(value, kept - 1, axis=1)[:, :kept]
    inner = np.take_along_axis(inner, chosen, axis=1)
    row, cells, supply, share = np.unravel_index(chosen, shape[1:])
    hour = np.arange(count)[:, None]
    fan = _FAN_GRID[inner // len(coarse)]
    condenser = coarse[inner % len(coarse)]
    speeds = primary[hour, row, supply, share]
    for fan_reach, speed_reach in _ZOOMS:
        steps = np.round(_FINE * speed_reach / (table.speed[1] - table.speed[0]))
        fans = np.clip(fan[..., None, None] + fan_reach * _FINE[:, None], LEAST_AIR, 1)
        pumps = np.clip(condenser[..., None, None] + steps.astype(np.intp), 0, last)
        tried = _try(
            machines,
            hours,
            hour[..., None, None],
            _Choice(
                row[..., None, None],
                _count(cells[..., None, None]),
                supply[..., None, None],
                speeds[..., None, None],
                pumps,
                fans,
            ),
        )
        flat = tried.total.reshape(count, kept, -1)
        inner = flat.argmin(axis=2)
        value = np.take_along_axis(flat, inner[..., None], axis=2)[..., 0]
        at_fan, at_pump = inner // len(_FINE), inner % len(_FINE)
        fan = np.take_along_axis(fans[..., 0], at_fan[..., None], axis=2)[..., 0]
        condenser = np.take_along_axis(pumps[:, :, 0, :], at_pump[..., None], axis=2)[
            ..., 0
        ]
    best = value.argmin(axis=1)[:, None]

    def pick(values: NDArray[Any]) -> NDArray[Any]:
        return np.take_along_axis(values, best, axis=1)[:, 0]

    found = np.isfinite(pick(value))
    return (
        _Choice(
            pick(row),
            _count(pick(cells)),
            pick(supply),
            pick(speeds),
            pick(condenser),
            pick(fan),
        ),
        found,
    )


def _full(machines: _Machines, choice: _Choice, found: Flags) -> _Choice:
    """Put everything full on where nothing was found."""
    last = len(machines.condenser.speed) - 1
    return _Choice(
        np.where(found, choice.row, machines.chillers - 1),
        np.where(found, choice.cells, machines.cells),
        np.where(found, choice.supply, 0),
        np.where(found, choice.primary, len(machines.primary.speed) - 1),
        np.where(found, choice.condenser, last),
        np.where(found, choice.fan, 1.0),
    )


def _chunk(machines: _Machines, hours: _Hours) -> Bound:
    choice, found = _best(machines, hours)
    choice = _full(machines, choice, found)
    at = np.arange(len(hours.wet_bulb))
    tried = _try(machines, hours, at, choice)
    secondary = np.where(np.isfinite(tried.secondary_power), tried.secondary_power, 0.0)
    flow = machines.condenser.flow[choice.row, choice.condenser]
    return Bound(
        {
            "chillers": tried.solution.chiller_power,
            "primary_pumps": tried.primary_power,
            "secondary_pumps": secondary,
            "condenser_pumps": tried.condenser_power,
            "towers": tried.solution.fan_power,
        },
        hours.supplies[choice.supply],
        tried.chiller_supply,
        _count(choice.row),
        choice.cells,
        choice.fan,
        machines.condenser.speed[choice.condenser],
        flow / machines.rating.condenser_water_flow,
        _count(choice.row) * machines.primary.flow[choice.row, choice.primary],
        tried.solution.condenser_entering,
        tried.solution.part_load_ratio,
        found,
        tried.solution.clipped,
    )


def _idle(hours: int) -> Bound:
    return Bound(
        power={name: np.zeros(hours) for name in COMPONENTS},
        **{name: np.zeros(hours) for name in _NUMBERS},
        feasible=np.ones(hours, np.bool_),
        clipped=np.zeros(hours, np.bool_),
    )


def bound(
    plant: Plant,
    load: Array,
    wet_bulb: Array,
    *,
    supplies: Array,
    secondary_power: Array,
    secondary_flow: Array,
) -> Bound:
    """Return the least power at which each hour's load can be carried.

    `load` is kW that the secondary return brings to the decoupler, with the
    heat of the secondary pumps; `wet_bulb` (hours,) °C. `supplies` are the
    temperatures, °C, for which `secondary_power` gives kW of the secondary
    pumps, infinite where the coils cannot carry the load with comfort, and
    `secondary_flow` l/s. These and the load are (hours, supplies), or (hours,)
    if the supply makes no difference. Raises ValueError for a plant whose
    chillers, pumps or cells are not alike.
    """
    machines = _machines(plant)
    count, columns = len(wet_bulb), len(supplies)

    def each(values: Array) -> Array:
        values = np.asarray(values, dtype=np.float64)
        by_supply = values if values.ndim == 2 else values[:, None]
        return np.broadcast_to(by_supply, (count, columns))

    given = _Hours(
        np.asarray(wet_bulb, dtype=np.float64),
        each(load),
        each(secondary_power),
        each(secondary_flow),
        np.asarray(supplies, dtype=np.float64),
    )
    result = _idle(count)
    for start in range(0, count, _CHUNK):
        at = np.arange(start, min(start + _CHUNK, count))
        at = at[given.load[at].max(axis=1) > _IDLE]
        if at.size == 0:
            continue
        part = _chunk(
            machines,
            _Hours(
                given.wet_bulb[at],
                given.load[at],
                given.secondary_power[at],
                given.secondary_flow[at],
                given.supplies,
            ),
        )
        for name in COMPONENTS:
            result.power[name][at] = part.power[name]
        for name in (*_NUMBERS, "feasible", "clipped"):
            getattr(result, name)[at] = getattr(part, name)
    return result
