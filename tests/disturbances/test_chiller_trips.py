"""A chiller trips while the plant is changing its stage."""

from custom_components.chiller_plant.simulator.drives import Fault
from tests.disturbances.forms import PLANT
from tests.disturbances.site import Site, running_site


def staging_up() -> Site:
    """Return a plant in which the third chiller has just been told to start."""
    site = running_site(PLANT)
    assert len(site.running) == 2
    site.world.fix_load(0.95)
    began = site.now
    assert site.run(3600, lambda it: it.events("stage_up", since=began))
    (idle,) = {"chiller_1", "chiller_2", "chiller_3"} - site.running
    assert site.run(900, lambda it: it.on(f"{idle}.run_command"))
    return site


def newest(site: Site) -> str:
    """Return the chiller that was told to run last."""
    key, _ = [item for item in site.switched("run_command") if "chiller" in item[0]][-1]
    return key.partition(".")[0]


def warmest(site: Site) -> float:
    """Return the temperature of the warmest zone, °C."""
    return max(site.number(f"zone_{n}.temperature") for n in (1, 2, 3))


def test_chiller_that_trips_as_it_starts_is_left_out_and_the_others_run_on() -> None:
    site = staging_up()
    began, third = site.now, newest(site)
    others = site.running - {third}
    site.fault(third, Fault.TRIP)
    assert site.run(600, lambda it: it.events("chiller_excluded", since=began))
    for _ in range(360):
        site.step()
        assert others <= site.running, "a trip of one stops no other"
        assert not site.on(f"{third}.run_command") or site.now - began < 60
    why = site.events("chiller_excluded", since=began)[-1].reason
    assert "in alarm" in why
    assert warmest(site) < 26.0, "two carry most of it"
    assert site.said("staging", "chillers")[third]["state"] == "excluded"
    assert "in alarm" in site.said("staging")


def test_chiller_that_runs_and_trips_during_a_start_is_replaced_by_the_new_one() -> (
    None
):
    site = staging_up()
    began, third = site.now, newest(site)
    victim = min(site.running - {third})
    site.fault(victim, Fault.TRIP)
    assert site.run(900, lambda it: third in it.running), "the start goes on"
    assert site.run(600, lambda it: it.events("chiller_excluded", since=began))
    assert victim not in site.running
    site.run(1800)
    assert site.running == {"chiller_1", "chiller_2", "chiller_3"} - {victim}
    starts = [key for key, on in site.switched("run_command", began) if on]
    assert f"{victim}.run_command" not in starts, "not while its alarm is on"


def test_chiller_that_was_reset_is_used_again_after_its_off_time() -> None:
    site = staging_up()
    third = newest(site)
    assert site.run(600, lambda it: third in it.running)
    site.fault(third, Fault.TRIP)
    site.run(1200)
    assert third not in site.running
    began = site.now
    site.fault(third, Fault.NONE)
    assert site.run(3600, lambda it: third in it.running)
    assert site.events("stage_up", since=began), "as a new stage, with its reason"
    site.run(1200)
    setpoint = site.number(f"{third}.chilled_water_supply_temperature_setpoint")
    assert abs(site.supply_temperature - setpoint) < 1.0


def test_chiller_that_trips_while_another_is_taken_off_is_made_up_for() -> None:
    site = running_site(PLANT)
    site.world.fix_load(0.2)
    began = site.now
    assert site.run(3600, lambda it: it.events("stage_down", since=began))
    (leaving,) = [
        key.partition(".")[0]
        for key, on in site.switched("run_command", began)
        if not on and key.startswith("chiller")
    ] or [site.events("stage_down", since=began)[0].data["equipment"]]
    (staying,) = site.running - {leaving}
    tripped = site.now
    site.fault(staying, Fault.TRIP)
    # Not the one that is being stopped: it would have to rest for 15 minutes first.
    assert site.run(120, lambda it: not it.running)
    assert site.run(600, lambda it: it.running)
    assert not {staying, leaving} & site.running
    (told,) = site.events("chiller_excluded", since=tripped)
    assert "in alarm" in told.reason
    assert told.data["from"] == staying
    assert (told.data["to"],) == tuple(site.running)
    site.run(1800)
    setpoint = site.number(
        f"{min(site.running)}.chilled_water_supply_temperature_setpoint"
    )
    assert abs(site.supply_temperature - setpoint) < 1.0
    assert warmest(site) < 25.0
