"""Readings are changed at moments of their own; when each step came is written down."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
import time
from typing import Any

from benchmarks.bus_parts.child import Child
from scripts.demonstration.home_assistant import WebSocket

from .sites import Loop, name_of

_LOOK_EACH = 0.1
_PATIENCE = 10.0
_ANSWERS = 3
"""That a loop must have given before it is timed."""
_MIDDLE = 60.0
"""% of the output, between the limits of the form."""
_FIRST_PATIENCE = 150.0
"""Seconds until the loops work at all: reports are asked for, the plan is taken."""
_SETTLED = 0.3
"""Seconds between a command and the next change, at least."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Moments of one change; all by the same clock."""

    changed: float
    """The sensor measures something else."""
    shown: float
    """Home Assistant has told it to who listens."""
    seen: float
    """The loop is worked out with it."""
    written: float
    """The drive has the new command."""


@dataclass(slots=True)
class _Heard:
    """What was shown and written, as it comes in."""

    states: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    writes: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def first(
        self,
        rows: dict[str, list[tuple[float, float]]],
        key: str,
        since: float,
        patience: float,
    ) -> tuple[float, float]:
        """Wait for the first row of a key after a moment."""

        def found() -> tuple[float, float] | None:
            return next((row for row in rows.get(key, ()) if row[0] >= since), None)

        async with asyncio.timeout(patience), self.news:
            await self.news.wait_for(lambda: found() is not None)
        row = found()
        assert row is not None
        return row


@dataclass(slots=True)
class Sampler:
    """The loops of one running site."""

    served: Child
    socket: WebSocket
    entities: Mapping[str, str]
    """Entity of each point."""
    loops: Sequence[Loop]
    lost: int = 0
    """Changes that were not answered in time."""
    _values: dict[str, float] = field(default_factory=dict)
    _heard: _Heard = field(default_factory=_Heard)
    _served_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _random: Random = field(default_factory=lambda: Random(1))

    async def _ask(self, what: str, **arguments: Any) -> Any:
        async with self._served_lock:
            return await self.served.ask(what, **arguments)

    async def listen(self) -> asyncio.Task[None]:
        """Begin to hear; return what has to be cancelled in the end."""
        await self.socket.call(
            "subscribe_entities",
            entity_ids=[self.entities[loop.measured] for loop in self.loops],
            listener=self._shown,
        )
        return asyncio.create_task(self._written())

    def _shown(self, event: dict[str, Any]) -> None:
        moment = time.monotonic()
        for entity, change in event.get("c", {}).items():
            try:
                value = float(change.get("+", {}).get("s"))
            except TypeError, ValueError:
                continue
            self._heard.states.setdefault(entity, []).append((moment, value))

    async def _written(self) -> None:
        while True:
            rows = await self._ask("written")
            async with self._heard.news:
                for key, moment, value in rows:
                    self._heard.writes.setdefault(key, []).append((moment, value))
                self._heard.news.notify_all()
            await asyncio.sleep(_LOOK_EACH)

    async def prepare(self) -> None:
        """Wait until each loop has answered a change."""
        async with asyncio.TaskGroup() as group:
            for loop in self.loops:
                group.create_task(self._until_it_answers(loop))

    async def _until_it_answers(self, loop: Loop) -> None:
        deadline = time.monotonic() + _FIRST_PATIENCE
        answers = 0
        while answers < _ANSWERS:
            moment = await self._change(loop)
            try:
                await self._heard.first(
                    self._heard.writes, loop.commanded, moment, _PATIENCE
                )
                answers += 1
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{name_of(loop)} never answered") from None

    async def _change(self, loop: Loop) -> float:
        """Move a reading so that its loop's output has room to follow; say when.

        A loop that begins anew begins from what its drive does: a step to and
        fro would end at a limit sooner or later.
        """
        writes = self._heard.writes.get(loop.commanded)
        output = writes[-1][1] if writes else 0.0
        value = self._values.get(loop.measured, loop.base)
        value += loop.step if output >= _MIDDLE else -loop.step
        self._values[loop.measured] = value
        moment: float = await self._ask("change", point=loop.measured, value=value)
        return moment

    async def sample(self, times: int) -> list[tuple[Loop, float, float, float]]:
        """Change each reading so many times: loop, changed, shown, written."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._sample(loop, times)) for loop in self.loops
            ]
        return [row for task in tasks for row in task.result()]

    async def _sample(
        self, loop: Loop, times: int
    ) -> list[tuple[Loop, float, float, float]]:
        rows = []
        entity = self.entities[loop.measured]
        for _ in range(times):
            # At no moment of the control interval rather than at another.
            await asyncio.sleep(_SETTLED + self._random.random())
            changed = await self._change(loop)
            try:
                written, _ = await self._heard.first(
                    self._heard.writes, loop.commanded, changed, _PATIENCE
                )
                shown, _ = await self._heard.first(
                    self._heard.states, entity, changed, _PATIENCE
                )
            except TimeoutError:
                self.lost += 1
                continue
            rows.append((loop, changed, shown, written))
        return rows


def joined(
    rows: Sequence[tuple[Loop, float, float, float]],
    seen: Mapping[str, Sequence[tuple[float, float | None]]],
) -> list[Sample]:
    """Add when the loop saw each change, as the engine's ear heard it."""
    samples = []
    for loop, changed, shown, written in rows:
        moments = [
            moment
            for moment, _ in seen.get(name_of(loop), ())
            if changed <= moment <= written
        ]
        if moments:
            samples.append(Sample(changed, shown, moments[-1], written))
    return samples
