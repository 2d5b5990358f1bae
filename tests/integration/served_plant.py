"""The example plant on real sockets, on free ports, for tests in one process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
import re

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.chiller_plant.const import (
    CONF_PLANT_FILE,
    CONF_PLANT_FILE_NAME,
    CONF_SOURCE,
    DOMAIN,
    SOURCE_FILE,
)
from custom_components.chiller_plant.plant.model import PointKey, Value
from custom_components.chiller_plant.plant.plant_file import parse_plant
from custom_components.chiller_plant.simulator.simulation import Simulation
from homeassistant.core import HomeAssistant
from tests.ports import tcp_port, udp_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "two_chillers" / "plant.yaml"
MORNING = 8 * 3600.0


def example_text(poll_interval: int = 1) -> str:
    """Return the example plant file with ports that nobody uses."""
    text = EXAMPLE.read_text(encoding="utf-8")
    text = text.replace(":47808", f":{udp_port()}")
    text = text.replace("local_port: 47809", f"local_port: {udp_port()}")
    text = text.replace("port: 5020", f"port: {tcp_port()}")
    return re.sub(
        r"  poll_interval: \d+\n",
        "".join(
            f"  {tier}poll_interval: {poll_interval}\n"
            for tier in ("", "normal_", "slow_")
        ),
        text,
    )


def entry_for(text: str) -> MockConfigEntry:
    """Return a config entry as the config flow makes it."""
    plant = parse_plant(text, "plant.yaml")
    return MockConfigEntry(
        domain=DOMAIN,
        unique_id=plant.key,
        title=plant.name,
        data={
            CONF_SOURCE: SOURCE_FILE,
            CONF_PLANT_FILE: text,
            CONF_PLANT_FILE_NAME: "plant.yaml",
        },
    )


class ServedPlant:
    """The equipment: what is on its wires, and its plugs."""

    def __init__(self, text: str, simulation: Simulation) -> None:
        """Serve the plant of this file."""
        self.text = text
        self.simulation = simulation

    def commanded(self, point: PointKey) -> Value:
        """Return what a machine is commanded to by whoever is on its wire."""
        address = self.simulation.plant.points[point].address
        assert address is not None
        for name in (address.device, address.connection):
            if name in self.simulation.servers:
                return self.simulation.servers[name].commands()[point]
        raise KeyError(point)

    async def unplug(self, server: str) -> None:
        """Take a BACnet device or a Modbus server off the wire."""
        await self.simulation.servers[server].stop()

    async def plug_in(self, server: str) -> None:
        """Put it back."""
        await self.simulation.servers[server].start()


@asynccontextmanager
async def served_plant(speed: float = 20.0) -> AsyncIterator[ServedPlant]:
    """Serve the example for the length of a test."""
    text = example_text()
    simulation = Simulation(parse_plant(text, "plant.yaml"), MORNING, speed)
    await simulation.start()
    running = asyncio.create_task(simulation.run())
    try:
        yield ServedPlant(text, simulation)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await simulation.stop()


async def set_up(hass: HomeAssistant, text: str) -> MockConfigEntry:
    """Set the plant up and return its entry."""
    entry = entry_for(text)
    entry.add_to_hass(hass)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


def state(hass: HomeAssistant, entity_id: str) -> str:
    """Return an entity's state."""
    found = hass.states.get(entity_id)
    assert found is not None, entity_id
    return found.state


async def operate(hass: HomeAssistant, entity_id: str, value: bool | float) -> None:
    """Do what an operator does in the UI."""
    if isinstance(value, bool):
        await hass.services.async_call(
            "switch",
            "turn_on" if value else "turn_off",
            {"entity_id": entity_id},
            blocking=True,
        )
        return
    await hass.services.async_call(
        "number", "set_value", {"entity_id": entity_id, "value": value}, blocking=True
    )
