"""What others call our equipment and our roles: Project Haystack and Brick.

Point lists, tagging tools and analytics speak these two vocabularies. One row a
role; the matcher of `commissioning` reads them, and so does the documentation.

Haystack: the tags of a point as a navigation name, as in `chilled water leaving
temp sensor` (Haystack 4: water is *leaving* and *entering*, a setpoint is `sp`).
Brick: classes of Brick 1.4.4 that are not deprecated there; `Chilled_Water_Supply_…`
and the like are old names of `Leaving_…` and `Entering_…` since Brick 1.3. Where
Brick has no class of its own, it is the nearest.
"""

from dataclasses import dataclass
from types import MappingProxyType

from .roles import EquipmentType


@dataclass(frozen=True, slots=True)
class Names:
    """What something is called elsewhere."""

    haystack: str
    """Tags, in the order in which they are read aloud."""
    brick: str
    """The name of a class, without its namespace."""


EQUIPMENT_NAMES = MappingProxyType(
    {
        EquipmentType.PLANT: Names("chilled water plant equip", "Chilled_Water_System"),
        EquipmentType.CHILLER: Names("chiller equip", "Chiller"),
        EquipmentType.PRIMARY_CHILLED_WATER_PUMP: Names(
            "chilled water primaryLoop pump motor equip", "Chilled_Water_Pump"
        ),
        EquipmentType.SECONDARY_CHILLED_WATER_PUMP: Names(
            "chilled water secondaryLoop pump motor equip", "Chilled_Water_Pump"
        ),
        EquipmentType.CONDENSER_WATER_PUMP: Names(
            "condenser water pump motor equip", "Condenser_Water_Pump"
        ),
        EquipmentType.COOLING_TOWER: Names("coolingTower equip", "Cooling_Tower"),
        EquipmentType.VALVE: Names("valve equip", "Isolation_Valve"),
        # Since 1.4 Brick leaves zones to RealEstateCore (HVACZone); its own is older.
        EquipmentType.ZONE: Names("hvac zone space", "HVAC_Zone"),
        EquipmentType.HEAT_SOURCE: Names("hot water boiler equip", "Boiler"),
        EquipmentType.METER: Names("meter equip", "Meter"),
        EquipmentType.WEATHER_STATION: Names("weatherStation", "Weather_Station"),
        EquipmentType.SHEDDABLE_CIRCUIT: Names("circuit equip", "Electrical_Equipment"),
        EquipmentType.THERMAL_STORAGE: Names(
            "chilled water tank equip", "Energy_Storage_System"
        ),
        EquipmentType.BATTERY: Names("battery equip", "Battery_Energy_Storage_System"),
    }
)
"""Every equipment type."""

_MOTOR = {
    "run_command": Names("run cmd", "On_Off_Command"),
    "run_status": Names("run sensor", "Run_Status"),
    "alarm": Names("alarm sensor", "Alarm"),
    "power": Names("elec active power sensor", "Electric_Power_Sensor"),
    "remote_mode": Names("enable sensor", "Remotely_On_Off_Status"),
}
_SPEED = {
    "speed_command": Names("drive speed cmd", "Speed_Command"),
    "speed": Names("drive speed sensor", "Motor_Speed_Sensor"),
}


_STORAGE = {
    "discharge_power_setpoint": Names("power discharge sp", "Demand_Setpoint"),
    "state_of_charge": Names("energy stored level sensor", "Energy_Sensor"),
    "run_status": Names("run sensor", "Run_Status"),
}


def _drive(run_status: str, **other: Names) -> dict[str, Names]:
    """Return the rows of a pump or a fan; its status has a class of its own."""
    own = {"run_status": Names("run sensor", run_status)}
    return {**_MOTOR, **_SPEED, **own, **other}


_CHILLED_WATER = {
    "chilled_water_supply_temperature": Names(
        "chilled water leaving temp sensor", "Leaving_Chilled_Water_Temperature_Sensor"
    ),
    "chilled_water_supply_temperature_setpoint": Names(
        "chilled water leaving temp sp", "Leaving_Chilled_Water_Temperature_Setpoint"
    ),
    "chilled_water_return_temperature": Names(
        "chilled water entering temp sensor",
        "Entering_Chilled_Water_Temperature_Sensor",
    ),
    "chilled_water_flow": Names(
        "chilled water flow sensor", "Chilled_Water_Flow_Sensor"
    ),
}

_DIFFERENTIAL_PRESSURE = {
    "chilled_water_differential_pressure": Names(
        "chilled water delta pressure sensor",
        "Chilled_Water_Differential_Pressure_Sensor",
    ),
    "chilled_water_differential_pressure_setpoint": Names(
        "chilled water delta pressure sp",
        "Chilled_Water_Differential_Pressure_Setpoint",
    ),
}

ROLE_NAMES = MappingProxyType(
    {
        EquipmentType.PLANT: {
            **_CHILLED_WATER,
            "enable_command": Names(
                "chilled water plant enable cmd", "Chilled_Water_System_Enable_Command"
            ),
            **_DIFFERENTIAL_PRESSURE,
            # Of the towers: what leaves them is what the plant supplies.
            "condenser_water_supply_temperature": Names(
                "condenser water leaving temp sensor",
                "Leaving_Condenser_Water_Temperature_Sensor",
            ),
            "condenser_water_supply_temperature_setpoint": Names(
                "condenser water leaving temp sp",
                "Leaving_Condenser_Water_Temperature_Setpoint",
            ),
            "condenser_water_return_temperature": Names(
                "condenser water entering temp sensor",
                "Entering_Condenser_Water_Temperature_Sensor",
            ),
        },
        EquipmentType.CHILLER: {
            **_MOTOR,
            **_CHILLED_WATER,
            "chilled_water_flow_status": Names(
                "chilled water flow run sensor", "Switch_Status"
            ),
            "condenser_water_entering_temperature": Names(
                "condenser water entering temp sensor",
                "Entering_Condenser_Water_Temperature_Sensor",
            ),
            "condenser_water_leaving_temperature": Names(
                "condenser water leaving temp sensor",
                "Leaving_Condenser_Water_Temperature_Sensor",
            ),
            "condenser_water_flow_status": Names(
                "condenser water flow run sensor", "Switch_Status"
            ),
            "load": Names("chiller load sensor", "Cooling_Demand_Sensor"),
            "demand_limit": Names("chiller load max sp", "Max_Load_Setpoint"),
            "sequence_position": Names("chiller sequence sp", "Lead_Lag_Command"),
        },
        EquipmentType.PRIMARY_CHILLED_WATER_PUMP: _drive("Pump_On_Off_Status"),
        EquipmentType.SECONDARY_CHILLED_WATER_PUMP: _drive("Pump_On_Off_Status"),
        EquipmentType.CONDENSER_WATER_PUMP: _drive("Pump_On_Off_Status"),
        EquipmentType.COOLING_TOWER: _drive(
            "Fan_On_Off_Status",
            speed_command=Names("fan drive speed cmd", "Fan_Speed_Command"),
            leaving_water_temperature=Names(
                "condenser water leaving temp sensor",
                "Leaving_Water_Temperature_Sensor",
            ),
        ),
        EquipmentType.VALVE: {
            "open_command": Names("valve open cmd", "Open_Close_Command"),
            "open_status": Names("valve open sensor", "Open_Close_Status"),
            "position_command": Names("valve position cmd", "Valve_Position_Command"),
            "position": Names("valve position sensor", "Valve_Position_Sensor"),
        },
        EquipmentType.ZONE: {
            "temperature": Names("zone air temp sensor", "Zone_Air_Temperature_Sensor"),
            "temperature_setpoint": Names(
                "zone air temp effective sp", "Target_Zone_Air_Temperature_Setpoint"
            ),
            "relative_humidity": Names(
                "zone air humidity sensor", "Zone_Air_Humidity_Sensor"
            ),
            "occupied_command": Names("occupied sp", "Occupancy_Command"),
            "cooling_valve_position": Names(
                "chilled water valve sensor", "Valve_Position_Sensor"
            ),
            "supply_air_temperature": Names(
                "discharge air temp sensor", "Supply_Air_Temperature_Sensor"
            ),
            **_DIFFERENTIAL_PRESSURE,
        },
        EquipmentType.HEAT_SOURCE: {
            **_MOTOR,
            "supply_temperature": Names(
                "hot water leaving temp sensor", "Leaving_Hot_Water_Temperature_Sensor"
            ),
            "supply_temperature_setpoint": Names(
                "hot water leaving temp sp", "Leaving_Hot_Water_Temperature_Setpoint"
            ),
        },
        EquipmentType.METER: {
            "power": _MOTOR["power"],
            "energy": Names("elec active energy sensor", "Electric_Energy_Sensor"),
            "cooling_power": Names("thermal power sensor", "Thermal_Power_Sensor"),
            "cooling_energy": Names(
                "thermal energy sensor", "Thermal_Energy_Usage_Sensor"
            ),
        },
        EquipmentType.WEATHER_STATION: {
            "outdoor_temperature": Names(
                "weather air temp sensor", "Outside_Air_Temperature_Sensor"
            ),
            "relative_humidity": Names(
                "weather air humidity sensor", "Outside_Air_Humidity_Sensor"
            ),
            "wet_bulb_temperature": Names(
                "weather air wetBulb sensor", "Outside_Air_Wet_Bulb_Temperature_Sensor"
            ),
            "solar_irradiance": Names(
                "weather solar irradiance sensor", "Solar_Irradiance_Sensor"
            ),
        },
        EquipmentType.SHEDDABLE_CIRCUIT: {
            "run_command": _MOTOR["run_command"],
            "run_status": Names("run sensor", "On_Off_Status"),
            "power": _MOTOR["power"],
        },
        EquipmentType.THERMAL_STORAGE: {
            **_STORAGE,
            "power": Names("thermal power sensor", "Thermal_Power_Sensor"),
        },
        EquipmentType.BATTERY: {**_STORAGE, "power": _MOTOR["power"]},
    }
)
"""Every role, by equipment type and role name."""
