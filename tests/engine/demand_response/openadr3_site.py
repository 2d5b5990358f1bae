"""A plant that speaks to a server of OpenADR 3, with a clock of its own."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from chiller_control.control.demand_response.event_book import EventBook, Told
from chiller_control.openadr3_ven import Ven3, Ven3Settings, Version
from chiller_control.ven import Refusal
from demonstration.openadr3.vtn import Vtn3
from utility_events import NOW

VERSIONS: tuple[Version, ...] = ("3.0", "3.1")


@dataclass
class Site:
    """A VEN with a clock of its own, and what it told."""

    ven: Ven3
    told: list[Told | Refusal] = field(default_factory=list)
    stored: list[list[dict[str, Any]]] = field(default_factory=list)
    now: float = NOW

    @property
    def refused(self) -> list[str]:
        return [item.why for item in self.told if isinstance(item, Refusal)]

    @property
    def happened(self) -> list[str]:
        return [item.what for item in self.told if isinstance(item, Told)]


def site_at(server: Vtn3, **settings: Any) -> Site:
    book = EventBook("plant")
    site: Site

    async def store() -> None:
        site.stored.append(book.as_dict())

    given = {
        "name": "grid",
        "ven_name": "plant",
        "url": server.url,
        "client_id": "c1",
        "client_secret": "s3",
        "version": server.version,
        "program": "shed",
        "poll": 0.05,
    }
    site = Site(
        Ven3(
            Ven3Settings(**(given | settings)),
            book,
            store,
            lambda told: site.told.append(told),
            clock=lambda: site.now,
        )
    )
    return site


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def kept(site: Site) -> AsyncIterator[None]:
    """Keep a connection for as long as the block lasts."""
    task = asyncio.create_task(site.ven.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
