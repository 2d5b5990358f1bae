"""Chiller plant schedule: the hours in which the plant is allowed to run.

Hours are wall-clock times at the plant. They are turned into instants before
they are compared with the time, so that the night in which the clocks change
neither starts the plant twice nor leaves it on.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo

from .adaptive_times import AdaptiveTimes
from .decision import Command, ControlRefused, Decision, Event, Inputs, iso
from .form_times import days_of, time_of
from .plan import Plan, PlanAutomation
from .planned import Amendments, PlannedAction
from .spans import Agenda, Said, Span, Window

OPERATIONS = ("between_times", "all_day", "off")
START, STOP = "start", "stop"


class ChillerPlantSchedule:
    """One schedule of one plant."""

    def __init__(self, plan: Plan, automation: PlanAutomation) -> None:
        """Check what was configured; raise ControlRefused if it cannot be run."""
        plants = plan.of_type("plant")
        point = plants[0].command("enable_command") if plants else None
        if point is None:
            raise ControlRefused("the plant has no enable_command to set")
        self._point = point
        self._plant = plants[0].key
        config = automation.config
        self._operation = config.get("operation")
        if self._operation not in OPERATIONS:
            raise ControlRefused(
                f"operation is {self._operation!r}; it is one of {', '.join(OPERATIONS)}",
                "operation",
            )
        self._days = days_of(config.get("days"), "days")
        self._start = self._stop = time()
        if self._operation == "between_times":
            self._start = time_of(config.get("start_time"), "start_time")
            self._stop = time_of(config.get("stop_time"), "stop_time")
            if self._start == self._stop:
                raise ControlRefused(
                    f"start and stop are both {self._start:%H:%M}; choose all day "
                    "if the plant should not stop",
                    "start_time",
                    "stop_time",
                )
        self._idle_days: frozenset[date] = frozenset()
        self._was_on: bool | None = None
        self._was_in: Window | None = None
        self._agenda = Agenda((START, STOP), self._windows, self._say)
        self._adaptive = AdaptiveTimes(plan, automation, point)

    @property
    def points(self) -> frozenset[str]:
        """What adaptive times need; a clock is enough for all else."""
        return self._adaptive.points

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide whether the plant is allowed to run."""
        zone = inputs.time_zone
        if inputs.idle_days != self._idle_days:
            self._idle_days = inputs.idle_days
            self._agenda.forget()
        planned = self.ahead(now, zone, inputs.amendments)
        span = self._agenda.now(now)
        on = span is not None
        change = self._next_change(now, on)
        adapted = None
        if self._adaptive.wanted:
            adapted = self._adaptive.step(now, inputs, self._agenda)
            planned = self._adaptive.planned(planned)
            on = adapted.on
            change = change if adapted.until is None else adapted.until
        message = f"Plant {'on' if on else 'off'}{_until(change, now, zone)}"
        if adapted is not None and adapted.reason:
            message = adapted.reason
        events: tuple[Event, ...] = ()
        if self._was_on is not None and on != self._was_on:
            data = {"equipment": self._plant, "from": self._was_on, "to": on}
            changed = span.first if span else self._agenda.why_over(self._was_in)
            why = f"{message}{changed.note}"
            events = (Event("plant_on" if on else "plant_off", why, data),)
        self._was_on = on
        self._was_in = span.planned if span else None
        return Decision(
            commands=(
                Command(self._point, on, message),
                *(adapted.commands if adapted else ()),
            ),
            state="on" if on else "off",
            attributes={
                "message": message,
                "operation": self._operation,
                "next_change": iso(change),
                "next_change_to": None if change is None else not on,
                **(adapted.attributes if adapted else {}),
            },
            events=events + (adapted.events if adapted else ()),
            planned=planned,
        )

    def ahead(
        self, now: float, zone: tzinfo, amendments: Amendments
    ) -> tuple[PlannedAction, ...]:
        """Return the starts and stops of the next seven days."""
        return self._agenda.look(now, zone, amendments)

    def coasts_until(
        self, now: float, zone: tzinfo, amendments: Amendments
    ) -> float | None:
        """Return until when pumps go on if the plant is stopped early now, else None."""
        self._agenda.look(now, zone, amendments)
        return self._adaptive.pumps_go_on_until(now, self._agenda)

    def _say(self, begin: bool, span: Span) -> Said:
        """Tell a start or a stop."""
        hours = " to ".join(
            f"{datetime.fromtimestamp(at, self._agenda.zone):%H:%M}"
            for at in span.planned
        )
        what = "all day" if self._operation == "all_day" else f"hours {hours}"
        which = "start" if begin else "stop"
        return Said(f"Plant {which}: {what}", self._plant, not begin, begin)

    def _windows(self, today: date, zone: tzinfo) -> Iterator[Window]:
        """Yield the windows around today, in epoch seconds.

        A week back too: what runs on through several days began then. And two
        ahead, so that only what never ends reaches the end of it. On days whose profile
        does not have this schedule it starts nothing.
        """
        if self._operation == "off":
            return
        crosses_midnight = self._stop <= self._start
        for offset in range(-8, 16):
            day = today + timedelta(days=offset)
            if day.weekday() not in self._days:
                continue
            # Today's plan may be a moment late at midnight: who runs, runs on.
            if day in self._idle_days and day != today:
                continue
            last = day + timedelta(days=1) if crosses_midnight else day
            yield (
                datetime.combine(day, self._start, zone).timestamp(),
                datetime.combine(last, self._stop, zone).timestamp(),
            )

    def _next_change(self, now: float, on: bool) -> float | None:
        """When it next goes on or off; None if not within a week."""
        if not on:
            following = self._agenda.following(now)
            return None if following is None else following.begin
        end = self._agenda.end_of(now)
        return None if end == self._agenda.horizon else end


def _until(change: float | None, now: float, zone: tzinfo) -> str:
    if change is None:
        return ""
    local = datetime.fromtimestamp(change, zone)
    today = datetime.fromtimestamp(now, zone).date()
    return (
        f" until {local:%H:%M}" if local.date() == today else f" until {local:%a %H:%M}"
    )
