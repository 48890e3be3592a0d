"""Rounds side by side, as people read them: which term moved, by how much, and for whom that is good.

Partners say the same thing in different places (a delivery day at the head or on each line, requested or promised). The
terms that people haggle over are compared by meaning; all others by their path.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from itertools import chain

from tradehub.documents import Line, TradeDocument
from tradehub.documents.amounts import unit_price
from tradehub.documents.lines import Finder, agrees, keyed
from tradehub.documents.parts import EXACT
from tradehub.documents.terms import differences
from tradehub.negotiation import drafting
from tradehub.negotiation.model import NOT_OFFERED, lines_of

TENTH = Decimal("0.1")


class Sort(StrEnum):
    """What a value is, so that a page can print it in the reader's way."""

    MONEY = "money"
    QUANTITY = "quantity"
    DAY = "day"
    TEXT = "text"


@dataclass(frozen=True)
class Value:
    """One side of a term. ``unit`` is a currency or a unit of measure, ``per`` the quantity that a price is for."""

    sort: Sort
    value: Decimal | date | str
    unit: str | None = None
    per: Decimal | None = None


class Direction(StrEnum):
    SAME = "same"
    BETTER = "better"
    WORSE = "worse"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Term:
    """A term in two rounds. ``name`` is one of the haggled terms or a path; ``delta`` is in percent, or days."""

    name: str
    line: str | None
    label: str
    before: Value | None
    after: Value | None
    direction: Direction
    delta: Decimal | None = None

    @property
    def is_file(self) -> bool:
        return self.name.startswith("attachments.")

    @property
    def in_days(self) -> bool:
        return self.name in ("delivery", "validity")


def changes(before: TradeDocument, after: TradeDocument, *, for_buyer: bool) -> tuple[Term, ...]:
    """Return the haggled terms of both rounds, and whatever else differs between them."""
    lines = [*_items(before, after), *_line_terms(before, after, for_buyer)]
    places = {row.line: place for place, row in reversed(list(enumerate(lines)))}
    rows = [*sorted(lines, key=lambda row: places[row.line]), *_header_terms(before, after, for_buyer)]
    return (*(row for row in rows if row.before or row.after), *_other_terms(before, after))


def differing_lines(documents: Sequence[TradeDocument]) -> tuple[str, ...]:
    """Return the lines in which documents differ, by number: where they are alternatives, what there is to choose."""
    lines = [keyed(lines_of(each)) for each in documents]
    return tuple(
        name for name in dict.fromkeys(chain(*lines)) if any(each.get(name) != lines[0].get(name) for each in lines)
    )


IMMATERIAL = re.compile(r"^(price\.type|taxes\.|item\.(description|more_descriptions|classification|attributes|brand))")
"""Terms that an answer may add and still agree: what the law sets anyway, or what tells more of the same item."""


def changed_terms(before: TradeDocument, after: TradeDocument) -> tuple[str, ...]:
    """Return the paths of the terms of ``before`` that an answer, ``after``, changes or adds to.

    Where it is silent it agrees (CISG 19(1)). What tells more of the same item changes nothing.
    """
    count = () if len(_offered(after)) == len(_offered(before)) else ("lines",)
    return (*count, *(path(each) for each in _moved(before, after) if each.after is not None))


def restated(before: TradeDocument, after: TradeDocument) -> tuple[Term, ...]:
    """Return the terms of ``before`` that differ in ``after``, where that states all of them anew, as a form does.

    Nothing is silent there: a term that is missing was struck out, and a line that is missing was left out (``line``).
    """
    new = Finder(_offered(after))
    gone = {name: line for name, line in keyed(_offered(before)).items() if new.find(line) is None}
    left_out = (
        Term("line", name, drafting.item_label(line), _quantity(line), None, Direction.REMOVED)
        for name, line in gone.items()
    )
    return (*left_out, *(each for each in _moved(before, after) if each.line not in gone))


def path(term: Term) -> str:
    """Return the path by which a term is known to the materiality table."""
    return term.name if term.line is None else f"lines.{term.line}.{term.name}"


def _moved(before: TradeDocument, after: TradeDocument) -> list[Term]:
    haggled = (*_line_terms(before, after, True), *_header_terms(before, after, True))
    moved = [
        each for each in haggled if each.name not in ("validity", "total") and each.direction is not Direction.SAME
    ]
    others = [
        each
        for each in _other_terms(before, after)
        if not (each.direction is Direction.ADDED and IMMATERIAL.match(each.name))
    ]
    return [*moved, *others]


def further_terms(document: TradeDocument) -> tuple[Term, ...]:
    """Return the terms of ``document`` that are not among the haggled ones, so that a review hides nothing; its files,
    which stand by themselves, left out."""
    return tuple(each for each in _other_terms(type(document)(), document) if not each.is_file)


@dataclass(frozen=True)
class Point:
    """A price in a round: who stated it, per one unit of the first round that priced the line."""

    round: int
    by_buyer: bool
    amount: Decimal


@dataclass(frozen=True)
class Series:
    """How one line's price moved. ``gap`` is how far the seller's last word still lies above the buyer's."""

    line: str
    label: str
    currency: str
    unit: str | None
    points: tuple[Point, ...]
    gap: Decimal | None

    @property
    def has_moved(self) -> bool:
        return len({each.amount for each in self.points}) > 1


def series(rounds: Sequence[tuple[int, bool, TradeDocument]]) -> tuple[Series, ...]:
    """Return the moves of each line's price over (round, by the buyer, document); lines priced once are left out."""
    found = []
    priced = [(number, by_buyer, document) for number, by_buyer, document in rounds if _priced(document)]
    finders = {number: Finder(lines_of(document)) for number, _, document in priced}
    for name, line in keyed(lines_of(priced[0][2])).items() if priced else ():
        currency = (line.price and line.price.currency) or priced[0][2].currency
        unit = line.quantity.unit if line.quantity else None
        points = []
        for number, by_buyer, document in priced:
            same = finders[number].find(line)
            amount = unit_price(same.line, unit) if same else None
            stated = same.line.price.currency if same and same.line.price else None
            if amount is not None and (stated or document.currency) == currency:
                exact = EXACT.divide(Decimal(amount.numerator), Decimal(amount.denominator))
                points.append(
                    Point(number, by_buyer, exact.quantize(Decimal("0.000001"), context=EXACT).normalize(EXACT))
                )
        if len(points) > 1 and currency:
            found.append(Series(name, drafting.item_label(line), currency, unit, tuple(points), _gap(points)))
    return tuple(found)


def total_series(rounds: Sequence[tuple[int, bool, Decimal | None, str | None]]) -> tuple[Series, ...]:
    """Return how the goods total moved over (round, by the buyer, total, currency); nothing where it was stated once."""
    valued = [each for each in rounds if each[2] is not None]
    currency = valued[0][3] if valued else None
    points = [Point(number, by, total) for number, by, total, unit in valued if unit == currency and total is not None]
    if len(points) < 2 or currency is None:
        return ()
    return (Series("", "", currency, None, tuple(points), _gap(points)),)


@dataclass(frozen=True)
class Mark:
    """A place on the chart, in its own units. ``is_named``: its round is written below, for which there is room."""

    x: int
    y: int
    point: Point
    is_named: bool


@dataclass(frozen=True)
class Chart:
    """A series laid out for drawing: the way the price took, marks of as many rounds as can be told apart, the first and
    the last among them, and the grid with its labels."""

    width: int
    height: int
    marks: tuple[Mark, ...]
    path: str
    ticks: tuple[tuple[int, Decimal], ...]


WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 420, 170, 76, 36, 16, 32
MARKED_MAX, NAMED_MAX = 25, 7
"""Marks, and rounds written below them, that are still told apart in a drawing of that width."""


def chart(of: Series) -> Chart:
    """Return where each price of the series stands in a drawing of ``WIDTH`` by ``HEIGHT``."""
    low, high = min(each.amount for each in of.points), max(each.amount for each in of.points)
    spread = (high - low) or Decimal(1)
    step = Decimal(WIDTH - LEFT - RIGHT) / max(len(of.points) - 1, 1)
    tall = HEIGHT - TOP - BOTTOM

    def y(amount: Decimal) -> int:
        return TOP + int((high - amount) / spread * tall) if high != low else TOP + tall // 2

    places = [(LEFT + int(step * place), y(each.amount)) for place, each in enumerate(of.points)]
    marked = _spread(len(of.points), MARKED_MAX)
    named = {marked[each] for each in _spread(len(marked), NAMED_MAX)}
    marks = tuple(Mark(*places[each], of.points[each], each in named) for each in marked)
    path = " ".join(f"{x},{y}" for x, y in dict.fromkeys(places))
    finest = high + low + Decimal("0.00")  # as fine as the prices, and as cents
    middle = ((high + low) / 2).quantize(finest, context=EXACT)
    amounts = dict.fromkeys((high, middle, low))
    ticks = tuple((y(amount), amount.quantize(Decimal("0.0001"), context=EXACT).normalize(EXACT)) for amount in amounts)
    return Chart(WIDTH, HEIGHT, marks, path, ticks)


def _spread(count: int, most: int) -> Sequence[int]:
    """Return all of ``count`` places, or ``most`` of them, evenly spread from the first to the last."""
    return range(count) if count <= most else [each * (count - 1) // (most - 1) for each in range(most)]


def _gap(points: Sequence[Point]) -> Decimal | None:
    last = {each.by_buyer: each.amount for each in points}
    return max(last[False] - last[True], Decimal(0)) if len(last) == 2 else None


def _priced(document: TradeDocument) -> bool:
    return any(line.price is not None for line in lines_of(document))


def _offered(document: TradeDocument) -> list[Line]:
    return [line for line in lines_of(document) if line.action not in NOT_OFFERED]


def _items(before: TradeDocument, after: TradeDocument) -> Iterable[Term]:
    """The items that are others than before: neither side's number for them is the same, and their names are not."""
    new = Finder(lines_of(after))
    for name, line in keyed(lines_of(before)).items():
        found = new.find(line)
        if found is None or agrees(line.item, found.line.item):
            continue
        one, other = drafting.item_label(line), drafting.item_label(found.line)
        if found.is_other_item or one != other:
            yield _term("item", name, one, _text(one), _text(other), 0)


def _line_terms(before: TradeDocument, after: TradeDocument, for_buyer: bool) -> Iterable[Term]:
    new = Finder(lines_of(after))
    matched: set[int] = set()
    for name, line in keyed(lines_of(before)).items():
        found = new.find(line)
        other = found.line if found else None
        matched.add(id(other))
        yield from _pair(name, line, other, before, after, for_buyer)
    for name, line in keyed(lines_of(after)).items():
        if id(line) not in matched:
            yield from _pair(name, None, line, before, after, for_buyer)


def _pair(
    name: str, old: Line | None, new: Line | None, before: TradeDocument, after: TradeDocument, for_buyer: bool
) -> Iterable[Term]:
    label = drafting.item_label(old or new or Line())
    lower = -1 if for_buyer else 1
    pairs = (
        ("price", _price(old, before), _price(new, after), lower),
        ("quantity", _quantity(old), _quantity(new), 0),
        ("delivery", _day(old, before), _day(new, after), lower),
    )
    for term, one, other, good in pairs:
        yield _term(term, name, label, one, other, good)


def _header_terms(before: TradeDocument, after: TradeDocument, for_buyer: bool) -> Iterable[Term]:
    pairs = (
        ("total", _total(before), _total(after), -1 if for_buyer else 1),
        ("currency", _text(before.currency), _text(after.currency), 0),
        ("incoterm", _text(drafting.incoterm_text(before)), _text(drafting.incoterm_text(after)), 0),
        ("payment", _text(drafting.payment_text(before)), _text(drafting.payment_text(after)), 0),
        ("validity", _until(before), _until(after), 0),
    )
    for term, one, other, good in pairs:
        yield _term(term, None, "", one, other, good)


def _term(name: str, line: str | None, label: str, one: Value | None, other: Value | None, good: int) -> Term:
    """``good`` is the sign of a change that the reader likes: -1 less, 1 more, 0 neither."""
    if one is None or other is None:
        direction = Direction.SAME if one is other else Direction.ADDED if one is None else Direction.REMOVED
        return Term(name, line, label, one, other, direction)
    if one == other or (one.unit == other.unit and one.per == other.per and one.value == other.value):
        return Term(name, line, label, one, other, Direction.SAME)
    delta = _delta(one, other)
    if delta is None or not good:
        return Term(name, line, label, one, other, Direction.CHANGED, delta)
    better = (delta > 0) == (good > 0)
    return Term(name, line, label, one, other, Direction.BETTER if better else Direction.WORSE, delta)


def _delta(one: Value, other: Value) -> Decimal | None:
    if isinstance(one.value, date) and isinstance(other.value, date):
        return Decimal((other.value - one.value).days)
    if not isinstance(one.value, Decimal) or not isinstance(other.value, Decimal) or one.unit != other.unit:
        return None
    was, now = one.value / (one.per or 1), other.value / (other.per or 1)
    if not was:
        return None
    percent = (now - was) / was * 100
    rounded = percent.quantize(TENTH, ROUND_HALF_UP, EXACT)
    return rounded or percent.quantize(Decimal("0.001"), ROUND_HALF_UP, EXACT) or None


def _price(line: Line | None, document: TradeDocument) -> Value | None:
    if line is None or line.price is None:
        return None
    basis = line.price.basis.value if line.price.basis else None
    return Value(Sort.MONEY, line.price.amount, line.price.currency or document.currency, None if basis == 1 else basis)


def _quantity(line: Line | None) -> Value | None:
    return Value(Sort.QUANTITY, line.quantity.value, line.quantity.unit) if line and line.quantity else None


def _day(line: Line | None, document: TradeDocument) -> Value | None:
    day = drafting.delivery_on(document, line) if line is not None else None
    return Value(Sort.DAY, day) if day else None


def _total(document: TradeDocument) -> Value | None:
    amount = drafting.total(document, _offered(document)) if _offered(document) else None
    return None if amount is None else Value(Sort.MONEY, amount, document.currency)


def _text(text: str | None) -> Value | None:
    return Value(Sort.TEXT, text) if text else None


def _until(document: TradeDocument) -> Value | None:
    until = document.date_of("valid_until")
    return Value(Sort.DAY, until) if until else None


_COMPARED = re.compile(
    r"^(currency|delivery_terms\.(incoterm|place|version|text)|payment_terms\.|delivery_period\."
    r"|(lines\.[^.]+\.)?dates\.(promised|scheduled|estimated|requested|latest)_delivery|(lines\.[^.]+\.)?dates\.delivered"
    r"|lines\.[^.]+\.(quantity|price\.(amount|currency|basis)|schedules|delivery_period|item\.(ids|name)))"
)
"""Paths whose meaning is compared above; further names of an item do not make it another one."""


def _other_terms(before: TradeDocument, after: TradeDocument) -> tuple[Term, ...]:
    labels = {
        name: drafting.item_label(line) for each in (after, before) for name, line in keyed(lines_of(each)).items()
    }
    rows = []
    for change in differences(before, after):
        if _COMPARED.match(change.path):
            continue
        line = change.path.split(".")[1] if change.path.startswith("lines.") else None
        name = change.path if line is None else change.path.split(".", 2)[2]
        one, other = _text(change.before), _text(change.after)
        direction = Direction.ADDED if one is None else Direction.REMOVED if other is None else Direction.CHANGED
        rows.append(Term(name, line, labels.get(line or "", ""), one, other, direction))
    return tuple(rows)
