"""The stage changes that are to come, and what people change of them.

A condition that is met makes its stage change when its hold is over, unless it
ends before. Until then somebody can have it earlier or later, with another
chiller, or not at all: then the hold begins once more. Each condition is an
occurrence of its own, so that putting off what the load asks for does not put
off what a supply that gets too warm asks for.
"""

from collections.abc import Callable, Sequence

from .decision import duration
from .planned import Amendment, Amendments, PlannedAction, occurrence
from .staging_conditions import Condition, StagingConditions
from .staging_plant import Chiller

UP, DOWN = "stage_up", "stage_down"
_NOTHING = Amendment()


class StagingOccurrences:
    """The conditions of one plant as occurrences."""

    def __init__(self, conditions: StagingConditions) -> None:
        """Nothing is changed yet."""
        self._ups, self._down = conditions.ups, conditions.down
        self._amendments: Amendments = {}
        self._known: tuple[object, ...] | None = None
        self._told: tuple[PlannedAction, ...] = ()

    def take(self, now: float, amendments: Amendments) -> None:
        """Have the conditions wait as long as people want."""
        self._amendments = amendments
        for condition in (*self._ups, self._down):
            changed = self._changed(condition)
            condition.amended_at = changed.at
            if changed.cancelled and condition.elapsed(now):
                condition.since, condition.amended_at = now, None

    def _changed(self, condition: Condition) -> Amendment:
        if condition.since is None or not self._amendments:
            return _NOTHING
        return self._amendments.get(
            occurrence(condition.name, condition.since), _NOTHING
        )

    def _elapsed(self, now: float, kind: str) -> Amendment:
        conditions = self._ups if kind == UP else (self._down,)
        found = (self._changed(item) for item in conditions if item.elapsed(now))
        return next(found, _NOTHING)

    def chosen(
        self, now: float, kind: str, chillers: Sequence[Chiller]
    ) -> tuple[Chiller, str]:
        """Return with which of these it happens, the first but for people's choice.

        And who changed anything of it, for people.
        """
        changed = self._elapsed(now, kind)
        wished = (item for item in chillers if item.key == changed.equipment)
        return next(wished, chillers[0]), changed.note

    def planned(
        self,
        not_before: float | None,
        wanted: Sequence[Chiller],
        spares: Callable[[], Sequence[Chiller]],
    ) -> tuple[PlannedAction, ...]:
        """Return what is to come, the first one first.

        `not_before` is the end of the stage's minimum time; None: there is no
        stage. `wanted` run, `spares` could.
        """
        ups = [item for item in self._ups if item.since is not None]
        down = self._down.since is not None and not self._ups[-1].met
        if not_before is None or not (ups or (down and len(wanted) > 1)):
            return ()
        up, last = spares() if ups else (), tuple(reversed(wanted))
        known = (
            not_before,
            tuple(wanted),
            tuple(up),
            down,
            [(item.since, self._changed(item)) for item in (*self._ups, self._down)],
        )
        if known != self._known:
            self._known = known
            stage = len(wanted)
            found = [
                self._action(UP, item, not_before, stage, up) for item in ups if up
            ]
            if down and stage > 1:
                found.append(self._action(DOWN, self._down, not_before, stage, last))
            self._told = tuple(sorted(found, key=lambda item: item.at))
        return self._told

    def _action(
        self,
        kind: str,
        condition: Condition,
        not_before: float,
        stage: int,
        chillers: Sequence[Chiller],
    ) -> PlannedAction:
        assert condition.since is not None
        changed = self._changed(condition)
        original = max(condition.since + condition.hold, not_before)
        wished = (item for item in chillers if item.key == changed.equipment)
        chiller = next(wished, chillers[0])
        side = "above" if condition.above else "below"
        return PlannedAction(
            id=occurrence(condition.name, condition.since),
            kind=kind,
            at=original if changed.at is None else max(changed.at, not_before),
            original=original,
            reason=(
                f"{chiller.name} {'is added' if kind == UP else 'is taken off'} if "
                f"the {condition.label.lower()} stays {side} its limit for "
                f"{duration(condition.hold)}"
            ),
            equipment=(chiller.key,),
            before=stage,
            after=stage + (1 if kind == UP else -1),
            earliest=not_before,
            choices=tuple(item.key for item in chillers),
            cancelled=changed.cancelled,
        )
