"""What the near-optimal model is told of a plant, and what it answers.

Apart from the model itself, because that needs numpy, which AppDaemon does not
bring along: a site that does not ask for the model runs without it.
"""

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

from .chiller_curves import CHILLER_CURVES
from .decision import ControlRefused
from .plan import Plan, PlanAutomation, PlanEquipment

if TYPE_CHECKING:
    from .near_optimal import NearOptimal

LEAST_CONDENSER_FLOW = 55.0
"""% of the rated flow below which flow is never asked for: flow switches make
at half of it, and a pump that wears still has to reach that."""

TYPICAL_PUMP_HEAD = 190.0
"""kPa, where the plant file does not say."""

SHUT_OFF = 1.25
"""Head of a pump at no flow, as a share of its rated head."""


@dataclass(frozen=True, slots=True)
class PlantRatings:
    """What the model knows of a plant whose machines of a kind are alike.

    kW, l/s and kPa of one machine each; limits as shares of the rated.
    """

    chillers: int
    capacity: float
    coefficient_of_performance: float
    condenser_flow: float
    minimum_load_ratio: float
    cells: int
    cell_flow: float
    fan_power: float
    pump_power: float
    primary_pump_power: float
    """What one chiller more takes in chilled-water pumping."""
    static_share: float
    """Lift to the towers as a share of the condenser pumps' rated head."""
    fan_minimum: float = 0.2
    fan_maximum: float = 1.0
    flow_minimum: float = 0.6
    minimum_cell_flow: float = 0.2
    minimum_lift: float = 12.0
    curves: str = "carrier_19xr_1407_vsd"


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best that was found; speeds and flows as shares of the rated."""

    chillers: int
    cells: int
    fan_speed: float
    condenser_flow: float
    pump_speed: float
    power: float
    entering: float
    leaving: float
    part_load_ratio: float
    feasible: bool
    """Whether the load can be carried within all limits."""
    clipped: bool
    """Whether a curve was used at the end of its range."""


def pump_speed(flow: float, static_share: float) -> float:
    """Return the speed that drives a share of the design flow.

    All shares of the rated ones; `static_share` is the part of the rated head
    that does not go with the flow: the lift to the towers' basins.
    """
    friction = SHUT_OFF - static_share
    return sqrt((friction * flow * flow + static_share) / SHUT_OFF)


def plant_ratings(
    plan: Plan,
    automation: PlanAutomation,
    chillers: tuple[PlanEquipment, ...],
    cells: list[PlanEquipment],
    *,
    drives_pumps: bool,
    fan_minimum: float,
    fan_maximum: float = 100.0,
    primary_flow: float = 1.0,
) -> PlantRatings:
    """Return what the near-optimal model has to know; raises ControlRefused.

    `primary_flow` is the share of its flow at which a primary pump runs that
    comes with one chiller more; its power goes with the cube of it. Machines of
    a kind count as alike: the mean of what their plates say.
    """
    number = automation.number
    curves = choice(
        automation.config.get("chiller_curves") or next(iter(CHILLER_CURVES)),
        "chiller_curves",
        tuple(CHILLER_CURVES),
    )
    served: dict[str, None] = {}
    primary: dict[str, None] = {}
    for chiller in chillers:
        served.update(dict.fromkeys(chiller.served_by.get("condenser_water_pumps", ())))
        primary.update(dict.fromkeys(chiller.served_by.get("chilled_water_pumps", ())))
    pumps = [plan.equipment[key] for key in served if key in plan.equipment]
    pchps = [plan.equipment[key] for key in primary if key in plan.equipment]

    def mean(
        items: tuple[PlanEquipment, ...] | list[PlanEquipment], name: str
    ) -> float:
        known = [item.ratings[name] for item in items if item.ratings.get(name, 0) > 0]
        return sum(known) / len(known) if known else 0.0

    capacity = mean(chillers, "cooling_capacity")
    if capacity <= 0:
        raise ControlRefused("no chiller has a cooling_capacity in the plant file")
    flow = mean(chillers, "condenser_water_flow") or mean(pumps, "flow")
    flow = flow or 0.0538 * capacity
    head = mean(pumps, "head") or TYPICAL_PUMP_HEAD
    static = number("condenser_static_head", 35.0, minimum=0.0) / head
    least = number(
        "condenser_flow_minimum", 60.0, minimum=LEAST_CONDENSER_FLOW, maximum=100.0
    )
    return PlantRatings(
        chillers=len(chillers),
        capacity=capacity,
        coefficient_of_performance=mean(chillers, "coefficient_of_performance") or 5.8,
        condenser_flow=flow,
        minimum_load_ratio=mean(chillers, "minimum_load_ratio") or 0.2,
        cells=max(1, len(cells)),
        cell_flow=mean(cells, "water_flow") or flow,
        fan_power=mean(cells, "fan_power") or 0.0156 * capacity,
        pump_power=mean(pumps, "power") or 0.0185 * capacity,
        primary_pump_power=mean(pchps, "power") * primary_flow**3,
        static_share=min(static, 0.9),
        fan_minimum=max(fan_minimum, 10.0) / 100.0,
        fan_maximum=fan_maximum / 100.0,
        flow_minimum=least / 100.0 if drives_pumps else 1.0,
        minimum_cell_flow=number("minimum_cell_flow", 20.0, minimum=0.0) / 100.0,
        minimum_lift=number("minimum_lift", 12.0, minimum=0.0),
        curves=curves,
    )


def search_of(ratings: PlantRatings) -> "NearOptimal":
    """Return the search over a plant; raises ControlRefused without numpy."""
    try:
        from .near_optimal import near_optimal  # noqa: PLC0415 - see above
    except ImportError as err:
        raise ControlRefused(
            "the model needs numpy, which AppDaemon does not have here: add numpy to "
            "the python_packages of AppDaemon, or choose another law or staging"
        ) from err
    return near_optimal(ratings)


def choice(value: object, field: str, choices: tuple[str, ...]) -> str:
    """Return what was chosen; raises ControlRefused if it is not offered."""
    if value not in choices:
        raise ControlRefused(
            f"{field} is {value!r}; it is one of {', '.join(choices)}", field
        )
    return str(value)
