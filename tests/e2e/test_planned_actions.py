"""What is planned, changed by a person in the calendar of a real Home Assistant."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from demonstration.browser import signed_in
from demonstration.home_assistant import WebSocket
from demonstration.installation import HOLIDAY
from demonstration.observer import Observer
from demonstration.stack import Stack
from demonstration.story import wait_until
from playwright.async_api import Page, expect

WAIT = 30_000
ENABLE = "plant.enable_command"


class Day:
    """A day on which the plant is to start in two hours, and for extra hours soon."""

    def __init__(self, stack: Stack, socket: WebSocket, observer: Observer) -> None:
        """`prepare` makes it so."""
        self.stack = stack
        self.socket = socket
        self.observer = observer
        self.zone = ZoneInfo(stack.time_zone)
        self.extra = self.now
        """When the extra hours begin, once they are there."""

    @property
    def now(self) -> datetime:
        return datetime.now(self.zone)

    async def act(self, action: str, **data: Any) -> Any:
        return await self.socket.act(
            f"chiller_plant.{action}",
            {"plant": self.stack.installation.entry_id, **data},
            respond=True,
        )

    async def make(self, name: str, blueprint: str, **form: Any) -> None:
        await self.stack.home_assistant.rest(
            "post",
            f"config/automation/config/{name}",
            {
                "alias": name.capitalize(),
                "use_blueprint": {
                    "path": f"chiller_plant/{blueprint}.yaml",
                    "input": {"plant": self.stack.installation.entry_id, **form},
                },
            },
        )

    async def prepare(self) -> None:
        start = self.now + timedelta(hours=2)
        await self.make(
            "hours",
            "chiller_plant_schedule",
            operation="between_times",
            start_time=f"{start:%H:%M:00}",
            stop_time=f"{start + timedelta(hours=1):%H:%M:00}",
        )
        await self.register("hours")
        ranked = {"hours": 1, "staging": 1, "pressure": 2}
        await self.give_profile(**ranked)
        await self.see_planned(2)

    async def have_extra_hours(self, seconds: float) -> None:
        """Let somebody have asked for extra hours in a while."""
        self.extra = self.now + timedelta(seconds=seconds)
        await self.make(
            "extra",
            "custom_schedule",
            point=self.observer.entity(ENABLE),
            value="on",
            repeat="once",
            begin=f"{self.extra:%Y-%m-%d %H:%M:%S}",
            end=f"{self.extra + timedelta(hours=1):%Y-%m-%d %H:%M:%S}",
        )
        await self.register("extra")
        await self.give_profile(hours=1, extra=100, staging=1, pressure=2)
        await self.see_planned(4)

    async def register(self, name: str) -> None:
        async def registered() -> bool:
            plan = await self.observer.plan()
            known = {item["id"] for item in (*plan["automations"], *plan["idle"])}
            return name in known

        await wait_until(registered, 30, f"{name} registers")

    async def give_profile(self, **ranked: int) -> None:
        await self.act(
            "save_profile",
            name=HOLIDAY,
            automations=[
                {"automation": name, "priority": rank} for name, rank in ranked.items()
            ],
        )

    async def see_planned(self, count: int) -> None:
        async def told() -> bool:
            return len(await self.planned()) == count

        await wait_until(told, 30, "the engine tells what it plans", self.planned)

    async def planned(self) -> list[dict[str, Any]]:
        """Return what is planned today."""
        today = self.now.date().isoformat()
        return [
            item
            for item in (await self.act("get_planned_actions"))["actions"]
            if item["time"].startswith(today)
        ]

    async def actions(self, *types: str) -> list[dict[str, Any]]:
        """Return what was done, the oldest first."""
        found: list[dict[str, Any]] = (await self.act("get_actions", type=list(types)))[
            "actions"
        ]
        return found[::-1]


def test_a_moved_entry_moves_the_start_and_a_deleted_one_does_not_happen(
    tmp_path: Path,
) -> None:
    asyncio.run(story(tmp_path))


async def story(folder: Path) -> None:
    expect.set_options(timeout=WAIT)
    async with (
        Stack(folder / "stack") as stack,
        stack.home_assistant.connect() as socket,
    ):
        day = Day(stack, socket, await Observer.begin(socket, stack.installation))
        await day.prepare()
        async with signed_in(stack.home_assistant, stack.time_zone) as page:
            page.set_default_timeout(WAIT)
            await page.goto("/calendar")
            await expect(page.get_by_text("Plant: start").first).to_be_visible()
            await day.have_extra_hours(75)
            await delete(page, "Plant: window begins")
            assert day.now < day.extra, "too slow to cancel it"
            moved = await move(page, "Plant: start", day)
            await page.screenshot(path=str(folder / "moved.png"))
        await see(day, moved)


async def delete(page: Page, title: str) -> None:
    """Delete an entry as a person does."""
    await page.get_by_text(title).first.click()
    detail = page.locator("dialog-calendar-event-detail")
    await detail.locator("ha-button", has_text="Delete event").click()
    sure = page.locator("confirm-event-dialog-box")
    await sure.locator("ha-button", has_text="Delete").last.click()
    await expect(page.get_by_text(title)).to_have_count(0)


async def move(page: Page, title: str, day: Day) -> datetime:
    """Give an entry another time as a person does; return it."""
    await page.get_by_text(title).first.click()
    detail = page.locator("dialog-calendar-event-detail")
    await detail.locator("ha-button", has_text="Edit event").click()
    editor = page.locator("dialog-calendar-event-editor")
    start = editor.locator("ha-time-input").first
    # Later than the extra hours would have begun, so that both are seen.
    wanted = max(day.now, day.extra) + timedelta(seconds=70)
    wanted = wanted.replace(second=0, microsecond=0)
    await start.locator("input").nth(0).fill(f"{wanted:%I}")
    await start.locator("input").nth(1).fill(f"{wanted:%M}")
    half = start.locator("ha-select")
    if f"{wanted:%p}" not in (await half.inner_text()):
        await half.click()
        await half.locator("ha-dropdown-item", has_text=f"{wanted:%p}").click()
    await start.locator("input").nth(1).press("Tab")
    await editor.locator("ha-button", has_text="Save event").click()
    await expect(editor.locator("ha-button", has_text="Save event")).to_have_count(0)
    return wanted


async def see(day: Day, moved: datetime) -> None:
    """See that the plant starts when it was moved to, and not before."""
    shown = {item["kind"]: item for item in await day.planned()}
    assert shown["window_begin"]["cancelled"]
    assert shown["start"]["time"] == moved.isoformat(timespec="seconds")
    assert shown["start"]["changed_by"] == "Plant operator"
    while day.now < moved - timedelta(seconds=3):
        assert not await day.observer.is_on(ENABLE), f"on at {day.now:%H:%M:%S}"
        await asyncio.sleep(1)
    assert day.now > day.extra

    async def on() -> bool:
        return await day.observer.is_on(ENABLE)

    await wait_until(on, 20, "the plant is enabled at the time that was chosen")

    async def pump_runs() -> bool:
        return await day.observer.is_on("pchp_1.run_status") or (
            await day.observer.is_on("pchp_2.run_status")
        )

    await wait_until(pump_runs, 60, "a pump runs")
    cancelled, rescheduled, started = await day.actions(
        "action_cancelled", "action_rescheduled", "plant_on"
    )
    for item in (cancelled, rescheduled):
        assert item["source"] == "Plant operator"
        assert item["result"] == "done"
        assert item["equipment"] == "plant"
    assert started["reason"].endswith("(changed by Plant operator)")
    assert (started["from"], started["to"]) == (False, True)
    assert not await day.actions("window_began")
