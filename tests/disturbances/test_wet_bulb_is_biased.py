"""The wet-bulb sensor tells one kelvin too much."""

from itertools import pairwise

import pytest

from tests.disturbances.forms import (
    PLANT,
    Form,
    hours,
    pressure,
    reset,
    staging,
    towers,
)
from tests.disturbances.site import Site, running_site

WET_BULB = "weather.wet_bulb_temperature"
CONDENSER = "plant.condenser_water_supply_temperature"
BY_MODEL = (
    hours(),
    staging(),
    pressure(),
    reset(),
    towers(law="model", optimise_interval=120),
)


def energy(site: Site, seconds: float, bias: float) -> float:
    """Return what the plant takes, kWh."""
    site.world.worlds.sensor_fault(WET_BULB, "bias", bias)
    before = sum(float(item[0]) for item in site.world.worlds.energy.values())
    site.run(seconds)
    return sum(float(item[0]) for item in site.world.worlds.energy.values()) - before


def test_condenser_water_follows_by_one_kelvin_and_does_not_hunt() -> None:
    site = running_site(PLANT)
    before = float(site.held[f"{CONDENSER}_setpoint"] or 0)
    began = site.now
    energy(site, 1200, 1.0)
    after = float(site.held[f"{CONDENSER}_setpoint"] or 0)
    assert after == pytest.approx(before + 1.0, abs=0.4)
    assert after <= 30.0, "within its limit"
    fans = [
        value
        for at, key, value, _ in site.orders
        if at > began + 900 and key == "ct_1.speed_command" and value is not None
    ]
    turns = sum(
        1
        for (a, b), (_, c) in pairwise(pairwise(fans))
        if (b - a) * (c - b) < 0 and abs(c - b) > 1
    )
    assert turns <= 3
    assert site.number(CONDENSER) == pytest.approx(after, abs=0.5)
    assert not site.events("stage_up", "stage_down", since=began)


@pytest.mark.parametrize(
    ("forms", "limit"), [(PLANT, 0.03), (BY_MODEL, 0.03)], ids=["approach", "model"]
)
def test_it_costs_little(forms: tuple[Form, ...], limit: float) -> None:
    right = energy(running_site(forms), 1800, 0.0)
    wrong = energy(running_site(forms), 1800, 1.0)
    assert abs(wrong / right - 1) <= limit
