"""What people see of negotiations: one deal with its rounds, the offers on an inquiry side by side, the work to do.

Everything is computed at the moment of reading, and only from what the session's organisation may see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.documents import Inquiry, Line, PartyId, TradeDocument
from tradehub.documents.amounts import unit_price
from tradehub.documents.lines import find, keyed
from tradehub.negotiation import compare, drafting, model, store
from tradehub.negotiation.compare import Value
from tradehub.negotiation.model import Contract, Kind, Negotiation, Offer, Refused, State, Statement
from tradehub.negotiation.recording import Hooks, NotFound
from tradehub.negotiation.store import DealRow, InquiryRow, StatementRow
from tradehub.platform import clock
from tradehub.platform.db import org_of

EXPIRING = timedelta(hours=48)
"""A deadline nearer than this is shown as urgent: one working day to act, wherever one is."""

LIST_LIMIT = 500
"""Deals looked at for a list, newest first; the status is computed for each."""

PAGE = 50


@dataclass(frozen=True)
class Round:
    """A proposal as one side made it, and where it stands."""

    number: int
    offer: Offer
    kind: Kind
    is_ours: bool
    by_name: str
    user_name: str | None
    channel: str
    at: datetime
    reached_at: datetime | None
    state: State
    deadline: datetime | None
    message_id: str | None
    total: Decimal | None
    delivery: date | None
    payment: str | None
    incoterm: str | None
    note: str

    @property
    def document(self) -> TradeDocument:
        return self.offer.document

    @property
    def lines(self) -> tuple[tuple[str, Line], ...]:
        return tuple(keyed(model.lines_of(self.document)).items())

    @property
    def further_terms(self) -> tuple[compare.Term, ...]:
        return compare.further_terms(self.document)

    @property
    def is_open(self) -> bool:
        return self.state is State.EFFECTIVE


@dataclass(frozen=True)
class Said:
    """A statement as recorded, with its place in the chain."""

    row: StatementRow
    by_name: str | None
    is_ours: bool
    round: int | None
    about: int | None


@dataclass(frozen=True)
class Action:
    """Something a party might do now; ``refused`` says why it may not."""

    name: str
    about: str | None = None
    refused: Refused | None = None

    @property
    def is_possible(self) -> bool:
        return self.refused is None


@dataclass(frozen=True)
class DealView:
    """A deal as one of its parties sees it."""

    row: DealRow
    negotiation: Negotiation
    me: PartyId
    my_name: str
    other: PartyId
    other_name: str
    other_is_web: bool
    status: str
    rounds: tuple[Round, ...]
    said: tuple[Said, ...]
    actions: dict[str, Action]
    contract: Contract | None
    series: tuple[compare.Series, ...]
    sound: bool

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def is_buyer(self) -> bool:
        return self.me == self.negotiation.buyer

    @property
    def version(self) -> int:
        return self.negotiation.version

    @property
    def standing(self) -> Round | None:
        """The open offer that is mine to answer, the latest first."""
        return next((each for each in reversed(self.rounds) if each.is_open and not each.is_ours), None)

    @property
    def deadline(self) -> datetime | None:
        open_rounds = [each for each in reversed(self.rounds) if each.is_open]
        return open_rounds[0].deadline if open_rounds else None

    def round(self, offer_id: str | None) -> Round:
        """Raises NotFound."""
        found = next((each for each in self.rounds if each.offer.id == offer_id), None)
        if found is None:
            raise NotFound(str(offer_id))
        return found

    def may_accept(self, round: Round) -> Refused | None:
        """Return why this round cannot be accepted now; None where it can."""
        said = Statement("?", Kind.ACCEPT, self.me, round.offer.id)
        return model.refusal(self.negotiation, said, now=clock.now())

    def changes(self, before: Round, after: Round) -> tuple[compare.Term, ...]:
        return compare.changes(before.document, after.document, for_buyer=self.is_buyer)


@dataclass(frozen=True)
class DealLine:
    """A deal in a list."""

    row: DealRow
    other_name: str
    status: str
    deadline: datetime | None
    rounds: int
    total: Value | None
    is_buyer: bool

    @property
    def is_expiring(self) -> bool:
        live = self.status in ("your_turn", "waiting", "sending")
        return live and self.deadline is not None and self.deadline - clock.now() < EXPIRING


@dataclass(frozen=True)
class Deals:
    """A page of the list of deals, and how many there are under each chip."""

    lines: tuple[DealLine, ...]
    counts: dict[str, int]
    page: int
    pages: int


@dataclass(frozen=True)
class Worklist:
    """What awaits somebody: mine to answer, theirs, and what runs out soon (a part of the first two)."""

    your_turn: tuple[DealLine, ...]
    waiting: tuple[DealLine, ...]
    expiring: tuple[DealLine, ...]
    to_mend: tuple[DealLine, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One supplier's price for one line, in its own unit and currency. ``amount`` is what the line comes to."""

    line: Line | None
    price: Value | None
    amount: Decimal | None
    quantity_differs: bool
    is_best: bool = False


@dataclass(frozen=True)
class Column:
    """One supplier's last word on an inquiry."""

    deal: DealLine
    supplier: PartyId
    round: Round | None
    cells: tuple[Cell, ...]
    total: Value | None
    is_complete: bool
    delivery: date | None
    best_total: bool = False
    best_delivery: bool = False

    @property
    def may_award(self) -> bool:
        return self.round is not None and self.round.is_open and self.deal.status not in CONCLUDED


@dataclass(frozen=True)
class Comparison:
    """The offers on an inquiry side by side. Prices are marked best only among those of one currency."""

    inquiry: InquiryRow
    document: Inquiry
    lines: tuple[tuple[str, Line], ...]
    columns: tuple[Column, ...]

    @property
    def answered(self) -> int:
        return sum(each.round is not None for each in self.columns)


Ordered = TypeVar("Ordered", Fraction, Decimal, date)

CONCLUDED = frozenset({"accepting", "late", "signing", "concluded", "terminated"})
FILTERS: dict[str, Callable[[DealLine], bool]] = {
    "all": lambda line: True,
    "your_turn": lambda line: line.status in ("your_turn", "undelivered"),
    "waiting": lambda line: line.status in ("waiting", "sending"),
    "expiring": lambda line: line.is_expiring,
    "concluded": lambda line: line.status in CONCLUDED,
    "closed": lambda line: line.status in ("rejected", "lapsed", "revoked", "withdrawn", "quiet"),
}


class Reading:
    """Queries; each takes a session opened for the organisation that asks."""

    hooks: Hooks

    def deal(self, session: Session, deal_id: str) -> DealView:
        """Raises NotFound where the organisation has no such deal."""
        row = store.deal_row(session, deal_id)
        if row is None:
            raise NotFound(deal_id)
        now = clock.now()
        negotiation = store.load(session, row)
        me = _me(session, row)
        other = negotiation.other(me)
        names = {party: self._name(session, party) for party in (me, other)}
        entries = store.statement_rows(session, [row.id])
        rounds = _rounds(negotiation, entries, names, me, now)
        return DealView(
            row=row, negotiation=negotiation, me=me, my_name=names[me], other=other, other_name=names[other],
            other_is_web=self.hooks.is_web(session, other), status=status(negotiation, me, now=now), rounds=rounds,
            said=_said(entries, rounds, names, me), actions=actions(negotiation, me, now=now),
            contract=model.contract(negotiation, now=now),
            series=compare.series([(each.number, each.offer.by == row.buyer_id, each.document) for each in rounds]),
            sound=store.verify(session, row.id) is None,
        )  # fmt: skip

    def deals(self, session: Session, *, chip: str = "all", text: str = "", page: int = 1) -> Deals:
        """Return the deals under ``chip`` whose numbers, names and words hold ``text``, the last moved first."""
        wanted = select(DealRow).order_by(DealRow.updated_at.desc(), DealRow.id.desc()).limit(LIST_LIMIT)
        for word in text.casefold().split():
            wanted = wanted.where(DealRow.words.contains(word, autoescape=True))
        lines = self._lines(session, session.scalars(wanted).all())
        counts = {name: sum(map(fits, lines)) for name, fits in FILTERS.items()}
        shown = [line for line in lines if FILTERS.get(chip, FILTERS["all"])(line)]
        pages = max(1, -(-len(shown) // PAGE))
        page = min(max(page, 1), pages)
        return Deals(tuple(shown[(page - 1) * PAGE : page * PAGE]), counts, page, pages)

    def worklist(self, session: Session) -> Worklist:
        rows = session.scalars(
            select(DealRow).where(DealRow.state == "open").order_by(DealRow.updated_at.desc()).limit(LIST_LIMIT)
        ).all()
        lines = self._lines(session, rows)
        by_deadline = sorted(lines, key=lambda line: (line.deadline is None, line.deadline or line.row.updated_at))
        return Worklist(
            your_turn=tuple(line for line in by_deadline if line.status == "your_turn"),
            waiting=tuple(line for line in lines if line.status in ("waiting", "sending")),
            expiring=tuple(line for line in by_deadline if line.is_expiring),
            to_mend=tuple(line for line in lines if line.status == "undelivered"),
        )

    def comparison(self, session: Session, inquiry_id: str) -> Comparison:
        """Raises NotFound where the organisation sent no such inquiry."""
        inquiry = store.inquiry_row(session, inquiry_id)
        if inquiry is None:
            raise NotFound(inquiry_id)
        rows = session.scalars(select(DealRow).where(DealRow.inquiry_id == inquiry_id).order_by(DealRow.id)).all()
        document = Inquiry.model_validate(inquiry.document)
        lines = tuple(keyed(document.lines).items())
        now = clock.now()
        said = _by_deal(store.statement_rows(session, [row.id for row in rows]))
        loaded = store.load_all(session, rows)
        columns = []
        for row, line in zip(rows, self._lines(session, rows, loaded), strict=True):
            names = {PartyId(row.seller_id): line.other_name, PartyId(row.buyer_id): ""}
            rounds = _rounds(loaded[row.id], said.get(row.id, []), names, PartyId(row.buyer_id), now)
            columns.append(_column(row, line, [each for each in rounds if not each.is_ours], lines))
        return Comparison(inquiry, document, lines, _with_best(columns, lines))

    def inquiries(self, session: Session) -> list[InquiryRow]:
        return list(session.scalars(select(InquiryRow).order_by(InquiryRow.created_at.desc()).limit(LIST_LIMIT)))

    def _lines(
        self, session: Session, rows: Sequence[DealRow], loaded: dict[str, Negotiation] | None = None
    ) -> list[DealLine]:
        known = store.load_all(session, rows) if loaded is None else loaded
        names: dict[PartyId, str] = {}
        now, found = clock.now(), []
        for row in rows:
            negotiation, me = known[row.id], _me(session, row)
            other = negotiation.other(me)
            if other not in names:
                names[other] = self._name(session, other)
            found.append(_line(row, negotiation, me, names[other], now))
        return found

    def _name(self, session: Session, party: PartyId) -> str:
        return self.hooks.party(session, party).name or party


def status(negotiation: Negotiation, me: PartyId, *, now: datetime) -> str:
    """Return in one word how the deal stands for ``me``."""
    agreed = model.contract(negotiation, now=now)
    if agreed is not None:
        return _AGREED[agreed.state]
    found = model.states(negotiation, now=now)
    last = negotiation.offers[-1] if negotiation.offers else None
    if last is not None and last.by == me and found[last.id] is State.UNDELIVERED:
        return "undelivered"
    whose = model.turn(negotiation, now=now)
    if whose is not None:
        sending = last is not None and found[last.id] is State.DISPATCHED and last.by == me
        return "your_turn" if whose == me else "sending" if sending else "waiting"
    return str(found[last.id]) if last is not None and found[last.id] in _ENDED else "quiet"


def actions(negotiation: Negotiation, me: PartyId, *, now: datetime) -> dict[str, Action]:
    """Return what ``me`` may do now, and for the rest why not."""
    found = model.states(negotiation, now=now)
    theirs = [each for each in negotiation.offers if each.by != me]
    ours = [each for each in negotiation.offers if each.by == me]
    standing = next((each for each in reversed(theirs) if found[each.id] is State.EFFECTIVE), None)
    last = standing or (theirs[-1] if theirs else None)
    mine = next((each for each in reversed(ours) if found[each.id] is State.EFFECTIVE), None)
    concluded = Refused("CONCLUDED") if model.contract(negotiation, now=now) else None

    def tried(kind: Kind, offer: Offer | None) -> Action:
        if offer is None:
            return Action(str(kind), None, concluded or Refused("NO_SUCH_OFFER"))
        refused = model.refusal(negotiation, Statement("?", kind, me, offer.id), now=now)
        return Action(str(kind), offer.id, refused)

    base = last or (negotiation.offers[-1] if negotiation.offers else None)
    return {
        "accept": tried(Kind.ACCEPT, last),
        "counter": Action("counter", base.id if base else None, concluded),
        "reject": tried(Kind.REJECT, last),
        "revoke": tried(Kind.REVOKE, mine),
        "comment": Action("comment"),
    }


_AGREED = {
    model.ContractState.AWAITING_REACH: "accepting",
    model.ContractState.AWAITING_ELECTION: "late",
    model.ContractState.DISPUTED_TIME: "late",
    model.ContractState.AWAITING_CONFIRMATION: "signing",
    model.ContractState.CONCLUDED_OBJECTABLE: "concluded",
    model.ContractState.CONCLUDED: "concluded",
    model.ContractState.TERMINATED: "terminated",
}
_ENDED = frozenset({State.REJECTED, State.LAPSED, State.REVOKED, State.WITHDRAWN})


def _me(session: Session, row: DealRow) -> PartyId:
    org = org_of(session)
    return PartyId(row.seller_id if org == row.seller_id else row.buyer_id)


def _rounds(
    negotiation: Negotiation,
    entries: Iterable[StatementRow],
    names: dict[PartyId, str],
    me: PartyId,
    now: datetime,
) -> tuple[Round, ...]:
    states = model.states(negotiation, now=now)
    by_id = {entry.id: entry for entry in entries}
    reached = {each.about: each.at for each in negotiation.statements if each.kind is Kind.REACH}
    found = []
    for number, offer in enumerate(negotiation.offers, 1):
        entry, document = by_id[offer.id], offer.document
        lines = [line for line in model.lines_of(document) if line.action not in model.NOT_OFFERED]
        days = [drafting.delivery_on(document, line) for line in lines] or [drafting.delivery_on(document)]
        found.append(
            Round(
                number=number,
                offer=offer,
                kind=Kind(entry.kind),
                is_ours=offer.by == me,
                by_name=names[offer.by],
                user_name=entry.user_name,
                channel=entry.channel,
                at=entry.at,
                reached_at=entry.reached_at or reached.get(entry.id),
                state=states[offer.id],
                deadline=model.deadline(negotiation, offer, now=now),
                message_id=entry.message_id,
                total=drafting.total(document, lines) if lines else None,
                delivery=max((day for day in days if day), default=None),
                payment=drafting.payment_text(document),
                incoterm=drafting.incoterm_text(document),
                note=entry.text,
            )
        )
    return tuple(found)


def _said(
    entries: Iterable[StatementRow], rounds: Sequence[Round], names: dict[PartyId, str], me: PartyId
) -> tuple[Said, ...]:
    numbers = {each.offer.id: each.number for each in rounds}
    return tuple(
        Said(
            row=entry,
            by_name=names.get(PartyId(entry.by_id)) if entry.by_id else None,
            is_ours=entry.by_id == me,
            round=numbers.get(entry.offer_id or ""),
            about=numbers.get(entry.about or ""),
        )
        for entry in entries
    )


def _line(row: DealRow, negotiation: Negotiation, me: PartyId, name: str, now: datetime) -> DealLine:
    states = model.states(negotiation, now=now)
    open_offer = next((each for each in reversed(negotiation.offers) if states[each.id] is State.EFFECTIVE), None)
    agreed = model.contract(negotiation, now=now)
    shown = (
        agreed.offer
        if agreed
        else next((each for each in reversed(negotiation.offers) if each.firm or each.document.kind == "offer"), None)
    )
    amount = drafting.total(shown.document, model.lines_of(shown.document)) if shown else None
    return DealLine(
        row=row,
        other_name=name,
        status=status(negotiation, me, now=now),
        deadline=model.deadline(negotiation, open_offer, now=now) if open_offer else None,
        rounds=len(negotiation.offers),
        total=Value(compare.Sort.MONEY, amount, shown.document.currency) if shown and amount is not None else None,
        is_buyer=me == negotiation.buyer,
    )


def _by_deal(entries: Iterable[StatementRow]) -> dict[str, list[StatementRow]]:
    found: dict[str, list[StatementRow]] = {}
    for entry in entries:
        found.setdefault(entry.deal_id, []).append(entry)
    return found


def _column(row: DealRow, line: DealLine, theirs: Sequence[Round], asked: Sequence[tuple[str, Line]]) -> Column:
    """Return the supplier's last word: what it accepted or what is open, else what it said last."""
    said = [each for each in theirs if each.kind is not Kind.INQUIRY]
    alive = [each for each in said if each.is_open or each.state in model.BOUND]
    last = next(reversed(alive or said), None)
    cells = tuple(_cell(last, each) for _, each in asked)
    amounts = [cell.amount for cell in cells if cell.amount is not None]
    complete = len(amounts) == len(cells)
    total = None
    if last is not None and amounts:
        total = Value(compare.Sort.MONEY, sum(amounts, Decimal(0)), last.document.currency)
    return Column(line, PartyId(row.seller_id), last, cells, total, complete, last.delivery if last else None)


def _cell(last: Round | None, asked: Line) -> Cell:
    found = find(model.lines_of(last.document), asked) if last is not None else None
    line = found.line if found else None
    if last is None or line is None or line.price is None or line.action in model.NOT_OFFERED:
        return Cell(None, None, None, quantity_differs=False)
    basis = line.price.basis.value if line.price.basis else None
    currency = line.price.currency or last.document.currency
    price = Value(compare.Sort.MONEY, line.price.amount, currency, None if basis == 1 else basis)
    differs = bool(asked.quantity and line.quantity and asked.quantity != line.quantity)
    return Cell(line, price, drafting.total(last.document, [line]), quantity_differs=differs)


def _with_best(columns: Sequence[Column], asked: Sequence[tuple[str, Line]]) -> tuple[Column, ...]:
    """Mark the best of each row; prices are compared within the currency that most suppliers quote in."""
    quoted = Counter(each.total.unit for each in columns if each.total)
    currency = quoted.most_common(1)[0][0] if quoted else None
    marked = list(columns)
    for row, (_, line) in enumerate(asked):
        unit = line.quantity.unit if line.quantity else None
        prices = {
            index: price
            for index, each in enumerate(columns)
            if (price := _comparable(each.cells[row], unit, currency)) is not None
        }
        for index in _lowest(prices):
            cells = marked[index].cells
            best = replace(cells[row], is_best=True)
            marked[index] = replace(marked[index], cells=(*cells[:row], best, *cells[row + 1 :]))
    totals = {
        index: each.total.value
        for index, each in enumerate(columns)
        if each.total and each.is_complete and each.total.unit == currency and isinstance(each.total.value, Decimal)
    }
    days = {index: each.delivery for index, each in enumerate(columns) if each.delivery}
    best_totals, best_days = _lowest(totals), _lowest(days)
    return tuple(
        replace(each, best_total=index in best_totals, best_delivery=index in best_days)
        for index, each in enumerate(marked)
    )


def _comparable(cell: Cell, unit: str | None, currency: str | None) -> Fraction | None:
    if cell.line is None or cell.price is None or cell.price.unit != currency:
        return None
    return unit_price(cell.line, unit)


def _lowest(found: Mapping[int, Ordered]) -> set[int]:
    """Return where the lowest stands; nowhere unless there are two to choose from."""
    if len(found) < 2:
        return set()
    low = min(found.values())
    return {index for index, each in found.items() if each == low}
