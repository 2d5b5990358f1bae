"""The shape of a plant file: which keys a section has and what they may hold.

One table of voluptuous rows a section. What goes beyond a single value
(references, addresses that two points share) is checked where it is built.
"""

import dataclasses

import voluptuous as vol

from ..model import InterlockSettings, Protocol, RegisterKind, RegisterType
from ..roles import EquipmentType, PollTier
from .sections import Row, Section
from .values import (
    Validator,
    anything,
    boolean,
    limits,
    list_of,
    mapping_of,
    number,
    one_of,
    release,
    slug,
    text,
    variable,
)
from .wire_values import (
    BACNET_PORT,
    MAXIMUM_INSTANCE,
    MODBUS_PORT,
    bacnet_host,
    bacnet_object,
    bacnet_station,
    bit_field,
    host,
    interface,
    register_ranges,
    states,
    write_priority,
)

_MAPPING = mapping_of(anything, anything)
_KEYED = mapping_of(slug, anything)
_SECONDS = number(0, 86_400)
# Shorter ones could not be met by a plant that is read every second.
_WATCHDOG = number(3, 86_400)
_RATINGS = mapping_of(slug, number())

TOP = Section(
    {
        vol.Required("plant"): _MAPPING,
        vol.Required("connections"): _KEYED,
        vol.Optional("templates", default=dict): _KEYED,
        vol.Required("equipment"): _KEYED,
        vol.Optional("profiles"): list_of(text),
        vol.Optional("day_types"): _MAPPING,
        vol.Optional("simulation", default=dict): _MAPPING,
    }
)
PLANT = Section(
    {
        vol.Required("key"): slug,
        vol.Required("name"): text,
        vol.Optional("poll_interval", default=5.0): number(1, 300),
        vol.Optional("normal_poll_interval"): number(1, 3600),
        vol.Optional("slow_poll_interval"): number(1, 86_400),
        vol.Optional("command_lease", default=60.0): number(10, 3600),
    }
)
CONNECTIONS = {
    Protocol.BACNET_IP: Section(
        {
            vol.Required("protocol"): anything,
            vol.Required("local_address"): interface,
            vol.Optional("local_port", default=BACNET_PORT): number(
                1, 65535, whole=True
            ),
            vol.Required("instance"): number(0, MAXIMUM_INSTANCE, whole=True),
            vol.Optional("write_priority", default=10): write_priority,
            vol.Optional("bbmd"): bacnet_host,
            vol.Optional("bbmd_lifetime", default=300): number(30, 65535, whole=True),
            vol.Required("devices"): _KEYED,
        }
    ),
    Protocol.MODBUS_TCP: Section(
        {
            vol.Required("protocol"): anything,
            vol.Required("host"): host,
            vol.Optional("port", default=MODBUS_PORT): number(1, 65535, whole=True),
            vol.Required("devices"): _KEYED,
        }
    ),
}
DEVICES = {
    Protocol.BACNET_IP: Section(
        {
            vol.Required("address"): bacnet_station,
            vol.Required("instance"): number(0, MAXIMUM_INSTANCE, whole=True),
            vol.Optional("watchdog_timeout"): _WATCHDOG,
        }
    ),
    Protocol.MODBUS_TCP: Section(
        {
            vol.Required("unit"): number(0, 255, whole=True),
            vol.Optional("message_spacing", default=0.0): number(0, 10),
            vol.Optional("watchdog_timeout"): _WATCHDOG,
            vol.Optional("ranges", default=dict): register_ranges,
        }
    ),
}
_SHARED: dict[Row, Validator] = {
    vol.Optional("device"): slug,
    vol.Optional("manufacturer"): text,
    vol.Optional("model"): text,
    vol.Optional("ratings", default=dict): _RATINGS,
    vol.Optional("points", default=dict): _KEYED,
    vol.Optional("interlocks", default=dict): _MAPPING,
}
# The device of a template may have variables in it.
TEMPLATE = Section({**_SHARED, vol.Optional("device"): text})
EQUIPMENT = Section(
    {
        vol.Required("type"): one_of(EquipmentType),
        vol.Required("name"): text,
        vol.Optional("template"): slug,
        vol.Optional("variables", default=dict): mapping_of(slug, variable),
        vol.Optional("served_by", default=dict): _MAPPING,
        vol.Optional("measures", default=list): list_of(slug),
        **_SHARED,
    }
)
POINT = Section(
    {
        vol.Optional("device"): slug,
        vol.Optional("object"): bacnet_object,
        vol.Optional("register"): one_of(RegisterKind),
        vol.Optional("address"): number(0, 65535, whole=True),
        vol.Optional("type", default=RegisterType.UINT16): one_of(RegisterType),
        vol.Optional("word_order", default="big"): one_of(("big", "little")),
        vol.Optional("scale", default=1.0): number(),
        vol.Optional("offset", default=0.0): number(),
        vol.Optional("bit"): number(0, 15, whole=True),
        vol.Optional("bits"): bit_field,
        vol.Optional("write_function", default="single"): one_of(
            ("single", "multiple")
        ),
        vol.Optional("states"): states,
        vol.Optional("priority_array"): boolean,
        vol.Optional("poll"): one_of(PollTier),
        vol.Optional("frozen_after"): _SECONDS,
        vol.Optional("unit"): text,
        vol.Optional("limits"): limits,
        vol.Optional("writable"): boolean,
        vol.Optional("release"): release,
        vol.Optional("ramp"): number(above=0),
    }
)
INTERLOCKS = Section(
    {
        vol.Optional(row.name): (
            number(1, 60, whole=True)
            if row.name == "maximum_starts_per_hour"
            else _SECONDS
        )
        for row in dataclasses.fields(InterlockSettings)
    }
)
