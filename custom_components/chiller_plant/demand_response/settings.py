"""What people decide about demand response, and which utilities are connected.

Decisions are in the options of the plant's config entry, connections are its
subentries. Powers are kW, temperatures °C and K, times seconds, shares 0 to 1.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from homeassistant.config_entries import ConfigEntry

from ..const import DOMAIN
from ..plant.model import Plant, PointKey
from ..plant.roles import EquipmentType

CONF_DEMAND_RESPONSE = "demand_response"
"""The key of the options that hold all of it."""
CONF_PORTFOLIO = "portfolio"
"""The key in those options of what plants do together."""
SUBENTRY_UTILITY = "utility"
PRIORITY = 50
"""The band of demand response."""

LEVELS = (1, 2, 3)
"""Of SIMPLE, above 0."""
SECRETS = ("client_secret", "passphrase")
"""What of a connection is never shown."""


@dataclass(frozen=True, slots=True)
class KindSettings:
    """How one kind of measure may be used; what is None is worked out or unlimited."""

    use: bool = True
    order: int = 1
    step: float = 0.0
    """K, % or kW for one level; 0: the kind has no steps, or a share of its power."""
    levels: int = 1
    bound: float | None = None
    """Highest setpoint in °C, or lowest limit in %."""
    capacity_kw: float | None = None
    """What one level of one measure brings; None: estimated from the plant file."""
    least_on: float = 300.0
    longest_on: float | None = None
    recovery: float = 0.0
    reserve: float = 10.0
    """Charge in % below which a storage is left alone."""


CIRCUIT = "circuit"
ZONE = "zone"
CHILLED_WATER = "chilled_water"
DEMAND_LIMIT = "demand_limit"
THERMAL_STORAGE = "thermal_storage"
BATTERY = "battery"

KINDS: Mapping[str, KindSettings] = {
    CIRCUIT: KindSettings(order=1, least_on=300.0),
    ZONE: KindSettings(order=2, step=0.2, levels=10, bound=27.0, least_on=300.0),
    CHILLED_WATER: KindSettings(
        order=3, step=0.5, levels=6, bound=10.0, least_on=300.0
    ),
    DEMAND_LIMIT: KindSettings(order=4, step=5.0, levels=8, bound=50.0, least_on=300.0),
    THERMAL_STORAGE: KindSettings(order=1, levels=10, least_on=900.0),
    BATTERY: KindSettings(order=1, levels=20, least_on=60.0),
}
"""The kinds of measures, and how they are used until somebody decides otherwise."""


@dataclass(frozen=True, slots=True)
class SheddingTerms:
    """How the loop against the meter works; the fields of `SheddingSettings`."""

    deadband: float = 0.02
    comfort_return: float = 0.5
    comfort_interval: float = 120.0
    release_interval: float = 180.0
    rebound: float = 1.05
    longest_recovery: float = 7200.0


@dataclass(frozen=True, slots=True)
class Precool:
    """Zones are cooled ahead of an event that is known in time."""

    lead: float = 7200.0
    """Seconds before the event at the most."""
    setpoint_drop: float = 1.0
    """K below what the setpoint was."""
    coldest: float = 22.0
    """°C that no setpoint goes below for it."""
    weather: str | None = None
    """The weather entity whose forecast says how far it is worth it."""


@dataclass(frozen=True, slots=True)
class PortfolioSettings:
    """Which plants share what the utility of this one asks for."""

    plants: tuple[str, ...] = ()
    """Config entries of other plants of this Home Assistant."""
    sites: tuple[str, ...] = ()
    """Names of sites that are reached over MQTT."""
    site: str | None = None
    """What this plant is called in a portfolio that is led elsewhere."""
    prefix: str = "chiller_plant"
    """The first part of the topics."""

    @property
    def leads(self) -> bool:
        """Whether others shed for what this plant is asked for."""
        return bool(self.plants or self.sites)


@dataclass(frozen=True, slots=True)
class DemandResponseSettings:
    """What people decided; `configured` is False until somebody did."""

    configured: bool = False
    take_part: bool = True
    opt: str = "in"
    """The answer to an event that nobody answered."""
    meter: PointKey | None = None
    """None: the one that measures all of the plant."""
    levels: tuple[float, ...] = (0.1, 0.2, 0.4)
    prices: tuple[tuple[float, int], ...] = ()
    capacity_kw: float | None = None
    warmest: float = 26.0
    """°C of a zone above which comfort goes first."""
    baseline_method: str | None = None
    """One of `METHODS`; None: the one that fits the days there are."""
    shedding: SheddingTerms = SheddingTerms()
    precool: Precool | None = None
    kinds: Mapping[str, KindSettings] = field(default_factory=lambda: dict(KINDS))
    mqtt: Mapping[str, Any] | None = None
    portfolio: PortfolioSettings = PortfolioSettings()

    def as_dict(self) -> dict[str, Any]:
        """Return it as the engine gets it."""
        return {
            "take_part": self.take_part,
            "opt": self.opt,
            "levels": list(self.levels),
            "prices": [list(row) for row in self.prices],
            "capacity_kw": self.capacity_kw,
            "priority": PRIORITY,
            "baseline_method": self.baseline_method,
            "warmest": self.warmest,
            "shedding": asdict(self.shedding),
            "precool": None if self.precool is None else asdict(self.precool),
        }


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection to a utility's server."""

    id: str
    name: str
    protocol: str
    """`2.0b`, `3.0` or `3.1`."""
    report_interval: float
    fields: Mapping[str, Any] = field(repr=False)
    """The fields of the engine's `Ven2Settings` or `Ven3Settings`; holds secrets."""

    def as_dict(self) -> dict[str, Any]:
        """Return it as the engine gets it, secrets included."""
        return {
            "id": self.id,
            "name": self.name,
            "protocol": self.protocol,
            "report_interval": self.report_interval,
            **self.fields,
        }


def read_settings(entry: ConfigEntry, plant: Plant) -> DemandResponseSettings:
    """Return what was decided; a meter that the plant has no more is none."""
    chosen: Mapping[str, Any] | None = entry.options.get(CONF_DEMAND_RESPONSE)
    if chosen is None:
        return DemandResponseSettings()
    fallback = DemandResponseSettings()
    meter = chosen.get("meter")
    precool = chosen.get("precool")
    return DemandResponseSettings(
        configured=True,
        take_part=chosen.get("take_part", fallback.take_part),
        opt=chosen.get("opt", fallback.opt),
        meter=meter if meter in plant.points else None,
        levels=tuple(chosen.get("levels", fallback.levels)),
        prices=tuple((row[0], int(row[1])) for row in chosen.get("prices", ())),
        capacity_kw=chosen.get("capacity_kw"),
        warmest=chosen.get("warmest", fallback.warmest),
        baseline_method=chosen.get("baseline_method"),
        shedding=SheddingTerms(**chosen.get("shedding", {})),
        precool=None if precool is None else Precool(**precool),
        kinds={
            kind: KindSettings(
                **{**asdict(usual), **chosen.get("kinds", {}).get(kind, {})}
            )
            for kind, usual in KINDS.items()
        },
        mqtt=chosen.get("mqtt"),
        portfolio=_portfolio(chosen.get(CONF_PORTFOLIO) or {}),
    )


def _portfolio(chosen: Mapping[str, Any]) -> PortfolioSettings:
    usual = PortfolioSettings()
    return PortfolioSettings(
        tuple(chosen.get("plants", ())),
        tuple(chosen.get("sites", ())),
        chosen.get("site"),
        chosen.get("prefix", usual.prefix),
    )


def read_connections(entry: ConfigEntry) -> tuple[Connection, ...]:
    """Return the utilities that are connected, in the order of their names."""
    found = []
    for subentry in entry.subentries.values():
        if subentry.subentry_type != SUBENTRY_UTILITY:
            continue
        fields = dict(subentry.data)
        protocol = fields.pop("protocol")
        interval = fields.pop("report_interval")
        found.append(
            Connection(subentry.subentry_id, subentry.title, protocol, interval, fields)
        )
    return tuple(sorted(found, key=lambda item: item.name.casefold()))


def meters(plant: Plant) -> list[PointKey]:
    """Return the points that could be the meter, the one that measures most first."""
    return [row[-1] for row in _meters(plant)]


def likeliest_meter(plant: Plant) -> PointKey | None:
    """Return the meter of all of the plant; None if no meter says that it is."""
    return next((key for whole, _, key in _meters(plant) if whole), None)


def _meters(plant: Plant) -> list[tuple[bool, int, PointKey]]:
    plants = {item.key for item in plant.of_type(EquipmentType.PLANT)}
    found = [
        (
            not plants.isdisjoint(item.measures),
            len(item.measures),
            item.points["power"].key,
        )
        for item in plant.of_type(EquipmentType.METER)
        if "power" in item.points
    ]
    return sorted(found, key=lambda row: (not row[0], -row[1]))


def source(plant: Plant) -> str:
    """Return what demand response commands as."""
    return f"{CONF_DEMAND_RESPONSE}:{plant.key}"


EVENT_CHANGED = f"{DOMAIN}_demand_response_changed"
"""Tells the engine that there is something new to fetch."""
