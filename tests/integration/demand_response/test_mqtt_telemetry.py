"""A head-end at a real broker hears the load, and loses nothing in an outage."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import (
    MockConfigEntry,
    async_test_home_assistant,
)

from custom_components.chiller_plant.demand_response import mqtt_telemetry
from homeassistant import loader
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.site import (
    GRID,
    Board,
    grid_event,
    report,
    set_up_site,
    utility,
)
from tests.mosquitto import Broker, HeadEnd, broker, head_end
from tests.waiting import eventually

PREFIX = "grid/vendor"
TELEMETRY = f"{PREFIX}/two_chillers/telemetry"
STATE = f"{PREFIX}/two_chillers/state"
OPTIONS = {"mqtt": {"prefix": PREFIX, "interval": 1}}


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look more often than every five seconds whether the broker is back."""
    monkeypatch.setattr(mqtt_telemetry, "_LOOK_EVERY", timedelta(seconds=0.2))
    # The MQTT integration reads the configuration file, which tests have none of.
    monkeypatch.setattr("homeassistant.config.load_yaml_config_file", lambda *_: {})


@asynccontextmanager
async def listened_to(
    hass: HomeAssistant, machines: Board, options: dict[str, Any] = OPTIONS
) -> AsyncIterator[tuple[MockConfigEntry, Broker, HeadEnd]]:
    """Run a site, Home Assistant's MQTT integration, a broker and a head-end."""
    async with broker() as server, head_end(server.port, f"{PREFIX}/#") as listener:
        mqtt = await set_up_mqtt(hass, server)
        entry = await set_up_site(
            hass, machines, utility("Grid", GRID, "grid"), options=options
        )
        try:
            yield entry, server, listener
        finally:
            await hass.config_entries.async_unload(entry.entry_id)
            await hass.config_entries.async_unload(mqtt.entry_id)
            await hass.async_block_till_done()


async def set_up_mqtt(hass: HomeAssistant, server: Broker) -> MockConfigEntry:
    """Set up Home Assistant's MQTT integration."""
    mqtt = MockConfigEntry(
        domain="mqtt",
        data={"broker": "127.0.0.1", "port": server.port, "protocol": "3.1.1"},
        # Its own greeting would be late for a broker that a test takes away.
        options={"birth_message": {}},
        version=2,
        minor_version=1,
    )
    mqtt.add_to_hass(hass)
    await hass.config_entries.async_setup(mqtt.entry_id)
    return mqtt


def some(listener: HeadEnd, topic: str, **contents: object) -> Callable[[], bool]:
    """Return whether something like this was heard."""
    return lambda: any(
        message.items() >= contents.items() for message in listener.of(topic)
    )


async def test_the_load_and_its_quality_are_told(
    hass: HomeAssistant, machines: Board
) -> None:
    async with listened_to(hass, machines) as (_, _, listener):
        await eventually(some(listener, TELEMETRY, power_kw=300.0, quality="good"))
        sample = listener.of(TELEMETRY)[-1]
        assert sample["plant"] == "two_chillers"
        assert sample["at"].endswith("Z")
        assert sample["measured_at"].endswith("Z")
        assert sample["baseline_kw"] is None
        assert sample["state"] == "no_engine"
        await eventually(lambda: len(listener.of(TELEMETRY)) >= 3)
        numbers = [message["n"] for message in listener.of(TELEMETRY)]
        assert numbers == sorted(numbers)
        assert {qos for _, _, qos, _ in listener.heard} == {1}


async def test_what_is_asked_and_what_could_be_shed_is_told_at_once(
    hass: HomeAssistant, machines: Board
) -> None:
    async with listened_to(hass, machines, {"mqtt": {"prefix": PREFIX}}) as (
        entry,
        _,
        listener,
    ):
        await eventually(lambda: bool(listener.of(TELEMETRY)))
        now = dt_util.utcnow()
        event = grid_event(
            now - timedelta(minutes=5), now + timedelta(hours=1), status="active"
        )
        await report(
            hass,
            entry,
            state="shedding",
            available_kw=120.0,
            attributes={"baseline_kw": 350.0, "target_kw": 250.0},
            events=[event],
        )
        # The next sample is due in a minute; this one is not.
        await eventually(
            some(
                listener,
                TELEMETRY,
                state="shedding",
                event="e1",
                baseline_kw=350.0,
                target_kw=250.0,
                available_kw=120.0,
            )
        )
        await eventually(some(listener, STATE, state="shedding", online=True))
        assert listener.of(STATE)[-1]["event"]["utility"] == "Grid"


async def test_the_broker_keeps_the_state_for_who_comes_later(
    hass: HomeAssistant, machines: Board
) -> None:
    async with listened_to(hass, machines) as (_, server, listener):
        await eventually(some(listener, STATE, online=True))
        async with head_end(server.port, f"{PREFIX}/#") as late:
            await eventually(some(late, STATE, online=True))
            assert [kept for name, _, _, kept in late.heard if name == STATE][0]
            assert not [
                kept for name, _, _, kept in late.heard if name != STATE and kept
            ]


async def test_who_leaves_says_so(hass: HomeAssistant, machines: Board) -> None:
    async with listened_to(hass, machines) as (entry, _, listener):
        await eventually(some(listener, STATE, online=True))
        hass.config_entries.async_update_entry(entry, options={})
        await eventually(some(listener, STATE, online=False))
        heard = len(listener.of(TELEMETRY))
        # Nothing is told under a topic that nobody wants any more.
        hass.config_entries.async_update_entry(
            entry, options={"demand_response": {"mqtt": {"prefix": f"{PREFIX}/new"}}}
        )
        await eventually(
            some(listener, f"{PREFIX}/new/two_chillers/state", online=True)
        )
        assert len(listener.of(TELEMETRY)) == heard


async def test_what_the_broker_missed_comes_when_it_is_back(
    hass: HomeAssistant, machines: Board
) -> None:
    async with listened_to(hass, machines) as (entry, server, listener):
        await eventually(lambda: len(listener.of(TELEMETRY)) >= 2)
        telemetry = entry.runtime_data.demand_response.telemetry
        await server.stop()
        await eventually(lambda: telemetry.waiting >= 4)
        machines.show({"plant_meter.power": 222.0})
        await server.start()
        await eventually(lambda: listener.listens)
        await eventually(lambda: telemetry.waiting == 0, timeout=90.0)
        await eventually(lambda: len(set(_numbers(listener))) >= 7)
        # A sample may come twice, when the broker ends between taking and saying so.
        found = sorted(set(_numbers(listener)))
        missing = set(range(found[0], found[-1] + 1)) - set(found)
        # What the broker was given before its end and had not passed on is its own.
        assert len(missing) <= 1
        assert telemetry.dropped == 0
        times = [message["at"] for message in listener.of(TELEMETRY)]
        assert len(set(times)) >= len(found)


@asynccontextmanager
async def restarted(hass: HomeAssistant) -> AsyncIterator[HomeAssistant]:
    """Stop Home Assistant and run another one with what the first left on disk."""
    await hass.async_stop()
    async with async_test_home_assistant() as again:
        again.data.pop(loader.DATA_CUSTOM_COMPONENTS)
        try:
            yield again
        finally:
            await again.async_stop()


# Home Assistant does not unload what it stops with.
@pytest.mark.parametrize("expected_lingering_timers", [True])
async def test_samples_of_an_outage_survive_a_restart_of_home_assistant(
    hass: HomeAssistant, machines: Board, hass_storage: dict[str, Any]
) -> None:
    async with broker() as server, head_end(server.port, f"{PREFIX}/#") as listener:
        await set_up_mqtt(hass, server)
        entry = await set_up_site(hass, machines, options=OPTIONS)
        await eventually(lambda: len(listener.of(TELEMETRY)) >= 2)
        telemetry = entry.runtime_data.demand_response.telemetry
        await server.stop()
        await eventually(lambda: telemetry.waiting >= 4)
        async with restarted(hass) as again:
            waited = hass_storage[f"chiller_plant.{entry.entry_id}.telemetry_waiting"]
            told = waited["data"]["samples"]
            assert len(told) >= 4
            await set_up_mqtt(again, server)
            same = MockConfigEntry(
                domain=entry.domain,
                unique_id=entry.unique_id,
                title=entry.title,
                data=entry.data,
                options=entry.options,
                entry_id=entry.entry_id,
            )
            same.add_to_hass(again)
            assert await again.config_entries.async_setup(same.entry_id)
            await server.start()
            await eventually(lambda: listener.listens)
            await eventually(
                some(listener, TELEMETRY, n=waited["data"]["n"] + 3), timeout=90.0
            )
        heard = listener.of(TELEMETRY)
        numbers = list(dict.fromkeys(message["n"] for message in heard))
        assert numbers == sorted(numbers)
        late = {message["n"]: message for message in heard}
        # With the times and figures of when they were taken.
        assert [late[sample["n"]] for sample in told] == told
        # A number is one sample, before and after the restart.
        assert len({(message["n"], message["at"]) for message in heard}) == len(numbers)


def _numbers(listener: HeadEnd) -> list[int]:
    return [message["n"] for message in listener.of(TELEMETRY)]


async def test_a_long_outage_drops_the_oldest_and_says_so(
    hass: HomeAssistant, machines: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt_telemetry, "MOST_HELD", 3)
    async with listened_to(hass, machines) as (entry, server, listener):
        await eventually(lambda: bool(listener.of(TELEMETRY)))
        telemetry = entry.runtime_data.demand_response.telemetry
        await server.stop()
        await eventually(lambda: telemetry.dropped >= 2)
        assert telemetry.waiting == 3
        await server.start()
        await eventually(
            lambda: any(state["dropped"] >= 2 for state in listener.of(STATE)),
            timeout=90.0,
        )


async def test_what_waited_is_not_told_to_whoever_listens_elsewhere(
    hass: HomeAssistant, machines: Board, hass_storage: dict[str, Any]
) -> None:
    async with listened_to(hass, machines) as (entry, server, listener):
        await eventually(lambda: bool(listener.of(TELEMETRY)))
        telemetry = entry.runtime_data.demand_response.telemetry
        await server.stop()
        await eventually(lambda: telemetry.waiting >= 2)
        # Another interval is no reason to forget; another topic is.
        hass.config_entries.async_update_entry(
            entry, options={"demand_response": {"mqtt": {"prefix": PREFIX}}}
        )
        assert telemetry.waiting >= 2
        assert await hass.config_entries.async_reload(entry.entry_id)
        telemetry = entry.runtime_data.demand_response.telemetry
        assert telemetry.waiting >= 3
        hass.config_entries.async_update_entry(
            entry, options={"demand_response": {"mqtt": {"prefix": "elsewhere"}}}
        )
        assert telemetry.waiting == 1
        hass.config_entries.async_update_entry(entry, options={})
        assert telemetry.waiting == 0


async def test_what_waited_and_is_unreadable_keeps_nothing_from_being_told(
    hass: HomeAssistant,
    machines: Board,
    hass_storage: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    entry = await set_up_site(hass, machines, options=OPTIONS)
    assert await hass.config_entries.async_unload(entry.entry_id)
    key = f"chiller_plant.{entry.entry_id}.telemetry_waiting"
    hass_storage[key]["data"] = {"topic": TELEMETRY, "samples": 7}
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert "is unreadable" in caplog.text
    assert entry.runtime_data.demand_response.telemetry.waiting == 1


async def test_nothing_that_waits_is_left_of_a_plant_that_is_removed(
    hass: HomeAssistant, machines: Board, hass_storage: dict[str, Any]
) -> None:
    entry = await set_up_site(hass, machines, options=OPTIONS)
    assert await hass.config_entries.async_unload(entry.entry_id)
    key = f"chiller_plant.{entry.entry_id}.telemetry_waiting"
    assert key in hass_storage
    await hass.config_entries.async_remove(entry.entry_id)
    assert key not in hass_storage


async def test_a_plant_without_mqtt_is_the_same(
    hass: HomeAssistant, machines: Board, caplog: pytest.LogCaptureFixture
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    telemetry = entry.runtime_data.demand_response.telemetry
    assert telemetry.waiting == 0
    assert "mqtt" not in hass.config.components
    hass.config_entries.async_update_entry(entry, options={"demand_response": OPTIONS})
    await eventually(lambda: "the MQTT integration is not set up" in caplog.text)
    assert telemetry.waiting == 1
