"""What came of an event at each plant of a portfolio, and at all of them."""

from datetime import timedelta

from freezegun.api import FrozenDateTimeFactory
import pytest
from pytest_homeassistant_custom_component.components.recorder.common import (
    async_wait_recording_done,
)
import pytest_socket

from homeassistant.components.recorder import Recorder
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.integration.demand_response.metering import performances, settled_down
from tests.integration.demand_response.portfolio import (
    LED,
    USUAL,
    announced,
    two_plants,
)
from tests.integration.demand_response.site import Board
from tests.waiting import eventually


@pytest.fixture(autouse=True)
def _custom_integration(
    recorder_mock: Recorder, socket_enabled: None, enable_custom_integrations: None
) -> None:
    """Record, before anything else is there."""
    pytest_socket.socket_allow_hosts(["127.0.0.0/8", "::1"], allow_unix_socket=True)


@pytest.mark.parametrize(
    ("title", "called"), [("Annex", "Annex"), ("Two chillers", "Two chillers (2)")]
)
async def test_each_plant_is_settled_by_its_share_and_the_total_is_their_sum(
    hass: HomeAssistant,
    clock: FrozenDateTimeFactory,
    machines: Board,
    title: str,
    called: str,
) -> None:
    clock.move_to(dt_util.utcnow().replace(hour=9, minute=0, second=0, microsecond=0))
    async with two_plants(hass, clock, machines) as house:
        hass.config_entries.async_update_entry(house.annex, title=title)
        for ripple in (0.1, -0.1) * 4:
            await house.after(60.0, lead=USUAL + ripple, annex=USUAL + ripple)
        await async_wait_recording_done(hass)
        await announced(house)
        await house.after(595.0)
        await house.after(10.0)
        house.available = {house.lead.entry_id: 70.0, house.annex.entry_id: 30.0}
        ripple = 0.1
        for _ in range(24):
            await house.after(150.0, lead=220.0 + ripple, annex=280.0 + ripple)
            ripple = -ripple
        await async_wait_recording_done(hass)
        for entry in (house.lead, house.annex):
            await house.tell(entry)
            await settled_down(entry)
        (annex,) = await performances(hass, house.annex)
        assert annex["event"] == LED
        # A quarter of 100 kW, of which it brought 20.
        assert annex["requested_kw"] == pytest.approx(25.0, abs=1.5)
        assert annex["achieved_kw"] == pytest.approx(20.0, abs=2.0)
        (own,) = await performances(hass, house.lead)
        assert own["requested_kw"] == pytest.approx(75.0, abs=3.0)
        clock.tick(timedelta(seconds=700))
        for _ in range(2):
            await house.tell(house.annex)
            await house.tell(house.lead)
            await settled_down(house.annex)
            await settled_down(house.lead)
        store = house.lead.runtime_data.demand_response.settlement.store
        await eventually(lambda: store.newest_total is not None)
        found = {row["event"]: row for row in await performances(hass, house.lead)}
        total = found["Grid:e1:portfolio"]
        assert total["method"] == "sum"
        assert total["why"] == f"the sum of Two chillers, {called}"
        assert total["requested_kw"] == pytest.approx(100.0, abs=3.0)
        assert total["achieved_kw"] == pytest.approx(
            found["Grid:e1"]["achieved_kw"] + annex["achieved_kw"], abs=3.0
        )
        assert total["baseline_kw"] == pytest.approx(600.0, abs=3.0)
        assert total["shed_percent"] == pytest.approx(
            100.0 * total["achieved_kw"] / total["requested_kw"], abs=0.1
        )
        # The sensors show what this plant did.
        assert store.latest is not None
        assert store.latest.event == "Grid:e1"
