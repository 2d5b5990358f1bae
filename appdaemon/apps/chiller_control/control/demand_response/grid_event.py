"""An event of a utility, whichever protocol brought it.

OpenADR 2.0b and 3 tell the same story in different words; from here on there is
one. Times are epoch seconds, durations seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import hashlib
from math import isfinite
from typing import Literal, TypeAlias

SignalKind: TypeAlias = Literal[
    "simple",
    "load_setpoint",
    "load_delta",
    "load_multiplier",
    "capacity",
    "level_offset",
    "percent_offset",
    "price",
]
"""What is asked for: a level 0 to 3; a load in kW; a change of the load in kW,
below 0 for less; a share of the load; a share of the capacity; an offset of the
level, of the load in percent; a price."""

SPECIFIC_FIRST: tuple[SignalKind, ...] = (
    "load_setpoint",
    "load_delta",
    "load_multiplier",
    "capacity",
    "percent_offset",
    "level_offset",
    "simple",
    "price",
)
"""An event says the same thing more and less exactly; SIMPLE is always there."""

AS_USUAL: Mapping[SignalKind, float] = {
    "load_delta": 0.0,
    "load_multiplier": 1.0,
    "percent_offset": 0.0,
    "level_offset": 0.0,
}
"""Above which a signal asks for more load than there would be. Nobody asked whether the
machines can take it, and nothing here is made to use more: only less is given."""
MORE_LOAD = "it asks for more load, which is not possible here: only less can be given"
LONGEST_EVENT = 7 * 86400.0
MOST_INTERVALS = 1000
LONGEST_KEY = 255
"""Characters of its id and the name of its connection together."""
LONGEST_COMMENT = 500
LATEST = 4_102_444_800.0
"""The year 2100: no event is announced that long before."""


class EventRefused(ValueError):
    """An event that cannot be taken part in; says why."""


@dataclass(frozen=True, slots=True)
class Interval:
    """What a signal says for some time."""

    duration: float
    value: float | None
    """None while nothing is asked for."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One thing that is asked for over the time of an event."""

    kind: SignalKind
    intervals: tuple[Interval, ...]

    def value_at(self, elapsed: float) -> float | None:
        """Return what it says so many seconds after the start."""
        end = 0.0
        for interval in self.intervals:
            end += interval.duration
            if 0.0 <= elapsed < end:
                return interval.value
        return None


@dataclass(frozen=True, slots=True)
class GridEvent:
    """One event as it was last told."""

    id: str
    source: str
    """Who sent it: the name of the connection to a utility."""
    modification: int
    rank: int
    """0 goes before 1; events without a priority have a large one."""
    start: float
    duration: float
    signals: tuple[Signal, ...]
    created: float
    randomise: float = 0.0
    """Seconds within which each site shall begin at its own time."""
    ramp: float = 0.0
    """Seconds after the start in which the load goes to its target."""
    recovery: float = 0.0
    """Seconds after the end in which the load comes back."""
    test: bool = False
    comment: str = ""

    @property
    def key(self) -> str:
        """What tells it from the events of others."""
        return f"{self.source}:{self.id}"

    def begins(self, site: str) -> float:
        """Return when it begins here: the same at every restart."""
        if not self.randomise > 0.0:
            return self.start
        digest = hashlib.sha256(f"{site}:{self.key}".encode()).digest()
        return self.start + self.randomise * int.from_bytes(digest[:8], "big") / 2**64

    def ends(self, site: str) -> float:
        """Return when it ends here; recovery is after it."""
        return self.begins(site) + self.duration

    def signal(self) -> Signal | None:
        """Return the most exact of its signals."""
        for kind in SPECIFIC_FIRST:
            for signal in self.signals:
                if signal.kind == kind:
                    return signal
        return None


def shown(text: str) -> str:
    """Return a text of a utility as it can be shown and kept anywhere."""
    text = "".join(sign if sign.isprintable() else " " for sign in text)
    return text[:LONGEST_COMMENT].strip()


def is_more(kind: SignalKind, value: float) -> bool:
    """Whether a value of a signal asks for more load than there would be."""
    return kind in AS_USUAL and value > AS_USUAL[kind]


def asks_for_more(event: GridEvent) -> bool:
    """Whether an event asks for more load, and never for less."""
    signal = event.signal()
    if signal is None:
        return False
    values = [item.value for item in signal.intervals if item.value is not None]
    usual = AS_USUAL.get(signal.kind, 0.0)
    return any(is_more(signal.kind, value) for value in values) and not any(
        value < usual for value in values
    )


def check(event: GridEvent, now: float) -> None:
    """Raise `EventRefused` for an event that nobody could take part in."""
    if not event.id or not event.id.isprintable() or len(event.key) > LONGEST_KEY:
        raise EventRefused(
            f"its id is empty, longer than {LONGEST_KEY} characters with the name of the"
            " connection, or has characters that cannot be shown"
        )
    numbers: Mapping[str, float] = {
        "start": event.start,
        "duration": event.duration,
        "randomisation": event.randomise,
        "ramp": event.ramp,
        "recovery": event.recovery,
    }
    for name, number in numbers.items():
        if not isfinite(number) or number < 0.0:
            raise EventRefused(f"its {name} is {number}, which is no time")
    if event.duration == 0.0:
        raise EventRefused(
            "it has no duration: an event without an end is not taken part in,"
            " because nobody could plan for when the load comes back"
        )
    if event.duration > LONGEST_EVENT:
        raise EventRefused(f"it lasts {event.duration / 86400:.0f} days; at most 7 are")
    for name in ("randomisation", "recovery"):
        if numbers[name] > LONGEST_EVENT:
            raise EventRefused(f"its {name} lasts {numbers[name] / 86400:.0f} days")
    if event.start > LATEST:
        raise EventRefused("it begins after the year 2100, which is no time")
    if event.start + event.duration + event.randomise <= now:
        raise EventRefused("it is over already")
    if event.signal() is None:
        raise EventRefused("none of its signals is known here")
    for signal in event.signals:
        _check_signal(signal, event.duration)
    if asks_for_more(event):
        raise EventRefused(MORE_LOAD)


def _check_signal(signal: Signal, duration: float) -> None:
    intervals: Sequence[Interval] = signal.intervals
    if not intervals:
        raise EventRefused(f"its signal {signal.kind} says nothing")
    if len(intervals) > MOST_INTERVALS:
        raise EventRefused(f"its signal {signal.kind} has over {MOST_INTERVALS} steps")
    for interval in intervals:
        if not isfinite(interval.duration) or interval.duration <= 0.0:
            raise EventRefused(f"a step of its signal {signal.kind} has no duration")
        if interval.value is not None and not isfinite(interval.value):
            raise EventRefused(f"a step of its signal {signal.kind} has no value")
    values = [item.value for item in intervals if item.value is not None]
    if not values:
        raise EventRefused(f"its signal {signal.kind} says nothing")
    if signal.kind == "simple" and not {0.0, 1.0, 2.0, 3.0}.issuperset(values):
        raise EventRefused("its level is none of 0, 1, 2, 3")
    if signal.kind in ("load_setpoint", "load_multiplier", "capacity") and (
        min(values) < 0.0
    ):
        raise EventRefused(f"its signal {signal.kind} asks for less than no load")
    covered = sum(interval.duration for interval in intervals)
    if covered < duration - 1.0:
        raise EventRefused(
            f"its signal {signal.kind} says nothing for the last"
            f" {duration - covered:.0f} s"
        )
