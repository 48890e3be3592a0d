"""A buyer and four suppliers, a tender to try, and deals that only remember what was asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tradehub.documents import Inquiry, Line, Offer, PartyId
from tradehub.documents.parts import DatedEvent, DeliveryTerms, Item, Price, Quantity
from tradehub.partners.authority import Act, Allowed, Binding, Forbidden, Needs, Verdict
from tradehub.platform import clock
from tradehub.platform.db import Database
from tradehub.sourcing.tenders.binding import Unauthorised
from tradehub.sourcing.tenders.hooks import Actor, Entered, Hooks, Pick
from tradehub.sourcing.tenders.landed import Basis
from tradehub.sourcing.tenders.model import Criterion, Notice, Stage, StageKind, Submission
from tradehub.sourcing.tenders.plan import Evaluator, Plan
from tradehub.sourcing.tenders.sealing import Work
from tradehub.sourcing.tenders.service import Opener, TenderDraft, TenderService

HAIDI, NINGBO, DELTA, RHEIN = (PartyId(each) for each in ("haidi", "ningbo", "delta", "rhein"))
NAMES = {"haidi": "Haidi Trading", "ningbo": "Ningbo Valves", "delta": "Delta Fluid", "rhein": "Rhein Armaturen"}
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
CLOSES = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
CHEAP = Work(1, 8, 1)
COMMERCIAL, TECHNICAL, PREQUALIFICATION = StageKind.COMMERCIAL, StageKind.TECHNICAL, StageKind.PREQUALIFICATION

LI = Actor(HAIDI, "u-li", "Li Wei")
MO = Actor(HAIDI, "u-mo", "Mo Chen")
YU = Actor(HAIDI, "u-yu", "Yu Fang")
WORDS = {LI: "seven green herons over Ningbo", MO: "old bridge, cold river, 1987", YU: "a cellar full of plums!"}


@dataclass
class FakeDeals:
    """Remembers inquiries, offers and awards; a deal is named after its supplier."""

    asked: list[tuple[str, Inquiry, tuple[PartyId, ...]]] = field(default_factory=list)
    offers: list[tuple[str, PartyId, Offer]] = field(default_factory=list)
    awards: list[tuple[str, tuple[Pick, ...]]] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)

    def send_inquiry(self, session, actor, draft, suppliers, *, note="", request_key=None) -> str:
        self.asked.append((note, draft, tuple(suppliers)))
        return f"i-{len(self.asked)}"

    def deal_with(self, session, actor, inquiry_id: str, supplier: PartyId) -> str:
        return f"{inquiry_id}-{supplier}"

    def propose(self, session, deal_id: str, party: PartyId, document: Offer, *, message_id=None) -> Entered:
        if party in self.refuses:
            return Entered(rule=self.refuses[party])
        self.offers.append((deal_id, party, document))
        return Entered(f"o-{len(self.offers)}")

    verdict: Verdict = field(default_factory=Allowed)

    def award(self, session, actor, inquiry_id: str, picks: Sequence[Pick]) -> None:
        if isinstance(self.verdict, Needs | Forbidden):
            raise Unauthorised(self.verdict)
        self.awards.append((inquiry_id, tuple(picks)))

    def bound(self, session, actor, inquiry_id: str, picks: Sequence[Pick]) -> Binding:
        first, *others = (each.supplier for each in picks)
        return Binding(Act.AWARD, inquiry_id, first, Decimal(12400), "EUR", (), tuple(others))

    def authorise(self, session, actor, binding: Binding) -> Verdict:
        return self.verdict


def service(deals: FakeDeals) -> TenderService:
    hooks = Hooks(
        send_inquiry=deals.send_inquiry, deal_with=deals.deal_with, propose=deals.propose, award=deals.award,
        bound=deals.bound, authorise=deals.authorise,
        name_of=lambda session, party: NAMES.get(party, party), unseal=lambda session, transmission, key: None,
    )  # fmt: skip
    return TenderService(hooks, work=CHEAP)


def inquiry(*quantities: int) -> Inquiry:
    items = (("Valve V-22", 1000), ("Seal kit", 500))
    lines = tuple(
        Line(number=str(at), item=Item(name=name), quantity=Quantity(value=Decimal(quantity), unit="C62"))
        for at, (name, quantity) in enumerate(items, 1)
    )
    terms = DeliveryTerms(incoterm="DAP", place="Hamburg")
    return Inquiry(currency="EUR", lines=lines, delivery_terms=terms)


def notice(**more) -> Notice:
    settings = {
        "number": "",
        "title": "Valves 2027",
        "text": "Valves for the 2027 programme.",
        "inquiry": inquiry(),
        "stages": (Stage(kind=COMMERCIAL, closes_at=CLOSES),),
        "criteria": (Criterion(key="price", name="Price", stage=COMMERCIAL, weight=Decimal(100), is_price=True),),
        "questions_until": CLOSES - timedelta(days=2),
        "valid_until": date(2026, 12, 31),
    }
    return Notice(**{**settings, **more})


def in_three_stages() -> Notice:
    return notice(
        stages=(
            Stage(kind=PREQUALIFICATION, closes_at=CLOSES - timedelta(days=4)),
            Stage(kind=TECHNICAL, closes_at=CLOSES, pass_mark=Decimal(60)),
            Stage(kind=COMMERCIAL, closes_at=CLOSES),
        ),
        criteria=(
            Criterion(key="quality", name="Quality", stage=TECHNICAL, weight=Decimal(30)),
            Criterion(key="service", name="Service", stage=TECHNICAL, weight=Decimal(10)),
            Criterion(key="price", name="Price", stage=COMMERCIAL, weight=Decimal(60), is_price=True),
        ),
    )


def plan(**more) -> Plan:
    evaluators = tuple(Evaluator(stage=stage, user_id=LI.user_id, name=LI.name) for stage in StageKind)
    return Plan(**{"basis": Basis(currency="EUR"), "evaluators": evaluators, **more})


def offer(*prices: str | None, **more) -> Submission:
    """A bid with prices for lines 1 and 2; None offers nothing on that line."""
    lines = tuple(
        Line(number=str(at), price=Price(amount=Decimal(price))) for at, price in enumerate(prices, 1) if price
    )
    terms = DeliveryTerms(incoterm="DAP", place="Hamburg")
    until = (DatedEvent(type="valid_until", on=date(2027, 1, 15)),)
    settings = {"currency": "EUR", "lines": lines, "delivery_terms": terms, "dates": until}
    return Submission(offer=Offer(**{**settings, **more}))


@dataclass
class House:
    database: Database
    deals: FakeDeals
    service: TenderService
    clock: clock.Frozen

    def do(self, actor: Actor, verb: str, *args, **more):
        with self.database.write(actor.party) as session:
            return getattr(self.service, verb)(session, actor, *args, **more)

    def see(self, org: PartyId, verb: str, *args, **more):
        with self.database.read(org) as session:
            return getattr(self.service, verb)(session, *args, **more)

    def write(self, openers: Sequence[Actor] = (LI, MO), *, suppliers=(NINGBO, DELTA), **more) -> str:
        draft = TenderDraft(
            more.pop("notice", None) or notice(**more.pop("change", {})), plan(**more), suppliers,
            [Opener(each.user_id, each.name) for each in openers],
        )  # fmt: skip
        return self.do(LI, "create", draft)

    def publish(self, openers: Sequence[Actor] = (LI, MO), **more) -> str:
        tender = self.write(openers, **more)
        for each in openers:
            self.do(each, "set_passphrase", tender, WORDS[each])
        self.do(LI, "publish", tender)
        return tender

    def bid(self, supplier: PartyId, tender: str, submission: Submission, stage: StageKind = COMMERCIAL):
        return self.do(Actor(supplier, f"u-{supplier}", supplier), "bid", tender, stage, submission)

    def agree(self, actor: Actor, tender: str, stage: StageKind = COMMERCIAL, words: str | None = None) -> bool:
        """Enter the passphrase as the page does; True once the stage is open."""
        with self.database.read(HAIDI) as session:
            key = self.service.key_of(session, actor, tender, words or WORDS[actor])
        return self.do(actor, "hand_over", tender, stage, key)

    def open(self, tender: str, stage: StageKind = COMMERCIAL) -> None:
        self.clock.at = max(self.clock.at, CLOSES)
        assert self.agree(LI, tender, stage) is False
        assert self.agree(MO, tender, stage) is True


@pytest.fixture
def at_monday():
    with clock.frozen(MONDAY) as frozen:
        yield frozen


@pytest.fixture
def house(database: Database, at_monday) -> House:
    deals = FakeDeals()
    return House(database, deals, service(deals), at_monday)
