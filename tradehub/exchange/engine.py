"""The codec of the exchange on the engine in ``tradehub.edi``: X12, EDIFACT and UBL behind one set of words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from tradehub import edi
from tradehub.documents import KINDS, ApplicationResponse, Document, Judgement, breaks, in_words
from tradehub.documents.parts import Identifier, Party, Reference
from tradehub.edi import xml
from tradehub.edi.edifact import CHARSETS
from tradehub.edi.maps import MapStore
from tradehub.edi.paths import MapError
from tradehub.edi.schema import Guide
from tradehub.exchange import units
from tradehub.exchange.codec import NO_GUIDES, CannotWrite, Finding, Frame, Leaf, Name, Part, Reading, Verdict, Written
from tradehub.exchange.model import Reason
from tradehub.partners.model import RECEIPTS, kind_of
from tradehub.partners.profile import Identity
from tradehub.platform import resources

_STANDARDS = {"x12": "x12", "edifact": "edifact", "tradacoms": "tradacoms", "xml": "ubl"}
_SCHEMES = {"x12": "x12-isa", "edifact": "edifact-unb"}

_FAULTS: dict[Reason, edi.Fault] = {
    Reason.UNKNOWN_MESSAGE: edi.Fault.UNKNOWN_MESSAGE,
    Reason.NO_AGREEMENT: edi.Fault.NO_AGREEMENT,
    Reason.AGREEMENT_NOT_VALID: edi.Fault.NO_AGREEMENT,
    Reason.PARTNER_SUSPENDED: edi.Fault.NO_AGREEMENT,
    Reason.UNKNOWN_SENDER: edi.Fault.UNKNOWN_SENDER,
    Reason.SENDER_NOT_OF_CHANNEL: edi.Fault.UNKNOWN_SENDER,
    Reason.UNKNOWN_RECEIVER: edi.Fault.UNKNOWN_RECEIVER,
    Reason.OTHER_CONTENT: edi.Fault.DUPLICATE_CONTROL_NUMBER,
    Reason.TRUNCATED: edi.Fault.MISSING_TRAILER,
}
"""How the engine's acknowledgements say what the exchange holds against a message."""

_FROM_BUYER = frozenset({"RequestForQuotation", "Order", "OrderChange"})


@lru_cache
def engine_codec() -> EngineCodec:
    """Return the codec over the maps that ship with the code."""
    return EngineCodec(resources.map_store())


@dataclass(frozen=True)
class _Taken:
    """The engine's own view of a transmission, kept for its acknowledgement."""

    interchanges: tuple[edi.Interchange, ...] = ()
    message: xml.ReadXml | None = None


class EngineCodec:
    def __init__(self, maps: MapStore) -> None:
        self.maps = maps

    def warm(self, messages: Iterable[str]) -> None:
        """Compile the maps of ``messages`` now, so that no transaction waits for it later."""
        for each in messages:
            standard, type, release = each.split(":")
            if standard == "ubl":
                xml.xml_maps(self.maps).get(type, release)
            elif self.maps.has(standard, type, release):
                self.maps.get(standard, type, release)

    def detect(self, payload: bytes) -> str | None:
        return _STANDARDS.get(edi.detect(payload).standard or "")

    # reading

    def leaves(self, payload: bytes) -> Sequence[Leaf]:
        if self.detect(payload) != "ubl":
            return ()
        return [Leaf(*each) for each in xml.named_leaves(payload, self.maps)]

    def read(self, payload: bytes, guides: Mapping[str, Guide] = NO_GUIDES) -> Reading:
        standard = self.detect(payload)
        if standard == "ubl":
            return self._read_xml(payload)
        if standard in _SCHEMES:
            return self._read_segments(payload, standard, guides)
        reason = Reason.UNKNOWN_MESSAGE if standard else Reason.NOT_EDI
        return Reading(standard, None, None, None, False, (), reason=reason)

    def read_as_others(self, payload: bytes, guides: Mapping[str, Guide] = NO_GUIDES) -> Reading:
        if self.detect(payload) == "ubl":
            payload = xml.without_own_block(payload, self.maps)
        return self.read(payload, guides)

    def silenced(self, reading: Reading) -> Reading:
        taken: _Taken = reading.native or _Taken()
        message = taken.message
        if message is not None:
            message = replace(message, issues=_quoting_nothing(message.issues))
        parts = tuple(replace(each, findings=_told_plainly(each.findings)) for each in reading.parts)
        return replace(
            reading, parts=parts, findings=_told_plainly(reading.findings),
            native=_Taken(tuple(_silent(each) for each in taken.interchanges), message),
        )  # fmt: skip

    def _read_segments(self, payload: bytes, standard: str, guides: Mapping[str, Guide]) -> Reading:
        def guide_to(_interchange: edi.Interchange, type: str, release: str) -> Guide | None:
            return guides.get(f"{standard}:{type}:{release[:6] if standard == 'x12' else release}")

        reading = edi.read(payload, self.maps, guide=guide_to if guides else None)
        messages = [self._with_units(each) for each in reading]
        parts = [_part(each, standard) for each in messages]
        if standard == "x12":
            parts += [_note_part(each, note) for each in reading.interchanges for note in each.service]
        issues = [*reading.issues, *(issue for each in reading.interchanges for issue in each.issues)]
        issues += [issue for each in reading.interchanges for group in each.groups for issue in group.issues]
        first = reading.interchanges[0] if reading.interchanges else None
        return Reading(
            standard=standard,
            sender=None if first is None else Name(_SCHEMES[standard], first.sender.qualifier, first.sender.value),
            receiver=None
            if first is None
            else Name(_SCHEMES[standard], first.receiver.qualifier, first.receiver.value),
            control_number=None if first is None else first.control_number or None,
            is_test=first is not None and first.test,
            parts=tuple(parts),
            findings=tuple(_finding(issue, standard) for issue in issues),
            reason=_reason_against_all(reading, messages, parts),
            native=_Taken(tuple(reading.interchanges)),
            pieces=_pieces(payload, reading),
            prepared_at=None if first is None else _prepared_at(first.date, first.time),
        )

    def _with_units(self, message: edi.ReadMessage) -> edi.ReadMessage:
        """Hold unknown units against a message, in its own issues and in the verdict that is answered."""
        found = units.unknown_in_segments(message, self.maps)
        if not found:
            return message
        issues = tuple(sorted((*message.issues, *found), key=lambda each: each.at.segment))
        verdict = message.group.messages[-1]
        verdict.issues, verdict.accepted = issues, False
        return replace(message, issues=issues)

    def _read_xml(self, payload: bytes) -> Reading:
        read = xml.read_xml(payload, self.maps)
        read.issues = (*read.issues, *units.unknown_in_xml(read, self.maps))
        findings = tuple(_finding(issue, "ubl") for issue in read.issues)
        kind = kind_of(f"ubl:{read.type}:{xml.RELEASE}")
        document, fault = _document(kind, read.document)
        verdicts = _verdicts_of(document) if isinstance(document, ApplicationResponse) else ()
        accepted = read.accepted and document is not None
        part = Part(
            read.type, read.release or xml.RELEASE, None, None, kind, document, (*findings, *fault), accepted, verdicts
        )
        from_buyer = read.type in _FROM_BUYER
        return Reading(
            standard="ubl",
            sender=_named(read.interchange.sender, document, ("sender", "buyer" if from_buyer else "seller")),
            receiver=_named(read.interchange.receiver, document, ("receiver", "seller" if from_buyer else "buyer")),
            control_number=read.control_number or None,
            is_test=read.interchange.test,
            parts=(part,) if read.type else (),
            findings=() if read.type else findings,
            reason=None if read.type else Reason.UNREADABLE,
            native=_Taken(message=read),
            prepared_at=_issued_at(document),
        )

    # writing

    def knows(self, message: str) -> bool:
        standard, type, release = message.split(":")
        return self.maps.has(standard, type, release)

    def write(self, message: str, document: Document, frame: Frame, guide: Guide | None = None) -> Written:
        standard, type, release = message.split(":")
        document = breaks.spread(document)
        if standard == "ubl":
            return self._write_xml(type, document)
        try:
            _refuse_foreign_signs(standard, document, frame)
            rules = self.maps.get(standard, type, release, guide)
            number = f"{frame.message_number:04}" if standard == "x12" else str(frame.message_number)
            payload = edi.write_interchange([edi.message(rules, document, number)], _facts(standard, frame))
        except MapError as error:
            raise CannotWrite(str(error)) from error
        return Written(
            payload, message, _control(standard, frame), str(frame.group_number) if standard == "x12" else None, number,
            f"application/edi-{standard}", ".edi",
        )  # fmt: skip

    def _write_xml(self, type: str, document: Document) -> Written:
        name = xml.message_for(document) if document.kind == "invoice" else type
        try:
            payload = xml.write_xml(xml.xml_map(self.maps, name), document)
        except MapError as error:
            raise CannotWrite(str(error)) from error
        return Written(payload, f"ubl:{name}:2.1", document.number, None, None, "application/xml", ".xml")

    # answering

    def acknowledge(
        self,
        reading: Reading,
        refused: Mapping[int, Reason],
        whole: Reason | None,
        refusals: Mapping[int, str],
        frame: Frame,
    ) -> Written | None:
        taken: _Taken = reading.native or _Taken()
        if taken.message is not None:
            return self._answer_xml(taken.message, refused.get(0) or whole, refusals.get(0), frame)
        if not taken.interchanges:
            return None
        standard = str(reading.standard)
        judged = _judged(taken.interchanges[0], reading, refused, whole)
        payload = edi.acknowledge(
            judged, at=frame.at, control=str(frame.interchange_number), group_control=str(frame.group_number),
            functional_set=frame.functional_set,
        )  # fmt: skip
        if not payload:
            return None
        group = str(frame.group_number) if standard == "x12" else None
        return Written(
            payload, edi.answer_of(judged, frame.functional_set), _control(standard, frame), group, "0001" if standard == "x12" else "1",
            f"application/edi-{standard}", ".edi",
        )  # fmt: skip

    def _answer_xml(
        self, read: xml.ReadXml, reason: Reason | None, refusal: str | None, frame: Frame
    ) -> Written | None:
        answer = xml.acknowledge_xml(read, at=frame.at, number=f"AR-{frame.message_number}")
        notes = [Judgement(code=reason, text=reason)] if reason else []
        notes += [Judgement(code=re.split("[,:]", refusal)[0], text=refusal)] if refusal else []
        if notes:
            answer = answer.model_copy(update={"response": "rejected", "judgements": (*notes, *answer.judgements)})
        if not answer.parties:
            answer = answer.model_copy(
                update={"parties": (_party("sender", frame.sender), _party("receiver", frame.receiver))}
            )
        return self._write_xml("ApplicationResponse", answer)


def _silent(interchange: edi.Interchange) -> edi.Interchange:
    groups = [
        replace(
            group,
            issues=list(_quoting_nothing(group.issues)),
            messages=[replace(each, issues=_quoting_nothing(each.issues)) for each in group.messages],
        )
        for group in interchange.groups
    ]
    return replace(interchange, groups=groups, issues=list(_quoting_nothing(interchange.issues)))


def _quoting_nothing(issues: Iterable[edi.Issue]) -> tuple[edi.Issue, ...]:
    return tuple(replace(each, text=each.fault.word, value="") for each in issues)


def _told_plainly(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    return tuple(replace(each, text=each.fault, value=None, line=None) for each in findings)


def _pieces(payload: bytes, reading: edi.Reading) -> tuple[bytes, ...]:
    """Return the interchanges of a file that holds several, each with the service string advice that governs it."""
    if len(reading.interchanges) < 2:
        return ()
    found = reading.interchanges[0].delimiters
    end, element = re.escape(found.segment.encode()), re.escape(found.element.encode())
    head = rb"ISA" + element if reading.interchanges[0].standard == "x12" else rb"(?:UNA.{6}\s*)?UNB" + element
    starts = [each.start(1) for each in re.finditer(rb"(?:\A|" + end + rb")\s*(" + head + rb")", payload, re.DOTALL)]
    if len(starts) != len(reading.interchanges):
        return ()
    una = reading.una.encode()
    cut = [payload[start:stop] for start, stop in pairwise((*starts, len(payload)))]
    return tuple(each if not una or each.startswith(b"UNA") else una + each for each in cut)


def _prepared_at(day: str, clock: str) -> datetime | None:
    """Return the date and time of an ISA or UNB; None where they are no moment."""
    pattern = {(6, 4): "%y%m%d%H%M", (8, 4): "%Y%m%d%H%M"}.get((len(day), len(clock)))
    try:
        return datetime.strptime(day + clock, pattern) if pattern else None  # noqa: DTZ007 - at the sender's clock
    except ValueError:
        return None


def _issued_at(document: Document | None) -> datetime | None:
    if document is None or document.issued_on is None or document.issued_at is None:
        return None
    return datetime.combine(document.issued_on, document.issued_at)


def _refuse_foreign_signs(standard: str, document: Document, frame: Frame) -> None:
    """Raise CannotWrite where the agreed character set lacks a sign of the document: nothing is sent as a question mark."""
    syntax = frame.envelope.edifact.syntax
    if standard != "edifact" or syntax is None:
        return
    charset = CHARSETS.get(syntax[:4], "ascii")
    try:
        document.model_dump_json().encode(charset)
    except UnicodeEncodeError as error:
        raise CannotWrite(f"{error.object[error.start]} is not in the agreed character set {syntax}") from error


def _control(standard: str, frame: Frame) -> str:
    return f"{frame.interchange_number:09}" if standard == "x12" else str(frame.interchange_number)


def _facts(standard: str, frame: Frame) -> edi.EnvelopeFacts:
    x12, edifact = frame.envelope.x12, frame.envelope.edifact
    signs = x12.delimiters
    return edi.EnvelopeFacts(
        standard=standard,
        sender=edi.Id(frame.sender.qualifier, frame.sender.value),
        receiver=edi.Id(frame.receiver.qualifier, frame.receiver.value),
        control_number=str(frame.interchange_number),
        at=frame.at,
        test=x12.usage == "T" if standard == "x12" else edifact.test,
        version=x12.version if standard == "x12" else edifact.syntax or "",
        group_control_number=str(frame.group_number),
        group_sender=frame.group_sender,
        group_receiver=frame.group_receiver,
        delimiters=edi.Delimiters(signs.element, signs.component, signs.segment) if standard == "x12" else None,
    )


def _reason_against_all(
    reading: edi.Reading, messages: Iterable[edi.ReadMessage], parts: Iterable[Part]
) -> Reason | None:
    """Say why nothing of a transmission can be taken: it breaks off, or its envelope cannot be read."""
    issues = [issue for each in reading.interchanges for issue in each.issues]
    issues += [issue for each in messages for issue in each.issues]
    if any(issue.fault is edi.Fault.MISSING_TRAILER and issue.is_error for issue in issues):
        return Reason.TRUNCATED
    return None if any(True for _ in parts) else Reason.UNREADABLE


def _part(message: edi.ReadMessage, standard: str) -> Part:
    kind = kind_of(f"{standard}:{message.type}:{message.release}")
    findings = tuple(_finding(issue, standard) for issue in message.issues)
    document, fault = _document(kind, message.document)
    if f"{standard}:{message.type}" in RECEIPTS:
        accepted = not any(issue.is_error for issue in message.issues)
        verdicts = tuple(_verdicts(edi.acknowledged(message)))
    else:
        accepted = message.accepted and document is not None
        verdicts = _verdicts_of(document) if isinstance(document, ApplicationResponse) else ()
    return Part(
        message.type, message.release[:6] if standard == "x12" else message.release,
        message.group.control_number or None, message.control_number or None, kind, document, (*findings, *fault),
        accepted, verdicts,
    )  # fmt: skip


def _document(kind: str | None, plain: dict[str, Any] | None) -> tuple[Document | None, tuple[Finding, ...]]:
    if kind is None or plain is None:
        return None, ()
    try:
        return in_words.heard(breaks.gathered(KINDS[kind].model_validate(plain))), ()
    except ValidationError as error:
        return None, tuple(
            Finding("error", "not_a_document", f"{'.'.join(str(step) for step in each['loc'])}: {each['msg']}")
            for each in error.errors(include_url=False, include_input=False)[:10]
        )


def _note_part(interchange: edi.Interchange, note: str) -> Part:
    """A TA1, which answers an interchange of ours and stands in no group."""
    said = edi.interchange_acknowledged(note, interchange)
    verdicts = tuple(_verdicts((said,), "TA1 "))
    judgements = tuple(Judgement(**each) for each in said.judgements)
    document = ApplicationResponse(
        number=interchange.control_number or None, response=said.response, judgements=judgements,
        subject=Reference(type="x12:interchange", value=said.interchange),
    )  # fmt: skip
    return Part("TA1", "004010", None, None, "application_response", document, (), True, verdicts)


def _verdicts(every: Sequence[edi.Acknowledged], named_by: str = "") -> Iterator[Verdict]:
    """Yield what is said of messages; of groups or the interchange where no message of theirs is named."""
    named = {(each.interchange, each.group) for each in every if each.message}
    for each in every:
        if not each.message and ((each.interchange, each.group) in named or (not each.group and named)):
            continue
        told = "; ".join(" ".join(filter(None, (note.code, note.place))) for note in each.notes)
        yield Verdict(
            each.is_accepted, named_by + told, each.interchange or None, each.group or None, each.message or None,
            findings=tuple(_noted(note, is_error=not each.is_accepted) for note in each.notes),
        )  # fmt: skip


def _noted(note: edi.Noted, *, is_error: bool) -> Finding:
    """A fault of ours as the receiver tells it."""
    at = note.at
    fault = note.fault.word if note.fault is not None else f"code {note.code}"
    return Finding(
        severity="error" if is_error else "warning", fault=fault, text=f"{note.code} {note.place}".strip(),
        segment=at.segment or None, tag=at.tag or None, element=at.element or None, component=at.component or None,
        repetition=at.repetition or None, path=at.path or None, element_id=note.element_id or None, code=note.code,
        value=note.value or None,
    )  # fmt: skip


def _verdicts_of(answer: ApplicationResponse) -> tuple[Verdict, ...]:
    if answer.subject is None or answer.subject.value is None:
        return ()
    told = "; ".join(each.text or each.code for each in answer.judgements if each.severity == "error")
    findings = tuple(
        Finding(each.severity, "told", each.text or each.code, code=each.code, value=each.value, path=each.place)
        for each in answer.judgements
    )
    return (Verdict(answer.response != "rejected", told, reference=answer.subject.value, findings=findings),)


def _finding(issue: edi.Issue, standard: str) -> Finding:
    at = issue.at
    code = {"x12": issue.ak4 or issue.ak3, "edifact": issue.contrl}.get(standard, issue.fault.word)
    return Finding(
        severity=issue.severity.value, fault=issue.fault.word, text=issue.text, segment=at.segment or None,
        tag=at.tag or None, element=at.element or None, component=at.component or None,
        repetition=at.repetition or None, path=at.path or None, element_id=issue.element_id or None, code=code or None,
        value=issue.value or None, rule=issue.rule or None,
    )  # fmt: skip


def _named(told: edi.Id, document: Document | None, roles: tuple[str, ...]) -> Name | None:
    """Return who the envelope, or the document itself, names; None where nobody is named by a number."""
    scheme, value = told
    if value:
        return Name("ubl", scheme.removeprefix("iso6523-actorid-upis").strip(":"), value)
    party = next((each for role in roles if document for each in document.parties if each.role == role), None)
    if party is None:
        return None
    endpoint = party.identifier("endpoint")
    if endpoint and ":" in endpoint:
        qualifier, _, number = endpoint.partition(":")
        return Name("ubl", qualifier, number)
    gln = party.identifier("gln")
    return Name("gln", "", gln) if gln else None


def _judged(
    received: edi.Interchange, reading: Reading, refused: Mapping[int, Reason], whole: Reason | None
) -> edi.Interchange:
    """Return the interchange with what the exchange itself holds against it, for the engine to say so."""
    issues = list(received.issues)
    if whole is not None and whole in _FAULTS and not any(issue.is_error for issue in issues):
        issues.append(_issue(received, whole))
    groups, position = [], 0
    for group in received.groups:
        messages = []
        for message in group.messages:
            reason = refused.get(position)
            part = reading.parts[position] if position < len(reading.parts) else None
            if reason is None and part is not None and message.accepted and not part.accepted and group.accepted:
                reason = Reason.UNKNOWN_MESSAGE if received.accepted else None
            messages.append(_refused(received, message, reason) if reason is not None else message)
            position += 1
        groups.append(replace(group, messages=messages))
    return replace(received, groups=groups, issues=issues)


def _refused(received: edi.Interchange, message: edi.Verdict, reason: Reason) -> edi.Verdict:
    return replace(message, accepted=False, issues=(*message.issues, _issue(received, reason, message)))


def _issue(received: edi.Interchange, reason: Reason, message: edi.Verdict | None = None) -> edi.Issue:
    fault = _FAULTS.get(reason, edi.Fault.BAD_ENVELOPE)
    x12 = received.standard == "x12"
    if message is not None:
        kind = (1, 0) if x12 else (2, 1)  # where ST and UNH name the message
        element, component = kind if fault is edi.Fault.UNKNOWN_MESSAGE else (0, 0)
        tag = "ST" if x12 else "UNH"
        at = edi.Position(received.control_number, "", message.control_number, 1, tag, "", element, component)
    else:
        at = edi.Position(received.control_number, tag="ISA" if x12 else "UNB")
    return edi.Issue(fault, at, reason)


def _party(role: str, name: Identity) -> Party:
    return Party(role=role, ids=(Identifier(scheme="endpoint", value=f"{name.qualifier}:{name.value}"),))
