"""Rows that a capability shows on pages that are not its own: the work queue and the search.

The texts are for people and already in their language; the capability's ``web`` module makes them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from sqlalchemy.orm import Session

from tradehub.platform.http import Principal


@dataclass(frozen=True)
class Entry:
    """One row, and the one page that it opens.

    ``status`` is (kind, word) of the kit's pill; after ``until`` it is too late.
    """

    href: str
    title: str
    detail: str = ""
    status: tuple[str, str] | None = None
    at: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Section:
    """A part of the work queue. ``title`` and ``empty`` may be lazy texts; ``entries`` gets the asker's own session."""

    key: str
    title: str
    permission: str
    entries: Callable[[Session, Principal], Sequence[Entry]]
    empty: str
    href: str
    """The page that shows all of them."""
    is_ours: bool = True
    """Whether they wait for the reader; what the other side has to do is shown, but is no work of theirs, and no mail tells
    of it."""


Search: TypeAlias = Callable[[Session, Principal, str], Sequence[Entry]]
"""Find by any number, name or text, best first. What the asker may not read is not found."""
