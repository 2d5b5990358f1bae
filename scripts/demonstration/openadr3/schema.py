"""What the published interface descriptions of OpenADR 3.0.1 and 3.1.0 demand.

Written down here from the facts of `openadr3.yaml` of the OpenADR Alliance
(components/schemas: names of properties, their types, which are required), so that
both sides are held against something that is not ours. Where the
description is silent about further properties, none may come: neither side needs any.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
import re
from typing import TypeAlias

Check: TypeAlias = Callable[[object, str], list[str]]
_DURATION = re.compile(
    r"-?P(?=\d|T\d)(\d+Y)?(\d+M)?(\d+[DW])?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?"
)
_OBJECTS = ("PROGRAM", "EVENT", "REPORT", "SUBSCRIPTION", "VEN", "RESOURCE")


def text(
    shortest: int = 0, longest: int = 10**9, pattern: str | None = None
) -> Check:  # fmt: skip
    """Return a check of a text."""

    def check(value: object, where: str) -> list[str]:
        if not isinstance(value, str):
            return [f"{where}: {value!r} is no text"]
        if not shortest <= len(value) <= longest:
            return [f"{where}: {value!r} is {len(value)} long"]
        if pattern is not None and not re.fullmatch(pattern, value):
            return [f"{where}: {value!r} is not like {pattern}"]
        return []

    return check


def one_of(*values: object) -> Check:
    """Return a check that a value is one of these."""

    def check(value: object, where: str) -> list[str]:
        return [] if value in values else [f"{where}: {value!r} is none of {values}"]

    return check


def number(*, whole: bool = False, least: float = float("-inf")) -> Check:
    """Return a check of a number."""
    kinds = (int,) if whole else (int, float)

    def check(value: object, where: str) -> list[str]:
        if isinstance(value, bool) or not isinstance(value, kinds):
            return [f"{where}: {value!r} is no number"]
        return [] if value >= least else [f"{where}: {value!r} is too small"]

    return check


def boolean(value: object, where: str) -> list[str]:
    """Check a boolean."""
    return [] if isinstance(value, bool) else [f"{where}: {value!r} is no boolean"]


def moment(value: object, where: str) -> list[str]:
    """Check a time of ISO 8601 with a time zone."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return [f"{where}: {value!r} is no time"]
    return [] if found.tzinfo else [f"{where}: {value!r} has no time zone"]


def duration(value: object, where: str) -> list[str]:
    """Check a duration of ISO 8601."""
    good = isinstance(value, str) and _DURATION.fullmatch(value)
    return [] if good else [f"{where}: {value!r} is no duration"]


def listed(item: Check) -> Check:
    """Return a check of a list, each of whose items passes `item`."""

    def check(value: object, where: str) -> list[str]:
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        return [
            wrong
            for index, found in enumerate(value)
            for wrong in item(found, f"{where}[{index}]")
        ]

    return check


def either(*checks: Check) -> Check:
    """Return a check that one of these passes."""

    def check(value: object, where: str) -> list[str]:
        found = [item(value, where) for item in checks]
        return [] if [] in found else found[0]

    return check


def shape(
    required: Mapping[str, Check],
    optional: Mapping[str, Check] | None = None,
    nullable: tuple[str, ...] | None = None,
) -> Check:
    """Return a check of an object; `nullable` None: all that is optional."""
    optional = optional or {}
    may_be_null = tuple(optional) if nullable is None else nullable

    def check(value: object, where: str) -> list[str]:
        if not isinstance(value, dict):
            return [f"{where}: {value!r} is no object"]
        wrong = [f"{where}.{name}: missing" for name in required if name not in value]
        for name, found in value.items():
            rule = required.get(name) or optional.get(name)
            if rule is None:
                wrong.append(f"{where}.{name}: not in the description")
            elif found is not None or name not in may_be_null:
                wrong += rule(found, f"{where}.{name}")
        return wrong

    return check


IDENTITY = text(1, 128, "[a-zA-Z0-9_-]*")
NAME = text(1, 128)
POINT = shape({"x": number(), "y": number()})
VALUES = shape(
    {
        "type": NAME,
        "values": listed(either(number(), text(), boolean, POINT)),
    }
)
_PERIOD_TIMES = {"duration": duration, "randomizeStart": duration}
_METADATA = {
    "id": IDENTITY,
    "createdDateTime": moment,
    "modificationDateTime": moment,
}
_CONFIDENCE = {"accuracy": number(), "confidence": number(whole=True, least=0)}
PROBLEM = shape(
    {},
    {
        "type": text(),
        "title": text(),
        "status": number(whole=True, least=100),
        "detail": text(),
        "instance": text(),
    },
)
TOKEN_REQUEST = shape(
    {
        "grant_type": one_of("client_credentials"),
        "client_id": text(1, 4096),
        "client_secret": text(1, 4096),
    },
    {"scope": text(0, 4096)},
)
TOKEN = shape(
    {"access_token": text(1, 4096), "token_type": one_of("Bearer")},
    {
        "expires_in": number(whole=True),
        "refresh_token": text(1, 4096),
        "scope": text(0, 4096),
    },
)
TOKEN_ERROR = shape(
    {"error": text()}, {"error_description": text(), "error_uri": text()}
)
AUTH_SERVER = shape({"tokenURL": text(2, 8000)})


def schemas(version: str) -> dict[str, Check]:
    """Return the checks of one version by name: KIND and KIND_REQUEST."""
    new = version == "3.1"
    target: Check = listed(NAME) if new else listed(VALUES)
    period = shape(
        {} if new else {"start": moment},
        _PERIOD_TIMES | ({"start": moment} if new else {}),
    )
    interval = shape(
        {"id": number(whole=True), "payloads": listed(VALUES)},
        {"intervalPeriod": period},
    )

    def descriptor(kind: str, more: Mapping[str, Check]) -> Check:
        tag = {"objectType": one_of(kind)}
        return shape(
            {"payloadType": NAME} | (tag if new else {}), dict(more) | (tag | {})
        )

    event_descriptor = descriptor(
        "EVENT_PAYLOAD_DESCRIPTOR", {"units": text(), "currency": text()}
    )
    report_descriptor = descriptor(
        "REPORT_PAYLOAD_DESCRIPTOR",
        {"readingType": text(), "units": text(), **_CONFIDENCE},
    )
    wanted_report = shape(
        {"payloadType": NAME},
        {
            "readingType": text(),
            "units": text(),
            "targets": target,
            "aggregate": boolean,
            "historical": boolean,
            **{
                name: number(whole=True)
                for name in ("startInterval", "numIntervals", "frequency", "repeat")
            },
            **({"reportIntervals": text()} if new else {}),
        },
    )
    bodies: dict[str, tuple[dict[str, Check], dict[str, Check]]] = {
        "program": (
            {"programName": NAME},
            {
                "intervalPeriod": period,
                "payloadDescriptors": listed(
                    either(event_descriptor, report_descriptor)
                ),
                "targets": target,
                **(
                    {"attributes": listed(VALUES)}
                    if new
                    else {"programLongName": text()}
                ),
            },
        ),
        "event": (
            {"programID": IDENTITY} | ({} if new else {"intervals": listed(interval)}),
            {
                "eventName": text(),
                "priority": number(whole=True, least=0),
                "targets": target,
                "reportDescriptors": listed(wanted_report),
                "payloadDescriptors": listed(event_descriptor),
                "intervalPeriod": period,
                **(
                    {"duration": duration, "intervals": listed(interval)} if new else {}
                ),
            },
        ),
        "report": (
            {
                "eventID": IDENTITY,
                "clientName": NAME,
                "resources": listed(
                    shape(
                        {"resourceName": NAME, "intervals": listed(interval)},
                        {"intervalPeriod": period},
                    )
                ),
            }
            | ({} if new else {"programID": IDENTITY}),
            {"reportName": text(), "payloadDescriptors": listed(report_descriptor)},
        ),
        "subscription": (
            {
                "clientName": NAME,
                "objectOperations": listed(
                    shape(
                        {
                            "objects": listed(one_of(*_OBJECTS)),
                            "operations": listed(
                                one_of("READ", "CREATE", "UPDATE", "DELETE")
                            ),
                            "callbackUrl": text(pattern="https?://.+"),
                        },
                        {"bearerToken": text()},
                    )
                ),
            }
            | ({} if new else {"programID": IDENTITY}),
            {"targets": target} | ({"programID": IDENTITY} if new else {}),
        ),
        "ven": (
            {"venName": NAME},
            {"attributes": listed(VALUES)}
            | ({} if new else {"targets": target, "resources": listed(shape({}))}),
        ),
    }
    found: dict[str, Check] = {}
    for kind, (required, optional) in bodies.items():
        tag = {"objectType": one_of(kind.upper())}
        owned = {"clientID": NAME} if kind in ("report", "subscription", "ven") else {}
        found[kind] = shape(
            required | _METADATA | (tag | owned if new else {}),
            optional
            | ({"targets": target} if kind == "ven" else {})
            | (tag if not new else {}),
        )
        asked = (
            {"objectType": one_of("VEN_VEN_REQUEST")} if kind == "ven" and new else {}
        )
        found[f"{kind}_request"] = shape(required | asked, optional)
    operation = (
        one_of("READ", "CREATE", "UPDATE", "DELETE")
        if new
        else one_of("GET", "POST", "PUT", "DELETE")
    )
    found["notification"] = shape(
        {
            "objectType": one_of(*_OBJECTS),
            "operation": operation,
            "object": either(*(found[kind] for kind in bodies)),
        },
        {"targets": target},
    )
    return found
