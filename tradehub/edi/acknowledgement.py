"""Syntax acknowledgements: 997 and TA1, CONTRL; made for what was received, and read back.

Codes: X12 004010 elements 715, 716, 717, 718, 720, 723, I18; UN/EDIFACT 0083 and 0085.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tradehub.edi.envelope import Delimiters, Group, Interchange, ReadMessage, Verdict
from tradehub.edi.outgoing import EnvelopeFacts, OutMessage, write_interchange
from tradehub.edi.segments import COMPONENT, Fault, Issue, Segment

MOST_NOTES = 200  # AK3 or UCS for one message: what stands behind is no help
_BAD_DATA = 99  # longest copy of a bad element (724)

_AK5 = {
    Fault.UNKNOWN_MESSAGE: "1", Fault.NO_AGREEMENT: "1", Fault.MISSING_TRAILER: "2", Fault.CONTROL_NUMBER_MISMATCH:
    "3", Fault.WRONG_SEGMENT_COUNT: "4",
}  # fmt: skip
_AK9 = {Fault.MISSING_TRAILER: "3", Fault.CONTROL_NUMBER_MISMATCH: "4", Fault.WRONG_MESSAGE_COUNT: "5"}
_TA1 = {
    Fault.CONTROL_NUMBER_MISMATCH: "001", Fault.WRONG_GROUP_COUNT: "021", Fault.MISSING_TRAILER: "023",
    Fault.BAD_ENVELOPE: "024",
    Fault.DUPLICATE_CONTROL_NUMBER: "025", Fault.UNKNOWN_SENDER: "006", Fault.UNKNOWN_RECEIVER: "008",
}  # fmt: skip
ACKNOWLEDGEMENTS = frozenset({"997", "999", "CONTRL"})


def acknowledge(
    received: Interchange,
    *,
    at: datetime,
    control: str,
    group_control: str = "",
    delimiters: Delimiters | None = None,
) -> bytes:
    """Return the interchange that answers ``received``: 997s with TA1 where due, or one CONTRL. Acknowledgements are
    not acknowledged.

    Empty when there is nothing to answer. ``control`` numbers the answer,
    ``group_control`` its group (the same where empty).
    """
    x12 = received.standard == "x12"
    messages = functional(received) if x12 else control_messages(received)
    service = interchange_note(received, at) if x12 else ()
    if not messages and not service:
        return b""
    facts = EnvelopeFacts(
        received.standard,
        received.receiver,
        received.sender,
        control,
        at,
        received.test,
        version=received.version if x12 else _syntax(received.version),
        group_control_number=group_control,
        group_sender=received.groups[0].receiver if x12 and received.groups else "",
        group_receiver=received.groups[0].sender if x12 and received.groups else "",
        delimiters=delimiters or received.delimiters,
        service=service,
    )
    return write_interchange(messages, facts)


def _syntax(version: str) -> str:
    return version if version.startswith("UNO") else "UNOC:3"


# X12 ----------------------------------------------------------------------------------------------


def interchange_note(received: Interchange, at: datetime) -> tuple[Segment, ...]:
    """Return TA1 when the sender asks for it or the envelope is at fault, else nothing."""
    faults = [issue for issue in received.issues if issue.is_error]
    if not faults and not received.wants_acknowledgement:
        return ()
    code = _TA1.get(faults[0].fault, "024") if faults else "000"
    moment = (received.date or f"{at:%y%m%d}", received.time or f"{at:%H%M}")
    return (Segment("TA1", (received.control_number, *moment, "R" if faults else "A", code)),)


def functional(received: Interchange) -> list[OutMessage]:
    """Return a 997 for each group, in order; none for groups of 997s and 999s."""
    made: list[OutMessage] = []
    for group in received.groups:
        if group.code == "FA" or (
            all(message.type in ACKNOWLEDGEMENTS for message in group.messages) and group.messages
        ):
            continue
        number = f"{len(made) + 1:04}"
        made.append(OutMessage("x12", "997", "004010", number, tuple(_group_note(group, received)), "FA"))
    return made


def _group_note(group: Group, received: Interchange) -> Iterable[Segment]:
    yield Segment("AK1", (group.code or "ZZ", group.control_number or received.control_number))
    accepted = 0
    is_refused = not group.accepted or not received.accepted
    for message in group.messages:
        yield Segment("AK2", (message.type, message.control_number))
        yield from _segment_notes(message)
        codes = tuple(dict.fromkeys(_ak5_codes(message)))[:5]
        is_good = message.accepted and not is_refused
        accepted += is_good
        yield Segment("AK5", ("R" if not is_good else "E" if codes else "A", *codes))
    count = len(group.messages)
    codes = tuple(dict.fromkeys(_AK9[issue.fault] for issue in group.issues if issue.is_error and issue.fault in _AK9))
    verdict = "R" if is_refused or not accepted else "P" if accepted < count else "A"
    if verdict == "A" and any(_ak5_codes(message) for message in group.messages):
        verdict = "E"
    stated = _stated(group, received.delimiters.element) or count
    yield Segment("AK9", (verdict, str(stated), str(count), str(accepted), *codes[:5]))


def _stated(group: Group, element: str) -> int:
    pieces = group.trailer.split(element)
    return int(pieces[1]) if len(pieces) > 1 and pieces[1].isdigit() else 0


def _noted(issues: Sequence[Issue]) -> list[Issue]:
    return [issue for issue in issues if issue.ak3]


def _ak5_codes(message: Verdict) -> list[str]:
    codes = [_AK5[issue.fault] for issue in message.issues if issue.is_error and issue.fault in _AK5]
    return codes + (["5"] if _noted(message.issues) else [])


def _segment_notes(message: Verdict) -> Iterable[Segment]:
    by_segment: dict[tuple[int, str], list[Issue]] = {}
    for issue in _noted(message.issues):
        by_segment.setdefault((issue.at.segment, issue.at.tag), []).append(issue)
    for (number, tag), issues in list(by_segment.items())[:MOST_NOTES]:
        whole = [issue for issue in issues if not issue.at.element]
        elements = [issue for issue in issues if issue.at.element]
        loop = issues[0].at.path.rpartition("/")[2].partition("@")[0][:6]
        for issue in whole:
            yield Segment("AK3", (tag[:3], str(number), loop, issue.ak3))
        if elements:
            yield Segment("AK3", (tag[:3], str(number), loop, "8"))
        for issue in elements:
            place = str(issue.at.element) + (f"{COMPONENT}{issue.at.component}" if issue.at.component else "")
            reference = issue.element_id if issue.element_id.isdigit() else ""
            yield Segment("AK4", (place, reference, issue.ak4, _copy(issue.value)))


def _copy(value: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in value[:_BAD_DATA]).strip()


# EDIFACT ------------------------------------------------------------------------------------------


def control_messages(received: Interchange) -> list[OutMessage]:
    """Return the CONTRL that answers an interchange; none when it holds nothing but CONTRL."""
    messages = received.messages
    if messages and all(message.type == "CONTRL" for message in messages):
        return []
    segments = [_interchange_response(received)]
    if received.accepted:
        for message in messages:
            if message.type != "CONTRL":
                segments += _message_response(message)
    return [OutMessage("edifact", "CONTRL", "D3", "1", tuple(segments))]


def _interchange_response(received: Interchange) -> Segment:
    sender = COMPONENT.join(filter(None, (received.sender.value, received.sender.qualifier)))
    receiver = COMPONENT.join(filter(None, (received.receiver.value, received.receiver.qualifier)))
    faults = [issue for issue in received.issues if issue.is_error]
    if not faults:
        return Segment("UCI", (received.control_number, sender, receiver, "7"))
    tag = faults[0].at.tag or "UNB"
    return Segment("UCI", (received.control_number, sender, receiver, "4", faults[0].contrl, tag))


def _message_response(message: Verdict) -> list[Segment]:
    release = (message.release[:1], message.release[1:])
    kind = COMPONENT.join(filter(None, (message.type, *release, message.agency, message.association)))
    if message.accepted:
        return [Segment("UCM", (message.control_number, kind, "7"))]
    errors = [issue for issue in message.issues if issue.is_error]
    whole = next((issue for issue in errors if issue.at.segment <= 1 or issue.at.tag in {"UNH", "UNT"}), None)
    elements: tuple[str, ...] = ("4",)
    if whole is not None:
        elements = ("4", whole.contrl, whole.at.tag or "UNH", str(whole.at.element or ""))
    segments = [Segment("UCM", (message.control_number, kind, *elements))]
    by_segment: dict[int, list[Issue]] = {}
    for issue in errors:
        if issue is not whole and issue.at.segment > 1:
            by_segment.setdefault(issue.at.segment, []).append(issue)
    for number, issues in list(by_segment.items())[:MOST_NOTES]:
        first = next((issue for issue in issues if not issue.at.element), None)
        segments.append(Segment("UCS", (str(number), first.contrl) if first is not None else (str(number),)))
        for issue in issues:
            if issue.at.element:
                place = str(issue.at.element) + (f"{COMPONENT}{issue.at.component}" if issue.at.component else "")
                segments.append(Segment("UCD", (issue.contrl, place)))
    return segments


# Reading ------------------------------------------------------------------------------------------


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
    judgements: tuple[dict[str, Any], ...] = ()

    @property
    def is_accepted(self) -> bool:
        return self.response != "rejected"


_X12_RESPONSES = {"A": "accepted", "E": "accepted_with_errors", "P": "accepted_with_errors"}
_EDIFACT_RESPONSES = {"7": "accepted", "8": "received", "4": "rejected"}


def acknowledged(message: ReadMessage) -> tuple[Acknowledged, ...]:
    """Return what a 997, 999 or CONTRL says: each message it names, then the group or interchange as a whole."""
    segments = list(message.segments())
    return _from_contrl(segments) if message.type == "CONTRL" else _from_functional(segments)


def _from_functional(segments: list[Segment]) -> tuple[Acknowledged, ...]:
    found: list[Acknowledged] = []
    group = kind = type_ = control = ""
    notes: list[dict[str, Any]] = []
    at = ""
    for segment in segments:
        match segment.tag:
            case "AK1":
                kind, group = segment.element(1), segment.element(2)
            case "AK2":
                type_, control, notes = segment.element(1), segment.element(2), []
            case "AK3" | "IK3":
                at = f"segment {segment.element(2)} ({segment.element(1)})"
                if segment.element(4) and segment.element(4) != "8":
                    notes.append({"code": segment.element(4), "place": at})
            case "AK4" | "IK4":
                place = segment.element(1).replace(COMPONENT, ".")
                note = {
                    "code": segment.element(3),
                    "place": f"{at[:-1]}{int(place.split('.')[0] or 0):02})" if at else place,
                }
                notes.append(note | ({"value": segment.element(4)} if segment.element(4) else {}))
            case "AK5" | "IK5":
                codes = [{"code": code} for code in segment.elements[1:] if code]
                response = _X12_RESPONSES.get(segment.element(1), "rejected")
                found.append(Acknowledged("x12", response, "", group, control, type_, tuple(notes + codes)))
                notes = []
            case "AK9":
                codes = [{"code": code} for code in segment.elements[4:] if code]
                response = _X12_RESPONSES.get(segment.element(1), "rejected")
                found.append(Acknowledged("x12", response, "", group, "", kind, tuple(codes)))
    return tuple(found)


def _from_contrl(segments: list[Segment]) -> tuple[Acknowledged, ...]:
    whole: Acknowledged | None = None
    found: list[Acknowledged] = []
    notes: list[dict[str, Any]] = []
    interchange = at = ""
    pending: tuple[str, str, str] | None = None

    def flush() -> None:
        if pending is not None:
            found.append(Acknowledged("edifact", pending[0], interchange, "", pending[1], pending[2], tuple(notes)))

    for segment in segments:
        match segment.tag:
            case "UCI":
                interchange = segment.element(1)
                response = _EDIFACT_RESPONSES.get(segment.element(4), "rejected")
                codes = ({"code": segment.element(5)},) if segment.element(5) else ()
                whole = Acknowledged("edifact", response, interchange, judgements=codes)
            case "UCM":
                flush()
                response = _EDIFACT_RESPONSES.get(segment.element(3), "rejected")
                pending = (response, segment.element(1), segment.element(2, 1))
                notes = [{"code": segment.element(4), "place": segment.element(5)}] if segment.element(4) else []
            case "UCS":
                at = f"segment {segment.element(1)}"
                if segment.element(2):
                    notes.append({"code": segment.element(2), "place": at})
            case "UCD":
                place = segment.element(2).replace(COMPONENT, ".")
                notes.append({"code": segment.element(1), "place": f"{at}, element {place}"})
    flush()
    return (*found, whole) if whole is not None else tuple(found)


def document_of(message: ReadMessage) -> dict[str, Any]:
    """Return an acknowledgement as the plain values of an ApplicationResponse: the whole first, its messages as
    judgements."""
    every = acknowledged(message)
    whole = next((each for each in every if not each.message), None)
    rows: list[dict[str, Any]] = []
    for each in every:
        if each.message:
            severity = "note" if each.response == "accepted" else "warning" if each.is_accepted else "error"
            place = f"{each.type} {each.message}".strip()
            rows.append({"code": each.response, "severity": severity, "place": place})
            rows += [
                {**note, "severity": "error" if not each.is_accepted else "warning", "line": each.message}
                for note in each.judgements
            ]
    document: dict[str, Any] = {"number": message.control_number, "judgements": rows}
    if whole is not None:
        document["response"] = whole.response
        document["subject"] = {
            "type": f"{whole.standard}:{whole.type or 'interchange'}",
            "value": whole.group or whole.interchange,
        }
        rows += [{**note, "severity": "error"} for note in whole.judgements]
    return document
