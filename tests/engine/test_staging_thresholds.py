"""At what load a chiller is added or taken off: fixed, by lift, by the model."""

from typing import Any

from chiller_control.control.chiller_add_subtract import ChillerAddSubtract
from chiller_control.control.decision import ControlRefused, Inputs, Value
from chiller_control.control.primary_flow import PrimaryFlow
from chiller_control.control.staging_config import StagingConfig
from chiller_control.control.staging_plant import staging_plant
from chiller_control.control.staging_thresholds import (
    StagingThresholds,
    Thresholds,
    staging_part_load_ratio,
)
from factories import first, staging
import pytest
from whole_plant import form, readings, whole_plan

CHILLER = 1407.0


class Staging:
    """The parts of a staging automation on a whole plant."""

    def __init__(self, *others: dict[str, Any], **config: Any) -> None:
        self.plan = whole_plan(staging(3, **config), *others)
        automation = first(self.plan)
        self.plant = staging_plant(self.plan, automation)
        self.config = StagingConfig(automation)
        self.thresholds = StagingThresholds(
            self.plan, automation, self.plant, self.config
        )
        self.primary = PrimaryFlow(self.plan, self.plant, self.config)
        self.values = readings()
        self.now = 0.0

    def at(self, chillers: int, **values: Value | None) -> Thresholds:
        self.values |= {key.replace("__", "."): v for key, v in values.items()}
        self.now += 600.0
        inputs = Inputs(self.values)
        return self.thresholds.at(self.now, inputs, [CHILLER] * chillers)

    def pump(
        self, running: int = 1, settled: bool = True, **values: Value | None
    ) -> float:
        self.values |= {key.replace("__", "."): v for key, v in values.items()}
        self.now += 60.0
        chillers = self.plant.chillers[:running]
        return self.primary.step(self.now, Inputs(self.values), chillers, settled)


@pytest.mark.parametrize(
    ("lift", "ratio"),
    [(12, 45.0), (14, 49.8), (16, 63.7), (18, 77.5), (20, 90.0), (25, 90.0)],
)
def test_lift_ratio_is_that_of_guideline_36(lift: float, ratio: float) -> None:
    assert staging_part_load_ratio(lift, 12.0, 25.0) == pytest.approx(ratio, abs=0.1)


def test_fixed_thresholds_need_no_reading() -> None:
    staging_ = Staging()
    assert staging_.thresholds.points <= {"plant.chilled_water_supply_temperature"}
    assert staging_.at(2) == Thresholds(90.0, 80.0, 80.0, 90.0, 90.0, "")


def test_little_lift_adds_a_chiller_early() -> None:
    staging_ = Staging(staging="lift", minimum_lift=12, design_lift=25)
    low = staging_.at(1, plant__condenser_water_return_temperature=23.0)
    assert low.up == pytest.approx(63.7, abs=0.1)
    assert low.down == pytest.approx(low.up - 5.0)
    high = staging_.at(1, plant__condenser_water_return_temperature=34.0)
    assert (high.up, high.down) == (90.0, 80.0)


def test_lift_comes_from_the_chillers_where_the_header_is_silent() -> None:
    staging_ = Staging(staging="lift", minimum_lift=12, design_lift=25)
    lost = {
        f"chiller_{n}__condenser_water_leaving_temperature": 21.0 for n in (1, 2, 3)
    }
    found = staging_.at(1, plant__condenser_water_return_temperature=None, **lost)
    assert found.note == "lift 14.0 K"
    nothing = staging_.at(1, **dict.fromkeys(lost))
    assert (nothing.up, nothing.down) == (90.0, 80.0)
    assert "fixed thresholds" in nothing.note


def test_model_says_when_another_chiller_is_cheaper_or_needed() -> None:
    staging_ = Staging(
        staging="model", stage_up_threshold=130, stage_down_threshold=120
    )
    mild = staging_.at(1, weather__wet_bulb_temperature=22.0)
    hot = staging_.at(1, weather__wet_bulb_temperature=29.0)
    assert 95.0 < hot.up < mild.up < 125.0
    two = staging_.at(2, weather__wet_bulb_temperature=22.0)
    # Down is judged for one less, which has to have something in hand.
    assert two.down == pytest.approx(min(mild.rising - 5.0, mild.most - 10.0))
    assert mild.most - 10.0 < mild.rising - 5.0


def test_model_counts_pumps_as_they_run() -> None:
    """Where others slow them down, one chiller more costs little pumping."""
    towers = form("smart_ct", {"outputs": ["cdp_1", "cdp_2", "cdp_3", "ct_1"]}, {})
    wide: dict[str, Any] = {
        "staging": "model",
        "stage_up_threshold": 130,
        "start_saving": 0,
        "minimum_lift": 9,
    }
    cold = {"weather__wet_bulb_temperature": 12.0}
    fast = Staging(**wide).at(1, **cold)
    slow = Staging(towers, **wide, primary_flow="follow").at(1, **cold)
    assert slow.up < fast.up - 10.0


def test_a_start_for_its_saving_alone_must_be_worth_it() -> None:
    wide: dict[str, Any] = {
        "staging": "model",
        "stage_up_threshold": 130,
        "minimum_lift": 9,
    }
    cold = {"weather__wet_bulb_temperature": 12.0}
    eager = Staging(**wide, start_saving=0).at(1, **cold)
    reluctant = Staging(**wide, start_saving=10).at(1, **cold)
    assert eager.up + 2.0 < reluctant.up


@pytest.mark.parametrize("wet_bulb", [6.0, 12.0])
def test_a_start_costs_the_same_kilowatts_in_all_weather(wet_bulb: float) -> None:
    # A tenth of what a chiller takes at its rating, however little the plant takes.
    staging_ = Staging(
        staging="model", stage_up_threshold=150, minimum_lift=9, start_saving=10
    )
    found = staging_.at(1, weather__wet_bulb_temperature=wet_bulb)
    model = staging_.thresholds._model
    assert model is not None
    rated = CHILLER / model.ratings.coefficient_of_performance

    def saved(share: float) -> float:
        load = share / 100.0 * CHILLER
        fewer, more = (model.best(load, wet_bulb, 7.0, n) for n in (1, 2))
        return fewer.power - more.power

    assert saved(found.up - 2.0) < 0.1 * rated < saved(found.up + 2.0)


def test_a_chiller_that_runs_need_not_earn_its_start_again() -> None:
    wide: dict[str, Any] = {
        "staging": "model",
        "stage_up_threshold": 130,
        "minimum_lift": 9,
    }
    cold = {"weather__wet_bulb_temperature": 12.0}
    eager = Staging(**wide, start_saving=0)
    reluctant = Staging(**wide, start_saving=10)
    assert eager.at(2, **cold).down == reluctant.at(2, **cold).down
    assert eager.at(1, **cold).up == reluctant.at(1, **cold).rising


def test_a_start_that_comes_anyway_is_told_from_one_that_saves() -> None:
    wide: dict[str, Any] = {
        "staging": "model",
        "stage_up_threshold": 115,
        "start_saving": 10,
        "minimum_lift": 9,
    }
    mild = Staging(**wide).at(2, weather__wet_bulb_temperature=12.0)
    assert mild.rising < mild.up < mild.most == 115.0, "it could carry even more"
    hot = Staging(**wide).at(2, weather__wet_bulb_temperature=29.0)
    assert hot.up <= hot.most < 105.0, "in warm condenser water it carries less"
    by_load = Staging().at(2)
    assert by_load.rising == by_load.most == by_load.up


def test_a_falling_load_may_be_nearer_to_what_one_less_carries() -> None:
    found = Staging(
        staging="model", stage_up_threshold=105, stage_down_threshold=80
    ).at(2, weather__wet_bulb_temperature=26.0)
    assert found.down == 80.0
    assert 90.0 < found.falling <= 100.0
    by_load = Staging().at(2)
    assert by_load.falling == by_load.down, "only where a model says what is enough"


def test_model_never_trusts_a_stage_with_more_than_was_configured() -> None:
    found = Staging(staging="model", stage_up_threshold=85, stage_down_threshold=70).at(
        2
    )
    assert (found.up, found.down) == (85.0, 70.0)


def test_model_falls_back_to_fixed_thresholds_and_says_so() -> None:
    staging_ = Staging(staging="model")
    lost = {
        f"weather__{role}": None
        for role in ("wet_bulb_temperature", "outdoor_temperature")
    }
    found = staging_.at(1, **lost)
    assert (found.up, found.down) == (90.0, 80.0)
    assert "wet bulb not known" in found.note


def test_thresholds_are_reported_with_the_conditions() -> None:
    plan = whole_plan(staging(3, staging="lift", design_lift=25))
    controller = ChillerAddSubtract(plan, first(plan))
    values = readings(running=1) | {"plant.condenser_water_return_temperature": 23.0}
    for n in range(1, 4):
        for side in ("chilled", "condenser"):
            values[f"{side}_water_valve_{n}.open_command"] = n == 1
            values[f"{side}_water_valve_{n}.open_status"] = n == 1
    for at in range(0, 600, 60):
        decision = controller.step(float(at), Inputs(values))
    load = decision.attributes["conditions"][0]  # type: ignore[index]
    expected = staging_part_load_ratio(16.0, 12.0, 25.0)
    assert load["threshold"] == pytest.approx(expected, abs=0.1)
    assert decision.attributes["thresholds"] == "lift 16.0 K"


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"staging": "luck"}, "staging is 'luck'"),
        ({"design_lift": 10}, "not above minimum_lift"),
        ({"primary_flow": "some"}, "primary_flow is 'some'"),
        ({"primary_flow_minimum": 30}, "at least 55"),
        ({"staging": "model", "chiller_curves": "mine"}, "chiller_curves"),
    ],
)
def test_a_form_that_cannot_work_is_refused(config: dict[str, Any], says: str) -> None:
    with pytest.raises(ControlRefused, match=says):
        Staging(**config)


# Primary pumps


def test_primary_pumps_run_as_configured_unless_they_are_to_follow() -> None:
    staging_ = Staging()
    assert [staging_.pump() for _ in range(5)] == [100.0] * 5


def follow(**config: Any) -> Staging:
    return Staging(primary_flow="follow", **config)


def test_primary_pumps_begin_with_what_they_do() -> None:
    assert follow().pump(pchp_1__speed=72.0) == 72.0


def test_primary_flow_follows_the_secondary_flow() -> None:
    staging_ = follow()
    speed = 100.0
    for _ in range(20):
        speed = staging_.pump(
            chiller_1__chilled_water_flow=60.57 * speed / 100,
            plant__chilled_water_flow=48.0,
        )
    assert speed == pytest.approx(100 * 1.03 * 48.0 / 60.57, rel=0.025)


def test_chillers_keep_the_flow_that_they_need() -> None:
    staging_ = follow(primary_flow_minimum=60)
    speed = 100.0
    for _ in range(20):
        speed = staging_.pump(
            chiller_1__chilled_water_flow=60.57 * speed / 100,
            plant__chilled_water_flow=5.0,
        )
    assert speed == pytest.approx(60.0, abs=1.5)


def test_pumps_slow_down_slowly_and_speed_up_at_once() -> None:
    staging_ = follow()
    staging_.pump(pchp_1__speed=80.0)
    low = staging_.pump(plant__chilled_water_flow=20.0)
    assert low == 70.0
    assert staging_.pump(plant__chilled_water_flow=80.0) > 80.0


def test_pumps_run_as_configured_while_the_stage_changes() -> None:
    staging_ = follow()
    staging_.pump(pchp_1__speed=60.0)
    assert staging_.pump(settled=False) == 100.0


def test_pumps_run_as_configured_where_a_flow_is_not_known() -> None:
    staging_ = follow()
    staging_.pump(pchp_1__speed=60.0)
    assert staging_.pump(plant__chilled_water_flow=None) == 100.0
    assert "not known" in staging_.primary.note
