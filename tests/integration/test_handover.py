"""Another profile in operation: what both of them run is never let go between them.

The way is the real one, from the calendar's choice to the wire: plan, engine,
command, arbiter, interlocks, driver, device.
"""

import asyncio
from collections.abc import Mapping
from threading import Event
from time import time
from typing import Any
from zoneinfo import ZoneInfo

from pytest_homeassistant_custom_component.common import MockConfigEntry

from appdaemon.apps.chiller_control.control.custom_schedule import CustomSchedule
from appdaemon.apps.chiller_control.control.plan import parse_plan
from appdaemon.apps.chiller_control.engine import Engine
from appdaemon.apps.chiller_control.house import CallFailed
from custom_components.chiller_plant.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.integration.planning import automate, call, entity, plain, point, registered
from tests.integration.served_plant import ServedPlant, set_up
from tests.waiting import PATIENCE, eventually

ALL_DAY = {
    "repeat": "weekly",
    "begin_time": "00:00:00",
    "end_time": "00:00:00",
    "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
}


class EngineBeside:
    """The control engine beside Home Assistant, as AppDaemon has it."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        self._hass = hass
        self._entry = entry
        self._stopped = Event()
        self.released: list[str] = []

    def entity(self, entity_id: str) -> Mapping[str, Any] | None:
        state = self._hass.states.get(entity_id)
        return state and {"state": state.state, "attributes": state.attributes}

    def call(self, action: str, data: Mapping[str, Any]) -> None:
        if action == "release":
            self.released.append(data["source"])
        self._ask(action, data)

    def tell(self, message: str) -> None:
        raise AssertionError(message)

    def _ask(self, action: str, data: Mapping[str, Any], **how: Any) -> Any:
        asked = asyncio.run_coroutine_threadsafe(
            self._hass.services.async_call(
                DOMAIN, action, dict(data), blocking=True, **how
            ),
            self._hass.loop,
        )
        try:
            return asked.result(PATIENCE)
        except HomeAssistantError as error:
            raise CallFailed(str(error)) from error

    def run(self) -> None:
        """Plan and cycle until it is stopped."""
        engine = Engine("custom_schedule", CustomSchedule, self, ZoneInfo("UTC"))
        while not self._stopped.wait(0.5):
            plan = self._ask(
                "get_plan", {"plant": self._entry.entry_id}, return_response=True
            )
            engine.take_plan(parse_plan(plan))
            engine.cycle(time())

    def stop(self) -> None:
        self._stopped.set()


async def test_pump_that_both_profiles_run_never_stops_between_them(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)

    def schedule(name: str, key: str, value: str) -> dict[str, Any]:
        return plain(
            name,
            entry,
            control_type="custom_schedule",
            metadata={"point": point(hass, entry, key)},
            config=ALL_DAY | {"value": value},
        )

    await automate(
        hass,
        schedule("open", "pchp_1.run_command", "on"),
        schedule("closed", "pchp_1.run_command", "on"),
        schedule("only_open", "schp_2.speed_command", "60"),
    )
    await registered(hass, entry, "open", "closed", "only_open")
    for profile, automations in (
        ("Weekday", ("open", "only_open")),
        ("Holiday", ("closed",)),
    ):
        rows = [{"automation": name, "priority": 100} for name in automations]
        await call(hass, entry, "save_profile", name=profile, automations=rows)

    async def choose(profile: str) -> None:
        await hass.services.async_call(
            "select",
            "select_option",
            {"entity_id": entity(hass, "select", "profile"), "option": profile},
            blocking=True,
        )

    desk = entry.runtime_data.coordinator.desk
    stopped: list[float] = []
    owners: set[str | None] = set()

    async def watch() -> None:
        while True:
            if not served.commanded("pchp_1.run_command"):
                stopped.append(time())
            # An interlock might keep it running although nobody wants it to.
            owners.add(desk.status("pchp_1.run_command").owner)
            await asyncio.sleep(0.005)

    await choose("Weekday")
    beside = EngineBeside(hass, entry)
    running = hass.loop.run_in_executor(None, beside.run)
    try:
        await eventually(lambda: served.commanded("pchp_1.run_command"))
        await eventually(lambda: served.commanded("schp_2.speed_command") == 60)
        await eventually(
            lambda: desk.status("pchp_1.run_command").owner == "automation.open"
        )
        watching = asyncio.create_task(watch())

        await choose("Holiday")
        await eventually(lambda: "automation.only_open" in beside.released, timeout=60)
        await eventually(lambda: served.commanded("schp_2.speed_command") == 80)
        assert desk.status("pchp_1.run_command").owner == "automation.closed"

        # And an edit of today hands over as well as another profile.
        await call(
            hass,
            entry,
            "edit_today",
            automations=[
                {"automation": "closed", "runs": False},
                {"automation": "open"},
            ],
        )
        await eventually(lambda: "automation.closed" in beside.released, timeout=60)
        assert desk.status("pchp_1.run_command").owner == "automation.open"
        watching.cancel()
        assert not stopped
        assert owners == {"automation.open", "automation.closed"}
    finally:
        beside.stop()
        await running
