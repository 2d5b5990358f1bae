"""The virtual week, a night and a day of it: the site runs, and its judges can say no."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import yaml

from benchmarks.week import figures_of, spread
from benchmarks.week_parts.comfort import unmet_kelvin_hours
from benchmarks.week_parts.days import site_days
from benchmarks.week_parts.expected_kspo import AUTOMATIONS, WATCHED, expected
from benchmarks.week_parts.forms import forms_of
from benchmarks.week_parts.plan_judge import judge_plan
from benchmarks.week_parts.site_run import STEP, Record, run_site
from benchmarks.week_parts.stage_judge import judge_stages
from benchmarks.week_parts.wire_judge import runs, violations
from custom_components.chiller_plant.plant.plant_file import load_plant

# The one run that all of them look at takes half a minute on a machine of its own.
pytestmark = pytest.mark.timeout(900)
SITE = Path(__file__).parents[1] / "examples" / "kspo"
SEOUL = ZoneInfo("Asia/Seoul")
CHILDRENS_DAY = date(2027, 5, 5)


@pytest.fixture(scope="module")
def record() -> Record:
    """Return a holiday in mid-week, from the evening of the working day before it."""
    return run_site(SITE, CHILDRENS_DAY, 1, SEOUL, WATCHED, timedelta(hours=4))


def local(hour: int, minute: int = 0, day: date = CHILDRENS_DAY) -> datetime:
    """Return a time at the site."""
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=SEOUL)


def rows(record: Record, begin: datetime, end: datetime) -> np.ndarray:
    """Return the rows between two times."""
    found: np.ndarray = (record.times >= begin.timestamp()) & (
        record.times < end.timestamp()
    )
    return found


def changed(record: Record, key: str, where: np.ndarray, value: float) -> Record:
    """Return a record in which a point was something else for a while."""
    wire = record.wire.copy()
    wire[where, record.keys.index(key)] = value
    return replace(record, wire=wire)


# --- the site


def test_the_site_has_its_nineteen_automations():
    forms = forms_of(SITE)

    assert Counter(form.control_type for form in forms) == {
        "chiller_sequence": 3,
        "chiller_plant_schedule": 2,
        "dynamic_setpoint": 2,
        "chiller_add_subtract": 1,
        "smart_ct": 1,
        "custom_schedule": 5,
        "pid_control": 3,
        "schp_control": 2,
    }
    assert {form.id for form in forms} == set(AUTOMATIONS)


def test_each_automation_has_a_profile_and_no_profile_two_orders():
    plant = load_plant(SITE / "plant.yaml")
    days = site_days(SITE, plant, forms_of(SITE))
    profiles = days.profiles.values()

    assert {key for profile in profiles for key in profile.automations} == set(
        AUTOMATIONS
    )
    for profile in profiles:
        for kind in ("kspo_sequence", "kspo_hours", "kspo_supply"):
            assert sum(key.startswith(kind) for key in profile.automations) == 1


def test_no_form_repeats_a_default():
    from benchmarks.week_parts.forms import BLUEPRINTS
    from scripts.demonstration.filled_forms import inputs_of, load_blueprint

    for site in (SITE, SITE.parent / "two_chillers"):
        for item in yaml.safe_load((site / "automations.yaml").read_text()):
            form = item["use_blueprint"]
            inputs = inputs_of(load_blueprint(BLUEPRINTS / form["path"]))
            for name, value in form["input"].items():
                assert inputs[name].get("default") != value, f"{item['id']}: {name}"


def test_an_input_that_the_form_does_not_have_is_named(tmp_path: Path):
    (tmp_path / "automations.yaml").write_text(
        """
        - id: one
          alias: Hours
          use_blueprint:
            path: chiller_plant/chiller_plant_schedule.yaml
            input: {plant: kspo, start: "06:00:00"}
        """
    )

    with pytest.raises(ValueError, match="Hours: the form has no start"):
        forms_of(tmp_path)


# --- the day


def test_every_automation_is_at_what_calendar_and_priorities_say(record: Record):
    verdict = judge_plan(record, expected)

    assert verdict.examples == []
    assert verdict.right == 100.0
    assert verdict.looks == len(record.moments) * (len(AUTOMATIONS) + len(WATCHED))


def test_no_machine_is_treated_as_it_must_not_be(record: Record):
    assert violations(record) == []
    assert record.trouble == []
    assert record.complaints == []


def test_every_stage_change_has_its_reason(record: Record):
    verdict = judge_stages(record)

    assert len(verdict.changes) >= 4
    assert verdict.without_reason == []


def test_the_next_profile_takes_over_from_a_plant_that_runs(record: Record):
    after_midnight = rows(record, local(0), local(0, 55))
    running = [record.column(f"chiller_{n}.run_status")[after_midnight] for n in (1, 2)]

    assert any(column.all() for column in running)


def test_the_buildings_are_comfortable(record: Record):
    assert sum(unmet_kelvin_hours(record).values()) == 0.0


def test_the_figures_have_their_names(record: Record):
    figures, details = figures_of(record)

    assert [figure.key for figure in figures] == [
        "week.automations_right",
        "week.interlock_violations",
        "week.stage_changes",
        "week.stage_changes_without_reason",
        "week.unmet_kh",
        "week.run_hours_spread",
    ]
    assert all(figure.kept is not False for figure in figures), details


# --- the judges


def test_a_wrong_owner_is_seen(record: Record):
    moments = [
        replace(item, owners={**item.owners, "ct_1.speed_command": "kspo_towers"})
        for item in record.moments
    ]

    assert judge_plan(replace(record, moments=moments), expected).right < 100.0


def test_an_automation_that_is_in_the_plan_on_a_wrong_day_is_seen(record: Record):
    moments = [
        replace(item, planned=item.planned | {"kspo_towers"}) for item in record.moments
    ]
    verdict = judge_plan(replace(record, moments=moments), expected)

    assert verdict.wrong >= len(moments) - 5


def test_a_window_that_lasts_too_long_is_seen(record: Record):
    moments = [
        replace(item, states={**item.states, "kspo_gymnasium_open_day": "active"})
        if item.at >= local(17).timestamp()
        else item
        for item in record.moments
    ]
    verdict = judge_plan(replace(record, moments=moments), expected)

    assert any("kspo_gymnasium_open_day" in line for line in verdict.examples)


def a_run(record: Record) -> tuple[str, int, int]:
    """Return a chiller and the rows between which it ran for hours."""
    for key in ("chiller_1", "chiller_2"):
        for begin, end in runs(record.column(f"{key}.run_status") > 0.5):
            if begin > 0 and (end - begin) * STEP > 4 * 3600.0:
                return key, begin, end
    raise AssertionError("no chiller ran for hours")


def within(record: Record, begin: int, seconds: float) -> np.ndarray:
    """Return the rows from one on, for so many seconds."""
    found = np.zeros(len(record.times), dtype=bool)
    found[begin : begin + round(seconds / STEP)] = True
    return found


def lost_flow(record: Record) -> Record:
    """Return a day on which a chiller ran without condenser water."""
    key, begin, _ = a_run(record)
    where = within(record, begin + 500, 120.0)
    return changed(record, f"{key}.condenser_water_flow_status", where, 0.0)


def short_stop(record: Record) -> Record:
    """Return a day on which a chiller was started again after five minutes."""
    key, begin, _ = a_run(record)
    where = within(record, begin + 500, 300.0)
    return changed(record, f"{key}.run_status", where, 0.0)


def many_starts(record: Record) -> Record:
    """Return a day on which a chiller was commanded on three times in an hour."""
    key, begin, _ = a_run(record)
    where = within(record, begin + 300, 60.0) | within(record, begin + 330, 60.0)
    where |= within(record, begin + 360, 60.0)
    return changed(record, f"{key}.run_command", where, 0.0)


def no_pump(record: Record) -> Record:
    """Return a day on which no condenser pump ran for two minutes."""
    _, begin, _ = a_run(record)
    where = within(record, begin + 500, 120.0)
    for number in (1, 2):
        record = changed(record, f"cdp_{number}.run_status", where, 0.0)
    return record


def shut_valve(record: Record) -> Record:
    """Return a day on which the valve of a running chiller was shut."""
    key, begin, _ = a_run(record)
    where = within(record, begin + 500, 120.0)
    return changed(record, f"chilled_water_valve_{key[-1]}.open_status", where, 0.0)


def both_at_once(record: Record) -> Record:
    """Return a day on which both chillers were commanded within a minute."""
    _, begin, _ = a_run(record)
    for number in (1, 2):
        column = record.column(f"chiller_{number}.run_command")
        where = within(record, begin + 500 + number, 4 * 3600.0)
        record = changed(
            record, f"chiller_{number}.run_command", where, 1.0 - column[begin + 499]
        )
    return record


def too_slow(record: Record) -> Record:
    """Return a day on which a drive was commanded below its limit."""
    where = within(record, 100, 60.0)
    return changed(record, "pchp_1.speed_command", where, 10.0)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lost_flow, "without condenser_water_flow_status"),
        (short_stop, "started after 300 s"),
        (many_starts, "times in an hour"),
        (no_pump, "fewer condenser_water_pumps than chillers"),
        (shut_valve, "shut"),
        (both_at_once, "s apart"),
        (too_slow, "below 25"),
    ],
)
def test_what_must_not_be_done_to_a_machine_is_seen(
    record: Record, spoil: Callable[[Record], Record], told: str
):
    assert any(told in line for line in violations(spoil(record)))


def test_a_change_that_nobody_told_of_is_seen(record: Record):
    verdict = judge_stages(replace(record, told=[]))

    assert verdict.changes
    assert sorted(verdict.without_reason) == verdict.changes


def test_a_reason_without_a_measurement_is_none(record: Record):
    told = [
        replace(item, event={**item.event, "reason": "Stage up"})
        for item in record.told
    ]

    assert judge_stages(replace(record, told=told)).without_reason


def test_a_warm_building_counts_while_people_are_in_it(record: Record):
    noon = rows(record, local(12), local(13))
    warm = changed(record, "arena.temperature", noon, 27.0)
    empty = changed(warm, "arena.occupied_command", noon, 0.0)
    closed = changed(
        record, "arena.temperature", rows(record, local(3), local(4)), 27.0
    )

    assert unmet_kelvin_hours(warm)["arena"] == pytest.approx(2.0, abs=0.05)
    assert unmet_kelvin_hours(empty)["arena"] == 0.0
    assert unmet_kelvin_hours(closed)["arena"] == 0.0


def test_run_hours_are_compared_with_their_mean():
    assert spread([95.0, 105.0]) == pytest.approx(10.0)
    assert spread([0.0, 0.0]) == 0.0


def test_what_is_expected_of_a_day_is_what_its_people_would_say():
    monday, tuesday = date(2027, 5, 3), date(2027, 5, 4)

    assert expected(local(7, 0, monday)).owners[
        "plant.chilled_water_supply_temperature_setpoint"
    ] == ("kspo_monday_pull_down")
    assert expected(local(12, 0, tuesday)).owners["ct_1.speed_command"] == "kspo_towers"
    assert expected(local(12)).owners["ct_1.speed_command"] == "kspo_loop_ct"
    assert expected(local(7)).states["kspo_hours_weekend"] == {"off"}
    assert expected(local(8)).states["kspo_hours_weekend"] == {"on"}
    assert "kspo_offices_night" in expected(local(12, 0, tuesday)).planned
