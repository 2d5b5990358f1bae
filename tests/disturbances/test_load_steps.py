"""The load of the building steps from 30 to 90 %, and back."""

from itertools import pairwise

from tests.disturbances.forms import PLANT
from tests.disturbances.site import Site, running_site


def stepped() -> tuple[Site, float]:
    site = running_site(PLANT, load=0.3)
    assert len(site.running) == 1
    site.world.fix_load(0.9)
    return site, site.now


def test_one_chiller_after_the_other_takes_a_large_step_of_load() -> None:
    site, began = stepped()
    assert site.run(5400, lambda it: len(it.running) == 3)
    stages = site.events("stage_up", since=began)
    assert [item.data["stage"] for item in stages] == [2, 3]
    assert all("limit" in item.reason or "above" in item.reason for item in stages)
    first, second = (item.at for item in site.events("stage_reached", since=began)[:2])
    assert second - first >= 600, "a stage lasts its minimum time"
    # Then it stays: nothing hunts.
    reached = site.now
    site.run(1800)
    assert len(site.running) == 3
    assert not site.events("stage_up", "stage_down", since=reached)
    setpoint = site.number("chiller_1.chilled_water_supply_temperature_setpoint")
    assert abs(site.supply_temperature - setpoint) < 0.5
    warmest = max(site.number(f"zone_{n}.temperature") for n in (1, 2, 3))
    assert warmest < 25.0


def test_setpoint_of_the_supply_does_not_jump_while_the_load_does() -> None:
    site, _ = stepped()
    seen = []
    for _ in range(360):
        site.step()
        seen.append(site.number("chiller_1.chilled_water_supply_temperature_setpoint"))
    assert max(abs(b - a) for a, b in pairwise(seen)) <= 0.1
    assert min(seen) >= 6.7
    assert max(seen) <= 9.0


def test_chillers_are_taken_off_one_by_one_when_the_load_is_gone_again() -> None:
    site = running_site(PLANT)
    assert len(site.running) == 2
    site.world.fix_load(0.25)
    began = site.now
    assert site.run(5400, lambda it: len(it.running) == 1)
    (stage,) = site.events("stage_down", since=began)
    assert stage.data["stage"] == 1
    site.run(600)
    order = [key for key, on in site.switched("run_command", began) if not on]
    chiller = next(key for key in order if key.startswith("chiller"))
    for kind in ("pchp", "cdp", "ct"):
        freed = [key for key in order if key.startswith(kind)]
        assert len(freed) == 1
        assert order.index(chiller) < order.index(freed[0])
    assert len(site.running) == 1
