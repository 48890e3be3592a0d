"""A database that another writer keeps busy for longer than SQLite waits: work is late, and none is lost."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Mapped, mapped_column
from structlog.testing import capture_logs

from tests.web.house import Crate, build
from tests.web.house import post as house_post
from tradehub.platform import db, ids, jobs, queue, schedules
from tradehub.platform.db import Base, Database
from tradehub.platform.jobs import JobContext, Jobs
from tradehub.platform.schedules import Clock, Schedule

PATIENCE_S = 60


class Noted(Base):
    __tablename__ = "test_noted"

    id: Mapped[str] = mapped_column(primary_key=True, default=ids.new_id)
    job: Mapped[str]


@contextmanager
def another_writer(database: Database) -> Iterator[None]:
    """Hold the lock of the only writer, as a process outside of ours may."""
    connection = sqlite3.connect(str(database.engine.url.database), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.rollback()
        connection.close()


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What is logged, instead of tracebacks on the screen."""
    with capture_logs() as lines:
        yield lines


@pytest.fixture
def impatient(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database whose connections wait a twentieth of a second for the writer."""
    monkeypatch.setattr(db, "BUSY_TIMEOUT_MS", 50)
    monkeypatch.setattr(jobs, "PAUSES", (timedelta(milliseconds=50),))
    database = Database(f"sqlite:///{tmp_path / 'tradehub.db'}")
    Base.metadata.create_all(database.engine)
    queue.prepare(database)
    yield database
    database.dispose()


@contextmanager
def worker(database: Database) -> Iterator[Jobs]:
    found = Jobs(database, poll_s=0.05)

    def note(ctx: JobContext, target: str = "") -> None:
        with ctx.write() as session:
            session.add(Noted(job=ctx.id))

    found.register("note", note)
    found.run_worker("busy")
    try:
        yield found
    finally:
        found.stop()
        found.close()


def noted(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(Noted.job).order_by(Noted.id)))


def until(fact: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Let time pass until something is true."""
    end = time.monotonic() + patience_s
    while not fact():
        assert time.monotonic() < end, "it did not come true"
        time.sleep(0.02)


@pytest.fixture
def gate(impatient: Database) -> Iterator[tuple[Jobs, list[str], list[str]]]:
    """A worker with a job ``gated`` that waits for ``open`` to hold something before it writes."""
    began: list[str] = []
    opened: list[str] = []
    working = Jobs(impatient, poll_s=0.05)

    def gated(ctx: JobContext) -> None:
        began.append(ctx.id)
        until(lambda: bool(opened))
        with ctx.write() as session:
            session.add(Noted(job=ctx.id))

    working.register("gated", gated)
    working.run_worker("busy")
    yield working, began, opened
    opened.append("at the end")
    working.stop()
    working.close()


def test_a_job_outlasts_a_database_that_is_busy_for_long(
    impatient: Database, gate: tuple[Jobs, list[str], list[str]]
) -> None:
    working, began, opened = gate
    with impatient.write() as session:
        working.enqueue_in_tx(session, "gated", id="the job")
    until(lambda: bool(began))
    with another_writer(impatient):
        opened.append("go")
        time.sleep(1)
    until(lambda: getattr(working.get("the job"), "state", None) == "done")
    assert noted(impatient) == ["the job"]
    assert (working.get("the job") or pytest.fail("forgotten")).attempt == 2


def test_a_job_whose_end_could_not_be_written_down_is_revived(
    impatient: Database, gate: tuple[Jobs, list[str], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "PATIENCE", timedelta(0))
    working, began, opened = gate
    with impatient.write() as session:
        working.enqueue_in_tx(session, "gated", id="the job")
    until(lambda: bool(began))
    with another_writer(impatient):
        opened.append("go")
        time.sleep(1)
    until(lambda: getattr(working.get("the job"), "state", None) == "failed")
    assert noted(impatient) == []
    assert working.revive() == ["the job"]
    until(lambda: getattr(working.get("the job"), "state", None) == "done")
    assert noted(impatient) == ["the job"]
    assert working.revive() == []


def test_a_job_that_failed_for_a_reason_of_its_own_is_not_revived(impatient: Database) -> None:
    working = Jobs(impatient, poll_s=0.05)

    def broken(ctx: JobContext) -> None:
        raise ZeroDivisionError("planted")

    working.register("broken", broken)
    with impatient.write() as session:
        working.enqueue_in_tx(session, "broken", id="the job")
    working.run_worker("busy")
    try:
        until(lambda: getattr(working.get("the job"), "state", None) == "failed")
        assert working.revive() == []
    finally:
        working.stop()
        working.close()


def test_a_clock_bears_a_busy_database_and_makes_up_for_it(
    impatient: Database, caplog: pytest.LogCaptureFixture, logged: list[MutableMapping[str, Any]]
) -> None:
    with worker(impatient) as working:
        clock = Clock(working)
        clock.start()
        with impatient.write() as session:
            schedules.put(session, "s", kind="note", every_s=1)
        until(lambda: bool(noted(impatient)))
        with caplog.at_level(logging.WARNING), another_writer(impatient):
            time.sleep(2.5)
        before = len(noted(impatient))
        until(lambda: len(noted(impatient)) > before)
        clock.stop()
        with impatient.read() as session:
            assert session.get_one(Schedule, "s").last_ok is not None
    assert [each for each in caplog.records if each.exc_info] == []
    assert {each["log_level"] for each in logged} <= {"warning", "info"}


def test_a_worker_gives_signs_of_life_again_after_a_busy_time(
    impatient: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "HEARTBEAT", timedelta(milliseconds=50))
    with worker(impatient):
        with another_writer(impatient):
            time.sleep(0.5)
        with impatient.read() as session:
            before = session.get_one(queue.Worker, "busy").seen_at
        until(lambda: _seen_at(impatient) > before, 5)


def test_a_page_says_that_the_database_is_busy_and_when_to_come_again(impatient: Database, tmp_path: Path) -> None:
    house = build(impatient, tmp_path)
    client = house.signed_in("owner")
    with impatient.write() as session:
        session.add(Crate(id="c", org="haidi", label="valves"))
    with another_writer(impatient):
        answer = house_post(client, "/deals/c/label")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert "The database is busy" in answer.text
    assert house_post(client, "/deals/c/label").status_code == 303
    with impatient.read() as session:
        assert session.get_one(Crate, "c").label == "valves!"


def _seen_at(database: Database):
    with database.read() as session:
        return session.get_one(queue.Worker, "busy").seen_at
