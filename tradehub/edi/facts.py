"""Dictionaries of a standard as a user's own tables state them: in our notation, as YAML, and compared with ours.

``x12_tables`` and ``unece`` read the tables; what they could not read is noted with its file and line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tradehub.edi import schema, selectors
from tradehub.edi.paths import MapError
from tradehub.edi.placed import FileFault
from tradehub.edi.schema import NO_LIMIT, Dictionary, ElementRule, StructureNode, Use

WIDTH = 110
"""Characters of a line of a long list of codes."""

Rows = list[Any]


@dataclass
class Facts:
    """What tables say, each entry in the notation of docs/maps.md. ``names`` are those of segments and composites."""

    standard: str
    release: str
    elements: dict[str, str] = field(default_factory=dict)
    composites: dict[str, str] = field(default_factory=dict)
    segments: dict[str, str] = field(default_factory=dict)
    codes: dict[str, list[str]] = field(default_factory=dict)
    structures: dict[str, Rows] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    places: dict[str, tuple[str, int]] = field(default_factory=dict)
    faults: list[FileFault] = field(default_factory=list)

    def fault(self, file: str, line: int, place: str, text: str) -> None:
        self.faults.append(FileFault(file, line, place, text))

    def settle(self) -> Dictionary:
        """Return the typed dictionary; entries that name what is not there are noted and left out."""
        for table in (self.composites, self.segments):
            known = set(self.elements) | (set(self.composites) if table is self.segments else set())
            for name, text in list(table.items()):
                gone = [ref for ref in _refs(text) if ref not in known]
                if gone or not _refs(text):
                    file, line = self.places.get(name, ("", 0))
                    said = f"refers to {', '.join(gone)}, which the tables do not hold" if gone else "has no elements"
                    self.fault(file, line, name, said)
                    del table[name]
        for name, rows in list(self.structures.items()):
            unknown = sorted({each for each in _tags(rows) if each not in self.segments} - {"UNS"})
            if unknown:
                file, line = self.places.get(name, ("", 0))
                self.fault(file, line, name, f"has segments that the tables do not hold: {', '.join(unknown)}")
        plain = {"composites": self.composites, "segments": self.segments}
        lists = {"lists": {f"{name}?": " ".join(codes) for name, codes in self.codes.items()}}
        return schema.load_dictionary(self.standard, {"elements": self.elements}, plain, lists, "the tables")


def _refs(text: str) -> list[str]:
    return [each.split()[0] for each in text.partition(";")[0].split(",") if each.strip()]


def _tags(rows: Rows) -> Iterator[str]:
    for row in rows:
        if isinstance(row, dict):
            for below in row.values():
                yield from _tags(below)
        else:
            yield row.split()[0]


# YAML ---------------------------------------------------------------------------------------------


def files(facts: Facts, source: str) -> dict[str, str]:
    """Return the texts of a dictionary's folder by file name. ``source`` says, in each, where it comes from."""
    head = f"# {facts.standard} {facts.release}, imported from {source}. Notation: docs/maps.md.\n"
    made = {}
    if facts.elements:
        made["elements.yaml"] = head + "elements:\n" + "".join(_entries(facts.elements, {}))
    if facts.segments or facts.composites:
        composites = "composites:\n" + "".join(_entries(facts.composites, facts.names)) if facts.composites else ""
        segments = (
            "segments:\n" + "".join(_entries(facts.segments, facts.names)) if facts.segments else "segments: {}\n"
        )
        made["segments.yaml"] = head + composites + segments
    if facts.codes:
        lists = "".join(f'  "{name}?": {_wrapped(codes)}\n' for name, codes in sorted(facts.codes.items()))
        made["codes.yaml"] = f"{head}lists:  # a value outside is a warning\n{lists}"
    for name, rows in facts.structures.items():
        made[f"structure/{name}.yaml"] = head + "structure:\n" + "".join(_rows(rows, ""))
    return made


def _entries(table: Mapping[str, str], names: Mapping[str, str]) -> Iterator[str]:
    for name, text in sorted(table.items()):
        remark = f"  # {names[name]}" if names.get(name) else ""
        shown = name if name[0].isalpha() else f'"{name}"'
        yield f"  {shown}: {_quoted(text)}{remark}\n"


def _quoted(text: str) -> str:
    return f"'{text.replace(chr(39), chr(39) * 2)}'" if ": " in text or " #" in text or text.endswith(":") else text


def _wrapped(codes: list[str]) -> str:
    lines, line = [], ""
    for code in codes:
        if line and len(line) + len(code) >= WIDTH:
            lines.append(line)
            line = ""
        line = f"{line} {code}".strip()
    return "\n      ".join([*lines, line]) if len(codes) > 1 else f'"{line}"'


def _rows(rows: Rows, indent: str) -> Iterator[str]:
    for row in rows:
        if isinstance(row, dict):
            for spelled, below in row.items():
                yield f"{indent}- {spelled}:\n"
                yield from _rows(below, indent + "  ")
        else:
            yield f"{indent}- {row}\n"


# Differences --------------------------------------------------------------------------------------


class Difference(NamedTuple):
    """One thing that the tables and we state differently. ``kind``: segment, element, length, type, usage, repeat,
    condition, order. An empty side has nothing there."""

    kind: str
    place: str
    theirs: str
    ours: str


def differences(
    theirs: Dictionary,
    ours: Dictionary,
    structures: Mapping[str, Rows],
    our_structures: Mapping[str, tuple[StructureNode, ...]],
    *,
    whole: bool = False,
) -> Iterator[Difference]:
    """Yield where the tables and ours disagree.

    What we do not hold at all is passed over unless ``whole``: our dictionaries hold only what our messages use.
    """
    for name in sorted(set(theirs.elements) & set(ours.elements)):
        yield from _elements(name, theirs.elements[name], ours.elements[name])
    for name in sorted(set(theirs.composites) & set(ours.composites)):
        yield from _uses(name, theirs.composites[name].parts, ours.composites[name].parts)
        yield from _conditions(name, theirs.composites[name], ours.composites[name])
    for name in sorted(set(theirs.segments) & set(ours.segments)):
        yield from _uses(name, theirs.segments[name].uses, ours.segments[name].uses)
        yield from _conditions(name, theirs.segments[name], ours.segments[name])
    for name in sorted(set(structures) & set(our_structures)):
        try:
            nodes = schema.load_structure({"structure": structures[name]}, theirs, name)
        except MapError as wrong:
            yield Difference("segment", name, str(wrong), "")
            continue
        yield from _levels(name, nodes, our_structures[name])
    if whole:
        yield from _alone(theirs, ours, structures, our_structures)


def _alone(
    theirs: Dictionary, ours: Dictionary, structures: Mapping[str, Any], our_structures: Mapping[str, Any]
) -> Iterator[Difference]:
    tables: tuple[tuple[str, Mapping[str, Any], Mapping[str, Any]], ...] = (
        ("element", theirs.elements, ours.elements), ("composite", theirs.composites, ours.composites),
        ("segment", theirs.segments, ours.segments), ("message", structures, our_structures),
    )  # fmt: skip
    for kind, left, right in tables:
        yield from (Difference(kind, name, "there", "") for name in sorted(set(left) - set(right)))
        yield from (Difference(kind, name, "", "there") for name in sorted(set(right) - set(left)))


def _elements(name: str, theirs: ElementRule, ours: ElementRule) -> Iterator[Difference]:
    if theirs.type != ours.type:
        yield Difference("type", name, theirs.type, ours.type)
    if (theirs.min, theirs.max) != (ours.min, ours.max):
        yield Difference("length", name, _length(theirs), _length(ours))


def _length(rule: ElementRule) -> str:
    return f"{rule.min}/{'*' if rule.max >= NO_LIMIT else rule.max}"


def _uses(name: str, theirs: tuple[Use, ...], ours: tuple[Use, ...]) -> Iterator[Difference]:
    for number in range(max(len(theirs), len(ours))):
        place = f"{name}{number + 1:02}"
        left = theirs[number] if number < len(theirs) else None
        right = ours[number] if number < len(ours) else None
        if left is None or right is None or left.ref != right.ref:
            yield Difference("element", place, left.ref if left else "", right.ref if right else "")
        elif left.mandatory != right.mandatory:
            yield Difference("usage", place, "MO"[not left.mandatory], "MO"[not right.mandatory])


def _conditions(name: str, theirs: Any, ours: Any) -> Iterator[Difference]:
    left, right = ({str(each) for each in side.conditions} for side in (theirs, ours))
    if left != right:
        yield Difference("condition", name, " ".join(sorted(left - right)), " ".join(sorted(right - left)))


def _levels(place: str, theirs: tuple[StructureNode, ...], ours: tuple[StructureNode, ...]) -> Iterator[Difference]:
    left, right = dict(_called(theirs)), dict(_called(ours))
    for name in [*left, *(each for each in right if each not in left)]:
        here = f"{place}/{name}"
        mine, other = right.get(name), left.get(name)
        if mine is None or other is None:
            yield Difference("segment", here, "there" if other else "", "there" if mine else "")
            continue
        if mine.mandatory != other.mandatory:
            yield Difference("usage", here, "MO"[not other.mandatory], "MO"[not mine.mandatory])
        if mine.max != other.max:
            yield Difference("repeat", here, str(other.max or "*"), str(mine.max or "*"))
        if mine.is_loop:
            yield from _levels(here, other.children, mine.children)
    both = [each for each in left if each in right]
    if both != [each for each in right if each in left]:
        yield Difference("order", place, " ".join(both), " ".join(each for each in right if each in left))


def _called(level: tuple[StructureNode, ...]) -> Iterator[tuple[str, StructureNode]]:
    for name, node in selectors.named(level):
        if not node.habit:
            yield (f"loop {name}" if node.is_loop else name), node
