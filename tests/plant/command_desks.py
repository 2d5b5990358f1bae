"""What the tests of the command desk share."""

from dataclasses import replace
from typing import Any

from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.roles import EquipmentType

from .factories import make_drive, make_plant

PUMP = "schp_1.run_command"


def pump_plant(**speed: Any) -> Plant:
    pump = make_drive("schp_1", EquipmentType.SECONDARY_CHILLED_WATER_PUMP)
    points = dict(pump.points)
    points["speed_command"] = replace(points["speed_command"], **speed)
    return make_plant(replace(pump, points=points))
