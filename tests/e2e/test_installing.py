"""From the release archive to blueprints and engine, as an operator clicks through it."""

import asyncio
from pathlib import Path

from demonstration.browser import signed_in
from demonstration.home_assistant import HomeAssistant, make_configuration
from demonstration.process import free_port
from demonstration.stack import REPOSITORY
from playwright.async_api import Page, expect

TIME_ZONE = "Asia/Singapore"
WAIT = 60_000
UNREADABLE = ("component.", "Translation [", "MISSING_VALUE", "{")


async def reads(page: Page, *texts: str) -> None:
    """See the dialog show these, and nothing that is not for people."""
    dialog = page.locator("dialog-data-entry-flow")
    for text in texts:
        await expect(dialog).to_contain_text(text, timeout=WAIT)
    for text in UNREADABLE:
        await expect(dialog).not_to_contain_text(text)


async def add_simulated_plant(home_assistant: HomeAssistant) -> None:
    flows = "config/config_entries/flow"
    flow = await home_assistant.rest("post", flows, {"handler": "chiller_plant"})
    made = await home_assistant.rest(
        "post", f"{flows}/{flow['flow_id']}", {"next_step_id": "simulated"}
    )
    assert made["type"] == "create_entry", made


async def installs(home_assistant: HomeAssistant, page: Page) -> None:
    page.set_default_timeout(WAIT)
    engine = home_assistant.config / "appdaemon" / "apps" / "chiller_control"
    await page.goto("/config/repairs")
    await page.get_by_text("blueprints and control engine are not installed").click()
    dialog = page.locator("dialog-data-entry-flow")
    await reads(page, "Nothing is written unless you say so")
    await dialog.get_by_text("Install", exact=True).click()
    await reads(page, "files are missing", "appdaemon/apps/chiller_control")
    assert not engine.exists()
    await dialog.locator("ha-button", has_text="Submit").click()
    await reads(page, "files are new", "app_dir: /homeassistant/appdaemon/apps")
    assert (engine / "apps.yaml").exists()
    await dialog.locator("ha-button", has_text="Submit").click()
    await expect(dialog).to_contain_text("repaired", timeout=WAIT)

    # Without a restart, the editor has them.
    await page.goto("/config/blueprint/dashboard")
    form = page.get_by_text("Chiller plant: schedule").first
    await expect(form).to_be_visible(timeout=WAIT)


def test_offer_of_a_release_is_accepted_in_the_browser(tmp_path: Path) -> None:
    async def story() -> None:
        config = tmp_path / "home_assistant"
        port = free_port()
        make_configuration(config, REPOSITORY, port, TIME_ZONE)
        home_assistant = HomeAssistant(config, port, tmp_path / "home_assistant.log")
        try:
            await home_assistant.start()
            await add_simulated_plant(home_assistant)
            async with signed_in(home_assistant, TIME_ZONE) as page:
                await installs(home_assistant, page)
        finally:
            await home_assistant.stop()

    asyncio.run(story())
