"""Which line of an order does a line of a later document speak of, and where do the two differ?

Partners say the first in three ways, tried in this order: by the order line they name, by an item number both sides
know, by giving their line the order line's number. A number alone does not count when the items contradict it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple, TypeVar

from tradehub.documents.base import Document
from tradehub.documents.parts import Item
from tradehub.documents.trade import Line

LineT = TypeVar("LineT", bound=Line)

ORDER_REFERENCES = ("order", "buyer_order")
"""Reference types that name the buyer's order, first found counts."""

_SHARED_SCHEMES = frozenset({"buyer", "seller", "gtin", "mpn"})


class Severity(StrEnum):
    """How much a difference weighs: to be known, to be looked at, or to be settled first."""

    NOTE = "note"
    WARNING = "warning"
    HOLD = "hold"


class Difference(NamedTuple):
    """Where a document departs from the order. ``line`` is the order's line, None for the document as a whole."""

    line: str | None
    term: str
    rule: str
    expected: str | None
    got: str | None
    severity: Severity


class Found(NamedTuple):
    """The order line found. ``is_other_item`` when the two sides give different numbers for the item."""

    line: Line
    is_other_item: bool


def key(line: Line, position: int) -> str:
    """Return what a line is called within its document: its number, or its place counted from 1."""
    return line.number or str(position)


def keyed(lines: Sequence[Line]) -> dict[str, Line]:
    """Return the lines by their key, in order."""
    return {key(line, position): line for position, line in enumerate(lines, 1)}


def find(lines: Sequence[Line], sought: Line) -> Found | None:
    """Return the order line among ``lines`` that ``sought`` speaks of, or None."""
    return Finder(lines).find(sought)


class Finder:
    """Lines that are looked up many times: by their numbers and by the numbers of their items."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._numbers = _Numbers(lines)
        self._by_id: dict[tuple[str, str], list[tuple[int, Line]]] = {}
        for place, line in enumerate(lines):
            for name in _names(line.item):
                self._by_id.setdefault(name, []).append((place, line))

    def find(self, sought: Line) -> Found | None:
        """Return the line that ``sought`` speaks of, or None."""
        for named in _order_lines(sought):
            line = self._numbers.line(named)
            if line is not None:
                return Found(line, contradicts(line.item, sought.item))
        same = self._same(sought)
        if len(same) == 1:
            return Found(same[0], False)
        line = (_Numbers(same) if same else self._numbers).line(sought.number)
        if line is not None and (same or not contradicts(line.item, sought.item)):
            return Found(line, False)
        return Found(same[0], False) if same else None

    def _same(self, sought: Line) -> list[Line]:
        """The lines whose item both sides call the same, in their order."""
        found = dict(each for name in _names(sought.item) for each in self._by_id.get(name, ()))
        return [found[place] for place in sorted(found) if agrees(found[place].item, sought.item)]


class _Numbers:
    def __init__(self, lines: Sequence[Line]) -> None:
        self._by_number = keyed(lines)
        self._bare = {name.lstrip("0"): line for name, line in self._by_number.items()}

    def line(self, number: str | None) -> Line | None:
        if number is None:
            return None
        return self._by_number.get(number) or self._bare.get(number.lstrip("0"))


def _names(item: Item) -> list[tuple[str, str]]:
    return [(each.scheme, each.value.strip()) for each in item.ids if each.scheme in _SHARED_SCHEMES]


def by_order(document: Document, lines: Sequence[LineT]) -> dict[str | None, tuple[LineT, ...]]:
    """Return ``lines`` by the number of the order each refers to; None for those that name none.

    A document without lines has one part, of none, under the order that it names as a whole.
    """
    parts: dict[str | None, tuple[LineT, ...]] = {} if lines else {order_number(document): ()}
    for line in lines:
        number = order_number(document, line)
        parts[number] = (*parts.get(number, ()), line)
    return parts


def order_number(document: Document, line: Line | None = None) -> str | None:
    """Return the number of the buyer's order that ``line``, or else the document as a whole, refers to."""
    for references in (line.references if line else (), document.references):
        for wanted in ORDER_REFERENCES:
            for each in references:
                if each.type == wanted and each.value:
                    return each.value
    return None


def _order_lines(line: Line) -> list[str]:
    """Return the numbers by which the line names an order line (X12 states it among the item numbers, as PL)."""
    referred = [each.line for each in line.references if each.type in ORDER_REFERENCES and each.line]
    return referred + [each.value for each in line.item.ids if each.scheme == "order_line"]


def agrees(one: Item, other: Item) -> bool:
    """Return whether both sides give the same number under one scheme, and under none a different one."""
    pairs = _common(one, other)
    return bool(pairs) and all(a == b for a, b in pairs)


def contradicts(one: Item, other: Item) -> bool:
    """Return whether both sides give numbers under common schemes and none of them is equal."""
    pairs = _common(one, other)
    return bool(pairs) and all(a != b for a, b in pairs)


def _common(one: Item, other: Item) -> list[tuple[str, str]]:
    return [
        (mine.value.strip(), theirs.value.strip())
        for mine in one.ids
        for theirs in other.ids
        if mine.scheme == theirs.scheme and mine.scheme in _SHARED_SCHEMES
    ]
