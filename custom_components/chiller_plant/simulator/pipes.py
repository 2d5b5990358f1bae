"""Water on its way: how long it takes, what it becomes where it meets other."""

import numpy as np

from .arrays import Array
from .water import HEAT_CAPACITY

_AMBIENT = 28.0
_INSULATION_TIME = 500.0 * 3600.0
"""Seconds in which standing water in insulated pipes nears the ambient."""

_NO_FLOW = 1e-6


class Pipe:
    """A volume of water in nodes that follow each other, in each scenario.

    Semi-implicit (each node takes what the node before has become): stable
    for any flow and any step, and its heat balance closes at every one.
    """

    def __init__(
        self,
        volume: float,
        temperature: Array | float,
        scenarios: int,
        nodes: int = 1,
    ) -> None:
        """Fill `volume` litres with water of `temperature` °C."""
        self.volume = max(volume, 1.0)
        self._node_volume = self.volume / nodes
        self.temperatures: Array = np.empty((nodes, scenarios))
        """°C of each node (first axis) in the order of the flow."""
        self.temperatures[:] = temperature

    @property
    def inlet_temperature(self) -> Array:
        """Temperature of the first node, °C: where a sensor sits."""
        first: Array = self.temperatures[0]
        return first

    @property
    def outlet_temperature(self) -> Array:
        """Temperature of the last node, °C."""
        last: Array = self.temperatures[-1]
        return last

    @property
    def heat(self) -> Array:
        """Heat that the water holds above 0 °C, kJ."""
        heat: Array = self.temperatures.sum(axis=0)
        return self._node_volume * HEAT_CAPACITY * heat

    @property
    def ambient_gain(self) -> Array:
        """Heat that came through the insulation in the last step, kW."""
        short: Array = len(self.temperatures) * _AMBIENT - self.temperatures.sum(axis=0)
        return self._node_volume * HEAT_CAPACITY / _INSULATION_TIME * short

    def step(
        self,
        seconds: float,
        flow: Array,
        entering: Array,
        heat: Array | float = 0.0,
    ) -> None:
        """Move `flow` l/s through; `heat` kW is added on the way.

        What leaves in this step has the outlet temperature after it.
        """
        share = flow * (seconds / self._node_volume)
        drift = seconds / _INSULATION_TIME
        added = heat * (
            seconds / (self._node_volume * HEAT_CAPACITY * len(self.temperatures))
        ) + (drift * _AMBIENT)
        whole = share + (1.0 + drift)
        for temperature in self.temperatures:
            gained = share * entering
            gained += added
            temperature += gained
            temperature /= whole
            entering = temperature


def mix(flows: Array, temperatures: Array, otherwise: Array) -> Array:
    """Return the temperature (S,) of streams (S, n) that meet.

    `otherwise` is the answer where nothing flows.
    """
    total = np.vecdot(flows, np.ones(flows.shape[-1]))
    carried = np.vecdot(flows, temperatures)
    return np.where(total > _NO_FLOW, carried / np.maximum(total, _NO_FLOW), otherwise)


def decouple(
    primary_flow: Array,
    primary_supply: Array,
    secondary_flow: Array,
    secondary_return: Array,
) -> tuple[Array, Array]:
    """Return (secondary supply, primary return) °C at the decoupler.

    Whatever the secondary pumps take beyond the primary flow comes back from
    their own return: supply water warms although the chillers hold setpoint.
    The other way round, supply water cools the return.
    """
    surplus = primary_flow - secondary_flow
    difference = secondary_return - primary_supply
    backwards = np.maximum(-surplus, 0.0) / np.maximum(secondary_flow, _NO_FLOW)
    onwards = np.maximum(surplus, 0.0) / np.maximum(primary_flow, _NO_FLOW)
    return (
        primary_supply + backwards * difference,
        secondary_return - onwards * difference,
    )
