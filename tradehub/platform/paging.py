"""Pages of a list by keyset: the cursor says where the page before ended, so that nothing shifts while one reads."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError
from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import InstrumentedAttribute, Session

LIMIT_MAX = 200
"""Entries of one page at most."""

CURSOR_MAX = 200

T = TypeVar("T")


def written(at: datetime, id: str) -> str:
    """Return the cursor of what comes after this entry; it is opaque to whom it is given."""
    return base64.urlsafe_b64encode(json.dumps([at.isoformat(), id]).encode()).decode().rstrip("=")


def read(cursor: str | None) -> tuple[datetime, str] | None:
    """Return the last entry of the page before; None for the first page, and for a cursor that is none of ours."""
    if not cursor or len(cursor) > CURSOR_MAX:
        return None
    try:
        at, id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        moment = datetime.fromisoformat(str(at))
    except (ValueError, TypeError, binascii.Error):
        return None
    return (moment, str(id)) if moment.tzinfo and "\0" not in str(id) else None


def _ours(cursor: str) -> str:
    if read(cursor) is None:
        raise PydanticCustomError("cursor", "not a cursor that was answered")
    return cursor


Cursor = Annotated[str, AfterValidator(_ours)]


def page(
    session: Session,
    wanted: Select[T],
    at: InstrumentedAttribute[datetime],
    id: InstrumentedAttribute[str],
    cursor: str | None,
    size: int,
) -> tuple[list[T], str | None]:
    """Return the next ``size`` rows of ``wanted``, the latest by ``at`` first, and the cursor of the page after."""
    ordered = wanted.order_by(at.desc(), id.desc()).limit(size + 1)
    if start := read(cursor):
        ordered = ordered.where(after(start, at, id))
    found = list(session.scalars(ordered))
    shown = found[:size]
    if len(found) <= size:
        return shown, None
    last: Any = shown[-1]
    return shown, written(getattr(last, at.key), getattr(last, id.key))


def after(start: tuple[datetime, str], at: Any, id: Any) -> ColumnElement[bool]:
    """Return what holds of the entries that follow ``start``, the latest first."""
    return or_(at < start[0], and_(at == start[0], id < start[1]))
