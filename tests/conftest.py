"""What tests share: a database of each kind, a payload store, jobs that run when told to, a clock that stands still."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

from tests import databases, postgres
from tests.fakes import FakeJobs
from tradehub.platform import clock
from tradehub.platform.db import Base, Database
from tradehub.platform.files import PayloadStore

os.environ["TRADEHUB_NORDIC_URL"] = "http://127.0.0.1:1/"
"""Where nobody listens. By its profile this partner is where a demo on this machine has its robot, and that is no test's."""

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

settings.register_profile("dev", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("dev")


class KeptTemplates(BytecodeCache):
    """Compiled templates by their name and text: each test has an application of its own, and compiling is what costs."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._kept.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._kept[bucket.key, bucket.checksum] = bucket.code


gc.set_threshold(50_000, 20, 20)  # seldom: the search for cycles took a sixth of the time of the tests


def pytest_collection_finish() -> None:
    """Leave what stays for the whole run out of the search for cycles."""
    gc.collect()
    gc.freeze()


_compile_builder = Rule._compile_builder
_builders: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}


def _kept_builder(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    """Return the function that builds an address by its rule: again, making it anew is what an application costs."""
    key = (rule.rule, *rule._trace, *(rule.defaults or {}).items(), append_unknown)
    if key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    return _builders[key]


Rule._compile_builder = _kept_builder
Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": KeptTemplates()}


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a PostgreSQL server whose user may create databases; skips the test where there is none."""
    worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if worker != "main" else base
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgres.server(shared, worker))
        except postgres.NoPostgres as missing:
            pytest.skip(str(missing))
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of its own, on SQLite and on PostgreSQL in turn."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'tradehub.db'}"
        return
    with postgres.fresh_database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture(scope="session")
def kept_postgres(postgres_url: str) -> Iterator[Database]:
    """A database on PostgreSQL that is emptied between tests, for making one takes longer than most tests."""
    with postgres.fresh_database(postgres_url) as url:
        database = Database(url)
        yield database
        database.dispose()


@pytest.fixture
def database(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with the tables of all modules imported so far, on SQLite and on PostgreSQL in turn."""
    if database_kind == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'tradehub.db'}")
        databases.make_tables(database)
        yield database
        database.dispose()
        return
    database = request.getfixturevalue("kept_postgres")
    Base.metadata.create_all(database.engine)
    yield database
    postgres.empty(database.engine, Base.metadata)


@pytest.fixture
def jobs(database: Database) -> FakeJobs:
    """Jobs that run when the test says ``jobs.drain()``."""
    return FakeJobs(database)


@pytest.fixture
def payloads(tmp_path: Path) -> PayloadStore:
    return PayloadStore(tmp_path / "payloads")


@pytest.fixture
def noon() -> Iterator[clock.Frozen]:
    """The clock stands at noon on Monday, 2 March 2026, until the test moves it."""
    with clock.frozen(NOON) as standing:
        yield standing
