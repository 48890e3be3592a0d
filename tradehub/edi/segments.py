"""Segments, places in an interchange, and what can be wrong there.

A ``Segment`` is independent of delimiters: inside an element, components are parted by ``COMPONENT`` and repetitions
by ``REPEAT``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NamedTuple

ELEMENT = "\x1d"
COMPONENT = "\x1f"
REPEAT = "\x1e"


class Segment(NamedTuple):
    """One segment; ``number`` counts from 1 at ST or UNH, 0 where it stands outside a message."""

    tag: str
    elements: tuple[str, ...] = ()
    number: int = 0

    def element(self, position: int, component: int = 0) -> str:
        """Return an element's text (1-based), or one component of it; empty where the segment is shorter."""
        if position > len(self.elements):
            return ""
        text = self.elements[position - 1]
        if not component:
            return text
        parts = text.split(COMPONENT)
        return parts[component - 1] if component <= len(parts) else ""

    def components(self, position: int) -> tuple[str, ...]:
        """Return the components of an element, empty where there is none."""
        text = self.element(position)
        return tuple(text.split(COMPONENT)) if text else ()

    def text(self, element: str = "*", component: str = ":", repeat: str = "^") -> str:
        """Return the segment as people know it, without terminator."""
        body = element.join((self.tag, *self.elements))
        return body.replace(COMPONENT, component).replace(REPEAT, repeat)


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Fault(Enum):
    """What is wrong, with the codes that say so: 997 AK304 (segment), 997 AK403 (element), CONTRL 0085."""

    # segment
    UNKNOWN_SEGMENT = ("unknown_segment", "1", "", "15")
    UNEXPECTED_SEGMENT = ("unexpected_segment", "2", "", "15")
    MISSING_SEGMENT = ("missing_segment", "3", "", "13")
    TOO_MANY_LOOPS = ("too_many_loops", "4", "", "36")
    TOO_MANY_SEGMENTS = ("too_many_segments", "5", "", "35")
    NOT_IN_SET = ("not_in_set", "6", "", "15")
    OUT_OF_ORDER = ("out_of_order", "7", "", "15")
    EMPTY_SEGMENT = ("empty_segment", "8", "", "18")
    # element
    MISSING_ELEMENT = ("missing_element", "8", "1", "13")
    MISSING_CONDITIONAL = ("missing_conditional", "8", "2", "13")
    TOO_MANY_ELEMENTS = ("too_many_elements", "8", "3", "16")
    TOO_MANY_COMPONENTS = ("too_many_components", "8", "3", "16")
    TOO_MANY_REPETITIONS = ("too_many_repetitions", "8", "12", "35")
    TOO_SHORT = ("too_short", "8", "4", "40")
    TOO_LONG = ("too_long", "8", "5", "39")
    INVALID_CHARACTER = ("invalid_character", "8", "6", "21")
    NOT_A_NUMBER = ("not_a_number", "8", "6", "37")
    INVALID_CODE = ("invalid_code", "8", "7", "12")
    INVALID_DATE = ("invalid_date", "8", "8", "12")
    INVALID_TIME = ("invalid_time", "8", "9", "12")
    EXCLUDED = ("excluded", "8", "10", "12")
    FORBIDDEN = ("forbidden", "8", "10", "15")
    # business figures that a message states about itself
    WRONG_SUM = ("wrong_sum", "", "", "29")
    # message and envelope
    UNKNOWN_MESSAGE = ("unknown_message", "", "", "14")
    MISSING_TRAILER = ("missing_trailer", "", "", "13")
    WRONG_SEGMENT_COUNT = ("wrong_segment_count", "", "", "29")
    WRONG_MESSAGE_COUNT = ("wrong_message_count", "", "", "29")
    WRONG_GROUP_COUNT = ("wrong_group_count", "", "", "29")
    CONTROL_NUMBER_MISMATCH = ("control_number_mismatch", "", "", "28")
    DUPLICATE_CONTROL_NUMBER = ("duplicate_control_number", "", "", "26")
    NO_AGREEMENT = ("no_agreement", "", "", "17")
    UNKNOWN_SENDER = ("unknown_sender", "", "", "23")
    UNKNOWN_RECEIVER = ("unknown_receiver", "", "", "7")
    BAD_ENVELOPE = ("bad_envelope", "", "", "12")
    CHARSET = ("charset", "", "", "21")
    NOT_EDI = ("not_edi", "", "", "2")
    TRAILING_GARBAGE = ("trailing_garbage", "", "", "33")
    EMPTY_LEVEL = ("empty_level", "", "", "32")
    MIXED_LEVELS = ("mixed_levels", "", "", "30")
    LIMIT_EXCEEDED = ("limit_exceeded", "", "", "18")

    def __init__(self, word: str, ak3: str, ak4: str, contrl: str) -> None:
        self.word = word
        self.ak3 = ak3
        self.ak4 = ak4
        self.contrl = contrl


@dataclass(frozen=True, slots=True)
class Position:
    """Where: control numbers of interchange, group and message, then segment (from 1 at ST/UNH), element, component,
    repetition.

    Zero and the empty text mean "not so deep".
    """

    interchange: str = ""
    group: str = ""
    message: str = ""
    segment: int = 0
    tag: str = ""
    path: str = ""
    element: int = 0
    component: int = 0
    repetition: int = 0

    def __str__(self) -> str:
        if not self.segment:
            return f"{self.tag}{self._inside}" if self.tag else "interchange"
        return f"segment {self.segment} ({self.tag}{self._inside})"

    @property
    def _inside(self) -> str:
        element = f"{self.element:02}" if self.element else ""
        component = f".{self.component}" if self.component else ""
        return element + component + (f" repetition {self.repetition}" if self.repetition else "")


@dataclass(frozen=True, slots=True)
class Issue:
    """Something a partner did wrong, placed and coded so that it can be sent back."""

    fault: Fault
    at: Position
    text: str
    severity: Severity = Severity.ERROR
    element_id: str = ""
    value: str = ""
    rule: str = ""

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    @property
    def ak3(self) -> str:
        return self.fault.ak3

    @property
    def ak4(self) -> str:
        return self.fault.ak4

    @property
    def contrl(self) -> str:
        """Return the UN/EDIFACT 0085 code."""
        return self.fault.contrl

    def line(self, raw_segment: str, element: str = "*", component: str = ":") -> str:
        """Return two plain lines: the raw segment, and a caret under the fault with its place.

        What is missing would stand before the segment.
        """
        start = _column(raw_segment, self.at, element, component)
        before = ", before this" if self.fault is Fault.MISSING_SEGMENT else ""
        return f"{raw_segment}\n{' ' * start}^ {self.at}{before}"


def _column(raw: str, at: Position, element: str, component: str) -> int:
    if not at.element:
        return 0
    pieces = raw.split(element)
    if at.element >= len(pieces):
        return len(raw)
    start = sum(len(piece) + 1 for piece in pieces[: at.element])
    if at.component > 1:
        start += sum(len(part) + 1 for part in pieces[at.element].split(component)[: at.component - 1])
    return min(start, len(raw))


def is_count(stated: str, count: int) -> bool:
    """Return whether a text says this number, with or without zeros in front."""
    return stated.isascii() and stated.isdigit() and (stated.lstrip("0") or "0") == str(count)


def miscounted(tag: str, stated: str, count: int, what: str) -> str:
    """Return what to say of a trailer that states another number of segments, messages or groups than there are."""
    return f"{tag} says {stated or 'nothing'}, there {'is' if count == 1 else 'are'} {count} {what}{'s' * (count != 1)}"
