"""Values in registers, and registers in blocks."""

from hypothesis import given, strategies as st
import pytest

from custom_components.chiller_plant.drivers.driver import PointRefused
from custom_components.chiller_plant.drivers.register_blocks import Block, BlockPlan
from custom_components.chiller_plant.drivers.registers import decoder, encode, width
from custom_components.chiller_plant.plant.model import (
    ModbusAddress,
    Point,
    RegisterKind,
    RegisterRange,
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
    # Half a step, or the 24 (53) binary digits of a floating-point number.
    digits = {RegisterType.FLOAT32: 23, RegisterType.FLOAT64: 50}.get(kind)
    resolution = (
        abs(scale) * 0.51
        if digits is None
        else (abs(value) + abs(offset) + 1) * 2.0**-digits
    )
    assert decoder(speed, address)(registers) == pytest.approx(value, abs=resolution)


@pytest.mark.parametrize(
    ("settings", "registers", "value"),
    [
        ({"type": RegisterType.INT16}, [0xFFFE], -2),
        ({"type": RegisterType.UINT32}, [1, 2], 65538),
        ({"type": RegisterType.UINT32, "word_order": "little"}, [2, 1], 65538),
        ({"type": RegisterType.INT32}, [0xFFFF, 0xFFFF], -1),
        ({"type": RegisterType.FLOAT32}, [0x4148, 0], 12.5),
        ({"scale": 0.01, "offset": -5}, [1500], 10),
        ({"type": RegisterType.UINT64}, [0, 1, 0, 2], 2**32 + 2),
        (
            {"type": RegisterType.UINT64, "word_order": "little"},
            [2, 0, 1, 0],
            2**32 + 2,
        ),
        ({"type": RegisterType.INT64}, [0xFFFF, 0xFFFF, 0xFFFF, 0xFFFD], -3),
        ({"type": RegisterType.FLOAT64}, [0x4029, 0, 0, 0], 12.5),
        (
            {"type": RegisterType.FLOAT64, "word_order": "little"},
            [0, 0, 0, 0x4029],
            12.5,
        ),
        ({"bits": (4, 7)}, [0xABCD], 0xC),
        ({"bits": (0, 15)}, [0xABCD], 0xABCD),
        ({"bits": (8, 15), "scale": 0.5, "offset": 1}, [0xFF00], 128.5),
    ],
)
def test_registers_are_read_as_declared(
    settings: dict[str, object], registers: list[int], value: float
) -> None:
    address = _spot(**settings)

    assert decoder(point("speed", address), address)(registers) == pytest.approx(value)


def test_a_bit_says_on_or_off() -> None:
    address = _spot(bit=3)

    assert decoder(point("alarm", address), address)([0b1000]) is True
    assert decoder(point("alarm", address), address)([0b0111]) is False


STATES = ((1, False), (3, True), (4, True), (7, False))


@pytest.mark.parametrize("order", ["big", "little"])
@given(st.binary(min_size=8, max_size=8))
def test_registers_of_a_long_number_are_kept_in_their_order(
    order: str, raw: bytes
) -> None:
    registers = [int.from_bytes(raw[at : at + 2]) for at in range(0, 8, 2)]
    address = _spot(type=RegisterType.INT64, word_order=order)
    words = registers if order == "big" else registers[::-1]
    number = int.from_bytes(b"".join(word.to_bytes(2) for word in words), signed=True)

    assert decoder(point("speed", address), address)(registers) == float(number)


@given(st.integers(0, 0xFFFF), st.integers(0, 14), st.integers(1, 15))
def test_a_field_of_bits_is_the_number_that_its_bits_make(
    word: int, first: int, length: int
) -> None:
    last = min(first + length, 15)
    digits = f"{word:016b}"[::-1][first : last + 1][::-1]
    address = _spot(bits=(first, last))

    assert decoder(point("speed", address), address)([word]) == int(digits, 2)


@pytest.mark.parametrize(("state", "means"), STATES)
def test_a_state_means_what_the_plant_file_says(state: int, means: bool) -> None:
    whole, field = _spot(states=STATES), _spot(states=STATES, bits=(4, 6))

    assert decoder(point("run_status", whole), whole)([state]) is means
    assert decoder(point("run_status", field), field)([0xF00F | state << 4]) is means


@given(st.integers(0, 0xFFFF).filter(lambda number: number not in dict(STATES)))
def test_a_number_that_is_no_state_is_named_beside_those_that_are(number: int) -> None:
    address = _spot(states=STATES)

    with pytest.raises(ValueError, match=rf"^{number} is none of .* \(1, 3, 4, 7\)$"):
        decoder(point("run_status", address), address)([number])


@given(st.booleans())
def test_a_command_writes_the_first_state_that_means_it(value: bool) -> None:
    address = _spot(states=STATES)
    command = point("run_command", address)
    registers = encode(command, address, value)

    assert registers == [3 if value else 1]
    assert decoder(command, address)(registers) is value


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
        ({"type": RegisterType.UINT64}, -1),
        ({"type": RegisterType.INT64}, 2.0**63),
        ({"type": RegisterType.FLOAT64, "scale": 1e-300}, 1e300),
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


@pytest.mark.parametrize(
    ("settings", "registers"),
    [
        ({"type": RegisterType.FLOAT32}, [0x7FC0, 0]),
        ({"type": RegisterType.FLOAT32}, [0x7F80, 0]),
        ({"type": RegisterType.FLOAT64}, [0x7FF8, 0, 0, 0]),
        ({"type": RegisterType.FLOAT64, "word_order": "little"}, [0, 0, 0, 0xFFF0]),
        ({"type": RegisterType.FLOAT64, "scale": 1e10}, [0x7FEF, 0, 0, 0]),
    ],
)
def test_no_number_is_not_a_value(settings, registers: list[int]) -> None:
    address = _spot(**settings)

    with pytest.raises(ValueError, match="(nan|inf) is not a number that can be used"):
        decoder(point("speed", address), address)(registers)


def _items(*places: tuple[str, int]) -> list[tuple[ModbusAddress, Point]]:
    points = [on_modbus("speed", kind, place) for kind, place in places]
    return [(point.address, point) for point in points]  # type: ignore[misc]


def _spans(
    plan: BlockPlan, items: list[tuple[ModbusAddress, Point]], now: float = 0.0
) -> set[tuple[str, int, int]]:
    return {
        (str(block.kind), block.start, block.count)
        for block in plan.plan(items, now).blocks
    }


def _refused(plan: BlockPlan, *places: int, now: float = 0.0) -> BlockPlan:
    for place in places:
        item = on_modbus("speed", "holding", place)
        block = Block(RegisterKind.HOLDING, ((item.address, item),))  # type: ignore[arg-type]
        plan.refuse(block, "no such register", now)
    return plan


def _range(first: int, last: int, kind: str = "holding") -> RegisterRange:
    return RegisterRange(RegisterKind(kind), first, last)


def test_near_registers_are_read_together() -> None:
    items = _items(("holding", 40), ("holding", 1), ("holding", 18), ("input", 2))

    assert _spans(BlockPlan(), items) == {
        ("holding", 1, 18),
        ("holding", 40, 1),
        ("input", 2, 1),
    }


def test_any_gap_within_a_declared_range_is_read_across() -> None:
    items = _items(*(("holding", place) for place in (0, 60, 99, 100, 120)))
    plan = BlockPlan((_range(0, 99), _range(100, 240)))

    assert _spans(plan, items) == {("holding", 0, 100), ("holding", 100, 21)}


def test_what_lies_outside_every_range_is_read_without_a_gap() -> None:
    items = _items(*(("holding", place) for place in (9, 10, 11, 13, 30)))
    plan = BlockPlan((_range(20, 99),))

    assert _spans(plan, items) == {
        ("holding", 9, 3),
        ("holding", 13, 1),
        ("holding", 30, 1),
    }


def test_a_table_without_a_range_is_read_as_if_none_were_declared() -> None:
    items = _items(("input", 1), ("input", 10), ("holding", 1), ("holding", 3))

    assert _spans(BlockPlan((_range(0, 1),)), items) == {
        ("input", 1, 10),
        ("holding", 1, 1),
        ("holding", 3, 1),
    }


def test_a_value_across_the_end_of_a_range_is_read_alone() -> None:
    long = on_modbus("power", "holding", 9, type=RegisterType.FLOAT32)
    items = [*_items(("holding", 3)), (long.address, long)]
    plan = BlockPlan((_range(0, 9),))

    assert _spans(plan, items) == {("holding", 3, 1), ("holding", 9, 2)}  # type: ignore[arg-type]


@given(
    st.lists(
        st.tuples(st.sampled_from(["holding", "input", "coil"]), st.integers(0, 3000)),
        max_size=80,
    ),
    st.sets(st.integers(0, 3000), max_size=10),
    st.sets(st.integers(0, 3000), max_size=10),
    st.lists(st.integers(0, 3000), max_size=8, unique=True).map(sorted),
)
def test_every_value_is_in_exactly_one_block_of_a_legal_size(
    places: list[tuple[str, int]], refused: set[int], cuts: set[int], ends: list[int]
) -> None:
    ranges = tuple(_range(*pair) for pair in zip(ends[::2], ends[1::2], strict=False))
    plan = _refused(BlockPlan(ranges), *refused)
    plan._cuts |= {(RegisterKind.HOLDING, place) for place in cuts}
    items = _items(*places)
    planned = plan.plan(items, 1.0)

    asked = [point.key for block in planned.blocks for _, point in block.items]
    known = [point.key for (_, point), _ in planned.known]
    assert sorted(asked + known) == sorted(point.key for _, point in items)
    assert all(
        address.kind is RegisterKind.HOLDING and address.address in refused
        for (address, _), _ in planned.known
    )
    # Something is asked for, so that a silent unit is found silent.
    assert bool(asked) == bool(items)
    for block in planned.blocks:
        assert block.count <= (2000 if block.kind is RegisterKind.COIL else 125)
        if block.kind is RegisterKind.HOLDING and len(block.places) > 1:
            inside = range(block.start, block.start + block.count)
            assert not refused & set(inside)
            assert not cuts & set(inside[1:])
            for item in ranges:
                within = set(inside) & set(range(item.first, item.last + 1))
                assert not within or set(inside) <= set(
                    range(item.first, item.last + 1)
                )


def test_a_refused_value_is_not_asked_for_again_for_some_minutes() -> None:
    items = _items(*(("holding", place) for place in (1, 2, 3)))
    plan = _refused(BlockPlan(), 2)
    rest = {("holding", 1, 1), ("holding", 3, 1)}

    for now in (5.0, 150.0, 295.0):
        planned = plan.plan(items, now)
        assert _spans(plan, items, now) == rest
        assert [(point.key, why) for (_, point), why in planned.known] == [
            ("drive holding 2", "no such register")
        ]
    assert _spans(plan, items, 300.0) == rest | {("holding", 2, 1)}


def test_of_many_refused_values_one_at_a_time_is_tried_again() -> None:
    items = _items(*(("holding", 2 * place) for place in range(40)))
    plan = _refused(BlockPlan(), *range(0, 60, 2))

    assert len(plan.plan(items, 1000.0).known) == 29


def test_a_unit_that_refuses_everything_is_still_asked_for_something() -> None:
    items = _items(("holding", 1), ("holding", 3))
    plan = _refused(BlockPlan(), 1, 3)

    assert len(plan.plan(items, 1.0).blocks) == 1


def test_a_value_that_is_answered_again_is_read_with_the_others() -> None:
    items = _items(("holding", 1), ("holding", 2), ("holding", 3))
    plan = _refused(BlockPlan(), 2)
    block = next(b for b in plan.plan(items, 300.0).blocks if b.start == 2)

    plan.accept(block)
    assert _spans(plan, items) == {("holding", 1, 3)}


def test_a_cut_counts_also_where_its_value_is_not_read_this_time() -> None:
    plan = BlockPlan()
    first, second = (
        Block(RegisterKind.HOLDING, tuple(_items(("holding", 1)))),
        Block(RegisterKind.HOLDING, tuple(_items(("holding", 6)))),
    )
    plan.cut(first, second)

    assert _spans(plan, _items(("holding", 1), ("holding", 7))) == {
        ("holding", 1, 1),
        ("holding", 7, 1),
    }
