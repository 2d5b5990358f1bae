"""Home Assistant's dialogs as a person fills them in."""

from contextlib import suppress
import re

from playwright.async_api import FilePayload, Locator, Page, expect

_BROKEN = re.compile(r"\{\w+\}|component\.|Translation \[|MISSING_VALUE")
_REST = 500.0
"""Milliseconds in which a list that has been searched does not change."""
_TRIES = 3
"""Times that something is chosen from a list that moves under the mouse."""
_PATIENCE = 60_000
"""Milliseconds in which devices are asked and a plant is set up."""


async def at_rest(items: Locator) -> None:
    """Wait until a list that is being searched does not change any more.

    It is drawn anew some time after the typing, and what was under the mouse may
    be something else by then.
    """
    seen: list[str] | None = None
    while (now := await items.all_inner_texts()) != seen or not now:
        seen = now
        await items.page.wait_for_timeout(_REST)


class Dialog:
    """The dialog of a config flow or an options flow."""

    def __init__(self, page: Page) -> None:
        """Take the page that it is on."""
        self.page = page
        self.flow = page.locator("dialog-data-entry-flow")

    async def shows(self, *texts: str) -> None:
        """Wait until it shows these, and see that all of it can be read."""
        for text in texts:
            await expect(self.flow).to_contain_text(text, timeout=_PATIENCE)
        await expect(self.flow).not_to_contain_text(_BROKEN)
        wide = await self.flow.locator("ha-markdown, ha-form").evaluate_all(
            "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).length"
        )
        assert wide == 0

    async def choose(self, option: str) -> None:
        """Choose from a menu."""
        await self.flow.get_by_text(option, exact=True).click()

    async def submit(self) -> None:
        """Submit a form."""
        await self.flow.locator("ha-button", has_text="Submit").click()

    def field(self, kind: str, label: str) -> Locator:
        """Return the field of a kind of selector that has this label or help."""
        return self.flow.locator(f"ha-selector-{kind}", has_text=label)

    async def fill(self, kind: str, label: str, value: str) -> None:
        """Type into a field for text or a number."""
        await self.field(kind, label).locator("input").first.fill(value)

    async def add(self, label: str, *values: str) -> None:
        """Type some texts into a field that takes several."""
        field = self.field("text", label).locator("ha-input-multi")
        for number, value in enumerate(values):
            await field.locator("ha-button", has_text="Add").click()
            await field.locator("input").nth(number).fill(value)

    async def search(
        self, label: str, text: str, wanted: str | re.Pattern[str]
    ) -> None:
        """Search in a field that offers many, and choose what was found."""
        field = self.field("select", label).locator("ha-generic-picker")
        for _ in range(_TRIES):
            await field.click()
            offered = field.locator("ha-picker-combo-box")
            await offered.locator("input").fill(text)
            items = offered.locator("ha-combo-box-item")
            await at_rest(items)
            await items.filter(has_text=wanted).first.click()
            # What is typed before the form has taken it would be forgotten.
            await expect(offered).to_have_count(0)
            with suppress(AssertionError):
                await expect(field).to_contain_text(wanted)
                return
        await expect(field).to_contain_text(wanted)

    async def tick(self, number: int, *labels: str) -> None:
        """Change the ticks of these in one of several lists."""
        field = self.flow.locator("ha-selector-select").nth(number)
        for label in labels:
            await field.get_by_text(label).click()

    async def switch(self, label: str) -> None:
        """Flip a switch."""
        await self.field("boolean", label).locator("ha-switch").click()

    async def upload(self, name: str, content: bytes) -> None:
        """Choose a file from the computer of the person."""
        file: FilePayload = {
            "name": name,
            "mimeType": "text/csv",
            "buffer": content,
        }
        await self.flow.locator("ha-selector-file input[type=file]").set_input_files(
            file
        )
        await expect(self.flow.locator("ha-selector-file")).to_contain_text(name)
