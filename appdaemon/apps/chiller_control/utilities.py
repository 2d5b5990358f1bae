"""The connections to utilities, and the event book that they write.

Runs on AppDaemon's event loop, where the VENs live. Connections begin, end and are
made anew as people decide; a library that is not there, a server that is down or a
slip in one connection leaves the others as they are.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
import logging
import time
from typing import Any

from .control.demand_response.event_book import BY_DEFAULT, Entry, EventBook, Opt, Told
from .control.demand_response.event_reports import Row
from .control.demand_response.grid_event import EventRefused
from .control.demand_response.site import Connection, Site
from .openadr3_ven import Ven3, Ven3Settings
from .outbox import Outbox
from .ven import Health, Refusal
from .waiting_reports import Disk, Tray

try:
    from .openadr2_reports import Status, StatusTelemetry, Telemetry
    from .openadr2_ven import Ven2, Ven2Settings
except ImportError as _error:
    OPENLEADR_MISSING: str | None = str(_error)
else:
    OPENLEADR_MISSING = None

_LOGGER = logging.getLogger(__name__)

PACKAGE = "openleadr"
NOT_TAKING_PART = "this site takes part in no demand response now"
KEEP_SECONDS = 20.0
"""In which an event has to be on disk, or is opted out of."""
KEEP_PAUSE = 2.0
FRESH = 60.0
"""Seconds for which a figure may be reported."""
MOST_TOLD = 200
_PAUSE = 60.0
"""Seconds after which a connection that slipped is begun anew."""
_STOP_SECONDS = 10.0
_ANSWER_SECONDS = 30.0
_LAST_SECONDS = 5.0
"""In which what waits has to be kept when everything ends."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What lies on the desk of whoever acts; the book is a copy."""

    book: EventBook
    told: tuple[Told | Refusal, ...]
    connections: tuple[Mapping[str, Any], ...]
    missing: tuple[str, ...]
    """Packages that a connection needs and that are not installed."""


@dataclass(frozen=True, slots=True)
class News:
    """What utilities are to be told."""

    at: float
    figures: Mapping[str, float | None]
    """By the name in reports."""
    overridden: bool
    """Whether a person keeps the automation from acting."""
    rows: Sequence[Row] = ()


@dataclass(slots=True)
class _Line:
    """One connection at work."""

    connection: Connection
    resources: tuple[str, ...]
    health: Health
    ven: "Ven2 | Ven3 | None" = None
    outbox: Outbox | None = None
    tray: Tray | None = None
    task: "asyncio.Task[None] | None" = None


@dataclass
class Utilities:
    """All utilities of one plant; every method runs on the event loop."""

    disk: Disk
    clock: Callable[[], float] = time.time
    _site: Site | None = None
    _book: EventBook | None = None
    _lines: dict[str, _Line] = field(default_factory=dict)
    _told: deque[Told | Refusal] = field(
        default_factory=lambda: deque(maxlen=MOST_TOLD)
    )
    _news: News | None = None
    _refused: dict[str, int] = field(default_factory=dict)
    """Modifications of the portfolio's events that were refused: each is told once."""
    _answers: dict[str, Opt] = field(default_factory=dict)
    """Answers that servers still have to be told."""
    _unkept: bool = False
    _keeping: asyncio.Lock = field(default_factory=asyncio.Lock)
    _chores: "asyncio.Task[None] | None" = None

    async def take(self, site: Site) -> None:
        """Take over what people decided; the book only where we have none."""
        if self._site is not None and self._site.key != site.key:
            await self.stop()
            self._book = None
        self._site = site
        if self._book is None:
            self._book = EventBook(site.key, site.opt)
            for lost in self._book.restore(site.book):
                _LOGGER.warning("an event that was kept is not understood: %s", lost)
        self._book.default_opt = site.opt if site.take_part else "out"
        await self._connect(site)
        self._share(site)
        self._settle()

    async def look(self, now: float) -> Desk:
        """Return what there is to know; what was told is told once."""
        assert self._site is not None and self._book is not None
        self._settle()
        if self._book.forget(now):
            self._unkept = True
        trays = any(tray.due(now) for tray in self._trays())
        if (self._unkept or self._answers or trays) and (
            self._chores is None or self._chores.done()
        ):
            self._chores = asyncio.create_task(self._do_chores())
        told = tuple(self._told)
        self._told.clear()
        return Desk(
            self._book.copy(),
            told,
            tuple(
                _health(line.connection.id, line.health)
                for line in self._lines.values()
            ),
            (PACKAGE,) if self._needs_package() else (),
        )

    async def tell(self, news: News) -> None:
        """Take what utilities are to be told."""
        assert self._book is not None
        self._news = news
        for row in news.rows:
            entry = self._book.entries.get(row.key)
            if entry is None:
                continue
            for line in self._lines.values():
                if line.outbox and line.connection.name == entry.event.source:
                    line.outbox.put(row)

    async def stop(self) -> None:
        """End all connections; events, answers and rows stay as they are."""
        if self._chores is not None:
            self._chores.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                for tray in self._trays():
                    await tray.keep(self.clock())
        for line in list(self._lines.values()):
            await self._end(line)

    # Connections.

    async def _connect(self, site: Site) -> None:
        """Have the connections that are wanted, and no others."""
        assert self._book is not None
        resources = (*site.telemetry, "baseline")
        wanted = {item.id: item for item in site.connections}
        for key, line in list(self._lines.items()):
            if (wanted.get(key), resources) != (line.connection, line.resources):
                if line.tray is not None and key in wanted:
                    await line.tray.keep(self.clock())
                await self._end(line)
        names = {item.name for item in site.connections}
        if site.portfolio is not None and site.portfolio.source is not None:
            names.add(site.portfolio.source)
        for key, entry in list(self._book.entries.items()):
            if entry.event.source not in names:
                self._hear(
                    self._book.cancel(key, self.clock(), "its connection was removed")
                )
        for key, connection in wanted.items():
            if key not in self._lines:
                self._lines[key] = self._begin(connection, resources)

    def _begin(self, connection: Connection, resources: tuple[str, ...]) -> _Line:
        line = _Line(connection, resources, Health(since=self.clock()))
        try:
            if connection.protocol != "2.0b":
                self._begin_3(line)
            elif OPENLEADR_MISSING is None:
                self._begin_2(line)
            else:
                self._fail(line, _install(OPENLEADR_MISSING))
        except (TypeError, ValueError) as error:
            self._fail(line, f"its settings are not understood: {error}")
        if line.ven is not None:
            line.health = line.ven.health
            line.tray = Tray(
                connection.id,
                connection.name,
                line.ven.papers if line.outbox is None else line.outbox,  # type: ignore[union-attr]
                self.disk,
            )
            line.task = asyncio.create_task(self._run(line))
        return line

    def _begin_2(self, line: _Line) -> None:
        assert self._book is not None
        line.ven = Ven2(
            Ven2Settings(name=line.connection.name, **line.connection.fields),
            self._book,
            self._store,
            self._told.append,
            tuple(self._telemetry(name) for name in line.resources),
            clock=self.clock,
            status=(StatusTelemetry("plant", self._status),),
        )

    def _begin_3(self, line: _Line) -> None:
        assert self._book is not None
        connection = line.connection
        ven = Ven3(
            Ven3Settings(
                name=connection.name,
                **{"version": connection.protocol, **connection.fields},
            ),
            self._book,
            self._store,
            self._told.append,
            clock=self.clock,
        )
        line.ven, line.outbox = ven, Outbox(ven)

    async def _run(self, line: _Line) -> None:
        """Keep one connection; what nobody foresaw ends none for good."""
        await line.tray.recall()  # type: ignore[union-attr]
        while True:
            running = [asyncio.create_task(line.ven.run())]  # type: ignore[union-attr]
            if line.outbox is not None:
                running.append(asyncio.create_task(line.outbox.run()))
            try:
                await asyncio.gather(*running)
            except Exception as error:
                _LOGGER.exception("%s", line.connection.name)
                self._fail(line, f"it failed and begins anew in a minute: {error!r}")
            finally:
                for task in running:
                    task.cancel()
                await asyncio.wait(running, timeout=_STOP_SECONDS)
            await asyncio.sleep(_PAUSE)

    async def _end(self, line: _Line) -> None:
        self._lines.pop(line.connection.id, None)
        if line.task is not None:
            line.task.cancel()
            await asyncio.wait([line.task], timeout=_STOP_SECONDS)

    def _fail(self, line: _Line, why: str) -> None:
        if line.health.why != why:
            _LOGGER.warning("%s: %s", line.connection.name, why)
            line.health.since = self.clock()
        line.health.stands, line.health.why = "lost", why

    def _trays(self) -> list[Tray]:
        return [line.tray for line in self._lines.values() if line.tray is not None]

    def _needs_package(self) -> bool:
        return OPENLEADR_MISSING is not None and any(
            line.connection.protocol == "2.0b" for line in self._lines.values()
        )

    # Events of the portfolio, which come by Home Assistant.

    def _share(self, site: Site) -> None:
        """Have the events of the portfolio that there are, and no others."""
        assert self._book is not None
        part = site.portfolio
        if part is None or part.source is None:
            return
        now = self.clock()
        asked = {event.key for event in part.events}
        for key, entry in list(self._book.entries.items()):
            if entry.event.source == part.source and key not in asked:
                self._hear(self._book.cancel(key, now, "the portfolio ended it"))
        for event in part.events:
            if event.source != part.source:
                continue
            try:
                self._hear(self._book.receive(event, now))
            except EventRefused as refused:
                if self._refused.get(event.key) != event.modification:
                    self._refused[event.key] = event.modification
                    self._told.append(Refusal(part.source, event.id, str(refused)))
        self._refused = {
            key: self._refused[key] for key in self._refused if key in asked
        }

    # Telemetry of 2.0b, which is read when the server wants it.

    def _telemetry(self, name: str) -> "Telemetry":
        energy = {"measurement": "energyReal"} if name == "energy" else {}
        return Telemetry(name, lambda: self._figure(name), **energy)

    def _figure(self, name: str) -> float | None:
        news = self._news
        if news is None or self.clock() - news.at > FRESH:
            return None
        return news.figures.get(name)

    def _status(self) -> "Status | None":
        news = self._news
        if news is None:
            return None
        return Status(self.clock() - news.at <= FRESH, news.overridden)

    # Answers.

    def _settle(self) -> None:
        """Let the book say what people decided, and note who is to be told."""
        assert self._site is not None and self._book is not None
        now = self.clock()
        for key, entry in list(self._book.entries.items()):
            if self._book.status(key, now) in ("completed", "cancelled"):
                self._answers.pop(key, None)
                continue
            opt, why = self._decided(key, entry)
            if (opt, why) == (entry.opt, entry.why):
                continue
            told = self._book.opt(key, opt, why)
            self._unkept = True
            if opt != entry.opt:
                self._answers[key] = opt
                if key not in self._site.answers:
                    # Home Assistant told of the answer of a person itself.
                    self._told.append(told)

    def _decided(self, key: str, entry: Entry) -> tuple[Opt, str]:
        assert self._site is not None
        if not self._site.take_part:
            return "out", NOT_TAKING_PART
        if (answer := self._site.answers.get(key)) is not None:
            return answer.opt, answer.why
        if entry.why == NOT_TAKING_PART:
            return self._site.opt, BY_DEFAULT
        return entry.opt, entry.why

    async def _do_chores(self) -> None:
        """Keep book and rows, and tell servers of answers; what fails is due again."""
        if self._unkept:
            with suppress(OSError):
                await self._store()
        for tray in self._trays():
            if tray.due(now := self.clock()):
                await tray.keep(now)
        for key, opt in list(self._answers.items()):
            entry = self._book.entries.get(key) if self._book is not None else None
            if entry is None or await self._answer(key, entry):
                if self._answers.get(key) == opt:
                    del self._answers[key]

    async def _answer(self, key: str, entry: Entry) -> bool:
        """Tell the server; True if it was told, or hears of it by reports."""
        for line in self._lines.values():
            if line.connection.name != entry.event.source:
                continue
            if line.ven is None or line.outbox is not None:
                return line.ven is not None
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    return await line.ven.answer(key)  # type: ignore[union-attr]
            except Exception as error:  # noqa: BLE001 - a library's slip; tried again
                _LOGGER.debug("%s: answer: %r", line.connection.name, error)
                return False
        return True

    # The book on disk.

    async def _store(self) -> None:
        """Keep the book; raises OSError if that cannot be for 20 s."""
        assert self._book is not None
        loop = asyncio.get_running_loop()
        latest = loop.time() + KEEP_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(latest), self._keeping:
                    self._unkept = False
                    await self.disk.keep_events(self._book.as_dict())
            except Exception as error:
                self._unkept = True
                if loop.time() + KEEP_PAUSE >= latest:
                    raise OSError(
                        f"Home Assistant did not keep it: {str(error) or repr(error)}"
                    ) from error
            else:
                return
            await asyncio.sleep(KEEP_PAUSE)

    def _hear(self, told: Told | None) -> None:
        if told is not None:
            self._told.append(told)
            self._unkept = True


def _install(error: str) -> str:
    return (
        f"OpenADR 2.0b needs the Python package {PACKAGE} beside AppDaemon ({error}):"
        f" add {PACKAGE} to python_packages of the AppDaemon app (or install it into"
        " AppDaemon's environment) and restart AppDaemon"
    )


def _health(identity: str, health: Health) -> dict[str, Any]:
    return {
        "id": identity,
        "stands": health.stands,
        "since": health.since,
        "heard": health.heard,
        "why": health.why[:500],
        "registrations": health.registrations,
        "skew": health.skew,
        "waiting": health.waiting,
        "dropped": health.dropped,
    }
