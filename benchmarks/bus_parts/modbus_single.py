"""One register a request, through the library that our driver stands on, and pymodbus."""

import time
from typing import Any

from modbus_connection import ModbusTcpParams
from modbus_connection.tmodbus import ModbusConnection as Link
from pymodbus.client import AsyncModbusTcpClient

from .child import serve


class _Single:
    """Two clients that know nothing of neighbours."""

    async def begin(self, host: str, port: int, units: int, each: int) -> None:
        """Connect."""
        self._units, self._each = range(1, units + 1), each
        self._link = Link(ModbusTcpParams(host=host, port=port))
        self._client: Any = AsyncModbusTcpClient(host, port=port)
        if not await self._client.connect():
            raise RuntimeError("no connection")
        await self._link.for_unit(1).read_holding_registers(0, 1)

    async def timed(self, library: str) -> dict[str, float]:
        """Read all registers of all units once, one after the other."""
        began = time.perf_counter()
        for unit in self._units:
            if library == "modbus-connection":
                lent = self._link.for_unit(unit)
                for place in range(self._each):
                    await lent.read_holding_registers(place, 1)
            else:
                for place in range(self._each):
                    answer = await self._client.read_holding_registers(
                        place, count=1, device_id=unit
                    )
                    if answer.isError():
                        raise RuntimeError(str(answer))
        return {
            "seconds": time.perf_counter() - began,
            "registers": len(self._units) * self._each,
        }


if __name__ == "__main__":
    single = _Single()
    serve({"begin": single.begin, "timed": single.timed})
