"""What the automations of KSPO must be at, hour by hour, as a person would say it.

Written from the table in `examples/kspo/README.md`, not from the files that are
judged, and without a line of the code that resolves days and priorities.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

type DayKind = Literal["monday", "weekday", "weekend"]

CHILDRENS_DAY = (5, 5)
OPEN_DAY = (2027, 5, 5)
SETTLED = timedelta(minutes=20)
"""After the plant may run, until which pumps and towers may still be starting."""

_ALWAYS = ("monday", "weekday", "weekend")
_ON_WEEKDAYS = ("monday", "weekday")


def day_kind(moment: datetime) -> DayKind:
    """Return which of the three profiles a day has."""
    if (moment.month, moment.day) == CHILDRENS_DAY or moment.weekday() >= 5:
        return "weekend"
    return "monday" if moment.weekday() == 0 else "weekday"


def plant_on(moment: datetime) -> bool:
    """Whether the plant may run: until one at night, and from six or eight on."""
    begins = 8 if day_kind(moment) == "weekend" else 6
    return moment.hour < 1 or moment.hour >= begins


def _settled(moment: datetime) -> bool:
    return plant_on(moment) and plant_on(moment - SETTLED)


def _between(begin: int, end: int) -> Callable[[datetime], bool]:
    return lambda moment: begin <= moment.hour < end


def _night(moment: datetime) -> bool:
    return moment.hour >= 20 or moment.hour < 7


def _saturday_evening(moment: datetime) -> bool:
    return moment.weekday() == 5 and 16 <= moment.hour < 23


def _open_day(moment: datetime) -> bool:
    day = (moment.year, moment.month, moment.day)
    return day == OPEN_DAY and 9 <= moment.hour < 17


_WINDOWS: Mapping[str, tuple[tuple[str, ...], Callable[[datetime], bool]]] = {
    "kspo_monday_pull_down": (("monday",), _between(6, 9)),
    "kspo_offices_night": (_ON_WEEKDAYS, _night),
    "kspo_offices_closed": (("weekend",), lambda _: True),
    "kspo_arena_saturday": (("weekend",), _saturday_evening),
    "kspo_gymnasium_open_day": (("weekend",), _open_day),
}
"""The days and the hours of the custom schedules."""

_DAYS: Mapping[str, tuple[str, ...]] = {
    "kspo_sequence_monday": ("monday",),
    "kspo_sequence_weekday": ("weekday",),
    "kspo_sequence_weekend": ("weekend",),
    "kspo_hours_weekday": _ON_WEEKDAYS,
    "kspo_hours_weekend": ("weekend",),
    "kspo_supply_by_requests": _ON_WEEKDAYS,
    "kspo_supply_by_weather": ("weekend",),
    "kspo_staging": _ALWAYS,
    "kspo_towers": _ON_WEEKDAYS,
    "kspo_loop_pchp": _ALWAYS,
    "kspo_loop_ct": _ALWAYS,
    "kspo_loop_cdp": _ALWAYS,
    "kspo_schp_arena": _ALWAYS,
    "kspo_schp_gymnasium": _ALWAYS,
    **{key: days for key, (days, _) in _WINDOWS.items()},
}
AUTOMATIONS = tuple(_DAYS)

_WORKS = frozenset({"controlling"})
_RESETS = frozenset({"controlling", "frozen"})
_GIVES_WAY = frozenset({"overridden"})
_IDLE = frozenset({"off", "disabled"})
_STAGES = frozenset({"starting", "running", "staging_up", "staging_down"})


@dataclass(frozen=True, slots=True)
class Expected:
    """What must be seen at a moment."""

    planned: frozenset[str]
    states: Mapping[str, frozenset[str]]
    """The states that an automation may be in; nothing is said of one that is missing."""
    owners: Mapping[str, str | None]
    """Who must command a point."""


WATCHED = (
    "plant.enable_command",
    "plant.chilled_water_supply_temperature_setpoint",
    "chiller_1.sequence_position",
    "chiller_2.sequence_position",
    "pchp_1.speed_command",
    "cdp_1.speed_command",
    "cdp_2.speed_command",
    "ct_1.speed_command",
    "ct_2.speed_command",
    "schp_arena_1.run_command",
    "schp_gymnasium_1.run_command",
    "offices.occupied_command",
    "arena.temperature_setpoint",
    "gymnasium.temperature_setpoint",
)
"""Points that more than one automation may want, or one only at times."""


def expected(moment: datetime) -> Expected:
    """Return what must be seen at a local time of the site."""
    kind = day_kind(moment)
    planned = frozenset(key for key, days in _DAYS.items() if kind in days)
    weekend = kind == "weekend"
    on = plant_on(moment)
    open_windows = {
        key for key, (days, hours) in _WINDOWS.items() if kind in days and hours(moment)
    }
    hours = "kspo_hours_weekend" if weekend else "kspo_hours_weekday"
    states = {
        key: frozenset({"active" if key in open_windows else "waiting"})
        for key in _WINDOWS.keys() & planned
    }
    if (
        "kspo_gymnasium_open_day" in states
        and "kspo_gymnasium_open_day" not in open_windows
    ):
        states["kspo_gymnasium_open_day"] = frozenset({"waiting", "over"})
    states[hours] = frozenset({"on" if on else "off"})
    owners: dict[str, str | None] = {
        "plant.enable_command": hours,
        "offices.occupied_command": next(
            (key for key in open_windows if key.startswith("kspo_offices")), None
        ),
        "arena.temperature_setpoint": _owner("kspo_arena_saturday", open_windows),
        "gymnasium.temperature_setpoint": _owner(
            "kspo_gymnasium_open_day", open_windows
        ),
    }
    for number in (1, 2):
        owners[f"chiller_{number}.sequence_position"] = f"kspo_sequence_{kind}"
    if _settled(moment):
        states |= _states_of_a_plant_that_runs(weekend, open_windows)
        reset = "kspo_supply_by_weather" if weekend else "kspo_supply_by_requests"
        if "kspo_monday_pull_down" in open_windows:
            reset = "kspo_monday_pull_down"
        owners["plant.chilled_water_supply_temperature_setpoint"] = reset
        owners["pchp_1.speed_command"] = "kspo_loop_pchp"
        owners["schp_arena_1.run_command"] = "kspo_schp_arena"
        owners["schp_gymnasium_1.run_command"] = "kspo_schp_gymnasium"
        for number in (1, 2):
            owners[f"ct_{number}.speed_command"] = (
                "kspo_loop_ct" if weekend else "kspo_towers"
            )
            owners[f"cdp_{number}.speed_command"] = (
                "kspo_loop_cdp" if weekend else "kspo_towers"
            )
    return Expected(planned, states, owners)


def _owner(automation: str, open_windows: set[str]) -> str | None:
    return automation if automation in open_windows else None


def _states_of_a_plant_that_runs(
    weekend: bool, open_windows: set[str]
) -> dict[str, frozenset[str]]:
    """Say what everybody is at while chillers run."""
    states = {
        "kspo_staging": _STAGES,
        "kspo_loop_pchp": _WORKS,
        "kspo_schp_arena": _WORKS,
        "kspo_schp_gymnasium": _WORKS,
    }
    if weekend:
        states["kspo_supply_by_weather"] = _RESETS
        states |= dict.fromkeys(("kspo_loop_ct", "kspo_loop_cdp"), _WORKS)
    else:
        states["kspo_towers"] = _WORKS
        states |= dict.fromkeys(("kspo_loop_ct", "kspo_loop_cdp"), _GIVES_WAY)
        pulled = "kspo_monday_pull_down" in open_windows
        states["kspo_supply_by_requests"] = _GIVES_WAY if pulled else _RESETS
    return states
