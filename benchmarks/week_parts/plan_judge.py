"""Whether every automation was at what the calendar and the priorities say."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from .expected_kspo import AUTOMATIONS, Expected
from .site_run import Moment, Record

_REACTS_WITHIN = timedelta(minutes=3)
"""After a change of day or hour, until everybody has heard and done it."""


@dataclass(slots=True)
class PlanVerdict:
    """How many of the looks were right, and what was not."""

    looks: int = 0
    wrong: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def right(self) -> float:
        """Share of the looks that were right, %."""
        return 100.0 * (1.0 - self.wrong / self.looks) if self.looks else 0.0


def judge_plan(record: Record, expected: Callable[[datetime], Expected]) -> PlanVerdict:
    """Compare each minute of a run with what must be seen."""
    verdict = PlanVerdict()
    for moment in record.moments:
        local = datetime.fromtimestamp(moment.at, record.zone)
        wrong = set(_wrong(moment, expected(local)))
        # What has just changed may still be as it was a moment ago.
        for back in range(1, _REACTS_WITHIN // timedelta(minutes=1) + 1):
            if not wrong:
                break
            wrong &= set(_wrong(moment, expected(local - timedelta(minutes=back))))
        verdict.looks += len(AUTOMATIONS) + len(moment.owners)
        verdict.wrong += len({about for about, _ in wrong})
        if wrong and len(verdict.examples) < 20:
            verdict.examples += [
                f"{local:%a %H:%M} {about}: {what}" for about, what in sorted(wrong)
            ]
    return verdict


def _wrong(moment: Moment, expected: Expected) -> Iterator[tuple[str, str]]:
    """Yield what is not as it must be: about what, and what was seen."""
    for key in moment.planned ^ expected.planned:
        seen = "in the plan" if key in moment.planned else "not in the plan"
        yield key, seen
    for key, allowed in expected.states.items():
        state = moment.states.get(key)
        if state not in allowed:
            yield key, f"is {state}"
    for point, owner in expected.owners.items():
        if moment.owners[point] != owner:
            yield point, f"is {moment.owners[point]}'s"
