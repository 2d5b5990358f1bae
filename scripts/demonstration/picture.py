"""The picture of the README: a morning at the plant, as a browser shows it."""

import asyncio
from pathlib import Path

from .browser import signed_in
from .installation import DASHBOARD, HOLIDAY, WEEKDAY
from .stack import Stack

_SETTLE_SECONDS = 5.0
"""The frontend has no event for that all cards are drawn."""

_OFF_SECONDS = 75
_ONE_CHILLER_SECONDS = 110
_TWO_CHILLERS_SECONDS = 130


async def take_picture(
    stack: Stack, path: str, file: Path, *, height: int = 1230
) -> None:
    """Show one page of Home Assistant and write it to a PNG file."""
    async with signed_in(stack.home_assistant, stack.time_zone, height=height) as page:
        await page.goto(path)
        await page.wait_for_selector(
            "home-assistant-main", state="attached", timeout=60_000
        )
        await page.wait_for_selector("hui-view hui-card", timeout=120_000)
        await page.wait_for_timeout(_SETTLE_SECONDS * 1000)
        file.parent.mkdir(parents=True, exist_ok=True)
        await page.screenshot(path=file)


async def take_pictures(stack: Stack, file: Path) -> None:
    """Let the plant stand, start, and add a chiller; then take the picture.

    A site that follows its own calendar is shown as it is, page by page.
    """
    installation = stack.installation
    if installation.first_profile is None:
        await asyncio.sleep(_TWO_CHILLERS_SECONDS)
        for page in stack.installation.pages:
            await take_picture(
                stack, f"/{DASHBOARD}/{page}", file.with_stem(f"{file.stem}_{page}")
            )
        return
    async with stack.home_assistant.connect() as socket:
        await installation.move_today(socket, HOLIDAY)
        await stack.simulator.tell("load 0.1")
        await asyncio.sleep(_OFF_SECONDS)
        await installation.move_today(socket, WEEKDAY)
        await stack.simulator.tell("load 0.3")
        await asyncio.sleep(_ONE_CHILLER_SECONDS)
        await stack.simulator.tell("load 0.75")
        await asyncio.sleep(_TWO_CHILLERS_SECONDS)
    await take_picture(stack, f"/{DASHBOARD}/plant", file)
