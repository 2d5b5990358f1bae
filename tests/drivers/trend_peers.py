"""A BACnet device that has recorded something, on a stack that we did not write.

The records are the test's; the rules of ReadRange (BACnet 15.8) are here.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

from bacpypes3.apdu import ReadRangeACK
from bacpypes3.app import Application
from bacpypes3.basetypes import (
    DateTime,
    DeviceObjectPropertyReference,
    LogRecord,
    LogRecordLogDatum,
    ResultFlags,
    StatusFlags,
)
from bacpypes3.constructeddata import Any as AnyValue, SequenceOf
from bacpypes3.errors import ExecutionError, UnrecognizedService
from bacpypes3.local.analog import AnalogInputObject
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject
from bacpypes3.local.object import Object as LocalObject
from bacpypes3.object import TrendLogObject as StandardTrendLog
from bacpypes3.primitivedata import Date, Real, Time

from custom_components.chiller_plant.plant.model import BacnetDevice
from tests.ports import udp_port

LOG = 5


class _TrendLogObject(LocalObject, StandardTrendLog):  # type: ignore[misc]
    """A trend log that bacpypes3 serves the properties of."""


def stamp(wall: datetime) -> DateTime:
    """Return what a device's clock showed."""
    return DateTime(
        date=Date((wall.year - 1900, wall.month, wall.day, wall.isoweekday())),
        time=Time((wall.hour, wall.minute, wall.second, wall.microsecond // 10_000)),
    )


def record(
    wall: datetime, flags: Sequence[int] | None = None, **datum: Any
) -> LogRecord:
    """Return a record of this moment of the device's clock."""
    return LogRecord(
        timestamp=stamp(wall),
        logDatum=LogRecordLogDatum(**datum),
        statusFlags=None if flags is None else StatusFlags(list(flags)),
    )


def every(minutes: float, begin: datetime, values: Sequence[float]) -> list[LogRecord]:
    """Return records at even distances."""
    return [
        record(begin + place * timedelta(minutes=minutes), realValue=Real(value))
        for place, value in enumerate(values)
    ]


class Recorder(Application):  # type: ignore[misc]
    """A device with one trend log, `LOG`."""

    log: _TrendLogObject
    records: list[LogRecord]

    def begin(self, records: list[LogRecord]) -> None:
        self.records = records
        self.overwritten = 0
        """Records that are not in the buffer any more."""
        self.asked: list[Any] = []
        self.most_in_answer = 1000
        self.understands = True
        self.by_time = True
        self.on_request: Callable[[int], None] = lambda number: None
        self.count()

    def count(self) -> None:
        self.log.recordCount = len(self.records) - self.overwritten
        self.log.totalRecordCount = len(self.records)

    def overwrite(self, number: int) -> None:
        self.overwritten += number
        self.count()

    async def do_ReadRangeRequest(self, apdu: Any) -> None:
        self.asked.append(apdu)
        self.on_request(len(self.asked))
        if not self.understands:
            raise UnrecognizedService
        if int(apdu.objectIdentifier[1]) != LOG:
            raise ExecutionError("object", "unknownObject")
        wanted = apdu.range
        if wanted.bySequenceNumber is not None:
            first = int(wanted.bySequenceNumber.referenceSequenceNumber)
            count = int(wanted.bySequenceNumber.count)
            if first <= self.overwritten or first > len(self.records):
                first, count = 1, 0
        elif not self.by_time:
            raise ExecutionError("services", "optionalFunctionalityNotSupported")
        else:
            count = int(wanted.byTime.count)
            after = _sortable(wanted.byTime.referenceTime)
            first = next(
                (
                    place
                    for place, item in enumerate(self.records, 1)
                    if place > self.overwritten and _sortable(item.timestamp) > after
                ),
                0,
            )
            count = count if first else 0
        items = self.records[first - 1 : first - 1 + count] if count else []
        items = items[: self.most_in_answer]
        last = first - 1 + len(items)
        answer = ReadRangeACK(
            objectIdentifier=apdu.objectIdentifier,
            propertyIdentifier=apdu.propertyIdentifier,
            resultFlags=ResultFlags(
                [
                    int(bool(items) and first == self.overwritten + 1),
                    int(bool(items) and last == len(self.records)),
                    int(0 < len(items) < count),
                ]
            ),
            itemCount=len(items),
            itemData=AnyValue(SequenceOf(LogRecord)(items)),
            context=apdu,
        )
        if items:
            answer.firstSequenceNumber = first
        await self.response(answer)


def _sortable(moment: DateTime) -> tuple[int, ...]:
    return (*moment.date[:3], *moment.time)


@asynccontextmanager
async def recording_device(
    records: list[LogRecord],
    *,
    host: str = "127.0.0.59",
    port: int | None = None,
    instance: int = 1001,
    of: str = "analog-input,1",
    of_device: int | None = None,
    utc_offset: int | None = None,
) -> AsyncIterator[tuple[BacnetDevice, Recorder]]:
    """Run a device with an analog input and a log of it."""
    declared = BacnetDevice("controller", f"{host}:{port or udp_port()}", instance)
    clock = {} if utc_offset is None else {"utcOffset": utc_offset}
    log = _TrendLogObject(
        objectIdentifier=("trend-log", LOG),
        objectName="log",
        enable=True,
        stopWhenFull=False,
        bufferSize=100_000,
        recordCount=0,
        totalRecordCount=0,
        loggingType="polled",
        statusFlags=[0, 0, 0, 0],
        reliability="noFaultDetected",
        logDeviceObjectProperty=DeviceObjectPropertyReference(
            objectIdentifier=of,
            propertyIdentifier="present-value",
            deviceIdentifier=None if of_device is None else ("device", of_device),
        ),
    )
    application = Recorder.from_object_list(
        [
            DeviceObject(
                objectIdentifier=("device", instance),
                objectName="recording",
                vendorIdentifier=999,
                **clock,
            ),
            NetworkPortObject(
                f"{host}/32:{declared.address.partition(':')[2]}",
                objectIdentifier=("network-port", 1),
                objectName="port",
            ),
            AnalogInputObject(
                objectIdentifier=("analog-input", 1),
                objectName="AI1",
                presentValue=Real(7.0),
                statusFlags=[0, 0, 0, 0],
                eventState="normal",
                outOfService=False,
                units="degrees-celsius",
            ),
            log,
        ]
    )
    application.log = log
    application.begin(records)
    try:
        yield declared, application
    finally:
        for detection in tuple(application._cov_detections.values()):
            for subscription in tuple(detection.cov_subscriptions):
                subscription.cancel_subscription()
        application.close()
        await asyncio.sleep(0)
