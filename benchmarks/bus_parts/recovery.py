"""How long after a device is back its values are, as a user of Home Assistant sees it.

Devices are processes that are killed and started again; what counts are the
states that a real Home Assistant tells over its WebSocket API. A restarted
device here announces itself to nobody: its broadcasts go to another port, as
after an outage of a switch they go nowhere at all.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
import time
from typing import Any

from tests.ports import udp_port

from .child import child
from .house import house, import_plant
from .libmodbus_server import Server, build, libmodbus_server
from .result import Figure, Result, spread

_STEP_SECONDS = 0.5
"""Each device measures something else so often."""
_LIVE_GAP = 1.3
"""Reports follow each other so closely; polls are five seconds apart."""
_LIVE_REPORTS = 3
_BETWEEN = 12.0
"""Seconds in which devices report undisturbed before each outage."""
_PATIENCE = 30.0
_FIRST_INSTANCE = 1001


@dataclass(slots=True)
class _Seen:
    """What a user saw of one entity: when, and what."""

    states: list[tuple[float, str]] = field(default_factory=list)

    def good_after(self, moment: float) -> list[float]:
        """Return when it showed a value after a moment."""
        return [
            when
            for when, state in self.states
            if when > moment and state not in ("unavailable", "unknown")
        ]

    def live_after(self, moment: float) -> float | None:
        """Return when reports began to come one after the other."""
        good = self.good_after(moment)
        for place in range(len(good) - _LIVE_REPORTS + 1):
            run = good[place : place + _LIVE_REPORTS]
            if all(b - a <= _LIVE_GAP for a, b in pairwise(run)):
                return run[0]
        return None


async def measure(
    folder: Path, *, outages: Sequence[float] = (3.0, 15.0), devices: int = 4
) -> Result:
    """Kill devices for some seconds, each at its own moment of the poll interval."""
    program = build(folder)
    port = udp_port()
    with libmodbus_server(program, "127.0.0.64") as server:
        async with AsyncExitStack() as stack:
            units = [
                await stack.enter_async_context(_Device.running(folder, number, port))
                for number in range(devices)
            ]
            plant = folder / "plant.yaml"
            plant.write_text(_plant_file(units, server))
            running = await stack.enter_async_context(house(folder))
            await import_plant(running, plant)
            socket = await stack.enter_async_context(running.connect())
            seen: dict[str, _Seen] = {}

            def listen(event: dict[str, Any]) -> None:
                data = event["data"]
                if data["new_state"] is not None:
                    seen.setdefault(data["entity_id"], _Seen()).states.append(
                        (time.monotonic(), data["new_state"]["state"])
                    )

            await socket.call(
                "subscribe_events", event_type="state_changed", listener=listen
            )
            entities = await _entities(socket, [unit.name for unit in units])
            meter = (await _entities(socket, ["Meter"]))[0]
            for entity in (*entities, meter):
                seen.setdefault(entity, _Seen())
            began = time.monotonic()
            await _until(
                lambda: all(seen[entity].live_after(began) for entity in entities)
            )
            live_before = [
                seen[entity].live_after(began) is not None for entity in entities
            ]
            rounds: dict[str, Any] = {}
            for seconds in outages:
                await asyncio.sleep(_BETWEEN)
                found = await asyncio.gather(
                    *(
                        _outage(unit, seen[entity], seconds, number)
                        for number, (unit, entity) in enumerate(
                            zip(units, entities, strict=True)
                        )
                    ),
                    _modbus_outage(server, seen[meter], seconds),
                )
                rounds[f"{seconds:g} s"] = found
    return _result(rounds, live_before)


async def _outage(
    unit: _Device, seen: _Seen, seconds: float, number: int
) -> dict[str, float | None]:
    await asyncio.sleep(1.3 * number)
    await unit.stop()
    await asyncio.sleep(seconds)
    await unit.start()
    back = time.monotonic()
    await _until(lambda: seen.live_after(back))
    good, live = seen.good_after(back), seen.live_after(back)
    return {
        "value": good[0] - back if good else None,
        "live": None if live is None else live - back,
    }


async def _modbus_outage(
    server: Server, seen: _Seen, seconds: float
) -> dict[str, float | None]:
    server.stop()
    stopped = time.monotonic()
    await asyncio.sleep(seconds)
    server.start()
    back = time.monotonic()

    def recovered() -> list[float]:
        asked = [
            request.arrived
            for request in list(server.requests)
            if request.arrived > back
        ]
        if not any(
            when > stopped and state == "unavailable" for when, state in seen.states
        ):
            # It was gone too shortly to be shown: the first answer is a value.
            return asked
        return seen.good_after(back)

    await _until(recovered)
    found = recovered()
    return {"value": found[0] - back if found else None}


def _result(rounds: dict[str, Any], live_before: list[bool]) -> Result:
    details: dict[str, Any] = {"reported before the outages": live_before}
    worst = 0.0
    for name, found in rounds.items():
        *bacnet, modbus = found
        for kind, values in (
            ("BACnet, first good value", [each["value"] for each in bacnet]),
            ("BACnet, reported again", [each["live"] for each in bacnet]),
            ("Modbus, first good value", [modbus["value"]]),
        ):
            missing = sum(value is None for value in values)
            some = [value for value in values if value is not None]
            worst = max([worst, *some, *([_PATIENCE] * bool(missing))])
            text = f"{spread(some, 1)} s" if some else "never"
            if missing:
                text += f"; {missing} of {len(values)} not within {_PATIENCE:g} s"
            details[f"after {name}: {kind}"] = text
    every = [
        value for found in rounds.values() for each in found for value in each.values()
    ]
    came = [value for value in every if value is not None]
    return Result(
        [
            Figure(
                "recovery.seconds",
                worst,
                "s",
                5.0,
                "lower",
                f"the worst of {len(every)}, of which {len(every) - len(came)} did not "
                f"come within {_PATIENCE:g} s; usual {spread(came, 1)} s"
                if came
                else "nothing came back",
            )
        ],
        details,
    )


async def _until(condition: Any) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            while not condition():
                await asyncio.sleep(0.05)


async def _entities(socket: Any, names: Sequence[str]) -> list[str]:
    """Return the one sensor of each of these machines."""
    states = await socket.states()
    return [
        next(
            entity
            for entity, state in states.items()
            if entity.startswith("sensor.")
            and state["attributes"]
            .get("friendly_name", "")
            .startswith((f"{name} Outdoor temperature", f"{name} Power"))
        )
        for name in names
    ]


class _Device:
    """A device of rusty-bacnet whose temperature is always another."""

    def __init__(self, folder: Path, number: int, port: int) -> None:
        self.name = f"Station {number + 1}"
        self.key = f"station_{number + 1}"
        self.row = {
            "host": f"127.0.3.{number + 1}",
            "port": port,
            "instance": _FIRST_INSTANCE + number,
            "objects": [["analog-input", 1, 20.0]],
        }
        self._folder = folder
        self._stack = AsyncExitStack()
        self._moving: asyncio.Task[None]
        self._value = 0

    @classmethod
    @asynccontextmanager
    async def running(
        cls, folder: Path, number: int, port: int
    ) -> AsyncIterator[_Device]:
        """Run one, until the end."""
        device = cls(folder, number, port)
        await device.start()
        try:
            yield device
        finally:
            await device.stop()

    async def start(self) -> None:
        """Return when it answers."""
        process = await self._stack.enter_async_context(
            child("bacnet_devices", self._folder, devices=[self.row])
        )

        async def move() -> None:
            while True:
                self._value = (self._value + 1) % 10
                await process.ask("measure", instance=1, value=10.0 + 2 * self._value)
                await asyncio.sleep(_STEP_SECONDS)

        self._moving = asyncio.create_task(move())

    async def stop(self) -> None:
        """End it without a word."""
        self._moving.cancel()
        with suppress(asyncio.CancelledError):
            await self._moving
        await self._stack.aclose()


def _plant_file(units: Sequence[_Device], server: Server) -> str:
    """Return the plant: what is reported is read every thirty seconds only."""
    devices = "\n".join(
        f"      {unit.key}: {{address: '{unit.row['host']}:{unit.row['port']}', "
        f"instance: {unit.row['instance']}}}"
        for unit in units
    )
    stations = "\n".join(
        f"  {unit.key}:\n    type: weather_station\n    name: {unit.name}\n"
        f"    device: {unit.key}\n    points:\n      outdoor_temperature: "
        "{object: 'analog-input,1', poll: fast}"
        for unit in units
    )
    return f"""\
plant:
  key: outages
  name: Outages
  poll_interval: 5
  command_lease: 60
connections:
  bms:
    protocol: bacnet_ip
    local_address: 127.0.0.1/8
    local_port: {udp_port()}
    instance: 4190001
    write_priority: 10
    devices:
{devices}
  drives:
    protocol: modbus_tcp
    host: {server.host}
    port: {server.port}
    devices:
      meter: {{unit: 1}}
equipment:
{stations}
  meter:
    type: meter
    name: Meter
    device: meter
    points:
      power: {{register: input, address: 1, poll: fast}}
profiles: [Weekday]
day_types: {{weekdays: Weekday, weekends: Weekday}}
"""
