"""A few BACnet controllers with a point or two each, and the plant file for them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bacpypes3.app import Application
from bacpypes3.errors import ExecutionError
from bacpypes3.local.analog import AnalogInputObject
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject
import yaml

from tests.ports import udp_port

OUR_INSTANCE = 4190001


class Controller(Application):  # type: ignore[misc]
    """A controller that takes its time, counts, and reports nothing by itself."""

    address: str
    instance: int

    def begin(self, address: str, instance: int) -> None:
        self.address = address
        self.instance = instance
        self.delay = 0.0
        self.reads: Counter[str] = Counter()
        """How often each object was read."""
        self.being_asked = self.most_asked = 0

    async def do_SubscribeCOVRequest(self, apdu: Any) -> None:
        raise ExecutionError("services", "optional-functionality-not-supported")

    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:
        self.being_asked += 1
        self.most_asked = max(self.most_asked, self.being_asked)
        for item in apdu.listOfReadAccessSpecs:
            self.reads[str(item.objectIdentifier)] += 1
        await asyncio.sleep(self.delay)
        self.being_asked -= 1
        await super().do_ReadPropertyMultipleRequest(apdu)

    def measure(self, number: int, value: float) -> None:
        """Let an input measure something."""
        self.get_object_name(f"AI{number}").presentValue = value


@asynccontextmanager
async def controller(
    host: str, instance: int, values: Iterable[float]
) -> AsyncIterator[Controller]:
    """Run a controller with these analog inputs."""
    port = udp_port()
    application = Controller.from_object_list(
        [
            DeviceObject(
                objectIdentifier=("device", instance),
                objectName=f"controller {instance}",
                vendorIdentifier=999,
            ),
            NetworkPortObject(
                f"{host}/32:{port}",
                objectIdentifier=("network-port", 1),
                objectName="port",
            ),
            *(
                AnalogInputObject(
                    objectIdentifier=("analog-input", number),
                    objectName=f"AI{number}",
                    presentValue=value,
                    statusFlags=[0, 0, 0, 0],
                    eventState="normal",
                    outOfService=False,
                    units="degrees-celsius",
                )
                for number, value in enumerate(values, 1)
            ),
        ]
    )
    application.begin(f"{host}:{port}", instance)
    try:
        yield application
    finally:
        application.close()
        await asyncio.sleep(0)


def site_text(
    devices: Mapping[str, tuple[str, int]],
    equipment: Mapping[str, Mapping[str, Any]],
    *,
    key: str = "site",
    local_port: int | None = None,
    intervals: tuple[int, int, int] = (1, 1, 1),
) -> str:
    """Return a plant file.

    `devices` are address and instance by key; `intervals` those of the three tiers.
    """
    fast, normal, slow = intervals
    return yaml.safe_dump(
        {
            "plant": {
                "key": key,
                "name": key.capitalize(),
                "poll_interval": fast,
                "normal_poll_interval": normal,
                "slow_poll_interval": slow,
                "command_lease": max(60, 2 * fast),
            },
            "connections": {
                "bms": {
                    "protocol": "bacnet_ip",
                    "local_address": "127.0.0.1/8",
                    "local_port": local_port or udp_port(),
                    "instance": OUR_INSTANCE,
                    "devices": {
                        device: {"address": address, "instance": instance}
                        for device, (address, instance) in devices.items()
                    },
                }
            },
            "equipment": equipment,
        }
    )


def weather(device: str, name: str) -> dict[str, Any]:
    """Return a weather station whose temperature is the first analog input."""
    return {
        "type": "weather_station",
        "name": name,
        "device": device,
        "points": {
            "outdoor_temperature": {"object": "analog-input,1"},
            "relative_humidity": {"object": "analog-input,2"},
        },
    }
