"""Run hours and starts of every machine whose running is proven."""

from collections.abc import Mapping
from typing import Any

from .plant.derived import RunCounter
from .plant.model import Plant
from .plant.reading import Readings
from .plant.sampling import stale_after

_PROOF = "run_status"


class Counters:
    """The counters of one plant, by equipment."""

    def __init__(self, plant: Plant) -> None:
        """Start at zero."""
        gap = stale_after(plant.poll_interval)
        self._counters = {
            equipment.key: RunCounter(gap)
            for equipment in plant.equipment.values()
            if _PROOF in equipment.points
        }

    def __contains__(self, equipment: str) -> bool:
        """Return whether a machine is counted."""
        return equipment in self._counters

    def __getitem__(self, equipment: str) -> RunCounter:
        """Return the counter of a machine."""
        return self._counters[equipment]

    def observe(self, now: float, readings: Readings) -> None:
        """Take in a reading of the whole plant."""
        for key, counter in self._counters.items():
            running = readings[f"{key}.{_PROOF}"].good
            counter.observe(now, None if running is None else bool(running))

    def as_dict(self) -> dict[str, Any]:
        """Return JSON types."""
        return {key: counter.as_dict() for key, counter in self._counters.items()}

    def restore(self, data: Mapping[str, Any]) -> None:
        """Go on from what `as_dict` gave."""
        for key, stored in data.items():
            if key in self._counters and isinstance(stored, Mapping):
                self._counters[key].restore(stored)
