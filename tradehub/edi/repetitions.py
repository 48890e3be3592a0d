"""Elements that repeat: ISA11 in X12 from 00402 on, the fifth sign of UNA in EDIFACT's syntax 4.

A map binds the first value of an element. Where the dictionary writes a repeating element out (COM in D.24A: ``C076 x3``),
its values go into those positions, as they would stand in syntax 3. Every further value is judged by its element's rule,
and is kept in the document's extensions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from tradehub.edi.checks import Finding, element_faults, milder
from tradehub.edi.schema import Dictionary, SegmentRule
from tradehub.edi.segments import Fault, Issue


def spread(segments: Iterable[list[str]], repeat: str, dictionary: Dictionary) -> Iterator[list[str]]:
    """Yield segments (tag and elements) without repetitions: first values, and more where there are positions."""
    for pieces in segments:
        if not any(repeat in piece for piece in pieces):
            yield pieces
            continue
        made = [piece.partition(repeat)[0] for piece in pieces]
        last = len(pieces) - 1
        room = _room(dictionary.segments.get(pieces[0]), last)
        yield made + pieces[last].split(repeat)[1:room]


def _room(rule: SegmentRule | None, at: int) -> int:
    """Return how many positions the dictionary gives in a row to what stands at ``at``; one where it says nothing."""
    if rule is None or not 0 < at <= len(rule.uses):
        return 1
    uses = rule.uses[at - 1 :]
    return next((count for count, use in enumerate(uses) if use.ref != uses[0].ref), len(uses))


def judged(
    body: list[str], element: str, component: str, repeat: str, dictionary: Dictionary, *, stands_in: bool
) -> Iterator[tuple[int, str, int, Finding]]:
    """Yield the faults of further values: (number of the segment in the body from 1, tag, repetition, finding)."""
    for number, raw in enumerate(body, 1):
        if repeat not in raw:
            continue
        pieces = raw.split(element)
        rule = dictionary.segments.get(pieces[0])
        for at, piece in enumerate(pieces[1 : len(rule.uses) + 1] if rule is not None else (), 1):
            if repeat not in piece or rule is None:
                continue
            room = _room(rule, at) if at == len(pieces) - 1 else 1
            for repetition, finding in _of_element(rule, at, piece.split(repeat), room, component):
                (told,) = milder([finding]) if stands_in else [finding]
                yield number, pieces[0], repetition, told


def _of_element(
    rule: SegmentRule, at: int, values: list[str], room: int, component: str
) -> Iterator[tuple[int, Finding]]:
    if len(values) > room:
        text = f"{len(values)} repetitions, and the standard has {room}"
        yield room + 1, Finding(Fault.TOO_MANY_REPETITIONS, at, 0, text, rule.uses[at - 1].ref, values[room])
    use = replace(rule.uses[at - 1], mandatory=False)
    for repetition, value in enumerate(values[room:], room + 1):
        for finding in element_faults(use, value, at, component):
            yield repetition, finding


def placed(issue: Issue, repeating: Mapping[int, str], element: str, repeat: str) -> Issue:
    """Return an issue of a spread segment at the repetition where it stands. ``repeating`` holds the raw segments that
    repeat, by their number in the message."""
    raw = repeating.get(issue.at.segment)
    if raw is None or not issue.at.element:
        return issue
    pieces = raw.split(element)
    last = len(pieces) - 1
    if issue.at.element > last and repeat in pieces[last]:
        at = replace(issue.at, element=last, repetition=issue.at.element - last + 1)
        return replace(issue, at=at)
    if issue.at.element <= last and repeat in pieces[issue.at.element]:
        return replace(issue, at=replace(issue.at, repetition=issue.at.repetition or 1))
    return issue
