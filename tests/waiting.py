"""Waiting for what happens in its own time: on wires, in other programs."""

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable

PATIENCE = 30.0
"""Only a failure takes so long; a busy machine may take a good part of it."""


async def eventually(
    condition: Callable[[], object | Awaitable[object]], timeout: float = PATIENCE
) -> None:
    """Wait until a condition, which may have to be awaited itself, holds."""
    async with asyncio.timeout(timeout):
        while True:
            found = condition()
            if isawaitable(found):
                found = await found
            if found:
                return
            await asyncio.sleep(0.05)
