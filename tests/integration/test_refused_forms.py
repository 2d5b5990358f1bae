"""Forms that cannot be right: said at once, in the words of the form, and gone when corrected."""

from datetime import date
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.chiller_plant.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    device_registry as dr,
    entity_registry as er,
    issue_registry as ir,
)
from tests.integration.planning import (
    REPOSITORY,
    automate,
    call,
    copy_blueprints,
    device,
    from_blueprint,
    get_plan,
    in_all_profiles,
    plain,
    point,
    registered,
)
from tests.integration.served_plant import ServedPlant, entry_for, set_up
from tests.integration.test_words import words
from tests.waiting import eventually

FORMS = {
    path.stem
    for path in (REPOSITORY / "blueprints" / "automation" / "chiller_plant").glob("*")
    if "control_type:" in path.read_text()
}
OTHER = """
plant: {key: annex, name: Annex, poll_interval: 5}
connections: {}
equipment:
  plant: {type: plant, name: Annex, points: {enable_command: {release: true}}}
  chiller_1:
    type: chiller
    name: Annex chiller
    points: {run_command: {release: false}}
profiles: [Always]
day_types: {weekdays: Always, weekends: Always}
"""


def chillers(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    return {"chillers": [device(hass, entry, f"chiller_{n}") for n in (1, 2)]}


def loop(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    return {
        "measurement": point(hass, entry, "plant.chilled_water_differential_pressure"),
        "outputs": [point(hass, entry, "schp_1.speed_command")],
    }


def pumps(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    return {"pumps": [device(hass, entry, f"schp_{n}") for n in (1, 2)]}


def towers(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    return {"towers": [device(hass, entry, f"ct_{n}") for n in (1, 2)]}


def window(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    return {"point": point(hass, entry, "plant.enable_command"), "value": "on"}


RIGHT: dict[str, Any] = {
    "chiller_sequence": chillers,
    "chiller_plant_schedule": lambda hass, entry: {},
    "chiller_add_subtract": chillers,
    "dynamic_setpoint": lambda hass, entry: {},
    "smart_ct": towers,
    "schp_control": pumps,
    "pid_control": loop,
    "custom_schedule": window,
}
"""What each form needs to be right, besides its defaults."""

WRONG: list[tuple[str, str, Any, str]] = [
    ("chiller_sequence", "chillers", ["device:ct_1"], "Chiller is asked for"),
    ("chiller_sequence", "chillers", [], "nothing is chosen"),
    ("chiller_sequence", "rotation_days", 0, "at least 1 days"),
    ("chiller_sequence", "rotation_time", "25:00:00", "not understood"),
    ("chiller_sequence", "method", {"turns": "weekly"}, "does not offer it"),
    ("chiller_sequence", "rotation_start", "2026-02-30", "not understood"),
    ("chiller_sequence", "minimum_difference", [1], "not a number"),
    ("chiller_plant_schedule", "operation", "sometimes", "does not offer it"),
    ("chiller_plant_schedule", "start_time", "soon", "not understood"),
    ("chiller_plant_schedule", "days", ["mon", "xyz"], "does not offer it"),
    ("chiller_plant_schedule", "days", [["mon"]], "does not offer it"),
    ("chiller_plant_schedule", "days", "mon", "one is chosen where several can be"),
    ("chiller_plant_schedule", "adaptive_start", "maybe", "neither on nor off"),
    ("chiller_plant_schedule", "comfort_temperature", True, "not a number"),
    ("chiller_plant_schedule", "zones", ["device:ct_1"], "Zone is asked for"),
    ("chiller_add_subtract", "chillers", ["device:schp_1"], "is of the kind SCHP"),
    ("chiller_add_subtract", "stage_up_threshold", 300, "at most 200 %"),
    ("chiller_add_subtract", "stage_hold", "a while", "not a duration"),
    ("chiller_add_subtract", "stage_hold", {"minutes": -5}, "not a duration"),
    ("chiller_add_subtract", "stage_hold", {"days": 10**30}, "not a duration"),
    ("chiller_add_subtract", "primary_flow", ["fixed"], "does not offer it"),
    ("chiller_add_subtract", "pump_speed", "nan", "not a number"),
    ("dynamic_setpoint", "method", "magic", "does not offer it"),
    ("dynamic_setpoint", "zones", ["device:ct_1"], "Zone is asked for"),
    ("dynamic_setpoint", "supply_temperature_maximum", "warm", "not a number"),
    ("dynamic_setpoint", "trim_interval", 120, "not a duration"),
    ("dynamic_setpoint", "outputs", ["point:ct_1.run_command"], "does not offer it"),
    ("smart_ct", "towers", ["device:chiller_1"], "CT is asked for"),
    ("smart_ct", "condenser_pumps", ["device:schp_1"], "CDP is asked for"),
    ("smart_ct", "approach", -1, "at least 0 K"),
    ("smart_ct", "law", {"law": "model"}, "does not offer it"),
    ("smart_ct", "cell_hold", {"minutes": "long"}, "not a duration"),
    ("smart_ct", "fan_speed_maximum", "inf", "not a number"),
    ("schp_control", "pumps", ["device:pchp_1"], "SCHP is asked for"),
    (
        "schp_control",
        "sensors",
        ["point:plant.chilled_water_flow"],
        "not of the kind that this field takes",
    ),
    ("schp_control", "speed_minimum", 120, "at most 100 %"),
    ("schp_control", "pumps", ["schp_9"], "nothing of this name"),
    ("schp_control", "standby_pumps", [1], "not a number"),
    ("pid_control", "measurement", "sensor.of_nobody", "nothing of this name"),
    ("pid_control", "outputs", ["point:schp_1.run_command"], "not of the kind"),
    ("pid_control", "gain", -1, "at least 0"),
    ("pid_control", "gain", "1e400", "not a number"),
    ("pid_control", "action", ["reverse"], "does not offer it"),
    ("custom_schedule", "point", "point:plant.chilled_water_flow", "not of the kind"),
    ("custom_schedule", "repeat", "never", "does not offer it"),
    ("custom_schedule", "value", "", "nothing is chosen"),
    ("custom_schedule", "begin", "tomorrow", "not understood"),
    ("custom_schedule", "end_time", "24:30", "not understood"),
]
"""Type, field, answer, and what is said of it; `device:` and `point:` name what
the plant has."""


def test_every_form_is_tried_with_five_wrong_answers() -> None:
    kinds = [name for name, *_ in WRONG]
    assert set(kinds) == FORMS == set(RIGHT)
    assert all(kinds.count(kind) >= 5 for kind in kinds)


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    return hass_tmp_config_dir


@pytest.fixture
async def entry(hass: HomeAssistant, served: ServedPlant) -> MockConfigEntry:
    copy_blueprints(hass)
    return await set_up(hass, served.text)


def chosen(hass: HomeAssistant, entry: MockConfigEntry, answer: Any) -> Any:
    """Return what the browser sends for something that the plant has."""
    if isinstance(answer, list):
        return [chosen(hass, entry, item) for item in answer]
    match str(answer).split(":", 1):
        case ["device", key]:
            return device(hass, entry, key)
        case ["point", key]:
            return point(hass, entry, key)
    return answer


def issue(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> dict[str, str]:
    """Return what fills the issue of an automation, nothing if there is none."""
    found = ir.async_get(hass).async_get_issue(
        DOMAIN, f"automation_refused_{entry.entry_id}_{name}"
    )
    if found is None:
        return {}
    filling = dict(found.translation_placeholders or {})
    words()["issues"][str(found.translation_key)]["description"].format(**filling)
    return filling


def shown(hass: HomeAssistant, entry: MockConfigEntry, name: str) -> Any:
    """Return the sensor of an automation."""
    entity_id = er.async_get(hass).async_get_entity_id(
        "sensor", DOMAIN, f"two_chillers.plant.automation.{name}"
    )
    return entity_id and hass.states.get(entity_id)


def label(form: str, field: str) -> str:
    """Return what the form calls a field."""
    text = (
        REPOSITORY / "blueprints" / "automation" / "chiller_plant" / f"{form}.yaml"
    ).read_text()
    _, _, after = text.partition(f" {field}:\n")
    return after.partition("name: ")[2].partition("\n")[0].strip('"')


@pytest.mark.parametrize("form", sorted(FORMS))
async def test_wrong_answers_are_issues_and_states_and_never_planned(
    hass: HomeAssistant, entry: MockConfigEntry, form: str
) -> None:
    right = RIGHT[form](hass, entry)
    wrong = [item for item in WRONG if item[0] == form]
    answers = {
        f"wrong_{number}": right | {field: chosen(hass, entry, answer)}
        for number, (_, field, answer, _) in enumerate(wrong)
    }

    await automate(
        hass,
        *(
            from_blueprint(form, plant=entry.entry_id, **inputs)
            | {"id": name, "alias": name}
            for name, inputs in {**answers, "right": right}.items()
        ),
    )
    await registered(hass, entry, "right", *answers)
    await hass.async_block_till_done()

    for name, (_, field, _, said) in zip(answers, wrong, strict=True):
        told = issue(hass, entry, name)
        assert told["automation"] == name
        assert told["edit"] == f"/config/automation/edit/{name}"
        assert f"**{label(form, field)}**" in told["problems"]
        assert said in told["problems"]
        assert told["problems"].count("- **") == 1, told["problems"]
        assert shown(hass, entry, name).state == "refused"
        assert said in shown(hass, entry, name).attributes["message"]
    assert issue(hass, entry, "right") == {}
    assert shown(hass, entry, "right").state == "not_in_plan"
    plan = await get_plan(hass, entry)
    assert plan["automations"] == []
    assert [item["id"] for item in plan["idle"]] == ["right"]


async def test_a_date_without_quotes_is_a_date_all_the_same(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await automate(
        hass,
        from_blueprint(
            "chiller_sequence",
            plant=entry.entry_id,
            rotation_start=date(2026, 3, 2),
            **chillers(hass, entry),
        ),
    )
    await registered(hass, entry, "chiller_sequence_1")
    assert issue(hass, entry, "chiller_sequence_1") == {}
    (planned,) = (await get_plan(hass, entry))["idle"]
    assert planned["config"]["rotation_start"] == "2026-03-02"


async def test_equipment_of_another_plant_is_named_with_its_plant(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    other = entry_for(OTHER)
    other.add_to_hass(hass)
    await hass.config_entries.async_setup(other.entry_id)
    await hass.async_block_till_done()
    foreign = next(
        item.id
        for item in dr.async_entries_for_config_entry(
            dr.async_get(hass), other.entry_id
        )
        if item.name == "Annex chiller"
    )
    await automate(
        hass,
        from_blueprint(
            "chiller_sequence", plant=entry.entry_id, chillers=[foreign, foreign]
        ),
    )
    await eventually(lambda: issue(hass, entry, "chiller_sequence_1"))
    told = issue(hass, entry, "chiller_sequence_1")["problems"]
    assert "(Annex chiller): it belongs to Annex, not to Two chillers" in told


async def test_a_disabled_point_is_told_to_be_enabled(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    answers = loop(hass, entry)
    er.async_get(hass).async_update_entity(
        answers["outputs"][0], disabled_by=er.RegistryEntryDisabler.USER
    )
    await automate(
        hass,
        from_blueprint("pid_control", plant=entry.entry_id, **answers),
    )
    await eventually(lambda: issue(hass, entry, "pid_control_1"))
    assert "its entity is disabled" in issue(hass, entry, "pid_control_1")["problems"]


async def test_a_plant_that_is_not_there_is_refused_when_the_automation_is_saved(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    await automate(hass, from_blueprint("chiller_plant_schedule", plant="no_such"))
    await eventually(
        lambda: any(
            "no chiller plant" in str(item.translation_placeholders)
            for item in ir.async_get(hass).issues.values()
        )
    )
    state = hass.states.get("automation.chiller_plant_schedule")
    assert state is not None
    assert state.state == "unavailable"


@pytest.fixture
async def refused(
    hass: HomeAssistant, entry: MockConfigEntry
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Register one without a blueprint; return a wrong and a right form."""
    await automate(hass, plain("loop", entry, metadata={"outputs": ["nothing"]}))
    await eventually(lambda: issue(hass, entry, "loop"))
    await in_all_profiles(hass, entry, loop=3)
    common = {"automation": "automation.loop", "control_type": "pid_control"}
    return (
        {**common, "metadata": {"outputs": ["nothing"]}},
        {**common, "metadata": {"outputs": ["schp_1.speed_command"]}},
    )


async def test_an_issue_goes_when_the_form_is_corrected(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    refused: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    _, right = refused
    assert shown(hass, entry, "loop").state == "refused"
    await call(hass, entry, "apply_automation", **right)
    await hass.async_block_till_done()
    assert issue(hass, entry, "loop") == {}
    assert shown(hass, entry, "loop").state != "refused"
    assert [item["id"] for item in (await get_plan(hass, entry))["automations"]] == [
        "loop"
    ]


async def test_what_is_no_number_is_told_and_not_only_logged(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    refused: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    _, right = refused
    with pytest.raises(ServiceValidationError, match="Gain"):
        await call(
            hass, entry, "apply_automation", **right, config={"gain": float("nan")}
        )
    told = issue(hass, entry, "loop")["problems"]
    assert told == "- **Gain** (NaN): it is not a number. Enter a number."


async def test_an_answer_that_is_too_long_is_told_with_its_field(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    refused: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    _, right = refused
    with pytest.raises(ServiceValidationError, match="too long"):
        await call(
            hass, entry, "apply_automation", **right, config={"action": "x" * 20_000}
        )
    assert "too long" in issue(hass, entry, "loop")["problems"]


@pytest.mark.parametrize("gone", ["switched_off", "deleted"])
async def test_an_issue_goes_with_its_automation(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    refused: tuple[dict[str, Any], dict[str, Any]],
    gone: str,
) -> None:
    if gone == "switched_off":
        await hass.services.async_call(
            "automation", "turn_off", {"entity_id": "automation.loop"}, blocking=True
        )
    else:
        er.async_get(hass).async_remove("automation.loop")
    await eventually(lambda: issue(hass, entry, "loop") == {})


async def test_a_form_that_is_still_wrong_after_a_restart_is_told_again(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    refused: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    await hass.config_entries.async_unload(entry.entry_id)
    assert issue(hass, entry, "loop") == {}
    await hass.config_entries.async_setup(entry.entry_id)
    await eventually(lambda: issue(hass, entry, "loop"))
    assert (await get_plan(hass, entry))["automations"] == []


async def test_what_the_engine_refuses_is_told_in_the_words_of_the_form(
    hass: HomeAssistant, entry: MockConfigEntry
) -> None:
    answers = chillers(hass, entry) | {"minimum_lift": 30, "design_lift": 20}
    await automate(
        hass, from_blueprint("chiller_add_subtract", plant=entry.entry_id, **answers)
    )
    name = "chiller_add_subtract_1"
    await registered(hass, entry, name)

    async def report(state: str, **attributes: Any) -> None:
        await call(
            hass,
            entry,
            "report_state",
            automation=name,
            state=state,
            attributes=attributes,
        )
        await hass.async_block_till_done()

    await report(
        "refused",
        message="design_lift 20 K is not above minimum_lift 30 K",
        fields=["design_lift", "minimum_lift"],
    )
    told = issue(hass, entry, name)["problems"]
    assert told.startswith("- **Design lift / Least lift** (20 K, 30 K): ")
    assert '"Design lift" 20 K is not above "Least lift" 30 K' in told
    assert "_" not in told
    # It is in no profile, and nobody has to wait for its day to learn of it.
    assert shown(hass, entry, name).state == "refused"
    assert '"Least lift"' in shown(hass, entry, name).attributes["message"]

    await report("idle")
    assert issue(hass, entry, name) == {}
    assert shown(hass, entry, name).state == "not_in_plan"
