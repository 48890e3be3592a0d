"""What partners' messages say in a deal: offers, inquiries, counters, orders that accept.

A message has no version; the number it refers to selects the offer. One that names no deal, a dead offer, or a number
already used for other content is refused with its rule, which the exchange answers; one that was seen before is not
acted on again (R28, R29).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.documents import Document, Inquiry, Line, Order, PartyId, TradeDocument
from tradehub.documents import Offer as OfferDocument
from tradehub.documents.lines import find
from tradehub.negotiation import compare, drafting, model, store
from tradehub.negotiation.model import Kind, Negotiation, Offer, Refused, State
from tradehub.negotiation.recording import Actor, Recorder
from tradehub.negotiation.store import DealRow
from tradehub.partners.handling import Handled, Received, Refusal
from tradehub.platform.outbox import OutboxRow

REPLACES = frozenset({"replace", "change", "proposed_amendment"})
"""Actions under which a document may use its number again with other content."""

ASSENTS = frozenset({"accepted", "confirmation"})
DECLINES = frozenset({"not_accepted", "cancel", "withdraw"})


class Inbound(Recorder):
    """Handlers of documents, wired by kind. They never raise for what a partner wrote."""

    def receive_offer(self, session: Session, document: Document, received: Received) -> Handled:
        """A supplier's quotation on our inquiry, or its answer to our counter."""
        if not isinstance(document, OfferDocument):
            raise TypeError(document.kind)
        seen = _seen(session, document, received)
        if seen is not None:
            return seen
        row = self._deal_named(session, document, buyer=received.owner, seller=received.partner)
        if row is None:
            return _refused(Refused("UNKNOWN_REFERENCE"))
        return self._answered(session, row, document, received)

    def receive_inquiry(self, session: Session, document: Document, received: Received) -> Handled:
        """A buyer's inquiry to us, its counter to our offer, or its refusal of one."""
        if not isinstance(document, Inquiry):
            raise TypeError(document.kind)
        seen = _seen(session, document, received)
        if seen is not None:
            return seen
        answers = document.action == "proposed_amendment" or document.action in DECLINES
        if not answers and document.reference("offer") is None:
            return self._new_deal(session, document, received, Kind.INQUIRY)
        row = self._deal_named(session, document, buyer=received.partner, seller=received.owner)
        if row is None:
            return _refused(Refused("UNKNOWN_REFERENCE"))
        return self._answered(session, row, document, received)

    def receive_order(self, session: Session, document: Document, received: Received) -> Handled:
        """A buyer's order: the acceptance of the offer it names, else a firm offer of its own."""
        if not isinstance(document, Order):
            raise TypeError(document.kind)
        seen = _seen(session, document, received)
        if seen is not None:
            return seen
        if document.reference("offer") is None:
            return self._new_deal(session, document, received, Kind.OFFER)
        row = self._deal_named(session, document, buyer=received.partner, seller=received.owner)
        if row is None:
            return _refused(Refused("UNKNOWN_REFERENCE"))
        return self._answered(session, row, document, received)

    def on_reached(self, session: Session, outbox_key: str, at: datetime) -> None:
        """A receipt proves that what left under this key has reached the partner (R4). Unknown keys mean nothing."""
        self._learnt(session, outbox_key, at, Kind.REACH)

    def on_failed(self, session: Session, outbox_key: str, at: datetime) -> None:
        """The partner's system rejected what left under this key, or it could not be delivered."""
        self._learnt(session, outbox_key, at, Kind.FAIL)

    def on_answered(self, session: Session, deal_id: str, at: datetime) -> None:
        """The partner answered the order that carries our acceptance, so it has it, receipt or not (MLEC 14)."""
        row = self._deal(session, deal_id)
        said = store.load(session, row).statements
        known = {each.about for each in said if each.kind is Kind.REACH}
        for each in said:
            if each.kind is Kind.ACCEPT and each.reached_at is None and each.id not in known:
                self.note(session, row, Kind.REACH, each.id, at)

    def _learnt(self, session: Session, outbox_key: str, at: datetime, kind: Kind) -> None:
        statement = store.statement_by_key(session, outbox_key) or _acceptance_by_order(session, outbox_key)
        if statement is None or statement.reached_at is not None:
            return
        row = self._deal(session, statement.deal_id)
        said = store.load(session, row).statements
        noted = [each.kind for each in said if each.about == statement.id and each.kind in (Kind.REACH, Kind.FAIL)]
        if Kind.REACH not in noted and kind not in noted[-1:]:
            self.note(session, row, kind, statement.id, at)

    def _new_deal(self, session: Session, document: Inquiry | Order, received: Received, kind: Kind) -> Handled:
        try:
            with session.begin_nested():
                row = self.open_deal(
                    session,
                    buyer=received.partner,
                    seller=received.owner,
                    document=document,
                    numbered_by=received.owner,
                )
                id = self.propose(session, row, _sender(received), document, kind=kind, at=received.received_at)
        except Refused as refused:
            return _refused(refused)
        return Handled(row.id, id)

    def _deal_named(
        self, session: Session, document: TradeDocument, *, buyer: PartyId, seller: PartyId
    ) -> DealRow | None:
        """Return the deal that the message's references name: an offer's number first, it is the closer one."""
        for type in ("offer", "inquiry", "previous"):
            for value in [each.value for each in document.references if each.type == type and each.value]:
                found = store.deals_of_offer(session, value, buyer=buyer, seller=seller)
                if found:
                    return self._deal(session, found[0].deal_id)
        return None

    def _answered(self, session: Session, row: DealRow, document: TradeDocument, received: Received) -> Handled:
        self._presume_reach(session, row, document, received)
        negotiation = store.load(session, row)
        base = _spoken_of(negotiation, document, received)
        try:
            with session.begin_nested():
                return self._said(session, row, negotiation, base, document, received)
        except Refused as refused:
            return Handled(row.id, None, _refused(refused).refusal)

    def _said(
        self,
        session: Session,
        row: DealRow,
        negotiation: Negotiation,
        base: Offer | None,
        document: TradeDocument,
        received: Received,
    ) -> Handled:
        actor = _sender(received)
        if document.action in DECLINES:
            about = base.id if base else None
            text = drafting.note_text(document)
            at = received.received_at
            return Handled(
                row.id, self.say(session, row, actor, Kind.REJECT, about=about, text=text, source=document, at=at)
            )
        full = _completed(document, negotiation, base)
        alive = base is not None and base.by != actor.party and base.firm
        assents = isinstance(document, Order) or document.action in ASSENTS
        if assents and base is not None and alive:
            state = model.states(negotiation, now=received.received_at)[base.id]
            changes = compare.changed_terms(base.document, full)
            if not changes or state is not State.EFFECTIVE:
                return self._accepted(session, row, base, document, received)
            return self._accepted_with(session, row, base, full, document, changes, received)
        id = self.propose(
            session, row, actor, full, about=base if alive else None, source=document, at=received.received_at
        )
        return Handled(row.id, id)

    def _accepted(
        self, session: Session, row: DealRow, base: Offer, document: TradeDocument, received: Received
    ) -> Handled:
        """Assent as it stands: the model refuses it where the offer is dead."""
        order = document if isinstance(document, Order) else None
        id = self.say(
            session, row, _sender(received), Kind.ACCEPT, about=base.id, source=document, at=received.received_at,
            order=order,
        )  # fmt: skip
        return Handled(row.id, id)

    def _accepted_with(
        self,
        session: Session,
        row: DealRow,
        base: Offer,
        full: TradeDocument,
        document: TradeDocument,
        changes: tuple[str, ...],
        received: Received,
    ) -> Handled:
        """Assent that changes terms: a contract where they are immaterial, else a counter-offer (R9, R10)."""
        id = self.propose(
            session, row, _sender(received), full, kind=Kind.ACCEPT, about=base, source=document,
            at=received.received_at, said={"changes": changes},
            particulars={"accept_by": base.accept_by, "amends": base.amends},
            order=document if isinstance(document, Order) else None,
        )  # fmt: skip
        return Handled(row.id, id)

    def _presume_reach(self, session: Session, row: DealRow, document: TradeDocument, received: Received) -> None:
        """Who answers a message by its number has received it, receipt or not (MLEC 14)."""
        named = {each.value for each in document.references}
        negotiation = store.load(session, row)
        known = {each.about for each in negotiation.statements if each.kind is Kind.REACH}
        for each in negotiation.statements:
            ours = each.offer is not None and each.by == received.owner and each.reached_at is None
            if ours and each.offer is not None and each.offer.number in named and each.id not in known:
                self.note(session, row, Kind.REACH, each.id, received.received_at)


def _sender(received: Received) -> Actor:
    return Actor(received.partner, channel="message", message_id=received.message_id)


def _seen(session: Session, document: TradeDocument, received: Received) -> Handled | None:
    """Answer for a document whose number its sender has used before: the same is a no-op, another is held."""
    if document.number is None:
        return None
    known = store.statement_of_document(
        session, by=received.partner, kind=document.kind, number=document.number, to=received.owner
    )
    if known is None:
        return None
    if known.source_sha256 == store.document_sha256(document):
        return Handled(known.deal_id, known.id)
    if document.action in REPLACES:
        return None
    return Handled(known.deal_id, known.id, _refused(Refused("SAME_NUMBER_OTHER_CONTENT")).refusal)


def _spoken_of(negotiation: Negotiation, document: TradeDocument, received: Received) -> Offer | None:
    """Return our proposal that the message answers: the one it names, else the last of ours."""
    ours = [each for each in negotiation.offers if each.by == received.owner]
    for type in ("offer", "inquiry", "previous"):
        named = {each.value for each in document.references if each.type == type}
        for each in reversed(ours):
            if each.number in named and (each.firm or type == "offer"):
                return each
    return ours[-1] if ours and not isinstance(document, Order) else None


def _completed(document: TradeDocument, negotiation: Negotiation, base: Offer | None) -> TradeDocument:
    """Fill in what an answer leaves to the document it answers: the currency, each line's item and quantity."""
    base = base or next(iter(negotiation.offers), None)
    if base is None or not isinstance(document, OfferDocument | Inquiry | Order):
        return document
    asked = model.lines_of(base.document)
    lines = tuple(_completed_line(line, asked) for line in document.lines)
    return document.model_copy(update={"currency": document.currency or base.document.currency, "lines": lines})


def _completed_line(line: Line, asked: Sequence[Line]) -> Line:
    found = find(asked, line)
    if found is None:
        return line
    item = line.item
    if not (item.name or item.description):
        item = item.model_copy(update={"name": found.line.item.name})
    if not item.ids:
        item = item.model_copy(update={"ids": found.line.item.ids})
    return line.model_copy(update={"item": item, "quantity": line.quantity or found.line.quantity})


def _acceptance_by_order(session: Session, outbox_key: str) -> store.StatementRow | None:
    """Return the acceptance that an outgoing order carries: ordering wrote it, under a key of its own."""
    sent = session.scalar(select(OutboxRow).where(OutboxRow.idempotency_key == outbox_key, OutboxRow.kind == "order"))
    order = sent.restored() if sent is not None else None
    number = order.reference("offer") if order is not None else None
    if sent is None or number is None:
        return None
    for offer in store.deals_of_offer(session, number, buyer=sent.sender, seller=sent.recipient):
        for row in store.statement_rows(session, [offer.deal_id]):
            if row.kind == Kind.ACCEPT and row.about == offer.id:
                return row
    return None


def _refused(refused: Refused) -> Handled:
    return Handled(refusal=Refusal(refused.rule, refused.article, refused.code))
