"""Templates of real equipment that come with the product.

Each is a file with its source, what it is for, and what to know about it. A plant file
uses one by name, as it uses its own; its own template of that name goes before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

from ..model import Protocol
from ..roles import EquipmentType
from .document import read_document

_FOLDER = Path(__file__).parents[1] / "equipment_templates"


@dataclass(frozen=True, slots=True)
class ShippedTemplate:
    """One file of the folder `equipment_templates`."""

    key: str
    name: str
    """Of the equipment, for people."""
    types: tuple[EquipmentType, ...]
    """What it may be used for."""
    protocol: Protocol
    source: str
    """Where its addresses come from."""
    notes: tuple[str, ...]
    watchdog: str
    """What the equipment does when it is not commanded for a while."""
    template: Mapping[str, Any]
    """As under `templates` of a plant file."""


@lru_cache(maxsize=1)
def shipped_templates() -> Mapping[str, ShippedTemplate]:
    """Return all of them by key. Reads files, the first time."""
    found = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        data = cast(dict[str, Any], read_document(text, path.name).data)
        found[path.stem] = ShippedTemplate(
            path.stem,
            data["name"],
            tuple(EquipmentType(kind) for kind in data["types"]),
            Protocol(data["protocol"]),
            data["source"],
            tuple(data["notes"]),
            data["watchdog"],
            data["template"],
        )
    return found
