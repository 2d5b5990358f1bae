"""Each part of the benchmarks of bus and latency, so small that only its working is seen.

What needs a Home Assistant of its own is in `tests/e2e/test_benchmarks.py`.
"""

from collections.abc import Awaitable, Callable
from math import isfinite
from pathlib import Path

import pytest

from benchmarks.bus_parts import bacnet, modbus, mstp, reports
from benchmarks.bus_parts.result import Figure, Result
from benchmarks.latency import SITES
from benchmarks.latency_parts.figures import worst
from benchmarks.latency_parts.sampling import joined
from benchmarks.latency_parts.sites import Loop, form, name_of, site_of
from custom_components.chiller_plant.plant.plant_file import parse_plant


async def _bacnet(folder: Path) -> Result:
    return await bacnet.measure(folder, sizes=(10, 20), repeats=2)


async def _reports(folder: Path) -> Result:
    return await reports.measure(folder, reports=150, repeats=2)


async def _mstp(folder: Path) -> Result:
    return await mstp.measure(folder, points=20, commands=4, request_time=0.02)


async def _modbus(folder: Path) -> Result:
    return await modbus.measure(folder, registers=40, repeats=2, commands=4, core=False)


@pytest.mark.parametrize(
    ("part", "keys"),
    [
        (
            _bacnet,
            {
                "bacnet.ratio_to_bacpypes3",
                "bacnet.ratio_to_bac0",
                "bacnet.max_stall_ms",
            },
        ),
        (_reports, {"reports.ratio_to_bacpypes3"}),
        (_mstp, {"mstp.frame_ratio", "mstp.command_wait_requests"}),
        (_modbus, {"modbus.ratio_to_single", "modbus.command_wait_requests"}),
    ],
)
async def test_a_part_brings_all_its_figures(
    part: Callable[[Path], Awaitable[Result]], keys: set[str], tmp_path: Path
):
    result = await part(tmp_path)

    assert {figure.key for figure in result.figures} == keys
    assert all(isfinite(figure.value) for figure in result.figures)
    assert all(figure.value >= 0 and figure.beside for figure in result.figures)


@pytest.mark.parametrize(
    ("value", "bound", "better", "kept"),
    [
        (5.0, 5.0, "higher", True),
        (4.9, 5.0, "higher", False),
        (15.0, 15.0, "lower", True),
        (15.1, 15.0, "lower", False),
        (1.0, None, "lower", None),
    ],
)
def test_a_bound_itself_is_kept(value, bound, better, kept):
    assert Figure("key", value, "", bound, better, "").kept is kept


def test_a_change_is_followed_by_the_moment_at_which_its_loop_saw_it():
    loop = Loop("hall.temperature", 24.0, 1.0, "schp_1.speed_command")
    rows = [
        (loop, 10.0, 10.1, 10.9),
        (loop, 20.0, 20.1, 20.6),
        (loop, 30.0, 30.1, 30.2),
    ]
    seen = {"Timed schp 1": [(9.0, 24.0), (10.8, 25.0), (20.5, 24.0)]}

    samples = joined(rows, seen)

    assert [sample.seen for sample in samples] == [10.8, 20.5], "one was not heard"
    assert samples[0].written == 10.9


@pytest.mark.parametrize("name", SITES)
def test_timed_loops_measure_what_is_reported_and_move_drives(name: str):
    site = site_of(name)
    plant = parse_plant(site.plant_file, "plant.yaml")

    assert len({loop.commanded for loop in site.loops}) == 6
    assert len({name_of(loop) for loop in site.loops}) == 6
    for loop in site.loops:
        measured, commanded = plant.points[loop.measured], plant.points[loop.commanded]
        assert measured.address.connection == "bms"
        assert commanded.address.connection == "drives"
        assert commanded.writable
        inputs = form("entry", loop, {key: key for key in plant.points})
        assert inputs["use_blueprint"]["input"]["gain"] * loop.step == 10.0
    if name != "kspo":
        on_wire = [point for point in plant.points.values() if point.address]
        assert abs(len(on_wire) - int(name)) < 10


def test_the_worst_of_the_sites_is_told_first():
    def result(site: str, value: float) -> Result:
        return Result(
            [
                Figure(f"latency.{site}.p50_ms", value, "ms", 1000.0, "lower", ""),
                Figure(f"latency.{site}.p99_ms", 2 * value, "ms", 2000.0, "lower", ""),
                Figure(
                    f"latency.{site}.transport_p99_ms", 9e9, "ms", None, "lower", ""
                ),
            ]
        )

    figures = worst([result("kspo", 500.0), result("5000", 700.0)])

    assert [(figure.key, figure.value) for figure in figures] == [
        ("latency.p50_ms", 700.0),
        ("latency.p99_ms", 1400.0),
    ]
    assert figures[0].kept
