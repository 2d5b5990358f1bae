"""Chapters 1 to 5 of the story: a plant that is run."""

import asyncio
from dataclasses import dataclass
import math
import time
from typing import Any

from custom_components.chiller_plant.plant.model import PointKey
from custom_components.chiller_plant.plant.roles import EquipmentType

from .installation import HOLIDAY, WEEKDAY
from .observer import Observer
from .stack import Stack
from .story import StepFailed, wait_until
from .wire import Wire, WireRecorder

DIFFERENTIAL_PRESSURE = "plant.chilled_water_differential_pressure"
SUPPLY_TEMPERATURE = "plant.chilled_water_supply_temperature"
SPEED_POINT = "schp_1.speed_command"
_NOT_OF_PLANT = frozenset(
    {
        EquipmentType.SHEDDABLE_CIRCUIT,
        EquipmentType.BATTERY,
        EquipmentType.THERMAL_STORAGE,
    }
)
"""What goes on when the plant stops."""
_SETTLE_SECONDS = 150
_HELD_SECONDS = 20


@dataclass(slots=True)
class ControlChapters:
    """What is done to a plant, and what must then be seen of it."""

    stack: Stack
    wire: Wire
    recorder: WireRecorder

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
        await self.wait_for_plant_off()
        begin = time.monotonic()
        await observer.installation.move_today(observer.socket, WEEKDAY)

        async def plan_changed() -> bool:
            return bool((await observer.plan())["profile"] == WEEKDAY)

        await wait_until(plan_changed, 10, f"the plan follows {WEEKDAY}")
        return (
            f"{HOLIDAY}: plant off; moved to {WEEKDAY}, "
            f"plan changed in {time.monotonic() - begin:.1f} s"
        )

    async def wait_for_plant_off(self) -> None:
        """See every motor off."""
        motors = [
            point.key
            for point in self.stack.plant.points.values()
            if point.role.name == "run_status"
            and self.stack.plant.equipment[point.equipment].type not in _NOT_OF_PLANT
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
        chiller = await self.wait_for_chillers(observer, 1, 90)
        order = [
            f"chilled_water_valve_{chiller[-1]}.open_status",
            f"condenser_water_valve_{chiller[-1]}.open_status",
            f"{chiller}.chilled_water_flow_status",
            f"{chiller}.condenser_water_flow_status",
            f"{chiller}.run_command",
            f"{chiller}.run_status",
        ]

        async def recorded() -> bool:
            return self.recorder.first_change(order[-1], True, begin) is not None

        # Devices report to Home Assistant sooner than the recorder looks.
        await wait_until(recorded, 10, f"{order[-1]} is on at its device")
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

    async def wait_for_chillers(
        self, observer: Observer, count: int, seconds: float
    ) -> str:
        """See so many chillers run; return one of them."""

        async def enough() -> list[str] | None:
            running = await self._chillers_running(observer)
            return running if len(running) == count else None

        async def why() -> str:
            state = await observer.automation_state(observer.installation.staging)
            return f"staging says {state['state']}: {state['attributes']}"

        running = await wait_until(enough, seconds, f"{count} chillers run", why)
        return running[0]

    async def second_chiller_is_added(self, observer: Observer) -> str:
        """Raise the load; see two chillers run, the second for a stated reason."""
        await self.stack.simulator.tell("load 0.75")
        await self.wait_for_chillers(observer, 2, 120)
        # Of a plant that was warm, the second may have been added before.
        state = await observer.automation_state(observer.installation.staging)
        reason = str(state["attributes"].get("reason", ""))
        if not reason.startswith("Stage up"):
            raise StepFailed(f"staging says: {reason}")
        return reason

    async def second_chiller_is_removed(self, observer: Observer) -> str:
        """Lower the load; see it removed again for a stated reason."""
        actions = await observer.listen_to_actions()
        await self.stack.simulator.tell("load 0.25")
        await self.wait_for_chillers(observer, 1, 150)
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


def _reason(actions: list[dict[str, Any]], kind: str) -> str:
    for action in actions:
        if action.get("event_type") == kind and (reason := action.get("reason")):
            return str(reason)
    raise StepFailed(f"no {kind} with a reason among {actions}")
