"""Decides which automations run today, and tells the control engine.

A plan is the profile of the day, the automations in it by priority, and where
each piece of equipment is found in Home Assistant. It is worked out when it is
asked for, so that no timer can make it wrong; timers only announce changes.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import async_call_later
from homeassistant.loader import async_get_integration
from homeassistant.util import dt as dt_util

from .automations import AutomationWatch
from .const import DOMAIN
from .day_calendar import DayCalendar
from .day_room import DayRoom
from .engine_watch import EngineWatch
from .planned import PlannedActions
from .plant.model import Plant, Point
from .plant.profiles import (
    CUSTOM_SCHEDULE,
    CUSTOM_SCHEDULE_PRIORITY,
    DayResolution,
    Profile,
    plan_automations,
)
from .profile_store import ProfileStore, Registration, Report
from .recoveries import SCHEDULE, Recoveries
from .refusals import IDLE, REFUSED, Refusals
from .revision import revision_of
from .told_equipment import ToldEquipment

EVENT_PLAN_CHANGED = f"{DOMAIN}_plan_changed"
BY_CALENDAR = "by_calendar"
"""In the place of a profile: none is chosen, the calendar decides."""
_ANNOUNCE_DELAY = 0.3
"""Seconds to gather changes that belong together; an edited automation leaves
the plan for a moment before it comes back."""
_DAYS_AROUND = range(-8, 16)
"""Those that a schedule looks at, counted from today."""


class PlanRoom:
    """Profiles, dates, automations and reports of one plant."""

    def __init__(self, hass: HomeAssistant, entry: ConfigEntry, plant: Plant) -> None:
        """Prepare; nothing is read yet."""
        self.hass = hass
        self.plant = plant
        self._entry_id = entry.entry_id
        self.store = ProfileStore(hass, entry.entry_id, plant)
        self.engine = EngineWatch(
            hass, entry.entry_id, plant.name, self.signal("engine")
        )
        self.automations = AutomationWatch(self)
        self.planned = PlannedActions(self)
        self.recoveries = Recoveries(self)
        self.refusals = Refusals(hass, entry.entry_id, plant.name)
        self._equipment = ToldEquipment(hass, plant)
        self.days = DayRoom(self)
        self.besides: dict[str, str] = {}
        """What the engine runs for this plant besides automations: names by key."""
        self._unsubscribe: list[CALLBACK_TYPE] = []
        self._announcement: CALLBACK_TYPE | None = None
        self._announced: str | None = None

    @property
    def entry_id(self) -> str:
        """The plant's config entry."""
        return self._entry_id

    def signal(self, what: str) -> str:
        """Name a dispatcher signal: `plan`, `reports`, `planned`, `engine`, `told`..."""
        return f"{DOMAIN}_{self._entry_id}_{what}"

    async def async_start(self) -> None:
        """Read what was decided, and watch the world from now on."""
        await self.store.async_load()
        await self.planned.async_load()
        self._unsubscribe += [
            self._equipment.async_start(),
            self.days.async_start(),
            self.automations.async_start(),
            self.engine.async_start(
                lambda: {
                    **{item.id: item.name for item, _ in self._planned()},
                    **self.besides,
                },
                str((await async_get_integration(self.hass, DOMAIN)).version),
            ),
        ]

    @callback
    def async_ready(self) -> None:
        """Ask the automations to register, and tell the engine: the plant is loaded."""
        self.automations.ask_all()
        self.days.async_ready()
        self._announced = None
        self.changed()

    async def async_stop(self) -> None:
        """Stop watching."""
        for unsubscribe in self._unsubscribe:
            unsubscribe()
        self._unsubscribe.clear()
        if self._announcement is not None:
            self._announcement()
            self._announcement = None
        self.refusals.keep(())
        for key in self.store.decisions.registrations:
            ir.async_delete_issue(
                self.hass, DOMAIN, unassigned_issue(self._entry_id, key)
            )
        await self.store.async_close()
        await self.planned.async_close()

    # What the calendar says.

    @property
    def profiles(self) -> Mapping[str, Profile]:
        """The profiles by name."""
        return self.store.decisions.profiles

    def profile_named(self, name: str) -> str | None:
        """Return a profile's name as it is written, however it was typed."""
        wanted = name.strip().casefold()
        return next((item for item in self.profiles if item.casefold() == wanted), None)

    @property
    def calendar(self) -> DayCalendar:
        """The entries that people made."""
        return self.store.decisions.calendar

    @property
    def today(self) -> DayResolution:
        """The profile of today, and where it comes from."""
        return self.days.today

    @property
    def by_calendar(self) -> DayResolution:
        """What today is without what was decided for it alone."""
        return self.days.by_calendar

    async def async_save_profile(
        self, name: str, automations: Mapping[str, int]
    ) -> None:
        """Make a profile, or replace what is in it."""
        self.store.decisions.profiles[name] = Profile(name, dict(automations))
        await self.async_decided()

    async def async_delete_profile(self, name: str) -> None:
        """Forget a profile that nothing needs (see `profile_use`)."""
        del self.store.decisions.profiles[name]
        await self.async_decided()

    def profile_use(self, name: str) -> str | None:
        """Say what needs a profile, so that it cannot be deleted."""
        if name in self.days.day_types.values():
            return "day_type"
        if self.days.is_needed(name):
            return "override"
        if self.calendar.uses_from(name, dt_util.now().date()):
            return "calendar"
        return None

    async def async_decided(self) -> None:
        """Keep what was decided, and show it."""
        self.changed()
        await self.store.async_save()

    # What the automations and the engine say.

    async def async_register(self, registration: Registration) -> None:
        """Take an automation into the plan, as it is configured now."""
        self.automations.heard_of(registration.id)
        registrations = self.store.decisions.registrations
        if registrations.get(registration.id) == registration:
            return
        # What was wrong with it before, the engine finds again if it still is.
        self.refusals.clear(registration.id)
        registrations[registration.id] = registration
        await self.async_decided()

    async def async_forget(self, automation_id: str, *, deleted: bool) -> None:
        """Drop an automation from the plan; from the profiles too if it is gone."""
        decisions = self.store.decisions
        assigned = any(
            automation_id in profile.automations
            for profile in decisions.profiles.values()
        )
        known = decisions.registrations.pop(automation_id, None)
        self.refusals.forget(automation_id)
        ir.async_delete_issue(
            self.hass, DOMAIN, unassigned_issue(self._entry_id, automation_id)
        )
        if deleted:
            self.store.reports.pop(automation_id, None)
            self.planned.forget(automation_id)
            for name, profile in decisions.profiles.items():
                kept = {
                    key: priority
                    for key, priority in profile.automations.items()
                    if key != automation_id
                }
                decisions.profiles[name] = replace(profile, automations=kept)
            self.days.forget(automation_id)
        if known is not None or (deleted and assigned):
            await self.async_decided()

    async def async_assign(
        self, automation_id: str, profiles: list[str], priority: int
    ) -> None:
        """Put an automation into profiles that it is not in yet."""
        decisions = self.store.decisions
        for name in profiles:
            profile = decisions.profiles[name]
            decisions.profiles[name] = replace(
                profile, automations={**profile.automations, automation_id: priority}
            )
        await self.async_decided()

    @callback
    def report(
        self, automation_id: str, state: str, attributes: dict[str, Any]
    ) -> None:
        """Keep what the engine says of an automation."""
        item = self.store.decisions.registrations.get(automation_id)
        if item is not None and state == REFUSED:
            self.refusals.by_engine(item, attributes)
        elif item is not None and not item.refused:
            self.refusals.clear(automation_id)
        if item is None or state in (REFUSED, IDLE):
            # What it said before is what it goes on from when it runs again.
            async_dispatcher_send(self.hass, self.signal("reports"), automation_id)
            if item is not None:
                self.engine.reported(automation_id, item.name, state, attributes)
            return
        before = self.store.reports.get(automation_id)
        self.store.reports[automation_id] = Report(
            state, attributes, dt_util.utcnow().timestamp()
        )
        self.store.save_reports_soon(turned=before is None or before.state != state)
        async_dispatcher_send(self.hass, self.signal("reports"), automation_id)
        self.engine.reported(automation_id, item.name, state, attributes)

    # The plan.

    def _planned(self) -> tuple[tuple[Registration, int], ...]:
        """Return today's automations and their priorities, highest first."""
        registrations = self.store.decisions.registrations
        enabled = [
            item.id
            for item in registrations.values()
            if self.automations.is_enabled(item) and not item.refused
        ]
        planned = [
            (
                registrations[key],
                # Whatever the profile says: it wins over all that are ranked.
                CUSTOM_SCHEDULE_PRIORITY
                if registrations[key].control_type == CUSTOM_SCHEDULE
                else priority,
            )
            for key, priority in plan_automations(self.days.profile, enabled)
        ]
        return tuple(sorted(planned, key=lambda item: -item[1]))

    def _idle(self) -> list[Registration]:
        """Return the automations that may run, but not today."""
        planned = {item.id for item, _ in self._planned()}
        return [
            item
            for item in self.store.decisions.registrations.values()
            if item.id not in planned
            and not item.refused
            and self.automations.is_enabled(item)
        ]

    def _idle_days(self, item: Registration) -> list[str]:
        """Return days around today whose profile has not got a schedule.

        It says when it starts next; without this, also on days on which it does not.
        """
        if item.control_type != SCHEDULE:
            return []
        today = dt_util.now().date()
        days = (today + timedelta(days=offset) for offset in _DAYS_AROUND)
        return [
            day.isoformat() for day in days if not self.planned.runs_on(item.id, day)
        ]

    def is_planned(self, automation_id: str) -> bool:
        """Whether an automation runs today."""
        return any(item.id == automation_id for item, _ in self._planned())

    def as_dict(self) -> dict[str, Any]:
        """Return the plan as the control engine gets it."""
        plan = self._decided()
        revision = self._revision_of(plan)
        for item in plan["automations"]:
            report = self.store.reports.get(item["id"])
            item["reported"] = report and {
                "state": report.state,
                "attributes": report.attributes,
                "at": report.at,
            }
        return {**plan, "equipment": self._equipment.told, "revision": revision}

    @property
    def revision(self) -> str:
        """Changes whenever anything in the plan but the reports does."""
        return self._revision_of(self._decided())

    def _revision_of(self, decided: dict[str, Any]) -> str:
        return revision_of({**decided, "equipment": self._equipment.revision})

    def _decided(self) -> dict[str, Any]:
        """Return the plan without the equipment, and without what was reported."""
        today = self.today
        return {
            "plant": {
                "key": self.plant.key,
                "name": self.plant.name,
                "entry_id": self._entry_id,
                "command_lease": self.plant.command_lease,
                "poll_interval": self.plant.poll_interval,
            },
            "date": dt_util.now().date().isoformat(),
            "profile": today.profile,
            "profile_source": today.kind,
            "edited": self.days.told_differences,
            "automations": [
                {
                    "id": item.id,
                    "entity_id": item.entity_id,
                    "name": item.name,
                    "control_type": item.control_type,
                    "priority": priority,
                    "metadata": item.metadata,
                    "config": self.days.config_of(item.id, item.config),
                    "amendments": self.planned.amendments_of(item.id),
                    "history": self.recoveries.history_of(
                        item.control_type, item.config
                    ),
                    "idle_days": self._idle_days(item),
                }
                for item, priority in self._planned()
            ],
            # Not to be run: a form that cannot be right is told before its day.
            "idle": [
                {
                    "id": item.id,
                    "entity_id": item.entity_id,
                    "name": item.name,
                    "control_type": item.control_type,
                    "metadata": item.metadata,
                    "config": item.config,
                    "amendments": self.planned.amendments_of(item.id),
                }
                for item in self._idle()
            ],
        }

    def told_point(self, point: Point) -> dict[str, Any]:
        """Return where a point is, as the control engine gets it."""
        return self._equipment.point(point)

    # What may have changed it.

    @callback
    def changed(self) -> None:
        """Something that the plan is made of may have changed."""
        self.days.changed()
        self._review_assignments()
        registrations = self.store.decisions.registrations.values()
        self.refusals.keep(
            [item.id for item in registrations if self.automations.is_enabled(item)]
        )
        async_dispatcher_send(self.hass, self.signal("plan"))
        if self._announcement is None:
            self._announcement = async_call_later(
                self.hass, _ANNOUNCE_DELAY, self._announce
            )

    @callback
    def _announce(self, _now: datetime) -> None:
        self._announcement = None
        revision = self.revision
        if revision == self._announced:
            return
        self._announced = revision
        self.hass.bus.async_fire(
            EVENT_PLAN_CHANGED,
            {
                "entry_id": self._entry_id,
                "plant": self.plant.key,
                "revision": revision,
            },
        )

    def unassigned(self) -> list[Registration]:
        """Return the automations that could run, but are in no profile."""
        assigned = {
            key for profile in self.profiles.values() for key in profile.automations
        }
        return [
            item
            for item in self.store.decisions.registrations.values()
            if item.id not in assigned
            and not item.refused
            and self.automations.is_enabled(item)
        ]

    @callback
    def _review_assignments(self) -> None:
        # An automation that is in no profile never runs, and should not do so
        # silently.
        waiting = {item.id for item in self.unassigned()}
        for item in self.store.decisions.registrations.values():
            issue = unassigned_issue(self._entry_id, item.id)
            if item.id not in waiting:
                ir.async_delete_issue(self.hass, DOMAIN, issue)
            else:
                ir.async_create_issue(
                    self.hass,
                    DOMAIN,
                    issue,
                    data={"entry_id": self._entry_id, "automation_id": item.id},
                    is_fixable=True,
                    severity=ir.IssueSeverity.WARNING,
                    translation_key="automation_without_profile",
                    translation_placeholders={
                        "automation": item.name,
                        "plant": self.plant.name,
                    },
                )


def unassigned_issue(entry_id: str, automation_id: str) -> str:
    """Name the issue of an automation that is in no profile."""
    return f"automation_without_profile_{entry_id}_{automation_id}"
