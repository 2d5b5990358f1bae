"""A real utility's server (an OpenADR 2.0b VTN) as a process of its own.

It runs in the control engine's environment, which has the library for it, and is
spoken to in lines of JSON.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import Any

from .process import Program, free_port

SERVER = "scripts/demonstration/utility_server.py"
_START_SECONDS = 30


@dataclass(slots=True)
class Utility:
    """The server, and what it has heard of the plant."""

    repository: Path
    log: Path
    heard: list[dict[str, Any]] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    program: Program = field(init=False)
    _listening: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        """Describe the process."""
        self.program = Program(
            "the utility's server",
            [
                str(self.repository / ".venv" / "engine" / "bin" / "python"),
                str(self.repository / SERVER),
                str(self.port),
            ],
            self.log,
            talks=True,
        )

    @property
    def url(self) -> str:
        """Where a plant finds it."""
        return f"http://127.0.0.1:{self.port}/OpenADR2/Simple/2.0b"

    async def start(self) -> None:
        """Start it; return when it serves."""
        await self.program.start()
        self._listening = asyncio.create_task(self._listen())
        async with asyncio.timeout(_START_SECONDS):
            while not self.was_told(heard="running"):
                if not self.program.running:
                    raise self.program.complaint("ended by itself")
                await asyncio.sleep(0.1)

    async def stop(self) -> None:
        """Stop it."""
        await self.program.stop()
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening

    async def _listen(self) -> None:
        process = self.program.process
        assert process is not None
        assert process.stdout is not None
        while line := await process.stdout.readline():
            with suppress(ValueError):
                self.heard.append(json.loads(line))

    async def announce(
        self, event: str, start: float, duration: float, level: int
    ) -> None:
        """Tell the plant of an event (epoch seconds, seconds, 1 to 3)."""
        process = self.program.process
        assert process is not None
        assert process.stdin is not None
        asked = {"event": event, "start": start, "duration": duration, "level": level}
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        await process.stdin.drain()

    def was_told(self, **what: object) -> bool:
        """Whether it heard this."""
        return any(item.items() >= what.items() for item in self.heard)

    def reports(self, resource: str) -> list[tuple[float, float]]:
        """Return what was reported of a figure: when, and what."""
        return [
            (item["at"], item["value"])
            for item in self.heard
            if item.get("heard") == "report" and item.get("resource") == resource
        ]
