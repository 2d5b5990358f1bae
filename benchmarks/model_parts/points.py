"""The plant whose operating points are tried: up to three chillers and cells."""

import numpy as np

from custom_components.chiller_plant.simulator.arrays import Array
from custom_components.chiller_plant.simulator.chiller_performance import (
    ChillerPerformance,
    ChillerRating,
)
from custom_components.chiller_plant.simulator.coupled import Cell

RATING = ChillerRating()
MACHINE = ChillerPerformance([RATING])
CELL = Cell(75.71, 22.0)


def random_points(count: int, seed: int = 4) -> dict[str, Array]:
    """Return what `coupled.solve` takes, each point another plant and hour."""
    generator = np.random.default_rng(seed)
    chillers = generator.integers(1, 4, count).astype(np.float64)
    return {
        "load": chillers * RATING.capacity * generator.uniform(0.2, 0.95, count),
        "wet_bulb": generator.uniform(20.0, 28.5, count),
        "chillers": chillers,
        "cells": generator.integers(1, 4, count).astype(np.float64),
        "fan_speed": generator.uniform(0.3, 1.0, count),
        "condenser_flow_ratio": generator.uniform(0.5, 1.0, count),
        "supply": generator.uniform(5.5, 9.5, count),
        "pump_heat": generator.uniform(0.0, 40.0, count),
    }
