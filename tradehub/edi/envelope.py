"""What stands around messages: interchanges, groups, delimiters; and one message as read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tradehub.edi.segments import COMPONENT, Fault, Issue, Position, Segment, Severity

MOST_DIGITS = 35  # of a count or control number in any standard; Python itself refuses numbers of thousands


class Delimiters(NamedTuple):
    """``release`` is empty in X12, ``repeat`` where the version has none; ``tag`` parts a segment's tag from its first
    element where that is a sign of its own (TRADACOMS)."""

    element: str = "*"
    component: str = ":"
    segment: str = "~"
    release: str = ""
    repeat: str = ""
    decimal: str = "."
    tag: str = ""


X12_DELIMITERS = Delimiters("*", ">", "~")
EDIFACT_DELIMITERS = Delimiters("+", ":", "'", "?")


class Id(NamedTuple):
    """Who sends or receives: qualifier and value, as on the wire without padding."""

    qualifier: str = ""
    value: str = ""


NOBODY = Id()
MOST_ISSUES = 500
"""Kept for one message, or around them: an acknowledgement of more helps nobody, and memory stays bounded."""


@dataclass(slots=True)
class Verdict:
    """What an acknowledgement needs to know of one message."""

    type: str
    release: str
    control_number: str
    accepted: bool
    issues: tuple[Issue, ...] = ()
    segments: dict[int, tuple[str, ...]] = field(default_factory=dict)
    agency: str = "UN"
    association: str = ""


@dataclass(slots=True)
class Group:
    """A functional group. ``header`` and ``trailer`` are the segments as received, empty where there is none."""

    code: str = ""
    sender: str = ""
    receiver: str = ""
    control_number: str = ""
    version: str = ""
    header: str = ""
    trailer: str = ""
    messages: list[Verdict] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    @property
    def accepted(self) -> bool:
        return not any(issue.is_error for issue in self.issues)


@dataclass(slots=True)
class Interchange:
    """An interchange as received; complete only when all its messages have been read."""

    standard: str
    sender: Id = NOBODY
    receiver: Id = NOBODY
    control_number: str = ""
    version: str = ""
    test: bool = False
    date: str = ""
    time: str = ""
    wants_acknowledgement: bool = False
    delimiters: Delimiters = X12_DELIMITERS
    charset: str = "ascii"
    header: str = ""
    trailer: str = ""
    service: list[str] = field(default_factory=list)  # TA1 and the like, as received
    layout: list[str] = field(default_factory=list)
    """All that stands around its messages, as received and in its order, each with its terminator: header, trailer,
    those of its groups, service segments, whatever else was found there; an empty text for each message."""
    groups: list[Group] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    application: str = ""
    agreement: str = ""

    @property
    def accepted(self) -> bool:
        return not any(issue.is_error for issue in self.issues)

    def note_outside(self, tag: str, segment: str) -> None:
        """Note a segment that stands outside of any message; of very many, the first."""
        if len(self.issues) < MOST_ISSUES:
            at = Position(self.control_number, tag=tag[:20])
            text = f"{tag[:20] or 'a segment without a tag'} stands outside of any message"
            self.issues.append(Issue(Fault.TRAILING_GARBAGE, at, text, Severity.WARNING, value=segment[:80]))

    @property
    def messages(self) -> list[Verdict]:
        return [message for group in self.groups for message in group.messages]


@dataclass(slots=True)
class ReadMessage:
    """One message: its document, what is wrong with it, and its own text. ``document`` is None where no map fits."""

    standard: str
    type: str
    release: str
    control_number: str
    interchange: Interchange
    group: Group
    document: dict[str, Any] | None
    issues: tuple[Issue, ...]
    raw: str
    map_key: str = ""
    map_sha256: str = ""
    association: str = ""
    header: str = ""
    trailer: str = ""
    guide: Any = None
    shared: int = 0  # segments of the document that stand in the file's header message (TRADACOMS)

    @property
    def accepted(self) -> bool:
        """Return whether neither the message nor, once it is read to its end, its group or interchange is at fault."""
        return (
            not any(issue.severity is Severity.ERROR for issue in self.issues)
            and self.group.accepted
            and self.interchange.accepted
        )

    def segments(self) -> Iterator[Segment]:
        """Yield the message's segments, ST or UNH first."""
        yield from split_segments(self.raw, self.interchange.delimiters)


def figure(text: str) -> int:
    """Return the count that an envelope states, -1 where the text is none: other digits than ours, or too many."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else -1


def split_segments(raw: str, delimiters: Delimiters) -> Iterator[Segment]:
    """Yield the segments of a text, numbered from 1; released characters stand for themselves."""
    swap = Release(delimiters) if delimiters.release and delimiters.release in raw else None
    text = swap.hide(raw) if swap else raw
    number = 0
    for each in text.split(delimiters.segment):
        piece = each.strip("\r\n")
        if not piece.strip():
            continue
        number += 1
        if delimiters.tag:
            piece = piece[:3] + piece[3:].replace(delimiters.tag, delimiters.element, 1)
        tag, *elements = piece.replace(delimiters.component, COMPONENT).split(delimiters.element)
        if swap:
            elements = [swap.show(element).replace(NEEDLESS, "") for element in elements]
        yield Segment(tag.strip(), tuple(elements), number)


NEEDLESS = "\ue006"  # a release character before a sign that needs none: kept as it came, not part of the value
# Private code points that stand for released characters while a text is split.
HIDDEN = "\ue000\ue001\ue002\ue003\ue004\ue005"


class Release:
    """Swaps released characters for private code points, and back to what they stand for."""

    def __init__(self, delimiters: Delimiters) -> None:
        mark = delimiters.release
        signs = [mark, delimiters.element, delimiters.component, delimiters.segment]
        if delimiters.repeat.strip():
            signs.append(delimiters.repeat)
        if delimiters.tag:
            signs.append(delimiters.tag)
        self._pairs = [(mark + sign, hidden) for sign, hidden in zip(signs, HIDDEN, strict=False) if sign]
        self._shown = {ord(hidden): pair[1] for pair, hidden in self._pairs}
        self._hidden = {ord(pair[1]): hidden for pair, hidden in self._pairs}
        self._released = {ord(hidden): pair for pair, hidden in self._pairs} | {ord(NEEDLESS): mark}
        self._mark = mark

    def hide(self, text: str) -> str:
        """Replace each released character."""
        for pair, hidden in self._pairs:
            text = text.replace(pair, hidden)
        return text.replace(self._mark, NEEDLESS)

    def show(self, text: str) -> str:
        """Return what the text means."""
        return text.translate(self._shown)

    def is_needed(self, text: str) -> bool:
        """Return whether a meaning holds a sign that has to be released."""
        return any(chr(sign) in text for sign in self._hidden)

    def cover(self, text: str) -> str:
        """Return a meaning with its delimiters hidden, so that it can be joined."""
        return text.translate(self._hidden)

    def release(self, text: str) -> str:
        """Return a joined text as it goes on the wire."""
        return text.translate(self._released)

    def show_all(self, value: Any) -> Any:
        """Return a plain document with every text as it is meant."""
        if isinstance(value, str):
            return value.translate(self._shown)
        if isinstance(value, dict):
            return {name: self.show_all(each) for name, each in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.show_all(each) for each in value)
        return value


class Incoming(ABC):
    """A text that comes by the chunk (``stream.TextStream``), in positions of the whole."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def __getitem__(self, at: int | slice) -> str: ...

    @abstractmethod
    def find(self, text: str, start: int = 0, end: int | None = None) -> int: ...

    @abstractmethod
    def let_go(self, at: int) -> None:
        """Forget what lies before ``at``."""


class AsciiText:
    """An ASCII file as text without a second copy of it: slices are decoded as they are asked for."""

    __slots__ = ("_bytes",)

    def __init__(self, data: bytes) -> None:
        self._bytes = data

    def beyond(self, at: int) -> AsciiText:
        return AsciiText(self._bytes[at:])

    def __len__(self) -> int:
        return len(self._bytes)

    def __getitem__(self, at: int | slice) -> str:
        return chr(self._bytes[at]) if isinstance(at, int) else self._bytes[at].decode("ascii")

    def find(self, text: str, start: int = 0, end: int | None = None) -> int:
        return self._bytes.find(text.encode("ascii"), start, len(self._bytes) if end is None else end)
