"""Orders under a blanket agreement and the buyer's own spending limits: on the pages, by API, and by approval."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from hashlib import sha256

import pytest

from tests import people
from tests.contracting import proven as made
from tests.contracting.proven import DELTA, HAIDI, Proven, window
from tests.negotiation.pages import form_fields, text_of
from tests.people import CHEAP
from tests.web.house import post
from tradehub.approvals.model import TOKEN_ROLE, Limit, Policy
from tradehub.contracting.calling_off import Ceilings
from tradehub.ordering.store import OrderRow
from tradehub.partners.authority import Asker
from tradehub.platform import clock
from tradehub.platform.security import FRESH_FOR, Security

LIMITS = Policy(
    "USD",
    limits=(
        Limit("buyer", "USD", Decimal(1000)), Limit("approver", "USD", None), Limit(TOKEN_ROLE, "USD", Decimal(500)),
    ),
)  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Proven:
    """Lin (every role) states limits for Haidi: its buyers, bo among them, bind it to 1,000 USD, its programs to 500."""
    proven = made.build(tmp_path_factory.mktemp("calling-off") / "data")
    made.let_in(proven)
    hub, security = proven.hub, Security(proven.hub.database, CHEAP)
    with hub.database.write() as session:
        people.let_in(security, session, HAIDI, "bo@example.com", ["buyer"])
        lin = next(user.id for user, _ in security.members(session, HAIDI) if user.email == "lin@example.com")
        scopes = ["deal.read", "order.write", "deal.bind"]
        proven.tokens = {org: security.issue_token(session, org, "erp", scopes, life=timedelta(days=1))
                         for org in (HAIDI, DELTA)}  # fmt: skip
    with hub.database.write(HAIDI) as session:
        hub.approvals.state_policy(session, Asker(HAIDI, lin, "Lin"), LIMITS, expected_version=0)
    return proven


@pytest.fixture(scope="module")
def contract(house: Proven) -> str:
    """A blanket agreement: 500 of line 1 at 77.05, up to 20,000 in all."""
    contract, today = house.contract(DELTA), clock.now().date()
    ceilings = Ceilings(today, today + timedelta(days=30), Decimal(20_000), {"1": (Decimal(500), None)})
    with house.hub.database.write(org=HAIDI) as session:
        house.hub.contracts.propose_blanket(session, contract.id, ceilings, by=HAIDI, at=clock.now())
    with house.hub.database.write(org=DELTA) as session:
        house.hub.contracts.confirm_blanket(session, contract.id, by=DELTA, revision=1, at=clock.now())
    return contract.id


def used(house: Proven, contract: str) -> Decimal:
    with house.hub.database.read(HAIDI) as session:
        return house.hub.contracts.blanket(session, contract).used


def api(house: Proven, method: str, path: str, body: object = None, org=HAIDI):
    head = {"Authorization": f"Bearer {house.tokens[org]}"}
    return house.app.test_client().open(f"/api/v1{path}", method=method, json=body, headers=head)


def decided(client, where: str):
    """Approve as the page's form does."""
    form = dict(form_fields(client.get(where).text, f"{where}/decide"))
    return client.post(f"{where}/decide", data={**form, "word": "approve"})


def test_a_buyer_orders_up_to_the_limit_and_asks_for_more(house: Proven, contract: str) -> None:
    bo, lin, at = window(house, "bo"), window(house, "lin"), f"/contracts/{contract}/call-off"
    before = used(house, contract)
    review = post(bo, at, **{"quantity.0": "10"})
    assert "The order leaves for the seller at once." in review.text
    assert post(bo, at, **{"quantity.0": "10", "step": "send"}).status_code == 303
    assert used(house, contract) - before == Decimal("770.50")

    review = post(bo, at, **{"quantity.0": "20", "delivery_on": "2026-12-24"}).text
    assert "Your own limit is USD 1,000.00" in text_of(review)
    assert "Order now" not in review
    refused = post(bo, at, **{"quantity.0": "20", "step": "send"})
    assert (refused.status_code, used(house, contract) - before) == (403, Decimal("770.50"))

    fields = dict(form_fields(review, at))
    asked = bo.post(at, data={**fields, "step": "ask", "approval_note": "For the summer"})
    assert asked.status_code == 303
    request = lin.get(asked.headers["Location"]).text
    assert "Call-off order" in request
    assert "USD 1,541.00" in text_of(request)
    assert "For the summer" in request
    where = asked.headers["Location"]
    assert decided(lin, where).status_code == 303
    assert "Approved and done" in lin.get(where).text
    assert used(house, contract) - before == Decimal("2311.50")
    with house.hub.database.read(HAIDI) as session:
        latest = house.hub.contracts.blanket(session, contract).call_offs[-1]
        order = session.get_one(OrderRow, latest.order_id).order
    assert (latest.amount, order.lines[0].quantity.value) == (Decimal("1541.00"), 20)
    assert order.date_of("requested_delivery").isoformat() == "2026-12-24"


def test_what_was_approved_too_late_is_not_ordered(house: Proven, contract: str) -> None:
    """In between another order has taken what was left."""
    bo, lin, at = window(house, "bo"), window(house, "lin"), f"/contracts/{contract}/call-off"
    left = Decimal(20_000) - used(house, contract)
    most = int(left / Decimal("77.05"))
    review = post(bo, at, **{"quantity.0": str(most)}).text
    where = bo.post(at, data={**dict(form_fields(review, at)), "step": "ask"}).headers["Location"]
    assert post(lin, at, **{"quantity.0": "1", "step": "send"}).status_code == 303
    before = used(house, contract)
    assert "More than the amount that is left in all" in lin.get(where).text
    assert decided(lin, where).status_code == 303
    page = lin.get(where).text
    assert "Overtaken: nothing was done" in page
    assert "More than the amount that is left in all" in page
    assert used(house, contract) == before


def test_a_program_is_held_to_its_limit_and_told_who_may_approve(house: Proven, contract: str) -> None:
    at, before = f"/contracts/{contract}/call-offs", used(house, contract)
    refused = api(house, "POST", at, {"lines": {"1": "7"}})
    assert (refused.status_code, refused.json["code"], refused.json["approvers"]) == (
        403,
        "OVER_LIMIT",
        ["Bo", "Lin", "Lin Hai"],
    )
    assert refused.json["most"] == {"amount": "500.00", "currency": "USD"}
    assert used(house, contract) == before
    asked = api(house, "POST", f"{at}/approval", {"lines": {"1": "7"}, "note": "Stock is low"})
    assert asked.status_code == 201
    assert asked.json["request"].startswith("/approvals/")
    made = api(house, "POST", at, {"lines": {"1": "6"}, "delivery_on": "2026-12-24"})
    assert (made.status_code, made.json["amount"]) == (201, "462.30")
    unneeded = api(house, "POST", f"{at}/approval", {"lines": {"1": "6"}})
    assert (unneeded.status_code, unneeded.json["code"]) == (409, "NOT_NEEDED")
    beyond = api(house, "POST", at, {"lines": {"1": "501"}}).json
    assert (beyond["code"], beyond["place"], beyond["value"].endswith("501 > 500")) == ("BEYOND_QUANTITY", "1", False)
    assert api(house, "POST", at, {"lines": {"1": "1"}}, DELTA).json["code"] == "NOT_BUYER"
    shown = api(house, "GET", f"/contracts/{contract}/blanket").json["blanket"]
    assert Decimal(shown["used"]) == used(house, contract)
    assert shown["call_offs"][-1]["order"] == made.json["order"]


def test_ceilings_are_proposed_and_agreed_to_by_api(house: Proven) -> None:
    made.by_hand(house.hub)
    with house.hub.database.read(HAIDI) as session:
        contract = house.hub.contracts.page(session, text="", cursor=None, size=1)[0][0].id
    at = f"/contracts/{contract}/blanket"
    assert api(house, "GET", at).json == {"blanket": None}
    period = {"valid_from": "2026-01-01", "valid_until": "2027-12-31"}
    assert api(house, "POST", at, period).json["code"] == "NO_CEILING"
    proposed = api(house, "POST", at, {**period, "lines": {"1": {"quantity": "100"}}})
    assert (proposed.status_code, proposed.json["confirmed_at"]) == (201, None)
    assert api(house, "POST", f"{at}/agreement", {"revision": 1}).json["code"] == "NOT_YOURS"
    stale = api(house, "POST", f"{at}/agreement", {"revision": 2}, DELTA)
    assert (stale.status_code, stale.json["type"].endswith("other-version")) == (409, True)
    agreed = api(house, "POST", f"{at}/agreement", {"revision": 1}, DELTA)
    assert (agreed.status_code, agreed.json["confirmed_at"] is not None) == (201, True)


def test_the_password_is_asked_for_again_before_an_order(house: Proven, contract: str) -> None:
    lin, at, before = window(house, "lin"), f"/contracts/{contract}/call-off", used(house, contract)
    with clock.frozen(clock.now() + FRESH_FOR):
        page = post(lin, at, **{"quantity.0": "1", "step": "send"})
        assert (page.status_code, 'type="password"' in page.text) == (403, True)
    assert used(house, contract) == before


def test_a_version_says_by_api_whether_it_was_put_up_and_who_signed(house: Proven, contract: str) -> None:
    at = f"/contracts/{contract}/versions/1"
    before = api(house, "GET", at).json
    assert (before["prepared_at"], before["signatures"]) == (None, [])
    stale = api(house, "POST", f"/contracts/{contract}/prepare", {"version": 2})
    assert (stale.status_code, stale.json["type"].endswith("other-version")) == (409, True)
    made, again = (api(house, "POST", f"/contracts/{contract}/prepare", {"version": 1}) for _ in range(2))
    assert (made.status_code, again.json) == (201, made.json)
    after = api(house, "GET", at, org=DELTA).json
    assert after["prepared_at"] == made.json["at"]
    assert after["terms_hash"] == before["terms_hash"]
    text = api(house, "GET", f"{at}/json", org=DELTA).data
    assert sha256(text).hexdigest() == made.json["json_sha256"]


def test_a_program_writes_templates_and_chooses_one_for_a_contract(house: Proven, contract: str) -> None:
    new = {"name": "Frame", "language": "en", "text": "# Of {{buyer}}"}
    wrong = api(house, "POST", "/contract-templates", {**new, "text": "# {{buyr}}"})
    (fault,) = wrong.json["errors"]
    del fault["detail"]
    assert (wrong.status_code, fault) == (
        422, {"pointer": "/text", "code": "unknown", "value": "buyr", "line": 1, "column": 3}
    )  # fmt: skip
    made = api(house, "POST", "/contract-templates", new).json
    for name, code in ((" Frame ", "taken"), ("\x1f", "missing")):
        refused = api(house, "POST", "/contract-templates", {**new, "name": name})
        assert [(each["pointer"], each["code"]) for each in refused.json["errors"]] == [("/name", code)]
    one, at = f"/contract-templates/{made['id']}", f"/contracts/{contract}"
    assert api(house, "POST", f"{one}/versions", {"text": "# {{seller}}"}).json["version"] == 2
    assert [each["name"] for each in api(house, "GET", "/contract-templates").json["templates"]] == ["Frame"]
    assert api(house, "GET", f"{one}?version=1").json["text"] == "# Of {{buyer}}"
    assert api(house, "GET", one, org=DELTA).status_code == api(house, "GET", f"{one}?version=3").status_code == 404

    api(house, "POST", f"{at}/prepare", {"version": 1})
    chosen = api(house, "POST", f"{at}/template", {"language": "en", "template": made["id"]})
    named = {each["language"]: (each["name"], each["version"]) for each in chosen.json["templates"]}
    assert (chosen.status_code, named) == (201, {"zh_Hans": ("standard", 1), "en": ("Frame", 2)})
    shown = api(house, "GET", f"{at}/versions/1", org=DELTA).json
    assert (shown["prepared_at"], shown["templates"]) == (None, chosen.json["templates"])
    for body, pointer in (
        ({"language": "en", "template": "none"}, "/template"), ({"language": "zh_Hans", "template": made["id"]}, "/template"),
    ):  # fmt: skip
        refused = api(house, "POST", f"{at}/template", body)
        assert [each["pointer"] for each in refused.json["errors"]] == [pointer]
    assert api(house, "POST", f"{at}/template", {"language": "en", "template": made["id"]}, DELTA).status_code == 422
    assert api(house, "POST", f"{at}/template", {"language": "en"}).json["templates"][1]["id"] == "standard"


def test_the_buyer_agrees_to_what_the_seller_answers_to_a_release(house: Proven, contract: str) -> None:
    made = api(house, "POST", f"/contracts/{contract}/call-offs", {"lines": {"1": "1"}})
    assert made.status_code == 201, made.text
    order = f"/orders/{made.json['order_id']}"
    answer = {"answer": "accepted", "prices": {"1": "9000"}, "expected_revision": 1}
    dear = api(house, "POST", f"{order}/responses", answer, org=DELTA).json
    said = {"response": dear["responses"][-1]["id"], "expected_revision": dear["revision"]}
    refused = api(house, "POST", f"{order}/agree", said).json
    assert (refused["code"], refused["approval"]) == ("OVER_LIMIT", None)
    assert "Propose the change on the contract" in refused["detail"]
    answer |= {"prices": {"1": "1.00"}, "expected_revision": dear["revision"]}
    answered = api(house, "POST", f"{order}/responses", answer, org=DELTA)
    assert answered.status_code == 201, answered.text
    said = {"response": answered.json["responses"][-1]["id"], "expected_revision": answered.json["revision"]}
    agreed = api(house, "POST", f"{order}/agree", said)
    assert (agreed.status_code, agreed.json["version"]) == (201, 2), agreed.text
    assert api(house, "GET", f"/contracts/{contract}").json["version"] == 1
