"""How many steady plants are solved in a second, on one core."""

from statistics import median
import time

from benchmarks.bus_parts.result import Figure, Result
from custom_components.chiller_plant.simulator.coupled import solve

from .points import CELL, MACHINE, random_points

_POINTS = 200_000
_ROUNDS = 5
_ENOUGH = 500_000.0


def measure(points: int = _POINTS) -> Result:
    """Solve random points; processor time counts, the median of the rounds."""
    given = random_points(points)
    solve(MACHINE, CELL, **given)
    rates = []
    for _ in range(_ROUNDS):
        began = time.process_time()
        solve(MACHINE, CELL, **given)
        rates.append(points / (time.process_time() - began))
    return Result(
        [
            Figure(
                "model.solves_per_s",
                median(rates),
                "",
                _ENOUGH,
                "higher",
                f"chillers by leaving condenser water with their tower, {points:,}"
                f" different points at once; {min(rates):,.0f} to {max(rates):,.0f}",
            )
        ]
    )
