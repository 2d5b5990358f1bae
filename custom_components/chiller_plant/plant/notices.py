"""What happened to commands, told once, for people and for the record."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from .model import Point, PointKey, Value

MAXIMUM_NOTICES = 200
"""Kept until somebody drains them; then the oldest go."""


GIVEN_BACK = "released"
"""What a point has after nobody of us commands it any more."""


class NoticeKind(StrEnum):
    """What kind of thing happened."""

    WRITTEN = "written"
    RELEASED = "released"
    """Given back on the wire, because nobody wants anything of it any more."""
    HELD = "held"
    HOLD_ENDED = "hold_ended"
    FORCED_STOP = "forced_stop"
    """A machine is stopped, or its start taken back, to protect it."""
    LOCK_CLEARED = "lock_cleared"
    START_FAILED = "start_failed"
    LEASE_EXPIRED = "lease_expired"
    WRITE_FAILED = "write_failed"
    REFUSED = "refused"
    """A request that was not taken."""
    MISMATCH = "mismatch"
    MISMATCH_CLEARED = "mismatch_cleared"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that happened, at `at` epoch seconds."""

    kind: NoticeKind
    at: float
    point: PointKey
    equipment: str
    words: str | Callable[[], str]
    """What to tell people, or how to find the words when somebody asks for them."""
    source: str | None = None
    """Who wanted it, where somebody did."""
    before: Value | str | None = None
    after: Value | str | None = None
    """What it was and what it is, or was to be; None where that is not known."""

    @property
    def text(self) -> str:
        """What is told to people."""
        return self.words if isinstance(self.words, str) else self.words()


class NoticeBoard:
    """Notices since the last look."""

    def __init__(self) -> None:
        """Nothing happened yet."""
        self.now = 0.0
        self._notices: deque[Notice] = deque(maxlen=MAXIMUM_NOTICES)

    def post(
        self,
        kind: NoticeKind,
        point: Point,
        words: str | Callable[[], str],
        source: str | None = None,
        *,
        before: Value | str | None = None,
        after: Value | str | None = None,
    ) -> None:
        """Tell that something happened just now."""
        self._notices.append(
            Notice(
                kind, self.now, point.key, point.equipment, words, source, before, after
            )
        )

    def drain(self) -> tuple[Notice, ...]:
        """Return what was not told yet, oldest first."""
        notices = tuple(self._notices)
        self._notices.clear()
        return notices
