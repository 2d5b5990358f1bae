"""What a plant can do to use less, from its plant file and what people decided."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.chiller_plant.demand_response.measures import (
    kinds_of,
    measures,
    points_of,
)
from custom_components.chiller_plant.demand_response.settings import (
    KINDS,
    DemandResponseSettings,
    likeliest_meter,
    meters,
)
from custom_components.chiller_plant.plant.plant_file import parse_plant
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.site import (
    GRID,
    SITE,
    Board,
    set_up_site,
    told,
    utility,
)
from tests.integration.served_plant import state
from tests.waiting import eventually

STORAGES = """
  tank:
    type: thermal_storage
    name: Tank
    device: board
    ratings: {{power: 400}}
    points:
      discharge_power_setpoint:
        {{register: holding, address: 20, limits: [0, 400], release: 0}}
      state_of_charge: {{register: input, address: 21, limits: [0, 100]}}
  battery:
    type: battery
    name: Battery
    device: board
    points:
      discharge_power_setpoint:
        {{register: holding, address: 22, limits: [0, 100], release: 0}}
profiles:"""


def rows(text: str = SITE, **decided: Any) -> dict[str, dict[str, Any]]:
    plant = parse_plant(text.format(port=502), "plant.yaml")
    settings = DemandResponseSettings(**decided)
    return {row["key"]: row for row in measures(plant, settings, {})}


def test_storages_are_discharged_by_a_share_of_their_power() -> None:
    found = rows(SITE.replace("\nprofiles:", STORAGES))
    tank, battery = found["thermal_storage:tank"], found["battery:battery"]
    assert (tank["kind"], tank["levels"], tank["step"]) == ("discharge", 10, 40.0)
    # Cooling that the chillers, at a COP of 5.6, need not make.
    assert tank["capacity_kw"] == 7.1
    assert tank["charge"] == "tank.state_of_charge"
    assert "tank.state_of_charge" in set(points_of(tank))
    # Its rating is not given, so its limit counts.
    assert (battery["step"], battery["capacity_kw"]) == (5.0, 5.0)
    assert battery["charge"] is None


def test_what_would_stay_as_it_was_shed_is_not_used() -> None:
    """A coil without a release value would keep the lights off after the event."""
    powers = {"lights": 8.0}
    plant = parse_plant(SITE.format(port=502), "plant.yaml")
    left = parse_plant(
        SITE.replace("address: 6, release: true", "address: 6").format(port=502),
        "plant.yaml",
    )
    assert "circuit:lights" in {
        row["key"] for row in measures(plant, DemandResponseSettings(), powers)
    }
    assert "circuit:lights" not in {
        row["key"] for row in measures(left, DemandResponseSettings(), powers)
    }


def test_kind_that_is_not_to_be_used_is_left_out() -> None:
    kinds = {**KINDS, "zone": replace(KINDS["zone"], use=False)}
    assert "zone:zone_1" in rows()
    assert "zone:zone_1" not in rows(kinds=kinds)


def test_point_that_takes_no_command_is_no_measure() -> None:
    plain = SITE.replace(
        "{{register: coil, address: 5, release: true}}",
        "{{register: coil, address: 5, writable: false}}",
    )
    assert "circuit:fountain" not in rows(plain)


def test_zone_that_is_not_measured_is_left_alone() -> None:
    unmeasured = SITE.replace(
        "      temperature: {{register: input, address: 3, scale: 0.1, limits: [0, 50]}}\n",
        "",
    )
    found = rows(unmeasured)
    assert "zone:zone_1" not in found
    assert found["chilled_water"]["comfort"] == []


def test_plant_that_can_do_nothing_has_no_kinds() -> None:
    plant = parse_plant(
        "plant: {key: a, name: A, poll_interval: 5}\nconnections: {}\n"
        "equipment: {plant: {type: plant, name: A,"
        " points: {enable_command: {release: true}}}}\n"
        "profiles: [Always]\nday_types: {weekdays: Always, weekends: Always}\n",
        "plant.yaml",
    )
    assert kinds_of(plant) == []
    assert likeliest_meter(plant) is None


def test_meter_of_the_whole_plant_is_the_likeliest() -> None:
    plant = parse_plant(SITE.format(port=502), "plant.yaml")
    assert meters(plant) == ["plant_meter.power", "chiller_meter.power"]
    assert likeliest_meter(plant) == "plant_meter.power"


async def test_circuit_counts_with_what_it_took_when_it_ran(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))

    async def lights() -> list[float]:
        async_fire_time_changed(hass, dt_util.utcnow() + timedelta(seconds=11))
        await hass.async_block_till_done()
        answer = await told(hass, entry)
        return [
            row["capacity_kw"]
            for row in answer["measures"]
            if row["key"] == "circuit:lights"
        ]

    async def take(power: float) -> None:
        machines.show({"lights.power": power})
        data = entry.runtime_data
        # Its turn comes every half minute only.
        data.coordinator.poller.again([data.plant.points["lights.power"]])
        await data.coordinator.async_refresh()
        await eventually(lambda: state(hass, "sensor.lights_power") == str(power))

    assert await lights() == []
    await take(8.0)
    assert await lights() == [8.0]
    # It is known after they went off, and after a restart.
    await take(0.0)
    assert await lights() == [8.0]
    assert await hass.config_entries.async_reload(entry.entry_id)
    assert await lights() == [8.0]
