"""TRADACOMS: files of header, detail and trailer messages; each detail message is a document with what its header says."""

from __future__ import annotations

import os
import re
from copy import deepcopy
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.edi.engine import maps
from tradehub.documents import KINDS
from tradehub.edi import (
    EnvelopeFacts,
    Fault,
    Id,
    ReadMessage,
    acknowledge,
    message,
    read,
    write_back,
    write_interchange,
)

NOON = datetime(2024, 3, 1, 12, 0)  # noqa: DTZ001
HEADER = "TYP=0430+NEW-ORDERS'SDT=5000000000012:S77+SELLER LTD'CDT=5000000000029+BUYER PLC'FIL=12+1+240301'"
FIRST = "CLO=5000000000036'ORD=PO-1::240301'DIN=240310+++RING FIRST'OLD=1+5000000000043+++12+10+12500+++LAMP:RED'OTR=1'"
SECOND = "CLO=:SHOP 2'ORD=PO-2::240301'OLD=1+:X?+1+++12+4'OLD=2+:X2+++6+5'OTR=2'"


def msg(number: int, kind: str, body: str, version: str = "9") -> str:
    return f"MHD={number}+{kind}:{version}'{body}MTR={len(re.findall(chr(39), body)) + 2}'"


ORDERS = (
    "STX=ANA:1+5000000000029:BUYER PLC+5000000000012:SELLER LTD+240301:120000+77++ORDHDR'"
    + msg(1, "ORDHDR", HEADER)
    + msg(2, "ORDERS", FIRST)
    + msg(3, "ORDERS", SECOND)
    + msg(4, "ORDTLR", "OFT=2'")
    + "END=4'"
)
STX = ORDERS[: ORDERS.index("MHD")]
INVOICE = (
    "STX=ANAA:1+5000000000012:SELLER LTD+5000000000029:BUYER PLC+240301:120000+9++INVFIL'"
    + msg(1, "INVFIL", "TYP=0700'SDT=5000000000012'CDT=5000000000029+BUYER PLC+HIGH STREET:TOWN:::AB1 2CD'FIL=25+1+240301'")
    + msg(
        2, "INVOIC",
        "CLO=5000000000036'IRF=INV-7+240301+240229'PYT=1++240331:0+30'ODD=1+PO-1:S-9:240210+DN-3:240228'"
        "ILD=1+1+5000000000043+++1+15+80197+1202900+S+20000++++149900++149900+1045600+46500'DNC=1+1+1++082:L-1'"
        "STL=1+S+20000+1+120290+++++120290++120290+24058++144348'TLR=1+120290+++++120290++120290+24058++144348'",
    )
    + msg(3, "VATTLR", "VRS=1+S+20000+120290+120290+24058++144348'")
    + msg(4, "INVTLR", "TOT=120290+120290+24058++144348+1'")
    + msg(5, "RSGRSG", "RSG=9+5000000000029'", "2")
    + "END=5'"
)  # fmt: skip
DELIVERY = (
    "STX=ANA:1+5000000000012+5000000000029+240301:120000+5++DELHDR'"
    + msg(1, "DELHDR", "TYP=0600'SDT=5000000000012'CDT=5000000000029'FIL=3+1+240301'")
    + msg(2, "DELIVR", "CLO=5000000000036'DEL=DN-3:240228+X'ORF=1+PO-1'DLD=1+1+5000000000043+++12+10'DTR=1'")
    + msg(3, "DELTLR", "DFT=1'")
    + "END=3'"
)


def taken(text: str) -> tuple[list[ReadMessage], list[tuple[Fault, str]]]:
    reading = read(text.encode(), maps())
    messages = list(reading)
    assert write_back(messages, maps()).decode() == text.replace("\n", "") or not messages
    whole = [issue for each in reading.interchanges for issue in each.issues]
    whole += [issue for each in reading.interchanges for group in each.groups for issue in group.issues]
    issues = [*reading.issues, *whole, *(issue for each in messages for issue in each.issues)]
    return messages, [(issue.fault, str(issue.at)) for issue in issues]


def test_each_order_is_a_document_with_what_its_file_says():
    (first, second), issues = taken(ORDERS)
    assert issues == []
    order = KINDS["order"].model_validate(first.document)
    assert (order.number, order.issued_on, order.type) == ("PO-1", date(2024, 3, 1), "order")
    assert order.party("seller").name == "SELLER LTD"
    assert order.party("seller").identifier("buyer") == "S77"
    assert order.party("buyer").identifier("gln") == "5000000000029"
    assert order.party("ship_to").identifier("gln") == "5000000000036"
    assert order.date_of("earliest_delivery") == date(2024, 3, 10)
    (line,) = order.lines
    assert (line.quantity.value, line.price.amount, line.item.name) == (Decimal(10), Decimal("1.2500"), "LAMP")
    other = KINDS["order"].model_validate(second.document)
    assert (other.number, other.party("seller").name) == ("PO-2", "SELLER LTD")
    assert [each.item.identifier("seller") for each in other.lines] == ["X+1", "X2"]


def test_an_invoice_has_its_amounts_with_their_implied_decimals():
    (one,), issues = taken(INVOICE)
    assert issues == []
    invoice = KINDS["invoice"].model_validate(one.document)
    assert (invoice.number, invoice.date_of("tax_point")) == ("INV-7", date(2024, 2, 29))
    assert (invoice.lines[0].price.amount, invoice.lines[0].net_amount) == (Decimal("8.0197"), Decimal("120.2900"))
    assert (invoice.totals.before_tax, invoice.totals.payable) == (Decimal("1202.90"), Decimal("1443.48"))
    assert [(each.category, each.rate, each.amount) for each in invoice.taxes] == [
        ("S", Decimal(20), Decimal("240.58"))
    ]
    assert (invoice.reference("order"), invoice.reference("despatch")) == ("PO-1", "DN-3")
    assert invoice.payment_terms[0].net_days == 30


def test_a_delivery_names_its_order_and_its_goods():
    (one,), issues = taken(DELIVERY)
    assert issues == []
    despatch = KINDS["despatch"].model_validate(one.document)
    assert (despatch.number, despatch.issued_on, despatch.reference("order")) == ("DN-3", date(2024, 2, 28), "PO-1")
    assert despatch.lines[0].quantity.value == 10


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("MTR=6'MHD=2", "MTR=7'MHD=2", [(Fault.WRONG_SEGMENT_COUNT, "segment 6 (MTR01)")]),
        ("OTR=1'MTR=7'", "OTR=1'MTR=8'", [(Fault.WRONG_SEGMENT_COUNT, "segment 7 (MTR01)")]),
        ("OTR=1'MTR=7'", "OTR=1'", [(Fault.MISSING_TRAILER, "segment 7 (MTR)")]),
        ("MHD=3+", "MHD=2+", [(Fault.DUPLICATE_CONTROL_NUMBER, "segment 1 (MHD01)")]),
        ("MHD=3+", "MHD=5+", [(Fault.CONTROL_NUMBER_MISMATCH, "segment 1 (MHD01)")]),
        ("MHD=3+", "MHD=+", [(Fault.MISSING_ELEMENT, "segment 1 (MHD01)")]),
        ("OFT=2", "OFT=3", [(Fault.WRONG_MESSAGE_COUNT, "segment 2 (OFT01)")]),
        ("END=4", "END=5", [(Fault.WRONG_MESSAGE_COUNT, "END01")]),
        ("END=4'", "", [(Fault.MISSING_TRAILER, "END")]),
        ("+77++", "+++", [(Fault.MISSING_ELEMENT, "STX05")]),
        ("OTR=2'", "OTR=9'", [(Fault.WRONG_SUM, "segment 6 (OTR01)")]),
        ("CLO=5000000000036'", "", [
            (Fault.WRONG_SEGMENT_COUNT, "segment 6 (MTR01)"), (Fault.MISSING_SEGMENT, "segment 2 (CLO)"),
        ]),
        ("FIL=12+1+240301", "FIL=12+1+240230", [(Fault.INVALID_DATE, "segment 5 (FIL03)")] * 2),
        ("+10+12500", "+1O+12500", [(Fault.INVALID_CHARACTER, "segment 5 (OLD06.1)")]),
        (msg(4, "ORDTLR", "OFT=2'") + "END=4'", "END=3'", [(Fault.MISSING_TRAILER, "ORDHDR")]),
        ("END=4'", "ZZZ=1'END=4'", [(Fault.TRAILING_GARBAGE, "ZZZ")]),
    ],
)  # fmt: skip
def test_a_fault_is_named_at_its_place_and_nowhere_else(old, new, expected):
    assert old in ORDERS
    reading = read(ORDERS.replace(old, new).encode(), maps())
    messages = list(reading)
    whole = [issue for each in reading.interchanges for issue in each.issues]
    whole += [issue for each in reading.interchanges for group in each.groups for issue in group.issues]
    found = [*whole, *(issue for each in messages for issue in each.issues)]
    assert [(issue.fault, str(issue.at)) for issue in found] == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (INVOICE.replace("RSG=9+", "RSG=8+"), [(Fault.CONTROL_NUMBER_MISMATCH, "segment 2 (RSG01)", "8")]),
        (INVOICE.replace("RSG=9+", "RSG=+"), [(Fault.CONTROL_NUMBER_MISMATCH, "segment 2 (RSG01)", "")]),
        (STX + msg(1, "ORDHDR", HEADER) + msg(2, "ORDTLR", "OFT=0'") + "END=2'", [(Fault.EMPTY_LEVEL, "ORDHDR", "")]),
        (STX + "END=0'", [(Fault.EMPTY_LEVEL, "END", "")]),
        (STX + "BAT=1'EOB=0'END=0'", [(Fault.EMPTY_LEVEL, "END", "")]),
        (STX + "MHD=1+ORDHDR:9'TYP=0430'", [
            (Fault.MISSING_TRAILER, "END", ""), (Fault.MISSING_TRAILER, "segment 3 (MTR)", ""),
            (Fault.MISSING_TRAILER, "ORDHDR", ""), (Fault.EMPTY_LEVEL, "ORDHDR", ""),
        ]),
        (STX + "END=0'" + ORDERS, [(Fault.EMPTY_LEVEL, "END", ""), (Fault.DUPLICATE_CONTROL_NUMBER, "STX05", "")]),
        (ORDERS.replace("MHD=1+", "ZZZ=1'MHD=1+").replace("'MTR=6'", "' 'MTR=6'"), [(Fault.TRAILING_GARBAGE, "ZZZ", "ZZZ=1")]),
    ],
)  # fmt: skip
def test_a_fault_of_a_file_or_a_transmission_is_placed_at_the_level_it_concerns(text, expected):
    reading = read(text.encode(), maps())
    list(reading)
    whole = [issue for each in reading.interchanges for issue in each.issues]
    whole += [issue for each in reading.interchanges for group in each.groups for issue in group.issues]
    assert [(issue.fault, str(issue.at), issue.value) for issue in whole] == expected


def test_a_fault_of_the_header_is_placed_in_the_header_message():
    messages, _ = taken(ORDERS.replace("SDT=5000000000012", "SDT=500000000001X"))
    (issue,) = messages[1].issues
    assert (issue.at.message, str(issue.at)) == ("1", "segment 3 (SDT01.1)")


@pytest.mark.parametrize(
    "dirt",
    [
        lambda text: text.replace("'", "'\r\n"),
        lambda text: text.replace("'", "'\n\t"),
        lambda text: "\ufeff" + text,
        lambda text: text.removesuffix("'"),
    ],
)
def test_a_dirty_file_is_read_all_the_same(dirt):
    messages = list(read(dirt(ORDERS).encode(), maps()))
    assert [(each.accepted, each.document["number"]) for each in messages] == [(True, "PO-1"), (True, "PO-2")]


def test_batches_hold_one_file_each():
    files = ORDERS[ORDERS.index("MHD=1") : ORDERS.index("END")]
    second = files
    for number in (4, 3, 2, 1):
        second = second.replace(f"MHD={number}+", f"MHD={number + 4}+")
    text = ORDERS[: ORDERS.index("MHD=1")] + f"BAT=1'{files}EOB=4'BAT=2'{second}EOB=4'END=8'"
    messages, issues = taken(text)
    assert (len(messages), issues) == (4, [])
    _, issues = taken(text.replace("EOB=4'END", "EOB=3'END"))
    assert issues == [(Fault.WRONG_MESSAGE_COUNT, "EOB01")]


def test_a_message_without_a_file_or_a_transmission():
    _, issues = taken(msg(1, "ORDERS", FIRST))
    assert issues == [(Fault.NOT_EDI, "interchange")]
    _, issues = taken("STX=ANA:1+A+B+240301+7'" + msg(1, "ORDERS", FIRST) + "END=1'")
    assert issues[0] == (Fault.BAD_ENVELOPE, "MHD")


def test_a_message_without_a_map_is_kept_and_said_to_be_unknown():
    text = ORDERS.replace("ORDERS:9", "PPRDET:2").replace("ORDHDR", "PPRHDR").replace("ORDTLR", "PPRTLR")
    messages, issues = taken(text)
    assert [each.document for each in messages] == [None, None]
    assert issues == [(Fault.UNKNOWN_MESSAGE, "segment 1 (MHD02.1)")] * 2


def test_there_is_no_answer_of_syntax():
    reading = read(ORDERS.encode(), maps())
    list(reading)
    assert acknowledge(reading.interchanges[0], at=NOON, control="1") == b""


FACTS = EnvelopeFacts("tradacoms", Id("", "5000000000029"), Id("", "5000000000012"), "77", NOON)


def written(kind: str, *documents: dict[str, object]) -> str:
    rules = maps().get("tradacoms", kind, "9")
    return write_interchange([message(rules, each, "") for each in documents], FACTS).decode()


def order(number: str, seller: str = "SELLER", name: str = "Lamp") -> dict[str, object]:
    lines = [
        {
            "item": {"ids": [{"scheme": "seller", "value": "X"}], "name": name},
            "number": str(at),
            "quantity": {"value": Decimal(at)},
        }
        for at in (1, 2)
    ]
    names = (("seller", "buyer", seller), ("buyer", "seller", "B"), ("ship_to", "buyer", "SHOP"))
    parties = [{"role": role, "ids": [{"scheme": scheme, "value": value}]} for role, scheme, value in names]
    return {"number": number, "type": "order", "issued_on": date(2024, 3, 1), "parties": parties, "lines": lines}


def test_orders_of_one_header_are_written_into_one_file():
    text = written("ORDERS", order("A"), order("B"))
    assert re.findall(r"MHD=(\d)\+(\w+)", text) == [("1", "ORDHDR"), ("2", "ORDERS"), ("3", "ORDERS"), ("4", "ORDTLR")]
    assert "FIL=77+1+240301'MTR=6'" in text
    assert "OFT=2'MTR=3'END=4'" in text
    messages = list(read(text.encode(), maps()))
    assert [(each.accepted, each.issues, each.document["number"]) for each in messages] == [
        (True, (), "A"), (True, (), "B"),
    ]  # fmt: skip


def test_orders_of_other_headers_are_written_into_files_of_their_own():
    text = written("ORDERS", order("A"), order("B", "OTHER"))
    assert re.findall(r"(BAT=\d|EOB=\d|END=\d|MHD=\d)", text) == [
        "BAT=1", "MHD=1", "MHD=2", "MHD=3", "EOB=3", "BAT=2", "MHD=4", "MHD=5", "MHD=6", "EOB=3", "END=6",
    ]  # fmt: skip
    assert taken(text)[1] == []


def test_an_invoice_is_written_with_the_counts_and_sums_that_it_has_to_state():
    line = {
        "number": "1", "item": {"ids": [{"scheme": "seller", "value": "X"}]}, "quantity": {"value": Decimal(3)},
        "price": {"amount": Decimal("1.10")}, "net_amount": Decimal("3.30"),
        "taxes": [{"category": "S", "rate": Decimal(20)}],
    }  # fmt: skip
    invoice = {
        "number": "I", "type": "invoice", "issued_on": date(2024, 3, 1), "parties": order("A")["parties"],
        "dates": [{"type": "tax_point", "on": date(2024, 3, 1)}],
        "references": [{"type": "order", "value": "A"}, {"type": "despatch", "value": "D"}], "lines": [line, deepcopy(line)],
        "taxes": [{"category": "S", "rate": Decimal(20), "basis": Decimal("6.60"), "amount": Decimal("1.32")}],
    }  # fmt: skip
    text = written("INVOIC", invoice)
    assert "STL=1+S+20000+2+660+++++660++660+132++792'TLR=1+660+++++660++660+132++792'" in text
    assert "VRS=1+S+20000+660+660+132++792'" in text
    assert "TOT=660+660+132++792+1'" in text
    assert taken(text)[1] == []


@given(
    name=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30)
    .map(str.strip)
    .filter(bool)
)
@settings(max_examples=50, deadline=None)
def test_any_text_goes_out_and_comes_back(name):
    (back,) = list(read(written("ORDERS", order("A", name=name)).encode(), maps()))
    assert [each["item"]["name"] for each in back.document["lines"]] == [name, name]


@given(cut=st.integers(0, len(ORDERS)), junk=st.text("'+:?= MHDTRSX019\n", max_size=12))
@settings(max_examples=100, deadline=None)
def test_no_damage_raises(cut, junk):
    reading = read((ORDERS[:cut] + junk + ORDERS[cut:]).encode(), maps())
    write_back(list(reading), maps())


SHARED = Path(os.environ.get("TRADEHUB_SHARED", Path(__file__).parents[2].parent / "shared"))
SAMPLES = sorted(path for path in (SHARED / "samples" / "edi").rglob("*tradacoms*") if path.is_file())


@pytest.mark.skipif(not SAMPLES, reason="no samples: set TRADEHUB_SHARED to the folder that holds samples/edi")
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_real_files_are_written_back_as_they_came(path):
    raw = path.read_bytes()
    messages = list(read(raw, maps()))
    assert messages
    flat = re.sub(rb"\s*\n\s*", b"", raw.removeprefix(b"\xef\xbb\xbf")).strip()
    assert write_back(messages, maps()).removesuffix(b"'") == flat.removesuffix(b"'")
