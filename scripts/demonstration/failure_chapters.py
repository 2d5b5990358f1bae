"""Chapters 6 to 8 of the story: what happens when something dies."""

import asyncio
from dataclasses import dataclass
import itertools
import time
from typing import Any

from custom_components.chiller_plant.plant.model import (
    BacnetAddress,
    BacnetConnection,
    PointKey,
)

from .compressed_time import LEASE_SECONDS
from .control_chapters import SPEED_POINT, SUPPLY_TEMPERATURE
from .observer import UNAVAILABLE, Observer
from .stack import Stack
from .story import StepFailed, wait_until
from .wire import Wire, WireRecorder

_BUMP = 15.0
"""Percent of speed in one step. The loop itself goes on from the speed that it
finds by a few percent a second; one that began anew would jump to a limit."""


@dataclass(slots=True)
class FailureChapters:
    """What is killed, and what must then be seen of the rest."""

    stack: Stack
    wire: Wire
    recorder: WireRecorder

    # 6

    def _bacnet_commands(self) -> list[PointKey]:
        return [
            point.key
            for point in self.stack.plant.points.values()
            if point.writable and isinstance(point.address, BacnetAddress)
        ]

    async def _our_slots(self) -> dict[PointKey, object]:
        """Return what is in our slot of every priority array on the wire."""
        slots = {}
        for key in self._bacnet_commands():
            address = self.stack.plant.points[key].address
            assert isinstance(address, BacnetAddress)
            connection = self.stack.plant.connections[address.connection]
            assert isinstance(connection, BacnetConnection)
            array = await self.wire.priority_array(key)
            slot = array[connection.write_priority - 1]
            if slot is not None:
                slots[key] = slot
        return slots

    async def app_daemon_is_killed(self, observer: Observer) -> str:
        """Kill it; see its commands go with their leases, and a smooth return."""
        await self._release_operator(observer)
        before = await self._our_slots()
        if not before:
            raise StepFailed("nothing of ours was on the wire")
        begin = time.monotonic()
        await self.stack.app_daemon.program.kill()

        drive = self.stack.plant.points[SPEED_POINT]
        assert drive.release is not None

        async def all_released() -> bool:
            # As recorded, so that the release itself is not taken for a jump.
            released = self.recorder.values.get(SPEED_POINT) == drive.release
            return released and not await self._our_slots()

        async def left() -> str:
            return f"{await self._our_slots()}, {self.recorder.values[SPEED_POINT]} %"

        await wait_until(
            all_released, LEASE_SECONDS + 25, "everything is released on the wire", left
        )
        seconds = time.monotonic() - begin
        resumed = time.time()
        await self.stack.app_daemon.start()

        async def commands_again() -> bool:
            return set(await self._our_slots()) >= {
                key for key in before if key.endswith("run_command")
            }

        await wait_until(commands_again, 40, "it commands the chillers again")
        await asyncio.sleep(10)
        stopped = [
            change.point
            for change in self.recorder.changes
            if change.at >= resumed
            and change.value is False
            and change.point in ("chiller_1.run_status", "pchp_1.run_status")
        ]
        if stopped:
            raise StepFailed(f"it stopped running machines: {stopped}")
        jump = self._largest_speed_step(resumed)
        if jump > _BUMP:
            raise StepFailed(f"the pump speed jumped by {jump:.1f} %")
        return (
            f"{len(before)} BACnet slots NULL and the drives released after {seconds:.0f} s (lease "
            f"{LEASE_SECONDS:.0f} s); resumed, nothing stopped, largest speed step "
            f"{jump:.1f} %"
        )

    async def _release_operator(self, observer: Observer) -> None:
        await observer.socket.act("chiller_plant.release", {}, respond=True)

    def _largest_speed_step(self, since: float) -> float:
        speeds = [
            (change.at, float(change.value))
            for change in self.recorder.changes
            if change.point == SPEED_POINT
        ]
        before = [speed for at, speed in speeds if at < since][-1:]
        series = before + [speed for at, speed in speeds if at >= since]
        steps = [abs(b - a) for a, b in itertools.pairwise(series)]
        return max(steps, default=0.0)

    # 7

    async def home_assistant_is_killed(self, observer: Observer) -> str:
        """Kill it; see owned slots still known, and nothing orphaned."""
        owners = await observer.owners(self._bacnet_commands())
        killed = time.time()
        home_assistant = self.stack.home_assistant
        await home_assistant.program.kill()
        await home_assistant.start()
        async with home_assistant.connect() as socket:
            again = await Observer.begin(socket, self.stack.installation)

            async def loaded() -> bool:
                return await again.number(SUPPLY_TEMPERATURE) is not None

            await wait_until(loaded, 60, "the plant is read again")
            known = await again.owners(self._bacnet_commands())
            forgotten = {k: o for k, o in owners.items() if o and known.get(k) != o}
            if forgotten:
                raise StepFailed(f"owners were forgotten: {forgotten}")
            await self._nothing_orphaned(again)
            seconds = time.time() - killed
            await asyncio.sleep(LEASE_SECONDS + 5)
            await self._nothing_orphaned(again)
            engine_back = await again.owner(SPEED_POINT)
        stopped = [
            change.point
            for change in self.recorder.changes
            if change.at >= killed
            and change.value is False
            and change.point.endswith("run_status")
        ]
        if stopped:
            raise StepFailed(f"machines stopped: {stopped}")
        return (
            f"back in {seconds:.0f} s knowing {len([o for o in owners.values() if o])} "
            f"owners, nothing orphaned, nothing stopped; {engine_back} goes on"
        )

    async def _nothing_orphaned(self, observer: Observer) -> None:
        async def orphans() -> dict[PointKey, object]:
            slots = await self._our_slots()
            owners = await observer.owners(list(slots))
            return {key: slots[key] for key, owner in owners.items() if not owner}

        async def none() -> bool:
            return not await orphans()

        await wait_until(none, 15, "no slot without an owner", orphans)

    # 8

    async def devices_are_lost_and_found(self, observer: Observer) -> str:
        """Stop devices; see only what is behind them unavailable, and said."""
        device, server = "chiller_2_controller", "meters"
        expected = {
            point.key
            for point in self.stack.plant.points.values()
            if point.address
            and (point.address.device == device or point.address.connection == server)
        }
        already = await observer.unavailable()
        for name in (device, server):
            await self.stack.simulator.tell(f"stop {name}")

        async def lost() -> bool:
            return expected <= await observer.unavailable()

        await wait_until(lost, 40, "their points are unavailable", observer.unavailable)
        points = set(self.stack.plant.points)
        others = ((await observer.unavailable()) - already - expected) & points
        if others:
            raise StepFailed(f"others became unavailable too: {sorted(others)}")

        async def told() -> list[dict[str, Any]] | None:
            issues = await observer.issues()
            names = str(issues)
            return issues if device in names and "meter" in names else None

        issues = await wait_until(told, 30, "repair issues", observer.issues)
        for name in (device, server):
            await self.stack.simulator.tell(f"start {name}")
        begin = time.monotonic()

        async def found() -> bool:
            return not expected & await observer.unavailable()

        await wait_until(found, 10, "all of them are back", observer.unavailable)
        seconds = time.monotonic() - begin

        async def cleared() -> bool:
            return device not in str(await observer.issues())

        await wait_until(cleared, 15, "the repair issue is gone", observer.issues)
        return (
            f"{len(expected)} points {UNAVAILABLE} and nothing else, {len(issues)} repair "
            f"issues; back in {seconds:.1f} s"
        )
