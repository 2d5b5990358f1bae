"""What an integrator does once: import the plant, fill in forms, make profiles.

Everything goes through the interfaces that the Home Assistant UI itself uses.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp

from .home_assistant import HomeAssistant, HomeAssistantError, WebSocket

BLUEPRINTS = "chiller_plant"
WEEKDAY, WEEKEND, HOLIDAY = "Weekday", "Weekend", "Holiday"

type Plan = dict[str, Any]


@dataclass(slots=True)
class Installation:
    """The plant in Home Assistant, ready to run by itself."""

    home_assistant: HomeAssistant
    plant_file: Path
    example: Path
    speed: float
    entry_id: str = ""
    automations: dict[str, str] = field(default_factory=dict)
    """Entity id of each automation by its short name."""

    async def install(self) -> None:
        """Do all of it; needs a Home Assistant that runs."""
        self.entry_id = await self._import_plant()
        async with self.home_assistant.connect() as socket:
            plan = await self.plan(socket)
            await self._make_automations(socket, plan)
            await self._make_profiles(socket)
            await self.put_on_calendar(socket, self.today(), HOLIDAY)
            await self._make_dashboard(socket)

    def today(self) -> date:
        """Return the date at the plant."""
        return datetime.now(ZoneInfo("Asia/Singapore")).date()

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
