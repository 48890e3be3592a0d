"""A segment that stands too early: it is named, nothing is called missing that does come, and what follows keeps its place."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.edi.engine import maps
from tests.edi.test_interchanges import EDIFACT, GOOD, X12
from tradehub.edi import Fault, read, write_back

HEAD = "BGM+220+PO-77+9'DTM+137:20240229:102'NAD+BY+1::92'"


def orders(body: str) -> str:
    count = body.count("'") + 2
    start, end = EDIFACT.index("BGM"), EDIFACT.index("UNT")
    return EDIFACT[:start] + body + EDIFACT[end:].replace("UNT+9", f"UNT+{count}")


def invoice(body: str) -> str:
    count = body.count("~") + 2
    return X12.replace(GOOD, f"ST*810*0001~{body}SE*{count}*0001~").replace("GS*PO", "GS*IN")


def one(text: str):
    reading = read(text.encode(), maps())
    messages = list(reading)
    assert write_back(messages, maps(), una=reading.una).decode() == text
    (got,) = messages
    return got


def said(got) -> list[tuple[Fault, str]]:
    return [(each.fault, str(each.at)) for each in got.issues]


def test_a_lines_amount_behind_its_price_is_out_of_order_and_no_total():
    got = one(
        orders(
            HEAD + "LIN+1++4000000000001:EN'QTY+21:5:PCE'PRI+AAA:2'MOA+203:10'LIN+2++4000000000002:EN'QTY+21:7:PCE'"
            "UNS+S'MOA+79:24'CNT+2:2'"
        )
    )
    assert said(got) == [(Fault.OUT_OF_ORDER, "segment 8 (MOA)")]
    assert [each["quantity"]["value"] for each in got.document["lines"]] == [Decimal(5), Decimal(7)]


def test_several_amounts_in_the_wrong_place_are_named_one_by_one():
    got = one(orders(HEAD + "LIN+1++4000000000001:EN'PRI+AAA:2'MOA+203:10'MOA+52:1'LIN+2++4000000000002:EN'UNS+S'"))
    assert said(got) == [(Fault.OUT_OF_ORDER, "segment 7 (MOA)"), (Fault.OUT_OF_ORDER, "segment 8 (MOA)")]
    assert len(got.document["lines"]) == 2


def test_a_section_break_that_does_not_come_is_missing():
    got = one(orders(HEAD + "LIN+1++4000000000001:EN'PRI+AAA:2'MOA+79:10'CNT+2:1'"))
    assert said(got) == [(Fault.MISSING_SEGMENT, "segment 7 (UNS)")]


def test_a_total_ahead_of_the_section_break_is_out_of_order():
    got = one(orders(HEAD + "LIN+1++4000000000001:EN'QTY+21:5:PCE'CNT+2:1'UNS+S'"))
    assert said(got) == [(Fault.OUT_OF_ORDER, "segment 7 (CNT)")]


def test_a_tax_ahead_of_an_invoices_total_is_out_of_order_and_the_total_is_there():
    got = one(invoice("BIG*20240301*INV-5**PO-1~IT1*1*2*EA*5.00**VP*A1~PID*F****Lamp~TXI*ST*.80~TDS*1080~CTT*1~"))
    assert said(got) == [(Fault.OUT_OF_ORDER, "segment 5 (TXI)")]
    assert got.document["totals"]["payable"] == Decimal("10.80")


def test_what_stands_ahead_of_the_beginning_is_out_of_order_and_the_beginning_is_read():
    got = one(X12.replace("BEG*00*SA*PO-1**20240229~", "CUR*BY*USD~BEG*00*SA*PO-1**20240229~").replace("SE*6", "SE*7"))
    assert said(got) == [(Fault.OUT_OF_ORDER, "segment 2 (CUR)")]
    assert got.document["number"] == "PO-1"


@pytest.mark.parametrize("stray", ["BGM+220+PO-77+9'"])
def test_a_beginning_at_the_very_end_does_not_make_everything_else_out_of_order(stray):
    lines = "".join(f"LIN+{at}++4000000000001:EN'QTY+21:5:PCE'" for at in range(1, 9))
    got = one(orders(f"DTM+137:20240229:102'NAD+BY+1::92'{lines}UNS+S'{stray}"))
    assert said(got) == [(Fault.MISSING_SEGMENT, "segment 2 (BGM)"), (Fault.OUT_OF_ORDER, "segment 21 (BGM)")]
    assert len(got.document["lines"]) == 8


def test_a_part_missing_in_one_group_is_not_looked_for_in_the_next():
    text = EDIFACT.replace("ORDERS:D:96A", "IFTSTA:D:96A")
    body = "BGM+44+ST-1+9'DTM+137:20240229:102'NAD+CZ+1::92'CNI+1+A1'CNI+2+A2'STS+1+21'"
    start, end = text.index("BGM"), text.index("UNT")
    got = one(text[:start] + body + text[end:].replace("UNT+9", "UNT+8"))
    assert said(got) == [(Fault.MISSING_SEGMENT, "segment 6 (STS)")]


def test_a_description_in_a_form_of_the_trades_own_is_read_with_a_warning():
    got = one(orders(HEAD + "LIN+1++4000000000001:EN'IMD+L+050+:::The lighthouse keeper'QTY+21:5:PCE'UNS+S'"))
    assert got.accepted
    assert [(*each, str(issue.severity)) for each, issue in zip(said(got), got.issues, strict=True)] == [
        (Fault.INVALID_CODE, "segment 6 (IMD01)", "warning")
    ]
    assert got.document["lines"][0]["item"]["name"] == "The lighthouse keeper"


# A loop without its first segment


def edifact(kind: str, body: str) -> str:
    start, end = EDIFACT.index("BGM"), EDIFACT.index("UNT")
    text = EDIFACT[:start] + body + EDIFACT[end:].replace("UNT+9", f"UNT+{body.count(chr(39)) + 2}")
    return text.replace("ORDERS:D:96A", f"{kind}:D:96A")


LINES = "LIN+1++4000000000001:EN'QTY+48:5:PCE'LIN+2++4000000000002:EN'QTY+48:7:PCE'"


def test_lines_that_lie_in_no_package_lack_the_package_and_nothing_else():
    got = one(edifact("RECADV", "BGM+632+R-1+9'DTM+137:20240229:102'NAD+BY+1::92'" + LINES))
    assert said(got) == [(Fault.MISSING_SEGMENT, "segment 5 (CPS)")]


def test_what_is_wrong_behind_them_is_still_named():
    got = one(edifact("RECADV", "BGM+632+R-1+9'DTM+137:20240229:102'NAD+BY+1::92'" + LINES + "BGM+632+R-2+9'"))
    assert said(got) == [(Fault.MISSING_SEGMENT, "segment 5 (CPS)"), (Fault.OUT_OF_ORDER, "segment 9 (BGM)")]


def test_a_package_behind_them_is_read():
    got = one(edifact("RECADV", "BGM+632+R-1+9'DTM+137:20240229:102'NAD+BY+1::92'" + LINES + "CPS+1'" + LINES))
    assert said(got) == [(Fault.MISSING_SEGMENT, "segment 5 (CPS)")]
    assert [each["quantity"]["value"] for each in got.document["lines"]] == [Decimal(5), Decimal(7)]


def test_each_party_without_a_contact_lacks_one_of_its_own():
    got = one(
        orders("BGM+220+PO-77+9'DTM+137:20240229:102'NAD+BY+1::92'COM+a?:b:EM'NAD+SU+2::92'COM+1:TE'LIN+1'UNS+S'")
    )
    assert said(got) == [(Fault.MISSING_SEGMENT, "segment 5 (CTA)"), (Fault.MISSING_SEGMENT, "segment 7 (CTA)")]


def test_a_segment_that_has_places_of_its_own_is_out_of_order():
    got = one(orders(HEAD + "LIN+1++4000000000001:EN'PRI+AAA:2'FTX+AAI+++late'LIN+2++4000000000002:EN'UNS+S'"))
    assert said(got) == [(Fault.OUT_OF_ORDER, "segment 7 (FTX)")]


def test_parts_of_an_open_loop_in_the_wrong_order_do_not_lack_its_first_segment():
    text = X12.replace("N1*BY*Haidi~", "N1*BY*Haidi~N4*Ningbo~N3*1 Port Road~").replace("SE*6", "SE*8")
    assert said(one(text)) == [(Fault.OUT_OF_ORDER, "segment 5 (N3)")]


def test_a_part_ahead_of_its_loops_first_segment_is_out_of_order():
    text = X12.replace("N1*BY*Haidi~", "N3*1 Port Road~N1*BY*Haidi~").replace("SE*6", "SE*7")
    assert said(one(text)) == [(Fault.OUT_OF_ORDER, "segment 3 (N3)")]


def test_a_status_without_its_line_number_lacks_that():
    text = X12.replace(GOOD, "ST*214*0001~B10*P1*S1*ABCD~AT7*D1*NS***20240301*1200~MS1*Ningbo*ZJ*CN~SE*5*0001~")
    text = text.replace("GS*PO", "GS*QM")
    assert said(one(text)) == [(Fault.MISSING_SEGMENT, "segment 3 (LX)")]


def test_a_party_and_a_package_that_are_both_missing_are_both_named():
    got = one(edifact("RECADV", "BGM+632+R-1+9'DTM+137:20240229:102'" + LINES))
    assert said(got) == [(Fault.MISSING_SEGMENT, "segment 4 (NAD)"), (Fault.MISSING_SEGMENT, "segment 4 (CPS)")]


def test_an_address_ahead_of_the_beginning_is_out_of_order():
    text = X12.replace("BEG*00*SA*PO-1**20240229~", "N3*1 Port Road~BEG*00*SA*PO-1**20240229~").replace("SE*6", "SE*7")
    assert said(one(text)) == [(Fault.OUT_OF_ORDER, "segment 2 (N3)")]


def test_many_segments_of_a_loop_without_its_first_are_read_in_no_time():
    got = one(edifact("RECADV", "BGM+632+R-1+9'DTM+137:20240229:102'NAD+BY+1::92'" + LINES * 10_000 + "BGM+1'" * 50))
    assert [each[0] for each in said(got)] == [Fault.MISSING_SEGMENT, *[Fault.OUT_OF_ORDER] * 50]
