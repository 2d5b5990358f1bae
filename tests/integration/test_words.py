"""Everything that people read is written, and what Home Assistant reads is valid."""

from collections.abc import Iterator
import json
from pathlib import Path
import re
import string
from typing import Any

import pytest

from custom_components.chiller_plant.plant.roles import ROLES
from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.service import _SERVICES_SCHEMA
from homeassistant.loader import async_get_integration
from homeassistant.util.yaml import load_yaml_dict
from tests.integration.served_plant import ServedPlant, set_up

INTEGRATION = Path(__file__).parents[2] / "custom_components" / "chiller_plant"
RULES = 54


def words() -> dict[str, Any]:
    """Return the English texts."""
    found: dict[str, Any] = json.loads(
        (INTEGRATION / "translations" / "en.json").read_text()
    )
    return found


def icons() -> dict[str, Any]:
    """Return the icons."""
    found: dict[str, Any] = json.loads((INTEGRATION / "icons.json").read_text())
    return found


def source() -> str:
    """Return all code of the integration that knows Home Assistant."""
    rooms = ("*.py", "demand_response/*.py")
    return "\n".join(
        path.read_text() for room in rooms for path in INTEGRATION.glob(room)
    )


def texts(tree: Any) -> Iterator[str]:
    """Yield every text in a tree."""
    if isinstance(tree, str):
        yield tree
    else:
        for branch in tree.values():
            yield from texts(branch)


async def test_every_entity_has_a_name_of_its_own(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    named = words()["entity"]
    entities = er.async_entries_for_config_entry(er.async_get(hass), entry.entry_id)
    assert len(entities) > 180
    for entity in entities:
        if entity.domain != "climate":
            assert entity.translation_key in named[entity.domain], entity.entity_id
    ids = [entity.entity_id for entity in entities]
    assert not [entity_id for entity_id in ids if re.search(r"_\d+_\d+$", entity_id)]


def test_every_role_is_named_on_the_platforms_that_may_show_it() -> None:
    named = words()["entity"]
    for roles in ROLES.values():
        for role in roles.values():
            if role.quantity.is_boolean:
                platforms = ["binary_sensor"] + ["switch"] * role.commandable
            else:
                platforms = ["sensor"] + ["number"] * role.commandable
            for platform in platforms:
                assert role.name in named[platform], f"{platform}: {role.name}"


def test_every_error_has_a_text() -> None:
    written = words()["exceptions"]
    code = source() + (INTEGRATION / "plant" / "arbiter.py").read_text()
    used = set(re.findall(r'CommandRefused\(\s*"(\w+)"', code))
    used |= set(re.findall(r'_refused\(\s*"(\w+)"', code))
    for block in re.findall(r"(?:Error|UpdateFailed)\((.*?)\n\s*\)", code, re.DOTALL):
        used |= set(re.findall(r'translation_key="(\w+)"', block))
    assert {"out_of_limits", "nothing_answers", "not_a_point"} <= used
    assert used <= written.keys(), used - written.keys()


def test_every_issue_has_a_text() -> None:
    written = words()["issues"]
    used: set[str] = set()
    for block in re.findall(r"async_create_issue\((.*?)\n\s*\)", source(), re.DOTALL):
        used |= set(re.findall(r'translation_key="(\w+)"', block))
    assert {"silent_device", "mismatch"} <= used
    assert used <= written.keys(), used - written.keys()


def test_every_action_and_field_has_a_name_and_an_icon() -> None:
    services = load_yaml_dict(str(INTEGRATION / "services.yaml"))
    _SERVICES_SCHEMA(services)
    named = words()["services"]
    assert named.keys() == services.keys()
    assert icons()["services"].keys() == services.keys()
    for name, service in services.items():
        assert named[name]["name"]
        assert named[name]["description"]
        assert named[name]["fields"].keys() == service["fields"].keys(), name


FLOWS = {
    "config": ("discovery", "ede", "machine_form", "mapping", "network", "plant_file"),
    "options": (
        "days",
        "demand_response",
        "installing",
        "options",
        "plan_exchange",
        "plant_file",
        "point_test",
        "portfolio",
    ),
}
"""The files of each kind of flow."""


def problems_of_an_installation() -> set[str]:
    """Return the keys of all that can keep files from being installed."""
    code = source()
    found = set(re.findall(r'InstallationError\(\s*"(\w+)"', code))
    found |= set(re.findall(r'errno\.E\w+: "(\w+)"', code))
    return found | set(re.findall(r'errno or 0, "(\w+)"', code))


def test_every_problem_of_an_installation_is_written_where_it_is_repaired() -> None:
    for issue in ("install_offer", "engine_outdated"):
        written = words()["issues"][issue]["fix_flow"]["error"]
        assert written.keys() == problems_of_an_installation()


@pytest.mark.parametrize("kind", FLOWS)
def test_every_step_and_error_of_a_flow_is_written(kind: str) -> None:
    flow = words()[kind]
    code = "\n".join(
        (INTEGRATION / "flows" / f"{name}.py").read_text() for name in FLOWS[kind]
    )
    if kind == "config":
        code += (INTEGRATION / "config_flow.py").read_text()
    working = set(re.findall(r'_show_progress\(\s*"(\w+)"', code))
    assert working == set(flow["progress"])
    steps = set(re.findall(r"def async_step_(\w+)", code))
    assert steps - working - {"simulated", "proposal", "finish"} == set(flow["step"])
    refused = set(re.findall(r'Refused\(\s*"(\w+)"', code))
    refused |= set(re.findall(r'errors\[[^\]]+\](?:, problems)? = "(\w+)"', code))
    if kind == "options":
        refused |= problems_of_an_installation()
    assert refused == set(flow["error"])
    ended = set(re.findall(r'async_abort\(reason="(\w+)"', code))
    assert ended <= set(flow["abort"])


@pytest.mark.parametrize("kind", FLOWS)
def test_every_field_of_a_form_is_named_and_explained(kind: str) -> None:
    for name, step in words()[kind]["step"].items():
        assert step["title"], name
        assert step.get("data", {}).keys() == step.get("data_description", {}).keys()
        assert step.get("menu_options", {}).keys() == (
            step.get("menu_option_descriptions", {}).keys()
        )


def test_every_role_and_type_of_equipment_is_named_where_it_is_chosen() -> None:
    roles = {name for rows in ROLES.values() for name in rows}
    named = words()["config"]["step"]["machine"]["data"].keys()
    assert roles == named - {"keep", "name", "type", "devices"}
    types = words()["selector"]["equipment_type"]["options"]
    assert types.keys() == {kind.value for kind in ROLES}


def test_texts_are_well_formed() -> None:
    for text in texts(words()):
        assert text == text.strip()
        # Raises for a placeholder that is not closed.
        list(string.Formatter().parse(text))


async def test_the_manifest_says_what_home_assistant_and_hacs_want(
    hass: HomeAssistant,
) -> None:
    manifest = json.loads((INTEGRATION / "manifest.json").read_text())
    keys = list(manifest)
    assert keys == ["domain", "name", *sorted(set(keys) - {"domain", "name"})]
    for required in ("codeowners", "documentation", "issue_tracker", "version"):
        assert manifest[required]
    # Home Assistant pins it for everybody; to ask for another version fails.
    assert not [item for item in manifest["requirements"] if "pymodbus" in item]
    integration = await async_get_integration(hass, "chiller_plant")
    assert integration.integration_type == "hub"
    assert integration.has_translations
    assert (INTEGRATION / "brand" / "icon.png").exists()


def test_every_rule_of_the_quality_scale_is_judged() -> None:
    rules = load_yaml_dict(str(INTEGRATION / "quality_scale.yaml"))["rules"]
    assert len(rules) == RULES
    for name, rule in rules.items():
        status = rule if isinstance(rule, str) else rule["status"]
        assert status in ("done", "exempt", "todo"), name
        assert status != "exempt" or rule["comment"], name


def test_titles_of_options_need_no_values() -> None:
    # The frontend fills in those of a config flow, and of no other.
    for step in words()["options"]["step"].values():
        assert "{" not in step["title"]
