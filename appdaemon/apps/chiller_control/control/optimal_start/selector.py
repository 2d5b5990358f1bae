"""Which model to believe today, how much earlier than it says to start, and how sure.

Every recovery is first predicted by every model and only then learnt by it, so that
the errors by which models are chosen are those of predictions one day ahead on the
site's own history. Nights and days after a day off are judged apart, and the latter
have models of their own besides; cooling and heating share nothing.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import inf, isfinite

from .models import DecayedMean, LinearGradient, Model, Recent, all_models
from .recovery import Conditions, Mode, Recovery

HISTORY = 60
"""Recoveries that are worth keeping: twelve weeks of working days."""

HISTORY_AFTER_DAY_OFF = 12
"""Those after a day off that are kept besides: some buildings have few a year."""

FIRST_DAYS = 3
"""Recoveries before any model is believed."""

_FIRST_DAYS_OFF = 1
"""The same of days after a day off, beside as many usual ones."""

BLEND = "blend"
"""The name of the mean of all models, each by how right it has been."""

_ERRORS_KEPT = 0.93
_OUTDOOR_NEW = 0.2
_USUAL_COUNTS_FOR = 2.0
_TRUST_IN_FIRST = 0.85
"""The regression knows most about a building: another is believed only if it is
clearly better, or every few days chance would choose."""

_OUTLIER = 4.0
"""Times the usual error, and at least so many minutes:"""
_OUTLIER_MINUTES = 45.0
_OUTLIER_DAYS = 7
"""Days before anything is called odd."""

_UNSEEN = 0.3
"""K by which a way has to be shorter than any before to be called new."""

_SPREAD_OF_ERROR = 1.25
"""Standard deviation over mean absolute error of a normal distribution."""

_LEAST_SPREAD = 2.0


@dataclass(frozen=True, slots=True)
class Estimate:
    """How long it will take, in minutes, and how sure that is."""

    minutes: float
    """What is most likely."""
    spread: float
    """Standard deviation of what came out differently."""
    model: str
    days: int
    """Recoveries that speak for it."""

    def with_margin(self, margin: float) -> float:
        """Return minutes that are enough unless the error is `margin` spreads."""
        return self.minutes + margin * self.spread


@dataclass(slots=True)
class _Errors:
    """What one model was wrong by."""

    sum: float = 0.0
    weight: float = 0.0
    count: int = 0

    def add(self, error: float) -> None:
        self.sum = _ERRORS_KEPT * self.sum + abs(error)
        self.weight = _ERRORS_KEPT * self.weight + 1.0
        self.count += 1

    @property
    def mean(self) -> float:
        return self.sum / self.weight if self.weight else float("inf")


@dataclass(slots=True)
class _Kind:
    """Usual days, or those after a day off."""

    errors: dict[str, _Errors] = field(default_factory=dict)
    days: int = 0


class Selector:
    """The models of one building, for cooling or for heating."""

    def __init__(self, models: Sequence[Model] | None = None) -> None:
        """Begin with nothing; the first of the models is trusted a little more.

        Models are given for drifts after a stop; without them it is about starts.
        """
        self._models = list(models) if models is not None else all_models()
        self._of_starts = models is None
        self._shortest = inf
        """The shortest way that was learnt, in K."""
        # Few days a year are after a day off: only what learns from few of them.
        self._day_off_models: list[Model] = [
            DecayedMean(0.7),
            LinearGradient(),
            Recent(3),
        ]
        self._kinds = (_Kind(), _Kind())
        self._odd: deque[Recovery] = deque(maxlen=1)
        self._outdoor: float | None = None
        """What it has been outdoors lately, for when that is not measured."""

    @property
    def days(self) -> int:
        """Recoveries that were learnt from."""
        return sum(kind.days for kind in self._kinds)

    def estimate(self, conditions: Conditions) -> Estimate | None:
        """Return how long it will take, None as long as too little is known."""
        kind = self._kinds[conditions.after_day_off]
        if self.days < FIRST_DAYS or (
            conditions.after_day_off and kind.days < _FIRST_DAYS_OFF
        ):
            return None
        said = self._said(conditions)
        if not said:
            return None
        name, minutes, error = self._best(conditions, said)
        minutes = self._careful(conditions.distance, minutes, said)
        spread = 0.25 * minutes if error is None else _SPREAD_OF_ERROR * error
        if conditions.after_day_off:
            spread *= 1.0 + 1.0 / (1.0 + kind.days)
        return Estimate(max(0.0, minutes), max(_LEAST_SPREAD, spread), name, self.days)

    def _careful(self, way: float, minutes: float, said: Mapping[str, float]) -> float:
        """Return minutes of a drift: shorter for a way shorter than any before.

        Who has been right by taking all days for the same knows nothing of it.
        """
        rated = said.get(LinearGradient.name)
        if self._of_starts or rated is None or way >= self._shortest - _UNSEEN:
            return minutes
        return min(minutes, rated)

    def _said(self, conditions: Conditions) -> dict[str, float]:
        conditions = self._with_outdoor(conditions)
        models = {model.name: model for model in self._models}
        if conditions.after_day_off:
            models |= {f"{m.name}_after_day_off": m for m in self._day_off_models}
        said = {name: model.minutes(conditions) for name, model in models.items()}
        return {
            name: minutes
            for name, minutes in said.items()
            if minutes is not None and isfinite(minutes)
        }

    def _with_outdoor(self, conditions: Conditions) -> Conditions:
        """Return what is known of outdoors: usual weather rather than none."""
        if conditions.outdoor is not None or self._outdoor is None:
            return conditions
        return replace(conditions, outdoor=self._outdoor)

    def _score(self, after_day_off: bool, name: str) -> float | None:
        """Return the minutes by which a model is usually wrong; None: not known.

        What is known of usual days counts for two days after a day off.
        """
        own = self._kinds[after_day_off].errors.get(name, _Errors())
        usual = self._kinds[False].errors.get(name)
        if not after_day_off or usual is None:
            enough = _USUAL_COUNTS_FOR if after_day_off else 0.0
            return own.mean if own.weight > enough else None
        return (own.sum + _USUAL_COUNTS_FOR * usual.mean) / (
            own.weight + _USUAL_COUNTS_FOR
        )

    def _best(
        self, conditions: Conditions, said: dict[str, float]
    ) -> tuple[str, float, float | None]:
        """Return the name of who is believed, the answer, and its usual error."""
        scores: dict[str, float] = {}
        for name in (*said, BLEND):
            score = self._score(conditions.after_day_off, name)
            if score is not None:
                scores[name] = score
        answers = said | {BLEND: _blend(scores, said)}
        preferred = {
            name: score * (_TRUST_IN_FIRST if name == self._models[0].name else 1.0)
            for name, score in scores.items()
        }
        name = min(preferred, key=preferred.__getitem__, default=next(iter(said)))
        return name, answers[name], scores.get(name)

    def learn(self, recovery: Recovery) -> None:
        """Take one recovery; one that is odd only when the next is odd alike."""
        if not recovery.usable:
            return
        said = self._said(recovery.conditions)
        if self._is_odd(recovery, said):
            if self._odd and self._alike(recovery, self._odd[0]):
                before = self._odd.pop()
                self._take(before, self._said(before.conditions))
                self._take(recovery, self._said(recovery.conditions))
            else:
                self._odd.append(recovery)
            return
        self._odd.clear()
        self._take(recovery, said)

    def _is_odd(self, recovery: Recovery, said: dict[str, float]) -> bool:
        kind = self._kinds[recovery.conditions.after_day_off]
        if kind.days < _OUTLIER_DAYS or not said:
            return False
        _, minutes, error = self._best(recovery.conditions, said)
        return abs(recovery.minutes - minutes) > max(
            _OUTLIER_MINUTES, _OUTLIER * (error or 0.0)
        )

    def _alike(self, one: Recovery, other: Recovery) -> bool:
        def way(recovery: Recovery) -> bool | None:
            said = self._said(recovery.conditions)
            if not said:
                return None
            return recovery.minutes > self._best(recovery.conditions, said)[1]

        return way(one) == way(other)

    def _take(self, recovery: Recovery, said: dict[str, float]) -> None:
        conditions, minutes = recovery.conditions, recovery.minutes
        kind = self._kinds[conditions.after_day_off]
        if not recovery.reached:
            # It takes longer than that; who says so anyway learns nothing.
            if said and self._best(conditions, said)[1] >= minutes:
                return
        if said:
            scores = {
                name: score
                for name in said
                if (score := self._score(conditions.after_day_off, name)) is not None
            }
            said = said | {BLEND: _blend(scores, said)}
        for name, answer in said.items():
            kind.errors.setdefault(name, _Errors()).add(answer - minutes)
        self._shortest = min(self._shortest, conditions.distance)
        recovery = replace(recovery, conditions=self._with_outdoor(conditions))
        if (outdoor := conditions.outdoor) is not None:
            before = outdoor if self._outdoor is None else self._outdoor
            self._outdoor = before + _OUTDOOR_NEW * (outdoor - before)
        for model in self._models:
            model.learn(recovery)
        if conditions.after_day_off:
            for model in self._day_off_models:
                model.learn(recovery)
        kind.days += 1


def _blend(scores: Mapping[str, float], said: Mapping[str, float]) -> float:
    """Return the mean of all, each by how right it has been."""
    weights = {name: (scores[name] + 1.0) ** -4 for name in said if name in scores}
    if not weights:
        return sum(said.values()) / len(said)
    return sum(said[name] * part for name, part in weights.items()) / sum(
        weights.values()
    )


def worth_keeping(recoveries: Iterable[Recovery]) -> list[Recovery]:
    """Return those that are learnt from, oldest first."""
    ordered = sorted(recoveries, key=lambda item: item.at)
    older = [item for item in ordered[:-HISTORY] if item.conditions.after_day_off]
    newer = ordered[-HISTORY:]
    known = sum(item.conditions.after_day_off for item in newer)
    missing = max(0, HISTORY_AFTER_DAY_OFF - known)
    return older[max(0, len(older) - missing) :] + newer if missing else newer


def learn_all(recoveries: Iterable[Recovery]) -> dict[Mode, Selector]:
    """Return what a history teaches, for each mode in it."""
    selectors: dict[Mode, Selector] = {}
    for recovery in worth_keeping(recoveries):
        selectors.setdefault(recovery.conditions.mode, Selector()).learn(recovery)
    return selectors
