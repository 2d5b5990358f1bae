"""What came of every start and stop, kept in the recorder's long-term statistics.

The control engine measures how long a building takes and learns from it; it keeps
nothing itself. Long-term statistics outlive the recorder's purge and every restart,
can be drawn like any others, and need no database of ours. A row of them is an
hour, which is less than there ever is between two starts that can be learnt from.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import IntFlag
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from homeassistant.components.recorder import DOMAIN as RECORDER, get_instance
from homeassistant.components.recorder.models import (
    StatisticData,
    StatisticMeanType,
    StatisticMetaData,
)
from homeassistant.components.recorder.statistics import (
    async_add_external_statistics,
    statistics_during_period,
)
from homeassistant.const import UnitOfTemperature, UnitOfTime
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.util import dt as dt_util, slugify

from .const import DOMAIN

if TYPE_CHECKING:
    from .plan import PlanRoom

START, STOP = "start", "stop"
KINDS: Mapping[str, str] = {"recovery": START, "drift": STOP}
"""By the event of the control engine."""

SCHEDULE = "chiller_plant_schedule"

KEPT = 60
"""Of each kind: what is learnt from."""

KEPT_AFTER_DAY_OFF = 12
"""Starts after a day off that are kept besides: there are few a year."""

_PATIENCE = 3.0
"""Seconds for which who asks what is known waits for the recorder: less than the
engine gives us to answer."""

_DAY_OFF_HOURS = 30.0
_LOOK_BACK = timedelta(days=366)


class _Flags(IntFlag):
    HEATING = 1
    NOT_REACHED = 2
    COASTING = 4


class _Field(NamedTuple):
    """One series of the statistics."""

    name: str
    unit: str | None
    unit_class: str | None


_MINUTES = (UnitOfTime.MINUTES, "duration")
_DEGREES = (UnitOfTemperature.CELSIUS, "temperature")
_FIELDS: Mapping[str, _Field] = {
    "minutes": _Field("minutes that it took", *_MINUTES),
    "predicted": _Field("minutes that were expected", *_MINUTES),
    "late_minutes": _Field("minutes late", *_MINUTES),
    "zone": _Field("zone temperature then", *_DEGREES),
    "setpoint": _Field("temperature to reach", *_DEGREES),
    "outdoor": _Field("outdoor temperature then", *_DEGREES),
    "off_hours": _Field("hours without the plant before", UnitOfTime.HOURS, "duration"),
    "flags": _Field("how (1 heating, 2 not reached, 4 people there)", None, None),
}
_UNITS = {"duration": UnitOfTime.MINUTES, "temperature": UnitOfTemperature.CELSIUS}
_NEEDED = ("minutes", "zone", "setpoint", "off_hours")


@dataclass(frozen=True, slots=True)
class Measured:
    """One start or stop; minutes, °C, hours, epoch seconds."""

    kind: str
    at: float
    minutes: float
    zone: float
    setpoint: float
    off_hours: float
    predicted: float | None = None
    late_minutes: float | None = None
    outdoor: float | None = None
    heating: bool = False
    reached: bool = True
    coasting: bool = False

    @property
    def error(self) -> float | None:
        """Minutes that it took longer than was expected; None: nothing was expected.

        Of what was not waited for the end of, only that it took longer is known.
        """
        if self.predicted is None or (
            not self.reached and self.minutes < self.predicted
        ):
            return None
        return self.minutes - self.predicted

    @property
    def after_day_off(self) -> bool:
        """Whether the plant had been off for more than a night."""
        return self.kind == START and self.off_hours >= _DAY_OFF_HOURS


class Recoveries:
    """The starts and stops of one plant, the newest last."""

    def __init__(self, room: PlanRoom) -> None:
        """Prepare; nothing is read yet."""
        self._room = room
        self._hass: HomeAssistant = room.hass
        self._known: dict[tuple[str, int], Measured] = {}
        # As it is in the plan, which is made anew with every report.
        self._told: list[dict[str, Any]] = []
        self._read_in = asyncio.Event()

    async def async_load(self) -> None:
        """Read what the recorder has, once it can be asked."""
        try:
            await self._async_load()
        finally:
            self._read_in.set()

    async def async_wait(self) -> None:
        """Wait for what is still being read, but not for long.

        A start that is decided in this moment would be the earliest one, and stays.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._read_in.wait()

    async def _async_load(self) -> None:
        if RECORDER not in self._hass.config.components:
            return
        instance = get_instance(self._hass)
        # Others wait for the same: who is unloaded meanwhile must not take it along.
        if not await asyncio.shield(instance.async_db_ready):
            return
        found = await instance.async_add_executor_job(self._read)
        # What came in while that was read is newer.
        self._known = {_hour(item): item for item in found} | self._known
        self._bound()
        self._tell()

    def _read(self) -> list[Measured]:
        ids = {
            self._statistic_id(kind, field): (kind, field)
            for kind in KINDS.values()
            for field in _FIELDS
        }
        rows = statistics_during_period(
            self._hass,
            dt_util.utcnow() - _LOOK_BACK,
            None,
            set(ids),
            "hour",
            dict(_UNITS),
            {"mean"},
        )
        by_start: dict[tuple[str, float], dict[str, float]] = {}
        for statistic_id, series in rows.items():
            kind, field = ids[statistic_id]
            for row in series:
                if (value := row.get("mean")) is not None:
                    by_start.setdefault((kind, row["start"]), {})[field] = value
        found = []
        for (kind, start), fields in sorted(by_start.items(), key=lambda item: item[0]):
            if not all(name in fields for name in _NEEDED):
                continue
            flags = _Flags(int(fields.pop("flags", 0)))
            # Hours are stored as such, and converted with the minutes when read.
            fields["off_hours"] /= 60.0
            found.append(
                Measured(
                    kind,
                    start,
                    heating=_Flags.HEATING in flags,
                    reached=_Flags.NOT_REACHED not in flags,
                    coasting=_Flags.COASTING in flags,
                    **fields,
                )
            )
        return found

    @callback
    def take(self, event: str, data: Mapping[str, Any]) -> None:
        """Keep what the control engine measured, if it may be learnt from."""
        measured = _measured(KINDS[event], data)
        if measured is None:
            return
        before = self._known.get(_hour(measured))
        if before is not None and before.coasting and not measured.coasting:
            # An hour has one row, and few stops are made while people are there.
            return
        self._known[_hour(measured)] = measured
        self._bound()
        self._record(measured)
        self._tell()

    def _record(self, measured: Measured) -> None:
        if RECORDER not in self._hass.config.components:
            return
        values = asdict(measured) | {
            "flags": _Flags.HEATING * measured.heating
            | _Flags.NOT_REACHED * (not measured.reached)
            | _Flags.COASTING * measured.coasting
        }
        start = dt_util.utc_from_timestamp(measured.at)
        start = start.replace(minute=0, second=0, microsecond=0)
        for name, field in _FIELDS.items():
            if values[name] is not None:
                async_add_external_statistics(
                    self._hass,
                    self._metadata(measured.kind, name, field),
                    [_row(start, float(values[name]))],
                )

    def _metadata(self, kind: str, name: str, field: _Field) -> StatisticMetaData:
        return StatisticMetaData(
            mean_type=StatisticMeanType.ARITHMETIC,
            has_sum=False,
            name=f"{self._room.plant.name}, {kind}: {field.name}",
            source=DOMAIN,
            statistic_id=self._statistic_id(kind, name),
            unit_class=field.unit_class,
            unit_of_measurement=field.unit,
        )

    def _statistic_id(self, kind: str, field: str) -> str:
        return f"{DOMAIN}:{slugify(self._room.plant.key)}_{kind}_{field}"

    def _bound(self) -> None:
        ordered = sorted(self._known.values(), key=lambda item: item.at)
        kept = [item for kind in KINDS.values() for item in _of(ordered, kind)[-KEPT:]]
        kept += [item for item in ordered if item.after_day_off][-KEPT_AFTER_DAY_OFF:]
        self._known = {
            _hour(item): item for item in sorted(kept, key=lambda item: item.at)
        }
        self._told = [asdict(item) for item in self._known.values()]

    @callback
    def _tell(self) -> None:
        async_dispatcher_send(self._hass, self._room.signal("recoveries"))
        self._room.changed()

    # What is known.

    def last(self, kind: str) -> Measured | None:
        """Return the newest of a kind."""
        return next(
            (item for item in reversed(self._known.values()) if item.kind == kind), None
        )

    def count(self, kind: str) -> int:
        """Return how many of a kind are kept."""
        return len(_of(list(self._known.values()), kind))

    def history_of(
        self, control_type: str, config: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return what an automation learns from, oldest first; nothing for most."""
        if control_type != SCHEDULE or not adaptive(config):
            return []
        return self._told


def adaptive(config: Mapping[str, Any]) -> bool:
    """Whether a schedule learns."""
    return any(config.get(f"adaptive_{kind}") is True for kind in (START, STOP))


def _of(items: list[Measured], kind: str) -> list[Measured]:
    return [item for item in items if item.kind == kind]


def _hour(item: Measured) -> tuple[str, int]:
    return item.kind, int(item.at // 3600)


def _row(start: datetime, value: float) -> StatisticData:
    return StatisticData(start=start, mean=value, min=value, max=value)


def _measured(kind: str, data: Mapping[str, Any]) -> Measured | None:
    """Read what the engine told; None for what is excluded or no measurement."""
    if data.get("excluded"):
        return None

    def number(name: str) -> float | None:
        value = data.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        return float(value) if isfinite(value) else None

    at = number("started_at")
    needed = {name: number(name) for name in _NEEDED}
    known = {name: value for name, value in needed.items() if value is not None}
    if at is None or len(known) < len(_NEEDED) or known["minutes"] <= 0.0:
        return None
    return Measured(
        kind,
        at,
        **known,
        predicted=number("predicted"),
        late_minutes=number("late_minutes"),
        outdoor=number("outdoor"),
        heating=data.get("heating") is True,
        reached=data.get("reached") is not False,
        coasting=data.get("coasting") is True,
    )
