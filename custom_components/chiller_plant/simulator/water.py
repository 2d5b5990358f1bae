"""Water on its way: what it carries and how long it takes."""

from collections.abc import Iterable

HEAT_CAPACITY = 4.186
"""kW carried by one l/s for each kelvin."""

_AMBIENT = 28.0
_INSULATION_TIME = 500.0 * 3600.0
"""Seconds in which standing water in insulated pipes nears the ambient."""


class Pipe:
    """A volume of water in nodes that follow each other.

    Semi-implicit: stable for any flow and any step.
    """

    def __init__(self, volume: float, temperature: float, nodes: int = 1) -> None:
        """Fill `volume` litres with water of `temperature` °C."""
        self._volume = max(volume, 1.0) / nodes
        self.temperatures = [temperature] * nodes

    @property
    def inlet_temperature(self) -> float:
        """Temperature of the first node, °C: where a sensor sits."""
        return self.temperatures[0]

    @property
    def outlet_temperature(self) -> float:
        """Temperature of the last node, °C."""
        return self.temperatures[-1]

    def step(
        self, seconds: float, flow: float, entering: float, heat: float = 0.0
    ) -> None:
        """Move `flow` l/s through; `heat` kW is added on the way."""
        share = flow * seconds / self._volume
        drift = seconds / _INSULATION_TIME
        rise = heat * seconds / (self._volume * HEAT_CAPACITY * len(self.temperatures))
        for index, temperature in enumerate(self.temperatures):
            entering = (temperature + share * entering + drift * _AMBIENT + rise) / (
                1.0 + share + drift
            )
            self.temperatures[index] = entering


def mix(streams: Iterable[tuple[float, float]], otherwise: float) -> float:
    """Return the temperature of streams (flow, temperature) that meet.

    `otherwise` is the answer when nothing flows.
    """
    total = carried = 0.0
    for flow, temperature in streams:
        total += flow
        carried += flow * temperature
    return carried / total if total > 1e-6 else otherwise


def decouple(
    primary_flow: float,
    primary_supply: float,
    secondary_flow: float,
    secondary_return: float,
) -> tuple[float, float]:
    """Return (secondary supply, primary return) °C at the decoupler.

    Whatever the secondary pumps take beyond the primary flow comes back from
    their own return: supply water warms although the chillers hold setpoint.
    The other way round, supply water cools the return.
    """
    if secondary_flow > primary_flow:
        shortage = secondary_flow - primary_flow
        supply = mix(
            ((primary_flow, primary_supply), (shortage, secondary_return)),
            secondary_return,
        )
        return supply, secondary_return
    surplus = primary_flow - secondary_flow
    return primary_supply, mix(
        ((secondary_flow, secondary_return), (surplus, primary_supply)),
        secondary_return,
    )
