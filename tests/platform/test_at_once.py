"""Several processes at one row: no update is lost, no link of a chain is doubled."""

from __future__ import annotations

import multiprocessing
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy.orm import Mapped, mapped_column

from tradehub.platform import audit
from tradehub.platform.db import Base, Database

PROCESSES, ROUNDS = 4, 25
AT = datetime(2026, 3, 2, tzinfo=UTC)


class Counter(Base):
    __tablename__ = "test_counters"

    id: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]


def raise_by_one(url: str, barrier: Any) -> None:
    database = Database(url)
    barrier.wait(60)
    for _ in range(ROUNDS):
        with database.write() as session:
            counter = session.get_one(Counter, "c", with_for_update=True)
            counter.value += 1


def append(url: str, barrier: Any) -> None:
    database = Database(url)
    barrier.wait(60)
    for _ in range(ROUNDS):
        with database.write() as session:
            audit.append(session, chain="c", org=None, actor=None, action="x", subject=None, details={}, at=AT)


@pytest.mark.parametrize("work", [raise_by_one, append])
def test_no_update_of_four_processes_is_lost(database_url: str, work: Any) -> None:
    database = Database(database_url)
    Base.metadata.create_all(database.engine)
    with database.write() as session:
        session.add(Counter(id="c", value=0))
    database.dispose()
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(PROCESSES)
    processes = [context.Process(target=work, args=(database_url, barrier)) for _ in range(PROCESSES)]
    for each in processes:
        each.start()
    for each in processes:
        each.join(100)
    assert [each.exitcode for each in processes] == [0] * PROCESSES
    with database.read() as session:
        assert audit.verify(session, "c") is None
        done = (
            session.get_one(Counter, "c").value
            if work is raise_by_one
            else session.get_one(audit.AuditHead, "c").length
        )
    assert done == PROCESSES * ROUNDS
    database.dispose()
