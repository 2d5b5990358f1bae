"""BACnet devices that report changes by themselves, and what goes wrong with it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bacpypes3.apdu import ErrorPDU, SimpleAckPDU
from bacpypes3.basetypes import StatusFlags
from bacpypes3.errors import ExecutionError, UnrecognizedService
from bacpypes3.primitivedata import CharacterString, Real
import pytest
import rusty_bacnet as rb

from custom_components.chiller_plant.drivers.bacnet import BacnetDriver
from custom_components.chiller_plant.drivers.bacnet_network import BacnetNetworks
from custom_components.chiller_plant.drivers.driver import ReadReport
from custom_components.chiller_plant.plant.model import BacnetDevice, Point
from custom_components.chiller_plant.plant.roles import PollTier
from tests.drivers.bacnet_peers import Device, device, slow_wire
from tests.drivers.cov_peers import reporting_device
from tests.drivers.points import bacnet_connection, bacnet_driver, on_bacnet
from tests.waiting import eventually

SUPPLY = on_bacnet("chilled_water_supply_temperature", "analog-input,1")
STATUS = on_bacnet("run_status", "binary-input,1", tier=PollTier.FAST)
SUPPLY_OF_CLIENT = on_bacnet("chilled_water_supply_temperature", "analog-input,1")


class Watch:
    """Somebody who watches: what was heard, and what is known by it."""

    def __init__(self, driver: BacnetDriver, *points: Point) -> None:
        self.driver = driver
        self.points = points
        self.heard: list[tuple[str, Any]] = []
        self.failures: dict[str, str] = {}
        driver.watch(points, self.hear)

    def hear(self, report: ReadReport) -> None:
        self.heard += report.values.items()
        self.failures |= report.failures

    @property
    def known(self) -> dict[str, Any]:
        return dict(self.heard)

    @property
    def reported(self) -> int:
        """How many points are reported now, and were read since they are."""
        return self.driver.traffic()["controller"].subscriptions

    @property
    def is_live(self) -> bool:
        return self.reported == len(self.points)

    async def begin(self) -> None:
        """Poll once, as whoever watches does, and wait for the reports."""
        await self.driver.read(self.points)
        await eventually(lambda: self.is_live)

    async def poll_until_live(self) -> None:
        async def polled() -> bool:
            await self.driver.read(self.points)
            return self.is_live

        await eventually(polled)


@asynccontextmanager
async def watching(
    declared: BacnetDevice, *points: Point, **rest: Any
) -> AsyncIterator[Watch]:
    """Watch these points of a device; nothing was polled yet."""
    async with bacnet_driver(declared, **rest) as driver:
        yield Watch(driver, *points)


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


async def measure(server: Device, value: float) -> None:
    await server.measure("analog-input,1", rb.PropertyValue.real(value))


async def switch(server: Device, on: bool) -> None:
    await server.measure("binary-input,1", rb.PropertyValue.enumerated(int(on)))


async def test_a_change_is_heard_without_asking() -> None:
    async with (
        device() as server,
        watching(server.as_declared, SUPPLY, STATUS) as watch,
    ):
        assert watch.reported == 0
        await watch.begin()
        await measure(server, 7.5)
        await switch(server, on=True)
        await eventually(lambda: watch.known == {SUPPLY.key: 7.5, STATUS.key: True})
        assert watch.reported == 2


async def test_nothing_is_subscribed_before_the_first_poll() -> None:
    async with device() as server, watching(server.as_declared, SUPPLY):
        await asyncio.sleep(0.3)
        assert await server.subscriptions() == 0


async def test_a_device_that_lost_its_power_reports_again_when_it_is_back() -> None:
    async with device() as server, watching(server.as_declared, SUPPLY) as watch:
        await watch.begin()
        await server.stop()
        assert (await watch.driver.read([SUPPLY])).silent_devices
        assert watch.reported == 0
        await asyncio.sleep(3)
        await server.start()
        await watch.poll_until_live()
        await measure(server, 8.5)
        await eventually(lambda: watch.known.get(SUPPLY.key) == 8.5)


async def test_subscriptions_lost_without_a_word_are_noticed_and_made_again() -> None:
    async with device() as server, watching(server.as_declared, STATUS) as watch:
        await watch.begin()
        # Too short for any poll to miss it.
        await server.stop()
        await server.start()
        assert await server.subscriptions() == 0
        await switch(server, on=True)
        report = await watch.driver.read([STATUS])
        assert report.values == {STATUS.key: True}
        await eventually(lambda: watch.is_live and watch.known.get(STATUS.key))
        await switch(server, on=False)
        await eventually(lambda: watch.known[STATUS.key] is False)


async def test_a_talkative_device_that_restarted_is_missed_without_a_poll() -> None:
    async with device() as server, watching(server.as_declared, SUPPLY) as watch:
        await watch.begin()

        async def talk(count: int, first: float) -> None:
            for step in range(count):
                await measure(server, first + step)
                await asyncio.sleep(0.25)

        # What comes right after the subscription only says what is.
        await talk(30, 10.0)
        await server.stop()
        await server.start()
        await measure(server, 70.0)
        await eventually(lambda: watch.known.get(SUPPLY.key) == 70.0)
        await talk(4, 80.0)
        await eventually(lambda: watch.known.get(SUPPLY.key) == 83.0)


async def test_reports_go_on_beyond_their_lifetime() -> None:
    async with (
        device() as server,
        watching(server.as_declared, SUPPLY, report_lifetime=3.0) as watch,
    ):
        await watch.begin()
        await asyncio.sleep(6)
        assert watch.is_live
        await measure(server, 9.5)
        await eventually(lambda: watch.known.get(SUPPLY.key) == 9.5)


async def test_what_has_no_room_in_the_devices_list_is_left_to_polling() -> None:
    points = [
        on_bacnet("load", f"analog-input,{number}", key=f"load {number}")
        for number in range(1, 11)
    ]
    policy = {"max_subscriptions_per_peer": 4}
    async with (
        device(inputs=10, cov_policy=policy) as server,
        watching(server.as_declared, *points) as watch,
    ):
        await watch.driver.read(points)
        await eventually(lambda: watch.reported == 4)
        assert await server.refused_subscriptions() == 1
        assert len((await watch.driver.read(points)).values) == 10


@pytest.mark.parametrize(
    "error",
    [
        UnrecognizedService(),
        ExecutionError("services", "optionalFunctionalityNotSupported"),
        ExecutionError("services", "covSubscriptionFailed"),
    ],
)
async def test_a_device_that_cannot_report_is_polled(error: Exception) -> None:
    async with (
        reporting_device([7.0], lambda _: error) as (declared, application),
        watching(declared, SUPPLY) as watch,
    ):
        for _ in range(3):
            assert (await watch.driver.read([SUPPLY])).values == {SUPPLY.key: 7.0}
            await asyncio.sleep(0.1)
        assert len(application.asked) == 1
        assert watch.reported == 0


async def test_two_points_of_one_object_are_one_subscription() -> None:
    twin = on_bacnet("load", "analog-input,1", key="twin")
    async with (
        device() as server,
        watching(server.as_declared, SUPPLY, twin) as watch,
    ):
        await watch.begin()
        assert await server.subscriptions() == 1
        await measure(server, 6.5)
        await eventually(lambda: watch.known == {SUPPLY.key: 6.5, twin.key: 6.5})


async def test_a_plant_that_ends_does_not_end_the_reports_of_another() -> None:
    async with device() as server:
        connection = bacnet_connection([server.as_declared])
        networks = BacnetNetworks()
        first, second = (
            BacnetDriver(connection, networks.network(connection)) for _ in range(2)
        )
        for driver in (first, second):
            await driver.connect()
        watches = [Watch(driver, SUPPLY) for driver in (first, second)]
        for watch in watches:
            await watch.begin()
        assert await server.subscriptions() == 2
        await first.close()
        assert await server.subscriptions() == 1
        await measure(server, 5.5)
        await eventually(lambda: watches[1].known.get(SUPPLY.key) == 5.5)
        await second.close()
        assert await server.subscriptions() == 0


async def test_closing_leaves_nothing_behind() -> None:
    before = others()
    async with device() as server:
        running = others()
        async with watching(server.as_declared, SUPPLY, STATUS) as watch:
            await watch.begin()
        heard = len(watch.heard)
        assert others() <= running
        assert await server.subscriptions() == 0
        await measure(server, 4.5)
        await asyncio.sleep(0.2)
        assert len(watch.heard) == heard
    assert others() <= before


async def test_closing_does_not_wait_for_a_device_that_is_gone() -> None:
    async with device() as server:
        async with watching(server.as_declared, SUPPLY) as watch:
            await watch.begin()
            await server.stop()
            async with asyncio.timeout(10):
                await watch.driver.close()
        await server.start()


async def test_what_is_not_watched_any_more_is_not_reported_any_more() -> None:
    async with (
        device() as server,
        watching(server.as_declared, SUPPLY, STATUS) as watch,
    ):
        await watch.begin()
        watch.driver.watch((), watch.hear)
        assert watch.reported == 0
        await eventually(lambda: _none(server))


async def _none(server: Device) -> bool:
    return await server.subscriptions() == 0


async def test_a_report_that_nobody_asked_for_is_answered_with_an_error() -> None:
    async with (
        reporting_device([7.0, 8.0]) as (declared, peer),
        watching(declared, SUPPLY) as watch,
    ):
        await watch.begin()
        answers = {
            "ours": await peer.report(Real(7.5), confirmed=True),
            "object": await peer.report(Real(1.5), confirmed=True, number=2),
            "process": await peer.report(Real(2.5), confirmed=True, process=77),
            "device": await peer.report(Real(3.5), confirmed=True, instance=1002),
        }
        assert isinstance(answers.pop("ours"), SimpleAckPDU)
        for answer in answers.values():
            assert isinstance(answer, ErrorPDU)
            assert str(answer.errorCode) == "unknown-subscription"
        await eventually(lambda: watch.known.get(SUPPLY.key) == 7.5)
        assert {value for _, value in watch.heard} <= {7.0, 7.5}


async def test_a_report_from_another_address_is_not_believed() -> None:
    async with (
        reporting_device([7.0]) as (declared, peer),
        reporting_device([9.0], host="127.0.0.57") as (_, impostor),
        watching(declared, SUPPLY) as watch,
    ):
        await watch.begin()
        ours, process = (
            peer.asked[0].pduSource,
            peer.asked[0].subscriberProcessIdentifier,
        )
        answer = await impostor.report(
            Real(99.0), to=ours, process=process, confirmed=True
        )
        assert isinstance(answer, ErrorPDU)
        await asyncio.sleep(0.1)
        assert watch.known.get(SUPPLY.key, 7.0) == 7.0


async def test_values_that_must_not_be_used_are_failures_with_a_name() -> None:
    async with (
        reporting_device([7.0]) as (declared, peer),
        watching(declared, SUPPLY) as watch,
    ):
        await watch.begin()
        for value, flags, text in (
            (Real(float("nan")), [0, 0, 0, 0], "not a number"),
            (Real(7.1), [0, 1, 0, 0], "fault"),
            (CharacterString("warm"), [0, 0, 0, 0], "not a number"),
        ):
            watch.failures.clear()
            await peer.report(value, flags=StatusFlags(flags))
            await eventually(lambda: watch.failures)
            found = watch.failures[SUPPLY.key]
            assert "controller" in found
            assert "analog-input,1" in found
            assert text in found
        await peer.report(Real(0), only_flags=True)
        await peer.report(Real(7.25))
        await eventually(lambda: watch.known.get(SUPPLY.key) == 7.25)


async def test_an_older_reading_does_not_hide_a_newer_report() -> None:
    second = on_bacnet("load", "analog-input,2")
    async with (
        reporting_device([7.0, 8.0]) as (declared, peer),
        watching(declared, SUPPLY, second) as watch,
    ):
        await watch.begin()

        async def change_meanwhile() -> None:
            await peer.report(Real(12.0))
            await asyncio.sleep(0.2)

        peer.before_answering = change_meanwhile
        report = await watch.driver.read([SUPPLY, second])
        assert report.values == {SUPPLY.key: 12.0, second.key: 8.0}


async def test_each_change_of_a_switch_is_heard_in_order() -> None:
    async with device() as server, watching(server.as_declared, STATUS) as watch:
        await watch.begin()
        # What is read once it is reported is told a moment later.
        await eventually(lambda: watch.heard)
        await asyncio.sleep(0.1)
        watch.heard.clear()
        for on in (True, False, True, False, True):
            await switch(server, on=on)
        await eventually(lambda: len(watch.heard) >= 5)
        assert [value for _, value in watch.heard] == [True, False, True, False, True]


async def test_subscribing_leaves_the_wire_to_polls_and_commands() -> None:
    points = [
        on_bacnet("load", f"analog-input,{number}", key=f"load {number}")
        for number in range(1, 31)
    ]
    async with (
        device(inputs=30) as server,
        slow_wire(server, 0.03) as wire,
        watching(wire.as_declared, *points) as watch,
    ):
        first = await watch.driver.read(points)
        assert len(first.values) == 30
        assert 5 not in wire.requests, "a subscription went before the first poll"
        await watch.begin()
        assert wire.most_in_flight <= 2
        assert wire.requests.count(5) == 30
