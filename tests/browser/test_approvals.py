"""Approvals in the browser: an acceptance asked for, approved by another in two clicks, and every page looked at."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.approvals.conftest import LIMITS, Firm, build, serve_pages, settle
from tests.browser.kit import MODES, ClickBudget, Mode, check_page, picture, serve, visitor
from tests.negotiation.words import HAIDI
from tests.people import PASSWORD
from tradehub.approvals.model import Chain, ChainStep
from tradehub.partners.authority import Approver
from tradehub.platform import clock
from tradehub.platform.db import Base, Database
from tradehub.platform.security import FRESH_FOR, WebSession

LI, ANN, MAX = (f"{name}@haidi.example" for name in ("li", "ann", "max"))

LOOKED_AT = MODES if "TRADEHUB_SCREENSHOTS" in os.environ else MODES[:1]
"""``make approvals`` looks at every page in every mode; it takes three minutes."""


@dataclass
class Site:
    base: str
    firm: Firm

    def offered(self, price: str) -> str:
        return self.firm.offered(price, valid_until=(clock.now() + timedelta(days=9)).date())

    def age(self) -> None:
        """Let every session be one that signed in a while ago."""
        with self.firm.database.write() as session:
            for each in session.query(WebSession):
                each.fresh_until = clock.now() - FRESH_FOR


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder: Path = tmp_path_factory.mktemp("approvals")
    database = Database(f"sqlite:///{folder / 'tradehub.db'}")
    Base.metadata.create_all(database.engine)
    settle(database)
    firm = build(database)
    steps = (ChainStep((Approver("role", "approver"),)), ChainStep((Approver("person", firm.users["bo"]),)))
    chain = Chain("Plant equipment", Decimal(200000), Decimal(400000), steps, partner="delta")
    firm.state(replace(LIMITS, chains=(chain,)))
    with serve(serve_pages(firm, folder)) as base:
        yield Site(base, firm)
    database.dispose()


@pytest.mark.parametrize("mode", LOOKED_AT, ids=lambda mode: mode.name)
def test_an_acceptance_is_asked_for_and_approved(browser: Browser, site: Site, mode: Mode) -> None:
    """By two clicks each of who asks and who approves, and the pages on the way."""
    firm, deal = site.firm, site.offered("2.40")
    large, late = site.offered("12.40"), site.offered("3.10")
    overtaken = firm.ask(late)
    with firm.database.write(HAIDI) as session:
        view = firm.negotiation.deal(session, late)
        firm.negotiation.reject(session, firm.actor("bo"), late, view.rounds[-1].offer.id)
    firm.decide(overtaken, "ann")
    with visitor(browser, site.base, mode) as buyer:
        buyer.complaints.expect("403")
        buyer.sign_in(LI, PASSWORD)
        page = buyer.go(f"/deals/{deal}")
        with ClickBudget(page, 2) as hand:
            hand.click(page.locator(f".head a[href*='/deals/{deal}/accept']"))
            check_page(page)
            picture(page, f"accept-needs-{mode.name}")
            hand.type("[name=approval_note]", "The old supplier is out of stock.")
            hand.click(page.locator("form[action$='/accept/ask'] .btn-primary"))
        page.wait_for_url("**/approvals/*")
        request = page.url.rsplit("/", 1)[1]
        check_page(page)
        for path, name in (
            ("/", "work"), ("/approvals/mine", "mine"), ("/approvals", "empty"), (f"/approvals/{overtaken}", "overtaken"),
            (f"/deals/{deal}", "deal"),
        ):  # fmt: skip
            check_page(buyer.go(path))
            picture(buyer.page, f"{name}-{mode.name}")
        page = buyer.go(f"/deals/{large}/counter")
        page.locator("[name=line_price]").nth(0).fill("11.95")
        page.locator("form[action$='/counter'] .btn-primary").click()
        check_page(page)
        picture(page, f"counter-needs-{mode.name}")
        page.locator("button[name=step][value=ask]").click()
        page.wait_for_url("**/approvals/*")
        counter = page.url.rsplit("/", 1)[1]

    with visitor(browser, site.base, mode) as approver:
        approver.complaints.expect("403")
        approver.sign_in(ANN, PASSWORD)
        for path, name in (
            ("/approvals", "inbox"), ("/approvals/all", "all"), ("/approvals/delegates", "delegates"),
            (f"/approvals/{counter}", "request-counter"),
        ):  # fmt: skip
            check_page(approver.go(path))
            picture(approver.page, f"{name}-{mode.name}")
        page = approver.go("/")
        with ClickBudget(page, 2) as hand:
            hand.click(page.locator(f"#queue-approve a[href='/approvals/{request}']"))
            picture(page, f"request-{mode.name}")
            hand.click(page.locator("button[name=word][value=approve]"))
        expect(page.locator(".head .pill-ok")).to_be_visible()
        site.age()
        page = approver.go(f"/approvals/{counter}")
        check_page(page)
        page.locator("[name=confirm_password]").fill("not this one")
        page.locator("button[name=word][value=approve]").click()
        check_page(page)
        picture(page, f"confirm-{mode.name}")
        page.locator("[name=confirm_password]").fill(PASSWORD)
        page.locator("main .btn-primary").click()
        page.wait_for_url(f"**/approvals/{counter}")
    assert len(firm.view(counter).row.decisions) == 1
    assert str(firm.load(deal).statements[-1].kind) == "accept"

    with visitor(browser, site.base, mode) as administrator:
        administrator.complaints.expect("422")
        administrator.sign_in(MAX, PASSWORD)
        for path in ("/spending-limits", "/spending-limits/edit"):
            check_page(administrator.go(path))
            picture(administrator.page, f"limits{path.removeprefix('/spending-limits').replace('/', '-')}-{mode.name}")
        page = administrator.page
        page.locator("[name=thresholds_above]").nth(0).fill("many")
        page.locator("#policy .btn-primary").click()
        check_page(page)
        picture(page, f"limits-errors-{mode.name}")
        page.locator("[name=thresholds_above]").nth(0).fill("400000")
        page.locator("[name=days]").fill(str(6 + MODES.index(mode)))
        page.locator("#policy .btn-primary").click()
        check_page(page)
        picture(page, f"limits-review-{mode.name}")
        page.locator("main .btn-primary").click()
        page.wait_for_url("**/spending-limits")
