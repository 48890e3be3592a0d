"""The pages, walked through by forms from the first word to the award."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.negotiation.pages import form_fields
from tests.people import PASSWORD
from tests.sourcing.tenders.conftest import DELTA, HAIDI, LI, MO, MONDAY, NINGBO, WORDS, YU, House
from tests.sourcing.tenders.pages import Window, build
from tradehub.platform.api import ApiRequest
from tradehub.platform.security import FRESH_FOR, User
from tradehub.sourcing.tenders import optimiser, reading

CLOSES = MONDAY + timedelta(hours=5)
"""Soon enough for nobody's session to end before."""


@pytest.fixture
def database_kind() -> str:
    """Pages are walked through on SQLite alone: what differs between databases is below them, in test_service."""
    return "sqlite"


@pytest.fixture
def windows(house: House, tmp_path) -> dict[str, Window]:
    app = build(house, tmp_path)
    return {name: Window(app, name) for name in ("li", "mo", "nina", "dan")}


def user_id(house: House, name: str) -> str:
    with house.database.read() as session:
        return session.query(User).filter(User.email.startswith(f"{name}@")).one().id


def written(house: House, li: Window, **changes) -> str:
    """Write a tender by its form and return the address of its room."""
    page = li.get("/tenders/new")
    filled = {
        "title": "Valves 2027", "suppliers": [NINGBO, DELTA], "line_name": ["Valve V-22", "Seal kit", ""],
        "line_quantity": ["1000", "500", ""], "incoterm": "DAP", "place": "Hamburg", "closes": "2026-11-23T14:00",
        "questions": "2026-11-23T12:00", "valid_until": "2026-12-31", "opener_2": user_id(house, "mo"), **changes,
    }  # fmt: skip
    return li.send(page, "/tenders/new", filled).headers["Location"]


def published(house: House, windows: dict[str, Window], **changes) -> str:
    room = written(house, windows["li"], **changes)
    for name, words in (("li", WORDS[LI]), ("mo", WORDS[MO])):
        page = windows[name].get(f"{room}/passphrase")
        windows[name].send(page, f"{room}/passphrase", {"passphrase": words, "again": words})
    windows["li"].send(windows["li"].get(room), f"{room}/publish")
    return room


def hand_in(window: Window, room: str, prices: list[str], **changes) -> None:
    page = window.get(f"{room}/bid?stage=commercial")
    review = window.send(page, f"{room}/bid", {"bid_price": prices, "step": "review", **changes}, 200)
    window.send(review.text, f"{room}/bid", {"step": "send"})


def opened(house: House, windows: dict[str, Window], room: str) -> None:
    house.clock.at = CLOSES
    for name, words in (("li", WORDS[LI]), ("mo", WORDS[MO])):
        windows[name].send(windows[name].get(f"{room}/open"), f"{room}/open", {"passphrase": words})


def test_a_tender_from_the_first_word_to_the_award(house: House, windows: dict[str, Window]) -> None:
    li, _mo, nina, dan = windows.values()
    room = published(house, windows)
    assert "Your bid is wanted" in nina.get("/")
    nina.send(nina.get(room), f"{room}/questions", {"text": "Is PN16 enough for Ningbo?"})
    assert "Questions to answer" in li.get("/")
    li.send(li.get(room), f"{room}/answers", {"question_text": "Is PN16 enough?", "answer": "Yes."})
    assert "Is PN16 enough?" in dan.get(room)
    li.send(li.get(room), f"{room}/amend", {"change": "Seals in FKM.", "closes": "2026-11-23T14:00"})
    dan.get(f"{room}/bid?stage=commercial")
    dan.send(dan.get(room), f"{room}/acknowledge")
    nina.send(nina.get(room), f"{room}/acknowledge")
    hand_in(nina, room, ["12.00", "0.90"])
    hand_in(dan, room, ["13.00", "0.80"], bid_breaks=["800=11.00", ""])
    receipt = nina.get(room)
    assert re.search(r"Fingerprint of the contents</dt><dd class=\"hash\"><code>[0-9a-f]{64}", receipt)
    assert "2 sealed bids" in li.get(room)
    assert "To be opened by you" not in li.get("/")
    opened(house, windows, room)
    page = li.get(room)
    assert "Compare and award" in page
    review = li.send(page, f"{room}/award", {"step": "review"}, 200)
    assert "This is the proposed award" in review.text
    house.clock.at += FRESH_FOR + timedelta(minutes=1)
    asked = li.send(review.text, f"{room}/award/make", {"confirm_password": ""}, 403)
    assert "Your password" in asked.text
    assert house.deals.awards == []
    li.send(review.text, f"{room}/award/make", {"confirm_password": PASSWORD})
    ((_, picks),) = house.deals.awards
    assert {pick.supplier: {line: str(q) for line, q in pick.lines.items()} for pick in picks} == {
        DELTA: {"1": "1000", "2": "500"}
    }
    assert "Awarded" in nina.get(room)
    assert "11,400" in li.get(f"{room}/ranking")


def test_late_bids_are_refused_with_the_time(house: House, windows: dict[str, Window]) -> None:
    room = published(house, windows)
    nina = windows["nina"]
    page = nina.get(f"{room}/bid?stage=commercial")
    house.clock.at = CLOSES
    answer = nina.send(page, f"{room}/bid", {"bid_price": ["12.00", "0.90"], "step": "send"}, 409)
    assert "Too late" in answer.text
    assert "23 Nov 2026 14:00:00 UTC" in answer.text
    assert 'value="12.00"' in answer.text


def test_what_was_typed_is_not_lost_and_each_error_stands_at_its_field(house: House, windows) -> None:
    room = published(house, windows)
    nina = windows["nina"]
    page = nina.get(f"{room}/bid?stage=commercial")
    wrong = {"bid_price": ["twelve", "0.90"], "bid_breaks": ["500: x", ""], "place": "", "step": "review"}
    answer = nina.send(page, f"{room}/bid", wrong, 422).text
    assert 'value="twelve"' in answer
    for sentence in ("This is not a number.", "Write it as 500=11.90", "An Incoterm needs a named place."):
        assert sentence in answer, sentence


def test_a_tender_that_does_not_fit_is_refused_at_its_field(house: House, windows) -> None:
    page = windows["li"].get("/tenders/new")
    assert ("incoterm", "") in form_fields(page, "/tenders/new"), "a rule without its place says nothing definite"
    filled = {
        "title": "V", "suppliers": [NINGBO], "line_name": ["Valve", "", ""], "line_quantity": ["10", "", ""],
        "place": "Hamburg", "closes": "2026-11-23T14:00", "questions": "2026-11-23T12:00",
        "opener_2": user_id(house, "mo"),
    }  # fmt: skip
    wrong = (
        ({"price_weight": "90"}, "add up to 100"),
        ({"opener_2": ""}, "Two people have to open the bids."),
        ({"closes": "2026-11-01T09:00"}, "This time has passed."),
        ({"questions": "2026-12-24T09:00"}, "questions end no later"),
        ({"suppliers": []}, "Choose at least one supplier."),
        ({"suppliers": ["nobody"]}, "One of them is no supplier of yours."),
        ({"line_quantity": ["1,000", "", ""]}, "without a comma"),
        ({"title": ""}, "Give the tender a title."),
        ({"incoterm": "DAP", "place": ""}, "An Incoterm needs a named place."),
    )
    for changes, sentence in wrong:
        assert sentence in windows["li"].send(page, "/tenders/new", {**filled, **changes}, 422).text, sentence
    assert house.see(HAIDI, "tenders") == []


def test_a_wrong_passphrase_is_not_echoed_and_opens_nothing(house: House, windows: dict[str, Window]) -> None:
    room = published(house, windows)
    li = windows["li"]
    house.clock.at = CLOSES
    answer = li.send(li.get(f"{room}/open"), f"{room}/open", {"passphrase": "not the words at all"}, 409)
    assert "This is not the passphrase that you set." in answer.text
    assert "not the words at all" not in answer.text
    with house.database.read() as session:
        from tradehub.sourcing.tenders.store import OpenerRow

        assert sorted(each.tries for each in session.query(OpenerRow)) == [0, 1]


def test_an_opener_may_choose_another_passphrase_until_the_tender_is_published(house, windows):
    room, li = written(house, windows["li"]), windows["li"]
    for words in ("a first thought that was too hasty", WORDS[LI]):
        li.send(li.get(f"{room}/passphrase"), f"{room}/passphrase", {"passphrase": words, "again": words})
        page = li.get(f"{room}/passphrase")
        assert "Your passphrase is set." in page
        if words != WORDS[LI]:
            li.send(page, f"{room}/passphrase/forget")
    mo = windows["mo"]
    mo.send(mo.get(f"{room}/passphrase"), f"{room}/passphrase", {"passphrase": WORDS[MO], "again": WORDS[MO]})
    forget = li.get(f"{room}/passphrase")
    li.send(li.get(room), f"{room}/publish")
    assert "forget" not in li.get(f"{room}/passphrase")
    assert li.send(forget, f"{room}/passphrase/forget", status=409)


def test_a_dull_passphrase_is_refused_without_being_shown(house: House, windows: dict[str, Window]) -> None:
    room = written(house, windows["li"])
    page = windows["li"].get(f"{room}/passphrase")
    answer = windows["li"].send(page, f"{room}/passphrase", {"passphrase": "mum", "again": "mum"}, 422)
    assert "Too easy to guess" in answer.text
    assert "mum" not in answer.text.replace("maximum", "")


def test_costs_and_limits_change_the_comparison_and_say_when_they_were_stated(house: House, windows) -> None:
    room = published(house, windows)
    li = windows["li"]
    hand_in(windows["nina"], room, ["12.00", "0.90"], currency="USD", incoterm="FOB", place="Ningbo")
    hand_in(windows["dan"], room, ["13.00", "0.80"])
    opened(house, windows, room)
    assert "no rate stated for" in li.get(room)
    stated = {
        "rate_currency": "USD", "rate_rate": "0.92", "rate_on": "2026-11-26", "rate_source": "ECB", "duty": "10",
        "charge_part": ["main"], "charge_amount": ["0.5"], "charge_how": ["unit"], "charge_supplier": [""],
        "suppliers_max": "1", "limit_limit": ["12.50", ""],
    }  # fmt: skip
    house.clock.move(timedelta(minutes=1))
    li.send(li.get(f"{room}/costs"), f"{room}/costs", stated)
    page = li.get(room)
    assert "12 USD × 0.92 (2026-11-26, ECB)" in page
    assert "11.54 × 10 %" in page
    assert "after the opening" in page
    assert "over your limit" in page
    assert 'name="rate_rate" value="0.92"' in li.get(f"{room}/costs")
    wrong = {**stated, "rate_rate": "x", "suppliers_max": "0.5", "duty": "101"}
    answer = li.send(li.get(f"{room}/costs"), f"{room}/costs", wrong, 422).text
    for sentence in ("This is not a number.", "A whole number, please.", "At most 100."):
        assert sentence in answer, sentence


def test_an_award_beyond_the_demand_comes_back_with_what_was_typed(house: House, windows) -> None:
    room = published(house, windows)
    hand_in(windows["nina"], room, ["12.00", "0.90"])
    opened(house, windows, room)
    li = windows["li"]
    assert "12 EUR / 1 pcs" in li.get(room), "a calculation names its units, and not their codes"
    answer = li.send(li.get(room), f"{room}/award", {"pick_quantity": ["1001", "500"]}, 422)
    assert "More would be awarded than is asked for. (T21: 1: 1001 &gt; 1000)" in answer.text
    assert 'value="1001"' in answer.text
    for typed, sentence in {
        "x": "This is not a number: x",
        "1,001": "Write it without a comma: 1001 or 1.001.",
    }.items():
        assert sentence in li.send(li.get(room), f"{room}/award", {"pick_quantity": [typed, "500"]}, 422).text


def test_two_envelopes_are_scored_judged_and_ranked(house: House, windows) -> None:
    room = published(
        house, windows, technical="1", pass_mark="60", price_weight="60", criterion_name=["Quality"],
        criterion_stage=["technical"], criterion_weight=["40"],
    )  # fmt: skip
    for name, price in (("nina", "12.00"), ("dan", "11.00")):
        window = windows[name]
        page = window.get(f"{room}/bid?stage=technical")
        review = window.send(page, f"{room}/bid", {"answer_c1": f"Quality of {name}", "step": "review"}, 200)
        window.send(review.text, f"{room}/bid", {"step": "send"})
        hand_in(window, room, [price, "0.90"])
    opened(house, windows, room)
    li = windows["li"]
    page = li.get(f"{room}/evaluate")
    assert "Quality of nina" in page
    li.send(page, f"{room}/evaluate", {"score_supplier": ["delta", "ningbo"], "score_criterion": ["c1", "c1"],
                                       "score_value": ["50", "80"], "score_reason": ["thin", "good"]})  # fmt: skip
    page = li.get(f"{room}/evaluate")
    wrong = {"verdict_delta": "pass", "verdict_ningbo": "pass", "score_value": []}
    li.client.post(f"{room}/evaluate")

    token = dict(form_fields(page, f"{room}/evaluate"))
    answer = li.client.post(f"{room}/evaluate", data={**token, "stage": "technical", **wrong})
    assert answer.status_code == 409
    assert "The pass mark decides" in answer.text
    fine = {
        **token,
        "form_id": "0123456789abcdef",
        "stage": "technical",
        "verdict_delta": "fail",
        "verdict_ningbo": "pass",
    }
    fine = {key: value for key, value in fine.items() if not key.startswith("score")}
    assert li.client.post(f"{room}/evaluate", data=fine).status_code == 303
    opened(house, windows, room)
    assert [party for _, party, _ in house.deals.offers] == [NINGBO]
    ranking = li.get(f"{room}/ranking")
    assert "80.00 × 40 ÷ 100" in ranking
    assert "Not passed" in windows["dan"].get(room)


def test_a_stranger_and_the_wrong_side_find_no_such_page(house: House, windows) -> None:
    room = published(house, windows, suppliers=[NINGBO])
    for url in (room, f"{room}/bid", f"{room}/open", f"{room}/costs", f"{room}/ranking"):
        windows["dan"].get(url, 404)
    windows["li"].get(f"{room}/bid", 404)
    windows["nina"].get(f"{room}/costs", 404)
    assert room not in windows["dan"].get("/tenders")


def test_a_bid_by_api_gets_its_receipt_and_its_refusals_name_the_place(house: House, windows) -> None:
    room = published(house, windows)
    from datetime import timedelta as delta

    from tests.people import CHEAP
    from tests.sourcing.tenders.conftest import offer
    from tradehub.platform.security import Security

    with house.database.write() as session:
        token = Security(house.database, CHEAP).issue_token(session, NINGBO, "erp", ["deal.negotiate", "deal.read"],
                                                            life=delta(days=30))  # fmt: skip
    client, head = windows["dan"].client.application.test_client(), {"Authorization": f"Bearer {token}"}
    notice = client.get(f"/api/v1{room}", headers=head).json
    assert notice["notice"]["title"] == "Valves 2027"
    body = offer("12.00", "0.90").model_dump(mode="json", exclude_defaults=True)

    def sent(offered: dict, **more):
        return client.post(f"/api/v1{room}/bids", json={"offer": offered}, headers={**head, **more})

    answer = sent(body["offer"])
    assert answer.status_code == 201
    assert answer.json["number"] == 1
    assert len(answer.json["fingerprint"]) == 64
    wrong = sent({**body["offer"], "tota": "48151.62342"})
    assert wrong.status_code == 422
    assert [each["pointer"] for each in wrong.json["errors"]] == ["/offer/tota"]
    assert "48151" not in wrong.text
    assert sent({**body["offer"], "dates": []}).json["rule"] == "T13"
    again = sent(body["offer"], **{"Idempotency-Key": "0123456789"})
    assert (again.status_code, again.json["number"]) == (201, 2)
    with house.database.read() as session:
        assert session.query(ApiRequest).count() == 0
    house.clock.at = CLOSES
    late = sent(body["offer"])
    assert (late.status_code, late.json["code"]) == (409, "CLOSED")
    stranger = {"Authorization": "Bearer th_nobody"}
    assert client.get(f"/api/v1{room}", headers=stranger).status_code == 401
    assert "/api/v1/tenders/{tender_id}/bids" in client.get("/api/v1/openapi.json").json["paths"]


def test_a_new_tender_may_be_written_like_an_earlier_one(house: House, windows: dict[str, Window]) -> None:
    li = windows["li"]
    room = written(house, li, technical="1", pass_mark="60", price_weight="60", criterion_name=["Quality"],
                   criterion_stage=["technical"], criterion_weight=["40"], payment="net 30")  # fmt: skip
    page = li.get(f"/tenders/new?like={room.rsplit('/', 1)[1]}")
    again = li.send(page, "/tenders/new").headers["Location"]
    one, other = (house.see(HAIDI, "buyer_room", each.rsplit("/", 1)[1]) for each in (room, again))
    assert one.notice.inquiry == other.notice.inquiry
    assert one.notice.criteria == other.notice.criteria
    assert [each.kind for each in one.notice.stages] == [each.kind for each in other.notice.stages]
    assert one.row.suppliers == other.row.suppliers
    assert [each.user_id for each in one.openers] == [each.user_id for each in other.openers]
    windows["nina"].get(f"/tenders/new?like={room.rsplit('/', 1)[1]}", 404)


def test_an_award_that_is_not_proven_says_by_how_much_it_may_be_above_the_least(
    house: House, windows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """12,400.00 found, 12,000.00 the bound: 3.33 percent, rounded up."""

    def stopped(problem):
        found = optimiser.explained(problem)
        solution = replace(found.solution, is_proven=False, bound=found.solution.cost * 120 // 124)
        return replace(found, solution=solution)

    monkeypatch.setattr(reading, "optimiser", SimpleNamespace(explained=stopped))
    room = published(house, windows)
    hand_in(windows["nina"], room, ["12.00", "0.90"])
    hand_in(windows["dan"], room, ["13.00", "0.80"])
    opened(house, windows, room)
    page = re.sub(r"<[^>]+>", "", windows["li"].get(room))
    assert "It is at most EUR 400.00 or 3.4% above the least possible." in page


def test_a_place_is_handed_over_on_the_pages_with_the_password_of_both(house: House, tmp_path: Path) -> None:
    """Both have signed in long ago: each act asks for the password, and no page carries a passphrase back."""
    app = build(house, tmp_path)
    people = {name: Window(app, name) for name in ("li", "mo", "yu", "nina")}
    li, yu, nina = people["li"], people["yu"], people["nina"]
    room = published(house, people, closes="2026-12-23T14:00", questions="2026-12-23T12:00")
    hand_in(nina, room, ["9.00", "0.50"])
    house.clock.at += FRESH_FOR
    named = {"successor": user_id(house, "yu")}
    assert "Confirm that it is you" in li.send(li.get(f"{room}/place"), f"{room}/place/successor", named, 403).text
    li.send(li.get(f"{room}/place"), f"{room}/place/successor", {**named, "confirm_password": PASSWORD})
    assert "Yu is to take the place of Li." in li.get(room)
    assert "Set your passphrase" in yu.get("/")
    words = {"passphrase": WORDS[YU], "again": WORDS[YU]}
    asked = yu.send(yu.get(f"{room}/passphrase"), f"{room}/passphrase", words, 403).text
    assert WORDS[YU] not in asked
    yu.send(yu.get(f"{room}/passphrase"), f"{room}/passphrase", {**words, "confirm_password": PASSWORD})
    assert "Hand your place over" in li.get("/")
    house.clock.at += FRESH_FOR
    page = li.get(f"{room}/place")
    mine = {"passphrase": WORDS[LI]}
    assert WORDS[LI] not in li.send(page, f"{room}/place", mine, 403).text
    wrong = {"passphrase": "not the words at all", "confirm_password": PASSWORD}
    assert "This is not the passphrase that you set." in li.send(page, f"{room}/place", wrong, 409).text
    li.send(li.get(f"{room}/place"), f"{room}/place", mine)
    said = "Among those who open, Yu took the place of Li."
    assert said in nina.get(room)
    assert said in li.get(room)
    assert "Only the people named for it open these bids." in li.get(f"{room}/place")
