"""The REST API of tenders: a bid with its receipt, and the award; all else of both sides is in ``rooms_api``.

A bid is taken without an Idempotency-Key: what is kept under such a key includes the hash of the request, from which a
price could be guessed. Sent twice it is two envelopes, of which the later one counts.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from flask import Blueprint
from pydantic import Field
from sqlalchemy.orm import Session

from tradehub.documents import Offer, PartyId
from tradehub.documents.parts import Money
from tradehub.partners.asking import ApprovalAsked, Ask, asker, unauthorised
from tradehub.partners.authority import Forbidden, Needs
from tradehub.partners.suggesting import Suggest
from tradehub.platform import api
from tradehub.platform.api import Answer, Api, Entry, example
from tradehub.platform.db import Database
from tradehub.platform.problems import Problem
from tradehub.sourcing.tenders import landed, rooms_api, wording
from tradehub.sourcing.tenders.binding import Unauthorised
from tradehub.sourcing.tenders.model import StageKind, Submission, TenderRefused
from tradehub.sourcing.tenders.reading import BuyerRoom, Compared, NotFound
from tradehub.sourcing.tenders.rooms_api import actor
from tradehub.sourcing.tenders.service import TenderService


class BidBody(Entry):
    """A bid for a stage: an offer for the commercial one, answers by criterion for any."""

    model_config = example(
        {
            "stage": "commercial",
            "offer": {
                "currency": "USD",
                "lines": [{"number": "1", "item": {"name": "Valve V-22"}, "price": {"amount": "12.40"}}],
            },
        }
    )

    stage: StageKind = StageKind.COMMERCIAL
    offer: Offer | None = None
    answers: tuple[tuple[str, str], ...] = ()
    text: str = ""


class BidReceipt(Answer):
    """``fingerprint`` binds the contents, ``envelope_sha256`` is that of the sealed bytes; None without seals."""

    number: int
    stage: StageKind
    at: datetime
    fingerprint: str
    envelope_sha256: str | None


class AwardPart(Entry):
    """So much of a line goes to a supplier."""

    supplier: PartyId
    line: str
    quantity: Decimal


class TenderAwardBody(Entry):
    """An award, all of it or nothing. What is not picked is declined."""

    model_config = example({"picks": [{"supplier": "delta", "line": "1", "quantity": "600"}]})

    picks: tuple[AwardPart, ...] = Field(min_length=1, max_length=10_000)

    @property
    def picked(self) -> dict[tuple[PartyId, str], Decimal]:
        return {(each.supplier, each.line): each.quantity for each in self.picks}


class TenderApprovalBody(TenderAwardBody):
    model_config = example(
        {"picks": [{"supplier": "delta", "line": "1", "quantity": "600"}], "note": "The cheapest by EUR 900."}
    )

    note: str = Field("", max_length=2000)
    """For those who approve; the suppliers do not see it."""


class AwardedPart(Answer):
    supplier: PartyId
    line: str
    quantity: Decimal


class ProposedAward(Answer):
    """The award that the optimiser proposes, at landed cost. Where it is not proven to be the cheapest, it costs at most
    ``at_most_above``, and ``at_most_above_percent`` percent, more than the least possible; None where it is."""

    picks: tuple[AwardedPart, ...]
    cost: Money | None
    cheapest_without_limits: Money | None
    is_proven: bool
    at_most_above: Money | None
    at_most_above_percent: Decimal | None


class TenderAwardAnswer(Answer):
    """How the award stands: the tender's phase, what is proposed once bids are open, and what was awarded."""

    phase: str
    proposal: ProposedAward | None
    awarded: tuple[AwardedPart, ...]


def blueprint(service: TenderService, database: Database, *, suggest: Suggest, ask: Ask) -> Blueprint:
    """Return the endpoints. ``suggest`` finds whom the organisation may invite, ``ask`` asks for approval of an award."""
    routes = Blueprint("tenders_api", __name__, url_prefix=api.PREFIX)
    endpoints = Api(routes, database, _told, (TenderRefused, NotFound), "tenders")

    def bid(session: Session, body: BidBody, tender_id: str) -> tuple[int, BidReceipt]:
        """Hand in a bid, in place of an earlier one for the same stage. An Idempotency-Key is not looked at."""
        submission = Submission(offer=body.offer, answers=body.answers, text=body.text)
        made = service.bid(session, actor(), tender_id, body.stage, submission)
        return 201, BidReceipt(
            number=made.number, stage=made.stage, at=made.at, fingerprint=made.fingerprint,
            envelope_sha256=made.envelope_sha256,
        )  # fmt: skip

    rooms_api.add(endpoints, service, suggest)
    _add_award(endpoints, service, ask)
    endpoints.write(
        "/tenders/<tender_id>/bids", bid, permission="deal.negotiate", body=BidBody, answer=BidReceipt, is_secret=True
    )
    return routes


def _add_award(endpoints: Api, service: TenderService, ask: Ask) -> None:
    def tender_award(session: Session, tender_id: str) -> TenderAwardAnswer:
        """Show the buyer what is proposed and awarded of a tender."""
        room = service.buyer_room(session, tender_id)
        found = service.compared(session, room) if StageKind.COMMERCIAL in room.standing.opened else None
        awarded = (
            AwardedPart(supplier=PartyId(supplier), line=line, quantity=Decimal(quantity))
            for supplier, lines in (room.row.award or {}).items()
            for line, quantity in lines.items()
        )
        return TenderAwardAnswer(
            phase=str(room.where.phase), proposal=_proposed(room, found) if found else None, awarded=tuple(awarded)
        )

    def award_tender(session: Session, body: TenderAwardBody, tender_id: str) -> tuple[int, TenderAwardAnswer]:
        """Award by supplier and line; each supplier's part is accepted in its deal, the others are declined."""
        service.award(session, actor(), tender_id, body.picked)
        parts = (AwardedPart(**each.model_dump()) for each in body.picks)
        return 201, TenderAwardAnswer(phase="awarded", proposal=None, awarded=tuple(parts))

    def ask_award(session: Session, body: TenderApprovalBody, tender_id: str) -> tuple[int, ApprovalAsked]:
        """Ask those who may approve it for an award that is above what the token may bind to."""
        by = actor()
        verdict = service.may_award(session, by, tender_id, body.picked)
        if isinstance(verdict, Forbidden):
            raise Unauthorised(verdict)
        if not isinstance(verdict, Needs):
            raise Problem("refused", status=409, title=str(wording.NOT_NEEDED), code="NOT_NEEDED", rule="T25")
        wanted = service.to_approve(session, by, tender_id, body.picked, proposed=None)
        return 201, ApprovalAsked(request=ask(session, asker(), wanted, body.note, ""))

    one = "/tenders/<tender_id>/award"
    endpoints.read(one, tender_award, permission="deal.read", answer=TenderAwardAnswer)
    endpoints.write(one, award_tender, permission="deal.bind", body=TenderAwardBody, answer=TenderAwardAnswer)
    endpoints.write(f"{one}/approval", ask_award, permission="deal.bind", body=TenderApprovalBody, answer=ApprovalAsked)


def _proposed(room: BuyerRoom, found: Compared) -> ProposedAward:
    proposal, currency = found.proposal, room.plan.basis.currency

    def in_currency(amount: Decimal | None) -> Money | None:
        return None if amount is None else Money(amount=landed.rounded_money(amount), currency=currency)

    gap = proposal.gap
    return ProposedAward(
        picks=tuple(
            AwardedPart(supplier=PartyId(supplier), line=line, quantity=quantity)
            for (supplier, line), quantity in proposal.picked.items()
        ),
        cost=in_currency(proposal.cost),
        cheapest_without_limits=in_currency(proposal.cheapest),
        is_proven=proposal.cost is not None and gap is None,
        at_most_above=None if gap is None else Money(amount=landed.money_up(gap.amount), currency=currency),
        at_most_above_percent=None if gap is None else gap.percent,
    )


def _told(error: Exception) -> Problem | None:
    if isinstance(error, NotFound):
        return Problem("not-found")
    if not isinstance(error, TenderRefused):
        return None
    if isinstance(error, Unauthorised):
        detail = None if isinstance(error.verdict, Needs) else str(wording.ADVICE)
        return unauthorised(error.verdict, detail, title=wording.why(error), code=error.code, rule=error.rule)
    status = 422 if error.code in ("INVALID_BID", "VALIDITY_TOO_SHORT") else 409
    value = str(error.value) if error.value != "" else None
    return Problem(
        "refused", str(wording.ADVICE), status=status, title=wording.why(error), code=error.code, rule=error.rule,
        value=value,
    )  # fmt: skip
