"""An energy manager connects two utilities in a real browser, and answers an event.

The real Home Assistant and AppDaemon, a real server of OpenADR 2.0b and one of 3.1.
"""

import asyncio
from pathlib import Path
import time

from demonstration.browser import signed_in
from demonstration.openadr3.vtn import CLIENT, SECRET, vtn3
from demonstration.stack import REPOSITORY
from demonstration.utility import Utility
from playwright.async_api import expect
import pytest

from tests.e2e.energy_manager import EnergyManager
from tests.e2e.portfolio_site import TIME_ZONE, Building, House
from tests.waiting import eventually

PATIENCE = 60.0
"""Seconds; a busy machine may take a good part of it."""
NOTICE = 30.0
DURATION = 900.0
LEVEL = 2
EVENT = "peak"
GRID = {"Name": "Grid", "VEN name": "plant"}
MARKET = {"Name": "Market", "VEN name": "plant", "Client id": CLIENT}


@pytest.mark.timeout(300)
def test_an_energy_manager_connects_utilities_and_opts_out_of_an_event(
    tmp_path: Path,
) -> None:
    asyncio.run(told(tmp_path))


async def told(folder: Path) -> None:
    house, building = House(folder / "house"), Building("north", folder)
    utility = Utility(REPOSITORY, folder / "utility.log")
    try:
        async with asyncio.timeout(280), vtn3() as market:
            await asyncio.gather(
                utility.start(), building.start(), house.home_assistant.start()
            )
            await house.add_plant(building)
            await house.start_engine()
            async with signed_in(house.home_assistant, TIME_ZONE) as page:
                page.set_default_timeout(PATIENCE * 1000)
                expect.set_options(timeout=PATIENCE * 1000)
                person = EnergyManager(page, "North")
                try:
                    await connects(person, utility, market.url)
                    await decides(person)
                    async with house.home_assistant.connect() as socket:
                        await person.make_page(
                            socket,
                            {
                                "two_chillers": "north",
                                "site_meter_power": "plant_meter_power",
                                "utility_connection": "grid_connection",
                            },
                        )
                    await answers(person, utility)
                except BaseException:
                    await page.screenshot(path=folder / "then.png")
                    print(f"then: {folder / 'then.png'}")
                    raise
            assert market.violations == []
    finally:
        await house.stop()
        for item in (building, utility):
            await item.stop()


async def connects(person: EnergyManager, utility: Utility, market: str) -> None:
    """Connect both; a form that is wrong says so at the field."""
    await person.open_connection_form("OpenADR 2.0b")
    await person.fill_in(GRID | {"Address of the server": "http://vtn.example.com/x"})
    await person.fill_in({"Fingerprint of the server": "3F:9C"})
    await person.is_refused(
        "Outside of a private network it must begin with https://",
        "Enter 20 hexadecimal digits",
    )
    await person.fill_in(
        {
            "Address of the server": utility.url,
            "Fingerprint of the server": "",
            "Report interval": 5.0,
        }
    )
    await person.connects("Grid")
    await person.sees_connected("Grid")
    assert utility.was_told(heard="registered")

    await person.open_connection_form("OpenADR 3.1")
    await person.fill_in(
        MARKET
        | {"Name": "grid", "Client secret": SECRET, "Address of the server": market}
    )
    await person.is_refused("Another connection has this name")
    # What was typed of the secret is kept, and not shown.
    await person.fill_in({"Name": "Market", "Client secret": ""})
    await person.connects("Market")
    await person.sees_connected("Market")


async def decides(person: EnergyManager) -> None:
    await person.decide("Answers and meaning")
    await person.fill_in({"Level 1": 25.0})
    await person.is_refused("This is less than a lower level asks for")
    await person.fill_in({"Level 1": 10.0})
    await person.is_decided()


async def answers(person: EnergyManager, utility: Utility) -> None:
    """See the event everywhere, opt out and in on the page, out in the calendar."""
    await person.opens_page()
    await person.reads("No event is over yet")
    await utility.announce(EVENT, time.time() + NOTICE, DURATION, {"level": LEVEL})
    await hears(utility, "optIn")
    await person.reads(f"Grid: level {LEVEL}")

    await person.presses("Opt out of this event")
    await hears(utility, "optIn", "optOut")
    await person.reads(f"Opted out: Grid: level {LEVEL}")

    await person.presses("Take part after all")
    await hears(utility, "optIn", "optOut", "optIn")
    # By now it runs.
    await person.reads("Shedding")

    await person.deletes_in_calendar("Grid:", "Opted out")
    await hears(utility, "optIn", "optOut", "optIn", "optOut")


async def hears(utility: Utility, *wanted: str) -> None:
    """Wait until the utility has heard these answers, one after the other."""

    def heard() -> bool:
        said: list[str] = []
        for item in utility.heard:
            # A server that asks again is answered again.
            if item["heard"] == "opt" and said[-1:] != [item["opt"]]:
                said.append(item["opt"])
        return said == list(wanted)

    await eventually(heard, PATIENCE)
