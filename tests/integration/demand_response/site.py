"""A small site for the tests of demand response, and an engine's words to it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
import json
from types import MappingProxyType
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.chiller_plant.plant.model import (
    ModbusConnection,
    PointKey,
    Value,
)
from custom_components.chiller_plant.plant.plant_file import parse_plant
from custom_components.chiller_plant.simulator.modbus_server import ModbusServer
from homeassistant.config_entries import ConfigSubentry
from homeassistant.core import HomeAssistant
from tests.integration.planning import UNCONNECTED, call
from tests.integration.served_plant import entry_for
from tests.ports import tcp_port

SITE = """
plant: {{key: two_chillers, name: Two chillers, poll_interval: 5, command_lease: 60}}
connections:
  drives:
    protocol: modbus_tcp
    host: 127.0.0.41
    port: {port}
    devices: {{board: {{unit: 1}}}}
equipment:
  plant:
    type: plant
    name: Plant
    points:
      enable_command: {{release: true}}
      chilled_water_supply_temperature_setpoint: {{limits: [4.5, 15], release: 6.7}}
  chiller_1:
    type: chiller
    name: Chiller 1
    device: board
    ratings: {{cooling_capacity: 1400, coefficient_of_performance: 5.6}}
    points:
      demand_limit: {{register: holding, address: 1, limits: [40, 100], release: 100}}
      chilled_water_supply_temperature_setpoint:
        {{register: holding, address: 2, scale: 0.1, limits: [4.5, 15], release: 6.7}}
  zone_1:
    type: zone
    name: Offices
    device: board
    ratings: {{cooling_load: 700}}
    points:
      temperature: {{register: input, address: 3, scale: 0.1, limits: [0, 50]}}
      temperature_setpoint:
        {{register: holding, address: 4, scale: 0.1, limits: [18, 30], release: 24}}
  fountain:
    type: sheddable_circuit
    name: Fountain
    device: board
    ratings: {{power: 15}}
    points:
      run_command: {{register: coil, address: 5, release: true}}
  lights:
    type: sheddable_circuit
    name: Lights
    device: board
    points:
      run_command: {{register: coil, address: 6, release: true}}
      power: {{register: input, address: 6, scale: 0.1, limits: [0, 100]}}
  chiller_meter:
    type: meter
    name: Chiller meter
    device: board
    measures: [chiller_1]
    points:
      power: {{register: input, address: 8, scale: 0.1, limits: [0, 2000]}}
  plant_meter:
    type: meter
    name: Plant meter
    device: board
    measures: [plant]
    points:
      power: {{register: input, address: 7, scale: 0.1, limits: [0, 2000]}}
      energy: {{register: input, address: 10, type: uint32}}
profiles: [Weekday, Weekend, Holiday]
day_types: {{weekdays: Weekday, weekends: Weekend}}
"""

GRID = {
    "protocol": "2.0b",
    "report_interval": 60.0,
    "ven_name": "two-chillers",
    "url": "https://vtn.example.com/OpenADR2/Simple/2.0b",
}
SECRET = "of nobody's business"
GRID_3 = {
    "protocol": "3.1",
    "report_interval": 60.0,
    "ven_name": "two-chillers",
    "url": "https://vtn.example.com/openadr3/3.1.0",
    "client_id": "two-chillers",
    "client_secret": SECRET,
}


def utility(name: str, data: Mapping[str, Any], subentry_id: str) -> ConfigSubentry:
    """Return a connection as the form makes it."""
    return ConfigSubentry(
        data=MappingProxyType(dict(data)),
        subentry_id=subentry_id,
        subentry_type="utility",
        title=name,
        unique_id=name,
    )


class Board:
    """The machines of the site behind one Modbus server."""

    def __init__(self, site: str = SITE) -> None:
        """Begin with a warm day on which everything runs."""
        self.text = site.format(port=tcp_port())
        plant = parse_plant(self.text, "plant.yaml")
        self.values: dict[PointKey, Value] = {
            key: point.release if point.release is not None else 0.0
            for key, point in plant.points.items()
        } | {
            "zone_1.temperature": 24.5,
            "plant_meter.power": 300.0,
            "plant_meter.energy": 5000.0,
        }
        connection = plant.connections["drives"]
        assert isinstance(connection, ModbusConnection)
        points = [point for point in plant.points.values() if point.address is not None]
        self.server = ModbusServer(connection, points, self.values)

    def show(self, values: Mapping[PointKey, Value]) -> None:
        """Let sensors show something else."""
        self.values.update(values)
        self.server.publish(self.values)


class Unwired:
    """A plant without a wire: where time jumps, no telegram is to be late."""

    text = UNCONNECTED


@asynccontextmanager
async def board(site: str = SITE) -> AsyncIterator[Board]:
    """Serve the site's machines."""
    made = Board(site)
    await made.server.start()
    try:
        yield made
    finally:
        await made.server.stop()


async def set_up_site(
    hass: HomeAssistant,
    machines: Board | Unwired,
    *connections: ConfigSubentry,
    options: Mapping[str, Any] | None = None,
) -> MockConfigEntry:
    """Set up the site with connections to utilities."""
    entry = entry_for(machines.text)
    entry.add_to_hass(hass)
    if options is not None:
        hass.config_entries.async_update_entry(
            entry, options={"demand_response": dict(options)}
        )
    for connection in connections:
        hass.config_entries.async_add_subentry(entry, connection)
    await hass.config_entries.async_setup(entry.entry_id)
    await hass.async_block_till_done()
    return entry


async def told(hass: HomeAssistant, entry: MockConfigEntry) -> dict[str, Any]:
    """Return what the engine gets."""
    answer = await call(hass, entry, "get_demand_response")
    assert answer is not None
    return answer


async def report(
    hass: HomeAssistant, entry: MockConfigEntry, **fields: Any
) -> dict[str, Any]:
    """Tell what an engine tells."""
    answer = await call(
        hass,
        entry,
        "report_demand_response",
        report=json.dumps({"state": "idle", **fields}),
    )
    assert answer is not None
    await hass.async_block_till_done()
    return answer


def grid_event(begins: datetime, ends: datetime, **fields: Any) -> dict[str, Any]:
    """Return an event as the engine tells it."""
    return {
        "key": "Grid:e1",
        "id": "e1",
        "source": "Grid",
        "name": "e1",
        "begins": begins.timestamp(),
        "ends": ends.timestamp(),
        "recovery": 3600.0,
        "status": "far",
        "opt": "in",
        "why": "by default",
        "received": begins.timestamp() - 7200.0,
        "signals": [
            {"kind": "simple", "intervals": [{"duration": 3600.0, "value": 2.0}]}
        ],
        **fields,
    }
