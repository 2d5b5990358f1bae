"""What Home Assistant needs with 5,000 entities of ours, beside one without any."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
import re
import time
from typing import Any

from custom_components.chiller_plant.plant.model import (
    BacnetAddress,
    BacnetConnection,
    ModbusConnection,
    Plant,
)
from custom_components.chiller_plant.plant.plant_file import parse_plant
from scripts.demonstration.home_assistant import HomeAssistant
from scripts.demonstration.large_plant import large_plant_text
from tests.ports import tcp_port, udp_port

from .child import child
from .house import cpu_seconds, house, import_plant, pid_of, resident_mb
from .libmodbus_server import build, libmodbus_server
from .result import Figure, Result

_POLL_SECONDS = 30
_MOVING_SHARE = 0.2
"""Of the measurements, how many change by more than their COV increment in a
minute: those that follow the load and the weather. The rest is steady."""
_PATIENCE = 240.0


async def measure(
    folder: Path,
    *,
    points: int = 5000,
    seconds: float = 60.0,
    settle: float = 45.0,
    idle_seconds: float = 30.0,
) -> Result:
    """Start it empty, then with the plant; count processor time and memory."""
    text = _text(points)
    plant = parse_plant(text, "plant.yaml")
    result = Result()
    async with AsyncExitStack() as stack:
        _serve_modbus(stack, build(folder), plant)
        devices = await stack.enter_async_context(
            child("bacnet_devices", folder, devices=_rows(plant))
        )
        await devices.ask("move", seconds=60.0, share=_MOVING_SHARE, step=2.0)
        plant_file = folder / "plant.yaml"
        plant_file.write_text(text)
        running = await stack.enter_async_context(house(folder, start=False))
        began = time.monotonic()
        await running.start()
        empty_start = time.monotonic() - began
        await asyncio.sleep(min(settle, 15.0))
        empty = await _load(running, idle_seconds)
        await import_plant(running, plant_file)
        await _until_available(running, points)
        # What counts is a start as after a power cut, with all of it known.
        await running.program.stop(patience=60)
        began = time.monotonic()
        await running.start()
        ran = time.monotonic() - began
        entities = await _until_available(running, points)
        start = time.monotonic() - began
        await asyncio.sleep(settle)
        full = await _load(running, seconds)
        slowest = await _responses(running)
        reports = sum(row["active"] for row in await devices.ask("reports"))
    result.details = {
        "points of the plant": len(plant.points),
        "entities available": entities,
        "points reported by change of value": reports,
        "measurements that move": f"{_MOVING_SHARE:.0%}",
        "seconds measured": seconds,
        "seconds to RUNNING": round(ran, 1),
        "CPU share of a Home Assistant without it": round(empty["cpu"], 4),
        "MB of a Home Assistant without it": round(empty["rss"]),
        "seconds to start of a Home Assistant without it": round(empty_start, 1),
        "slowest of 50 requests to its web server, ms": round(slowest, 1),
    }
    result.figures += [
        Figure(
            "ha.cpu_share",
            full["cpu"],
            "",
            None,
            "lower",
            f"of one core, {entities} entities, {_POLL_SECONDS} s poll; "
            f"without them {empty['cpu']:.3f}",
        ),
        Figure(
            "ha.rss_mb",
            full["rss"],
            "MB",
            None,
            "lower",
            f"without them {empty['rss']:.0f} MB",
        ),
        Figure(
            "ha.start_s",
            start,
            "s",
            None,
            "lower",
            f"until all are available; RUNNING after {ran:.1f} s, without them "
            f"{empty_start:.1f} s (its first start)",
        ),
    ]
    return result


async def _load(running: HomeAssistant, seconds: float) -> dict[str, float]:
    pid = pid_of(running)
    began, used = time.monotonic(), cpu_seconds(pid)
    await asyncio.sleep(seconds)
    return {
        "cpu": (cpu_seconds(pid) - used) / (time.monotonic() - began),
        "rss": resident_mb(pid),
    }


async def _responses(running: HomeAssistant) -> float:
    """Return the slowest of some small requests, in milliseconds."""
    slowest = 0.0
    for _ in range(50):
        began = time.monotonic()
        await running.rest("get", "config")
        slowest = max(slowest, time.monotonic() - began)
        await asyncio.sleep(0.1)
    return 1000 * slowest


async def _until_available(running: HomeAssistant, points: int) -> int:
    """Wait until no entity of the plant is without a value; return how many there are.

    One in a hundred may have none, as what waits for the control engine.
    """
    deadline = time.monotonic() + _PATIENCE
    async with running.connect() as socket:
        while True:
            ours = {
                entry["entity_id"]
                for entry in await socket.call("config/entity_registry/list")
                if entry["platform"] == "chiller_plant" and not entry["disabled_by"]
            }
            states = await socket.states()
            missing = [
                entity
                for entity in ours
                if states.get(entity, {}).get("state", "unavailable") == "unavailable"
            ]
            found = len(ours) - len(missing)
            if len(ours) >= points * 0.95 and found >= 0.99 * len(ours):
                return found
            if time.monotonic() > deadline:
                raise RuntimeError(
                    f"{found} of {len(ours)} entities are available after "
                    f"{_PATIENCE:g} s; missing: {', '.join(sorted(missing)[:20])}"
                )
            await asyncio.sleep(0.5)


def _text(points: int) -> str:
    """Return the plant file, on ports that nobody uses, each point read in 30 s."""
    text = large_plant_text(points)
    text = re.sub(r":47808\b", f":{udp_port()}", text)
    text = re.sub(r"local_port: \d+", f"local_port: {udp_port()}", text)
    text = re.sub(r"port: 5020\b", f"port: {tcp_port()}", text)
    intervals = "\n".join(
        f"  {tier}poll_interval: {_POLL_SECONDS}" for tier in ("", "normal_", "slow_")
    )
    text, number = re.subn(
        r"^  poll_interval: \d+", intervals, text, flags=re.MULTILINE
    )
    if number != 1:
        raise RuntimeError("the plant file has no poll_interval")
    return text


def _rows(plant: Plant) -> list[dict[str, Any]]:
    """Return the BACnet devices of a plant, with an object for each point."""
    objects: dict[str, dict[tuple[str, int], float]] = {}
    for point in plant.points.values():
        if isinstance(point.address, BacnetAddress):
            address = point.address
            low = 20.0 if point.low is None else point.low
            high = 24.0 if point.high is None else point.high
            objects.setdefault(address.device, {})[
                address.object_type, address.object_instance
            ] = (low + high) / 2
    rows = []
    for connection in plant.connections.values():
        if isinstance(connection, BacnetConnection):
            for device in connection.devices.values():
                host, _, port = device.address.partition(":")
                rows.append(
                    {
                        "host": host,
                        "port": int(port),
                        "instance": device.instance,
                        "objects": [
                            [kind, instance, value]
                            for (kind, instance), value in objects.get(
                                device.key, {}
                            ).items()
                        ],
                    }
                )
    return rows


def _serve_modbus(stack: AsyncExitStack, program: Path, plant: Plant) -> None:
    for connection in plant.connections.values():
        if isinstance(connection, ModbusConnection):
            stack.enter_context(
                libmodbus_server(program, connection.host, port=connection.port)
            )
