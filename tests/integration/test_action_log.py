"""What was done and why: what each action tells, and asking for it afterwards."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_capture_events,
)

from custom_components.chiller_plant.const import DOMAIN
from homeassistant.components.recorder import Recorder
from homeassistant.core import Event, HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
from tests.integration.planning import call, device, point, register_plain
from tests.integration.served_plant import set_up

PLANT = """
plant: {key: two_chillers, name: Two chillers, poll_interval: 5, command_lease: 60}
connections: {}
equipment:
  plant:
    type: plant
    name: Plant
    points:
      enable_command: {release: true}
      chilled_water_supply_temperature_setpoint: {release: 7.0, limits: [4, 15]}
  chiller_1: {type: chiller, name: Chiller 1, points: {sequence_position: {release: 0}}}
  chiller_2: {type: chiller, name: Chiller 2, points: {sequence_position: {release: 0}}}
profiles: [Weekday]
day_types: {weekdays: Weekday, weekends: Weekday}
"""
SETPOINT = "plant.chilled_water_supply_temperature_setpoint"
STAGE_UP = {
    "event": "stage_up",
    "reason": "Stage up: load 94 % of stage 1 for 15 min (limit 90 %)",
    "equipment": "chiller_2",
    "from": 1,
    "to": 2,
}


@pytest.fixture(autouse=True)
def _custom_integration(
    recorder_mock: Recorder, socket_enabled: None, enable_custom_integrations: None
) -> None:
    """Have a recorder before Home Assistant, and let it load what is ours."""


@pytest.fixture
async def entry(hass: HomeAssistant) -> MockConfigEntry:
    """Set up a plant of which Home Assistant records what happens."""
    return await set_up(hass, PLANT)


async def command(
    hass: HomeAssistant, entry: MockConfigEntry, key: str, value: Any, **data: Any
) -> None:
    await hass.services.async_call(
        DOMAIN,
        "command",
        {"entity_id": point(hass, entry, key), "value": value, **data},
        blocking=True,
    )
    await hass.async_block_till_done()


async def done(
    hass: HomeAssistant, entry: MockConfigEntry, **wanted: Any
) -> list[dict[str, Any]]:
    answer = await call(hass, entry, "get_actions", **wanted)
    assert answer is not None
    found: list[dict[str, Any]] = answer["actions"]
    return found


def of(told: list[Event], action: str) -> list[dict[str, Any]]:
    return [dict(event.data) for event in told if event.data["action"] == action]


async def test_a_command_tells_what_it_was_what_it_is_and_who_wanted_it(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    told = async_capture_events(hass, "chiller_plant_action")
    await command(hass, entry, SETPOINT, 9.0, reason="Too much dew")
    await command(hass, entry, SETPOINT, 8.0)
    first, second = of(told, "command")
    assert (second["from"], second["to"]) == (9.0, 8.0)
    assert first["to"] == 9.0
    assert first["reason"].endswith("9 °C: Too much dew")
    for item in (first, second):
        assert item["equipment"] == "plant"
        assert item["point"] == SETPOINT
        assert item["source"] == "operator"
        assert item["result"] == "done"

    await hass.services.async_call(
        DOMAIN, "release", {"entity_id": point(hass, entry, SETPOINT)}, blocking=True
    )
    await hass.async_block_till_done()
    (released,) = of(told, "release")
    assert (released["from"], released["to"]) == (8.0, "released")


async def test_loops_do_not_fill_the_record_with_each_number(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    told = async_capture_events(hass, "chiller_plant_action")
    source = "automation.reset"
    await command(hass, entry, SETPOINT, 9.0, source=source, priority=2)
    await command(hass, entry, "plant.enable_command", False, source=source, priority=2)
    (item,) = of(told, "command")
    assert item["point"] == "plant.enable_command"
    assert (item["source"], item["from"], item["to"]) == (source, True, False)


async def test_a_refusal_is_told_once_until_the_source_is_heard(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    told = async_capture_events(hass, "chiller_plant_action")

    async def ask(value: float) -> None:
        await command(hass, entry, SETPOINT, value, source="automation.reset")

    for _ in range(3):
        with pytest.raises(ServiceValidationError):
            await ask(60.0)
    (refused,) = of(told, "command_refused")
    assert refused["result"] == "refused"
    assert (refused["source"], refused["to"]) == ("automation.reset", 60.0)
    assert "15" in refused["reason"]
    await ask(9.0)
    with pytest.raises(ServiceValidationError):
        await ask(60.0)
    assert len(of(told, "command_refused")) == 2


async def test_what_was_done_can_be_asked_for(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await register_plain(hass, entry, "staging")
    begin = dt_util.utcnow()
    await call(
        hass,
        entry,
        "report_state",
        automation="staging",
        # In one report, so that two happen in the same millisecond.
        events=[STAGE_UP, STAGE_UP | {"equipment": "chiller_1", "reason": "Again"}],
    )
    await command(hass, entry, SETPOINT, 9.0)

    newest, *others = await done(hass, entry)
    assert (newest["type"], newest["source"]) == ("command", "operator")
    assert [item["type"] for item in others] == ["stage_up", "stage_up"]
    oldest = others[-1]
    assert oldest | {"time": ""} == {
        "time": "",
        "type": "stage_up",
        "reason": STAGE_UP["reason"],
        "equipment": "chiller_2",
        "from": 1,
        "to": 2,
        "source": "automation.staging",
        "automation": "staging",
        "result": "begun",
    }
    assert len(await done(hass, entry, limit=1)) == 1
    assert len(await done(hass, entry, type="stage_up")) == 2
    assert len(await done(hass, entry, type=["command", "hold"])) == 1
    chiller = device(hass, entry, "chiller_2")
    assert await done(hass, entry, equipment=chiller) == [oldest]
    assert await done(hass, entry, equipment="chiller_2") == [oldest]
    assert len(await done(hass, entry, automation="automation.staging")) == 2
    assert await done(hass, entry, automation="automation.other") == []
    before = begin - timedelta(hours=1)
    assert (
        await done(hass, entry, since=before.isoformat(), until=begin.isoformat()) == []
    )
    answer = await call(hass, entry, "get_actions", limit=2)
    assert answer is not None
    assert answer["more"] is True


async def test_a_restart_does_not_make_the_last_one_happen_again(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await command(hass, entry, SETPOINT, 9.0)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert [item["type"] for item in await done(hass, entry)] == ["command"]


async def test_a_period_that_is_none_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    now = dt_util.utcnow()
    for since in (now + timedelta(hours=1), now - timedelta(days=800)):
        with pytest.raises(ServiceValidationError, match="The period has to end"):
            await done(hass, entry, since=since.isoformat())
