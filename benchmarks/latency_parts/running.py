"""One site as it runs: Home Assistant, AppDaemon and the devices, processes all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
import time
from typing import Any

from benchmarks.bus_parts.child import REPOSITORY, Child, child
from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.plant_file import load_plant
from scripts.demonstration.app_daemon import AppDaemon
from scripts.demonstration.compressed_time import compress
from scripts.demonstration.home_assistant import (
    HomeAssistant,
    WebSocket,
    make_configuration,
)
from scripts.demonstration.installation import Installation
from scripts.demonstration.local_time import time_zone
from tests.ports import tcp_port

from .engine_ear import EngineEar
from .sites import Site, form, name_of

_ABOVE_ALL = 9
"""The highest priority of an automation."""
_REGISTER_SECONDS = 60.0
_SERVE_SECONDS = 180.0
"""Until hundreds of simulated controllers are on the wire."""


@dataclass(frozen=True, slots=True)
class Running:
    """What a measurement needs of it."""

    plant: Plant
    served: Child
    home_assistant: HomeAssistant
    app_daemon: AppDaemon
    socket: WebSocket
    entities: dict[str, str]
    automations: int
    ear: EngineEar


@asynccontextmanager
async def running_site(site: Site, folder: Path) -> AsyncIterator[Running]:
    """Start it as an integrator would, with the timed loops besides."""
    plant_file = folder / "plant.yaml"
    plant_file.write_text(site.plant_file, encoding="utf-8")
    compress(plant_file, plant_file, 1.0, polls=False)
    plant = load_plant(plant_file)
    zone = time_zone(datetime.now(UTC), *site.hours)
    config, port = folder / "home_assistant", tcp_port()
    make_configuration(config, REPOSITORY, port, zone)
    home_assistant = HomeAssistant(config, port, folder / "home_assistant.log")
    app_daemon = AppDaemon(
        folder / "appdaemon",
        REPOSITORY,
        home_assistant,
        folder / "appdaemon.log",
        zone,
    )
    installation = Installation(
        home_assistant, plant_file, site.example, 1.0, zone, plant.key, site.profile
    )
    day = datetime.now(UTC).date()
    async with child("served_plant", folder, package="latency_parts") as served:
        await served.ask(
            "start",
            patience=_SERVE_SECONDS,
            plant_file=str(plant_file),
            time=datetime(day.year, day.month, day.day, 10, tzinfo=UTC).timestamp(),
            measured=[loop.measured for loop in site.loops],
            commanded=[loop.commanded for loop in site.loops],
        )
        try:
            await home_assistant.start()
            await installation.install()
            apps = config / "appdaemon" / "apps"
            ear = EngineEar(apps, folder)
            app_daemon.configure()
            await app_daemon.start()
            async with home_assistant.connect() as socket:
                plan = await installation.plan(socket)
                entities = {
                    f"{key}.{role}": point["entity_id"]
                    for key, item in plan["equipment"].items()
                    for role, point in item["points"].items()
                }
                automations = await _time_loops(
                    site, installation, home_assistant, socket, entities
                )
                yield Running(
                    plant,
                    served,
                    home_assistant,
                    app_daemon,
                    socket,
                    entities,
                    automations,
                    ear,
                )
        finally:
            await app_daemon.stop()
            await home_assistant.stop()


async def _time_loops(
    site: Site,
    installation: Installation,
    home_assistant: HomeAssistant,
    socket: WebSocket,
    entities: dict[str, str],
) -> int:
    """Make the timed loops and put them into today's profile; return how many run."""
    names = set()
    for loop in site.loops:
        name = name_of(loop)
        names.add(name)
        await home_assistant.rest(
            "post",
            f"config/automation/config/{name.lower().replace(' ', '_')}",
            form(installation.entry_id, loop, entities),
        )
    found = await _registered(socket, names)
    plan = await installation.plan(socket)
    planned: list[dict[str, Any]] = [
        {"automation": item["entity_id"], "priority": item["priority"]}
        for item in plan["automations"]
    ]
    planned += [{"automation": item, "priority": _ABOVE_ALL} for item in found]
    await socket.act(
        "chiller_plant.save_profile",
        {
            "plant": installation.entry_id,
            "name": plan["profile"],
            "automations": planned,
        },
    )
    return len((await installation.plan(socket))["automations"])


async def _registered(socket: WebSocket, names: set[str]) -> list[str]:
    """Wait until automations told the integration of themselves; return them."""
    deadline = time.monotonic() + _REGISTER_SECONDS
    while True:
        found = [
            entity
            for entity, state in (await socket.states()).items()
            if entity.startswith("automation.")
            and state["attributes"].get("friendly_name") in names
            and state["attributes"].get("last_triggered")
        ]
        if len(found) == len(names):
            return sorted(found)
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {found} registered of {sorted(names)}")
        await asyncio.sleep(0.3)
