"""What the demonstration decides by itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st
import pytest

from scripts.demonstration.filled_forms import filled_forms
from scripts.demonstration.local_time import time_zone
from scripts.demonstration.own_folder import own_folder
from scripts.demonstration.process import ProcessError

ROOT = Path(__file__).parents[1]


def test_plant_usually_stands_in_singapore() -> None:
    assert time_zone(datetime(2026, 11, 21, 8, tzinfo=UTC)) == "Asia/Singapore"
    assert time_zone(datetime(2026, 11, 21, 15, 45, tzinfo=UTC)) == "Asia/Dubai"
    assert time_zone(datetime(2026, 11, 21, 16, tzinfo=UTC)) == "Asia/Singapore"


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_no_story_begins_shortly_before_midnight(moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    there = now.astimezone(ZoneInfo(time_zone(now)))
    assert there.date() == (there + timedelta(minutes=89)).date()


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_a_site_that_is_used_by_day_is_shown_by_day(moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)

    assert 9 <= now.astimezone(ZoneInfo(time_zone(now, 9, 19))).hour < 19


def filled(speed: float) -> dict[str, dict[str, object]]:
    """Return the inputs of the site's forms by automation."""
    forms = filled_forms(
        ROOT / "examples" / "kspo",
        ROOT / "blueprints" / "automation",
        speed,
        lambda kind, name: f"the {kind} of {name}",
    )
    return {key: form["use_blueprint"]["input"] for key, form in forms.items()}


def test_forms_hold_the_ids_that_their_selectors_show() -> None:
    forms = filled(1)

    assert forms["kspo_staging"]["plant"] == "the config_entry of kspo"
    assert forms["kspo_staging"]["chillers"] == [
        "the device of chiller_1",
        "the device of chiller_2",
    ]
    assert forms["kspo_offices_night"]["point"] == (
        "the entity of offices.occupied_command"
    )
    assert forms["kspo_offices_night"]["value"] == "off"


def test_times_of_a_form_run_as_fast_as_the_plant() -> None:
    forms = filled(30)

    assert forms["kspo_staging"]["stage_hold"] == {"seconds": 30}
    assert forms["kspo_loop_pchp"]["integral_time"] == 20.0
    assert forms["kspo_towers"]["fan_rate"] == 300.0
    assert forms["kspo_sequence_weekend"]["minimum_difference"] == 0.1
    # A proof takes a few polls, whatever the speed; a clock is a clock.
    assert forms["kspo_staging"]["proof_timeout"] == {"seconds": 20.0}
    assert forms["kspo_offices_night"]["begin_time"] == "20:00:00"


def test_two_demonstrations_do_not_write_one_database(tmp_path: Path) -> None:
    with own_folder(tmp_path / "demo" / "check") as folder:
        folder.mkdir()
        with pytest.raises(ProcessError, match="another demonstration runs in"):
            own_folder(folder).__enter__()
        with own_folder(folder.with_name("event")):
            pass
    with own_folder(folder):
        pass
