"""Tenders in a browser: the click budget of comparing and awarding, and every page in light and dark, wide and narrow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.kit import MODES, ClickBudget, Mode, check_page, picture, serve, visitor
from tests.people import PASSWORD
from tests.sourcing.tenders.conftest import (
    COMMERCIAL,
    DELTA,
    HAIDI,
    MONDAY,
    NINGBO,
    RHEIN,
    TECHNICAL,
    WORDS,
    FakeDeals,
    House,
    notice,
    offer,
    plan,
    service,
)
from tests.sourcing.tenders.pages import build
from tradehub.documents.parts import PriceBreak
from tradehub.platform import clock
from tradehub.platform.db import Base, Database
from tradehub.platform.security import User
from tradehub.sourcing.tenders.awarding import Limits
from tradehub.sourcing.tenders.hooks import Actor
from tradehub.sourcing.tenders.landed import Basis, Charge, Rate
from tradehub.sourcing.tenders.model import Criterion, Stage, Submission
from tradehub.sourcing.tenders.plan import Evaluator
from tradehub.sourcing.tenders.service import Opener, TenderDraft

BUYER, SELLER = "li@haidi.example", "nina@ningbo.example"
CLOSES = MONDAY + timedelta(hours=2)
BASIS = Basis(
    currency="EUR", duty=Decimal("4.5"),
    rates=(Rate(currency="USD", rate=Decimal("0.9213"), on=date(2026, 11, 20), source="ECB"),),
    charges=(
        Charge(part="main", amount=Decimal("0.85")), Charge(part="insurance", amount=Decimal("0.3"), how="percent"),
        Charge(part="unloading", amount=Decimal(400), how="lump"), Charge(part="onward", amount=Decimal("0.12")),
        Charge(part="import", amount=Decimal("0.02")),
    ),
)  # fmt: skip


@dataclass
class Market:
    base: str
    house: House
    people: dict[str, Actor]

    def tender(self, **more) -> str:
        li, mo, yu = (self.people[name] for name in ("li", "mo", "yu"))
        change = {"stages": (Stage(kind=COMMERCIAL, closes_at=CLOSES),), "questions_until": CLOSES, **more}
        evaluators = tuple(Evaluator(stage=e, user_id=li.user_id, name=li.name) for e in (TECHNICAL, COMMERCIAL))
        limits = Limits(suppliers_max=2, share_max=Decimal(70))
        draft = TenderDraft(
            notice(**change), plan(basis=BASIS, evaluators=evaluators, award=limits, note="Not above 14 EUR."),
            [NINGBO, DELTA, RHEIN], [Opener(each.user_id, each.name) for each in (li, mo, yu)],
        )  # fmt: skip
        return self.house.do(li, "create", draft)

    def publish(self, tender: str) -> None:
        for name, words in zip(("li", "mo", "yu"), WORDS.values(), strict=True):
            self.house.do(self.people[name], "set_passphrase", tender, words)
        self.house.do(self.people["li"], "publish", tender)

    def bids(self, tender: str) -> None:
        fob = {"currency": "USD", "delivery_terms": {"incoterm": "FOB", "place": "Ningbo"}}
        self.house.bid(NINGBO, tender, offer("11.40", "0.82", **fob))
        breaks = offer("12.90", "0.95")
        line = breaks.offer.lines[0]
        price = line.price.model_copy(
            update={"breaks": (PriceBreak(min_quantity=Decimal(800), amount=Decimal("12.10")),)}
        )
        lines = (line.model_copy(update={"price": price}), *breaks.offer.lines[1:])
        self.house.bid(DELTA, tender, Submission(offer=breaks.offer.model_copy(update={"lines": lines})))
        self.house.bid(RHEIN, tender, offer("13.20", None))

    def open(self, tender: str, at: datetime) -> None:
        with clock.frozen(at):
            for name in ("li", "mo"):
                words = list(WORDS.values())[("li", "mo").index(name)]
                self.house.agree(self.people[name], tender, COMMERCIAL, words)


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    folder: Path = tmp_path_factory.mktemp("tenders")
    database = Database(f"sqlite:///{folder / 'tradehub.db'}")
    Base.metadata.create_all(database.engine)
    deals = FakeDeals()
    with clock.frozen(MONDAY) as standing:
        house = House(database, deals, service(deals), standing)
        app = build(house, folder)
        with database.read() as session:
            users = session.query(User).filter(User.email.contains("@haidi"))
            people = {each.name.casefold(): Actor(HAIDI, each.id, each.name) for each in users}
        with serve(app) as base:
            yield Market(base, house, people)
    database.dispose()


@pytest.fixture(autouse=True)
def at_monday(market: Market) -> None:
    market.house.clock.at = MONDAY


@pytest.fixture
def opened(market: Market) -> str:
    tender = market.tender(title="Valves 2027, first half")
    market.publish(tender)
    market.bids(tender)
    market.open(tender, CLOSES)
    return tender


def test_the_buyer_compares_and_awards_in_three_clicks(browser: Browser, market: Market, opened: str) -> None:
    """T2, from the work queue, with the optimiser's proposal filled in."""
    market.house.clock.at = CLOSES
    before = len(market.house.deals.awards)
    with visitor(browser, market.base) as buyer:
        page = buyer.sign_in(BUYER, PASSWORD)
        with ClickBudget(page, 3) as hand:
            hand.click(page.locator("#queue-tenders a", has_text="Valves 2027, first half"))
            hand.click(page.get_by_role("button", name="Award", exact=True))
            hand.click(page.get_by_role("button", name="Award now"))
        expect(page.locator(".head")).to_contain_text("Awarded")
    (picks,) = [picks for _, picks in market.house.deals.awards[before:]]
    assert {pick.supplier for pick in picks} <= {NINGBO, DELTA, RHEIN}


@pytest.mark.parametrize(
    "mode",
    [MODES[0], *(pytest.param(each, marks=pytest.mark.slow) for each in MODES[1:])],
    ids=lambda mode: mode.name,
)
def test_every_page_of_tenders_is_sound(browser: Browser, market: Market, mode: Mode) -> None:
    house, li = market.house, market.people["li"]
    criteria = (
        Criterion(key="quality", name="Quality", stage=TECHNICAL, weight=Decimal(30)),
        Criterion(key="price", name="Price", stage=COMMERCIAL, weight=Decimal(70), is_price=True),
    )
    stages = tuple(Stage(kind=kind, closes_at=CLOSES) for kind in (TECHNICAL, COMMERCIAL))
    fresh = market.tender(title="Gaskets, not yet published")
    running = market.tender(title="Seals and valves", stages=stages, criteria=criteria, text="For the 2027 programme.")
    market.publish(running)
    for supplier in (NINGBO, DELTA):
        house.bid(supplier, running, Submission(answers=(("quality", "PN16, tested to EN 12266-1"),)), TECHNICAL)
    market.bids(running)
    asked = house.do(Actor(NINGBO), "ask", running, "Is PN16 enough?")
    house.do(Actor(DELTA), "ask", running, "May seals be FKM?")
    house.do(li, "answer", running, asked, "Is PN16 enough?", "Yes, for all lines.")
    house.do(li, "amend", running, "Seals in FKM.", CLOSES)
    opened = market.tender(title="Valves 2027, second half")
    market.publish(opened)
    market.bids(opened)
    market.open(opened, CLOSES)
    with visitor(browser, market.base, mode) as guest:
        guest.complaints.expect("422")
        guest.sign_in(SELLER, PASSWORD)
        look(guest.go(f"/tenders/{running}"), mode, "bidder")
        house.do(Actor(NINGBO), "acknowledge", running, 2)
        look(guest.go(f"/tenders/{running}/bid?stage=commercial"), mode, "bid")
        page = guest.page
        page.locator("[name=bid_price]").nth(0).fill("11.40")
        page.locator("[name=bid_breaks]").nth(0).fill("800=11.10")
        page.locator("form[action$='/bid'] .btn-primary").click()
        look(page, mode, "bid-review")
    with visitor(browser, market.base, mode) as guest:
        guest.complaints.expect("422")
        guest.sign_in(BUYER, PASSWORD)
        look(guest.go("/tenders"), mode, "list")
        look(guest.go(f"/tenders/{fresh}/passphrase"), mode, "passphrase")
        look(guest.go(f"/tenders/{running}"), mode, "buyer-running")
        look(guest.go(f"/tenders/{running}/place"), mode, "place")
        page = guest.go("/tenders/new")
        page.locator("form[action$='/tenders/new'] .btn-primary").last.click()
        look(page, mode, "new")
        look(guest.go(f"/tenders/{opened}/costs"), mode, "costs")
    house.clock.at = CLOSES
    house.agree(market.people["mo"], running, TECHNICAL, list(WORDS.values())[1])
    with visitor(browser, market.base, mode) as guest:
        guest.sign_in(BUYER, PASSWORD)
        look(guest.go(f"/tenders/{running}/open"), mode, "open")
        house.agree(li, running, TECHNICAL, next(iter(WORDS.values())))
        house.do(li, "score", running, TECHNICAL, {(s, "quality"): Decimal(70) for s in (NINGBO, DELTA)}, {})
        look(guest.go(f"/tenders/{running}/evaluate"), mode, "evaluate")
        page = guest.go(f"/tenders/{opened}")
        page.locator("main details summary").first.click()
        look(page, mode, "compare")
        look(guest.go(f"/tenders/{opened}/ranking"), mode, "ranking")
        page = guest.go(f"/tenders/{opened}")
        page.locator("form[action$='/award'] .btn-primary").click()
        look(page, mode, "award")


SIMPLE = frozenset({"list", "passphrase", "place", "open", "bid-review", "award", "ranking"})
"""Pages of a few fields or one table: the long form looks at them as well (``-m slow``)."""


def look(page: Page, mode: Mode, name: str) -> None:
    if mode is not MODES[0] or name not in SIMPLE or os.environ.get("TRADEHUB_SCREENSHOTS"):
        check_page(page)
    picture(page, f"tender-{name}-{mode.name}")
