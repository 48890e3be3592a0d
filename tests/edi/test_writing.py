"""What a partner receives of a document that no message was read into: where each thing stands, and that none is lost."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from tests.edi.engine import SEPARATORS, every_map, maps
from tests.edi.test_properties_made import plain

Plain = dict[str, Any]

WITH_PRICES = {"ORDERS", "ORDCHG", "ORDRSP", "REQOTE", "QUOTES", "INVOIC", "PRICAT"}
PRICED = [key for key in every_map() if key[0] == "edifact" and key[1] in WITH_PRICES]


def written(message: str, document: Plain, tags: str, standard: str = "x12", release: str = "004010") -> list[str]:
    raw = maps().get(standard, message, release).write(document, *SEPARATORS[standard])
    return [each for each in raw if each[:3] in tags.split()]


@pytest.mark.parametrize(("standard", "message", "release"), PRICED)
@pytest.mark.parametrize(
    ("said", "segment"),
    [
        (None, "PRI+AAA:10"),
        ("net", "PRI+AAA:10"),
        ("invoice_price", "PRI+INV:10"),
        ("quoted", "PRI+AAA:10:QT"),
        ("gross", "PRI+AAB:10"),
        ("information", "PRI+AAE:10"),
        ("edifact:LBR", "PRI+AAA:10:LBR"),  # an unknown code of 5375 is none of 5125
        ("x12:ZZ", "PRI+AAA:10"),
    ],
)
def test_a_price_of_any_kind_is_written(standard: str, message: str, release: str, said: str | None, segment: str):
    price = {"amount": Decimal(10), **({"type": said} if said else {})}
    line = {"number": "1", "item": {"ids": [{"scheme": "gtin", "value": "4012345678901"}]}, "price": price}
    assert written(message, {"number": "1", "lines": [line]}, "PRI", standard, release) == [segment]


def test_another_price_that_is_quoted_does_not_take_the_place_of_the_price():
    """Found with made-up PRICATs: the second was written as AAA, and read as a price that was there already."""
    rules = maps().get("edifact", "PRICAT", "D24A")
    line = {
        "number": "1",
        "price": {"amount": Decimal("0.5"), "type": "per_each"},
        "more_prices": [{"amount": Decimal(8), "type": "quoted"}, {"amount": Decimal(9), "type": "wholesale"}],
    }
    raw = rules.write({"number": "1", "action": "original", "lines": [line]}, "+", ":")
    assert [each for each in raw if each[:3] == "PRI"] == ["PRI+AAA:0.5:PE", "PRI+AAB:8:QT", "PRI+AAB:9:WH"]
    assert plain(rules.read(raw, "+", ":").document)["lines"] == [line]


@pytest.mark.parametrize("form", ["719", "ZZZ", "/", "a-b"])
def test_a_period_keeps_the_format_it_came_in(form: str):
    """Found with made-up COMDIS: a format of other signs than letters and digits became part of the text."""
    rules = maps().get("edifact", "COMDIS", "D24A")
    document = rules.read(["BGM+++11", f"DTM+11:{'X' * 35}:{form}"], "+", ":").document
    assert f"DTM+11:{'X' * 35}:{form}" in rules.write(plain(document), "+", ":")


DAY = date(2026, 5, 4)


@pytest.mark.parametrize(
    ("message", "reference", "head", "others"),
    [
        ("855", {"type": "release", "value": "R-1"}, "BAK*00*AC*PO-1*20260504*R-1", []),
        ("855", {"type": "release", "value": "R-1", "text": "first"}, "BAK*00*AC*PO-1*20260504", ["REF*RE*R-1*first"]),
        ("855", {"type": "release", "text": "first"}, "BAK*00*AC*PO-1*20260504", ["REF*RE**first"]),
        ("855", {"type": "release", "value": "R" * 31}, "BAK*00*AC*PO-1*20260504", [f"REF*RE*{'R' * 31}"]),
        ("843", {"type": "change", "value": "A1"}, "BQR*00*RFQ-1*20260504*****A1", []),
        ("843", {"type": "change", "value": "AMENDMENT-12"}, "BQR*00*RFQ-1*20260504", ["REF*PP*AMENDMENT-12"]),
    ],
)
def test_a_reference_stands_in_the_head_segment_if_all_of_it_does(message, reference, head, others):
    of = {"855": {"type": "order", "value": "PO-1", "on": DAY}, "843": {"type": "inquiry", "value": "RFQ-1"}}[message]
    day = {} if message == "855" else {"issued_on": DAY}
    assert written(message, {**day, "references": [of, reference]}, "BAK BQR REF") == [head, *others]


def test_what_the_head_segment_demands_stands_there_whatever_else_is_said_of_it():
    order = {"type": "order", "value": "PO-1", "on": DAY, "text": "of the spring"}
    assert written("855", {"references": [order]}, "BAK REF") == ["BAK*00*AC*PO-1*20260504"]


@pytest.mark.parametrize(("message", "head", "due_at"), [("840", "BQT", "respond_by"), ("843", "BQR", "valid_until")])
def test_the_hour_at_which_an_answer_is_due_is_told(message: str, head: str, due_at: str):
    due = {"type": due_at, "on": DAY}
    in_head = written(message, {"number": "Q-1", "dates": [due]}, f"{head} DTM")
    assert [each.split("*")[-2:] for each in in_head] == [["036", "20260504"]]
    at = written(
        message, {"number": "Q-1", "dates": [{**due, "at": datetime.combine(DAY, time(14, 30))}]}, f"{head} DTM"
    )
    assert at[1:] == ["DTM*036*20260504*1430"]
    assert "036" not in at[0]
