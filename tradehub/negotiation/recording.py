"""How anything said in a deal is recorded: one statement, what leaves because of it, and what it concludes.

People's commands (``service``) and partners' messages (``inbound``) both end here, so no channel has rules of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from sqlalchemy.orm import Session

from tradehub.documents import Document, Order, PartyId, TradeDocument
from tradehub.documents.parts import Party
from tradehub.documents.terms import terms_hash
from tradehub.negotiation import drafting, model, store
from tradehub.negotiation.model import Kind, Negotiation, Offer, Statement
from tradehub.negotiation.store import Circumstances, DealRow
from tradehub.partners.authority import Allowed, Binding, Verdict
from tradehub.partners.handling import Concluded
from tradehub.platform import clock, ids


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


def _bare(session: Session, party: PartyId) -> Party:
    return Party(role="", name=str(party))


class NotFound(Exception):
    """No such deal, inquiry or round, or none that the session's organisation may see."""


@dataclass(frozen=True)
class Actor:
    """Who speaks: a person for a party, or the party's own system by a message.

    ``approval`` is the approved request that is being carried out.
    """

    party: PartyId
    user_id: str | None = None
    name: str | None = None
    channel: str = "web"
    message_id: str | None = None
    approval: str | None = None


def _anybody(session: Session, actor: Actor, binding: Binding) -> Verdict:
    return Allowed()


@dataclass(frozen=True)
class Hooks:
    """What negotiation asks of the rest of the hub. ``authorise`` says whether an actor may bind the party."""

    is_web: Callable[[Session, PartyId], bool]
    on_concluded: Callable[[Session, Concluded], None] = _nothing
    party: Callable[[Session, PartyId], Party] = _bare
    authorise: Callable[[Session, Actor, Binding], Verdict] = _anybody


class Recorder:
    """Everything takes the caller's write session: state, statement and outgoing messages are its one transaction."""

    def __init__(self, outbox: Outgoing, hooks: Hooks) -> None:
        self.outbox = outbox
        self.hooks = hooks

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
        title = _title(document)
        number = f"N-{now.year}-{store.next_number(session, numbered_by, 'deal'):04d}"
        row = DealRow(
            id=ids.new_id(), number=number, inquiry_id=inquiry_id, inquiry_number=document.number, title=title,
            buyer_id=buyer, seller_id=seller, regime="CISG", reasonable_days=14, state="open", version=0,
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
    ) -> str:
        """Record an inquiry, offer or counter, send it if the other side trades by message; return its id."""
        negotiation = store.load(session, row)
        now = _moment(negotiation, at)
        id = ids.new_id()
        firm = kind is not Kind.INQUIRY and drafting.is_firm(document)
        offer = Offer(
            id=id, by=actor.party, document=document, terms_hash=terms_hash(document), firm=firm,
            accept_by=model.accept_by(document), parent=about.id if about else None,
            revision=1 + sum(each.number == (document.number or id) for each in negotiation.offers),
        )  # fmt: skip
        statement = Statement(
            id=id, kind=kind or _kind(negotiation, about, actor, firm, now), by=actor.party, about=offer.parent,
            offer=offer, text=drafting.note_text(document), expected_version=expected_version,
        )  # fmt: skip
        return self._record(session, row, negotiation, statement, actor, request_key, source or document, now)

    def say(
        self,
        session: Session,
        row: DealRow,
        actor: Actor,
        kind: Kind,
        *,
        about: str | None = None,
        text: str = "",
        terms_hash: str | None = None,
        expected_version: int | None = None,
        request_key: str | None = None,
        source: TradeDocument | None = None,
        at: datetime | None = None,
    ) -> str:
        """Record any other statement and send ``source`` with it where it came from our side; return its id."""
        negotiation = store.load(session, row)
        statement = Statement(
            id=ids.new_id(), kind=kind, by=actor.party, about=about, text=text, terms_hash=terms_hash,
            expected_version=expected_version,
        )  # fmt: skip
        now = _moment(negotiation, at)
        return self._record(session, row, negotiation, statement, actor, request_key, source, now)

    def note(self, session: Session, row: DealRow, kind: Kind, about: str, at: datetime) -> None:
        """Record what the hub learnt of a statement on its way: that it reached, or that it could not."""
        negotiation = store.load(session, row)
        statement = Statement(id=ids.new_id(), kind=kind, about=about)
        after = model.step(negotiation, statement, now=_moment(negotiation, at))
        store.record(session, row, negotiation, after, Circumstances(channel="hub"))

    def conclude(
        self, session: Session, row: DealRow, offer: Offer, by: PartyId, at: datetime, order: Order | None = None
    ) -> None:
        """Tell the rest of the hub that a contract has come about."""
        ordered = offer.document if isinstance(offer.document, Order) else None
        self.hooks.on_concluded(
            session,
            Concluded(
                deal_id=row.id,
                inquiry=row.inquiry_number if row.inquiry_id or ordered is None else None,
                buyer=PartyId(row.buyer_id),
                seller=PartyId(row.seller_id),
                offer=drafting.as_offer(offer.document),
                terms_hash=offer.terms_hash,
                at=at,
                accepted_by=by,
                order=order or ordered,
            ),
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
    ) -> str:
        to = negotiation.other(actor.party)
        at_once = actor.channel == "message" or self.hooks.is_web(session, to)
        statement = replace(statement, reached_at=now if at_once else None)
        after = model.step(negotiation, statement, now=now)
        leaves = None if at_once or source is None else source
        key = None if leaves is None else f"deal:{row.id}:{statement.id}"
        how = Circumstances(
            channel=actor.channel, user_id=actor.user_id, user_name=actor.name, message_id=actor.message_id,
            outbox_key=key, request_key=request_key, source=source,
        )  # fmt: skip
        store.record(session, row, negotiation, after, how)
        if leaves is not None and key is not None:
            self.outbox.put(session, leaves, sender=actor.party, to=to, idempotency_key=key, subject=row.id)
        return statement.id


def _kind(negotiation: Negotiation, about: Offer | None, actor: Actor, firm: bool, now: datetime) -> Kind:
    """A firm answer to an offer that is still open is a counter (R11); to anything else it is an offer of its own."""
    if about is None or not firm or about.by == actor.party:
        return Kind.OFFER
    alive = model.states(negotiation, now=now).get(about.id) is model.State.EFFECTIVE
    return Kind.COUNTER if alive else Kind.OFFER


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
