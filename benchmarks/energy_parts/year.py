"""A year in pieces that go by side by side.

Days are cut into chunks. Each chunk is a scenario of one batch of worlds, with
a desk and controllers of its own, and begins some hours early so that it does
not matter from what it began. Processes share the chunks.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
import gc
from math import ceil
import os
from pathlib import Path
import resource
import time

import numpy as np

from custom_components.chiller_plant.plant.model import Plant
from custom_components.chiller_plant.plant.plant_file import load_plant
from custom_components.chiller_plant.simulator.arrays import Array
from custom_components.chiller_plant.simulator.settings import read_settings
from custom_components.chiller_plant.simulator.weather_series import (
    DAY,
    YEAR_START,
    WeatherSeries,
)
from custom_components.chiller_plant.simulator.worlds import Worlds

from .closed_loop import ClosedLoop, plan_of
from .controls import CONTROL_INTERVAL, CONTROLS
from .recording import BIN, Recorder, Run

DAYS_A_YEAR = 365
GENERATED: Mapping[str, Callable[[], WeatherSeries]] = {
    "tropical": WeatherSeries.tropical,
    "desert": WeatherSeries.desert,
}
"""Years of weather that need no file."""
WARM_UP = 3 * 3600.0
"""Seconds before a chunk that are not counted."""
_LONGEST_CHUNK = 2
_INNER_STEP = 20.0
"""Seconds. Pipes and zones are stepped implicitly: 20 s take 0.02 % more energy
than 10 s do, and start no machine more or less."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Days that are run in one go: local seconds, and how many."""

    start: float
    days: int


@dataclass(frozen=True, slots=True)
class Task:
    """What one process does."""

    site: Path
    weather: str
    control: str
    chunks: tuple[Chunk, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What one process brings."""

    names: tuple[str, ...]
    rows: tuple[np.ndarray, ...]
    """Of each chunk (bins, names)."""
    notices: Counter[str]
    clipped_hours: Counter[str]
    cpu_seconds: float
    memory_mb: float


def chunks_of(days: int) -> tuple[Chunk, ...]:
    """Return chunks of so many days, spread evenly over the year."""
    length = min(max(days // 40, 1), _LONGEST_CHUNK)
    count = ceil(days / length)
    return tuple(
        Chunk(
            YEAR_START
            + DAY
            * (
                index * length
                if days == DAYS_A_YEAR
                else round(index * DAYS_A_YEAR / count)
            ),
            min(length, days - index * length),
        )
        for index in range(count)
    )


def weather_of(name: str, plant: Plant) -> WeatherSeries:
    """Return the weather: a generated one, `site` (the plant file's) or an EPW file.

    Raise `WeatherError` for a file that is unfit.
    """
    if name == "site":
        return read_settings(plant).weather()
    if name in GENERATED:
        return GENERATED[name]()
    return WeatherSeries.from_epw(Path(name))


def doubts_of(site: Path, weather: str, controls: Sequence[str]) -> tuple[str, ...]:
    """Return what is doubtful about a plant and its weather, a sentence each.

    Raise `ValueError`, with the reason in words, for what cannot be run at all.
    """
    plant = load_plant(site)
    air = weather_of(weather, plant)
    worlds = Worlds(plant, np.array([YEAR_START]), air)
    for control in controls:
        ClosedLoop(plant, plan_of(plant, CONTROLS[control](plant)))
    gaps = (
        f"{gap.field}: {gap.hours} hours from line {gap.line} on are interpolated"
        for gap in air.gaps
    )
    return (*worlds.doubts, *gaps)


def run_part(task: Task) -> Part:
    """Run some chunks side by side."""
    began = time.process_time()
    plant = load_plant(task.site)
    plan = plan_of(plant, CONTROLS[task.control](plant))
    starts = np.array([chunk.start for chunk in task.chunks])
    days = max(chunk.days for chunk in task.chunks)
    worlds = Worlds(
        plant,
        starts - WARM_UP,
        weather_of(task.weather, plant),
        longest_step=_INNER_STEP,
    )
    loops = [ClosedLoop(plant, plan) for _ in task.chunks]
    recorder = Recorder(plant, worlds, days * DAY)
    before = _go(worlds, loops, recorder, days * DAY)
    notices: Counter[str] = Counter()
    for loop in loops:
        notices.update({kind.value: n for kind, n in loop.notices.items()})
    return Part(
        recorder.names,
        tuple(
            rows[: round(chunk.days * DAY / BIN)]
            for rows, chunk in zip(recorder.rows, task.chunks, strict=True)
        ),
        notices,
        Counter(
            {
                name: float((seconds - before[name]).sum()) / 3600.0
                for name, seconds in worlds.model.clipped_seconds.items()
            }
        ),
        time.process_time() - began,
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
    )


def _go(
    worlds: Worlds, loops: Sequence[ClosedLoop], recorder: Recorder, seconds: float
) -> Mapping[str, Array]:
    """Warm up and run; return the clipped seconds that the warm-up had."""
    clipped = {key: 0.0 * item for key, item in worlds.model.clipped_seconds.items()}
    columns = loops[0].columns
    hands = [
        (loop, partial(worlds.command, scenario)) for scenario, loop in enumerate(loops)
    ]
    # Nothing here makes cycles worth searching for: Python would look through
    # all desks again and again.
    gc.collect()
    gc.disable()
    try:
        for step in range(1, round((WARM_UP + seconds) / CONTROL_INTERVAL) + 1):
            worlds.advance(CONTROL_INTERVAL)
            elapsed = step * CONTROL_INTERVAL - WARM_UP
            if elapsed == 0.0:
                recorder.begin()
                for name, so_far in worlds.model.clipped_seconds.items():
                    clipped[name][:] = so_far
            elif elapsed > 0.0:
                recorder.look(elapsed)
            for (loop, give), now, row in zip(
                hands, worlds.time.tolist(), columns.rows(worlds), strict=True
            ):
                loop.step(now, row, give)
    finally:
        gc.enable()
    return clipped


def run_days(site: Path, weather: str, control: str, days: int) -> Run:
    """Run so many days of the year under one way of control."""
    began = time.monotonic()
    chunks = chunks_of(days)
    workers = min(os.process_cpu_count() or 1, len(chunks))
    shares = [chunks[worker::workers] for worker in range(workers)]
    tasks = [Task(site, weather, control, share) for share in shares]
    with ProcessPoolExecutor(workers) as pool:
        parts = list(pool.map(run_part, tasks))
    rows = {
        chunk.start: part_rows
        for share, part in zip(shares, parts, strict=True)
        for chunk, part_rows in zip(share, part.rows, strict=True)
    }
    ordered = sorted(rows)
    notices: Counter[str] = Counter()
    clipped: Counter[str] = Counter()
    for part in parts:
        notices.update(part.notices)
        clipped.update(part.clipped_hours)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    return Run(
        control=control,
        names=parts[0].names,
        time=np.concatenate(
            [start + BIN * np.arange(1, len(rows[start]) + 1) for start in ordered]
        ),
        rows=np.concatenate([rows[start] for start in ordered]),
        notices=dict(notices),
        clipped_hours=dict(clipped),
        wall_seconds=time.monotonic() - began,
        cpu_seconds=sum(part.cpu_seconds for part in parts),
        memory_mb=own + sum(part.memory_mb for part in parts),
    )
