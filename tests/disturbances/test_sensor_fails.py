"""A sensor freezes, sends nonsense, or is not heard of any more."""

from math import inf, nan

import pytest

from custom_components.chiller_plant.plant.reading import Quality
from tests.disturbances.forms import PLANT
from tests.disturbances.site import Site, running_site

SUPPLY = "plant.chilled_water_supply_temperature"
RETURN = "plant.chilled_water_return_temperature"
FLOW = "plant.chilled_water_flow"


def quality(site: Site, point: str) -> Quality:
    return site.observations.readings[point].quality


@pytest.mark.parametrize(
    ("point", "nonsense"), [(SUPPLY, nan), (RETURN, inf), (FLOW, 3.4e38)]
)
def test_nonsense_changes_no_stage_and_is_named(point: str, nonsense: float) -> None:
    site = running_site(PLANT)
    began, running = site.now, site.running
    site.spoiled[point] = lambda _: nonsense
    site.run(400)
    assert quality(site, point) is Quality.OUT_OF_RANGE
    assert site.running == running
    assert not site.events("stage_up", "stage_down", since=began)
    assert site.state("staging") == "holding"
    assert point in site.said("staging")


def test_stage_that_needs_a_lost_sensor_waits_for_it_and_then_for_its_time() -> None:
    site = running_site(PLANT)
    site.world.fix_load(0.8)
    site.lost |= {RETURN, SUPPLY}
    began = site.now
    site.run(1500)
    assert quality(site, RETURN) is Quality.STALE
    assert not site.events("stage_up", since=began), "not on an old number"
    site.lost.clear()
    back = site.now
    assert site.run(1800, lambda it: it.events("stage_up", since=back))
    (stage,) = site.events("stage_up", since=back)
    assert stage.at - back >= 300, "the condition holds anew for its whole time"


def test_warm_supply_brings_help_although_the_load_is_not_known() -> None:
    site = running_site(PLANT)
    site.world.fix_load(0.95)
    site.lost.add(RETURN)
    began = site.now
    assert site.run(3600, lambda it: it.events("stage_up", since=began))
    assert "supply" in site.events("stage_up", since=began)[0].reason


def test_status_that_is_not_heard_of_stops_no_chiller_and_starts_none() -> None:
    site = running_site(PLANT)
    began, running = site.now, site.running
    site.silent |= {f"{key}_controller" for key in ("chiller_1", "chiller_2")}
    site.run(600)
    assert site.running == running
    assert not site.switched("run_command", began)
    site.silent.clear()
    site.run(600)
    assert site.running == running
    assert not [item for item in site.switched("run_command", began) if not item[1]]


def test_whole_plant_controller_lost_during_a_start_leaves_what_runs_running() -> None:
    site = running_site(PLANT)
    running = site.running
    site.world.fix_load(0.95)
    began = site.now
    assert site.run(3600, lambda it: it.events("stage_up", since=began))
    site.silent.add("plant_controller")
    for _ in range(120):
        site.step()
        assert running <= site.running
    site.silent.clear()
    assert site.run(1800, lambda it: len(it.running) == 3), "the start goes on"


def learned(site: Site) -> None:
    """Let the judge know the sensors for days: none stood still for a minute."""
    rows = site.observations.judge.as_dict()["stillness"]
    site.observations.judge.restore(
        {"stillness": {key: [1e7, 60.0, 0.0, None] for key in rows}}
    )


def test_frozen_flow_meter_is_found_and_no_stage_is_decided_by_it() -> None:
    site = running_site(PLANT)
    learned(site)
    frozen = site.number(FLOW)
    began, running = site.now, site.running
    site.spoiled[FLOW] = lambda _: frozen
    site.run(4200)
    assert quality(site, FLOW) is Quality.FROZEN
    assert quality(site, RETURN) is Quality.GOOD, "the others are still believed"
    assert site.state("staging") == "holding"
    assert FLOW in site.said("staging")
    assert site.running == running
    assert not site.events("stage_up", "stage_down", since=began)


def test_supply_temperature_that_freezes_does_not_keep_a_warm_plant_from_help() -> None:
    """The load is known without it, in the hour before anybody can know."""
    site = running_site(PLANT)
    frozen = site.supply_temperature
    site.spoiled[SUPPLY] = lambda _: frozen
    site.world.fix_load(0.95)
    began = site.now
    assert site.run(3000, lambda it: it.events("stage_up", since=began))
    assert site.run(1200, lambda it: len(it.running) == 3)
