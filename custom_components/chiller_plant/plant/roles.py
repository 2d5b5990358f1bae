"""The fixed vocabulary of what a point can be.

Everything else is derived from these rows: the plant file is checked against
them, entities take platform, unit and device class from them, and control
addresses points by them. A new kind of point is a new row.
"""

from dataclasses import dataclass
from enum import StrEnum


class EquipmentType(StrEnum):
    """What a piece of equipment is."""

    PLANT = "plant"
    CHILLER = "chiller"
    PRIMARY_CHILLED_WATER_PUMP = "primary_chilled_water_pump"
    SECONDARY_CHILLED_WATER_PUMP = "secondary_chilled_water_pump"
    CONDENSER_WATER_PUMP = "condenser_water_pump"
    COOLING_TOWER = "cooling_tower"
    VALVE = "valve"
    ZONE = "zone"
    HEAT_SOURCE = "heat_source"
    METER = "meter"
    WEATHER_STATION = "weather_station"
    SHEDDABLE_CIRCUIT = "sheddable_circuit"
    THERMAL_STORAGE = "thermal_storage"
    BATTERY = "battery"


class PollTier(StrEnum):
    """How often a point is read where its device does not report it by itself."""

    FAST = "fast"
    NORMAL = "normal"
    SLOW = "slow"


class Quantity(StrEnum):
    """What a point measures or sets; fixes its unit inside the product."""

    STATE = "state"
    PROBLEM = "problem"
    TEMPERATURE = "temperature"
    TEMPERATURE_DIFFERENCE = "temperature_difference"
    PRESSURE_DIFFERENCE = "pressure_difference"
    FLOW = "flow"
    POWER = "power"
    ENERGY = "energy"
    PERCENT = "percent"
    RELATIVE_HUMIDITY = "relative_humidity"
    IRRADIANCE = "irradiance"
    COUNT = "count"

    @property
    def is_boolean(self) -> bool:
        """Whether values are true or false rather than numbers."""
        return self in (Quantity.STATE, Quantity.PROBLEM)

    @property
    def unit(self) -> str | None:
        """The unit of every value inside the product."""
        return _UNITS.get(self)


_UNITS = {
    Quantity.TEMPERATURE: "°C",
    Quantity.TEMPERATURE_DIFFERENCE: "K",
    Quantity.PRESSURE_DIFFERENCE: "kPa",
    Quantity.FLOW: "l/s",
    Quantity.POWER: "kW",
    Quantity.ENERGY: "kWh",
    Quantity.PERCENT: "%",
    Quantity.RELATIVE_HUMIDITY: "%",
    Quantity.IRRADIANCE: "W/m²",
}


@dataclass(frozen=True, slots=True)
class Role:
    """One word of the vocabulary: a point of this name on this equipment."""

    equipment_type: EquipmentType
    name: str
    quantity: Quantity
    commandable: bool = False

    @property
    def tier(self) -> PollTier:
        """How often such a point is read unless the plant file says otherwise."""
        if self.quantity is Quantity.ENERGY:
            return PollTier.SLOW
        if self.quantity is Quantity.PRESSURE_DIFFERENCE:
            return PollTier.FAST
        if self.equipment_type in _UNHURRIED or self.name in ("power", "remote_mode"):
            return PollTier.NORMAL
        return PollTier.FAST


_UNHURRIED = frozenset(
    {
        EquipmentType.ZONE,
        EquipmentType.METER,
        EquipmentType.WEATHER_STATION,
        EquipmentType.SHEDDABLE_CIRCUIT,
        EquipmentType.THERMAL_STORAGE,
        EquipmentType.BATTERY,
    }
)
_CHILLED_WATER_SUPPLY = "chilled_water_supply_temperature"
_DIFFERENTIAL_PRESSURE = "chilled_water_differential_pressure"
SEQUENCE_POSITION = "sequence_position"
"""A chiller's place in the order of starting, from 1; 0: it has none. Every
chiller that can be started has this point: where the plant file does not give
it an address, the integration itself holds it."""

_MOTOR: tuple[tuple[str, Quantity, bool], ...] = (
    ("run_command", Quantity.STATE, True),
    ("run_status", Quantity.STATE, False),
    ("alarm", Quantity.PROBLEM, False),
    ("power", Quantity.POWER, False),
    ("remote_mode", Quantity.STATE, False),
)
_DRIVE: tuple[tuple[str, Quantity, bool], ...] = (
    *_MOTOR,
    ("speed_command", Quantity.PERCENT, True),
    ("speed", Quantity.PERCENT, False),
)

_STORAGE: tuple[tuple[str, Quantity, bool], ...] = (
    ("discharge_power_setpoint", Quantity.POWER, True),
    ("state_of_charge", Quantity.PERCENT, False),
    # Of what it gives, electric or cold; below 0 while it is charged.
    ("power", Quantity.POWER, False),
    ("run_status", Quantity.STATE, False),
)

_VOCABULARY: dict[EquipmentType, tuple[tuple[str, Quantity, bool], ...]] = {
    EquipmentType.PLANT: (
        ("enable_command", Quantity.STATE, True),
        (_CHILLED_WATER_SUPPLY, Quantity.TEMPERATURE, False),
        (f"{_CHILLED_WATER_SUPPLY}_setpoint", Quantity.TEMPERATURE, True),
        ("chilled_water_return_temperature", Quantity.TEMPERATURE, False),
        ("chilled_water_flow", Quantity.FLOW, False),
        (_DIFFERENTIAL_PRESSURE, Quantity.PRESSURE_DIFFERENCE, False),
        (f"{_DIFFERENTIAL_PRESSURE}_setpoint", Quantity.PRESSURE_DIFFERENCE, True),
        ("condenser_water_supply_temperature", Quantity.TEMPERATURE, False),
        (
            "condenser_water_supply_temperature_setpoint",
            Quantity.TEMPERATURE,
            True,
        ),
        ("condenser_water_return_temperature", Quantity.TEMPERATURE, False),
    ),
    EquipmentType.CHILLER: (
        *_MOTOR,
        (_CHILLED_WATER_SUPPLY, Quantity.TEMPERATURE, False),
        (f"{_CHILLED_WATER_SUPPLY}_setpoint", Quantity.TEMPERATURE, True),
        ("chilled_water_return_temperature", Quantity.TEMPERATURE, False),
        ("chilled_water_flow", Quantity.FLOW, False),
        ("chilled_water_flow_status", Quantity.STATE, False),
        ("condenser_water_entering_temperature", Quantity.TEMPERATURE, False),
        ("condenser_water_leaving_temperature", Quantity.TEMPERATURE, False),
        ("condenser_water_flow_status", Quantity.STATE, False),
        ("load", Quantity.PERCENT, False),
        ("demand_limit", Quantity.PERCENT, True),
        (SEQUENCE_POSITION, Quantity.COUNT, True),
    ),
    EquipmentType.PRIMARY_CHILLED_WATER_PUMP: _DRIVE,
    EquipmentType.SECONDARY_CHILLED_WATER_PUMP: _DRIVE,
    EquipmentType.CONDENSER_WATER_PUMP: _DRIVE,
    EquipmentType.COOLING_TOWER: (
        *_DRIVE,
        ("leaving_water_temperature", Quantity.TEMPERATURE, False),
    ),
    EquipmentType.VALVE: (
        ("open_command", Quantity.STATE, True),
        ("open_status", Quantity.STATE, False),
        ("position_command", Quantity.PERCENT, True),
        ("position", Quantity.PERCENT, False),
    ),
    EquipmentType.ZONE: (
        ("temperature", Quantity.TEMPERATURE, False),
        ("temperature_setpoint", Quantity.TEMPERATURE, True),
        ("relative_humidity", Quantity.RELATIVE_HUMIDITY, False),
        ("occupied_command", Quantity.STATE, True),
        ("cooling_valve_position", Quantity.PERCENT, False),
        ("supply_air_temperature", Quantity.TEMPERATURE, False),
        (_DIFFERENTIAL_PRESSURE, Quantity.PRESSURE_DIFFERENCE, False),
        (f"{_DIFFERENTIAL_PRESSURE}_setpoint", Quantity.PRESSURE_DIFFERENCE, True),
    ),
    EquipmentType.HEAT_SOURCE: (
        *_MOTOR,
        ("supply_temperature", Quantity.TEMPERATURE, False),
        ("supply_temperature_setpoint", Quantity.TEMPERATURE, True),
    ),
    EquipmentType.METER: (
        ("power", Quantity.POWER, False),
        ("energy", Quantity.ENERGY, False),
        ("cooling_power", Quantity.POWER, False),
        ("cooling_energy", Quantity.ENERGY, False),
    ),
    EquipmentType.WEATHER_STATION: (
        ("outdoor_temperature", Quantity.TEMPERATURE, False),
        ("relative_humidity", Quantity.RELATIVE_HUMIDITY, False),
        ("wet_bulb_temperature", Quantity.TEMPERATURE, False),
        ("solar_irradiance", Quantity.IRRADIANCE, False),
    ),
    EquipmentType.SHEDDABLE_CIRCUIT: (
        ("run_command", Quantity.STATE, True),
        ("run_status", Quantity.STATE, False),
        ("power", Quantity.POWER, False),
    ),
    EquipmentType.THERMAL_STORAGE: _STORAGE,
    EquipmentType.BATTERY: _STORAGE,
}

ROLES: dict[EquipmentType, dict[str, Role]] = {
    equipment_type: {
        name: Role(equipment_type, name, quantity, commandable)
        for name, quantity, commandable in rows
    }
    for equipment_type, rows in _VOCABULARY.items()
}
"""Every role, by equipment type and name."""
