"""Registered with the BBMD of another subnet, whatever happens to it."""

from collections.abc import Callable
import logging

import pytest

from custom_components.chiller_plant.drivers import bacnet_foreign
from custom_components.chiller_plant.drivers.bacnet_network import BacnetNetworks
from custom_components.chiller_plant.drivers.driver import DriverError
from tests.drivers.bacnet_peers import Station, i_am, station
from tests.drivers.points import bacnet_connection, bacnet_driver
from tests.ports import udp_port
from tests.waiting import eventually

_REGISTER, _DISTRIBUTE, _FORWARDED = 5, 9, 4


class Bbmd:
    """Answers registrations; `code` is what it answers (None: nothing)."""

    def __init__(self) -> None:
        self.code: int | None = 0
        self.lifetimes: list[int] = []
        self.broadcasts: list[bytes] = []

    def answer(self, frame: bytes) -> list[bytes]:
        if frame[1] == _REGISTER:
            self.lifetimes.append(int.from_bytes(frame[4:6]))
        elif frame[1] == _DISTRIBUTE:
            self.broadcasts.append(frame[4:])
            return [] if self.code == 0 else [_result(0x60)]
        return [] if self.code is None else [_result(self.code)]


def _result(code: int) -> bytes:
    return b"\x81\x00\x00\x00" + code.to_bytes(2)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what takes minutes take moments."""
    for name, seconds in (("_PATIENCE", 0.5), ("_FIRST_PAUSE", 0.3)):
        monkeypatch.setattr(bacnet_foreign, name, seconds)


def trouble(driver) -> object:
    return driver.diagnostics()["bbmd_trouble"]


async def forwarded(bbmd: Station, instance: int, port: int) -> None:
    """Pass on the broadcast of a device on 10.9.8.7."""
    source = bytes([10, 9, 8, 7]) + (47808).to_bytes(2)
    frame = b"\x81" + bytes([_FORWARDED]) + b"\x00\x00" + source + i_am(instance)[4:]
    bbmd.send(frame, ("127.0.0.1", port))


async def test_broadcasts_go_and_come_through_the_bbmd() -> None:
    port, peer = udp_port(), Bbmd()
    connection_settings = {"local_port": port, "bbmd_lifetime": 120}
    async with station(answer=peer.answer) as bbmd:
        connection = bacnet_connection([], bbmd=bbmd.address, **connection_settings)
        network = BacnetNetworks().network(connection)
        await network.open(connection)
        try:
            await eventually(lambda: network.diagnostics()["bbmd_trouble"] is None)
            heard: list[tuple[int, str]] = []
            network.listen_i_am(lambda instance, at: heard.append((instance, str(at))))
            await network.who_is(0, 10, seconds=0.1)
            await forwarded(bbmd, 8, port)
            await eventually(lambda: heard)
        finally:
            await network.close()

    assert heard == [(8, "10.9.8.7")]
    assert peer.lifetimes == [120]
    # Who-Is, unconfirmed service 8, to everybody, and not to our own subnet.
    assert [frame[-6:] for frame in peer.broadcasts] == [
        bytes.fromhex("1008 0900 190a")
    ]


async def test_registration_is_renewed_before_it_runs_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    peer = Bbmd()
    async with (
        station(answer=peer.answer) as bbmd,
        bacnet_driver(bbmd=bbmd.address, bbmd_lifetime=2) as driver,
    ):
        await eventually(lambda: len(peer.lifetimes) >= 3)
        assert trouble(driver) is None


def _forget(peer: Bbmd) -> None:
    peer.code = None


def _refuse(peer: Bbmd) -> None:
    peer.code = 0x30


@pytest.mark.parametrize(
    ("harm", "text"),
    [(_forget, "it does not answer"), (_refuse, "it refuses foreign devices")],
)
async def test_bbmd_that_does_not_have_us_is_asked_until_it_does(
    impatient: None,
    caplog: pytest.LogCaptureFixture,
    harm: Callable[[Bbmd], None],
    text: str,
) -> None:
    caplog.set_level(logging.INFO)
    peer = Bbmd()
    harm(peer)
    async with (
        station(answer=peer.answer) as bbmd,
        bacnet_driver(bbmd=bbmd.address) as driver,
    ):
        await eventually(lambda: len(peer.lifetimes) >= 3)
        assert trouble(driver) == text
        peer.code = 0
        await eventually(lambda: trouble(driver) is None)

    told = [line for line in caplog.messages if "BBMD" in line]
    assert len(told) == 2
    assert told[0].startswith(f"No broadcast of BBMD {bbmd.address} reaches us: {text}")
    assert told[1] == f"Registered with the BBMD {bbmd.address}"


async def test_bbmd_that_was_restarted_is_registered_with_again(
    impatient: None,
) -> None:
    port, peer = udp_port(), Bbmd()
    async with station(answer=peer.answer) as bbmd:
        connection = bacnet_connection([], bbmd=bbmd.address, local_port=port)
        network = BacnetNetworks().network(connection)
        await network.open(connection)
        try:
            await eventually(lambda: network.diagnostics()["bbmd_trouble"] is None)
            # It has lost its table: what we send is refused.
            bbmd.send(_result(0x60), ("127.0.0.1", port))
            await eventually(lambda: len(peer.lifetimes) == 2)
        finally:
            await network.close()


async def test_two_plants_on_one_port_agree_on_the_bbmd() -> None:
    networks, peer = BacnetNetworks(), Bbmd()
    async with station(answer=peer.answer) as bbmd:
        first = bacnet_connection([], bbmd=bbmd.address)
        second = bacnet_connection([], local_port=first.local_port, key="other")
        network = networks.network(first)
        await network.open(first)
        try:
            with pytest.raises(DriverError, match="connection other: .* BBMD; give"):
                await networks.network(second).open(second)
        finally:
            await network.close()
        registered = len(peer.lifetimes)

    assert registered <= 1
