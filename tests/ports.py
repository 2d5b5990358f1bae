"""Ports for what the tests start, that no other test run takes first.

The system hands out a free port too, but to whoever asks next as well: what runs beside
us may have it by the time it is used. These are below the range that it hands out from.
"""

from errno import EADDRINUSE
from itertools import count, islice
import os
import socket

_LOWEST, _NUMBER, _EACH = 10_000, 22_000, 700
# Processes that are started one after another begin far from each other.
_places = count(os.getpid() * _EACH)


def udp_port() -> int:
    """Return a UDP port that is free on all addresses."""
    return _free_port(socket.SOCK_DGRAM)


def tcp_port() -> int:
    """Return a TCP port that is free on all addresses."""
    return _free_port(socket.SOCK_STREAM)


def _free_port(kind: socket.SocketKind) -> int:
    for place in islice(_places, _NUMBER):
        port = _LOWEST + place % _NUMBER
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("0.0.0.0", port))
            except OSError as error:
                if error.errno != EADDRINUSE:
                    raise
            else:
                return port
    raise RuntimeError("every port is taken")
