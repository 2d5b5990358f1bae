"""The calendar gives the day another profile while the plant is starting."""

from dataclasses import replace

from tests.disturbances.forms import (
    PLANT,
    Form,
    hours,
    pressure,
    reset,
    staging,
    towers,
)
from tests.disturbances.site import Site, plant_of, running_site

OFF = (hours("off"), staging(), pressure(), reset(), towers())
WEEKEND = (
    hours(),
    staging("weekend_staging"),
    pressure(),
    reset(),
    towers(),
)


def starting() -> Site:
    """Return a plant that was off, in the middle of starting its first chiller."""
    site = Site(plant_of(), OFF)
    assert site.run(1800, lambda it: not it.running and it.state("staging") == "off")
    site.run(1200)
    assert not site.running
    began = site.now
    site.use(*PLANT)
    assert site.run(600, lambda it: it.events("plant_start", since=began))
    assert site.run(
        60,
        lambda it: any(
            key.startswith("pchp") for key, _ in it.switched("run_command", began)
        ),
    )
    assert not site.running, "the pumps come first"
    return site


def pumps_on(site: Site) -> set[str]:
    return {
        f"{kind}_{n}"
        for kind in ("pchp", "cdp", "ct")
        for n in (1, 2, 3)
        if site.on(f"{kind}_{n}.run_status")
    }


def test_day_that_becomes_a_holiday_lets_the_start_go_and_everything_stop() -> None:
    site = starting()
    began = site.now
    site.use(*OFF)
    site.run(900)
    assert not site.running
    assert pumps_on(site) == set()
    assert site.state("staging") == "off"
    starts = [key for key, on in site.switched("run_command", began) if on]
    assert not [key for key in starts if key.startswith("chiller")]


def test_other_staging_takes_the_start_over_without_stopping_a_pump() -> None:
    site = starting()
    site.run(40)
    turning = pumps_on(site)
    assert turning
    began = site.now
    site.use(*WEEKEND)
    for _ in range(100):
        site.step()
        assert turning <= pumps_on(site), "what both run is not stopped between them"
    assert len(site.running) == 1
    assert site.state("weekend_staging") == "running"
    (chiller,) = site.running
    assert site.desk.status(f"{chiller}.run_command").owner == (
        "automation.weekend_staging"
    )
    assert not [
        key
        for key, on in site.switched("run_command", began)
        if not on and key.startswith("chiller")
    ]


def test_other_staging_takes_a_running_plant_over_without_touching_a_machine() -> None:
    site = running_site(PLANT)
    began, running, turning = site.now, site.running, pumps_on(site)
    site.use(*WEEKEND)
    for _ in range(120):
        site.step()
        assert site.running == running
        assert turning <= pumps_on(site)
    assert not [item for item in site.switched("run_command", began) if not item[1]]


def test_change_of_the_forms_in_mid_start_goes_on_with_the_start() -> None:
    site = starting()
    edited: list[Form] = [
        replace(form, config={**form.config, "stage_up_threshold": 85})
        if form.name == "staging"
        else form
        for form in PLANT
    ]
    began = site.now
    site.use(*edited)
    assert site.run(600, lambda it: len(it.running) == 1)
    assert not site.events("plant_start", since=began), "it does not begin anew"


def test_holiday_in_a_running_plant_stops_it_in_order() -> None:
    site = running_site(PLANT)
    began = site.now
    site.use(*OFF)
    assert site.run(2400, lambda it: not it.running and not pumps_on(it))
    order = [key for key, on in site.switched("run_command", began) if not on]
    chillers = [place for place, key in enumerate(order) if "chiller" in key]
    pumps = [
        place for place, key in enumerate(order) if key.startswith(("pchp", "cdp"))
    ]
    assert len(chillers) == 2
    assert min(pumps) > min(chillers)
    assert max(pumps) > max(chillers)
