"""What people do in a negotiation: ask, offer, counter, accept, decline, and talk.

Each use case takes the caller's write session and is one transaction there: the statement in its chain, the deal's
guarded move, what leaves for the partner. Refused and Conflict say why not; nothing is then changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.documents import Inquiry, OrderChange, OrderResponse, PartyId, TradeDocument
from tradehub.documents import Offer as OfferDocument
from tradehub.documents.parts import Attachment, Note, Party, Reference
from tradehub.documents.terms import NOT_TERMS, terms_hash
from tradehub.negotiation import attachments, drafting, judging, letters, model, standard, store, threads
from tradehub.negotiation.attaching import Attaching
from tradehub.negotiation.attachments import NAMED_MAX, Kept, Unfit
from tradehub.negotiation.binding import award, binding, dearest
from tradehub.negotiation.claims import Claims
from tradehub.negotiation.drafting import Draft, Letterhead
from tradehub.negotiation.inbound import Inbound
from tradehub.negotiation.model import Kind, Negotiation, Offer, State
from tradehub.negotiation.publishing import Publishing
from tradehub.negotiation.reading import Reading
from tradehub.negotiation.recording import Actor, NotFound, Unauthorised
from tradehub.negotiation.store import DealRow, InquiryRow
from tradehub.partners.authority import Act, Allowed, Binding
from tradehub.platform import clock, ids

ACTS = frozenset(
    {
        Kind.WITHDRAW,
        Kind.REVOKE,
        Kind.WITHDRAW_ACCEPTANCE,
        Kind.OBJECT,
        Kind.ELECT_LATE,
        Kind.LAPSE_NOTICE,
        Kind.ADMIT_TIME,
        Kind.CONFIRM,
        Kind.SIGN,
        Kind.PERFORM,
        Kind.RELY,
        Kind.CANCEL,
        Kind.DISREGARD,
    }
)
"""What a party says of an offer, or of what its acceptance brought about, without terms of its own."""

BINDING = {
    Kind.CONFIRM: Act.SIGNATURE,
    Kind.SIGN: Act.SIGNATURE,
    Kind.PERFORM: Act.ACCEPTANCE,
    Kind.ELECT_LATE: Act.ACCEPTANCE,
    Kind.ADMIT_TIME: Act.ACCEPTANCE,
}
"""Acts by which a contract may come about, so that the organisation's own rules are asked before them."""

_LATEST = 2
"""Rounds whose terms are spoken of without naming one: the two that stand side by side on a page."""

_TAKING_BACK = frozenset({Kind.WITHDRAW, Kind.REVOKE, Kind.WITHDRAW_ACCEPTANCE, Kind.CANCEL})
_OF_CHANGES = frozenset({"order_change", "order_response"})
_CHANGE_ACTIONS = {
    "accepted": "confirmation", "accepted_with_change": "confirmation", "rejected": "not_accepted", "cancelled": "cancel"
}  # fmt: skip
"""How a buyer's word on a change stands in an order change (X12 353, EDIFACT 1225); all else is a change."""
_ANSWERS = {"cancelled": "rejected"}
"""A seller that wants to end the contract rejects its order: no standard has a word of its own for it."""


@dataclass(frozen=True)
class Pick:
    """What a buyer takes of one supplier's offer: all of it, or these lines, in these quantities (None: all offered)."""

    deal: str
    offer: str
    lines: tuple[tuple[str, Decimal | None], ...] = ()
    terms_hash: str | None = None


class NegotiationService(Inbound, Reading, Claims, Attaching, Publishing):
    """The capability: its commands here, handlers of messages in ``inbound``, queries in ``reading``, comparing of
    histories in ``claims``."""

    def send_inquiry(
        self,
        session: Session,
        actor: Actor,
        draft: Draft | Inquiry,
        suppliers: Sequence[PartyId],
        *,
        note: str = "",
        files: Sequence[Kept] = (),
        standard_terms: str | None = None,
        request_key: str | None = None,
    ) -> str:
        """Ask each supplier on the draft's lines, a deal for each, and return the inquiry's id.

        The draft may be a document with any terms; its number and parties are the hub's to write.

        ``note`` stays with the buyer's own people. ``files`` go to each supplier, ``standard_terms`` is the SHA-256 of the
        buyer's own. The same ``request_key`` again returns the first inquiry. Raises Unfit for too many files.
        """
        if request_key is not None:
            known = session.scalar(select(InquiryRow.id).where(InquiryRow.request_key == request_key))
            if known is not None:
                return known
        now = clock.now()
        number = f"RFQ-{now.year}-{store.next_number(session, actor.party, 'inquiry'):04d}"
        buyer = self.hooks.party(session, actor.party)
        chosen = list(dict.fromkeys(suppliers))
        if len(files) > NAMED_MAX:
            raise Unfit("TOO_MANY")
        draft_files = draft.attachments or ()
        letters = [
            _invitation(Letterhead(number, now.date(), buyer, self.hooks.party(session, each)), draft).model_copy(
                update={"attachments": (*(one.named for one in files), *draft_files)}
            )
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
            session.add_all(self._brought(deal, actor.party, each) for each in files)
            particulars = {"standard_terms": standard_terms} if standard_terms else {}
            self.propose(session, deal, actor, letter, kind=Kind.INQUIRY, particulars=particulars)
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
        negotiation = self._current(session, row, expected_version)
        base = negotiation.offer(about) if about else negotiation.offers[-1]
        if draft.alternatives:
            return self._offer_alternatives(session, row, actor, base, draft, expected_version, request_key)
        document = self._written(session, row, actor.party, base, draft)
        if drafting.is_firm(document):
            self._demand(session, row, actor, Act.OFFER, document)
        if base.amends is not None:
            return self._counter_change(
                session, row, actor, base, document, expected_version, request_key, particulars=draft.particulars
            )
        return self.propose(
            session, row, actor, document, about=base, expected_version=expected_version, request_key=request_key,
            particulars=draft.particulars,
        )  # fmt: skip

    counter = make_offer

    def _offer_alternatives(
        self,
        session: Session,
        row: DealRow,
        actor: Actor,
        base: Offer,
        draft: Draft,
        expected_version: int | None,
        request_key: str | None,
    ) -> str:
        """Make each of the alternatives an offer, all of one group, of which the other side picks one.

        Returns the id of the first. Raises Refused NOT_ALLOWED for an amendment: a contract has one text.
        """
        if base.amends is not None:
            raise model.Refused("NOT_ALLOWED", store.load(session, row).regime)
        if draft.firm:
            head = Letterhead("", clock.now().date(), *self._parties(session, row))
            write = drafting.counter if actor.party == row.buyer_id else drafting.offer
            terms = [write(head, base.document, each) for each in draft.variants]
            self._demand(session, row, actor, Act.OFFER, dearest(terms))
        made: list[str] = []
        group = ids.new_id()
        for variant in draft.variants:
            document = self._written(session, row, actor.party, base, variant)
            # The first may be a counter, which ends what it answers; the others stand beside it.
            made.append(
                self.propose(
                    session, row, actor, document, about=base, kind=Kind.OFFER if made else None,
                    expected_version=None if made else expected_version, request_key=None if made else request_key,
                    particulars={**variant.particulars, "group": group},
                )
            )  # fmt: skip
        return made[0]

    def state_terms(
        self,
        session: Session,
        actor: Actor,
        deal_id: str,
        document: TradeDocument,
        *,
        about: str | None = None,
        expected_version: int | None = None,
        request_key: str | None = None,
        **particulars: Any,
    ) -> str:
        """State any terms at all, as a document: its number, parties and references are the hub's to write.

        As with ``make_offer`` it is a counter where ``about`` is the other side's open offer. ``particulars`` are further
        fields of the offer: ``irrevocable``, ``divisible``, ``as_is_only``, ``accept_within`` and so on.
        """
        row = self._deal(session, deal_id)
        known = self._repeated(session, row, request_key)
        if known is not None:
            return known
        negotiation = self._current(session, row, expected_version)
        base = negotiation.offer(about) if about else negotiation.offers[-1]
        own = self._headed(session, row, actor.party, base, document)
        if particulars.get("firm", True) and drafting.is_firm(own):
            self._demand(session, row, actor, Act.OFFER, own)
        if base.amends is not None:
            return self._counter_change(
                session, row, actor, base, own, expected_version, request_key, particulars=particulars
            )
        kind = Kind.AMEND if particulars.get("amends") else None
        return self.propose(
            session, row, actor, own, kind=kind, about=base, expected_version=expected_version,
            request_key=request_key, particulars=particulars,
        )  # fmt: skip

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
        lines: Sequence[tuple[str, Decimal | None]] = (),
        document: TradeDocument | None = None,
        is_awarded: bool = False,
        is_restated: bool = False,
        **said: Any,
    ) -> str:
        """Accept the other side's offer on the terms that were shown, and tell the hub; return the statement's id.

        ``lines`` limits it to some of the lines, or a part of their quantity (R22). ``document`` states terms of one's
        own: a contract where they differ immaterially, a counter-offer otherwise (R9, R10); where it is silent it agrees,
        unless ``is_restated`` says that it states all terms anew. What ``is_awarded``
        was allowed with the whole award, and a part of an indivisible offer is then no counter-offer but refused, INDIVISIBLE.
        Of several at once exactly one succeeds, the others raise Conflict (R8).
        """
        row = self._deal(session, deal_id)
        known = self._repeated(session, row, request_key)
        if known is not None:
            return known
        negotiation = store.load(session, row)
        offer = negotiation.offer(about)
        if not is_awarded:
            self._demand(session, row, actor, Act.ACCEPTANCE, document or _taken(negotiation, offer, lines))
        if lines and not offer.divisible:
            lines, part = _whole_or_part(offer, lines)
            document = document or (None if is_awarded else part)
        said |= {"terms_hash": terms_hash, "lines": tuple(lines)}
        forms = standard.battle(negotiation, offer, actor.party)
        if forms is not None and forms.knocks_out and offer.amends is None and said.get("standard_terms") is None:
            # Assent to an offer is no assent to what its terms say against one's own (UCC 2-207(3)).
            said["standard_terms"] = forms.mine
        if document is not None:
            return self._accept_with(
                session, row, actor, negotiation, offer, document, expected_version, request_key, said,
                is_restated=is_restated,
            )  # fmt: skip
        assent: TradeDocument | None = None
        if offer.amends is not None:
            assent = self._change_letter(session, row, actor.party, offer.amends, offer, offer.document, "accepted")
        elif actor.party == row.seller_id and isinstance(offer.document, Inquiry):
            assent = self._assent(session, row, offer)
        return self.say(
            session, row, actor, Kind.ACCEPT, about=about, expected_version=expected_version, request_key=request_key,
            source=assent, **said,
        )  # fmt: skip

    def _accept_with(
        self,
        session: Session,
        row: DealRow,
        actor: Actor,
        negotiation: Negotiation,
        offer: Offer,
        document: TradeDocument,
        expected_version: int | None,
        request_key: str | None,
        said: dict[str, Any],
        *,
        is_restated: bool,
    ) -> str:
        """Accept on terms of one's own. What carries them tells the partner what they are in law (R9, R10)."""
        own = self._headed(session, row, actor.party, offer, document)
        judged = judging.judge(
            negotiation, offer, own, is_restated=is_restated, is_part=bool(said["lines"]) and not offer.divisible,
            conditional=said.get("conditional", False), standard_terms=said.get("standard_terms"),
        )  # fmt: skip
        changes, stands = judged.paths, judged.stands
        letter: TradeDocument | None = None
        if offer.amends is not None:
            verdict = "accepted_with_change" if stands else "counter_offer"
            letter = self._change_letter(session, row, actor.party, offer.amends, offer, own, verdict)
            own = own.model_copy(update={"number": letter.number if letter else own.number})
        elif stands and isinstance(own, OfferDocument):
            own = own.model_copy(update={"action": "accepted_with_change" if changes else "accepted"})
        by_order = stands and offer.amends is None and actor.party == row.buyer_id
        return self.propose(
            session, row, actor, own, kind=Kind.ACCEPT, about=offer, expected_version=expected_version,
            request_key=request_key, said={**said, "changes": changes},
            particulars={"accept_by": offer.accept_by, "amends": offer.amends}, source=letter, is_ordered=by_order,
        )  # fmt: skip

    def amend(
        self,
        session: Session,
        actor: Actor,
        deal_id: str,
        document: TradeDocument | None = None,
        *,
        terminates: bool = False,
        expected_version: int | None = None,
        request_key: str | None = None,
        text: str = "",
        acceptance: str | None = None,
    ) -> str:
        """Propose other terms for the contract of the deal, or its end; the contract changes once they are accepted (R25).

        Of several contracts it is that of ``acceptance``, else the first.
        Raises Refused NO_CONTRACT where none stands.
        """
        row = self._deal(session, deal_id)
        known = self._repeated(session, row, request_key)
        if known is not None:
            return known
        negotiation = self._current(session, row, expected_version)
        contract = model.contract(negotiation, now=clock.now(), named=acceptance)
        if contract is None:
            raise model.Refused("NO_CONTRACT", negotiation.regime)
        terms = document or drafting.agreed(contract)
        own = self._headed(session, row, actor.party, contract.terms, terms)
        self._demand(session, row, actor, Act.AMENDMENT, own)
        if text.strip():
            own = own.model_copy(update={"notes": (Note(text=text.strip()),)})
        letter = self._change_letter(
            session, row, actor.party, contract.named, None, own, "cancelled" if terminates else "counter_offer"
        )
        if letter is not None:
            own = own.model_copy(update={"number": letter.number})
        return self.propose(
            session, row, actor, own, kind=Kind.AMEND, expected_version=expected_version, request_key=request_key,
            particulars={"amends": contract.named, "terminates": terminates}, source=letter,
        )  # fmt: skip

    def agreed(
        self, session: Session, deal_id: str, document: TradeDocument, *, by: PartyId, terminates: bool = False,
        acceptance: str | None = None,
    ) -> bool:  # fmt: skip
        """Note that the parties have changed their contract by the answer to its order: the seller's words, and the
        word of ``by``, the buyer, that agrees (R25). False where there is no contract to be changed.

        The buyer's word leaves where the two have agreed on a message for it; else they have told each other otherwise.
        """
        row = self._deal(session, deal_id)
        contract = model.contract(store.load(session, row), now=clock.now(), named=acceptance)
        seller = Actor(PartyId(row.seller_id), channel="order")
        if contract is None or terms_hash(drafting.agreed(contract)) == terms_hash(document):
            return False
        number = f"{document.number}-{len(store.statement_rows(session, [row.id])) + 1}"
        own = drafting.as_offer(document).model_copy(update={"number": number})
        amendment = self.propose(
            session, row, seller, own, kind=Kind.AMEND, is_ordered=True, is_told=True,
            particulars={"amends": contract.named, "terminates": terminates},
        )  # fmt: skip
        offer = store.load(session, row).offer(amendment)
        letter = self._change_letter(session, row, by, contract.named, offer, own, "accepted")
        told = letter is None or not self.hooks.carries(session, by, seller.party, letter.kind)
        self.say(
            session, row, Actor(by, channel="order"), Kind.ACCEPT, about=amendment,
            source=None if told else letter, is_told=told,
        )  # fmt: skip
        return True

    def act(
        self,
        session: Session,
        actor: Actor,
        deal_id: str,
        kind: Kind,
        about: str,
        *,
        text: str = "",
        expected_version: int | None = None,
        terms_hash: str | None = None,
        request_key: str | None = None,
    ) -> str:
        """Say what needs no words of its own: one of ``ACTS``; ``about`` is an offer's id, or an acceptance's where it is
        about that. Returns the statement's id.

        A withdrawal of what has not left yet stops it, and takes effect at once (CISG 15(2), 22).
        """
        if kind not in ACTS:
            raise ValueError(f"not an act of its own: {kind}")
        row = self._deal(session, deal_id)
        known = self._repeated(session, row, request_key)
        if known is not None:
            return known
        negotiation = store.load(session, row)
        if kind in BINDING:
            self._demand(session, row, actor, BINDING[kind], _bound_by(negotiation, kind, about))
        stopped = kind in _TAKING_BACK and self._stopped(session, negotiation, kind, about)
        letter = None if stopped else self._notice(session, row, actor.party, negotiation, kind, about, text)
        return self.say(
            session, row, actor, kind, about=about, text=text, terms_hash=terms_hash, expected_version=expected_version,
            request_key=request_key, source=letter, is_told=stopped,
        )  # fmt: skip

    def signed(self, session: Session, deal_id: str, party: PartyId, *, acceptance: str | None = None) -> None:
        """Note that a party has signed the contract, of several that of ``acceptance``; with the last signature it is
        concluded, where that is agreed (R21)."""
        row = self._deal(session, deal_id)
        negotiation = store.load(session, row)
        contract = model.contract(negotiation, now=clock.now(), named=acceptance)
        waits = contract is not None and contract.state is model.ContractState.AWAITING_CONFIRMATION
        if contract is not None and waits and negotiation.ground.formation == "signature":
            self.say(session, row, Actor(party), Kind.SIGN, about=contract.named, terms_hash=contract.terms.terms_hash)

    def award(
        self,
        session: Session,
        actor: Actor,
        inquiry_id: str,
        picks: Sequence[Pick],
        *,
        text: str = "",
        in_time: bool = False,
        request_key: str | None = None,
    ) -> tuple[str, ...]:
        """Accept what was picked of several suppliers' offers on one inquiry, and decline all others (R23).

        All of it or nothing: the other suppliers are declined because contracts stand, so an award makes none but
        contracts. Raises Refused MORE_THAN_DEMANDED where the picks of a line exceed what was asked for, INDIVISIBLE
        for a part of an offer that stands or falls as a whole (by itself that is a counter-offer, R22), and whatever
        else refuses one of the acceptances; with ``in_time`` also LAPSED, where an acceptance would be late (R14). Returns
        the ids of the statements, acceptances first.
        """
        inquiry = store.inquiry_row(session, inquiry_id)
        if inquiry is None:
            raise NotFound(inquiry_id)
        rows = store.deals_of_inquiry(session, inquiry_id, lock=True)
        self._check_demand(session, rows, Inquiry.model_validate(inquiry.document), picks)
        if in_time:
            self._demand_in_time(session, rows, picks)
        if picks:
            self._authorise(session, actor, self.award_binding(session, actor, inquiry_id, picks))
        said = []
        for pick in picks:
            if pick.deal not in rows:
                raise NotFound(pick.deal)
            key = f"{request_key}:{pick.deal}:{pick.offer}" if request_key else None
            said.append(
                self.accept(
                    session, actor, pick.deal, pick.offer, lines=pick.lines, terms_hash=pick.terms_hash,
                    request_key=key, is_awarded=True,
                )
            )  # fmt: skip
        now = clock.now()
        for deal in rows.keys() - {pick.deal for pick in picks}:
            negotiation = store.load(session, rows[deal])
            found = model.states(negotiation, now=now)
            theirs = [each for each in negotiation.offers if each.by != actor.party]
            for offer in theirs:
                if found[offer.id] is State.EFFECTIVE:
                    key = f"{request_key}:{deal}:{offer.id}" if request_key else None
                    said.append(self.reject(session, actor, deal, offer.id, text=text, request_key=key))
        return tuple(said)

    def _demand(self, session: Session, row: DealRow, actor: Actor, act: Act, document: TradeDocument) -> None:
        """Hold a person, or a token, to what its organisation lets it bind. Raises Unauthorised: NO_AUTHORITY, OVER_LIMIT
        and their like."""
        self._authorise(session, actor, binding(act, document, deal_id=row.id, partner=_other(row, actor)))

    def _demand_in_time(self, session: Session, rows: Mapping[str, DealRow], picks: Sequence[Pick]) -> None:
        """Raises Refused LAPSED where a pick's acceptance would come too late to make a contract by itself (R14)."""
        now = clock.now()
        for pick in picks:
            negotiation = store.load(session, rows[pick.deal])
            if model.states(negotiation, now=now)[negotiation.offer(pick.offer).id] is State.LAPSED:
                raise model.Refused("LAPSED", negotiation.regime)

    def award_binding(self, session: Session, actor: Actor, inquiry_id: str, picks: Sequence[Pick]) -> Binding:
        """Return the one act that an award of at least one pick is. Raises NotFound, and Refused NO_SUCH_OFFER."""
        rows = store.deals_of_inquiry(session, inquiry_id)
        if any(pick.deal not in rows for pick in picks):
            raise NotFound(inquiry_id)
        parts = []
        for pick in picks:
            row = rows[pick.deal]
            negotiation = store.load(session, row)
            document = _taken(negotiation, negotiation.offer(pick.offer), pick.lines)
            parts.append(binding(Act.AWARD, document, deal_id=row.id, partner=_other(row, actor)))
        return award(inquiry_id, parts)

    def check_award(self, session: Session, actor: Actor, inquiry_id: str, picks: Sequence[Pick]) -> None:
        """Raises Refused or NotFound where an award could not be made now, whoever may bind to it."""
        inquiry = store.inquiry_row(session, inquiry_id)
        if inquiry is None:
            raise NotFound(inquiry_id)
        rows = store.deals_of_inquiry(session, inquiry_id)
        self._check_demand(session, rows, Inquiry.model_validate(inquiry.document), picks)
        self._demand_in_time(session, rows, picks)
        now = clock.now()
        for pick in picks:
            negotiation = store.load(session, rows[pick.deal])
            offer = negotiation.offer(pick.offer)
            lines = _whole_or_part(offer, pick.lines)[0] if pick.lines and not offer.divisible else pick.lines
            said = model.Statement(
                "?", Kind.ACCEPT, actor.party, offer.id, terms_hash=pick.terms_hash, lines=tuple(lines)
            )  # fmt: skip
            refused = model.refusal(negotiation, said, now=now)
            if refused is not None:
                raise refused

    def _authorise(self, session: Session, actor: Actor, binding: Binding) -> None:
        if actor.user_id is None:
            return  # the hub itself speaks only as it was told to
        verdict = self.hooks.authorise(session, actor, binding)
        if not isinstance(verdict, Allowed):
            raise Unauthorised(verdict)

    def _check_demand(
        self, session: Session, rows: Mapping[str, DealRow], asked: Inquiry, picks: Sequence[Pick]
    ) -> None:
        demanded = model.quantities(asked)
        awarded: dict[str, Decimal] = {}
        for pick in picks:
            if pick.deal not in rows:
                raise NotFound(pick.deal)
            negotiation = store.load(session, rows[pick.deal])
            taken = model.quantities(_taken(negotiation, negotiation.offer(pick.offer), pick.lines))
            for line, quantity in taken.items():
                awarded[line] = awarded.get(line, Decimal(0)) + quantity
        if any(quantity > demanded.get(line, quantity) for line, quantity in awarded.items()):
            raise model.Refused("MORE_THAN_DEMANDED")

    def _current(self, session: Session, row: DealRow, expected_version: int | None) -> Negotiation:
        negotiation = store.load(session, row)
        if expected_version is not None and expected_version != negotiation.version:
            raise model.Conflict(expected_version, negotiation.version, negotiation.regime)
        return negotiation

    def _stopped(self, session: Session, negotiation: Negotiation, kind: Kind, about: str) -> bool:
        """Keep what is taken back from leaving, where it has not left yet."""
        wanted = about
        if kind is Kind.WITHDRAW_ACCEPTANCE:
            wanted = _acceptance_of(negotiation, about) or about
        key = store.outbox_key(session, wanted)
        if key is None and kind is Kind.WITHDRAW_ACCEPTANCE:
            order = self.hooks.order(session, wanted)
            key = store.open_order_key(session, negotiation.id, order.number if order is not None else None)
        return key is not None and self.hooks.stop(session, key)

    def _headed(
        self, session: Session, row: DealRow, by: PartyId, base: Offer, document: TradeDocument
    ) -> TradeDocument:
        """Return the terms of ``document`` as a letter of ``by`` in this deal, whatever head it came with."""
        terms = {name: getattr(document, name) for name in TradeDocument.model_fields if name not in NOT_TERMS}
        stated = {**terms, "lines": model.lines_of(document), "notes": document.notes, "dates": document.dates}
        if by == row.buyer_id:
            head = self._letterhead(session, row, "proposed_amendment", base if base.by != by else None)
            return Inquiry.model_validate({**stated, **head.fields, "attachments": document.attachments})
        action = document.action if document.action in drafting.INDICATIVE else "original"
        head = self._quote_head(session, row, base, action or "original")
        return OfferDocument.model_validate({**stated, **head.fields, "attachments": document.attachments})

    def _notice(
        self, session: Session, row: DealRow, by: PartyId, negotiation: Negotiation, kind: Kind, about: str, text: str
    ) -> TradeDocument | None:
        """Return the letter that tells the partner of an act, naming what it is about; None where none is due."""
        action = letters.ACTIONS.get(kind)
        if action is None:
            return None
        offer = _spoken_of(negotiation, about)
        accepted = _acceptance_of(negotiation, about)
        order = self.hooks.order(session, accepted) if accepted is not None else None
        if kind is Kind.WITHDRAW_ACCEPTANCE and by == row.buyer_id and order is not None:
            return letters.change(
                order, offer.document, agreed=offer.document, number=f"{order.number}-0", sequence="0",
                on=clock.now().date(), action="cancel", text=text,
            )  # fmt: skip
        if kind in _TAKING_BACK - {Kind.WITHDRAW_ACCEPTANCE}:
            references: tuple[Reference, ...] = (
                Reference(type="offer" if offer.firm else "inquiry", value=offer.number),
            )
        else:
            references = self._acceptance_reference(session, row, negotiation, about)
        if by == row.buyer_id:
            head = self._letterhead(session, row, action, offer if offer.by != by else None)
        else:
            head = self._quote_head(session, row, offer, action)
        named = {(each.type, each.value) for each in head.references}
        more = tuple(each for each in references if (each.type, each.value) not in named)
        head = replace(head, references=(*more, *head.references))
        return letters.spoken(head, offer.document, by_buyer=by == row.buyer_id, text=text)

    def _acceptance_reference(
        self, session: Session, row: DealRow, negotiation: Negotiation, about: str
    ) -> tuple[Reference, ...]:
        """Name the acceptance of an offer as its author did: by the order, or by the quotation, that carried it."""
        for said in reversed(store.statement_rows(session, [row.id])):
            if said.kind == Kind.ACCEPT and about in (said.about, said.id):
                if said.document_kind in ("order", "offer", "inquiry") and said.document_number:
                    return (Reference(type=said.document_kind, value=said.document_number),)
                order = self.hooks.order(session, said.id)
                return (Reference(type="order", value=order.number),) if order is not None else ()
        return ()

    def _counter_change(
        self,
        session: Session,
        row: DealRow,
        actor: Actor,
        base: Offer,
        own: TradeDocument,
        expected_version: int | None,
        request_key: str | None,
        particulars: Mapping[str, Any] | None = None,
    ) -> str:
        """State other terms than an amendment proposes: a counter to it, or another of one's own.

        Raises Refused NOT_ALLOWED for a divisible one: a contract has one text.
        """
        if (particulars or {}).get("divisible"):
            raise model.Refused("NOT_ALLOWED", store.load(session, row).regime)
        theirs = base if base.by != actor.party else None
        letter = self._change_letter(session, row, actor.party, base.amends, theirs, own, "counter_offer")
        if letter is not None:
            own = own.model_copy(update={"number": letter.number})
        return self.propose(
            session, row, actor, own, kind=None if theirs else Kind.AMEND, about=base, source=letter,
            expected_version=expected_version, request_key=request_key,
            particulars={"amends": base.amends, **(particulars or {})},
        )  # fmt: skip

    def _change_letter(
        self, session: Session, row: DealRow, by: PartyId, amends: str | None, theirs: Offer | None,
        terms: TradeDocument, verdict: str,
    ) -> OrderChange | OrderResponse | None:  # fmt: skip
        """Return what carries ``terms`` for the contract called ``amends``, or a word on ``theirs``: a change of its
        order, or the answer to one. None where no order was placed on it."""
        contract = model.contract(store.load(session, row), now=clock.now(), named=amends)
        order = self.hooks.order(session, contract.id) if contract is not None else None
        if order is None or not order.number:
            return None
        mine = 1 + sum(each.document_kind in _OF_CHANGES for each in store.statement_rows(session, [row.id]))
        carried = store.source_of(session, theirs.id) if theirs is not None else None
        sequence = (carried.reference("change") if carried is not None else None) or str(mine)
        agreed = drafting.agreed(contract) if contract is not None else order
        head = {
            "number": f"{order.number}-{mine}", "sequence": sequence, "on": clock.now().date(), "agreed": agreed
        }  # fmt: skip
        text = drafting.note_text(terms) if theirs is None or theirs.document is not terms else ""
        if by == row.buyer_id:
            return letters.change(order, terms, action=_CHANGE_ACTIONS.get(verdict, "change"), text=text, **head)  # type: ignore[arg-type]
        return letters.answer(order, terms, response=_ANSWERS.get(verdict, verdict), text=text, **head)  # type: ignore[arg-type]

    def reject(
        self,
        session: Session,
        actor: Actor,
        deal_id: str,
        about: str,
        *,
        text: str = "",
        with_alternatives: bool = False,
        expected_version: int | None = None,
        request_key: str | None = None,
    ) -> str:
        """Decline an offer, or an inquiry: it can no longer be accepted, a new one may follow (R7).

        Its alternatives are offers of their own, which stay open (CISG 17) unless they are declined ``with_alternatives``.
        """
        row = self._deal(session, deal_id)
        known = self._repeated(session, row, request_key)
        if known is not None:
            return known
        offer = store.load(session, row).offer(about)
        if offer.amends is not None:
            letter: TradeDocument | None = self._change_letter(
                session, row, actor.party, offer.amends, offer, offer.document, "rejected"
            )
        else:
            letter = self._refusal_of(session, row, actor.party, offer, text)
        said = self.say(
            session, row, actor, Kind.REJECT, about=about, text=text, expected_version=expected_version,
            request_key=request_key, source=letter,
        )  # fmt: skip
        for other in self._open_beside(session, row, offer) if with_alternatives else ():
            key = f"{request_key}:{other.id}" if request_key else None
            self.reject(session, actor, deal_id, other.id, text=text, request_key=key)
        return said

    def _open_beside(self, session: Session, row: DealRow, offer: Offer) -> list[Offer]:
        """Return the alternatives of an offer that are open."""
        negotiation = store.load(session, row)
        found = model.states(negotiation, now=clock.now())
        return [
            each
            for each in negotiation.offers
            if offer.group and (each.by, each.group) == (offer.by, offer.group) and found[each.id] is State.EFFECTIVE
        ]

    def comment(
        self,
        session: Session,
        actor: Actor,
        deal_id: str,
        text: str,
        *,
        about: str | None = None,
        term: str | None = None,
        is_question: bool = False,
        files: Sequence[str] = (),
        request_key: str | None = None,
    ) -> str:
        """Say something that has no effect in law (R12), of a single term where ``term`` is the path of one.

        ``files`` go with it, by SHA-256. Raises Refused NO_SUCH_TERM where neither the offer spoken of nor a later one
        has such a term, and Unfit where the deal has no such file.
        """
        row = self._deal(session, deal_id)
        known = self._repeated(session, row, request_key)
        if known is not None:
            return known
        kind = Kind.QUESTION if is_question else Kind.COMMENT
        written = text
        if term is not None:
            self._demand_term(store.load(session, row), about, term)
            written = threads.named(term, text)
        brought = attachments.named(session, row, actor.party, files)
        return self.say(
            session, row, actor, kind, about=about, text=text, term=term, request_key=request_key,
            attachments=tuple((str(each.sha256), each.name) for each in brought),
            source=self._words(session, row, actor.party, about, written, brought),
        )  # fmt: skip

    def _demand_term(self, negotiation: Negotiation, about: str | None, term: str) -> None:
        """Hold a term to the offer that is spoken of, or the latest. Raises Refused NO_SUCH_TERM."""
        offers = [negotiation.offer(about)] if about else []
        offers += negotiation.offers[: -1 - _LATEST : -1]
        if not any(threads.is_term(term, each.document) for each in offers):
            raise model.Refused("NO_SUCH_TERM", negotiation.regime)

    def _words(
        self, session: Session, row: DealRow, by: PartyId, about: str | None, text: str,
        files: tuple[Attachment, ...] = (),
    ) -> TradeDocument | None:  # fmt: skip
        """Return the letter that carries words about an offer, the latest where none is named."""
        offers = store.load(session, row).offers
        if not offers or not text.strip():
            return None
        offer = next((each for each in offers if each.id == about), offers[-1])
        if by == row.buyer_id:
            head = self._letterhead(session, row, "information", offer)
        else:
            head = self._quote_head(session, row, offer, "information")
        return letters.spoken(head, offer.document, by_buyer=by == row.buyer_id, text=text, files=files)

    def revoke(self, session: Session, actor: Actor, deal_id: str, about: str, *, expected_version: int | None) -> str:
        """Take back one's own offer where the law lets one (R6)."""
        return self.act(session, actor, deal_id, Kind.REVOKE, about, expected_version=expected_version)

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


def _invitation(head: Letterhead, draft: Draft | Inquiry) -> Inquiry:
    if isinstance(draft, Draft):
        return drafting.inquiry(head, draft)
    return Inquiry.model_validate({**dict(draft), **head.fields, "extensions": (), "heads": None})


def _other(row: DealRow, actor: Actor) -> PartyId:
    return PartyId(row.seller_id if actor.party == row.buyer_id else row.buyer_id)


def _taken(negotiation: Negotiation, offer: Offer, lines: Iterable[tuple[str, Decimal | None]]) -> TradeDocument:
    """Return what of an offer is accepted: all that is left of it, or these lines, in these quantities (None: all that is
    left). Of an offer that was accepted in part the rest alone is still to be had (R22)."""
    left: Mapping[str, Decimal] = model.quantities(offer.document)
    if offer.divisible:
        left = model.Ledger.of(negotiation, clock.now()).standings[offer.id].remaining
    wanted = dict(lines) or dict.fromkeys(left)
    amounts = {name: left.get(name, Decimal(0)) if each is None else each for name, each in wanted.items()}
    return offer.document if amounts == offer.lines else drafting.limited_to(offer.document, amounts)


def _bound_by(negotiation: Negotiation, kind: Kind, about: str) -> TradeDocument:
    """Return what an act would bind to: the part that was accepted, where it is on an acceptance, else what is left."""
    accepted = model.Ledger.of(negotiation, clock.now()).acceptance(about) if kind in model.OF_ACCEPTANCES else None
    if accepted is None:
        return _taken(negotiation, _spoken_of(negotiation, about), ())
    return drafting.limited_to(accepted.terms.document, {} if accepted.is_whole else accepted.lines)


def _whole_or_part(
    offer: Offer, lines: Sequence[tuple[str, Decimal | None]]
) -> tuple[Sequence[tuple[str, Decimal | None]], TradeDocument | None]:
    """All lines of an indivisible offer are the offer; some of them are terms of one's own, the document returned (R22).

    Raises Refused NO_SUCH_LINE.
    """
    offered = model.quantities(offer.document)
    if any(line not in offered for line, _ in lines):
        raise model.Refused("NO_SUCH_LINE")
    wanted = {line: offered[line] if amount is None else amount for line, amount in lines}
    if wanted == offered:
        return (), None
    return lines, drafting.limited_to(offer.document, wanted)


def _terms(offer: Offer) -> dict[str, object]:
    return {"currency": offer.document.currency, "lines": model.lines_of(offer.document)}


def _acceptance_of(negotiation: Negotiation, about: str) -> str | None:
    """Return the acceptance that ``about`` is, or the latest of the offer that it is; None where there is none."""
    accepts = [each for each in negotiation.statements if each.kind is Kind.ACCEPT and about in (each.id, each.about)]
    return accepts[-1].id if accepts else None


def _spoken_of(negotiation: Negotiation, about: str) -> Offer:
    """Return the offer that ``about`` is, or that the acceptance of that id accepts. Raises Refused NO_SUCH_OFFER."""
    accepted = model.Ledger.of(negotiation, clock.now()).acceptances.get(about)
    return accepted.standing.offer if accepted is not None else negotiation.offer(about)
