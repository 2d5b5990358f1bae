"""A world and its servers, moving together through real time."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from time import monotonic

import numpy as np

from ..plant.model import BacnetConnection, Plant
from ..plant.roles import EquipmentType
from ..plant.units import KW_PER_RT
from .arrays import Array
from .bacnet_server import BacnetDeviceServer
from .chillers import ChillerState
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
        load = float(model.cooling_load[0])
        power = float(model.power[0])
        share, _ = model.load_share(world.worlds.time)
        states = model.chillers.state[0].tolist()

        def shown(values: Array, places: int) -> float:
            return round(float(values[0]), places)

        return {
            "time": datetime.fromtimestamp(world.time, UTC)
            .replace(tzinfo=None)
            .isoformat(timespec="seconds"),
            "speed": self.pace.speed,
            "keeps_up": self.pace.keeps_up,
            "seconds_left_out": round(self.pace.lost, 1),
            "load_share": shown(share, 3),
            "load_fixed": model.fixed_load is not None,
            "cooling_load_kw": round(load, 1),
            "power_kw": round(power, 1),
            "kw_per_rt": round(power * KW_PER_RT / load, 3) if load > 1.0 else None,
            "supply_temperature": shown(model.supply_temperature, 2),
            "return_temperature": shown(model.return_temperature, 2),
            "differential_pressure": shown(model.lowest_differential_pressure, 1),
            "primary_flow": shown(model.primary_flow, 1),
            "secondary_flow": shown(model.secondary_flow, 1),
            "condenser_supply_temperature": shown(
                model.condenser_supply_temperature, 2
            ),
            "outdoor_temperature": shown(model.outdoor.dry_bulb, 2),
            "wet_bulb_temperature": shown(model.outdoor.wet_bulb, 2),
            "zone_temperatures": self._by_key(
                EquipmentType.ZONE, np.round(model.zones.temperature[0], 2).tolist()
            ),
            "chillers": self._by_key(
                EquipmentType.CHILLER,
                [ChillerState(state).name.lower() for state in states],
            ),
            "running": list(world.machines.with_flag("running")),
            "alarms": list(world.machines.with_flag("alarm")),
            "off_wire": [
                key for key, server in self.servers.items() if not server.on_wire
            ],
            "doubts": list(world.worlds.doubts),
        }

    def _by_key(
        self, kind: EquipmentType, values: Sequence[object]
    ) -> Mapping[str, object]:
        keys = self.world.worlds.layout.keys(kind)
        return dict(zip(keys, values, strict=True))
