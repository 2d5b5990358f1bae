"""Some days of a site under its own automations, without Home Assistant.

The engine is the one that AppDaemon runs, one of each control type, with the
same controllers, plans, desk and interlocks; only Home Assistant, the wire and
the waiting are left out. Days are those of the plant's time zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import process_time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from appdaemon.apps.chiller_control.control.chiller_add_subtract import (
    ChillerAddSubtract,
)
from appdaemon.apps.chiller_control.control.chiller_plant_schedule import (
    ChillerPlantSchedule,
)
from appdaemon.apps.chiller_control.control.chiller_sequence import ChillerSequence
from appdaemon.apps.chiller_control.control.custom_schedule import CustomSchedule
from appdaemon.apps.chiller_control.control.dynamic_setpoint import DynamicSetpoint
from appdaemon.apps.chiller_control.control.pid_control import PidControl
from appdaemon.apps.chiller_control.control.plan import parse_plan
from appdaemon.apps.chiller_control.control.schp_control import SCHPControl
from appdaemon.apps.chiller_control.control.smart_ct import SmartCT
from appdaemon.apps.chiller_control.engine import Build, Engine
from custom_components.chiller_plant.counters import STAGING, is_counted
from custom_components.chiller_plant.plant.model import Equipment, Plant
from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.simulator.worlds import Worlds

from .days import SiteDays, site_days
from .forms import Form, forms_of
from .house import Ordered, Told, VirtualHouse

BUILD: Mapping[str, Build] = {
    "chiller_sequence": ChillerSequence,
    "chiller_plant_schedule": ChillerPlantSchedule,
    "dynamic_setpoint": DynamicSetpoint,
    "custom_schedule": CustomSchedule,
    "chiller_add_subtract": ChillerAddSubtract,
    "smart_ct": SmartCT,
    "pid_control": PidControl,
    "schp_control": SCHPControl,
}
"""The controller of each control type, as its app names it."""
STEP = 30.0
"""Seconds between two control cycles."""
_LEASE = 10 * STEP
"""Seconds; nobody dies here, so that requests need not be said again and again."""
WARM_UP = timedelta(hours=26)
"""Before the first day that counts: a whole day of the site."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the automations were at, at one moment."""

    at: float
    planned: frozenset[str]
    """Ids of the automations in the plan."""
    states: Mapping[str, str]
    """State of each of them, by id."""
    owners: Mapping[str, str | None]
    """Id of who commands each of the points that are watched."""


@dataclass(slots=True)
class Record:
    """What was seen of a run, from the first day that counts."""

    plant: Plant
    zone: ZoneInfo
    first_day: date
    days: int
    keys: tuple[str, ...]
    times: np.ndarray
    """Epoch seconds of each row."""
    wire: np.ndarray
    """(times, keys): what the devices said; truth values as 0 and 1."""
    moments: list[Moment]
    """Each minute."""
    told: list[Told]
    ordered: list[Ordered]
    complaints: list[str]
    trouble: list[str]
    run_hours: Mapping[str, float] = field(default_factory=dict)
    """Hours that each chiller ran."""
    reported: Mapping[str, tuple[str, Mapping[str, Any]]] = field(default_factory=dict)
    """State and attributes that each automation last reported, by its entity."""
    cpu_seconds: float = 0.0

    def column(self, key: str) -> np.ndarray:
        """Return what one point was."""
        found: np.ndarray = self.wire[:, self.keys.index(key)]
        return found


def run_site(
    site: Path,
    first_day: date,
    days: int,
    zone: ZoneInfo,
    watched: tuple[str, ...],
    warm_up: timedelta = WARM_UP,
) -> Record:
    """Run a site's folder for so many days; `watched` are points whose owner counts.

    Nothing counts of the time before them that it warms up. Raise `ValueError` for
    forms or profiles that cannot be.
    """
    began = process_time()
    plant = load_plant(site / "plant.yaml")
    forms = forms_of(site)
    calendar = site_days(site, plant, forms)
    begin = datetime.combine(first_day, time(), zone)
    end = (begin + timedelta(days=days)).timestamp()
    local = (begin - warm_up).replace(tzinfo=None)
    worlds = Worlds(plant, [(local - datetime(1970, 1, 1)).total_seconds()])
    house = VirtualHouse(plant, worlds)
    engines = [Engine(kind, build, house, zone) for kind, build in BUILD.items()]
    ids = {form.entity_id: form.id for form in forms}
    keys = tuple(key for key, item in plant.points.items() if item.address is not None)
    rows: list[np.ndarray] = []
    times: list[float] = []
    moments: list[Moment] = []
    hours = dict.fromkeys(_chillers(plant), 0.0)
    planned: tuple[tuple[Form, int], ...] = ()
    day: date | None = None
    now = (begin - warm_up).timestamp()
    while now < end:
        worlds.advance(STEP)
        now += STEP
        house.look(now)
        today = datetime.fromtimestamp(now, zone).date()
        if today != day:
            day, planned = today, calendar.planned(today, forms)
            plan = parse_plan(_plan(plant, today, calendar, planned, house))
            for engine in engines:
                engine.take_plan(plan)
        for engine in engines:
            engine.cycle(now)
        house.act()
        if now <= begin.timestamp():
            hours = {key: house.counters[key].run_hours for key in hours}
            house.told.clear()
            house.ordered.clear()
            continue
        rows.append(worlds.read(keys)[0].astype(np.float32))
        times.append(now)
        if not moments or now - moments[-1].at >= 60.0:
            moments.append(_moment(house, now, planned, watched, ids))
    return Record(
        plant=plant,
        zone=zone,
        first_day=first_day,
        days=days,
        keys=keys,
        times=np.array(times),
        wire=np.array(rows),
        moments=moments,
        told=house.told,
        ordered=house.ordered,
        complaints=house.complaints,
        trouble=house.trouble,
        run_hours={
            key: house.counters[key].run_hours - before for key, before in hours.items()
        },
        reported=dict(house.reported),
        cpu_seconds=process_time() - began,
    )


def _chillers(plant: Plant) -> list[str]:
    return [key for key, item in plant.equipment.items() if item.type == "chiller"]


def _moment(
    house: VirtualHouse,
    now: float,
    planned: tuple[tuple[Form, int], ...],
    watched: tuple[str, ...],
    ids: Mapping[str, str],
) -> Moment:
    states = {
        form.id: house.reported[form.entity_id][0]
        for form, _ in planned
        if form.entity_id in house.reported
    }
    owners = {key: house.owner(key) for key in watched}
    return Moment(
        now,
        frozenset(form.id for form, _ in planned),
        states,
        {key: owner and ids.get(owner, owner) for key, owner in owners.items()},
    )


def _plan(
    plant: Plant,
    day: date,
    calendar: SiteDays,
    planned: tuple[tuple[Form, int], ...],
    house: VirtualHouse,
) -> dict[str, Any]:
    """Return what `chiller_plant.get_plan` answers on a day."""
    return {
        "plant": {
            "key": plant.key,
            "name": plant.name,
            "entry_id": plant.key,
            "command_lease": _LEASE,
            "poll_interval": STEP,
        },
        "date": day.isoformat(),
        "profile": calendar.profile(day),
        "revision": day.isoformat(),
        "automations": [
            {
                "id": form.id,
                "entity_id": form.entity_id,
                "name": form.name,
                "control_type": form.control_type,
                "priority": priority,
                "metadata": form.metadata,
                "config": form.config,
                "reported": _reported(house, form),
            }
            for form, priority in planned
        ],
        "equipment": {item.key: _equipment(item) for item in plant.equipment.values()},
    }


def _reported(house: VirtualHouse, form: Form) -> dict[str, Any] | None:
    if form.entity_id not in house.reported:
        return None
    state, attributes = house.reported[form.entity_id]
    return {"state": state, "attributes": attributes}


def _equipment(item: Equipment) -> dict[str, Any]:
    points: dict[str, dict[str, Any]] = {
        role: {
            "entity_id": point.key,
            "writable": point.writable or point.address is None,
            "boolean": point.role.quantity.is_boolean,
            "low": point.low,
            "high": point.high,
            "unit": point.role.quantity.unit,
        }
        for role, point in item.points.items()
    }
    if is_counted(item):
        points |= {
            figure: {"entity_id": f"{item.key}.{figure}", "low": 0.0, "unit": unit}
            for figure, unit in STAGING.items()
        }
    return {
        "type": item.type.value,
        "name": item.name,
        "ratings": dict(item.ratings),
        "served_by": {kind: list(keys) for kind, keys in item.served_by.items()},
        "points": points,
    }
