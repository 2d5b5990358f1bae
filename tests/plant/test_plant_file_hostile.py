"""No text makes the plant file hang, or fail with anything but its own error."""

from pathlib import Path
import string
import time

from hypothesis import HealthCheck, given, settings, strategies as st
import pytest

from custom_components.chiller_plant.plant.model import BacnetAddress, Plant, Point
from custom_components.chiller_plant.plant.plant_file import PlantFileError, parse_plant
from custom_components.chiller_plant.plant.plant_file.problems import MAXIMUM_PROBLEMS
from custom_components.chiller_plant.plant.profiles import DAY_TYPES, DAYS
from custom_components.chiller_plant.plant.roles import PollTier
from tests.plant.test_plant_file_bus import EVERYTHING

EXAMPLE = (Path(__file__).parents[2] / "examples/two_chillers/plant.yaml").read_text()
SOURCES = [EXAMPLE.splitlines(), EVERYTHING.splitlines()]
LINES = [line for source in SOURCES for line in source]

# Longer than any legal file takes, short enough to notice a hang.
PATIENCE = 5.0

HEAD = "plant: {}\nconnections: {}\n"
HOSTILE = {
    "ten megabytes": "a" * 10_000_000,
    "deep list": "[" * 900_000,
    "deep mapping": "{a: " * 220_000,
    "deep block": "- " * 400_000,
    "deep keys": "? " * 400_000,
    "bomb": "a: &a [x, x]\n"
    + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n"
        for n in range(20)
    ),
    "merge keys": "a: &a {x: 1}\nb:\n  <<: *a\n",
    "python object": "a: !!python/object/apply:os.system [ls]\n",
    "one long text": "a: " + "x" * 900_000,
    "many keys": "".join(f"k{n}: 1\n" for n in range(90_000)),
    "one key many times": "k: 1\n" * 150_000,
    "many wrong references": HEAD
    + "equipment:\n"
    + "".join(f"  e{n}: {{type: valv, template: x, name: 3}}\n" for n in range(12_000)),
    "many uses of a long template": HEAD
    + "equipment:\n"
    + "".join(f"  e{n}: {{type: valve, template: t}}\n" for n in range(5_000))
    + "templates:\n  t: {points: {"
    + ", ".join(f"p{n}: {{}}" for n in range(10_000))
    + "}}\n",
    "many devices on one instance": "plant: {}\nequipment: {}\nconnections:\n  a:\n"
    "    protocol: bacnet_ip\n    devices:\n"
    + "".join(f"      d{n}: {{instance: 1}}\n" for n in range(15_000)),
    "endless number": "a: " + "9" * 900,
    "endless exponent": "plant: {poll_interval: 1e999, command_lease: -1e999}\n",
    "control characters": "a: \x00\x07",
    "lone surrogate": "a: \ud800",
    "comments": "# \n" * 300_000,
    "wide flow": "a: [" + "{}," * 45_000 + "]",
}


def judged(text: str) -> Plant | PlantFileError:
    """Return the plant or what is wrong; anything else fails the test."""
    start = time.monotonic()
    outcome: Plant | PlantFileError
    try:
        outcome = parse_plant(text, "plant.yaml")
    except PlantFileError as error:
        outcome = error
    assert time.monotonic() - start < PATIENCE
    if isinstance(outcome, PlantFileError):
        problems = outcome.problems
        assert 1 <= len(problems) <= MAXIMUM_PROBLEMS + 1
        assert len(str(outcome).splitlines()) == len(problems)
        assert all(problem.line >= 1 and problem.found for problem in problems)
    return outcome


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_text_is_refused_soon(text: str) -> None:
    assert isinstance(judged(text), PlantFileError)


WORDS = st.sampled_from(
    sorted({word.strip(",:{}[]\"'") for line in LINES for word in line.split()})
)
JUNK = st.one_of(
    st.text(alphabet=string.printable, max_size=8),
    st.text(max_size=4),
    st.sampled_from(
        ("{", "}", "[", "]", ":", "- ", "&a", "*a", "!x", "|", "null", "true", "-1",
         "1e400", ".nan", "{x}", "{number}", "'", '"', "\n", "\n  ", "#", "<<: ")
    ),
    WORDS,
)  # fmt: skip


@st.composite
def mutated_examples(draw: st.DrawFn) -> str:
    """Change some lines of the example as a tired person, or a fuzzer, would."""
    lines = list(draw(st.sampled_from(SOURCES)))
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.integers(0, 5)):
            case 0:
                del lines[at]
            case 1:
                lines.insert(at, draw(st.sampled_from(LINES)))
            case 2:
                lines[at] = draw(st.sampled_from(("", " ", "  "))) + lines[at]
            case 3:
                lines[at] = lines[at].removeprefix("  ")
            case 4:
                words = lines[at].split(" ")
                words[draw(st.integers(0, len(words) - 1))] = draw(JUNK)
                lines[at] = " ".join(words)
            case _:
                cut = draw(st.integers(0, len(lines[at])))
                lines[at] = lines[at][:cut] + draw(JUNK) + lines[at][cut:]
    return "\n".join(lines)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated_examples())
def test_a_mutated_example_is_a_plant_or_says_what_is_wrong(text: str) -> None:
    outcome = judged(text)
    if isinstance(outcome, Plant):
        assert_consistent(outcome)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.lists(JUNK, max_size=20).map("".join))
def test_any_text_is_a_plant_or_says_what_is_wrong(text: str) -> None:
    judged(text)


def assert_address(point: Point) -> None:
    """Assert what the drivers rely on."""
    address = point.address
    assert address is not None
    if address.states:
        assert point.role.quantity.is_boolean
        assert {means for _, means in address.states} == {True, False}
    if isinstance(address, BacnetAddress):
        if point.writable and not address.priority_array:
            assert point.release is not None
        if address.object_type.startswith("multi-state"):
            assert address.states and min(address.states)[0] >= 1
    else:
        assert address.scale != 0
        assert address.address + address.type.registers <= 65536
        if address.bits is not None:
            assert not point.writable and address.bit is None


def assert_consistent(plant: Plant) -> None:
    """Assert what every other room relies on."""
    devices = {key for item in plant.connections.values() for key in item.devices}
    intervals = [plant.interval(tier) for tier in PollTier]
    assert intervals == sorted(intervals) and intervals[0] >= 1
    assert set(DAYS) <= plant.day_types.keys() <= set(DAY_TYPES)
    assert set(plant.day_types.values()) <= set(plant.profiles)
    for point in plant.points.values():
        assert plant.equipment[point.equipment].points[point.role.name] is point
        if point.address is None:
            assert point.role.commandable and point.release is not None
        else:
            assert point.address.device in devices
            connection = plant.connections[point.address.connection]
            assert point.address.device in connection.devices
            assert_address(point)
        if point.writable:
            assert point.role.commandable
        if point.release is not None:
            assert isinstance(point.release, bool) is point.role.quantity.is_boolean
            if point.low is not None and not isinstance(point.release, bool):
                assert point.release >= point.low
    for item in plant.equipment.values():
        for keys in (*item.served_by.values(), item.measures):
            assert set(keys) <= set(plant.equipment)


def test_the_example_is_consistent() -> None:
    assert_consistent(parse_plant(EXAMPLE, "plant.yaml"))
