"""A meter with a past: hours in the recorder's own statistics, readings by Modbus."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)

from custom_components.chiller_plant.const import DOMAIN
from custom_components.chiller_plant.demand_response.meter_history import kilowatts
from homeassistant.auth.const import GROUP_ID_USER
from homeassistant.auth.models import TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN
from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.db_schema import Statistics, StatisticsShortTerm
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.site import (
    GRID,
    Board,
    grid_event,
    report,
    set_up_site,
    utility,
)
from tests.integration.planning import call
from tests.waiting import eventually

METER = "sensor.plant_meter_power"
USUAL = 300.0
WEEKEND = 60.0
WEDNESDAY = (2026, 6, 24)


def local(*when: int) -> datetime:
    """Return a moment by the clock on the wall of Home Assistant's place."""
    return datetime(*when, tzinfo=dt_util.get_default_time_zone())  # type: ignore[misc,arg-type]


def ordinary(moment: datetime) -> float:
    """Return the load of a building that sleeps at weekends."""
    return WEEKEND if moment.weekday() >= 5 else USUAL


async def import_hours(
    hass: HomeAssistant,
    until: datetime,
    load: Callable[[datetime], float] = ordinary,
    *,
    days: int = 50,
) -> None:
    """Let the recorder have the hours of the last days."""
    last = until.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    zone = dt_util.get_default_time_zone()
    starts = (last - timedelta(hours=hours) for hours in range(24 * days, 0, -1))
    await import_means(
        hass, Statistics, {start: load(start.astimezone(zone)) for start in starts}
    )


async def import_means(
    hass: HomeAssistant,
    table: type[Statistics | StatisticsShortTerm],
    means: Mapping[datetime, float],
) -> None:
    """Let the recorder have means of the meter, by when they begin."""
    get_instance(hass).async_import_statistics(
        {
            "mean_type": StatisticMeanType.ARITHMETIC,
            "has_sum": False,
            "name": None,
            "source": "recorder",
            "statistic_id": METER,
            "unit_class": "power",
            "unit_of_measurement": "kW",
        },
        [
            {"start": start.astimezone(UTC), "mean": mean, "min": mean, "max": mean}
            for start, mean in means.items()
        ],
        table,
    )
    await async_wait_recording_done(hass)


async def read(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    at: datetime,
    load: float,
) -> None:
    """Let the meter show a load at a moment, and Home Assistant read it."""
    clock.move_to(at)
    machines.show({"plant_meter.power": load})
    (entry,) = hass.config_entries.async_loaded_entries(DOMAIN)
    data = entry.runtime_data
    data.coordinator.poller.again([data.plant.points["plant_meter.power"]])
    await data.coordinator.async_refresh()
    await eventually(lambda: shown(hass) == pytest.approx(round(load, 1), abs=0.01))


def shown(hass: HomeAssistant) -> float | None:
    """Return what the meter's entity shows."""
    state = hass.states.get(METER)
    return None if state is None else kilowatts(state)


async def measure(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    since: datetime,
    until: datetime,
    load: float,
) -> None:
    """Let the meter show a load every five minutes, a little up and down."""
    at = since
    ripple = 0.1
    while at < until:
        await read(hass, clock, machines, at, load + ripple)
        at += timedelta(minutes=5)
        ripple = -ripple


async def site_with_a_past(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    now: datetime,
    load: Callable[[datetime], float] = ordinary,
    *,
    days: int = 50,
    options: Mapping[str, Any] | None = None,
) -> MockConfigEntry:
    """Set up the site at a moment of which the recorder knows the past."""
    clock.move_to(now)
    entry = await set_up_site(
        hass, machines, utility("Grid", GRID, "grid"), options=options
    )
    if days:
        await import_hours(hass, now, load, days=days)
    return entry


async def announce(
    hass: HomeAssistant, entry: MockConfigEntry, **fields: Any
) -> dict[str, Any]:
    """Let the engine tell of an event, wait for its baseline, and return that."""
    event = an_event(**fields)
    await report(hass, entry, events=[event])
    return await baseline(hass, entry, event["key"])


def an_event(
    begins: datetime, ends: datetime, *, delta: float = -100.0, **fields: Any
) -> dict[str, Any]:
    """Return an event that asks for so many kW less, without a recovery."""
    seconds = (ends - begins).total_seconds()
    return grid_event(
        begins,
        ends,
        **{
            "recovery": 0.0,
            "signals": [
                {
                    "kind": "load_delta",
                    "intervals": [{"duration": seconds, "value": delta}],
                }
            ],
            **fields,
        },
    )


async def baseline(
    hass: HomeAssistant, entry: MockConfigEntry, key: str = "Grid:e1"
) -> dict[str, Any]:
    """Return the baseline as the engine gets it."""
    room = entry.runtime_data.demand_response
    await eventually(lambda: key in room.baselines)
    await settled_down(entry)
    found: dict[str, Any] = room.baselines[key].told()
    return found


async def settled_down(entry: MockConfigEntry) -> None:
    """Wait until there is nothing left to settle."""
    settlement = entry.runtime_data.demand_response.settlement
    await eventually(lambda: settlement._task is None or settlement._task.done())


async def tell_time(hass: HomeAssistant, entry: MockConfigEntry) -> None:
    """Let the engine tell that it is there, which is what makes things go on."""
    await report(hass, entry)
    await settled_down(entry)
    await hass.async_block_till_done()


async def performances(
    hass: HomeAssistant, entry: MockConfigEntry, **data: Any
) -> list[dict[str, Any]]:
    """Return what came of events."""
    answer = await call(hass, entry, "get_performance", **data)
    assert answer is not None
    found: list[dict[str, Any]] = answer["performance"]
    return found


def mean(spans: list[list[float]], since: datetime, until: datetime) -> float:
    """Return the mean of a baseline over a time."""
    begin, end = since.timestamp(), until.timestamp()
    total = sum(load * max(min(b, end) - max(a, begin), 0.0) for a, b, load in spans)
    return total / (end - begin)


async def token(hass: HomeAssistant) -> str:
    """Return a token as a person makes it for another program, at the test's time."""
    user = await hass.auth.async_create_user("A program", group_ids=[GROUP_ID_USER])
    refresh = await hass.auth.async_create_refresh_token(
        user,
        client_name="A program",
        token_type=TOKEN_TYPE_LONG_LIVED_ACCESS_TOKEN,
        access_token_expiration=timedelta(days=3650),
    )
    return hass.auth.async_create_access_token(refresh)
