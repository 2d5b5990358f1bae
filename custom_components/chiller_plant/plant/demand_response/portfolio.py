"""One requested reduction shared by several plants.

What is asked for is split by what each plant can give, how sure that is, and what it
has borne before. A plant that does not deliver is asked for no more than it does
deliver, and the others make up for it. Powers are kW, times epoch seconds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

LEAST_CONFIDENCE = 0.1
"""A plant that nobody is sure of is still asked, if little."""
EVENED = 1.0
"""Hours of full shedding that a plant bore more than another one, at which it is asked
for half as much."""
DELIVERS = 0.7
"""Share of what was asked for, below which a plant does not deliver."""
NOTHING = 0.001
"""kW below which there is nothing to ask for."""
SMALL = 1.0
"""kW that no meter can be held to."""
FAILS_AFTER = 300.0
"""Seconds for which it must not deliver before the others make up for it."""
TRIED_AGAIN_AFTER = 1800.0
LEAST_CHANGE = 1.0
SAME = 0.02
"""kW, and share of what is requested: shares stay while no more of it moves."""


@dataclass(frozen=True, slots=True)
class Site:
    """One plant of a portfolio, as it stands now."""

    key: str
    available_kw: float
    """All that it could shed, with what it already sheds."""
    confidence: float = 1.0
    """How sure that is, 0 to 1."""
    burden: float = 0.0
    """Hours of full shedding that it has borne in events before."""
    delivered_kw: float = 0.0
    failing: bool = False

    @property
    def limit(self) -> float:
        """The most that is asked of it."""
        most = _at_least_0(self.available_kw)
        if self.failing:
            most = min(most, _at_least_0(self.delivered_kw))
        return most if most >= NOTHING else 0.0


def share(requested_kw: float, sites: Iterable[Site]) -> dict[str, float]:
    """Return what each plant is asked to shed.

    The sum is what was requested, or all that there is where that is less. Raises
    ValueError for two plants with the same key.
    """
    members = tuple(sites)
    shares = dict.fromkeys((site.key for site in members), 0.0)
    if len(shares) < len(members):
        raise ValueError("two plants of a portfolio have the same key")
    weights = _weights(members)
    open_ = [site for site in members if site.limit > 0.0]
    left = _at_least_0(requested_kw)
    while open_ and left > 0.0:
        each = left / sum(weights[site.key] for site in open_)
        full = [site for site in open_ if weights[site.key] * each >= site.limit]
        if not full:
            for site in open_:
                shares[site.key] = weights[site.key] * each
            break
        for site in full:
            shares[site.key] = site.limit
            left = max(0.0, left - site.limit)
        open_ = [site for site in open_ if site not in full]
    return shares


def slack_kw(requested_kw: float) -> float:
    """Return how much may be asked of the wrong plants, so that shares stay."""
    return max(LEAST_CHANGE, SAME * _at_least_0(requested_kw))


def hardly_change(
    before: Mapping[str, float], after: Mapping[str, float], requested_kw: float
) -> bool:
    """Return whether plants are left with the shares that they have.

    What counts is what moves in all: many small plants are as much as a large one.
    """
    return before.keys() == after.keys() and sum(
        abs(before[key] - kw) for key, kw in after.items()
    ) <= slack_kw(requested_kw)


def _weights(sites: Sequence[Site]) -> dict[str, float]:
    """Return in which proportion plants are asked, before their limits."""
    least = min((_at_least_0(site.burden) for site in sites), default=0.0)
    return {
        site.key: _at_least_0(site.available_kw)
        * min(1.0, max(LEAST_CONFIDENCE, _at_least_0(site.confidence)))
        / (1.0 + (_at_least_0(site.burden) - least) / EVENED)
        for site in sites
    }


class Deliveries:
    """Which plants do not deliver what they are asked for."""

    def __init__(self) -> None:
        """Begin with trust in all of them."""
        self._short_since: dict[str, float] = {}
        self._failing_since: dict[str, float] = {}

    def step(
        self,
        now: float,
        asked: Mapping[str, float],
        delivered: Mapping[str, float | None],
    ) -> frozenset[str]:
        """Return the plants that fail now.

        One whose delivery is not known delivers nothing. One that failed is trusted
        again after a while: asked for only what it delivers, it would look healthy.
        """
        for key in [*self._short_since, *self._failing_since]:
            if key not in asked:
                self._short_since.pop(key, None)
                self._failing_since.pop(key, None)
        for key, wanted in asked.items():
            since = self._failing_since.get(key)
            if since is not None:
                if now - since >= TRIED_AGAIN_AFTER:
                    del self._failing_since[key]
                continue
            if (delivered.get(key) or 0.0) >= DELIVERS * wanted - SMALL:
                self._short_since.pop(key, None)
            elif now - self._short_since.setdefault(key, now) >= FAILS_AFTER:
                self._failing_since[key] = now
                del self._short_since[key]
        return frozenset(self._failing_since)


def _at_least_0(value: float) -> float:
    return max(0.0, value) if isfinite(value) else 0.0
