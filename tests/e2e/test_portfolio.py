"""Two plants share what one utility asks for, and one makes up for the other.

The real Home Assistant, AppDaemon with an app for each plant, and a real server of a
utility. The plants are small, so that the story is short.
"""

import asyncio
from pathlib import Path
import time
from typing import Any

from demonstration.stack import REPOSITORY
from demonstration.utility import Utility
import pytest

from tests.e2e.portfolio_site import CIRCUITS, EACH, REST, Building, House
from tests.waiting import eventually

PATIENCE = 90.0
"""Seconds; a busy machine may take a good part of it."""
NOTICE = 20.0
DURATION = 300.0
LEVEL = 2
"""20 % of what both take: 120 kW."""
USUAL = REST + CIRCUITS * EACH
BOTH = 0.2 * 2 * USUAL


@pytest.mark.timeout(480)
def test_a_plant_that_dies_in_mid_event_is_made_up_by_the_other(tmp_path: Path) -> None:
    asyncio.run(told(tmp_path))


async def told(folder: Path) -> None:
    house = House(folder / "house")
    north, south = (Building(key, folder) for key in ("north", "south"))
    utility = Utility(REPOSITORY, folder / "utility.log")
    started = (utility, north, south, house.home_assistant)
    try:
        async with asyncio.timeout(450):
            await asyncio.gather(*(item.start() for item in started))
            await set_up(house, north, south, utility)
            await shared_event(house, north, south, utility)
    finally:
        await house.stop()
        for item in (north, south, utility):
            await item.stop()


async def set_up(
    house: House, north: Building, south: Building, utility: Utility
) -> None:
    """Import both, let the north lead, and start the engine."""
    for building in (north, south):
        await house.add_plant(building)
    await house.connect_utility("north", utility.url)
    await house.decide("north", "portfolio", plants=[house.entries["south"]])
    await house.start_engine()
    await eventually(lambda: utility.was_told(heard="registered"), PATIENCE)

    async def both_known() -> bool:
        load = await house.state("sensor.north_portfolio_load")
        more = await house.state("sensor.north_portfolio_available_reduction")
        return (load["state"], more["state"]) == ("600.0", "240.0")

    await eventually(both_known, PATIENCE)


async def shared_event(
    house: House, north: Building, south: Building, utility: Utility
) -> None:
    begins = time.time() + NOTICE
    await utility.announce("peak", begins, DURATION, {"level": LEVEL})
    await eventually(
        lambda: utility.was_told(heard="opt", event="peak", opt="optIn"), PATIENCE
    )
    half = USUAL - BOTH / 2
    await eventually(lambda: north.kw == south.kw == half, NOTICE + PATIENCE)
    assert time.time() < begins + DURATION
    assert [row["share_kw"] for row in await plants(house)] == [BOTH / 2] * 2

    def heard_of_both() -> bool:
        loads = [kw for at, kw in utility.reports() if at > begins]
        return bool(loads) and loads[-1] == pytest.approx(2 * half)

    await eventually(heard_of_both, PATIENCE)

    await south.stop()
    died = time.time()
    await eventually(lambda: north.kw == USUAL - BOTH, PATIENCE)
    assert time.time() < begins + DURATION
    print(f"made up after {time.time() - died:.0f} s")
    load = await house.state("sensor.north_portfolio_load")
    assert load["attributes"]["left_out"].keys() == {"South"}
    assert await house.share("south") == 0.0
    stands = {row["plant"]: row["stands"] for row in await plants(house)}
    assert stands == {"North": "delivers", "South": "no_meter"}
    # A load that is not known is no load that fell.
    reported = {kw for at, kw in utility.reports() if at > died}
    assert all(kw > USUAL for kw in reported)


async def plants(house: House) -> list[dict[str, Any]]:
    """Return how the plants stand, as people see it at the one that leads."""
    found: list[dict[str, Any]] = (await house.portfolio("north"))["plants"]
    return found
