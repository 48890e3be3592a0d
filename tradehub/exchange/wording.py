"""How the exchange reads to people: statuses as a pill's kind and word, reasons and faults as sentences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Protocol

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from tradehub.edi import Fault
from tradehub.exchange.codec import Finding
from tradehub.exchange.model import Acknowledgement, Delivery, Direction, Reason, Validation
from tradehub.exchange.trial import Trial

Pill = tuple[str, LazyString]

VALUE_MAX = 60
"""Characters of a partner's value that a sentence quotes."""
MISFITS_MAX = 3
"""Faults of a message of ours that a sentence names; who states the terms anew sees the rest then."""


class Found(Protocol):
    """What a stored finding says of itself: its fault, its place, the value, and the rule that it breaks."""

    fault: str
    segment: int | None
    tag: str | None
    element: int | None
    component: int | None
    value: str | None
    rule: str | None
    text: str


VALIDATIONS: dict[Validation, Pill] = {
    Validation.PENDING: ("work", lazy_gettext("Being read")),
    Validation.ACCEPTED: ("ok", lazy_gettext("Valid")),
    Validation.WARNED: ("warn", lazy_gettext("Valid, with warnings")),
    Validation.REJECTED: ("bad", lazy_gettext("Rejected")),
    Validation.HELD: ("warn", lazy_gettext("Held")),
    Validation.DUPLICATE: ("off", lazy_gettext("Duplicate")),
}

DELIVERIES: dict[Delivery, Pill] = {
    Delivery.NONE: ("off", lazy_gettext("Not delivered")),
    Delivery.PENDING: ("wait", lazy_gettext("Waiting")),
    Delivery.RETRYING: ("warn", lazy_gettext("Trying again")),
    Delivery.SENT: ("ok", lazy_gettext("Sent")),
    Delivery.HANDED_ON: ("ok", lazy_gettext("Handed on")),
    Delivery.REFUSED: ("bad", lazy_gettext("Not acted on")),
    Delivery.FAILED: ("bad", lazy_gettext("Failed")),
}

ACKNOWLEDGEMENTS: dict[tuple[Direction, Acknowledgement], Pill] = {
    (Direction.IN, Acknowledgement.NONE): ("off", lazy_gettext("No answer due")),
    (Direction.IN, Acknowledgement.EXPECTED): ("wait", lazy_gettext("To be answered")),
    (Direction.IN, Acknowledgement.ACCEPTED): ("ok", lazy_gettext("Confirmed by us")),
    (Direction.IN, Acknowledgement.REJECTED): ("bad", lazy_gettext("Refused by us")),
    (Direction.OUT, Acknowledgement.NONE): ("off", lazy_gettext("None expected")),
    (Direction.OUT, Acknowledgement.EXPECTED): ("wait", lazy_gettext("Awaited")),
    (Direction.OUT, Acknowledgement.ACCEPTED): ("ok", lazy_gettext("Confirmed")),
    (Direction.OUT, Acknowledgement.REJECTED): ("bad", lazy_gettext("Refused by partner")),
}

LATE: Pill = ("bad", lazy_gettext("Late"))

DIRECTIONS: dict[str, Pill] = {
    Direction.IN: ("in", lazy_gettext("Inbound")),
    Direction.OUT: ("out", lazy_gettext("Outbound")),
}

REASONS: dict[str, LazyString] = {
    Reason.NOT_EDI: lazy_gettext("This is neither EDI nor XML."),
    Reason.TRUNCATED: lazy_gettext("The transmission ends before its trailer; part of it is missing."),
    Reason.UNREADABLE: lazy_gettext("The envelope cannot be read."),
    Reason.SYNTAX: lazy_gettext("The message breaks a rule of its standard."),
    Reason.UNKNOWN_SENDER: lazy_gettext("No partner is known by the sender's name in the envelope."),
    Reason.SENDER_NOT_OF_CHANNEL: lazy_gettext("The sender named in the envelope is not the partner of this channel."),
    Reason.UNKNOWN_RECEIVER: lazy_gettext("The receiver named in the envelope is not us."),
    Reason.NO_AGREEMENT: lazy_gettext("There is no agreement with this partner about this message."),
    Reason.AGREEMENT_NOT_VALID: lazy_gettext("The agreement about this message is not valid today."),
    Reason.PARTNER_SUSPENDED: lazy_gettext("The partner is suspended."),
    Reason.TOO_LARGE: lazy_gettext("It is larger than agreed. It was not read; the file lies in the folder “failed”."),
    Reason.UNKNOWN_MESSAGE: lazy_gettext("There is no map for this message."),
    Reason.DUPLICATE: lazy_gettext("The same message was received before; it was answered again and not acted on."),
    Reason.OTHER_CONTENT: lazy_gettext("Its number was used before for other content."),
    Reason.NO_HANDLER: lazy_gettext("Nothing here acts on this kind of document."),
    Reason.ACKNOWLEDGES_NOTHING: lazy_gettext("It acknowledges a message that we did not send."),
    Reason.CANNOT_BE_WRITTEN: lazy_gettext("The document does not fit the partner's message."),
    Reason.OWN_JUDGEMENT: lazy_gettext("Our own reader would reject this message, so it was not sent."),
    Reason.TERM_NOT_CARRIED: lazy_gettext("The partner's message has no place for a term, so it was not sent."),
    Reason.NO_CHANNEL: lazy_gettext("The partner has no such channel."),
    Reason.TRANSPORT: lazy_gettext("The transport failed."),
    Reason.WITHDRAWN: lazy_gettext("Its author took it back before it had left."),
    Reason.GAVE_UP: lazy_gettext("It was tried as often as agreed, without success."),
    Reason.REJECTED_BY_RECEIVER: lazy_gettext("The partner's acknowledgement rejects it."),
}

REFUSALS: dict[str, LazyString] = {
    "ORDER_UNKNOWN": lazy_gettext("There is no such order between us."),
    "INVOICE_NUMBER": lazy_gettext("The invoice has no number."),
    "INVOICE_UNKNOWN": lazy_gettext("The invoice that it credits is not known."),
    "R29": lazy_gettext("The number was used before for other content."),
}
"""Why a capability does not act on a sound message; the hub adds those of the negotiation."""

FAULTS: dict[str, tuple[LazyString, ...]] = {
    Fault.UNKNOWN_SEGMENT.word: (lazy_gettext("The standard has no segment %(tag)s."),),
    Fault.UNEXPECTED_SEGMENT.word: (lazy_gettext("%(tag)s is not expected here."),),
    Fault.MISSING_SEGMENT.word: (lazy_gettext("The mandatory segment %(tag)s is missing."),),
    Fault.TOO_MANY_LOOPS.word: (
        lazy_gettext("The group that begins with %(tag)s stands more often than allowed."),
        lazy_gettext("A group stands more often than allowed."),
    ),
    Fault.TOO_MANY_SEGMENTS.word: (lazy_gettext("%(tag)s stands more often than allowed."),),
    Fault.NOT_IN_SET.word: (lazy_gettext("%(tag)s does not belong into this message."),),
    Fault.OUT_OF_ORDER.word: (lazy_gettext("%(tag)s stands at another place than the standard says."),),
    Fault.EMPTY_SEGMENT.word: (lazy_gettext("%(tag)s is empty."),),
    Fault.MISSING_ELEMENT.word: (lazy_gettext("%(place)s is mandatory and missing."),),
    Fault.MISSING_CONDITIONAL.word: (
        lazy_gettext("%(place)s is missing, and what else stands there demands it (condition %(condition)s)."),
        lazy_gettext("%(place)s is missing, and what else stands there demands it."),
    ),
    Fault.TOO_MANY_ELEMENTS.word: (
        lazy_gettext("%(tag)s has more elements than the standard allows: “%(value)s” is one too many."),
        lazy_gettext("%(tag)s stands more often, or holds more, than the standard allows."),
    ),
    Fault.TOO_MANY_COMPONENTS.word: (
        lazy_gettext("%(place)s has more components than the standard allows: “%(value)s” is one too many."),
        lazy_gettext("%(place)s has more components than the standard allows."),
    ),
    Fault.TOO_MANY_REPETITIONS.word: (
        lazy_gettext("%(place)s is repeated more often than the standard allows."),
        lazy_gettext("An element is repeated more often than the standard allows."),
    ),
    Fault.TOO_SHORT.word: (
        lazy_gettext("“%(value)s” is too short: at least %(low)s characters are needed."),
        lazy_gettext("The value of %(place)s is too short."),
    ),
    Fault.TOO_LONG.word: (
        lazy_gettext("“%(value)s” is too long: at most %(high)s characters are allowed."),
        lazy_gettext("The value of %(place)s is too long."),
    ),
    Fault.INVALID_CHARACTER.word: (
        lazy_gettext("“%(value)s” holds characters that are not allowed here."),
        lazy_gettext("%(place)s holds characters that are not allowed there."),
    ),
    Fault.NOT_A_NUMBER.word: (
        lazy_gettext("“%(value)s” is not a number."),
        lazy_gettext("The value of %(place)s is not a number."),
    ),
    Fault.INVALID_CODE.word: (
        lazy_gettext("“%(value)s” is not a code that is allowed in %(place)s."),
        lazy_gettext("The code in %(place)s is not allowed there."),
    ),
    Fault.INVALID_DATE.word: (
        lazy_gettext("“%(value)s” is not a day that exists."),
        lazy_gettext("%(place)s names a day that does not exist."),
    ),
    Fault.INVALID_TIME.word: (
        lazy_gettext("“%(value)s” is not a time that exists."),
        lazy_gettext("%(place)s names a time that does not exist."),
    ),
    Fault.EXCLUDED.word: (
        lazy_gettext("%(place)s and another element exclude each other (condition %(condition)s)."),
        lazy_gettext("%(place)s and another element exclude each other."),
    ),
    Fault.FORBIDDEN.word: (lazy_gettext("The partner's guide does not use %(place)s."),),
    Fault.WRONG_SUM.word: (
        lazy_gettext("%(place)s states %(value)s, which the message does not come to."),
        lazy_gettext("%(place)s states a figure that the message does not come to."),
    ),
    Fault.UNKNOWN_MESSAGE.word: (
        lazy_gettext("There is no map for “%(value)s”."),
        lazy_gettext("There is no map for this message."),
    ),
    Fault.MISSING_TRAILER.word: (
        lazy_gettext("The trailer %(tag)s is missing: the end has been lost."),
        lazy_gettext("The trailer is missing: the end has been lost."),
    ),
    Fault.WRONG_SEGMENT_COUNT.word: (
        lazy_gettext("%(tag)s states %(value)s segments; there are %(segment)s."),
        lazy_gettext("%(tag)s states another number of segments than there are."),
    ),
    Fault.WRONG_MESSAGE_COUNT.word: (lazy_gettext("%(tag)s states another number of messages than there are."),),
    Fault.WRONG_GROUP_COUNT.word: (lazy_gettext("%(tag)s states another number of groups than there are."),),
    Fault.CONTROL_NUMBER_MISMATCH.word: (
        lazy_gettext("%(tag)s closes number “%(value)s”, which is not the one that was opened."),
        lazy_gettext("%(tag)s closes another number than the one that was opened."),
    ),
    Fault.DUPLICATE_CONTROL_NUMBER.word: (lazy_gettext("The control number was used before."),),
    Fault.NO_AGREEMENT.word: (lazy_gettext("There is no agreement with this partner about this message."),),
    Fault.UNKNOWN_SENDER.word: (lazy_gettext("No partner is known by the sender's name in the envelope."),),
    Fault.UNKNOWN_RECEIVER.word: (lazy_gettext("The receiver named in the envelope is not us."),),
    Fault.BAD_ENVELOPE.word: (
        lazy_gettext("There is a fault in the envelope, in segment %(tag)s."),
        lazy_gettext("There is a fault in the envelope."),
    ),
    Fault.CHARSET.word: (lazy_gettext("The text is in another character set than the envelope says."),),
    Fault.NOT_EDI.word: (lazy_gettext("This is neither EDI nor sound XML."),),
    Fault.TRAILING_GARBAGE.word: (
        lazy_gettext("“%(value)s” stands outside of any message."),
        lazy_gettext("Something stands outside of any message."),
    ),
    Fault.EMPTY_LEVEL.word: (lazy_gettext("The envelope is empty: it holds no message."),),
    Fault.MIXED_LEVELS.word: (lazy_gettext("Messages stand beside groups; they must all stand in groups, or none."),),
    Fault.LIMIT_EXCEEDED.word: (lazy_gettext("It is larger than we take."),),
    "told": (lazy_gettext("The partner's system found a fault in it."),),
    "not_a_document": (lazy_gettext("What was read does not make a document."),),
    "term_of_ours": (
        lazy_gettext("Other systems pass over this term, which stands in a block of ours: “%(value)s”."),
        lazy_gettext("Other systems pass over a term, which stands in a block of ours."),
    ),
    "term_not_carried": (
        lazy_gettext("The partner's message does not carry this term as it was stated: “%(value)s”."),
        lazy_gettext("The partner's message does not carry a term as it was stated."),
    ),
}
"""What is wrong, by the engine's word for it: the most telling sentence first, then those that need to know less."""

SOME_FAULT = lazy_gettext("There is a fault in the message.")

LEAVES_OPEN = frozenset(
    each.word
    for each in (
        Fault.TOO_MANY_LOOPS, Fault.TOO_MANY_SEGMENTS, Fault.TOO_MANY_ELEMENTS, Fault.OUT_OF_ORDER, Fault.WRONG_SUM,
        Fault.WRONG_MESSAGE_COUNT, Fault.WRONG_GROUP_COUNT, Fault.BAD_ENVELOPE, Fault.CHARSET, Fault.NOT_EDI,
        Fault.UNKNOWN_MESSAGE, Fault.INVALID_CHARACTER, Fault.LIMIT_EXCEEDED,
    )
) | {"not_a_document", "told"}  # fmt: skip
"""Faults whose sentence leaves something open that the engine's own text, in English, says."""

SEVERITIES: dict[str, Pill] = {
    "error": ("bad", lazy_gettext("Error")),
    "warning": ("warn", lazy_gettext("Warning")),
    "note": ("info", lazy_gettext("Hint")),
}

STAGES: dict[str, LazyString] = {
    "received": lazy_gettext("Received and kept"),
    "sealed": lazy_gettext("Sealed"),
    "unsealed": lazy_gettext("Opened: it may be read from now on"),
    "split": lazy_gettext("Split into its interchanges"),
    "read": lazy_gettext("Read"),
    "identified": lazy_gettext("Sender identified"),
    "accepted": lazy_gettext("Found valid"),
    "rejected": lazy_gettext("Rejected"),
    "duplicate": lazy_gettext("Recognised as a duplicate"),
    "handed-on": lazy_gettext("Handed on"),
    "refused": lazy_gettext("Not acted on"),
    "answered": lazy_gettext("Answered"),
    "made": lazy_gettext("Made from its document"),
    "written": lazy_gettext("Written"),
    "sent": lazy_gettext("Sent"),
    "sent-again": lazy_gettext("Sent again"),
    "failed": lazy_gettext("Failed"),
    "acknowledged": lazy_gettext("Confirmed by the partner"),
    "ack-rejected": lazy_gettext("Refused by the partner"),
    "replayed": lazy_gettext("Replayed"),
    "made-again": lazy_gettext("Made again"),
    "settled": lazy_gettext("Marked as dealt with"),
    "withdrawn": lazy_gettext("Taken back before it left"),
}

KINDS: dict[str, LazyString] = {
    "inquiry": lazy_gettext("Inquiry"),
    "offer": lazy_gettext("Offer"),
    "order": lazy_gettext("Order"),
    "order_response": lazy_gettext("Order response"),
    "order_change": lazy_gettext("Order change"),
    "despatch": lazy_gettext("Despatch advice"),
    "invoice": lazy_gettext("Invoice"),
    "application_response": lazy_gettext("Acknowledgement"),
}

FILTERS: dict[str, LazyString] = {
    "all": lazy_gettext("All"),
    "attention": lazy_gettext("Errors"),
    "waiting": lazy_gettext("Waiting"),
    "in": lazy_gettext("Inbound"),
    "out": lazy_gettext("Outbound"),
}

_PLACEHOLDER = re.compile(r"%\((\w+)\)s")
_BOUNDS = re.compile(r"\w+ (\d+)/(\d+)")
_NUMERIC = re.compile(r"[RN]\d*")


def place(found: Found | Finding) -> str:
    """Return where a finding is, as people name it: BEG05, DTM01.2, IssueDate."""
    if not found.element:
        return found.tag or ""
    component = f".{found.component}" if found.component else ""
    return f"{found.tag or ''}{found.element:02}{component}"


def sentence(found: Found | Finding) -> str:
    """Return what is wrong, in the reader's language, with as much of value and limits as is known."""
    facts = _facts(found)
    for each in FAULTS.get(_word(found), ()):
        text = str(each)
        if all(facts.get(name) for name in _PLACEHOLDER.findall(text)):
            return text % facts
    return str(SOME_FAULT)


def placed(found: Found | Finding) -> str:
    """Return the sentence with its place before it, where it does not name the place itself."""
    where, said = place(found), sentence(found)
    return f"{where}: {said}" if where and where not in said else said


def misfit(trial: Trial) -> str:
    """Return what keeps a message that was tried out from leaving; empty where nothing does."""
    if trial.reason is None:
        return ""
    errors = [placed(each) for each in trial.findings if each.severity == "error"]
    if trial.reason is Reason.TERM_NOT_CARRIED or not errors:
        return trial.text or str(REASONS[trial.reason])
    return "; ".join(list(dict.fromkeys(errors))[:MISFITS_MAX])


def unfit_values(trial: Trial) -> tuple[tuple[str, str], ...]:
    """Return the values of its document that a message that was tried out cannot hold, each with the reason."""
    wrong = [each for each in trial.findings if each.severity == "error" and each.value]
    return tuple(dict.fromkeys(((each.value or "").removeprefix(f"{each.path}: "), sentence(each)) for each in wrong))


def detail(found: Found | Finding) -> str:
    """Return what the engine says of a finding, in English, where that is more than the sentence."""
    word = _word(found)
    return found.text if word in LEAVES_OPEN or word not in FAULTS else ""


def stage_detail(text: str | None, refusals: Mapping[str, LazyString]) -> str:
    """Return what a step notes: a reason as its sentence, anything else as it is."""
    if text is None:
        return ""
    return str(REASONS.get(text) or refusals.get(text) or text)


def _word(found: Found | Finding) -> str:
    """Return the fault's word; X12 has one code for a wrong sign and for what is no number."""
    if found.fault == Fault.INVALID_CHARACTER.word and _NUMERIC.fullmatch(found.rule or ""):
        return Fault.NOT_A_NUMBER.word
    return found.fault


def _facts(found: Found | Finding) -> dict[str, str]:
    """Return what a sentence may name; what is not known is empty."""
    rule, value = found.rule or "", found.value or ""
    bounds = _BOUNDS.fullmatch(rule)
    return {
        "tag": found.tag or "",
        "place": place(found),
        "value": value if len(value) <= VALUE_MAX else f"{value[:VALUE_MAX]}…",
        "segment": str(found.segment or ""),
        "condition": "" if rule == found.fault else rule,
        "low": bounds[1] if bounds else "",
        "high": bounds[2] if bounds else "",
    }
