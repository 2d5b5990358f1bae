"""Keeps what came of events in a table of its own in the recorder's database.

The recorder never purges a table that is not its own. It is opened as Home
Assistant's own SQL sensors do: SQLite through the recorder's connections, which
know how to share the file; any other database through connections of ours.
"""

from collections.abc import Callable, Iterable
from threading import Lock
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    create_engine,
    delete,
    insert,
    make_url,
    select,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from homeassistant.core import HomeAssistant
from homeassistant.helpers.recorder import DATA_INSTANCE, get_instance
from homeassistant.util.hass_dict import HassKey

from ..const import DOMAIN
from ..plant.demand_response.record import COLUMNS, EventRecord

VERSION = 1
_CONNECT_TIMEOUT = 10
_TIMED_DRIVERS = frozenset({"psycopg", "psycopg2", "pymysql", "mysqldb"})
_ENGINES: HassKey[dict[str, Engine]] = HassKey(f"{DOMAIN}_performance_engines")

_PREPARING = Lock()
_METADATA = MetaData()
_VERSIONS = Table(
    "chiller_plant_schema",
    _METADATA,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
)
_TYPES: dict[str, Any] = {
    "plant": String(255),
    "event": String(255),
    "event_id": String(255),
    "source": String(255),
    "name": Text,
    "meter": String(255),
    "opt": String(8),
    "method": String(32),
    "confidence": String(16),
    "why": Text,
    "test": Boolean,
    "eligible": Boolean,
    "samples": Integer,
}
_KEY = ("plant", "event")
_TABLE = Table(
    "chiller_plant_performance",
    _METADATA,
    *(
        Column(name, _TYPES.get(name, Double), primary_key=name in _KEY)
        for name in COLUMNS
    ),
)


class DatabaseAway(Exception):
    """The table cannot be reached now; says why, for people."""


async def async_with_database[T](hass: HomeAssistant, work: Callable[[Engine], T]) -> T:
    """Do something with the database, never in the event loop.

    Raises `DatabaseAway`.
    """
    if DATA_INSTANCE not in hass.data:
        raise DatabaseAway("Home Assistant's recorder does not run")
    recorder = get_instance(hass)
    if not recorder.db_url.startswith("sqlite"):
        engines = hass.data.setdefault(_ENGINES, {})
        return await hass.async_add_executor_job(
            _guarded, lambda: work(_engine(engines, recorder.db_url))
        )
    ready = recorder.async_db_ready
    if not ready.done() or not ready.result() or (engine := recorder.engine) is None:
        raise DatabaseAway("the recorder has no database")
    try:
        return await recorder.async_add_executor_job(_guarded, lambda: work(engine))
    except RuntimeError as error:
        raise DatabaseAway("the recorder is stopping") from error


def write(engine: Engine, records: Iterable[EventRecord]) -> None:
    """Write records; one that is there already is replaced."""
    _prepare(engine)
    with engine.begin() as connection:
        for record in records:
            connection.execute(
                delete(_TABLE).where(
                    _TABLE.c.plant == record.plant, _TABLE.c.event == record.event
                )
            )
            connection.execute(insert(_TABLE).values(**record.as_dict()))


def read(
    engine: Engine,
    plant: str,
    *,
    since: float | None = None,
    until: float | None = None,
    event: str | None = None,
    limit: int | None = None,
) -> list[EventRecord]:
    """Return records of a plant, the newest first.

    `since` and `until` are of when events began; `event` is a key or a utility's id.
    """
    _prepare(engine)
    wanted = [_TABLE.c.plant == plant]
    if since is not None:
        wanted.append(_TABLE.c.begins >= since)
    if until is not None:
        wanted.append(_TABLE.c.begins < until)
    if event is not None:
        wanted.append((_TABLE.c.event == event) | (_TABLE.c.event_id == event))
    query = select(_TABLE).where(and_(*wanted)).order_by(_TABLE.c.begins.desc())
    with engine.connect() as connection:
        rows = connection.execute(query.limit(limit)).mappings().all()
    return [EventRecord(**row) for row in rows]


def _prepare(engine: Engine) -> None:
    """Make the table, or see that it is one that this version knows."""
    ours = _VERSIONS.c.name == _TABLE.name
    # Several plants begin at the same time, and only one of them can make it.
    with _PREPARING, engine.begin() as connection:
        _METADATA.create_all(connection)
        found = connection.execute(select(_VERSIONS.c.version).where(ours)).scalar()
        if found is None:
            connection.execute(
                insert(_VERSIONS).values(name=_TABLE.name, version=VERSION)
            )
        elif found > VERSION:
            raise DatabaseAway(
                f"the table {_TABLE.name} was written by a newer version of this"
                f" integration (its schema is {found}, this one knows {VERSION})"
            )


def _engine(engines: dict[str, Engine], url: str) -> Engine:
    if url not in engines:
        timed = make_url(url).get_driver_name() in _TIMED_DRIVERS
        engines[url] = create_engine(
            url,
            poolclass=NullPool,
            connect_args={"connect_timeout": _CONNECT_TIMEOUT} if timed else {},
        )
    return engines[url]


def _guarded[T](work: Callable[[], T]) -> T:
    try:
        return work()
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip()
        raise DatabaseAway(said.splitlines()[0] if said else repr(error)) from error
    except ImportError as error:
        raise DatabaseAway(f"its driver is not installed: {error}") from error
