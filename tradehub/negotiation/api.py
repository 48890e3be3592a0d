"""The REST API of negotiation: the same acts as on the pages, from the same service, with terms as whole documents."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from flask import Blueprint, request
from flask_babel import gettext
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from tradehub.documents import Inquiry, Offer, PartyId, TradeDocument
from tradehub.documents.parts import DatedEvent
from tradehub.negotiation import approved, compare, fitting, publishing, wording
from tradehub.negotiation.acting import permission
from tradehub.negotiation.approved import Amending, Stated, Taking
from tradehub.negotiation.attachments import FILE_MAX, NAMED_MAX, Unfit
from tradehub.negotiation.model import WITHOUT_EFFECT, Conflict, Contract, Kind, Refused, State, lines_of
from tradehub.negotiation.pages import nobody_to_ask
from tradehub.negotiation.reading import Cell, Column, DealLine, DealView, Round, Said
from tradehub.negotiation.recording import Actor, NotFound, Unauthorised, Unsendable
from tradehub.negotiation.service import ACTS, NegotiationService, Pick
from tradehub.negotiation.standard import TEXT_MAX, Clash, Unsound
from tradehub.negotiation.store import DealFileRow, StandardTermsRow
from tradehub.partners.asking import NOT_NEEDED, ApprovalAsked, Ask, asker, unauthorised
from tradehub.partners.authority import Allowed, Forbidden, Needs, Wanted
from tradehub.partners.fitting import unfit, unfit_inquiry, unknown_supplier
from tradehub.partners.suggesting import Suggest
from tradehub.platform import api, http, paging
from tradehub.platform.api import BODY_MAX, Answer, Api, Entry, File, example
from tradehub.platform.db import Database
from tradehub.platform.faults import WORDS, Fault, fault
from tradehub.platform.problems import Problem

Text = Annotated[str, Field(max_length=2000)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]

FILE_TEXT_MAX = -(-FILE_MAX // 3) * 4
"""Characters of the largest file in base64."""

WITHIN_MAX = 10 * 366 * 86_400
"""Seconds for which an offer may be said to stay open: ten years, so that a moment comes of it."""

Quantities = dict[Annotated[str, Field(max_length=35)], Decimal | None]


class DealsQuery(Entry):
    only: Literal["all", "your_turn", "waiting", "expiring", "concluded", "closed"] = "all"
    q: Annotated[str, Field(max_length=200)] = ""
    cursor: paging.Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=paging.LIMIT_MAX)] = 50


class InquiriesQuery(Entry):
    cursor: paging.Cursor | None = None
    limit: Annotated[int, Field(ge=1, le=paging.LIMIT_MAX)] = 50


class SuppliersQuery(Entry):
    """Part of a name, an id or an identifier."""

    q: Annotated[str, Field(max_length=100)] = ""


class RoundsQuery(Entry):
    """The rounds to compare, by number; without them the last two."""

    a: Annotated[int, Field(ge=1)] | None = None
    b: Annotated[int, Field(ge=1)] | None = None


class DealSummary(BaseModel):
    id: str
    number: str
    title: str
    partner: str
    role: str
    status: str
    currency: str | None
    total: Decimal | None
    rounds: int
    open_until: datetime | None
    updated_at: datetime


class DealsPage(Answer):
    deals: list[DealSummary]
    counts: dict[str, int]
    cursor: str | None


class RoundSummary(BaseModel):
    number: int
    offer: str
    kind: str
    by: str
    is_ours: bool
    state: str
    terms_hash: str
    document_number: str
    firm: bool
    total: Decimal | None
    currency: str | None
    at: datetime
    reached_at: datetime | None
    open_until: datetime | None


class ActionAnswer(BaseModel):
    """What the caller may do now. Where not possible: the code, rule, article and sentence that say why.

    ``post`` is the address to say it at. An act on an acceptance is listed once for each ``acceptance`` that allows it:
    an offer may have several (R22).
    """

    name: str
    post: str
    offer: str | None
    acceptance: str | None = None
    is_possible: bool
    code: str | None = None
    rule: str | None = None
    article: str | None = None
    reason: str | None = None


class ContractAnswer(BaseModel):
    id: str
    offer: str
    state: str
    version: int
    terms_hash: str
    concluded_at: datetime | None
    objectable_until: datetime | None
    lines: dict[str, Decimal]
    knocked_out: list[str]


class DealAnswer(Answer):
    id: str
    number: str
    title: str
    buyer: str
    seller: str
    role: str
    regime: str
    status: str
    version: int
    record_intact: bool
    rounds: list[RoundSummary]
    actions: list[ActionAnswer]
    contracts: list[ContractAnswer]

    @property
    def etag(self) -> str:
        return str(self.version)


class TermAnswer(BaseModel):
    term: str
    line: str | None
    before: str | None
    after: str | None
    direction: str


class DiffAnswer(Answer):
    a: int
    b: int
    terms: list[TermAnswer]


class RoundAnswer(RoundSummary, Answer):
    document_kind: str
    document: dict[str, Any]


class FileNamed(BaseModel):
    """A file that goes with words."""

    sha256: str
    name: str


class FileSummary(FileNamed):
    """``is_sent``: a statement names it, so that both parties see it. What it is, ``media_type``, its content says."""

    media_type: str
    length: int
    by: str
    at: datetime
    is_sent: bool


class FileAnswer(FileSummary, Answer):
    pass


class FilesAnswer(Answer):
    files: list[FileSummary]


class StatementAnswer(BaseModel):
    number: int
    id: str
    kind: str
    by: str | None
    about_round: int | None
    makes_round: int | None
    term: str | None
    files: list[FileNamed]
    text: str
    at: datetime
    reached_at: datetime | None
    channel: str
    terms_hash: str | None
    hash: str
    previous: str


class StatementsAnswer(Answer):
    statements: list[StatementAnswer]


class InquirySummary(BaseModel):
    id: str
    number: str
    created_at: datetime


class InquiriesAnswer(Answer):
    inquiries: list[InquirySummary]
    cursor: str | None


class InquiryAnswer(InquirySummary, Answer):
    document: dict[str, Any]
    deals: list[DealSummary]


class SupplierAnswer(BaseModel):
    id: str
    name: str
    hint: str


class SuppliersAnswer(Answer):
    suppliers: list[SupplierAnswer]


class CellAnswer(BaseModel):
    """What one supplier asks for one line; nothing where it offers none. ``per`` is the quantity that the price is for."""

    line: str
    price: Decimal | None
    currency: str | None
    per: Decimal | None
    amount: Decimal | None
    quantity_differs: bool
    is_best: bool


class ColumnAnswer(BaseModel):
    """One supplier's last word on an inquiry; ``offer`` and ``terms_hash`` are what an award of it names."""

    deal: str
    supplier: str
    supplier_name: str
    status: str
    offer: str | None
    terms_hash: str | None
    may_award: bool
    total: Decimal | None
    currency: str | None
    is_complete: bool
    delivery: date | None
    is_best_total: bool
    is_best_delivery: bool
    cells: list[CellAnswer]


class ComparisonAnswer(Answer):
    """The offers on an inquiry side by side. ``best`` is said only among prices of one currency."""

    inquiry: str
    lines: list[str]
    suppliers: list[ColumnAnswer]


_LINE = {
    "number": "1", "item": {"name": "Valve V-22", "ids": [{"scheme": "buyer", "value": "V-22"}]},
    "quantity": {"value": "100", "unit": "C62"},
}  # fmt: skip
_PRICED = {"currency": "USD", "warranty": "24 months", "lines": [{**_LINE, "price": {"amount": "12.40"}}]}
_ROUND = {"offer": "0198f2a4c1d07b6c9f3e2d1c0b9a8877"}
_SEEN = {**_ROUND, "terms_hash": "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"}


class FileEntry(Entry):
    """A file to be named by an inquiry, an offer (``document.attachments``) or a comment. ``content`` is in base64."""

    model_config = example({"name": "V-22 drawing.pdf", "content": "JVBERi0xLjcK"})

    name: Annotated[str, Field(min_length=1, max_length=255)]
    content: Annotated[str, Field(min_length=1, max_length=FILE_TEXT_MAX)]


class InquiryEntry(Entry):
    """What is asked of several suppliers. ``document`` holds the lines and terms; number and parties are the hub's.

    ``files`` go to each of them, together up to the size of one; ``standard_terms`` is the SHA-256 of the buyer's own.
    """

    model_config = example(
        {"suppliers": ["delta"], "document": {"currency": "USD", "custom": [["surface", "polished"]], "lines": [_LINE]}}
    )

    document: Inquiry
    suppliers: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=50)]
    note: Text = ""
    files: Annotated[list[FileEntry], Field(max_length=NAMED_MAX)] = Field(default_factory=list)
    standard_terms: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None


OfferId = Annotated[str, Field(min_length=1, max_length=64)]


class TermsEntry(Entry):
    """Terms of one's own as a document: any header or line term. ``offer`` is the round that it answers."""

    model_config = example({"document": _PRICED, "valid_until": "2026-12-04T17:00:00+08:00", "divisible": True})

    document: Offer
    offer: OfferId | None = None
    firm: bool = True
    valid_until: datetime | None = None
    accept_within_s: Annotated[int, Field(gt=0, le=WITHIN_MAX)] | None = None
    irrevocable: bool = False
    as_is_only: bool = False
    divisible: bool = False
    group: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    performance_accepts: bool = False
    standard_terms: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    expected_version: int | None = None


class AcceptEntry(Entry):
    """``terms_hash`` is that of the round as it was shown. ``lines`` limits it to some, ``document`` changes terms."""

    model_config = example(_SEEN)

    offer: str
    terms_hash: str
    lines: Quantities = Field(default_factory=dict)
    document: Offer | None = None
    conditional: bool = False
    standard_terms: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    expected_version: int | None = None


class TermsApprovalEntry(TermsEntry):
    """An offer that others are asked to approve; ``note`` is for them alone, here and wherever approval is asked for."""

    model_config = example({"document": _PRICED, "valid_until": "2026-12-04T17:00:00+08:00", "note": "As last year."})

    note: Text = ""


class AcceptApprovalEntry(AcceptEntry):
    """An acceptance that others are asked to approve: of all, of some lines, or with terms of one's own."""

    model_config = example({**_SEEN, "note": "Within the budget of May."})

    note: Text = ""


class RejectEntry(Entry):
    """``with_alternatives`` declines the offer's alternatives too: else they stay open, as offers of their own."""

    model_config = example({**_ROUND, "text": "The delivery is too late for us."})

    offer: str
    text: Text = ""
    with_alternatives: bool = False
    expected_version: int | None = None


class CommentEntry(Entry):
    """Words without effect in law. ``term`` is the path of the term that they speak of, as in a diff: ``payment``,
    ``lines.1.price``."""

    model_config = example({"text": "Could you deliver in two lots?", "is_question": True, "term": "lines.1.delivery"})

    text: Annotated[str, Field(min_length=1, max_length=2000)]
    is_question: bool = False
    offer: str | None = None
    term: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    files: Annotated[list[Digest], Field(max_length=NAMED_MAX)] = Field(default_factory=list)


class AmendEntry(Entry):
    """Other terms for the contract, or its end. ``acceptance`` says which where an offer was accepted in parts."""

    model_config = example({"document": _PRICED, "text": "Steel has become cheaper."})

    document: Offer | None = None
    acceptance: str | None = None
    terminates: bool = False
    text: Text = ""
    expected_version: int | None = None


class AmendApprovalEntry(AmendEntry):
    """A change of the contract, or its end, that others are asked to approve."""

    model_config = example({"document": _PRICED, "text": "Steel has become cheaper.", "note": "As agreed by phone."})

    note: Text = ""


class ActEntry(Entry):
    """``offer`` is what the act is about. What is said of an acceptance, such as to confirm, to withdraw or to object,
    is about that of ``acceptance``, or about the latest of ``offer``."""

    model_config = example(_ROUND)

    offer: str | None = None
    acceptance: str | None = None
    text: Text = ""
    terms_hash: str | None = None
    expected_version: int | None = None


class PickEntry(Entry):
    deal: str
    offer: str
    terms_hash: str
    lines: Quantities = Field(default_factory=dict)


class AwardEntry(Entry):
    model_config = example(
        {"picks": [{"deal": "0198f2a4c1d07b6c9f3e2d1c0b9a8866", **_SEEN}], "text": "Thank you for your offer."}
    )

    picks: Annotated[list[PickEntry], Field(min_length=1, max_length=200)]
    text: Text = ""

    @property
    def taken(self) -> list[Pick]:
        return [Pick(each.deal, each.offer, tuple(each.lines.items()), each.terms_hash) for each in self.picks]


class AwardApprovalEntry(AwardEntry):
    """``note`` is for those who approve; the suppliers do not see it."""

    model_config = example(
        {
            "picks": [{"deal": "0198f2a4c1d07b6c9f3e2d1c0b9a8866", **_SEEN}],
            "text": "Thank you for your offer.",
            "note": "The cheapest by USD 900.",
        }
    )

    note: Annotated[str, Field(max_length=2000)] = ""


class Made(Answer):
    """The statement made, and the deal as it stands with it."""

    statement: str
    deal: DealAnswer

    @property
    def etag(self) -> str:
        return self.deal.etag


class Awarded(Answer):
    statements: list[str]


class InquiryMade(Answer):
    inquiry: str


def blueprint(
    service: NegotiationService, database: Database, *, suggest: Suggest, ask: Ask = nobody_to_ask
) -> Blueprint:
    """Return the endpoints. ``suggest`` finds whom the session's organisation may ask for offers, ``ask`` asks for
    approval of what the organisation's own rules do not let go on."""
    routes = Blueprint("negotiation_api", __name__, url_prefix=api.PREFIX)
    endpoints = Api(routes, database, _Told(service, database), (Refused, NotFound, Unfit), "negotiation")
    _add_deals(endpoints, service)
    _add_inquiries(endpoints, service, suggest)
    _add_award(endpoints, service, ask)
    _add_statements(endpoints, service)
    _add_asking(endpoints, service, ask)
    _add_acts(endpoints, service)
    _add_files(endpoints, service)
    _add_standard_terms(endpoints, service)
    return routes


def _add_deals(endpoints: Api, service: NegotiationService) -> None:
    def deals(session: Session, query: DealsQuery) -> DealsPage:
        """List the deals, the last moved first; ``cursor`` of the answer asks for the next page."""
        found = service.deals(session, chip=query.only, text=query.q, cursor=query.cursor, size=query.limit)
        return DealsPage(deals=[_summary(each) for each in found.lines], counts=found.counts, cursor=found.next)

    def deal(session: Session, deal_id: str) -> DealAnswer:
        """Show a deal: its rounds, what may be done now and why not the rest, its contracts."""
        return _deal(service.deal(session, deal_id))

    def round_of_deal(session: Session, deal_id: str, number: int) -> RoundAnswer:
        """Show all terms of one round, as the document that stated them."""
        view = service.deal(session, deal_id)
        found = _round_numbered(view, number)
        shown = found.document.model_dump(mode="json", exclude_defaults=True, exclude={"extensions"})
        return RoundAnswer(**_round(found).model_dump(), document_kind=found.document.kind, document=shown)

    def diff(session: Session, query: RoundsQuery, deal_id: str) -> DiffAnswer:
        """Show which terms differ between two rounds."""
        view = service.deal(session, deal_id)
        last = query.b or len(view.rounds)
        after = _round_numbered(view, last)
        before = _round_numbered(view, query.a or max(last - 1, 1))
        return DiffAnswer(a=before.number, b=after.number, terms=_differing(view, before, after))

    def statements(session: Session, deal_id: str) -> StatementsAnswer:
        """Show all that was said, in its hash chain."""
        return StatementsAnswer(statements=[_statement(each) for each in service.deal(session, deal_id).said])

    endpoints.read("/deals", deals, permission="deal.read", query=DealsQuery, answer=DealsPage)
    endpoints.read("/deals/<deal_id>", deal, permission="deal.read", answer=DealAnswer)
    endpoints.read("/deals/<deal_id>/rounds/<int:number>", round_of_deal, permission="deal.read", answer=RoundAnswer)
    endpoints.read("/deals/<deal_id>/diff", diff, permission="deal.read", query=RoundsQuery, answer=DiffAnswer)
    endpoints.read("/deals/<deal_id>/statements", statements, permission="deal.read", answer=StatementsAnswer)


def _add_inquiries(endpoints: Api, service: NegotiationService, suggest: Suggest) -> None:
    def inquiries(session: Session, query: InquiriesQuery) -> InquiriesAnswer:
        """List the inquiries that the organisation sent, the latest first."""
        found, following = service.inquiries(session, cursor=query.cursor, size=query.limit)
        shown = [InquirySummary(id=each.id, number=each.number, created_at=each.created_at) for each in found]
        return InquiriesAnswer(inquiries=shown, cursor=following)

    def inquiry(session: Session, inquiry_id: str) -> InquiryAnswer:
        """Show an inquiry and the deal with each supplier."""
        found = service.comparison(session, inquiry_id)
        row = found.inquiry
        return InquiryAnswer(
            id=row.id, number=row.number, created_at=row.created_at,
            document=found.document.model_dump(mode="json", exclude_defaults=True),
            deals=[_summary(each.deal) for each in found.columns],
        )  # fmt: skip

    def comparison(session: Session, inquiry_id: str) -> ComparisonAnswer:
        """Show the suppliers' offers on an inquiry side by side."""
        found = service.comparison(session, inquiry_id)
        names = [name for name, _ in found.lines]
        return ComparisonAnswer(
            inquiry=found.inquiry.id, lines=names, suppliers=[_compared(each, names) for each in found.columns]
        )

    def suppliers(session: Session, query: SuppliersQuery) -> SuppliersAnswer:
        """Find whom the organisation may ask for offers."""
        found = suggest(session, query.q.strip())
        return SuppliersAnswer(suppliers=[SupplierAnswer(id=each.id, name=each.name, hint=each.hint) for each in found])

    def send_inquiry(session: Session, body: InquiryEntry) -> tuple[int, InquiryMade]:
        """Ask several suppliers for offers, a deal with each."""
        faults = [
            *_unknown(session, suggest, body.suppliers), *unfit_inquiry(body.document, body.document.lines),
            *_unpublished(session, body.standard_terms),
        ]  # fmt: skip
        if faults:
            raise Problem("does-not-fit", errors=faults)
        suppliers = [PartyId(each) for each in body.suppliers]
        made = service.send_inquiry(
            session, _actor(), body.document, suppliers, note=body.note, standard_terms=body.standard_terms,
            files=[service.keep(each.name, _decoded(each)) for each in body.files],
        )  # fmt: skip
        return 201, InquiryMade(inquiry=made)

    one = "/inquiries/<inquiry_id>"
    endpoints.read("/inquiries", inquiries, permission="deal.read", query=InquiriesQuery, answer=InquiriesAnswer)
    endpoints.read(one, inquiry, permission="deal.read", answer=InquiryAnswer)
    endpoints.read(f"{one}/comparison", comparison, permission="deal.read", answer=ComparisonAnswer)
    endpoints.read("/suppliers", suppliers, permission="inquiry.write", query=SuppliersQuery, answer=SuppliersAnswer)
    endpoints.write(
        "/inquiries", send_inquiry, permission="inquiry.write", body=InquiryEntry, answer=InquiryMade,
        body_max=FILE_TEXT_MAX + BODY_MAX,
    )  # fmt: skip


def _add_award(endpoints: Api, service: NegotiationService, ask: Ask) -> None:
    def award(session: Session, body: AwardEntry, inquiry_id: str) -> tuple[int, Awarded]:
        """Accept what is picked of the suppliers' offers, and decline the others, all or nothing."""
        said = service.award(session, _actor(), inquiry_id, body.taken, text=body.text)
        return 201, Awarded(statements=list(said))

    def ask_award_approval(session: Session, body: AwardApprovalEntry, inquiry_id: str) -> tuple[int, ApprovalAsked]:
        """Ask those who may approve it for an award that is above what the token may bind to."""
        wanted = approved.award(service, session, _actor(), inquiry_id, body.taken, body.text)
        return 201, _asked(service, ask, session, wanted, body.note, rule="R23")

    one = "/inquiries/<inquiry_id>/award"
    endpoints.write(one, award, permission="deal.bind", body=AwardEntry, answer=Awarded)
    endpoints.write(
        f"{one}/approval", ask_award_approval, permission="deal.bind", body=AwardApprovalEntry, answer=ApprovalAsked
    )


def _unknown(session: Session, suggest: Suggest, suppliers: Sequence[str]) -> Iterator[Fault]:
    for place, each in enumerate(suppliers):
        if each not in {found.id for found in suggest(session, each)}:
            yield unknown_supplier(f"/suppliers/{place}", each)


def _add_statements(endpoints: Api, service: NegotiationService) -> None:
    def made(session: Session, deal_id: str, statement: str) -> tuple[int, Made]:
        return 201, Made(statement=statement, deal=_deal(service.deal(session, deal_id)))

    def offer(session: Session, body: TermsEntry, deal_id: str) -> tuple[int, Made]:
        """State terms: a counter-offer where ``offer`` is the other side's open one, else an offer of one's own."""
        _demand_fit(session, body.document, body.standard_terms)
        stated = _stated(body)
        with _placed(lambda code: fitting.indefinite(body.document, code)):
            statement = service.state_terms(
                session, _actor(), deal_id, stated.document, about=body.offer,
                expected_version=api.expected_version(body.expected_version), **stated.particulars,
            )  # fmt: skip
        return made(session, deal_id, statement)

    def accept(session: Session, body: AcceptEntry, deal_id: str) -> tuple[int, Made]:
        """Accept the other side's offer, whole, in part, or with changes of one's own."""
        _demand_fit(session, body.document, body.standard_terms)
        with _placed(lambda code: _not_taken(service, session, deal_id, body, code)):
            statement = service.accept(
                session, _actor(), deal_id, body.offer, terms_hash=body.terms_hash, lines=tuple(body.lines.items()),
                document=body.document, conditional=body.conditional, standard_terms=body.standard_terms,
                expected_version=api.expected_version(body.expected_version),
            )  # fmt: skip
        return made(session, deal_id, statement)

    def reject(session: Session, body: RejectEntry, deal_id: str) -> tuple[int, Made]:
        """Decline an offer."""
        version = api.expected_version(body.expected_version)
        return made(
            session, deal_id,
            service.reject(
                session, _actor(), deal_id, body.offer, text=body.text, with_alternatives=body.with_alternatives,
                expected_version=version,
            ),
        )  # fmt: skip

    def comment(session: Session, body: CommentEntry, deal_id: str) -> tuple[int, Made]:
        """Ask or say something that has no effect in law."""
        with _placed(lambda code: [fault("/term", code, wording.REFUSALS[code], body.term)]):
            statement = service.comment(
                session, _actor(), deal_id, body.text, about=body.offer, term=body.term, is_question=body.is_question,
                files=body.files,
            )  # fmt: skip
        return made(session, deal_id, statement)

    def amend(session: Session, body: AmendEntry, deal_id: str) -> tuple[int, Made]:
        """Propose other terms for the contract of the deal, or its end."""
        _demand_fit(session, body.document, None)
        return made(
            session, deal_id,
            service.amend(
                session, _actor(), deal_id, body.document, terminates=body.terminates, text=body.text,
                acceptance=body.acceptance, expected_version=api.expected_version(body.expected_version),
            ),
        )  # fmt: skip

    at = "/deals/<deal_id>"
    endpoints.write(f"{at}/offers", offer, permission="deal.negotiate", body=TermsEntry, answer=Made)
    endpoints.write(f"{at}/acceptances", accept, permission="deal.bind", body=AcceptEntry, answer=Made)
    endpoints.write(f"{at}/rejections", reject, permission="deal.negotiate", body=RejectEntry, answer=Made)
    endpoints.write(f"{at}/comments", comment, permission="deal.negotiate", body=CommentEntry, answer=Made)
    endpoints.write(f"{at}/amendments", amend, permission="deal.negotiate", body=AmendEntry, answer=Made)


def _add_asking(endpoints: Api, service: NegotiationService, ask: Ask) -> None:
    def ask_acceptance(session: Session, body: AcceptApprovalEntry, deal_id: str) -> tuple[int, ApprovalAsked]:
        """Ask those who may approve it for an acceptance that is above what the token may bind to."""
        view = _seen(service, session, deal_id, body.expected_version)
        round = _round_of(view, body.offer)
        if round.state is State.LAPSED:
            raise Refused("LAPSED", view.negotiation.regime)  # what is approved is an acceptance in time (R14)
        _demand_fit(session, body.document, body.standard_terms)
        taking, version, shown = _taking(round, body), view.version, body.terms_hash

        def accept(who: Actor) -> str:
            return approved.accept(
                service, session, who, view, round, taking, version=version, shown=shown, request_key=None
            )

        with _placed(lambda code: _not_taken(service, session, deal_id, body, code)):
            approved.rehearse(session, _actor(), accept)
        wanted = approved.acceptance(view, round, version, shown, taking)
        return 201, _asked(service, ask, session, wanted, body.note, rule="R8")

    def ask_offer(session: Session, body: TermsApprovalEntry, deal_id: str) -> tuple[int, ApprovalAsked]:
        """Ask those who may approve it for an offer that is above what the token may bind to."""
        view = _seen(service, session, deal_id, body.expected_version)
        base = _round_of(view, body.offer)
        if not body.firm:
            raise _not_needed("R4")  # a proposal obliges nobody
        _demand_fit(session, body.document, body.standard_terms)
        stated = _stated(body)

        def offer(who: Actor) -> str:
            return approved.make_offer(
                service, session, who, view, stated, about=body.offer, version=view.version, request_key=None
            )

        with _placed(lambda code: fitting.indefinite(body.document, code)):
            approved.rehearse(session, _actor(), offer)
        wanted = approved.offer(view, base, stated, view.version)
        return 201, _asked(service, ask, session, wanted, body.note, rule="R4")

    def ask_amendment(session: Session, body: AmendApprovalEntry, deal_id: str) -> tuple[int, ApprovalAsked]:
        """Ask those who may approve it for a change of the contract, or its end, that is above what the token may bind
        to."""
        view = _seen(service, session, deal_id, body.expected_version)
        contract = view.made_by(body.acceptance) if body.acceptance else view.contract
        if contract is None:
            raise Refused("NO_CONTRACT", view.negotiation.regime)
        if body.document is None and not body.terminates:
            raise Problem("does-not-fit", errors=[fault("/document", "missing", WORDS["missing"])])
        _demand_fit(session, body.document, None)
        stated = None if body.document is None or body.terminates else Stated(body.document)
        amending = Amending(contract.id, text=body.text, stated=stated)

        def amend(who: Actor) -> str:
            return approved.amend(service, session, who, view, amending, version=view.version, request_key=None)

        approved.rehearse(session, _actor(), amend)
        wanted = approved.amendment(view, amending, view.version)
        return 201, _asked(service, ask, session, wanted, body.note, rule="R25")

    at = "/deals/<deal_id>"
    endpoints.write(
        f"{at}/acceptances/approval", ask_acceptance, permission="deal.bind", body=AcceptApprovalEntry,
        answer=ApprovalAsked,
    )  # fmt: skip
    endpoints.write(
        f"{at}/offers/approval", ask_offer, permission="deal.negotiate", body=TermsApprovalEntry, answer=ApprovalAsked
    )
    endpoints.write(
        f"{at}/amendments/approval", ask_amendment, permission="deal.negotiate", body=AmendApprovalEntry,
        answer=ApprovalAsked,
    )  # fmt: skip


def _asked(
    service: NegotiationService, ask: Ask, session: Session, wanted: Wanted, note: str, *, rule: str
) -> ApprovalAsked:
    """Ask for approval where it is needed. Raises Unauthorised where nobody may give it, and Problem."""
    verdict = service.hooks.authorise(session, _actor(), wanted.binding)
    if isinstance(verdict, Forbidden):
        raise Unauthorised(verdict)
    if isinstance(verdict, Allowed):
        raise _not_needed(rule)
    return ApprovalAsked(request=ask(session, asker(), wanted, note, ""))


def _not_needed(rule: str) -> Problem:
    return Problem("refused", status=409, title=str(NOT_NEEDED), code="NOT_NEEDED", rule=rule)


def _seen(service: NegotiationService, session: Session, deal_id: str, stated: int | None) -> DealView:
    """Return the deal. Raises Conflict where the client speaks of another version."""
    view, version = service.deal(session, deal_id), api.expected_version(stated)
    if version not in (None, view.version):
        raise Conflict(version, view.version, view.negotiation.regime)
    return view


def _round_of(view: DealView, offer_id: str | None) -> Round:
    """Return the round of that id, or the latest. Raises NotFound."""
    found = next((each for each in reversed(view.rounds) if offer_id in (None, each.offer.id)), None)
    if found is None:
        raise NotFound(str(offer_id))
    return found


def _stated(body: TermsEntry) -> Stated:
    document, within = body.document, body.accept_within_s
    if body.valid_until is not None:
        dates = tuple(each for each in document.dates if each.type != "valid_until")
        until = DatedEvent(type="valid_until", at=body.valid_until)
        document = document.model_copy(update={"dates": (*dates, until)})
    if not body.firm:
        document = document.model_copy(update={"action": "proposal"})
    return Stated(
        document, firm=body.firm, irrevocable=body.irrevocable, as_is_only=body.as_is_only, divisible=body.divisible,
        group=body.group, performance_accepts=body.performance_accepts, standard_terms=body.standard_terms,
        accept_within=None if within is None else timedelta(seconds=within),
    )  # fmt: skip


def _taking(round: Round, body: AcceptEntry) -> Taking:
    """Return what would be accepted, its quantities named: what is approved may not grow with what is open (R22)."""
    whole, left = dict(round.offer.lines), dict(round.open_lines or round.offer.lines)
    wanted = {name: left.get(name, Decimal(0)) if each is None else each for name, each in body.lines.items()} or left
    return Taking(
        () if wanted == whole else tuple(wanted.items()),
        stated=None if body.document is None else Stated(body.document),
        conditional=body.conditional,
        standard_terms=body.standard_terms,
    )


def _demand_fit(session: Session, document: TradeDocument | None, standard_terms: str | None) -> None:
    """Hold a document to what a form holds it to. Raises Problem."""
    faults = [] if document is None else list(unfit(document, lines_of(document)))
    if faults := [*faults, *_unpublished(session, standard_terms)]:
        raise Problem("does-not-fit", errors=faults)


def _unpublished(session: Session, digest: str | None) -> Iterator[Fault]:
    row = publishing.by_hash(session, digest) if digest is not None else None
    if digest is not None and (row is None or row.org != http.principal().org):
        yield fault(
            "/standard_terms", "not_published", gettext("No standard terms of yours have this SHA-256."), digest
        )


PLACED = {
    "NOT_DEFINITE_ITEM", "NOT_DEFINITE_QUANTITY", "NOT_DEFINITE_PRICE", "NO_SUCH_LINE", "MORE_THAN_OFFERED",
    "LINE_TAKEN", "NO_SUCH_TERM",
}  # fmt: skip
"""Refusals that are about a place in the body."""


@contextmanager
def _placed(places: Callable[[str], list[Fault]]) -> Iterator[None]:
    """Name the places that a refusal is about, beside the rule."""
    try:
        yield
    except Refused as refused:
        if refused.code not in PLACED:
            raise
        raise _refusal(refused, errors=places(refused.code)) from refused


def _not_taken(
    service: NegotiationService, session: Session, deal_id: str, body: AcceptEntry, code: str
) -> list[Fault]:
    if code.startswith("NOT_DEFINITE") and body.document is not None:
        return fitting.indefinite(body.document, code)
    rounds = service.deal(session, deal_id).rounds
    about = next((each for each in rounds if each.offer.id == body.offer), None)
    return [] if about is None else fitting.not_offered(about, body.lines, code)


def _refusal(refused: Refused, **more: Any) -> Problem:
    more |= {"code": refused.code, "rule": refused.rule, "article": refused.article}
    status = STATUSES.get(refused.code, 409)
    return Problem("refused", status=status, title=wording.sentence(refused), **more)


def _add_files(endpoints: Api, service: NegotiationService) -> None:
    def bring_file(session: Session, body: FileEntry, deal_id: str) -> tuple[int, FileAnswer]:
        """Bring a file to a deal. The other side sees it once an offer or a comment names it by its SHA-256."""
        row = service.attach(session, _actor(), deal_id, body.name, _decoded(body))
        return 201, FileAnswer(**_file(row).model_dump())

    def files(session: Session, deal_id: str) -> FilesAnswer:
        """List the files of a deal."""
        return FilesAnswer(files=[_file(each) for each in service.files(session, deal_id)])

    def file(session: Session, deal_id: str, file_hash: str) -> File:
        """Download a file."""
        row, content = service.file(session, deal_id, file_hash)
        return File(content, row.name)

    at = "/deals/<deal_id>/files"
    endpoints.read(at, files, permission="deal.read", answer=FilesAnswer)
    endpoints.download(f"{at}/<file_hash>", file, permission="deal.read", media_type="application/octet-stream")
    endpoints.write(
        at, bring_file, permission="deal.negotiate", body=FileEntry, answer=FileAnswer,
        body_max=FILE_TEXT_MAX + ROOM,
    )  # fmt: skip


class TermsPublishing(Entry):
    """The next version of one's standard terms: the text by language, each clause under its number and heading on a
    line of its own; ``file`` is the same as a file."""

    model_config = example({"texts": {"en": "1. Payment\nThirty days net.\n2. Governing law\nCISG."}})

    texts: dict[Literal["en", "zh_Hans"], Annotated[str, Field(max_length=TEXT_MAX)]] = Field(default_factory=dict)
    file: FileEntry | None = None


class TermsVersion(BaseModel):
    """``sha256`` is what an offer refers to it by."""

    organisation: str
    version: int
    sha256: str
    at: datetime


class TermsVersions(Answer):
    versions: list[TermsVersion]


class TermsShown(TermsVersion, Answer):
    """``content`` is what the hash is that of, as canonical JSON."""

    content: dict[str, Any]


class ClauseAnswer(BaseModel):
    number: str
    heading: str
    text: str


class ClashAnswer(BaseModel):
    topic: str
    mine: list[ClauseAnswer]
    theirs: list[ClauseAnswer]


class DisputeAnswer(Answer):
    """What accepting an offer would decide where both sides sent standard terms (R24); ``mine`` is null where not both
    did. ``clashes`` is null where the texts cannot be compared here. ``outcome``: ``last_shot`` (theirs hold) or
    ``knock_out``."""

    offer: str
    mine: str | None = None
    theirs: str | None = None
    outcome: Literal["last_shot", "knock_out"] | None = None
    rule: str | None = None
    article: str | None = None
    language: str | None = None
    clashes: list[ClashAnswer] | None = None


def _add_standard_terms(endpoints: Api, service: NegotiationService) -> None:
    def standard_terms(session: Session) -> TermsVersions:
        """List the versions of the organisation's own standard terms, the latest first."""
        found = publishing.versions(session, http.principal().org)
        return TermsVersions(versions=[_terms_version(each) for each in found])

    def publish_terms(session: Session, body: TermsPublishing) -> tuple[int, TermsShown]:
        """Publish the next version of the organisation's standard terms."""
        file = None if body.file is None else (body.file.name, _decoded(body.file))
        texts = {str(language): text for language, text in body.texts.items()}
        try:
            row = service.publish(session, http.principal().org, texts, file=file)
        except Unsound as unsound:
            detail = wording.unsound(unsound.code, unsound.place)
            raise Problem("does-not-fit", errors=[fault("/texts", unsound.code, detail)]) from None
        return 201, TermsShown(**_terms_version(row).model_dump(), content=row.content)

    def terms_shown(session: Session, terms_hash: str) -> TermsShown:
        """Show a version of anybody's standard terms by its SHA-256."""
        row = publishing.by_hash(session, terms_hash)
        if row is None:
            raise NotFound(terms_hash)
        return TermsShown(**_terms_version(row).model_dump(), content=row.content)

    def terms_file(session: Session, terms_hash: str) -> File:
        """Download the file of a version."""
        row = publishing.by_hash(session, terms_hash)
        if row is None:
            raise NotFound(terms_hash)
        return File(service.terms_file(row), row.content["file"]["name"])

    def terms_dispute(session: Session, deal_id: str, number: int) -> DisputeAnswer:
        """Show where the standard terms of both sides conflict, and what would hold if this round were accepted."""
        view = service.deal(session, deal_id)
        offer = _round_numbered(view, number).offer
        found = service.dispute(session, view.negotiation, offer, view.me, "en")
        if found is None:
            return DisputeAnswer(offer=offer.id)
        return DisputeAnswer(
            offer=offer.id, mine=found.battle.mine, theirs=found.battle.theirs,
            outcome="knock_out" if found.battle.knocks_out else "last_shot", rule="R24",
            article=wording.article("R24", view.negotiation.regime), language=found.language,
            clashes=None if found.clashes is None else [_clash(each) for each in found.clashes],
        )  # fmt: skip

    at = "/standard-terms"
    endpoints.read(at, standard_terms, permission="deal.read", answer=TermsVersions)
    endpoints.write(
        at, publish_terms, permission="deal.bind", body=TermsPublishing, answer=TermsShown,
        body_max=FILE_TEXT_MAX + BODY_MAX,
    )  # fmt: skip
    endpoints.read(f"{at}/<terms_hash>", terms_shown, permission="deal.read", answer=TermsShown)
    endpoints.download(
        f"{at}/<terms_hash>/file", terms_file, permission="deal.read", media_type="application/octet-stream"
    )
    endpoints.read(
        "/deals/<deal_id>/rounds/<int:number>/standard-terms", terms_dispute, permission="deal.read",
        answer=DisputeAnswer,
    )  # fmt: skip


def _terms_version(row: StandardTermsRow) -> TermsVersion:
    return TermsVersion(organisation=row.org, version=row.version, sha256=row.sha256, at=row.at)


def _clash(found: Clash) -> ClashAnswer:
    mine, theirs = (
        [ClauseAnswer(number=each.number, heading=each.heading, text=each.text) for each in side]
        for side in (found.mine, found.theirs)
    )
    return ClashAnswer(topic=found.topic, mine=mine, theirs=theirs)


ROOM = 4096
"""Bytes of a body beside the file in it."""


def _decoded(file: FileEntry) -> bytes:
    try:
        return b64decode(file.content, validate=True)
    except ValueError:
        raise Problem("does-not-fit", errors=[fault("/content", "not_base64", WORDS["not_base64"])]) from None


def _file(row: DealFileRow) -> FileSummary:
    return FileSummary(
        sha256=row.sha256, name=row.name, media_type=row.media_type, length=row.length, by=row.by_id, at=row.at,
        is_sent=row.sent_at is not None,
    )  # fmt: skip


def _add_acts(endpoints: Api, service: NegotiationService) -> None:
    """One endpoint for each act that needs no terms of its own."""

    def act_of(kind: Kind) -> api.Write:
        def act(session: Session, body: ActEntry, deal_id: str) -> tuple[int, Made]:
            about = body.acceptance or body.offer
            if about is None:
                raise Problem(
                    "does-not-fit",
                    errors=[fault("/offer", "nothing_named", gettext("Name the offer, or the acceptance."))],
                )
            statement = service.act(
                session, _actor(), deal_id, kind, about, text=body.text, terms_hash=body.terms_hash,
                expected_version=api.expected_version(body.expected_version),
            )  # fmt: skip
            return 201, Made(statement=statement, deal=_deal(service.deal(session, deal_id)))

        act.__doc__ = _EFFECTS[kind]
        return act

    for kind in sorted(ACTS):
        path = f"/deals/<deal_id>/{str(kind).replace('_', '-')}"
        endpoints.write(
            path, act_of(kind), permission=permission(kind), body=ActEntry, answer=Made, name=str(kind)
        )  # fmt: skip


_EFFECTS = {
    Kind.WITHDRAW: "Withdraw an offer that has not reached the other side yet (R5).",
    Kind.REVOKE: "Revoke an offer, where the law lets one (R6).",
    Kind.WITHDRAW_ACCEPTANCE: "Withdraw an acceptance before it takes effect (R16).",
    Kind.OBJECT: "Object to the changes of an acceptance (R13).",
    Kind.ELECT_LATE: "Let a late acceptance count (R14).",
    Kind.LAPSE_NOTICE: "Tell the other side that the offer had lapsed (R14, R15).",
    Kind.ADMIT_TIME: "Admit the claimed time of dispatch of an acceptance (R8).",
    Kind.CONFIRM: "Confirm the contract, where confirmation is agreed (R21).",
    Kind.SIGN: "Sign the contract, where signature is agreed (R21).",
    Kind.PERFORM: "Accept by performing, where the offer or a practice lets one (R18).",
    Kind.RELY: "Put on record that one relies on the offer (R6).",
    Kind.CANCEL: "Cancel an inquiry (R1).",
    Kind.DISREGARD: "Treat an offer without a receipt as never sent (R27).",
}


class _Told:
    """What a refusal is answered: the sentence in the caller's language, with the rule and the article."""

    def __init__(self, service: NegotiationService, database: Database) -> None:
        self.service, self.database = service, database

    def __call__(self, error: Exception) -> Problem | None:
        if isinstance(error, NotFound) or (isinstance(error, Refused) and error.code == "NO_SUCH_OFFER"):
            return Problem("not-found")
        if isinstance(error, Unfit):
            why = wording.unfit(error.code)
            where = POINTERS.get(error.code, "/content")
            return Problem("does-not-fit", errors=[fault(where, error.code, why)], code=error.code)
        if not isinstance(error, Refused):
            return None
        more: dict[str, Any] = {"code": error.code, "rule": error.rule, "article": error.article}
        if isinstance(error, Unsendable):
            more["detail"] = error.what
        if isinstance(error, Conflict):
            status = 409 if api.if_match() is None else 412
            more |= {"expected_version": error.expected, "version": error.actual, **self._since(error.expected)}
            return Problem("other-version", status=status, **more)
        if isinstance(error, Unauthorised) and isinstance(error.verdict, Needs):
            return unauthorised(error.verdict, **more)
        return _refusal(error, **more)

    def _since(self, version: int) -> dict[str, Any]:
        """The latest round of the deal, and how it differs from the last one that there was in ``version``."""
        deal_id = (request.view_args or {}).get("deal_id")
        if deal_id is None:
            return {}
        with self.database.read(org=http.principal().org) as session:
            view = self.service.deal(session, deal_id)
            after, seen = view.rounds[-1], view.rounds[0]
            counted = [each for each in view.said if Kind(each.row.kind) not in WITHOUT_EFFECT]
            for each in counted[: max(version, 0)]:
                seen = seen if each.round is None else view.rounds[each.round - 1]
            return {
                "latest": _round(after).model_dump(mode="json"),
                "changes": [each.model_dump(mode="json") for each in _differing(view, seen, after)],
            }


POINTERS = {"NOT_HERE": "", "TOO_MANY": ""}
"""Where in a body it is wrong, where not in the file itself."""

STATUSES = {
    "NO_AUTHORITY": 403,
    "OVER_LIMIT": 403,
    "NO_RATE": 403,
    "NO_APPROVER": 403,
    "UNATTRIBUTED": 403,
    **dict.fromkeys(
        (
            "NOT_DEFINITE_ITEM", "NOT_DEFINITE_QUANTITY", "NOT_DEFINITE_PRICE", "ACCEPT_BY_PAST", "NO_SUCH_LINE",
            "MORE_THAN_OFFERED", "MORE_THAN_DEMANDED", "NO_SUCH_TERM", "UNSENDABLE",
        ),
        422,
    ),
}  # fmt: skip
"""Refusals that are not for the state of the deal (409)."""


def _actor() -> Actor:
    who = http.principal()
    return Actor(who.org, who.user_id, who.name, channel="api")


def _summary(line: DealLine) -> DealSummary:
    total = line.total
    return DealSummary(
        id=line.row.id, number=line.row.number, title=line.row.title, partner=line.other_name,
        role="buyer" if line.is_buyer else "seller", status=line.status, currency=total.unit if total else None,
        total=total.value if total and isinstance(total.value, Decimal) else None, rounds=line.rounds,
        open_until=line.deadline, updated_at=line.row.updated_at,
    )  # fmt: skip


def _compared(column: Column, names: Sequence[str]) -> ColumnAnswer:
    total, round = column.total, column.round
    return ColumnAnswer(
        deal=column.deal.row.id, supplier=column.supplier, supplier_name=column.deal.other_name,
        status=column.deal.status, offer=round.offer.id if round else None,
        terms_hash=round.offer.terms_hash if round else None, may_award=column.may_award,
        total=total.value if total and isinstance(total.value, Decimal) else None,
        currency=total.unit if total else None, is_complete=column.is_complete, delivery=column.delivery,
        is_best_total=column.best_total, is_best_delivery=column.best_delivery,
        cells=[_priced(name, cell) for name, cell in zip(names, column.cells, strict=True)],
    )  # fmt: skip


def _priced(name: str, cell: Cell) -> CellAnswer:
    price = cell.price
    return CellAnswer(
        line=name, price=price.value if price and isinstance(price.value, Decimal) else None,
        currency=price.unit if price else None, per=price.per if price else None, amount=cell.amount,
        quantity_differs=cell.quantity_differs, is_best=cell.is_best,
    )  # fmt: skip


ADDRESSES = {
    "accept": "acceptances",
    "reject": "rejections",
    "counter": "offers",
    "comment": "comments",
    "amend": "amendments",
}
"""Acts with a body of their own, and the last part of their address; of the others it is their name."""


def _deal(view: DealView) -> DealAnswer:
    return DealAnswer(
        id=view.id, number=view.row.number, title=view.row.title, buyer=view.negotiation.buyer,
        seller=view.negotiation.seller, role="buyer" if view.is_buyer else "seller",
        regime=view.negotiation.regime.name, status=view.status, version=view.version, record_intact=view.sound,
        rounds=[_round(each) for each in view.rounds],
        actions=[
            ActionAnswer(
                name=each.name, post=f"{api.PREFIX}/deals/{view.id}/{ADDRESSES.get(each.name, each.name.replace('_', '-'))}",
                offer=each.about, acceptance=each.acceptance, is_possible=each.is_possible,
                **({} if each.refused is None else _reason(each.refused)),
            )
            for each in view.acts
        ],
        contracts=[_contract(each) for each in view.contracts],
    )  # fmt: skip


def _reason(refused: Refused) -> dict[str, str]:
    return {
        "code": refused.code,
        "rule": refused.rule,
        "article": refused.article,
        "reason": wording.sentence(refused),
    }


def _round(found: Round) -> RoundSummary:
    return RoundSummary(
        number=found.number, offer=found.offer.id, kind=str(found.kind), by=found.offer.by, is_ours=found.is_ours,
        state=str(found.state), terms_hash=found.offer.terms_hash, document_number=found.offer.number,
        firm=found.offer.firm, total=found.total, currency=found.currency, at=found.at, reached_at=found.reached_at,
        open_until=found.deadline,
    )  # fmt: skip


def _contract(contract: Contract) -> ContractAnswer:
    return ContractAnswer(
        id=contract.id, offer=contract.offer.id, state=str(contract.state), version=contract.version,
        terms_hash=contract.terms.terms_hash, concluded_at=contract.concluded_at,
        objectable_until=contract.objectable_until, lines=dict(contract.lines), knocked_out=list(contract.knocked_out),
    )  # fmt: skip


def _differing(view: DealView, before: Round, after: Round) -> list[TermAnswer]:
    changes = view.changes(before, after)
    return [_term(each) for each in changes if each.direction is not compare.Direction.SAME]


def _term(term: compare.Term) -> TermAnswer:
    return TermAnswer(
        term=term.name, line=term.line, before=_value(term.before), after=_value(term.after),
        direction=str(term.direction),
    )  # fmt: skip


def _value(value: compare.Value | None) -> str | None:
    return None if value is None else " ".join(str(each) for each in (value.value, value.unit) if each is not None)


def _statement(said: Said) -> StatementAnswer:
    row = said.row
    return StatementAnswer(
        number=row.number, id=row.id, kind=row.kind, by=row.by_id, about_round=said.about, makes_round=said.round,
        term=said.topic.path if said.topic else None,
        files=[FileNamed(sha256=digest, name=name) for digest, name in said.files], text=row.text, at=row.at, reached_at=row.reached_at,
        channel=row.channel, terms_hash=row.terms_hash, hash=row.hash, previous=row.previous,
    )  # fmt: skip


def _round_numbered(view: DealView, number: int) -> Round:
    if not 1 <= number <= len(view.rounds):
        raise NotFound(str(number))
    return view.rounds[number - 1]
