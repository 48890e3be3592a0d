"""Items that come again and again, written by one function for each shape.

A document's lines are alike: the same fields, each with a value. A ``Stencil`` is the writing of one such item, whole,
with all that lies in it: what the segments' own functions ask (is there a date, has this word a code, does the text fit)
was asked once, of the first item of its shape, and is answered by one test for all the others. An item for which the
answers are not the same is written by the functions.

A stencil is not written a second time. The functions' own source is gone through with the values of an item and, beside
each, the expression that gives it (``Traced``); what is asked on the way is noted as a condition (``Recorder``).
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any, NamedTuple

from tradehub.edi.functions import DATE_TEXTS, CodeTable, Scope, write_moment, write_when

OFTEN = 8  # items of one set of fields that the functions write before a stencil is cut
MOST_TRIES = 12  # stencils tried for one set of fields
MOST_STENCILS = 4  # for one set of fields: each that does not fit costs
MOST_FIELDS = 400  # sets of fields that are counted for a list: documents of one sender have a few
MOST_VALUES = 150  # of an item that a stencil is cut for: one with hundreds of parts is seldom like another
LEAVES = (str, Decimal, date, time, bool, int)
DIFFERS = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)
"""What a value of another kind raises."""


class Untraceable(Exception):
    """The writing asks something that no condition on the item's own values can tell."""


class Stencil(NamedTuple):
    """``write(item, element, component)`` gives raw segments, None for an item that does not fit; ``places`` are theirs."""

    write: Callable[[Scope, str, str], tuple[str, ...] | None]
    places: list[int]


class Traced:
    """A value of the sample, and the expression that gives it for any item. ``is_text``: what it gives is a text that is
    not empty. ``is_free``: it may end with any sign."""

    __slots__ = ("code", "is_free", "is_text", "value")

    def __init__(self, value: Any, code: str, *, is_text: bool = False, is_free: bool = True) -> None:
        self.value = value
        self.code = code
        self.is_text = is_text
        self.is_free = is_free

    def __bool__(self) -> bool:
        raise Untraceable

    def __eq__(self, other: object) -> bool:
        raise Untraceable

    def __hash__(self) -> int:
        raise Untraceable

    def __str__(self) -> str:
        raise Untraceable


class Recorder:
    """Notes what is computed and asked while a sample is written."""

    def __init__(self) -> None:
        self.opening: list[str] = []
        self.lines: list[str] = []
        self.conditions: dict[str, None] = {}
        self.names: dict[str, Any] = {"DIFFERS": DIFFERS}
        self._known: dict[int, str] = {}
        self._count = 0

    def scope(self, item: Scope, code: str) -> Scope:
        """Return an item whose values are traced."""
        fields = {}
        held = [self._name("v") for _ in item]
        if held:
            self.opening.append(f"{', '.join(held)}, = {code}.values()")
        for (key, value), name in zip(item.items(), held, strict=True):
            fields[key] = self._traced(value, name)
        return fields

    def _traced(self, value: Any, name: str) -> Any:
        if value.__class__ is dict:
            self.opening.append(f"if tuple({name}) != {self.constant(tuple(value))}: return None")
            return self.scope(value, name)
        if value.__class__ in {list, tuple}:
            names = [self._name("v") for _ in value]
            self.opening.append(f"{', '.join(names)}, = {name}" if names else f"if {name}: return None")
            return [self._traced(each, its) for each, its in zip(value, names, strict=True)]
        if not isinstance(value, LEAVES):
            raise Untraceable
        return Traced(value, name)

    def _name(self, prefix: str) -> str:
        self._count += 1
        if self._count > MOST_VALUES * 3:
            raise Untraceable
        return f"{prefix}{self._count}"

    def constant(self, value: Any) -> str:
        """Return the name of something known now."""
        if id(value) not in self._known:
            name = self._known[id(value)] = self._name("K")
            self.names[name] = value
        return self._known[id(value)]

    def local(self, value: Any) -> Any:
        """Return the same value under a name of its own."""
        if not isinstance(value, Traced) or value.code.isidentifier():
            return value
        name = self._name("t")
        self.lines.append(f"{name} = {value.code}")
        return Traced(value.value, name, is_text=value.is_text, is_free=value.is_free)

    def ask(self, answer: object, code: str) -> bool:
        """Note a condition that the sample fulfils, or does not; return whether it does."""
        self.conditions[code if answer else f"not ({code})"] = None
        return bool(answer)

    def is_true(self, value: Any) -> bool:
        """Return whether a value of the sample counts as true, as it must for all others."""
        if not isinstance(value, Traced):
            return bool(value)
        return value.is_text or self.ask(value.value, value.code)

    def is_there(self, value: Any) -> bool:
        """Return whether a value of the sample is not None."""
        if not isinstance(value, Traced):
            return value is not None
        return value.is_text or self.ask(value.value is not None, f"{value.code} is not None")

    def fits(self, value: Any, most: int) -> Any:
        """Return a value whose text must not be longer than ``most``: one that is would be written in pieces."""
        if most and isinstance(value, Traced) and isinstance(value.value, str):
            if len(value.value) > most:
                raise Untraceable
            self.ask(True, f"len({value.code}) <= {most}")
        return value

    def joined(self, sign: str, parts: tuple[Any, ...]) -> Any:
        """Return parts joined by ``sign``, without those at the end that are empty."""
        held = list(parts)
        while held and not self.is_true(held[-1]):
            held.pop()
        if not held:
            return ""
        texts = [each.code if isinstance(each, Traced) else repr(each) for each in held]
        is_free = isinstance(held[-1], Traced) and held[-1].is_free
        code = f"{sign}.join(({', '.join(texts)},)){f'.rstrip({sign})' if is_free else ''}"
        return Traced(True, code, is_text=not is_free, is_free=is_free)

    def stencil(self, raws: list[str], places: list[int]) -> Stencil:
        holds = " and ".join(("True", *self.conditions))
        lines = [*self.opening, *self.lines, f"if not ({holds}): return None", f"return ({', '.join(raws)},)"]
        body = "\n        ".join(lines)
        source = f"def write(s, es, cs):\n    try:\n        {body}\n    except DIFFERS:\n        return None\n"
        names = dict(self.names)
        exec(compile(source, "<stencil>", "exec"), names)  # noqa: S102  our own source, made from the map
        return Stencil(names["write"], places)


class ItemWriter:
    """Writes an item of a list into the places of a group; None for one that has no place there."""

    __slots__ = ("excluded", "is_left", "only", "pairs")

    def __init__(
        self,
        pairs: tuple[tuple[str, Callable[[Any], str | None]], ...],
        only: frozenset[str],
        excluded: frozenset[str],
        is_left: Callable[[Scope], bool] | None = None,
    ) -> None:
        self.pairs = pairs
        self.only = only
        self.excluded = excluded
        self.is_left = is_left

    def __call__(self, item: Scope) -> tuple[str, ...] | None:
        if item.get(self.pairs[-1][0]) is None or (self.is_left is not None and self.is_left(item)):
            return None
        texts = []
        for name, convert in self.pairs:
            value = item.get(name)
            text = convert(value) if value is not None else ""
            if text is None:
                return None
            texts.append(text)
        if (self.only and texts[0] not in self.only) or texts[0] in self.excluded:
            return None
        return tuple(texts)

    def traced(self, item: Scope, recorder: Recorder) -> tuple[Any, ...] | None:
        """Return the same of a sample."""
        if self.is_left is not None:
            raise Untraceable  # it depends on all that is said of the item
        if not recorder.is_there(item.get(self.pairs[-1][0])):
            return None
        texts: list[Any] = []
        for name, convert in self.pairs:
            value = item.get(name)
            text = recorder.local(called(convert, (value,), recorder)) if recorder.is_there(value) else ""
            if not recorder.is_there(text):
                return None
            texts.append(text)
        for codes, is_wanted in ((self.only, True), (self.excluded, False)):
            if codes and among(texts[0], codes, recorder) is not is_wanted:
                return None
        return tuple(texts)


def among(text: Any, codes: frozenset[str], recorder: Recorder) -> bool:
    """Return whether a text is one of some codes."""
    if not isinstance(text, Traced):
        return text in codes
    return recorder.ask(text.value in codes, f"{text.code} in {recorder.constant(codes)}")


def called(function: Any, values: tuple[Any, ...], recorder: Recorder) -> Any:
    """Return what a converter gives."""
    if not any(isinstance(each, Traced) for each in values):
        return function(*values)
    if function in {write_moment, write_when} and values[1] is None and isinstance(values[0], Traced):
        return day_text(values[0], recorder), ("102" if function is write_when else "")
    if function is str and isinstance(values[0].value, str):
        return values[0]
    table = getattr(function, "__self__", None)
    if isinstance(table, CodeTable) and values[0].value in table.codes:
        return code_of(table.codes, values[0], recorder)
    plain = [each.value if isinstance(each, Traced) else each for each in values]
    codes = [each.code if isinstance(each, Traced) else repr(each) for each in values]
    found = function(*plain)
    code = f"{recorder.constant(function)}({', '.join(codes)})"
    if not isinstance(found, tuple):
        return Traced(found, code)
    whole = recorder.local(Traced(found, code))
    return tuple(Traced(each, f"{whole.code}[{at}]") for at, each in enumerate(found))


def code_of(codes: Mapping[str, str], word: Traced, recorder: Recorder) -> Traced:
    """Return a word's code; a word without one raises KeyError when the stencil is used."""
    return Traced(
        codes[word.value], f"{recorder.constant(codes)}[{word.code}]", is_text=all(codes.values()), is_free=False
    )


def day_text(day: Traced, recorder: Recorder) -> Traced:
    return Traced(DATE_TEXTS[day.value], f"{recorder.constant(DATE_TEXTS)}[{day.code}]", is_text=True, is_free=False)


class Tracer:
    """Writes one segment of a sample: goes through the source of the segment's function (``writing._Source``)."""

    def __init__(self, make: Callable[[], tuple[str, dict[str, Any]]]) -> None:
        self._make = make
        self._body: list[ast.stmt] = []
        self._names: dict[str, Any] = {}

    def __call__(self, scope: Scope, recorder: Recorder, left: Any, _element: str, _component: str) -> tuple[str, bool]:
        """Return the code of the raw segment, and whether it holds a value."""
        if not self._body:
            source, self._names = self._make()
            self._body = ast.parse(source).body[0].body  # type: ignore[attr-defined]
        made = _Walk(self._names, scope, recorder, left).run(self._body)
        raw, has_value = made
        return (raw.code if isinstance(raw, Traced) else raw), recorder.is_true(has_value)


class _Whole:
    """Stands for the whole document, of which no stencil may ask."""

    def get(self, _name: str) -> Any:
        raise Untraceable


class _Walk:
    def __init__(self, names: Mapping[str, Any], scope: Scope, recorder: Recorder, left: Any) -> None:
        self._names = names
        self._recorder = recorder
        self._held: dict[str, Any] = {"s": scope, "left": left, "r": _Whole()}

    def run(self, body: list[ast.stmt]) -> Any:
        """Return what is returned; None where the statements end without it."""
        for each in body:
            match each:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    self._held[name] = self._recorder.local(self._value(value))
                case ast.If(test=test, body=inner):
                    if self._recorder.is_true(self._value(test)):
                        made = self.run(inner)
                        if made is not None:
                            return made
                case _:  # it returns
                    return self._value(each.value)  # type: ignore[attr-defined]
        return None

    def _value(self, node: ast.expr) -> Any:
        return getattr(self, "_on_" + type(node).__name__.lower())(node)

    def _on_constant(self, node: ast.Constant) -> Any:
        return node.value

    def _on_name(self, node: ast.Name) -> Any:
        if node.id in self._held:
            return self._held[node.id]
        if node.id not in self._names:
            raise Untraceable  # what is computed from the whole document
        return self._names[node.id]

    def _on_tuple(self, node: ast.Tuple) -> tuple[Any, ...]:
        return tuple(self._value(each) for each in node.elts)

    def _on_boolop(self, node: ast.BoolOp) -> Any:
        value: Any = None
        for each in node.values:
            value = self._recorder.local(self._value(each))
            if self._recorder.is_true(value) is isinstance(node.op, ast.Or):
                return value
        return value

    def _on_unaryop(self, node: ast.UnaryOp) -> bool:
        return not self._recorder.is_true(self._value(node.operand))

    def _on_ifexp(self, node: ast.IfExp) -> Any:
        return self._value(node.body if self._recorder.is_true(self._value(node.test)) else node.orelse)

    def _on_compare(self, node: ast.Compare) -> bool:
        value, other = self._value(node.left), self._value(node.comparators[0])
        match node.ops[0]:
            case ast.In():
                return among(value, other, self._recorder)
            case ast.NotIn():
                return not among(value, other, self._recorder)
            case ast.IsNot():
                return self._recorder.is_there(value)
            case _:  # that it is not the empty text
                if isinstance(value, Traced) and not isinstance(value.value, str):
                    return isinstance(value.value, Decimal) or self._recorder.ask(True, f"{value.code} != ''")
                return self._recorder.is_true(value)

    def _on_joinedstr(self, node: ast.JoinedStr) -> Any:
        number = self._value(node.values[0].value)  # type: ignore[attr-defined]
        return Traced(f"{number.value:f}", f"f'{{{number.code}:f}}'", is_text=True, is_free=False)

    def _on_subscript(self, node: ast.Subscript) -> Any:
        owner = self._value(node.value)
        if isinstance(node.slice, ast.Slice):
            cut = slice(ast.literal_eval(node.slice.lower), ast.literal_eval(node.slice.upper))  # type: ignore[arg-type]
            if not isinstance(owner, Traced):
                return owner[cut]
            return Traced(owner.value[cut], f"{owner.code}[{cut.start}:{cut.stop}]")
        key = self._value(node.slice)
        return day_text(key, self._recorder) if owner is DATE_TEXTS else owner[key]

    def _on_call(self, node: ast.Call) -> Any:
        match node.func:
            case ast.Attribute(value=ast.Call() as joined, attr="rstrip"):
                return self._on_call(joined)
            case ast.Attribute(value=ast.Name(id="es" | "cs" as sign), attr="join"):
                return self._recorder.joined(sign, self._value(node.args[0]))
            case ast.Attribute(value=owner, attr=method):
                return self._method(self._value(owner), method, [self._value(each) for each in node.args])
            case function:
                return self._called(self._value(function), tuple(self._value(each) for each in node.args))

    def _method(self, owner: Any, method: str, values: list[Any]) -> Any:
        if method != "get" or not isinstance(values[0], Traced):
            return getattr(owner, method)(*values)
        word = values[0]
        if word.value in owner:
            return code_of(owner, word, self._recorder)
        self._recorder.ask(False, f"{word.code} in {self._recorder.constant(owner)}")
        return None

    def _called(self, function: Any, values: tuple[Any, ...]) -> Any:
        if isinstance(function, ItemWriter):
            return function.traced(values[0], self._recorder)
        return called(function, values, self._recorder)
