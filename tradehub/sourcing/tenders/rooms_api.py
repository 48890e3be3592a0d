"""The REST API of tenders beside bid and award: what both sides see of one, and what they do before and around it.

Who opens sealed bids and who evaluates are people, named one by one, with passphrases and reasons of their own: no
program does that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from flask_babel import gettext
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from tradehub.documents import Inquiry, PartyId
from tradehub.documents.lines import keyed
from tradehub.partners.fitting import unfit_inquiry, unknown_supplier
from tradehub.partners.suggesting import Suggest
from tradehub.platform import http
from tradehub.platform.api import Answer, Api, Entry, example
from tradehub.platform.faults import WORDS, Fault, fault
from tradehub.platform.problems import Problem
from tradehub.sourcing.tenders import landed
from tradehub.sourcing.tenders.awarding import Limits
from tradehub.sourcing.tenders.comparison import Cell
from tradehub.sourcing.tenders.forms import HOWS
from tradehub.sourcing.tenders.hooks import Actor
from tradehub.sourcing.tenders.landed import WAY, Basis
from tradehub.sourcing.tenders.model import HUNDRED, Criterion, Notice, Stage, StageKind, Submission
from tradehub.sourcing.tenders.plan import Evaluator, Plan
from tradehub.sourcing.tenders.reading import SERVE, BidderRoom, BuyerRoom, TenderLine
from tradehub.sourcing.tenders.service import Opener, TenderDraft, TenderService

Title = Annotated[str, Field(min_length=1, max_length=200)]
Long = Annotated[str, Field(min_length=1, max_length=8_000)]
Id = Annotated[str, Field(min_length=1, max_length=64)]


class TendersQuery(Entry):
    """``q`` is part of a number or a title; ``running`` leaves out what is over."""

    q: Annotated[str, Field(max_length=200)] = ""
    running: bool = False


class TenderSummary(BaseModel):
    """``todo`` says what the caller may do next: publish, answer, open, evaluate, award, acknowledge, bid, or nothing."""

    id: str
    number: str
    title: str
    is_ours: bool
    buyer_name: str
    phase: str
    stage: str | None
    until: datetime | None
    todo: str


class TendersPage(Answer):
    """One's own tenders and those that one may bid in, at most 200 of each, the latest first."""

    tenders: list[TenderSummary]


class PersonShown(BaseModel):
    id: str
    name: str


class PeopleShown(Answer):
    """Who of one's own people may open and evaluate."""

    people: list[PersonShown]


class OpenerChange(BaseModel):
    """``joined`` took the place of ``left``."""

    left: str
    joined: str
    at: datetime


class AnswerGiven(BaseModel):
    """An answer that every bidder reads."""

    question: str
    answer: str
    at: datetime


class QuestionAsked(BaseModel):
    """Of a bidder its own, of the buyer all; ``supplier`` asked it."""

    id: str
    supplier: str
    text: str
    at: datetime
    answered_at: datetime | None


class BidShown(BaseModel):
    """A bid of one's own. ``salt`` is told once the bid is open: with it the contents give the ``fingerprint``."""

    number: int
    stage: str
    state: str
    at: datetime
    fingerprint: str
    envelope_sha256: str | None
    salt: str | None


class BidderStanding(BaseModel):
    """What a bidder may know beside the document. ``takes``: stages for which it may bid now; ``acknowledged``: the
    version that it has confirmed."""

    acknowledged: int | None
    takes: list[str]
    questions: list[QuestionAsked]
    bids: list[BidShown]
    verdicts: dict[str, bool]


class InvitedShown(BaseModel):
    supplier: str
    name: str
    deal: str | None


class OpenerShown(BaseModel):
    name: str
    has_passphrase: bool
    has_agreed: list[str]
    """Stages that this person has agreed to open."""


class OpenedBid(BaseModel):
    """A bid after the opening of its stage. ``score`` is the mean of the evaluators'; ``fault`` the rule under which its
    deal did not take it."""

    supplier: str
    stage: str
    submission: Submission
    score: Decimal | None
    fault: str


class BuyerStanding(BaseModel):
    """What the buyer may know. Before a stage is opened, of its bids only how many there are (``counts``)."""

    invited: list[InvitedShown]
    openers: list[OpenerShown]
    counts: dict[str, int]
    questions: list[QuestionAsked]
    opened: list[OpenedBid]
    plan: Plan


class TenderDocument(Answer):
    """The latest version of what every bidder is shown, its SHA-256 (null before it is published), where the tender
    stands, and who of those who open sealed bids took another's place. ``bidder`` or ``buyer`` is the caller's own part.
    """

    id: str
    notice: Notice
    sha256: str | None
    phase: str
    stage: str | None
    until: datetime | None
    answers: list[AnswerGiven]
    opener_changes: list[OpenerChange]
    bidder: BidderStanding | None = None
    buyer: BuyerStanding | None = None


class TenderEntry(Entry):
    """A tender as written; nobody is told before it is published. ``document`` holds the lines and terms asked for.

    ``openers`` are two of one's people, or three with a deputy, where bids are sealed; ``evaluators`` are needed where
    there is more to judge than the price. ``questions_until`` is the last closing unless it is given.
    """

    model_config = example(
        {
            "title": "Valves 2027", "suppliers": ["delta"], "is_sealed": False, "valid_until": "2027-06-30",
            "document": {
                "currency": "EUR", "delivery_terms": {"incoterm": "DAP", "place": "Hamburg"},
                "lines": [
                    {"number": "1", "item": {"name": "Valve V-22"}, "quantity": {"value": "1000", "unit": "C62"}}
                ],
            },
            "stages": [{"kind": "commercial", "closes_at": "2027-03-31T12:00:00+02:00"}],
            "criteria": [
                {"key": "price", "name": "Price", "stage": "commercial", "weight": "100", "is_price": True}
            ],
        }
    )  # fmt: skip

    title: Title
    text: Annotated[str, Field(max_length=8_000)] = ""
    document: Inquiry
    suppliers: Annotated[tuple[Id, ...], Field(max_length=200)] = ()
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=3)]
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1, max_length=60)]
    is_open: bool = False
    is_sealed: bool = True
    is_divisible: bool = True
    questions_until: datetime | None = None
    valid_until: date
    note: Annotated[str, Field(max_length=2_000)] = ""
    openers: Annotated[tuple[Id, ...], Field(max_length=3)] = ()
    evaluators: Annotated[tuple[Id, ...], Field(max_length=60)] = ()


class NothingMore(Entry):
    """Nothing: the address says it all."""

    model_config = example({})


class AddendumEntry(Entry):
    """What changes, in words, and the first closing where it moves back; later times move by as much."""

    model_config = example({"change": "Line 1: stainless steel only.", "closes_at": "2027-04-07T12:00:00+02:00"})

    change: Long
    closes_at: datetime | None = None


class QuestionEntry(Entry):
    model_config = example({"text": "Is the seal kit to be delivered apart?"})

    text: Long


class AnswerEntry(Entry):
    """The answer to a question, to all bidders. ``wording`` is the question as they read it, free of what tells who
    asked."""

    model_config = example(
        {"question": "0198f2a4c1d07b6c9f3e2d1c0b9a8877", "wording": "Are seal kits delivered apart?", "answer": "Yes."}
    )

    question: Id
    wording: Long
    answer: Long


class AcknowledgementEntry(Entry):
    """The version of the document that was read."""

    model_config = example({"version": 1})

    version: Annotated[int, Field(ge=1, lt=2**31)]


class StageEntry(Entry):
    model_config = example({"stage": "commercial"})

    stage: StageKind = StageKind.COMMERCIAL


class PlanEntry(Entry):
    """What offers are compared by (``basis``), how the award is limited, the highest landed unit costs by line, and who
    evaluates. It takes the place of what was stated before; no bidder learns it."""

    model_config = example(
        {
            "basis": {
                "currency": "EUR", "rates": [{"currency": "USD", "rate": "0.92", "on": "2026-11-20", "source": "ECB"}],
                "charges": [{"part": "main", "amount": "0.40", "how": "unit"}], "duty": "2.7",
            },
            "award": {"suppliers_max": 2},
        }
    )  # fmt: skip

    note: Annotated[str, Field(max_length=2_000)] = ""
    basis: Basis
    award: Limits = Limits()
    limit_prices: Annotated[tuple[tuple[str, Decimal], ...], Field(max_length=10_000)] = ()
    evaluators: Annotated[tuple[Id, ...], Field(max_length=60)] = ()


class LandedCell(BaseModel):
    """A line of a bid at landed cost. ``why_not`` says why it cannot be compared; ``missing``: parts of the way without a
    stated cost, which count nought."""

    line: str
    unit_cost: Decimal | None
    amount: Decimal | None
    least: Decimal
    most: Decimal
    is_best: bool
    is_over_limit: bool
    why_not: str
    missing: list[str]


class LandedBid(BaseModel):
    """A bidder: ``total`` where every line is quoted whole; ``place`` and ``points`` by all criteria."""

    supplier: str
    name: str
    total: Decimal | None
    is_best: bool
    place: int | None
    points: Decimal | None
    lines: list[LandedCell]


class TenderComparison(Answer):
    """The opened bids side by side at landed cost, in ``currency``; none before the opening."""

    currency: str
    bids: list[LandedBid]


def add(endpoints: Api, service: TenderService, suggest: Suggest) -> None:
    """Add the endpoints. ``suggest`` finds whom the organisation may invite."""
    _add_reading(endpoints, service)
    _add_writing(endpoints, service, suggest)
    _add_talk(endpoints, service)


def _add_reading(endpoints: Api, service: TenderService) -> None:
    def tenders(session: Session, query: TendersQuery) -> TendersPage:
        """List the tenders that the organisation wrote, and those in which it may bid."""
        who = http.principal()
        found = service.tenders(session, who.user_id, text=query.q, running=query.running)
        return TendersPage(tenders=[_summary(each, service.hooks.name_of(session, who.org)) for each in found])

    def people(session: Session) -> PeopleShown:
        """List who of one's own people may open and evaluate tenders."""
        return PeopleShown(people=[PersonShown(id=id, name=name) for id, name in service.people(session)])

    def tender(session: Session, tender_id: str) -> TenderDocument:
        """Show the tender document in its latest version, where the tender stands, and one's own part in it."""
        return _shown(session, service, tender_id)

    def tender_comparison(session: Session, tender_id: str) -> TenderComparison:
        """Show the buyer the opened bids at landed cost, with places and points."""
        room = service.buyer_room(session, tender_id)
        currency = room.plan.basis.currency
        if StageKind.COMMERCIAL not in room.standing.opened:
            return TenderComparison(currency=currency, bids=[])
        grid = service.grid_of(room, room.plan)
        ranked = {each.supplier: each for each in service.compared(session, room).ranking}
        return TenderComparison(
            currency=currency,
            bids=[
                LandedBid(
                    supplier=each.supplier, name=room.names[each.supplier], total=each.total, is_best=each.is_best,
                    place=ranked[each.supplier].place if each.supplier in ranked else None,
                    points=ranked[each.supplier].total if each.supplier in ranked else None,
                    lines=[_cell(cell) for cell in each.cells],
                )
                for each in grid.columns
            ],
        )  # fmt: skip

    endpoints.read("/tenders", tenders, permission="deal.read", query=TendersQuery, answer=TendersPage)
    endpoints.read("/tenders/people", people, permission="inquiry.write", answer=PeopleShown)
    endpoints.read("/tenders/<tender_id>", tender, permission="deal.read", answer=TenderDocument)
    endpoints.read(
        "/tenders/<tender_id>/comparison", tender_comparison, permission="deal.read", answer=TenderComparison
    )


def _add_writing(endpoints: Api, service: TenderService, suggest: Suggest) -> None:
    def write_tender(session: Session, body: TenderEntry) -> tuple[int, TenderDocument]:
        """Write a tender down. Nobody is told of it before it is published."""
        people = dict(service.people(session))
        known = {each: any(found.id == each for found in suggest(session, each)) for each in body.suppliers}
        if wrong := list(_unfit(body, people, known)):
            raise Problem("does-not-fit", errors=wrong)
        made = service.create(session, actor(), _draft(body, people))
        return 201, _shown(session, service, made)

    def plan_tender(session: Session, body: PlanEntry, tender_id: str) -> tuple[int, TenderDocument]:
        """State what offers are compared by and how the award is limited."""
        room, people = service.buyer_room(session, tender_id), dict(service.people(session))
        if wrong := list(_unfit_plan(body, room, people)):
            raise Problem("does-not-fit", errors=wrong)
        stages = [each.kind for each in room.notice.stages]
        plan = Plan(
            note=body.note, basis=body.basis, award=body.award, limit_prices=body.limit_prices,
            evaluators=_evaluators(body.evaluators, people, stages) if body.evaluators else room.plan.evaluators,
        )  # fmt: skip
        service.set_plan(session, actor(), tender_id, plan)
        return 201, _shown(session, service, tender_id)

    def acting(act: Callable[[Session, Any, str], object], said: str, name: str) -> Callable[..., Any]:
        def run(session: Session, body: Any, tender_id: str) -> tuple[int, TenderDocument]:
            act(session, body, tender_id)
            return 201, _shown(session, service, tender_id)

        run.__doc__, run.__name__ = said, name
        return run

    def addendum(session: Session, body: AddendumEntry, tender_id: str) -> None:
        closes_at = body.closes_at or service.buyer_room(session, tender_id).notice.stages[0].closes_at
        service.amend(session, actor(), tender_id, body.change, closes_at)

    one = "/tenders/<tender_id>"
    endpoints.write("/tenders", write_tender, permission="inquiry.write", body=TenderEntry, answer=TenderDocument)
    endpoints.write(f"{one}/plan", plan_tender, permission="inquiry.write", body=PlanEntry, answer=TenderDocument)
    acts: Sequence[tuple[str, str, type[Entry], Callable[[Session, Any, str], object], str]] = (
        ("publication", "inquiry.write", NothingMore,
         lambda session, _body, id: service.publish(session, actor(), id),
         "Publish a tender: its suppliers are asked, a deal with each. Sealed ones wait for the openers' passphrases."),
        ("cancellation", "inquiry.write", NothingMore,
         lambda session, _body, id: service.cancel(session, actor(), id),
         "End a tender without an award. Sealed bids stay sealed for good."),
        ("addenda", "inquiry.write", AddendumEntry, addendum,
         "Publish an addendum, which every bidder acknowledges before it bids."),
        ("openings", SERVE, StageEntry,
         lambda session, body, id: service.open_unsealed(session, actor(), id, body.stage),
         "Open a stage of a tender without seals, after its closing. Sealed ones are opened by two people on the pages."),
    )  # fmt: skip
    for name, permission, body, act, said in acts:
        endpoints.write(
            f"{one}/{name}", acting(act, said, name), permission=permission, body=body, answer=TenderDocument
        )


def _add_talk(endpoints: Api, service: TenderService) -> None:
    def ask_of_tender(session: Session, body: QuestionEntry, tender_id: str) -> tuple[int, TenderDocument]:
        """Ask the buyer something, as a bidder. The answer goes to all, without who asked."""
        service.ask(session, actor(), tender_id, body.text)
        return 201, _shown(session, service, tender_id)

    def answer_of_tender(session: Session, body: AnswerEntry, tender_id: str) -> tuple[int, TenderDocument]:
        """Answer a bidder's question, to all bidders."""
        service.buyer_room(session, tender_id)
        service.answer(session, actor(), tender_id, body.question, body.wording, body.answer)
        return 201, _shown(session, service, tender_id)

    def acknowledge(session: Session, body: AcknowledgementEntry, tender_id: str) -> tuple[int, TenderDocument]:
        """Confirm, as a bidder, that one has read the document up to a version."""
        service.acknowledge(session, actor(), tender_id, body.version)
        return 201, _shown(session, service, tender_id)

    def withdraw_bid(session: Session, body: StageEntry, tender_id: str) -> tuple[int, TenderDocument]:
        """Take one's bid for a stage back before the closing. It is never opened."""
        service.withdraw(session, actor(), tender_id, body.stage)
        return 201, _shown(session, service, tender_id)

    one, talk = "/tenders/<tender_id>", "deal.negotiate"
    endpoints.write(f"{one}/questions", ask_of_tender, permission=talk, body=QuestionEntry, answer=TenderDocument)
    endpoints.write(
        f"{one}/answers", answer_of_tender, permission="inquiry.write", body=AnswerEntry, answer=TenderDocument
    )
    endpoints.write(
        f"{one}/acknowledgements", acknowledge, permission=talk, body=AcknowledgementEntry, answer=TenderDocument
    )
    endpoints.write(f"{one}/withdrawals", withdraw_bid, permission=talk, body=StageEntry, answer=TenderDocument)


def actor() -> Actor:
    who = http.principal()
    return Actor(who.org, who.user_id, who.name, "api")


def _draft(body: TenderEntry, people: dict[str, str]) -> TenderDraft:
    last, kinds = body.stages[-1].closes_at, [each.kind for each in body.stages]
    notice = Notice(
        number="", title=body.title, text=body.text, inquiry=body.document, stages=body.stages, criteria=body.criteria,
        is_open=body.is_open, is_sealed=body.is_sealed, is_divisible=body.is_divisible,
        questions_until=body.questions_until or last, valid_until=body.valid_until,
    )  # fmt: skip
    plan = Plan(
        note=body.note, basis=Basis(currency=body.document.currency or "EUR"),
        evaluators=_evaluators(body.evaluators, people, kinds),
    )  # fmt: skip
    openers = [Opener(id, people[id]) for id in body.openers] if body.is_sealed else []
    return TenderDraft(notice, plan, [PartyId(each) for each in body.suppliers], openers)


def _evaluators(chosen: Sequence[str], people: dict[str, str], kinds: Sequence[StageKind]) -> tuple[Evaluator, ...]:
    return tuple(Evaluator(stage=kind, user_id=id, name=people[id]) for kind in kinds for id in dict.fromkeys(chosen))


# --- what does not fit --------------------------------------------------------------------------------


def _unfit(body: TenderEntry, people: dict[str, str], known: dict[str, bool]) -> Iterator[Fault]:
    """Name what the form would not take either."""
    yield from _unfit_lines(body.document)
    for place, each in enumerate(body.suppliers):
        if not known[each]:
            yield unknown_supplier(f"/suppliers/{place}", each)
    if not body.suppliers and not body.is_open:
        yield fault("/suppliers", "missing", gettext("Choose at least one supplier."))
    seen: set[str] = set()
    for place, criterion in enumerate(body.criteria):
        if criterion.key in seen:
            yield fault(f"/criteria/{place}/key", "given_twice", WORDS["given_twice"], criterion.key)
        seen.add(criterion.key)
    for place, stage in enumerate(body.stages):
        if stage.pass_mark is not None and not 0 <= stage.pass_mark <= HUNDRED:
            yield _percent(f"/stages/{place}/pass_mark", stage.pass_mark)
    if body.is_sealed:
        yield from _strangers("openers", body.openers, people)
    yield from _strangers("evaluators", body.evaluators, people)
    judged = len(body.stages) > 1 or any(not each.is_price for each in body.criteria)
    if judged and not body.evaluators:
        yield fault("/evaluators", "missing", gettext("Choose who evaluates."))


def _unfit_lines(document: Inquiry) -> Iterator[Fault]:
    if document.currency is None:
        yield fault("/document/currency", "missing", WORDS["missing"])
    yield from unfit_inquiry(document, document.lines)
    for place, line in enumerate(document.lines):
        at = f"/document/lines/{place}"
        if not (line.item.name or line.item.ids):
            yield fault(f"{at}/item", "missing", gettext("Name the item."))
        if line.quantity is None:
            yield fault(f"{at}/quantity", "missing", WORDS["missing"])
        elif line.quantity.value <= 0:
            yield _above_zero(f"{at}/quantity/value", line.quantity.value)


def _unfit_plan(body: PlanEntry, room: BuyerRoom, people: dict[str, str]) -> Iterator[Fault]:
    yield from _unfit_basis(body.basis, room)
    basis, lines = body.basis, tuple(keyed(room.notice.inquiry.lines))
    percents = {
        "basis/duty": basis.duty,
        "award/share_min": body.award.share_min,
        "award/share_max": body.award.share_max,
    }
    percents |= {f"basis/duty_by_line/{place}/1": duty for place, (_line, duty) in enumerate(basis.duty_by_line)}
    for name, value in percents.items():
        if value is not None and not 0 <= value <= HUNDRED:
            yield _percent(f"/{name}", value)
    if body.award.suppliers_max is not None and body.award.suppliers_max < 1:
        yield _above_zero("/award/suppliers_max", body.award.suppliers_max)
    for name, numbers in (("basis/duty_by_line", basis.duty_by_line), ("limit_prices", body.limit_prices)):
        for place, (number, _value) in enumerate(numbers):
            yield from _not_among(f"/{name}/{place}/0", number, lines)
    yield from _strangers("evaluators", body.evaluators, people)


def _unfit_basis(basis: Basis, room: BuyerRoom) -> Iterator[Fault]:
    for place, rate in enumerate(basis.rates):
        if rate.rate <= 0:
            yield _above_zero(f"/basis/rates/{place}/rate", rate.rate)
    for place, charge in enumerate(basis.charges):
        at = f"/basis/charges/{place}"
        yield from _not_among(f"{at}/part", charge.part, WAY)
        yield from _not_among(f"{at}/how", charge.how, HOWS)
        if charge.supplier is not None and charge.supplier not in room.names:
            yield unknown_supplier(f"{at}/supplier", charge.supplier)
        if charge.amount < 0:
            yield fault(f"{at}/amount", "greater_than_equal", WORDS["greater_than_equal"] % {"ge": 0}, charge.amount)
    yield from _not_among("/basis/duty_base", basis.duty_base, ("cif", "fob"))
    for place, (_unit, content) in enumerate(basis.packs):
        if content <= 0:
            yield _above_zero(f"/basis/packs/{place}/1", content)


def _strangers(name: str, chosen: Sequence[str], people: dict[str, str]) -> Iterator[Fault]:
    for place, each in enumerate(chosen):
        if each not in people:
            yield fault(f"/{name}/{place}", "none_of_yours", gettext("This is none of your people."), each)


def _not_among(at: str, value: str, known: Sequence[str]) -> Iterator[Fault]:
    if value not in known:
        expected = ", ".join(known[:20])
        yield fault(at, "literal_error", WORDS["literal_error"] % {"expected": expected}, value)


def _above_zero(at: str, value: Decimal | int) -> Fault:
    return fault(at, "greater_than", WORDS["greater_than"] % {"gt": 0}, value)


def _percent(at: str, value: Decimal) -> Fault:
    return fault(at, "less_than_equal", WORDS["less_than_equal"] % {"le": 100}, value)


# --- what is shown ------------------------------------------------------------------------------------


def _summary(line: TenderLine, own_name: str) -> TenderSummary:
    return TenderSummary(
        id=line.id, number=line.number, title=line.title, is_ours=line.is_ours,
        buyer_name=own_name if line.is_ours else line.other_name, phase=str(line.where.phase),
        stage=line.where.stage, until=line.where.until, todo=line.todo,
    )  # fmt: skip


def _shown(session: Session, service: TenderService, tender_id: str) -> TenderDocument:
    is_ours = service.is_ours(session, tender_id)
    room: BuyerRoom | BidderRoom = (
        service.buyer_room(session, tender_id) if is_ours else service.bidder_room(session, tender_id)
    )
    return TenderDocument(
        id=tender_id, notice=room.notice, sha256=room.versions[-1].sha256 if room.versions else None,
        phase=str(room.where.phase), stage=room.where.stage, until=room.where.until,
        answers=[AnswerGiven(question=each.question, answer=each.answer, at=each.at) for each in room.answers],
        opener_changes=[OpenerChange(left=each.left, joined=each.joined, at=each.at) for each in room.opener_changes],
        bidder=None if isinstance(room, BuyerRoom) else _bidder(room),
        buyer=_buyer(room) if isinstance(room, BuyerRoom) else None,
    )  # fmt: skip


def _questions(room: BuyerRoom | BidderRoom) -> list[QuestionAsked]:
    return [
        QuestionAsked(id=each.id, supplier=each.supplier_id, text=each.text, at=each.at, answered_at=each.answered_at)
        for each in room.questions
    ]


def _bidder(room: BidderRoom) -> BidderStanding:
    return BidderStanding(
        acknowledged=room.invitation.acknowledged if room.invitation else None,
        takes=[str(each) for each in room.takes], questions=_questions(room),
        bids=[
            BidShown(
                number=each.number, stage=each.stage, state=each.state, at=each.at, fingerprint=each.fingerprint,
                envelope_sha256=each.envelope_sha256, salt=each.salt,
            )
            for each in room.bids
        ],
        verdicts={str(kind): verdict for kind, verdict in room.verdicts.items()},
    )  # fmt: skip


def _buyer(room: BuyerRoom) -> BuyerStanding:
    deals = {each.supplier_id: each.deal_id for each in room.invited}
    faults = {(each.supplier_id, each.stage): each.fault for each in room.bids}
    return BuyerStanding(
        invited=[InvitedShown(supplier=id, name=name, deal=deals.get(id)) for id, name in room.names.items()],
        openers=[
            OpenerShown(
                name=each.name, has_passphrase=each.public_key is not None,
                has_agreed=[str(kind) for kind, people in room.handed.items() if each.user_id in people],
            )
            for each in room.openers
        ],
        counts={str(kind): count for kind, count in room.counts.items()}, questions=_questions(room),
        opened=[
            OpenedBid(
                supplier=supplier, stage=stage, submission=submission, score=room.scores.get((supplier, stage)),
                fault=faults.get((supplier, stage), ""),
            )
            for (supplier, stage), submission in room.submissions.items()
            if StageKind(stage) in room.standing.opened
        ],
        plan=room.plan,
    )  # fmt: skip


def _cell(cell: Cell) -> LandedCell:
    cost = cell.cost
    return LandedCell(
        line=cost.line, unit_cost=cost.unit, amount=None if cell.amount is None else landed.rounded_money(cell.amount),
        least=cell.least, most=cell.most, is_best=cell.is_best, is_over_limit=cell.is_over, why_not=cost.why_not,
        missing=list(cost.missing),
    )  # fmt: skip
