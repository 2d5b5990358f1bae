"""What an automation is about to do, and what people changed of that.

An occurrence is one time that something happens: Monday's start, the next
turn of the chillers, the chiller that is added when its hold is over. People
move, hand over or cancel an occurrence; what it came from stays as it is, and
so does every other occurrence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HORIZON = 7 * 86400.0
"""Seconds ahead that are told."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """What somebody changed of one occurrence."""

    at: float | None = None
    """When it happens instead, epoch seconds."""
    equipment: str | None = None
    """With what it happens instead."""
    cancelled: bool = False
    by: str = ""
    """Who changed it, for people."""

    @property
    def note(self) -> str:
        """Say who changed it, to follow a reason; empty if nothing is changed."""
        if self == Amendment():
            return ""
        return f" (changed by {self.by})" if self.by else " (changed by hand)"


Amendments = Mapping[str, Amendment]
"""By the id of the occurrence."""


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """One occurrence that is to come; times in epoch seconds."""

    id: str
    """The same for this occurrence whatever is changed of it, and after a restart."""
    kind: str
    at: float
    original: float
    """When it would happen if nobody had changed it."""
    reason: str
    until: float | None = None
    """When what it does ends, where that is known."""
    equipment: tuple[str, ...] = ()
    before: object = None
    after: object = None
    earliest: float | None = None
    """Before that it cannot happen; None: any time from now on."""
    latest: float | None = None
    """After that it would mean nothing; None: no limit."""
    choices: tuple[str, ...] = ()
    """Equipment with which it can happen instead."""
    movable: bool = True
    cancelled: bool = False
    estimated: bool = False
    """Whether the time is an estimate that may still change."""

    def as_dict(self) -> dict[str, object]:
        """Return it as it is reported; JSON types."""
        return {
            "id": self.id,
            "kind": self.kind,
            "at": self.at,
            "original": self.original,
            "reason": self.reason,
            "until": self.until,
            "equipment": list(self.equipment),
            "from": self.before,
            "to": self.after,
            "earliest": self.earliest,
            "latest": self.latest,
            "choices": list(self.choices),
            "movable": self.movable,
            "cancelled": self.cancelled,
            "estimated": self.estimated,
        }


def occurrence(kind: str, original: float) -> str:
    """Return the id of the occurrence that is to be at a time by its rule."""
    return f"{kind}@{original:.0f}"


def parse_amendments(data: Any) -> dict[str, Amendment]:
    """Read the amendments of an automation of the plan; what is none is left out."""
    found = {}
    for item in data if isinstance(data, list) else ():
        if not isinstance(item, Mapping) or not isinstance(item.get("id"), str):
            continue
        at = item.get("at")
        found[item["id"]] = Amendment(
            at=float(at) if isinstance(at, int | float) else None,
            equipment=item.get("equipment") or None,
            cancelled=item.get("cancelled") is True,
            by=str(item.get("by") or ""),
        )
    return found
