"""What is planned, in the calendar and by action, and what people change of it."""

from collections.abc import Callable
from datetime import timedelta
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    MockUser,
    async_capture_events,
    async_fire_time_changed,
)
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.chiller_plant.const import DOMAIN
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.integration.planned_operator import (
    MONDAY,
    PLANT,
    Operator,
    at,
    planned,
    turn,
)
from tests.integration.planning import (
    automate,
    call,
    device,
    get_plan,
    in_all_profiles,
    pass_to,
    plain,
    set_up_on,
)
from tests.integration.served_plant import set_up


@pytest.fixture
async def entry(hass: HomeAssistant, freezer: FrozenDateTimeFactory) -> MockConfigEntry:
    """Set up a plant with an automation for weekdays and one for the weekend."""
    await hass.config.async_set_time_zone("Europe/Berlin")
    freezer.move_to(MONDAY.replace(tzinfo=dt_util.get_default_time_zone()))
    entry = await set_up(hass, PLANT)
    await automate(hass, plain("hours", entry), plain("weekend", entry))
    # An automation registers a moment after it is there.
    freezer.tick(1)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    for profile, automation in (("Weekday", "hours"), ("Weekend", "weekend")):
        await call(
            hass,
            entry,
            "save_profile",
            name=profile,
            automations=[{"automation": automation, "priority": 1}],
        )
    return entry


@pytest.fixture
async def operator(
    hass: HomeAssistant, entry: MockConfigEntry, hass_ws_client: WebSocketGenerator
) -> Operator:
    # The client signs in at the time that it is then.
    assert await async_setup_component(hass, "calendar", {})
    return Operator(hass, entry, await hass_ws_client(hass))


async def test_calendar_shows_what_is_planned(operator: Operator) -> None:
    await operator.engine_plans(
        planned("start", at(7)), planned("stop", at(18)), turn(at(6, day=25))
    )
    assert await operator.shown() == [
        ("Tue 07:00", "Plant: start"),
        ("Tue 18:00", "Plant: stop"),
        ("Wed 06:00", "Chiller 2 takes the lead"),
    ]
    state = operator.hass.states.get(operator.calendar)
    assert state is not None
    assert (state.attributes["message"], state.attributes["start_time"]) == (
        "Plant: start",
        "2026-11-24 07:00:00",
    )
    assert state.attributes["description"] == "Plant start: hours 07:00 to 18:00"


async def test_only_days_on_which_the_automation_runs_are_shown(
    operator: Operator,
) -> None:
    days = [planned("start", at(7, day=day)) for day in range(24, 31)]
    await operator.engine_plans(*days)
    later = [planned("start", at(9, day=day)) for day in range(24, 31)]
    await operator.engine_plans(*later, who="weekend")
    assert [when for when, _ in await operator.shown()] == [
        *(f"{day} 07:00" for day in ("Tue", "Wed", "Thu", "Fri")),
        *(f"{day} 09:00" for day in ("Sat", "Sun")),
        "Mon 07:00",
    ]
    # A date that gets another profile gets other actions at once.
    calendar = operator.entry.runtime_data.plan.calendar
    from custom_components.chiller_plant.day_calendar import day_event

    wednesday = at(0, day=25).date()
    calendar.add(
        day_event("Weekend", wednesday, wednesday + timedelta(days=1), None, None)
    )
    await operator.entry.runtime_data.plan.async_decided()
    assert (await operator.shown())[1] == ("Wed 09:00", "Plant: start")


async def test_an_entry_that_is_moved_moves_that_occurrence(operator: Operator) -> None:
    told = async_capture_events(operator.hass, "chiller_plant_action")
    start = planned("start", at(7), until=at(18).timestamp())
    await operator.engine_plans(start, planned("start", at(7, day=25)))
    uid = f"hours/{start['id']}"
    assert await operator.change(uid, dtstart=at(6, 30).isoformat()) is None

    assert await operator.shown() == [
        ("Tue 06:30", "Plant: start"),
        ("Wed 07:00", "Plant: start"),
    ]
    assert await operator.amendments() == [
        {"id": start["id"], "at": at(6, 30).timestamp(), "by": "Mock User"}
    ]
    description = (await operator.events())[0]["description"]
    assert "Changed by Mock User." in description
    assert "Planned at Tue 24 Nov 07:00." in description
    (event,) = told
    assert event.data["action"] == "action_rescheduled"
    assert event.data["planned_action"] == "hours/" + start["id"]
    assert event.data["result"] == "done"
    assert event.data["reason"] == (
        "Plant: start moved from Tue 24 Nov 07:00 to Tue 24 Nov 06:30 by Mock User"
    )
    assert event.data["source"] == "Mock User"
    assert event.data["equipment"] == "plant"
    assert event.data["from"] == "2026-11-24T07:00:00+01:00"
    assert event.data["to"] == "2026-11-24T06:30:00+01:00"


async def test_an_entry_that_is_deleted_is_cancelled_and_can_be_restored(
    operator: Operator,
) -> None:
    start = planned("start", at(7))
    await operator.engine_plans(start)
    uid = f"hours/{start['id']}"
    assert (await operator.send("delete", uid=uid))["success"]
    assert await operator.shown() == []
    assert await operator.amendments() == [
        {"id": start["id"], "cancelled": True, "by": "Mock User"}
    ]
    # The engine tells that it heard.
    await operator.engine_plans(start | {"cancelled": True})
    (left,) = (await operator.ask("get_planned_actions"))["actions"]
    assert (left["action"], left["cancelled"], left["changed_by"]) == (
        uid,
        True,
        "Mock User",
    )
    answer = await operator.ask("restore_action", action=uid, reason="A mistake")
    assert answer["cancelled"] is False
    assert await operator.shown() == [("Tue 07:00", "Plant: start")]
    assert await operator.amendments() == []
    with pytest.raises(ServiceValidationError, match="nothing to restore"):
        await operator.ask("restore_action", action=uid)


async def test_a_turn_is_given_to_another_chiller_by_its_title(
    operator: Operator,
) -> None:
    action = turn(at(6))
    await operator.engine_plans(action)
    uid = f"hours/{action['id']}"
    assert await operator.change(uid, summary="Chiller 12 takes the lead") is None
    assert await operator.shown() == [("Tue 06:00", "Chiller 12 takes the lead")]
    assert (await operator.amendments())[0]["equipment"] == "chiller_12"

    answer = await operator.change(uid, summary="Somebody else")
    assert answer == (
        "The title of Chiller 12 takes the lead can only be changed by naming the"
        " equipment that it is to happen with: Chiller 1, Chiller 2, Chiller 12"
    )


async def test_a_turn_is_given_to_another_chiller_by_action(
    operator: Operator,
) -> None:
    action = turn(at(6))
    await operator.engine_plans(action)
    uid = f"hours/{action['id']}"
    answer = await operator.ask(
        "reassign_action",
        action=uid,
        equipment=device(operator.hass, operator.entry, "chiller_1"),
        reason="Service of chiller 2",
    )
    assert answer["equipment"] == ["chiller_1"]
    assert answer["changed_because"] == "Service of chiller 2"
    moved = await operator.ask(
        "reschedule_action", action=uid, time=at(8, day=25).isoformat()
    )
    assert (moved["equipment"], moved["time"]) == (
        ["chiller_1"],
        "2026-11-25T08:00:00+01:00",
    )
    assert (await operator.amendments())[0] == {
        "id": action["id"],
        "at": at(8, day=25).timestamp(),
        "equipment": "chiller_1",
        "by": "an automation",
    }


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        (lambda: {"dtstart": at(7, day=22).isoformat()}, "that is over"),
        (lambda: {"dtstart": at(5).isoformat()}, "it cannot be before"),
        (lambda: {"dtstart": at(18).isoformat()}, "it has to be before"),
        (
            lambda: {"dtstart": "2026-11-24", "dtend": "2026-11-25"},
            "happens at a moment",
        ),
        (lambda: {"description": "Run it hard"}, "comes from its automation"),
        (lambda: {"dtend": at(9).isoformat()}, "Only the start"),
        (lambda: {"rrule": "FREQ=DAILY", "dtstart": at(8).isoformat()}, "repeated"),
        (lambda: {"summary": "Chiller 2"}, "naming the equipment"),
    ],
)
async def test_what_cannot_be_is_refused_with_the_reason(
    operator: Operator, change: Callable[[], dict[str, Any]], answer: str
) -> None:
    start = planned(
        "start", at(7), earliest=at(6).timestamp(), latest=at(18).timestamp()
    )
    await operator.engine_plans(start)
    refused = await operator.change(f"hours/{start['id']}", **change())
    assert refused is not None
    assert answer in refused
    assert await operator.amendments() == []
    assert await operator.shown() == [("Tue 07:00", "Plant: start")]


async def test_an_action_is_not_moved_to_a_day_of_another_profile(
    operator: Operator,
) -> None:
    start = planned("start", at(7))
    await operator.engine_plans(start)
    refused = await operator.change(
        f"hours/{start['id']}", dtstart=at(7, day=28).isoformat()
    )
    assert refused is not None
    assert "hours does not run on that day, its profile is Weekend" in refused


@pytest.mark.parametrize("equipment", ["plant", "chiller_9", "automation.hours"])
async def test_other_equipment_is_refused(operator: Operator, equipment: str) -> None:
    action = turn(at(6))
    await operator.engine_plans(action)
    with pytest.raises(ServiceValidationError, match="It can be given to: Chiller 1"):
        await operator.ask(
            "reassign_action", action=f"hours/{action['id']}", equipment=equipment
        )
    with pytest.raises(ServiceValidationError, match="There is no planned action"):
        await operator.ask(
            "reassign_action", action="hours/rotation@1", equipment="chiller_1"
        )


async def test_changes_and_what_was_last_known_survive_a_restart(
    operator: Operator, freezer: FrozenDateTimeFactory
) -> None:
    hass, entry = operator.hass, operator.entry
    start = planned("start", at(7))
    await operator.engine_plans(start, planned("stop", at(18)))
    uid = f"hours/{start['id']}"
    await operator.ask("reschedule_action", action=uid, time=at(6).isoformat())
    before = (await get_plan(hass, entry))["revision"]

    assert await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    freezer.tick(3600)
    assert await operator.shown() == [
        ("Tue 06:00", "Plant: start"),
        ("Tue 18:00", "Plant: stop"),
    ]
    assert (await get_plan(hass, entry))["revision"] == before
    (shown, _) = await operator.events()
    assert (
        "The control engine is not heard; this is what it last said"
        in (shown["description"])
    )
    # And an entry can be changed although its text tells of the engine.
    assert await operator.change(uid, dtstart=at(6, 30).isoformat()) is None


async def test_a_change_is_forgotten_when_its_occurrence_is_over(
    operator: Operator, freezer: FrozenDateTimeFactory
) -> None:
    start = planned("start", at(7), until=at(18).timestamp())
    await operator.engine_plans(start)
    await operator.ask(
        "reschedule_action", action=f"hours/{start['id']}", time=at(6).isoformat()
    )
    for moment, kept in ((at(17), 1), (at(20), 0)):
        await pass_to(operator.hass, freezer, moment.replace(tzinfo=None))
        # The engine tells only what is to come.
        await operator.engine_plans(planned("start", at(7, day=25) + timedelta(0)))
        await operator.engine_plans(
            planned("start", at(7, day=25)), planned("stop", at(18, day=25))
        )
        assert len(await operator.amendments()) == kept


async def test_who_may_not_control_may_not_change_what_is_planned(
    operator: Operator, hass_read_only_user: MockUser
) -> None:
    start = planned("start", at(7))
    await operator.engine_plans(start)
    with pytest.raises(Unauthorized):
        await operator.hass.services.async_call(
            DOMAIN,
            "cancel_action",
            {"plant": operator.entry.entry_id, "action": f"hours/{start['id']}"},
            blocking=True,
            context=Context(user_id=hass_read_only_user.id),
        )


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[{"id": "start@1"}]'])
async def test_a_plan_that_is_not_understood_is_refused(
    operator: Operator, text: str
) -> None:
    with pytest.raises(ServiceValidationError, match="is not understood"):
        await operator.ask(
            "report_state", automation="hours", state="on", attributes={}, planned=text
        )


async def test_planned_actions_are_found_by_equipment_and_automation(
    operator: Operator,
) -> None:
    await operator.engine_plans(planned("start", at(7)), turn(at(6)))
    chiller = device(operator.hass, operator.entry, "chiller_2")

    async def kinds(**wanted: str) -> list[str]:
        answer = await operator.ask("get_planned_actions", **wanted)
        return [item["kind"] for item in answer["actions"]]

    assert await kinds() == ["rotation", "start"]
    assert await kinds(equipment=chiller) == ["rotation"]
    assert await kinds(equipment="plant") == ["start"]
    assert await kinds(automation="automation.hours") == ["rotation", "start"]
    assert await kinds(automation="automation.weekend") == []


async def test_an_automation_that_is_gone_takes_its_changes_along(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = await set_up_on(hass, freezer, MONDAY, "Europe/Berlin")
    await automate(hass, plain("hours", entry))
    freezer.tick(1)
    async_fire_time_changed(hass)
    await hass.async_block_till_done()
    await in_all_profiles(hass, entry, hours=1)
    start = planned("start", at(7))
    await call(
        hass,
        entry,
        "report_state",
        automation="hours",
        state="on",
        planned=json.dumps([start]),
    )
    room = entry.runtime_data.plan
    await room.planned.async_cancel(f"hours/{start['id']}", "Jo")
    assert room.planned.amendments_of("hours")
    await room.async_forget("hours", deleted=True)
    assert room.planned.amendments_of("hours") == []
    assert room.planned.all() == []


async def test_without_a_recorder_it_is_said_that_nothing_is_recorded(
    operator: Operator,
) -> None:
    with pytest.raises(ServiceValidationError, match="does not record"):
        await operator.ask("get_actions")
