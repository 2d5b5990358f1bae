"""Tells people what happened to the plant, and why.

Once on the event entity, once in the logbook.

What the control engine did and what the command desk had to do come through
the same door and look the same.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .const import DOMAIN
from .plant.notices import Notice, NoticeKind

if TYPE_CHECKING:
    from .plan import PlanRoom

EVENT_ACTION = f"{DOMAIN}_action"
NOTE = "note"
"""For what the engine calls by a name that is not known here (yet)."""

_NOTICES = {
    NoticeKind.WRITTEN: "command",
    NoticeKind.RELEASED: "release",
    NoticeKind.HELD: "hold",
}
ACTIONS = (
    "stage_up",
    "stage_down",
    "stage_reached",
    "plant_start",
    "plant_stop",
    "plant_on",
    "plant_off",
    "chiller_excluded",
    "equipment_failed",
    "loop_controlling",
    "loop_disabled",
    "loop_holding",
    "loop_overridden",
    *(_NOTICES.get(kind, kind.value) for kind in NoticeKind),
    NOTE,
)


@callback
def async_report_action(
    hass: HomeAssistant,
    room: PlanRoom,
    event: Mapping[str, Any],
    automation: str | None,
) -> None:
    """Tell what an automation did; `event` has at least `event` and `reason`."""
    told = dict(event)
    action = told.pop("event")
    if action not in ACTIONS:
        told["event"] = action
        action = NOTE
    _tell(hass, room, action, {**told, "automation": automation})


@callback
def async_report_notice(hass: HomeAssistant, room: PlanRoom, notice: Notice) -> None:
    """Tell what the command desk did."""
    point = room.plant.points.get(notice.point)
    if (
        notice.kind is NoticeKind.WRITTEN
        and point is not None
        and not point.role.quantity.is_boolean
    ):
        # A loop moves its output every few seconds; its graph tells that better.
        return
    _tell(
        hass,
        room,
        _NOTICES.get(notice.kind, notice.kind.value),
        {
            "reason": notice.text,
            "at": notice.at,
            "equipment": notice.equipment,
            "point": notice.point,
            "source": notice.source,
        },
    )


@callback
def _tell(
    hass: HomeAssistant, room: PlanRoom, action: str, data: dict[str, Any]
) -> None:
    data = {key: value for key, value in data.items() if value is not None}
    async_dispatcher_send(hass, room.signal("told"), action, data)
    hass.bus.async_fire(
        EVENT_ACTION,
        {
            "entry_id": room.entry_id,
            "plant": room.plant.key,
            "plant_name": room.plant.name,
            "action": action,
            **data,
        },
    )
