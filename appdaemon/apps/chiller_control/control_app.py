"""The apps of the control types: the plan in, its automations out."""

from collections.abc import Mapping
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from .control.plan import parse_plan
from .engine import Build, Engine
from .plant_app import DOMAIN, PlantApp


class ControlApp(PlantApp):
    """The base of the apps; one control type each."""

    asks = "get_plan"
    hears = f"{DOMAIN}_plan_changed"
    control_type: ClassVar[str]
    build: ClassVar[Build]

    def initialize(self) -> None:
        """Start; called by AppDaemon."""
        self._engine = Engine(
            self.control_type, self.build, self, ZoneInfo(str(self.AD.tz))
        )
        self._known: str | None = None
        super().initialize()

    @property
    def interval(self) -> float:
        """Seconds from one cycle to the next."""
        return self._engine.interval

    @property
    def known(self) -> str | None:
        """Revision of the plan; with thousands of points a plan is large."""
        return self._known

    def take(self, answer: Mapping[str, Any]) -> None:
        """Take over a plan."""
        plan = parse_plan(answer)
        self._engine.take_plan(plan)
        self._known = plan.revision

    def cycle(self, now: float) -> None:
        """Decide and command once."""
        self._engine.cycle(now)
