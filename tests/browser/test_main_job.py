"""The main job, clicked through: one inquiry, four suppliers on four channels, down to invoices and a mended message.

The steps are those of the README, in order and on one hub, which runs in processes of its own with three robots.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.hub import RunningHub, running_hub
from tests.browser.kit import ClickBudget, Visitor, picture, visitor
from tradehub.platform import clock

pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("main-job")]

BUYER, SELLER = "Lin Hai", "Dana Whitfield"
PASSWORDS = {BUYER: "seven quiet rivers", SELLER: "nine loud harbours"}
SUPPLIERS = ("Ningbo Valves", "Rhein Armaturen", "Nordic Flow", "Delta Fluid")
LINES = (
    ("Gate valve DN50 PN16", "V-22", "240"),
    ("Ball valve DN25 PN40", "B-07", "120"),
    ("Gasket DN50", "G-50", "600"),
)
PATIENCE_S = 90
"""How long a partner's answer may take on a machine that does other things as well."""


@dataclass
class Trade:
    """The trade under way: its hub, the windows of buyer and seller, and how far it has come."""

    hub: RunningHub
    buyer: Visitor
    seller: Visitor
    reached: int = 0
    paths: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def step(self, number: int) -> Iterator[None]:
        """Go one step on; skip it where the one before it has not been reached."""
        if self.reached != number - 1:
            pytest.skip(f"step {number - 1} has not been reached")
        yield
        self.buyer.complaints.check()
        self.seller.complaints.check()
        self.reached = number

    def wait_for(self, guest: Visitor, path: str, what: str, place: str = "main") -> Page:
        """Look at the page again and again until it says ``what``, a pattern."""
        until = time.monotonic() + PATIENCE_S
        while True:
            text = guest.go(path).locator(place).first.inner_text()
            if re.search(what, text, re.DOTALL):
                return guest.page
            assert time.monotonic() < until, f"{path} does not say {what!r} but:\n{text}"
            time.sleep(0.4)

    def message(self, words: str) -> Page:
        """Open the newest message that the monitor finds by these words."""
        page = self.buyer.go(f"/messages?q={words}")
        page.locator("tr[data-row] a").first.click()
        page.wait_for_url("**/messages/*")
        return page


@pytest.fixture(scope="module")
def trade(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trade]:
    with running_hub(tmp_path_factory.mktemp("hub") / "data") as hub:
        with visitor(browser, hub.base) as buyer, visitor(browser, hub.base) as seller:
            buyer.context.set_default_timeout(20_000)
            seller.context.set_default_timeout(20_000)
            yield Trade(hub, buyer, seller)


def day(days: int) -> str:
    return (clock.now() + timedelta(days=days)).date().isoformat()


def test_1_people_come_in_by_their_links_and_ask_four_suppliers(trade: Trade) -> None:
    with trade.step(1):
        for guest, name in ((trade.buyer, BUYER), (trade.seller, SELLER)):
            page = guest.open_link(trade.hub.link_of(name), PASSWORDS[name])
            expect(page.locator("h1")).to_have_text("Your work")
        page = trade.buyer.go("/")
        page.get_by_role("link", name="New inquiry").first.click()
        with ClickBudget(page, 9) as hand:  # 8 for three suppliers, and Enter for the fourth
            for place, (name, item, quantity) in enumerate(LINES):
                hand.type(page.locator("[name=line_name]").nth(place), name)
                hand.type(page.locator("#lines [name=line_item]").nth(place), item)
                hand.type(page.locator("#lines [name=line_quantity]").nth(place), quantity)
            for supplier in SUPPLIERS:
                box = page.get_by_role("combobox", name="Suppliers")
                hand.type(box, supplier[:4].lower())
                hand.press("Enter", box)
            hand.type("[name=delivery]", day(35))
            hand.type("[name=note]", "Budget 7,500; Ningbo was late twice last year.")
            hand.click(page.get_by_role("button", name="Review"))
            for supplier in SUPPLIERS:
                expect(page.locator("main")).to_contain_text(supplier)
            hand.click(page.get_by_role("button", name="Send inquiry"))
            page.wait_for_url("**/compare")
        trade.paths["compare"] = page.url.removeprefix(trade.hub.base)
        for supplier in SUPPLIERS:
            link = page.locator("thead a", has_text=supplier).get_attribute("href")
            assert link is not None
            trade.paths[supplier] = link
        for message in ("840", "REQOTE", "RequestForQuotation"):
            trade.wait_for(trade.buyer, f"/messages?only=out&q={message}", f"{message}.*Valid.*Sent.*Confirmed")


def test_2_offers_come_in_from_three_systems_and_a_person(trade: Trade) -> None:
    with trade.step(2):
        page = trade.wait_for(trade.seller, "/", LINES[0][0])
        page.locator("li[data-row]").first.click()
        page.get_by_role("link", name="Make an offer").click()
        for place, price in enumerate(("31.40", "18.20", "1.95")):
            page.locator("[name=line_price]").nth(place).fill(price)
        page.locator("[name=payment]").fill("net 30")
        page.locator("[name=text]").fill("From stock in Houston.")
        page.get_by_role("button", name="Send offer").click()
        expect(page.locator(".head")).to_contain_text("Waiting for them")
        trade.paths["seller's deal"] = page.url.removeprefix(trade.hub.base)

        page = trade.wait_for(trade.buyer, trade.paths["compare"], "4 of 4 answered")
        columns = page.locator("thead th")
        assert [columns.nth(place).inner_text() for place in range(2, 6)] == list(SUPPLIERS)
        for place in range(4):
            expect(page.locator("tfoot tr").first.locator("td").nth(place + 1)).to_contain_text("USD")
        for supplier, message in (
            ("Ningbo Valves", "843"),
            ("Rhein Armaturen", "QUOTES"),
            ("Nordic Flow", "Quotation"),
        ):
            trade.wait_for(
                trade.buyer, f"/messages?only=in&q={message}", f"{message}.*{supplier}.*Valid.*Confirmed by us"
            )
            page = trade.wait_for(trade.buyer, trade.paths[supplier], "Your turn")
            expect(page.locator("#round-2")).to_contain_text("by message")


def test_3_a_counter_goes_out_in_the_suppliers_dialect_and_rounds_are_compared(trade: Trade) -> None:
    with trade.step(3):
        page = trade.buyer.go("/")
        with ClickBudget(page, 3) as hand:
            hand.click(page.locator("li[data-row]", has_text="Ningbo Valves"))
            hand.click(page.get_by_role("link", name="Counter", exact=True))
            for place in range(3):
                field = page.locator("[name=line_price]").nth(place)
                hand.type(field, f"{float(field.input_value()) * 0.92:.2f}")
                hand.type(page.locator("[name=line_delivery]").nth(place), day(28))
            hand.click(page.get_by_role("button", name="Send counter-offer"))
        page = trade.wait_for(trade.buyer, trade.paths["Ningbo Valves"], r"4 · (Counter-)?[Oo]ffer")
        page.locator("#f-a").select_option("2")
        expect(page.locator("#diff")).to_contain_text("Round 2")
        expect(page.locator("#diff")).to_contain_text("better for you")
        page.locator("#f-a").select_option("3")
        expect(page.locator("#diff")).to_contain_text("Round 3")
        page = trade.message("840")
        expect(page.locator("pre.raw")).to_contain_text("BQT*16*")
        expect(page.locator("pre.raw")).to_contain_text(re.compile(r"REF\*PR\*QNI\d+~"))


def test_4_acceptances_make_contracts_and_every_answer_is_shown_as_what_it_is(trade: Trade) -> None:
    with trade.step(4):
        page = trade.buyer.go("/")
        with ClickBudget(page, 3) as hand:
            hand.click(page.locator("li[data-row]", has_text="Ningbo Valves"))
            hand.click(page.get_by_role("link", name="Accept round 4"))
            accepted = page.locator("code").inner_text()
            hand.click(page.get_by_role("button", name="Accept and conclude"))
        for supplier in ("Rhein Armaturen", "Nordic Flow"):
            page = trade.buyer.go(trade.paths["compare"])
            with ClickBudget(page, 2) as hand:
                hand.click(page.get_by_role("link", name=f"Award to {supplier}"))
                hand.click(page.get_by_role("button", name="Accept and conclude"))

        page = trade.wait_for(trade.buyer, trade.paths["Ningbo Valves"], "Terms intact")
        page.get_by_role("link", name="Show contract").click()
        expect(page.locator("code.hash")).to_have_text(accepted)
        trade.paths["contract"] = page.url.removeprefix(trade.hub.base)
        for supplier, answer in (
            ("Ningbo Valves", "Accepted"), ("Rhein Armaturen", "Counter-offer"), ("Nordic Flow", "Accepted with changes"),
        ):  # fmt: skip
            page = trade.wait_for(trade.buyer, "/orders", rf"{supplier}[^/]*?{answer}\n")
            page.locator("tr[data-row]", has_text=supplier).locator("a").click()
            page.wait_for_url("**/orders/*")
            trade.paths[f"order to {supplier}"] = page.url.removeprefix(trade.hub.base)
            print(page.locator("main").inner_text())
            page.screenshot(path=f"/tmp/mj/order-{supplier}.png", full_page=True)
        for m in ("855", "ORDRSP", "OrderResponse", "856"):
            page = trade.message(m)
            print(page.locator("pre.raw").inner_text())
