"""Messages out: segments into an interchange's bytes. Delimiters, released characters and character sets are dealt
with here alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, groupby
from typing import Any

from tradehub.documents import Document
from tradehub.edi import edifact, packages, x12
from tradehub.edi.envelope import (
    EDIFACT_DELIMITERS,
    X12_DELIMITERS,
    Delimiters,
    Id,
    Interchange,
    ReadMessage,
    Release,
)  # fmt: skip
from tradehub.edi.maps import Map, MapStore, plain_of
from tradehub.edi.segments import COMPONENT, ELEMENT, REPEAT, Segment
from tradehub.edi.tradacoms_writing import write_transmission

SPARE = "*|^~!>\\`{}\x1c\x1d\x1e\x1f"  # X12 delimiters to change to where the data holds the agreed ones


REPEATED = frozenset({"COM"})
"""EDIFACT segments whose one element repeats in the directories. Maps write it out: ``a+b``, as in syntax 3."""


@dataclass(frozen=True, slots=True)
class OutMessage:
    """A message to be sent: its ``raw`` segments without ST/SE or UNH/UNT, each a text with the signs of ``segments``."""

    standard: str
    type: str
    release: str
    control_number: str
    raw: tuple[str, ...]
    group: str = ""
    agency: str = "UN"
    association: str = ""

    @property
    def segments(self) -> Iterator[Segment]:
        """Yield the segments, taken apart."""
        for each in self.raw:
            tag, *elements = each.split(ELEMENT)
            yield Segment(tag, tuple(elements))


def raw_of(segments: Iterable[Segment]) -> tuple[str, ...]:
    """Return segments as an ``OutMessage`` holds them."""
    return tuple(ELEMENT.join((each.tag, *each.elements)) for each in segments)


@dataclass(frozen=True, slots=True)
class EnvelopeFacts:
    """What an interchange says around its messages. Control numbers are the caller's, gapless per partner and
    direction.

    ``version`` is ISA12 or S001 (``UNOC:3``); ``group_sender`` and ``group_receiver`` are GS02 and GS03,
    the interchange's ids
    where they are empty, and likewise 0040 and 0044 where EDIFACT messages are ``grouped`` (UNG). ``application`` is
    0026, ``agreement`` 0032. ``delimiters`` and ``charset`` are those of the standard where they are not given.
    """

    standard: str
    sender: Id
    receiver: Id
    control_number: str
    at: datetime
    test: bool = False
    wants_acknowledgement: bool = False
    version: str = ""
    group_control_number: str = ""
    group_sender: str = ""
    group_receiver: str = ""
    delimiters: Delimiters | None = None
    charset: str = ""
    service: tuple[Segment, ...] = ()
    grouped: bool = False
    application: str = ""
    agreement: str = ""


def message(rules: Map, document: Document | Mapping[str, Any], control_number: str) -> OutMessage:
    """Return the document as a message of the map's type."""
    head = rules.head
    raw = rules.write(plain_of(document))
    return OutMessage(
        head.standard,
        head.set,
        head.release,
        control_number,
        tuple(map(_repeating, raw)) if head.standard == "edifact" else tuple(raw),
        head.group,
        head.agency,
        head.association,
    )


def _repeating(raw: str) -> str:
    """Return a segment with its positions as repetitions, which syntax 3 writes as positions again."""
    tag, _, elements = raw.partition(ELEMENT)
    return f"{tag}{ELEMENT}{elements.replace(ELEMENT, REPEAT)}" if tag in REPEATED else raw


def write_interchange(messages: Sequence[OutMessage], envelope: EnvelopeFacts) -> bytes:
    """Return the interchange's bytes. X12 groups are made of neighbouring messages of one kind and numbered from the
    first."""
    if envelope.standard == "x12":
        return _write_x12(messages, envelope)
    if envelope.standard == "tradacoms":
        return write_transmission(messages, envelope)
    return _write_edifact(messages, envelope)


def _write_x12(messages: Sequence[OutMessage], envelope: EnvelopeFacts) -> bytes:
    found = _free_delimiters(messages, envelope)
    facts = _facts(envelope, found, f"{envelope.at:%y%m%d}", f"{envelope.at:%H%M}")
    first = int(envelope.group_control_number or envelope.control_number)
    parts = [x12.isa(facts)]
    parts += _delimited(raw_of(envelope.service), found)
    count = 0
    for count, ((code, release), group) in enumerate(groupby(messages, key=lambda each: (each.group, each.release)), 1):
        held = list(group)
        number = str(first + count - 1)
        sides = (envelope.group_sender or envelope.sender.value, envelope.group_receiver or envelope.receiver.value)
        moment = (f"{envelope.at:%Y%m%d}", f"{envelope.at:%H%M}")
        parts.append(found.element.join(("GS", code, *sides, *moment, number, "X", release)))
        for each in held:
            parts.append(found.element.join(("ST", each.type, each.control_number)))
            parts += _delimited(each.raw, found)
            parts.append(found.element.join(("SE", str(len(each.raw) + 2), each.control_number)))
        parts.append(found.element.join(("GE", str(len(held)), number)))
    parts.append(found.element.join(("IEA", str(count), facts.control_number.zfill(9))))
    text = "".join(part + found.segment for part in parts)
    return text.encode(envelope.charset or ("ascii" if text.isascii() else "utf-8"), "replace")


def _facts(envelope: EnvelopeFacts, found: Delimiters, day: str, time: str) -> Interchange:
    return Interchange(
        envelope.standard, envelope.sender, envelope.receiver, envelope.control_number, envelope.version, envelope.test,
        day, time, envelope.wants_acknowledgement, found, application=envelope.application,
        agreement=envelope.agreement,
    )  # fmt: skip


def _free_delimiters(messages: Sequence[OutMessage], envelope: EnvelopeFacts) -> Delimiters:
    """Return the agreed delimiters, each changed where the data holds it: X12 has no release character."""
    found = envelope.delimiters or X12_DELIMITERS
    if envelope.version >= x12.REPEATS_FROM and not found.repeat:
        found = found._replace(repeat=x12.REPETITION)
    sides = (*envelope.sender, *envelope.receiver, envelope.group_sender, envelope.group_receiver)
    texts = ["".join(sides), *("".join(each.raw) for each in messages)]
    agreed = (found.element, found.component, found.segment, *found.repeat)
    used = {sign for sign in (*agreed, *SPARE) if sign != ELEMENT and any(sign in text for text in texts)}
    signs: list[str] = []
    for sign in agreed:
        taken = used | {each for each in agreed if each != sign} | set(signs)
        signs.append(
            sign if sign not in used and sign not in signs else next(each for each in SPARE if each not in taken)
        )
    element, component, terminator, *repeat = signs
    return found._replace(element=element, component=component, segment=terminator, repeat="".join(repeat))


def _delimited(raw: Iterable[str], found: Delimiters) -> list[str]:
    """Return raw segments with the delimiters of the wire: in one text, where its terminators cannot be mistaken."""
    texts = [each.rstrip(ELEMENT) for each in raw]
    if texts and found.segment not in {ELEMENT, COMPONENT, REPEAT}:
        texts = [found.segment.join(texts)]
    return [
        text.replace(ELEMENT, found.element).replace(COMPONENT, found.component).replace(REPEAT, found.repeat or " ")
        for text in texts
    ]


def _write_edifact(messages: Sequence[OutMessage], envelope: EnvelopeFacts) -> bytes:
    syntax, charset = _syntax(envelope, "".join(chain.from_iterable(each.raw for each in messages)))
    is_fourth = syntax.endswith(":4")
    found = envelope.delimiters or EDIFACT_DELIMITERS
    found = found._replace(repeat=(found.repeat or edifact.REPETITION) if is_fourth else "")
    release = Release(found) if found.release else None
    day = f"{envelope.at:%Y%m%d}" if is_fourth else f"{envelope.at:%y%m%d}"
    facts = _facts(envelope, found, day, f"{envelope.at:%H%M}")
    facts.version = syntax

    signs = found._replace(repeat=found.repeat or found.element)

    def wire(*raw: str) -> list[str]:
        texts = [_encodable(each, charset) for each in raw]
        if release is None or not release.is_needed("".join(texts)):
            return _delimited(texts, signs)
        return [release.release(each) for each in _delimited(map(release.cover, texts), signs)]

    parts = wire(*raw_of([edifact.unb(facts)]))
    count = 0
    for count, (kind, group) in enumerate(_groups(messages, envelope), 1):
        held = list(group)
        number = str(int(envelope.group_control_number or 1) + count - 1)
        if kind is not None:
            parts += wire(*raw_of([_ung(held[0], number, facts, envelope)]))
        for each in held:
            parts += wire(*raw_of([_unh(each)]), *each.raw)
            parts.append(found.element.join(("UNT", str(len(each.raw) + 2), each.control_number)))
        if kind is not None:
            parts.append(found.element.join(("UNE", str(len(held)), number)))
    stated = count if envelope.grouped else len(messages)
    parts.append(found.element.join(("UNZ", str(stated), facts.control_number)))
    una = (
        "UNA"
        + found.component
        + found.element
        + found.decimal
        + (found.release or " ")
        + (found.repeat or " ")
        + found.segment
    )
    return (una + "".join(part + found.segment for part in parts)).encode(charset, "replace")


def _groups(
    messages: Sequence[OutMessage], envelope: EnvelopeFacts
) -> Iterable[tuple[OutMessage | None, Iterable[OutMessage]]]:
    """Return neighbouring messages of one type and version together, or, without groups, all of them."""
    if not envelope.grouped:
        return [(None, messages)]
    return [
        (held[0], held)
        for held in (
            list(group)
            for _, group in groupby(messages, key=lambda each: (each.type, each.release, each.agency, each.association))
        )
    ]


def _ung(first: OutMessage, number: str, facts: Interchange, envelope: EnvelopeFacts) -> Segment:
    sides = (envelope.group_sender or envelope.sender.value, envelope.group_receiver or envelope.receiver.value)
    moment = COMPONENT.join((facts.date, facts.time))
    version = COMPONENT.join(filter(None, (first.release[:1], first.release[1:], first.association)))
    return Segment("UNG", (first.type, *sides, moment, number, first.agency, version))


def _unh(each: OutMessage) -> Segment:
    kind = (each.type, each.release[:1], each.release[1:], each.agency, each.association)
    return Segment("UNH", (each.control_number, COMPONENT.join(filter(None, kind))))


def _syntax(envelope: EnvelopeFacts, texts: str) -> tuple[str, str]:
    """Return S001 and the character set: as agreed, else the narrowest that holds the texts."""
    level = envelope.charset if envelope.charset in edifact.CHARSETS else ""
    version = envelope.version or ""
    level = level or version.partition(":")[0]
    if not level:
        level = "UNOC" if _is_latin(texts) else "UNOY"
    number = version.partition(":")[2] or ("4" if level in {"UNOW", "UNOX", "UNOY"} else "3")
    return f"{level}:{number}", edifact.CHARSETS.get(level, "iso8859-1")


def _is_latin(text: str) -> bool:
    """Return whether ISO 8859-1 holds the text and its bytes cannot be taken for UTF-8."""
    try:
        octets = text.encode("iso8859-1")
    except UnicodeEncodeError:
        return False
    try:
        return octets.decode("utf-8") == text
    except UnicodeDecodeError:
        return True


def _encodable(text: str, charset: str) -> str:
    """Return the text with what the agreed character set lacks replaced, before released characters are marked."""
    if text.isascii():
        return text
    return text.encode(charset, "replace").decode(charset)


def write_back(
    messages: Iterable[ReadMessage],
    maps: MapStore,
    *,
    una: str = "",
    interchanges: Sequence[Interchange] = (),
    objects: Sequence[bytes] = (),
) -> bytes:
    """Return the file that read messages came from, written from their documents: the same bytes, line breaks aside.

    Messages without a map are written as they came, and so is all that stood around messages. ``interchanges`` are
    those of the file: without them one that holds no message is left out. ``objects`` are those of its packages.
    """
    held: dict[int, list[ReadMessage]] = {}
    known = {id(each): each for each in interchanges}
    for each in messages:
        known.setdefault(id(each.interchange), each.interchange)
        held.setdefault(id(each.interchange), []).append(each)
    whole = una.encode("latin-1", "replace")
    for key, interchange in known.items():
        waiting = iter(held.get(key, ()))
        parts = [part or next((_written(each, maps) for each in waiting), "") for part in interchange.layout]
        whole += "".join(parts).encode(interchange.charset, "replace")
    found = next((each.delimiters for each in known.values()), EDIFACT_DELIMITERS)
    return packages.put_back(whole, objects, found)


def _written(each: ReadMessage, maps: MapStore) -> str:
    if each.document is None or not each.map_key:
        return each.raw
    standard, release, kind = each.map_key.split("/")
    found = each.interchange.delimiters
    signs = found if f"{found.release}{found.tag}" in each.raw else found._replace(tag="")
    swap = Release(signs) if found.release else None
    texts = [each.header]
    for raw in maps.get(standard, kind, release, each.guide).write(each.document)[each.shared :]:
        text = swap.cover(raw) if swap is not None else raw
        if found.tag:
            text = text.replace(ELEMENT, found.tag, 1)
        text = text.replace(ELEMENT, found.element).replace(COMPONENT, found.component)
        texts.append(text.replace(REPEAT, found.repeat))
    texts += [each.trailer] if each.trailer else []
    whole = "".join(text + found.segment for text in texts)
    return swap.release(whole) if swap is not None else whole
