"""What people see of negotiations: one deal with its rounds, the offers on an inquiry side by side, the work to do.

Everything is computed at the moment of reading, and only from what the session's organisation may see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache, cached_property
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.documents import Inquiry, Line, PartyId, TradeDocument
from tradehub.documents.amounts import added, unit_price
from tradehub.documents.lines import find, keyed
from tradehub.negotiation import attachments, compare, drafting, listing, model, outlook, publishing, store, threads
from tradehub.negotiation.compare import Value
from tradehub.negotiation.model import (
    Contract,
    ContractState,
    Kind,
    Ledger,
    Negotiation,
    Offer,
    Refused,
    State,
    Statement,
)
from tradehub.negotiation.model.ledger import AMENDABLE, Acceptance
from tradehub.negotiation.outlook import Outlook
from tradehub.negotiation.recording import Hooks, NotFound
from tradehub.negotiation.store import DealRow, InquiryRow, OfferRow, StatementRow
from tradehub.negotiation.threads import Thread, Topic
from tradehub.platform import clock, paging
from tradehub.platform.db import org_of

EXPIRING = timedelta(hours=48)
"""A deadline nearer than this is shown as urgent: one working day to act, wherever one is."""

CHARTED_MAX = 1500
"""Lines, over all rounds, whose prices are charted one by one; above that the totals are."""

PAGE = 50

INQUIRIES_MAX = 500
"""Inquiries in one list, newest first."""


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
    currency: str | None
    delivery: date | None
    payment: str | None
    incoterm: str | None
    line_count: int
    note: str
    open_lines: Mapping[str, Decimal]
    """Of a divisible offer, what has not been accepted yet, by line."""
    files: tuple[tuple[str, str], ...] = ()

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
    topic: Topic | None = None

    @property
    def files(self) -> list[tuple[str, str]]:
        """The files that go with words, by SHA-256 and name."""
        return [(digest, name) for digest, name in self.row.particulars.get("attachments", ())]


@dataclass(frozen=True)
class Action:
    """Something a party might do now; ``refused`` says why it may not.

    ``about`` is the offer that it speaks of. An act on an acceptance names that too: an offer may have several (R22).
    """

    name: str
    about: str | None = None
    refused: Refused | None = None
    acceptance: str | None = None

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
    acts: tuple[Action, ...]
    contract: Contract | None
    contracts: tuple[Contract, ...]
    crossing: bool
    sound: bool
    held: frozenset[str]
    """The files and standard terms that are here, by SHA-256: a message names others by theirs alone."""

    @property
    def id(self) -> str:
        return self.row.id

    @cached_property
    def actions(self) -> Mapping[str, Action]:
        """What may be done now, and why not the rest, by name; of an act that several acceptances allow, on the first."""
        return {each.name: each for each in reversed(self.acts)}

    @property
    def is_buyer(self) -> bool:
        return self.me == self.negotiation.buyer

    @property
    def version(self) -> int:
        return self.negotiation.version

    @property
    def standing(self) -> Round | None:
        """The open offer that is mine to answer, the latest first; one that was passed over for its alternative is not."""
        return next((each for each in reversed(self.rounds) if self._is_to_answer(each)), None)

    def _is_to_answer(self, round: Round) -> bool:
        is_open = round.is_open and not round.is_ours
        return is_open and (round.offer.group is None or self.may_accept(round) is None)

    @cached_property
    def threads(self) -> Mapping[str, Thread[Said]]:
        """What was said about single terms, by the term's path."""
        return threads.threads(self.said)

    @property
    def topics(self) -> tuple[Topic, ...]:
        """The terms of the latest round to choose from, and those that were spoken of."""
        listed = threads.topics(self.rounds[-1].document)
        paths = {each.path for each in listed}
        return (*listed, *(each.topic for path, each in self.threads.items() if path not in paths))

    def topic(self, path: str) -> Topic:
        return threads.topic(path, threads.labels(self.rounds[-1].document))

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

    def alternatives(self, round: Round) -> tuple[Round, ...]:
        """Return the offers of which one is to be picked, this one among them; nothing where it stands by itself."""
        group = round.offer.group
        found = tuple(
            each for each in self.rounds if group and (each.offer.by, each.offer.group) == (round.offer.by, group)
        )
        return found if len(found) > 1 else ()

    def choices(self, round: Round) -> tuple[Round, ...]:
        """Return the alternatives that can still be accepted; nothing where there is no choice left."""
        found = tuple(each for each in self.alternatives(round) if each.is_open and self.may_accept(each) is None)
        return found if len(found) > 1 else ()

    def others_open(self, round: Round) -> tuple[Round, ...]:
        """Return the other alternatives that stay open when this one is declined or countered (CISG 17, 19(1))."""
        others = (each for each in self.alternatives(round) if each.offer.id != round.offer.id)
        return tuple(each for each in others if each.is_open and self.may_accept(each) is None)

    def may_accept(self, round: Round) -> Refused | None:
        """Return why this round cannot be accepted now; None where it can."""
        said = Statement("?", Kind.ACCEPT, self.me, round.offer.id)
        return model.refusal(self.negotiation, said, now=clock.now())

    @property
    def moves(self) -> tuple[Round, ...]:
        """The rounds, of alternatives the first alone: to offer something beside it is no move."""
        first = {each.offer.group: each.number for each in reversed(self.rounds) if each.offer.group}
        return tuple(each for each in self.rounds if first.get(each.offer.group or "", each.number) == each.number)

    @property
    def series(self) -> tuple[compare.Series, ...]:
        """How prices moved: line by line, or the totals where there are too many lines to look at."""
        if sum(each.line_count for each in self.moves) > CHARTED_MAX:
            totals = [
                (each.number, each.offer.by == self.row.buyer_id, each.total, each.currency) for each in self.moves
            ]
            return compare.total_series(totals)
        return compare.series([(each.number, each.offer.by == self.row.buyer_id, each.document) for each in self.moves])

    def changes(self, before: Round, after: Round) -> tuple[compare.Term, ...]:
        return compare.changes(before.document, after.document, for_buyer=self.is_buyer)

    def since(self, shown: Round, latest: Round) -> tuple[compare.Term, ...]:
        """Return how what stands now differs from the round that was shown; nothing where that is it."""
        return () if latest.offer.id == shown.offer.id else self.changes(shown, latest)

    def made_by(self, acceptance: str | None) -> Contract | None:
        """Return the contract that an acceptance brought about, if only for a time; None for that of an amendment."""
        return next((each for each in self.contracts if each.id == acceptance), None)

    def amended_by(self, round: Round) -> Contract | None:
        """Return the contract that a round would change; None for one that is about no contract yet."""
        return next((each for each in self.contracts if round.offer.amends in (each.id, each.offer.id)), None)

    def accepted_changes(self, contract: Contract) -> tuple[compare.Term, ...]:
        """Return what the acceptance that made a contract changed of the offer (R9)."""
        if contract.terms.id == contract.offer.id:
            return ()
        changes = self.changes(self.round(contract.offer.id), self.round(contract.terms.id))
        return tuple(each for each in changes if each.direction is not compare.Direction.SAME)


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
    """A page of the list of deals, and how many there are under each chip. ``next`` is the cursor of the page after."""

    lines: tuple[DealLine, ...]
    counts: dict[str, int]
    next: str | None = None


@dataclass(frozen=True)
class LateCase:
    """An acceptance that waits for a decision, or for the end of the time in which there may be one.

    ``what`` is a word of ``wording.CASES``, ``kinds`` the acts that decide it; ``is_mine``: I made the offer.
    """

    row: DealRow
    acceptance: str
    other_name: str
    what: str
    kinds: tuple[Kind, ...]
    is_mine: bool
    sent_at: datetime
    claimed_at: datetime | None
    reached_at: datetime | None
    deadline: datetime | None
    decide_until: datetime | None


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
    alternative: int | None = None
    """Its place among the alternatives of which one is to be picked."""

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
    def suppliers(self) -> int:
        return len({each.supplier for each in self.columns})

    @property
    def answered(self) -> int:
        return len({each.supplier for each in self.columns if each.round is not None})


Ordered = TypeVar("Ordered", Fraction, Decimal, date)

CONCLUDED = frozenset({"accepting", "late", "signing", "concluded", "terminated"})
LIVE = ("your_turn", "undelivered", "waiting", "sending")
CLOSED = ("rejected", "lapsed", "revoked", "withdrawn", "quiet")
FILTERS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "your_turn": ("your_turn", "undelivered"),
    "waiting": ("waiting", "sending"),
    "expiring": LIVE,
    "concluded": tuple(sorted(CONCLUDED)),
    "closed": CLOSED,
}
"""The statuses under each chip; none: all of them. Those that expire are the live ones whose deadline is near."""


class Reading:
    """Queries; each takes a session opened for the organisation that asks."""

    hooks: Hooks

    def deal(self, session: Session, deal_id: str) -> DealView:
        """Raises NotFound where the organisation has no such deal."""
        row = store.deal_row(session, deal_id)
        if row is None:
            raise NotFound(deal_id)
        now = clock.now()
        entries, offers = store.statement_rows(session, [row.id]), store.offer_rows(session, [row.id])
        negotiation = store.assembled([row], entries, offers)[row.id]
        ledger = Ledger.of(negotiation, now)
        me = _me(session, row)
        other = negotiation.other(me)
        names = {party: self._name(session, party) for party in (me, other)}
        rounds = _rounds(ledger, entries, offers, names, me)
        contracts = ledger.contracts()
        return DealView(
            row=row, negotiation=negotiation, me=me, my_name=names[me], other=other, other_name=names[other],
            other_is_web=self.hooks.is_web(session, other), status=outlook.status(ledger, me), rounds=rounds,
            said=_said(entries, rounds, names, me), acts=actions(ledger, me),
            contract=next((each for each in contracts if each.is_live), None), contracts=contracts,
            crossing=bool(model.crossing_of(ledger)), sound=store.first_broken(row, entries) is None,
            held=_held(session, negotiation),
        )  # fmt: skip

    def deals(
        self, session: Session, *, chip: str = "all", text: str = "", cursor: str | None = None, size: int = PAGE
    ) -> Deals:
        """Return the deals under ``chip`` whose numbers, names and words hold ``text``, the last moved first."""
        now = clock.now()
        statuses = FILTERS.get(chip, ())
        query = listing.Query(
            now=now, words=tuple(text.casefold().split()), due_before=now + EXPIRING if chip == "expiring" else None
        )
        rows, following = listing.latest(session, query, statuses, cursor, size)
        counts = listing.counts(session, query, FILTERS, now + EXPIRING)
        return Deals(tuple(self._lines(session, rows)), counts, following)

    def queue(self, session: Session, *statuses: str, expiring: bool = False, size: int = PAGE) -> tuple[DealLine, ...]:
        """Return the deals in one of ``statuses``, the earliest deadline first; with ``expiring`` only those due soon."""
        now = clock.now()
        query = listing.Query(now=now, due_before=now + EXPIRING if expiring else None)
        return tuple(self._lines(session, listing.by_deadline(session, query, statuses, size)))

    def late_cases(self, session: Session) -> list[LateCase]:
        """Return what waits on the late desk, the earliest end first."""
        now = clock.now()
        cases = [
            _late_case(
                row, each, _me(session, row), ledger, self._name(session, ledger.negotiation.other(_me(session, row)))
            )
            for row, ledger in (
                (row, Ledger.of(store.load(session, row), now))
                for row in listing.undecided(session, now, INQUIRIES_MAX)
            )
            for each in ledger.acceptances.values()
            if each.state in _UNDECIDED
        ]
        return sorted(cases, key=lambda each: each.decide_until or now)

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
        offers = store.offer_rows(session, [row.id for row in rows])
        for row, line in zip(rows, self._lines(session, rows), strict=True):
            names = {PartyId(row.seller_id): line.other_name, PartyId(row.buyer_id): ""}
            ledger = Ledger.of(loaded[row.id], now)
            rounds = _rounds(ledger, said.get(row.id, []), offers, names, PartyId(row.buyer_id))
            columns += _columns(row, line, [each for each in rounds if not each.is_ours], lines)
        return Comparison(inquiry, document, lines, _with_best(columns, lines))

    def inquiries(
        self, session: Session, *, cursor: str | None = None, size: int = INQUIRIES_MAX
    ) -> tuple[list[InquiryRow], str | None]:
        """Return a page of the inquiries that the organisation sent, the latest first, and the cursor of the next."""
        return paging.page(session, select(InquiryRow), InquiryRow.created_at, InquiryRow.id, cursor, size)

    def _lines(self, session: Session, rows: Sequence[DealRow]) -> list[DealLine]:
        names: dict[PartyId, str] = {}
        now, found = clock.now(), []
        for row in rows:
            me = _me(session, row)
            other = PartyId(row.seller_id if me == row.buyer_id else row.buyer_id)
            if other not in names:
                names[other] = self._name(session, other)
            found.append(_line(row, listing.current(session, row, now), me, names[other]))
        return found

    def _name(self, session: Session, party: PartyId) -> str:
        return self.hooks.party(session, party).name or party


def actions(ledger: Ledger, me: PartyId) -> tuple[Action, ...]:
    """Return what ``me`` may do now, an act on acceptances once for each that allows it, and for the rest why not."""
    negotiation, now, found = ledger.negotiation, ledger.now, ledger.states
    theirs = [each for each in negotiation.offers if each.by != me and each.id in found]
    ours = [each for each in negotiation.offers if each.by == me and each.id in found]
    closed = ledger.is_closed
    concluded = Refused("CONCLUDED", negotiation.regime) if closed else None

    def latest(offers: Sequence[Offer], *states: State) -> Offer | None:
        return next((each for each in reversed(offers) if found.get(each.id) in states), None)

    def tried(kind: Kind, offer: Offer | None) -> Action:
        if offer is None:
            return Action(str(kind), None, concluded or Refused("NO_SUCH_OFFER", negotiation.regime))
        refused = model.refusal(negotiation, Statement("?", kind, me, offer.id), now=now, ledger=ledger)
        return Action(str(kind), offer.id, refused)

    effective = [each for each in reversed(theirs) if found[each.id] is State.EFFECTIVE]
    # of alternatives, not one that was passed over
    to_answer = (each for each in effective if each.group is None or tried(Kind.ACCEPT, each).is_possible)
    standing = next(to_answer, next(iter(effective), None))
    last = standing or (theirs[-1] if theirs else None)
    base = last or (negotiation.offers[-1] if negotiation.offers else None)
    amending = standing is not None and standing.amends is not None
    counter = None if amending else concluded
    sent = latest(ours, State.DISPATCHED, State.UNDELIVERED)
    found_by_kind = {
        Kind.ACCEPT: last,
        Kind.REJECT: last,
        Kind.REVOKE: latest(ours, State.EFFECTIVE) or sent,
        Kind.WITHDRAW: sent or latest(ours, State.EFFECTIVE),
        Kind.PERFORM: standing,
        Kind.RELY: standing,
        Kind.CANCEL: None if closed else latest(ours, State.INVITATION),
        Kind.DISREGARD: sent,
    }
    agreed = [each for each in ledger.contracts() if each.is_live]
    return (
        *(tried(kind, offer) for kind, offer in found_by_kind.items()),
        *(each for kind in sorted(model.OF_ACCEPTANCES) for each in _on_acceptances(ledger, me, kind)),
        Action("counter", base.id if base else None, counter),
        *([_amending(each, negotiation) for each in agreed] or [Action("amend", refused=_no_contract(negotiation))]),
        Action("comment"),
    )


def _amending(contract: Contract, negotiation: Negotiation) -> Action:
    refused = None if contract.state in AMENDABLE else _no_contract(negotiation)
    return Action("amend", contract.offer.id, refused, acceptance=contract.id)


def _no_contract(negotiation: Negotiation) -> Refused:
    return Refused("NO_CONTRACT", negotiation.regime)


def _on_acceptances(ledger: Ledger, me: PartyId, kind: Kind) -> Sequence[Action]:
    """Return the act on each acceptance that allows it; else why the latest does not."""
    negotiation = ledger.negotiation
    held = list(ledger.acceptances.values())
    undecided = [each for each in held if each.is_live and each.state is not ContractState.CONCLUDED]
    tried = []
    for each in undecided or held[-1:]:
        said = Statement("?", kind, me, each.statement.id)
        refused = model.refusal(negotiation, said, now=ledger.now, ledger=ledger)
        if refused is None or refused.code not in _OTHERS:
            tried.append(Action(str(kind), each.standing.offer.id, refused, acceptance=each.statement.id))
    none = Refused("CONCLUDED" if ledger.is_closed else "NO_SUCH_OFFER", negotiation.regime)
    return [each for each in tried if each.is_possible] or tried[-1:] or [Action(str(kind), refused=none)]


_OTHERS = frozenset({"NOT_OFFEROR", "NOT_OFFEREE"})
"""Refusals of what is for the other side to say."""


_UNDECIDED: Mapping[ContractState, str] = {
    ContractState.AWAITING_ELECTION: "late",
    ContractState.DISPUTED_TIME: "disputed",
    ContractState.CONCLUDED_OBJECTABLE: "changed",
}
_DECIDED_BY: Mapping[str, tuple[Kind, ...]] = {
    "late": (Kind.ELECT_LATE, Kind.LAPSE_NOTICE),
    "disputed": (Kind.ADMIT_TIME, Kind.LAPSE_NOTICE),
    "changed": (Kind.OBJECT,),
    "delayed": (Kind.LAPSE_NOTICE,),
}


def _late_case(row: DealRow, acceptance: Acceptance, me: PartyId, ledger: Ledger, other_name: str) -> LateCase:
    what = "delayed" if acceptance.is_delayed else _UNDECIDED[acceptance.state]
    said, offer = acceptance.statement, acceptance.standing.offer
    return LateCase(
        row=row, acceptance=said.id, other_name=other_name, what=what, kinds=_DECIDED_BY[what], is_mine=offer.by == me,
        sent_at=said.dispatched_at, claimed_at=said.claimed_at, reached_at=acceptance.effective_at,
        deadline=ledger.deadline(offer), decide_until=acceptance.window_until,
    )  # fmt: skip


def _me(session: Session, row: DealRow) -> PartyId:
    org = org_of(session)
    return PartyId(row.seller_id if org == row.seller_id else row.buyer_id)


def _rounds(
    ledger: Ledger,
    entries: Iterable[StatementRow],
    rows: Mapping[str, OfferRow],
    names: dict[PartyId, str],
    me: PartyId,
) -> tuple[Round, ...]:
    by_id = {entry.id: entry for entry in entries}
    negotiation, states = ledger.negotiation, ledger.states
    reached = {each.about: each.at for each in negotiation.statements if each.kind is Kind.REACH}
    found = []
    for number, offer in enumerate(negotiation.offers, 1):
        entry, shown = by_id[offer.id], rows[offer.id].summary or drafting.summary(offer.document)
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
                state=states.get(offer.id, State.ACCEPTED),
                deadline=ledger.deadline(offer) if offer.firm else None,
                message_id=entry.message_id,
                total=None if shown["total"] is None else Decimal(shown["total"]),
                currency=shown["currency"],
                delivery=None if shown["delivery"] is None else date.fromisoformat(shown["delivery"]),
                payment=shown["payment"],
                incoterm=shown["incoterm"],
                line_count=shown["lines"],
                note=entry.text,
                open_lines=dict(ledger.standings[offer.id].remaining) if offer.id in ledger.standings else {},
                files=tuple((digest, name) for digest, name in shown.get("files", ())),
            )
        )
    return tuple(found)


def _held(session: Session, negotiation: Negotiation) -> frozenset[str]:
    files = {each.sha256 for each in attachments.files(session, negotiation.id)}
    named = {each.standard_terms for each in negotiation.offers if each.standard_terms}
    return frozenset(files | {each for each in named if publishing.by_hash(session, each) is not None})


def _said(
    entries: Sequence[StatementRow], rounds: Sequence[Round], names: dict[PartyId, str], me: PartyId
) -> tuple[Said, ...]:
    numbers = {each.offer.id: each.number for each in rounds}
    accepted = {each.id: numbers.get(each.about or "") for each in entries if each.kind == Kind.ACCEPT}

    @cache
    def named() -> dict[str, str]:
        return threads.labels(rounds[-1].document)

    return tuple(
        Said(
            row=entry,
            by_name=names.get(PartyId(entry.by_id)) if entry.by_id else None,
            is_ours=entry.by_id == me,
            round=numbers.get(entry.offer_id or ""),
            about=numbers.get(entry.about or "") or accepted.get(entry.about or ""),
            topic=threads.topic(entry.particulars["term"], named()) if entry.particulars.get("term") else None,
        )
        for entry in entries
    )


def _line(row: DealRow, seen: Outlook, me: PartyId, name: str) -> DealLine:
    is_buyer = me == row.buyer_id
    return DealLine(
        row=row,
        other_name=name,
        status=seen.buyer_status if is_buyer else seen.seller_status,
        deadline=seen.due_at,
        rounds=seen.rounds,
        total=None if seen.total is None else Value(compare.Sort.MONEY, seen.total, seen.currency),
        is_buyer=is_buyer,
    )


def _by_deal(entries: Iterable[StatementRow]) -> dict[str, list[StatementRow]]:
    found: dict[str, list[StatementRow]] = {}
    for entry in entries:
        found.setdefault(entry.deal_id, []).append(entry)
    return found


def _columns(row: DealRow, line: DealLine, theirs: Sequence[Round], asked: Sequence[tuple[str, Line]]) -> list[Column]:
    """Return the supplier's last word: what it accepted or what is open, else what it said last.

    It is several where alternatives are open, of which the buyer picks one.
    """
    said = [each for each in theirs if each.kind is not Kind.INQUIRY]
    alive = [each for each in said if each.is_open or each.state in model.BOUND]
    last = next(reversed(alive or said), None)
    group = last.offer.group if last is not None and last.is_open else None
    choices = [each for each in alive if group and each.is_open and each.offer.group == group]
    if len(choices) < 2:
        return [_column(row, line, last, asked)]
    return [replace(_column(row, line, each, asked), alternative=place) for place, each in enumerate(choices, 1)]


def _column(row: DealRow, line: DealLine, last: Round | None, asked: Sequence[tuple[str, Line]]) -> Column:
    cells = tuple(_cell(last, each) for _, each in asked)
    amounts = [cell.amount for cell in cells if cell.amount is not None]
    complete = len(amounts) == len(cells)
    total = None
    if last is not None and amounts:
        total = Value(compare.Sort.MONEY, added(amounts), last.document.currency)
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
