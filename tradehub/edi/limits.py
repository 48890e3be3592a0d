"""How much of anything is taken. Each limit lies far above what trade needs, and below what would choke the reader.

Exceeding one is an issue with its place; what exceeds it is kept as it came, and not made into a document.
"""

from __future__ import annotations

from collections.abc import Iterator

from tradehub.edi.envelope import Delimiters
from tradehub.edi.segments import Fault, Issue, Position
from tradehub.edi.x12 import Cut

MOST_BYTES = 1 << 30
"""Bytes of one file: it is held as text while it is read, and batches in use are a few hundred megabytes."""
MOST_SEGMENTS = 999_999
"""Segments of one message: what the six digits of UNT01 (0074, syntax 3) can count; one message is held at a time."""
LONGEST_SEGMENT = 10_000_000
"""Characters of one segment: a drawing in X12's BIN is the largest thing that anybody sends in one."""
LONGEST_ELEMENT = 1_000_000
"""Characters of one element: the longest texts of the standards have thousands, and a rule is run over each."""
MOST_REPETITIONS = 999
"""Repetitions of one element: the directories allow 99 at most."""
DEEPEST = 100
"""Levels of HL or CPS within each other: shipments have five or six, and levels are walked one inside the other."""
HEADS = {"hl": ("HL", 1, 2), "hl_orders": ("HL", 1, 2), "hl_inquiry": ("HL", 1, 2), "cps": ("CPS", 1, 2)}
"""Segment, and the elements of number and parent, by which levels lie in each other."""


def of_file(size: int) -> str:
    """Return what is wrong with a file of so many bytes; empty where nothing is."""
    return f"the file has {size} bytes, and {MOST_BYTES} are taken" if size > MOST_BYTES else ""


def exceeded(cut: Cut, found: Delimiters, shape: str) -> list[Issue]:
    """Return the limits that a message exceeds. ``shape`` is that of its map (docs/maps.md, Trees)."""
    issues: list[Issue] = []
    if len(cut.raw) > MOST_SEGMENTS:
        issues += _segments(cut)
    if not issues and len(cut.raw) > LONGEST_ELEMENT:
        issues += _lengths(cut, found)
    if not issues and found.repeat and cut.text.count(found.repeat) > MOST_REPETITIONS:
        issues += _repetitions(cut, found)
    if not issues and shape in HEADS:
        issues += _depth(cut, found, *HEADS[shape])
    return issues


def _issue(cut: Cut, number: int, tag: str, element: int, text: str, repetition: int = 0) -> Issue:
    at = Position(
        cut.interchange.control_number, cut.group.control_number, cut.control_number, number, tag, "", element, 0,
        repetition,
    )  # fmt: skip
    return Issue(Fault.LIMIT_EXCEEDED, at, text)


def _segments(cut: Cut) -> Iterator[Issue]:
    count = cut.count + 2
    if count > MOST_SEGMENTS:
        body = cut.body
        tag = body[min(MOST_SEGMENTS - 1, len(body) - 1)][:3] if body else ""
        yield _issue(cut, MOST_SEGMENTS + 1, tag, 0, f"{count} segments, and {MOST_SEGMENTS} are taken")


def _lengths(cut: Cut, found: Delimiters) -> Iterator[Issue]:
    for number, segment in enumerate(cut.body, 2):
        if len(segment) <= LONGEST_ELEMENT:
            continue
        pieces = segment.split(found.element)
        if len(segment) > LONGEST_SEGMENT:
            text = f"{len(segment)} characters, and {LONGEST_SEGMENT} are taken"
            yield _issue(cut, number, pieces[0][:3], 0, text)
        for element, piece in enumerate(pieces[1:], 1):
            if len(piece) > LONGEST_ELEMENT:
                text = f"{len(piece)} characters, and {LONGEST_ELEMENT} are taken"
                yield _issue(cut, number, pieces[0][:3], element, text)


def _repetitions(cut: Cut, found: Delimiters) -> Iterator[Issue]:
    for number, segment in enumerate(cut.body, 2):
        if segment.count(found.repeat) < MOST_REPETITIONS:
            continue
        tag, *elements = segment.split(found.element)
        for element, piece in enumerate(elements, 1):
            count = piece.count(found.repeat) + 1
            if count > MOST_REPETITIONS:
                text = f"{count} repetitions, and {MOST_REPETITIONS} are taken"
                yield _issue(cut, number, tag[:3], element, text, MOST_REPETITIONS + 1)


def _depth(cut: Cut, found: Delimiters, head: str, own: int, above: int) -> Iterator[Issue]:
    """Yield the first level that lies too deep. Levels that name no parent lie in the one before them."""
    if cut.text.count(head + found.element) <= DEEPEST:
        return
    depths: dict[str, int] = {}
    before = 0
    for number, segment in enumerate(cut.body, 2):
        if not segment.startswith(head + found.element):
            continue
        pieces = [*segment.split(found.element), "", ""]
        depth = depths.get(pieces[above], 0) + 1 if pieces[above] else before + 1
        depths[pieces[own]] = before = depth
        if depth > DEEPEST:
            text = f"{depth} levels within each other, and {DEEPEST} are taken"
            yield _issue(cut, number, head, above, text)
            return
