"""Interchanges in whatever state they come: what is accepted, what is said of the rest, and what goes back."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.edi.engine import maps
from tradehub.edi import (
    EnvelopeFacts,
    Fault,
    Id,
    acknowledge,
    acknowledged,
    detect,
    message,
    read,
    write_back,
    write_interchange,
)

NOON = datetime(2024, 3, 1, 12, 0)  # noqa: DTZ001
ISA = "ISA*00*          *00*          *ZZ*HAIDI          *ZZ*NINGBO         *240301*1200*U*00401*000000001*0*P*>~"
GS = "GS*PO*HAIDI*NINGBO*20240301*1200*1*X*004010~"
GOOD = "ST*850*0001~BEG*00*SA*PO-1**20240229~N1*BY*Haidi~PO1*1*10*EA*1.20**VP*A1~CTT*1~SE*6*0001~"
X12 = ISA + GS + GOOD + "GE*1*1~IEA*1*000000001~"
EDIFACT = (
    "UNA:+.? 'UNB+UNOC:3+HAIDI:ZZ+RHEIN:ZZ+240301:1200+1'UNH+1+ORDERS:D:96A:UN'BGM+220+PO?+1+9'DTM+137:20240229:102'"
    "NAD+BY+1::92++Haidi ?'x?''LIN+1++4000000000001:EN'QTY+21:5:PCE'UNS+S'CNT+2:1'UNT+9+1'UNZ+1+1'"
)


def x12(body: str, count: int) -> str:
    return f"{ISA}{GS}ST*850*0001~{body}SE*{count}*0001~GE*1*1~IEA*1*000000001~"


def issues(text: str) -> list[tuple[Fault, str]]:
    return [(issue.fault, str(issue.at)) for each in read(text.encode(), maps()) for issue in each.issues]


@pytest.mark.parametrize("text", [X12, EDIFACT], ids=["x12", "edifact"])
def test_a_clean_file_is_accepted_and_written_back(text):
    reading = read(text.encode(), maps())
    messages = list(reading)
    assert reading.accepted
    assert [each.accepted for each in messages] == [True]
    assert write_back(messages, maps(), una=reading.una).decode() == text


@pytest.mark.parametrize(
    ("body", "count", "expected"),
    [
        ("BEG*00*SA*PO-1**20240230~PO1*1~", 4, [(Fault.INVALID_DATE, "segment 2 (BEG05)")]),
        ("BEG*00*SA*PO-1**20240229~XXX*1~PO1*1~", 5, [(Fault.UNKNOWN_SEGMENT, "segment 3 (XXX)")]),
        ("PO1*1~", 3, [(Fault.MISSING_SEGMENT, "segment 2 (BEG)")]),
        ("BEG*00*SA*PO-1**20240229~PO1*1*X*EA~", 4, [(Fault.INVALID_CHARACTER, "segment 3 (PO102)")]),
        ("BEG*00*SA*PO-1**20240229~PO1*1**EA~", 4, [(Fault.MISSING_CONDITIONAL, "segment 3 (PO102)")]),
        ("BEG*00*SA*PO-1**20240229~PO1*1~", 9, [(Fault.WRONG_SEGMENT_COUNT, "segment 4 (SE01)")]),
        ("BEG*00*SA*PO-1**20240229~PO1*1~CTT*2~", 5, [(Fault.WRONG_SUM, "segment 4 (CTT01)")]),
    ],
)
def test_a_fault_is_named_at_its_place_and_nowhere_else(body, count, expected):
    assert issues(x12(body, count)) == expected


@pytest.mark.parametrize(
    "dirt",
    [
        lambda text: "\ufeff" + text,
        lambda text: "\r\n  " + text,
        lambda text: text.replace("~", "~\r\n"),
        lambda text: text.replace("~", "~\n   "),
        lambda text: text.removesuffix("~"),
        lambda text: "\n".join(text[at : at + 80] for at in range(0, len(text), 80)),
        lambda text: text.replace("GS*PO", "TA1*000000001*240301*1200*A*000~GS*PO"),
        lambda text: text.replace("*", "|").replace("~", "\n"),
    ],
)
def test_a_dirty_envelope_is_read_all_the_same(dirt):
    messages = list(read(dirt(X12).encode(), maps()))
    assert [(each.accepted, each.document["number"]) for each in messages] == [(True, "PO-1")]


def test_a_rejected_message_is_answered_with_place_and_code():
    reading = read(x12("BEG*00*SA*PO-1**20240230~PO1*1~", 4).encode(), maps())
    list(reading)
    answer = acknowledge(reading.interchanges[0], at=NOON, control="7").decode()
    assert "AK3*BEG*2**8~AK4*5*373*8*20240230~AK5*R*5~AK9*R*1*1*0~" in answer
    (one, whole) = acknowledged(next(iter(read(answer.encode(), maps()))))
    assert (one.message, one.response, whole.group, whole.response) == ("0001", "rejected", "1", "rejected")


def test_contrl_names_segment_and_component():
    reading = read(EDIFACT.replace("20240229", "20240230").encode(), maps())
    list(reading)
    answer = acknowledge(reading.interchanges[0], at=NOON, control="7").decode()
    assert "UCM+1+ORDERS:D:96A:UN+4'UCS+3'UCD+12+2:2'" in answer


def test_an_unknown_message_is_answered_as_not_supported():
    reading = read(X12.replace("ST*850", "ST*666").encode(), maps())
    assert [each.accepted for each in reading] == [False]
    assert "AK5*R*1~" in acknowledge(reading.interchanges[0], at=NOON, control="7").decode()


def test_an_acknowledgement_is_not_acknowledged():
    reading = read(X12.encode(), maps())
    list(reading)
    answer = read(acknowledge(reading.interchanges[0], at=NOON, control="7"), maps())
    list(answer)
    assert acknowledge(answer.interchanges[0], at=NOON, control="8") == b""


@pytest.mark.parametrize(("standard", "kind", "release"), [("x12", "850", "004010"), ("edifact", "ORDERS", "D96A")])
@given(
    name=st.text(st.characters(blacklist_categories=("Cs", "Cc", "Co")), min_size=1, max_size=20)
    .map(str.strip)
    .filter(bool)
)
@settings(max_examples=20, deadline=None)
def test_any_text_goes_out_and_comes_back(standard, kind, release, name):
    document = {
        "number": "1",
        "action": "original",
        "type": "order",
        "lines": [{"number": "1", "item": {"name": name}}],
    }
    facts = EnvelopeFacts(standard, Id("ZZ", "A"), Id("ZZ", "B"), "5", NOON)
    out = write_interchange([message(maps().get(standard, kind, release), document, "0001")], facts)
    (back,) = list(read(out, maps()))
    assert back.document["lines"][0]["item"]["name"] == name


@given(data=st.one_of(st.binary(max_size=300), st.binary(max_size=80).map(lambda junk: X12.encode()[:120] + junk)))
@settings(max_examples=100, deadline=None)
def test_no_bytes_raise(data):
    reading = read(data, maps())
    for each in reading:
        assert each.raw
    for each in reading.interchanges:
        acknowledge(each, at=NOON, control="1")
    detect(data)


@given(cut=st.integers(0, len(X12)), junk=st.text("*~>'+:? ABSTGE019\n", max_size=12))
@settings(max_examples=100, deadline=None)
def test_no_damage_raises(cut, junk):
    for text in (X12, EDIFACT):
        reading = read((text[:cut] + junk + text[cut:]).encode(), maps())
        list(reading)
        for each in reading.interchanges:
            acknowledge(each, at=NOON, control="1")


@pytest.mark.parametrize(
    ("good", "bad", "place"),
    [
        ("BGM+220+PO?+1+9", "BGM+220+PO:1+9", "segment 2 (BGM02.2)"),
        ("BGM+220+PO?+1+9", "BGM+220+PO?+1:+9", "segment 2 (BGM02.2)"),
        ("NAD+BY+1::92", "NAD+BY:1+1::92", "segment 4 (NAD01.2)"),
    ],
)
def test_a_separator_in_an_edifact_element_without_components_is_a_fault_and_stays_one(good, bad, place):
    """Written as a released sign it would be another message."""
    text = EDIFACT.replace(good, bad)
    reading = read(text.encode(), maps())
    (message,) = list(reading)
    assert [(issue.fault, str(issue.at)) for issue in message.issues][:1] == [(Fault.TOO_MANY_COMPONENTS, place)]
    assert write_back([message], maps(), una=reading.una).decode() == text


def test_a_released_separator_is_text():
    (message,) = list(read(EDIFACT.replace("PO?+1", "PO?:1").encode(), maps()))
    assert (message.accepted, message.document["number"]) == (True, "PO:1")


def test_x12_has_no_way_to_release_the_component_separator_and_takes_it_for_text():
    (message,) = list(read(X12.replace("PO-1", "PO>1").encode(), maps()))
    assert (message.accepted, message.document["number"]) == (True, "PO>1")
