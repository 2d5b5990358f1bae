"""Three chillers that take turns, and what is read of them."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from chiller_control.control.chiller_sequence import ChillerSequence
from chiller_control.control.decision import Decision, Inputs, Value
from factories import automation, first, plan_of

BERLIN = ZoneInfo("Europe/Berlin")
THREE = ["chiller_1", "chiller_2", "chiller_3"]
NOON = datetime(2026, 11, 21, 12, tzinfo=BERLIN).timestamp()
WEEKLY = {
    "method": "schedule",
    "rotation_start": "2026-01-05",
    "rotation_days": 7,
    "rotation_time": "06:00:00",
}


def sequence(
    chillers: list[str] | None = None, reported: Any = None, **config: Any
) -> ChillerSequence:
    data = automation(
        "chiller_sequence",
        metadata={"chillers": THREE if chillers is None else chillers},
        config=config,
        reported=reported,
    )
    plan = plan_of(data, chillers=3)
    return ChillerSequence(plan, first(plan))


def readings(
    hours: tuple[float | None, ...] = (0.0, 0.0, 0.0),
    taken: dict[str, str] | None = None,
    holds: dict[str, str] | None = None,
    **more: Value | None,
) -> Inputs:
    """Return what is read; `chiller_1__alarm=True` is a point."""
    values: dict[str, Value | None] = {}
    for number, key in enumerate(THREE):
        values |= {
            f"{key}.run_status": False,
            f"{key}.run_command": False,
            f"{key}.alarm": False,
            f"{key}.staging_run_hours": hours[number],
            f"{key}.staging_starts": hours[number],
            f"{key}.sequence_position": 0.0,
        }
    values |= {key.replace("__", "."): value for key, value in more.items()}
    return Inputs(values, holds or {}, taken or {}, BERLIN)


def order(decision: Decision) -> list[str]:
    """Return who is first, second, ... by the places that are commanded."""
    places = {item.value: item.point.partition(".")[0] for item in decision.commands}
    assert len(places) == len(decision.commands), "two have the same place"
    return [places[place] for place in sorted(places) if place]


def state_of(decision: Decision, chiller: str) -> tuple[object, object]:
    chillers = decision.attributes["chillers"]
    assert isinstance(chillers, dict)
    return chillers[chiller]["state"], chillers[chiller]["reason"]
