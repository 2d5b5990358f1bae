"""What came of events: from the meter's readings into a table that is kept."""

import csv
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
    do_adhoc_statistics,
)
import pytest_socket

from custom_components.chiller_plant.demand_response import performance_left
from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.statistics import statistics_during_period
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from tests.integration.demand_response.metering import (
    METER,
    WEDNESDAY,
    an_event,
    announce,
    baseline,
    local,
    measure,
    performances,
    read,
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
from tests.integration.served_plant import state
from tests.waiting import eventually

BEGINS, ENDS = (14, 0), (16, 0)
ACHIEVED = "sensor.two_chillers_demand_response_achieved"
SHED = "sensor.two_chillers_demand_response_shed"
ENERGY = "sensor.two_chillers_demand_response_energy"


@pytest.fixture(autouse=True)
def _custom_integration(
    recorder_mock: Recorder, socket_enabled: None, enable_custom_integrations: None
) -> None:
    """Record, before anything else is there."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


def at(hour: int, minute: int = 0) -> datetime:
    return local(*WEDNESDAY, hour, minute)


async def announced(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board, **fields: object
) -> MockConfigEntry:
    """Set the site up and tell it of an event from two to four."""
    entry = await site_with_a_past(hass, clock, machines, at(13, 20))
    fields = {"begins": at(*BEGINS), "ends": at(*ENDS)} | fields
    await announce(hass, entry, received=at(13).timestamp(), **fields)  # type: ignore[arg-type]
    return entry


async def over(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    clock: FrozenDateTimeFactory,
    when: datetime | None = None,
) -> None:
    clock.move_to(when or at(16, 30))
    await async_wait_recording_done(hass)
    await tell_time(hass, entry)


async def test_event_is_settled_when_it_is_over(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines)
    await measure(hass, clock, machines, at(13, 55), at(14), 300.0)
    await measure(hass, clock, machines, at(14), at(15), 210.0)
    await measure(hass, clock, machines, at(15), at(16), 190.0)
    assert await performances(hass, entry) == [], "it is not over"
    await over(hass, entry, clock)
    (found,) = await performances(hass, entry)
    assert found["event"] == "Grid:e1"
    assert found["baseline_kw"] == pytest.approx(300.0)
    assert found["requested_kw"] == pytest.approx(100.0)
    assert found["target_kw"] == pytest.approx(200.0)
    assert found["actual_kw"] == pytest.approx(200.0, abs=0.2)
    assert found["achieved_kw"] == pytest.approx(100.0, abs=0.2)
    assert found["shed_percent"] == pytest.approx(100.0, abs=0.2)
    assert found["energy_kwh"] == pytest.approx(200.0, abs=0.4)
    assert (found["method"], found["confidence"]) == ("ten_of_ten", "high")
    assert found["eligible"] is True
    assert (found["samples"], found["covered"]) == (24, 1.0)
    assert found["meter"] == METER
    assert datetime.fromisoformat(found["begins"]) == at(*BEGINS)
    assert float(state(hass, ACHIEVED)) == pytest.approx(100.0, abs=0.2)
    assert float(state(hass, SHED)) == pytest.approx(100.0, abs=0.2)
    assert float(state(hass, ENERGY)) == pytest.approx(200.0, abs=0.4)
    shown = hass.states.get(ENERGY)
    assert shown is not None
    assert shown.attributes["state_class"] == "total"
    assert shown.attributes["eligible"] is True
    assert shown.attributes["last_reset"] == at(*BEGINS).astimezone().isoformat() or (
        datetime.fromisoformat(shown.attributes["last_reset"]) == at(*BEGINS)
    )


async def test_what_came_of_it_is_there_after_a_restart_and_settled_once(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines)
    await measure(hass, clock, machines, at(13, 55), at(16), 200.0)
    await over(hass, entry, clock)
    (before,) = await performances(hass, entry)
    clock.move_to(at(18))
    assert await hass.config_entries.async_reload(entry.entry_id)
    await tell_time(hass, entry)
    assert await performances(hass, entry) == [before]
    assert float(state(hass, ACHIEVED)) == pytest.approx(100.0, abs=0.2)


async def test_end_that_was_missed_is_settled_after_the_restart(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines)
    await measure(hass, clock, machines, at(13, 55), at(16), 200.0)
    await async_wait_recording_done(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)
    clock.move_to(at(20))
    assert await hass.config_entries.async_setup(entry.entry_id)
    # No engine tells of it any more.
    await tell_time(hass, entry)
    (found,) = await performances(hass, entry)
    assert found["achieved_kw"] == pytest.approx(100.0, abs=0.2)
    assert found["eligible"] is True


async def test_recovery_is_waited_for_and_not_counted(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines, recovery=3600.0)
    await measure(hass, clock, machines, at(13, 55), at(16), 200.0)
    await measure(hass, clock, machines, at(16), at(16, 30), 400.0)
    await over(hass, entry, clock, at(16, 30))
    assert await performances(hass, entry) == []
    await over(hass, entry, clock, at(17, 1))
    (found,) = await performances(hass, entry)
    assert found["achieved_kw"] == pytest.approx(100.0, abs=0.2)


async def test_event_that_is_cancelled_counts_until_then(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines)
    await measure(hass, clock, machines, at(13, 55), at(15), 200.0)
    cancelled = an_event(
        at(*BEGINS),
        at(*ENDS),
        received=at(13).timestamp(),
        cancelled=at(15).timestamp(),
    )
    await report(hass, entry, events=[cancelled])
    await measure(hass, clock, machines, at(15), at(15, 30), 300.0)
    await over(hass, entry, clock)
    (found,) = await performances(hass, entry)
    assert found["energy_kwh"] == pytest.approx(100.0, abs=0.2)
    assert datetime.fromisoformat(found["ends"]) == at(15)


async def test_event_that_is_cancelled_before_it_began_is_nothing(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines)
    cancelled = an_event(at(*BEGINS), at(*ENDS), cancelled=at(13, 30).timestamp())
    await report(hass, entry, events=[cancelled])
    await over(hass, entry, clock)
    assert await performances(hass, entry) == []


async def test_who_opted_out_has_figures_and_is_not_paid(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines)
    await call(hass, entry, "opt_event", event="Grid:e1", opt="out")
    await measure(hass, clock, machines, at(13, 55), at(16), 290.0)
    await over(hass, entry, clock)
    (found,) = await performances(hass, entry)
    assert (found["opt"], found["eligible"]) == ("out", False)
    assert found["achieved_kw"] == pytest.approx(10.0, abs=0.2)


async def test_meter_that_was_silent_leaves_the_event_unsettled(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines)
    await measure(hass, clock, machines, at(13, 55), at(14, 30), 200.0)
    await over(hass, entry, clock)
    (found,) = await performances(hass, entry)
    # The last reading stands for a quarter of an hour.
    assert found["covered"] == pytest.approx(40 / 120, abs=0.01)
    assert found["eligible"] is False
    assert found["achieved_kw"] == pytest.approx(100.0, abs=0.2)


async def test_load_that_does_not_change_is_known_by_its_five_minutes(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines)
    await read(hass, clock, machines, at(13, 58), 200.0)
    clock.move_to(at(16, 1))
    await async_wait_recording_done(hass)
    begins = at(*BEGINS).astimezone(UTC)
    for minutes in range(0, 120, 5):
        do_adhoc_statistics(hass, start=begins + timedelta(minutes=minutes))
    # As it settles once more when they are there, and not again.
    await async_wait_recording_done(hass)
    await over(hass, entry, clock)
    (found,) = await performances(hass, entry)
    assert found["covered"] == 1.0
    assert found["achieved_kw"] == pytest.approx(100.0, abs=0.2)


async def test_events_are_found_by_time_and_name_and_exported(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines, name="=1+1", comment="")
    second = an_event(at(18), at(19), key="Grid:e2", id="e2", name="Evening")
    await report(hass, entry, events=[second])
    await baseline(hass, entry, "Grid:e2")
    await measure(hass, clock, machines, at(13, 55), at(19), 200.0)
    await over(hass, entry, clock, at(19, 30))
    assert [row["event_id"] for row in await performances(hass, entry)] == ["e2", "e1"]
    (late,) = await performances(hass, entry, since=at(17).isoformat())
    assert late["event_id"] == "e2"
    (early,) = await performances(hass, entry, until=at(17).isoformat())
    assert early["event_id"] == "e1"
    (named,) = await performances(hass, entry, event="e1")
    assert named["event"] == "Grid:e1"
    (one,) = await performances(hass, entry, limit=1)
    assert one["event_id"] == "e2"
    with pytest.raises(ServiceValidationError):
        await performances(
            hass, entry, since=at(17).isoformat(), until=at(16).isoformat()
        )
    answer = await call(hass, entry, "export_performance")
    assert answer is not None
    rows = list(csv.DictReader(StringIO(answer["csv"])))
    assert [row["event_id"] for row in rows] == ["e2", "e1"]
    assert float(rows[1]["achieved_kw"]) == early["achieved_kw"]
    assert rows[1]["name"] == "'=1+1", "a spreadsheet must not compute it"
    assert rows[1]["eligible"] == "yes"
    assert "plant=two_chillers" in answer["url"]


async def test_plant_that_is_removed_and_added_again_finds_what_came_of_its_events(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines)
    await measure(hass, clock, machines, at(13, 55), at(16), 200.0)
    await over(hass, entry, clock)
    (before,) = await performances(hass, entry)
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    clock.move_to(at(20))
    again = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    assert again.entry_id != entry.entry_id
    assert await performances(hass, again) == [before]
    await tell_time(hass, again)
    assert float(state(hass, ACHIEVED)) == pytest.approx(100.0, abs=0.2)


async def test_rows_that_waited_for_a_removed_plant_are_found_when_it_is_added_again(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    hass_storage: dict[str, Any],
) -> None:
    entry = await announced(hass, clock, machines)
    await measure(hass, clock, machines, at(13, 55), at(16), 200.0)
    await over(hass, entry, clock)
    record = entry.runtime_data.demand_response.settlement.store.latest
    assert record is not None
    name = f"chiller_plant.{entry.entry_id}.settlement"
    await eventually(lambda: not hass_storage[name]["data"]["pending"])
    await hass.config_entries.async_remove(entry.entry_id)
    await hass.async_block_till_done()
    # As a Home Assistant that was restarted meanwhile finds them; one is not readable.
    row = {**record.as_dict(), "event": "Grid:e0", "event_id": "e0", "name": "e0"}
    left = {"rows": [{"plant": "two_chillers"}, row]}
    hass_storage[f"chiller_plant.{performance_left.ISSUE}"] = {
        "version": 1,
        "minor_version": 1,
        "key": f"chiller_plant.{performance_left.ISSUE}",
        "data": left,
    }
    hass.data.pop(performance_left._LEFT)
    clock.move_to(at(20))
    again = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    store = again.runtime_data.demand_response.settlement.store
    await eventually(lambda: {"Grid:e0", "Grid:e1"} <= store.known)
    found = await performances(hass, again)
    assert sorted(row["event_id"] for row in found) == ["e0", "e1"]
    assert f"chiller_plant.{performance_left.ISSUE}" not in hass_storage


async def test_what_the_recorder_purges_stays(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await announced(hass, clock, machines)
    await measure(hass, clock, machines, at(13, 55), at(16), 200.0)
    await over(hass, entry, clock)
    before = await performances(hass, entry)
    clock.move_to(at(16) + timedelta(days=400))
    await hass.services.async_call(
        "recorder", "purge", {"keep_days": 0, "repack": False}, blocking=True
    )
    await async_wait_recording_done(hass)
    assert await performances(hass, entry) == before


async def saved(hass: HomeAssistant, moment: datetime) -> float:
    """Return what long-term statistics add up to, with the five minutes of a moment."""
    await async_wait_recording_done(hass)
    start = moment.replace(minute=moment.minute // 5 * 5).astimezone(UTC)
    do_adhoc_statistics(hass, start=start)
    await async_wait_recording_done(hass)
    rows = await get_instance(hass).async_add_executor_job(
        statistics_during_period, hass, start, None, {ENERGY}, "5minute", None, {"sum"}
    )
    found = rows[ENERGY][-1]["sum"]
    assert found is not None
    return found


async def test_long_term_statistics_add_up_all_events(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    """The first too, and one that began before another and ended after it."""
    entry = await announced(hass, clock, machines)
    assert float(state(hass, ENERGY)) == 0.0
    assert await saved(hass, at(13, 20)) == 0.0
    long = an_event(at(17), at(20), key="Grid:e2", id="e2")
    within = an_event(at(18), at(19), key="Grid:e3", id="e3")
    await report(hass, entry, events=[long, within])
    await measure(hass, clock, machines, at(13, 55), at(16), 200.0)
    await over(hass, entry, clock, at(16, 31))
    assert await saved(hass, at(16, 31)) == pytest.approx(200.0, abs=0.5)
    await measure(hass, clock, machines, at(16, 55), at(19), 200.0)
    await over(hass, entry, clock, at(19, 1))
    assert await saved(hass, at(19, 1)) == pytest.approx(300.0, abs=1.0)
    await measure(hass, clock, machines, at(19, 5), at(20), 200.0)
    await over(hass, entry, clock, at(20, 31))
    assert await saved(hass, at(20, 31)) == pytest.approx(600.0, abs=2.0)
