"""What is asked and said about single terms (R12): which terms there are to speak of, and the thread of each.

A term is named by its path: ``payment``, ``delivery_terms.place``, ``lines.2.price``. The terms that people haggle over
go by their short names (``compare``), all others by where they stand in the document.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from tradehub.documents import TradeDocument
from tradehub.documents.lines import keyed
from tradehub.documents.terms import flatten
from tradehub.negotiation import drafting, further
from tradehub.negotiation.model import lines_of

OF_THE_WHOLE = ("total", "currency", "payment", "incoterm", "delivery", "validity")
OF_A_LINE = ("price", "quantity", "delivery")
"""The terms that every offer may be asked about, stated or not."""

LISTED_MAX = 60
"""Terms in one list to choose from. Of a longer offer those stand in it that the page shows; a link leads from each."""


@dataclass(frozen=True)
class Topic:
    """A term that is spoken of. ``name`` is its path without the line, ``label`` what the line's item is called."""

    name: str
    line: str | None = None
    label: str = ""

    @property
    def path(self) -> str:
        return self.name if self.line is None else f"lines.{self.line}.{self.name}"


def topic(path: str, labels: Mapping[str, str]) -> Topic:
    """Return what ``path`` speaks of; ``labels`` are the items of the lines."""
    _, _, rest = path.partition("lines.")
    if not path.startswith("lines.") or "." not in rest:
        return Topic(path)
    line, name = rest.split(".", 1)
    return Topic(name, line, labels.get(line, ""))


def labels(document: TradeDocument) -> dict[str, str]:
    """Return what the item of each line is called."""
    return {name: drafting.item_label(line) for name, line in keyed(lines_of(document)).items()}


def topics(document: TradeDocument, *, limit: int = LISTED_MAX) -> tuple[Topic, ...]:
    """Return the terms of an offer that are listed to be spoken of: those of the whole first, at most ``limit``."""
    found = [Topic(each) for each in OF_THE_WHOLE]
    for line, label in labels(document).items():
        if len(found) + len(OF_A_LINE) > limit:
            break
        found += [Topic(each, line, label) for each in OF_A_LINE]
    return tuple(found)


def is_term(path: str, document: TradeDocument) -> bool:
    """Return whether ``document`` has, or could have, a term of that path."""
    if path in OF_THE_WHOLE or path in _KNOWN:
        return True
    lines = keyed(lines_of(document))
    if any(path == f"lines.{line}.{name}" for line in lines for name in OF_A_LINE):
        return True
    return path in flatten(document)


_KNOWN = frozenset(each.path for each in further.HEADER.values() if each.path)

Worded = TypeVar("Worded", bound="Wording")


class Wording(Protocol):
    """A statement, with the term that it speaks of, if it speaks of one."""

    @property
    def topic(self) -> Topic | None: ...


@dataclass(frozen=True)
class Thread(Generic[Worded]):
    """All that was said about one term, in the order it was said. ``number`` counts the threads of a deal from 1."""

    number: int
    topic: Topic
    said: tuple[Worded, ...]


def threads(said: Iterable[Worded]) -> dict[str, Thread[Worded]]:
    """Return the threads by the path of their term, in the order in which they began."""
    found: dict[str, list[Worded]] = {}
    about: dict[str, Topic] = {}
    for each in said:
        if each.topic is not None:
            found.setdefault(each.topic.path, []).append(each)
            about[each.topic.path] = each.topic
    return {path: Thread(number, about[path], tuple(words)) for number, (path, words) in enumerate(found.items(), 1)}


def named(path: str, text: str) -> str:
    """Return ``text`` as a letter carries it, which has no place for the term that it speaks of: the term first.

    A blank stands for the low line, which not every character set of EDIFACT has.
    """
    return f"{path.replace('_', ' ')}: {text.strip()}"


def read(text: str, document: TradeDocument, before: Sequence[str] = ()) -> tuple[str | None, str]:
    """Return the term of ``document`` that a letter's words name in front, and the words without it.

    ``before`` are terms that were spoken of already. Capital letters count for nothing: a partner's system may know
    no others.
    """
    front, mark, rest = text.partition(":")
    if not mark or not rest.strip() or len(front) > _FRONT_MAX:
        return None, text
    folded = front.strip().casefold()
    for path in (
        *OF_THE_WHOLE,
        *before,
        *(each.path for each in topics(document, limit=_READ_MAX)),
        *flatten(document),
    ):
        if path.replace("_", " ").casefold() == folded:
            return path, rest.strip()
    return None, text


_FRONT_MAX = 200
_READ_MAX = 10_000
