"""What was asked of one plant in an event, as it changed: its share of a portfolio's.

Powers are kW, times epoch seconds.
"""

from collections.abc import Iterable, Sequence

MOST_SPANS = 500
"""What was asked before is joined where it changes more often than that."""

type Span = tuple[float, float, float, float]
"""(since, until, kW of this plant, kW of all plants)."""


class AskedOver:
    """The shares of one plant in one event, in the order of time."""

    def __init__(self, spans: Iterable[Sequence[float]] = ()) -> None:
        """Go on from what `as_list` gave. Raises TypeError, ValueError."""
        self._spans: list[Span] = []
        for since, until, kw, of_kw in spans:
            self._spans.append((float(since), float(until), float(kw), float(of_kw)))

    def ask(self, now: float, until: float, kw: float, of_kw: float) -> None:
        """Ask for so much from now on, in place of what was asked for before."""
        if self._spans:
            since, ends, before, before_of = self._spans[-1]
            if (before, before_of) == (kw, of_kw) and ends >= now:
                self._spans[-1] = (since, until, kw, of_kw)
                return
            self._spans[-1] = (since, min(ends, now), before, before_of)
            if since >= now:
                self._spans.pop()
        self._spans.append((now, until, kw, of_kw))
        if len(self._spans) > MOST_SPANS:
            self._spans[:2] = [_joined(*self._spans[:2])]

    @property
    def last(self) -> Span | None:
        """What was asked for last, which may have run out."""
        return self._spans[-1] if self._spans else None

    def mean(self, since: float, until: float) -> tuple[float, float]:
        """Return the means over a time, of this plant and of all; else 0 was asked."""
        own = every = 0.0
        for begin, end, kw, of_kw in self._spans:
            seconds = max(min(end, until) - max(begin, since), 0.0)
            own += seconds * kw
            every += seconds * of_kw
        whole = until - since
        return (own / whole, every / whole) if whole > 0.0 else (0.0, 0.0)

    def as_list(self) -> list[list[float]]:
        """Return it in JSON types."""
        return [list(span) for span in self._spans]


def _joined(first: Span, second: Span) -> Span:
    """Return one span that asked for the same energy as two."""
    whole = second[1] - first[0]
    if whole <= 0.0:
        return second
    parts = [(span[1] - span[0]) / whole for span in (first, second)]
    return (
        first[0],
        second[1],
        parts[0] * first[2] + parts[1] * second[2],
        parts[0] * first[3] + parts[1] * second[3],
    )
