"""One thing that an automation is about to do, and what a person changed of it.

What the engine reports is read here, and nowhere else.
"""

from dataclasses import dataclass
import json
from typing import Any

import voluptuous as vol

MAXIMUM_PLANNED = 60
"""Occurrences of one automation that are kept; a week has fewer."""


@dataclass(frozen=True, slots=True)
class PlannedAction:
    """One occurrence; times in epoch seconds."""

    automation: str
    """The id of its registration."""
    id: str
    kind: str
    at: float
    original: float
    """When it happens unless somebody changes it."""
    reason: str
    until: float | None = None
    equipment: tuple[str, ...] = ()
    before: Any = None
    after: Any = None
    earliest: float | None = None
    latest: float | None = None
    choices: tuple[str, ...] = ()
    movable: bool = True
    cancelled: bool = False
    estimated: bool = False

    @property
    def key(self) -> str:
        """Name it among all of the plant."""
        return f"{self.automation}/{self.id}"


@dataclass(frozen=True, slots=True)
class Amendment:
    """What a person changed of one occurrence; times in epoch seconds."""

    automation: str
    id: str
    kind: str
    original: float
    at: float | None
    equipment: str | None
    cancelled: bool
    by: str
    why: str
    made: float
    expires: float
    """When the occurrence is surely over."""


_NUMBER = vol.Coerce(float)
_ACTION = vol.Schema(
    {
        vol.Required("id"): vol.All(str, vol.Length(min=1, max=100)),
        vol.Required("kind"): vol.All(str, vol.Length(min=1, max=40)),
        vol.Required("at"): _NUMBER,
        vol.Required("original"): _NUMBER,
        vol.Required("reason"): vol.All(str, vol.Length(max=500)),
        vol.Optional("until"): vol.Any(None, _NUMBER),
        vol.Optional("equipment", default=list): [str],
        vol.Optional("from"): object,
        vol.Optional("to"): object,
        vol.Optional("earliest"): vol.Any(None, _NUMBER),
        vol.Optional("latest"): vol.Any(None, _NUMBER),
        vol.Optional("choices", default=list): [str],
        vol.Optional("movable", default=True): bool,
        vol.Optional("cancelled", default=False): bool,
        vol.Optional("estimated", default=False): bool,
    }
)
FILE_SCHEMA = vol.Schema(
    {
        vol.Required("amendments"): [
            {
                vol.Required("automation"): str,
                vol.Required("id"): str,
                vol.Required("kind"): str,
                vol.Required("original"): _NUMBER,
                vol.Required("at"): vol.Any(None, _NUMBER),
                vol.Required("equipment"): vol.Any(None, str),
                vol.Required("cancelled"): bool,
                vol.Required("by"): str,
                vol.Required("why"): str,
                vol.Required("made"): _NUMBER,
                vol.Required("expires"): _NUMBER,
            }
        ],
        vol.Required("planned"): {str: str},
    }
)


def parse_planned(automation: str, text: str) -> tuple[PlannedAction, ...]:
    """Read what the engine reports; raises vol.Invalid with what is wrong."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise vol.Invalid(f"not JSON: {error}") from error
    if not isinstance(data, list):
        raise vol.Invalid("not a list")
    found = []
    for item in data[:MAXIMUM_PLANNED]:
        row = _ACTION(item)
        row["before"], row["after"] = row.pop("from", None), row.pop("to", None)
        row["equipment"], row["choices"] = (
            tuple(row["equipment"]),
            tuple(row["choices"]),
        )
        found.append(PlannedAction(automation, **row))
    return tuple(found)
