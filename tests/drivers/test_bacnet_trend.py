"""Trend logs, read from devices that go on recording, and from odd ones."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from bacpypes3.basetypes import ErrorType, LogStatus
from bacpypes3.primitivedata import Null, Real
import pytest
import rusty_bacnet as rb

from custom_components.chiller_plant.drivers.bacnet_trend import (
    TrendLog,
    TrendLogError,
    TrendRecord,
    open_log,
    pages,
    zone_of_clock,
)
from custom_components.chiller_plant.drivers.driver import DeviceSilent
from custom_components.chiller_plant.drivers.lanes import Lane
from custom_components.chiller_plant.plant.model import BacnetDevice
from tests.drivers.bacnet_peers import identifier
from tests.drivers.points import bacnet_driver, on_bacnet
from tests.drivers.trend_peers import LOG, every, record, recording_device
from tests.ports import udp_port
from tests.waiting import eventually

SUPPLY = on_bacnet("chilled_water_supply_temperature", "analog-input,1")
PARIS = ZoneInfo("Europe/Paris")
SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)
WINTER = datetime(2026, 1, 1, 12, tzinfo=UTC)
BEGIN = datetime(2026, 3, 1)


@asynccontextmanager
async def opened(
    declared: BacnetDevice, instance: int = LOG, **changes: Any
) -> AsyncIterator[TrendLog]:
    async with bacnet_driver(declared) as driver:
        device = driver.device("controller")
        assert device is not None
        await device.meet(Lane.POLL)
        settings = {"point": SUPPLY, "of": 1001, "home": UTC, "now": SUMMER} | changes
        yield await open_log(device, instance, **settings)


async def read(log: TrendLog, since: float | None = None) -> list[TrendRecord]:
    return [item async for page in pages(log, since) for item in page]


def values(records: list[TrendRecord]) -> list[Any]:
    return [item.value for item in records]


async def test_a_log_of_another_stack_is_read_whole() -> None:
    port = udp_port()
    server = rb.BACnetServer(
        1001,
        "controller",
        interface="127.0.0.58",
        port=port,
        broadcast_address="127.255.255.255",
        share_port_by_address=True,
    )
    target = identifier("analog-input,1")
    server.add_analog_input(1, "AI1", 62, 7.5)
    server.add_trend_log(
        LOG,
        "log",
        40,
        reference=(target, rb.PropertyIdentifier.PRESENT_VALUE),
        log_interval=2,
    )
    await server.start()
    try:
        async with bacnet_driver(
            BacnetDevice("controller", f"127.0.0.58:{port}", 1001)
        ) as driver:
            device = driver.device("controller")
            assert device is not None
            now = datetime.now(UTC)

            async def full() -> bool:
                log = await open_log(device, LOG, SUPPLY, 1001, UTC, now)
                # It has wrapped: the first records are gone.
                return log.first > 1

            await eventually(full)
            log = await open_log(device, LOG, SUPPLY, 1001, UTC, now)
            found = await read(log)
    finally:
        await server.stop()
    assert 10 <= len(found) <= 40
    assert {item.value for item in found if item.skipped is None} == {7.5}
    times = [item.at for item in found if item.at is not None]
    assert times == sorted(times)
    assert abs(times[-1] - now.timestamp()) < 60


async def test_pages_are_small_and_nothing_is_read_twice() -> None:
    numbers = [float(number) for number in range(130)]
    async with recording_device(every(15, BEGIN, numbers)) as (declared, peer):
        peer.most_in_answer = 7
        async with opened(declared) as log:
            assert values(await read(log)) == numbers
        assert all(int(ask.range.bySequenceNumber.count) <= 25 for ask in peer.asked)


async def test_what_is_overwritten_while_it_is_read_is_left_out() -> None:
    numbers = [float(number) for number in range(100)]
    async with recording_device(every(15, BEGIN, numbers)) as (declared, peer):

        def wrap(request: int) -> None:
            if request == 2:
                peer.records += every(15, BEGIN + timedelta(days=9), [1000.0] * 40)
                peer.overwrite(40)

        peer.on_request = wrap
        async with opened(declared) as log:
            found = values(await read(log))
    assert found == [*numbers[:25], *numbers[40:]], "each once, and none of the new"


async def test_a_log_that_is_cleared_while_it_is_read_comes_to_an_end() -> None:
    async with recording_device(every(15, BEGIN, [1.0] * 100)) as (declared, peer):
        peer.on_request = lambda request: peer.overwrite(
            len(peer.records) - peer.overwritten if request == 2 else 0
        )
        async with opened(declared) as log:
            assert len(await read(log)) == 25


async def test_records_that_are_no_values_say_why() -> None:
    at = [BEGIN + timedelta(minutes=minute) for minute in range(10)]
    records = [
        record(at[0], realValue=Real(7.0)),
        record(at[1], logStatus=LogStatus([1, 0, 0])),
        record(at[2], nullValue=Null(())),
        record(
            at[3], failure=ErrorType(errorClass="object", errorCode="unknownObject")
        ),
        record(at[4], timeChange=Real(60.0)),
        record(at[5], realValue=Real(float("nan"))),
        record(at[6], flags=(0, 1, 0, 0), realValue=Real(7.0)),
        record(at[7], realValue=Real(8.0), flags=(0, 0, 0, 0)),
    ]
    async with recording_device(records) as (declared, _), opened(declared) as log:
        found = await read(log)
    assert values(found) == [7.0, *[None] * 6, 8.0]
    reasons = Counter(item.skipped for item in found)
    assert reasons[None] == 2
    assert len(reasons) == 7


async def test_a_fahrenheit_log_becomes_celsius() -> None:
    point = on_bacnet(
        "chilled_water_supply_temperature", "analog-input,1", wire_unit="°F"
    )
    async with (
        recording_device(every(15, BEGIN, [50.0])) as (declared, _),
        opened(declared, point=point) as log,
    ):
        assert values(await read(log)) == [pytest.approx(10.0)]


async def test_reading_goes_on_where_it_was_left() -> None:
    numbers = [float(number) for number in range(2000)]
    since = (BEGIN + timedelta(minutes=15 * 1900)).replace(tzinfo=UTC).timestamp()
    async with recording_device(every(15, BEGIN, numbers)) as (declared, peer):
        async with opened(declared) as log:
            found = values(await read(log, since))
        assert found[-1] == 1999.0
        assert 100 <= len(found) <= 120
        assert len(peer.asked) < 10
        peer.by_time = False
        async with opened(declared) as log:
            assert values(await read(log, since)) == numbers


async def test_the_hour_that_comes_twice_is_told_by_the_order() -> None:
    # 25 October 2026: at three it is two again.
    walls = [
        datetime(2026, 10, 25, 2, 0),
        datetime(2026, 10, 25, 2, 30),
        datetime(2026, 10, 25, 2, 0),
        datetime(2026, 10, 25, 2, 30),
        datetime(2026, 10, 25, 3, 0),
    ]
    records = [record(wall, realValue=Real(1.0)) for wall in walls]
    async with (
        recording_device(records) as (declared, _),
        opened(declared, home=PARIS) as log,
    ):
        times = [item.at for item in await read(log)]
    begin = datetime(2026, 10, 25, 0, 0, tzinfo=UTC).timestamp()
    assert times == [begin + 1800 * place for place in range(5)]


@pytest.mark.parametrize(
    ("offset", "summer", "now", "hours"),
    [
        (None, None, SUMMER, None),
        (-60, True, SUMMER, None),
        (-60, False, WINTER, None),
        (-60, None, SUMMER, None),
        (-60, False, SUMMER, 1),
        (0, False, SUMMER, 0),
        (300, False, SUMMER, -5),
        (300, True, SUMMER, -4),
        (99_999, None, SUMMER, None),
    ],
)
def test_the_clock_of_a_device_is_ours_unless_it_says_otherwise(
    offset: int | None, summer: bool | None, now: datetime, hours: int | None
) -> None:
    zone = zone_of_clock(offset, summer, PARIS, now)
    if hours is None:
        assert zone is PARIS
    else:
        assert zone.utcoffset(WINTER) == zone.utcoffset(SUMMER)
        assert zone.utcoffset(SUMMER) == timedelta(hours=hours)


async def test_a_log_of_another_object_is_refused() -> None:
    async with recording_device([], of="analog-input,2") as (declared, _):
        with pytest.raises(TrendLogError, match=r"records .* of analog-input,2"):
            async with opened(declared):
                pass


async def test_a_log_of_an_object_in_another_device_is_refused() -> None:
    async with recording_device([], of_device=2002) as (declared, _):
        with pytest.raises(TrendLogError, match="device 2002"):
            async with opened(declared):
                pass


async def test_a_log_in_another_device_than_the_point_is_taken() -> None:
    async with (
        recording_device(every(15, BEGIN, [1.0]), of_device=77) as (declared, _),
        opened(declared, of=77) as log,
    ):
        assert values(await read(log)) == [1.0]


async def test_a_log_that_is_not_there_is_named() -> None:
    async with recording_device([]) as (declared, _):
        with pytest.raises(TrendLogError, match=r"controller .* has no trend log 6"):
            async with opened(declared, 6):
                pass


async def test_a_device_that_cannot_read_ranges_says_so() -> None:
    async with recording_device(every(15, BEGIN, [1.0])) as (declared, peer):
        peer.understands = False
        async with opened(declared) as log:
            with pytest.raises(TrendLogError, match="cannot read ranges"):
                await read(log)


async def test_a_device_that_falls_silent_is_named() -> None:
    async with (
        recording_device(every(15, BEGIN, [1.0] * 60)) as (declared, peer),
        opened(declared) as log,
    ):
        found = pages(log)
        assert len(await anext(found)) == 25
        peer.close()
        await asyncio.sleep(0)
        with pytest.raises(DeviceSilent, match="controller"):
            await anext(found)


async def test_an_empty_log_is_no_error() -> None:
    async with recording_device([]) as (declared, _), opened(declared) as log:
        assert await read(log) == []
