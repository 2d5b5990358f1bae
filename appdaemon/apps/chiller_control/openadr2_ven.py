"""The OpenADR 2.0b side of the plant: a VEN that is never left alone.

The library speaks the protocol; it neither tries again where the utility's server
(VTN) is down, nor notices that the server forgot us, nor follows events by the
clock. Here it is watched and begun anew, and events go into the event book
before they are answered: what a handler does is stored, answered, then acted on.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
import logging
import time
from typing import Any

from openleadr.enums import REPORT_NAME
from openleadr.objects import SamplingRate

from .control.demand_response.event_book import MOST_EVENTS, EventBook, Told
from .control.demand_response.grid_event import EventRefused
from .control.demand_response.openadr2 import grid_event, is_cancelled, meant_for
from .openadr2_client import CertificateTrouble, PlantClient, stop
from .openadr2_reports import ReportDesk, Status, StatusTelemetry, Telemetry
from .openadr_words import of_skew
from .ven import Health, Refusal, Stands, refusal

__all__ = [
    "Health",
    "Refusal",
    "Status",
    "StatusTelemetry",
    "Telemetry",
    "Ven2",
    "Ven2Settings",
]

_LOGGER = logging.getLogger(__name__)

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 300.0
STEADY = 60.0
"""Seconds of a registration after which its end is none of a server that is not well."""
SILENT_POLLS = 3
"""Polls without an answer after which the server counts as lost."""
_LOOK = 1.0
_SAMPLING = SamplingRate(timedelta(seconds=1), timedelta(hours=1), False)
"""How often a figure may be asked for; the server chooses."""
_POLL = timedelta(seconds=10)
_READ = 0.25
"""Seconds between two looks for a figure that is due."""


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
    status: tuple[StatusTelemetry, ...] = ()
    _client: PlantClient | None = None
    _silent_until: float = 0.0
    """Until when the server wants not to be asked."""
    _desk: ReportDesk = field(init=False)
    _refused: set[int] = field(default_factory=set)
    """What was refused, so that each is told once however often it is sent."""

    _not_answered: set[str] = field(default_factory=set)
    """Events that the server wants no answer to, and must not be given any."""

    def __post_init__(self) -> None:
        """Begin with nothing to report."""
        self._desk = ReportDesk(self.telemetry, self.status)

    @property
    def papers(self) -> ReportDesk:
        """What waits for the server."""
        return self._desk

    async def run(self) -> None:
        """Keep the connection until cancelled."""
        reading = asyncio.create_task(self._keep_reading())
        try:
            await self._keep_registered()
        finally:
            reading.cancel()

    async def _keep_registered(self) -> None:
        pause = self.first_pause
        while True:
            since = self.clock()
            registered = await self._registration()
            if registered:
                # One that registers us and forgets us at once would be asked for ever.
                steady = self.clock() - since >= STEADY
                pause = self.first_pause if steady else min(pause, STEADY)
            await asyncio.sleep(max(pause, self._silent_until - self.clock()))
            pause = min(2.0 * pause, LONGEST_PAUSE)

    async def _registration(self) -> bool:
        """Register and stay so as long as it lasts; whether we were registered."""
        client: PlantClient | None = None
        registered: bool = False
        self._desk.begin_anew()
        try:
            client = await asyncio.to_thread(self._new_client)
            await client.run()
            registered = client.registration_id is not None
            if registered:
                self._client = client
                self.health.registrations += 1
                self._stands("registered", "")
                await self._watch(client)
            else:
                self._stands(
                    "connecting", client.trouble or "the server did not register us"
                )
        except CertificateTrouble as trouble:
            self._stands("connecting", str(trouble))
        except Exception as error:  # noqa: BLE001 - a library's slip must not end the VEN
            why = (client.trouble if client is not None else "") or (
                f"what it says cannot be acted on: {error!r}"
            )
            self._stands("lost" if registered else "connecting", why)
            _LOGGER.debug("%s: %r", self.settings.name, error)
        finally:
            self._client = None
            if client is not None:
                self._silent_until = client.silent_until
                await stop(client)
        return registered

    async def _keep_reading(self) -> None:
        """Read what is to be reported, also while nobody can be told."""
        while True:
            try:
                self._desk.sample(self.clock())
            except Exception as error:  # noqa: BLE001 - one figure must not end the rest
                _LOGGER.warning("%s: a figure: %r", self.settings.name, error)
            self.health.waiting = self._desk.waiting
            if self._desk.dropped != self.health.dropped:
                if not self.health.dropped:
                    _LOGGER.warning(
                        "%s: the server has been away for so long that the oldest"
                        " figures for it are dropped",
                        self.settings.name,
                    )
                self.health.dropped = self._desk.dropped
            await asyncio.sleep(_READ)

    async def answer(self, key: str) -> bool:
        """Tell the server how an event is answered now; False if it cannot be told."""
        client, entry = self._client, self.book.entries[key]
        if client is None or entry.event.source != self.settings.name:
            return False
        if key in self._not_answered:
            return True
        return await client.change_answer(
            entry.event.id,
            entry.event.modification,
            f"opt{entry.opt.capitalize()}",
        )

    def _new_client(self) -> PlantClient:
        chosen = self.settings
        client = PlantClient(
            self._desk,
            self._on_event,
            lambda listed: bool(self._missing(listed)),
            self._withdraw,
            self.clock,
            ven_name=chosen.ven_name,
            vtn_url=chosen.url,
            ven_id=chosen.ven_id,
            cert=chosen.certificate,
            key=chosen.key,
            passphrase=chosen.passphrase,
            ca_file=chosen.authority,
            vtn_fingerprint=chosen.fingerprint,
            disable_signature=not chosen.sign,
            check_hostname=chosen.check_hostname,
        )
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
        for shown in self.status:
            client.add_report(
                callback=shown.read,
                resource_id=shown.resource,
                report_name=REPORT_NAME.TELEMETRY_STATUS,
                report_type="x-resourceStatus",
                reading_type="x-notApplicable",
                sampling_rate=_SAMPLING,
                report_duration=timedelta(hours=1),
                report_specifier_id=f"{chosen.ven_name}_{shown.resource}_status",
                r_id=shown.resource,
            )
        return client

    async def _watch(self, client: PlantClient) -> None:
        """Return when the connection has to be begun anew.

        A server that was away may have forgotten what it asked us to report, and
        one that cancelled the registration has forgotten us.
        """
        poll = (client.poll_frequency or _POLL).total_seconds()
        silent = max(SILENT_POLLS * poll, SILENT_POLLS * _LOOK)
        client.back = False
        while client.registration_id is not None:
            await asyncio.sleep(_LOOK)
            self.health.heard, self.health.skew = client.heard, client.skew
            heard = self.health.heard or self.health.since
            if client.back:
                # Nobody answers while a server restarts; it may have forgotten us.
                self._stands("connecting", "the server is back")
                return
            if self.clock() - heard > silent:
                self._stands("lost", client.trouble or f"no answer for {silent:.0f} s")
                if client.refused:
                    # It answers, but not us as we are registered now.
                    return
            elif self.health.stands == "lost":
                return
            else:
                self._stands("registered", client.trouble or of_skew(self.health.skew))
        self._stands(
            "connecting", client.trouble or "the server ended the registration"
        )

    async def _on_event(self, event: Mapping[str, Any], ven_id: str | None) -> str:
        """Store an event, then answer it; whoever acts looks into the book."""
        descriptor = event.get("event_descriptor") or {}
        identity = str(descriptor.get("event_id"))
        key = f"{self.settings.name}:{identity}"
        try:
            told = self._take(event, key, ven_id)
        except (
            EventRefused,
            KeyError,
            AttributeError,
            TypeError,
            ValueError,
        ) as refused:
            self._refuse(identity, event, str(refused))
            told = None
        if told is not None:
            told = await self._kept(told, event)
        if told is not None:
            self.told(told)
        self._not_answered &= self.book.entries.keys()
        if event.get("response_required") == "never":
            self._not_answered.add(key)
        else:
            self._not_answered.discard(key)
        entry = self.book.entries.get(key)
        if entry is None or (entry.cancelled is not None and not is_cancelled(event)):
            return "optOut"
        return "optIn" if entry.opt == "in" else "optOut"

    def _take(
        self, event: Mapping[str, Any], key: str, ven_id: str | None
    ) -> Told | None:
        vens = meant_for(event)
        if vens and ven_id is not None and ven_id not in vens:
            raise EventRefused(
                f"it is for {', '.join(vens)}, and not for us ({ven_id})"
            )
        if is_cancelled(event):
            return self.book.cancel(
                key,
                self.clock(),
                "cancelled by the utility",
                int(event["event_descriptor"]["modification_number"]),
            )
        read = grid_event(event, self.settings.name)
        self.book.check_repeated(read)
        return self.book.receive(read, self.clock())

    async def _kept(self, told: Told, event: Mapping[str, Any]) -> Told | None:
        """Return what happened once it is on disk; opt out of what cannot be."""
        try:
            await self.store()
        except OSError as error:
            _LOGGER.warning(
                "%s: event %s: %s", self.settings.name, told.event.id, error
            )
            if told.what != "cancelled":
                # What is not on disk would be forgotten by a restart in mid-event.
                why = f"it could not be kept: {error}"
                self.book.opt(told.event.key, "out", why)
                self._refuse(
                    told.event.id,
                    event,
                    f"{why}; it is opted out of, and can be opted into by hand",
                )
                return None
        return told

    def _missing(self, listed: Collection[str]) -> list[str]:
        """Return the events that should be listed and are not.

        The server drops one when it is over there, which may be before it is here.
        """
        keys = {f"{self.settings.name}:{identity}" for identity in listed}
        missing = self.book.missing(self.settings.name, keys, self.clock())
        events = {key: self.book.entries[key].event for key in missing}
        return [
            key
            for key, event in events.items()
            if self.clock() < event.start + event.duration
        ]

    async def _withdraw(self, listed: Collection[str]) -> None:
        for key in self._missing(listed):
            told = self.book.cancel(key, self.clock(), "withdrawn by the utility")
            if told is not None and (told := await self._kept(told, {})) is not None:
                self.told(told)

    def _refuse(self, identity: str, event: Mapping[str, Any], why: str) -> None:
        mark = hash((identity, why, repr(event)))
        if mark in self._refused:
            return
        if len(self._refused) >= MOST_EVENTS:
            self._refused.clear()
        self._refused.add(mark)
        self.told(refusal(self.settings.name, identity, why, self.book))

    def _stands(self, stands: Stands, why: str) -> None:
        if (stands, why) == (self.health.stands, self.health.why):
            return
        _LOGGER.info("%s: %s %s", self.settings.name, stands, why)
        self.health.stands, self.health.why = stands, why
        self.health.since = self.clock()
