"""Small plants for tests, built from the words of the model."""

from collections.abc import Mapping
from typing import Any

from custom_components.chiller_plant.plant.model import (
    BacnetAddress,
    Equipment,
    InterlockSettings,
    ModbusAddress,
    Plant,
    Point,
    RegisterKind,
    Value,
)
from custom_components.chiller_plant.plant.reading import Quality, Reading, Readings
from custom_components.chiller_plant.plant.roles import ROLES, EquipmentType

CHILLER_INTERLOCKS = InterlockSettings(
    minimum_run_time=600,
    minimum_off_time=900,
    maximum_starts_per_hour=3,
    flow_proof_time=30,
    flow_loss_time=10,
    flow_keep_time=180,
    change_time=120,
    start_proof_time=300,
)


def make_point(equipment: str, type_: EquipmentType, role: str, **fields: Any) -> Point:
    """Return a point on BACnet, writable if its role can be."""
    fields.setdefault("address", BacnetAddress("bms", "controller", "binary-value", 1))
    fields.setdefault("writable", ROLES[type_][role].commandable)
    return Point(f"{equipment}.{role}", equipment, ROLES[type_][role], **fields)


def make_equipment(
    key: str,
    type_: EquipmentType,
    points: Mapping[str, Mapping[str, Any]],
    **fields: Any,
) -> Equipment:
    """Return equipment with these roles, each with fields of its point."""
    return Equipment(
        key,
        key.replace("_", " ").capitalize(),
        type_,
        {role: make_point(key, type_, role, **more) for role, more in points.items()},
        **fields,
    )


def make_plant(*equipment: Equipment, **fields: Any) -> Plant:
    """Return a plant of this equipment."""
    return Plant(
        key="test_plant",
        name="Test plant",
        poll_interval=fields.pop("poll_interval", 5.0),
        command_lease=fields.pop("command_lease", 60.0),
        connections={},
        equipment={item.key: item for item in equipment},
        points={p.key: p for item in equipment for p in item.points.values()},
        profiles=("Weekday",),
        day_types={},
        **fields,
    )


def modbus(**fields: Any) -> ModbusAddress:
    """Return the address of a holding register."""
    return ModbusAddress("drives", "drive", RegisterKind.HOLDING, 1, **fields)


def make_chiller(number: int, pumps: int, **fields: Any) -> Equipment:
    """Return a chiller that shares `pumps` pumps and towers of each kind."""
    fields.setdefault("interlocks", CHILLER_INTERLOCKS)
    release = fields.pop("release", False)
    without = fields.pop("without", ())
    roles = {
        "run_command": {"release": release},
        "run_status": {},
        "alarm": {},
        "chilled_water_flow_status": {},
        "condenser_water_flow_status": {},
        "chilled_water_supply_temperature_setpoint": {
            "low": 4.5,
            "high": 15.0,
            "release": 6.7,
        },
    }
    return make_equipment(
        f"chiller_{number}",
        EquipmentType.CHILLER,
        {role: more for role, more in roles.items() if role not in without},
        served_by={
            "chilled_water_pumps": tuple(f"pchp_{n + 1}" for n in range(pumps)),
            "condenser_water_pumps": tuple(f"cdp_{n + 1}" for n in range(pumps)),
            "cooling_towers": tuple(f"ct_{n + 1}" for n in range(pumps)),
            "valves": (f"valve_{number}",),
        },
        **fields,
    )


def make_drive(
    key: str, type_: EquipmentType, release: Value | None = False, **fields: Any
) -> Equipment:
    """Return a pump or tower."""
    return make_equipment(
        key,
        type_,
        {
            "run_command": {"release": release, "address": modbus(bit=0)},
            "run_status": {},
            "speed_command": {
                "address": modbus(scale=0.01),
                "low": 0.0,
                "high": 100.0,
                "release": 100.0,
            },
        },
        **fields,
    )


def make_chiller_plant(
    chillers: int = 2, *, lead_release: bool = False, pumps: int | None = None
) -> Plant:
    """Return chillers on headered pumps and towers, each with its valve."""
    count = chillers if pumps is None else pumps
    items: list[Equipment] = [
        make_equipment(
            "plant", EquipmentType.PLANT, {"enable_command": {"address": None}}
        )
    ]
    for n in range(1, chillers + 1):
        lead = lead_release and n == 1
        items.append(make_chiller(n, count, release=lead))
        items.append(
            make_equipment(
                f"valve_{n}",
                EquipmentType.VALVE,
                {"open_command": {"release": lead}, "open_status": {}},
            )
        )
    for prefix, type_ in (
        ("pchp", EquipmentType.PRIMARY_CHILLED_WATER_PUMP),
        ("cdp", EquipmentType.CONDENSER_WATER_PUMP),
        ("ct", EquipmentType.COOLING_TOWER),
    ):
        items += [
            make_drive(f"{prefix}_{n}", type_, lead_release and n == 1)
            for n in range(1, count + 1)
        ]
    return make_plant(*items)


def good(**values: Value) -> dict[str, Reading]:
    """Return good readings; `chiller_1__run_status=True` names a point."""
    return {
        key.replace("__", "."): Reading(value, Quality.GOOD, 0.0)
        for key, value in values.items()
    }


def lost(readings: Readings, *points: str) -> dict[str, Reading]:
    """Return the readings with these points gone stale."""
    return dict(readings) | {
        key: Reading(readings[key].value, Quality.STALE, 0.0) for key in points
    }
