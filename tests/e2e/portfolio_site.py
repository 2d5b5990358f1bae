"""Small plants that share what a utility asks for, as people set them up.

Each building is a process of its own; what it takes is known from itself, not from
Home Assistant.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
import json
import os
from pathlib import Path
import sys
from typing import Any

import aiohttp
from demonstration.app_daemon import AppDaemon
from demonstration.home_assistant import HomeAssistant, make_configuration
from demonstration.process import Program, free_port
from demonstration.stack import REPOSITORY
import yaml

TIME_ZONE = "Asia/Singapore"
CIRCUITS = 6
EACH = 20.0
REST = 180.0
"""kW that a circuit takes, and what a building takes besides its circuits."""

_BUILDING = Path(__file__).with_name("circuits.py")


def plant_text(key: str, port: int, number_of_circuits: int) -> str:
    """Return the plant file of one building."""
    circuits = {
        f"circuit_{number}": {
            "type": "sheddable_circuit",
            "name": f"Circuit {number}",
            "device": "board",
            "ratings": {"power": EACH},
            # One that was switched off for nothing may come back within the story.
            "interlocks": {"minimum_off_time": 0},
            "points": {
                "run_command": {
                    "register": "coil",
                    "address": number,
                    "release": True,
                }
            },
        }
        for number in range(1, number_of_circuits + 1)
    }
    meter = {
        "type": "meter",
        "name": "Plant meter",
        "device": "board",
        "measures": ["plant"],
        "points": {
            "power": {
                "register": "input",
                "address": 50,
                "scale": 0.1,
                "limits": [0, 2000],
            }
        },
    }
    plant = {
        "plant": {
            "key": key,
            "name": key.capitalize(),
            # The meter too: so that a story of minutes is told in minutes.
            **dict.fromkeys(
                ("poll_interval", "normal_poll_interval", "slow_poll_interval"), 1
            ),
            "command_lease": 30,
        },
        "connections": {
            "drives": {
                "protocol": "modbus_tcp",
                "host": "127.0.0.1",
                "port": port,
                "devices": {"board": {"unit": 1}},
            }
        },
        "equipment": {
            "plant": {"type": "plant", "name": key.capitalize()},
            **circuits,
            "plant_meter": meter,
        },
        "profiles": ["Weekday"],
        "day_types": {"weekdays": "Weekday", "weekends": "Weekday"},
    }
    return yaml.safe_dump(plant, sort_keys=False)


@dataclass
class Building:
    """One building."""

    key: str
    folder: Path
    circuits: int = CIRCUITS
    said: list[float] = field(default_factory=list)
    """What it took, kW, twice a second."""
    program: Program = field(init=False)
    _listening: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        """Write its plant file."""
        self.plant_file = self.folder / f"{self.key}.yaml"
        self.plant_file.write_text(plant_text(self.key, free_port(), self.circuits))
        self.program = Program(
            f"the building {self.key}",
            [
                sys.executable,
                str(_BUILDING),
                str(self.plant_file),
                str(REST),
                str(EACH),
            ],
            self.folder / f"{self.key}.log",
            environment=os.environ | {"PYTHONPATH": str(REPOSITORY)},
            talks=True,
        )

    @property
    def usual(self) -> float:
        """What it takes while nothing is shed, kW."""
        return REST + self.circuits * EACH

    @property
    def kw(self) -> float | None:
        """What it takes now."""
        return self.said[-1] if self.said else None

    async def start(self) -> None:
        """Let it be there."""
        await self.program.start()
        self._listening = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        process = self.program.process
        assert process is not None
        assert process.stdout is not None
        while line := await process.stdout.readline():
            self.said.append(json.loads(line)["kw"])

    async def stop(self) -> None:
        """Take it away at once."""
        await self.program.kill()
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening


@dataclass
class House:
    """One Home Assistant with its AppDaemon."""

    folder: Path
    entries: dict[str, str] = field(default_factory=dict)
    """Config entries by the key of the plant."""
    home_assistant: HomeAssistant = field(init=False)
    app_daemon: AppDaemon = field(init=False)

    def __post_init__(self) -> None:
        """Lay it out."""
        self.folder.mkdir(parents=True)
        config, port = self.folder / "home_assistant", free_port()
        make_configuration(config, REPOSITORY, port, TIME_ZONE)
        self.home_assistant = HomeAssistant(config, port, self.folder / "hass.log")
        self.app_daemon = AppDaemon(
            self.folder / "appdaemon",
            REPOSITORY,
            self.home_assistant,
            self.folder / "appdaemon.log",
            TIME_ZONE,
        )

    async def stop(self) -> None:
        """Stop both."""
        await self.app_daemon.stop()
        await self.home_assistant.stop()

    async def add_plant(self, building: Building) -> None:
        """Import a plant file."""
        flow = await self._post("flow", handler="chiller_plant")
        path = f"flow/{flow['flow_id']}"
        await self._post(path, next_step_id="file")
        flow = await self._post(path, plant_file=await self._upload(building))
        while flow["type"] == "form" and not flow.get("errors"):
            flow = await self._post(path)
        assert flow["type"] == "create_entry", flow
        self.entries[building.key] = flow["result"]["entry_id"]
        await self.decide(building.key, "comfort", release_interval=0.1)
        await self.decide(building.key, "measure_circuit", least_on=0)

    async def start_engine(self) -> None:
        """Install the engine, with an app for each plant, and start it."""
        first = next(iter(self.entries.values()))
        flow = await self._post("options/flow", handler=first)
        path = f"options/flow/{flow['flow_id']}"
        await self._post(path, next_step_id="install")
        installed = await self._post(path)
        assert installed["reason"] == "installed", installed
        engine = self.home_assistant.config / "appdaemon" / "apps" / "chiller_control"
        apps = {
            f"demand_response_{key}": {
                "module": "chiller_control.demand_response",
                "class": "DemandResponseApp",
                "plant": entry_id,
            }
            for key, entry_id in self.entries.items()
        }
        (engine / "apps.yaml").write_text(yaml.safe_dump(apps))
        self.app_daemon.configure()
        await self.app_daemon.start()

    async def connect_utility(self, key: str, url: str) -> None:
        """Connect a plant to a utility."""
        flow = await self._post(
            "subentries/flow", handler=[self.entries[key], "utility"]
        )
        path = f"subentries/flow/{flow['flow_id']}"
        await self._post(path, next_step_id="openadr_2")
        made = await self._post(
            path, name="Utility", ven_name="plant", url=url, report_interval=5
        )
        assert made["type"] == "create_entry", made

    async def connect_broker(self, port: int) -> None:
        """Set up Home Assistant's own MQTT integration."""
        flow = await self._post("flow", handler="mqtt")
        made = await self._post(
            f"flow/{flow['flow_id']}",
            broker="127.0.0.1",
            port=port,
            other_settings={"set_client_cert": False, "set_ca_cert": "off"},
        )
        assert made["type"] == "create_entry", made

    async def decide(self, key: str, form: str, **answers: Any) -> None:
        """Change some answers of a form of a plant, as it is shown."""
        flow = await self._post("options/flow", handler=self.entries[key])
        path = f"options/flow/{flow['flow_id']}"
        await self._post(path, next_step_id="demand_response")
        shown = await self._post(path, next_step_id=form)
        known = {
            item["name"]: item["description"]["suggested_value"]
            for item in shown["data_schema"]
            if item.get("description", {}).get("suggested_value") is not None
        }
        done = await self._post(path, **{**known, **answers})
        assert done.get("reason") == "demand_response_decided", done

    async def state(self, entity_id: str) -> dict[str, Any]:
        """Return an entity as people see it."""
        found: dict[str, Any] = await self.home_assistant.rest(
            "get", f"states/{entity_id}"
        )
        return found

    async def portfolio(self, key: str) -> dict[str, Any]:
        """Return how the portfolio stands at a plant."""
        state = await self.state(f"sensor.{key}_demand_response")
        found: dict[str, Any] = state["attributes"]["portfolio"]
        return found

    async def share(self, key: str) -> float | None:
        """Return what a plant is asked to shed."""
        found: float | None = (await self.portfolio(key))["share_kw"]
        return found

    async def _post(self, path: str, **answers: Any) -> dict[str, Any]:
        result: dict[str, Any] = await self.home_assistant.rest(
            "post", f"config/config_entries/{path}", answers
        )
        return result

    async def _upload(self, building: Building) -> str:
        session = self.home_assistant.session
        assert session is not None
        form = aiohttp.FormData()
        form.add_field(
            "file",
            building.plant_file.read_bytes(),
            filename=building.plant_file.name,
        )
        async with session.post(
            f"{self.home_assistant.url}/api/file_upload",
            data=form,
            headers={"Authorization": f"Bearer {self.home_assistant.token}"},
        ) as response:
            response.raise_for_status()
            file_id: str = (await response.json())["file_id"]
            return file_id
