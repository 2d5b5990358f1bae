"""Holidays come from a calendar or a workday sensor, and outlive its silence."""

from datetime import date, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
)

from custom_components.chiller_plant.const import DOMAIN
from homeassistant.components.calendar import (
    DOMAIN as CALENDAR_DOMAIN,
    CalendarEntity,
    CalendarEvent,
)
from homeassistant.core import HomeAssistant, State
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.entity_component import EntityComponent
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.integration.planning import call, entity, get_plan, pass_to, set_up_on

MONDAY = date(2026, 11, 23)
DAY = timedelta(days=1)
SOURCE = "calendar.public_holidays"
WORKDAY = "binary_sensor.workday_sensor"


class Holidays(CalendarEntity):
    """A calendar of Home Assistant that a test writes in, and takes away."""

    _attr_name = "Public holidays"
    entity_id = SOURCE

    def __init__(self) -> None:
        self.entries: list[CalendarEvent] = []
        self.fails = False

    @property
    def event(self) -> CalendarEvent | None:
        return None

    async def async_get_events(
        self, hass: HomeAssistant, start_date: datetime, end_date: datetime
    ) -> list[CalendarEvent]:
        if self.fails:
            raise TimeoutError("the server does not answer")
        return [
            item
            for item in self.entries
            if item.start_datetime_local < end_date
            and item.end_datetime_local > start_date
        ]

    def declare(self, day: date, days: int = 1) -> None:
        """Make days holidays."""
        self.entries.append(CalendarEvent(day, day + days * DAY, "A holiday"))

    def set_available(self, available: bool) -> None:
        """Go away, or come back."""
        self._attr_available = available
        self.async_write_ha_state()


@pytest.fixture
async def entry(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> MockConfigEntry:
    """Set the plant up on a Monday, with a profile for holidays."""
    entry = await set_up_on(hass, freezer, datetime(2026, 11, 23, 10), "Europe/Berlin")
    await decide(
        hass,
        entry,
        "day_types: {weekdays: Weekday, weekends: Weekend, holiday: Holiday}",
    )
    return entry


@pytest.fixture
async def holidays(hass: HomeAssistant, entry: MockConfigEntry) -> Holidays:
    """Add a calendar."""
    assert await async_setup_component(hass, CALENDAR_DOMAIN, {})
    component: EntityComponent[Any] = hass.data[CALENDAR_DOMAIN]
    calendar = Holidays()
    await component.async_add_entities([calendar])
    return calendar


async def decide(hass: HomeAssistant, entry: MockConfigEntry, line: str) -> None:
    await call(hass, entry, "import_plan", yaml=f"plant: two_chillers\n{line}\n")
    await settled(hass)


async def settled(hass: HomeAssistant) -> None:
    await hass.async_block_till_done(wait_background_tasks=True)


async def half_an_hour(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> None:
    freezer.tick(timedelta(minutes=31))
    async_fire_time_changed(hass)
    await settled(hass)


async def today(hass: HomeAssistant, entry: MockConfigEntry) -> tuple[str, str]:
    plan = await get_plan(hass, entry)
    return plan["profile"], plan["profile_source"]


def shown(hass: HomeAssistant) -> State:
    state = hass.states.get(entity(hass, "select", "profile"))
    assert state is not None
    return state


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(
        DOMAIN, f"holidays_unknown_{entry.entry_id}"
    )


async def test_whole_day_of_the_calendar_makes_a_holiday_and_a_meeting_does_not(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    holidays: Holidays,
    freezer: FrozenDateTimeFactory,
) -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=dt_util.get_default_time_zone())
    holidays.entries.append(CalendarEvent(noon, noon + timedelta(hours=1), "Lunch"))
    await decide(hass, entry, f"holidays: {SOURCE}")
    assert await today(hass, entry) == ("Weekday", "day_type")
    assert shown(hass).attributes["holiday"] is False

    holidays.declare(MONDAY, days=2)
    await half_an_hour(hass, freezer)
    assert await today(hass, entry) == ("Holiday", "holiday")
    assert shown(hass).attributes["holiday"] is True
    assert shown(hass).attributes["tomorrow"] == "Holiday"
    assert shown(hass).attributes["tomorrow_source"] == "holiday"
    assert shown(hass).attributes["holiday_note"] is None


async def test_what_was_said_of_tomorrow_counts_when_it_cannot_be_asked_at_midnight(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    holidays: Holidays,
    freezer: FrozenDateTimeFactory,
) -> None:
    holidays.declare(MONDAY + DAY)
    await decide(hass, entry, f"holidays: {SOURCE}")
    assert await today(hass, entry) == ("Weekday", "day_type")
    holidays.set_available(False)
    await settled(hass)

    await pass_to(hass, freezer, datetime(2026, 11, 24))
    await settled(hass)

    assert await today(hass, entry) == ("Holiday", "holiday")
    assert (
        "it last said that today is a holiday"
        in (shown(hass).attributes["holiday_note"])
    )
    assert issue(hass, entry) is None


@pytest.mark.parametrize("how", ["unavailable", "fails", "gone"])
async def test_source_that_goes_away_in_mid_day_changes_nothing_and_it_is_said(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    holidays: Holidays,
    freezer: FrozenDateTimeFactory,
    how: str,
) -> None:
    holidays.declare(MONDAY)
    await decide(hass, entry, f"holidays: {SOURCE}")
    assert await today(hass, entry) == ("Holiday", "holiday")

    match how:
        case "unavailable":
            holidays.set_available(False)
        case "fails":
            holidays.fails = True
        case "gone":
            await holidays.async_remove(force_remove=True)
    await half_an_hour(hass, freezer)

    assert await today(hass, entry) == ("Holiday", "holiday")
    assert SOURCE in shown(hass).attributes["holiday_note"]
    assert issue(hass, entry) is None, "today is known"
    # Nor does a restart, while the source is still away.
    assert await hass.config_entries.async_reload(entry.entry_id)
    await settled(hass)
    assert await today(hass, entry) == ("Holiday", "holiday")


async def test_day_that_nobody_said_anything_of_is_a_day_of_the_week_and_an_issue(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    holidays: Holidays,
    freezer: FrozenDateTimeFactory,
) -> None:
    holidays.declare(MONDAY, days=5)
    await decide(hass, entry, f"holidays: {SOURCE}")
    holidays.set_available(False)
    await pass_to(hass, freezer, datetime(2026, 11, 24))
    await settled(hass)
    await pass_to(hass, freezer, datetime(2026, 11, 25))
    await settled(hass)

    assert await today(hass, entry) == ("Weekday", "day_type")
    assert shown(hass).attributes["holiday"] is None
    assert (
        "it is treated as a day of the week" in (shown(hass).attributes["holiday_note"])
    )
    assert issue(hass, entry) is not None

    holidays.set_available(True)
    await settled(hass)
    assert await today(hass, entry) == ("Holiday", "holiday")
    assert issue(hass, entry) is None


async def test_no_source_means_no_holidays(
    hass: HomeAssistant, entry: MockConfigEntry, holidays: Holidays
) -> None:
    holidays.declare(MONDAY)
    await decide(hass, entry, f"holidays: {SOURCE}")
    await decide(hass, entry, "holidays: null")
    assert await today(hass, entry) == ("Weekday", "day_type")
    assert entry.runtime_data.plan.store.decisions.holidays == {}


async def test_entry_for_the_date_goes_before_the_holiday(
    hass: HomeAssistant, entry: MockConfigEntry, holidays: Holidays
) -> None:
    holidays.declare(MONDAY)
    await decide(hass, entry, f"holidays: {SOURCE}")
    await decide(hass, entry, "calendar: [{profile: Weekend, first_day: 2026-11-23}]")
    assert await today(hass, entry) == ("Weekend", "date")


# The workday sensor of Home Assistant, as it is.


@pytest.fixture
async def workday(hass: HomeAssistant, entry: MockConfigEntry) -> MockConfigEntry:
    """Add a workday sensor for which this Tuesday is a holiday."""
    sensor = MockConfigEntry(
        domain="workday",
        title="Workday sensor",
        options={
            "name": "Workday sensor",
            "country": "DE",
            "province": "BE",
            "days_offset": 0,
            "workdays": ["mon", "tue", "wed", "thu", "fri"],
            "excludes": ["sat", "sun", "holiday"],
            "add_holidays": ["2026-11-24", "2026-11-28"],
            "remove_holidays": [],
            "language": "en_US",
        },
    )
    sensor.add_to_hass(hass)
    assert await hass.config_entries.async_setup(sensor.entry_id)
    await hass.async_block_till_done()
    assert hass.states.get(WORKDAY) is not None
    return sensor


async def test_workday_sensor_tells_holidays_from_days_off(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    workday: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    await decide(hass, entry, f"holidays: {WORKDAY}")
    assert await today(hass, entry) == ("Weekday", "day_type")
    assert shown(hass).attributes["tomorrow"] == "Holiday"

    seen = []
    for day in range(24, 29):
        await pass_to(hass, freezer, datetime(2026, 11, day))
        await settled(hass)
        seen.append(await today(hass, entry))

    assert seen == [
        ("Holiday", "holiday"),
        ("Weekday", "day_type"),
        ("Weekday", "day_type"),
        ("Weekday", "day_type"),
        # A holiday on its day off it cannot tell from a day off.
        ("Weekend", "day_type"),
    ]


async def test_workday_sensor_that_is_unloaded_at_midnight_leaves_its_answer(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    workday: MockConfigEntry,
    freezer: FrozenDateTimeFactory,
) -> None:
    await decide(hass, entry, f"holidays: {WORKDAY}")
    assert await hass.config_entries.async_unload(workday.entry_id)
    await pass_to(hass, freezer, datetime(2026, 11, 24))
    await settled(hass)
    assert await today(hass, entry) == ("Holiday", "holiday")
    assert "is unavailable" in shown(hass).attributes["holiday_note"]
