"""The text files of a UN/EDIFACT directory, as the UN/ECE publishes them, read into facts.

Messages (EDMD, TRMD), segments (EDSD, TRSD), composites (EDCD, TRCD), elements (EDED, TRED) and code lists (UNCL). Marks
of change (``*`` ``+`` ``-`` ``#`` ``|`` ``X``) in front of an entry are passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from tradehub.edi.facts import Facts, Rows

_RULE = re.compile(r"\s*[-\u2500]{20,}\s*\Z")
_MARKS = r"[\s*+#|X]*"
_TITLE = re.compile(r"[-\s*+#|X]*\b([A-Z]{3}|[CES]\d{3}|\d{4})\s+(\S.*?)\s*(?:\[[A-Z]\])?\s*\Z")
_POSITION = re.compile(
    r"(\d{3,4})"
    + _MARKS
    + r"\s([CES]\d{3}|\d{4})\s+(\S.*?)\s+([MC])(?:\s+(\d{1,5}))?(?:\s+(an|a|n)\s*(\.\.)?(\d+))?\s*\Z"
)
_BEGUN = re.compile(r"(\d{3,4})[-\s*+#|X]*\s([CES]\d{3}|\d{4})\s")
_REPR = re.compile(r"\s*Repr:\s*(an|a|n)\s*(\.\.)?\s*(\d+)")
_CODE = re.compile(r"[ *+#|X]{1,2} {1,5}([A-Za-z0-9]{1,17})\s+\S")
_TYPE = re.compile(r"Message Type\s*:\s*([A-Z]{6})")
_SEGMENT = re.compile(r"\s*(\d{4,5})?" + _MARKS + r"\s([A-Z]{3})\s+(\S.*?)\s+([MC])\s+(\d+)([-+|\s]*)\Z")
_GROUP = re.compile(r"\s*(\d{4,5})?" + _MARKS + r"-+\s*Segment group\s+(\d+)\s*-+\s*([MC])\s+(\d+)([-+|\s]*)\Z")

KINDS = {
    "EDSD": "segments", "TRSD": "segments", "IDSD": "segments", "EDCD": "composites", "TRCD": "composites",
    "IDCD": "composites", "EDED": "elements", "TRED": "elements", "UNCL": "codes",
}  # fmt: skip
_ORDER = ("elements", "codes", "composites", "segments", "message")


def kind_of(name: str, text: str) -> str:
    """Return what a file holds by its name, or by its text for a message; empty for what is none of it."""
    named = KINDS.get(name[:4].upper())
    return named or ("message" if _TYPE.search(text) and "Segment table" in text else "")


def read(texts: Mapping[str, str], release: str) -> Facts:
    """Return the facts of a directory's files, by file name; others than those of a directory are passed over."""
    facts = Facts("edifact", release)
    readers: dict[str, Callable[[Facts, str, str], None]] = {
        "elements": _elements, "codes": _codes, "composites": _parts, "segments": _parts, "message": _message,
    }  # fmt: skip
    kinds = {name: kind_of(name, text) for name, text in texts.items()}
    for name in sorted((each for each in kinds if kinds[each]), key=lambda each: (_ORDER.index(kinds[each]), each)):
        readers[kinds[name]](facts, name, texts[name])
    return facts


def _entries(text: str) -> Iterator[tuple[str, str, list[tuple[int, str]]]]:
    """Yield (id, name, numbered lines) of what stands between two rules; what stands before the first is a preface."""
    lines: list[tuple[int, str]] = []
    name = title = ""
    waits = False
    for number, line in enumerate(text.splitlines(), 1):
        if _RULE.match(line):
            if name:
                yield name, title, lines
            name, title, lines, waits = "", "", [], True
        elif waits and line.strip():
            waits = False
            found = _TITLE.match(line)
            name, title, lines = (found[1], found[2], [(number, line)]) if found else ("", "", [])
        elif name:
            lines.append((number, line))
    if name:
        yield name, title, lines


def _size(kind: str, dots: str | None, length: str) -> str:
    return f"{kind} {1 if dots else int(length)}/{int(length)}"


def _elements(facts: Facts, file: str, text: str) -> None:
    for name, title, lines in _entries(text):
        found = next((match for _, line in lines if (match := _REPR.match(line))), None)
        if found is None:
            facts.fault(file, lines[0][0], name, "has no line 'Repr:'")
        else:
            facts.elements[name] = f"{_size(found[1], found[2], found[3])} {title.lower()}"


def _codes(facts: Facts, file: str, text: str) -> None:
    for name, _, lines in _entries(text):
        start = next((at for at, (_, line) in enumerate(lines) if _REPR.match(line)), None)
        if start is None:
            facts.fault(file, lines[0][0], name, "has no line 'Repr:'")
            continue
        found = [match[1] for _, line in lines[start + 1 :] if (match := _CODE.match(line)) and "Note:" not in line]
        if found:
            facts.codes[name] = list(dict.fromkeys(found))


def _parts(facts: Facts, file: str, text: str) -> None:
    for name, title, lines in _entries(text):
        table = facts.segments if len(name) == 3 else facts.composites
        parts: list[str] = []
        for number, line in _joined(lines[1:]):
            found = _POSITION.match(line)
            if found is None:
                facts.fault(file, number, name, f"cannot be read: {line.strip()[:60]!r}")
                continue
            ref, usage, repeat = found[2], found[4], found[5]
            if found[6] and ref not in facts.elements and not ref[0].isalpha():
                facts.elements[ref] = f"{_size(found[6], found[7], found[8])} {found[3].lower()}"
            parts.append(f"{ref} {usage}" + (f" x{repeat}" if repeat and repeat != "1" else ""))
        facts.names[name] = title.lower()
        facts.places[name] = (file, lines[0][0])
        if parts:
            table[name] = ", ".join(parts)


def _joined(lines: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the lines that begin with a position, each with the further lines that a long name goes on over.

    The components that a segment's composite repeats have no position; the composites' own file states them.
    """
    begun: tuple[int, str] | None = None
    for number, line in lines:
        if _BEGUN.match(line.strip()):
            if begun is not None:
                yield begun
            begun = (number, line.strip())
            if _POSITION.match(begun[1]):
                yield begun
                begun = None
        elif begun is not None and line.strip():
            begun = (begun[0], f"{begun[1]} {line.strip()}")
            if _POSITION.match(begun[1]):
                yield begun
                begun = None
    if begun is not None:
        yield begun


def _message(facts: Facts, file: str, text: str) -> None:
    named = _TYPE.search(text)
    rows: Rows = []
    open_: list[Rows] = [rows]
    begun = False
    for number, line in enumerate(text.splitlines(), 1):
        group, segment = _GROUP.match(line), _SEGMENT.match(line)
        if group:
            below: Rows = []
            open_[-1].append({f"loop SG{group[2]} {group[3]} {group[4]}": below})
            open_.append(below)
        elif segment and (begun or segment[2] == "UNH"):
            begun = True
            if segment[2] not in {"UNH", "UNT"}:
                open_[-1].append(f"{segment[2]} {segment[4]} {segment[5]}")
            closed = segment[6].count("+")
            if closed >= len(open_):
                facts.fault(file, number, segment[2], "closes more groups than are open")
                closed = len(open_) - 1
            del open_[len(open_) - closed :]
            begun = segment[2] != "UNT"
    if named is None or not rows:
        facts.fault(file, 0, "", "has no segment table")
        return
    if len(open_) > 1:
        facts.fault(file, 0, named[1], f"{len(open_) - 1} groups are not closed")
    facts.structures[named[1]] = rows
    facts.places[named[1]] = (file, 0)
