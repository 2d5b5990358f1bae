"""Trend logs of BACnet devices, in Home Assistant's own statistics."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from bacpypes3.basetypes import LogRecord, LogStatus
from bacpypes3.primitivedata import Real
import pytest
from pytest_homeassistant_custom_component.common import MockUser
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
import pytest_socket

from homeassistant.components.recorder import Recorder, get_instance
from homeassistant.components.recorder.models import StatisticMeanType
from homeassistant.components.recorder.statistics import (
    async_import_statistics,
    get_metadata,
    statistics_during_period,
)
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import (
    HomeAssistantError,
    ServiceValidationError,
    Unauthorized,
)
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_system import US_CUSTOMARY_SYSTEM
from tests.drivers.trend_peers import Recorder as Device, record, recording_device
from tests.integration.served_plant import set_up
from tests.ports import udp_port

OUTDOOR = "sensor.weather_station_outdoor_temperature"
ENERGY = "sensor.meter_energy"
# Once, so that no test meets another hour at its end than at its beginning.
THIS_HOUR = dt_util.utcnow().replace(minute=0, second=0, microsecond=0)


@pytest.fixture(autouse=True)
def _custom_integration(
    recorder_mock: Recorder, socket_enabled: None, enable_custom_integrations: None
) -> None:
    """Record, before anything else is there."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


def plant_file(address: str, equipment: str) -> str:
    return f"""
plant: {{key: site, name: Site, poll_interval: 5, command_lease: 60}}
connections:
  bms:
    protocol: bacnet_ip
    local_address: 127.0.0.1/8
    local_port: {udp_port()}
    instance: 4190001
    write_priority: 10
    devices:
      controller: {{address: "{address}", instance: 1001}}
equipment:
{equipment}
profiles: [Weekday]
day_types: {{weekdays: Weekday, weekends: Weekday}}
"""


WEATHER = """
  weather:
    type: weather_station
    name: Weather station
    device: controller
    points:
      outdoor_temperature: {object: "analog-input,1"}
"""
METER = """
  meter:
    type: meter
    name: Meter
    device: controller
    points:
      energy: {object: "analog-input,1"}
"""


def hours_ago(number: float) -> datetime:
    """Return the top of an hour in UTC, so many hours before this one."""
    return THIS_HOUR - timedelta(hours=number)


def records(begin: datetime, minutes: int, values: Sequence[float]) -> list[LogRecord]:
    """Return records by the clock on the wall of Home Assistant's place."""
    zone = dt_util.get_default_time_zone()
    return [
        record(
            (begin + place * timedelta(minutes=minutes))
            .astimezone(zone)
            .replace(tzinfo=None),
            realValue=Real(value),
        )
        for place, value in enumerate(values)
    ]


@asynccontextmanager
async def site(
    hass: HomeAssistant, equipment: str, found: list[LogRecord], **settings: Any
) -> AsyncIterator[Device]:
    """Run the plant with a device that has recorded this."""
    async with recording_device(found, **settings) as (declared, device):
        entry = await set_up(hass, plant_file(declared.address, equipment))
        try:
            yield device
        finally:
            await hass.config_entries.async_unload(entry.entry_id)
            await hass.async_block_till_done()


async def run(hass: HomeAssistant, entity_id: str, **data: Any) -> dict[str, Any]:
    """Import the log and return the response."""
    response: Any = await hass.services.async_call(
        "chiller_plant",
        "import_trend_log",
        {"entity_id": entity_id, "trend_log": 5, **data},
        blocking=True,
        return_response=True,
    )
    return dict(response)


async def rows(hass: HomeAssistant, entity_id: str) -> list[Any]:
    """Return all hours that are in the database."""
    await async_wait_recording_done(hass)
    found = await get_instance(hass).async_add_executor_job(
        statistics_during_period,
        hass,
        datetime(2000, 1, 1, tzinfo=UTC),
        None,
        {entity_id},
        "hour",
        None,
        {"mean", "min", "max", "state", "sum"},
    )
    return found.get(entity_id, [])


def put(
    hass: HomeAssistant,
    entity_id: str,
    start: datetime,
    *,
    unit: str,
    unit_class: str,
    **row: float,
) -> None:
    """Let an hour be there already, as the recorder writes it."""
    counts = "sum" in row
    async_import_statistics(
        hass,
        {
            "mean_type": (
                StatisticMeanType.NONE if counts else StatisticMeanType.ARITHMETIC
            ),
            "has_sum": counts,
            "name": None,
            "source": "recorder",
            "statistic_id": entity_id,
            "unit_class": unit_class,
            "unit_of_measurement": unit,
        },
        [{"start": start, **row}],  # type: ignore[typeddict-item]
    )


async def test_hours_of_a_log_become_hours_of_the_sensor(hass: HomeAssistant) -> None:
    # 48 hours and the one that is not over, four records each.
    values = [hour + quarter for hour in range(49) for quarter in (0, 1, 2, 3)]
    async with site(hass, WEATHER, records(hours_ago(48), 15, values)):
        response = await run(hass, OUTDOOR)
        found = await rows(hass, OUTDOOR)
        metadata = get_metadata(hass, statistic_ids={OUTDOOR})[OUTDOOR][1]
    assert response["hours_added"] == len(found)
    assert response["records_read"] == 49 * 4
    assert 47 <= len(found) <= 48
    for place, row in enumerate(found):
        assert row["start"] == hours_ago(48 - place).timestamp()
        assert row["min"] == pytest.approx(place)
        assert row["max"] == pytest.approx(place + 3)
        assert row["mean"] == pytest.approx(place + 1.5)
    assert metadata["source"] == "recorder"
    assert metadata["unit_of_measurement"] == "°C"
    assert metadata["unit_class"] == "temperature"
    assert metadata["mean_type"] is StatisticMeanType.ARITHMETIC
    assert not metadata["has_sum"]


async def test_a_second_import_changes_nothing(hass: HomeAssistant) -> None:
    values = [float(value % 7) for value in range(4 * 40)]
    async with site(hass, WEATHER, records(hours_ago(48), 15, values)) as device:
        first = await run(hass, OUTDOOR)
        before = await rows(hass, OUTDOOR)
        device.asked.clear()
        second = await run(hass, OUTDOOR)
        assert await rows(hass, OUTDOOR) == before
    assert first["hours_added"] == 40
    assert second["hours_added"] == 0
    assert second["hours_existing"] >= 40
    assert len(device.asked) <= 4, "what is there is not read again"


async def test_hours_that_are_there_stay_as_they_are(hass: HomeAssistant) -> None:
    async with site(hass, WEATHER, records(hours_ago(20), 15, [10.0] * 40)):
        put(
            hass,
            OUTDOOR,
            hours_ago(15),
            unit="°C",
            unit_class="temperature",
            mean=99.0,
            min=98.0,
            max=100.0,
        )
        response = await run(hass, OUTDOOR)
        found = {row["start"]: row["mean"] for row in await rows(hass, OUTDOOR)}
    assert response["hours_added"] == 9
    assert response["hours_existing"] == 1
    assert len(found) == 10
    assert found.pop(hours_ago(15).timestamp()) == 99.0
    assert set(found.values()) == {10.0}


async def test_an_interrupted_import_goes_on_where_it_stopped(
    hass: HomeAssistant,
) -> None:
    values = [float(place // 4) for place in range(4 * 60)]
    async with site(hass, WEATHER, records(hours_ago(70), 15, values)) as device:
        device.understands = True

        def stop(request: int) -> None:
            device.understands = request <= 5

        device.on_request = stop
        with pytest.raises(HomeAssistantError, match="cannot read ranges"):
            await run(hass, OUTDOOR)
        part = await rows(hass, OUTDOOR)
        device.on_request = lambda request: None
        device.understands = True
        response = await run(hass, OUTDOOR)
        found = await rows(hass, OUTDOOR)
    assert 25 <= len(part) < 60
    assert response["hours_added"] == 60 - len(part)
    assert response["records_read"] < len(values)
    assert [row["start"] for row in found] == [
        hours_ago(70 - place).timestamp() for place in range(60)
    ]
    assert [row["mean"] for row in found] == [float(place) for place in range(60)]


async def test_only_what_was_asked_for_is_added(hass: HomeAssistant) -> None:
    async with site(hass, WEATHER, records(hours_ago(20), 15, [10.0] * 60)):
        response = await run(
            hass,
            OUTDOOR,
            start=dt_util.as_local(hours_ago(15)).isoformat(),
            end=dt_util.as_local(hours_ago(12)).isoformat(),
        )
        found = await rows(hass, OUTDOOR)
    assert response["hours_added"] == 3
    assert [row["start"] for row in found] == [
        hours_ago(number).timestamp() for number in (15, 14, 13)
    ]


async def test_records_that_cannot_be_used_are_counted(hass: HomeAssistant) -> None:
    found = records(hours_ago(5), 15, [10.0] * 8)
    wall = hours_ago(3).astimezone(dt_util.get_default_time_zone())
    found.append(record(wall.replace(tzinfo=None), logStatus=LogStatus([0, 0, 1])))
    async with site(hass, WEATHER, found):
        response = await run(hass, OUTDOOR)
    assert response["hours_added"] == 2
    assert response["records_skipped"] == {
        "the log was switched on or off, cleared or interrupted": 1
    }


async def test_statistics_keep_the_unit_that_people_chose(hass: HomeAssistant) -> None:
    hass.config.units = US_CUSTOMARY_SYSTEM
    async with site(hass, WEATHER, records(hours_ago(5), 15, [10.0] * 8)):
        await run(hass, OUTDOOR)
        found = await rows(hass, OUTDOOR)
        metadata = get_metadata(hass, statistic_ids={OUTDOOR})[OUTDOOR][1]
    assert metadata["unit_of_measurement"] == "°F"
    assert [row["mean"] for row in found] == [pytest.approx(50.0)] * 2


async def test_a_counter_is_counted_back_from_what_it_shows_now(
    hass: HomeAssistant,
) -> None:
    # The device's input shows 7 now; the counter was set to zero in between.
    values = [100.0 + place for place in range(8)] + [1.0, 2.0, 3.0, 4.0]
    async with site(hass, METER, records(hours_ago(14), 60, values)):
        response = await run(hass, ENERGY)
        found = await rows(hass, ENERGY)
        metadata = get_metadata(hass, statistic_ids={ENERGY})[ENERGY][1]
    assert response["hours_added"] == 12
    assert [row["state"] for row in found] == values
    sums = [row["sum"] for row in found]
    assert [after - before for before, after in pairwise(sums)] == [1.0] * 11
    assert sums[-1] == pytest.approx(4.0 - 7.0), "the recorder begins with 0 at 7"
    assert metadata["has_sum"]
    assert metadata["mean_type"] is StatisticMeanType.NONE
    assert metadata["unit_class"] == "energy"


async def test_a_counter_goes_on_from_the_hours_that_are_there(
    hass: HomeAssistant,
) -> None:
    async with site(hass, METER, records(hours_ago(10), 60, [20.0, 30.0, 40.0, 50.0])):
        put(
            hass,
            ENERGY,
            hours_ago(11),
            unit="kWh",
            unit_class="energy",
            state=10.0,
            sum=500.0,
        )
        await run(hass, ENERGY)
        found = await rows(hass, ENERGY)
    assert [row["sum"] for row in found] == [500.0, 510.0, 520.0, 530.0, 540.0]


async def test_what_cannot_be_imported_is_named(hass: HomeAssistant) -> None:
    async with site(hass, WEATHER, []):
        for data, text in (
            ({"entity_id": "sensor.of_somebody_else"}, "not_a_measured_point"),
            ({"device": "nowhere"}, "unknown_device"),
        ):
            with pytest.raises(ServiceValidationError) as refused:
                await run(hass, **({"entity_id": OUTDOOR} | data))
            assert refused.value.translation_key == text
        with pytest.raises(HomeAssistantError, match="has no trend log 6"):
            await run(hass, OUTDOOR, trend_log=6)
        assert (await run(hass, OUTDOOR))["hours_added"] == 0


async def test_a_log_of_another_object_is_refused(hass: HomeAssistant) -> None:
    async with site(
        hass, WEATHER, records(hours_ago(5), 15, [1.0]), of="analog-input,2"
    ):
        with pytest.raises(HomeAssistantError, match="analog-input,2"):
            await run(hass, OUTDOOR)
        assert await rows(hass, OUTDOOR) == []


async def test_a_device_that_does_not_answer_is_named(hass: HomeAssistant) -> None:
    async with site(hass, WEATHER, records(hours_ago(5), 15, [1.0])) as device:
        device.close()
        with pytest.raises(HomeAssistantError, match="controller"):
            await run(hass, OUTDOOR)


async def test_only_administrators_change_history(
    hass: HomeAssistant, hass_read_only_user: MockUser
) -> None:
    async with site(hass, WEATHER, []):
        with pytest.raises(Unauthorized):
            await hass.services.async_call(
                "chiller_plant",
                "import_trend_log",
                {"entity_id": OUTDOOR, "trend_log": 5},
                blocking=True,
                context=Context(user_id=hass_read_only_user.id),
            )
