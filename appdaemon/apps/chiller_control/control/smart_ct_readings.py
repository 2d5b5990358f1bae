"""What a tower group knows of its plant at this moment, and since when.

A reading that is not good is replaced by what else tells the same, then by
what it last was, for a while; what was done is said in `notes`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from .decision import Inputs
from .plan import Plan, PlanEquipment
from .smart_ct_config import Drive, SmartCTConfig
from .staging_conditions import AVERAGING_TIME, RollingMean, capacity_requirement
from .tower_laws import wet_bulb

REMEMBERED = 1800.0
"""Seconds for which a wet bulb or a load that is lost is still believed."""
LONGEST_START = 1800.0
"""Seconds after which a chiller that does not run is not starting any more."""


class _Remembered:
    """A value, and when it was last known."""

    def __init__(self) -> None:
        self.value: float | None = None
        self.at = 0.0

    def take(self, now: float, value: float | None) -> tuple[float | None, bool]:
        """Return the value, or what it last was; and whether it is remembered."""
        if value is not None:
            self.value, self.at = value, now
            return value, False
        if self.value is not None and 0 <= now - self.at <= REMEMBERED:
            return self.value, True
        self.value = None
        return None, True


class SmartCTReadings:
    """The readings of one group; `observe` brings them up to date."""

    def __init__(self, plan: Plan, config: SmartCTConfig) -> None:
        """Find the points."""
        self._config = config
        plants = plan.of_type("plant")
        self._plant = plants[0] if plants else None
        self._chillers = tuple(
            (
                item,
                item.point("run_status") or item.point("run_command"),
                item.point("run_command"),
                item.point("load"),
                item.ratings.get("cooling_capacity", 0.0),
            )
            for item in config.chillers
        )

        def station(role: str) -> str | None:
            for item in plan.of_type("weather_station"):
                if (point := item.point(role)) is not None:
                    return point
            return None

        self._wet_bulb_point = station("wet_bulb_temperature")
        self._outdoor_point = station("outdoor_temperature")
        self._humidity_point = station("relative_humidity")
        self._supply_point = self._of_plant("chilled_water_supply_temperature")
        self._return_point = self._of_plant("chilled_water_return_temperature")
        self._flow_point = self._of_plant("chilled_water_flow")
        self._setpoint_point = self._of_plant(
            "chilled_water_supply_temperature_setpoint"
        )
        self._entering_point = self._of_plant("condenser_water_supply_temperature")
        self._leaving_point = self._of_plant("condenser_water_return_temperature")
        self._leaving_points = _points(
            config.chillers, "condenser_water_leaving_temperature"
        )
        self._entering_points = _points(
            config.chillers, "condenser_water_entering_temperature"
        )
        self._drives = (*config.cells, *config.pumps)
        self.points = self._all_points()
        self._wet_bulb = _Remembered()
        self._load = _Remembered()
        self._runs: dict[str, bool] = {}
        self._range = RollingMean(AVERAGING_TIME)
        self._starting_since: float | None = None
        self.notes: list[str] = []
        self.running: tuple[PlanEquipment, ...] = ()
        self.starting = False
        """Whether a chiller is being started."""
        self.wet_bulb: float | None = None
        self.load: float | None = None
        """kW of all chillers."""
        self.part_load_ratio: float | None = None
        """Of the running chillers."""
        self.supply: float | None = None
        """Chilled water that the chillers are to make, °C."""
        self.entering: float | None = None
        """Condenser water from the towers."""
        self.leaving: float | None = None
        """Condenser water to the towers."""
        self.lift: float | None = None
        self.range: float | None = None
        """Mean of leaving less entering condenser water over five minutes."""

    def _of_plant(self, role: str) -> str | None:
        return self._plant.point(role) if self._plant else None

    def _all_points(self) -> frozenset[str]:
        wanted: set[str | None] = {
            self._wet_bulb_point,
            self._outdoor_point,
            self._humidity_point,
            self._supply_point,
            self._return_point,
            self._flow_point,
            self._setpoint_point,
            self._entering_point,
            self._leaving_point,
            *self._leaving_points.values(),
            *self._entering_points.values(),
        }
        for _, status, command, load, _ in self._chillers:
            wanted.update((status, command, load))
        for drive in self._drives:
            wanted.update(drive.points)
        return frozenset(point for point in wanted if point)

    def observe(self, now: float, inputs: Inputs) -> None:
        """Read everything."""
        self.notes.clear()
        number = inputs.number
        running = []
        starting = False
        for item, status, command, _, _ in self._chillers:
            runs = inputs.on(status)
            if runs is None:
                # Silence is not a stop.
                runs = self._runs.get(item.key, False)
            self._runs[item.key] = runs
            if runs:
                running.append(item)
            elif inputs.on(command):
                starting = True
        if not starting:
            self._starting_since = None
        elif self._starting_since is None:
            self._starting_since = now
        since = self._starting_since
        self.starting = since is not None and now - since < LONGEST_START
        if len(running) != len(self.running):
            self._range.clear()
        self.running = tuple(running)
        self._take_wet_bulb(now, inputs)
        self._take_load(now, inputs)
        self.supply = number(self._setpoint_point)
        chilled = number(self._supply_point)
        if self.supply is None:
            self.supply = chilled
        self.entering = number(self._entering_point)
        if self.entering is None:
            self.entering = self._of_running(inputs, self._entering_points)
        self.leaving = number(self._leaving_point)
        if self.leaving is None:
            self.leaving = self._of_running(inputs, self._leaving_points)
        self.lift = (
            None if self.leaving is None or chilled is None else self.leaving - chilled
        )
        if self.leaving is None or self.entering is None or not running:
            self.range = None
        else:
            self.range = self._range.add(now, self.leaving - self.entering)

    def _of_running(self, inputs: Inputs, points: Mapping[str, str]) -> float | None:
        values = [
            value
            for item in self.running
            if (value := inputs.number(points.get(item.key))) is not None
        ]
        return max(values, default=None)

    def _take_wet_bulb(self, now: float, inputs: Inputs) -> None:
        value = inputs.number(self._wet_bulb_point)
        if value is None:
            outdoor = inputs.number(self._outdoor_point)
            humidity = inputs.number(self._humidity_point)
            if outdoor is not None and humidity is not None:
                value = wet_bulb(outdoor, humidity)
                self.notes.append("wet bulb from temperature and humidity")
        self.wet_bulb, old = self._wet_bulb.take(now, value)
        if old:
            known = "as it last was" if self.wet_bulb is not None else "not known"
            self.notes.append(f"wet bulb {known}")

    def _take_load(self, now: float, inputs: Inputs) -> None:
        """Take the load from what the chillers say, else from the water."""
        total, capacity = 0.0, 0.0
        said = bool(self.running)
        for item, _, _, point, rated in self._chillers:
            if not self._runs[item.key]:
                continue
            capacity += rated
            percent = inputs.number(point)
            if percent is None:
                said = False
            else:
                total += percent / 100.0 * rated
        value = (
            total
            if said
            else capacity_requirement(
                inputs.number(self._flow_point),
                inputs.number(self._return_point),
                inputs.number(self._supply_point),
            )
        )
        if not self.running:
            value = 0.0
        self.load, old = self._load.take(now, value)
        if old:
            known = "as it last was" if self.load is not None else "not known"
            self.notes.append(f"load {known}")
        self.part_load_ratio = (
            None if self.load is None or capacity <= 0 else self.load / capacity
        )

    def runs(self, drive: Drive, inputs: Inputs) -> bool:
        """Whether a fan or pump runs, as last known."""
        value = inputs.on(drive.status)
        if value is None:
            value = self._runs.get(drive.key, False)
        self._runs[drive.key] = value
        return value

    def resume(self) -> dict[str, object]:
        """Return what must outlive a restart; JSON types."""
        return {
            "wet_bulb": [self._wet_bulb.value, self._wet_bulb.at],
            "load": [self._load.value, self._load.at],
            "runs": dict(self._runs),
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on from `resume`; raises KeyError, TypeError, ValueError."""
        for memory, (value, at) in (
            (self._wet_bulb, data["wet_bulb"]),
            (self._load, data["load"]),
        ):
            memory.value = None if value is None else float(value)
            memory.at = float(at)
        self._runs = {key: bool(runs) for key, runs in data["runs"].items()}


def _points(items: Iterable[PlanEquipment], role: str) -> dict[str, str]:
    return {
        item.key: point for item in items if (point := item.point(role)) is not None
    }
