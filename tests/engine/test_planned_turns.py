"""Turns and stage changes that are to come, and what people change of one of them."""

from datetime import datetime
import json
from typing import Any
from zoneinfo import ZoneInfo

from chiller_control.control.chiller_sequence import ChillerSequence
from chiller_control.control.decision import Decision, Inputs
from chiller_control.control.planned import Amendment, Amendments, PlannedAction
from factories import automation, first, plan_of
from staging_day import Day, in_stage_two, started

BERLIN = ZoneInfo("Europe/Berlin")
THREE = ["chiller_1", "chiller_2", "chiller_3"]
DAILY = {
    "method": "schedule",
    "rotation_start": "2026-01-05",
    "rotation_days": 1,
    "rotation_time": "06:00:00",
}
NOON = datetime(2026, 11, 21, 12, tzinfo=BERLIN).timestamp()
DAY = 86400.0


class Turns:
    """A sequence of three chillers, one of which runs."""

    def __init__(self, **config: Any) -> None:
        self.config = config
        self.hours = [0.0, 5.0, 9.0]
        self.runs = 0
        self.now = NOON
        self.amendments: Amendments = {}
        self.decision = Decision((), "", {})
        self.controller = self.made()

    def made(self, reported: Any = None) -> ChillerSequence:
        data = automation(
            "chiller_sequence",
            metadata={"chillers": THREE},
            config=self.config,
            reported=reported,
        )
        plan = plan_of(data, chillers=3)
        return ChillerSequence(plan, first(plan))

    def step(self) -> Decision:
        values = {}
        for number, key in enumerate(THREE):
            values |= {
                f"{key}.run_status": number == self.runs,
                f"{key}.staging_run_hours": self.hours[number],
                f"{key}.sequence_position": 0.0,
                f"{key}.alarm": False,
            }
        inputs = Inputs(values, {}, {}, BERLIN, self.amendments)
        self.decision = self.controller.step(self.now, inputs)
        return self.decision

    def run(self, hours: float) -> Decision:
        """Let the lead chiller run."""
        for _ in range(round(hours * 10)):
            self.now += 360
            self.hours[self.runs] += 0.1
            self.step()
        return self.decision

    def restart(self) -> None:
        attributes = json.loads(json.dumps(dict(self.decision.attributes)))
        self.controller = self.made({"attributes": attributes})

    @property
    def order(self) -> str:
        order = self.decision.attributes["order"]
        assert isinstance(order, list)
        return "".join(key[-1] for key in order)

    @property
    def next(self) -> PlannedAction:
        return self.decision.planned[0]

    def change(self, **amendment: Any) -> str:
        """Change the next turn; return its id."""
        self.step()
        self.amendments = {self.next.id: Amendment(by="Jo", **amendment)}
        return self.next.id


def test_turns_by_the_calendar_are_told_for_a_week() -> None:
    turns = Turns(**DAILY)
    planned = turns.step().planned
    assert len(planned) == 7
    assert turns.next.at == turns.next.original == NOON + 18 * 3600
    before, after = turns.next.before, turns.next.after
    assert isinstance(before, list)
    assert after == [*before[1:], before[0]]
    assert turns.next.equipment == (after[0],)
    assert planned == turns.controller.ahead(NOON, BERLIN, {})


def test_a_turn_is_left_out_and_the_one_after_it_is_not() -> None:
    turns = Turns(**DAILY)
    turns.change(cancelled=True)
    began = turns.order
    turns.now += DAY
    turns.step()
    assert turns.order == began
    turns.now += DAY
    turns.step()
    # As if nothing had been changed: two turns on.
    assert turns.order == began[2:] + began[:2]


def test_a_turn_is_moved_and_given_to_another_chiller() -> None:
    turns = Turns(**DAILY)
    turns.step()
    other = next(key for key in THREE if key not in turns.next.equipment)
    at = turns.next.at + 2 * 3600
    turns.change(at=at, equipment=other)
    began = turns.order
    turns.step()
    assert (turns.next.at, turns.next.equipment) == (at, (other,))
    turns.now = at - 1
    turns.step()
    assert turns.order == began
    turns.now = at
    decision = turns.step()
    assert turns.order[0] == other[-1]
    assert decision.events[0].reason.endswith("(by the calendar) (changed by Jo)")
    turns.now += DAY
    turns.step()
    assert turns.order == began[2:] + began[:2], "the next turn is not touched"


def test_a_turn_that_was_brought_forward_is_not_done_again() -> None:
    turns = Turns(**DAILY)
    turns.change(at=NOON + 3600)
    began = turns.order
    turns.now = NOON + 3600
    turns.step()
    moved = turns.order
    assert moved == began[1:] + began[:1]
    turns.now = NOON + 20 * 3600
    turns.step()
    assert turns.order == moved


def test_a_turn_by_run_hours_is_estimated() -> None:
    turns = Turns(method="run_hours", minimum_difference=10)
    turns.step()
    assert turns.next.estimated
    assert abs(turns.next.at - (NOON + 15 * 3600)) <= 60
    assert turns.next.equipment == ("chiller_2",)
    name = turns.next.id
    turns.run(14)
    assert turns.order == "123"
    assert turns.next.id == name
    turns.run(1.2)
    assert turns.order == "213"


def test_a_turn_by_run_hours_is_made_at_a_time() -> None:
    turns = Turns(method="run_hours", minimum_difference=10)
    turns.change(at=NOON + 2 * 3600)
    turns.run(1.9)
    assert (turns.order, turns.next.at) == ("123", NOON + 2 * 3600)
    turns.run(0.2)
    assert turns.order == "231"
    turns.runs = 1
    turns.run(9)
    assert turns.order == "231", "for as long as a turn lasts"


def test_a_turn_by_run_hours_is_put_off_and_survives_a_restart() -> None:
    turns = Turns(method="run_hours", minimum_difference=10)
    turns.change(at=NOON + 24 * 3600)
    turns.run(10)
    turns.restart()
    turns.run(13)
    assert turns.order == "123", "23 hours, and only 5 more were allowed"
    turns.run(1.2)
    assert turns.order[0] == "2"


def test_a_turn_by_run_hours_is_given_to_who_has_run_most() -> None:
    turns = Turns(method="run_hours", minimum_difference=10)
    turns.change(equipment="chiller_3")
    turns.run(15.2)
    assert turns.order == "321" or turns.order[0] == "3"
    turns.runs = 2
    turns.restart()
    turns.run(5)
    assert turns.order[0] == "3"
    turns.run(6)
    assert turns.order[0] != "3", "its turn is over"


def test_a_turn_by_run_hours_is_left_out_for_as_long_as_one_lasts() -> None:
    turns = Turns(method="run_hours", minimum_difference=10)
    name = turns.change(cancelled=True)
    turns.run(1)
    assert turns.next.cancelled
    turns.run(14.5)
    assert turns.order == "123"
    assert turns.next.id != name, "what follows is another one"
    turns.run(9)
    assert turns.order == "123"
    turns.run(1.5)
    assert turns.order[0] == "2"


# Stage changes


class Amended(Day):
    """A staging day in which somebody changes what is to come."""

    amendments: Amendments = {}

    def step(self) -> Decision:
        given = self.plant.inputs
        inputs = Inputs(
            given.values, given.holds, given.taken, given.time_zone, self.amendments
        )
        self.decision = self.controller.step(self.plant.now, inputs)
        self.events += self.decision.events
        return self.decision

    @property
    def planned(self) -> PlannedAction | None:
        return next(iter(self.decision.planned), None)


def waiting(kind: str, chillers: int = 3) -> Amended:
    """Return a plant whose next stage change waits for its hold."""
    day = started(chillers) if kind == "stage_up" else in_stage_two()
    day.__class__ = Amended
    assert isinstance(day, Amended)
    # What was warm at the start is cold by then.
    day.go(600)
    day.plant.load = 1350 if kind == "stage_up" else 300
    return day.go(3000, lambda: day.planned is not None)  # type: ignore[return-value]


def test_the_chiller_that_is_added_next_is_told_with_the_end_of_its_hold() -> None:
    day = waiting("stage_up")
    planned = day.planned
    assert planned is not None
    assert (planned.kind, planned.equipment) == ("stage_up", ("chiller_2",))
    assert (planned.before, planned.after) == (1, 2)
    assert planned.choices == ("chiller_2", "chiller_3")
    assert 0 < planned.at - day.plant.now <= 900 + 5
    day.go(planned.at - day.plant.now - 1)
    assert not day.happened("stage_up")
    day.go(15)
    assert len(day.happened("stage_up")) == 1


def test_a_stage_change_is_put_off_and_given_to_another_chiller() -> None:
    day = waiting("stage_up")
    planned = day.planned
    assert planned is not None
    later = planned.at + 1200
    day.amendments = {planned.id: Amendment(at=later, equipment="chiller_3", by="Jo")}
    day.go(10)
    assert day.planned is not None
    assert (day.planned.at, day.planned.equipment) == (later, ("chiller_3",))
    day.go(later - day.plant.now - 6)
    assert not day.happened("stage_up")
    day.go(20)
    (reason,) = day.happened("stage_up")
    assert reason.endswith("(changed by Jo)")
    event = next(item for item in day.events if item.event == "stage_up")
    assert event.data["equipment"] == "chiller_3"
    assert (event.data["from"], event.data["to"]) == (1, 2)
    day.go(900, day.is_stage(2))
    assert day.plant.values["chiller_3.run_status"] is True
    assert day.plant.values["chiller_2.run_status"] is False


def test_a_cancelled_stage_change_waits_for_another_hold() -> None:
    day = waiting("stage_up")
    planned = day.planned
    assert planned is not None
    day.amendments = {planned.id: Amendment(cancelled=True)}
    day.go(planned.at - day.plant.now + 600)
    assert not day.happened("stage_up")
    assert day.planned is not None and day.planned.id != planned.id
    day.go(day.planned.at - day.plant.now + 20)
    assert len(day.happened("stage_up")) == 1


def test_what_a_warm_supply_asks_for_is_not_put_off_with_the_load() -> None:
    day = waiting("stage_up")
    planned = day.planned
    assert planned is not None
    day.amendments = {planned.id: Amendment(at=planned.at + 20000)}
    day.plant.load = 2600
    day.go(3000, lambda: bool(day.happened("stage_up")))
    assert day.happened("stage_up")[0].startswith("Stage up: supply")


def test_another_chiller_than_the_last_is_taken_off() -> None:
    day = waiting("stage_down")
    planned = day.planned
    assert planned is not None
    assert (planned.kind, planned.equipment) == ("stage_down", ("chiller_2",))
    day.amendments = {planned.id: Amendment(equipment="chiller_1")}
    day.go(3000, day.is_stage(1))
    assert day.plant.values["chiller_2.run_status"] is True
    assert day.plant.values["chiller_1.run_status"] is False
