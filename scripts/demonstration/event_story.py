"""A utility asks for less, and the plant gives it: the story of one event.

A real server of a utility announces it over OpenADR 2.0b. What is seen is seen in
Home Assistant, at the utility's server, and at the meter's own wire; what was not
used is compared with what that wire said before and after.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import fmean
import time
from typing import Any

from custom_components.chiller_plant.plant.roles import EquipmentType

from .control_chapters import SUPPLY_TEMPERATURE
from .installation import DASHBOARD, WEEKDAY
from .observer import Observer
from .stack import Stack
from .story import StepFailed, wait_until
from .utility import Utility
from .wire import Wire

METER = "site_power.power"
RESOURCE = "power"
CONNECTION = "Utility"
SPEED = 10.0
"""Times real time: a load that has fallen is seen within seconds, and a building's
air still moves slowly enough for measures that are decided every few seconds."""

_EVENT = "peak_1"
_LEVEL = 2
_NOTICE = 30.0
_DURATION = 180.0
"""Seconds; half an hour at the plant."""
_WEATHER = "26 23"
"""°C outdoors and of the dew point: what the load would be without an event is known
only where nothing else changes it."""
_LOAD = 0.45
_COLD = 8.0
_COOLING_SECONDS = 400
_STEADY = 60.0
_STEADY_SECONDS = 600
_KEPT_LOAD = 0.015
"""Share by which a load may move and is still called steady."""
_BASELINE_SECONDS = 300.0
_IN_TIME = 15 * 60.0
"""Seconds at the plant in which the load has to be at its target."""
_NEAR = 0.05
_REBOUND = 1.2
_SETTLED = 0.02
_RECOVERY_SECONDS = 420
_PICTURE_HEIGHT = 1010
_LATE = 60.0
"""Seconds; ten minutes at the plant."""
_SETTLING_SECONDS = 120


@dataclass(slots=True)
class EventChapters:
    """What a utility does, and what must then be seen."""

    stack: Stack
    wire: Wire
    utility: Utility
    picture: Path | None = None
    """Where a picture of the event goes, if one is wanted."""
    loads: list[tuple[float, float]] = field(default_factory=list)
    """What the meter's own wire said: when, kW."""
    warmest: dict[str, float] = field(default_factory=dict)
    """The highest temperature of each zone while less was asked for, °C."""
    settled: Mapping[str, Any] = field(default_factory=dict)
    _announced: float = 0.0

    @property
    def _begin(self) -> float:
        return self._announced + _NOTICE

    @property
    def _end(self) -> float:
        return self._begin + _DURATION

    async def watch(self) -> None:
        """Read the meter and the zones once a second until cancelled."""
        zones = [
            f"{zone.key}.temperature"
            for zone in self.stack.plant.of_type(EquipmentType.ZONE)
        ]
        while True:
            values = await self.wire.read([METER, *zones])
            now = time.time()
            if isinstance(load := values.get(METER), float | int):
                self.loads.append((now, float(load)))
            if self._announced and self._begin <= now <= self._end:
                for zone in zones:
                    if isinstance(at := values.get(zone), float | int):
                        self.warmest[zone] = max(self.warmest.get(zone, at), float(at))
            await asyncio.sleep(1.0)

    def _mean(self, since: float, until: float) -> float:
        found = [load for at, load in self.loads if since <= at < until]
        if not found:
            raise StepFailed("the meter said nothing on the wire")
        return fmean(found)

    async def utility_knows_the_plant(self, observer: Observer) -> str:
        """Connect the plant as its options offer it; see it registered."""
        begin = time.monotonic()
        await observer.installation.connect_utility(CONNECTION, self.utility.url, METER)

        async def registered() -> bool:
            return self.utility.was_told(heard="registered")

        await wait_until(registered, 60, "the utility's server registers the plant")
        await observer.installation.show_events(observer.socket)
        return f"registered in {time.monotonic() - begin:.0f} s"

    async def the_plant_cools(self, observer: Observer) -> str:
        """Give the day to the weekday's profile; see cold water."""
        begin = time.monotonic()
        await self.stack.simulator.tell(f"load {_LOAD}")
        await self.stack.simulator.tell(f"weather {_WEATHER}")
        await observer.installation.move_today(observer.socket, WEEKDAY)

        async def cold() -> bool:
            at = await observer.number(SUPPLY_TEMPERATURE)
            stage = await observer.number("plant.stage")
            return bool(stage) and at is not None and at < _COLD

        async def now() -> str:
            return f"{await observer.number(SUPPLY_TEMPERATURE)} °C"

        await wait_until(cold, _COOLING_SECONDS, f"supply below {_COLD:g} °C", now)
        return f"cold water after {time.monotonic() - begin:.0f} s"

    async def a_steady_load(self, observer: Observer) -> str:
        """Wait until the plant holds its buildings and the meter says the same."""

        async def steady() -> bool:
            now = time.time()
            if now - self.loads[0][0] < _BASELINE_SECONDS:
                return False
            thirds = [
                self._mean(now - share * _BASELINE_SECONDS / 3, now)
                for share in (1, 2, 3)
            ]
            return max(thirds) - min(thirds) <= _KEPT_LOAD * thirds[0]

        async def now() -> str:
            return f"{self.loads[-1][1]:.0f} kW" if self.loads else "nothing read"

        await wait_until(steady, _STEADY_SECONDS, "the load is steady", now)
        end = time.time()
        return f"{self._mean(end - _STEADY, end):.0f} kW at the meter's own wire"

    async def an_event_is_announced(self, observer: Observer) -> str:
        """Announce it; see it answered at the utility and shown to people."""
        actions = await observer.listen_to_actions()
        self._announced = time.time()
        await self.utility.announce(_EVENT, self._begin, _DURATION, _LEVEL)

        async def answered() -> bool:
            return self.utility.was_told(heard="opt", event=_EVENT, opt="optIn")

        await wait_until(answered, 20, "the utility hears optIn")
        seconds = time.time() - self._announced

        async def told() -> bool:
            return any(item.get("event_type") == "event_received" for item in actions)

        await wait_until(told, 20, "an action event says so")

        async def on_the_calendar() -> bool:
            return any(
                event["summary"]
                for event in await observer.installation.grid_events(observer.socket)
            )

        await wait_until(on_the_calendar, 20, "the calendar shows it")
        return f"level {_LEVEL} in {_NOTICE:.0f} s; optIn after {seconds:.1f} s"

    async def the_load_falls(self, observer: Observer) -> str:
        """See the meter at the target within 15 minutes of the plant's time."""
        limit = _IN_TIME / self.stack.speed
        await asyncio.sleep(max(self._begin - time.time(), 0.0))

        async def target() -> float | None:
            return await observer.number("plant.demand_response_target")

        wanted = await wait_until(target, 30, "a target is known")

        async def fallen() -> bool:
            now = time.time()
            return self._mean(now - 5.0, now) <= (1.0 + _NEAR) * wanted

        async def now() -> str:
            return f"{self.loads[-1][1]:.0f} kW"

        left = self._begin + limit - time.time()
        await wait_until(fallen, left, f"at most {wanted:.0f} kW", now)
        took = (time.time() - self._begin) * self.stack.speed / 60.0
        return f"{wanted:.0f} kW wanted and reached {took:.0f} min into it"

    async def it_is_held_in_comfort(self, observer: Observer) -> str:
        """See it held until the end, by requests of its own band, in comfort."""
        in_time = self._begin + _IN_TIME / self.stack.speed
        wanted = await observer.number("plant.demand_response_target")
        assert wanted is not None
        owners = set((await observer.owners(self._switched())).values())
        await asyncio.sleep(max(self._end - time.time(), 0.0))
        held = self._mean(in_time, self._end)
        if abs(held - wanted) > _NEAR * wanted:
            raise StepFailed(f"{held:.0f} kW held, {wanted:.0f} kW wanted")
        if not any("demand" in str(owner) for owner in owners):
            raise StepFailed(f"nothing is commanded by demand response: {owners}")
        allowed = (await observer.state("plant.demand_response"))["attributes"]
        limit = float(allowed["warmest"])
        warm = {zone: at for zone, at in self.warmest.items() if at > limit}
        if warm:
            raise StepFailed(f"too warm: {warm}")
        return f"{held:.0f} kW in the mean, no zone above {max(self.warmest.values()):.1f} °C"

    async def it_is_shown(self, _: Observer) -> str:
        """Take a picture of the page that shows it, halfway."""
        from .picture import take_picture  # noqa: PLC0415  needs a browser

        assert self.picture is not None
        await asyncio.sleep(max(self._begin + _DURATION / 2 - time.time(), 0.0))
        await take_picture(
            self.stack, f"/{DASHBOARD}/event", self.picture, height=_PICTURE_HEIGHT
        )
        return f"{self.picture}"

    def _switched(self) -> list[str]:
        circuits = self.stack.plant.of_type(EquipmentType.SHEDDABLE_CIRCUIT)
        return [f"{circuit.key}.run_command" for circuit in circuits]

    async def it_comes_back_slowly(self, observer: Observer) -> str:
        """See everything given back, and no peak made of it."""
        before = self._mean(self._announced - _STEADY, self._announced)

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
            self._mean(at, at + 15.0) for at in range(int(self._end), int(now) - 15, 5)
        )
        if peak > _REBOUND * before:
            raise StepFailed(f"{peak:.0f} kW afterwards, {before:.0f} kW before")
        return f"given back in {seconds:.0f} s, at most {peak / before:.0%} of before"

    async def it_is_reported(self, observer: Observer) -> str:
        """See that the utility heard of the load while less was asked for."""
        during = [
            value
            for at, value in self.utility.reports(RESOURCE)
            if self._begin <= at <= self._end
        ]
        if not during:
            raise StepFailed("the utility heard nothing during the event")
        held = self._mean(self._begin, self._end)
        if abs(fmean(during) - held) > _NEAR * held:
            raise StepFailed(f"{fmean(during):.0f} kW reported, {held:.0f} kW measured")
        return f"{len(during)} reports, {fmean(during):.0f} kW in the mean"

    async def it_is_settled(self, observer: Observer) -> str:
        """See what was given, and that it is what the wire says."""

        async def written() -> Mapping[str, Any] | None:
            rows = await observer.installation.performance(observer.socket)
            return next((row for row in rows if row["event_id"] == _EVENT), None)

        self.settled = await wait_until(written, _SETTLING_SECONDS, "it is settled")
        before = self._mean(self._announced - _STEADY, self._announced)
        truth = before - self._mean(self._begin, self._end)
        error = abs(float(self.settled["achieved_kw"]) - truth) / before
        if error > _SETTLED:
            raise StepFailed(
                f"{self.settled['achieved_kw']:.1f} kW said, {truth:.1f} kW true"
            )
        return (
            f"{self.settled['achieved_kw']:.1f} kW said, {truth:.1f} kW at the wire:"
            f" {error:.1%} of the load apart"
        )


def performance_table(row: Mapping[str, Any]) -> str:
    """Return what an event came to, as an energy manager reads it."""
    names = {
        "event_id": "Event",
        "baseline_kw": "Baseline",
        "requested_kw": "Requested",
        "target_kw": "Target",
        "actual_kw": "Actual",
        "achieved_kw": "Achieved",
        "shed_percent": "Of what was requested",
        "energy_kwh": "Energy",
        "confidence": "Confidence",
        "eligible": "Eligible",
        "samples": "Samples",
        "method": "Method",
        "why": "Because",
    }
    units = {"shed_percent": "%", "energy_kwh": "kWh"}

    def said(key: str) -> str:
        value = row[key]
        if isinstance(value, bool) or value is None:
            return {True: "yes", False: "no", None: "not known"}[value]
        if isinstance(value, float):
            return f"{value:.1f} {units.get(key, 'kW' if key.endswith('_kw') else '')}"
        return str(value).replace("_", " ") if key == "method" else str(value)

    width = max(map(len, names.values()))
    return "\n".join(f"  {name:<{width}}  {said(key)}" for key, name in names.items())
