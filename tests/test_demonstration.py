"""What the demonstration decides by itself."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, strategies as st

from scripts.demonstration.local_time import time_zone


def test_plant_usually_stands_in_singapore() -> None:
    assert time_zone(datetime(2026, 11, 21, 8, tzinfo=UTC)) == "Asia/Singapore"
    assert time_zone(datetime(2026, 11, 21, 15, 45, tzinfo=UTC)) == "Asia/Dubai"
    assert time_zone(datetime(2026, 11, 21, 16, tzinfo=UTC)) == "Asia/Singapore"


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)))
def test_no_story_begins_shortly_before_midnight(moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)
    there = now.astimezone(ZoneInfo(time_zone(now)))
    assert there.date() == (there + timedelta(minutes=89)).date()
