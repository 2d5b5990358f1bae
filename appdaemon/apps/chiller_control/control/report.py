"""What an automation tells of itself, put together only when somebody looks.

A controller decides far more often than anybody reads why: most of what it
would tell is never asked for.
"""

from collections.abc import Callable, Iterator, Mapping


class Report(Mapping[str, object]):
    """The attributes of a decision; JSON types only.

    They tell of the controller as it is when they are first looked at, so look
    before its next step.
    """

    __slots__ = ("_build", "_built")

    def __init__(self, build: Callable[[], Mapping[str, object]]) -> None:
        """Keep how to find out."""
        self._build = build
        self._built: Mapping[str, object] | None = None

    def _look(self) -> Mapping[str, object]:
        if self._built is None:
            self._built = self._build()
        return self._built

    def __getitem__(self, key: str) -> object:
        """Return one attribute."""
        return self._look()[key]

    def __iter__(self) -> Iterator[str]:
        """Go over the names."""
        return iter(self._look())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._look())
