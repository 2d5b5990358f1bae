"""What came of an event at all plants of a portfolio together.

Each plant is settled on its own, against its own meter and baseline; the total is
the sum of those, and says which are missing.
"""

import asyncio
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from itertools import chain, count
from typing import TYPE_CHECKING, Any

import voluptuous as vol

from homeassistant.core import callback

from ..const import LOGGER
from ..lookup import loaded_entry
from ..plant.demand_response.portfolio_sum import sum_of
from ..plant.demand_response.record import SUM, EventRecord
from .known_event import KnownEvent, finite_number, from_json, text_of
from .performance_table import DatabaseAway
from .portfolio_member import event_id

if TYPE_CHECKING:
    from .portfolio import Portfolio

TOTAL = ":portfolio"
"""What the key and the id of the total end with."""
SETTLED_AFTER = 600.0
"""Seconds after an event in which its plants are settled."""
WAITED = 3600.0
"""Seconds after which the total does without those that are missing."""
AGAIN = 60.0
_LONGEST = 5_000
_SURER = ("unknown", "low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Result:
    """What one plant says that came of an event; powers are kW."""

    event: str
    """As the portfolio calls it."""
    settled_at: float
    confidence: str
    eligible: bool
    samples: int
    covered: float
    baseline_kw: float | None
    target_kw: float | None
    actual_kw: float | None
    achieved_kw: float | None
    energy_kwh: float | None

    @property
    def event_and_time(self) -> str:
        """What changes when there is something new to tell."""
        return f"{self.settled_at}:{self.event}"

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON types."""
        return asdict(self)


_NUMBER = vol.Any(None, finite_number)
_RESULT = vol.Schema(
    {
        vol.Required("event"): text_of(200),
        vol.Required("settled_at"): finite_number,
        vol.Required("confidence"): vol.In(_SURER),
        vol.Required("eligible"): bool,
        vol.Required("samples"): int,
        vol.Required("covered"): finite_number,
        **{
            vol.Required(name): _NUMBER
            for name in (
                "baseline_kw",
                "target_kw",
                "actual_kw",
                "achieved_kw",
                "energy_kwh",
            )
        },
    }
)


def parse_result(said: str) -> Result:
    """Return a result; raises `vol.Invalid` with the reason."""
    return Result(**_RESULT(from_json(said, _LONGEST)))


def result_of(record: EventRecord, event: str) -> Result:
    """Return a record as the portfolio is told."""
    known = {field.name for field in fields(Result)}
    row = {key: value for key, value in record.as_dict().items() if key in known}
    return Result(**{**row, "event": event})


def total(
    own: EventRecord,
    results: Mapping[str, Result],
    missing: Sequence[str],
    requested_kw: float,
    now: float,
) -> EventRecord:
    """Return the sum of what came of an event at the plants, by their names."""

    def added(name: str) -> float | None:
        known = [getattr(item, name) for item in results.values()]
        some = [value for value in known if value is not None]
        return sum(some) if some else None

    silent = [
        name for name, item in results.items() if item.achieved_kw is None
    ] + list(missing)
    achieved = added("achieved_kw")
    why = f"the sum of {', '.join(results) or 'nothing'}"
    if silent:
        why += f"; nothing is known of {', '.join(silent)}"
    return replace(
        own,
        event=f"{own.event[:240]}{TOTAL}",
        event_id=f"{own.event_id[:240]}{TOTAL}",
        name=f"{own.name} (portfolio)",
        meter=None,
        method=SUM,
        why=why,
        confidence=min(
            (item.confidence for item in results.values()),
            key=_SURER.index,
            default="unknown",
        ),
        eligible=not silent and all(item.eligible for item in results.values()),
        relative_error=None,
        bias=None,
        baseline_kw=added("baseline_kw"),
        requested_kw=requested_kw,
        target_kw=added("target_kw"),
        actual_kw=added("actual_kw"),
        achieved_kw=achieved,
        shed_percent=(
            None
            if achieved is None or requested_kw <= 0.0
            else 100.0 * achieved / requested_kw
        ),
        energy_kwh=added("energy_kwh"),
        samples=sum(item.samples for item in results.values()),
        covered=min((item.covered for item in results.values()), default=0.0),
        settled_at=now,
    )


def summed_baseline(
    parts: Iterable[tuple[str, Mapping[str, Any] | None]],
) -> tuple[dict[str, Any] | None, list[str]]:
    """Return the sum of baselines that plants told, and who is left out.

    The sum is as sure as the least sure of them; None where none is known.
    """
    names, known, left_out = [], [], []
    for name, said in parts:
        if said is None:
            left_out.append(name)
        else:
            names.append(name)
            known.append(said)
    spans = sum_of([said["kw"] for said in known])
    if not spans:
        return None, left_out
    why = f"the sum of {', '.join(names)}"
    if left_out:
        why += f"; nothing is known of {', '.join(left_out)}"
    return {
        "method": SUM,
        "confidence": min((str(said["confidence"]) for said in known), key=_sure),
        "eligible": not left_out and all(said["eligible"] for said in known),
        "why": why[:500],
        "kw": [list(span) for span in spans],
    }, left_out


def _distinct(name: str, taken: Container[str]) -> str:
    """Return a name that no other plant has: two of one name are two plants."""
    numbered = (f"{name} ({number})" for number in count(2))
    return next(item for item in chain((name,), numbered) if item not in taken)


def _sure(confidence: str) -> int:
    return _SURER.index(confidence) if confidence in _SURER else 0


class PortfolioResults:
    """Settles the events of a portfolio that is led here."""

    def __init__(self, portfolio: Portfolio) -> None:
        """Prepare; nothing is read yet."""
        self._portfolio = portfolio
        self._room = portfolio.room
        self._task: asyncio.Task[None] | None = None
        self._tried: dict[str, float] = {}

    @callback
    def look(self, now: float) -> None:
        """Settle what is due, beside everything else."""
        if self._task is not None and not self._task.done():
            return
        if due := [
            event for event in self._room.events.values() if self._due(event, now)
        ]:
            self._task = self._room.entry.async_create_background_task(
                self._room.hass,
                self._async_settle(due, now),
                f"portfolio of {self._room.plant.name} settlement",
            )

    @callback
    def async_stop(self) -> None:
        """Let go; it is done again after a restart."""
        if self._task is not None:
            self._task.cancel()

    def _due(self, event: KnownEvent, now: float) -> bool:
        store = self._room.settlement.store
        return (
            self._room.settings.portfolio.leads
            and event.key in self._portfolio.member.asked
            and self._room.settlement.cannot(event, now) is None
            and now >= event.stopped + event.recovery + SETTLED_AFTER
            and store.read
            and f"{event.key[:240]}{TOTAL}" not in store.known
            and now - self._tried.get(event.key, 0.0) >= AGAIN
        )

    async def _async_settle(self, events: Iterable[KnownEvent], now: float) -> None:
        for event in events:
            self._tried[event.key] = now
            try:
                await self._async_one(event, now)
            except DatabaseAway as error:
                LOGGER.debug("%s: %s", self._room.plant.name, error)

    async def _async_one(self, event: KnownEvent, now: float) -> None:
        room = self._room
        store = room.settlement.store
        found = await store.async_find(event=event.key, limit=1)
        if not found:
            return
        own = found[0]
        name = event_id(event.key)
        results = {room.plant.name: result_of(own, name)}
        missing = []
        for entry_id in room.settings.portfolio.plants:
            entry = loaded_entry(room.hass, entry_id)
            if entry is None:
                known = room.hass.config_entries.async_get_entry(entry_id)
                missing.append(entry_id if known is None else known.title)
                continue
            other = entry.runtime_data.demand_response
            key = other.portfolio.member.key(name)
            rows = await other.settlement.store.async_find(event=key, limit=1)
            if rows:
                results[_distinct(entry.title, results)] = result_of(rows[0], name)
            else:
                missing.append(entry.title)
        for site in room.settings.portfolio.sites:
            said = self._portfolio.lines.results.get((site, name))
            if said is None:
                missing.append(site)
            else:
                results[_distinct(site, results)] = said
        if missing and now < event.stopped + event.recovery + WAITED:
            return
        asked = self._portfolio.member.asked[event.key]
        _, requested = asked.mean(event.begins, event.stopped)
        await store.async_keep(total(own, results, missing, requested, now))
        room.changed()
