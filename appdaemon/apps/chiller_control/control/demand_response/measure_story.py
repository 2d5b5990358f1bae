"""What people are told of measures: what is used, what cannot be, what changed."""

from collections.abc import Mapping, Sequence

from ..decision import Event, iso
from .measures import Measure, Use, equipment_of


def changes(
    measures: Sequence[Measure],
    uses: Mapping[str, Use],
    before: Mapping[str, tuple[int, str]],
) -> list[Event]:
    """Return an event for each measure whose level changed in a step.

    `before` are levels as they were, and why they changed last, by measure.
    """
    found = []
    for measure in measures:
        level = uses[measure.key].level
        was, why = before.get(measure.key, (level, ""))
        if was == level:
            continue
        found.append(
            Event(
                "shed_more" if level > was else "shed_less",
                # Read in a list of what happened, where nothing else says of what.
                f"{measure.name}, {_step(measure, level)}: {why}",
                {
                    "equipment": equipment_of(measure),
                    "measure": measure.name,
                    "from": was,
                    "to": level,
                    "estimated_kw": round((level - was) * measure.capacity_kw, 1),
                },
            )
        )
    return found


def _step(measure: Measure, level: int) -> str:
    if level == 0:
        return "given back"
    if level < 0:
        return "cooled ahead"
    return "used" if measure.levels == 1 else f"step {level} of {measure.levels}"


def rows(
    measures: Sequence[Measure],
    uses: Mapping[str, Use],
    unable: Mapping[str, str | None],
    waits: Mapping[str, str | None],
) -> list[dict[str, object]]:
    """Return every measure as it stands, in JSON types.

    `unable` is why it cannot be used, `waits` why not just now, by measure.
    """
    return [
        {
            "name": measure.name,
            "level": uses[measure.key].level,
            "levels": measure.levels,
            "since": iso(uses[measure.key].begun),
            "unable": unable[measure.key],
            "waits": waits[measure.key],
        }
        for measure in measures
    ]
