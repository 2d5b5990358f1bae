"""Plants for the tests of the simulator."""

from pathlib import Path
import re

from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.plant_file import load_plant, parse_plant
from custom_components.chiller_plant.simulator.world import World
from custom_components.chiller_plant.simulator.worlds import Worlds
from tests.ports import tcp_port, udp_port

EXAMPLE = Path(__file__).parents[2] / "examples/two_chillers/plant.yaml"
KSPO = EXAMPLE.parents[1] / "kspo/plant.yaml"
THREE_CHILLERS = EXAMPLE.parents[1] / "three_chillers/plant.yaml"
SEVEN = 7 * 3600.0

_DEDICATED = """
plant: {key: dedicated, name: Dedicated}
connections:
  bms:
    protocol: bacnet_ip
    local_address: 127.0.0.1/8
    local_port: 47809
    instance: 4190001
    devices: {controller: {address: "127.0.0.61:47808", instance: 1}}
equipment:
"""


def example() -> Plant:
    """Return the example plant: two chillers, headered pumps."""
    return load_plant(EXAMPLE)


def world(plant: Plant | None = None, time: float = SEVEN) -> World:
    """Return a world that has just begun."""
    return World(plant or example(), time, longest_step=10.0)


def dedicated(chillers: int) -> Plant:
    """Return a plant whose chillers have pumps of their own, and no valves."""
    lines = []
    inputs = iter(range(1, 1000))
    outputs = iter(range(1, 1000))

    def machine(key: str, kind: str, extra: str = "") -> None:
        lines.append(
            f"  {key}: {{type: {kind}, name: {key}, device: controller, {extra} points:"
            f' {{run_command: {{object: "binary-output,{next(outputs)}", release: true}},'
            f' run_status: {{object: "binary-input,{next(inputs)}"}}}}}}'
        )

    for number in range(1, chillers + 1):
        machine(f"p{number}", "primary_chilled_water_pump")
        machine(f"c{number}", "condenser_water_pump")
        machine(f"t{number}", "cooling_tower")
        machine(
            f"ch{number}",
            "chiller",
            f"served_by: {{chilled_water_pumps: [p{number}],"
            f" condenser_water_pumps: [c{number}], cooling_towers: [t{number}]}},",
        )
    machine("s1", "secondary_chilled_water_pump")
    machine("s2", "secondary_chilled_water_pump")
    lines.append(
        "  z1: {type: zone, name: z1, device: controller, ratings: {cooling_load:"
        f" {700 * chillers}, floor_area: {7000 * chillers}}}, points:"
        ' {temperature: {object: "analog-input,1"}}}'
    )
    return parse_plant(_DEDICATED + "\n".join(lines) + "\n", "dedicated.yaml")


def command_all(subject: World, on: bool) -> None:
    """Command every motor and valve, as an operator would with both hands."""
    for key in subject.commands:
        if key.endswith((".run_command", ".open_command")):
            subject.command(key, on)


def start_all(subject: Worlds) -> None:
    """Command every motor and valve of every scenario on."""
    for key in subject.commands.points:
        if key.endswith((".run_command", ".open_command")):
            subject.command(slice(None), key, True)


def served_example(folder: Path, example_file: Path = EXAMPLE) -> Path:
    """Write an example with free addresses of its own, and return the file."""
    text = example_file.read_text(encoding="utf-8")
    text = re.sub(
        r"127\.0\.0\.(\d+):47808", lambda m: f"127.0.9.{m[1]}:{udp_port()}", text
    )
    text = re.sub(
        r"host: 127\.0\.0\.(\d+)\n    port: 5020",
        lambda m: f"host: 127.0.9.{m[1]}\n    port: {tcp_port()}",
        text,
    )
    file = folder / "plant.yaml"
    file.write_text(text, encoding="utf-8")
    return file
