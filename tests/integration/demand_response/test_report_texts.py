"""Whatever an engine tells, it is taken as a whole or refused in words."""

import json
from typing import Any

from hypothesis import given, settings, strategies as st
import pytest
import voluptuous as vol

from custom_components.chiller_plant.demand_response.known_event import (
    KnownEvent,
    parse_report,
)
from custom_components.chiller_plant.demand_response.words import asked, title
from homeassistant.util import dt as dt_util

EVENT: dict[str, Any] = {
    "key": "Grid:e1",
    "id": "e1",
    "source": "Grid",
    "begins": 1.8e9,
    "ends": 1.8e9 + 3600.0,
    "signals": [{"kind": "simple", "intervals": [{"duration": 3600.0, "value": 2.0}]}],
}
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False)
    | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["kind", "intervals", "value", "duration"])
            | st.text(max_size=5),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(field=st.sampled_from([*EVENT, "cancelled", "recovery", "name"]), value=JSON)
def test_event_that_is_taken_can_be_shown(field: str, value: Any) -> None:
    text = json.dumps({"state": "idle", "events": [EVENT | {field: value}]})
    try:
        (row,) = parse_report(text)["events"]
    except vol.Invalid:
        return
    event = KnownEvent(**row)
    assert asked(event.signals)
    assert title(event, event.opt)
    assert event.stands(1.8e9)
    for moment in (event.begins, event.ends, event.stopped, event.received):
        dt_util.as_local(dt_util.utc_from_timestamp(moment))


@settings(max_examples=100, deadline=None)
@given(value=JSON)
def test_report_that_is_anything_is_refused_or_taken(value: Any) -> None:
    try:
        report = parse_report(json.dumps(value))
    except vol.Invalid:
        return
    assert report["state"]


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ([{"kind": "load_delta", "intervals": [{"value": -40.0}]}], "-40 kW"),
        ([{"kind": "capacity", "intervals": [{"value": 0.8}]}], "80 % of the capacity"),
        (
            [
                {
                    "kind": "simple",
                    "intervals": [{"value": 1.0}, {"value": 2.0}, {"value": None}],
                }
            ],
            "level 1, then level 2, then nothing",
        ),
        ([{"kind": "unheard of", "intervals": []}], "nothing that is known here"),
        ([], "nothing that is known here"),
        (
            [{"kind": "price", "intervals": [{"value": 0.1 * n} for n in range(1, 9)]}],
            ", then ".join(f"price 0.{n}" for n in range(1, 7)) + ", …",
        ),
    ],
    ids=["kW", "share", "steps", "unknown", "nothing", "many"],
)
def test_what_is_asked_is_said_in_words(
    signals: list[dict[str, Any]], said: str
) -> None:
    assert asked(signals) == said
