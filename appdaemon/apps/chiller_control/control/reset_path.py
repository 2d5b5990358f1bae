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
"""Price nearer to 1 than this: the knee stays."""
_OUT_OF_QUESTION = 2.0
_NEARLY = 0.95
"""Of the flow of the running chillers, from which the pressure goes no further."""
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

    def trade(self, seconds: float, reset: float, price: float) -> None:
        """Move the knee; at a `price` of 1 pressure costs what colder water does."""
        cold, pressure = self.at(reset)
        if abs(price - 1.0) <= NEAR:
            return
        step = min(max(price - 1.0, -1.0), 1.0) * seconds / TRAVEL_TIME
        if step > 0 and cold < 1.0:
            # From what is pumped: above it there is nothing to exchange.
            self.knee = max(min(self.knee, pressure) - step, 0.0)
        elif step < 0 and cold > 0.0:
            self.knee = min(self.knee - step, 1.0)

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on from a report; raises TypeError, ValueError."""
        self.knee = min(max(float(data.get("knee", 1.0)), 0.0), 1.0)


class PressurePrice:
    """What pressure costs, over what colder water would cost instead.

    Power as the ratings have it: pumps by the cube of their speeds, chillers by
    the heat that the water brings back. The optimum is flat, meters would not
    make it better. And whatever it costs, more water than the primary pumps
    bring is worth nothing: it is the building's own return.
    """

    def __init__(self, plan: Plan, chillers: tuple[str, ...], worth: float) -> None:
        """Find the pumps; they are worth so many % of the chillers' power."""
        secondary = plan.of_type("secondary_chilled_water_pump")
        pumps = secondary or plan.of_type("primary_chilled_water_pump")
        self._worth = worth
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
        plates = {key: plan.equipment[key].ratings for key in chillers}
        cops = [
            value
            for plate in plates.values()
            if (value := plate.get("coefficient_of_performance", 0.0)) > 0
        ]
        self._cop = sum(cops) / len(cops) if cops else _TYPICAL_COP
        flows = {
            key: plate.get("chilled_water_flow", 0.0) for key, plate in plates.items()
        }
        self._flows = flows if secondary and all(flows.values()) else {}
        self._mean = RollingMean(AVERAGING_TIME)
        self.share: float | None = None
        """% of the chillers' power that these pumps take; None: not known."""
        self.short = False
        """Whether more water is taken than the primary pumps bring."""
        self.is_known = (
            bool(self._pumps)
            and all(speed and power > 0 for _, speed, power in self._pumps)
            and None not in self._water
        )
        """Whether the plant file says what it takes."""
        wanted = {*self._water, *(point for pump in self._pumps for point in pump[:2])}
        self.points = frozenset(
            point for point in wanted if point is not None and self.is_known
        )

    def observe(
        self, now: float, inputs: Inputs, running: Mapping[str, bool]
    ) -> float | None:
        """Return the price, None while it is not known."""
        self.share, self.short = None, False
        if not self.is_known:
            return None
        flow, back, supply = (inputs.number(point) for point in self._water)
        power = self._power(inputs)
        load = 0.0
        if flow is not None and back is not None and supply is not None:
            load = flow * WATER_KJ_PER_LITRE_KELVIN * (back - supply)
        if flow is None or power is None or load <= 0:
            self._mean.clear()
            return None
        self.share = self._mean.add(now, 100.0 * power * self._cop / load)
        price = self.share / self._worth
        most = sum(flow for key, flow in self._flows.items() if running.get(key))
        if most > 0 and flow > most:
            self.short = True
            return max(price, _OUT_OF_QUESTION)
        return max(price, 1.0) if most > 0 and flow > _NEARLY * most else price

    def _power(self, inputs: Inputs) -> float | None:
        total = 0.0
        for run, speed, rated in self._pumps:
            if inputs.on(run) is False:
                continue
            value = inputs.number(speed)
            if value is None:
                return None
            total += rated * (value / 100.0) ** 3
        return total
