"""The rules of the stories, broken on purpose: they must notice."""

from collections.abc import Callable

import pytest

from tests.disturbances.forms import PLANT
from tests.disturbances.site import Site, running_site


def command(site: Site, point: str, value: bool) -> None:
    """Send a command past the desk, which would not have sent it."""
    key = site.plant.points[point]
    site.rules.ordered(site.now, key, value, forced=False)
    site.world.command(point, value)


def idle(site: Site) -> str:
    (chiller,) = {"chiller_1", "chiller_2", "chiller_3"} - site.running
    return chiller


def start_dry(site: Site) -> None:
    command(site, f"{idle(site)}.run_command", True)


def take_a_pump(site: Site) -> None:
    pump = next(n for n in (1, 2, 3) if site.on(f"pchp_{n}.run_status"))
    command(site, f"pchp_{pump}.run_command", False)


def close_a_valve(site: Site) -> None:
    number = min(site.running).removeprefix("chiller_")
    command(site, f"condenser_water_valve_{number}.open_command", False)


def stop_two_at_once(site: Site) -> None:
    for chiller in sorted(site.running):
        command(site, f"{chiller}.run_command", False)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (start_dry, "without flow"),
        (take_a_pump, "taken from"),
        (close_a_valve, "closed under"),
        (stop_two_at_once, "after another"),
    ],
)
def test_rules_notice(wrong: Callable[[Site], None], said: str) -> None:
    site = running_site(PLANT)
    site.run(1200)
    with pytest.raises(AssertionError, match=said):
        wrong(site)
