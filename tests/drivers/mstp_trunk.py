"""A BACnet router with a slow MS/TP trunk behind it, in a process of its own.

A trunk carries one request at a time, and a router keeps only so many waiting;
what comes on top is lost. A client that does not know that sends everything
several times. This router tells what it received, what it let through and what
it lost. The devices behind it are of bacpypes3, with the 480 octets an APDU
and the lack of segmentation that are usual there.

    python -m tests.drivers.mstp_trunk '{"host": "127.0.0.54", ...}'

It answers each line on standard input with the frames since the last one, and with
how many requests of devices were acknowledged.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from functools import partial
import json
from pathlib import Path
import socket
import sys
import time
from typing import Any, NamedTuple

from tests.ports import udp_port

CONFIRMED_REPORT, READ, READ_MULTIPLE, WRITE = 1, 12, 14, 15
"""Services, as a frame names them."""

_BROADCAST = "127.255.255.255"
_MOST_FRAMES = 20_000
_START_SECONDS = 60
_ANSWER_SECONDS = 10
_UNICAST, _BROADCAST_NPDU = 0x0A, 0x0B
_WHO_IS_ROUTER, _I_AM_ROUTER = 0x00, 0x01
_REACHES_ALL = 0xFFFF
_SIMPLE_ACK = 2


class Frame(NamedTuple):
    """A confirmed request that a client sent; times of the monotonic clock."""

    mac: int
    service: int
    invoke: int
    arrived: float
    began: float | None
    """When the trunk was free for it; None: the router had no room for it."""
    ended: float | None
    """When its answer was on its way back."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a trunk is told when it is started."""

    host: str
    port: int
    client_port: int
    """The port on which the client's broadcasts arrive."""
    network: int
    request_time: float
    room: int
    inputs: int
    values: int
    device_ports: tuple[int, ...]


class MstpTrunk:
    """A running router, seen by who started it."""

    def __init__(self, settings: Settings, process: asyncio.subprocess.Process) -> None:
        # Not for the process itself, which needs no Home Assistant.
        from custom_components.chiller_plant.plant.model import BacnetDevice

        self.settings = settings
        self.devices = tuple(
            BacnetDevice(f"unit_{mac}", f"{settings.network}:{mac}", 2000 + mac)
            for mac in range(1, len(settings.device_ports) + 1)
        )
        self._process = process

    async def frames(self) -> list[Frame]:
        """Return the requests that arrived since this was last asked."""
        frames, _ = await self._ask()
        return [Frame(*fields) for fields in frames]

    async def acknowledged(self) -> dict[int, int]:
        """Return how many requests of devices the client acknowledged, by service.

        Forgets the frames that came until now.
        """
        _, services = await self._ask()
        return {int(service): number for service, number in services.items()}

    async def _ask(self) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(b"\n")
        line = await asyncio.wait_for(self._process.stdout.readline(), _ANSWER_SECONDS)
        return json.loads(line)


@asynccontextmanager
async def mstp_trunk(
    client_port: int,
    *,
    devices: int = 1,
    inputs: int = 20,
    values: int = 2,
    network: int = 2,
    request_time: float = 0.12,
    room: int = 20,
    host: str = "127.0.0.54",
) -> AsyncIterator[MstpTrunk]:
    """Run a router for the client whose local port is `client_port`.

    Devices are at `network:1` and so on, each with `inputs` analog inputs that
    measure their own number, and `values` commandable analog values. A request
    occupies the trunk for `request_time` seconds; `room` more may wait.
    """
    settings = Settings(
        host,
        udp_port(),
        client_port,
        network,
        request_time,
        room,
        inputs,
        values,
        tuple(udp_port() for _ in range(devices)),
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.drivers.mstp_trunk",
        json.dumps(asdict(settings)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        limit=_MOST_FRAMES * 100,
    )
    try:
        assert process.stdout
        ready = await asyncio.wait_for(process.stdout.readline(), _START_SECONDS)
        assert ready == b"ready\n", ready
        yield MstpTrunk(settings, process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


# --- what runs in the process


class _Waiting(NamedTuple):
    """A request in the router's queue."""

    mac: int
    apdu: bytes
    client: tuple[str, int]
    arrived: float


class _Socket(asyncio.DatagramProtocol):
    def __init__(self, received: Any) -> None:
        self.datagram_received = received  # type: ignore[method-assign]


class _Router:
    """Two sides: UDP with BVLC, and one socket for each device's MAC."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._near: asyncio.DatagramTransport
        self._far: dict[int, asyncio.DatagramTransport] = {}
        self._queue: deque[_Waiting] = deque()
        self._arrival = asyncio.Event()
        self._in_service: _Waiting | None = None
        self._answer: asyncio.Future[bytes] | None = None
        self._client: tuple[str, int] | None = None
        self.frames: deque[Frame] = deque(maxlen=_MOST_FRAMES)
        self.acknowledged: Counter[int] = Counter()
        """Requests of devices that the client acknowledged, by service."""

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        settings = self._settings
        self._near, _ = await loop.create_datagram_endpoint(
            lambda: _Socket(self._from_client),
            local_addr=(settings.host, settings.port),
        )
        shared = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        shared.setblocking(False)
        shared.bind((_BROADCAST, settings.client_port))
        await loop.create_datagram_endpoint(
            lambda: _Socket(self._from_client), sock=shared
        )
        for mac, port in enumerate(settings.device_ports, 1):
            self._far[mac], _ = await loop.create_datagram_endpoint(
                partial(_Socket, partial(self._from_device, mac)),
                local_addr=(settings.host, 0),
                remote_addr=(settings.host, port),
            )

    def _from_client(self, data: bytes, source: tuple[str, int]) -> None:
        if len(data) < 7 or data[1] not in (_UNICAST, _BROADCAST_NPDU):
            return
        control, rest = data[5], data[6:]
        destination: tuple[int, bytes] | None = None
        if control & 0x20:
            size = rest[2]
            destination = int.from_bytes(rest[:2]), rest[3 : 3 + size]
            rest = rest[3 + size :]
        if control & 0x08:
            rest = rest[3 + rest[2] :]
        if destination is not None:
            rest = rest[1:]
        if control & 0x80:
            self._network_message(rest, source)
        elif destination is not None and destination[0] in (
            self._settings.network,
            _REACHES_ALL,
        ):
            self._client = source
            self._route(destination[1], rest, source)

    def _network_message(self, message: bytes, source: tuple[str, int]) -> None:
        """Say which network is behind us, if it is the one that is looked for."""
        network = self._settings.network.to_bytes(2)
        if message[:1] == bytes([_WHO_IS_ROUTER]) and message[1:] in (b"", network):
            npdu = bytes([0x01, 0x80, _I_AM_ROUTER]) + network
            self._near.sendto(_bvlc(npdu), source)

    def _route(self, mac: bytes, apdu: bytes, source: tuple[str, int]) -> None:
        if not mac:
            for far in self._far.values():
                far.sendto(_bvlc(b"\x01\x00" + apdu))
            return
        number = int.from_bytes(mac)
        if apdu[0] >> 4:
            # An answer to what a device asked the client; not a request.
            if apdu[0] >> 4 == _SIMPLE_ACK:
                self.acknowledged[apdu[2]] += 1
            if number in self._far:
                self._far[number].sendto(_bvlc(b"\x01\x00" + apdu))
            return
        waiting = _Waiting(number, apdu, source, time.monotonic())
        if self._in_service is not None and len(self._queue) >= self._settings.room:
            self._note(waiting, None, None)
            return
        self._queue.append(waiting)
        self._arrival.set()

    def _note(self, frame: _Waiting, began: float | None, ended: float | None) -> None:
        service, invoke = frame.apdu[3], frame.apdu[2]
        self.frames.append(
            Frame(frame.mac, service, invoke, frame.arrived, began, ended)
        )

    async def serve(self) -> None:
        """Let one request after the other onto the trunk."""
        while True:
            while not self._queue:
                self._arrival.clear()
                await self._arrival.wait()
            self._in_service = frame = self._queue.popleft()
            began = time.monotonic()
            self._answer = asyncio.get_running_loop().create_future()
            if frame.mac in self._far:
                self._far[frame.mac].sendto(_bvlc(b"\x01\x04" + frame.apdu))
            await asyncio.sleep(began + self._settings.request_time - time.monotonic())
            if self._answer.done():
                self._near.sendto(_bvlc(self._answer.result()), frame.client)
            self._note(frame, began, time.monotonic())
            self._in_service = self._answer = None

    def _from_device(self, mac: int, data: bytes, source: tuple[str, int]) -> None:
        if data[4:6] not in (b"\x01\x00", b"\x01\x04"):
            return
        origin = self._settings.network.to_bytes(2) + bytes([1, mac])
        npdu = bytes([0x01, 0x08 | data[5] & 0x04]) + origin + data[6:]
        is_answer = data[6] >> 4 not in (0, 1)
        if is_answer and self._in_service is not None and self._answer is not None:
            if self._in_service.mac == mac and not self._answer.done():
                self._answer.set_result(npdu)
        elif self._client is not None:
            self._near.sendto(_bvlc(npdu), self._client)


def _bvlc(npdu: bytes) -> bytes:
    return bytes([0x81, _UNICAST]) + (len(npdu) + 4).to_bytes(2) + npdu


def _device(settings: Settings, mac: int, port: int) -> Any:
    from bacpypes3.app import Application
    from bacpypes3.local.analog import AnalogInputObject, AnalogValueObjectCmd
    from bacpypes3.local.device import DeviceObject
    from bacpypes3.local.networkport import NetworkPortObject

    usual = {
        "statusFlags": [0, 0, 0, 0],
        "eventState": "normal",
        "outOfService": False,
        "units": "degrees-celsius",
        "covIncrement": 0.1,
    }
    return Application.from_object_list(
        [
            DeviceObject(
                objectIdentifier=("device", 2000 + mac),
                objectName=f"unit {mac}",
                vendorIdentifier=999,
                maxApduLengthAccepted=480,
                segmentationSupported="no-segmentation",
            ),
            NetworkPortObject(
                f"{settings.host}/32:{port}",
                objectIdentifier=("network-port", 1),
                objectName="port",
            ),
            *(
                AnalogInputObject(
                    objectIdentifier=("analog-input", number),
                    objectName=f"AI{number}",
                    presentValue=float(number),
                    **usual,
                )
                for number in range(1, settings.inputs + 1)
            ),
            *(
                AnalogValueObjectCmd(
                    objectIdentifier=("analog-value", number),
                    objectName=f"AV{number}",
                    presentValue=0.0,
                    relinquishDefault=0.0,
                    **usual,
                )
                for number in range(1, settings.values + 1)
            ),
        ]
    )


async def _main(settings: Settings) -> None:
    applications = [
        _device(settings, mac, port)
        for mac, port in enumerate(settings.device_ports, 1)
    ]
    waiting = [
        task
        for application in applications
        for link in application.link_layers.values()
        for task in link.server._transport_tasks
    ]
    await asyncio.wait_for(asyncio.gather(*waiting), _ANSWER_SECONDS)
    router = _Router(settings)
    await router.start()
    serving = asyncio.create_task(router.serve())
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    print("ready", flush=True)
    # Whoever started it is gone when the input ends.
    while await reader.readline():
        told = json.dumps([list(router.frames), router.acknowledged])
        router.frames.clear()
        print(told, flush=True)
    serving.cancel()


if __name__ == "__main__":
    asyncio.run(_main(Settings(**json.loads(sys.argv[1]))))
