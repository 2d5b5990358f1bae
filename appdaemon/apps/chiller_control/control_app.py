"""What every control app does: wait for Home Assistant, then plan and cycle.

AppDaemon starts an app before Home Assistant's actions and entities are
known, stops it when Home Assistant goes away and starts it anew afterwards.
So an app first asks until it gets a plan, and goes on from what was last
reported of each automation. Going away releases nothing: leases run out by
themselves, and a restart within the lease is not noticed by the plant.
"""

from collections.abc import Mapping
from time import time
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from appdaemon.exceptions import AppDaemonException
from appdaemon.plugins.hass.hassapi import Hass

from .control.plan import Plan, parse_plan
from .engine import Build, CallFailed, Engine, NoAnswer
from .version import VERSION

DOMAIN = "chiller_plant"
PLAN_CHANGED = "chiller_plant_plan_changed"
PLAN_INTERVAL = 60.0
"""Seconds after which the plan is fetched although nobody said it changed."""
CALL_TIMEOUT = 5.0
"""Seconds that Home Assistant is given to answer one call."""


class ControlApp(Hass):
    """The base of the apps; one control type each."""

    control_type: ClassVar[str]
    build: ClassVar[Build]

    def initialize(self) -> None:
        """Start; called by AppDaemon."""
        self._engine = Engine(
            self.control_type, self.build, self, ZoneInfo(str(self.AD.tz))
        )
        self._plan_at: float | None = None
        self._plan_wanted = True
        self._unready: str | None = None
        self._timer: str | None = None
        self._stopped = False
        self.listen_event(self._plan_changed, PLAN_CHANGED)
        self._again(0)

    def terminate(self) -> None:
        """Stop; called by AppDaemon."""
        self._stopped = True
        if self._timer is not None:
            self.cancel_timer(self._timer, silent=True)

    def _again(self, delay: float) -> None:
        # The next cycle is asked for when this one is done, so that a slow
        # Home Assistant makes cycles rarer instead of piling them up.
        if not self._stopped:
            self._timer = self.run_in(self._run, delay)

    def _plan_changed(self, event_type: str, data: dict[str, Any], **_: Any) -> None:
        self._plan_wanted = True

    def _run(self, **_: Any) -> None:
        try:
            # Not AppDaemon's get_now_ts: where the site's time zone is not that
            # of the machine, it is off by the difference.
            now = time()
            if self._refresh_plan(now):
                self._engine.cycle(now)
        finally:
            self._again(self._engine.interval)

    def _refresh_plan(self, now: float) -> bool:
        """Fetch the plan when it is due; return whether there is one."""
        due = self._plan_at is None or now - self._plan_at >= PLAN_INTERVAL
        if not due and not self._plan_wanted:
            return True
        self._plan_wanted = False
        try:
            plan = self._fetch_plan()
        except CallFailed as err:
            self._plan_wanted = True
            if self._unready != str(err):
                self._unready = str(err)
                self.log(f"No plan yet: {err}", level="WARNING")
            # An old plan is carried out as long as its commands are taken.
            return self._plan_at is not None
        self._unready = None
        self._plan_at = now
        self._engine.take_plan(plan)
        return True

    def _fetch_plan(self) -> Plan:
        data = {"engine_version": VERSION}
        if plant := self.args.get("plant"):
            data["plant"] = plant
        answer = self._call("get_plan", data, return_response=True)
        response = (answer.get("result") or {}).get("response") or {}
        try:
            return parse_plan(response)
        except (KeyError, TypeError, ValueError, AttributeError) as err:
            raise CallFailed(f"the plan is not understood: {err!r}") from err

    def _call(
        self, action: str, data: Mapping[str, Any], **options: Any
    ) -> dict[str, Any]:
        try:
            answer = self.call_service(
                f"{DOMAIN}/{action}",
                hass_timeout=CALL_TIMEOUT,
                suppress_log_messages=True,
                **options,
                service_data=dict(data),
            )
        except AppDaemonException as err:
            raise CallFailed(str(err) or type(err).__name__) from err
        except (TimeoutError, ConnectionError) as err:
            raise NoAnswer(str(err) or "Home Assistant is gone") from err
        if not isinstance(answer, dict):
            raise NoAnswer("Home Assistant is not connected")
        if not answer.get("success", False):
            error = answer.get("error")
            if not error:
                raise NoAnswer(f"no answer within {CALL_TIMEOUT:g} s")
            message = error.get("message") if isinstance(error, dict) else error
            raise CallFailed(str(message))
        return answer

    # The house, as the engine sees it

    def entity(self, entity_id: str) -> Mapping[str, Any] | None:
        """Return state and attributes of an entity."""
        if self._stopped:
            return None
        found = self.get_state(entity_id, attribute="all", copy=False)
        return found if isinstance(found, dict) else None

    def call(self, action: str, data: Mapping[str, Any]) -> None:
        """Call an action of the integration."""
        if self._stopped:
            raise NoAnswer("the engine is stopping")
        self._call(action, data)

    def tell(self, message: str) -> None:
        """Write a line into AppDaemon's log."""
        if not self._stopped:
            self.log(message, level="WARNING")
