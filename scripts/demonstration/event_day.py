"""The day on which utilities ask: connected, adaptive, cold and steady before they do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
import time
from zoneinfo import ZoneInfo

from .control_chapters import SUPPLY_TEMPERATURE
from .installation import WEEKDAY, WEEKEND
from .meter_watch import METER, MeterWatch
from .observer import Observer
from .stack import Stack
from .story import wait_until
from .utility import Utility

SPEED = 10.0
"""Times real time: a load that has fallen is seen within seconds, and a building's
air still moves slowly enough for measures that are decided every few seconds."""

_WEATHER = "26 23"
"""°C outdoors and of the dew point: what the load would be without an event is known
only where nothing else changes it."""
_LOAD = 0.45
_COLD = 8.0
_COOLING_SECONDS = 400
_AHEAD = timedelta(minutes=40)
"""From now to the beginning of hours, or to their end: in reach of what adapts."""
_SOON = timedelta(minutes=8)
"""When rooms that are cool enough are begun for."""
_HOURS = "hours_weekend"
_REGISTERED_SECONDS = 60
_ADAPTED_SECONDS = 60
_SPARED_SECONDS = 60
_SPARED = "battery", "zone", "chilled_water"


@dataclass(slots=True)
class EventDay:
    """What comes before any event."""

    stack: Stack
    watch: MeterWatch
    utilities: Sequence[Utility]

    async def utilities_know_the_plant(self, observer: Observer) -> str:
        """Connect the plant as its options offer it; see it registered."""
        begin = time.monotonic()
        await observer.installation.decide_demand_response(METER)
        for utility in self.utilities:
            await observer.installation.connect_utility(
                utility.name, utility.url, utility.dialect.step, utility.dialect.form
            )

        async def registered() -> bool:
            return all(utility.knows_the_plant for utility in self.utilities)

        await wait_until(
            registered, _REGISTERED_SECONDS, "the utilities' servers know the plant"
        )
        await observer.installation.show_events(observer.socket)
        spoken = " and ".join(utility.dialect.name for utility in self.utilities)
        return f"{spoken} in {time.monotonic() - begin:.0f} s"

    async def hours_adapt(self, observer: Observer) -> str:
        """See an early stop weighed and the plant started early, without history."""
        await self.stack.simulator.tell(f"load {_LOAD}")
        await self.stack.simulator.tell(f"weather {_WEATHER}")
        installation = observer.installation
        now = datetime.now(ZoneInfo(self.stack.time_zone))
        since = max(now - _AHEAD, now.replace(hour=0, minute=0, second=0))

        async def told(attribute: str) -> str | None:
            state = await observer.automation_state(_HOURS)
            found: str | None = state["attributes"].get(attribute)
            return found

        async def seen(attribute: str, part: str, what: str) -> str:
            async def look() -> str | None:
                said = await told(attribute)
                return said if said and part in said else None

            return await wait_until(
                look, _ADAPTED_SECONDS, what, partial(told, "message")
            )

        await installation.change_hours(_HOURS, since, now + _AHEAD)
        await installation.move_today(observer.socket, WEEKEND)
        stop = await seen("drift_sureness", "", "how sure an early stop is")
        await installation.change_hours(_HOURS, now + _AHEAD, now + 2 * _AHEAD)
        start = await seen("sureness", "", "how sure an early start is")
        await installation.change_hours(_HOURS, now + _SOON, now + _AHEAD)
        early = await seen("message", "before the hours", "it is started early")
        return f"start {start}, stop {stop}; {early}"

    async def the_plant_cools(self, observer: Observer) -> str:
        """Give the day to the weekday's profile; see cold water."""
        begin = time.monotonic()
        await observer.installation.move_today(observer.socket, WEEKDAY)

        async def cold() -> bool:
            at = await observer.number(SUPPLY_TEMPERATURE)
            stage = await observer.number("plant.stage")
            return bool(stage) and at is not None and at < _COLD

        async def now() -> str:
            return f"{await observer.number(SUPPLY_TEMPERATURE)} °C"

        await wait_until(cold, _COOLING_SECONDS, f"supply below {_COLD:g} °C", now)
        return f"cold water after {time.monotonic() - begin:.0f} s"

    async def the_load_is_steady(self, _: Observer) -> str:
        """Wait until the plant holds its buildings and the meter says the same."""
        return await self.watch.steady(0.0)

    async def a_person_decides(self, observer: Observer) -> str:
        """Take out of the measures what is to be spared, as the options offer it.

        Rooms and water are, as they answer here ten times faster than the loop against
        the meter reckons with: it would give them back while they still show.
        """
        for kind in _SPARED:
            await observer.installation.decide(f"measure_{kind}", use=False)

        async def left() -> list[str]:
            told = (await observer.state("plant.demand_response"))["attributes"]
            return [row["name"] for row in told["measures"]]

        async def spared() -> bool:
            return not any(
                "Battery" in name or "warmer" in name for name in await left()
            )

        await wait_until(spared, _SPARED_SECONDS, "what is spared is left out", left)
        return f"left: {', '.join(await left())}"
