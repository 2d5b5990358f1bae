"""What the samples of the sites come to."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import quantiles
import time
from typing import Any

from benchmarks.bus_parts.child import child
from benchmarks.bus_parts.house import cpu_seconds
from benchmarks.bus_parts.result import Figure, Result, middle
from custom_components.chiller_plant.plant.model import (
    BacnetAddress,
    BacnetConnection,
    Plant,
)
from tests.ports import udp_port

from .running import running_site
from .sampling import Sample, Sampler, joined
from .sites import INTERVAL, Site

_ROUND_TRIPS = 300
_LEAST_SHARE = 0.9
"""Of the changes, which must have been seen and answered to be a measurement."""


async def measure(
    site: Site, folder: Path, *, times: int, settle: float | None = None
) -> Result:
    """Run a site and change each of its readings so many times."""
    async with running_site(site, folder) as running:
        sampler = Sampler(running.served, running.socket, running.entities, site.loops)
        hearing = await sampler.listen()
        try:
            await sampler.prepare()
            await asyncio.sleep(site.settle if settle is None else settle)
            daemon = running.app_daemon.program.process
            house = running.home_assistant.program.process
            assert daemon is not None
            assert house is not None
            began, before = time.monotonic(), running.ear.spent()
            used = cpu_seconds(daemon.pid), cpu_seconds(house.pid)
            rows = await sampler.sample(times)
            wall, after = time.monotonic() - began, running.ear.spent()
            shares = [
                100 * (cpu_seconds(pid) - so_far) / wall
                for pid, so_far in zip((daemon.pid, house.pid), used, strict=True)
            ]
        finally:
            hearing.cancel()
        bare = await _round_trips(site, running.plant, folder)
        samples = joined(rows, running.ear.seen())
    changes = len(rows) + sampler.lost
    if len(samples) < _LEAST_SHARE * changes:
        raise RuntimeError(f"of {changes} changes, {len(samples)} can be followed")
    control = 100 * (after[1] - before[1]) / (after[0] - before[0])
    parts = {
        "end to end": _each(samples, lambda item: item.written - item.changed),
        "to Home Assistant": _each(samples, lambda item: item.shown - item.changed),
        "to the next turn of the loop": _each(
            samples, lambda item: item.seen - item.shown
        ),
        "to the wire": _each(samples, lambda item: item.written - item.seen),
        "transport": _each(
            samples,
            lambda item: item.shown - item.changed + item.written - item.seen,
        ),
        "bare": [1000 * item for item in bare],
    }
    return Result(
        _figures(site, parts, control, shares, sampler.lost),
        {
            "points": len(running.plant.points),
            "automations": running.automations,
            "changes": changes,
            "changes that nothing answered in time": sampler.lost,
            "changes that could be followed": len(samples),
            "control interval, s": INTERVAL,
            "seconds measured": round(wall, 1),
            "steps of controllers a second": round(
                (after[2] - before[2]) / (after[0] - before[0]), 1
            ),
            **{f"{name}, ms": _said(values) for name, values in parts.items()},
            "control arithmetic, % of a core": round(control, 3),
            "AppDaemon, % of a core": round(shares[0], 1),
            "Home Assistant, % of a core": round(shares[1], 1),
        },
    )


def _figures(
    site: Site,
    parts: dict[str, list[float]],
    control: float,
    shares: Sequence[float],
    lost: int,
) -> list[Figure]:
    whole, transport, bare = parts["end to end"], parts["transport"], parts["bare"]
    interval = 1000 * INTERVAL
    name = f"latency.{site.name}"
    beside = (
        f"{len(whole)} changes; of it {middle(parts['to Home Assistant']):.0f} ms to "
        f"Home Assistant, {middle(parts['to the next turn of the loop']):.0f} ms until "
        f"the loop's turn, {middle(parts['to the wire']):.0f} ms to the wire"
    )
    return [
        Figure(
            f"{name}.changes_without_answer",
            lost,
            "",
            0,
            "lower",
            f"beside {len(whole)} that were followed",
        ),
        Figure(f"{name}.p50_ms", _share(whole, 50), "ms", interval, "lower", beside),
        Figure(
            f"{name}.p99_ms",
            _share(whole, 99),
            "ms",
            2 * interval,
            "lower",
            f"the longest {max(whole):.0f} ms; control interval {interval:.0f} ms",
        ),
        Figure(
            f"{name}.transport_p99_ms",
            _share(transport, 99),
            "ms",
            interval,
            "lower",
            "all but the wait for the loop's turn: usual "
            f"{_share(transport, 50):.0f} ms",
        ),
        Figure(
            f"{name}.transport_to_round_trip",
            _share(transport, 50) / middle(bare),
            "",
            None,
            "lower",
            "bacpypes3 alone reads and writes the same devices in "
            f"{middle(bare):.1f} ms (p99 {_share(bare, 99):.1f})",
        ),
        Figure(
            f"{name}.control_core_percent",
            control,
            "%",
            1.0,
            "lower",
            f"AppDaemon as a whole {shares[0]:.1f} %, Home Assistant {shares[1]:.1f} %",
        ),
    ]


def worst(results: Sequence[Result]) -> list[Figure]:
    """Return the worst of all sites of what is asked for first."""
    found = []
    for ending in (
        "changes_without_answer",
        "p50_ms",
        "p99_ms",
        "control_core_percent",
    ):
        figures = [
            figure
            for result in results
            for figure in result.figures
            if figure.key.endswith(f".{ending}") and "transport" not in figure.key
        ]
        if not figures:
            continue
        figure = max(figures, key=lambda item: item.value)
        sites = ", ".join(
            f"{item.key.split('.')[1]} {item.value:.4g}" for item in figures
        )
        found.append(
            Figure(
                f"latency.{ending}",
                figure.value,
                figure.unit,
                figure.bound,
                "lower",
                f"the worst of {sites} {figure.unit}",
            )
        )
    return found


async def _round_trips(site: Site, plant: Plant, folder: Path) -> list[float]:
    """Return the seconds that a bare client needs for a read and a write."""
    (source, read), (target, write) = (_where(plant, key) for key in site.peer[:2])
    async with child(
        "round_trip", folder, package="latency_parts", port=udp_port()
    ) as client:
        spent = await client.ask(
            "measure",
            read_from=source,
            read=read,
            write_to=target,
            write=write,
            value=site.peer[2],
            times=_ROUND_TRIPS,
        )
    return [float(item) for item in spent]


def _where(plant: Plant, key: str) -> tuple[str, tuple[str, int]]:
    address = plant.points[key].address
    assert isinstance(address, BacnetAddress)
    connection = plant.connections[address.connection]
    assert isinstance(connection, BacnetConnection)
    return (
        connection.devices[address.device].address,
        (address.object_type, address.object_instance),
    )


def _each(samples: Sequence[Sample], value: Callable[[Sample], float]) -> list[float]:
    return [1000 * value(item) for item in samples]


def _share(values: Sequence[float], percent: int) -> float:
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _said(values: Sequence[float]) -> dict[str, Any]:
    return {
        "p50": round(_share(values, 50), 1),
        "p90": round(_share(values, 90), 1),
        "p99": round(_share(values, 99), 1),
        "longest": round(max(values), 1),
    }
