"""The shape of a plant file: which keys a section has and what they may hold.

One table of voluptuous rows a section. What goes beyond a single value
(references, addresses that two points share) is checked where it is built.
"""

from collections.abc import Callable, Iterable, Mapping
import dataclasses
from enum import StrEnum
import ipaddress
import math
import re
from typing import Any

import voluptuous as vol

from ..model import (
    InterlockSettings,
    Protocol,
    RegisterKind,
    RegisterRange,
    RegisterType,
)
from ..roles import EquipmentType, PollTier
from .problems import KeyPath, Problems, describe

type Validator = Callable[[object], object]
type _Key = vol.Required | vol.Optional
type Origin = Callable[[KeyPath], KeyPath]
"""Where in the file a key of a merged section was written."""

BACNET_PORT = 47808
MODBUS_PORT = 502
_MAXIMUM_INSTANCE = 4_194_302  # 4194303 stands for "any" (BACnet 12.11)

_SLUG = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)
_OBJECT = re.compile(r"([a-z-]{1,40}),([0-9]{1,7})", re.ASCII)
_STATION = re.compile(r"([0-9]{1,5}):([0-9]{1,3}|0x[0-9a-f]{2,14}|[0-9.:]{9,21})")

BACNET_INPUTS = ("analog-input", "binary-input", "multi-state-input")
BACNET_OBJECTS = (
    "analog-input",
    "analog-output",
    "analog-value",
    "binary-input",
    "binary-output",
    "binary-value",
    "multi-state-input",
    "multi-state-output",
    "multi-state-value",
)


class _NotOneOf(vol.Invalid):
    """A name that is not in a list; carries the list for a suggestion."""

    def __init__(self, word: object, names: Iterable[object]) -> None:
        super().__init__("not allowed")
        self.word = word
        self.names = tuple(names)


class _Unknown(_NotOneOf):
    """A key that the section does not have."""


def text(value: object) -> str:
    """Accept a line of text for people."""
    if not isinstance(value, str) or not value.strip() or len(value) > 100:
        raise vol.Invalid("expected text of 1 to 100 characters")
    if not value.isprintable():
        raise vol.Invalid("expected text on one line")
    return value


def slug(value: object) -> str:
    """Accept a name that other keys refer to."""
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise vol.Invalid(
            "expected a key of lower-case letters, digits and _, at most 64, "
            "starting with a letter"
        )
    return value


def boolean(value: object) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise vol.Invalid("expected true or false")
    return value


def number(
    low: float | None = None,
    high: float | None = None,
    *,
    above: float | None = None,
    whole: bool = False,
) -> Validator:
    """Return a validator for a finite number from `low` to `high`."""
    kind = "a whole number" if whole else "a number"
    if above is not None:
        expected = f"expected {kind} above {above}"
    elif low is not None and high is not None:
        expected = f"expected {kind} from {low} to {high}"
    elif low is not None:
        expected = f"expected {kind} not below {low}"
    else:
        expected = f"expected {kind}"

    def check(value: object) -> float:
        if (
            isinstance(value, bool)
            or not isinstance(value, int if whole else (int, float))
            or not math.isfinite(value)
            or (low is not None and value < low)
            or (high is not None and value > high)
            or (above is not None and value <= above)
        ):
            raise vol.Invalid(expected)
        return value if whole else float(value)

    return check


def one_of(names: Iterable[str] | type[StrEnum]) -> Validator:
    """Return a validator for one of these names (or a member of the enum)."""
    members = {str(name): name for name in names}

    def check(value: object) -> object:
        if not isinstance(value, str) or value not in members:
            raise _NotOneOf(value, members)
        return members[value]

    return check


def list_of(validator: Validator) -> Validator:
    """Return a validator for a list without repetitions."""
    schema = vol.Schema([validator])

    def check(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise vol.Invalid("expected a list")
        items: list[object] = schema(value)
        if len(set(items)) < len(items):
            raise vol.Invalid("expected every name once")
        return tuple(items)

    return check


def mapping_of(key: Validator, value: Validator) -> Validator:
    """Return a validator for a mapping with keys of the file's own choice."""
    schema = vol.Schema({key: value})

    def check(data: object) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise vol.Invalid("expected a mapping")
        return dict(schema(data))

    return check


def anything(value: object) -> object:
    """Accept what another room checks."""
    return value


def limits(value: object) -> tuple[float | None, float | None]:
    """Accept `[low, high]`; either may be null for none."""
    expected = "expected [low, high] with low below high; null for none"
    if not isinstance(value, list) or len(value) != 2:
        raise vol.Invalid(expected)
    finite = number()
    low, high = (None if end is None else finite(end) for end in value)
    if not (low is None or isinstance(low, float)):
        raise vol.Invalid(expected)
    if not (high is None or isinstance(high, float)):
        raise vol.Invalid(expected)
    if low is not None and high is not None and low >= high:
        raise vol.Invalid(expected)
    return low, high


def _interface(value: object) -> str:
    if isinstance(value, str) and "/" in value:
        try:
            ipaddress.IPv4Interface(value)
        except ValueError:
            pass
        else:
            return value
    raise vol.Invalid("expected address/prefix of our interface, as in 10.0.0.5/24")


def _host(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(
        r"[A-Za-z0-9]([A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?", value
    ):
        raise vol.Invalid("expected a host name or an IP address")
    return value


def _bacnet_station(value: object) -> str:
    """Accept host:port, or network:mac of a station behind a router."""
    if isinstance(value, str):
        host, _, port = value.partition(":")
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            station = _STATION.fullmatch(value)
            if station and 1 <= int(station[1]) <= 65534:
                return value
        else:
            if not port and ":" not in value:
                return f"{host}:{BACNET_PORT}"
            if re.fullmatch("[0-9]{1,5}", port) and 1 <= int(port) <= 65535:
                return value
    raise vol.Invalid(
        "expected address:port as in 10.0.0.7:47808, or network:mac as in 2:17"
    )


def _bacnet_host(value: object) -> str:
    """Accept host:port of a device on an IP network."""
    station = _bacnet_station(value)
    if station.count(".") != 3 or station.partition(":")[0].isdigit():
        raise vol.Invalid("expected address:port as in 10.0.0.7:47808")
    return station


def _register_ranges(value: object) -> tuple[RegisterRange, ...]:
    """Accept `{holding: [[0, 99], [200, 240]]}`."""
    expected = "expected {register table: [[first, last], ...]}"
    if not isinstance(value, dict):
        raise vol.Invalid(expected)
    place = number(0, 65535, whole=True)
    found = []
    for name, ranges in value.items():
        kind = one_of(RegisterKind)(name)
        if not isinstance(ranges, list):
            raise vol.Invalid(expected)
        for ends in ranges:
            if not isinstance(ends, list) or len(ends) != 2:
                raise vol.Invalid(expected)
            first, last = (place(end) for end in ends)
            if first > last:  # type: ignore[operator]
                raise vol.Invalid(expected)
            found.append(RegisterRange(kind, first, last))  # type: ignore[arg-type]
    return tuple(found)


def _bit_field(value: object) -> tuple[int, int]:
    """Accept `[first, last]`, both within a register of 16 bits."""
    expected = "expected [first, last], two bits from 0 to 15"
    if not isinstance(value, list) or len(value) != 2:
        raise vol.Invalid(expected)
    bit = number(0, 15, whole=True)
    first, last = (bit(end) for end in value)
    if first >= last:  # type: ignore[operator]
        raise vol.Invalid(expected)
    return first, last  # type: ignore[return-value]


def _states(value: object) -> tuple[tuple[int, bool], ...]:
    """Accept `{1: false, 2: true, 3: true}`: at least one of each."""
    expected = "expected {number: true or false, ...} with at least one of each"
    if not isinstance(value, dict) or not 2 <= len(value) <= 100:
        raise vol.Invalid(expected)
    whole = number(0, 65535, whole=True)
    states = tuple((whole(state), boolean(means)) for state, means in value.items())
    if {means for _, means in states} != {True, False}:
        raise vol.Invalid(expected)
    return states  # type: ignore[return-value]


def _write_priority(value: object) -> object:
    # 6 belongs to the minimum on and off times of the object itself (BACnet 19.2.3).
    if value == 6:
        raise vol.Invalid("6 is reserved for minimum on and off times: use 8 to 16")
    return number(1, 16, whole=True)(value)


def _bacnet_object(value: object) -> tuple[str, int]:
    found = _OBJECT.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise vol.Invalid('expected "type,number" as in "analog-input,1"')
    if found[1] not in BACNET_OBJECTS:
        raise _NotOneOf(found[1], BACNET_OBJECTS)
    if (instance := int(found[2])) > _MAXIMUM_INSTANCE:
        raise vol.Invalid(f"expected an object number from 0 to {_MAXIMUM_INSTANCE}")
    return found[1], instance


def _release(value: object) -> object:
    return value if isinstance(value, bool) else number()(value)


def _variable(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise vol.Invalid("expected a whole number or text")
    return value if isinstance(value, int) else text(value)


class Section:
    """The keys of one kind of section."""

    def __init__(self, rows: Mapping[_Key, Validator]) -> None:
        """Take a table of voluptuous markers and validators."""
        self.keys = tuple(str(marker) for marker in rows)
        self._strict = vol.Schema(dict(rows))
        # Where something is wrong, the rest is still looked at.
        self._lenient = vol.Schema(
            {
                vol.Optional(str(marker), default=marker.default): validator
                for marker, validator in rows.items()
            }
        )

    def check(
        self,
        data: object,
        path: KeyPath,
        problems: Problems,
        origin: Origin = lambda path: path,
    ) -> dict[str, Any]:
        """Return what is right in a section; note what is wrong in it."""
        if not isinstance(data, dict):
            found = f"found {describe(data)}"
            problems.add(origin(path), found, "expected a mapping")
            return {}
        known = {}
        for key, value in data.items():
            if key in self.keys:
                known[key] = value
            else:
                problems.add(
                    origin((*path, key)), "unknown key", word=key, names=self.keys
                )
        try:
            return dict(self._strict(known))
        except vol.MultipleInvalid as error:
            for each in error.errors:
                _note(each, known, path, problems, origin)
                if each.path:
                    known.pop(str(each.path[0]), None)
        return dict(self._lenient(known))


def _note(
    error: vol.Invalid,
    data: object,
    base: KeyPath,
    problems: Problems,
    origin: Origin,
) -> None:
    path: KeyPath = tuple(
        part if isinstance(part, int) else str(part) for part in error.path
    )
    if isinstance(error, vol.RequiredFieldInvalid):
        problems.add(origin(base), f"the key '{path[-1]}' is missing")
        return
    found = data
    for part in path:
        try:
            found = found[part]  # type: ignore[index]
        except KeyError, IndexError, TypeError:
            break
    where = origin((*base, *path))
    if isinstance(error, _NotOneOf):
        problems.add(
            where, f"found {describe(error.word)}", word=error.word, names=error.names
        )
    else:
        problems.add(where, f"found {describe(found)}", error.msg)


def list_of_keys(data: object, path: KeyPath, problems: Problems) -> tuple[str, ...]:
    """Return a list of keys that stand alone, empty where it is none."""
    try:
        return _KEYS(data)  # type: ignore[return-value]
    except vol.Invalid as error:
        errors = error.errors if isinstance(error, vol.MultipleInvalid) else [error]
        for each in errors:
            _note(each, data, path, problems, lambda path: path)
        return ()


_KEYS = list_of(slug)
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
            vol.Required("local_address"): _interface,
            vol.Optional("local_port", default=BACNET_PORT): number(
                1, 65535, whole=True
            ),
            vol.Required("instance"): number(0, _MAXIMUM_INSTANCE, whole=True),
            vol.Optional("write_priority", default=10): _write_priority,
            vol.Optional("bbmd"): _bacnet_host,
            vol.Optional("bbmd_lifetime", default=300): number(30, 65535, whole=True),
            vol.Required("devices"): _KEYED,
        }
    ),
    Protocol.MODBUS_TCP: Section(
        {
            vol.Required("protocol"): anything,
            vol.Required("host"): _host,
            vol.Optional("port", default=MODBUS_PORT): number(1, 65535, whole=True),
            vol.Required("devices"): _KEYED,
        }
    ),
}
DEVICES = {
    Protocol.BACNET_IP: Section(
        {
            vol.Required("address"): _bacnet_station,
            vol.Required("instance"): number(0, _MAXIMUM_INSTANCE, whole=True),
            vol.Optional("watchdog_timeout"): _WATCHDOG,
        }
    ),
    Protocol.MODBUS_TCP: Section(
        {
            vol.Required("unit"): number(0, 255, whole=True),
            vol.Optional("message_spacing", default=0.0): number(0, 10),
            vol.Optional("watchdog_timeout"): _WATCHDOG,
            vol.Optional("ranges", default=dict): _register_ranges,
        }
    ),
}
_SHARED: dict[_Key, Validator] = {
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
        vol.Optional("variables", default=dict): mapping_of(slug, _variable),
        vol.Optional("served_by", default=dict): _MAPPING,
        vol.Optional("measures", default=list): list_of(slug),
        **_SHARED,
    }
)
POINT = Section(
    {
        vol.Optional("device"): slug,
        vol.Optional("object"): _bacnet_object,
        vol.Optional("register"): one_of(RegisterKind),
        vol.Optional("address"): number(0, 65535, whole=True),
        vol.Optional("type", default=RegisterType.UINT16): one_of(RegisterType),
        vol.Optional("word_order", default="big"): one_of(("big", "little")),
        vol.Optional("scale", default=1.0): number(),
        vol.Optional("offset", default=0.0): number(),
        vol.Optional("bit"): number(0, 15, whole=True),
        vol.Optional("bits"): _bit_field,
        vol.Optional("write_function", default="single"): one_of(
            ("single", "multiple")
        ),
        vol.Optional("states"): _states,
        vol.Optional("priority_array"): boolean,
        vol.Optional("poll"): one_of(PollTier),
        vol.Optional("frozen_after"): _SECONDS,
        vol.Optional("unit"): text,
        vol.Optional("limits"): limits,
        vol.Optional("writable"): boolean,
        vol.Optional("release"): _release,
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
