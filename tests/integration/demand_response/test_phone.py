"""A phone hears of events by the blueprint, and answers them."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.typing import (
    ClientSessionGenerator,
    WebSocketGenerator,
)

from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.site import (
    GRID,
    Unwired,
    grid_event,
    report,
    set_up_site,
    told,
    utility,
)
from tests.integration.planning import automate, copy_blueprints, from_blueprint
from tests.waiting import eventually

REGISTRATION = {
    "app_id": "io.example.app",
    "app_name": "Example",
    "app_version": "1",
    "device_id": "phone",
    "device_name": "Anna's phone",
    "manufacturer": "Example",
    "model": "One",
    "os_name": "Android",
    "os_version": "16",
    "supports_encryption": False,
    "app_data": {"push_websocket_channel": True},
}


@pytest.fixture
def hass_config_dir(hass_tmp_config_dir: str) -> str:
    return hass_tmp_config_dir


class Phone:
    """An app that is connected to Home Assistant, without a phone around it."""

    def __init__(self, socket: Any, web: Any, webhook: str) -> None:
        self._socket = socket
        self._web = web
        self._webhook = webhook

    async def notification(self) -> dict[str, Any]:
        """Return the next notification."""
        message = await self._socket.receive_json()
        found: dict[str, Any] = message["event"]
        return found

    async def press(self, action: str) -> None:
        """Press a button of a notification."""
        await self._web.post(
            f"/api/webhook/{self._webhook}",
            json={
                "type": "fire_event",
                "data": {
                    "event_type": "mobile_app_notification_action",
                    "event_data": {"action": action},
                },
            },
        )


@pytest.fixture
async def entry(hass: HomeAssistant) -> MockConfigEntry:
    return await set_up_site(hass, Unwired(), utility("Grid", GRID, "grid"))


@pytest.fixture
async def phone(
    hass: HomeAssistant,
    entry: MockConfigEntry,
    hass_client: ClientSessionGenerator,
    hass_ws_client: WebSocketGenerator,
) -> Phone:
    """Register a phone."""
    copy_blueprints(hass)
    assert await async_setup_component(hass, "mobile_app", {})
    # A test's web server takes no addresses any more once it serves.
    assert await async_setup_component(hass, "notify", {})
    web = await hass_client()
    answer = await web.post("/api/mobile_app/registrations", json=REGISTRATION)
    webhook = (await answer.json())["webhook_id"]
    await hass.async_block_till_done()
    socket = await hass_ws_client()
    await socket.send_json_auto_id(
        {"type": "mobile_app/push_notification_channel", "webhook_id": webhook}
    )
    assert (await socket.receive_json())["success"]
    return Phone(socket, web, webhook)


async def notices(
    hass: HomeAssistant, entry: MockConfigEntry, **inputs: Any
) -> dict[str, Any]:
    """Have the phone told, and return an event to come."""
    (device,) = [
        device.id
        for other in hass.config_entries.async_entries("mobile_app")
        for device in dr.async_entries_for_config_entry(
            dr.async_get(hass), other.entry_id
        )
    ]
    await automate(
        hass,
        from_blueprint(
            "demand_response_notice", plant=entry.entry_id, phone=device, **inputs
        ),
    )
    begins = dt_util.now().replace(microsecond=0) + timedelta(hours=2)
    return grid_event(begins, begins + timedelta(hours=1))


def announced(reason: str = "Grid announced an event") -> dict[str, Any]:
    return {"event": "event_received", "reason": reason, "grid_event": "Grid:e1"}


async def test_phone_hears_of_an_event_and_opts_out_and_in_again(
    hass: HomeAssistant, entry: MockConfigEntry, phone: Phone
) -> None:
    event = await notices(hass, entry)
    await report(hass, entry, events=[event], actions=[announced()])
    notice = await phone.notification()
    assert notice["title"] == "Two chillers: demand response"
    assert "Grid announced an event" in notice["message"]
    assert "Grid: level 2" in notice["message"]
    begins = dt_util.as_local(dt_util.utc_from_timestamp(event["begins"]))
    assert f"{begins:%H:%M}" in notice["message"]
    (button,) = notice["data"]["actions"]
    assert button["title"] == "Opt out"

    await phone.press(button["action"])
    await eventually(lambda: entry.runtime_data.demand_response.decisions)
    decision = (await told(hass, entry))["decisions"]["Grid:e1"]
    assert decision["opt"] == "out"
    assert "on the phone" in decision["why"]

    await report(hass, entry, events=[event], actions=[announced("It was changed")])
    (button,) = (await phone.notification())["data"]["actions"]
    assert button["title"] == "Take part"
    await phone.press(button["action"])
    room = entry.runtime_data.demand_response
    await eventually(lambda: room.decisions["Grid:e1"].opt == "in")


async def test_phone_hears_only_of_what_was_asked_for(
    hass: HomeAssistant, entry: MockConfigEntry, phone: Phone
) -> None:
    event = await notices(hass, entry, occasions=["event_begun"])
    await report(hass, entry, events=[event], actions=[announced()])
    begun = {"event": "event_begun", "reason": "It runs", "grid_event": "Grid:e1"}
    await report(hass, entry, events=[event], actions=[begun])
    assert "It runs" in (await phone.notification())["message"]


async def test_event_that_is_over_has_no_button(
    hass: HomeAssistant, entry: MockConfigEntry, phone: Phone
) -> None:
    event = await notices(hass, entry)
    cancelled = {
        "event": "event_cancelled",
        "reason": "cancelled by the utility",
        "grid_event": "Grid:e1",
    }
    event["cancelled"] = dt_util.utcnow().timestamp()
    await report(hass, entry, events=[event], actions=[cancelled])
    notice = await phone.notification()
    assert notice["data"]["actions"] == []


async def test_button_of_another_plant_is_left_alone(
    hass: HomeAssistant, entry: MockConfigEntry, phone: Phone
) -> None:
    event = await notices(hass, entry)
    await report(hass, entry, events=[event])
    await phone.press("chiller_plant_opt_out:another:Grid:e1")
    await phone.press("of_something_else")
    await phone.press(f"chiller_plant_opt_out:{entry.entry_id}:Grid:e1")
    room = entry.runtime_data.demand_response
    await eventually(lambda: room.decisions)
    assert len(room.plan.store.decisions.registrations) == 0


def test_notice_is_installed_with_the_others() -> None:
    folder = Path(__file__).parents[3] / "blueprints" / "automation" / "chiller_plant"
    assert (folder / "demand_response_notice.yaml").is_file()
