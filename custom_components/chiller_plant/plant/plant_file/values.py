"""What a single value of a plant file may be."""

from collections.abc import Callable, Iterable
from enum import StrEnum
import math
import re
from typing import Any

import voluptuous as vol

type Validator = Callable[[object], object]

_SLUG = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)


class NotOneOf(vol.Invalid):
    """A name that is not in a list; carries the list for a suggestion."""

    def __init__(self, word: object, names: Iterable[object]) -> None:
        """Keep the word and the list."""
        super().__init__("not allowed")
        self.word = word
        self.names = tuple(names)


def text(value: object) -> str:
    """Accept a line of text for people."""
    if not isinstance(value, str) or not value.strip() or len(value) > 100:
        raise vol.Invalid("expected text of 1 to 100 characters")
    if not value.isprintable():
        raise vol.Invalid("expected text on one line")
    return value


def slug(value: object) -> str:
    """Accept a name that other keys refer to."""
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise vol.Invalid(
            "expected a key of lower-case letters, digits and _, at most 64, "
            "starting with a letter"
        )
    return value


def boolean(value: object) -> bool:
    """Accept true or false."""
    if not isinstance(value, bool):
        raise vol.Invalid("expected true or false")
    return value


def number(
    low: float | None = None,
    high: float | None = None,
    *,
    above: float | None = None,
    whole: bool = False,
) -> Validator:
    """Return a validator for a finite number from `low` to `high`."""
    kind = "a whole number" if whole else "a number"
    if above is not None:
        expected = f"expected {kind} above {above}"
    elif low is not None and high is not None:
        expected = f"expected {kind} from {low} to {high}"
    elif low is not None:
        expected = f"expected {kind} not below {low}"
    else:
        expected = f"expected {kind}"

    def check(value: object) -> float:
        if (
            isinstance(value, bool)
            or not isinstance(value, int if whole else (int, float))
            or not math.isfinite(value)
            or (low is not None and value < low)
            or (high is not None and value > high)
            or (above is not None and value <= above)
        ):
            raise vol.Invalid(expected)
        return value if whole else float(value)

    return check


def one_of(names: Iterable[str] | type[StrEnum]) -> Validator:
    """Return a validator for one of these names (or a member of the enum)."""
    members = {str(name): name for name in names}

    def check(value: object) -> object:
        if not isinstance(value, str) or value not in members:
            raise NotOneOf(value, members)
        return members[value]

    return check


def list_of(validator: Validator) -> Validator:
    """Return a validator for a list without repetitions."""
    schema = vol.Schema([validator])

    def check(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise vol.Invalid("expected a list")
        items: list[object] = schema(value)
        if len(set(items)) < len(items):
            raise vol.Invalid("expected every name once")
        return tuple(items)

    return check


def mapping_of(key: Validator, value: Validator) -> Validator:
    """Return a validator for a mapping with keys of the file's own choice."""
    schema = vol.Schema({key: value})

    def check(data: object) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise vol.Invalid("expected a mapping")
        return dict(schema(data))

    return check


def anything(value: object) -> object:
    """Accept what another room checks."""
    return value


def limits(value: object) -> tuple[float | None, float | None]:
    """Accept `[low, high]`; either may be null for none."""
    expected = "expected [low, high] with low below high; null for none"
    if not isinstance(value, list) or len(value) != 2:
        raise vol.Invalid(expected)
    finite = number()
    low, high = (None if end is None else finite(end) for end in value)
    if not (low is None or isinstance(low, float)):
        raise vol.Invalid(expected)
    if not (high is None or isinstance(high, float)):
        raise vol.Invalid(expected)
    if low is not None and high is not None and low >= high:
        raise vol.Invalid(expected)
    return low, high


def release(value: object) -> object:
    """Accept what a point may be told: true, false or a number."""
    return value if isinstance(value, bool) else number()(value)


def variable(value: object) -> object:
    """Accept what a template may be filled with."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise vol.Invalid("expected a number or text")
    if not math.isfinite(value):
        raise vol.Invalid("expected a finite number or text")
    return value
