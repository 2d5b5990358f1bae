"""Asks Home Assistant which days are holidays, and remembers what it said.

A calendar or a workday sensor knows; either may be gone when a day begins. What
it said of a day counts for that day until it says something else: that it
cannot be asked is no answer, and never changes the profile of a plant.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from homeassistant.const import ATTR_ENTITY_ID, STATE_UNAVAILABLE, STATE_UNKNOWN
from homeassistant.core import (
    CALLBACK_TYPE,
    Event,
    EventStateChangedData,
    HomeAssistant,
    State,
    callback,
    split_entity_id,
)
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from homeassistant.helpers.dispatcher import async_dispatcher_send
from homeassistant.helpers.event import (
    async_track_state_change_event,
    async_track_time_interval,
)
from homeassistant.helpers.start import async_at_started
from homeassistant.util import dt as dt_util

from .const import DOMAIN, LOGGER
from .plant.profiles import DAYS, HOLIDAY

if TYPE_CHECKING:
    from .plan import PlanRoom

CALENDAR = "calendar"
WORKDAY = "workday"
_ASK_EVERY = timedelta(minutes=30)
"""A calendar does not tell when somebody enters a holiday."""
_PATIENCE = 30
"""Seconds that a calendar is given to answer."""
_SATURDAY = 5


class _NoAnswer(Exception):
    """The source cannot say; why, as the end of a sentence that begins with it."""


def can_tell(entity_id: str, registry: er.EntityRegistry) -> bool:
    """Whether an entity is one that can be asked for holidays."""
    if split_entity_id(entity_id)[0] == CALENDAR:
        return True
    registered = registry.async_get(entity_id)
    return registered is not None and registered.platform == WORKDAY


class HolidayWatch:
    """What is known of today and tomorrow."""

    def __init__(self, room: PlanRoom) -> None:
        """Prepare; nothing is asked yet."""
        self._room = room
        self._hass = room.hass
        self._follow: CALLBACK_TYPE | None = None
        self._followed: str | None = None
        self._asking: asyncio.Task[None] | None = None
        self._again = False
        self.trouble: str | None = None
        """Why the source could not be asked the last time."""

    @property
    def source(self) -> str | None:
        """The entity that knows, None if holidays are days like others."""
        return self._room.store.decisions.holiday_source

    def known(self, day: date) -> bool | None:
        """Whether a day is a holiday; None if nobody said."""
        if self.source is None:
            return None
        return self._room.store.decisions.holidays.get(day)

    @property
    def note(self) -> str | None:
        """What a person should know of today's answer; None if all is well."""
        if self.source is None or self.trouble is None:
            return None
        kept = self.known(dt_util.now().date())
        if kept is None:
            return (
                f"{self.source} {self.trouble}: nobody said whether today is a"
                " holiday, it is treated as a day of the week"
            )
        said = "a holiday" if kept else "no holiday"
        return f"{self.source} {self.trouble}: it last said that today is {said}"

    async def async_days_off(self, days: Sequence[date]) -> set[date]:
        """Return the weekends and holidays among days in order, past ones too.

        Of holidays that nobody can tell of, those are left out.
        """
        off = {day for day in days if day.weekday() >= _SATURDAY}
        source = self.source
        if source is None or not days:
            return off
        try:
            async with asyncio.timeout(_PATIENCE):
                answers = await self._async_answers(source, days)
        except HomeAssistantError, _NoAnswer, TimeoutError, ValueError:
            answers = {}
        return off | {day for day in days if answers.get(day) or self.known(day)}

    @callback
    def async_start(self) -> CALLBACK_TYPE:
        """Ask now, and now and then."""
        self.ask()
        unsubscribe = [
            async_track_time_interval(self._hass, self.ask, _ASK_EVERY),
            async_at_started(self._hass, self._started),
        ]

        @callback
        def async_stop() -> None:
            for stop in unsubscribe:
                stop()
            if self._follow is not None:
                self._follow()
                self._follow = self._followed = None
            if self._asking is not None:
                self._asking.cancel()
            ir.async_delete_issue(self._hass, DOMAIN, self._issue)

        return async_stop

    @callback
    def ask(self, _now: datetime | None = None) -> None:
        """Ask the source, if there is one, beside everything else."""
        self._follow_source()
        if self._asking is not None and not self._asking.done():
            self._again = True
            return
        self._asking = self._hass.async_create_background_task(
            self._async_ask(), f"{self._room.plant.name} holidays"
        )

    @callback
    def _started(self, _hass: HomeAssistant) -> None:
        self.ask()

    @callback
    def _follow_source(self) -> None:
        if self._followed == self.source:
            return
        if self._follow is not None:
            self._follow()
            self._follow = None
        self._followed = self.source
        self.trouble = None
        if self.source is not None:
            self._follow = async_track_state_change_event(
                self._hass, self.source, self._source_changed
            )

    @callback
    def _source_changed(self, _event: Event[EventStateChangedData]) -> None:
        self.ask()

    async def _async_ask(self) -> None:
        self._again = True
        while self._again:
            self._again = False
            source = self.source
            answers: Mapping[date, bool] = {}
            trouble = None
            if source is not None:
                today = dt_util.now().date()
                try:
                    async with asyncio.timeout(_PATIENCE):
                        answers = await self._async_answers(
                            source, (today, today + timedelta(days=1))
                        )
                except (HomeAssistantError, _NoAnswer, TimeoutError, ValueError) as err:
                    trouble = str(err) or "gives no answer"
            if source == self.source:
                await self._async_learn(answers, trouble)

    async def _async_learn(
        self, answers: Mapping[date, bool], trouble: str | None
    ) -> None:
        decisions = self._room.store.decisions
        today = dt_util.now().date()
        kept = {
            day: answer
            for day, answer in {**decisions.holidays, **answers}.items()
            if day >= today and self.source is not None
        }
        news = kept != decisions.holidays
        turned = (trouble is None) != (self.trouble is None)
        self.trouble = trouble
        if turned:
            async_dispatcher_send(self._hass, self._room.signal("plan"))
        # While Home Assistant starts, it is only not there yet.
        if self._hass.is_running:
            self._review(today in kept)
            if turned and trouble is not None:
                LOGGER.warning("%s: %s %s", self._room.plant.name, self.source, trouble)
        if news:
            decisions.holidays = kept
            await self._room.async_decided()

    async def _async_answers(
        self, source: str, days: Sequence[date]
    ) -> dict[date, bool]:
        """Return whether these days are holidays; raise if nobody can say."""
        state = self._hass.states.get(source)
        if state is None:
            raise _NoAnswer("is not there")
        if state.state in (STATE_UNAVAILABLE, STATE_UNKNOWN):
            raise _NoAnswer(f"is {state.state}")
        if split_entity_id(source)[0] == CALENDAR:
            return await self._async_by_calendar(source, days)
        return {day: await self._async_by_workday(state, day) for day in days}

    async def _async_by_calendar(
        self, source: str, days: Sequence[date]
    ) -> dict[date, bool]:
        end = dt_util.start_of_local_day(days[-1] + timedelta(days=1))
        answer = await self._async_call(
            CALENDAR,
            "get_events",
            source,
            start_date_time=dt_util.start_of_local_day(days[0]).isoformat(),
            end_date_time=end.isoformat(),
        )
        # A meeting makes no holiday: only whole days count.
        spans = [
            (first, last)
            for event in answer.get("events", ())
            if (first := _whole_day(event["start"])) is not None
            and (last := _whole_day(event["end"])) is not None
        ]
        return {day: any(first <= day < last for first, last in spans) for day in days}

    async def _async_by_workday(self, state: State, day: date) -> bool:
        answer = await self._async_call(
            WORKDAY, "check_date", state.entity_id, check_date=day.isoformat()
        )
        if answer.get("workday") is not False:
            return False
        # It says no on its days off too; those are days of the week, not holidays.
        name = DAYS[day.weekday()][:3]
        usual = state.attributes.get("workdays", [])
        return name in usual and name not in state.attributes.get("excludes", [])

    async def _async_call(
        self, domain: str, action: str, source: str, **data: Any
    ) -> Mapping[str, Any]:
        response = await self._hass.services.async_call(
            domain,
            action,
            {ATTR_ENTITY_ID: source, **data},
            blocking=True,
            return_response=True,
        )
        answer = (response or {}).get(source)
        if not isinstance(answer, Mapping):
            raise _NoAnswer("gives no answer")
        return answer

    # A source that was never there is as bad as one that is gone.

    @property
    def _issue(self) -> str:
        return f"holidays_unknown_{self._room.entry_id}"

    @callback
    def _review(self, today_is_known: bool) -> None:
        if self.source is None or self.trouble is None or today_is_known:
            ir.async_delete_issue(self._hass, DOMAIN, self._issue)
            return
        ir.async_create_issue(
            self._hass,
            DOMAIN,
            self._issue,
            is_fixable=False,
            severity=ir.IssueSeverity.WARNING,
            translation_key="holidays_unknown",
            translation_placeholders={
                "plant": self._room.plant.name,
                "source": self.source,
                "trouble": self.trouble,
                HOLIDAY: self._room.days.day_types.get(HOLIDAY, "-"),
            },
        )


def _whole_day(moment: str) -> date | None:
    try:
        return date.fromisoformat(moment)
    except ValueError:
        return None
