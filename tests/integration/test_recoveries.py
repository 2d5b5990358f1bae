"""What came of starts and stops: kept in the recorder, given back to the engine."""

import asyncio
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_purge_done,
    async_wait_recording_done,
    do_adhoc_statistics,
)
import pytest_socket

from custom_components.chiller_plant.recoveries import KEPT, KEPT_AFTER_DAY_OFF
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import (
    list_statistic_ids,
    statistics_during_period,
)
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.planning import (
    UNCONNECTED,
    automate,
    call,
    entity,
    get_plan,
    in_all_profiles,
    plain,
    plan_changes,
    registered,
)
from tests.integration.served_plant import set_up
from tests.waiting import eventually

MORNING = dt_util.utcnow().replace(minute=20, second=0, microsecond=0) - timedelta(
    days=100
)


@pytest.fixture(autouse=True)
def _custom_integration(
    recorder_mock: Recorder, socket_enabled: None, enable_custom_integrations: None
) -> None:
    """Record, before anything else is there."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


async def site(hass: HomeAssistant, **config: Any) -> MockConfigEntry:
    """Set up a plant with a schedule, adaptive unless it is told otherwise."""
    entry = await set_up(hass, UNCONNECTED)
    config = {"adaptive_start": True} | config
    await automate(
        hass,
        plain("hours", entry, control_type="chiller_plant_schedule", config=config),
        plain("other", entry),
    )
    await registered(hass, entry, "hours", "other")
    await in_all_profiles(hass, entry, hours=5, other=5)
    return entry


def a_start(day: int = 0, **data: Any) -> dict[str, Any]:
    """Return a recovery as the engine tells it; it leaves out what is null."""
    return {
        "event": "recovery",
        "reason": "At the setpoint 62 min after the start",
        "started_at": (MORNING + timedelta(days=day)).timestamp(),
        "minutes": 62.5,
        "predicted": 58.0,
        "late_minutes": 4.5,
        "zone": 27.25,
        "setpoint": 24.0,
        "outdoor": 28.5,
        "off_hours": 13.5,
        "heating": False,
        "reached": True,
        "coasting": False,
        "model": "regression",
    } | data


async def report(
    hass: HomeAssistant, entry: MockConfigEntry, *events: dict[str, Any]
) -> None:
    await call(
        hass, entry, "report_state", automation="automation.hours", events=list(events)
    )


async def history(hass: HomeAssistant, entry: MockConfigEntry) -> list[dict[str, Any]]:
    plan = await get_plan(hass, entry)
    (hours,) = (item for item in plan["automations"] if item["id"] == "hours")
    found: list[dict[str, Any]] = hours["history"]
    return found


async def test_a_start_is_kept_and_given_back_to_the_engine(
    hass: HomeAssistant,
) -> None:
    entry = await site(hass)
    changes = plan_changes(hass)
    await report(hass, entry, a_start())
    (kept,) = await history(hass, entry)
    assert kept["kind"] == "start"
    assert kept["at"] == MORNING.timestamp()
    assert (kept["minutes"], kept["zone"], kept["off_hours"]) == (62.5, 27.25, 13.5)
    await eventually(lambda: bool(changes))
    plan = await get_plan(hass, entry)
    (other,) = (item for item in plan["automations"] if item["id"] == "other")
    assert other["history"] == [], "only who learns gets it"


async def test_a_start_is_there_after_a_restart(hass: HomeAssistant) -> None:
    entry = await site(hass)
    odd = a_start(day=3, reached=False, heating=True, minutes=200.0)
    del odd["outdoor"], odd["predicted"]
    await report(hass, entry, a_start(), odd)
    before = await history(hass, entry)
    await async_wait_recording_done(hass)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await registered(hass, entry, "hours")
    room = entry.runtime_data.plan
    await eventually(lambda: room.recoveries.count("start") == 2)
    after = await history(hass, entry)
    for one, other in zip(before, after, strict=True):
        # The statistics keep the hour.
        assert other.pop("at") == pytest.approx(one.pop("at"), abs=3600.0)
        assert other == pytest.approx(one)


async def test_starts_are_long_term_statistics_with_their_units(
    hass: HomeAssistant,
) -> None:
    entry = await site(hass)
    await report(hass, entry, a_start(), a_start(day=1, minutes=70.0))
    await async_wait_recording_done(hass)
    instance = get_instance(hass)
    found = await instance.async_add_executor_job(list_statistic_ids, hass)
    units = {
        item["statistic_id"]: item["statistics_unit_of_measurement"]
        for item in found
        if item["source"] == "chiller_plant"
    }
    assert units["chiller_plant:two_chillers_start_minutes"] == "min"
    assert units["chiller_plant:two_chillers_start_late_minutes"] == "min"
    assert units["chiller_plant:two_chillers_start_zone"] == "°C"
    wanted = "chiller_plant:two_chillers_start_minutes"
    rows = await instance.async_add_executor_job(
        statistics_during_period,
        hass,
        datetime(2020, 1, 1, tzinfo=UTC),
        None,
        {wanted},
        "hour",
        None,
        {"mean"},
    )
    assert [row["mean"] for row in rows[wanted]] == [62.5, 70.0]


async def test_entities_show_the_newest_start_and_stop(hass: HomeAssistant) -> None:
    entry = await site(hass)
    drift = a_start(event="drift", minutes=41.0, predicted=38.0, coasting=True)
    del drift["late_minutes"]
    await report(hass, entry, a_start(), a_start(day=1, minutes=70.0), drift)
    states = {
        key: hass.states.get(entity(hass, "sensor", key))
        for key in (
            "start_minutes",
            "start_minutes_expected",
            "start_minutes_error",
            "start_minutes_late",
            "start_zone_temperature",
            "start_outdoor_temperature",
            "stop_minutes",
            "stop_minutes_expected",
            "stop_minutes_error",
            "stop_zone_temperature",
            "stop_outdoor_temperature",
        )
    }
    assert [state and float(state.state) for state in states.values()] == [
        70.0,
        58.0,
        12.0,
        4.5,
        27.25,
        28.5,
        41.0,
        38.0,
        3.0,
        27.25,
        28.5,
    ]
    last = states["start_minutes"]
    assert last is not None
    assert last.attributes["zone_temperature"] == 27.25
    assert last.attributes["recoveries"] == 2
    assert all(
        state is not None and state.attributes["state_class"] == "measurement"
        for state in states.values()
    )


async def test_entities_show_the_same_after_a_restart_and_have_statistics_of_their_own(
    hass: HomeAssistant,
) -> None:
    entry = await site(hass)
    await report(hass, entry, a_start(), a_start(day=1, minutes=70.0))
    await async_wait_recording_done(hass)
    minutes = entity(hass, "sensor", "start_minutes")
    assert await hass.config_entries.async_reload(entry.entry_id)

    def shown() -> str | None:
        found = hass.states.get(minutes)
        return found and found.state

    await eventually(lambda: shown() == "70.0")
    await async_wait_recording_done(hass)
    now = dt_util.utcnow()
    do_adhoc_statistics(
        hass, start=now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
    )
    await async_wait_recording_done(hass)
    ids = await get_instance(hass).async_add_executor_job(
        list_statistic_ids, hass, None, "mean"
    )
    units = {
        item["statistic_id"]: item["statistics_unit_of_measurement"] for item in ids
    }
    assert units[minutes] == "min"
    assert units[entity(hass, "sensor", "start_zone_temperature")] == "°C"
    assert entity(hass, "sensor", "start_minutes_error") in units


async def test_of_a_start_that_was_not_waited_for_the_error_is_not_known(
    hass: HomeAssistant,
) -> None:
    entry = await site(hass)
    await report(hass, entry, a_start(reached=False, minutes=40.0, predicted=58.0))
    error = hass.states.get(entity(hass, "sensor", "start_minutes_error"))
    assert error is not None
    assert error.state == "unknown"
    await report(hass, entry, a_start(day=1, reached=False, minutes=90.0))
    error = hass.states.get(error.entity_id)
    assert error is not None
    assert float(error.state) == 32.0


async def test_schedule_with_fixed_hours_has_no_such_entities(
    hass: HomeAssistant,
) -> None:
    entry = await site(hass, adaptive_start=False)
    await report(hass, entry, a_start())
    assert await history(hass, entry) == []
    assert not [name for name in hass.states.async_entity_ids() if "minutes" in name]


@pytest.mark.parametrize(
    "spoiled",
    [
        {"excluded": "operator commanded the plant"},
        {"minutes": "long"},
        {"minutes": -3.0},
        {"zone": None},
        {"off_hours": True},
        {"started_at": "yesterday"},
    ],
)
async def test_what_is_excluded_or_makes_no_sense_is_told_and_not_kept(
    hass: HomeAssistant, spoiled: dict[str, Any]
) -> None:
    entry = await site(hass)
    await report(hass, entry, a_start(**spoiled))
    assert await history(hass, entry) == []
    told = hass.states.get(entity(hass, "event", "actions"))
    assert told is not None
    assert told.attributes["event_type"] == "recovery"


async def test_what_is_kept_is_bounded_and_days_after_a_day_off_are_kept_longer(
    hass: HomeAssistant,
) -> None:
    entry = await site(hass)
    for day in range(KEPT + 20):
        off = 60.0 if day < 15 else 13.0
        await report(hass, entry, a_start(day=day, off_hours=off))
    kept = await history(hass, entry)
    assert len(kept) == KEPT + KEPT_AFTER_DAY_OFF
    assert [item["off_hours"] for item in kept].count(60.0) == KEPT_AFTER_DAY_OFF
    assert kept == sorted(kept, key=lambda item: item["at"])


async def test_the_same_start_told_twice_is_one(hass: HomeAssistant) -> None:
    """The engine repeats what Home Assistant did not confirm."""
    entry = await site(hass)
    await report(hass, entry, a_start())
    await report(hass, entry, a_start())
    assert len(await history(hass, entry)) == 1


async def test_early_stop_is_not_lost_to_the_closing_in_the_same_hour(
    hass: HomeAssistant,
) -> None:
    entry = await site(hass)
    early = MORNING.replace(minute=5).timestamp()
    told = a_start(event="drift", started_at=early, minutes=15.0, coasting=True)
    closing = told | {"started_at": early + 1500, "minutes": 70.0, "coasting": False}
    await report(hass, entry, told, closing)
    (kept,) = await history(hass, entry)
    assert (kept["minutes"], kept["coasting"]) == (15.0, True)


async def test_engine_that_asks_while_the_recorder_is_busy_gets_what_was_learnt(
    hass: HomeAssistant,
) -> None:
    """Without it, the plant would start as early as it may, and stay on."""
    entry = await site(hass)
    await report(hass, entry, *(a_start(day=day) for day in range(20)))
    await async_wait_recording_done(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    idle = Event()
    jobs = [get_instance(hass).async_add_executor_job(idle.wait) for _ in range(30)]
    assert await hass.config_entries.async_setup(entry.entry_id)
    recoveries = entry.runtime_data.plan.recoveries
    assert recoveries.count("start") == 0, "it could not be read yet"
    hass.loop.call_later(0.3, idle.set)
    assert len(await history(hass, entry)) == 20
    await asyncio.gather(*jobs)


async def test_recorder_that_does_not_answer_keeps_no_plan_from_the_engine(
    hass: HomeAssistant,
) -> None:
    entry = await site(hass)
    await report(hass, entry, a_start())
    await async_wait_recording_done(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    idle = Event()
    jobs = [get_instance(hass).async_add_executor_job(idle.wait) for _ in range(30)]
    try:
        assert await hass.config_entries.async_setup(entry.entry_id)
        assert await history(hass, entry) == []
    finally:
        idle.set()
    await asyncio.gather(*jobs)
    recoveries = entry.runtime_data.plan.recoveries
    await eventually(lambda: recoveries.count("start") == 1)


async def test_what_was_learnt_outlives_the_purge_of_the_recorder(
    hass: HomeAssistant,
) -> None:
    """The recorder keeps states for ten days; these starts are a hundred days old."""
    entry = await site(hass)
    await report(hass, entry, *(a_start(day=day) for day in range(5)))
    await async_wait_recording_done(hass)
    await hass.services.async_call(
        "recorder", "purge", {"keep_days": 0, "repack": False}, blocking=True
    )
    await async_wait_recording_done(hass)
    await async_wait_purge_done(hass)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await registered(hass, entry, "hours")
    kept = await history(hass, entry)
    assert [item["minutes"] for item in kept] == [62.5] * 5


@pytest.mark.parametrize(
    "recorder_config", [{"exclude": {"domains": ["sensor", "automation"]}}]
)
async def test_what_was_learnt_is_kept_where_the_recorder_leaves_out_our_entities(
    hass: HomeAssistant, recorder_config: dict[str, Any]
) -> None:
    entry = await site(hass)
    recorded = get_instance(hass).entity_filter
    assert recorded is not None
    assert not recorded(entity(hass, "sensor", "start_minutes"))
    await report(hass, entry, a_start())
    await async_wait_recording_done(hass)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await registered(hass, entry, "hours")
    assert len(await history(hass, entry)) == 1
