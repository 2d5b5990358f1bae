"""From an empty Home Assistant to a site that runs by the calendar, in a real browser."""

import asyncio
from pathlib import Path

from demonstration.browser import signed_in
from playwright.async_api import expect

from tests.e2e.integrator_walk import IntegratorWalk, empty_site, of_automation

FORMS = {
    "kspo_sequence_weekday": ("failure_time",),
    "kspo_hours_weekday": (),
    "kspo_staging": (
        "stage_hold",
        "minimum_stage_time",
        "start_hold",
        "proof_timeout",
        "stop_flow_delay",
    ),
    "kspo_supply_by_requests": (),
    "kspo_towers": (),
    "kspo_loop_pchp": (),
    "kspo_schp_arena": (),
    "kspo_monday_pull_down": (),
}
"""One automation of each kind, and the fields that are filled in besides what the
site's file says: where the plant runs faster, so do its times."""
HOURS = "Hours on weekdays"
STAGING = "Chiller staging"


async def walk(folder: Path) -> None:
    async with (
        empty_site(folder) as site,
        signed_in(site.home_assistant, site.time_zone) as page,
    ):
        page.set_default_timeout(120_000)
        expect.set_options(timeout=90_000)
        station = "sign-in"

        async def show(name: str) -> None:
            nonlocal station
            station = name

        try:
            await story(IntegratorWalk(page, site, show))
        except BaseException:
            picture = folder / f"after_{station}.png"
            await page.screenshot(path=picture)
            print(f"after {station}: {picture}")
            raise


async def story(person: IntegratorWalk) -> None:
    profile = person.site.other_profile
    await person.import_plant()
    await person.install()
    for key, also in FORMS.items():
        await person.make_automation(key, also=also)
    await person.assign(profile, len(FORMS))

    # Given that the calendar gives today another profile, nothing of it runs.
    await person.state_is(of_automation(STAGING), "not_in_plan")
    await person.state_is(of_automation(HOURS), "not_in_plan")
    await person.give_today(profile)

    await person.state_is("select.kspo_today_s_profile", profile)
    await person.state_is(of_automation(HOURS), "on")
    await person.state_is(of_automation(STAGING), "running|staging_up")
    for kind in ("chiller", "pchp", "cdp"):
        await person.one_is_run_by(STAGING, f"{kind}_1", f"{kind}_2")
    await person.open_device("KSPO", HOURS)
    await person.show("running")

    # A form that cannot be right is told with the form's own words, and mended there.
    await person.page.goto("/config/automation/dashboard")
    await person.page.get_by_text(HOURS).first.click()
    await person.set_hour("Start", 1)
    await person.state_is(of_automation(HOURS), "refused")
    await person.correct(HOURS, "Start", 6)
    await person.state_is(of_automation(HOURS), "on")
    await person.page.goto("/config/repairs")
    await expect(person.page.get_by_text("cannot control")).to_have_count(0)


def test_an_integrator_gets_from_nothing_to_a_site_that_runs_by_the_calendar(
    tmp_path: Path,
) -> None:
    asyncio.run(walk(tmp_path))
