"""Two plants of one Home Assistant, and the words of the engine of each."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
import json
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.metering import settled_down
from tests.integration.demand_response.site import (
    GRID,
    SITE,
    Board,
    board,
    grid_event,
    report,
    set_up_site,
    told,
    utility,
)
from tests.integration.planning import call
from tests.waiting import eventually


def annex_of(site: str) -> str:
    """Return the same site once more, elsewhere."""
    return (
        site.replace("key: two_chillers", "key: annex")
        .replace("name: Two chillers", "name: Annex")
        .replace("127.0.0.41", "127.0.0.42")
    )


ANNEX = annex_of(SITE)
LED = "Portfolio of Two chillers:Grid:e1"
"""What the annex knows the event of the utility by."""
USUAL = 300.0


@dataclass
class House:
    """A Home Assistant with two plants, of which the first one has a utility."""

    hass: HomeAssistant
    clock: FrozenDateTimeFactory
    lead: MockConfigEntry
    annex: MockConfigEntry
    boards: dict[str, Board]
    available: dict[str, float] = field(default_factory=dict)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    ranks: dict[str, int] = field(default_factory=dict)
    """Of events by the utility's id, where that is not 1."""

    async def book(self, *events: dict[str, Any]) -> None:
        """Let the engine of the first plant know of events, on disk first."""
        rows = [
            {
                "event": {
                    "id": event["id"],
                    "source": event["source"],
                    "modification": 0,
                    "rank": self.ranks.get(event["id"], 1),
                    "start": event["begins"],
                    "duration": event["ends"] - event["begins"],
                    "signals": event["signals"],
                    "created": event["received"],
                    "ramp": 0.0,
                },
                "received": event["received"],
                "opt": "in",
                "why": "by default",
                "cancelled": None,
            }
            for event in events
        ]
        await call(
            self.hass, self.lead, "keep_events", response=False, book=json.dumps(rows)
        )
        self.events[self.lead.entry_id] = list(events)
        await self.tell(self.lead)

    async def tell(self, entry: MockConfigEntry, **fields: Any) -> None:
        """Let the engine of a plant tell how it stands."""
        await report(
            self.hass,
            entry,
            available_kw=self.available.get(entry.entry_id, 0.0),
            events=self.events.get(entry.entry_id, []),
            **fields,
        )

    async def given(self) -> dict[str, Any]:
        """Let the engine of the annex take what it is given, and tell of it."""
        (event,) = (await told(self.hass, self.annex))["portfolio"]["events"]
        known = {
            "key": f"{event['source']}:{event['id']}",
            "id": event["id"],
            "source": event["source"],
            "begins": event["start"],
            "ends": event["start"] + event["duration"],
            "recovery": event["recovery"],
            "received": dt_util.utcnow().timestamp(),
            "signals": event["signals"],
        }
        self.events[self.annex.entry_id] = [known]
        await self.tell(self.annex)
        return known

    async def show(self, entry: MockConfigEntry, load: float) -> None:
        """Let the meter of a plant show a load, and Home Assistant read it."""
        self.boards[entry.entry_id].show({"plant_meter.power": load})
        data = entry.runtime_data
        reading = data.coordinator.reading
        data.coordinator.poller.again([data.plant.points["plant_meter.power"]])
        await data.coordinator.async_refresh()
        await eventually(
            lambda: reading("plant_meter.power").good == pytest.approx(load, abs=0.05)
        )

    async def after(
        self, seconds: float, lead: float = USUAL, annex: float | None = USUAL
    ) -> None:
        """Let time pass; the annex is not heard of where its load is None."""
        self.clock.tick(timedelta(seconds=seconds))
        await self.show(self.lead, lead)
        if annex is not None:
            await self.show(self.annex, annex)
            await self.tell(self.annex)
        await self.tell(self.lead)

    async def shares(self) -> tuple[float | None, float | None]:
        """Return what the engines are told to shed now."""
        now = dt_util.utcnow().timestamp()
        found = []
        for entry, key in ((self.lead, "Grid:e1"), (self.annex, LED)):
            part = (await told(self.hass, entry))["portfolio"]
            share = part["shares"].get(key) if part else None
            valid = share is not None and share["since"] <= now < share["until"]
            found.append(share["kw"] if share is not None and valid else None)
        return found[0], found[1]


@asynccontextmanager
async def two_plants(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    annex_site: str = ANNEX,
    **options: Any,
) -> AsyncIterator[House]:
    """Set both up; the first one leads."""
    async with board(annex_site) as other:
        annex = await set_up_site(hass, other, options=options or None)
        lead = await set_up_site(
            hass,
            machines,
            utility("Grid", GRID, "grid"),
            options={**options, "portfolio": {"plants": [annex.entry_id]}},
        )
        house = House(
            hass,
            clock,
            lead,
            annex,
            {lead.entry_id: machines, annex.entry_id: other},
            {lead.entry_id: 150.0, annex.entry_id: 50.0},
        )
        yield house
        for entry in (lead, annex):
            if entry.state is ConfigEntryState.LOADED:
                await hass.config_entries.async_unload(entry.entry_id)


async def announced(house: House, **fields: Any) -> None:
    """Let the utility ask both for 100 kW less, in ten minutes for an hour."""
    now = dt_util.utcnow()
    await house.show(house.lead, USUAL)
    await house.show(house.annex, USUAL)
    await house.tell(house.annex)
    event = grid_event(
        now + timedelta(minutes=10),
        now + timedelta(minutes=70),
        **{
            "received": now.timestamp(),
            "recovery": 0.0,
            "signals": [
                {
                    "kind": "load_delta",
                    "intervals": [{"duration": 3600.0, "value": -100.0}],
                }
            ],
        }
        | fields,
    )
    await house.book(event)
    await house.given()
    for entry, key in ((house.lead, "Grid:e1"), (house.annex, LED)):
        room = entry.runtime_data.demand_response
        await eventually(lambda room=room, key=key: key in room.baselines)
        await settled_down(entry)
