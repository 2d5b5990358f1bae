"""BACnet devices and clients that we did not write, and some that misbehave.

Devices are on other UDP ports than the client: on loopback the client's stack
takes every 127.x.y.z on its own port for itself.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from bacpypes3.app import Application
from bacpypes3.local.analog import AnalogInputObject
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject
import rusty_bacnet as rb

from custom_components.chiller_plant.plant.model import BacnetDevice
from tests.ports import udp_port

_TYPES = {
    "analog-input": rb.ObjectType.ANALOG_INPUT,
    "analog-output": rb.ObjectType.ANALOG_OUTPUT,
    "analog-value": rb.ObjectType.ANALOG_VALUE,
    "binary-input": rb.ObjectType.BINARY_INPUT,
    "binary-output": rb.ObjectType.BINARY_OUTPUT,
    "binary-value": rb.ObjectType.BINARY_VALUE,
    "multi-state-input": rb.ObjectType.MULTI_STATE_INPUT,
    "multi-state-value": rb.ObjectType.MULTI_STATE_VALUE,
}
_BROADCAST = "127.255.255.255"


def identifier(target: str) -> rb.ObjectIdentifier:
    """Return `analog-input,1` as rusty-bacnet wants it."""
    kind, _, instance = target.partition(",")
    return rb.ObjectIdentifier(_TYPES[kind], int(instance))


class Device:
    """A device of rusty-bacnet with one or more objects of each kind."""

    def __init__(
        self,
        host: str = "127.0.0.51",
        *,
        inputs: int = 1,
        modes: bool = False,
        **options: Any,
    ) -> None:
        self.as_declared = BacnetDevice("controller", f"{host}:{udp_port()}", 1001)
        self._inputs = inputs
        self._modes = modes
        self._options = options
        self._server: rb.BACnetServer

    @property
    def address(self) -> str:
        return self.as_declared.address

    async def start(self) -> None:
        host, _, port = self.address.partition(":")
        server = rb.BACnetServer(
            self.as_declared.instance,
            "controller",
            interface=host,
            port=int(port),
            broadcast_address=_BROADCAST,
            share_port_by_address=True,
            **self._options,
        )
        for instance in range(1, self._inputs + 1):
            server.add_analog_input(instance, f"AI{instance}", 62, float(instance))
        server.add_analog_output(1, "AO1", 98)
        server.add_analog_value(1, "AV1", 62)
        server.add_analog_value(2, "AV2", 62, present_value_access="read_only")
        server.add_binary_input(1, "BI1")
        server.add_binary_output(1, "BO1")
        server.add_binary_value(1, "BV1")
        if self._modes:
            server.add_multistate_input(1, "MI1", 4)
            server.add_multistate_value(1, "MV1", 4)
        await server.start()
        self._server = server

    async def stop(self) -> None:
        await self._server.stop()

    async def subscriptions(self) -> int:
        """Return how many objects it reports to anybody."""
        return int((await self._server.cov_counters())["subscriptions_active"])

    async def refused_subscriptions(self) -> int:
        """Return how often its list was full."""
        return int((await self._server.cov_counters())["subscriptions_rejected_quota"])

    async def measure(self, target: str, value: rb.PropertyValue) -> None:
        """Let an input measure something."""
        await self._server.set_present_value_local(identifier(target), value)


@asynccontextmanager
async def device(host: str = "127.0.0.51", **options: Any) -> AsyncIterator[Device]:
    """Run a device."""
    server = Device(host, **options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@asynccontextmanager
async def independent_client() -> AsyncIterator[rb.BACnetClient]:
    """Run a client of rusty-bacnet, which sees the devices with other eyes."""
    host = "127.0.0.50"
    async with rb.BACnetClient(
        interface=host,
        port=udp_port(),
        broadcast_address=_BROADCAST,
        share_port_by_address=True,
    ) as client:
        yield client


async def slot(
    client: rb.BACnetClient, server: Device, target: str, priority: int
) -> Any:
    """Return what is in a slot of a priority array; None if nothing."""
    value = await client.read_property(
        server.address,
        identifier(target),
        rb.PropertyIdentifier.PRIORITY_ARRAY,
        array_index=priority,
    )
    return value.value


class PlainDevice(Application):  # type: ignore[misc]
    """Reads one property at a time; `said` to whoever asks for more."""

    asked_at_once = 0
    said: Exception
    asked: Counter[str]
    """How often for each property."""

    async def do_ReadPropertyRequest(self, apdu: Any) -> None:
        self.asked[str(apdu.propertyIdentifier)] += 1
        await super().do_ReadPropertyRequest(apdu)

    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:
        self.asked_at_once += 1
        raise self.said


@asynccontextmanager
async def plain_device(
    values: list[float], said: Exception, host: str = "127.0.0.52"
) -> AsyncIterator[tuple[BacnetDevice, PlainDevice]]:
    """Run a device of bacpypes3 that reads one property at a time.

    It claims that it can do more, as devices behind some routers do.
    """
    declared = BacnetDevice("controller", f"{host}:{udp_port()}", 1001)
    application = PlainDevice.from_object_list(
        [
            DeviceObject(
                objectIdentifier=("device", declared.instance),
                objectName="plain",
                vendorIdentifier=999,
            ),
            NetworkPortObject(
                f"{host}/32:{declared.address.partition(':')[2]}",
                objectIdentifier=("network-port", 1),
                objectName="port",
            ),
            *(
                AnalogInputObject(
                    objectIdentifier=("analog-input", number),
                    objectName=f"AI{number}",
                    presentValue=value,
                    statusFlags=[0, 0, 0, 0],
                    eventState="normal",
                    outOfService=False,
                    units="degrees-celsius",
                )
                for number, value in enumerate(values, 1)
            ),
        ]
    )
    application.said = said
    application.asked = Counter()
    try:
        yield declared, application
    finally:
        application.close()
        await asyncio.sleep(0)


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, received: Callable[[bytes, Any], None]) -> None:
        self.datagram_received = received  # type: ignore[method-assign]


class SlowWire:
    """A wire that takes its time, and counts what is on it."""

    def __init__(self, far: Device, delay: float, host: str = "127.0.0.53") -> None:
        self.as_declared = BacnetDevice("controller", f"{host}:{udp_port()}", 1001)
        self._far = far
        self.delay = delay
        self._transports: list[asyncio.DatagramTransport] = []
        self._client: Any = None
        self.in_flight = self.most_in_flight = 0
        self.requests: list[int] = []
        """The service of each request: 12 read, 14 read several, 15 write."""
        self.lose: list[int] = []
        """Services whose next request gets lost."""
        self.lose_answers = False
        self.answers_from_elsewhere = False

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        near, _ = await loop.create_datagram_endpoint(
            lambda: _Socket(self._from_client),
            local_addr=_pair(self.as_declared.address),
        )
        far, _ = await loop.create_datagram_endpoint(
            lambda: _Socket(self._from_device),
            local_addr=(self.as_declared.address.partition(":")[0], 0),
            remote_addr=_pair(self._far.address),
        )
        elsewhere, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol,
            local_addr=(self.as_declared.address.partition(":")[0], 0),
        )
        self._transports = [near, far, elsewhere]

    def stop(self) -> None:
        for transport in self._transports:
            transport.close()

    def _from_client(self, data: bytes, source: Any) -> None:
        if data[1] != 0x0A:
            return
        self._client = source
        # BVLC 4, NPCI 2, then type, sizes, invoke id, service.
        self.requests.append(data[9])
        if data[9] in self.lose:
            self.lose.remove(data[9])
            return
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        loop = asyncio.get_running_loop()
        loop.call_later(self.delay, self._transports[1].sendto, data)

    def _from_device(self, data: bytes, source: Any) -> None:
        self.in_flight -= 1
        if self.lose_answers:
            return
        if self.answers_from_elsewhere:
            self._transports[2].sendto(data, self._client)
            return
        self._transports[0].sendto(data, self._client)


@asynccontextmanager
async def slow_wire(far: Device, delay: float) -> AsyncIterator[SlowWire]:
    """Put a slow wire before a device."""
    wire = SlowWire(far, delay)
    await wire.start()
    try:
        yield wire
    finally:
        wire.stop()


class Station:
    """A bare socket on the network, which says and answers what a test wants."""

    def __init__(
        self, host: str, answer: Callable[[bytes], Iterable[bytes]] | None = None
    ) -> None:
        self.as_declared = BacnetDevice("controller", f"{host}:{udp_port()}", 6666)
        self.received: list[bytes] = []
        self._answer = answer
        self._transport: asyncio.DatagramTransport

    @property
    def address(self) -> str:
        return self.as_declared.address

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: _Socket(self._heard), local_addr=_pair(self.address)
        )

    def stop(self) -> None:
        self._transport.close()

    def send(self, data: bytes, to: tuple[str, int]) -> None:
        """Send a datagram; its length is put right."""
        self._transport.sendto(data[:2] + len(data).to_bytes(2) + data[4:], to)

    def _heard(self, data: bytes, source: Any) -> None:
        self.received.append(data)
        for reply in self._answer(data) if self._answer else ():
            self.send(reply, source)


@asynccontextmanager
async def station(
    host: str = "127.0.0.59",
    answer: Callable[[bytes], Iterable[bytes]] | None = None,
) -> AsyncIterator[Station]:
    """Put a station on the network; `answer` returns what to say to a frame."""
    peer = Station(host, answer)
    await peer.start()
    try:
        yield peer
    finally:
        peer.stop()


def i_am(instance: int) -> bytes:
    """Return the frame of a device that announces itself: 480 octets, no segments."""
    identifier = (8 << 22 | instance).to_bytes(4)
    return (
        bytes.fromhex("810b0000 0100 1000 c4")
        + identifier
        + bytes.fromhex("2201e0 9103 2200")
        + b"\x0f"
    )


@asynccontextmanager
async def rubbish_device(
    answer: Callable[[bytes], list[bytes]], host: str, key: str
) -> AsyncIterator[BacnetDevice]:
    """Something on a device's port that answers what it likes."""
    declared = BacnetDevice(key, f"{host}:{udp_port()}", 6666)

    def received(data: bytes, source: Any) -> None:
        for reply in answer(data):
            transport.sendto(reply, source)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _Socket(received), local_addr=_pair(declared.address)
    )
    try:
        yield declared
    finally:
        transport.close()


def _pair(address: str) -> tuple[str, int]:
    host, _, port = address.partition(":")
    return host, int(port)
