"""Our own reading of an answer agrees with what others write, and never breaks."""

import math

from bacpypes3.apdu import (
    APDU,
    ComplexAckPDU,
    ReadPropertyMultipleACK,
    ReadPropertyMultipleRequest,
)
from bacpypes3.basetypes import (
    ErrorType,
    PropertyReference,
    ReadAccessResult,
    ReadAccessResultElement,
    ReadAccessResultElementChoice,
    ReadAccessSpecification,
    StatusFlags,
)
from bacpypes3.constructeddata import Any as AnyValue, SequenceOf
from bacpypes3.pdu import Address
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

from custom_components.chiller_plant.drivers.bacnet_read_multiple import (
    Other,
    decode,
    request,
)

_ADDRESS = Address("10.0.0.1")


def answer(body: bytes) -> ComplexAckPDU:
    return ComplexAckPDU(14, 1, None, body)


def written_by_the_stack(values) -> ComplexAckPDU:
    """Return the answer that bacpypes3 writes for AI0, AI1, ... of these values."""
    ack = ReadPropertyMultipleACK(
        listOfReadAccessResults=SequenceOf(ReadAccessResult)(
            [
                ReadAccessResult(
                    objectIdentifier=("analog-input", number),
                    listOfResults=[
                        ReadAccessResultElement(
                            propertyIdentifier=85,
                            readResult=ReadAccessResultElementChoice(
                                **(
                                    {"propertyAccessError": value}
                                    if isinstance(value, ErrorType)
                                    else {"propertyValue": AnyValue(value)}
                                )
                            ),
                        )
                    ],
                )
                for number, value in enumerate(values)
            ]
        )
    )
    ack.apduInvokeID = 1
    return ack.encode()


def test_values_are_read_as_the_stack_writes_them() -> None:
    values = [
        (Real(6.5), 6.5),
        (Double(1e300), 1e300),
        (Unsigned(0), 0),
        (Unsigned(70000), 70000),
        (Integer(-300), -300),
        (Enumerated(1), 1),
        (Boolean(True), True),
        (Boolean(False), False),
        (StatusFlags([0, 1, 0, 1]), (False, True, False, True)),
        (CharacterString("x" * 300), Other(7)),
    ]
    found = decode(written_by_the_stack([written for written, _ in values]))

    assert found == {(0, n, 85): read for n, (_, read) in enumerate(values)}
    assert type(found[0, 6, 85]) is bool


def test_no_number_null_and_an_error() -> None:
    refused = ErrorType(errorClass="object", errorCode="unknown-object")
    found = decode(written_by_the_stack([Real(math.nan), Null(()), refused]))

    assert math.isnan(found[0, 0, 85])
    assert isinstance(found[0, 1, 85], Null)
    assert str(found[0, 2, 85].errorCode) == "unknown-object"


def test_lists_and_what_nobody_asked_for() -> None:
    # AO1: priority array of 1.0, Null and a constructed value; index 3 of it: 2.0.
    body = bytes.fromhex(
        "0c00400001 1e"
        "2957 4e 443f800000 00 0e 2e 91ff 2f 0f 4f"
        "2957 3903 4e 4440000000 4f"
        "2955 5e 9102 9120 5f 1f"
    )
    found = decode(answer(body[:22] + b"\x1f"))
    whole = decode(answer(body))

    assert found[1, 1, 87][0] == 1.0
    assert isinstance(found[1, 1, 87][1], Null)
    assert found[1, 1, 87][2] == Other(0)
    assert whole[1, 1, 87] == 2.0
    assert str(whole[1, 1, 85].errorCode) == "unknown-property"


@given(st.binary(max_size=120))
def test_nonsense_is_only_ever_refused(body: bytes) -> None:
    try:
        found = decode(answer(body))
    except ValueError:
        return
    assert isinstance(found, dict)


def test_answer_that_is_cut_off_is_never_half_believed() -> None:
    body = bytes(written_by_the_stack([Real(1.0), Unsigned(7), Real(2.0)]).pduData)
    whole = decode(answer(body))
    believed = []
    for length in range(len(body)):
        try:
            believed.append(decode(answer(body[:length])))
        except ValueError:
            continue

    # Nothing, and the first one and two objects: never a part of one.
    assert [len(found) for found in believed] == [0, 1, 2]
    assert all(found.items() <= whole.items() for found in believed)


def test_question_is_the_one_that_the_stack_writes() -> None:
    ours = request(_ADDRESS, [(0, 1), (19, 4194302)], (85, 111))
    theirs = ReadPropertyMultipleRequest(
        listOfReadAccessSpecs=SequenceOf(ReadAccessSpecification)(
            [
                ReadAccessSpecification(
                    objectIdentifier=place,
                    listOfPropertyReferences=[
                        PropertyReference(propertyIdentifier=name) for name in (85, 111)
                    ],
                )
                for place in [(0, 1), (19, 4194302)]
            ]
        )
    )
    theirs.apduInvokeID = 1
    assert isinstance(ours, APDU)
    assert bytes(ours.pduData) == bytes(theirs.encode().pduData)
