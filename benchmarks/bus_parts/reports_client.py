"""What is asked of each client that takes in reports of changes.

They come from a socket of its own, in handfuls that a receive buffer holds: what
is compared is what becomes of them, and a lost one would never be heard.
"""

import asyncio
import gc
import socket
import struct
import time

from .child import serve

_HANDFUL = 100
# Process 1, device 1001, analog input 1, 500 s left: present value and status flags.
_HEAD = bytes.fromhex(
    "810a0029 0100 1002 0901 1c020003e9 2c00000001 3a01f4 4e 0955 2e 44"
)
_TAIL = bytes.fromhex("2f 096f 2e 820400 2f 4f")


class ReportsClient:
    """What both do; how they listen is theirs."""

    def __init__(self) -> None:
        """Have heard nothing."""
        self.heard = 0
        self._port = 0

    async def start(self, port: int) -> None:
        """Listen on a port, and count what is `heard`."""
        raise NotImplementedError

    async def begin(self, port: int) -> None:
        """Start."""
        self._port = port
        await self.start(port)
        gc.collect()
        gc.freeze()

    async def take(self, reports: int) -> float:
        """Return the seconds from sending so many reports to having heard them."""
        until = self.heard
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
            device.bind(("127.0.0.2", 0))
            began = time.perf_counter()
            while reports > 0:
                handful = min(reports, _HANDFUL)
                for number in range(handful):
                    value = struct.pack(">f", float(number))
                    device.sendto(_HEAD + value + _TAIL, ("127.0.0.1", self._port))
                reports -= handful
                until += handful
                while self.heard < until:
                    await asyncio.sleep(0)
            return time.perf_counter() - began

    def serve(self) -> None:
        """Do what is asked for, until the input ends."""
        serve({"begin": self.begin, "take": self.take})
