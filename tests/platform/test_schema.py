"""The migrations make the tables that the code has, on both databases, and leave alone what is not ours."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from sqlalchemy import inspect, text

import tradehub
from tradehub.platform import schema
from tradehub.platform.db import Base, Database


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.dispose()


@pytest.fixture
def our_tables() -> set[str]:
    """The names of all tables in the code; tests have tables of their own, which no migration makes."""
    for module in pkgutil.walk_packages(tradehub.__path__, "tradehub."):
        if module.name.endswith(".store") or (".platform." in module.name and module.name.count(".") == 2):
            importlib.import_module(module.name)
    return {name for name in Base.metadata.tables if not name.startswith("test_")}


def test_the_migrations_make_exactly_the_tables_of_the_code(empty: Database, our_tables: set[str]) -> None:
    """Where this fails: python -m tradehub.platform.migrations "what changed"."""
    schema.upgrade(empty)
    assert our_tables <= set(inspect(empty.engine).get_table_names())
    assert [each for each in schema.differences(empty) if not _is_of_a_test(each)] == []


def _is_of_a_test(difference: object) -> bool:
    table = difference[1] if isinstance(difference, tuple) else None
    name = getattr(table, "name", "") or getattr(getattr(table, "table", None), "name", "")
    return str(name).startswith("test_")


def test_a_second_upgrade_changes_nothing_and_keeps_the_rows(empty: Database) -> None:
    assert schema.current(empty) is None
    schema.upgrade(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("INSERT INTO audit_heads (chain, length, hash) VALUES ('c', 0, '0')"))
    schema.upgrade(empty)
    assert schema.current(empty) == schema.newest()
    with empty.engine.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM audit_heads")) == 1


def test_foreign_keys_are_on_again_after_an_upgrade(empty: Database) -> None:
    schema.upgrade(empty)
    if empty.is_sqlite:
        with empty.engine.connect() as connection:
            assert connection.scalar(text("PRAGMA foreign_keys")) == 1


def test_tables_that_are_not_ours_are_left_alone(empty: Database) -> None:
    with empty.engine.begin() as connection:
        connection.execute(text("CREATE TABLE somebody_elses (id INTEGER)"))
    schema.upgrade(empty)
    assert "somebody_elses" not in str(schema.differences(empty))
    assert "workflow_status" not in str(schema.differences(empty))
