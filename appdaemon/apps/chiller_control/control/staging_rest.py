"""A sequence at rest is not gone through again and again.

Nearly always every machine does what it was told, and nobody wants anything
else: then what was decided holds until something else is seen or asked for.
"""

from collections.abc import Sequence

from .decision import Inputs
from .staging_plant import Chiller
from .staging_sequence import VALVE_CLOSING_TIME, StagingSequence
from .staging_step import SequenceStep


class Rest:
    """Asks a sequence where it can say something new, and remembers the rest."""

    def __init__(self, sequence: StagingSequence) -> None:
        """Remember nothing yet."""
        self._sequence = sequence
        plant = sequence.plant
        machines = (*plant.machines, *(item.machine for item in plant.chillers))
        points = {point for machine in machines for point in machine.points}
        points.update(item.remote_mode for item in plant.chillers if item.remote_mode)
        self._points = tuple(sorted(points))
        self._longest = max(sequence.settings.stop_flow_delay, VALVE_CLOSING_TIME)
        self._seen: object = None
        self._asked: object = None
        self._last: SequenceStep | None = None
        """What was said when the same was seen and asked for."""
        self._rests = False
        """Whether it would be said again."""
        self._unavailable: dict[str, str | None] = {}

    def observe(self, now: float, inputs: Inputs) -> None:
        """Take in what the machines report."""
        values = inputs.values
        seen = (
            list(map(values.get, self._points)),
            dict(inputs.taken),
            dict(inputs.holds),
        )
        if seen != self._seen:
            self._seen, self._last, self._rests = seen, None, False
        if not self._rests:
            self._unavailable.clear()
            self._sequence.observe(now, inputs)

    def unavailable(self, chiller: Chiller, inputs: Inputs) -> str | None:
        """Return why a chiller cannot be started, None if it can."""
        if chiller.key not in self._unavailable:
            why = self._sequence.unavailable(chiller, inputs)
            if not self._rests:
                return why
            self._unavailable[chiller.key] = why
        return self._unavailable[chiller.key]

    def step(
        self, now: float, inputs: Inputs, wanted: Sequence[Chiller], reason: str
    ) -> SequenceStep:
        """Return what every machine should do so that `wanted` run, only they."""
        last, asked = self._last, (tuple(wanted), reason, self._sequence.coasts)
        if asked != self._asked:
            self._asked, last, self._rests = asked, None, False
        if self._rests and last is not None:
            return last
        self._last = step = self._sequence.step(now, inputs, wanted, reason)
        self._rests = (
            # Said twice, so that what it remembers of itself has settled too.
            last is not None
            and step.commands == last.commands
            and not step.waiting
            and not step.events
            and self._nothing_to_come(now)
        )
        return step

    def _nothing_to_come(self, now: float) -> bool:
        """Whether time alone changes nothing."""
        sequence = self._sequence
        return (
            sequence.changing is None
            and not sequence.failures
            and all(now - at >= self._longest for at in sequence.stopped_at.values())
        )
