"""Devices that say more in one moment than a socket holds, and what is lost then."""

import asyncio
import socket
import sys

from bacpypes3.pdu import Address
from bacpypes3.primitivedata import ObjectIdentifier, Real
import pytest
import rusty_bacnet as rb

from custom_components.chiller_plant.plant.roles import PollTier
from tests.drivers.bacnet_peers import device
from tests.drivers.cov_peers import reporting_device
from tests.drivers.points import bacnet_driver, on_bacnet
from tests.drivers.test_bacnet_cov import SUPPLY, watching
from tests.ports import udp_port
from tests.waiting import PATIENCE, eventually

AT_ONCE = 400
"""Reports; a socket as the system makes it holds about 256 of them."""
FAR_TOO_MANY = 40_000
"""Datagrams that no socket holds."""


async def test_four_hundred_reports_of_one_moment_are_all_taken_in() -> None:
    async with (
        reporting_device([7.0]) as (declared, peer),
        watching(declared, SUPPLY) as watch,
    ):
        await watch.begin()
        # All are sent in one turn of the loop, before anybody can receive one.
        await asyncio.gather(
            *(peer.report(Real(float(number))) for number in range(AT_ONCE))
        )
        await eventually(lambda: watch.known.get(SUPPLY.key) == AT_ONCE - 1)
        assert watch.driver.diagnostics()["messages_without_room"] == 0


async def test_the_loop_turns_while_what_came_is_worked_through() -> None:
    async with (
        reporting_device([7.0]) as (declared, peer),
        watching(declared, SUPPLY) as watch,
    ):
        await watch.begin()
        await asyncio.gather(
            *(peer.report(Real(float(number))) for number in range(AT_ONCE))
        )
        turns = 0
        async with asyncio.timeout(PATIENCE):
            while watch.known.get(SUPPLY.key) != AT_ONCE - 1:
                await asyncio.sleep(0)
                turns += 1
        assert turns > 5


async def test_a_command_is_answered_in_the_middle_of_a_flood() -> None:
    setpoint = on_bacnet("chilled_water_supply_temperature_setpoint", "analog-value,1")
    port = udp_port()
    async with (
        device() as server,
        reporting_device([7.0], host="127.0.0.57") as (_, talker),
        bacnet_driver(server.as_declared, local_port=port) as driver,
    ):
        await driver.read([setpoint])
        # Nobody asked for these reports; they have to be taken in all the same.
        to = Address(f"127.0.0.1:{port}")
        flood = asyncio.gather(
            *(talker.report(Real(1.0), process=1, to=to) for _ in range(AT_ONCE))
        )
        await driver.write(setpoint, 6.5)
        await flood
        assert (await driver.read([setpoint])).values == {setpoint.key: 6.5}
        assert driver.traffic()["controller"].timeouts == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what it dropped")
async def test_what_found_no_room_is_read_again_without_a_poll(
    caplog: pytest.LogCaptureFixture,
) -> None:
    port = udp_port()
    async with (
        reporting_device([7.0]) as (declared, peer),
        watching(declared, SUPPLY, local_port=port) as watch,
    ):
        await watch.begin()
        await eventually(lambda: watch.heard)
        peer.get_object_id(ObjectIdentifier(("analog-input", 1))).presentValue = 12.0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as anybody:
            anybody.bind(("127.0.0.58", 0))
            for _ in range(FAR_TOO_MANY):
                anybody.sendto(b"\x00", ("127.0.0.1", port))
        await eventually(lambda: watch.known[SUPPLY.key] == 12.0)
        assert watch.driver.diagnostics()["messages_without_room"] > 0
        told = [item for item in caplog.records if "messages were lost" in item.message]
        assert len(told) == 1


async def test_an_unconfirmed_report_does_not_make_polls_rarer() -> None:
    supply = on_bacnet(
        "chilled_water_supply_temperature", "analog-input,1", tier=PollTier.FAST
    )
    async with device() as server, watching(server.as_declared, supply) as watch:
        await watch.begin()
        await server.measure("analog-input,1", rb.PropertyValue.real(7.5))
        await eventually(lambda: watch.known.get(supply.key) == 7.5)
        assert watch.driver.assured == frozenset()
