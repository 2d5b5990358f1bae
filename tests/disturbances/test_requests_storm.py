"""Everybody wants something at the same moment: zones, people, programs."""

from itertools import pairwise
from random import Random

import pytest

from custom_components.chiller_plant.plant.arbiter import MAXIMUM_SOURCES
from tests.disturbances.forms import CHILLERS, PLANT, PRESSURE, SUPPLY_SETPOINT, TOWERS
from tests.disturbances.site import CallFailed, Site, running_site

WISHES = (
    *(f"{key}.run_command" for key in CHILLERS),
    *(f"{key}.run_command" for key in TOWERS),
    *(f"{kind}_{n}.run_command" for kind in ("pchp", "cdp", "schp") for n in (1, 2, 3)),
    *(
        f"{kind}_valve_{n}.open_command"
        for kind in ("chilled_water", "condenser_water")
        for n in (1, 2, 3)
    ),
)


def storm(site: Site, random: Random) -> None:
    """Let many sources ask for anything, and the desk act now and then."""
    for number in range(40):
        site.request(
            [random.choice(WISHES)],
            random.random() < 0.5,
            random.choice((5, 9, 50, 100, 150)),
            f"script {random.randrange(30)}",
            lease=random.choice((10, 60, 120)),
        )
        if number % 10 == 0:
            site.act()


def scripts(site: Site) -> set[str]:
    """Return what the storm still commands."""
    return {key for key in WISHES if "script" in str(site.desk.status(key).owner)}


@pytest.mark.parametrize("seed", [1, 2])
def test_storm_of_commands_breaks_no_rule_and_leaves_nothing_behind(seed: int) -> None:
    site = running_site(PLANT)
    random = Random(seed)
    for _ in range(36):
        storm(site, random)
        site.step()  # where the rules look at each order and at each machine
    assert scripts(site)
    assert site.run(180, lambda it: not scripts(it)), "leases run out"

    def cools(it: Site) -> bool:
        return it.state("staging") == "running" and it.supply_temperature < 8.5

    assert site.run(5400, cools), "and then the building is cooled again"


def test_sources_without_number_fill_no_memory() -> None:
    site = running_site(PLANT)
    point = f"{min(site.running)}.run_command"
    refused = 0
    for number in range(2 * MAXIMUM_SOURCES):
        try:
            site.request([point], True, 5, f"script {number}", lease=300)
        except CallFailed:
            refused += 1
    # Staging, of a lower priority, has made room for one of them.
    assert refused == MAXIMUM_SOURCES
    site.run(60)
    assert site.state("staging") == "running"


def test_person_who_plays_with_a_switch_cannot_short_cycle_a_chiller() -> None:
    site = running_site(PLANT)
    victim = min(site.running)
    for turn in range(240):
        site.request([f"{victim}.run_command"], turn % 2 == 0)
        site.step()
    began = site.now - 1200
    changes = [
        item
        for item in site.switched("run_command", began)
        if item[0].startswith(victim)
    ]
    assert len(changes) <= 2, "an off time of 15 minutes lies between"


def test_all_zones_asking_at_once_move_the_setpoints_no_faster_than_allowed() -> None:
    site = running_site(PLANT)
    for n in (1, 2, 3):
        site.spoiled[f"zone_{n}.cooling_valve_position"] = lambda _: 100.0
        site.spoiled[f"zone_{n}.temperature"] = lambda _: 28.0
    supply, pressure = [], []
    for _ in range(240):
        site.step()
        supply.append(float(site.held[SUPPLY_SETPOINT] or 0))
        pressure.append(float(site.held[f"{PRESSURE}_setpoint"] or 0))
    assert "9 requests" in site.said("reset")
    assert max(abs(b - a) for a, b in pairwise(supply)) <= 0.1
    assert max(abs(b - a) for a, b in pairwise(pressure)) <= 5.0
    assert min(supply) >= 6.7
    assert supply[-1] <= supply[0], "more is asked for, colder it gets"
    assert all(b <= a for a, b in pairwise(supply)), "without hunting"
