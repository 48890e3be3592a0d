"""What the messages of the EDIFACT trade come to mean: a message as partners send it, the document that a user expects,
and the same message again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.edi.engine import every_map, maps
from tradehub.documents import KINDS
from tradehub.edi import schema
from tradehub.edi.maps import MapError

LATER = ("D01B", "D24A")
ALL = ("D96A", *LATER)


def read(message: str, release: str, text: str) -> dict[str, Any]:
    """Read a message, one segment a line; it must be clean, fit its document and be written again as it came."""
    raw = [line.strip().removesuffix("'") for line in text.strip().splitlines()]
    rules = maps().get("edifact", message, release)
    decoded = rules.read(raw, "+", ":")
    assert [(each.number, each.tag, each.finding.text) for each in decoded.findings] == []
    KINDS[rules.head.document].model_validate(decoded.document)
    assert rules.write(decoded.document, "+", ":") == raw
    return decoded.document


def written(message: str, release: str, document: dict[str, Any]) -> list[str]:
    return maps().get("edifact", message, release).write(document, "+", ":")


@pytest.mark.parametrize(("message", "release"), [(each[1], each[2]) for each in every_map() if each[0] == "edifact"])
def test_every_map_fits_its_structure_its_dictionary_and_the_model(message: str, release: str):
    assert schema.lint(maps().spec("edifact", message, release)) == []


def test_a_field_to_be_filled_from_another_must_be_one():
    spec = maps().spec("edifact", "INVOIC", "D96A")
    head = spec.head.model_copy(update={"instead": {"issued_un": "days[type=invoice].on"}})
    assert [each.rpartition(" ")[2] for each in schema.lint(replace(spec, head=head))] == ["issued_un", "days"]


ORDER_CHANGE = """
BGM+230+CHG-4711+4'
DTM+137:20260114:102'
RFF+ON:PO-8801'
NAD+BY+4012345000009::9'
NAD+SU+4098765000002::9'
CUX+2:EUR:9'
LIN+1+3+4012345678901:EN'
QTY+21:240:PCE'
DTM+2:20260203:102'
PRI+AAA:4.15'
LIN+2+2'
PIA+5+VLV-50:SA'
LIN+3+1+4012345678918:EN'
QTY+21:12:PCE'
UNS+S'
CNT+2:3'
"""


def test_a_change_says_of_each_line_what_becomes_of_it():
    got = read("ORDCHG", "D96A", ORDER_CHANGE)
    assert (got["number"], got["action"], got["currency"]) == ("CHG-4711", "change", "EUR")
    assert got["references"] == [{"type": "order", "value": "PO-8801"}]
    assert [line.get("action") for line in got["lines"]] == ["change", "delete", "add"]
    first = got["lines"][0]
    assert first["quantity"] == {"value": Decimal(240), "unit": "H87"}
    assert first["price"] == {"amount": Decimal("4.15"), "type": "net"}
    assert first["dates"] == [{"type": "requested_delivery", "on": date(2026, 2, 3)}]


@pytest.mark.parametrize("release", ALL)
def test_a_change_is_read_alike_in_every_directory(release: str):
    got = read("ORDCHG", release, ORDER_CHANGE)
    assert {**got, "extensions": []} == {**read("ORDCHG", "D96A", ORDER_CHANGE), "extensions": []}


@pytest.mark.parametrize("release", ALL)
@pytest.mark.parametrize(
    ("said", "ordered", "confirmed"),
    [
        (("21:120", "113:100"), 120, 100),
        (("21:120", "12:100", "83:20"), 120, 100),
        (("21:120",), 120, None),
        (("113:100",), 100, None),
        (("12:100", "21:120"), 100, None),
    ],
)
def test_what_is_confirmed_of_a_quantity_is_told_from_what_was_ordered(
    said: tuple[str, ...], ordered: int, confirmed: int | None, release: str
):
    """6063: 21 ordered, 113 to be delivered, 12 despatched, 83 backorder."""
    quantities = "".join(f"QTY+{each}:PCE'\n" for each in said)
    document = read(
        "ORDRSP", release, f"BGM+231+R-7+29'\nDTM+137:20260114:102'\nLIN+1+3+4012345678901:EN'\n{quantities}UNS+S'"
    )
    [line] = document["lines"]
    assert line["quantity"]["value"] == ordered
    assert line.get("confirmed_quantity", {}).get("value") == confirmed


def test_what_is_confirmed_here_is_written_beside_what_was_ordered():
    document = read(
        "ORDRSP", "D96A", "BGM+231+R-7+29'\nDTM+137:20260114:102'\nLIN+1+3'\nQTY+21:120:PCE'\nQTY+113:100:PCE'\nUNS+S'"
    )
    assert [each for each in written("ORDRSP", "D96A", {**document, "extensions": []}) if each.startswith("QTY")] == [
        "QTY+21:120:PCE", "QTY+113:100:PCE",
    ]  # fmt: skip


RECEIPT = """
BGM+632+WE-2026-0310+9'
DTM+137:20260310:102'
DTM+50:20260309:102'
RFF+AAK:LS-5501'
RFF+ON:PO-8801'
NAD+BY+4012345000009::9'
NAD+SU+4098765000002::9'
CPS+1'
PAC+1++PX'
PCI+33E'
GIN+BJ+340123450000000012'
LIN+1++4012345678901:EN'
QTY+12:240:PCE'
QTY+48:236:PCE'
QTY+194:230:PCE'
QTY+195:6:PCE'
QVR+-4:21++AF'
RFF+ON:PO-8801:1'
CNT+2:1'
"""


@pytest.mark.parametrize("release", ALL)
def test_a_receipt_says_what_came_what_was_kept_and_what_goes_back(release: str):
    got = read("RECADV", release, RECEIPT)
    assert (got["number"], got["issued_on"]) == ("WE-2026-0310", date(2026, 3, 10))
    assert [(each["type"], each["value"]) for each in got["references"]] == [
        ("despatch", "LS-5501"),
        ("order", "PO-8801"),
    ]
    assert got["packages"] == [{"number": "1", "count": 1, "kind": "tare", "sscc": "340123450000000012"}]
    (line,) = got["lines"]
    told = {name: line[name]["value"] for name in ("despatched", "quantity", "accepted", "rejected")}
    assert told == {"despatched": 240, "quantity": 236, "accepted": 230, "rejected": 6}
    assert (line["variance"], line["reason"], line["package"]) == (Decimal(-4), "AF", "1")
    assert line["references"] == [{"type": "order", "value": "PO-8801", "line": "1"}]


REMITTANCE = """
BGM+481+ZA-771+9'
DTM+137:20260401:102'
DTM+209:20260403:102'
RFF+PQ:END-TO-END-9'
FII+OR+DE02120300000000202051:Maier KG+BYLADEM1001:25:5'
FII+BF+NL91ABNA0417164300:Van Dam BV+ABNANL2A:25:5'
PAI+::31'
NAD+PR+4012345000009::9'
NAD+PE+4098765000002::9'
CUX+2:EUR:9'
DOC+380+INV-1001'
MOA+9:1190.00'
MOA+12:1166.20'
MOA+52:23.80'
DTM+171:20260301:102'
DOC+381+CN-17'
MOA+9:-100.00'
MOA+12:-100.00'
DOC+380+INV-1002'
MOA+9:500.00'
MOA+12:450.00'
AJT+4'
MOA+165:-50.00'
FTX+AAI+++6 of 240 valves came back'
UNS+S'
MOA+12:1516.20'
"""


@pytest.mark.parametrize("release", ALL)
def test_a_remittance_says_which_invoices_are_paid_and_what_is_held_back(release: str):
    got = read("REMADV", release, REMITTANCE)
    assert (got["means"], got["currency"], got["total"]) == ("31", "EUR", Decimal("1516.20"))
    assert got["dates"] == [{"type": "value", "on": date(2026, 4, 3)}]
    payer, payee = got["accounts"]
    assert (payer["role"], payer["account"], payer["bank"], payer["bank_scheme"]) == (
        "payer", "DE02120300000000202051", "BYLADEM1001", "bic",
    )  # fmt: skip
    assert (payee["role"], payee["holder"]) == ("payee", "Van Dam BV")
    paid = [(each["type"], each["number"], each["due"], each["paid"]) for each in got["allocations"]]
    assert paid == [
        ("invoice", "INV-1001", Decimal("1190.00"), Decimal("1166.20")),
        ("credit_note", "CN-17", Decimal("-100.00"), Decimal("-100.00")),
        ("invoice", "INV-1002", Decimal("500.00"), Decimal("450.00")),
    ]
    assert got["allocations"][0]["discount"] == Decimal("23.80")
    assert got["allocations"][2]["corrections"] == [
        {"reason_code": "4", "amount": Decimal("-50.00"), "reason": "6 of 240 valves came back"}
    ]


DISPUTE = """
BGM++STR-3+9'
DTM+137:20260405:102'
NAD+BY+4012345000009::9'
NAD+SU+4098765000002::9'
DOC+380+INV-1002'
DTM+171:20260301:102'
AJT+5'
FTX+AAI+++The price is not the one agreed'
DLI+1+2'
MOA+165:12.50'
AJT+4'
"""


@pytest.mark.parametrize("release", ALL)
def test_a_dispute_names_the_invoice_the_reasons_and_the_line(release: str):
    got = read("COMDIS", release, DISPUTE)
    assert got["subject"] == {"type": "invoice", "value": "INV-1002", "on": date(2026, 3, 1)}
    assert got["judgements"] == [
        {"code": "price_query", "text": "The price is not the one agreed"},
        {"line": "2", "amount": Decimal("12.50"), "code": "short_delivery"},
    ]


def test_what_is_said_of_a_further_document_has_its_number():
    got = read("COMDIS", "D01B", DISPUTE + "DOC+380+INV-1003'\nAJT+5'\n")
    assert got["subject"]["value"] == "INV-1002"
    assert [each.get("place") for each in got["judgements"]] == [None, None, "INV-1003"]


def test_a_dispute_made_here_is_written_as_a_partner_reads_it():
    document = {
        "number": "STR-4",
        "subject": {"type": "invoice", "value": "INV-9"},
        "judgements": [{"code": "short_delivery", "line": "2"}, {"code": "price_query"}],
    }
    assert written("COMDIS", "D01B", document) == [
        "BGM++STR-4+9", "DOC+380+INV-9", "AJT+5", "DLI+1+2", "AJT+4",
    ]  # fmt: skip


CATALOGUE = """
BGM+9+PL-2026-1+9'
DTM+137:20260102:102'
DTM+194:20260201:102'
DTM+206:20261231:102'
NAD+SU+4098765000002::9'
NAD+BY+4012345000009::9'
CUX+2:EUR:9'
PGI+11+{0}VALVES'
LIN+1+1+4012345678901:EN'
PIA+5+VLV-50:SA'
IMD+F++:::Gate valve DN50 PN16'
QTY+53:12:PCE'
QTY+52:6:PCE'
PRI+AAA:4.15:::1:PCE'
PRI+AAB:5.20'
LIN+2+2+4012345678918:EN'
PGI+11+{0}FITTINGS'
LIN+3+3+4012345678925:EN'
PRI+AAA:0.80'
"""


@pytest.mark.parametrize("release", ALL)
def test_a_price_list_says_what_an_article_costs_and_what_becomes_of_it(release: str):
    got = read("PRICAT", release, CATALOGUE.format(":::" if release == "D96A" else ""))
    assert {each["type"]: each["on"] for each in got["dates"]} == {
        "valid_from": date(2026, 2, 1),
        "valid_until": date(2026, 12, 31),
    }
    assert [(line["number"], line["action"], line["group"]) for line in got["lines"]] == [
        ("1", "add", "VALVES"), ("2", "delete", "VALVES"), ("3", "change", "FITTINGS"),
    ]  # fmt: skip
    valve = got["lines"][0]
    assert valve["price"] == {"amount": Decimal("4.15"), "type": "net", "basis": {"value": Decimal(1), "unit": "H87"}}
    assert valve["more_prices"] == [{"amount": Decimal("5.20"), "type": "gross"}]
    assert (valve["min_quantity"], valve["pack_quantity"]) == (Decimal(12), {"value": Decimal(6), "unit": "H87"})
    assert valve["item"]["name"] == "Gate valve DN50 PN16"


STOCK = """
BGM+35+BEST-12+9'
DTM+137:20260310:102'
DTM+90:20260301:102'
DTM+91:20260309:102'
NAD+SU+4098765000002::9'
LIN+1++4012345678901:EN'
{}QTY+145:820:PCE'
LOC+18+HAMBURG'
{}QTY+83:40:PCE'
DTM+7:20260309:102'
"""


@pytest.mark.parametrize("release", ALL)
def test_a_stock_report_says_how_much_there_is_of_what_kind_and_where(release: str):
    got = read("INVRPT", release, STOCK.format(*["" if release == "D96A" else "INV++1'\n"] * 2))
    assert got["period"] == {"start": date(2026, 3, 1), "end": date(2026, 3, 9)}
    assert got["lines"][0]["quantities"] == [
        {"type": "on_hand", "quantity": {"value": Decimal(820), "unit": "H87"}, "place": "HAMBURG"},
        {"type": "backordered", "quantity": {"value": Decimal(40), "unit": "H87"}, "on": date(2026, 3, 9)},
    ]


HEAD_OF_SCHEDULE = """
BGM+241+DF-88+5'
DTM+137:20260310:102'
DTM+158:20260316:102'
DTM+159:20260614:102'
RFF+CT:RV-2025-3'
NAD+BY+4012345000009::9'
NAD+SU+4098765000002::9'
"""
BY_PLACE = """
UNS+D'
NAD+DP+4012345000016::9'
LIN+1++4012345678901:EN'
QTY+70:4800:PCE'
QTY+113:240:PCE'
SCC+1'
DTM+2:20260318:102'
QTY+113:480:PCE'
SCC+4++W'
DTM+64:20260401:102'
DTM+63:20260407:102'
LIN+2++4012345678918:EN'
QTY+113:12:PCE'
SCC+1'
DTM+2:20260318:102'
NAD+DP+4012345000023::9'
LIN+3++4012345678901:EN'
QTY+113:60:PCE'
SCC+1'
DTM+2:20260320:102'
UNS+S'
"""
BY_ARTICLE = """
UNS+D'
LIN+1++4012345678901:EN'
QTY+70:4800:PCE'
NAD+DP+4012345000016'
QTY+113:240:PCE'
SCC+1'
DTM+2:20260318:102'
NAD+DP+4012345000023'
QTY+113:60:PCE'
SCC+1'
DTM+2:20260320:102'
LIN+2++4012345678918:EN'
QTY+113:12:PCE'
SCC+1'
DTM+2:20260318:102'
UNS+S'
"""


def planned(line: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (*(each.get(name) for name in ("status", "on", "until", "place")), each["quantity"]["value"])
        for each in line["plan"]
    ]


def test_a_schedule_by_place_gives_its_lines_the_place():
    got = read("DELFOR", "D96A", HEAD_OF_SCHEDULE.strip() + BY_PLACE)
    assert (got["type"], got["action"]) == ("forecast", "replace")
    assert got["horizon"] == {"start": date(2026, 3, 16), "end": date(2026, 6, 14)}
    places = [line["parties"][0]["ids"][0]["value"] for line in got["lines"]]
    assert places == ["4012345000016", "4012345000016", "4012345000023"]
    first = got["lines"][0]
    assert first["quantities"] == [{"type": "cumulative_received", "quantity": {"value": Decimal(4800), "unit": "H87"}}]
    assert planned(first) == [
        ("firm", date(2026, 3, 18), None, None, 240),
        ("planned", date(2026, 4, 1), date(2026, 4, 7), None, 480),
    ]
    assert first["plan"][1]["pattern"] == "weekly"


def test_a_schedule_by_article_gives_its_quantities_the_place():
    got = read("DELFOR", "D96A", HEAD_OF_SCHEDULE.strip() + BY_ARTICLE)
    assert [line["number"] for line in got["lines"]] == ["1", "2"]
    assert planned(got["lines"][0]) == [
        ("firm", date(2026, 3, 18), None, "4012345000016", 240),
        ("firm", date(2026, 3, 20), None, "4012345000023", 60),
    ]
    assert [line.get("parties") for line in got["lines"]] == [None, None]


def test_the_first_segment_after_uns_tells_the_two_item_parts_of_a_schedule_apart():
    """Later segments fit both parts: a line below a place is none of the other part, and the other way round."""
    rules = maps().get("edifact", "DELFOR", "D96A")
    head = ["BGM+241+1+9", "DTM+137:20260310:102", "UNS+D"]
    line, place = "LIN+1++A:SA", "NAD+DP+P1"
    groups = {
        (place, line, place, line): ["SG4", "SG4/SG8", "SG4", "SG4/SG8"],
        (line, place, line, place): ["SG18", "SG18/SG24", "SG18", "SG18/SG24"],
    }
    for body, expected in groups.items():
        decoded = rules.read([*head, *body, "UNS+S"], "+", ":")
        assert decoded.findings == []
        assert [rules.machine.places[each].path for each in decoded.places][3:-1] == expected


SCHEDULE_LATER = """
{group}'
NAD+DP+4012345000016::9'
LIN+1++4012345678901:EN'
QTY+70:4800:PCE'
SCC+1'
QTY+113:240:PCE'
DTM+2:20260318:102'
QTY+113:60:PCE'
DTM+2:20260320:102'
SCC+4++W'
QTY+113:480:PCE'
DTM+64:20260401:102'
DTM+63:20260407:102'
"""


@pytest.mark.parametrize(("release", "group"), [("D01B", "GIS+37"), ("D24A", "GEI+5+37")])
def test_the_commitment_that_a_later_schedule_states_first_holds_for_each_quantity(release: str, group: str):
    got = read("DELFOR", release, HEAD_OF_SCHEDULE.strip() + SCHEDULE_LATER.format(group=group))
    (line,) = got["lines"]
    assert planned(line) == [
        ("firm", date(2026, 3, 18), None, None, 240),
        ("firm", date(2026, 3, 20), None, None, 60),
        ("planned", date(2026, 4, 1), date(2026, 4, 7), None, 480),
    ]
    assert line["parties"][0]["ids"] == [{"scheme": "gln", "value": "4012345000016"}]


CALL_OFF = """
BGM+242+JIT-5+9'
DTM+137:20260310:102'
NAD+BY+4012345000009::9'
NAD+SU+4098765000002::9'
SEQ++1'
LIN+1++4012345678901:EN'
RFF+ON:PO-8801'
QTY+113:24:PCE'
SCC+1'
DTM+2:202603110630:203'
"""


@pytest.mark.parametrize("release", ALL)
def test_a_call_off_says_the_hour(release: str):
    got = read("DELJIT", release, CALL_OFF)
    (line,) = got["lines"]
    assert got["type"] == "call_off"
    assert line["references"] == [{"type": "order", "value": "PO-8801"}]
    assert line["plan"] == [
        {
            "quantity": {"value": Decimal(24), "unit": "H87"},
            "status": "firm",
            "type": "requested_delivery",
            "on": date(2026, 3, 11),
            "at": datetime.fromisoformat("2026-03-11T06:30"),
        }
    ]


TRANSPORT = """
BGM+23+ST-1+9'
DTM+137:202603111200:203'
NAD+CA+SPED-1'
RFF+BM:HLCU-1'
CNI+1+LS-5501'
STS+1+24+8'
DTM+334:202603110900:203'
LOC+8+DEHAM'
STS+1+21'
DTM+334:202603121015:203'
"""


def test_the_events_of_one_consignment_are_the_documents_own():
    got = read("IFTSTA", "D01B", TRANSPORT)
    assert [(each["status"], each.get("reason"), each["at"]) for each in got["events"]] == [
        ("departed", "schedule_changed", datetime.fromisoformat("2026-03-11T09:00")),
        ("delivered", None, datetime.fromisoformat("2026-03-12T10:15")),
    ]
    assert got["lines"] == [{"number": "1", "references": [{"type": "carrier_reference", "value": "LS-5501"}]}]


def test_several_consignments_are_lines_with_their_own_events():
    text = TRANSPORT + "CNI+2+LS-5502'\nSTS+1+13'\nDTM+334:202603110700:203'\n"
    got = read("IFTSTA", "D96A", text)
    assert [[event["status"] for event in line["events"]] for line in got["lines"]] == [
        ["departed", "delivered"],
        ["picked_up"],
    ]
    assert "events" not in got


STATUS = """
BGM+348+OS-1+9'
DTM+137:20260310:102'
NAD+BY+4012345000009::9'
NAD+SU+4098765000002::9'
DOC+220+PO-8801'
DTM+171:20260105:102'
LIN+1++4012345678901:EN'
STS++2'
QTY+1:200:PCE'
STS++1'
DTM+69:20260401:102'
QTY+1:40:PCE'
LIN+2++4012345678918:EN'
STS++2'
"""


@pytest.mark.parametrize("release", LATER)
def test_an_order_status_report_says_how_far_each_line_is(release: str):
    got = read("OSTRPT", release, STATUS)
    assert got["type"] == "order_report"
    first, second = got["lines"]
    assert got["references"] == [{"type": "order", "value": "PO-8801", "on": date(2026, 1, 5)}]
    assert [(each["status"], each["quantity"]["value"]) for each in first["events"]] == [
        ("complete", 200),
        ("to_be_done", 40),
    ]
    assert (first["events"][1]["date_type"], first["events"][1]["on"]) == ("promised_delivery", date(2026, 4, 1))
    assert second["events"] == [{"status": "complete"}]


ENQUIRY = """
BGM+347+OQ-1+9'
DTM+137:20260310:102'
NAD+BY+4012345000009::9'
NAD+SU+4098765000002::9'
DOC+220+PO-8801'
LIN+1++4012345678901:EN'
DOC+220+PO-8802'
"""


@pytest.mark.parametrize("release", LATER)
def test_an_order_status_enquiry_names_the_orders(release: str):
    got = read("OSTENQ", release, ENQUIRY)
    assert got["type"] == "order_enquiry"
    assert got["lines"][0]["references"] == [{"type": "order", "value": "PO-8801"}]
    assert got["references"] == [{"type": "order", "value": "PO-8802"}]


@pytest.mark.parametrize("release", LATER)
@pytest.mark.parametrize(
    "first",
    [
        {"type": "order", "value": "PO-8801", "on": date(2026, 1, 5)},
        {"type": "order", "value": "PO-8801", "line": "10"},
        {"type": "order"},
        None,
    ],
    ids=["a-level-says-it-all", "the-line-of-the-order-too", "no-number", "no-document"],
)
@pytest.mark.parametrize("head", [[], [{"type": "despatch", "value": "D-7"}]], ids=["", "and-one-of-its-own"])
def test_documents_that_lines_belong_to_come_back_as_they_were(
    release: str, first: dict[str, Any] | None, head: list[dict[str, Any]]
):
    other = {"number": "2", "references": [{"type": "order", "value": "PO-8802"}]}
    lines = [{"number": "1", **({"references": [first]} if first else {})}, {"number": "3"}, other]
    status = {"action": "original", "number": "OS-1", "references": head, "lines": lines}
    again = maps().get("edifact", "OSTRPT", release).read(written("OSTRPT", release, status), "+", ":").document
    assert again["lines"] == lines
    assert again.get("references", []) == head


VERDICT = """
BGM+{}+AP-9+27'
DTM+137:20260310:102'
RFF+ACW:MSG-77'
RFF+ON:PO-8801'
NAD+SU+4098765000002::9'
ERC+12'
FTX+AAO+++Article unknown'
RFF+LI:2'
"""


@pytest.mark.parametrize(("release", "kind"), [("D96A", ""), ("D01B", "305"), ("D24A", "305")])
def test_a_verdict_names_the_order_the_fault_and_the_line(release: str, kind: str):
    got = read("APERAK", release, VERDICT.format(kind))
    assert (got["response"], got["subject"]) == ("rejected", {"type": "order", "value": "PO-8801"})
    assert got["references"] == [{"type": "previous", "value": "MSG-77"}]
    assert got["judgements"] == [{"code": "edifact:12", "text": "Article unknown", "line": "2"}]


PARTY = """
BGM+10+PI-1+9'
DTM+137:20260310:102'
NAD+MS+4012345000009::9'
NAD+MR+4098765000002::9'
UNS+D'
NAD+BY+4012345000009::9++Maier KG+Hafenstr. 7+Hamburg++20457+DE'
DTM+7:20260401:102'
FII+BF+DE02120300000000202051:Maier KG'
RFF+VA:DE123456789'
CTA+AR+:Eva Maier'
COM+eva@maier.example:EM'
NAD+DP+4012345000016::9++Maier KG Lager+Kai 3+Hamburg++20457+DE'
"""


@pytest.mark.parametrize("release", ALL)
def test_party_information_says_who_exchanges_it_and_whom_it_is_about(release: str):
    got = read("PARTIN", release, PARTY)
    assert [each["role"] for each in got["parties"]] == ["sender", "receiver"]
    buyer, store = got["subjects"]
    assert (buyer["role"], buyer["name"], buyer["address"]["postcode"]) == ("buyer", "Maier KG", "20457")
    assert buyer["tax_ids"] == [{"scheme": "vat", "value": "DE123456789"}]
    assert buyer["accounts"][0]["account"] == "DE02120300000000202051"
    assert buyer["contacts"] == [{"role": "receivables", "name": "Eva Maier", "email": "eva@maier.example"}]
    assert (store["role"], store["name"]) == ("ship_to", "Maier KG Lager")


def test_what_stands_in_a_composite_of_its_own_later_is_read_alike():
    """From D.01B on the number of the document, the region and the terms of payment stand elsewhere."""
    order = """
    BGM+220+PO-1+9'
    DTM+137:20260114:102'
    NAD+BY+4012345000009::9++Maier KG+Hafenstr. 7+Hamburg+HH+20457+DE'
    PAT+1++5:3:D:30'
    LIN+1++4012345678901:EN'
    QTY+21:5:PCE'
    UNS+S'
    CNT+2:1'
    """
    old = read("ORDERS", "D96A", order)
    assert read("ORDERS", "D01B", order) == old
    assert read("ORDERS", "D24A", order.replace("PAT+1++5:3:D:30", "PYT+1++5+3+D+30")) == old
    assert (old["parties"][0]["address"]["region"], old["payment_terms"][0]["net_days"]) == ("HH", 30)


DESPATCH = """
BGM+351+LS-5501+9'
DTM+137:20260309:102'
CPS+1'
PAC+1++PX'
PCI+33E'
GIN+BJ+340123450000000012'
CPS+2+1'
PAC+4++PK'
LIN+1++4012345678901:EN'
QTY+12:240:PCE'
RFF+ON:PO-8801:1'
CNT+2:1'
"""


@pytest.mark.parametrize("release", ALL)
def test_packages_lie_in_packages_and_lines_in_them(release: str):
    got = read("DESADV", release, DESPATCH)
    outer, inner = got["packages"]
    assert (outer["kind"], outer["sscc"]) == ("tare", "340123450000000012")
    assert (inner["parent"], inner["count"]) == ("1", 4)
    assert got["lines"][0]["package"] == "2"


def test_the_tax_of_an_invoice_is_told_from_the_tax_summary_by_uns():
    text = """
    BGM+380+INV-1+9'
    DTM+137:20260301:102'
    TAX+7+VAT+++:::19+S'
    LIN+1++4012345678901:EN'
    QTY+47:5:PCE'
    UNS+S'
    MOA+9:119.00'
    TAX+7+VAT+++:::19+S'
    MOA+124:19.00'
    """
    rules = maps().get("edifact", "INVOIC", "D01B")
    raw = [line.strip().removesuffix("'") for line in text.strip().splitlines()]
    decoded = rules.read(raw, "+", ":")
    paths = {rules.machine.places[each].path for each, one in zip(decoded.places, raw, strict=True) if one[:3] == "TAX"}
    assert paths == {"SG6", "SG52"}
    assert decoded.document["taxes"] == [
        {"type": "VAT", "rate": Decimal(19), "category": "S", "amount": Decimal("19.00")}
    ]


INVOICE = """
BGM+380+INV-77+9'
DTM+137:260302:101'
NAD+BY+4012345000009::9+Halle 7:Ostkai 3:20457 Hamburg+Kontor Elbe'
NAD+SU+98765::92+Ventilwerk Nord:Postfach 12:24937 Flensburg'
LIN+1++4012345678901:SRV'
QTY+47:5:PCE'
MOA+203:100'
UNS+S'
MOA+39:119.00'
MOA+176:19.00'
"""


@pytest.mark.parametrize("release", ALL)
def test_an_invoice_in_the_words_of_retail_is_understood(release: str):
    got = read("INVOIC", release, INVOICE)
    assert got["issued_on"] == date(2026, 3, 2)
    assert got["lines"][0]["item"]["ids"] == [{"scheme": "gtin", "value": "4012345678901"}]
    assert got["totals"] == {"with_tax": Decimal("119.00"), "tax": Decimal("19.00")}


@pytest.mark.parametrize("release", ALL)
def test_the_lines_of_an_address_without_structure_begin_with_the_name_where_no_other_is_given(release: str):
    buyer, seller = read("INVOIC", release, INVOICE)["parties"]
    assert (buyer["name"], buyer["address"]["street"]) == ("Kontor Elbe", ["Halle 7", "Ostkai 3", "20457 Hamburg"])
    assert (seller["name"], seller["address"]["street"]) == ("Ventilwerk Nord", ["Postfach 12", "24937 Flensburg"])


@pytest.mark.parametrize("message", ["INVOIC", "ORDERS"])
@pytest.mark.parametrize("release", ALL)
@pytest.mark.parametrize(("period", "days"), [("D", 2), ("CD", 2), ("", 2), ("M", None), ("W", None)])
def test_two_months_to_pay_are_not_two_days(message: str, release: str, period: str, days: int | None):
    terms = "PYT+{0}++5+3+{1}+2'" if release == "D24A" else "PAT+{0}++5:3:{1}:2'"
    kind = {"INVOIC": "380", "ORDERS": "220"}[message]
    text = f"""
    BGM+{kind}+A-1+9'
    DTM+137:20260301:102'
    {terms.format("1", period)}
    {terms.format("22", period)}
    LIN+1++4012345678901:EN'
    QTY+{"47" if message == "INVOIC" else "21"}:5:PCE'
    UNS+S'
    {"MOA+77:100'" if message == "INVOIC" else ""}
    """
    net, discount = read(message, release, text)["payment_terms"]
    assert (net.get("net_days"), discount.get("discount_days")) == (days, days)


def test_order_status_messages_do_not_exist_before_d01b():
    with pytest.raises(MapError):
        maps().get("edifact", "OSTRPT", "D96A")
