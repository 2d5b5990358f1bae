"""A BACnet/IP device of the plant file, on a real UDP port."""

import asyncio
from collections.abc import Iterable, Mapping
from math import isfinite
import socket
from typing import Any

from bacpypes3.app import Application
from bacpypes3.basetypes import BinaryPV, EngineeringUnits, Segmentation, StatusFlags
from bacpypes3.errors import PropertyError
from bacpypes3.ipv4 import IPv4DatagramProtocol
from bacpypes3.ipv4.link import NormalLinkLayer
from bacpypes3.local.analog import (
    AnalogInputObject,
    AnalogOutputObject,
    AnalogValueObject,
    AnalogValueObjectCmd,
)
from bacpypes3.local.binary import (
    BinaryInputObject,
    BinaryOutputObject,
    BinaryValueObject,
    BinaryValueObjectCmd,
)
from bacpypes3.local.device import DeviceObject
from bacpypes3.pdu import IPv4Address
from bacpypes3.primitivedata import Null, ObjectType

from ..plant.model import BacnetAddress, BacnetDevice, Plant, Point, PointKey, Value
from ..plant.units import to_internal, to_wire
from .serving import ServerError, no_address

_COV_INCREMENT = 0.1
_OPEN_TIMEOUT = 5.0
_TURNS_TO_END = 20

_UNITS = {
    "°C": "degreesCelsius",
    "°F": "degreesFahrenheit",
    "K": "degreesKelvin",
    "kPa": "kilopascals",
    "Pa": "pascals",
    "hPa": "hectopascals",
    "mbar": "millibars",
    "bar": "bars",
    "psi": "poundsForcePerSquareInch",
    "l/s": "litersPerSecond",
    "l/min": "litersPerMinute",
    "l/h": "litersPerHour",
    "m3/h": "cubicMetersPerHour",
    "m³/h": "cubicMetersPerHour",
    "m3/s": "cubicMetersPerSecond",
    "m³/s": "cubicMetersPerSecond",
    "gpm": "usGallonsPerMinute",
    "kW": "kilowatts",
    "W": "watts",
    "MW": "megawatts",
    "RT": "tonsRefrigeration",
    "kWh": "kilowattHours",
    "Wh": "wattHours",
    "MWh": "megawattHours",
    "%": "percent",
}


class _ReadOnly:
    """Refuse every write: the stack itself would take them all."""

    async def write_property(
        self, _attr: Any, _value: Any, _index: Any = None, _priority: Any = None
    ) -> None:
        raise PropertyError("writeAccessDenied")


class _Checked:
    """Take commands of the present value only, and only within the limits."""

    presentValue: Any  # noqa: N815 (BACnet's name)
    _lowest: float | None = None
    _highest: float | None = None

    async def write_property(
        self, attr: Any, value: Any, index: Any = None, priority: Any = None
    ) -> None:
        name = attr if isinstance(attr, str) else attr.attr
        if name != "presentValue":
            raise PropertyError("writeAccessDenied")
        if isinstance(value, float) and not (
            isfinite(value)
            and (self._lowest is None or value >= self._lowest)
            and (self._highest is None or value <= self._highest)
        ):
            raise PropertyError("valueOutOfRange")
        if isinstance(value, Null) and priority is None:
            raise PropertyError("invalidDataType")
        await super().write_property(attr, value, index, priority)  # type: ignore[misc]


class _AnalogInput(_ReadOnly, AnalogInputObject):  # type: ignore[misc]
    pass


class _AnalogOutput(_Checked, AnalogOutputObject):  # type: ignore[misc]
    pass


class _AnalogValue(_ReadOnly, AnalogValueObject):  # type: ignore[misc]
    pass


class _AnalogCommand(_Checked, AnalogValueObjectCmd):  # type: ignore[misc]
    pass


class _BinaryInput(_ReadOnly, BinaryInputObject):  # type: ignore[misc]
    pass


class _BinaryOutput(_Checked, BinaryOutputObject):  # type: ignore[misc]
    pass


class _BinaryValue(_ReadOnly, BinaryValueObject):  # type: ignore[misc]
    pass


class _BinaryCommand(_Checked, BinaryValueObjectCmd):  # type: ignore[misc]
    pass


# The class that shows a point, and the one that also takes commands.
_CLASSES: Mapping[str, tuple[type[Any] | None, type[Any] | None]] = {
    "analog-input": (_AnalogInput, None),
    "analog-output": (None, _AnalogOutput),
    "analog-value": (_AnalogValue, _AnalogCommand),
    "binary-input": (_BinaryInput, None),
    "binary-output": (None, _BinaryOutput),
    "binary-value": (_BinaryValue, _BinaryCommand),
}

_NO_FLAGS = StatusFlags([0, 0, 0, 0])


def _present(point: Point, value: Value) -> Any:
    """Return a value as its object carries it."""
    if point.role.quantity.is_boolean:
        return BinaryPV.active if value else BinaryPV.inactive
    return to_wire(point.role.quantity, point.wire_unit, float(value))


def _commanded(point: Point, present: Any) -> Value:
    """Return what a present value means."""
    if point.role.quantity.is_boolean:
        return bool(present == BinaryPV.active)
    return to_internal(point.role.quantity, point.wire_unit, float(present))


def _address(point: Point) -> BacnetAddress:
    if not isinstance(point.address, BacnetAddress):
        raise TypeError(f"{point.key} has no BACnet address")
    return point.address


def _limit(point: Point, limit: float | None) -> float | None:
    if limit is None:
        return None
    return to_wire(point.role.quantity, point.wire_unit, limit)


def _build(plant: Plant, point: Point, value: Value) -> Any:
    """Return the object of a point, with its value and relinquish default."""
    address = _address(point)
    shows, takes = _CLASSES[address.object_type]
    commandable = point.role.commandable and point.writable
    cls = takes if commandable and takes is not None else shows or takes
    if cls is None:
        raise TypeError(f"{point.key}: no such object type: {address.object_type}")
    equipment = plant.equipment[point.equipment]
    described = point.role.name.replace("_", " ")
    properties: dict[str, Any] = {
        "objectIdentifier": (
            ObjectType(address.object_type),
            address.object_instance,
        ),
        "objectName": point.key,
        "description": f"{equipment.name} {described}",
        "presentValue": _present(point, value),
        "statusFlags": _NO_FLAGS,
        "eventState": "normal",
        "outOfService": False,
    }
    if address.object_type.startswith("analog"):
        unit = point.wire_unit or point.role.quantity.unit or ""
        name = _UNITS.get(unit, "noUnits")
        properties["units"] = EngineeringUnits(name)
        properties["covIncrement"] = _COV_INCREMENT
    elif address.object_type != "binary-value":
        properties["polarity"] = "normal"
    if issubclass(cls, _Checked):
        properties["relinquishDefault"] = properties["presentValue"]
    built = cls(**properties)
    if isinstance(built, _Checked) and not point.role.quantity.is_boolean:
        built._lowest = _limit(point, point.low)
        built._highest = _limit(point, point.high)
    return built


class _Unplugged:
    """Where the answers of a device go that is off the wire."""

    def sendto(self, _data: bytes, _address: Any = None) -> None:
        """Nowhere."""

    def close(self) -> None:
        """Nothing is open."""


class BacnetDeviceServer:
    """One device: an application with its objects on its own address."""

    def __init__(
        self,
        plant: Plant,
        device: BacnetDevice,
        points: Iterable[Point],
        values: Mapping[PointKey, Value],
    ) -> None:
        """Take the device's points and what they show at first.

        Raise `ServerError` for an address that no local port can have.
        """
        self.name = device.key
        self.on_wire = False
        host, _, port = device.address.partition(":")
        if host.count(".") != 3 or not (port or "47808").isdigit():
            raise ServerError(
                f"{device.key}: only a device with an address like 127.0.0.11:47808"
                f" can be simulated, not {device.address!r}"
            )
        self._address = (host, int(port or 47808))
        self._points = {point.key: point for point in points}
        self._objects = {
            key: _build(plant, point, values[key])
            for key, point in self._points.items()
        }
        self._shown: dict[PointKey, Value] = {}
        self._device = DeviceObject(
            objectIdentifier=("device", device.instance),
            objectName=device.key,
            description=f"{plant.name}, simulated",
            vendorName="Chiller plant simulator",
            modelName="Simulated controller",
            maxApduLengthAccepted=1476,
            segmentationSupported=Segmentation.segmentedBoth,
            apduTimeout=1000,
            numberOfApduRetries=1,
        )
        self._application: Any = None
        self._link: Any = None

    def _socket(self) -> socket.socket:
        """Bind alone: the stack shares ports silently, which hides conflicts."""
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.setblocking(False)
        try:
            bound.bind(self._address)
        except OSError as error:
            bound.close()
            raise no_address(self.name, self._address, error) from error
        return bound

    async def start(self) -> None:
        """Go on the wire. Raise `ServerError` when the address is taken."""
        if self.on_wire:
            return
        bound = self._socket()
        if self._application is None:
            self._application = Application.from_object_list(
                [self._device, *self._objects.values()]
            )
            address = IPv4Address(self._address)
            self._link = NormalLinkLayer(address, bind_socket=bound)
            self._application.nsap.bind(self._link, address=address)
            async with asyncio.timeout(_OPEN_TIMEOUT):
                await self._link.server._local_transport_ready.wait()  # noqa: SLF001
        else:
            # The application lives on, with its priority arrays: only its
            # socket was gone.
            server = self._link.server

            def receiver() -> Any:
                protocol = IPv4DatagramProtocol()
                protocol.server = server
                return protocol

            loop = asyncio.get_running_loop()
            transport, protocol = await loop.create_datagram_endpoint(
                receiver, sock=bound
            )
            server.local_transport, server.local_protocol = transport, protocol
        self.on_wire = True

    async def stop(self) -> None:
        """Go off the wire; keep everything that was written.

        Like a device without power, it forgets who asked for reports.
        """
        if not self.on_wire:
            return
        self.on_wire = False
        server = self._link.server
        server.local_transport.close()
        server.local_transport = _Unplugged()
        # The transport closes its socket in the loop's next turn, and what it
        # has received is still being answered for some more.
        for _ in range(_TURNS_TO_END):
            await asyncio.sleep(0)
        for detection in list(self._application._cov_detections.values()):  # noqa: SLF001
            for subscription in list(detection.cov_subscriptions):
                self._application.cancel_subscription(subscription)

    def commands(self) -> Mapping[PointKey, Value]:
        """Return the present values of everything that takes commands."""
        return {
            key: _commanded(self._points[key], item.presentValue)
            for key, item in self._objects.items()
            if isinstance(item, _Checked)
        }

    def publish(self, values: Mapping[PointKey, Value]) -> None:
        """Show new values of what does not take commands."""
        for key, item in self._objects.items():
            value = values[key]
            if isinstance(item, _Checked) or self._shown.get(key) == value:
                continue
            self._shown[key] = value
            item.presentValue = _present(self._points[key], value)
