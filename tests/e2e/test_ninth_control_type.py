"""A ninth kind of control: what somebody else writes, and what the house makes of it.

A blueprint, a controller and a thin app are put beside the others, where a
release installed them; neither integration nor engine has ever heard of it.
"""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demonstration.app_daemon import AppDaemon
from demonstration.home_assistant import HomeAssistant, WebSocket, make_configuration
from demonstration.process import free_port
from demonstration.stack import REPOSITORY

from tests.waiting import eventually

TIME_ZONE = "Asia/Singapore"
PATIENCE = 90.0

BLUEPRINT = """\
blueprint:
  name: "Chiller plant: zone setback"
  description: Keeps empty zones warmer than people would like them.
  domain: automation
  input:
    plant:
      name: Plant
      selector: {config_entry: {integration: chiller_plant}}
    zones:
      name: Zones
      selector:
        device: {multiple: true, filter: [{integration: chiller_plant}]}
    setpoint:
      name: Setpoint
      default: 27
      selector: {number: {min: 18, max: 30, unit_of_measurement: °C}}
mode: single
triggers:
  - trigger: chiller_plant.sync
    options: {plant: !input plant}
actions:
  - action: chiller_plant.apply_automation
    data:
      plant: !input plant
      automation: "{{ this.entity_id }}"
      control_type: zone_setback
      metadata: {zones: !input zones}
      config: {setpoint: !input setpoint}
"""

CONTROLLER = '''\
"""Zone setback: the same setpoint in all chosen zones."""

from .decision import Command, ControlRefused, Decision, Event


class ZoneSetback:
    def __init__(self, plan, automation):
        self._zones = [plan.equipment[key] for key in automation.names("zones")]
        self._setpoint = automation.number("setpoint")
        if any(zone.type != "zone" for zone in self._zones):
            raise ControlRefused("only zones can be set back")
        self._began = False

    @property
    def points(self):
        return frozenset(zone.point("temperature") for zone in self._zones)

    def step(self, now, inputs):
        warmest = max(inputs.number(point) or 0 for point in self.points)
        message = f"Set back to {self._setpoint:g} °C"
        events = () if self._began else (Event("set_back", message),)
        self._began = True
        return Decision(
            tuple(
                Command(zone.command("temperature_setpoint"), self._setpoint, message)
                for zone in self._zones
            ),
            "set back",
            {"message": message, "warmest": warmest},
            events,
        )
'''

APP = """\
from .control.zone_setback import ZoneSetback
from .control_app import ControlApp


class ZoneSetbackApp(ControlApp):
    control_type = "zone_setback"
    build = ZoneSetback
"""

REGISTRATION = """\
zone_setback:
  module: chiller_control.zone_setback
  class: ZoneSetbackApp
"""


def add_ninth(config: Path) -> None:
    """Write the blueprint, the controller and the app with its registration."""
    engine = config / "appdaemon" / "apps" / "chiller_control"
    blueprints = config / "blueprints" / "automation" / "chiller_plant"
    for path, text in (
        (blueprints / "zone_setback.yaml", BLUEPRINT),
        (engine / "control" / "zone_setback.py", CONTROLLER),
        (engine / "zone_setback.py", APP),
        (engine / "zone_setback.yaml", REGISTRATION),
    ):
        assert path.parent.is_dir()
        assert not path.exists()
        path.write_text(text, encoding="utf-8")


@dataclass
class House:
    """Home Assistant with a simulated plant, as an integrator clicks it together."""

    home_assistant: HomeAssistant
    socket: WebSocket
    entry_id: str

    async def make_automation(self, key: str, devices: list[str], **inputs: Any) -> str:
        """Fill in the ninth form; return the automation once it registered."""
        await self.home_assistant.rest(
            "post",
            f"config/automation/config/{key}",
            {
                "alias": f"Setback {key}",
                "use_blueprint": {
                    "path": "chiller_plant/zone_setback.yaml",
                    "input": {"plant": self.entry_id, "zones": devices, **inputs},
                },
            },
        )
        entity = f"automation.setback_{key}"

        async def registered() -> bool:
            state = (await self.socket.states()).get(entity)
            return bool(state and state["attributes"].get("last_triggered"))

        await eventually(registered, PATIENCE)
        return entity

    async def choose(self, profile: str) -> None:
        """Give today a profile."""
        states = await self.socket.states()
        chooser = next(
            key
            for key, state in states.items()
            if key.startswith("select.")
            and profile in state["attributes"].get("options", [])
        )
        await self.socket.act(
            "select.select_option", {"entity_id": chooser, "option": profile}
        )

    async def sensor(self, control_type: str, having: str) -> dict[str, Any]:
        """Return the state sensor of an automation; empty while there is none."""
        for key, state in (await self.socket.states()).items():
            attributes = state["attributes"]
            if (
                key.startswith("sensor.")
                and attributes.get("control_type") == control_type
                and having in key
            ):
                return state
        return {}


async def import_simulated_plant(home_assistant: HomeAssistant) -> str:
    """Add the simulated plant and install blueprints and engine; return its entry."""
    flows = "config/config_entries/flow"
    flow = await home_assistant.rest("post", flows, {"handler": "chiller_plant"})
    made = await home_assistant.rest(
        "post", f"{flows}/{flow['flow_id']}", {"next_step_id": "simulated"}
    )
    entry_id: str = made["result"]["entry_id"]
    options = "config/config_entries/options/flow"
    flow = await home_assistant.rest("post", options, {"handler": entry_id})
    path = f"{options}/{flow['flow_id']}"
    await home_assistant.rest("post", path, {"next_step_id": "install"})
    installed = await home_assistant.rest("post", path, {})
    assert installed["reason"] == "installed", installed
    return entry_id


async def ninth_runs(home_assistant: HomeAssistant, daemon: AppDaemon) -> None:
    entry_id = await import_simulated_plant(home_assistant)
    add_ninth(home_assistant.config)
    daemon.configure()
    await daemon.start()
    async with home_assistant.connect() as socket:
        house = House(home_assistant, socket, entry_id)
        devices = {
            device["name"]: device["id"]
            for device in await socket.call("config/device_registry/list")
        }
        plan = await socket.act(
            "chiller_plant.get_plan", {"plant": entry_id}, respond=True
        )
        zone = next(
            item for item in plan["equipment"].values() if item["type"] == "zone"
        )
        setpoint = zone["points"]["temperature_setpoint"]["entity_id"]
        good = await house.make_automation("night", [devices[zone["name"]]])
        wrong = await house.make_automation("wrong", [devices["Chiller 1"]])
        await socket.act(
            "chiller_plant.save_profile",
            {
                "plant": entry_id,
                "name": "Empty",
                "automations": [
                    {"automation": good, "priority": 4},
                    {"automation": wrong, "priority": 3},
                ],
            },
        )
        await house.choose("Empty")

        async def commanded() -> bool:
            state = (await socket.states())[setpoint]
            return (state["state"], state["attributes"].get("owner")) == ("27.0", good)

        async def works() -> bool:
            state = await house.sensor("zone_setback", "night")
            return state.get("state") == "set back"

        async def refuses() -> bool:
            state = await house.sensor("zone_setback", "wrong")
            return state.get("state") == "refused"

        async def told() -> bool:
            return any(
                key.startswith("event.")
                and state["attributes"].get("event_type") is not None
                and "set_back" in str(state["attributes"])
                for key, state in (await socket.states()).items()
            )

        for seen in (commanded, works, refuses, told):
            await eventually(seen, PATIENCE)
        attributes = (await house.sensor("zone_setback", "night"))["attributes"]
        assert attributes["message"] == "Set back to 27 °C"
        assert attributes["warmest"] > 0
        complaint = (await house.sensor("zone_setback", "wrong"))["attributes"]
        assert complaint["message"] == "Form: only zones can be set back"


def test_ninth_control_type_is_a_blueprint_a_controller_and_a_thin_app(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        config = tmp_path / "home_assistant"
        port = free_port()
        make_configuration(config, REPOSITORY, port, TIME_ZONE)
        home_assistant = HomeAssistant(config, port, tmp_path / "home_assistant.log")
        daemon = AppDaemon(
            tmp_path / "appdaemon",
            REPOSITORY,
            home_assistant,
            tmp_path / "appdaemon.log",
            TIME_ZONE,
        )
        try:
            await home_assistant.start()
            await ninth_runs(home_assistant, daemon)
        finally:
            await daemon.stop()
            await home_assistant.stop()

    asyncio.run(story())
