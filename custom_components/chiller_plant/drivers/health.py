"""Which devices are worth asking, so that a dead one does not slow the rest.

A device that missed two polls is silent: the cycle leaves it out, and it is
probed apart with one cheap point. The pause between two probes is a quarter of
the time that it has been away, at most five seconds at first and five minutes
in the end: back after a power cycle it is found at once, and it is no burden
for the bus when it is gone for a week. It is counted from the beginning of a
probe, because waiting in vain for its answer is a part of it. Each pause is shortened at random, so
that all that died together is not probed together for ever.
"""

from collections.abc import Callable, Iterable
from enum import StrEnum
from random import random

MISSED_POLLS = 2
FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
_LEAST_REST = 1.0
"""Seconds for the others, however long a probe takes."""
_SHARE_OF_OUTAGE = 4
_SHORTENED_TO = 0.8
"""Of a pause, at the least."""


class Change(StrEnum):
    """What to log, once."""

    WENT_SILENT = "went_silent"
    CAME_BACK = "came_back"


class DeviceHealth:
    """Whether one device answers; times in seconds."""

    def __init__(self, chance: Callable[[], float] = random) -> None:
        """Begin with trust; `chance` returns a number from 0 to 1."""
        self._chance = chance
        self._missed = 0
        self._silent_since: float | None = None
        self._next_probe = 0.0

    @property
    def is_silent(self) -> bool:
        """Whether the cycle leaves the device out."""
        return self._missed >= MISSED_POLLS

    @property
    def silent_since(self) -> float | None:
        """When the first of the answers that are missing now was missed."""
        return self._silent_since if self.is_silent else None

    def next_probe(self, now: float) -> float:
        """Return the seconds until it is to be probed."""
        return max(0.0, self._next_probe - now)

    def due(self, now: float) -> bool:
        """Return whether to ask it now: always, unless it is silent."""
        wait = self._next_probe - now
        # A clock that was set back does not make anybody wait for hours.
        return not self.is_silent or wait <= 0 or wait > LONGEST_PAUSE

    def observe(
        self, now: float, *, answered: bool, took: float = 0.0
    ) -> Change | None:
        """Take in the end of a poll or a probe that `took` so many seconds.

        Returns what is worth a word.
        """
        was_silent = self.is_silent
        if answered:
            self._missed = 0
            self._silent_since = None
            return Change.CAME_BACK if was_silent else None
        if self._silent_since is None:
            self._silent_since = now
        self._missed += 1
        outage = now - self._silent_since
        pause = min(max(outage / _SHARE_OF_OUTAGE, FIRST_PAUSE), LONGEST_PAUSE)
        pause *= _SHORTENED_TO + (1 - _SHORTENED_TO) * self._chance()
        self._next_probe = now + max(pause - took, _LEAST_REST)
        return Change.WENT_SILENT if self.is_silent and not was_silent else None

    def heard(self) -> None:
        """Be due at once: the device has announced itself."""
        self._next_probe = 0.0


class Health:
    """The health of the devices of a plant, by device key."""

    def __init__(
        self, devices: Iterable[str], chance: Callable[[], float] = random
    ) -> None:
        """Watch these devices; see `DeviceHealth`."""
        self._devices = {device: DeviceHealth(chance) for device in devices}

    @property
    def silent(self) -> frozenset[str]:
        """The devices that the cycle leaves out."""
        return frozenset(
            device for device, health in self._devices.items() if health.is_silent
        )

    def probes_due(self, now: float) -> tuple[str, ...]:
        """Return the silent devices that are to be probed now."""
        return tuple(
            device
            for device, health in self._devices.items()
            if health.is_silent and health.due(now)
        )

    def observe(
        self, now: float, device: str, *, answered: bool, took: float = 0.0
    ) -> Change | None:
        """Take in how a device behaved; see `DeviceHealth.observe`."""
        return self._devices[device].observe(now, answered=answered, took=took)

    def next_probe(self, now: float) -> float | None:
        """Return the seconds until a silent device is to be probed; None: none is."""
        return min(
            (each.next_probe(now) for each in self._devices.values() if each.is_silent),
            default=None,
        )

    def heard_from(self, device: str) -> None:
        """Let a device that announced itself be probed at once."""
        if (health := self._devices.get(device)) is not None:
            health.heard()
