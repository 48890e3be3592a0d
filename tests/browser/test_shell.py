"""The shell's own pages in a real browser: no complaint, nothing for axe to find, and usable by keys alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.kit import LOOKED_AT, MODES, ClickBudget, Mode, check_page, picture, serve, visitor
from tests.people import PASSWORD
from tests.web.house import House, build
from tradehub.platform import clock
from tradehub.platform.db import Base, Database
from tradehub.platform.worklist import Entry

PAGES = ("/", "/account", "/users", "/search?q=N-2026", "/search?q=zzz", "/deals/crate-1")


def queue(_session: object, _who: object) -> list[Entry]:
    now = clock.now()
    return [
        Entry(
            "/deals/crate-1",
            "N-2026-0417 · Valve V-22 × 24 000",
            "Ningbo Valves Co. · USD 12.05 · 30 days, L/C 45 d",
            ("turn", "Your turn"),
            now - timedelta(hours=3),
            now + timedelta(days=1, hours=4),
        ),
        Entry("/deals/crate-1?n=2", "N-2026-0409 · Seal kit S-9", "Rhein Armaturen GmbH", ("turn", "Your turn"), now),
        Entry("/deals/crate-1?n=3", "N-2026-0398 · Flange F-3", "Nordic Flow AB", ("wait", "Expires soon"), now),
    ]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    database = Database(f"sqlite:///{folder / 'tradehub.db'}")
    Base.metadata.create_all(database.engine)
    yield build(
        database, folder, entries=queue, search=lambda session, who, words: queue(session, who) if "N" in words else []
    )
    database.dispose()


@pytest.fixture(scope="module")
def base(house: House) -> Iterator[str]:
    with serve(house.app) as url:
        yield url


@pytest.mark.parametrize("mode", LOOKED_AT, ids=lambda mode: mode.name)
def test_every_page_of_the_shell_is_sound(browser: Browser, base: str, mode: Mode) -> None:
    with visitor(browser, base, mode) as guest:
        guest.complaints.expect("404")
        for path, name in (("/sign-in", "sign-in"), ("/sign-in/nothing", "link-refused")):
            check_page(guest.go(path))
            picture(guest.page, f"{name}-{mode.name}")
        guest.sign_in("owner@example.com", PASSWORD)
        for path in (*PAGES, "/nowhere"):
            check_page(guest.go(path))
            picture(guest.page, f"{path.strip('/').split('?')[0].replace('/', '-') or 'home'}-{mode.name}")


@pytest.mark.parametrize("mode", MODES[:2], ids=lambda mode: mode.name)
def test_the_link_page_is_sound(browser: Browser, house: House, base: str, mode: Mode) -> None:
    with visitor(browser, base, mode) as guest:
        check_page(guest.go(f"/sign-in/{house.link_for('member')}"))
        picture(guest.page, f"link-{mode.name}")


def test_the_queue_works_by_keys_alone(browser: Browser, base: str) -> None:
    with visitor(browser, base) as guest:
        page = guest.sign_in("owner@example.com", PASSWORD)
        with ClickBudget(page, 3) as hand:
            hand.press("j")
            hand.press("j")
            hand.press("Enter")
        expect(page).to_have_url(f"{base}/deals/crate-1?n=2")
        page.keyboard.press("g")
        page.keyboard.press("h")
        expect(page).to_have_url(f"{base}/")
        page.keyboard.press("?")
        expect(page.locator("#keys")).to_be_visible()
        check_page(page)
        page.keyboard.press("Escape")
        page.keyboard.press("/")
        expect(page.locator("[data-find]")).to_be_focused()
        page.keyboard.type("zzz")
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{base}/search?q=zzz")


def test_a_row_of_the_queue_opens_by_one_click_anywhere_in_it(browser: Browser, base: str) -> None:
    with visitor(browser, base) as guest:
        page = guest.sign_in("owner@example.com", PASSWORD)
        with ClickBudget(page, 1) as hand:
            hand.click(page.locator("li[data-row] .sub").first)
        expect(page).to_have_url(f"{base}/deals/crate-1")


def test_on_a_phone_the_ways_are_in_a_menu(browser: Browser, base: str) -> None:
    with visitor(browser, base, MODES[2]) as guest:
        page = guest.sign_in("owner@example.com", PASSWORD)
        expect(page.locator(".side")).to_be_hidden()
        page.locator(".menu-ways summary").click()
        picture(page, "menu-phone")
        check_page(page)
        page.locator(".menu-ways a[href='/users']").click()
        expect(page).to_have_url(f"{base}/users")


def test_colours_and_language_stay_as_chosen(browser: Browser, base: str) -> None:
    with visitor(browser, base) as guest:
        page = guest.sign_in("stranger@example.com", PASSWORD)
        page.locator(".menu-who summary").click()
        picture(page, "menu-who")
        check_page(page)
        page.locator("button[name=theme][value=dark]").click()
        expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
        page.locator(".top form[action='/lang/zh_Hans'] button").click()
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        page.locator(".top form[action='/lang/en'] button").click()
        expect(page.locator("html")).to_have_attribute("lang", "en")
