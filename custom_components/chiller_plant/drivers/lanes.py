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


class Lanes:
    """A gate for `capacity` requests at a time, with a lane for commands."""

    def __init__(self, capacity: int = 1, *, most_waiting: int = 256) -> None:
        """Let `capacity` requests through; refuse more than `most_waiting`."""
        self._free = capacity
        self._most_waiting = most_waiting
        self._waiting: dict[Lane, deque[asyncio.Future[None]]] = {
            lane: deque() for lane in Lane
        }

    async def acquire(self, lane: Lane) -> None:
        """Wait for a turn. Raise `LaneFull` where the lane is too long."""
        if self._free:
            self._free -= 1
            return
        waiting = self._waiting[lane]
        if len(waiting) >= self._most_waiting:
            raise LaneFull
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting.append(turn)
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
        for lane in Lane:
            waiting = self._waiting[lane]
            while waiting:
                turn = waiting.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1

    @asynccontextmanager
    async def turn(self, lane: Lane) -> AsyncIterator[None]:
        """Hold a turn for the body."""
        await self.acquire(lane)
        try:
            yield
        finally:
            self.release()
