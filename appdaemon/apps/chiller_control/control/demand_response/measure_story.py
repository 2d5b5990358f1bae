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
                why,
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


def rows(
    measures: Sequence[Measure], uses: Mapping[str, Use], unable: Mapping[str, str]
) -> list[dict[str, object]]:
    """Return every measure as it stands, in JSON types."""
    return [
        {
            "name": measure.name,
            "level": uses[measure.key].level,
            "levels": measure.levels,
            "since": iso(uses[measure.key].begun),
            "unable": unable.get(measure.key),
        }
        for measure in measures
    ]
