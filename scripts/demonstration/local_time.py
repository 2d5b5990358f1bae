"""Where the demonstration's plant stands: a day there must not end in the middle.

What the calendar says of a date is a part of the story, so that at midnight
another story would begin.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_ZONES = ("Asia/Singapore", "Asia/Dubai")
"""Hot places without daylight saving; their days end hours apart."""
_LONGEST = timedelta(minutes=90)


def time_zone(now: datetime) -> str:
    """Return a time zone in which the day goes on for long enough after `now`."""
    return next(
        zone
        for zone in _ZONES
        if now.astimezone(ZoneInfo(zone)).date()
        == (now + _LONGEST).astimezone(ZoneInfo(zone)).date()
    )
