"""Whatever a program sends, the REST API answers with a problem that says where, never with a fault of our own."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator

from tests.negotiation.test_api import UNTIL, Client, app, buyer, inquire, offered, priced, seller  # noqa: F401
from tradehub.platform.api import BODY_MAX, DEPTH_MAX

HOSTILE = (
    None, True, 0, -1, 1e308, 2**70, "", " ", "\0", "\ud800", "\u202e", "NaN", "Infinity", "-0", "1e999999", "9" * 5000,
    "0x10", "٣", "1,5", "2026-02-30", "9999-12-31T23:59:59+14:00", "0001-01-01T00:00:00-14:00", "x" * 100_000,
    "=cmd|'/c calc'!A0", "' OR 1=1 --", "<script>", "../../etc/passwd", [], {}, [[]], [None], {"": ""},
    {"a/b": {"~": 1}},
)  # fmt: skip
"""Values where none, or others, are looked for."""


def places(value: object, at: tuple = ()) -> Iterator[tuple]:
    """Give every place in a body."""
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in inner:
        yield from places(each, (*at, name))


def with_value(body: dict, at: tuple, value: object) -> object:
    changed = copy.deepcopy(body)
    if not at:
        return value
    owner = changed
    for name in at[:-1]:
        owner = owner[name]
    owner[at[-1]] = value
    return changed


FULL = {
    "document": priced(
        "12.40", delivery_terms={"incoterm": "FOB", "place": "Ningbo"}, notes=[{"text": "as agreed"}],
        dates=[{"type": "promised_delivery", "on": "2027-01-20"}], payment_terms=[{"text": "net", "net_days": 30}],
        charges=[{"is_charge": True, "amount": "10"}],
    ),
    "valid_until": UNTIL, "accept_within_s": 3600, "expected_version": 1, "group": "g", "firm": True,
}  # fmt: skip


def test_no_value_in_any_place_of_a_body_is_our_fault(buyer: Client, seller: Client, app) -> None:  # noqa: F811
    app.config["API_REQUESTS_PER_MINUTE"] = 10**6
    deal = inquire(buyer)
    client = seller.client
    spots = list(places(FULL))
    seen: dict[int, int] = {}
    for place, at in enumerate(spots):
        for value in HOSTILE[place % 5 :: 5]:
            body = json.dumps(with_value(FULL, at, value)).encode("utf-8", "surrogatepass")
            answer = client.post(
                f"/api/v1/deals/{deal}/offers", data=body, content_type="application/json",
                headers={"Authorization": f"Bearer {seller.token}"},
            )  # fmt: skip
            seen[answer.status_code] = seen.get(answer.status_code, 0) + 1
            assert answer.status_code < 500, (at, value, answer.text)
            if answer.status_code >= 400:
                assert answer.mimetype == "application/problem+json"
    assert {400, 422} <= seen.keys(), seen


def test_no_header_or_query_is_our_fault(buyer: Client, seller: Client) -> None:  # noqa: F811
    deal, offer = offered(buyer, seller)
    body = {"offer": offer["offer"], "text": "no"}
    bad = ("", "x" * 7, "x" * 129, "ключ-ключ", '"', "*", '""', '"-1"', '"٣"', '"1', "W/1", '"' + "9" * 30 + '"')
    for value in bad:
        for name in ("If-Match", "Idempotency-Key"):
            answer = buyer.client.post(
                f"/api/v1/deals/{deal}/rejections", json=body,
                headers={"Authorization": f"Bearer {buyer.token}", name: value.encode().decode("latin-1")},
            )  # fmt: skip
            assert answer.status_code in (201, 400, 409, 412), (name, value, answer.text)
    for query in (
        "cursor=x",
        "cursor=" + "A" * 500,
        "cursor=WyIwIiwgIjAiXQ",
        "limit=1e3",
        "q=%00",
        "q=%ff",
        "only=%20",
    ):
        assert buyer.client.get(
            f"/api/v1/deals?{query}", headers={"Authorization": f"Bearer {buyer.token}"}
        ).status_code in (200, 400), query
    for path in ("/deals/%00", "/deals/..%2f..", f"/deals/{'x' * 5000}", f"/deals/{deal}/rounds/99999999999999999999"):
        buyer.get(path, 404)


def test_a_body_is_cut_off_at_its_limit(buyer: Client, seller: Client) -> None:  # noqa: F811
    deal = inquire(buyer)
    large = b'{"text": "' + b"x" * BODY_MAX + b'"}'
    problem = buyer.post(f"/deals/{deal}/comments", large, 413)
    assert str(BODY_MAX) in problem["detail"]
    answer = buyer.client.post(
        f"/api/v1/deals/{deal}/comments", data="text=x", headers={"Authorization": f"Bearer {buyer.token}"}
    )
    assert (answer.status_code, answer.mimetype) == (415, "application/problem+json")
    buyer.post(f"/deals/{deal}/comments", b"[" * (DEPTH_MAX + 1) + b"]" * (DEPTH_MAX + 1), 400)


def test_who_asks_too_often_is_told_when_to_come_back(app, buyer: Client, seller: Client) -> None:  # noqa: F811
    app.config["API_REQUESTS_PER_MINUTE"] = 3
    app.extensions.pop("api_limiter", None)
    left = []
    for _ in range(3):
        buyer.get("/deals")
        left.append(buyer.headers["RateLimit"])
    assert left == ['"token";r=2;t=60', '"token";r=1;t=60', '"token";r=0;t=60']
    buyer.get("/deals", 429)
    assert buyer.headers["Retry-After"] == "60"
    seller.get("/deals")


def one_line(**more) -> dict:
    return {"document": priced("12.40", **more)}


def quantity(value: object) -> dict:
    body = one_line()
    body["document"]["lines"] = [{**body["document"]["lines"][0], "quantity": {"value": value, "unit": "C62"}}]
    return body


VALUE = "/document/lines/0/quantity/value"
WRONG = (
    (quantity("1e999999"), VALUE, "decimal_parsing", "1e999999"),
    (quantity("1e30000"), VALUE, "decimal_parsing", "1e30000"),
    (quantity("1e300"), VALUE, "number_size", "1e300"),
    (quantity("1e-300"), VALUE, "number_size", "1e-300"),
    (quantity("٣"), VALUE, "decimal_parsing", "٣"),
    (quantity("1_000"), VALUE, "decimal_parsing", "1_000"),
    (quantity(" 12 "), VALUE, "decimal_parsing", " 12 "),
    (quantity("a dozen"), VALUE, "decimal_parsing", "a dozen"),
    ({**one_line(), "valid_until": "2027-01-01"}, "/valid_until", "moment_without_offset", "2027-01-01"),
    ({**one_line(), "valid_until": "2027-01-01T12:00:00"}, "/valid_until", "moment_without_offset", "2027-01-01T12:00:00"),
    ({**one_line(), "valid_until": 1800000000}, "/valid_until", "moment_without_offset", 1800000000),
    ({**one_line(), "valid_until": "9999-12-31T23:59:59-14:00"}, "/valid_until", "year_out_of_range", None),
    ({**one_line(), "valid_until": "0001-01-01T00:00:00+14:00"}, "/valid_until", "year_out_of_range", None),
    ({**one_line(), "accept_within_s": 10**18}, "/accept_within_s", "less_than_equal", None),
    (one_line(dates=[{"type": "delivery_requested", "on": "9999-12-31"}]), "/document/dates/0/on", "year_out_of_range", None),
    (one_line(dates=[{"type": "delivery_requested", "at": "2027-01-01T09:00:00"}]), "/document/dates/0/at",
     "moment_without_offset", None),
    ({**one_line(), "offer": ""}, "/offer", "string_too_short", ""),
    ({**one_line(), "tota": 1}, "/tota", "extra_forbidden", None),
    ({}, "/document", "missing", None),
)  # fmt: skip
"""Bodies, and the place, the code and the value that are told."""


def test_what_no_offer_holds_is_refused_by_place_code_and_value(buyer: Client, seller: Client) -> None:  # noqa: F811
    deal = inquire(buyer)
    for body, pointer, code, value in WRONG:
        (fault,) = seller.post(f"/deals/{deal}/offers", body, 422)["errors"]
        assert (fault["pointer"], fault["code"]) == (pointer, code), body
        if value is not None:
            assert fault["value"] == value
    assert len(buyer.get(f"/deals/{deal}")["rounds"]) == 1


def test_each_fault_is_said_in_the_language_that_was_asked_for(buyer: Client, seller: Client) -> None:  # noqa: F811
    deal = inquire(buyer)
    bodies: list[object] = [body for body, *_ in WRONG]
    bodies += [{"document": None}, {"document": {"lines": 1}}, b"{", b"\xff", b'{"a": 1, "a": 1}', b'{"a": NaN}']
    for body in bodies:
        status = 400 if isinstance(body, bytes) else 422
        problem = seller.post(f"/deals/{deal}/offers", body, status, **{"Accept-Language": "zh-Hans"})
        for said in [problem["title"], problem["detail"], *(each["detail"] for each in problem.get("errors", []))]:
            assert any("\u4e00" <= letter <= "\u9fff" for letter in said), (body, said)
    problem = seller.get("/deals?cursor=x", 400, **{"Accept-Language": "zh-Hans"})
    assert problem["errors"] == [
        {"pointer": "/cursor", "code": "cursor", "detail": "不是我们返回过的游标。", "value": "x"}
    ]


def lines(*changes: dict, **more) -> dict:
    first = one_line()["document"]["lines"][0]
    return one_line(lines=[{**first, **each} for each in changes], **more)


SLIPS = (
    (one_line(currency="usd"), "/document/currency", "currency"),
    (one_line(delivery_terms={"incoterm": "XXX", "place": "Ningbo"}), "/document/delivery_terms/incoterm", "incoterm"),
    (lines({}, {"price": {"amount": "13"}}), "/document/lines/1/number", "given_twice"),
    (lines({"quantity": {"value": "1", "unit": "BOXES"}}), "/document/lines/0/quantity/unit", "unit"),
    (lines({"quantity": {"value": "1", "unit": ""}}), "/document/lines/0/quantity/unit", "unit"),
    (lines({"price": {"amount": "-1"}}), "/document/lines/0/price/amount", "greater_than_equal"),
    (lines({"price": {"amount": "9" * 30}}), "/document/lines/0/price/amount", "less_than_equal"),
    (lines({"price": {"amount": "1", "breaks": [{"min_quantity": "5", "amount": "-1"}]}}),
     "/document/lines/0/price/breaks/0/amount", "greater_than_equal"),
    ({**one_line(), "standard_terms": "0" * 64}, "/standard_terms", "not_published"),
)  # fmt: skip


def test_what_no_form_would_take_no_program_can_state(buyer: Client, seller: Client) -> None:  # noqa: F811
    deal = inquire(buyer)
    for body, pointer, code in SLIPS:
        (fault,) = seller.post(f"/deals/{deal}/offers", body, 422)["errors"]
        assert (fault["pointer"], fault["code"]) == (pointer, code), body
    _, offer = offered(buyer, seller)
    deal = buyer.get("/deals")["deals"][0]["id"]
    accepted = {"offer": offer["offer"], "terms_hash": offer["terms_hash"], **one_line(currency="usd")}
    assert buyer.post(f"/deals/{deal}/acceptances", accepted, 422)["errors"][0]["pointer"] == "/document/currency"
    nothing = {"suppliers": ["delta"], "document": {"currency": "USD"}}
    assert buyer.post("/inquiries", nothing, 422)["errors"][0]["pointer"] == "/document/lines"


def test_a_refusal_names_the_place_it_is_about(buyer: Client, seller: Client) -> None:  # noqa: F811
    deal = inquire(buyer)

    def places(problem: dict) -> list[tuple]:
        return [(each["pointer"], each["code"], each.get("value")) for each in problem["errors"]]

    for change, place in (
        ({"price": None}, ("/document/lines/1/price", "NOT_DEFINITE_PRICE", None)),
        ({"quantity": None}, ("/document/lines/1/quantity", "NOT_DEFINITE_QUANTITY", None)),
        (
            {"quantity": {"value": "-2"}},
            ("/document/lines/1/quantity/value", "NOT_DEFINITE_QUANTITY", "-2"),
        ),
        ({"item": {}}, ("/document/lines/1/item", "NOT_DEFINITE_ITEM", None)),
    ):
        problem = seller.post(f"/deals/{deal}/offers", lines({}, {"number": "2", **change}), 422)
        assert (problem["rule"], places(problem)) == ("R2", [place])
    offer = seller.post(f"/deals/{deal}/offers", {**one_line(), "divisible": True, "valid_until": UNTIL})
    made = offer["deal"]["rounds"][-1]
    seen = {"offer": made["offer"], "terms_hash": made["terms_hash"]}
    assert places(buyer.post(f"/deals/{deal}/acceptances", {**seen, "lines": {"7": "1"}}, 422)) == [
        ("/lines/7", "NO_SUCH_LINE", "1")
    ]
    assert places(buyer.post(f"/deals/{deal}/acceptances", {**seen, "lines": {"1": "101"}}, 422)) == [
        ("/lines/1", "MORE_THAN_OFFERED", "101")
    ]
    buyer.post(f"/deals/{deal}/acceptances", {**seen, "lines": {"1": "40"}})
    taken = buyer.post(f"/deals/{deal}/acceptances", {**seen, "lines": {"1": "61"}}, 409)
    assert places(taken) == [("/lines/1", "LINE_TAKEN", "61")]
    assert "60" in taken["errors"][0]["detail"]
    words = buyer.post(f"/deals/{deal}/comments", {"text": "Which?", "term": "lines.9.price"}, 422)
    assert places(words) == [("/term", "NO_SUCH_TERM", "lines.9.price")]


def test_each_act_names_the_address_to_say_it_at(buyer: Client, seller: Client, app) -> None:  # noqa: F811
    deal, _offer = offered(buyer, seller)
    at = app.url_map.bind("localhost")
    for act in buyer.get(f"/deals/{deal}")["actions"]:
        assert at.match(act["post"], method="POST"), act
