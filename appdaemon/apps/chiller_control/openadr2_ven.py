"""The OpenADR 2.0b side of the plant: a VEN that is never left alone.

The library speaks the protocol; it neither tries again where the utility's server
(VTN) is down, nor notices that the server forgot us, nor follows events by the
clock. Here it is watched and begun anew, and events go into the event book
before they are answered: what a handler does is stored, answered, then acted on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
import logging
import time
from typing import Any, Literal, TypeAlias

from openleadr import OpenADRClient
from openleadr.objects import SamplingRate

from .control.demand_response.event_book import EventBook, Told
from .control.demand_response.grid_event import EventRefused
from .control.demand_response.openadr2 import grid_event, is_cancelled

_LOGGER = logging.getLogger(__name__)

Stands: TypeAlias = Literal["connecting", "registered", "lost"]

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
SILENT_POLLS = 3
"""Polls without an answer after which the server counts as lost."""
_LOOK = 1.0
_SAMPLING = SamplingRate(timedelta(seconds=1), timedelta(hours=1), False)
"""How often a figure may be asked for; the server chooses."""
_SLOWEST_POLL = timedelta(hours=24).total_seconds()


@dataclass(frozen=True, slots=True)
class Ven2Settings:
    """How a utility's server is reached; files are PEM."""

    name: str
    """Of the connection, as events and messages call it."""
    ven_name: str
    url: str
    ven_id: str | None = None
    certificate: str | None = None
    key: str | None = None
    passphrase: str | None = None
    authority: str | None = None
    fingerprint: str | None = None
    """Of the server's certificate: its messages must then be signed by it."""
    sign: bool = True
    check_hostname: bool = True


@dataclass(frozen=True, slots=True)
class Telemetry:
    """A figure that is reported: `read()` gives it, or None where it is not known."""

    resource: str
    read: Callable[[], float | None]
    measurement: str = "powerReal"
    scale: str = "k"


@dataclass(slots=True)
class Health:
    """How the connection stands, for people."""

    stands: Stands = "connecting"
    since: float = 0.0
    heard: float | None = None
    """When the server last answered."""
    why: str = ""
    registrations: int = 0


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that was not taken part in."""

    source: str
    event_id: str
    why: str


@dataclass
class Ven2:
    """One connection to one VTN.

    `store` keeps the book on disk and is awaited before an event is answered;
    `told` is called afterwards with what happened. Neither may take long.
    """

    settings: Ven2Settings
    book: EventBook
    store: Callable[[], Awaitable[None]]
    told: Callable[[Told | Refusal], None]
    telemetry: tuple[Telemetry, ...] = ()
    clock: Callable[[], float] = time.time
    first_pause: float = FIRST_PAUSE
    health: Health = field(default_factory=Health)
    _client: OpenADRClient | None = None

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        pause = self.first_pause
        while True:
            client = self._new_client()
            registered = False
            try:
                await client.run()
                registered = client.registration_id is not None
                if registered:
                    self._client = client
                    self.health.registrations += 1
                    self._stands("registered", "")
                    pause = self.first_pause
                    await self._watch(client)
                else:
                    self._stands("connecting", "the server did not register us")
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - a library's slip must not end the VEN
                self._stands("lost" if registered else "connecting", repr(error))
                _LOGGER.debug("%s: %r", self.settings.name, error)
            finally:
                self._client = None
                await _stop(client)
            await asyncio.sleep(pause)
            pause = min(2.0 * pause, LONGEST_PAUSE)

    async def answer(self, key: str) -> bool:
        """Tell the server how an event is answered now; False if it cannot be told."""
        client, entry = self._client, self.book.entries[key]
        if client is None or entry.event.source != self.settings.name:
            return False
        await client.created_event(
            request_id="0",
            event_id=entry.event.id,
            opt_type=f"opt{entry.opt.capitalize()}",
            modification_number=entry.event.modification,
        )
        return True

    def _new_client(self) -> OpenADRClient:
        chosen = self.settings
        client = _Client(
            ven_name=chosen.ven_name,
            vtn_url=chosen.url,
            ven_id=chosen.ven_id,
            cert=chosen.certificate,
            key=chosen.key,
            passphrase=chosen.passphrase,
            ca_file=chosen.authority,
            vtn_fingerprint=chosen.fingerprint,
            show_fingerprint=False,
            disable_signature=not chosen.sign,
            check_hostname=chosen.check_hostname,
        )
        client.known = {item.resource: item for item in self.telemetry}
        client.add_handler("on_event", self._on_event)
        client.add_handler("on_update_event", self._on_event)
        client.add_hook("after_parse_xml", self._heard)
        for item in self.telemetry:
            client.add_report(
                callback=item.read,
                resource_id=item.resource,
                measurement=item.measurement,
                scale=item.scale,
                sampling_rate=_SAMPLING,
                report_duration=timedelta(hours=1),
                report_specifier_id=f"{chosen.ven_name}_{item.resource}",
                r_id=item.resource,
            )
        return client

    def _heard(self, message: str, payload: Mapping[str, Any]) -> None:
        self.health.heard = self.clock()

    async def _watch(self, client: OpenADRClient) -> None:
        """Return when the connection has to be begun anew.

        A server that was away may have forgotten what it asked us to report, and
        one that cancelled the registration has forgotten us.
        """
        poll = min(client.poll_frequency.total_seconds(), _SLOWEST_POLL)
        silent = max(SILENT_POLLS * poll, SILENT_POLLS * _LOOK)
        while client.registration_id is not None:
            await asyncio.sleep(_LOOK)
            heard = self.health.heard or self.health.since
            if self.clock() - heard > silent:
                if self.health.stands != "lost":
                    self._stands("lost", f"no answer for {silent:.0f} s")
            elif self.health.stands == "lost":
                return
        self._stands("connecting", "the server ended the registration")

    async def _on_event(self, event: Mapping[str, Any]) -> str:
        """Store an event, then answer it; whoever acts looks into the book."""
        identity = str((event.get("event_descriptor") or {}).get("event_id"))
        key = f"{self.settings.name}:{identity}"
        told: Told | Refusal | None
        try:
            if is_cancelled(event):
                told = self.book.cancel(key, self.clock(), "cancelled by the utility")
            else:
                told = self.book.receive(
                    grid_event(event, self.settings.name), self.clock()
                )
            if told is not None:
                await self.store()
        except EventRefused as refused:
            told = Refusal(self.settings.name, identity, str(refused))
        except OSError as error:
            # What is not on disk would be forgotten by a restart in mid-event.
            _LOGGER.warning("%s: event %s: %s", self.settings.name, identity, error)
            if key in self.book.entries:
                self.book.opt(key, "out", f"it could not be kept: {error}")
            return "optOut"
        if told is not None:
            self.told(told)
        entry = self.book.entries.get(key)
        return "optIn" if entry is not None and entry.opt == "in" else "optOut"

    def _stands(self, stands: Stands, why: str) -> None:
        if (stands, why) == (self.health.stands, self.health.why):
            return
        _LOGGER.info("%s: %s %s", self.settings.name, stands, why)
        self.health.stands, self.health.why = stands, why
        self.health.since = self.clock()


class _Client(OpenADRClient):  # type: ignore[misc]
    """The library's client, which never reports what is not known.

    A report without a value makes servers fail, and a zero would be settled as
    a load of zero.
    """

    known: Mapping[str, Telemetry]

    async def update_report(self, report_request_id: str) -> None:
        for request in self.report_requests or ():
            if request["report_request_id"] != report_request_id:
                continue
            # The library lets requests share what others asked for.
            own = request["report_specifier_id"]
            request["r_ids"] = [
                item
                for item in request["r_ids"]
                if (own, item) in self.report_callbacks
            ]
            if not request["r_ids"] or any(
                self.known[item].read() is None for item in request["r_ids"]
            ):
                return
        await super().update_report(report_request_id)


async def _stop(client: OpenADRClient) -> None:
    if client.client_session is None:
        return
    with suppress(Exception):
        await client.stop()
