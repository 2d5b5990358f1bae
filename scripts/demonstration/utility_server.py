"""A utility's server (VTN), run as a process and spoken to in lines of JSON.

It runs in the control engine's environment, because that one has the library for it.

`python utility_server.py PORT [OPTIONS]`, options as JSON: `cert` and `key` sign messages,
`http_cert`, `http_key` and `authority` make it speak TLS to clients with certificates,
`fingerprint` is that of the plant's certificate, `remembers` makes it refuse whom it
did not register. On standard input:
{"event": ID, "start": EPOCH, "duration": SECONDS, "level": N,
 "signal": NAME, "type": TYPE, "values": [...], "created": SECONDS FROM NOW,
 "modification": N, "priority": N, "test": true, "comment": TEXT,
 "startafter": SECONDS, "ramp": SECONDS, "recovery": SECONDS},
{"cancel": ID}, {"forget": true}. On standard output, what it heard: registered, opt,
report, status.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
import json
import sys
from typing import Any

from openleadr import OpenADRServer, objects

VEN_ID = "ven_1"


def say(**what: object) -> None:
    """Tell what happened, as a line on standard output."""
    print(json.dumps(what), flush=True)


def secure(options: dict[str, Any], registered: set[str]) -> dict[str, Any]:
    """Return what the library takes, of what we were given."""
    given: dict[str, Any] = {
        theirs: options[ours]
        for ours, theirs in (
            ("cert", "cert"),
            ("key", "key"),
            ("http_cert", "http_cert"),
            ("http_key", "http_key"),
            ("authority", "http_ca_file"),
        )
        if ours in options
    }
    if "fingerprint" in options or options.get("remembers"):

        def known(ven_id: str) -> dict[str, Any] | None:
            if options.get("remembers") and ven_id not in registered:
                return None
            return {
                "ven_id": VEN_ID,
                "ven_name": "plant",
                "fingerprint": options.get("fingerprint"),
                "registration_id": "registration",
            }

        given["ven_lookup"] = known
    return given


def event_of(asked: dict[str, Any]) -> objects.Event:
    """Return the event that a line of standard input asks for."""
    start = datetime.fromtimestamp(asked["start"], UTC)
    values = asked.get("values", [asked.get("level")])
    length = timedelta(seconds=asked["duration"] / len(values))
    return objects.Event(
        event_descriptor=objects.EventDescriptor(
            event_id=asked["event"],
            modification_number=asked.get("modification", 0),
            market_context="oadr://unknown.context",
            event_status="far",
            created_date_time=datetime.now(UTC)
            + timedelta(seconds=asked.get("created", 0)),
            priority=asked.get("priority", 0),
            test_event=asked.get("test", False),
            vtn_comment=asked.get("comment"),
        ),
        active_period=objects.ActivePeriod(
            dtstart=start,
            duration=timedelta(seconds=asked["duration"]),
        ),
        event_signals=[
            objects.EventSignal(
                signal_id="s1",
                signal_name=asked.get("signal", "SIMPLE"),
                signal_type=asked.get("type", "level"),
                intervals=[
                    objects.Interval(start + number * length, length, value)
                    for number, value in enumerate(values)
                ],
            )
        ],
        targets=[{"ven_id": VEN_ID}],
        response_required="always",
    )


def more_of(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what the library leaves out of the period of an event that it takes."""
    within = {
        name: timedelta(seconds=asked[name])
        for name in ("startafter", "ramp", "recovery")
        if name in asked
    }
    return {
        "tolerance": {"startafter": within["startafter"]}
        if "startafter" in within
        else None,
        "ramp_up_period": within.get("ramp"),
        "recovery_period": within.get("recovery"),
    }


async def main() -> None:
    """Serve until standard input ends."""
    port, *rest = sys.argv[1:]
    options = json.loads(rest[0]) if rest else {}
    registered: set[str] = set()
    server = OpenADRServer(
        vtn_id="VTN",
        http_host="127.0.0.1",
        http_port=int(port),
        requested_poll_freq=timedelta(seconds=1),
        show_fingerprint=False,
        **secure(options, registered),
    )

    async def on_registration(info: dict[str, Any]) -> tuple[str, str]:
        registered.add(VEN_ID)
        say(heard="registered", name=info["ven_name"])
        return VEN_ID, "registration"

    async def on_register_report(
        ven_id: str,
        resource_id: str,
        measurement: str,
        unit: str,
        scale: str,
        min_sampling_interval: timedelta,
        max_sampling_interval: timedelta,
    ) -> tuple[Callable[[object], Awaitable[None]], timedelta]:
        async def on_report(data: object) -> None:
            """Leave it: below, all reports go one way."""

        return on_report, timedelta(seconds=1)

    async def on_reports(message: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        # The library knows figures only, and stumbles over a status.
        for report in message["reports"]:
            for interval in report["intervals"]:
                payload, at = interval["report_payload"], interval["dtstart"]
                status = payload.get("payload_resource_status")
                told = {"resource": payload["r_id"], "at": at.timestamp()}
                if status is None:
                    say(heard="report", value=payload["value"], **told)
                else:
                    say(
                        heard="status",
                        online=status["online"],
                        override=status["manual_override"],
                        **told,
                    )
        return "oadrUpdatedReport", {}

    async def on_response(ven_id: str, event_id: str, opt_type: str) -> None:
        say(heard="opt", event=event_id, opt=opt_type)
        # The library listens to the first answer only; a utility hears all of them.
        server.services["event_service"].event_callbacks[event_id] = (None, on_response)

    server.add_handler("on_create_party_registration", on_registration)
    server.add_handler("on_register_report", on_register_report)
    server.services["report_service"].handlers["oadrUpdateReport"] = on_reports
    await server.run()
    say(heard="running")

    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    while line := await reader.readline():
        asked = json.loads(line)
        if "cancel" in asked:
            server.cancel_event(VEN_ID, asked["cancel"])
        elif "forget" in asked:
            registered.clear()
        else:
            event = event_of(asked)
            server.add_raw_event(VEN_ID, event, callback=on_response)
            event.active_period.update(more_of(asked))
    await server.stop()


asyncio.run(main())
