"""Paths into a document, and the one-line notation that binds elements to them (docs/maps.md).

Documents are plain dicts and lists here. A path knows how to put a value in and how to find the values again; the
generated engine
and the XML codec share this notation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

Scope = dict[str, Any]


class MapError(ValueError):
    """A map file says something that the notation does not know. The text names the file and the place."""


@dataclass(frozen=True, slots=True)
class Step:
    """One field of a path: ``name``, ``name[]`` (append) or ``name[field=value]`` (select or make)."""

    name: str
    append: bool = False
    field: str = ""
    value: str = ""

    def __str__(self) -> str:
        if self.append:
            return f"{self.name}[]"
        return f"{self.name}[{self.field}={self.value}]" if self.field else self.name


@dataclass(frozen=True, slots=True)
class Path:
    steps: tuple[Step, ...]
    from_root: bool = False

    def __str__(self) -> str:
        return ("/" if self.from_root else "") + ".".join(str(step) for step in self.steps)

    @property
    def appends(self) -> bool:
        """Return whether the path makes a list item somewhere on its way."""
        return any(step.append for step in self.steps)

    def put(self, scope: Scope, value: Any) -> bool:
        """Put ``value`` in; False where the field is already filled."""
        for step in self.steps[:-1]:
            scope = child(scope, step)
        return fill(scope, self.steps[-1], value)

    def values(self, scope: Scope) -> list[Any]:
        """Return what stands at the path, each item of its lists in turn."""
        if len(self.steps) == 2 and not (self.steps[0].append or self.steps[0].field):
            within = scope.get(self.steps[0].name)
            if within is None:
                return []
            if within.__class__ is dict and not self.steps[1].field:
                value = within.get(self.steps[1].name)
                return [] if value is None else list(value) if value.__class__ in {list, tuple} else [value]
        found: list[Any] = [scope]
        for step in self.steps:
            name = step.name
            if len(found) == 1:
                value = found[0].get(name)
                found = [] if value is None else [value]
            else:
                found = [value for each in found if (value := each.get(name)) is not None]
            if found and isinstance(found[0], (list, tuple)):  # one field holds lists everywhere, or nowhere
                found = [item for each in found for item in each]
                if step.field:
                    found = [each for each in found if each.get(step.field) == step.value]
        return found


def child(scope: Scope, step: Step) -> Scope:
    """Return the dict under ``step``, made where it is missing; ``name[]`` always makes a new item."""
    if step.append or step.field:
        items: list[Scope] = scope.setdefault(step.name, [])
        if step.field:
            for item in items:
                if item.get(step.field) == step.value:
                    return item
        item = {step.field: step.value} if step.field else {}
        items.append(item)
        return item
    found: Scope = scope.setdefault(step.name, {})
    return found


def fill(scope: Scope, step: Step, value: Any) -> bool:
    """Set or append ``value`` as the last step of a path; False where the field is already filled."""
    if step.append:
        scope.setdefault(step.name, []).append(value)
        return True
    if step.name in scope:
        return False
    scope[step.name] = value
    return True


@dataclass(frozen=True, slots=True)
class Place:
    """An element, or a component of it, both from 1; component 0 is the whole element."""

    element: int
    component: int = 0

    def __str__(self) -> str:
        return f"{self.element:02}.{self.component}" if self.component else f"{self.element:02}"


@dataclass(frozen=True, slots=True)
class Conversion:
    """A converter by name, with its table or function name."""

    name: str = "text"
    table: str = ""

    def __str__(self) -> str:
        return f"{self.name}:{self.table}" if self.table else self.name


@dataclass(frozen=True, slots=True)
class Binding:
    """What one binding text says. ``groups`` holds the places, once, or for each repeat of ``pairs``.

    For XML the places are kept as text in ``names`` and ``groups`` is empty. ``given`` is the place without whose
    value a
    constant or default is not written; ``spread`` counts the components that one text goes on through.
    """

    groups: tuple[tuple[Place, ...], ...] = ()
    names: tuple[str, ...] = ()
    paths: tuple[Path, ...] = ()
    fields: tuple[str, ...] = ()
    conversions: tuple[Conversion, ...] = (Conversion(),)
    const: str | None = None
    default: str = ""
    computed: str = ""
    check_only: bool = False
    given: Place | None = None
    spread: int = 1
    only: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    @property
    def path(self) -> Path:
        return self.paths[0]

    @property
    def conversion(self) -> Conversion:
        return self.conversions[0]


@dataclass(frozen=True, slots=True)
class Test:
    """One condition of a predicate: the place (as text for XML) has, or has not, one of the values; ``*`` stands for
    any value."""

    place: str
    values: tuple[str, ...]
    negated: bool = False

    @property
    def at(self) -> Place:
        return parse_place(self.place)

    def holds(self, value: str) -> bool:
        met = value != "" if self.values == ("*",) else value in self.values
        return met != self.negated


@dataclass(frozen=True, slots=True)
class Head:
    """The left side of a node: ``loop NAME@2[01=A|B] -> target``."""

    name: str
    is_loop: bool = False
    occurrence: int = 1
    tests: tuple[Test, ...] = ()
    target: Path | None = None


_STEP = re.compile(r"([a-z_][a-z0-9_]*)(?:\[(?:([a-z_]+)=([^\]]*))?(\])?)?$")
_HEAD = re.compile(r"(loop\s+)?(@?[^\s\[\]@]+)(?:@(\d+))?(?:\[([^\]]*)\])?(?:\s*->\s*(\S.*))?$")
_COMPUTED = re.compile(r"(count|sum)\((.*)\)\Z")
_BRACKET = re.compile(r"[\[({]")
_PLACE = re.compile(r"(\d{1,2})(?:\.(\d{1,2}))?$")
_SPREAD = re.compile(r"(\d{1,2})\.(\d)-(\d{1,2})\.(\d)(\??)$")
CONVERTERS = frozenset({"text", "decimal", "int", "date", "time", "datetime", "when", "bool", "code", "lookup", "fn"})
_WITH_TABLE = frozenset({"bool", "code", "lookup", "fn"})
SPELLINGS = 2_000
"""Places, paths and conversions that are remembered as they were spelled: a map spells most of them many times."""


@lru_cache(maxsize=SPELLINGS)
def parse_path(text: str) -> Path:
    """Return the path that ``text`` spells. Raises MapError."""
    from_root = text.startswith("/")
    steps = []
    for piece in _split(text.removeprefix("/"), "."):
        match = _STEP.match(piece)
        if not match or ("[" in piece) != bool(match[4]):
            raise MapError(f"not a path: {text!r}")
        steps.append(Step(match[1], append=piece.endswith("[]"), field=match[2] or "", value=match[3] or ""))
    return Path(tuple(steps), from_root)


@lru_cache(maxsize=SPELLINGS)
def parse_place(text: str) -> Place:
    """Return the place that ``01`` or ``01.2`` spells. Raises MapError."""
    match = _PLACE.match(text)
    if not match:
        raise MapError(f"not a place: {text!r}")
    return Place(int(match[1]), int(match[2] or 0))


def parse_head(text: str) -> Head:
    """Return what the left side of a node says. Raises MapError."""
    match = _HEAD.match(text.strip())
    if not match:
        raise MapError(f"not a node: {text!r}")
    tests = tuple(_parse_test(each) for each in _split(match[4], ",")) if match[4] else ()
    return Head(match[2], bool(match[1]), int(match[3] or 1), tests, parse_path(match[5].strip()) if match[5] else None)


def _parse_test(text: str) -> Test:
    place, equals, values = text.strip().partition("=")
    if not equals:
        raise MapError(f"not a predicate: {text!r}")
    negated = place.endswith("!")
    return Test(place.rstrip("!").strip(), tuple(each.strip() for each in values.split("|")), negated)


def parse_node(text: str, *, xml: bool = False) -> tuple[Path | None, tuple[Binding, ...]]:
    """Return the target and the bindings on the right side of a segment node. Raises MapError."""
    text = " ".join(text.split())
    target = None
    if text.endswith("}"):
        before, brace, inside = text.partition("{")
        if not brace:
            raise MapError(f"there is a }} without its {{ in {text!r}")
        target = parse_path(before.strip())
        text = inside[:-1].strip()
    elif "{" in text:
        raise MapError(f"there is a {{ without its }} in {text!r}")
    return target, tuple(parse_binding(each.strip(), xml=xml) for each in _split(text, ",") if each.strip())


def parse_binding(text: str, *, xml: bool = False) -> Binding:
    """Return what one binding says. Raises MapError."""
    words = text.split()
    try:
        words, spread = _parse_spread(words)
        names, groups, words, check_only = _parse_places(words, xml=xml)
        words, given = _parse_given(words)
        if words[0] == "const":
            return Binding(groups, names, const=" ".join(words[1:]), check_only=check_only, given=given)
        computed = _COMPUTED.match(words[0])
        if computed:
            path = parse_path(computed[2])
            return Binding(groups, names, paths=(path,), computed=computed[1], check_only=check_only)
        bound = _parse_bound(names, groups, words, check_only=check_only)
        return replace(bound, given=given, spread=spread) if given or spread > 1 else bound
    except (IndexError, MapError) as wrong:
        raise MapError(f"not a binding: {text!r} ({wrong})") from wrong


def _parse_spread(words: list[str]) -> tuple[list[str], int]:
    """Take ``04.1-04.5`` apart: the first place, and how many components one text goes on through."""
    match = _SPREAD.match(words[0])
    if not match:
        return words, 1
    if match[1] != match[3] or int(match[4]) <= int(match[2]):
        raise MapError(f"{words[0]} is no row of components")
    return [f"{match[1]}.{match[2]}{match[5]}", *words[1:]], int(match[4]) - int(match[2]) + 1


def _parse_given(words: list[str]) -> tuple[list[str], Place | None]:
    if len(words) > 2 and words[-2] == "if":
        return words[:-2], parse_place(words[-1])
    return words, None


def _parse_places(
    words: list[str], *, xml: bool
) -> tuple[tuple[str, ...], tuple[tuple[Place, ...], ...], list[str], bool]:
    check_only = False
    if words[0] == "pairs":
        if words[2] != "..":
            raise MapError("pairs FIRST .. LAST")
        return (), _repeat(words[1], words[3]), words[4:], False
    names = words[0]
    if names.endswith("?"):
        names, check_only = names[:-1], True
    each = tuple(names.split("/"))
    groups = () if xml else (tuple(parse_place(name) for name in each),)
    return each, groups, words[1:], check_only


def _repeat(first: str, last: str) -> tuple[tuple[Place, ...], ...]:
    start = tuple(parse_place(each) for each in first.split("/"))
    end = tuple(parse_place(each) for each in last.split("/"))
    step = 1 if start[0].component else len(start)
    count = (end[0].element - start[0].element) // step + 1
    if len(start) != len(end) or (end[0].element - start[0].element) % step or count < 1:
        raise MapError(f"{first} .. {last} is no row of places")
    return tuple(tuple(Place(each.element + at * step, each.component) for each in start) for at in range(count))


def _parse_bound(
    names: tuple[str, ...], groups: tuple[tuple[Place, ...], ...], words: list[str], *, check_only: bool
) -> Binding:
    paths: list[Path] = []
    fields: tuple[str, ...] = ()
    conversions: tuple[Conversion, ...] = ()
    default = ""
    only: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()
    at = 0
    while at < len(words):
        word = words[at]
        if word == "or":
            pass
        elif word == "=":
            at += 1
            conversions = tuple(_parse_conversion(each) for each in words[at].split("/"))
        elif word == "else":
            at += 1
            default = words[at]
        elif word in {"only", "not"}:
            at += 1
            codes = frozenset(words[at].split("|"))
            only, excluded = (codes, excluded) if word == "only" else (only, codes)
        elif word.startswith("("):
            fields = tuple(word.strip("()").split("/"))
        else:
            paths.append(parse_path(word))
        at += 1
    if not paths and not fields:
        raise MapError("no path")
    width = len(fields) or 1
    conversions += (Conversion(),) * (width - len(conversions)) if conversions[:1] != (Conversion("when"),) else ()
    return Binding(
        groups,
        names,
        tuple(paths),
        fields,
        conversions or (Conversion(),),
        default=default,
        check_only=check_only,
        only=only,
        excluded=excluded,
    )


@lru_cache(maxsize=SPELLINGS)
def _parse_conversion(text: str) -> Conversion:
    name, _, table = text.partition(":")
    if name not in CONVERTERS or (name in _WITH_TABLE) != bool(table):
        if name in CONVERTERS:
            raise MapError(f"write {name}:TABLE" if name in _WITH_TABLE else f"{name} has no table")
        raise MapError(f"no such converter: {text!r}; there are {', '.join(sorted(CONVERTERS))}")
    return Conversion(name, table)


def _split(text: str, by: str) -> list[str]:
    """Split at ``by`` outside brackets."""
    if not _BRACKET.search(text):
        return text.split(by)
    pieces, depth, start = [], 0, 0
    for at, sign in enumerate(text):
        if sign in "[({":
            depth += 1
        elif sign in "])}":
            depth -= 1
        elif sign == by and not depth:
            pieces.append(text[start:at])
            start = at + 1
    pieces.append(text[start:])
    return pieces
