"""A contract signed by two people at their browsers, and its pages in every mode: nothing for axe to find."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.kit import MODES, PHONE, ClickBudget, Mode, Visitor, check_page, picture, serve, visitor
from tests.contracting import proven as made
from tests.contracting.proven import DELTA, HAIDI, Proven
from tests.people import PASSWORD
from tradehub.contracting import clauses, keyring
from tradehub.contracting.calling_off import Ceilings
from tradehub.contracting.store import ContractRow
from tradehub.partners.authority import Asker
from tradehub.platform import clock


@dataclass
class Office:
    """A served application with a contract that waits for its signatures."""

    base: str
    proven: Proven
    template: str


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    proven = made.build(tmp_path_factory.mktemp("office") / "data")
    made.let_in(proven)
    contract, hub = proven.contract(DELTA), proven.hub
    today = clock.now().date()
    ceilings = Ceilings(today, today + timedelta(days=300), Decimal(50_000), {"1": (Decimal(900), None)})
    with hub.database.write(org=DELTA) as session:
        hub.contracts.propose_blanket(session, contract.id, ceilings, by=DELTA, at=clock.now())
    with hub.database.write(org=HAIDI) as session:
        hub.contracts.confirm_blanket(session, contract.id, by=HAIDI, revision=1, at=clock.now())
        hub.contracts.call_off(session, contract.id, {"1": Decimal(240)}, asker=Asker(HAIDI), on=today, at=clock.now())
        sealer = hub.contracts.parts.sealer()
        keyring.keep(session, sealer, proven.keys[HAIDI], org=HAIDI, origin="made", by=None, at=clock.now())
        text = "# Frame of {{buyer}}\n\n{{#lines}}\n- {{line_item}}: {{line_price}}\n{{/lines}}"
        row = clauses.save(session, org=HAIDI, text=text, by=None, at=clock.now(), name="Frame", language="en")
    with serve(proven.app) as base:
        yield Office(base, proven, row.id)
    hub.database.dispose()


def test_a_contract_is_put_up_and_signed_in_two_acts(browser: Browser, office: Office) -> None:
    contract = office.proven.contract(DELTA)
    with visitor(browser, office.base) as lin:
        lin.sign_in("lin@example.com", PASSWORD)
        page = lin.go(f"/contracts/{contract.id}")
        with ClickBudget(page, 2) as hand:
            hand.click(page.get_by_role("button", name="Put up for signature"))
            page.wait_for_url("**/sign")
            hand.click(page.get_by_role("button", name="Sign", exact=True))
            page.wait_for_url(f"**/contracts/{contract.id}")
        expect(page.locator("main")).to_contain_text("key held by the hub")
        with page.expect_download() as download:
            page.get_by_role("link", name="Evidence of the whole deal").click()
        assert download.value.suggested_filename == f"evidence-{contract.number}.zip"


def test_a_template_shows_its_text_while_it_is_written(browser: Browser, office: Office) -> None:
    with visitor(browser, office.base) as lin:
        lin.sign_in("lin@example.com", PASSWORD)
        page = lin.go("/contracts/templates/new")
        page.get_by_label("Text of the contract").fill("# For {{buyer}}\n\n{{payment_term}}")
        expect(page.locator("#preview")).to_contain_text("Line 3, column 1, “payment_term”")
        page.get_by_label("Text of the contract").fill("# For {{buyer}}\n\n{{payment_terms}}")
        expect(page.locator("#preview")).to_contain_text("net 30")


SHOWN = (Mode(), Mode("dark", "zh-CN", PHONE))
"""Both languages, both colours and both sizes; with pictures to take, every mode."""


@pytest.mark.parametrize(
    "mode", MODES if os.environ.get("TRADEHUB_SCREENSHOTS") else SHOWN, ids=lambda mode: mode.name
)  # fmt: skip
def test_every_page_of_contracting_is_sound(browser: Browser, office: Office, mode: Mode) -> None:
    contract, other = office.proven.contract(DELTA), office.proven.contract(HAIDI)
    office.proven.prepare(contract)
    with visitor(browser, office.base, mode) as guest:
        guest.sign_in("dana@example.com" if mode.language == "en" else "lin@example.com", PASSWORD)
        pages = {
            f"/contracts/{contract.id}": "contract",
            f"/contracts/{contract.id}/sign": "contract-sign",
            f"/contracts/{contract.id}/call-off": "call-off",
            "/contracts/keys": "signing-keys",
            "/contracts/templates/new": "template",
        }
        if mode.language != "en":
            pages |= {f"/contracts/{other.id}/blanket": "blanket", "/contracts/templates": "templates"}  # fmt: skip
        for path, name in pages.items():
            check_page(guest.go(path))
            picture(guest.page, f"{name}-{mode.name}")


@pytest.mark.parametrize(
    "mode", MODES if os.environ.get("TRADEHUB_SCREENSHOTS") else SHOWN, ids=lambda mode: mode.name
)  # fmt: skip
def test_a_change_of_a_contract_is_proposed_and_answered(browser: Browser, office: Office, mode: Mode) -> None:
    made.by_hand(office.proven.hub)
    with office.proven.hub.database.read() as session:
        row = session.query(ContractRow).filter_by(seller=DELTA).order_by(ContractRow.id.desc()).first()
    assert row is not None
    with visitor(browser, office.base, mode) as lin, visitor(browser, office.base, mode) as dana:
        lin.sign_in("lin@example.com", PASSWORD)
        dana.sign_in("dana@example.com", PASSWORD)

        def look(guest: Visitor, name: str) -> None:
            check_page(guest.page)
            picture(guest.page, f"{name}-{mode.name}")

        page = lin.go(f"/contracts/{row.id}")
        with ClickBudget(page, 4) as hand:
            hand.click(page.locator(f"a[href='/deals/{row.deal_id}/amend?acceptance={row.acceptance}']"))
            look(lin, "amend")
            hand.type(page.locator("[name=line_price]").nth(0), "75.00")
            hand.type("[name=payment]", "net 60")
            hand.click(page.locator(f"form[action='/deals/{row.deal_id}/amend'] > .actions .btn-primary"))
            look(lin, "amend-review")
            hand.click(page.locator("button[name=step][value=send]"))
            page.wait_for_url(f"**/deals/{row.deal_id}")
        lin.go(f"/contracts/{row.id}")
        look(lin, "contract-change-ours")
        lin.go(f"/deals/{row.deal_id}/amend/end?acceptance={row.acceptance}")
        look(lin, "amend-end")
        page = dana.go(f"/contracts/{row.id}")
        look(dana, "contract-change-theirs")
        page.locator("[id^=amendment-] .btn-primary").click()
        look(dana, "amend-accept")
        page.locator(f"form[action='/deals/{row.deal_id}/accept'] .btn-primary").click()
        page.wait_for_url(f"**/deals/{row.deal_id}")
        dana.go(f"/contracts/{row.id}")
        look(dana, "contract-version-2")
