"""What a partner's messages have in common, counted place by place, and a first guide made of it for a person to edit."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import zip_longest

from tradehub.edi import selectors
from tradehub.edi.envelope import ReadMessage
from tradehub.edi.machine import Loop, Place
from tradehub.edi.maps import Map
from tradehub.edi.schema import Dictionary, MapSpec, SegmentRule, Use
from tradehub.edi.segments import COMPONENT, ELEMENT, Segment

ENOUGH = 10
"""Messages from which on the codes and lengths seen are proposed as rules; of fewer they are only remarks."""

MOST_CODES = 20
"""An element with more codes than these is no list worth closing."""

LONGEST_CODE = 6
"""An ID element of X12 that takes more is no code but a postcode or the like."""

LONGEST_REMARK = 90
"""Characters of what is said behind an entry: a line that runs off the screen is not read."""

At = tuple[int, int]  # element and component, 0 for the whole


@dataclass
class Values:
    """What stood at one element or component."""

    count: int = 0
    longest: str = ""
    codes: Counter[str] = field(default_factory=Counter)

    def see(self, text: str) -> None:
        self.count += 1
        if len(text) > len(self.longest):
            self.longest = text
        if len(self.codes) <= MOST_CODES:
            self.codes[text] += 1


@dataclass
class SegmentSeen:
    """A segment at one place of the structure. ``example`` is the fullest there was."""

    composites: frozenset[int] = frozenset()
    count: int = 0
    values: dict[At, Values] = field(default_factory=lambda: defaultdict(Values))
    example: Segment | None = None

    def see(self, segment: Segment) -> None:
        self.count += 1
        if self.example is None or _fullness(segment) > _fullness(self.example):
            self.example = segment
        for number, text in enumerate(segment.elements, 1):
            if text:
                self.values[number, 0].see(text)
            for component, part in enumerate(text.split(COMPONENT) if number in self.composites else (), 1):
                if part:
                    self.values[number, component].see(part)


def _composites(rule: SegmentRule | None) -> frozenset[int]:
    return frozenset(number for number, use in enumerate(rule.uses if rule else (), 1) if use.parts)


def _fullness(segment: Segment) -> tuple[int, int]:
    return sum(1 for each in segment.elements if each), len(segment.text())


@dataclass
class Stray:
    """A segment that the standard has no place for: how often, after what, and the greatest length of each component
    of its elements."""

    after: Place | None
    count: int = 0
    lengths: list[list[int]] = field(default_factory=list)


class Survey:
    """Counts over the messages of one type. ``per_loop`` counts a place's segments in each repeat of its loop."""

    def __init__(self, rules: Map) -> None:
        self.rules = rules
        self.messages = 0
        self.segments: dict[int, SegmentSeen] = {}
        self.repeats: Counter[int] = Counter()
        self.per_loop: dict[int, Counter[int]] = defaultdict(Counter)
        self.loops_per_loop: dict[int, Counter[int]] = defaultdict(Counter)
        self.strays: dict[str, Stray] = {}

    @property
    def spec(self) -> MapSpec:
        return self.rules.spec

    def add(self, message: ReadMessage) -> None:
        """Count one more message of the map's type."""
        own = list(message.segments())[1:-1]
        raw = [ELEMENT.join((each.tag, *each.elements)) for each in own]
        places = self.rules.read(raw, ELEMENT, COMPONENT).places
        self.messages += 1
        self.repeats[0] += 1
        last: Place | None = None
        for segment, number in zip(own, places, strict=True):
            if number < 0:
                self._stray(segment, last)
                continue
            last = self.rules.machine.places[number]
            self._see(segment, last)

    def _see(self, segment: Segment, place: Place) -> None:
        loop = place.loop
        if place.is_head and loop.parent is not None:
            self.repeats[loop.id] += 1
            self.loops_per_loop[loop.id][self.repeats[loop.parent.id]] += 1
        self.per_loop[place.id][self.repeats[loop.id]] += 1
        self.segments.setdefault(place.id, SegmentSeen(_composites(place.rule))).see(segment)

    def _stray(self, segment: Segment, last: Place | None) -> None:
        stray = self.strays.setdefault(segment.tag, Stray(last))
        stray.count += 1
        for number, text in enumerate(segment.elements):
            own = [len(part) for part in text.split(COMPONENT)]
            before = stray.lengths[number] if number < len(stray.lengths) else []
            stray.lengths[number : number + 1] = [[max(pair) for pair in zip_longest(before, own, fillvalue=0)]]


def survey(rules: Map, messages: Iterable[ReadMessage]) -> Survey:
    """Return the counts over the messages."""
    made = Survey(rules)
    for each in messages:
        made.add(each)
    return made


# The guide ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the draft: its YAML, what was seen, and whether it is proposed as a rule or only remarked."""

    entry: str
    seen: str
    is_rule: bool = True


def draft(seen: Survey, partner: str, message: str, files: int, on: date) -> str:
    """Return the YAML of a first guide. What holds of every sample becomes a rule; the rest stands as comments."""
    of = f"{counted(seen.messages, 'message')} in {counted(files, 'file')}"
    head = [
        f"# Guide of {partner} for {message}: a first draft, learned from {of} on {on:%Y-%m-%d}.",
        "# Whether what was seen is a rule, only the partner can say. Read each line: take out what is chance, take the",
        "# first # away from what is meant. How it is written: docs/guides.md. To try it on the samples:",
        f"#   tradehub guide test {partner} {message}",
        f"of: {seen.spec.head.key}",
    ]
    many = "" if seen.messages >= ENOUGH else f" Remarks only, since there are fewer than {ENOUGH} messages."
    parts = (
        (
            "require",
            "Always there, though the standard leaves it free. Seen but once, it is a remark.",
            tuple(_always(seen)),
        ),
        ("close", f"The codes seen, and how often: no others are then allowed.{many}", tuple(_codes(seen))),
        ("limit", f"The longest texts, and the most repeats, seen.{many}", tuple(_limits(seen))),
        ("forbid", "Never seen. Whether the partner refuses it, the samples cannot tell.", tuple(_never(seen))),
    )
    body = [line for name, title, lines in parts for line in _part(name, title, lines)]
    return "\n".join([*head, *body, *_never_inside(seen), *_private(seen)]) + "\n"


def _part(name: str, title: str, lines: tuple[Line, ...]) -> Iterator[str]:
    if not lines:
        return
    yield ""
    yield f"# {title}"
    yield f"{name}:" if any(each.is_rule for each in lines) else f"# {name}:"
    indent = "  " if name in {"close", "limit"} else ""
    width = min(max(len(each.entry) for each in lines), 40)
    for each in lines:
        mark = "" if each.is_rule else "# "
        remark = each.seen if len(each.seen) <= LONGEST_REMARK else each.seen[: LONGEST_REMARK - 3] + "..."
        yield f"{mark}{indent}{each.entry:<{width}}  # {remark}".rstrip(" #")


def counted(number: int, word: str) -> str:
    """Return ``1 file``, ``2 files``."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _of(part: int, whole: int, word: str) -> str:
    return f"in {part} of {counted(whole, word)}"


def _always(seen: Survey) -> Iterator[Line]:
    for each in seen.rules.machine.loops[1:]:
        if each.parent is None or each.mandatory:
            continue
        counts = seen.loops_per_loop[each.id]
        if _in_all(counts, seen.repeats[each.parent.id]):
            yield Line(f"- {_loop(seen, each)}", f"loop, {_within(seen, each.parent, counts)}", len(counts) > 1)
    for place in _seen_places(seen):
        counts = seen.per_loop[place.id]
        if not (place.mandatory or place.is_head) and _in_all(counts, seen.repeats[place.loop.id]):
            yield Line(f"- {_segment(seen, place)}", _within(seen, place.loop, counts), len(counts) > 1)
        yield from _always_inside(seen, place)


def _in_all(counts: Counter[int], whole: int) -> bool:
    return 0 < whole == len(counts)


def _within(seen: Survey, loop: Loop, counts: Counter[int]) -> str:
    whole = seen.repeats[loop.id]
    low, high = min(counts.values()), max(counts.values())
    each = "" if high == 1 else f", {high} each" if low == high else f", {low} to {high} each"
    return _of(len(counts), whole, f"{loop.name} loop" if loop.parent else "message") + each


def _always_inside(seen: Survey, place: Place) -> Iterator[Line]:
    had = seen.segments[place.id]
    for (number, component), use in _uses(place):
        values, whole = had.values.get((number, component)), had.count
        if component:
            whole = had.values[number, 0].count if (number, 0) in had.values else 0
        if use.mandatory or values is None or values.count < whole:
            continue
        name = _element(seen, place, number, component)
        yield Line(f"- {name}", f"{use_name(use)}, {_of(whole, whole, place.tag)}", whole > 1)


def _codes(seen: Survey) -> Iterator[Line]:
    coded = _coded(seen)
    for place in _seen_places(seen):
        read = _read_by_table(place)
        for at, use in _uses(place):
            values = seen.segments[place.id].values.get(at)
            rule = use.element
            if values is None or rule is None or rule.id not in coded or len(values.codes) > MOST_CODES:
                continue
            told = ", ".join(f"{code} {count}" for code, count in values.codes.most_common())
            name = _element(seen, place, *at)
            is_rule = seen.messages >= ENOUGH and (at in read or bool(rule.codes))
            yield Line(f"{name}: {' '.join(sorted(values.codes))}", told, is_rule)


def _read_by_table(place: Place) -> frozenset[At]:
    """Return the places whose codes the map reads: to close the list of any other would gain little."""
    bindings = [each for variant in place.variants for each in variant.node.bindings]
    read = [each.groups for each in bindings if each.conversions[0].name in {"code", "lookup", "bool"}]
    return frozenset((group[0].element, group[0].component) for groups in read for group in groups)


def _coded(seen: Survey) -> frozenset[str]:
    """Return the elements that hold codes: of at most LONGEST_CODE characters and, in EDIFACT, where nothing says so,
    of at most three."""
    rules = seen.spec.dictionary.elements.values()
    return frozenset(
        each.id
        for each in rules
        if each.codes
        or (each.type == "ID" and each.max <= LONGEST_CODE)
        or (each.type in {"an", "a"} and each.max <= 3)
    )


def _limits(seen: Survey) -> Iterator[Line]:
    coded = _coded(seen)
    for place in _seen_places(seen):
        most = max(seen.per_loop[place.id].values())
        if not place.is_head and place.max != 1 and most != place.max:
            allowed = place.max or "any number"
            yield Line(f"{_segment(seen, place)}: {most}", f"repeats; the standard allows {allowed}", False)
        for at, use in _uses(place):
            values = seen.segments[place.id].values.get(at)
            rule = use.element
            if values is None or rule is None or rule.id in coded or rule.type not in {"AN", "an", "a"}:
                continue
            if len(values.longest) < rule.max:
                told = f"{values.longest[:40]!r}; the standard allows {rule.max}"
                yield Line(f"{_element(seen, place, *at)}: {len(values.longest)}", told, seen.messages >= ENOUGH)


def _never(seen: Survey) -> Iterator[Line]:
    for loop in seen.rules.machine.loops[1:]:
        if loop.parent is not None and seen.repeats[loop.parent.id] and not (seen.repeats[loop.id] or loop.mandatory):
            yield Line(f"- {_loop(seen, loop)}", "loop", is_rule=False)
    for place in seen.rules.machine.places:
        if seen.repeats[place.loop.id] and place.id not in seen.segments and not (place.mandatory or place.is_head):
            yield Line(f"- {_segment(seen, place)}", "", is_rule=False)


def _never_inside(seen: Survey) -> Iterator[str]:
    """Yield, by segment, the elements that were never seen, as remarks."""
    yield "#"
    yield "# Elements never seen, by segment; to forbid one, write for instance - BEG.04 under forbid."
    for place in _seen_places(seen):
        had = seen.segments[place.id].values
        left = [
            f"{number:02}.{component}" if component else f"{number:02}"
            for (number, component), use in _uses(place)
            if not use.mandatory and (number, component) not in had and (not component or (number, 0) in had)
        ]
        if left:
            yield f"#   {_segment(seen, place)}: {' '.join(left)}"


def _private(seen: Survey) -> Iterator[str]:
    """Yield what it takes to give a place to segments that have none and are none of the standard."""
    known = seen.spec.dictionary.segments
    own = {tag: each for tag, each in seen.strays.items() if tag not in known and _TAG.fullmatch(tag)}
    if not own:
        return
    filler, use = ("127", "O") if seen.spec.head.standard == "x12" else ("4440", "C")
    yield ""
    yield "# Segments that the standard does not know. Say what they are made of, and where they may stand."
    yield "# segments:"
    loops: dict[str, list[str]] = {}
    for tag, stray in own.items():
        made_of = [_fitting(seen.spec.dictionary, each, filler) for each in stray.lengths] or [filler]
        yield f'#   {tag}: "{", ".join(f"{each} {use}" for each in made_of)}"  # seen {counted(stray.count, "time")}'
        loop = stray.after.path.replace("/", ".") if stray.after else ""
        behind = f" after {stray.after.tag}" if stray.after else ""
        loops.setdefault(loop or '""', []).append(f"{tag} {use} 1{behind}")
    yield "# add:"
    for loop, rows in loops.items():
        yield f"#   {loop}: [{', '.join(rows)}]"


def _fitting(dictionary: Dictionary, lengths: list[int], filler: str) -> str:
    """Return an element of text, or the first composite whose components are texts that are long enough."""
    if len(lengths) < 2:
        return filler
    for ref, composite in dictionary.composites.items():
        parts = [part.element for part in composite.parts[: len(lengths)]]
        fits = [
            each is not None and each.type in {"an", "AN"} and each.max >= most
            for each, most in zip(parts, lengths, strict=False)
        ]
        if (
            len(parts) == len(lengths)
            and all(fits)
            and not any(each.mandatory for each in composite.parts[len(parts) :])
        ):
            return ref
    return filler


_TAG = re.compile(r"[A-Z][A-Z0-9]{1,2}")


def _seen_places(seen: Survey) -> Iterator[Place]:
    return (place for place in seen.rules.machine.places if place.id in seen.segments)


def _uses(place: Place) -> Iterator[tuple[At, Use]]:
    """Yield the elements of a place, and behind a composite its components."""
    for number, use in enumerate(place.rule.uses if place.rule else (), 1):
        yield (number, 0), use
        for component, part in enumerate(use.parts, 1):
            yield (number, component), part


def use_name(use: Use) -> str:
    """Return what we call an element, or the id of a composite."""
    return use.element.name if use.element is not None and use.element.name else use.ref


# Names --------------------------------------------------------------------------------------------


def _loop(seen: Survey, loop: Loop) -> str:
    return _exact(seen, loop.path.replace("/", "."))


def _segment(seen: Survey, place: Place) -> str:
    return _exact(seen, ".".join(each for each in (place.path.replace("/", "."), place.tag) if each))


def _element(seen: Survey, place: Place, number: int, component: int) -> str:
    inside = f"{number:02}" + (f".{component}" if component else "")
    short = f"{place.tag}.{inside}"
    if selectors.count(seen.spec.structure, short) == 1:
        return short
    loops = place.path.replace("/", ".")
    return _exact(seen, f"{loops}.{short}" if loops else short)


def _exact(seen: Survey, text: str) -> str:
    """Return the selector, with the slash where it would name more than one place without."""
    return text if selectors.count(seen.spec.structure, text) == 1 else f"/{text}"
