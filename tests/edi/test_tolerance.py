"""What partners do against the book and is read all the same: with a warning, and written back as it came."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from tests.edi.engine import maps
from tests.edi.test_interchanges import EDIFACT, GOOD, X12
from tradehub.documents import KINDS
from tradehub.edi import Fault, read, write_back

ASN = (
    "BSN*00*SH-9*20240301*1200~HL*1**S~TD5*B*2*MAEU~HL*2**O~PRF*PO-7~HL*3**P~MAN*GM*00340000000000000017~"
    "HL*4**I~LIN**VP*A1~SN1**10*EA~HL*5**O~PRF*PO-8~HL*6**I~LIN**VP*A2~SN1**4*EA~CTT*6~"
)
INVOICE = "BIG*20240301*INV-5**PO-1~IT1*1*2*EA*5.00**VP*A1~ISS*1*CT*20*LB~TDS*1000~CTT*1~"


def wrapped(kind: str, group: str, body: str, release: str = "004010") -> str:
    count = body.count("~") + 2
    message = f"ST*{kind}*0001~{body}SE*{count}*0001~"
    return X12.replace(GOOD, message).replace("GS*PO", f"GS*{group}").replace("004010", release)


def only(text: str, *, tolerant: bool = True):
    reading = read(text.encode(), maps(), tolerant=tolerant)
    messages = list(reading)
    assert len(messages) == 1
    assert write_back(messages, maps(), una=reading.una).decode().replace("\n", "") == text.replace("\n", "")
    return messages[0]


def said(message) -> list[tuple[Fault, str, str]]:
    return [(each.fault, str(each.at), str(each.severity)) for each in message.issues]


@pytest.mark.parametrize("indent", ["    ", "\t", " \t "])
def test_indented_segments_of_a_file_by_lines_are_found(indent):
    text = X12.replace("~", "\n").replace("\nBEG", f"\n{indent}BEG").replace("\nSE", f"\n{indent}SE")
    reading = read(text.replace("\nGE", f"\n{indent}GE").encode(), maps())
    (got,) = list(reading)
    assert (got.issues, got.document["number"], reading.accepted) == ((), "PO-1", True)


@pytest.mark.parametrize(
    ("said_as", "day"),
    [("137:199910060000:102", date(1999, 10, 6)), ("137:20020804:203", date(2002, 8, 4))],
)
def test_the_digits_of_a_date_say_what_they_are_against_their_format(said_as, day):
    got = only(EDIFACT.replace("137:20240229:102", said_as))
    assert got.document["issued_on"] == day
    assert said(got) == [(Fault.INVALID_DATE, "segment 3 (DTM01.2)", "warning")]
    assert got.accepted


def test_a_moment_under_a_days_format_keeps_its_hour():
    text = EDIFACT.replace("137:20240229:102'", "137:20240229:102'DTM+2:202403051430:102'").replace("UNT+9", "UNT+10")
    got = only(text)
    assert got.document["dates"][0]["at"] == datetime(2024, 3, 5, 14, 30)  # noqa: DTZ001  as the wire says: no zone
    assert said(got) == [(Fault.INVALID_DATE, "segment 4 (DTM01.2)", "warning")]


@pytest.mark.parametrize("wrong", ["137:20240230:203", "137:202402301200:102", "137:2024022:102", "137:2024O229:102"])
def test_a_day_that_no_reading_of_the_digits_gives_is_refused(wrong):
    got = only(EDIFACT.replace("137:20240229:102", wrong))
    assert said(got) == [(Fault.INVALID_DATE, "segment 3 (DTM01.2)", "error")]
    assert not got.accepted


def test_a_strict_reading_takes_no_date_by_its_digits():
    assert not only(EDIFACT.replace("137:20240229:102", "137:20020804:203"), tolerant=False).accepted


PO_OF_TODAY = "BEG*00*SA*PO-1**20240229~PO1*1*10*EA*1.20**VP*A1~CTT*1~"
PO_OF_1992 = "BEG*00*SA*PO-12345678901234567890**920229~PO1*1*10*EA*1.20**VP*A1~CTT*1~"


def test_lengths_and_codes_of_another_release_are_warnings():
    got = only(wrapped("850", "PO", PO_OF_1992, "003060"))
    assert got.accepted
    assert said(got)[0] == (Fault.UNKNOWN_MESSAGE, "segment 1 (ST)", "warning")
    assert said(got)[1:] == [
        (Fault.TOO_LONG, "segment 2 (BEG03)", "warning"),
        (Fault.TOO_SHORT, "segment 2 (BEG05)", "warning"),
    ]
    assert (got.document["number"], got.document["issued_on"]) == ("PO-12345678901234567890", date(1992, 2, 29))
    KINDS["order"].model_validate(got.document)


@pytest.mark.parametrize(
    ("release", "is_read"), [("004030VICS", True), ("004060UCS", True), ("006020X304", False), ("004030", True)]
)
def test_a_release_with_the_name_of_its_industry_is_read_and_that_of_a_guide_is_not(release, is_read):
    (got,) = read(wrapped("850", "PO", PO_OF_1992.replace("92", "1992"), release).encode(), maps())
    assert (got.document is not None) == is_read


@pytest.mark.parametrize(("group", "issues"), [("PO", []), ("IN", ["segment 1 (ST01)"])])
def test_a_message_in_a_group_of_others_is_taken_with_a_warning(group, issues):
    got = only(wrapped("850", group, PO_OF_TODAY))
    assert got.accepted
    assert [(each[1], each[2]) for each in said(got)] == [(each, "warning") for each in issues]
    assert only(wrapped("850", group, PO_OF_TODAY), tolerant=False).accepted == (not issues)


def test_under_its_own_release_the_same_is_refused():
    got = only(wrapped("850", "PO", PO_OF_1992))
    assert [each[2] for each in said(got)] == ["error", "error"]


def test_too_many_elements_and_conditions_of_another_release_are_warnings():
    body = "BEG*00*SA*PO-1**20240229****************X~PO1*1*10*EA*1.20**VP~CTT*1~"
    got = only(wrapped("850", "PO", body, "004030"))
    assert {each[2] for each in said(got)} == {"warning"}
    assert {Fault.TOO_MANY_ELEMENTS, Fault.MISSING_CONDITIONAL} <= {each[0] for each in said(got)}


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("PO1*1*10*EA*1.20**VP*A1~", Fault.MISSING_SEGMENT),
        ("BEG*00*SA***20240229~PO1*1*10*EA*1.20**VP*A1~", Fault.MISSING_ELEMENT),
        ("BEG*00*SA*PO-1**20240230~PO1*1*10*EA*1.20**VP*A1~", Fault.INVALID_DATE),
    ],
)
def test_structure_and_meaning_stay_errors_under_another_release(body, fault):
    got = only(wrapped("850", "PO", body, "004030"))
    assert not got.accepted
    assert fault in {each[0] for each in said(got) if each[2] == "error"}


def test_levels_without_parents_lie_in_the_nearest_that_ranks_higher():
    got = only(wrapped("856", "SH", ASN))
    assert got.accepted
    first, second = got.document["lines"]
    assert [each["value"] for each in first["references"]] == ["PO-7"]
    assert [each["value"] for each in second["references"]] == ["PO-8"]
    assert (first["package"], second["package"]) == ("3", "5")
    assert [each.get("parent") for each in got.document["packages"]] == [None, "1", "2", "1"]
    KINDS["despatch"].model_validate(got.document)


def test_stated_parents_stand():
    got = only(wrapped("856", "SH", ASN.replace("HL*6**I", "HL*6*2*I")))
    assert [each["value"] for each in got.document["lines"][1]["references"]] == ["PO-7"]


def test_an_invoice_with_its_shipment_summary_before_the_totals_is_taken_with_a_warning():
    got = only(wrapped("810", "IN", INVOICE))
    assert got.accepted
    assert said(got) == [(Fault.OUT_OF_ORDER, "segment 4 (ISS)", "warning")]


def invoic(dates: str, release: str) -> str:
    body = f"BGM+380+INV-9+9'{dates}NAD+BY+1::92'LIN+1++4000000000001:EN'QTY+47:5:PCE'UNS+S'MOA+77:10'"
    start, end = EDIFACT.index("BGM"), EDIFACT.index("UNT")
    text = EDIFACT[:start] + body + EDIFACT[end:].replace("UNT+9", f"UNT+{body.count(chr(39)) + 2}")
    return text.replace("ORDERS:D:96A", f"INVOIC:D:{release}")


@pytest.mark.parametrize("release", ["96A", "01B", "24A"])
@pytest.mark.parametrize(
    ("dates", "issued", "days"),
    [
        ("DTM+3:20240305:102'", date(2024, 3, 5), [date(2024, 3, 5)]),
        ("DTM+137:20240306:102'DTM+3:20240305:102'", date(2024, 3, 6), [date(2024, 3, 5)]),
        ("DTM+3:20240305:102'DTM+137:20240306:102'", date(2024, 3, 6), [date(2024, 3, 5)]),
        ("DTM+137:20240306:102'", date(2024, 3, 6), []),
    ],
)
def test_an_invoice_with_a_day_of_its_own_and_none_of_the_document_was_issued_on_that_day(release, dates, issued, days):
    got = only(invoic(dates, release))
    assert got.document["issued_on"] == issued
    assert [each["on"] for each in got.document.get("dates", ())] == days
