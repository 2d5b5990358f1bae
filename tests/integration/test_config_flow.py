"""Adding a plant and changing it, as a person does it in the UI."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from aiohttp import FormData
from aiohttp.test_utils import TestClient
from aiohttp.web import Application, Request
import pytest

from custom_components.chiller_plant.const import DOMAIN
from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType
from tests.integration.served_plant import (
    ServedPlant,
    entry_for,
    example_text,
    operate,
    set_up,
    state,
)
from tests.waiting import eventually


@pytest.fixture
def config_folder(hass: HomeAssistant, tmp_path: Path) -> Path:
    """Give Home Assistant a configuration folder of its own."""
    hass.config.config_dir = str(tmp_path)
    return tmp_path


async def begin(hass: HomeAssistant, choice: str) -> ConfigFlowResult:
    """Open the flow and choose where the plant comes from."""
    flow = await hass.config_entries.flow.async_init(DOMAIN, context={"source": "user"})
    assert flow["type"] is FlowResultType.MENU
    return await hass.config_entries.flow.async_configure(
        flow["flow_id"], {"next_step_id": choice}
    )


async def import_file(hass: HomeAssistant, **answers: Any) -> ConfigFlowResult:
    """Fill in the import form."""
    form = await begin(hass, "file")
    assert form["type"] is FlowResultType.FORM
    return await hass.config_entries.flow.async_configure(form["flow_id"], answers)


async def test_the_simulated_plant_needs_nothing(hass: HomeAssistant) -> None:
    result = await begin(hass, "simulated")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["title"] == "Two chillers"
    await hass.async_block_till_done()
    entry = result["result"]
    assert entry.state is ConfigEntryState.LOADED
    assert entry.unique_id == "two_chillers"
    await operate(hass, "number.wards_temperature_setpoint", 22.0)
    await eventually(lambda: state(hass, "number.wards_temperature_setpoint") == "22.0")

    # The equipment of a restarted simulation does not forget its commands.
    await hass.config_entries.async_reload(entry.entry_id)
    await hass.async_block_till_done()
    assert state(hass, "number.wards_temperature_setpoint") == "22.0"

    again = await begin(hass, "simulated")
    assert again["type"] is FlowResultType.ABORT
    assert again["reason"] == "already_configured"


async def test_a_plant_file_is_imported_from_the_configuration_folder(
    hass: HomeAssistant, served: ServedPlant, config_folder: Path
) -> None:
    (config_folder / "plant.yaml").write_text(served.text)
    result = await import_file(hass, path="plant.yaml")
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["plant_file"] == served.text
    assert result["data"]["source"] == "file"
    await hass.async_block_till_done()
    assert result["result"].state is ConfigEntryState.LOADED


async def test_a_plant_file_is_uploaded(
    hass: HomeAssistant,
    served: ServedPlant,
    hass_client: Callable[[], Awaitable[TestClient[Request, Application]]],
) -> None:
    form = await begin(hass, "file")
    body = FormData()
    body.add_field("file", served.text.encode(), filename="mine.yaml")
    client = await hass_client()
    answer = await client.post("/api/file_upload", data=body)
    file_id = (await answer.json())["file_id"]

    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"plant_file": file_id}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY
    assert result["data"]["plant_file"] == served.text
    assert result["data"]["plant_file_name"] == "mine.yaml"


async def test_every_problem_of_a_file_is_shown_and_can_be_mended(
    hass: HomeAssistant, served: ServedPlant, config_folder: Path
) -> None:
    broken = served.text.replace("poll_interval: 1", "poll_interval: never").replace(
        "device: zone_controller", "device: zone_controler"
    )
    (config_folder / "plant.yaml").write_text(broken)
    form = await import_file(hass, path="plant.yaml")
    assert form["errors"] == {"base": "invalid_plant_file"}
    assert form["description_placeholders"] is not None
    problems = form["description_placeholders"]["problems"]
    assert "poll_interval" in problems
    assert "did you mean" in problems

    (config_folder / "plant.yaml").write_text(served.text)
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"path": "plant.yaml"}
    )
    assert result["type"] is FlowResultType.CREATE_ENTRY


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({}, "one_file"),
        ({"path": "plant.yaml", "plant_file": "0" * 32}, "one_file"),
        ({"path": "missing.yaml"}, "cannot_read_file"),
        ({"path": "/etc/passwd"}, "cannot_read_file"),
        ({"plant_file": "0" * 32}, "cannot_read_file"),
    ],
)
async def test_a_file_that_cannot_be_read_is_said(
    hass: HomeAssistant, config_folder: Path, answers: dict[str, Any], error: str
) -> None:
    form = await import_file(hass, **answers)
    assert form["errors"] == {"base": error}


async def test_silent_devices_are_shown_before_the_plant_is_accepted(
    hass: HomeAssistant, served: ServedPlant, config_folder: Path
) -> None:
    await served.unplug("zone_controller")
    (config_folder / "plant.yaml").write_text(served.text)
    form = await import_file(hass, path="plant.yaml")
    assert form["step_id"] == "silent"
    assert form["description_placeholders"] is not None
    assert "zone_controller" in form["description_placeholders"]["silent"]
    assert form["description_placeholders"]["answered"] == "16"
    result = await hass.config_entries.flow.async_configure(form["flow_id"], {})
    assert result["type"] is FlowResultType.CREATE_ENTRY


async def test_a_plant_of_which_nothing_answers_is_not_accepted(
    hass: HomeAssistant, config_folder: Path
) -> None:
    (config_folder / "plant.yaml").write_text(example_text())
    form = await import_file(hass, path="plant.yaml")
    assert form["errors"] == {"base": "cannot_connect"}
    assert form["description_placeholders"] is not None
    assert "chiller_1_controller" in form["description_placeholders"]["problems"]


async def test_a_changed_file_of_the_same_plant_is_taken(
    hass: HomeAssistant, served: ServedPlant, config_folder: Path
) -> None:
    entry = await set_up(hass, served.text)
    begin_at = served.text.index("  zone_3:\n")
    end_at = served.text.index("  chiller_1_power:\n")
    smaller = served.text[:begin_at] + served.text[end_at:].replace(" zone_3,", "")
    (config_folder / "plant.yaml").write_text(smaller)
    await operate(hass, "number.offices_temperature_setpoint", 21.0)
    await eventually(lambda: served.commanded("zone_3.temperature_setpoint") == 21.0)

    form = await entry.start_reconfigure_flow(hass)
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"path": "plant.yaml"}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    assert "zone_3" not in entry.runtime_data.plant.equipment
    # Nobody would ever have released it again.
    assert served.commanded("zone_3.temperature_setpoint") == 24.0


async def test_a_file_of_another_plant_is_not_taken(
    hass: HomeAssistant, served: ServedPlant, config_folder: Path
) -> None:
    entry = entry_for(served.text)
    entry.add_to_hass(hass)
    other = served.text.replace("key: two_chillers", "key: other")
    (config_folder / "plant.yaml").write_text(other)
    form = await entry.start_reconfigure_flow(hass)
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"path": "plant.yaml"}
    )
    assert result["type"] is FlowResultType.ABORT
    assert result["reason"] == "other_plant"


async def test_our_own_bacnet_identity_can_be_changed(
    hass: HomeAssistant, served: ServedPlant, config_folder: Path
) -> None:
    entry = await set_up(hass, served.text)
    changed = served.text.replace("instance: 4190001", "instance: 4190002")
    assert changed != served.text
    (config_folder / "plant.yaml").write_text(changed)
    await operate(hass, "number.wards_temperature_setpoint", 21.0)
    await eventually(lambda: served.commanded("zone_1.temperature_setpoint") == 21.0)

    form = await entry.start_reconfigure_flow(hass)
    result = await hass.config_entries.flow.async_configure(
        form["flow_id"], {"path": "plant.yaml"}
    )
    assert result["reason"] == "reconfigure_successful"
    await hass.async_block_till_done()
    assert entry.state is ConfigEntryState.LOADED
    # The same points of the same devices stay with who owns them.
    assert served.commanded("zone_1.temperature_setpoint") == 21.0
    assert state(hass, "number.wards_temperature_setpoint") == "21.0"
