"""Binding by walking the tables: how one segment's values go into the document, said plainly.

The generated reader does the same faster; this one binds what is left of a faulty segment, and is the measure of the
other.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from tradehub.documents.parts import EXACT
from tradehub.edi import functions
from tradehub.edi.checks import Finding
from tradehub.edi.functions import CodeTable
from tradehub.edi.machine import Place, Variant
from tradehub.edi.paths import Binding, Conversion, Path, Scope, Test, child, fill
from tradehub.edi.paths import Place as At
from tradehub.edi.schema import NO_LIMIT, SegmentRule
from tradehub.edi.segments import Fault, Severity


class Frame:
    """Where a message's reading stands: a scope and the number of the taken variant for each depth of loops."""

    __slots__ = ("scopes", "taken")

    def __init__(self, document: Scope, depth: int, slots: int = 0) -> None:
        self.scopes: list[Scope] = [document] + [{} for _ in range(depth)]
        self.taken = [-1] * (depth + 1) + [0] * (slots + 1)


def element_type(rule: SegmentRule, at: At) -> str:
    """Return the dictionary's type of a place, or the empty text."""
    if at.element > len(rule.uses):
        return ""
    use = rule.uses[at.element - 1]
    if use.parts:
        index = (at.component or 1) - 1
        part = use.parts[index] if index < len(use.parts) else None
        return part.element.type if part is not None and part.element is not None else ""
    return use.element.type if use.element is not None else ""


def text_at(elements: list[str], at: At, component: str) -> str:
    """Return the text at a place of a split segment whose first element is the tag."""
    if at.element >= len(elements):
        return ""
    text = elements[at.element]
    if not at.component:
        return text
    parts = text.split(component)
    return parts[at.component - 1] if at.component <= len(parts) else ""


def tests_hold(tests: tuple[Test, ...], elements: list[str], component: str) -> bool:
    return all(test.holds(text_at(elements, test.at, component)) for test in tests)


class Binder:
    """Binds segments by the tables of one map."""

    def __init__(self, tables: Mapping[str, CodeTable]) -> None:
        self._tables = tables
        self._wrong: list[Finding] = []

    def bind(
        self,
        place: Place,
        elements: list[str],
        frame: Frame,
        component: str,
        wrong: list[Finding],
        computed: list[Any],
    ) -> None:
        """Put the segment's values where the map says; one that cannot be converted stays out and is noted in
        ``wrong``."""
        self._wrong = wrong
        if place.is_head:
            self._enter(place, elements, frame, component)
        variant = self._chosen(place.variants, elements, frame, component)
        if variant is None:
            return
        scope = frame.scopes[place.loop.depth]
        node = variant.node
        for binding in node.bindings:
            text = text_at(elements, binding.groups[0][0], component) if binding.computed else ""
            if text:
                computed.append((place.id, binding.groups[0][0], binding, text))
        if node.target is None:
            self._bind_all(place, node.bindings, scope, frame.scopes[0], elements, component)
            return
        item: Scope = {}
        last = node.target.steps[-1]
        if last.append:
            self._bind_all(place, node.bindings, item, frame.scopes[0], elements, component)
            if item:
                for step in node.target.steps[:-1]:
                    scope = child(scope, step)
                fill(scope, last, item)
            return
        if not self._has_value(place, node.bindings, elements, component):
            return
        for step in node.target.steps:
            scope = child(scope, step)
        self._bind_all(place, node.bindings, scope, frame.scopes[0], elements, component)

    def _enter(self, place: Place, elements: list[str], frame: Frame, component: str) -> None:
        depth = place.loop.depth
        frame.taken[depth] = -1
        frame.scopes[depth] = {}
        for number, (loops, node, tests) in enumerate(place.loop.variants):
            if all(frame.taken[at] == wanted for at, wanted in loops) and tests_hold(tests, elements, component):
                frame.taken[depth] = number
                scope = frame.scopes[depth - 1]
                for step in node.target.steps if node.target is not None else ():
                    scope = child(scope, step)
                frame.scopes[depth] = scope
                return

    @staticmethod
    def _chosen(variants: list[Variant], elements: list[str], frame: Frame, component: str) -> Variant | None:
        for variant in variants:
            if all(frame.taken[at] == wanted for at, wanted in variant.loops) and tests_hold(
                variant.tests, elements, component
            ):
                return variant
        return None

    def _has_value(self, place: Place, bindings: tuple[Binding, ...], elements: list[str], component: str) -> bool:
        return any(
            self._values(place, binding, group, elements, component)[1]
            for binding in bindings
            if binding.const is None and not binding.computed
            for group in binding.groups
        )

    def _bind_all(
        self,
        place: Place,
        bindings: tuple[Binding, ...],
        scope: Scope,
        root: Scope,
        elements: list[str],
        component: str,
    ) -> None:
        for binding in bindings:
            if binding.const is not None or binding.computed:
                continue
            for group in binding.groups:
                values, is_there = self._values(place, binding, group, elements, component)
                if is_there:
                    _put(binding, values, scope, root)

    def _values(
        self, place: Place, binding: Binding, group: tuple[At, ...], elements: list[str], component: str
    ) -> tuple[list[Any], bool]:
        texts = [text_at(elements, at, component) for at in group]
        if binding.spread > 1:
            texts = [joined(place.rule, binding, [text_at(elements, at, component) for at in spread_over(binding)])]
        if (binding.only and texts[0] not in binding.only) or texts[0] in binding.excluded:
            return [], False
        types = [element_type(place.rule, at) for at in group]
        is_edifact = types[0] in {"a", "n", "an", ""}
        try:
            values = convert(self._tables, binding, texts, types, is_edifact=is_edifact)
        except ValueError:
            values = self._by_length(place, binding, group, texts) if is_edifact else []
            if not values:
                self._note(place, binding, group, texts)
                return [], False
        if binding.fields and binding.conversion.name != "when":
            return values, values[-1] is not None
        return values, any(value is not None for value in values)

    def _by_length(self, place: Place, binding: Binding, group: tuple[At, ...], texts: list[str]) -> list[Any]:
        """Read a date whose digits are not those of its format by their number, with a warning."""
        form = functions.form_said(texts[0])
        if binding.conversion.name not in {"date", "when"} or len(texts) != 2 or not form:
            return []
        try:
            values = convert(self._tables, binding, [texts[0], form], ["an", "an"], is_edifact=True)
        except ValueError:
            return []
        self._note(place, binding, group, texts, Severity.WARNING)
        return values

    def _note(
        self,
        place: Place,
        binding: Binding,
        group: tuple[At, ...],
        texts: list[str],
        severity: Severity = Severity.ERROR,
    ) -> None:
        fault, meant = _MEANT.get(binding.conversion.name, (None, ""))
        if fault is None or any(each.element == group[0].element for each in self._wrong):
            return
        component = group[0].component
        text = f"{texts[0]!r} is not {meant}"
        if len(texts) > 1 and texts[1] and fault is Fault.INVALID_DATE:
            text += f" in the form {texts[1]}"
        rule = str(binding.conversion)
        self._wrong.append(Finding(fault, group[0].element, component, text, "", texts[0], rule, severity))


_MEANT = {
    "date": (Fault.INVALID_DATE, "a day"), "when": (Fault.INVALID_DATE, "a day or moment"),
    "datetime": (Fault.INVALID_DATE, "a day and time"), "time": (Fault.INVALID_TIME, "a time"),
    "decimal": (Fault.NOT_A_NUMBER, "a number"), "int": (Fault.NOT_A_NUMBER, "a whole number"),
    "lookup": (Fault.INVALID_CODE, "in the table of codes"),
}  # fmt: skip
"""What a converter takes, and the fault of a text that it does not take."""


def spread_over(binding: Binding) -> list[At]:
    """Return the places that one text goes on through."""
    first = binding.groups[0][0]
    return [At(first.element, first.component + more) for more in range(binding.spread)]


def longest(rule: SegmentRule, at: At) -> int:
    """Return the greatest length of a place's element."""
    if at.element > len(rule.uses):
        return NO_LIMIT
    use = rule.uses[at.element - 1]
    element = use.parts[(at.component or 1) - 1].element if use.parts else use.element
    return element.max if element is not None else NO_LIMIT


def joined(rule: SegmentRule, binding: Binding, texts: list[str]) -> str:
    """Return one text out of its components: a full one goes on in the next, a shorter one ends with a blank
    between."""
    most = longest(rule, binding.groups[0][0])
    text = ""
    for at, each in enumerate(texts):
        if each:
            text += ("" if not text or len(texts[at - 1]) >= most else " ") + each
    return text


def convert(
    tables: Mapping[str, CodeTable], binding: Binding, texts: list[str], types: list[str], *, is_edifact: bool
) -> list[Any]:
    """Return the values of a binding's texts. Raises ValueError where a text is no such value."""
    name = binding.conversion.name
    if name == "when":
        return _when(texts, is_edifact=is_edifact)
    if name == "date" and len(texts) == 2 and not binding.fields:
        return [functions.read_edifact_date(*texts) if texts[0] else None]
    width = len(binding.fields) or 1
    return [
        convert_one(tables, conversion, text, kind) if text else None
        for conversion, text, kind in zip(binding.conversions[:width], texts, types, strict=False)
    ]


def _when(texts: list[str], *, is_edifact: bool) -> list[Any]:
    if not texts[0]:
        return [None, None, None]
    if is_edifact:
        return list(functions.read_when(texts[0], texts[1] if len(texts) > 1 else ""))
    on = functions.read_date(texts[0])
    if len(texts) > 1 and texts[1]:
        return [on, datetime.combine(on, functions.read_time(texts[1])), None]
    return [on, None, None]


def convert_one(tables: Mapping[str, CodeTable], conversion: Conversion, text: str, kind: str) -> Any:
    """Return the value of one text. Raises ValueError where it is no such value."""
    match conversion.name:
        case "code":
            return tables[conversion.table].read(text)
        case "lookup":
            word = tables[conversion.table].words.get(text)
            if word is None:
                raise ValueError("not in the table")
            return word
        case "bool":
            word = tables[conversion.table].words.get(text)
            if word not in {"true", "false"}:
                raise ValueError("neither true nor false")
            return word == "true"
        case "decimal" if len(kind) == 2 and kind[0] == "N":
            return functions.read_implied(text, int(kind[1]))
        case "fn":
            return functions.FUNCTIONS[conversion.table][0](text)
        case name:
            return functions.READERS[name](text)


def _put(binding: Binding, values: list[Any], scope: Scope, root: Scope) -> None:
    if not binding.fields:
        for path in binding.paths:
            if path.put(root if path.from_root else scope, values[0]):
                return
        return
    item = {name: value for name, value in zip(binding.fields, values, strict=False) if value is not None}
    if not binding.paths:
        for name, value in item.items():
            scope.setdefault(name, value)
        return
    path = binding.path
    _put_item(path, item, root if path.from_root else scope)


def _put_item(path: Path, item: Scope, scope: Scope) -> None:
    for step in path.steps[:-1]:
        scope = child(scope, step)
    last = path.steps[-1]
    if last.append:
        fill(scope, last, item)
        return
    found = child(scope, last)
    for name, value in item.items():
        found.setdefault(name, value)


def figure(binding: Binding, document: Scope) -> tuple[Decimal, str]:
    """Return a figure that a message states about itself, and the text that it is written as: none where there is
    nothing to count."""
    values = binding.path.values(document)
    if binding.computed == "count":
        return Decimal(len(values)), str(len(values) or "")
    found = _sum(values)
    return found, f"{found.normalize(EXACT):f}" if values else ""


def figure_text(binding: Binding, document: Scope) -> str:
    """Return the text that a figure of a message about itself is written as."""
    return figure(binding, document)[1]


def _sum(values: list[Any]) -> Decimal:
    try:
        return sum(values, Decimal(0))
    except TypeError:  # texts, in a document from outside
        return sum((Decimal(value) for value in values), Decimal(0))
