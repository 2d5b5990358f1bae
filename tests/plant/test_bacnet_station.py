"""How a plant file says where a BACnet device is."""

import pytest
import voluptuous as vol

from custom_components.chiller_plant.plant.plant_file.wire_values import (
    bacnet_host,
    bacnet_station,
)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("10.0.0.7", "10.0.0.7:47808"),
        ("10.0.0.7:47809", "10.0.0.7:47809"),
        ("2:17", "2:17"),
        ("2:0x0a0b", "2:0x0a0b"),
        ("2:17@10.0.0.1", "2:17@10.0.0.1:47808"),
        ("2:17@10.0.0.1:47809", "2:17@10.0.0.1:47809"),
    ],
)
def test_where_a_device_is(written: str, meant: str) -> None:
    assert bacnet_station(written) == meant


@pytest.mark.parametrize(
    "written",
    ["2:17@", "2:17@router", "2:17@3:4", "2:17@10.0.0.1@10.0.0.2", "10.0.0.7@10.0.0.1"],
)
def test_what_says_nowhere(written: str) -> None:
    with pytest.raises(vol.Invalid, match="expected"):
        bacnet_station(written)


def test_broadcast_device_is_no_station_behind_a_router() -> None:
    with pytest.raises(vol.Invalid, match=r"as in 10\.0\.0\.7:47808$"):
        bacnet_host("2:17@10.0.0.1:47808")
