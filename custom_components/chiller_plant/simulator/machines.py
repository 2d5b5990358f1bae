"""Everything that stands in the plant room and around it."""

from ..plant.model import Plant
from ..plant.roles import EquipmentType
from .accessories import HeatSource, Meter, SheddableCircuit
from .chiller import Chiller
from .drive import Drive
from .plant_model import Commands, PlantModel
from .settings import rating, read_settings


class Machines:
    """The plant's model and what stands beside it, moved together."""

    def __init__(self, plant: Plant) -> None:
        """Build them. Raise `SimulationError` for an unfit plant."""
        self.plant = plant
        settings = read_settings(plant)
        self.weather = settings.weather
        self.model = PlantModel(plant, settings, self.weather)
        self.meters = {item.key: Meter() for item in plant.of_type(EquipmentType.METER)}
        self.heat_sources = {
            item.key: HeatSource(rating(item, "power", 2.0))
            for item in plant.of_type(EquipmentType.HEAT_SOURCE)
        }
        self.circuits = {
            item.key: SheddableCircuit(rating(item, "power", 50.0))
            for item in plant.of_type(EquipmentType.SHEDDABLE_CIRCUIT)
        }

    @property
    def that_fail(self) -> dict[str, Chiller | Drive]:
        """The machines that can have a fault and show an alarm."""
        return {
            **self.model.chillers,
            **self.model.pumps,
            **{key: tower.fan for key, tower in self.model.towers.items()},
        }

    def step(self, seconds: float, time: float, commands: Commands) -> None:
        """Go on for `seconds` from the local time `time`."""
        self.model.step(seconds, time, commands)
        for key, source in self.heat_sources.items():
            source.step(
                seconds,
                commands.is_on(key, "run_command"),
                commands.number(key, "supply_temperature_setpoint"),
            )
        for key, circuit in self.circuits.items():
            circuit.step(commands.is_on(key, "run_command"))
        for key, meter in self.meters.items():
            measured = self.plant.equipment[key].measures
            meter.step(
                seconds,
                sum(self.power_of(item) for item in measured),
                sum(self._cooling_of(item) for item in measured),
            )

    def power_of(self, key: str) -> float:
        """Return the electrical power of a machine, or of the plant, in kW."""
        model = self.model
        match self.plant.equipment[key].type:
            case EquipmentType.PLANT:
                return model.power
            case EquipmentType.CHILLER:
                return model.chillers[key].power
            case EquipmentType.COOLING_TOWER:
                return model.towers[key].fan.power
            case EquipmentType.HEAT_SOURCE:
                return self.heat_sources[key].power
            case EquipmentType.SHEDDABLE_CIRCUIT:
                return self.circuits[key].power
        return model.pumps[key].power if key in model.pumps else 0.0

    def _cooling_of(self, key: str) -> float:
        if self.plant.equipment[key].type is EquipmentType.PLANT:
            return self.model.cooling_load
        chiller = self.model.chillers.get(key)
        return chiller.cooling if chiller is not None else 0.0
