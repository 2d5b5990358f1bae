"""The options' way to say what demand response means at this plant.

One form for what a utility is answered, one for comfort and giving back, one for
telemetry, and one for each kind of measure that the plant has equipment for.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import voluptuous as vol

from homeassistant.config_entries import ConfigFlowResult
from homeassistant.helpers.selector import (
    BooleanSelector,
    EntitySelector,
    EntitySelectorConfig,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectOptionDict,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from ..demand_response.measures import kinds_of
from ..demand_response.mqtt_way import is_set_up
from ..demand_response.room import DemandResponseRoom
from ..demand_response.settings import (
    BATTERY,
    CHILLED_WATER,
    CIRCUIT,
    DEMAND_LIMIT,
    LEVELS,
    THERMAL_STORAGE,
    ZONE,
    DemandResponseSettings,
    KindSettings,
    Precool,
    SheddingTerms,
    likeliest_meter,
    meters,
)
from ..plant.demand_response.baselines import METHODS
from ..plant.model import Plant
from .portfolio import PortfolioFlow, is_topic

AUTOMATIC = "automatic"
_MINUTE = 60.0
_HOUR = 3600.0
_PERCENT = 100.0

_FIELDS: Mapping[str, tuple[str, ...]] = {
    CIRCUIT: (),
    ZONE: ("step", "levels", "bound"),
    CHILLED_WATER: ("step", "levels", "bound"),
    DEMAND_LIMIT: ("step", "levels", "bound"),
    THERMAL_STORAGE: ("step", "levels", "reserve"),
    BATTERY: ("step", "levels", "reserve"),
}
"""What a kind of measure has besides what all of them have."""
_STEPS = {
    ZONE: (0.1, 5.0, 0.1, "K"),
    CHILLED_WATER: (0.1, 5.0, 0.1, "K"),
    DEMAND_LIMIT: (1.0, 50.0, 1.0, "%"),
    THERMAL_STORAGE: (0.0, 100_000.0, 0.1, "kW"),
    BATTERY: (0.0, 100_000.0, 0.1, "kW"),
}
_BOUNDS = {
    ZONE: (15.0, 35.0, 0.1, "°C"),
    CHILLED_WATER: (1.0, 25.0, 0.1, "°C"),
    DEMAND_LIMIT: (1.0, 100.0, 1.0, "%"),
}


def _number(
    low: float, high: float, step: float | Literal["any"], unit: str | None = None
) -> NumberSelector:
    settings = NumberSelectorConfig(
        min=low, max=high, step=step, mode=NumberSelectorMode.BOX
    )
    if unit is not None:
        settings["unit_of_measurement"] = unit
    return NumberSelector(settings)


class DemandResponseFlow(PortfolioFlow):
    """Shows what is decided, and takes what is decided anew."""

    async def async_step_demand_response(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Let the person choose what to decide."""
        if (room := self._demand_response()) is None:
            return self.async_abort(reason="plant_not_loaded")
        return self.async_show_menu(
            step_id="demand_response",
            menu_options=[
                "answers",
                "comfort",
                *(f"measure_{kind}" for kind in kinds_of(room.plant)),
                "telemetry",
                "portfolio",
            ],
        )

    async def async_step_answers(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask what a utility is answered, and what it means by what it asks."""
        if (room := self._demand_response()) is None:
            return self.async_abort(reason="plant_not_loaded")
        errors: dict[str, str] = {}
        shown = _answers_shown(room)
        if user_input is not None:
            shown = user_input
            levels = [user_input[f"level_{level}"] for level in LEVELS]
            prices = [user_input.get(f"price_{level}") for level in LEVELS]
            for level in _not_rising(levels, equal=True):
                errors[f"level_{level}"] = "levels_not_rising"
            for level in _not_rising(prices, equal=False):
                errors[f"price_{level}"] = "prices_not_rising"
            if not errors:
                return self._decide(
                    take_part=user_input["take_part"],
                    opt=user_input["opt"],
                    meter=user_input.get("meter"),
                    levels=[level / _PERCENT for level in levels],
                    prices=[
                        [price, level]
                        for level, price in zip(LEVELS, prices, strict=True)
                        if price is not None
                    ],
                    capacity_kw=user_input.get("capacity_kw"),
                    baseline_method=(
                        None
                        if user_input["baseline_method"] == AUTOMATIC
                        else user_input["baseline_method"]
                    ),
                )
        return self.async_show_form(
            step_id="answers",
            data_schema=self.add_suggested_values_to_schema(
                _answers(room.plant), shown
            ),
            errors=errors,
            description_placeholders={"plant": self.config_entry.title},
        )

    async def async_step_comfort(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how warm it may get, and how the load comes back."""
        if (room := self._demand_response()) is None:
            return self.async_abort(reason="plant_not_loaded")
        errors: dict[str, str] = {}
        shown = _comfort_shown(room.settings)
        if user_input is not None:
            shown = user_input
            if user_input["coldest"] >= user_input["warmest"]:
                errors["coldest"] = "coldest_not_below_warmest"
            else:
                return self._decide(
                    warmest=user_input["warmest"],
                    shedding={
                        "comfort_return": user_input["comfort_return"],
                        "release_interval": user_input["release_interval"] * _MINUTE,
                        "rebound": user_input["rebound"] / _PERCENT,
                        "longest_recovery": user_input["longest_recovery"] * _HOUR,
                    },
                    precool=(
                        {
                            "lead": user_input["lead"] * _MINUTE,
                            "setpoint_drop": user_input["setpoint_drop"],
                            "coldest": user_input["coldest"],
                            "weather": user_input.get("weather"),
                        }
                        if user_input["precool"]
                        else None
                    ),
                )
        return self.async_show_form(
            step_id="comfort",
            data_schema=self.add_suggested_values_to_schema(_COMFORT, shown),
            errors=errors,
        )

    async def async_step_telemetry(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask whether the load is told over MQTT too."""
        if (room := self._demand_response()) is None:
            return self.async_abort(reason="plant_not_loaded")
        errors: dict[str, str] = {}
        known = room.settings.mqtt
        shown: Mapping[str, Any] = {
            "mqtt": known is not None,
            "prefix": (known or {}).get("prefix", "chiller_plant"),
            "interval": (known or {}).get("interval", 60),
        }
        if user_input is not None:
            shown = user_input
            prefix = user_input["prefix"].strip().strip("/")
            if user_input["mqtt"] and not is_set_up(self.hass):
                errors["mqtt"] = "no_mqtt"
            if not is_topic(prefix):
                errors["prefix"] = "not_a_topic"
            if not errors:
                return self._decide(
                    mqtt=(
                        {"prefix": prefix, "interval": int(user_input["interval"])}
                        if user_input["mqtt"]
                        else None
                    )
                )
        return self.async_show_form(
            step_id="telemetry",
            data_schema=self.add_suggested_values_to_schema(_TELEMETRY, shown),
            errors=errors,
        )

    async def async_step_measure_circuit(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how circuits may be used."""
        return self._measure(CIRCUIT, user_input)

    async def async_step_measure_zone(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how setpoints of zones may be used."""
        return self._measure(ZONE, user_input)

    async def async_step_measure_chilled_water(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how the supply setpoint may be used."""
        return self._measure(CHILLED_WATER, user_input)

    async def async_step_measure_demand_limit(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how the limits of chillers may be used."""
        return self._measure(DEMAND_LIMIT, user_input)

    async def async_step_measure_thermal_storage(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how thermal storages may be used."""
        return self._measure(THERMAL_STORAGE, user_input)

    async def async_step_measure_battery(
        self, user_input: dict[str, Any] | None = None
    ) -> ConfigFlowResult:
        """Ask how batteries may be used."""
        return self._measure(BATTERY, user_input)

    def _measure(
        self, kind: str, user_input: dict[str, Any] | None
    ) -> ConfigFlowResult:
        if (room := self._demand_response()) is None:
            return self.async_abort(reason="plant_not_loaded")
        errors: dict[str, str] = {}
        shown: Mapping[str, Any] = _measure_shown(room.settings.kinds[kind])
        if user_input is not None:
            shown = user_input
            longest = user_input.get("longest_on")
            chosen = {
                "use": user_input["use"],
                "order": int(user_input["order"]),
                "capacity_kw": user_input.get("capacity_kw"),
                "least_on": user_input["least_on"] * _MINUTE,
                "longest_on": None if longest is None else longest * _MINUTE,
                "recovery": user_input["recovery"] * _MINUTE,
                **{name: user_input[name] for name in _FIELDS[kind]},
            }
            if "levels" in chosen:
                chosen["levels"] = int(chosen["levels"])
            if longest is not None and longest < user_input["least_on"]:
                errors["longest_on"] = "longest_below_least"
            else:
                kinds = self._known().get("kinds", {})
                return self._decide(kinds={**kinds, kind: chosen})
        return self.async_show_form(
            step_id=f"measure_{kind}",
            data_schema=self.add_suggested_values_to_schema(
                vol.Schema(dict(_measure_fields(kind))), shown
            ),
            errors=errors,
        )


def _not_rising(values: Sequence[float | None], *, equal: bool) -> Iterator[int]:
    """Yield the levels whose value is below that of a lower one, or just as high."""
    highest: float | None = None
    for level, value in zip(LEVELS, values, strict=True):
        if value is None:
            continue
        if highest is not None and (
            value < highest or (value == highest and not equal)
        ):
            yield level
        highest = value if highest is None else max(highest, value)


def _answers(plant: Plant) -> vol.Schema:
    named = [
        SelectOptionDict(
            value=key, label=plant.equipment[plant.points[key].equipment].name
        )
        for key in meters(plant)
    ]
    return vol.Schema(
        {
            vol.Required("take_part"): BooleanSelector(),
            vol.Required("opt"): SelectSelector(
                SelectSelectorConfig(options=["in", "out"], translation_key="opt")
            ),
            vol.Optional("meter"): SelectSelector(
                SelectSelectorConfig(options=named, mode=SelectSelectorMode.DROPDOWN)
            ),
            **{
                vol.Required(f"level_{level}"): _number(0, 100, 1, "%")
                for level in LEVELS
            },
            **{
                vol.Optional(f"price_{level}"): _number(-100_000, 100_000, "any")
                for level in LEVELS
            },
            vol.Optional("capacity_kw"): _number(0.1, 1_000_000, 0.1, "kW"),
            vol.Required("baseline_method"): SelectSelector(
                SelectSelectorConfig(
                    options=[AUTOMATIC, *METHODS],
                    translation_key="baseline_method",
                    mode=SelectSelectorMode.DROPDOWN,
                )
            ),
        }
    )


def _answers_shown(room: DemandResponseRoom) -> dict[str, Any]:
    settings = room.settings
    prices = {level: price for price, level in settings.prices}
    return {
        "take_part": settings.take_part,
        "opt": settings.opt,
        "meter": settings.meter or likeliest_meter(room.plant),
        **{
            f"level_{level}": round(share * _PERCENT, 6)
            for level, share in zip(LEVELS, settings.levels, strict=True)
        },
        **{f"price_{level}": prices.get(level) for level in LEVELS},
        "capacity_kw": settings.capacity_kw,
        "baseline_method": settings.baseline_method or AUTOMATIC,
    }


_COMFORT = vol.Schema(
    {
        vol.Required("warmest"): _number(15, 40, 0.1, "°C"),
        vol.Required("comfort_return"): _number(0, 5, 0.1, "K"),
        vol.Required("release_interval"): _number(0, 120, 0.5, "min"),
        vol.Required("rebound"): _number(80, 150, 1, "%"),
        vol.Required("longest_recovery"): _number(0.1, 24, 0.1, "h"),
        vol.Required("precool"): BooleanSelector(),
        vol.Required("lead"): _number(10, 720, 1, "min"),
        vol.Required("setpoint_drop"): _number(0.1, 5, 0.1, "K"),
        vol.Required("coldest"): _number(10, 35, 0.1, "°C"),
        vol.Optional("weather"): EntitySelector(EntitySelectorConfig(domain="weather")),
    }
)


def _comfort_shown(settings: DemandResponseSettings) -> dict[str, Any]:
    terms: SheddingTerms = settings.shedding
    precool = settings.precool or Precool()
    return {
        "warmest": settings.warmest,
        "comfort_return": terms.comfort_return,
        "release_interval": terms.release_interval / _MINUTE,
        "rebound": round(terms.rebound * _PERCENT, 6),
        "longest_recovery": terms.longest_recovery / _HOUR,
        "precool": settings.precool is not None,
        "lead": precool.lead / _MINUTE,
        "setpoint_drop": precool.setpoint_drop,
        "coldest": precool.coldest,
        "weather": precool.weather,
    }


_TELEMETRY = vol.Schema(
    {
        vol.Required("mqtt"): BooleanSelector(),
        vol.Required("prefix"): TextSelector(),
        vol.Required("interval"): _number(1, 3600, 1, "s"),
    }
)


def _measure_fields(kind: str) -> Iterator[tuple[vol.Marker, Any]]:
    yield vol.Required("use"), BooleanSelector()
    yield vol.Required("order"), _number(1, 20, 1)
    own = _FIELDS[kind]
    if "step" in own:
        yield vol.Required("step"), _number(*_STEPS[kind])
    if "levels" in own:
        yield vol.Required("levels"), _number(1, 20, 1)
    if "bound" in own:
        yield vol.Required("bound"), _number(*_BOUNDS[kind])
    if "reserve" in own:
        yield vol.Required("reserve"), _number(0, 100, 1, "%")
    yield vol.Optional("capacity_kw"), _number(0.1, 100_000, 0.1, "kW")
    yield vol.Required("least_on"), _number(0, 720, 0.5, "min")
    yield vol.Optional("longest_on"), _number(1, 1440, 1, "min")
    yield vol.Required("recovery"), _number(0, 1440, 1, "min")


def _measure_shown(chosen: KindSettings) -> dict[str, Any]:
    return {
        "use": chosen.use,
        "order": chosen.order,
        "step": chosen.step,
        "levels": chosen.levels,
        "bound": chosen.bound,
        "reserve": chosen.reserve,
        "capacity_kw": chosen.capacity_kw,
        "least_on": chosen.least_on / _MINUTE,
        "longest_on": (
            None if chosen.longest_on is None else chosen.longest_on / _MINUTE
        ),
        "recovery": chosen.recovery / _MINUTE,
    }
