"""The simulated plant on the wire, with a hand on some sensors and an ear at some drives.

The servers are the simulator's own. A sensor that is handled shows what it is
given, and nothing of the physics; every write of a command that is listened to
is noted with the moment at which it came. All moments are of the machine's
monotonic clock, which all processes share.
"""

import asyncio
from pathlib import Path
from time import monotonic
from typing import Any

from benchmarks.bus_parts.child import serve
from custom_components.chiller_plant.plant.model import ModbusAddress, ModbusConnection
from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.simulator.bacnet_server import BacnetDeviceServer
from custom_components.chiller_plant.simulator.modbus_server import ModbusServer
from custom_components.chiller_plant.simulator.simulation import Simulation

_TICK = 2.0
"""Seconds between two moves of the plant; its servers answer in between."""


class _ServedPlant:
    """One simulation and what was seen of it."""

    def __init__(self) -> None:
        self._sensors: dict[str, Any] = {}
        self._written: list[tuple[str, float, float]] = []

    async def begin(self) -> None:
        """Be there: hundreds of devices take their time to start."""

    async def start(
        self, plant_file: str, time: float, measured: list[str], commanded: list[str]
    ) -> str:
        """Serve a plant file; `time` is its local time in seconds."""
        plant = load_plant(Path(plant_file))
        self._simulation = Simulation(plant, time, 1.0)
        for key in commanded:
            self._listen(key)
        await self._simulation.start()
        for key in measured:
            address = plant.points[key].address
            assert address is not None
            server = self._simulation.servers[address.device]
            assert isinstance(server, BacnetDeviceServer)
            # What the server does not know of any more it does not publish.
            self._sensors[key] = server._objects.pop(key)  # noqa: SLF001
        self._task = asyncio.create_task(self._run())
        return self._simulation.description

    def _listen(self, key: str) -> None:
        plant = self._simulation.plant
        point = plant.points[key]
        address = point.address
        assert isinstance(address, ModbusAddress)
        connection = plant.connections[address.connection]
        assert isinstance(connection, ModbusConnection)
        server = self._simulation.servers[connection.key]
        assert isinstance(server, ModbusServer)
        store = server._store  # noqa: SLF001
        unit = store.units[connection.devices[address.device].unit]
        inner = store.async_setValues

        async def note(device_id: int, func_code: int, place: int, values: Any) -> Any:
            moment, before = monotonic(), unit.told(point)
            answer = await inner(device_id, func_code, place, values)
            if (told := unit.told(point)) != before:
                self._written.append((key, moment, float(told)))
            return answer

        store.async_setValues = note  # type: ignore[assignment]

    async def _run(self) -> None:
        while True:
            self._simulation.move(monotonic())
            await asyncio.sleep(_TICK)

    async def change(self, point: str, value: float) -> float:
        """Have a sensor measure something else; return when."""
        moment = monotonic()
        self._sensors[point].presentValue = value
        return moment

    async def written(self) -> list[tuple[str, float, float]]:
        """Return the writes since the last call: point, moment, value."""
        written, self._written = self._written, []
        return written


if __name__ == "__main__":
    served = _ServedPlant()
    serve(
        {
            "begin": served.begin,
            "start": served.start,
            "change": served.change,
            "written": served.written,
        }
    )
