"""Home Assistant's automation editor, and the form of a blueprint filled in by hand.

What is to be filled in comes from an automation as YAML; where it is found in
the form, by section and label, comes from the blueprint. Nothing is set that a
person could not click or type.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
import re
from typing import Any

from demonstration.filled_forms import load_blueprint
from playwright.async_api import Locator, Page, expect

from tests.e2e.dialogs import at_rest

PATIENCE = 60_000
"""Milliseconds in which an automation is saved, on a slow machine."""


@dataclass(frozen=True)
class Question:
    """A field of a form: where it is, and how it is answered."""

    section: str
    label: str
    kind: str
    options: dict[str, str]
    """What the form shows for each value that can be chosen."""
    multiple: bool
    default: Any


@dataclass(frozen=True)
class Blueprint:
    """The form as its file says."""

    name: str
    questions: dict[str, Question]


def read_blueprint(path: Path) -> Blueprint:
    """Read what a form asks."""
    content = load_blueprint(path)["blueprint"]
    questions: dict[str, Question] = {}
    for key, item in content["input"].items():
        inside = item.get("input")
        for name, field in (inside or {key: item}).items():
            ((kind, config),) = field["selector"].items()
            config = config or {}
            questions[name] = Question(
                section=item["name"] if inside else "",
                label=field["name"],
                kind=kind,
                options={
                    option["value"]: option["label"]
                    for option in config.get("options", ())
                },
                multiple=bool(config.get("multiple")),
                default=field.get("default"),
            )
    return Blueprint(content["name"], questions)


class BlueprintEditor:
    """The page on which an automation is made from a blueprint."""

    def __init__(self, page: Page, shown_as: Callable[[str], tuple[str, ...]]) -> None:
        """`shown_as` tells which words a picker shows for something of the plant."""
        self.page = page
        self._shown_as = shown_as

    async def open(self, blueprint: Blueprint) -> None:
        """Begin an automation with this form."""
        if "/config/automation/edit" in self.page.url:
            # As people go back: to load the whole page again takes seconds.
            await self.page.locator("ha-icon-button-arrow-prev").last.click()
        else:
            await self.page.goto("/config/automation/dashboard")
        await self.page.locator("ha-button", has_text="Create automation").first.click()
        await self.page.get_by_text(blueprint.name).first.click()

    async def fill(self, blueprint: Blueprint, inputs: dict[str, Any]) -> None:
        """Answer these questions, in the order of the form."""
        assert inputs.keys() <= blueprint.questions.keys()
        for key, question in blueprint.questions.items():
            if key in inputs:
                row = await self._row(question)
                await self._answer(row, question, inputs[key])

    async def save(self, name: str | None = None) -> None:
        """Save; a new automation is asked for its name."""
        await self.page.locator("ha-button, ha-fab", has_text="Save").last.click()
        if name is not None:
            dialog = self.page.locator("ha-dialog-automation-save")
            await dialog.locator("input").first.fill(name)
            await dialog.locator("ha-button", has_text="Save").last.click()
        saved = re.compile(r"/automation/edit/(?!new)\w+")
        await expect(self.page).to_have_url(saved, timeout=PATIENCE)

    async def _row(self, question: Question) -> Locator:
        """Find a field by section and label; unfold the section."""
        place = self.page.locator("blueprint-automation-editor")
        if question.section:
            panel = place.locator("ha-expansion-panel").filter(
                has=self.page.locator("[slot=header]").get_by_text(
                    question.section, exact=True
                )
            )
            await panel.scroll_into_view_if_needed()
            if not await panel.evaluate("panel => panel.expanded || panel.noCollapse"):
                await panel.locator("#summary").click()
            place = panel
        row = place.locator("ha-settings-row").filter(
            has=self.page.locator("[slot=heading]").get_by_text(
                question.label, exact=True
            )
        )
        await row.scroll_into_view_if_needed()
        return row

    async def _answer(self, row: Locator, question: Question, value: Any) -> None:
        match question.kind:
            case "config_entry":
                await self._pick(row, value)
            case "device" | "entity":
                for item in value if question.multiple else [value]:
                    await self._pick(row, *self._shown_as(item))
            case "select":
                await self._select(row, question, value)
            case "number":
                await row.locator("input").fill(f"{value:g}")
            case "text" if question.multiple:
                for number, item in enumerate(value):
                    await row.locator("input").nth(number).fill(str(item))
            case "text":
                await row.locator("input").fill(str(value))
            case "time":
                await self._time(row, time.fromisoformat(value))
            case "date":
                await self._date(row, date.fromisoformat(value))
            case "datetime":
                day, _, moment = value.partition(" ")
                await self._date(row, date.fromisoformat(day))
                await self._time(row, time.fromisoformat(moment))
            case "duration":
                for name, label in (
                    ("hours", "hh"),
                    ("minutes", "mm"),
                    ("seconds", "ss"),
                ):
                    await self._part(row, label).fill(str(value.get(name, 0)))
            case _:
                raise AssertionError(question.kind)
        await row.page.keyboard.press("Tab")

    async def _pick(self, row: Locator, *words: str) -> None:
        """Open the last picker of a field, search, and take what was found."""
        add = row.locator("ha-button", has_text="Add entity")
        if await add.count():
            await add.click()
        else:
            await row.locator("ha-generic-picker").last.click()
        offered = self.page.locator("ha-picker-combo-box")
        await offered.locator("input").fill(" ".join(words))
        found = offered.locator("ha-combo-box-item")
        await at_rest(found)
        for word in words:
            found = found.filter(has=self.page.get_by_text(word, exact=True))
        await found.first.click()
        await expect(offered).to_have_count(0)

    async def _select(self, row: Locator, question: Question, value: Any) -> None:
        if not question.multiple:
            radio = row.locator("ha-radio-option", has_text=question.options[value])
            if await radio.count():
                await radio.click()
            else:
                await row.locator("ha-select, ha-generic-picker").first.click()
                await (
                    self.page.locator("ha-dropdown-item, ha-combo-box-item")
                    .filter(has_text=question.options[value])
                    .first.click()
                )
            return
        boxes = row.locator("ha-checkbox")
        if await boxes.count():
            for key, label in question.options.items():
                if (key in value) != (key in question.default):
                    await row.get_by_text(label, exact=True).click()
            return
        for key in question.default:
            if key not in value:
                label = question.options[key]
                await (
                    row.locator("ha-input-chip", has_text=label)
                    .locator("button, [role=button]")
                    .last.click()
                )

    def _part(self, row: Locator, label: str) -> Locator:
        names = {"hh": 0, "mm": 1, "ss": 2}
        return row.locator("ha-base-time-input input").nth(names[label])

    async def _time(self, row: Locator, value: time) -> None:
        half = row.locator("ha-base-time-input ha-select")
        hour = value.hour
        if await half.count():
            await half.click()
            wanted = "AM" if hour < 12 else "PM"
            await half.locator("ha-dropdown-item", has_text=wanted).click()
            hour = hour % 12 or 12
        await self._part(row, "hh").fill(str(hour))
        await self._part(row, "mm").fill(f"{value.minute:02}")
        await self._part(row, "ss").fill(f"{value.second:02}")

    async def _date(self, row: Locator, value: date) -> None:
        await row.locator("ha-date-input").click()
        picker = self.page.locator("ha-dialog-date-picker")
        month = picker.locator(".month-year")
        for _ in range(24):
            if await month.inner_text() == f"{value:%B %Y}":
                break
            await picker.locator("ha-icon-button-next").click()
        # Days of the months beside it are there too, but hidden.
        day = picker.locator("calendar-month button").filter(
            has_text=re.compile(rf"^\s*{value.day}\s*$"), visible=True
        )
        await day.first.click()
        await picker.locator("ha-button", has_text="OK").click()
        await expect(picker).to_have_count(0)
