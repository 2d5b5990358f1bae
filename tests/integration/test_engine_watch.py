"""What is said of a control engine that is old, that fails, or that runs only a part."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.chiller_plant.const import DOMAIN
from homeassistant.components.repairs.const import DOMAIN as REPAIRS
from homeassistant.core import HomeAssistant
from homeassistant.helpers import issue_registry as ir
from homeassistant.loader import async_get_integration
from homeassistant.setup import async_setup_component
from tests.integration.planning import (
    automate,
    call,
    entity,
    in_all_profiles,
    plain,
    registered,
    set_up_on,
)
from tests.integration.test_words import words

NOON = datetime(2026, 11, 21, 12)

type After = Callable[..., Awaitable[None]]


@pytest.fixture
async def entry(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, tmp_path: Path
) -> MockConfigEntry:
    """Set up a plant with two automations that are planned today."""
    hass.config.config_dir = str(tmp_path)
    (tmp_path / "configuration.yaml").touch()
    entry = await set_up_on(hass, freezer, NOON, "UTC")
    await automate(hass, plain("loop", entry), plain("hours", entry))
    freezer.tick(1)
    async_fire_time_changed(hass)
    await registered(hass, entry, "loop", "hours")
    await in_all_profiles(hass, entry, loop=3, hours=4)
    return entry


@pytest.fixture
def after(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> After:
    """Let it become so many seconds after noon, one after the other."""

    async def pass_to(*seconds: int) -> None:
        for second in seconds:
            freezer.move_to(NOON + timedelta(seconds=second))
            async_fire_time_changed(hass)
            await hass.async_block_till_done()

    return pass_to


def told(hass: HomeAssistant, kind: str) -> list[dict[str, str]]:
    """Return what fills the texts of the issues of a kind."""
    found = [
        dict(issue.translation_placeholders or {})
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == DOMAIN and issue.translation_key == kind and issue.active
    ]
    for filling in found:
        for text in (
            words()["issues"][kind].get("description", ""),
            words()["issues"][kind]["title"],
        ):
            text.format(**filling)
    return found


async def report(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    name: str,
    state: str,
    message: str = "",
) -> None:
    """Report as the engine does."""
    await call(
        hass,
        entry,
        "report_state",
        automation=f"automation.{name}",
        state=state,
        attributes={"message": message} if message else {},
    )


async def test_old_engine_is_told_until_the_new_one_asks(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    shipped = str((await async_get_integration(hass, DOMAIN)).version)
    await call(hass, entry, "get_plan")
    assert not told(hass, "engine_outdated")
    await call(hass, entry, "get_plan", engine_version="0.0.9")
    (issue,) = told(hass, "engine_outdated")
    assert (issue["running"], issue["shipped"]) == ("0.0.9", shipped)
    connectivity = entity(hass, "binary_sensor", "control_engine")
    state = hass.states.get(connectivity)
    assert state is not None
    assert state.attributes["version"] == "0.0.9"

    await call(hass, entry, "get_plan", engine_version=shipped)
    assert not told(hass, "engine_outdated")
    await call(hass, entry, "get_plan", engine_version="somebody's own")
    assert told(hass, "engine_outdated")
    await hass.config_entries.async_unload(entry.entry_id)
    assert not told(hass, "engine_outdated")


async def test_repair_of_an_old_engine_installs_the_new_one(
    hass: HomeAssistant, entry: MockConfigEntry, tmp_path: Path
) -> None:
    assert await async_setup_component(hass, REPAIRS, {})
    await call(hass, entry, "get_plan", engine_version="0.0.9")
    manager = hass.data[REPAIRS]["flow_manager"]
    shown = await manager.async_init(
        DOMAIN, context={"issue_id": f"engine_outdated_{entry.entry_id}"}
    )
    assert shown["step_id"] == "install"
    engine = tmp_path / "appdaemon" / "apps" / "chiller_control"
    assert not engine.exists()
    shown = await manager.async_configure(shown["flow_id"], {})
    assert shown["step_id"] == "installed"
    assert (engine / "version.py").exists()
    await manager.async_configure(shown["flow_id"], {})
    assert not told(hass, "engine_outdated")
    # AppDaemon was not restarted, or reads another folder.
    await call(hass, entry, "get_plan", engine_version="0.0.9")
    assert told(hass, "engine_outdated")


async def test_refused_automation_is_told_at_once_and_until_it_is_corrected(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await report(hass, entry, "loop", "refused", "there is no output")
    (issue,) = told(hass, "automation_refused")
    assert issue["automation"] == "loop"
    assert "there is no output" in issue["problems"]
    await report(hass, entry, "loop", "controlling")
    assert not told(hass, "automation_refused")


async def test_failure_is_told_only_if_it_lasts(
    hass: HomeAssistant, entry: MockConfigEntry, after: After
) -> None:
    await after(10)
    await report(hass, entry, "loop", "fault", "ZeroDivisionError: division by zero")
    await after(20)
    await report(hass, entry, "loop", "fault", "ZeroDivisionError: division by zero")
    assert not told(hass, "engine_fault")
    await after(30)
    await report(hass, entry, "loop", "holding")
    await after(40)
    await report(hass, entry, "loop", "fault", "ZeroDivisionError: division by zero")
    assert not told(hass, "engine_fault")
    await after(70)
    await report(hass, entry, "loop", "fault", "ZeroDivisionError: division by zero")
    (issue,) = told(hass, "engine_fault")
    assert issue["error"] == "ZeroDivisionError: division by zero"
    # What is taken out of the plan does not fail any more.
    await in_all_profiles(hass, entry, hours=4)
    await after(90)
    assert not told(hass, "engine_fault")


async def test_automation_that_the_engine_leaves_out_is_named(
    hass: HomeAssistant, entry: MockConfigEntry, after: After
) -> None:
    for second in range(10, 150, 20):
        await after(second)
        await report(hass, entry, "hours", "on")
    assert not told(hass, "engine_partly")
    await after(151)
    (issue,) = told(hass, "engine_partly")
    assert issue["automations"] == "- loop"
    assert not told(hass, "engine_missing")
    await report(hass, entry, "loop", "controlling")
    await after(162)
    assert not told(hass, "engine_partly")


async def test_engine_that_comes_back_is_given_time(
    hass: HomeAssistant, entry: MockConfigEntry, after: After
) -> None:
    await after(10)
    await report(hass, entry, "loop", "controlling")
    await report(hass, entry, "hours", "on")
    await after(100, 200, 300)
    assert told(hass, "engine_missing")
    assert not told(hass, "engine_partly"), "no engine is one thing, not two"
    await report(hass, entry, "hours", "on")
    await after(320)
    assert not told(hass, "engine_missing")
    assert not told(hass, "engine_partly")
