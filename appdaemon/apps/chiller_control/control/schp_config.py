"""The form of a group of secondary chilled-water pumps, checked against the plant.

A group is the pumps that move the water of some zones through one main. All of
them have drives, or none has: a pump at full speed beside slow ones takes
their flow away, so pumps of two types are two groups.
"""

from dataclasses import dataclass

from .decision import ControlRefused, Inputs
from .pid import PidSettings
from .plan import Plan, PlanAutomation, PlanEquipment, PlanPoint

PUMP_TYPE = "secondary_chilled_water_pump"
_PRESSURE = "chilled_water_differential_pressure"
_WATER_SOURCES = ("chiller", "primary_chilled_water_pump")


@dataclass(frozen=True, slots=True)
class Pump:
    """A pump of the group; points by key, None where it has none."""

    key: str
    name: str
    run: str
    status: str | None
    alarm: str | None
    remote_mode: str | None
    speed_command: PlanPoint | None
    speed: str | None
    """Where its speed can be seen."""
    run_hours: str | None
    """Run hours since they were last set back, which decide who is next."""

    @property
    def points(self) -> tuple[str, ...]:
        """All that is read of it."""
        wanted = (
            self.run,
            self.status,
            self.alarm,
            self.remote_mode,
            self.speed,
            self.run_hours,
            self.speed_command.key if self.speed_command else None,
        )
        return tuple(point for point in wanted if point is not None)

    def proven(self, inputs: Inputs) -> bool | None:
        """Whether it reports that it runs; None if not known.

        Without a status its command as read back from the device stands in.
        """
        return inputs.on(self.status or self.run)


@dataclass(frozen=True, slots=True)
class Sensor:
    """A differential pressure, and the point of its setpoint if it has one."""

    point: str
    setpoint: str | None


class SCHPConfig:
    """What one automation was told; pressures in kPa, speeds in %, times in s."""

    def __init__(self, plan: Plan, automation: PlanAutomation) -> None:
        """Check the form; raise ControlRefused if it cannot be run."""
        self.pumps = _pumps(plan, automation)
        self.variable_speed = self.pumps[0].speed_command is not None
        number = automation.number
        setpoints = automation.names("setpoint_points")
        self.setpoint = None if setpoints else number("setpoint", minimum=0)
        self.sensors = _sensors(plan, automation, self.pumps, setpoints)
        chosen = automation.names("enable")
        self.enable = tuple(
            _known(plan, key, "enable").key for key in chosen
        ) or _water_sources(plan)
        plant = {item.point("enable_command") for item in plan.of_type("plant")}
        self.follows_plant = not chosen or not plant.isdisjoint(chosen)
        """Whether the pumps are wanted when the plant is, and not by something else."""
        self.why_on = "enabled" if chosen else "chilled water is made"
        self.why_off = "not enabled" if chosen else "no chilled water is made"
        if not self.enable:
            raise ControlRefused(
                "nothing says when there is water to pump: choose what enables the pumps",
                "enable",
            )
        standby = number("standby_pumps", 0, minimum=0, maximum=len(self.pumps) - 1)
        self.design_pumps = len(self.pumps) - int(standby)
        self.flow = _flow(plan, automation, self.pumps)
        self.design_flow = _design_flow(
            plan, automation, self.pumps, self.design_pumps, metered=bool(self.flow)
        )
        self.rated_head = _rated_head(plan, self.pumps)
        self.estimates_flow = (
            self.flow is None and self.rated_head > 0 and self.design_flow > 0
        )
        self.counts_flow = self.flow is not None or self.estimates_flow
        self.loop = _loop(automation, self.pumps)
        self.interval = number("interval", 5, minimum=0.1)
        self.fallback_speed = number("fallback_speed", 70, minimum=0, maximum=100)
        self.flow_offset = number("flow_offset", 3, minimum=0, maximum=30)
        self.flow_hold = number("flow_hold", 600, minimum=0)
        self.failsafe_pressure = number("failsafe_pressure", 10, minimum=0)
        self.failsafe_hold = number("failsafe_hold", 300, minimum=0)
        # A lowest speed above the rule's 40 % would keep a pump on for ever.
        self.low_speed = max(
            number("low_speed", 40, minimum=0, maximum=100),
            self.loop.output_minimum + 5,
        )
        self.proof_timeout = number("proof_timeout", 120, minimum=1)
        self.rotation_hours = number("rotation_hours", 48, minimum=0)


def _pumps(plan: Plan, automation: PlanAutomation) -> tuple[Pump, ...]:
    keys = automation.names("outputs")
    if not keys:
        raise ControlRefused("no pump is chosen", "pumps")
    pumps = []
    for key in dict.fromkeys(keys):
        equipment = plan.equipment.get(key)
        if equipment is None or equipment.type != PUMP_TYPE:
            raise ControlRefused(
                f"pumps: {plan.name(key)} is no secondary chilled-water pump",
                "pumps",
            )
        pumps.append(_pump(equipment))
    with_drive = [pump for pump in pumps if pump.speed_command is not None]
    if 0 < len(with_drive) < len(pumps):
        without = next(pump for pump in pumps if pump.speed_command is None)
        raise ControlRefused(
            f"{with_drive[0].name} has a speed to set and {without.name} has none: "
            "make one automation for each type",
            "pumps",
        )
    return tuple(pumps)


def _pump(equipment: PlanEquipment) -> Pump:
    run = equipment.command("run_command")
    if run is None:
        raise ControlRefused(f"{equipment.name} has no run_command to set", "pumps")
    speed = equipment.points.get("speed_command")
    return Pump(
        key=equipment.key,
        name=equipment.name,
        run=run,
        status=equipment.point("run_status"),
        alarm=equipment.point("alarm"),
        remote_mode=equipment.point("remote_mode"),
        speed_command=speed if speed is not None and speed.writable else None,
        speed=equipment.point("speed") or equipment.point("speed_command"),
        run_hours=equipment.point("staging_run_hours"),
    )


def _sensors(
    plan: Plan,
    automation: PlanAutomation,
    pumps: tuple[Pump, ...],
    setpoints: tuple[str, ...],
) -> tuple[Sensor, ...]:
    """Pair each sensor with the chosen setpoint of its own zone, or the only one."""
    chosen = automation.names("sensors") or _sensors_of_zones(plan, pumps)
    if not chosen:
        raise ControlRefused("no differential-pressure sensor is chosen", "sensors")
    of_equipment = {}
    for key in setpoints:
        point = _known(plan, key, "setpoint_points")
        if point.boolean:
            raise ControlRefused(
                f"setpoint_points: {key} is not a number", "setpoint_points"
            )
        of_equipment[key.partition(".")[0]] = key
    sensors = []
    for key in dict.fromkeys(chosen):
        if _known(plan, key, "sensors").boolean:
            raise ControlRefused(f"sensors: {key} is not a measurement", "sensors")
        setpoint = of_equipment.get(key.partition(".")[0])
        if setpoint is None and len(setpoints) == 1:
            setpoint = setpoints[0]
        if setpoint is None and setpoints:
            raise ControlRefused(
                f"none of the setpoints chosen belongs to {key}",
                "setpoint_points",
                "sensors",
            )
        sensors.append(Sensor(key, setpoint))
    return tuple(sensors)


def _sensors_of_zones(plan: Plan, pumps: tuple[Pump, ...]) -> tuple[str, ...]:
    """Return the sensors at the zones that these pumps serve, else the plant's."""
    keys = {pump.key for pump in pumps}
    found = [
        zone.point(_PRESSURE)
        for zone in plan.of_type("zone")
        if keys & set(zone.served_by.get("chilled_water_pumps", ()))
        or ("chilled_water_pumps" not in zone.served_by and _is_all(plan, pumps))
    ]
    points = tuple(point for point in found if point is not None)
    return points or tuple(
        point for plant in plan.of_type("plant") if (point := plant.point(_PRESSURE))
    )


def _is_all(plan: Plan, pumps: tuple[Pump, ...]) -> bool:
    """Whether the plant has no other secondary pumps."""
    return {item.key for item in plan.of_type(PUMP_TYPE)} == {p.key for p in pumps}


def _water_sources(plan: Plan) -> tuple[str, ...]:
    """Return what shows that chilled water is made, else that it is wanted."""
    proofs = [
        item.point("run_status")
        for kind in _WATER_SOURCES
        for item in plan.of_type(kind)
    ]
    points = tuple(point for point in proofs if point is not None)
    return points or tuple(
        point
        for plant in plan.of_type("plant")
        if (point := plant.point("enable_command"))
    )


def _flow(
    plan: Plan, automation: PlanAutomation, pumps: tuple[Pump, ...]
) -> str | None:
    """Return the flow meter of the group; the plant's measures all pumps."""
    if names := automation.names("flow"):
        point = _known(plan, names[0], "flow")
        if point.boolean:
            raise ControlRefused(f"flow: {point.key} is not a measurement", "flow")
        return point.key
    plants = plan.of_type("plant")
    if plants and _is_all(plan, pumps):
        return plants[0].point("chilled_water_flow")
    return None


def _design_flow(
    plan: Plan,
    automation: PlanAutomation,
    pumps: tuple[Pump, ...],
    design_pumps: int,
    *,
    metered: bool,
) -> float:
    """Return what the design number of pumps moves, in l/s; 0 if not known."""
    configured = automation.number("design_flow", 0, minimum=0)
    if configured:
        return configured
    rated = []
    for pump in pumps:
        flow = plan.equipment[pump.key].ratings.get("flow", 0.0)
        if flow <= 0 and metered:
            raise ControlRefused(
                f"{pump.name} has no rated flow in the plant file: "
                "give the design flow of the group",
                "design_flow",
            )
        rated.append(flow)
    return sum(rated) * design_pumps / len(pumps) if min(rated) > 0 else 0.0


def _rated_head(plan: Plan, pumps: tuple[Pump, ...]) -> float:
    """Return the mean rated head in kPa, 0 if it is not known of all pumps."""
    heads = [plan.equipment[pump.key].ratings.get("head", 0.0) for pump in pumps]
    return sum(heads) / len(heads) if min(heads) > 0 else 0.0


def _loop(automation: PlanAutomation, pumps: tuple[Pump, ...]) -> PidSettings:
    low = automation.number("speed_minimum", 30, minimum=0, maximum=100)
    high = automation.number("speed_maximum", 100, minimum=0, maximum=100)
    for pump in pumps:
        if (point := pump.speed_command) is not None:
            low = low if point.low is None else max(low, point.low)
            high = high if point.high is None else min(high, point.high)
    if low >= high:
        raise ControlRefused(
            f"nothing is left between the lowest speed {low:g} and the highest "
            f"{high:g}; the limits of the speed points count too",
            "speed_minimum",
            "speed_maximum",
        )
    return PidSettings(
        gain=automation.number("gain", 0.1, minimum=0),
        integral_time=automation.number("integral_time", 20, minimum=0),
        derivative_time=0.0,
        output_minimum=low,
        output_maximum=high,
    )


def _known(plan: Plan, key: str, field: str) -> PlanPoint:
    try:
        return plan.points[key]
    except KeyError:
        raise ControlRefused(f"{field}: the plant has no point {key}", field) from None
