"""The pages after conclusion, from both sides: haidi buys, delta sells; a member without a role and a rival look on."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeJobs
from tests.trade_fulfilment import (
    DELTA,
    HAIDI,
    Trade,
    answer,
    concluded,
    despatch,
    from_partner,
    invoice,
    response,
)
from tests.web.house import House, build, post
from tradehub.billing import web as billing_web
from tradehub.contracting import web as contracting_web
from tradehub.documents.parts import Price
from tradehub.documents.trade import LineResponse
from tradehub.fulfilment import web as fulfilment_web
from tradehub.ordering import web as ordering_web
from tradehub.platform.db import Database
from tradehub.platform.http import Principal
from tradehub.platform.security import PERMISSIONS

DEARER = answer("1", LineResponse(status="price_changed"), price=Price(amount=Decimal("12.90")))


def name_of(session: object, party: str) -> str:
    return party.title()


@pytest.fixture
def house(trade: Trade, database: Database, jobs: FakeJobs, tmp_path: Path) -> House:
    panels = (fulfilment_web.panel(trade.fulfilment), billing_web.panel(trade.billing))
    pages = (
        contracting_web.blueprint(trade.contracts, database, name_of=name_of),
        ordering_web.blueprint(trade.orders, database, name_of=name_of, panels=panels),
        fulfilment_web.blueprint(trade.fulfilment, database),
        billing_web.blueprint(trade.billing, database),
    )
    return build(database, tmp_path, extra=pages)


@pytest.fixture
def buyer(house: House) -> FlaskClient:
    return house.signed_in("owner")


@pytest.fixture
def seller(house: House) -> FlaskClient:
    return house.signed_in("stranger")


def hidden(page: str) -> dict[str, str]:
    """Return the hidden fields of a page's last form: what a click on its button sends along."""
    form = page[page.rindex('<form method="post"') :]
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', form))


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_list_shows_both_sides_their_orders(trade, buyer, seller):
    trade.conclude()
    trade.conclude(concluded("deal-2", seller=DELTA))
    assert buyer.get("/orders").text.count("<tr data-row>") == 2
    assert seller.get("/orders").text.count("<tr data-row>") == 1
    assert buyer.get("/orders?q=delta").text.count("<tr data-row>") == 1
    assert buyer.get("/orders?only=differences").text.count("<tr data-row>") == 0
    assert len(buyer.get("/orders.csv").text.splitlines()) == 3


def test_a_counter_offer_is_shown_as_one_and_agreed(trade, buyer):
    order_id = trade.conclude()
    trade.receive(response(trade.order(order_id).number, DEARER, number="OR-1", response="counter_offer"))
    page = buyer.get(f"/orders/{order_id}").text
    assert "Counter-offer" in text_of(page)
    assert '<del class="was"><bdi>12.40</bdi></del>' in page
    assert '<ins class="now"><bdi>12.90</bdi></ins>' in page
    row = trade.order(order_id)
    fields = {"response_id": row.responses[0].id, "expected_revision": row.revision, "form_id": "a-form-once"}
    first = post(buyer, f"/orders/{order_id}/agree", **fields)
    assert (first.status_code, first.location) == (303, f"/orders/{order_id}")
    assert post(buyer, f"/orders/{order_id}/agree", **fields).location == first.location
    assert trade.order(order_id).version == 2
    late = post(buyer, f"/orders/{order_id}/decline", **(fields | {"form_id": "another-form"}))
    assert late.status_code == 409
    assert trade.order(order_id).version == 2
    assert buyer.get(f"/contracts/deal/{row.deal_id}", follow_redirects=True).text.count("Version") > 2


def test_the_seller_accepts_in_a_review_and_a_click(trade, seller, buyer):
    order_id = trade.conclude(concluded(seller=DELTA))
    assert "Accept as ordered" in seller.get(f"/orders/{order_id}").text
    assert "Accept as ordered" not in buyer.get(f"/orders/{order_id}").text
    review = seller.get(f"/orders/{order_id}/confirm?as=ordered").text
    assert "everything as ordered" in review
    sent = seller.post(f"/orders/{order_id}/confirm", data=hidden(review))
    assert sent.status_code == 303
    assert "Acceptance" in text_of(buyer.get(f"/orders/{order_id}").text)
    assert trade.order(order_id).standing == "accepted"


def test_the_seller_sees_what_the_changes_are_taken_for_before_sending(trade, seller):
    order_id = trade.conclude(concluded(seller=DELTA))
    url = f"/orders/{order_id}/confirm"
    wrong = post(seller, url, answer="accepted", **{"quantity-1": "many", "day-1": "soon"})
    assert wrong.status_code == 422
    assert wrong.text.count('aria-invalid="true"') == 2
    entered = {"answer": "accepted", "quantity-1": "90", "price-1": "12.40", "day-1": "2026-04-09", "text": "Sorry"}
    review = post(seller, url, expected_revision=1, **entered)
    assert "Acceptance with changes" in text_of(review.text)
    assert trade.order(order_id).responses == []
    assert seller.post(url, data=hidden(review.text)).status_code == 303
    [said] = trade.order(order_id).responses
    assert {change.path for change in said.diff} == {"lines.1.quantity.value", "lines.1.dates.requested_delivery.on"}
    assert said.response.notes[0].text == "Sorry"


def test_the_seller_despatches_and_invoices_and_the_buyer_sees_both(trade, seller, buyer):
    order_id = trade.conclude(concluded(seller=DELTA))
    form = seller.get(f"/orders/{order_id}/despatch").text
    assert 'name="quantity-1" value="100"' in form
    entered = {"quantity-1": "100", "quantity-2": "50", "shipped_on": "2026-03-20", "carrier": "DHL"}
    review = post(seller, f"/orders/{order_id}/despatch", **entered)
    assert "More than is open" in review.text
    assert seller.post(f"/orders/{order_id}/despatch", data=hidden(review.text)).status_code == 303
    form = seller.get(f"/orders/{order_id}/invoice").text
    assert 'name="quantity-1" value="100"' in form
    entered = {"quantity-1": "100", "price-1": "12.90", "issued_on": "2026-03-21", "tax_rate": "13"}
    review = post(seller, f"/orders/{order_id}/invoice", **entered)
    assert "Price above the agreed one" in review.text
    assert "1,457.70" in review.text
    assert seller.post(f"/orders/{order_id}/invoice", data=hidden(review.text)).status_code == 303
    page = text_of(buyer.get(f"/orders/{order_id}").text)
    for words in ("DN-", "DHL", "More than is open", "INV-", "Price above the agreed one", "Settle before paying"):
        assert words in page


def test_what_partners_send_is_attached_with_its_differences(trade, buyer):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    trade.receive(despatch("DN-77", number, {"1": "60", "X-1": "3"}))
    trade.receive(invoice("I-88", number, {"1": ("60", "12.50")}), from_partner(message="m-9"))
    page = buyer.get(f"/orders/{order_id}").text
    for words in ("DN-77", "Not ordered", "I-88", "Price above the agreed one", "/messages/m-9"):
        assert words in page
    assert buyer.get("/orders?only=differences").text.count("<tr data-row>") == 1


PAGES = ("/orders/{order}", "/orders/deal/deal-1", "/contracts/{contract}", "/contracts/{contract}/print")
FORMS = ("confirm", "despatch", "invoice")
POSTS = ("agree", "decline", *FORMS)


def contract_of(trade: Trade) -> str:
    with trade.database.read() as session:
        return trade.contracts.of_acceptance(session, "deal-1").id


def test_a_stranger_finds_nothing_under_any_address(trade, house, buyer):
    order_id = trade.conclude()
    rival, member = house.signed_in("stranger"), house.signed_in("member")
    for page in PAGES:
        url = page.format(order=order_id, contract=contract_of(trade))
        assert buyer.get(url, follow_redirects=True).status_code == 200
        assert rival.get(url).status_code == 404
        assert member.get(url).status_code == 403
    for act in POSTS:
        assert post(rival, f"/orders/{order_id}/{act}").status_code == 404
        assert post(member, f"/orders/{order_id}/{act}").status_code == 403
    for form in FORMS:
        assert rival.get(f"/orders/{order_id}/{form}").status_code == 404
    assert trade.order(order_id).revision == 1


def test_the_buyer_cannot_write_the_sellers_documents(trade, buyer):
    order_id = trade.conclude(concluded(seller=DELTA))
    for form in FORMS:
        assert buyer.get(f"/orders/{order_id}/{form}").status_code == 404
        assert post(buyer, f"/orders/{order_id}/{form}").status_code == 404


def test_the_contract_shows_frozen_terms_hash_and_card(trade, buyer, house):
    trade.conclude()
    page = buyer.get(f"/contracts/{contract_of(trade)}").text
    assert "Terms intact" in text_of(page)
    assert re.search(r"[0-9a-f]{64}", page)
    assert buyer.get("/contracts").text.count("<tr data-row>") == 1
    assert "script" not in buyer.get(f"/contracts/{contract_of(trade)}/print").text


def test_the_deal_page_gets_the_contracts_card(trade, database, house):
    show = contracting_web.panel(trade.contracts)
    trade.conclude()
    with house.app.test_request_context(), database.read(HAIDI) as session:
        assert "C-2026-00001" in show(session, "deal-1")
        assert show(session, "deal-9") == ""
    with house.app.test_request_context(), database.read(DELTA) as session:
        assert show(session, "deal-1") == ""


def test_the_queue_and_the_search(trade, database, house):
    order_id = trade.conclude()
    number = trade.order(order_id).number
    trade.receive(response(number, DEARER, response="counter_offer"))
    trade.receive(despatch("DN-77", number, {"1": "60"}))
    trade.receive(invoice("I-88", number, {"1": ("60", "12.50")}))
    decide, answer_, settle = ordering_web.sections(trade.orders, name_of)
    finders = {
        number: ordering_web.search(trade.orders, name_of),
        "DN-77": fulfilment_web.search(),
        "I-88": billing_web.search(),
        "C-2026": contracting_web.search(trade.contracts, name_of),
    }
    for org, seen in ((HAIDI, 1), (DELTA, 0)):
        who = Principal("somebody", org, "Somebody", permissions=frozenset(PERMISSIONS))
        with house.app.test_request_context(), database.read(org) as session:
            assert [len(each.entries(session, who)) for each in (decide, answer_, settle)] == [seen, 0, seen]
            assert [len(find(session, who, words)) for words, find in finders.items()] == [seen] * 4


@pytest.mark.parametrize("language", ["en", "zh_Hans"])
def test_no_page_has_inline_script_or_style(trade, house, language):
    order_id = trade.conclude(concluded(seller=DELTA))
    trade.receive(response(trade.order(order_id).number, DEARER, response="counter_offer"), from_partner(DELTA))
    client = house.signed_in("stranger")
    post(client, f"/lang/{language}")
    for url in (f"/orders/{order_id}", "/orders", *(f"/orders/{order_id}/{form}" for form in FORMS)):
        page = client.get(url).text
        assert not re.search(r'<script(?![^>]*src=)|\sstyle="|\son\w+="', page)
