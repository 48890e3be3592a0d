"""What single codes and elements come to mean: the readings that a deal depends on, message text in, document out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.edi.test_maps_roundtrip import map_of
from tradehub.edi.segments import Severity


def read(standard: str, message: str, *segments: str) -> dict[str, Any]:
    separators = ("*", ">") if standard == "x12" else ("+", ":")
    return map_of(standard, message).read(list(segments), *separators).document


@pytest.mark.parametrize(
    ("code", "response"),
    [("AT", "accepted"), ("AD", "accepted"), ("AK", "accepted"), ("AC", "accepted_with_change"), ("RO", "counter_offer"),
     ("RJ", "rejected"), ("AH", "received")],
)  # fmt: skip
def test_the_acknowledgment_type_of_an_855_is_the_answer(code: str, response: str):
    assert read("x12", "855", f"BAK*00*{code}*PO-1*20260101")["response"] == response


@pytest.mark.parametrize(
    ("bgm", "response"),
    [("231+1+29", "accepted"), ("231+1+29+AP", "accepted"), ("231+1+27", "rejected"), ("231+1+30", "accepted_with_change"),
     ("231+1+28", "accepted_with_change"), ("231+1+52", "counter_offer"), ("231+1+9+AB", "received"), ("231+1+9+RE", "rejected")],
)  # fmt: skip
def test_the_function_or_the_response_type_of_an_ordrsp_is_the_answer(bgm: str, response: str):
    assert read("edifact", "ORDRSP", f"BGM+{bgm}", "DTM+137:20260101:102", "UNS+S")["response"] == response


@pytest.mark.parametrize(
    ("code", "status"),
    [("IA", "accepted"), ("IP", "price_changed"), ("IQ", "quantity_changed"), ("IR", "rejected"), ("IF", "on_hold")],
)
def test_a_line_status_of_an_855_follows_the_dictionary_and_not_the_blogs(code: str, status: str):
    line = read("x12", "855", "BAK*00*AC*PO-1*20260101", "PO1*1*5*EA", f"ACK*{code}*5*EA")["lines"][0]
    assert line["responses"] == [{"status": status, "quantity": {"value": Decimal(5), "unit": "EA"}}]


def test_purpose_16_is_a_counter_in_an_840_and_a_proposal_in_an_843():
    assert read("x12", "840", "BQT*16*RFQ-1*20260101", "REF*PR*Q-7")["action"] == "proposed_amendment"
    assert read("x12", "843", "BQR*16*RFQ-1*20260101", "REF*Q1*Q-7")["action"] == "proposal"


def test_a_counter_names_the_offer_it_answers():
    x12 = read("x12", "840", "BQT*16*RFQ-1*20260101", "REF*PR*Q-7")
    edifact = read("edifact", "REQOTE", "BGM+311+RFQ-1+52", "DTM+137:20260101:102", "RFF+AAG:Q-7")
    assert [(each["type"], each["value"]) for each in x12["references"]] == [("offer", "Q-7")]
    assert [(each["type"], each["value"]) for each in edifact["references"]] == [("offer", "Q-7")]
    assert edifact["action"] == "proposed_amendment"


def test_the_total_of_an_810_has_two_implied_decimals():
    assert read("x12", "810", "BIG*20260101*I-1", "TDS*5635800")["totals"]["payable"] == Decimal("56358.00")


def test_a_name_too_long_for_one_component_goes_on_in_the_next_and_comes_back_whole():
    name = "Gate valve DN50 PN16 cast iron with handwheel, flanged EN 1092-2"
    line = {"number": "1", "item": {"name": name}}
    orders = map_of("edifact", "ORDERS")
    document, findings = orders.decode(orders.encode({"number": "1", "lines": [line]}))
    assert document["lines"][0]["item"]["name"] == name
    assert [each for each in findings if each.finding.severity is Severity.ERROR and each.tag == "IMD"] == []


def test_shipment_totals_before_the_invoice_total_are_a_habit_and_no_fault():
    found = (
        map_of("x12", "810")
        .read(["BIG*20260101*I-1", "IT1*1*1*EA*5", "ISS*1*EA", "TDS*500", "CTT*1"], "*", ">")
        .findings
    )
    assert [(each.tag, each.finding.severity) for each in found] == [("ISS", Severity.WARNING)]


def test_an_incoterm_says_by_which_rules_it_is_meant():
    terms = {"delivery_terms": {"incoterm": "FOB", "place": "Ningbo"}}
    fob = next(each for each in map_of("x12", "850").encode({"number": "1", **terms}) if each.tag == "FOB")
    assert fob.elements == ("DF", "ZZ", "Ningbo", "01", "FOB")
