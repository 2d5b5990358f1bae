"""The plant stops early when comfort lasts, and goes on when it does not."""

from datetime import timedelta
from typing import Any

from adaptive_building import STOPS, Building, at, stopped
from chiller_control.control.planned import Amendment, occurrence


def stopping(**fields: Any) -> Building:
    config = {"adaptive_stop": True, "adaptive_start": False}
    return Building(
        history=STOPS,
        config=config,
        temperatures={"east": 24.0, "west": 23.9},
        now=at(16, 30),
        **fields,
    )


def test_plant_stops_when_comfort_lasts_to_the_end_of_the_hours() -> None:
    building = stopping()
    building.minutes_a_kelvin = 1e9
    assert building.until(17, 15).state == "on"
    decision = building.until(17, 40)
    assert decision.state == "off"
    assert "before the end of the hours" in str(decision.attributes["message"])
    assert building.until(18, 30).state == "off"
    (off,) = building.told("plant_off")
    assert off["to"] is False


def test_plant_goes_on_again_when_comfort_is_lost_and_that_is_learnt() -> None:
    building = stopping()
    building.until(17, 35)
    while building.step().state == "on":
        building.now += timedelta(minutes=1)
    building.now += timedelta(minutes=5)
    building.temperatures["east"] = 25.1
    decision = building.step()
    assert decision.state == "on"
    (told,) = building.told("drift")
    assert told["reached"] is True and told["coasting"] is True
    building.temperatures["east"] = 24.0
    for _ in range(10):
        building.now += timedelta(minutes=1)
        assert building.step().state == "on", "it is not risked twice"


def test_without_history_the_plant_stops_at_its_hour_and_the_drift_is_measured() -> (
    None
):
    building = stopping()
    building.history = []
    building.restart()
    assert building.until(17, 59).state == "on"
    assert building.until(18, 1).state == "off"
    building.temperatures["east"] = 25.2
    building.until(18, 40)
    (told,) = building.told("drift")
    assert told["coasting"] is False and told["reached"] is True


def test_a_stop_that_a_person_moved_is_not_made_earlier() -> None:
    stop = occurrence("stop", at(18).timestamp())
    building = stopping(amendments={stop: Amendment(at=at(19).timestamp())})
    assert building.until(18, 55).state == "on"
    assert building.until(19, 1).state == "off"


def cooled_off(day: int, minutes: float) -> dict[str, Any]:
    """Return a coast of a heated building: from 20.5 down to 20 °C."""
    return stopped(day, minutes) | {
        "zone": 20.5,
        "setpoint": 20.0,
        "outdoor": 5.0,
        "heating": False,
    }


def test_a_heated_building_stops_by_how_fast_it_gets_cold() -> None:
    """Its coldest zone counts, and what is known of warm days says nothing of it."""
    config = {
        "adaptive_stop": True,
        "adaptive_start": False,
        "comfort_temperature": 21.0,
    }

    def evening(coldest: float, *drifts: dict[str, Any]) -> str:
        building = Building(
            history=[*STOPS, *drifts],
            config=config,
            heats=True,
            temperatures={"east": 21.0, "west": coldest},
            outdoor=5.0,
            now=at(17),
        )
        building.minutes_a_kelvin = 1e9
        return building.until(17, 45).state

    known = [cooled_off(day, 40.0 + day % 3) for day in range(1, 21)]
    assert evening(20.5) == "on", "only drifts of summer are known"
    assert evening(20.5, *known) == "off"
    assert evening(20.1, *known) == "on", "it is nearly too cold"
    assert evening(19.9, *known) == "on", "it is too cold"


def test_a_heated_building_that_gets_too_cold_is_heated_again() -> None:
    known = [cooled_off(day, 40.0 + day % 3) for day in range(1, 21)]
    building = Building(
        history=known,
        config={
            "adaptive_stop": True,
            "adaptive_start": False,
            "comfort_temperature": 21.0,
        },
        heats=True,
        temperatures={"east": 21.0, "west": 20.5},
        outdoor=5.0,
        now=at(17),
    )
    building.minutes_a_kelvin = 1e9
    assert building.until(17, 45).state == "off"
    building.temperatures["west"] = 19.9
    assert building.step().state == "on"
    (told,) = building.told("drift")
    assert told["reached"] is True and told["heating"] is False
