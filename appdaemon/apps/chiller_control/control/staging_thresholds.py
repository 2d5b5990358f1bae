"""At what load a stage has too few chillers, or one too many.

Three ways, by choice:

- `load`: fixed shares of the design capacity;
- `lift`: Guideline 36-2021 §5.20.4.14, chillers of variable speed: the less
  lift they work against, the earlier more of them run cheaper at less load;
- `model`: the load from which one chiller more takes less power in all, by the
  near-optimal model of the plant (`near_optimal`), or from which those that
  run cannot carry it.

`lift` and `model` only lower the fixed thresholds or leave them, so that those
remain the highest load that a stage is trusted with.
"""

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from .decision import Inputs
from .plan import Plan, PlanAutomation
from .plant_ratings import plant_ratings, search_of
from .staging_conditions import AVERAGING_TIME, RollingMean
from .staging_config import StagingConfig, driven_by_others
from .staging_plant import CONDENSER_WATER_PUMPS, StagingPlant
from .tower_laws import wet_bulb

if TYPE_CHECKING:
    from .near_optimal import NearOptimal

LEAST_RATIO, LARGEST_RATIO = 45.0, 90.0
_BAND = 5.0
"""% of a stage between the load that adds a chiller and that which takes it off."""
_IN_HAND = 10.0
"""% of a stage that it must be able to carry beyond the load that it is left with:
what was warmed by the change has to be cooled down too, and a reset that answers
to that asks for colder water."""
_NO_SAVING_PAYS = inf
"""kW that no chiller saves: it is added only where it is needed."""


class Thresholds(NamedTuple):
    """Loads in percent of a stage's design capacity."""

    up: float
    """Of this stage, above which a chiller more is needed."""
    down: float
    """Of the next lower stage, below which it is enough."""
    falling: float
    """The same while the load falls and will soon be below `down`."""
    rising: float
    """Of this stage, above which one more costs nothing: while the load rises
    and will soon be above `most`, so that it is started anyway."""
    most: float
    """Of this stage, what it can carry and is trusted with."""
    note: str
    """What they are from, where that is not plain."""


def staging_part_load_ratio(lift: float, minimum: float, maximum: float) -> float:
    """Return the load in percent from which variable-speed chillers want company.

    Guideline 36-2021 §5.20.4.14: SPLR = E · lift + F, between 45 and 90 %.
    """
    e = 0.9 / (maximum - minimum)
    f = e * (0.4 * maximum - 1.4 * minimum)
    return min(max(100.0 * (e * lift + f), LEAST_RATIO), LARGEST_RATIO)


class StagingThresholds:
    """The thresholds of one plant, as they are now."""

    def __init__(
        self,
        plan: Plan,
        automation: PlanAutomation,
        plant: StagingPlant,
        config: StagingConfig,
    ) -> None:
        """Find what has to be read; raises ControlRefused."""
        self._config = config
        self._fixed = Thresholds(
            config.up, config.down, config.down, config.up, config.up, ""
        )
        self._mean = RollingMean(AVERAGING_TIME)
        self._modelled_at: tuple[int, int, int] | None = None
        """Wet bulb and supply, as finely as the model knows them, and the stage."""
        self._modelled = self._fixed
        plants = plan.of_type("plant")
        self._supply = (
            plants[0].point("chilled_water_supply_temperature") if plants else None
        )
        self._setpoint = (
            plants[0].point("chilled_water_supply_temperature_setpoint")
            if plants
            else None
        )
        self._leaving: tuple[str, ...] = ()
        self._wet_bulb: tuple[str | None, ...] = ()
        self._model: NearOptimal | None = None
        if config.staging == "lift":
            header = (
                plants[0].point("condenser_water_return_temperature")
                if plants
                else None
            )
            own = [
                plan.equipment[item.key].point("condenser_water_leaving_temperature")
                for item in plant.chillers
            ]
            self._leaving = tuple(point for point in (header, *own) if point)
        elif config.staging == "model":
            stations = plan.of_type("weather_station")
            self._wet_bulb = tuple(
                next((p for s in stations if (p := s.point(role))), None)
                for role in (
                    "wet_bulb_temperature",
                    "outdoor_temperature",
                    "relative_humidity",
                )
            )
            chillers = tuple(plan.equipment[item.key] for item in plant.chillers)
            towers = dict.fromkeys(
                key
                for item in chillers
                for key in item.served_by.get("cooling_towers", ())
            )
            driven = driven_by_others(plan, automation)
            pumps = plant.keys(CONDENSER_WATER_PUMPS)
            # Whoever follows the flow slows the pumps down that run already.
            follows = config.primary_flow == "follow"
            ratings = plant_ratings(
                plan,
                automation,
                chillers,
                [plan.equipment[key] for key in towers],
                drives_pumps=bool(pumps)
                and all(f"{key}.speed_command" in driven for key in pumps),
                primary_flow=config.primary_flow_minimum / 100 if follows else 1.0,
                fan_minimum=20.0,
            )
            self._model = search_of(ratings)
        self.points = frozenset(
            point
            for point in (
                *self._leaving,
                *self._wet_bulb,
                self._supply,
                self._setpoint if self._model else None,
            )
            if point
        )

    def at(self, now: float, inputs: Inputs, capacities: Sequence[float]) -> Thresholds:
        """Return the thresholds of a stage of these capacities (kW)."""
        if self._leaving:
            return self._by_lift(now, inputs)
        if self._model is not None and capacities:
            return self._by_model(inputs, self._model, len(capacities))
        return self._fixed

    def _by_lift(self, now: float, inputs: Inputs) -> Thresholds:
        supply = inputs.number(self._supply)
        leaving = inputs.number(self._leaving[0])
        if leaving is None:
            leaving = max(
                (v for p in self._leaving[1:] if (v := inputs.number(p)) is not None),
                default=None,
            )
        if supply is None or leaving is None:
            self._mean.clear()
            return self._fixed._replace(note="lift not known: fixed thresholds")
        config = self._config
        lift = self._mean.add(now, leaving - supply)
        ratio = staging_part_load_ratio(lift, config.minimum_lift, config.design_lift)
        up = min(config.up, ratio)
        down = min(config.down, up - _BAND)
        return Thresholds(up, down, down, up, config.up, f"lift {lift:.1f} K")

    def _by_model(
        self, inputs: Inputs, model: "NearOptimal", chillers: int
    ) -> Thresholds:
        supply = inputs.number(self._setpoint)
        if supply is None:
            supply = inputs.number(self._supply)
        wet, outdoor, humidity = (inputs.number(point) for point in self._wet_bulb)
        if wet is None and outdoor is not None and humidity is not None:
            wet = wet_bulb(outdoor, humidity)
        if wet is None or supply is None:
            return self._fixed._replace(note="wet bulb not known: fixed thresholds")
        at = (round(wet), round(supply), chillers)
        if at != self._modelled_at:
            self._modelled_at = at
            self._modelled = self._of_model(model, *at)
        return self._modelled

    def _of_model(
        self, model: "NearOptimal", wet: float, supply: float, chillers: int
    ) -> Thresholds:
        """Return the thresholds by the model.

        What a start must save counts before it: kW, as a start is the same wear
        at little load and in cold weather, when a share of the power is little. A
        chiller that runs has had its start, and stays while it saves anything.
        """
        config = self._config

        def break_even(count: int, saving: float) -> float:
            if not 1 <= count < model.ratings.chillers:
                return 100.0
            load = model.break_even_near(wet, supply, count, saving)
            return 100.0 * load / (count * model.ratings.capacity)

        rated = model.ratings.capacity / model.ratings.coefficient_of_performance
        worth_it = config.start_saving / 100.0 * rated
        up = min(config.up, break_even(chillers, worth_it))
        enough = min(
            min(config.up, break_even(chillers - 1, 0.0)) - _BAND,
            break_even(chillers - 1, _NO_SAVING_PAYS) - _IN_HAND,
        )
        return Thresholds(
            up,
            min(config.down, enough),
            enough,
            rising=min(up, break_even(chillers, 0.0)),
            most=min(config.up, break_even(chillers, _NO_SAVING_PAYS)),
            note=f"model at wet bulb {wet:.0f} °C",
        )
