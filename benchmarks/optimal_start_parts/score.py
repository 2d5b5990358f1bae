"""What mornings come to, as somebody who pays for them would ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from .mornings import Morning

LEARNING = 15
"""Days that are not judged: everybody may learn first."""


@dataclass(frozen=True, slots=True)
class Score:
    """Minutes are means over mornings."""

    mornings: int
    error: float
    """Between being there and opening, whichever came first."""
    late: float
    """Share of mornings more than ten minutes late, %."""
    missed: float
    """Degree-minutes a morning, in the first two hours."""
    pre_run: float
    """From start to opening."""
    monday: float
    """The error on Mondays."""
    day_off: float
    """The error after any day off."""
    usual: float
    """The error on all other days."""


def score(mornings: Sequence[Morning], way: str) -> Score:
    """Judge one way, the first days apart."""
    judged = [item for item in mornings if item.way == way and item.day >= LEARNING]
    return Score(
        mornings=len(judged),
        error=_error(judged),
        late=100.0 * fmean(item.reached > 10.0 for item in judged),
        missed=fmean(item.missed for item in judged),
        pre_run=fmean(-item.started for item in judged),
        monday=_error([item for item in judged if item.monday]),
        day_off=_error([item for item in judged if item.after_day_off]),
        usual=_error([item for item in judged if not item.after_day_off]),
    )


def _error(mornings: Sequence[Morning]) -> float:
    if not mornings:
        return float("nan")
    return fmean(abs(item.reached) for item in mornings)
