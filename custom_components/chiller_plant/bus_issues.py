"""Says what of the bus a person must repair: a connection, a device, a command.

A connection that cannot be opened is one fault, not one for each of its hundred
devices. A command that a hand at the device has put out of effect is none:
whoever did that meant it.
"""

from collections.abc import Callable, Mapping

from homeassistant.core import HomeAssistant, callback

from . import issues
from .links import Links
from .plant.model import Plant, PointKey, Value
from .plant.quality import QualityJudge
from .plant.reading import Reading


class BusIssues:
    """The repair issues of the connections and devices of one plant."""

    def __init__(
        self, hass: HomeAssistant, entry_id: str, plant: Plant, links: Links
    ) -> None:
        """Show nothing yet; what an attempt before this one showed stays."""
        self._hass = hass
        self._entry_id = entry_id
        self._plant = plant
        self._links = links
        # What is not known to be shown may be: from an attempt to set up.
        self._closed: dict[str, str | None] = dict.fromkeys(plant.connections, "")
        self._silent: dict[str, str | None] = dict.fromkeys(links.devices, "")
        self._mismatches: dict[PointKey, str | None] = {}

    @callback
    def async_show(self, silent: Mapping[str, str]) -> None:
        """Show which connections are closed and which devices are `silent`.

        Both with the reason. Whatever is well again is forgotten.
        """
        closed = self._links.closed
        for key, shown in self._closed.items():
            if (reason := closed.get(key)) == shown:
                continue
            self._closed[key] = reason
            if reason is None:
                issues.clear_closed_connection(self._hass, self._entry_id, key)
            else:
                issues.raise_closed_connection(
                    self._hass, self._entry_id, self._plant, key, reason
                )
        for device, shown in self._silent.items():
            reason = silent.get(device)
            if self._links.devices[device] in closed:
                reason = None
            if reason == shown:
                continue
            self._silent[device] = reason
            if reason is None:
                issues.clear_silent_device(self._hass, self._entry_id, device)
            else:
                issues.raise_silent_device(
                    self._hass, self._entry_id, self._plant, device, reason
                )

    @callback
    def async_show_mismatches(
        self,
        found: Mapping[PointKey, tuple[Value | None, Value]],
        judge: QualityJudge,
        reading: Callable[[PointKey], Reading],
    ) -> None:
        """Show which points do not keep what was written to them.

        `found` are the written and the read value of each.
        """
        mine = {key: reading(key).detail for key in found if not judge.by_hand(key)}
        for key in self._mismatches.keys() - mine.keys():
            issues.clear_mismatch(self._hass, self._entry_id, key)
        for key, why in mine.items():
            if key in self._mismatches and self._mismatches[key] == why:
                continue
            wanted, read = found[key]
            point = self._plant.points[key]
            issues.raise_mismatch(
                self._hass, self._entry_id, self._plant, point, wanted, read, why
            )
        self._mismatches = mine
