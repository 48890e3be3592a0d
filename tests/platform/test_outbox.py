"""What is put into the outbox leaves with the change that it tells of, once, or not at all."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from tests.fakes import FakeJobs
from tradehub.documents import Document, Order, PartyId
from tradehub.platform.jobs import JobContext
from tradehub.platform.outbox import SEND, Outbox, OutboxRow

HAIDI, NINGBO = PartyId("haidi"), PartyId("ningbo")
ORDER = Order(number="PO-1", issued_on=date(2026, 3, 2), currency="EUR")


@pytest.fixture
def sent(jobs: FakeJobs) -> list[Document]:
    documents: list[Document] = []

    def send(ctx: JobContext, row: str) -> None:
        with ctx.write() as session:
            documents.append(session.get_one(OutboxRow, row).restored())

    jobs.register(SEND, send)
    return documents


def put(jobs: FakeJobs, session: Any, key: str = "k", document: Document = ORDER) -> str:
    return Outbox(jobs).put(session, document, sender=HAIDI, to=NINGBO, idempotency_key=key, subject="deal:1")


def test_a_document_leaves_after_the_commit_as_it_was_put(jobs: FakeJobs, sent: list[Document]) -> None:
    with jobs.database.write("haidi") as session:
        put(jobs, session)
        assert jobs.drain() == 0
    assert jobs.drain() == 1
    assert sent == [ORDER]


def test_a_document_of_a_change_that_failed_never_leaves(jobs: FakeJobs, sent: list[Document]) -> None:
    def change(session: Any) -> None:
        put(jobs, session)
        raise KeyError

    with pytest.raises(KeyError):
        jobs.database.transact(change)
    assert jobs.drain() == 0


def test_a_second_put_under_the_same_key_is_the_first(jobs: FakeJobs, sent: list[Document]) -> None:
    with jobs.database.write("haidi") as session:
        first = put(jobs, session)
        assert put(jobs, session) == first
    with jobs.database.write("haidi") as session:
        assert put(jobs, session, document=ORDER.model_copy(update={"number": "PO-2"})) == first
        assert put(jobs, session, key="other") != first
    jobs.drain()
    assert len(sent) == 2


def test_a_stranger_does_not_see_what_is_on_its_way(jobs: FakeJobs, sent: list[Document]) -> None:
    with jobs.database.write("haidi") as session:
        put(jobs, session)
    for org, seen in (("haidi", 1), ("ningbo", 0)):
        with jobs.database.read(org) as session:
            assert len(session.scalars(select(OutboxRow)).all()) == seen
