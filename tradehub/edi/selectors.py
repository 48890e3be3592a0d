"""How a guide names a place of a message: ``REF``, ``N1.N3``, ``PO1.05``, ``SG2.NAD.02.1``, ``/N1.N4.03``.

Loops, then a segment or a loop, then an element and a component. A segment or loop alone is one of the message's first
level; one with loops before it, and every element, is meant wherever it stands so. With ``/`` at its beginning it is
meant from the message's top alone. ``N9@2`` is the second of that name on its level.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from tradehub.edi.paths import MapError
from tradehub.edi.schema import StructureNode, Use

OnNode = Callable[[StructureNode], StructureNode | None]
OnUse = Callable[[Use], Use]

_SELECTOR = re.compile(r"(/?)((?:[A-Z][A-Z0-9]*(?:@\d)?\.)*)([A-Z][A-Z0-9]*(?:@\d)?)(?:\.(\d{1,2})(?:\.(\d{1,2}))?)?")


@dataclass(frozen=True, slots=True)
class Selector:
    """Element and component are 0 where the selector does not go so deep."""

    text: str
    loops: tuple[str, ...]
    name: str
    element: int = 0
    component: int = 0
    from_top: bool = False

    def meets(self, node: StructureNode, name: str, within: tuple[str, ...]) -> bool:
        """Return whether a node is meant that is called ``name`` (``N9@2``) on its level, inside those loops."""
        if self.element and node.is_loop:
            return False
        if not _same(self.name, name):
            return False
        is_exact = self.from_top or not (self.loops or self.element)
        if len(within) < len(self.loops) or (is_exact and len(within) > len(self.loops)):
            return False
        tail = within[len(within) - len(self.loops) :]
        return all(_same(mine, theirs) for mine, theirs in zip(self.loops, tail, strict=True))


def _same(asked: str, name: str) -> bool:
    return name == asked or ("@" not in asked and name.partition("@")[0] == asked)


def parse(text: str) -> Selector:
    """Return what ``text`` names. Raises MapError."""
    match = _SELECTOR.fullmatch(text.strip())
    if not match:
        raise MapError(f"{text!r} names no place: write REF, N1.N3, PO1.05 or NAD.02.1")
    loops = tuple(each for each in match[2].split(".") if each)
    return Selector(text, loops, match[3], int(match[4] or 0), int(match[5] or 0), bool(match[1]))


def named(level: tuple[StructureNode, ...]) -> Iterator[tuple[str, StructureNode]]:
    """Yield the nodes of a level with their names: the second segment, or loop, of one name is ``N9@2``."""
    seen: dict[tuple[str, bool], int] = {}
    for node in level:
        count = seen[node.name, node.is_loop] = seen.get((node.name, node.is_loop), 0) + 1
        yield (node.name if count == 1 else f"{node.name}@{count}"), node


def change(
    structure: tuple[StructureNode, ...], text: str, on_node: OnNode, on_use: OnUse
) -> tuple[StructureNode, ...]:
    """Return the structure with what ``text`` names changed; ``on_node`` may return None to take it out.

    Raises MapError where there is nothing of that name.
    """
    selector = parse(text)
    hits = 0

    def walk(level: tuple[StructureNode, ...], within: tuple[str, ...]) -> tuple[StructureNode, ...]:
        nonlocal hits
        kept = []
        for name, node in named(level):
            after: StructureNode | None = node
            if selector.meets(node, name, within):
                hits += 1
                after = _in_segment(node, selector, on_use) if selector.element else on_node(node)
            if after is not None and after.is_loop:
                after = replace(after, children=walk(after.children, (*within, name)))
            if after is not None:
                kept.append(after)
        return tuple(kept)

    changed = walk(structure, ())
    if not hits:
        raise MapError(_nowhere(structure, selector))
    return changed


def count(structure: tuple[StructureNode, ...], text: str) -> int:
    """Return how many places ``text`` names. Raises MapError where it names none by its form."""
    selector = parse(text)

    def walk(level: tuple[StructureNode, ...], within: tuple[str, ...]) -> int:
        found = 0
        for name, node in named(level):
            found += selector.meets(node, name, within)
            found += walk(node.children, (*within, name))
        return found

    return walk(structure, ())


def _in_segment(node: StructureNode, selector: Selector, on_use: OnUse) -> StructureNode:
    if selector.element > len(node.rule.uses):
        raise MapError(f"{node.name} has no element {selector.element:02}; it has {len(node.rule.uses)}")
    uses = list(node.rule.uses)
    use = uses[selector.element - 1]
    if not selector.component:
        uses[selector.element - 1] = on_use(use)
    else:
        if selector.component > len(use.parts):
            said = f"it has {len(use.parts)}" if use.parts else "it is no composite"
            raise MapError(f"{node.name}{selector.element:02} has no component {selector.component}; {said}")
        parts = list(use.parts)
        parts[selector.component - 1] = on_use(parts[selector.component - 1])
        uses[selector.element - 1] = replace(use, parts=tuple(parts))
    return replace(node, rule=replace(node.rule, uses=tuple(uses)))


def where(structure: tuple[StructureNode, ...], name: str, within: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the selectors of every segment or loop of a name."""
    for called, node in named(structure):
        if node.name == name:
            yield ".".join((*within, called))
        if node.is_loop:
            yield from where(node.children, name, (*within, called))


def _nowhere(structure: tuple[StructureNode, ...], selector: Selector) -> str:
    places = list(where(structure, selector.name.partition("@")[0]))
    if not places:
        return f"there is no {selector.name} in the message"
    shown = ", ".join(places[:4]) + (f" and {len(places) - 4} more" if len(places) > 4 else "")
    return f"there is no such {selector.text}; {selector.name} stands at {shown}"
