"""A partner's guide: patches, as data, of a resolved map. Patching gives a new map; it is compiled and hashed like
any other.

Each entry of a guide is one patch, a function from map to map, so that a fault can be laid at its entry's door.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from pydantic import ValidationError

from tradehub.edi import schema, selectors
from tradehub.edi.edifact import CHARSETS
from tradehub.edi.paths import Binding, Head, MapError, Place, parse_head, parse_node
from tradehub.edi.placed import At, FileFault, line_of, lines, shape_faults
from tradehub.edi.schema import (
    BodyNode,
    Dictionary,
    Guide,
    MapSpec,
    StructureNode,
    Use,
    align,
    segment_rule,
    structure_node,
)  # fmt: skip

Patch = Callable[[MapSpec], MapSpec]
SpecOf = Callable[[str, str, str], MapSpec]

SIGNS = frozenset({"element", "component", "segment", "repeat", "release", "decimal"})


class GuideFault(NamedTuple):
    """What is wrong with an entry of a guide: the way to it, and why."""

    at: At
    text: str


@dataclass(frozen=True)
class GuideFile:
    """A guide as its file says it. ``spec`` is the map it patches, patched as far as its entries make sense."""

    guide: Guide | None
    spec: MapSpec | None
    faults: tuple[FileFault, ...]


def load(guide: Guide | Mapping[str, Any]) -> Guide:
    """Return the guide that plain data spells. Raises MapError."""
    if isinstance(guide, Guide):
        return guide
    try:
        return Guide.model_validate(guide)
    except ValidationError as wrong:
        at, text = next(shape_faults(wrong, tuple(Guide.model_fields)))
        raise MapError(f"guide: {'.'.join(at)}: {text}") from wrong


def patched(spec: MapSpec, guide: Guide) -> MapSpec:
    """Return the map as the partner uses it. Raises MapError where a patch names what is not there."""
    if guide.of and guide.of != spec.head.key:
        return spec
    for at, patch in _patches(guide):
        try:
            spec = patch(spec)
        except MapError as wrong:
            raise MapError(f"guide: {'.'.join(at)}: {wrong}") from wrong
    return replace(spec, guide=guide)


def lint(spec: MapSpec, guide: Guide) -> tuple[MapSpec, list[GuideFault]]:
    """Return the map, patched by every entry that makes sense, and what is wrong with the others."""
    faults = list(_faults_of_signs(guide))
    known = set(schema.lint(spec))
    missing: set[str] = set()  # tags whose adding failed: that nothing can be said of them is no further fault
    for at, patch in _patches(guide):
        try:
            after = patch(spec)
        except MapError as wrong:
            if not missing & _named_by(guide, at):
                faults.append(GuideFault(at, str(wrong)))
            missing |= _named_by(guide, at) if at[0] in {"segments", "add"} else set()
            continue
        fresh = [each for each in schema.lint(after) if each not in known]
        faults += [GuideFault(at, each.removeprefix(f"{spec.head.key}: ")) for each in fresh]
        spec = spec if fresh else after
    return replace(spec, guide=guide), faults


def faults(guide: Guide, spec: MapSpec) -> Iterator[tuple[str, str]]:
    """Yield each entry of a guide that does not fit a map: its place in the guide (``require[2]``, ``bind.PO1``), and
    why."""
    if guide.of and guide.of != spec.head.key:
        yield "of", f"is for {guide.of}, not for {spec.head.key}"
        return
    for (section, *rest), text in lint(spec, guide)[1]:
        listed = section in {"require", "forbid"}
        yield f"{section}[{int(rest[0]) + 1}]" if listed else ".".join((section, *rest)), text


def _named_by(guide: Guide, at: At) -> set[str]:
    """Return the tags that an entry is about."""
    section, *rest = at
    if section == "add":
        return {guide.add[rest[0]][int(rest[1])].partition(" ")[0]}
    text = getattr(guide, section)[int(rest[0])] if section in {"require", "forbid"} else rest[0]
    return set(re.findall(r"[A-Z][A-Z0-9]*", text))


def read(text: str, name: str, spec_of: SpecOf) -> GuideFile:
    """Return the guide in a file's text, with its faults by line. ``spec_of`` finds the map of ``of`` or raises
    MapError."""
    known = lines(text)

    def fault(at: At, said: str) -> FileFault:
        return FileFault(name, line_of(known, at), ".".join(at), said)

    try:
        plain = schema.parse_yaml(text, name)
    except MapError as wrong:
        found = re.match(r".*?: line (\d+): (.*)", str(wrong), re.DOTALL)
        return GuideFile(
            None, None, (FileFault(name, int(found[1]), "", found[2]) if found else fault((), str(wrong)),)
        )
    try:
        guide = Guide.model_validate(plain)
        standard, release, message = guide.of.split("/")
        spec = spec_of(standard, message, release)
    except ValidationError as wrong:
        shapes = shape_faults(wrong, tuple(Guide.model_fields))
        return GuideFile(None, None, tuple(fault(at, said) for at, said in shapes))
    except MapError as wrong:
        return GuideFile(guide, None, (fault(("of",), str(wrong)),))
    except ValueError:
        return GuideFile(
            guide, None, (fault(("of",), "must name a map, such as x12/004010/850 or edifact/D96A/ORDERS"),)
        )
    spec, faults = lint(spec, guide)
    return GuideFile(guide, spec, tuple(fault(each.at, each.text) for each in faults))


def _faults_of_signs(guide: Guide) -> Iterator[GuideFault]:
    for name, sign in guide.delimiters.items():
        if name not in SIGNS:
            yield GuideFault(("delimiters", name), f"there are {', '.join(sorted(SIGNS))}")
        elif len(sign) != 1 or sign.isalnum():
            yield GuideFault(("delimiters", name), f"must be one sign, no letter and no digit, not {sign!r}")
    if guide.charset:
        try:
            codecs.lookup(CHARSETS.get(guide.charset, guide.charset))
        except LookupError:
            yield GuideFault(("charset",), f"there is no character set {guide.charset!r}")


def _patches(guide: Guide) -> Iterator[tuple[At, Patch]]:
    """Yield each entry with what it does, in the order in which they build on each other."""
    yield from _patches_of_content(guide)
    yield from _patches_of_rules(guide)
    for each, text in guide.bind.items():
        yield ("bind", each), _bound(each, text)
    for each in guide.notes:
        yield ("notes", each), _noted(each)


def _patches_of_content(guide: Guide) -> Iterator[tuple[At, Patch]]:
    for name, rows in guide.tables.items():
        yield ("tables", name), _more_codes(name, rows)
    for name, rows in guide.rename.items():
        for theirs, standard in rows.items():
            yield ("rename", name, theirs), _renamed(name, theirs, standard)
    for tag, text in guide.segments.items():
        yield ("segments", tag), _private(tag, text)
    for loop, adding in guide.add.items():
        for number, row in enumerate(adding):
            yield ("add", loop, str(number)), _added(loop, row)


def _patches_of_rules(guide: Guide) -> Iterator[tuple[At, Patch]]:
    for each, most in guide.widen.items():
        yield ("widen", each), _resized(each, most, wider=True)
    for number, each in enumerate(guide.require):
        yield ("require", str(number)), _required(each)
    for number, each in enumerate(guide.forbid):
        yield ("forbid", str(number)), _forbidden(each)
    for each, most in guide.limit.items():
        yield ("limit", each), _resized(each, most, wider=False)
    for each, codes in guide.close.items():
        yield ("close", each), _closed(each, codes)


# Tables and segments ------------------------------------------------------------------------------


def _more_codes(name: str, rows: Mapping[str, str]) -> Patch:
    def patch(spec: MapSpec) -> MapSpec:
        own = spec.dictionary.tables.get(name, {})
        return _with_tables(spec, name, {**own, **rows})

    return patch


def _renamed(name: str, theirs: str, standard: str) -> Patch:
    """The partner's code stands first, so that it is the one written; the standard's own is no more."""

    def patch(spec: MapSpec) -> MapSpec:
        own = spec.dictionary.tables.get(name)
        if own is None:
            raise MapError(f"there is no table {name}; there are {', '.join(sorted(spec.dictionary.tables))}")
        if standard not in own:
            raise MapError(f"table {name} has no code {standard}")
        rest = {code: word for code, word in own.items() if code not in {standard, theirs}}
        return _with_tables(spec, name, {theirs: own[standard], **rest})

    return patch


def _with_tables(spec: MapSpec, name: str, rows: Mapping[str, str]) -> MapSpec:
    return replace(spec, dictionary=replace(spec.dictionary, tables={**spec.dictionary.tables, name: rows}))


def _private(tag: str, text: str) -> Patch:
    def patch(spec: MapSpec) -> MapSpec:
        known: Dictionary = spec.dictionary
        if not re.fullmatch(r"[A-Z][A-Z0-9]{1,2}", tag):
            raise MapError(f"{tag!r} is no tag of a segment: two or three capitals or digits")
        if tag in known.segments:
            raise MapError(f"{tag} is a segment of the standard; `add` alone puts it where you want it")
        private = segment_rule(tag, text, known)
        return replace(spec, dictionary=replace(known, segments={**known.segments, tag: private}))

    return patch


def _added(loop: str, row: str) -> Patch:
    words, _, after = row.partition(" after ")
    behind = after.strip()

    def patch(spec: MapSpec) -> MapSpec:
        spelled = words.split()
        if len(spelled) != 3 or spelled[1] not in {"M", "O", "C"} or not re.fullmatch(r"\*|[1-9]\d*", spelled[2]):
            raise MapError(f"{row!r} is not TAG USE MAX, as in ZZZ O 1, or ZZZ O 1 after PO4")
        node = structure_node(spelled, spec.dictionary, "guide")
        if not node.rule.uses:
            raise MapError(f"{node.name} is not in the dictionary; say under `segments` what it is made of")
        return replace(
            spec, structure=_inside(spec.structure, [each for each in loop.split(".") if each], node, behind)
        )

    return patch


def _inside(
    level: tuple[StructureNode, ...], loops: list[str], node: StructureNode, behind: str
) -> tuple[StructureNode, ...]:
    if loops:
        if loops[0] not in [name for name, each in selectors.named(level) if each.is_loop]:
            raise MapError(f"there is no loop {loops[0]} here; there are {_loops(level)}")
        return tuple(
            replace(each, children=_inside(each.children, loops[1:], node, behind))
            if each.is_loop and name == loops[0]
            else each
            for name, each in selectors.named(level)
        )
    names = [name for name, _ in selectors.named(level)]
    if any(each.name == node.name and not each.is_loop for each in level):
        raise MapError(f"{node.name} stands here already; `widen` allows more of it")
    if behind and behind not in names:
        raise MapError(f"there is no {behind} here to stand after; there are {_some(names)}")
    at = names.index(behind) + 1 if behind else len(level)
    return (*level[:at], node, *level[at:])


def _loops(level: tuple[StructureNode, ...]) -> str:
    return _some([name for name, each in selectors.named(level) if each.is_loop]) or "none"


def _some(names: list[str]) -> str:
    """Return the names, the first dozen of many."""
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


# Rules of places ----------------------------------------------------------------------------------


def _required(text: str) -> Patch:
    def on_use(use: Use) -> Use:
        return replace(use, mandatory=True)

    def patch(spec: MapSpec) -> MapSpec:
        changed = selectors.change(spec.structure, text, lambda node: replace(node, mandatory=True), on_use)
        return replace(spec, structure=changed)

    return patch


def _forbidden(text: str) -> Patch:
    def on_node(node: StructureNode) -> None:
        if node.mandatory:
            raise MapError(f"{node.name} is mandatory, it cannot be forbidden" + _perhaps_loop(text, node))

    def on_use(use: Use) -> Use:
        if use.mandatory:
            raise MapError(f"{text} is mandatory, it cannot be forbidden")
        return replace(use, forbidden=True)

    def patch(spec: MapSpec) -> MapSpec:
        structure = selectors.change(spec.structure, text, on_node, on_use)
        return replace(spec, structure=structure, body=_without_forbidden(spec.body, spec.structure, structure))

    return patch


def _perhaps_loop(text: str, node: StructureNode) -> str:
    loop = selectors.parse(text).loops[-1:]
    return f"; it begins its loop: forbid {text.rpartition('.')[0]}" if loop == (node.name,) else ""


def _without_forbidden(
    body: tuple[BodyNode, ...], before: tuple[StructureNode, ...], after: tuple[StructureNode, ...]
) -> tuple[BodyNode, ...]:
    """Return the body without nodes and bindings of places that are there no more: what is forbidden is not written."""
    places = _matched(before, after)
    kept = []
    for node, index in align(body, before):
        place = places.get(index)
        if place is None:
            continue
        if node.head.is_loop:
            inner = _without_forbidden(node.children, before[index].children, place.children)
            kept.append(replace(node, children=inner))
        else:
            kept.append(replace(node, bindings=tuple(_permitted(node.bindings, place))))
    return tuple(kept)


def _matched(before: tuple[StructureNode, ...], after: tuple[StructureNode, ...]) -> dict[int, StructureNode]:
    """Return what became of each node of a level, by its number; nodes were only taken out."""
    left = list(after)
    found = {}
    for index, node in enumerate(before):
        if left and left[0].name == node.name and left[0].is_loop == node.is_loop:
            found[index] = left.pop(0)
    return found


def _permitted(bindings: tuple[Binding, ...], place: StructureNode) -> Iterator[Binding]:
    for each in bindings:
        groups = tuple(group for group in each.groups if not any(_is_forbidden(at, place) for at in group))
        if groups or not each.groups:
            yield replace(each, groups=groups)


def _is_forbidden(at: Place, place: StructureNode) -> bool:
    return any(
        use.forbidden or any(part.forbidden for part in use.parts[at.component - 1 : at.component])
        for use in place.rule.uses[at.element - 1 : at.element]
    )


def _resized(text: str, most: str, *, wider: bool) -> Patch:
    def on_node(node: StructureNode) -> StructureNode:
        if most == "*" and wider:
            return replace(node, max=0)
        return replace(node, max=_fit(int(most), node.max or schema.NO_LIMIT, "repeats"))

    def on_use(use: Use) -> Use:
        if use.element is None:
            raise MapError(f"{use.ref} is a composite; name a component, as in {text}.1")
        if most == "*":
            raise MapError("an element has a longest text; write how many characters")
        size = _fit(int(most), use.element.max, "characters")
        if size < use.element.min:
            raise MapError(f"the element has at least {use.element.min} characters")
        return replace(use, element=replace(use.element, max=size))

    def _fit(size: int, now: int, what: str) -> int:
        if wider and size < now:
            raise MapError(f"{size} is less than the {now} {what} there are now; `limit` allows fewer")
        if not wider and size > now:
            raise MapError(f"{size} is more than the {now} {what} there are now; `widen` allows more")
        return size

    def patch(spec: MapSpec) -> MapSpec:
        if not re.fullmatch(r"[1-9]\d{0,8}", most) and not (wider and most == "*"):
            raise MapError(f"must be a whole number from 1, not {most!r}")
        return replace(spec, structure=selectors.change(spec.structure, text, on_node, on_use))

    return patch


def _closed(text: str, codes: str) -> Patch:
    closed = frozenset(codes.split())

    def on_node(node: StructureNode) -> StructureNode:
        raise MapError(f"codes belong to an element; write {text}.01: ...")

    def on_use(use: Use) -> Use:
        if use.element is None:
            raise MapError(f"{use.ref} is a composite; name a component, as in {text}.1")
        if use.element.type not in {"ID", "AN", "an", "a"}:
            raise MapError(f"the element is of type {use.element.type} and has no codes")
        for each in sorted(closed):
            if not use.element.min <= len(each) <= use.element.max:
                fits = (
                    f"{use.element.min} to {use.element.max}" if use.element.min < use.element.max else use.element.max
                )
                raise MapError(f"{each} has {len(each)} characters and the element takes {fits}; `widen` allows more")
        return replace(use, element=replace(use.element, codes=closed, codes_are_closed=True))

    def patch(spec: MapSpec) -> MapSpec:
        if not closed:
            raise MapError("names no code")
        return replace(spec, structure=selectors.change(spec.structure, text, on_node, on_use))

    return patch


def _noted(text: str) -> Patch:
    def patch(spec: MapSpec) -> MapSpec:
        selectors.change(spec.structure, text, lambda node: node, lambda use: use)
        return spec

    return patch


# Bindings -----------------------------------------------------------------------------------------


def _bound(text: str, bindings: str) -> Patch:
    *loops, last = re.split(r"\.(?![^\[]*\])", text)

    def patch(spec: MapSpec) -> MapSpec:
        target, more = parse_node(bindings)
        made = BodyNode(parse_head(last), target, more)
        if not more:
            raise MapError("binds nothing")
        return replace(spec, body=_bind(spec.body, spec.structure, loops, made))

    return patch


def _bind(
    nodes: tuple[BodyNode, ...], level: tuple[StructureNode, ...], loops: list[str], made: BodyNode
) -> tuple[BodyNode, ...]:
    if loops:
        head = parse_head(f"loop {loops[0]}")
        inner = _children(level, head)
        fits = [each for each in nodes if _stands_at(each, head)] or [BodyNode(head)]
        changed = {id(each): replace(each, children=_bind(each.children, inner, loops[1:], made)) for each in fits}
        if any(id(each) in changed for each in nodes):
            return tuple(changed.get(id(each), each) for each in nodes)
        return _insert(nodes, level, next(iter(changed.values())))
    same = [each for each in nodes if _stands_at(each, made.head) and each.target == made.target]
    if made.head.tests:
        same = [each for each in same if each.head.tests == made.head.tests]
    if not same:
        return _insert(nodes, level, made)
    return tuple(
        replace(each, bindings=_replaced(each.bindings, made.bindings)) if each in same else each for each in nodes
    )


def _children(level: tuple[StructureNode, ...], head: Head) -> tuple[StructureNode, ...]:
    places = [each for each in level if each.is_loop and each.name == head.name]
    if len(places) < head.occurrence:
        raise MapError(f"there is no loop {head.name} here; there are {_loops(level)}")
    return places[head.occurrence - 1].children


def _stands_at(node: BodyNode, head: Head) -> bool:
    mine = (node.head.name, node.head.is_loop, node.head.occurrence)
    return mine == (head.name, head.is_loop, head.occurrence)


def _replaced(bindings: tuple[Binding, ...], more: tuple[Binding, ...]) -> tuple[Binding, ...]:
    """Return the bindings with the guide's; what the map bound at the very same places gives way."""
    taken = {each.groups for each in more}
    return (*(each for each in bindings if each.groups not in taken), *more)


def _insert(nodes: tuple[BodyNode, ...], level: tuple[StructureNode, ...], made: BodyNode) -> tuple[BodyNode, ...]:
    """Return the nodes with one more at its place; one with a predicate goes before those without."""
    places = [index for _, index in align(nodes, level)]
    names = [
        index for index, each in enumerate(level) if (each.name, each.is_loop) == (made.head.name, made.head.is_loop)
    ]
    if len(names) < made.head.occurrence:
        raise MapError(
            f"there is no {made.head.name} here; there are {_some([name for name, _ in selectors.named(level)])}"
        )
    index = names[made.head.occurrence - 1]
    before = sum(1 for each in places if each < index or (each == index and not made.head.tests))
    return (*nodes[:before], made, *nodes[before:])
