"""Point lists in the naming styles of the field, with what each object is.

Written by hand after the conventions of the trade. A row is: name, object type and
instance, unit (or settable `Y`/`N` where it says so), description, and what it is:
`<equipment>.<role>`, or `-` for what must be left out.
"""

from dataclasses import dataclass

from custom_components.chiller_plant.plant.commissioning.bacnet_units import unit_of
from custom_components.chiller_plant.plant.commissioning.found import (
    FoundDevice,
    FoundObject,
)
from custom_components.chiller_plant.plant.roles import ROLES, Quantity

_TYPES = {
    "AI": "analog-input", "AO": "analog-output", "AV": "analog-value",
    "BI": "binary-input", "BO": "binary-output", "BV": "binary-value",
    "MI": "multi-state-input", "MV": "multi-state-value",
}  # fmt: skip


@dataclass(frozen=True)
class PointList:
    devices: tuple[FoundDevice, ...]
    expected: dict[tuple[str, str], str]
    """What each object of a device is; not there: left out."""


def read(text: str) -> PointList:
    devices: list[FoundDevice] = []
    expected: dict[tuple[str, str], str] = {}
    for line in text.strip().splitlines():
        if line.startswith("DEVICE"):
            _, key, instance, name, *model = line.split(" | ")
            devices.append(
                FoundDevice(key, "", int(instance), name, None, *(model or [None]))
            )
            continue
        name, kind, extra, description, what = (
            part.strip() for part in line.split("|")
        )
        object_type, instance = _TYPES[kind[:2]], int(kind[2:])
        states: tuple[str, ...] = ()
        if ":" in extra:
            extra, _, texts = extra.partition(":")
            states = tuple(texts.split("/"))
        settable = {"Y": True, "N": False}.get(extra[-2:].strip())
        unit, wire = unit_of(extra.removesuffix(" Y").removesuffix(" N").strip("YN "))
        device = devices[-1]
        found = FoundObject(
            device.key,
            object_type,
            instance,
            name,
            description or None,
            unit,
            wire,
            settable if object_type.endswith(("-value", "-output")) else False,
            states,
        )
        devices[-1] = FoundDevice(
            device.key, "", device.instance, device.name, None, device.model,
            (*device.objects, found),
        )  # fmt: skip
        if what != "-":
            expected[device.key, found.identifier] = what
    return PointList(tuple(devices), expected)


# A building automation system with one controller for the plant, short names.
ABBREVIATIONS = read("""
DEVICE | bms | 100 | CUP-DDC-1
CH-1-S/S        | BO1  |      | Chiller 1 start stop      | chiller_1.run_command
CH-1-STS        | BI1  |      | Chiller 1 status          | chiller_1.run_status
CH-1-ALM        | BI2  |      | Chiller 1 common alarm    | chiller_1.alarm
CH-1-CHWST      | AI1  | degF |                           | chiller_1.chilled_water_supply_temperature
CH-1-CHWRT      | AI2  | degF |                           | chiller_1.chilled_water_return_temperature
CH-1-CDWST      | AI3  | degF |                           | chiller_1.condenser_water_entering_temperature
CH-1-CDWRT      | AI4  | degF |                           | chiller_1.condenser_water_leaving_temperature
CH-1-CHWST-SP   | AV1  | degF |                           | chiller_1.chilled_water_supply_temperature_setpoint
CH-1-CHW-FLOW   | AI5  | gpm  |                           | chiller_1.chilled_water_flow
CH-1-CHW-FS     | BI3  |      | Evap flow switch          | chiller_1.chilled_water_flow_status
CH-1-CDW-FS     | BI4  |      |                           | chiller_1.condenser_water_flow_status
CH-1-KW         | AI6  | kW   |                           | chiller_1.power
CH-1-LOAD       | AI7  | %    | Percent load              | chiller_1.load
CH-1-DEM-LIM    | AO1  | %    | Demand limit              | chiller_1.demand_limit
CH-1-ALM-RST    | BO2  |      | Alarm reset               | -
CH-1-RUN-HRS    | AI8  | hours|                           | -
CH-1-OIL-PRESS  | AI9  | psi  |                           | -
CH-1-CHW-ISO-VLV-CMD | BO3 |  |                           | chilled_water_valve_1.open_command
CH-1-CHW-ISO-VLV-STS | BI5 |  |                           | chilled_water_valve_1.open_status
CH-1-CDW-VLV-CMD | BO4 |      |                           | condenser_water_valve_1.open_command
CH-2-S/S        | BO11 |      |                           | chiller_2.run_command
CH-2-STS        | BI11 |      |                           | chiller_2.run_status
CH-2-CHWST      | AI11 | degF |                           | chiller_2.chilled_water_supply_temperature
CH-2-CHWST-SP   | AV11 | degF |                           | chiller_2.chilled_water_supply_temperature_setpoint
PCHWP-1-CMD     | BO21 |      |                           | pchp_1.run_command
PCHWP-1-STS     | BI21 |      |                           | pchp_1.run_status
PCHWP-2-CMD     | BO22 |      |                           | pchp_2.run_command
PCHWP-2-STS     | BI22 |      |                           | pchp_2.run_status
SCHWP-1-S/S     | BO23 |      |                           | schp_1.run_command
SCHWP-1-STS     | BI23 |      |                           | schp_1.run_status
SCHWP-1-SPD     | AO23 | %    | VFD speed                 | schp_1.speed_command
SCHWP-1-SPD-FB  | AI23 | %    |                           | schp_1.speed
SCHWP-1-FLT     | BI24 |      |                           | schp_1.alarm
SCHWP-1-HZ      | AI24 | Hz   |                           | -
CWP-1-CMD       | BO25 |      |                           | cdp_1.run_command
CWP-1-STS       | BI25 |      |                           | cdp_1.run_status
CWP1SPD         | AO25 | %    |                           | cdp_1.speed_command
CT-1-FAN-CMD    | BO26 |      |                           | ct_1.run_command
CT-1-FAN-STS    | BI26 |      |                           | ct_1.run_status
CT-1-FAN-SPD-CMD| AO26 | %    |                           | ct_1.speed_command
CT-1-VIB-ALM    | BI27 |      | Vibration switch          | -
CT-1-LWT        | AI26 | degF |                           | ct_1.leaving_water_temperature
CT-1-BASIN-LVL-LO | BI28 |    |                           | -
CHWS-T          | AI31 | degF |                           | plant.chilled_water_supply_temperature
CHWR-T          | AI32 | degF |                           | plant.chilled_water_return_temperature
CHW-DP          | AI33 | psi  |                           | plant.chilled_water_differential_pressure
CHW-DP-SP       | AV33 | psi  |                           | plant.chilled_water_differential_pressure_setpoint
CHW-FLOW        | AI34 | gpm  |                           | plant.chilled_water_flow
CDWS-T          | AI35 | degF |                           | plant.condenser_water_supply_temperature
CDWR-T          | AI36 | degF |                           | plant.condenser_water_return_temperature
CDWS-T-SP       | AV35 | degF |                           | plant.condenser_water_supply_temperature_setpoint
CHW-BYP-VLV     | AO37 | %    |                           | -
PLANT-ENA       | BV38 |      |                           | plant.enable_command
PLANT-EMSTOP    | BV39 |      |                           | -
OAT             | AI41 | degF |                           | weather.outdoor_temperature
OA-RH           | AI42 | %    |                           | weather.relative_humidity
OA-WB           | AI43 | degF |                           | weather.wet_bulb_temperature
HWP-1-CMD       | BO44 |      |                           | -
HWP-1-STS       | BI44 |      |                           | -
B-1-ENA         | BO45 |      |                           | -
BLR-1-ENA       | BO46 |      |                           | boiler_1.run_command
BLR-1-HWST      | AI46 | degF |                           | boiler_1.supply_temperature
AHU-1-SF-CMD    | BO51 |      | Supply fan                | -
AHU-1-SA-T      | AI51 | degF |                           | ahu_1.supply_air_temperature
AHU-1-CLG-VLV   | AO51 | %    |                           | ahu_1.cooling_valve_position
AHU-1-MA-T      | AI52 | degF |                           | -
""")

# Two Carrier 30XV on their own translators: eight letters, no numbers; and the EDE file
# says which values can be set.
CARRIER = read("""
DEVICE | chiller_east | 301 | 30XV East | 30XV AquaForce
CTRL_TYP        | AV0  |   N  | Operating type            | -
CHIL_S_S        | BV0  |   Y  | Start/stop                | chiller_east.run_command
CHIL_OCC        | BV1  |   Y  | Occupied                  | -
min_left        | AV1  | minutes N | Minutes left for start | -
SP_SEL          | AV2  |   Y  | Setpoint select           | -
EMSTOP          | BV3  |   Y  | Emergency stop            | -
CAP_T           | AV3  | % N  | Total capacity            | chiller_east.load
SP              | AV4  | degC N | Current setpoint        | -
CTRL_PNT        | AV5  | degC Y | Control point           | chiller_east.chilled_water_supply_temperature_setpoint
DEM_LIM         | AV6  | % Y  | Active demand limit       | chiller_east.demand_limit
COOL_EWT        | AV8  | degC N | Cooler entering water   | chiller_east.chilled_water_return_temperature
COOL_LWT        | AV9  | degC N | Cooler leaving water    | chiller_east.chilled_water_supply_temperature
OAT             | AV10 | degC N | Outdoor air             | -
SCT_A           | AV11 | degC N | Saturated cond temp A   | -
SST_A           | AV12 | degC N | Saturated suction temp A | -
ALM             | MV1  | N:Normal/Alert/Alarm | Alarm status | chiller_east.alarm
STATUS          | MV2  | N:Off/Running/Stopping/Delay/Tripout/Ready | Running status | -
DEVICE | chiller_west | 302 | 30XV West | 30XV AquaForce
CHIL_S_S        | BV0  |   Y  |                           | chiller_west.run_command
CTRL_PNT        | AV5  | degC Y |                         | chiller_west.chilled_water_supply_temperature_setpoint
COOL_EWT        | AV8  | degC N |                         | chiller_west.chilled_water_return_temperature
COOL_LWT        | AV9  | degC N |                         | chiller_west.chilled_water_supply_temperature
""")

# Written out, as newer systems and integrators with time do.
VERBOSE = read("""
DEVICE | plant_a | 500 | Plant A Supervisor
Chiller 1 Enable Command              | BO1 |    | | chiller_1.run_command
Chiller 1 Run Status                  | BI1 |    | | chiller_1.run_status
Chiller 1 Common Alarm                | BI2 |    | | chiller_1.alarm
Chiller 1 High Discharge Pressure Alarm | BI3 |  | | -
Chiller 1 Leaving Chilled Water Temp  | AI1 | °C | | chiller_1.chilled_water_supply_temperature
Chiller 1 Entering Chilled Water Temp | AI2 | °C | | chiller_1.chilled_water_return_temperature
Chiller 1 Leaving Chilled Water Temp Setpoint | AV1 | °C | | chiller_1.chilled_water_supply_temperature_setpoint
Chiller 1 Active Leaving Chilled Water Setpoint | AV2 | °C | | -
Chiller 1 Entering Condenser Water Temperature | AI3 | °C | | chiller_1.condenser_water_entering_temperature
Chiller 1 Leaving Condenser Water Temperature | AI4 | °C | | chiller_1.condenser_water_leaving_temperature
Chiller 1 Electrical Power            | AI5 | kW | | chiller_1.power
Chiller 1 Capacity                    | AI6 | %  | | chiller_1.load
Chiller 1 Current Limit Setpoint      | AV3 | %  | | chiller_1.demand_limit
Chiller 1 Remote Mode                 | BI4 |    | | chiller_1.remote_mode
Chiller 1 Evaporator Flow Status      | BI5 |    | | chiller_1.chilled_water_flow_status
Chiller 1 Condenser Water Flow Status | BI6 |    | | chiller_1.condenser_water_flow_status
Chiller 1 Chilled Water Isolation Valve Open Command | BO2 | | | chilled_water_valve_1.open_command
Chiller 1 Chilled Water Isolation Valve Open Status  | BI7 | | | chilled_water_valve_1.open_status
Primary Chilled Water Pump 1 Start Stop | BO3 |  | | pchp_1.run_command
Primary Chilled Water Pump 1 Status   | BI8 |    | | pchp_1.run_status
Primary Chilled Water Pump 1 Auto Mode | BI9 |   | | -
Secondary Chilled Water Pump 2 Speed Command  | AO1 | % | | schp_2.speed_command
Secondary Chilled Water Pump 2 Speed Feedback | AI7 | % | | schp_2.speed
Secondary Chilled Water Pump 2 VFD Fault      | BI10 |  | | schp_2.alarm
Secondary Chilled Water Pump 2 Power  | AI8 | kW | | schp_2.power
Condenser Water Pump 1 Command        | BO4 |    | | cdp_1.run_command
Condenser Water Pump 1 Proof          | BI11 |   | | cdp_1.run_status
Cooling Tower 2 Fan Start/Stop        | BO5 |    | | ct_2.run_command
Cooling Tower 2 Fan Speed Command     | AO2 | %  | | ct_2.speed_command
Cooling Tower 2 Fan Speed             | AI9 | %  | | ct_2.speed
Cooling Tower 2 Leaving Water Temperature | AI10 | °C | | ct_2.leaving_water_temperature
Cooling Tower 2 Makeup Valve          | BO6 |    | | -
Chilled Water Supply Temperature      | AI11 | °C | | plant.chilled_water_supply_temperature
Chilled Water Return Temperature      | AI12 | °C | | plant.chilled_water_return_temperature
Chilled Water Supply Temperature Setpoint | AV4 | °C | | plant.chilled_water_supply_temperature_setpoint
Chilled Water Differential Pressure   | AI13 | kPa | | plant.chilled_water_differential_pressure
Chilled Water Differential Pressure Setpoint | AV5 | kPa | | plant.chilled_water_differential_pressure_setpoint
Chiller Plant Enable                  | BV1 |    | | plant.enable_command
Outside Air Temperature               | AI14 | °C | | weather.outdoor_temperature
Outside Air Relative Humidity         | AI15 | %  | | weather.relative_humidity
Outside Air Wet Bulb Temperature      | AI16 | °C | | weather.wet_bulb_temperature
Zone 12 Temperature                   | AI17 | °C | | zone_12.temperature
Zone 12 Temperature Setpoint          | AV6 | °C | | zone_12.temperature_setpoint
Zone 12 Relative Humidity             | AI18 | %  | | zone_12.relative_humidity
Zone 12 Occupied Command              | BV2 |    | | zone_12.occupied_command
Power Meter 3 Active Power            | AI19 | kW | | meter_3.power
Power Meter 3 Energy                  | AI20 | kWh | | meter_3.energy
Power Meter 3 Reactive Energy         | AI21 | kWh | | -
Boiler 1 Start Stop                   | BO7 |    | | boiler_1.run_command
Boiler 1 Hot Water Supply Temperature Setpoint | AV7 | °C | | boiler_1.supply_temperature_setpoint
""")

# Our own simulator: keys of the plant file.
OWN_NAMES = read("""
DEVICE | chiller_1_controller | 1001 | chiller_1_controller
chiller_1.run_command | BO1 | | | chiller_1.run_command
chiller_1.run_status | BI1 | | | chiller_1.run_status
chiller_1.alarm | BI2 | | | chiller_1.alarm
chiller_1.chilled_water_flow_status | BI3 | | | chiller_1.chilled_water_flow_status
chiller_1.condenser_water_flow_status | BI4 | | | chiller_1.condenser_water_flow_status
chiller_1.chilled_water_supply_temperature | AI1 | °C | | chiller_1.chilled_water_supply_temperature
chiller_1.chilled_water_return_temperature | AI2 | °C | | chiller_1.chilled_water_return_temperature
chiller_1.condenser_water_entering_temperature | AI3 | °C | | chiller_1.condenser_water_entering_temperature
chiller_1.condenser_water_leaving_temperature | AI4 | °C | | chiller_1.condenser_water_leaving_temperature
chiller_1.chilled_water_flow | AI5 | l/s | | chiller_1.chilled_water_flow
chiller_1.load | AI6 | % | | chiller_1.load
chiller_1.chilled_water_supply_temperature_setpoint | AV1 | °C | | chiller_1.chilled_water_supply_temperature_setpoint
chiller_1.demand_limit | AV2 | % | | chiller_1.demand_limit
DEVICE | plant_controller | 1003 | plant_controller
plant.chilled_water_supply_temperature | AI1 | °C | | plant.chilled_water_supply_temperature
plant.chilled_water_return_temperature | AI2 | °C | | plant.chilled_water_return_temperature
plant.chilled_water_flow | AI3 | l/s | | plant.chilled_water_flow
plant.chilled_water_differential_pressure | AI4 | kPa | | plant.chilled_water_differential_pressure
plant.condenser_water_supply_temperature | AI5 | °C | | plant.condenser_water_supply_temperature
plant.condenser_water_return_temperature | AI6 | °C | | plant.condenser_water_return_temperature
ct_1.leaving_water_temperature | AI7 | °C | | ct_1.leaving_water_temperature
weather.outdoor_temperature | AI9 | °C | | weather.outdoor_temperature
weather.relative_humidity | AI10 | % | | weather.relative_humidity
weather.wet_bulb_temperature | AI11 | °C | | weather.wet_bulb_temperature
chilled_water_valve_1.open_command | BO1 | | | chilled_water_valve_1.open_command
chilled_water_valve_1.open_status | BI1 | | | chilled_water_valve_1.open_status
condenser_water_valve_2.open_command | BO4 | | | condenser_water_valve_2.open_command
DEVICE | zone_controller | 1004 | zone_controller
zone_1.temperature | AI11 | °C | | zone_1.temperature
zone_1.relative_humidity | AI12 | % | | zone_1.relative_humidity
zone_1.cooling_valve_position | AI13 | % | | zone_1.cooling_valve_position
zone_1.supply_air_temperature | AI14 | °C | | zone_1.supply_air_temperature
zone_1.temperature_setpoint | AV11 | °C | | zone_1.temperature_setpoint
zone_1.occupied_command | BV11 | | | zone_1.occupied_command
""")

# Haystack navigation names and Brick classes; controllers that are one machine each;
# paths, and names that say nothing beside descriptions that say all.
TAGS = read("""
DEVICE | ch3 | 703 | CH-3
chilled water leaving temp sensor | AI1 | °C | | chiller_3.chilled_water_supply_temperature
chilled water entering temp sensor | AI2 | °C | | chiller_3.chilled_water_return_temperature
chilled water leaving temp sp | AV1 | °C | | chiller_3.chilled_water_supply_temperature_setpoint
run cmd | BO1 | | | chiller_3.run_command
run sensor | BI1 | | | chiller_3.run_status
alarm sensor | BI2 | | | chiller_3.alarm
DEVICE | ch4 | 704 | Chiller 4
Leaving_Chilled_Water_Temperature_Sensor | AI1 | °C | | chiller_4.chilled_water_supply_temperature
Entering_Condenser_Water_Temperature_Sensor | AI2 | °C | | chiller_4.condenser_water_entering_temperature
Leaving_Chilled_Water_Temperature_Setpoint | AV1 | °C | | chiller_4.chilled_water_supply_temperature_setpoint
On_Off_Command | BO1 | | | chiller_4.run_command
DEVICE | pump | 710 | PCHP-3 VFD
RUN/STOP ACT | BV0 | N | | pchp_3.run_status
FAULT ACT | BV2 | N | | pchp_3.alarm
SPEED REF | AV1 | % Y | | pchp_3.speed_command
OUTPUT SPEED | AV2 | % N | | pchp_3.speed
OUTPUT FREQ | AV3 | Hz N | | -
DEVICE | vav | 801 | VAV-2-14
ZN-T | AI1 | °F | | vav_2_14.temperature
ZN-T-SP | AV1 | °F | | vav_2_14.temperature_setpoint
DA-T | AI2 | °F | | vav_2_14.supply_air_temperature
OCC-CMD | BV1 | | | vav_2_14.occupied_command
HTG-STPT | AV2 | °F | | -
DEVICE | node | 820 | Controller 20
AI_01 | AI1 | °C | Chiller 5 chilled water supply temperature | chiller_5.chilled_water_supply_temperature
BO_01 | BO1 | | Chiller 5 start/stop | chiller_5.run_command
BI_01 | BI1 | | Chiller 5 run status | chiller_5.run_status
BI_02 | BI2 | | Spare | -
Campus/Plant/CWP-4/Status | BI3 | | | cdp_4.run_status
Campus/Plant/CWP-4/Cmd | BO3 | | | cdp_4.run_command
""")

LISTS = {
    "abbreviations": ABBREVIATIONS,
    "Carrier 30XV": CARRIER,
    "written out": VERBOSE,
    "our own names": OWN_NAMES,
    "Haystack, Brick and descriptions": TAGS,
}


def commandable(what: str, kinds: dict[str, object]) -> bool:
    """Whether `<equipment>.<role>` is commanded."""
    equipment, _, role = what.partition(".")
    kind = kinds.get(equipment)
    return kind is not None and ROLES[kind][role].commandable


__all__ = ["LISTS", "PointList", "Quantity", "commandable"]
