"""Syntax acknowledgements of what was received: 997, 999 and TA1, CONTRL of syntax 3 and 4. Reading them: ``answers``.

Codes: X12 elements 715-718, 720, 723 (997), 618, 620, 621 (999), I17, I18 (TA1); UN/EDIFACT 0083 and 0085.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from tradehub.edi.edifact import segment_of, syntax_of
from tradehub.edi.envelope import Delimiters, Group, Interchange, Verdict
from tradehub.edi.outgoing import EnvelopeFacts, OutMessage, raw_of, write_interchange
from tradehub.edi.segments import COMPONENT, REPEAT, Fault, Issue, Segment, Severity

MOST_NOTES = 200
"""AK3 or UCS for one message: what stands behind is no help, and CONTRL allows 999."""
MOST_ELEMENT_NOTES = 99
"""AK4, IK4 or UCD for one segment: the standards' own maximum."""
_BAD_DATA = 99  # longest copy of a bad element (724)
_LOOP_ID = {"997": 6, "999": 4}  # longest loop identifier (447): 004010, 005010
ACKNOWLEDGEMENTS = frozenset({"997", "999", "CONTRL"})
GUIDE = "guide"
"""Rule of an issue that a partner's guide, and not the standard, makes one."""

SET_CODES = {  # 718, in 618 too
    Fault.UNKNOWN_MESSAGE: "1", Fault.NO_AGREEMENT: "1", Fault.MISSING_TRAILER: "2",
    Fault.CONTROL_NUMBER_MISMATCH: "3", Fault.WRONG_SEGMENT_COUNT: "4", Fault.DUPLICATE_CONTROL_NUMBER: "23",
    Fault.BAD_ENVELOPE: "7",
}  # fmt: skip
IN_ERROR = "5"  # 718: one or more segments are in error
NO_SET_ID = "6"  # 718: the identifier in ST01 is missing or invalid
GROUP_CODES = {  # 716
    Fault.UNKNOWN_MESSAGE: "1", Fault.NO_AGREEMENT: "1", Fault.MISSING_TRAILER: "3",
    Fault.CONTROL_NUMBER_MISMATCH: "4", Fault.WRONG_MESSAGE_COUNT: "5", Fault.BAD_ENVELOPE: "6",
    Fault.DUPLICATE_CONTROL_NUMBER: "19",
}  # fmt: skip
INTERCHANGE_CODES = {  # I18
    Fault.CONTROL_NUMBER_MISMATCH: "001", Fault.UNKNOWN_SENDER: "006", Fault.UNKNOWN_RECEIVER: "009",
    Fault.WRONG_GROUP_COUNT: "021", Fault.MISSING_TRAILER: "023", Fault.BAD_ENVELOPE: "024",
    Fault.NO_AGREEMENT: "024", Fault.DUPLICATE_CONTROL_NUMBER: "025", Fault.LIMIT_EXCEEDED: "022",
    Fault.EMPTY_LEVEL: "024",
}  # fmt: skip
ISA_CODES = {  # I18 by the element of ISA that is at fault
    1: "010", 2: "011", 3: "012", 4: "013", 5: "005", 6: "006", 7: "007", 8: "008", 9: "014", 10: "015", 11: "016",
    12: "017", 13: "018", 14: "019", 15: "020", 16: "027",
}  # fmt: skip
_FROM_005010 = {Fault.TOO_MANY_COMPONENTS: "13"}  # 723, 621: codes that 004010 lacks
_BEFORE_005010 = {Fault.TOO_MANY_REPETITIONS: "3"}
_GUIDE_SEGMENTS = {Fault.MISSING_SEGMENT: "I8", Fault.UNEXPECTED_SEGMENT: "I4", Fault.NOT_IN_SET: "I4"}  # 620
_GUIDE_ELEMENTS = {Fault.INVALID_CODE: "I6", Fault.MISSING_ELEMENT: "I9"}  # 621
_NOT_USED = "I10"  # 621: the guide does not use this element


def acknowledge(
    received: Interchange,
    *,
    at: datetime,
    control: str,
    group_control: str = "",
    delimiters: Delimiters | None = None,
    functional_set: str = "",
) -> bytes:
    """Return the interchange that answers ``received``: 997s or 999s with TA1 where due, or one CONTRL.
    Acknowledgements are not acknowledged.

    Empty when there is nothing to answer. ``control`` numbers the answer, ``group_control`` its group (the same where
    empty). ``functional_set`` is 997 or 999; where it is empty, groups from 005010 on are answered by 999.
    """
    if received.standard == "tradacoms":
        return b""  # the standard has no acknowledgement of syntax
    x12 = received.standard == "x12"
    messages = functional(received, functional_set) if x12 else control_messages(received)
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
        version=received.version if x12 else ":".join(syntax_of(received)),
        group_control_number=group_control,
        group_sender=received.groups[0].receiver if x12 and received.groups else "",
        group_receiver=received.groups[0].sender if x12 and received.groups else "",
        delimiters=delimiters or received.delimiters,
        service=service,
    )
    return write_interchange(messages, facts)


def answer_of(received: Interchange, functional_set: str = "") -> str:
    """Return the message that ``acknowledge`` answers with, as ``x12:997:004010``; TA1 where there is nothing else."""
    if received.standard == "x12":
        made = functional(received, functional_set)
        return f"x12:{made[0].type}:{made[0].release}" if made else "x12:TA1:004010"
    return f"edifact:CONTRL:{_contrl_release(received)}"


# X12 ----------------------------------------------------------------------------------------------


def interchange_note(received: Interchange, at: datetime) -> tuple[Segment, ...]:
    """Return TA1 when the sender asks for it or the envelope is at fault, else nothing.

    TA104 is E where the envelope is taken though it is not as it should be.
    """
    faults = [issue for issue in received.issues if issue.is_error]
    if not faults and not received.wants_acknowledgement:
        return ()
    milder = [issue for issue in received.issues if issue.severity is Severity.WARNING and issue.at.tag == "ISA"]
    verdict, of = ("R", faults) if faults else ("E", milder) if milder else ("A", [])
    code = _interchange_code(of[0]) if of else "000"
    moment = (received.date or f"{at:%y%m%d}", received.time or f"{at:%H%M}")
    return (Segment("TA1", (received.control_number.zfill(9)[:9], *moment, verdict, code)),)


def _interchange_code(issue: Issue) -> str:
    if issue.fault is Fault.BAD_ENVELOPE and issue.at.tag == "ISA":
        return ISA_CODES.get(issue.at.element, "022")
    return INTERCHANGE_CODES.get(issue.fault, "024")


def functional(received: Interchange, functional_set: str = "") -> list[OutMessage]:
    """Return a 997 or 999 for each group, in order; none for groups of 997s and 999s."""
    made: list[OutMessage] = []
    for group in received.groups:
        if group.code == "FA" or (
            all(message.type in ACKNOWLEDGEMENTS for message in group.messages) and group.messages
        ):
            continue
        is_late = (group.version or received.version[1:].zfill(6)) >= "005010"
        notes = _Notes(functional_set or ("999" if is_late else "997"), is_late=is_late)
        release = "005010" if is_late or notes.set == "999" else "004010"
        segments = tuple(notes.of_group(group, received))
        made.append(OutMessage("x12", notes.set, release, f"{len(made) + 1:04}", raw_of(segments), "FA"))
    return made


class _Notes:
    """The segments of a 997, or of a 999: there AK3, AK4 and AK5 are IK3, IK4 and IK5, with codes of guides."""

    def __init__(self, functional_set: str, *, is_late: bool) -> None:
        self.set = functional_set
        self.letter = "I" if functional_set == "999" else "A"
        self.is_late = is_late or functional_set == "999"

    def of_group(self, group: Group, received: Interchange) -> Iterator[Segment]:
        version = (group.version,) if self.set == "999" and group.version else ()
        yield Segment("AK1", (group.code or "ZZ", group.control_number or received.control_number, *version))
        accepted = 0
        is_refused = not group.accepted or not received.accepted
        for message in group.messages:
            yield Segment("AK2", (message.type, message.control_number))
            yield from self._segment_notes(message)
            codes = tuple(dict.fromkeys(_set_codes(message)))[:5]
            is_good = message.accepted and not is_refused
            accepted += is_good
            yield Segment(f"{self.letter}K5", ("R" if not is_good else "E" if codes else "A", *codes))
        yield _group_trailer(group, received, accepted, is_refused=is_refused)

    def _segment_notes(self, message: Verdict) -> Iterator[Segment]:
        by_segment: dict[tuple[int, str], list[Issue]] = {}
        for issue in _noted(message.issues):
            by_segment.setdefault((issue.at.segment, issue.at.tag), []).append(issue)
        for (number, tag), issues in list(by_segment.items())[:MOST_NOTES]:
            loop = issues[0].at.path.rpartition("/")[2].partition("@")[0][: _LOOP_ID[self.set]]
            place = (tag[:3].ljust(2, "-"), str(number), loop)
            for issue in issues:
                if not issue.at.element:
                    yield Segment(f"{self.letter}K3", (*place, self._segment_code(issue)))
            elements = [issue for issue in issues if issue.at.element]
            if elements:
                yield Segment(f"{self.letter}K3", (*place, "8"))
            for issue in elements[:MOST_ELEMENT_NOTES]:
                yield from self._element_notes(issue, place)

    def _segment_code(self, issue: Issue) -> str:
        of_guide = self.set == "999" and issue.rule == GUIDE
        return _GUIDE_SEGMENTS.get(issue.fault, issue.ak3) if of_guide else issue.ak3

    def _element_notes(self, issue: Issue, place: tuple[str, str, str]) -> Iterator[Segment]:
        reference = issue.element_id if issue.element_id.isdigit() else ""
        where = _place_in_segment(issue)
        yield Segment(f"{self.letter}K4", (where, reference, self._element_code(issue), _copy(issue.value)))
        trigger = _trigger(issue) if self.set == "999" else 0
        if trigger:
            yield Segment("CTX", ("SITUATIONAL TRIGGER", *place, str(trigger)))

    def _element_code(self, issue: Issue) -> str:
        if self.set == "999" and issue.fault is Fault.FORBIDDEN:
            return _NOT_USED
        if self.set == "999" and issue.rule == GUIDE:
            return _GUIDE_ELEMENTS.get(issue.fault, issue.ak4)
        return (_FROM_005010 if self.is_late else _BEFORE_005010).get(issue.fault, issue.ak4)


def _group_trailer(group: Group, received: Interchange, accepted: int, *, is_refused: bool) -> Segment:
    count = len(group.messages)
    faults = [issue.fault for issue in group.issues if issue.is_error and issue.fault in GROUP_CODES]
    codes = tuple(dict.fromkeys(GROUP_CODES[fault] for fault in faults))
    verdict = "R" if is_refused or not accepted else "P" if accepted < count else "A"
    if verdict == "A" and any(_set_codes(message) for message in group.messages):
        verdict = "E"
    stated = _stated(group, received.delimiters.element) or count
    return Segment("AK9", (verdict, str(stated), str(count), str(accepted), *codes[:5]))


def _stated(group: Group, element: str) -> int:
    pieces = group.trailer.split(element)
    return int(pieces[1]) if len(pieces) > 1 and re.fullmatch(r"[0-9]{1,9}", pieces[1]) else 0


def _noted(issues: Sequence[Issue]) -> list[Issue]:
    return [issue for issue in issues if issue.ak3 and issue.severity is not Severity.NOTE]


def _set_codes(message: Verdict) -> list[str]:
    """Return why the set is refused or what is noted of it; a refusal without a code of its own says 5."""
    errors = [issue.fault for issue in message.issues if issue.is_error]
    codes = [SET_CODES[fault] for fault in errors if fault in SET_CODES]
    if Fault.UNKNOWN_MESSAGE in errors and not (len(message.type) == 3 and message.type.isalnum()):
        codes = [NO_SET_ID if code == "1" else code for code in codes]
    return codes + ([IN_ERROR] if _noted(message.issues) or (errors and not codes) else [])


def _place_in_segment(issue: Issue, first: int = 0) -> str:
    """Return a composite of element, component and repetition, the last two where they are known."""
    at = issue.at
    parts = [str(at.element + first), str(at.component or ""), str(at.repetition or "")]
    return COMPONENT.join(parts).rstrip(COMPONENT)


def _trigger(issue: Issue) -> int:
    """Return the element by whose presence a condition (as in C0302) makes another mandatory; 0 where there is none."""
    if issue.fault is not Fault.MISSING_CONDITIONAL or issue.rule[:1] not in {"P", "C", "L"} or issue.at.component:
        return 0
    places = [int(issue.rule[at : at + 2]) for at in range(1, len(issue.rule), 2)]
    return next((place for place in places if place != issue.at.element), 0)


def _copy(value: str) -> str:
    signs = (sign if sign.isprintable() or sign in (COMPONENT, REPEAT) else " " for sign in value[:_BAD_DATA])
    return "".join(signs).replace(COMPONENT, " ").replace(REPEAT, " ").strip()


# EDIFACT ------------------------------------------------------------------------------------------


def control_messages(received: Interchange) -> list[OutMessage]:
    """Return the CONTRL that answers an interchange; none when it holds nothing but CONTRL."""
    messages = received.messages
    if messages and all(message.type == "CONTRL" for message in messages):
        return []
    segments = [_interchange_response(received)]
    for group in received.groups if received.accepted else ():
        segments += _group_response(group, received)
    return [OutMessage("edifact", "CONTRL", _contrl_release(received), "1", raw_of(segments))]


def _contrl_release(received: Interchange) -> str:
    return "41" if syntax_of(received)[1] == "4" else "D3"


def _interchange_response(received: Interchange) -> Segment:
    header = segment_of(received.header, received.delimiters)
    sides = (header.element(2), header.element(3)) if received.header else ("", "")
    return Segment("UCI", (received.control_number, *sides, *_action(received.issues, "UNB")))


def _group_response(group: Group, received: Interchange) -> Iterator[Segment]:
    """Yield UCF where there is a group, and the responses to its messages where it is not refused as a whole."""
    if group.header:
        header = segment_of(group.header, received.delimiters)
        sides = (header.element(2), header.element(3))
        yield Segment("UCF", (group.control_number, *sides, *_action(group.issues, "UNG")))
    if group.accepted or not group.header:
        for message in group.messages:
            if message.type != "CONTRL":
                yield from _message_response(message)


def _action(issues: Iterable[Issue], tag: str) -> tuple[str, ...]:
    """Return 0083, and where it is a refusal what is at fault: 0085, the service segment (0013), its element (S011)."""
    first = next((issue for issue in issues if issue.is_error), None)
    if first is None:
        return ("7",)
    place = _place_in_segment(first, 1) if first.at.element else ""
    return tuple(_trimmed(("4", first.contrl, first.at.tag or tag, place)))


def _trimmed(values: tuple[str, ...]) -> tuple[str, ...]:
    return values if not values or values[-1] else _trimmed(values[:-1])


def _message_response(message: Verdict) -> list[Segment]:
    release = (message.release[:1], message.release[1:])
    kind = COMPONENT.join((message.type, *release, message.agency, message.association)).rstrip(COMPONENT)
    if message.accepted:
        return [Segment("UCM", (message.control_number, kind, "7"))]
    errors = [issue for issue in message.issues if issue.is_error]
    whole = next((issue for issue in errors if issue.at.segment <= 1 or issue.at.tag in {"UNH", "UNT"}), None)
    action = _action([whole] if whole is not None else [], "UNH") if whole is not None else ("4",)
    segments = [Segment("UCM", (message.control_number, kind, *action))]
    by_segment: dict[int, list[Issue]] = {}
    for issue in errors:
        if issue is not whole and issue.at.segment > 1:
            by_segment.setdefault(_position(issue), []).append(issue)
    for number, issues in list(by_segment.items())[:MOST_NOTES]:
        first = next((issue for issue in issues if not issue.at.element), None)
        segments.append(Segment("UCS", (str(number), first.contrl) if first is not None else (str(number),)))
        elements = [issue for issue in issues if issue.at.element][:MOST_ELEMENT_NOTES]
        segments += [Segment("UCD", (issue.contrl, _place_in_segment(issue, 1))) for issue in elements]
    return segments


def _position(issue: Issue) -> int:
    """Return 0096: the segment at fault, or the last one before the place where one is missing."""
    return issue.at.segment - 1 if issue.fault is Fault.MISSING_SEGMENT else issue.at.segment
