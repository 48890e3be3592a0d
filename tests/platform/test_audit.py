"""Whatever is done to a chain afterwards, the verifier names the place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from tradehub.platform import audit
from tradehub.platform.audit import AuditEntry, Broken
from tradehub.platform.db import Database

AT = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture
def chained(database: Database) -> Database:
    with database.write() as session:
        for number in range(1, 6):
            audit.append(
                session, chain="deal:1", org="haidi", actor="lin", action="countered", subject="deal:1",
                details={"price": f"{number}.20", "海": [True, None]}, at=AT + timedelta(minutes=number),
            )  # fmt: skip
        audit.append(session, chain="other", org=None, actor=None, action="x", subject=None, details={}, at=AT)
    return database


def verdict(database: Database, chain: str = "deal:1") -> Broken | None:
    with database.read() as session:
        return audit.verify(session, chain)


def test_an_untouched_chain_is_sound(chained: Database) -> None:
    assert verdict(chained) is None
    assert verdict(chained, "never written") is None
    with chained.read() as session:
        assert audit.chains(session) == ["deal:1", "other"]


@pytest.mark.parametrize(
    ("tampering", "place", "reason"),
    [
        ("UPDATE audit_entries SET action = 'accepted' WHERE number = 3", 3, "changed"),
        ("UPDATE audit_entries SET details = '{}' WHERE number = 2", 2, "changed"),
        ("UPDATE audit_entries SET actor = NULL WHERE number = 5", 5, "changed"),
        ("UPDATE audit_entries SET org = 'delta' WHERE number = 1", 1, "changed"),
        ("UPDATE audit_entries SET at = '2026-03-02 12:02:00.123457' WHERE number = 2", 2, "changed"),
        ("UPDATE audit_entries SET hash = 'x' WHERE number = 5", 5, "changed"),
        ("UPDATE audit_entries SET previous = 'x' WHERE number = 4", 4, "not bound"),
        ("DELETE FROM audit_entries WHERE number = 3", 3, "missing"),
        ("DELETE FROM audit_entries WHERE number = 1", 1, "missing"),
        ("DELETE FROM audit_entries WHERE number = 5", 5, "missing"),
        ("DELETE FROM audit_entries", 1, "missing"),
        ("DELETE FROM audit_entries WHERE number = 2; UPDATE audit_entries SET number = number - 1 WHERE number > 2", 2,
         "not bound"),
        ("DELETE FROM audit_heads", 5, "head"),
        ("UPDATE audit_heads SET length = 4", 5, "head"),
    ],
)  # fmt: skip
def test_tampering_is_found_at_its_place(chained: Database, tampering: str, place: int, reason: str) -> None:
    with chained.engine.begin() as connection:
        for statement in tampering.split(";"):
            where = " WHERE " if " WHERE " not in statement else " AND "
            connection.execute(text(f"{statement}{where}chain = 'deal:1'"))
    found = verdict(chained)
    assert found is not None
    assert (found.chain, found.number) == ("deal:1", place)
    assert reason in found.reason
    assert verdict(chained, "other") is None


def test_two_entries_that_change_places_are_found(chained: Database) -> None:
    with chained.engine.begin() as connection:
        for was, becomes in ((2, 99), (3, 2), (99, 3)):
            connection.execute(text(f"UPDATE audit_entries SET number = {becomes} WHERE number = {was}"))
    assert verdict(chained) == Broken("deal:1", 2, "not bound to the entry before it")


def test_an_entry_that_was_rolled_back_leaves_no_gap(chained: Database) -> None:
    def append(session: Any) -> None:
        audit.append(session, chain="deal:1", org="h", actor=None, action="x", subject=None, details={}, at=AT)
        raise KeyError

    with pytest.raises(KeyError):
        chained.transact(append)
    assert verdict(chained) is None


def test_an_organisation_reads_its_own_entries_and_appends_in_its_session(chained: Database) -> None:
    with chained.write("delta") as session:
        audit.append(session, chain="deal:1", org="delta", actor="tom", action="y", subject=None, details={}, at=AT)
        assert [each.number for each in session.scalars(select(AuditEntry))] == [6]
        with pytest.raises(ValueError, match="whole"):
            audit.verify(session, "deal:1")
    assert verdict(chained) is None


def test_amounts_are_text_in_the_record(database: Database) -> None:
    def append(session: Any) -> None:
        audit.append(session, chain="c", org=None, actor=None, action="x", subject=None, details={"a": 1.5}, at=AT)

    with pytest.raises(TypeError, match="exact"):
        database.transact(append)
