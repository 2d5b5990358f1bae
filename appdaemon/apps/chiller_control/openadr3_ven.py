"""The OpenADR 3 side of the plant: events fetched, reports sent, over plain HTTP.

3.0.1 and 3.1 differ in who a VEN says it is and in what a report must name; the
rest is the same. There is no answer to an event in OpenADR 3: whether a site takes
part is told by what it reports. An event that is no longer listed was withdrawn.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
import logging
import time
from typing import Any, Literal, TypeAlias

import aiohttp

from .control.demand_response.event_book import EventBook, Told
from .control.demand_response.grid_event import EventRefused, GridEvent
from .control.demand_response.openadr3 import grid_event
from .openadr3_ear import Ear, listening
from .openadr3_server import (
    MOST_PAGES,
    PAGE,
    Server3,
    ServerRefused,
    Ven3Settings,
    Version,
)
from .openadr_words import of_connection, of_skew
from .ven import Health, Refusal, refusal

__all__ = ["ReportRow", "ServerRefused", "Ven3", "Ven3Settings", "Version"]

_LOGGER = logging.getLogger(__name__)

Value: TypeAlias = float | str

LONGEST_PAUSE = 300.0


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What is reported of an interval: `values` by payload type."""

    start: float
    duration: float
    values: Mapping[str, Value]


@dataclass
class Ven3:
    """One connection to one VTN; `store` and `told` as in the 2.0b VEN."""

    settings: Ven3Settings
    book: EventBook
    store: Callable[[], Awaitable[None]]
    told: Callable[[Told | Refusal], None]
    clock: Callable[[], float] = time.time
    health: Health = field(default_factory=Health)
    reports_trouble: str = ""
    """Why the server does not take what is reported."""
    _server: Server3 = field(init=False)
    _ven_id: str | None = None
    _ear: Ear | None = None
    _program_id: str | None = None
    _unsaved: bool = False
    """The book holds something that is not on disk."""
    _refused: set[int] = field(default_factory=set)
    """What was refused, so that each is told once."""

    def __post_init__(self) -> None:
        """Begin without a token."""
        self._server = Server3(self.settings, self.clock, self.health)

    async def session(self) -> aiohttp.ClientSession:
        """Return a session in which this server can be spoken to.

        Raises ServerRefused where the authority's file cannot be used.
        """
        return await self._server.session()

    async def run(self) -> None:
        """Keep fetching events until cancelled."""
        while True:
            try:
                session = await self.session()
            except ServerRefused as refused:
                self._stands("lost", str(refused))
                await asyncio.sleep(LONGEST_PAUSE)
                continue
            async with session, listening(self.settings) as self._ear:
                await self._keep_fetching(session)

    async def _keep_fetching(self, session: aiohttp.ClientSession) -> None:
        pause = self.settings.poll
        while True:
            try:
                await self.fetch(session)
                pause = self.settings.poll
            except (aiohttp.ClientError, TimeoutError, ServerRefused) as error:
                said = isinstance(error, ServerRefused)
                self._stands("lost", str(error) if said else of_connection(error))
                pause = min(2.0 * pause, max(LONGEST_PAUSE, self.settings.poll))
                if isinstance(error, ServerRefused):
                    pause = max(pause, error.after)
                self._take_it_as_forgotten()
            except OSError as error:
                # The next round tries again to keep what is not on disk.
                self._stands("lost", str(error))
            if self._ear is None:
                await asyncio.sleep(pause)
            else:
                await self._ear.wait(pause)

    def _take_it_as_forgotten(self) -> None:
        """Introduce ourselves again: a server that was away may have forgotten us."""
        self._ven_id = None
        if self._ear is not None:
            self._ear.subscribed = False

    async def fetch(self, session: aiohttp.ClientSession) -> None:
        """Take in the events as they are now. Raises ServerRefused, ClientError."""
        if self._ven_id is None:
            await self._introduce(session)
            self.health.registrations += 1
        items = await self._server.listed(session, "events", self._program())
        listed = self._keys(items)
        if self.book.missing(self.settings.name, listed, self.clock()):
            # Before an event is ended: a list of several pages shifts while it is
            # read, and a server that was restored has our program under another id.
            await self._introduce(session)
            items = await self._server.listed(session, "events", self._program())
            listed |= self._keys(items)
        changed = self._take_all(items)
        for told in self.book.withdraw(
            self.settings.name, listed, self.clock(), "withdrawn by the utility"
        ):
            changed = True
            self.told(told)
        self._unsaved |= changed
        if self._unsaved:
            await self.store()
            self._unsaved = False
        self.health.heard = self.clock()
        deaf = "" if self._ear is None else await self._subscribe(session)
        self._stands(
            "registered", self.reports_trouble or deaf or of_skew(self.health.skew)
        )

    async def report(
        self,
        session: aiohttp.ClientSession,
        key: str,
        resource: str,
        rows: Sequence[ReportRow],
    ) -> str:
        """Report on an event; return the report's id at the server.

        Raises KeyError, ServerRefused, aiohttp.ClientError.
        """
        event = self.book.entries[key].event
        report: dict[str, Any] = {
            "eventID": event.id,
            "clientName": self.settings.ven_name,
            "reportName": f"{event.id} {resource}",
            "payloadDescriptors": [
                {
                    "objectType": "REPORT_PAYLOAD_DESCRIPTOR",
                    "payloadType": kind,
                    "readingType": "DIRECT_READ",
                    "units": "KW",
                }
                for kind in sorted({kind for row in rows for kind in row.values})
                if kind not in ("OPERATING_STATE", "DATA_QUALITY")
            ],
            "resources": [
                {
                    "resourceName": resource,
                    "intervals": [
                        {
                            "id": number,
                            "intervalPeriod": {
                                "start": _iso(row.start),
                                "duration": f"PT{row.duration:.0f}S",
                            },
                            "payloads": [
                                {"type": kind, "values": [value]}
                                for kind, value in row.values.items()
                            ],
                        }
                        for number, row in enumerate(rows)
                    ],
                }
            ],
        }
        if self.settings.version == "3.0":
            report["programID"] = self._program_id
        sent = await self._server.call(session, "POST", "reports", json=report)
        return str(sent.get("id", "")) if isinstance(sent, Mapping) else ""

    # Who we are.

    async def _introduce(self, session: aiohttp.ClientSession) -> None:
        try:
            await self._register(session)
        except (KeyError, TypeError, AttributeError) as error:
            raise ServerRefused(
                f"the server's programs or VENs cannot be read ({error!r})"
            ) from error

    async def _register(self, session: aiohttp.ClientSession) -> None:
        wanted = self.settings
        if wanted.program is not None or wanted.version == "3.0":
            programs = await self._server.listed(session, "programs", {})
            found = [
                item["id"]
                for item in programs
                if wanted.program in (None, item.get("programName"))
            ]
            if not found:
                raise ServerRefused(
                    f"there is no program {wanted.program!r} at the server"
                    if wanted.program
                    else "the server has no program"
                )
            if wanted.program is not None or len(found) == 1:
                self._program_id = str(found[0])
        vens = await self._server.listed(session, "vens", {"venName": wanted.ven_name})
        known = [item for item in vens if item.get("venName") == wanted.ven_name]
        if known:
            self._ven_id = str(known[0]["id"])
        else:
            body: dict[str, Any] = {"venName": wanted.ven_name}
            if wanted.version == "3.1":
                body["objectType"] = "VEN_VEN_REQUEST"
            self._ven_id = str(
                (await self._server.call(session, "POST", "vens", json=body))["id"]
            )

    async def _subscribe(self, session: aiohttp.ClientSession) -> str:
        """Ask to be told of events; return what keeps the server from it.

        Without it everything comes too, only as late as the next poll.
        """
        assert self._ear is not None
        if self._ear.trouble or self._ear.subscribed:
            return self._ear.trouble
        name = {"clientName": self.settings.ven_name}
        try:
            known = await self._server.listed(session, "subscriptions", name)
            identities = [str(item["id"]) for item in known]
            if self._ear.subscription in identities:
                self._ear.subscribed = True
                return ""
            for old in identities:
                # Of a run before this one: it would tell with a token of before.
                await self._server.call(session, "DELETE", f"subscriptions/{old}")
            made = await self._server.call(
                session,
                "POST",
                "subscriptions",
                json=name
                | self._program()
                | {
                    "objectOperations": [
                        {
                            "objects": ["EVENT"],
                            "operations": ["CREATE", "UPDATE", "DELETE"],
                            "callbackUrl": self.settings.callback_url,
                            "bearerToken": self._ear.token,
                        }
                    ]
                },
            )
            self._ear.subscription = str(made["id"])
        except ServerRefused as refused:
            return f"events come by polling only: {refused}"
        except (KeyError, TypeError) as error:
            return (
                "events come by polling only: the server's subscriptions cannot be"
                f" read ({error!r})"
            )
        self._ear.subscribed = True
        return ""

    def _program(self) -> dict[str, str]:
        return {} if self._program_id is None else {"programID": self._program_id}

    # Events.

    def _keys(self, items: Sequence[object]) -> set[str]:
        return {
            f"{self.settings.name}:{item.get('id')}"
            for item in items
            if isinstance(item, Mapping)
        }

    def _take_all(self, items: Sequence[object]) -> bool:
        """Take in what is listed; whether the book changed."""
        first: dict[str, GridEvent] = {}
        changed = False
        for item in items:
            identity = str(item.get("id")) if isinstance(item, Mapping) else "?"
            try:
                event = grid_event(item, self.settings.name)
                told = self._take(event, first.setdefault(event.key, event))
            except EventRefused as refused:
                self._refuse(identity, str(refused), hash((identity, repr(item))))
                continue
            if told is not None:
                changed = True
                self.told(told)
        return changed

    def _take(self, event: GridEvent, first: GridEvent) -> Told | None:
        if event != first:
            raise EventRefused(
                "it is listed twice with different contents; what came first counts"
            )
        known = self.book.entries.get(event.key)
        if known is None and event.start + event.duration <= self.clock():
            # Servers list what is long over.
            return None
        return self.book.receive(event, self.clock(), listed=True)

    def _refuse(self, identity: str, why: str, mark: int) -> None:
        if mark in self._refused:
            return
        if len(self._refused) >= PAGE * MOST_PAGES:
            self._refused.clear()
        self._refused.add(mark)
        self.told(refusal(self.settings.name, identity, why, self.book))

    def _stands(self, stands: Literal["registered", "lost"], why: str) -> None:
        if (stands, why) == (self.health.stands, self.health.why):
            return
        _LOGGER.info("%s: %s %s", self.settings.name, stands, why)
        self.health.stands, self.health.why = stands, why
        self.health.since = self.clock()


def _iso(at: float) -> str:
    return (
        datetime.fromtimestamp(at, UTC)
        .isoformat(timespec="seconds")
        .replace("+00:00", "Z")
    )
