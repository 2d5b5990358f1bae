"""What an operator sets of adaptive start and stop."""

from collections.abc import Iterable
from dataclasses import dataclass

from .decision import ControlRefused
from .plan import Plan, PlanAutomation, PlanEquipment

WORST, AVERAGE = ZONE_CHOICES = ("worst", "average")
NOTHING, PUMPS = COAST_CHOICES = ("nothing", "chilled_water_pumps")


@dataclass(frozen=True, slots=True)
class AdaptiveConfig:
    """Temperatures in °C and K, times in minutes."""

    start: bool
    stop: bool
    comfort_temperature: float
    """What the zones are to have when the hours of the schedule begin."""
    ignore_band: float
    """K from it within which a start is not worth more than the latest one."""
    comfort_band: float
    """K that the zones may drift before the hours end."""
    zone_choice: str
    earliest_start: float
    latest_start: float
    earliest_stop: float
    margin: float
    """Spreads of the error that are added to what is likely."""
    occupy_zones: bool
    """Whether the zones' air handlers are started with the plant."""
    coast_with: str
    """What goes on until the hours end when the plant stops early."""


def adaptive_config(automation: PlanAutomation) -> AdaptiveConfig | None:
    """Read the form, None if neither is wanted; raise ControlRefused."""
    config = automation.config
    start, stop = (config.get(f"adaptive_{what}") is True for what in ("start", "stop"))
    if not start and not stop:
        return None
    choice = config.get("zone_choice") or WORST
    if choice not in ZONE_CHOICES:
        raise ControlRefused(
            f"zone_choice is {choice!r}; it is {' or '.join(ZONE_CHOICES)}",
            "zone_choice",
        )

    coast_with = config.get("coast_with") or NOTHING
    if coast_with not in COAST_CHOICES:
        raise ControlRefused(
            f"coast_with is {coast_with!r}; it is {' or '.join(COAST_CHOICES)}",
            "coast_with",
        )

    def number(name: str, default: float, minimum: float, maximum: float) -> float:
        return automation.number(name, default, minimum=minimum, maximum=maximum)

    result = AdaptiveConfig(
        start=start,
        stop=stop,
        comfort_temperature=number("comfort_temperature", 24.0, 10.0, 35.0),
        ignore_band=number("ignore_band", 0.3, 0.0, 5.0),
        comfort_band=number("comfort_band", 1.0, 0.1, 10.0),
        zone_choice=str(choice),
        earliest_start=number("earliest_start", 180.0, 1.0, 720.0),
        latest_start=number("latest_start", 10.0, 0.0, 720.0),
        earliest_stop=number("earliest_stop", 60.0, 1.0, 480.0),
        margin=number("start_margin", 1.0, 0.0, 5.0),
        occupy_zones=config.get("occupy_zones") is True,
        coast_with=str(coast_with),
    )
    if result.latest_start > result.earliest_start:
        raise ControlRefused(
            f"the latest start ({result.latest_start:g} min before) is before the "
            f"earliest ({result.earliest_start:g} min before)",
            "latest_start",
            "earliest_start",
        )
    return result


def adaptive_zones(plan: Plan, automation: PlanAutomation) -> tuple[PlanEquipment, ...]:
    """Return the zones to go by; raise ControlRefused if none can be."""
    named = automation.names("zones")
    zones = [
        zone
        for zone in plan.of_type("zone")
        if (not named or zone.key in named) and zone.point("temperature")
    ]
    if not zones:
        raise ControlRefused(
            "adaptive start and stop need the temperature of a zone, and there is none",
            "zones",
        )
    return tuple(zones)


_DISTURBING = (
    "run_command",
    "demand_limit",
    "chilled_water_supply_temperature_setpoint",
    "temperature",
    "temperature_setpoint",
    "occupied_command",
)
"""Roles with which somebody makes a recovery quicker or slower than it is."""


def disturbing_points(plan: Plan, zones: Iterable[PlanEquipment]) -> tuple[str, ...]:
    """Return the points that nobody may take over while something is measured."""
    return tuple(
        point
        for item in (*plan.of_type("plant"), *plan.of_type("chiller"), *zones)
        for role in _DISTURBING
        if (point := item.point(role))
    )


def outdoor_point(plan: Plan) -> str | None:
    """Return the outdoor temperature of the first weather station that has one."""
    return next(
        (
            point
            for station in plan.of_type("weather_station")
            if (point := station.point("outdoor_temperature"))
        ),
        None,
    )
