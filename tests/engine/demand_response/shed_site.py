"""A site that may shed load, as the integration tells of it, and how it answers."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

BASELINE = 500.0
METER = "site_power.power"
CIRCUITS = {"fountain": 30.0, "car_park": 60.0, "heaters": 60.0}
"""What each takes, kW."""
ZONE = "zone_1"
UTILITY = {
    "id": "c2",
    "name": "grid",
    "protocol": "2.0b",
    "report_interval": 60.0,
    "ven_name": "plant",
    "url": "http://127.0.0.1:1/OpenADR2/Simple/2.0b",
    "sign": False,
}


def entity_of(key: str) -> str:
    """Return the entity of a point."""
    kind = "switch" if key.endswith("run_command") else "sensor"
    if key.endswith("setpoint"):
        kind = "number"
    return f"{kind}.{key.replace('.', '_')}"


def point(key: str, unit: str | None, *, writable: bool = False) -> dict[str, Any]:
    """Return a point as the integration tells of it."""
    return {
        "entity_id": entity_of(key),
        "writable": writable,
        "boolean": unit is None,
        "low": None,
        "high": None,
        "unit": unit,
    }


def circuit(name: str) -> dict[str, Any]:
    """Return the measure of a circuit."""
    return {
        "key": f"circuit:{name}",
        "name": f"{name} off",
        "kind": "switch_off",
        "points": [f"{name}.run_command"],
        "order": 1,
        "capacity_kw": CIRCUITS[name],
        "levels": 1,
        "step": 0.0,
        "bound": None,
        "comfort": [],
        "own_zone": False,
        "least_on": 0.0,
        "longest_on": None,
        "recovery": 0.0,
        "of_tomorrow": "what this engine does not know yet",
    }


def zone() -> dict[str, Any]:
    """Return the measure of a zone's setpoint."""
    return circuit("fountain") | {
        "key": f"zone:{ZONE}",
        "name": "Zone 1 warmer",
        "kind": "raise",
        "points": [f"{ZONE}.temperature_setpoint"],
        "order": 2,
        "capacity_kw": 10.0,
        "levels": 2,
        "step": 1.0,
        "bound": 27.0,
        "comfort": [{"point": f"{ZONE}.temperature", "warmest": 26.0}],
        "own_zone": True,
    }


def baseline(begin: float, *, kw: float = BASELINE) -> dict[str, Any]:
    """Return a baseline from an hour before an event to six after it."""
    return {
        "method": "ten_of_ten",
        "confidence": "high",
        "eligible": True,
        "why": "",
        "kw": [[begin - 3600.0, begin + 6 * 3600.0, kw]],
    }


def site_data(
    *connections: Mapping[str, Any], lease: float = 60.0, poll: float = 5.0, **more: Any
) -> dict[str, Any]:
    """Return what the integration answers; `more` are its sections."""
    settings = {
        "take_part": True,
        "opt": "in",
        "meter": METER,
        "levels": [0.1, 0.2, 0.4],
        "prices": [[100, 1], [50, 0]],
        "capacity_kw": None,
        "priority": 50,
        "baseline_method": None,
        "warmest": 26.0,
        "shedding": {"release_interval": 60.0},
        "precool": None,
    } | more.pop("settings", {})
    keys = {f"{name}.run_command": None for name in CIRCUITS}
    return deepcopy(
        {
            "plant": {
                "key": "plant",
                "name": "Plant",
                "entry_id": "entry",
                "command_lease": lease,
                "poll_interval": poll,
            },
            "revision": "1",
            "settings": settings,
            "connections": list(connections),
            "measures": [*(circuit(name) for name in CIRCUITS), zone()],
            "points": {
                METER: point(METER, "kW"),
                f"{ZONE}.temperature": point(f"{ZONE}.temperature", "°C"),
                f"{ZONE}.temperature_setpoint": point(
                    f"{ZONE}.temperature_setpoint", "°C", writable=True
                ),
                **{key: point(key, unit, writable=True) for key, unit in keys.items()},
            },
            "telemetry": {"power": METER},
            "book": [],
            "decisions": {},
            "baselines": {},
            "resume": None,
        }
        | more
    )


class Load:
    """The load of the site: circuits and a zone that answer to commands at once."""

    def __init__(self) -> None:
        self.commands: dict[str, Any] = {}
        self.rest = BASELINE
        self.temperature = 24.0
        self.meter_works = True
        self.attributes: dict[str, dict[str, Any]] = {}

    @property
    def power(self) -> float:
        off = sum(
            kw
            for name, kw in CIRCUITS.items()
            if self.commands.get(f"switch.{name}_run_command") is False
        )
        setpoint = self.commands.get(entity_of(f"{ZONE}.temperature_setpoint"), 24.0)
        return self.rest - off - 10.0 * (setpoint - 24.0)

    def states(self) -> dict[str, str]:
        """Return what the entities show."""
        setpoint = entity_of(f"{ZONE}.temperature_setpoint")
        return {
            entity_of(METER): str(self.power) if self.meter_works else "unavailable",
            entity_of(f"{ZONE}.temperature"): str(self.temperature),
            setpoint: str(self.commands.get(setpoint, 24.0)),
            **{
                f"switch.{name}_run_command": "off"
                if self.commands.get(f"switch.{name}_run_command") is False
                else "on"
                for name in CIRCUITS
            },
        }

    def call(self, action: str, data: Mapping[str, Any]) -> None:
        """Take a command, or give it up."""
        for entity_id in data.get("entity_id", ()):
            if action == "command":
                self.commands[entity_id] = data["value"]
            elif action == "release":
                self.commands.pop(entity_id, None)
