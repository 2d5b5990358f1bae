"""One line that says how the plant is doing, again and again."""

import asyncio
import shutil
import sys
from typing import Any

from .home_assistant import WebSocket
from .observer import UNAVAILABLE, UNKNOWN, Observer
from .stack import Stack

_REFRESH_SECONDS = 2


async def show_status(stack: Stack) -> None:
    """Show the status line until cancelled."""
    async with stack.home_assistant.connect() as socket:
        observer = await Observer.begin(socket, stack.installation)
        actions = await observer.listen_to_actions()
        while True:
            line = await _line(observer, socket, actions)
            del actions[:-1]
            _show(line)
            await asyncio.sleep(_REFRESH_SECONDS)


async def _line(
    observer: Observer, socket: WebSocket, actions: list[dict[str, Any]]
) -> str:
    states = await socket.states()

    def value(key: str, unit: str, decimals: int) -> str:
        state = states[observer.entity(key)]["state"]
        if state in (UNAVAILABLE, UNKNOWN):
            return f"– {unit}"
        return f"{float(state):.{decimals}f} {unit}"

    plan = await observer.plan()
    last = (
        str(actions[-1].get("reason") or actions[-1].get("event_type", ""))
        if actions
        else ""
    )
    return " │ ".join(
        (
            plan["profile"],
            f"stage {states[observer.entity('plant.stage')]['state']}",
            value("plant.cooling_load_refrigeration_tons", "RT", 0),
            value("plant.efficiency", "kW/RT", 2),
            f"supply {value('plant.chilled_water_supply_temperature', '°C', 1)}",
            last,
        )
    )


def _show(line: str) -> None:
    if not sys.stdout.isatty():
        print(line, flush=True)
        return
    width = shutil.get_terminal_size().columns - 1
    print(f"\r{line[:width]:<{width}}", end="", flush=True)
