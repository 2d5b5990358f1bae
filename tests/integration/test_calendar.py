"""Giving dates a profile in Home Assistant's own calendar."""

from datetime import date, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.integration.planning import (
    call,
    entity,
    get_plan,
    pass_to,
    plan_changes,
    set_up_on,
)

SATURDAY = date(2026, 11, 21)
"""Weekend by the example's day types."""


class Card:
    """A calendar card: what the frontend sends, and what it shows."""

    def __init__(self, hass: HomeAssistant, client: Any) -> None:
        self.entity_id = entity(hass, "calendar", "profiles")
        self._hass = hass
        self._client = client

    async def send(self, kind: str, **data: Any) -> dict[str, Any]:
        await self._client.send_json_auto_id(
            {"type": f"calendar/event/{kind}", "entity_id": self.entity_id, **data}
        )
        answer: dict[str, Any] = await self._client.receive_json()
        return answer

    async def create(self, title: str, start: date, days: int = 1, **more: Any) -> None:
        answer = await self.send("create", event=whole_days(title, start, days, **more))
        assert answer["success"], answer

    async def shown(self, start: date, days: int) -> list[tuple[str, str]]:
        """Return what the card shows: day and title."""
        return [
            (item["start"], item["summary"]) for item in await self.events(start, days)
        ]

    async def events(self, start: date, days: int) -> list[dict[str, Any]]:
        first = dt_util.start_of_local_day(start)
        calendar = self._hass.data["calendar"].get_entity(self.entity_id)
        found = await calendar.async_get_events(
            self._hass, first, dt_util.start_of_local_day(start + timedelta(days=days))
        )
        return [item.as_dict() for item in found]


def whole_days(title: str, start: date, days: int = 1, **more: Any) -> dict[str, Any]:
    end = start + timedelta(days=days)
    return {
        "summary": title,
        "dtstart": start.isoformat(),
        "dtend": end.isoformat(),
        **more,
    }


@pytest.fixture
async def entry(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> MockConfigEntry:
    """Set the plant up on a Saturday."""
    return await set_up_on(hass, freezer, datetime(2026, 11, 21, 10), "Europe/Berlin")


@pytest.fixture
async def card(
    hass: HomeAssistant, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> Card:
    assert await async_setup_component(hass, "calendar", {})
    return Card(hass, await hass_ws_client(hass))


async def test_a_date_gets_the_profile_it_is_given(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    assert (await get_plan(hass, entry))["profile"] == "Weekend"

    await card.create("Holiday", SATURDAY)

    plan = await get_plan(hass, entry)
    assert (plan["date"], plan["profile"], plan["profile_source"]) == (
        "2026-11-21",
        "Holiday",
        "date",
    )
    state = hass.states.get(card.entity_id)
    assert state is not None
    assert (state.state, state.attributes["message"]) == ("on", "Holiday")


async def test_profile_may_be_typed_as_people_type(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    await card.create(" holiday ", SATURDAY)
    assert await card.shown(SATURDAY, 1) == [("2026-11-21", "Holiday")]


async def test_unknown_profile_is_refused_with_the_ones_there_are(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    answer = await card.send("create", event=whole_days("Party", SATURDAY))
    assert not answer["success"]
    assert answer["error"]["message"] == (
        'There is no profile called "Party". The title of an entry is the name of'
        " a profile; there are: Weekday, Weekend, Holiday"
    )
    assert await card.shown(SATURDAY, 1) == []


async def test_hours_are_refused(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    answer = await card.send(
        "create",
        event={
            "summary": "Holiday",
            "dtstart": "2026-11-21T08:00:00+01:00",
            "dtend": "2026-11-21T12:00:00+01:00",
        },
    )
    assert not answer["success"]
    assert "Make the entry for Holiday all-day" in answer["error"]["message"]


async def test_entry_is_moved_and_deleted(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    await card.create("Holiday", SATURDAY, days=2)
    uid = (await card.events(SATURDAY, 1))[0]["uid"]

    monday = SATURDAY + timedelta(days=2)
    moved = await card.send("update", uid=uid, event=whole_days("Weekend", monday))
    assert moved["success"], moved
    assert await card.shown(SATURDAY, 7) == [("2026-11-23", "Weekend")]
    assert (await get_plan(hass, entry))["profile_source"] == "day_type"

    deleted = await card.send("delete", uid=uid)
    assert deleted["success"], deleted
    assert await card.shown(SATURDAY, 7) == []


async def test_what_is_not_there_cannot_be_deleted(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    answer = await card.send("delete", uid="nothing")
    assert not answer["success"]
    assert "could not be changed" in answer["error"]["message"]


async def test_series_repeats_and_one_day_of_it_is_something_else(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    await card.create("Holiday", SATURDAY, rrule="FREQ=WEEKLY;BYDAY=SA")
    saturdays = ["2026-11-21", "2026-11-28", "2026-12-05"]
    shown = await card.events(SATURDAY, 21)
    assert [item["start"] for item in shown] == saturdays
    assert (await get_plan(hass, entry))["profile_source"] == "recurring"

    changed = await card.send(
        "update",
        uid=shown[1]["uid"],
        recurrence_id=shown[1]["recurrence_id"],
        event=whole_days("Weekday", date(2026, 11, 28)),
    )
    assert changed["success"], changed
    assert [title for _, title in await card.shown(SATURDAY, 21)] == [
        "Holiday",
        "Weekday",
        "Holiday",
    ]


async def test_series_changes_from_one_day_on(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    await card.create("Holiday", SATURDAY, rrule="FREQ=WEEKLY")
    second = (await card.events(SATURDAY, 21))[1]

    changed = await card.send(
        "update",
        uid=second["uid"],
        recurrence_id=second["recurrence_id"],
        recurrence_range="THISANDFUTURE",
        event=whole_days("Weekday", date(2026, 11, 28), rrule="FREQ=WEEKLY"),
    )
    assert changed["success"], changed
    assert [title for _, title in await card.shown(SATURDAY, 28)] == [
        "Holiday",
        "Weekday",
        "Weekday",
        "Weekday",
    ]


@pytest.mark.parametrize(
    ("which", "left"),
    [
        ({"recurrence_id": "20261128"}, ["2026-11-21", "2026-12-05", "2026-12-12"]),
        (
            {"recurrence_id": "20261128", "recurrence_range": "THISANDFUTURE"},
            ["2026-11-21"],
        ),
        ({}, []),
    ],
    ids=["this", "this and future", "all"],
)
async def test_days_of_a_series_are_deleted(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    card: Card,
    which: dict[str, str],
    left: list[str],
) -> None:
    await card.create("Holiday", SATURDAY, rrule="FREQ=WEEKLY")
    uid = (await card.events(SATURDAY, 1))[0]["uid"]
    answer = await card.send("delete", uid=uid, **which)
    assert answer["success"], answer
    assert [day for day, _ in await card.shown(SATURDAY, 28)] == left


async def test_series_with_an_end_as_the_frontend_writes_it(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    await card.create("Holiday", SATURDAY, rrule="FREQ=DAILY;UNTIL=20261123T225959Z")
    assert [day for day, _ in await card.shown(SATURDAY, 7)] == [
        "2026-11-21",
        "2026-11-22",
        "2026-11-23",
    ]


async def test_rule_that_never_comes_to_a_day_is_refused(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    rule = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"
    answer = await card.send(
        "create", event=whole_days("Holiday", SATURDAY, rrule=rule)
    )
    assert not answer["success"]
    assert "never comes to a day" in answer["error"]["message"]


async def test_single_date_beats_the_series_that_it_lies_on(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    await card.create("Weekday", SATURDAY)
    await card.create("Holiday", SATURDAY, rrule="FREQ=YEARLY")
    plan = await get_plan(hass, entry)
    assert (plan["profile"], plan["profile_source"]) == ("Weekday", "date")


async def test_calendar_survives_a_reload(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    await card.create("Holiday", SATURDAY, rrule="FREQ=WEEKLY", description="Closed")
    before = await card.events(SATURDAY, 14)
    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert await card.events(SATURDAY, 14) == before
    assert before[0]["description"] == "Closed"


async def test_open_card_is_told_of_changes(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    await card.send(
        "subscribe",
        start="2026-11-21T00:00:00+01:00",
        end="2026-11-22T00:00:00+01:00",
    )
    assert (await card._client.receive_json())["event"]["events"] == []
    await hass.services.async_call(
        "calendar",
        "create_event",
        {
            "entity_id": card.entity_id,
            "summary": "Holiday",
            "start_date": "2026-11-21",
            "end_date": "2026-11-22",
        },
        blocking=True,
    )
    told = (await card._client.receive_json())["event"]["events"]
    assert [item["summary"] for item in told] == ["Holiday"]


@pytest.mark.parametrize(
    ("zone", "eve", "midnight"),
    [
        ("Europe/Berlin", datetime(2026, 11, 22, 23, 59, 50), datetime(2026, 11, 23)),
        # The night in which clocks go back has 25 hours, ...
        ("Europe/Berlin", datetime(2026, 10, 25, 23, 59, 50), datetime(2026, 10, 26)),
        # ... and this Friday begins at one o'clock.
        ("Africa/Cairo", datetime(2026, 4, 23, 23, 59, 50), datetime(2026, 4, 24, 1)),
    ],
)
async def test_profile_changes_at_local_midnight(
    hass: HomeAssistant,
    freezer: FrozenDateTimeFactory,
    zone: str,
    eve: datetime,
    midnight: datetime,
) -> None:
    entry = await set_up_on(hass, freezer, eve, zone)
    today = midnight.date()
    await hass.services.async_call(
        "calendar",
        "create_event",
        {
            "entity_id": entity(hass, "calendar", "profiles"),
            "summary": "Holiday",
            "start_date": today.isoformat(),
            "end_date": (today + timedelta(days=1)).isoformat(),
        },
        blocking=True,
    )
    await pass_to(hass, freezer, eve + timedelta(seconds=1))
    assert (await get_plan(hass, entry))["profile"] != "Holiday"
    changes = plan_changes(hass)

    await pass_to(hass, freezer, midnight)

    assert (await get_plan(hass, entry))["profile"] == "Holiday"
    assert len(changes) == 1
    state = hass.states.get(entity(hass, "select", "profile"))
    assert state is not None
    assert state.state == "Holiday"


async def test_profile_on_the_calendar_cannot_be_deleted(
    hass: HomeAssistant, entry: MockConfigEntry, card: Card
) -> None:
    await call(hass, entry, "save_profile", name="Open day")
    await card.create("Open day", SATURDAY + timedelta(days=400))
    with pytest.raises(Exception, match="on the calendar of Two chillers"):
        await call(hass, entry, "delete_profile", response=False, name="Open day")

    uid = (await card.events(SATURDAY + timedelta(days=400), 1))[0]["uid"]
    assert (await card.send("delete", uid=uid))["success"]
    await call(hass, entry, "delete_profile", response=False, name="Open day")
    assert "Open day" not in entry.runtime_data.plan.profiles


async def test_calendar_belongs_to_the_plant(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    found = er.async_get(hass).async_get(entity(hass, "calendar", "profiles"))
    assert found is not None
    assert found.entity_id == "calendar.two_chillers_profiles"
