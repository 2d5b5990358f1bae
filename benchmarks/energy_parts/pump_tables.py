"""What pumps of a circuit move and take, by how many run and at what speed.

The simulator's own circuits are asked, with as many scenarios as speeds.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from custom_components.chiller_plant.simulator.arrays import Array
from custom_components.chiller_plant.simulator.drives import Pumps
from custom_components.chiller_plant.simulator.networks import Circuit

_SPEED_STEP = 0.01
_SLOWEST = 0.25


@dataclass(frozen=True, slots=True)
class PumpTable:
    """Rows: one, two, ... machines with a pump each; columns: rising speeds."""

    speed: Array
    """(speeds,), 0 to 1."""

    flow: Array
    """l/s through each machine."""

    power: Array
    """kW of all pumps together."""

    heat: Array
    """kW of it that the water takes up."""

    def least(self, flow: float) -> int:
        """Return the first speed at which every row gives `flow` l/s or more."""
        enough = (self.flow >= flow).all(axis=0)
        return int(np.argmax(enough)) if enough.any() else len(self.speed) - 1

    def column(self, row: NDArray[np.intp], flow: Array) -> NDArray[np.intp]:
        """Return the first speed at which a machine gets `flow` l/s, or the last."""
        columns = np.zeros(np.broadcast_shapes(row.shape, flow.shape), dtype=np.intp)
        for number in range(len(self.flow)):
            found = np.searchsorted(self.flow[number], flow - 1e-9)
            columns = np.where(row == number, found, columns)
        last = len(self.speed) - 1
        return np.minimum(columns, last, dtype=np.intp)


def pump_table(
    machines: int,
    make_pumps: Callable[[int], Pumps],
    make_circuit: Callable[[Pumps], Circuit],
) -> PumpTable:
    """Try every number of machines, with as many pumps, at every speed.

    Raises ValueError where the machines do not get the same flow: then they,
    or their pumps, are not alike.
    """
    steps = round((1.0 - _SLOWEST) / _SPEED_STEP)
    speed = np.linspace(_SLOWEST, 1.0, steps + 1)
    flow, power, heat = (np.empty((machines, len(speed))) for _ in range(3))
    for row in range(machines):
        pumps = make_pumps(len(speed))
        circuit = make_circuit(pumps)
        if pumps.speed.shape[1] < row + 1:
            raise ValueError("there are fewer pumps than chillers")
        running = np.arange(pumps.speed.shape[1]) <= row
        on = np.broadcast_to(running, pumps.speed.shape)
        pumps.settle(on, np.where(on, speed[:, None], 0.0))
        open_ = np.zeros((len(speed), machines))
        open_[:, : row + 1] = 1.0
        flows = circuit.solve(open_)[:, : row + 1]
        if not np.allclose(flows, flows[:, :1], rtol=1e-6, atol=1e-6):
            raise ValueError("the bound needs chillers alike, with pumps alike")
        flow[row] = flows[:, 0]
        power[row] = pumps.power.sum(axis=1)
        heat[row] = circuit.heating
    return PumpTable(speed, flow, power, heat)
