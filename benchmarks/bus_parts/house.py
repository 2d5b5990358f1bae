"""A real Home Assistant of its own, with what a benchmark wants of it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import os
from pathlib import Path

import aiohttp

from scripts.demonstration.home_assistant import (
    HomeAssistant,
    HomeAssistantError,
    make_configuration,
)
from tests.ports import tcp_port

from .child import REPOSITORY

_CONFIGURATION = """\
homeassistant:
  name: Benchmark
  unit_system: metric
  time_zone: UTC
  country: SG
  currency: SGD
  latitude: 1.29
  longitude: 103.85
  elevation: 15
frontend:
config:
api:
websocket_api:
automation: []
recorder:
history:
logbook:
logger:
  default: warning
"""
_TICKS = os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def house(
    folder: Path, *, more: str = "", start: bool = True
) -> AsyncIterator[HomeAssistant]:
    """Run Home Assistant with a configuration that `more` (YAML) adds to."""
    config = folder / "config"
    port = tcp_port()
    make_configuration(config, REPOSITORY, port, "UTC")
    (config / "configuration.yaml").write_text(_CONFIGURATION + more)
    running = HomeAssistant(config, port, folder / "home_assistant.log")
    try:
        if start:
            await running.start()
        yield running
    finally:
        await running.stop()


def pid_of(running: HomeAssistant) -> int:
    """Return the number of its process."""
    assert running.program.process is not None
    return running.program.process.pid


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used, all threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def resident_mb(pid: int) -> float:
    """Return the memory that a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no memory")


async def import_plant(running: HomeAssistant, plant_file: Path) -> str:
    """Import a plant file as a person does, in the forms; return the entry's id."""
    flow = await running.rest(
        "post", "config/config_entries/flow", {"handler": "chiller_plant"}
    )
    path = f"config/config_entries/flow/{flow['flow_id']}"
    await running.rest("post", path, {"next_step_id": "file"})
    flow = await running.rest(
        "post", path, {"plant_file": await _upload(running, plant_file)}
    )
    while flow["type"] == "form" and not flow.get("errors"):
        flow = await running.rest("post", path, {})
    if flow["type"] != "create_entry":
        raise HomeAssistantError(f"the plant was not imported: {flow}")
    return str(flow["result"]["entry_id"])


async def _upload(running: HomeAssistant, file: Path) -> str:
    assert running.session is not None
    form = aiohttp.FormData()
    form.add_field("file", file.read_bytes(), filename=file.name)
    async with running.session.post(
        f"{running.url}/api/file_upload",
        data=form,
        headers={"Authorization": f"Bearer {running.token}"},
    ) as response:
        response.raise_for_status()
        return str((await response.json())["file_id"])
