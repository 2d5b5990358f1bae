"""What valves let through: conductances in (l/s)/√kPa, of any shape."""

import numpy as np

from .arrays import Array

RANGEABILITY = 50.0
AUTHORITY = 0.5
"""Share of the pressure over an open coil branch that its valve takes."""

_NEARLY_SHUT = 0.05


def isolation_conductance(full: Array, position: Array) -> Array:
    """Return that of a branch with a butterfly valve, 0 closed to 1 open.

    `full` is its conductance with the valve open.
    """
    return full * position * (2.0 - position)


def coil_conductance(
    flow: Array | float,
    drop: Array | float,
    position: Array,
    authority: float = AUTHORITY,
    rangeability: float = RANGEABILITY,
) -> Array:
    """Return that of a coil and its equal-percentage valve in series.

    They pass `flow` l/s at `drop` kPa with the valve open.
    """
    bounded = np.minimum(np.maximum(position, 0.0), 1.0)
    opening = np.exp((bounded - 1.0) * np.log(rangeability))
    # Below the range of the percentage law the plug meets its seat.
    opening *= np.minimum(bounded * (1.0 / _NEARLY_SHUT), 1.0)
    opening *= opening
    # flow·√(1 / (drop·(coil + valve/opening²))), written so that shut is zero.
    opening /= (1.0 - authority) * opening + authority
    conductance: Array = np.sqrt(opening / drop) * flow
    return conductance
