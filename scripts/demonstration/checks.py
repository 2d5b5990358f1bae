"""The chapters of a story, told one after the other.

A chapter that fails does not hide the ones after it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
import contextlib
from pathlib import Path
import time

import aiohttp

from .control_chapters import SPEED_POINT, ControlChapters
from .event_day import EventDay
from .event_story import KILOWATTS, LEVEL, EventChapters
from .failure_chapters import FailureChapters
from .home_assistant import HomeAssistantError
from .large_plant_chapters import LargePlantChapters
from .meter_watch import MeterWatch
from .observer import Observer
from .performance_table import performance_table
from .process import ProcessError
from .site_chapters import SiteChapters
from .stack import REPOSITORY, Stack
from .story import Finding, StepFailed
from .utility import OPENADR_2, OPENADR_3, Utility
from .wire import Wire, WireRecorder

_FAILURES = (
    StepFailed,
    HomeAssistantError,
    ProcessError,
    TimeoutError,
    aiohttp.ClientError,
)


type _Chapter = tuple[str, Callable[[Observer], Awaitable[str]]]


def _story(stack: Stack, wire: Wire, recorder: WireRecorder) -> tuple[_Chapter, ...]:
    control = ControlChapters(stack, wire, recorder)
    failure = FailureChapters(stack, wire, recorder)
    return (
        ("1 everything is there", control.everything_is_there),
        ("2 the calendar decides", control.the_calendar_decides),
        ("3a starts in order, cools", control.starts_in_order_and_cools),
        ("3b second chiller added", control.second_chiller_is_added),
        ("4 pressure is held", control.pressure_is_held),
        ("3c second chiller removed", control.second_chiller_is_removed),
        ("5 operator wins, hands back", control.operator_wins_and_hands_back),
        ("6 AppDaemon killed", failure.app_daemon_is_killed),
        ("7 Home Assistant killed", failure.home_assistant_is_killed),
        ("8 devices lost and found", failure.devices_are_lost_and_found),
        ("+ no interlock violated", control.no_interlock_was_violated),
    )


async def _tell(
    stack: Stack, chapters: Sequence[_Chapter], report: Callable[[Finding], None]
) -> bool:
    """Tell a whole story; return whether all of it happened."""
    passed = True
    for name, chapter in chapters:
        begin = time.monotonic()
        try:
            async with stack.home_assistant.connect() as socket:
                observer = await Observer.begin(socket, stack.installation)
                seen, happened = await chapter(observer), True
        except _FAILURES as error:
            seen, happened = str(error) or type(error).__name__, False
        report(Finding(name, seen, time.monotonic() - begin, happened))
        passed = passed and happened
    return passed


def _recorded(stack: Stack) -> list[str]:
    """Return the points by which starts, stops and flow are seen."""
    return [
        point.key
        for point in stack.plant.points.values()
        if point.address
        and point.role.name
        in (
            "run_command",
            "run_status",
            "open_status",
            "chilled_water_flow_status",
            "condenser_water_flow_status",
        )
    ]


async def run_checks(stack: Stack, report: Callable[[Finding], None]) -> bool:
    """Watch the wire and tell the story of a running stack."""
    async with (
        Wire(stack.plant) as wire,
        WireRecorder(wire, [*_recorded(stack), SPEED_POINT]) as recorder,
    ):
        return await _tell(stack, _story(stack, wire, recorder), report)


async def run_site_checks(stack: Stack, report: Callable[[Finding], None]) -> bool:
    """See a site with all control types run by its own automations."""
    async with (
        Wire(stack.plant) as wire,
        WireRecorder(wire, _recorded(stack)) as recorder,
    ):
        control = ControlChapters(stack, wire, recorder)
        site = SiteChapters(stack, control)
        return await _tell(
            stack,
            (
                ("1 everything is there", control.everything_is_there),
                ("2 all automations are in", site.all_automations_are_in),
                ("3 the calendar decides", site.the_calendar_decides),
                ("4 starts in order, cools", site.starts_in_order_and_cools),
                ("5 second chiller added", control.second_chiller_is_added),
                ("6 the buildings are cool", site.the_buildings_are_cool),
                ("7 the highest priority wins", site.the_highest_priority_wins),
                ("8 another profile takes over", site.another_profile_takes_over),
                ("9 nobody complains", site.nobody_complains),
                ("+ no interlock violated", control.no_interlock_was_violated),
            ),
            report,
        )


async def run_event(
    stack: Stack, report: Callable[[Finding], None], picture: Path | None = None
) -> bool:
    """Play an event of each of two utilities; end with what came of them.

    `picture` is where a picture of the last event goes, if one is wanted.
    """
    utilities = [
        Utility(REPOSITORY, stack.folder / f"{log}.log", dialect, name)
        for name, dialect, log in (
            ("Utility", OPENADR_2, "utility"),
            ("Aggregator", OPENADR_3, "aggregator"),
        )
    ]
    async with (
        contextlib.AsyncExitStack() as servers,
        Wire(stack.plant) as wire,
        WireRecorder(wire, _recorded(stack)) as recorder,
    ):
        for utility in utilities:
            servers.push_async_callback(utility.stop)
            await utility.start()
        watch = MeterWatch(stack, wire)
        watching = asyncio.create_task(watch.run())
        try:
            return await _tell_events(
                stack, utilities, watch, recorder, report, picture
            )
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching


async def _tell_events(
    stack: Stack,
    utilities: Sequence[Utility],
    watch: MeterWatch,
    recorder: WireRecorder,
    report: Callable[[Finding], None],
    picture: Path | None,
) -> bool:
    control = ControlChapters(stack, watch.wire, recorder)
    day = EventDay(stack, watch, utilities)
    first, second = (
        EventChapters(watch, utility, asked)
        for utility, asked in zip(utilities, (LEVEL, KILOWATTS), strict=True)
    )
    second.picture = picture
    shown = (("+ a picture is taken", second.is_shown),) if picture else ()
    passed = await _tell(
        stack,
        (
            ("1 everything is there", control.everything_is_there),
            ("2 two utilities know it", day.utilities_know_the_plant),
            ("3 the hours adapt", day.hours_adapt),
            ("4 the plant cools", day.the_plant_cools),
            ("5 a steady load", day.the_load_is_steady),
            ("6 an event is announced", first.is_announced),
            ("7 another is announced", second.is_announced),
            ("8 the load falls", first.the_load_falls),
            ("9 held, in comfort", first.is_held_in_comfort),
            ("10 comes back slowly", first.the_load_comes_back_slowly),
            ("11 reported", first.is_reported),
            ("12 settled", first.is_settled),
            ("13 a person decides", day.a_person_decides),
            ("14 the load falls again", second.the_load_falls),
            *shown,
            ("15 held, in comfort", second.is_held_in_comfort),
            ("16 comes back slowly", second.the_load_comes_back_slowly),
            ("17 reported", second.is_reported),
            ("18 settled", second.is_settled),
            ("+ no interlock violated", control.no_interlock_was_violated),
        ),
        report,
    )
    if settled := [story.settled for story in (first, second) if story.settled]:
        stack.say(f"\nWhat came of it:\n{performance_table(settled)}")
    return passed


async def run_large_plant_checks(
    stack: Stack, report: Callable[[Finding], None]
) -> bool:
    """See whether a running stack with many points is still good to use."""
    async with Wire(stack.plant) as wire:
        large = LargePlantChapters(stack, wire)
        return await _tell(
            stack,
            (
                ("1 every point is live", large.every_point_is_live),
                ("2 it answers at once", large.it_answers_at_once),
                ("3 the last zone obeys", large.the_last_zone_obeys),
                ("4 a floor lost and found", large.a_floor_is_lost_and_found),
            ),
            report,
        )
