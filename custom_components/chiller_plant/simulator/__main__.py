"""Serve a plant file: `python -m custom_components.chiller_plant.simulator`."""

import argparse
import asyncio
from datetime import UTC, datetime
import os
from pathlib import Path
import signal
import sys
from threading import Thread

from ..plant.plant_file import PlantFileError, load_plant
from .console import HELP, Console
from .layout import SimulationError
from .serving import ServerError
from .simulation import Simulation

MAXIMUM_SPEED = 120.0
_LONGEST_LINE = 4096


def _speed(text: str) -> float:
    speed = float(text)
    if not 0.0 < speed <= MAXIMUM_SPEED:
        raise argparse.ArgumentTypeError(f"more than 0 and at most {MAXIMUM_SPEED:g}")
    return speed


def _share(text: str) -> float:
    share = float(text)
    if not 0.0 <= share <= 1.5:
        raise argparse.ArgumentTypeError("0 to 1.5")
    return share


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m custom_components.chiller_plant.simulator",
        description="Simulate the plant of a plant file on its own BACnet/IP and"
        " Modbus TCP addresses.",
        epilog=HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("plant_file", type=Path, metavar="PLANT_FILE")
    parser.add_argument(
        "--speed", type=_speed, default=1.0, help="times real time (default 1)"
    )
    parser.add_argument(
        "--start",
        type=datetime.fromisoformat,
        help="local date and time to begin at, as 2026-11-21T07:00 (default now)",
    )
    parser.add_argument(
        "--load",
        type=_share,
        help="share of the rated load of every zone (default: the day's profile)",
    )
    return parser.parse_args()


def _read_lines(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str]) -> None:
    """Hand standard input over line by line; an empty string is its end.

    In a thread, because not every kind of standard input can be polled.
    """
    pending = b""
    while True:
        try:
            data = os.read(0, _LONGEST_LINE)
        except OSError:
            data = b""
        *complete, pending = (pending + data).split(b"\n")
        for line in complete:
            text = line.decode(errors="replace") + "\n"
            loop.call_soon_threadsafe(lines.put_nowait, text)
        if not data or len(pending) > _LONGEST_LINE:
            loop.call_soon_threadsafe(lines.put_nowait, "")
            return


async def _converse(simulation: Simulation) -> None:
    """Answer lines until told to quit, or until Ctrl-D at a terminal."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    Thread(target=_read_lines, args=(loop, lines), daemon=True).start()
    console = Console(simulation)
    while line := await lines.get():
        print(await console.answer(line), flush=True)
        if console.ended:
            return
    if not os.isatty(0):
        await loop.create_future()


async def _serve(simulation: Simulation) -> None:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    await simulation.start()
    try:
        print(simulation.description, flush=True)
        tasks = {
            asyncio.create_task(simulation.run()),
            asyncio.create_task(_converse(simulation)),
            asyncio.create_task(asked.wait()),
        }
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        for task in done:
            task.result()
    finally:
        await simulation.stop()


async def _main(arguments: argparse.Namespace) -> None:
    began = arguments.start or datetime.now()
    simulation = Simulation(
        load_plant(arguments.plant_file),
        began.replace(tzinfo=UTC).timestamp(),
        arguments.speed,
    )
    simulation.world.fix_load(arguments.load)
    await _serve(simulation)


def main() -> int:
    """Run until told to end; return the exit code."""
    try:
        asyncio.run(_main(_arguments()))
    except (PlantFileError, SimulationError, ServerError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
