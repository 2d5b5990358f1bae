"""What other programs are told, by the real web server of Home Assistant."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from aiohttp.test_utils import TestClient
from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import pytest_socket
from yarl import URL

from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from tests.integration.demand_response.metering import (
    WEDNESDAY,
    an_event,
    announce,
    baseline,
    import_hours,
    local,
    measure,
    site_with_a_past,
    tell_time,
    token,
)
from tests.integration.demand_response.site import (
    GRID_3,
    Board,
    report,
    set_up_site,
    utility,
)
from tests.integration.planning import call

API = "/api/chiller_plant"
ADDRESSES = (
    f"{API}/events/e1/performance",
    f"{API}/vens/grid/baseline",
    f"{API}/vens/grid/shed-capacity",
    f"{API}/performance.csv",
)


@pytest.fixture(autouse=True)
def _custom_integration(
    recorder_mock: Recorder, socket_enabled: None, enable_custom_integrations: None
) -> None:
    """Record, before anything else is there."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


def at(hour: int, minute: int = 0) -> datetime:
    return local(*WEDNESDAY, hour, minute)


async def asked(
    client: TestClient[Any, Any], address: str, **query: Any
) -> tuple[int, Any]:
    response = await client.get(f"{API}/{address}", params=query)
    return response.status, await response.json()


async def afternoon(
    hass: HomeAssistant, clock: FrozenDateTimeFactory, machines: Board
) -> MockConfigEntry:
    """Set the site up, with an event from two to three that nobody heard before one."""
    entry = await site_with_a_past(hass, clock, machines, at(13, 20))
    await announce(hass, entry, begins=at(14), ends=at(15), received=at(13).timestamp())
    return entry


async def test_nobody_is_told_without_a_token(
    hass: HomeAssistant,
    machines: Board,
    hass_client_no_auth: ClientSessionGenerator,
    hass_client: ClientSessionGenerator,
) -> None:
    await set_up_site(hass, machines, utility("Grid", GRID_3, "grid"))
    stranger, friend = await hass_client_no_auth(), await hass_client(await token(hass))
    for address in ADDRESSES:
        assert (await stranger.get(address)).status == HTTPStatus.UNAUTHORIZED
        assert (await friend.get(address)).status != HTTPStatus.UNAUTHORIZED


async def test_performance_of_an_event(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    hass_client: ClientSessionGenerator,
    hass_client_no_auth: ClientSessionGenerator,
) -> None:
    entry = await afternoon(hass, clock, machines)
    client = await hass_client(await token(hass))
    status, said = await asked(client, "events/e1/performance")
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "it is not over yet" in said["message"]
    await measure(hass, clock, machines, at(13, 55), at(15), 200.0)
    clock.move_to(at(15, 30))
    await async_wait_recording_done(hass)
    await tell_time(hass, entry)
    for name in ("e1", "Grid:e1"):
        status, said = await asked(client, f"events/{name}/performance")
        assert status == HTTPStatus.OK
        assert said["achieved_kw"] == pytest.approx(100.0, abs=0.2)
        assert said["energy_kwh"] == pytest.approx(100.0, abs=0.2)
        assert said["eligible"] is True
    response = await client.get(
        f"{API}/performance.csv", params={"plant": "two_chillers"}
    )
    assert response.status == HTTPStatus.OK
    assert response.content_type == "text/csv"
    lines = (await response.text()).splitlines()
    assert lines[0].startswith("plant,event,event_id,")
    assert lines[1].startswith("two_chillers,Grid:e1,e1,Grid,")
    assert len(lines) == 2
    # What the action gives out opens in a browser, which has no token to show.
    stranger = await hass_client_no_auth()
    exported = await call(hass, entry, "export_performance", since=at(0).isoformat())
    assert exported is not None
    opened = await stranger.get(exported["url"])
    assert opened.status == HTTPStatus.OK
    assert (await opened.text()) == exported["csv"]
    for other in (exported["url"].replace("since", "until"), f"{API}/performance.csv"):
        assert (await stranger.get(other)).status == HTTPStatus.UNAUTHORIZED
    status, _ = await asked(client, "performance.csv", since="soon")
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_what_cannot_be_settled_says_why(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    hass_client: ClientSessionGenerator,
) -> None:
    entry = await afternoon(hass, clock, machines)
    client = await hass_client(await token(hass))
    never = an_event(
        at(17), at(18), key="Grid:e2", id="e2", cancelled=at(13, 10).timestamp()
    )
    await report(hass, entry, events=[never])
    # The meter says nothing while the event lasts.
    clock.move_to(at(15, 30))
    await async_wait_recording_done(hass)
    await tell_time(hass, entry)
    status, said = await asked(client, "events/e1/performance")
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "the meter said nothing" in said["message"]
    status, said = await asked(client, "events/e2/performance")
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "cancelled before it began" in said["message"]
    status, said = await asked(client, "events/e3/performance")
    assert status == HTTPStatus.NOT_FOUND
    status, _ = await asked(client, "events/e1/performance", plant="elsewhere")
    assert status == HTTPStatus.NOT_FOUND


async def test_baseline_of_the_coming_event_and_of_any_time(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    hass_client: ClientSessionGenerator,
) -> None:
    entry = await afternoon(hass, clock, machines)
    client = await hass_client(await token(hass))
    kept = await baseline(hass, entry)
    for name in ("grid", "Grid", "two-chillers"):
        status, said = await asked(client, f"vens/{name}/baseline")
        assert status == HTTPStatus.OK
        assert said["event"] == "Grid:e1"
        assert [item["kw"] for item in said["intervals"]] == [
            pytest.approx(load, abs=0.001) for _, _, load in kept["kw"]
        ]
    status, said = await asked(client, "vens/grid/baseline", event="e1")
    assert (status, said["method"]) == (HTTPStatus.OK, "ten_of_ten")
    sunday = local(2026, 6, 28, 10)
    status, said = await asked(
        client,
        "vens/grid/baseline",
        start=sunday.isoformat(),
        end=(sunday + timedelta(hours=2)).timestamp(),
        method="four_of_five",
    )
    assert status == HTTPStatus.OK
    assert said["event"] is None
    assert (said["method"], said["mean_kw"]) == ("four_of_five", pytest.approx(60.0))
    assert said["days"][0] == "2026-06-21"


@pytest.mark.parametrize(
    "query",
    [
        {"start": "soon"},
        {"start": "nan"},
        {"start": "2026-06-24T14:00:00", "end": "2026-06-24T14:00:00"},
        {"start": "2026-06-24T14:00:00", "end": "2026-07-24T14:00:00"},
        {"start": "2027-06-24T14:00:00"},
        {"start": "2026-13-45T99:00:00"},
        {"start": "0001-01-01T00:00:00+14:00"},
        {"start": "9999-12-31T23:59:59-12:00"},
        {"method": "yesterday"},
    ],
)
async def test_questions_that_make_no_sense_are_refused(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    hass_client: ClientSessionGenerator,
    query: dict[str, str],
) -> None:
    await site_with_a_past(hass, clock, machines, at(13, 20), days=0)
    client = await hass_client(await token(hass))
    status, said = await asked(client, "vens/grid/baseline", **query)
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert said["message"]
    for name in ("since", "until"):
        status, _ = await asked(
            client, "performance.csv", **{name: "0001-01-01T00:00:00+14:00"}
        )
        assert status == HTTPStatus.UNPROCESSABLE_ENTITY


async def test_unknown_vens_and_events_are_not_found(
    hass: HomeAssistant,
    machines: Board,
    hass_client: ClientSessionGenerator,
) -> None:
    await set_up_site(hass, machines, utility("Grid", GRID_3, "grid"))
    client = await hass_client(await token(hass))
    for address in ("vens/other/baseline", "vens/other/shed-capacity"):
        status, _ = await asked(client, address)
        assert status == HTTPStatus.NOT_FOUND
    status, _ = await asked(client, "vens/grid/baseline", event="other")
    assert status == HTTPStatus.NOT_FOUND


async def test_shed_capacity_while_the_engine_tells_of_it(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    hass_client: ClientSessionGenerator,
) -> None:
    entry = await site_with_a_past(hass, clock, machines, at(13, 20), days=0)
    client = await hass_client(await token(hass))
    status, said = await asked(client, "vens/grid/shed-capacity")
    assert status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "silent" in said["message"]
    await report(hass, entry, available_kw=87.5)
    status, said = await asked(client, "vens/grid/shed-capacity")
    assert (status, said["available_kw"]) == (HTTPStatus.OK, 87.5)
    assert "circuit:fountain" in said["measures"]
    clock.move_to(at(13, 25))
    status, said = await asked(client, "vens/grid/shed-capacity")
    assert status == HTTPStatus.SERVICE_UNAVAILABLE


async def test_plant_that_is_not_loaded_is_unavailable(
    hass: HomeAssistant,
    machines: Board,
    hass_client: ClientSessionGenerator,
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID_3, "grid"))
    client = await hass_client(await token(hass))
    assert await hass.config_entries.async_unload(entry.entry_id)
    for address in ADDRESSES:
        response = await client.get(address)
        assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert (await response.json())["message"]


ODD = "a/b c%d?e#ü=+%2F"


async def test_names_of_any_letters_are_found(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    hass_client: ClientSessionGenerator,
) -> None:
    """A program writes what a utility calls an event as its address wants it."""
    clock.move_to(at(13, 20))
    entry = await set_up_site(hass, machines, utility(ODD, GRID_3, "grid"))
    await import_hours(hass, at(13, 20))
    await announce(
        hass,
        entry,
        key=f"{ODD}:{ODD}",
        id=ODD,
        source=ODD,
        begins=at(14),
        ends=at(15),
        received=at(13).timestamp(),
    )
    client = await hass_client(await token(hass))
    quoted = quote(ODD, safe="")
    for address in (
        f"events/{quoted}/performance",
        f"events/{quote(f'{ODD}:{ODD}', safe='')}/performance",
    ):
        response = await client.get(URL(f"{API}/{address}", encoded=True))
        assert response.status == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "it is not over yet" in (await response.json())["message"]
    await measure(hass, clock, machines, at(13, 55), at(15), 200.0)
    clock.move_to(at(15, 30))
    await async_wait_recording_done(hass)
    await tell_time(hass, entry)
    response = await client.get(URL(f"{API}/events/{quoted}/performance", encoded=True))
    assert response.status == HTTPStatus.OK
    assert (await response.json())["event_id"] == ODD
    response = await client.get(
        URL(f"{API}/vens/{quoted}/baseline?event={quoted}", encoded=True)
    )
    assert response.status == HTTPStatus.OK
    assert (await response.json())["event"] == f"{ODD}:{ODD}"


async def test_event_that_is_told_of_again_is_not_over(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    hass_client: ClientSessionGenerator,
) -> None:
    """It was cancelled, and settled until then; then the utility wanted it after all."""
    entry = await afternoon(hass, clock, machines)
    client = await hass_client(await token(hass))
    await measure(hass, clock, machines, at(13, 55), at(14, 30), 200.0)
    await async_wait_recording_done(hass)
    event = an_event(at(14), at(15), received=at(13).timestamp())
    cancelled = event | {"cancelled": at(14, 30).timestamp()}
    await report(hass, entry, events=[cancelled])
    await tell_time(hass, entry)
    status, said = await asked(client, "events/e1/performance")
    assert (status, said["cancelled"] is None) == (HTTPStatus.OK, False)
    await report(hass, entry, events=[event])
    status, said = await asked(client, "events/e1/performance")
    assert status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "it is not over yet" in said["message"]
    await measure(hass, clock, machines, at(14, 30), at(15), 200.0)
    clock.move_to(at(15, 30))
    await async_wait_recording_done(hass)
    await tell_time(hass, entry)
    status, said = await asked(client, "events/e1/performance")
    assert (status, said["cancelled"]) == (HTTPStatus.OK, None)
    assert said["energy_kwh"] == pytest.approx(100.0, abs=0.2)


async def test_nothing_is_changed_and_other_ways_to_ask_are_refused(
    hass: HomeAssistant, machines: Board, hass_client: ClientSessionGenerator
) -> None:
    await set_up_site(hass, machines, utility("Grid", GRID_3, "grid"))
    client = await hass_client(await token(hass))
    for address in ADDRESSES:
        for method in ("HEAD", "POST", "PUT", "PATCH", "DELETE"):
            response = await client.request(method, address)
            assert response.status == HTTPStatus.METHOD_NOT_ALLOWED, method
        # What a browser asks before another page's script may ask.
        asking = {
            "Origin": "https://example.com",
            "Access-Control-Request-Method": "GET",
        }
        response = await client.options(address, headers=asking)
        assert response.status == HTTPStatus.FORBIDDEN
