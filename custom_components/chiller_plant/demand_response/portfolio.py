"""The portfolio that a plant leads, or is a part of; where its pieces come together."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import voluptuous as vol

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_connect
from homeassistant.helpers.storage import Store
from homeassistant.util import dt as dt_util

from ..const import DOMAIN, LOGGER
from .portfolio_lead import PortfolioLead
from .portfolio_lines import PortfolioLines
from .portfolio_member import OVER_MQTT, PortfolioMember, event_id
from .portfolio_result import (
    TOTAL,
    PortfolioResults,
    Result,
    result_of,
    summed_baseline,
)
from .portfolio_terms import Offer, request_of
from .settings import CONF_DEMAND_RESPONSE, CONF_PORTFOLIO

if TYPE_CHECKING:
    from .room import DemandResponseRoom

FIGURES = {
    "power": "portfolio_load",
    "baseline": "portfolio_baseline",
    "available": "portfolio_available",
}
"""The sensors that show the sums of a portfolio, by their names in reports."""
_VERSION = 1
_DELAY = 10.0
"""Seconds that what is asked for again anyway may be lost after a crash."""


class Portfolio:
    """The part that one plant has in a portfolio, whichever it is."""

    def __init__(self, room: DemandResponseRoom) -> None:
        """Prepare; nothing is read yet."""
        self.room = room
        self.member = PortfolioMember(room, self._save_soon)
        self.lines = PortfolioLines(self)
        self.lead = PortfolioLead(self)
        self.results = PortfolioResults(self)
        self._store = _store(room.hass, room.entry.entry_id)
        self._pending = False
        self._following: CALLBACK_TYPE | None = None

    async def async_start(self) -> None:
        """Read what was kept, and tell from now on what changes."""
        self._following = async_dispatcher_connect(
            self.room.hass, self.room.signal, self._changed
        )
        stored = await self._store.async_load()
        if stored is None:
            return
        try:
            kept = stored["request"]
            request = None if kept is None else request_of(kept)
            self.member.restore(request, stored["by"], stored)
        except (KeyError, TypeError, ValueError, vol.Invalid) as error:
            LOGGER.error(
                "%s: what was kept of its portfolio is unreadable (%r); what is asked"
                " of it is known again in a minute",
                self.room.plant.name,
                error,
            )

    async def async_stop(self) -> None:
        """Stop, and write what is still to be written."""
        if self._following is not None:
            self._following()
        self.lines.async_stop()
        self.results.async_stop()
        if self._pending:
            await self._store.async_save(self._collected())

    @property
    def leads(self) -> bool:
        """Whether others shed for what this plant is asked for."""
        return self.room.settings.portfolio.leads

    @property
    def used(self) -> bool:
        """Whether this plant has anything to do with one."""
        settings = self.room.settings.portfolio
        return (
            settings.leads
            or settings.site is not None
            or self.member.request is not None
        )

    @callback
    def look(self, now: float) -> None:
        """Do what is due."""
        if (by := self.member.by) is not None and not self._belongs(by):
            self.member.leave()
        self.lines.look(now)
        self.member.look(now)
        self.lead.look(now)
        self.results.look(now)

    @callback
    def _changed(self) -> None:
        """Tell a broker at once what changed between two looks."""
        self.lines.look(dt_util.utcnow().timestamp())

    def _belongs(self, by: str) -> bool:
        """Whether who asks is still somebody to listen to."""
        if by == OVER_MQTT:
            return self.room.settings.portfolio.site is not None
        entry = self.room.hass.config_entries.async_get_entry(by)
        return entry is not None and self.room.entry.entry_id in plants_of(entry)

    # What is told.

    def offer(self, now: float) -> Offer:
        """Return what this plant offers, with all that it leads."""
        own = self.member.offer(now)
        if not self.leads:
            return own
        sums = self.lead.sums
        offers = [
            plant.offer for plant in self.lead.plants(now) if plant.offer is not None
        ]
        whole = sum(item.available_kw for item in offers)

        def added(figure: Callable[[Offer], float | None]) -> float | None:
            known = [kw for item in offers if (kw := figure(item)) is not None]
            return sum(known) if known else None

        def weighed(figure: Callable[[Offer], float]) -> float:
            if whole <= 0.0:
                return figure(own)
            return sum(figure(item) * item.available_kw for item in offers) / whole

        return Offer(
            at=now,
            available_kw=whole,
            confidence=weighed(lambda item: item.confidence),
            burden=weighed(lambda item: item.burden),
            delivered_kw=added(lambda item: item.delivered_kw),
            baseline_kw=added(lambda item: item.baseline_kw),
            load_kw=sums.load.kw,
            more_kw=sums.more.kw,
            used_kw=sums.used_kw,
            of=own.of,
            out=own.out,
            complete=not sums.load.left_out,
            baselines=self._baselines(own, now),
        )

    def _baselines(self, own: Offer, now: float) -> dict[str, dict[str, Any]]:
        """Return the baselines of the events that others asked for, of all plants."""
        found = {}
        for event in own.baselines:
            said, left_out = summed_baseline(
                self.lead.baselines(self.member.key(event), now)
            )
            if said is not None and not left_out:
                found[event] = said
        return found

    def for_engine(self, now: float) -> dict[str, Any] | None:
        """Return what the control engine is told; None outside of portfolios."""
        if not self.used:
            return None
        return {
            "source": self.member.source,
            "events": self.member.events(now),
            "leads": self.leads,
            "shares": self.member.shares(now),
            "figures": self._figures() if self.leads else {},
        }

    def _figures(self) -> dict[str, str]:
        """Return the entities that show the sums, by what utilities are told."""
        registry = er.async_get(self.room.hass)
        found = {
            name: registry.async_get_entity_id(
                "sensor", DOMAIN, f"{self.room.plant.key}.plant.{key}"
            )
            for name, key in FIGURES.items()
        }
        return {name: entity_id for name, entity_id in found.items() if entity_id}

    def shown(self, now: float) -> dict[str, Any] | None:
        """Return it for people."""
        if not self.used:
            return None
        share = self.member.share(now)
        return {
            "of": None
            if self.member.request is None
            else self.member.request.portfolio,
            "share_kw": None if share is None else share[0],
            "requested_kw": None if share is None else share[1],
            "plants": self.lead.rows,
        }

    @property
    def result(self) -> Result | None:
        """What came of the newest event that others asked for, as they are told."""
        request, store = self.member.request, self.room.settlement.store
        record = store.newest_total if self.leads else store.latest
        if request is None or record is None or record.source != request.source:
            return None
        return result_of(record, event_id(record.event_id.removesuffix(TOTAL)))

    # On disk.

    @callback
    def _save_soon(self) -> None:
        # A second call would put the first one off, for ever if they keep coming.
        if not self._pending:
            self._pending = True
            self._store.async_delay_save(self._collected, _DELAY)

    @callback
    def _collected(self) -> dict[str, Any]:
        self._pending = False
        return self.member.as_dict()


def plants_of(entry: ConfigEntry) -> list[str]:
    """Return the other plants that a plant leads, as its options say."""
    chosen = entry.options.get(CONF_DEMAND_RESPONSE, {}).get(CONF_PORTFOLIO) or {}
    return list(chosen.get("plants", ()))


async def async_remove_portfolio(hass: HomeAssistant, entry_id: str) -> None:
    """Forget a plant that was removed."""
    await _store(hass, entry_id).async_remove()


def _store(hass: HomeAssistant, entry_id: str) -> Store[dict[str, Any]]:
    return Store(hass, _VERSION, f"{DOMAIN}.{entry_id}.portfolio", atomic_writes=True)
