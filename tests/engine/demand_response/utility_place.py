"""Who keeps what a plant tells its utilities, and takes over what people decide."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import time
from typing import Any

from chiller_control.control.demand_response.event_book import Told
from chiller_control.control.demand_response.site import Site, parse_site
from chiller_control.utilities import Desk, Utilities
from demonstration.openadr3.vtn import Vtn3
from shed_site import UTILITY, site_data
from utility_events import new_event
from utility_server import PATH

HOUR = 3600.0


def by_3(server: Vtn3, **changes: Any) -> dict[str, Any]:
    return {
        "id": "c3",
        "name": "grid3",
        "protocol": server.version,
        "report_interval": 60.0,
        "ven_name": "plant",
        "url": server.url,
        "client_id": "c1",
        "client_secret": "s3",
        "poll": 0.05,
    } | changes


def by_2(port: int) -> dict[str, Any]:
    return UTILITY | {"url": f"http://127.0.0.1:{port}{PATH}"}


def coming(identity: str, after: float = HOUR, **changes: Any) -> dict[str, Any]:
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + after))
    return new_event(
        id=identity, intervalPeriod={"start": start, "duration": "PT1H"}, **changes
    )


class Place:
    """Home Assistant's part: what it keeps, and what people decide."""

    def __init__(self, reports: dict[str, str] | None = None) -> None:
        self.kept: list[list[dict[str, Any]]] = []
        self.breaks: Exception | None = None
        self.tries = 0
        self.reports = {} if reports is None else reports
        self.utilities = Utilities(self)
        self.told: list[str] = []

    async def keep_events(self, book: list[dict[str, Any]]) -> None:
        self.tries += 1
        if self.breaks is not None:
            raise self.breaks
        self.kept.append(book)

    async def keep_reports(self, connection: str, text: str) -> None:
        if self.breaks is not None:
            raise self.breaks
        self.reports[connection] = text

    async def kept_reports(self, connection: str) -> str:
        if self.breaks is not None:
            raise self.breaks
        return self.reports.get(connection, "")

    def site(self, *connections: dict[str, Any], **more: Any) -> Site:
        return parse_site(site_data(*connections, **more))

    async def take(self, *connections: dict[str, Any], **more: Any) -> None:
        await self.utilities.take(self.site(*connections, **more))

    async def look(self) -> Desk:
        desk = await self.utilities.look(time.time())
        self.told += [item.what for item in desk.told if isinstance(item, Told)]
        return desk

    async def until(self, holds: Any) -> Desk:
        """Look again and again, as the app does, until something holds."""
        async with asyncio.timeout(40):
            while not holds(desk := await self.look()):
                await asyncio.sleep(0.1)
        return desk


@asynccontextmanager
async def place(reports: dict[str, str] | None = None) -> AsyncIterator[Place]:
    """Run the connections; `reports` waited before a restart."""
    here = Place(reports)
    try:
        yield here
    finally:
        await here.utilities.stop()


def stands(desk: Desk, number: int = 0) -> str:
    return desk.connections[number]["stands"]
