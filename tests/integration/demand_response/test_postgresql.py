"""The table of what came of events in a real PostgreSQL, which is not always there."""

from collections.abc import AsyncIterator
from datetime import datetime
from http import HTTPStatus
from typing import Any

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import pytest_socket

from custom_components.chiller_plant.const import DOMAIN
from custom_components.chiller_plant.demand_response import (
    performance_left,
    performance_store,
)
from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from tests.integration.demand_response.metering import (
    WEDNESDAY,
    announce,
    local,
    measure,
    performances,
    site_with_a_past,
    tell_time,
    token,
)
from tests.integration.demand_response.site import GRID, Board, set_up_site, utility
from tests.postgresql import PostgresqlServer, postgresql_server
from tests.waiting import eventually

LEFT = performance_left.ISSUE
TABLE = (
    "select event, baseline_kw, achieved_kw, eligible from chiller_plant_performance"
)


@pytest.fixture
async def server() -> AsyncIterator[PostgresqlServer]:
    pytest_socket.enable_socket()
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)
    async with postgresql_server() as running:
        yield running


@pytest.fixture
def recorder_db_url(server: PostgresqlServer) -> str:
    """Let Home Assistant's recorder use it."""
    return server.url


@pytest.fixture(autouse=True)
def _custom_integration(
    recorder_mock: Recorder, socket_enabled: None, enable_custom_integrations: None
) -> None:
    """Record, before anything else is there."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


def at(hour: int, minute: int = 0) -> datetime:
    return local(*WEDNESDAY, hour, minute)


async def afternoon(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> MockConfigEntry:
    """Let an event take place from two to three, with all readings recorded."""
    entry = await site_with_a_past(hass, clock, machines, at(13, 20))
    await announce(hass, entry, begins=at(14), ends=at(15), received=at(13).timestamp())
    await measure(hass, clock, machines, at(13, 55), at(15), 200.0)
    await async_wait_recording_done(hass)
    return entry


def issue(hass: HomeAssistant, entry: MockConfigEntry) -> ir.IssueEntry | None:
    return ir.async_get(hass).async_get_issue(
        DOMAIN, f"performance_not_written_{entry.entry_id}"
    )


async def test_event_is_settled_in_postgresql(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    server: PostgresqlServer,
) -> None:
    entry = await afternoon(hass, clock, machines)
    clock.move_to(at(15, 30))
    await tell_time(hass, entry)
    (found,) = await performances(hass, entry)
    assert found["achieved_kw"] == pytest.approx(100.0, abs=0.2)
    store = entry.runtime_data.demand_response.settlement.store
    await eventually(lambda: not store._memory.pending)
    assert server.rows(TABLE) == [
        ("Grid:e1", pytest.approx(300.0), pytest.approx(100.0, abs=0.2), True)
    ]
    assert server.rows("select name, version from chiller_plant_schema") == [
        ("chiller_plant_performance", 1)
    ]
    (number,) = server.rows("select count(*) from states")
    assert number[0], "it is the recorder's database"


async def test_database_that_is_away_gets_it_when_it_is_back(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    server: PostgresqlServer,
    hass_client: ClientSessionGenerator,
    monkeypatch: pytest.MonkeyPatch,
    hass_storage: dict[str, Any],
) -> None:
    monkeypatch.setattr(performance_store, "_FIRST_RETRY", 0.5)
    monkeypatch.setattr(performance_store, "_LAST_RETRY", 0.5)
    entry = await afternoon(hass, clock, machines)
    client = await hass_client(await token(hass))
    room = entry.runtime_data.demand_response
    store = room.settlement.store
    clock.move_to(at(15, 30))
    (event,) = room.events.values()
    said = room.baselines[event.key]
    record = await room.settlement._async_record(event, said, at(15, 30).timestamp())
    server.stop()
    await store.async_keep(record)
    await eventually(lambda: issue(hass, entry) is not None)
    found = issue(hass, entry)
    assert found is not None
    assert found.translation_placeholders is not None
    assert "e1" in found.translation_placeholders["events"]
    # Nothing is lost by a restart of Home Assistant meanwhile.
    kept = hass_storage[f"chiller_plant.{entry.entry_id}.settlement"]["data"]["pending"]
    assert [row["event"] for row in kept] == ["Grid:e1"]
    with pytest.raises(HomeAssistantError, match="cannot be read"):
        await performances(hass, entry)
    response = await client.get("/api/chiller_plant/events/e1/performance")
    assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
    await server.start()
    await eventually(lambda: not store._memory.pending)
    assert server.rows(TABLE) == [
        ("Grid:e1", pytest.approx(300.0), pytest.approx(100.0, abs=0.2), True)
    ]
    await eventually(lambda: issue(hass, entry) is None)
    response = await client.get("/api/chiller_plant/events/e1/performance")
    assert response.status == HTTPStatus.OK


async def test_plant_that_is_removed_while_the_database_is_away_leaves_what_it_owes(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    server: PostgresqlServer,
    monkeypatch: pytest.MonkeyPatch,
    hass_storage: dict[str, Any],
) -> None:
    for module in (performance_store, performance_left):
        monkeypatch.setattr(module, "_FIRST_RETRY", 0.5)
        monkeypatch.setattr(module, "_LAST_RETRY", 0.5)
    entry = await afternoon(hass, clock, machines)
    room = entry.runtime_data.demand_response
    clock.move_to(at(15, 30))
    (event,) = room.events.values()
    said = room.baselines[event.key]
    record = await room.settlement._async_record(event, said, at(15, 30).timestamp())
    server.stop()
    await room.settlement.store.async_keep(record)
    await hass.config_entries.async_remove(entry.entry_id)
    registry = ir.async_get(hass)
    await eventually(lambda: registry.async_get_issue(DOMAIN, LEFT) is not None)
    found = registry.async_get_issue(DOMAIN, LEFT)
    assert found is not None
    assert found.translation_placeholders is not None
    assert found.translation_placeholders["events"] == "- two_chillers: e1"
    kept = hass_storage[f"chiller_plant.{LEFT}"]["data"]["rows"]
    assert [(row["plant"], row["event"]) for row in kept] == [
        ("two_chillers", "Grid:e1")
    ]
    await server.start()
    await eventually(lambda: registry.async_get_issue(DOMAIN, LEFT) is None)
    assert server.rows(TABLE) == [
        ("Grid:e1", pytest.approx(300.0), pytest.approx(100.0, abs=0.2), True)
    ]
    assert f"chiller_plant.{LEFT}" not in hass_storage
    again = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    (row,) = await performances(hass, again)
    assert row["event"] == "Grid:e1"


async def test_event_is_settled_after_the_database_was_away_at_its_end(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    server: PostgresqlServer,
) -> None:
    entry = await afternoon(hass, clock, machines)
    server.stop()
    clock.move_to(at(15, 30))
    await tell_time(hass, entry)
    room = entry.runtime_data.demand_response
    assert room.settlement.store.latest is None
    await server.start()
    clock.move_to(at(15, 40))
    await tell_time(hass, entry)
    await eventually(lambda: room.settlement.store.latest is not None)
    await eventually(lambda: not room.settlement.store._memory.pending)
    assert [row[0] for row in server.rows(TABLE)] == ["Grid:e1"]


async def test_the_same_event_written_twice_is_one_row(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    server: PostgresqlServer,
) -> None:
    entry = await afternoon(hass, clock, machines)
    clock.move_to(at(15, 30))
    await tell_time(hass, entry)
    store = entry.runtime_data.demand_response.settlement.store
    assert store.latest is not None
    await store.async_keep(store.latest)
    await eventually(lambda: not store._memory.pending)
    assert len(server.rows(TABLE)) == 1


async def test_table_of_a_newer_version_is_left_alone(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    server: PostgresqlServer,
) -> None:
    entry = await afternoon(hass, clock, machines)
    server.execute("update chiller_plant_schema set version = 2")
    with pytest.raises(HomeAssistantError, match="newer version"):
        await performances(hass, entry)
    server.execute("update chiller_plant_schema set version = 1")
    assert await performances(hass, entry) == []
