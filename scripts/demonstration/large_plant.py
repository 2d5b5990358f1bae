"""A plant file as large as a hospital campus, grown from the example.

The machines stay those of the example; the building behind them gets as many
zones as the wanted number of points needs, on floor controllers of their own,
each with as many points as such controllers have.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

EXAMPLE = (
    Path(__file__).resolve().parents[2] / "examples" / "two_chillers" / "plant.yaml"
)

ZONES_A_CONTROLLER = 8
_CONTROLLERS_A_NETWORK = 250
_FIRST_INSTANCE = 2001


def large_plant_text(points: int) -> str:
    """Return a plant file (YAML) with `points` points, or the example's if fewer.

    The zones share the example's design load between them.
    """
    plant: dict[str, Any] = yaml.safe_load(EXAMPLE.read_text())
    equipment = plant["equipment"]
    example_zones = [key for key, item in equipment.items() if item["type"] == "zone"]
    design = [equipment[key]["ratings"] for key in example_zones]
    roles = list(plant["templates"]["zone"]["points"].items())
    missing = max(points - _count(plant), 0)
    zones, rest = divmod(missing, len(roles))
    added: dict[str, dict[str, Any]] = {}
    for number in range(zones + bool(rest)):
        controller, position = divmod(number, ZONES_A_CONTROLLER)
        key = f"zone_{len(example_zones) + number + 1}"
        added[key] = {
            "type": "zone",
            "name": f"Floor {controller + 1} zone {position + 1}",
            "template": "zone",
            "device": f"floor_controller_{controller + 1}",
            "variables": {"number": position + 1},
        }
    if rest:
        # The last zone has as many points as are still missing.
        last = added[next(reversed(added))]
        number = last.pop("variables")["number"]
        del last["template"]
        last["points"] = {
            role: {**point, "object": point["object"].format(number=number)}
            for role, point in deepcopy(roles[:rest])
        }
    share = len(example_zones) / (len(example_zones) + len(added))
    for key in (*example_zones, *added):
        item = added.get(key) or equipment[key]
        item["ratings"] = {
            name: round(sum(row[name] for row in design) / len(design) * share, 3)
            for name in design[0]
        }
    equipment |= added
    controllers = -(-len(added) // ZONES_A_CONTROLLER)
    plant["connections"]["bms"]["devices"] |= {
        f"floor_controller_{number + 1}": {
            "address": _address(number),
            "instance": _FIRST_INSTANCE + number,
        }
        for number in range(controllers)
    }
    return yaml.safe_dump(plant, sort_keys=False)


def _address(number: int) -> str:
    network, host = divmod(number, _CONTROLLERS_A_NETWORK)
    return f"127.0.{network + 1}.{host + 1}:47808"


def _count(plant: dict[str, Any]) -> int:
    return sum(
        len(
            {
                *plant["templates"].get(item.get("template"), {}).get("points", {}),
                *item.get("points", {}),
            }
        )
        for item in plant["equipment"].values()
    )
