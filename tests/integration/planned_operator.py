"""A plant with planned actions, and somebody who changes them."""

from datetime import datetime, timedelta
import json
from typing import Any

from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.chiller_plant.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.planning import call, entity, get_plan

PLANT = """
plant: {key: two_chillers, name: Two chillers, poll_interval: 5, command_lease: 60}
connections: {}
equipment:
  plant: {type: plant, name: Plant, points: {enable_command: {release: true}}}
  chiller_1: {type: chiller, name: Chiller 1, points: {sequence_position: {release: 0}}}
  chiller_2: {type: chiller, name: Chiller 2, points: {sequence_position: {release: 0}}}
  chiller_12: {type: chiller, name: Chiller 12, points: {sequence_position: {release: 0}}}
profiles: [Weekday, Weekend]
day_types: {weekdays: Weekday, weekends: Weekend}
"""
MONDAY = datetime(2026, 11, 23, 10)
"""The plant is in Berlin."""


def at(hour: int, minute: int = 0, day: int = 24) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=dt_util.get_default_time_zone())


def planned(kind: str, when: datetime, **fields: Any) -> dict[str, Any]:
    moment = when.timestamp()
    return {
        "id": f"{kind}@{moment:.0f}",
        "kind": kind,
        "at": moment,
        "original": moment,
        "reason": f"Plant {kind}: hours 07:00 to 18:00",
        "until": None,
        "equipment": ["plant"],
        "from": False,
        "to": True,
        "earliest": None,
        "latest": None,
        "choices": [],
        "movable": True,
        "cancelled": False,
        "estimated": False,
    } | fields


def turn(when: datetime) -> dict[str, Any]:
    return planned(
        "rotation",
        when,
        reason="Chiller 2 takes the lead, by the calendar",
        equipment=["chiller_2"],
        choices=["chiller_1", "chiller_2", "chiller_12"],
    )


class Operator:
    """Somebody with a calendar card, and an engine that reports."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry, client: Any):
        self.hass = hass
        self.entry = entry
        self._client = client
        self.calendar = entity(hass, "calendar", "planned_actions")

    async def engine_plans(self, *actions: dict[str, Any], who: str = "hours") -> None:
        await call(
            self.hass,
            self.entry,
            "report_state",
            automation=f"automation.{who}",
            state="on",
            planned=json.dumps(actions),
        )
        await self.hass.async_block_till_done()

    async def send(self, kind: str, **data: Any) -> dict[str, Any]:
        await self._client.send_json_auto_id(
            {"type": f"calendar/event/{kind}", "entity_id": self.calendar, **data}
        )
        answer: dict[str, Any] = await self._client.receive_json()
        return answer

    async def change(self, uid: str, **event: Any) -> str | None:
        """Save an entry as the card does; return what it is refused with."""
        (shown,) = [item for item in await self.events() if item["uid"] == uid]
        saved = {
            "summary": shown["summary"],
            "description": shown["description"],
            "dtstart": shown["start"],
            "dtend": shown["end"],
        } | event
        if "dtend" not in event and "dtstart" in event and len(event["dtstart"]) > 10:
            begin = datetime.fromisoformat(event["dtstart"])
            saved["dtend"] = (begin + timedelta(minutes=15)).isoformat()
        answer = await self.send("update", uid=uid, event=saved)
        await self.hass.async_block_till_done()
        return None if answer["success"] else answer["error"]["message"]

    async def events(self) -> list[dict[str, Any]]:
        calendar = self.hass.data["calendar"].get_entity(self.calendar)
        start = dt_util.now() - timedelta(days=2)
        found = await calendar.async_get_events(
            self.hass, start, start + timedelta(days=20)
        )
        return [item.as_dict() for item in found]

    async def shown(self) -> list[tuple[str, str]]:
        return [
            (f"{datetime.fromisoformat(item['start']):%a %H:%M}", item["summary"])
            for item in await self.events()
        ]

    async def amendments(self, who: str = "hours") -> list[dict[str, Any]]:
        """Return what the engine gets with the plan."""
        plan = await get_plan(self.hass, self.entry)
        for item in (*plan["automations"], *plan["idle"]):
            if item["id"] == who:
                found: list[dict[str, Any]] = item["amendments"]
                return found
        raise AssertionError(f"{who} is not in the plan")

    async def ask(self, name: str, /, **data: Any) -> dict[str, Any]:
        answer = await self.hass.services.async_call(
            DOMAIN,
            name,
            {"plant": self.entry.entry_id, **data},
            blocking=True,
            return_response=True,
        )
        assert answer is not None
        return dict(answer)
