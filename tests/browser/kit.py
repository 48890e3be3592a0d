"""What browser tests are made of: a served application, pages that fail on any complaint, counted clicks, axe."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, Request, Response
from werkzeug.serving import make_server

_HEADLESS, _WHOLE = Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium")
CHROMIUM = Path(os.environ.get("TRADEHUB_CHROMIUM", _HEADLESS if _HEADLESS.exists() else _WHOLE))
"""The same engine without a browser's own windows takes a third less time."""
FLAGS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WIDE, PHONE = (1440, 900), (390, 844)

AXE = Axe().axe_script
AXE_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
    # What passes need not be described: that takes axe three times as long as looking for what does not.
    "resultTypes": ["violations"],
}
CONTRAST = "color-contrast"
FAULTS = "rules => axe.run(document, rules).then(results => results.violations)"
TEXTS_SEEN = """() => {
    const colours = element => {
        const style = getComputedStyle(element)
        return [style.color, style.backgroundColor, style.fontSize, style.fontWeight, style.opacity].join()
    }
    window.textsShown = () => [...document.body.querySelectorAll("*")]
        .filter(each => each.checkVisibility() && [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
        .map(each => [each, colours(each)])
    window.textsSeen = new Map(textsShown())
}"""
TABLES_CUT_OFF = """[...document.querySelectorAll(".scroll > .sheet:not(.compare, .leaves, .bids)")]
    .filter(each => each.checkVisibility() && each.scrollWidth > each.parentElement.clientWidth + 1)
    .map(each => each.parentElement.getAttribute("aria-label"))"""
"""What is no comparison and yet cannot be read without scrolling."""
FAULTS_OF_NEW_TEXTS = """rules => {
    const fresh = textsShown().filter(([each, colours]) => textsSeen.get(each) !== colours).map(([each]) => each)
    return fresh.length ? axe.run({include: fresh}, rules).then(results => results.violations) : []
}"""


@dataclass(frozen=True)
class Mode:
    """How a reader looks at a page."""

    colours: str = "light"
    language: str = "en"
    size: tuple[int, int] = WIDE

    @property
    def name(self) -> str:
        return f"{self.colours}-{self.language[:2]}-{self.size[0]}"


MODES = (
    Mode(),
    Mode("dark", "zh-CN"),
    Mode("light", "zh-CN", PHONE),
    Mode("dark", "en", PHONE),
)


LOOKED_AT = (
    MODES[0],
    Mode("dark", "zh-CN", PHONE),
    *(pytest.param(each, marks=pytest.mark.slow) for each in MODES[1:]),
)
"""The modes in which each page is looked at: two that differ in everything in ``make test``, all in ``make pages``."""


@contextmanager
def serve(app: Flask) -> Iterator[str]:
    """Serve the application on a free port of this machine and give its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@dataclass
class Complaints:
    """What went wrong in a page unasked: console errors, policy violations, exceptions, failed requests."""

    found: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.found.append(f"exception: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def expect(self, part: str) -> None:
        """Let complaints pass that contain ``part``: a page that answers 409 or 422 is one to the console as well."""
        self.expected.append(part)

    def check(self) -> None:
        left = [each for each in self.found if not any(part in each for part in self.expected)]
        assert not left, "the browser complains:\n" + "\n".join(left)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.found.append(f"{message.type}: {message.text} ({message.location.get('url', '')})")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":
            self.found.append(f"failed: {request.url} {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 500:
            self.found.append(f"status {response.status}: {response.url}")


@dataclass
class Visitor:
    """A person at a browser of their own."""

    context: BrowserContext
    page: Page
    complaints: Complaints
    base: str

    def go(self, path: str) -> Page:
        self.page.goto(self.base + path)
        return self.page

    def sign_in(self, email: str, password: str) -> Page:
        self.go("/sign-in")
        self.page.locator("input[name=email]").fill(email)
        self.page.locator("input[name=password]").fill(password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "/sign-in" not in url)
        return self.page

    def open_link(self, link: str, password: str) -> Page:
        """Come in by a one-time link, whole or as its path."""
        self.go(link[link.index("/sign-in/") :])
        self.page.locator("input[name=password]").fill(password)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(lambda url: "/sign-in" not in url)
        return self.page


@contextmanager
def visitor(browser: Browser, base: str, mode: Mode = MODES[0]) -> Iterator[Visitor]:
    """Open a browser window; on leaving, fail if it complained of anything."""
    context = browser.new_context(
        viewport={"width": mode.size[0], "height": mode.size[1]},
        color_scheme="dark" if mode.colours == "dark" else "light",
        locale=mode.language,
        timezone_id="Europe/Berlin",
        reduced_motion="reduce",
    )
    context.set_default_timeout(10_000)
    try:
        page, complaints = context.new_page(), Complaints()
        complaints.watch(page)
        yield Visitor(context, page, complaints, base)
        complaints.check()
    finally:
        context.close()


@dataclass
class ClickBudget:
    """Count what a hand does: each click, and each key that is pressed to act. Typing and opening a page are free.

    >>> with ClickBudget(page, 3) as hand: hand.click("text=Accept")
    """

    page: Page
    limit: int
    done: list[str] = field(default_factory=list)

    def click(self, target: str | Locator) -> None:
        self._count(f"click {target}")
        self._at(target).click()

    def press(self, key: str, target: str | Locator | None = None) -> None:
        self._count(f"press {key}")
        if target is None:
            self.page.keyboard.press(key)
        else:
            self._at(target).press(key)

    def choose(self, target: str | Locator, option: str) -> None:
        """Pick from a drop-down: opening it and picking are two."""
        self._count(f"open {target}")
        self._count(f"pick {option}")
        self._at(target).select_option(option)

    def type(self, target: str | Locator, text: str) -> None:
        """Type into a field that the hand is already at; clicking into another field is a click."""
        self._at(target).fill(text)

    def __enter__(self) -> ClickBudget:
        return self

    def __exit__(self, kind: object, *_rest: object) -> None:
        if kind is None:
            assert len(self.done) <= self.limit, f"{len(self.done)} acts of {self.limit}: {', '.join(self.done)}"

    def _count(self, act: str) -> None:
        self.done.append(act)

    def _at(self, target: str | Locator) -> Locator:
        return self.page.locator(target) if isinstance(target, str) else target


def check_page(page: Page) -> None:
    """Fail where axe finds a fault, or where the page is wider than its window."""
    page.wait_for_load_state()  # a click has only begun to go to it
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    _complain(page, page.evaluate(FAULTS, AXE_RULES))


def check_at_both_sizes(page: Page) -> None:
    """Check a page in a wide window and in a phone's.

    Contrast, which takes axe longer than all other rules together, is looked at again only where the phone shows a text that
    the wide window did not, or shows it in other colours.
    """
    check_page(page)
    page.evaluate(TEXTS_SEEN)
    page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
    _complain(page, page.evaluate(FAULTS, {**AXE_RULES, "rules": {CONTRAST: {"enabled": False}}}))
    _complain(page, page.evaluate(FAULTS_OF_NEW_TEXTS, {"runOnly": {"type": "rule", "values": [CONTRAST]}}))
    page.set_viewport_size({"width": WIDE[0], "height": WIDE[1]})


def _complain(page: Page, violations: list[dict[str, Any]]) -> None:
    faults = [f"{each['id']}: {each['help']}\n{_places(each)}" for each in violations]
    assert not faults, f"{page.url}\n" + "\n".join(faults)
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{page.url} scrolls sideways by {wide} px at {page.viewport_size}"
    hidden = page.evaluate(TABLES_CUT_OFF) if page.viewport_size and page.viewport_size["width"] <= PHONE[0] else []
    assert not hidden, f"{page.url}: on a phone these tables scroll sideways: {', '.join(hidden)}"


def _places(fault: dict[str, Any]) -> str:
    return "\n".join(f"    {node['html'][:160]}\n    {node['failureSummary']}" for node in fault["nodes"][:4])


def picture(page: Page, name: str, *, full_page: bool = True) -> None:
    """Keep a picture of the page in the folder that TRADEHUB_SCREENSHOTS names; without it, do nothing."""
    folder = os.environ.get("TRADEHUB_SCREENSHOTS")
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=str(Path(folder) / f"{name}.png"), full_page=full_page)
