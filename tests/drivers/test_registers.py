"""Values in registers, and registers in blocks."""

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.drivers.driver import PointRefused
from custom_components.chiller_plant.drivers.register_blocks import BlockPlan
from custom_components.chiller_plant.drivers.registers import decode, encode, width
from custom_components.chiller_plant.plant.model import (
    ModbusAddress,
    Point,
    RegisterKind,
    RegisterType,
)
from tests.drivers.points import on_modbus, point


def _spot(**rest: object) -> ModbusAddress:
    return ModbusAddress("drives", "drive", RegisterKind.HOLDING, 10, **rest)  # type: ignore[arg-type]


@given(
    st.sampled_from(RegisterType),
    st.sampled_from(["big", "little"]),
    st.sampled_from([1.0, 0.1, 0.01, 10.0, -0.5]),
    st.floats(-500, 500),
    st.floats(-1e6, 1e6),
)
def test_what_is_written_is_what_is_read(
    kind: RegisterType, order: str, scale: float, offset: float, value: float
) -> None:
    address = _spot(type=kind, word_order=order, scale=scale, offset=offset)
    speed = point("speed_command", address)
    try:
        registers = encode(speed, address, value)
    except PointRefused:
        return

    assert len(registers) == width(address)
    assert all(0 <= word <= 0xFFFF for word in registers)
    # Half a step, or the 24 binary digits of a floating-point number.
    floating = kind is RegisterType.FLOAT32
    resolution = (abs(value - offset) + 1) * 2**-23 if floating else abs(scale) * 0.51
    assert decode(speed, address, registers) == pytest.approx(value, abs=resolution)


@pytest.mark.parametrize(
    ("settings", "registers", "value"),
    [
        ({"type": RegisterType.INT16}, [0xFFFE], -2),
        ({"type": RegisterType.UINT32}, [1, 2], 65538),
        ({"type": RegisterType.UINT32, "word_order": "little"}, [2, 1], 65538),
        ({"type": RegisterType.INT32}, [0xFFFF, 0xFFFF], -1),
        ({"type": RegisterType.FLOAT32}, [0x4148, 0], 12.5),
        ({"scale": 0.01, "offset": -5}, [1500], 10),
    ],
)
def test_registers_are_read_as_declared(
    settings: dict[str, object], registers: list[int], value: float
) -> None:
    address = _spot(**settings)

    assert decode(point("speed", address), address, registers) == pytest.approx(value)


def test_a_bit_says_on_or_off() -> None:
    address = _spot(bit=3)

    assert decode(point("alarm", address), address, [0b1000]) is True
    assert decode(point("alarm", address), address, [0b0111]) is False


@pytest.mark.parametrize(
    ("settings", "value"),
    [
        ({}, -1),
        ({}, 65536),
        ({"scale": 0.01}, 656),
        ({"type": RegisterType.INT16}, 40000),
        ({"type": RegisterType.FLOAT32}, 1e39),
        ({}, float("nan")),
        ({"type": RegisterType.FLOAT32}, float("inf")),
    ],
)
def test_value_that_does_not_fit_is_refused(
    settings: dict[str, object], value: float
) -> None:
    address = _spot(**settings)

    with pytest.raises(
        PointRefused, match="speed_command: .* does not fit register 10"
    ):
        encode(point("speed_command", address), address, value)


def test_no_number_is_not_a_value() -> None:
    address = _spot(type=RegisterType.FLOAT32)

    with pytest.raises(ValueError, match="nan is not a number"):
        decode(point("speed", address), address, [0x7FC0, 0])


def _items(*places: tuple[str, int]) -> list[tuple[ModbusAddress, Point]]:
    points = [on_modbus("speed", kind, place) for kind, place in places]
    return [(point.address, point) for point in points]  # type: ignore[misc]


def _spans(
    plan: BlockPlan, items: list[tuple[ModbusAddress, Point]]
) -> set[tuple[str, int, int]]:
    return {(str(block.kind), block.start, block.count) for block in plan.blocks(items)}


def test_near_registers_are_read_together() -> None:
    items = _items(("holding", 40), ("holding", 1), ("holding", 18), ("input", 2))

    assert _spans(BlockPlan(), items) == {
        ("holding", 1, 18),
        ("holding", 40, 1),
        ("input", 2, 1),
    }


@given(
    st.lists(
        st.tuples(st.sampled_from(["holding", "input", "coil"]), st.integers(0, 3000)),
        max_size=80,
    ),
    st.sets(st.integers(0, 3000), max_size=10),
    st.sets(st.integers(0, 3000), max_size=10),
)
def test_every_value_is_in_exactly_one_block_of_a_legal_size(
    places: list[tuple[str, int]], refused: set[int], cuts: set[int]
) -> None:
    plan = BlockPlan(
        {(RegisterKind.HOLDING, place) for place in refused},
        {(RegisterKind.HOLDING, place) for place in cuts},
    )
    items = _items(*places)
    blocks = plan.blocks(items)

    planned = [point.key for block in blocks for _, point in block.items]
    assert sorted(planned) == sorted(point.key for _, point in items)
    for block in blocks:
        assert block.count <= (2000 if block.kind is RegisterKind.COIL else 125)
        if block.kind is RegisterKind.HOLDING and len(block.places) > 1:
            inside = range(block.start, block.start + block.count)
            assert not refused & set(inside)
            assert not cuts & set(inside[1:])


def test_value_that_the_unit_refuses_is_asked_for_alone() -> None:
    plan, items = BlockPlan(), _items(("holding", 1), ("holding", 2), ("holding", 3))
    _, second = plan.blocks(items)[0].halves()
    bad, _ = second.halves()

    plan.refuse(bad)
    assert _spans(plan, items) == {
        ("holding", 1, 1),
        ("holding", 2, 1),
        ("holding", 3, 1),
    }
    plan.accept(bad)
    assert _spans(plan, items) == {("holding", 1, 3)}
