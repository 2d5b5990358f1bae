"""Each part of the bus benchmark, so small that only its working is seen.

What needs a Home Assistant of its own is in `tests/e2e/test_benchmarks.py`.
"""

from collections.abc import Awaitable, Callable
from math import isfinite
from pathlib import Path

import pytest

from benchmarks.bus_parts import bacnet, modbus, mstp
from benchmarks.bus_parts.result import Figure, Result


async def _bacnet(folder: Path) -> Result:
    return await bacnet.measure(folder, sizes=(10, 20), repeats=2)


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
