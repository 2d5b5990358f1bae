"""Reads what a BACnet device has recorded of a point: its trend log (ReadRange).

Records are read by their sequence number, a page at a time, so that a buffer
that goes on wrapping while it is read loses nothing but what it overwrites.
What is recorded after the reading began is left for another time, so that it
always comes to an end (BACnet 12.25, 15.8).
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any

from bacpypes3.apdu import Range, ReadRangeACK, ReadRangeRequest
from bacpypes3.basetypes import (
    DateTime,
    LogRecord,
    PropertyIdentifier,
    RangeBySequenceNumber,
    RangeByTime,
)
from bacpypes3.constructeddata import SequenceOf
from bacpypes3.primitivedata import Date, ObjectIdentifier, Time

from ..plant.model import BacnetAddress, Point, Value
from .bacnet_device import Device
from .bacnet_failures import NotUnderstood, Refused, RequestFailed, TooMuch
from .bacnet_values import OBJECT_TYPES, Unusable, from_wire
from .driver import DriverError

_MOST_AT_ONCE = 25
"""Records in one answer: to decode more would hold up the event loop."""
_RECORD_OCTETS = 30
"""That a record takes at most: time, number, flags and the tags around them."""
_MOST_LOST = 20
"""How often records may be overwritten while they are read."""
_PRESENT_VALUE = 85
_NO_TIME = 255
_HOUR = timedelta(hours=1)

_PLAIN_VALUES = ("booleanValue", "realValue", "enumValue", "unsignedValue")


class TrendLogError(DriverError):
    """A trend log cannot be read, or is not of the point; the text says why."""


@dataclass(frozen=True, slots=True)
class TrendRecord:
    """A record of a log."""

    at: float | None
    """Epoch seconds; None: the device did not say."""
    value: Value | None = None
    """In the unit of the point's role."""
    skipped: str | None = None
    """Why there is no value."""


@dataclass(frozen=True, slots=True)
class TrendLog:
    """What is in a log when its reading begins."""

    device: Device
    instance: int
    point: Point
    zone: tzinfo
    """Of the device's clock."""
    first: int
    last: int
    """Sequence numbers of the oldest and the newest record; the last is less
    than the first where there are none."""

    def __str__(self) -> str:
        """Name it, for people."""
        return f"{self.device}: trend-log,{self.instance}"


async def open_log(
    device: Device, instance: int, point: Point, of: int, home: tzinfo, now: datetime
) -> TrendLog:
    """Find a log of `point`, which is in the device of the instance `of`.

    `home` is the time zone of this place. Raises `TrendLogError`, or
    `DeviceSilent`.
    """
    where = f"{device}: trend-log,{instance}"
    identifier = ObjectIdentifier(("trend-log", instance))
    try:
        reference = await _read(device, identifier, "log-device-object-property")
        total = int(await _read(device, identifier, "total-record-count"))
        held = int(await _read(device, identifier, "record-count"))
    except Refused as error:
        if error.code == "unknown-object":
            raise TrendLogError(f"{device} has no trend log {instance}") from error
        raise TrendLogError(f"{where}: {error.reason}") from error
    except RequestFailed as error:
        raise TrendLogError(f"{where}: {error.reason}") from error
    except (TypeError, ValueError) as error:
        raise TrendLogError(f"{where} does not say how much it holds") from error
    _check_reference(where, reference, point, device.instance, of)
    return TrendLog(
        device,
        instance,
        point,
        await _zone(device, home, now),
        total - held + 1,
        total,
    )


async def pages(
    log: TrendLog, since: float | None = None
) -> AsyncIterator[list[TrendRecord]]:
    """Return the records of a log from the oldest to the newest, in pages.

    Those before `since` (epoch seconds) are left out as far as the device can
    find its way by time. Raises `TrendLogError` or `DeviceSilent`.
    """
    clock = _Clock(log.zone)
    size = min(_MOST_AT_ONCE, log.device.batch(_RECORD_OCTETS))
    lost = 0
    place = log.first if since is None else await _place_of(log, since)
    while place <= log.last:
        count = min(size, log.last - place + 1)
        by_number = RangeBySequenceNumber(referenceSequenceNumber=place, count=count)
        try:
            answer = await _read_range(log, Range(bySequenceNumber=by_number))
        except TooMuch as error:
            if count == 1:
                raise TrendLogError(f"{log}: {error.reason}") from error
            size = count // 2
            continue
        except RequestFailed as error:
            raise TrendLogError(f"{log}: {error.reason}") from error
        records = _records(log, answer)
        if not records:
            # What was to come was overwritten, or somebody cleared the log.
            lost += 1
            place = max(place + 1, await _oldest(log))
            if lost > _MOST_LOST:
                raise TrendLogError(f"{log} loses its records while they are read")
            continue
        begin = answer.firstSequenceNumber
        place = (place if begin is None else max(place, int(begin))) + len(records)
        yield [_record(log, clock, record) for record in records]


async def _place_of(log: TrendLog, since: float) -> int:
    """Return the number of the first record that is not long before a time."""
    # Twice a year an hour of the device's clock comes twice, or not at all.
    moment = datetime.fromtimestamp(since, log.zone) - 2 * _HOUR
    reference = DateTime(
        date=Date((moment.year - 1900, moment.month, moment.day, moment.isoweekday())),
        time=Time((moment.hour, moment.minute, moment.second, 0)),
    )
    try:
        answer = await _read_range(
            log, Range(byTime=RangeByTime(referenceTime=reference, count=1))
        )
    except RequestFailed, TrendLogError:
        return log.first
    if int(answer.itemCount) == 0:
        return log.last + 1
    if answer.firstSequenceNumber is None:
        return log.first
    return max(log.first, min(int(answer.firstSequenceNumber), log.last))


async def _oldest(log: TrendLog) -> int:
    identifier = ObjectIdentifier(("trend-log", log.instance))
    try:
        total = int(await _read(log.device, identifier, "total-record-count"))
        held = int(await _read(log.device, identifier, "record-count"))
    except RequestFailed as error:
        raise TrendLogError(f"{log}: {error.reason}") from error
    return total - held + 1


async def _read(device: Device, identifier: ObjectIdentifier, name: str) -> Any:
    return await device.read(
        lambda application: application.read_property(
            device.address, identifier, PropertyIdentifier(name)
        )
    )


async def _read_range(log: TrendLog, what: Range) -> ReadRangeACK:
    request = ReadRangeRequest(
        objectIdentifier=ObjectIdentifier(("trend-log", log.instance)),
        propertyIdentifier=PropertyIdentifier("log-buffer"),
        range=what,
        destination=log.device.address,
    )
    try:
        answer = await log.device.read(lambda application: application.request(request))
    except NotUnderstood as error:
        raise TrendLogError(f"{log.device} cannot read ranges of a log") from error
    if not isinstance(answer, ReadRangeACK):
        raise TrendLogError(f"{log}: an answer that makes no sense")
    return answer


def _records(log: TrendLog, answer: ReadRangeACK) -> list[Any]:
    if int(answer.itemCount) == 0:
        return []
    try:
        return list(answer.itemData.cast_out(SequenceOf(LogRecord)))
    except Exception as error:
        # What a device sends makes the stack raise anything.
        raise TrendLogError(
            f"{log}: an answer that makes no sense ({type(error).__name__})"
        ) from error


def _record(log: TrendLog, clock: _Clock, record: Any) -> TrendRecord:
    at = clock.read(record.timestamp)
    datum = record.logDatum
    value = next(
        (
            found
            for name in (*_PLAIN_VALUES, "signedValue")
            if (found := getattr(datum, name, None)) is not None
        ),
        None,
    )
    if at is None:
        return TrendRecord(None, skipped="without a time")
    if value is None:
        return TrendRecord(at, skipped=_why_no_value(datum))
    address = log.point.address
    assert isinstance(address, BacnetAddress)
    try:
        found = from_wire(log.point, address.object_type, value, record.statusFlags)
    except Unusable as error:
        return TrendRecord(at, skipped=str(error))
    return TrendRecord(at, found)


def _why_no_value(datum: Any) -> str:
    if getattr(datum, "logStatus", None) is not None:
        return "the log was switched on or off, cleared or interrupted"
    if getattr(datum, "failure", None) is not None:
        return "the device could not read the object"
    if getattr(datum, "timeChange", None) is not None:
        return "the device's clock was set"
    return "no number"


def _check_reference(
    where: str, reference: Any, point: Point, holder: int, of: int
) -> None:
    """Raise `TrendLogError` unless a log is of the present value of a point."""
    address = point.address
    assert isinstance(address, BacnetAddress)
    try:
        kind, instance = reference.objectIdentifier
        device = reference.deviceIdentifier
        recorded = (
            holder if device is None else int(device[1]),
            (int(kind), int(instance)),
            int(reference.propertyIdentifier),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise TrendLogError(f"{where} does not say what it records") from error
    wanted = (OBJECT_TYPES[address.object_type], address.object_instance)
    if recorded != (of, wanted, _PRESENT_VALUE):
        raise TrendLogError(
            f"{where} records {reference.propertyIdentifier} of {kind},{instance} in "
            f"device {recorded[0]}, but {point.key} is present-value of "
            f"{address.object_type},{address.object_instance} in device {of}"
        )


# --- times


async def _zone(device: Device, home: tzinfo, now: datetime) -> tzinfo:
    """Return the time zone of a device's clock."""
    identifier = ObjectIdentifier(("device", device.instance))
    offset: int | None = None
    summer: bool | None = None
    with suppress(RequestFailed, TypeError, ValueError):
        offset = int(await _read(device, identifier, "utc-offset"))
        summer = bool(await _read(device, identifier, "daylight-savings-status"))
    return zone_of_clock(offset, summer, home, now)


def zone_of_clock(
    offset: int | None, summer: bool | None, home: tzinfo, now: datetime
) -> tzinfo:
    """Return the time zone of a device's clock.

    `offset` are the minutes that its standard time is west of UTC (BACnet
    12.11.22), `summer` whether its clock shows summer time; None: it does not
    say. A device tells only how its clock is now: where that is how clocks are
    at `home`, its past is taken to be that of home as well.
    """
    here = now.astimezone(home)
    here_summer = here.dst() or timedelta()
    if offset is None:
        return home
    standard = -timedelta(minutes=offset)
    if abs(standard) >= timedelta(hours=24):
        return home
    if standard == (here.utcoffset() or timedelta()) - here_summer and (
        summer is None or summer == bool(here_summer)
    ):
        return home
    return timezone(standard + (_HOUR if summer else timedelta()))


class _Clock:
    """A clock on a wall: the hour that comes twice in autumn is told by order."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._last: float | None = None

    def read(self, stamp: Any) -> float | None:
        """Return epoch seconds."""
        try:
            year, month, day = stamp.date[:3]
            hour, minute, second, hundredths = stamp.time
            if hundredths == _NO_TIME:
                hundredths = 0
            wall = datetime(
                year + 1900,
                month,
                day,
                hour,
                minute,
                second,
                hundredths * 10_000,
                tzinfo=self._zone,
            )
        except AttributeError, TypeError, ValueError:
            return None
        first = wall.timestamp()
        second_time = wall.replace(fold=1).timestamp()
        if second_time > first and self._last is not None and first < self._last:
            first = second_time
        self._last = first
        return first
