"""Start, watch and stop the real programs that make up the demonstration."""

import asyncio
from collections.abc import Mapping
import contextlib
import ctypes
from pathlib import Path
import signal
import socket

_SET_PARENT_DEATH_SIGNAL = 1


class ProcessError(Exception):
    """A program did not start, did not answer in time, or ended by itself."""


def free_port(host: str = "127.0.0.1", kind: int = socket.SOCK_STREAM) -> int:
    """Return a port that nothing uses at this moment."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    """Ask Linux to end this child even if its parent is killed outright."""
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


class Program:
    """One child process whose output goes to a log file."""

    def __init__(
        self,
        name: str,
        arguments: list[str],
        log: Path,
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        talks: bool = False,
    ) -> None:
        """Describe the program; `talks` gives it a console (stdin, stdout)."""
        self.name = name
        self.log = log
        self._arguments = arguments
        self._cwd = cwd
        self._environment = environment
        self._talks = talks
        self.process: asyncio.subprocess.Process | None = None

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self.process is not None and self.process.returncode is None

    async def start(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C is ours."""
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *self._arguments,
                cwd=self._cwd,
                env=dict(self._environment) if self._environment else None,
                stdin=asyncio.subprocess.PIPE
                if self._talks
                else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE if self._talks else log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    async def stop(self, patience: float = 20) -> None:
        """End the process politely, then firmly. Never raises."""
        if not self.running:
            return
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            await asyncio.wait_for(self.process.wait(), patience)
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End the process at once, as a power cut would."""
        if not self.running:
            return
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        await self.process.wait()

    def complaint(self, what: str) -> ProcessError:
        """Return an error that shows the last lines of the log."""
        tail = ""
        if self.log.exists():
            lines = self.log.read_text(errors="replace").splitlines()[-15:]
            tail = "\n  " + "\n  ".join(lines)
        return ProcessError(f"{self.name}: {what} (log: {self.log}){tail}")
