"""Water stops flowing through a chiller that runs, or is not proven any more."""

import pytest

from custom_components.chiller_plant.simulator.drives import Fault
from tests.disturbances.forms import PLANT
from tests.disturbances.site import Site, running_site


def turning(site: Site, kind: str) -> list[str]:
    return [key for n in (1, 2, 3) if site.on(f"{(key := f'{kind}_{n}')}.run_status")]


@pytest.mark.parametrize("kind", ["pchp", "cdp"])
def test_pump_that_trips_is_replaced_and_no_chiller_runs_dry(kind: str) -> None:
    site = running_site(PLANT)
    before = turning(site, kind)
    began = site.now
    victim = before[0]
    site.fault(victim, Fault.TRIP)
    assert site.run(60, lambda it: victim not in turning(it, kind))
    assert site.run(300, lambda it: len(turning(it, kind)) == len(before))
    assert victim not in turning(site, kind), "a spare one turns in its place"
    assert site.run(2400, lambda it: len(it.running) == 2 and it.now - began > 600)
    assert victim not in turning(site, kind)


def test_flow_switch_that_drops_out_stops_its_chiller_at_once() -> None:
    site = running_site(PLANT)
    victim = min(site.running)
    point = f"{victim}.chilled_water_flow_status"
    site.spoiled[point] = lambda _: False
    began = site.now
    assert site.run(60, lambda it: not it.on(f"{victim}.run_command"))
    assert site.now - began <= 30
    forced = [item for item in site.notices if item.kind == "forced_stop"]
    assert forced and forced[-1].equipment == victim
    assert "flow" in forced[-1].text
    site.run(1800)
    assert victim not in site.running, "not before its flow is proven again"
    starts = [item for item in site.switched("run_command", began) if item[1]]
    assert (f"{victim}.run_command", True) not in starts


def test_flow_switch_that_is_not_heard_of_stops_nothing() -> None:
    site = running_site(PLANT)
    running = site.running
    site.lost |= {f"{key}.chilled_water_flow_status" for key in running}
    site.run(900)
    assert site.running == running


def test_no_chiller_is_started_on_a_flow_that_nobody_proves() -> None:
    site = running_site(PLANT)
    site.world.fix_load(0.95)
    (idle,) = {"chiller_1", "chiller_2", "chiller_3"} - site.running
    site.lost.add(f"{idle}.condenser_water_flow_status")
    began = site.now
    assert site.run(3600, lambda it: it.events("stage_up", since=began))
    site.run(900)
    assert idle not in site.running
    assert not site.on(f"{idle}.run_command")
    assert "flow" in site.said("staging"), "people are told what is waited for"
    site.lost.clear()
    assert site.run(4500, lambda it: idle in it.running)
