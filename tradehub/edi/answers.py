"""Syntax acknowledgements read: what 997, 999, TA1 and CONTRL say of what we sent, down to the element."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tradehub.edi.acknowledgement import GROUP_CODES, INTERCHANGE_CODES, ISA_CODES, SET_CODES
from tradehub.edi.envelope import Interchange, ReadMessage, figure, split_segments
from tradehub.edi.segments import Fault, Position, Segment

NOWHERE = Position()


@dataclass(frozen=True, slots=True)
class Noted:
    """One fault as the receiver sees it. ``at`` counts as we do: segments from 1 at ST or UNH, elements without tag.

    ``code`` is the standard's own (718, 720, 723 ..., 0085, I18); ``fault`` is None for a code we have no word for.
    """

    code: str
    fault: Fault | None = None
    at: Position = NOWHERE
    value: str = ""
    element_id: str = ""

    @property
    def place(self) -> str:
        """Return the place in words, or nothing where the fault is the message's or interchange's own."""
        if self.at.segment and not self.at.tag:
            component = f".{self.at.component}" if self.at.component else ""
            inside = f", element {self.at.element}{component}" if self.at.element else ""
            return f"segment {self.at.segment}{inside}"
        return str(self.at) if self.at.segment or self.at.tag else ""

    @property
    def judgement(self) -> dict[str, Any]:
        """Return it as plain values of a Judgement, without severity."""
        text = self.fault.word.replace("_", " ") if self.fault is not None else ""
        said = {"code": self.code, "place": self.place, "value": self.value, "text": text}
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What an acknowledgement says of one message, or (``message`` empty) of a whole group or interchange.

    ``response`` is accepted, accepted_with_errors, rejected or received. Control numbers are as the acknowledgement
    gives them.
    """

    standard: str
    response: str
    interchange: str = ""
    group: str = ""
    message: str = ""
    type: str = ""
    notes: tuple[Noted, ...] = ()

    @property
    def is_accepted(self) -> bool:
        return self.response != "rejected"

    @property
    def judgements(self) -> tuple[dict[str, Any], ...]:
        return tuple(note.judgement for note in self.notes)


_X12_RESPONSES = {"A": "accepted", "E": "accepted_with_errors", "P": "accepted_with_errors"}
_EDIFACT_RESPONSES = {"7": "accepted", "8": "received", "4": "rejected"}


def _first_of(pairs: Iterable[tuple[str, Fault]]) -> dict[str, Fault]:
    found: dict[str, Fault] = {}
    for code, fault in pairs:
        found.setdefault(code, fault)
    return found


_SEGMENT_FAULTS = _first_of((fault.ak3, fault) for fault in Fault if fault.ak3 and not fault.ak4) | {
    "I4": Fault.UNEXPECTED_SEGMENT, "I6": Fault.MISSING_SEGMENT, "I7": Fault.MISSING_SEGMENT,
    "I8": Fault.MISSING_SEGMENT, "I9": Fault.UNEXPECTED_SEGMENT,
}  # fmt: skip
_ELEMENT_FAULTS = _first_of((fault.ak4, fault) for fault in Fault if fault.ak4) | {
    "13": Fault.TOO_MANY_COMPONENTS, "I6": Fault.INVALID_CODE, "I9": Fault.MISSING_CONDITIONAL,
    "I10": Fault.FORBIDDEN, "I13": Fault.FORBIDDEN,
}  # fmt: skip
_SET_FAULTS = _first_of((code, fault) for fault, code in SET_CODES.items())
_GROUP_FAULTS = _first_of((code, fault) for fault, code in GROUP_CODES.items())
_INTERCHANGE_FAULTS = _first_of((code, fault) for fault, code in INTERCHANGE_CODES.items()) | dict.fromkeys(
    ("022", *ISA_CODES.values()), Fault.BAD_ENVELOPE
)
_ISA_ELEMENTS = {code: element for element, code in ISA_CODES.items()}

# 0085 means other things of an element, of a segment and of an envelope.
_UCD_FAULTS = _first_of((fault.contrl, fault) for fault in Fault if fault.ak4) | {
    "12": Fault.INVALID_CODE, "14": Fault.INVALID_CODE, "15": Fault.FORBIDDEN, "48": Fault.MISSING_CONDITIONAL,
}  # fmt: skip
_UCS_FAULTS = _first_of((fault.contrl, fault) for fault in Fault if fault.ak3 and not fault.ak4)
_SERVICE_FAULTS = _first_of((fault.contrl, fault) for fault in Fault if not fault.ak3) | {"13": Fault.BAD_ENVELOPE}


def acknowledged(message: ReadMessage) -> tuple[Acknowledged, ...]:
    """Return what a 997, 999 or CONTRL says: each message it names, then the group or interchange as a whole."""
    segments = list(message.segments())
    return _Contrl().read(segments) if message.type == "CONTRL" else _Functional().read(segments)


def interchange_acknowledged(note: str, interchange: Interchange) -> Acknowledged:
    """Return what a TA1 (as it stands in ``interchange.service``) says of an interchange of ours."""
    segment = next(split_segments(note, interchange.delimiters), Segment("TA1"))
    code = segment.element(5)
    response = "rejected" if segment.element(4) == "R" else _X12_RESPONSES.get(segment.element(4), "accepted")
    at = Position(tag="ISA", element=_ISA_ELEMENTS.get(code, 0))
    notes = (Noted(code, _INTERCHANGE_FAULTS.get(code), at),) if code not in {"", "000"} else ()
    return Acknowledged("x12", response, segment.element(1).zfill(9), notes=notes)


class _Functional:
    """Reads a 997 or 999, segment by segment."""

    def __init__(self) -> None:
        self.found: list[Acknowledged] = []
        self.notes: list[Noted] = []
        self.kind = self.group = self.type = self.control = ""
        self.segment = Segment("")
        self.owes_elements = False  # AK3 said that elements are in error, and none has been named yet

    def read(self, segments: list[Segment]) -> tuple[Acknowledged, ...]:
        for segment in segments:
            match segment.tag:
                case "AK1":
                    self.kind, self.group = segment.element(1), segment.element(2)
                case "AK2":
                    self.type, self.control, self.notes = segment.element(1), segment.element(2), []
                case "AK3" | "IK3":
                    self._segment(segment)
                case "AK4" | "IK4":
                    self._element(segment)
                case "AK5" | "IK5":
                    self._close(segment, segment.elements[1:], _SET_FAULTS)
                case "AK9":
                    self.type, self.control, self.notes = self.kind, "", []
                    self._close(segment, segment.elements[4:], _GROUP_FAULTS)
        return tuple(self.found)

    def _segment(self, segment: Segment) -> None:
        self._settle()
        self.segment = segment
        code = segment.element(4)
        self.owes_elements = code == "8"
        if code and not self.owes_elements:
            self.notes.append(Noted(code, _SEGMENT_FAULTS.get(code), self._position()))

    def _settle(self) -> None:
        """Note a segment of which no element was named: it is wrong as a whole."""
        if self.owes_elements:
            self.notes.append(Noted("8", Fault.EMPTY_SEGMENT, self._position()))
        self.owes_elements = False

    def _position(self, element: int = 0, component: int = 0, repetition: int = 0) -> Position:
        tag, path = self.segment.element(1), self.segment.element(3)
        number = _number(self.segment.element(2))
        return Position("", self.group, self.control, number, tag, path, element, component, repetition)

    def _element(self, segment: Segment) -> None:
        at = self._position(*(_number(segment.element(1, part)) for part in (1, 2, 3)))
        self.owes_elements = False
        code = segment.element(3)
        self.notes.append(Noted(code, _ELEMENT_FAULTS.get(code), at, segment.element(4), segment.element(2)))

    def _close(self, segment: Segment, codes: Iterable[str], faults: dict[str, Fault]) -> None:
        self._settle()
        notes = [*self.notes, *(Noted(code, faults.get(code)) for code in codes if code)]
        response = _X12_RESPONSES.get(segment.element(1), "rejected")
        self.found.append(Acknowledged("x12", response, "", self.group, self.control, self.type, tuple(notes)))
        self.notes = []


class _Contrl:
    """Reads a CONTRL, segment by segment."""

    def __init__(self) -> None:
        self.found: list[Acknowledged] = []
        self.interchange = self.group = ""
        self.whole: list[Acknowledged] = []
        self.open: Acknowledged | None = None
        self.notes: list[Noted] = []
        self.number = 0

    def read(self, segments: list[Segment]) -> tuple[Acknowledged, ...]:
        for segment in segments:
            match segment.tag:
                case "UCI":
                    self.interchange = segment.element(1)
                    self.whole.append(self._answer(segment, 4))
                case "UCF":
                    self._flush()
                    self.group = segment.element(1)
                    self.whole.append(self._answer(segment, 4))
                case "UCM":
                    self._flush()
                    self.open = self._answer(segment, 3, segment.element(1), segment.element(2, 1))
                case "UCS":
                    self.number = _number(segment.element(1))
                    code = segment.element(2)
                    if code:
                        self.notes.append(Noted(code, _UCS_FAULTS.get(code), Position(segment=self._missing_at(code))))
                case "UCD":
                    self._element(segment)
        self._flush()
        return (*self.found, *self.whole[1:], *self.whole[:1])

    def _missing_at(self, code: str) -> int:
        """Return the place by our count: a missing segment is reported at the one before it."""
        return self.number + 1 if _UCS_FAULTS.get(code) is Fault.MISSING_SEGMENT else self.number

    def _element(self, segment: Segment) -> None:
        element, component, repetition = (_number(segment.element(2, part)) for part in (1, 2, 3))
        at = Position(segment=self.number, element=max(element - 1, 0), component=component, repetition=repetition)
        self.notes.append(Noted(segment.element(1), _UCD_FAULTS.get(segment.element(1)), at))

    def _answer(self, segment: Segment, action: int, message: str = "", type_: str = "") -> Acknowledged:
        response = _EDIFACT_RESPONSES.get(segment.element(action), "rejected")
        code, tag = segment.element(action + 1), segment.element(action + 2)
        element, component = (_number(segment.element(action + 3, part)) for part in (1, 2))
        at = Position(self.interchange, self.group, message, 0, tag, "", max(element - 1, 0), component)
        notes = (Noted(code, _SERVICE_FAULTS.get(code), at),) if code else ()
        return Acknowledged("edifact", response, self.interchange, self.group, message, type_, notes)

    def _flush(self) -> None:
        if self.open is not None:
            one = self.open
            notes = (*one.notes, *self.notes)
            self.found.append(
                Acknowledged("edifact", one.response, one.interchange, one.group, one.message, one.type, notes)
            )
        self.open, self.notes = None, []


def _number(text: str) -> int:
    return max(figure(text), 0)


def document_of(message: ReadMessage) -> dict[str, Any]:
    """Return an acknowledgement as the plain values of an ApplicationResponse: the whole first, its messages as
    judgements."""
    every = acknowledged(message)
    whole = next((each for each in reversed(every) if not each.message), None)
    rows: list[dict[str, Any]] = []
    for each in every:
        if each.message:
            severity = "note" if each.response == "accepted" else "warning" if each.is_accepted else "error"
            place = f"{each.type} {each.message}".strip()
            rows.append({"code": each.response, "severity": severity, "place": place})
        if each is not whole:
            told = "error" if not each.is_accepted else "warning"
            line = {"line": each.message} if each.message else {}
            rows += [{**note, "severity": told, **line} for note in each.judgements]
    document: dict[str, Any] = {"number": message.control_number, "judgements": rows}
    if whole is not None:
        document["response"] = whole.response
        subject = f"{whole.standard}:{whole.type or 'interchange'}"
        document["subject"] = {"type": subject, "value": whole.interchange or whole.group}
        rows += [{**note, "severity": "error"} for note in whole.judgements]
    return document
