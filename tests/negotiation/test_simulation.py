"""Histories as files: what a line may say, what comes out, awards over several negotiations, and lines that say nothing."""

from __future__ import annotations

import json
from hashlib import sha256
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradehub.negotiation import simulation
from tradehub.negotiation.simulation import simulate

OPEN = {"kind": "negotiation", "negotiation": "n", "buyer": "b", "seller": "s"}
LINES = {
    "1": {"item": "V-22", "quantity": "100", "price": "12.40"},
    "2": {"item": "Kit", "quantity": "200", "price": "0.82"},
}
TERMS = {"lines": LINES, "terms": {"currency": "USD"}}


def at(hour: float) -> str:
    return f"2026-11-{23 + int(hour // 24):02d}T{int(hour % 24):02d}:{round(hour % 1 * 60):02d}:00Z"


def run(*entries: dict) -> list[dict]:
    return list(simulate(map(json.dumps, entries)))


def offer(id="o", by="s", hour=0.0, terms=None, **more) -> dict:
    return {"kind": "offer", "id": id, "by": by, "at": at(hour), "offer": terms or TERMS, **more}


def accept(about="o", by="b", hour=1.0, id="a", **more) -> dict:
    return {"kind": "accept", "id": id, "by": by, "about": about, "at": at(hour), **more}


def three(*terms: dict) -> list[dict]:
    """Three suppliers' offers to one buyer."""
    deals = [{**OPEN, "negotiation": f"n{place}", "seller": f"s{place}"} for place in (1, 2, 3)]
    offers = [
        offer(
            f"o{place}",
            f"s{place}",
            0,
            {**TERMS, **(terms[place - 1] if place <= len(terms) else {})},
            negotiation=f"n{place}",
        )
        for place in (1, 2, 3)
    ]
    return [*deals, *offers]


def award(*picks: tuple, hour=1.0, **more) -> dict:
    chosen = [{"negotiation": deal, "about": about, "lines": lines} for deal, about, lines in picks]
    return {"kind": "award", "id": "w", "by": "b", "at": at(hour), "picks": chosen, **more}


# --- what comes out -----------------------------------------------------------------------------


def test_a_bargain():
    answers = run(OPEN, offer(), accept())
    assert [each["outcome"] for each in answers] == ["accepted"] * 3
    (contract,) = answers[-1].pop("contracts")
    assert answers[-1] == {
        "kind": "accept", "id": "a", "at": at(1), "outcome": "accepted", "negotiation": "n", "version": 2, "turn": None,
        "states": {"o": "accepted"},
    }  # fmt: skip
    assert len(contract.pop("terms_hash")) == 64
    assert contract == {
        "id": "a", "offer": "o", "terms": "o", "state": "concluded", "concluded_at": at(1), "version": 1, "lines": {},
        "knocked_out": [],
    }  # fmt: skip


def test_a_refusal_names_code_rule_and_article_and_changes_nothing():
    answer = run(OPEN, offer(), accept(by="s"))[-1]
    assert (answer["outcome"], answer["code"], answer["rule"], answer["article"]) == (
        "refused", "NOT_OFFEREE", "R8", "CISG 18(2), 23",
    )  # fmt: skip
    assert (answer["version"], answer["states"]) == (1, {"o": "effective"})


def test_what_is_on_its_way_arrives_by_itself_before_what_is_said_at_that_moment():
    answers = run(OPEN, offer(reached_at=at(2)), accept(hour=1), accept(hour=2, id="b"))
    assert [(each.get("id"), each["outcome"], each.get("code")) for each in answers[1:]] == [
        ("o", "accepted", None), ("a", "refused", "NOT_YET_REACHED"), ("o:reach", "accepted", None), ("b", "accepted", None),
    ]  # fmt: skip


def test_null_is_on_its_way_until_a_line_says_that_it_reached():
    reach = {"kind": "reach", "id": "r", "about": "o", "at": at(2)}
    answers = run(OPEN, offer(reached_at=None), reach, accept(hour=3))
    assert [each.get("states") for each in answers[1:]] == [{"o": "dispatched"}, {"o": "effective"}, {"o": "accepted"}]


def test_notices_of_one_moment_arrive_in_the_order_of_their_lines_and_the_last_after_the_last_line():
    second = offer("p", hour=0, reached_at=at(2), terms={**TERMS, "group": "g"})
    answers = run(OPEN, offer(reached_at=at(2), terms={**TERMS, "group": "g"}), second)
    assert [each["id"] for each in answers[1:]] == ["o", "p", "o:reach", "p:reach"]


def test_a_repeated_line_arrives_once():
    answers = run(OPEN, offer(reached_at=at(2)), offer(hour=1, reached_at=at(3)))
    assert [(each.get("id"), each["outcome"]) for each in answers[1:]] == [
        ("o", "accepted"), ("o", "unchanged"), ("o:reach", "accepted"),
    ]  # fmt: skip


def test_what_failed_and_still_arrives_was_sent_again():
    fail = {"kind": "fail", "id": "f", "about": "o", "at": at(1)}
    answers = run(OPEN, offer(reached_at=at(2)), fail)
    assert [each["states"]["o"] for each in answers[1:]] == ["dispatched", "undelivered", "effective"]


def test_an_inquiry_is_not_firm_unless_it_says_so():
    asked = {"kind": "inquiry", "id": "i", "by": "b", "at": at(0), "offer": {"lines": {"1": {"item": "V-22"}}}}
    assert run(OPEN, asked)[-1]["states"] == {"i": "invitation"}
    assert run(OPEN, {**asked, "offer": {**TERMS, "firm": True}})[-1]["code"] == "NOT_ALLOWED"


def test_now_shows_each_negotiation_or_the_one_that_is_named():
    now = {"kind": "now", "at": at(1)}
    assert [each["negotiation"] for each in run(*three(), now)[6:]] == ["n1", "n2", "n3"]
    assert [each["states"] for each in run(*three(), {**now, "negotiation": "n2"})[6:]] == [{"o2": "effective"}]


# --- terms that an acceptance leaves out --------------------------------------------------------


def hashed(terms: dict[str, str]) -> str:
    return sha256(json.dumps(terms, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


WHOLE = {
    "currency": "USD", "lines.1.item": "V-22", "lines.1.price": "12.4", "lines.1.quantity": "100", "lines.2.item": "Kit",
    "lines.2.price": "0.82", "lines.2.quantity": "200",
}  # fmt: skip


@pytest.mark.parametrize("stated", [{"terms": {"payment": "60 days"}}, {"lines": {"1": {"price": "12.00"}}}])
def test_r10_a_counter_offer_by_acceptance_is_the_offer_with_what_it_changes(stated):
    """CISG 19(1): a reply that means to accept; where it is silent it agrees."""
    *_, answer, then = run(OPEN, offer(), accept(offer=stated), accept("a", "s", 2, "b"))
    assert (answer["outcome"], answer["states"]) == ("accepted", {"o": "countered", "a": "effective"})
    changed = {"payment": "60 days"} if "terms" in stated else {"lines.1.price": "12"}
    (contract,) = then["contracts"]
    assert contract["terms_hash"] == hashed(WHOLE | changed)


def test_r9_a_contract_on_changed_terms_is_on_all_of_them():
    answer = run(OPEN, offer(), accept(offer={"terms": {"remarks": "by noon"}}))[-1]
    (contract,) = answer["contracts"]
    assert (contract["terms"], contract["terms_hash"]) == ("a", hashed(WHOLE | {"remarks": "by noon"}))


@pytest.mark.parametrize("said", [{"standard_terms": "b-7"}, {"offer": {"standard_terms": "b-7"}}])
def test_r24_an_acceptance_on_ones_own_standard_terms_is_a_counter_offer_on_the_terms_offered(said):
    answers = run(OPEN, offer(), accept(**said), accept("a", "s", 2, "b", standard_terms="b-7"))
    assert [each["states"] for each in answers[2:]] == [
        {"o": "countered", "a": "effective"}, {"o": "countered", "a": "accepted"},
    ]  # fmt: skip
    assert answers[-1]["contracts"][0]["terms_hash"] == hashed(WHOLE)


def test_s56_part_of_an_indivisible_offer_on_other_terms_is_a_counter_offer_of_that_part():
    said = accept(lines={"1": "40"}, offer={"terms": {"remarks": "by noon"}})
    *_, answer, then = run(OPEN, offer(), said, accept("a", "s", 2, "b", terms_hash="?"))
    assert answer["states"] == {"o": "countered", "a": "effective"}
    assert then["code"] == "TERMS_HASH_MISMATCH"
    part = {path: value for path, value in WHOLE.items() if not path.startswith("lines.2")}
    part |= {"remarks": "by noon", "lines.1.quantity": "40"}
    assert run(OPEN, offer(), said, accept("a", "s", 2, "b", terms_hash=hashed(part)))[-1]["outcome"] == "accepted"


def test_r22_part_of_a_divisible_offer_on_other_terms_is_a_counter_offer_of_what_is_left_of_that_part():
    entries = [
        OPEN,
        offer(terms={**TERMS, "divisible": True}),
        accept(lines={"1": "60"}),
        accept(hour=2, id="c", lines={"1": None}, offer={"terms": {"payment": "60 days"}}),
        accept(hour=3, id="c", lines={"1": None}, offer={"terms": {"payment": "60 days"}}),
    ]
    part = {path: value for path, value in WHOLE.items() if not path.startswith("lines.2")}
    part |= {"payment": "60 days", "lines.1.quantity": "40"}
    *_, counter, again, then = run(*entries, accept("c", "s", 4, "d", terms_hash=hashed(part)))
    assert (counter["outcome"], again["outcome"], then["outcome"]) == ("accepted", "unchanged", "accepted")


@pytest.mark.parametrize("terms", [None, TERMS, {"terms": {"payment": "60 days"}}])
def test_a_line_that_an_indivisible_offer_does_not_have_is_refused_whatever_else_is_stated(terms):
    stated = {} if terms is None else {"offer": terms}
    answer = run(OPEN, offer(), accept(lines={"1": None, "9": "1"}, **stated))[-1]
    assert (answer["outcome"], answer.get("code")) == ("refused", "NO_SUCH_LINE")


def test_what_a_line_says_has_reached_does_not_arrive_once_more():
    reach = {"kind": "reach", "id": "r", "about": "o", "at": at(1)}
    answers = run(OPEN, offer(reached_at=at(3)), reach, {"kind": "now", "at": at(4)})
    assert [each["kind"] for each in answers] == ["negotiation", "offer", "reach", "now"]


# --- terms --------------------------------------------------------------------------------------


def test_what_an_acceptance_states_otherwise_is_changed_and_what_it_leaves_out_is_agreed():
    same = accept(offer={"lines": {"1": {"price": "12.4"}}})
    other = accept(
        offer={"lines": {"1": {"item": "V-22", "quantity": "100", "price": "9"}}, "terms": {"currency": "USD"}}
    )
    noted = accept(offer={"terms": {"notes.1": "by truck"}})
    states = [run(OPEN, offer(), each)[-1] for each in (same, other, noted)]
    assert [each["states"] for each in states] == [
        {"o": "accepted"}, {"o": "countered", "a": "effective"}, {"o": "accepted"},
    ]  # fmt: skip
    assert [[each["state"] for each in answer["contracts"]] for answer in states] == [
        ["concluded"], [], ["concluded_objectable"],
    ]  # fmt: skip


def test_changes_that_are_named_count_instead():
    states = [run(OPEN, offer(), accept(changes=each))[-1] for each in ([], ["notes"], ["price"])]
    assert [each.get("code") for each in states] == [None, None, "NOT_ALLOWED"], "a counter-offer has terms of its own"


def test_s56_part_of_an_indivisible_offer_is_a_counter_offer_on_its_terms():
    answers = run(OPEN, offer(), accept(lines={"1": "40"}), accept("a", "s", hour=2, id="b"))
    assert answers[-1]["states"] == {"o": "countered", "a": "accepted"}
    priced = {"lines": {"1": {**LINES["1"], "quantity": "40"}}, "terms": {"currency": "USD"}}
    alike = run(OPEN, offer(terms=priced), accept(hour=1))[-1]["contracts"][0]
    assert answers[-1]["contracts"][0]["terms_hash"] == alike["terms_hash"], "hashed as if it had been written out"
    limited = run(OPEN, offer(), accept(lines={"1": "40"}, limit="495.99"))[-1]
    assert limited["code"] == "OVER_LIMIT", "40 at 12.40"


@pytest.mark.parametrize("lines", [{"1": None, "2": None}, {"1": "100.0", "2": "200"}])
def test_all_lines_of_an_indivisible_offer_are_the_offer(lines):
    assert run(OPEN, offer(), accept(lines=lines))[-1]["states"] == {"o": "accepted"}


def test_a_line_that_an_indivisible_offer_does_not_have():
    assert run(OPEN, offer(), accept(lines={"9": None}))[-1]["code"] == "NO_SUCH_LINE"


def test_the_hash_of_the_terms_is_that_of_their_canonical_form():
    spaced = {"terms": {"currency": "USD"}, "lines": {"1": {"price": "12.400", "quantity": "1E+2", "item": "V-22"}}}
    plain = {"lines": {"1": {"item": "V-22", "quantity": "100", "price": "12.4"}}, "terms": {"currency": "USD"}}
    one, other = (run(OPEN, offer(terms=each), accept())[-1]["contracts"][0]["terms_hash"] for each in (spaced, plain))
    assert one == other


def test_agreed_materiality_names_classes_of_terms():
    agreed = {**OPEN, "materiality": {"price": False}}
    assert (
        run(agreed, offer(), accept(changes=["lines.1.price"]))[-1]["contracts"][0]["state"] == "concluded_objectable"
    )
    answer = run({**OPEN, "materiality": {"colour": False}})[0]
    assert answer["outcome"] == "invalid"
    assert "remarks" in answer["error"]


@pytest.mark.parametrize("quantity", ["0", "-5"])
def test_nothing_of_a_line_is_no_counter_offer(quantity):
    assert run(OPEN, offer(), accept(lines={"1": quantity}))[-1]["code"] == "NOT_DEFINITE_QUANTITY"


def test_a_line_that_a_counter_offer_by_acceptance_adds_must_be_definite():
    answer = run(OPEN, offer(), accept(offer={"lines": {"3": {"price": "8"}}}))[-1]
    assert answer["code"] == "NOT_DEFINITE_ITEM"


# --- awards -------------------------------------------------------------------------------------


def test_s68_the_offers_of_the_others_stay_open_until_they_are_declined():
    accepted = accept("o1", negotiation="n1")
    now = {"kind": "now", "at": at(2)}
    before = run(*three(), accepted, now)[-3:]
    assert [each["states"] for each in before] == [{"o1": "accepted"}, {"o2": "effective"}, {"o3": "effective"}]
    after = run(*three(), award(("n1", "o1", {})), now)[-3:]
    assert [each["states"] for each in after] == [{"o1": "accepted"}, {"o2": "rejected"}, {"o3": "rejected"}]


def test_r23_an_award_of_parts_to_several():
    divisible = {"divisible": True}
    answer = run(
        *three(divisible, divisible), award(("n1", "o1", {"1": "40"}), ("n2", "o2", {"1": "60"}), demand={"1": "100"})
    )[-1]
    assert answer["outcome"] == "accepted"
    assert {deal: stand["states"] for deal, stand in answer["negotiations"].items()} == {
        "n1": {"o1": "effective"}, "n2": {"o2": "effective"}, "n3": {"o3": "rejected"},
    }  # fmt: skip
    assert [each["contracts"][0]["lines"] for each in list(answer["negotiations"].values())[:2]] == [
        {"1": "40"},
        {"1": "60"},
    ]


@pytest.mark.parametrize(
    ("picks", "code"),
    [
        ((("n1", "o1", {"1": "61"}), ("n2", "o2", {"1": "40"})), "MORE_THAN_DEMANDED"),
        ((("n1", "o1", {"1": "50"}), ("n3", "o3", {"1": "40"})), "INDIVISIBLE"),
        ((("n1", "o1", {"1": "50"}), ("n3", "o3", {"9": None})), "NO_SUCH_LINE"),
        ((("n1", "o1", {"1": "50"}), ("n2", "nothing", {})), "NO_SUCH_OFFER"),
        ((("n1", "o1", {"1": "50"}), ("n1", "o1", {"1": "60"})), "MORE_THAN_DEMANDED"),
    ],
)
def test_r23_an_award_is_all_or_nothing(picks, code):
    divisible = {"divisible": True}
    answers = run(*three(divisible, divisible), award(*picks, demand={"1": "100"}), {"kind": "now", "at": at(2)})
    assert (answers[-4]["outcome"], answers[-4]["code"]) == ("refused", code)
    assert [list(each["states"].values()) for each in answers[-3:]] == [["effective"]] * 3


def test_r23_an_award_declines_offers_to_the_buyer_and_no_others():
    own = offer("mine", "b", 0.5, {**TERMS, "accept_by": at(100)}, negotiation="n2")
    stranger = {**OPEN, "negotiation": "x", "buyer": "other"}
    answer = run(*three(), stranger, own, award(("n1", "o1", {})))[-1]
    assert {deal: stand["states"] for deal, stand in answer["negotiations"].items()} == {
        "n1": {"o1": "accepted"}, "n2": {"o2": "rejected", "mine": "effective"}, "n3": {"o3": "rejected"}, "x": {},
    }  # fmt: skip


def test_r23_all_lines_of_an_indivisible_offer_may_be_awarded_by_name():
    answer = run(*three(), award(("n1", "o1", {"1": None, "2": "200"}), among=["n2"]))[-1]
    assert {deal: stand["states"] for deal, stand in answer["negotiations"].items()} == {
        "n1": {"o1": "accepted"}, "n2": {"o2": "rejected"}, "n3": {"o3": "effective"},
    }  # fmt: skip


def test_an_award_that_names_an_unknown_negotiation_changes_nothing_not_even_the_time():
    answers = run(*three(), award(("n1", "o1", {}), hour=5, among=["n2", "n9"]), accept("o1", negotiation="n1", hour=1))
    assert answers[-2] == {"line": 7, "outcome": "invalid", "error": "among: no negotiation n9"}
    assert answers[-1]["outcome"] == "accepted"


# --- lines that say nothing ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ('{"kind":NaN}', "no number"),
        ('{"kind":"dance"}', "kind"),
        (json.dumps({**offer(), "colour": "red"}), "colour"),
        (json.dumps(offer(terms={"lines": {"1": {"price": 1.5}}})), "write numbers as text"),
        (json.dumps(offer(terms={"lines": {"1": {"price": "NaN"}}})), "finite"),
        (json.dumps(offer(terms={"lines": {"1": {"price": "1E+30"}}})), "digits"),
        (json.dumps(offer(terms={"lines": {"1": {"price": "0.0000000001"}}})), "decimal places"),
        (json.dumps({**offer(), "at": "2026-11-23T09:00:00"}), "timezone"),
        (json.dumps({**offer(), "at": "0001-01-01T00:00:00+14:00"}), "the year"),
        (json.dumps({**offer(), "reached_at": "9999-12-31T23:59:59-14:00"}), "the year"),
        (json.dumps({**offer(), "id": "\ud800"}), "surrogates"),
        (json.dumps({**offer(), "negotiation": "m"}), "negotiation: no negotiation m"),
        (json.dumps({**offer(), "at": 1795780800}), "at: Value error, a moment is ISO 8601 text"),
        (json.dumps({**offer(), "at": "1795780800"}), "at: Value error, a moment is ISO 8601 text"),
        (json.dumps({**offer(), "at": "2026-11-24"}), "at: Value error, a moment is ISO 8601 text"),
        (json.dumps({**offer(), "expected_version": True}), "expected_version"),
        (json.dumps({**offer(), "conditional": "yes"}), "conditional"),
        (json.dumps(award(("m", "o", {}))), "picks.0.negotiation: no negotiation m"),
        (json.dumps({**OPEN, "negotiation": "m", "places": {"x": {}}}), "places.x: neither the buyer nor the seller"),
        (json.dumps({**OPEN, "negotiation": "m", "buyer": "s"}), "seller: a negotiation has two parties"),
        (json.dumps(OPEN), "negotiation: n is open already"),
        (json.dumps({**OPEN, "negotiation": "m", "reasonable_s": 10**30}), "reasonable_s"),
        (json.dumps({**OPEN, "negotiation": "m", "undue_delay_s": -1}), "undue_delay_s"),
        (
            json.dumps({**OPEN, "negotiation": "m", "places": {"s": {"zone": "America"}}}),
            "places.s.zone: no such time zone",
        ),
        (json.dumps({**OPEN, "negotiation": "m", "places": {"s": {"zone": "../etc"}}}), "no such time zone"),
        (
            json.dumps({**OPEN, "negotiation": "m", "places": {"s": {"weekend": list(range(7))}}}),
            "places.s.weekend: no day is worked",
        ),
        ('{"kind":"now","at":"2026-11-23T00:00:00Z","negotiation":"m"}', "no negotiation m"),
        ("[" * 100_000, "not JSON"),
    ],
)
def test_a_line_that_cannot_be_read_is_invalid_and_the_next_is_read(line, why):
    answers = list(simulate([json.dumps(OPEN), line, json.dumps(offer(hour=1))]))
    assert (answers[1]["line"], answers[1]["outcome"]) == (2, "invalid")
    assert why in answers[1]["error"]
    assert answers[2]["states"] == {"o": "effective"}


def test_a_history_has_its_longest(monkeypatch):
    monkeypatch.setattr(simulation, "LINES_MAX", 2)
    answers = run(OPEN, offer(), accept(), accept(id="b"))
    assert [each["outcome"] for each in answers] == ["accepted", "accepted", "invalid"]


def test_a_thousand_lines_of_one_negotiation_are_run_in_no_time():
    """Each is judged by what the lines before it left behind: nothing is folded twice."""
    lines = [offer("c0"), *(
        {**offer(f"c{number}", "sb"[number % 2], number / 60), "kind": "counter", "about": f"c{number - 1}"}
        for number in range(1, 1000)
    )]  # fmt: skip
    started = process_time()
    answers = run(OPEN, *lines)
    assert answers[-1]["states"]["c999"] == "effective"
    assert process_time() - started < 4, "seconds; 0.5 on a machine of its own, 10 if each line folded them all"


def test_time_does_not_go_back():
    answers = run(OPEN, offer(hour=2), offer("p", hour=1), accept(hour=2))
    assert [each["outcome"] for each in answers] == ["accepted", "accepted", "invalid", "accepted"]


def test_without_a_name_it_is_the_only_negotiation():
    assert run(offer())[0]["error"] == "negotiation: which of 0?"
    assert run(*three()[:2], offer())[2]["error"] == "negotiation: which of 2?"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["o", "1", "1E9", at(1), "accept"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*TERMS, *LINES, "x", "price"]), inner, max_size=3)
    ),
    max_leaves=6,
)
FIELDS = ("kind", "id", "by", "about", "at", "reached_at", "sent_at", "claimed_at", "offer", "lines", "changes", "limit",
          "terms_hash", "expected_version", "picks", "demand", "among", "places", "materiality", "buyer")  # fmt: skip


@given(st.sampled_from([OPEN, offer(), accept(), award(("n", "o", {}))]), st.sampled_from(FIELDS), JSON)
@settings(deadline=None)
def test_no_value_of_any_field_breaks_it(entry, field, value):
    answers = run({**OPEN, "negotiation": "m"}, OPEN, {**offer(), "negotiation": "n"}, {**entry, field: value})
    assert all("outcome" in each for each in answers)


@given(st.lists(st.text(alphabet='{}[]":,0123456789abkind \n\x00é', max_size=30), max_size=5))
@settings(deadline=None)
def test_no_text_breaks_it(lines):
    assert all(each["outcome"] == "invalid" for each in simulate(lines) if "kind" not in each)
