"""Programs of a benchmark that run beside it, so that nobody's time is another's.

Devices and each of the clients that are compared are processes of their own:
no event loop, garbage collection or patch of a library is shared. A child is
told what to do in lines of JSON on its standard input.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
import json
import os
from pathlib import Path
import sys
from typing import Any

from scripts.demonstration.process import Program

REPOSITORY = Path(__file__).resolve().parents[2]

_START_SECONDS = 60
_LONGEST_LINE = 8_000_000


class Child:
    """A running child, seen by who started it."""

    def __init__(self, program: Program) -> None:
        """Take a program that talks."""
        self._program = program

    @property
    def pid(self) -> int:
        """The number of the process."""
        assert self._program.process is not None
        return self._program.process.pid

    async def ask(self, what: str, *, patience: float = 120, **arguments: Any) -> Any:
        """Have it do something and return what it says."""
        process = self._program.process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([what, arguments]).encode() + b"\n")
        await process.stdin.drain()
        try:
            line = await asyncio.wait_for(process.stdout.readline(), patience)
        except TimeoutError:
            raise self._program.complaint(f"no answer to {what}") from None
        if not line:
            raise self._program.complaint(f"ended at {what}")
        return json.loads(line)


@asynccontextmanager
async def child(
    module: str, folder: Path, *, package: str = "bus_parts", **settings: Any
) -> AsyncIterator[Child]:
    """Run a module of a benchmark's `package` and begin it with `settings`."""
    program = Program(
        module,
        [sys.executable, "-m", f"benchmarks.{package}.{module}"],
        folder / f"{module}.log",
        cwd=REPOSITORY,
        # BAC0 writes to the user's folder when it is imported.
        environment=os.environ | {"HOME": str(folder)},
        talks=True,
    )
    await program.start()
    try:
        running = Child(program)
        await running.ask("begin", patience=_START_SECONDS, **settings)
        yield running
    finally:
        await program.stop(5)


type Handlers = Mapping[str, Callable[..., Awaitable[Any]]]


def serve(handlers: Handlers) -> None:
    """Answer each line with what its handler returns, until the input ends."""
    # Libraries may print; what is printed goes to the log, answers to who asked.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    async def run() -> None:
        reader = asyncio.StreamReader(limit=_LONGEST_LINE)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        while line := await reader.readline():
            what, arguments = json.loads(line)
            answer = await handlers[what](**arguments)
            answers.write(json.dumps(answer) + "\n")
            answers.flush()

    asyncio.run(run())
