"""Which way a reset goes between warm water at little pressure and the opposite.

Guideline 36-2021 §5.20.5 goes one way: all the pressure first, then colder
water. That is the cheaper way while pumps take little: a kelvin is worth 2 to
3 % of the chillers' power. But a coil does with about 10 % less water for each
kelvin that its water is colder, and pumps then take about 30 % less. So where
the pumps take more than 2 % / 30 % = 7 % of the chillers' power, colder water
is the cheaper answer; 5 % for the pumps that hold the pressure, since primary
pumps follow them. That is where the pressure stops: at a *knee*, from which the
water gets colder, and only when it is coldest does the pressure go on.

The knee is found by itself, slowly, while there is something to exchange.
"""

from collections.abc import Mapping
from typing import Any

from .decision import Inputs
from .plan import Plan
from .staging_conditions import AVERAGING_TIME, WATER_KJ_PER_LITRE_KELVIN, RollingMean

TRAVEL_TIME = 1800.0
"""Seconds in which the knee goes through the whole range, at most."""
NEAR = 0.1
"""Of the wanted share of power: nearer than this the knee stays."""
_TYPICAL_COP = 5.8


class ResetPath:
    """The way through pressures and temperatures; shares 0 to 1, reset in %.

    Each per cent of the reset moves either the pressure or the temperature, so
    that a reset is the sum of both, wherever the knee is.
    """

    def __init__(self, split: float) -> None:
        """Take what share of the reset, in %, is the pressure's."""
        self.split = split
        self.knee = 1.0
        """Share of the pressure from which the water gets colder first."""

    def at(self, reset: float) -> tuple[float, float]:
        """Return how cold and how hard pumped it is, 0 to 1 each."""
        for_cold = 100.0 - self.split
        before = self.knee * self.split
        cold = min(max(reset - before, 0.0), for_cold)
        pressure = min(reset, before) + max(reset - before - for_cold, 0.0)
        return (
            cold / for_cold if for_cold > 0 else 1.0,
            pressure / self.split if self.split > 0 else 1.0,
        )

    def reset_of(self, cold: float | None, pressure: float | None) -> float | None:
        """Return the reset that these mean; None for what is not known.

        Colder water means a pressure of at least the knee: too high a reset
        costs a little for a while, too low a one costs comfort.
        """
        if cold is not None and (cold > 0 or pressure is None):
            pressure = max(self.knee, pressure or 0.0)
        if pressure is None:
            return None
        return self.split * pressure + (100.0 - self.split) * (cold or 0.0)

    def trade(self, seconds: float, reset: float, share: float, wanted: float) -> None:
        """Move the knee by what share of the chillers' power the pumps take."""
        cold, pressure = self.at(reset)
        excess = share / wanted - 1.0
        if abs(excess) <= NEAR:
            return
        step = min(max(excess, -1.0), 1.0) * seconds / TRAVEL_TIME
        if excess > 0 and cold < 1.0:
            # Not below what is pumped: there is nothing to exchange there yet.
            self.knee = max(min(self.knee, pressure) - step, 0.0)
        elif excess < 0 and cold > 0.0:
            self.knee = min(self.knee - step, 1.0)

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on from a report; raises TypeError, ValueError."""
        self.knee = min(max(float(data.get("knee", 1.0)), 0.0), 1.0)


class PumpingShare:
    """What share of the chillers' power the pumps take that hold the pressure.

    Both as the ratings have it: pumps by the cube of their speeds, chillers by
    the heat that the water brings back. The optimum is flat, meters would not
    make it better.
    """

    def __init__(self, plan: Plan, chillers: tuple[str, ...]) -> None:
        """Find the pumps: the secondary ones, or where there are none the primary."""
        pumps = plan.of_type("secondary_chilled_water_pump") or plan.of_type(
            "primary_chilled_water_pump"
        )
        self._pumps = tuple(
            (
                pump.point("run_status") or pump.point("run_command"),
                pump.point("speed") or pump.point("speed_command"),
                pump.ratings.get("power", 0.0),
            )
            for pump in pumps
        )
        plant = plan.of_type("plant")[0]
        self._water = tuple(
            plant.point(role)
            for role in (
                "chilled_water_flow",
                "chilled_water_return_temperature",
                "chilled_water_supply_temperature",
            )
        )
        rated = [
            plan.equipment[key].ratings.get("coefficient_of_performance", 0.0)
            for key in chillers
        ]
        known = [value for value in rated if value > 0]
        self._cop = sum(known) / len(known) if known else _TYPICAL_COP
        self._mean = RollingMean(AVERAGING_TIME)
        self.is_known = (
            bool(self._pumps)
            and all(speed and power > 0 for _, speed, power in self._pumps)
            and None not in self._water
        )
        """Whether the plant file says what it takes."""
        self.points = frozenset(
            point
            for run, speed, _ in self._pumps
            for point in (run, speed)
            if point is not None and self.is_known
        ) | frozenset(point for point in self._water if point and self.is_known)

    def observe(self, now: float, inputs: Inputs) -> float | None:
        """Return the share in %, mean of five minutes; None while not known."""
        if not self.is_known:
            return None
        flow, back, supply = (inputs.number(point) for point in self._water)
        if flow is None or back is None or supply is None:
            self._mean.clear()
            return None
        power = 0.0
        for run, speed, rated in self._pumps:
            value = inputs.number(speed)
            if inputs.on(run) is False:
                continue
            if value is None:
                self._mean.clear()
                return None
            power += rated * (value / 100.0) ** 3
        load = flow * WATER_KJ_PER_LITRE_KELVIN * (back - supply)
        if load <= 0:
            self._mean.clear()
            return None
        return self._mean.add(now, 100.0 * power * self._cop / load)
