"""Reports on their way past the stack: heard once, acknowledged once, and no other."""

import logging

from bacpypes3.primitivedata import Real
import pytest

from custom_components.chiller_plant.drivers.bacnet_notification import (
    Notification,
    acknowledgement,
)
from custom_components.chiller_plant.drivers.bacnet_shortcut import Shortcut
from tests.drivers.bacnet_peers import station
from tests.drivers.test_bacnet_network import open_network
from tests.drivers.test_bacnet_notification import sent
from tests.ports import udp_port
from tests.waiting import eventually

BEHIND = (5, b"\x11")
HERE = ("10.0.0.9", 47808)


def report(
    value: float = 6.5,
    *,
    confirmed: bool = True,
    behind: tuple[int, bytes] | None = None,
) -> bytes:
    return sent(("present-value", Real(value)), confirmed=confirmed, station=behind)


class Listener:
    """Somebody who asked for reports, or did not."""

    def __init__(self, *, known: bool = True) -> None:
        self.known = known
        self.heard: list[Notification] = []

    def __call__(self, notification: Notification) -> bool:
        self.heard.append(notification)
        return self.known

    @property
    def values(self) -> list[float]:
        return [item.answer.value for item in self.heard if item.answer is not None]


async def test_a_confirmed_report_is_heard_and_acknowledged_once() -> None:
    port, listener = udp_port(), Listener()
    async with open_network(local_port=port) as network, station() as device:
        network.listen_cov(listener)
        for number in range(5):
            device.send(report(number), ("127.0.0.1", port))
        await eventually(lambda: len(listener.heard) == 5)
        device.send(report(5.0, confirmed=False), ("127.0.0.1", port))
        await eventually(lambda: len(listener.heard) == 6)
        await eventually(lambda: len(device.received) == 5)

    assert listener.values == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
    assert device.received == [acknowledgement(None, 7)] * 5


async def test_the_stack_learns_the_way_from_the_first_report_over_a_router() -> None:
    """The second goes past it: both are acknowledged alike, to the router."""
    port, listener = udp_port(), Listener()
    async with open_network(local_port=port) as network, station() as router:
        network.listen_cov(listener)
        router.send(report(0.0, behind=BEHIND), ("127.0.0.1", port))
        await eventually(lambda: len(router.received) == 1)
        router.send(report(1.0, behind=BEHIND), ("127.0.0.1", port))
        await eventually(lambda: len(router.received) == 2)
        assert list(network.diagnostics()["routers"]) == ["5"]

    assert listener.values == [0.0, 1.0]
    assert [str(item.source) for item in listener.heard] == ["5:17", "5:17"]
    assert router.received == [acknowledgement(BEHIND, 7)] * 2


def test_what_nobody_asked_for_is_left_to_the_stack_to_refuse() -> None:
    shortcut = Shortcut(Listener(known=False), lambda network, router: True)

    assert not shortcut.take(report(), HERE, pytest.fail)
    # To this one there is no answer, so nothing is left to do.
    assert shortcut.take(report(confirmed=False), HERE, pytest.fail)


def test_what_comes_over_another_router_is_left_to_the_stack_to_learn_from() -> None:
    listener = Listener()
    shortcut = Shortcut(listener, lambda network, router: network != BEHIND[0])

    assert not shortcut.take(report(behind=BEHIND), HERE, pytest.fail)
    assert not listener.heard


def test_a_listener_that_fails_is_logged_and_stops_nobody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(notification: Notification) -> bool:
        raise KeyError(notification.place)

    shortcut = Shortcut(fails, lambda network, router: True)

    with caplog.at_level(logging.ERROR):
        assert shortcut.take(report(), HERE, pytest.fail)
    assert "10.0.0.9" in caplog.text
