"""Hours and values of every form can be others for today, by the rules of the form."""

from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
import yaml

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from tests.integration.planning import (
    automate,
    call,
    copy_blueprints,
    from_blueprint,
    get_plan,
    in_all_profiles,
    registered,
)
from tests.integration.served_plant import ServedPlant, set_up
from tests.integration.test_refused_forms import FORMS, RIGHT

EDITS: dict[str, tuple[str, dict[str, Any]]] = {
    "chiller_plant_schedule": (
        (
            "{operation: between_times, start_time: '05:00:00', stop_time: '23:30:00',"
            " days: [sat, sun], adaptive_start: false}"
        ),
        {
            "operation": "between_times",
            "start_time": "05:00:00",
            "stop_time": "23:30:00",
            "days": ["sat", "sun"],
            "adaptive_start": False,
        },
    ),
    "chiller_sequence": (
        (
            "{method: schedule, rotation_days: 3, rotation_start: 2026-11-01,"
            " failure_time: {minutes: 2}}"
        ),
        {
            "method": "schedule",
            "rotation_days": 3,
            "rotation_start": "2026-11-01",
            "failure_time": 120.0,
        },
    ),
    "chiller_add_subtract": (
        "{staging: lift, stage_up_threshold: 85, stage_hold: {minutes: 20}}",
        {"staging": "lift", "stage_up_threshold": 85, "stage_hold": 1200.0},
    ),
    "dynamic_setpoint": (
        "{method: load, load_low: 30, load_high: 90.5, delay: {minutes: 5}}",
        {"method": "load", "load_low": 30, "load_high": 90.5, "delay": 300.0},
    ),
    "smart_ct": (
        (
            "{law: fixed, condenser_water_setpoint: 27, load_tiers: ['50'],"
            " cell_hold: {minutes: 4}}"
        ),
        {
            "law": "fixed",
            "condenser_water_setpoint": 27,
            "load_tiers": ["50"],
            "cell_hold": 240.0,
        },
    ),
    "schp_control": (
        "{setpoint: 80, standby_pumps: 1, flow_hold: {minutes: 8}}",
        {"setpoint": 80, "standby_pumps": 1, "flow_hold": 480.0},
    ),
    "pid_control": (
        "{setpoint: 95.5, gain: 0.3, action: direct, output_maximum: 80}",
        {"setpoint": 95.5, "gain": 0.3, "action": "direct", "output_maximum": 80},
    ),
    "custom_schedule": (
        (
            "{value: 'off', repeat: once, begin: 2026-11-22 12:00:00,"
            " end: '2026-11-22 13:00:00', begin_time: '12:00:00', days: [mon]}"
        ),
        {
            "value": "off",
            "repeat": "once",
            "begin": "2026-11-22 12:00:00",
            "end": "2026-11-22 13:00:00",
            "begin_time": "12:00:00",
            "days": ["mon"],
        },
    ),
}
"""What a person writes, as YAML, and what the engine is to get of it."""


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    return hass_tmp_config_dir


@pytest.fixture
async def entry(hass: HomeAssistant, served: ServedPlant) -> MockConfigEntry:
    copy_blueprints(hass)
    return await set_up(hass, served.text)


def test_every_form_is_edited() -> None:
    assert set(EDITS) == FORMS


async def test_what_is_edited_for_today_reaches_the_engine_and_the_form_stays(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await automate(
        hass,
        *(
            from_blueprint(form, plant=entry.entry_id, **RIGHT[form](hass, entry))
            | {"id": form}
            for form in EDITS
        ),
    )
    await registered(hass, entry, *EDITS)
    await in_all_profiles(hass, entry, **dict.fromkeys(EDITS, 5))
    usual = {item["id"]: item for item in (await get_plan(hass, entry))["automations"]}
    assert set(usual) == set(EDITS)

    await call(
        hass,
        entry,
        "edit_today",
        automations=[
            {"automation": form, "config": yaml.safe_load(text)}
            for form, (text, _) in EDITS.items()
        ],
    )

    today = {item["id"]: item for item in (await get_plan(hass, entry))["automations"]}
    for form, (_, wanted) in EDITS.items():
        assert today[form]["config"] == {**usual[form]["config"], **wanted}, form
        assert today[form]["metadata"] == usual[form]["metadata"]
    await call(hass, entry, "discard_today")
    after = {item["id"]: item for item in (await get_plan(hass, entry))["automations"]}
    assert {key: item["config"] for key, item in after.items()} == {
        key: item["config"] for key, item in usual.items()
    }


@pytest.mark.parametrize(
    ("form", "config", "said"),
    [
        ("chiller_plant_schedule", {"start_time": 21600}, "not understood"),
        ("chiller_plant_schedule", {"days": "mon"}, "one is chosen where"),
        ("chiller_add_subtract", {"stage_hold": 600}, "not a duration"),
        ("pid_control", {"gain": float("nan")}, "not a number"),
        ("pid_control", {"outputs": []}, "no setting"),
    ],
)
async def test_what_the_form_would_not_take_is_not_taken_for_today_either(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    form: str,
    config: dict[str, Any],
    said: str,
) -> None:
    await automate(
        hass,
        from_blueprint(form, plant=entry.entry_id, **RIGHT[form](hass, entry))
        | {"id": form},
    )
    await registered(hass, entry, form)
    await in_all_profiles(hass, entry, **{form: 5})
    before = await get_plan(hass, entry)
    with pytest.raises(ServiceValidationError, match=said):
        await call(
            hass,
            entry,
            "edit_today",
            automations=[{"automation": form, "config": config}],
        )
    assert await get_plan(hass, entry) == before
