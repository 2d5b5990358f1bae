"""A real PostgreSQL server on loopback, for as long as a test wants it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import os
from pathlib import Path
import pwd
import shutil
import signal
import subprocess
import tempfile

import psycopg2

from tests.ports import tcp_port
from tests.programs import Program, program, with_libraries
from tests.waiting import eventually

_NOBODY = "nobody"
_DATABASE = "postgres"


class PostgresqlServer:
    """One server with its own folder; it can be stopped and started again."""

    def __init__(self, folder: Path, found: Program) -> None:
        """Prepare; nothing runs yet."""
        self._folder = folder
        self._data = folder / "data"
        self._found = found
        self._port = tcp_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What the recorder's `db_url` is."""
        return f"postgresql://{_DATABASE}@127.0.0.1:{self._port}/{_DATABASE}"

    def initialise(self) -> None:
        """Make an empty database; nobody but this machine can reach it."""
        self._run(
            "initdb",
            f"--pgdata={self._data}",
            f"--username={_DATABASE}",
            "--auth=trust",
            "--no-locale",
            "--encoding=UTF8",
            "--no-sync",
        )

    async def start(self) -> None:
        """Start it, and return when it answers."""
        self._launch()
        await eventually(self._answers)

    def _launch(self) -> None:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": "",
            "fsync": "off",
            "shared_buffers": "8MB",
            "jit": "off",
            "dynamic_shared_memory_type": "mmap",
        }
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    self._found.path,
                    "-D",
                    self._data,
                    *(f"--{key}={value}" for key, value in settings.items()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self._as_whom(),
            )

    def stop(self) -> None:
        """Stop it at once; what was committed stays."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def rows(self, query: str) -> list[tuple[object, ...]]:
        """Return what is in it, as its own client sees it."""
        connection = psycopg2.connect(self.url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(query)
                return list(cursor.fetchall())
        finally:
            connection.close()

    def execute(self, statement: str) -> None:
        """Change what is in it, as its own client does."""
        connection = psycopg2.connect(self.url)
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute(statement)
        finally:
            connection.close()

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError((self._folder / "log").read_text(errors="replace"))
        try:
            psycopg2.connect(self.url, connect_timeout=5).close()
        except psycopg2.OperationalError:
            return False
        return True

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._found.path.parent / name, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            **self._as_whom(),
        )
        assert done.returncode == 0, done.stdout.decode(errors="replace")

    def _as_whom(self) -> dict[str, object]:
        """PostgreSQL refuses to run as root."""
        place: dict[str, object] = {"cwd": self._folder, "env": self._found.env}
        if os.geteuid() != 0:
            return place
        who = pwd.getpwnam(_NOBODY)
        return place | {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


@asynccontextmanager
async def postgresql_server() -> AsyncIterator[PostgresqlServer]:
    """Run a server for the length of a test."""
    folder = Path(tempfile.mkdtemp(prefix="postgresql."))
    server = PostgresqlServer(folder, _reachable(program("postgres"), folder))
    try:
        if os.geteuid() == 0:
            who = pwd.getpwnam(_NOBODY)
            os.chown(folder, who.pw_uid, who.pw_gid)
        server.initialise()
        await server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


def _reachable(found: Program, folder: Path) -> Program:
    """Return a program that whom we run it as can read: root's cache is its own."""
    if (
        os.geteuid() != 0
        or found.root is None
        or all(parent.stat().st_mode & 0o001 for parent in found.path.parents)
    ):
        return found
    copy = folder / "program"
    kept = [*found.root.glob("usr/lib/*-linux-gnu*"), *found.root.glob("lib/*")]
    for part in (
        *kept,
        found.root / "usr" / "lib" / "postgresql",
        found.root / "usr" / "share" / "postgresql",
    ):
        shutil.copytree(part, copy / part.relative_to(found.root), symlinks=True)
    return Program(
        copy / found.path.relative_to(found.root), with_libraries(copy), copy
    )
