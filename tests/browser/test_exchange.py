"""The exchange's and the partners' pages in a real browser: sound, and a message mended in three clicks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy.orm import Session

from tests.browser.kit import LOOKED_AT, ClickBudget, Mode, check_page, picture, serve, visitor
from tests.exchange.conftest import Bench, book
from tests.exchange.test_bad_input import EDIFACT, UBL, UBL_CASES, X12, X12_CASES
from tests.fakes import FakeJobs
from tests.people import PASSWORD
from tests.web.house import build
from tradehub.documents import PartyId
from tradehub.exchange import web as exchange_pages
from tradehub.exchange.engine import engine_codec
from tradehub.exchange.inbound import Arrived
from tradehub.exchange.service import POLL, ExchangeService
from tradehub.partners import files
from tradehub.partners import web as partner_pages
from tradehub.partners.service import PartnerService
from tradehub.platform import clock, resources, schedules
from tradehub.platform.db import Base, Database
from tradehub.platform.files import PayloadStore

KINDS = ("inquiry", "offer", "order", "order_response", "despatch", "invoice")


@dataclass
class Stage:
    bench: Bench
    url: str
    bad: str
    bad_xml: str
    sent: str


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    database = Database(f"sqlite:///{tmp_path / 'tradehub.db'}")
    Base.metadata.create_all(database.engine)
    partners, jobs, payloads = PartnerService(), FakeJobs(database), PayloadStore(tmp_path / "payloads")
    with database.write() as session:
        partners.apply(session, files.read_folder(resources.folder("partners")).incoming, by="test", at=clock.now())
        schedules.put(session, "poll:ningbo.drop", kind=POLL, target="ningbo.drop", owner="haidi", every_s=2)
    exchange = ExchangeService(
        database=database, payloads=payloads, jobs=jobs, partners=partners, codec=engine_codec(), data_dir=tmp_path,
        handlers=dict.fromkeys(KINDS, book), on_reached=_ignore,
    )  # fmt: skip
    exchange.register()
    bench = Bench(database, jobs, payloads, exchange, tmp_path)
    bench.receive(X12.encode())
    _receive(bench, EDIFACT, "rhein", "drop")
    _receive(bench, UBL, "nordic", "post")
    bad_xml = _receive(bench, UBL_CASES["bad date"].text.replace("PO-1", "PO-2"), "nordic", "post")
    bench.receive(b"Dear Haidi, please find attached our offer.")
    bad = bench.receive(X12_CASES["bad date"].text.replace("000000007", "000000008").encode()).message_id
    bench.put("PO-9")
    jobs.drain()
    sent = next(row.id for row in bench.messages("out") if row.reference == "PO-9")
    pages = [
        exchange_pages.blueprint(exchange, database, name_of=partners.name_of),
        partner_pages.blueprint(partners, database),
    ]
    house = build(database, tmp_path, extra=pages)
    with serve(house.app) as url:
        yield Stage(bench, url, bad, bad_xml, sent)
    database.dispose()


def _ignore(session: Session, key: str, at: object) -> None: ...


def _receive(bench: Bench, text: str, partner: str, channel: str) -> str:
    arrived = Arrived(text.encode(), PartyId("haidi"), PartyId(partner), channel)
    return bench.exchange.inbound.receive(arrived).message_id


@pytest.mark.parametrize(
    "mode",
    LOOKED_AT,
    ids=lambda mode: mode.name,
)
def test_every_page_of_the_exchange_is_sound(browser: Browser, stage: Stage, mode: Mode) -> None:
    paths = {
        "monitor": "/messages", "errors": "/messages?only=attention", "nothing": "/messages?q=nowhere",
        "message": f"/messages/{stage.bad}", "message-xml": f"/messages/{stage.bad_xml}",
        "sent": f"/messages/{stage.sent}",
        "fix": f"/messages/{stage.bad}/fix", "partners": "/partners", "partner": "/partners/ningbo",
        "partner-web": "/partners/delta", "schedules": "/schedules",
    }  # fmt: skip
    with visitor(browser, stage.url, mode) as guest:
        guest.sign_in("owner@example.com", PASSWORD)
        for name, path in paths.items():
            check_page(guest.go(path))
            picture(guest.page, f"exchange-{name}-{mode.name}")


def test_a_message_is_mended_and_replayed_in_three_clicks(browser: Browser, stage: Stage) -> None:
    with visitor(browser, stage.url) as guest:
        page = guest.sign_in("owner@example.com", PASSWORD)
        guest.go("/messages?only=attention")
        with ClickBudget(page, 3) as hand:
            hand.click(page.locator("tr[data-row]", has_text="850 004010"))
            hand.click(page.get_by_role("link", name="Fix and replay"))
            expect(page.locator("textarea")).to_be_focused()
            page.keyboard.insert_text("20261123")
            hand.click(page.get_by_role("button", name="Replay the mended copy"))
        page.wait_for_url(lambda url: "/fix" not in url)
    stage.bench.jobs.drain()
    assert stage.bench.booked().count("PO-1") == 4
    assert stage.bench.message(stage.bad).settled_at is not None
