"""What a utility is told of an event while it lasts, and once after it.

A row covers a span of time: the mean of the load and of the baseline in it, and how
the site stood at its end. OpenADR 3 has no answer to an event; a row says that a
site opted out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .event_book import Opt

Value: TypeAlias = float | str
OperatingState: TypeAlias = Literal[
    "NORMAL",
    "RUNNING_NORMAL",
    "RUNNING_CURTAILED",
    "IDLE_OPTED_OUT",
    "RUNNING_OPTED_OUT",
]


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of the site now, kW."""

    power_kw: float | None
    baseline_kw: float | None
    available_kw: float | None
    """What could be shed in addition."""
    curtailed: bool
    """Whether measures are used."""
    complete: bool = True
    """False where a plant that belongs to the figures is left out of them."""


@dataclass(frozen=True, slots=True)
class Reported:
    """An event that is reported on; times in epoch seconds and seconds."""

    key: str
    begins: float
    stops: float
    """Its end, or when it was cancelled."""
    interval: float
    opt: Opt


@dataclass(frozen=True, slots=True)
class Row:
    """What is reported of a span: values by OpenADR 3 payload type."""

    key: str
    start: float
    duration: float
    values: Mapping[str, Value]


@dataclass(slots=True)
class _Seen:
    powers: list[float] = field(default_factory=list)
    baselines: list[float] = field(default_factory=list)


@dataclass(slots=True)
class _Span:
    begin: float
    end: float
    last: bool
    looks: int = 0
    whole: _Seen = field(default_factory=lambda: _Seen())
    part: _Seen = field(default_factory=lambda: _Seen())
    """While a plant was left out: a load that was not seen is no load that fell."""

    @property
    def good(self) -> bool:
        """Whether half of the readings are whole: enough for a mean."""
        return 2 * len(self.whole.powers) >= self.looks > 0

    @property
    def told(self) -> _Seen:
        """What is told of: the whole, or the part where there is too little of it."""
        return self.whole if self.good or not self.part.powers else self.part


class EventReports:
    """The rows of all events of a site."""

    def __init__(self) -> None:
        """Begin with nothing reported."""
        self._spans: dict[str, _Span] = {}
        self._answered: dict[str, Opt] = {}
        self._done: set[str] = set()

    def follow(
        self, now: float, events: Sequence[Reported], figures: Figures
    ) -> list[Row]:
        """Return the rows that are complete, or have to be told at once."""
        rows: list[Row] = []
        keys = {event.key for event in events}
        for event in events:
            rows += self._answer(now, event, figures)
            rows += self._look(now, event, figures)
        self._spans = {key: item for key, item in self._spans.items() if key in keys}
        self._answered = {
            key: item for key, item in self._answered.items() if key in keys
        }
        self._done &= keys
        return rows

    def _answer(self, now: float, event: Reported, figures: Figures) -> list[Row]:
        """Return what tells a utility before the event that the site opted."""
        before = self._answered.get(event.key, "in")
        self._answered[event.key] = event.opt
        if event.opt == before or now >= event.begins:
            return []
        values: dict[str, Value] = {
            "OPERATING_STATE": "IDLE_OPTED_OUT" if event.opt == "out" else "NORMAL"
        }
        return [Row(event.key, event.begins, event.stops - event.begins, values)]

    def _look(self, now: float, event: Reported, figures: Figures) -> list[Row]:
        span = self._spans.get(event.key)
        if now < event.stops:
            # Also of one that was cancelled, and that the utility wants after all.
            self._done.discard(event.key)
            if span is not None and span.last:
                passed = (now - event.begins) // event.interval + 1.0
                mark = event.begins + passed * event.interval
                span.last, span.end = False, min(mark, event.stops)
        if event.key in self._done or now < event.begins:
            return []
        rows = []
        if span is not None and not span.last and event.stops < span.end:
            # Cut short: what was cancelled is not reported on any longer.
            span.end = max(event.stops, span.begin)
        if span is not None and now >= span.end:
            if span.end > span.begin:
                rows.append(_row(event, span, figures))
            if span.last:
                self._done.add(event.key)
                del self._spans[event.key]
                return rows
            span = None
        if span is None:
            span = self._span(now, event)
            if span is None:
                self._done.add(event.key)
                self._spans.pop(event.key, None)
                return rows
            self._spans[event.key] = span
        span.looks += 1
        seen = span.whole if figures.complete else span.part
        if figures.power_kw is not None:
            seen.powers.append(figures.power_kw)
        if figures.baseline_kw is not None:
            seen.baselines.append(figures.baseline_kw)
        return rows

    @staticmethod
    def _span(now: float, event: Reported) -> _Span | None:
        """Return the span that now is in; None where there is no more to report."""
        if now < event.stops:
            number = (now - event.begins) // event.interval
            begin = event.begins + number * event.interval
            return _Span(begin, min(begin + event.interval, event.stops), False)
        end = event.stops + event.interval
        return _Span(event.stops, end, True) if now < end else None


def _row(event: Reported, span: _Span, figures: Figures) -> Row:
    values: dict[str, Value] = {}
    seen = span.told
    if seen.powers:
        values["DEMAND"] = round(sum(seen.powers) / len(seen.powers), 2)
    if seen.baselines:
        values["BASELINE"] = round(sum(seen.baselines) / len(seen.baselines), 2)
    values["OPERATING_STATE"] = _state(event, span, figures)
    if figures.available_kw is not None:
        values["LOAD_SHED_DELTA_AVAILABLE"] = round(figures.available_kw, 2)
    # A guess is never reported.
    values["DATA_QUALITY"] = "OK" if span.good else "MISSING"
    return Row(event.key, span.begin, span.end - span.begin, values)


def _state(event: Reported, span: _Span, figures: Figures) -> OperatingState:
    if event.opt == "out" and not span.last:
        powers = span.told.powers
        running = powers and powers[-1] > 0.0
        return "RUNNING_OPTED_OUT" if running else "IDLE_OPTED_OUT"
    if figures.curtailed:
        return "RUNNING_CURTAILED"
    return "NORMAL" if span.last else "RUNNING_NORMAL"
