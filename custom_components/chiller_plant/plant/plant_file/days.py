"""Which profile each type of day has, as a plant file says it."""

from collections.abc import Mapping, Sequence

from ..profiles import DAYS, HOLIDAY
from .problems import Problems, describe

WEEKDAYS = DAYS[:5]
WEEKENDS = DAYS[5:]
_GROUPS = {"weekdays": WEEKDAYS, "weekends": WEEKENDS}
_KEYS = (*_GROUPS, *DAYS, HOLIDAY)

DEFAULT_PROFILES = ("Weekday", "Weekend", "Holiday")


def resolve_day_types(
    profiles: Sequence[str],
    given: Mapping[str, object] | None,
    problems: Problems,
) -> dict[str, str]:
    """Return the profile of each of the seven days, `monday` first, and of holidays.

    A day's own key goes before `weekdays` and `weekends`. With nothing given,
    weekdays have the first profile, weekends the second (or the only) one, and
    holidays the third. Holidays may be left out: they are days like others then.
    """
    if not profiles:
        problems.add(("profiles",), "found an empty list", "at least one name")
        return {}
    if given is None:
        weekend = profiles[min(1, len(profiles) - 1)]
        return {
            **dict.fromkeys(WEEKDAYS, profiles[0]),
            **dict.fromkeys(WEEKENDS, weekend),
            **dict(zip((HOLIDAY,), profiles[2:3], strict=False)),
        }
    chosen: dict[str, str] = {}
    for key, profile in given.items():
        if key not in _KEYS:
            problems.add(("day_types", key), "unknown key", word=key, names=_KEYS)
        elif not isinstance(profile, str) or profile not in profiles:
            problems.add(
                ("day_types", key),
                f"profile {describe(profile)} is not defined",
                word=profile,
                names=profiles,
            )
        else:
            chosen[key] = profile
    groups = {day: group for group, days in _GROUPS.items() for day in days}
    days = {}
    for day in DAYS:
        keys = (day, groups[day])
        if not any(key in given for key in keys):
            problems.add(
                ("day_types",), f"no profile for {day}", f"give '{day}' or '{keys[1]}'"
            )
        elif profile := next((chosen[key] for key in keys if key in chosen), None):
            days[day] = profile
    if HOLIDAY in chosen:
        days[HOLIDAY] = chosen[HOLIDAY]
    return days
