"""The pages as the two parties use them."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.negotiation.conftest import BUYER, DELTA, RHEIN, SELLER, terms
from tests.negotiation.pages import Browser, build, form_fields, text_of
from tests.negotiation.test_service import quote
from tests.negotiation.words import HAIDI, NINGBO
from tradehub.documents.parts import Price
from tradehub.negotiation.further import Stated
from tradehub.negotiation.histories import Claim
from tradehub.negotiation.recording import Misfit
from tradehub.negotiation.store import DealRow
from tradehub.partners.handling import Received
from tradehub.platform import clock

THREE = {
    "line_name": ["Valve V-22", "Seal kit", "Flange F-3"],
    "line_item": ["V-22", "S-9", "F-3"],
    "line_quantity": ["24000", "24 000", "4000"],
    "line_unit": ["C62", "C62", "C62"],
    "delivery": "2027-01-15",
    "note": "the old price was 11.50",
}


@pytest.fixture
def app(house, tmp_path):
    return build(house, tmp_path)


@pytest.fixture
def buyer(app) -> Browser:
    return Browser(app, "li@haidi.example")


@pytest.fixture
def seller(app) -> Browser:
    return Browser(app, "ann@delta.example")


def deal_id(house, seller=DELTA) -> str:
    with house.database.read(HAIDI) as session:
        return session.query(DealRow).filter_by(seller_id=seller).one().id


def inquire(buyer, *suppliers) -> str:
    page = buyer.get("/inquiries/new")
    review = buyer.send(page, "/inquiries/new", {**THREE, "suppliers": list(suppliers), "step": "review"}, 200)
    assert "Send inquiry" in review.text
    assert "24,000 pcs" in text_of(review.text), "as it was understood, not as it was typed"
    return buyer.follow(buyer.send(review.text, "/inquiries/new", {"step": "send"}))


def test_from_inquiry_to_contract_between_two_browsers(house, buyer, seller):
    page = inquire(buyer, DELTA, NINGBO)
    assert "0 of 2 answered" in text_of(page)
    assert [to for to, *_ in house.outbox.sent] == [NINGBO]
    deal = deal_id(house)

    home = text_of(seller.get("/"))
    assert "Valve V-22 +2" in home
    page = seller.get(f"/deals/{deal}")
    assert "Your turn" in text_of(page)
    assert "old price" not in page
    form = seller.get(f"/deals/{deal}/counter")
    answer = seller.send(
        form, f"/deals/{deal}/counter",
        {
            "line_price": ["12.40", "0.82", ""], "valid_until": "2026-12-04", "payment": "net 30", "incoterm": "FOB",
            "place": "Ningbo",
        },
    )  # fmt: skip
    assert "Waiting for them" in text_of(seller.follow(answer))

    page = buyer.get(f"/deals/{deal}")
    assert "Accept round 2" in text_of(page)
    form = buyer.get(f"/deals/{deal}/counter")
    typed = dict(form_fields(form, f"/deals/{deal}/counter"))
    assert (typed["payment"], typed["incoterm"], typed["place"], typed["valid_until"]) == (
        "net 30",
        "FOB",
        "Ningbo",
        "2026-12-04",
    )
    page = buyer.follow(buyer.send(form, f"/deals/{deal}/counter", {"line_price": ["11.90", "0.80"]}))
    seen = text_of(page)
    assert "−4 % better for you" in seen
    assert "Gap to close" in seen
    assert "USD 0.50" in seen

    form = seller.get(f"/deals/{deal}/accept")
    assert house.load(deal).offers[-1].terms_hash in form
    page = text_of(seller.follow(seller.send(form, f"/deals/{deal}/accept")))
    assert "Contract" in page
    assert len(house.concluded) == 1
    assert "Make an offer" not in page


def test_a_form_posted_twice_does_nothing_twice(house, buyer, seller):
    inquire(buyer, DELTA)
    deal = deal_id(house)
    form = seller.get(f"/deals/{deal}/counter")
    first, again = (seller.send(form, f"/deals/{deal}/counter", {"line_price": ["12.40", "", ""]}) for _ in range(2))
    assert first.headers["Location"] == again.headers["Location"]
    assert len(house.load(deal).offers) == 2


def test_bad_input_keeps_what_was_typed_and_says_what_is_wrong(buyer, house):
    page = buyer.get("/inquiries/new")
    bad = {
        **THREE,
        "line_quantity": ["many", "12,400", "0"],
        "delivery": "soon",
        "suppliers": ["nobody"],
        "incoterm": "FOB",
    }
    answer = buyer.send(page, "/inquiries/new", bad, 422)
    seen = text_of(answer.text)
    for sentence in (
        "This is not a number.", "Write it without a comma: 12400 or 12.400.", "More than zero, please.",
        "This is not a day", "One of them is no supplier of yours.", "An Incoterm needs a named place.",
    ):  # fmt: skip
        assert sentence in seen
    typed = form_fields(answer.text, "/inquiries/new")
    assert [value for name, value in typed if name == "line_quantity"] == ["many", "12,400", "0"]
    assert dict(typed)["note"] == THREE["note"]
    assert house.outbox.sent == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"line_price": ["", "0.82", "6"]}, "A counter-offer needs a price."),
        ({"line_price": ["x", "0.82", "6"]}, "This is not a number."),
        ({"line_price": ["-1", "0.82", "6"]}, "Not less than zero, please."),
        ({"line_quantity": ["-1", "1", "1"]}, "More than zero, please."),
        ({"valid_until": "2026-11-01"}, "This day has passed."),
        ({"incoterm": "XXX"}, "Choose a rule of Incoterms 2020."),
    ],
)
def test_errors_of_a_counter_stand_at_their_fields(house, buyer, changes, sentence):
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "6.10"))
    form = buyer.get(f"/deals/{deal}/counter")
    answer = buyer.send(form, f"/deals/{deal}/counter", {**changes, "payment": "my own words"}, 422)
    assert sentence in text_of(answer.text)
    assert "my own words" in answer.text
    assert len(house.load(deal).offers) == 2


def test_a_counter_to_an_offer_that_was_replaced_shows_the_new_state_and_keeps_the_draft(house, buyer):
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "6.10"))
    form = buyer.get(f"/deals/{deal}/counter")
    house.do(SELLER, "make_offer", deal, terms("12.00", "0.82", "6.10"))
    answer = buyer.send(form, f"/deals/{deal}/counter", {"line_price": ["11.11", "0.80", "6.00"]}, 409)
    seen = text_of(answer.text)
    assert "The deal moved on while you were writing." in seen
    assert "12.00" in seen
    assert "11.11" in answer.text
    page = buyer.follow(buyer.send(answer.text, f"/deals/{deal}/counter"))
    assert "Round 4" in text_of(page)


def test_a_price_moved_far_is_shown_once_more(house, buyer):
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "6.10"))
    form = buyer.get(f"/deals/{deal}/counter")
    review = buyer.send(form, f"/deals/{deal}/counter", {"line_price": ["1.19", "0.82", "6.10"]}, 200)
    assert "A price moved by more than a quarter." in text_of(review.text)
    assert len(house.load(deal).offers) == 2
    buyer.send(review.text, f"/deals/{deal}/counter", {"step": "send"})
    assert len(house.load(deal).offers) == 3


def cannot_say(house, what: str) -> None:
    """Let no message of a partner hold this word of a document."""

    def misfit(session, document, sender, to) -> Misfit | None:
        return Misfit(what, ((what, "35 signs at most."),)) if what in document.model_dump_json() else None

    house.service.hooks = replace(house.service.hooks, misfit=misfit)


@pytest.mark.parametrize("step", ["review", "send"])
def test_a_counter_that_the_partners_message_cannot_hold_is_refused_on_its_form(house, buyer, step: str):
    deal = house.deal_with(NINGBO)
    house.receive(quote(house))
    cannot_say(house, "by camel")
    form = buyer.get(f"/deals/{deal}/counter")
    answer = buyer.send(form, f"/deals/{deal}/counter", {"text": "by camel", "step": step}, 422)
    seen = text_of(answer.text)
    assert "Nothing was sent: the message that goes to Ningbo Valves cannot state this as you did. by camel" in seen
    assert "CISG 15" not in seen, "no law says how long a text may be"
    assert re.search(r'id="f-text"[^>]*aria-invalid="true"', answer.text), "it stands at the field that says it"
    assert "35 signs at most." in seen
    assert len(house.load(deal).offers) == 2
    review = buyer.send(answer.text, f"/deals/{deal}/counter", {"text": "by ship", "step": "review"}, 200)
    assert len(house.load(deal).offers) == 2
    buyer.send(review.text, f"/deals/{deal}/counter", {"step": "send"})
    assert len(house.load(deal).offers) == 3


@pytest.mark.parametrize("step", ["review", "send"])
def test_an_inquiry_that_a_suppliers_message_cannot_hold_is_sent_to_nobody(house, buyer, step: str):
    cannot_say(house, "by camel")
    wanted = {**THREE, "text": "by camel", "suppliers": [DELTA, NINGBO], "step": step}
    answer = buyer.send(buyer.get("/inquiries/new"), "/inquiries/new", wanted, 422)
    assert "goes to Ningbo Valves cannot state this as you did. by camel" in text_of(answer.text)
    with house.database.read(HAIDI) as session:
        assert session.query(DealRow).count() == 0
    assert house.outbox.sent == []
    review = buyer.send(answer.text, "/inquiries/new", {"text": "by ship", "step": "review"}, 200)
    buyer.follow(buyer.send(review.text, "/inquiries/new", {"step": "send"}))
    with house.database.read(HAIDI) as session:
        assert session.query(DealRow).count() == 2


def test_accepting_what_is_no_longer_offered_is_a_conflict(house, buyer):
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, terms("12.40"))
    form = buyer.get(f"/deals/{deal}/accept")
    house.do(SELLER, "make_offer", deal, terms("13.00"))
    answer = buyer.send(form, f"/deals/{deal}/accept", status=409)
    seen = text_of(answer.text)
    assert "The deal moved on while this page was open." in seen
    assert "+4.8 % worse for you" in seen
    assert house.concluded == []


def test_declining_and_asking(house, buyer, seller):
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, terms("12.40"))
    buyer.send(
        buyer.get(f"/deals/{deal}"), f"/deals/{deal}/comment", {"text": "could you do <b>9</b>?", "kind": "question"}
    )
    page = seller.get(f"/deals/{deal}")
    assert "could you do &lt;b&gt;9&lt;/b&gt;?" in page
    page = buyer.follow(buyer.send(buyer.get(f"/deals/{deal}/reject"), f"/deals/{deal}/reject", {"text": "too dear"}))
    assert "Declined" in text_of(page)
    assert "too dear" in text_of(seller.get(f"/deals/{deal}"))


def test_any_two_rounds_are_compared(house, buyer):
    deal = house.deal_with(DELTA)
    offer = house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "6.10"))
    house.do(BUYER, "counter", deal, terms("11.90", "0.82", "6.10"), about=offer)
    seen = text_of(buyer.get(f"/deals/{deal}/diff?a=2&b=3"))
    assert "USD 12.40" in seen
    assert "USD 11.90" in seen
    assert "Round 1 (ours)" in text_of(buyer.get(f"/deals/{deal}?a=1&b=2"))
    assert "Round 3" in text_of(buyer.get(f"/deals/{deal}/diff?a=99&b=-4"))


def test_the_comparison_marks_the_best_and_awards(house, buyer):
    inquire(buyer, DELTA, NINGBO, RHEIN)
    with house.database.read(HAIDI) as session:
        inquiry = session.query(DealRow).first().inquiry_id
    prices = (Price(amount=Decimal("12.05")), Price(amount=Decimal("0.82")))
    asked = house.outbox.sent[0][1].lines
    lines = tuple(line.model_copy(update={"price": price}) for line, price in zip(asked, prices, strict=False))
    house.do(SELLER, "make_offer", deal_id(house), terms("12.40", "0.70", "6.10"))
    house.receive(quote(house, lines=lines))
    page = buyer.get(f"/inquiries/{inquiry}/compare")
    seen = text_of(page)
    assert "2 of 3 answered" in seen
    assert "no bid" in seen
    assert "the old price was 11.50" in seen
    assert page.count("Award to") == 2
    best = re.findall(r'<td class="n best">(.*?)</td>', page, re.DOTALL)
    assert [price for price in ("12.05", "12.40", "0.70", "0.82") if any(price in each for each in best)] == [
        "12.05",
        "0.70",
    ]


def test_the_list_filters_searches_and_exports(house, buyer):
    inquire(buyer, DELTA, NINGBO)
    assert "Delta Fluid" in text_of(buyer.get("/deals"))
    assert "Delta Fluid" not in text_of(buyer.get("/deals?only=your_turn"))
    found = text_of(buyer.get("/deals?q=ningbo+rfq-2026"))
    assert "Ningbo Valves" in found
    assert "Delta Fluid" not in found
    assert "No negotiation fits." in text_of(buyer.get("/deals?q=nothing"))
    assert buyer.get("/deals.csv").splitlines()[0].startswith("number,title,partner,status")


def test_suppliers_are_found_as_one_types(buyer):
    page = buyer.get("/inquiries/suppliers?q=nin")
    assert 'data-value="ningbo"' in page
    assert "delta" not in page


@pytest.mark.parametrize("path", ["", "/diff", "/counter", "/accept", "/accept/changes", "/reject"])
def test_a_stranger_finds_nothing(house, app, path):
    deal = house.deal_with(DELTA)
    Browser(app, "max@rhein.example").get(f"/deals/{deal}{path}", 404)


@pytest.mark.parametrize(
    "path",
    [
        "counter", "accept", "accept/review", "accept/ask", "accept/changes", "accept/changes/send", "reject", "comment",
        "revoke",
    ],
)  # fmt: skip
def test_a_stranger_can_do_nothing(house, app, path):
    deal = house.deal_with(DELTA)
    before = house.load(deal)
    stranger = Browser(app, "max@rhein.example")
    form = dict(form_fields(stranger.get("/inquiries/new"), "/inquiries/new"))
    data = {
        "csrf_token": form["csrf_token"],
        "form_id": form["form_id"],
        "expected_version": "1",
        "offer": "x",
        "text": "hi",
    }
    assert stranger.client.post(f"/deals/{deal}/{path}", data=data).status_code == 404
    assert house.load(deal) == before


def test_a_supplier_sees_neither_the_inquiry_nor_its_rivals(house, buyer, seller):
    inquire(buyer, DELTA, NINGBO)
    with house.database.read(HAIDI) as session:
        inquiry = session.query(DealRow).first().inquiry_id
    seller.get(f"/inquiries/{inquiry}/compare", 404)
    seller.get(f"/deals/{deal_id(house, NINGBO)}", 404)
    page = seller.get("/deals") + seller.get(f"/deals/{deal_id(house)}")
    assert seller.client.get("/search?q=RFQ").headers["Location"] == f"/deals/{deal_id(house)}", (
        "one is found, so it opens"
    )
    assert "Ningbo" not in page
    assert "11.50" not in page


def test_who_may_only_look_is_shown_no_act_and_may_not_act(house, app):
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, terms("12.40"))
    viewer = Browser(app, "eve@haidi.example")
    page = viewer.get(f"/deals/{deal}")
    assert "/accept" not in page
    assert "/counter" not in page
    viewer.get(f"/deals/{deal}/accept", 403)
    viewer.get("/inquiries/new", 403)


def test_a_page_has_no_inline_style_or_script(house, buyer):
    deal = house.deal_with(DELTA)
    offer = house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "6.10"))
    house.do(BUYER, "counter", deal, terms("11.90", "0.82", "6.10"), about=offer)
    for url in (f"/deals/{deal}", f"/deals/{deal}/counter", f"/deals/{deal}/accept", "/deals", "/inquiries/new"):
        page = buyer.get(url)
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\bsrc=)", page), url
        assert len(re.findall(r"btn-primary", page)) <= 1, url


def test_a_late_acceptance_is_decided_on_at_the_late_desk(house, app, at_monday):
    """R14 on the pages: the offer expires, the buyer says yes all the same, and the seller's approver lets it count."""
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "98"))
    at_monday.move(timedelta(days=20))
    offer = house.load(deal).offers[-1]
    house.do(BUYER, "accept", deal, offer.id, terms_hash=offer.terms_hash)
    assert house.concluded == []
    li, ann = Browser(app, "li@haidi.example"), Browser(app, "ann@delta.example")
    assert "Accepted late" in text_of(ann.get("/"))
    desk = ann.get("/deals/late")
    assert "Accepted after the last day" in text_of(desk)
    assert "Treat the late acceptance as good" in text_of(desk)
    assert "The other side decides." in text_of(li.get("/deals/late"))
    assert "reached you too late; it counts only if you agree" in text_of(ann.get(f"/deals/{deal}"))
    passed_by = text_of(li.get(f"/deals/{deal}"))
    assert "reached the other side too late" in passed_by
    assert "Counter-offer" not in passed_by, "nobody made one on this way"
    li.get(f"/deals/{deal}/act/elect_late", 409)
    page = ann.get(f"/deals/{deal}/act/elect_late")
    shown = ann.follow(ann.send(page, f"/deals/{deal}/act/elect_late", {"text": "gladly"}))
    assert "The late acceptance counts: the contract stands." in text_of(shown)
    assert [each.state for each in house.concluded] == ["concluded"]
    again = ann.send(page, f"/deals/{deal}/act/elect_late", {"form_id": "another-form-id"}, 409).text
    assert "moved on while this page was open" in text_of(again)


def test_the_deal_page_says_what_one_may_do_and_why_not_the_rest(house, app, at_monday):
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "98"))
    seen = text_of(Browser(app, "ann@delta.example").get(f"/deals/{deal}"))
    assert "It binds you until its last day and cannot be revoked. (CISG 16)" in seen
    assert "It has arrived already; it can only be revoked. (CISG 15(2))" in seen
    assert Browser(app, "eve@haidi.example").get(f"/deals/{deal}/act/rely", 403)


# --- histories ----------------------------------------------------------------------------------


def test_a_record_that_differs_is_shown_on_the_deal_and_first_in_the_queue_until_somebody_looked(house, buyer):
    deal = house.deal_with(NINGBO)
    assert house.receive(quote(house)).deal == deal
    claim = Claim(3, "ab" * 32, 2, "cd" * 32, clock.now())
    with house.database.write() as session:
        received = Received("m-9", HAIDI, NINGBO, "x12", "843", clock.now())
        assert house.service.compare_histories(session, deal, claim.text, received) == "unknown"
        assert house.service.compare_histories(session, deal, claim.text, received) is None, "noted once"
    page = buyer.get(f"/deals/{deal}")
    assert "has seen a history that is not ours" in page
    assert "statement 2 of ours, with the hash cdcdcdcdcdcd" in page
    queue = buyer.get("/")
    assert queue.index("Records differ") < queue.index("Waiting for them")
    assert queue.count(f'href="/deals/{deal}"') == 1
    after = buyer.follow(buyer.send(page, f"/deals/{deal}/histories", {}))
    assert "not ours" not in after
    assert "Records differ" not in buyer.get("/")


def test_an_inquiry_is_not_to_be_cancelled_once_the_contract_stands(house, buyer):
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "6.10"))
    assert f"/deals/{deal}/act/cancel" in buyer.get(f"/deals/{deal}")
    house.do(BUYER, "accept", deal, house.load(deal).offers[-1].id)
    page = buyer.get(f"/deals/{deal}")
    assert f"/deals/{deal}/act/cancel" not in page
    assert "Cancel the inquiry The contract stands" in text_of(page), "and the reason stands beside it"


def test_numbers_of_further_terms_are_written_as_the_reader_writes_them(house, buyer):
    deal = house.deal_with(DELTA)
    stated = (Stated("exchange_rate", "7.1300"), Stated("charge", "12500", "Freight"))
    house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "6.10", terms=stated))
    house.do(
        SELLER, "make_offer", deal, terms("12.40", "0.82", "6.10", terms=(Stated("charge", "13500.5", "Freight"),))
    )
    seen = text_of(buyer.get(f"/deals/{deal}/diff?a=2&b=3"))
    assert "12,500.00 13,500.50" in seen
    assert "7.13 –" in seen
