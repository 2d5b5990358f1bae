"""Walking through the forms of a flow as the browser does."""

import asyncio
import json
from pathlib import Path
from typing import Any

from aiohttp import FormData
from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request

from custom_components.chiller_plant.const import DOMAIN
from homeassistant.config_entries import ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowManager, FlowResultType
from tests.waiting import PATIENCE

_WORDS = json.loads(
    (Path(__file__).parents[2] / "custom_components" / DOMAIN / "translations")
    .joinpath("en.json")
    .read_text()
)

type Client = TestClient[Request, Application]


class Walk:
    """One flow, step by step."""

    def __init__(self, manager: FlowManager[Any, Any, Any], shown: Any) -> None:
        """Begin with what the flow showed first."""
        self._manager = manager
        self._words = _WORDS["config" if shown["handler"] == DOMAIN else "options"]
        self.shown: ConfigFlowResult = shown
        self._read()

    def _read(self) -> None:
        """See that everything that is shown has its words."""
        if self.shown["type"] not in (FlowResultType.FORM, FlowResultType.MENU):
            return
        step = self._words["step"][self.step]
        for text in (step["title"], step.get("description", "")):
            text.format(**self.told)
        if (schema := self.shown.get("data_schema")) is not None and (
            self.shown["type"] is FlowResultType.FORM
        ):
            assert {str(field) for field in schema.schema} <= step["data"].keys()
        assert set(self.shown.get("menu_options", ())) <= (
            step.get("menu_options", {}).keys()
        )
        assert set(self.errors.values()) <= self._words["error"].keys()

    @property
    def step(self) -> str:
        """The step that waits for an answer."""
        return self.shown["step_id"]

    @property
    def told(self) -> dict[str, str]:
        """What the texts of the step are filled with."""
        return dict(self.shown.get("description_placeholders") or {})

    @property
    def errors(self) -> dict[str, str]:
        """What is wrong with the last answer, by field."""
        return self.shown.get("errors") or {}

    def defaults(self) -> dict[str, Any]:
        """Return what a person submits who changes nothing."""
        if (schema := self.shown.get("data_schema")) is None:
            return {}
        found = {}
        for field in schema.schema:
            suggested = (field.description or {}).get("suggested_value")
            if suggested is not None:
                found[str(field)] = suggested
            elif callable(field.default):
                found[str(field)] = field.default()
        return found

    def options(self, field: str) -> list[str]:
        """Return what a field offers."""
        schema = self.shown["data_schema"]
        assert schema is not None
        return [item["value"] for item in schema.schema[field].config["options"]]

    async def choose(self, option: str) -> None:
        """Choose from a menu."""
        assert self.shown["type"] is FlowResultType.MENU, self.shown
        assert option in self.shown["menu_options"]
        await self._answer({"next_step_id": option})

    async def submit(self, **changes: Any) -> None:
        """Submit a form with its defaults but for these."""
        assert self.shown["type"] is FlowResultType.FORM, self.shown
        await self._answer({**self.defaults(), **changes})

    async def _answer(self, answer: dict[str, Any]) -> None:
        self.shown = await self._manager.async_configure(self.shown["flow_id"], answer)
        self._read()

    async def wait(self) -> None:
        """Wait while the flow shows that it is working, and look as the browser."""
        async with asyncio.timeout(PATIENCE):
            while self.shown["type"] is FlowResultType.SHOW_PROGRESS:
                await asyncio.sleep(0.05)
                self.shown = await self._manager.async_configure(self.shown["flow_id"])
        self._read()

    def close(self) -> None:
        """Close the dialog."""
        self._manager.async_abort(self.shown["flow_id"])


async def add_plant(hass: HomeAssistant, choice: str) -> Walk:
    """Open the dialog that adds a plant, and choose where it comes from."""
    manager = hass.config_entries.flow
    walk = Walk(manager, await manager.async_init(DOMAIN, context={"source": "user"}))
    await walk.choose(choice)
    return walk


async def open_options(hass: HomeAssistant, entry_id: str, choice: str) -> Walk:
    """Open the options of a plant and choose one."""
    manager = hass.config_entries.options
    walk = Walk(manager, await manager.async_init(entry_id))
    await walk.choose(choice)
    return walk


async def upload(client: Client, content: bytes, name: str) -> str:
    """Upload a file as the browser does; return its id."""
    body = FormData()
    body.add_field("file", content, filename=name)
    answer = await client.post("/api/file_upload", data=body)
    file_id: str = (await answer.json())["file_id"]
    return file_id
