"""A Home Assistant without a recorder has no past, and says so."""

from datetime import timedelta
from http import HTTPStatus

from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.metering import an_event, baseline
from tests.integration.demand_response.site import (
    GRID,
    Board,
    report,
    set_up_site,
    utility,
)


async def test_load_as_it_is_stands_in_and_nobody_settles_by_it(
    hass: HomeAssistant, machines: Board, hass_client: ClientSessionGenerator
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    begins = dt_util.utcnow() + timedelta(hours=1)
    event = an_event(begins, begins + timedelta(hours=1))
    await report(hass, entry, events=[event])
    said = await baseline(hass, entry)
    assert (said["method"], said["eligible"]) == ("last_five_minutes", False)
    assert {load for _, _, load in said["kw"]} == {300.0}
    assert "recorder does not run" in said["why"]
    client = await hass_client()
    for address in ("events/e2/performance", "vens/grid/baseline?method=last_hour"):
        response = await client.get(f"/api/chiller_plant/{address}")
        assert response.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert "recorder does not run" in (await response.json())["message"]
