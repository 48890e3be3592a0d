"""A transmission taken apart for people: its lines as they came, each fault pinned to its element, its values by name.

Segments are numbered as acknowledgements number them: from 1 at ST or UNH, anew in each message. XML is taken by lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

MAX_LINES = 5_000
"""Lines shown of one transmission; the rest is in the download."""

_BEGINS = {"ST", "UNH"}
_OUTSIDE = {"ISA", "GS", "GE", "IEA", "TA1", "UNA", "UNB", "UNG", "UNE", "UNZ"}


class Pin(Protocol):
    """What a fault must say to be pinned to its place."""

    segment: int | None
    tag: str | None
    element: int | None
    component: int | None
    path: str | None
    value: str | None
    text: str
    severity: str


@dataclass(frozen=True)
class Piece:
    """A run of text in a line; ``look`` is tag, fault or nothing."""

    text: str
    look: str = ""


@dataclass(frozen=True)
class Line:
    """A segment, or a line of XML, at its offset in the text. ``message`` counts messages from 0, -1 around them."""

    text: str
    start: int
    message: int
    number: int
    pieces: tuple[Piece, ...]
    faults: tuple[Pin, ...] = ()
    is_wrong: bool = False


@dataclass(frozen=True)
class Value:
    """An element by the name that people give it, such as BEG03 or C507.2: ``DTM01.2``; in XML its own name.

    ``within`` are the elements that one of XML stands in, the innermost last.
    """

    name: str
    text: str
    is_wrong: bool = False
    within: tuple[str, ...] = ()


@dataclass(frozen=True)
class Syntax:
    segment: str
    element: str
    component: str
    release: str


def decoded(payload: bytes) -> str:
    """Return the text as well as it can be had; a byte that is no UTF-8 stands for itself as in ISO 8859-1."""
    try:
        return payload.decode("utf-8-sig")
    except UnicodeDecodeError:
        return payload.decode("latin-1")


def syntax(text: str) -> Syntax | None:
    """Return the service characters of an X12 or EDIFACT text, or None."""
    head = text.lstrip()
    start = len(text) - len(head)
    if head.startswith("ISA") and len(head) >= 106:
        return Syntax(text[start + 105], text[start + 3], text[start + 104], "")
    if head.startswith("UNA") and len(head) >= 9:
        return Syntax(head[8], head[4], head[3], head[6].strip())
    if head.startswith(("UNB", "UNH")):
        return Syntax("'", "+", ":", "?")
    return None


def lines(text: str, standard: str | None, *, message: int, pins: Sequence[Pin] = ()) -> list[Line]:
    """Return the lines of a text, with the faults of its ``message`` (from 0) at their places."""
    found = syntax(text) if standard in ("x12", "edifact") else None
    cut = _xml_lines(text) if found is None else _segments(text, found)
    return [_pinned(line, found, [pin for pin in pins if _is_at(pin, line, message, found)]) for line in cut]


def laid_out(text: str, standard: str | None) -> str | None:
    """Return the text with each segment on a line of its own, to be edited; None where it is too long for that."""
    if standard not in ("x12", "edifact") or syntax(text) is None:
        return text
    cut = lines(text, standard, message=0)
    return None if len(cut) >= MAX_LINES else "".join(f"{line.text}\n" for line in cut)


def first_fault(shown: Iterable[Line]) -> tuple[int, int] | None:
    """Return where in the text the first faulty element begins and ends; None without a placed fault."""
    for line in shown:
        if not line.is_wrong:
            continue
        at = line.start
        for piece in line.pieces:
            if piece.look == "fault":
                return at, at + len(piece.text)
            at += len(piece.text)
        return line.start, line.start + len(line.text)
    return None


def values(line: Line, text: str) -> list[Value]:
    """Return the elements of a segment by name, empty ones left out."""
    found = syntax(text)
    if found is None:
        return []
    tag, *elements = _split(line.text.rstrip(found.segment), found.element, found.release)
    wrong = {(pin.element or 0, pin.component or 0) for pin in line.faults}
    named: list[Value] = []
    for number, element in enumerate(elements, 1):
        parts = _split(element, found.component, found.release) if tag not in ("ISA", "UNA") else [element]
        for place, part in enumerate(parts, 1):
            if part.strip():
                name = f"{tag}{number:02}" + (f".{place}" if len(parts) > 1 else "")
                is_wrong = (number, 0) in wrong or (number, place) in wrong
                named.append(Value(name, _unreleased(part, found.release), is_wrong))
    return named


def leaf_values(leaves: Iterable[tuple[str, str, int]], pins: Sequence[Pin]) -> list[Value]:
    """Return the leaves of an XML text (path, text, line) by name, at most as many as lines are shown."""
    wrong = {pin.path for pin in pins if pin.path}
    named = []
    for path, text, _line in islice(leaves, MAX_LINES):
        *within, name = (step.rpartition(":")[2] for step in path.split("/")[2:])
        if name.startswith("@") and within:
            name = f"{within.pop()} {name}"
        named.append(Value(name, text, path in wrong, tuple(within)))
    return named


def _segments(text: str, found: Syntax) -> list[Line]:
    cut: list[Line] = []
    message, number, at = -1, 0, 0
    skip = 9 if text.lstrip().startswith("UNA") else 0
    for piece in _terminated(text, found, skip):
        start = at + len(piece) - len(piece.lstrip("\r\n \t"))
        at += len(piece)
        body = piece.strip("\r\n \t")
        if not body or len(cut) >= MAX_LINES:
            continue
        tag = _split(body.rstrip(found.segment), found.element, found.release)[0]
        if tag in _BEGINS:
            message, number = message + 1, 0
        number = 0 if tag in _OUTSIDE else number + 1
        cut.append(Line(body, start, -1 if tag in _OUTSIDE else message, number, ()))
    return cut


def _terminated(text: str, found: Syntax, skip: int) -> Iterable[str]:
    """Yield the text in pieces, each up to and with its terminator."""
    at = 0
    if skip:
        begin = len(text) - len(text.lstrip())
        yield text[: begin + skip]
        at = begin + skip
    while at < len(text):
        end = text.find(found.segment, at)
        while end > 0 and found.release and _is_released(text, end, found.release):
            end = text.find(found.segment, end + 1)
        stop = len(text) if end < 0 else end + 1
        yield text[at:stop]
        at = stop


def _is_released(text: str, at: int, release: str) -> bool:
    count = 0
    while at - count > 0 and text[at - count - 1] == release:
        count += 1
    return count % 2 == 1


def _split(text: str, by: str, release: str) -> list[str]:
    """Split where ``by`` stands for itself, keeping release characters."""
    if not release or release not in text:
        return text.split(by)
    parts, start = [], 0
    for at, sign in enumerate(text):
        if sign == by and not _is_released(text, at, release):
            parts.append(text[start:at])
            start = at + 1
    return [*parts, text[start:]]


def _unreleased(text: str, release: str) -> str:
    return re.sub(re.escape(release) + "(.)", r"\1", text) if release else text


def _xml_lines(text: str) -> list[Line]:
    cut, at = [], 0
    for number, line in enumerate(text.splitlines(keepends=True)[:MAX_LINES], 1):
        cut.append(Line(line.rstrip("\r\n"), at, 0, number, ()))
        at += len(line)
    return cut


def _is_at(pin: Pin, line: Line, message: int, found: Syntax | None) -> bool:
    if found is None:
        return pin.segment == line.number
    if pin.segment:
        return line.message == message and line.number == pin.segment
    return bool(pin.tag) and line.message == -1 and line.text.startswith(str(pin.tag))


def _pinned(line: Line, found: Syntax | None, pins: list[Pin]) -> Line:
    wrong = any(pin.severity == "error" for pin in pins)
    if found is None:
        return Line(line.text, line.start, line.message, line.number, _xml_pieces(line, pins), tuple(pins), wrong)
    elements = _split(line.text, found.element, found.release)
    marked = {pin.element or 0: pin.component or 0 for pin in reversed(pins)}
    pieces = [Piece(elements[0], "tag")]
    for number, element in enumerate(elements[1:], 1):
        pieces.append(Piece(found.element))
        ended = element.endswith(found.segment) and number == len(elements) - 1
        body = element[:-1] if ended else element
        if marked.get(number):
            pieces += _component_pieces(body, found, marked[number])
        else:
            pieces.append(Piece(body, "fault" if number in marked else ""))
        if ended:
            pieces.append(Piece(found.segment))
    kept = tuple(piece for piece in pieces if piece.text)
    return Line(line.text, line.start, line.message, line.number, kept, tuple(pins), wrong)


def _component_pieces(element: str, found: Syntax, component: int) -> list[Piece]:
    pieces: list[Piece] = []
    for place, part in enumerate(_split(element, found.component, found.release), 1):
        if place > 1:
            pieces.append(Piece(found.component))
        pieces.append(Piece(part, "fault" if place == component else ""))
    return pieces


def _xml_pieces(line: Line, pins: list[Pin]) -> tuple[Piece, ...]:
    value = next((pin.value for pin in pins if pin.value and pin.value in line.text), None)
    if value is None:
        return (Piece(line.text),)
    before, _, after = line.text.partition(value)
    return tuple(piece for piece in (Piece(before), Piece(value, "fault"), Piece(after)) if piece.text)
