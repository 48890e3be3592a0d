"""A tender by API alone: both sides' programs, from the first word to the award."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from tests.negotiation.test_api import Client
from tests.people import CHEAP
from tests.sourcing.tenders.conftest import CLOSES, DELTA, HAIDI, LI, MO, NINGBO, RHEIN, WORDS, House
from tests.sourcing.tenders.pages import build
from tradehub.documents import PartyId
from tradehub.platform.security import TOKEN_SCOPES, Security, User
from tradehub.sourcing.tenders.hooks import Actor

LINES = [
    {"number": "1", "item": {"name": "Valve V-22"}, "quantity": {"value": "1000", "unit": "C62"}},
    {"number": "2", "item": {"name": "Seal kit"}, "quantity": {"value": "500", "unit": "C62"}},
]
WRITTEN: dict[str, Any] = {
    "title": "Valves 2027", "suppliers": ["ningbo", "delta"], "is_sealed": False, "valid_until": "2026-12-31",
    "document": {"currency": "EUR", "delivery_terms": {"incoterm": "DAP", "place": "Hamburg"}, "lines": LINES},
    "stages": [{"kind": "commercial", "closes_at": CLOSES.isoformat()}],
    "criteria": [{"key": "price", "name": "Price", "stage": "commercial", "weight": "100", "is_price": True}],
    "note": "MARK-NOTE",
}  # fmt: skip


def bid(*prices: str) -> dict[str, Any]:
    lines = [{"number": str(at), "price": {"amount": price}} for at, price in enumerate(prices, 1)]
    return {
        "offer": {
            "currency": "EUR", "lines": lines, "dates": [{"type": "valid_until", "on": "2027-01-15"}],
            "delivery_terms": {"incoterm": "DAP", "place": "Hamburg"},
        }
    }  # fmt: skip


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def app(house: House, tmp_path) -> Flask:
    return build(house, tmp_path)


@pytest.fixture
def program(house: House, app: Flask) -> Callable[[PartyId], Client]:
    def made(org: PartyId) -> Client:
        with house.database.write() as session:
            security = Security(house.database, CHEAP)
            token = security.issue_token(session, org, "erp", sorted(TOKEN_SCOPES), life=timedelta(days=60))
        return Client(app, token)

    return made


def person(house: House, name: str) -> str:
    with house.database.read() as session:
        return session.query(User).filter(User.email.startswith(f"{name}@")).one().id


def test_a_tender_without_seals_from_the_first_word_to_the_award(house: House, program) -> None:
    buyer, ningbo, delta, rhein = (program(each) for each in (HAIDI, NINGBO, DELTA, RHEIN))
    made = buyer.post("/tenders", WRITTEN, **{"Idempotency-Key": "tender-2027"})
    assert buyer.post("/tenders", WRITTEN, **{"Idempotency-Key": "tender-2027"}) == made
    tender = f"/tenders/{made['id']}"
    assert (made["phase"], made["sha256"], made["buyer"]["plan"]["note"]) == ("ready", None, "MARK-NOTE")
    assert ningbo.get("/tenders")["tenders"] == []
    ningbo.get(tender, 404)
    assert buyer.post(f"{tender}/publication", {})["phase"] == "running"

    (line,) = ningbo.get("/tenders?running=true")["tenders"]
    assert (line["id"], line["is_ours"], line["buyer_name"], line["todo"]) == (
        made["id"],
        False,
        "Haidi Trading",
        "bid",
    )
    assert rhein.get("/tenders")["tenders"] == []
    asked = ningbo.post(f"{tender}/questions", {"text": "Is PN16 enough for Ningbo?"})["bidder"]["questions"]
    assert "PN16" not in str(delta.get(tender))
    question = {"question": asked[0]["id"], "wording": "Is PN16 enough?", "answer": "Yes."}
    buyer.post(f"{tender}/answers", question)
    assert [each["answer"] for each in delta.get(tender)["answers"]] == ["Yes."]

    later = (CLOSES + timedelta(days=1)).isoformat()
    assert buyer.post(f"{tender}/addenda", {"change": "PN25, please.", "closes_at": later})["notice"]["version"] == 2
    refused = ningbo.post(f"{tender}/bids", bid("12.00", "0.90"), 409)
    assert (refused["code"], refused["rule"], refused["value"]) == ("NOT_ACKNOWLEDGED", "T8", "2")
    for each in (ningbo, delta):
        assert each.post(f"{tender}/acknowledgements", {"version": 2})["bidder"]["acknowledged"] == 2
    ningbo.post(f"{tender}/bids", bid("12.00", "0.90"))
    ningbo.post(f"{tender}/bids", bid("11.00", "0.90"))
    delta.post(f"{tender}/bids", bid("12.50", "0.80"))
    ningbo.post(f"{tender}/withdrawals", {"stage": "commercial"})
    ningbo.post(f"{tender}/bids", bid("11.50", "0.95"))
    shown = ningbo.get(tender)["bidder"]["bids"]
    assert sorted((each["number"], each["state"]) for each in shown) == [
        (1, "replaced"), (2, "withdrawn"), (3, "live")
    ]  # fmt: skip
    seen = buyer.get(tender)["buyer"]
    assert (seen["counts"], seen["opened"]) == ({"commercial": 2}, [])
    assert buyer.post(f"{tender}/openings", {}, 409)["rule"] == "T15"

    house.clock.at = CLOSES + timedelta(days=1)
    assert buyer.get(f"{tender}/comparison")["bids"] == []
    opened = buyer.post(f"{tender}/openings", {"stage": "commercial"})
    assert {each["supplier"] for each in opened["buyer"]["opened"]} == {"ningbo", "delta"}
    bids = {each["supplier"]: each for each in buyer.get(f"{tender}/comparison")["bids"]}
    assert {name: each["total"] for name, each in bids.items()} == {"ningbo": "11975.00", "delta": "12900.00"}
    assert (bids["ningbo"]["place"], bids["ningbo"]["points"]) == (1, "100.00")
    buyer.post(f"{tender}/plan", {"basis": {"currency": "EUR"}, "award": {"suppliers_max": 1}})
    picks = buyer.get(f"{tender}/award")["proposal"]["picks"]
    assert {each["supplier"] for each in picks} == {"ningbo"}
    buyer.post(f"{tender}/award", {"picks": picks})
    assert [each["phase"] for each in (buyer.get(tender), delta.get(tender))] == ["awarded", "awarded"]
    ningbo.get(f"{tender}/comparison", 404)
    assert "MARK-NOTE" not in str(ningbo.get(tender))


def test_sealed_bids_wait_for_two_people_whatever_a_program_asks(house: House, program) -> None:
    buyer, ningbo = program(HAIDI), program(NINGBO)
    people = {each["name"]: each["id"] for each in buyer.get("/tenders/people")["people"]}
    openers = [person(house, name) for name in ("li", "mo")]
    assert set(openers) <= set(people.values())
    made = buyer.post("/tenders", {**WRITTEN, "is_sealed": True, "openers": openers})
    tender = f"/tenders/{made['id']}"
    assert made["phase"] == "preparing"
    refused = buyer.post(f"{tender}/publication", {}, 409)
    assert (refused["code"], refused["rule"]) == ("KEYS_MISSING", "T5")
    for opener, words in zip(openers, (WORDS[LI], WORDS[MO]), strict=True):
        house.do(Actor(HAIDI, opener, "x"), "set_passphrase", made["id"], words)
    buyer.post(f"{tender}/publication", {})
    ningbo.post(f"{tender}/bids", bid("12.00", "0.90"))
    (mine,) = ningbo.get(tender)["bidder"]["bids"]
    assert (mine["state"], mine["salt"], len(mine["envelope_sha256"])) == ("live", None, 64)
    assert "12.00" not in str(buyer.get(tender))
    house.clock.at = CLOSES
    refused = buyer.post(f"{tender}/openings", {"stage": "commercial"}, 409)
    assert (refused["code"], refused["rule"]) == ("NOT_AN_OPENER", "T3")
    assert buyer.post(f"{tender}/cancellation", {})["phase"] == "cancelled"


@pytest.mark.parametrize(
    ("place", "value", "pointer", "code"),
    [
        (("document", "lines"), [], "/document/lines", "missing"),
        (("document", "lines", 1, "number"), "1", "/document/lines/1/number", "given_twice"),
        (("document", "currency"), "usd", "/document/currency", "currency"),
        (("document", "lines", 0, "quantity", "unit"), "pieces", "/document/lines/0/quantity/unit", "unit"),
        (("document", "lines", 0, "item"), {}, "/document/lines/0/item", "missing"),
        (("document", "lines", 0, "quantity"), None, "/document/lines/0/quantity", "missing"),
        (("document", "lines", 0, "quantity", "value"), "0", "/document/lines/0/quantity/value", "greater_than"),
        (("document", "currency"), None, "/document/currency", "missing"),
        (("suppliers",), ["delta", "nobody"], "/suppliers/1", "unknown_supplier"),
        (("suppliers",), [], "/suppliers", "missing"),
        (("stages", 0, "pass_mark"), "101", "/stages/0/pass_mark", "less_than_equal"),
        (("stages", 0, "closes_at"), "2026-12-01T12:00:00", "/stages/0/closes_at", "moment_without_offset"),
        (("criteria", 0, "is_price"), False, "/evaluators", "missing"),
        (("evaluators",), ["nobody"], "/evaluators/0", "none_of_yours"),
    ],
)
def test_what_is_wrong_with_a_tender_is_told_at_its_place(program, place, value, pointer: str, code: str) -> None:
    body = copy.deepcopy(WRITTEN)
    owner: Any = body
    for name in place[:-1]:
        owner = owner[name]
    owner[place[-1]] = value
    (fault,) = program(HAIDI).post("/tenders", body, 422)["errors"]
    assert (fault["pointer"], fault["code"]) == (pointer, code)


def test_what_is_wrong_with_a_plan_is_told_at_its_place(program) -> None:
    buyer = program(HAIDI)
    tender = f"/tenders/{buyer.post('/tenders', WRITTEN)['id']}"
    basis = {
        "currency": "EUR", "rates": [{"currency": "USD", "rate": "0", "on": "2026-11-20"}], "duty": "120",
        "charges": [{"part": "camel", "amount": "-1", "how": "often", "supplier": "nobody"}],
    }  # fmt: skip
    problem = buyer.post(f"{tender}/plan", {"basis": basis, "limit_prices": [["9", "1"]]}, 422)
    assert {each["pointer"] for each in problem["errors"]} == {
        "/basis/rates/0/rate", "/basis/charges/0/part", "/basis/charges/0/how", "/basis/charges/0/supplier",
        "/basis/charges/0/amount", "/basis/duty", "/limit_prices/0/0",
    }  # fmt: skip


def test_the_price_of_a_bid_is_not_told_back(program) -> None:
    buyer, ningbo = program(HAIDI), program(NINGBO)
    tender = f"/tenders/{buyer.post('/tenders', WRITTEN)['id']}"
    buyer.post(f"{tender}/publication", {})
    problem = ningbo.post(f"{tender}/bids", bid("48151,62", "1"), 422)
    assert problem["errors"][0]["pointer"] == "/offer/lines/0/price/amount"
    assert "48151" not in str(problem)


def test_a_refusal_is_told_in_the_callers_language(program) -> None:
    buyer = program(HAIDI)
    body = {**WRITTEN, "criteria": [{**WRITTEN["criteria"][0], "weight": "90"}]}
    problem = buyer.post("/tenders", body, 409, **{"Accept-Language": "zh-Hans"})
    assert (problem["code"], problem["rule"], problem["value"]) == ("WEIGHTS_NOT_100", "T1", "90")
    assert all(any("\u4e00" <= each <= "\u9fff" for each in problem[name]) for name in ("title", "detail"))


def test_a_line_without_a_number_is_the_one_in_its_place_and_none_is_bid_for_twice(program) -> None:
    buyer, ningbo = program(HAIDI), program(NINGBO)
    tender = f"/tenders/{buyer.post('/tenders', WRITTEN)['id']}"
    buyer.post(f"{tender}/publication", {})
    bare = bid("12.00", "0.90")
    bare["offer"]["lines"] = [{"price": each["price"]} for each in bare["offer"]["lines"]]
    assert ningbo.post(f"{tender}/bids", bare)["number"] == 1
    twice = bid("12.00", "0.90")
    twice["offer"]["lines"][1]["number"] = "1"
    refused = ningbo.post(f"{tender}/bids", twice, 422)
    assert (refused["code"], refused["rule"], refused["value"]) == ("INVALID_BID", "T12", "lines")
    twice["offer"]["lines"][1]["number"] = ""
    ningbo.post(f"{tender}/bids", twice)
