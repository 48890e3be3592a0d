"""EDIFACT interchanges: UNA, UNB to UNZ, cut into messages one at a time, and written. Cf. ISO 9735 syntax 1 to 4."""

from __future__ import annotations

from collections.abc import Iterator

from tradehub.edi.envelope import EDIFACT_DELIMITERS, AsciiText, Delimiters, Group, Id, Interchange, Release
from tradehub.edi.segments import Fault, Issue, Position, Severity
from tradehub.edi.x12 import Cut, own_text

ENVELOPE_TAGS = ("UNH", "UNE", "UNG", "UNZ", "UNB")
CHARSETS = {
    "UNOA": "ascii", "UNOB": "ascii", "UNOC": "iso8859-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5", "UNOF":
    "iso8859-7",
    "UNOG": "iso8859-3", "UNOH": "iso8859-4", "UNOI": "iso8859-6", "UNOJ": "iso8859-8", "UNOK": "iso8859-9", "UNOL":
    "iso8859-15",
    "UNOW": "utf-8", "UNOX": "iso2022_jp", "UNOY": "utf-8",
}  # fmt: skip


def delimiters(text: str) -> tuple[Delimiters, int]:
    """Return the delimiters and where the segments begin: after UNA, or at once."""
    if text.startswith("UNA") and len(text) > 8:
        component, element, decimal, release, repeat, segment = tuple(text[3:9])
        found = Delimiters(element, component, segment, release.strip(), repeat.strip(), decimal)
        return found, 9
    if text.startswith(("UNB", "UNG", "UNH")):
        element = text[3:4]
        if element == "\x1d":
            return Delimiters("\x1d", "\x1f", "\x1c", "", "", ","), 0
    return EDIFACT_DELIMITERS, 0


class Edifact:
    """Cuts the messages out of a settled text that begins with UNB, UNG or UNH (after UNA)."""

    def __init__(self, text: str | AsciiText, found: Delimiters, charset: str, una: str = "") -> None:
        self.hidden = isinstance(text, str) and bool(found.release) and found.release in text
        self.release = Release(found) if self.hidden else None
        self._text = self.release.hide(text) if self.release and isinstance(text, str) else text
        self._delimiters = found
        self._charset = charset
        self._una = una
        self.interchanges: list[Interchange] = []
        self._group: Group | None = None
        self._grouped = False

    def messages(self) -> Iterator[Cut]:
        """Yield the messages in turn; what is wrong with groups and interchanges is noted on them."""
        text, length = self._text, len(self._text)
        end, at = self._delimiters.segment, 0
        while at < length:
            stop = text.find(end, at)
            if stop < 0:
                stop = length
            start = at
            while start < stop and text[start] in " \r\n\t\x1a\x00":
                start += 1
            segment = text[start:stop]
            tag = segment[:3]
            if tag == "UNH":
                cut, at = self._message(start, stop)
                yield cut
                continue
            if tag == "UNA":
                at = start + 9
                continue
            if segment.strip("\x1a\x00 \r\n\t"):
                self._envelope(tag, segment)
            at = stop + 1
        if self._grouped:
            self._close_group(None)
        if self.interchanges and self.interchanges[-1].header and not self.interchanges[-1].trailer:
            self._note(self.interchanges[-1], Fault.MISSING_TRAILER, "UNZ", "the interchange has no UNZ")

    def _envelope(self, tag: str, segment: str) -> None:
        if tag == "UNB":
            if self.interchanges and self.interchanges[-1].header and not self.interchanges[-1].trailer:
                self._note(self.interchanges[-1], Fault.MISSING_TRAILER, "UNZ", "the interchange has no UNZ")
            self.interchanges.append(read_unb(segment, self._delimiters, self._charset))
            self._group, self._grouped = None, False
            return
        current = self._current()
        if tag == "UNG":
            self._close_group(None)
            self._group, self._grouped = read_ung(segment, self._delimiters), True
            current.groups.append(self._group)
        elif tag == "UNE":
            self._close_group(segment)
        elif tag == "UNZ":
            self._close_group(None)
            self._close(current, segment)
        else:
            at = Position(current.control_number, tag=tag)
            text = f"{tag} stands outside of any message"
            current.issues.append(Issue(Fault.TRAILING_GARBAGE, at, text, Severity.WARNING, value=segment[:80]))

    def _current(self) -> Interchange:
        if not self.interchanges:
            made = Interchange("edifact", delimiters=self._delimiters, charset=self._charset)
            at = Position(tag="UNB")
            made.issues.append(Issue(Fault.BAD_ENVELOPE, at, "there is no UNB", Severity.WARNING))
            self.interchanges.append(made)
        return self.interchanges[-1]

    def _message(self, start: int, stop: int) -> tuple[Cut, int]:
        text, found = self._text, self._delimiters
        element, end = found.element, found.segment
        header = text[start:stop]
        close = text.find(f"{end}UNT{element}", start)
        limit = close if close >= 0 else len(text)
        for tag in ENVELOPE_TAGS:
            at = text.find(f"{end}{tag}{element}", stop - 1 if tag != "UNH" else stop, limit)
            if at >= 0:
                limit, close = at, -1
        interchange = self._current()
        group = self._open_group(interchange)
        pieces = [*header.split(element), "", ""]
        kind = [*pieces[2].split(found.component), "", "", "", "", ""]
        release = (kind[1] + kind[2]).strip()
        own = own_text(text[stop + 1 : limit], end) if limit > stop else ""
        cut = Cut(interchange, group, kind[0].strip(), release, pieces[1].strip(), header, "", own, "")
        cut.agency, cut.association, cut.hidden = kind[3].strip() or "UN", kind[4].strip(), self.hidden
        if close < 0:
            cut.issues.append(self._issue(cut, Fault.MISSING_TRAILER, cut.count + 2, 0, "", "the message has no UNT"))
            after = limit
        else:
            after = text.find(end, close + 1)
            after = len(text) if after < 0 else after
            cut.trailer = text[close + 1 : after]
            self._check_trailer(cut)
        raw = text[start:after] + end
        cut.raw = self.release.release(raw) if self.release else raw
        return cut, after + 1

    def _check_trailer(self, cut: Cut) -> None:
        pieces = [each.strip() for each in cut.trailer.split(self._delimiters.element)]
        count = cut.count + 2
        stated = pieces[1] if len(pieces) > 1 else ""
        if not stated.isdigit() or int(stated) != count:
            text = f"UNT says {stated or 'nothing'}, there are {count} segments"
            cut.issues.append(self._issue(cut, Fault.WRONG_SEGMENT_COUNT, count, 1, stated, text))
        control = pieces[2] if len(pieces) > 2 else ""
        if control != cut.control_number:
            text = f"UNT ends {control or 'nothing'}, UNH began {cut.control_number or 'nothing'}"
            cut.issues.append(self._issue(cut, Fault.CONTROL_NUMBER_MISMATCH, count, 2, control, text))

    @staticmethod
    def _issue(cut: Cut, fault: Fault, number: int, element: int, value: str, text: str) -> Issue:
        group = cut.group.control_number
        at = Position(cut.interchange.control_number, group, cut.control_number, number, "UNT", "", element)
        return Issue(fault, at, text, value=value)

    def _open_group(self, interchange: Interchange) -> Group:
        if self._group is None:
            self._group = Group()
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
        pieces = [*(each.strip() for each in segment.split(self._delimiters.element)), "", ""]
        if not pieces[1].isdigit() or int(pieces[1]) != len(group.messages):
            text = f"UNE says {pieces[1] or 'nothing'}, there are {len(group.messages)} messages"
            self._note_group(interchange, group, Fault.WRONG_MESSAGE_COUNT, text)
        if pieces[2] != group.control_number:
            self._note_group(interchange, group, Fault.CONTROL_NUMBER_MISMATCH, "UNE and UNG have different references")

    def _close(self, interchange: Interchange, segment: str) -> None:
        interchange.trailer = segment
        pieces = [*(each.strip() for each in segment.split(self._delimiters.element)), "", ""]
        has_groups = any(group.header for group in interchange.groups)
        count = len(interchange.groups) if has_groups else len(interchange.messages)
        if not pieces[1].isdigit() or int(pieces[1]) != count:
            text = f"UNZ says {pieces[1] or 'nothing'}, there are {count}"
            self._note(interchange, Fault.WRONG_MESSAGE_COUNT, "UNZ", text)
        if pieces[2] != interchange.control_number:
            self._note(interchange, Fault.CONTROL_NUMBER_MISMATCH, "UNZ", "UNZ and UNB have different references")

    @staticmethod
    def _note(interchange: Interchange, fault: Fault, tag: str, text: str) -> None:
        interchange.issues.append(Issue(fault, Position(interchange.control_number, tag=tag), text))

    @staticmethod
    def _note_group(interchange: Interchange, group: Group, fault: Fault, text: str) -> None:
        group.issues.append(Issue(fault, Position(interchange.control_number, group.control_number, tag="UNE"), text))


def read_unb(segment: str, found: Delimiters, charset: str) -> Interchange:
    """Return the interchange that UNB opens."""
    pieces = [each.split(found.component) for each in segment.split(found.element)]
    value = [[part.strip() for part in each] + [""] * (3 - len(each)) for each in pieces] + [["", "", ""]] * 12
    return Interchange(
        "edifact",
        Id(value[2][1], value[2][0]),
        Id(value[3][1], value[3][0]),
        value[5][0],
        ":".join(part for part in value[1] if part),
        value[11][0] == "1",
        value[4][0],
        value[4][1],
        value[9][0] == "1",
        found,
        charset,
        segment,
    )


def read_ung(segment: str, found: Delimiters) -> Group:
    """Return the group that UNG opens."""
    value = [[part.strip() for part in each.split(found.component)] for each in segment.split(found.element)] + [
        [""]
    ] * 9
    return Group(value[1][0], value[2][0], value[3][0], value[5][0], "".join(value[7]), segment)


def unb(interchange: Interchange) -> str:
    """Return the UNB segment, without terminator."""
    found = interchange.delimiters
    syntax = interchange.version.replace(":", found.component) or f"UNOC{found.component}3"
    sides = [
        found.component.join(filter(None, (side.value, side.qualifier)))
        for side in (interchange.sender, interchange.receiver)
    ]
    moment = f"{interchange.date}{found.component}{interchange.time}"
    pieces = ["UNB", syntax, *sides, moment, interchange.control_number, "", "", ""]
    pieces += ["1" if interchange.wants_acknowledgement else "", "", "1" if interchange.test else ""]
    return found.element.join(pieces).rstrip(found.element)
