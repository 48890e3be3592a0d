"""The pages as a buyer, those who approve and the administrator use them."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from tests.approvals.conftest import LIMITS
from tests.negotiation.pages import form_fields, text_of
from tests.negotiation.words import HAIDI
from tests.people import PASSWORD
from tradehub.approvals.model import Chain, ChainStep, State
from tradehub.partners.authority import Approver
from tradehub.platform.security import FRESH_FOR

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


def asked(answer) -> str:
    """The id of the request that a page leads to."""
    path = urlsplit(answer.headers["Location"]).path
    assert path.startswith("/approvals/"), path
    return path.removeprefix("/approvals/")


def ask_acceptance(browser, deal: str, note: str = "Please before noon") -> str:
    page = browser.get(f"/deals/{deal}/accept")
    return asked(browser.send(page, f"/deals/{deal}/accept/ask", {"approval_note": note}))


def decide(browser, request: str, word: str, status: int = 303, **more: object):
    page = browser.get(f"/approvals/{request}")
    return browser.send(page, f"/approvals/{request}/decide", {"word": word, **more}, status)


# --- from the deal to the answer


def test_from_asking_to_the_contract(firm, browse):
    deal = firm.offered()
    li, ann = browse("li"), browse("ann")
    page = text_of(li.get(f"/deals/{deal}/accept"))
    assert "Approval needed" in page
    assert "Approver (Ann, Bo)" in page
    assert "Accept and conclude" not in page
    request = ask_acceptance(li, deal)
    assert "Waiting for approval" in text_of(li.get(f"/deals/{deal}"))
    assert "Waiting for approval" in text_of(li.get("/approvals/mine"))
    assert "Nothing waits for your approval" in text_of(li.get("/approvals"))

    home = text_of(ann.get("/"))
    assert "To approve · 1" in home
    page = ann.get(f"/approvals/{request}")
    for part in ("Please before noon", "Round 2, to be accepted", "USD 297,600.00", "Rounds so far", "Above the requ"):
        assert part in text_of(page), part
    assert "Approved, and done." in text_of(ann.follow(decide(ann, request, "approve", reason="fine")))
    assert len(firm.concluded) == 1

    home = text_of(li.get("/"))
    assert "Approved and done" in home
    page = li.get(f"/approvals/{request}")
    assert "Ann" in text_of(page)
    assert "fine" in text_of(page)
    assert "Approved and done" not in text_of(li.follow(li.send(page, f"/approvals/{request}/noted")))


def test_who_may_bind_alone_accepts_as_ever(firm, browse):
    firm.state(LIMITS)
    deal, ann = firm.offered(), browse("ann")
    page = ann.get(f"/deals/{deal}/accept")
    assert "confirm_password" not in page
    ann.send(page, f"/deals/{deal}/accept")
    assert len(firm.concluded) == 1


def test_a_counter_above_the_limit_is_asked_for_with_all_that_was_typed(firm, browse):
    firm.state(LIMITS)
    deal, li, ann = firm.offered(), browse("li"), browse("ann")
    form = li.get(f"/deals/{deal}/counter")
    typed = {"line_price": ["11.90"], "payment": "net 60", "text": "our last word"}
    page = li.send(form, f"/deals/{deal}/counter", typed, 403).text
    assert "Once these have approved it" in text_of(page)
    request = asked(li.send(page, f"/deals/{deal}/counter", {"step": "ask", "approval_note": "budget is 290k"}))
    assert len(firm.load(deal).offers) == 2
    page = text_of(ann.get(f"/approvals/{request}"))
    assert "−4" in page
    assert "What would be sent" in page
    assert "budget is 290k" in page
    decide(ann, request, "approve")
    last = firm.load(deal).offers[-1].document
    assert (str(last.lines[0].price.amount), last.notes[0].text) == ("11.90", "our last word")
    assert "budget is 290k" not in browse("dana").get(f"/deals/{deal}")


def test_a_counter_within_the_limit_goes_out_at_once(firm, browse):
    firm.state(LIMITS)
    deal, li = firm.offered("0.05"), browse("li")
    form = li.get(f"/deals/{deal}/counter")
    li.send(form, f"/deals/{deal}/counter", {"line_price": ["0.04"]})
    assert len(firm.load(deal).offers) == 3


def test_what_is_without_obligation_needs_nobody(firm, browse):
    deal, dana = firm.inquired(), browse("dana")
    firm.set_roles("dana", "seller")
    form = dana.get(f"/deals/{deal}/counter")
    terms = {"line_price": ["12.40", "", ""]}
    refused = dana.send(form, f"/deals/{deal}/counter", {**terms, "obligation": "firm"}, 403)
    assert "nobody else in your organisation may give it. (R8" in text_of(refused.text)
    dana.send(form, f"/deals/{deal}/counter", {**terms, "obligation": "free"})
    assert len(firm.load(deal).offers) == 2


def test_who_may_not_even_ask_is_shown_the_door(firm, browse):
    deal = firm.offered()
    for url in (f"/deals/{deal}/accept", "/approvals", "/approvals/mine", "/spending-limits"):
        assert browse("eve").client.get(url).status_code == 403


def test_over_every_limit_nobody_is_offered(firm, browse):
    """S59."""
    firm.state(LIMITS)
    deal = firm.offered("100")
    page = text_of(browse("ann").get(f"/deals/{deal}/accept"))
    assert "nobody in your organisation may approve such an amount. (R8, CISG 18(1), MLEC 13)" in page
    assert "Ask for approval" not in page


@pytest.mark.parametrize("role", ["viewer", "buyer"])
def test_the_role_lost_between_page_and_post_counts(firm, browse, role):
    """X8."""
    deal, bo = firm.offered(), browse("bo")
    page = bo.get(f"/deals/{deal}/accept")
    firm.set_roles("bo", role)
    answer = bo.send(page, f"/deals/{deal}/accept", {}, 403)
    assert ("Ask for approval" in answer.text) is (role == "buyer")
    assert firm.concluded == []


# --- the answer


def test_a_decline_needs_its_reason_and_tells_who_asked(firm, browse):
    request = firm.ask(firm.offered())
    ann, li = browse("ann"), browse("li")
    page = decide(ann, request, "decline", 409).text
    assert "Say why you do not approve it." in text_of(page)
    decide(ann, request, "decline", reason="above the budget")
    assert "Not approved" in text_of(li.get("/"))
    assert "above the budget" in text_of(li.get(f"/approvals/{request}"))


def test_an_approval_that_comes_too_late_tells_both_why(firm, browse, at_monday):
    """X9."""
    firm.state(replace(LIMITS, days=30))
    request = firm.ask(firm.offered())
    at_monday.at += timedelta(days=12)
    ann, li = browse("ann"), browse("li")
    page = text_of(ann.follow(decide(ann, request, "approve")))
    assert "Your approval came too late" in page
    assert "It has expired. (R17, CISG 18(2), 20)" in page
    for each in (ann, li):
        assert "Overtaken: nothing was done" in text_of(each.get("/"))
    assert firm.concluded == []


def test_the_second_of_two_approvers_is_told(firm, browse):
    request = firm.ask(firm.offered())
    ann, bo = browse("ann"), browse("bo")
    pages = {each: each.get(f"/approvals/{request}") for each in (ann, bo)}
    ann.send(pages[ann], f"/approvals/{request}/decide", {"word": "approve"})
    answer = bo.send(pages[bo], f"/approvals/{request}/decide", {"word": "approve"}, 409)
    assert "This has been approved and done already." in text_of(answer.text)
    assert len(firm.concluded) == 1


def test_the_same_form_twice_approves_once(firm, browse):
    request = firm.ask(firm.offered())
    ann = browse("ann")
    page = ann.get(f"/approvals/{request}")
    first, again = (ann.send(page, f"/approvals/{request}/decide", {"word": "approve"}) for _ in range(2))
    assert first.headers["Location"] == again.headers["Location"]
    assert len(firm.view(request).row.decisions) == 1


def test_an_approval_binds_so_the_password_is_asked_for_on_its_page(firm, browse, at_monday):
    request = firm.ask(firm.offered())
    ann = browse("ann")
    at_monday.at += FRESH_FOR
    page = ann.get(f"/approvals/{request}")
    assert 'name="confirm_password"' in page
    ann.send(page, f"/approvals/{request}/decide", {"word": "approve", "confirm_password": "wrong"}, 403)
    assert firm.view(request).state is State.PENDING
    ann.send(page, f"/approvals/{request}/decide", {"word": "approve", "confirm_password": PASSWORD})
    assert firm.view(request).state is State.DONE


def test_accepting_without_a_fresh_password_is_403_and_then_one_step(firm, browse, at_monday):
    """#8."""
    deal, ann = firm.offered(), browse("ann")
    page = ann.get(f"/deals/{deal}/accept")
    at_monday.at += FRESH_FOR
    refused = ann.send(page, f"/deals/{deal}/accept", {}, 403)
    assert "Confirm that it is you" in refused.text
    assert firm.concluded == []
    ann.send(refused.text, f"/deals/{deal}/accept", {"confirm_password": PASSWORD})
    assert len(firm.concluded) == 1


def test_a_stranger_finds_no_request_and_says_nothing(firm, browse):
    request = firm.ask(firm.offered())
    dana = browse("dana")
    page = dana.get("/account")
    token = dict(form_fields(page, "/account/zone"))["csrf_token"]
    for verb in ("decide", "withdraw", "noted"):
        form = {"csrf_token": token, "form_id": "form-12345", "word": "approve"}
        assert dana.client.post(f"/approvals/{request}/{verb}", data=form).status_code == 404
    dana.get(f"/approvals/{request}", 404)
    assert firm.view(request).state is State.PENDING


def test_who_asked_takes_it_back(firm, browse):
    request = firm.ask(firm.offered())
    li = browse("li")
    page = li.get(f"/approvals/{request}")
    assert "Withdrawn" in text_of(li.follow(li.send(page, f"/approvals/{request}/withdraw")))
    li.send(page, f"/approvals/{request}/withdraw", {"form_id": "another-form"}, 409)


def test_all_requests_are_filtered_searched_and_exported(firm, browse):
    first, second = firm.offered(), firm.offered("2")
    firm.decide(firm.ask(first, note="not for the export"), "ann", approves=False, reason="no")
    firm.ask(second)
    ann = browse("ann")
    page = text_of(ann.get("/approvals/all"))
    for part in ("All 2", "Waiting 1", "Not approved 1", "Not carried out 0"):
        assert part in page, part
    assert "USD 48,000.00" not in text_of(ann.get("/approvals/all?only=declined"))
    assert "USD 48,000.00" in text_of(ann.get("/approvals/all?q=delta+VALVE+li&page=99"))
    assert "No request fits." in text_of(ann.get("/approvals/all?q=nowhere&only=unknown"))
    rows = list(csv.reader(io.StringIO(ann.get("/approvals.csv"))))
    assert [row[7] for row in rows] == ["state", "pending", "declined"]
    assert rows[2][9] == "Ann: no"
    assert browse("dana").get("/approvals.csv").count("\n") == 1


def test_the_export_is_no_formula(firm, browse):
    deal = firm.offered()
    with firm.database.write(HAIDI) as session:
        firm.approvals.ask(session, replace(firm.asker("li"), name="=HYPERLINK(1)"), firm.wanted(session, deal))
    assert '"\'=HYPERLINK(1)"' in browse("ann").get("/approvals.csv")


# --- delegates


def test_somebody_stands_in_and_is_named_so(firm, browse):
    request = firm.ask(firm.offered(), "li")
    ann, bo = browse("ann"), browse("bo")
    page = ann.get("/approvals/delegates")
    form = {"taker": firm.users["bo"], "first_on": "2026-11-20", "last_on": "2026-12-04"}
    page = ann.follow(ann.send(page, "/approvals/delegates", form))
    assert "In force" in text_of(page)
    page = text_of(bo.get(f"/approvals/{request}"))
    assert "for Ann" in page
    decide(bo, request, "approve", giver=firm.users["ann"])
    assert "Bo for Ann" in text_of(ann.get(f"/approvals/{request}"))

    page = ann.get("/approvals/delegates")
    url = re.search(r"/approvals/delegates/\w+/end", page)[0]
    assert "Nobody." in text_of(ann.follow(ann.send(page, url)))


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"first_on": "soon", "last_on": "2026-12-04"}, "Say from which day to which."),
        ({"first_on": "2026-12-05", "last_on": "2026-12-04"}, "The last day lies before the first."),
        ({"taker": "nobody", "first_on": "2026-12-01", "last_on": "2026-12-04"}, "Choose somebody who may approve."),
    ],
)
def test_a_delegation_that_cannot_be_says_why(firm, browse, form, sentence):
    ann = browse("ann")
    page = ann.get("/approvals/delegates")
    answer = ann.send(page, "/approvals/delegates", {"taker": firm.users["bo"], **form}, 422)
    assert sentence in text_of(answer.text)


# --- limits

TYPED = {
    "currency": "USD", "days": "7",
    "limits_role": ["buyer", "approver", "", "", ""], "limits_act": ["", "signature", "", "", ""],
    "limits_currency": ["usd", "USD", "USD", "USD", "USD"], "limits_kind": ["most", "any", "most", "most", "most"],
    "limits_most": ["1000", "", "", "", ""],
    "thresholds_act": ["", ""], "thresholds_currency": ["USD", "USD"], "thresholds_above": ["50000", ""],
    "rates_currency": ["EUR", "", ""], "rates_value": ["1.1", "", ""],
    "chain_0_name": "Plant", "chain_0_above": "1000", "chain_0_up_to": "", "chain_0_partner": "delta",
    "chain_0_0_approver": ["role:approver", "", "", ""], "chain_0_1_rule": "all",
    "chain_0_1_approver": ["role:buyer", "role:seller", "", ""],
}  # fmt: skip


def test_limits_are_stated_after_a_review_and_kept_by_version(firm, browse):
    max_ = browse("max")
    assert "No limits are stated" in text_of(max_.get("/spending-limits"))
    page = max_.get("/spending-limits/edit")
    review = max_.send(page, "/spending-limits/review", TYPED, 200).text
    for part in ("Buyer", "USD 1,000", "any amount", "Plant", "Delta Fluid", "Buyer and Seller", "1 EUR"):
        assert part in text_of(review), part
    with firm.database.read(HAIDI) as session:
        assert firm.approvals.policies(session, HAIDI) == []
    page = max_.follow(max_.send(review, "/spending-limits"))
    assert "Version 1" in text_of(page)

    again = max_.get("/spending-limits/edit")
    shown = dict(form_fields(again, "/spending-limits/review"))
    assert (shown["chain_0_name"], shown["days"], shown["version"]) == ("Plant", "7", "1")
    review = max_.send(again, "/spending-limits/review", {"days": "9"}, 200).text
    assert text_of(review).count("changed") == 1
    max_.send(review, "/spending-limits")
    assert "Version 1" in text_of(max_.get("/spending-limits?version=1"))
    assert "Replaced" in text_of(max_.get("/spending-limits?version=1"))
    with firm.database.read(HAIDI) as session:
        first, second = reversed(firm.approvals.policies(session, HAIDI))
    assert (first.policy.days, second.policy.days) == (7, 9)
    assert first.policy.chains == second.policy.chains


def test_limits_are_not_put_in_force_by_saying_nothing(firm, browse):
    """No limits at all let each approver bind alone; limits that state nothing let nobody."""
    max_ = browse("max")
    review = max_.send(max_.get("/spending-limits/edit"), "/spending-limits/review", {}, 200).text
    assert "Nobody could then bind your organisation alone." in text_of(review)
    assert "Nothing differs" not in text_of(review)
    review = max_.send(max_.get("/spending-limits/edit"), "/spending-limits/review", TYPED, 200).text
    assert "Nobody could then" not in text_of(review)
    max_.send(review, "/spending-limits")
    same = text_of(max_.send(max_.get("/spending-limits/edit"), "/spending-limits/review", {}, 200).text)
    assert "Nothing differs from the version in force." in same
    assert "Put in force" not in same


def test_from_the_review_one_goes_back_with_all_that_was_typed(firm, browse):
    max_ = browse("max")
    review = max_.send(max_.get("/spending-limits/edit"), "/spending-limits/review", TYPED, 200).text
    fields = form_fields(review, "/spending-limits")
    data: dict[str, list[str]] = {}
    for name, value in [*fields, ("step", "edit")]:
        data.setdefault(name, []).append(value)
    page = max_.client.post("/spending-limits/review", data=data).text
    assert dict(form_fields(page, "/spending-limits/review"))["chain_0_name"] == "Plant"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"limits_most": ["a lot", "", "", "", ""]}, "This is not a number."),
        ({"limits_most": ["", "", "", "", ""]}, "An amount is missing."),
        ({"limits_most": ["-1", "", "", "", ""]}, "Not less than zero, please."),
        ({"limits_currency": ["dollars", "USD", "USD", "USD", "USD"]}, "A currency has three letters."),
        ({"limits_role": ["viewer", "approver", "", "", ""]}, "This role does not bind."),
        ({"thresholds_above": ["50000", "60000"]}, "This stands here twice."),
        ({"rates_value": ["0", "", ""]}, "A rate is above zero"),
        ({"days": "0"}, "Between 1 and 90 days."),
        ({"days": "٣"}, "Between 1 and 90 days."),
        ({"currency": "x"}, "A currency has three letters."),
        ({"chain_0_name": ""}, "Give it a name."),
        ({"chain_0_up_to": "900"}, "The upper end must lie above the lower one."),
        ({"chain_0_above": "1e99999"}, "This is not a number."),
        ({"chain_0_0_approver": ["person:nobody", "", "", ""]}, "One of these may not approve, or has left."),
        ({"chain_0_0_approver": [""] * 4, "chain_0_1_approver": [""] * 4}, "Say who approves."),
    ],
)
def test_errors_of_the_limits_stand_at_their_rows_and_nothing_typed_is_lost(firm, browse, changes, sentence):
    max_ = browse("max")
    page = max_.get("/spending-limits/edit")
    answer = max_.send(page, "/spending-limits/review", TYPED | changes, 422)
    assert sentence in text_of(answer.text)
    assert 'value="50000"' in answer.text
    with firm.database.read(HAIDI) as session:
        assert firm.approvals.policies(session, HAIDI) == []


def test_an_approver_who_has_left_is_not_lost_from_the_form_unseen(firm, browse):
    step = ChainStep((Approver("person", firm.users["bo"]),))
    firm.state(replace(LIMITS, chains=(Chain("Plant", Decimal(0), None, (step,), partner="gone"),)))
    firm.set_roles("bo", "viewer")
    max_ = browse("max")
    page = max_.get("/spending-limits/edit")
    assert "Somebody who has left" in page
    answer = max_.send(page, "/spending-limits/review", {}, 422)
    assert "One of these may not approve, or has left." in text_of(answer.text)
    assert dict(form_fields(answer.text, "/spending-limits/review"))["chain_0_partner"] == "gone"


def test_limits_that_somebody_else_changed_meanwhile_are_not_overwritten(firm, browse):
    max_ = browse("max")
    review = max_.send(max_.get("/spending-limits/edit"), "/spending-limits/review", TYPED, 200).text
    firm.state(LIMITS)
    answer = max_.send(review, "/spending-limits", {}, 409)
    assert "Somebody else has changed the limits" in text_of(answer.text)
    assert "Plant" in answer.text
    assert dict(form_fields(answer.text, "/spending-limits/review"))["version"] == "1"


def test_only_an_administrator_with_a_fresh_password_states_limits(firm, browse, at_monday):
    assert browse("ann").client.get("/spending-limits/edit").status_code == 403
    assert "Change" not in text_of(browse("ann").get("/spending-limits"))
    max_ = browse("max")
    review = max_.send(max_.get("/spending-limits/edit"), "/spending-limits/review", TYPED, 200).text
    at_monday.at += FRESH_FOR
    refused = max_.send(review, "/spending-limits", {}, 403)
    with firm.database.read(HAIDI) as session:
        assert firm.approvals.policies(session, HAIDI) == []
    max_.send(refused.text, "/spending-limits", {"confirm_password": PASSWORD})
    with firm.database.read(HAIDI) as session:
        (row,) = firm.approvals.policies(session, HAIDI)
    assert row.policy.chains[0].name == "Plant"


# --- what is taken of an offer, and what is changed in it


def test_a_part_within_the_limit_is_accepted_and_a_larger_one_is_asked_for_with_its_amount(firm, browse):
    firm.state(LIMITS)
    deal, li, ann = firm.offered(divisible=True), browse("li"), browse("ann")
    page = li.get(f"/deals/{deal}/accept")
    small = li.send(page, f"/deals/{deal}/accept/review", {"part_quantity": "80"}, 200)
    assert "Accept and conclude" in text_of(small.text), "80 at 12.40 are within a buyer's USD 1,000"
    large = li.send(page, f"/deals/{deal}/accept/review", {"part_quantity": "81"}, 200)
    assert "Approval needed" in text_of(large.text)
    refused = li.send(small.text, f"/deals/{deal}/accept", {"part_quantity": "81"}, 403)
    assert "Approval needed" in text_of(refused.text), "the form is not trusted with what its review said"
    request = asked(li.send(large.text, f"/deals/{deal}/accept/ask"))
    page = text_of(ann.get(f"/approvals/{request}"))
    assert "USD 1,004.40" in page
    assert "81 pcs" in page
    assert "Round 2, to be accepted in part" in page
    assert "Approved, and done." in text_of(ann.follow(decide(ann, request, "approve")))
    (concluded,) = firm.concluded
    assert concluded.offer.lines[0].quantity.value == 81


def test_an_acceptance_with_changes_is_asked_for_and_is_what_was_shown(firm, browse):
    firm.state(LIMITS)
    deal, li, ann = firm.offered(), browse("li"), browse("ann")
    page = li.get(f"/deals/{deal}/accept/changes")
    changed = {"term_line": "", "term_name": "documents_required", "term_label": "", "term_value": "Three copies"}
    review = li.send(page, f"/deals/{deal}/accept/changes", changed, 200)
    assert "This is an acceptance" in text_of(review.text)
    li.send(review.text, f"/deals/{deal}/accept/changes/send", status=403)
    at = f"/deals/{deal}/accept/changes"
    request = asked(li.send(review.text.replace(f"{at}/send", at), at, {"step": "ask"}))
    page = text_of(ann.get(f"/approvals/{request}"))
    assert "Three copies" in page
    assert "to be accepted with changes" in page
    assert "Approved, and done." in text_of(ann.follow(decide(ann, request, "approve")))
    assert [each.state for each in firm.concluded] == ["concluded_objectable"]


def test_changes_are_accepted_with_a_fresh_password_alone(firm, browse, at_monday):
    firm.state(LIMITS)
    deal, ann = firm.offered(), browse("ann")
    at = f"/deals/{deal}/accept/changes"
    review = ann.send(ann.get(at), at, {"line_price": "11.90"}, 200)
    at_monday.move(FRESH_FOR + timedelta(minutes=1))
    refused = ann.send(review.text, f"{at}/send", status=403)
    assert firm.load(deal).offers[-1].number.startswith("Q-")
    ann.send(refused.text, f"{at}/send", {"confirm_password": PASSWORD})
    assert len(firm.load(deal).offers) == 3


def test_of_alternatives_the_dearest_is_held_to_the_limit(firm, browse):
    firm.state(LIMITS)
    deal, li, ann = firm.offered(), browse("li"), browse("ann")
    at = f"/deals/{deal}/counter"
    form = li.send(li.get(at), at, {"alternative": "1"}, 200)
    typed = {"line_price": ["10", "10"], "line_quantity": ["90", "110"]}
    page = li.send(form.text, at, {**typed, "step": "send"}, 403)
    assert "Approval needed" in text_of(page.text)
    request = asked(li.send(page.text, at, {"step": "ask"}))
    seen = text_of(ann.get(f"/approvals/{request}"))
    assert "USD 1,100.00" in seen
    assert "Alternatives" in seen
    assert "Approved, and done." in text_of(ann.follow(decide(ann, request, "approve")))
    assert [each.amount for each in firm.load(deal).offers[2:]] == [900, 1100]


@pytest.mark.parametrize("what", ["terms", "end"])
def test_r25_an_amendment_above_the_limit_is_asked_for_and_proposed_by_the_last_approval(firm, browse, what):
    firm.state(LIMITS)
    deal, li, ann = firm.offered(), browse("li"), browse("ann")
    ann.send(ann.get(f"/deals/{deal}/accept"), f"/deals/{deal}/accept")
    (acceptance,) = (each.id for each in firm.load(deal).statements if each.kind == "accept")
    url = f"/deals/{deal}/amend" + ("/end" if what == "end" else "")
    page = li.get(f"{url}?acceptance={acceptance}")
    if what == "terms":
        page = li.send(page, url, {"line_price": ["11.90"], "text": "steel fell"}, 200).text
    assert "Approver (Ann, Bo)" in text_of(page)
    assert 'value="send"' not in page
    li.send(page, url, {"step": "send"}, 403)
    request = asked(li.send(page, url, {"step": "ask", "approval_note": "as agreed by phone"}))
    assert len(firm.load(deal).offers) == 2
    page = text_of(ann.get(f"/approvals/{request}"))
    assert "as agreed by phone" in page
    assert ("USD 12.40 USD 11.90" if what == "terms" else "It would be proposed to end the contract.") in page
    decide(ann, request, "approve")
    last = firm.load(deal).offers[-1]
    assert (last.amends, last.terminates) == (firm.load(deal).offers[1].id, what == "end")
    assert str(last.document.lines[0].price.amount) == ("11.90" if what == "terms" else "12.40")


def test_r25_an_amendment_approved_after_the_contract_has_changed_is_overtaken(firm, browse):
    firm.state(LIMITS)
    deal, li, ann, dana = firm.offered(), browse("li"), browse("ann"), browse("dana")
    ann.send(ann.get(f"/deals/{deal}/accept"), f"/deals/{deal}/accept")
    url = f"/deals/{deal}/amend"
    page = li.send(li.get(url), url, {"line_price": ["11.90"]}, 200).text
    request = asked(li.send(page, url, {"step": "ask"}))
    dana.send(dana.send(dana.get(url), url, {"payment": "net 10"}, 200).text, url, {"step": "send"})
    assert "overtaken" in text_of(ann.follow(decide(ann, request, "approve"))).casefold()
    assert [str(each.document.lines[0].price.amount) for each in firm.load(deal).offers[1:]] == ["12.40", "12.40"]
