"""What was done to the plant and why, for whoever asks afterwards.

Home Assistant's recorder keeps it as the history of the event entity; it is
read from there, so that there is one record and one rule for how long it is
kept.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import voluptuous as vol

from homeassistant.components.recorder import get_instance, history
from homeassistant.components.recorder.tasks import SynchronizeTask
from homeassistant.core import (
    HomeAssistant,
    ServiceCall,
    ServiceResponse,
    State,
    SupportsResponse,
    callback,
)
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers import (
    config_validation as cv,
    entity_registry as er,
    service,
)
from homeassistant.util import dt as dt_util
from homeassistant.util.json import JsonValueType

from .const import DOMAIN
from .data import ChillerPlantConfigEntry
from .planned_services import equipment_key

SERVICE_GET_ACTIONS = "get_actions"
_USUAL = timedelta(hours=24)
_AT_ONCE = timedelta(hours=24)
"""What is read from the recorder at a time, from the newest back."""
_WRITE_TIMEOUT = 10.0
_LONGEST = timedelta(days=366)
_OF_HOME_ASSISTANT = frozenset(
    {"event_types", "friendly_name", "device_class", "icon", "event_type"}
)
_SCHEMA = vol.Schema(
    {
        vol.Required("plant"): cv.string,
        vol.Optional("equipment"): cv.string,
        vol.Optional("automation"): cv.string,
        vol.Optional("type"): vol.All(cv.ensure_list, [cv.slug]),
        vol.Optional("since"): cv.datetime,
        vol.Optional("until"): cv.datetime,
        vol.Optional("limit", default=100): vol.All(
            vol.Coerce(int), vol.Range(min=1, max=1000)
        ),
    }
)


@callback
def async_setup_action_log(hass: HomeAssistant) -> None:
    """Register the action."""
    hass.services.async_register(
        DOMAIN,
        SERVICE_GET_ACTIONS,
        _async_get_actions,
        schema=_SCHEMA,
        supports_response=SupportsResponse.ONLY,
    )


async def _async_get_actions(call: ServiceCall) -> ServiceResponse:
    """Return what was done, the newest first."""
    hass = call.hass
    entry: ChillerPlantConfigEntry = service.async_get_config_entry(
        hass, DOMAIN, call.data["plant"]
    )
    entity_id = er.async_get(hass).async_get_entity_id(
        "event", DOMAIN, f"{entry.runtime_data.plant.key}.plant.actions"
    )
    if entity_id is None or "recorder" not in hass.config.components:
        raise _refused("actions_not_recorded")
    until = dt_util.as_utc(call.data.get("until") or dt_util.utcnow())
    since = dt_util.as_utc(call.data.get("since") or until - _USUAL)
    if not until - _LONGEST <= since < until:
        raise _refused("bad_period")
    wanted = _Wanted(hass, entry, call.data, since, until)
    limit: int = call.data["limit"]
    recorder = get_instance(hass)
    # What has just been done is not written yet; a recorder that is stopping
    # says nothing any more. Its own wait takes what its thread has in hand for done.
    written = hass.loop.create_future()
    recorder.queue_task(SynchronizeTask(written))
    with suppress(TimeoutError):
        async with asyncio.timeout(_WRITE_TIMEOUT):
            await written
    found: list[JsonValueType] = []
    for begin, end in _periods(since, until):
        states = await recorder.async_add_executor_job(
            _states, hass, entity_id, begin, end
        )
        found += [told for state in reversed(states) if (told := wanted.told(state))]
        if len(found) > limit:
            break
    return {"actions": found[:limit], "more": len(found) > limit}


def _periods(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the parts of a period, the newest first."""
    while until > since:
        begin = max(since, until - _AT_ONCE)
        yield begin, until
        until = begin


def _states(
    hass: HomeAssistant, entity_id: str, begin: datetime, end: datetime
) -> list[State]:
    """Read from the database; runs in the recorder's own thread."""
    found = history.get_significant_states(
        hass,
        begin,
        end,
        [entity_id],
        include_start_time_state=False,
        # Two that happened in the same millisecond have the same state.
        significant_changes_only=False,
    )
    return [item for item in found.get(entity_id, ()) if isinstance(item, State)]


class _Wanted:
    """What is asked for."""

    def __init__(
        self,
        hass: HomeAssistant,
        entry: ChillerPlantConfigEntry,
        data: dict[str, Any],
        since: datetime,
        until: datetime,
    ) -> None:
        """Find what the names mean."""
        named, automation = data.get("equipment"), data.get("automation")
        self._equipment = named and equipment_key(hass, entry, named)
        self._automation = automation
        for item in entry.runtime_data.plan.store.decisions.registrations.values():
            if automation in (item.id, item.entity_id):
                self._automation = item.name
        self._types = data.get("type")
        self._since, self._until = since, until
        self._seen: set[tuple[Any, ...]] = set()

    def told(self, state: State) -> dict[str, Any] | None:
        """Return what a recorded state tells; None if it is not asked for."""
        when = dt_util.parse_datetime(state.state)
        # Home Assistant writes the last one again when it starts.
        if when is None or not self._since <= when <= self._until:
            return None
        row = state.attributes
        if self._types and row.get("event_type") not in self._types:
            return None
        if self._automation and row.get("automation") != self._automation:
            return None
        if self._equipment:
            equipment = row.get("equipment")
            keys = equipment if isinstance(equipment, list) else [equipment]
            if self._equipment not in keys:
                return None
        one = (state.state, row.get("event_type"), row.get("point"), row.get("reason"))
        if one in self._seen:
            return None
        self._seen.add(one)
        return {
            "time": state.state,
            "type": row.get("event_type"),
            **{key: row[key] for key in row if key not in _OF_HOME_ASSISTANT},
        }


def _refused(key: str) -> ServiceValidationError:
    return ServiceValidationError(translation_domain=DOMAIN, translation_key=key)
