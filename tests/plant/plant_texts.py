"""Small plant files, and what is wrong with them."""

from pathlib import Path

import pytest

from custom_components.chiller_plant.plant.plant_file import PlantFileError, parse_plant

SMALL = """\
plant: {key: small, name: Small}
connections:
  bms:
    protocol: bacnet_ip
    local_address: 10.0.0.5/24
    instance: 4190001
    devices:
      controller: {address: 10.0.0.7, instance: 1}
  drives:
    protocol: modbus_tcp
    host: 10.0.0.8
    devices:
      drive: {unit: 1}
equipment:
  chiller:
    type: chiller
    name: Chiller
    device: controller
    points:
      run_command: {object: "binary-output,1"}
  pump:
    type: primary_chilled_water_pump
    name: Pump
    device: drive
    points:
      run_command: {register: holding, address: 1, bit: 0}
"""


NAME = "name: Small}"


UNIT = "{unit: 1}"


ROOT = Path(__file__).parents[2]


EXAMPLE = ROOT / "examples/two_chillers/plant.yaml"


def problems_of(text: str) -> list[str]:
    """Return the problems of a text, without file and line."""
    with pytest.raises(PlantFileError) as error:
        parse_plant(text, "plant.yaml")
    return [
        f"{problem.key}: {problem.found} ({problem.allowed})"
        for problem in error.value.problems
    ]


def small(**changes: str) -> str:
    """Return the small file with texts replaced; the names only tell why."""
    text = SMALL
    for change in changes.values():
        before, after = change.split(" -> ")
        assert before in text
        text = text.replace(before, after)
    return text


def with_pump_points(*points: str) -> str:
    return SMALL + "".join(f"      {point}\n" for point in points)
