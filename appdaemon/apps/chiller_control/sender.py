"""Carries out what one source wants: sent when new or due again, handed back after.

A source is whoever commands: an automation, or the demand response of a plant.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from .control.decision import Command, Value
from .control.plan import PlanPoint
from .house import Caller

REFRESHES = 3
"""How often a command is sent in the time of its lease."""


class Addresses(Protocol):
    """Where points are, and how long a command is kept; a plan is one."""

    @property
    def points(self) -> Mapping[str, PlanPoint]:
        """All points by key."""

    @property
    def command_lease(self) -> float:
        """Seconds after which a command that is not sent again is dropped."""


@dataclass(slots=True)
class _Sent:
    """A command that the integration took."""

    value: Value
    priority: int
    at: float


class Sender:
    """The commands of one source."""

    def __init__(self, caller: Caller, source: str) -> None:
        """Send as `source`."""
        self._caller = caller
        self._source = source
        self._sent: dict[str, _Sent] = {}
        self.refused: dict[str, str] = {}
        """Points whose command was not taken, with the reason."""

    def command(
        self,
        now: float,
        commands: Sequence[Command],
        priority: int,
        addresses: Addresses,
    ) -> None:
        """Send what is new or due again, alike commands in one call.

        Raises NoAnswer; what was not sent is due again in the next cycle.
        """
        refresh = addresses.command_lease / REFRESHES
        unknown = [
            command.point
            for command in commands
            if not _entities([command.point], addresses)
        ]
        if unknown:
            self._caller.complain(
                f"{self._source} cannot command {', '.join(unknown)}: "
                "it has no enabled entity"
            )
        due: dict[tuple[type, Value, str], list[Command]] = {}
        for command in commands:
            sent = self._sent.get(command.point)
            if command.point not in unknown and (
                sent is None
                or sent.value != command.value
                or sent.priority != priority
                or now - sent.at >= refresh
            ):
                like = (type(command.value), command.value, command.reason)
                due.setdefault(like, []).append(command)
        self.refused = {
            key: why
            for key, why in self.refused.items()
            if any(command.point == key for command in commands)
        }
        for group in due.values():
            if self._send(now, group, priority, addresses) or len(group) == 1:
                continue
            # One that is refused must not keep the others from being sent.
            for command in group:
                self._send(now, [command], priority, addresses)

    def release(self, wanted: Collection[str], addresses: Addresses) -> None:
        """Hand back what was commanded and is not wanted any more; raises NoAnswer."""
        unwanted = sorted(self._sent.keys() - set(wanted))
        if not unwanted:
            return
        entities = _entities(unwanted, addresses)
        data = {"source": self._source, "entity_id": entities}
        if not entities or self._caller.call("release", data):
            for key in unwanted:
                del self._sent[key]

    def _send(
        self,
        now: float,
        group: Sequence[Command],
        priority: int,
        addresses: Addresses,
    ) -> bool:
        taken = self._caller.call(
            "command",
            {
                "entity_id": _entities([item.point for item in group], addresses),
                "value": group[0].value,
                "priority": priority,
                "source": self._source,
                "lease": addresses.command_lease,
                "reason": group[0].reason,
            },
        )
        for command in group:
            if taken:
                self._sent[command.point] = _Sent(command.value, priority, now)
                self.refused.pop(command.point, None)
            elif len(group) == 1:
                self.refused[command.point] = self._caller.failure
        return taken


def _entities(keys: Sequence[str], addresses: Addresses) -> list[str]:
    points = [addresses.points.get(key) for key in keys]
    return [point.entity_id for point in points if point and point.entity_id]
