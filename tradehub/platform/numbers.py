"""Running numbers, one series per name, without gaps inside committed work.

The counters belong to no organisation: a series must run on even where a session sees only a part of what it numbered.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from tradehub.platform.db import Base


class Series(Base):
    __tablename__ = "number_series"

    name: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)


def next_number(session: Session, series: str) -> int:
    """Return the next number of ``series``, from 1; a caller who rolls back gives it back."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(Series).values(name=series, last=0).on_conflict_do_nothing())
    locked = select(Series).where(Series.name == series).with_for_update().execution_options(populate_existing=True)
    row = session.scalars(locked).one()
    row.last += 1
    session.flush()
    return row.last
