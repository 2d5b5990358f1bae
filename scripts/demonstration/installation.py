"""What an integrator does once: import the plant, fill in forms, make profiles.

Everything goes through the interfaces that the Home Assistant UI itself uses.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time as dt_time, timedelta
from pathlib import Path
import time
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import aiohttp
import yaml

from .filled_forms import filled_forms
from .home_assistant import HomeAssistant, HomeAssistantError, WebSocket

DASHBOARD = "chiller-plant"
WEEKDAY, WEEKEND, HOLIDAY = "Weekday", "Weekend", "Holiday"

_REGISTER_SECONDS = 15
_RELEASE_MINUTES = 0.5
_LEAST_ON_MINUTES = 1.0
"""At a site ten times as long: the plant of a demonstration runs faster."""
_MEASURES = "circuit", "zone", "chilled_water", "demand_limit", "battery"

type Plan = dict[str, Any]


@dataclass(slots=True)
class Installation:
    """The plant in Home Assistant, ready to run by itself."""

    home_assistant: HomeAssistant
    plant_file: Path
    example: Path
    speed: float
    time_zone: str
    plant_key: str
    first_profile: str | None
    """What today gets on the calendar; None: it is left to the example's."""
    entry_id: str = ""
    automations: dict[str, str] = field(default_factory=dict)
    """Entity id of each automation by its id."""

    async def install(self) -> None:
        """Do all of it; needs a Home Assistant that runs."""
        self.entry_id = await self._import_plant()
        await self._install_blueprints_and_engine()
        async with self.home_assistant.connect() as socket:
            await self._make_automations(socket)
            await self._import_profiles(socket)
            if self.first_profile is not None:
                await self.put_on_calendar(socket, self.today(), self.first_profile)
            await self._make_dashboard(socket)

    @property
    def staging(self) -> str:
        """The id of the automation that runs the chillers."""
        return next(key for key in self.automations if key.endswith("staging"))

    def today(self) -> date:
        """Return the date at the plant."""
        return datetime.now(ZoneInfo(self.time_zone)).date()

    async def plan(self, socket: WebSocket) -> Plan:
        """Return the plan that the control engine gets."""
        plan: Plan = await socket.act(
            "chiller_plant.get_plan", {"plant": self.entry_id}, respond=True
        )
        return plan

    async def _import_plant(self) -> str:
        """Upload the plant file in the config flow; return the entry's id."""
        flow = await self._step("config/config_entries/flow", handler="chiller_plant")
        path = f"config/config_entries/flow/{flow['flow_id']}"
        await self._step(path, next_step_id="file")
        flow = await self._step(path, plant_file=await self._upload(self.plant_file))
        while flow["type"] == "form":
            if flow.get("errors"):
                raise HomeAssistantError(f"{flow['step_id']}: {flow}")
            flow = await self._step(path)
        if flow["type"] != "create_entry":
            raise HomeAssistantError(f"the plant was not imported: {flow}")
        entry_id: str = flow["result"]["entry_id"]
        return entry_id

    async def _install_blueprints_and_engine(self) -> None:
        """Do what the options of the plant offer."""
        options = "config/config_entries/options/flow"
        flow = await self._step(options, handler=self.entry_id)
        path = f"{options}/{flow['flow_id']}"
        await self._step(path, next_step_id="install")
        flow = await self._step(path)
        if flow.get("reason") != "installed":
            raise HomeAssistantError(f"nothing was installed: {flow}")

    async def _step(self, path: str, **answers: Any) -> dict[str, Any]:
        result: dict[str, Any] = await self.home_assistant.rest("post", path, answers)
        return result

    async def _upload(self, file: Path) -> str:
        """Upload a file as the browser does; return its id."""
        session = self.home_assistant.session
        assert session is not None
        form = aiohttp.FormData()
        form.add_field("file", file.read_bytes(), filename=file.name)
        async with session.post(
            f"{self.home_assistant.url}/api/file_upload",
            data=form,
            headers={"Authorization": f"Bearer {self.home_assistant.token}"},
        ) as response:
            response.raise_for_status()
            file_id: str = (await response.json())["file_id"]
            return file_id

    async def decide_demand_response(self, meter: str) -> None:
        """Decide how the plant takes part, as its options ask it."""
        await self.decide("answers", meter=meter)
        await self.decide("comfort", release_interval=_RELEASE_MINUTES)
        for kind in _MEASURES:
            await self.decide(f"measure_{kind}", least_on=_LEAST_ON_MINUTES)

    async def connect_utility(
        self, name: str, url: str, step: str, form: Mapping[str, Any]
    ) -> None:
        """Fill in the form of a connection to a utility's server."""
        flow = await self._step(
            "config/config_entries/subentries/flow", handler=[self.entry_id, "utility"]
        )
        path = f"config/config_entries/subentries/flow/{flow['flow_id']}"
        await self._step(path, next_step_id=step)
        flow = await self._step(path, name=name, url=url, **form)
        if flow["type"] != "create_entry":
            raise HomeAssistantError(f"the utility was not connected: {flow}")

    async def decide(self, form: str, **answers: Any) -> None:
        """Change some answers of a form of the options, as it is shown."""
        options = "config/config_entries/options/flow"
        flow = await self._step(options, handler=self.entry_id)
        path = f"{options}/{flow['flow_id']}"
        await self._step(path, next_step_id="demand_response")
        shown = await self._step(path, next_step_id=form)
        known = {
            field["name"]: field["description"]["suggested_value"]
            for field in shown["data_schema"]
            if field.get("description", {}).get("suggested_value") is not None
        }
        done = await self._step(path, **{**known, **answers})
        if done.get("reason") != "demand_response_decided":
            raise HomeAssistantError(f"{form} was not taken: {done}")

    async def change_hours(self, name: str, begin: datetime, end: datetime) -> None:
        """Give an automation of hours other ones, as the automation editor does."""
        path = f"config/automation/config/{name}"
        form = await self.home_assistant.rest("get", path)
        form["use_blueprint"]["input"] |= {
            "start_time": f"{begin:%H:%M:%S}",
            "stop_time": f"{end:%H:%M:%S}",
        }
        await self.home_assistant.rest("post", path, form)

    async def grid_events(self, socket: WebSocket) -> list[dict[str, Any]]:
        """Return the events of utilities that the calendar shows for today."""
        begin = datetime.now(ZoneInfo(self.time_zone)) - timedelta(hours=1)
        calendar = await self._calendar(socket, "demand_response")
        query = urlencode({"start": begin, "end": begin + timedelta(hours=12)})
        found: list[dict[str, Any]] = await self.home_assistant.rest(
            "get", f"calendars/{calendar}?{query}"
        )
        return found

    async def performance(self, socket: WebSocket) -> list[dict[str, Any]]:
        """Return what came of events, the newest first."""
        answer = await socket.act(
            "chiller_plant.get_performance", {"plant": self.entry_id}, respond=True
        )
        found: list[dict[str, Any]] = answer["performance"]
        return found

    async def _make_automations(self, socket: WebSocket) -> None:
        """Fill in the blueprints' forms, as the automation editor saves them."""
        forms = filled_forms(
            self.example,
            self.home_assistant.config / "blueprints" / "automation",
            self.speed,
            await self._names(socket),
        )
        for name, form in forms.items():
            await self.home_assistant.rest(
                "post", f"config/automation/config/{name}", form
            )
        deadline = time.monotonic() + _REGISTER_SECONDS
        while not forms.keys() <= (await self._registered(socket)).keys():
            if time.monotonic() > deadline:
                raise HomeAssistantError("the automations did not register")
            await asyncio.sleep(0.3)
        self.automations = await self._registered(socket)

    async def _registered(self, socket: WebSocket) -> dict[str, str]:
        """Return the automations that have told the integration of themselves."""
        return {
            state["attributes"]["id"]: entity_id
            for entity_id, state in (await socket.states()).items()
            if entity_id.startswith("automation.")
            and state["attributes"].get("last_triggered")
            and not state["attributes"].get("current")
        }

    async def _names(self, socket: WebSocket) -> Callable[[str, str], str]:
        """Return what finds the id of a name of the plant file."""
        equipment = (await self.plan(socket))["equipment"]
        devices = {
            identifier: str(device["id"])
            for device in await socket.call("config/device_registry/list")
            for domain, identifier in device["identifiers"]
            if domain == "chiller_plant"
        }

        def identify(kind: str, name: str) -> str:
            if kind == "config_entry":
                return self.entry_id
            if kind == "device":
                return devices[f"{self.plant_key}.{name}"]
            machine, role = name.split(".")
            return str(equipment[machine]["points"][role]["entity_id"])

        return identify

    async def _import_profiles(self, socket: WebSocket) -> None:
        """Take over profiles, day types and calendar, as one file."""
        await socket.act(
            "chiller_plant.import_plan",
            {
                "plant": self.entry_id,
                "yaml": (self.example / "profiles.yaml").read_text(encoding="utf-8"),
            },
        )

    async def _calendar(self, socket: WebSocket, name: str) -> str:
        """Return the entity id of a calendar of the plant."""
        registered = await socket.call("config/entity_registry/list")
        return next(
            str(entity["entity_id"])
            for entity in registered
            if entity["platform"] == "chiller_plant"
            and entity["entity_id"].startswith("calendar.")
            and entity["unique_id"] == f"{self.plant_key}.plant.{name}"
        )

    async def put_on_calendar(
        self, socket: WebSocket, day: date, profile: str, repeat: str | None = None
    ) -> None:
        """Give a date a profile, as the calendar card does."""
        await socket.call(
            "calendar/event/create",
            entity_id=await self._calendar(socket, "profiles"),
            event=_event(day, profile) | ({"rrule": repeat} if repeat else {}),
        )

    async def move_today(self, socket: WebSocket, profile: str) -> None:
        """Edit today's entry in the calendar card to another profile."""
        calendar = await self._calendar(socket, "profiles")
        day = self.today()
        begin = datetime.combine(day, dt_time(), ZoneInfo(self.time_zone))
        query = urlencode({"start": begin, "end": begin + timedelta(days=1)})
        events = await self.home_assistant.rest("get", f"calendars/{calendar}?{query}")
        event = next(event for event in events if event.get("uid"))
        await socket.call(
            "calendar/event/update",
            entity_id=calendar,
            uid=event["uid"],
            event=_event(day, profile),
        )

    async def show_day(self) -> None:
        """Put a working day and a few coming dates on the calendar."""
        if self.first_profile is None:
            return
        async with self.home_assistant.connect() as socket:
            await self.move_today(socket, WEEKDAY)
            month = self.today() + timedelta(days=9)
            await self.put_on_calendar(socket, month, HOLIDAY)

    async def show_events(self, socket: WebSocket) -> None:
        """Add the example's page for events of utilities to its dashboard."""
        text = (self.example / "event.yaml").read_text(encoding="utf-8")
        dashboard = self._dashboard()
        dashboard["views"].append(yaml.safe_load(text))
        await socket.call("lovelace/config/save", url_path=DASHBOARD, config=dashboard)

    @property
    def pages(self) -> list[str]:
        """The pages of the example's dashboard."""
        return [str(view["path"]) for view in self._dashboard()["views"]]

    def _dashboard(self) -> dict[str, Any]:
        text = (self.example / "dashboard.yaml").read_text(encoding="utf-8")
        dashboard: dict[str, Any] = yaml.safe_load(text)
        return dashboard

    async def _make_dashboard(self, socket: WebSocket) -> None:
        """Save the example's dashboard, as its editor does."""
        await socket.call(
            "lovelace/dashboards/create",
            url_path=DASHBOARD,
            title="Chiller plant",
            icon="mdi:snowflake-thermometer",
            mode="storage",
        )
        await socket.call(
            "lovelace/config/save",
            url_path=DASHBOARD,
            config=self._dashboard(),
        )


def _event(day: date, profile: str) -> dict[str, str]:
    return {
        "summary": profile,
        "dtstart": day.isoformat(),
        "dtend": (day + timedelta(days=1)).isoformat(),
    }
