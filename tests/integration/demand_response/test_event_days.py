"""Which days events took from the past, and what else counts the same load."""

from datetime import datetime, timedelta
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
import pytest_socket

from custom_components.chiller_plant.const import DOMAIN
from homeassistant.components.recorder import Recorder
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from tests.integration.demand_response.metering import (
    METER,
    WEDNESDAY,
    an_event,
    announce,
    baseline,
    import_hours,
    local,
    mean,
    measure,
    ordinary,
    performances,
    site_with_a_past,
    tell_time,
)
from tests.integration.demand_response.site import (
    GRID,
    Board,
    report,
    set_up_site,
    utility,
)
from tests.integration.planning import call

TUESDAY = (2026, 6, 23)


@pytest.fixture(autouse=True)
def _custom_integration(
    recorder_mock: Recorder, socket_enabled: None, enable_custom_integrations: None
) -> None:
    """Record, before anything else is there."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


def shed_on_tuesday(moment: datetime) -> float:
    return 5.0 if moment.date() == local(*TUESDAY, 12).date() else ordinary(moment)


def of_tuesday(**fields: object) -> dict[str, object]:
    begins, ends = local(*TUESDAY, 14), local(*TUESDAY, 16)
    received = local(*TUESDAY, 10).timestamp()
    return an_event(begins, ends, key="Grid:e0", id="e0", received=received, **fields)


async def of_wednesday(
    hass: HomeAssistant, entry: MockConfigEntry, clock: FrozenDateTimeFactory
) -> tuple[float, tuple[str, ...]]:
    """Return the baseline of the next day's event, and the days it was made of."""
    clock.move_to(local(*WEDNESDAY, 13, 20))
    begins, ends = local(*WEDNESDAY, 14), local(*WEDNESDAY, 16)
    said = await announce(
        hass,
        entry,
        begins=begins,
        ends=ends,
        received=local(*WEDNESDAY, 13).timestamp(),
    )
    room = entry.runtime_data.demand_response
    return mean(said["kw"], begins, ends), room.baselines["Grid:e1"].days


async def test_day_on_which_somebody_opted_out_in_the_middle_is_none_to_compare_with(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await site_with_a_past(
        hass, clock, machines, local(*TUESDAY, 13, 20), shed_on_tuesday
    )
    await report(hass, entry, events=[of_tuesday()])
    clock.move_to(local(*TUESDAY, 14, 30))
    await tell_time(hass, entry)
    clock.move_to(local(*TUESDAY, 15))
    await call(hass, entry, "opt_event", event="Grid:e0", opt="out")
    await import_hours(hass, local(*WEDNESDAY, 13, 20), shed_on_tuesday)
    # A restart forgets nothing of it.
    assert await hass.config_entries.async_reload(entry.entry_id)
    load, days = await of_wednesday(hass, entry, clock)
    assert "2026-06-23" not in days
    assert load == pytest.approx(300.0)


async def test_day_of_an_event_that_was_never_taken_part_in_is_like_others(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await site_with_a_past(hass, clock, machines, local(*TUESDAY, 13, 20))
    await report(hass, entry, events=[of_tuesday(opt="out")])
    clock.move_to(local(*TUESDAY, 14, 30))
    await tell_time(hass, entry)
    await import_hours(hass, local(*WEDNESDAY, 13, 20))
    _, days = await of_wednesday(hass, entry, clock)
    assert "2026-06-23" in days


async def test_plant_that_is_added_again_knows_the_days_of_its_events(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await site_with_a_past(
        hass, clock, machines, local(*TUESDAY, 13, 20), shed_on_tuesday
    )
    await report(hass, entry, events=[of_tuesday()])
    await measure(
        hass, clock, machines, local(*TUESDAY, 13, 55), local(*TUESDAY, 16), 200
    )
    clock.move_to(local(*TUESDAY, 16, 30))
    await async_wait_recording_done(hass)
    await tell_time(hass, entry)
    assert len(await performances(hass, entry)) == 1
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    again = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    assert again.runtime_data.demand_response.events == {}
    await import_hours(hass, local(*WEDNESDAY, 13, 20), shed_on_tuesday)
    load, days = await of_wednesday(hass, again, clock)
    assert "2026-06-23" not in days
    assert load == pytest.approx(300.0)


async def settled(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    clock: FrozenDateTimeFactory,
    when: datetime,
) -> None:
    clock.move_to(when)
    await async_wait_recording_done(hass)
    await tell_time(hass, entry)


def at(hour: int, minute: int = 0) -> datetime:
    return local(*WEDNESDAY, hour, minute)


async def announced(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board, **fields: Any
) -> MockConfigEntry:
    """Set the site up, and tell it at one of an event from two to four."""
    entry = await site_with_a_past(hass, clock, machines, at(13, 20))
    times = {"begins": at(14), "ends": at(16), "received": at(13).timestamp()}
    await announce(hass, entry, **times, **fields)
    return entry


async def test_load_that_counts_for_two_utilities_is_said(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await site_with_a_past(hass, clock, machines, at(13, 20))
    received = at(13).timestamp()
    other = an_event(
        at(15), at(17), key="Pool:p1", id="p1", source="Pool", received=received
    )
    test = an_event(
        at(14),
        at(15),
        key="Pool:t",
        id="t",
        source="Pool",
        test=True,
        received=received,
    )
    never = an_event(
        at(15),
        at(16),
        key="Pool:n",
        id="n",
        source="Pool",
        cancelled=at(14, 30).timestamp(),
    )
    await report(hass, entry, events=[other, test, never])
    await announce(hass, entry, begins=at(14), ends=at(16), received=received)
    await measure(hass, clock, machines, at(13, 55), at(17), 200.0)
    await settled(hass, entry, clock, at(17, 30))
    why = {row["event"]: row["why"] for row in await performances(hass, entry)}
    assert why["Grid:e1"].endswith("the same load counts for Pool: e1")
    assert why["Pool:p1"].endswith("the same load counts for Grid: e1")


async def test_silence_of_the_meter_is_said_where_it_forbids_to_settle(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines)
    await measure(hass, clock, machines, at(13, 55), at(15), 200.0)
    # Home Assistant is down for the second hour.
    assert await hass.config_entries.async_unload(entry.entry_id)
    clock.move_to(at(16, 30))
    assert await hass.config_entries.async_setup(entry.entry_id)
    await settled(hass, entry, clock, at(16, 40))
    (found,) = await performances(hass, entry)
    assert found["confidence"] == "high"
    assert found["eligible"] is False
    assert "the meter covered" in found["why"]
    assert found["samples"] < 24


@pytest.mark.parametrize("moved", [(13, 40), (14, 30)])
async def test_another_meter_has_another_baseline(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    moved: tuple[int, int],
) -> None:
    """Half of the load is of chillers, which have a meter of their own."""
    entry = await announced(hass, clock, machines)
    clock.move_to(at(*moved))
    await tell_time(hass, entry)
    room = entry.runtime_data.demand_response
    before = room.baselines["Grid:e1"]
    assert before.meter == "plant_meter.power"
    hass.config_entries.async_update_entry(
        entry, options={"demand_response": {"meter": "chiller_meter.power"}}
    )
    await hass.async_block_till_done()
    await tell_time(hass, entry)
    after = room.baselines["Grid:e1"]
    assert after.meter == "chiller_meter.power"
    assert after.method != before.method, "nothing is known of its past"
    assert after.final is (moved >= (14, 0))


async def test_every_step_of_a_long_event_counts_that_only_the_book_has(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    """What the engine tells is shortened where it would be too long."""
    entry = await site_with_a_past(hass, clock, machines, at(13, 20))
    step = {"duration": 300.0, "value": -100.0}
    book = [
        {
            "event": {
                "id": "e1",
                "source": "Grid",
                "ramp": 0.0,
                "signals": [{"kind": "load_delta", "intervals": [step] * 24}],
            }
        }
    ]
    await hass.services.async_call(
        DOMAIN,
        "keep_events",
        {"plant": entry.entry_id, "book": json.dumps(book)},
        blocking=True,
    )
    await announce(
        hass,
        entry,
        begins=at(14),
        ends=at(16),
        received=at(13).timestamp(),
        signals=[{"kind": "load_delta", "intervals": [step] * 3}],
    )
    await measure(hass, clock, machines, at(13, 55), at(16), 200.0)
    await settled(hass, entry, clock, at(16, 30))
    (found,) = await performances(hass, entry)
    assert found["requested_kw"] == pytest.approx(100.0)
    assert found["shed_percent"] == pytest.approx(100.0, abs=0.5)


async def test_what_was_asked_for_is_unknown_where_no_signal_is(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines, signals=[])
    await measure(hass, clock, machines, at(13, 55), at(16), 200.0)
    await settled(hass, entry, clock, at(16, 30))
    (found,) = await performances(hass, entry)
    assert (found["requested_kw"], found["target_kw"], found["shed_percent"]) == (
        None,
        None,
        None,
    )
    assert found["achieved_kw"] == pytest.approx(100.0, abs=0.2)


async def test_what_is_long_over_is_forgotten_and_its_row_is_not(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines)
    await measure(hass, clock, machines, at(13, 55), at(15), 200.0)
    await tell_time(hass, entry)
    await measure(hass, clock, machines, at(15), at(16), 200.0)
    await settled(hass, entry, clock, at(16, 30))
    memory = entry.runtime_data.demand_response.settlement._memory
    assert set(memory.settled) == set(memory.took) == {"Grid:e1"}
    later = at(14) + timedelta(days=400)
    clock.move_to(later - timedelta(hours=1))
    event = an_event(later, later + timedelta(hours=1), key="Grid:e2", id="e2")
    await report(hass, entry, events=[event])
    await baseline(hass, entry, "Grid:e2")
    clock.move_to(later + timedelta(minutes=30))
    await tell_time(hass, entry)
    await settled(hass, entry, clock, later + timedelta(hours=2))
    assert set(memory.settled) == set(memory.took) == {"Grid:e2"}
    kept = [row["event"] for row in await performances(hass, entry)]
    assert kept == ["Grid:e2", "Grid:e1"]


async def test_meter_that_is_shown_in_watts_is_settled_in_kilowatts(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    """Somebody chose another unit for its entity after the past was recorded."""
    entry = await site_with_a_past(hass, clock, machines, at(13, 20))
    er.async_get(hass).async_update_entity_options(
        METER, "sensor", {"unit_of_measurement": "W"}
    )
    await hass.async_block_till_done()
    await measure(hass, clock, machines, at(13, 30), at(13, 40), 290.0)
    shown = hass.states.get(METER)
    assert shown is not None
    assert float(shown.state) == pytest.approx(290_000.0, rel=0.01)
    clock.move_to(at(13, 45))
    said = await announce(
        hass, entry, begins=at(14), ends=at(16), received=at(13).timestamp()
    )
    assert mean(said["kw"], at(14), at(16)) == pytest.approx(300.0)
    await measure(hass, clock, machines, at(13, 55), at(16), 200.0)
    await settled(hass, entry, clock, at(16, 30))
    (found,) = await performances(hass, entry)
    assert found["achieved_kw"] == pytest.approx(100.0, abs=0.2)


async def test_plant_that_is_removed_in_an_event_leaves_no_file_behind(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    hass_storage: dict[str, Any],
) -> None:
    entry = await announced(hass, clock, machines)
    clock.move_to(at(14, 1))
    await tell_time(hass, entry)
    assert f"chiller_plant.{entry.entry_id}.settlement" in hass_storage
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    async_fire_time_changed(hass, at(14, 10))
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    left = [key for key in hass_storage if entry.entry_id in key]
    assert left == []
