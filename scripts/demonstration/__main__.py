"""The command behind `scripts/demo`."""

import argparse
import asyncio
import contextlib
from functools import partial
import os
from pathlib import Path
import shutil
import signal
import subprocess
import sys
import time

from .checks import run_checks, run_event, run_large_plant_checks, run_site_checks
from .event_day import SPEED as SPEED_OF_EVENT
from .home_assistant import PASSWORD, USER_NAME
from .own_folder import own_folder
from .process import ProcessError
from .stack import REPOSITORY, SITES, Stack
from .status_line import show_status
from .story import Finding, table

_CHECK_SECONDS = 600
_EVENT_SECONDS = 2400
_SPEED = 30.0
_SPEED_OF_LARGE_PLANT = 5.0
"""Hundreds of zones that change thirty times as fast keep the bus busier than
any site does."""
_FOLDER = REPOSITORY / ".demo"
_STORIES = {"two_chillers": run_checks, "kspo": run_site_checks}
_ISOLATED = "CHILLER_PLANT_DEMO_ISOLATED"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/demo", add_help=False)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--speed", type=float)
    plant = parser.add_mutually_exclusive_group()
    plant.add_argument("--points", type=int)
    plant.add_argument("--site", choices=sorted(SITES), default="two_chillers")
    plant.add_argument("--event", action="store_true")
    parser.add_argument("--port", type=int)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    if arguments.speed is None:
        arguments.speed = (
            SPEED_OF_EVENT
            if arguments.event
            else _SPEED
            if arguments.points is None
            else _SPEED_OF_LARGE_PLANT
        )
    return arguments


def _isolate() -> None:
    """Go on in a network that holds nothing but loopback, where Linux lets us.

    Home Assistant's discovery would otherwise listen on every interface.
    """
    if os.environ.get(_ISOLATED) or shutil.which("unshare") is None:
        return
    unshare = ["unshare", "--map-root-user", "--net"]
    possible = subprocess.run([*unshare, "true"], capture_output=True, check=False)
    if possible.returncode or shutil.which("ip") is None:
        return
    command = (
        "ip link set lo up && ip link set lo multicast on"
        " && ip route add 224.0.0.0/4 dev lo"
        ' && exec "$0" -m demonstration "$@"'
    )
    os.environ[_ISOLATED] = "1"
    os.execvp("unshare", [*unshare, "sh", "-c", command, sys.executable, *sys.argv[1:]])


def _story_of(arguments: argparse.Namespace) -> str:
    """Return the name of the story that is told, and so of its folder."""
    if arguments.event:
        return "event"
    return "points" if arguments.points else str(arguments.site)


def _print(text: str) -> None:
    print(text, flush=True)


async def _check(arguments: argparse.Namespace) -> int:
    begin = time.monotonic()
    findings: list[Finding] = []

    def report(finding: Finding) -> None:
        findings.append(finding)
        _print(table([finding]))

    passed = False
    seconds = _EVENT_SECONDS if arguments.event else _CHECK_SECONDS
    try:
        with own_folder(_FOLDER / _story_of(arguments)) as folder:
            async with (
                asyncio.timeout(seconds),
                Stack(
                    folder,
                    arguments.speed,
                    points=arguments.points,
                    site=arguments.site,
                    say=_print,
                ) as stack,
            ):
                checks = _STORIES[arguments.site]
                if arguments.points:
                    checks = run_large_plant_checks
                if arguments.event:
                    checks = partial(run_event, picture=arguments.picture)
                passed = await checks(stack, report)
    except TimeoutError:
        _print(f"FAILED: the story took longer than {seconds} s")
    if findings:
        _print(f"\n{table(findings)}")
    verdict = "all of it happened" if passed else "NOT all of it happened"
    _print(f"\n{verdict}, {time.monotonic() - begin:.0f} s")
    return 0 if passed else 1


async def _show(arguments: argparse.Namespace) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    show = asyncio.create_task(_run(arguments))
    stop = asyncio.create_task(stopped.wait())
    await asyncio.wait((show, stop), return_when=asyncio.FIRST_COMPLETED)
    if not show.done():
        _print("\nstopping")
    show.cancel()
    stop.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await show
    return 0


async def _run(arguments: argparse.Namespace) -> None:
    with own_folder(_FOLDER / "show") as folder:
        async with Stack(
            folder,
            arguments.speed,
            arguments.port,
            arguments.points,
            arguments.site,
            say=_print,
        ) as stack:
            await _present(arguments, stack)


async def _present(arguments: argparse.Namespace, stack: Stack) -> None:
    await stack.installation.show_day()
    _print(
        f"\n  {stack.home_assistant.url}\n"
        f"  user {USER_NAME}, password {PASSWORD}\n\n"
        f"  The plant runs {arguments.speed:g} times faster than real time, and so "
        "do its interlocks.\n  Ctrl-C stops everything.\n"
    )
    if arguments.picture:
        from .picture import take_pictures  # noqa: PLC0415  needs a browser

        await take_pictures(stack, arguments.picture)
        return
    await show_status(stack)


def main() -> int:
    """Run the demonstration; return the exit code."""
    arguments = _arguments()
    alone = arguments.check or arguments.event
    if alone:
        _isolate()
    try:
        return asyncio.run(_check(arguments) if alone else _show(arguments))
    except ProcessError as error:
        _print(f"\n{error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
