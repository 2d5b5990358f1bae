"""Plans with towers, zones and a weather station, and their readings.

What `factories` has, with what resets and towers look at besides.
"""

from collections.abc import Mapping
from typing import Any

from chiller_control.control.decision import Decision, Value
from chiller_control.control.plan import Plan, parse_plan
from factories import automation, plan_data

_LIMITS: Mapping[str, tuple[float, float]] = {
    "speed_command": (20.0, 100.0),
    "chilled_water_supply_temperature_setpoint": (4.5, 15.0),
    "chilled_water_differential_pressure_setpoint": (15.0, 250.0),
    "condenser_water_supply_temperature_setpoint": (18.0, 32.0),
}
_RATINGS: Mapping[str, Mapping[str, float]] = {
    "chiller": {
        "cooling_capacity": 1407.0,
        "coefficient_of_performance": 6.04,
        "chilled_water_flow": 60.57,
        "condenser_water_flow": 75.71,
        "minimum_load_ratio": 0.2,
    },
    "cooling_tower": {"water_flow": 75.71, "fan_power": 22.0},
    "condenser_water_pump": {"flow": 75.71, "head": 190.0, "power": 26.0},
    "primary_chilled_water_pump": {"flow": 60.57, "head": 110.0, "power": 9.0},
}
_MORE_POINTS: Mapping[str, tuple[str, ...]] = {
    "plant": (
        "chilled_water_differential_pressure_setpoint",
        "condenser_water_supply_temperature_setpoint",
        "condenser_water_supply_temperature",
        "condenser_water_return_temperature",
    ),
    "chiller": ("condenser_water_leaving_temperature", "chilled_water_flow"),
}
ZONE = (
    "temperature",
    "temperature_setpoint",
    "cooling_valve_position",
    "supply_air_temperature",
    "occupied_command",
)
WEATHER = ("outdoor_temperature", "relative_humidity", "wet_bulb_temperature")


def _point(entity: str, role: str) -> dict[str, Any]:
    low, high = _LIMITS.get(role, (None, None))
    return {
        "entity_id": entity,
        "writable": role.endswith(("_command", "_setpoint")),
        "boolean": role == "occupied_command",
        "low": low,
        "high": high,
        "unit": None,
    }


def whole_plan(
    *automations: dict[str, Any],
    chillers: int = 3,
    zones: int = 3,
    weather: bool = True,
) -> Plan:
    """Return a plan of chillers, towers, zones and a weather station."""
    return parse_plan(
        whole_plan_data(*automations, chillers=chillers, zones=zones, weather=weather)
    )


def whole_plan_data(
    *automations: dict[str, Any],
    chillers: int = 3,
    zones: int = 3,
    weather: bool = True,
) -> dict[str, Any]:
    """Return it as `chiller_plant.get_plan` answers it."""
    data = plan_data(*automations, chillers=chillers)
    equipment = data["equipment"]
    for item in equipment.values():
        item["ratings"] = dict(_RATINGS.get(item["type"], {}))
        for role, point in item["points"].items():
            if role in _LIMITS:
                point["low"], point["high"] = _LIMITS[role]
    for kind, roles in _MORE_POINTS.items():
        for key, item in equipment.items():
            if item["type"] == kind:
                for role in roles:
                    item["points"][role] = _point(f"number.{key}_{role}", role)

    def more(key: str, kind: str, roles: tuple[str, ...]) -> None:
        equipment[key] = {
            "type": kind,
            "name": key.replace("_", " ").capitalize(),
            "ratings": {},
            "served_by": {},
            "points": {role: _point(f"sensor.{key}_{role}", role) for role in roles},
        }

    for n in range(1, zones + 1):
        more(f"zone_{n}", "zone", ZONE)
    if weather:
        more("weather", "weather_station", WEATHER)
    return data


def readings(
    chillers: int = 3, running: int = 1, zones: int = 3
) -> dict[str, Value | None]:
    """Return what a plant says that is at ease with `running` chillers."""
    values: dict[str, Value | None] = {
        "plant.enable_command": True,
        "plant.chilled_water_supply_temperature": 7.0,
        "plant.chilled_water_supply_temperature_setpoint": 7.0,
        "plant.chilled_water_return_temperature": 12.0,
        "plant.chilled_water_flow": 45.0 * running,
        "plant.chilled_water_differential_pressure": 60.0,
        "plant.chilled_water_differential_pressure_setpoint": 60.0,
        "plant.condenser_water_supply_temperature": 28.0,
        "plant.condenser_water_return_temperature": 32.5,
        "plant.condenser_water_supply_temperature_setpoint": 29.4,
        "weather.outdoor_temperature": 30.0,
        "weather.relative_humidity": 70.0,
        "weather.wet_bulb_temperature": 25.5,
    }
    for n in range(1, chillers + 1):
        on = n <= running
        for kind in ("chiller", "pchp", "schp", "cdp", "ct"):
            values[f"{kind}_{n}.run_command"] = on
            values[f"{kind}_{n}.run_status"] = on
            values[f"{kind}_{n}.alarm"] = False
            values[f"{kind}_{n}.speed"] = 80.0 if on else 0.0
            values[f"{kind}_{n}.speed_command"] = 80.0
        values[f"chiller_{n}.load"] = 70.0 if on else 0.0
        values[f"chiller_{n}.chilled_water_flow"] = 50.0 if on else 0.0
        values[f"chiller_{n}.condenser_water_leaving_temperature"] = 32.5
    for n in range(1, zones + 1):
        values |= {
            f"zone_{n}.temperature": 24.0,
            f"zone_{n}.temperature_setpoint": 24.0,
            f"zone_{n}.cooling_valve_position": 60.0,
            f"zone_{n}.supply_air_temperature": 13.0,
            f"zone_{n}.occupied_command": True,
        }
    return values


def commands(decision: Decision) -> dict[str, Value]:
    """Return what is commanded, by point."""
    return {item.point: item.value for item in decision.commands}


def form(
    control_type: str, metadata: dict[str, Any], config: dict[str, Any]
) -> dict[str, Any]:
    """Return an automation of a plan."""
    return automation(control_type, metadata=metadata, config=config)
