"""Nobody knows the differential pressure of the secondary main any more."""

from itertools import pairwise
from math import nan

import pytest

from tests.disturbances.forms import (
    PLANT,
    PRESSURE,
    PUMPS,
    hours,
    pumps,
    reset,
    staging,
    towers,
)
from tests.disturbances.site import Site, running_site

GROUP = (hours(), staging(), pumps(), reset(), towers())


def lose(site: Site, how: str) -> None:
    if how == "nonsense":
        site.spoiled[PRESSURE] = lambda _: nan
    else:
        site.lost.add(PRESSURE)


def find(site: Site) -> None:
    site.spoiled.clear()
    site.lost.clear()


def speeds(site: Site) -> list[float]:
    """Return the speeds of the pumps that turn."""
    return [
        site.number(f"{key}.speed_command")
        for key in PUMPS
        if site.on(f"{key}.run_status")
    ]


@pytest.mark.parametrize("how", ["nonsense", "silence"])
def test_loop_holds_its_last_speed_and_goes_on_from_there(how: str) -> None:
    site = running_site(PLANT)
    before = max(speeds(site))
    lose(site, how)
    site.run(60)
    assert site.state("pressure") == "holding"
    assert PRESSURE in site.said("pressure")
    held = max(speeds(site))
    site.world.fix_load(0.7)
    site.run(600)
    assert max(speeds(site)) == held
    assert abs(held - before) < 5
    find(site)
    seen = [held]
    for _ in range(60):
        site.step()
        seen.append(max(speeds(site)))
    assert site.state("pressure") == "controlling"
    assert max(abs(b - a) for a, b in pairwise(seen)) < 6, "no jump"


@pytest.mark.parametrize("how", ["nonsense", "silence"])
def test_group_of_pumps_keeps_its_pumps_and_the_speed_that_it_found(how: str) -> None:
    site = running_site(GROUP)
    turning = [key for key in PUMPS if site.on(f"{key}.run_status")]
    before = max(speeds(site))
    assert turning
    lose(site, how)
    seen = []
    for _ in range(120):
        site.step()
        assert all(site.on(f"{key}.run_status") for key in turning)
        seen.append(max(speeds(site)))
    assert max(seen) - min(seen) < 3, "a speed that was found is held"
    assert max(seen) == pytest.approx(before, abs=3)
    assert "pressure" in site.said("pumps")
    find(site)
    for _ in range(60):
        site.step()
        seen.append(max(speeds(site)))
    assert site.state("pumps") == "controlling"
    assert max(abs(b - a) for a, b in pairwise(seen)) < 10, "no jump"
    assert len(site.running) >= 1


def test_setpoint_reset_holds_while_no_zone_says_whether_it_is_cool() -> None:
    site = running_site(PLANT)
    before = site.held["plant.chilled_water_supply_temperature_setpoint"]
    site.silent.add("zone_controller")
    site.run(900)
    after = site.held["plant.chilled_water_supply_temperature_setpoint"]
    assert after == pytest.approx(before, abs=0.3)
