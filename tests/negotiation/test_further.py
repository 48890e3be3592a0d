"""Any term beside price, quantity and their like: stated on the form, kept where it is not changed, shown where it is."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from tests.negotiation.conftest import DELTA, SELLER, terms
from tests.negotiation.pages import Browser, build, form_fields, text_of
from tests.negotiation.words import quoted
from tradehub.documents.parts import AllowanceCharge, Price, PriceBreak, Quantity, Tax, Transport
from tradehub.documents.terms import flatten, terms_hash
from tradehub.negotiation import further, model
from tradehub.negotiation.further import Sort, Stated
from tradehub.negotiation.model.values import amounts

SAMPLES = {Sort.TEXT: "as agreed", Sort.NUMBER: "4.5", Sort.DAY: "2027-01-20", Sort.YES_NO: "true", Sort.AMOUNT: "12.5"}
LABELS = {None: "", Sort.TEXT: "surface", Sort.NUMBER: "100"}


@pytest.fixture
def app(house, tmp_path):
    return build(house, tmp_path)


@pytest.fixture
def buyer(app) -> Browser:
    return Browser(app, "li@haidi.example")


@pytest.fixture
def deal(house) -> str:
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, terms("12.40", "0.82", "6.10"))
    return deal


@pytest.mark.parametrize("name", further.HEADER)
def test_a_term_of_the_whole_is_stated_read_and_taken_out_again(name):
    bare, known = quoted(), further.HEADER[name]
    said = Stated(name, SAMPLES[known.sort], LABELS[known.label])
    stated = further.applied(bare, (*further.stated(bare), said))
    assert said in further.stated(stated)
    assert any(path.startswith(further.path(name, said.label).split(".1.")[0]) for path in flatten(stated))
    assert terms_hash(stated) != terms_hash(bare)
    assert terms_hash(further.applied(stated, further.stated(bare))) == terms_hash(bare)


@pytest.mark.parametrize("name", further.LINE)
def test_a_term_of_a_line_is_stated_read_and_taken_out_again(name):
    bare, known = quoted().lines[0], further.LINE[name]
    said = Stated(name, SAMPLES[known.sort], LABELS[known.label])
    stated = further.applied(bare, (*further.stated(bare), said))
    assert said in further.stated(stated)
    gone = further.applied(stated, further.stated(bare))
    assert further.stated(gone) == further.stated(bare)


def test_what_is_not_changed_keeps_the_detail_that_no_form_shows():
    rich = quoted().model_copy(
        update={
            "transport": (Transport(mode="sea", routing="via Suez"),),
            "taxes": (Tax(type="VAT", category="S", rate=Decimal(19), jurisdiction="DE"),),
            "allowances_charges": (AllowanceCharge(is_charge=True, reason="freight", amount=Decimal(40), method="02"),),
        }
    )
    said = tuple(each for each in further.stated(rich) if each.name != "warranty")
    assert further.applied(rich, (*said, Stated("warranty", "12 months"))) == rich.model_copy(
        update={"warranty": "12 months"}
    )


def test_any_term_is_countered_on_the_form_and_shown_in_the_difference(house, buyer, deal):
    url = f"/deals/{deal}/counter"
    page = buyer.send(buyer.get(url), url, {"add": "header", "add_header_term": "warranty"}, 200).text
    assert "Please mend" not in page
    page = buyer.send(page, url, {"add": "line", "add_line": "1", "add_line_term": "price.breaks"}, 200).text
    page = buyer.send(page, url, {"add": "line", "add_line": "1", "add_line_term": "custom"}, 200).text
    assert [value for name, value in form_fields(page, url) if name == "term_name"] == [
        "warranty",
        "price.breaks",
        "custom",
    ]
    typed = {
        "term_label": ["", "30000", "surface"], "term_value": ["24 months", "11.50", "polished"], "divisible": "1",
        "step": "review",
    }  # fmt: skip
    review = buyer.send(page, url, typed, 200)
    seen = text_of(review.text)
    assert "from 30,000: 11.50" in seen
    assert "Warranty – 24 months" in seen
    assert "Divisible" in seen
    shown = text_of(buyer.follow(buyer.send(review.text, url, {"step": "send"})))
    assert "surface" in shown
    offer = house.load(deal).offers[-1]
    assert (offer.divisible, offer.document.warranty) == (True, "24 months")
    first, second, _ = model.lines_of(offer.document)
    assert first.custom == (("surface", "polished"),)
    assert first.price == Price(
        amount=Decimal("12.40"), breaks=(PriceBreak(min_quantity=30000, amount=Decimal("11.5")),)
    )
    assert second.price == Price(amount=Decimal("0.82"))
    assert "lines.1.custom.surface" in flatten(offer.document)


def test_a_term_of_theirs_is_there_to_be_changed_or_left_out(house, buyer, deal):
    url = f"/deals/{deal}/counter"
    page = buyer.send(buyer.get(url), url, {"add": "header", "add_header_term": "warranty"}, 200).text
    buyer.send(page, url, {"term_value": "24 months"})
    page = Browser(buyer.client.application, "ann@delta.example").get(url)
    fields = form_fields(page, url)
    assert ("term_value", "24 months") in fields
    ann = Browser(buyer.client.application, "ann@delta.example")
    ann.send(ann.get(url), url, {"drop": "0"}, 200)
    ann.send(ann.get(url), url, {"term_value": ""})
    assert house.load(deal).offers[-1].document.warranty is None


def test_an_added_row_outlives_a_review_that_fails(buyer, deal):
    url = f"/deals/{deal}/counter"
    page = buyer.send(buyer.get(url), url, {"add": "line", "add_line": "2", "add_line_term": "schedules"}, 200).text
    page = buyer.send(page, url, {"add": "line", "add_line": "2", "add_line_term": "min_quantity"}, 200).text
    wrong = {"term_label": ["90", ""], "term_value": ["2027-02-01", "many"], "step": "review"}
    answer = buyer.send(page, url, wrong, 422)
    seen = text_of(answer.text)
    assert "The parts come to 90, the line to 24000." in seen
    assert "This is not a number." in seen
    typed = [value for name, value in form_fields(answer.text, url) if name == "term_value"]
    assert typed == ["2027-02-01", "many"]


@pytest.mark.parametrize(("name", "labels"), [("warranty", ["", ""]), ("custom", ["surface", "Surface"])])
def test_a_term_that_stands_twice_is_told_and_not_decided_by_chance(house, buyer, deal, name, labels):
    url, page = f"/deals/{deal}/counter", buyer.get(f"/deals/{deal}/counter")
    for _ in labels:
        page = buyer.send(page, url, {"add": "header", "add_header_term": name}, 200).text
    answer = buyer.send(page, url, {"term_label": labels, "term_value": ["12 months", "24 months"]}, 422)
    assert text_of(answer.text).count("This term stands here twice.") == 1
    assert len(house.load(deal).offers) == 2


def test_a_row_is_added_to_the_form_that_stands(buyer, deal):
    url = f"/deals/{deal}/counter"
    fields = dict(form_fields(buyer.get(url), url))
    asked = {name: fields[name] for name in ("csrf_token", "form_id", "about")}
    row = buyer.client.post(f"{url}/term", data={**asked, "add": "header", "add_header_term": "law"})
    assert row.status_code == 200
    assert 'name="term_name" value="law"' in row.text
    assert "<html" not in row.text
    odd = buyer.client.post(f"{url}/term", data={**asked, "add": "line", "add_line": "77", "add_line_term": "custom"})
    assert odd.status_code == 400


def test_enter_in_a_field_sends_and_neither_adds_nor_leaves_out_a_term(buyer, deal):
    """A browser presses the first button of the form: it must be one without a name."""
    page = buyer.send(buyer.get(f"/deals/{deal}/counter"), f"/deals/{deal}/counter",
                      {"add": "header", "add_header_term": "law"}, 200).text  # fmt: skip
    form = page.split(f'action="/deals/{deal}/counter"', 1)[1]
    first = re.search(r"<button type=\"submit\"[^>]*>", form)
    assert first
    assert "name=" not in first[0]


def test_the_price_at_a_quantity_is_that_of_the_break_it_reaches():
    line = quoted().lines[0]
    breaks = tuple(
        PriceBreak(min_quantity=Decimal(least), amount=Decimal(price)) for least, price in ((50, 11), (200, 9))
    )
    cheaper = line.model_copy(update={"price": Price(amount=Decimal(12), breaks=breaks)})
    at = {
        number: cheaper.model_copy(update={"quantity": Quantity(value=number, unit="C62")}) for number in (10, 50, 200)
    }
    found = {number: amounts(quoted().model_copy(update={"lines": (each,)}))["1"] for number, each in at.items()}
    assert found == {10: Decimal("120.00"), 50: Decimal("550.00"), 200: Decimal("1800.00")}
