"""The control engine of each of two plants sheds its share, on real wires."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
from pytest_homeassistant_custom_component.common import MockConfigEntry

from appdaemon.apps.chiller_control.control.demand_response.site import parse_site
from appdaemon.apps.chiller_control.house import CallFailed
from appdaemon.apps.chiller_control.load_shedding import LoadShedding
from appdaemon.apps.chiller_control.utilities import Utilities
from custom_components.chiller_plant.const import DOMAIN
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.portfolio import (
    LED,
    USUAL,
    House,
    annex_of,
    two_plants,
)
from tests.integration.demand_response.site import SITE, board, grid_event, told
from tests.integration.planning import call

STEP = 15.0
CIRCUITS = {"fountain": 15.0, "lights": 30.0}
LIT = SITE.replace(
    "    name: Lights\n    device: board\n",
    "    name: Lights\n    device: board\n    ratings: {{power: 30}}\n",
)
OPTIONS = {
    "kinds": {
        "circuit": {"least_on": 0.0},
        **{kind: {"use": False} for kind in ("zone", "chilled_water", "demand_limit")},
    },
    "shedding": {"release_interval": 30.0},
}


class Engine:
    """The engine's own rooms, in this Home Assistant."""

    def __init__(self, hass: HomeAssistant, entry: MockConfigEntry) -> None:
        self._hass = hass
        self.entry = entry
        self._shedding = LoadShedding(self)
        self._utilities = Utilities(self, now)
        self.log: list[str] = []

    async def cycle(self) -> None:
        """Do what the app does."""
        site = parse_site(json.loads(json.dumps(await told(self._hass, self.entry))))
        await self._utilities.take(site)
        self._shedding.take(site)
        desk = await self._utilities.look(now())
        news = await self._hass.async_add_executor_job(
            self._shedding.cycle, now(), desk
        )
        await self._utilities.tell(news)
        await self._hass.async_block_till_done()

    async def stop(self) -> None:
        await self._utilities.stop()

    async def keep_events(self, book: list[dict[str, Any]]) -> None:
        await self._keep("keep_events", book=json.dumps(book))

    async def keep_reports(self, connection: str, text: str) -> None:
        await self._keep("keep_reports", connection=connection, reports=text)

    async def kept_reports(self, connection: str) -> str:
        found = await call(self._hass, self.entry, "get_reports", connection=connection)
        assert found is not None
        return str(found["reports"])

    async def _keep(self, action: str, **data: str) -> None:
        await call(self._hass, self.entry, action, response=False, **data)

    def entity(self, entity_id: str) -> Mapping[str, Any] | None:
        state = self._hass.states.get(entity_id)
        return state and {"state": state.state, "attributes": dict(state.attributes)}

    def call(self, action: str, data: Mapping[str, Any]) -> None:
        calling = self._hass.services.async_call(
            DOMAIN, action, dict(data), blocking=True
        )
        try:
            asyncio.run_coroutine_threadsafe(calling, self._hass.loop).result(30.0)
        except HomeAssistantError as error:
            raise CallFailed(str(error)) from error

    def tell(self, message: str) -> None:
        self.log.append(message)


def now() -> float:
    return dt_util.utcnow().timestamp()


def load(house: House, entry: MockConfigEntry) -> float:
    """Return what a plant takes, by what lies on its wires."""
    commands = house.boards[entry.entry_id].server.commands()
    return USUAL - sum(
        kw for name, kw in CIRCUITS.items() if not commands[f"{name}.run_command"]
    )


async def run(house: House, engines: list[Engine], seconds: float) -> None:
    for _ in range(int(seconds / STEP)):
        house.clock.tick(timedelta(seconds=STEP))
        for engine in engines:
            await house.show(engine.entry, load(house, engine.entry))
            await engine.cycle()


async def test_two_engines_shed_together_what_one_utility_asks_for(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, socket_enabled: None
) -> None:
    async with (
        board(LIT) as machines,
        two_plants(hass, clock, machines, annex_of(LIT), **OPTIONS) as house,
    ):
        lead, annex = house.lead, house.annex
        event = grid_event(
            dt_util.utcnow() + timedelta(minutes=3),
            dt_util.utcnow() + timedelta(minutes=33),
            received=now(),
            recovery=0.0,
            signals=[
                {
                    "kind": "load_delta",
                    "intervals": [{"duration": 1800.0, "value": -60.0}],
                }
            ],
        )
        await house.book(event)
        engines = [Engine(hass, lead), Engine(hass, annex)]
        try:
            await run(house, engines, 120.0)
            assert load(house, lead) == load(house, annex) == USUAL
            await run(house, engines, 360.0)
            # Each has 45 kW; together they are asked for 60.
            assert load(house, lead) == load(house, annex) == USUAL - 30.0
            assert load(house, lead) + load(house, annex) == 2 * USUAL - 60.0

            await call(hass, annex, "opt_event", event=LED, opt="out", reason="a party")
            await run(house, engines, 300.0)
            assert load(house, annex) == USUAL
            assert load(house, lead) == USUAL - 45.0

            await run(house, engines, 1500.0)
            assert load(house, lead) == load(house, annex) == USUAL
        finally:
            for engine in engines:
                await engine.stop()
        assert not [line for line in engines[1].log if "failed" in line]
