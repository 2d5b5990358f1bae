"""Events as servers of OpenADR 3 give them."""

from datetime import UTC, datetime
from typing import Any

START = datetime(2026, 6, 24, 14, tzinfo=UTC)
NOW = START.timestamp() - 3600


def new_event(**changes: Any) -> dict[str, Any]:
    """Return an event as a 3.x server gives it."""
    return {
        "id": "e1",
        "objectType": "EVENT",
        "programID": "p1",
        "createdDateTime": "2026-06-24T12:00:00Z",
        "modificationDateTime": "2026-06-24T12:00:00Z",
        "eventName": "hot",
        "priority": 0,
        "intervalPeriod": {"start": "2026-06-24T14:00:00Z", "duration": "PT1H"},
        "intervals": [
            {"id": 0, "payloads": [{"type": "SIMPLE", "values": [2]}]},
            {"id": 1, "payloads": [{"type": "SIMPLE", "values": [1]}]},
        ],
    } | changes
