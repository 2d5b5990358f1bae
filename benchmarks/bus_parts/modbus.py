"""What reading neighbours together brings on Modbus, and how long a command waits."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
import random
import time
from typing import Any

from .child import child
from .house import house
from .libmodbus_server import Request, Server, build, libmodbus_server
from .result import Figure, Result, paired, spread

_UNITS = 4
_SLOW = 50
"""Milliseconds of a request where commands are measured: a gateway to RS-485."""
_QUICK = 2
"""Milliseconds of a request where Home Assistant's own integration is measured."""
_STAMP = 0.002
"""Seconds that the note of a request may be late."""
_SCAN_INTERVAL = 5


async def measure(
    folder: Path,
    *,
    registers: int = 1000,
    repeats: int = 7,
    commands: int = 40,
    core: bool = True,
) -> Result:
    """Compare with single registers, and with Home Assistant's `modbus`."""
    program = build(folder)
    each = registers // _UNITS
    result = Result()
    await _throughput(folder, program, each, repeats, result)
    waits, beside = await _commands(folder, program, each, commands, result)
    if core:
        beside += "; " + await _core(folder, program, each, result)
    result.figures.append(
        Figure(
            "modbus.command_wait_requests", max(waits), "requests", 1.0, "lower", beside
        )
    )
    return result


async def _throughput(
    folder: Path, program: Path, each: int, repeats: int, result: Result
) -> None:
    async with AsyncExitStack() as stack:
        server = stack.enter_context(libmodbus_server(program, "127.0.0.61"))
        settings: dict[str, Any] = {
            "host": server.host,
            "port": server.port,
            "units": _UNITS,
            "each": each,
        }
        ours = await stack.enter_async_context(child("modbus_ours", folder, **settings))
        single = await stack.enter_async_context(
            child("modbus_single", folder, **settings)
        )
        speed: dict[str, list[float]] = {}
        for _ in range(repeats):
            for name, asked in (
                ("ours", ours.ask("timed", sweeps=40)),
                (
                    "modbus-connection",
                    single.ask("timed", library="modbus-connection"),
                ),
                ("pymodbus", single.ask("timed", library="pymodbus")),
            ):
                told = await asked
                speed.setdefault(name, []).append(told["registers"] / told["seconds"])
    result.details["registers/s, ours"] = spread(speed["ours"], 0)
    result.details["registers/s, one a request, the same library"] = spread(
        speed["modbus-connection"], 0
    )
    result.details["registers/s, one a request, pymodbus"] = spread(
        speed["pymodbus"], 0
    )
    result.figures.append(
        Figure(
            "modbus.ratio_to_single",
            paired(speed["ours"], speed["modbus-connection"]),
            "",
            50.0,
            "higher",
            f"ours {spread(speed['ours'], 0)} registers/s, one a request "
            f"{spread(speed['modbus-connection'], 0)} (pymodbus "
            f"{spread(speed['pymodbus'], 0)})",
        )
    )


async def _commands(
    folder: Path, program: Path, each: int, commands: int, result: Result
) -> tuple[list[int], str]:
    chance = random.Random(3)
    pauses = [chance.uniform(0.2, 3) * _SLOW / 1000 for _ in range(17)]
    async with AsyncExitStack() as stack:
        server = stack.enter_context(libmodbus_server(program, "127.0.0.62", _SLOW))
        ours = await stack.enter_async_context(
            child(
                "modbus_ours",
                folder,
                host=server.host,
                port=server.port,
                units=_UNITS,
                each=each,
            )
        )
        told = await ours.ask("command", commands=commands, pauses=pauses)
        await asyncio.sleep(0.2)
        waits = _waits(list(server.requests), told["issued"], _SLOW / 1000)
    seconds = [answered - began for began, answered in told["issued"]]
    result.details["ours, requests a command waited for"] = {
        str(number): waits.count(number) for number in sorted(set(waits))
    }
    result.details["ours, seconds of a command at 50 ms a request"] = spread(seconds, 3)
    return waits, f"{commands} commands took {spread(seconds, 3)} s at 50 ms a request"


def _waits(
    requests: Sequence[Request], issued: Sequence[tuple[float, float]], service: float
) -> list[int]:
    """Return how many requests were served between each command and its turn.

    The one that is served when the command is issued counts as a whole.
    """
    # Each command had its answer before the next one was issued.
    turns = [request.arrived for request in requests if request.is_write]
    return [
        sum(
            request.arrived + service - _STAMP > began and request.arrived < turn
            for request in requests
        )
        for (began, _), turn in zip(issued, turns, strict=True)
    ]


async def _core(folder: Path, program: Path, each: int, result: Result) -> str:
    """Have a real Home Assistant read the same registers with its own integration."""
    with libmodbus_server(program, "127.0.0.63", _QUICK) as server:
        async with house(folder, more=_configuration(server, each)) as running:
            await asyncio.sleep(2)
            server.requests.clear()
            issued: list[tuple[float, float]] = []
            async with running.connect() as socket:
                until = time.monotonic() + 4 * _SCAN_INTERVAL
                while time.monotonic() < until:
                    began = time.monotonic()
                    await socket.act(
                        "modbus.write_register",
                        {"hub": "bench", "slave": 1, "address": 0, "value": 1},
                    )
                    issued.append((began, time.monotonic()))
                    await asyncio.sleep(0.3)
            await asyncio.sleep(0.2)
            requests = list(server.requests)
        waits = _waits(requests, issued, _QUICK / 1000)
    speeds = _burst_speeds(requests)
    seconds = [answered - began for began, answered in issued]
    core = {
        "registers/s during a poll": spread(speeds, 0),
        "requests a command waited for": f"{max(waits)} at most",
        "seconds of a command": spread(seconds, 2),
    }
    result.details["Home Assistant's modbus, 2 ms a request"] = core
    return (
        f"Home Assistant's own `modbus` (a real process, the same registers, 2 ms a "
        f"request): up to {max(waits)} requests, {spread(seconds, 2)} s, "
        f"{spread(speeds, 0)} registers/s"
    )


def _burst_speeds(requests: Sequence[Request]) -> list[float]:
    """Return registers a second of each time without a pause."""
    bursts: list[list[Request]] = []
    for request in requests:
        if not bursts or request.arrived - bursts[-1][-1].arrived > 0.25:
            bursts.append([])
        bursts[-1].append(request)
    return [
        sum(request.registers for request in burst)
        / (burst[-1].arrived - burst[0].arrived)
        for burst in bursts
        if len(burst) > 20
    ]


def _configuration(server: Server, each: int) -> str:
    lines = [
        "modbus:",
        "  - name: bench",
        "    type: tcp",
        f"    host: {server.host}",
        f"    port: {server.port}",
        "    sensors:",
    ]
    for unit in range(1, _UNITS + 1):
        for place in range(each):
            lines += [
                f"      - name: register {unit} {place}",
                f"        slave: {unit}",
                f"        address: {place}",
                "        input_type: holding",
                "        data_type: uint16",
                "        scale: 0.1",
                f"        scan_interval: {_SCAN_INTERVAL}",
            ]
    return "\n".join([*lines, ""])
