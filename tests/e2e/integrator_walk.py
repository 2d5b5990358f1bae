"""What an integrator does with an empty Home Assistant, until the site runs by the calendar.

Everything is clicked and typed in a browser. docs/commissioning.md tells the
same story; `show` is told the name of each of its stations.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
import re
from typing import Any
from zoneinfo import ZoneInfo

from demonstration.app_daemon import AppDaemon
from demonstration.compressed_time import compress
from demonstration.filled_forms import filled_forms
from demonstration.home_assistant import HomeAssistant, make_configuration
from demonstration.local_time import time_zone
from demonstration.process import free_port
from demonstration.simulated_plant import SimulatedPlant
from demonstration.stack import REPOSITORY
from playwright.async_api import Page, expect
import yaml

from tests.e2e.blueprint_editor import BlueprintEditor, read_blueprint
from tests.e2e.dialogs import Dialog
from tests.e2e.test_commissioning import add_plant
from tests.e2e.test_installing import installs

type Show = Callable[[str], Awaitable[None]]

EXAMPLE = REPOSITORY / "examples" / "kspo"
BLUEPRINTS = REPOSITORY / "blueprints" / "automation"
SPEED = 30.0
WAIT = 90_000
"""Milliseconds in which a chiller is started, on a slow machine."""


@dataclass
class Site:
    """The equipment of the site, an empty Home Assistant and an AppDaemon."""

    plant_file: Path
    simulator: SimulatedPlant
    home_assistant: HomeAssistant
    app_daemon: AppDaemon
    time_zone: str
    plan: dict[str, Any] = field(default_factory=dict)

    @property
    def other_profile(self) -> str:
        """A profile that today has only if the calendar says so."""
        today = datetime.now(ZoneInfo(self.time_zone)).weekday()
        return "Monday" if 1 <= today <= 4 else "Weekday"


@asynccontextmanager
async def empty_site(folder: Path) -> AsyncIterator[Site]:
    """Start the equipment and Home Assistant."""
    zone = time_zone(datetime.now(UTC), 8, 20)
    plant_file = folder / "plant.yaml"
    compress(EXAMPLE / "plant.yaml", plant_file, SPEED)
    simulator = SimulatedPlant(
        plant_file, REPOSITORY, folder / "simulator.log", SPEED, "2026-06-01T09:00"
    )
    port = free_port()
    config = folder / "home_assistant"
    make_configuration(config, REPOSITORY, port, zone)
    home_assistant = HomeAssistant(config, port, folder / "home_assistant.log")
    app_daemon = AppDaemon(
        folder / "appdaemon", REPOSITORY, home_assistant, folder / "appdaemon.log", zone
    )
    async with AsyncExitStack() as stack:
        for part in (simulator, home_assistant, app_daemon):
            stack.push_async_callback(part.stop)
        await simulator.start()
        await home_assistant.start()
        yield Site(plant_file, simulator, home_assistant, app_daemon, zone)


class IntegratorWalk:
    """One person at the browser."""

    def __init__(self, page: Page, site: Site, show: Show) -> None:
        """Sit down."""
        self.page = page
        self.site = site
        self.show = show
        self.dialog = Dialog(page)
        self.forms = filled_forms(EXAMPLE, BLUEPRINTS, SPEED, lambda _, name: name)

    async def import_plant(self) -> None:
        """Add the integration, and the plant from its file."""
        await add_plant(self.page, self.dialog, "Import a plant file")
        await self.dialog.shows("Upload plant.yaml from your computer")
        await self.dialog.upload("plant.yaml", self.site.plant_file.read_bytes())
        await self.show("import")
        await self.dialog.submit()
        # All devices are drawn at once, which takes long on a slow machine.
        skip = self.dialog.flow.locator("ha-button", has_text="Skip and finish")
        await skip.click(timeout=2 * WAIT)
        await expect(self.dialog.flow.locator("ha-button")).to_have_count(0)

    async def install(self) -> None:
        """Accept the offer of blueprints and engine, and start AppDaemon."""
        await installs(self.site.home_assistant, self.page)
        self.site.app_daemon.configure()
        await self.site.app_daemon.start()
        await self.look_up()

    async def look_up(self) -> None:
        """Learn what the pickers will show for the points of the plant."""
        async with self.site.home_assistant.connect() as socket:
            self.site.plan = await socket.act(
                "chiller_plant.get_plan", {}, respond=True
            )
            entities = await socket.call("config/entity_registry/list")
            devices = await socket.call("config/device_registry/list")
        named = {item["id"]: item["name_by_user"] or item["name"] for item in devices}
        self.devices = {name: key for key, name in named.items()}
        self.names = {
            item["entity_id"]: (
                item["name"] or item["original_name"],
                named.get(item["device_id"], ""),
            )
            for item in entities
        }

    def shown_as(self, key: str) -> tuple[str, ...]:
        """Return the words of a picker for a machine or a point."""
        equipment, _, role = key.partition(".")
        machine = self.site.plan["equipment"][equipment]
        if not role:
            return (machine["name"],)
        return self.names[machine["points"][role]["entity_id"]]

    async def make_automation(self, key: str, *, also: tuple[str, ...] = ()) -> None:
        """Fill in the form of one of the site's automations; `also` are more fields."""
        written = yaml_inputs(key)
        form = self.forms[key]
        wanted = {
            name: value
            for name, value in form["use_blueprint"]["input"].items()
            if name in written or name in also
        } | {"plant": "KSPO"}
        editor = BlueprintEditor(self.page, self.shown_as)
        blueprint = read_blueprint(BLUEPRINTS / form["use_blueprint"]["path"])
        await editor.open(blueprint)
        await editor.fill(blueprint, wanted)
        await self.show(key)
        await editor.save(form["alias"])

    async def assign(self, profile: str, automations: int) -> None:
        """Put all automations into one profile, by the repair of the first of them."""
        await self.page.goto("/config/repairs")
        await self.page.get_by_text("is in no profile").first.click()
        picker = self.dialog.flow.locator("ha-selector-select")
        for number in range(automations):
            left = automations - number - 1
            await self.dialog.shows(f"Other automations that are in no profile: {left}")
            if number == 0:
                await picker.get_by_text(profile, exact=True).click()
                await self.show("profiles")
            await self.dialog.submit()
        await expect(self.dialog.flow).to_contain_text("repaired", timeout=WAIT)
        await self.page.keyboard.press("Escape")

    async def give_today(self, profile: str) -> None:
        """Enter a profile for today in Home Assistant's calendar."""
        await self.page.goto("/calendar")
        await self.page.locator("ha-button", has_text="Add event").first.click()
        editor = self.page.locator("dialog-calendar-event-editor")
        await editor.locator("input[name=summary]").fill(profile)
        all_day = editor.locator("ha-switch")
        await all_day.click()
        await expect(all_day).to_have_js_property("checked", True)
        await self.show("calendar")
        await editor.locator("ha-button", has_text="Add event").click()
        await expect(editor.locator("ha-button")).to_have_count(0)

    async def correct(self, automation: str, field_label: str, hours: int) -> None:
        """Open an automation's form by the link of its issue, and set a time anew."""
        await self.page.goto("/config/repairs")
        await self.page.get_by_text(f"{automation} cannot control KSPO").click()
        issue = self.page.locator("dialog-repairs-issue")
        await expect(issue).to_contain_text(field_label)
        await self.show("refused")
        await issue.get_by_role("link", name="Open the form").click()
        await self.set_hour(field_label, hours)

    async def set_hour(self, label: str, hour: int) -> None:
        """Type another hour into a time of the form that is open, and save."""
        row = self.page.locator("ha-settings-row").filter(
            has=self.page.locator("[slot=heading]").get_by_text(label, exact=True)
        )
        hours = row.locator("ha-base-time-input input").first
        await hours.fill(str(hour))
        await hours.press("Tab")
        await BlueprintEditor(self.page, self.shown_as).save()

    async def state_is(self, entity_id: str, pattern: str) -> None:
        """Wait until the browser knows that a state is like this."""
        await self.page.wait_for_function(
            """([entity, pattern]) => new RegExp(`^(${pattern})$`).test(
                document.querySelector('home-assistant').hass.states[entity]?.state)""",
            arg=[entity_id, pattern],
            timeout=WAIT,
        )

    async def one_is_run_by(self, automation: str, *machines: str) -> None:
        """Wait until one of these machines runs and is commanded by an automation.

        Which one, is for the sequence to say.
        """
        await self.page.wait_for_function(
            """([machines, automation]) => {
                const states = document.querySelector('home-assistant').hass.states;
                return machines.some(([status, command]) =>
                    states[status].state === 'on'
                    && states[command].attributes.owner === automation);
            }""",
            arg=[
                [
                    [self.point(f"{key}.run_status"), self.point(f"{key}.run_command")]
                    for key in machines
                ],
                f"automation.{_slug(automation)}",
            ],
            timeout=WAIT,
        )

    async def open_device(self, name: str, shows: str) -> None:
        """Open the page of a device."""
        await self.page.goto(f"/config/devices/device/{self.devices[name]}")
        await expect(self.page.get_by_text(shows).first).to_be_visible()

    def point(self, key: str) -> str:
        """Return the entity of a point."""
        equipment, _, role = key.partition(".")
        found: str = self.site.plan["equipment"][equipment]["points"][role]["entity_id"]
        return found


def yaml_inputs(key: str) -> dict[str, Any]:
    """Return what the site's file says of an automation, without the form's defaults."""
    written: dict[str, dict[str, Any]] = {
        item["id"]: item["use_blueprint"]["input"]
        for item in yaml.safe_load((EXAMPLE / "automations.yaml").read_text())
    }
    return written[key]


def of_automation(name: str) -> str:
    """Return the entity id of an automation's sensor."""
    return f"sensor.kspo_{_slug(name)}"


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower())
