"""A file of messages as the command line sees it, whatever its standard: read once, judged, shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import click

from tradehub.documents import KINDS, Document
from tradehub.edi import Fault, Interchange, Issue, ReadMessage, Segment, Severity, detect, read
from tradehub.edi.acknowledgement import ACKNOWLEDGEMENTS
from tradehub.edi.envelope import split_segments
from tradehub.edi.interchanges import spans
from tradehub.platform import resources

MAX_BYTES = 512 * 1024 * 1024
"""One that is larger is more likely a mistake than a batch."""
LARGE = 8 * 1024 * 1024
"""A file from this size on is judged by the chunk."""
CHUNK = 1024 * 1024

XML = frozenset({"xml", "ubl"})
"""Standards of the messages that are XML; ``xml`` is one without a map."""
WIDE = 160
"""A line of XML that is longer, such as a whole message without line breaks, is not shown under a fault in it."""

GRADES = ("accepted", "accepted with warnings", "syntax only", "rejected", "unusable")
"""``syntax only``: envelope, segments and counts are as they should be, and there is no map to say more by."""
EXIT = {"accepted": 0, "accepted with warnings": 0, "syntax only": 3, "rejected": 1, "unusable": 2}


@dataclass(frozen=True)
class Judged:
    """A file's messages and what is wrong with the file itself."""

    path: Path
    standard: str | None
    messages: tuple[ReadMessage, ...]
    interchanges: tuple[Interchange, ...]
    issues: tuple[Issue, ...]

    @property
    def grade(self) -> str:
        """One of ``GRADES``: the worst that is to be said of it."""
        if self.standard is None or not (self.messages or self.interchanges):
            return "unusable"
        whole = [*self.issues, *(issue for each in self.interchanges for issue in envelope_issues(each))]
        judged = [each for each in self.messages if not is_syntax_only(each)]
        if any(issue.is_error for issue in whole) or not all(each.accepted for each in judged):
            return "rejected"
        if len(judged) < len(self.messages):
            return "syntax only"
        noted = [*whole, *(issue for each in self.messages for issue in each.issues)]
        warned = any(issue.severity is Severity.WARNING for issue in noted)
        return "accepted with warnings" if warned else "accepted"


def is_syntax_only(message: ReadMessage) -> bool:
    """Return whether all that is to be said against a message is that we have no map for it."""
    errors = [issue for issue in message.issues if issue.is_error]
    whole = [*message.group.issues, *message.interchange.issues]
    return (
        bool(errors)
        and message.document is None
        and all(issue.fault is Fault.UNKNOWN_MESSAGE for issue in errors)
        and not any(issue.is_error for issue in whole)
    )


def judge(path: Path, *, tolerant: bool = True, guide: Any = None) -> Judged:
    """Read a file, under a partner's guide where there is one (as ``edi.read`` takes it).

    Raises click.ClickException (exit status 2) where there is nothing to read.
    """
    payload = load(path)
    standard = detect(payload).standard
    if standard == "xml":
        from tradehub.edi.xml import read_xml

        message = read_xml(payload, map_store())
        return Judged(path, standard, (message,), (), () if message.type else message.issues)
    reading = read(payload, map_store(), tolerant=tolerant, guide=guide)
    messages = tuple(reading)
    return Judged(path, standard, messages, tuple(reading.interchanges), tuple(reading.issues))


def judge_lightly(path: Path, *, tolerant: bool = True, guide: Any = None, jobs: int = 1) -> Judged:
    """Judge a file without keeping its documents: of a large one no more than a message is held at a time.

    With ``jobs`` its interchanges are shared out to so many processes, unless a guide is asked for each message. Raises
    as ``judge`` does.
    """
    size = _size(path)
    if size < LARGE and jobs == 1:
        return judge(path, tolerant=tolerant, guide=guide)
    parts = spans(load(path)) if jobs > 1 and guide is None else []
    if len(parts) > 1:
        return _side_by_side(path, parts, tolerant=tolerant, guide=guide, jobs=jobs)
    return _judged_span(path, 0, size, tolerant=tolerant, guide=guide)


def _side_by_side(path: Path, parts: list[tuple[int, int]], *, tolerant: bool, guide: Any, jobs: int) -> Judged:
    from concurrent.futures import ProcessPoolExecutor

    judged = partial(_judged_span, path, tolerant=tolerant, guide=guide)
    with ProcessPoolExecutor(jobs) as pool:
        each = list(pool.map(judged, *zip(*parts, strict=True)))
    numbers = [interchange.control_number for one in each for interchange in one.interchanges]
    if len(numbers) != len(set(numbers)):  # one that is there twice is seen only where both are
        return _judged_span(path, 0, parts[-1][1], tolerant=tolerant, guide=guide)
    return Judged(
        path,
        each[0].standard,
        tuple(message for one in each for message in one.messages),
        tuple(interchange for one in each for interchange in one.interchanges),
        tuple(issue for one in each for issue in one.issues),
    )


def _judged_span(path: Path, start: int, end: int, *, tolerant: bool, guide: Any) -> Judged:
    """Judge a part of a file by the chunk; its messages keep what a verdict is told by."""
    reading = read(_chunks(path, start, end), map_store(), tolerant=tolerant, guide=guide)
    if reading.detected.standard == "xml":
        return judge(path, tolerant=tolerant, guide=guide)
    messages = tuple(_lightened(each) for each in reading)
    return Judged(path, reading.detected.standard, messages, tuple(reading.interchanges), tuple(reading.issues))


def _lightened(message: ReadMessage) -> ReadMessage:
    if message.document is not None:
        message.document = {"number": message.document.get("number")}
    if not message.issues:
        message.raw = message.header = message.trailer = ""
    message.guide = None
    return message


def _chunks(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < end:
            chunk = file.read(min(CHUNK, end - start))
            if not chunk:
                return
            start += len(chunk)
            yield chunk


def load(path: Path) -> bytes:
    _size(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error


def _size(path: Path) -> int:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}") from error
    if size > MAX_BYTES:
        raise Unusable(f"{path} is larger than {MAX_BYTES // 1024**2} MB")
    return size


class Unusable(click.ClickException):
    """What was given cannot be worked with at all."""

    exit_code = 2


def map_store() -> Any:
    """Return the maps, compiled ones kept in the user's cache folder so that the next command starts at once."""
    cache = Path(click.get_app_dir("tradehub")) / "maps"
    try:
        return resources.map_store(cache)
    except OSError:
        return resources.map_store()


def envelope_issues(interchange: Interchange) -> list[Issue]:
    return [*interchange.issues, *(issue for group in interchange.groups for issue in group.issues)]


def documents(judged: Judged) -> list[Document]:
    """Return the documents of the messages that were understood. Raises Unusable where there is none."""
    kinds = [each for each in judged.messages if each.document is not None]
    if not kinds:
        raise Unusable(f"{judged.path}: no message in it could be read")
    return [document_of(each) for each in kinds]


def document_of(message: ReadMessage) -> Document:
    """Return the message's document; its kind is that of its map."""
    plain: Mapping[str, Any] = message.document or {}
    return KINDS[kind_of(message)].model_validate(plain)


def kind_of(message: ReadMessage) -> str:
    if message.type in ACKNOWLEDGEMENTS:
        return "application_response"
    if message.standard in XML:
        from tradehub.edi.xml import xml_map

        return xml_map(map_store(), message.type, message.release).document
    standard, release, name = message.map_key.split("/")[:3]
    return str(map_store().get(standard, name, release).head.document)


def under_envelope(interchange: Interchange, issue: Issue) -> str | None:
    """Return the segment of the envelope with a caret under the fault; None where the issue points at none."""
    delimiters = interchange.delimiters
    groups = [each for each in interchange.groups if each.control_number == issue.at.group]
    around = [
        interchange.header,
        interchange.trailer,
        *(text for each in groups for text in (each.header, each.trailer)),
    ]
    for raw in around:
        tag = raw.split(delimiters.tag or delimiters.element)[0].strip()
        if tag and tag == issue.at.tag and not issue.at.segment:
            line = issue.line(raw.replace(delimiters.tag, delimiters.element, 1) if delimiters.tag else raw,
                              delimiters.element, delimiters.component)  # fmt: skip
            return line.replace(delimiters.element, delimiters.tag, 1) if delimiters.tag else line
    return None


class Lines:
    """The raw segments of a message, to point into."""

    def __init__(self, message: ReadMessage) -> None:
        self.message = message

    @cached_property
    def segments(self) -> Sequence[Segment]:
        return tuple(self.message.segments())

    @cached_property
    def source(self) -> Sequence[str]:
        """The lines of the text itself, which issues of an XML message count."""
        return self.message.raw.split("\n")

    @cached_property
    def of_header(self) -> Sequence[Segment]:
        """The segments of the header message of the file in which the message stands (TRADACOMS)."""
        return tuple(split_segments(self.message.group.header, self.message.interchange.delimiters))

    def _segments_of(self, issue: Issue) -> Sequence[Segment]:
        is_shared = self.message.shared and issue.at.message != self.message.control_number
        return self.of_header if is_shared else self.segments

    def under(self, issue: Issue) -> str | None:
        """Return the raw segment with a caret under the fault; None where the issue points at no segment."""
        delimiters = self.message.interchange.delimiters
        number = issue.at.segment
        if self.message.standard in XML:
            line = self.source[number - 1].strip() if 0 < number <= len(self.source) else ""
            return f"{line}\n^ {issue.at}" if 0 < len(line) <= WIDE else None
        segments = self._segments_of(issue)
        if not 0 < number <= len(segments):
            return None
        raw = segments[number - 1].text(delimiters.element, delimiters.component or ":", delimiters.repeat or "^")
        line = issue.line(raw, delimiters.element, delimiters.component or ":")
        return line.replace(delimiters.element, delimiters.tag, 1) if delimiters.tag else line
