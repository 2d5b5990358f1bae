"""Devices that report changes, well and badly; stacks that we did not write."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bacpypes3.apdu import (
    ConfirmedCOVNotificationRequest,
    ErrorPDU,
    SimpleAckPDU,
    UnconfirmedCOVNotificationRequest,
)
from bacpypes3.app import Application
from bacpypes3.basetypes import PropertyValue, StatusFlags
from bacpypes3.constructeddata import Any as AnyValue
from bacpypes3.local.analog import AnalogInputObject
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject
from bacpypes3.pdu import Address
from bacpypes3.primitivedata import Atomic, ObjectIdentifier, Real

from custom_components.chiller_plant.plant.model import BacnetDevice
from tests.ports import udp_port

GOOD = StatusFlags([0, 0, 0, 0])


class ReportingDevice(Application):  # type: ignore[misc]
    """A device of bacpypes3 that leaves what it reports to the test."""

    def begin(self, refuse: Callable[[Any], Exception | None]) -> None:
        self.refuse = refuse
        self.asked: list[Any] = []
        """What was subscribed and ended, in order."""
        self.before_answering: Callable[[], Any] | None = None

    async def do_SubscribeCOVRequest(self, apdu: Any) -> None:
        self.asked.append(apdu)
        if (error := self.refuse(apdu)) is not None:
            raise error
        await self.response(SimpleAckPDU(context=apdu))

    async def do_ReadPropertyMultipleRequest(self, apdu: Any) -> None:
        if self.before_answering is not None:
            await self.before_answering()
        await super().do_ReadPropertyMultipleRequest(apdu)

    async def report(
        self,
        value: Atomic,
        *,
        number: int = 1,
        flags: StatusFlags = GOOD,
        process: int | None = None,
        instance: int = 1001,
        confirmed: bool = False,
        to: Address | None = None,
        only_flags: bool = False,
    ) -> Any:
        """Send a report of `analog-input,<number>`; return the answer to it."""
        kind = (
            ConfirmedCOVNotificationRequest
            if confirmed
            else UnconfirmedCOVNotificationRequest
        )
        values = [] if only_flags else [("present-value", value)]
        try:
            return await self.request(
                kind(
                    subscriberProcessIdentifier=(
                        self.asked[0].subscriberProcessIdentifier
                        if process is None
                        else process
                    ),
                    initiatingDeviceIdentifier=ObjectIdentifier(("device", instance)),
                    monitoredObjectIdentifier=ObjectIdentifier(
                        ("analog-input", number)
                    ),
                    timeRemaining=500,
                    listOfValues=[
                        PropertyValue(
                            propertyIdentifier=name, value=AnyValue(item.encode())
                        )
                        for name, item in (*values, ("status-flags", flags))
                    ],
                    destination=to or self.asked[0].pduSource,
                )
            )
        except ErrorPDU as error:
            return error


@asynccontextmanager
async def reporting_device(
    values: list[float],
    refuse: Callable[[Any], Exception | None] = lambda _: None,
    host: str = "127.0.0.56",
) -> AsyncIterator[tuple[BacnetDevice, ReportingDevice]]:
    """Run a device with these analog inputs."""
    declared = BacnetDevice("controller", f"{host}:{udp_port()}", 1001)
    application = ReportingDevice.from_object_list(
        [
            DeviceObject(
                objectIdentifier=("device", declared.instance),
                objectName="reporting",
                vendorIdentifier=999,
            ),
            NetworkPortObject(
                f"{host}/32:{declared.address.partition(':')[2]}",
                objectIdentifier=("network-port", 1),
                objectName="port",
            ),
            *(
                AnalogInputObject(
                    objectIdentifier=("analog-input", number),
                    objectName=f"AI{number}",
                    presentValue=Real(value),
                    statusFlags=[0, 0, 0, 0],
                    eventState="normal",
                    outOfService=False,
                    units="degrees-celsius",
                )
                for number, value in enumerate(values, 1)
            ),
        ]
    )
    application.begin(refuse)
    try:
        yield declared, application
    finally:
        application.close()
        await asyncio.sleep(0)
