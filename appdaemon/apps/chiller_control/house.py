"""What can be done in Home Assistant, and calls that may fail.

Nothing here knows AppDaemon: an app is one such house, a test's memory another.
"""

from collections.abc import Mapping
from typing import Any, Protocol

MOST_COMPLAINTS = 200
"""Calls that fail are remembered up to this number, to be told once."""


class CallFailed(Exception):
    """A call that Home Assistant refused."""


class NoAnswer(CallFailed):
    """A call that Home Assistant did not answer in time."""


class House(Protocol):
    """What the engine can do in Home Assistant."""

    def entity(self, entity_id: str) -> Mapping[str, Any] | None:
        """Return state and attributes of an entity, None if there is none."""

    def call(self, action: str, data: Mapping[str, Any]) -> None:
        """Call an action of the integration; raises CallFailed, NoAnswer."""

    def tell(self, message: str) -> None:
        """Tell whoever reads the engine's log."""


class Caller:
    """Calls actions; what goes wrong is told once, until it works again."""

    def __init__(self, house: House) -> None:
        """Call in this house."""
        self._house = house
        self._complaints: set[str] = set()
        self.failure = ""
        """Why the last call that was refused was."""

    def call(self, action: str, data: Mapping[str, Any]) -> bool:
        """Call; return whether it was taken. Raises NoAnswer."""
        about = data.get("automation") or data.get("source") or "heartbeat"
        topic = f"{action} {about} {data.get('entity_id', '')}"
        try:
            self._house.call(action, data)
        except CallFailed as err:
            self.failure = str(err)
            self.complain(f"{action} failed for {about}: {err}", topic)
            if isinstance(err, NoAnswer):
                raise
            return False
        self._complaints.discard(topic)
        return True

    def complain(self, message: str, topic: str | None = None) -> None:
        """Tell something once; the same topic again only after it was all right."""
        if len(self._complaints) > MOST_COMPLAINTS:
            self._complaints.clear()
        if (topic or message) not in self._complaints:
            self._complaints.add(topic or message)
            self._house.tell(message)
