"""Converters: each turns a text into a value and back. What a map cannot say is a named pair of functions here.

Reading raises ValueError for a text that is no such value; writing returns the canonical text, or None where the
value has none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

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
    number."""

    def __missing__(self, text: str) -> Decimal:
        if _CANONICAL(text):
            if len(self) >= CACHED:
                self.clear()
            value = self[text] = Decimal(text)
            return value
        plain = text.replace(",", ".", 1).removeprefix("+") if "," in text or "+" in text else text
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


DECIMALS = Decimals()
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
    return DECIMALS[text].scaleb(-places)


def write_implied(value: Decimal, places: int) -> str:
    """Return the X12 ``Nn`` text; decimals beyond n are rounded half up."""
    scaled = Decimal(value).scaleb(places).quantize(Decimal(1), rounding="ROUND_HALF_UP")
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


def read_edifact_date(text: str, form: str) -> date:
    """Return the day of an EDIFACT C507 value under its 2379 format; 102 and 101 are days, 203 and 204 moments of a
    day."""
    if form in {"203", "204"}:
        return read_datetime(text).date()
    if form in {"102", "101", "2", ""}:
        if form == "2":
            return read_date(text[4:] + text[2:4] + text[:2])
        return read_date(text)
    raise ValueError("not a day")


def read_when(text: str, form: str) -> tuple[date | None, datetime | None, str | None]:
    """Return (on, at, text) of an EDIFACT date, time or period: only ``text`` for a form that is no day and no
    moment."""
    if form in {"102", ""} and text:
        return read_date(text), None, None
    if form in {"203", "204"}:
        moment = read_datetime(text)
        return moment.date(), moment, None
    return None, None, f"{text} ({form})" if form else text


def when_parts(form: str) -> tuple[bool, bool, bool]:
    """Return which of (on, at, text) ``read_when`` gives for a 2379 format."""
    return (form in {"102", "", "203", "204"}, form in {"203", "204"}, form not in {"102", "", "203", "204"})


_FORMS = {8: "102", 12: "203", 14: "204"}


def form_said(text: str) -> str:
    """Return the 2379 format that the digits of a date or moment tell by their number; empty where they do not."""
    return _FORMS.get(len(text), "") if _DIGITS.match(text) else ""


_TEXT_FORM = re.compile(r"(.*) \((\w{1,3})\)\Z", re.DOTALL)


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


class Words(dict[str, str]):
    """Word of each code; unknown codes are named after their standard. Does not grow."""

    def __init__(self, standard: str, rows: Mapping[str, str]) -> None:
        super().__init__(rows)
        self.prefix = standard + ":"

    def __missing__(self, code: str) -> str:
        return self.prefix + code

    def own(self) -> OwnWords:
        """Return the words of the codes that are written for them."""
        first: dict[str, str] = {}
        for code, word in self.items():
            first.setdefault(word, code)
        own = OwnWords(self.prefix.removesuffix(":"), {code: word for word, code in first.items()})
        own.others = frozenset(self) - frozenset(own)
        return own


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


def fold_hl(document: Scope) -> Scope:
    """Turn the flat HL levels of a read 856 into packages and lines; shipment fields become the document's own."""
    levels = _with_parents(document.pop("levels", []))
    by_id = {level.get("id"): level for level in levels}
    packages: list[Scope] = []
    lines: list[Scope] = []
    for level in levels:
        kind = level.get("level", "")
        fields = {name: value for name, value in level.items() if name not in _LEVEL_FIELDS}
        if kind == "item":
            lines.append(_line(fields, level, by_id))
            continue
        package: Scope = {"number": level.get("id", ""), "kind": kind}
        if level.get("parent"):
            package["parent"] = level["parent"]
        if kind in {"shipment", "order"}:
            if kind == "shipment":
                _merge(document, fields)
        else:
            package.update({name: fields[name] for name in _PACKAGE_FIELDS if name in fields and name != "kind"})
        packages.append(package)
    if packages:
        document["packages"] = packages
    if lines:
        document["lines"] = lines
    return document


_RANKS = {"shipment": 0, "order": 1, "tare": 2, "pack": 3, "item": 4}


def _with_parents(levels: list[Scope]) -> list[Scope]:
    """Return the levels; one that names no parent lies in the nearest before it that ranks higher."""
    found: list[Scope] = []
    last: dict[int, tuple[int, str]] = {}
    for at, level in enumerate(levels):
        rank = _RANKS.get(level.get("level", ""), _RANKS["pack"])
        above = max((each for higher, each in last.items() if higher < rank), default=None)
        found.append(level if level.get("parent") or above is None else {**level, "parent": above[1]})
        if level.get("id"):
            last[rank] = (at, level["id"])
    return found


def _line(fields: Scope, level: Scope, by_id: Mapping[Any, Scope]) -> Scope:
    if level.get("parent"):
        fields["package"] = level["parent"]
    above = by_id.get(level.get("parent"))
    seen: set[int] = set()
    while above is not None and id(above) not in seen:
        seen.add(id(above))
        if above.get("level") == "order":
            inherited = [dict(each) for each in above.get("references", ())]
            if inherited:
                fields["references"] = inherited + fields.get("references", [])
        above = by_id.get(above.get("parent"))
    return fields


def _merge(document: Scope, fields: Scope) -> None:
    for name, value in fields.items():
        if isinstance(value, list):
            document.setdefault(name, []).extend(value)
        else:
            document.setdefault(name, value)


_SHIPMENT = (
    "number",
    "action",
    "type",
    "issued_on",
    "issued_at",
    "extensions",
    "packages",
    "lines",
    "profile",
    "process",
    "language",
)


def unfold_hl(document: Scope) -> Scope:
    """Turn packages and lines back into HL levels: shipment, then orders, then packs and items below them, numbered
    from 1."""
    packages = list(document.get("packages", ()))
    lines = list(document.get("lines", ()))
    top: Scope = {name: value for name, value in document.items() if name not in _SHIPMENT}
    rest: Scope = {name: value for name, value in document.items() if name in _SHIPMENT}
    rest.pop("packages", None)
    rest.pop("lines", None)
    nodes = _nodes(packages, lines)
    levels: list[Scope] = []
    for kind, source, parent_at in nodes:
        level: Scope = {"id": str(len(levels) + 1), "level": kind}
        if parent_at is not None:
            level["parent"] = str(parent_at + 1)
        if kind == "shipment":
            level.update(top)
        elif kind == "order":
            level |= {"references": source["references"]} if source.get("references") else {}
        elif kind == "item":
            own = source.get("_order", [])
            left = [each for each in source.get("references", ()) if each not in own]
            level.update(
                {name: value for name, value in source.items() if name not in {"package", "_order", "references"}}
            )
            level |= {"references": left} if left else {}
        else:
            level.update({name: source[name] for name in _PACKAGE_FIELDS if name in source and name != "kind"})
        levels.append(level)
    rest["levels"] = levels
    return rest


def _nodes(packages: list[Scope], lines: list[Scope]) -> list[tuple[str, Scope, int | None]]:
    """Return (kind, source, index of parent) depth first: each line below its package or its order, each order below
    the shipment."""
    result: list[tuple[str, Scope, int | None]] = []
    orders: dict[str, int] = {}
    placed: dict[str, int] = {}
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
        result.append(("shipment", {}, None))

    def walk(package: Scope, parent: int | None) -> None:
        number = str(package.get("number"))
        if number in placed:
            return
        kind = package.get("kind") or "pack"
        at = len(result)
        source = package
        if kind == "order":
            source = {"references": _order_references(_descendants(number, children, held))}
        result.append((kind, source, parent))
        placed[number] = at
        for line in held.get(number, ()):
            result.append(("item", _below_order(line, result, at), at))
        for below in children.get(number, ()):
            walk(below, at)

    top = None if any(package.get("kind") == "shipment" for package in packages) else 0
    # At last those that lie in each other in a circle: the first of them is taken for the outermost.
    for package in (*children.get(None, ()), *packages):
        walk(package, top)
    for line in held.get(None, ()):
        references = _order_references([line])
        key = repr(references)
        if key not in orders:
            orders[key] = len(result)
            result.append(("order", {"references": references}, 0))
        result.append(("item", {**line, "_order": references}, orders[key]))
    return result


def _below_order(line: Scope, nodes: list[tuple[str, Scope, int | None]], at: int | None) -> Scope:
    while at is not None:
        kind, source, parent = nodes[at]
        if kind == "order":
            return {**line, "_order": source.get("references", [])}
        at = parent
    return line


def _descendants(
    number: str, children: Mapping[str | None, list[Scope]], held: Mapping[str | None, list[Scope]]
) -> list[Scope]:
    found = list(held.get(number, ()))
    for below in children.get(number, ()):
        if str(below.get("number")) != number:
            found += _descendants(str(below.get("number")), children, held)
    return found


def _order_references(lines: list[Scope]) -> list[Scope]:
    """Return the references that every one of ``lines`` has."""
    if not lines:
        return []
    shared = [
        each for each in lines[0].get("references", ()) if all(each in line.get("references", ()) for line in lines[1:])
    ]
    return [each for each in shared if len(lines) > 1 or each.get("type") in {"order", "buyer_order"}]


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

CAREFUL = frozenset({"hl"})
"""Shapes whose folding leaves every object and list inside the document as it was."""
