"""What people see of the running plant, in a real browser."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
import re

from demonstration.browser import signed_in
from demonstration.installation import DASHBOARD, HOLIDAY
from demonstration.stack import Stack
from playwright.async_api import Page, expect
import pytest

type Visit = Callable[[Callable[[Page, Stack], Awaitable[None]]], None]

WAIT = 30_000
PROFILE = "select.two_chillers_today_s_profile"
BROKEN = "hui-error-card, hui-warning, hui-error-badge, hui-warning-element"
# Not the logbook: it may well tell of a time before the engine was there.
OF_NOW = (
    "hui-tile-card, hui-gauge-card, hui-markdown-card, hui-entity-badge, "
    "hui-thermostat-card, hui-heading-card, hui-history-graph-card"
)


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    """Let a test look at the pages of one plant that runs."""
    expect.set_options(timeout=WAIT)
    with asyncio.Runner() as runner:
        stack = Stack(tmp_path_factory.mktemp("pages") / "stack")

        async def start() -> None:
            await stack.__aenter__()

        async def look(story: Callable[[Page, Stack], Awaitable[None]]) -> None:
            async with signed_in(stack.home_assistant, stack.time_zone) as page:
                page.set_default_timeout(WAIT)
                await story(page, stack)

        runner.run(start())
        try:
            yield lambda story: runner.run(look(story))
        finally:
            runner.run(stack.stop())


def test_dashboard_shows_what_is_on_the_wire(visit: Visit) -> None:
    async def story(page: Page, stack: Stack) -> None:
        await stack.simulator.tell("weather 33.4 21")
        await page.goto(f"/{DASHBOARD}/plant")
        outdoor = page.locator("hui-entity-badge", has_text="Outdoor")
        await expect(outdoor).to_contain_text("33.4 °C")
        await expect(page.locator("hui-tile-card", has_text="Supply")).to_contain_text(
            re.compile(r"\d+\.\d\s°C")
        )
        await expect(page.locator("hui-markdown-card").last).to_contain_text(
            "Holiday hours"
        )
        await no_card_is_broken(page)
        # And it goes on without a reload.
        await stack.simulator.tell("weather 27.6 21")
        await expect(outdoor).to_contain_text("27.6 °C")

    visit(story)


@pytest.mark.parametrize(
    ("view", "shown"),
    [("calendar", "Which profile a date gets"), ("zones", "Wards")],
)
def test_no_card_of_the_other_views_is_broken(
    visit: Visit, view: str, shown: str
) -> None:
    async def story(page: Page, _: Stack) -> None:
        await page.goto(f"/{DASHBOARD}/{view}")
        await expect(page.get_by_text(shown).first).to_be_visible()
        await no_card_is_broken(page)

    visit(story)


def test_an_event_entered_in_the_calendar_changes_the_profile_of_today(
    visit: Visit,
) -> None:
    async def story(page: Page, _: Stack) -> None:
        await page.goto("/calendar")
        # Given a day without an entry: the one of the installation is deleted.
        await page.get_by_text(HOLIDAY, exact=True).first.click()
        detail = page.locator("dialog-calendar-event-detail")
        await detail.locator("ha-button", has_text="Delete event").click()
        await page.locator("ha-button", has_text=re.compile(r"^\s*Delete\s*$")).click()
        await profile_is(page, "!==", HOLIDAY)

        await page.locator("ha-button", has_text="Add event").first.click()
        editor = page.locator("dialog-calendar-event-editor")
        await editor.locator("input[name=summary]").fill(HOLIDAY)
        all_day = editor.locator("ha-switch")
        await all_day.click()
        await expect(all_day).to_have_js_property("checked", True)
        await editor.locator("ha-button", has_text="Add event").click()

        await profile_is(page, "===", HOLIDAY)

    visit(story)


def test_a_plant_can_be_added_from_a_file_or_simulated(visit: Visit) -> None:
    async def story(page: Page, _: Stack) -> None:
        await page.goto("/config/integrations/integration/chiller_plant")
        await page.locator("ha-button", has_text="Add hub").click()
        flow = page.locator("dialog-data-entry-flow")
        await expect(flow).to_contain_text("Try the simulated plant")
        await expect(flow).to_contain_text("Import a plant file")

    visit(story)


def test_forms_offer_what_fits_and_nothing_else(visit: Visit) -> None:
    async def story(page: Page, stack: Stack) -> None:
        form = {"plant": stack.installation.entry_id, "towers": []}
        await stack.home_assistant.rest(
            "post",
            "config/automation/config/towers",
            {
                "alias": "Towers",
                "use_blueprint": {"path": "chiller_plant/smart_ct.yaml", "input": form},
            },
        )
        await page.goto("/config/automation/edit/towers")
        await page.locator("ha-selector-device ha-device-picker").first.click()
        offered = page.locator("ha-picker-combo-box ha-combo-box-item")
        await expect(offered.filter(has_text="CT 2")).to_be_visible()
        await expect(offered).to_have_count(2)

        await page.goto("/config/automation/edit/pressure")
        await page.locator("ha-selector-entity ha-entity-picker").first.click()
        search = page.locator("ha-picker-combo-box").get_by_role("textbox")
        await search.fill("condenser")
        await expect(offered.filter(has_text="temperature").first).to_be_visible()
        # What tells how the bus does is no measurement.
        await search.fill("last answer")
        # One line, that nothing is found; it repeats the search, without a capital.
        await expect(offered.filter(has_text="last answer")).to_have_count(1)
        await expect(offered.filter(has_text=re.compile("Last"))).to_have_count(0)

    visit(story)


async def no_card_is_broken(page: Page) -> None:
    """See no card without its entity, and none that could not be drawn."""
    await expect(page.locator(BROKEN)).to_have_count(0)
    await expect(page.locator(OF_NOW).get_by_text("Unavailable")).to_have_count(0)


async def profile_is(page: Page, operator: str, profile: str) -> None:
    """Wait until the browser knows that today's profile is, or is not, this one."""
    await page.wait_for_function(
        "document.querySelector('home-assistant')"
        f".hass.states['{PROFILE}'].state {operator} '{profile}'"
    )
