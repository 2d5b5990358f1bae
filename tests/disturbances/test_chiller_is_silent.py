"""The controller of a chiller is not heard any more, and nobody knows what it does."""

from custom_components.chiller_plant.simulator.drives import Fault
from tests.disturbances.forms import PLANT
from tests.disturbances.site import Site, running_site


def starting() -> tuple[Site, str]:
    """Return a plant that has just told its third chiller to run."""
    site = running_site(PLANT)
    site.world.fix_load(0.95)
    (third,) = {"chiller_1", "chiller_2", "chiller_3"} - site.running
    began = site.now
    assert site.run(3600, lambda it: it.events("stage_up", since=began))
    assert site.run(900, lambda it: it.on(f"{third}.run_command"))
    assert third not in site.running
    return site, third


def served(site: Site, chiller: str) -> bool:
    """Return whether a chiller still has open valves, and its share of the pumps."""
    number = chiller.removeprefix("chiller_")
    valves = all(
        site.on(f"{side}_water_valve_{number}.open_status")
        for side in ("chilled", "condenser")
    )
    needing = len(site.running | {chiller})
    return valves and all(
        sum(site.on(f"{kind}_{n}.run_status") for n in (1, 2, 3)) >= needing
        for kind in ("pchp", "cdp", "ct")
    )


def test_chiller_that_is_silent_is_not_said_to_run_and_nothing_is_taken_from_it() -> (
    None
):
    site = running_site(PLANT)
    victim, other = sorted(site.running)
    running, began = site.running, site.now
    site.silent.add(f"{victim}_controller")
    site.run(600)
    shown = site.said("staging", "chillers")
    assert shown[victim]["state"] == "unknown"
    assert "silent" in shown[victim]["reason"]
    assert shown[other]["state"] == "running"
    assert site.state("staging") == "holding"
    assert f"{victim}.run_status" in site.said("staging")
    assert site.running == running
    assert served(site, victim)
    assert not site.switched("run_command", began)
    site.silent.clear()
    site.run(60)
    assert site.said("staging", "chillers")[victim]["state"] == "running"
    assert site.state("staging") == "running"


def test_no_chiller_is_taken_off_for_one_that_is_silent() -> None:
    """It may have tripped: what it is thought to carry is then carried by nobody."""
    site = running_site(PLANT)
    victim, other = sorted(site.running)
    site.silent.add(f"{victim}_controller")
    site.run(60)
    site.world.fix_load(0.2)
    began = site.now
    site.run(3600)
    assert not site.events("stage_down", since=began)
    assert site.running == {victim, other}
    site.silent.clear()
    back = site.now
    assert site.run(1800, lambda it: len(it.running) == 1)
    assert site.events("stage_down", since=back)


def test_one_that_trips_where_nobody_sees_it_is_made_up_for_by_the_supply() -> None:
    site = running_site(PLANT)
    victim, other = sorted(site.running)
    site.silent.add(f"{victim}_controller")
    site.fault(victim, Fault.TRIP)
    began = site.now
    assert site.run(3600, lambda it: len(it.running) == 2)
    assert victim not in site.running
    assert other in site.running
    (stage,) = site.events("stage_up", since=began)[:1]
    assert "supply" in stage.reason or "load" in stage.reason
    site.run(1200)
    warmest = max(site.number(f"zone_{n}.temperature") for n in (1, 2, 3))
    assert warmest < 25.5


def test_chiller_that_falls_silent_as_it_starts_keeps_its_water_and_nobody_waits() -> (
    None
):
    site, third = starting()
    others = site.running
    began = site.now
    site.silent.add(f"{third}_controller")
    assert site.run(600, lambda it: it.events("chiller_excluded", since=began))
    (told,) = site.events("chiller_excluded", since=began)
    assert "silent" in told.reason
    for _ in range(240):
        site.step()
        assert others <= site.running
        assert third not in site.running or served(site, third)
    assert site.said("staging", "chillers")[third]["state"] == "unknown"
    site.silent.clear()
    assert site.run(2400, lambda it: len(it.running) == 3)
    assert site.run(300, lambda it: it.state("staging") == "running")
