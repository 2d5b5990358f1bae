"""Programs that ask for the figures of a utility's plant are told of all its plants."""

from http import HTTPStatus

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator
import pytest_socket

from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from tests.integration.demand_response.metering import local, token
from tests.integration.demand_response.portfolio import LED, announced, two_plants
from tests.integration.demand_response.site import Board
from tests.integration.demand_response.test_http import asked


@pytest.fixture(autouse=True)
def _custom_integration(
    recorder_mock: Recorder, socket_enabled: None, enable_custom_integrations: None
) -> None:
    """Record, before anything else is there."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


async def test_what_could_be_shed_is_that_of_all_plants(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    hass_client: ClientSessionGenerator,
) -> None:
    async with two_plants(hass, clock, machines) as house:
        client = await hass_client(await token(hass))
        status, said = await asked(client, "vens/grid/shed-capacity")
        assert status == HTTPStatus.SERVICE_UNAVAILABLE
        assert "silent" in said["message"]
        await house.tell(house.annex)
        await house.tell(house.lead)
        status, said = await asked(client, "vens/grid/shed-capacity")
        assert (status, said["available_kw"]) == (HTTPStatus.OK, 200.0)
        assert [(row["plant"], row["available_kw"]) for row in said["plants"]] == [
            ("Two chillers", 150.0),
            ("Annex", 50.0),
        ]
        assert all(0.0 <= row["age"] < 10.0 for row in said["plants"])
        assert said["left_out"] == {}
        clock.tick(70.0)
        await house.tell(house.lead)
        status, said = await asked(client, "vens/grid/shed-capacity")
        assert (status, said["available_kw"]) == (HTTPStatus.OK, 150.0)
        assert said["left_out"] == {"Annex": "its control engine says nothing"}


async def test_the_baseline_of_an_event_is_the_sum_and_names_who_is_not_in_it(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    hass_client: ClientSessionGenerator,
) -> None:
    async with two_plants(hass, clock, machines) as house:
        client = await hass_client(await token(hass))
        await announced(house)
        status, said = await asked(client, "vens/grid/baseline")
        assert (status, said["event"], said["method"]) == (
            HTTPStatus.OK,
            "Grid:e1",
            "sum",
        )
        each = [row["mean_kw"] for row in said["plants"]]
        assert len(each) == 2
        assert said["mean_kw"] == pytest.approx(sum(each), abs=0.01)
        assert said["left_out"] == []
        assert said["intervals"][0]["kw"] == pytest.approx(sum(each), abs=0.01)
        # Nobody may settle by five minutes, nor by their sum.
        assert (said["confidence"], said["eligible"]) == ("unknown", False)
        house.annex.runtime_data.demand_response.baselines.pop(LED)
        status, said = await asked(client, "vens/grid/baseline", event="e1")
        assert (status, said["left_out"]) == (HTTPStatus.OK, ["Annex"])
        assert said["mean_kw"] == pytest.approx(each[0], abs=0.01)
        house.lead.runtime_data.demand_response.baselines.pop("Grid:e1")
        status, _ = await asked(client, "vens/grid/baseline", event="e1")
        assert status == HTTPStatus.SERVICE_UNAVAILABLE


async def test_of_any_time_the_plants_of_this_house_are_added_and_sites_named(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    hass_client: ClientSessionGenerator,
) -> None:
    clock.move_to(local(2026, 6, 24, 13, 20))
    async with two_plants(hass, clock, machines) as house:
        client = await hass_client(await token(hass))
        await house.show(house.lead, 300.0)
        await house.show(house.annex, 200.0)
        tomorrow = local(2026, 6, 25, 10).isoformat()
        status, said = await asked(client, "vens/grid/baseline", start=tomorrow)
        assert (status, said["event"]) == (HTTPStatus.OK, None)
        assert (said["method"], said["eligible"]) == ("sum", False)
        each = {row["plant"]: row["mean_kw"] for row in said["plants"]}
        assert each.keys() == {"Two chillers", "Annex"}
        assert said["mean_kw"] == pytest.approx(sum(each.values()), abs=0.01)
        hass.config_entries.async_update_entry(
            house.lead,
            options={
                "demand_response": {
                    "portfolio": {"plants": [house.annex.entry_id], "sites": ["mall"]}
                }
            },
        )
        status, said = await asked(client, "vens/grid/baseline", start=tomorrow)
        assert (status, said["left_out"]) == (HTTPStatus.OK, ["mall"])
        await hass.config_entries.async_unload(house.annex.entry_id)
        status, _ = await asked(client, "vens/grid/baseline", start=tomorrow)
        assert status == HTTPStatus.SERVICE_UNAVAILABLE
