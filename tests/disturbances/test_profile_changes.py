"""The day gets another profile in operation, of which every automation is another.

Whatever the two of them run goes on running: nothing is let go before it is taken,
whichever of the two has the higher priority.
"""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tests.disturbances.forms import PLANT, Form, pumps
from tests.disturbances.site import Site, running_site


def others(forms: Iterable[Form], priority: int | None) -> tuple[Form, ...]:
    """Return the same forms as other automations, of another priority if given."""
    return tuple(
        replace(
            form,
            name=f"weekend_{form.name}",
            priority=form.priority if priority is None else priority,
        )
        for form in forms
    )


def turning(site: Site) -> set[str]:
    return {
        f"{kind}_{n}"
        for kind in ("chiller", "pchp", "cdp", "ct", "schp")
        for n in (1, 2, 3)
        if site.on(f"{kind}_{n}.run_status")
    }


@pytest.mark.parametrize(
    "priority", [None, 9, 1], ids=["the same", "higher", "the lowest"]
)
def test_machines_that_both_profiles_run_do_not_notice(priority: int | None) -> None:
    site = running_site(PLANT)
    began, before = site.now, turning(site)
    assert {"chiller", "pchp", "cdp", "ct", "schp"} == {
        key.partition("_")[0] for key in before
    }
    speeds = {key: site.number(f"{key}.speed") for key in before if "schp" in key}
    weekend = others(PLANT, priority)

    site.use(*weekend)

    unowned = set()
    owned = [
        *(f"{key}.run_command" for key in before),
        *(f"{key}.speed_command" for key in before if key.startswith(("schp", "ct"))),
    ]
    for _ in range(60):
        site.step()
        assert before <= turning(site)
        unowned |= {key for key in owned if site.desk.status(key).owner is None}
    assert not unowned, "an interlock alone kept it running"
    for key, speed in speeds.items():
        assert site.number(f"{key}.speed") == pytest.approx(speed, abs=10), key
    owners = {str(site.desk.status(key).owner) for key in owned}
    assert all(owner.startswith("automation.weekend_") for owner in owners), owners
    assert not [item for item in site.switched("run_command", began) if not item[1]]


def test_pumps_go_from_a_loop_to_a_group_without_a_stop() -> None:
    """Another kind of control: the one app lets go, another one takes over."""
    site = running_site(PLANT)
    before = {key for key in turning(site) if key.startswith("schp")}
    assert before

    site.use(*(form for form in PLANT if form.name != "pressure"), pumps())

    for _ in range(60):
        site.step()
        assert before & turning(site), "there is always one that runs"
    assert site.state("pumps") not in ("refused", "fault")
    owners = {site.desk.status(f"{key}.speed_command").owner for key in before}
    assert owners == {"automation.pumps"}
