"""What is asked of each client that reads the same BACnet devices.

A sweep over all devices, timed, with a ticker beside it that notes how long
the event loop was not there for others; or polling without a pause, with
commands now and then. Each client is a process of its own.
"""

import asyncio
from collections.abc import Sequence
import gc
import time
from typing import Any

from .child import serve

_TICK = 0.001


class Ticker:
    """Notes the longest time that the event loop did not turn."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.longest = 0.0

    async def run(self) -> None:
        """Tick until cancelled."""
        last = time.perf_counter()
        while True:
            await asyncio.sleep(_TICK)
            moment = time.perf_counter()
            self.longest = max(self.longest, moment - last - _TICK)
            last = moment


class Collections:
    """Notes how long full collections of garbage took: the whole heap, in one go.

    Home Assistant, which is imported where our driver is, makes that heap large.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.longest = 0.0
        self._began = 0.0

    def note(self, phase: str, about: dict[str, int]) -> None:
        """Be told by the collector."""
        if about["generation"] < 2:
            return
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self.longest = max(self.longest, time.perf_counter() - self._began)


class Client:
    """What all of them do; how is theirs."""

    def __init__(self) -> None:
        """Know no device yet."""
        self.addresses: list[str] = []
        self.inputs = 0

    async def start(self, port: int, first_instance: int) -> None:
        """Start from a local port; the devices' instances begin at `first_instance`."""
        raise NotImplementedError

    async def sweep(self, devices: int) -> int:
        """Read the first `devices`; return how many points were brought."""
        raise NotImplementedError

    async def write(self, value: float) -> None:
        """Command analog value 1 of the first device."""
        raise NotImplementedError

    async def poll(self) -> None:
        """Read everything once, as this client polls."""
        await self.sweep(len(self.addresses))

    async def begin(
        self, port: int, addresses: list[str], inputs: int, first_instance: int
    ) -> None:
        """Get to know devices that have analog inputs 1 to `inputs`."""
        self.addresses, self.inputs = addresses, inputs
        await self.start(port, first_instance)
        # As the integration does for a large plant, see its `settled_memory`.
        gc.collect()
        gc.freeze()

    async def timed(self, devices: int) -> dict[str, float]:
        """Sweep over the first `devices`; seconds, points and the longest stall."""
        ticker, collections = Ticker(), Collections()
        gc.callbacks.append(collections.note)
        ticking = asyncio.create_task(ticker.run())
        await asyncio.sleep(0.05)
        ticker.longest = 0.0
        began, busy = time.perf_counter(), time.process_time()
        points = await self.sweep(devices)
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
        await asyncio.sleep(0.005)
        ticking.cancel()
        gc.callbacks.remove(collections.note)
        return {
            "seconds": seconds,
            "busy": busy,
            "points": points,
            "stall": ticker.longest,
            "collection": collections.longest,
        }

    async def command(self, commands: int, pauses: Sequence[float]) -> dict[str, Any]:
        """Poll without a pause, command in between.

        Returns when each command was issued and had its answer (seconds of the
        monotonic clock), and how many polls there were.
        """
        ended = asyncio.Event()
        polls = 0

        async def polling() -> None:
            nonlocal polls
            while not ended.is_set():
                await self.poll()
                polls += 1

        task = asyncio.create_task(polling())
        issued: list[tuple[float, float]] = []
        for number in range(commands):
            await asyncio.sleep(pauses[number % len(pauses)])
            began = time.monotonic()
            await self.write(float(number % 20))
            issued.append((began, time.monotonic()))
        ended.set()
        await task
        return {"issued": issued, "polls": polls}

    def serve(self, **others: Any) -> None:
        """Do what is asked for, until the input ends."""
        serve(
            {
                "begin": self.begin,
                "timed": self.timed,
                "command": self.command,
                **others,
            }
        )
