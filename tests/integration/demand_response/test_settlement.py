"""What events are held against, made of what the recorder knows."""

from datetime import datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
import pytest_socket

from homeassistant.components.recorder import Recorder
from homeassistant.components.recorder.db_schema import Statistics, StatisticsShortTerm
from homeassistant.core import HomeAssistant
from tests.integration.demand_response.metering import (
    METER,
    WEDNESDAY,
    announce,
    baseline,
    import_hours,
    import_means,
    local,
    mean,
    ordinary,
    performances,
    read,
    site_with_a_past,
    tell_time,
)
from tests.integration.demand_response.site import Board, report, told
from tests.integration.planning import call


@pytest.fixture(autouse=True)
def _custom_integration(
    recorder_mock: Recorder, socket_enabled: None, enable_custom_integrations: None
) -> None:
    """Record, before anything else is there."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


async def announced(
    hass: HomeAssistant, entry: MockConfigEntry, until: int = 16
) -> dict[str, Any]:
    """Tell at one of an event from two to four or later; return its baseline."""
    return await announce(
        hass,
        entry,
        begins=local(*WEDNESDAY, 14),
        ends=local(*WEDNESDAY, until),
        received=local(*WEDNESDAY, 13).timestamp(),
    )


async def test_event_is_held_against_ten_days_like_it(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    begins, ends = local(*WEDNESDAY, 14), local(*WEDNESDAY, 16)
    entry = await site_with_a_past(hass, clock, machines, local(*WEDNESDAY, 13, 20))
    said = await announced(hass, entry)
    assert (said["method"], said["confidence"], said["eligible"]) == (
        "ten_of_ten",
        "high",
        True,
    )
    assert said["kw"][0][0] == (begins - timedelta(hours=1)).timestamp()
    assert said["kw"][-1][1] == (ends + timedelta(hours=6)).timestamp()
    assert mean(said["kw"], begins, ends) == pytest.approx(300.0)
    engine = await told(hass, entry)
    assert engine["baselines"]["Grid:e1"] == said


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Europe/Berlin", "America/Havana"])
async def test_load_follows_the_clock_on_the_wall(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board, zone: str
) -> None:
    """The Monday after clocks went forward is compared with weeks before that."""
    await hass.config.async_set_time_zone(zone)
    day = (2026, 3, 30)

    def rising(moment: datetime) -> float:
        middle = moment + timedelta(minutes=30)
        return 60.0 if moment.weekday() >= 5 else 10.0 * middle.hour + middle.minute / 6

    entry = await site_with_a_past(hass, clock, machines, local(*day, 8, 30), rising)
    begins, ends = local(*day, 10), local(*day, 12)
    said = await announce(
        hass, entry, begins=begins, ends=ends, received=local(*day, 8).timestamp()
    )
    assert said["method"] == "ten_of_ten"
    assert mean(said["kw"], begins, ends) == pytest.approx(110.0, rel=0.02)


async def test_baseline_does_not_move_while_the_load_is_shed(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await site_with_a_past(hass, clock, machines, local(*WEDNESDAY, 13, 20))
    said = await announced(hass, entry, until=17)

    def shed(moment: datetime) -> float:
        return 10.0 if moment >= local(*WEDNESDAY, 13) else ordinary(moment)

    # The statistics of the hours in which it was shed are there, and it starts anew.
    clock.move_to(local(*WEDNESDAY, 15, 5))
    await import_hours(hass, local(*WEDNESDAY, 15), shed)
    await tell_time(hass, entry)
    assert await baseline(hass, entry) == said
    assert await hass.config_entries.async_reload(entry.entry_id)
    await tell_time(hass, entry)
    assert await baseline(hass, entry) == said
    room = entry.runtime_data.demand_response
    assert room.baselines["Grid:e1"].final


async def test_day_ahead_the_morning_of_the_day_still_counts(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    def hot(moment: datetime) -> float:
        today = moment.date() == local(*WEDNESDAY, 12).date()
        return ordinary(moment) * (1.1 if today else 1.0)

    begins, ends = local(*WEDNESDAY, 14), local(*WEDNESDAY, 16)
    received = local(2026, 6, 23, 18)
    entry = await site_with_a_past(hass, clock, machines, received, hot)
    said = await announce(
        hass, entry, begins=begins, ends=ends, received=received.timestamp()
    )
    assert mean(said["kw"], begins, ends) == pytest.approx(300.0)
    clock.move_to(local(*WEDNESDAY, 14, 1))
    await import_hours(hass, local(*WEDNESDAY, 14), hot)
    await tell_time(hass, entry)
    said = await baseline(hass, entry)
    assert mean(said["kw"], begins, ends) == pytest.approx(330.0)
    assert "scaled by 1.10" in said["why"]


async def test_days_of_events_and_holidays_are_left_out(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    """Tuesday had an event; the Friday before was a day off that nobody told of."""
    tuesday = local(2026, 6, 23, 12).date()

    def odd(moment: datetime) -> float:
        return 5.0 if moment.date() == tuesday else ordinary(moment)

    entry = await site_with_a_past(
        hass, clock, machines, local(*WEDNESDAY, 13, 20), odd
    )
    before = {
        "key": "Grid:e0",
        "id": "e0",
        "source": "Grid",
        "begins": local(2026, 6, 23, 14).timestamp(),
        "ends": local(2026, 6, 23, 16).timestamp(),
        "received": local(2026, 6, 23, 10).timestamp(),
    }
    await report(hass, entry, events=[before])
    begins, ends = local(*WEDNESDAY, 14), local(*WEDNESDAY, 16)
    said = await announced(hass, entry)
    assert mean(said["kw"], begins, ends) == pytest.approx(300.0)
    room = entry.runtime_data.demand_response
    assert tuesday.isoformat() not in room.baselines["Grid:e1"].days


async def test_holidays_of_the_past_are_asked_for(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    monday = local(2026, 6, 22, 12).date()
    workday = MockConfigEntry(
        domain="workday",
        title="Workday sensor",
        options={
            "name": "Workday sensor",
            "country": "DE",
            "province": "BE",
            "excludes": ["sat", "sun", "holiday"],
            "days_offset": 0,
            "workdays": ["mon", "tue", "wed", "thu", "fri"],
            "add_holidays": [monday.isoformat()],
            "remove_holidays": [],
            "language": "en_US",
        },
    )
    workday.add_to_hass(hass)
    assert await hass.config_entries.async_setup(workday.entry_id)
    await hass.async_block_till_done()

    def quiet(moment: datetime) -> float:
        return 20.0 if moment.date() == monday else ordinary(moment)

    entry = await site_with_a_past(
        hass, clock, machines, local(*WEDNESDAY, 13, 20), quiet
    )
    await call(
        hass,
        entry,
        "import_plan",
        yaml="plant: two_chillers\nday_types: {weekdays: Weekday, weekends: Weekend,"
        " holiday: Holiday}\nholidays: binary_sensor.workday_sensor\n",
    )
    begins, ends = local(*WEDNESDAY, 14), local(*WEDNESDAY, 16)
    said = await announced(hass, entry)
    assert mean(said["kw"], begins, ends) == pytest.approx(300.0)
    room = entry.runtime_data.demand_response
    assert monday.isoformat() not in room.baselines["Grid:e1"].days


async def test_without_a_past_the_last_minutes_count_and_nobody_settles_by_them(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await site_with_a_past(
        hass, clock, machines, local(*WEDNESDAY, 13, 50), days=0
    )
    received = local(*WEDNESDAY, 13, 55)
    await read(hass, clock, machines, received - timedelta(minutes=4), 280.0)
    await read(hass, clock, machines, received - timedelta(minutes=2), 240.0)
    clock.move_to(received)
    await async_wait_recording_done(hass)
    begins, ends = local(*WEDNESDAY, 14), local(*WEDNESDAY, 16)
    said = await announce(
        hass, entry, begins=begins, ends=ends, received=received.timestamp()
    )
    assert (said["method"], said["confidence"], said["eligible"]) == (
        "last_five_minutes",
        "unknown",
        False,
    )
    # A minute at 300 kW, two at 280 and two at 240.
    assert mean(said["kw"], begins, ends) == pytest.approx(268.0)


async def test_an_hour_of_which_only_a_part_was_seen_says_nothing_of_the_load(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    """Home Assistant began ten minutes before the hour, while the plant started."""
    began = local(*WEDNESDAY, 12, 50)
    entry = await site_with_a_past(hass, clock, machines, began, days=0)
    hour = began.replace(minute=0)
    await import_means(hass, StatisticsShortTerm, {began: 600.0})
    await import_means(hass, Statistics, {hour: 600.0})
    received = local(*WEDNESDAY, 13, 10)
    await read(hass, clock, machines, received - timedelta(minutes=6), 250.0)
    clock.move_to(received)
    await async_wait_recording_done(hass)
    said = await announce(
        hass,
        entry,
        begins=local(*WEDNESDAY, 14),
        ends=local(*WEDNESDAY, 16),
        received=received.timestamp(),
    )
    assert said["method"] == "last_five_minutes"


async def test_the_method_of_the_settings_is_used(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await site_with_a_past(
        hass,
        clock,
        machines,
        local(*WEDNESDAY, 13, 20),
        options={"baseline_method": "five_of_ten"},
    )
    said = await announced(hass, entry)
    assert said["method"] == "five_of_ten"


async def test_event_that_moves_gets_another_baseline(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    entry = await site_with_a_past(hass, clock, machines, local(*WEDNESDAY, 13, 20))
    begins = local(*WEDNESDAY, 14)
    received = local(*WEDNESDAY, 13).timestamp()
    await announce(
        hass, entry, begins=begins, ends=local(*WEDNESDAY, 16), received=received
    )
    longer = local(*WEDNESDAY, 18)
    await announce(hass, entry, begins=begins, ends=longer, received=received)
    await tell_time(hass, entry)
    said = await baseline(hass, entry)
    assert said["kw"][-1][1] == (longer + timedelta(hours=6)).timestamp()


async def test_events_without_time_are_nothing_to_settle(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    now = local(*WEDNESDAY, 13, 20)
    entry = await site_with_a_past(hass, clock, machines, now)
    never = {
        "key": "Grid:never",
        "id": "never",
        "source": "Grid",
        "begins": now.timestamp() + 60.0,
        "ends": now.timestamp() + 60.0,
    }
    await report(hass, entry, events=[never])
    clock.move_to(now + timedelta(hours=1))
    await tell_time(hass, entry)
    assert entry.runtime_data.demand_response.baselines == {}
    assert await performances(hass, entry) == []
    assert hass.states.get(METER) is not None
