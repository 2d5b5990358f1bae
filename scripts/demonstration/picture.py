"""Pictures of the running demonstration, as a browser shows it."""

import asyncio
import json
from pathlib import Path
import time

from playwright.async_api import Page, async_playwright

from .installation import DASHBOARD
from .stack import Stack

_CHROMIUM = "/usr/bin/chromium"
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
_SETTLE_SECONDS = 4.0


async def take_picture(
    stack: Stack, path: str, file: Path, *, width: int = 1500, height: int = 1100
) -> None:
    """Show one page of Home Assistant and write it to a PNG file."""
    home_assistant = stack.home_assistant
    tokens = {
        **home_assistant.tokens,
        "access_token": home_assistant.token,
        "hassUrl": home_assistant.url,
        "clientId": f"{home_assistant.url}/",
        "expires": (time.time() + 3600) * 1000,
    }
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=_CHROMIUM, args=list(_FLAGS)
        )
        try:
            page = await browser.new_page(viewport={"width": width, "height": height})
            await page.add_init_script(
                f"localStorage.hassTokens = {json.dumps(json.dumps(tokens))};"
            )
            await page.goto(f"{home_assistant.url}{path}")
            await page.wait_for_selector(
                "home-assistant-main", state="attached", timeout=60_000
            )
            await _settle(page)
            file.parent.mkdir(parents=True, exist_ok=True)
            await page.screenshot(path=file)
        finally:
            await browser.close()


async def _settle(page: Page) -> None:
    """Let the cards load; the frontend has no event for that."""
    await page.wait_for_timeout(_SETTLE_SECONDS * 1000)


async def take_pictures(stack: Stack, file: Path) -> None:
    """Wait until there is a curve to look at, then take the README's picture."""
    await asyncio.sleep(240)
    await take_picture(stack, f"/{DASHBOARD}/plant", file)
