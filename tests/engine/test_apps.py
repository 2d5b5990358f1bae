"""The apps in a real AppDaemon."""

from pathlib import Path

from factories import SmallPlant, plan_data, staging
from house import House, running_apps, until


async def test_apps_wait_until_there_is_a_plan(tmp_path: Path) -> None:
    house = House(plan=None, states=dict(SmallPlant().states()))
    async with running_apps(house, tmp_path, actions=False) as daemon:
        house.install(daemon)
        await until(lambda: len(house.of("get_plan")) >= 3)
        assert house.calls and not house.of("command")
        house.plan = plan_data(staging())
        await until(lambda: house.of("command"))
        assert house.of("command")[0]["source"] == "automation.staging"
