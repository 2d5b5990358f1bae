"""What is told of shedding: to the utility by intervals, and to Home Assistant within its bounds."""

from dataclasses import replace
from itertools import pairwise
import json

from chiller_control.control.demand_response.grid_event import Interval, Signal
from chiller_control.control.demand_response.site import parse_site
from chiller_control.ven import Refusal
import pytest
from shed_site import BASELINE, UTILITY, site_data
from shedding_trial import BEGIN, HOUR, STEP, Trial, grid_event


def test_measure_that_is_refused_is_told_and_made_up_by_others() -> None:
    trial = Trial(grid_event())
    trial.house.refuses = "car_park"
    trial.run(900)
    assert trial.off == {"fountain", "heaters"}
    assert trial.load.power == pytest.approx(400.0, abs=15.0)
    assert trial.actions.count("shed_failed") == 1
    rows = {row["name"]: row for row in trial.report["attributes"]["measures"]}
    assert "interlocks" in rows["car_park off"]["unable"]


def test_house_that_does_not_answer_is_told_everything_later() -> None:
    trial = Trial(grid_event())
    trial.house.answers = False
    trial.run(1200)
    assert not trial.load.commands
    trial.house.answers = True
    trial.run(2 * STEP)
    assert trial.load.power == pytest.approx(400.0, abs=60.0), "no more than was asked"
    trial.run(300)
    assert trial.load.power == pytest.approx(400.0, abs=25.0)
    assert trial.actions[:2] == ["event_received", "event_begun"]


def test_refused_event_is_told() -> None:
    trial = Trial()
    trial.told.append(Refusal("grid", "e9", "it has no duration"))
    trial.run(STEP)
    [data, *_] = trial.house.of("report_demand_response")
    [action] = json.loads(data["report"])["actions"]
    assert action["event"] == "event_refused"
    assert action["reason"] == "Event e9 of grid is not taken: it has no duration"
    # By it Home Assistant knows that it was corrected.
    assert action["grid_event"] == "grid:e9"


def test_utility_hears_of_the_event_every_interval_and_once_after_it() -> None:
    trial = Trial(grid_event())
    trial.run(2 * HOUR)
    rows = [row for news in trial.news for row in news.rows]
    assert len(rows) == 61
    starts = [row.start for row in rows]
    assert starts == sorted(set(starts))
    assert (starts[0], starts[-1]) == (BEGIN, BEGIN + HOUR)
    values = rows[30].values
    assert values["DEMAND"] == pytest.approx(400.0, abs=25.0)
    assert values["BASELINE"] == BASELINE
    assert values["OPERATING_STATE"] == "RUNNING_CURTAILED"
    assert values["DATA_QUALITY"] == "OK"
    assert "LOAD_SHED_DELTA_AVAILABLE" in values


def test_utility_is_never_told_a_load_that_nobody_measured() -> None:
    trial = Trial(grid_event())
    trial.load.meter_works = False
    trial.run(900)
    rows = [row for news in trial.news for row in news.rows]
    assert rows
    assert all("DEMAND" not in row.values for row in rows)
    assert {row.values["DATA_QUALITY"] for row in rows} == {"MISSING"}


def test_opt_out_before_the_event_is_told_at_once_and_during_it_in_each_row() -> None:
    trial = Trial(grid_event())
    trial.run(60)
    trial.book.opt("grid:e1", "out", "by the operator")
    trial.run(60)
    (row,) = [row for news in trial.news for row in news.rows]
    assert row.values == {"OPERATING_STATE": "IDLE_OPTED_OUT"}
    assert (row.start, row.duration) == (BEGIN, HOUR)
    trial.run(900)
    last = [row for news in trial.news for row in news.rows][-1]
    assert last.values["OPERATING_STATE"] == "RUNNING_OPTED_OUT"


def test_event_that_is_cancelled_is_reported_up_to_then() -> None:
    trial = Trial(grid_event())
    trial.run(1205)
    trial.book.cancel("grid:e1", trial.now, "cancelled by the utility")
    trial.run(300)
    rows = [row for news in trial.news for row in news.rows]
    assert rows[-2].start + rows[-2].duration == pytest.approx(trial.now - 300)
    assert rows[-1].duration == 60.0
    assert trial.report["events"][0]["status"] == "cancelled"


@pytest.mark.parametrize("gone", [20.0, 900.0])
def test_event_that_the_utility_wants_again_is_shed_for_and_reported_again(
    gone: float,
) -> None:
    """The server forgot it for a moment, in the middle of it."""
    trial = Trial(grid_event())
    trial.run(1205)
    assert trial.load.power == pytest.approx(400.0, abs=25.0)
    trial.book.cancel("grid:e1", trial.now, "withdrawn by the utility")
    trial.run(gone)
    back = trial.now
    trial.receive(grid_event())
    trial.run(900)
    assert trial.load.power == pytest.approx(400.0, abs=25.0)
    trial.run(BEGIN + HOUR + 900 - trial.now)
    rows = [row for news in trial.news for row in news.rows]
    # No time is told twice, and none after it came back is left out.
    spans = [(row.start, row.start + row.duration) for row in rows]
    assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
    after = [span for span in spans if span[1] > back]
    assert after[0][0] <= back
    assert all(end == begin for (_, end), (begin, _) in pairwise(after))
    assert after[-1][1] >= BEGIN + HOUR
    assert trial.actions.count("event_completed") == 1
    assert trial.report["events"][0]["status"] == "completed"


def test_event_that_is_wanted_again_after_its_beginning_has_begun() -> None:
    trial = Trial(grid_event())
    trial.run(60)
    trial.book.cancel("grid:e1", trial.now, "withdrawn by the utility")
    trial.run(900)
    assert "event_begun" not in trial.actions
    trial.receive(grid_event())
    trial.run(60)
    told = [name for name in trial.actions if name.startswith("event_")]
    assert told[-2:] == ["event_modified", "event_begun"]


def test_report_that_would_be_too_long_leaves_the_farthest_out() -> None:
    steps = tuple(Interval(360.0, float(number % 4)) for number in range(100))
    events = [
        grid_event(
            f"e{number}",
            start=BEGIN + number * 10 * HOUR,
            duration=10 * HOUR,
            signals=(Signal("simple", steps),),
        )
        for number in range(100)
    ]
    trial = Trial(*events, known=False)
    trial.run(STEP)
    text = trial.house.of("report_demand_response")[-1]["report"]
    assert len(text) < 60_000
    assert trial.report["events"][0]["id"] == "e0"


def test_plant_with_hundreds_of_zones_fits_into_what_is_shown() -> None:
    data = site_data(UTILITY)
    many = [
        data["measures"][0] | {"key": f"m{number}", "name": f"Measure {number}"}
        for number in range(300)
    ]
    trial = Trial(grid_event(), measures=many)
    trial.run(900)
    attributes = trial.report["attributes"]
    assert len(json.dumps(attributes)) < 12_000
    assert attributes["measures_not_shown"] == 240


def test_fault_is_told_and_the_commands_run_out_by_themselves() -> None:
    trial = Trial(grid_event())
    trial.run(900)
    before = len(trial.house.of("command")), len(trial.house.of("release"))
    site = parse_site(site_data(UTILITY, **trial.sections))
    broken = replace(
        site,
        measures=tuple(replace(item, capacity_kw="much") for item in site.measures),  # type: ignore[arg-type]
    )
    trial.shedding.take(broken)
    trial.load.rest += 100.0
    trial.run(60)
    assert trial.report["state"] == "fault"
    assert trial.report["resume"]["shedding"]["uses"]
    after = len(trial.house.of("command")), len(trial.house.of("release"))
    assert after == before
