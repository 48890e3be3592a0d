"""What the X12 messages between order and payment come to mean: a partner's message in, what a user would expect out,
and the same message again."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from tests.edi.engine import maps
from tradehub.documents import KINDS
from tradehub.edi.segments import Severity

RELEASES = ("004010", "005010")

MESSAGES: dict[str, list[str]] = {
    "214": [
        "B10*PRO-1*SHP-9*ABCD",
        "L11*BOL-5*BM",
        "N1*SH*Valves Ltd",
        "N1*CN*Lakeside Tools",
        "N3*1 Dock Road",
        "N4*Erie*PA*16501*US",
        "LX*1",
        "AT7*AF*NS***20260320*0800*LT",
        "MS1*Cleveland*OH*US",
        "MS2*ABCD*T123",
        "AT7*X2*NS***20260321*1400*LT",
        "AT8*G*K*820*4",
    ],
    "812": [
        "BCD*20260410*CM-8*I*5000*C*20260402*INV-1**20260105*PO-4711*00",
        "CUR*SE*USD",
        "N9*RV*RA-31",
        "N1*SE*Valves Ltd*92*V7",
        "N1*BY*Lakeside Tools*92*1001",
        "CDD*01*C**3000***4*EA**UCP*7.5",
        "LIN**VP*GV-50",
        "CDD*06*C**2000",
    ],
    "820": [
        "BPR*C*9750.5*C*ACH*CTX*01*021000021*DA*1111*1234567890**01*031000503*DA*2222*20260515",
        "TRN*1*T-900",
        "CUR*PR*USD",
        "REF*VV*V-12",
        "DTM*097*20260513",
        "N1*PR*Lakeside Tools*92*1001",
        "N1*PE*Valves Ltd*92*V7",
        "ENT*1",
        "ADX*-50*01*CM*CM-8",
        "RMR*IV*INV-1*PO*4900*5000*100",
        "REF*PO*PO-4711",
        "DTM*003*20260410",
        "RMR*IV*INV-2*PO*4900.5*5000.5*100",
        "ADX*-12.25*59",
        "NTE**Two pieces damaged",
    ],
    "824": [
        "BGN*00*AA-1*20260403*0930",
        "N1*FR*Lakeside Tools*92*1001",
        "N1*TO*Valves Ltd*92*V7",
        "OTI*TR*SI*ASN-77***20260402**12*0001*856",
        "TED*007*Packing slip number missing*REF*9**127",
        "NTE**Send it again with REF PK",
        "OTI*TA*SI*ASN-78***20260402**12*0002*856",
    ],
    "830": [
        "BFR*05*FC-2026-10*R17*DL*A*20260301*20260531*20260225**K-77*PO-4711",
        "N1*BY*Lakeside Tools*92*1001",
        "N1*SU*Valves Ltd*92*V7",
        "LIN*1*BP*4500*VP*GV-50",
        "UIT*EA",
        "PID*F****Gate valve DN50",
        "REF*DK*D3",
        "ATH*FI*20260315*3528**20260101",
        "ATH*MT*20260430*5200**20260101",
        "FST*100*C*W*20260302",
        "FST*400*D*M*20260401*20260430",
        "SHP*01*80*011*20260220",
        "REF*SI*ASN-70",
        "SHP*02*1880*011*20260101**20260220",
        "CTT*1",
    ],
    "832": [
        "BCT*PC*CAT-26*3******Valves and fittings*00",
        "REF*CT*K-77",
        "DTM*007*20260401",
        "DTM*036*20260930",
        "CUR*SE*USD",
        "N1*SE*Valves Ltd*UL*4012345000009",
        "LIN*1*VP*GV-50*UP*012345678905",
        "G53*001",
        "CTB*OR**57*10",
        "CTB*OR**69*5",
        "PID*F****Gate valve DN50",
        "MEA*PD*WT*2.4*KG",
        "CTP**UCP*12.5*1*EA",
        "CTP**MSR*19*1*EA",
        "LIN*2*VP*GV-80",
        "G53*002",
        "CTT*2",
    ],
    "846": [
        "BIA*00*SI*IV-8*20260401*0600",
        "N1*SE*Valves Ltd*92*V7",
        "N1*WH*Warehouse North*92*W1",
        "LIN*1*VP*GV-50*BP*4500",
        "PID*F****Gate valve DN50",
        "QTY*17*120*EA",
        "QTY*33*80*EA",
        "QTY*63*200*EA",
        "DTM*067*20260420",
        "CTT*1",
    ],
    "860": [
        "BCH*04*SA*PO-4711**2*20260105***CHG-9**20260112",
        "CUR*BY*USD",
        "REF*CT*K-77",
        "DTM*002*20260301",
        "N9*L1**Notes",
        "MSG*Please confirm by Friday",
        "N1*BY*Lakeside Tools*92*1001",
        "N1*ST*Lakeside Tools, dock 3*92*1003",
        "POC*1*QI*150*150*EA*12.5*PE*BP*4500*VP*GV-50",
        "PID*F****Gate valve DN50",
        "DTM*002*20260315",
        "POC*2*DI*20*0*EA*3.1*PE*BP*4510",
        "CTT*2",
    ],
    "861": [
        "BRA*RA-31*20260402*00*2*1015",
        "REF*BM*BOL-5",
        "DTM*050*20260402*1000",
        "PRF*PO-4711***20260105",
        "N1*ST*Lakeside Tools*92*1003",
        "N1*SF*Valves Ltd*92*V7",
        "RCD*1*100*EA*5*EA*3*EA*01*2*EA*02",
        "LIN**BP*4500*VP*GV-50",
        "MAN*GM*00340123450000000018",
        "CTT*1",
    ],
    "862": [
        "BSS*05*SS-12*20260301*DL*20260302*20260308*R17**K-77*PO-4711*A",
        "N1*ST*Lakeside Tools*92*1003",
        "N1*SU*Valves Ltd*92*V7",
        "LIN*1*BP*4500",
        "UIT*EA",
        "REF*DK*D3",
        "FST*40*C*D*20260303**002*0700*DO*K-001",
        "FST*60*C*D*20260304**002*1300",
        "SHP*02*1880*011*20260101**20260220",
        "CTT*1",
    ],
    "865": [
        "BCA*00*AC*PO-4711**2*20260105***ACK-3*20260113",
        "REF*VN*SO-88",
        "POC*1*QI*150*150*EA*12.5*PE*BP*4500",
        "ACK*IQ*120*EA*068*20260320",
        "POC*2*DI*20*0*EA",
        "ACK*IA*20*EA",
        "CTT*2",
    ],
    "869": [
        "BSI*Q-5*20260320*PA***1015",
        "HL*1**O",
        "PRF*PO-4711***20260105",
        "HL*2*1*I",
        "LIN**BP*4500",
        "QTY*38*100*EA",
        "CTT*2",
    ],
    "870": [
        "BSR*1*PA*R-6*20260321***0800*Q-5*20260320",
        "N1*SE*Valves Ltd*92*V7",
        "HL*1**O",
        "PRF*PO-4711***20260105",
        "ISR*IN",
        "HL*2*1*I",
        "PO1*1*100*EA*12.5**BP*4500",
        "ISR*CP*20260318",
        "QTY*39*60*EA",
        "ISR*BK*20260405",
        "CTT*2",
    ],
}


OTHERWISE: dict[tuple[str, str], list[str]] = {
    ("214", "005010"): [
        "B10*PRO-1*SHP-9*ABCD",
        "LX*1",
        "L11*BOL-5*BM",
        "AT8*G*K*820*4",
        "AT7*AF*NS***20260320*0800*LT",
        "MS1*Cleveland*OH*US",
        "MS2*ABCD*T123",
        "AT7*X2*NS***20260321*1400*LT",
        "N1*SH*Valves Ltd",
        "N1*CN*Lakeside Tools",
        "N3*1 Dock Road",
        "N4*Erie*PA*16501*US",
    ],
}
"""Messages that are put otherwise in a later release."""


def moment(*parts: int) -> datetime:
    """Return a moment as X12 states it: of no time zone."""
    return datetime(*parts)  # noqa: DTZ001  # type: ignore[arg-type]


EXPECTED: dict[str, dict[str, Any]] = {
    "860": {
        "number": "CHG-9",
        "action": "change",
        "type": "order",
        "issued_on": date(2026, 1, 12),
        "currency": "USD",
        "references[order].value": "PO-4711",
        "references[order].on": date(2026, 1, 5),
        "references[change].value": "2",
        "dates[requested_delivery].on": date(2026, 3, 1),
        "notes.0.text": "Please confirm by Friday",
        "parties[buyer].name": "Lakeside Tools",
        "lines.0.action": "increase_quantity",
        "lines.0.quantity": {"value": Decimal(150), "unit": "EA"},
        "lines.0.outstanding_quantity": {"value": Decimal(150)},
        "lines.0.price": {"amount": Decimal("12.5"), "type": "per_each"},
        "lines.0.item.name": "Gate valve DN50",
        "lines.0.dates[requested_delivery].on": date(2026, 3, 15),
        "lines.1.action": "delete",
        "lines.1.outstanding_quantity": {"value": Decimal(0)},
    },
    "865": {
        "number": "ACK-3",
        "response": "accepted_with_change",
        "issued_on": date(2026, 1, 13),
        "references[order].value": "PO-4711",
        "references[change].value": "2",
        "references[seller_order].value": "SO-88",
        "lines.0.responses.0": {
            "status": "quantity_changed",
            "quantity": {"value": Decimal(120), "unit": "EA"},
            "date_type": "scheduled_ship",
            "on": date(2026, 3, 20),
        },
        "lines.1.responses.0.status": "accepted",
    },
    "861": {
        "number": "RA-31",
        "type": "post_receipt",
        "issued_at": time(10, 15),
        "references[order].value": "PO-4711",
        "references[bill_of_lading].value": "BOL-5",
        "dates[received].at": moment(2026, 4, 2, 10, 0),
        "lines.0.quantity": {"value": Decimal(100), "unit": "EA"},
        "lines.0.rejected": {"value": Decimal(5), "unit": "EA"},
        "lines.0.discrepancies": [
            {"type": "damaged", "value": Decimal(3), "unit": "EA"},
            {"type": "short", "value": Decimal(2), "unit": "EA"},
        ],
        "lines.0.sscc": "00340123450000000018",
    },
    "820": {
        "handling": "payment_with_advice",
        "total": Decimal("9750.5"),
        "is_debit": False,
        "means": "2",
        "trace": "T-900",
        "issued_on": date(2026, 5, 13),
        "dates[value].on": date(2026, 5, 15),
        "accounts.0": {
            "role": "payer",
            "bank_scheme": "aba",
            "bank": "021000021",
            "account_scheme": "demand_deposit",
            "account": "1111",
        },
        "accounts.1.account": "2222",
        "corrections.0.amount": Decimal(-50),
        "corrections.0.references[credit_note].value": "CM-8",
        "allocations.0.type": "invoice",
        "allocations.0.number": "INV-1",
        "allocations.0.paid": Decimal(4900),
        "allocations.0.due": Decimal(5000),
        "allocations.0.discount": Decimal(100),
        "allocations.0.references[order].value": "PO-4711",
        "allocations.0.dates[invoice].on": date(2026, 4, 10),
        "allocations.1.corrections.0": {
            "amount": Decimal("-12.25"),
            "reason_code": "59",
            "reason": "Two pieces damaged",
        },
    },
    "824": {
        "number": "AA-1",
        "response": "rejected",
        "subject": {"type": "shipment", "value": "ASN-77", "on": date(2026, 4, 2)},
        "subject_type": "856",
        "subject_control": "0001",
        "judgements.0": {
            "code": "missing",
            "text": "Packing slip number missing",
            "segment": "REF",
            "position": 9,
            "more_texts": ["Send it again with REF PK"],
        },
        "others.0.response": "accepted",
        "others.0.subject.value": "ASN-78",
    },
    "830": {
        "type": "forecast",
        "number": "FC-2026-10",
        "action": "replace",
        "date_basis": "delivery",
        "quantity_basis": "actual",
        "horizon": {"start": date(2026, 3, 1), "end": date(2026, 5, 31)},
        "references[release].value": "R17",
        "lines.0.unit": "EA",
        "lines.0.authorizations.0": {
            "type": "finished_goods",
            "quantity": {"value": Decimal(3528)},
            "on": date(2026, 1, 1),
            "until": date(2026, 3, 15),
        },
        "lines.0.plan.0": {
            "quantity": {"value": Decimal(100)},
            "status": "firm",
            "pattern": "weekly",
            "on": date(2026, 3, 2),
        },
        "lines.0.plan.1.status": "planned",
        "lines.0.plan.1.until": date(2026, 4, 30),
        "lines.0.quantities.0.references[shipment].value": "ASN-70",
        "lines.0.quantities.1.type": "cumulative",
        "lines.0.quantities.1.quantity": {"value": Decimal(1880)},
    },
    "862": {
        "type": "call_off",
        "number": "SS-12",
        "horizon.end": date(2026, 3, 8),
        "lines.0.references[dock].value": "D3",
        "lines.0.plan.0": {
            "quantity": {"value": Decimal(40)},
            "status": "firm",
            "pattern": "discrete",
            "type": "requested_delivery",
            "on": date(2026, 3, 3),
            "at": moment(2026, 3, 3, 7, 0),
            "references": [{"type": "delivery_order", "value": "K-001"}],
        },
        "lines.0.quantities.0.type": "cumulative",
    },
    "832": {
        "type": "price_catalogue",
        "number": "CAT-26",
        "version": "3",
        "title": "Valves and fittings",
        "dates[valid_from].on": date(2026, 4, 1),
        "dates[valid_until].on": date(2026, 9, 30),
        "lines.0.action": "change",
        "lines.0.min_quantity": Decimal(10),
        "lines.0.order_multiple": Decimal(5),
        "lines.0.measurements.0": {"type": "weight", "quantity": {"value": Decimal("2.4"), "unit": "KGM"}},
        "lines.0.more_prices.0": {
            "type": "unit_cost",
            "amount": Decimal("12.5"),
            "basis": {"value": Decimal(1), "unit": "EA"},
        },
        "lines.0.more_prices.1.type": "list",
        "lines.1.action": "delete",
    },
    "846": {
        "type": "seller_inventory",
        "number": "IV-8",
        "issued_at": time(6, 0),
        "parties[warehouse].name": "Warehouse North",
        "lines.0.quantities.0": {"type": "on_hand", "quantity": {"value": Decimal(120), "unit": "EA"}},
        "lines.0.quantities.1.type": "available",
        "lines.0.quantities.2.type": "on_order",
        "lines.0.quantities.2.dates[scheduled_delivery].on": date(2026, 4, 20),
    },
    "812": {
        "type": "credit_note",
        "number": "CM-8",
        "totals.payable": Decimal("50.00"),
        "references[invoice].value": "INV-1",
        "references[order].value": "PO-4711",
        "lines.0.reason": "01",
        "lines.0.action": "credit",
        "lines.0.net_amount": Decimal("30.00"),
        "lines.0.quantity": {"value": Decimal(4), "unit": "EA"},
        "lines.0.price": {"type": "unit_cost", "amount": Decimal("7.5")},
        "lines.1.net_amount": Decimal("20.00"),
    },
    "869": {
        "type": "order_enquiry",
        "number": "Q-5",
        "issued_at": time(10, 15),
        "references[order].value": "PO-4711",
        "lines.0.item.ids": [{"scheme": "buyer", "value": "4500"}],
        "lines.0.quantity": {"value": Decimal(100), "unit": "EA"},
    },
    "870": {
        "type": "order_report",
        "action": "response",
        "references[status_inquiry].value": "Q-5",
        "references[order].value": "PO-4711",
        "events.0.status": "in_process",
        "lines.0.quantity": {"value": Decimal(100), "unit": "EA"},
        "lines.0.events.0": {
            "status": "shipped_in_part",
            "on": date(2026, 3, 18),
            "quantity": {"value": Decimal(60), "unit": "EA"},
            "quantity_type": "shipped",
        },
        "lines.0.events.1.status": "backordered",
    },
    "214": {
        "type": "transport",
        "references[carrier_reference].value": "PRO-1",
        "references[shipment].value": "SHP-9",
        "references[bill_of_lading].value": "BOL-5",
        "transport.0.carrier": "ABCD",
        "gross_weight": {"value": Decimal(820), "unit": "KGM"},
        "package_count": 4,
        "events.0": {
            "status": "departed_pickup",
            "reason": "normal",
            "on": date(2026, 3, 20),
            "at": moment(2026, 3, 20, 8, 0),
            "address": {"city": "Cleveland", "region": "OH", "country": "US"},
            "carrier": "ABCD",
            "vehicle": "T123",
        },
        "events.1.status": "estimated_arrival",
        "parties[consignee].address.city": "Erie",
    },
}

EVERY = pytest.mark.parametrize(
    ("number", "release"), [(number, release) for number in sorted(MESSAGES) for release in RELEASES]
)


def message(number: str, release: str) -> list[str]:
    """Return the message as a release puts it: free text stands in MTX from 005010 on."""
    if (number, release) in OTHERWISE:
        return OTHERWISE[number, release]
    if release == "004010":
        return MESSAGES[number]
    return [each.replace("MSG*", "MTX**") if each.startswith("MSG*") else each for each in MESSAGES[number]]


def value(document: Any, path: str) -> Any:
    """Return what stands at a path: fields, places of lists, and ``dates[due]`` for the item of a type or role."""
    for step in path.split("."):
        name, _, key = step.partition("[")
        document = document[int(name)] if name.isdigit() else document[name]
        if key:
            document = next(each for each in document if key.rstrip("]") in {each.get("type"), each.get("role")})
    return document


@EVERY
def test_a_partners_message_means_what_a_user_expects(number: str, release: str):
    read = maps().get("x12", number, release).read(message(number, release), "*", ">")
    assert read.findings == []
    assert {path: value(read.document, path) for path in EXPECTED[number]} == EXPECTED[number]
    KINDS[maps().spec("x12", number, release).head.document].model_validate(read.document)


@EVERY
def test_it_is_written_again_the_same(number: str, release: str):
    rules = maps().get("x12", number, release)
    raw = message(number, release)
    assert rules.write(rules.read(raw, "*", ">").document, "*", ">") == raw


@EVERY
def test_what_the_hub_writes_of_it_means_the_same(number: str, release: str):
    """Without what was kept of the partner's own form; what only reads back is named."""
    rules = maps().get("x12", number, release)
    document = rules.read(message(number, release), "*", ">").document
    document.pop("extensions", None)
    again = rules.read(rules.write(document, "*", ">"), "*", ">")
    assert [each for each in again.findings if each.finding.severity is Severity.ERROR] == []
    again.document.pop("extensions", None)
    left_out = {"gross_weight", "package_count"} if number == "214" else set()
    assert again.document == {name: each for name, each in document.items() if name not in left_out}


def test_an_adjustment_beside_the_open_item_is_a_correction_of_it():
    rules = maps().get("x12", "820", "005010")
    raw = ["BPR*I*90*C*CHK", "N1*PE*Valves Ltd", "ENT*1", "RMR*IV*INV-1**90*100**CM*10"]
    read = rules.read(raw, "*", ">")
    assert read.document["allocations"][0]["corrections"] == [{"reason_code": "CM", "amount": Decimal(10)}]
    assert rules.write(read.document, "*", ">") == raw


def test_the_seller_may_propose_a_change_of_its_own():
    read = maps().get("x12", "865", "004010").read(["BCA*19**PO-1***20260105", "POC*1*CT*5*5*EA"], "*", ">")
    assert read.document["action"] == "proposed_amendment"
    assert read.document["lines"][0]["action"] == "change_dates"


def test_each_line_of_a_report_on_several_orders_names_its_own():
    raw = ["BSR*3*PA*R-1*20260321", "HL*1**O", "PRF*PO-1", "HL*2*1*I", "PO1*1*5*EA", "ISR*CC*20260320", "HL*3**O", "PRF*PO-2",
           "ISR*IN", "HL*4*3*I", "PO1*1*8*EA", "CTT*4"]  # fmt: skip
    rules = maps().get("x12", "870", "004010")
    document = rules.read(raw, "*", ">").document
    orders = [[(each["type"], each["value"]) for each in line["references"]] for line in document["lines"]]
    assert orders == [[("order", "PO-1")], [("order", "PO-1")], [("order", "PO-2")], [("order", "PO-2")]]
    assert [each.get("level") for each in document["lines"]] == ["order", None, "order", None]
    assert document["lines"][2]["events"] == [{"status": "in_process"}]
    assert rules.write(document, "*", ">") == raw


@pytest.mark.parametrize("also", [[], ["HL*3**O", "PRF*PO-2", "N1*ST*Ningbo"]])
def test_an_inquiry_tells_days_parties_and_references_of_the_order_it_asks_about(also):
    raw = ["BSI*Q-1*20260320*PA", "HL*1**O", "PRF*PO-1", "DTM*002*20260401", "REF*CT*C-9", "N1*BY*Haidi", "HL*2*1*I", "LIN**BP*4500",
           *also, f"CTT*{2 + bool(also)}"]  # fmt: skip
    rules = maps().get("x12", "869", "004010")
    document = rules.read(raw, "*", ">").document
    assert "extensions" not in document
    assert rules.write(document, "*", ">") == raw


def test_a_line_whose_order_no_level_names_is_reported_below_one_of_its_own():
    line = {"number": "1", "references": [{"type": "order", "value": "PO-2"}], "events": [{"status": "shipped"}]}
    document = {"number": "R-1", "issued_on": date(2026, 3, 21), "lines": [line]}
    written = maps().get("x12", "870", "004010").write(document, "*", ">")
    assert "PRF*PO-2" in written


def test_days_behind_the_carrier_details_of_a_catalogue_are_a_habit():
    raw = ["BCT*PC*C-1", "LIN*1*VP*GV-50", "TD4*PFH", "DTM*007*20260401", "CTP**UCP*12.5", "CTT*1"]
    found = maps().get("x12", "832", "004010").read(raw, "*", ">").findings
    assert [(each.tag, each.finding.severity) for each in found] == [("DTM", Severity.WARNING)]


def test_a_loop_between_ls_and_le_is_not_begun_by_a_party_of_the_line():
    raw = ["BCT*PC*C-1", "LIN*1*VP*GV-50", "CTP**UCP*12.5", "N1*SE*Valves Ltd", "REF*DP*7", "CTT*1"]
    read = maps().get("x12", "832", "005010").read(raw, "*", ">")
    assert read.findings == []
    assert read.document["lines"][0]["parties"][0]["role"] == "seller"


def test_a_loop_that_should_stand_between_ls_and_le_is_read_without_them():
    raw = ["BEG*00*SA*PO-1**20260105", "PO1*1*5*EA", "LDT*AF*5*DA", "CTT*1"]
    assert maps().get("x12", "850", "004010").read(raw, "*", ">").findings == []


@pytest.mark.parametrize("release", RELEASES)
def test_a_pallet_of_cases_keeps_its_serial_numbers_in_the_tree_of_a_ship_notice(release: str):
    raw = [
        "BSN*00*ASN-1*20260301*0900",
        "HL*1**S",
        "HL*2*1*O",
        "PRF*PO-1***20260105",
        "HL*3*2*T",
        "MAN*GM*00340123450000000018",
        "HL*4*3*P",
        "MAN*GM*00340123450000000025",
        "HL*5*4*I",
        "LIN*1*BP*4500",
        "SN1**10*EA",
        "CTT*5",
    ]
    rules = maps().get("x12", "856", release)
    document = rules.read(raw, "*", ">").document
    assert [(each["kind"], each.get("parent"), each.get("sscc")) for each in document["packages"]] == [
        ("shipment", None, None),
        ("order", "1", None),
        ("tare", "2", "00340123450000000018"),
        ("pack", "3", "00340123450000000025"),
    ]
    assert document["lines"][0]["package"] == "4"
    assert document["lines"][0]["references"] == [{"type": "order", "value": "PO-1", "on": date(2026, 1, 5)}]
    assert document.pop("extensions", None) is None
    assert rules.write(document, "*", ">") == raw
