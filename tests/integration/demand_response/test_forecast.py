"""Zones are cooled ahead by the forecast of a weather entity, and without it as ever."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_fire_time_changed,
    setup_test_component_platform,
)

from custom_components.chiller_plant.demand_response.forecast import hours_of
from homeassistant.components.weather import (
    Forecast,
    WeatherEntity,
    WeatherEntityFeature,
)
from homeassistant.const import UnitOfTemperature
from homeassistant.core import HomeAssistant
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.site import (
    GRID,
    Unwired,
    grid_event,
    report,
    set_up_site,
    told,
    utility,
)
from tests.integration.demand_response.test_troubles import issues
from tests.integration.served_plant import state

PRECOOL = {"lead": 3600.0, "setpoint_drop": 1.0, "coldest": 22.0}
NEXT_EVENT = "sensor.two_chillers_demand_response_next_event"


class Town(WeatherEntity):
    """A weather service that thinks in °F; the sun is its only input."""

    _attr_name = "Town"
    _attr_condition = "sunny"
    _attr_native_temperature = 90.0
    _attr_native_temperature_unit = UnitOfTemperature.FAHRENHEIT
    _attr_supported_features = WeatherEntityFeature.FORECAST_HOURLY

    def __init__(self, fahrenheit: float = 95.0) -> None:
        """Begin with a hot day."""
        self.fahrenheit = fahrenheit
        self.fails: Exception | None = None
        self.hangs = False
        self.asked = 0

    async def async_forecast_hourly(self) -> list[Forecast] | None:
        """Return two days of the same weather."""
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails is not None:
            raise self.fails
        hour = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)
        return [
            {
                "datetime": (hour + timedelta(hours=ahead)).isoformat(),
                "native_temperature": self.fahrenheit,
            }
            for ahead in range(48)
        ]


class DailyTown(Town):
    """One that knows whole days only."""

    _attr_supported_features = WeatherEntityFeature.FORECAST_DAILY


async def site(
    hass: HomeAssistant, town: Town | None, weather: str | None = "weather.town"
) -> MockConfigEntry:
    if town is not None:
        setup_test_component_platform(hass, "weather", [town])
        config = {"weather": {"platform": "test"}}
        assert await async_setup_component(hass, "weather", config)
        await hass.async_block_till_done()
    return await set_up_site(
        hass,
        Unwired(),
        utility("Grid", GRID, "grid"),
        options={"precool": {**PRECOOL, "weather": weather}},
    )


async def wait(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, seconds: float
) -> None:
    """Let time pass, ten seconds at a time; who asks gets an answer meanwhile."""
    for _ in range(0, int(seconds), 10):
        freezer.tick(10)
        async_fire_time_changed(hass)
        # Not until all is done: who never answers would be waited for.
        for _ in range(20):
            await asyncio.sleep(0)


def attributes_of(hass: HomeAssistant) -> dict[str, Any]:
    shown = hass.states.get(NEXT_EVENT)
    assert shown is not None
    return dict(shown.attributes)


def tomorrow() -> tuple[datetime, datetime]:
    begins = dt_util.now().replace(minute=0, second=0, microsecond=0)
    begins += timedelta(hours=20)
    return begins, begins + timedelta(hours=2)


async def test_engine_gets_the_outdoor_temperature_of_the_hours_of_the_event(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    entry = await site(hass, Town(95.0))
    begins, ends = tomorrow()
    await wait(hass, freezer, 20)
    assert (await told(hass, entry))["forecast"] == []
    before = (await told(hass, entry))["revision"]
    await report(hass, entry, events=[grid_event(begins, ends)])
    answer = await told(hass, entry)
    at = begins.timestamp()
    assert answer["forecast"] == [
        [at, at + 3600.0, 35.0],
        [at + 3600.0, at + 7200.0, 35.0],
    ]
    assert answer["revision"] != before
    await wait(hass, freezer, 10)
    shown = attributes_of(hass)
    assert (shown["outdoor"], shown["forecast_trouble"]) == (35.0, None)


async def test_an_event_is_reason_to_ask_and_else_it_is_asked_twice_an_hour(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    town = Town()
    entry = await site(hass, town)
    await wait(hass, freezer, 1200)
    assert town.asked == 1
    town.fahrenheit = 68.0
    await report(hass, entry, events=[grid_event(*tomorrow())])
    await wait(hass, freezer, 30)
    assert town.asked == 2
    assert {row[2] for row in (await told(hass, entry))["forecast"]} == {20.0}
    await wait(hass, freezer, 3600)
    assert town.asked == 4


async def test_many_events_at_once_do_not_flood_the_service(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    town = Town()
    entry = await site(hass, town)
    begins, ends = tomorrow()
    for number in range(12):
        event = grid_event(begins, ends, key=f"Grid:e{number}", id=f"e{number}")
        await report(hass, entry, events=[event])
        await wait(hass, freezer, 10)
    assert town.asked <= 4


async def test_a_service_that_fails_is_told_and_stops_nothing(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    town = Town()
    entry = await site(hass, town)
    begins, ends = tomorrow()
    await report(hass, entry, events=[grid_event(begins, ends)])
    await wait(hass, freezer, 20)
    assert (await told(hass, entry))["forecast"]
    town.fails = OSError("no route to the clouds")
    await wait(hass, freezer, 2100)
    attributes = attributes_of(hass)
    assert attributes["forecast_trouble"] == "no route to the clouds"
    assert "no_forecast" not in issues(hass)
    # What was told before is still the best that is known.
    assert (await told(hass, entry))["forecast"]
    await wait(hass, freezer, 900)
    said = issues(hass)["no_forecast"]
    assert said is not None
    assert said["weather"] == "weather.town"
    assert said["why"] == "no route to the clouds"
    await report(hass, entry, state="shedding", events=[grid_event(begins, ends)])
    assert state(hass, "sensor.two_chillers_demand_response") == "shedding"
    town.fails = None
    await wait(hass, freezer, 330)
    assert "no_forecast" not in issues(hass)
    assert attributes_of(hass)["forecast_trouble"] is None


async def test_a_forecast_is_not_believed_for_ever(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    town = Town()
    entry = await site(hass, town)
    await report(hass, entry, events=[grid_event(*tomorrow())])
    await wait(hass, freezer, 20)
    town.fails = OSError("gone")
    freezer.tick(6 * 3600)
    await wait(hass, freezer, 20)
    assert (await told(hass, entry))["forecast"] == []


async def test_a_service_that_never_answers_is_given_up_and_asked_again(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    town = Town()
    entry = await site(hass, town)
    town.hangs = True
    await wait(hass, freezer, 60)
    room = entry.runtime_data.demand_response
    assert "no answer" in str(room.forecast.trouble)
    town.hangs = False
    await wait(hass, freezer, 310)
    assert room.forecast.trouble is None


@pytest.mark.parametrize(
    ("town", "says"),
    [
        (None, "no such entity"),
        (DailyTown(), "does not support"),
        (Town(float("nan")), "no temperature"),
    ],
    ids=["missing", "daily", "nonsense"],
)
async def test_what_gives_no_forecast_by_the_hour_is_told_so(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory, town: Town | None, says: str
) -> None:
    entry = await site(hass, town)
    await wait(hass, freezer, 20)
    assert says in str(entry.runtime_data.demand_response.forecast.trouble)
    assert (await told(hass, entry))["forecast"] == []


async def test_without_a_weather_entity_nothing_is_asked_and_nothing_is_told(
    hass: HomeAssistant, freezer: FrozenDateTimeFactory
) -> None:
    town = Town()
    entry = await site(hass, town, weather=None)
    await report(hass, entry, events=[grid_event(*tomorrow())])
    await wait(hass, freezer, 2000)
    assert town.asked == 0
    assert "no_forecast" not in issues(hass)
    assert (await told(hass, entry))["forecast"] == []


def test_rows_that_make_no_sense_are_left_out() -> None:
    def row(at: Any, celsius: Any) -> dict[str, Any]:
        return {"datetime": at, "temperature": celsius}

    rows = hours_of(
        [
            row("2026-07-01T12:00:00+00:00", 31),
            row("2026-07-01T10:00:00+00:00", 29.04),
            row("2026-07-01T11:00:00+00:00", None),
            row("never", 30.0),
            row("2026-07-01T13:00:00+00:00", 4000.0),
            row("2026-07-01T14:00:00+00:00", True),
            "rain",
        ],
        "°C",
    )
    first = datetime.fromisoformat("2026-07-01T10:00:00+00:00").timestamp()
    # A gap of two hours is bridged, and the last row is an hour.
    assert [(item.begin - first, item.end - first, item.celsius) for item in rows] == [
        (0.0, 7200.0, 29.0),
        (7200.0, 10800.0, 31.0),
    ]
    assert hours_of([], "°F") == ()
