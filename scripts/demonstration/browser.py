"""A real browser, signed in to the running demonstration."""

from collections.abc import AsyncIterator
import contextlib
import json
import time

from playwright.async_api import Page, async_playwright

from .home_assistant import HomeAssistant

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


@contextlib.asynccontextmanager
async def signed_in(
    home_assistant: HomeAssistant,
    time_zone: str,
    *,
    width: int = 1500,
    height: int = 1100,
) -> AsyncIterator[Page]:
    """Open a browser as the operator at the plant; close it in the end.

    Paths that are opened in it are those of Home Assistant.
    """
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
            page = await browser.new_page(
                base_url=home_assistant.url,
                timezone_id=time_zone,
                viewport={"width": width, "height": height},
            )
            await page.add_init_script(
                f"localStorage.hassTokens = {json.dumps(json.dumps(tokens))};"
            )
            yield page
        finally:
            await browser.close()
