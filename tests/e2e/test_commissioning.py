"""How an integrator makes a plant and tries its points, in a real browser."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
import re

from demonstration.browser import signed_in
from demonstration.home_assistant import HomeAssistant, make_configuration
from demonstration.process import free_port
from demonstration.simulated_plant import SimulatedPlant
from demonstration.stack import EXAMPLE, REPOSITORY
from playwright.async_api import Locator, Page, expect
import pytest

from tests.e2e.dialogs import Dialog
from tests.ports import udp_port

NETWORK = "127.0.93."
PAGE = "/config/integrations/integration/chiller_plant"
TIME_ZONE = "Asia/Singapore"
HEAD = (
    "#Engineering-Data-Exchange - B.I.G.-EU\nPROJECT_NAME;Clinic\nVERSION_OF_LAYOUT;2.3\n"
    "#keyname;device obj.-instance;object-name;object-type;object-instance;description;"
    "present-value-default;min-present-value;max-present-value;settable;supports COV;"
    "hi-limit;low-limit;state-text-reference;unit-code;vendor-specific-addres\n"
)
POINT_LIST = HEAD + (
    "t;1004;zone_1.temperature;0;11;;;;;N;Y;;;;62;\n"
    "sp;1004;zone_1.temperature_setpoint;2;11;;;;;Y;N;;;;62;\n"
    "rh;1004;zone_1.relative_humidity;0;12;;;;;N;Y;;;;98;\n"
    "tl;1004;zone_1.history;20;1;;;;;N;N;;;;;\n"
)


@dataclass(frozen=True)
class Site:
    """A network with four controllers, and a Home Assistant without any plant."""

    home_assistant: HomeAssistant
    addresses: tuple[str, ...]
    our_port: int

    @property
    def zone_controller(self) -> str:
        return self.addresses[-1]


@asynccontextmanager
async def new_site(folder: Path) -> AsyncIterator[Site]:
    """Start the controllers of the example on addresses of their own."""
    port = udp_port()
    text = (EXAMPLE / "plant.yaml").read_text()
    text = re.sub(r"127\.0\.0\.(?=[12]\d)", NETWORK, text)
    plant_file = folder / "plant.yaml"
    plant_file.write_text(text.replace(":47808", f":{port}"))
    simulator = SimulatedPlant(
        plant_file, REPOSITORY, folder / "simulator.log", 30.0, "2026-06-01T09:00"
    )
    web_port = free_port()
    make_configuration(folder / "home_assistant", REPOSITORY, web_port, TIME_ZONE)
    home_assistant = HomeAssistant(
        folder / "home_assistant", web_port, folder / "home_assistant.log"
    )
    async with AsyncExitStack() as stack:
        stack.push_async_callback(simulator.stop)
        stack.push_async_callback(home_assistant.stop)
        await simulator.start()
        await home_assistant.start()
        controllers = tuple(f"{NETWORK}{host}:{port}" for host in (11, 12, 13, 14))
        yield Site(home_assistant, controllers, udp_port())


type Visit = Callable[[Callable[[Page, Dialog, Site], Awaitable[None]]], None]


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """Let a test be a person at the browser."""
    with asyncio.Runner() as runner:
        opened = new_site(tmp_path_factory.mktemp("commissioning"))
        site = runner.run(opened.__aenter__())

        async def look(
            story: Callable[[Page, Dialog, Site], Awaitable[None]],
        ) -> None:
            async with signed_in(site.home_assistant, TIME_ZONE) as page:
                page.set_default_timeout(30_000)
                await story(page, Dialog(page), site)

        try:
            yield lambda story: runner.run(look(story))
        finally:
            runner.run(opened.__aexit__(None, None, None))


def test_a_plant_is_found_corrected_created_and_its_points_tried(visit: Visit) -> None:
    async def story(page: Page, dialog: Dialog, site: Site) -> None:
        await add_plant(page, dialog, "Find BACnet devices")
        await dialog.shows("Where are the devices?", "Nothing is written to them")
        await where_we_are(dialog, site)
        await dialog.add("asked one by one", *site.addresses)
        await dialog.submit()

        await dialog.shows("Which devices belong to the plant?", "4 devices answered")
        await dialog.shows("zone_controller", "instance 1004", "objects")
        await dialog.submit()
        await dialog.shows("What was recognised", "Chiller 1: chiller, 13 points")
        # Only the wards are looked at.
        checked = dialog.flow.locator("ha-selector-select").nth(1)
        machines = await checked.locator("ha-checkbox").count()
        for number in range(machines):
            if (
                "Zone 1"
                not in await checked.locator("ha-checkbox").nth(number).inner_text()
            ):
                await checked.locator("ha-checkbox").nth(number).click()
        await dialog.submit()

        await dialog.shows("Zone 1", "'zone_1.temperature' is a name of this role")
        await dialog.fill("text", "What operators call it", "Wards")
        await dialog.search("Occupied command", "not there", "Not there")
        await expect(
            dialog.field("select", "Temperature setpoint").first
        ).to_contain_text("zone_1.temperature_setpoint")
        await dialog.submit()
        await dialog.shows("Is anything missing?", "Wards: zone, 5 points")
        await dialog.choose("Go on")
        await dialog.shows("What serves Chiller 1")
        await dialog.submit()
        await dialog.shows("What serves Chiller 2")
        await dialog.submit()
        await dialog.shows("Create the plant", "zone_1.occupied_command")
        await dialog.fill("text", "Name of the plant", "Hospital")
        await dialog.submit()
        await finished(dialog)

        await configure(page, "Hospital")
        await dialog.shows("Test a point", "Plant file")
        await dialog.choose("Test a point")
        await dialog.search("Point", "wards setpoint", "Wards: temperature setpoint")
        await dialog.submit()
        await dialog.shows("Wards: temperature setpoint", "24 °C", site.zone_controller)
        await dialog.choose("Read now")
        await dialog.shows("Read now: 24 °C")
        await dialog.choose("Write")
        await dialog.shows("This moves real equipment", "taken back after 60 seconds")
        await dialog.fill("number", "Value", "22.5")
        await dialog.submit()
        await dialog.shows("Confirm that the equipment may move")
        await dialog.switch("This moves real equipment")
        await dialog.submit()
        await dialog.shows("The device reads back 22.5 °C")
        await dialog.choose("Release")
        await dialog.shows("Released. It reads 24 °C")
        await dialog.choose("Finish")
        await dialog.shows("The test is over")
        await page.keyboard.press("Escape")

        await configure(page, "Hospital")
        await dialog.choose("Plant file")
        await dialog.shows("What Hospital is made of")
        await expect(dialog.flow.locator("textarea")).to_have_value(
            re.compile(rf"local_port: {site.our_port}[^$]*name: Wards")
        )

    visit(story)


def test_a_point_list_becomes_a_plant(visit: Visit) -> None:
    async def story(page: Page, dialog: Dialog, site: Site) -> None:
        await add_plant(page, dialog, "Import a BACnet point list (EDE)")
        await dialog.shows("Import a point list")
        await dialog.upload("Clinic_EDE.csv", POINT_LIST.encode("cp1252"))
        await dialog.submit()

        await dialog.shows("What is in the list", "instance 1004", "3 objects")
        await dialog.shows("Clinic_EDE.csv, line 8: a trend log object is no point")
        await where_we_are(dialog, site)
        await dialog.add("asked one by one", site.zone_controller)
        await dialog.submit()
        await dialog.shows("Instance = address")
        await expect(dialog.flow.locator("textarea")).to_have_value(
            f"1004 = {site.zone_controller}"
        )
        await dialog.submit()
        await dialog.shows("What was recognised", "Zone 1: zone, 3 points")
        await dialog.submit()
        await dialog.shows("'zone_1.relative_humidity' is a name of this role")
        await dialog.submit()
        await dialog.shows("Is anything missing?")
        await dialog.choose("Go on")
        await dialog.shows("Create the plant")
        await dialog.fill("text", "Name of the plant", "Clinic")
        await dialog.submit()
        await finished(dialog)
        await page.goto(PAGE)
        await expect(row(page, "Clinic")).to_be_visible()
        states = await site.home_assistant.rest("get", "states")
        names = {state["attributes"].get("friendly_name") for state in states}
        assert "Zone 1 Temperature" in names

    visit(story)


async def add_plant(page: Page, dialog: Dialog, way: str) -> None:
    """Choose the integration among all there are, then where the plant comes from."""
    await page.goto("/config/integrations/dashboard")
    await page.locator("ha-button", has_text="Add integration").first.click()
    brands = page.locator("dialog-add-integration")
    await brands.locator("input").first.fill("Chiller Plant")
    await brands.get_by_text("Chiller Plant", exact=True).first.click()
    await dialog.shows("Which plant?", "Try the simulated plant")
    await dialog.choose(way)


async def where_we_are(dialog: Dialog, site: Site) -> None:
    """Say that the network is loopback."""
    await dialog.search("This machine's address", "127", "127.0.0.1/8")
    await dialog.fill("number", "UDP port", str(site.our_port))
    await dialog.fill("number", "Our device instance", "4190009")


async def finished(dialog: Dialog) -> None:
    """See that the plant was made, and leave its devices without an area."""
    await dialog.flow.locator("ha-button", has_text="Skip and finish").click(
        timeout=60_000
    )
    await expect(dialog.flow.locator("ha-button")).to_have_count(0)


def row(page: Page, plant: str) -> Locator:
    """Return the row of a plant on the page of the integration."""
    return page.locator("ha-config-entry-row", has_text=plant)


async def configure(page: Page, plant: str) -> None:
    """Open the options of a plant."""
    await page.goto(PAGE)
    # After the arrow that folds the row.
    await row(page, plant).locator("ha-icon-button").nth(1).click()
