"""TRADACOMS transmissions out: documents' segments put into files, with the numbers, counts and sums that files state.

A map writes header and detail of a document as one run of segments. Here they are parted: neighbouring messages of one
type whose headers say the same go into one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from tradehub.edi.envelope import Release
from tradehub.edi.segments import COMPONENT, ELEMENT, Segment
from tradehub.edi.tradacoms import DELIMITERS, DETAIL, FILES

if TYPE_CHECKING:
    from tradehub.edi.outgoing import EnvelopeFacts, OutMessage

SEQUENCED = {"PYT": "", "DNA": "", "ODD": "", "ORF": "", "STL": "", "OLD": "", "ILD": "ODD", "DLD": "ORF"}
"""Segments that are numbered from 1 in their first element, or, within another, in their second below its number."""
INVOICE_SUMS = ((2, 5), (7, 10), (9, 12), (10, 13), (12, 15))
"""Elements of TLR, each the sum of one of STL."""
RATE_SUMS = ((4, 10), (5, 12), (6, 13), (8, 15))
"""Elements of VRS, each the sum of one of the STL of the same rate."""
TOTALS = ((1, 10), (2, 12), (3, 13), (5, 15))
"""Elements of TOT, each the sum of one of all STL."""


def write_transmission(messages: Sequence[OutMessage], envelope: EnvelopeFacts) -> bytes:
    """Return the transmission's bytes; characters that ASCII lacks are replaced."""
    out = _Transmission(envelope)
    files = [list(each) for _, each in groupby(messages, key=_header_of)]
    sides = [COMPONENT.join((side.value, "")).rstrip(COMPONENT) for side in (envelope.sender, envelope.receiver)]
    moment = COMPONENT.join((f"{envelope.at:%y%m%d}", f"{envelope.at:%H%M%S}"))
    syntax = COMPONENT.join((envelope.version or "ANA:1").split(":"))
    what = FILES[messages[0].type][0] if messages else ""
    out.put(Segment("STX", (syntax, *sides, moment, envelope.control_number, "", envelope.application or what)))
    for number, held in enumerate(files, 1):
        if len(files) > 1:
            out.put(Segment("BAT", (str(number),)))
        out.file(held)
        if len(files) > 1:
            out.put(Segment("EOB", (str(out.in_file),)))
    out.put(Segment("END", (str(out.count),)))
    return out.text().encode("ascii", "replace")


def _parted(segments: Iterable[Segment]) -> tuple[list[Segment], list[Segment]]:
    held = list(segments)
    at = next((number for number, each in enumerate(held) if each.tag == DETAIL), len(held))
    return held[:at], held[at:]


def _header_of(message: OutMessage) -> tuple[str, str, tuple[tuple[str, ...], ...]]:
    head, _ = _parted(message.segments)
    said = tuple((each.tag, *each.elements) for each in head if each.tag != "FIL")
    return message.type, message.release, said


class _Transmission:
    def __init__(self, envelope: EnvelopeFacts) -> None:
        self.envelope = envelope
        self.count = self.in_file = 0
        self._parts: list[str] = []
        self._release = Release(DELIMITERS)

    def put(self, segment: Segment) -> None:
        elements = [self._release.cover(each.encode("ascii", "replace").decode()) for each in segment.elements]
        text = ELEMENT.join(elements).rstrip(ELEMENT).replace(ELEMENT, "+").replace(COMPONENT, ":")
        self._parts.append(self._release.release(f"{segment.tag}={text}'"))

    def text(self) -> str:
        return "".join(self._parts)

    def file(self, held: Sequence[OutMessage]) -> None:
        """Put one file: its header message, the details, its trailer messages."""
        self.in_file = 0
        kind, release = held[0].type, held[0].release
        head, trailers = FILES[kind]
        shared, _ = _parted(held[0].segments)
        self._message(head, release, [self._dated(each) for each in shared])
        rates: list[Segment] = []
        for each in held:
            segments = list(_numbered(_parted(each.segments)[1]))
            if kind == "INVOIC":
                segments = _summed(segments)
                rates += [one for one in segments if one.tag == "STL"]
            self._message(kind, release, segments)
        for trailer in trailers:
            self._message(trailer, release, list(_trailer(trailer, len(held), rates)))

    def _message(self, kind: str, release: str, segments: Sequence[Segment]) -> None:
        self.count += 1
        self.in_file += 1
        self.put(Segment("MHD", (str(self.count), COMPONENT.join((kind, release)))))
        for each in segments:
            self.put(each)
        self.put(Segment("MTR", (str(len(segments) + 2),)))

    def _dated(self, segment: Segment) -> Segment:
        """Number and date the file where its document does not: by the transmission's own."""
        if segment.tag != "FIL":
            return segment
        number = self.envelope.control_number[-4:].lstrip("0") or "1"
        ours = (number, "1", f"{self.envelope.at:%y%m%d}")
        given = [*segment.elements, "", "", ""]
        return Segment("FIL", tuple(said or own for said, own in zip(given, ours, strict=False)))


def _numbered(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Yield the segments with their sequence numbers, where these are not given."""
    counts: dict[str, int] = {}
    for each in segments:
        above = SEQUENCED.get(each.tag)
        if above is None:
            yield each
            continue
        counts[each.tag] = counts.get(each.tag, 0) + 1
        for below, parent in SEQUENCED.items():
            if parent == each.tag:
                counts[below] = 0
        own = str(counts[each.tag])
        elements = [*each.elements] or [""]
        if above:
            elements = [elements[0] or str(counts.get(above, 1)), (elements[1:2] or [""])[0] or own, *elements[2:]]
        else:
            elements[0] = elements[0] or own
        yield Segment(each.tag, tuple(elements))


def _summed(segments: list[Segment]) -> list[Segment]:
    """Return an invoice with the counts and sums that its sub-trailers and its trailer have to state."""
    lines = [each.element(10) for each in segments if each.tag == "ILD"]
    found = [_sub_trailer(each, lines.count(each.element(2))) if each.tag == "STL" else each for each in segments]
    rates = [each for each in found if each.tag == "STL"]
    return [_filled(each, {1: len(rates), **_sums(INVOICE_SUMS, rates)}) if each.tag == "TLR" else each
            for each in found]  # fmt: skip


def _sub_trailer(segment: Segment, lines: int) -> Segment:
    payable = _number(segment, 12) + _number(segment, 13)
    return _filled(segment, {4: lines, 15: payable})


def _sums(pairs: Iterable[tuple[int, int]], rates: Sequence[Segment]) -> dict[int, int]:
    return {into: sum(_number(each, element) for each in rates) for into, element in pairs}


def _number(segment: Segment, element: int) -> int:
    text = segment.element(element)
    return int(text) if text.removeprefix("-").isdigit() else 0


def _filled(segment: Segment, values: dict[int, int]) -> Segment:
    elements = [*segment.elements] + [""] * (max(values) - len(segment.elements))
    for element, value in values.items():
        elements[element - 1] = elements[element - 1] or str(value)
    return Segment(segment.tag, tuple(elements))


def _trailer(kind: str, count: int, rates: Sequence[Segment]) -> Iterator[Segment]:
    if kind == "ORDTLR":
        yield Segment("OFT", (str(count),))
    elif kind == "VATTLR":
        by_rate: dict[tuple[str, str], list[Segment]] = {}
        for each in rates:
            by_rate.setdefault((each.element(2), each.element(3)), []).append(each)
        for number, (rate, held) in enumerate(by_rate.items(), 1):
            yield _filled(Segment("VRS", (str(number), *rate)), _sums(RATE_SUMS, held))
    else:  # INVTLR
        yield _filled(Segment("TOT", ()), {**_sums(TOTALS, rates), 6: count})
