"""Our Modbus driver, as a client that is compared."""

import asyncio
from collections.abc import Sequence
import time
from typing import Any

from modbus_connection import ModbusTcpParams, ModbusUnit
from modbus_connection.tmodbus import ModbusConnection as Link

from custom_components.chiller_plant.drivers.modbus import ModbusDriver
from custom_components.chiller_plant.plant.model import ModbusConnection, ModbusDevice

from .child import serve
from .points import register_command, registers


class _Ours:
    """The driver on a link as Home Assistant lends it."""

    async def begin(self, host: str, port: int, units: int, each: int) -> None:
        """Connect to units that have `each` holding registers that are read."""
        devices = {
            f"unit_{unit}": ModbusDevice(f"unit_{unit}", unit)
            for unit in range(1, units + 1)
        }
        link = Link(ModbusTcpParams(host=host, port=port))

        async def lend(unit: int) -> ModbusUnit:
            return link.for_unit(unit)

        self._points = [point for key in devices for point in registers(key, 0, each)]
        self._command = register_command("unit_1", 0)
        self._driver = ModbusDriver(
            ModbusConnection("drives", host, port, devices), lend
        )
        await self._driver.connect()
        await self._sweep()

    async def _sweep(self) -> None:
        report = await self._driver.read(self._points)
        if len(report.values) != len(self._points):
            raise RuntimeError(str(next(iter(report.failures.items()))))

    async def timed(self, sweeps: int) -> dict[str, float]:
        """Read everything so many times."""
        began = time.perf_counter()
        for _ in range(sweeps):
            await self._sweep()
        return {
            "seconds": time.perf_counter() - began,
            "registers": sweeps * len(self._points),
        }

    async def command(self, commands: int, pauses: Sequence[float]) -> dict[str, Any]:
        """Poll without a pause, command in between; see `bacnet_client`."""
        ended = asyncio.Event()

        async def polling() -> None:
            while not ended.is_set():
                await self._sweep()

        task = asyncio.create_task(polling())
        issued: list[tuple[float, float]] = []
        for number in range(commands):
            await asyncio.sleep(pauses[number % len(pauses)])
            began = time.monotonic()
            await self._driver.write(self._command, float(number % 10))
            issued.append((began, time.monotonic()))
        ended.set()
        await task
        return {"issued": issued}


if __name__ == "__main__":
    ours = _Ours()
    serve({"begin": ours.begin, "timed": ours.timed, "command": ours.command})
