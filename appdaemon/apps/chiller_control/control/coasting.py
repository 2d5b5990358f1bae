"""Whether water goes on moving after a plant was stopped early.

A schedule with adaptive stop disables the plant before its hours end. What is stored
in pipes and building may be brought to the rooms until then: chillers off, chilled-water
pumps on. Who runs the pumps finds out here whether that is now, and until when.

Nothing but the clock and the enable says so, so that no message has to arrive for the
pumps to stop: it is so only within the hours, as near to their end as the schedule may
stop at all, and not where somebody else disabled the plant.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from .adaptive_config import PUMPS
from .chiller_plant_schedule import ChillerPlantSchedule
from .decision import ControlRefused, Event, Inputs
from .plan import Plan, PlanAutomation

_SCHEDULE = "chiller_plant_schedule"
_WHY = "the plant stopped early, what is stored goes to the building until"


def coasts(automation: PlanAutomation) -> bool:
    """Whether pumps go on after an early stop of this automation."""
    return (
        automation.control_type == _SCHEDULE
        and automation.config.get("adaptive_stop") is True
        and automation.config.get("coast_with") == PUMPS
    )


class Coasting:
    """The schedules of a plan after whose early stop pumps go on."""

    def __init__(self, plan: Plan) -> None:
        """Find them; a form that its own controller refuses stops nothing early."""
        self._schedules: list[tuple[PlanAutomation, ChillerPlantSchedule]] = []
        for automation in plan.automations:
            if not coasts(automation):
                continue
            with suppress(ControlRefused):
                # What it learnt decides when it stops, and not until when.
                told = replace(automation, history=(), resume={})
                self._schedules.append((automation, ChillerPlantSchedule(plan, told)))
        plant = next(iter(plan.of_type("plant")), None)
        self._enable = plant.point("enable_command") if plant else None
        self._until: float | None = None
        """Until when it lasts now, epoch seconds."""
        self._ran = False
        """Whether pumps ran for it when it was last told."""
        self.why = ""
        """Why they do, to follow a colon."""

    @property
    def points(self) -> frozenset[str]:
        """What is read to know it."""
        return frozenset([self._enable] if self._enable and self._schedules else ())

    def until(self, now: float, inputs: Inputs) -> float | None:
        """Return when the hours end, None where nothing coasts."""
        if not self._schedules or inputs.on(self._enable) is not False:
            return None
        owner = inputs.taken.get(self._enable or "")
        if owner not in (None, *(item.entity_id for item, _ in self._schedules)):
            return None
        ends = (
            schedule.coasts_until(now, inputs.time_zone, automation.amendments)
            for automation, schedule in self._schedules
        )
        return max((end for end in ends if end is not None), default=None)

    def tell(
        self, now: float, inputs: Inputs, until: float | None, pumps: Mapping[str, str]
    ) -> tuple[Event, ...]:
        """Return that pumps began to go on, or do no more.

        `pumps` are those that run for nothing else: names by key.
        """
        before, self._until = self._until, until
        if until is not None:
            local = datetime.fromtimestamp(until, inputs.time_zone)
            self.why = f"{_WHY} {local:%H:%M}"
        ran, self._ran = self._ran, bool(pumps)
        if bool(pumps) == ran:
            return ()
        data = {"equipment": sorted(pumps), "from": ran, "to": bool(pumps)}
        if until is not None and pumps:
            names = " and ".join(pumps.values())
            return (Event("coast_began", f"{names} run on: {self.why}", data),)
        over = before is not None and now >= before
        why = "the hours are over" if over else "the plant is wanted otherwise"
        del data["equipment"]
        return (Event("coast_ended", f"Pumps stop: {why}", data),)
