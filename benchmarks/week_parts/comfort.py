"""By how much people in the buildings were too warm, from the readings alone."""

from datetime import datetime

import numpy as np

from custom_components.chiller_plant.plant.roles import EquipmentType

from .expected_kspo import plant_on
from .site_run import STEP, Record

TOLERANCE = 1.0
"""Kelvin above its setpoint at which a building counts as too warm."""
PULL_DOWN = 3 * 3600.0
"""Seconds that a building which stood over the night has to become cool."""


def unmet_kelvin_hours(record: Record) -> dict[str, float]:
    """Return the kelvin hours of each building while people are in it.

    They are while the plant may run, from some hours after it began on, and
    unless the building says that it is empty.
    """
    counts = np.array(
        [
            plant_on(datetime.fromtimestamp(float(at), record.zone))
            and plant_on(datetime.fromtimestamp(float(at) - PULL_DOWN, record.zone))
            and datetime.fromtimestamp(float(at) - PULL_DOWN, record.zone).hour >= 1
            for at in record.times
        ]
    )
    found = {}
    for zone in record.plant.of_type(EquipmentType.ZONE):
        over = record.column(f"{zone.key}.temperature") - (
            record.column(f"{zone.key}.temperature_setpoint") + TOLERANCE
        )
        there = counts & (record.column(f"{zone.key}.occupied_command") > 0.5)
        found[zone.key] = float(np.maximum(over, 0.0)[there].sum() * STEP / 3600.0)
    return found
