"""Lists of deals out of the outlooks beside them: each an index scan, a page at a time by keyset.

A deal is listed once for each side that the session's organisation has in it. One whose outlook the clock has changed
since it was made is looked at anew, so that a list is right whether or not the job that brings outlooks up to date ran.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from tradehub.negotiation import store
from tradehub.negotiation.outlook import Outlook, outlook
from tradehub.negotiation.store import SIDES, DealRow
from tradehub.platform import paging
from tradehub.platform.db import org_of

STALE_MAX = 200
"""Deals that the clock has moved on and no job has looked at since, computed anew for a list."""


@dataclass(frozen=True)
class Query:
    """What is wanted besides a status: ``words`` that the deal holds, a deadline before a moment."""

    now: datetime
    words: tuple[str, ...] = ()
    due_before: datetime | None = None


def current(session: Session, row: DealRow, now: datetime) -> Outlook:
    """Return how a deal stands at ``now``: as noted beside it, or as the ledger has it where the clock changed that."""
    if row.seen_at is None or (row.changes_at is not None and now > row.changes_at):
        return outlook(store.load(session, row), now=now)
    return Outlook(row.buyer_status, row.seller_status, row.due_at, row.changes_at, row.rounds, row.total, row.currency)


def latest(
    session: Session, query: Query, statuses: Sequence[str], cursor: str | None, size: int
) -> tuple[list[DealRow], str | None]:
    """Return a page of the deals in one of ``statuses`` (all where none is named), the last moved first, and the cursor
    of the next page."""
    start = paging.read(cursor)
    following = None if start is None else paging.after(start, DealRow.updated_at, DealRow.id)
    order = (DealRow.updated_at.desc(), DealRow.id.desc())
    runs = []
    for wanted in _by_side(session, query, statuses):
        limited = wanted if following is None else wanted.where(following)
        runs.append(list(session.scalars(limited.order_by(*order).limit(size + 1))))
    stale = [row for row in _stale(session, query, statuses) if start is None or (row.updated_at, row.id) < start]
    stale.sort(key=_moved, reverse=True)
    found = list(islice(_once(merge(*runs, stale, key=_moved, reverse=True)), size + 1))
    page = found[:size]
    return page, paging.written(*_moved(page[-1])) if len(found) > size else None


def by_deadline(session: Session, query: Query, statuses: Sequence[str], size: int) -> list[DealRow]:
    """Return deals in one of ``statuses``, the earliest deadline first, those without one last."""
    runs = []
    for wanted in _by_side(session, query, statuses):
        dated = wanted.where(DealRow.due_at.is_not(None)).order_by(DealRow.due_at, DealRow.id).limit(size)
        found = list(session.scalars(dated))
        if len(found) < size and query.due_before is None:
            rest = wanted.where(DealRow.due_at.is_(None)).order_by(DealRow.updated_at.desc()).limit(size - len(found))
            found += session.scalars(rest)
        runs.append(found)
    stale = sorted(_stale(session, query, statuses), key=_due)
    return list(islice(_once(merge(*runs, stale, key=_due)), size))


def undecided(session: Session, now: datetime, size: int) -> list[DealRow]:
    """Return deals in which something was accepted and the clock will still change something, the next first.

    Of an offer that was accepted in part the rest is open, so their status may be any.
    """
    wanted = select(DealRow).where(DealRow.state == "concluded", DealRow.changes_at >= now)
    return list(session.scalars(wanted.order_by(DealRow.changes_at, DealRow.id).limit(size)))


def counts(session: Session, query: Query, filters: Mapping[str, Sequence[str]], soon: datetime) -> dict[str, int]:
    """Return how many deals there are under each filter; the ``expiring`` ones are live and due before ``soon``."""
    by_status: dict[str, int] = {}
    expiring = 0
    for side in SIDES:
        status = getattr(DealRow, f"{side}_status")
        mine = [getattr(DealRow, f"{side}_id") == org_of(session), *_words(query)]
        for name, count in session.execute(select(status, func.count()).where(*mine).group_by(status)):
            by_status[name] = by_status.get(name, 0) + count
        near = [status.in_(filters["expiring"]), DealRow.due_at >= query.now, DealRow.due_at < soon]
        expiring += session.scalar(select(func.count()).select_from(DealRow).where(*mine, *near)) or 0
    found = {chip: sum(by_status.get(each, 0) for each in statuses) for chip, statuses in filters.items()}
    return {**found, "all": sum(by_status.values()), "expiring": expiring}


def _by_side(session: Session, query: Query, statuses: Sequence[str]) -> Iterator[Select[DealRow]]:
    """Yield a query for each side and status, so that each is one range of one index."""
    org = org_of(session)
    fresh = or_(DealRow.changes_at.is_(None), DealRow.changes_at >= query.now)
    for side in SIDES:
        mine = select(DealRow).where(getattr(DealRow, f"{side}_id") == org, fresh, *_words(query))
        if query.due_before is not None:
            mine = mine.where(DealRow.due_at < query.due_before)
        status = getattr(DealRow, f"{side}_status")
        yield from [mine.where(status == each) for each in statuses] if statuses else [mine]


def _stale(session: Session, query: Query, statuses: Sequence[str]) -> list[DealRow]:
    """Return the deals that the clock has moved on, as far as they fit now."""
    org, found = org_of(session), []
    for side in SIDES:
        mine = select(DealRow).where(
            getattr(DealRow, f"{side}_id") == org, DealRow.changes_at < query.now, *_words(query)
        )
        for row in session.scalars(mine.order_by(DealRow.changes_at.desc()).limit(STALE_MAX)):
            seen = current(session, row, query.now)
            due = query.due_before is None or (seen.due_at is not None and seen.due_at < query.due_before)
            if due and (not statuses or getattr(seen, f"{side}_status") in statuses):
                found.append(row)
    return found


def _words(query: Query) -> list[Any]:
    return [DealRow.words.contains(word, autoescape=True) for word in query.words]


def _moved(row: DealRow) -> tuple[datetime, str]:
    return row.updated_at, row.id


def _due(row: DealRow) -> tuple[bool, datetime, str]:
    return row.due_at is None, row.due_at or row.updated_at, row.id


def _once(rows: Iterator[DealRow]) -> Iterator[DealRow]:
    seen: set[str] = set()
    for row in rows:
        if row.id not in seen:
            seen.add(row.id)
            yield row
