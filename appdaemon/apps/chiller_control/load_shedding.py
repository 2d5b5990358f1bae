"""Demand response of one plant at work: the desk in, commands and a report out.

Knows nothing of AppDaemon, as the engine of the control types does not: it is given
the house, the time, and what lies on the desk of the connections to utilities.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, tzinfo
from typing import Any

from .control.decision import Decision, Inputs
from .control.demand_response.asking import Asking
from .control.demand_response.event_book import EventBook
from .control.demand_response.event_follower import EventFollower
from .control.demand_response.event_reports import EventReports, Figures, Reported
from .control.demand_response.measures import Measure
from .control.demand_response.portfolio_part import PortfolioPart
from .control.demand_response.precooling import Precooling
from .control.demand_response.shedding import Shedding
from .control.demand_response.site import Site
from .demand_response_report import (
    TOLD_AFTER,
    DemandResponseReport,
    Standing,
    known_event,
)
from .engine import RETRY_INTERVAL
from .house import Caller, House, NoAnswer
from .portfolio_sums import read_sums
from .readings import read
from .sender import Sender
from .utilities import Desk, News
from .ven import Refusal

LONGEST_INTERVAL = 10.0
"""Seconds from one look at the meter to the next; less where it is read more often."""
CYCLES_AFTER_RESTART = 3
"""In which what was shed is commanded again, and nothing else: leases may have run
out while nobody was there, and the meter does not show it yet."""
OPERATOR = 150
"""The priority from which on a command is a person's."""


class LoadShedding:
    """Sheds load for the events of one plant, and tells of it."""

    def __init__(self, house: House, time_zone: tzinfo = UTC) -> None:
        """Begin without a site."""
        self._house = house
        self._caller = Caller(house)
        self._time_zone = time_zone
        self._asking = Asking()
        self._reports = EventReports()
        self._report = DemandResponseReport(self._caller)
        self._site: Site | None = None
        self._sender = Sender(self._caller, "demand_response")
        self._follower = EventFollower("")
        self._shedding: Shedding | None = None
        self._resume: Any = None
        """What `Shedding` needs to go on."""
        self._unheard = False
        """Whether the last cycle could not be carried out."""
        self._restarts = 0
        """Cycles until the meter shows again what was shed before a restart."""

    @property
    def interval(self) -> float:
        """Seconds from one cycle to the next."""
        if self._site is None:
            return RETRY_INTERVAL
        return min(LONGEST_INTERVAL, self._site.poll_interval)

    def take(self, site: Site) -> None:
        """Take over what people decided; what is shed stays as it is."""
        before, self._site = self._site, site
        self._asking.take(site)
        if before is None or before.key != site.key:
            self._sender = Sender(self._caller, f"demand_response:{site.key}")
            self._follower = EventFollower(site.key, site.resume.get("told"))
            self._resume = site.resume.get("shedding")
            self._shedding = self._new_shedding(site)
            self._restarts = CYCLES_AFTER_RESTART if self._used else 0
        elif _chosen(before) != _chosen(site):
            self._shedding = self._new_shedding(site)

    def _new_shedding(self, site: Site) -> Shedding:
        return Shedding(
            site.measures,
            # Without a meter nothing is added, and what is used is given back.
            site.meter or "",
            self._asking.demand,
            site.shedding,
            self._resume if isinstance(self._resume, Mapping) else None,
            None
            if site.precool is None
            else Precooling(site.precool, site.precooled, self._asking.coming),
        )

    def cycle(self, now: float, desk: Desk) -> News:
        """Decide, command and report once; return what utilities are to be told."""
        site, shedding = self._site, self._shedding
        assert site is not None
        assert shedding is not None
        self._asking.look(desk.book, now)
        wanted: frozenset[str] = frozenset()
        if (
            site.connections
            or site.portfolio is not None
            or desk.book.entries
            or self._used
        ):
            wanted = shedding.points | frozenset(site.telemetry.values())
        inputs = read(self._house, site.points, wanted, site.priority, self._time_zone)
        inputs = replace(inputs, holds={**inputs.holds, **self._sender.refused})
        available: float | None = None
        try:
            decision = shedding.step(now, self._seen(inputs))
            if wanted:
                available = round(shedding.available_kw(now, inputs), 1)
        except Exception as error:  # noqa: BLE001 - a fault is told, and ends nothing else
            message = f"{type(error).__name__}: {error}"
            self._caller.complain(f"demand response failed: {message}")
            decision = Decision((), "fault", {"message": message})
        else:
            self._resume = decision.attributes["resume"]
            # It may have been hidden from who decides, but not from people.
            told = {
                **decision.attributes,
                "meter_kw": inputs.number(site.meter),
                "used_kw": self._used_kw,
            }
            decision = replace(decision, attributes=told)
        waiting = self._waiting
        try:
            if decision.state != "fault":
                self._sender.release(
                    {command.point for command in decision.commands}, site
                )
                self._sender.command(now, decision.commands, site.priority, site)
            self._restarts = max(self._restarts - 1, 0)
            self._tell(now, desk, decision, available, waiting)
            self._unheard = False
        except NoAnswer:
            # What was not sent is due again in the next cycle.
            self._unheard = True
        return self._news(now, desk.book, inputs, available, decision)

    @property
    def _used(self) -> bool:
        """Whether anything is shed."""
        return any(level for _, level in self._levels)

    @property
    def _used_kw(self) -> float:
        """What is shed now, by estimate; a meter shows it later."""
        return round(sum(item.capacity_kw * max(n, 0) for item, n in self._levels), 1)

    @property
    def _levels(self) -> list[tuple[Measure, int]]:
        """Return how far measures are used, as far as that is known."""
        assert self._site is not None
        uses = self._resume.get("uses") if isinstance(self._resume, Mapping) else None
        if not isinstance(uses, Mapping):
            return []
        return [
            (item, level)
            for item in self._site.measures
            if isinstance(use := uses.get(item.key), Mapping)
            and isinstance(level := use.get("level", 0), int)
        ]

    @property
    def _waiting(self) -> str | None:
        """Why what is shed has to stay as it is, in a sentence; None if it need not.

        The meter would mislead: there is no target, or it cannot show yet what was
        decided, and more would be too much.
        """
        if (blind := self._asking.blind) is not None:
            return blind
        if self._unheard:
            return "Home Assistant does not take what was decided"
        if self._restarts:
            return "The engine was started anew"
        return None

    def _seen(self, inputs: Inputs) -> Inputs:
        assert self._site is not None
        if self._waiting is None or self._site.meter is None:
            return inputs
        return replace(inputs, values={**inputs.values, self._site.meter: None})

    # What Home Assistant is told.

    def _tell(
        self,
        now: float,
        desk: Desk,
        decision: Decision,
        available: float | None,
        waiting: str | None,
    ) -> None:
        site, report, book = self._site, self._report, desk.book
        assert site is not None
        told = [item for item in desk.told if not isinstance(item, Refusal)]
        report.act(now, self._follower.follow(book, now, told))
        report.refuse(now, (item for item in desk.told if isinstance(item, Refusal)))
        report.act(now, decision.events)
        report.failures(now, decision)
        state, attributes = self._shown(decision, waiting)
        events = [
            known_event(
                entry, book.status(key, now), site.key, self._asking.words(entry, now)
            )
            for key, entry in book.entries.items()
            if now
            < max(
                entry.event.ends(site.key) + entry.event.recovery,
                entry.cancelled or 0.0,
            )
            + TOLD_AFTER
        ]
        resume = {"shedding": self._resume, "told": self._follower.resume}
        standing = Standing(
            state,
            attributes,
            resume,
            available,
            desk.connections,
            events,
            desk.missing,
        )
        report.tell(now, site.entry_id, standing)

    def _shown(
        self, decision: Decision, waiting: str | None
    ) -> tuple[str, dict[str, Any]]:
        """Return the state and its attributes as people see them."""
        assert self._site is not None
        attributes: dict[str, Any] = dict(decision.attributes)
        state = decision.state
        if state == "fault":
            return state, attributes
        if state == "shedding" and waiting is not None:
            used = bool(decision.commands)
            held = "what is shed stays as it is" if used else "nothing is shed"
            attributes["message"] = f"{waiting}; {held}."
            if self._asking.blind is not None:
                attributes |= {"baseline_kw": None, "target_kw": None}
                state = "shedding" if used else "not_ready"
            return state, attributes
        if state == "idle" and not self._site.take_part:
            message = "This plant takes part in no demand response now."
            return "off", attributes | {"message": message}
        return state, attributes

    # What utilities are told.

    def _news(
        self,
        now: float,
        book: EventBook,
        inputs: Inputs,
        available: float | None,
        decision: Decision,
    ) -> News:
        site = self._site
        assert site is not None
        baseline = self._asking.baseline_kw(now)
        intervals = {item.name: item.report_interval for item in site.connections}
        reported = [
            Reported(
                key,
                entry.event.begins(site.key),
                min(entry.event.ends(site.key), entry.cancelled or float("inf")),
                intervals[entry.event.source],
                entry.opt,
            )
            for key, entry in book.entries.items()
            if entry.event.source in intervals and not entry.event.test
        ]
        figures = Figures(
            inputs.number(site.meter), baseline, available, bool(decision.commands)
        )
        telemetry = {
            name: inputs.number(point) for name, point in site.telemetry.items()
        }
        if site.portfolio is not None and site.portfolio.leads:
            figures = self._of_all(site.portfolio, figures)
            telemetry["power"] = figures.power_kw
        telemetry["baseline"] = figures.baseline_kw
        if not figures.complete:
            # OpenADR 2.0b is told nothing rather than a load that seems to have fallen.
            telemetry |= {"power": None, "baseline": None}
        return News(
            now,
            telemetry,
            self._overridden(site),
            self._reports.follow(now, reported, figures),
        )

    def _of_all(self, part: PortfolioPart, own: Figures) -> Figures:
        """Return the figures of all plants of a portfolio that is led here."""
        sums = read_sums(self._house, part.figures)
        return Figures(
            sums.power,
            sums.baseline,
            sums.available,
            own.curtailed or sums.used > 0.0,
            sums.complete,
        )

    def _overridden(self, site: Site) -> bool:
        """Whether a person keeps the plant, or some of it, out of our hands."""
        if not site.connections:
            return False
        if not site.take_part or any(
            answer.opt == "out" for answer in site.answers.values()
        ):
            return True
        entities = {
            point.entity_id
            for measure in site.measures
            for key in measure.points
            if (point := site.points.get(key)) is not None and point.entity_id
        }
        for entity_id in entities:
            entity = self._house.entity(entity_id) or {}
            priority = (entity.get("attributes") or {}).get("owner_priority")
            if priority is not None and priority >= OPERATOR:
                return True
        return False


def _chosen(site: Site) -> object:
    """Return what measures are made of."""
    return site.measures, site.meter, site.shedding, site.precool, site.precooled
