"""A plant made of a point list (EDE), against the devices that it lists."""

from collections.abc import Awaitable, Callable
import io
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from custom_components.chiller_plant.const import DOMAIN
from custom_components.chiller_plant.flows import ede
from custom_components.chiller_plant.plant.model import (
    BacnetAddress,
    BacnetConnection,
    BacnetDevice,
    Plant,
)
from custom_components.chiller_plant.plant.plant_file import parse_plant
from homeassistant.config_entries import ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from homeassistant.setup import async_setup_component
from tests.integration.forms import Client, Walk, add_plant, upload
from tests.integration.served_plant import ServedPlant, operate, state
from tests.ports import udp_port
from tests.waiting import eventually

LOOPBACK = {"local_address": "127.0.0.1/8", "instance": 4190009}
_TYPES = {
    "analog-input": 0,
    "analog-output": 1,
    "analog-value": 2,
    "binary-input": 3,
    "binary-output": 4,
    "binary-value": 5,
}
_UNITS = {"°C": 62, "%": 98, "l/s": 87, "kPa": 54, "kW": 48, "kWh": 19, None: ""}
_HEAD = """\
#Engineering-Data-Exchange - B.I.G.-EU
PROJECT_NAME;Hospital
VERSION_OF_REFERENCEFILE;1
TIMESTAMP_OF_LAST_CHANGE;2026-11-21
AUTHOR_OF_LAST_CHANGE;Commissioning
VERSION_OF_LAYOUT;2.3
#keyname;device obj.-instance;object-name;object-type;object-instance;description;\
present-value-default;min-present-value;max-present-value;settable;supports COV;\
hi-limit;low-limit;state-text-reference;unit-code;vendor-specific-addres
"""


@pytest.fixture
async def client(
    hass: HomeAssistant, hass_client: Callable[[], Awaitable[Client]]
) -> Client:
    """Be a browser that is signed in."""
    await async_setup_component(hass, "file_upload", {})
    # A test's web server takes no addresses any more once it serves.
    await async_setup_component(hass, DOMAIN, {})
    return await hass_client()


@pytest.fixture(autouse=True)
def _listen_shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody on loopback is behind a slow router."""
    monkeypatch.setattr(ede, "LISTEN", 0.5)


def controllers(plant: Plant) -> dict[str, BacnetDevice]:
    """Return the BACnet devices of a plant."""
    connection = plant.connections["bms"]
    assert isinstance(connection, BacnetConnection)
    return dict(connection.devices)


def point_list(plant: Plant) -> str:
    """Return the point list of the controllers as an engineering tool writes it."""
    rows = []
    for point in plant.points.values():
        if isinstance(point.address, BacnetAddress):
            device = controllers(plant)[point.address.device]
            rows.append(
                f"{point.key};{device.instance};{point.key};"
                f"{_TYPES[point.address.object_type]};{point.address.object_instance};"
                f"{point.role.name.replace('_', ' ')};;;;"
                f"{'Y' if point.writable else 'N'};N;;;;"
                f"{_UNITS[point.role.quantity.unit]};"
            )
    rows.append("schedule;1003;Occupancy;17;1;a schedule;;;;N;N;;;;;")
    return _HEAD + "\n".join(rows) + "\n"


def packed(**files: bytes) -> bytes:
    """Return a zip file."""
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(f"export/{name}.csv", data)
    return content.getvalue()


async def take(hass: HomeAssistant, client: Client, content: bytes, name: str) -> Walk:
    """Upload a point list."""
    walk = await add_plant(hass, "ede")
    await walk.submit(point_list=await upload(client, content, name))
    return walk


async def test_a_plant_is_made_of_a_list_and_its_devices_are_found(
    hass: HomeAssistant, client: Client, served: ServedPlant
) -> None:
    plant = served.simulation.plant
    content = packed(
        Hospital_EDE=point_list(plant).encode("cp1252"), Hospital_StateTexts=b"1;Off;On"
    )
    walk = await take(hass, client, content, "export.zip")
    assert walk.step == "point_list"
    assert "1004" in walk.told["devices"]
    assert walk.told["skipped_count"] == "1"
    assert "Hospital_EDE.csv, line" in walk.told["skipped"]
    await walk.submit(
        **LOOPBACK,
        local_port=udp_port(),
        addresses=[device.address for device in controllers(plant).values()],
    )
    await walk.wait()
    assert walk.step == "places"
    for device in controllers(plant).values():
        assert f"{device.instance} = {device.address}" in walk.defaults()["places"]
    assert walk.told["missing"] == "none"
    await walk.submit()
    assert walk.step == "machines"
    await walk.submit(check=[])
    await walk.choose("serving")
    while walk.step == "serving":
        await walk.submit()
    await walk.submit(name="Hospital")
    assert walk.shown["type"] is FlowResultType.CREATE_ENTRY, walk.shown
    await hass.async_block_till_done()

    entry = walk.shown["result"]
    assert entry.state is ConfigEntryState.LOADED
    made = parse_plant(entry.data["plant_file"], "hospital.yaml")
    for key, point in made.points.items():
        wanted = plant.points[key].address
        if isinstance(point.address, BacnetAddress):
            assert isinstance(wanted, BacnetAddress)
            assert (point.address.object_type, point.address.object_instance) == (
                wanted.object_type,
                wanted.object_instance,
            ), key
    assert sum(
        isinstance(point.address, BacnetAddress) for point in made.points.values()
    ) == sum(
        isinstance(point.address, BacnetAddress) for point in plant.points.values()
    )
    await operate(hass, "number.zone_1_temperature_setpoint", 22.5)
    await eventually(lambda: served.commanded("zone_1.temperature_setpoint") == 22.5)
    await eventually(
        lambda: state(hass, "number.zone_1_temperature_setpoint") == "22.5"
    )
    await hass.config_entries.async_unload(entry.entry_id)


async def test_addresses_are_written_by_hand_and_devices_without_are_left_out(
    hass: HomeAssistant, client: Client, served: ServedPlant
) -> None:
    plant = served.simulation.plant
    zones = controllers(plant)["zone_controller"].address
    walk = await take(hass, client, point_list(plant).encode(), "Hospital_EDE.csv")
    await walk.submit(**LOOPBACK, local_port=udp_port(), find=False)
    assert walk.step == "places"
    for written, error in (
        ("1004 = zones.example", "bad_place"),
        (f"9999 = {zones}", "bad_place"),
        ("1001 =\n1004", "no_place"),
    ):
        await walk.submit(places=written)
        assert walk.errors == {"places": error}
    await walk.submit(places=f"\n1001 =\n 1004 = {zones} \n")
    assert walk.step == "machines"
    assert set(walk.options("keep")) == {"zone_1", "zone_2", "zone_3"}
    assert walk.told["notes"].count("it has no address") == 3
    await walk.submit(check=[])
    await walk.choose("serving")
    await walk.submit(name="Zones only")
    assert walk.shown["type"] is FlowResultType.CREATE_ENTRY, walk.shown
    await hass.async_block_till_done()
    await hass.config_entries.async_unload(walk.shown["result"].entry_id)


async def test_devices_that_nobody_finds_are_named(
    hass: HomeAssistant, client: Client, served: ServedPlant
) -> None:
    plant = served.simulation.plant
    walk = await take(hass, client, point_list(plant).encode(), "Hospital_EDE.csv")
    await walk.submit(
        **LOOPBACK,
        local_port=udp_port(),
        addresses=[controllers(plant)["zone_controller"].address],
    )
    await walk.wait()
    assert walk.step == "places"
    missing = walk.told["missing"]
    assert "instance 1001" in missing
    assert "instance 1004" not in missing
    walk.close()


@pytest.mark.parametrize(
    ("answers", "errors"),
    [
        ({"local_address": "nowhere"}, {"local_address": "bad_local_address"}),
        ({"addresses": ["nowhere"]}, {"addresses": "bad_address"}),
        ({"local_address": "192.0.2.7/24"}, {"base": "cannot_open_network"}),
    ],
)
async def test_form_of_the_network_says_what_is_wrong(
    hass: HomeAssistant,
    client: Client,
    served: ServedPlant,
    answers: dict[str, Any],
    errors: dict[str, str],
) -> None:
    content = point_list(served.simulation.plant).encode()
    walk = await take(hass, client, content, "Hospital_EDE.csv")
    await walk.submit(**{**LOOPBACK, **answers})
    await walk.wait()
    assert walk.step == "point_list"
    assert walk.errors == errors


@pytest.mark.parametrize(
    ("content", "name", "error"),
    [
        (b"Dear colleague,\nplease find enclosed\n", "letter.csv", "no_point_list"),
        (b"", "empty.csv", "no_point_list"),
        (b"PK\x03\x04 not really", "broken.zip", "no_point_list"),
        (packed(big=b"0" * 3_000_000), "bomb.zip", "cannot_read_file"),
        (b"x" * 2_000_001, "long.csv", "cannot_read_file"),
        (
            packed(**{f"f{number}": b"" for number in range(51)}),
            "many.zip",
            "cannot_read_file",
        ),
    ],
    ids=["letter", "empty", "broken", "bomb", "long", "many"],
)
async def test_a_file_that_is_no_point_list_is_said(
    hass: HomeAssistant, client: Client, content: bytes, name: str, error: str
) -> None:
    walk = await take(hass, client, content, name)
    assert walk.step == "ede"
    assert walk.errors == {"base": error}


async def test_an_upload_that_is_gone_is_said(hass: HomeAssistant) -> None:
    walk = await add_plant(hass, "ede")
    await walk.submit(point_list="0" * 32)
    assert walk.errors == {"base": "cannot_read_file"}
