"""What the servers of both protocols have in common."""

from collections.abc import Mapping
import errno
from typing import Protocol

from ..plant.model import PointKey, Value


class ServerError(Exception):
    """A server could not take its address; the text says whose and why."""


class Server(Protocol):
    """Something of the plant file that listens on an address."""

    name: str
    """The key by which a person stops and starts it."""
    on_wire: bool

    async def start(self) -> None:
        """Go on the wire. Raise `ServerError` when the address is taken."""

    async def stop(self) -> None:
        """Go off the wire; keep everything that was written."""

    def commands(self) -> Mapping[PointKey, Value]:
        """Return what its clients command at this moment."""

    def publish(self, values: Mapping[PointKey, Value]) -> None:
        """Show new values."""


def no_address(name: str, address: tuple[str, int], error: OSError) -> ServerError:
    """Return the error for an address that could not be bound."""
    where = f"{name}: {address[0]}:{address[1]}"
    if error.errno == errno.EADDRINUSE:
        return ServerError(
            f"{where} is already in use: stop the other program, perhaps a second"
            " simulator, or change the address in the plant file"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return ServerError(
            f"{where} is not an address of this machine: the simulated plant can only"
            " serve a plant file whose addresses are local, for example 127.0.0.11"
        )
    return ServerError(f"{where} cannot be used: {error.strerror or error}")
