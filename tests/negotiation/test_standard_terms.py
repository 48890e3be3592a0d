"""Standard terms of each side: published by version, referred to by hash, and the battle of forms before acceptance (R24)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

import pytest

from tests.negotiation.conftest import BUYER, DELTA, RHEIN, SELLER, terms
from tests.negotiation.pages import Browser, build, text_of
from tests.negotiation.test_api import Client, token
from tests.negotiation.words import HAIDI
from tradehub.negotiation import model, publishing, standard, store
from tradehub.negotiation.model import REGIMES, ContractState, Ground, Negotiation, Offer
from tradehub.negotiation.standard import Unsound, clashes, parse
from tradehub.platform import clock
from tradehub.platform.db import to_json

BUYING = """Terms of purchase
1. Payment
Sixty days from receipt of the goods.
2. Delivery
As ordered.
3. Jurisdiction
Courts of Shanghai.
4. Recycling
All pallets."""
SELLING = """1. Terms of payment
Thirty days from the invoice.
2. Delivery
As  ordered.
3. Retention of title
Until paid.
4. Arbitration
ICC, Zurich."""
CHINESE = "第1条 付款方式\n货到六十日。\n第2条 适用法律\n中华人民共和国法律。"


@pytest.fixture
def app(house, tmp_path):
    return build(house, tmp_path)


def publish(house, org, **texts) -> str:
    with house.database.write(org) as session:
        return house.service.publish(session, org, texts).sha256


def law(house, deal, regime="CISG", **ground):
    with house.database.write() as session:
        row = store.deal_row(session, deal)
        row.regime, row.ground = regime, {**row.ground, **ground}


@pytest.fixture
def fought(house):
    """The buyer has countered under its own terms, the seller again under its own; the buyer is to answer."""
    mine, theirs = publish(house, HAIDI, en=BUYING), publish(house, DELTA, en=SELLING)
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, replace(terms("12.40", None, None), standard_terms=theirs))
    house.do(BUYER, "make_offer", deal, replace(terms("12.00"), standard_terms=mine))
    house.do(SELLER, "make_offer", deal, replace(terms("12.20"), standard_terms=theirs))
    return deal, mine, theirs


def accept(house, deal):
    offer = house.load(deal).offers[-1]
    house.do(BUYER, "accept", deal, offer.id, terms_hash=offer.terms_hash)
    with house.database.read(HAIDI) as session:
        return house.service.deal(session, deal).contract


def test_clauses_are_found_by_their_numbered_headings():
    found = parse(BUYING)
    assert [(each.number, each.heading, each.topic) for each in found] == [
        ("1", "Payment", "payment"), ("2", "Delivery", "delivery"), ("3", "Jurisdiction", "disputes"),
        ("4", "Recycling", "recycling"),
    ]  # fmt: skip
    assert found[0].text == "Sixty days from receipt of the goods."
    assert [each.topic for each in parse(CHINESE)] == ["payment", "law"]


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("no heading at all", "NO_CLAUSES", 0),
        ("1. Price\nx\n1. Payment\ny", "NUMBER_TWICE", 3),
        ("1. Price\n" + "x" * standard.TEXT_MAX, "TOO_LONG", 0),
        ("\n".join(f"{one}.{two} Clause" for one in range(1, 7) for two in range(100)), "TOO_LONG", 0),
    ],
)
def test_a_text_that_cannot_be_compared_is_not_published(text, code, place):
    with pytest.raises(Unsound) as unsound:
        parse(text)
    assert (unsound.value.code, unsound.value.place) == (code, place)


def test_what_stands_under_a_clause_is_no_clause_of_its_own():
    text = "3. Payment\n3.1 Thirty days net.\n30 days after delivery at the latest.\n3.2 Interest at 8 %."
    assert [(each.number, each.text.count("\n")) for each in parse(text)] == [("3", 2)]


def test_clauses_that_are_no_more_than_a_numbered_sentence_are_compared_by_it():
    one, same, other = (parse(f"1. Payment within {days} days") for days in (30, 30, 60))
    assert clashes(one, same) == ()
    assert [each.topic for each in clashes(one, other)] == ["payment"]


def test_clauses_conflict_by_topic_where_they_do_not_say_the_same():
    found = clashes(parse(BUYING), parse(SELLING))
    assert [each.topic for each in found] == ["payment", "disputes"]
    assert (found[1].mine[0].text, found[1].theirs[0].text) == ("Courts of Shanghai.", "ICC, Zurich.")


def test_each_version_stays_as_it_was_published_under_its_own_hash(house):
    first, again = publish(house, HAIDI, en=BUYING), publish(house, HAIDI, en=f"{BUYING}\r\n")
    second = publish(house, HAIDI, en=BUYING, zh_Hans=CHINESE)
    assert first == again != second
    with house.database.read(RHEIN) as session:
        rows = publishing.versions(session, HAIDI)
        assert [(each.version, each.sha256) for each in rows] == [(2, second), (1, first)]
        assert all(sha256(to_json(each.content).encode()).hexdigest() == each.sha256 for each in rows)


def test_an_offer_refers_to_its_senders_terms_by_their_hash_in_the_chain(house, fought):
    deal, mine, _ = fought
    assert house.load(deal).offers[2].standard_terms == mine
    with house.database.read(HAIDI) as session:
        said = store.statement_rows(session, [deal])[2]
        assert said.hashed_values()["particulars"]["offer"]["standard_terms"] == mine


@pytest.mark.parametrize(
    ("regime", "ground", "as_is", "knocks_out"),
    [
        ("CISG", "last_shot", False, False),
        ("CISG", "knock_out", False, True),
        ("PRC", "last_shot", False, False),
        ("PRC", "knock_out", False, True),
        ("UCC", "last_shot", False, True),
        ("UCC", "last_shot", True, False),
        ("CISG", "knock_out", True, False),
        ("UCC", "knock_out", True, False),
    ],
)
def test_what_holds_is_for_the_law_and_the_agreement_of_the_parties(regime, ground, as_is, knocks_out):
    from tradehub.negotiation.model import Kind, Statement

    offers = [
        Offer("o1", HAIDI, standard_terms="a" * 64),
        Offer("o2", DELTA, standard_terms="b" * 64, as_is_only=as_is),
    ]
    said = tuple(Statement(each.id, Kind.OFFER, each.by, offer=each) for each in offers)
    deal = Negotiation("n", HAIDI, DELTA, REGIMES[regime], said, Ground(battle=ground))
    found = standard.battle(deal, offers[1], HAIDI)
    assert found is not None
    assert found.knocks_out is knocks_out
    assert standard.battle(deal, offers[0], HAIDI) is None


def test_there_is_no_battle_where_one_side_has_sent_no_terms(house):
    theirs = publish(house, DELTA, en=SELLING)
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, replace(terms("12.40", None, None), standard_terms=theirs))
    negotiation = house.load(deal)
    assert standard.battle(negotiation, negotiation.offers[-1], HAIDI) is None


def test_under_the_last_shot_the_offers_terms_are_accepted_with_it(house, fought):
    contract = accept(house, fought[0])
    assert (contract.state, contract.knocked_out) == (ContractState.CONCLUDED, ())


@pytest.mark.parametrize(("regime", "ground"), [("UCC", {}), ("CISG", {"battle": "knock_out"})])
def test_under_knock_out_the_contract_stands_without_what_conflicts(house, fought, regime, ground):
    deal, mine, _ = fought
    law(house, deal, regime, **ground)
    contract = accept(house, deal)
    assert contract is not None
    assert contract.knocked_out == ("standard_terms",)
    assert house.load(deal).statements[-1].standard_terms == mine


@pytest.mark.parametrize(
    ("regime", "ground", "sentence"),
    [
        ("CISG", {}, "hold, for they were sent last; yours do not become part of the contract. (R24, CISG 19)"),
        ("CISG", {"battle": "knock_out"}, "the law stands in their place; what does not conflict holds. (R24, CISG 19)"),
        ("UCC", {}, "the law stands in their place; what does not conflict holds. (R24, UCC 2-207(3))"),
        ("PRC", {}, "claim to be no part of it. (R24, PRC 488, 496)"),
    ],
)  # fmt: skip
def test_the_page_lists_what_conflicts_and_what_would_hold_before_acceptance(
    house, app, fought, regime, ground, sentence
):
    deal, mine, theirs = fought
    law(house, deal, regime, **ground)
    page = Browser(app, "li@haidi.example").get(f"/deals/{deal}/accept")
    seen = text_of(page)
    assert sentence in seen
    assert "1 Payment Sixty days from receipt of the goods. 1 Terms of payment Thirty days from the invoice." in seen
    assert "As ordered" not in seen
    assert {f"/standard-terms/{mine}", f"/standard-terms/{theirs}"} <= set(page.split('"'))


def test_an_acceptance_with_changes_shows_the_conflict_as_well(house, app, fought):
    deal, _, _ = fought
    law(house, deal, "UCC")
    buyer, at = Browser(app, "li@haidi.example"), f"/deals/{deal}/accept/changes"
    papers = {"term_line": "", "term_name": "documents_required", "term_label": "", "term_value": "Three copies"}
    review = buyer.send(buyer.get(at), at, papers, 200)
    assert "Standard terms of both sides" in text_of(review.text)
    assert "on the terms on which you agree. (R9, UCC 2-207(2))" in text_of(review.text), (
        "the clash is a change as well"
    )
    buyer.send(review.text, f"{at}/send")
    (contract,) = model.contracts(house.load(deal), now=clock.now())
    assert contract.knocked_out == ("documents_required.1", "standard_terms")


def test_texts_that_are_not_here_are_said_to_be_compared_by_oneself(house, app, fought):
    deal, _, _ = fought
    house.do(SELLER, "make_offer", deal, replace(terms("12.10"), standard_terms="0" * 64))
    seen = text_of(Browser(app, "li@haidi.example").get(f"/deals/{deal}/accept"))
    assert "compare them yourself before you accept" in seen


def test_a_person_publishes_terms_and_refers_to_them_in_an_offer(house, app):
    seller, buyer = Browser(app, "ann@delta.example"), Browser(app, "li@haidi.example")
    page = seller.get("/standard-terms")
    answer = seller.send(page, "/standard-terms", {"text_en": "nothing numbered"}, 422)
    assert "There is no clause" in text_of(answer.text)
    seller.send(answer.text, "/standard-terms", {"text_en": SELLING})
    deal = house.deal_with(DELTA)
    form = seller.get(f"/deals/{deal}/counter")
    assert "Our standard terms, version 1, are part of this offer" in text_of(form)
    review = seller.send(form, f"/deals/{deal}/counter", {"line_price": ["12.40", "", ""], "step": "review"}, 200)
    seller.send(review.text, f"/deals/{deal}/counter", {"step": "send"})
    digest = house.load(deal).offers[-1].standard_terms
    assert digest is not None
    shown = buyer.get(f"/standard-terms/{digest}")
    assert "Retention of title" in text_of(shown)
    assert buyer.client.get("/standard-terms/" + "0" * 64).status_code == 404
    page = seller.get(f"/deals/{deal}/counter")
    seller.send(page, f"/deals/{deal}/counter", {"line_price": ["12.40", "", ""], "standard_terms": []})
    assert house.load(deal).offers[-1].standard_terms is None


def test_nobody_refers_to_the_terms_of_another_as_its_own(house, app):
    publish(house, DELTA, en=SELLING)
    foreign = publish(house, HAIDI, en=BUYING)
    deal = house.deal_with(DELTA)
    seller = Browser(app, "ann@delta.example")
    form = seller.get(f"/deals/{deal}/counter")
    seller.send(form, f"/deals/{deal}/counter", {"line_price": ["12.40", "", ""], "standard_terms": foreign})
    assert house.load(deal).offers[-1].standard_terms is None


def test_the_api_publishes_reads_and_compares(house, app, fought):
    deal, mine, theirs = fought
    buyer = Client(app, token(house, HAIDI))
    found = buyer.get(f"/deals/{deal}/rounds/4/standard-terms")
    assert (found["mine"], found["theirs"], found["outcome"]) == (mine, theirs, "last_shot")
    assert (found["rule"], found["article"]) == ("R24", "CISG 19")
    assert [each["topic"] for each in found["clashes"]] == ["payment", "disputes"]
    assert buyer.get(f"/deals/{deal}/rounds/1/standard-terms")["outcome"] is None
    made = buyer.post(
        "/standard-terms", {"texts": {"zh_Hans": CHINESE}, "file": {"name": "t.pdf", "content": "JVBERi0="}}
    )
    assert made["version"] == 2
    assert [each["version"] for each in buyer.get("/standard-terms")["versions"]] == [2, 1]
    assert buyer.get(f"/standard-terms/{theirs}")["content"]["texts"] == {"en": SELLING}
    problem = buyer.post("/standard-terms", {"texts": {"en": "nothing"}}, status=422)
    assert problem["errors"][0]["pointer"] == "/texts"
    got = app.test_client().get(
        f"/api/v1/standard-terms/{made['sha256']}/file", headers={"Authorization": f"Bearer {buyer.token}"}
    )
    assert (got.data, got.mimetype) == (b"%PDF-", "application/octet-stream")
