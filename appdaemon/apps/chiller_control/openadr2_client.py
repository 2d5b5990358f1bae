"""The library's OpenADR 2.0b client, with what a plant needs done otherwise.

The library logs what goes wrong and goes on with an empty answer: here each trouble
is kept in words, and an answer that is not proven to be the server's is none. It
loses reports that could not be sent, knows no TELEMETRY_STATUS payload, and opts out
of every event of a message of which one cannot be read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
import logging
import time
from typing import Any

import aiohttp
from cryptography import x509
from jinja2 import ChoiceLoader, DictLoader
from lxml.etree import XMLSyntaxError
from openleadr import OpenADRClient, enums, errors, messaging, objects, utils
from openleadr.messaging import parse_message, validate_xml_schema
from signxml.exceptions import InvalidSignature

from .openadr2_certificates import CertificateTrouble, check_ours, tls_context
from .openadr2_reports import ReportDesk, Request, Row, Status, wanted
from .openadr_words import of_connection, skew_of

LONGEST_ANSWER = 4_000_000
"""Bytes: a thousand events with a thousand intervals are less."""
SHOWN = 60.0
"""Seconds for which people see what went wrong, though it may have been one answer."""
_BRING_EVENTS = ("OadrPoll", "EiEvent")
_FASTEST_POLL = timedelta(seconds=1)
_SLOWEST_POLL = timedelta(hours=24)
_TIMEOUT = aiohttp.ClientTimeout(total=30.0, sock_connect=5.0, sock_read=10.0)
_LOOK = 0.5
_LATER = 2.0
"""Seconds between two tries to send what the server did not take."""
_STATUS_REPORT = "chiller_plant_status_report"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_OADR = "{http://openadr.org/oadr-2.0b/2012/07}"
_UNSIGNED = "its message is not signed, though a fingerprint is given for its signature"

# What it says of troubles is said here, in words and once.
logging.getLogger("openleadr").setLevel(logging.CRITICAL)
# Its timer tells of each poll that begins, ends, or waits for the one before it.
logging.getLogger("apscheduler").setLevel(logging.ERROR)

# The library renders what it sends from templates; it has none for a status. It joins
# lines without a space between them.
_STATUS_TEMPLATE = (
    '<oadr:oadrSignedObject xmlns:oadr="http://openadr.org/oadr-2.0b/2012/07"'
    ' xmlns:pyld="http://docs.oasis-open.org/ns/energyinterop/201110/payloads"'
    ' xmlns:ei="http://docs.oasis-open.org/ns/energyinterop/201110"'
    ' xmlns:xcal="urn:ietf:params:xml:ns:icalendar-2.0"'
    ' xmlns:strm="urn:ietf:params:xml:ns:icalendar-2.0:stream"'
    ' oadr:Id="oadrSignedObject">'
    """
<oadr:oadrUpdateReport ei:schemaVersion="2.0b">
<pyld:requestID>{{ request_id }}</pyld:requestID>
<oadr:oadrReport>
<xcal:dtstart>
<xcal:date-time>{{ rows[0].at|datetimeformat }}</xcal:date-time>
</xcal:dtstart>
<strm:intervals>
{% for row in rows %}
<ei:interval>
<xcal:dtstart>
<xcal:date-time>{{ row.at|datetimeformat }}</xcal:date-time>
</xcal:dtstart>
<oadr:oadrReportPayload>
<ei:rID>{{ row.resource|e }}</ei:rID>
<oadr:oadrPayloadResourceStatus>
<oadr:oadrOnline>{{ row.online|booleanformat }}</oadr:oadrOnline>
<oadr:oadrManualOverride>{{ row.override|booleanformat }}</oadr:oadrManualOverride>
</oadr:oadrPayloadResourceStatus>
</oadr:oadrReportPayload>
</ei:interval>
{% endfor %}
</strm:intervals>
<ei:eiReportID>{{ report_id }}</ei:eiReportID>
<ei:reportRequestID>{{ report_request_id|e }}</ei:reportRequestID>
<ei:reportSpecifierID>{{ specifier|e }}</ei:reportSpecifierID>
<ei:reportName>TELEMETRY_STATUS</ei:reportName>
<ei:createdDateTime>{{ created|datetimeformat }}</ei:createdDateTime>
</oadr:oadrReport>
<ei:venID>{{ ven_id }}</ei:venID>
</oadr:oadrUpdateReport>
</oadr:oadrSignedObject>
"""
)
messaging.TEMPLATES.loader = ChoiceLoader(
    [
        messaging.TEMPLATES.loader,
        DictLoader({f"{_STATUS_REPORT}.xml": _STATUS_TEMPLATE}),
    ]
)


class PlantClient(OpenADRClient):  # type: ignore[misc]
    """One registration with one server."""

    registration_id: str | None
    poll_frequency: timedelta | None
    client_session: aiohttp.ClientSession | None

    def __init__(
        self,
        desk: ReportDesk,
        answer: Callable[[Mapping[str, Any]], Awaitable[str]],
        clock: Callable[[], float] = time.time,
        **settings: Any,
    ) -> None:
        """Prepare; `answer` gives optIn or optOut for an event. Reads files.

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
        self._clock = clock
        self._trouble = ""
        self._troubled = 0.0
        self._missed = False
        """An answer could not be used that may have brought an event."""
        self.back = False
        """The server answers again after it could not be reached."""
        self._away = False
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
        answer = await super().create_party_registration(*args, **request)
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
        await super()._poll()
        if self._missed and self.registration_id is not None:
            self._missed = False
            await self.sync_events()

    async def _on_event(self, message: Mapping[str, Any]) -> None:
        """Answer each event for itself, however often the server sends it."""
        request = message.get("request_id", 0)
        responses = []
        for event in message["events"]:
            descriptor = event.get("event_descriptor") or {}
            opt = await self._answer(event)
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

    # Reports.

    async def create_report(self, message: Mapping[str, Any]) -> None:
        """Take the reports that the server wants, and say which will come."""
        taken = []
        for request in message["report_requests"]:
            with suppress(KeyError, TypeError, AttributeError):
                if self._desk.want(*wanted(request), self._clock()):
                    taken.append({"report_request_id": request["report_request_id"]})
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

    async def cancel_report(self, payload: Mapping[str, Any]) -> None:
        """Send a report no longer."""
        known = self._desk.give_up(str(payload.get("report_request_id")))
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

    async def _report_queue_worker(self) -> None:
        """Send what is due, again and again until the server has it."""
        pause = _LOOK
        while True:
            await asyncio.sleep(pause)
            pause = _LOOK
            for request, rows in self._desk.due(self._clock()):
                kind, answer = await self._perform_request(
                    "EiReport", self._update(request, rows)
                )
                if kind is None and "refused" not in answer:
                    pause = _LATER
                    break
                # What the server refuses would only be refused again.
                self._desk.sent(request, len(rows), self._clock())
                if cancelled := answer.get("cancel_report"):
                    await self.cancel_report(cancelled)

    def _update(self, request: Request, rows: Iterable[Row]) -> str:
        rows = list(rows)
        common = {"ven_id": self.ven_id, "request_id": utils.generate_id()}
        if any(isinstance(row.value, Status) for row in rows):
            message = self._create_message(
                _STATUS_REPORT,
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
            kind, contents = self._read(content) if content else (None, {})
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._away |= isinstance(error, aiohttp.ClientConnectorError)
            self._missed |= service in _BRING_EVENTS
            return self._nothing(of_connection(error, self.cert_path is not None))
        except _Refused as error:
            self._nothing(str(error))
            self.refused = True
            return None, {"refused": str(error)}
        except _Unusable as error:
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
        async with session.post(f"{self.vtn_url}/{service}", data=message) as answer:
            content = await _bounded(answer)
            self.skew = skew_of(answer.headers.get("Date"), self._clock())
            if answer.status != 200:
                raise _Unusable(
                    f"the server answered {answer.status} {_beginning(content)}".rstrip()
                )
            return content

    def _read(self, content: bytes) -> tuple[str, dict[str, Any]]:
        if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
            raise _Unusable("its answer defines XML entities, which OpenADR never does")
        try:
            tree = validate_xml_schema(content)
        except XMLSyntaxError as error:
            raise _Unusable(
                f"its answer is no OpenADR 2.0b message: {error.msg}"
            ) from error
        if self.vtn_fingerprint:
            self._check_signature(tree)
        try:
            kind, contents = parse_message(content)
        except (KeyError, ValueError, TypeError, AttributeError) as error:
            raise _Unusable(f"its answer cannot be read: {error!r}") from error
        response = contents.get("response")
        if isinstance(response, Mapping):
            code = response.get("response_code", 200)
            if code != 200:
                raise _Refused(
                    f"the server refuses us: {code}"
                    f" {response.get('response_description') or ''}".rstrip()
                )
        return kind, contents

    def _check_signature(self, tree: Any) -> None:
        """Raise _Unusable unless the server itself wrote this, and just now."""
        if tree.find(f".//{_DS}X509Certificate") is None:
            raise _Unusable(_UNSIGNED)
        if not _covers_contents(tree):
            raise _Unusable("its signature is not of what it says")
        try:
            ends = x509.load_pem_x509_certificate(
                utils.extract_pem_cert(tree).encode()
            ).not_valid_after_utc
            messaging.validate_xml_signature(tree, self.vtn_fingerprint)
        except errors.FingerprintMismatch as error:
            raise _Unusable(
                "its message is signed by another certificate than the one whose"
                " fingerprint the utility gave us"
            ) from error
        except InvalidSignature as error:
            raise _Unusable(
                "the signature of its message is wrong: it was changed on the way"
            ) from error
        except ValueError as error:
            ahead = (
                f" (its clock is {abs(self.skew):.0f} s"
                f" {'ahead of' if self.skew > 0 else 'behind'} ours)"
                if self.skew is not None and abs(self.skew) >= 5.0
                else ""
            )
            raise _Unusable(f"its signature is refused: {error}{ahead}") from error
        if ends.timestamp() <= self._clock():
            raise _Unusable("its message is signed with a certificate that has expired")

    def _nothing(self, why: str) -> tuple[None, dict[str, Any]]:
        self._trouble, self._troubled, self.refused = why, self._clock(), False
        return None, {}


class _Unusable(Exception):
    """An answer that nothing may be done about; says why."""


class _Refused(_Unusable):
    """A proper answer that says no."""


def _covers_contents(tree: Any) -> bool:
    """Whether what is signed is what will be read, and not a copy put aside."""
    contents = tree.find(f"{_OADR}oadrSignedObject")
    identity = None if contents is None else contents.get(f"{_OADR}Id")
    signed = {
        reference.get("URI")
        for reference in tree.findall(f"{_DS}Signature/{_DS}SignedInfo/{_DS}Reference")
    }
    named = [item for item in tree.iter() if identity in item.attrib.values()]
    return identity is not None and f"#{identity}" in signed and len(named) == 1


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for part in answer.content.iter_chunked(65536):
        content += part
        if len(content) > LONGEST_ANSWER:
            raise _Unusable(f"its answer is longer than {LONGEST_ANSWER // 10**6} MB")
    return bytes(content)


def _beginning(content: bytes) -> str:
    return " ".join(content[:200].decode("utf-8", "replace").split())


def _moment(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


async def stop(client: PlantClient) -> None:
    """End a client, whatever state it is in."""
    if client.client_session is None:
        return
    with suppress(Exception):
        await client.stop()


__all__ = ["CertificateTrouble", "PlantClient", "stop"]
