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
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from .decision import Command, ControlRefused, Decision, Event, Inputs, Value, iso
from .plan import Plan, PlanAutomation, PlanPoint

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
REPEATS = ("once", "weekly")
_WORDS = {"on": True, "true": True, "off": False, "false": False}

Window = tuple[float, float]
"""Begin and end, epoch seconds."""


class CustomSchedule:
    """One schedule of one point."""

    def __init__(self, plan: Plan, automation: PlanAutomation) -> None:
        """Check what was configured; raise ControlRefused if it cannot be run."""
        names = automation.names("point")
        if not names:
            raise ControlRefused("no point is chosen")
        point = plan.points.get(names[0])
        if point is None:
            raise ControlRefused(f"the plant has no point {names[0]}")
        if not point.writable:
            raise ControlRefused(f"{point.key} cannot be set: it is a measurement")
        config = automation.config
        self._name = automation.name
        self._point = point
        self._equipment, _, self._role = point.key.partition(".")
        self._what = f"{plan.name(self._equipment)} {self._role.replace('_', ' ')}"
        self._value = fitting(config.get("value"), point)
        self._repeat = config.get("repeat")
        if self._repeat not in REPEATS:
            raise ControlRefused(
                f"repeat is {self._repeat!r}; it is one of {', '.join(REPEATS)}"
            )
        self._begin = self._end = datetime.min
        self._begin_time = self._end_time = time()
        self._days: frozenset[int] = frozenset()
        if self._repeat == "once":
            self._begin = _moment(config.get("begin"), "begin")
            self._end = _moment(config.get("end"), "end")
            if self._end <= self._begin:
                raise ControlRefused(
                    f"the end {self._end:%Y-%m-%d %H:%M} is not after the begin "
                    f"{self._begin:%Y-%m-%d %H:%M}"
                )
        else:
            self._begin_time = _time(config.get("begin_time"), "begin_time")
            self._end_time = _time(config.get("end_time"), "end_time")
            self._days = _days(config.get("days"))
        self._active: bool | None = None
        if isinstance(active := automation.resume.get("active"), bool):
            self._active = active
        self._day: tuple[date, tzinfo] | None = None
        self._windows_of_day: list[Window] = []
        self.points = frozenset({point.key})

    def step(self, now: float, inputs: Inputs) -> Decision:
        """Decide whether the point has its value now."""
        zone = inputs.time_zone
        day = (datetime.fromtimestamp(now, zone).date(), zone)
        if day != self._day:
            self._day = day
            self._windows_of_day = sorted(self._windows(*day))
        windows = self._windows_of_day
        end = _end_of(now, windows)
        begin = next((start for start, _ in windows if start > now), None)
        active = end > now
        # Windows that follow one another without a gap have no end to be told.
        last = end if active and not self._endless(end, windows) else None
        state, message = self._describe(now, inputs, active, last, begin)
        events = self._events(inputs, active, message)
        self._active = active
        following = next(((b, e) for b, e in windows if b > now and b > end), None)
        until = "" if last is None else f" until {_local(last, now, zone)}"
        why = f"{self._name}{until}"
        return Decision(
            commands=((Command(self._point.key, self._value, why),) if active else ()),
            state=state,
            attributes={
                "message": message,
                "point": self._point.key,
                "value": self._value,
                "present_value": inputs.values.get(self._point.key),
                "repeat": self._repeat,
                "window_end": iso(last),
                "next_window_begin": following and iso(following[0]),
                "next_window_end": following and iso(following[1]),
                "next_change": iso(last if active else begin),
                "taken_by": inputs.taken.get(self._point.key),
                "held": inputs.holds.get(self._point.key) if active else None,
                "resume": {"active": active},
            },
            events=events,
        )

    def _endless(self, end: float, windows: list[Window]) -> bool:
        return self._repeat == "weekly" and end == windows[-1][1]

    def _windows(self, today: date, zone: tzinfo) -> Iterator[Window]:
        """Yield the windows around today."""
        if self._repeat == "once":
            yield (
                self._begin.replace(tzinfo=zone).timestamp(),
                self._end.replace(tzinfo=zone).timestamp(),
            )
            return
        over_midnight = self._end_time <= self._begin_time
        for offset in range(-1, 9):
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
        active: bool,
        end: float | None,
        begin: float | None,
    ) -> tuple[str, str]:
        """Return the state and a sentence about it."""
        zone = inputs.time_zone
        value = _said(self._value, self._point)
        if not active:
            if begin is not None:
                at = _local(begin, now, zone)
                return "waiting", f"{self._what} gets {value} from {at}"
            if self._repeat == "once":
                return (
                    "over",
                    f"Over since {_local(self._windows_of_day[0][1], now, zone)}",
                )
            return "waiting", "No window within a week"
        until = "all the time" if end is None else f"until {_local(end, now, zone)}"
        if (owner := inputs.taken.get(self._point.key)) is not None:
            return "overridden", f"{owner} sets {self._what}; {value} {until} gives way"
        if (hold := inputs.holds.get(self._point.key)) is not None:
            return "active", f"{self._what} is held: {hold}; {value} {until}"
        return "active", f"{self._what} {value} {until}"

    def _events(self, inputs: Inputs, active: bool, message: str) -> tuple[Event, ...]:
        """Tell that a window began or ended, also while nobody was looking."""
        if active == bool(self._active):
            return ()
        present = inputs.values.get(self._point.key)
        data = {"equipment": self._equipment, "point": self._point.key}
        if active:
            change = {"from": present, "to": self._value}
            return (Event("window_began", message, {**data, **change}),)
        reason = f"Window over: {self._what} is handed back"
        return (Event("window_ended", reason, {**data, "from": self._value}),)


def fitting(value: object, point: PlanPoint) -> Value:
    """Return a value as the point takes it; raises ControlRefused with the reason."""
    text = str(value).strip() if value is not None else ""
    if not text:
        raise ControlRefused(f"there is no value for {point.key}")
    word = _WORDS.get(text.casefold())
    if point.boolean:
        if word is None:
            raise ControlRefused(f"{point.key} is on or off; {text!r} is neither")
        return word
    try:
        number = float(text)
    except ValueError:
        raise ControlRefused(f"{point.key} takes a number; {text!r} is none") from None
    unit = f" {point.unit}" if point.unit else ""
    # Written so that "nan" is outside all limits.
    low = float("-1e9") if point.low is None else point.low
    high = float("1e9") if point.high is None else point.high
    if not low <= number <= high:
        raise ControlRefused(
            f"{point.key}: {text}{unit} is outside its limits, {low:g} to {high:g}{unit}"
        )
    return number


def _said(value: Value, point: PlanPoint) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g} {point.unit}" if point.unit else f"{value:g}"


def _end_of(now: float, windows: list[Window]) -> float:
    """Return when the value is given back: now if it has no window now."""
    end = now
    for start, stop in windows:
        if start <= end < stop:
            end = stop
    return end


def _local(moment: float, now: float, zone: tzinfo) -> str:
    local = datetime.fromtimestamp(moment, zone)
    days = (local.date() - datetime.fromtimestamp(now, zone).date()).days
    if days == 0:
        return f"{local:%H:%M}"
    return f"{local:%a %H:%M}" if 0 < days < 7 else f"{local:%Y-%m-%d %H:%M}"


def _days(value: Any) -> frozenset[int]:
    days = value or DAYS
    unknown = [day for day in days if day not in DAYS]
    if unknown:
        raise ControlRefused(f"days: {unknown[0]!r} is not one of {', '.join(DAYS)}")
    return frozenset(DAYS.index(day) for day in days)


def _moment(value: Any, field: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ControlRefused(f"{field} is not a date and time: {value!r}") from None
    if moment.tzinfo is not None:
        raise ControlRefused(f"{field} is a local time, without an offset: {value!r}")
    return moment


def _time(value: Any, field: str) -> time:
    try:
        return time.fromisoformat(str(value))
    except ValueError:
        raise ControlRefused(f"{field} is not a time of day: {value!r}") from None
