"""Custom schedule: one point to one value in a window, once or again and again.

For what a calendar of profiles is too coarse for: a setpoint an hour before an
event, a circuit off at noon, a pump that is exercised on Sundays. It has the
priority 100 in whatever profile it is in, so that it wins over all ordinary
automations; when its window is over the point is handed back to them.

Windows are wall-clock times at the plant. They are turned into instants before
they are compared with the time, so that the night in which the clocks change
neither runs a window twice nor leaves it open.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo

from .decision import Command, ControlRefused, Decision, Event, Inputs, Value, iso
from .form_times import days_of, moment_of, time_of
from .plan import Plan, PlanAutomation, PlanPoint
from .planned import Amendments, PlannedAction
from .spans import Agenda, Said, Span, Window

REPEATS = ("once", "weekly")
_WORDS = {"on": True, "true": True, "off": False, "false": False}
BEGIN, END = "window_begin", "window_end"
HANDED_BACK = "released"
"""What a point gets when nobody of us commands it any more."""
MOST_CHOICES = 50


class CustomSchedule:
    """One schedule of one point."""

    def __init__(self, plan: Plan, automation: PlanAutomation) -> None:
        """Check what was configured; raise ControlRefused if it cannot be run."""
        names = automation.names("point")
        if not names:
            raise ControlRefused("no point is chosen", "point")
        point = plan.points.get(names[0])
        if point is None:
            raise ControlRefused(f"the plant has no point {names[0]}", "point")
        if not point.writable:
            raise ControlRefused(
                f"{point.key} cannot be set: it is a measurement", "point"
            )
        config = automation.config
        self._name = automation.name
        self._point = point
        self._equipment, _, self._role = point.key.partition(".")
        self._value = fitting(config.get("value"), point)
        self._targets = {
            item.key: _Target(
                item.points[self._role],
                f"{item.name} {self._role.replace('_', ' ')}",
            )
            for item in plan.equipment.values()
            if item.type == plan.equipment[self._equipment].type
            and item.command(self._role)
            and _fits(self._value, item.points[self._role])
        }
        self._repeat = config.get("repeat")
        if self._repeat not in REPEATS:
            raise ControlRefused(
                f"repeat is {self._repeat!r}; it is one of {', '.join(REPEATS)}",
                "repeat",
            )
        self._begin = self._end = datetime.min
        self._begin_time = self._end_time = time()
        self._days: frozenset[int] = frozenset()
        if self._repeat == "once":
            self._begin = moment_of(config.get("begin"), "begin")
            self._end = moment_of(config.get("end"), "end")
            if self._end <= self._begin:
                raise ControlRefused(
                    f"the end {self._end:%Y-%m-%d %H:%M} is not after the begin "
                    f"{self._begin:%Y-%m-%d %H:%M}",
                    "begin",
                    "end",
                )
        else:
            self._begin_time = time_of(config.get("begin_time"), "begin_time")
            self._end_time = time_of(config.get("end_time"), "end_time")
            self._days = days_of(config.get("days"), "days")
        self._active: bool | None = None
        if isinstance(active := automation.resume.get("active"), bool):
            self._active = active
        before = str(automation.resume.get("target")).partition(".")[0]
        self._was_on = self._targets.get(before) or self._targets[self._equipment]
        self._was_in: Window | None = None
        self._agenda = Agenda(
            (BEGIN, END), self._windows, self._say, once=self._repeat == "once"
        )

    @property
    def points(self) -> frozenset[str]:
        """The point, and what it was exchanged for."""
        others = (
            self._target(span) for span in self._agenda.spans if span.first.equipment
        )
        return frozenset({self._point.key, *(item.point.key for item in others)})

    def _target(self, span: Span | None) -> "_Target":
        """Return what gets the value in a window."""
        equipment = span.first.equipment if span is not None else None
        return self._targets[
            equipment if equipment in self._targets else self._equipment
        ]

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide whether the point has its value now."""
        zone = inputs.time_zone
        planned = self.ahead(now, zone, inputs.amendments)
        end = self._agenda.end_of(now)
        span = self._agenda.now(now)
        active = span is not None
        target = self._target(span)
        # Windows that follow one another without a gap have no end to be told.
        last = end if active and end != self._agenda.horizon else None
        state, message = self._describe(now, inputs, target, active, last)
        events = self._events(inputs, target, span, message)
        self._active = active
        following = self._agenda.following(end)
        until = "" if last is None else f" until {_local(last, now, zone)}"
        why = f"{self._name}{until}"
        point = target.point.key
        return Decision(
            commands=((Command(point, self._value, why),) if active else ()),
            state=state,
            attributes={
                "message": message,
                "point": point,
                "value": self._value,
                "present_value": inputs.values.get(point),
                "repeat": self._repeat,
                "window_end": iso(last),
                "next_window_begin": following and iso(following.begin),
                "next_window_end": following and iso(following.end),
                "next_change": iso(last)
                if active
                else following and iso(following.begin),
                "taken_by": inputs.taken.get(point),
                "held": inputs.holds.get(point) if active else None,
                "resume": {"active": active, "target": point},
            },
            events=events,
            planned=planned,
        )

    def ahead(
        self, now: float, zone: tzinfo, amendments: Amendments
    ) -> tuple[PlannedAction, ...]:
        """Return the windows' begins and ends of the next seven days."""
        return self._agenda.look(now, zone, amendments)

    def _say(self, begin: bool, span: Span) -> Said:
        """Tell the begin or the end of a window."""
        target = self._target(span)
        what = f"{self._name}: {target.name}"
        equipment = target.point.key.partition(".")[0]
        if not begin:
            what = f"{what} is handed back"
            return Said(what, equipment, self._value, HANDED_BACK)
        what = f"{what} {_said(self._value, target.point)}"
        choices = tuple(self._targets)[:MOST_CHOICES]
        return Said(what, equipment, None, self._value, choices)

    def _windows(self, today: date, zone: tzinfo) -> Iterator[Window]:
        """Yield the windows around today.

        A week back too, for those without a gap. And two ahead, so that only what
        never ends reaches the end of it.
        """
        if self._repeat == "once":
            yield (
                self._begin.replace(tzinfo=zone).timestamp(),
                self._end.replace(tzinfo=zone).timestamp(),
            )
            return
        over_midnight = self._end_time <= self._begin_time
        for offset in range(-8, 16):
            day = today + timedelta(days=offset)
            if day.weekday() not in self._days:
                continue
            last = day + timedelta(days=1) if over_midnight else day
            begin = datetime.combine(day, self._begin_time, zone).timestamp()
            end = datetime.combine(last, self._end_time, zone).timestamp()
            # Where the clock jumps over a window there is none that day.
            if end > begin:
                yield begin, end

    def _describe(
        self,
        now: float,
        inputs: Inputs,
        target: "_Target",
        active: bool,
        end: float | None,
    ) -> tuple[str, str]:
        """Return the state and a sentence about it."""
        zone = inputs.time_zone
        point, what = target.point.key, target.name
        value = _said(self._value, target.point)
        if not active:
            if (following := self._agenda.following(now)) is not None:
                at = _local(following.begin, now, zone)
                return "waiting", f"{what} gets {value} from {at}"
            if self._repeat == "once":
                span = self._agenda.spans[0]
                if span.skipped:
                    note = self._agenda.why_over(span.planned).note
                    return "over", f"Cancelled{note}"
                return "over", f"Over since {_local(span.end, now, zone)}"
            return "waiting", "No window within a week"
        until = "all the time" if end is None else f"until {_local(end, now, zone)}"
        if (owner := inputs.taken.get(point)) is not None:
            return "overridden", f"{owner} sets {what}; {value} {until} gives way"
        if (hold := inputs.holds.get(point)) is not None:
            return "active", f"{what} is held: {hold}; {value} {until}"
        return "active", f"{what} {value} {until}"

    def _events(
        self, inputs: Inputs, target: "_Target", span: Span | None, message: str
    ) -> tuple[Event, ...]:
        """Tell that a window began or ended, also while nobody was looking."""
        active = span is not None
        was, self._was_in = self._was_in, span.planned if span else None
        if active == bool(self._active):
            if active:
                self._was_on = target
            return ()
        if span is not None:
            self._was_on = target
            key = target.point.key
            data = {"equipment": key.partition(".")[0], "point": key}
            change = {"from": inputs.values.get(key), "to": self._value}
            text = f"{message}{span.first.note}"
            return (Event("window_began", text, {**data, **change}),)
        note = self._agenda.why_over(was).note
        target, key = self._was_on, self._was_on.point.key
        reason = f"Window over: {target.name} is handed back{note}"
        data = {"equipment": key.partition(".")[0], "point": key}
        back = {"from": self._value, "to": HANDED_BACK}
        return (Event("window_ended", reason, {**data, **back}),)


@dataclass(frozen=True, slots=True)
class _Target:
    """A point that can get the value."""

    point: PlanPoint
    name: str
    """What people call it."""


def fitting(value: object, point: PlanPoint) -> Value:
    """Return a value as the point takes it; raises ControlRefused with the reason."""
    text = str(value).strip() if value is not None else ""
    if not text:
        raise ControlRefused(f"there is no value for {point.key}", "value")
    word = _WORDS.get(text.casefold())
    if point.boolean:
        if word is None:
            raise ControlRefused(
                f"{point.key} is on or off; {text!r} is neither", "value"
            )
        return word
    try:
        number = float(text)
    except ValueError:
        raise ControlRefused(
            f"{point.key} takes a number; {text!r} is none", "value"
        ) from None
    unit = f" {point.unit}" if point.unit else ""
    # Written so that "nan" is outside all limits.
    low = float("-1e9") if point.low is None else point.low
    high = float("1e9") if point.high is None else point.high
    if not low <= number <= high:
        raise ControlRefused(
            f"{point.key}: {text}{unit} is outside its limits, {low:g} to {high:g}{unit}",
            "value",
        )
    return number


def _fits(value: Value, point: PlanPoint) -> bool:
    if isinstance(value, bool) or point.boolean:
        return isinstance(value, bool) and point.boolean
    low = value if point.low is None else point.low
    high = value if point.high is None else point.high
    return low <= value <= high


def _said(value: Value, point: PlanPoint) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g} {point.unit}" if point.unit else f"{value:g}"


def _local(moment: float, now: float, zone: tzinfo) -> str:
    local = datetime.fromtimestamp(moment, zone)
    days = (local.date() - datetime.fromtimestamp(now, zone).date()).days
    if days == 0:
        return f"{local:%H:%M}"
    return f"{local:%a %H:%M}" if 0 < days < 7 else f"{local:%Y-%m-%d %H:%M}"
