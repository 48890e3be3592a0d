"""A deal between two browsers and a partner's system: few clicks, no complaint, nothing for axe to find."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.kit import LOOKED_AT, PHONE, ClickBudget, Mode, Visitor, check_page, picture, serve, visitor
from tests.negotiation.conftest import DELTA, RHEIN, House, KeptOutbox, service, terms
from tests.negotiation.conftest import SELLER as ANN
from tests.negotiation.pages import build
from tests.negotiation.words import HAIDI, NINGBO
from tests.people import PASSWORD
from tradehub.documents import Offer
from tradehub.documents.parts import DatedEvent, DeliveryTerms, PaymentTerms, Price, Reference
from tradehub.negotiation import model
from tradehub.negotiation.further import Stated
from tradehub.negotiation.histories import Claim
from tradehub.negotiation.store import DealRow
from tradehub.partners.handling import Received
from tradehub.platform import clock
from tradehub.platform.db import Base, Database

BUYER, SELLER = "li@haidi.example", "ann@delta.example"
LINES = (("Valve V-22", "V-22", "24000"), ("Seal kit", "S-9", "24000"), ("Flange F-3", "F-3", "4000"))


@dataclass
class Market:
    """A served application, and the day that everything counts from."""

    base: str
    house: House

    def day(self, days: int) -> str:
        return (clock.now() + timedelta(days=days)).date().isoformat()

    def deal(self, seller: str, buyer: str = HAIDI) -> str:
        with self.house.database.read(buyer) as session:
            rows = session.query(DealRow).filter_by(seller_id=seller).order_by(DealRow.id.desc())
            return rows.first().id

    def restored(self, deal: str) -> None:
        """Let messages speak of histories that are not ours, and of one that has become shorter."""
        with self.house.database.write() as session:
            for length, seen, minutes in ((9, 2, 0), (3, 0, 5)):
                claim = Claim(length, "ab" * 32, seen, "cd" * 32, clock.now() + timedelta(minutes=minutes))
                received = Received(f"m-{length}", HAIDI, NINGBO, "x12", "843", clock.now())
                self.house.service.compare_histories(session, deal, claim.text, received)

    def quote(self, partner: str, number: str, prices: tuple[str, ...], **more) -> None:
        """Let a partner's system quote on the last inquiry that it got."""
        asked = next(document for to, document, _ in reversed(self.house.outbox.sent) if to == partner)
        today = clock.now().date()
        lines = tuple(
            line.model_copy(update={"price": Price(amount=Decimal(price))})
            for line, price in zip(asked.lines, prices, strict=False)
        )
        dates = (
            DatedEvent(type="promised_delivery", on=today + timedelta(days=40)),
            DatedEvent(type="valid_until", on=today + timedelta(days=9)),
        )
        self.house.receive(
            Offer(
                number=number, action="original", currency="USD", lines=lines, dates=dates,
                references=(Reference(type="inquiry", value=asked.number),),
                delivery_terms=DeliveryTerms(incoterm="FOB", place="Ningbo"),
                payment_terms=(PaymentTerms(text="L/C 45 d"),), **more,
            ),
            partner,
        )  # fmt: skip


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    folder = tmp_path_factory.mktemp("market")
    database = Database(f"sqlite:///{folder / 'tradehub.db'}")
    Base.metadata.create_all(database.engine)
    outbox, concluded = KeptOutbox(), []
    house = House(database, outbox, service(outbox, concluded), concluded)
    with serve(build(house, folder)) as base:
        yield Market(base, house)
    database.dispose()


def inquire(guest: Visitor, market: Market) -> None:
    """Write an inquiry with three lines to three suppliers and send it, within the budget."""
    page = guest.go("/inquiries/new")
    with ClickBudget(page, 8) as hand:
        for place, (name, item, quantity) in enumerate(LINES):
            hand.type(page.locator("[name=line_name]").nth(place), name)
            hand.type(page.locator("#lines [name=line_item]").nth(place), item)
            hand.type(page.locator("[name=line_quantity]").nth(place), quantity)
        for supplier in ("ningb", "rhein", "delta"):
            box = page.get_by_role("combobox", name="Suppliers")
            hand.type(box, supplier)
            expect(page.locator(".choices [role=option]")).to_have_count(1)
            hand.press("Enter", box)
        hand.type("[name=delivery]", market.day(50))
        hand.type("[name=note]", "the old price was 11.50")
        hand.click(page.get_by_role("button", name="Review"))
        hand.click(page.get_by_role("button", name="Send inquiry"))
        page.wait_for_url("**/compare")


def test_a_deal_from_inquiry_to_contract(browser: Browser, market: Market) -> None:
    with visitor(browser, market.base) as buyer, visitor(browser, market.base) as seller:
        buyer.sign_in(BUYER, PASSWORD)
        seller.sign_in(SELLER, PASSWORD)
        inquire(buyer, market)
        market.quote(NINGBO, "Q-771", ("12.40", "0.82", "6.40"))
        market.quote(RHEIN, "AN-9", ("13.10", "1.10"))

        page = seller.go(f"/deals/{market.deal(DELTA)}")
        page.get_by_role("link", name="Make an offer").click()
        for place, price in enumerate(("12.60", "0.95", "6.10")):
            page.locator("[name=line_price]").nth(place).fill(price)
        page.locator("[name=payment]").fill("net 30")
        page.get_by_role("button", name="Send offer").click()
        expect(page.locator(".head")).to_contain_text("Waiting for them")

        page = buyer.go("/")
        with ClickBudget(page, 3) as hand:
            hand.click(page.locator("a", has_text="Valve V-22").filter(has_text="N-").first)
            hand.click(page.get_by_role("link", name="Counter", exact=True))
            hand.type(page.locator("[name=line_price]").nth(0), "11.90")
            hand.click(page.get_by_role("button", name="Send counter-offer"))
        expect(page.locator("#diff")).to_contain_text("better for you")
        expect(page.locator(".gap-chart").first).to_be_visible()

        page = buyer.go("/deals?only=your_turn")
        expect(page.locator("main")).to_contain_text("N-")


@pytest.mark.parametrize("mode", LOOKED_AT, ids=lambda mode: mode.name)
def test_every_page_of_negotiation_is_sound(browser: Browser, market: Market, mode: Mode) -> None:
    with visitor(browser, market.base) as first:
        first.sign_in(BUYER, PASSWORD)
        inquire(first, market)
    number = f"Q-{mode.name}"
    market.quote(NINGBO, number, ("12.40", "0.82", "6.40"))
    deal = market.deal(NINGBO)
    with visitor(browser, market.base, mode) as guest:
        guest.complaints.expect("422")
        guest.complaints.expect("409")
        guest.sign_in(BUYER, PASSWORD)
        page = guest.go(f"/deals/{deal}/counter")
        page.locator("[name=line_price]").nth(0).fill("x")
        page.locator("form[action$='/counter'] .btn-primary").click()
        check_page(page)
        picture(page, f"counter-errors-{mode.name}")
        page.locator("[name=line_price]").nth(0).fill("11.90")
        page.locator("[name=line_delivery]").nth(0).fill(market.day(30))
        page.locator("button[name=step][value=review]").click()
        check_page(page)
        page.locator("button[name=step][value=send]").click()
        page.wait_for_url(f"**/deals/{deal}")
        market.quote(NINGBO, f"{number}-2", ("12.05", "0.80", "6.40"))
        market.restored(deal)
        inquiry = guest.go(f"/deals/{deal}").locator("a[href$='/compare']").first.get_attribute("href") or ""
        pages = {
            "/": "home", "/deals": "deals", "/deals?only=closed": "deals-empty", f"/deals/{deal}": "deal",
            f"/deals/{deal}/counter": "counter", f"/deals/{deal}/accept": "accept", f"/deals/{deal}/reject": "reject",
            "/inquiries/new": "inquiry", inquiry: "comparison",
        }  # fmt: skip
        for path, name in pages.items():
            check_page(guest.go(path))
            picture(guest.page, f"{name}-{mode.name}")


def test_two_rounds_are_compared_without_leaving_the_page(browser: Browser, market: Market) -> None:
    with visitor(browser, market.base) as guest:
        guest.sign_in(BUYER, PASSWORD)
        inquire(guest, market)
        market.quote(NINGBO, "Q-diff", ("12.40", "0.82", "6.40"))
        market.quote(NINGBO, "Q-diff-2", ("12.05", "0.82", "6.40"))
        page = guest.go(f"/deals/{market.deal(NINGBO)}")
        expect(page.locator("#diff")).to_contain_text("Round 2")
        page.locator("#f-a").select_option("1")
        expect(page.locator("#diff")).to_contain_text("Round 1")
        assert page.url.endswith(market.deal(NINGBO))


def test_what_was_refused_begins_at_the_first_field_that_is_wrong(browser: Browser, market: Market) -> None:
    with visitor(browser, market.base) as guest:
        guest.complaints.expect("422")
        guest.sign_in(BUYER, PASSWORD)
        page = guest.go("/inquiries/new")
        page.locator("[name=line_name]").nth(0).fill("Valve V-22")
        page.locator("[name=line_quantity]").nth(0).fill("many")
        page.get_by_role("button", name="Review").press("Enter")
        expect(page.locator("[name=line_quantity]").nth(0)).to_be_focused()


def test_the_way_back_from_what_was_sent_is_no_dead_end(browser: Browser, market: Market) -> None:
    with visitor(browser, market.base) as guest:
        page = guest.sign_in(BUYER, PASSWORD)
        inquire(guest, market)
        page.go_back()
        expect(page.locator("h1")).to_have_text("New inquiry")
        expect(page.locator("main .note")).to_have_count(0)


@pytest.mark.parametrize("mode", [Mode(), Mode(size=PHONE)], ids=lambda mode: mode.name)
def test_a_name_without_end_leaves_the_other_columns_in_sight(browser: Browser, market: Market, mode: Mode) -> None:
    with visitor(browser, market.base, mode) as guest:
        page = guest.sign_in(BUYER, PASSWORD)
        page = guest.go("/inquiries/new")
        page.locator("[name=line_name]").nth(0).fill("X" * 200)
        page.locator("[name=line_quantity]").nth(0).fill("5")
        box = page.get_by_role("combobox", name="Suppliers")
        box.fill("delta")
        box.press("Enter")
        page.get_by_role("button", name="Review").click()
        expect(page.locator("h1")).to_have_text("Review the inquiry")
        check_page(page)
        assert page.evaluate("[...document.querySelectorAll('.scroll')].every(e => e.scrollWidth <= e.clientWidth)")
        page.get_by_role("button", name="Send inquiry").click()
        page.wait_for_url("**/compare")
        asked = page.locator("td", has_text="5 pcs").bounding_box()
        assert asked is not None
        assert asked["x"] + asked["width"] <= mode.size[0]


def test_lines_are_added_and_removed_by_keys(browser: Browser, market: Market) -> None:
    with visitor(browser, market.base) as guest:
        guest.sign_in(BUYER, PASSWORD)
        page = guest.go("/inquiries/new")
        page.get_by_role("button", name="Add a line").press("Enter")
        expect(page.locator("#lines tr")).to_have_count(4)
        expect(page.locator("#lines tr").last.locator("[name=line_name]")).to_be_focused()
        page.get_by_role("button", name="Remove the line").first.press("Enter")
        expect(page.locator("#lines tr")).to_have_count(3)
        expect(page.locator("#lines tr").last.locator("[data-number]")).to_have_text("3")


@pytest.mark.parametrize("mode", LOOKED_AT, ids=lambda mode: mode.name)
def test_lines_are_chosen_and_terms_changed_in_few_clicks(browser: Browser, market: Market, mode: Mode) -> None:
    papers = (Stated("documents_required", "Two copies of the invoice"),)
    prices = terms("12.40", "0.82", "6.10", valid_until=date.fromisoformat(market.day(9)), terms=papers)
    divisible, whole = market.house.deal_with(DELTA), market.house.deal_with(DELTA)
    market.house.do(ANN, "make_offer", divisible, replace(prices, divisible=True))
    brass = replace(prices.lines[0], name="Valve V-22, brass", item_number="B-22")
    market.house.do(ANN, "make_offer", whole, replace(prices, alternatives=(brass,)))
    with visitor(browser, market.base, mode) as guest:
        guest.sign_in(BUYER, PASSWORD)
        page = guest.go(f"/deals/{divisible}")
        with ClickBudget(page, 4) as hand:
            hand.click(".head .btn-primary")
            check_page(page)
            hand.click(page.locator("[name=taken]").nth(1))
            hand.click("form[action$='/accept/review'] .btn-primary")
            page.wait_for_url("**/accept/review")
            check_page(page)
            hand.click("form[action$='/accept'] .btn-primary")
        page.wait_for_url(f"**/deals/{divisible}")
        page = guest.go(f"/deals/{whole}")
        check_page(page)
        with ClickBudget(page, 3) as hand:
            hand.click(".head .btn-primary")
            check_page(page)
            hand.click(page.locator("[name=offer]").nth(1))
            hand.click("main form .btn-primary")
        page.wait_for_url("**/accept?offer=*")
        page = guest.go(f"/deals/{whole}/accept/changes")
        check_page(page)
        page.locator("[name=term_value]").first.fill("Three copies of the invoice")
        page.locator("form[action$='/accept/changes'] > .actions .btn-primary").click()
        expect(page.locator("form[action$='/accept/changes/send']")).to_be_visible()
        check_page(page)
        page.locator("form[action$='/accept/changes/send'] .btn-primary").click()
        page.wait_for_url(f"**/deals/{whole}")
    assert [each.lines.keys() for each in model.contracts(market.house.load(divisible), now=clock.now())] == [
        {"1", "3"}
    ]
    (contract,) = model.contracts(market.house.load(whole), now=clock.now())
    assert contract.state == "concluded_objectable"
