"""A program that may bind to less than an offer comes to asks for approval, and learns what became of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.approvals.conftest import LIMITS
from tests.negotiation.test_api import LINE, Client, priced
from tests.negotiation.words import HAIDI
from tests.people import CHEAP
from tradehub.platform.security import TOKEN_SCOPES, Security

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def program(firm, app) -> Client:
    firm.state(LIMITS)
    with firm.database.write() as session:
        security = Security(firm.database, CHEAP)
        token = security.issue_token(session, HAIDI, "erp", sorted(TOKEN_SCOPES), life=timedelta(days=9))
    return Client(app, token)


def asked(program: Client, deal: str, status: int = 201, **more: object) -> dict:
    last = program.get(f"/deals/{deal}")["rounds"][-1]
    body = {"offer": last["offer"], "terms_hash": last["terms_hash"], **more}
    if status == 201:
        refused = program.post(f"/deals/{deal}/acceptances", {k: v for k, v in body.items() if k != "note"}, 403)
        assert refused["type"].endswith("#problem-needs-approval")
    return program.post(f"/deals/{deal}/acceptances/approval", body, status)


def test_an_acceptance_is_asked_for_and_made_with_the_last_approval(firm, program: Client) -> None:
    deal = firm.offered()
    request = asked(program, deal, note="Within the budget.")["request"].rsplit("/", 1)[1]
    shown = program.get(f"/approvals/{request}")
    assert (shown["state"], shown["amount"], shown["about"], shown["asked_by"]) == ("pending", "297600.00", deal, "erp")
    assert [each["id"] for each in program.get("/approvals")["requests"]] == [request]
    firm.decide(request, "ann")
    assert program.get(f"/approvals/{request}")["state"] == "done"
    assert program.get(f"/deals/{deal}")["status"] == "concluded"
    assert program.post(f"/approvals/{request}/withdrawal", {}, 409)["code"] == "REQUEST_DONE"


def test_a_part_of_a_divisible_offer_is_asked_for_as_such(firm, program: Client) -> None:
    deal = firm.offered(divisible=True)
    request = asked(program, deal, lines={"1": "1000"})["request"].rsplit("/", 1)[1]
    assert program.get(f"/approvals/{request}")["amount"] == "12400.00"
    firm.decide(request, "ann")
    assert program.get(f"/deals/{deal}")["contracts"][0]["lines"] == {"1": "1000"}
    rest = asked(program, deal)["request"].rsplit("/", 1)[1]
    assert program.get(f"/approvals/{rest}")["amount"] == "285200.00"
    firm.decide(rest, "ann")
    assert [each["lines"] for each in program.get(f"/deals/{deal}")["contracts"]] == [{"1": "1000"}, {"1": "23000"}]


def test_what_was_asked_for_is_taken_back_by_its_program_alone(firm, program: Client) -> None:
    request = asked(program, firm.offered())["request"].rsplit("/", 1)[1]
    assert program.post(f"/approvals/{request}/withdrawal", {})["state"] == "withdrawn"
    others = firm.ask(firm.offered())
    program.post(f"/approvals/{others}/withdrawal", {}, 404)
    first = program.get("/approvals?limit=1")
    second = program.get(f"/approvals?limit=1&cursor={first['cursor']}")
    assert {each["id"] for page in (first, second) for each in page["requests"]} == {request, others}
    assert second["cursor"] is None


OTHER = {
    "currency": "USD", "documents_required": ["3 copies"],
    "lines": [{**LINE, "quantity": {"value": "24000", "unit": "C62"}, "price": {"amount": "12.40"}}],
}  # fmt: skip
"""The terms of the offer, and an immaterial one beside them."""

BEYOND = [
    # an act with terms of one's own: its address, its body, what it comes to, what follows from the last approval
    ("offers", {"document": priced("11.50"), "offer": None, "accept_within_s": 86400}, "1150.00", "counter"),
    ("acceptances", {"document": OTHER, "offer": None, "terms_hash": None}, "297600.00", "accept"),
    ("amendments", {"document": priced("11.80"), "text": "Steel fell."}, "1180.00", "amend"),
    ("amendments", {"terminates": True}, "297600.00", "amend"),
]


@pytest.mark.parametrize(("act", "body", "amount", "kind"), BEYOND, ids=["offer", "changes", "amendment", "end"])
def test_terms_of_ones_own_are_asked_for_and_stated_with_the_last_approval(
    firm, program: Client, browse, act: str, body: dict, amount: str, kind: str
) -> None:
    deal = firm.offered()
    if act == "amendments":
        firm.decide(asked(program, deal)["request"].rsplit("/", 1)[1], "ann")
    last = program.get(f"/deals/{deal}")["rounds"][-1]
    body = {name: last[name] if value is None else value for name, value in body.items()}
    refused = program.post(f"/deals/{deal}/{act}", body, 403)
    where = refused["approval"].removeprefix("/api/v1")
    assert where == f"/deals/{deal}/{act}/approval"
    said = len(program.get(f"/deals/{deal}/statements")["statements"])
    request = program.post(where, {**body, "note": "By the ERP."})["request"]
    assert program.post(where, {**body, "note": "By the ERP."})["request"] == request
    assert len(program.get(f"/deals/{deal}/statements")["statements"]) == said
    page = browse("ann").get(request)
    assert "By the ERP." in page
    assert ("To be accepted within" in page) == (act == "offers")
    assert ("3 copies" in page) == (body.get("document") == OTHER)
    request = request.rsplit("/", 1)[1]
    assert program.get(f"/approvals/{request}")["amount"] == amount
    firm.decide(request, "ann")
    assert program.get(f"/approvals/{request}")["state"] == "done"
    made = program.get(f"/deals/{deal}/statements")["statements"]
    assert (len(made), made[-1]["kind"]) == (said + 1, kind)


UNASKED = [
    ("offers", {"document": OTHER, "firm": False}, "NOT_NEEDED"),
    ("offers", {"document": {"currency": "USD", "lines": []}}, "NOT_DEFINITE_ITEM"),
    ("amendments", {"document": priced("11.80")}, "NO_CONTRACT"),
]  # fmt: skip


@pytest.mark.parametrize(("act", "body", "code"), UNASKED, ids=["proposal", "indefinite", "no contract"])
def test_nobody_is_asked_in_vain(firm, program: Client, act: str, body: dict, code: str) -> None:
    status = 422 if code.startswith("NOT_DEFINITE") else 409
    assert program.post(f"/deals/{firm.offered()}/{act}/approval", body, status)["code"] == code
    assert program.get("/approvals")["requests"] == []


def test_approval_is_asked_for_where_it_is_needed_and_of_terms_that_stand(firm, program: Client) -> None:
    deal = firm.offered()
    assert asked(program, deal, 409, terms_hash="0" * 64)["code"] == "TERMS_HASH_MISMATCH"
    assert asked(program, deal, 409, expected_version=1)["code"] == "STALE_VERSION"
    asked(program, deal, 404, offer="nothing")
    first = program.get(f"/deals/{deal}/rounds/1")
    seen = {"offer": first["offer"], "terms_hash": first["terms_hash"]}
    assert asked(program, deal, 409, **seen)["code"] == "NOT_OFFEREE"
