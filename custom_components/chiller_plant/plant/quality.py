"""How far a value that came from the wire can be trusted.

One place decides it, so that every face and every controller sees the same:
what is not good is never computed with.
"""

from collections.abc import Collection, Mapping
import math
from typing import Any

from .arbiter import commandable
from .model import Plant, Point, PointKey, Value
from .reading import MISSING, Quality, Reading
from .roles import EquipmentType
from .sampling import Sampling
from .steady_time import duration
from .stillness import CALENDAR_PROOF, RUNNING_PROOF, Stillness, is_judged

IN_LOCAL_MODE = "in local mode"

_CALENDAR = (EquipmentType.ZONE, EquipmentType.WEATHER_STATION)
_REMOTE_MODE = "remote_mode"
_RUN_STATUS = "run_status"


class _Watch:
    """What the judge knows of one point."""

    __slots__ = (
        "commands",
        "equipment",
        "movers",
        "sampling",
        "stillness",
        "told",
        "witness",
    )

    def __init__(self, plant: Plant, point: Point) -> None:
        self.equipment = point.equipment
        self.sampling = Sampling(plant, point.tier)
        self.commands = commandable(point)
        self.told: str | None = None
        """What its device says of it being overridden."""
        self.movers = _movers(plant, point)
        self.stillness: Stillness | None = None
        if is_judged(point):
            calendar = self.movers is None and point.frozen_after is None
            self.stillness = Stillness(
                point, CALENDAR_PROOF if calendar else RUNNING_PROOF
            )
        self.witness = (
            point.role.name if point.role.name in (_REMOTE_MODE, _RUN_STATUS) else None
        )
        """Whether it tells how its equipment is run."""


class QualityJudge:
    """How far each point can be trusted, from how it has been behaving.

    `now` is in epoch seconds. A clock that is set back does not make an old
    value young: ages are counted in time that never runs back. No method
    raises for what a device said.
    """

    def __init__(self, plant: Plant) -> None:
        """Know nothing yet."""
        self._watches = {
            key: _Watch(plant, point)
            for key, point in plant.points.items()
            if point.address is not None
        }
        self._local: set[str] = set()
        """Equipment that is surely in local mode."""
        self._running: set[str] = set()
        """Equipment that surely runs."""
        self._outranked: dict[PointKey, str] = {}
        self._reported: frozenset[PointKey] = frozenset()
        self._last = -math.inf
        self._set_back = 0.0

    # --- a point

    def heard(
        self,
        now: float,
        point: Point,
        value: Value,
        *,
        overridden: str | None,
        previous: Reading,
    ) -> Reading:
        """Return the reading of a point that answered, or reported by itself.

        `value` is in the unit of the role; a state that the point's list does
        not have comes as its number. `overridden` is what the device says of
        its being put out of effect by hand.

        - What is no finite number, or not a number or a truth value as the role
          wants it, or outside the limits of a point that is only read, is out
          of range. A commanded point is believed outside its limits: they bound
          our commands, and the equipment's own panel may go beyond them.
        - Overridden is what its device says so of, and a command that is without
          effect: a higher priority holds it, or its equipment is in local mode.
        - Frozen is a measurement that should have changed; see `stillness`.
        """
        watch = self._watches[point.key]
        seconds = watch.sampling.heard(self._time(now))
        watch.told = overridden
        believed = _believed(point, value)
        stillness = watch.stillness
        if believed is None:
            if watch.witness is not None:
                self._witness(watch, None)
            if stillness is not None:
                stillness.forget()
            return Reading(
                _shown(value),
                Quality.OUT_OF_RANGE,
                previous.at,
                _out_of_range(point, value),
            )
        if watch.witness is not None:
            self._witness(watch, believed)
        text = self._override(point.key, watch)
        if text is not None:
            if stillness is not None:
                stillness.forget()
            return Reading(believed, Quality.OVERRIDDEN, now, text)
        if stillness is not None and stillness.observe(
            believed, self._counted(watch, stillness, seconds)
        ):
            return Reading(
                believed,
                Quality.FROZEN,
                previous.at,
                f"has not changed for more than {duration(stillness.limit)}",
            )
        return Reading(believed, Quality.GOOD, now)

    def missed(self, now: float, point: Point, previous: Reading) -> Reading:
        """Return the reading of a point that was asked and did not answer.

        The value stays until it is stale, so that one lost poll blanks nothing;
        one that never answered is missing.
        """
        return self.aged(now, point, previous)

    def aged(self, now: float, point: Point, previous: Reading) -> Reading:
        """Return the reading, at `now`, of a point that nothing new was heard of.

        To be called for all such points at each look at the plant: it is also
        how a point learns that its equipment was taken into local mode.
        """
        time = self._time(now)
        quality = previous.quality
        if quality is Quality.MISSING or quality is Quality.STALE:
            return previous
        watch = self._watches[point.key]
        if watch.sampling.is_stale(time):
            if watch.witness is not None:
                self._witness(watch, None)
            if previous.at is None:
                return MISSING
            return Reading(previous.value, Quality.STALE, previous.at)
        if not watch.commands or quality is Quality.OUT_OF_RANGE:
            return previous
        text = self._override(point.key, watch)
        if text == previous.detail:
            return previous
        return Reading(
            previous.value,
            Quality.GOOD if text is None else Quality.OVERRIDDEN,
            previous.at,
            text,
        )

    # --- what else is known

    def outranked(
        self, asked: Collection[PointKey], texts: Mapping[PointKey, str]
    ) -> None:
        """Take which of the commands that were asked for are without effect.

        See `Driver.overrides`. What was not asked for stays as it was known.
        """
        for key in asked:
            if (text := texts.get(key)) is None:
                self._outranked.pop(key, None)
            else:
                self._outranked[key] = text

    def reported(self, points: frozenset[PointKey]) -> None:
        """Take which points their devices report by themselves now.

        They are read as seldom as those of the next tier.
        """
        for key in points - self._reported:
            self._watches[key].sampling.reports(by_itself=True)
        for key in self._reported - points:
            self._watches[key].sampling.reports(by_itself=False)
        self._reported = points

    def by_hand(self, point: PointKey) -> bool:
        """Whether a person at the device put a point out of effect.

        That is information; nothing has to be repaired.
        """
        watch = self._watches.get(point)
        if watch is None:
            return False
        return watch.told is not None or (
            watch.commands and watch.equipment in self._local
        )

    # --- across a restart

    def as_dict(self) -> dict[str, Any]:
        """Return what was learned, as JSON types: four numbers a measurement."""
        return {
            "stillness": {
                key: watch.stillness.as_row()
                for key, watch in self._watches.items()
                if watch.stillness is not None
            }
        }

    def restore(self, data: object) -> None:
        """Take what `as_dict` gave; what makes no sense is left out."""
        rows = data.get("stillness") if isinstance(data, Mapping) else None
        for key, row in rows.items() if isinstance(rows, Mapping) else ():
            watch = self._watches.get(key)
            if watch is not None and watch.stillness is not None:
                watch.stillness.restore(row)

    # ---

    def _time(self, now: float) -> float:
        if now < self._last:
            self._set_back += self._last - now
        self._last = now
        return now + self._set_back

    def _override(self, key: PointKey, watch: _Watch) -> str | None:
        if watch.told is not None or not watch.commands:
            return watch.told
        if watch.equipment in self._local:
            return IN_LOCAL_MODE
        return self._outranked.get(key)

    def _witness(self, watch: _Watch, value: Value | None) -> None:
        """Note how the equipment is run; None: it is not known."""
        known, is_so = (
            (self._running, value is True)
            if watch.witness == _RUN_STATUS
            else (self._local, value is False)
        )
        if is_so:
            known.add(watch.equipment)
        else:
            known.discard(watch.equipment)

    def _counted(
        self, watch: _Watch, stillness: Stillness, seconds: float | None
    ) -> float:
        """Return how much of the time since the last answer was meant to move it."""
        if seconds is None:
            return 0.0
        movers = watch.movers
        if movers is None or stillness.counts_always:
            return seconds
        return 0.0 if self._running.isdisjoint(movers) else seconds


def _movers(plant: Plant, point: Point) -> frozenset[str] | None:
    """Return the machines any of which, running, keeps a measurement moving.

    None: it moves by itself.
    """
    equipment = plant.equipment[point.equipment]
    if equipment.type in _CALENDAR:
        return None
    if _RUN_STATUS in equipment.points:
        return frozenset({equipment.key})
    measured = [
        key for key in equipment.measures if _RUN_STATUS in plant.equipment[key].points
    ]
    return frozenset(measured) or frozenset(
        chiller.key
        for chiller in plant.of_type(EquipmentType.CHILLER)
        if _RUN_STATUS in chiller.points
    )


def _believed(point: Point, value: Value) -> Value | None:
    if point.role.quantity.is_boolean:
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not math.isfinite(value):
        return None
    if point.writable:
        return float(value)
    if point.low is not None and value < point.low:
        return None
    if point.high is not None and value > point.high:
        return None
    return float(value)


def _shown(value: Value) -> Value | None:
    """Return what may be shown of a value that is not believed."""
    return value if isinstance(value, bool) or math.isfinite(value) else None


def _out_of_range(point: Point, value: Value) -> str:
    """Return what is wrong with a value, for people."""
    quantity = point.role.quantity
    if quantity.is_boolean:
        return f"state {value:g} is not one of the point's states"
    if isinstance(value, bool):
        return f"{'on' if value else 'off'} is not a number"
    if not math.isfinite(value):
        return "the device sent no finite number"
    unit = f" {quantity.unit}" if quantity.unit else ""
    if point.low is not None and value < point.low:
        return f"{value:g}{unit} is below the limit of {point.low:g}{unit}"
    return f"{value:g}{unit} is above the limit of {point.high:g}{unit}"
