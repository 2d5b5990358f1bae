"""The cooling tower: cells with a fan and a water valve each, and what they drink.

Arrays over (scenarios, cells), as `arrays` says.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np

from .arrays import Array, Flags
from .drives import Fans, Fault, Valves
from .tower_performance import DESIGN_SCALE, leaving_temperature
from .water import HEAT_CAPACITY

_LATENT_SHARE = 0.85
"""Share of the heat that leaves as vapour; 0.7 in dry cold, 1.0 in hot dry air."""

_VAPORISATION = 2450.0
"""kJ taken by one kg of water that evaporates."""

_DRIFT_SHARE = 5e-5
"""Share of the water that leaves as droplets."""

CYCLES_OF_CONCENTRATION = 4.0

_ALL_SHUT = 0.02
"""Share of the design flow, by valve positions, below which all valves are shut."""

_DRY = 1e-3
"""l/s below which a cell counts as dry."""


class CoolingTowers:
    """Cells side by side, each opening its own water valve when it is asked for."""

    OBSERVABLES: ClassVar[Mapping[str, str]] = {
        "speed": "1",
        "power": "kW",
        "running": "bool",
        "alarm": "bool",
        "valve_position": "1",
        "flow": "l/s",
        "leaving_temperature": "°C",
        "heat": "kW",
        "evaporation": "l/s",
        "drift": "l/s",
        "blowdown": "l/s",
        "water_use": "l/s",
        "clipped": "bool",
    }
    ACTIONS: ClassVar[Mapping[str, str]] = {"run": "bool", "speed": "1"}
    FAULTS: ClassVar[tuple[Fault, ...]] = Fans.FAULTS

    def __init__(
        self,
        water_flow: Sequence[float] | Array,
        fan_power: Sequence[float] | Array,
        scenarios: int,
        temperature: Array | float,
        *,
        scale: Sequence[float] | Array | float = DESIGN_SCALE,
        cycles_of_concentration: float = CYCLES_OF_CONCENTRATION,
    ) -> None:
        """Take each cell's design flow, l/s, and fan power, kW.

        `temperature` of the water, °C, may be one for each scenario; `scale` is
        `design_scale` of the cells.
        """
        # In each row the same: arrays of one shape meet three times as fast.
        self.design_flow: Array = np.tile(
            np.asarray(water_flow, dtype=np.float64), (scenarios, 1)
        )
        self.fans = Fans(fan_power, scenarios)
        shape = self.fans.speed.shape
        self.valves = Valves(shape[1], scenarios)
        self.flow: Array = np.zeros(shape)
        self.leaving_temperature: Array = np.broadcast_to(
            np.asarray(temperature, dtype=np.float64).reshape(-1, 1), shape
        ).copy()
        self.heat: Array = np.zeros(shape)
        """Heat rejected, kW."""
        self.fouling: Array = np.zeros(shape)
        """What clogged fill adds to the leaving water, K; can be set."""
        self.clipped: Flags = np.zeros(shape, dtype=np.bool_)
        """Where the performance lies outside its published limits."""
        self._scale: Array = np.broadcast_to(
            np.asarray(scale, dtype=np.float64), shape
        ).copy()
        self._design_flow = self.design_flow.sum(axis=1, keepdims=True)
        self._blowdown_share = 1.0 / (cycles_of_concentration - 1.0)

    @property
    def speed(self) -> Array:
        """Fan speeds, 0 to 1."""
        return self.fans.speed

    @property
    def power(self) -> Array:
        """Electrical power of the fans, kW."""
        return self.fans.power

    @property
    def running(self) -> Flags:
        """Whether the converters report their fans turning."""
        return self.fans.running

    @property
    def alarm(self) -> Flags:
        """Whether the converters report an alarm."""
        return self.fans.alarm

    @property
    def valve_position(self) -> Array:
        """Positions of the cells' water valves, 0 to 1."""
        return self.valves.position

    @property
    def evaporation(self) -> Array:
        """Water that leaves as vapour, l/s."""
        return self.heat * (_LATENT_SHARE / _VAPORISATION)

    @property
    def drift(self) -> Array:
        """Water that leaves as droplets, l/s."""
        return self.flow * _DRIFT_SHARE

    @property
    def blowdown(self) -> Array:
        """Water let off so that salts stay below the cycles of concentration.

        Drift carries salts away too, and counts.
        """
        return np.maximum(self.evaporation * self._blowdown_share - self.drift, 0.0)

    @property
    def water_use(self) -> Array:
        """Water that has to be made up, l/s."""
        return self.evaporation + self.drift + self.blowdown

    def step(self, seconds: float, *, run: Flags, speed: Array) -> None:
        """Move fans and valves; a cell that is asked for gets water."""
        self.fans.step(seconds, run=run, speed=speed)
        self.valves.step(seconds, position=run.astype(np.float64))

    def settle(self, run: Flags, speed: Array) -> None:
        """Begin as if they had been commanded like this for long."""
        self.fans.settle(run, speed)
        self.valves.settle(run.astype(np.float64))

    def share_out(self, flow: Array) -> Array:
        """Return what each cell gets of the plant's `flow` (scenarios,), l/s.

        By design flow and valve position. With every valve shut the water
        still has to go somewhere: through all cells.
        """
        shares = self.valves.position * self.design_flow
        total = shares.sum(axis=1, keepdims=True)
        design = self._design_flow
        shut = total < _ALL_SHUT * design
        if np.count_nonzero(shut):
            shares = np.where(shut, self.design_flow, shares)
            total = np.where(shut, design, total)
        result: Array = shares * (flow[:, None] / total)
        return result

    def cool(self, flow: Array, entering: Array, wet_bulb: Array) -> None:
        """Cool `flow` (scenarios, cells) l/s.

        It enters all cells at `entering` (scenarios,) °C; `wet_bulb` likewise.
        """
        self.flow = flow
        wet = flow > _DRY
        entering = entering[:, None]
        leaving, clipped = leaving_temperature(
            entering,
            wet_bulb[:, None],
            flow / self.design_flow,
            self.fans.speed,
            self._scale,
        )
        if np.count_nonzero(self.fouling):
            leaving = np.where(
                leaving < entering,
                np.minimum(leaving + self.fouling, entering),
                leaving,
            )
        self.leaving_temperature = np.where(wet, leaving, self.leaving_temperature)
        self.clipped = clipped & wet
        self.heat = (entering - self.leaving_temperature) * flow
        self.heat *= HEAT_CAPACITY
        self.heat *= wet
