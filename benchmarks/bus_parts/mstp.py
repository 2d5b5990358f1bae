"""What a slow trunk behind a router carries, and how long a command waits for it.

What counts is what the router saw: each frame that arrived, when the trunk was
free for it and whether it was lost.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
import random
from typing import Any

from tests.drivers.mstp_trunk import READ, READ_MULTIPLE, WRITE, Frame, mstp_trunk
from tests.ports import udp_port

from .child import child
from .result import Figure, Result, spread

_DEVICES = 2
_OCTETS_OF_AN_ANSWER = 480
_LARGEST_BATCH = (_OCTETS_OF_AN_ANSWER - 10) // 26
"""Present value and status flags of one object take up to 26 octets."""


async def measure(
    folder: Path,
    *,
    points: int = 200,
    commands: int = 40,
    request_time: float = 0.12,
) -> Result:
    """Poll through a router, command in between; ours and 16 reads of BAC0 at once."""
    inputs = points // _DEVICES
    chance = random.Random(3)
    # Longer than a sweep of ours in all, so that commands meet every part of it.
    pauses = [chance.uniform(1, 7) * request_time for _ in range(17)]

    async def run(client: str, host: str, number: int) -> tuple[list[Frame], Any]:
        port = udp_port()
        async with AsyncExitStack() as stack:
            trunk = await stack.enter_async_context(
                mstp_trunk(
                    port,
                    devices=_DEVICES,
                    inputs=inputs,
                    request_time=request_time,
                    host=host,
                )
            )
            running = await stack.enter_async_context(
                child(
                    f"bacnet_{client}",
                    folder,
                    port=port,
                    addresses=[device.address for device in trunk.devices],
                    inputs=inputs,
                    first_instance=trunk.devices[0].instance,
                )
            )
            # Who meets a device for the first time may ask it a few things more.
            await running.ask("write", value=1.0)
            if client == "ours":
                first = await running.ask("timed", devices=_DEVICES)
                if first["points"] != points:
                    raise RuntimeError(f"{client} brought {first['points']} points")
            await trunk.frames()
            told = await running.ask("command", commands=number, pauses=pauses)
            return await trunk.frames(), told

    (ours, told), (theirs, theirs_told) = await asyncio.gather(
        run("ours", "127.0.0.54", commands),
        run("bac0", "127.0.0.55", max(2, commands // 4)),
    )
    polls = told["polls"]
    needed = polls * _DEVICES * -(-inputs // _LARGEST_BATCH) + commands
    waits = _waits(ours, told["issued"])
    their_waits = _waits(theirs, theirs_told["issued"])
    seconds = [answered - began for began, answered in told["issued"]]
    their_seconds = [answered - began for began, answered in theirs_told["issued"]]
    their_needed = theirs_told["polls"] * points + len(their_waits)
    result = Result(
        details={
            "ours": {
                "frames": len(ours),
                "frames needed": needed,
                "frames lost": _lost(ours),
                "polls": polls,
                "points/s": round(polls * points / _length(ours), 1),
                "requests a command waited for": _tally(waits),
                "seconds of a command": spread(seconds, 2),
            },
            "16 BAC0 reads": {
                "frames": len(theirs),
                "frames for as many single reads": their_needed,
                "frames lost": _lost(theirs),
                "polls": theirs_told["polls"],
                "points/s": round(theirs_told["polls"] * points / _length(theirs), 1),
                "requests a command waited for": _tally(their_waits),
                "seconds of a command": spread(their_seconds, 2),
            },
        }
    )
    result.figures += [
        Figure(
            "mstp.frame_ratio",
            len(ours) / needed,
            "",
            1.0,
            "lower",
            f"{len(ours)} frames for {polls} polls of {points} points and {commands} "
            f"commands, {_lost(ours)} lost; 16 BAC0 reads: "
            f"{len(theirs)} for {theirs_told['polls']} polls, {_lost(theirs)} lost",
        ),
        Figure(
            "mstp.command_wait_requests",
            max(waits),
            "requests",
            1.0,
            "lower",
            f"{commands} commands took {spread(seconds, 2)} s; among 16 BAC0 reads "
            f"{spread(their_seconds, 2)} s and up to {max(their_waits)} requests",
        ),
    ]
    return result


def _waits(frames: Sequence[Frame], issued: Sequence[tuple[float, float]]) -> list[int]:
    """Return how many requests were served between each command and its turn.

    The one that is served when the command is issued counts as a whole.
    """
    waits = []
    writes = [frame for frame in frames if frame.service == WRITE]
    for began, answered in issued:
        own = [
            frame
            for frame in writes
            if began <= frame.arrived <= answered and frame.began is not None
        ]
        if not own:
            raise RuntimeError("a command never came to the trunk")
        turn = own[0].began or 0.0
        waits.append(
            sum(
                frame.ended is not None
                and frame.began is not None
                and frame.ended > began
                and frame.began < turn
                for frame in frames
            )
        )
    return waits


def _lost(frames: Sequence[Frame]) -> int:
    return sum(frame.began is None for frame in frames)


def _length(frames: Sequence[Frame]) -> float:
    reads = [frame for frame in frames if frame.service in (READ, READ_MULTIPLE)]
    return max(frame.ended or 0.0 for frame in reads) - reads[0].arrived


def _tally(waits: Sequence[int]) -> dict[str, int]:
    return {str(number): waits.count(number) for number in sorted(set(waits))}
