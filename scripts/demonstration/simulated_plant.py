"""The simulated plant as a process of its own, with its console."""

import asyncio
from dataclasses import dataclass, field
import os
from pathlib import Path
import sys

from .process import ProcessError, Program

_START_SECONDS = 60
_ANSWER_SECONDS = 10


@dataclass(slots=True)
class SimulatedPlant:
    """The simulator serving one plant file on loopback."""

    plant_file: Path
    repository: Path
    log: Path
    speed: float
    start_time: str
    program: Program = field(init=False)
    _console: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        """Describe the process."""
        self.program = Program(
            "simulated plant",
            [
                sys.executable,
                "-m",
                "custom_components.chiller_plant.simulator",
                str(self.plant_file),
                "--speed",
                str(self.speed),
                "--start",
                self.start_time,
            ],
            self.log,
            cwd=self.repository,
            environment=os.environ | {"PYTHONUNBUFFERED": "1"},
            talks=True,
        )

    async def start(self) -> str:
        """Start serving; return the line that says what is served."""
        await self.program.start()
        return await self._line(_START_SECONDS)

    async def tell(self, command: str) -> str:
        """Type one command into the console and return its answer."""
        process = self.program.process
        assert process is not None
        assert process.stdin is not None
        async with self._console:
            process.stdin.write(f"{command}\n".encode())
            await process.stdin.drain()
            return await self._line(_ANSWER_SECONDS)

    async def _line(self, seconds: float) -> str:
        process = self.program.process
        assert process is not None
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), seconds)
        except TimeoutError:
            raise ProcessError(f"simulated plant: no answer in {seconds} s") from None
        if not line:
            await asyncio.sleep(0.2)
            raise self.program.complaint("ended by itself")
        return line.decode().strip()

    async def stop(self) -> None:
        """Stop serving."""
        await self.program.stop()
