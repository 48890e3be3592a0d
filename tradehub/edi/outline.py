"""A message as a reader sees it: the standard's structure and elements, where each goes in our document, and what a
partner's guide changes, each change with what it was before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tradehub.edi import editions, schema, selectors
from tradehub.edi.learning import SegmentSeen, Survey, Values
from tradehub.edi.paths import Binding, MapError, Path, Test
from tradehub.edi.schema import NO_LIMIT, BodyNode, Guide, MapSpec, StructureNode, Use, align


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that the guide changes. ``kind`` names it for the page, ``was`` and ``now`` are figures or codes."""

    kind: str
    was: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a value goes: ``path`` in the document, or what is written by itself (``const``, ``count``, ``sum``)."""

    path: str
    kind: str = "path"
    when: str = ""
    table: str = ""
    default: str = ""
    is_checked_only: bool = False


@dataclass(frozen=True, slots=True)
class Code:
    """A code and our word for it, empty where we have none. ``is_own``: the standard as we have it does not know it.
    ``seen`` counts it in the samples; ``is_strange``: it was seen, and neither guide nor standard says what it means."""

    code: str
    word: str = ""
    is_own: bool = False
    seen: int = 0
    is_strange: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """An element or component. ``usage`` is mandatory, conditional, optional or forbidden.

    ``like`` is the place of an earlier one that is the same in all but its place: one of a row of pairs.
    """

    place: str
    ref: str
    name: str
    type: str
    size: str
    usage: str
    is_composite: bool = False
    is_component: bool = False
    targets: tuple[Target, ...] = ()
    codes: tuple[Code, ...] = ()
    are_closed: bool = False
    changes: tuple[Change, ...] = ()
    note: str = ""
    seen: int = 0
    sample: str = ""
    like: str = ""

    @property
    def is_plain(self) -> bool:
        """Return whether there is nothing to say of it but that the standard has it."""
        is_free = self.usage != "mandatory" and not (self.changes or self.note or self.seen)
        return is_free and not self.is_composite and (not self.targets or bool(self.like))


@dataclass(frozen=True, slots=True)
class Node:
    """A segment or loop. ``max`` 0 is any number; ``seen`` counts it in the samples."""

    name: str
    title: str
    path: str
    is_loop: bool
    usage: str
    max: int
    children: tuple[Node, ...] = ()
    rows: tuple[Row, ...] = ()
    conditions: tuple[schema.Condition, ...] = ()
    changes: tuple[Change, ...] = ()
    note: str = ""
    seen: int = 0
    example: str = ""
    is_bound: bool = False

    @property
    def anchor(self) -> str:
        return ("l-" if self.is_loop else "s-") + re.sub(r"[^A-Za-z0-9]+", "-", self.path)

    @property
    def is_forbidden(self) -> bool:
        return self.usage == "forbidden"

    @property
    def is_changed(self) -> bool:
        """Return whether the guide changes it, an element of it, or anything inside."""
        mine = bool(self.changes or self.note) or any(row.changes or row.note for row in self.rows)
        return mine or any(each.is_changed for each in self.children)

    @property
    def matters(self) -> bool:
        """Return whether the partner has a use for it: bound, seen or changed, or around what is."""
        own = not self.is_loop and self.is_bound
        return own or bool(self.seen) or self.is_changed or any(each.matters for each in self.children)

    def walk(self) -> Iterator[Node]:
        yield self
        for each in self.children:
            yield from each.walk()


@dataclass(frozen=True)
class _Context:
    """One node of the map's body around the level: where its values go, and under which tests."""

    prefix: str
    when: str
    nodes: tuple[BodyNode, ...]


_Bound = tuple[_Context, BodyNode]


@dataclass(frozen=True)
class _Spot:
    """A place of the message: as the standard has it, as the partner has it, what is bound there, and what the map
    binds there without the guide."""

    node: StructureNode
    before: StructureNode | None
    after: StructureNode | None
    name: str
    within: tuple[str, ...]
    bound: tuple[_Bound, ...]
    former: tuple[_Bound, ...]

    @property
    def path(self) -> str:
        return ".".join((*self.within, self.name))


@dataclass
class _Page:
    """What the walk needs at every level."""

    standard: MapSpec
    own: MapSpec
    titles: Mapping[str, str]
    survey: Survey | None = None
    seen: dict[tuple[str, str], SegmentSeen] = field(default_factory=dict)
    repeats: dict[str, int] = field(default_factory=dict)
    notes: list[tuple[selectors.Selector, str]] = field(default_factory=list)

    def note(self, name: str, within: tuple[str, ...], *, is_loop: bool, element: int = 0, component: int = 0) -> str:
        node = StructureNode(name, False, 0, is_loop)
        return " ".join(
            text
            for each, text in self.notes
            if (each.element, each.component) == (element, component) and each.meets(node, name, within)
        )


def outline(
    standard: MapSpec, own: MapSpec, *, survey: Survey | None = None, titles: Mapping[str, str] | None = None
) -> tuple[Node, ...]:
    """Return the message's nodes. ``own`` is the map as the partner uses it, ``standard`` the same without its guide.

    ``survey`` counts the partner's samples under ``own``; ``titles`` are names of segments.
    """
    guide = own.guide or Guide()
    page = _Page(standard, own, titles or {}, survey)
    page.notes = [(selectors.parse(place), text) for place, text in guide.notes.items()]
    if survey is not None:
        for place in survey.rules.machine.places:
            if place.id in survey.segments:
                page.seen.setdefault((place.path.replace("/", "."), place.tag), survey.segments[place.id])
        page.repeats = {each.path.replace("/", "."): survey.repeats[each.id] for each in survey.rules.machine.loops}
    start, former = (_Context("", "", own.body),), (_Context("", "", standard.body),)
    return tuple(_level(page, standard.structure, own.structure, start, former, ()))


def _level(
    page: _Page,
    standard: tuple[StructureNode, ...],
    own: tuple[StructureNode, ...],
    contexts: Sequence[_Context],
    former: Sequence[_Context],
    within: tuple[str, ...],
) -> Iterator[Node]:
    bound, bound_before = _bound_by_node(contexts, own), _bound_by_node(former, standard)
    names = {id(node): name for name, node in (*selectors.named(own), *selectors.named(standard))}
    for node, before, after in _pairs(standard, own):
        mine, theirs = bound.get(id(after), ()), bound_before.get(id(before), ())
        spot = _Spot(node, before, after, names[id(node)], within, mine, theirs)
        yield _loop(page, spot) if node.is_loop else _segment(page, spot)


def _bound_by_node(contexts: Sequence[_Context], level: tuple[StructureNode, ...]) -> dict[int, tuple[_Bound, ...]]:
    """Return what is bound at each node of a level, by the node's identity."""
    found: dict[int, tuple[_Bound, ...]] = {}
    for context in contexts:
        for body, at in align(context.nodes, level):
            found[id(level[at])] = (*found.get(id(level[at]), ()), (context, body))
    return found


def _pairs(
    standard: tuple[StructureNode, ...], own: tuple[StructureNode, ...]
) -> Iterator[tuple[StructureNode, StructureNode | None, StructureNode | None]]:
    """Yield (what is shown, the standard's node, the partner's), in the order of the message; None where one has it
    not."""
    known = {(each.name, each.is_loop) for each in standard}
    at = 0
    for node in own:
        if (node.name, node.is_loop) not in known:
            yield node, None, node
            continue
        while (standard[at].name, standard[at].is_loop) != (node.name, node.is_loop):
            yield standard[at], standard[at], None
            at += 1
        yield node, standard[at], node
        at += 1
    yield from ((each, each, None) for each in standard[at:])


def _loop(page: _Page, spot: _Spot) -> Node:
    old, new = (spot.before.children if spot.before else ()), (spot.after.children if spot.after else ())
    contexts, former = _inner(spot.bound), _inner(spot.former)
    children = tuple(_level(page, old, new, contexts, former, (*spot.within, spot.name))) if spot.after else ()
    return Node(
        spot.name,
        page.titles.get(spot.node.head, ""),
        spot.path,
        True,
        _node_usage(spot.after),
        spot.node.max,
        children,
        changes=tuple(_node_changes(spot.before, spot.after)),
        note=page.note(spot.name, spot.within, is_loop=True),
        seen=page.repeats.get(spot.path, 0),
        is_bound=bool(spot.bound),
    )


def _inner(bound: Sequence[_Bound]) -> list[_Context]:
    return [
        _Context(_joined(context.prefix, body.target), _tests(context.when, body.head.tests), body.children)
        for context, body in bound
    ]


def _segment(page: _Page, spot: _Spot) -> Node:
    seen = page.seen.get((".".join(spot.within), spot.node.name), SegmentSeen())
    separators = ("*", ">") if page.own.head.standard == "x12" else ("+", ":")
    return Node(
        spot.name,
        page.titles.get(spot.node.name, ""),
        spot.path,
        False,
        _node_usage(spot.after),
        spot.node.max,
        rows=tuple(_rows(page, spot, seen)) if spot.after else (),
        conditions=spot.node.rule.conditions,
        changes=tuple(_node_changes(spot.before, spot.after)),
        note=page.note(spot.name, spot.within, is_loop=False),
        seen=seen.count,
        example=seen.example.text(*separators) if seen.example else "",
        is_bound=bool(spot.bound),
    )


def _node_usage(after: StructureNode | None) -> str:
    if after is None:
        return "forbidden"
    return "mandatory" if after.mandatory else "optional"


def _node_changes(before: StructureNode | None, after: StructureNode | None) -> Iterator[Change]:
    if before is None:
        yield Change("added")
        return
    if after is None:
        yield Change("forbidden")
        return
    if after.mandatory and not before.mandatory:
        yield Change("required")
    if after.max != before.max:
        kind = "limited" if not before.max or 0 < after.max < before.max else "widened"
        yield Change(kind, str(before.max or "∞"), str(after.max or "∞"))


# Elements -----------------------------------------------------------------------------------------


def _rows(page: _Page, spot: _Spot, seen: SegmentSeen) -> Iterator[Row]:
    rule = spot.node.rule
    old = spot.before.rule if spot.before is not None else rule
    targets = _targets(spot.bound)
    former = _targets(spot.former) if spot.before is not None else targets
    uses: list[tuple[tuple[int, int], Use, Use, tuple[schema.Condition, ...]]] = []
    for number, (use, was) in enumerate(zip(rule.uses, old.uses, strict=True), 1):
        uses.append(((number, 0), use, was, rule.conditions))
        parts = zip(use.parts, was.parts, strict=True) if not use.forbidden else ()
        uses += [((number, at), part, before, use.conditions) for at, (part, before) in enumerate(parts, 1)]
    firsts: dict[tuple[str, tuple[Target, ...]], str] = {}
    for at, use, was, conditions in uses:
        mine = targets.get(at, ())
        is_conditional = any((at[1] or at[0]) in each.positions for each in conditions)
        values = seen.values.get(at, Values())
        made = _row(page, use, mine, values, conditional=is_conditional)
        place = f"{at[0]:02}.{at[1]}" if at[1] else f"{at[0]:02}"
        first = firsts.setdefault((use.ref, mine), place) if mine else place
        yield replace(
            made,
            place=place,
            like=first if first != place else "",
            is_component=bool(at[1]),
            changes=(*_use_changes(was, use), *_value_changes(made, mine, former.get(at, ()))),
            note=page.note(spot.name, spot.within, is_loop=False, element=at[0], component=at[1]),
            seen=values.count,
            sample=values.longest,
        )


def _value_changes(row: Row, targets: tuple[Target, ...], former: tuple[Target, ...]) -> Iterator[Change]:
    """Yield what changes in where the value goes, and in the codes that are understood."""
    if any(each not in former for each in targets):
        yield Change("bound")
    own = [each.code for each in row.codes if each.is_own]
    if own and not row.are_closed:
        yield Change("codes", now=" ".join(own))


def _row(page: _Page, use: Use, targets: tuple[Target, ...], values: Values, *, conditional: bool) -> Row:
    usage = "mandatory" if use.mandatory else "conditional" if conditional else "optional"
    usage = "forbidden" if use.forbidden else usage
    rule = use.element
    if rule is None:
        return Row("", use.ref, page.titles.get(use.ref, ""), "", "", usage, is_composite=True, targets=targets)
    return Row(
        "",
        rule.id,
        rule.name,
        rule.type,
        _size(rule.min, rule.max),
        usage,
        targets=targets,
        codes=_codes(page, use, targets, values),
        are_closed=rule.codes_are_closed and bool(rule.codes),
    )


def _most(size: int) -> str:
    return str(size) if size < NO_LIMIT else "∞"


def _size(low: int, high: int) -> str:
    if high >= NO_LIMIT:
        return f"{low}+"
    return str(low) if low == high else f"{low}-{high}"


def _codes(page: _Page, use: Use, targets: tuple[Target, ...], values: Values) -> tuple[Code, ...]:
    """Return the codes that may stand here, with our words: the list, where there is one, else those we interpret."""
    if use.element is None or use.forbidden:
        return ()
    words: dict[str, str] = {}
    known: set[str] = set()
    for name in dict.fromkeys(each.table for each in targets if each.table):
        known |= set(page.standard.dictionary.tables.get(name, {}))
        for code, word in page.own.dictionary.tables.get(name, {}).items():
            if code != "else":
                words.setdefault(code, word.partition("|")[0])
    listed = use.element.codes or frozenset(words)
    before = page.standard.dictionary.elements.get(use.element.id)
    known |= before.codes if before is not None else frozenset()
    strange = frozenset(values.codes) - listed - known if known else frozenset[str]()
    made = (
        Code(
            each, words.get(each, ""), bool(known) and each not in known | strange, values.codes[each], each in strange
        )
        for each in listed | strange
    )
    return tuple(sorted(made, key=lambda each: (not each.is_own, -each.seen, not each.word, each.code)))


def _use_changes(before: Use, after: Use) -> Iterator[Change]:
    if after.forbidden:
        yield Change("forbidden")
        return
    if after.mandatory and not before.mandatory:
        yield Change("required")
    old, new = before.element, after.element
    if old is None or new is None:
        return
    if new.max != old.max:
        yield Change("limited" if new.max < old.max else "widened", _most(old.max), _most(new.max))
    if new.codes != old.codes:
        yield Change("closed", now=" ".join(sorted(new.codes)))


# Bindings -----------------------------------------------------------------------------------------


def _targets(bound: Sequence[_Bound]) -> dict[tuple[int, int], tuple[Target, ...]]:
    """Return by element and component where the values go."""
    found: dict[tuple[int, int], list[Target]] = {}
    for context, body in bound:
        base = _joined(context.prefix, body.target)
        when = _tests(context.when, body.head.tests)
        for binding in body.bindings:
            for at, target in _binding_targets(binding, base):
                made = replace(target, when=when)
                places = found.setdefault(at, [])
                if made not in places:
                    places.append(made)
    return {at: tuple(each) for at, each in found.items()}


def _binding_targets(binding: Binding, base: str) -> Iterator[tuple[tuple[int, int], Target]]:
    for group in binding.groups:
        for number, place in enumerate(group):
            target = _target(binding, base, number)
            for step in range(binding.spread):
                yield (place.element, place.component + step), target


def _target(binding: Binding, base: str, number: int) -> Target:
    if binding.const is not None:
        return Target(binding.const, "const")
    if binding.computed:
        return Target(str(binding.path), binding.computed, is_checked_only=binding.check_only)
    path = " / ".join(_joined(base, each) for each in binding.paths) or base
    if len(binding.fields) > number and len(binding.groups[0]) == len(binding.fields):
        path = f"{path}.{binding.fields[number]}" if path else binding.fields[number]
    conversion = binding.conversions[number] if number < len(binding.conversions) else binding.conversions[0]
    table = conversion.table if conversion.name in {"code", "lookup", "bool"} else ""
    return Target(path, table=table, default=binding.default if not number else "", is_checked_only=binding.check_only)


def _joined(prefix: str, path: Path | None) -> str:
    if path is None:
        return prefix
    if path.from_root or not prefix:
        return str(path).removeprefix("/")
    return f"{prefix}.{path}"


def _tests(around: str, tests: tuple[Test, ...]) -> str:
    own = ", ".join(_test(each) for each in tests)
    return "; ".join(each for each in (around, own) if each)


def _test(test: Test) -> str:
    values = "|".join(test.values)
    if test.values == ("*",):
        return f"{test.place} {'–' if test.negated else '✓'}"
    return f"{test.place} {'≠' if test.negated else '='} {values}"


# Names --------------------------------------------------------------------------------------------

_COMMENTED = re.compile(r'\s+"?([A-Z][A-Z0-9]{1,3})"?:[^#]*#\s*(\S.*?)\s*\Z')


def titles(text_of: Callable[[str], str | None], standard: str, release: str) -> dict[str, str]:
    """Return the names of segments and composites: the remarks behind them in the dictionary's file and the file it
    stands on."""
    seen: set[str] = set()
    found: dict[str, str] = {}
    while release and release not in seen:
        seen.add(release)
        text = text_of(f"{standard}/{release}/segments.yaml") or ""
        named = (match for line in text.splitlines() if (match := _COMMENTED.match(line)))
        found = {**{match[1]: match[2] for match in named}, **found}
        try:
            release = editions.release_of(schema.parse_yaml(text, "segments.yaml"))
        except MapError:
            release = ""
    return found
