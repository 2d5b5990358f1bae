"""What is asked of a site now, of all that its utilities ask.

The event that counts, its baseline, and what the load should be; after the event,
the load that it comes back to. Where something is asked for and nobody can say
against what, that is said, and nothing is aimed at.
"""

from dataclasses import dataclass

from .event_book import Entry, EventBook
from .precooling import Coming, outdoor_of
from .requested_load import RequestedLoad, not_possible, requested_load
from .shedding_terms import Demand
from .site import Baseline, Site


@dataclass(frozen=True, slots=True)
class _Asked:
    entry: Entry
    baseline_kw: float | None
    load: RequestedLoad | None
    """None while the event asks for nothing."""


class Asking:
    """Answers `demand` for `Shedding`, from the event book."""

    def __init__(self) -> None:
        """Begin without a site."""
        self._site: Site | None = None
        self._book: EventBook | None = None
        self._baselines: dict[str, Baseline] = {}
        self._asked: _Asked | None = None

    def take(self, site: Site) -> None:
        """Take over what people decided.

        A baseline that is gone for a moment must not end what began with it.
        """
        if self._site is not None and self._site.key != site.key:
            self._baselines.clear()
        self._site = site
        for key, baseline in site.baselines.items():
            if baseline.kw or key not in self._baselines:
                self._baselines[key] = baseline

    def look(self, book: EventBook, now: float) -> None:
        """Look into the book as it is now.

        Of events of the same rank one that asks for something goes before one that
        does not: a price of all day must not hide an emergency.
        """
        assert self._site is not None
        self._book = book
        known = book.entries.keys() | self._site.baselines.keys()
        for key in self._baselines.keys() - known:
            del self._baselines[key]
        active = book.active(now)
        found = [
            self._ask(now, entry)
            for entry in active
            if entry.event.rank == active[0].event.rank
        ]
        asking = [item for item in found if item.load is not None]
        self._asked = next(iter(asking or found), None)

    def _ask(self, now: float, entry: Entry) -> _Asked:
        assert self._site is not None
        baseline = self._baseline(entry.event.key, now)
        part = self._site.portfolio
        if part is not None and part.is_shared(entry.event):
            load = part.load(entry.event.key, now, baseline or 0.0)
        else:
            load = requested_load(
                entry.event, self._site.key, now, baseline or 0.0, self._site.terms
            )
        return _Asked(entry, baseline, load)

    def _baseline(self, key: str, now: float) -> float | None:
        known = self._baselines.get(key)
        return None if known is None else known.at(now)

    def demand(self, now: float) -> Demand | None:
        """Return what is asked for, None where not even a baseline is known."""
        asked = self._asked
        if asked is not None and asked.load is not None:
            return Demand(asked.baseline_kw or 0.0, asked.load)
        baseline = self.baseline_kw(now)
        return None if baseline is None else Demand(baseline, None)

    def coming(self, now: float) -> Coming | None:
        """Return the event that can be prepared for: the next, while none is on."""
        assert self._site is not None
        assert self._book is not None
        if self._asked is not None:
            return None
        entry = self._book.next(now)
        if entry is None:
            return None
        begins = entry.event.begins(self._site.key)
        ends = entry.event.ends(self._site.key)
        return Coming(begins, ends, outdoor_of(self._site.forecast, begins, ends))

    def baseline_kw(self, now: float) -> float | None:
        """Return the load without the event that counts, or that was the last one."""
        if self._asked is not None and self._asked.baseline_kw is not None:
            return self._asked.baseline_kw
        assert self._site is not None and self._book is not None
        begun = sorted(
            (begins, key)
            for key, entry in self._book.entries.items()
            if (begins := entry.event.begins(self._site.key)) <= now
        )
        for _, key in reversed(begun):
            if (baseline := self._baseline(key, now)) is not None:
                return baseline
        return None

    @property
    def blind(self) -> str | None:
        """Why nothing can be aimed at, in a sentence; None where it can."""
        asked = self._asked
        if asked is None or asked.load is None:
            return None
        assert self._site is not None
        event = f"Event {asked.entry.event.id} asks for {asked.load.reason}"
        if self._site.meter is None:
            return f"{event}, but no meter is chosen: nobody knows what is shed"
        if asked.baseline_kw is None:
            return f"{event}, but its baseline is not known: nothing to shed from"
        return None

    def words(self, entry: Entry, now: float) -> str | None:
        """Return what an event asks for now, None while that is nothing."""
        assert self._site is not None
        if entry.cancelled is not None:
            return None
        load = self._ask(now, entry).load
        if load is None:
            return not_possible(entry.event, self._site.key, now)
        return load.reason
