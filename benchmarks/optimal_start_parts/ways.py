"""Ways to say when to start: ours, and what it is held against."""

from collections import deque
from collections.abc import Callable
from statistics import mean
from typing import Protocol

from appdaemon.apps.chiller_control.control.optimal_start.models import Model
from appdaemon.apps.chiller_control.control.optimal_start.recovery import (
    Conditions,
    Recovery,
)
from appdaemon.apps.chiller_control.control.optimal_start.selector import (
    Selector,
    worth_keeping,
)
from appdaemon.apps.chiller_control.control.optimal_start.tutorial_compat import (
    Day,
    TutorialModel3,
)


class Way(Protocol):
    """One way to say it, in one building."""

    def minutes(self, conditions: Conditions) -> float | None:
        """Return minutes before opening; None: as early as is allowed."""

    def learn(self, recovery: Recovery) -> None:
        """See what came of it."""


class Fixed:
    """The same every day."""

    def __init__(self, minutes: float) -> None:
        """Take the minutes."""
        self._minutes = minutes

    def minutes(self, conditions: Conditions) -> float:
        """Return them."""
        return self._minutes

    def learn(self, recovery: Recovery) -> None:
        """Learn nothing."""


class LastFive:
    """The average of what the last five took."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._last: deque[float] = deque(maxlen=5)

    def minutes(self, conditions: Conditions) -> float | None:
        """Return the average."""
        return mean(self._last) if self._last else None

    def learn(self, recovery: Recovery) -> None:
        """See what came of it."""
        self._last.append(recovery.minutes)


class Tutorial:
    """The tutorial's Model 3 with its own defaults and clamp, in its own °F."""

    def __init__(self) -> None:
        """Begin with the defaults."""
        self._model = TutorialModel3()

    def minutes(self, conditions: Conditions) -> float:
        """Return what it says."""
        self._model.setpoint = _fahrenheit(conditions.setpoint)
        return self._model.minutes(
            _fahrenheit(conditions.zone), _fahrenheit(conditions.outdoor or 0.0)
        )

    def learn(self, recovery: Recovery) -> None:
        """See what came of it."""
        conditions = recovery.conditions
        self._model.setpoint = _fahrenheit(conditions.setpoint)
        self._model.learn(
            [
                Day(
                    _fahrenheit(conditions.zone),
                    _fahrenheit(conditions.outdoor or 0.0),
                    recovery.minutes,
                )
            ]
        )


def _fahrenheit(celsius: float) -> float:
    return 32.0 + 1.8 * celsius


class OneModel:
    """One of our models alone, without a margin."""

    def __init__(self, model: Model) -> None:
        """Take it."""
        self._model = model

    def minutes(self, conditions: Conditions) -> float | None:
        """Return what it says."""
        return self._model.minutes(conditions)

    def learn(self, recovery: Recovery) -> None:
        """See what came of it."""
        self._model.learn(recovery)


class Ours:
    """The selector, with so many spreads of its errors for a margin."""

    def __init__(self, margin: float) -> None:
        """Take the margin."""
        self._margin = margin
        self._history: list[Recovery] = []
        self._selector = Selector()

    def minutes(self, conditions: Conditions) -> float | None:
        """Return what is enough."""
        estimate = self._selector.estimate(conditions)
        return None if estimate is None else estimate.with_margin(self._margin)

    def learn(self, recovery: Recovery) -> None:
        """See what came of it."""
        # As a site does: what is kept is learnt anew.
        self._history = worth_keeping([*self._history, recovery])
        self._selector = Selector()
        for item in self._history:
            self._selector.learn(item)


WAYS: dict[str, Callable[[], Way]] = {
    "ours": lambda: Ours(1.0),
    "fixed_90": lambda: Fixed(90.0),
    "fixed_180": lambda: Fixed(180.0),
    "last_five": LastFive,
    "tutorial": Tutorial,
}
