"""What a site can do to use less, each within its own limits.

A measure goes in levels: a circuit is on or off, a setpoint is raised by steps, a
demand limit is lowered by steps. How much a level brings is an estimate; the
meter has the last word.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Literal, TypeAlias

from ..decision import Command, Inputs, Value

Kind: TypeAlias = Literal["switch_off", "raise", "limit", "discharge"]
"""`switch_off` commands off. `raise` adds steps to what a setpoint was. `limit`
takes steps off what the machines carry. `discharge` asks a storage for steps of power."""

_UNLIMITED = 100.0
_ROOMS_AT_FIRST = 3.0
"""Times its estimate that a level of a room brings for some minutes: as long as the
room is colder than its setpoint by then, it is hardly cooled at all."""
_STANDING = 1.0
"""% of its load up to which a machine is taken for one that stands."""
_NEVER = float("-inf")
READ_BY_THEN = 60.0
"""Seconds after which a meter that shows the same was read, and is the same."""
LONGEST_REST = 900.0
"""Seconds after which a circuit that was given back is off for reasons of others."""
EMPTY_BAND = 5.0
"""% above its reserve from which on an empty storage may be used again, and within
which one that is used hands over step by step: what it brought is not known well."""

SETTLING: Mapping[Kind, float] = {
    "switch_off": 60.0,
    "raise": 300.0,
    "limit": 240.0,
    "discharge": 60.0,
}
"""Seconds until the meter shows what a level brought."""

PACE: Mapping[Kind, float] = {
    "switch_off": 0.0,
    "raise": 90.0,
    "limit": 60.0,
    "discharge": 0.0,
}
"""Seconds between two levels of one measure. What warmer rooms bring is least well
known: much at once, and less as they get there."""


@dataclass(frozen=True, slots=True)
class Comfort:
    """A zone that a measure touches: its temperature and the warmest allowed, °C."""

    point: str
    warmest: float


@dataclass(frozen=True, slots=True)
class Measure:
    """One thing that can be done; times in seconds."""

    key: str
    name: str
    kind: Kind
    points: tuple[str, ...]
    order: int
    """Those with a lower number are used first and given back last."""
    capacity_kw: float
    """Estimate for one level."""
    levels: int = 1
    step: float = 0.0
    """K, % or kW for one level."""
    bound: float | None = None
    """The highest value of a setpoint that is raised, the lowest limit in %."""
    comfort: tuple[Comfort, ...] = ()
    own_zone: bool = False
    """It touches one zone only and is given back whole where that gets too warm."""
    least_on: float = 300.0
    longest_on: float | None = None
    recovery: float = 0.0
    """Time after it was given back before it may be used again."""
    loads: tuple[str, ...] = ()
    """The loads of the machines that are limited, %: a limit above them brings
    nothing, so the highest of them is what the first step is taken off."""
    charge: str | None = None
    """The state of charge of the storage that is discharged, %."""
    reserve: float = 10.0
    """State of charge at which it counts as empty, %."""


@dataclass(slots=True)
class Use:
    """How far a measure is used, and since when."""

    level: int = 0
    """Below 0: setpoints are still lowered from cooling ahead."""
    cold: int = 0
    """Levels by which they were lowered when the event began, and may be again."""
    changed: float = _NEVER
    begun: float | None = None
    given_back: float = _NEVER
    before: dict[str, float] = field(default_factory=dict)
    """What setpoints were before the first level."""
    burden: float = 0.0
    """Level times seconds so far: who has borne most is asked last."""
    moved_kw: float = 0.0
    """What the last change of level is expected to bring."""
    machines: int = 0
    """How many were loaded when they were limited; 0: not known."""
    fewer: float = 1.0
    """That over how many are loaded now."""

    def as_dict(self) -> dict[str, Any]:
        """Return it in JSON types; what is as it is without any use is left out."""
        stored: dict[str, Any] = {
            name: value
            for name in _KEPT
            if (value := getattr(self, name)) not in (0, None, _NEVER, {})
        }
        for name in ("burden", "moved_kw"):
            if value := round(getattr(self, name), 1):
                stored[name] = value
        return stored

    @classmethod
    def restored(cls, stored: Mapping[str, Any], measure: Measure) -> "Use":
        """Take back what `as_dict` gave. Raises TypeError, ValueError."""
        begun = stored.get("begun")
        return cls(
            level=min(
                max(int(stored.get("level", 0)), -measure.levels), measure.levels
            ),
            cold=min(max(int(stored.get("cold", 0)), 0), measure.levels),
            changed=float(stored.get("changed", _NEVER)),
            begun=None if begun is None else float(begun),
            given_back=float(stored.get("given_back", _NEVER)),
            before={
                str(key): float(value)
                for key, value in dict(stored.get("before", {})).items()
            },
            burden=float(stored.get("burden", 0.0)),
            moved_kw=float(stored.get("moved_kw", 0.0)),
            machines=int(stored.get("machines", 0)),
        )


_KEPT = "level", "cold", "changed", "begun", "given_back", "before", "machines"


def brings(measure: Measure) -> float:
    """Return what a level brings within minutes by estimate, kW."""
    return measure.capacity_kw * (_ROOMS_AT_FIRST if measure.own_zone else 1.0)


def move(now: float, measure: Measure, use: Use, level: int) -> None:
    """Bring a measure to another level."""
    change = (level - use.level) * brings(measure)
    left = max(1.0 - (now - use.changed) / SETTLING[measure.kind], 0.0)
    use.moved_kw = use.moved_kw * left + change
    if use.level <= 0 < level:
        use.begun = now
    if level == 0:
        if use.level > 0:
            use.given_back = now
        use.begun = None
        if not use.cold:
            use.before.clear()
    use.level, use.changed = level, now


def chillers_in_use(measures: Sequence[Measure], inputs: Inputs) -> float:
    """Return how much of the chillers is loaded now, 0 to 1; 1 where nobody knows."""
    loads = [inputs.number(point) for item in measures for point in item.loads]
    known = [min(max(load, 0.0), 100.0) for load in loads if load is not None]
    return sum(known) / (100.0 * len(loads)) if known else 1.0


def left_kw(
    usable: Sequence[Measure], uses: Mapping[str, Use], cooling: float
) -> float:
    """Return what the levels that are left would bring now, by estimate, kW.

    Estimates of warmer rooms, warmer water and limits are of all chillers at their
    ratings; only the share that is in use (`cooling`, 0 to 1) is there to be shed.
    """
    return sum(
        item.capacity_kw
        * (item.levels - uses[item.key].level)
        * (cooling if item.kind in ("raise", "limit") else 1.0)
        for item in usable
    )


def on_its_way(
    now: float,
    measures: Sequence[Measure],
    uses: Mapping[str, Use],
    read: float,
    inputs: Inputs,
) -> float:
    """Return what was done and the meter cannot show yet, kW; negative is less.

    `read` is when the meter last showed something new: of what was done after that
    it shows nothing at all. Nor does it of a circuit that was given back and is still
    off, because it has to rest first.
    """
    total = 0.0
    for measure in measures:
        use = uses[measure.key]
        if use.moved_kw:
            since = now - use.changed
            unread = use.changed >= read and since < READ_BY_THEN
            rests = (
                measure.kind == "switch_off"
                and use.moved_kw < 0.0
                and since < LONGEST_REST
                and any(inputs.on(point) is False for point in measure.points)
            )
            left = 1.0 if unread or rests else 1.0 - since / SETTLING[measure.kind]
            total += use.moved_kw * max(left, 0.0)
    return total


def may_step_back(now: float, measure: Measure, use: Use) -> bool:
    """Whether a level may be given back.

    Not sooner than it shows, nor the last one before its least time is over.
    """
    if now - use.changed < PACE[measure.kind]:
        return False
    return use.level > 1 or now - (use.begun or 0.0) >= measure.least_on


def equipment_of(measure: Measure) -> list[str]:
    """Return the equipment that a measure commands."""
    return sorted({point.partition(".")[0] for point in measure.points})


def remember(
    measure: Measure, use: Use, inputs: Inputs, usual: Mapping[str, float]
) -> str | None:
    """Keep what setpoints are before the first level; say why that cannot be.

    `usual` are setpoints that are on their way back to what they were.
    """
    if measure.kind == "limit":
        known = [inputs.number(point) for point in measure.loads]
        carried = max((load for load in known if load), default=_UNLIMITED)
        use.before = dict.fromkeys(measure.points, min(carried, _UNLIMITED))
        use.machines, use.fewer = _loaded(measure, inputs), 1.0
        return None
    if measure.kind != "raise":
        return None
    for point in measure.points:
        value = usual.get(point, inputs.number(point))
        if value is None:
            return f"{point} is not known"
        use.before[point] = value
    return None


def share_limit(measure: Measure, use: Use, inputs: Inputs) -> None:
    """Let what machines may carry together stay the same when one stops or starts.

    The others have to carry what one that stopped did: held where they are they
    could not, and it would be started again for it.
    """
    loaded = _loaded(measure, inputs)
    if use.machines and loaded:
        use.fewer = use.machines / loaded


def _loaded(measure: Measure, inputs: Inputs) -> int:
    loads = (inputs.number(point) for point in measure.loads)
    return sum(load is not None and load > _STANDING for load in loads)


def commands(measure: Measure, use: Use) -> tuple[Command, ...]:
    """Return what the measure commands at its level; nothing at level 0."""
    if use.level == 0:
        return ()
    reason = f"{measure.name}, step {use.level} of {measure.levels}"
    if use.level < 0:
        reason = "Cooled ahead of the event"
    return tuple(
        Command(point, _value(measure, use, point), reason) for point in measure.points
    )


def empty(measure: Measure, use: Use, inputs: Inputs) -> str | None:
    """Return why a storage cannot be discharged, None if it can."""
    if measure.charge is None:
        return None
    charge = inputs.number(measure.charge)
    if charge is None:
        return f"{measure.charge} is not known"
    least = measure.reserve + (0.0 if use.level else EMPTY_BAND)
    if charge > least:
        return None
    return f"it is empty: {charge:.0f} %, {measure.reserve:.0f} % are kept"


def most_levels(measure: Measure, inputs: Inputs) -> int:
    """Return how far a measure can be used: a storage that runs low less and less."""
    charge = inputs.number(measure.charge)
    if charge is None:
        return measure.levels
    left = (charge - measure.reserve) / EMPTY_BAND
    return min(max(ceil(left * measure.levels), 0), measure.levels)


def spent(measure: Measure, use: Use) -> bool:
    """Whether a further level would change nothing: all are at their bounds."""
    if use.level >= measure.levels:
        return True
    if use.level == 0 or measure.kind not in ("raise", "limit"):
        return False
    return all(
        _value(measure, use, point, 1) == _value(measure, use, point)
        for point in measure.points
    )


@dataclass(slots=True)
class Candidate:
    """A measure that may be used further."""

    measure: Measure
    use: Use
    most: int
    """The level up to which it can be used."""

    @property
    def done(self) -> bool:
        """Whether it can be used no further."""
        return self.use.level >= self.most or spent(self.measure, self.use)


def least_levels(usable: Sequence[Candidate]) -> dict[tuple[Kind, int], int]:
    """Return the least level of those that can be used further, by kind and order."""
    least: dict[tuple[Kind, int], int] = {}
    for item in usable:
        if not item.done:
            alike = item.measure.kind, item.measure.order
            least[alike] = min(least.get(alike, item.use.level), item.use.level)
    return least


def spared(one: Candidate, least: Mapping[tuple[Kind, int], int]) -> bool:
    """Whether others of its kind bear less and only take their time."""
    alike = one.measure.kind, one.measure.order
    return PACE[one.measure.kind] > 0.0 and one.use.level > least[alike]


def _value(measure: Measure, use: Use, point: str, further: int = 0) -> Value:
    moved = measure.step * (use.level + further)
    if measure.kind == "switch_off":
        return False
    if measure.kind == "raise":
        raised = use.before[point] + moved
        highest = _highest(measure)
        if highest is None or moved < 0.0:
            return raised
        # A setpoint that was above its bound already is never lowered by this.
        return max(min(raised, highest), use.before[point])
    if measure.kind == "limit":
        carried = use.before.get(point, _UNLIMITED)
        limit = max(carried - moved, min(measure.bound or 0.0, carried))
        return min(max(limit * use.fewer, measure.bound or 0.0), _UNLIMITED)
    return moved


def _highest(measure: Measure) -> float | None:
    """Return the highest setpoint that is commanded, °C; no zone is to get too warm."""
    bounds = [] if measure.bound is None else [measure.bound]
    if measure.own_zone:
        bounds += [zone.warmest for zone in measure.comfort]
    return min(bounds, default=None)
