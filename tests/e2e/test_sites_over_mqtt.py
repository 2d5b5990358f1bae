"""Two sites share what one utility asks for, over a broker that goes away meanwhile.

Two real Home Assistants with an AppDaemon each, a real Mosquitto between them, and a
real server of a utility. What each site sheds is read at its own building.
"""

import asyncio
from datetime import datetime
from itertools import pairwise
from pathlib import Path
import time
from typing import Any

from demonstration.stack import REPOSITORY
from demonstration.utility import Utility
import pytest

from tests.e2e.portfolio_site import Building, House
from tests.mosquitto import Broker, HeadEnd, broker, head_end
from tests.waiting import eventually

PATIENCE = 150.0
"""Seconds; a busy machine may take a good part of it."""
NOTICE = 20.0
DURATION = 900.0
LEVEL = 2
"""20 % of the 600 kW that both take."""
REQUESTED = 120.0
SHARES = {"north": 80.0, "south": 40.0}
"""kW of it, as the circuits of the one can shed twice what those of the other can."""
OUTAGE = 25.0
"""Seconds without a broker, in which a site would have told of itself."""
TOPICS = "grid"


@pytest.mark.timeout(600)
def test_two_sites_share_an_event_through_an_outage_of_their_broker(
    tmp_path: Path,
) -> None:
    asyncio.run(told(tmp_path))


async def told(folder: Path) -> None:
    sites = {
        building.key: (building, House(folder / f"house_{building.key}"))
        for building in (Building("north", folder, 8), Building("south", folder, 4))
    }
    utility = Utility(REPOSITORY, folder / "utility.log")
    try:
        async with (
            asyncio.timeout(560),
            broker() as server,
            head_end(server.port, f"{TOPICS}/#") as listener,
        ):
            await asyncio.gather(
                utility.start(),
                *(building.start() for building, _ in sites.values()),
                *(house.home_assistant.start() for _, house in sites.values()),
            )
            story = Story(sites, utility, server, listener)
            await story.set_up()
            await story.event_is_shared_by_capacity()
            await story.broker_goes_and_comes_back()
            await story.site_that_fails_is_made_up()
    finally:
        await asyncio.gather(
            utility.stop(),
            *(item.stop() for site in sites.values() for item in site),
        )


class Story:
    """What happens to them, one thing after another."""

    def __init__(
        self,
        sites: dict[str, tuple[Building, House]],
        utility: Utility,
        server: Broker,
        listener: HeadEnd,
    ) -> None:
        self.north, self.lead = sites["north"]
        self.south, self.site = sites["south"]
        self.utility = utility
        self.broker = server
        self.listener = listener
        self.ends = 0.0

    async def set_up(self) -> None:
        """Import the plants, connect them with the broker, and start the engines."""
        for building, house, portfolio in (
            (self.north, self.lead, {"sites": ["south"]}),
            (self.south, self.site, {"site": "south"}),
        ):
            await house.connect_broker(self.broker.port)
            await house.add_plant(building)
            await house.decide(building.key, "portfolio", prefix=TOPICS, **portfolio)
            await house.decide(
                building.key, "telemetry", mqtt=True, prefix=TOPICS, interval=5
            )
        await self.lead.connect_utility("north", self.utility.url)
        await asyncio.gather(self.lead.start_engine(), self.site.start_engine())
        await eventually(lambda: self.utility.was_told(heard="registered"), PATIENCE)

        async def capacities_are_known() -> bool:
            rows = await self.plants()
            return {name: row["available_kw"] for name, row in rows.items()} == {
                "North": 160.0,
                "south": 80.0,
            }

        await eventually(capacities_are_known, PATIENCE)
        load = await self.lead.state("sensor.north_portfolio_load")
        assert (load["state"], load["attributes"]["left_out"]) == ("600.0", {})

    async def event_is_shared_by_capacity(self) -> None:
        begins = time.time() + NOTICE
        self.ends = begins + DURATION
        await self.utility.announce("peak", begins, DURATION, {"level": LEVEL})
        await eventually(
            lambda: self.utility.was_told(heard="opt", event="peak", opt="optIn"),
            PATIENCE,
        )
        await eventually(self.both_shed_their_shares, NOTICE + PATIENCE)
        rows = await self.plants()
        assert {name.lower(): row["share_kw"] for name, row in rows.items()} == SHARES
        assert await self.site.share("south") == SHARES["south"]

        def sum_is_reported() -> bool:
            loads = [kw for at, kw in self.utility.reports() if at > begins]
            return bool(loads) and loads[-1] == pytest.approx(600.0 - REQUESTED)

        await eventually(sum_is_reported, PATIENCE)

    async def broker_goes_and_comes_back(self) -> None:
        heads = {name: self.numbers(name)[-1] for name in SHARES}
        before = len(self.north.said), len(self.south.said)
        await self.broker.stop()
        gone = time.time()
        await asyncio.sleep(OUTAGE)
        assert not self.listener.listens
        await self.broker.start()
        back = time.time()

        def site_is_heard_again() -> bool:
            offers = self.listener.of(f"{TOPICS}/portfolio/south/offer")
            return offers[-1]["at"] > back

        await eventually(site_is_heard_again, PATIENCE)
        # Nobody fell back to nothing meanwhile, and nobody made up for nothing.
        assert set(self.north.said[before[0] :]) == {self.wanted("north")}
        assert set(self.south.said[before[1] :]) == {self.wanted("south")}

        def nothing_is_lost() -> bool:
            return all(
                self.numbers(name)[-1] > last + OUTAGE / 5.0
                and all(b - a == 1 for a, b in pairwise(self.numbers(name)))
                for name, last in heads.items()
            )

        await eventually(nothing_is_lost, PATIENCE)
        for name in SHARES:
            waited = [
                row
                for row in self.listener.of(f"{TOPICS}/{name}/telemetry")
                if gone < epoch(row["at"]) < back
            ]
            assert len(waited) >= 4
            assert {row["power_kw"] for row in waited} == {self.wanted(name)}
        assert {quality for _, _, quality, _ in self.listener.heard} == {1}

    async def site_that_fails_is_made_up(self) -> None:
        await self.south.stop()
        died = time.time()
        await eventually(
            lambda: self.north.kw == self.north.usual - REQUESTED, PATIENCE
        )
        print(f"made up after {time.time() - died:.0f} s")
        assert time.time() < self.ends
        rows = await self.plants()
        assert rows["North"]["share_kw"] == REQUESTED
        assert (rows["south"]["share_kw"], rows["south"]["stands"]) == (0.0, "no_meter")

        async def south_is_asked_for_nothing() -> bool:
            return await self.site.share("south") == 0.0

        await eventually(south_is_asked_for_nothing, PATIENCE)

    # What is seen.

    def wanted(self, name: str) -> float:
        """Return what a building takes while it sheds its share."""
        building = {"north": self.north, "south": self.south}[name]
        return building.usual - SHARES[name]

    def both_shed_their_shares(self) -> bool:
        return (self.north.kw, self.south.kw) == tuple(map(self.wanted, SHARES))

    async def plants(self) -> dict[str, dict[str, Any]]:
        """Return how the sites stand, as people see it at the one that leads."""
        shown = await self.lead.portfolio("north")
        return {row["plant"]: row for row in shown["plants"]}

    def numbers(self, plant: str) -> list[int]:
        """Return the samples that a head-end has of a plant, each once."""
        return sorted(
            {row["n"] for row in self.listener.of(f"{TOPICS}/{plant}/telemetry")}
        )


def epoch(iso: str) -> float:
    return datetime.fromisoformat(iso).timestamp()
