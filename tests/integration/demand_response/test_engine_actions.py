"""What the control engine gets, keeps and tells of demand response."""

from datetime import timedelta
import json
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockUser, async_capture_events
import voluptuous as vol

from custom_components.chiller_plant.const import DOMAIN
from homeassistant.const import EVENT_HOMEASSISTANT_FINAL_WRITE
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import ServiceValidationError, Unauthorized
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.site import (
    GRID,
    GRID_3,
    SECRET,
    Board,
    grid_event,
    report,
    set_up_site,
    told,
    utility,
)
from tests.integration.planning import call


def soon(**fields: Any) -> dict[str, Any]:
    begins = dt_util.now() + timedelta(hours=2)
    return grid_event(begins, begins + timedelta(hours=1), **fields)


async def test_engine_gets_what_the_plant_file_allows(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    answer = await told(hass, entry)
    assert answer["plant"]["entry_id"] == entry.entry_id
    assert answer["settings"]["meter"] == "plant_meter.power"
    assert answer["telemetry"] == {
        "power": "plant_meter.power",
        "energy": "plant_meter.energy",
    }
    measures = {row["key"]: row for row in answer["measures"]}
    # Nothing is known of what the lights take until they were seen to run.
    assert list(measures) == [
        "circuit:fountain",
        "zone:zone_1",
        "chilled_water",
        "demand_limit",
    ]
    assert measures["circuit:fountain"]["capacity_kw"] == 15.0
    # 700 kW of cooling at a COP of 5.6, a tenth of it for each K, in steps of 0.2 K.
    assert measures["zone:zone_1"]["capacity_kw"] == 2.5
    assert measures["zone:zone_1"]["comfort"] == [
        {"point": "zone_1.temperature", "warmest": 26.0}
    ]
    assert measures["chilled_water"]["points"] == [
        "plant.chilled_water_supply_temperature_setpoint",
        "chiller_1.chilled_water_supply_temperature_setpoint",
    ]
    wanted = {key for row in answer["measures"] for key in row["points"]}
    assert wanted <= set(answer["points"])
    assert answer["points"]["zone_1.temperature_setpoint"] == {
        "entity_id": "number.offices_temperature_setpoint",
        "writable": True,
        "boolean": False,
        "low": 18.0,
        "high": 30.0,
        "unit": "°C",
    }
    assert [row["url"] for row in answer["connections"]] == [GRID["url"]]


async def test_book_comes_back_after_a_restart(
    hass: HomeAssistant, machines: Board, hass_storage: dict[str, Any]
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    book = [{"event": {"id": "e1"}, "received": 1.0, "opt": "in", "why": "by default"}]
    await call(hass, entry, "keep_events", response=False, book=json.dumps(book))
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert (await told(hass, entry))["book"] == book


async def test_what_waits_for_a_utility_comes_back_after_a_restart(
    hass: HomeAssistant, machines: Board, hass_storage: dict[str, Any]
) -> None:
    entry = await set_up_site(
        hass, machines, utility("Grid", GRID, "grid"), utility("Other", GRID_3, "other")
    )

    async def kept(connection: str) -> str:
        answer = await call(hass, entry, "get_reports", connection=connection)
        assert answer is not None
        return str(answer["reports"])

    async def keep(connection: str, reports: str) -> None:
        data = {"connection": connection, "reports": reports}
        await call(hass, entry, "keep_reports", response=False, **data)

    assert await kept("grid") == ""
    await keep("grid", "[1]")
    await keep("other", "[2]")
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert (await kept("grid"), await kept("other")) == ("[1]", "[2]")
    await keep("grid", "")
    # Without the end of the entry it is written when Home Assistant stops.
    hass.bus.async_fire(EVENT_HOMEASSISTANT_FINAL_WRITE)
    await hass.async_block_till_done()
    file = f"chiller_plant.{entry.entry_id}.reports_waiting"
    assert hass_storage[file]["data"] == {"other": "[2]"}
    # Nobody waits for a utility that is gone.
    hass.config_entries.async_remove_subentry(entry, "other")
    for refused in (kept("other"), keep("other", "[3]")):
        with pytest.raises(ServiceValidationError) as said:
            await refused
        assert said.value.translation_key == "unknown_connection"
    await keep("grid", "[4]")
    assert await hass.config_entries.async_unload(entry.entry_id)
    assert hass_storage[file]["data"] == {"grid": "[4]"}
    await hass.config_entries.async_remove(entry.entry_id)
    assert file not in hass_storage


async def test_no_more_is_kept_for_a_utility_than_fits(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    with pytest.raises(vol.Invalid):
        await call(
            hass,
            entry,
            "keep_reports",
            response=False,
            connection="grid",
            reports="x" * 1_000_001,
        )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ('{"state":' + "[" * 20_000 + "]" * 20_000 + "}", "state"),
        ('{"state": "dancing"}', "state"),
        ('{"state": "idle", "extra": 1}', "extra"),
        ('{"state": "idle", "available_kw": NaN}', "NaN is no number"),
        ('{"state": "idle", "events": [{"key": "a"}]}', "events"),
        (json.dumps({"state": "idle", "attributes": {"a": "x" * 13_000}}), "12000"),
        (json.dumps({"state": "idle", "attributes": {"a": "x" * 301_000}}), "300000"),
    ],
    ids=[
        "no JSON",
        "nested",
        "unknown state",
        "unknown key",
        "no number",
        "half an event",
        "attributes too long",
        "too long",
    ],
)
async def test_report_that_makes_no_sense_is_refused_in_words(
    hass: HomeAssistant, machines: Board, text: str, said: str
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    with pytest.raises(ServiceValidationError) as refused:
        await call(hass, entry, "report_demand_response", report=text)
    assert said in str(refused.value.translation_placeholders)


@pytest.mark.parametrize(
    "text",
    ["{}", "nothing", "[1]", json.dumps([{}] * 201), " " * 500_001],
    ids=["no list", "no JSON", "no events", "too many", "too long"],
)
async def test_book_that_makes_no_sense_is_refused(
    hass: HomeAssistant, machines: Board, text: str
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    with pytest.raises(ServiceValidationError):
        await call(hass, entry, "keep_events", response=False, book=text)
    assert (await told(hass, entry))["book"] == []


async def test_answer_of_a_person_reaches_the_engine(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    event = soon()
    first = await report(hass, entry, events=[event])
    changes = async_capture_events(hass, f"{DOMAIN}_demand_response_changed")
    answer = await call(
        hass, entry, "opt_event", event="Grid:e1", opt="out", reason="Fair today"
    )
    assert answer is not None
    assert (answer["opt"], answer["why"]) == ("out", "Fair today")
    after = await told(hass, entry)
    assert after["revision"] != first["revision"]
    assert [item.data["revision"] for item in changes] == [after["revision"]]
    decision = after["decisions"]["Grid:e1"]
    assert (decision["opt"], decision["by"]) == ("out", "an automation")
    # And it is still there when Home Assistant comes back.
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert (await told(hass, entry))["decisions"] == after["decisions"]


async def test_button_answers_the_event_that_comes_next(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    with pytest.raises(ServiceValidationError) as refused:
        await call(hass, entry, "opt_event", opt="out")
    assert refused.value.translation_key == "nothing_to_answer"
    later = dt_util.now() + timedelta(hours=5)
    await report(
        hass,
        entry,
        events=[grid_event(later, later + timedelta(hours=1), key="Grid:e2"), soon()],
    )
    for opt, key in (
        ("out", "Grid:e1"),
        ("out", "Grid:e2"),
        ("in", "Grid:e1"),
        ("out", "Grid:e1"),
    ):
        answer = await call(hass, entry, "opt_event", opt=opt)
        assert answer is not None
        assert (answer["event"], answer["opt"]) == (key, opt)


async def test_nobody_answers_for_what_is_unknown_or_over(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    ended = dt_util.now() - timedelta(hours=2)
    await report(hass, entry, events=[grid_event(ended - timedelta(hours=1), ended)])
    for key in ("Grid:e1", "Grid:e2"):
        with pytest.raises(ServiceValidationError):
            await call(hass, entry, "opt_event", event=key, opt="out")


async def test_nobody_takes_part_in_an_event_while_the_plant_takes_part_in_none(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(
        hass, machines, utility("Grid", GRID, "grid"), options={"take_part": False}
    )
    await report(hass, entry, events=[soon(opt="out")])
    with pytest.raises(ServiceValidationError) as refused:
        await call(hass, entry, "opt_event", event="Grid:e1", opt="in")
    assert refused.value.translation_key == "takes_no_part"
    await call(hass, entry, "opt_event", event="Grid:e1", opt="out")


async def test_secrets_are_for_administrators(
    hass: HomeAssistant,
    machines: Board,
    hass_read_only_user: MockUser,
    hass_admin_user: MockUser,
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID_3, "grid"))

    async def as_user(user: MockUser) -> Any:
        return await hass.services.async_call(
            DOMAIN,
            "get_demand_response",
            {"plant": entry.entry_id},
            blocking=True,
            return_response=True,
            context=Context(user_id=user.id),
        )

    with pytest.raises(Unauthorized):
        await as_user(hass_read_only_user)
    answer = await as_user(hass_admin_user)
    assert answer["connections"][0]["client_secret"] == SECRET
    assert SECRET not in repr(entry.runtime_data.demand_response.connections)
