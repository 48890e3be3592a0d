"""Bytes in, messages out: which standard it is, how it is encoded, and each message read under its map.

Whatever a partner sends, nothing here raises: what is wrong is noted on the message, its group, or its interchange.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain, islice
from typing import Any, NamedTuple

from tradehub.edi import edifact, guided, limits, packages, repetitions, stream, syntax, tradacoms, x12
from tradehub.edi.acknowledgement import ACKNOWLEDGEMENTS
from tradehub.edi.answers import document_of
from tradehub.edi.edifact import Edifact
from tradehub.edi.editions import nearest
from tradehub.edi.envelope import (
    MOST_ISSUES,
    NEEDLESS,
    AsciiText,
    Delimiters,
    Incoming,
    Interchange,
    ReadMessage,
    Release,
    Verdict,
)
from tradehub.edi.maps import Map, MapStore
from tradehub.edi.reading import Placed
from tradehub.edi.schema import Guide
from tradehub.edi.segments import Fault, Issue, Position, Severity
from tradehub.edi.tradacoms import Tradacoms
from tradehub.edi.x12 import BLANKS, X12, Cut

Guides = Guide | Mapping[str, Any] | Callable[[Interchange, str, str], Guide | Mapping[str, Any] | None] | None

LOOK = 4096  # bytes looked at to tell what a file is
FALLBACKS = {
    "x12": ("004010", "005010"),
    "edifact": ("D96A", "D01B", "D24A"),
    "tradacoms": ("9",),
}  # releases whose maps stand in, with a warning, for one that has none: the nearest that has the message, oldest first
CODECS = {"x12": x12, "edifact": edifact, "tradacoms": tradacoms}
HEADERS = {"x12": "ST", "edifact": "UNH", "tradacoms": "MHD"}
BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


class Detected(NamedTuple):
    """What a file is: ``standard`` is x12, edifact, tradacoms, xml or None; ``start`` is where it begins."""

    standard: str | None
    start: int = 0
    encoding: str = ""


def detect(data: bytes) -> Detected:
    """Tell what a file is by its first bytes, behind byte order marks and blanks."""
    encoding = ""
    start = 0
    for mark, name in zip(BOMS, ("utf-8", "utf-16-le", "utf-16-be"), strict=True):
        if data.startswith(mark):
            encoding, start = name, len(mark)
    head = data[start : start + LOOK]
    if encoding.startswith("utf-16"):
        head = head.replace(b"\0", b"")
    blank = len(head) - len(head.lstrip(b" \t\r\n\x00\x0b\x0c\x1a"))
    text = head[blank:]
    start += blank if not encoding.startswith("utf-16") else 0
    if text[:3] == b"ISA" or x12.is_bare(text[:200].decode("latin-1")):
        return Detected("x12", start, encoding)
    if text[:3] in {b"UNA", b"UNB"} or text[:4] in {b"UNH+", b"UNG+"}:
        return Detected("edifact", start, encoding)
    if text[:4] == b"STX=":
        return Detected("tradacoms", start, encoding)
    if text[:1] == b"<":
        return Detected("xml", start, encoding)
    for tag, standard in ((b"ISA", "x12"), (b"UNB+", "edifact"), (b"UNA", "edifact")):
        at = text.find(tag)
        if at > 0 and not text[at - 1 : at].isalnum() and not text[at + 3 : at + 4].isalnum():
            return Detected(standard, start + at, encoding)
    return Detected(None)


class Reading:
    """The messages of a file, one at a time. ``interchanges`` and ``issues`` are complete when the messages are
    exhausted."""

    def __init__(
        self, data: bytes | Iterable[bytes], maps: MapStore, *, tolerant: bool = True, guide: Guides = None
    ) -> None:
        chunks = iter(()) if isinstance(data, bytes) else iter(data)
        head = data if isinstance(data, bytes) else _head(chunks)
        self.detected = detect(head)
        self.interchanges: list[Interchange] = []
        self.issues: list[Issue] = []
        self.una = ""
        self.objects: tuple[bytes, ...] = ()  # what its packages hold (UNO to UNP), which is no part of any text here
        self._maps = maps
        self._tolerant = tolerant
        self._guide = guide
        self._found: dict[tuple[str, str, str], tuple[Map | None, Any]] = {}
        is_whole = (
            isinstance(data, bytes)
            or self.detected.standard not in CODECS
            or self.detected.encoding.startswith("utf-16")
        )
        self._iterator = self._messages(head + b"".join(chunks)) if is_whole else self._streamed(head, chunks)

    def __iter__(self) -> Iterator[ReadMessage]:
        return self._iterator

    def __next__(self) -> ReadMessage:
        return next(self._iterator)

    @property
    def accepted(self) -> bool:
        """Return whether the file as a whole could be read (its messages have their own verdicts)."""
        return not any(issue.is_error for issue in self.issues) and all(each.accepted for each in self.interchanges)

    def _messages(self, data: bytes) -> Iterator[ReadMessage]:
        standard, start, encoding = self.detected
        if standard is None or standard not in CODECS:
            if standard is None:
                self._note(Fault.NOT_EDI, "this is neither EDI nor XML", Severity.ERROR)
            return
        if refused := limits.of_file(len(data)):
            self._note(Fault.LIMIT_EXCEEDED, refused, Severity.ERROR)
            return
        if start:
            self._note_before(data[:start])
            data = data[start:]
        if standard == "edifact" and not encoding.startswith("utf-16"):
            found, _ = edifact.delimiters(data[:LOOK].decode("latin-1"))
            data, self.objects = packages.lifted(data, found)
        is_wide = encoding.startswith("utf-16")  # where every byte may be one of ASCII, and is no sign
        head = self._decoded(data[:LOOK], standard) if data.isascii() and not is_wide else ""
        opening = head or self._text(data, standard, encoding)
        found, begin = CODECS[standard].delimiters(opening)
        if standard == "x12" and not begin:
            self._note(Fault.BAD_ENVELOPE, "ISA cannot be read", Severity.ERROR)
            return
        text: str | AsciiText = opening
        if head:
            text = AsciiText(data) if _is_plain(data, found, begin) else self._text(data, standard, encoding)
        del data  # from here on the text alone is held
        if standard == "edifact" and begin:
            self.una, text = text[:begin], text.beyond(begin) if isinstance(text, AsciiText) else text[begin:]
        if isinstance(text, str):
            text = x12.settle(text, found.element, found.segment, found.release)
        cutter = self._cutter(text, found)
        del text
        yield from self._cut(cutter, found)

    def _streamed(self, head: bytes, chunks: Iterator[bytes]) -> Iterator[ReadMessage]:
        """Yield the messages of what comes by the chunk, holding one of them at a time."""
        standard, start, encoding = self.detected
        if start:
            self._note_before(head[:start])
        codec = CODECS[str(standard)]
        opening = head[start:].decode("latin-1")
        found, begin = codec.delimiters(opening)
        if standard == "x12" and not begin:
            self._note(Fault.BAD_ENVELOPE, "ISA cannot be read", Severity.ERROR)
            return
        claimed = self._claimed(head) if standard == "edifact" else "ascii"
        self._charset = encoding or claimed
        if standard == "edifact":
            self.una, start = opening[:begin], start + begin

        def tell(charset: str) -> None:
            self._charset = charset
            if charset != claimed:
                self._note(Fault.CHARSET, f"the text is {charset}, not {claimed}", Severity.WARNING)

        texts = stream.decoded(
            chain((head[start:],), chunks), encoding or claimed, is_certain=bool(encoding), tell=tell
        )
        settled = stream.settled(texts, found)
        if standard == "edifact" and found.release:
            release = Release(found)
            settled = (release.hide(each) if found.release in each else each for each in settled)
        yield from self._cut(self._cutter(stream.TextStream(settled), found), found)

    def _cut(self, cutter: X12 | Edifact | Tradacoms, found: Delimiters) -> Iterator[ReadMessage]:
        self.interchanges = cutter.interchanges
        for cut in cutter.messages():
            yield self._read(cut, found)
        if not self.interchanges:
            self._note(Fault.BAD_ENVELOPE, "there is no interchange", Severity.ERROR)
        self._settle_severity()

    def _cutter(self, text: str | AsciiText | Incoming, found: Delimiters) -> X12 | Edifact | Tradacoms:
        if self.detected.standard == "x12":
            return X12(text, found, self._charset)
        if self.detected.standard == "tradacoms":
            return Tradacoms(text, found, self._charset)
        return Edifact(text, found, self._charset)

    def _decoded(self, head: bytes, standard: str) -> str:
        self._charset = self._claimed(head) if standard == "edifact" else "ascii"
        return head.decode("ascii")

    def _settle_severity(self) -> None:
        if self._tolerant:
            return
        for each in self.interchanges:
            each.issues[:] = [_stricter(issue) for issue in each.issues]
        self.issues[:] = [_stricter(issue) for issue in self.issues]

    def _note_before(self, data: bytes) -> None:
        """Note what stands before the interchange and is passed over."""
        mark = next((each for each in BOMS if data.startswith(each)), b"")
        text = data.removeprefix(mark).decode("latin-1").strip("\0\x1a" + BLANKS)
        what = f"{text[:40]!r}" if text else "a byte order mark" if mark else "blanks"
        self._note(Fault.BAD_ENVELOPE, f"{what} before the interchange: passed over", Severity.NOTE)

    def _note(self, fault: Fault, text: str, severity: Severity) -> None:
        self.issues.append(Issue(fault, Position(), text, severity))

    def _text(self, data: bytes, standard: str, encoding: str) -> str:
        claimed = "ascii"
        if standard == "edifact" and not encoding:
            claimed = self._claimed(data[:LOOK])
        self._charset = encoding or claimed
        if data.isascii() and not encoding.startswith("utf-16"):
            return data.decode("ascii")
        if encoding.startswith("utf-16"):
            return data.decode(encoding, "replace")
        return self._guess(data, encoding or claimed)

    def _claimed(self, data: bytes) -> str:
        """Return the character set that UNB, or the partner's guide, says."""
        guide = self._guide
        if isinstance(guide, Guide) and guide.charset:
            return edifact.CHARSETS.get(guide.charset, guide.charset)
        head = data.decode("latin-1")
        at = head.find("UNB")
        return edifact.CHARSETS.get(head[at + 4 : at + 8], "ascii") if at >= 0 else "ascii"

    def _guess(self, data: bytes, claimed: str) -> str:
        """Decode what is not ASCII: UTF-8 gives itself away; then what was claimed; then what Windows writes."""
        for charset in ("utf-8", claimed, "cp1252"):
            if charset.startswith("iso8859") and any(byte in data for byte in range(0x80, 0xA0)):
                continue
            try:
                text = data.decode(charset)
            except (UnicodeDecodeError, LookupError):
                continue
            break
        else:
            charset, text = "latin-1", data.decode("latin-1")  # decodes anything
        if charset != claimed:
            self._note(Fault.CHARSET, f"the text is {charset}, not {claimed}", Severity.WARNING)
        self._charset = charset
        return text

    def _read(self, cut: Cut, found: Delimiters) -> ReadMessage:
        issues = list(cut.issues)
        compiled, guide = self._map(cut, issues)
        document = None
        release = Release(found) if cut.hidden else None
        too_much = limits.exceeded(cut, found, compiled.head.shape if compiled is not None else "")
        issues += too_much
        if compiled is None and cut.type not in ACKNOWLEDGEMENTS:
            issues += islice(syntax.faults(cut, found), MOST_ISSUES)
        if compiled is not None:
            self._note_group(cut, compiled.head.group, issues)
        if compiled is not None and not too_much:
            stands_in = self._tolerant and compiled.head.release not in {cut.release, cut.release[:6]}
            needless = NEEDLESS if release is not None and NEEDLESS in cut.text else ""
            repeat = found.repeat if found.repeat and found.repeat in cut.text else ""
            decoded = compiled.read_text(cut.text, *found[:3], needless=needless, repeat=repeat, stands_in=stands_in)
            document = decoded.document
            if release is not None:
                document = release.show_all(document)
            placed = sorted(decoded.findings, key=lambda each: each.number) if decoded.findings else ()
            noted = [_issue(each, cut, release) for each in placed[:MOST_ISSUES]]
            if repeat:
                noted = _repeated(noted, cut, found, compiled, release, stands_in=stands_in)
            issues += guided.marked(noted, compiled.spec.guide)
        if not self._tolerant and issues:
            issues = [_stricter(issue) for issue in issues]
        raw = cut.raw
        message = ReadMessage(
            cut.interchange.standard,
            cut.type,
            cut.release,
            cut.control_number,
            cut.interchange,
            cut.group,
            document,
            tuple(issues),
            raw,
            compiled.key if compiled is not None else "",
            compiled.sha256 if compiled is not None else "",
            cut.association,
            cut.header,
            cut.trailer,
            guide,
            cut.shared,
        )
        if document is None and cut.type in ACKNOWLEDGEMENTS:
            message.document = document_of(message)
        accepted = not any(issue.is_error for issue in issues)
        verdict = Verdict(cut.type, cut.release, cut.control_number, accepted, message.issues)
        verdict.agency, verdict.association = cut.agency, cut.association
        cut.group.messages.append(verdict)
        return message

    def _map(self, cut: Cut, issues: list[Issue]) -> tuple[Map | None, Any]:
        """Return the map that reads a message, and the guide; one that was found for an earlier message without issue."""
        key = (cut.interchange.standard, cut.type, cut.release)
        if key in self._found:
            return self._found[key]
        count = len(issues)
        found = self._sought(cut, issues)
        if found[0] is not None and len(issues) == count and not callable(self._guide):
            self._found[key] = found
        return found

    def _sought(self, cut: Cut, issues: list[Issue]) -> tuple[Map | None, Any]:
        standard = cut.interchange.standard
        release = cut.release[:6] if standard == "x12" else cut.release
        if not cut.type.isalnum() or not (release + "0").isalnum():
            text = f"{cut.type!r} {release!r} is no message"
            issues.append(Issue(Fault.UNKNOWN_MESSAGE, _place_of_type(cut), text, value=cut.type[:80]))
            return None, None
        name = f"{cut.type} {cut.release}".strip()
        if not self._maps.has(standard, cut.type, release) and cut.type in ACKNOWLEDGEMENTS:
            return None, None
        if not self._maps.has(standard, cut.type, release):
            other = stand_in(self._maps, standard, cut.type, release)
            if not other or (standard == "x12" and _OF_A_GUIDE.match(cut.release, 6)):
                text = f"there is no map for {name}"
                issues.append(Issue(Fault.UNKNOWN_MESSAGE, _place_of_type(cut), text, value=cut.type))
                return None, None
            text = f"there is no map for {name}; it is read under {other}"
            severity = Severity.WARNING if self._tolerant else Severity.ERROR
            issues.append(Issue(Fault.UNKNOWN_MESSAGE, _place_of_header(cut), text, severity, value=cut.release))
            release = other
        guide = self._guide(cut.interchange, cut.type, cut.release) if callable(self._guide) else self._guide
        return self._maps.get(standard, cut.type, release, guide), guide

    def _note_group(self, cut: Cut, own: str, issues: list[Issue]) -> None:
        """Note a message that stands in a group of others: GS01 tells what a group holds."""
        if own and cut.group.header and own != cut.group.code:
            text = f"{cut.type} goes in a group of {own}, not {cut.group.code}"
            severity = Severity.WARNING if self._tolerant else Severity.ERROR
            issues.append(Issue(Fault.UNKNOWN_MESSAGE, _place_of_type(cut), text, severity, value=cut.type))


_OF_A_GUIDE = re.compile(r"X\d")
"""How the release of an industry's guide goes on behind its six digits (``X222A1``); ``VICS`` or ``UCS`` names the industry
alone."""


def _place_of_header(cut: Cut) -> Position:
    interchange, group = cut.interchange, cut.group
    return Position(
        interchange.control_number, group.control_number, cut.control_number, 1, HEADERS[interchange.standard]
    )


def _place_of_type(cut: Cut) -> Position:
    """Return where a header says which message it begins: ST01, UNH02.1, MHD02.1."""
    element, component = (1, 0) if cut.interchange.standard == "x12" else (2, 1)
    return replace(_place_of_header(cut), element=element, component=component)


def stand_in(maps: MapStore, standard: str, message: str, release: str) -> str:
    """Return the release whose map reads ``message`` of ``release``: its own, else the nearest; empty where there is
    none."""
    if maps.has(standard, message, release):
        return release
    known = [each for each in FALLBACKS.get(standard, ()) if maps.has(standard, message, each)]
    return nearest(release, known)


def _is_plain(data: bytes, found: Delimiters, begin: int) -> bool:
    """Return whether a file needs no mending before it is cut: no line breaks, no blanks between segments, no empty
    segments, nothing released."""
    if b"\n" in data or b"\r" in data or not (found.segment + found.element + found.component).isascii():
        return False
    end = re.escape(found.segment.encode())
    if re.search(end + b"[ \t" + end + b"]", data):
        return False
    return not found.release or data.find(found.release.encode(), begin) < 0


def _repeated(
    noted: list[Issue], cut: Cut, found: Delimiters, compiled: Map, release: Release | None, *, stands_in: bool
) -> list[Issue]:
    """Return the issues of a message whose elements repeat: each at its repetition, with those of further values."""
    repeating = {number: raw for number, raw in enumerate(cut.body, 2) if found.repeat in raw}
    issues = [repetitions.placed(each, repeating, found.element, found.repeat) for each in noted]
    more = repetitions.judged(
        cut.body, found.element, found.component, found.repeat, compiled.spec.dictionary, stands_in=stands_in
    )
    for number, tag, repetition, finding in islice(more, MOST_ISSUES):
        issue = _issue(Placed(number, tag, "", finding), cut, release)
        issues.append(replace(issue, at=replace(issue.at, repetition=repetition)))
    return sorted(issues, key=lambda each: each.at.segment)


def _stricter(issue: Issue) -> Issue:
    return replace(issue, severity=Severity.ERROR) if issue.severity is Severity.WARNING else issue


def _issue(placed: Placed, cut: Cut, release: Release | None) -> Issue:
    found = placed.finding
    is_shared = placed.number <= cut.shared
    at = Position(
        cut.interchange.control_number,
        cut.group.control_number,
        cut.shared_number if is_shared and cut.shared else cut.control_number,
        placed.number + 1 - (0 if is_shared else cut.shared),
        placed.tag,
        placed.path,
        found.element,
        found.component,
    )
    value = release.show(found.value) if release is not None else found.value
    return Issue(found.fault, at, found.text, found.severity, found.element_id, value, found.rule)


def _head(chunks: Iterator[bytes]) -> bytes:
    """Return as many chunks as it takes to tell what they are the beginning of."""
    taken = b""
    for chunk in chunks:
        taken += chunk
        if len(taken) >= LOOK:
            break
    return taken


def read(data: bytes | Iterable[bytes], maps: MapStore, *, tolerant: bool = True, guide: Guides = None) -> Reading:
    """Read a file of X12 or EDIFACT interchanges: an iterator of messages that also gathers the envelope's facts.

    ``data`` is the file, or its bytes by the chunk: then no more is held than a message and what has come with it.

    ``guide`` is a partner's guide, or a function of (interchange, type, release) that finds one.
    """
    return Reading(data, maps, tolerant=tolerant, guide=guide)
