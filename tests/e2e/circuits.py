"""A building as a process: circuits that can be switched off, and a meter that sees them.

`python circuits.py PLANT_FILE REST EACH`: kW that the building takes without circuits,
and what each of them takes. On standard output, twice a second, a line of JSON: what it
takes now, whoever else knows.
"""

import asyncio
import json
from pathlib import Path
import sys

from custom_components.chiller_plant.plant.model import ModbusConnection
from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.simulator.modbus_server import ModbusServer

METER = "plant_meter.power"


async def main() -> None:
    plant = load_plant(Path(sys.argv[1]))
    rest, each = float(sys.argv[2]), float(sys.argv[3])
    connection = plant.connections["drives"]
    assert isinstance(connection, ModbusConnection)
    points = [point for point in plant.points.values() if point.address is not None]
    values = {
        point.key: point.release if point.release is not None else 0.0
        for point in points
    }
    server = ModbusServer(connection, points, values)
    await server.start()
    while True:
        on = sum(
            bool(value)
            for key, value in server.commands().items()
            if key.endswith("run_command")
        )
        values[METER] = rest + each * on
        server.publish(values)
        print(json.dumps({"kw": values[METER]}), flush=True)
        await asyncio.sleep(0.5)


asyncio.run(main())
