"""Use cases of ordering: place an order, take in a response to it, decide on the response, follow its fulfilment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from tradehub.documents import Document, Order, OrderResponse, TradeDocument
from tradehub.documents.amounts import balance, net_amount, rounded
from tradehub.documents.base import digest
from tradehub.documents.in_words import STANDARD_TERMS
from tradehub.documents.lines import keyed, order_number
from tradehub.documents.parts import Money, Party, PartyId, Reference
from tradehub.documents.terms import NOT_TERMS, Change, terms_hash
from tradehub.ordering.answers import Answer, changes_of, classify, proposed, stated_answer
from tradehub.ordering.drafting import agreed_dates, left_open, order_from, response_to
from tradehub.ordering.model import (
    DECIDABLE,
    Balance,
    Decision,
    Delivery,
    Refused,
    Standing,
    move,
    together,
)
from tradehub.ordering.store import OrderEventRow, OrderLineRow, OrderResponseRow, OrderRow, OrderVersionRow
from tradehub.partners.authority import Act, Allowed, Asker, Binding, Forbidden, Needs, Verdict
from tradehub.partners.handling import Concluded, Handled, OrderFacts, Progress, Received, Refusal
from tradehub.platform import audit, clock, paging
from tradehub.platform.ids import new_id
from tradehub.platform.numbers import next_number
from tradehub.platform.outbox import Outbox

PAGE_SIZE = 50
"""Orders on one page of the list."""

_PROPOSING = frozenset({Answer.CHANGES, Answer.COUNTER})
"""Answers that propose other terms for the contract; a rejection binds nobody to anything new."""

UNSETTLED = (Standing.CHANGES_PROPOSED, Standing.COUNTERED, Standing.REJECTED, Standing.UNCLEAR)


class Unauthorised(Exception):
    """The organisation's own rules do not let who acts bind it so. ``verdict`` says why, and who may approve it."""

    def __init__(self, verdict: Needs | Forbidden) -> None:
        self.verdict = verdict
        super().__init__(verdict.code)


class Conflict(Exception):
    """The order has changed since the page was shown."""


@dataclass(frozen=True)
class Answered:
    """What the seller puts into the confirmation form; by line number, only what differs from the order."""

    answer: Answer
    quantities: dict[str, Decimal]
    prices: dict[str, Decimal]
    days: dict[str, date]
    text: str | None = None


@dataclass(frozen=True)
class Found:
    """One page of the list: the orders, how many there are in all, and how many each filter has."""

    orders: Sequence[OrderRow]
    total: int
    counts: dict[str, int]


FILTERS: dict[str, ColumnElement[bool] | None] = {
    "all": None,
    "awaiting": OrderRow.standing.in_((Standing.AWAITING, Standing.RECEIVED)),
    "decide": OrderRow.standing.in_(UNSETTLED),
    "deliver": OrderRow.delivery.in_((Delivery.OPEN, Delivery.PARTLY)),
    "invoice": OrderRow.billing.in_((Delivery.OPEN, Delivery.PARTLY)),
    "differences": OrderRow.has_differences.is_(True),
}
"""Filters of the list by their name in its address."""


class OrderingService:
    """``is_web`` says whether a party works on our pages, so needs no message; ``party_of`` gives its names and ids.

    ``on_contract(session, acceptance, event, at)`` is told what happens to the contract (performed, completed,
    terminated), ``on_amended(session, order_id, acceptance, order, by, at)`` the terms agreed on after its conclusion.
    ``authorise`` says whether somebody may bind the organisation to other terms than those ordered on.
    """

    def __init__(
        self,
        outbox: Outbox,
        *,
        is_web: Callable[[Session, PartyId], bool],
        party_of: Callable[[Session, PartyId], Party],
        on_contract: Callable[[Session, str, str, datetime], None] | None = None,
        on_amended: Callable[[Session, str, str, Order, PartyId, datetime], None] | None = None,
        authorise: Callable[[Session, Asker, Binding], Verdict] | None = None,
    ) -> None:
        self.outbox = outbox
        self.is_web = is_web
        self.party_of = party_of
        self.on_contract = on_contract or (lambda session, acceptance, event, at: None)
        self.on_amended = on_amended or (lambda session, order_id, acceptance, order, by, at: None)
        self.authorise = authorise or (lambda session, asker, binding: Allowed())

    # Placing -------------------------------------------------------------------------------------------------------

    def place(self, session: Session, concluded: Concluded, *, instead_of: str | None = None) -> str:
        """Store the order on a contract and return its id; once per acceptance. What must leave is in the outbox.

        ``instead_of`` is the acceptance that came to nothing, where this one takes up what it had ordered.
        """
        known = self.of_acceptance(session, concluded.acceptance)
        if known is None and instead_of is not None:
            known = self.of_acceptance(session, instead_of)
        if known is not None:
            if known.stands is Standing.CANCELLED:
                self._place_again(session, known, concluded)
            return known.id
        order = _on_terms(self._document(session, concluded), concluded)
        row = _stored(order, concluded)
        session.add(row)
        session.flush()
        self._record(session, row, "placed", by=concluded.buyer, at=concluded.at, number=row.number)
        self._tell(session, row, order, concluded)
        return row.id

    def adopt(
        self, session: Session, acceptance: str, order: Order, *, at: datetime, message_id: str | None = None
    ) -> None:
        """Take over the buyer's own number and document of an order that was placed by the seller's acceptance.

        Its terms are those agreed on; what it would change is proposed, not done. Once answered it needs no answer again.
        """
        row = self.of_acceptance(session, acceptance)
        if row is None or not order.number or row.number == order.number:
            return
        before, row.number = row.number, order.number
        row.search_text = f"{row.search_text} {order.number}".casefold()
        parties = order.parties or row.order.parties
        version = row.versions[-1]
        adopted = row.order.model_copy(
            update={
                "number": order.number, "issued_on": order.issued_on, "parties": parties,
                "references": order.references,
            }
        )  # fmt: skip
        version.document = adopted.model_dump(mode="json")
        row.revision += 1
        buyer, seller = PartyId(row.buyer), PartyId(row.seller)
        self._record(
            session, row, "numbered", by=buyer, at=at, number=order.number, state=before, message_id=message_id
        )
        if not self.is_web(session, buyer):
            self._respond(session, row, Answered(Answer.ACCEPTED, {}, {}, {}), by=seller, at=at)

    def _place_again(self, session: Session, row: OrderRow, concluded: Concluded) -> None:
        """A contract came about after an earlier one of this deal came to nothing: its order stands on the new terms."""
        made = self._document(session, concluded) if concluded.order is not None else None
        order = made or order_from(
            concluded.offer, number=row.number, issued_on=concluded.at.date(), inquiry=concluded.inquiry,
            buyer=self.party_of(session, concluded.buyer), seller=self.party_of(session, concluded.seller),
        ).model_copy(update={"action": "replace"})  # fmt: skip
        row.number, row.standing = order.number or row.number, Standing.AWAITING
        row.acceptance = concluded.acceptance
        for line in row.lines:
            line.cancelled = Decimal(0)
        if row.versions[-1].terms_hash != terms_hash(order):
            self._renew(row, order, by=concluded.accepted_by, at=concluded.at)
        row.revision += 1
        self._record(session, row, "placed", by=concluded.buyer, at=concluded.at, number=row.number)
        if concluded.order is None and not self.is_web(session, concluded.seller):
            self._put(session, row, order, sender=concluded.buyer, key=f"order:{row.id}:{row.revision}")

    def _document(self, session: Session, concluded: Concluded) -> Order:
        if concluded.order is not None and concluded.order.number:
            return concluded.order
        day = concluded.at.date()
        if concluded.order is None and concluded.offer.number and not self.is_web(session, concluded.buyer):
            # the buyer numbers its orders itself: until its own comes, this one goes by the number of its proposal
            number = self._free_number(session, concluded.buyer, concluded.offer.number)
        else:
            number = self._next_number(session, concluded.buyer, day)
        if concluded.order is not None:
            return concluded.order.model_copy(update={"number": number})
        return order_from(
            concluded.offer,
            number=number,
            issued_on=day,
            inquiry=concluded.inquiry,
            buyer=self.party_of(session, concluded.buyer),
            seller=self.party_of(session, concluded.seller),
        )

    @staticmethod
    def _free_number(session: Session, buyer: PartyId, number: str) -> str:
        """Return the number, or with -2, -3 and so on where the offer's other parts were ordered under it (R22)."""
        of_buyer = select(OrderRow.number).where(OrderRow.buyer == buyer)
        taken = set(session.scalars(of_buyer.where(OrderRow.number.startswith(number, autoescape=True))))
        numbers = (number, *(f"{number}-{place}" for place in range(2, len(taken) + 2)))
        return next(each for each in numbers if each not in taken)

    @staticmethod
    def _next_number(session: Session, buyer: PartyId, day: date) -> str:
        return f"PO-{day.year}-{next_number(session, f'order:{buyer}:{day.year}'):05d}"

    def _tell(self, session: Session, row: OrderRow, order: Order, concluded: Concluded) -> None:
        """Send the order to a seller who trades by message; answer one that a buyer sent by message."""
        if concluded.order is None:
            if not self.is_web(session, concluded.seller):
                self._put(session, row, order, sender=concluded.buyer, key=f"order:{row.id}")
        elif not self.is_web(session, concluded.buyer):
            # an order whose changes may still be objected to is only received: assent would give that up
            is_open = concluded.state == "concluded_objectable"
            text = left_open(concluded.left, concluded.offer.number) if concluded.left is not None else None
            answered = Answered(Answer.RECEIVED if is_open else Answer.ACCEPTED, {}, {}, {}, text)
            self._respond(session, row, answered, by=concluded.seller, at=concluded.at)

    def _put(self, session: Session, row: OrderRow, document: Document, *, sender: PartyId, key: str) -> None:
        to = PartyId(row.seller if sender == row.buyer else row.buyer)
        self.outbox.put(session, document, sender=sender, to=to, idempotency_key=key, subject=row.deal_id)

    # Responses -----------------------------------------------------------------------------------------------------

    def receive_order_response(self, session: Session, document: Document, received: Received) -> Handled:
        """Attach a seller's response to the buyer's order that it names; the handler of ``order_response``."""
        if not isinstance(document, OrderResponse):
            raise TypeError(f"not an order response: {document.kind}")
        number = order_number(document) or document.number
        row = self._row_by_number(session, received.owner, received.partner, number)
        if row is None:
            return Handled(refusal=Refusal("ORDER_UNKNOWN", None, f"No order {number or '(no number)'} between us."))
        double = _double(row, document)
        if double is not None:
            return double
        answered = self._take(
            session, row, document, by=received.partner, at=received.received_at, message_id=received.message_id
        )
        return Handled(deal=row.deal_id, subject=answered.id)

    def respond(
        self,
        session: Session,
        order_id: str,
        answered: Answered,
        *,
        by: PartyId,
        expected_revision: int,
        asker: Asker | None = None,
    ) -> OrderResponseRow:
        """Answer an order as its seller, by form. Raises Refused for others, Conflict when the order moved on.

        An answer with other terms proposes to change the contract: ``asker`` is held to what the organisation lets
        it bind. Raises Unauthorised.
        """
        row = self.row(session, order_id, for_update=True)
        if row.seller != by:
            raise Refused("NOT_SELLER")
        if row.stands is Standing.CANCELLED:
            raise Refused("CANCELLED")
        if row.revision != expected_revision:
            raise Conflict(order_id)
        response = self.draft_response(row, answered, issued_on=clock.now().date())
        if classify(row.order, response) in _PROPOSING:
            self._demand(session, row, proposed(row.order, response), asker)
        return self._respond(session, row, answered, by=by, at=clock.now())

    def draft_response(self, row: OrderRow, answered: Answered, *, issued_on: date, number: str = "") -> OrderResponse:
        """Return the response that these answers make, as it would leave."""
        return response_to(
            row.order,
            number=number,
            issued_on=issued_on,
            answer=answered.answer,
            quantities=answered.quantities,
            prices=answered.prices,
            days=answered.days,
            text=answered.text,
        )

    def _respond(
        self, session: Session, row: OrderRow, answered: Answered, *, by: PartyId, at: datetime
    ) -> OrderResponseRow:
        number = f"OR-{at.year}-{next_number(session, f'order_response:{by}:{at.year}'):05d}"
        response = self.draft_response(row, answered, issued_on=at.date(), number=number)
        taken = self._take(session, row, response, by=by, at=at)
        if not self.is_web(session, PartyId(row.buyer)):
            self._put(session, row, response, sender=by, key=f"order_response:{taken.id}")
        return taken

    def _take(
        self,
        session: Session,
        row: OrderRow,
        response: OrderResponse,
        *,
        by: PartyId,
        at: datetime,
        message_id: str | None = None,
    ) -> OrderResponseRow:
        changes = changes_of(row.order, response)
        answer = classify(row.order, response)
        taken = OrderResponseRow(
            id=new_id(),
            order_id=row.id,
            ordinal=len(row.responses) + 1,
            buyer=row.buyer,
            seller=row.seller,
            number=response.number,
            answer=answer.value,
            stated=stated_answer(response).value,
            against=row.version,
            changes=[list(change) for change in changes],
            document=response.model_dump(mode="json"),
            digest=digest(response),
            at=at,
            by=by,
            message_id=message_id,
        )
        row.responses.append(taken)
        row.standing = move(row.stands, answer)
        row.revision += 1
        self._record(
            session, row, "response", by=by, at=at, state=answer, number=response.number, subject=taken.id,
            message_id=message_id,
        )  # fmt: skip
        return taken

    # Deciding ------------------------------------------------------------------------------------------------------

    def decide(
        self,
        session: Session,
        order_id: str,
        decision: Decision,
        *,
        response_id: str,
        expected_revision: int,
        by: PartyId,
        asker: Asker | None = None,
    ) -> OrderRow:
        """Let the buyer agree or decline what the seller's last response proposes.

        Agreed terms become a new version of the order beside the old one; ``asker`` is held to what the organisation
        lets it bind. Raises Refused, Unauthorised, or Conflict when the order has moved on since it was shown.
        """
        row = self.row(session, order_id, for_update=True)
        if row.buyer != by:
            raise Refused("NOT_BUYER")
        response = open_proposal(row)
        if row.revision != expected_revision or response is None or response.id != response_id:
            raise Conflict(order_id)
        if decision is Decision.AGREE and row.stands is not Standing.REJECTED:
            self._demand(session, row, proposed(row.order, response.response), asker)
        at = clock.now()
        row.standing, before = move(row.stands, decision), row.stands
        response.decision, response.decided_at, response.decided_by = decision.value, at, by
        row.revision += 1
        if decision is Decision.AGREE:
            if before is Standing.REJECTED:
                self._cancel_rest(row)
            else:
                self._amend(session, row, response, by=by, at=at)
        self._record(session, row, decision.value, by=by, at=at, number=response.number, subject=response.id)
        if row.stands is Standing.CANCELLED:
            self.on_contract(session, row.acceptance, "terminated", at)
        return row

    def _demand(self, session: Session, row: OrderRow, order: Order, asker: Asker | None) -> None:
        """Hold who changes the terms of a contract to what its organisation lets it bind. The hub itself, and a partner
        whose message says so, are held to nothing here."""
        if asker is None or asker.user_id is None:
            return
        partner = PartyId(row.seller if asker.org == row.buyer else row.buyer)
        total = total_of(order)
        amount = None if total is None else rounded(total + balance(order.allowances_charges), order.currency)
        classes = {each.code for line in order.lines for each in line.item.classification}
        binding = Binding(Act.AMENDMENT, row.deal_id, partner, amount, order.currency, tuple(sorted(classes)))
        verdict = self.authorise(session, asker, binding)
        if not isinstance(verdict, Allowed):
            raise Unauthorised(verdict)

    def amend(
        self, session: Session, acceptance: str, terms: TradeDocument, *, by: PartyId, at: datetime
    ) -> str | None:
        """Put the contract's new terms into its order, as a new version; return the order, None where nothing changed.

        Raises Refused BELOW_DESPATCHED where less is agreed on than has left already.
        """
        row = self.of_acceptance(session, acceptance)
        if row is None or row.versions[-1].terms_hash == terms_hash(terms):
            return None
        stated = {name: getattr(terms, name) for name in TradeDocument.model_fields if name not in NOT_TERMS}
        lines = tuple(
            line.model_copy(update={"number": name, "action": None, "references": (), "notes": ()})
            for name, line in keyed(getattr(terms, "lines", ())).items()
        )
        order = row.order.model_copy(
            update={**stated, "dates": agreed_dates(terms.dates), "lines": lines, "total": None}
        )
        open_response = open_proposal(row)
        if open_response is not None:
            open_response.decision, open_response.decided_at, open_response.decided_by = Decision.AGREE.value, at, by
        self._renew(row, order, by=by, at=at)
        row.standing = Standing.AGREED
        row.revision += 1
        self._record(session, row, "amended", by=by, at=at, number=row.number)
        return row.id

    def undo(self, session: Session, acceptance: str, at: datetime) -> None:
        """The contract has come to nothing, or was ended: nothing more is to be delivered on its order."""
        row = self.of_acceptance(session, acceptance)
        if row is None or row.stands is Standing.CANCELLED:
            return
        row.standing = Standing.CANCELLED
        self._cancel_rest(row)
        row.revision += 1
        self._record(session, row, "cancelled", by=PartyId(row.buyer), at=at, number=row.number)

    def _amend(self, session: Session, row: OrderRow, response: OrderResponseRow, *, by: PartyId, at: datetime) -> None:
        order = proposed(row.order, response.response)
        self._renew(row, order, by=by, at=at, response_id=response.id)
        session.flush()
        self.on_amended(session, row.id, row.acceptance, order, by, at)

    def _renew(self, row: OrderRow, order: Order, *, by: PartyId, at: datetime, response_id: str | None = None) -> None:
        """Put ``order`` beside the earlier versions, and its quantities into the lines."""
        lines = {line.line: line for line in row.lines}
        for position, (name, line) in enumerate(keyed(order.lines).items(), 1):
            quantity = line.quantity.value if line.quantity else Decimal(0)
            if name not in lines:
                row.lines.append(_line_row(name, position, quantity, line.quantity.unit if line.quantity else None))
                continue
            if quantity < lines[name].despatched:
                raise Refused("BELOW_DESPATCHED")
            lines[name].ordered, lines[name].position = quantity, position
        for gone in lines.keys() - keyed(order.lines).keys():
            lines[gone].cancelled += lines[gone].balance.open
        row.version += 1
        row.versions.append(_version(row, order, by=by, at=at, response_id=response_id))
        row.currency, row.total = order.currency, total_of(order)
        _refresh(row)

    def _cancel_rest(self, row: OrderRow) -> None:
        for line in row.lines:
            line.cancelled += line.balance.open
        _refresh(row)

    # Following -----------------------------------------------------------------------------------------------------

    def advance(self, session: Session, progress: Progress) -> None:
        """Add what was despatched or invoiced to the order's lines, and tell the contract.

        The revision stays: who is about to answer or decide need not look again because goods are on their way.
        """
        row = self.row(session, progress.order_id, for_update=True)
        for line in row.lines:
            added = progress.quantities.get(line.line, Decimal(0))
            if progress.kind == "despatched":
                line.despatched += added
            else:
                line.invoiced += added
        _refresh(row)
        self._record(
            session, row, progress.kind, by=progress.by, at=progress.at, state=progress.state, number=progress.number,
            subject=progress.document_id, message_id=progress.message_id,
        )  # fmt: skip
        done = {row.delivered, row.billed} == {Delivery.COMPLETE}
        self.on_contract(session, row.acceptance, "completed" if done else "performed", progress.at)

    def flag(self, session: Session, order_id: str, *, has_differences: bool) -> None:
        """Remember whether an invoice of the order is held for its differences; the list filters by it."""
        self.row(session, order_id).has_differences = has_differences

    # Looking -------------------------------------------------------------------------------------------------------

    def facts(self, session: Session, order_id: str) -> OrderFacts | None:
        """Return the order for fulfilment and billing, or None where the session sees none."""
        row = session.scalar(select(OrderRow).where(OrderRow.id == order_id))
        return None if row is None else _facts(row)

    def facts_by_number(self, session: Session, buyer: PartyId, seller: PartyId, number: str) -> OrderFacts | None:
        """Return the order that the buyer gave this number and placed with this seller, or None."""
        row = self._row_by_number(session, buyer, seller, number)
        return None if row is None else _facts(row)

    def row(self, session: Session, order_id: str, *, for_update: bool = False) -> OrderRow:
        """Return an order. Raises NoResultFound where the session sees none."""
        wanted = select(OrderRow).where(OrderRow.id == order_id)
        return session.scalars(wanted.with_for_update() if for_update else wanted).one()

    def of_acceptance(self, session: Session, acceptance: str) -> OrderRow | None:
        return session.scalar(select(OrderRow).where(OrderRow.acceptance == acceptance))

    def of_deal(self, session: Session, deal_id: str) -> Sequence[OrderRow]:
        """Return the orders of a deal, one for each of its contracts, the first one first."""
        return session.scalars(select(OrderRow).where(OrderRow.deal_id == deal_id).order_by(OrderRow.id)).all()

    def carried(self, session: Session, key: str) -> str | None:
        """Return the acceptance that left as an order under this key of the outbox; None for anything else."""
        name, _, order_id = key.partition(":")
        wanted = select(OrderRow.acceptance).where(OrderRow.id == order_id.partition(":")[0])
        return session.scalar(wanted) if name == "order" else None

    def find(self, session: Session, *, chosen: str = "all", text: str = "", page: int | None = 1) -> Found:
        """Return a page (None: all) of the orders that the session sees, the latest first."""
        wanted = _matching(text)
        counts = {
            name: session.scalar(
                select(func.count()).select_from((wanted if by is None else wanted.where(by)).subquery())
            )
            or 0
            for name, by in FILTERS.items()
        }
        by = FILTERS.get(chosen)
        chosen_rows = (wanted if by is None else wanted.where(by)).order_by(
            OrderRow.placed_at.desc(), OrderRow.number.desc()
        )
        if page is not None:
            chosen_rows = chosen_rows.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)
        rows = session.scalars(chosen_rows).all()
        return Found(rows, counts.get(chosen, counts["all"]), counts)

    def page(
        self, session: Session, *, chosen: str = "all", text: str = "", cursor: str | None = None, size: int = PAGE_SIZE
    ) -> tuple[list[OrderRow], str | None]:
        """Return a page of what ``find`` finds by keyset, the latest first, and the cursor of the next."""
        wanted, by = _matching(text), FILTERS.get(chosen)
        return paging.page(
            session, wanted if by is None else wanted.where(by), OrderRow.placed_at, OrderRow.id, cursor, size
        )

    def _row_by_number(self, session: Session, buyer: PartyId, seller: PartyId, number: str | None) -> OrderRow | None:
        if not number:
            return None
        return session.scalar(
            select(OrderRow)
            .where(OrderRow.buyer == buyer, OrderRow.seller == seller)
            .where(or_(OrderRow.number == number, OrderRow.number == number.strip()))
            .with_for_update()
        )

    def proposal(self, session: Session, acceptance: str) -> Order | None:
        """Return the order as the seller's last response would have it, where the buyer has not decided on it yet."""
        row = self.of_acceptance(session, acceptance)
        response = open_proposal(row) if row is not None else None
        if row is None or response is None or row.stands is Standing.REJECTED:
            return None
        return proposed(row.order, response.response)

    def _record(
        self,
        session: Session,
        row: OrderRow,
        kind: str,
        *,
        by: PartyId,
        at: datetime,
        state: str | None = None,
        number: str | None = None,
        subject: str | None = None,
        message_id: str | None = None,
    ) -> None:
        ordinal = len(row.events) + 1
        row.events.append(
            OrderEventRow(
                order_id=row.id, ordinal=ordinal, at=at, by=by, kind=kind, state=state, number=number, subject=subject,
                message_id=message_id,
            )
        )  # fmt: skip
        session.flush()
        audit.append(
            session, chain=f"deal:{row.deal_id}", org=by, actor=None, action=f"order.{kind}", subject=row.id, at=at,
            details={"order": row.number, "state": state, "number": number, "document": subject, "version": row.version,
                     "terms_hash": row.versions[-1].terms_hash},
        )  # fmt: skip


def _matching(text: str) -> Select[OrderRow]:
    wanted = select(OrderRow)
    for word in text.casefold().split():
        wanted = wanted.where(OrderRow.search_text.contains(word, autoescape=True))
    return wanted


def open_proposal(row: OrderRow) -> OrderResponseRow | None:
    """Return the response that waits for the buyer's word, or None."""
    if row.stands not in DECIDABLE:
        return None
    meant = [each for each in row.responses if each.is_answer is not Answer.RECEIVED]
    return meant[-1] if meant and meant[-1].decided is None else None


def total_of(order: Order) -> Decimal | None:
    """Return the goods total: the sum of the lines, each rounded first; None where a line has no price."""
    nets = [net_amount(line, order.currency) for line in order.lines]
    known = [net for net in nets if net is not None]
    return sum(known, Decimal(0)) if known and len(known) == len(nets) else None


def goods_total(row: OrderRow) -> Money | None:
    return Money(amount=row.total, currency=row.currency) if row.total is not None and row.currency else None


def preview(row: OrderRow, response: OrderResponse) -> tuple[Answer, tuple[Change, ...]]:
    """Return what a response would be taken for, and what it would change."""
    return classify(row.order, response), changes_of(row.order, response)


def _on_terms(order: Order, concluded: Concluded) -> Order:
    """Return the order with the reference to the buyer's standard terms, where its acceptance makes one."""
    named = concluded.standard_terms if concluded.accepted_by == concluded.buyer else None
    if named is None or order.reference(STANDARD_TERMS) is not None:
        return order
    return order.model_copy(update={"references": (*order.references, Reference(type=STANDARD_TERMS, value=named))})


def _stored(order: Order, concluded: Concluded) -> OrderRow:
    row = OrderRow(
        id=new_id(),
        number=order.number or "",
        deal_id=concluded.deal_id,
        acceptance=concluded.acceptance,
        inquiry=concluded.inquiry,
        buyer=concluded.buyer,
        seller=concluded.seller,
        standing=Standing.AWAITING,
        delivery=Delivery.OPEN,
        billing=Delivery.OPEN,
        has_differences=False,
        revision=1,
        version=1,
        currency=order.currency,
        total=total_of(order),
        search_text=_search_text(order, concluded),
        placed_at=concluded.at,
        lines=[
            _line_row(
                name,
                position,
                line.quantity.value if line.quantity else Decimal(0),
                line.quantity.unit if line.quantity else None,
            )
            for position, (name, line) in enumerate(keyed(order.lines).items(), 1)
        ],
    )
    row.versions = [_version(row, order, by=concluded.accepted_by, at=concluded.at)]
    return row


def _search_text(order: Order, concluded: Concluded) -> str:
    names = [each.name for each in order.parties] + [line.item.name for line in order.lines]
    ids = [each.value for line in order.lines for each in line.item.ids]
    words = [order.number, concluded.inquiry, concluded.offer.number, concluded.buyer, concluded.seller, *names, *ids]
    return " ".join(word for word in words if word).casefold()


def _line_row(name: str, position: int, quantity: Decimal, unit: str | None) -> OrderLineRow:
    nought = Decimal(0)
    return OrderLineRow(
        line=name, position=position, unit=unit, ordered=quantity, cancelled=nought, despatched=nought, invoiced=nought
    )


def _version(
    row: OrderRow, order: Order, *, by: PartyId, at: datetime, response_id: str | None = None
) -> OrderVersionRow:
    return OrderVersionRow(
        order_id=row.id,
        version=row.version,
        at=at,
        by=by,
        response_id=response_id,
        terms_hash=terms_hash(order),
        document=order.model_dump(mode="json"),
    )


def _refresh(row: OrderRow) -> None:
    balances = [line.balance for line in row.lines]
    row.delivery = together(each.delivery for each in balances)
    row.billing = together(each.billing for each in balances)


def _facts(row: OrderRow) -> OrderFacts:
    return OrderFacts(
        order_id=row.id,
        deal_id=row.deal_id,
        buyer=PartyId(row.buyer),
        seller=PartyId(row.seller),
        order=row.order,
        lines={line.line: line.facts for line in row.lines},
        acceptance=row.acceptance,
    )


def _double(row: OrderRow, response: OrderResponse) -> Handled | None:
    """R28: the same words again change nothing. R29: other words under a number of the response's own are refused."""
    said = digest(response)
    for earlier in row.responses:
        if earlier.digest == said:
            return Handled(deal=row.deal_id, subject=earlier.id)
        has_own_number = response.number is not None and response.number != row.number
        if has_own_number and earlier.number == response.number and response.action != "replace":
            text = f"Order response {response.number} was received before with other content."
            return Handled(deal=row.deal_id, subject=earlier.id, refusal=Refusal("R29", None, text))
    return None


def balances(row: OrderRow) -> dict[str, Balance]:
    return {line.line: line.balance for line in row.lines}
