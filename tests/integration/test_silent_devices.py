"""Equipment that does not answer: its own entities suffer, nothing else does."""

from typing import Any

from bacpypes3.primitivedata import Real
import pytest

from homeassistant.core import HomeAssistant
from homeassistant.helpers import entity_registry as er, issue_registry as ir
from tests.integration.served_plant import ServedPlant, operate, set_up, state
from tests.waiting import eventually


def unavailable(hass: HomeAssistant) -> set[str]:
    """Return the entities that have nothing to show."""
    return {
        item.entity_id
        for item in hass.states.async_all()
        if item.state == "unavailable"
    }


def of_device(hass: HomeAssistant, entry: object, device: str) -> set[str]:
    """Return the entities of the points that a device of the plant file serves."""
    data = entry.runtime_data  # type: ignore[attr-defined]
    registry = er.async_get(hass)
    found = set()
    for point in data.plant.points.values():
        if point.address is not None and point.address.device == device:
            for domain in ("sensor", "binary_sensor", "number", "switch"):
                entity_id = registry.async_get_entity_id(
                    domain, "chiller_plant", f"{data.plant.key}.{point.key}"
                )
                if entity_id is not None:
                    found.add(entity_id)
    return found


def issues(hass: HomeAssistant) -> dict[str, ir.IssueEntry]:
    """Return our repair issues by their translation key."""
    return {
        str(issue.translation_key): issue
        for issue in ir.async_get(hass).issues.values()
        if issue.domain == "chiller_plant"
    }


@pytest.mark.parametrize(
    ("plug", "devices"),
    [
        ("chiller_2_controller", ["chiller_2_controller"]),
        (
            "meters",
            [
                "chiller_1_meter",
                "chiller_2_meter",
                "plant_meter",
                "site_meter",
                "building_controller",
            ],
        ),
    ],
)
async def test_a_silent_server_takes_only_its_own_entities_with_it(
    hass: HomeAssistant,
    served: ServedPlant,
    caplog: pytest.LogCaptureFixture,
    plug: str,
    devices: list[str],
) -> None:
    entry = await set_up(hass, served.text)
    theirs = set().union(*(of_device(hass, entry, device) for device in devices))
    assert theirs
    await eventually(lambda: not unavailable(hass))

    await served.unplug(plug)
    await eventually(lambda: unavailable(hass) == theirs)
    await eventually(lambda: "silent_device" in issues(hass))
    issue = issues(hass)["silent_device"]
    assert issue.translation_placeholders is not None
    assert "127.0.0." in issue.translation_placeholders["address"]
    # Everything else goes on, commands too.
    await operate(hass, "number.wards_temperature_setpoint", 22.0)
    await eventually(lambda: served.commanded("zone_1.temperature_setpoint") == 22.0)

    await served.plug_in(plug)
    await eventually(lambda: not unavailable(hass))
    await eventually(lambda: "silent_device" not in issues(hass))
    for device in devices:
        gone = [
            record
            for record in caplog.records
            if f"{device} does not answer and is left out" in record.getMessage()
        ]
        assert len(gone) == 1


async def test_a_plant_starts_without_a_silent_device_and_takes_it_in_later(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    await served.unplug("zone_controller")
    entry = await set_up(hass, served.text)
    theirs = of_device(hass, entry, "zone_controller")
    assert theirs <= unavailable(hass)
    assert state(hass, "binary_sensor.chiller_1_run_status") == "off"

    await served.plug_in("zone_controller")
    await eventually(lambda: not unavailable(hass))


async def test_a_command_for_a_silent_device_is_held_and_sent_when_it_is_back(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    coordinator = entry.runtime_data.coordinator
    await served.unplug("zone_controller")
    await eventually(lambda: "zone_controller" in coordinator.silent)
    response: Any = await hass.services.async_call(
        "chiller_plant",
        "command",
        {"entity_id": "number.wards_temperature_setpoint", "value": 22},
        blocking=True,
        return_response=True,
    )
    assert "zone_controller" in response["commands"][0]["hold"]

    await served.plug_in("zone_controller")
    await eventually(lambda: served.commanded("zone_1.temperature_setpoint") == 22.0)


async def test_a_command_that_the_device_does_not_keep_is_a_repair_issue(
    hass: HomeAssistant, served: ServedPlant
) -> None:
    entry = await set_up(hass, served.text)
    coordinator = entry.runtime_data.coordinator
    await operate(hass, "number.wards_temperature_setpoint", 22.0)
    await eventually(lambda: served.commanded("zone_1.temperature_setpoint") == 22.0)
    # Somebody stands at the controller and overrides it at a higher priority.
    server = served.simulation.servers["zone_controller"]
    setpoint = server._objects["zone_1.temperature_setpoint"]  # type: ignore[attr-defined]
    await setpoint.write_property("presentValue", Real(28.0), None, 8)
    await eventually(lambda: "mismatch" in issues(hass), timeout=60)
    placeholders = issues(hass)["mismatch"].translation_placeholders
    assert placeholders is not None
    assert (placeholders["wanted"], placeholders["found"]) == ("22", "28")

    await coordinator.async_release(source="operator")
    await eventually(lambda: "mismatch" not in issues(hass))
