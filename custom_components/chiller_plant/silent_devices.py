"""Devices that do not answer: left out of the rounds, probed, told about once."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import override

from homeassistant.core import callback

from .commander import now
from .const import LOGGER
from .drivers.health import Change, Health
from .jobs import Jobs

_MOMENT = 0.05
_LOOK = 1.0
"""Seconds between two looks at which silent device is due."""


class SilentDevices(Mapping[str, str]):
    """Why each device that does not answer does not, by its key."""

    def __init__(
        self,
        plant: str,
        devices: Iterable[str],
        jobs: Jobs,
        probe: Callable[[str], None],
    ) -> None:
        """`probe` asks a device for something, to hear whether it answers."""
        self._plant = plant
        self._health = Health(devices)
        self._jobs = jobs
        self._probe = probe
        self._reasons: dict[str, str] = {}

    @override
    def __getitem__(self, device: str) -> str:
        return self._reasons[device]

    @override
    def __iter__(self) -> Iterator[str]:
        return iter(self._reasons)

    @override
    def __len__(self) -> int:
        return len(self._reasons)

    @callback
    def observe(
        self, moment: float, device: str, reason: str | None, took: float
    ) -> Change | None:
        """Take in how a reading that `took` so long ended; None: it answered."""
        change = self._health.observe(
            moment, device, answered=reason is None, took=took
        )
        if change is Change.WENT_SILENT:
            LOGGER.warning(
                "%s: %s does not answer and is left out until it does: %s",
                self._plant,
                device,
                reason,
            )
            self._reasons[device] = str(reason)
        elif change is Change.CAME_BACK:
            LOGGER.info("%s: %s answers again", self._plant, device)
            self._reasons.pop(device, None)
        elif reason is not None and device in self._reasons:
            self._reasons[device] = reason
        self._probe_in_time(moment)
        return change

    @callback
    def heard(self, device: str) -> None:
        """Ask a silent device at once that has just announced itself."""
        if device in self._reasons:
            self._probe(device)

    @callback
    def _probe_in_time(self, moment: float) -> None:
        if (pause := self._health.next_probe(moment)) is not None:
            # In steps, because another one may be due sooner by then.
            self._jobs.after(min(pause + _MOMENT, _LOOK), self._async_probe)

    async def _async_probe(self) -> None:
        moment = now()
        for device in self._health.probes_due(moment):
            self._probe(device)
        self._probe_in_time(moment)
