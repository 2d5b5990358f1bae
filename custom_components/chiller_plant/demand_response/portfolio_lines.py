"""A portfolio of sites that each have a Home Assistant of their own, over MQTT.

A site tells what it could shed, and hears what it is asked for; who leads hears the
one and tells the other. The topics and their contents are in docs/demand-response.md.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import voluptuous as vol

from homeassistant.core import CALLBACK_TYPE, CoreState, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util

from ..const import LOGGER
from .mqtt_way import async_publish, is_connected, is_set_up
from .portfolio_member import OVER_MQTT
from .portfolio_result import Result, parse_result
from .portfolio_terms import (
    STALE,
    VALID,
    Offer,
    Request,
    name_of,
    parse_offer,
    parse_request,
)
from .settings import PortfolioSettings

if TYPE_CHECKING:
    from .portfolio import Portfolio

OFFERED_EVERY = 20.0
"""Seconds from one offer to the next."""
MOST_RESULTS = 200
_WITHIN = 10.0


class PortfolioLines:
    """What is said between the sites of a portfolio."""

    def __init__(self, portfolio: Portfolio) -> None:
        """Prepare; nothing is said yet."""
        self._portfolio = portfolio
        self._room = portfolio.room
        self._hass = portfolio.room.hass
        self._followed = PortfolioSettings()
        self._offers: dict[str, Offer] = {}
        self.results: dict[tuple[str, str], Result] = {}
        """What came of events, by site and event."""
        self._offered: Offer | None = None
        """The newest that was told."""
        self._result: str | None = None
        self._waiting: dict[str, tuple[Mapping[str, Any], bool]] = {}
        """What the broker has not been given: the newest of each topic."""
        self._task: asyncio.Task[None] | None = None
        self._subscribing: asyncio.Task[None] | None = None
        self._subscribed: list[CALLBACK_TYPE] = []
        self._complained = False
        self._misunderstood: set[str] = set()
        self._refused = False

    @callback
    def look(self, now: float) -> None:
        """Follow the settings, and offer what is to be offered."""
        settings = self._room.settings.portfolio
        if settings != self._followed:
            self._settle(settings, now)
        if settings.site is None and not settings.sites:
            return
        if not is_connected(self._hass):
            self._complain()
            return
        if not self._subscribed and (
            self._subscribing is None or self._subscribing.done()
        ):
            self._subscribing = self._in_background(self._async_subscribe(settings))
        if settings.site is not None:
            self._offer(settings.site, now)
            self._tell_result(settings.site)
        self._send()

    @callback
    def async_stop(self) -> None:
        """Say no more; what is asked for runs out by itself."""
        self._end()

    # Who leads.

    def offer(self, site: str, now: float) -> Offer | None:
        """Return what a site offers; None where it has not been heard lately."""
        offer = self._offers.get(site)
        if offer is None or abs(now - offer.at) > STALE:
            return None
        return offer

    def ask(self, site: str, request: Request) -> None:
        """Ask a site for its share."""
        self._put(self._topic(site, "request"), request.as_dict(), retain=False)
        self._send()

    # What is heard.

    async def _async_subscribe(self, settings: PortfolioSettings) -> None:
        from homeassistant.components import mqtt  # noqa: PLC0415

        wanted: list[tuple[str, Callable[[str, str], None]]] = []
        if settings.sites:
            wanted += [
                (self._topic("+", "offer"), self._hear_offer),
                (self._topic("+", "result"), self._hear_result),
            ]
        if settings.site is not None:
            wanted.append((self._topic(settings.site, "request"), self._hear_request))

        def heard(hear: Callable[[str, str], None]) -> Callable[[Any], None]:
            @callback
            def take(message: Any) -> None:
                self._hear(hear, message.topic, message.payload)

            return take

        try:
            for topic, hear in wanted:
                self._subscribed.append(
                    await mqtt.async_subscribe(self._hass, topic, heard(hear), qos=1)
                )
            self._subscribed.append(
                mqtt.async_subscribe_connection_status(self._hass, self._connection)
            )
        except HomeAssistantError:
            # Tried again when the broker is there.
            self._unsubscribe()

    @callback
    def _connection(self, connected: bool) -> None:
        """Tell a broker that is back all anew: it may have kept nothing."""
        if connected:
            self._offered = self._result = None
            self._portfolio.look(_now())

    def _hear(self, hear: Callable[[str, str], None], topic: str, payload: str) -> None:
        try:
            hear(topic.split("/")[-2], payload)
        except vol.Invalid as error:
            if topic not in self._misunderstood:
                self._misunderstood.add(topic)
                LOGGER.warning(
                    "%s: what came over MQTT under %s is not understood: %s",
                    self._room.plant.name,
                    topic,
                    error,
                )
        else:
            self._misunderstood.discard(topic)

    def _hear_offer(self, site: str, payload: str) -> None:
        if site in self._room.settings.portfolio.sites:
            self._offers[site] = parse_offer(payload)
            self._portfolio.look(_now())

    def _hear_result(self, site: str, payload: str) -> None:
        if site not in self._room.settings.portfolio.sites:
            return
        result = parse_result(payload)
        self.results[site, result.event] = result
        while len(self.results) > MOST_RESULTS:
            del self.results[next(iter(self.results))]

    def _hear_request(self, _site: str, payload: str) -> None:
        request = parse_request(payload)
        now = _now()
        if request.valid_until <= now:
            return
        # Whoever asks, and by whatever clock: it runs out unless it is asked for again.
        request = replace(request, valid_until=min(request.valid_until, now + VALID))
        member = self._portfolio.member
        if member.take(request, OVER_MQTT, now):
            self._portfolio.look(now)
        elif not self._refused and member.request is not None:
            self._refused = True
            LOGGER.warning(
                "%s: %s asks it to shed as a site too, but it is one of %s; take it out"
                " of one of the two portfolios",
                self._room.plant.name,
                request.portfolio,
                member.request.portfolio,
            )

    # What is said.

    def _offer(self, site: str, now: float) -> None:
        """Tell what this site could shed, now and then or because it changed."""
        offer, before = self._portfolio.offer(now), self._offered
        if (
            before is None
            or not 0.0 <= now - before.at < OFFERED_EVERY
            or offer.frame != before.frame
        ):
            self._offered = offer
            self._put(self._topic(site, "offer"), offer.as_dict(), retain=True)

    def _tell_result(self, site: str) -> None:
        """Tell what came of the newest event of the portfolio, once."""
        result = self._portfolio.result
        if result is not None and result.event_and_time != self._result:
            self._result = result.event_and_time
            self._put(self._topic(site, "result"), result.as_dict(), retain=True)

    def _put(self, topic: str, contents: Mapping[str, Any], *, retain: bool) -> None:
        self._waiting[topic] = contents, retain

    @callback
    def _send(self) -> None:
        if self._waiting and (self._task is None or self._task.done()):
            self._task = self._in_background(self._async_send())

    async def _async_send(self) -> None:
        while self._waiting and is_connected(self._hass):
            topic = next(iter(self._waiting))
            contents, retain = self._waiting[topic]
            if not await async_publish(
                self._hass, topic, contents, retain=retain, within=_WITHIN
            ):
                return
            # While the broker took it, there may have come something newer.
            if self._waiting.get(topic, (None,))[0] is contents:
                del self._waiting[topic]

    # Beginning and end.

    def _settle(self, settings: PortfolioSettings, now: float) -> None:
        """Say goodbye to sites that are no part of it any more, and begin anew."""
        self._unsubscribe()
        for site in set(self._followed.sites) - set(settings.sites):
            gone = Request(name_of(self._room.plant.name), now, now + STALE, ())
            self._put(self._topic(site, "request"), gone.as_dict(), retain=False)
            self._offers.pop(site, None)
        if is_connected(self._hass):
            self._send()
        self._followed, self._offered, self._result = settings, None, None
        self._complained = self._refused = False

    def _end(self) -> None:
        self._unsubscribe()
        for task in (self._task, self._subscribing):
            if task is not None:
                task.cancel()
        self._waiting.clear()

    def _unsubscribe(self) -> None:
        for unsubscribe in self._subscribed:
            unsubscribe()
        self._subscribed.clear()

    def _complain(self) -> None:
        if (
            not is_set_up(self._hass)
            and not self._complained
            and self._hass.state is CoreState.running
        ):
            self._complained = True
            LOGGER.warning(
                "%s: its portfolio has other sites, but the MQTT integration is not"
                " set up; set it up, or take the sites out of the plant's options",
                self._room.plant.name,
            )

    def _topic(self, site: str, what: str) -> str:
        return f"{self._room.settings.portfolio.prefix}/portfolio/{site}/{what}"

    def _in_background(self, work: Any) -> asyncio.Task[None]:
        return self._room.entry.async_create_background_task(
            self._hass, work, f"portfolio of {self._room.plant.name} over MQTT"
        )


def _now() -> float:
    return dt_util.utcnow().timestamp()
