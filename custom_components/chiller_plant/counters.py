"""Run hours and starts of every machine whose running is proven.

Each machine has two pairs of them. The one is the machine's life and is never
set back. The other decides who is next (Guideline 36-2021 §5.1.15: *staging*
run hours): it can be set back, so that a new machine does not run alone until
it has caught up with the old ones.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from .plant.derived import RunCounter
from .plant.model import Equipment, Plant
from .plant.reading import Readings
from .plant.sampling import stale_after

_PROOF = "run_status"
_LIFE = "life"
_STAGING = "staging"

STAGING_RUN_HOURS = "staging_run_hours"
STAGING_STARTS = "staging_starts"
STAGING = {STAGING_RUN_HOURS: "h", STAGING_STARTS: None}
"""The figures that decide who is next, with their units."""


class Counters:
    """The counters of one plant, by equipment."""

    def __init__(self, plant: Plant) -> None:
        """Start at zero."""
        gap = stale_after(plant.poll_interval)
        self._counters = {
            equipment.key: {kind: RunCounter(gap) for kind in (_LIFE, _STAGING)}
            for equipment in plant.equipment.values()
            if is_counted(equipment)
        }

    def __contains__(self, equipment: str) -> bool:
        """Return whether a machine is counted."""
        return equipment in self._counters

    def __getitem__(self, equipment: str) -> RunCounter:
        """Return the counter of a machine's life."""
        return self._counters[equipment][_LIFE]

    def staging(self, equipment: str) -> RunCounter:
        """Return the counter of a machine that can be set back."""
        return self._counters[equipment][_STAGING]

    def reset_staging(self, equipment: Iterable[str]) -> None:
        """Count the staging run hours and starts of machines from zero again."""
        for key in equipment:
            self._counters[key][_STAGING].reset()

    def observe(self, now: float, readings: Readings) -> None:
        """Take in a reading of the whole plant."""
        for key, counters in self._counters.items():
            reading = readings[f"{key}.{_PROOF}"].good
            running = None if reading is None else bool(reading)
            for counter in counters.values():
                counter.observe(now, running)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return {
            key: {kind: counter.as_dict() for kind, counter in counters.items()}
            for key, counters in self._counters.items()
        }

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on from what `as_dict` gave."""
        for key, counters in self._counters.items():
            stored = data.get(key)
            for kind, counter in counters.items():
                if isinstance(stored, Mapping) and isinstance(
                    stored.get(kind), Mapping
                ):
                    counter.restore(stored[kind])


def is_counted(equipment: Equipment) -> bool:
    """Whether it is known of a machine when it runs."""
    return _PROOF in equipment.points
