"""Auctions by API alone: an owner's program and its bidders' programs, from the announcement to the winner's deal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.negotiation.test_api import Client
from tests.people import CHEAP
from tests.sourcing.auctions.house import House
from tests.sourcing.auctions.pages import build
from tests.sourcing.auctions.words import ANN, BEN, CAI, OWNER, TEN, at
from tradehub.documents import PartyId
from tradehub.platform.security import TOKEN_SCOPES, Security

LINE = {"name": "Valve V-22", "quantity": "100", "unit": "C62", "opening": "10.00", "item_number": "V-22"}
WRITTEN: dict[str, Any] = {
    "title": "Valves for spring", "kind": "reverse", "currency": "USD", "bidders": ["ann", "ben"], "lines": [LINE],
    "starts_at": TEN.isoformat(), "ends_at": at(3600).isoformat(), "step": {"value": "10"},
    "conditions": {"delivery_on": "2027-01-20", "incoterm": "FOB", "place": "Ningbo"},
}  # fmt: skip


@pytest.fixture
def database_kind() -> str:
    return "sqlite"


@pytest.fixture
def program(house: House, tmp_path) -> Callable[[str], Client]:
    app = build(house, tmp_path)

    def made(org: str) -> Client:
        with house.database.write() as session:
            security = Security(house.database, CHEAP)
            token = security.issue_token(session, PartyId(org), "erp", sorted(TOKEN_SCOPES), life=timedelta(days=60))
        return Client(app, token)

    return made


def test_a_reverse_auction_with_limits_from_the_announcement_to_the_winners_deal(house: House, program) -> None:
    owner, ann, ben, cai = (program(each) for each in (OWNER, ANN, BEN, CAI))
    soft = {"within_s": 120, "by_s": 180, "at_most_s": 3600}
    line = {**LINE, "reserve": "9.00"}
    made = owner.post("/auctions", {**WRITTEN, "lines": [line], "soft_close": soft}, **{"Idempotency-Key": "spring-27"})
    auction = f"/auctions/{made['id']}"
    assert (made["is_owner"], made["lots"][0]["start"], made["lots"][0]["reserve"]) == (True, "1000.00", "900.00")
    assert [each["name"] for each in made["bidders"]] in (
        ["Ann Armaturen", "Ben Valves"],
        ["Ben Valves", "Ann Armaturen"],
    )
    (listed,) = ann.get("/auctions?only=running")["auctions"]
    assert (listed["id"], listed["owner"], listed["status"]) == (made["id"], "Haidi Trading", "running")
    assert cai.get("/auctions")["auctions"] == []
    cai.get(auction, 404)

    refused = ann.post(f"{auction}/bids", {"amount": "1001"}, 409)
    assert (refused["code"], refused["rule"], refused["value"]) == ("START_PRICE", "A4", "1000.00")
    ann.post(f"{auction}/bids", {"amount": "990", "limit": "880"})
    short = ben.post(f"{auction}/bids", {"amount": "950"}, 409)
    assert (short["rule"], short["value"]) == ("A5", "890.00")
    assert "USD 890.00" in short["title"]
    ben.post(f"{auction}/bids", {"amount": "890"})
    seen = ben.get(auction)
    assert (seen["lots"][0]["price"], seen["lots"][0]["is_leading"], seen["lots"][0]["reserve"]) == (
        "880.00",
        False,
        None,
    )
    assert "limit': '880" in str(ann.get(auction)["own_bids"])
    assert "limit': '880" not in str(seen)
    assert [each["amount"] for each in seen["own_bids"]] == ["890"]
    assert len(seen["bidders"]) == 1

    slip = ben.post(f"{auction}/bids", {"amount": "800", "confirmed": True})
    ben.post(f"{auction}/acts", {"kind": "ask", "about": slip["number"], "text": "A digit too few."})
    (request,) = owner.get(auction)["requests"]
    assert request == {"bid": slip["number"], "text": "A digit too few."}
    assert ann.get(auction)["requests"] == []
    owner.post(f"{auction}/acts", {"kind": "consent", "about": slip["number"]})
    assert owner.post(f"{auction}/acts", {"kind": "pause"}, 409)["rule"] == "A9"
    assert owner.post(f"{auction}/acts", {"kind": "pause", "text": "No line."})["status"] == "paused"
    assert ann.post(f"{auction}/bids", {"amount": "700"}, 409)["code"] == "PAUSED"
    assert owner.post(f"{auction}/acts", {"kind": "resume", "text": "Mended."})["status"] == "running"
    assert ben.post(f"{auction}/acts", {"kind": "cancel", "text": "x"}, 409)["rule"] == "A2"


@pytest.mark.parametrize(("kind", "won", "paid"), [("vickrey", ANN, "1300.00"), ("english", ANN, "1310.00")])
def test_what_is_sold_goes_to_the_highest_bid(house: House, at_ten, program, kind: str, won: str, paid: str) -> None:
    owner, ann, ben = (program(each) for each in (OWNER, ANN, BEN))
    given = {**WRITTEN, "kind": kind, "step": None if kind == "vickrey" else {"value": "10"}}
    auction = f"/auctions/{owner.post('/auctions', given)['id']}"
    limited = {"amount": "1500"} if kind == "vickrey" else {"limit": "1500"}
    ann.post(f"{auction}/bids", {**limited, "confirmed": True})
    ben.post(f"{auction}/bids", {"amount": "1300", "confirmed": True})
    at_ten.at = at(3601)
    house.jobs.drain()
    seen = owner.get(auction)
    assert (seen["status"], Decimal(seen["lots"][0]["price"])) == ("won", Decimal(paid))
    (winner,) = [each for each in seen["bidders"] if each["deal"] is not None]
    assert (winner["name"], winner["deal"]) == ("Ann Armaturen", "deal-1")
    assert [each["deal"] for each in ann.get(auction)["bidders"]] == ["deal-1"]
    assert [each["deal"] for each in ben.get(auction)["bidders"]] == [None]


def test_the_price_of_the_clock_is_taken(house: House, at_ten, program) -> None:
    owner, ann, ben = (program(each) for each in (OWNER, ANN, BEN))
    given = {**WRITTEN, "kind": "dutch", "tick_s": 60, "ends_at": None, "lines": [{**LINE, "reserve": "8.00"}]}
    auction = f"/auctions/{owner.post('/auctions', given)['id']}"
    at_ten.at = at(130)
    assert ann.post(f"{auction}/bids", {"amount": "970"}, 409)["code"] == "NOT_THE_PRICE"
    price = ann.get(auction)["lots"][0]["price"]
    assert price == "980.00"
    ann.post(f"{auction}/bids", {"amount": price})
    assert ben.post(f"{auction}/bids", {"amount": price}, 409)["code"] in ("TAKEN", "CLOSED")


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"bidders": ["ann", "nobody"]}, "/bidders/1", "unknown_bidder"),
        ({"bidders": []}, "/bidders", "too_short"),
        ({"ends_at": None}, "/ends_at", "missing"),
        ({"step": None}, "/step", "missing"),
        ({"step": {"value": "60", "is_percent": True}}, "/step", "INCREMENT_TOO_LARGE"),
        ({"starts_at": at(-7200).isoformat()}, "/starts_at", "STARTS_IN_THE_PAST"),
        ({"starts_at": "2026-11-27T10:00:00"}, "/starts_at", "moment_without_offset"),
        ({"ends_at": at(1).isoformat()}, "/ends_at", "TOO_SHORT"),
        ({"lines": [{**LINE, "opening": "0"}]}, "/lines/0/opening", "greater_than"),
        ({"lines": [{**LINE, "opening": "1e30"}]}, "/lines/0/opening", "decimal_max_digits"),
        ({"lines": [{**LINE, "reserve": "11"}]}, "/lines", "RESERVE_WRONG_SIDE"),
        ({"kind": "dutch", "lines": [{**LINE, "reserve": "8"}]}, "/tick_s", "TICK_MISSING"),
        ({"kind": "candle"}, "/kind", "enum"),
        ({"currency": "usd"}, "/currency", "string_pattern_mismatch"),
        ({"conditions": {"incoterm": "FOB"}}, "/conditions/place", "missing"),
        ({"conditions": {"incoterm": "XXX", "place": "x"}}, "/conditions/incoterm", "literal_error"),
    ],
)
def test_what_is_wrong_with_an_auction_is_told_at_its_place(program, change, pointer: str, code: str) -> None:
    problem = program(OWNER).post("/auctions", {**WRITTEN, **change}, 422)
    assert (pointer, code) in [(each["pointer"], each["code"]) for each in problem["errors"]]


def test_what_is_bid_is_not_told_back(program) -> None:
    owner, ann = program(OWNER), program(ANN)
    auction = f"/auctions/{owner.post('/auctions', WRITTEN)['id']}"
    problem = ann.post(f"{auction}/bids", {"amount": "48151,62"}, 422, **{"Accept-Language": "zh-Hans"})
    assert problem["errors"][0]["pointer"] == "/amount"
    assert "48151" not in str(problem)
    refused = ann.post(f"{auction}/bids", {"amount": "48151"}, 409, **{"Accept-Language": "zh-Hans"})
    assert all(any("\u4e00" <= each <= "\u9fff" for each in refused[name]) for name in ("title", "detail"))
