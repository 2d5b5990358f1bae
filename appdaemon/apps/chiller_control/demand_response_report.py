"""What Home Assistant is told of demand response: on change, and now and then.

The answer of one action, which is bounded: what does not fit is what people need
least. What happened waits until it was told.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
import json
from typing import Any

from .control.decision import Decision, Event
from .control.demand_response.event_book import Entry, Status
from .house import Caller
from .reporting import REPORT_INTERVAL
from .ven import Refusal

MOST_ACTIONS = 200
"""What happened and could not be told yet; the oldest is forgotten."""
ACTIONS_A_REPORT = 40
MOST_CHARACTERS = 58_000
"""Of a report without what is remembered of each measure."""
MOST_REMEMBERED = 230_000
"""Characters of that: what 1,500 zones come to."""
MOST_MEASURES = 60
"""Measures that are shown; those in use first."""
MOST_SHOWN = 11_000
"""Characters of all that is shown."""
TOLD_AFTER = 3600.0
"""Seconds for which an event that is over is still told; Home Assistant keeps it."""
_FEW = 48
"""Steps of a signal that are told where all of them do not fit."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How everything stands now."""

    state: str
    attributes: Mapping[str, Any]
    resume: Any
    available_kw: float | None
    connections: Sequence[Mapping[str, Any]]
    events: Sequence[Mapping[str, Any]]
    missing: Sequence[str]


class DemandResponseReport:
    """The reports of one plant."""

    def __init__(self, caller: Caller) -> None:
        """Report through this caller."""
        self._caller = caller
        self._actions: deque[dict[str, Any]] = deque(maxlen=MOST_ACTIONS)
        self._unable: set[str] = set()
        self._said: object = None
        self._said_at: float | None = None

    def act(self, now: float, events: Iterable[Event]) -> None:
        """Note what happened."""
        self._actions.extend(
            {
                **event.data,
                "event": event.event,
                "reason": event.reason[:500],
                "at": now,
            }
            for event in events
        )

    def refuse(self, now: float, refusals: Iterable[Refusal]) -> None:
        """Note events that were not taken."""
        self.act(
            now,
            (
                Event(
                    "event_refused",
                    f"Event {item.event_id} of {item.source} is not taken: {item.why}",
                    {"grid_event": f"{item.source}:{item.event_id}"},
                )
                for item in refusals
            ),
        )

    def failures(self, now: float, decision: Decision) -> None:
        """Note measures that cannot be used while they are wanted, each once."""
        if decision.state != "shedding":
            self._unable.clear()
            return
        rows: Any = decision.attributes.get("measures") or ()
        for row in rows:
            if row["unable"] and row["name"] not in self._unable:
                self._unable.add(row["name"])
                said = f"{row['name']} cannot be used: {row['unable']}"
                self.act(now, [Event("shed_failed", said, {"measure": row["name"]})])

    def tell(self, now: float, entry_id: str, standing: Standing) -> None:
        """Report if that is due; raises NoAnswer."""
        said = (
            standing.state,
            standing.attributes.get("message"),
            standing.events,
            [
                (item["id"], item["stands"], item["why"])
                for item in standing.connections
            ],
            standing.missing,
        )
        due = self._said_at is None or now - self._said_at >= REPORT_INTERVAL
        if not due and said == self._said and not self._actions:
            return
        sent = list(self._actions)[:ACTIONS_A_REPORT]
        report = {
            "state": standing.state,
            "attributes": _shown(standing.attributes),
            "available_kw": standing.available_kw,
            "connections": list(standing.connections),
            "events": list(standing.events),
            "actions": sent,
            "missing": list(standing.missing),
        }
        # As a text, for its nulls: AppDaemon drops them on the way.
        text = json.dumps(_fitted(report) | {"resume": _remembered(standing.resume)})
        data = {"plant": entry_id, "report": text}
        if self._caller.call("report_demand_response", data):
            self._said, self._said_at = said, now
            for _ in sent:
                self._actions.popleft()


def known_event(
    entry: Entry, status: Status, site: str, asked_now: str | None
) -> dict[str, Any]:
    """Return an event as Home Assistant knows it; `site` as of the event book."""
    event = entry.event
    best = event.signal()
    signals = sorted(event.signals, key=lambda signal: signal is not best)
    return {
        "key": event.key,
        "id": event.id,
        "source": event.source,
        "name": event.comment[:255],
        "begins": event.begins(site),
        "ends": event.ends(site),
        "recovery": event.recovery,
        "status": status,
        "opt": entry.opt,
        "why": entry.why[:500],
        "test": event.test,
        "comment": event.comment[:2000],
        "received": entry.received,
        "cancelled": entry.cancelled,
        "signals": [
            {
                "kind": signal.kind,
                "intervals": [
                    {"duration": item.duration, "value": item.value}
                    for item in signal.intervals
                ],
            }
            for signal in signals
        ],
        "asked_now": asked_now and asked_now[:255],
    }


def _shown(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes that Home Assistant's recorder keeps."""
    shown = {key: value for key, value in attributes.items() if key != "resume"}
    measures = shown.get("measures") or []
    first = sorted(measures, key=lambda row: (not row["level"], not row["unable"]))
    sizes = accumulate(len(json.dumps(row)) + 2 for row in first[:MOST_MEASURES])
    room = MOST_SHOWN - len(json.dumps(shown | {"measures": []}))
    most = sum(size <= room for size in sizes)
    if len(measures) > most:
        shown["measures"] = first[:most]
        shown["measures_not_shown"] = len(measures) - most
    return shown


def _remembered(resume: Any) -> Any:
    """Return what a restart goes on from; where it is too much, what is in use first."""
    if len(json.dumps(resume)) <= MOST_REMEMBERED:
        return resume
    shedding = resume["shedding"]
    uses = sorted(shedding["uses"].items(), key=lambda use: not use[1].get("level"))
    sizes = accumulate(len(json.dumps(use)) + 2 for use in uses)
    rest = resume | {"shedding": shedding | {"uses": {}}}
    room = MOST_REMEMBERED - len(json.dumps(rest))
    kept = dict(uses[: sum(size <= room for size in sizes)])
    return resume | {"shedding": shedding | {"uses": kept}}


def _fitted(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report that is not too long for Home Assistant."""
    if len(json.dumps(report)) <= MOST_CHARACTERS:
        return report
    # Home Assistant has the event book, with every step in it.
    report["events"] = [
        {
            **event,
            "signals": [
                {**signal, "intervals": signal["intervals"][:_FEW]}
                for signal in event["signals"][:1]
            ],
        }
        for event in sorted(report["events"], key=lambda item: item["begins"])
    ]
    while len(json.dumps(report)) > MOST_CHARACTERS and report["events"]:
        report["events"].pop()
    return report
