"""Accepting on the pages: some of the lines, with changes, and what the reader is told of it before anything is sent."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from tests.negotiation.conftest import BUYER, DELTA, SELLER, terms
from tests.negotiation.pages import Browser, build, form_fields, text_of
from tests.negotiation.test_service import quote
from tests.negotiation.words import HAIDI, NINGBO
from tradehub.negotiation import model
from tradehub.negotiation.drafting import Draft, LineDraft
from tradehub.negotiation.further import Stated
from tradehub.negotiation.grounds import Terms
from tradehub.negotiation.model import Ground
from tradehub.negotiation.store import DealRow
from tradehub.platform import clock

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def app(house, tmp_path):
    return build(house, tmp_path)


@pytest.fixture
def buyer(app) -> Browser:
    return Browser(app, "li@haidi.example")


@pytest.fixture
def seller(app) -> Browser:
    return Browser(app, "ann@delta.example")


def offered(house, *prices: str, **more) -> str:
    """Return a deal in which Delta has offered Haidi all three lines."""
    deal = house.deal_with(DELTA)
    house.do(SELLER, "make_offer", deal, terms(*(prices or ("12.40", "0.82", "6.10")), **more))
    return deal


def contracts(house, deal):
    return model.contracts(house.load(deal), now=clock.now())


def choose(browser, deal: str, taken: list[str], quantities: list[str] | None = None, status: int = 200, page=""):
    """Choose lines on the acceptance page and go to its review."""
    page = page or browser.get(f"/deals/{deal}/accept")
    changes: dict = {"taken": taken}
    if quantities is not None:
        changes["part_quantity"] = quantities
    return browser.send(page, f"/deals/{deal}/accept/review", changes, status)


# --- some of the lines (R22)


def test_lines_of_a_divisible_offer_are_chosen_and_what_is_bound_is_said(house, buyer):
    deal = offered(house, divisible=True)
    page = text_of(buyer.get(f"/deals/{deal}/accept"))
    assert "Delta Fluid lets you accept single lines, or part of a quantity." in page
    assert "(R22, CISG 19, 51)" in page
    review = choose(buyer, deal, ["1", "3"], ["24000", "24000", "1 500"])
    seen = text_of(review.text)
    assert "Haidi Trading and Delta Fluid are bound by a contract for line 1 and 1,500 pcs of line 3" in seen
    assert "It comes to USD 306,750.00" in seen
    assert "Still open until 4 Dec" in seen
    assert "line 2 and 2,500 pcs of line 3." in seen
    assert house.concluded == []
    page = text_of(buyer.follow(buyer.send(review.text, f"/deals/{deal}/accept")))
    assert "Accepted" in page
    (contract,) = contracts(house, deal)
    assert contract.lines == {"1": Decimal(24000), "3": Decimal(1500)}

    page = buyer.get(f"/deals/{deal}/accept")
    assert "of 4,000 pcs offered" in text_of(page), "what is open is what can be chosen"
    review = choose(buyer, deal, ["2", "3"], page=page)
    assert "line 2 and 2,500 pcs of line 3, on exactly these terms" in text_of(review.text)
    assert "Nothing of the offer then stays open." in text_of(review.text)
    buyer.send(review.text, f"/deals/{deal}/accept")
    assert [each.lines for each in contracts(house, deal)][1] == {"2": Decimal(24000), "3": Decimal(2500)}
    assert "line 3" not in text_of(buyer.get(f"/deals/{deal}/accept"))


def test_all_lines_at_once_are_the_offer(house, buyer):
    deal = offered(house, divisible=True)
    review = choose(buyer, deal, ["1", "2", "3"])
    assert "Nothing of the offer then stays open." in text_of(review.text)
    buyer.send(review.text, f"/deals/{deal}/accept")
    (contract,) = contracts(house, deal)
    assert contract.lines == {}


@pytest.mark.parametrize(
    ("taken", "quantities", "sentence"),
    [
        ([], None, "Choose at least one line."),
        (["1"], ["24001", "1", "1"], "No more than 24000 of it are open."),
        (["1"], ["0", "1", "1"], "More than zero, please."),
        (["1"], ["many", "1", "1"], "This is not a number."),
        (["1", "9"], None, "These lines are no longer open: 9"),
    ],
)
def test_a_choice_that_cannot_be_is_kept_with_its_error(house, buyer, taken, quantities, sentence):
    deal = offered(house, divisible=True)
    answer = choose(buyer, deal, taken, quantities, 422)
    assert sentence in text_of(answer.text)
    fields = form_fields(answer.text, f"/deals/{deal}/accept/review")
    assert [value for name, value in fields if name == "taken"] == [each for each in taken if each != "9"]
    if quantities:
        assert ("part_quantity", quantities[0]) in fields


def test_a_choice_is_held_to_what_was_shown_and_kept_where_the_deal_moved_on(house, buyer):
    deal = offered(house, divisible=True)
    page = buyer.get(f"/deals/{deal}/accept")
    review = choose(buyer, deal, ["1", "3"], ["24000", "24000", "1500"], page=page)
    house.do(SELLER, "make_offer", deal, terms("13.00", "0.82", "6.10", divisible=True))
    for answer in (
        choose(buyer, deal, ["1", "3"], ["24000", "24000", "1500"], 409, page=page),
        buyer.send(review.text, f"/deals/{deal}/accept", status=409),
    ):
        seen = text_of(answer.text)
        assert "The deal moved on while this page was open." in seen
        assert "Your choice is kept below." in seen
        assert "+4.8 % worse for you" in seen
        fields = form_fields(answer.text, f"/deals/{deal}/accept/review")
        assert [value for name, value in fields if name == "taken"] == ["1", "3"]
        assert ("part_quantity", "1500") in fields
    assert house.concluded == []
    review = choose(buyer, deal, ["1", "3"], page=answer.text)
    buyer.send(review.text, f"/deals/{deal}/accept")
    assert contracts(house, deal)[0].lines == {"1": Decimal(24000), "3": Decimal(1500)}


def test_a_choice_may_be_made_anew_from_the_review(house, buyer):
    deal = offered(house, divisible=True)
    review = choose(buyer, deal, ["1"])
    again = buyer.send(
        review.text.replace(f'action="/deals/{deal}/accept"', f'action="/deals/{deal}/accept/review"'),
        f"/deals/{deal}/accept/review", {"step": "edit"}, 200,
    )  # fmt: skip
    fields = form_fields(again.text, f"/deals/{deal}/accept/review")
    assert [value for name, value in fields if name == "taken"] == ["1"]


def test_the_page_says_why_lines_of_an_indivisible_offer_cannot_be_chosen(house, buyer):
    deal = offered(house)
    page = buyer.get(f"/deals/{deal}/accept")
    assert "Delta Fluid offers this as a whole, so no lines can be chosen." in text_of(page)
    assert re.search(r"by exactly these terms\. +It comes to USD [\d,]+\.\d\d", text_of(page))
    assert "would be a counter-offer, and would end this offer. (R22, CISG 19, 51)" in text_of(page)
    assert 'name="taken"' not in page


# --- what is said of one of several acceptances


def settled(house, **settled) -> None:
    """Let deals be opened under what their parties settled."""
    house.service.hooks = replace(house.service.hooks, terms=lambda *_: Terms(ground=Ground(**settled)))


def in_parts(house, **more) -> tuple[str, list[str]]:
    """Return a deal of which Haidi accepted line 1 and then some of line 2, and its acceptances."""
    deal = offered(house, divisible=True, **more)
    about = house.load(deal).offers[1].id
    parts = [(("1", None),), (("2", Decimal(400)),)]
    return deal, [house.do(BUYER, "accept", deal, about, lines=lines) for lines in parts]


def buttons(page: str, deal: str, name: str) -> dict[str, str]:
    """Return the acceptances that a page lets one act on, with the words of the button."""
    found = re.findall(rf'<a [^>]*href="/deals/{deal}/act/{name}\?about=(\w+)"[^>]*>(.*?)</a>', page, re.DOTALL)
    return {about: text_of(words).strip() for about, words in found}


def say(browser, deal: str, name: str, about: str):
    return browser.send(browser.get(f"/deals/{deal}/act/{name}?about={about}"), f"/deals/{deal}/act/{name}")


def test_r21_each_part_is_confirmed_by_itself(house, buyer, seller):
    settled(house, formation="confirmation")
    deal, (one, two) = in_parts(house)
    assert buttons(buyer.get(f"/deals/{deal}"), deal, "confirm") == {
        one: "Confirm the contract: line 1", two: "Confirm the contract: 400 pcs of line 2"
    }  # fmt: skip
    page = text_of(buyer.get(f"/deals/{deal}/act/confirm?about={one}"))
    assert "The part that was accepted" in page
    assert "Valve V-22" in page
    assert "Seal kit" not in page
    for browser in (buyer, seller):
        say(browser, deal, "confirm", one)
    assert [str(each.state) for each in contracts(house, deal)] == ["concluded", "awaiting_confirmation"]
    assert list(buttons(buyer.get(f"/deals/{deal}"), deal, "confirm")) == [two]
    assert "Confirm" in text_of(buyer.get(f"/deals/{deal}/act/confirm?about={two}"))
    for browser in (buyer, seller):
        say(browser, deal, "confirm", two)
    assert [str(each.state) for each in contracts(house, deal)] == ["concluded", "concluded"]


def test_r16_the_earlier_of_two_acceptances_is_withdrawn_before_it_arrives(house, buyer):
    house.service.hooks = replace(house.service.hooks, is_web=lambda _session, party: party == HAIDI)
    deal, (one, two) = in_parts(house)
    assert list(buttons(buyer.get(f"/deals/{deal}"), deal, "withdraw_acceptance")) == [one, two]
    say(buyer, deal, "withdraw_acceptance", one)
    with house.database.write() as session:
        row, withdrawal = session.get(DealRow, deal), house.load(deal).statements[-1].id
        house.service.note(session, row, model.Kind.REACH, withdrawal, clock.now())
    assert [each.id for each in contracts(house, deal)] == [two]


def test_r13_the_content_of_the_earlier_acceptance_is_objected_to(house, buyer, seller):
    deal = offered(house, terms=PAPERS, divisible=True)
    about = house.load(deal).offers[1]
    copies = about.document.model_copy(update={"documents_required": ("Three copies of the invoice",)})
    one, two = (
        house.do(BUYER, "accept", deal, about.id, lines=((line, None),), document=copies) for line in ("1", "2")
    )
    assert list(buttons(seller.get(f"/deals/{deal}"), deal, "object")) == [one, two]
    assert "Three copies of the invoice" in text_of(seller.get(f"/deals/{deal}/act/object?about={one}"))
    assert all(f"/act/object?about={each}" in seller.get("/deals/late") for each in (one, two))
    say(seller, deal, "object", one)
    assert [str(each.state) for each in contracts(house, deal)] == ["never_concluded", "concluded_objectable"]


# --- with changes (R9, R10)


def change(browser, deal: str, changes: dict, status: int = 200):
    page = browser.get(f"/deals/{deal}/accept/changes")
    return browser.send(page, f"/deals/{deal}/accept/changes", changes, status)


PAPERS = (Stated("documents_required", "Two copies of the invoice"), Stated("penalty", "0.5 % a week"))
ROWS = ("term_line", "term_name", "term_label", "term_value")


def rows(*stated: tuple[str, str, str, str]) -> dict[str, list[str]]:
    """The further terms of the form: line, name, label, value."""
    return {name: [each[place] for each in stated] for place, name in enumerate(ROWS)}


KEPT = (("", "penalty", "", "0.5 % a week"), ("", "documents_required", "", "Two copies of the invoice"))
THREE = ("", "documents_required", "", "Three copies of the invoice")
NO_DOCUMENTS = rows(KEPT[0])

VERDICTS = [
    ("three copies of the documents", {}, rows(KEPT[0], THREE), "acceptance", ["Two copies", "Three copies"]),
    ("a paper struck out", {}, NO_DOCUMENTS, "acceptance", ["Two copies of the invoice left out not material"]),
    ("contacts named", {}, rows(*KEPT, ("", "custom", "contacts", "Zhao")), "acceptance", ["– Zhao not material"]),
    ("another price", {}, {"line_price": ["11.90", "0.82", "6.10"]}, "counter", ["USD 12.40 USD 11.90 material"]),
    ("less of a line", {}, {"line_quantity": ["24000", "24000", "100"]}, "counter", ["4,000 pcs 100 pcs mat"]),
    ("a line left out", {}, {"leave_out": ["2"]}, "counter", ["Line 2 Seal kit 24,000 pcs left out material"]),
    ("another day", {}, {"line_delivery": ["2027-02-01"] * 3}, "counter", ["1 Feb 2027"]),
    ("other payment", {}, {"payment": "net 60"}, "counter", ["net 30 net 60 material"]),
    ("payment struck out", {}, {"payment": ""}, "counter", ["net 30 left out material"]),
    ("another Incoterm", {}, {"incoterm": "CIF", "place": "Hamburg"}, "counter", ["FOB Ningbo CIF Hamburg material"]),
    ("the penalty struck out", {}, rows(KEPT[1]), "counter", ["0.5 % a week left out material"]),
    ("an unknown term", {}, rows(*KEPT, ("", "custom", "Colour", "red")), "counter", ["– red material"]),
    ("as it is, or not at all", {"as_is_only": True}, rows(KEPT[0], THREE), "counter", ["lets this be accepted as it is"]),
]  # fmt: skip


@pytest.mark.parametrize(("offer", "typed", "verdict", "parts"), [each[1:] for each in VERDICTS],
                         ids=[each[0] for each in VERDICTS])  # fmt: skip
def test_a_change_is_judged_before_anything_is_sent_and_is_what_was_said(house, buyer, offer, typed, verdict, parts):
    deal = offered(house, terms=PAPERS, **offer)
    review = change(buyer, deal, typed)
    seen = text_of(review.text)
    for part in parts:
        assert part in seen
    if verdict == "acceptance":
        assert "This is an acceptance: none of your changes is material. (R9, CISG 19(2))" in seen
        assert "Delta Fluid may object until 25 Nov" in seen
        assert "(R13, CISG 19(2))" in seen
    else:
        assert "This is no acceptance, but a counter-offer: nobody is bound by it yet. (R10, CISG 19(1), 19(3))" in seen
        assert "may accept until 4 Dec" in seen
    assert len(house.load(deal).statements) == 2
    buyer.send(review.text, f"/deals/{deal}/accept/changes/send")
    found = contracts(house, deal)
    about = house.load(deal).offers[1].id
    if verdict == "acceptance":
        assert [str(each.state) for each in found] == ["concluded_objectable"]
        assert found[0].terms.id == house.load(deal).offers[2].id
    else:
        assert found == ()
        states = [str(each) for each in model.states(house.load(deal), now=house.load(deal).statements[-1].at).values()]
        assert states[1:] == ["countered", "effective"]
    assert house.load(deal).statements[-1].about == about


def test_nothing_changed_is_no_acceptance_with_changes(house, buyer):
    deal = offered(house, terms=PAPERS)
    answer = change(buyer, deal, {"text": "thank you"}, 422)
    assert "Nothing is changed: accept the offer as it stands, or change a term." in text_of(answer.text)
    assert "thank you" in answer.text


def test_every_line_left_out_is_no_offer(house, buyer):
    deal = offered(house)
    answer = change(buyer, deal, {"leave_out": ["1", "2", "3"]}, 422)
    assert "Keep at least one line, or decline the offer." in text_of(answer.text)


def test_the_offeror_is_told_of_the_changes_and_objects(house, buyer, seller):
    deal = offered(house, terms=PAPERS)
    buyer.send(change(buyer, deal, rows(KEPT[0], THREE)).text, f"/deals/{deal}/accept/changes/send")
    assert "unless the other side objects until 25 Nov" in text_of(buyer.get(f"/deals/{deal}"))
    page = seller.get(f"/deals/{deal}")
    assert "It stands unless you object until 25 Nov" in text_of(page)
    (made,) = contracts(house, deal)
    assert f'href="/deals/{deal}/act/object?about={made.id}"' in page
    form = seller.get(f"/deals/{deal}/act/object?about={made.id}")
    assert "Two copies of the invoice Three copies of the invoice" in text_of(form)
    seller.send(form, f"/deals/{deal}/act/object", {"text": "two are enough"})
    assert [str(each.state) for each in contracts(house, deal)] == ["never_concluded"]


def test_changes_to_an_offer_that_was_replaced_are_kept_on_the_new_one(house, buyer):
    deal = offered(house, terms=PAPERS)
    page = buyer.get(f"/deals/{deal}/accept/changes")
    review = change(buyer, deal, {"line_price": ["11.11", "0.80", "6.00"]})
    house.do(SELLER, "make_offer", deal, terms("12.00", "0.82", "6.10", terms=PAPERS))
    for answer in (
        buyer.send(page, f"/deals/{deal}/accept/changes", {"line_price": ["11.11", "0.80", "6.00"]}, 409),
        buyer.send(review.text, f"/deals/{deal}/accept/changes/send", status=409),
    ):
        seen = text_of(answer.text)
        assert "The deal moved on while you were writing." in seen
        assert "−3.2 % better for you" in seen
        assert ("line_price", "11.11") in form_fields(answer.text, f"/deals/{deal}/accept/changes")
    assert len(house.load(deal).offers) == 3
    review = buyer.send(answer.text, f"/deals/{deal}/accept/changes", status=200)
    assert "USD 12.00 USD 11.11 material" in text_of(review.text)


def test_a_seller_accepts_a_counter_with_changes(house, buyer, seller):
    deal = offered(house, terms=PAPERS)
    page = buyer.get(f"/deals/{deal}/counter")
    buyer.send(page, f"/deals/{deal}/counter", {"line_price": ["11.90", "0.80", "6.00"]})
    review = change(seller, deal, rows(KEPT[0], THREE))
    assert "This is an acceptance" in text_of(review.text)
    seller.send(review.text, f"/deals/{deal}/accept/changes/send")
    assert [str(each.state) for each in contracts(house, deal)] == ["concluded_objectable"]


def test_an_offer_that_ran_out_is_accepted_late_and_not_with_changes(house, app, at_monday):
    deal = offered(house)
    at_monday.move(timedelta(days=20))
    buyer = Browser(app, "li@haidi.example")
    assert "Your acceptance would be late" in text_of(buyer.get(f"/deals/{deal}/accept"))
    assert "It has expired." in text_of(buyer.get(f"/deals/{deal}/accept/changes", 409))


# --- alternatives of a line


def offer_alternatives(browser, deal: str, changes: dict | None = None, status: int = 303, line: str = "1", **row: str):
    """Add an alternative to a line on the offer form, fill it in, and send the form."""
    at = f"/deals/{deal}/counter"
    form = browser.send(browser.get(at), at, {"alternative": line}, 200).text
    place = [value for name, value in form_fields(form, at) if name == "line_alternative"].index(line)
    columns: dict[str, list[str]] = {}
    for name, value in form_fields(form, at):
        columns.setdefault(name, []).append(value)
    columns["line_price"] = ["" if each else price for each, price in
                             zip(columns["line_alternative"], ("12.40", "11.10", "0.82", "6.10"), strict=False)]  # fmt: skip
    for name, value in row.items():
        columns[f"line_{name}"][place] = value
    sent = {name: columns[name] for name in columns if name.startswith("line_")}
    return browser.send(form, at, {"valid_until": "2026-12-04", **sent, **(changes or {})}, status)


BRASS = {"name": "Valve V-22, brass", "item": "B-22", "price": "10.95"}


def test_an_alternative_of_a_line_is_an_offer_beside_the_other_and_one_is_picked(house, buyer, seller):
    deal = house.deal_with(DELTA)
    offer_alternatives(seller, deal, **BRASS)
    one, other = house.load(deal).offers[1:]
    assert one.group is not None
    assert one.group == other.group
    assert [each.amount for each in (one, other)] == [Decimal(341680), Decimal(306880)], "none is added to another"
    page = buyer.get(f"/deals/{deal}")
    seen = text_of(page)
    assert "Alternatives, of which you pick one" in seen
    assert "Valve V-22, brass B-22" in seen
    assert "Alternatives: one of rounds 2 and 3" in seen
    assert "Gap to close" not in seen, "to offer another is no move"
    assert re.search(r'aria-current="step">[^<]*Offer', page), "nor is it a counter-offer"
    assert "Item Valve V-22 Valve V-22, brass" in seen, "the comparison of the rounds says that the item is another"

    at = f"/deals/{deal}/accept/alternatives"
    form = buyer.get(f"{at}?about={one.id}")
    assert "checked" not in form, "nobody chooses for them"
    for query in ("&step=choose", f"&step=choose&offer={one.id}&offer={other.id}", "&step=choose&offer=x"):
        answer = buyer.get(f"{at}?about={one.id}{query}", 422)
        assert "Choose exactly one of the alternatives." in text_of(answer)
    answer = buyer.client.get(f"{at}?about={one.id}&step=choose&offer={other.id}")
    page = buyer.follow(answer)
    assert "It is one of 2 alternatives. The others can then no longer be accepted." in text_of(page)
    assert "Valve V-22, brass" in text_of(page)
    buyer.send(page, f"/deals/{deal}/accept")
    (contract,) = contracts(house, deal)
    assert contract.offer.id == other.id
    assert "The contract stands" in text_of(buyer.get(f"/deals/{deal}/accept?offer={one.id}"))


def two_alternatives(house, seller, **flags: str) -> tuple[str, list[str]]:
    deal = house.deal_with(DELTA)
    offer_alternatives(seller, deal, flags, **BRASS)
    return deal, [each.id for each in house.load(deal).offers[1:]]


def states(house, deal: str) -> list[str]:
    return [str(each) for each in model.states(house.load(deal), now=clock.now()).values()][1:]


@pytest.mark.parametrize(
    ("typed", "after"),
    [({}, ["rejected", "rejected"]), ({"others": []}, ["effective", "rejected"])],
    ids=["both", "one alone"],
)
def test_r7_who_declines_an_alternative_is_asked_about_the_others(house, buyer, seller, typed, after):
    """CISG 17: a rejection ends the offer that it is of, and an alternative is an offer of its own."""
    deal, (_, other) = two_alternatives(house, seller)
    page = buyer.get(f"/deals/{deal}/reject?offer={other}")
    assert "Decline its alternative too (round 2)" in text_of(page)
    buyer.send(page, f"/deals/{deal}/reject", typed)
    assert states(house, deal) == after


def test_r11_a_counter_to_an_alternative_leaves_the_others_open_and_says_so(house, buyer, seller):
    deal, (one, other) = two_alternatives(house, seller)
    at = f"/deals/{deal}/counter"
    review = buyer.send(buyer.get(f"{at}?about={other}"), at, {"step": "review"}, 200)
    assert "You counter round 3 alone. Its alternative, round 2, stays open to you." in text_of(review.text)
    buyer.send(review.text, at, {"step": "send"})
    assert states(house, deal) == ["effective", "countered", "effective"]
    buyer.send(buyer.get(f"/deals/{deal}/accept?offer={one}"), f"/deals/{deal}/accept")
    assert len(contracts(house, deal)) == 1


@pytest.mark.parametrize("picked", [0, 1])
def test_r22_of_alternatives_that_are_divisible_one_is_picked_and_taken_in_parts(house, buyer, seller, picked):
    deal, offers = two_alternatives(house, seller, divisible="1")
    page = buyer.get(f"/deals/{deal}/accept?offer={offers[picked]}")
    review = choose(buyer, deal, ["2"], page=page)
    buyer.send(review.text, f"/deals/{deal}/accept")
    page = buyer.get(f"/deals/{deal}")
    assert f'href="/deals/{deal}/accept?offer={offers[picked]}"' in page, "the rest of what was picked"
    assert "/accept/alternatives" not in page, "nothing is left to choose between"
    review = choose(buyer, deal, ["1", "3"])
    buyer.send(review.text, f"/deals/{deal}/accept")
    assert [each.offer.id for each in contracts(house, deal)] == [offers[picked]] * 2


def test_alternatives_stand_side_by_side_in_the_comparison(house, buyer, seller):
    deal = house.deal_with(DELTA)
    offer_alternatives(seller, deal, **BRASS)
    with house.database.read("haidi") as session:
        inquiry = house.service.deal(session, deal).row.inquiry_id
    seen = text_of(buyer.get(f"/inquiries/{inquiry}/compare"))
    assert "1 of 1 answered" in seen
    assert "Delta Fluid Alternative 1 Delta Fluid Alternative 2" in seen
    assert "Valve V-22, brass" in seen


@pytest.mark.parametrize(
    ("row", "changes", "sentence"),
    [
        ({"price": "12.40"}, {}, "An alternative must differ from its line."),
        ({"price": ""}, {}, "A counter-offer needs a price."),
        ({**BRASS, "name": "", "item": ""}, {}, "Name the item."),
    ],
)
def test_an_alternative_that_cannot_be_says_why(house, seller, row, changes, sentence):
    deal = house.deal_with(DELTA)
    answer = offer_alternatives(seller, deal, changes, 422, **row)
    assert sentence in text_of(answer.text)
    assert len(house.load(deal).offers) == 1


def test_an_alternative_is_taken_out_again_and_reviewed_before_it_leaves(house, seller):
    deal = house.deal_with(DELTA)
    at = f"/deals/{deal}/counter"
    review = offer_alternatives(seller, deal, {"step": "review"}, 200, **BRASS)
    assert "They pick exactly one of 2 offers." in text_of(review.text)
    form = seller.send(review.text, at, {"step": "edit"}, 200)
    without = seller.send(form.text, at, {"drop_alternative": "1"}, 200)
    fields = form_fields(without.text, at)
    assert [value for name, value in fields if name == "line_number"] == ["1", "2", "3"]
    assert [value for name, value in fields if name == "term_name"] == [], "and no term is added by the way"
    seller.send(review.text, at, {"step": "send"})
    assert len(house.load(deal).offers) == 3


def test_a_buyer_counters_with_an_alternative(house, buyer, seller):
    deal = offered(house)
    offer_alternatives(buyer, deal, quantity="12000", price="13.00")
    states = model.states(house.load(deal), now=house.load(deal).statements[-1].at)
    assert [str(each) for each in states.values()] == ["invitation", "countered", "effective", "effective"]
    assert "Choose and accept" in text_of(seller.get(f"/deals/{deal}"))


def test_alternatives_go_to_a_message_partner_as_offers_of_their_own(house):
    deal = house.deal_with(NINGBO)
    house.receive(quote(house, "Q-1", "12.40"))
    about = house.load(deal).offers[-1].id
    line = LineDraft("1", Decimal(24000), "C62", Decimal("11.90"))
    other = LineDraft("1", Decimal(12000), "C62", Decimal("12.10"))
    house.do(BUYER, "make_offer", deal, Draft((line,), alternatives=(other,)), about=about)
    letters = [document for to, document, _ in house.outbox.sent if to == NINGBO][1:]
    assert [each.lines[0].quantity.value for each in letters] == [24000, 12000]
    assert len({each.number for each in letters}) == 2


def test_under_the_ucc_other_terms_are_knocked_out_and_the_contract_stands(house, buyer):
    deal = offered(house)
    with house.database.write() as session:
        session.query(DealRow).filter_by(id=deal).one().regime = "UCC"
    review = change(buyer, deal, {"payment": "net 60"})
    seen = text_of(review.text)
    assert "the contract comes about on the terms on which you agree. (R9, UCC 2-207(2))" in seen
    assert "None of the changes below becomes part of it." in seen
    buyer.send(review.text, f"/deals/{deal}/accept/changes/send")
    (contract,) = contracts(house, deal)
    assert (str(contract.state), contract.knocked_out) == ("concluded", ("payment",))


def test_a_message_partner_has_its_days_from_the_arrival(house, buyer):
    deal = house.deal_with(NINGBO)
    house.receive(quote(house, "Q-1", "12.40"))
    added = rows(("", "documents_required", "", "Three copies"))
    seen = text_of(change(buyer, deal, added).text)
    assert "Ningbo Valves may object within 2 days of its arrival; then there is no contract" in seen
