"""A server on libmodbus in a process of its own, and when it got which request."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
import subprocess
from threading import Thread
import time
from typing import NamedTuple

from tests.drivers.libmodbus import build
from tests.ports import tcp_port

__all__ = ["Request", "Server", "build", "libmodbus_server"]

_WRITES = frozenset({5, 6, 15, 16})


class Request(NamedTuple):
    """What the server got; `arrived` in seconds of the monotonic clock."""

    arrived: float
    unit: int
    function: int
    address: int
    number: int
    """Of registers; of a write, what is written."""

    @property
    def is_write(self) -> bool:
        """Whether it commands something."""
        return self.function in _WRITES

    @property
    def registers(self) -> int:
        """How many registers it brings."""
        return 0 if self.is_write else self.number


class Server:
    """One server; it can be stopped and started again on the same port."""

    def __init__(self, program: Path, host: str, port: int, delay: int) -> None:
        """`delay` in milliseconds for each request."""
        self.host = host
        self.port = port
        self.requests: deque[Request] = deque(maxlen=200_000)
        self._command = [str(program), host, str(self.port), str(delay)]
        self._process: subprocess.Popen[bytes]
        self._listener: Thread

    def start(self) -> None:
        """Return when it listens."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"listening\n":
            raise RuntimeError(f"libmodbus does not listen on {self.host}")
        self._listener = Thread(target=self._listen, daemon=True)
        self._listener.start()

    def _listen(self) -> None:
        # In a thread, because the times would be those of a busy event loop.
        assert self._process.stdout is not None
        for line in self._process.stdout:
            unit, function, address, count = map(int, line.split())
            self.requests.append(
                Request(time.monotonic(), unit, function, address, count)
            )

    def stop(self) -> None:
        """Switch it off, as a power cut would."""
        self._process.kill()
        self._process.wait()
        self._listener.join(5)


@contextmanager
def libmodbus_server(
    program: Path, host: str, delay: int = 0, port: int | None = None
) -> Iterator[Server]:
    """Run a server, on a free port unless told which."""
    server = Server(program, host, port or tcp_port(), delay)
    server.start()
    try:
        yield server
    finally:
        server.stop()
