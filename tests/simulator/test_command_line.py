"""The simulator as a program."""

import asyncio
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
from pathlib import Path
import signal
import socket
import sys
from typing import Any

import pytest

from custom_components.chiller_plant.plant.model import ModbusConnection
from custom_components.chiller_plant.plant.plant_file import load_plant
from tests.simulator.plants import served_example
from tests.waiting import PATIENCE, eventually

ROOT = Path(__file__).parents[2]


@asynccontextmanager
async def program(*arguments: str, stdin: int = PIPE) -> AsyncIterator[Process]:
    """Run the simulator; it is gone afterwards, whatever happens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "custom_components.chiller_plant.simulator"),
        *arguments,
        cwd=ROOT,
        stdin=stdin,
        stdout=PIPE,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: Process) -> str:
    """Return the next line that the program prints."""
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE):
        return (await process.stdout.readline()).decode().strip()


async def ask(process: Process, command: str) -> dict[str, Any]:
    """Say a line and return its answer."""
    assert process.stdin is not None
    process.stdin.write(f"{command}\n".encode())
    return dict(json.loads(await line(process)))


async def ended(process: Process) -> int:
    """Return the exit code, soon."""
    async with asyncio.timeout(PATIENCE):
        return await process.wait()


async def test_it_serves_a_plant_file_and_takes_commands(tmp_path: Path) -> None:
    file = served_example(tmp_path)
    arguments = ("--speed", "60", "--start", "2026-11-21T07:00", "--load", "0.5")
    async with program(str(file), *arguments) as process:
        assert await line(process) == (
            "simulating two_chillers at 60x: 4 BACnet devices, 2 Modbus servers,"
            " 132 points"
        )
        status = await ask(process, "status")
        assert status["time"].startswith("2026-11-21T07:0")
        assert status["load_share"] == 0.5

        async def lead_chiller_runs() -> bool:
            return "chiller_1" in (await ask(process, "status"))["running"]

        await eventually(lead_chiller_runs)
        assert (await ask(process, "stop drives"))["ok"]
        assert (await ask(process, "quit"))["ok"]
        assert await ended(process) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_outlives_its_input_and_ends_cleanly_on_a_signal(
    tmp_path: Path, number: signal.Signals
) -> None:
    file = served_example(tmp_path)
    drives = load_plant(file).connections["drives"]
    assert isinstance(drives, ModbusConnection)
    async with program(str(file), stdin=DEVNULL) as process:
        assert (await line(process)).startswith("simulating two_chillers at 1x")
        socket.create_connection((drives.host, drives.port), timeout=2.0).close()
        process.send_signal(number)
        assert await ended(process) == 0
        assert process.stderr is not None
        assert await process.stderr.read() == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((drives.host, drives.port), timeout=2.0)


async def test_a_taken_address_is_said_in_one_line(tmp_path: Path) -> None:
    file = served_example(tmp_path)
    meters = load_plant(file).connections["meters"]
    assert isinstance(meters, ModbusConnection)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.bind((meters.host, meters.port))
        other.listen()
        async with program(str(file)) as process:
            _, complaint = await process.communicate()
            assert process.returncode == 1
    (said,) = complaint.decode().splitlines()
    assert said.startswith(f"meters: {meters.host}:{meters.port} is already in use")


async def test_a_wrong_plant_file_is_said_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "plant.yaml"
    file.write_text("plant: {key: x\n", encoding="utf-8")
    async with program(str(file)) as process:
        _, complaint = await process.communicate()
        assert process.returncode == 1
    assert b"plant.yaml:" in complaint
    assert b"Traceback" not in complaint
