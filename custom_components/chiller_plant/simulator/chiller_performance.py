"""How much a chiller can cool, and what that takes, in steady operation.

DOE-2's electric chiller as EnergyPlus has it: three curves of a machine
(`curve_sets`), scaled by its name plate. Everything broadcasts: the last axis
is the machine, any axes before it are operating points or scenarios.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

import numpy as np

from .arrays import Array, Flags
from .curve_sets import Model, curve_set
from .water import HEAT_CAPACITY

_BEYOND_RANGE = 0.025
"""Rise of input for each kelvin of condenser water above the curves' range.

A safety, not a measurement, and always flagged: without it hotter water would
cost nothing there, and a controller would learn to boil its condensers."""

_LEAST_FLOW = 0.05
"""Share of the rated condenser flow below which a fixed point means nothing."""

_EVALUATIONS = 6
_CONVERGED = 1e-6
"""Share of the power."""

_STEEPEST = 0.9
"""Bound of the secant's slope, where clipped curves have kinks."""


@dataclass(frozen=True, slots=True)
class ChillerRating:
    """Name-plate data: kW, dimensionless and l/s; the defaults are one machine.

    A `minimum_load_ratio` below the range of the curves is taken as their least:
    what the machine does under that, nobody has published. ValueError for a
    plate that no machine can have.
    """

    capacity: float = 1407.0
    coefficient_of_performance: float = 6.04
    chilled_water_flow: float = 60.57
    condenser_water_flow: float = 75.71
    minimum_load_ratio: float = 0.2
    curves: str = "carrier_19xr_1407_vsd"
    model: Model = "reformulated"

    def __post_init__(self) -> None:
        """Refuse what would divide by nothing."""
        for name in (
            "capacity",
            "coefficient_of_performance",
            "chilled_water_flow",
            "condenser_water_flow",
            "minimum_load_ratio",
        ):
            value = getattr(self, name)
            if not 0.0 < value < inf:
                raise ValueError(f"a chiller cannot have a {name} of {value}")


def published_rating(curves: str, model: Model = "reformulated") -> ChillerRating:
    """Return the name plate of the very machine whose curves these are."""
    fit = curve_set(curves, model)
    return ChillerRating(
        fit.capacity_kw,
        fit.coefficient_of_performance,
        fit.chilled_water_flow,
        fit.condenser_water_flow,
        fit.part_load_range[0],
        curves,
        model,
    )


class FullLoad(NamedTuple):
    """What two water temperatures make of a machine."""

    capacity: Array
    """kW of cooling at full load."""

    power: Array
    """kW taken at full load."""

    condenser: Array
    """Condenser water that the part-load curve is asked for, °C."""

    clipped: Flags


class PartLoad(NamedTuple):
    """What a load makes of it."""

    power: Array
    part_load_ratio: Array
    """Load as a share of the available capacity; above the maximum if asked."""

    cycling_ratio: Array
    """Share of the time that it runs at its least load; 1 above that."""

    clipped: Flags


class Solution(NamedTuple):
    """A steady operating point."""

    power: Array
    condenser_leaving: Array
    part_load_ratio: Array
    cycling_ratio: Array
    clipped: Flags


class ChillerPerformance:
    """Curves of machines side by side."""

    def __init__(
        self, ratings: Sequence[ChillerRating], scenarios: int | None = None
    ) -> None:
        """Take the name plates in order; ValueError for unknown curves.

        Plates have the shape (machines,), or (scenarios, machines) if asked: the
        same in each row, for arrays of one shape meet three times as fast.
        """
        fits = [curve_set(rating.curves, rating.model) for rating in ratings]

        def each(values: Sequence[float]) -> Array:
            row = np.array(values, dtype=np.float64)
            return row if scenarios is None else np.tile(row, (scenarios, 1))

        def columns(rows: Sequence[Sequence[float]]) -> tuple[Array, ...]:
            return tuple(each(column) for column in zip(*rows, strict=True))

        self.capacity = each([rating.capacity for rating in ratings])
        self.coefficient_of_performance = each(
            [rating.coefficient_of_performance for rating in ratings]
        )
        self.chilled_water_flow = each(
            [rating.chilled_water_flow for rating in ratings]
        )
        self.condenser_water_flow = each(
            [rating.condenser_water_flow for rating in ratings]
        )
        self.minimum_load_ratio = each(
            [
                max(rating.minimum_load_ratio, fit.part_load_range[0])
                for rating, fit in zip(ratings, fits, strict=True)
            ]
        )
        self.maximum_load_ratio = each([fit.part_load_range[1] for fit in fits])
        self.motor_efficiency = each([fit.motor_efficiency for fit in fits])
        self.sees_leaving = each([float(fit.kind == "reformulated") for fit in fits])
        """1 where the curves ask for leaving condenser water, 0 for entering."""

        self.rated_power = self.capacity / self.coefficient_of_performance
        self._capacity = columns([fit.capacity for fit in fits])
        self._input_ratio = columns([fit.input_ratio for fit in fits])
        self._part_load = columns([_ten(fit.part_load) for fit in fits])
        self._supply = columns([fit.supply_range for fit in fits])
        self._condenser = columns([fit.condenser_range for fit in fits])
        self._part_load_condenser = columns(
            [fit.part_load_condenser_range for fit in fits]
        )

    def full_load(self, supply: Array, condenser: Array) -> FullLoad:
        """Return capacity and power at these water temperatures, °C.

        `supply` leaves the evaporator; `condenser` is what the curves of each
        machine ask for, entering or leaving, with any fouling added.
        """
        x = np.minimum(np.maximum(supply, self._supply[0]), self._supply[1])
        y = np.minimum(np.maximum(condenser, self._condenser[0]), self._condenser[1])
        z = np.minimum(
            np.maximum(condenser, self._part_load_condenser[0]),
            self._part_load_condenser[1],
        )
        clipped = (x != supply) | (y != condenser) | (z != condenser)
        share = _biquadratic(self._capacity, x, y)
        input_ratio = _biquadratic(self._input_ratio, x, y)
        beyond = np.maximum(condenser - self._condenser[1], 0.0)
        beyond *= _BEYOND_RANGE
        beyond += 1.0
        return FullLoad(
            self.capacity * share,
            self.rated_power * share * input_ratio * beyond,
            z,
            clipped,
        )

    def part_load(self, full: FullLoad, load: Array) -> PartLoad:
        """Return the power in kW that `load` kW take of a machine like this.

        Below its least load a machine cycles; a load beyond the greatest costs
        what the greatest costs, and is flagged.
        """
        ratio = load / full.capacity
        p = np.minimum(
            np.maximum(ratio, self.minimum_load_ratio), self.maximum_load_ratio
        )
        cycling = np.minimum(ratio / self.minimum_load_ratio, 1.0)
        power = _bicubic(self._part_load, full.condenser, p)
        power *= full.power
        power *= cycling
        return PartLoad(
            power, ratio, cycling, full.clipped | (ratio > self.maximum_load_ratio)
        )

    def available_capacity(
        self, supply: Array, condenser: Array
    ) -> tuple[Array, Flags]:
        """Return the full-load capacity in kW, and where curves were clipped."""
        full = self.full_load(supply, condenser)
        return full.capacity, full.clipped

    def power(
        self,
        load: Array,
        supply: Array,
        condenser_entering: Array,
        condenser_flow: Array,
        fouling: Array | float = 0.0,
    ) -> Solution:
        """Return the steady point at `load` kW; °C, l/s, fouling in kelvin.

        Leaving condenser water depends on the power and the power on it: found
        by a secant from the rated COP, at most six evaluations of the curves.
        """
        least = _LEAST_FLOW * self.condenser_water_flow
        carried = HEAT_CAPACITY * np.maximum(condenser_flow, least)
        seen = condenser_entering + fouling
        per_heat = self.sees_leaving / carried
        power = load / self.coefficient_of_performance
        before, found_before = power, power
        for turn in range(_EVALUATIONS):
            heat = load + self.motor_efficiency * power
            point = self.part_load(self.full_load(supply, seen + per_heat * heat), load)
            error = point.power - power
            if np.all(np.abs(error) <= _CONVERGED * point.power):
                break
            following = point.power
            if turn > 0:
                moved = power - before
                slope = np.divide(
                    point.power - found_before,
                    moved,
                    out=np.zeros_like(moved),
                    where=np.abs(moved) > _CONVERGED * point.power,
                )
                slope = np.minimum(np.maximum(slope, -_STEEPEST), _STEEPEST)
                following = power + error / (1.0 - slope)
            before, found_before, power = power, point.power, following
        leaving = (
            condenser_entering + (load + self.motor_efficiency * point.power) / carried
        )
        return Solution(
            point.power,
            leaving,
            point.part_load_ratio,
            point.cycling_ratio,
            point.clipped | (condenser_flow < least),
        )


def _ten(coefficients: tuple[float, ...]) -> tuple[float, ...]:
    """Write a quadratic in p as the bicubic in x and p that it is."""
    if len(coefficients) == 10:
        return coefficients
    constant, linear, square = coefficients
    return (constant, 0.0, 0.0, linear, square, 0.0, 0.0, 0.0, 0.0, 0.0)


def _biquadratic(c: tuple[Array, ...], x: Array, y: Array) -> Array:
    value: Array = c[0] + x * (c[1] + c[2] * x) + y * (c[3] + c[4] * y + c[5] * x)
    return value


def _bicubic(c: tuple[Array, ...], x: Array, p: Array) -> Array:
    constant = c[0] + x * (c[1] + x * (c[2] + x * c[6]))
    linear = c[3] + x * (c[5] + x * c[8])
    value: Array = constant + p * (linear + p * (c[4] + c[9] * x + p * c[7]))
    return value
