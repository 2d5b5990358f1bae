"""Which words make which role: one row a way in which the field names it.

A row is read as words that must all be there (`a|b`: one of them), then words that
may be there as well. Any other known word says something else and costs; a word
that turns the meaning round (`KILLERS`) rules the row out.
"""

from dataclasses import dataclass

from ..roles import EquipmentType


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to name a role."""

    role: str
    needs: tuple[frozenset[str], ...]
    may: frozenset[str]
    weight: float
    """How sure these words make it."""
    natural: bool
    """Only of the object type that the role has by nature."""


def _rule(
    role: str, needs: str, may: str = "", weight: float = 1.0, *, natural: bool = False
) -> Rule:
    return Rule(
        role,
        tuple(frozenset(each.split("|")) for each in needs.split()),
        frozenset(may.split()),
        weight,
        natural,
    )


_KILLERS = (
    "disable stop closed select hours minimum maximum high low deadband average reset "
    "lead lag standby schedule override request emergency warning unoccupied manual "
    "local heating compressor oil refrigerant suction saturation dewpoint mixed tertiary "
    "hot domestic bypass exhaust reactive apparent powerfactor phase peak hoa delay "
    "time count test inhibit previous lockout permissive ready"
)
KILLERS = frozenset(_KILLERS.split())
"""Words with which a point is something else than it seems."""
COMMAND_KILLERS = frozenset(
    ("status", "feedback", "alarm", "sensor", "active", "actual")
)
"""These make a command what is read back of it."""
READ_KILLERS = frozenset(("command", "setpoint", "reference"))
"""These make a measurement what is asked for."""

_RUN = (
    _rule("run_command", "startstop", "command enable run remote chiller vfd"),
    _rule("run_command", "run|start command", "remote vfd chiller"),
    _rule("run_command", "enable", "command run remote vfd chiller", 0.98),
    _rule("run_command", "command", "vfd chiller", 0.96),
    _rule("run_command", "run|start", "vfd chiller", 0.92, natural=True),
    _rule("run_status", "run status|feedback|sensor|active", "vfd chiller actual"),
    _rule("run_status", "startstop status|feedback|active|actual", "vfd chiller", 0.96),
    _rule("run_status", "status|feedback", "vfd chiller", 0.94),
    _rule("run_status", "run", "vfd chiller", 0.95),
    _rule("alarm", "alarm", "status sensor general common summary chiller vfd active"),
    _rule(
        "power", "power", "active total input sensor electric elec demand vfd chiller"
    ),
    _rule("remote_mode", "remote", "mode status auto enable sensor control vfd", 0.95),
)
_SPEED = (
    _rule("speed_command", "speed command|reference|setpoint", "vfd output percent"),
    _rule(
        "speed_command", "vfd command|reference", "output percent", 0.95, natural=True
    ),
    _rule("speed_command", "speed", "vfd output percent", 0.95, natural=True),
    _rule(
        "speed",
        "speed feedback|status|actual|active|sensor",
        "vfd output percent motor",
    ),
    _rule("speed", "speed", "vfd output percent motor", 0.94),
    _rule("speed", "vfd feedback|status|output", "output percent", 0.92),
)
_STORAGE = (
    _rule("discharge_power_setpoint", "discharge setpoint|command", "power battery"),
    _rule("state_of_charge", "charge state", "battery level sensor percent"),
    _rule("run_status", "status|feedback", "run battery"),
    _rule("power", "power", "active total sensor battery"),
)
_LEAVING = "supply|leaving"
_ENTERING = "return|entering"
_CHILLED = "chilled|evaporator|cooling"
_CHW_MAY = "water sensor header common loop system building primary secondary plant"

_CHILLED_WATER = (
    _rule(
        "chilled_water_supply_temperature",
        f"{_CHILLED} {_LEAVING} temperature",
        _CHW_MAY,
    ),
    _rule(
        "chilled_water_return_temperature",
        f"{_CHILLED} {_ENTERING} temperature",
        _CHW_MAY,
    ),
    _rule(
        "chilled_water_supply_temperature_setpoint",
        f"{_CHILLED} setpoint temperature",
        f"{_CHW_MAY} supply leaving",
    ),
    _rule("chilled_water_flow", f"{_CHILLED} flow", f"{_CHW_MAY} supply leaving"),
)

RULES: dict[EquipmentType, tuple[Rule, ...]] = {
    EquipmentType.PLANT: (
        *_CHILLED_WATER,
        _rule("enable_command", "plant enable|startstop|command", "enable command system"),
        _rule("chilled_water_differential_pressure", "chilled dp", _CHW_MAY),
        _rule("chilled_water_differential_pressure", "dp", "system loop building sensor", 0.9),
        _rule("chilled_water_differential_pressure_setpoint", "chilled dp setpoint", _CHW_MAY),
        _rule(
            "condenser_water_supply_temperature",
            "condenser supply temperature",
            "water sensor header common loop system",
        ),
        _rule(
            "condenser_water_supply_temperature_setpoint",
            "condenser setpoint temperature",
            "water supply header common loop system",
        ),
        _rule(
            "condenser_water_return_temperature",
            "condenser return temperature",
            "water sensor header common loop system",
        ),
    ),
    EquipmentType.CHILLER: (
        *_RUN,
        *_CHILLED_WATER,
        _rule("chilled_water_supply_temperature", f"{_LEAVING} water temperature", "sensor", 0.94),
        _rule("chilled_water_return_temperature", f"{_ENTERING} water temperature", "sensor", 0.94),
        _rule(
            "chilled_water_supply_temperature_setpoint",
            f"{_LEAVING} setpoint temperature",
            "water",
            0.96,
        ),
        _rule("chilled_water_supply_temperature_setpoint", "setpoint temperature", "water", 0.94),
        _rule("chilled_water_flow_status", f"{_CHILLED} flow", "status switch water sensor run feedback"),
        _rule("condenser_water_flow_status", "condenser flow", "status switch water sensor run feedback"),
        _rule(
            "condenser_water_entering_temperature",
            "condenser entering|supply temperature",
            "water sensor",
        ),
        _rule(
            "condenser_water_leaving_temperature",
            "condenser leaving|return temperature",
            "water sensor",
        ),
        _rule("load", "load", "percent chiller total sensor actual active"),
        _rule("load", "amps percent", "chiller total motor", 0.9),
        _rule("demand_limit", "demand|load|amps limit", "setpoint command percent chiller"),
    ),
    EquipmentType.PRIMARY_CHILLED_WATER_PUMP: (*_RUN, *_SPEED),
    EquipmentType.SECONDARY_CHILLED_WATER_PUMP: (*_RUN, *_SPEED),
    EquipmentType.CONDENSER_WATER_PUMP: (*_RUN, *_SPEED),
    EquipmentType.COOLING_TOWER: (
        *_RUN,
        *_SPEED,
        _rule("leaving_water_temperature", f"{_LEAVING} temperature", "water condenser sensor"),
    ),
    EquipmentType.VALVE: (
        _rule("open_command", "open command", "enable"),
        _rule("open_command", "command|startstop|enable", "", 0.96),
        _rule("open_command", "", "open", 0.9, natural=True),
        _rule("open_status", "open|status|feedback|endswitch", "status open endswitch sensor feedback"),
        _rule("open_status", "", "", 0.9, natural=True),
        _rule("position_command", "position|command", "command"),
        _rule("position_command", "", "", 0.9, natural=True),
        _rule("position", "position|feedback|status", "feedback status sensor"),
    ),
    EquipmentType.ZONE: (
        _rule("temperature", "zone temperature", "air sensor"),
        _rule("temperature", "temperature", "sensor", 0.93),
        _rule("temperature_setpoint", "setpoint temperature", "zone air cooling occupied effective", 0.97),
        _rule("relative_humidity", "humidity", "zone air sensor"),
        _rule("occupied_command", "occupied command", "mode zone"),
        _rule("occupied_command", "occupied", "mode zone", 0.92),
        _rule(
            "cooling_valve_position",
            "cooling|chilled valve",
            "position command water coil feedback sensor output",
        ),
        _rule("supply_air_temperature", "supply air temperature", "sensor"),
    ),
    EquipmentType.HEAT_SOURCE: (
        *_RUN,
        _rule("supply_temperature", f"{_LEAVING} temperature", "hot water sensor"),
        _rule("supply_temperature_setpoint", "setpoint temperature", "hot water supply leaving"),
    ),
    EquipmentType.METER: (
        _rule("cooling_power", "thermal|cooling|chilled power|load|flow", "water energy sensor"),
        _rule("cooling_energy", "thermal|cooling|chilled energy", "water total sensor"),
        _rule("power", "power", "active total demand sensor electric elec"),
        _rule("energy", "energy", "active total sensor electric elec"),
    ),
    EquipmentType.WEATHER_STATION: (
        _rule("outdoor_temperature", "outdoor temperature", "air sensor"),
        _rule("relative_humidity", "outdoor humidity", "air sensor"),
        _rule("wet_bulb_temperature", "wetbulb", "outdoor air temperature sensor"),
        _rule("solar_irradiance", "irradiance", "outdoor solar global horizontal sensor"),
    ),
    EquipmentType.SHEDDABLE_CIRCUIT: (
        _rule("run_command", "startstop|command|enable", "run enable"),
        _rule("run_status", "status|feedback", "run"),
        _rule("power", "power", "active total sensor"),
    ),
    EquipmentType.THERMAL_STORAGE: _STORAGE,
    EquipmentType.BATTERY: _STORAGE,
}  # fmt: skip
"""By equipment type."""
