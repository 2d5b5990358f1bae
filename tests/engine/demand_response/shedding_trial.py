"""Demand response of a site, cycle by cycle, in a house that is a memory."""

from collections.abc import Mapping
import json
from typing import Any

from chiller_control.control.demand_response.event_book import EventBook, Told
from chiller_control.control.demand_response.grid_event import (
    GridEvent,
    Interval,
    Signal,
)
from chiller_control.control.demand_response.site import parse_site
from chiller_control.house import CallFailed, NoAnswer
from chiller_control.load_shedding import LoadShedding
from chiller_control.utilities import Desk, News
from chiller_control.ven import Refusal
from shed_site import CIRCUITS, UTILITY, Load, baseline, site_data

NOW = 1_800_000_000.0


BEGIN = NOW + 600.0


HOUR = 3600.0


STEP = 5.0


def grid_event(identity: str = "e1", level: float = 2.0, **changes: Any) -> GridEvent:
    given: dict[str, Any] = {
        "id": identity,
        "source": "grid",
        "modification": 0,
        "rank": 1,
        "start": BEGIN,
        "duration": HOUR,
        "signals": (Signal("simple", (Interval(HOUR, level),)),),
        "created": NOW,
    }
    return GridEvent(**(given | changes))


def _no_number(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


class MemoryHouse:
    """Entities of a load that answers; calls are written down, or refused."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.log: list[str] = []
        self.answers = True
        self.refuses: str | None = None
        self.looked = 0

    def entity(self, entity_id: str) -> Mapping[str, Any] | None:
        self.looked += 1
        state = self.load.states().get(entity_id)
        return state and {
            "state": state,
            "attributes": self.load.attributes.get(entity_id, {}),
        }

    def call(self, action: str, data: Mapping[str, Any]) -> None:
        if not self.answers:
            raise NoAnswer("no answer within 5 s")
        self.calls.append((action, dict(data)))
        if (
            action == "command"
            and self.refuses
            and self.refuses in str(data["entity_id"])
        ):
            raise CallFailed("the interlocks do not allow it")
        self.load.call(action, data)

    def tell(self, message: str) -> None:
        self.log.append(message)

    def of(self, action: str) -> list[dict[str, Any]]:
        return [data for name, data in self.calls if name == action]


class Trial:
    """A site, its event book, and time that a test moves."""

    def __init__(self, *events: GridEvent, known: bool = True, **site: Any) -> None:
        self.load = Load()
        self.house = MemoryHouse(self.load)
        self.now = NOW
        self.book = EventBook("plant")
        self.told: list[Told | Refusal] = []
        self.news: list[News] = []
        self.sections: dict[str, Any] = site
        for event in events:
            self.receive(event)
        if known:
            self.sections.setdefault(
                "baselines", {event.key: baseline(event.start) for event in events}
            )
        self.begin()

    def begin(self) -> None:
        """Start as after a restart of AppDaemon."""
        self.shedding = LoadShedding(self.house)
        self.take()

    def take(self, **sections: Any) -> None:
        self.sections |= sections
        data = site_data(UTILITY, **self.sections)
        self.shedding.take(parse_site(json.loads(json.dumps(data))))

    def receive(self, event: GridEvent) -> None:
        told = self.book.receive(event, self.now)
        assert told is not None
        self.told.append(told)

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.now += STEP
            desk = Desk(self.book.copy(), tuple(self.told), (), ())
            self.told.clear()
            self.news.append(self.shedding.cycle(self.now, desk))

    @property
    def report(self) -> dict[str, Any]:
        text = self.house.of("report_demand_response")[-1]["report"]
        return json.loads(text, parse_constant=_no_number)

    @property
    def actions(self) -> list[str]:
        return [
            item["event"]
            for data in self.house.of("report_demand_response")
            for item in json.loads(data["report"])["actions"]
        ]

    @property
    def off(self) -> set[str]:
        return {
            name
            for name in CIRCUITS
            if self.load.commands.get(f"switch.{name}_run_command") is False
        }
