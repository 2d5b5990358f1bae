"""What an integrator breaks on purpose while a chiller runs, on the real programs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demonstration.installation import WEEKDAY
from demonstration.observer import Observer
from demonstration.stack import Stack
from demonstration.wire import Wire, WireRecorder
from rusty_bacnet import (
    BACnetClient,
    ObjectIdentifier,
    ObjectType,
    PropertyIdentifier,
    PropertyValue,
)

from tests.ports import udp_port
from tests.waiting import eventually

SPEED = 10.0
STARTS_WITHIN = 300.0
"""Seconds; a busy machine takes most of them to start three programs."""
STOPS_WITHIN = 60.0
ANOTHER_HAND = 5
"""A priority before ours, as of the panel of a controller."""
VALVES = "chilled_water_valve_{}.open_command"


@dataclass(frozen=True)
class Site:
    """A plant that runs by its own automations, and who looks at it."""

    stack: Stack
    observer: Observer
    wire: WireRecorder
    actions: list[dict[str, Any]]

    def is_on(self, point: str) -> bool:
        return bool(self.wire.values.get(point))

    def running_chiller(self) -> int | None:
        return next(
            (number for number in (1, 2) if self.is_on(f"chiller_{number}.run_status")),
            None,
        )

    async def a_chiller_runs(self) -> int:
        await eventually(self.running_chiller, STARTS_WITHIN)
        number = self.running_chiller()
        assert number is not None
        return number

    def told(self, event: str, equipment: str) -> list[str]:
        """Return the reasons of the action events of a machine."""
        return [
            action["reason"]
            for action in self.actions
            if action.get("event_type") == event
            and action.get("equipment") == equipment
        ]

    async def issues(self, kind: str) -> list[dict[str, str]]:
        """Return what the repair issues of a kind say."""
        return [
            issue["translation_placeholders"]
            for issue in await self.observer.issues()
            if issue["translation_key"] == kind
        ]


@asynccontextmanager
async def running_site(folder: Path) -> AsyncIterator[Site]:
    async with Stack(folder / "site", speed=SPEED) as stack:
        recorded = [
            f"{machine}.{role}"
            for number in (1, 2)
            for machine, roles in (
                (f"chiller_{number}", ("run_command", "run_status")),
                (f"chilled_water_valve_{number}", ("open_command", "open_status")),
            )
            for role in roles
        ]
        async with (
            stack.home_assistant.connect() as socket,
            Wire(stack.plant) as wire,
            WireRecorder(wire, recorded) as recorder,
        ):
            observer = await Observer.begin(socket, stack.installation)
            actions = await observer.listen_to_actions()
            await stack.installation.move_today(socket, WEEKDAY)
            yield Site(stack, observer, recorder, actions)


@asynccontextmanager
async def another_hand(
    site: Site, point: str
) -> AsyncIterator[Callable[[PropertyValue], Awaitable[None]]]:
    """Command a point as somebody else does, before us."""
    address: Any = site.stack.plant.points[point].address
    connection: Any = site.stack.plant.connections[address.connection]
    async with BACnetClient("127.0.0.1", udp_port(), "127.255.255.255") as client:

        async def write(value: PropertyValue) -> None:
            await client.write_property(
                connection.devices[address.device].address,
                ObjectIdentifier(ObjectType.BINARY_OUTPUT, address.object_instance),
                PropertyIdentifier.PRESENT_VALUE,
                value,
                ANOTHER_HAND,
            )

        yield write


def test_a_shut_valve_stops_its_chiller_and_a_pulled_cable_stops_nothing(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with running_site(tmp_path) as site:
            await a_valve_is_shut(site)
            await a_cable_is_pulled(site)

    asyncio.run(story())


async def a_valve_is_shut(site: Site) -> None:
    """Shut the valve of the chiller that runs."""
    number = await site.a_chiller_runs()
    chiller, valve = f"chiller_{number}", f"chilled_water_valve_{number}"
    async with another_hand(site, VALVES.format(number)) as write:
        await write(PropertyValue.enumerated(0))
        # Its own flow switch or our interlock, whichever is first.
        await eventually(lambda: not site.is_on(f"{chiller}.run_status"), STOPS_WITHIN)
        await eventually(lambda: not site.is_on(f"{chiller}.run_command"), STOPS_WITHIN)
        await eventually(lambda: site.told("forced_stop", chiller), STOPS_WITHIN)
        assert any(
            reason in told
            for told in site.told("forced_stop", chiller)
            for reason in ("flow was lost", "stopped on an alarm")
        )
        await eventually(lambda: site.told("mismatch", valve), STOPS_WITHIN)
        # It is not started again into a shut valve; the other one takes over.
        await eventually(lambda: site.told("chiller_excluded", chiller), STARTS_WITHIN)
        assert await site.a_chiller_runs() == 3 - number
        assert not site.is_on(f"{chiller}.run_command")
        await write(PropertyValue.null())


async def a_cable_is_pulled(site: Site) -> None:
    """Take the controller of the chiller that runs off the network."""
    number = await site.a_chiller_runs()
    chiller, device = f"chiller_{number}", f"chiller_{number}_controller"
    own = {
        point.key
        for point in site.stack.plant.points.values()
        if point.address is not None and point.address.device == device
    }
    assert not await site.observer.unavailable()
    await site.stack.simulator.tell(f"stop {device}")

    async def its_own_are_gone() -> bool:
        return await site.observer.unavailable() == own

    async def named() -> bool:
        said = await site.issues("silent_device")
        return [item["device"] for item in said] == [device]

    await eventually(its_own_are_gone)
    await eventually(named)
    mark = len(site.wire.changes)
    await asyncio.sleep(10)
    # What serves it stays as it was: lost readings stop nothing.
    assert site.is_on(VALVES.format(number))
    assert site.wire.changes[mark:] == []

    await site.stack.simulator.tell(f"start {device}")

    async def all_is_well() -> bool:
        return not await site.observer.unavailable() and not await site.issues(
            "silent_device"
        )

    await eventually(all_is_well, STARTS_WITHIN)
    assert site.is_on(f"{chiller}.run_status")
