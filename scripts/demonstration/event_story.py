"""A utility asks for less, and the plant gives it: the story of one event.

A server of a utility announces it. What is seen is seen in Home Assistant, at the
utility's server, and at the meter's own wire; what was not used is compared with
what that wire said before and after.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
import time
from typing import Any

from .installation import DASHBOARD
from .meter_watch import STEADY, MeterWatch
from .observer import Observer
from .story import StepFailed, wait_until
from .utility import Utility

_DURATION = 180.0
"""Seconds; half an hour at the plant."""
_IN_TIME = 15 * 60.0
"""Seconds at the plant in which the load has to be at its target."""
_NEAR = 0.05
_REBOUND = 1.2
_SETTLED = 0.02
_RECOVERY_SECONDS = 420
_PICTURE_HEIGHT = 1250
_LATE = 60.0
"""Seconds; ten minutes at the plant."""
_SETTLING_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Asked:
    """What a utility asks for."""

    event: str
    words: str
    line: Mapping[str, Any]
    """How its server is told to announce it."""
    notice: float
    """Seconds between being announced and its begin."""
    by: tuple[str, ...]
    """Each of these must be part of the name of a measure that is used for it."""


LEVEL = Asked("peak_1", "level 2", {"level": 2}, 30.0, ("off",))
KILOWATTS = Asked(
    "peak_2",
    "120 kW less",
    {"type": "DISPATCH_SETPOINT_RELATIVE", "value": -120, "units": "KW"},
    # An hour at the plant, so that both are known before either begins: what the load
    # is without events is known from before both.
    340.0,
    # More than circuits have.
    ("off", "limited"),
)


@dataclass(slots=True)
class EventChapters:
    """What a utility does, and what must then be seen."""

    watch: MeterWatch
    utility: Utility
    asked: Asked
    picture: Path | None = None
    """Where a picture of the event goes, if one is wanted."""
    settled: Mapping[str, Any] = field(default_factory=dict)
    _announced: float = 0.0
    _before: float = 0.0
    """The load when it was announced, kW."""

    @property
    def _begin(self) -> float:
        return self._announced + self.asked.notice

    @property
    def _end(self) -> float:
        return self._begin + _DURATION

    async def is_announced(self, observer: Observer) -> str:
        """Announce it; see it answered at the utility and shown to people."""
        actions = await observer.listen_to_actions()
        event = self.asked.event
        self._announced = time.time()
        self._before = self.watch.mean(self._announced - STEADY, self._announced)
        await self.utility.announce(event, self._begin, _DURATION, self.asked.line)

        async def taken() -> bool:
            return self.utility.gave(event)

        await wait_until(taken, 20, "the utility knows that the plant has it")
        seconds = time.time() - self._announced

        async def told() -> bool:
            return any(item.get("event_type") == "event_received" for item in actions)

        await wait_until(told, 20, "an action event says so")

        async def on_the_calendar() -> bool:
            return any(
                shown["uid"] == f"{self.utility.name}:{event}" and shown["summary"]
                for shown in await observer.installation.grid_events(observer.socket)
            )

        await wait_until(on_the_calendar, 20, "the calendar shows it")
        return f"{self.asked.words} in {self.asked.notice:.0f} s; taken after {seconds:.1f} s"

    async def the_load_falls(self, observer: Observer) -> str:
        """See the meter at the target within 15 minutes of the plant's time."""
        limit = _IN_TIME / self.watch.stack.speed
        await asyncio.sleep(max(self._begin - time.time(), 0.0))

        async def target() -> float | None:
            return await observer.number("plant.demand_response_target")

        wanted = await wait_until(target, 30, "a target is known")

        async def fallen() -> bool:
            now = time.time()
            return self.watch.mean(now - 5.0, now) <= (1.0 + _NEAR) * wanted

        async def now() -> str:
            return f"{self.watch.loads[-1][1]:.0f} kW"

        left = self._begin + limit - time.time()
        await wait_until(fallen, left, f"at most {wanted:.0f} kW", now)
        took = (time.time() - self._begin) * self.watch.stack.speed / 60.0
        return f"{wanted:.0f} kW wanted and reached {took:.0f} min into it"

    async def is_held_in_comfort(self, observer: Observer) -> str:
        """See it held until the end, by measures of demand response, in comfort."""
        in_time = self._begin + _IN_TIME / self.watch.stack.speed
        wanted = await observer.number("plant.demand_response_target")
        assert wanted is not None
        used: set[str] = set()
        while (now := time.time()) < self._end:
            told = (await observer.state("plant.demand_response"))["attributes"]
            used |= {row["name"] for row in told["measures"] if row["level"]}
            await asyncio.sleep(min(5.0, max(self._end - now, 0.1)))
        held = self.watch.mean(in_time, self._end)
        if abs(held - wanted) > _NEAR * wanted:
            raise StepFailed(f"{held:.0f} kW held, {wanted:.0f} kW wanted, by {used}")
        for part in self.asked.by:
            if not any(part in name for name in used):
                raise StepFailed(f"no measure of {part!r} is used, of {sorted(used)}")
        limit = float(told["warmest"])
        zones = self.watch.warmest(self._begin, self._end)
        if warm := {zone: at for zone, at in zones.items() if at > limit}:
            raise StepFailed(f"too warm: {warm}")
        return (
            f"{held:.0f} kW in the mean, no zone above {max(zones.values()):.1f} °C;"
            f" {', '.join(sorted(used))}"
        )

    async def is_shown(self, _: Observer) -> str:
        """Take a picture of the page that shows it, halfway."""
        from .picture import take_picture  # noqa: PLC0415  needs a browser

        assert self.picture is not None
        await asyncio.sleep(max(self._begin + _DURATION / 2 - time.time(), 0.0))
        await take_picture(
            self.watch.stack,
            f"/{DASHBOARD}/event",
            self.picture,
            height=_PICTURE_HEIGHT,
        )
        return f"{self.picture}"

    async def the_load_comes_back_slowly(self, observer: Observer) -> str:
        """See everything given back, and no peak made of it."""

        async def idle() -> bool:
            return bool(
                (await observer.state("plant.demand_response"))["state"] == "idle"
            )

        async def state() -> str:
            found = await observer.state("plant.demand_response")
            return f"{found['state']}: {found['attributes'].get('message')}"

        await wait_until(idle, _RECOVERY_SECONDS, "everything is given back", state)
        seconds = time.time() - self._end
        # What comes back late counts too.
        await asyncio.sleep(_LATE)
        now = time.time()
        peak = max(
            self.watch.mean(at, at + 15.0)
            for at in range(int(self._end), int(now) - 15, 5)
        )
        if peak > _REBOUND * self._before:
            raise StepFailed(f"{peak:.0f} kW afterwards, {self._before:.0f} kW before")
        share = peak / self._before
        return f"given back in {seconds:.0f} s, at most {share:.0%} of before"

    async def is_reported(self, _: Observer) -> str:
        """See that the utility heard of the load while less was asked for."""
        self.utility.check(self._begin, self._end)
        during = [
            load for at, load in self.utility.reports() if self._begin <= at < self._end
        ]
        if not during:
            raise StepFailed("the utility heard nothing during the event")
        held = self.watch.mean(self._begin, self._end)
        if abs(fmean(during) - held) > _NEAR * held:
            raise StepFailed(f"{fmean(during):.0f} kW reported, {held:.0f} kW measured")
        beside = self.utility.dialect.told_with
        more = f", each with {', '.join(sorted(beside))}" if beside else ""
        return f"{len(during)} reports, {fmean(during):.0f} kW in the mean{more}"

    async def is_settled(self, observer: Observer) -> str:
        """See what was given, and that it is what the wire says."""

        async def written() -> Mapping[str, Any] | None:
            rows = await observer.installation.performance(observer.socket)
            return next(
                (row for row in rows if row["event_id"] == self.asked.event), None
            )

        self.settled = await wait_until(written, _SETTLING_SECONDS, "it is settled")
        truth = self._before - self.watch.mean(self._begin, self._end)
        said = float(self.settled["achieved_kw"])
        error = abs(said - truth) / self._before
        if error > _SETTLED:
            raise StepFailed(f"{said:.1f} kW said, {truth:.1f} kW true")
        return (
            f"{said:.1f} kW said, {truth:.1f} kW at the wire:"
            f" {error:.1%} of the load apart"
        )
