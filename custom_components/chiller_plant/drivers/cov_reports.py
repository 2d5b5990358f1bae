"""What a device reports unasked, made fit for those who watch.

A controller may report hundreds of objects in one moment, so what comes within
a fiftieth of a second is handed on together; but two reports of one switch are
never made one, because what happened between them counts.
"""

import asyncio
from collections.abc import Callable, Mapping

from ..plant.model import PointKey
from .driver import ReadReport

_GATHER = 0.02


def overwrite(report: ReadReport, key: PointKey, newer: ReadReport) -> None:
    """Put what is newer about a point in the place of what was there."""
    _replace(report.values, key, newer.values)
    _replace(report.failures, key, newer.failures)
    _replace(report.overridden, key, newer.overridden)


def _replace[Item](
    old: dict[PointKey, Item], key: PointKey, new: Mapping[PointKey, Item]
) -> None:
    if key in new:
        old[key] = new[key]
    else:
        old.pop(key, None)


class Gathering:
    """Reports on their way to who watches; at most one a point waits."""

    def __init__(self) -> None:
        """Begin with nobody who watches."""
        self._heard: Callable[[ReadReport], None] | None = None
        self._report = ReadReport()
        self._delivery: asyncio.TimerHandle | None = None

    def tell(self, heard: Callable[[ReadReport], None] | None) -> None:
        """Tell this one from now on; what was gathered goes to the one before."""
        self.hand_on()
        self._heard = heard

    def add(self, report: ReadReport) -> None:
        """Hand on a report soon, after those that were added before."""
        keys = (*report.values, *report.failures)
        if any(self._must_go_first(key, report) for key in keys):
            self.hand_on()
        for key in keys:
            overwrite(self._report, key, report)
        if keys and self._delivery is None:
            self._delivery = asyncio.get_running_loop().call_later(
                _GATHER, self.hand_on
            )

    def hand_on(self) -> None:
        """Hand on now what was gathered."""
        if self._delivery is None:
            return
        self._delivery.cancel()
        self._delivery = None
        report, self._report = self._report, ReadReport()
        if self._heard is not None:
            self._heard(report)

    def _must_go_first(self, key: PointKey, report: ReadReport) -> bool:
        """Return whether what is there of a point must be heard of itself."""
        before, after = self._report.values.get(key), report.values.get(key)
        if before is None:
            return key in self._report.failures
        return after is None or (isinstance(before, bool) and before != after)
