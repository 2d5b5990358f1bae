"""Finds out which of our commands are without effect, because somebody else's goes first.

A controller takes a command and keeps it behind one of a higher priority; it
says so only if it is asked. So all commands are looked at one after the other,
once in each slow interval, and at once those that do not keep what was written.
"""

from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from math import ceil

from homeassistant.core import callback

from .jobs import Jobs
from .links import Links
from .plant.arbiter import commandable
from .plant.model import Plant, Point, PointKey

_JOB = "overrides"

type Tell = Callable[[Sequence[Point], Mapping[PointKey, str]], Awaitable[None]]
"""Takes which points were asked for, and why some of them have no effect."""


class OutrankedCommands:
    """The commands of one plant, and which of them were last looked at."""

    def __init__(
        self, plant: Plant, links: Links, silent: Container[str], jobs: Jobs, tell: Tell
    ) -> None:
        """Devices in `silent` are not asked."""
        self._plant = plant
        self._links = links
        self._silent = silent
        self._jobs = jobs
        self._tell = tell
        self._commands = tuple(
            point
            for point in plant.points.values()
            if point.address is not None and commandable(point)
        )
        self._next = 0
        self._looking = False
        self._mismatches: frozenset[PointKey] = frozenset()

    @callback
    def look_at_some(self) -> None:
        """Go on with as many as make all of them in a slow interval."""
        if self._looking or not self._commands:
            return
        share = self._plant.poll_interval / self._plant.slow_poll_interval
        count = min(ceil(len(self._commands) * share), len(self._commands))
        ring = self._commands[self._next :] + self._commands
        self._next = (self._next + count) % len(self._commands)
        self._looking = True
        self._jobs.spawn(self._async_look_at_some(ring[:count]), _JOB)

    @callback
    def look_at_new(self, mismatches: Iterable[PointKey]) -> None:
        """Look at those of these points that do not keep their value since now."""
        found = frozenset(mismatches)
        if new := found - self._mismatches:
            points = [self._plant.points[key] for key in new]
            self._jobs.spawn(self._async_look(points), _JOB)
        self._mismatches = found

    async def _async_look_at_some(self, points: Iterable[Point]) -> None:
        try:
            await self._async_look(points)
        finally:
            self._looking = False

    async def _async_look(self, points: Iterable[Point]) -> None:
        asked = [
            point
            for point in points
            if point.address is not None and point.address.device not in self._silent
        ]
        await self._tell(asked, await self._links.async_overrides(asked))
