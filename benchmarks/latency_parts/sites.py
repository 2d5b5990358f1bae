"""The sites that are measured, and in each the loops that are timed.

A timed loop is one of the product's own: a form of the blueprint "PID control"
that an operator could have filled in, above the site's other automations, from
a reading that its BACnet device reports to the speed of a drive on Modbus.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.demonstration.installation import WEEKDAY
from scripts.demonstration.large_plant import large_plant_text
from scripts.demonstration.stack import EXAMPLES

INTERVAL = 1.0
"""Seconds; the shortest control interval that the form takes."""

_BUILDINGS = ("arena", "gymnasium", "offices")
_PRESSURE = "chilled_water_differential_pressure"


@dataclass(frozen=True, slots=True)
class Loop:
    """What is changed, by how much, and what must follow."""

    measured: str
    base: float
    step: float
    commanded: str


@dataclass(frozen=True, slots=True)
class Site:
    """A plant with its automations."""

    name: str
    example: Path
    plant_file: str
    profile: str | None
    """What today gets on the calendar; None: what the site's own says."""
    loops: tuple[Loop, ...]
    peer: tuple[str, str, float]
    """The points that are read and written for comparison, both on BACnet, and
    what is written: this and one more, by turns."""
    settle: float
    """Seconds after the start in which thousands of reports are still asked for."""
    hours: tuple[int, int] = (0, 24)


def _kspo() -> Site:
    loops = [
        Loop(f"{name}.{_PRESSURE}", 120.0, 4.0, f"schp_{name}_1.speed_command")
        for name in _BUILDINGS
    ]
    loops += [
        Loop(f"{name}.temperature", 24.0, 1.0, f"schp_{name}_2.speed_command")
        for name in _BUILDINGS
    ]
    example = EXAMPLES / "kspo"
    return Site(
        "kspo",
        example,
        (example / "plant.yaml").read_text(encoding="utf-8"),
        None,
        tuple(loops),
        ("arena.temperature", "chiller_1.demand_limit", 90.0),
        10.0,
        (9, 19),
    )


def _large(points: int) -> Site:
    drives = ("schp_1", "schp_2", "ct_1", "ct_2", "cdp_1", "cdp_2")
    loops = tuple(
        Loop(f"zone_{number}.temperature", 24.0, 1.0, f"{drive}.speed_command")
        for number, drive in enumerate(drives, 1)
    )
    return Site(
        str(points),
        EXAMPLES / "two_chillers",
        large_plant_text(points),
        WEEKDAY,
        loops,
        ("zone_1.temperature", "zone_1.temperature_setpoint", 24.0),
        10.0 + points / 200,
    )


def site_of(name: str) -> Site:
    """Return a site by its name: `kspo`, or a number of points."""
    return _kspo() if name == "kspo" else _large(int(name))


def form(plant: str, loop: Loop, entities: Mapping[str, str]) -> dict[str, object]:
    """Return the automation of a timed loop, as the editor saves it.

    Without an integral the output follows the measurement alone, to and fro.
    """
    return {
        "alias": name_of(loop),
        "use_blueprint": {
            "path": "chiller_plant/pid_control.yaml",
            "input": {
                "plant": plant,
                "measurement": entities[loop.measured],
                "outputs": [entities[loop.commanded]],
                "setpoint": loop.base,
                "gain": 10.0 / loop.step,
                "integral_time": 0,
                "output_minimum": 30,
                "output_maximum": 90,
                "interval": INTERVAL,
            },
        },
    }


def name_of(loop: Loop) -> str:
    """Return what a timed loop is called."""
    return f"Timed {loop.commanded.partition('.')[0].replace('_', ' ')}"
