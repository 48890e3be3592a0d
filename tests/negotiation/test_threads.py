"""What is said about single terms: its thread on the page, its place in the record, and how it travels."""

from __future__ import annotations

import pytest

from tests.negotiation.conftest import BUYER, DELTA, SELLER, terms
from tests.negotiation.pages import Browser, build, text_of
from tests.negotiation.test_api import Client, token
from tests.negotiation.words import HAIDI, NINGBO, asked, quoted
from tradehub.negotiation import evidence, store, threads
from tradehub.negotiation.model import Kind, Refused


@pytest.fixture
def app(house, tmp_path):
    return build(house, tmp_path)


@pytest.fixture
def deal(house) -> str:
    """Asked, offered by the seller; the buyer is to answer."""
    found = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", found, terms("12.40", "0.82", None))
    return found


def said(house, deal):
    return [each for each in house.load(deal).statements if each.kind in (Kind.QUESTION, Kind.COMMENT)]


def test_a_question_names_the_term_that_it_asks_about(house, deal):
    house.do(BUYER, "comment", deal, "Is that ex VAT?", term="lines.1.price", is_question=True)
    assert [(each.term, each.text) for each in said(house, deal)] == [("lines.1.price", "Is that ex VAT?")]
    with house.database.read(HAIDI) as session:
        stated = evidence.statements(session, deal)[-1]["statement"]
        assert stated["particulars"]["term"] == "lines.1.price"
        row = store.statement_rows(session, [deal])[-1]
        row.particulars = {}
        assert row.computed_hash() != row.hash
        session.rollback()


@pytest.mark.parametrize("term", ["lines.9.price", "nonsense", "lines.1", "lines.1.colour"])
def test_a_term_that_the_offer_does_not_have_cannot_be_asked_about(house, deal, term):
    with pytest.raises(Refused) as refused:
        house.do(BUYER, "comment", deal, "?", term=term, about=house.load(deal).offers[-1].id)
    assert (refused.value.code, refused.value.rule) == ("NO_SUCH_TERM", "R12")


def test_a_line_that_the_answer_left_out_is_spoken_of_in_the_round_that_had_it(house, deal):
    house.do(BUYER, "comment", deal, "No flanges?", term="lines.3.price", is_question=True)
    assert said(house, deal)[-1].term == "lines.3.price"


@pytest.mark.parametrize("term", ["payment", "validity", "warranty", "delivery_terms.place", "lines.2.delivery"])
def test_terms_of_the_whole_may_be_asked_about_before_anybody_states_them(house, deal, term):
    house.do(BUYER, "comment", deal, "Which?", term=term)
    assert said(house, deal)[-1].term == term


def test_a_message_partner_is_told_the_term_in_front_of_the_words(house):
    deal = house.deal_with(NINGBO)
    house.do(BUYER, "comment", deal, "Who pays it?", term="delivery_terms.freight", is_question=True)
    assert [each.text for each in house.outbox.sent[-1][1].notes] == ["delivery terms.freight: Who pays it?"]
    assert said(house, deal)[-1].text == "Who pays it?"


@pytest.mark.parametrize(
    ("text", "term", "words"),
    [
        ("payment: net 60?", "payment", "net 60?"),
        ("LINES.1.PRICE: EX VAT?", "lines.1.price", "EX VAT?"),
        ("delivery terms.place: Ningbo", "delivery_terms.place", "Ningbo"),
        ("Note: we are closed", None, "Note: we are closed"),
        ("payment:", None, "payment:"),
        ("net 60?", None, "net 60?"),
    ],
)
def test_words_of_a_letter_name_their_term_in_front(text, term, words):
    assert threads.read(text, quoted()) == (term, words)


def test_what_is_named_in_a_letter_is_read_as_it_was_named():
    for path in ("payment", "delivery_terms.place", "lines.2.price", "custom.surface_finish"):
        assert threads.read(threads.named(path, "why?"), quoted(), ["custom.surface_finish"]) == (path, "why?")


def test_the_words_of_a_message_join_the_thread(house):
    deal = house.deal_with(NINGBO)
    with house.database.read(HAIDI) as session:
        number = store.deal_row(session, deal).inquiry_number
    from tradehub.documents.parts import Note, Reference

    letter = quoted(number="Q-1", price=None).model_copy(
        update={
            "action": "information",
            "references": (Reference(type="inquiry", value=number),),
            "notes": (Note(text="lines.1.delivery: which week?"),),
            "lines": house.load(deal).offers[0].document.lines,
            "dates": (),
            "delivery_terms": None,
            "payment_terms": (),
        }
    )
    assert house.receive(letter).refusal is None
    assert [(each.kind, each.term, each.text) for each in said(house, deal)] == [
        (Kind.QUESTION, "lines.1.delivery", "which week?")
    ]


def test_a_long_offer_lists_no_more_terms_than_a_list_can_hold():
    lines = tuple(quoted().lines[0].model_copy(update={"number": str(number)}) for number in range(1, 501))
    assert len(threads.topics(asked(lines=lines))) <= threads.LISTED_MAX


def test_the_page_leads_from_a_term_to_the_form_and_shows_its_thread(house, app, deal):
    buyer, seller = Browser(app, "li@haidi.example"), Browser(app, "ann@delta.example")
    about = house.load(deal).offers[-1].id
    page = buyer.get(f"/deals/{deal}")
    link = f"/deals/{deal}?term=lines.1.price&amp;about={about}#say"
    assert link in page
    assert "Comments on terms" not in page
    form = buyer.get(f"/deals/{deal}?term=lines.1.price&about={about}")
    assert '<option value="lines.1.price" selected>' in form
    buyer.send(form, f"/deals/{deal}/comment", {"text": "Is that <b>net</b>?", "kind": "question"})
    page = seller.get(f"/deals/{deal}")
    assert "Is that &lt;b&gt;net&lt;/b&gt;?" in page
    assert 'href="#thread-1"' in page
    assert 'id="thread-1"' in page
    seen = text_of(page)
    assert "Comments on terms" in seen
    assert "Unit price, line 1" in seen
    assert said(house, deal)[0].kind is Kind.QUESTION


def test_a_term_that_is_not_listed_is_offered_where_a_link_asks_for_it(app, deal):
    buyer = Browser(app, "li@haidi.example")
    form = buyer.get(f"/deals/{deal}?term=warranty")
    assert '<option value="warranty" selected>' in form
    answer = buyer.send(
        form, f"/deals/{deal}/comment", {"text": "How long?", "kind": "question", "term": "colour"}, 409
    )
    assert "The offer has no such term." in text_of(answer.text)


def test_the_api_carries_the_term(house, app, deal):
    buyer = Client(app, token(house, HAIDI))
    buyer.post(f"/deals/{deal}/comments", {"text": "Which bank?", "term": "payment", "is_question": True})
    assert buyer.get(f"/deals/{deal}/statements")["statements"][-1]["term"] == "payment"
    problem = buyer.post(f"/deals/{deal}/comments", {"text": "?", "term": "lines.7.price"}, status=422)
    assert (problem["code"], problem["rule"]) == ("NO_SUCH_TERM", "R12")
