"""What the law of a tower group wants at this moment."""

from dataclasses import dataclass

from .decision import Inputs
from .plan import Plan
from .plant_ratings import Optimum, search_of
from .smart_ct_config import SmartCTConfig
from .smart_ct_readings import SmartCTReadings
from .tower_laws import DESIGN_RANGE, BraunLaw, LiftLaw

LOAD_MOVED = 0.06
"""Share of a chiller's capacity by which a load must move to search anew."""
WET_BULB_MOVED = 0.7


@dataclass(frozen=True, slots=True)
class Aim:
    """What is wanted; speeds and flow in percent, temperature in °C."""

    setpoint: float | None = None
    fan_speed: float | None = None
    """None: the loop finds it."""
    cells: int | None = None
    """None: not the law's to say."""
    flow: float | None = None


class Aims:
    """Asks the law; keeps what a search found until something moves."""

    def __init__(
        self,
        plan: Plan,
        config: SmartCTConfig,
        readings: SmartCTReadings,
        setpoint_command: str | None,
    ) -> None:
        """Work out what follows from the ratings alone."""
        self._config, self._readings = config, readings
        low, high = config.setpoint_minimum, config.setpoint_maximum
        if setpoint_command:
            point = plan.points[setpoint_command]
            low = low if point.low is None else max(low, point.low)
            high = high if point.high is None else min(high, point.high)
        self._limits = (low, high)
        self._lift_law = LiftLaw(
            config.minimum_lift, config.design_return - config.design_supply
        )
        ratings = config.ratings
        self._braun_law = BraunLaw.of(
            config.capacity / ratings.coefficient_of_performance,
            ratings.fan_power * ratings.cells,
        )
        self._model = search_of(ratings) if config.law == "model" else None
        self.aim = Aim()
        self.optimum: Optimum | None = None
        self.search_at = 0.0
        """When it is searched again, if nothing moves before."""
        self._searched: tuple[float, float, int] | None = None

    def clear(self) -> None:
        """Want nothing: no chiller runs."""
        self.aim, self.optimum, self._searched = Aim(), None, None

    def fan_cap(self) -> float:
        """Return the highest fan speed that the law allows, in percent."""
        ratio = self._readings.part_load_ratio
        if self._config.law != "lift" or ratio is None:
            return self._config.fan_maximum
        return self._config.fan_maximum * LiftLaw.fan_cap(ratio)

    def ask(self, now: float, inputs: Inputs, cells: int) -> str | None:
        """Ask the law, `cells` being on; return why it cannot be asked."""
        config, readings = self._config, self._readings
        law = config.law
        why = None
        if law in ("wet_bulb_approach", "model") and readings.wet_bulb is None:
            why = "wet bulb not known"
        elif law in ("lift", "braun", "model") and readings.load is None:
            why = "load not known"
        if why is not None:
            # A setpoint that suits any weather, and all the water there is.
            self.optimum = self._searched = None
            self.aim = Aim(self._within(config.setpoint))
        elif law == "model":
            self._search(now, inputs, cells)
        elif law == "braun":
            self.aim = self._braun(cells)
        else:
            self.aim = Aim(self._setpoint(law))
        if self.aim.fan_speed is None and readings.entering is None:
            return "condenser-water temperature not known"
        return why

    def _within(self, value: float) -> float:
        low, high = self._limits
        return round(min(max(value, low), high), 2)

    def _setpoint(self, law: str) -> float:
        config, readings = self._config, self._readings
        if law == "wet_bulb_approach" and readings.wet_bulb is not None:
            return self._within(readings.wet_bulb + config.approach)
        if law == "lift":
            supply = config.design_supply
            if readings.supply is not None:
                supply = readings.supply
            lift = self._lift_law.lift(readings.part_load_ratio or 0.0)
            water_range = readings.range
            if water_range is None:
                water_range = 0.5 * DESIGN_RANGE
            return self._within(supply + lift - max(0.0, water_range))
        return self._within(config.setpoint)

    def _braun(self, cells: int) -> Aim:
        config = self._config
        load = self._readings.load or 0.0
        air = self._braun_law.air_flow(load / config.capacity)
        on = cells or len(self._readings.running)
        speed = 100.0 * air * len(config.cells) / max(1, on)
        return Aim(fan_speed=min(max(speed, config.fan_minimum), config.fan_maximum))

    def _search(self, now: float, inputs: Inputs, cells: int) -> None:
        """Look for the optimum where something has moved, or it is time."""
        config, readings = self._config, self._readings
        load, wet, count = readings.load, readings.wet_bulb, len(readings.running)
        assert load is not None and wet is not None
        if readings.starting and self.optimum is not None:
            # Between two stages the load says nothing.
            return
        if self._searched is not None and now < self.search_at:
            old_load, old_wet, old_count = self._searched
            moved = abs(load - old_load) > LOAD_MOVED * config.ratings.capacity
            moved = moved or abs(wet - old_wet) > WET_BULB_MOVED
            if old_count == count and not moved:
                return
        # The model's chillers are alike: these are as loaded as the real ones.
        ratio = readings.part_load_ratio
        alike = load if ratio is None else ratio * count * config.ratings.capacity
        best = self._best(alike, wet, count, self._possible(inputs, count))
        if cells != best.cells and cells >= count:
            # Cells are changed only for something.
            same = self._best(alike, wet, count, (cells,))
            most = best.power * (1.0 + config.minimum_saving / 100.0)
            if same.feasible and same.power <= most:
                best = same
        self.optimum = best
        self._searched = (load, wet, count)
        self.search_at = now + config.optimise_interval
        self.aim = Aim(
            self._within(best.entering),
            100.0 * best.fan_speed,
            best.cells if config.drives_cells else None,
            100.0 * best.condenser_flow,
        )

    def _best(
        self, load: float, wet: float, count: int, cells: tuple[int, ...]
    ) -> Optimum:
        supply = self._readings.supply
        if supply is None:
            supply = self._config.design_supply
        assert self._model is not None
        return self._model.best_near(load, wet, supply, count, cells)

    def _possible(self, inputs: Inputs, chillers: int) -> tuple[int, ...]:
        """Return how many cells may run: at least one a chiller."""
        config = self._config
        if not config.drives_cells:
            running = [c for c in config.cells if self._readings.runs(c, inputs)]
            return (max(1, len(running)),)
        most = max(1, sum(not inputs.on(cell.alarm) for cell in config.cells))
        return tuple(range(min(chillers, most), most + 1))
