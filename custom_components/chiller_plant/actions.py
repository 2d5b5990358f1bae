"""Tells people what happened to the plant, and why.

Once on the event entity, once in the logbook.

What the control engine did and what the command desk had to do come through
the same door and look the same.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from homeassistant.const import ATTR_DEVICE_ID, ATTR_ENTITY_ID
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import entity_registry as er
from homeassistant.helpers.dispatcher import async_dispatcher_send

from .const import DOMAIN
from .lookup import device_of_equipment, entity_of_automation, entity_of_point
from .plant.notices import Notice, NoticeKind
from .recoveries import KINDS

if TYPE_CHECKING:
    from .plan import PlanRoom
    from .profile_store import Registration

EVENT_ACTION = f"{DOMAIN}_action"
ENGINE = "control engine"
"""The source of what none of its automations did."""
DEMAND_RESPONSE = "Demand response"
"""In the place of an automation's name."""
NOTE = "note"
"""For what the engine calls by a name that is not known here (yet)."""

_NOTICES = {
    NoticeKind.WRITTEN: "command",
    NoticeKind.RELEASED: "release",
    NoticeKind.HELD: "hold",
    NoticeKind.REFUSED: "command_refused",
}
_SOURCES = {
    NoticeKind.MISMATCH: "device",
    NoticeKind.MISMATCH_CLEARED: "device",
}
"""Who did what nobody asked for, where it was not the interlocks."""
_RESULTS = {
    "stage_up": "begun",
    "stage_down": "begun",
    "handover": "begun",
    "plant_start": "begun",
    "plant_stop": "begun",
    "equipment_failed": "failed",
    "chiller_faulted": "failed",
    "hold": "held",
    "command_refused": "refused",
    "start_failed": "failed",
    "write_failed": "failed",
    "mismatch": "failed",
    "event_refused": "refused",
    "event_begun": "begun",
    "shed_failed": "failed",
}
"""What came of an action, where it is not simply done."""
ACTIONS = (
    "stage_up",
    "stage_down",
    "stage_reached",
    "handover",
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
    "setpoint_controlling",
    "setpoint_frozen",
    "setpoint_holding",
    "setpoint_off",
    "setpoint_overridden",
    "towers_controlling",
    "towers_holding",
    "towers_off",
    "towers_overridden",
    "sequence_changed",
    "sequence_overridden",
    "chiller_faulted",
    "chiller_back",
    "pump_started",
    "pump_stopped",
    "window_began",
    "window_ended",
    "coast_began",
    "coast_ended",
    "recovery",
    "drift",
    "today_edited",
    "today_discarded",
    "today_purged",
    "action_rescheduled",
    "action_reassigned",
    "action_cancelled",
    "action_restored",
    "event_received",
    "event_modified",
    "event_cancelled",
    "event_opted_in",
    "event_opted_out",
    "event_refused",
    "event_begun",
    "event_ended",
    "event_completed",
    "precool_begun",
    "precool_ended",
    "shed_more",
    "shed_less",
    "shed_failed",
    *(_NOTICES.get(kind, kind.value) for kind in NoticeKind),
    NOTE,
)


@callback
def async_report_action(
    hass: HomeAssistant,
    room: PlanRoom,
    event: Mapping[str, Any],
    automation: Registration | None,
) -> None:
    """Tell what an automation did; `event` has at least `event` and `reason`."""
    told = dict(event)
    action = told.pop("event")
    if action not in ACTIONS:
        told["event"] = action
        action = NOTE
    _tell(
        hass,
        room,
        action,
        {
            "source": ENGINE if automation is None else automation.entity_id,
            **told,
            "automation": automation and automation.name,
        },
        None
        if automation is None
        else entity_of_automation(hass, room.plant, automation.id),
    )
    if action in KINDS:
        room.recoveries.take(action, told)


@callback
def async_report_demand_response(
    hass: HomeAssistant, room: PlanRoom, event: Mapping[str, Any]
) -> None:
    """Tell what demand response did, or a person did to it."""
    told = dict(event)
    action = told.pop("event")
    if action not in ACTIONS:
        told["event"] = action
        action = NOTE
    _tell(
        hass,
        room,
        action,
        {
            "source": f"demand_response:{room.plant.key}",
            **told,
            "automation": DEMAND_RESPONSE,
        },
        er.async_get(hass).async_get_entity_id(
            "sensor", DOMAIN, f"{room.plant.key}.plant.demand_response"
        ),
    )


@callback
def async_report_notice(hass: HomeAssistant, room: PlanRoom, notice: Notice) -> None:
    """Tell what the command desk did."""
    point = room.plant.points.get(notice.point)
    if (
        notice.kind is NoticeKind.WRITTEN
        and point is not None
        and not point.role.quantity.is_boolean
        and (notice.source or "").startswith("automation.")
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
            "from": notice.before,
            "to": notice.after,
            "source": notice.source or _SOURCES.get(notice.kind, "interlock"),
        },
        None if point is None else entity_of_point(hass, room.plant, point),
    )


@callback
def _tell(
    hass: HomeAssistant,
    room: PlanRoom,
    action: str,
    data: dict[str, Any],
    entity_id: str | None,
) -> None:
    data = {key: value for key, value in data.items() if value is not None}
    data.setdefault("result", _RESULTS.get(action, "done"))
    hass.bus.async_fire(
        EVENT_ACTION,
        {
            "entry_id": room.entry_id,
            "plant": room.plant.key,
            "plant_name": room.plant.name,
            "action": action,
            **_where(hass, room, data.get("equipment"), entity_id),
            **data,
        },
    )
    async_dispatcher_send(hass, room.signal("told"), action, data)


@callback
def _where(
    hass: HomeAssistant, room: PlanRoom, key: Any, entity_id: str | None
) -> dict[str, str]:
    """Return what makes an event show in the activity of an entity and a device."""
    where = {} if entity_id is None else {ATTR_ENTITY_ID: entity_id}
    # What is about several machines at once is shown at none of them.
    equipment = room.plant.equipment.get(key) if isinstance(key, str) else None
    if equipment is not None:
        device = device_of_equipment(hass, room.entry_id, room.plant, equipment)
        if device is not None:
            where[ATTR_DEVICE_ID] = device
    return where
