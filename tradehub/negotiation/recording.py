"""How anything said in a deal is recorded: one statement, what leaves because of it, and what it concludes.

People's commands (``service``) and partners' messages (``inbound``) both end here, so no channel has rules of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy.orm import Session

from tradehub.documents import Document, Order, PartyId, Quantity, TradeDocument
from tradehub.documents.in_words import MANNER, STANDARD_TERMS, YES
from tradehub.documents.lines import keyed
from tradehub.documents.parts import Party, Reference
from tradehub.documents.terms import terms_hash
from tradehub.negotiation import attachments, drafting, model, store
from tradehub.negotiation.grounds import Terms
from tradehub.negotiation.model import Contract, ContractState, Kind, Negotiation, Offer, Refused, Regime, Statement
from tradehub.negotiation.store import Circumstances, DealRow
from tradehub.partners.authority import Allowed, Binding, Forbidden, Needs, Verdict
from tradehub.partners.handling import Concluded, Left, Received
from tradehub.platform import clock, ids
from tradehub.platform.files import PayloadStore

OVERDUE_MAX = 500
"""Deals looked at in one transaction after the clock has moved them on: a second's work."""


class Outgoing(Protocol):
    """What the outbox offers."""

    def put(
        self,
        session: Session,
        document: Document,
        *,
        sender: PartyId,
        to: PartyId,
        idempotency_key: str,
        subject: str | None = None,
    ) -> str: ...


def _nothing(session: Session, concluded: Concluded) -> None:
    """Do nothing when a contract comes about: nobody follows up on it."""


def _undone(session: Session, deal: str, contract: str, at: datetime) -> None:
    """Do nothing when a contract comes to nothing after all."""


def _amended(session: Session, deal: str, contract: Contract, at: datetime) -> None:
    """Do nothing when a contract is amended."""


def _bare(session: Session, party: PartyId) -> Party:
    return Party(role="", name=str(party))


def _never(session: Session, key: str) -> bool:
    return False


def _usual(session: Session, buyer: PartyId, seller: PartyId) -> Terms:
    return Terms()


def _no_order(session: Session, acceptance: str) -> Order | None:
    return None


def _unordered(session: Session, acceptance: str, order: Order, received: Received) -> None:
    """Do nothing when the buyer's order on a contract comes that our acceptance made."""


def _always(session: Session, sender: PartyId, to: PartyId, kind: str) -> bool:
    return True


class Misfit(NamedTuple):
    """What in a document a message cannot hold, in the reader's language; ``values`` are those of its values that are at
    fault, each with the reason, as far as they are known."""

    what: str
    values: tuple[tuple[str, str], ...] = ()


def _fits(session: Session, document: Document, sender: PartyId, to: PartyId) -> Misfit | None:
    return None


class NotFound(Exception):
    """No such deal, inquiry or round, or none that the session's organisation may see."""


class Unauthorised(Refused):
    """The organisation's own rules do not let the actor bind it so. ``verdict`` says why, and who may approve it."""

    def __init__(self, verdict: Needs | Forbidden) -> None:
        super().__init__(verdict.code)
        self.verdict = verdict
        self.rule, self.article = verdict.rule, verdict.article


class Unsendable(Refused):
    """What the other side takes by message could not state this as it was stated here (R4: an offer has to reach whom it
    is made to, and reaches as what it says). ``to`` is whom by name, ``what`` the terms or the fault, ``values`` as in
    ``Misfit``."""

    def __init__(self, to: str, misfit: Misfit, regime: Regime | None = None) -> None:
        what, self.values = misfit
        self.code, self.rule, self.to, self.what = "UNSENDABLE", "R4", to, what
        self.article = model.article(self.rule, regime)
        Exception.__init__(self, f"{self.code} ({self.rule}, {self.article}): {to}: {what}")


@dataclass(frozen=True)
class Actor:
    """Who speaks: a person for a party, or the party's own system by a message.

    ``sent_at`` is when the message was dispatched, where that is proven, ``claimed_at`` what it says of that.
    ``approval`` is the approved request that is being carried out.
    """

    party: PartyId
    user_id: str | None = None
    name: str | None = None
    channel: str = "web"
    message_id: str | None = None
    sent_at: datetime | None = None
    claimed_at: datetime | None = None
    approval: str | None = None


def _at_will(session: Session, row: DealRow, party: PartyId) -> None:
    """Let a party state terms when it likes."""


def _anybody(session: Session, actor: Actor, binding: Binding) -> Verdict:
    return Allowed()


@dataclass(frozen=True)
class Hooks:
    """What negotiation asks of the rest of the hub, and what it tells it in the transaction of a statement.

    ``terms`` is asked when a deal is opened. ``stop`` keeps what leaves under a key from leaving, where it has not.
    ``before`` may refuse that a party states terms in a deal. ``authorise`` says whether an actor may bind the party.
    ``order`` is the order placed on the contract of an acceptance, ``on_ordered`` is told of the buyer's own on one;
    ``carries`` says whether two agreed to exchange a kind of document, ``misfit`` what in a document their message cannot
    hold; None where all of it can.
    """

    is_web: Callable[[Session, PartyId], bool]
    on_concluded: Callable[[Session, Concluded], None] = _nothing
    party: Callable[[Session, PartyId], Party] = _bare
    terms: Callable[[Session, PartyId, PartyId], Terms] = _usual
    on_awaiting: Callable[[Session, Concluded], None] = _nothing
    on_undone: Callable[[Session, str, str, datetime], None] = _undone
    on_amended: Callable[[Session, str, Contract, datetime], None] = _amended
    stop: Callable[[Session, str], bool] = _never
    order: Callable[[Session, str], Order | None] = _no_order
    on_ordered: Callable[[Session, str, Order, Received], None] = _unordered
    carries: Callable[[Session, PartyId, PartyId, str], bool] = _always
    misfit: Callable[[Session, Document, PartyId, PartyId], Misfit | None] = _fits
    authorise: Callable[[Session, Actor, Binding], Verdict] = _anybody
    before: Callable[[Session, DealRow, PartyId], None] = _at_will


class Recorder:
    """Everything takes the caller's write session: state, statement and outgoing messages are its one transaction."""

    def __init__(self, outbox: Outgoing, hooks: Hooks, payloads: PayloadStore | None = None) -> None:
        self.outbox = outbox
        self.hooks = hooks
        self.payloads = payloads

    def open_deal(
        self,
        session: Session,
        *,
        buyer: PartyId,
        seller: PartyId,
        document: TradeDocument,
        numbered_by: PartyId,
        inquiry_id: str | None = None,
    ) -> DealRow:
        now = clock.now()
        names = [self.hooks.party(session, each).name or each for each in (buyer, seller)]
        terms = self.hooks.terms(session, buyer, seller)
        title = _title(document)
        number = f"N-{now.year}-{store.next_number(session, numbered_by, 'deal'):04d}"
        row = DealRow(
            id=ids.new_id(), number=number, inquiry_id=inquiry_id, inquiry_number=document.number, title=title,
            buyer_id=buyer, seller_id=seller, regime=terms.regime, ground=terms.stored(), state="open", version=0,
            head=store.FIRST, length=0, created_at=now, updated_at=now,
            words=" ".join([number, title, *names, *map(drafting.item_number, model.lines_of(document))]).casefold(),
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row

    def _deal(self, session: Session, deal_id: str) -> DealRow:
        """Return the deal, locked until the transaction ends. Raises NotFound."""
        row = store.deal_row(session, deal_id, lock=True)
        if row is None:
            raise NotFound(deal_id)
        return row

    def propose(
        self,
        session: Session,
        row: DealRow,
        actor: Actor,
        document: TradeDocument,
        *,
        kind: Kind | None = None,
        about: Offer | None = None,
        expected_version: int | None = None,
        request_key: str | None = None,
        source: TradeDocument | None = None,
        at: datetime | None = None,
        particulars: Mapping[str, Any] | None = None,
        said: Mapping[str, Any] | None = None,
        order: Order | None = None,
        is_ordered: bool = False,
        is_told: bool = False,
    ) -> str:
        """Record a proposal, send it if the other side trades by message; return its id.

        A proposal is an inquiry, offer, counter or amendment, or an acceptance that states its own terms.
        ``particulars`` are further fields of the offer, ``said`` of the statement. ``source`` is the document that carries
        it where that is not ``document`` itself; ``is_ordered``: the order on the contract carries it, and nothing else.
        Raises Unfit where it names files that the deal does not have.
        """
        self.hooks.before(session, row, actor.party)
        if actor.channel != "message":
            document = attachments.held_to(session, row, actor.party, document)
        negotiation = store.load(session, row)
        now = _moment(negotiation, at)
        id = ids.new_id()
        firm = kind is not Kind.INQUIRY and drafting.is_firm(document)
        usual = {
            "firm": firm,
            "parent": about.id if about else None,
            "accept_by": _last_moment(negotiation, document, actor.party, (particulars or {}).get("amends"), now),
            "revision": 1 + sum(each.number == (document.number or id) for each in negotiation.offers),
        }
        offer = Offer.of(id, actor.party, document, terms_hash(document), **{**usual, **(particulars or {})})
        statement = Statement(
            id=id, kind=kind or _kind(negotiation, about, actor, firm, now), by=actor.party, about=offer.parent,
            offer=offer, text=drafting.note_text(document), expected_version=expected_version, **(said or {}),
        )  # fmt: skip
        carrier = None if is_ordered else source or document
        return self._record(
            session, row, negotiation, statement, actor, request_key, carrier, now, order, is_told=is_told
        )

    def say(
        self,
        session: Session,
        row: DealRow,
        actor: Actor,
        kind: Kind,
        *,
        about: str | None = None,
        request_key: str | None = None,
        source: TradeDocument | None = None,
        at: datetime | None = None,
        order: Order | None = None,
        is_told: bool = False,
        **particulars: Any,
    ) -> str:
        """Record any other statement and send ``source`` with it where it came from our side; return its id.

        ``particulars`` are further fields of the statement. ``order`` is the buyer's own that carries an acceptance.
        ``is_told``: the other side knows of it already, by a way that the hub does not see.
        """
        negotiation = store.load(session, row)
        statement = Statement(id=ids.new_id(), kind=kind, by=actor.party, about=about, **particulars)
        now = _moment(negotiation, at)
        return self._record(
            session, row, negotiation, statement, actor, request_key, source, now, order, is_told=is_told
        )

    def note(
        self,
        session: Session,
        row: DealRow,
        kind: Kind,
        about: str,
        at: datetime,
        *,
        tried_at: datetime | None = None,
    ) -> None:
        """Record what the hub learnt of a statement on its way: that it reached, or that it could not.

        ``tried_at`` is when its message was first handed over to be carried: in time, it was delayed on its way where it
        reached too late (CISG 21(2)).
        """
        negotiation = store.load(session, row)
        now = _moment(negotiation, at)
        said = next((each for each in negotiation.statements if each.id == about), None)
        delayed = said is not None and kind is Kind.REACH and _was_delayed(negotiation, said, tried_at, now)
        statement = Statement(id=ids.new_id(), kind=kind, about=about, delayed=delayed)
        after = model.step(negotiation, statement, now=now)
        store.record(session, row, negotiation, after, Circumstances(channel="hub"))
        self._follow(session, row, _known(negotiation, now), after, now)

    def pass_time(self, session: Session, limit: int = OVERDUE_MAX) -> int:
        """Look at the deals that the clock alone has moved on, and tell the hub of contracts that silence, or the end of
        a time to object, brought about. Returns how many there were; what stands is computed whether or not this runs."""
        now = clock.now()
        rows = store.overdue(session, now, limit)
        for row in rows:
            negotiation = store.load(session, row)
            self._follow(session, row, _known(negotiation, row.seen_at or row.updated_at), negotiation, now)
            store.look_again(session, row, negotiation, now)
        return len(rows)

    def _agreed(
        self,
        session: Session,
        row: DealRow,
        negotiation: Negotiation,
        contract: Contract,
        at: datetime,
        order: Order | None,
    ) -> Concluded:
        """Return what the rest of the hub is told of a contract."""
        document = drafting.agreed(contract)
        ordered = contract.offer.document if isinstance(contract.offer.document, Order) else None
        carried = store.source_of(session, contract.id)
        if isinstance(carried, Order):
            ordered = carried
        elif ordered is not None and contract.lines:
            ordered = ordered.model_copy(update={"lines": model.lines_of(document), "total": None})
        return Concluded(
            deal_id=row.id,
            inquiry=row.inquiry_number if row.inquiry_id or ordered is None else None,
            buyer=PartyId(row.buyer_id),
            seller=PartyId(row.seller_id),
            offer=drafting.as_offer(document).model_copy(update={"number": contract.offer.number}),
            terms_hash=terms_hash(document) if contract.lines else contract.terms.terms_hash,
            at=at,
            accepted_by=contract.accepted_by,
            order=order or ordered,
            contract=contract.id,
            state=str(contract.state),
            left=_left(negotiation, contract, at),
            standard_terms=store.standard_terms_of(session, contract.id),
        )

    def _record(
        self,
        session: Session,
        row: DealRow,
        negotiation: Negotiation,
        statement: Statement,
        actor: Actor,
        request_key: str | None,
        source: TradeDocument | None,
        now: datetime,
        order: Order | None = None,
        is_told: bool = False,
    ) -> str:
        to = negotiation.other(actor.party)
        at_once = is_told or actor.channel == "message" or self.hooks.is_web(session, to)
        statement = replace(
            statement, reached_at=now if at_once else None, sent_at=actor.sent_at, claimed_at=actor.claimed_at,
            delayed=statement.delayed or _was_delayed(negotiation, statement, actor.sent_at, now),
        )  # fmt: skip
        after = model.step(negotiation, statement, now=now)
        leaves = None if at_once or source is None else _on_terms(source, statement)
        if leaves is not None and actor.user_id is not None:  # nobody else is there to state it otherwise
            self._demand_fit(session, leaves, actor.party, to, negotiation)
        key = None if leaves is None else f"deal:{row.id}:{statement.id}"
        how = Circumstances(
            channel=actor.channel, user_id=actor.user_id, user_name=actor.name, message_id=actor.message_id,
            outbox_key=key, request_key=request_key, source=source,
        )  # fmt: skip
        store.record(session, row, negotiation, after, how)
        attachments.sent(session, row.id, actor.party, _files(statement))
        if leaves is not None and key is not None:
            self.outbox.put(session, leaves, sender=actor.party, to=to, idempotency_key=key, subject=row.id)
        self._follow(session, row, _known(negotiation, now), after, now, order)
        return statement.id

    def _demand_fit(
        self, session: Session, document: TradeDocument, sender: PartyId, to: PartyId, negotiation: Negotiation
    ) -> None:
        """Put nothing on record that the other side could not be told as it stands. Raises Unsendable."""
        misfit = self.hooks.misfit(session, document, sender, to)
        if misfit is not None:
            raise Unsendable(self.hooks.party(session, to).name or str(to), misfit, negotiation.regime)

    def _follow(
        self,
        session: Session,
        row: DealRow,
        known: dict[str, Contract],
        after: Negotiation,
        now: datetime,
        order: Order | None = None,
    ) -> None:
        """Pass on what a statement, or time, brought about: contracts, new versions of one, and contracts undone."""
        binding = _BINDING if after.ground.formation == "agreement" else _SIGNED

        def binds(contract: Contract | None) -> bool:
            return contract is not None and contract.state in binding

        for contract in model.contracts(after, now=now):
            was = known.pop(contract.id, None)
            if binds(contract) and not binds(was):
                self.hooks.on_concluded(session, self._agreed(session, row, after, contract, now, order))
            elif _awaits(contract) and not _awaits(was):
                self.hooks.on_awaiting(session, self._agreed(session, row, after, contract, now, order))
            elif was is not None and binds(was) and not contract.is_live:
                self.hooks.on_undone(session, row.id, contract.id, now)
            elif was is not None and contract.version > was.version:
                self.hooks.on_amended(session, row.id, contract, now)
        for gone in known.values():
            if binds(gone):
                self.hooks.on_undone(session, row.id, gone.id, now)


def _left(negotiation: Negotiation, contract: Contract, at: datetime) -> Left | None:
    """Return what is left of an offer that was accepted in part; None of one that was accepted as a whole."""
    if not contract.lines:
        return None
    ledger = model.Ledger.of(negotiation, at)
    standing, lines = ledger.standings[contract.offer.id], keyed(model.lines_of(contract.offer.document))
    is_open = standing.state is model.State.EFFECTIVE
    rest = {
        name: Quantity(value=value, unit=quantity.unit)
        for name, value in (standing.remaining if is_open else {}).items()
        if (quantity := lines[name].quantity) is not None
    }
    return Left(rest, ledger.deadline(contract.offer))


def _on_terms(document: TradeDocument, statement: Statement) -> TradeDocument:
    """Return what carries a statement, with the references by which it says how an offer may be accepted, and which
    standard terms of its author are part of it."""
    offer = statement.offer
    named = statement.standard_terms or (offer.standard_terms if offer else None)
    beside = [Reference(type=STANDARD_TERMS, value=named)] if named else []
    beside += [Reference(type=each, value=YES) for each in MANNER if offer is not None and getattr(offer, each)]
    return document.model_copy(update={"references": (*document.references, *beside)}) if beside else document


def _files(statement: Statement) -> list[str]:
    proposed = statement.offer.document.attachments if statement.offer is not None else ()
    return [*(digest for digest, _ in statement.attachments), *(each.sha256 for each in proposed if each.sha256)]


def _known(negotiation: Negotiation, now: datetime) -> dict[str, Contract]:
    return {each.id: each for each in model.contracts(negotiation, now=now)}


def _awaits(contract: Contract | None) -> bool:
    return contract is not None and contract.state is ContractState.AWAITING_CONFIRMATION


_SIGNED = frozenset({ContractState.CONCLUDED, ContractState.TERMINATED})
"""Contracts that are acted on where both must sign or confirm first (R21)."""

_BINDING = _SIGNED | {ContractState.AWAITING_REACH, ContractState.CONCLUDED_OBJECTABLE}
"""Contracts that are acted on: an acceptance on its way is, for what carries it to a message partner is the order."""


def _last_moment(
    negotiation: Negotiation, document: TradeDocument, by: PartyId, amends: str | None, now: datetime
) -> datetime | None:
    """Return until when a proposal may be accepted, as it says.

    What amends a contract repeats the terms agreed, and among them the last day of the offer that they came from. Once
    that has passed it says nothing of the amendment.
    """
    until = model.accept_by(document, negotiation.calendar(by).zone)
    if amends is None or until is None or until > now:
        return until
    contract = model.contract(negotiation, now=now, named=amends)
    is_repeated = contract is not None and model.accept_by(contract.terms.document) == model.accept_by(document)
    return None if is_repeated else until


def _kind(negotiation: Negotiation, about: Offer | None, actor: Actor, firm: bool, now: datetime) -> Kind:
    """A firm answer to an offer that is still open is a counter (R11); to anything else it is an offer of its own."""
    if about is None or not firm or about.by == actor.party:
        return Kind.OFFER
    alive = model.states(negotiation, now=now).get(about.id) is model.State.EFFECTIVE
    return Kind.COUNTER if alive else Kind.OFFER


def _was_delayed(negotiation: Negotiation, statement: Statement, sent_at: datetime | None, now: datetime) -> bool:
    """Whether an acceptance that comes too late is known to have been dispatched in time."""
    if statement.kind is not Kind.ACCEPT or sent_at is None or statement.about is None:
        return False
    until = model.deadline(negotiation, negotiation.offer(statement.about), now=now)
    return until is not None and sent_at <= until < now


def _moment(negotiation: Negotiation, at: datetime | None) -> datetime:
    """Return when the statement counts: as received, but never before what is already on record."""
    now = at or clock.now()
    return max(now, negotiation.statements[-1].at) if negotiation.statements else now


def _title(document: TradeDocument) -> str:
    lines = model.lines_of(document)
    if not lines:
        return document.number or ""
    more = f" +{len(lines) - 1}" if len(lines) > 1 else ""
    return drafting.item_label(lines[0]) + more
