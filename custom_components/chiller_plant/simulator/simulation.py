"""A world and its servers, moving together through real time."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from time import monotonic

from ..plant.model import BacnetConnection, Plant
from ..plant.roles import EquipmentType
from ..plant.units import KW_PER_RT
from .bacnet_server import BacnetDeviceServer
from .modbus_server import ModbusServer
from .pace import Pace
from .serving import Server
from .world import World

TICK = 0.2
"""Real seconds between two moves of the world."""

_LEAST_PAUSE = 0.05


class Simulation:
    """A plant file, served."""

    def __init__(self, plant: Plant, start: float, speed: float) -> None:
        """Begin at a local time in seconds.

        Raise `SimulationError` or `ServerError` for a plant that cannot be.
        """
        self.plant = plant
        self.world = World(plant, start)
        self.pace = Pace(speed)
        values = self.world.values()
        self.servers: dict[str, Server] = {}
        for connection in plant.connections.values():
            points = [
                point
                for point in self.world.points.values()
                if point.address is not None
                and point.address.connection == connection.key
            ]
            if not isinstance(connection, BacnetConnection):
                self.servers[connection.key] = ModbusServer(connection, points, values)
                continue
            for device in connection.devices.values():
                self.servers[device.key] = BacnetDeviceServer(
                    plant,
                    device,
                    [
                        point
                        for point in points
                        if point.address is not None
                        and point.address.device == device.key
                    ],
                    values,
                )

    @property
    def description(self) -> str:
        """One line that says what is being simulated."""
        modbus = sum(isinstance(item, ModbusServer) for item in self.servers.values())
        bacnet = len(self.servers) - modbus
        return (
            f"simulating {self.plant.key} at {self.pace.speed:g}x: {bacnet} BACnet"
            f" devices, {modbus} Modbus servers, {len(self.world.points)} points"
        )

    async def start(self) -> None:
        """Put every server on the wire, or none. Raise `ServerError`."""
        try:
            for server in self.servers.values():
                await server.start()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Take every server off the wire."""
        for server in self.servers.values():
            await server.stop()

    async def run(self) -> None:
        """Live until cancelled."""
        while True:
            began = monotonic()
            self.move(began)
            spent = monotonic() - began
            await asyncio.sleep(max(TICK - spent, _LEAST_PAUSE))

    def move(self, now: float) -> None:
        """Take the commands, let the time pass that is due, show the values."""
        for server in self.servers.values():
            for key, value in server.commands().items():
                self.world.command(key, value)
        self.world.advance(self.pace.due(now))
        values = self.world.values()
        for server in self.servers.values():
            server.publish(values)

    def status(self) -> Mapping[str, object]:
        """Return what a person wants to see of the plant, in JSON types."""
        world, model = self.world, self.world.model
        load = model.cooling_load
        share, _ = model.load_share(world.time)
        running = [
            key for key, item in world.machines.that_fail.items() if item.running
        ]
        alarms = [key for key, item in world.machines.that_fail.items() if item.alarm]
        return {
            "time": datetime.fromtimestamp(world.time, UTC)
            .replace(tzinfo=None)
            .isoformat(timespec="seconds"),
            "speed": self.pace.speed,
            "keeps_up": self.pace.keeps_up,
            "seconds_left_out": round(self.pace.lost, 1),
            "load_share": round(share, 3),
            "load_fixed": model.fixed_load is not None,
            "cooling_load_kw": round(load, 1),
            "power_kw": round(model.power, 1),
            "kw_per_rt": round(model.power * KW_PER_RT / load, 3)
            if load > 1.0
            else None,
            "supply_temperature": round(model.supply.inlet_temperature, 2),
            "return_temperature": round(model.return_main.outlet_temperature, 2),
            "differential_pressure": round(model.distribution.differential_pressure, 1),
            "primary_flow": round(sum(model.chilled_flows.values()), 1),
            "secondary_flow": round(model.distribution.flow, 1),
            "condenser_supply_temperature": round(
                model.condenser_supply.outlet_temperature, 2
            ),
            "outdoor_temperature": round(model.outdoor.dry_bulb, 2),
            "wet_bulb_temperature": round(model.outdoor.wet_bulb, 2),
            "zone_temperatures": {
                item.key: round(model.zones[item.key].temperature, 2)
                for item in self.plant.of_type(EquipmentType.ZONE)
            },
            "chillers": {
                key: item.state.name.lower() for key, item in model.chillers.items()
            },
            "running": running,
            "alarms": alarms,
            "off_wire": [
                key for key, server in self.servers.items() if not server.on_wire
            ],
        }
