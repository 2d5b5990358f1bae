"""The order in which staging takes its chillers, as the plant has it.

Each chiller has a place (the point `sequence_position`), given by a chiller
sequence, an operator, or nobody: then the order of the form counts. Places are
written one by one, and at a change of the profile by two automations: what is
seen in the middle of that is no order. So one counts only when it has stood
for a moment.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from .decision import Inputs
from .plan import Plan
from .staging_plant import Chiller

ORDER_SETTLES = 15.0
"""Seconds that the places must stand before they count."""
ORDER_AWAITED = 60.0
"""Seconds that a start waits for a sequence that has given no places yet."""
NOT_IN_ORDER = "not in the sequence"


class StagingOrder:
    """The chillers of one staging automation, first to be started first."""

    def __init__(self, plan: Plan, chillers: Sequence[Chiller]) -> None:
        """Begin with the order of the form."""
        self._awaited = any(
            item.control_type == "chiller_sequence" for item in plan.automations
        )
        self._began: float | None = None
        self._form = tuple(chillers)
        self._points = tuple(item.position for item in chillers)
        self._none = (0.0,) * len(self._form)
        self._places = self._none
        self._seen = self._none
        self._seen_since: float | None = None
        self.chillers = self._form
        """All of them; those without a place last."""
        self.left_out: frozenset[str] = frozenset()
        """Those that have no place although others have one."""

    def is_known(self, now: float) -> bool:
        """Whether the first chiller may be chosen: a sequence is given time to."""
        if not self._awaited or self._places != self._none or self._began is None:
            return True
        return now - self._began >= ORDER_AWAITED

    def why_not(self, chiller: Chiller) -> str | None:
        """Return why a chiller has no place, None if it has one."""
        return NOT_IN_ORDER if chiller.key in self.left_out else None

    def leaving(
        self, chillers: Sequence[Chiller], inputs: Inputs
    ) -> tuple[Chiller, ...]:
        """Return those without a place, but for what somebody keeps running."""
        return tuple(
            item
            for item in chillers
            if item.key in self.left_out and item.machine.command not in inputs.taken
        )

    @property
    def points(self) -> Collection[str | None]:
        """Where the places are read."""
        return self._points

    def observe(self, now: float, inputs: Inputs) -> bool:
        """Take the places; return whether the order is another one now."""
        first = self._began is None
        if first:
            self._began = now
        places = []
        for point in self._points:
            place = 0.0 if point is None else inputs.number(point)
            if place is None:
                return False
            places.append(place)
        seen = tuple(places)
        if seen == self._places:
            self._seen_since = None
            return False
        if seen != self._seen or self._seen_since is None:
            self._seen, self._seen_since = seen, now
        # Nothing better is known when control begins.
        if not (first and self._places == self._none):
            if now - self._seen_since < ORDER_SETTLES:
                return False
        self._seen_since = None
        self._take(seen)
        return True

    def _take(self, places: tuple[float, ...]) -> None:
        self._places = places
        at = {item.key: place for item, place in zip(self._form, places, strict=True)}
        given = [item for item in self._form if at[item.key] > 0]
        rest = [item for item in self._form if at[item.key] <= 0]
        given.sort(key=lambda item: at[item.key])
        self.chillers = (*given, *rest)
        self.left_out = frozenset(item.key for item in rest) if given else frozenset()

    def of(self, chillers: Collection[Chiller]) -> tuple[Chiller, ...]:
        """Return some chillers in this order."""
        return tuple(item for item in self.chillers if item in chillers)

    def resume(self) -> dict[str, float]:
        """Return what must survive a restart."""
        return {
            item.key: place
            for item, place in zip(self._form, self._places, strict=True)
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on with the places of before; those of other chillers are left out."""
        with suppress(TypeError, ValueError):
            self._take(tuple(float(data.get(item.key, 0.0)) for item in self._form))


@dataclass(frozen=True, slots=True)
class Change:
    """Other chillers than before, and why."""

    event: str
    chiller: Chiller
    wanted: tuple[Chiller, ...]
    reason: str


class HandOver:
    """Lets chillers go that lost their place, without a gap in the cooling.

    The next one is started first; only when it runs does the other one stop.
    """

    def __init__(self) -> None:
        """Begin with nobody leaving."""
        self._relief: tuple[str, int] | None = None
        """Who leaves, and how many others must run before."""

    def step(
        self,
        wanted: tuple[Chiller, ...],
        leaving: Sequence[Chiller],
        spare: Chiller | None,
    ) -> Change | None:
        """Return the next change; all of `wanted` run, `spare` could."""
        if not leaving:
            self._relief = None
            return None
        chiller, others = leaving[-1], len(wanted) - len(leaving)
        if self._relief is None or self._relief[0] != chiller.key:
            self._relief = (chiller.key, others + 1)
        if others < self._relief[1]:
            if spare is not None:
                why = f"{spare.name} takes over from {chiller.name}: {NOT_IN_ORDER}"
                return Change("handover", spare, (*wanted, spare), why)
            if len(wanted) == 1:
                # Nobody else can; the building is not left without cooling.
                return None
        self._relief = None
        return Change(
            "stage_down",
            chiller,
            tuple(item for item in wanted if item != chiller),
            f"{chiller.name} is taken off: {NOT_IN_ORDER}",
        )

    def resume(self) -> list[object] | None:
        """Return what must survive a restart."""
        return None if self._relief is None else list(self._relief)

    def restore(self, data: Any) -> None:
        """Go on where it was."""
        self._relief = None if data is None else (str(data[0]), int(data[1]))
