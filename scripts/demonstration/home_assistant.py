"""A real Home Assistant on loopback, onboarded and spoken to as its users do."""

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
from dataclasses import dataclass, field
from http import HTTPStatus
import itertools
import json
import os
from pathlib import Path
import sys
from typing import Any, Self
import zipfile

import aiohttp

from scripts.release_archive import build

from .process import ProcessError, Program

HOST = "127.0.0.1"
USER_NAME = "operator"
PASSWORD = "chiller-plant"

_START_SECONDS = 120
_CONFIGURATION = """\
homeassistant:
  name: Demonstration
  unit_system: metric
  time_zone: {time_zone}
  country: SG
  currency: SGD
  latitude: 1.29
  longitude: 103.85
  elevation: 15
frontend:
config:
api:
websocket_api:
automation: !include automations.yaml
blueprint:
calendar:
recorder:
  commit_interval: 1
history:
logbook:
  exclude:
    # A control loop moves its outputs every few seconds; its graph tells that better.
    entity_globs: [number.*_speed_command, number.*_position_command]
logger:
  default: warning
  logs:
    custom_components.chiller_plant: info
"""


class HomeAssistantError(Exception):
    """Home Assistant refused what was asked; the text is its own."""


def _seed_storage(config: Path, key: str, version: int, data: object) -> None:
    """Write a storage file as Home Assistant itself would have left it."""
    storage = config / ".storage"
    storage.mkdir(exist_ok=True)
    (storage / key).write_text(
        json.dumps({"version": version, "minor_version": 1, "key": key, "data": data})
    )


def make_configuration(
    config: Path, repository: Path, port: int, time_zone: str
) -> None:
    """Lay out a configuration folder with the integration as a release brings it."""
    config.mkdir(parents=True)
    (config / "configuration.yaml").write_text(
        _CONFIGURATION.format(time_zone=time_zone)
    )
    (config / "automations.yaml").write_text("[]\n")
    (config / "tmp").mkdir()
    release = config / "tmp" / "chiller_plant.zip"
    build(repository, release)
    with zipfile.ZipFile(release) as archive:
        archive.extractall(config / "custom_components" / "chiller_plant")
    # `http:` in YAML is only a trial that reverts after five minutes.
    _seed_storage(
        config,
        "http",
        3,
        {
            "stable": {
                "server_host": [HOST],
                "server_port": port,
                "cors_allowed_origins": [],
                "login_attempts_threshold": -1,
                "ip_ban_enabled": True,
                "ssl_profile": "intermediate_v6",
                "use_x_frame_options": True,
                "created_at": "2026-01-01T00:00:00+00:00",
                "error": None,
                "error_message": None,
            },
            "pending": None,
            "yaml_migration_done": True,
        },
    )
    _seed_storage(
        config, "onboarding", 4, {"done": ["core_config", "analytics", "integration"]}
    )
    # Discovery has nothing to find here and would announce us on the network.
    _seed_storage(config, "core.network", 1, {"configured_adapters": ["lo"]})


@dataclass(slots=True)
class HomeAssistant:
    """The process, and the sign-in that was made for it."""

    config: Path
    port: int
    log: Path
    program: Program = field(init=False)
    session: aiohttp.ClientSession | None = None
    token: str = ""
    tokens: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Describe the process."""
        self.program = Program(
            "Home Assistant",
            [
                str(Path(sys.executable).with_name("hass")),
                "--config",
                str(self.config),
                "--skip-pip",
                "--log-no-color",
            ],
            self.log,
            # BAC0 writes a log folder into HOME when it is imported. Uploads go to
            # one folder in TMPDIR, which another Home Assistant here may use too.
            environment=os.environ
            | {"HOME": str(self.config), "TMPDIR": str(self.config / "tmp")},
        )

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{HOST}:{self.port}"

    async def start(self) -> None:
        """Start, onboard the first time, and return once it is running."""
        await self.program.start()
        if self.session is None:
            self.session = aiohttp.ClientSession()
        await self._until(self._answers, "did not answer over HTTP")
        if not self.token:
            await self._onboard()
        await self._until(self._runs, "did not finish starting")

    async def stop(self) -> None:
        """Stop the process and close our own connections."""
        await self.program.stop(patience=40)
        if self.session is not None:
            await self.session.close()
            self.session = None

    async def _until(self, condition: Callable[[], Any], failure: str) -> None:
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while not await condition():
            if not self.program.running:
                raise self.program.complaint("ended by itself")
            if asyncio.get_running_loop().time() > deadline:
                raise self.program.complaint(f"{failure} in {_START_SECONDS} s")
            await asyncio.sleep(0.2)

    async def _answers(self) -> bool:
        assert self.session is not None
        try:
            async with self.session.get(f"{self.url}/manifest.json") as response:
                return response.status == HTTPStatus.OK
        except aiohttp.ClientError:
            return False

    async def _runs(self) -> bool:
        try:
            state = await self.rest("get", "config")
        except HomeAssistantError, aiohttp.ClientError:
            return False
        return bool(state["state"] == "RUNNING")

    async def _onboard(self) -> None:
        assert self.session is not None
        client_id = f"{self.url}/"
        async with self.session.post(
            f"{self.url}/api/onboarding/users",
            json={
                "client_id": client_id,
                "name": "Plant operator",
                "username": USER_NAME,
                "password": PASSWORD,
                "language": "en",
            },
        ) as response:
            code = (await response.json())["auth_code"]
        async with self.session.post(
            f"{self.url}/auth/token",
            data={
                "grant_type": "authorization_code",
                "code": code,
                "client_id": client_id,
            },
        ) as response:
            self.tokens = await response.json()
        self.token = self.tokens["access_token"]
        async with self.connect() as socket:
            self.token = await socket.call(
                "auth/long_lived_access_token", client_name="demonstration", lifespan=1
            )

    async def rest(self, method: str, path: str, body: object = None) -> Any:
        """Call the REST API and return its JSON."""
        assert self.session is not None
        async with self.session.request(
            method,
            f"{self.url}/api/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.token}"},
        ) as response:
            text = await response.text()
            if response.status >= HTTPStatus.BAD_REQUEST:
                raise HomeAssistantError(f"{path}: {response.status} {text}")
            return json.loads(text)

    @contextlib.asynccontextmanager
    async def connect(self) -> AsyncIterator[WebSocket]:
        """Open the WebSocket API."""
        assert self.session is not None
        async with self.session.ws_connect(
            f"{self.url}/api/websocket", max_msg_size=0
        ) as raw:
            await raw.receive_json()
            await raw.send_json({"type": "auth", "access_token": self.token})
            answer = await raw.receive_json()
            if answer["type"] != "auth_ok":
                raise HomeAssistantError(f"sign-in refused: {answer}")
            socket = WebSocket(raw)
            async with socket:
                yield socket


class WebSocket:
    """Home Assistant's WebSocket API, with events sorted to who asked."""

    def __init__(self, raw: aiohttp.ClientWebSocketResponse) -> None:
        """Take an authenticated connection."""
        self._raw = raw
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._listeners: dict[int, Callable[[Any], None]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start reading."""
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop reading."""
        assert self._reader is not None
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader

    async def _read(self) -> None:
        try:
            async for message in self._raw:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    continue
                content = json.loads(message.data)
                if content["type"] == "event":
                    if listener := self._listeners.get(content["id"]):
                        listener(content["event"])
                elif answer := self._answers.pop(content["id"], None):
                    answer.set_result(content)
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(ProcessError("Home Assistant hung up"))

    async def call(
        self,
        message_type: str,
        *,
        listener: Callable[[Any], None] | None = None,
        **content: Any,
    ) -> Any:
        """Send one message and return the result; raise when refused."""
        number = next(self._ids)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        if listener:
            self._listeners[number] = listener
        await self._raw.send_json({"id": number, "type": message_type, **content})
        result = await asyncio.wait_for(answer, 30)
        if not result.get("success", False):
            raise HomeAssistantError(f"{message_type}: {result.get('error')}")
        return result["result"]

    async def act(
        self, action: str, data: dict[str, Any], *, respond: bool = False
    ) -> Any:
        """Perform an action and return its response, if one is asked for."""
        domain, name = action.split(".")
        result = await self.call(
            "call_service",
            domain=domain,
            service=name,
            service_data=data,
            return_response=respond,
        )
        return result["response"] if respond else None

    async def states(self) -> dict[str, dict[str, Any]]:
        """Return every state by entity id."""
        return {state["entity_id"]: state for state in await self.call("get_states")}
