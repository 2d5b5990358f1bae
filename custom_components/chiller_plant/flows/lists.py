"""Lists for people in the texts of forms."""

from collections.abc import Iterable, Sequence

_MOST_SHOWN = 30

NOTHING = "none"
"""In place of a list; a lone dash would be drawn as an empty one."""


def bullets(lines: Iterable[str]) -> str:
    """Return lines as a list."""
    return "\n".join(f"- {line}" for line in lines)


def some(lines: Sequence[str]) -> str:
    """Return the first lines as a list, and how many there are beyond."""
    text = bullets(lines[:_MOST_SHOWN])
    more = len(lines) - _MOST_SHOWN
    return f"{text}\n- and {more} more" if more > 0 else text
