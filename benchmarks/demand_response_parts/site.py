"""The site that sheds: the example's plant under an office of its own gains.

Its load follows people, sun and weather instead of a table, weekends are other days
than weekdays, a tank of chilled water stands beside the battery, and the weather
station has a pyranometer.
"""

from collections.abc import Mapping
from typing import Any

import yaml

from benchmarks.energy_parts import REPOSITORY
from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.plant_file import parse_plant

METER = "site_power.power"
WEATHER = "weather"
_EXAMPLE = REPOSITORY / "examples" / "two_chillers" / "plant.yaml"

_GAINS: Mapping[str, Mapping[str, float]] = {
    "zone_1": {"people_density": 8.0, "equipment_density": 14.0, "window_share": 0.2},
    "zone_2": {"people_density": 6.0, "equipment_density": 9.0, "window_share": 0.25},
    "zone_3": {"people_density": 10.0, "equipment_density": 12.0, "window_share": 0.3},
}
_TANK: Mapping[str, Any] = {
    "type": "thermal_storage",
    "name": "Tank",
    "device": "building_controller",
    "ratings": {"power": 300, "capacity": 900},
    "points": {
        "discharge_power_setpoint": {
            "register": "holding",
            "address": 40,
            "scale": 0.1,
            "limits": [0, 300],
            "release": 0,
        },
        "state_of_charge": {"register": "input", "address": 40, "scale": 0.1},
        "power": {"register": "input", "address": 41, "type": "int16", "scale": 0.1},
    },
}
_PYRANOMETER: Mapping[str, Any] = {
    "solar_irradiance": {"object": "analog-input,99", "limits": [-20, 1600]}
}


def site() -> Plant:
    """Return the plant of the site."""
    data = yaml.safe_load(_EXAMPLE.read_text(encoding="utf-8"))
    for key, gains in _GAINS.items():
        data["equipment"][key]["ratings"] |= gains
    data["equipment"]["tank"] = dict(_TANK)
    data["equipment"]["weather"]["points"] |= _PYRANOMETER
    return parse_plant(yaml.safe_dump(data, sort_keys=False), "the site that sheds")
