"""A schedule stops the plant early: chillers off, chilled-water pumps on until closing."""

from dataclasses import replace
from typing import Any, override

import pytest

from appdaemon.apps.chiller_control.control.plan import Plan
from benchmarks.energy_parts.virtual_plan import Automation
from tests.disturbances.forms import Form, pressure, pumps, reset, staging, towers
from tests.disturbances.site import NINE_O_CLOCK, Site, plant_of

HOUR = 3600.0
CLOSING = NINE_O_CLOCK + 2 * HOUR


def hours(coast_with: str) -> Form:
    """Run the plant until eleven, and stop it up to an hour before."""
    return Form(
        "chiller_plant_schedule",
        "hours",
        config={
            "operation": "between_times",
            "start_time": "06:00:00",
            "stop_time": "11:00:00",
            "adaptive_stop": True,
            "comfort_temperature": 24,
            "comfort_band": 8,
            "earliest_stop": 60,
            "coast_with": coast_with,
        },
    )


def drift(day: int) -> dict[str, Any]:
    """Return how long comfort lasted after a stop, as the integration keeps it."""
    return {
        "kind": "stop",
        "at": NINE_O_CLOCK - day * 24 * HOUR,
        "minutes": 240.0 + day % 3,
        "zone": 24.0,
        "setpoint": 32.0,
        "outdoor": None,
        "off_hours": 0.0,
        "heating": True,
        "reached": True,
        "coasting": True,
    }


class LearntSite(Site):
    """A site whose evenings are known."""

    @override
    def _plan(self) -> Plan:
        plan = super()._plan()
        history = tuple(drift(day) for day in range(20, 0, -1))
        return replace(
            plan,
            automations=tuple(
                replace(item, history=history)
                if item.control_type == "chiller_plant_schedule"
                else item
                for item in plan.automations
            ),
        )


def stopped_early(coast_with: str, *more: Automation) -> LearntSite:
    """Return a plant at a quarter past ten, which stopped at ten."""
    forms = (hours(coast_with), staging(), pressure(), reset(), towers(), *more)
    site = LearntSite(plant_of(), forms, load=0.3)
    site.run(HOUR - 300)
    site.rules.complete()
    assert site.running
    assert site.run(900, lambda it: it.state("hours") == "off")
    site.run(1200)
    assert not site.running, "no chiller runs on"
    return site


def turning(site: Site, *kinds: str) -> set[str]:
    return {
        f"{kind}_{n}"
        for kind in kinds
        for n in (1, 2, 3)
        if site.on(f"{kind}_{n}.run_status")
    }


@pytest.mark.parametrize("group", [False, True], ids=["staging", "schp_control"])
def test_chilled_water_goes_on_until_closing_and_nothing_else_does(
    group: bool,
) -> None:
    site = stopped_early("chilled_water_pumps", *([pumps()] if group else ()))
    began = site.now
    assert turning(site, "pchp")
    assert turning(site, "schp")
    assert not turning(site, "cdp", "ct")
    assert site.state("staging") == "coasting"
    flow = site.number("plant.chilled_water_flow")
    assert flow > 5.0, "the water moves"
    site.run(CLOSING - 60 - site.now)
    starts = [key for key, on in site.switched("run_command", began) if on]
    assert not [key for key in starts if key.startswith("chiller")]
    assert turning(site, "pchp")
    site.run(900)
    assert not turning(site, "pchp", "schp", "cdp", "ct")
    assert not site.running
    assert [told.event for told in site.events("coast_began", "coast_ended")] == [
        "coast_began",
        "coast_ended",
    ]


def test_without_the_choice_all_of_the_plant_stops() -> None:
    site = stopped_early("nothing")
    assert not turning(site, "pchp", "schp", "cdp", "ct")
    assert site.state("staging") == "off"


def test_engine_that_is_started_anew_leaves_the_water_flowing() -> None:
    site = stopped_early("chilled_water_pumps")
    before = turning(site, "pchp", "schp")
    site.restart_engine(20)
    site.run(300)
    assert turning(site, "pchp", "schp") == before
    assert not site.running
    site.run(CLOSING + 900 - site.now)
    assert not turning(site, "pchp", "schp")
