"""Builds and runs the libmodbus server."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
import signal
import subprocess

from tests.ports import tcp_port

_SOURCE = Path(__file__).with_name("libmodbus_server.c")


def build(folder: Path) -> Path:
    """Compile the server. Needs gcc and libmodbus-dev, which scripts/setup installs."""
    program = folder / "libmodbus_server"
    subprocess.run(
        ["gcc", "-O1", "-I/usr/include/modbus", "-o", program, _SOURCE, "-lmodbus"],
        check=True,
        timeout=60,
    )
    return program


class Server:
    """A running server, and every request that it saw."""

    def __init__(self, program: Path, host: str, *options: str) -> None:
        self.host = host
        self.port = tcp_port()
        self._command = [str(program), host, str(self.port), *options]
        self._process: asyncio.subprocess.Process | None = None
        self._listener: asyncio.Task[None] | None = None
        self.requests: list[tuple[int, ...]] = []
        """Unit, function, address, and count (or the value that is written)."""

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *self._command, stdout=asyncio.subprocess.PIPE
        )
        assert self._process.stdout
        assert (
            await asyncio.wait_for(self._process.stdout.readline(), 5) == b"listening\n"
        )
        self._listener = asyncio.create_task(self._listen(self._process.stdout))

    async def _listen(self, output: asyncio.StreamReader) -> None:
        while line := await output.readline():
            self.requests.append(tuple(int(word) for word in line.split()))

    @property
    def writes(self) -> list[tuple[int, ...]]:
        """The requests that change something."""
        return [request for request in self.requests if request[1] in {5, 6, 15, 16}]

    async def heard(self, pause: float = 0.2) -> None:
        """Wait until what the server printed has arrived here."""
        await asyncio.sleep(pause)

    async def forget(self) -> None:
        """Begin a new list of requests."""
        await self.heard()
        self.requests.clear()

    async def stop(self) -> None:
        assert self._process and self._listener
        self._process.kill()
        await self._process.wait()
        await self._listener

    def freeze(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)


@asynccontextmanager
async def libmodbus(
    program: Path,
    host: str = "127.0.0.61",
    *,
    delay: int = 0,
    silent_unit: int = 0,
    missing: tuple[int, ...] = (),
    exceptions: Mapping[int, int] | None = None,
    watchdog: int = 0,
) -> AsyncIterator[Server]:
    """Run a server; `delay` in milliseconds before each answer.

    `missing` are holding registers that it does not have, `exceptions` the
    codes with which it answers for others; see the source for `watchdog`.
    """
    refused = dict.fromkeys(missing, 2) | dict(exceptions or {})
    options = [f"refuse={register}:{code}" for register, code in refused.items()]
    if silent_unit:
        options.append(f"silent={silent_unit}")
    if watchdog:
        options.append(f"watchdog={watchdog}")
    server = Server(program, host, str(delay), *options)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
