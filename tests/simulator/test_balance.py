"""Heat and water of the whole plant add up, at each step and over a day."""

from dataclasses import replace

import numpy as np
import pytest

from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.simulator.arrays import Array
from custom_components.chiller_plant.simulator.pipes import Pipe
from custom_components.chiller_plant.simulator.plant_model import PlantModel
from custom_components.chiller_plant.simulator.water import HEAT_CAPACITY
from custom_components.chiller_plant.simulator.worlds import Worlds
from tests.simulator.plants import KSPO, THREE_CHILLERS, start_all

HOUR = 3600.0
STEP = 10.0


class Balance:
    """What goes into the water of a plant, what comes out, and what it holds."""

    def __init__(self, worlds: Worlds) -> None:
        self.worlds = worlds
        model = worlds.model
        self._chilled = (
            model.primary_supply,
            model.supply,
            model.return_main,
            model.primary_return,
        )
        self._condenser = (model.condenser_return, model.basin, model.condenser_supply)

    def step(self) -> tuple[Array, Array]:
        """Go on one step; return what no account explains, kW in both loops."""
        worlds, model = self.worlds, self.worlds.model
        chilled, condenser = model.chilled_water_heat, model.condenser_water_heat
        entering = model.primary_return_temperature.copy()
        worlds.advance(STEP)
        self.check_water()
        evaporators = _carried(
            model.chilled_water_flow,
            entering[:, None] - model.chillers.supply_temperature,
        )
        condensers = _carried(
            model.condenser_water_flow,
            model.chillers.condenser_leaving_temperature
            - model.condenser_supply_temperature[:, None],
        )
        zones = _carried(
            model.distribution.flows,
            model.zones.return_temperature - model.supply.outlet_temperature[:, None],
        )
        chilled_gain = (
            zones
            + model.distribution.heating
            + model.chilled_circuit.heating
            + _ambient(self._chilled)
            - evaporators
        )
        condenser_gain = (
            condensers
            + model.condenser_circuit.heating
            + _ambient(self._condenser)
            - model.towers.heat.sum(axis=1)
        )
        return (
            (model.chilled_water_heat - chilled) / STEP - chilled_gain,
            (model.condenser_water_heat - condenser) / STEP - condenser_gain,
        )

    def check_water(self) -> None:
        """All water that goes into a node comes out of it."""
        model = self.worlds.model
        for flow, parts in (
            (model.primary_flow, model.chilled_water_flow),
            (model.primary_flow, model.primary_pumps.flow),
            (model.secondary_flow - _past(model), model.distribution.flows),
            (model.secondary_flow, model.secondary_pumps.flow),
            (model.condenser_flow, model.condenser_water_flow),
            (model.condenser_flow, model.condenser_pumps.flow),
            (model.condenser_flow, model.towers.flow),
        ):
            assert parts.sum(axis=1) == pytest.approx(flow, abs=1e-6)
        assert np.abs(model.chillers.residual).max() < 1e-6
        assert np.abs(model.zones.residual).max() < 1e-6


def _past(model: PlantModel) -> Array | float:
    """Return the water that goes past the zones, l/s."""
    return 0.0 if model.bypass is None else model.bypass.flow.sum(axis=1)


def _ambient(pipes: tuple[Pipe, ...]) -> Array:
    return np.add.reduce([pipe.ambient_gain for pipe in pipes])


def _carried(flow: Array, rise: Array) -> Array:
    return HEAT_CAPACITY * (flow * rise).sum(axis=1)


@pytest.mark.parametrize("file", [THREE_CHILLERS, KSPO])
def test_heat_and_water_add_up_whatever_is_switched(file) -> None:
    """Over hours of switching, in two plants that are switched apart."""
    worlds = Worlds(load_plant(file), [6 * HOUR, 13 * HOUR])
    start_all(worlds)
    balance = Balance(worlds)
    motors = [key for key in worlds.commands.points if key.endswith(".run_command")]
    moved = np.zeros(2)
    for turn in range(12):
        for scenario in (0, 1):
            key = motors[(5 * turn + 3 * scenario) % len(motors)]
            on = bool(worlds.values(scenario)[key])
            worlds.command(scenario, key, not on)
        for _ in range(90):
            for residual in balance.step():
                assert np.abs(residual).max() < 1e-6
            moved += worlds.model.chillers.cooling.sum(axis=1)
    assert np.all(moved > 0.0)


def test_bypass_keeps_water_moving_when_no_zone_wants_any() -> None:
    plant = load_plant(KSPO)
    least = 8.0
    with_bypass = replace(
        plant, simulation={**plant.simulation, "secondary_minimum_flow": least}
    )
    flows = []
    for each in (plant, with_bypass):
        worlds = Worlds(each, [13 * HOUR])
        start_all(worlds)
        for key in worlds.commands.points:
            if key.endswith(".occupied_command"):
                worlds.command(0, key, False)
        balance = Balance(worlds)
        for _ in range(180):
            for residual in balance.step():
                assert np.abs(residual).max() < 1e-6
        flows.append(worlds.model.distribution.header.flow[0])
    assert flows[0] == pytest.approx(0.0, abs=0.01)
    assert flows[1] == pytest.approx(least, rel=0.05)
