"""What a document does not carry: the difference between a message as received and as written back, kept as extensions.

Both are cut into the same tree of loop instances; for each instance the difference is a few whole segments, lexical
forms, and an order.
So ``write(read(x))`` gives x for every message, whatever its map binds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Any, NamedTuple, cast

from tradehub.edi.machine import BYTES, Loop, Machine
from tradehub.edi.segments import COMPONENT

Extension = dict[str, Any]
Split = Callable[[str], list[str]]
"""Cuts a segment into its tag and elements, with :data:`COMPONENT` between components."""


@dataclass(slots=True)
class Leaf:
    """A written segment: raw text and the id of its place, -1 for none."""

    place: int
    raw: str


@dataclass(slots=True)
class Instance:
    """One repeat of a loop, or the message itself."""

    loop: Loop
    parts: list[Leaf | Instance] = field(default_factory=list)

    @property
    def head(self) -> str:
        first = self.parts[0]
        return first.raw if isinstance(first, Leaf) else first.head

    def segments(self) -> Iterable[str]:
        for part in self.parts:
            if isinstance(part, Leaf):
                yield part.raw
            else:
                yield from part.segments()


def tree(machine: Machine, segments: Sequence[str], places: Sequence[int]) -> Instance:
    """Return the loop instances that the segments make."""
    root = Instance(machine.root)
    stack = [root]
    by_id = machine.places
    for raw, at in zip(segments, places, strict=True):
        if at >= 0:
            place = by_id[at]
            loop = place.loop
            del stack[loop.depth + (0 if place.is_head else 1) :]
            if place.is_head:
                made = Instance(loop)
                stack[-1].parts.append(made)
                stack.append(made)
        stack[-1].parts.append(Leaf(at, raw))
    return root


def marked(
    machine: Machine,
    segments: Sequence[str],
    places: Sequence[int],
    marks: Mapping[int, Any],
    element: str,
    component: str,
    standard: str,
) -> list[Extension]:
    """Return the extensions of a message whose only difference is what its map does not bind."""
    found: list[Extension] = []

    def note(tag: str, path: str, ordinal: int, values: tuple[str, ...]) -> None:
        found.append({"standard": standard, "tag": tag, "path": path, "ordinal": ordinal, "values": values})

    heads = machine.heads
    if not any(heads[places[number]] and not mark[0].element for number, mark in marks.items()):
        for number, (path, ordinal) in _standing(machine, places, marks).items():
            tag, *elements = segments[number].replace(component, COMPONENT).split(element)
            mark = marks[number]
            if mark[0].element:
                note("=" + tag, path, ordinal, _unbound(elements, mark))
            else:
                note(tag, path, ordinal, tuple(elements))
        return found

    def split(number: int) -> list[str]:
        return segments[number].replace(component, COMPONENT).split(element)

    _walk_marked(tree(machine, [str(number) for number in range(len(segments))], places), "", marks, split, note)
    return found


def _walk_marked(
    instance: Instance,
    path: str,
    marks: Mapping[int, Any],
    split: Callable[[int], list[str]],
    note: Callable[[str, str, int, tuple[str, ...]], None],
) -> None:
    """Note the marks of a message in which whole loops are not bound; the leaves of ``instance`` are segment numbers."""
    ordinal = 0
    seen: dict[str, int] = {}
    for part in instance.parts:
        if isinstance(part, Leaf):
            mark = marks.get(int(part.raw))
            if mark is not None:
                tag, *elements = split(int(part.raw))
                if mark[0].element:
                    note("=" + tag, path, ordinal, _unbound(elements, mark))
                else:
                    note(tag, path, ordinal, tuple(elements))
        elif (head := marks.get(int(part.head))) is not None and not head[0].element:
            for raw in part.segments():
                tag, *elements = split(int(raw))
                note(tag, path, ordinal, tuple(elements))
                ordinal += 1
            continue
        else:
            name = part.loop.name
            seen[name] = seen.get(name, 0) + 1
            _walk_marked(part, f"{path}/{name}[{seen[name]}]".lstrip("/"), marks, split, note)
        ordinal += 1


FEW = 8  # marked segments that are looked up one by one: each costs a count over the message, though a fast one


def _standing(machine: Machine, places: Sequence[int], wanted: Mapping[int, Any]) -> dict[int, tuple[str, int]]:
    """Return path and ordinal of the wanted segments."""
    if len(wanted) <= FEW and len(machine.places) <= BYTES:
        row = bytes(places)
        return {number: _stands(machine, row, number) for number in wanted}
    return _walked(machine, places, wanted)


def _stands(machine: Machine, places: bytes, number: int) -> tuple[str, int]:
    """Return path and ordinal of one segment, by counting."""
    depths, heads, names = machine.depths, machine.heads, machine.names
    depth = depths[places[number]]
    if not depth:
        return "", len(places[:number].translate(None, machine.others[0]))
    begins = [0] * (depth + 1)  # where the loop instance of each depth begins
    missing, at = depth, number
    while missing:
        place = places[at]
        if heads[place] and depths[place] == missing:
            begins[missing] = at
            missing -= 1
        at -= 1
    path = [
        f"{names[places[at]]}[{places[begins[each - 1] : at + 1].count(places[at])}]"
        for each, at in enumerate(begins)
        if each
    ]
    return "/".join(path), len(places[begins[depth] : number].translate(None, machine.others[depth]))


def _walked(machine: Machine, places: Sequence[int], wanted: Mapping[int, Any]) -> dict[int, tuple[str, int]]:
    """Return path and ordinal of the wanted segments, by one walk over the places."""
    depths, heads, names = machine.depths, machine.heads, machine.names
    ordinals = [0] * (max(depths) + 1)
    seen: list[dict[str, int]] = [{} for _ in ordinals]
    found: dict[int, tuple[str, int]] = {}
    chain: list[str] = [""] * len(ordinals)
    for number, at in enumerate(places):
        depth = depths[at]
        if heads[at]:
            ordinals[depth - 1] += 1
            counts = seen[depth - 1]
            name = names[at]
            chain[depth] = name
            counts[name] = counts.get(name, 0) + 1
            ordinals[depth] = 0
            if seen[depth]:
                seen[depth] = {}
        if number in wanted:
            path = "/".join(f"{chain[each]}[{seen[each - 1][chain[each]]}]" for each in range(1, depth + 1))
            found[number] = (path, ordinals[depth])
        ordinals[depth] += 1
    return found


def _unbound(elements: list[str], mark: Any) -> tuple[str, ...]:
    values: list[str] = []
    for element, components in mark:
        text = elements[element - 1]
        kept = ""
        if components:
            parts = text.split(COMPONENT)
            kept = COMPONENT.join("" if at in components else part for at, part in enumerate(parts, 1)).rstrip(
                COMPONENT
            )
        values += [str(element), kept, text]
    return tuple(values)


def difference(
    machine: Machine, received: Instance, written: Instance, *, element: str, component: str, standard: str
) -> list[Extension]:
    """Return the extensions that turn ``written`` into ``received``."""
    found: list[Extension] = []
    _Difference(element, component, standard, found).compare(received, written, "")
    return found


RAW = "!"
"""Stands before the tag of a whole segment that begins with one of these signs, as only broken segments do."""
NOTES = ("-", "=", "@")
SIGNS = (*NOTES, RAW)


class _Difference:
    def __init__(self, element: str, component: str, standard: str, found: list[Extension]) -> None:
        self._element = element
        self._component = component
        self._standard = standard
        self._found = found

    def compare(self, received: Instance, written: Instance, path: str) -> None:
        if len(received.parts) == len(written.parts) and all(
            isinstance(ours, Leaf) and isinstance(theirs, Leaf) and ours.raw == theirs.raw
            for ours, theirs in zip(received.parts, written.parts, strict=True)
        ):
            return
        pairs = _pairs(received.parts, written.parts, self._split)
        partners = set(pairs.values())
        for at, part in enumerate(written.parts):
            if at not in partners:
                self._drop(part, path, at)
        order = [pairs[at] for at in range(len(received.parts)) if at in pairs]
        if order != sorted(order):
            self._note("@order", path, 0, tuple(str(each) for each in order))
        paths = _paths(written, path)
        ordinal = 0
        for at, part in enumerate(received.parts):
            if at not in pairs:
                for raw in (part.raw,) if isinstance(part, Leaf) else part.segments():
                    tag, *elements = self._split(raw)
                    self._note(RAW + tag if tag[:1] in SIGNS else tag, path, ordinal, tuple(elements))
                    ordinal += 1
                continue
            other = written.parts[pairs[at]]
            if isinstance(part, Instance):  # a loop is paired with a loop, a segment with a segment
                self.compare(part, cast("Instance", other), paths[pairs[at]])
            elif part.raw != (raw := cast("Leaf", other).raw):
                self._forms(part.raw, raw, path, ordinal)
            ordinal += 1

    def _drop(self, part: Leaf | Instance, path: str, at: int) -> None:
        texts = (part.raw,) if isinstance(part, Leaf) else tuple(part.segments())
        for number, raw in enumerate(texts):
            tag, *elements = self._split(raw)
            self._note("-" + tag, path, at, (str(number), *elements))

    def _forms(self, received: str, written: str, path: str, ordinal: int) -> None:
        tag, *theirs = self._split(received)
        _, *ours = self._split(written)
        values: list[str] = []
        for at in range(max(len(theirs), len(ours))):
            canonical = ours[at] if at < len(ours) else ""
            form = theirs[at] if at < len(theirs) else ""
            if canonical != form:
                values += [str(at + 1), canonical, form]
        if theirs and not theirs[-1]:
            values += ["#", "", str(len(theirs))]
        self._note("=" + tag, path, ordinal, tuple(values))

    def _split(self, raw: str) -> list[str]:
        return raw.replace(self._component, COMPONENT).split(self._element)

    def _note(self, tag: str, path: str, ordinal: int, values: tuple[str, ...]) -> None:
        self._found.append({"standard": self._standard, "tag": tag, "path": path, "ordinal": ordinal, "values": values})


def _key(part: Leaf | Instance) -> tuple[int, int]:
    return (0, part.place) if isinstance(part, Leaf) else (1, part.loop.id)


def _raw(part: Leaf | Instance) -> str:
    return part.raw if isinstance(part, Leaf) else "\n".join(part.segments())


def _start(part: Leaf | Instance) -> str:
    raw = part.raw if isinstance(part, Leaf) else part.head
    return raw[:7]


def _pairs(received: list[Leaf | Instance], written: list[Leaf | Instance], split: Split) -> dict[int, int]:
    """Return for each received part the written part that stands for it: equal ones first, then those that say all that
    was written, then those that begin alike, then the rest."""
    pairs: dict[int, int] = {}
    groups: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
    for at, part in enumerate(received):
        groups.setdefault(_key(part), ([], []))[0].append(at)
    for at, part in enumerate(written):
        groups.setdefault(_key(part), ([], []))[1].append(at)
    for (_, place), sides in groups.items():
        ours, theirs = sides
        if place < 0 or not ours or not theirs:
            continue
        if len(ours) == len(theirs) == 1:
            pairs[ours[0]] = theirs[0]
            continue
        for likeness in (_raw, None, _start, _key):
            if not ours or not theirs:
                break
            if likeness is None:
                found = _saying_all(received, written, ours, theirs, split)
            else:
                found = _alike(received, written, ours, theirs, likeness)
            pairs.update(found)
            taken = set(found.values())
            ours, theirs = [at for at in ours if at not in found], [at for at in theirs if at not in taken]
    return pairs


def _alike(
    received: list[Leaf | Instance],
    written: list[Leaf | Instance],
    ours: list[int],
    theirs: list[int],
    likeness: Callable[[Leaf | Instance], Any],
) -> dict[int, int]:
    """Pair the parts that ``likeness`` calls the same, in their order."""
    waiting: dict[Any, list[int]] = {}
    for at in reversed(theirs):
        waiting.setdefault(likeness(written[at]), []).append(at)
    return {at: alike.pop() for at in ours if (alike := waiting.get(likeness(received[at])))}


MANY = 1000  # pairs of segments that are looked at one by one; beyond, the beginning of a segment decides


def _saying_all(
    received: list[Leaf | Instance], written: list[Leaf | Instance], ours: list[int], theirs: list[int], split: Split
) -> dict[int, int]:
    """Pair each written segment with the first received one that has all of its values in their places."""
    if len(ours) * len(theirs) > MANY:
        return {}
    pairs: dict[int, int] = {}
    for at in theirs:
        wanted = written[at]
        if not isinstance(wanted, Leaf):
            return {}
        values = _values(wanted.raw, split)
        for other in ours:
            candidate = received[other]
            if other not in pairs and isinstance(candidate, Leaf) and values <= _values(candidate.raw, split):
                pairs[other] = at
                break
    return pairs


def _values(raw: str, split: Split) -> set[tuple[int, int, str]]:
    """Return the values of a segment with their places."""
    return {
        (at, below, value)
        for at, element in enumerate(split(raw))
        for below, value in enumerate(element.split(COMPONENT))
        if value
    }


def _paths(instance: Instance, path: str) -> dict[int, str]:
    """Return the path of each loop instance among the parts."""
    seen: dict[str, int] = {}
    paths = {}
    for at, part in enumerate(instance.parts):
        if isinstance(part, Instance):
            name = part.loop.name
            seen[name] = seen.get(name, 0) + 1
            paths[at] = f"{path}/{name}[{seen[name]}]" if path else f"{name}[{seen[name]}]"
    return paths


def applied(
    machine: Machine,
    segments: Sequence[str],
    places: Sequence[int],
    extensions: Iterable[Extension],
    *,
    element: str,
    component: str,
) -> list[str]:
    """Return written segments turned into what the extensions remember. One that no longer fits is left out.

    Only the loop instances that extensions name, and those around them, are taken apart.
    """
    by_path: dict[str, list[Extension]] = {}
    for each in extensions:
        by_path.setdefault(each["path"], []).append(each)
    application = _Application(machine, segments, places, by_path, element, component)
    return application.changed(0, len(segments), 0, "")


class _Part(NamedTuple):
    """A segment, or a loop instance as the segments it is made of."""

    raw: list[str]
    is_loop: bool


class _Application:
    def __init__(
        self,
        machine: Machine,
        segments: Sequence[str],
        places: Sequence[int],
        by_path: dict[str, list[Extension]],
        element: str,
        component: str,
    ) -> None:
        self._machine = machine
        self._segments = segments
        self._places = places
        self._by_path = by_path
        pieces = [path.split("/") for path in by_path]
        self._above = {"/".join(each[:length]) for each in pieces for length in range(len(each) + 1)}
        self._element = element
        self._component = component

    def changed(self, start: int, end: int, depth: int, path: str) -> list[str]:
        """Return the segments of a loop instance, which stands from ``start`` to ``end``."""
        mine = self._by_path.get(path, ())
        kept = self._dropped(self._parts(start, end, depth, path), mine)
        result = self._ordered(kept, mine)
        for each in sorted(
            (each for each in mine if each["tag"][:1] not in NOTES), key=lambda each: int(each["ordinal"])
        ):
            raw = self._join(each["tag"].removeprefix(RAW), each["values"])
            result.insert(min(each["ordinal"], len(result)), _Part([raw], is_loop=False))
        for each in mine:
            if (each["tag"] or " ")[0] == "=" and each["ordinal"] < len(result):
                part = result[each["ordinal"]]
                if not part.is_loop:
                    part.raw[0] = self._form(part.raw[0], each)
        return list(chain.from_iterable(part.raw for part in result))

    def _parts(self, start: int, end: int, depth: int, path: str) -> list[_Part]:
        """Return what a loop instance is made of, with what is inside of it changed."""
        begins, places, machine = self._machine.parts[depth], self._places, self._machine
        starts = [at for at in range(start, end) if begins[places[at]]]
        seen: dict[str, int] = {}
        parts = []
        for at, stop in pairwise([*starts, end]):
            place = places[at]
            if machine.depths[place] == depth:
                parts.append(_Part([self._segments[at]], is_loop=False))
                continue
            name = machine.names[place]
            seen[name] = seen.get(name, 0) + 1
            below = f"{path}/{name}[{seen[name]}]" if path else f"{name}[{seen[name]}]"
            raw = self.changed(at, stop, depth + 1, below) if below in self._above else self._segments[at:stop]
            parts.append(_Part(list(raw), is_loop=True))
        return parts

    def _dropped(self, parts: list[_Part], mine: Sequence[Extension]) -> list[_Part | None]:
        dropped: dict[int, list[str]] = {}
        for each in mine:
            if (each["tag"] or " ")[0] == "-":
                dropped.setdefault(each["ordinal"], []).append(self._join(each["tag"][1:], each["values"][1:]))
        return [None if at in dropped and part.raw == dropped[at] else part for at, part in enumerate(parts)]

    @staticmethod
    def _ordered(kept: list[_Part | None], mine: Sequence[Extension]) -> list[_Part]:
        order = next((each["values"] for each in mine if each["tag"] == "@order"), None)
        if order is not None:
            wanted = [int(each) for each in order]
            if sorted(wanted) == [at for at, part in enumerate(kept) if part is not None]:
                return [part for at in wanted if (part := kept[at]) is not None]
        return [part for part in kept if part is not None]

    def _form(self, raw: str, extension: Extension) -> str:
        tag, *elements = raw.replace(self._component, COMPONENT).split(self._element)
        if tag != extension["tag"][1:]:
            return raw
        values = extension["values"]
        length = 0
        for at in range(0, len(values) - 2, 3):
            place, canonical, form = values[at : at + 3]
            if place == "#":
                length = int(form)
                continue
            index = int(place) - 1
            if (elements[index] if index < len(elements) else "") == canonical:
                elements += [""] * (index + 1 - len(elements))
                elements[index] = form
        while elements and not elements[-1]:
            elements.pop()
        elements += [""] * (length - len(elements))
        return self._join(tag, elements)

    def _join(self, tag: str, elements: Sequence[str]) -> str:
        return self._element.join((tag, *elements)).replace(COMPONENT, self._component)
