"""What happens to events by the clock, told once.

A utility says that an event comes; that it begins and ends follows from the event
itself, and people want to read of it. What was told survives a restart.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from ..decision import Event, duration
from .event_book import Entry, EventBook, Status, Told
from .grid_event import GridEvent

_STEPS: Mapping[Status, str] = {
    "active": "event_begun",
    "recovery": "event_ended",
    "completed": "event_completed",
}
_BEFORE: Mapping[Status, tuple[Status, ...]] = {
    "active": ("far", "near"),
    "recovery": ("far", "near", "active"),
    "completed": ("far", "near", "active", "recovery"),
}


class EventFollower:
    """The action events of a site's grid events; `site` as of the event book."""

    def __init__(self, site: str, resume: object = None) -> None:
        """Go on from what `resume` gave before."""
        self._site = site
        self._stood: dict[str, str] = (
            {str(key): str(value) for key, value in resume.items()}
            if isinstance(resume, Mapping)
            else {}
        )

    @property
    def resume(self) -> dict[str, Any]:
        """Return what was told, in JSON types."""
        return dict(self._stood)

    def follow(
        self, book: EventBook, now: float, told: Iterable[Told] = ()
    ) -> list[Event]:
        """Return what happened since it was asked last."""
        events = [_of(item, self._site) for item in told]
        for key, entry in book.entries.items():
            stood, stands = self._stood.get(key), book.status(key, now)
            if stood is None and stands == "completed":
                # Long over when we came: nobody is told of it any more.
                stood = stands
            elif stood == "cancelled" != stands:
                # The utility wants it after all.
                stood = "near"
            if stands in _STEPS and stood != stands:
                events += self._steps(entry, stood, stands, now)
            self._stood[key] = stands
        self._stood = {
            key: stands for key, stands in self._stood.items() if key in book.entries
        }
        return events

    def _steps(
        self, entry: Entry, stood: str | None, stands: Status, now: float
    ) -> list[Event]:
        """Return the steps that were passed, also those while nobody looked."""
        events = []
        for step, kind in _STEPS.items():
            passed = stood is None or stood in _BEFORE[step]
            if passed and not (step == "recovery" and not entry.event.recovery):
                events.append(self._step(kind, step, entry, now))
            if step == stands:
                break
        return events

    def _step(self, kind: str, step: Status, entry: Entry, now: float) -> Event:
        event = entry.event
        part = (
            "a test, which is not acted on"
            if event.test
            else "taken part in"
            if entry.opt == "in"
            else f"not taken part in ({entry.why})"
        )
        said = {
            "event_begun": f"{_name(event)} has begun for {duration(event.duration)}:"
            f" {part}",
            "event_ended": f"{_name(event)} has ended; the load comes back",
            "event_completed": f"{_name(event)} is over",
        }[kind]
        return Event(kind, said, {"grid_event": event.key, "to": step})


def _of(told: Told, site: str) -> Event:
    event = told.event
    before = f"{_name(event)} of {event.source}"
    said = {
        "received": f"{before} was announced for {duration(event.duration)}",
        "modified": f"{before} was changed",
        "cancelled": f"{before} was cancelled",
        "opted_in": f"{before}: opted in",
        "opted_out": f"{before}: opted out",
    }[told.what]
    test = " (a test)" if event.test else ""
    because = f": {told.why}" if told.why else ""
    return Event(
        f"event_{told.what}",
        f"{said}{test}{because}",
        {"grid_event": event.key, "begins": event.begins(site)},
    )


def _name(event: GridEvent) -> str:
    return f"Event {event.id}"
