"""An event is settled by the weather that there was in it, as the recorder knows it."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from random import Random

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
import pytest_socket

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.db_schema import Statistics, StatisticsShortTerm
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.metering import (
    WEDNESDAY,
    announce,
    baseline,
    local,
    mean,
    measure,
    performances,
    site_with_a_past,
    tell_time,
)
from tests.integration.demand_response.site import SITE, Board, board, told

STATION = """  weather:
    type: weather_station
    name: Weather station
    device: board
    points:
      outdoor_temperature: {{register: input, address: 20, scale: 0.1, limits: [-30, 60]}}
      solar_irradiance: {{register: input, address: 21, limits: [-20, 1600]}}
profiles:"""
OUTDOOR = "sensor.weather_station_outdoor_temperature"
SUN = "sensor.weather_station_solar_irradiance"


@pytest.fixture(autouse=True)
def _custom_integration(
    recorder_mock: Recorder, socket_enabled: None, enable_custom_integrations: None
) -> None:
    """Record, before anything else is there."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


@pytest.fixture
async def machines(socket_enabled: None) -> AsyncIterator[Board]:
    """Serve the site with a weather station."""
    async with board(SITE.replace("profiles:", STATION, 1)) as made:
        yield made


def warmth(moment: datetime) -> float:
    """Return °C outside: each day another, and a storm on the afternoon in question."""
    if moment >= local(*WEDNESDAY, 13):
        return 24.0
    day, hour = (
        Random(moment.toordinal()),
        Random(moment.toordinal() * 24 + moment.hour),
    )
    return 24.0 + day.uniform(0, 8) + hour.uniform(-2, 2)


def sun(moment: datetime) -> float:
    """Return W/m²: clouds come and go."""
    if moment >= local(*WEDNESDAY, 13):
        return 50.0
    day, hour = (
        Random(-moment.toordinal()),
        Random(moment.toordinal() * 48 + moment.hour),
    )
    return 200.0 + day.uniform(0, 400) + hour.uniform(-150, 150)


def load(moment: datetime) -> float:
    """Return the load of a site that is cooled."""
    if moment.weekday() >= 5:
        return 60.0
    return 5.0 * warmth(moment) + 100.0 + 0.1 * sun(moment)


async def keep(
    hass: HomeAssistant,
    entity_id: str,
    unit: str,
    unit_class: str | None,
    value: Callable[[datetime], float],
    since: datetime,
    until: datetime,
) -> None:
    """Let the recorder have the hours of a sensor, and the last one in five minutes."""
    zone = dt_util.get_default_time_zone()
    for table, step, begin in (
        (Statistics, timedelta(hours=1), since),
        (StatisticsShortTerm, timedelta(minutes=5), until - timedelta(hours=1)),
    ):
        rows = []
        at = begin.astimezone(UTC)
        while at + step <= until.astimezone(UTC):
            here = value(at.astimezone(zone))
            rows.append({"start": at, "mean": here, "min": here, "max": here})
            at += step
        get_instance(hass).async_import_statistics(
            {
                "mean_type": StatisticMeanType.ARITHMETIC,
                "has_sum": False,
                "name": None,
                "source": "recorder",
                "statistic_id": entity_id,
                "unit_class": unit_class,
                "unit_of_measurement": unit,
            },
            rows,
            table,
        )
    await async_wait_recording_done(hass)


async def weather_until(
    hass: HomeAssistant, until: datetime, *, fahrenheit: bool = False
) -> None:
    since = local(2026, 5, 5)
    await keep(
        hass,
        OUTDOOR,
        "°F" if fahrenheit else "°C",
        "temperature",
        (lambda at: 32.0 + 1.8 * warmth(at)) if fahrenheit else warmth,
        since,
        until,
    )
    await keep(hass, SUN, "W/m²", None, sun, since, until)


@pytest.mark.parametrize("fahrenheit", [False, True])
async def test_a_storm_in_the_event_is_not_paid_for(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    fahrenheit: bool,
) -> None:
    """What it took off the load is not what the site gave."""
    begins, ends = local(*WEDNESDAY, 14), local(*WEDNESDAY, 16)
    entry = await site_with_a_past(
        hass, clock, machines, local(*WEDNESDAY, 13, 20), load
    )
    await weather_until(hass, local(*WEDNESDAY, 13), fahrenheit=fahrenheit)
    received = local(*WEDNESDAY, 13).timestamp()
    said = await announce(hass, entry, begins=begins, ends=ends, received=received)
    assert said["method"] == "ten_of_ten"
    held = mean(said["kw"], begins, ends)
    truth = load(begins)
    assert held > truth + 20.0
    await measure(hass, clock, machines, begins, ends, truth - 40.0)
    # What it is held against does not change while it lasts, whatever the weather.
    await tell_time(hass, entry)
    assert await baseline(hass, entry) == said
    await weather_until(hass, ends, fahrenheit=fahrenheit)
    clock.move_to(ends + timedelta(minutes=30))
    await async_wait_recording_done(hass)
    await tell_time(hass, entry)
    (found,) = await performances(hass, entry)
    assert found["method"] == "weather"
    assert found["confidence"] == "high"
    assert found["eligible"] is True
    assert found["baseline_kw"] == pytest.approx(truth, rel=0.03)
    assert found["achieved_kw"] == pytest.approx(40.0, abs=0.03 * truth)
    assert "fitted to the weather" in found["why"]
    # What is given back is held against the same.
    engine = await told(hass, entry)
    again = engine["baselines"]["Grid:e1"]
    assert again["method"] == "weather"
    assert mean(again["kw"], begins, ends) == pytest.approx(
        found["baseline_kw"], abs=0.01
    )


async def test_the_method_of_a_contract_goes_before_the_weather(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    begins, ends = local(*WEDNESDAY, 14), local(*WEDNESDAY, 16)
    entry = await site_with_a_past(
        hass,
        clock,
        machines,
        local(*WEDNESDAY, 13, 20),
        load,
        options={"baseline_method": "four_of_five"},
    )
    await weather_until(hass, local(*WEDNESDAY, 13))
    received = local(*WEDNESDAY, 13).timestamp()
    said = await announce(hass, entry, begins=begins, ends=ends, received=received)
    await measure(hass, clock, machines, begins, ends, 200.0)
    await weather_until(hass, ends)
    clock.move_to(ends + timedelta(minutes=30))
    await async_wait_recording_done(hass)
    await tell_time(hass, entry)
    (found,) = await performances(hass, entry)
    assert found["method"] == "four_of_five"
    assert found["baseline_kw"] == pytest.approx(mean(said["kw"], begins, ends))


async def test_weather_that_was_not_recorded_leaves_what_was_held(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    begins, ends = local(*WEDNESDAY, 14), local(*WEDNESDAY, 16)
    entry = await site_with_a_past(
        hass, clock, machines, local(*WEDNESDAY, 13, 20), load
    )
    await weather_until(hass, local(*WEDNESDAY, 13))
    received = local(*WEDNESDAY, 13).timestamp()
    said = await announce(hass, entry, begins=begins, ends=ends, received=received)
    await measure(hass, clock, machines, begins, ends, 200.0)
    clock.move_to(ends + timedelta(minutes=30))
    await async_wait_recording_done(hass)
    await tell_time(hass, entry)
    (found,) = await performances(hass, entry)
    assert found["method"] == "ten_of_ten"
    assert found["baseline_kw"] == pytest.approx(mean(said["kw"], begins, ends))


async def test_the_engine_keeps_the_baseline_while_things_are_given_back(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> None:
    begins, ends = local(*WEDNESDAY, 14), local(*WEDNESDAY, 16)
    entry = await site_with_a_past(
        hass, clock, machines, local(*WEDNESDAY, 13, 20), load
    )
    received = local(*WEDNESDAY, 13).timestamp()
    said = await announce(hass, entry, begins=begins, ends=ends, received=received)
    await measure(hass, clock, machines, begins, begins + timedelta(minutes=15), 200.0)
    clock.move_to(ends + timedelta(hours=5))
    await tell_time(hass, entry)
    assert (await told(hass, entry))["baselines"]["Grid:e1"]["kw"] == said["kw"]
    clock.move_to(ends + timedelta(hours=7))
    await tell_time(hass, entry)
    assert (await told(hass, entry))["baselines"] == {}
