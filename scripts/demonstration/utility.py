"""A utility's server (VTN) as a process of its own, in one of two dialects.

Both run in the control engine's environment, which has the libraries for them, and
are spoken to in lines of JSON. What differs between them is data.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
import json
from pathlib import Path
from typing import Any

from .openadr3.vtn import CLIENT, PROGRAM, SECRET
from .process import Program, free_port
from .story import StepFailed

_START_SECONDS = 30

type Heard = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to speak with plants."""

    name: str
    server: tuple[str, ...]
    """What Python is told to run, from the folder of the scripts."""
    path: str
    """Behind host and port, in the address of the server."""
    step: str
    """Of the form that connects a plant."""
    form: Mapping[str, Any]
    """What that form wants beyond name and address."""
    known: Heard
    """What the server says once it knows the plant."""
    taken: Heard
    """What it says of an event that the plant has."""
    load: Callable[[Heard], float | None]
    """Returns the load of a report, kW; None for a report of something else."""
    told_with: frozenset[str]
    """What is told beside the load."""


def _meter(report: Heard) -> float | None:
    return float(report["value"]) if report["resource"] == "power" else None


def _demand(report: Heard) -> float | None:
    found = report["values"].get("DEMAND")
    return None if found is None else float(found)


OPENADR_2 = Dialect(
    "OpenADR 2.0b",
    ("demonstration/utility_server.py",),
    "/OpenADR2/Simple/2.0b",
    "openadr_2",
    {"ven_name": "plant", "report_interval": 5},
    {"heard": "registered"},
    {"heard": "opt", "opt": "optIn"},
    _meter,
    frozenset(),
)
OPENADR_3 = Dialect(
    "OpenADR 3.1",
    ("-m", "demonstration.openadr3"),
    "",
    "openadr_31",
    {
        "ven_name": "plant",
        "client_id": CLIENT,
        "client_secret": SECRET,
        "program": PROGRAM,
        "poll": 5,
        "report_interval": 5,
    },
    {"heard": "ven"},
    {"heard": "event"},
    _demand,
    frozenset(
        {"BASELINE", "OPERATING_STATE", "LOAD_SHED_DELTA_AVAILABLE", "DATA_QUALITY"}
    ),
)


@dataclass(slots=True)
class Utility:
    """The server, and what it has heard of the plant."""

    repository: Path
    log: Path
    dialect: Dialect = OPENADR_2
    name: str = "Utility"
    heard: list[dict[str, Any]] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    program: Program = field(init=False)
    _listening: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        """Describe the process."""
        self.program = Program(
            f"the server of {self.name}",
            [
                str(self.repository / ".venv" / "engine" / "bin" / "python"),
                *self.dialect.server,
                str(self.port),
            ],
            self.log,
            cwd=self.repository / "scripts",
            talks=True,
        )

    @property
    def url(self) -> str:
        """Where a plant finds it."""
        return f"http://127.0.0.1:{self.port}{self.dialect.path}"

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
        self, event: str, start: float, duration: float, asks: Mapping[str, Any]
    ) -> None:
        """Tell the plant of an event (epoch seconds, seconds), and what it asks."""
        process = self.program.process
        assert process is not None
        assert process.stdin is not None
        asked = {"event": event, "start": start, "duration": duration, **asks}
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        await process.stdin.drain()

    def was_told(self, **what: object) -> bool:
        """Whether it heard this."""
        return any(item.items() >= what.items() for item in self.heard)

    @property
    def knows_the_plant(self) -> bool:
        """Whether the plant is registered."""
        return self.was_told(**self.dialect.known)

    def gave(self, event: str) -> bool:
        """Whether the plant has an event, and said so where it can."""
        return self.was_told(**self.dialect.taken, event=event)

    def reports(self) -> list[tuple[float, float]]:
        """Return the loads that it was told: when, kW."""
        return [
            (item["at"], load)
            for item in self._reported
            if (load := self.dialect.load(item)) is not None
        ]

    def check(self, since: float, until: float) -> None:
        """Hold reports of a time, and all that was said, against the standard.

        Raises StepFailed for what is missing in a report, or is not as published.
        """
        wrong = [item["what"] for item in self.heard if item["heard"] == "violation"]
        if wrong:
            raise StepFailed(f"not as published: {'; '.join(wrong)}")
        for item in self._reported:
            if not since <= item["at"] < until:
                continue
            missing = self.dialect.told_with - item.get("values", {}).keys()
            if missing:
                raise StepFailed(f"a report without {', '.join(sorted(missing))}")

    @property
    def _reported(self) -> list[dict[str, Any]]:
        return [item for item in self.heard if item["heard"] == "report"]
