"""What a loaded plant holds while it runs."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from homeassistant.config_entries import ConfigEntry

if TYPE_CHECKING:
    from .bus_health import BusHealth
    from .coordinator import PlantCoordinator
    from .demand_response.room import DemandResponseRoom
    from .plan import PlanRoom
    from .plant.model import Plant

type ChillerPlantConfigEntry = ConfigEntry[ChillerPlantData]


@dataclass(slots=True)
class ChillerPlantData:
    """The parts of one plant."""

    plant: Plant
    coordinator: PlantCoordinator
    plan: PlanRoom
    bus: BusHealth
    plant_device_id: str
    """The device that all equipment hangs off."""
    demand_response: DemandResponseRoom
