"""A real AppDaemon that runs the control engine which Home Assistant installed."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from .home_assistant import HomeAssistant
from .process import Program

_START_SECONDS = 60


@dataclass(slots=True)
class AppDaemon:
    """The process; it talks to Home Assistant with a token of the operator."""

    folder: Path
    repository: Path
    home_assistant: HomeAssistant
    log: Path
    time_zone: str
    program: Program = field(init=False)

    def __post_init__(self) -> None:
        """Describe the process."""
        self.program = Program(
            "AppDaemon",
            [
                str(self.repository / ".venv" / "engine" / "bin" / "appdaemon"),
                "--config",
                str(self.folder),
            ],
            self.log,
        )

    def configure(self) -> None:
        """Write its configuration; needs the sign-in of Home Assistant."""
        self.folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "appdaemon": {
                "latitude": 1.29,
                "longitude": 103.85,
                "elevation": 15,
                "time_zone": self.time_zone,
                # Otherwise whoever edits the engine restarts it under the story.
                "production_mode": True,
                "app_dir": str(self.home_assistant.config / "appdaemon" / "apps"),
                "plugins": {
                    "HASS": {
                        "type": "hass",
                        "ha_url": self.home_assistant.url,
                        "token": self.home_assistant.token,
                    }
                },
            }
        }
        path = self.folder / "appdaemon.yaml"
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(settings))

    async def start(self) -> None:
        """Start the process and return once its apps were started."""
        offset = self.log.stat().st_size if self.log.exists() else 0
        await self.program.start()
        deadline = asyncio.get_running_loop().time() + _START_SECONDS
        while b"App initialization complete" not in self._log_since(offset):
            if not self.program.running:
                raise self.program.complaint("ended by itself")
            if asyncio.get_running_loop().time() > deadline:
                raise self.program.complaint(
                    f"did not start its apps in {_START_SECONDS} s"
                )
            await asyncio.sleep(0.2)

    def _log_since(self, offset: int) -> bytes:
        with self.log.open("rb") as log:
            log.seek(offset)
            return log.read()

    async def stop(self) -> None:
        """Stop the process."""
        await self.program.stop()
