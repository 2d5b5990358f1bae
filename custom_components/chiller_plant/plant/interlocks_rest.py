"""A plant at rest is not gone over again and again.

Nearly always every machine does what it was told, and has done so for long:
then a look finds what the look before it found, and only the times go on. What
all looks are made of is compared, not what they came to, so that whatever is
seen, sent or waited for ends the rest.
"""

from collections.abc import Iterable, Mapping

from .interlocks_history import History
from .interlocks_view import View
from .model import Equipment

_SAME_TIME = 0.001
"""Seconds by which two clocks that go alike may seem to differ."""


class Rest:
    """Whether the last look still holds, and what goes on while it does."""

    def __init__(
        self,
        motors: Iterable[Equipment],
        compressors: Iterable[Equipment],
        histories: Mapping[str, History],
        view: View,
    ) -> None:
        """Begin with nothing seen."""
        self._motors = tuple((item, histories[item.key]) for item in motors)
        self._compressors = tuple((item, histories[item.key]) for item in compressors)
        self._view = view
        self._seen: object = None
        self._lag = 0.0
        """How far steady time was behind the clock."""
        self._rests = False
        self._running: list[History] = []
        self._started: list[History] = []
        """Those with starts that have to be forgotten some day."""

    def end(self) -> None:
        """Look anew: what the machines did was changed from elsewhere."""
        self._rests = False

    def goes_on(self) -> bool:
        """Whether this look finds what the last one found; if so, take it in."""
        view = self._view
        seen = view.settled()
        if (
            self._rests
            and seen == self._seen
            # Readings grow no older than what was commanded since.
            and view.lag <= self._lag + _SAME_TIME
        ):
            time = view.time
            for history in self._running:
                history.worked_until = history.active_until = time
            for history in self._started:
                history.forget_starts(time)
            return True
        self._rests, self._seen, self._lag = False, seen, view.lag
        return False

    def begin(self) -> None:
        """Rest after a look that leaves nothing to wait for."""
        view = self._view
        self._rests = (
            self._seen is not None
            and all(self._is_steady(*item) for item in self._motors)
            and all(self._needs_no_flow(*item) for item in self._compressors)
            and not view.anything_just_on()
        )
        if self._rests:
            known = [history for _, history in self._motors]
            self._running = [history for history in known if history.running]
            self._started = [history for history in known if history.starts]

    def _is_steady(self, machine: Equipment, history: History) -> bool:
        """Whether a machine does what it was told, and nothing holds it off."""
        return (
            history.running is not None
            and history.pending is None
            and history.lock is None
            and history.flow_lost_since is None
            and (history.running or not self._view.maybe_on(machine))
        )

    def _needs_no_flow(self, machine: Equipment, history: History) -> bool:
        """Whether a machine that stands has not needed flow for long enough."""
        until, time = history.active_until, self._view.time
        return (
            bool(history.running)
            or until is None
            or (until < time and time - until >= machine.interlocks.flow_keep_time)
        )
