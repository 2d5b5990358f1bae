"""What is wrong with sensors, on command.

Nothing at first. Each point of each scenario can have its own noise, bias,
resolution, drop-outs and spikes, and can freeze. Seeded: the same calls show
the same faults.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ..plant.roles import Quantity
from .arrays import Array

KINDS: Mapping[str, str] = {
    "noise": "standard deviation, in the unit of the point",
    "bias": "is added, in the unit of the point",
    "resolution": "smallest step, in the unit of the point",
    "drop_out": "share of the readings that are lost, 0 to 1; they show 0",
    "spike": "share of the readings that are wild, 0 to 1",
    "frozen": "1: keeps showing what it shows now",
}
"""What can be wrong, and what its number means."""

_SHARES = ("drop_out", "spike", "frozen")

_SPIKE = {
    Quantity.TEMPERATURE: 15.0,
    Quantity.TEMPERATURE_DIFFERENCE: 15.0,
    Quantity.PRESSURE_DIFFERENCE: 150.0,
    Quantity.FLOW: 60.0,
    Quantity.POWER: 200.0,
    Quantity.ENERGY: 5000.0,
    Quantity.PERCENT: 60.0,
    Quantity.RELATIVE_HUMIDITY: 40.0,
    Quantity.IRRADIANCE: 500.0,
}
"""How far from the truth a wild reading is."""


class SensorFaults:
    """The faults of all sensors; a sensor is a column."""

    def __init__(
        self, quantities: Sequence[Quantity], scenarios: int, seed: int = 0
    ) -> None:
        """Take what each sensor measures."""
        self._shape = (scenarios, len(quantities))
        self._quantities = tuple(quantities)
        self._random = np.random.default_rng(seed)
        self._amounts: dict[str, Array] = {}

    @property
    def any(self) -> bool:
        """Whether anything is wrong at all."""
        return bool(self._amounts)

    def set(self, scenario: int | slice, column: int, kind: str, amount: float) -> None:
        """Give a sensor a fault, or end it with 0.

        Raises `KeyError` for an unknown kind, `ValueError` for an amount that
        makes no sense for it or for this sensor.
        """
        if kind not in KINDS:
            raise KeyError(kind)
        if kind in _SHARES and not 0.0 <= amount <= 1.0:
            raise ValueError(f"{kind}: 0 to 1 is needed, not {amount:g}")
        if kind in ("noise", "resolution") and amount < 0.0:
            raise ValueError(f"{kind}: {amount:g} is less than 0")
        boolean = self._quantities[column].is_boolean
        if boolean and kind not in ("drop_out", "frozen"):
            raise ValueError(f"{kind}: a status can only drop out or be frozen")
        if kind not in self._amounts:
            self._amounts[kind] = np.zeros(self._shape)
        self._amounts[kind][scenario, column] = amount
        if not self._amounts[kind].any():
            del self._amounts[kind]

    def clear(self, scenario: int | slice, column: int) -> None:
        """Repair a sensor."""
        for kind in tuple(self._amounts):
            self.set(scenario, column, kind, 0.0)

    def apply(self, values: Array, shown: Array) -> None:
        """Spoil true `values` in place; `shown` is what was shown before."""
        amounts, random = self._amounts, self._random
        if (noise := amounts.get("noise")) is not None:
            values += noise * random.standard_normal(self._shape)
        if (bias := amounts.get("bias")) is not None:
            values += bias
        if (spike := amounts.get("spike")) is not None:
            height = np.array([_SPIKE.get(item, 0.0) for item in self._quantities])
            side = np.where(random.random(self._shape) < 0.5, -1.0, 1.0)
            values += (random.random(self._shape) < spike) * side * height
        if (resolution := amounts.get("resolution")) is not None:
            coarse = resolution > 0.0
            step = resolution[coarse]
            values[coarse] = np.rint(values[coarse] / step) * step
        if (drop_out := amounts.get("drop_out")) is not None:
            values[random.random(self._shape) < drop_out] = 0.0
        if (frozen := amounts.get("frozen")) is not None:
            stuck = frozen > 0.5
            values[stuck] = shown[stuck]
