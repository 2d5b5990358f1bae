"""Splits what the utility of one plant asks for among several plants.

The plant with the connection answers for all of them. Each gets a share of the
reduction by what it can give, how sure that is and what it bore before; one that
does not deliver is made up by the others.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from homeassistant.core import callback

from ..lookup import loaded_entry
from ..plant.demand_response.portfolio import (
    Deliveries,
    Site,
    hardly_change,
    share,
    slack_kw,
)
from ..plant.demand_response.portfolio_sum import (
    Part,
    Total,
    kw_at,
    load_and_baseline,
    more,
)
from ..plant.demand_response.requested import Terms, reduction_at
from .known_event import KnownEvent
from .portfolio_member import asked_event, event_id
from .portfolio_terms import (
    AGAIN,
    LAST_RANK,
    MOST_EVENTS,
    MOST_SIGNALS,
    VALID,
    AskedEvent,
    Offer,
    Request,
    name_of,
)

if TYPE_CHECKING:
    from .portfolio import Portfolio

_NOTHING = Total()

READY = "ready"
"""Nothing is asked of it."""
DELIVERS = "delivers"
FAILS = "fails"
NO_ENGINE = "no_engine"
NO_METER = "no_meter"
SILENT = "not_heard"
OTHERS = "in_another_portfolio"


@dataclass(frozen=True, slots=True)
class Plant:
    """One plant of a portfolio, wherever it is."""

    key: str
    name: str
    offer: Offer | None
    """None while it is not heard."""
    ask: Callable[[Request], None]
    """Tells it what it is asked for."""
    listens: bool = True
    """False while somebody else asks it: nothing of it is counted on here."""


@dataclass(frozen=True, slots=True)
class Sums:
    """What all plants take and could do together now."""

    load: Total = _NOTHING
    baseline: Total = _NOTHING
    more: Total = _NOTHING
    """What could be shed in addition."""
    used_kw: float = 0.0
    """What is shed, by estimate."""


@dataclass(frozen=True, slots=True)
class _Split:
    """How one event is shared."""

    of_kw: float
    failing: frozenset[str]
    shares: Mapping[str, float]


class PortfolioLead:
    """The portfolio of one plant that has the connection to the utility."""

    def __init__(self, portfolio: Portfolio) -> None:
        """Prepare; nobody is asked yet."""
        self._portfolio = portfolio
        self._room = portfolio.room
        self._splits: dict[str, _Split] = {}
        self._expected: dict[str, dict[str, Mapping[str, Any]]] = {}
        self._deliveries = Deliveries()
        self._failing: frozenset[str] = frozenset()
        self._told: dict[str, tuple[tuple[AskedEvent, ...], float]] = {}
        self.rows: list[dict[str, Any]] = []
        """How each plant stands, for people."""
        self.sums = Sums()

    @callback
    def look(self, now: float) -> None:
        """Split what is asked for now, and ask each plant."""
        if not self._room.settings.portfolio.leads:
            self._splits.clear()
            self._expected.clear()
            self._told.clear()
            self.rows = []
            self.sums = Sums()
            return
        plants = list(self._plants(now))
        heard = {plant.key: plant.offer for plant in plants if plant.offer is not None}
        events = self._events(now)
        for event, entry in events:
            of_kw = self._requested(
                event, entry, self._load(event.key, plants, now), now
            )
            if of_kw is None:
                self._splits.pop(event.key, None)
            else:
                self._split(event.key, of_kw, heard)
        self._splits = dict(self._in_order(events))
        for key in self._expected.keys() - {event.key for event, _ in events}:
            del self._expected[key]
        self._watch(now, heard)
        for gone in self._told.keys() - {plant.key for plant in plants}:
            del self._told[gone]
        for plant in plants:
            self._ask(now, plant, events)
        self.rows = [self._row(plant) for plant in plants]
        self.sums = self._summed(now, plants, events)

    @property
    def requested_kw(self) -> float | None:
        """What all plants are asked for now; None while nothing is."""
        return next((item.of_kw for item in self._splits.values()), None)

    # Who takes part.

    def plants(self, now: float) -> list[Plant]:
        """Return all plants of the portfolio, the one that leads it first."""
        return list(self._plants(now))

    def baselines(
        self, key: str, now: float
    ) -> list[tuple[str, Mapping[str, Any] | None]]:
        """Return the baseline of an event at each plant, as they are told, by name."""
        own, *others = self._plants(now)
        return [
            (own.name, self._own_baseline(key)),
            *(
                (plant.name, _told_baseline(plant.offer, event_id(key)))
                for plant in others
            ),
        ]

    def _own_baseline(self, key: str) -> Mapping[str, Any] | None:
        said = self._room.baselines.get(key)
        return said.told() if said is not None and said.spans else None

    def _summed(
        self,
        now: float,
        plants: list[Plant],
        events: list[tuple[KnownEvent, Mapping[str, Any]]],
    ) -> Sums:
        """Return the sums of now, against the baseline of the first event that runs."""
        running = next(
            (event for event, _ in events if event.stands(now) == "active"), None
        )
        parts = []
        for number, plant in enumerate(plants):
            said = None
            if running is not None:
                said = (
                    _told_baseline(plant.offer, event_id(running.key))
                    if number
                    else self._own_baseline(running.key)
                )
            parts.append(_part(plant, said, now))
        load, baseline = load_and_baseline(parts, event=running is not None)
        used = sum(plant.offer.used_kw for plant in plants if plant.offer is not None)
        return Sums(load, baseline, more(parts), round(used, 1))

    def _plants(self, now: float) -> Iterator[Plant]:
        room, portfolio = self._room, self._portfolio
        own = room.entry.entry_id
        yield Plant(own, room.plant.name, portfolio.member.offer(now), self._ask_own)
        for entry_id in room.settings.portfolio.plants:
            if entry_id != own:
                yield self._neighbour(entry_id, now)
        for site in room.settings.portfolio.sites:
            yield self._site(site, now)

    def _site(self, site: str, now: float) -> Plant:
        """Return a plant with a Home Assistant of its own."""
        lines = self._portfolio.lines
        offer = lines.offer(site, now)
        listens = offer is None or offer.of in (None, name_of(self._room.plant.name))
        return Plant(
            f"site:{site}",
            site,
            offer if listens else None,
            partial(lines.ask, site),
            listens,
        )

    def _neighbour(self, entry_id: str, now: float) -> Plant:
        """Return a plant of the same Home Assistant."""
        entry = loaded_entry(self._room.hass, entry_id)
        if entry is None:
            known = self._room.hass.config_entries.async_get_entry(entry_id)
            name = entry_id if known is None else known.title
            return Plant(entry_id, name, None, lambda _request: None)
        other = entry.runtime_data.demand_response.portfolio
        own = self._room.entry.entry_id

        def ask(request: Request) -> None:
            other.member.take(request, own, request.at)

        listens = not other.leads and other.member.by in (None, own)
        offer = other.member.offer(now) if listens else None
        return Plant(entry_id, entry.title, offer, ask, listens)

    # What is asked for.

    def _events(self, now: float) -> list[tuple[KnownEvent, Mapping[str, Any]]]:
        """Return the events that are to be shared, with what the book says of them."""
        room = self._room
        book = {
            f"{row['event'].get('source')}:{row['event'].get('id')}": row["event"]
            for row in room.book
            if isinstance(row.get("event"), dict)
        }
        found = [
            (event, book[event.key])
            for event in room.events.values()
            if event.key in book
            and not event.over(now)
            and not event.test
            and room.opt_of(event) == "in"
        ]
        return sorted(found, key=lambda item: item[0].begins)[:MOST_EVENTS]

    def _load(self, key: str, plants: Iterable[Plant], now: float) -> float:
        """Return what all that take part would take now, without the event.

        A plant that is not heard any more counts with what it told before: a level or
        a percentage is of what there was, or the others would make up for nothing.
        """
        expected = self._expected.setdefault(key, {})
        load = 0.0
        for number, plant in enumerate(plants):
            if plant.offer is not None:
                if event_id(key) in plant.offer.out:
                    expected.pop(plant.key, None)
                    continue
                told = (
                    _told_baseline(plant.offer, event_id(key))
                    if number
                    else self._own_baseline(key)
                )
                if told is not None:
                    expected[plant.key] = told
            said = expected.get(plant.key)
            kw = None if said is None else kw_at(said["kw"], now)
            if kw is None and plant.offer is not None:
                kw = plant.offer.baseline_kw
            load += kw or 0.0
        return load

    def _requested(
        self,
        event: KnownEvent,
        entry: Mapping[str, Any],
        load: float,
        now: float,
    ) -> float | None:
        """Return what all plants shall shed now; None while nothing is asked for."""
        if event.stands(now) != "active":
            return None
        if event.source == self._portfolio.member.source:
            return self._portfolio.member.asked_of_all(event.key, now)
        settings = self._room.settings
        asked = reduction_at(
            now - event.begins,
            entry["signals"],
            float(entry.get("ramp", 0.0)),
            load,
            Terms(settings.levels, settings.prices, settings.capacity_kw),
        )
        return None if asked is None else max(asked, 0.0)

    def _split(self, key: str, of_kw: float, heard: Mapping[str, Offer]) -> None:
        """Share one event; shares that hardly change stay as they are."""
        shares = share(
            of_kw,
            (
                Site(
                    plant,
                    offer.available_kw,
                    offer.confidence,
                    offer.burden,
                    offer.delivered_kw or 0.0,
                    plant in self._failing,
                )
                for plant, offer in heard.items()
                if event_id(key) not in offer.out
            ),
        )
        before = self._splits.get(key)
        if (
            before is not None
            and before.failing == self._failing
            and abs(before.of_kw - of_kw) <= slack_kw(of_kw)
            and hardly_change(before.shares, shares, of_kw)
        ):
            return
        self._splits[key] = _Split(
            round(of_kw, 1),
            self._failing,
            {name: round(kw, 1) for name, kw in shares.items()},
        )

    def _in_order(
        self, events: list[tuple[KnownEvent, Mapping[str, Any]]]
    ) -> list[tuple[str, _Split]]:
        """Return how events are shared, as each engine goes by them.

        The first in rank counts; of those, one that asks for something, the earliest.
        """
        ranks = {event.key: _rank(entry) for event, entry in events}
        found = [
            (event.key, split)
            for event, _ in events
            if (split := self._splits.get(event.key)) is not None
        ]
        return sorted(found, key=lambda item: (ranks[item[0]], item[1].of_kw <= 0.0))

    def _asked_of(self, plant: str) -> float:
        """Return what a plant is asked for now, in the event that it goes by."""
        return next(
            (
                split.shares[plant]
                for split in self._splits.values()
                if plant in split.shares
            ),
            0.0,
        )

    def _watch(self, now: float, heard: Mapping[str, Offer]) -> None:
        """Notice who does not deliver; with every new event all are trusted again."""
        if not self._splits:
            self._deliveries, self._failing = Deliveries(), frozenset()
            return
        self._failing = self._deliveries.step(
            now,
            {key: self._asked_of(key) for key in heard},
            {key: offer.delivered_kw for key, offer in heard.items()},
        )

    # Who is told.

    def _ask(
        self,
        now: float,
        plant: Plant,
        events: list[tuple[KnownEvent, Mapping[str, Any]]],
    ) -> None:
        if not plant.listens:
            self._told.pop(plant.key, None)
            return
        asked = tuple(self._asked(plant.key, event, entry) for event, entry in events)
        said, at = self._told.get(plant.key, (None, 0.0))
        if asked == said and 0.0 <= now - at < AGAIN:
            return
        plant.ask(Request(name_of(self._room.plant.name), now, now + VALID, asked))
        self._told[plant.key] = asked, now

    def _asked(
        self, plant: str, event: KnownEvent, entry: Mapping[str, Any]
    ) -> AskedEvent:
        split = self._splits.get(event.key)
        return asked_event(
            event,
            _rank(entry),
            list(entry["signals"])[:MOST_SIGNALS],
            None if split is None else split.shares.get(plant, 0.0),
            None if split is None else split.of_kw,
        )

    @callback
    def _ask_own(self, request: Request) -> None:
        """Ask the plant that has the connection itself."""
        keys = {event_id(key): key for key in self._room.events}
        for event in request.events:
            self._portfolio.member.ask(
                keys[event.id], event, request.valid_until, request.at
            )
        self._room.changed()

    def _row(self, plant: Plant) -> dict[str, Any]:
        offer = plant.offer
        asked = self._asked_of(plant.key)
        stands = DELIVERS if asked > 0.0 else READY
        if not plant.listens:
            stands = OTHERS
        elif offer is None:
            stands = SILENT
        elif plant.key in self._failing:
            stands = FAILS
        elif offer.more_kw is None:
            stands = NO_ENGINE
        elif offer.load_kw is None:
            stands = NO_METER
        return {
            "plant": plant.name,
            "stands": stands,
            "load_kw": None if offer is None else offer.load_kw,
            "share_kw": asked,
            "available_kw": None if offer is None else offer.available_kw,
            "delivered_kw": None if offer is None else offer.delivered_kw,
            "burden_hours": None if offer is None else offer.burden,
        }


def _rank(entry: Mapping[str, Any]) -> int:
    """Return the rank of an event, as the book has it: 0 goes before 1."""
    return min(max(int(entry.get("rank", 1)), 0), LAST_RANK)


def _part(plant: Plant, said: Mapping[str, Any] | None, now: float) -> Part:
    """Return what a plant brings to the sums; `said` is its baseline."""
    offer = plant.offer
    if offer is None:
        return Part(plant.name, heard=False)
    return Part(
        plant.name,
        load_kw=offer.load_kw,
        baseline_kw=None if said is None else kw_at(said["kw"], now),
        more_kw=offer.more_kw,
        complete=offer.complete,
    )


def _told_baseline(offer: Offer | None, event: str) -> Mapping[str, Any] | None:
    """Return what a plant says would be its load in an event; None: nothing."""
    said = None if offer is None else offer.baselines.get(event)
    return said if said is not None and said["kw"] else None
