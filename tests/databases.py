"""Databases on SQLite that begin as a copy: to make all tables, or to go through every migration, takes longer than most
tests do."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from tradehub.platform.db import Base, Database
from tradehub.platform.schema import upgrade

_made: dict[object, bytes] = {}


def make_tables(database: Database) -> None:
    """Make the tables of all modules imported so far."""
    _begin(database, frozenset(Base.metadata.tables), lambda each: Base.metadata.create_all(each.engine))


def make_whole(database: Database) -> None:
    """Do as ``upgrade`` does: make the tables by the migrations, with those of the job engine."""
    _begin(database, "upgraded", upgrade)


def _begin(database: Database, key: object, make: Callable[[Database], None]) -> None:
    path = Path(str(database.engine.url.database))
    if not database.is_sqlite or path.exists():
        make(database)
        return
    if key not in _made:
        _made[key] = _file(make)
    path.write_bytes(_made[key])


def _file(make: Callable[[Database], None]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "made.db")
        database = Database(f"sqlite:///{path}")
        make(database)
        with database.engine.connect() as connection:
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        database.dispose()
        return path.read_bytes()
