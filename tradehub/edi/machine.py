"""A message's places as a state machine, computed once for each map.

One dictionary look-up a segment: state -> tag -> next state, place, what was skipped on the way. The nearest place
wins: the same
segment again, then what follows on the same level, then the loop once more, then what follows the loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from tradehub.edi.paths import Test
from tradehub.edi.schema import BodyNode, MapSpec, SegmentRule, StructureNode, align
from tradehub.edi.segments import Fault


@dataclass(eq=False)
class Loop:
    """A loop or group of the structure; the message itself is the loop at depth 0."""

    id: int
    name: str
    depth: int
    max: int
    mandatory: bool
    parent: Loop | None = None
    index: int = 0
    children: list[Place | Loop] = field(default_factory=list)
    variants: list[Variant] = field(default_factory=list)
    bounded: bool = False

    @cached_property
    def row(self) -> list[tuple[Place, bool, Skipped | None]]:
        """What stands in the loop: the first segment of each, whether LS begins it, and what is missing where it is not
        there."""
        heads = [(each, each.head if isinstance(each, Loop) else each) for each in self.children]
        return [
            (
                head,
                isinstance(each, Loop) and each.bounded,
                Skipped(head.tag, self.path) if each.mandatory else None,
            )
            for each, head in heads
        ]

    @property
    def head(self) -> Place:
        first = self.children[0]
        return first.head if isinstance(first, Loop) else first

    @property
    def around(self) -> Iterator[Loop]:
        """Yield the loop and those around it; the message itself is none."""
        level: Loop | None = self
        while level is not None and level.parent is not None:
            yield level
            level = level.parent

    @property
    def tags(self) -> frozenset[str]:
        return frozenset[str]().union(*(each.tags if isinstance(each, Loop) else (each.tag,) for each in self.children))

    @property
    def path(self) -> str:
        if self.parent is None:
            return ""
        above = self.parent.path
        return f"{above}/{self.name}" if above else self.name


class Variant(NamedTuple):
    """One body node at a place: under which variants of the loops around it, with which tests of its own."""

    loops: tuple[tuple[int, int], ...]  # (depth, number of the loop's variant)
    node: BodyNode
    tests: tuple[Test, ...]


@dataclass(eq=False, slots=True)
class Place:
    """A segment of the structure. ``scope_shared`` tells that it can come again within one scope."""

    id: int
    tag: str
    loop: Loop
    index: int
    max: int
    mandatory: bool
    rule: SegmentRule
    variants: list[Variant] = field(default_factory=list)
    habit: bool = False

    @property
    def is_head(self) -> bool:
        return self.loop.parent is not None and self.index == 0

    @property
    def path(self) -> str:
        return self.loop.path


class Skipped(NamedTuple):
    """A mandatory segment or loop that is missing at a transition."""

    tag: str
    path: str


class Step(NamedTuple):
    """A transition: where the segment stands, what was skipped, and the fault of coming here, if any."""

    place: Place
    missing: tuple[Skipped, ...]
    fault: Fault | None


BYTES = 256
"""The places of a message are bytes where there are no more: what is counted among them is counted at once."""


@dataclass(eq=False)
class Machine:
    root: Loop
    places: list[Place]
    loops: list[Loop]

    def __post_init__(self) -> None:
        self.depths = [place.loop.depth for place in self.places]
        self.heads = [place.is_head for place in self.places]
        self.names = [place.loop.name for place in self.places]
        deepest = max((*self.depths, 0)) + 1
        self.parts = [[self._is_part(place, depth) for place in self.places] for depth in range(deepest)]
        self.others = [bytes(at for at, each in enumerate(parts[:BYTES]) if not each) for parts in self.parts]
        self._later: dict[int, frozenset[str]] = {}
        self._known: dict[tuple[int, tuple[Skipped, ...]], Step] = {}
        self._endings: dict[int, tuple[Skipped, ...]] = {}

    @staticmethod
    def _is_part(place: Place, depth: int) -> bool:
        """Return whether a segment is a part of an instance of a loop at ``depth``: its own, or the head of one below."""
        at = place.loop.depth
        return at == depth + 1 if place.is_head and at != depth else at == depth

    @property
    def tags(self) -> frozenset[str]:
        return frozenset(place.tag for place in self.places)

    @cached_property
    def needed(self) -> dict[str, frozenset[str]]:
        """Return for each tag the tags of the loops without whose first segment it never stands."""
        found: dict[str, frozenset[str]] = {}
        for place in self.places:
            around = place.loop.around
            heads = frozenset(each.head.tag for each in around if each.head is not place)
            found[place.tag] = found.get(place.tag, heads) & heads
        return found

    def steps(self, after: Place | None) -> dict[str, Step]:
        """Return where each tag leads from a place, or from before the first segment."""
        return _steps(self.root if after is None else after.loop, after, self._known)

    def ending(self, after: int) -> tuple[Skipped, ...]:
        """Return what is missing where a message ends after a place, by its id; -1 stands for no segment at all."""
        if after not in self._endings:
            place = self.places[after] if after >= 0 else None
            self._endings[after] = _ending(self.root if place is None else place.loop, place)
        return self._endings[after]

    def later(self, place: Place) -> frozenset[str]:
        """Return the tags that can still come after a segment at ``place``, however much stands between."""
        if place.id not in self._later:
            found: set[str] = {place.tag} if place.max > 1 else set()
            index = place.index
            level: Loop | None = place.loop
            while level is not None:
                found.update(
                    *(each.tags if isinstance(each, Loop) else (each.tag,) for each in level.children[index + 1 :])
                )
                if level.max > 1:
                    found |= level.tags
                index, level = level.index, level.parent
            self._later[place.id] = frozenset(found)
        return self._later[place.id]


def build(spec: MapSpec) -> Machine:
    """Return the state machine of a map. Raises MapError where body and structure do not fit."""
    places: list[Place] = []
    loops: list[Loop] = []
    root = Loop(0, "", 0, 1, mandatory=True)
    loops.append(root)
    _grow(root, spec.structure, places, loops)
    _attach(root, spec.body, spec.structure, ())
    return Machine(root, places, loops)


def _grow(loop: Loop, level: tuple[StructureNode, ...], places: list[Place], loops: list[Loop]) -> None:
    names: dict[str, int] = {}
    for index, node in enumerate(level):
        if node.is_loop:
            names[node.name] = names.get(node.name, 0) + 1
            name = node.name if names[node.name] == 1 else f"{node.name}@{names[node.name]}"
            below = Loop(len(loops), name, loop.depth + 1, node.max, node.mandatory, loop, index)
            below.bounded = node.bounded
            loops.append(below)
            loop.children.append(below)
            _grow(below, node.children, places, loops)
            below.head.habit = below.head.habit or node.habit
        else:
            place = Place(len(places), node.name, loop, index, node.max, node.mandatory, node.rule, habit=node.habit)
            places.append(place)
            loop.children.append(place)


def _attach(
    loop: Loop, body: tuple[BodyNode, ...], level: tuple[StructureNode, ...], within: tuple[tuple[int, int], ...]
) -> None:
    placed = align(body, level)
    shares = {index: sum(1 for _, other in placed if other == index) for _, index in placed}
    for node, index in placed:
        at = loop.children[index]
        if isinstance(at, Loop):
            number = len(at.variants)
            at.variants.append(Variant(within, node, node.head.tests))
            is_plain = shares[index] == 1 and not node.head.tests
            inner = within if is_plain else (*within, (at.depth, number))
            _attach(at, node.children, level[index].children, inner)
        else:
            at.variants.append(Variant(within, node, node.head.tests))


def _forward(loop: Loop, place: Place | None) -> Iterator[tuple[Place, tuple[Skipped, ...], bool]]:
    """Yield each place that may follow, nearest first, with what is skipped to get there; and whether it is one
    repeat too many."""
    again: list[tuple[Place, tuple[Skipped, ...], bool]] = []
    unbounded: list[tuple[Place, tuple[Skipped, ...], bool]] = []
    missing: tuple[Skipped, ...] = ()
    index = -1
    if place is not None:
        index = place.index
        if not place.is_head:
            if place.max == 1:
                again.append((place, (), True))
            else:
                yield place, (), False
    after_ls = place is not None and place.tag == "LS"
    level: Loop | None = loop
    while level is not None:
        for head, is_bounded, skipped in level.row[index + 1 :]:
            if is_bounded and not after_ls:  # without its LS any other place of its first segment is likelier
                unbounded.append((head, missing, False))
            else:
                yield head, missing, False
            if skipped is not None:
                missing = (*missing, skipped)
        if level.parent is not None:
            if level.max == 1:
                again.append((level.head, missing, True))
            else:
                yield level.head, missing, False
        index = level.index
        level = level.parent
    yield from unbounded
    yield from again


def _steps(loop: Loop, place: Place | None, known: dict[tuple[int, tuple[Skipped, ...]], Step]) -> dict[str, Step]:
    """Return where each tag leads. ``known`` are the steps without fault of the whole machine: most places have the same."""
    table: dict[str, Step] = {}
    for target, missing, again in _forward(loop, place):
        tag = target.tag
        if tag in table:
            continue
        if again:
            fault = Fault.TOO_MANY_LOOPS if target.is_head else Fault.TOO_MANY_SEGMENTS
            table[tag] = Step(target, missing, fault)
            continue
        step = known.get((target.id, missing))
        if step is None:
            step = known[target.id, missing] = Step(target, missing, None)
        table[tag] = step
    return table


def _ending(loop: Loop, place: Place | None) -> tuple[Skipped, ...]:
    missing: list[Skipped] = []
    index = place.index if place is not None else -1
    level: Loop | None = loop
    while level is not None:
        missing += [skipped for _, _, skipped in level.row[index + 1 :] if skipped is not None]
        index = level.index
        level = level.parent
    return tuple(missing)
