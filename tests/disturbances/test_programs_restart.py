"""Home Assistant or AppDaemon dies and comes back in the middle of a sequence.

The same with real processes, killed outright, is told in
`scripts/demonstration/failure_chapters.py`.
"""

import pytest

from tests.disturbances.forms import PLANT
from tests.disturbances.site import Site, running_site

ALL = {"chiller_1", "chiller_2", "chiller_3"}


def staging_up() -> Site:
    """Return a plant whose third chiller's pumps were just told to start."""
    site = running_site(PLANT)
    assert len(site.running) == 2
    site.world.fix_load(0.95)
    began = site.now
    assert site.run(3600, lambda it: it.events("stage_up", since=began))
    site.run(10)
    assert len(site.running) == 2
    return site


def staging_down() -> Site:
    """Return a plant whose second chiller was just told to stop."""
    site = running_site(PLANT)
    site.world.fix_load(0.2)
    began = site.now
    assert site.run(3600, lambda it: it.events("stage_down", since=began))
    assert site.run(600, lambda it: len(it.running) == 1)
    return site


def restart(site: Site, program: str, away: float) -> None:
    if program == "engine":
        site.restart_engine(away)
    else:
        site.restart_home_assistant(away)


PROGRAMS = pytest.mark.parametrize("program", ["engine", "home_assistant"])


@PROGRAMS
def test_start_goes_on_after_a_short_restart(program: str) -> None:
    site = staging_up()
    began, before = site.now, site.running
    stages = len(site.events("stage_up"))
    restart(site, program, 25.0)
    for _ in range(120):
        site.step()
        assert before <= site.running, "what runs is not stopped"
    assert site.running == ALL
    assert len(site.events("stage_up")) == stages, "it does not decide anew"
    off = [key for key, on in site.switched("run_command", began) if not on]
    assert off == [], "no pump is stopped and started again"


@PROGRAMS
def test_stop_goes_on_after_a_short_restart(program: str) -> None:
    site = staging_down()
    began, before = site.now, site.running
    restart(site, program, 25.0)
    site.run(900)
    assert site.running == before
    assert not [key for key, on in site.switched("run_command", began) if on]
    turning = [n for n in (1, 2, 3) if site.on(f"pchp_{n}.run_status")]
    assert len(turning) == 1, "and the pump that served it has stopped too"


@PROGRAMS
def test_stage_times_outlive_a_restart(program: str) -> None:
    site = running_site(PLANT)
    since = site.said("staging", "stage_since")
    assert since is not None
    restart(site, program, 30.0)
    site.run(30)
    assert site.said("staging", "stage_since") == since
    assert site.state("staging") == "running"


@PROGRAMS
def test_pump_speed_goes_on_from_where_it_was(program: str) -> None:
    site = running_site(PLANT)
    before = site.number("schp_1.speed_command")
    restart(site, program, 25.0)
    seen = []
    for _ in range(24):
        site.step()
        seen.append(site.number("schp_1.speed_command"))
    assert max(abs(speed - before) for speed in seen) < 5


def test_engine_that_stays_away_hands_the_plant_to_its_own_controls() -> None:
    site = staging_up()
    site.restart_engine(1500.0)
    # On its own controls the lead chiller runs, with what it needs.
    assert site.running == {"chiller_1"}
    statuses = site.desk.statuses().values()
    assert not [item.point for item in statuses if item.owner]
    began = site.now
    assert site.run(4500, lambda it: it.running == ALL), "and it takes over again"
    off = [key for key, on in site.switched("run_command", began) if not on]
    assert "chiller_1.run_command" not in off


def test_home_assistant_that_comes_back_late_knows_what_it_owns() -> None:
    site = staging_up()
    before = site.running
    owned = {key for key, status in site.desk.statuses().items() if status.owned}
    site.restart_home_assistant(1800.0)
    assert site.running >= before, "the machines keep their last commands"
    site.run(5)
    now = {key for key, status in site.desk.statuses().items() if status.owned}
    assert owned - now <= set(), "nothing is orphaned"
    site.run(1800)
    assert site.running >= before
