"""Where the demonstration's plant stands: a day there must not end in the middle.

What the calendar says of a date is a part of the story, so that at midnight
another story would begin.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_ZONES = (
    "Asia/Singapore",
    "Asia/Dubai",
    "Africa/Abidjan",
    "America/Panama",
    "Pacific/Honolulu",
)
"""Hot places without daylight saving; their days end hours apart."""
_LONGEST = timedelta(minutes=90)


def time_zone(now: datetime, first_hour: int = 0, last_hour: int = 24) -> str:
    """Return a time zone in which the day goes on for long enough after `now`.

    And in which it is between two hours of the day, which must be ten apart.
    """

    def fits(zone: str) -> bool:
        begin = now.astimezone(ZoneInfo(zone))
        end = (now + _LONGEST).astimezone(ZoneInfo(zone))
        return begin.date() == end.date() and first_hour <= begin.hour < last_hour

    return next(filter(fits, _ZONES))
