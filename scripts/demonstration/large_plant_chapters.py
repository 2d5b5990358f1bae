"""What a large plant must still do: show all of it, answer at once, obey.

The same Home Assistant as in the story, with as many points as a hospital
campus has, read as often as at a site.
"""

import asyncio
from statistics import median
import time

from .home_assistant import WebSocket
from .observer import UNAVAILABLE, Observer
from .stack import Stack
from .story import StepFailed, wait_until
from .wire import Wire

_LIVE_SECONDS = 90
_WATCH_SECONDS = 60
_ASK_EVERY = 0.05
_SLOWEST_ANSWER = 0.5
"""Seconds after which a person at a screen would say that it hangs."""

_OBEY_SECONDS = 15
_AWAY_SECONDS = 90
_BACK_SECONDS = 15


class LargePlantChapters:
    """A stack with many points, looked at by a person."""

    def __init__(self, stack: Stack, wire: Wire) -> None:
        """Take what runs, and an independent look at its wire."""
        self.stack = stack
        self.wire = wire

    async def every_point_is_live(self, observer: Observer) -> str:
        """See a good value for each point on the wire."""
        points = {
            key for key, point in self.stack.plant.points.items() if point.address
        }

        async def bad() -> set[str]:
            qualities = await observer.qualities(sorted(points))
            return {key for key, quality in qualities.items() if quality != "good"}

        async def all_good() -> bool:
            return not await bad()

        await wait_until(all_good, _LIVE_SECONDS, "all points are good", bad)
        devices = sum(len(c.devices) for c in self.stack.plant.connections.values())
        return f"{len(points)} points of {devices} devices on the wire, all good"

    async def it_answers_at_once(self, observer: Observer) -> str:
        """Ask Home Assistant for little things while the bus is read."""
        waits = []
        deadline = time.monotonic() + _WATCH_SECONDS
        while time.monotonic() < deadline:
            waits.append(await _round_trip(observer.socket))
            await asyncio.sleep(_ASK_EVERY)
        worst = max(waits)
        seen = (
            f"{len(waits)} requests in {_WATCH_SECONDS} s: answered in "
            f"{1000 * median(waits):.0f} ms, the slowest in {1000 * worst:.0f} ms"
        )
        if worst > _SLOWEST_ANSWER:
            raise StepFailed(f"{seen} (limit {1000 * _SLOWEST_ANSWER:.0f} ms)")
        return seen

    async def the_last_zone_obeys(self, observer: Observer) -> str:
        """Set a setpoint in the last zone; see it at its device, and given back."""
        key = next(
            key
            for key in reversed(tuple(self.stack.plant.points))
            if key.endswith(".temperature_setpoint")
        )
        entity = observer.entity(key)
        begin = time.monotonic()
        await observer.socket.act(
            "number.set_value", {"entity_id": entity, "value": 22.5}
        )

        async def arrived() -> bool:
            return (await self.wire.read([key])).get(key) == 22.5

        await wait_until(arrived, _OBEY_SECONDS, f"{key} is 22.5 °C on the wire")
        seconds = time.monotonic() - begin
        await observer.socket.act("chiller_plant.release", {"entity_id": [entity]})

        async def given_back() -> bool:
            return (await self.wire.read([key])).get(key) != 22.5

        await wait_until(given_back, _OBEY_SECONDS, f"{key} is given back")
        return f"{key} was on the wire after {seconds:.1f} s, and given back"

    async def a_floor_is_lost_and_found(self, observer: Observer) -> str:
        """Stop one controller; see its points unavailable and no others."""
        points = tuple(self.stack.plant.points.values())
        device = next(
            point.address.device
            for point in reversed(points)
            if point.address is not None
        )
        expected = {
            point.key
            for point in points
            if point.address is not None and point.address.device == device
        }
        await self.stack.simulator.tell(f"stop {device}")

        async def lost() -> bool:
            return expected <= await observer.unavailable()

        await wait_until(
            lost, _AWAY_SECONDS, f"the points of {device} are {UNAVAILABLE}"
        )
        others = (
            await observer.unavailable() & set(self.stack.plant.points)
        ) - expected
        await self.stack.simulator.tell(f"start {device}")
        begin = time.monotonic()

        async def found() -> bool:
            return not expected & await observer.unavailable()

        await wait_until(found, _BACK_SECONDS, f"the points of {device} are back")
        if others:
            raise StepFailed(f"others became unavailable too: {sorted(others)[:5]}")
        return (
            f"{len(expected)} points of {device} {UNAVAILABLE} and nothing else; back "
            f"in {time.monotonic() - begin:.1f} s"
        )


async def _round_trip(socket: WebSocket) -> float:
    begin = time.monotonic()
    await socket.call("auth/current_user")
    return time.monotonic() - begin
