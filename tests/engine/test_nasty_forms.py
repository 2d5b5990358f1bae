"""Forms with nasty answers: refused with a reason, or run; never a fault.

What Home Assistant's editor offers is tried in any combination. What it does not
offer is tried too: forms are written by hand, and not all are made from a blueprint.
"""

from collections.abc import Mapping
from functools import cache
from math import isfinite
from typing import Any

from chiller_control.control.decision import ControlRefused, Inputs, Value
from chiller_control.control.plan import parse_plan
from factories import BANGKOK, automation, equipment, plan_data
from hypothesis import given, settings, strategies as st
import pytest
from test_refused_forms import BLUEPRINTS, build
import yaml

NOW = 1_780_304_400.0
KINDS = {
    "Chiller": "chiller",
    "CT": "cooling_tower",
    "CDP": "condenser_water_pump",
    "SCHP": "secondary_chilled_water_pump",
    "Zone": "zone",
}
"""What a form calls equipment, and its type in the plan."""
NASTY: tuple[Any, ...] = (
    None,
    "",
    "nan",
    "inf",
    "-1e400",
    -1,
    0,
    1e308,
    10**400,
    True,
    [],
    [None],
    {},
    {"hours": 1},
    "25:61:00",
    "2026-02-30",
    "0000-01-01",
    "9999-12-31",
    "\u0000☃" * 300,
)


class _Input(str):
    __slots__ = ()
    """Where a blueprint puts an answer in."""


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!input", lambda loader, node: _Input(node.value))


@cache
def _blueprint(control_type: str) -> Any:
    text = (BLUEPRINTS / f"{control_type}.yaml").read_text()
    return yaml.load(text, _Loader)


@cache
def _fields(control_type: str) -> dict[str, Mapping[str, Any]]:
    """Return the questions of a form by their names."""
    found: dict[str, Mapping[str, Any]] = {}
    for key, item in _blueprint(control_type)["blueprint"]["input"].items():
        found |= item.get("input", {key: item})
    return found


def _registered(control_type: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return metadata and config as the blueprint hands them on."""
    (action,) = _blueprint(control_type)["actions"]
    told = {
        part: {
            key: _seconds(answers[value]) if isinstance(value, _Input) else value
            for key, value in action["data"][part].items()
        }
        for part in ("metadata", "config")
    }
    if control_type == "smart_ct":  # the one that puts two answers together
        told["metadata"]["outputs"] = [
            *answers["towers"],
            *answers["condenser_pumps"],
        ]
    return told


def _seconds(answer: Any) -> Any:
    if isinstance(answer, dict) and answer.keys() == {"hours", "minutes", "seconds"}:
        return 3600.0 * answer["hours"] + 60.0 * answer["minutes"] + answer["seconds"]
    return answer


def _offered(question: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """Return what a person can answer in the editor."""
    kind, details = next(iter(question["selector"].items()))
    usual = question.get("default")
    found = _OFFERED[kind](details or {})
    if kind in ("device", "entity"):
        return found
    return st.one_of(found, st.just(usual)) if "default" in question else found


@cache
def _named(control_type: str) -> frozenset[str]:
    """Return the questions about machines and points, which reach the engine as keys."""
    (action,) = _blueprint(control_type)["actions"]
    return frozenset(map(str, action["data"]["metadata"].values()))


def _written(question: Mapping[str, Any], *, named: bool) -> st.SearchStrategy[Any]:
    """Return what somebody may write by hand, as far as it reaches the engine."""
    kind, details = next(iter(question["selector"].items()))
    if kind not in ("device", "entity") and not named:
        return st.sampled_from(NASTY)
    names = st.sampled_from(["", "nothing", "chiller_1", "plant.enable_command"])
    several = (details or {}).get("multiple")
    return st.lists(names, max_size=3) if several else names


def _numbers(details: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    low, high = details["min"], details["max"]
    between = st.floats(low, high).map(lambda number: round(number, 3))
    return st.one_of(st.sampled_from([low, high]), between)


def _choices(details: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    options = [
        item["value"] if isinstance(item, dict) else item for item in details["options"]
    ]
    one = st.sampled_from(options)
    if details.get("multiple"):
        return st.lists(one)
    return one


def _texts(details: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    one = st.sampled_from(["on", "7", "40", "70", "7,5", "", " ", "nan", "ein"])
    return st.lists(one, max_size=4) if details.get("multiple") else one


def _machines(details: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    filters = details.get("filter", [])
    filters = filters if isinstance(filters, list) else [filters]
    kinds = {KINDS[item["model_id"]] for item in filters}
    keys = [key for key, item in equipment().items() if item["type"] in kinds]
    chosen = st.lists(st.sampled_from(keys)) if keys else st.just([])
    return chosen if details.get("multiple") else st.sampled_from(keys)


def _points(details: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    keys = [
        f"{key}.{role}" for key, item in equipment().items() for role in item["points"]
    ]
    one = st.sampled_from(keys)
    return st.lists(one, max_size=4) if details.get("multiple") else one


_OFFERED: dict[str, Any] = {
    "number": _numbers,
    "select": _choices,
    "device": _machines,
    "entity": _points,
    "boolean": lambda details: st.booleans(),
    "text": _texts,
    "time": lambda details: st.times().map(lambda at: at.strftime("%H:%M:%S")),
    "date": lambda details: st.dates().map(str),
    "datetime": lambda details: st.datetimes().map(
        lambda at: at.strftime("%Y-%m-%d %H:%M:%S")
    ),
    "duration": lambda details: st.fixed_dictionaries(
        {
            "hours": st.integers(0, 30),
            "minutes": st.integers(0, 59),
            "seconds": st.integers(0, 59),
        }
    ),
}


def _judge(control_type: str, told: dict[str, Any], readings: list[Any]) -> None:
    plan = parse_plan(plan_data(automation(control_type, **told)))
    refused: ControlRefused | None = None
    try:
        controller = build(control_type)(plan, plan.automations[0])
    except ControlRefused as why:
        refused = why
    if refused is not None:
        assert str(refused)
        assert refused.fields, str(refused)
        assert set(refused.fields) <= _fields(control_type).keys()
        return
    for number, reading in enumerate(readings):
        values: dict[str, Value | None] = dict.fromkeys(controller.points, reading)
        decision = controller.step(NOW + 60.0 * number, Inputs(values, {}, {}, BANGKOK))
        assert decision.state
        assert dict(decision.attributes)["message"]
        for command in decision.commands:
            assert command.reason
            assert isfinite(float(command.value)), command


READINGS = st.lists(
    st.sampled_from([None, True, False, 0.0, 7.0, 100.0, -40.0, 1e6]), max_size=6
)
TYPES = sorted(
    path.stem
    for path in BLUEPRINTS.glob("*.yaml")
    if "control_type:" in path.read_text()
)


@pytest.mark.parametrize("control_type", TYPES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_the_editor_offers_runs_or_is_refused(
    control_type: str, data: st.DataObject
) -> None:
    answers = {
        key: data.draw(_offered(question), label=key)
        for key, question in _fields(control_type).items()
        if key != "plant"
    }
    _judge(control_type, _registered(control_type, answers), data.draw(READINGS))


@pytest.mark.parametrize("control_type", TYPES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_is_written_by_hand_runs_or_is_refused(
    control_type: str, data: st.DataObject
) -> None:
    questions = {
        key: item for key, item in _fields(control_type).items() if key != "plant"
    }
    nasty = data.draw(
        st.sets(st.sampled_from(sorted(questions)), min_size=1, max_size=3)
    )
    answers = {
        key: data.draw(
            _written(question, named=key in _named(control_type))
            if key in nasty
            else _offered(question)
        )
        for key, question in questions.items()
    }
    _judge(control_type, _registered(control_type, answers), data.draw(READINGS))
