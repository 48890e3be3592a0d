"""Finding things by words, Chinese ones included.

Neither SQLite's nor PostgreSQL's word splitter knows where a Chinese word ends, so both databases are given the same
text: folded, with every Chinese, Japanese or Korean character as a word of its own. A run of them is found as a phrase.
"""

from __future__ import annotations

import re
import unicodedata

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from tradehub.platform.db import Base, Scoped

_CJK = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+(?:[-./][^\W{_CJK}]+)*")
_RUN = re.compile(rf"[{_CJK}]+|[^\W{_CJK}]+(?:[-./][^\W{_CJK}]+)*")
MOST_WORDS = 12
"""Words of a question that are looked for; the rest would only make it slower."""


class SearchEntry(Base, Scoped):
    """A thing that one organisation can find. ``kind`` and ``subject`` say what; ``words`` is made by ``split``."""

    __tablename__ = "search_entries"

    org: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    words: Mapped[str]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.org == org


def put(session: Session, *, org: str, kind: str, subject: str, title: str, text: str = "") -> None:
    """Make a thing findable for ``org`` by its title and text, in place of what was known of it."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    shown = {"title": title, "words": split(f"{title} {text}")}
    entry = insert(SearchEntry).values(org=org, kind=kind, subject=subject, **shown)
    session.execute(entry.on_conflict_do_update(index_elements=["org", "kind", "subject"], set_=shown))


def find(session: Session, question: str, *, limit: int = 20) -> list[SearchEntry]:
    """Return what holds every word of the question: a word's beginning, or a run of Chinese as a phrase."""
    runs = _RUN.findall(_folded(question))[:MOST_WORDS]
    if not runs:
        return []
    holds = and_(*(SearchEntry.words.contains(_pattern(run), autoescape=True) for run in runs))
    return list(session.scalars(select(SearchEntry).where(holds).order_by(SearchEntry.title).limit(limit)))


def split(text: str) -> str:
    """Return the words of a text, folded, with a space before and after each."""
    return f" {' '.join(_WORD.findall(_folded(text)))} "


def _pattern(run: str) -> str:
    return split(run) if re.match(f"[{_CJK}]", run) else f" {run}"


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
