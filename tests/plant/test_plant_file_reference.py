"""The reference of the plant file knows every key, role, unit and template."""

from pathlib import Path

import pytest

from custom_components.chiller_plant.plant.plant_file import schema
from custom_components.chiller_plant.plant.plant_file.shipped import shipped_templates
from custom_components.chiller_plant.plant.roles import ROLES, EquipmentType
from custom_components.chiller_plant.plant.units import UNITS
from custom_components.chiller_plant.plant.vocabulary import EQUIPMENT_NAMES, ROLE_NAMES

_TEXT = (Path(__file__).parents[2] / "docs/plant-file.md").read_text()
_SECTIONS = {
    "top": schema.TOP,
    "plant": schema.PLANT,
    **schema.CONNECTIONS,
    **{f"device of {protocol}": each for protocol, each in schema.DEVICES.items()},
    "equipment": schema.EQUIPMENT,
    "point": schema.POINT,
    "interlocks": schema.INTERLOCKS,
}


@pytest.mark.parametrize("name", _SECTIONS)
def test_every_key_is_there(name):
    missing = [
        key
        for key in _SECTIONS[name].keys
        if f"`{key}`" not in _TEXT and f"\n{key}: " not in _TEXT
    ]
    assert missing == []


@pytest.mark.parametrize("kind", EquipmentType)
def test_every_role_is_there_with_its_other_names(kind):
    _, found, rest = _TEXT.partition(f"### `{kind}`\n")
    assert found
    part = rest.partition("\n#")[0]
    assert f"`{EQUIPMENT_NAMES[kind].brick}`" in part
    assert f"`{EQUIPMENT_NAMES[kind].haystack}`" in part
    rows = {row.split("|")[1].strip(): row for row in part.splitlines() if "|" in row}
    for name, role in ROLES[kind].items():
        row = rows[f"`{name}`"]
        names = ROLE_NAMES[kind][name]
        assert f"| `{names.haystack}` | `{names.brick}` |" in row
        assert ("| yes |" in row) is role.commandable
        assert f"| {role.tier} |" in row
    assert len(rows) == len(ROLES[kind]) + 2


def test_every_unit_is_there():
    for quantity, units in UNITS.items():
        row = f"({quantity.replace('_', ' ')}) | {', '.join(f'`{u}`' for u in units)} |"
        assert row in _TEXT


@pytest.mark.parametrize("key", shipped_templates())
def test_every_template_is_there_with_its_source_and_notes(key):
    shipped = shipped_templates()[key]
    assert f"| `{key}` | {shipped.name} | `{shipped.protocol}` |" in _TEXT
    assert shipped.source in _TEXT
    for note in (*shipped.notes, shipped.watchdog):
        assert " ".join(note.split()) in _TEXT
