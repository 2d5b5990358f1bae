"""A real AppDaemon with our apps in it, and a namespace in Home Assistant's place.

The namespace holds entities that a test sets, and the integration's actions,
which write down what they are asked.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
import json
from pathlib import Path
import shutil
from typing import Any

from appdaemon.appdaemon import AppDaemon
from appdaemon.dependency_manager import DependencyManager
from appdaemon.logging import Logging
from appdaemon.models.config.appdaemon import AppDaemonConfig
from appdaemon.utils import remove_literals
import yaml

from tests.waiting import eventually

APPS = Path(__file__).parents[2] / "appdaemon" / "apps"
SHIPPED = set(yaml.safe_load((APPS / "chiller_control" / "apps.yaml").read_text()))


@dataclass
class House:
    """What stands for Home Assistant."""

    plan: dict[str, Any] | None = None
    states: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    refuse: Callable[[str, dict[str, Any]], str | None] = lambda *_: None
    daemon: AppDaemon | None = None
    demand_response: dict[str, Any] | None = None
    reports_kept: dict[str, str] = field(default_factory=dict)

    def install(self, daemon: AppDaemon) -> None:
        """Offer the actions."""
        self.daemon = daemon
        for action in (
            "get_plan",
            "command",
            "release",
            "report_state",
            "get_demand_response",
            "keep_events",
            "keep_reports",
            "get_reports",
            "report_demand_response",
        ):
            daemon.services.register_service(
                "default", "chiller_plant", action, self._action, silent=True
            )

    async def _action(
        self, namespace: str, domain: str, action: str, data: dict[str, Any]
    ) -> dict[str, Any]:
        # As AppDaemon's own connection to Home Assistant does.
        sent = remove_literals(deepcopy(data["service_data"]), (None,))
        self.calls.append((action, sent))
        if (reason := self.refuse(action, sent)) is not None:
            error = {"code": "service_validation_error", "message": reason}
            return {"success": False, "error": error, "ad_status": "OK"}
        response: dict[str, Any] = {}
        asked = {
            "get_plan": self.plan,
            "get_demand_response": self.demand_response,
        }
        if action in asked:
            if (answer := asked[action]) is None:
                error = {"code": "not_loaded", "message": "The plant is not loaded"}
                return {"success": False, "error": error, "ad_status": "OK"}
            response = deepcopy(answer)
            if sent.get("revision") == answer.get("revision") is not None:
                response = {"revision": sent["revision"]}
        if action == "keep_reports":
            self.reports_kept[sent["connection"]] = sent["reports"]
        if action == "get_reports":
            response = {"reports": self.reports_kept.get(sent["connection"], "")}
        if self.demand_response is not None:
            if action == "keep_events":
                self.demand_response["book"] = json.loads(sent["book"])
            if action == "report_demand_response":
                report = json.loads(sent["report"])
                self.demand_response["resume"] = report["resume"]
        if action == "report_state" and self.plan and "state" in sent:
            for item in self.plan["automations"]:
                if item["entity_id"] == sent["automation"]:
                    item["reported"] = {**sent, "at": 0.0}
        return {"success": True, "result": {"response": response}, "ad_status": "OK"}

    async def set(self, **states: str) -> None:
        """Set states; `switch__a` is `switch.a`."""
        await self.put({key.replace("__", "."): to for key, to in states.items()})

    async def put(self, states: dict[str, str], **attributes: Any) -> None:
        """Set states by entity id."""
        assert self.daemon is not None
        for entity_id, state in states.items():
            await self.daemon.state.set_state(
                "test",
                "default",
                entity_id,
                state=state,
                attributes={"quality": "good", **attributes},
            )

    async def say_plan_changed(self) -> None:
        """Fire the event that the integration fires."""
        await self._fire("chiller_plant_plan_changed")

    async def say_demand_response_changed(self) -> None:
        """Fire the event that the integration fires."""
        await self._fire("chiller_plant_demand_response_changed")

    async def _fire(self, event_type: str) -> None:
        assert self.daemon is not None
        await self.daemon.events.process_event(
            "default", {"event_type": event_type, "data": {"plant": "p"}}
        )

    def of(self, action: str, **having: Any) -> list[dict[str, Any]]:
        """Return the calls of an action so far."""
        return [
            data
            for name, data in self.calls
            if name == action and having.items() <= data.items()
        ]

    def reports(self, automation: str) -> list[dict[str, Any]]:
        """Return what was reported of an automation."""
        return self.of("report_state", automation=f"automation.{automation}")


@asynccontextmanager
async def running_apps(
    house: House, folder: Path, *, actions: bool = True
) -> AsyncIterator[AppDaemon]:
    """Run our apps as shipped."""
    apps = folder / "apps"
    shutil.copytree(APPS, apps, ignore=shutil.ignore_patterns("__pycache__"))
    config = AppDaemonConfig.model_validate(
        {
            "latitude": 13.7,
            "longitude": 100.5,
            "elevation": 2,
            "time_zone": "Asia/Bangkok",
            "config_dir": folder,
            "config_file": folder / "appdaemon.yaml",
            "app_dir": apps,
        }
    )
    daemon = AppDaemon(Logging(), asyncio.get_running_loop(), config)
    house.daemon = daemon
    # One lock for all instances of a process is AppDaemon's own; one that is stopped
    # while it holds it would keep the next from looking at its apps.
    daemon.app_management.check_updates_lock = asyncio.Lock()
    # So are the actions: those of a house that is gone would still be answered.
    daemon.services.services.get("default", {}).pop("chiller_plant", None)
    if actions:
        house.install(daemon)
    await house.put(house.states)
    # AppDaemon's own main program does this before it starts.
    await daemon.app_management._process_import_paths()
    daemon.app_management.dependency_manager = DependencyManager(
        python_files=await daemon.app_management.get_python_files_async(),
        config_files=await daemon.app_management.get_app_config_files_async(),
    )
    daemon.start()
    try:
        await eventually(lambda: daemon.app_management.running_apps == SHIPPED)
        yield daemon
    finally:
        await daemon.stop()
