"""What people do in a negotiation: ask, offer, counter, accept, decline, and talk.

Each use case takes the caller's write session and is one transaction there: the statement in its chain, the deal's
guarded move, what leaves for the partner. Refused and Conflict say why not; nothing is then changed.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.documents import Inquiry, PartyId, TradeDocument
from tradehub.documents import Offer as OfferDocument
from tradehub.documents.parts import Note, Party, Reference
from tradehub.negotiation import drafting, model, store
from tradehub.negotiation.drafting import Draft, Letterhead
from tradehub.negotiation.inbound import Inbound
from tradehub.negotiation.model import Kind, Offer
from tradehub.negotiation.reading import Reading
from tradehub.negotiation.recording import Actor
from tradehub.negotiation.store import DealRow, InquiryRow
from tradehub.platform import clock, ids


class NegotiationService(Inbound, Reading):
    """The capability: its commands here, handlers of messages in ``inbound``, queries in ``reading``."""

    def send_inquiry(
        self,
        session: Session,
        actor: Actor,
        draft: Draft,
        suppliers: Sequence[PartyId],
        *,
        note: str = "",
        request_key: str | None = None,
    ) -> str:
        """Ask each supplier on the draft's lines, a deal for each, and return the inquiry's id.

        ``note`` stays with the buyer's own people. The same ``request_key`` again returns the first inquiry.
        """
        if request_key is not None:
            known = session.scalar(select(InquiryRow.id).where(InquiryRow.request_key == request_key))
            if known is not None:
                return known
        now = clock.now()
        number = f"RFQ-{now.year}-{store.next_number(session, actor.party, 'inquiry'):04d}"
        buyer = self.hooks.party(session, actor.party)
        chosen = list(dict.fromkeys(suppliers))
        letters = [
            drafting.inquiry(Letterhead(number, now.date(), buyer, self.hooks.party(session, each)), draft)
            for each in chosen
        ]
        row = InquiryRow(
            id=ids.new_id(), buyer_id=actor.party, number=number, note=note, request_key=request_key,
            document=letters[0].model_copy(update={"parties": ()}).model_dump(mode="json"), created_by=actor.user_id,
            created_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        for supplier, letter in zip(chosen, letters, strict=True):
            deal = self.open_deal(
                session, buyer=actor.party, seller=supplier, document=letter, numbered_by=actor.party, inquiry_id=row.id
            )
            self.propose(session, deal, actor, letter, kind=Kind.INQUIRY)
        return row.id

    def make_offer(
        self,
        session: Session,
        actor: Actor,
        deal_id: str,
        draft: Draft,
        *,
        about: str | None = None,
        expected_version: int | None = None,
        request_key: str | None = None,
    ) -> str:
        """State terms, starting from the round ``about`` (else the latest), and return the statement's id.

        It is a counter (R11) where that round is the other side's open offer, else an offer of its own. The buyer's
        goes out as an inquiry that proposes an amendment, the seller's as an offer.
        """
        row = self._deal(session, deal_id)
        known = self._repeated(session, row, request_key)
        if known is not None:
            return known
        negotiation = store.load(session, row)
        if expected_version is not None and expected_version != negotiation.version:
            raise model.Conflict(expected_version, negotiation.version)
        base = negotiation.offer(about) if about else negotiation.offers[-1]
        document = self._written(session, row, actor.party, base, draft)
        return self.propose(
            session, row, actor, document, about=base, expected_version=expected_version, request_key=request_key
        )

    counter = make_offer

    def accept(
        self,
        session: Session,
        actor: Actor,
        deal_id: str,
        about: str,
        *,
        expected_version: int | None = None,
        terms_hash: str | None = None,
        request_key: str | None = None,
    ) -> str:
        """Accept the other side's offer on the terms that were shown, and tell the hub; return the statement's id.

        Of several at once exactly one succeeds, the others raise Conflict (R8).
        """
        row = self._deal(session, deal_id)
        known = self._repeated(session, row, request_key)
        if known is not None:
            return known
        negotiation = store.load(session, row)
        offer = negotiation.offer(about)
        assent = None
        if actor.party == row.seller_id and isinstance(offer.document, Inquiry):
            assent = self._assent(session, row, offer)
        id = self.say(
            session, row, actor, Kind.ACCEPT, about=about, terms_hash=terms_hash, expected_version=expected_version,
            request_key=request_key, source=assent,
        )  # fmt: skip
        self.conclude(session, row, offer, actor.party, clock.now())
        return id

    def reject(
        self,
        session: Session,
        actor: Actor,
        deal_id: str,
        about: str,
        *,
        text: str = "",
        expected_version: int | None = None,
        request_key: str | None = None,
    ) -> str:
        """Decline an offer, or an inquiry: it can no longer be accepted, a new one may follow (R7)."""
        row = self._deal(session, deal_id)
        known = self._repeated(session, row, request_key)
        if known is not None:
            return known
        negotiation = store.load(session, row)
        letter = self._refusal_of(session, row, actor.party, negotiation.offer(about), text)
        return self.say(
            session, row, actor, Kind.REJECT, about=about, text=text, expected_version=expected_version,
            request_key=request_key, source=letter,
        )  # fmt: skip

    def comment(
        self,
        session: Session,
        actor: Actor,
        deal_id: str,
        text: str,
        *,
        about: str | None = None,
        is_question: bool = False,
        request_key: str | None = None,
    ) -> str:
        """Say something that has no effect in law (R12)."""
        row = self._deal(session, deal_id)
        known = self._repeated(session, row, request_key)
        kind = Kind.QUESTION if is_question else Kind.COMMENT
        return known or self.say(session, row, actor, kind, about=about, text=text, request_key=request_key)

    def revoke(self, session: Session, actor: Actor, deal_id: str, about: str, *, expected_version: int | None) -> str:
        """Take back one's own offer where the law lets one (R6). Partners by message are to be told by other means."""
        row = self._deal(session, deal_id)
        return self.say(session, row, actor, Kind.REVOKE, about=about, expected_version=expected_version)

    def _repeated(self, session: Session, row: DealRow, request_key: str | None) -> str | None:
        said = store.statement_by_request(session, row.id, request_key) if request_key else None
        return said.id if said else None

    def _written(self, session: Session, row: DealRow, by: PartyId, base: Offer, draft: Draft) -> TradeDocument:
        if by == row.buyer_id:
            theirs = base if base.by != by else None
            head = self._letterhead(session, row, "proposed_amendment", theirs)
            return drafting.counter(head, base.document, draft)
        return drafting.offer(self._quote_head(session, row, base), base.document, draft)

    def _letterhead(
        self,
        session: Session,
        row: DealRow,
        action: str,
        theirs: Offer | None,
    ) -> Letterhead:
        """Return the head of a buyer's letter: numbered after the inquiry, naming the quotation it answers."""
        root = row.inquiry_number or row.number
        mine = sum(each.document_kind == "inquiry" for each in store.statement_rows(session, [row.id]))
        references = [Reference(type="inquiry", value=row.inquiry_number)] if row.inquiry_number else []
        references += [Reference(type="offer", value=theirs.number)] if theirs else []
        buyer, seller = self._parties(session, row)
        return Letterhead(f"{root}-{mine + 1}", clock.now().date(), buyer, seller, tuple(references), action)

    def _quote_head(self, session: Session, row: DealRow, base: Offer, action: str = "original") -> Letterhead:
        """Return the head of a seller's letter: a quotation number of its own, naming what it answers."""
        now = clock.now()
        number = f"Q-{now.year}-{store.next_number(session, row.seller_id, 'offer'):04d}"
        references = [Reference(type="inquiry", value=row.inquiry_number)] if row.inquiry_number else []
        if base.number != row.inquiry_number:
            references.append(Reference(type="offer", value=base.number))
        buyer, seller = self._parties(session, row)
        return Letterhead(number, now.date(), buyer, seller, tuple(references), action)

    def _assent(self, session: Session, row: DealRow, offer: Offer) -> OfferDocument:
        """Return the quotation by which a seller agrees to the buyer's counter, where the buyer reads messages."""
        head = self._quote_head(session, row, offer, "accepted")
        return drafting.as_offer(offer.document).model_copy(update=head.fields)

    def _refusal_of(self, session: Session, row: DealRow, by: PartyId, offer: Offer, text: str) -> TradeDocument:
        """Return the letter that declines ``offer``: a message partner gets it with the number it used."""
        notes = (Note(text=text.strip()),) if text.strip() else ()
        if by == row.buyer_id:
            head = self._letterhead(session, row, "not_accepted", offer)
            letter: TradeDocument = Inquiry.model_validate({**_terms(offer), **head.fields, "notes": notes})
        else:
            head = self._quote_head(session, row, offer, "not_accepted")
            letter = OfferDocument.model_validate({**_terms(offer), **head.fields, "notes": notes})
        return letter

    def _parties(self, session: Session, row: DealRow) -> tuple[Party, Party]:
        buyer, seller = PartyId(row.buyer_id), PartyId(row.seller_id)
        return self.hooks.party(session, buyer), self.hooks.party(session, seller)


def _terms(offer: Offer) -> dict[str, object]:
    return {"currency": offer.document.currency, "lines": model.lines_of(offer.document)}
