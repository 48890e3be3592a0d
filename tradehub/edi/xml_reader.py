"""Reading an element tree by an XML map: one function per element, made once per map and kept.

Each function gets (element, scope, reading, path of the parent, occurrence). Elements that the map does not bind, or
that cannot
be bound as they stand, go into ``Reading.extensions`` with their path, so that no leaf is lost; the structure judges
all of them.

Marks of an extension: ``""`` a leaf kept as it was; ``"="`` the form received and the canonical form that it replaces
as long as the
document still says the same; ``"-"`` a leaf that the writer would make and the sender left out. In a path, ``[2]`` is
the second element
of that name, ``[+2]`` one that stands second and is no item of the document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import takewhile
from typing import Any, NamedTuple

from lxml import etree

from tradehub.edi.segments import Fault, Issue, Position, Severity
from tradehub.edi.xml_intake import line_of
from tradehub.edi.xml_map import Binding, Codes, Node, Step, XmlMap, ordered
from tradehub.edi.xml_structure import Child, Structure
from tradehub.edi.xml_values import (
    VALUES,
    Converter,
    converter,
    is_plain,
    join_qualified,
    read_decimal,
    split_qualified,
    write_decimal,
)  # fmt: skip

Scope = dict[str, Any]
Element = etree._Element
Content = Callable[[Element, Scope, "Reading", str, str], None]
Read = Callable[[Element, Scope, "Reading", str, int], None]
Put = Callable[[Element, Scope, "Reading", str, str, str], None]
Attributes = Callable[[Element, Scope, "Reading", str], None]
Entry = tuple[int, int, int, Read]
Places = Sequence[tuple[Binding, str]]

_CURRENCY = re.compile(r"[A-Z]{3}").fullmatch
_UNIT = re.compile(r"[A-Z0-9]{1,3}").fullmatch


class Shape(NamedTuple):
    """The form of a code whose list is not carried here."""

    fits: Callable[[str], object]
    rule: str


_SHAPES = {
    "country": Shape(re.compile(r"[A-Z]{2}|1A").fullmatch, "not an ISO 3166-1 alpha-2 code"),
    "origin": Shape(re.compile(r"[A-Z]{2}|1A").fullmatch, "not an ISO 3166-1 alpha-2 code"),
    "tax_currency": Shape(_CURRENCY, "not an ISO 4217 code"),
}


class Place(Position):
    """Where in an XML document: ``path`` is an XPath with the schema's usual prefixes, ``segment`` the line."""

    __slots__ = ()

    def __str__(self) -> str:
        return f"line {self.segment} ({self.path})"


class Reading:
    """One document while it is read."""

    __slots__ = ("currency", "document", "extensions", "issues", "left_out", "message", "rules", "sums")

    def __init__(self, rules: XmlMap, message: str) -> None:
        self.rules = rules
        self.message = message
        self.currency: str | None = None
        self.left_out = ""
        self.document: Scope = {}
        self.extensions: list[tuple[str, str, tuple[str, ...]]] = []
        self.issues: list[Issue] = []
        self.sums: list[tuple[Element, str, str, tuple[str, str]]] = []

    def issue(
        self, fault: Fault, element: Element, path: str, text: str, value: str = "", severity: Severity = Severity.ERROR
    ) -> None:
        tag = path.rpartition("/")[2].partition("[")[0]
        line = line_of(element)
        at = Place(message=self.message, segment=line, tag=tag, path=f"/{self.rules.message}{path}")
        self.issues.append(Issue(fault, at, text, severity, tag, value, fault.word))

    def keep(self, path: str, text: str | None) -> None:
        self.extensions.append(("", path, (text or "",)))

    def keep_attributes(self, element: Element, path: str) -> None:
        for name, value in element.items():
            self.extensions.append(("", f"{path}/@{name!s}", (str(value),)))

    def keep_all(self, element: Element, path: str) -> None:
        """Keep an element with everything below it, unjudged."""
        self.keep_attributes(element, path)
        if not len(element):
            self.keep(path, element.text)
            return
        counts: dict[str, int] = {}
        for child in element:
            name = self.rules.structure.name(str(child.tag))
            counts[name] = number = counts.get(name, 0) + 1
            self.keep_all(child, f"{path}/{name}" if number == 1 else f"{path}/{name}[{number}]")


def read_tree(rules: XmlMap, read: Content, root: Element, message: str) -> Reading:
    """Return what ``root`` says, read by the compiled map ``read``."""
    reading = Reading(rules, message)
    reading.keep_attributes(root, "")
    read(root, reading.document, reading, "", "")
    if reading.left_out:
        reading.extensions.append(("-", reading.left_out, ()))
    for element, path, text, (listed, summed) in reading.sums:
        _check_sum(reading, element, path, text, listed, summed)
    document = reading.document
    for each in rules.derived:
        found = any(item.get(each.where.key) == each.where.value for item in document.get(each.where.name, ()))
        document.setdefault(each.field, each.then if found else each.otherwise)
    return reading


def _check_sum(reading: Reading, element: Element, path: str, text: str, listed: str, summed: str) -> None:
    amounts = [item[summed] for item in reading.document.get(listed, ()) if summed in item]
    if not amounts:
        reading.keep(path, text)
        return
    total = sum(amounts)
    canonical = write_decimal(total)
    if text != canonical:
        reading.extensions.append(("=", path, (text, canonical)))
    try:
        if read_decimal(text)[0] != total:
            reading.issue(Fault.WRONG_SUM, element, path, f"the amounts add up to {canonical}", text, Severity.WARNING)
    except ValueError as wrong:
        reading.issue(Fault.NOT_A_NUMBER, element, path, str(wrong), text)


def compile_reader(rules: XmlMap) -> Content:
    """Return the function that reads the children of the message's root element."""
    return _Compiler(rules).scope_content(rules.root)


class _Compiler:
    def __init__(self, rules: XmlMap) -> None:
        self.rules = rules
        self.structure = rules.structure
        self.unmapped: dict[str, Content] = {}
        self.currency_path = next(
            (
                f"/{name}"
                for name, node in rules.root.children.items()
                if node.binding and node.binding.field == "currency"
            ),
            "",
        )

    # aggregates

    def scope_content(self, node: Node) -> Content:
        """Return the content function of an element that opens a scope; the scope's own places are told to its
        leaves.
        """
        places = _places(node, self.structure)
        content = self.content(node, places)
        given = [(binding.field, binding.given) for binding, _ in places if binding.given]
        defaults = _defaults(node, places)
        if not given and not defaults:
            return content

        def read(e: Element, o: Scope, c: Reading, at: str, step: str) -> None:
            content(e, o, c, at, step)
            for field, value in given:
                o.setdefault(field, value)
            for field, place in defaults:
                if field not in o:
                    c.extensions.append(("-", f"{at}/{step}{place}", ()))

        return read

    def content(self, node: Node, places: Places, at: str = "", *, repeated: bool = False) -> Content:
        """Return what reads an element's own text, attributes or children; ``at`` is its place below the scope's
        element.
        """
        if node.binding:
            return self.leaf(node, node.binding, places, at, repeated=repeated)
        table: dict[str, Entry] = {}
        need = 0
        children = self.structure.children(node.name)
        for child in children:
            bit = 1 << child.order
            need |= bit if child.least else 0
            mapped = node.children.get(child.name)
            read = self.child(mapped, places, at, repeated=repeated) if mapped else self.kept(child.name)
            if node.only and child.name == node.only[0]:
                read = _settled
            table[self.structure.tag(child.name)] = (child.order, child.most, bit, read)
        return _sequence(table, need, children)

    def child(self, node: Node, places: Places, at: str, *, repeated: bool) -> Read:
        """Return what reads one occurrence of a mapped element."""
        if node.scope:
            return self.scoped(node)
        name = node.name
        content = self.content(node, places, f"{at}/{name}", repeated=repeated or node.repeats)
        if node.only:
            return self.distinguished(name, node.only, content)
        if node.repeats:

            def read_each(k: Element, o: Scope, c: Reading, at: str, n: int) -> None:
                content(k, o, c, at, name if n == 1 else f"{name}[{n}]")

            return read_each
        kept = self.kept(name)

        def read(k: Element, o: Scope, c: Reading, at: str, n: int) -> None:
            if n == 1:
                content(k, o, c, at, name)
            else:
                kept(k, o, c, at, n)

        return read if _shared(node, places) else self.fast(node, read)

    def distinguished(self, name: str, only: tuple[str, str], content: Content) -> Read:
        """Return what reads the element that one place tells from others of its name, and keeps those others whole."""
        place, text = only
        tag = self.structure.tag(place)

        def is_ours(k: Element) -> bool:
            found = k.get(place[1:]) if place.startswith("@") else k.findtext(tag)
            return (found or "").strip() == text

        def read(k: Element, o: Scope, c: Reading, at: str, n: int) -> None:
            mark, fields = len(c.extensions), len(o)
            if is_ours(k) and not any(is_ours(each) for each in k.itersiblings(k.tag, preceding=True)):
                content(k, o, c, at, name if n == 1 else f"{name}[{n}]")
                if len(o) > fields:
                    return
                del c.extensions[mark:]
            c.keep_all(k, f"{at}/{name}[+{n}]")

        return read

    def fast(self, node: Node, slow: Read) -> Read:
        """Return a shortcut for a leaf that is as leaves mostly are; any doubt is left to ``slow``."""
        binding = node.binding
        if binding is None or node.attributes or not binding.field or binding.index or binding.instead or binding.given:
            return slow
        if binding.converter == "text" and binding.field not in _SHAPES:
            return _fast_text(binding.field, slow)
        if binding.converter == "amount":
            return _fast_amount(binding.field, slow)
        if binding.converter == "quantity":
            return _fast_quantity(binding.field, slow)
        return slow

    def scoped(self, node: Node) -> Read:
        """Return what reads an element into the part of the document that its scope names."""
        name = node.name
        content = self.scope_content(node)
        required = node.required
        constants = node.constants
        parents, last = node.scope[:-1], node.scope[-1]
        claimed = [(each.key, each.value) for each in node.claimed]
        repeats = node.repeats
        kept = self.kept(name)

        def read(k: Element, o: Scope, c: Reading, at: str, n: int) -> None:
            if n > 1 and not repeats:
                kept(k, o, c, at, n)
                return
            step = name if n == 1 else f"{name}[{n}]"
            there = None if repeats else _existing(o, parents, last)
            if there is not None:
                content(k, there, c, at, step)
                return
            item: Scope = {}
            mark = len(c.extensions)
            content(k, item, c, at, step)
            if item and required <= item.keys() and not any(item.get(key, "") == value for key, value in claimed):
                _attach(o, parents, last, {**constants, **item} if constants else item)
                return
            del c.extensions[mark:]
            c.keep_all(k, f"{at}/{name}[+{n}]" if repeats else f"{at}/{step}")

        return read

    # what the map does not bind

    def kept(self, name: str) -> Read:
        """Return what keeps an unbound element and judges it by the structure."""
        if self.structure.is_aggregate(name):
            return self.kept_aggregate(name)
        check = _value_check(self.structure.value_of(name))
        foreign = name.startswith("ext:")

        def keep(k: Element, o: Scope, c: Reading, at: str, n: int) -> None:
            path = f"{at}/{name}" if n == 1 else f"{at}/{name}[{n}]"
            if foreign or len(k):
                c.keep_all(k, path)
                if not foreign:
                    c.issue(Fault.NOT_IN_SET, k, path, "a basic element has no elements in it")
                return
            text = k.text
            c.extensions.append(("", path, (text or "",)))
            if not text:
                _empty(k, c, path)
            elif check:
                check(k, c, path, text.strip())
            if k.keys():
                c.keep_attributes(k, path)

        return keep

    def kept_aggregate(self, name: str) -> Read:
        kind = self.structure.type_of(name)

        def keep(k: Element, o: Scope, c: Reading, at: str, n: int) -> None:
            content = self.unmapped.get(kind)
            if content is None:
                content = self.unmapped[kind] = self.content(Node(name), [])
            content(k, o, c, at, name if n == 1 else f"{name}[{n}]")

        return keep

    # leaves

    def leaf(self, node: Node, binding: Binding, places: Places, at: str, *, repeated: bool) -> Content:
        """Return what reads a basic element: its text into a field, its attributes into others."""
        put = self.put(binding, places, at, repeated=repeated)
        attributes = self.attributes(node, binding)
        return _leaf(put, attributes, always=bool(node.attributes))

    def put(self, binding: Binding, places: Places, at: str, *, repeated: bool) -> Put:
        """Return what stores a leaf's text."""
        if binding.const is not None:
            return _put_const(binding.const)
        if binding.total:
            return _put_sum(binding.total, self.currency_path)
        if binding.instead:
            return _put_instead(binding, places, at)
        if binding.index:
            return _put_index(binding, binding.index, places, repeated=repeated)
        if binding.converter == "currency":
            return _put_currency(binding)
        if binding.given:
            return _put_given(binding, self.rules.codes[binding.argument])
        if binding.converter == "amount":
            return _put_amount(binding, self.currency_path)
        if binding.converter == "quantity":
            return _put_quantity(binding)
        if binding.converter == "qualified":
            return _put_qualified(binding)
        earlier = _earlier(places, binding)
        if binding.converter == "text":
            return _put_text(binding.field, _SHAPES.get(binding.field), earlier, at)
        return _put_value(binding, converter(binding, self.rules.codes), earlier, at)

    def attributes(self, node: Node, binding: Binding) -> Attributes:
        """Return what reads the attributes of a leaf; all that are not bound are kept."""
        bound = [(name, each, self.rules.codes.get(each.argument)) for name, each in node.attributes.items()]
        handled = {*node.attributes, *_OWN_ATTRIBUTES.get(binding.converter, ())}

        def read(k: Element, o: Scope, c: Reading, path: str) -> None:
            for name, each, codes in bound:
                _attribute(k.get(name), name, each, codes, o, c, path)
            for attribute, value in k.items():
                if attribute not in handled:
                    c.extensions.append(("", f"{path}/@{attribute!s}", (str(value),)))

        return read


_OWN_ATTRIBUTES = {"amount": ("currencyID",), "quantity": ("unitCode",), "qualified": ("schemeID",)}


def _sequence(table: dict[str, Entry], need: int, children: tuple[Child, ...]) -> Content:
    """Return what reads the children of an aggregate, each by its entry, and judges order and number."""

    def read(e: Element, o: Scope, c: Reading, at: str, step: str) -> None:
        path = f"{at}/{step}" if step else at
        last, n, seen = -1, 0, 0
        for k in e:
            entry = table.get(k.tag)
            if entry is None:
                _unknown(k, c, path)
                continue
            order, most, bit, act = entry
            if order > last:
                last, n = order, 1
                seen |= bit
            elif order == last:
                n += 1
                if n > most:
                    c.issue(Fault.TOO_MANY_ELEMENTS, k, f"{path}/{children[order].name}[{n}]", f"at most {most}")
            else:
                n = 1 + sum(1 for _ in k.itersiblings(k.tag, preceding=True))
                seen |= bit
                c.issue(Fault.OUT_OF_ORDER, k, f"{path}/{children[order].name}", f"not after {children[last].name}")
            act(k, o, c, path, n)
            if k.tail is not None:
                _between(k, c, path, k.tail)
        if seen & need != need:
            for child in children:
                if need >> child.order & 1 and not seen >> child.order & 1:
                    c.issue(Fault.MISSING_ELEMENT, e, f"{path}/{child.name}", "mandatory")
        if last < 0 or e.text is not None or (step and e.keys()):
            _odd(e, c, path)

    return read


def _settled(k: Element, o: Scope, c: Reading, at: str, n: int) -> None:
    """Pass over what has been judged already."""


def _odd(e: Element, c: Reading, path: str) -> None:
    """Deal with an aggregate that is empty, holds text of its own, or has attributes."""
    if path:
        c.keep_attributes(e, path)
    if not len(e):
        c.keep(path, e.text)
        _empty(e, c, path)
    elif e.text is not None:
        _between(e, c, path, e.text)


def _between(e: Element, c: Reading, path: str, text: str) -> None:
    """Report text that stands between elements; it belongs to nothing and is not kept."""
    if text.strip():
        c.issue(Fault.INVALID_CHARACTER, e, path, "text between elements", text.strip()[:100])


def _unknown(k: Element, c: Reading, at: str) -> None:
    name = c.rules.structure.name(str(k.tag))
    n = 1 + sum(1 for _ in k.itersiblings(k.tag, preceding=True))
    path = f"{at}/{name}" if n == 1 else f"{at}/{name}[{n}]"
    severity = Severity.NOTE if name.startswith("th:") else Severity.ERROR  # a later edition of our own block
    c.issue(Fault.NOT_IN_SET, k, path, "no such element here", "", severity)
    c.keep_all(k, path)


def _empty(k: Element, c: Reading, path: str) -> None:
    c.issue(Fault.EMPTY_SEGMENT, k, path, "an empty element says nothing", "", Severity.WARNING)


def _leaf(put: Put, attributes: Attributes, *, always: bool) -> Content:
    def read(k: Element, o: Scope, c: Reading, at: str, step: str) -> None:
        text = k.text
        if not text or len(k) or not (text := text.strip()):
            _unusable(k, c, f"{at}/{step}")
            return
        put(k, o, c, at, step, text)
        if always or k.keys():
            attributes(k, o, c, f"{at}/{step}")

    return read


def _unusable(k: Element, c: Reading, path: str) -> None:
    c.keep_all(k, path)
    if len(k):
        c.issue(Fault.NOT_IN_SET, k, path, "a basic element has no elements in it")
    else:
        _empty(k, c, path)


# Shortcuts -----------------------------------------------------------------------------


def _fast_text(field: str, slow: Read) -> Read:
    def read(k: Element, o: Scope, c: Reading, at: str, n: int) -> None:
        text = k.text
        if n == 1 and text and field not in o and not k.keys() and not len(k) and (text := text.strip()):
            o[field] = text
        else:
            slow(k, o, c, at, n)

    return read


def _fast_amount(field: str, slow: Read) -> Read:
    def read(k: Element, o: Scope, c: Reading, at: str, n: int) -> None:
        text = k.text
        if (
            n == 1
            and text
            and is_plain(text)
            and field not in o
            and k.get("currencyID") == c.currency is not None
            and len(k.keys()) == 1
            and not len(k)
        ):
            o[field] = Decimal(text)
        else:
            slow(k, o, c, at, n)

    return read


def _fast_quantity(field: str, slow: Read) -> Read:
    def read(k: Element, o: Scope, c: Reading, at: str, n: int) -> None:
        text = k.text
        unit = k.get("unitCode")
        if n == 1 and text and is_plain(text) and unit and _UNIT(unit) and len(k.keys()) == 1 and not len(k):
            o[field] = {"value": Decimal(text), "unit": unit}
        else:
            slow(k, o, c, at, n)

    return read


# Texts into fields -----------------------------------------------------------------------------


def _again(c: Reading, path: str, text: str, canonical: str) -> None:
    """Keep a text whose field is filled already: the writer will write the field here too."""
    if text != canonical:
        c.extensions.append(("=", path, (text, canonical)))


def _left_out(c: Reading, path: str, own: str, other: str) -> None:
    """Note that the element at ``other``, bound to the same field as ``own``, was not sent; both are below the
    scope's element.
    """
    c.extensions.append(("-", path.rsplit("/", own.count("/"))[0] + other, ()))


def _put_text(field: str, shape: Shape | None, earlier: str, at: str) -> Put:
    def put(k: Element, o: Scope, c: Reading, above: str, step: str, text: str) -> None:
        if field in o:
            _again(c, f"{above}/{step}", text, str(o[field]))
            return
        o[field] = text
        if shape and not shape.fits(text):
            c.issue(Fault.INVALID_CODE, k, f"{above}/{step}", shape.rule, text, Severity.WARNING)
        if earlier:
            _left_out(c, f"{above}/{step}", at, earlier)

    return put


def _put_value(binding: Binding, convert: Converter, earlier: str, at: str) -> Put:
    field, kind = binding.field, binding.converter

    def put(k: Element, o: Scope, c: Reading, above: str, step: str, text: str) -> None:
        try:
            value, canonical = convert.read(text)
        except ValueError as wrong:
            c.issue(convert.fault, k, f"{above}/{step}", str(wrong), text)
            c.keep(f"{above}/{step}", k.text)
            return
        if field in o:
            _again(c, f"{above}/{step}", text, convert.write(o[field]))
            return
        o[field] = value
        if canonical != text:
            c.extensions.append(("=", f"{above}/{step}", (text, canonical)))
        if kind == "code" and ":" in value:
            c.issue(convert.fault, k, f"{above}/{step}", "a code without a word of ours", text, Severity.NOTE)
        if earlier:
            _left_out(c, f"{above}/{step}", at, earlier)

    return put


def _put_currency(binding: Binding) -> Put:
    field = binding.field

    def put(k: Element, o: Scope, c: Reading, above: str, step: str, text: str) -> None:
        if not _CURRENCY(text):
            c.issue(Fault.INVALID_CODE, k, f"{above}/{step}", "not an ISO 4217 code", text)
            c.keep(f"{above}/{step}", text)
            return
        o[field] = c.currency = text
        c.left_out = ""

    return put


def _put_amount(binding: Binding, currency_path: str) -> Put:
    field, own = binding.field, binding.argument

    def put(k: Element, o: Scope, c: Reading, above: str, step: str, text: str) -> None:
        currency = k.get("currencyID")
        try:
            value, canonical = read_decimal(text)
        except ValueError as wrong:
            c.issue(Fault.NOT_A_NUMBER, k, f"{above}/{step}", str(wrong), text)
            c.keep(f"{above}/{step}", k.text)
            if currency is not None:
                c.keep(f"{above}/{step}/@currencyID", currency)
            return
        if field in o:
            _again(c, f"{above}/{step}", text, write_decimal(o[field]))
        else:
            o[field] = value
            if canonical != text:
                c.extensions.append(("=", f"{above}/{step}", (text, canonical)))
        if currency != c.currency:
            _other_currency(k, o, c, f"{above}/{step}", own, currency_path)

    return put


def _other_currency(k: Element, o: Scope, c: Reading, path: str, own: str, currency_path: str) -> None:
    """Deal with an amount that does not name the document's currency: the first one named stands for a document
    without one.
    """
    currency = k.get("currencyID")
    if currency is None:
        c.issue(Fault.MISSING_ELEMENT, k, f"{path}/@currencyID", "an amount needs a currency")
        c.extensions.append(("-", f"{path}/@currencyID", ()))
        return
    if not _CURRENCY(currency):
        c.issue(Fault.INVALID_CODE, k, f"{path}/@currencyID", "not an ISO 4217 code", currency)
    elif c.currency is None and currency_path:
        c.currency = c.document["currency"] = currency
        c.left_out = currency_path
        return
    if own and _CURRENCY(currency):
        o[own] = currency
    else:
        c.extensions.append(("=", f"{path}/@currencyID", (currency, c.currency or "")))


def _put_quantity(binding: Binding) -> Put:
    field = binding.field

    def put(k: Element, o: Scope, c: Reading, above: str, step: str, text: str) -> None:
        unit = k.get("unitCode")
        try:
            value, canonical = read_decimal(text)
        except ValueError as wrong:
            c.issue(Fault.NOT_A_NUMBER, k, f"{above}/{step}", str(wrong), text)
            c.keep(f"{above}/{step}", k.text)
            if unit is not None:
                c.keep(f"{above}/{step}/@unitCode", unit)
            return
        if canonical != text:
            c.extensions.append(("=", f"{above}/{step}", (text, canonical)))
        if unit is None:
            o[field] = {"value": value}
            return
        o[field] = {"value": value, "unit": unit}
        if not _UNIT(unit):
            c.issue(
                Fault.INVALID_CODE, k, f"{above}/{step}/@unitCode", "not a UN/ECE Rec 20 code", unit, Severity.WARNING
            )

    return put


def _put_qualified(binding: Binding) -> Put:
    field = binding.field

    def put(k: Element, o: Scope, c: Reading, above: str, step: str, text: str) -> None:
        scheme = k.get("schemeID")
        joined = join_qualified(scheme, text)
        if field in o or split_qualified(joined) != (scheme, text):
            c.keep(f"{above}/{step}", text)
            if scheme is not None:
                c.keep(f"{above}/{step}/@schemeID", scheme)
            return
        o[field] = joined

    return put


def _put_const(const: str) -> Put:
    def put(k: Element, o: Scope, c: Reading, above: str, step: str, text: str) -> None:
        c.extensions.append(("=", f"{above}/{step}", (text, const)))

    return put


def _put_sum(total: tuple[str, str], currency_path: str) -> Put:
    def put(k: Element, o: Scope, c: Reading, above: str, step: str, text: str) -> None:
        path = f"{above}/{step}"
        c.sums.append((k, path, text, total))
        currency = k.get("currencyID")
        if currency is not None:
            c.keep(f"{path}/@currencyID", currency)

    return put


def _put_given(binding: Binding, codes: Codes) -> Put:
    """Store a coded field that has a value where the element is absent: that value is not written."""
    field, given = binding.field, binding.given

    def put(k: Element, o: Scope, c: Reading, above: str, step: str, text: str) -> None:
        o[field] = word = codes.word(text)
        path = f"{above}/{step}"
        if word == given:
            c.keep(path, text)
        elif codes.code(word) != text:
            c.extensions.append(("=", path, (text, codes.code(word))))

    return put


def _put_index(binding: Binding, index: Step, places: Places, *, repeated: bool) -> Put:
    """Store a text as the n-th of a list. One that stands further back than its place in the list is kept as it
    stood.
    """
    field, at, open_ended = binding.field, int(index.value) - 1, index.open_ended
    slots = {int(each.index.value) - 1: place for each, place in places if each.index and each.field == field}
    own = slots[at]

    def put(k: Element, o: Scope, c: Reading, above: str, step: str, text: str) -> None:
        texts: list[str] = o.setdefault(field, [])
        path = f"{above}/{step}"
        if len(texts) == at or (open_ended and len(texts) > at):
            texts.append(text)
        elif len(texts) < at:
            _left_out(c, path, own, slots[len(texts)])
            parent, _, leaf = path.rpartition("/")
            c.keep(f"{_plus(parent)}/{leaf}" if repeated else path, text)
            texts.append(text)
        else:
            c.keep(path, text)

    return put


def _plus(path: str) -> str:
    """Return a path whose last step is no item of the document."""
    if path.endswith("]"):
        base, _, number = path.rpartition("[")
        return f"{base}[+{number}"
    return f"{path}[+1]"


def _put_instead(binding: Binding, places: Places, at: str) -> Put:
    """Store a text in ``instead`` while that is empty, and note that its own element was not sent."""
    field, instead, index = binding.field, binding.instead, binding.index
    other = next(place for each, place in places if each.field == instead)

    def put(k: Element, o: Scope, c: Reading, above: str, step: str, text: str) -> None:
        path = f"{above}/{step}"
        if instead not in o:
            o[instead] = text
            _left_out(c, path, at, other)
            c.keep(path, text)
        elif field in o:
            _again(c, path, text, o[field][0] if index else o[field])
        else:
            o[field] = [text] if index else text

    return put


def _attribute(
    value: str | None, name: str, binding: Binding, codes: Codes | None, o: Scope, c: Reading, path: str
) -> None:
    if binding.const is not None:
        if value is None:
            c.extensions.append(("-", f"{path}/@{name}", ()))
        elif value != binding.const:
            c.extensions.append(("=", f"{path}/@{name}", (value, binding.const)))
        return
    if value is None:
        return
    if not value.strip() or binding.field in o:
        c.keep(f"{path}/@{name}", value)
        return
    word = codes.word(value) if codes else value
    o[binding.field] = word
    if codes and codes.code(word) != value:
        c.extensions.append(("=", f"{path}/@{name}", (value, codes.code(word))))


# Scopes -----------------------------------------------------------------------------


def _existing(o: Scope, parents: tuple[Step, ...], last: Step) -> Scope | None:
    """Return the part of the document that a scope names where it is there already."""
    for step in parents:
        found = o.get(step.name)
        if found is None:
            return None
        o = found
    found = o.get(last.name)
    if found is None or last.kind == "field":
        return found
    if last.kind == "select":
        return next((item for item in found if item.get(last.key, "") == last.value), None)
    return found[0] if last.kind == "index" and found else None


def _attach(o: Scope, parents: tuple[Step, ...], last: Step, item: Scope) -> None:
    for step in parents:
        o = o.setdefault(step.name, {})
    if last.kind == "field":
        o[last.name] = item
    elif last.kind == "pairs":
        o.setdefault(last.name, []).append((item["name"], item["value"]))
    else:
        o.setdefault(last.name, []).append(item)


def _places(node: Node, structure: Structure) -> list[tuple[Binding, str]]:
    """Return each leaf of a scope with its path below the scope's element, in the order of the structure."""
    found: list[tuple[Binding, str]] = [(node.binding, "")] if node.binding else []
    for child in ordered(node, structure):
        if not child.scope:
            found += [(binding, f"/{child.name}{place}") for binding, place in _places(child, structure)]
    return found


def _shared(node: Node, places: Places) -> bool:
    """Return whether another leaf of the scope is bound to the same field."""
    field = node.binding.field if node.binding else ""
    return sum(1 for binding, _ in places if binding.field == field) > 1


def _defaults(node: Node, places: Places) -> list[tuple[str, str]]:
    """Return the fields that the model fills by itself, with the place where the writer would put them."""
    return [(binding.field, place) for binding, place in places if binding.field in node.defaults]


def _earlier(places: Places, binding: Binding) -> str:
    """Return the place of an earlier leaf bound to the same field, or the empty text."""
    for each, place in takewhile(lambda place: place[0] is not binding, places):
        if each.field == binding.field and not each.index and not each.instead and not each.words:
            return place
    return ""


def _value_check(kind: str) -> Callable[[Element, Reading, str, str], None] | None:
    if kind not in VALUES:
        return None
    convert, fault = VALUES[kind]

    def check(k: Element, c: Reading, path: str, text: str) -> None:
        try:
            convert(text)
        except ValueError as wrong:
            c.issue(fault, k, path, str(wrong), text)

    return check
