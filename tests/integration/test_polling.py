"""Who is asked when, on the wire: tiers, slow controllers, reports, recovery."""

import asyncio

from bacpypes3.primitivedata import ObjectIdentifier
import pytest
import rusty_bacnet as rb

from homeassistant.core import HomeAssistant
from tests.drivers.bacnet_peers import device
from tests.drivers.cov_peers import reporting_device
from tests.integration.served_plant import set_up, state
from tests.integration.small_site import controller, site_text, weather
from tests.waiting import eventually


async def test_each_tier_is_read_at_its_own_interval(hass: HomeAssistant) -> None:
    async with (
        controller("127.0.0.61", 1001, [6.7, 12.0]) as chiller,
        controller("127.0.0.62", 1002, [30.0, 60.0]) as roof,
        controller("127.0.0.63", 1003, [1000.0, 2000.0]) as meter,
    ):
        peers = {"chiller": chiller, "roof": roof, "meter": meter}
        text = site_text(
            {key: (peer.address, peer.instance) for key, peer in peers.items()},
            {
                "chiller_1": {
                    "type": "chiller",
                    "name": "Chiller 1",
                    "device": "chiller",
                    "points": {
                        "chilled_water_supply_temperature": {
                            "object": "analog-input,1"
                        },
                        "chilled_water_return_temperature": {
                            "object": "analog-input,2"
                        },
                    },
                },
                "weather": weather("roof", "Weather"),
                "btu_meter": {
                    "type": "meter",
                    "name": "BTU meter",
                    "device": "meter",
                    "points": {
                        "energy": {"object": "analog-input,1"},
                        "cooling_energy": {"object": "analog-input,2"},
                    },
                },
            },
            intervals=(1, 4, 3600),
        )
        begin = asyncio.get_running_loop().time()
        await set_up(hass, text)
        # The first time, everything is read.
        assert state(hass, "sensor.btu_meter_energy") == "1000.0"
        await eventually(lambda: chiller.reads["analog-input,1"] >= 10, 60)
        passed = asyncio.get_running_loop().time() - begin
        assert chiller.reads["analog-input,1"] <= passed + 2
        assert 2 <= roof.reads["analog-input,1"] <= passed / 4 + 2
        assert meter.reads["analog-input,1"] == 1
        for peer in peers.values():
            assert peer.reads["analog-input,1"] == peer.reads["analog-input,2"]


async def test_a_slow_controller_is_read_at_its_own_pace_and_holds_up_nobody(
    hass: HomeAssistant, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        controller("127.0.0.61", 1001, [20.0, 50.0]) as quick,
        controller("127.0.0.62", 1002, [20.0, 50.0]) as slow,
    ):
        text = site_text(
            {
                "quick": (quick.address, quick.instance),
                "slow": (slow.address, slow.instance),
            },
            {"here": weather("quick", "Here"), "there": weather("slow", "There")},
        )
        entry = await set_up(hass, text)
        slow.delay = 2.0
        quick_before, slow_before = quick.reads.total(), slow.reads.total()
        await eventually(lambda: slow.reads.total() >= slow_before + 8, 60)
        rounds = (slow.reads.total() - slow_before) / 2
        assert (quick.reads.total() - quick_before) / 2 >= 1.5 * rounds
        # It is asked again when it has answered, and not before.
        assert slow.most_asked == 1
        assert not entry.runtime_data.coordinator.silent
        told = [
            record
            for record in caplog.records
            if "slow takes longer to be read than the poll interval" in record.message
        ]
        assert len(told) == 1
        pace = entry.runtime_data.coordinator.poller.diagnostics()["slow"]
        assert pace["rounds_left_out"] > 0

        # What the quick one says is shown while the slow one is still thinking.
        slow.measure(1, 25.0)
        quick.measure(1, 25.0)
        await eventually(
            lambda: state(hass, "sensor.here_outdoor_temperature") == "25.0"
        )
        await eventually(
            lambda: state(hass, "sensor.there_outdoor_temperature") == "25.0"
        )


async def test_a_reported_value_is_shown_without_a_reading(
    hass: HomeAssistant,
) -> None:
    async with device() as peer:
        declared = peer.as_declared
        text = site_text(
            {"roof": (declared.address, declared.instance)},
            {
                "weather": {
                    **weather("roof", "Weather"),
                    "points": {"outdoor_temperature": {"object": "analog-input,1"}},
                }
            },
            # Longer than anybody waits here.
            intervals=(300, 3600, 7200),
        )
        entry = await set_up(hass, text)
        coordinator = entry.runtime_data.coordinator
        await eventually(lambda: coordinator.links.traffic()["roof"].subscriptions == 1)
        await peer.measure("analog-input,1", rb.PropertyValue.real(31.5))
        await eventually(
            lambda: state(hass, "sensor.weather_outdoor_temperature") == "31.5"
        )


async def test_what_a_lost_report_would_have_told_is_read_in_the_next_round(
    hass: HomeAssistant,
) -> None:
    # It agrees to report, and none of its reports ever arrives.
    async with reporting_device([6.7]) as (declared, peer):
        text = site_text(
            {"chiller": (declared.address, declared.instance)},
            {
                "chiller_1": {
                    "type": "chiller",
                    "name": "Chiller 1",
                    "device": "chiller",
                    "points": {
                        "chilled_water_supply_temperature": {"object": "analog-input,1"}
                    },
                }
            },
            # Longer than anybody waits here, but for what interlocks need.
            intervals=(1, 3600, 7200),
        )
        entry = await set_up(hass, text)
        links = entry.runtime_data.coordinator.links
        await eventually(lambda: links.traffic()["chiller"].subscriptions == 1)
        supply = ObjectIdentifier(("analog-input", 1))
        peer.get_object_id(supply).presentValue = 9.4
        await eventually(
            lambda: (
                state(hass, "sensor.chiller_1_chilled_water_supply_temperature")
                == "9.4"
            )
        )


async def test_a_device_that_comes_back_is_read_whole(hass: HomeAssistant) -> None:
    async with device(inputs=2) as peer:
        declared = peer.as_declared
        text = site_text(
            {"meter": (declared.address, declared.instance)},
            {
                "meter": {
                    "type": "meter",
                    "name": "Meter",
                    "device": "meter",
                    "points": {
                        "power": {"object": "analog-input,1", "poll": "fast"},
                        # Nobody would look at it for an hour.
                        "energy": {"object": "analog-input,2", "poll": "slow"},
                    },
                }
            },
            intervals=(1, 60, 3600),
        )
        entry = await set_up(hass, text)
        coordinator = entry.runtime_data.coordinator
        assert state(hass, "sensor.meter_energy") == "2.0"
        await peer.stop()
        await eventually(lambda: "meter" in coordinator.silent)
        await eventually(lambda: state(hass, "sensor.meter_energy") == "unavailable")

        await peer.start()
        await peer.measure("analog-input,2", rb.PropertyValue.real(42.0))
        await eventually(lambda: state(hass, "sensor.meter_energy") == "42.0", 60)
