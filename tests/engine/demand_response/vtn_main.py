"""A utility's server (VTN), run as a process and spoken to in lines of JSON.

`python vtn_main.py PORT [CERT KEY AUTHORITY VEN_FINGERPRINT]`. On standard input:
{"event": ID, "start": EPOCH, "duration": SECONDS, "level": N}, {"cancel": ID}. On
standard output, what it heard: registered, opt, report.
"""

import asyncio
from datetime import UTC, datetime, timedelta
import json
import sys

from openleadr import OpenADRServer

VEN_ID = "ven_1"


def say(**what: object) -> None:
    print(json.dumps(what), flush=True)


async def main() -> None:
    port, *tls = sys.argv[1:]
    secure = {}
    if tls:
        cert, key, authority, fingerprint = tls
        secure = {
            "cert": cert,
            "key": key,
            "http_cert": cert,
            "http_key": key,
            "http_ca_file": authority,
            "fingerprint_lookup": lambda ven_id: fingerprint,
            "ven_lookup": lambda ven_id: {
                "ven_id": VEN_ID,
                "ven_name": "plant",
                "fingerprint": fingerprint,
                "registration_id": "registration",
            },
        }
    server = OpenADRServer(
        vtn_id="VTN",
        http_host="127.0.0.1",
        http_port=int(port),
        requested_poll_freq=timedelta(seconds=1),
        **secure,
    )

    async def on_registration(info: dict) -> tuple[str, str]:
        say(heard="registered", name=info["ven_name"])
        return VEN_ID, "registration"

    async def on_register_report(
        ven_id, resource_id, measurement, unit, scale, min_sampling_interval, max_sampling_interval
    ):  # fmt: skip
        async def on_report(data):
            for at, value in data:
                say(
                    heard="report", resource=resource_id, at=at.timestamp(), value=value
                )

        return on_report, timedelta(seconds=1)

    async def on_response(ven_id: str, event_id: str, opt_type: str) -> None:
        say(heard="opt", event=event_id, opt=opt_type)
        # The library listens to the first answer only; a utility hears all of them.
        server.services["event_service"].event_callbacks[event_id] = (None, on_response)

    server.add_handler("on_create_party_registration", on_registration)
    server.add_handler("on_register_report", on_register_report)
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
            continue
        start = datetime.fromtimestamp(asked["start"], UTC)
        length = timedelta(seconds=asked["duration"])
        server.add_event(
            ven_id=VEN_ID,
            event_id=asked["event"],
            signal_name="SIMPLE",
            signal_type="level",
            intervals=[
                {"dtstart": start, "duration": length, "signal_payload": asked["level"]}
            ],
            callback=on_response,
        )
    await server.stop()


asyncio.run(main())
