"""EDIFACT interchanges: UNA, UNB to UNZ, cut into messages one at a time, and written. Cf. ISO 9735 syntax 1 to 4."""

from __future__ import annotations

from collections.abc import Iterator

from tradehub.edi.envelope import (
    EDIFACT_DELIMITERS,
    HIDDEN,
    NEEDLESS,
    AsciiText,
    Delimiters,
    Group,
    Id,
    Incoming,
    Interchange,
    Release,
    split_segments,
)
from tradehub.edi.segments import COMPONENT, Fault, Issue, Position, Segment, Severity, is_count, miscounted
from tradehub.edi.x12 import Cut, bounds_of, own_text

ENVELOPE_TAGS = ("UNE", "UNG", "UNZ", "UNB")
CHARSETS = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "iso8859-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5", "UNOF":
    "iso8859-7",
    "UNOG": "iso8859-3", "UNOH": "iso8859-4", "UNOI": "iso8859-6", "UNOJ": "iso8859-8", "UNOK": "iso8859-9", "UNOL":
    "iso8859-15",
    "UNOW": "utf-8", "UNOX": "iso2022_jp", "UNOY": "utf-8",
}  # fmt: skip


REPETITION = "*"
"""Repetition separator of syntax 4 where UNA names none. Earlier syntaxes reserve its place in UNA."""


def delimiters(text: str) -> tuple[Delimiters, int]:
    """Return the delimiters and where the segments begin: after UNA, or at once. Only syntax 4 repeats elements.

    A file without a single terminator, and with a segment on each line, ends them by lines.
    """
    if text.startswith("UNA") and len(text) > 8:
        component, element, decimal, release, repeat, segment = tuple(text[3:9])
        found = Delimiters(element, component, segment, release.strip(), "", decimal)
        return found._replace(repeat=(repeat.strip() or REPETITION) if _repeats(text[9:], found) else ""), 9
    if text[3:4] == "\x1d":
        return Delimiters("\x1d", "\x1f", "\x1c", "", "", ","), 0
    found = EDIFACT_DELIMITERS._replace(repeat=REPETITION if _repeats(text, EDIFACT_DELIMITERS) else "")
    by_lines = found.segment not in text and ("\nUNH" in text or "\rUNH" in text)
    return (found._replace(segment="\n") if by_lines else found), 0


def _repeats(text: str, found: Delimiters) -> bool:
    """Return whether the interchange that begins here says syntax 4."""
    pieces = text.lstrip()[:40].split(found.element, 2)
    return pieces[0] == "UNB" and len(pieces) > 1 and pieces[1].split(found.component)[1:2] == ["4"]


def syntax_of(interchange: Interchange) -> tuple[str, str]:
    """Return level and version of the syntax (0001, 0002); UNOC and 3 where the interchange says neither."""
    level, _, rest = interchange.version.partition(":")
    version = rest.partition(":")[0]
    return (level, version or "3") if level.startswith("UNO") else ("UNOC", "3")


def segment_of(text: str, found: Delimiters) -> Segment:
    """Return a service segment as received, apart; an empty one where there is none."""
    return next(split_segments(text, found), Segment(""))


class Edifact:
    """Cuts the messages out of a settled text that begins with UNB, UNG or UNH (after UNA).

    In a text that comes by the chunk released characters are hidden already.
    """

    def __init__(self, text: str | AsciiText | Incoming, found: Delimiters, charset: str) -> None:
        is_released = bool(found.release) and (
            isinstance(text, Incoming) or (isinstance(text, str) and found.release in text)
        )
        self.release = Release(found) if is_released else None
        self._text = self.release.hide(text) if self.release and isinstance(text, str) else text
        self._delimiters = found
        self._charset = charset
        self._advice = ""  # service string advice before an interchange that is not the first
        self.interchanges: list[Interchange] = []
        self._group: Group | None = None
        self._grouped = False
        self._numbers: set[str] = set()  # message references of the group, or of the interchange without groups
        self._groups: set[str] = set()  # references of the interchange's groups
        self._opened: set[str] = set()  # ... of the file's interchanges
        self._levels: set[bool] = set()  # whether the interchange's messages stand in groups: both, and they mix

    def messages(self) -> Iterator[Cut]:
        """Yield the messages in turn; what is wrong with groups and interchanges is noted on them."""
        text, end, at = self._text, self._delimiters.segment, 0
        while at < len(text):
            if isinstance(text, Incoming):
                text.let_go(at)
            stop = text.find(end, at)
            if stop < 0:
                stop = len(text)
            start = at
            while start < stop and text[start] in " \r\n\t\x1a\x00":
                start += 1
            segment = text[start:stop]
            tag = segment[:3]
            if tag == "UNH":
                cut, at = self._message(start, stop, segment)
                self._lay("")
                yield cut
                continue
            if tag == "UNA":
                at = start + 9
                self._advice = text[start:at]
                continue
            if segment.strip("\x1a\x00 \r\n\t"):
                self._envelope(tag, segment)
                self._lay(self._meant(text[start : stop + 1]))
            at = stop + 1
        if self._grouped:
            self._close_group(None)
        if self.interchanges and self.interchanges[-1].header and not self.interchanges[-1].trailer:
            self._note(self.interchanges[-1], Fault.MISSING_TRAILER, "UNZ", "the interchange has no UNZ")

    def _envelope(self, tag: str, segment: str) -> None:
        if tag == "UNB":
            if self.interchanges and self.interchanges[-1].header and not self.interchanges[-1].trailer:
                self._note(self.interchanges[-1], Fault.MISSING_TRAILER, "UNZ", "the interchange has no UNZ")
            self._open(read_unb(self._meant(segment), self._delimiters, self._charset))
            return
        segment = self._meant(segment)
        current = self._current()
        if tag == "UNG":
            self._close_group(None)
            self._open_next(current, read_ung(segment, self._delimiters))
        elif tag == "UNE" and self._grouped:
            self._close_group(segment)
        elif tag == "UNZ" and not current.trailer:
            self._close_group(None)
            self._close(current, segment)
        else:
            current.note_outside(tag, segment)

    def _lay(self, piece: str) -> None:
        self.interchanges[-1].layout += [self._advice, piece] if self._advice else [piece]
        self._advice = ""

    def _meant(self, segment: str) -> str:
        """Return a service segment as it was received, released characters and all."""
        return self.release.release(segment) if self.release else segment

    def _open(self, interchange: Interchange) -> None:
        self._group, self._grouped = None, False
        self._numbers, self._groups, self._levels = set(), set(), set()
        number = interchange.control_number
        if number and number in self._opened:
            self._note(interchange, Fault.DUPLICATE_CONTROL_NUMBER, "UNB", f"{number} is there before", 5)
        self._opened.add(number)
        self.interchanges.append(interchange)

    def _open_next(self, interchange: Interchange, group: Group) -> None:
        """Open a group of its own; groups and messages without one do not mix."""
        number = group.control_number
        if number and number in self._groups:
            self._note_group(interchange, group, Fault.DUPLICATE_CONTROL_NUMBER, f"{number} is there before", "UNG", 5)
        if not number:
            self._note_group(interchange, group, Fault.MISSING_ELEMENT, "UNG has no reference", "UNG", 5)
        self._groups.add(number)
        self._levels.add(True)
        if False in self._levels:
            self._note(interchange, Fault.MIXED_LEVELS, "UNG", "messages stand beside groups")
        interchange.groups.append(group)
        self._group, self._grouped = group, True
        self._numbers = set()

    def _current(self) -> Interchange:
        if not self.interchanges:
            made = Interchange("edifact", delimiters=self._delimiters, charset=self._charset)
            at = Position(tag="UNB")
            made.issues.append(Issue(Fault.BAD_ENVELOPE, at, "there is no UNB", Severity.WARNING))
            self.interchanges.append(made)
        return self.interchanges[-1]

    def _message(self, start: int, stop: int, header: str) -> tuple[Cut, int]:
        text, found = self._text, self._delimiters
        element, end = found.element, found.segment
        close, limit = bounds_of(text, ("UNH", "UNT"), ENVELOPE_TAGS, stop, end, element)
        after = limit if close < 0 else text.find(end, close + 1)
        after = len(text) if after < 0 else after
        raw = text[start:after] + end
        interchange = self._current()
        group = self._open_group(interchange)
        pieces = [*header.split(element), "", ""]
        kind = [*pieces[2].split(found.component), "", "", "", "", ""]
        release = (kind[1] + kind[2]).strip()
        own = raw[stop + 1 - start : limit + 1 - start] if limit > stop else ""
        own = own_text(own, end, is_plain=isinstance(text, AsciiText))
        cut = Cut(interchange, group, kind[0].strip(), release, pieces[1].strip(), header, "", own, raw)
        cut.agency, cut.association, cut.hidden = kind[3].strip() or "UN", kind[4].strip(), self._is_hidden(own)
        self._check_header(cut)
        if close < 0:
            cut.issues.append(self._issue(cut, Fault.MISSING_TRAILER, cut.count + 2, 0, "", "the message has no UNT"))
        else:
            cut.trailer = raw[close + 1 - start : -1]
            self._check_trailer(cut)
        if self.release is not None:
            cut.raw = self.release.release(raw)
        return cut, after + 1

    def _is_hidden(self, text: str) -> bool:
        return self.release is not None and not text.isascii() and any(sign in text for sign in HIDDEN + NEEDLESS)

    def _check_header(self, cut: Cut) -> None:
        number = cut.control_number
        if not number:
            cut.issues.append(self._issue(cut, Fault.MISSING_ELEMENT, 1, 1, "", "UNH has no reference", "UNH"))
        elif number in self._numbers:
            text = f"{number} is the reference of an earlier message"
            cut.issues.append(self._issue(cut, Fault.DUPLICATE_CONTROL_NUMBER, 1, 1, number, text, "UNH"))
        self._numbers.add(number)

    def _check_trailer(self, cut: Cut) -> None:
        pieces = [each.strip() for each in cut.trailer.split(self._delimiters.element)]
        count = cut.count + 2
        stated = pieces[1] if len(pieces) > 1 else ""
        if not is_count(stated, count):
            text = miscounted("UNT", stated, count, "segment")
            cut.issues.append(self._issue(cut, Fault.WRONG_SEGMENT_COUNT, count, 1, stated, text))
        control = pieces[2] if len(pieces) > 2 else ""
        if control != cut.control_number:
            text = f"UNT ends {control or 'nothing'}, UNH began {cut.control_number or 'nothing'}"
            cut.issues.append(self._issue(cut, Fault.CONTROL_NUMBER_MISMATCH, count, 2, control, text))

    @staticmethod
    def _issue(cut: Cut, fault: Fault, number: int, element: int, value: str, text: str, tag: str = "UNT") -> Issue:
        group = cut.group.control_number
        at = Position(cut.interchange.control_number, group, cut.control_number, number, tag, "", element)
        return Issue(fault, at, text, value=value)

    def _open_group(self, interchange: Interchange) -> Group:
        if self._group is None:
            self._group = Group()
            self._numbers = set()
            self._levels.add(False)
            if True in self._levels:
                self._note(interchange, Fault.MIXED_LEVELS, "UNH", "a message stands beside groups")
            interchange.groups.append(self._group)
        return self._group

    def _close_group(self, segment: str | None) -> None:
        group, grouped = self._group, self._grouped
        self._group, self._grouped = None, False
        if group is None or not grouped:
            return
        interchange = self.interchanges[-1]
        if segment is None:
            self._note_group(interchange, group, Fault.MISSING_TRAILER, "the group has no UNE")
            return
        group.trailer = segment
        count, number = (segment_of(segment, self._delimiters).element(at).strip() for at in (1, 2))
        if not is_count(count, len(group.messages)):
            text = miscounted("UNE", count, len(group.messages), "message")
            self._note_group(interchange, group, Fault.WRONG_MESSAGE_COUNT, text, element=1)
        if number != group.control_number:
            text = f"UNE ends {number or 'nothing'}, UNG began {group.control_number or 'nothing'}"
            self._note_group(interchange, group, Fault.CONTROL_NUMBER_MISMATCH, text, element=2)
        if not group.messages:
            self._note_group(interchange, group, Fault.EMPTY_LEVEL, "the group is empty")

    def _close(self, interchange: Interchange, segment: str) -> None:
        interchange.trailer = segment
        stated, number = (segment_of(segment, self._delimiters).element(at).strip() for at in (1, 2))
        has_groups = any(group.header for group in interchange.groups)
        count = len(interchange.groups) if has_groups else len(interchange.messages)
        if not is_count(stated, count):
            text = miscounted("UNZ", stated, count, "group" if has_groups else "message")
            self._note(interchange, Fault.WRONG_MESSAGE_COUNT, "UNZ", text, 1)
        if number != interchange.control_number:
            text = f"UNZ ends {number or 'nothing'}, UNB began {interchange.control_number or 'nothing'}"
            self._note(interchange, Fault.CONTROL_NUMBER_MISMATCH, "UNZ", text, 2)
        if not interchange.groups:
            self._note(interchange, Fault.EMPTY_LEVEL, "UNZ", "the interchange is empty")

    @staticmethod
    def _note(interchange: Interchange, fault: Fault, tag: str, text: str, element: int = 0) -> None:
        at = Position(interchange.control_number, tag=tag, element=element)
        interchange.issues.append(Issue(fault, at, text))

    @staticmethod
    def _note_group(
        interchange: Interchange, group: Group, fault: Fault, text: str, tag: str = "UNE", element: int = 0
    ) -> None:
        at = Position(interchange.control_number, group.control_number, tag=tag, element=element)
        group.issues.append(Issue(fault, at, text))


def read_unb(segment: str, found: Delimiters, charset: str) -> Interchange:
    """Return the interchange that UNB opens, and what is wrong with UNB on it."""
    header = segment_of(segment, found)
    stated = tuple(each.strip() for each in header.components(1))
    made = Interchange(
        "edifact",
        Id(header.element(2, 2).strip(), header.element(2, 1).strip()),
        Id(header.element(3, 2).strip(), header.element(3, 1).strip()),
        header.element(5, 1).strip(),
        ":".join(each for each in stated if each),
        header.element(11).strip() == "1",
        header.element(4, 1).strip(),
        header.element(4, 2).strip(),
        header.element(9).strip() in WANTED,
        found,
        charset,
        segment,
        application=header.element(7).strip(),
        agreement=header.element(10).strip(),
    )
    made.issues += _faults_of_unb(made, (*stated, "", ""))
    return made


WANTED = frozenset({"1", "2"})
"""Values of 0031 that ask for an acknowledgement; 2, of syntax 4, for one of receipt alone."""


def _faults_of_unb(made: Interchange, stated: tuple[str, ...]) -> Iterator[Issue]:
    """Yield what is wrong: without its reference an interchange cannot be answered; the rest is passed over."""

    def issue(fault: Fault, element: int, component: int, text: str, severity: Severity, value: str = "") -> Issue:
        at = Position(made.control_number, tag="UNB", element=element, component=component)
        return Issue(fault, at, text, severity, value=value)

    if not made.control_number:
        yield issue(Fault.MISSING_ELEMENT, 5, 0, "UNB has no reference", Severity.ERROR)
    if stated[0] not in CHARSETS:
        text = f"{stated[0]!r} is no syntax level" if stated[0] else "UNB names no syntax level"
        yield issue(Fault.INVALID_CODE, 1, 1, text, Severity.WARNING, stated[0])
    if stated[1] not in {"1", "2", "3", "4"}:
        text = f"{stated[1]!r} is no version of the syntax" if stated[1] else "UNB names no version of the syntax"
        yield issue(Fault.INVALID_CODE, 1, 2, text, Severity.WARNING, stated[1])
    for element, side in ((2, made.sender), (3, made.receiver)):
        if not side.value:
            yield issue(Fault.MISSING_ELEMENT, element, 1, "UNB names nobody here", Severity.WARNING)


def read_ung(segment: str, found: Delimiters) -> Group:
    """Return the group that UNG opens."""
    header = segment_of(segment, found)
    version = "".join(header.components(7))
    code, sender, receiver, number = (header.element(at, 1).strip() for at in (1, 2, 3, 5))
    return Group(code, sender, receiver, number, version, segment)


def unb(interchange: Interchange) -> Segment:
    """Return the UNB segment that says what is known of an interchange."""
    syntax = COMPONENT.join(interchange.version.split(":") if interchange.version else ("UNOC", "3"))
    sides = [
        COMPONENT.join(filter(None, (side.value, side.qualifier)))
        for side in (interchange.sender, interchange.receiver)
    ]
    moment = COMPONENT.join((interchange.date, interchange.time))
    asks = "1" if interchange.wants_acknowledgement else ""
    test = "1" if interchange.test else ""
    return Segment(
        "UNB",
        (
            syntax, *sides, moment, interchange.control_number, "", interchange.application, "", asks,
            interchange.agreement, test,
        ),
    )  # fmt: skip
