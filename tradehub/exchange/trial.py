"""A message is tried out before it leaves: written, read back as its receiver would, and held against its document.

A term that the message has no element for is said in words (``documents.in_words``). One that it cannot hold in words
either keeps it from leaving: nobody is to be bound by less than was stated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tradehub.documents import (
    Despatch,
    Document,
    Inquiry,
    Offer,
    Order,
    OrderChange,
    OrderResponse,
    Receipt,
    TradeDocument,
    in_words,
)
from tradehub.edi.schema import Guide
from tradehub.exchange.codec import NO_GUIDES, CannotWrite, Codec, Finding, Frame, Reading
from tradehub.exchange.model import Reason
from tradehub.partners.model import Agreement
from tradehub.partners.profile import Identity

NEGOTIATED = Inquiry | Offer | Order | OrderChange | OrderResponse
"""Documents whose terms become the deal: none leaves that states less than its author did."""

NOT_CARRIED = "the message does not state this term as agreed"
NAMED_MAX = 5
"""Terms named in the one line on why a message stays; its findings have all of them."""

TERM_NOT_CARRIED = "term_not_carried"
"""Fault of a term that a message does not state, or states otherwise than the document that it was made of."""

OF_OURS = "the message states this term in a block of ours, which other systems pass over"
TERM_OF_OURS = "term_of_ours"
"""Fault of a term that a message states in a form that only we are sure to read."""


@dataclass(frozen=True)
class Names:
    sender: Identity
    receiver: Identity


@dataclass(frozen=True)
class Plan:
    """What a message is made of."""

    document: Document
    agreement: Agreement
    names: Names
    frame: Frame
    guide: Guide | None

    def is_like(self, other: Plan) -> bool:
        """True where the other would come out the same, numbers and time aside."""
        return replace(self, frame=self.frame.under(1, 1, 1, at=other.frame.at)) == other


@dataclass(frozen=True)
class Trial:
    """A message tried out. ``reason`` says why it does not leave; without one, ``findings`` are warnings.

    ``written`` is the document as the message states it, some of its terms in words.
    """

    plan: Plan
    reason: Reason | None = None
    text: str | None = None
    findings: tuple[Finding, ...] = ()
    payload: bytes | None = None
    written: Document | None = None

    @property
    def lost(self) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.fault == TERM_NOT_CARRIED)


def tried(codec: Codec, plan: Plan) -> Trial:
    """Write a message, and judge it as its reader would.

    Terms that it has no element for are said in words; where it cannot hold those either, it does not leave.
    """
    document = in_words.without(in_words.plain(plan.document), *in_words.MANNER)
    if not plan.agreement.message.startswith("ubl:"):
        document = in_words.without(document, in_words.STANDARD_TERMS)
    trial = _tried_as(codec, plan, document)
    if not trial.findings or trial.reason is not None or not isinstance(document, NEGOTIATED):
        return trial
    terms = in_words.stated(plan.document)  # type: ignore[arg-type]
    unsaid = {each.path: terms[each.path] for each in trial.findings if each.path in terms}
    worded = _tried_as(codec, plan, in_words.said(document, unsaid))
    if worded.reason is None and not worded.lost:
        return worded
    lost = worded.lost or trial.lost
    if not lost:
        return trial
    findings = tuple(replace(each, severity="error") for each in lost)
    return Trial(plan, Reason.TERM_NOT_CARRIED, ", ".join(str(each.path) for each in lost[:NAMED_MAX]), findings)


def _tried_as(codec: Codec, plan: Plan, document: Document) -> Trial:
    """Write ``document`` as the message of a plan, and say what its reader would find, and what of it was lost."""
    message, guides = plan.agreement.message, {plan.agreement.message: plan.guide} if plan.guide else NO_GUIDES
    try:
        draft = codec.write(message, document, plan.frame, plan.guide)
    except CannotWrite as error:
        return Trial(plan, Reason.CANNOT_BE_WRITTEN, str(error), error.findings)
    judged = codec.read(draft.payload, guides)
    findings = (*judged.findings, *(each for part in judged.parts for each in part.findings))
    if judged.reason is not None or not all(part.accepted for part in judged.parts):
        text = findings[0].text if findings else None
        return Trial(plan, Reason.OWN_JUDGEMENT, text, findings, draft.payload)
    others = codec.read_as_others(draft.payload, guides)
    return Trial(plan, findings=not_carried(plan.document, judged, others), written=document)


def not_carried(document: Document, judged: Reading, others: Reading) -> tuple[Finding, ...]:
    """Return a warning for each term that the partner will not find in the message as we stated it.

    ``judged`` is the message as our own reader reads it, ``others`` as one does that passes over our own block of
    terms. A term is named by its path (``documents.in_words``). What only reports on goods, a despatch or receipt, has
    no terms to agree on.
    """
    lost, unseen = _lost(document, judged), _lost(document, others)
    found = dict.fromkeys(lost, (TERM_NOT_CARRIED, NOT_CARRIED))
    found |= {path: (TERM_OF_OURS, OF_OURS) for path in unseen if path not in lost}
    stated = lost | unseen
    return tuple(
        Finding("warning", fault, text, path=path, value=f"{path}: {stated[path]}")
        for path, (fault, text) in found.items()
    )


def _lost(document: Document, reading: Reading) -> dict[str, str]:
    """Return the terms of a document, by path, that a reading of its message lacks or has otherwise."""
    read = next((part.document for part in reading.parts if part.document is not None), None)
    if not isinstance(document, TradeDocument) or not isinstance(read, TradeDocument):
        return {}
    if isinstance(document, Despatch | Receipt):
        return {}
    return in_words.lacking(document, read)
