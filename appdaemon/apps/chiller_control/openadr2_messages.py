"""Messages of OpenADR 2.0b as they go over the wire: what is sent, and what is believed.

The library renders what it sends without escaping it, and takes what looks like a number
for one: the event `007` would be answered as 7, and `2026.11.22` would make the whole
message unreadable. An answer that is not proven to be the server's is none.
"""

from collections.abc import Callable, Mapping
import re
from typing import Any

from cryptography import x509
from jinja2 import ChoiceLoader, DictLoader
from lxml import etree
from openleadr import errors, messaging, utils
from openleadr.messaging import parse_message, validate_xml_schema
from signxml.exceptions import InvalidSignature

STATUS_REPORT = "chiller_plant_status_report"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_OADR = "{http://openadr.org/oadr-2.0b/2012/07}"
_UNSIGNED = "its message is not signed, though a fingerprint is given for its signature"
_WORD = "\ue000"
"""Before what is a word, though it looks like a number; no utility sends it."""
_WORDS = re.compile(r".*(ID|Name|Comment|Context|Description)")
_LOOKS_OTHERWISE = re.compile(r"-?[\d.]+|true|false")

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
        DictLoader({f"{STATUS_REPORT}.xml": _STATUS_TEMPLATE}),
    ]
)
# Names and ids are of people, who write `Smith & Sons`.
messaging.TEMPLATES.autoescape = True


class Unusable(Exception):
    """An answer that nothing may be done about; says why."""


class Refused(Unusable):
    """A proper answer that says no."""


def read(
    content: bytes,
    fingerprint: str | None,
    clock: Callable[[], float],
    skew: float | None,
) -> tuple[str, dict[str, Any]]:
    """Return kind and contents of an answer.

    `fingerprint`: of the certificate by which it must be signed, if it must.
    Raises Unusable, and Refused for an answer that says no.
    """
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise Unusable("its answer defines XML entities, which OpenADR never does")
    try:
        tree = validate_xml_schema(content)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unusable(f"its answer is no OpenADR 2.0b message: {error}") from error
    if fingerprint:
        _check_signature(tree, fingerprint, clock(), skew)
    try:
        _mark_words(tree)
        kind, contents = parse_message(etree.tostring(tree, encoding="utf-8"))
        contents = _unmarked(contents)
    except Exception as error:
        # A library's parser: a duration of a million years is an OverflowError.
        raise Unusable(f"its answer cannot be read: {error!r}") from error
    response = contents.get("response")
    if isinstance(response, Mapping):
        code = response.get("response_code", 200)
        if code != 200:
            raise Refused(
                f"the server refuses us: {code}"
                f" {response.get('response_description') or ''}".rstrip()
            )
    return kind, contents


def _mark_words(tree: Any) -> None:
    """Keep the library from taking words for numbers."""
    for item in tree.iter(etree.Element):
        text = (item.text or "").strip()
        if _LOOKS_OTHERWISE.fullmatch(text) and _WORDS.fullmatch(
            etree.QName(item).localname
        ):
            item.text = _WORD + text


def _unmarked(value: Any) -> Any:
    if isinstance(value, str):
        return value.removeprefix(_WORD)
    if isinstance(value, dict):
        return {key: _unmarked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_unmarked(item) for item in value]
    return value


def _check_signature(
    tree: Any, fingerprint: str, now: float, skew: float | None
) -> None:
    """Raise Unusable unless the server itself wrote this, and just now."""
    if tree.find(f".//{_DS}X509Certificate") is None:
        raise Unusable(_UNSIGNED)
    if not _covers_contents(tree):
        raise Unusable("its signature is not of what it says")
    try:
        ends = x509.load_pem_x509_certificate(
            utils.extract_pem_cert(tree).encode()
        ).not_valid_after_utc
        messaging.validate_xml_signature(tree, fingerprint)
    except errors.FingerprintMismatch as error:
        raise Unusable(
            "its message is signed by another certificate than the one whose"
            " fingerprint the utility gave us"
        ) from error
    except InvalidSignature as error:
        raise Unusable(
            "the signature of its message is wrong: it was changed on the way"
        ) from error
    except ValueError as error:
        ahead = (
            f" (its clock is {abs(skew):.0f} s"
            f" {'ahead of' if skew > 0 else 'behind'} ours)"
            if skew is not None and abs(skew) >= 5.0
            else ""
        )
        raise Unusable(f"its signature is refused: {error}{ahead}") from error
    if ends.timestamp() <= now:
        raise Unusable("its message is signed with a certificate that has expired")


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
