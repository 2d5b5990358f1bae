"""When to ask a device for its reports of changes again, and when not to.

A subscription dies without a word: the device restarts, its list is cleared,
a renewal is lost. Nobody learns of it but who compares what was reported with
what is read, and who notices that a talkative device has gone still; so this
keeps what is needed for both, for the objects of one device. It sends nothing
and reads no clock.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from heapq import heapify, heappop, heappush
from math import inf
from random import random

from ..plant.model import Value
from .bacnet_read_multiple import Place
from .cov_silence import ReportSilence

_FIRST_RETRY = 5.0
_LONGEST_RETRY = 300.0
_REFUSED_PAUSE = 3600.0
"""Until what was refused is asked for again: lists are seldom made longer."""
_SILENCES = 3
"""Requests without an answer after which a device that answers others is taken
not to know this one."""
_GRACE = 5.0
"""Seconds that a report may come later than a reading that shows the same."""
_ROUNDING = 1e-6


class Refusal(Enum):
    """What a device said no to."""

    OBJECT = auto()
    """To report this object."""
    FULL = auto()
    """To report one more object."""
    SERVICE = auto()
    """To report anything."""


@dataclass(slots=True)
class _Subscription:
    """One object; times are seconds of the caller's clock."""

    rank: int
    """Which goes first; the lower."""
    due: float
    """When to ask for it, or again."""
    expires: float | None = None
    """Until when the device reports; None: it does not."""
    granted: float = 0.0
    is_asked: bool = False
    """Whether the device was ever asked, so that reports of it are ours."""
    is_read: bool = False
    """Whether it was read since it is reported."""
    value: Value | None = None
    """As last reported, or as read when the reports began."""
    heard: float = 0.0
    settled: float = inf
    """From when a report shows a step: the first one after a request shows
    only what is."""
    doubted: float | None = None
    """When a reading first differed from what was reported."""
    tolerance: float = 0.0
    """How far a number may be from what was reported: the device's COV
    increment as far as it is known. It is learned, because many devices do not
    have the property: a report shows that the increment is not more than its
    step, a doubt that nothing came of shows that it may be as much as that."""

    def is_live(self, now: float) -> bool:
        return self.expires is not None and now < self.expires


class Subscriptions:
    """What one device is asked to report."""

    def __init__(self, lifetime: float, spread: Callable[[], float] = random) -> None:
        """Ask for reports for `lifetime` seconds at a time.

        `spread` returns numbers from 0 to 1 that keep renewals apart.
        """
        self._lifetime = lifetime
        self._spread = spread
        self._objects: dict[Place, _Subscription] = {}
        self._queue: list[tuple[float, int, Place]] = []
        """A heap; entries that do not agree with their object are old."""
        self._answers = False
        self._grants = False
        """Whether it ever agreed to report anything since it is there."""
        self._silences = 0
        self._paused_until = 0.0
        self._renewed_all = -inf
        self._silence = ReportSilence()
        self._suspected: Place | None = None
        """What was asked for only because the device had gone still."""

    @property
    def answers(self) -> bool:
        """Whether the device is there to be asked."""
        return self._answers

    def want(self, now: float, ranks: Mapping[Place, int]) -> list[Place]:
        """Have these reported and no others; return those to be ended."""
        ended = [
            name
            for name, subscription in self._objects.items()
            if name not in ranks and subscription.is_asked
        ]
        self._objects = {
            name: self._objects.get(name) or _Subscription(rank, now)
            for name, rank in ranks.items()
        }
        for name, rank in ranks.items():
            self._objects[name].rank = rank
        self._sort()
        return ended

    def live(self, now: float) -> Iterator[tuple[Place, float]]:
        """Return what is reported and was read since, and until when it is."""
        for name, subscription in self._objects.items():
            if (
                subscription.is_read
                and subscription.expires is not None
                and now < subscription.expires
            ):
                yield name, subscription.expires

    # --- asking

    def next_due(self) -> float | None:
        """Return when there is something to ask; None: not until told more."""
        if not self._answers:
            return None
        while self._queue:
            due, _, name = self._queue[0]
            subscription = self._objects.get(name)
            if subscription is not None and subscription.due == due:
                break
            heappop(self._queue)
        moments = [max(self._queue[0][0], self._paused_until)] if self._queue else []
        if (still := self._silence.due()) is not None:
            moments.append(still)
        return min(moments, default=None)

    def take_due(self, now: float) -> Place | None:
        """Return what to ask for now. Say what came of it before the next."""
        due = self.next_due()
        if due is None or due > now:
            return None
        if (suspected := self._silence.take_due(now)) is not None:
            if suspected in self._objects:
                self._suspected = suspected
                return suspected
            self._silence.forget()
            return self.take_due(now)
        name = heappop(self._queue)[2]
        subscription = self._objects[name]
        if isinstance(subscription.value, bool) and subscription.doubted is not None:
            # It has no increment, so the device has forgotten: others as well.
            subscription.expires = None
            self.announced(now)
        subscription.is_asked = True
        subscription.settled = inf
        return name

    def granted(self, now: float, name: Place) -> bool:
        """Take in that the device will report; return whether to read it."""
        self._grants = True
        self._silences = 0
        self._paused_until = 0.0
        if (subscription := self._objects.get(name)) is None:
            return False
        if not subscription.is_live(now):
            subscription.is_read = False
            subscription.granted = now
        subscription.expires = now + self._lifetime
        subscription.settled = now + _GRACE
        subscription.doubted = None
        self._put_off(name, self._renewal(now, self._lifetime))
        return not subscription.is_read

    def refused(self, now: float, name: Place, refusal: Refusal) -> None:
        """Take in that the device will not report."""
        self._silences = 0
        if (subscription := self._objects.get(name)) is None:
            return
        subscription.expires = None
        if refusal is Refusal.OBJECT:
            self._put_off(name, self._much_later(now))
            return
        for item in self._objects.values():
            if refusal is Refusal.SERVICE or not item.is_live(now):
                item.due = max(item.due, self._much_later(now))
        subscription.due = self._much_later(now)
        self._sort()

    def retry(self, now: float, name: Place) -> None:
        """Ask for this one again at once."""
        self._put_off(name, now)

    def failed(self, now: float, name: Place) -> bool:
        """Take in that nothing came of asking; leave the device alone a while.

        Returns whether it seems to be gone, so that it should be read at once.
        """
        if name == self._suspected:
            self.silent()
            return True
        self._silences += 1
        if self._silences >= _SILENCES and not self._grants:
            self.refused(now, name, Refusal.SERVICE)
            return False
        doublings = min(self._silences - 1, 8)
        pause = min(_FIRST_RETRY * 2**doublings, _LONGEST_RETRY)
        self._paused_until = now + pause * (0.75 + 0.5 * self._spread())
        self._put_off(name, self._paused_until)
        return False

    # --- the device

    def silent(self) -> None:
        """Take in that the device does not answer: it may forget everything."""
        self._answers = False
        self._forget_silence()
        for subscription in self._objects.values():
            subscription.expires = None

    def answered(self, now: float) -> None:
        """Take in that the device answers; ask for everything if it was away."""
        if self._answers:
            return
        self._answers = True
        self._grants = False
        self._silences = 0
        self._paused_until = 0.0
        self._ask_for_all(now)

    def announced(self, now: float) -> None:
        """Take in that the device announced itself: it may have been restarted.

        It also does when somebody looks for devices, so a device that is known
        to be there is asked for everything at most every half lifetime.
        """
        if not self._answers:
            self.answered(now)
        elif now - self._renewed_all >= self._lifetime / 2:
            self._ask_for_all(now)

    # --- values

    def is_ours(self, name: Place) -> bool:
        """Return whether a report of this object was asked for."""
        return (item := self._objects.get(name)) is not None and item.is_asked

    def reported(
        self, now: float, name: Place, value: Value | None, remaining: float
    ) -> bool:
        """Take in a report; `remaining` are the seconds that it says are left.

        Returns whether there is something to ask sooner than there was.
        """
        subscription = self._objects[name]
        before = subscription.value
        if value is not None:
            if before is not None and value != before and now >= subscription.settled:
                subscription.tolerance = min(
                    subscription.tolerance, abs(value - before)
                )
            subscription.value = value
        subscription.heard = now
        if subscription.expires is None:
            return False
        suspected = self._suspected
        if name == suspected:
            self._suspected = None
            if before is not None and value is not None:
                if abs(value - before) > max(subscription.tolerance, _ROUNDING):
                    # It moved and did not say so: it knows nothing of us.
                    self._ask_for_all(now)
                    return True
        due = self.next_due()
        if name != suspected and now >= subscription.settled:
            self._silence.heard(now, name)
        if subscription.doubted is not None:
            subscription.doubted = None
            left = subscription.expires - now
            self._put_off(name, self._renewal(now, left))
        # Some devices grant less than they were asked for.
        if 0 < remaining < subscription.expires - now - 1:
            subscription.expires = now + remaining
            self._put_off(name, self._renewal(now, remaining))
        return (after := self.next_due()) is not None and (due is None or after < due)

    def read(self, now: float, began: float, name: Place, value: Value | None) -> bool:
        """Take in a reading that `began` then; None: it did not bring a value.

        Returns whether it seems that the reports have ended: it will be asked
        for again, a switch unless it is reported within a moment.
        """
        subscription = self._objects.get(name)
        if subscription is None or not subscription.is_live(now):
            return False
        if value is None:
            subscription.is_read = False
            return False
        if not subscription.is_read:
            if began >= subscription.granted:
                subscription.is_read = True
                if subscription.heard < began:
                    subscription.value = value
            return False
        before = subscription.value
        if subscription.heard >= began or before is None:
            return False
        difference = abs(value - before)
        if difference <= max(subscription.tolerance, _ROUNDING * abs(before)):
            subscription.doubted = None
            return False
        if subscription.doubted is None:
            subscription.doubted = now
            if isinstance(value, bool):
                self._put_off(name, now + _GRACE)
                return True
            return False
        if isinstance(value, bool) or now - subscription.doubted < _GRACE:
            return False
        subscription.expires = None
        subscription.doubted = None
        subscription.tolerance = max(subscription.tolerance, 2 * difference)
        self._put_off(name, now)
        return True

    def _forget_silence(self) -> None:
        self._silence.forget()
        self._suspected = None

    def _ask_for_all(self, now: float) -> None:
        self._renewed_all = now
        self._forget_silence()
        for subscription in self._objects.values():
            subscription.expires = None
            subscription.doubted = None
            subscription.due = now
        self._sort()

    def _renewal(self, now: float, left: float) -> float:
        """Return when to renew what has so many seconds left.

        At the latest with a quarter of them left, for several more attempts.
        """
        return now + left * (0.5 + 0.25 * self._spread())

    def _much_later(self, now: float) -> float:
        return now + _REFUSED_PAUSE * (0.75 + 0.5 * self._spread())

    def _put_off(self, name: Place, due: float) -> None:
        if (subscription := self._objects.get(name)) is not None:
            subscription.due = due
            heappush(self._queue, (due, subscription.rank, name))

    def _sort(self) -> None:
        self._queue = [
            (item.due, item.rank, name) for name, item in self._objects.items()
        ]
        heapify(self._queue)
