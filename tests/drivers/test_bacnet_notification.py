"""Our own reading of reports agrees with the stack's, and never breaks."""

import math
from typing import Any

from bacpypes3.apdu import (
    APDU,
    APCISequence,
    ConfirmedCOVNotificationRequest,
    SimpleAckPDU,
    UnconfirmedCOVNotificationRequest,
)
from bacpypes3.basetypes import PropertyValue, StatusFlags
from bacpypes3.constructeddata import Any as AnyValue
from bacpypes3.ipv4.bvll import LPCI, OriginalUnicastNPDU
from bacpypes3.npdu import NPDU
from bacpypes3.pdu import PCI, PDU, Address, IPv4Address, RemoteStation
from bacpypes3.primitivedata import (
    Boolean,
    CharacterString,
    Double,
    Enumerated,
    Integer,
    Null,
    Real,
    Unsigned,
)
from hypothesis import given, strategies as st

from custom_components.chiller_plant.drivers.bacnet_notification import (
    Notification,
    acknowledgement,
    as_told,
    read_datagram,
)

ROUTER = IPv4Address(("10.0.0.9", 47808))
GOOD = StatusFlags([0, 0, 0, 0])


def sent(
    *values: tuple[str | int, Any],
    process: int = 3,
    device: int = 1001,
    place: tuple[int, int] = (0, 1),
    remaining: int = 500,
    confirmed: bool = False,
    invoke: int = 7,
    station: tuple[int, bytes] | None = None,
    priority: int = 0,
    rest: dict[str, int] | None = None,
) -> bytes:
    """Return the datagram that bacpypes3 writes for a report."""
    kind = (
        ConfirmedCOVNotificationRequest
        if confirmed
        else UnconfirmedCOVNotificationRequest
    )
    request = kind(
        subscriberProcessIdentifier=process,
        initiatingDeviceIdentifier=("device", device),
        monitoredObjectIdentifier=place,
        timeRemaining=remaining,
        listOfValues=[
            PropertyValue(
                propertyIdentifier=name, value=AnyValue(value.encode()), **(rest or {})
            )
            for name, value in values
        ],
    )
    if confirmed:
        request.apduInvokeID = invoke
        request.apduSeg = request.apduMor = request.apduSA = False
        request.apduMaxSegs, request.apduMaxResp = 7, 5
    npdu = NPDU(request.encode().encode().pduData)
    npdu.pduExpectingReply, npdu.pduNetworkPriority = confirmed, priority
    if station is not None:
        npdu.npduSADR = RemoteStation(*station)
    return octets(OriginalUnicastNPDU(npdu.encode().pduData))


def octets(lpdu: Any) -> bytes:
    lpdu.bvlciLength = len(lpdu.pduData) + 4
    return bytes(lpdu.encode().pduData)


def stack_reads(data: bytes) -> tuple[Notification, int | None] | None:
    """Return what bacpypes3 makes of a datagram, and what is acknowledged with."""
    pdu = PDU(data, source=ROUTER)
    lpci = LPCI.decode(pdu)
    if lpci.bvlciFunction != LPCI.originalUnicastNPDU:
        return None
    npdu = NPDU.decode(PDU(OriginalUnicastNPDU.decode(pdu).pduData, source=ROUTER))
    if npdu.npduNetMessage is not None or npdu.npduDADR is not None:
        return None
    whole = PDU(npdu.pduData)
    PCI.update(whole, npdu)
    whole.pduSource = npdu.npduSADR or ROUTER
    apdu = APDU.decode(whole)
    if getattr(apdu, "apduSeg", False):
        return None
    request = APCISequence.decode(apdu)
    if not isinstance(
        request, (ConfirmedCOVNotificationRequest, UnconfirmedCOVNotificationRequest)
    ):
        return None
    request.pduSource = whole.pduSource
    return as_told(request), getattr(request, "apduInvokeID", None)


def we_read(data: bytes) -> tuple[Notification, int | None] | None:
    if (read := read_datagram(data)) is None:
        return None
    source: Address = ROUTER if read.station is None else RemoteStation(*read.station)
    return (
        Notification(
            source, read.process, read.device, read.place, read.remaining, read.answer
        ),
        read.invoke,
    )


def same(ours: tuple[Notification, int | None], theirs: Any) -> bool:
    """Whether both say the same: a number is one, of whatever class it is."""
    (mine, invoke), (other, their_invoke) = ours, theirs
    assert mine.answer is not None
    if other.answer is None or other.answer.failure is not None:
        return False
    value, their_value = mine.answer.value, other.answer.value
    flags, their_flags = mine.answer.flags, other.answer.flags
    return (
        invoke == their_invoke
        and mine[:5] == other[:5]
        and (
            value == their_value
            or (math.isnan(value) and math.isnan(float(their_value)))
        )
        and isinstance(value, float) == isinstance(their_value, float)
        and (flags is None) == (their_flags is None)
        and (flags is None or [int(flag) for flag in flags] == list(their_flags))
    )


NUMBERS = st.one_of(
    st.floats(width=32).map(Real),
    st.floats().map(Double),
    st.integers(0, 2**32 - 1).map(Unsigned),
    st.integers(-(2**31), 2**31 - 1).map(Integer),
    st.integers(0, 2**32 - 1).map(Enumerated),
    st.booleans().map(Boolean),
)
FLAGS = st.lists(st.integers(0, 1), min_size=4, max_size=4).map(StatusFlags)
STATIONS = st.none() | st.tuples(
    st.integers(1, 65534), st.binary(min_size=1, max_size=7)
)


@st.composite
def datagrams(draw: st.DrawFn) -> bytes:
    """Return reports as devices send nearly all of them."""
    values: list[tuple[str, Any]] = [("present-value", draw(NUMBERS))]
    if draw(st.booleans()):
        values.append(("status-flags", draw(FLAGS)))
    return sent(
        *draw(st.permutations(values)),
        process=draw(st.integers(0, 2**32 - 1)),
        device=draw(st.integers(0, 2**22 - 1)),
        place=(draw(st.integers(0, 1023)), draw(st.integers(0, 2**22 - 1))),
        remaining=draw(st.integers(0, 2**32 - 1)),
        confirmed=draw(st.booleans()),
        invoke=draw(st.integers(0, 255)),
        station=draw(STATIONS),
        priority=draw(st.integers(0, 3)),
    )


@given(datagrams())
def test_a_usual_report_is_read_as_the_stack_reads_it(data: bytes) -> None:
    ours = we_read(data)

    assert ours is not None
    assert same(ours, stack_reads(data))


@given(datagrams(), st.data())
def test_a_damaged_report_is_never_read_in_another_way(
    data: bytes, draw: st.DataObject
) -> None:
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        place = draw.draw(st.integers(0, len(damaged) - 1))
        match draw.draw(st.sampled_from(("change", "bit", "insert", "remove", "cut"))):
            case "change":
                damaged[place] = draw.draw(st.integers(0, 255))
            case "bit":
                damaged[place] ^= 1 << draw.draw(st.integers(0, 7))
            case "insert":
                damaged.insert(place, draw.draw(st.integers(0, 255)))
            case "remove" if len(damaged) > 1:
                del damaged[place]
            case "cut":
                del damaged[place + 1 :]
    # What follows the header has to be looked at, too.
    if draw.draw(st.booleans()) and len(damaged) >= 4:
        damaged[2:4] = len(damaged).to_bytes(2)

    if (ours := we_read(bytes(damaged))) is not None:
        assert same(ours, stack_reads(bytes(damaged)))


@given(st.binary(max_size=80), st.binary(max_size=60))
def test_garbage_is_left_to_the_stack(garbage: bytes, body: bytes) -> None:
    whole = b"\x81\x0a" + (len(body) + 8).to_bytes(2) + b"\x01\x00\x10\x02" + body
    for data in (garbage, whole):
        if (ours := we_read(data)) is not None:
            assert same(ours, stack_reads(data))


def test_what_is_built_in_another_way_is_left_to_the_stack() -> None:
    reading, flags = ("present-value", Real(6.5)), ("status-flags", GOOD)
    unusual = [
        sent(flags),
        sent(reading, reading),
        sent(("present-value", Null(()))),
        sent(("present-value", CharacterString("on"))),
        sent(reading, ("status-flags", StatusFlags([0, 0, 0, 0, 1]))),
        sent(reading, flags, ("event-state", Enumerated(0))),
        sent(reading, rest={"propertyArrayIndex": 1}),
        sent(reading, rest={"priority": 8}),
        # Broadcast; passed on by a BBMD; a segment; another service.
        sent(reading).replace(b"\x81\x0a", b"\x81\x0b", 1),
        sent(reading, confirmed=True).replace(b"\x01\x04\x00", b"\x01\x04\x08", 1),
        sent(reading).replace(b"\x10\x02", b"\x10\x03", 1),
    ]

    assert [read_datagram(data) for data in unusual] == [None] * len(unusual)
    assert read_datagram(sent(reading, flags)) is not None


def test_a_report_that_is_cut_off_is_never_half_believed() -> None:
    data = sent(("present-value", Real(6.5)), ("status-flags", GOOD))
    for length in range(len(data)):
        cut = bytearray(data[:length])
        cut[2:4] = length.to_bytes(2)
        assert read_datagram(bytes(cut)) is None


@given(STATIONS, st.integers(0, 255))
def test_the_acknowledgement_is_the_one_that_the_stack_writes(
    station: tuple[int, bytes] | None, invoke: int
) -> None:
    ack = SimpleAckPDU(1, invoke)
    npdu = NPDU(ack.encode().pduData)
    npdu.pduExpectingReply, npdu.pduNetworkPriority = False, 0
    if station is not None:
        npdu.npduDADR, npdu.npduHopCount = RemoteStation(*station), 255

    theirs = octets(OriginalUnicastNPDU(npdu.encode().pduData))
    assert acknowledgement(station, invoke) == theirs
