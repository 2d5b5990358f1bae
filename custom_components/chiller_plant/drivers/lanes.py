"""Why a start does not wait behind a poll.

A bus takes a few requests at a time. Whoever polls queues here, and so does
whoever commands, but a command is always let through first: at worst it waits
for the one request that is on the wire.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from enum import IntEnum


class Lane(IntEnum):
    """What a request is for; the lower goes first."""

    COMMAND = 0
    POLL = 1


class LaneFull(Exception):
    """More requests wait already than can be meant."""


class Stem:
    """What several `Lanes` have in common: so many requests altogether.

    Who waits for the stem holds nothing of its own lanes meanwhile, so that a
    command passes the poll of the same device here too.
    """

    def __init__(self, capacity: int, *, kept_for_commands: int = 0) -> None:
        """Let `capacity` through; polls never take the last `kept_for_commands`."""
        self._free = capacity
        self._kept = {Lane.COMMAND: 0, Lane.POLL: kept_for_commands}
        self._waiting: dict[Lane, deque[Lanes]] = {lane: deque() for lane in Lane}

    def take(self, lane: Lane) -> bool:
        """Take a place for one request, if there is one."""
        if self._free <= self._kept[lane]:
            return False
        self._free -= 1
        return True

    def give_back(self) -> None:
        """End a request."""
        self._free += 1

    def wait_for(self, lanes: Lanes, lane: Lane) -> None:
        """Call on these lanes when there may be a place."""
        if lanes not in self._waiting[lane]:
            self._waiting[lane].append(lanes)

    def call_on(self) -> None:
        """Let through who waits, one of each in turn, commands first."""
        for lane, waiting in self._waiting.items():
            for _ in range(len(waiting)):
                if self._free <= self._kept[lane]:
                    break
                lanes = waiting.popleft()
                lanes.let_through(lane)
                if lanes.waits(lane):
                    waiting.append(lanes)


class Lanes:
    """A gate for `capacity` requests at a time, with a lane for commands."""

    def __init__(
        self,
        capacity: int = 1,
        *,
        most_waiting: int = 256,
        most_commands: int | None = None,
        stem: Stem | None = None,
    ) -> None:
        """Let `capacity` requests through; refuse more than `most_waiting`.

        `most_commands` is that of the commands where it differs.
        """
        self._capacity = capacity
        self._running = 0
        self._most = {
            Lane.COMMAND: most_waiting if most_commands is None else most_commands,
            Lane.POLL: most_waiting,
        }
        self._stem = stem
        self._waiting: dict[Lane, deque[asyncio.Future[None]]] = {
            lane: deque() for lane in Lane
        }

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return sum(map(len, self._waiting.values()))

    def widen(self, capacity: int) -> None:
        """Let so many through at a time from now on."""
        self._capacity = capacity
        self._call_on()

    async def acquire(self, lane: Lane) -> None:
        """Wait for a turn. Raise `LaneFull` where the lane is too long."""
        if self._take(lane):
            return
        waiting = self._waiting[lane]
        if len(waiting) >= self._most[lane]:
            raise LaneFull
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
        if self._stem is not None:
            self._stem.wait_for(self, lane)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release()
            with suppress(ValueError):
                waiting.remove(turn)
            raise

    def release(self) -> None:
        """Give the turn to the next who waits, commands first."""
        self._running -= 1
        if self._stem is not None:
            self._stem.give_back()
        self._call_on()

    def waits(self, lane: Lane) -> bool:
        """Return whether anybody waits in a lane."""
        return bool(self._waiting[lane])

    def let_through(self, lane: Lane) -> None:
        """Let the next in a lane go, if it can."""
        waiting = self._waiting[lane]
        while waiting and waiting[0].done():
            waiting.popleft()
        if waiting and self._take(lane):
            waiting.popleft().set_result(None)

    @asynccontextmanager
    async def turn(self, lane: Lane) -> AsyncIterator[None]:
        """Hold a turn for the body."""
        await self.acquire(lane)
        try:
            yield
        finally:
            self.release()

    def _take(self, lane: Lane) -> bool:
        if self._running >= self._capacity:
            return False
        if self._stem is not None and not self._stem.take(lane):
            return False
        self._running += 1
        return True

    def _call_on(self) -> None:
        if self._stem is not None:
            self._stem.call_on()
            return
        for lane in Lane:
            before = self._running
            self.let_through(lane)
            while self._running > before:
                before = self._running
                self.let_through(lane)
