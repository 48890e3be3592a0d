"""A passkey at a real browser, whose device is a virtual one: added, asked before an act that binds, asked to sign."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from tests.browser.kit import MODES, check_at_both_sizes, check_page, picture, serve, visitor
from tests.contracting import proven as made
from tests.contracting.proven import DELTA, HAIDI, Proven
from tests.people import PASSWORD
from tradehub.contracting import keyring
from tradehub.contracting.verify_evidence import verify
from tradehub.platform import clock
from tradehub.platform.security import WebSession


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Proven]]:
    proven = made.build(tmp_path_factory.mktemp("passkeys") / "data")
    made.let_in(proven)
    with proven.hub.database.write(org=HAIDI) as session:
        sealer = proven.hub.contracts.parts.sealer()
        keyring.keep(session, sealer, proven.keys[HAIDI], org=HAIDI, origin="made", by=None, at=clock.now())
    with serve(proven.app) as base:
        # Browsers make passkeys for names, not for addresses.
        yield base.replace("127.0.0.1", "localhost"), proven
    proven.hub.database.dispose()


@contextmanager
def a_device(page: Page, *, knows_its_owner: bool = True) -> Iterator[None]:
    """Give the browser an authenticator of its own."""
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable", {"enableUI": False})
    options = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "hasResidentKey": True,
               "isUserVerified": knows_its_owner, "automaticPresenceSimulation": True}  # fmt: skip
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    yield
    tools.detach()


def add_passkey(page: Page) -> None:
    page.get_by_label("Name of the device").fill("Laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.locator("#passkeys")).to_contain_text("Laptop")


def test_a_passkey_signs_a_contract_and_the_evidence_shows_it(browser: Browser, office: tuple[str, Proven]) -> None:
    base, proven = office
    contract = proven.contract(DELTA)
    proven.prepare(contract)
    with visitor(browser, base) as lin:
        lin.complaints.expect("403")
        lin.sign_in("lin@example.com", PASSWORD)
        page = lin.go("/account")
        with a_device(page):
            add_passkey(page)
            check_page(page)
            picture(page, "account-passkeys")

            _let_time_pass(proven)
            lin.go(f"/contracts/{contract.id}/sign")
            expect(page.get_by_label("Your password")).to_be_visible()
            check_page(page)
            picture(page, "sign-with-passkey")
            page.get_by_role("button", name="Sign with a passkey").click()
            page.wait_for_url(f"**/contracts/{contract.id}")
            expect(page.locator("main")).to_contain_text("confirmed with a passkey")
    verify(proven.evidence(contract))


def test_a_passkey_confirms_an_act_in_place_of_the_password(browser: Browser, office: tuple[str, Proven]) -> None:
    base, proven = office
    with visitor(browser, base) as dana:
        dana.complaints.expect("403")
        dana.sign_in("dana@example.com", PASSWORD)
        page = dana.go("/account")
        with a_device(page):
            add_passkey(page)
            _let_time_pass(proven)
            page.get_by_role("button", name="Forget").click()
            expect(page.get_by_role("heading", name="Confirm that it is you")).to_be_visible()
            check_at_both_sizes(page)
            picture(page, "confirm-with-passkey")
            page.get_by_role("button", name="Use a passkey").click()
            expect(page.locator("main")).to_contain_text("The passkey is forgotten.")
            expect(page.locator("#passkeys li")).to_have_count(0)


def test_a_device_that_does_not_know_its_owner_is_told_so(browser: Browser, office: tuple[str, Proven]) -> None:
    base, _proven = office
    with visitor(browser, base, MODES[1]) as zoe:
        zoe.sign_in("zoe@example.com", PASSWORD)
        page = zoe.go("/account")
        with a_device(page, knows_its_owner=False):
            page.locator("#f-passkey-name").fill("Laptop")
            page.locator("form[data-passkey-make] button").click()
            expect(page.locator("form[data-passkey-make] [data-passkey-trouble]")).to_be_visible()
            check_at_both_sizes(page)
            picture(page, "account-passkeys-zh")


def test_by_an_address_the_page_says_why_there_is_no_passkey(browser: Browser, office: tuple[str, Proven]) -> None:
    with visitor(browser, office[0].replace("localhost", "127.0.0.1")) as max_:
        max_.sign_in("max@example.com", PASSWORD)
        page = max_.go("/account")
        expect(page.locator("#passkeys")).to_contain_text("Browsers make passkeys for a name only.")
        expect(page.locator("#passkeys form")).to_have_count(0)


def _let_time_pass(proven: Proven) -> None:
    with proven.hub.database.write() as session:
        session.execute(update(WebSession).values(fresh_until=None))


def test_a_passkey_signs_in_by_itself_and_leads_to_the_page_that_was_wanted(
    browser: Browser, office: tuple[str, Proven]
) -> None:
    base, _proven = office
    with visitor(browser, base) as dana:
        dana.sign_in("dana@example.com", PASSWORD)
        page = dana.go("/account")
        with a_device(page):
            add_passkey(page)
            page.context.clear_cookies()
            dana.go("/account")
            expect(page.get_by_role("button", name="Sign in with a passkey")).to_be_visible()
            check_at_both_sizes(page)
            picture(page, "sign-in-with-passkey")
            page.get_by_role("button", name="Sign in with a passkey").click()
            page.wait_for_url("**/account")
            expect(page.locator("#passkeys")).to_contain_text("Laptop")


def test_a_device_without_a_passkey_says_so_at_the_door(browser: Browser, office: tuple[str, Proven]) -> None:
    base, _proven = office
    with visitor(browser, base, MODES[3]) as stranger:
        page = stranger.go("/sign-in")
        with a_device(page):
            page.locator("button[data-passkey]").click()
            expect(page.locator("[data-passkey-trouble]")).to_be_visible(timeout=15_000)
            check_at_both_sizes(page)
            picture(page, "sign-in-with-passkey-dark")
