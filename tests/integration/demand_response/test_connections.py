"""Connections to utilities, as a person makes and changes them."""

import json
from pathlib import Path
import re
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry
from pytest_homeassistant_custom_component.components.diagnostics import (
    get_diagnostics_for_config_entry,
)
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.chiller_plant.flows import utility as utility_form
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.integration.demand_response.site import (
    GRID,
    GRID_3,
    SECRET,
    Board,
    set_up_site,
    told,
    utility,
)

FORM_2 = {
    "name": "Grid",
    "ven_name": "two-chillers",
    "url": "https://vtn.example.com/OpenADR2/Simple/2.0b",
    "certificate": "/certificates/plant.crt",
    "key": "/certificates/plant.key",
    "passphrase": SECRET,
    "sign": True,
    "check_hostname": True,
    "report_interval": 60,
}
FORM_3 = {
    "name": "Market",
    "ven_name": "two-chillers",
    "url": "https://vtn.example.com/openadr3/3.1.0",
    "client_id": "two-chillers",
    "client_secret": SECRET,
    "poll": 30,
    "report_interval": 60,
}
FLOW = Path(__file__).parents[3] / "custom_components" / "chiller_plant"


async def add(
    hass: HomeAssistant, entry: MockConfigEntry, step: str, form: dict[str, Any]
) -> dict[str, Any]:
    """Fill in the form of a new connection."""
    flows = hass.config_entries.subentries
    flow = await flows.async_init(
        (entry.entry_id, "utility"), context={"source": "user"}
    )
    flow = await flows.async_configure(flow["flow_id"], {"next_step_id": step})
    assert flow["type"] is FlowResultType.FORM
    result = await flows.async_configure(flow["flow_id"], form)
    await hass.async_block_till_done()
    return dict(result)


async def change(
    hass: HomeAssistant, entry: MockConfigEntry, subentry_id: str
) -> dict[str, Any]:
    """Open the form of a connection that there is."""
    flow = await hass.config_entries.subentries.async_init(
        (entry.entry_id, "utility"),
        context={"source": "reconfigure", "subentry_id": subentry_id},
    )
    return dict(flow)


async def test_connections_of_all_protocols_reach_the_engine(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines)
    for step, form in (
        ("openadr_2", FORM_2),
        ("openadr_30", FORM_3 | {"name": "Old market"}),
        ("openadr_31", FORM_3),
    ):
        result = await add(hass, entry, step, form)
        assert result["type"] is FlowResultType.CREATE_ENTRY
    rows = (await told(hass, entry))["connections"]
    assert [(row["name"], row["protocol"]) for row in rows] == [
        ("Grid", "2.0b"),
        ("Market", "3.1"),
        ("Old market", "3.0"),
    ]
    assert rows[0]["passphrase"] == SECRET
    assert rows[1]["client_secret"] == SECRET
    assert len({row["id"] for row in rows}) == 3


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"name": "  "}, {"name": "not_empty"}),
        ({"name": "x" * 61}, {"name": "name_too_long"}),
        ({"name": "Grid:1"}, {"name": "name_too_long"}),
        ({"name": "grid"}, {"name": "name_taken"}),
        ({"url": "vtn.example.com"}, {"url": "not_an_address"}),
        ({"url": "https://"}, {"url": "not_an_address"}),
        ({"url": "https://vtn:port/"}, {"url": "not_an_address"}),
        ({"url": "https://me:secret@vtn.example.com"}, {"url": "not_an_address"}),
        ({"url": "ftp://vtn.example.com"}, {"url": "not_an_address"}),
        ({"url": "http://vtn.example.com"}, {"url": "not_encrypted"}),
        ({"url": "http://8.8.8.8/"}, {"url": "not_encrypted"}),
        ({"key": ""}, {"key": "both_files"}),
        ({"certificate": ""}, {"certificate": "both_files"}),
        (
            {"certificate": "", "key": ""},
            {"passphrase": "passphrase_of_nothing"},
        ),
        ({"fingerprint": "3F:9C"}, {"fingerprint": "not_a_fingerprint"}),
        (
            {"name": "Grid", "url": "vtn.example.com"},
            {"name": "name_taken", "url": "not_an_address"},
        ),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
async def test_connection_that_cannot_work_is_refused(
    hass: HomeAssistant,
    machines: Board,
    changed: dict[str, Any],
    error: dict[str, str],
) -> None:
    entry = await set_up_site(hass, machines, utility("Grid", GRID, "grid"))
    result = await add(hass, entry, "openadr_2", FORM_2 | {"name": "Second"} | changed)
    assert result["errors"] == error
    assert len(entry.subentries) == 1


async def test_password_is_not_typed_again_for_a_mistake_in_another_field(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines)
    for step, form, password in (
        ("openadr_2", FORM_2, "passphrase"),
        ("openadr_31", FORM_3, "client_secret"),
    ):
        refused = await add(hass, entry, step, form | {"url": "vtn.example.com"})
        shown = {str(key): key.description for key in refused["data_schema"].schema}
        assert SECRET not in str(shown)
        assert shown["name"] == {"suggested_value": form["name"]}
        mended = {key: value for key, value in form.items() if key != password}
        done = await hass.config_entries.subentries.async_configure(
            refused["flow_id"], mended
        )
        assert done["type"] is FlowResultType.CREATE_ENTRY
        assert done["data"][password] == SECRET


async def test_client_needs_its_secret(hass: HomeAssistant, machines: Board) -> None:
    entry = await set_up_site(hass, machines)
    result = await add(hass, entry, "openadr_31", FORM_3 | {"client_secret": ""})
    assert result["errors"] == {"client_secret": "not_empty"}


@pytest.mark.parametrize(
    "given",
    [
        "5a:00:11:22:33:44:55:66:77:ff",
        "5A 00 11 22 33 44 55 66 77 FF",
        "0" * 44 + "5a0011223344556677ff",
    ],
)
async def test_fingerprint_is_kept_as_the_protocol_writes_it(
    hass: HomeAssistant, machines: Board, given: str
) -> None:
    entry = await set_up_site(hass, machines)
    await add(hass, entry, "openadr_2", FORM_2 | {"fingerprint": given})
    (row,) = (await told(hass, entry))["connections"]
    assert row["fingerprint"] == "5A:00:11:22:33:44:55:66:77:FF"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        (
            {"callback_url": "https://site.example.com/"},
            {"callback_listen": "both_addresses"},
        ),
        ({"callback_listen": "127.0.0.1:8124"}, {"callback_url": "both_addresses"}),
        (
            {"callback_url": "http://site.example.com/", "callback_listen": "h:1"},
            {"callback_url": "not_encrypted"},
        ),
        (
            {"callback_url": "https://site.example.com/", "callback_listen": "8124"},
            {"callback_listen": "not_a_socket"},
        ),
        (
            {"callback_url": "https://site.example.com/", "callback_listen": "h:99999"},
            {"callback_listen": "not_a_socket"},
        ),
    ],
    ids=["only url", "only listen", "http", "no port", "port too high"],
)
async def test_notifications_need_an_address_outside_and_inside(
    hass: HomeAssistant,
    machines: Board,
    changed: dict[str, Any],
    error: dict[str, str],
) -> None:
    entry = await set_up_site(hass, machines)
    result = await add(hass, entry, "openadr_31", FORM_3 | changed)
    assert result["errors"] == error


@pytest.mark.parametrize(
    "url", ["http://localhost:8080/x", "http://127.0.0.1/x", "http://10.0.0.7:8080/x"]
)
async def test_server_in_the_building_needs_no_encryption(
    hass: HomeAssistant, machines: Board, url: str
) -> None:
    entry = await set_up_site(hass, machines)
    result = await add(hass, entry, "openadr_2", FORM_2 | {"url": url})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_changing_a_connection_keeps_its_password_unless_a_new_one_is_given(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines, utility("Market", GRID_3, "market"))
    flow = await change(hass, entry, "market")
    assert flow["step_id"] == "openadr_31"
    # What is kept secret is not sent to a browser.
    assert SECRET not in str(flow["data_schema"].schema)
    without = {key: value for key, value in FORM_3.items() if key != "client_secret"}
    await hass.config_entries.subentries.async_configure(
        flow["flow_id"], without | {"name": "Exchange", "program": "Peak"}
    )
    await hass.async_block_till_done()
    (row,) = (await told(hass, entry))["connections"]
    assert (row["name"], row["program"]) == ("Exchange", "Peak")
    assert row["client_secret"] == SECRET
    flow = await change(hass, entry, "market")
    await hass.config_entries.subentries.async_configure(
        flow["flow_id"], FORM_3 | {"client_secret": "another"}
    )
    await hass.async_block_till_done()
    (row,) = (await told(hass, entry))["connections"]
    assert (row["client_secret"], row["id"]) == ("another", "market")
    assert "program" not in row


async def test_passphrase_goes_with_its_key(
    hass: HomeAssistant, machines: Board
) -> None:
    entry = await set_up_site(hass, machines)
    await add(hass, entry, "openadr_2", FORM_2)
    (subentry_id,) = entry.subentries
    flow = await change(hass, entry, subentry_id)
    kept = {"name", "ven_name", "url", "sign", "check_hostname", "report_interval"}
    await hass.config_entries.subentries.async_configure(
        flow["flow_id"], {key: FORM_2[key] for key in kept}
    )
    await hass.async_block_till_done()
    (row,) = (await told(hass, entry))["connections"]
    assert not {"passphrase", "key", "certificate"} & row.keys()


async def test_no_secret_is_in_diagnostics_or_logs(
    hass: HomeAssistant,
    machines: Board,
    hass_client: ClientSessionGenerator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    entry = await set_up_site(
        hass,
        machines,
        utility("Market", GRID_3, "market"),
        utility(
            "Grid",
            GRID | {"passphrase": SECRET, "key": "/k", "certificate": "/c"},
            "grid",
        ),
    )
    await told(hass, entry)
    found = await get_diagnostics_for_config_entry(hass, hass_client, entry)
    assert SECRET not in json.dumps(found)
    assert GRID_3["url"] not in json.dumps(found)
    assert found["demand_response"]["connections"][1]["protocol"] == "3.1"
    assert SECRET not in caplog.text


def test_every_step_field_and_error_of_the_forms_is_written() -> None:
    code = (FLOW / "flows" / "utility.py").read_text()
    words = json.loads((FLOW / "translations" / "en.json").read_text())
    written = words["config_subentries"]["utility"]
    steps = set(re.findall(r"def async_step_(\w+)", code))
    assert steps - {"reconfigure"} == set(written["step"])
    refused = set(re.findall(r'errors\[[^\]]+\] = "(\w+)"', code))
    refused |= set(re.findall(r'errors.setdefault\(\w+, "(\w+)"', code))
    assert refused == set(written["error"])
    for name, schema in (
        ("openadr_2", utility_form.SCHEMA_2),
        ("openadr_30", utility_form.SCHEMA_3),
        ("openadr_31", utility_form.SCHEMA_3),
    ):
        step = written["step"][name]
        assert {str(key) for key in schema.schema} == step["data"].keys(), name
        assert step["data"].keys() == step["data_description"].keys()
