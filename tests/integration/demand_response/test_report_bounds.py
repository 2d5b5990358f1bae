"""What the engine of a large site tells is taken, whatever the size of the site."""

from collections.abc import Mapping
import json
from typing import Any

import pytest

from appdaemon.apps.chiller_control.control.demand_response.measure_story import Use
from appdaemon.apps.chiller_control.demand_response_report import (
    DemandResponseReport,
    Standing,
)
from appdaemon.apps.chiller_control.house import Caller
from custom_components.chiller_plant.demand_response.known_event import parse_report

NOW = 1_800_000_000.123456


class Listener:
    """A house that takes everything down."""

    def __init__(self) -> None:
        self.text = ""

    def call(self, action: str, data: Mapping[str, Any]) -> None:
        self.text = data["report"]


def _use(number: int, *, used: bool) -> dict[str, Any]:
    return Use(
        level=3 if used else 0,
        cold=2,
        changed=NOW + number,
        begun=NOW if used else None,
        given_back=NOW - number,
        before={f"zone_{number:04}.temperature_setpoint": 23.5},
        burden=1234.5,
        moved_kw=3.2,
    ).as_dict()


def _told(zones: int, used: range, name: str = "Zone {} warmer") -> dict[str, Any]:
    house = Listener()
    resume = {
        "shedding": {
            "uses": {
                f"zone:zone_{number:04}": _use(number, used=number in used)
                for number in range(zones)
            },
            "ended": None,
        },
        "told": {"grid:e1": "active"},
    }
    rows = [
        {
            "name": name.format(number),
            "level": 3 if number in used else 0,
            "levels": 4,
            "since": "2027-01-15T08:00:00.123Z",
            "unable": f"zone_{number:04}.temperature is not known",
            "waits": "it recovers, for 25 minutes",
        }
        for number in range(zones)
    ]
    attributes = {"message": "Held.", "measures": rows, "resume": resume["shedding"]}
    DemandResponseReport(Caller(house)).tell(
        NOW, "entry", Standing("shedding", attributes, resume, 12.0, (), (), ())
    )
    return parse_report(house.text)


@pytest.mark.parametrize("zones", [10, 400, 1_000])
def test_restart_goes_on_from_every_zone_of_a_site_of_five_thousand_points(
    zones: int,
) -> None:
    taken = _told(zones, range(zones))
    assert len(taken["resume"]["shedding"]["uses"]) == zones
    assert taken["resume"]["told"] == {"grid:e1": "active"}


def test_what_is_in_use_is_remembered_of_more_zones_than_there_is_room_for() -> None:
    used = range(2_500, 3_000)
    uses = _told(3_000, used)["resume"]["shedding"]["uses"]
    assert 1_000 < len(uses) < 3_000
    assert all(f"zone:zone_{number:04}" in uses for number in used)


def test_measures_with_long_names_are_shown_as_far_as_they_fit() -> None:
    attributes = _told(60, range(40, 60), "Raum {} " + "Süd-Ost " * 30)["attributes"]
    shown = attributes["measures"]
    assert shown
    assert len(shown) + attributes["measures_not_shown"] == 60
    assert all(row["level"] for row in shown), "those in use come first"
    assert len(json.dumps(attributes)) < 12_000
