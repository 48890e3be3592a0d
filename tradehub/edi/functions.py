"""Converters: each turns a text into a value and back. What a map cannot say is a named pair of functions here.

Reading raises ValueError for a text that is no such value; writing returns the canonical text, or None where the
value has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, NamedTuple

from tradehub.documents.parts import EXACT
from tradehub.edi import nesting

Scope = dict[str, Any]
CACHED = (
    20_000  # texts that a cache may hold before it starts afresh: bounds memory, covers the repeats of one interchange
)

_NUMBER = re.compile(r"-?(?:\d+(?:\.\d*)?|\.\d+)\Z", re.ASCII)
_CANONICAL = re.compile(
    r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,9})?\Z", re.ASCII
).match  # texts that str() of their value gives
_DIGITS = re.compile(r"\d+\Z", re.ASCII)


class Odd:
    """Another object each time a text is read that is not the canonical form of its value.

    A reader compares it with what it was when its message began: what another thread reads meanwhile can at worst cost
    a comparison, and never hides what this one has read.
    """

    last: object = None


class Decimals(dict[str, Decimal]):
    """Decimal of each canonical text seen; any other is read each time, and noted as odd. Raises ValueError for no
    number.

    ``mark`` is the sign that may stand for the point: EDIFACT has a comma too, and in X12 ``1,500`` is no number.
    """

    def __init__(self, mark: str = ".") -> None:
        self._mark = mark

    def __missing__(self, text: str) -> Decimal:
        if _CANONICAL(text):
            if len(self) >= CACHED:
                self.clear()
            value = self[text] = Decimal(text)
            return value
        plain = text.replace(self._mark, ".", 1)
        if not _NUMBER.match(plain):
            raise ValueError("not a number")
        value = Decimal(plain)
        if f"{value:f}" != text:
            Odd.last = object()
            return value
        if len(self) >= CACHED:
            self.clear()
        self[text] = value
        return value


class Dates(dict[str, date]):
    """Day of each CCYYMMDD or YYMMDD text seen. Raises ValueError for a day that does not exist."""

    def __missing__(self, text: str) -> date:
        value = read_date(text)
        if len(text) != 8:
            Odd.last = object()
            return value
        if len(self) >= CACHED:
            self.clear()
        self[text] = value
        return value


class DateTexts(dict[date, str]):
    def __missing__(self, day: date) -> str:
        if len(self) >= CACHED:
            self.clear()
        text = self[day] = f"{day.year:04}{day.month:02}{day.day:02}"
        return text


DECIMALS = Decimals(",")
POINTED = Decimals()
DATES = Dates()
DATE_TEXTS = DateTexts()


def read_decimal(text: str) -> Decimal:
    """Return the number that ``text`` spells, with the exponent it was given."""
    return DECIMALS[text]


def write_decimal(value: Decimal | int) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def read_implied(text: str, places: int) -> Decimal:
    """Return the number of an X12 ``Nn`` element, whose last n digits are decimals."""
    if "." in text:
        raise ValueError("a decimal point where it is implied")
    return POINTED[text].scaleb(-places)


def write_implied(value: Decimal, places: int) -> str:
    """Return the X12 ``Nn`` text; decimals beyond n are rounded half up."""
    scaled = Decimal(value).scaleb(places, EXACT).quantize(Decimal(1), "ROUND_HALF_UP", EXACT)
    return f"{scaled:f}"


def read_int(text: str) -> int:
    if not _DIGITS.match(text.removeprefix("-")):
        raise ValueError("not a whole number")
    return int(text)


def read_date(text: str) -> date:
    """Return the day of a CCYYMMDD or YYMMDD text; a two-digit year lies between 1951 and 2050."""
    if not _DIGITS.match(text):
        raise ValueError("not a date")
    if len(text) == 8:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    if len(text) == 6:
        year = int(text[:2])
        return date(year + (2000 if year <= 50 else 1900), int(text[2:4]), int(text[4:]))
    raise ValueError("not a date")


def write_date(value: date) -> str:
    return DATE_TEXTS[value]


def read_time(text: str) -> time:
    """Return the time of an HHMM, HHMMSS or HHMMSSd.. text."""
    if not _DIGITS.match(text) or len(text) not in {4, 6, 7, 8}:
        raise ValueError("not a time")
    micros = int(text[6:].ljust(6, "0")) if len(text) > 6 else 0
    return time(int(text[:2]), int(text[2:4]), int(text[4:6] or 0), micros)


def write_time(value: time) -> str:
    if value.microsecond:
        return value.strftime("%H%M%S") + f"{value.microsecond // 10000:02}"
    return value.strftime("%H%M%S" if value.second else "%H%M")


def read_datetime(text: str) -> datetime:
    """Return the moment of a CCYYMMDDHHMM[SS] text."""
    if len(text) not in {10, 12, 14}:
        raise ValueError("not a date and time")
    day = 6 if len(text) == 10 else 8
    return datetime.combine(read_date(text[:day]), read_time(text[day:]))


def write_datetime(value: datetime) -> str:
    return write_date(value.date()) + write_time(value.time())


_DAY_FORMS = frozenset({"102", "", "101", "2", "3", "4"})
_MOMENT_FORMS = {"203": 12, "204": 14, "201": 10, "202": 12, "301": 10, "303": 12, "304": 14}
"""2379 of moments: how many of their characters are digits; a time zone follows those of 301, 303 and 304."""


def read_day(text: str, form: str) -> date:
    """Return the day of an EDIFACT C507 value: CCYYMMDD, or in the order of its 2379 format."""
    match form:
        case "2" | "4":
            return read_date(text[4:] + text[2:4] + text[:2])
        case "3":
            return read_date(text[4:] + text[:4])
    return read_date(text)


def read_moment(text: str, form: str) -> datetime:
    """Return the moment of an EDIFACT C507 value as it is said there, whatever its time zone."""
    digits = text[: _MOMENT_FORMS[form]] if form[0] == "3" else text
    if form == "202":
        return datetime.combine(read_date(digits[:6]), read_time(digits[6:]))
    return read_datetime(digits)


def read_edifact_date(text: str, form: str) -> date:
    """Return the day of an EDIFACT C507 value under its 2379 format, also of a moment of that day."""
    if form in _MOMENT_FORMS:
        return read_moment(text, form).date()
    if form in _DAY_FORMS:
        return read_day(text, form)
    raise ValueError("not a day")


def read_when(text: str, form: str) -> tuple[date | None, datetime | None, str | None]:
    """Return (on, at, text) of an EDIFACT date, time or period: only ``text`` for a form that is no day and no
    moment."""
    if form in _DAY_FORMS and text:
        return read_day(text, form), None, None
    if form in _MOMENT_FORMS:
        moment = read_moment(text, form)
        return moment.date(), moment, None
    return None, None, f"{text} ({form})" if form else text


def when_parts(form: str) -> tuple[bool, bool, bool]:
    """Return which of (on, at, text) ``read_when`` gives for a 2379 format."""
    is_moment = form in _MOMENT_FORMS
    return is_moment or form in _DAY_FORMS, is_moment, not is_moment and form not in _DAY_FORMS


_FORMS = {8: "102", 12: "203", 14: "204"}


def form_said(text: str) -> str:
    """Return the 2379 format that the digits of a date or moment tell by their number; empty where they do not."""
    return _FORMS.get(len(text), "") if _DIGITS.match(text) else ""


_TEXT_FORM = re.compile(r"(.*) \(([^()]{1,3})\)\Z", re.DOTALL)


def write_when(on: date | None, at: datetime | None, text: str | None) -> tuple[str, str]:
    """Return the EDIFACT value and its 2379 format; two empty texts where there is nothing to say."""
    if at is not None:
        return write_date(at.date()) + at.strftime("%H%M%S" if at.second else "%H%M"), "204" if at.second else "203"
    if on is not None:
        return write_date(on), "102"
    if text:
        match = _TEXT_FORM.match(text)
        return (match[1], match[2]) if match else (text, "")
    return "", ""


def write_moment(on: date | None, at: datetime | None, _text: str | None) -> tuple[str, str]:
    """Return the X12 day and time; two empty texts where there is neither."""
    if at is not None:
        return write_date(at.date()), write_time(at.time())
    return (write_date(on), "") if on is not None else ("", "")


class CodeTable:
    """A two-way code table. An unknown code reads to ``<standard>:<code>``; a word without a code writes the table's
    ``else``.

    A row ``IV: bill_to|invoicee`` reads to the first word and is written for each, unless the word has a row of its
    own.
    """

    def __init__(self, standard: str, rows: Mapping[str, str]) -> None:
        self.standard = standard
        self.default = rows.get("else")
        said = {code: words.split("|") for code, words in rows.items() if code != "else"}
        self.words = Words(standard, {code: words[0] for code, words in said.items()})
        self.codes: dict[str, str] = {}
        for code, word in self.words.items():
            self.codes.setdefault(word, code)
        for code, words in said.items():
            for word in words[1:]:
                self.codes.setdefault(word, code)

    def read(self, code: str) -> str:
        return self.words[code]

    def write(self, word: str) -> str | None:
        """Return the code for ``word``, or None where this standard has none."""
        code = self.codes.get(word)
        if code is not None:
            return code
        prefix, colon, own = str(word).partition(":")
        if colon and prefix == self.standard:
            return own
        return self.default


class CodeTables(dict[str, CodeTable]):
    """The code tables of a dictionary by their names, each made when it is first asked for: a map uses a few of them."""

    def __init__(self, standard: str, tables: Mapping[str, Mapping[str, str]]) -> None:
        self._standard = standard
        self._tables = tables

    def __missing__(self, name: str) -> CodeTable:
        made = self[name] = CodeTable(self._standard, self._tables[name])
        return made


class Words(dict[str, str]):
    """Word of each code; unknown codes are named after their standard. Does not grow."""

    def __init__(self, standard: str, rows: Mapping[str, str]) -> None:
        super().__init__(rows)
        self.prefix = standard + ":"

    def __missing__(self, code: str) -> str:
        return self.prefix + code

    def closed(self) -> ClosedWords:
        """Return the words of the codes that are in the table."""
        return ClosedWords(self)

    def own(self) -> OwnWords:
        """Return the words of the codes that are written for them."""
        first: dict[str, str] = {}
        for code, word in self.items():
            first.setdefault(word, code)
        own = OwnWords(self.prefix.removesuffix(":"), {code: word for word, code in first.items()})
        own.others = frozenset(self) - frozenset(own)
        return own


class ClosedWords(dict[str, str]):
    """Word of each code of a table that knows no others. Raises ValueError for them."""

    def __missing__(self, code: str) -> str:
        raise ValueError("not in the table")


class OwnWords(Words):
    """Words of the codes that are written for them, and of unknown ones. Raises KeyError for ``others``: a code of a word
    that is written with another."""

    others: frozenset[str] = frozenset()

    def __missing__(self, code: str) -> str:
        if code in self.others:
            raise KeyError(code)
        return self.prefix + code


READERS: dict[str, Callable[[str], Any]] = {
    "text": str, "decimal": read_decimal, "int": read_int, "date": read_date, "time": read_time, "datetime":
    read_datetime,
}  # fmt: skip
WRITERS: dict[str, Callable[[Any], str]] = {
    "text": str, "decimal": write_decimal, "int": str, "date": write_date, "time": write_time, "datetime":
    write_datetime,
}  # fmt: skip


def _always(word: str) -> tuple[Callable[[str], Any], Callable[[Any], str | None]]:
    """Return the pair of a field that the message alone decides: any text reads as ``word``, nothing is written."""
    return lambda _text: word, lambda _value: None


FUNCTIONS: dict[str, tuple[Callable[[str], Any], Callable[[Any], str | None]]] = {
    "yymmdd": (read_date, lambda day: f"{day.year % 100:02}{day.month:02}{day.day:02}"),
    **{word: _always(word) for word in ("forecast", "call_off", "transport", "order_enquiry", "order_report")},
}
"""Named converter pairs for ``fn:<name>``. For a ``type`` that no element of the message states: ``03? type =
fn:transport``."""


# Trees: 856 (HL) and DESADV (CPS) -----------------------------------------------------------------

_LEVEL_FIELDS = ("id", "parent", "level")
_PACKAGE_FIELDS = ("kind", "sscc", "marks", "count", "gross_weight", "net_weight", "volume")
_PACKED = frozenset(_PACKAGE_FIELDS) - {"kind"}


def fold_hl(document: Scope) -> Scope:
    """Turn the flat HL levels of a read 856 into packages and lines; shipment fields become the document's own."""
    levels = _with_parents(document.pop("levels", []))
    by_id = {level.get("id"): level for level in levels}
    inherited: dict[Any, list[Scope]] = {}
    packages: list[Scope] = []
    lines: list[Scope] = []
    for level in levels:
        kind, parent = level.get("level", ""), level.get("parent")
        if kind == "item":
            if parent not in inherited:
                inherited[parent] = _order_references_above(parent, by_id)
            lines.append(_line(level, parent, inherited[parent]))
            continue
        package: Scope = {"number": level.get("id", ""), "kind": kind}
        if parent:
            package["parent"] = parent
        if kind == "shipment":
            _merge(document, {name: value for name, value in level.items() if name not in _LEVEL_FIELDS})
        elif kind != "order":
            for name in level.keys() & _PACKED:
                package[name] = level[name]
        packages.append(package)
    if packages:
        document["packages"] = packages
    if lines:
        document["lines"] = lines
    return document


_OF_ORDER = frozenset({"order", "buyer_order"})  # references that say which order a line belongs to
_OF_PACKAGE = _PACKED | set(_LEVEL_FIELDS)
_OF_DOCUMENT = frozenset({
    "number", "action", "type", "issued_on", "issued_at", "extensions", "packages", "lines", "profile", "process",
    "language",
})  # fmt: skip
_OF_ORDER_LEVEL = frozenset({*_LEVEL_FIELDS, "references"})


class _Held(NamedTuple):
    """An order's references, and the item levels that lie in it."""

    references: list[Scope]
    items: list[Scope]


def stands_hl(document: Scope) -> bool:
    """Return whether ``unfold_hl`` is certain to give these levels back: they are numbered from 1, depth first, items
    before packages, orders below the shipment, and each level has only fields that it is written with.

    False says nothing: unfolding them tells.
    """
    first, *below = document.get("levels") or [{}]
    is_shipment = first.get("level") == "shipment" and first.get("id") == "1" and "parent" not in first
    if not is_shipment or not document.keys() - {"levels"} <= _OF_DOCUMENT:
        return False
    orders = _orders_of(below) if first.keys().isdisjoint(_OF_DOCUMENT) else None
    return orders is not None and all(map(_comes_back, orders))


def _orders_of(levels: list[Scope]) -> list[_Held] | None:
    """Return the orders of the levels below a shipment; None where a level does not stand as it would be written."""
    orders: list[_Held] = []
    around: list[str] = ["1"]  # the levels that are open
    within = {"1": _Held([], [])}
    with_packages: set[str] = set()
    for number, level in enumerate(levels, 2):
        kind, own, parent = level.get("level"), level.get("id"), level.get("parent")
        while around and around[-1] != parent:
            around.pop()
        if own != str(number) or not around:
            return None
        held = within[around[-1]]
        if kind == "item":
            if around[-1] in with_packages or "package" in level:
                return None
            held.items.append(level)
            continue
        if kind == "order" and len(around) == 1 and level.keys() <= _OF_ORDER_LEVEL:
            held = _Held(level.get("references", []), [])
            orders.append(held)
        elif kind in {None, "", "order", "shipment"} or not level.keys() <= _OF_PACKAGE:
            return None
        with_packages.add(around[-1])
        around.append(own)
        within[own] = held
    return orders


def _comes_back(order: _Held) -> bool:
    """Return whether an order's references can be told from those of its items."""
    own = [each.get("references", ()) for each in order.items]
    if any(each in order.references for more in own for each in more):
        return False
    if len(own) > 1:
        return not own[0]
    if not own:
        return not order.references
    return not own[0] and all(each.get("type") in _OF_ORDER for each in order.references)


_RANKS = {"shipment": 0, "order": 1, "tare": 2, "pack": 3, "item": 4}


def _with_parents(levels: list[Scope]) -> list[Scope]:
    """Return the levels; one that names no parent lies in the nearest before it that ranks higher."""
    if all(level.get("parent") for level in levels[1:]):
        return levels
    found: list[Scope] = []
    last: dict[int, tuple[int, str]] = {}
    for at, level in enumerate(levels):
        rank = _RANKS.get(level.get("level", ""), _RANKS["pack"])
        above = max((each for higher, each in last.items() if higher < rank), default=None)
        found.append(level if level.get("parent") or above is None else {**level, "parent": above[1]})
        if level.get("id"):
            last[rank] = (at, level["id"])
    return found


def _line(level: Scope, parent: Any, inherited: list[Scope]) -> Scope:
    """Return the line of an item level, with the references of the orders that it lies in."""
    fields = level.copy()
    for name in _LEVEL_FIELDS:
        fields.pop(name, None)
    if parent:
        fields["package"] = parent
    if inherited:
        fields["references"] = [*(dict(each) for each in inherited), *fields.get("references", ())]
    return fields


def _order_references_above(parent: Any, by_id: Mapping[Any, Scope]) -> list[Scope]:
    """Return the references of all orders from a level upwards, those of the outermost first."""
    found: list[Scope] = []
    above = by_id.get(parent)
    seen: set[int] = set()
    while above is not None and id(above) not in seen:
        seen.add(id(above))
        if above.get("level") == "order":
            found = [*above.get("references", ()), *found]
        above = by_id.get(above.get("parent"))
    return found


def _merge(document: Scope, fields: Scope) -> None:
    for name, value in fields.items():
        if isinstance(value, list):
            document.setdefault(name, []).extend(value)
        else:
            document.setdefault(name, value)


def unfold_hl(document: Scope) -> Scope:
    """Turn packages and lines back into HL levels: shipment, then orders, then packs and items below them, numbered
    from 1."""
    packages = list(document.get("packages", ()))
    lines = list(document.get("lines", ()))
    top: Scope = {name: value for name, value in document.items() if name not in _OF_DOCUMENT}
    rest: Scope = {name: value for name, value in document.items() if name in _OF_DOCUMENT}
    rest.pop("packages", None)
    rest.pop("lines", None)
    levels: list[Scope] = []
    for number, (kind, source, parent_at, own) in enumerate(_nodes(packages, lines), 1):
        level: Scope = {"id": str(number), "level": kind}
        if parent_at is not None:
            level["parent"] = str(parent_at + 1)
        if kind == "shipment":
            level.update(top)
        elif kind == "order":
            level |= {"references": own} if own else {}
        elif kind == "item":
            level.update(source)
            level.pop("package", None)
            left = [each for each in level.pop("references", ()) if each not in own]
            level |= {"references": left} if left else {}
        else:
            level.update({name: source[name] for name in source.keys() & _PACKED})
        levels.append(level)
    rest["levels"] = levels
    return rest


Node = tuple[str, Scope, int | None, list[Scope]]
"""A level to be: kind, source, index of its parent, and the references of its order."""


def _nodes(packages: list[Scope], lines: list[Scope]) -> list[Node]:
    """Return the levels depth first: each line below its package or its order, each order below the shipment."""
    result: list[Node] = []
    orders: dict[str, int] = {}
    placed: set[str] = set()
    children: dict[str | None, list[Scope]] = {}
    known = {str(package.get("number")) for package in packages}
    for package in packages:
        parent = package.get("parent")
        children.setdefault(parent if parent in known else None, []).append(package)
    held: dict[str | None, list[Scope]] = {}
    for line in lines:
        within = line.get("package")
        held.setdefault(within if within in known else None, []).append(line)
    if not any(package.get("kind") == "shipment" for package in packages):
        result.append(("shipment", {}, None, []))

    def walk(package: Scope, parent: int | None, own: list[Scope]) -> None:
        number = str(package.get("number"))
        if number in placed:
            return
        kind = package.get("kind") or "pack"
        at = len(result)
        if kind == "order":
            own = _order_references(_descendants(number, children, held))
        result.append((kind, package, parent, own))
        placed.add(number)
        result.extend(("item", line, at, own) for line in held.get(number, ()))
        for below in children.get(number, ()):
            walk(below, at, own)

    top = None if any(package.get("kind") == "shipment" for package in packages) else 0
    # At last those that lie in each other in a circle: the first of them is taken for the outermost.
    for package in (*children.get(None, ()), *packages):
        walk(package, top, [])
    for line in held.get(None, ()):
        references = _order_references([line])
        key = repr(references)
        if key not in orders:
            orders[key] = len(result)
            result.append(("order", {}, 0, references))
        result.append(("item", line, orders[key], references))
    return result


def _descendants(
    number: str, children: Mapping[str | None, list[Scope]], held: Mapping[str | None, list[Scope]]
) -> list[Scope]:
    """Return the lines in a package and in those within it, each package once: they may lie in each other."""
    found: list[Scope] = []
    passed: set[str] = set()
    left = [number]
    while left:
        at = left.pop()
        if at not in passed:
            passed.add(at)
            found += held.get(at, ())
            left += (str(below.get("number")) for below in reversed(children.get(at, ())))
    return found


def _order_references(lines: list[Scope]) -> list[Scope]:
    """Return the references that every one of ``lines`` has."""
    if not lines:
        return []
    shared = [
        each for each in lines[0].get("references", ()) if all(each in line.get("references", ()) for line in lines[1:])
    ]
    return [each for each in shared if len(lines) > 1 or each.get("type") in _OF_ORDER]


def fold_cps(document: Scope) -> Scope:
    """Turn the CPS groups of a read DESADV into packages and the lines that lie in them."""
    levels = document.pop("levels", [])
    packages: list[Scope] = []
    lines: list[Scope] = []
    for level in levels:
        package = {name: value for name, value in level.items() if name not in {"id", "parent", "level", "lines"}}
        package["number"] = level.get("id", "")
        if level.get("parent"):
            package["parent"] = level["parent"]
        packages.append(package)
        for line in level.get("lines", ()):
            if level.get("id"):
                line["package"] = level["id"]
            lines.append(line)
    if packages:
        document["packages"] = packages
    if lines:
        document["lines"] = lines
    return document


def unfold_cps(document: Scope) -> Scope:
    """Turn packages and lines back into CPS groups. Lines in no known package go into a group of their own, numbered
    1."""
    rest = {name: value for name, value in document.items() if name not in {"packages", "lines"}}
    levels: list[Scope] = []
    by_id: dict[str, Scope] = {}
    for package in document.get("packages", ()):
        level = {name: value for name, value in package.items() if name not in {"number", "parent"}}
        level["id"] = package.get("number")
        if package.get("parent"):
            level["parent"] = package["parent"]
        levels.append(level)
        by_id.setdefault(str(package.get("number")), level)
    loose: Scope = {"id": "1"}
    for line in document.get("lines", ()):
        own = {name: value for name, value in line.items() if name != "package"}
        by_id.get(str(line.get("package")), levels[0] if levels else loose).setdefault("lines", []).append(own)
    if loose.get("lines"):
        levels.append(loose)
    if levels:
        rest["levels"] = levels
    return rest


# Status: 869 and 870 (HL) --------------------------------------------------------------------------


def fold_hl_orders(document: Scope) -> Scope:
    """Turn the HL levels of an order status message into lines. One order is the document's own; of several, each
    stands among the lines, before its own, which name it."""
    levels = _with_parents(document.pop("levels", []))
    by_id = {level.get("id"): level for level in levels}
    is_single = sum(level.get("level") == "order" for level in levels) == 1
    lines: list[Scope] = []
    for level in levels:
        fields = {name: value for name, value in level.items() if name not in _LEVEL_FIELDS}
        if level.get("level") != "order":
            lines += _status_lines(fields, [] if is_single else _order_of(level, by_id))
        elif is_single:
            _merge(document, fields)
        else:
            lines.append({"level": "order", **fields})
    if lines:
        document["lines"] = lines
    return document


def _order_of(level: Scope, by_id: Mapping[Any, Scope]) -> list[Scope]:
    """Return the order references of the nearest order above a level."""
    seen: set[int] = set()
    above = by_id.get(level.get("parent"))
    while above is not None and id(above) not in seen:
        seen.add(id(above))
        if above.get("level") == "order":
            return [dict(each) for each in above.get("references", ()) if each.get("type") == "order"]
        above = by_id.get(above.get("parent"))
    return []


def _status_lines(level: Scope, order: list[Scope]) -> list[Scope]:
    """Return the lines of an item level; what the level says itself goes to the first."""
    first, *others = level.pop("lines", None) or [{}]
    lines = [{**level, **first}, *others]
    for line in lines:
        references = [*order, *line.get("references", ())]
        if references:
            line["references"] = references
    return lines


def unfold_hl_orders(document: Scope) -> Scope:
    """Turn the lines of a status back into HL levels: each line below its order, numbered from 1."""
    rest = {name: value for name, value in document.items() if name not in {"lines", "events"}}
    rows = document.get("lines") or ()
    levels: list[Scope] = []
    orders: dict[str, Scope] = {}
    nameless: list[Scope] = []

    def begin(fields: Scope) -> Scope:
        level = {**fields, "id": str(len(levels) + 1), "level": "order"}
        levels.append(level)
        named = [each for each in fields.get("references") or () if each.get("type") == "order"]
        for each in named:
            orders.setdefault(str(each.get("value")), level)
        if not named:
            nameless.append(level)
        return level

    if not any(row.get("level") == "order" for row in rows):
        named = [each for each in document.get("references") or () if each.get("type") == "order"]
        rest["references"] = [each for each in document.get("references") or () if each not in named]
        for reference in named or [{}]:
            begin({"references": [reference]} if reference else {})
    for row in rows:
        if row.get("level") == "order":
            begin({name: value for name, value in row.items() if name != "level"})
            continue
        own = next((each for each in row.get("references") or () if each.get("type") == "order"), None)
        above = (
            orders.get(str(own.get("value"))) if own is not None else next(iter((*nameless[-1:], *levels[-1:])), None)
        )
        above = above or begin({"references": [own]} if own is not None else {})
        above = _order_above(above, levels)
        levels.append(_item_level(row, above, str(len(levels) + 1)))
    if document.get("events"):
        levels[0]["events"] = document["events"]
    rest["levels"] = levels
    return rest


def unfold_hl_inquiry(document: Scope) -> Scope:
    """Do the same for an inquiry (869), whose header has no place for dates, parties and references: they are those of
    the order, the first where there are several."""
    whole = unfold_hl_orders(document)
    order, *others = whole["levels"]
    own = {name: [*order.get(name, ()), *whole.pop(name)] for name in _OF_LEVEL & whole.keys()}
    whole["levels"] = [{**order, **own}, *others]
    return whole


def _order_above(level: Scope, levels: list[Scope]) -> Scope:
    """Return the order level that ``level`` is, or lies in."""
    return level if level["level"] == "order" else levels[int(level["parent"]) - 1]


_OF_LEVEL = frozenset({"references", "dates", "parties"})


def _item_level(row: Scope, order: Scope, number: str) -> Scope:
    """Return a line as an item level: with its fields, and once more as the line of it."""
    said = list(order.get("references") or ())
    level = {**row, "references": [each for each in row.get("references") or () if each not in said]}
    if row.keys() - _OF_LEVEL:
        level["lines"] = [{name: value for name, value in row.items() if name not in _OF_LEVEL}]
    return {**level, "id": number, "parent": order["id"], "level": "item"}


# Application advice: 824 -----------------------------------------------------------------------------

_OUTCOME = ("response", "subject", "subject_type", "subject_group", "subject_control", "judgements", "dates")


def fold_outcomes(document: Scope) -> Scope:
    """Make the first of the verdicts read the document's own, and the rest ``others``."""
    first, *others = document.pop("outcomes", None) or [{}]
    _merge(document, first)
    if others:
        document["others"] = others
    return document


def unfold_outcomes(document: Scope) -> Scope:
    """Turn the document's own verdict and the ``others`` back into a list of them."""
    rest = {name: value for name, value in document.items() if name not in {*_OUTCOME, "others", "references"}}
    first = {name: document[name] for name in _OUTCOME if name in document}
    references = document.get("references") or ()
    rest["references"] = [each for each in references if each.get("type") == "previous"]
    first["references"] = [each for each in references if each.get("type") != "previous"]
    rest["outcomes"] = [first, *(document.get("others") or ())]
    return rest


SHAPES: dict[str, tuple[Callable[[Scope], Scope], Callable[[Scope], Scope]]] = {
    "hl": (fold_hl, unfold_hl),
    "hl_orders": (fold_hl_orders, unfold_hl_orders),
    "hl_inquiry": (fold_hl_orders, unfold_hl_inquiry),
    "outcomes": (fold_outcomes, unfold_outcomes),
    "cps": (fold_cps, unfold_cps),
    "groups": (nesting.fold_groups, nesting.unfold_groups),
    "points": (nesting.fold_points, nesting.unfold_points),
    "schedules": (nesting.fold_points, nesting.unfold_schedules),
    "consignments": (nesting.fold_consignments, nesting.unfold_consignments),
    "documents": (nesting.fold_documents, nesting.unfold_documents),
    "verdict": (nesting.fold_verdict, nesting.unfold_verdict),
    "disputes": (nesting.fold_disputes, nesting.unfold_disputes),
}
"""Named whole-document pairs for ``message.shape``: after reading, before writing."""

PROOFS: dict[str, Callable[[Scope], bool]] = {"hl": stands_hl}
"""Tells of some shapes, before they are folded, that unfolding gives the same."""

CAREFUL = frozenset({"hl"})
"""Shapes whose folding leaves every object and list inside the document as it was."""
