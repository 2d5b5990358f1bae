"""BACnet/IP: many points in one request, typed values, one priority slot.

BAC0 starts the stack; its own reading and writing by text is not used, because
it loses values on the way. What the limits of devices ask for is learned from
the device when it first answers, and by halving a request that was too much.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

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
from .bacnet_network import (
    BacnetNetwork,
    Busy,
    NoAnswer,
    NotUnderstood,
    Refused,
    RequestFailed,
    TooMuch,
    parse_address,
)
from .bacnet_values import Unusable, from_wire, to_present_value
from .driver import DeviceSilent, DriverError, PointRefused, ReadReport, Traffic
from .lanes import Lane

_OUR_APDU = 1476
_USUAL_APDU = 480
"""For a device that does not say how long an answer may be."""
_READ_PROPERTY_MULTIPLE = 14
"""Its bit in a device's list of services."""

_PRESENT_VALUE = PropertyIdentifier("present-value")
_STATUS_FLAGS = PropertyIdentifier("status-flags")


class _Object(NamedTuple):
    """An object in a device."""

    type: str
    instance: int

    @property
    def identifier(self) -> ObjectIdentifier:
        return ObjectIdentifier((self.type, self.instance))

    def __str__(self) -> str:
        return f"{self.type},{self.instance}"


class _Answer(NamedTuple):
    """What a device said of an object; `failure` where it said nothing."""

    present_value: Any = None
    flags: Any = None
    failure: str | None = None


@dataclass(slots=True)
class _Device:
    """What is known of a device, and how it has behaved."""

    key: str
    text: str
    instance: int
    address: Address
    known: bool = False
    batch: int = 1
    """Objects in one request."""
    batches: bool = True
    """Whether it reads several objects at once."""
    requests: int = 0
    silences: int = 0
    last_failure: str | None = None

    def __str__(self) -> str:
        return f"{self.key} ({self.text})"


class BacnetDriver:
    """The points of one BACnet/IP connection; see `driver.Driver`."""

    def __init__(self, connection: BacnetConnection, network: BacnetNetwork) -> None:
        """Speak for `connection` through the stack of its local address."""
        self._connection = connection
        self._network = network
        self._open = False
        self._devices: dict[str, _Device] = {}
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
        self._deafen = self._network.listen_i_am(self._heard_i_am)
        self._open = True

    async def close(self) -> None:
        """Leave the network to the others. Never raises."""
        if self._open:
            self._open = False
            self._deafen()
            await self._network.close()

    async def read(self, points: Iterable[Point]) -> ReadReport:
        """Read these points: devices side by side, one request each at a time."""
        report = ReadReport()
        devices: dict[str, dict[_Object, list[Point]]] = {}
        for point in points:
            address = _address(point)
            target = _Object(address.object_type, address.object_instance)
            devices.setdefault(address.device, {}).setdefault(target, []).append(point)
        async with asyncio.TaskGroup() as group:
            for key, objects in devices.items():
                if (device := self._devices.get(key)) is not None:
                    group.create_task(self._read_device(device, objects, report))
                else:
                    report.silent_devices[key] = self._not_open(key)
                    for points_of_object in objects.values():
                        for point in points_of_object:
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
        """Give the point's slot back: NULL at the connection's priority."""
        await self._command(point, _address(point), Null(()))

    def watch(
        self, points: Iterable[Point], heard: Callable[[ReadReport], None]
    ) -> None:
        """Leave it to be read."""

    @property
    def watched(self) -> frozenset[PointKey]:
        """Return no points: all are to be read."""
        return frozenset()

    async def overrides(self, points: Iterable[Point]) -> Mapping[PointKey, str]:
        """Return nothing yet."""
        return {}

    def call_when_heard(self, heard: Callable[[str], None]) -> None:
        """Call `heard` with each device of ours that announces itself."""
        self._tell = heard

    def traffic(self) -> Mapping[str, Traffic]:
        """Return what each device costs."""
        return {}

    def diagnostics(self) -> Mapping[str, object]:
        """Return what is known of the network and each device."""
        return {
            "local_address": self._connection.local_address,
            "local_port": self._connection.local_port,
            "write_priority": self._connection.write_priority,
            "open": self._network.is_open,
            "devices": {
                device.key: {
                    "address": device.text,
                    "instance": device.instance,
                    "known": device.known,
                    "objects_per_request": device.batch if device.batches else 1,
                    "requests": device.requests,
                    "silences": device.silences,
                    "last_failure": device.last_failure,
                }
                for device in self._devices.values()
            },
        }

    def _device(self, device: BacnetDevice) -> _Device:
        try:
            address = parse_address(device.address)
        except ValueError:
            raise DriverError(
                f"connection {self._connection.key}: device {device.key}: "
                f"'{device.address}' is not an address; write ip:port, or network:mac "
                "for a device behind a router"
            ) from None
        return _Device(device.key, device.address, device.instance, address)

    def _heard_i_am(self, instance: int, address: Address) -> None:
        for device in self._devices.values():
            # Whoever says so from elsewhere is not the device that we mean.
            if device.instance == instance and device.address == address:
                # It may have been restarted, or replaced.
                device.known = False
                self._tell(device.key)

    def _not_open(self, key: str) -> str:
        return f"device {key}: connection {self._connection.key} is not open"

    async def _read_device(
        self,
        device: _Device,
        objects: Mapping[_Object, Sequence[Point]],
        report: ReadReport,
    ) -> None:
        answers: dict[_Object, _Answer] = {}
        failure = f"{device} does not answer"
        try:
            await self._meet(device, Lane.POLL)
            await self._read_objects(device, deque(objects), answers)
        except DeviceSilent as error:
            failure = str(error)
            if not answers:
                report.silent_devices[device.key] = failure
        except PointRefused as error:
            failure = str(error)
        for target, points in objects.items():
            answer = answers.get(target)
            for point in points:
                if answer is None:
                    report.failures[point.key] = failure
                elif answer.failure is not None:
                    report.failures[point.key] = f"{device}: {target}: {answer.failure}"
                else:
                    try:
                        report.values[point.key] = from_wire(
                            point, target.type, answer.present_value, answer.flags
                        )
                    except Unusable as error:
                        report.failures[point.key] = f"{device}: {target}: {error}"

    async def _read_objects(
        self,
        device: _Device,
        waiting: deque[_Object],
        answers: dict[_Object, _Answer],
    ) -> None:
        """Read objects in as few requests as the device allows.

        Raises `DeviceSilent`; what was answered before stays in `answers`.
        """
        while waiting:
            size = device.batch if device.batches else 1
            batch = [waiting.popleft() for _ in range(min(size, len(waiting)))]
            if len(batch) > 1:
                try:
                    answers |= await self._read_batch(device, batch)
                    continue
                except TooMuch:
                    device.batch = max(1, len(batch) // 2)
                    waiting.extendleft(reversed(batch))
                    continue
                except Busy as error:
                    answers |= dict.fromkeys(batch, _Answer(failure=error.reason))
                    continue
                except NotUnderstood:
                    device.batches = False
                except RequestFailed:
                    # One of them spoils it for all; the next reading tries again.
                    pass
            for target in batch:
                answers[target] = await self._read_one(device, target)

    async def _read_batch(
        self, device: _Device, batch: Sequence[_Object]
    ) -> dict[_Object, _Answer]:
        wanted = [
            item
            for target in batch
            for item in (target.identifier, [_PRESENT_VALUE, _STATUS_FLAGS])
        ]
        results = await self._ask(
            device,
            Lane.POLL,
            lambda app: app.read_property_multiple(device.address, wanted),
        )
        # By number, because devices and stacks spell the names in several ways.
        found = {
            (int(identifier[0]), int(identifier[1]), int(name)): value
            for identifier, name, _, value in results or ()
        }
        answers = {}
        for target in batch:
            number, instance = target.identifier
            spot = (int(number), int(instance))
            value = found.get((*spot, int(_PRESENT_VALUE)))
            answers[target] = _Answer(value, found.get((*spot, int(_STATUS_FLAGS))))
        return answers

    async def _read_one(self, device: _Device, target: _Object) -> _Answer:
        async def read(name: PropertyIdentifier) -> Any:
            return await self._ask(
                device,
                Lane.POLL,
                lambda app: app.read_property(device.address, target.identifier, name),
            )

        try:
            value = await read(_PRESENT_VALUE)
        except RequestFailed as error:
            return _Answer(failure=error.reason)
        try:
            return _Answer(value, await read(_STATUS_FLAGS))
        except RequestFailed:
            return _Answer(value)

    async def _command(self, point: Point, address: BacnetAddress, value: Any) -> None:
        if (device := self._devices.get(address.device)) is None:
            raise DeviceSilent(self._not_open(address.device))
        target = _Object(address.object_type, address.object_instance)
        await self._meet(device, Lane.COMMAND)
        try:
            await self._ask(
                device,
                Lane.COMMAND,
                lambda app: app.write_property(
                    device.address,
                    target.identifier,
                    _PRESENT_VALUE,
                    value,
                    None,
                    self._connection.write_priority,
                ),
            )
        except RequestFailed as error:
            what = "the release" if isinstance(value, Null) else str(value)
            raise PointRefused(
                f"{point.key}: {device} refused {what} for {target} at priority "
                f"{self._connection.write_priority}: {error.reason}"
            ) from error

    async def _meet(self, device: _Device, lane: Lane) -> None:
        """Learn what a device can do, and that it is the one we mean.

        Raises `DeviceSilent`, or `PointRefused` where another device answers:
        nothing must ever be commanded in the wrong one.
        """
        if device.known:
            return
        longest = _USUAL_APDU
        batches = True
        try:
            longest = int(await self._about(device, lane, "max-apdu-length-accepted"))
            services = await self._about(device, lane, "protocol-services-supported")
            batches = bool((*services,)[_READ_PROPERTY_MULTIPLE])
        except Refused as error:
            if error.code == "unknown-object":
                raise PointRefused(
                    f"{device} is not device instance {device.instance}; check the "
                    "device's address and instance in the plant file"
                ) from error
        except RequestFailed, TypeError, ValueError, IndexError:
            # It need not tell; a request that is too much will be halved.
            pass
        # Present value and status flags of one object take up to 26 octets.
        device.batch = max(1, (min(longest, _OUR_APDU) - 10) // 26)
        device.batches = batches
        device.known = True

    async def _about(self, device: _Device, lane: Lane, name: str) -> Any:
        identifier = ObjectIdentifier(("device", device.instance))
        prop = PropertyIdentifier(name)
        return await self._ask(
            device,
            lane,
            lambda app: app.read_property(device.address, identifier, prop),
        )

    async def _ask(self, device: _Device, lane: Lane, call: Any) -> Any:
        """Send one request. Raise `DeviceSilent` or what else went wrong."""
        device.requests += 1
        try:
            return await self._network.request(device.address, lane, call)
        except NoAnswer as error:
            # Who comes back may be another, or have been replaced.
            device.known = False
            device.silences += 1
            device.last_failure = f"{device} does not answer: {error.reason}"
            raise DeviceSilent(device.last_failure) from error
        except RequestFailed as error:
            device.last_failure = error.reason
            raise


def _nobody(device: str) -> None:
    """Be called where nobody wants to hear."""


def _nothing() -> None:
    """Be called where there is nothing to end."""


def _address(point: Point) -> BacnetAddress:
    if not isinstance(point.address, BacnetAddress):
        raise DriverError(f"{point.key} has no BACnet address")
    return point.address
