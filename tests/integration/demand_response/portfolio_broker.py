"""A plant at a real broker, and who asks it for a share or is asked by it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.chiller_plant.demand_response import (
    portfolio_lines,
    room as demand_response_room,
)
from custom_components.chiller_plant.plant.demand_response.record import EventRecord
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.site import GRID, Board, set_up_site, utility
from tests.mosquitto import Broker, HeadEnd, broker, head_end

PREFIX = "grid"
REQUEST, OFFER, RESULT = (
    f"{PREFIX}/portfolio/mall/{what}" for what in ("request", "offer", "result")
)
HOUR = 3600.0
LESS = [
    {"kind": "load_delta", "intervals": [{"duration": HOUR, "value": -100.0}]},
]


def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look more often than every ten seconds what is due."""
    monkeypatch.setattr(demand_response_room, "LOOK_EVERY", timedelta(seconds=0.2))
    monkeypatch.setattr(portfolio_lines, "OFFERED_EVERY", 0.5)
    # The MQTT integration reads the configuration file, which tests have none of.
    monkeypatch.setattr("homeassistant.config.load_yaml_config_file", lambda *_: {})


@asynccontextmanager
async def at_a_broker(
    hass: HomeAssistant, machines: Board, portfolio: dict[str, Any]
) -> AsyncIterator[tuple[MockConfigEntry, HeadEnd]]:
    """Run a plant, a broker, and somebody who is no Home Assistant."""
    async with broker() as server, at(server, hass, machines, portfolio) as found:
        yield found


@asynccontextmanager
async def at(
    server: Broker, hass: HomeAssistant, machines: Board, portfolio: dict[str, Any]
) -> AsyncIterator[tuple[MockConfigEntry, HeadEnd]]:
    """Run a plant at a broker, and somebody who is no Home Assistant."""
    async with head_end(server.port, f"{PREFIX}/#") as other:
        mqtt = MockConfigEntry(
            domain="mqtt",
            data={"broker": "127.0.0.1", "port": server.port, "protocol": "3.1.1"},
            options={"birth_message": {}},
            version=2,
            minor_version=1,
        )
        mqtt.add_to_hass(hass)
        assert await hass.config_entries.async_setup(mqtt.entry_id)
        connections = [utility("Grid", GRID, "grid")] if "sites" in portfolio else []
        entry = await set_up_site(
            hass,
            machines,
            *connections,
            options={"portfolio": {"prefix": PREFIX, **portfolio}},
        )
        try:
            yield entry, other
        finally:
            await hass.config_entries.async_unload(entry.entry_id)
            await hass.config_entries.async_unload(mqtt.entry_id)
            await hass.async_block_till_done()


def now() -> float:
    return dt_util.utcnow().timestamp()


def request(
    kw: float | None = 40.0, *, valid: float = 180.0, begins: float | None = None
) -> dict[str, Any]:
    """Return what the site is asked for, in an event that has begun."""
    begins = BEGINS if begins is None else begins
    return {
        "portfolio": "Head office",
        "at": now(),
        "valid_until": now() + valid,
        "events": [
            {
                "id": "Grid:e1",
                "name": "e1",
                "begins": begins,
                "ends": begins + HOUR,
                "recovery": 0.0,
                "rank": 1,
                "signals": LESS,
                "kw": kw,
                "of_kw": None if kw is None else 100.0,
            }
        ],
    }


BEGINS = now() - 60.0


def offer(at: float | None = None, **changes: Any) -> dict[str, Any]:
    return {
        "at": now() if at is None else at,
        "available_kw": 120.0,
        "confidence": 1.0,
        "burden": 0.0,
        "delivered_kw": None,
        "baseline_kw": 400.0,
        "load_kw": 390.0,
        "more_kw": 110.0,
        "used_kw": 10.0,
        "out": [],
    } | changes


RECORD: dict[str, Any] = {field.name: None for field in fields(EventRecord)} | {
    "plant": "two_chillers",
    "source": "Portfolio of Head office",
    "event": "Portfolio of Head office:Grid:e1",
    "event_id": "Grid:e1",
    "name": "e1",
    "begins": BEGINS - 2 * HOUR,
    "ends": BEGINS - HOUR,
    "recovery": 0.0,
    "received": BEGINS - 3 * HOUR,
    "opt": "in",
    "test": False,
    "method": "ten_of_ten",
    "why": "",
    "confidence": "high",
    "eligible": True,
    "baseline_kw": 300.0,
    "target_kw": 260.0,
    "requested_kw": 40.0,
    "actual_kw": 270.0,
    "achieved_kw": 30.0,
    "shed_percent": 75.0,
    "energy_kwh": 30.0,
    "samples": 60,
    "covered": 1.0,
    "settled_at": BEGINS,
}
