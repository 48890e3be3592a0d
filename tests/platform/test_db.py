"""The database's promises, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import ColumnElement, ForeignKey, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, joinedload, mapped_column, relationship, selectinload

from tradehub.documents.parts import PartyId
from tradehub.platform.db import Base, Database, Scoped, Unscoped, to_json


class Parcel(Base, Scoped):
    __tablename__ = "test_parcels"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[PartyId]
    weight: Mapped[Decimal | None]
    sent_at: Mapped[datetime | None]
    marks: Mapped[dict[str, Any] | None]
    notes: Mapped[list[Remark]] = relationship(order_by="Remark.id")

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.owner != "" if org == "customs" else cls.owner == org


class Remark(Base, Scoped):
    __tablename__ = "test_remarks"

    id: Mapped[str] = mapped_column(primary_key=True)
    parcel_id: Mapped[str] = mapped_column(ForeignKey("test_parcels.id"))
    reader: Mapped[str]
    parcel: Mapped[Parcel] = relationship(viewonly=True)

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.reader == org


HAIDI, DELTA = PartyId("haidi"), PartyId("delta")
LOADINGS = [[], [selectinload(Parcel.notes)], [joinedload(Parcel.notes)]]


@pytest.fixture
def parcels(database: Database) -> Database:
    with database.write() as session:
        session.add(Parcel(id="h", owner=HAIDI, notes=[Remark(id="1", reader="haidi"), Remark(id="2", reader="delta")]))
        session.add(Parcel(id="d", owner=DELTA, notes=[Remark(id="3", reader="delta")]))
    return database


@pytest.mark.parametrize("written", ["0", "1.20", "-0.0000", "1E+3", "12345678901234567890.123456789012345", "0.1"])
def test_a_decimal_comes_back_digit_for_digit(database: Database, written: str) -> None:
    with database.write() as session:
        session.add(Parcel(id="1", owner=HAIDI, weight=Decimal(written)))
    with database.read() as session:
        assert str(session.get_one(Parcel, "1").weight) == written


@pytest.mark.parametrize("wrong", [1.5, Decimal("NaN"), Decimal("Infinity"), "1.5"])
def test_what_is_not_an_exact_number_is_not_stored_as_one(database: Database, wrong: Any) -> None:
    with pytest.raises(Exception, match="expected a finite Decimal"), database.write() as session:
        session.add(Parcel(id="1", owner=HAIDI, weight=wrong))


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=3, minutes=30))])
def test_a_moment_comes_back_in_utc_to_the_microsecond(database: Database, zone: timezone) -> None:
    moment = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=zone)
    with database.write() as session:
        session.add(Parcel(id="1", owner=HAIDI, sent_at=moment))
    with database.read() as session:
        found = session.get_one(Parcel, "1").sent_at
        assert found == moment
        assert found.tzinfo is UTC
        assert session.scalar(select(Parcel.id).where(Parcel.sent_at <= moment)) == "1"


def test_a_naive_moment_is_refused(database: Database) -> None:
    with pytest.raises(Exception, match="aware"), database.write() as session:
        session.add(Parcel(id="1", owner=HAIDI, sent_at=datetime(2026, 3, 2)))  # noqa: DTZ001


@pytest.mark.parametrize("marks", [{}, {"海": "德\0 \ud800"}, {"a": [1, True, None, {"b": "1.20"}]}])
def test_plain_values_come_back_as_they_were(database: Database, marks: dict[str, Any]) -> None:
    with database.write() as session:
        session.add(Parcel(id="1", owner=HAIDI, marks=marks))
    with database.read() as session:
        assert session.get_one(Parcel, "1").marks == marks


@pytest.mark.parametrize("wrong", [1.5, {"a": [1.5]}, {"a": Decimal("1.5")}])
def test_json_refuses_what_would_not_come_back(wrong: Any) -> None:
    with pytest.raises(TypeError):
        to_json(wrong)


def test_a_block_that_raises_leaves_nothing(database: Database) -> None:
    def work(session: Session) -> None:
        session.add(Parcel(id="1", owner=HAIDI))
        session.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.transact(work)
    with database.read() as session:
        assert session.get(Parcel, "1") is None


def test_a_read_session_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"read-?only"), database.read() as session:
        session.execute(delete(Parcel))


def test_a_read_session_sees_one_state_and_does_not_hold_up_a_writer(database: Database) -> None:
    with database.read() as reading:
        assert reading.scalar(select(func.count()).select_from(Parcel)) == 0
        with database.write() as session:
            session.add(Parcel(id="1", owner=HAIDI))
        assert reading.scalar(select(func.count()).select_from(Parcel)) == 0
    with database.read() as reading:
        assert reading.scalar(select(func.count()).select_from(Parcel)) == 1


def test_foreign_keys_are_kept(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)foreign key"), database.write() as session:
        session.add(Remark(id="1", parcel_id="none", reader="haidi"))


def test_an_organisation_sees_only_what_is_its_own(parcels: Database) -> None:
    with parcels.read("haidi") as session:
        assert session.scalars(select(Parcel.id)).all() == ["h"]
        assert session.get(Parcel, "d") is None
        assert session.scalar(select(func.count()).select_from(Parcel)) == 1
        assert session.scalar(select(func.count(Remark.id))) == 1


def test_the_system_sees_all(parcels: Database) -> None:
    with parcels.read() as session:
        assert session.scalar(select(func.count()).select_from(Parcel)) == 2


@pytest.mark.parametrize("loading", LOADINGS)
def test_a_relationship_shows_only_what_is_visible(parcels: Database, loading: list[Any]) -> None:
    with parcels.read("haidi") as session:
        parcel = session.scalars(select(Parcel).options(*loading)).unique().one()
        assert [note.id for note in parcel.notes] == ["1"]


@pytest.mark.parametrize("loading", LOADINGS)
def test_what_was_compiled_for_one_organisation_shows_another_its_own(parcels: Database, loading: list[Any]) -> None:
    """Statements are kept compiled, and who asks is bound anew; whoever looks by another rule has one of their own."""
    shown = {"haidi": {"h": ["1"]}, "delta": {"d": ["3"]}, "zeta": {}, "customs": {"d": [], "h": []}}
    for org in ("haidi", "delta", "customs", "haidi", "zeta", "customs", "delta"):
        with parcels.read(org) as session:
            found = session.scalars(select(Parcel).options(*loading)).unique().all()
            assert {each.id: [note.id for note in each.notes] for each in found} == shown[org]
            assert session.scalar(select(func.count()).select_from(Parcel)) == len(shown[org])


def test_a_relationship_does_not_lead_to_a_strangers_row(parcels: Database) -> None:
    with parcels.read("delta") as session:
        notes = session.scalars(select(Remark).order_by(Remark.id)).all()
        assert [(note.id, note.parcel.id if note.parcel else None) for note in notes] == [("2", None), ("3", "d")]


def test_joins_aliases_and_subqueries_are_scoped(parcels: Database) -> None:
    with parcels.read("haidi") as session:
        assert session.execute(select(Parcel.id, Remark.id).join(Parcel.notes)).all() == [("h", "1")]
        inner = select(Parcel.id).subquery()
        assert session.scalars(select(inner.c.id)).all() == ["h"]
        assert session.scalars(select(Remark.id).where(Remark.parcel_id.in_(select(Parcel.id)))).all() == ["1"]


def test_an_organisation_changes_and_deletes_only_what_is_its_own(parcels: Database) -> None:
    with parcels.write("haidi") as session:
        session.execute(update(Parcel).values(weight=Decimal(7)))
        session.execute(delete(Remark))
    with parcels.read() as session:
        assert session.execute(select(Parcel.id, Parcel.weight).order_by(Parcel.id)).all() == [
            ("d", None),
            ("h", Decimal(7)),
        ]
        assert session.scalars(select(Remark.id).order_by(Remark.id)).all() == ["2", "3"]


@pytest.mark.parametrize("bypass", [text("SELECT id FROM test_parcels"), select(Parcel.__table__.c.id)])
def test_an_organisations_session_refuses_statements_that_bypass_the_criterion(parcels: Database, bypass: Any) -> None:
    with parcels.read("haidi") as session, pytest.raises(Unscoped):
        session.execute(bypass)


def test_a_transaction_is_tried_again_where_another_was_in_the_way(database: Database) -> None:
    tries = []

    def work(session: Any) -> str:
        tries.append(1)
        if len(tries) < 3:
            raise _busy(database)
        return "done"

    assert database.transact(work) == "done"
    assert len(tries) == 3


def test_a_transaction_is_not_tried_for_ever(database: Database) -> None:
    with pytest.raises(DBAPIError):
        database.transact(lambda session: (_ for _ in ()).throw(_busy(database)), attempts=3)


def test_another_error_is_not_tried_again(database: Database) -> None:
    tries = []

    def work(session: Any) -> None:
        tries.append(1)
        session.add(Remark(id="1", parcel_id="none", reader="haidi"))

    with pytest.raises(DBAPIError):
        database.transact(work)
    assert len(tries) == 1


def _busy(database: Database) -> DBAPIError:
    class Busy(Exception):
        sqlstate = None if database.is_sqlite else "40001"
        sqlite_errorname = "SQLITE_BUSY"

    return DBAPIError("SELECT", None, Busy())
