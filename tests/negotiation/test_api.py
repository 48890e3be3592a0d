"""The REST API as two organisations' programs use it."""

from __future__ import annotations

import itertools
import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from werkzeug.serving import make_server

from tests.negotiation.conftest import DELTA, RHEIN
from tests.negotiation.pages import build
from tests.negotiation.words import HAIDI
from tradehub.negotiation.grounds import Terms
from tradehub.negotiation.model import Ground, Kind
from tradehub.negotiation.store import DealRow
from tradehub.partners.authority import Allowed, Approver, Because, Needs, Step
from tradehub.platform import api, clock
from tradehub.platform.security import TOKEN_SCOPES, Security

LINE = {
    "number": "1", "item": {"name": "Valve V-22", "ids": [{"scheme": "buyer", "value": "V-22"}]},
    "quantity": {"value": "100", "unit": "C62"},
}  # fmt: skip
ASKED = {"currency": "USD", "lines": [LINE], "custom": [["surface", "polished"]]}
UNTIL = "2026-12-04T17:00:00+08:00"


def priced(amount: str, **more):
    return {**ASKED, "lines": [{**LINE, "price": {"amount": amount}}], "warranty": "24 months", **more}


class Client:
    def __init__(self, app, token: str | None):
        self.client, self.token = app.test_client(), token

    def ask(self, method: str, path: str, body=None, *, status: int, **headers):
        given = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        answer = self.client.open(
            f"/api/v1{path}", method=method, data=data, headers={**given, **headers},
            content_type="application/json" if data is not None else None,
        )  # fmt: skip
        assert answer.status_code == status, f"{answer.status_code} {answer.text[:3000]}"
        if status >= 400:
            assert answer.mimetype == "application/problem+json"
            assert answer.json["status"] == status
        self.headers = answer.headers
        return answer.json

    def get(self, path: str, status: int = 200, **headers):
        return self.ask("GET", path, status=status, **headers)

    def post(self, path: str, body, status: int = 201, **headers):
        return self.ask("POST", path, body, status=status, **headers)


@pytest.fixture
def app(house, tmp_path):
    return build(house, tmp_path)


def token(house, org, *scopes) -> str:
    with house.database.write() as session:
        return Security(house.database).issue_token(
            session, org, "test", scopes or sorted(TOKEN_SCOPES), life=timedelta(days=1)
        )


@pytest.fixture
def buyer(app, house) -> Client:
    return Client(app, token(house, HAIDI))


@pytest.fixture
def seller(app, house) -> Client:
    return Client(app, token(house, DELTA))


def inquire(buyer: Client, *suppliers: str) -> str:
    made = buyer.post("/inquiries", {"document": ASKED, "suppliers": list(suppliers) or [DELTA], "note": "secret"})
    return buyer.get(f"/inquiries/{made['inquiry']}")["deals"][0]["id"]


def offered(buyer: Client, seller: Client, amount: str = "12.40", **more) -> tuple[str, dict]:
    deal = inquire(buyer)
    made = seller.post(f"/deals/{deal}/offers", {"document": priced(amount), "valid_until": UNTIL, **more})
    return deal, made["deal"]["rounds"][-1]


def test_a_whole_deal(buyer, seller):
    deal = inquire(buyer)
    made = seller.post(f"/deals/{deal}/offers", {"document": priced("12.40"), "valid_until": UNTIL})
    first = made["deal"]["rounds"][-1]
    assert (first["state"], first["total"], first["open_until"]) == ("effective", "1240.00", "2026-12-04T09:00:00Z")
    wanted = {"document": priced("11.50", disputes="CIETAC, Beijing"), "offer": first["offer"], "valid_until": UNTIL}
    counter = buyer.post(f"/deals/{deal}/offers", wanted)["deal"]["rounds"][-1]
    assert counter["kind"] == "counter"
    changed = {(each["term"], each["before"], each["after"]) for each in buyer.get(f"/deals/{deal}/diff")["terms"]}
    assert ("price", "12.40 USD", "11.50 USD") in changed
    assert ("disputes", None, "CIETAC, Beijing") in changed
    answer = {"document": priced("11.90", disputes="CIETAC, Beijing"), "offer": counter["offer"], "valid_until": UNTIL}
    last = seller.post(f"/deals/{deal}/offers", answer)["deal"]["rounds"][-1]
    shown = buyer.get(f"/deals/{deal}/rounds/{last['number']}")
    assert shown["document"]["custom"] == [["surface", "polished"]]
    agreed = buyer.post(f"/deals/{deal}/acceptances", {"offer": last["offer"], "terms_hash": last["terms_hash"]})
    contract = agreed["deal"]["contracts"][0]
    assert (contract["state"], contract["terms_hash"]) == ("concluded", last["terms_hash"])
    amended = buyer.post(f"/deals/{deal}/amendments", {"document": priced("11.80"), "text": "steel fell"})
    offer = amended["deal"]["rounds"][-1]
    both = {"offer": offer["offer"], "terms_hash": offer["terms_hash"]}
    done = seller.post(f"/deals/{deal}/acceptances", both)["deal"]
    assert (done["contracts"][0]["version"], done["contracts"][0]["terms_hash"]) == (2, offer["terms_hash"])
    chain = buyer.get(f"/deals/{deal}/statements")["statements"]
    assert [each["kind"] for each in chain] == ["inquiry", "offer", "counter", "counter", "accept", "amend", "accept"]
    assert all(one["hash"] == other["previous"] for one, other in itertools.pairwise(chain))


def test_an_acceptance_in_part_and_one_that_changes_a_term(buyer, seller):
    two = {
        **priced("12.40"),
        "lines": [{**LINE, "price": {"amount": "12"}}, {**LINE, "number": "2", "price": {"amount": "9"}}],
    }
    deal = inquire(buyer)
    body = {"document": two, "valid_until": UNTIL, "divisible": True}
    offer = seller.post(f"/deals/{deal}/offers", body)["deal"]["rounds"][-1]
    said = {"offer": offer["offer"], "terms_hash": offer["terms_hash"], "lines": {"2": "40"}}
    part = buyer.post(f"/deals/{deal}/acceptances", said)["deal"]
    assert part["contracts"][0]["lines"] == {"2": "40"}
    problem = buyer.post(f"/deals/{deal}/acceptances", {**said, "lines": {"2": "61"}}, 409)
    assert (problem["code"], problem["rule"]) == ("LINE_TAKEN", "R22")
    other, offer = offered(buyer, seller)
    own = {
        "offer": offer["offer"],
        "terms_hash": offer["terms_hash"],
        "document": priced("12.40", documents_required=["3 copies"]),
    }
    agreed = buyer.post(f"/deals/{other}/acceptances", own)["deal"]["contracts"][0]
    assert agreed["state"] == "concluded_objectable"
    undone = seller.post(f"/deals/{other}/object", {"offer": offer["offer"], "text": "no"})["deal"]
    assert undone["contracts"][0]["state"] == "never_concluded"


ANSWERED = [
    # an act on one of several acceptances: who says it, what was settled, how the offer is accepted, what comes of it
    ("confirm", "buyer", {"formation": "confirmation"}, {}, ["awaiting_confirmation", "awaiting_confirmation"]),
    ("object", "seller", {}, {"documents_required": ["3 copies"]}, ["never_concluded", "concluded_objectable"]),
    ("withdraw-acceptance", "buyer", {}, {}, ["awaiting_reach"]),
]


@pytest.mark.parametrize(("act", "who", "settled", "changes", "states"), ANSWERED, ids=[each[0] for each in ANSWERED])
def test_one_of_several_acceptances_is_named_by_its_id(house, buyer, seller, act, who, settled, changes, states):
    on_its_way = act == "withdraw-acceptance"
    web = (HAIDI,) if on_its_way else (HAIDI, DELTA)
    house.service.hooks = replace(
        house.service.hooks, terms=lambda *_: Terms(ground=Ground(**settled)),
        is_web=lambda _session, party: party in web,
    )  # fmt: skip
    two = {**ASKED, "lines": [{**LINE, "number": each, "price": {"amount": "12"}} for each in ("1", "2")]}
    deal = inquire(buyer)
    body = {"document": two, "valid_until": UNTIL, "divisible": True}
    offer = seller.post(f"/deals/{deal}/offers", body)["deal"]["rounds"][-1]
    said = {"offer": offer["offer"], "terms_hash": offer["terms_hash"]}
    own = {"document": {**two, **changes}} if changes else {}
    one, other = (
        buyer.post(f"/deals/{deal}/acceptances", {**said, **own, "lines": {line: None}})["statement"]
        for line in ("1", "2")
    )
    client = {"buyer": buyer, "seller": seller}[who]

    def open_to() -> list[str]:
        name = act.replace("-", "_")
        acts = client.get(f"/deals/{deal}")["actions"]
        return [each["acceptance"] for each in acts if each["name"] == name and each["is_possible"]]

    assert open_to() == [one, other]
    said_so = client.post(f"/deals/{deal}/{act}", {"acceptance": one})["statement"]
    if on_its_way:
        with house.database.write() as session:
            row = session.get(DealRow, deal)
            house.service.note(session, row, Kind.REACH, said_so, clock.now())
    assert open_to() == [other]
    done = client.get(f"/deals/{deal}")
    assert [each["state"] for each in done["contracts"]] == states
    assert done["contracts"][-1]["id"] == other
    client.post(f"/deals/{deal}/{act}", {}, 422)


def test_a_refusal_names_rule_and_article_in_the_callers_language(buyer, seller):
    deal, offer = offered(buyer, seller)
    body = {"offer": offer["offer"]}
    english = seller.post(f"/deals/{deal}/revoke", body, 409)
    assert (english["code"], english["rule"], english["article"]) == ("IRREVOCABLE", "R6", "CISG 16")
    chinese = seller.post(f"/deals/{deal}/revoke", body, 409, **{"Accept-Language": "zh-Hans"})
    assert chinese["title"] != english["title"]
    reasons = {each["name"]: each for each in seller.get(f"/deals/{deal}")["actions"]}
    assert reasons["revoke"]["code"] == "IRREVOCABLE"
    assert reasons["accept"]["is_possible"] is False


def test_who_speaks_of_another_version_is_shown_what_came_in_between(buyer, seller):
    deal, offer = offered(buyer, seller)
    version = buyer.get(f"/deals/{deal}")["version"]
    newer = seller.post(f"/deals/{deal}/offers", {"document": priced("12.00"), "valid_until": UNTIL})["deal"]
    body = {"offer": offer["offer"], "terms_hash": offer["terms_hash"]}
    problem = buyer.post(f"/deals/{deal}/acceptances", body, 412, **{"If-Match": f'"{version}"'})
    assert (problem["code"], problem["version"]) == ("STALE_VERSION", newer["version"])
    assert problem["latest"]["offer"] == newer["rounds"][-1]["offer"]
    assert [(each["before"], each["after"]) for each in problem["changes"] if each["term"] == "price"] == [
        ("12.40 USD", "12.00 USD")
    ]
    stated = buyer.post(f"/deals/{deal}/acceptances", {**body, "expected_version": version}, 409)
    assert (stated["version"], stated["changes"]) == (problem["version"], problem["changes"])
    for wrong in ("*", "7", 'W/"7"', '"seven"'):
        buyer.post(f"/deals/{deal}/acceptances", body, 400, **{"If-Match": wrong})
    buyer.get(f"/deals/{deal}")
    assert buyer.headers["ETag"] == f'"{newer["version"]}"'


def test_no_act_binds_beyond_what_the_organisations_rules_allow(house, buyer, seller):
    asked = []

    def up_to_1000(session, actor, binding):
        asked.append((str(binding.act), binding.amount))
        if binding.amount is not None and binding.amount <= 1000:
            return Allowed()
        step = Step(Because.OVER_LIMIT, (Approver("role", "approver"),))
        return Needs((step,), {step.approvers[0]: ("Wang Fang",)})

    two = {
        **priced("6.00"),
        "lines": [{**LINE, "price": {"amount": "6"}}, {**LINE, "number": "2", "price": {"amount": "9"}}],
    }
    deal = inquire(buyer)
    offer = seller.post(f"/deals/{deal}/offers", {"document": two, "valid_until": UNTIL, "divisible": True})
    last = offer["deal"]["rounds"][-1]
    house.service.hooks = replace(house.service.hooks, authorise=up_to_1000)
    said = {"offer": last["offer"], "terms_hash": last["terms_hash"]}
    problem = buyer.post(f"/deals/{deal}/acceptances", said, 403)
    assert (problem["code"], problem["approvers"], problem["rule"]) == ("OVER_LIMIT", ["Wang Fang"], "R8")
    assert problem["type"].endswith("#problem-needs-approval")
    assert problem["approval"] == f"/api/v1/deals/{deal}/acceptances/approval"
    inquiry = buyer.get("/inquiries")["inquiries"][0]["id"]
    buyer.post(f"/inquiries/{inquiry}/award", {"picks": [{"deal": deal, **said}]}, 403)
    both = [{"deal": deal, **said, "lines": {each: None}} for each in ("1", "2")]
    buyer.post(f"/inquiries/{inquiry}/award", {"picks": both}, 403)
    for client in (buyer, seller):
        client.post(f"/deals/{deal}/offers", {"document": two, "valid_until": UNTIL}, 403)
        assert client.post(f"/deals/{deal}/perform", {"offer": last["offer"]}, 403)["approval"] is None
    assert [(act, str(amount)) for act, amount in asked] == [
        ("acceptance", "1500.00"), ("award", "1500.00"), ("award", "1500.00"), ("offer", "1500.00"),
        ("acceptance", "1500.00"), ("offer", "1500.00"), ("acceptance", "1500.00"),
    ]  # fmt: skip
    buyer.post(f"/deals/{deal}/offers", {"document": two, "firm": False})
    buyer.post(f"/deals/{deal}/acceptances", {**said, "lines": {"2": None}})
    buyer.post(f"/deals/{deal}/amendments", {"document": priced("90")}, 403)
    assert asked[-1] == ("amendment", Decimal("9000.00"))


def test_a_request_made_twice_under_one_key_is_made_once(buyer, seller):
    deal, offer = offered(buyer, seller)
    body = {"offer": offer["offer"], "terms_hash": offer["terms_hash"]}
    key = {"Idempotency-Key": "accept-0001"}
    first = buyer.post(f"/deals/{deal}/acceptances", body, **key)
    again = buyer.post(f"/deals/{deal}/acceptances", body, **key)
    assert (again, buyer.headers["Idempotency-Replayed"]) == (first, "true")
    other = buyer.post(f"/deals/{deal}/acceptances", {**body, "conditional": True}, 422, **key)
    assert other["type"].endswith("#problem-key-used")
    buyer.post(f"/deals/{deal}/comments", {"text": "x"}, 400, **{"Idempotency-Key": "short"})
    seller.post(f"/deals/{deal}/comments", {"text": "another organisation's key"}, **key)


def test_a_refused_request_leaves_its_key_free(buyer, seller):
    deal, offer = offered(buyer, seller)
    key = {"Idempotency-Key": "accept-0002"}
    wrong = {"offer": offer["offer"], "terms_hash": "0" * 64}
    assert buyer.post(f"/deals/{deal}/acceptances", wrong, 409, **key)["code"] == "TERMS_HASH_MISMATCH"
    buyer.post(f"/deals/{deal}/acceptances", {**wrong, "terms_hash": offer["terms_hash"]}, **key)


BAD_BODIES = (
    (b"{", 400, None),
    (b'{"text": "a", "text": "b"}', 400, None),
    (b'{"text": NaN}', 400, None),
    (b"[" * 100_000, 400, None),
    (b"\xff\xfe", 400, None),
    (b"[]", 422, ""),
    (b'{"text": ""}', 422, "/text"),
    (b'{"text": "a", "state": "accepted"}', 422, "/state"),
    (b'{"text": "a", "a/b~c": 1}', 422, "/a~1b~0c"),
    (b'{"text": 7}', 422, "/text"),
)


def test_a_bad_body_is_told_where(buyer, seller):
    deal = inquire(buyer)
    for body, status, pointer in BAD_BODIES:
        problem = buyer.post(f"/deals/{deal}/comments", body, status)
        if pointer is not None:
            assert pointer in [each["pointer"] for each in problem["errors"]], body


def test_a_bad_document_is_told_where(buyer, seller):
    deal = inquire(buyer)
    broken = priced("12.40")
    broken["lines"][0]["price"]["amount"] = "a lot"
    problem = seller.post(f"/deals/{deal}/offers", {"document": broken}, 422)
    assert problem["errors"][0]["pointer"] == "/document/lines/0/price/amount"
    lacking = seller.post(f"/deals/{deal}/offers", {"document": ASKED}, 422)
    assert (lacking["code"], lacking["rule"]) == ("NOT_DEFINITE_PRICE", "R2")


def test_an_inquiry_goes_to_suppliers_alone(buyer):
    asked = {"document": ASKED, "suppliers": [DELTA, "nobody", HAIDI]}
    problem = buyer.post("/inquiries", asked, 422)
    assert [each["pointer"] for each in problem["errors"]] == ["/suppliers/1", "/suppliers/2"]
    found = buyer.get("/suppliers?q=del")["suppliers"]
    assert [(each["id"], each["name"]) for each in found] == [("delta", "Delta Fluid")]


def test_offers_side_by_side_name_what_an_award_takes(app, house, buyer, seller):
    rhein = Client(app, token(house, RHEIN))
    made = buyer.post("/inquiries", {"document": ASKED, "suppliers": [DELTA, RHEIN]})["inquiry"]
    for client, amount in ((seller, "12.40"), (rhein, "11.90")):
        (deal,) = client.get("/deals")["deals"]
        client.post(f"/deals/{deal['id']}/offers", {"document": priced(amount), "valid_until": UNTIL})
    columns = {each["supplier"]: each for each in buyer.get(f"/inquiries/{made}/comparison")["suppliers"]}
    best = columns[RHEIN]
    assert (best["total"], best["currency"], best["is_best_total"], columns[DELTA]["is_best_total"]) == (
        "1190.00", "USD", True, False,
    )  # fmt: skip
    assert [(cell["line"], cell["price"], cell["is_best"]) for cell in best["cells"]] == [("1", "11.90", True)]
    pick = {name: best[name] for name in ("deal", "offer", "terms_hash")}
    buyer.post(f"/inquiries/{made}/award", {"picks": [pick]})
    assert rhein.get(f"/deals/{best['deal']}")["status"] == "accepting"
    assert seller.get("/deals?only=closed")["deals"][0]["status"] == "rejected"
    first = buyer.get("/inquiries?limit=1")
    assert (first["inquiries"][0]["id"], first["cursor"]) == (made, None)


def test_a_page_of_deals_after_the_other(buyer):
    for _ in range(3):
        inquire(buyer)
    first = buyer.get("/deals?limit=2")
    second = buyer.get(f"/deals?limit=2&cursor={first['cursor']}")
    seen = [each["id"] for each in (*first["deals"], *second["deals"])]
    assert (len(set(seen)), second["cursor"], first["counts"]["all"]) == (3, None, 3)
    for wrong in ("limit=0", "limit=x", "only=mine", "sort=price", "limit=1&limit=2"):
        buyer.get(f"/deals?{wrong}", 400)


def routes(app):
    return [each for each in app.url_map.iter_rules() if each.endpoint.startswith("negotiation_api.")]


def test_without_a_token_or_its_scope_nothing_is_told(app, house, buyer):
    nobody, reader = Client(app, None), Client(app, token(house, HAIDI, "order.read"))
    assert len(routes(app)) > 20
    for rule in routes(app):
        method = "POST" if "POST" in rule.methods else "GET"
        path = rule.rule.removeprefix("/api/v1")
        for argument in rule.arguments:
            path = path.replace(f"<{argument}>", "x").replace(f"<int:{argument}>", "1")
        nobody.ask(method, path, {} if method == "POST" else None, status=401)
        reader.ask(method, path, {} if method == "POST" else None, status=403)
        assert "Bearer" in nobody.client.open(f"/api/v1{path}", method=method).headers["WWW-Authenticate"]


def test_another_organisation_finds_nothing(app, house, buyer, seller):
    deal, offer = offered(buyer, seller)
    stranger = Client(app, token(house, RHEIN))
    full = {"offer": offer["offer"], "terms_hash": offer["terms_hash"]}
    bodies = {"offers": {"document": priced("1")}, "acceptances": full, "comments": {"text": "x"}, "amendments": {},
              "files": {"name": "x.pdf", "content": "JVBERi0="}}  # fmt: skip
    for rule in routes(app):
        if "deal_id" not in rule.arguments:
            continue
        path = rule.rule.removeprefix("/api/v1").replace("<deal_id>", deal).replace("<int:number>", "1")
        if "POST" in rule.methods:
            last = path.removesuffix("/approval").rsplit("/", 1)[1]
            stranger.post(path, bodies.get(last, {"offer": offer["offer"]}), 404)
        else:
            stranger.get(path, 404)
    assert stranger.get("/deals")["deals"] == []
    assert "secret" not in json.dumps(seller.get(f"/deals/{deal}"))


def test_every_endpoint_stands_in_the_openapi_document(app):
    made = app.test_client().get("/api/v1/openapi.json").json
    assert made["openapi"].startswith("3.1")
    described = {(path, method) for path, methods in made["paths"].items() for method in methods}
    for rule in routes(app):
        path = rule.rule.replace("<", "{").replace(">", "}").replace("{int:", "{")
        method = "post" if "POST" in rule.methods else "get"
        assert (path, method) in described
        operation = made["paths"][path][method]
        assert operation["summary"]
        assert operation["security"]
    page = app.test_client().get("/api/docs")
    assert page.status_code == 200
    assert "/api/v1/deals/{deal_id}/acceptances" in page.text


@contextmanager
def served(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}{api.PREFIX}"
    server.shutdown()
    thread.join()
    server.server_close()


def both_at_once(url: str, path: str, token: str, body: dict, keys: tuple[str, str]) -> list[tuple[int, dict]]:
    """Post the same body twice at the same moment, each under its key, and return what was answered."""
    answers: list[tuple[int, dict]] = []
    start = threading.Barrier(2)

    def ask(key: str) -> None:
        request = Request(
            f"{url}{path}", json.dumps(body).encode(),
            {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": key},
        )  # fmt: skip
        start.wait(timeout=30)
        try:
            with urlopen(request, timeout=30) as answer:
                answers.append((answer.status, json.load(answer)))
        except HTTPError as error:
            answers.append((error.code, json.load(error)))

    threads = [threading.Thread(target=ask, args=(key,)) for key in keys]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return answers


def test_of_two_programs_that_accept_at_once_one_is_told_what_stands(app, house, buyer, seller):
    deal, offer = offered(buyer, seller)
    version = buyer.get(f"/deals/{deal}")["version"]
    body = {"offer": offer["offer"], "terms_hash": offer["terms_hash"], "expected_version": version}
    with served(app) as url:
        answers = both_at_once(url, f"/deals/{deal}/acceptances", buyer.token, body, ("race-one", "race-two"))
    assert sorted(status for status, _ in answers) == [201, 409]
    refused = next(found for status, found in answers if status == 409)
    assert refused["code"] in ("STALE_VERSION", "ACCEPTED")
    if refused["code"] == "STALE_VERSION":
        assert (refused["version"], refused["latest"]["offer"]) == (version + 1, offer["offer"])


def test_one_request_sent_twice_at_once_is_made_once(app, house, buyer, seller):
    deal, offer = offered(buyer, seller)
    body = {"document": priced("11.50"), "offer": offer["offer"], "valid_until": UNTIL}
    with served(app) as url:
        answers = both_at_once(url, f"/deals/{deal}/offers", buyer.token, body, ("same-key", "same-key"))
    (one, other) = answers
    assert one == other
    assert one[0] == 201
    assert len(buyer.get(f"/deals/{deal}")["rounds"]) == 3


def test_a_key_is_kept_for_a_day(house, buyer, seller, at_monday):
    deal, offer = offered(buyer, seller)
    key = {"Idempotency-Key": "comment-0001"}
    said = {"text": "one", "offer": offer["offer"]}
    buyer.post(f"/deals/{deal}/comments", said, **key)
    with clock.frozen(clock.now() + api.KEPT + timedelta(seconds=1)):
        again = Client(buyer.client.application, token(house, HAIDI))
        again.post(f"/deals/{deal}/comments", said, **key)
        assert "Idempotency-Replayed" not in again.headers
        kinds = [each["kind"] for each in again.get(f"/deals/{deal}/statements")["statements"]]
    assert kinds.count("comment") == 2


@pytest.mark.parametrize("act", ["sign", "confirm", "perform", "elect-late", "admit-time"])
def test_what_may_conclude_a_contract_needs_the_right_to_bind(app, house, buyer, seller, act):
    deal, offer = offered(buyer, seller)
    clerk = Client(app, token(house, HAIDI, "deal.read", "deal.negotiate"))
    clerk.post(f"/deals/{deal}/{act}", {"offer": offer["offer"]}, 403)


@pytest.mark.parametrize("both", [True, False])
def test_r7_alternatives_are_declined_one_by_one_or_together(buyer, seller, both):
    deal = inquire(buyer)
    for amount in ("12.40", "11.90"):
        body = {"document": priced(amount), "valid_until": UNTIL, "group": "g"}
        offer = seller.post(f"/deals/{deal}/offers", body)["deal"]["rounds"][-1]["offer"]
    done = buyer.post(f"/deals/{deal}/rejections", {"offer": offer, "with_alternatives": both})["deal"]
    assert [each["state"] for each in done["rounds"][1:]] == ["rejected" if both else "effective", "rejected"]
