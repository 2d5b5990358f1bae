"""The OpenADR 3 server of the demonstration, as the process that it is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
from pathlib import Path
import sys
import time
from typing import Any

from aiohttp import ClientSession
from chiller_control.openadr3_ven import ReportRow
from demonstration.openadr3.vtn import CLIENT, SECRET
from openadr3_site import site_at, until
from utility_server import free_port

SCRIPTS = Path(__file__).parents[3] / "scripts"
ASKED = {
    "event": "peak",
    "duration": 1800.0,
    "type": "DISPATCH_SETPOINT_RELATIVE",
    "value": -0.2,
    "units": "MW",
}


@dataclass
class Server:
    """The process, and what it said."""

    process: asyncio.subprocess.Process
    url: str
    version: str = "3.1"
    said: list[dict[str, Any]] = field(default_factory=list)

    async def listen(self) -> None:
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            self.said.append(json.loads(line))

    def tell(self, **what: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")

    def heard(self, what: str) -> list[dict[str, Any]]:
        return [item for item in self.said if item["heard"] == what]


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "demonstration.openadr3",
        str(port),
        cwd=SCRIPTS,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    server = Server(process, f"http://127.0.0.1:{port}")
    listening = asyncio.create_task(server.listen())
    try:
        await until(lambda: bool(server.heard("running")))
        yield server
    finally:
        process.kill()
        await process.wait()
        listening.cancel()


async def test_event_that_is_asked_for_reaches_the_plant_and_its_report_is_told() -> (
    None
):
    async with serving() as server, ClientSession() as session:
        site = site_at(server)  # type: ignore[arg-type]
        site.now = time.time()
        start = round(site.now) + 600.0
        server.tell(**ASKED, start=start)

        async def fetched() -> None:
            while not site.ven.book.entries:
                await site.ven.fetch(session)
                await asyncio.sleep(0.05)

        await asyncio.wait_for(fetched(), 30)
        (entry,) = site.ven.book.entries.values()
        assert (entry.event.start, entry.event.duration) == (start, 1800.0)
        assert entry.event.signal().value_at(0.0) == -200.0
        row = ReportRow(start, 60.0, {"DEMAND": 250.0, "OPERATING_STATE": "NORMAL"})
        await site.ven.report(session, entry.event.key, "plant", [row])
        await until(lambda: bool(server.heard("report")))
        assert server.heard("report") == [
            {
                "heard": "report",
                "event": "peak",
                "resource": "plant",
                "at": start,
                "values": dict(row.values),
            }
        ]
        assert len(server.heard("ven")) == len(server.heard("event")) == 1
        assert not server.heard("violation")


async def test_report_that_is_not_as_published_is_told_at_once() -> None:
    async with serving() as server, ClientSession() as session:
        form = {
            "grant_type": "client_credentials",
            "client_id": CLIENT,
            "client_secret": SECRET,
        }
        async with session.post(f"{server.url}/auth/token", data=form) as answer:
            token = (await answer.json())["access_token"]
        async with session.post(
            f"{server.url}/reports",
            json={"eventID": "peak", "clientName": "plant"},
            headers={"Authorization": f"Bearer {token}"},
        ) as answer:
            assert answer.status == 400
        await until(lambda: bool(server.heard("violation")))
        assert "resources: missing" in server.heard("violation")[0]["what"]
