"""Which machine is which column, and what is piped to what.

Read once from the plant file, so that the physics works on arrays alone.
"""

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from ..plant.model import Equipment, Plant
from ..plant.roles import EquipmentType
from .arrays import Array
from .served_groups import branch_valves, groups_of

type Columns = NDArray[np.intp]

NEEDED = (
    EquipmentType.CHILLER,
    EquipmentType.PRIMARY_CHILLED_WATER_PUMP,
    EquipmentType.SECONDARY_CHILLED_WATER_PUMP,
    EquipmentType.CONDENSER_WATER_PUMP,
    EquipmentType.COOLING_TOWER,
    EquipmentType.ZONE,
)


class SimulationError(ValueError):
    """A plant that cannot be simulated; the text says what it lacks."""


class NamePlates:
    """The ratings of a plant file, and which of them had to be assumed."""

    def __init__(self, plant_key: str) -> None:
        """Begin with nothing assumed."""
        self._plant = plant_key
        self._assumed: dict[str, float] = {}

    @property
    def assumed(self) -> Mapping[str, float]:
        """What the file does not say, as `chiller_1.cooling_capacity`."""
        return self._assumed

    def array(
        self,
        items: Sequence[Equipment],
        name: str,
        usual: float | Array,
        *,
        derived: bool = False,
    ) -> Array:
        """Return one rating of machines of a kind.

        `usual` is taken where the file says nothing; `derived` says that it
        follows from other ratings, so that nothing is assumed. Raises
        `SimulationError` for a rating that cannot be.
        """
        values = np.broadcast_to(np.asarray(usual, dtype=np.float64), len(items)).copy()
        for column, item in enumerate(items):
            given = item.ratings.get(name)
            if given is None:
                if not derived:
                    self._assumed[f"{item.key}.{name}"] = float(values[column])
                continue
            if not (isfinite(given) and given > 0.0):
                raise SimulationError(
                    f"{self._plant}: equipment.{item.key}.ratings.{name}: {given:g} is"
                    " no rating, a number above 0 is needed"
                )
            values[column] = given
        return values

    def require(self) -> None:
        """Raise `SimulationError` if anything was assumed."""
        if self._assumed:
            raise SimulationError(
                f"{self._plant}: these ratings are missing in the plant file:"
                f" {', '.join(sorted(self._assumed))}"
            )


class Layout:
    """The machines of a plant in columns."""

    def __init__(self, plant: Plant) -> None:
        """Read the plant. Raise `SimulationError` for a missing kind of machine."""
        for needed in NEEDED:
            if not plant.of_type(needed):
                raise SimulationError(
                    f"{plant.key}: only primary-secondary plants with water-cooled"
                    f" chillers can be simulated; this one has no {needed}"
                )
        self.plant = plant
        self.name_plates = NamePlates(plant.key)
        self.machines: Mapping[EquipmentType, tuple[Equipment, ...]] = {
            kind: plant.of_type(kind) for kind in EquipmentType
        }
        self.column: Mapping[str, int] = {
            item.key: column
            for items in self.machines.values()
            for column, item in enumerate(items)
        }
        """The column of a machine among those of its kind."""
        self.chilled_water = groups_of(
            plant,
            EquipmentType.CHILLER,
            "chilled_water_pumps",
            EquipmentType.PRIMARY_CHILLED_WATER_PUMP,
        )
        self.condenser_water = groups_of(
            plant,
            EquipmentType.CHILLER,
            "condenser_water_pumps",
            EquipmentType.CONDENSER_WATER_PUMP,
        )
        self.distribution = groups_of(
            plant,
            EquipmentType.ZONE,
            "chilled_water_pumps",
            EquipmentType.SECONDARY_CHILLED_WATER_PUMP,
        )
        """Secondary pumps and their zones: one header, or several."""
        self.chilled_water_valves = branch_valves(plant, condenser=False)
        self.condenser_water_valves = branch_valves(plant, condenser=True)

    def keys(self, kind: EquipmentType) -> tuple[str, ...]:
        """Return the machines of a kind."""
        return tuple(item.key for item in self.machines[kind])
