"""A partner's guide: patches, as data, of a resolved map. Patching gives a new map; it is compiled and hashed like
any other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from tradehub.edi.paths import Head, MapError, parse_node
from tradehub.edi.schema import (
    BodyNode,
    Dictionary,
    Guide,
    MapSpec,
    SegmentRule,
    StructureNode,
    Use,
    lint,
    load_dictionary,
    structure_node,
)  # fmt: skip


def load(guide: Guide | Mapping[str, Any]) -> Guide:
    """Return the guide that plain data spells. Raises MapError."""
    if isinstance(guide, Guide):
        return guide
    try:
        return Guide.model_validate(guide)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise MapError(f"guide: {'.'.join(str(each) for each in first['loc'])}: {first['msg']}") from wrong


def patched(spec: MapSpec, guide: Guide) -> MapSpec:
    """Return the map as the partner uses it. Raises MapError where a patch names what is not there."""
    if guide.of and guide.of != spec.head.key:
        return spec
    dictionary = _tables(spec.dictionary, guide)
    structure = spec.structure
    for loop, rows in guide.add.items():
        structure = _add(structure, loop, rows, dictionary, guide)
    for each in guide.require:
        structure = _change(structure, each, lambda node: replace(node, mandatory=True), _required)
    for each in guide.forbid:
        structure = _change(structure, each, None, _forbidden)
    for each, limit in guide.limit.items():
        structure = _limit(structure, each, _number(each, limit))
    for each, codes in guide.close.items():
        closed = frozenset(codes.split())
        structure = _change(structure, each, lambda node: node, lambda use, codes=closed: _closed(use, codes))
    body = spec.body
    for each, text in guide.bind.items():
        body = _bind(body, structure, each, text)
    return replace(spec, dictionary=dictionary, structure=structure, body=body, guide=guide)


_PATCHES = ("tables", "rename", "segments", "add", "require", "forbid", "limit", "close", "bind")
"""What patches the map, each after what it builds on."""


def faults(guide: Guide, spec: MapSpec) -> Iterator[tuple[str, str]]:
    """Yield each entry of a guide that does not fit a map: its place in the guide (``require[2]``, ``bind.PO1``), and why.

    An entry at fault is left out of what is tried after it.
    """
    if guide.of and guide.of != spec.head.key:
        yield "of", f"is for {guide.of}, not for {spec.head.key}"
        return
    sound: dict[str, Any] = {}
    known = set(lint(spec))
    for name in _PATCHES:
        for place, entry in _entries(name, getattr(guide, name)):
            tried = sound | {name: _joined(sound.get(name), entry)}
            try:
                new = [text for text in lint(patched(spec, Guide.model_validate(tried))) if text not in known]
            except MapError as wrong:
                new = [str(wrong).removeprefix("guide: ")]
            if new:
                yield place, new[0]
            else:
                sound = tried


def _entries(name: str, patches: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(patches, Mapping):
        yield from ((f"{name}.{key}", {key: value}) for key, value in patches.items())
    else:
        yield from ((f"{name}[{number}]", [each]) for number, each in enumerate(patches, 1))


def _joined(before: Any, entry: Any) -> Any:
    if before is None:
        return entry
    return {**before, **entry} if isinstance(entry, dict) else [*before, *entry]


def _number(place: str, text: str) -> int:
    if not text.isdecimal():
        raise MapError(f"guide: limit: {place}: {text} is not a number")
    return int(text)


def _tables(dictionary: Dictionary, guide: Guide) -> Dictionary:
    tables = {name: dict(rows) for name, rows in dictionary.tables.items()}
    for name, rows in guide.tables.items():
        tables[name] = {**tables.get(name, {}), **rows}
    for name, rows in guide.rename.items():
        own = tables.setdefault(name, {})
        renamed = {}
        for theirs, standard in rows.items():
            if standard not in own:
                raise MapError(f"guide: rename: {name} has no code {standard}")
            renamed[theirs] = own[standard]
        rest = {code: word for code, word in own.items() if code not in rows.values() and code not in rows}
        tables[name] = {**renamed, **rest}
    return replace(dictionary, tables=tables)


def _required(use: Use) -> Use:
    return replace(use, mandatory=True)


def _forbidden(use: Use) -> Use:
    return replace(use, mandatory=False, forbidden=True)


def _closed(use: Use, codes: frozenset[str]) -> Use:
    if use.element is None:
        raise MapError(f"guide: close: {use.ref} is a composite")
    return replace(use, element=replace(use.element, codes=codes, codes_are_closed=True))


def _split(text: str) -> tuple[list[str], str, int]:
    """Return (loops, segment, element) of ``PO1.05``, ``REF`` or ``N1.N3``."""
    *rest, last = text.split(".")
    element = 0
    if last.isdigit():
        element = int(last)
        *rest, last = rest
    return rest, last, element


def _change(structure: tuple[StructureNode, ...], text: str, on_node: Any, on_use: Any) -> tuple[StructureNode, ...]:
    loops, tag, element = _split(text)
    hits = 0

    def walk(nodes: tuple[StructureNode, ...], within: list[str]) -> tuple[StructureNode, ...]:
        nonlocal hits
        result = []
        for node in nodes:
            if node.is_loop:
                result.append(replace(node, children=walk(node.children, [*within, node.name])))
            elif node.name == tag and within[len(within) - len(loops) :] == loops and (loops or element or not within):
                hits += 1
                changed = _node(node, element, on_node, on_use)
                if changed is not None:
                    result.append(changed)
            else:
                result.append(node)
        return tuple(result)

    changed = walk(structure, [])
    if not hits:
        raise MapError(f"guide: {text} is not in the message")
    return changed


def _node(node: StructureNode, element: int, on_node: Any, on_use: Any) -> StructureNode | None:
    if not element:
        return on_node(node) if on_node is not None else None
    if node.rule is None or element > len(node.rule.uses):
        raise MapError(f"guide: {node.name} has no element {element}")
    uses = list(node.rule.uses)
    uses[element - 1] = on_use(uses[element - 1])
    return replace(node, rule=replace(node.rule, uses=tuple(uses)))


def _limit(structure: tuple[StructureNode, ...], text: str, limit: int) -> tuple[StructureNode, ...]:
    def shorter(use: Use) -> Use:
        if use.element is None:
            raise MapError(f"guide: limit: {use.ref} is a composite")
        return replace(use, element=replace(use.element, max=limit))

    return _change(structure, text, lambda node: replace(node, max=limit), shorter)


def _add(
    structure: tuple[StructureNode, ...], loop: str, rows: list[str], dictionary: Dictionary, guide: Guide
) -> tuple[StructureNode, ...]:
    own = load_dictionary(dictionary.standard, None, None, None)
    private = {tag: _private(tag, text, dictionary) for tag, text in guide.segments.items()}
    known = replace(own, segments={**dictionary.segments, **private})
    nodes = tuple(structure_node(row.split(), known, "guide") for row in rows)
    if not loop:
        return structure + nodes
    hits = 0

    def walk(level: tuple[StructureNode, ...], names: list[str]) -> tuple[StructureNode, ...]:
        nonlocal hits
        result = []
        for node in level:
            if node.is_loop and node.name == names[0]:
                hits += len(names) == 1
                below = node.children + nodes if len(names) == 1 else walk(node.children, names[1:])
                result.append(replace(node, children=below))
            else:
                result.append(node)
        return tuple(result)

    changed = walk(structure, loop.split("."))
    if not hits:
        raise MapError(f"guide: add: there is no loop {loop} in the message")
    return changed


def _private(tag: str, text: str, dictionary: Dictionary) -> SegmentRule:
    uses = []
    for each in text.split(","):
        ref, _, usage = each.strip().partition(" ")
        if ref in dictionary.elements:
            uses.append(Use(ref, usage == "M", dictionary.elements[ref]))
        elif ref in dictionary.composites:
            uses.append(replace(dictionary.composites[ref], mandatory=usage == "M"))
        else:
            raise MapError(f"guide: segment {tag}: {ref} is neither element nor composite")
    return SegmentRule(tag, tuple(uses))


def _bind(
    body: tuple[BodyNode, ...], structure: tuple[StructureNode, ...], text: str, bindings: str
) -> tuple[BodyNode, ...]:
    *loops, tag = text.split(".")
    target, more = parse_node(bindings)

    def walk(nodes: tuple[BodyNode, ...], level: tuple[StructureNode, ...], names: list[str]) -> tuple[BodyNode, ...]:
        if names:
            inner = next((each.children for each in level if each.is_loop and each.name == names[0]), None)
            if inner is None:
                raise MapError(f"guide: bind: {text} is not in the message")
            return tuple(
                replace(node, children=walk(node.children, inner, names[1:]))
                if node.head.is_loop and node.head.name == names[0]
                else node
                for node in nodes
            )
        if target is None and any(node.head.name == tag and not node.head.is_loop for node in nodes):
            return tuple(
                replace(node, bindings=node.bindings + more)
                if node.head.name == tag and not node.head.is_loop
                else node
                for node in nodes
            )
        order = [each.name for each in level]
        made = BodyNode(Head(tag), target, more)
        if tag not in order:
            raise MapError(f"guide: bind: {text} is not in the message")
        before = [node for node in nodes if order.index(node.head.name) <= order.index(tag)]
        return (*before, made, *nodes[len(before) :])

    return walk(body, structure, loops)
