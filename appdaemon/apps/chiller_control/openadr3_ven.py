"""The OpenADR 3 side of the plant: events fetched, reports sent, over plain HTTP.

3.0.1 and 3.1 differ in who a VEN says it is and in what a report must name; the
rest is the same. There is no answer to an event in OpenADR 3: whether a site takes
part is told by what it reports. An event that is no longer listed was withdrawn.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
import json
import logging
import ssl
import time
from typing import Any, Literal, TypeAlias

import aiohttp

from .control.demand_response.event_book import EventBook, Told
from .control.demand_response.grid_event import EventRefused
from .control.demand_response.openadr3 import grid_event
from .openadr3_ear import Ear, listening
from .openadr_words import of_connection, of_skew, skew_of
from .ven import Health, Refusal

_LOGGER = logging.getLogger(__name__)

Version: TypeAlias = Literal["3.0", "3.1"]
Value: TypeAlias = float | str

PAGE = 50
"""Objects a request; the most that the specification lets a server give."""
MOST_PAGES = 20
LONGEST_ANSWER = 4_000_000
"""Bytes: a page of events with a thousand intervals each is less."""
LONGEST_PAUSE = 300.0
_TIMEOUT = aiohttp.ClientTimeout(total=30.0)
_EARLY = 60.0
"""Seconds before its end at which a token is fetched anew."""


@dataclass(frozen=True, slots=True)
class Ven3Settings:
    """How a utility's server is reached."""

    name: str
    ven_name: str
    url: str
    client_id: str
    client_secret: str
    version: Version = "3.1"
    token_url: str | None = None
    """None: the server is asked for it (3.1), or has it at /auth/token."""
    program: str | None = None
    """The name of the only program whose events count; None: all of them."""
    poll: float = 30.0
    authority: str | None = None
    """A PEM file of who vouches for the server's certificate; None: the system's."""
    callback_url: str | None = None
    """Where the server reaches `callback_listen` from outside; None: it only is
    polled, which is all that works behind most firewalls."""
    callback_listen: str = "127.0.0.1:8124"
    """Where notifications are taken; a proxy in front of it speaks TLS."""


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What is reported of an interval: `values` by payload type."""

    start: float
    duration: float
    values: Mapping[str, Value]


class ServerRefused(Exception):
    """An answer that is none; says what the server said, with its HTTP status."""

    def __init__(self, message: str, status: int | None = None) -> None:
        """Say what was wrong."""
        super().__init__(message)
        self.status = status


@dataclass
class Ven3:
    """One connection to one VTN; `store` and `told` as in the 2.0b VEN."""

    settings: Ven3Settings
    book: EventBook
    store: Callable[[], Awaitable[None]]
    told: Callable[[Told | Refusal], None]
    clock: Callable[[], float] = time.time
    health: Health = field(default_factory=Health)
    _token: str | None = None
    _token_ends: float = 0.0
    _ven_id: str | None = None
    _ear: Ear | None = None
    _program_id: str | None = None
    _unsaved: bool = False
    """The book holds something that is not on disk."""
    _refused: dict[str, int] = field(default_factory=dict)
    """Modifications that were refused, so that each is told once."""

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
            except OSError as error:
                # The next round tries again to keep what is not on disk.
                self._stands("lost", str(error))
            if self._ear is None:
                await asyncio.sleep(pause)
            else:
                await self._ear.wait(pause)

    async def session(self) -> aiohttp.ClientSession:
        """Return a session in which this server can be spoken to.

        Raises ServerRefused where the authority's file cannot be used.
        """
        trusted: ssl.SSLContext | bool = True
        if self.settings.authority is not None:
            try:
                trusted = await asyncio.to_thread(
                    ssl.create_default_context, cafile=self.settings.authority
                )
            except (OSError, ValueError) as error:
                raise ServerRefused(
                    f"the authority's certificate {self.settings.authority} cannot be"
                    f" used: {error}"
                ) from error
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trusted), timeout=_TIMEOUT
        )

    async def fetch(self, session: aiohttp.ClientSession) -> None:
        """Take in the events as they are now. Raises ServerRefused, ClientError."""
        if self._ven_id is None:
            try:
                await self._register(session)
            except (KeyError, TypeError, AttributeError) as error:
                raise ServerRefused(
                    f"the server's programs or VENs cannot be read ({error!r})"
                ) from error
        listed = await self._list(session, "events", self._program())
        changed = False
        seen: set[str] = set()
        for item in listed:
            identity = str(item.get("id")) if isinstance(item, Mapping) else "?"
            seen.add(f"{self.settings.name}:{identity}")
            changed |= self._take(item, identity)
        for key, entry in list(self.book.entries.items()):
            if entry.event.source == self.settings.name and key not in seen:
                told = self.book.cancel(key, self.clock(), "withdrawn by the utility")
                if told is not None:
                    changed = True
                    self.told(told)
        self._unsaved |= changed
        if self._unsaved:
            await self.store()
            self._unsaved = False
        self.health.heard = self.clock()
        deaf = "" if self._ear is None else await self._subscribe(session)
        self._stands("registered", deaf or of_skew(self.health.skew))

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
        sent = await self._call(session, "POST", "reports", json=report)
        return str(sent.get("id", "")) if isinstance(sent, Mapping) else ""

    # Who we are.

    async def _register(self, session: aiohttp.ClientSession) -> None:
        wanted = self.settings
        if wanted.program is not None or wanted.version == "3.0":
            programs = await self._list(session, "programs", {})
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
        vens = await self._list(session, "vens", {"venName": wanted.ven_name})
        known = [item for item in vens if item.get("venName") == wanted.ven_name]
        if known:
            self._ven_id = str(known[0]["id"])
        else:
            body: dict[str, Any] = {"venName": wanted.ven_name}
            if wanted.version == "3.1":
                body["objectType"] = "VEN_VEN_REQUEST"
            self._ven_id = str(
                (await self._call(session, "POST", "vens", json=body))["id"]
            )
        self.health.registrations += 1

    async def _subscribe(self, session: aiohttp.ClientSession) -> str:
        """Ask to be told of events; return what keeps the server from it.

        Without it everything comes too, only as late as the next poll.
        """
        assert self._ear is not None
        if self._ear.trouble or self._ear.subscribed:
            return self._ear.trouble
        name = {"clientName": self.settings.ven_name}
        try:
            for old in await self._list(session, "subscriptions", name):
                # Of a run before this one: it would tell with a token of before.
                await self._call(session, "DELETE", f"subscriptions/{old['id']}")
            await self._call(
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
        except ServerRefused as refused:
            return f"events come by polling only: {refused}"
        self._ear.subscribed = True
        return ""

    def _program(self) -> dict[str, str]:
        return {} if self._program_id is None else {"programID": self._program_id}

    # Events.

    def _take(self, item: object, identity: str) -> bool:
        """Take in one event; whether the book changed."""
        try:
            event = grid_event(item, self.settings.name)
            known = self.book.entries.get(event.key)
            if known is None and event.start + event.duration <= self.clock():
                # Servers list what is long over.
                return False
            self.book.check_repeated(event)
            told = self.book.receive(event, self.clock())
        except EventRefused as refused:
            mark = hash(repr(item))
            if self._refused.get(identity) != mark:
                if len(self._refused) >= PAGE * MOST_PAGES:
                    self._refused.clear()
                self._refused[identity] = mark
                self.told(Refusal(self.settings.name, identity, str(refused)))
            return False
        if told is not None:
            self.told(told)
        return told is not None

    # HTTP.

    async def _list(
        self, session: aiohttp.ClientSession, what: str, query: Mapping[str, str]
    ) -> list[Any]:
        found: list[Any] = []
        for page in range(MOST_PAGES):
            asked = {**query, "skip": str(page * PAGE), "limit": str(PAGE)}
            part = await self._call(session, "GET", what, params=asked)
            if not isinstance(part, list):
                raise ServerRefused(f"the server's list of {what} is no list")
            found += part
            if len(part) < PAGE:
                break
        return found

    async def _call(
        self, session: aiohttp.ClientSession, method: str, what: str, **request: Any
    ) -> Any:
        """Do a request, with a fresh token if the one we have is not taken."""
        for attempt in (1, 2):
            # A server of public information gives no credentials, and wants none.
            headers = (
                {"Authorization": f"Bearer {await self._bearer(session)}"}
                if self.settings.client_id
                else {}
            )
            async with session.request(
                method,
                f"{self.settings.url.rstrip('/')}/{what}",
                headers=headers,
                **request,
            ) as answer:
                self.health.skew = skew_of(answer.headers.get("Date"), self.clock())
                if answer.status in (401, 403) and attempt == 1:
                    self._token = None
                    continue
                return await _content(answer, f"{method} {what}")
        raise AssertionError("unreachable")

    async def _bearer(self, session: aiohttp.ClientSession) -> str:
        if self._token is not None and self.clock() < self._token_ends - _EARLY:
            return self._token
        form = {
            "grant_type": "client_credentials",
            "client_id": self.settings.client_id,
            "client_secret": self.settings.client_secret,
        }
        async with session.post(await self._token_url(session), data=form) as answer:
            given = await _content(answer, "token")
        if not isinstance(given, Mapping) or not isinstance(
            given.get("access_token"), str
        ):
            raise ServerRefused("the server gave no token")
        lasts = given.get("expires_in")
        self._token = str(given["access_token"])
        self._token_ends = self.clock() + (
            float(lasts) if isinstance(lasts, int | float) else 3600.0
        )
        return self._token

    async def _token_url(self, session: aiohttp.ClientSession) -> str:
        url = self.settings.url.rstrip("/")
        if self.settings.token_url is not None:
            return self.settings.token_url
        if self.settings.version == "3.0":
            return f"{url}/auth/token"
        async with session.get(f"{url}/auth/server") as answer:
            if answer.status == 404:
                return f"{url}/auth/token"
            given = await _content(answer, "auth/server")
        if not isinstance(given, Mapping) or not given.get("tokenURL"):
            raise ServerRefused("the server does not say where tokens are given")
        return str(given["tokenURL"])

    def _stands(self, stands: Literal["registered", "lost"], why: str) -> None:
        if (stands, why) == (self.health.stands, self.health.why):
            return
        _LOGGER.info("%s: %s %s", self.settings.name, stands, why)
        self.health.stands, self.health.why = stands, why
        self.health.since = self.clock()


async def _content(answer: aiohttp.ClientResponse, what: str) -> Any:
    """Return what was answered. Raises ServerRefused naming what was asked."""
    content = bytearray()
    async for part in answer.content.iter_chunked(65536):
        content += part
        if len(content) > LONGEST_ANSWER:
            raise ServerRefused(
                f"{what}: the answer is longer than {LONGEST_ANSWER // 10**6} MB"
            )
    if not 200 <= answer.status < 300:
        said = " ".join(content[:200].decode("utf-8", "replace").split())
        raise ServerRefused(
            f"{what}: the server answered {answer.status} {said}", answer.status
        )
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ServerRefused(f"{what}: the answer is not JSON ({error})") from error


def _iso(at: float) -> str:
    return (
        datetime.fromtimestamp(at, UTC)
        .isoformat(timespec="seconds")
        .replace("+00:00", "Z")
    )
