"""The simulated plant without sockets."""

from datetime import datetime

import pytest

from custom_components.chiller_plant.drivers.driver import (
    Driver,
    DriverError,
    PointRefused,
)
from custom_components.chiller_plant.drivers.simulated import SimulatedPlant
from custom_components.chiller_plant.plant.model import Plant
from tests.simulator.plants import dedicated, example
from tests.waiting import eventually

NIGHT = datetime(2026, 11, 21, 2, 0)


async def reads(driver: Driver, plant: Plant, key: str) -> bool | float:
    """Return what the driver reads of one point."""
    return (await driver.read([plant.points[key]])).values[key]


async def test_every_connection_shows_its_part_of_one_world() -> None:
    plant = example()
    simulated = SimulatedPlant(plant, start=NIGHT)
    await simulated.start()
    try:
        seen: set[str] = set()
        for connection in plant.connections:
            driver = simulated.driver(connection)
            await driver.connect()
            points = [
                point
                for point in plant.points.values()
                if point.address and point.address.connection == connection
            ]
            report = await driver.read(points)
            assert not report.failures
            seen |= set(report.values)
            await driver.close()
        assert len(seen) == 132
    finally:
        await simulated.close()


async def test_a_command_through_one_connection_shows_on_another() -> None:
    plant = example()
    simulated = SimulatedPlant(plant, speed=60.0, start=NIGHT)
    await simulated.start()
    try:
        drives, bms = simulated.driver("drives"), simulated.driver("bms")
        before = await reads(bms, plant, "plant.chilled_water_differential_pressure")
        await drives.write(plant.points["schp_1.speed_command"], 40.0)
        assert await reads(drives, plant, "schp_1.speed_command") == 40.0

        async def fallen() -> bool:
            pressure = "plant.chilled_water_differential_pressure"
            return await reads(bms, plant, pressure) <= 0.5 * before

        await eventually(fallen)
        await drives.release(plant.points["schp_1.speed_command"])
        assert await reads(drives, plant, "schp_1.speed_command") == 80.0
    finally:
        await simulated.close()


async def test_what_a_device_would_refuse_is_refused() -> None:
    plant = example()
    simulated = SimulatedPlant(plant, start=NIGHT)
    drives = simulated.driver("drives")
    for key, value in {
        "schp_1.speed_command": 140.0,
        "schp_1.speed": 50.0,
        "chiller_1.run_command": True,
    }.items():
        with pytest.raises(PointRefused, match=key):
            await drives.write(plant.points[key], value)
    with pytest.raises(PointRefused):
        await drives.release(plant.points["plant.enable_command"])
    report = await drives.read([plant.points["chiller_1.load"]])
    assert "chiller_1.load" in report.failures


async def test_a_plant_that_stands_still_cannot_be_connected() -> None:
    simulated = SimulatedPlant(example(), start=NIGHT)
    with pytest.raises(DriverError, match="not running"):
        await simulated.driver("bms").connect()
    await simulated.start()
    await simulated.driver("bms").connect()
    await simulated.close()
    with pytest.raises(DriverError, match="not running"):
        await simulated.driver("bms").connect()


async def test_a_plant_that_cannot_be_simulated_is_refused_with_the_reason() -> None:
    plant = dedicated(1)
    nothing = Plant(
        **{
            name: getattr(plant, name)
            for name in Plant.__dataclass_fields__
            if name != "equipment"
        },
        equipment={},
    )
    with pytest.raises(DriverError, match="primary-secondary"):
        SimulatedPlant(nothing)
