"""One point of a plant file: its role, where it is, and what it may be told."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..model import (
    Address,
    BacnetAddress,
    ModbusAddress,
    Point,
    Protocol,
    RegisterKind,
    RegisterType,
    States,
)
from ..roles import Role
from ..units import unit_names
from .modbus_checks import modbus_findings
from .problems import KeyPath, Problems, describe
from .schema import POINT
from .sections import Origin
from .wire_values import BACNET_INPUTS, BACNET_OBJECTS

_MODBUS_KEYS = (
    "register",
    "address",
    "type",
    "word_order",
    "scale",
    "offset",
    "bit",
    "bits",
    "write_function",
)
_BACNET_KEYS = ("object", "priority_array")
_ADDRESS_KEYS = (*_BACNET_KEYS, *_MODBUS_KEYS, "states")


@dataclass(frozen=True, slots=True)
class DeviceReference:
    """Where a device key leads."""

    connection: str
    protocol: Protocol | None
    """None where the connection itself is wrong."""


def merge_point(template: object, own: object) -> object:
    """Return a point's keys with its own before those of the template.

    A point that names another kind of address drops the template's.
    """
    if not isinstance(template, dict) or not isinstance(own, dict):
        return own
    merged = dict(template)
    if "object" in own or "register" in own:
        for key in _ADDRESS_KEYS:
            merged.pop(key, None)
    return {**merged, **own}


@dataclass(frozen=True, slots=True)
class PointSource:
    """One merged point of the file, with what is needed to judge it."""

    data: object
    path: KeyPath
    origin: Origin
    equipment: str
    role: Role
    device: object
    """The device of the equipment, for a point that names none."""


def build_point(
    source: PointSource,
    devices: Mapping[str, DeviceReference] | None,
    problems: Problems,
) -> Point | None:
    """Return the point, or None with at least one problem noted.

    `devices` is None where the connections of the file cannot be read.
    """
    return _PointBuilder(source, devices, problems).build()


class _PointBuilder:
    def __init__(
        self,
        source: PointSource,
        devices: Mapping[str, DeviceReference] | None,
        problems: Problems,
    ) -> None:
        self._source = source
        self._role = source.role
        self._devices = devices
        self._problems = problems
        self._failed = False
        self._given = source.data if isinstance(source.data, dict) else {}
        self._keys: dict[str, Any] = {}

    def build(self) -> Point | None:
        source = self._source
        noted = self._problems.count
        if not isinstance(source.data, dict):
            self._problem((), f"found {describe(source.data)}", "expected a mapping")
            return None
        self._keys = POINT.check(
            source.data, source.path, self._problems, source.origin
        )
        address = self._address()
        low, high = self._keys.get("limits", (None, None))
        if self._role.quantity.is_boolean:
            self._refuse_number_keys()
        else:
            self._check_unit(address)
        writable = self._writable(address)
        self._check_command(writable, low, high, address)
        if self._failed or self._problems.count > noted:
            return None
        return Point(
            key=f"{source.equipment}.{self._role.name}",
            equipment=source.equipment,
            role=self._role,
            address=address,
            wire_unit=self._keys.get("unit"),
            low=low,
            high=high,
            writable=writable,
            release=self._keys.get("release"),
            ramp=self._keys.get("ramp"),
            tier=self._keys.get("poll", self._role.tier),
            frozen_after=self._keys.get("frozen_after"),
        )

    def _problem(self, key: tuple[str, ...], found: str, allowed: str = "") -> None:
        self._failed = True
        path = self._source.origin((*self._source.path, *key))
        self._problems.add(path, found, allowed)

    def _address(self) -> Address | None:
        given = self._given
        if "object" in given and "register" in given:
            self._problem((), "both 'object' and 'register'", "one of them")
            return None
        if "object" in given:
            for key in _MODBUS_KEYS:
                if key in given:
                    self._problem((key,), f"'{key}' is for Modbus", "remove it")
            return self._bacnet()
        if "register" in given:
            if "priority_array" in given:
                self._problem(
                    ("priority_array",), "'priority_array' is for BACnet", "remove it"
                )
            return self._modbus()
        for key in ("device", "unit", "poll", "frozen_after", *_ADDRESS_KEYS):
            if key in given:
                self._problem(
                    (key,),
                    f"'{key}' without an address",
                    "give 'object' (BACnet) or 'register' and 'address' (Modbus)",
                )
        if not self._role.commandable:
            self._problem(
                (),
                "no address",
                "give 'object' (BACnet) or 'register' and 'address' (Modbus)",
            )
        elif "release" not in given:
            self._problem(
                (), "neither an address nor a 'release'", "its value with no command"
            )
        return None

    def _device(self, protocol: Protocol) -> tuple[str, str] | None:
        """Return connection and device key, if they are right."""
        own = "device" in self._given
        device = self._given["device"] if own else self._source.device
        if self._devices is None or not isinstance(device, str | None):
            return None
        if device is None:
            if not own:
                # Once for the equipment rather than for each of its points.
                self._failed = True
                self._problems.add(
                    self._source.path[:2],
                    "no device",
                    "a 'device' of the equipment, or of each point",
                )
            return None
        reference = self._devices.get(device)
        if reference is None:
            # The device of the equipment is judged there.
            self._failed = True
            if own:
                self._problems.add(
                    self._source.origin(self._source.path),
                    f"device {describe(device)} is not defined",
                    word=device,
                    names=self._devices,
                )
            return None
        if reference.protocol is not None and reference.protocol is not protocol:
            self._failed = True
            key = "object" if protocol is Protocol.BACNET_IP else "register"
            # A wrong device of the equipment is one problem, not one a point.
            path = self._source.path if own else self._source.path[:2]
            self._problems.add(
                self._source.origin((*path, "device")) if own else (*path, "device"),
                f"'{device}' on '{reference.connection}' speaks {reference.protocol}, "
                f"a point with '{key}' does not",
                "'register' and 'address'"
                if reference.protocol is Protocol.MODBUS_TCP
                else "'object'",
            )
            return None
        return reference.connection, device

    def _bacnet(self) -> Address | None:
        place = self._device(Protocol.BACNET_IP)
        if (found := self._keys.get("object")) is None:
            return None
        object_type, instance = found
        kinds = (
            ("binary", "multi-state") if self._role.quantity.is_boolean else ("analog",)
        )
        if not object_type.startswith(kinds):
            allowed = ", ".join(n for n in BACNET_OBJECTS if n.startswith(kinds))
            self._problem(
                ("object",),
                f"found '{object_type}' for {self._kind()}",
                f"allowed: {allowed}",
            )
            return None
        states = self._states(needed=object_type.startswith("multi-state"))
        if states and object_type.startswith("binary"):
            self._problem(("states",), f"'states' of a {object_type}", "remove it")
        if 0 in dict(states):
            self._problem(("states",), "found the state 0", "states from 1 (BACnet)")
        takes_slots = object_type not in BACNET_INPUTS
        if "priority_array" in self._given and not takes_slots:
            self._problem(
                ("priority_array",), f"'priority_array' of a {object_type}", "remove it"
            )
        # The address is returned even where the device is wrong: the rest of
        # the point is judged by its kind.
        connection, device = place or ("", "")
        return BacnetAddress(
            connection,
            device,
            object_type,
            instance,
            priority_array=self._keys.get("priority_array", True),
            states=states,
        )

    def _states(self, *, needed: bool = False) -> States:
        states: States = self._keys.get("states", ())
        if "states" in self._given and not self._role.quantity.is_boolean:
            self._problem(("states",), f"'states' for {self._kind()}", "remove it")
        if needed and "states" not in self._given:
            self._problem(
                (),
                "a multi-state object without 'states'",
                "states: {1: false, 2: true}",
            )
        return states

    def _modbus(self) -> Address | None:
        place = self._device(Protocol.MODBUS_TCP)
        if "address" not in self._given:
            self._problem((), "the key 'address' is missing", "0 to 65535")
        kind: RegisterKind | None = self._keys.get("register")
        if kind is None:
            return None
        for key, found, allowed in modbus_findings(
            self._given, self._keys, kind, self._role, self._kind()
        ):
            self._problem((key,) if key else (), found, allowed)
        connection, device = place or ("", "")
        return ModbusAddress(
            connection=connection,
            device=device,
            kind=kind,
            address=int(self._keys.get("address", 0)),
            type=self._keys.get("type", RegisterType.UINT16),
            word_order=self._keys.get("word_order", "big"),
            scale=self._keys.get("scale", 1.0),
            offset=self._keys.get("offset", 0.0),
            bit=self._keys.get("bit"),
            bits=self._keys.get("bits"),
            states=self._states(),
            write_function=self._keys.get("write_function", "single"),
        )

    def _kind(self) -> str:
        if self._role.quantity.is_boolean:
            return f"'{self._role.name}', which is true or false"
        return f"'{self._role.name}', which is a number"

    def _refuse_number_keys(self) -> None:
        for key in ("limits", "unit", "ramp", "scale", "offset", "frozen_after"):
            if key in self._given:
                self._problem((key,), f"'{key}' for {self._kind()}", "remove it")

    def _check_unit(self, address: Address | None) -> None:
        unit = self._keys.get("unit")
        names = unit_names(self._role.quantity)
        if unit is not None and address is not None and unit not in names:
            self._failed = True
            self._problems.add(
                self._source.origin((*self._source.path, "unit")),
                f"found {describe(unit)} for {self._kind()}",
                word=unit,
                names=names,
            )

    def _writable(self, address: Address | None) -> bool:
        asked: bool | None = self._keys.get("writable")
        if not self._role.commandable:
            if asked:
                self._problem(
                    ("writable",),
                    f"'{self._role.name}' is for reading",
                    "remove 'writable'",
                )
            return False
        read_only = _read_only(address)
        if read_only and asked:
            self._problem(
                ("writable",),
                f"a {read_only} cannot be commanded",
                "remove 'writable', or use an output, a value, a coil or a holding "
                "register",
            )
        if "writable" in self._given and asked is None:
            return True  # Already a problem; spare the ones that follow from it.
        return not read_only if asked is None else asked

    def _check_command(
        self,
        writable: bool,
        low: float | None,
        high: float | None,
        address: Address | None,
    ) -> None:
        if not writable:
            read_only = _read_only(address)
            why = f"a {read_only}" if read_only else "a point that is not commanded"
            for key in ("release", "ramp", "write_function"):
                if key in self._given:
                    self._problem((key,), f"'{key}' of {why}", "remove it")
            if address is None and self._given.get("writable") is False:
                self._problem(
                    ("writable",), "no address and not writable", "an address"
                )
            return
        release = self._keys.get("release")
        if release is None:
            if isinstance(address, BacnetAddress) and not address.priority_array:
                self._problem(
                    ("priority_array",),
                    "no priority array and no 'release'",
                    "the value to write when nobody commands it",
                )
            return
        if isinstance(release, bool) is not self._role.quantity.is_boolean:
            self._problem(
                ("release",),
                f"found {describe(release)} for {self._kind()}",
                "true or false" if self._role.quantity.is_boolean else "a number",
            )
        elif not isinstance(release, bool) and (
            (low is not None and release < low) or (high is not None and release > high)
        ):
            self._problem(
                ("release",),
                f"{release:g} is outside the limits",
                _range_text(low, high),
            )


def _range_text(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high:g}"
    return f"at least {low:g}" if high is None else f"{low:g} to {high:g}"


def _read_only(address: Address | None) -> str | None:
    """Return what makes an address read-only, in words, or None."""
    match address:
        case BacnetAddress() if address.object_type in BACNET_INPUTS:
            return f"BACnet {address.object_type}"
        case ModbusAddress(kind=RegisterKind.INPUT):
            return "Modbus input register"
        case ModbusAddress(kind=RegisterKind.DISCRETE_INPUT):
            return "Modbus discrete input"
        case ModbusAddress(bits=tuple()):
            return "field of bits"
    return None
