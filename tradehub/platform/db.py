"""The database, behind two doors: ``write`` and ``read``, on SQLite (WAL) and PostgreSQL alike.

On SQLite a write session begins IMMEDIATE: a transaction that reads first and writes later would otherwise lose
updates or fail when it upgrades its lock. A read session begins plain, for an immediate reader would starve the writer.
A read session cannot write on either database.

Tenancy has its one place here. A session opened with ``org=`` sees of every ``Scoped`` class only what that class shows
to the organisation, in every select, update, delete and relationship load. ``org=None`` is the system itself: jobs and
the command line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    String,
    Text,
    TypeDecorator,
    create_engine,
    event,
    make_url,
)
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import (
    DeclarativeBase,
    LoaderCriteriaOption,
    ORMExecuteState,
    Session,
    sessionmaker,
    with_loader_criteria,
)
from sqlalchemy.orm.interfaces import CriteriaOption
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.sql.visitors import anon_map

from tradehub.documents.parts import PartyId
from tradehub.platform import clock

BUSY_TIMEOUT_MS = 15_000
"""How long a SQLite connection waits for the writer before it gives up. A writer holds the lock for milliseconds, but
SQLite keeps no queue: on a slow disk with many writers one of them may be passed over for seconds."""

ATTEMPTS = 5
"""Tries of one transaction by ``Database.transact`` before the conflict is the caller's problem."""

POOL_SIZE = 20
"""Connections per process: eight web threads, the job threads and the clock, each with one or two at a time."""

CRITERIA_KEPT = 1024
"""So many organisations' criteria are kept: more than a busy hub serves in an hour."""

_MODE = "tradehub_mode"
_ORG = "tradehub_org"
_UNSCOPED = "unscoped"
_POSTGRES_TRANSIENT = frozenset({"40001", "40P01", "55P03", "57P01", "08006", "08003"})

T = TypeVar("T")


class TextDecimal(TypeDecorator[Decimal]):
    """An exact decimal kept as text: ``1.20`` comes back as ``1.20``. SQL can neither sort nor sum it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Decimal) or not value.is_finite():
            raise TypeError(f"expected a finite Decimal, got {value!r}")
        return str(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept to the microsecond in UTC. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError(f"expected an aware datetime, got {value!r}")
        moment = value.astimezone(UTC)
        return moment if dialect.name == "postgresql" else moment.replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Json(TypeDecorator[Any]):
    """Plain values (str, int, bool, None, list, dict) as JSON text. Floats and Decimals are refused as inexact.

    Text on both databases: PostgreSQL's own JSON type refuses U+0000, which a partner's data may hold.
    Assign a new value to change it; a change inside the old one is not seen.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else to_json(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def to_json(value: Any) -> str:
    """Return the canonical JSON text of plain values: keys sorted, no spaces, ASCII. Raises TypeError for floats."""
    _refuse_floats(value)
    return _ENCODER.encode(value)


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_EXACT = frozenset({str, int, bool, type(None)})
"""What most values are: whether they are floats need not be asked."""


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"a float is not exact: {value!r}")
    if isinstance(value, dict):
        for each in value.values():
            if type(each) not in _EXACT:
                _refuse_floats(each)
    elif isinstance(value, list | tuple):
        for each in value:
            if type(each) not in _EXACT:
                _refuse_floats(each)


class Base(DeclarativeBase):
    """Base of every table. Names of constraints follow one convention, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - the name is SQLAlchemy's
        Decimal: TextDecimal,
        datetime: UtcDateTime,
        dict[str, Any]: Json,
        list[Any]: Json,
        list[str]: Json,
        PartyId: String,
    }


class Scoped:
    """A class whose rows belong to organisations. Mixed into a mapped class, which says whom a row is visible to."""

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        raise NotImplementedError(f"{cls.__name__} must say whom it is visible to")


class Unscoped(Exception):
    """A statement in an organisation's session bypasses the mapped classes, and so the tenancy criterion."""


class Database:
    """One database: ``sqlite:///path`` or ``postgresql://...``. Threads share it; processes do not."""

    def __init__(self, url: str) -> None:
        self.url = _with_driver(url)
        self.engine = _engine(self.url)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        write = self.engine.execution_options(**{_MODE: "write"})
        read_options: dict[str, Any] = {_MODE: "read"}
        if not self.is_sqlite:
            read_options |= {"postgresql_readonly": True, "isolation_level": "REPEATABLE READ"}
        self._write = sessionmaker(write, expire_on_commit=False)
        self._read = sessionmaker(
            self.engine.execution_options(**read_options), expire_on_commit=False, autoflush=False
        )

    @contextmanager
    def write(self, org: str | None = None) -> Iterator[Session]:
        """A session whose work is committed at the end of the block, and rolled back if the block raises."""
        with self._write(info={_ORG: org}) as session, session.begin():
            yield session

    @contextmanager
    def read(self, org: str | None = None) -> Iterator[Session]:
        """A session that sees one state of the database and cannot change it."""
        with self._read(info={_ORG: org}) as session, session.begin():
            yield session

    def transact(
        self, work: Callable[[Session], T], *, org: str | None = None, attempts: int = ATTEMPTS,
        within: timedelta | None = None,
    ) -> T:  # fmt: skip
        """Run ``work`` in a write session, again where another transaction was in the way. It must bear that.

        It is not tried again once it has taken longer than ``within``: somebody waits for the answer.
        """
        until = None if within is None else clock.now() + within
        for _ in range(attempts - 1):
            try:
                with self.write(org) as session:
                    return work(session)
            except DBAPIError as error:
                if not is_transient(error) or (until is not None and clock.now() >= until):
                    raise
        with self.write(org) as session:
            return work(session)

    def dispose(self) -> None:
        self.engine.dispose()


def org_of(session: Session) -> str | None:
    """Return the organisation that a session was opened for; None is the system itself."""
    org: str | None = session.info.get(_ORG)
    return org


def is_transient(error: DBAPIError) -> bool:
    """True where the same transaction may well succeed next time: busy, deadlock, serialisation, lost connection."""
    if error.connection_invalidated:
        return True
    code = getattr(error.orig, "sqlstate", None)
    if code is not None:
        return code in _POSTGRES_TRANSIENT
    return getattr(error.orig, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def _with_driver(url: str) -> str:
    for prefix in ("postgres://", "postgresql://"):
        if url.startswith(prefix):
            return "postgresql+psycopg://" + url.removeprefix(prefix)
    return url


def _engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise ValueError("the database must be a file: several connections share it")
        Path(str(parsed.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(parsed, pool_size=POOL_SIZE)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    return create_engine(parsed, pool_size=POOL_SIZE, pool_pre_ping=True)


def _prepare_sqlite(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver's own idea of when to begin loses updates
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get(_MODE) == "read"
    connection.exec_driver_sql(f"PRAGMA query_only={int(reading)}")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


@event.listens_for(Session, "do_orm_execute")
def _scope(state: ORMExecuteState) -> None:
    org = org_of(state.session)
    if org is None or state.is_column_load:
        return
    if not state.is_orm_statement:
        if state.execution_options.get(_UNSCOPED):
            return
        raise Unscoped("an organisation's session runs statements on mapped classes alone")
    if state.is_select or state.is_update or state.is_delete:
        state.statement = state.statement.options(_own_rows(org, len(Base.metadata.tables)))


class _OwnRows(CriteriaOption):
    """Holds a statement to the rows of one organisation: the criteria of every scoped class as one option.

    Of each statement SQLAlchemy asks every option what tells it from others, to find what it compiled before. With one
    option for each class that took four times as long as a small statement itself. What the criteria look like is
    therefore told once, as a number; what they bind, the organisation, is handed over anew as with any other option.
    """

    __slots__ = ("_bound", "_criteria", "_shape")

    propagate_to_loaders = False  # the loads of relationships pass _scope on their own

    def __init__(self, criteria: tuple[LoaderCriteriaOption, ...]) -> None:
        self._criteria = criteria
        self._bound: list[BindParameter[Any]] = []
        names = anon_map()
        shape = tuple(each._gen_cache_key(names, self._bound) for each in criteria)
        if None in shape:
            raise TypeError("a class says whom it is visible to in a way that no statement can be kept by")
        self._shape = _shapes.setdefault(shape, next(_numbers))

    def _gen_cache_key(self, anon_map: anon_map, bindparams: list[BindParameter[Any]]) -> tuple[Any, ...]:
        bindparams.extend(self._bound)
        return _OwnRows, self._shape

    def process_compile_state(self, compile_state: Any) -> None:
        self.get_global_criteria(compile_state.global_attributes)

    def get_global_criteria(self, attributes: dict[Any, Any]) -> None:
        for each in self._criteria:
            each.get_global_criteria(attributes)


_shapes: dict[tuple[Any, ...], int] = {}
_numbers = count()


@lru_cache(maxsize=CRITERIA_KEPT)
def _own_rows(org: str, tables: int) -> _OwnRows:
    """Return what holds every statement of an organisation to its own rows. Kept, for making it takes longer than most
    statements; the number of ``tables`` is part of the key because a module that is imported later brings its own."""
    scoped = sorted(
        (each.class_ for each in Base.registry.mappers if issubclass(each.class_, Scoped)),
        key=lambda each: each.__name__,
    )
    return _OwnRows(tuple(with_loader_criteria(each, each.visible_to(org), include_aliases=True) for each in scoped))
