"""Bringing a database's tables to what this version of the code expects, on start and without losing a row."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.autogenerate.api import AutogenContext
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeDecorator

from tradehub.platform import queue
from tradehub.platform.db import Base, Database

VERSION_TABLE = "tradehub_version"

_LOCK = 7_240_417
"""Any number, the same for all: processes that start together on PostgreSQL upgrade one after the other."""


def upgrade(database: Database, to: str = "head") -> None:
    """Bring the tables, and those of the job engine, up to date; harmless where they are, and in many processes."""
    with _connection(database) as connection:
        command.upgrade(_config(connection), to)
    queue.prepare(database)


def current(database: Database) -> str | None:
    """Return the revision that a database is at, or None for an empty one."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()


def newest() -> str | None:
    """Return the revision that this version of the code expects."""
    return ScriptDirectory.from_config(_config(None)).get_current_head()


def differences(database: Database) -> list[Any]:
    """Return what the tables in the code have and the database has not, or the other way round."""
    with database.engine.connect() as connection:
        options = context_options()
        return list(compare_metadata(MigrationContext.configure(connection, opts=options), options["target_metadata"]))


def revise(database: Database, message: str) -> str:
    """Upgrade ``database``, write a revision that adds what it lacks, and return the path of the file."""
    with _connection(database) as connection:
        config = _config(connection)
        command.upgrade(config, "head")
    with _connection(database) as connection:
        config = _config(connection)
        number = f"{len(list(ScriptDirectory.from_config(config).walk_revisions())) + 1:04}"
        script = command.revision(config, message, autogenerate=True, rev_id=number)
    return str(getattr(script, "path", ""))


def context_options() -> dict[str, Any]:
    """Return how Alembic is to look at our tables, and at no others: the job engine has its own."""
    return {
        "target_metadata": Base.metadata,
        "version_table": VERSION_TABLE,
        "render_as_batch": True,
        "include_name": _is_ours,
        "render_item": _rendered,
        "compare_type": True,
    }


def _is_ours(name: str | None, kind: str, parents: Any) -> bool:
    if kind == "schema":
        return name is None
    return kind != "table" or name in Base.metadata.tables


def _rendered(kind: str, item: Any, context: AutogenContext) -> str | bool:
    if kind == "type" and isinstance(item, TypeDecorator) and type(item).__module__ == "tradehub.platform.db":
        return f"db.{type(item).__name__}()"
    return False


def _config(connection: Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _connection(database: Database) -> Iterator[Connection]:
    """A connection in a transaction that no other process upgrades beside."""
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            with connection.begin():
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                yield connection
            return
        # SQLite changes a table by copying it; with foreign keys on, dropping the old one would take other rows along.
        raw = connection.connection.cursor()
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                yield connection
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise RuntimeError("the upgrade would leave rows that point to nothing")
        finally:
            raw.execute("PRAGMA foreign_keys=ON")
            raw.close()
