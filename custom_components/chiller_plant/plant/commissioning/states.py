"""What the texts of a state mean to a point that is true or false."""

import re

from ..model import States
from ..roles import Quantity, Role

_TRUE = "on run running start started active enable enabled open opened occupied remote yes true proven flow"
_FALSE = (
    "off stop stopped inactive disable disabled close closed shut unoccupied local no "
    "false idle standby ready"
)
_ALARM_TRUE = "alarm fault trip tripped tripout failure fail failed active"
# An alert or a warning is no reason to lock a machine out.
_ALARM_FALSE = "normal ok none inactive healthy clear alert warning"


def states_of(role: Role, texts: tuple[str, ...]) -> States | None:
    """Return what each state of a multi-state object means, the first is 1.

    None where a text is not known: then a person must say it.
    """
    means: list[tuple[int, bool]] = []
    for number, text in enumerate(texts, 1):
        if (value := meaning(role, text)) is None:
            return None
        means.append((number, value))
    return tuple(means) if {value for _, value in means} == {True, False} else None


def is_inverted(role: Role, texts: tuple[str, ...]) -> bool:
    """Whether the two texts of a binary object say the opposite of its role."""
    if len(texts) != 2:
        return False
    inactive, active = (meaning(role, text) for text in texts)
    return inactive is True or active is False


def meaning(role: Role, text: str) -> bool | None:
    """Return what one text means; None where that is not known."""
    words = set(re.findall(r"[a-z]+", text.casefold()))
    problem = role.quantity is Quantity.PROBLEM
    true = set((_ALARM_TRUE if problem else _TRUE).split())
    false = set((_ALARM_FALSE if problem else _FALSE).split())
    says_true, says_false = bool(words & true), bool(words & false)
    if says_true is says_false or "not" in words:
        return None
    return says_true
