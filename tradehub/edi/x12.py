"""X12 interchanges: ISA to IEA, cut into messages one at a time, and written.

Only ``str.split`` and ``str.find`` touch the text, so that the cost is that of the message in hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tradehub.edi.envelope import X12_DELIMITERS, AsciiText, Delimiters, Group, Id, Incoming, Interchange
from tradehub.edi.segments import Fault, Issue, Position, Severity, is_count, miscounted

BARE = (
    re.compile(r"ST([^\w\s])\d{3}\1\w+(?:\1\w+)?(\W)"),
    re.compile(r"GS([^\w\s])[A-Z]{2}\1(?:[^\r\n]{0,40}?\1){6}\w+(\W)"),
)
"""What a file without ISA begins with: message or group. Both say element separator and terminator."""
ISA_LENGTH = 106  # ISA is of fixed width: 105 characters and the terminator
NO_COMPONENT = "\x1f"  # stands for the component separator that an interchange does not name
REPEATS_FROM = "00402"  # ISA12 from which on ISA11 is the repetition separator
REPETITION = "^"  # ... and what is written there unless something else was agreed
WRITTEN_WITH = "-.,/ "  # signs that texts, numbers and days are written with: where ISA11 holds one, it is a mistake
ENVELOPE_TAGS = ("GE", "GS", "IEA", "ISA")


@dataclass(slots=True)
class Cut:
    """One message cut out of an interchange: its own segments between the header and the trailer, and what is wrong
    around it."""

    interchange: Interchange
    group: Group
    type: str
    release: str
    control_number: str
    header: str
    trailer: str
    text: str
    raw: str
    issues: list[Issue] = field(default_factory=list)
    agency: str = ""
    association: str = ""
    hidden: bool = False
    shared: int = 0  # segments at the beginning of the body that stand in another message, and its number
    shared_number: str = ""

    @property
    def count(self) -> int:
        """Return the number of its own segments."""
        return self.text.count(self.interchange.delimiters.segment)

    @property
    def body(self) -> list[str]:
        """Return its own segments, without terminators."""
        return self.text.split(self.interchange.delimiters.segment)[:-1]


BLANKS = " \t\r\n"
FILLING = BLANKS + "\x1a\x00"  # ... and what files are filled up with


def own_text(text: str, end: str, *, is_plain: bool = False) -> str:
    """Return the segments of ``text``, each with its terminator, without blanks around them and without empty ones.

    ``is_plain``: there are no line breaks in it, no blanks after terminators, and none stands after another.
    """
    if text and text[-1] != end:
        text += end
    if is_plain and text[-2:-1] not in {"", end}:  # a last one that is ended twice: the file ends in the message
        return text
    is_clean = end + end not in text and text[:1] not in f"{end}{BLANKS}"
    if is_clean and not any(end + blank in text for blank in BLANKS if blank != end):
        return text
    segments = (each.strip("\r\n").lstrip(BLANKS) for each in text.split(end))
    return "".join(each + end for each in segments if each)


def bounds_of(
    text: str | AsciiText | Incoming, own: tuple[str, str], others: tuple[str, ...], stop: int, end: str, element: str
) -> tuple[int, int]:
    """Return where the terminator before a message's trailer stands (-1 where it has none), and where its own segments
    end.

    ``own`` are the tags of header and trailer, ``others`` those of the envelope, ``stop`` is the header's end. The next
    header is sought first, so that a file of headers without trailers is not gone through once for each of them.
    """
    limit = text.find(f"{end}{own[0]}{element}", stop)
    limit = len(text) if limit < 0 else limit
    close = text.find(f"{end}{own[1]}{element}", stop, limit)
    if close >= 0:
        return close, close
    for tag in others:
        found = text.find(f"{end}{tag}{element}", stop, limit)
        limit = found if found >= 0 else limit
    return -1, limit


def settle(text: str, element: str, segment: str, release: str = "") -> str:
    """Return the text without line breaks that are no data: after terminators, around segments, wrapped in columns.

    A blank after a released terminator is data.
    """
    if segment in "\r\n":
        text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
        text = _unwrapped(text) if text.startswith("ISA") else text
        if any(sign in text for sign in ("\n ", "\n\t", " \n", "\t\n")):
            text = "\n".join(line.strip(" \t") for line in text.split("\n"))
        return text
    if element in "\r\n" or not any(sign in text for sign in ("\n", "\r", f"{segment} ", f"{segment}\t")):
        return text
    text = text.replace(segment + "\r\n", segment).replace(segment + "\n", segment)
    if f"{segment} " in text or f"{segment}\t" in text or "\n" in text or "\r" in text:
        unreleased = f"(?<!{re.escape(release)})" if release else ""
        text = re.sub(rf"{unreleased}{re.escape(segment)}\s+", lambda _: segment, text)
        text = text.replace("\r", "").replace("\n", "")
    return text


def _unwrapped(text: str) -> str:
    """Return a text whose segments end with lines, with an ISA of one line."""
    stop = max(delimiters(text)[1] - 1, 0)
    return text[:stop].replace("\n", "") + text[stop:]


def delimiters(text: str) -> tuple[Delimiters, int]:
    """Return the delimiters that ISA sets and where ISA ends; length 0 where there is no ISA that can be read.

    Without ISA the first segment sets those that it shows.
    """
    if bare := is_bare(text):
        return Delimiters(bare[1], NO_COMPONENT, "\n" if bare[2] == "\r" else bare[2]), bare.end()
    element = text[3:4]
    if not element or element.isalnum():
        return X12_DELIMITERS, 0
    if text[105:106] in {"\r", "\n"} and _ends_lines(text, text[104:105]):
        return _delimiters(text, element, 104, 104)._replace(component=NO_COMPONENT), ISA_LENGTH - 1
    if text[103:104] == element and text[:104].count(element) == 16 and not text[105:106].isalnum():
        return _delimiters(text, element, 104, 105), ISA_LENGTH
    at = -1
    for _ in range(16):
        at = text.find(element, at + 1)
        if at < 0 or at > 400:
            return _before_group(text, element)
    first, second = text[at + 1 : at + 2], text[at + 2 : at + 3]
    if second and not second.isalnum() and second != element:
        return _delimiters(text, element, at + 1, at + 2), at + 3
    if first and not first.isalnum() and first != element:
        return _delimiters(text, element, at + 1, at + 1)._replace(component=NO_COMPONENT), at + 2
    return _before_group(text, element)


def _before_group(text: str, element: str) -> tuple[Delimiters, int]:
    """Return what stands before GS or TA1, where ISA has more or fewer elements than it should."""
    found = re.search(rf"([^\w\s])?([^\w{re.escape(element)}])\s*(?=(?:GS|TA1){re.escape(element)})", text[:400])
    if found is None:
        return X12_DELIMITERS, 0
    component = found.start(1) if found[1] and found[1] != element else -1
    signs = _delimiters(text, element, component, found.start(2))
    return (signs if component >= 0 else signs._replace(component=NO_COMPONENT)), found.end(2)


def is_bare(text: str) -> re.Match[str] | None:
    """Return what a file begins with that has messages, or groups, and no ISA; None where it has one, or is none."""
    found = next((match for form in BARE if (match := form.match(text))), None)
    return found if found and found[1] != found[2] else None


def _ends_lines(text: str, sign: str) -> bool:
    """Return whether the line after ISA ends in ``sign`` too: then it is the terminator, and ISA16 was left out."""
    if sign == " ":
        return False
    start = text.find("\n", 104) + 1
    return bool(start) and text[start : text.find("\n", start)].rstrip("\r").endswith(sign)


def _delimiters(text: str, element: str, component: int, segment: int) -> Delimiters:
    pieces = text[:component].split(element)
    repeat = pieces[11] if len(pieces) > 12 and _parts_repetitions(pieces[11], pieces[12]) else ""
    terminator = text[segment : segment + 1]
    ends_lines = terminator == "\r" or (terminator == " " and text[segment + 1 : segment + 2] in {"\r", "\n"})
    return Delimiters(element, text[component : component + 1], "\n" if ends_lines else terminator, "", repeat)


def _parts_repetitions(sign: str, version: str) -> bool:
    return version >= REPEATS_FROM and len(sign) == 1 and not sign.isalnum() and sign not in WRITTEN_WITH


class X12:
    """Cuts the messages out of a settled text that begins with ISA."""

    def __init__(self, text: str | AsciiText | Incoming, found: Delimiters, charset: str) -> None:
        self._text = text
        self._delimiters = found
        self._charset = charset
        self.interchanges: list[Interchange] = []
        self._group: Group | None = None
        self._numbers: set[str] = set()  # control numbers of the group's messages
        self._groups: set[str] = set()  # ... of the interchange's groups
        self._opened: set[str] = set()  # ... of the file's interchanges

    def messages(self) -> Iterator[Cut]:
        """Yield the messages in turn; what is wrong with groups and interchanges is noted on them."""
        text, end, at = self._text, self._delimiters.segment, 0
        incoming = text if isinstance(text, Incoming) else None
        while at < len(text):
            if incoming is not None:
                incoming.let_go(at)
            stop = text.find(end, at)
            if stop < 0:
                stop = len(text)
            segment = text[at:stop].lstrip(FILLING)
            start = stop - len(segment)
            tag = segment.partition(self._delimiters.element)[0].strip()
            if tag == "ST":
                cut, at = self._message(start, stop, segment)
                cut.interchange.layout.append("")
                yield cut
                continue
            if segment.strip(FILLING):
                self._envelope(tag, segment)
                self.interchanges[-1].layout.append(text[start : stop + 1])
            at = stop + 1
        self._close_group(None)
        if self.interchanges and self.interchanges[-1].header and not self.interchanges[-1].trailer:
            self._note(self.interchanges[-1], Fault.MISSING_TRAILER, "IEA", "the interchange has no IEA")

    def _envelope(self, tag: str, segment: str) -> None:
        if tag == "ISA":
            self._close_group(None)
            if self.interchanges and not self.interchanges[-1].trailer:
                self._note(self.interchanges[-1], Fault.MISSING_TRAILER, "IEA", "the interchange has no IEA")
            self._open(read_isa(segment, self._delimiters, self._charset))
            return
        current = self._current()
        if tag == "GS":
            self._close_group(None)
            self._open_next(current, read_gs(segment, self._delimiters))
        elif tag == "GE" and self._group is not None:
            self._close_group(segment)
        elif tag == "IEA" and not current.trailer:
            self._close_group(None)
            self._close(current, segment)
        elif tag == "TA1":
            current.service.append(segment)
        else:
            current.note_outside(tag, segment)

    def _current(self) -> Interchange:
        if not self.interchanges:
            made = Interchange("x12", delimiters=self._delimiters, charset=self._charset)
            self._note(made, Fault.BAD_ENVELOPE, "ISA", "there is no ISA")
            self.interchanges.append(made)
        return self.interchanges[-1]

    def _open(self, interchange: Interchange) -> None:
        number = interchange.control_number
        if number and number in self._opened:
            self._note(interchange, Fault.DUPLICATE_CONTROL_NUMBER, "ISA", f"{number} is there before", 13)
        self._opened.add(number)
        self._groups = set()
        self.interchanges.append(interchange)

    def _open_next(self, interchange: Interchange, group: Group) -> None:
        number = group.control_number
        if not number:
            self._note_group(interchange, group, Fault.BAD_ENVELOPE, "GS", "GS has no control number", 6)
        elif number in self._groups:
            text = f"{number} is the number of an earlier group"
            self._note_group(interchange, group, Fault.DUPLICATE_CONTROL_NUMBER, "GS", text, 6)
        self._groups.add(number)
        interchange.groups.append(group)
        self._group = group
        self._numbers = set()

    def _message(self, start: int, stop: int, header: str) -> tuple[Cut, int]:
        text, (element, _, end, *_) = self._text, self._delimiters
        close, limit = bounds_of(text, ("ST", "SE"), ENVELOPE_TAGS, stop, end, element)
        after = limit if close < 0 else text.find(end, close + 1)
        after = len(text) if after < 0 else after
        raw = text[start:after] + end
        interchange = self._current()
        group = self._open_group(interchange)
        pieces = [*header.split(element), "", "", ""]
        control = pieces[2].strip()
        own = raw[stop + 1 - start : limit + 1 - start] if limit > stop else ""
        own = own_text(own, end, is_plain=isinstance(text, AsciiText))
        release = group.version or ("00" + interchange.version[1:] if interchange.version else pieces[3].strip())
        cut = Cut(interchange, group, pieces[1].strip(), release, control, header, "", own, raw)
        self._check_header(cut)
        if close < 0:
            issue = self._issue(cut, Fault.MISSING_TRAILER, cut.count + 2, "SE", 0, "", "the message has no SE")
            cut.issues.append(issue)
        else:
            cut.trailer = raw[close + 1 - start : -1]
            self._check_trailer(cut)
        return cut, after + 1

    def _check_header(self, cut: Cut) -> None:
        number = cut.control_number
        if not number:
            text = "ST has no control number"
            cut.issues.append(self._issue(cut, Fault.BAD_ENVELOPE, 1, "ST", 2, "", text))
        elif number in self._numbers:
            text = f"{number} is the number of an earlier message of the group"
            cut.issues.append(self._issue(cut, Fault.DUPLICATE_CONTROL_NUMBER, 1, "ST", 2, number, text))
        self._numbers.add(number)

    def _check_trailer(self, cut: Cut) -> None:
        element, count = self._delimiters.element, cut.count + 2
        if cut.trailer == f"SE{element}{count}{element}{cut.control_number}":
            return
        pieces = [each.strip() for each in cut.trailer.split(element)]
        stated = pieces[1] if len(pieces) > 1 else ""
        if not is_count(stated, count):
            text = miscounted("SE", stated, count, "segment")
            cut.issues.append(self._issue(cut, Fault.WRONG_SEGMENT_COUNT, count, "SE", 1, stated, text))
        control = pieces[2] if len(pieces) > 2 else ""
        if control != cut.control_number:
            text = f"SE ends {control or 'nothing'}, ST began {cut.control_number or 'nothing'}"
            cut.issues.append(self._issue(cut, Fault.CONTROL_NUMBER_MISMATCH, count, "SE", 2, control, text))

    def _issue(self, cut: Cut, fault: Fault, number: int, tag: str, element: int, value: str, text: str) -> Issue:
        at = Position(
            cut.interchange.control_number, cut.group.control_number, cut.control_number, number, tag, "", element
        )
        return Issue(fault, at, text, value=value)

    def _open_group(self, interchange: Interchange) -> Group:
        if self._group is None:
            self._group = Group()
            self._numbers = set()
            interchange.groups.append(self._group)
            self._note_group(interchange, self._group, Fault.BAD_ENVELOPE, "GS", "the message stands in no group")
        return self._group

    def _close_group(self, segment: str | None) -> None:
        group, self._group = self._group, None
        if group is None:
            return
        interchange = self.interchanges[-1]
        if segment is None:
            if group.header:
                self._note_group(interchange, group, Fault.MISSING_TRAILER, "GE", "the group has no GE")
            return
        group.trailer = segment
        pieces = [each.strip() for each in segment.split(self._delimiters.element)]
        stated = pieces[1] if len(pieces) > 1 else ""
        count = len(group.messages)
        if not is_count(stated, count):
            text = miscounted("GE", stated, count, "message")
            self._note_group(interchange, group, Fault.WRONG_MESSAGE_COUNT, "GE", text, 1)
        control = pieces[2] if len(pieces) > 2 else ""
        if control != group.control_number:
            text = f"GE ends {control or 'nothing'}, GS began {group.control_number or 'nothing'}"
            self._note_group(interchange, group, Fault.CONTROL_NUMBER_MISMATCH, "GE", text, 2)

    def _close(self, interchange: Interchange, segment: str) -> None:
        interchange.trailer = segment
        pieces = [each.strip() for each in segment.split(self._delimiters.element)]
        stated = pieces[1] if len(pieces) > 1 else ""
        if not is_count(stated, len(interchange.groups)):
            text = miscounted("IEA", stated, len(interchange.groups), "group")
            self._note(interchange, Fault.WRONG_GROUP_COUNT, "IEA", text, 1)
        control = pieces[2] if len(pieces) > 2 else ""
        if control != interchange.control_number:
            text = f"IEA ends {control or 'nothing'}, ISA began {interchange.control_number or 'nothing'}"
            self._note(interchange, Fault.CONTROL_NUMBER_MISMATCH, "IEA", text, 2)
        if not interchange.groups and not interchange.service:
            self._note(interchange, Fault.EMPTY_LEVEL, "IEA", "the interchange is empty")

    @staticmethod
    def _note(interchange: Interchange, fault: Fault, tag: str, text: str, element: int = 0) -> None:
        at = Position(interchange.control_number, tag=tag, element=element)
        interchange.issues.append(Issue(fault, at, text))

    @staticmethod
    def _note_group(
        interchange: Interchange, group: Group, fault: Fault, tag: str, text: str, element: int = 0
    ) -> None:
        at = Position(interchange.control_number, group.control_number, tag=tag, element=element)
        group.issues.append(Issue(fault, at, text))


def read_isa(segment: str, found: Delimiters, charset: str) -> Interchange:
    """Return the interchange that ISA opens, and what is wrong with ISA on it."""
    pieces = segment.split(found.element)
    stated = len(pieces) - 1
    pieces += [""] * (17 - len(pieces))
    value = [each.strip() for each in pieces]
    made = Interchange(
        "x12",
        Id(value[5], value[6]),
        Id(value[7], value[8]),
        value[13],
        value[12],
        value[15] == "T",
        value[9],
        value[10],
        value[14] == "1",
        found,
        charset,
        segment,
    )
    made.issues += _faults_of_isa(made, value, stated)
    return made


ISA_FORMS = {
    9: (r"\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])", "no day as YYMMDD"),
    10: (r"([01]\d|2[0-3])[0-5]\d", "no time as HHMM"),
    12: (r"\d{5}", "no version of the envelope"),
    13: (r"\d{9}", "no control number of nine digits"),
    14: (r"[01]", "neither 0 nor 1"),
    15: (r"[PTI]", "not one of P T I"),
}
"""What elements of ISA look like. The interchange can be taken without; whoever asks for TA1 is told by it."""


def _faults_of_isa(made: Interchange, value: list[str], stated: int) -> Iterator[Issue]:
    def issue(element: int, text: str, severity: Severity, value: str = "") -> Issue:
        at = Position(made.control_number, tag="ISA", element=element)
        return Issue(Fault.BAD_ENVELOPE, at, text, severity, value=value)

    if stated != 16:
        yield issue(0, f"ISA has {stated} elements, not 16", Severity.ERROR)
        return
    if not made.control_number:
        yield issue(13, "ISA has no control number", Severity.ERROR)
    for element, (form, text) in ISA_FORMS.items():
        if value[element] and not re.fullmatch(form, value[element], re.ASCII):
            yield issue(element, f"{value[element]!r} is {text}", Severity.WARNING, value[element])
    if value[12] >= REPEATS_FROM and not made.delimiters.repeat:
        text = f"{value[11]!r} is no repetition separator, which ISA11 holds since version {REPEATS_FROM}"
        yield issue(11, text, Severity.WARNING, value[11])
    for element in (6, 8):
        if not value[element]:
            yield issue(element, "ISA names nobody here", Severity.WARNING)
    if len(made.header) != ISA_LENGTH - 1:
        text = f"ISA is {len(made.header)} characters long, not {ISA_LENGTH - 1}"
        yield issue(0, text, Severity.WARNING)


def read_gs(segment: str, found: Delimiters) -> Group:
    """Return the group that GS opens."""
    value = [each.strip() for each in segment.split(found.element)]
    value += [""] * (9 - len(value))
    return Group(value[1], value[2], value[3], value[6], value[8], segment)


def isa(interchange: Interchange) -> str:
    """Return the ISA segment, without terminator."""
    found = interchange.delimiters
    version = interchange.version or "00401"
    return found.element.join([
        "ISA", "00", " " * 10, "00", " " * 10, interchange.sender.qualifier or "ZZ",
        interchange.sender.value.ljust(15)[:15],
        interchange.receiver.qualifier or "ZZ", interchange.receiver.value.ljust(15)[:15], interchange.date,
        interchange.time,
        found.repeat or "U", version, interchange.control_number.zfill(9),
        "1" if interchange.wants_acknowledgement else "0",
        "T" if interchange.test else "P", found.component,
    ])  # fmt: skip
