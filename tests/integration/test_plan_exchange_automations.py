"""Taking in a plan whose automations are not there yet, or are others' to change."""

from datetime import date, timedelta
from pathlib import Path
import re

import pytest

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import entity_registry as er
from homeassistant.setup import async_setup_component
from tests.integration.exchange import export, take
from tests.integration.planning import UNCONNECTED, copy_blueprints, from_blueprint
from tests.integration.served_plant import set_up
from tests.waiting import eventually

SATURDAY = date(2026, 11, 21)
DAY = timedelta(days=1)


LOOP = """
  - id: kspo_loop
    name: "Kspo: pressure"
    control_type: custom_schedule
    blueprint: "chiller_plant/custom_schedule.yaml"
    inputs:
      point: "plant.enable_command"
      value: "on"
      begin_time: "08:00:00"
"""
FILE = f"""plant: two_chillers
automations:{LOOP}
profiles:
  Weekday: [{{automation: kspo_loop, priority: 100}}]
  Weekend: [{{automation: kspo_loop, priority: 100}}]
  Holiday: []
"""


@pytest.fixture
async def configured(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Have Home Assistant read automations.yaml from a folder of its own."""
    hass.config.config_dir = str(tmp_path)
    await hass.async_add_executor_job(copy_blueprints, hass)
    (tmp_path / "configuration.yaml").write_text(
        "automation: !include automations.yaml\n"
    )
    path = tmp_path / "automations.yaml"
    path.write_text(
        "# The night watch.\n"
        "- id: watch\n"
        "  alias: Watch   # kept\n"
        "  triggers: []\n"
        "  actions: []\n"
    )
    assert await async_setup_component(hass, "automation", {"automation": []})
    await hass.services.async_call("automation", "reload", blocking=True)
    return path


async def test_missing_automations_are_made_behind_those_that_are_there(
    hass: HomeAssistant, configured: Path
) -> None:
    before = configured.read_text()
    entry = await set_up(hass, UNCONNECTED)
    with pytest.raises(ServiceValidationError, match="is not there"):
        await take(hass, entry, FILE)
    assert configured.read_text() == before

    answer = await take(hass, entry, FILE, create_automations=True)

    assert answer["created_automations"] == ["Kspo: pressure"]
    assert configured.read_text().startswith(before)
    assert hass.states.get("automation.watch") is not None
    made = er.async_get(hass).async_get_entity_id(
        "automation", "automation", "kspo_loop"
    )
    assert made is not None
    registrations = entry.runtime_data.plan.store.decisions.registrations
    await eventually(lambda: "kspo_loop" in registrations)
    assert registrations["kspo_loop"].metadata == {"point": "plant.enable_command"}
    assert "switch." in configured.read_text(), "the form has what people choose"

    # On another Home Assistant it is the same plan.
    text = await export(hass, entry)
    assert LOOP in text
    again = await take(hass, entry, text, create_automations=True)
    assert (again["changed"], again["created_automations"]) == ([], [])

    answer = await take(hass, entry, text.replace("08:00:00", "09:00:00"))
    assert answer["different_automations"] == ["Kspo: pressure"]
    assert "08:00:00" in configured.read_text(), "nothing is changed unasked"


MINE = """# The night watch.
- id: watch
  alias: Watch   # kept
  triggers: []
  actions: []
# Of the arena.
- id: kspo_loop
  alias: Mine
  description: "Kept, too"
  use_blueprint:
    path: chiller_plant/custom_schedule.yaml
    input:
      plant: {plant}
      point: switch.two_chillers_enable_command
      value: 'on'   # gone: it is part of the form
      begin_time: "08:00:00"
      end_time: "10:00:00"

# After it.
- alias: Nobody's
  id: last
  triggers: []
  actions: []
"""


async def test_automations_that_are_there_are_changed_only_where_that_is_asked_for(
    hass: HomeAssistant, configured: Path
) -> None:
    entry = await set_up(hass, UNCONNECTED)
    text = MINE.replace("{plant}", entry.entry_id)
    await hass.async_add_executor_job(configured.write_text, text)
    await hass.services.async_call("automation", "reload", blocking=True)
    registrations = entry.runtime_data.plan.store.decisions.registrations
    await eventually(lambda: "kspo_loop" in registrations)
    assert registrations["kspo_loop"].config["end_time"] == "10:00:00"

    answer = await take(hass, entry, FILE)
    assert answer["different_automations"] == ["Mine"]
    assert configured.read_text() == text

    answer = await take(hass, entry, FILE, update_automations=True)

    assert answer["updated_automations"] == ["Mine"]
    assert answer["different_automations"] == []
    await eventually(
        lambda: registrations["kspo_loop"].config["end_time"] != "10:00:00"
    )
    after = configured.read_text()
    head, form, tail = (
        text.partition("    input:\n")[0].rpartition("  use_blueprint:")[0],
        after,
        text[text.index("\n# After it.") :],
    )
    assert form.startswith(head)
    assert form.endswith(tail)
    assert registrations["kspo_loop"].name == "Mine"
    again = await take(hass, entry, FILE, update_automations=True)
    assert again["updated_automations"] == []
    assert configured.read_text() == after


async def test_automation_that_is_written_elsewhere_is_not_changed_and_nothing_else_is(
    hass: HomeAssistant, configured: Path
) -> None:
    entry = await set_up(hass, UNCONNECTED)
    await take(hass, entry, FILE, create_automations=True)
    registrations = entry.runtime_data.plan.store.decisions.registrations
    await eventually(lambda: "kspo_loop" in registrations)
    text = configured.read_text()
    elsewhere = configured.parent / "elsewhere.yaml"
    elsewhere.write_text(text)
    configured.write_text("[]\n")
    (configured.parent / "configuration.yaml").write_text(
        "automation: !include elsewhere.yaml\n"
    )
    before = await export(hass, entry)
    with pytest.raises(ServiceValidationError, match="is not in automations.yaml"):
        await take(
            hass,
            entry,
            FILE.replace("08:00:00", "09:00:00"),
            update_automations=True,
        )
    assert (elsewhere.read_text(), configured.read_text()) == (text, "[]\n")
    assert await export(hass, entry) == before


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (("schedule.yaml", "shedule.yaml"), "shedule.yaml is not installed"),
        (('value: "on"', "valve: on"), "cannot be made"),
        (("chiller_plant/custom", "../custom"), "not said which blueprint"),
    ],
)
async def test_automation_that_cannot_be_made_keeps_the_whole_file_out(
    hass: HomeAssistant, configured: Path, damage: tuple[str, str], said: str
) -> None:
    entry = await set_up(hass, UNCONNECTED)
    before = configured.read_text(), await export(hass, entry)
    with pytest.raises(ServiceValidationError, match=re.escape(said)):
        await take(hass, entry, FILE.replace(*damage), create_automations=True)
    assert (configured.read_text(), await export(hass, entry)) == before


async def test_automations_that_home_assistant_does_not_read_are_taken_back(
    hass: HomeAssistant, configured: Path
) -> None:
    (configured.parent / "configuration.yaml").write_text("automation: []\n")
    entry = await set_up(hass, UNCONNECTED)
    before = configured.read_text(), await export(hass, entry)
    with pytest.raises(ServiceValidationError, match=r"automation: !include"):
        await take(hass, entry, FILE, create_automations=True)
    assert (configured.read_text(), await export(hass, entry)) == before


async def test_automations_of_the_example_are_exported_by_their_forms(
    hass: HomeAssistant, configured: Path
) -> None:
    entry = await set_up(hass, UNCONNECTED)
    made = from_blueprint(
        "custom_schedule",
        plant=entry.entry_id,
        point="switch.two_chillers_enable_command",
        value="on",
    )
    await hass.async_add_executor_job(
        configured.write_text,
        f"- id: {made['id']}\n"
        f"  alias: {made['alias']}\n"
        "  use_blueprint:\n"
        f"    path: {made['use_blueprint']['path']}\n"
        "    input:\n"
        f"      plant: {entry.entry_id}\n"
        "      point: switch.two_chillers_enable_command\n"
        "      value: 'on'\n",
    )
    await hass.services.async_call("automation", "reload", blocking=True)
    registrations = entry.runtime_data.plan.store.decisions.registrations
    await eventually(lambda: registrations)
    text = await export(hass, entry)
    assert 'point: "plant.enable_command"' in text
    assert entry.entry_id not in text
