"""What a person in front of Home Assistant sees, by the names of the plant."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Self

from .home_assistant import WebSocket
from .installation import Installation, Plan

type State = dict[str, Any]

UNAVAILABLE = "unavailable"
UNKNOWN = "unknown"


@dataclass(slots=True)
class Observer:
    """Reads states by point key or unique id, over one WebSocket."""

    socket: WebSocket
    installation: Installation
    entities: dict[str, str] = field(default_factory=dict)
    """Entity id by unique id."""

    @classmethod
    async def begin(cls, socket: WebSocket, installation: Installation) -> Self:
        """Learn which entity is which."""
        observer = cls(socket, installation)
        registered = await socket.call("config/entity_registry/list")
        observer.entities = {
            entity["unique_id"]: entity["entity_id"]
            for entity in registered
            if entity["platform"] == "chiller_plant"
        }
        return observer

    def entity(self, key: str) -> str:
        """Return the entity id of a point or derived value of the plant."""
        return self.entities[f"{self.installation.plant_key}.{key}"]

    async def plan(self) -> Plan:
        """Return the plan that the control engine gets."""
        return await self.installation.plan(self.socket)

    async def state(self, key: str) -> State:
        """Return the whole state of a point or derived value."""
        return (await self.socket.states())[self.entity(key)]

    async def number(self, key: str) -> float | None:
        """Return a number, None if there is none."""
        value = (await self.state(key))["state"]
        return None if value in (UNAVAILABLE, UNKNOWN) else float(value)

    async def is_on(self, key: str) -> bool:
        """Return whether something is on."""
        return bool((await self.state(key))["state"] == "on")

    async def unavailable(self) -> set[str]:
        """Return the unique ids (without the plant) that are unavailable now."""
        states = await self.socket.states()
        return {
            unique_id.removeprefix(f"{self.installation.plant_key}.")
            for unique_id, entity_id in self.entities.items()
            if states.get(entity_id, {}).get("state") == UNAVAILABLE
        }

    async def qualities(self, points: Iterable[str]) -> dict[str, str]:
        """Return the quality of points by key."""
        states = await self.socket.states()
        return {
            key: states[self.entity(key)]["attributes"].get("quality", UNAVAILABLE)
            for key in points
        }

    async def issues(self) -> list[dict[str, Any]]:
        """Return the repair issues of the plant."""
        listed = await self.socket.call("repairs/list_issues")
        return [i for i in listed["issues"] if i["domain"] == "chiller_plant"]

    async def owner(self, point: str) -> str | None:
        """Return who commands a point."""
        owner: str | None = (await self.state(point))["attributes"]["owner"]
        return owner

    async def owners(self, points: Iterable[str]) -> dict[str, str | None]:
        """Return who commands each of some points."""
        states = await self.socket.states()
        return {
            key: states[self.entity(key)]["attributes"].get("owner") for key in points
        }

    async def automation_state(self, name: str) -> State:
        """Return what the engine reports of an automation, by its short name."""
        plan = await self.plan()
        entity_id = self.installation.automations[name]
        for item in plan["automations"]:
            if item["entity_id"] == entity_id:
                reported: State = item["reported"] or {"state": None, "attributes": {}}
                return reported
        return {"state": "not in the plan", "attributes": {}}

    async def listen_to_actions(self) -> list[dict[str, Any]]:
        """Return a list that fills with action events from now on."""
        actions: list[dict[str, Any]] = []

        def hear(event: dict[str, Any]) -> None:
            state = event["data"].get("new_state")
            if state and state["entity_id"].startswith("event."):
                actions.append(state["attributes"])

        await self.socket.call(
            "subscribe_events", event_type="state_changed", listener=hear
        )
        return actions
