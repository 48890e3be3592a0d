"""What partners' messages say in a deal: offers, inquiries, counters, orders that accept.

A message has no version; the number it refers to selects the offer. One that names no deal, a dead offer, or a number
already used for other content is refused with its rule, which the exchange answers; one that was seen before is not
acted on again (R28, R29).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.documents import Document, Inquiry, Line, Order, OrderChange, OrderResponse, PartyId, TradeDocument
from tradehub.documents import Offer as OfferDocument
from tradehub.documents.in_words import MANNER, STANDARD_TERMS, YES
from tradehub.documents.lines import Finder, find, keyed
from tradehub.documents.parts import Note
from tradehub.negotiation import compare, drafting, letters, model, standard, store, threads
from tradehub.negotiation.model import ContractState, Kind, Negotiation, Offer, Refused, State
from tradehub.negotiation.recording import Actor, Recorder
from tradehub.negotiation.store import DealRow
from tradehub.partners.handling import Handled, Received, Refusal
from tradehub.platform.outbox import OutboxRow

REPLACES = frozenset({"replace", "change", "proposed_amendment"})
"""Actions under which a document may use its number again with other content."""

ASSENTS = frozenset({"accepted", "confirmation", "accepted_with_change"})
DECLINES = frozenset({"not_accepted", "cancel", "withdraw"})
TAKES_BACK = frozenset({"cancel", "withdraw"})
"""Actions by which a document takes back the one that bears its number; about one of the other side's they decline."""

_VERDICTS = {
    "accepted": Kind.ACCEPT, "accepted_with_change": Kind.ACCEPT, "accepted_in_part": Kind.ACCEPT,
    "rejected": Kind.REJECT, "counter_offer": Kind.COUNTER,
}  # fmt: skip
"""What the answer to the change of an order says of it (X12 587, EDIFACT 4343)."""

_CONFIRMED = {
    ContractState.AWAITING_ELECTION: Kind.ELECT_LATE,
    ContractState.DISPUTED_TIME: Kind.ADMIT_TIME,
    ContractState.AWAITING_CONFIRMATION: Kind.CONFIRM,
}
_DECLINED = {
    ContractState.AWAITING_ELECTION: Kind.LAPSE_NOTICE,
    ContractState.DISPUTED_TIME: Kind.LAPSE_NOTICE,
    ContractState.CONCLUDED_OBJECTABLE: Kind.OBJECT,
}
"""What assent, and dissent, to our acceptance are in law, by what has become of it (CISG 19(2), 21)."""

Lines = tuple[tuple[str, Decimal], ...]
"""Lines of an offer, and how much of each."""


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
        answers = document.action == "proposed_amendment" or document.action in DECLINES | ASSENTS
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

    def receive_change(
        self, session: Session, document: OrderChange | OrderResponse, received: Received, deal: str | None,
        acceptance: str | None = None,
    ) -> Handled:  # fmt: skip
        """A change of the order on a contract of ``deal``, or the answer to one: both speak of the contract (R25).

        ``deal`` is None where no order of that number is known; ``acceptance`` is what made the contract.
        """
        seen = _seen(session, document, received)
        if seen is not None:
            return seen
        if deal is None:
            return _refused(Refused("UNKNOWN_REFERENCE"))
        row = self._deal(session, deal)
        self._presume_change_reached(session, row, document, received)
        try:
            with session.begin_nested():
                return self._changed(session, row, store.load(session, row), document, received, acceptance)
        except Refused as refused:
            return Handled(row.id, None, _refused(refused).refusal)

    def on_order_answered(
        self, session: Session, deal: str, response: OrderResponse, received: Received, acceptance: str | None = None
    ) -> None:
        """The answer to an order that carried our ``acceptance``: it may elect a late one, or object to a changed one.

        What it means for a contract that stands is ordering's to say.
        """
        row = self._deal(session, deal)
        negotiation = store.load(session, row)
        found = model.contract(negotiation, now=received.received_at, named=acceptance)
        if found is None or found.accepted_by != received.owner:
            return
        by_state = _CONFIRMED if response.response == "accepted" else _DECLINED
        kind = by_state.get(found.state) if response.response in ("accepted", "rejected") else None
        if kind is None or kind is Kind.CONFIRM:
            return
        text, at = drafting.note_text(response), received.received_at
        self.say(session, row, _sender(received), kind, about=found.named, text=text, source=response, at=at)

    def on_reached(
        self, session: Session, outbox_key: str, at: datetime, *, tried_at: datetime | None = None,
        acceptance: str | None = None,
    ) -> None:  # fmt: skip
        """A receipt proves that what left under this key has reached the partner (R4). Unknown keys mean nothing.

        ``tried_at`` is when it was first handed over to be carried; ``acceptance`` what it carries as an order.
        """
        self._learnt(session, outbox_key, at, Kind.REACH, tried_at, acceptance)

    def on_failed(self, session: Session, outbox_key: str, at: datetime, *, acceptance: str | None = None) -> None:
        """The partner's system rejected what left under this key, or it could not be delivered."""
        self._learnt(session, outbox_key, at, Kind.FAIL, acceptance=acceptance)

    def on_answered(self, session: Session, deal_id: str, at: datetime, acceptance: str | None = None) -> None:
        """The partner answered the order that carries our acceptance, so it has it, receipt or not (MLEC 14)."""
        row = self._deal(session, deal_id)
        said = store.load(session, row).statements
        known = {each.about for each in said if each.kind is Kind.REACH}
        for each in said:
            is_meant = each.kind is Kind.ACCEPT and acceptance in (None, each.id)
            if is_meant and each.reached_at is None and each.id not in known:
                self.note(session, row, Kind.REACH, each.id, at)

    def _learnt(
        self, session: Session, outbox_key: str, at: datetime, kind: Kind, tried_at: datetime | None = None,
        acceptance: str | None = None,
    ) -> None:  # fmt: skip
        carried = session.scalar(select(store.StatementRow).where(store.StatementRow.id == acceptance))
        statement = store.statement_by_key(session, outbox_key) or carried or _acceptance_by_order(session, outbox_key)
        if statement is None or statement.reached_at is not None:
            return
        row = self._deal(session, statement.deal_id)
        said = store.load(session, row).statements
        noted = [each.kind for each in said if each.about == statement.id and each.kind in (Kind.REACH, Kind.FAIL)]
        if Kind.REACH not in noted and kind not in noted[-1:]:
            self.note(session, row, kind, statement.id, at, tried_at=tried_at)

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
                id = self.propose(
                    session, row, _sender(received), document, kind=kind, at=received.received_at,
                    particulars=_on_terms(document),
                )  # fmt: skip
        except Refused as refused:
            return _refused(refused)
        return Handled(row.id, id)

    def _deal_named(
        self, session: Session, document: TradeDocument, *, buyer: PartyId, seller: PartyId
    ) -> DealRow | None:
        """Return the deal that the message's references name: an offer's number first, it is the closer one."""
        for numbers in _by_closeness(document):
            for value in numbers:
                found = store.deals_of_offer(session, value, buyer=buyer, seller=seller)
                if found:
                    return self._deal(session, found[0].deal_id)
        return None

    def deal_named(self, session: Session, document: TradeDocument, *, buyer: PartyId, seller: PartyId) -> str | None:
        """Return the id of the deal that a message's references name, or None."""
        row = self._deal_named(session, document, buyer=buyer, seller=seller)
        return row.id if row is not None else None

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
        if isinstance(document, Order) and self._confirms(negotiation, document, received):
            return self._ordered(session, row, negotiation, document, received)
        spoken = self._spoken(session, row, negotiation, base, document, received)
        if spoken is not None:
            kind, about = spoken
            text, at = drafting.note_text(document), received.received_at
            term = None
            if kind in model.WORDS and about is not None:
                before = [each.term for each in negotiation.statements if each.term is not None]
                term, text = threads.read(text, negotiation.offer(about).document, before)
            files = tuple((each.sha256, each.name) for each in document.attachments if each.sha256)
            id = self.say(
                session, row, actor, kind, about=about, text=text, term=term, source=document, at=at,
                attachments=files if kind in model.WORDS else (),
            )  # fmt: skip
            return Handled(row.id, id)
        full = _completed(document, negotiation, base)
        alive = base is not None and base.by != actor.party and base.firm
        assents = isinstance(document, Order) or document.action in ASSENTS
        if assents and base is not None and alive:
            ledger = model.Ledger.of(negotiation, received.received_at)
            lines, taken = _taken(base, ledger.standings[base.id].remaining, full)
            changes = compare.changed_terms(taken, full)
            clashes = _standard_terms(document) not in (None, base.standard_terms) and not standard.knocks_out(
                negotiation, base
            )
            if not (changes or clashes) or ledger.states[base.id] is not State.EFFECTIVE:
                return self._accepted(session, row, base, document, received, lines)
            return self._accepted_with(session, row, base, full, document, changes, received, lines)
        id = self.propose(
            session, row, actor, full, about=base if alive else None, source=document, at=received.received_at,
            particulars=_on_terms(document),
        )  # fmt: skip
        return Handled(row.id, id)

    def _spoken(
        self,
        session: Session,
        row: DealRow,
        negotiation: Negotiation,
        base: Offer | None,
        document: TradeDocument,
        received: Received,
    ) -> tuple[Kind, str | None] | None:
        """Return what a letter without terms of its own says, and of what; None for one that proposes or accepts."""
        action, at = document.action, received.received_at
        if action in TAKES_BACK:
            numbers = [document.number, *(each.value for each in document.references if each.type == "offer")]
            said = _acceptance_by(session, row, received.partner, numbers)
            if said is not None:
                return Kind.WITHDRAW_ACCEPTANCE, _called(negotiation, said)
            taken = _named_of_its_own(negotiation, document, received)
            if taken is not None:
                return _taking_back(negotiation, taken, at), taken.id
        if action in DECLINES | ASSENTS:
            ours = self._our_acceptance(session, row, document, received)
            contract = model.contract(negotiation, now=at, named=ours.id) if ours is not None else None
            if ours is not None and contract is not None:
                by_state = _CONFIRMED if action in ASSENTS else _DECLINED
                kind = by_state.get(contract.state, Kind.COMMENT if action in ASSENTS else Kind.OBJECT)
                return kind, ours.about if kind is Kind.COMMENT else contract.named
        if action in DECLINES:
            return Kind.REJECT, base.id if base else None
        if action == "information":
            return _words(negotiation, base, document, received)
        return None

    def _our_acceptance(
        self, session: Session, row: DealRow, document: TradeDocument, received: Received
    ) -> store.StatementRow | None:
        """Return our acceptance that a letter names: by the number of our document, or of our order."""
        said = _acceptance_by(session, row, received.owner, [each.value for each in document.references])
        named = document.reference("order")
        if said is not None or named is None:
            return said
        for each in reversed(store.statement_rows(session, [row.id])):
            is_ours = each.kind == Kind.ACCEPT and each.by_id == received.owner
            order = self.hooks.order(session, each.id) if is_ours else None
            if order is not None and order.number == named:
                return each
        return None

    def _confirms(self, negotiation: Negotiation, order: Order, received: Received) -> bool:
        """Whether an order only carries out what we accepted: the buyer's own terms, by its own number."""
        contract = _contract_ordered(negotiation, order, received)
        if contract is None or contract.accepted_by != received.owner:
            return False
        named = {each.value for each in order.references if each.type == "offer"}
        return contract.offer.number in named or bool(named & {each.number for each in negotiation.offers})

    def _ordered(
        self, session: Session, row: DealRow, negotiation: Negotiation, document: Order, received: Received
    ) -> Handled:
        """The buyer's order on a contract that our acceptance made; other terms than agreed propose to change it."""
        contract = _contract_ordered(negotiation, document, received)
        if contract is None:
            raise Refused("NO_CONTRACT", negotiation.regime)
        full = _completed(document, negotiation, contract.terms)
        self.hooks.on_ordered(session, contract.id, document, received)
        if not compare.changed_terms(drafting.agreed(contract), full):
            return Handled(row.id, contract.id)
        id = self.propose(
            session, row, _sender(received), full, kind=Kind.AMEND, source=document, at=received.received_at,
            particulars={"amends": contract.named},
        )  # fmt: skip
        return Handled(row.id, id)

    def _changed(
        self,
        session: Session,
        row: DealRow,
        negotiation: Negotiation,
        document: OrderChange | OrderResponse,
        received: Received,
        acceptance: str | None,
    ) -> Handled:
        at, actor = received.received_at, _sender(received)
        found = model.states(negotiation, now=at)
        contract = model.contract(negotiation, now=at, named=acceptance)
        ours = [
            each
            for each in negotiation.offers
            if each.by == received.owner and each.amends is not None and found[each.id] in model.OPEN
            if contract is None or each.amends in (contract.id, contract.offer.id)
        ]
        verdict = _verdict_on_change(document)
        if document.action == "cancel" and verdict is None:
            return self._cancelled(session, row, negotiation, contract, document, received)
        if verdict is Kind.REJECT and not ours:
            raise Refused("NO_SUCH_OFFER", negotiation.regime)
        if verdict is Kind.REJECT:
            text = drafting.note_text(document)
            id = self.say(session, row, actor, Kind.REJECT, about=ours[-1].id, text=text, source=document, at=at)
            return Handled(row.id, id)
        base = ours[-1] if ours else contract.terms if contract else None
        if base is None or contract is None:
            raise Refused("NO_CONTRACT", negotiation.regime)
        if verdict is Kind.ACCEPT and not ours:
            return Handled(row.id, contract.id)
        full = letters.changed(base.document if ours else drafting.agreed(contract), document)
        if verdict is Kind.ACCEPT:
            changes = compare.changed_terms(base.document, full)
            if not changes:
                return Handled(
                    row.id, self.say(session, row, actor, Kind.ACCEPT, about=base.id, source=document, at=at)
                )
            return self._accepted_with(session, row, base, full, document, changes, received)
        kind = Kind.COUNTER if ours and found[base.id] is State.EFFECTIVE else Kind.AMEND
        full = _told_of_numbers(full, base.document, document)
        id = self.propose(
            session, row, actor, full, kind=kind, about=base if ours else None, source=document, at=at,
            particulars={"amends": contract.named},
        )  # fmt: skip
        return Handled(row.id, id)

    def _cancelled(
        self,
        session: Session,
        row: DealRow,
        negotiation: Negotiation,
        contract: model.Contract | None,
        document: OrderChange | OrderResponse,
        received: Received,
    ) -> Handled:
        """The buyer cancels its order: in time it withdraws its acceptance, else it proposes to end the contract."""
        at, actor = received.received_at, _sender(received)
        if contract is None:
            raise Refused("NO_CONTRACT", negotiation.regime)
        text = drafting.note_text(document)
        if contract.state is ContractState.AWAITING_REACH:
            about = contract.named
            id = self.say(session, row, actor, Kind.WITHDRAW_ACCEPTANCE, about=about, text=text, source=document, at=at)
            return Handled(row.id, id)
        own = letters.changed(drafting.agreed(contract), document.model_copy(update={"lines": ()}))
        id = self.propose(
            session, row, actor, own, kind=Kind.AMEND, source=document, at=at,
            particulars={"amends": contract.named, "terminates": True},
        )  # fmt: skip
        return Handled(row.id, id)

    def _presume_change_reached(
        self, session: Session, row: DealRow, document: TradeDocument, received: Received
    ) -> None:
        """Who answers the change of an order has received it, receipt or not (MLEC 14)."""
        sequence = document.reference("change")
        negotiation = store.load(session, row)
        known = {each.about for each in negotiation.statements if each.kind is Kind.REACH}
        for each in negotiation.statements:
            ours = each.by == received.owner and each.offer is not None and each.offer.amends is not None
            if ours and each.reached_at is None and each.id not in known:
                carried = store.source_of(session, each.id)
                if carried is not None and sequence is not None and carried.reference("change") == sequence:
                    self.note(session, row, Kind.REACH, each.id, received.received_at)

    def _accepted(
        self, session: Session, row: DealRow, base: Offer, document: TradeDocument, received: Received, lines: Lines
    ) -> Handled:
        """Assent as it stands, to all or to some lines: the model refuses it where the offer is dead, or a line taken."""
        order = document if isinstance(document, Order) else None
        id = self.say(
            session, row, _sender(received), Kind.ACCEPT, about=base.id, source=document, at=received.received_at,
            order=order, lines=lines, standard_terms=_standard_terms(document),
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
        lines: Lines = (),
    ) -> Handled:
        """Assent that changes terms: a contract where they are immaterial, else a counter-offer (R9, R10)."""
        id = self.propose(
            session, row, _sender(received), full, kind=Kind.ACCEPT, about=base, source=document,
            at=received.received_at, said={"changes": changes, "lines": lines, **_on_terms(document)},
            particulars={"accept_by": base.accept_by, "amends": base.amends, **_on_terms(document)},
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


def _standard_terms(document: TradeDocument) -> str | None:
    """Return the SHA-256 of the sender's own standard terms, where a message refers to them by it."""
    named = (document.reference(STANDARD_TERMS) or "").casefold()
    return named if _SHA256.fullmatch(named) else None


def _on_terms(document: TradeDocument) -> dict[str, Any]:
    """Return what a message says of its offer beside the terms: standard terms, and how it may be accepted."""
    named = _standard_terms(document)
    manner = {each: True for each in MANNER if document.reference(each) == YES}
    return {**manner, "standard_terms": named} if named else manner


_SHA256 = re.compile("[0-9a-f]{64}")


def _acceptance_by(
    session: Session, row: DealRow, party: PartyId, numbers: Sequence[str | None] | None
) -> store.StatementRow | None:
    """Return the party's latest acceptance, of those whose document bears one of ``numbers``; of all where None."""
    said = [
        each for each in store.statement_rows(session, [row.id]) if each.kind == Kind.ACCEPT and each.by_id == party
    ]
    if numbers is not None:
        said = [each for each in said if each.document_number is not None and each.document_number in numbers]
    return said[-1] if said else None


def _named_of_its_own(negotiation: Negotiation, document: TradeDocument, received: Received) -> Offer | None:
    """Return the sender's proposal that a letter takes back: of its own number, or named, the closest reference first."""
    by_number = {each.number: each for each in negotiation.offers}
    own = by_number.get(document.number or "")
    if own is not None and own.by == received.partner:
        return own
    for numbers in _by_closeness(document):
        named = [by_number[each] for each in numbers if each in by_number]
        for each in named:
            if each.by == received.partner:
                return each
        if named:
            return None
    return None


def _contract_ordered(negotiation: Negotiation, order: Order, received: Received) -> model.Contract | None:
    """Return the contract that an order of the buyer's carries out: of several the one on its lines, else the first."""
    live = [each for each in model.contracts(negotiation, now=received.received_at) if each.is_live]
    for each in live if len(live) > 1 else ():
        if not compare.changed_terms(drafting.agreed(each), _completed(order, negotiation, each.terms)):
            return each
    return next(iter(live), None)


def _called(negotiation: Negotiation, accepted: store.StatementRow) -> str | None:
    """Return what an acceptance is called: by its offer, or by its own id where that may have several (R22)."""
    return accepted.id if negotiation.offer(accepted.about).divisible else accepted.about


def _taking_back(negotiation: Negotiation, offer: Offer, at: datetime) -> Kind:
    """An inquiry is cancelled; an offer that has not reached is withdrawn, one that has is revoked (CISG 15, 16)."""
    if not offer.firm:
        return Kind.CANCEL
    state = model.states(negotiation, now=at)[offer.id]
    return Kind.WITHDRAW if state in (State.DISPATCHED, State.UNDELIVERED) else Kind.REVOKE


def _words(
    negotiation: Negotiation, base: Offer | None, document: TradeDocument, received: Received
) -> tuple[Kind, str | None] | None:
    """Words about an offer that is on record; with terms of its own it is an offer without obligation, not words."""
    text = drafting.note_text(document)
    named = {each.value for each in document.references}
    about = next((each for each in reversed(negotiation.offers) if each.number in named), base)
    if not text or about is None:
        return None
    said = _completed(document, negotiation, about).model_copy(update={"attachments": about.document.attachments})
    if compare.changed_terms(about.document, said):
        return None
    words = [each for each in negotiation.statements if each.kind in model.WORDS]
    is_asked = bool(words) and words[-1].kind is Kind.QUESTION and words[-1].by == received.owner
    return letters.kind_of_words(text, is_asked=is_asked), about.id


def _verdict_on_change(document: OrderChange | OrderResponse) -> Kind | None:
    """Return what a message says of a change that we proposed; None for one that proposes a change of its own."""
    if isinstance(document, OrderResponse):
        return None if document.action == "proposed_amendment" else _VERDICTS.get(document.response or "")
    if document.action in ASSENTS:
        return Kind.ACCEPT
    return Kind.REJECT if document.action == "not_accepted" else None


def _taken(base: Offer, remaining: Mapping[str, Decimal], full: TradeDocument) -> tuple[Lines, TradeDocument]:
    """Return the lines of an offer that an assent is limited to, none where it is to all, and what of the offer it takes.

    An order on some lines of a divisible offer, or on a part of a quantity, takes those (R22); so does one on all of them
    where some are not to be had any more, to be refused. One that names other lines, or more, takes the whole, to differ.
    """
    whole = ((), base.document)
    if not base.divisible:
        return whole
    names = {id(line): name for name, line in keyed(model.lines_of(base.document)).items()}
    finder, wanted = Finder(model.lines_of(base.document)), {}
    for line in model.offered_lines(full):
        found = finder.find(line)
        offered = found.line.quantity if found is not None else None
        if found is None or offered is None or line.quantity is None or line.quantity.unit != offered.unit:
            return whole
        if names[id(found.line)] in wanted or not 0 < line.quantity.value <= offered.value:
            return whole
        wanted[names[id(found.line)]] = line.quantity.value
    if wanted == remaining == base.lines:
        return whole
    return tuple(wanted.items()), drafting.limited_to(base.document, wanted)


def _told_of_numbers(full: TradeDocument, base: TradeDocument, document: OrderChange | OrderResponse) -> TradeDocument:
    """Say which lines the message numbers otherwise than the contract: they were matched by their items."""
    other = letters.renumbered(base, document)
    if not other:
        return full
    said = ", ".join(f"{theirs} = {ours}" for ours, theirs in other)
    return full.model_copy(update={"notes": (*full.notes, Note(text=f"# {said}"))})


def _sender(received: Received) -> Actor:
    return Actor(
        received.partner, channel="message", message_id=received.message_id, sent_at=received.sent_at,
        claimed_at=received.claimed_at,
    )  # fmt: skip


def _seen(session: Session, document: TradeDocument, received: Received) -> Handled | None:
    """Answer for a document whose number its sender has used before: the same is a no-op, another is held."""
    if document.number is None:
        return None
    known = store.statement_of_document(
        session, by=received.partner, kind=document.kind, number=document.number, to=received.owner
    )
    if known is None:
        return None
    if store.carried_by(session, known) == document:
        return Handled(known.deal_id, known.id)
    if document.action in REPLACES | TAKES_BACK:
        return None
    return Handled(known.deal_id, known.id, _refused(Refused("SAME_NUMBER_OTHER_CONTENT")).refusal)


def _by_closeness(document: TradeDocument) -> tuple[tuple[str, ...], ...]:
    """Return the numbers that a message refers to, those of offers first.

    What a standard has no qualifier for, as X12 for the number of an inquiry, comes as mutually defined, and last.
    """
    known = ("offer", "inquiry", "previous")
    found = [tuple(each.value for each in document.references if each.type == type and each.value) for type in known]
    return (*found, tuple(each.value for each in document.references if each.type not in known and each.value))


def _spoken_of(negotiation: Negotiation, document: TradeDocument, received: Received) -> Offer | None:
    """Return our proposal that the message answers: the one it names, else the last of ours."""
    ours = [each for each in negotiation.offers if each.by == received.owner]
    for place, named in enumerate(_by_closeness(document)):
        for each in reversed(ours):
            if each.number in named and (each.firm or place == 0):
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
