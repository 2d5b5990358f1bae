"""The eight chapters of the story: what is done, and what must then be seen."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
import itertools
import math
import time
from typing import Any

from custom_components.chiller_plant.plant.model import (
    BacnetAddress,
    BacnetConnection,
    PointKey,
)

from .compressed_time import LEASE_SECONDS
from .home_assistant import HomeAssistantError
from .installation import HOLIDAY, WEEKDAY
from .observer import UNAVAILABLE, Observer
from .process import ProcessError
from .stack import Stack
from .story import Finding, StepFailed, wait_until
from .wire import Wire, WireRecorder

DIFFERENTIAL_PRESSURE = "plant.chilled_water_differential_pressure"
SUPPLY_TEMPERATURE = "plant.chilled_water_supply_temperature"
SPEED_POINT = "schp_1.speed_command"
_SETTLE_SECONDS = 150
_HELD_SECONDS = 20


@dataclass(slots=True)
class Checks:
    """The story of one running stack."""

    stack: Stack
    wire: Wire
    recorder: WireRecorder
    report: Callable[[Finding], None]
    findings: list[Finding] = field(default_factory=list)

    async def run(self) -> bool:
        """Tell the whole story; return whether all of it happened."""
        chapters: tuple[tuple[str, Callable[[Observer], Awaitable[str]]], ...] = (
            ("1 everything is there", self.everything_is_there),
            ("2 the calendar decides", self.the_calendar_decides),
            ("3a starts in order, cools", self.starts_in_order_and_cools),
            ("3b second chiller added", self.second_chiller_is_added),
            ("4 pressure is held", self.pressure_is_held),
            ("3c second chiller removed", self.second_chiller_is_removed),
            ("3d no interlock violated", self.no_interlock_was_violated),
            ("5 operator wins, hands back", self.operator_wins_and_hands_back),
            ("6 AppDaemon killed", self.app_daemon_is_killed),
            ("7 Home Assistant killed", self.home_assistant_is_killed),
            ("8 devices lost and found", self.devices_are_lost_and_found),
        )
        for name, chapter in chapters:
            begin = time.monotonic()
            try:
                async with self.stack.home_assistant.connect() as socket:
                    observer = await Observer.begin(socket, self.stack.installation)
                    seen, passed = await chapter(observer), True
            except (StepFailed, HomeAssistantError, ProcessError) as failure:
                seen, passed = str(failure), False
            finding = Finding(name, seen, time.monotonic() - begin, passed)
            self.findings.append(finding)
            self.report(finding)
        return all(finding.passed for finding in self.findings)

    # 1

    async def everything_is_there(self, observer: Observer) -> str:
        """See all equipment there and every point good."""
        points = [p.key for p in self.stack.plant.points.values() if p.address]

        async def all_good() -> bool:
            qualities = await observer.qualities(points)
            return set(qualities.values()) == {"good"}

        async def bad() -> dict[str, str]:
            qualities = await observer.qualities(points)
            return {k: q for k, q in qualities.items() if q != "good"}

        await wait_until(all_good, 30, "every point good", bad)
        devices = await observer.socket.call("config/device_registry/list")
        ours = [
            device
            for device in devices
            if any(domain == "chiller_plant" for domain, *_ in device["identifiers"])
        ]
        return f"{len(ours)} devices, {len(points)} points on the wire, all good"

    # 2

    async def the_calendar_decides(self, observer: Observer) -> str:
        """See the calendar's profile active; move today, and see the plan follow."""
        await self.stack.simulator.tell("load 0.05")
        plan = await observer.plan()
        if (plan["profile"], plan["profile_source"]) != (HOLIDAY, "date"):
            raise StepFailed(f"today is {plan['profile']} by {plan['profile_source']}")
        await self._wait_for_plant_off()
        begin = time.monotonic()
        await observer.installation.move_today(observer.socket, WEEKDAY)

        async def plan_changed() -> bool:
            return bool((await observer.plan())["profile"] == WEEKDAY)

        await wait_until(plan_changed, 10, f"the plan follows {WEEKDAY}")
        return (
            f"{HOLIDAY}: plant off; moved to {WEEKDAY}, "
            f"plan changed in {time.monotonic() - begin:.1f} s"
        )

    async def _wait_for_plant_off(self) -> None:
        motors = [
            point.key
            for point in self.stack.plant.points.values()
            if point.role.name == "run_status"
        ]

        async def all_off() -> bool:
            return all(self.recorder.values.get(key) is False for key in motors)

        async def running() -> list[str]:
            return [key for key in motors if self.recorder.values.get(key) is not False]

        await wait_until(all_off, 180, "the plant stops on a holiday", running)

    # 3

    async def starts_in_order_and_cools(self, observer: Observer) -> str:
        """See valve, pumps, tower, and only with proven flow the chiller."""
        await self.stack.simulator.tell("load 0.3")
        begin = time.time() - 15
        chiller = await self._wait_for_chillers(observer, 1, 90)
        order = [
            f"chilled_water_valve_{chiller[-1]}.open_status",
            f"condenser_water_valve_{chiller[-1]}.open_status",
            f"{chiller}.chilled_water_flow_status",
            f"{chiller}.condenser_water_flow_status",
            f"{chiller}.run_command",
            f"{chiller}.run_status",
        ]
        times = []
        for point in order:
            change = self.recorder.first_change(point, True, begin)
            if change is None:
                raise StepFailed(f"{point} was never on")
            times.append(change.at)
        started = times[-2]
        if max(times[:-2]) > started:
            raise StepFailed(f"started before valves and flows were proven: {times}")
        tower = [
            change
            for change in self.recorder.changes
            if change.point in ("ct_1.run_status", "ct_2.run_status")
            and change.value is True
            and begin <= change.at <= started
        ]
        if not tower:
            raise StepFailed("the chiller started before a tower ran")

        async def cold() -> float | None:
            temperature = await observer.number(SUPPLY_TEMPERATURE)
            return (
                temperature if temperature is not None and temperature < 8.0 else None
            )

        async def now() -> str:
            return f"{await observer.number(SUPPLY_TEMPERATURE)} °C"

        temperature = await wait_until(cold, 60, "supply water below 8 °C", now)
        return (
            f"valves, pumps, flow, tower, then {chiller} "
            f"{started - max(times[:-2]):.1f} s after its flow; "
            f"supply {temperature:.1f} °C"
        )

    async def _chillers_running(self, observer: Observer) -> list[str]:
        states = await observer.socket.states()
        return [
            f"chiller_{n}"
            for n in (1, 2)
            if states[observer.entity(f"chiller_{n}.run_status")]["state"] == "on"
        ]

    async def _wait_for_chillers(
        self, observer: Observer, count: int, seconds: float
    ) -> str:
        async def enough() -> list[str] | None:
            running = await self._chillers_running(observer)
            return running if len(running) == count else None

        async def why() -> str:
            state = await observer.automation_state("staging")
            return f"staging says {state['state']}: {state['attributes']}"

        running = await wait_until(enough, seconds, f"{count} chillers run", why)
        return running[0]

    async def second_chiller_is_added(self, observer: Observer) -> str:
        """Raise the load; see a second chiller added for a stated reason."""
        actions = await observer.listen_to_actions()
        await self.stack.simulator.tell("load 0.75")
        await self._wait_for_chillers(observer, 2, 120)
        return _reason(actions, "stage_up")

    async def second_chiller_is_removed(self, observer: Observer) -> str:
        """Lower the load; see it removed again for a stated reason."""
        actions = await observer.listen_to_actions()
        await self.stack.simulator.tell("load 0.25")
        await self._wait_for_chillers(observer, 1, 150)
        return _reason(actions, "stage_down")

    async def no_interlock_was_violated(self, observer: Observer) -> str:
        """Judge what the wire saw of starts, stops and flow."""
        starts = stops = 0
        last: dict[PointKey, float] = {}
        last_any: tuple[float, str] | None = None
        for change in self.recorder.changes:
            equipment, role = change.point.split(".")
            if not equipment.startswith("chiller_") or role != "run_command":
                continue
            limits = self.stack.plant.equipment[equipment].interlocks
            since = change.at - last.get(equipment, -math.inf)
            if change.value:
                starts += 1
                self._require_flow(equipment, change.at)
                if since < limits.minimum_off_time - 1:
                    raise StepFailed(f"{equipment} started after {since:.1f} s off")
            else:
                stops += 1
                if since < limits.minimum_run_time - 1:
                    raise StepFailed(f"{equipment} stopped after {since:.1f} s")
            if last_any and last_any[1] != equipment:
                apart = change.at - last_any[0]
                if apart < limits.change_time - 1:
                    raise StepFailed(f"two chillers changed {apart:.1f} s apart")
            last[equipment] = change.at
            last_any = (change.at, equipment)
        return (
            f"{starts} starts, {stops} stops on the wire: flow proven, minimum run and "
            "off times kept, one change at a time"
        )

    def _require_flow(self, chiller: str, at: float) -> None:
        for role in ("chilled_water_flow_status", "condenser_water_flow_status"):
            before = [
                change.value
                for change in self.recorder.changes
                if change.point == f"{chiller}.{role}" and change.at <= at
            ]
            if before[-1:] != [True]:
                raise StepFailed(f"{chiller} was started without {role}")

    # 4

    async def pressure_is_held(self, observer: Observer) -> str:
        """See the PID loop hold its differential pressure within 5 %."""
        setpoint = await observer.number(f"{DIFFERENTIAL_PRESSURE}_setpoint")
        if setpoint is None:
            raise StepFailed("there is no differential pressure setpoint")
        band = 0.05 * setpoint
        inside: list[float] = []
        deadline = time.monotonic() + _SETTLE_SECONDS
        while len(inside) < _HELD_SECONDS:
            values = await self.wire.read([DIFFERENTIAL_PRESSURE, SPEED_POINT])
            pressure, speed = values[DIFFERENTIAL_PRESSURE], values[SPEED_POINT]
            if time.monotonic() > deadline:
                raise StepFailed(
                    f"not within 5 % of {setpoint:.0f} kPa for {_HELD_SECONDS} s: "
                    f"{pressure:.1f} kPa at {speed:.1f} %"
                )
            # A loop at its limit holds nothing, even if it is near by chance.
            works = abs(pressure - setpoint) <= band and speed < 99
            inside = [*inside, pressure] if works else []
            await asyncio.sleep(1)
        worst = max(abs(pressure - setpoint) for pressure in inside)
        return (
            f"setpoint {setpoint:.0f} kPa, {_HELD_SECONDS} s on the wire between {min(inside):.1f} "
            f"and {max(inside):.1f} (worst {100 * worst / setpoint:.1f} %)"
        )

    # 5

    async def operator_wins_and_hands_back(self, observer: Observer) -> str:
        """Set a number in the UI; see it beat the loop until it is released."""
        entity = observer.entity(SPEED_POINT)
        automation = await observer.owner(SPEED_POINT)
        await observer.socket.act(
            "number.set_value", {"entity_id": entity, "value": 62}
        )

        async def on_the_wire() -> bool:
            values = await self.wire.read([SPEED_POINT])
            return abs(float(values.get(SPEED_POINT, 0)) - 62) < 0.1

        await wait_until(on_the_wire, 10, "62 % on the wire")
        await asyncio.sleep(5)
        if not await on_the_wire():
            raise StepFailed("the automation took the speed back by itself")
        operator = await observer.owner(SPEED_POINT)
        released = await observer.socket.act(
            "chiller_plant.release", {"entity_id": [entity]}, respond=True
        )

        async def handed_back() -> bool:
            return await observer.owner(SPEED_POINT) == automation

        await wait_until(handed_back, 10, f"{automation} owns the speed again")
        return (
            f"{automation} → {operator} → {automation}; released {released['released']}"
        )

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

        async def all_released() -> bool:
            return not await self._our_slots()

        await wait_until(
            all_released,
            LEASE_SECONDS + 25,
            "every slot of ours is NULL",
            self._our_slots,
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
        if jump > 10:
            raise StepFailed(f"the pump speed jumped by {jump:.1f} %")
        return (
            f"{len(before)} BACnet slots NULL after {seconds:.0f} s (lease "
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


def _reason(actions: list[dict[str, Any]], kind: str) -> str:
    for action in actions:
        if action.get("event_type") == kind and (reason := action.get("reason")):
            return str(reason)
    raise StepFailed(f"no {kind} with a reason among {actions}")


async def run_checks(stack: Stack, report: Callable[[Finding], None]) -> bool:
    """Watch the wire and tell the story of a running stack."""
    points = [
        point.key
        for point in stack.plant.points.values()
        if point.address
        and point.role.name
        in (
            "run_command",
            "run_status",
            "open_status",
            "chilled_water_flow_status",
            "condenser_water_flow_status",
        )
    ]
    async with (
        Wire(stack.plant) as wire,
        WireRecorder(wire, [*points, SPEED_POINT]) as recorder,
    ):
        return await Checks(stack, wire, recorder, report).run()
