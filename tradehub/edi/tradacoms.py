"""TRADACOMS transmissions: STX to END, cut into messages one at a time, and written. Cf. ANA TRADACOMS, UN/GTDI syntax.

A transmission holds files. A file is a header message (ORDHDR), detail messages (ORDERS) and trailer messages (ORDTLR):
here it is a group. What the header message says (who sells, who buys, which file) is part of every document of the
file, so each detail message is read together with it (docs/tradacoms.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from tradehub.edi.envelope import AsciiText, Delimiters, Group, Id, Incoming, Interchange, Release, split_segments
from tradehub.edi.segments import Fault, Issue, Position, Segment, Severity, is_count, miscounted
from tradehub.edi.x12 import Cut

DELIMITERS = Delimiters("+", ":", "'", "?", tag="=")
SERVICE_TAGS = frozenset({"STX", "BAT", "MHD", "EOB", "END"})
"""Segments at which a message without MTR ends."""
FILES = {
    "ORDERS": ("ORDHDR", ("ORDTLR",)),
    "DELIVR": ("DELHDR", ("DELTLR",)),
    "INVOIC": ("INVFIL", ("VATTLR", "INVTLR")),
}
"""The header and trailer messages of the files whose details we write."""
DETAIL = "CLO"
"""The segment with which every detail message that we write begins; what stands before it goes into the header."""
COUNTS = {"ORDTLR": ("OFT", 1), "INVTLR": ("TOT", 6)}
"""Where a trailer message states how many detail messages its file holds."""


def delimiters(text: str) -> tuple[Delimiters, int]:
    """Return the delimiters, which are fixed, and where the segments begin."""
    return DELIMITERS, 0


@dataclass(slots=True)
class Message:
    """A message of any kind as cut: ``body`` without MHD and MTR."""

    header: str
    body: list[str]
    trailer: str
    raw: str
    number: str = ""
    type: str = ""
    version: str = ""
    issues: list[tuple[Fault, int, str, int, str, str, Severity]] = field(default_factory=list)

    def note(
        self, fault: Fault, segment: int, tag: str, element: int, value: str, text: str, severity: Severity
    ) -> None:
        self.issues.append((fault, segment, tag, element, value, text, severity))

    @property
    def is_header(self) -> bool:
        return self.type.endswith("HDR") or self.type == "INVFIL"

    @property
    def is_trailer(self) -> bool:
        return self.type.endswith("TLR") or self.type == "RSGRSG"


class Tradacoms:
    """Cuts the detail messages out of a settled text that begins with STX."""

    def __init__(self, text: str | AsciiText | Incoming, found: Delimiters, charset: str) -> None:
        whole = text if isinstance(text, str) else text[0 : len(text)]
        self.release = Release(found) if found.release in whole else None
        self._text = self.release.hide(whole) if self.release else whole
        self._delimiters = found
        self._charset = charset
        self.interchanges: list[Interchange] = []
        self._group: Group | None = None
        self._shared: Message | None = None
        self._batch = ""
        self._count = 0
        self._in_batch = 0
        self._numbers: set[str] = set()
        self._opened: set[str] = set()

    def messages(self) -> Iterator[Cut]:
        """Yield the detail messages in turn; what is wrong with files and transmissions is noted on them."""
        at = 0
        while at < len(self._text):
            start, stop = self._next(at)
            segment = self._text[start:stop]
            at = stop + 1
            if not segment.strip("\x1a\x00 \r\n\t"):
                continue
            if segment[:3] == "MHD":
                taken, at = self._take(start, stop)
                cut = self._sorted(taken)
                self.interchanges[-1].layout.append(taken.raw if cut is None else "")
                if cut is not None:
                    yield cut
            else:
                self._service(segment[:3], segment)
                self.interchanges[-1].layout.append(self._meant(self._text[start : stop + 1]))
        self._close_file()
        self._end_missing()

    def _next(self, at: int) -> tuple[int, int]:
        """Return where the segment at ``at`` begins, behind blanks, and where its terminator stands."""
        stop = self._text.find(self._delimiters.segment, at)
        stop = len(self._text) if stop < 0 else stop
        while at < stop and self._text[at] in " \r\n\t\x1a\x00":
            at += 1
        return at, stop

    def _take(self, start: int, stop: int) -> tuple[Message, int]:
        """Return the message that begins at ``start``, and where what follows it begins."""
        header, body, at, trailer = self._text[start:stop], [], stop + 1, ""
        end = stop
        while at < len(self._text):
            begin, limit = self._next(at)
            segment = self._text[begin:limit]
            if segment[:3] in SERVICE_TAGS:
                break
            at, end = limit + 1, limit
            if segment[:3] == "MTR":
                trailer = segment
                break
            if segment.strip():
                body.append(segment)
        taken = Message(header, body, trailer, self._meant(self._text[start:end]) + self._delimiters.segment)
        self._judge(taken)
        return taken, at

    def _judge(self, taken: Message) -> None:
        """Read what MHD and MTR say, and note what is wrong with it."""
        head = self._segment(taken.header)
        taken.number, taken.type = head.element(1).strip(), head.element(2, 1).strip()
        taken.version = head.element(2, 2).strip()
        self._count += 1
        self._in_batch += 1
        if not taken.number:
            taken.note(Fault.MISSING_ELEMENT, 1, "MHD", 1, "", "MHD has no number", Severity.ERROR)
        elif taken.number in self._numbers:
            text = f"{taken.number} is the number of an earlier message"
            taken.note(Fault.DUPLICATE_CONTROL_NUMBER, 1, "MHD", 1, taken.number, text, Severity.ERROR)
        elif taken.number.lstrip("0") != str(self._count):
            text = f"the message is number {self._count} of the transmission"
            taken.note(Fault.CONTROL_NUMBER_MISMATCH, 1, "MHD", 1, taken.number, text, Severity.WARNING)
        self._numbers.add(taken.number)
        count = len(taken.body) + 2
        if not taken.trailer:
            text = "the message has no MTR"
            taken.note(Fault.MISSING_TRAILER, count, "MTR", 0, "", text, Severity.ERROR)
            return
        stated = self._segment(taken.trailer).element(1).strip()
        if not is_count(stated, count):
            text = miscounted("MTR", stated, count, "segment")
            taken.note(Fault.WRONG_SEGMENT_COUNT, count, "MTR", 1, stated, text, Severity.ERROR)

    def _sorted(self, taken: Message) -> Cut | None:
        """Put a message where it belongs; return it as cut where it is a detail message."""
        interchange = self.interchanges[-1]
        if taken.is_header:
            self._close_file()
            self._open_file(interchange, taken)
            return None
        if taken.is_trailer and self._group is not None:
            self._end_file(interchange, self._group, taken)
            return None
        return self._detail(interchange, taken)

    def _open_file(self, interchange: Interchange, taken: Message) -> None:
        number = next((each.element(1) for each in self._segments(taken.body) if each.tag == "FIL"), "")
        group = Group(taken.type, "", "", number, taken.version, self._batch + self._bare(taken.raw))
        self._batch = ""
        group.issues += self._placed(taken, interchange, group)
        interchange.groups.append(group)
        self._group, self._shared = group, taken

    def _end_file(self, interchange: Interchange, group: Group, taken: Message) -> None:
        group.trailer += (self._delimiters.segment if group.trailer else "") + self._bare(taken.raw)
        group.issues += self._placed(taken, interchange, group)
        tag, element = COUNTS.get(taken.type, ("", 0))
        for each in self._segments(taken.body):
            stated = each.element(element).strip() if each.tag == tag else ""
            if stated and stated != str(len(group.messages)):
                text = miscounted(tag, stated, len(group.messages), "message") + " in the file"
                at = Position(interchange.control_number, group.control_number, taken.number, 2, tag, "", element)
                group.issues.append(Issue(Fault.WRONG_MESSAGE_COUNT, at, text, Severity.WARNING, value=stated))
            if each.tag == "RSG" and each.element(1).strip() != interchange.control_number:
                text = f"RSG ends {each.element(1).strip() or 'nothing'}, STX began {interchange.control_number}"
                at = Position(interchange.control_number, group.control_number, taken.number, 2, "RSG", "", 1)
                group.issues.append(Issue(Fault.CONTROL_NUMBER_MISMATCH, at, text, value=each.element(1)))

    def _detail(self, interchange: Interchange, taken: Message) -> Cut:
        if self._group is None:
            self._group, self._shared = Group(header=""), None
            interchange.groups.append(self._group)
            at = Position(interchange.control_number, "", taken.number, tag="MHD")
            said = f"the message {taken.type} stands in no file"
            self._group.issues.append(Issue(Fault.BAD_ENVELOPE, at, said))
        shared = self._shared.body if self._shared is not None else []
        text = "".join(self._uniform(each) + self._delimiters.segment for each in (*shared, *taken.body))
        cut = Cut(
            interchange, self._group, taken.type, taken.version, taken.number, self._meant(taken.header),
            self._meant(taken.trailer), text, taken.raw,
        )  # fmt: skip
        cut.shared, cut.hidden = len(shared), self.release is not None
        cut.shared_number = self._shared.number if self._shared is not None else ""
        cut.issues += self._placed(taken, interchange, self._group)
        return cut

    def _placed(self, taken: Message, interchange: Interchange, group: Group) -> Iterator[Issue]:
        for fault, number, tag, element, value, text, severity in taken.issues:
            at = Position(interchange.control_number, group.control_number, taken.number, number, tag, "", element)
            yield Issue(fault, at, text, severity, value=value)

    def _close_file(self) -> None:
        group, self._group, self._shared = self._group, None, None
        if group is None or not group.header:
            return
        at = Position(self.interchanges[-1].control_number, group.control_number, tag=group.code)
        if not group.trailer:
            group.issues.append(Issue(Fault.MISSING_TRAILER, at, "the file has no trailer message"))
        if not group.messages:
            group.issues.append(Issue(Fault.EMPTY_LEVEL, at, "the file is empty"))

    def _service(self, tag: str, segment: str) -> None:
        if tag == "STX":
            self._close_file()
            self._end_missing()
            self._open(read_stx(self._meant(segment), self._delimiters, self._charset))
            return
        current = self.interchanges[-1]
        if tag == "BAT":
            self._close_file()
            self._batch, self._in_batch = self._meant(segment) + self._delimiters.segment, 0
        elif tag == "EOB":
            self._end_batch(current, segment)
        elif tag == "END":
            self._close_file()
            self._close(current, segment)
        else:
            current.note_outside(tag, segment)

    def _open(self, interchange: Interchange) -> None:
        number = interchange.control_number
        if number and number in self._opened:
            self._note(interchange, Fault.DUPLICATE_CONTROL_NUMBER, "STX", f"{number} is there before", 5)
        self._opened.add(number)
        self.interchanges.append(interchange)
        self._count, self._in_batch, self._numbers = 0, 0, set()

    def _end_batch(self, interchange: Interchange, segment: str) -> None:
        if interchange.groups:
            group = interchange.groups[-1]
            group.trailer += (self._delimiters.segment if group.trailer else "") + self._meant(segment)
        stated = self._segment(segment).element(1).strip()
        if stated != str(self._in_batch):
            text = miscounted("EOB", stated, self._in_batch, "message")
            self._note(interchange, Fault.WRONG_MESSAGE_COUNT, "EOB", text, 1)

    def _close(self, interchange: Interchange, segment: str) -> None:
        interchange.trailer = segment
        stated = self._segment(segment).element(1).strip()
        if not is_count(stated, self._count):
            text = miscounted("END", stated, self._count, "message")
            self._note(interchange, Fault.WRONG_MESSAGE_COUNT, "END", text, 1)
        if not interchange.groups:
            self._note(interchange, Fault.EMPTY_LEVEL, "END", "the transmission is empty", 0)

    def _end_missing(self) -> None:
        if self.interchanges and self.interchanges[-1].header and not self.interchanges[-1].trailer:
            self._note(self.interchanges[-1], Fault.MISSING_TRAILER, "END", "the transmission has no END", 0)

    @staticmethod
    def _note(interchange: Interchange, fault: Fault, tag: str, text: str, element: int) -> None:
        at = Position(interchange.control_number, tag=tag, element=element)
        interchange.issues.append(Issue(fault, at, text))

    # texts

    def _meant(self, text: str) -> str:
        return self.release.release(text) if self.release else text

    def _bare(self, raw: str) -> str:
        return raw.removesuffix(self._delimiters.segment)

    def _uniform(self, segment: str) -> str:
        """Return a segment with its tag parted like an element, as maps read it."""
        return segment[:3] + segment[3:].replace(self._delimiters.tag, self._delimiters.element, 1)

    def _segment(self, text: str) -> Segment:
        return next(self._segments([text]), Segment(""))

    def _segments(self, texts: Sequence[str]) -> Iterator[Segment]:
        for text in texts:
            yield from split_segments(self._meant(text), self._delimiters)


def read_stx(segment: str, found: Delimiters, charset: str) -> Interchange:
    """Return the transmission that STX opens. Who has no code is known by name."""
    header = next(split_segments(segment, found), Segment("STX"))
    sender, receiver = (Id("", (header.element(at, 1) or header.element(at, 2)).strip()) for at in (2, 3))
    made = Interchange(
        "tradacoms", sender, receiver, header.element(5).strip(), ":".join(header.components(1)), False,
        header.element(4, 1).strip(), header.element(4, 2).strip(), False, found, charset, segment,
        application=header.element(7).strip(),
    )  # fmt: skip
    if not made.control_number:
        at = Position(tag="STX", element=5)
        made.issues.append(Issue(Fault.MISSING_ELEMENT, at, "STX has no reference", Severity.WARNING))
    return made
