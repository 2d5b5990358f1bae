"""The server as a process of its own, spoken to in lines of JSON.

`python -m demonstration.openadr3 PORT`. On standard input:
{"event": ID, "start": EPOCH, "duration": SECONDS, "type": PAYLOAD TYPE,
 "value": N, "units": UNITS, "comment": TEXT}. On standard output, what it heard:
running; ven, when a plant made itself known; event, when it was given one for the
first time; report, one line for each interval; violation, for what the published
description does not allow.
"""

import asyncio
from datetime import UTC, datetime
import json
import sys
from typing import Any

from .vtn import PROGRAM, Vtn3, vtn3

_LOOK = 0.2
"""Seconds between two looks at what was found wrong."""


def say(**what: object) -> None:
    """Tell what happened, as a line on standard output."""
    print(json.dumps(what), flush=True)


class Ledger:
    """Says what a server heard, each thing once."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self._given: set[str] = set()

    def told(self, kind: str, item: dict[str, Any]) -> None:
        """Say what is new of an object that a plant made or was given."""
        if kind == "new ven":
            say(heard="ven", name=item["venName"])
        elif kind == "given event" and item["id"] not in self._given:
            self._given.add(item["id"])
            say(heard="event", event=item["id"])
        elif kind == "new report":
            for resource in item["resources"]:
                for interval in resource["intervals"]:
                    say(
                        heard="report",
                        event=item["eventID"],
                        resource=resource["resourceName"],
                        at=_epoch(interval["intervalPeriod"]["start"]),
                        values={
                            payload["type"]: payload["values"][0]
                            for payload in interval["payloads"]
                        },
                    )


def event_of(server: Vtn3, asked: dict[str, Any]) -> dict[str, Any]:
    """Return the event that a line of standard input asks for."""
    descriptor = {
        "objectType": "EVENT_PAYLOAD_DESCRIPTOR",
        "payloadType": asked["type"],
    }
    if "units" in asked:
        descriptor["units"] = asked["units"]
    (program,) = (item for item in server.programs if item["programName"] == PROGRAM)
    return server.made(
        "event",
        asked["event"],
        {
            "programID": program["id"],
            "eventName": asked.get("comment", asked["event"]),
            "intervalPeriod": {
                "start": datetime.fromtimestamp(asked["start"], UTC).isoformat(),
                "duration": f"PT{asked['duration']:.0f}S",
            },
            "payloadDescriptors": [descriptor],
            "intervals": [
                {
                    "id": 0,
                    "payloads": [{"type": asked["type"], "values": [asked["value"]]}],
                }
            ],
        },
    )


def _epoch(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


async def _complain(server: Vtn3) -> None:
    """Say at once what was not as published; at the end is too late to be seen."""
    said = 0
    while True:
        for what in server.violations[said:]:
            say(heard="violation", what=what)
        said = len(server.violations)
        await asyncio.sleep(_LOOK)


async def main() -> None:
    """Serve until standard input ends."""
    async with vtn3(port=int(sys.argv[1])) as server:
        server.told = Ledger().told
        complaining = asyncio.create_task(_complain(server))
        say(heard="running")
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        while line := await reader.readline():
            server.events.append(event_of(server, json.loads(line)))
        complaining.cancel()


asyncio.run(main())
