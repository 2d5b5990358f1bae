"""The library's OpenADR 2.0b client, with what a plant needs done otherwise.

The library logs what goes wrong and goes on with an empty answer: here each trouble
is kept in words, and what is for somebody else is left alone. It loses reports that
could not be sent, and opts out of every event of a message of which one cannot be read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
import logging
import time
from typing import Any

import aiohttp
from openleadr import OpenADRClient, enums, objects, utils

from .openadr2_certificates import CertificateTrouble, check_ours, tls_context
from .openadr2_messages import STATUS_REPORT, Refused, Unusable, read
from .openadr2_reports import MOST_A_MESSAGE, ReportDesk, Request, Row, Status, wanted
from .openadr_http import TooMuch, beginning, content_of, moved, retry_after
from .openadr_words import of_connection, skew_of

SHOWN = 60.0
"""Seconds for which people see what went wrong, though it may have been one answer."""
_BRING_EVENTS = ("OadrPoll", "EiEvent")
_FASTEST_POLL = timedelta(seconds=1)
_SLOWEST_POLL = timedelta(hours=24)
_TIMEOUT = aiohttp.ClientTimeout(total=30.0, sock_connect=5.0, sock_read=10.0)
_LOOK = 0.5
_LATER = 2.0
"""Seconds between two tries to send what the server did not take."""
_LATEST = 60.0
"""Seconds between two such tries at most."""
_LONG = 65_536
"""Bytes of an answer that is read beside everything else: it takes its time."""
_METADATA = "METADATA"
"""What is asked for instead of a report by a server that wants to know which there are."""

# What it says of troubles is said here, in words and once.
logging.getLogger("openleadr").setLevel(logging.CRITICAL)
# Its timer tells of each poll that begins, ends, or waits for the one before it.
logging.getLogger("apscheduler").setLevel(logging.ERROR)


class PlantClient(OpenADRClient):  # type: ignore[misc]
    """One registration with one server."""

    registration_id: str | None
    poll_frequency: timedelta | None
    client_session: aiohttp.ClientSession | None

    def __init__(
        self,
        desk: ReportDesk,
        answer: Callable[[Mapping[str, Any], str | None], Awaitable[str]],
        missing: Callable[[Collection[str]], bool],
        withdraw: Callable[[Collection[str]], Awaitable[None]],
        clock: Callable[[], float] = time.time,
        **settings: Any,
    ) -> None:
        """Prepare; `answer` gives optIn or optOut for an event and our id. Reads files.

        `missing` says whether an event that is known is not among those that the
        server lists, `withdraw` ends those that are not.
        Raises CertificateTrouble for a certificate that cannot be used.
        """
        given = settings.get
        if certificate := given("cert"):
            check_ours(certificate, clock())
        self._tls = (
            tls_context(
                given("ca_file"),
                given("cert"),
                given("key"),
                given("passphrase"),
                check_hostname=bool(given("check_hostname", True)),
                now=clock(),
            )
            if str(given("vtn_url")).lower().startswith("https:")
            else None
        )
        super().__init__(show_fingerprint=False, **settings)
        self._desk = desk
        self._answer = answer
        self._missing = missing
        self._withdraw = withdraw
        self._listed: set[str] | None = None
        """The events of the server's last list of all of them, until it was looked at."""
        self._clock = clock
        self._trouble = ""
        self._troubled = 0.0
        self._offering = False
        self._missed = False
        """An answer could not be used that may have brought an event."""
        self.back = False
        """The server answers again after it could not be reached."""
        self._away = False
        self.silent_until = 0.0
        """Until when the server wants not to be asked."""
        self.refused = False
        """The server did answer the last request, with a refusal."""
        self.heard: float | None = None
        self.skew: float | None = None

    @property
    def trouble(self) -> str:
        """What went wrong last, in words, as long as people should see it."""
        return self._trouble

    # Being registered.

    async def create_party_registration(self, *args: Any, **request: Any) -> Any:
        """Register; a server that wants no polls, or ever faster ones, gets neither."""
        wanted_id = self.ven_id
        try:
            answer = await super().create_party_registration(*args, **request)
        except (KeyError, TypeError, AttributeError) as error:
            self.registration_id = None
            return self._nothing(f"its answer to our registration is none: {error!r}")
        if wanted_id and self.ven_id != wanted_id:
            self.registration_id = None
            return self._nothing(
                f"the server knows us as {self.ven_id}, and not as {wanted_id}; correct"
                " the VEN id, or leave it empty"
            )
        if self.poll_frequency is not None:
            self.poll_frequency = min(
                _SLOWEST_POLL, max(_FASTEST_POLL, self.poll_frequency)
            )
        elif self.registration_id is not None:
            self.registration_id = None
        return answer

    async def create_party_reregistration(
        self, registration_id: str | None = None
    ) -> None:
        """Let the registration end: whoever keeps it begins anew with a new client.

        The library would go on with the reports of before, twice.
        """
        self._nothing("the server asks us to register again")
        self.registration_id = None

    # Events.

    async def _poll(self) -> None:
        """Ask for all events after an answer was lost: none is sent twice."""
        if self._clock() < self.silent_until:
            return
        try:
            await super()._poll()
            if self._missed and self.registration_id is not None:
                self._missed = False
                await self.sync_events()
            await self._look_what_is_missing()
        except Exception as error:  # noqa: BLE001 - a message must not end the polls
            self._nothing(f"what it says cannot be acted on: {error!r}")

    async def _look_what_is_missing(self) -> None:
        """End what the server lists no more: it always tells of all that it wants.

        Before that it is asked for all of them, because some servers tell of those
        alone that are new.
        """
        listed = self._newly_listed()
        if listed is None or not self._missing(listed):
            return
        await self.sync_events()
        if (listed := self._newly_listed()) is not None:
            await self._withdraw(listed)

    def _newly_listed(self) -> set[str] | None:
        listed, self._listed = self._listed, None
        return listed

    async def _on_event(self, message: Mapping[str, Any]) -> None:
        """Answer each event for itself, however often the server sends it."""
        request = message.get("request_id", 0)
        responses = []
        for event in message["events"]:
            descriptor = event.get("event_descriptor") or {}
            opt = await self._answer(event, self.ven_id)
            if event.get("response_required") != "always":
                continue
            responses.append(
                {
                    "response_code": 200,
                    "response_description": "OK",
                    "opt_type": opt,
                    "request_id": request,
                    "modification_number": descriptor.get("modification_number", 0),
                    "event_id": descriptor.get("event_id"),
                }
            )
        if responses:
            await self._perform_request(
                "EiEvent",
                self._create_message(
                    "oadrCreatedEvent",
                    response={
                        "response_code": 200,
                        "response_description": "OK",
                        "request_id": request,
                    },
                    event_responses=responses,
                    ven_id=self.ven_id,
                ),
            )

    async def change_answer(self, event_id: str, modification: int, opt: str) -> bool:
        """Answer an event anew; whether the server heard of it."""
        if self._clock() < self.silent_until:
            return False
        kind, contents = await self._perform_request(
            "EiEvent",
            self._create_message(
                "oadrCreatedEvent",
                response={
                    "response_code": 200,
                    "response_description": "OK",
                    "request_id": "0",
                },
                event_responses=[
                    {
                        "response_code": 200,
                        "response_description": "OK",
                        "opt_type": opt,
                        "request_id": "0",
                        "modification_number": modification,
                        "event_id": event_id,
                    }
                ],
                ven_id=self.ven_id,
            ),
        )
        return kind is not None or "refused" in contents

    # Reports.

    async def create_report(self, message: Mapping[str, Any]) -> None:
        """Take the reports that the server wants, and say which will come."""
        taken = []
        again = False
        for request in message["report_requests"]:
            with suppress(KeyError, TypeError, AttributeError):
                named = {"report_request_id": request["report_request_id"]}
                if request["report_specifier"]["report_specifier_id"] == _METADATA:
                    again = True
                    taken.append(named)
                elif self._desk.want(*wanted(request), self._clock()):
                    taken.append(named)
        answered = message.get("request_id") or (message.get("response") or {}).get(
            "request_id"
        )
        code = 200 if len(taken) == len(message["report_requests"]) else 452
        await self._perform_request(
            "EiReport",
            self._create_message(
                "oadrCreatedReport",
                response={
                    "response_code": code,
                    "response_description": "OK" if code == 200 else "unknown report",
                    "request_id": answered,
                },
                ven_id=self.ven_id,
                pending_reports=taken,
            ),
        )
        if again and not self._offering:
            self._offering = True
            try:
                await self.register_reports(self.reports)
            finally:
                self._offering = False

    async def cancel_report(self, payload: Mapping[str, Any]) -> None:
        """Send reports no longer, but what waits of them if that is wanted."""
        given = payload.get("report_request_id")
        names = [str(name) for name in (given if isinstance(given, list) else [given])]
        follow = payload.get("report_to_follow") is True
        last = [self._desk.given_up(name) for name in names]
        known = all(request is not None for request in last)
        await self._perform_request(
            "EiReport",
            self._create_message(
                "oadrCanceledReport",
                response={
                    "response_code": 200 if known else 452,
                    "response_description": "OK" if known else "unknown report",
                    "request_id": payload.get("request_id"),
                },
                ven_id=self.ven_id,
                pending_reports=[],
            ),
        )
        for request in last:
            while follow and request is not None and request.rows:
                rows = [
                    request.rows.popleft()
                    for _ in range(min(MOST_A_MESSAGE, len(request.rows)))
                ]
                await self._perform_request("EiReport", self._update(request, rows))

    async def _report_queue_worker(self) -> None:
        """Send what is due, again and again until the server has it."""
        pause = later = _LOOK
        while True:
            await asyncio.sleep(pause)
            if self._clock() < self.silent_until:
                continue
            pause, later = _LOOK, min(max(2.0 * later, _LATER), _LATEST)
            for request, rows in self._desk.due(self._clock()):
                kind, answer = await self._perform_request(
                    "EiReport", self._update(request, rows)
                )
                if kind is None and "refused" not in answer:
                    pause = later
                    break
                later = _LOOK
                # What the server refuses would only be refused again.
                self._desk.sent(request, len(rows), self._clock())
                if cancelled := answer.get("cancel_report"):
                    await self.cancel_report(cancelled)

    def _update(self, request: Request, rows: Iterable[Row]) -> str:
        rows = list(rows)
        common = {"ven_id": self.ven_id, "request_id": utils.generate_id()}
        if any(isinstance(row.value, Status) for row in rows):
            message = self._create_message(
                STATUS_REPORT,
                **common,
                report_id=utils.generate_id(),
                report_request_id=request.id,
                specifier=request.specifier,
                created=_moment(self._clock()),
                rows=[
                    {
                        "at": _moment(row.at),
                        "resource": row.resource,
                        "online": row.value.online,
                        "override": row.value.override,
                    }
                    for row in rows
                    if isinstance(row.value, Status)
                ],
            )
            return str(message)
        intervals = [
            objects.ReportInterval(
                dtstart=_moment(row.at),
                report_payload=objects.ReportPayload(row.resource, row.value),
            )
            for row in rows
        ]
        message = self._create_message(
            "oadrUpdateReport",
            **common,
            reports=[
                objects.Report(
                    report_request_id=request.id,
                    report_specifier_id=request.specifier,
                    report_name=enums.REPORT_NAME.TELEMETRY_USAGE,
                    created_date_time=_moment(self._clock()),
                    dtstart=intervals[0].dtstart,
                    intervals=intervals,
                )
            ],
        )
        return str(message)

    # The way to the server and back.

    async def _ensure_client_session(self) -> None:
        if self.client_session is None:
            self.client_session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=self._tls or True),
                headers={"content-type": "application/xml"},
                timeout=_TIMEOUT,
                auto_decompress=False,
            )

    async def _perform_request(
        self, service: str, message: str
    ) -> tuple[str | None, dict[str, Any]]:
        """Return kind and contents of an answer; (None, {}) where there is none."""
        await self._ensure_client_session()
        if self.client_session is None or self.client_session.closed:
            return self._nothing("the connection is being ended")
        try:
            content = await self._ask(self.client_session, service, message)
            # What is sent to end an exchange is answered by nothing.
            kind, contents = await self._read(content) if content else (None, {})
            if kind == "oadrDistributeEvent":
                self._listed = _names(contents)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._away |= isinstance(error, aiohttp.ClientConnectorError)
            self._missed |= service in _BRING_EVENTS
            return self._nothing(of_connection(error, self.cert_path is not None))
        except Refused as error:
            self._nothing(str(error))
            self.refused = True
            return None, {"refused": str(error)}
        except Unusable as error:
            self._missed |= service in _BRING_EVENTS
            return self._nothing(str(error))
        self.refused = False
        if self._clock() - self._troubled > SHOWN:
            self._trouble = ""
        self.back, self._away = self.back or self._away, False
        self.heard = self._clock()
        return kind, contents

    async def _ask(
        self, session: aiohttp.ClientSession, service: str, message: str
    ) -> bytes:
        async with session.post(
            f"{self.vtn_url}/{service}", data=message, allow_redirects=False
        ) as answer:
            self.skew = skew_of(answer.headers.get("Date"), self._clock())
            try:
                content = await content_of(answer)
            except TooMuch as error:
                raise Unusable(f"its answer is {error}") from error
            if answer.status != 200:
                wait = retry_after(answer.headers, self._clock())
                self.silent_until = self._clock() + wait
                raise Unusable(
                    moved(answer.status, answer.headers)
                    or f"the server answered {answer.status} {beginning(content)}".rstrip()
                )
            return content

    async def _read(self, content: bytes) -> tuple[str, dict[str, Any]]:
        settled = content, self.vtn_fingerprint, self._clock, self.skew
        kind, contents = (
            await asyncio.to_thread(read, *settled)
            if len(content) > _LONG
            else read(*settled)
        )
        meant = contents.get("ven_id")
        if self.registration_id and self.ven_id and meant not in (None, self.ven_id):
            raise Unusable(f"its answer is for {meant}, and not for us ({self.ven_id})")
        return kind, contents

    def _nothing(self, why: str) -> tuple[None, dict[str, Any]]:
        self._trouble, self._troubled, self.refused = why, self._clock(), False
        return None, {}


def _names(contents: Mapping[str, Any]) -> set[str]:
    events = contents.get("events") or ()
    return {str(event["event_descriptor"]["event_id"]) for event in events}


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


async def stop(client: PlantClient) -> None:
    """End a client, whatever state it is in."""
    if client.client_session is None:
        return
    with suppress(Exception):
        await client.stop()


__all__ = ["CertificateTrouble", "PlantClient", "stop"]
