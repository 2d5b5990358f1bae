"""What one plant is asked for by a portfolio, what it offers, and what it bore.

A share that is not asked for again runs out by itself. Events that others heard of
are given to the control engine like those of a utility.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from homeassistant.core import callback

from ..plant.demand_response.asked_over import AskedOver
from .known_event import FAULT, KnownEvent
from .portfolio_terms import LAST_RANK, MOST_BASELINES, AskedEvent, Offer, Request

if TYPE_CHECKING:
    from .room import DemandResponseRoom

OVER_MQTT = "mqtt"
"""Who leads is heard over a broker."""
GIVEN_UP = 900.0
"""Seconds after which events of somebody who is not heard any more are over."""
SHOWN = 3600.0
"""Seconds for which the engine is told of a share that ran out."""
BURDEN_HALVES = 30 * 86400.0
"""Seconds after which what a plant bore counts for half as much."""
_LONGEST_STEP = 120.0
_LONGEST_ID = 200
_MOST_KEPT = 300
_SURE: Mapping[str, float] = {"high": 1.0, "medium": 0.7, "low": 0.4, "unknown": 0.2}


class PortfolioMember:
    """The part of one plant."""

    def __init__(self, room: DemandResponseRoom, save: Callable[[], None]) -> None:
        """Begin with nothing asked; `save` has it kept on disk."""
        self._room = room
        self._save = save
        self.request: Request | None = None
        """What is asked for, by somebody else; None outside of portfolios."""
        self.by: str | None = None
        """The config entry of the plant that leads, or `OVER_MQTT`."""
        self.asked: dict[str, AskedOver] = {}
        """By the key of the event, as this plant knows it."""
        self._ranks: dict[str, int] = {}
        self._modifications: dict[str, int] = {}
        self._burden = 0.0
        self._saved_burden = 0.0
        self._looked: float | None = None

    def of(self, now: float) -> str | None:
        """Return the portfolio that this plant listens to; None: it may take any."""
        request = self.request
        if request is None or now >= request.valid_until:
            return None
        return request.portfolio

    @property
    def source(self) -> str | None:
        """Where events come from that others heard of."""
        return None if self.request is None else self.request.source

    def key(self, event_id: str) -> str:
        """Return what an event of the portfolio is known by here."""
        return f"{self.source}:{event_id}"

    # What it is asked for.

    @callback
    def take(self, request: Request, by: str, now: float) -> bool:
        """Take what is asked for; False where somebody else asks already."""
        if self.by not in (None, by):
            return False
        if by == OVER_MQTT and self.of(now) not in (None, request.portfolio):
            return False
        if request.valid_until <= now:
            return True
        source = self.source
        known = (
            {event.id: event for event in self.request.events} if self.request else {}
        )
        for event in request.events:
            before = known.get(event.id)
            if before is None or before.frame != event.frame:
                # By the clock, so that one that comes back is newer in any case.
                number = self._modifications.pop(event.id, -1) + 1
                self._modifications[event.id] = max(number, int(now))
        for gone in list(self._modifications)[:-_MOST_KEPT]:
            del self._modifications[gone]
        self.request, self.by = request, by
        if source != self.source:
            self._room.sources_changed()
        if not self._room.settings.portfolio.leads:
            # Otherwise it is split once more, and its own share is asked for then.
            for event in request.events:
                self.ask(self.key(event.id), event, request.valid_until, now)
        self._save()
        self._room.changed()
        return True

    @callback
    def ask(self, key: str, event: AskedEvent, valid: float, now: float) -> None:
        """Ask for this plant's share of an event, known as `key` here, until then."""
        until = min(valid, event.ends)
        if until <= now or (event.kw is None and key not in self.asked):
            return
        kw = event.kw or 0.0
        of_kw = kw if event.of_kw is None else event.of_kw
        self.asked.setdefault(key, AskedOver()).ask(now, until, kw, of_kw)
        self._ranks[key] = event.rank
        while len(self.asked) > _MOST_KEPT:
            self.forget(next(iter(self.asked)))
        self._save()

    @callback
    def leave(self) -> None:
        """Be in no portfolio any more."""
        if self.request is None:
            return
        self.request = self.by = None
        self._save()
        self._room.sources_changed()
        self._room.changed()

    @callback
    def forget(self, key: str) -> None:
        """Forget an event that is long over."""
        self.asked.pop(key, None)
        self._ranks.pop(key, None)

    def asked_of_all(self, key: str, now: float) -> float | None:
        """Return what somebody else asks of all that is led here; None: nothing."""
        if self.request is None or now >= self.request.valid_until:
            return None
        for event in self.request.events:
            if self.key(event.id) == key:
                return event.kw
        return None

    def share(self, now: float) -> tuple[float, float] | None:
        """Return what is asked for now, of this plant and of all of them.

        Of several events in the one that the engine goes by: the first in rank.
        """
        running = [
            (self._ranks.get(key, LAST_RANK), last[2] <= 0.0, last[2:])
            for key, asked in self.asked.items()
            if (last := asked.last) is not None and last[0] <= now < last[1]
        ]
        return min(running)[2] if running else None

    def mean(self, event: KnownEvent) -> float | None:
        """Return what was asked of this plant over an event; None: not by shares."""
        asked = self.asked.get(event.key)
        if asked is None:
            return 0.0 if event.source == self.source else None
        return asked.mean(event.begins, event.stopped)[0]

    # What the engine is told.

    def events(self, now: float) -> list[dict[str, Any]]:
        """Return the events that others heard of, as `GridEvent` has them."""
        if self.request is None:
            return []
        return [
            {
                "id": event.id,
                "source": self.source,
                "modification": self._modifications.get(event.id, 0),
                "rank": event.rank,
                "start": event.begins,
                "duration": event.ends - event.begins,
                "signals": event.signals,
                "created": event.begins,
                "recovery": event.recovery,
                "comment": event.name,
            }
            for event in self.request.events
            if now < event.ends + event.recovery
        ]

    def shares(self, now: float) -> dict[str, dict[str, float]]:
        """Return what is asked for, by event."""
        return {
            key: {"since": last[0], "until": last[1], "kw": last[2], "of_kw": last[3]}
            for key, asked in self.asked.items()
            if (last := asked.last) is not None and last[1] + SHOWN > now
        }

    # What it offers.

    def offer(self, now: float) -> Offer:
        """Return what this plant could do now."""
        room = self._room
        event = self._active(now)
        baseline = delivered = None
        load = self.load_kw
        if event is not None:
            said = room.baselines.get(event.key)
            baseline = None if said is None else said.mean(now, now + 1.0)
            if baseline is not None and load is not None:
                delivered = baseline - load
        able = (
            room.heard and room.settings.take_part and room.reported_state != FAULT
        ) and (event is None or delivered is not None)
        # Not what is measured alone: the meter shows a measure later than it is
        # used, and a plant that seems to have less would be asked for less.
        used = self._used_kw
        shed = max(delivered or 0.0, used)
        more = room.available_kw or 0.0
        return Offer(
            at=now,
            available_kw=round(more + shed, 1) if able else 0.0,
            confidence=self._confidence(event or room.next_event()),
            burden=round(self._burden, 3),
            delivered_kw=None
            if delivered is None or not room.heard
            else _kw(delivered),
            baseline_kw=_kw(baseline),
            load_kw=_kw(load),
            more_kw=self._more_kw(now),
            used_kw=round(used, 1),
            of=self.of(now),
            out=self._out(),
            baselines=self._baselines(now),
        )

    @property
    def load_kw(self) -> float | None:
        """What the meter says now; None while it says nothing to rely on."""
        if (meter := self._room.meter) is None:
            return None
        load = self._room.coordinator.reading(meter).good
        return None if load is None else float(load)

    @property
    def _used_kw(self) -> float:
        used = self._room.attributes.get("used_kw") if self._room.heard else None
        return max(float(used), 0.0) if isinstance(used, int | float) else 0.0

    def _more_kw(self, now: float) -> float | None:
        """Return what could be shed in addition; None where nobody can say."""
        room = self._room
        if not room.settings.take_part:
            return 0.0
        if not room.heard or room.reported_state == FAULT or room.available_kw is None:
            return None
        running = [
            room.opt_of(event)
            for event in room.events.values()
            if event.stands(now) == "active" and not event.test
        ]
        out = bool(running) and "in" not in running
        return 0.0 if out else _kw(max(room.available_kw, 0.0))

    def _baselines(self, now: float) -> dict[str, dict[str, Any]]:
        """Return the baselines of the portfolio's events that are not over."""
        if self.request is None:
            return {}
        coming = sorted(
            (event for event in self.request.events if now < event.ends),
            key=lambda event: event.begins,
        )
        return {
            event.id: {**said.told(), "why": said.why[:500]}
            for event in coming[:MOST_BASELINES]
            if (said := self._room.baselines.get(self.key(event.id))) is not None
        }

    def _active(self, now: float) -> KnownEvent | None:
        """Return the event that runs and counts, one with a baseline before others."""
        active = [
            event
            for event in self._room.events.values()
            if event.stands(now) == "active"
            and not event.test
            and self._room.opt_of(event) == "in"
        ]
        return min(
            active,
            key=lambda event: (
                event.key not in self.asked,
                self._ranks.get(event.key, LAST_RANK),
                event.key not in self._room.baselines,
                event.begins,
            ),
            default=None,
        )

    def _confidence(self, event: KnownEvent | None) -> float:
        """Return how sure is what this plant delivers, of an event to come too.

        Otherwise one that says so late would seem surer than all others at its begin.
        """
        if event is None:
            return 1.0
        said = self._room.baselines.get(event.key)
        return _SURE.get("unknown" if said is None else said.confidence, 0.2)

    def _out(self) -> tuple[str, ...]:
        if self.request is None:
            return ()
        found = (
            (item.id, self._room.events.get(self.key(item.id)))
            for item in self.request.events
        )
        return tuple(
            name
            for name, event in found
            if event is not None and self._room.opt_of(event) == "out"
        )

    # By the clock.

    @callback
    def look(self, now: float) -> None:
        """Count what is borne, and let go of who is not heard any more."""
        self._bear(now)
        request = self.request
        if (
            request is not None
            and request.events
            and now > request.valid_until + GIVEN_UP
        ):
            self.request = replace(request, events=())
            self._save()
            self._room.changed()

    def _bear(self, now: float) -> None:
        before, self._looked = self._looked, now
        if before is None or now <= before:
            return
        self._burden *= 0.5 ** ((now - before) / BURDEN_HALVES)
        share = self.share(now)
        if share is not None and share[0] > 0.0:
            offer = self.offer(now)
            if offer.available_kw > 0.0 and offer.delivered_kw is not None:
                part = min(max(offer.delivered_kw, 0.0) / offer.available_kw, 1.0)
                step = min(now - before, _LONGEST_STEP)
                self._burden += part * step / 3600.0
        if abs(self._burden - self._saved_burden) > 0.05:
            self._saved_burden = self._burden
            self._save()

    # On disk.

    def as_dict(self) -> dict[str, Any]:
        """Return what a restart must not forget."""
        return {
            "request": None if self.request is None else self.request.as_dict(),
            "by": self.by,
            "asked": {key: item.as_list() for key, item in self.asked.items()},
            "modifications": self._modifications,
            "burden": self._burden,
        }

    def restore(
        self, request: Request | None, by: str | None, kept: Mapping[str, Any]
    ) -> None:
        """Take back what `as_dict` gave."""
        if request is not None and by is not None:
            self.request, self.by = request, by
        self.asked = {key: AskedOver(rows) for key, rows in kept["asked"].items()}
        self._modifications = dict(kept["modifications"])
        self._burden = self._saved_burden = float(kept["burden"])


def _kw(value: float | None) -> float | None:
    return None if value is None else round(value, 1)


def event_id(key: str) -> str:
    """Return what an event is called between plants: short enough for their keys."""
    if len(key) <= _LONGEST_ID:
        return key
    return key[: _LONGEST_ID - 17] + "#" + sha256(key.encode()).hexdigest()[:16]


def asked_event(
    event: KnownEvent,
    rank: int,
    signals: list[dict[str, Any]],
    kw: float | None,
    of_kw: float | None,
) -> AskedEvent:
    """Return an event as another plant is told of it."""
    return AskedEvent(
        event_id(event.key),
        (event.name or event.id)[:200],
        event.begins,
        event.ends,
        event.recovery,
        rank,
        signals,
        kw,
        of_kw,
    )
