"""What automations report is written on the page of their control type.

The pages are what a person builds dashboards and automations from: a state, an
attribute or an event that is not there is not found, and one that changes its
type breaks what was built.
"""

from collections.abc import Mapping
from datetime import date, timedelta
import json
from pathlib import Path
import re
from typing import Any

import pytest

from benchmarks.week_parts.forms import forms_of
from benchmarks.week_parts.site_run import Record, run_site
from custom_components.chiller_plant.actions import ACTIONS
from tests.test_week_benchmark import SEOUL, SITE

# A day of the site takes half a minute on a machine of its own.
pytestmark = pytest.mark.timeout(900)
ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
TRANSLATIONS = ROOT / "custom_components" / "chiller_plant" / "translations" / "en.json"
COMMON = {"message", "conditions", "missing", "waiting", "resume"}
"""What the page that is about all of them says, and what is for the engine alone."""
COMMON_STATES = {"refused", "fault", "holding", "overridden", "off", "controlling"}
LISTS = {"conditions", "missing", "waiting", "order", "sensors", "notes"}
MAPPINGS = {"chillers", "requests", "pumps", "optimum"}


@pytest.fixture(scope="module")
def record() -> Record:
    """Run a working day of a site that has all control types."""
    return run_site(SITE, date(2026, 11, 23), 1, SEOUL, (), timedelta())


@pytest.fixture(scope="module")
def reported(record: Record) -> dict[str, list[tuple[str, Mapping[str, Any]]]]:
    """Return what was reported, by control type."""
    types = {form.entity_id: form.control_type for form in forms_of(SITE)}
    found: dict[str, list[tuple[str, Mapping[str, Any]]]] = {}
    for entity_id, report in record.reported.items():
        found.setdefault(types[entity_id], []).append(report)
    return found


def page(control_type: str) -> set[str]:
    """Return the words that a page sets as code."""
    text = (DOCS / "control-types" / f"{control_type.replace('_', '-')}.md").read_text()
    return set(re.findall(r"`([a-z_]+)`", text))


def test_all_control_types_were_seen(
    reported: dict[str, list[tuple[str, Mapping[str, Any]]]],
) -> None:
    assert len(reported) == 8


def test_every_state_and_attribute_is_on_the_page_of_its_type(
    reported: dict[str, list[tuple[str, Mapping[str, Any]]]],
) -> None:
    unwritten = {
        (control_type, word)
        for control_type, reports in reported.items()
        for state, attributes in reports
        for word in (*attributes, state)
        if word not in page(control_type) | COMMON | COMMON_STATES
    }
    assert unwritten == set()


def test_every_state_on_a_page_has_words_of_its_own() -> None:
    translations = json.loads(TRANSLATIONS.read_text())
    words = translations["entity"]["sensor"]["automation"]["state"]
    states: set[str] = set(COMMON_STATES)
    for path in (DOCS / "control-types").glob("*.md"):
        table = path.read_text().partition("| state | means |")[2].partition("\n\n")[0]
        for row in table.splitlines()[2:]:
            states.update(re.findall(r"`(\w+)`", row.split("|")[1]))
    assert {"active", "staging_up"} <= states
    assert states <= words.keys(), states - words.keys()


def test_every_attribute_has_the_type_that_its_name_says(
    reported: dict[str, list[tuple[str, Mapping[str, Any]]]],
) -> None:
    for reports in reported.values():
        for state, attributes in reports:
            assert isinstance(state, str)
            assert isinstance(attributes["message"], str)
            json.dumps(dict(attributes), allow_nan=False)
            for name, value in attributes.items():
                if name in LISTS:
                    assert isinstance(value, list), name
                elif name in MAPPINGS and value is not None:
                    assert isinstance(value, Mapping), name


def test_every_event_says_what_from_what_to_what_and_why(record: Record) -> None:
    assert record.told
    told = {item.event["event"] for item in record.told}
    assert told <= set(ACTIONS), told - set(ACTIONS)
    written = set().union(
        *(page(form.control_type) for form in forms_of(SITE)),
    )
    families = {name for name in told if re.match(r"(loop|setpoint|towers)_", name)}
    assert told - families <= written
    for item in record.told:
        event = item.event
        assert event["reason"], event
        assert event["equipment"], event
        assert event["to"] is not None, event
        assert "from" in event, event
