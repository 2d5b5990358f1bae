"""What keeps energy for later: batteries, and tanks of chilled water.

Each gives what it is asked for as long as there is something in it, and charges
itself at night when nobody asks.
"""

from typing import ClassVar

import numpy as np

from .arrays import Array, Flags
from .weather_series import DAY, HOUR

_CHARGING_FROM, _CHARGING_UNTIL = 22.0 * HOUR, 6.0 * HOUR
_CHARGING_SHARE = 0.5
"""Of the rated power, so that the night is long enough for one full charge."""

_STARTING_CHARGE = 1.0
_IDLE = 1e-3
"""kW."""


class Storages:
    """Storages of one kind, (scenarios, storages)."""

    OBSERVABLES: ClassVar[dict[str, str]] = {
        "charge": "1",
        "power": "kW",
        "running": "bool",
    }
    ACTIONS: ClassVar[dict[str, str]] = {"discharge": "kW"}

    def __init__(
        self,
        capacity: Array,
        rated_power: Array,
        scenarios: int,
        *,
        efficiency: float,
    ) -> None:
        """Take what they hold in kWh, kW, and the share that comes out again."""
        self._capacity = capacity
        self._rated = rated_power
        self._efficiency = efficiency
        shape = (scenarios, len(capacity))
        self.charge: Array = np.full(shape, _STARTING_CHARGE)
        """Share of the capacity."""
        self.power: Array = np.zeros(shape)
        """What they give, below 0 while they are charged, kW."""

    @property
    def running(self) -> Flags:
        """Whether they give or take."""
        return np.asarray(np.abs(self.power) > _IDLE)

    def step(
        self,
        seconds: float,
        time: Array,
        discharge: Array,
        *,
        able: Flags | bool = True,
    ) -> None:
        """Go on for `seconds` from the local times `time`; `discharge` in kW.

        What is not `able` cannot be charged now.
        """
        hours = max(seconds, _IDLE) / HOUR
        held = self.charge * self._capacity
        given = np.minimum(np.minimum(discharge, self._rated), held / hours)
        given = np.maximum(given, 0.0)
        of_day = time % DAY
        night = (of_day >= _CHARGING_FROM) | (of_day < _CHARGING_UNTIL)
        room = (self._capacity - held) / (hours * self._efficiency)
        taken = np.minimum(_CHARGING_SHARE * self._rated, room)
        taken = taken * (night[:, None] & (discharge <= _IDLE) & able)
        self.power = given - taken
        moved = (self._efficiency * taken - given) * (seconds / HOUR)
        self.charge = np.clip((held + moved) / self._capacity, 0.0, 1.0)
