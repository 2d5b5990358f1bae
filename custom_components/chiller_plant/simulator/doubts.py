"""What is doubtful about a plant before it runs.

Nothing here stops a simulation: it says what its results should not be believed
for.
"""

import numpy as np

from ..plant.roles import EquipmentType
from .layout import Layout
from .plant_model import PlantModel
from .water import HEAT_CAPACITY

_DESIGN_RANGE = 5.56
"""K by which towers cool their design flow."""

_ENOUGH = 0.95


def doubts(layout: Layout, model: PlantModel) -> tuple[str, ...]:
    """Return what a person should know, a sentence each."""
    found = [
        f"{name} is not in the plant file: {value:g} is assumed"
        for name, value in layout.name_plates.assumed.items()
    ]
    capacity = float(np.sum(model.rated_cooling))
    heat = float(np.sum(model.rated_cooling * (1.0 + 1.0 / model.rated_efficiency)))
    rejected = float(model.towers.design_flow.sum()) * HEAT_CAPACITY * _DESIGN_RANGE
    if rejected < _ENOUGH * heat:
        found.append(
            f"the towers reject {rejected:.0f} kW at their design flow, the chillers"
            f" give {heat:.0f} kW: they cannot meet the load"
        )
    needed = sum(
        item.ratings.get("cooling_load", 0.0)
        for item in layout.machines[EquipmentType.ZONE]
    )
    if capacity < _ENOUGH * needed:
        found.append(
            f"the chillers cool {capacity:.0f} kW, the zones are rated at"
            f" {needed:.0f} kW: they cannot meet the load"
        )
    return tuple(found)
