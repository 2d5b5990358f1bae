"""A site with all eight control types, run by the automations that it came with."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
import time
from typing import Any

from custom_components.chiller_plant.plant.roles import EquipmentType

from .control_chapters import ControlChapters
from .observer import Observer
from .stack import Stack
from .story import StepFailed, wait_until

_AUTOMATIONS = 19
_CHILDRENS_DAY = (5, 5)
_WORKS_NOT = frozenset({"refused", "fault", "error", None})
_COMPLAINTS = ("WARNING", "ERROR", "CRITICAL")
_NEWS = ("No plan yet",)
"""What the engine may say while Home Assistant starts."""
_HANDED_OVER_SECONDS = 20
_COMMON = {
    "pchp_1.speed_command": "kspo_loop_pchp",
    "schp_arena_1.run_command": "kspo_schp_arena",
}
_OWNERS: Mapping[bool, Mapping[str, str]] = {
    True: _COMMON
    | {"ct_1.speed_command": "kspo_towers", "cdp_1.speed_command": "kspo_towers"},
    False: _COMMON
    | {"ct_1.speed_command": "kspo_loop_ct", "cdp_1.speed_command": "kspo_loop_cdp"},
}
"""Who commands what, with smart CT in the plan and without."""
_ENABLE = "plant.enable_command"


def profile_of(day: date) -> str:
    """Return the profile that a person would say a day has at this site."""
    if (day.month, day.day) == _CHILDRENS_DAY or day.weekday() >= 5:
        return "Weekend"
    return "Monday" if day.weekday() == 0 else "Weekday"


@dataclass(slots=True)
class SiteChapters:
    """What must be seen of the site."""

    stack: Stack
    control: ControlChapters

    async def all_automations_are_in(self, observer: Observer) -> str:
        """See all registered, all that today's profile has at work, none refused."""
        registered = observer.installation.automations
        if len(registered) != _AUTOMATIONS:
            raise StepFailed(f"{len(registered)} of {_AUTOMATIONS} registered")

        async def all_report() -> list[dict[str, Any]] | None:
            automations = (await observer.plan())["automations"]
            reported = [item["reported"] for item in automations]
            return automations if all(reported) else None

        automations = await wait_until(all_report, 60, "every automation reports")
        idle = [
            f"{item['name']}: {item['reported']}"
            for item in automations
            if item["reported"]["state"] in _WORKS_NOT
        ]
        if idle:
            raise StepFailed("; ".join(idle))
        issues = [
            issue["issue_id"]
            for issue in await observer.issues()
            if issue["issue_id"].startswith("automation_")
        ]
        if issues:
            raise StepFailed(f"repair issues: {', '.join(issues)}")
        return (
            f"{len(registered)} automations, {len(automations)} of them in today's "
            "profile, none refused"
        )

    async def the_calendar_decides(self, observer: Observer) -> str:
        """See the profile that the day has, and just its automations in the plan."""
        installation = observer.installation
        wanted = profile_of(installation.today())
        plan = await observer.plan()
        if plan["profile"] != wanted:
            raise StepFailed(f"today is {plan['profile']}, not {wanted}")
        sequence = {f"kspo_sequence_{wanted.lower()}"}
        planned = {item["id"] for item in plan["automations"]}
        found = {item for item in planned if item.startswith("kspo_sequence")}
        if found != sequence:
            raise StepFailed(f"{wanted} has {found}")
        if ("kspo_towers" in planned) is (wanted == "Weekend"):
            raise StepFailed(f"smart CT is {'' if wanted == 'Weekend' else 'not '}in")
        return f"{installation.today():%A}: {wanted}, from the {plan['profile_source']}"

    async def starts_in_order_and_cools(self, observer: Observer) -> str:
        """Switch the plant off by hand, hand it back, and see it start in order."""
        await self.stack.simulator.tell("load 0.3")
        enable = observer.entity(_ENABLE)
        act = observer.socket.act
        await act("switch.turn_off", {"entity_id": enable})
        await self.control.wait_for_plant_off()
        await act("chiller_plant.release", {"entity_id": [enable]}, respond=True)
        return await self.control.starts_in_order_and_cools(observer)

    async def the_buildings_are_cool(self, observer: Observer) -> str:
        """See each building within a kelvin of its setpoint while it is in use."""
        zones = self.stack.plant.of_type(EquipmentType.ZONE)

        async def warm() -> dict[str, float]:
            found = {}
            for zone in zones:
                if not await observer.is_on(f"{zone.key}.occupied_command"):
                    continue
                temperature = await observer.number(f"{zone.key}.temperature")
                setpoint = await observer.number(f"{zone.key}.temperature_setpoint")
                if temperature is None or setpoint is None:
                    raise StepFailed(f"{zone.name} says nothing of its temperature")
                if temperature > setpoint + 1.0:
                    found[zone.name] = temperature
            return found

        async def cool() -> bool:
            return not await warm()

        await wait_until(cool, 90, "all buildings are cool", warm)
        return ", ".join(
            [
                f"{zone.name} {await observer.number(f'{zone.key}.temperature'):.1f} °C"
                for zone in zones
            ]
        )

    async def the_highest_priority_wins(self, observer: Observer) -> str:
        """See smart CT before the loops on weekdays, and the loops at weekends."""
        planned = {item["id"] for item in (await observer.plan())["automations"]}
        wanted = _OWNERS["kspo_towers" in planned]
        await self._wait_for_owners(observer, wanted)
        loop = await observer.automation_state("kspo_loop_ct")
        return f"fans by {wanted['ct_1.speed_command']}, CT loop {loop['state']}"

    async def _wait_for_owners(
        self, observer: Observer, wanted: Mapping[str, str]
    ) -> None:
        names = observer.installation.automations

        async def owned() -> bool:
            owners = await observer.owners(wanted)
            return all(owners[key] == names[who] for key, who in wanted.items())

        async def owners() -> dict[str, str | None]:
            return await observer.owners(wanted)

        await wait_until(owned, 60, "each point has its owner", owners)

    async def another_profile_takes_over(self, observer: Observer) -> str:
        """Choose another profile for today; see it take over without a stop."""
        weekend = (await observer.plan())["profile"] == "Weekend"
        other = "Weekday" if weekend else "Weekend"
        select = observer.entity("plant.profile")
        options = {"entity_id": select}
        begin = time.time()
        await observer.socket.act("select.select_option", options | {"option": other})
        await self._wait_for_owners(observer, _OWNERS[weekend])
        await asyncio.sleep(_HANDED_OVER_SECONDS)
        await observer.socket.act(
            "select.select_option", options | {"option": "by_calendar"}
        )
        await self._wait_for_owners(observer, _OWNERS[not weekend])
        stopped = [
            change.point
            for change in self.control.recorder.changes
            if change.at >= begin
            and change.value is False
            and change.point.startswith(("chiller_", "pchp_", "cdp_"))
        ]
        if stopped:
            raise StepFailed(f"stopped meanwhile: {', '.join(stopped)}")
        return f"{other} and back: other owners, no chiller and no pump of it stopped"

    async def nobody_complains(self, observer: Observer) -> str:
        """See no automation at fault, and no warning in the engine's log."""
        log = self.stack.app_daemon.log.read_text(encoding="utf-8", errors="replace")
        complaints = [
            line
            for line in log.splitlines()
            if any(f" {word} " in line for word in _COMPLAINTS)
            and not any(news in line for news in _NEWS)
        ]
        if complaints:
            raise StepFailed("; ".join(complaints[:3]))
        for item in (await observer.plan())["automations"]:
            if item["reported"]["state"] in _WORKS_NOT:
                raise StepFailed(f"{item['name']}: {item['reported']}")
        issues = [issue["issue_id"] for issue in await observer.issues()]
        if issues:
            raise StepFailed(f"repair issues: {', '.join(issues)}")
        return "no fault, no warning in the engine's log, no repair issue"
