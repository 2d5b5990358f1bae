"""What an energy manager does at the browser: connects utilities, decides, answers events.

Everything is clicked and typed, as docs/demand-response.md tells it.
"""

from collections.abc import Mapping
from typing import Any

from demonstration.stack import EXAMPLE
from playwright.async_api import Locator, Page, expect
import yaml

from tests.e2e.dialogs import Dialog

_INTEGRATION = "/config/integrations/integration/chiller_plant"
_DASHBOARD = "energy-manager"


class EnergyManager:
    """One person, and the plant that this one looks after."""

    def __init__(self, page: Page, plant: str) -> None:
        """Sit down."""
        self.page = page
        self.plant = plant
        self.dialog = Dialog(page)

    async def open_connection_form(self, protocol: str) -> None:
        """Choose what the server of a utility speaks."""
        await self.page.goto(_INTEGRATION)
        await self.page.locator("ha-button", has_text="Connect a utility").first.click()
        await self.dialog.shows("What does its server speak?")
        await self.dialog.choose(protocol)
        await self.dialog.shows("VEN name")

    async def fill_in(self, answers: Mapping[str, str | float]) -> None:
        """Fill in fields by their labels, as the form shows them."""
        for label, answer in answers.items():
            kind = "text" if isinstance(answer, str) else "number"
            field = self.dialog.flow.locator(f"ha-selector-{kind}").filter(
                has=self.page.locator(f"[label='{label}'], [label='{label}*']")
            )
            if not await field.count():
                field = self.dialog.field(kind, label)
            shown = f"{answer:g}" if isinstance(answer, float) else answer
            await field.locator("input").first.fill(shown)

    async def is_refused(self, *reasons: str) -> None:
        """Submit, and read what is wrong with the form."""
        await self.dialog.submit()
        await self.dialog.shows(*reasons)

    async def connects(self, name: str) -> None:
        """Submit, and see the connection made."""
        await self.dialog.submit()
        await self.dialog.shows(f"Created configuration for {name}")
        await self.page.locator("ha-button", has_text="Finish").click()
        await expect(
            self.page.locator("ha-config-sub-entry-row", has_text=name)
        ).to_be_visible()

    async def sees_connected(self, name: str) -> None:
        """Open the device of a connection, and read that it stands."""
        row = self.page.locator("ha-config-sub-entry-row", has_text=name)
        await row.locator("ha-config-entry-device-row").click()
        await expect(
            self.page.get_by_text("Connected", exact=True).first
        ).to_be_visible()

    async def decide(self, page: str) -> None:
        """Open a page of what is decided about demand response."""
        await self.page.goto(_INTEGRATION)
        row = self.page.locator("ha-config-entry-row", has_text=self.plant).first
        await row.get_by_label("Configure").first.click()
        await self.dialog.choose("Demand response")
        await self.dialog.choose(page)

    async def is_decided(self) -> None:
        """Submit, and read that it holds."""
        await self.dialog.submit()
        await self.dialog.shows("It is decided")
        await self.page.keyboard.press("Escape")

    async def make_page(self, socket: Any, entities: Mapping[str, str]) -> None:
        """Paste the example's page into a dashboard; entities are named otherwise here."""
        text = (EXAMPLE / "event.yaml").read_text()
        for theirs, ours in entities.items():
            text = text.replace(theirs, ours)
        view = yaml.safe_load(text)
        for section in view["sections"]:
            section["cards"] = [
                card for card in section["cards"] if card.get("title") != "Comfort"
            ]
        view["badges"] = view["badges"][:1]
        await socket.call(
            "lovelace/dashboards/create",
            url_path=_DASHBOARD,
            title="Energy",
            mode="storage",
        )
        await socket.call(
            "lovelace/config/save", url_path=_DASHBOARD, config={"views": [view]}
        )

    async def opens_page(self) -> None:
        """Look at the page."""
        await self.page.goto(f"/{_DASHBOARD}/event")
        await expect(self._button("Take part in events")).to_be_visible()

    async def presses(self, name: str) -> None:
        """Press a button of the page, and confirm."""
        await self._button(name).click()
        await self.page.get_by_role("button", name="OK").click()

    async def reads(self, text: str) -> None:
        """See a text on the page."""
        await expect(
            self.page.get_by_text(text).filter(visible=True).first
        ).to_be_visible()

    async def deletes_in_calendar(self, event: str, opted_out: str) -> None:
        """Open an event in Home Assistant's calendar and delete it."""
        await self.page.goto("/calendar")
        # A day of a month shows the beginning of a name.
        await self.page.get_by_text(event).first.click()
        detail = self.page.locator("dialog-calendar-event-detail")
        await detail.locator("ha-button", has_text="Delete event").click()
        await self.page.get_by_role("button", name="Delete", exact=True).last.click()
        await self.reads(opted_out)

    def _button(self, name: str) -> Locator:
        return self.page.locator("hui-tile-card", has_text=name)
