"""BACnet/IP: many points in one request, typed values, one priority slot.

BAC0 starts the stack; its own reading and writing by text is not used, because
it loses values on the way.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from bacpypes3.basetypes import PropertyIdentifier
from bacpypes3.pdu import Address
from bacpypes3.primitivedata import Null, ObjectIdentifier

from ..plant.model import (
    BacnetAddress,
    BacnetConnection,
    BacnetDevice,
    Point,
    PointKey,
    Value,
)
from .bacnet_cov import ChangeReports
from .bacnet_device import Device
from .bacnet_failures import RequestFailed
from .bacnet_network import BacnetNetwork, parse_station
from .bacnet_read_multiple import PRESENT_VALUE, Place
from .bacnet_reading import read_priority_arrays, read_values
from .bacnet_values import (
    OBJECT_TYPES,
    Answer,
    Unusable,
    from_wire,
    overridden,
    slot_in_use,
    to_present_value,
)
from .driver import DeviceSilent, DriverError, PointRefused, ReadReport, Traffic
from .lanes import Lane

_PRESENT_VALUE = PropertyIdentifier(PRESENT_VALUE)


class BacnetDriver:
    """The points of one BACnet/IP connection; see `driver.Driver`."""

    def __init__(
        self,
        connection: BacnetConnection,
        network: BacnetNetwork,
        *,
        report_lifetime: float = 600.0,
    ) -> None:
        """Speak for `connection` through the stack of its local address.

        Devices are asked to report changes for `report_lifetime` seconds at a
        time.
        """
        self._connection = connection
        self._network = network
        self._open = False
        self._devices: dict[str, Device] = {}
        self._reports = ChangeReports(
            network, self.read, _take_in, lifetime=report_lifetime
        )
        self._tell: Callable[[str], None] = _nobody
        self._deafen: Callable[[], None] = _nothing

    async def connect(self) -> None:
        """Open the network. Raise `DriverError` when it cannot work at all."""
        if self._open:
            return
        self._devices = {
            key: self._device(device)
            for key, device in self._connection.devices.items()
        }
        await self._network.open(self._connection)
        self._reports.open(self._devices.values())
        self._deafen = self._network.listen_i_am(self._heard_i_am)
        self._open = True

    async def close(self) -> None:
        """Leave the network to the others. Never raises."""
        if self._open:
            self._open = False
            await self._reports.close()
            self._deafen()
            await self._network.close()

    async def read(self, points: Iterable[Point]) -> ReadReport:
        """Read these points: devices side by side, a few requests each at a time."""
        report = ReadReport()
        async with asyncio.TaskGroup() as group:
            for key, of_device in _by_device(points).items():
                if (device := self._devices.get(key)) is not None:
                    group.create_task(self._read_device(device, of_device, report))
                else:
                    report.silent_devices[key] = self._not_open(key)
                    for point in of_device:
                        report.failures[point.key] = self._not_open(key)
        return report

    async def write(self, point: Point, value: Value) -> None:
        """Command a point at the connection's priority."""
        address = _address(point)
        try:
            wire_value = to_present_value(point, address.object_type, value)
        except Unusable as error:
            raise PointRefused(f"{point.key}: {error}") from error
        await self._command(point, address, wire_value)

    async def release(self, point: Point) -> None:
        """Give the point back.

        NULL at the connection's priority. An object without a priority array
        would say yes to that and stay as it is: it gets its release value, or
        nothing where it has none.
        """
        address = _address(point)
        if address.priority_array:
            await self._command(point, address, Null(()))
        elif point.release is not None:
            await self.write(point, point.release)

    def watch(
        self, points: Iterable[Point], heard: Callable[[ReadReport], None]
    ) -> None:
        """Have devices report these points, where it is worth it; see `Driver`."""
        self._reports.watch(points, heard)

    @property
    def assured(self) -> frozenset[PointKey]:
        """Points whose reports are confirmed, and that were read since they are."""
        return self._reports.assured

    async def overrides(self, points: Iterable[Point]) -> Mapping[PointKey, str]:
        """Return where a slot of a higher priority than ours is in use."""
        found: dict[PointKey, str] = {}
        async with asyncio.TaskGroup() as group:
            for key, of_device in _by_device(points).items():
                commanded = [
                    point
                    for point in of_device
                    if point.writable and _address(point).priority_array
                ]
                device = self._devices.get(key)
                if commanded and device is not None:
                    group.create_task(self._find_overrides(device, commanded, found))
        return found

    def device(self, key: str) -> Device | None:
        """Return a device of the connection; None while it is not open."""
        return self._devices.get(key) if self._open else None

    def call_when_heard(self, heard: Callable[[str], None]) -> None:
        """Call `heard` with each device of ours that announces itself."""
        self._tell = heard

    def traffic(self) -> Mapping[str, Traffic]:
        """Return what each device costs."""
        for key, device in self._devices.items():
            device.traffic.subscriptions = self._reports.subscribed(key)
        return {key: device.traffic_now() for key, device in self._devices.items()}

    def diagnostics(self) -> Mapping[str, object]:
        """Return what is known of the network and each device."""
        return {
            "local_address": self._connection.local_address,
            "local_port": self._connection.local_port,
            "write_priority": self._connection.write_priority,
            **self._network.diagnostics(),
            "devices": {
                key: device.diagnostics() for key, device in self._devices.items()
            },
        }

    def _device(self, device: BacnetDevice) -> Device:
        try:
            address, router = parse_station(device.address)
        except ValueError:
            raise DriverError(
                f"connection {self._connection.key}: device {device.key}: "
                f"'{device.address}' is not an address; write ip:port, or network:mac "
                "for a device behind a router"
            ) from None
        if router is not None and address.addrNet is not None:
            self._network.declare_router(address.addrNet, router)
        return Device(device, address, self._network)

    def _heard_i_am(self, instance: int, address: Address) -> None:
        for device in self._devices.values():
            if device.address != address:
                continue
            if device.instance == instance:
                self._reports.announced(device.key)
                self._tell(device.key)
            else:
                # Another one is there now, and must not be commanded.
                device.known = False

    def _not_open(self, key: str) -> str:
        return f"device {key}: connection {self._connection.key} is not open"

    async def _read_device(
        self, device: Device, points: Sequence[Point], report: ReadReport
    ) -> None:
        objects: dict[Place, list[Point]] = {}
        for point in points:
            objects.setdefault(_place(point), []).append(point)
        unanswered = dict.fromkeys(objects)
        began = asyncio.get_running_loop().time()

        def told(answers: Mapping[Place, Answer]) -> None:
            for place, answer in answers.items():
                unanswered.pop(place, None)
                for point in objects[place]:
                    _take_in(device, point, answer, report)

        try:
            await device.meet(Lane.POLL)
            await read_values(device, tuple(objects), told)
        except DeviceSilent as error:
            failure = str(error)
            if len(unanswered) == len(objects):
                report.silent_devices[device.key] = failure
        except PointRefused as error:
            failure = str(error)
        for place in unanswered:
            for point in objects[place]:
                report.failures[point.key] = failure
        self._reports.polled(device.key, began, objects, report)

    async def _find_overrides(
        self, device: Device, points: Sequence[Point], found: dict[PointKey, str]
    ) -> None:
        ours = self._connection.write_priority
        try:
            await device.meet(Lane.POLL)
            arrays = await read_priority_arrays(
                device, tuple(dict.fromkeys(map(_place, points)))
            )
        except DriverError, RequestFailed:
            # Nobody can tell; that is for whoever reads it to say.
            return
        for point in points:
            slots = arrays.get(_place(point), [])
            used = slot_in_use(slots, ours, _address(point).object_type)
            if used is not None:
                found[point.key] = (
                    f"{device}: priority {used[0]} holds {used[1]}, "
                    f"which goes before ours ({ours})"
                )

    async def _command(
        self, point: Point, address: BacnetAddress, value: object
    ) -> None:
        if (device := self._devices.get(address.device)) is None:
            raise DeviceSilent(f"{point.key}: {self._not_open(address.device)}")
        priority = self._connection.write_priority if address.priority_array else None
        identifier = ObjectIdentifier(_place(point))
        try:
            await device.meet(Lane.COMMAND)
            await device.ask(
                lambda application: application.write_property(
                    device.address, identifier, _PRESENT_VALUE, value, None, priority
                ),
                Lane.COMMAND,
            )
        except DeviceSilent as error:
            raise DeviceSilent(f"{point.key}: {error}") from error
        except PointRefused as error:
            raise PointRefused(f"{point.key}: {error}") from error
        except RequestFailed as error:
            what = "the release" if isinstance(value, Null) else str(value)
            at = "" if priority is None else f" at priority {priority}"
            raise PointRefused(
                f"{point.key}: {device} refused {what} for {_name(address)}{at}: "
                f"{error.reason}"
            ) from error


def _take_in(device: Device, point: Point, answer: Answer, report: ReadReport) -> None:
    address = _address(point)
    failure = answer.failure
    if failure is None:
        try:
            report.values[point.key] = from_wire(
                point, address.object_type, answer.value, answer.flags
            )
        except Unusable as error:
            failure = str(error)
        else:
            device.traffic.points += 1
            if (how := overridden(answer.flags)) is not None:
                report.overridden[point.key] = how
            return
    report.failures[point.key] = f"{device}: {_name(address)}: {failure}"


def _by_device(points: Iterable[Point]) -> dict[str, list[Point]]:
    devices: dict[str, list[Point]] = {}
    for point in points:
        devices.setdefault(_address(point).device, []).append(point)
    return devices


def _place(point: Point) -> Place:
    address = _address(point)
    return OBJECT_TYPES[address.object_type], address.object_instance


def _name(address: BacnetAddress) -> str:
    return f"{address.object_type},{address.object_instance}"


def _nobody(device: str) -> None:
    """Be called where nobody wants to hear."""


def _nothing() -> None:
    """Be called where there is nothing to end."""


def _address(point: Point) -> BacnetAddress:
    if not isinstance(point.address, BacnetAddress):
        raise DriverError(f"{point.key} has no BACnet address")
    return point.address
