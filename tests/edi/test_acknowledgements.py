"""What goes back for each fault, word for word: 997, 999, TA1, CONTRL of both syntaxes; and what is read out of them."""

from __future__ import annotations

import re
from datetime import datetime

import pytest

from tests.edi.engine import maps
from tests.edi.test_interchanges import EDIFACT, GOOD, GS, ISA, NOON, X12
from tradehub.documents import ApplicationResponse
from tradehub.edi import (
    Fault,
    Interchange,
    Issue,
    Position,
    Severity,
    acknowledge,
    acknowledged,
    answer_of,
    interchange_acknowledged,
    read,
)
from tradehub.edi.acknowledgement import GROUP_CODES

AT_ELEMENT, AT_SEGMENT, AT_MESSAGE = ["element", "segment", "message"]
AT_GROUP, AT_INTERCHANGE = ["group", "interchange"]
TRAILERS = {Fault.MISSING_TRAILER, Fault.WRONG_SEGMENT_COUNT, Fault.CONTROL_NUMBER_MISMATCH}
TAGS = {
    "x12": {"element": "BEG", "segment": "BEG", "message": "ST", "group": "GE", "interchange": "ISA"},
    "edifact": {"element": "DTM", "segment": "DTM", "message": "UNH", "group": "UNE", "interchange": "UNB"},
}

# fault, where it is; then between AK1 (with TA1 before it) and AK9: 997, 999; then after UCI: CONTRL
TABLE = """
unknown_segment          | segment     | AK3*BEG*3**1~AK5*R*5               | IK3*BEG*3**1~IK5*R*5                | UCM+4'UCS+3+15
unexpected_segment       | segment     | AK3*BEG*3**2~AK5*R*5               | IK3*BEG*3**2~IK5*R*5                | UCM+4'UCS+3+15
missing_segment          | segment     | AK3*BEG*3**3~AK5*R*5               | IK3*BEG*3**3~IK5*R*5                | UCM+4'UCS+2+13
too_many_loops           | segment     | AK3*BEG*3**4~AK5*R*5               | IK3*BEG*3**4~IK5*R*5                | UCM+4'UCS+3+36
too_many_segments        | segment     | AK3*BEG*3**5~AK5*R*5               | IK3*BEG*3**5~IK5*R*5                | UCM+4'UCS+3+35
not_in_set               | segment     | AK3*BEG*3**6~AK5*R*5               | IK3*BEG*3**6~IK5*R*5                | UCM+4'UCS+3+15
out_of_order             | segment     | AK3*BEG*3**7~AK5*R*5               | IK3*BEG*3**7~IK5*R*5                | UCM+4'UCS+3+15
empty_segment            | segment     | AK3*BEG*3**8~AK5*R*5               | IK3*BEG*3**8~IK5*R*5                | UCM+4'UCS+3+18
missing_element          | element     | AK3*BEG*3**8~AK4*2**1*BAD~AK5*R*5  | IK3*BEG*3**8~IK4*2**1*BAD~IK5*R*5   | UCM+4'UCS+3'UCD+13+3:1
missing_conditional      | element     | AK3*BEG*3**8~AK4*2**2*BAD~AK5*R*5  | IK3*BEG*3**8~IK4*2**2*BAD~IK5*R*5   | UCM+4'UCS+3'UCD+13+3:1
too_many_elements        | element     | AK3*BEG*3**8~AK4*2**3*BAD~AK5*R*5  | IK3*BEG*3**8~IK4*2**3*BAD~IK5*R*5   | UCM+4'UCS+3'UCD+16+3:1
too_many_components      | element     | AK3*BEG*3**8~AK4*2**3*BAD~AK5*R*5  | IK3*BEG*3**8~IK4*2**13*BAD~IK5*R*5  | UCM+4'UCS+3'UCD+16+3:1
too_many_repetitions     | element     | AK3*BEG*3**8~AK4*2**3*BAD~AK5*R*5  | IK3*BEG*3**8~IK4*2**12*BAD~IK5*R*5  | UCM+4'UCS+3'UCD+35+3:1
too_short                | element     | AK3*BEG*3**8~AK4*2**4*BAD~AK5*R*5  | IK3*BEG*3**8~IK4*2**4*BAD~IK5*R*5   | UCM+4'UCS+3'UCD+40+3:1
too_long                 | element     | AK3*BEG*3**8~AK4*2**5*BAD~AK5*R*5  | IK3*BEG*3**8~IK4*2**5*BAD~IK5*R*5   | UCM+4'UCS+3'UCD+39+3:1
invalid_character        | element     | AK3*BEG*3**8~AK4*2**6*BAD~AK5*R*5  | IK3*BEG*3**8~IK4*2**6*BAD~IK5*R*5   | UCM+4'UCS+3'UCD+21+3:1
not_a_number             | element     | AK3*BEG*3**8~AK4*2**6*BAD~AK5*R*5  | IK3*BEG*3**8~IK4*2**6*BAD~IK5*R*5   | UCM+4'UCS+3'UCD+37+3:1
invalid_code             | element     | AK3*BEG*3**8~AK4*2**7*BAD~AK5*R*5  | IK3*BEG*3**8~IK4*2**7*BAD~IK5*R*5   | UCM+4'UCS+3'UCD+12+3:1
invalid_date             | element     | AK3*BEG*3**8~AK4*2**8*BAD~AK5*R*5  | IK3*BEG*3**8~IK4*2**8*BAD~IK5*R*5   | UCM+4'UCS+3'UCD+12+3:1
invalid_time             | element     | AK3*BEG*3**8~AK4*2**9*BAD~AK5*R*5  | IK3*BEG*3**8~IK4*2**9*BAD~IK5*R*5   | UCM+4'UCS+3'UCD+12+3:1
excluded                 | element     | AK3*BEG*3**8~AK4*2**10*BAD~AK5*R*5 | IK3*BEG*3**8~IK4*2**10*BAD~IK5*R*5  | UCM+4'UCS+3'UCD+12+3:1
forbidden                | element     | AK3*BEG*3**8~AK4*2**10*BAD~AK5*R*5 | IK3*BEG*3**8~IK4*2**I10*BAD~IK5*R*5 | UCM+4'UCS+3'UCD+15+3:1
wrong_sum                | element     | AK5*R*5                            | IK5*R*5                             | UCM+4'UCS+3'UCD+29+3:1
unknown_message          | message     | AK5*R*1                            | IK5*R*1                             | UCM+4+14+UNH
no_agreement             | message     | AK5*R*1                            | IK5*R*1                             | UCM+4+17+UNH
missing_trailer          | message     | AK5*R*2                            | IK5*R*2                             | UCM+4+13+UNT
control_number_mismatch  | message     | AK5*R*3                            | IK5*R*3                             | UCM+4+28+UNT
wrong_segment_count      | message     | AK5*R*4                            | IK5*R*4                             | UCM+4+29+UNT
bad_envelope             | message     | AK5*R*7                            | IK5*R*7                             | UCM+4+12+UNH
duplicate_control_number | message     | AK5*R*23                           | IK5*R*23                            | UCM+4+26+UNH
limit_exceeded           | message     | AK5*R*5                            | IK5*R*5                             | UCM+4+18+UNH
unknown_message          | group       | AK5*R AK9*1                        | IK5*R AK9*1                         | UCF+4+14+UNE
missing_trailer          | group       | AK5*R AK9*3                        | IK5*R AK9*3                         | UCF+4+13+UNE
control_number_mismatch  | group       | AK5*R AK9*4                        | IK5*R AK9*4                         | UCF+4+28+UNE
wrong_message_count      | group       | AK5*R AK9*5                        | IK5*R AK9*5                         | UCF+4+29+UNE
duplicate_control_number | group       | AK5*R AK9*19                       | IK5*R AK9*19                        | UCF+4+26+UNE
control_number_mismatch  | interchange | TA1*R*001 AK5*R                    | TA1*R*001 IK5*R                     | UCI+4+28+UNB
unknown_sender           | interchange | TA1*R*006 AK5*R                    | TA1*R*006 IK5*R                     | UCI+4+23+UNB
unknown_receiver         | interchange | TA1*R*009 AK5*R                    | TA1*R*009 IK5*R                     | UCI+4+7+UNB
wrong_group_count        | interchange | TA1*R*021 AK5*R                    | TA1*R*021 IK5*R                     | UCI+4+29+UNB
bad_envelope             | interchange | TA1*R*022 AK5*R                    | TA1*R*022 IK5*R                     | UCI+4+12+UNB
missing_trailer          | interchange | TA1*R*023 AK5*R                    | TA1*R*023 IK5*R                     | UCI+4+13+UNB
charset                  | interchange | TA1*R*024 AK5*R                    | TA1*R*024 IK5*R                     | UCI+4+21+UNB
not_edi                  | interchange | TA1*R*024 AK5*R                    | TA1*R*024 IK5*R                     | UCI+4+2+UNB
trailing_garbage         | interchange | TA1*R*024 AK5*R                    | TA1*R*024 IK5*R                     | UCI+4+33+UNB
empty_level              | interchange | TA1*R*024 AK5*R                    | TA1*R*024 IK5*R                     | UCI+4+32+UNB
mixed_levels             | interchange | TA1*R*024 AK5*R                    | TA1*R*024 IK5*R                     | UCI+4+30+UNB
duplicate_control_number | interchange | TA1*R*025 AK5*R                    | TA1*R*025 IK5*R                     | UCI+4+26+UNB
"""
ROWS = [[each.strip() for each in line.split("|")] for line in TABLE.strip().splitlines()]
GROUPED = EDIFACT.replace("UNH+1", "UNG+ORDERS+HAIDI+RHEIN+240301:1200+9+UN+D:96A'UNH+1").replace("UNZ", "UNE+1+9'UNZ")


def judged(text: str) -> Interchange:
    reading = read(text.encode(), maps())
    list(reading)
    return reading.interchanges[0]


def faulty(text: str, fault: Fault, level: str) -> Interchange:
    """Return the interchange with one fault held against it, at the level that is asked for."""
    received = judged(text)
    standard = received.standard
    tag = TAGS[standard][level]
    if level == AT_MESSAGE and fault in TRAILERS:
        tag = {"ST": "SE", "UNH": "UNT"}[tag]
    inside = level == AT_ELEMENT
    number = {AT_SEGMENT: 3, AT_ELEMENT: 3, AT_MESSAGE: 1}.get(level, 0)
    at = Position("1", "1", "1", number, tag, "", 2 * inside, int(inside and standard == "edifact"))
    issue = Issue(fault, at, "", value="BAD" if inside else "")
    (group,) = received.groups
    (message,) = group.messages
    if level == AT_INTERCHANGE:
        received.issues.append(issue)
    elif level == AT_GROUP:
        group.issues.append(issue)
    else:
        message.issues, message.accepted = (issue,), False
    return received


def between(answer: str) -> str:
    """Return what a 997 or 999 says between AK1 and AK9, and the codes of TA1 before it and AK9 behind it."""
    note = re.search(r"TA1\*000000001\*240301\*1200\*(\w\*\d+)~", answer)
    said = re.search(r"AK2\*850\*0001~(.*)~AK9\*R\*1\*1\*0(?:\*(\d+))?~", answer)
    assert said
    pieces = (f"TA1*{note[1]}" if note else "", said[1], f"AK9*{said[2]}" if said[2] else "")
    return " ".join(filter(None, pieces))


def behind(answer: str) -> str:
    """Return what a CONTRL says, without the names of what was received."""
    said = re.search(r"'(UCI.*)'UNT", answer)
    assert said
    text = said[1].replace("UCI+1+HAIDI:ZZ+RHEIN:ZZ", "UCI").replace("UCM+1+ORDERS:D:96A:UN", "UCM")
    return text.replace("UCF+9+HAIDI+RHEIN", "UCF").removeprefix("UCI+7'")


@pytest.mark.parametrize(("word", "level", "expected", "of_999", "of_contrl"), ROWS)
def test_each_fault_is_answered_by_its_code_at_its_place(word, level, expected, of_999, of_contrl):
    fault = next(each for each in Fault if each.word == word)
    received = faulty(X12, fault, level)
    assert between(acknowledge(received, at=NOON, control="7", functional_set="997").decode()) == expected
    assert between(acknowledge(received, at=NOON, control="7", functional_set="999").decode()) == of_999
    text = GROUPED if level == AT_GROUP else EDIFACT
    assert behind(acknowledge(faulty(text, fault, level), at=NOON, control="7").decode()) == of_contrl


def test_the_table_holds_each_fault():
    assert {row[0] for row in ROWS} == {fault.word for fault in Fault}


@pytest.mark.parametrize(("word", "level", "expected", "of_999", "of_contrl"), ROWS)
def test_what_we_answer_is_read_back_at_the_same_place(word, level, expected, of_999, of_contrl):
    fault = next(each for each in Fault if each.word == word)
    for text, chosen in ((X12, "997"), (X12, "999"), (GROUPED, "")):
        received = faulty(text, fault, level)
        reading = read(acknowledge(received, at=NOON, control="7", functional_set=chosen), maps())
        (answer,) = list(reading)
        said = list(acknowledged(answer))
        said += [interchange_acknowledged(note, reading.interchanges[0]) for note in reading.interchanges[0].service]
        assert not all(each.is_accepted for each in said)
        places = {(note.at.segment, note.at.element, note.at.component) for each in said for note in each.notes}
        if level == AT_ELEMENT and not (word == "wrong_sum" and chosen):
            assert (3, 2, int(text is GROUPED)) in places
        if level == AT_SEGMENT:
            assert (3, 0, 0) in places
        ApplicationResponse.model_validate(answer.document)


def test_the_bad_value_its_element_and_its_loop_come_back():
    text = X12.replace("PO1*1*10*EA*1.20", "PO1*1*10*EA*1x20")
    (answer,) = list(read(acknowledge(judged(text), at=NOON, control="7"), maps()))
    (note, _) = acknowledged(answer)[0].notes
    assert (note.code, note.fault, note.value, note.element_id) == ("6", Fault.INVALID_CHARACTER, "1x20", "212")
    assert (note.place, note.at.path) == ("segment 4 (PO104)", "PO1")
    rows = answer.document["judgements"]
    assert rows[1] == {
        "code": "6", "place": "segment 4 (PO104)", "value": "1x20", "text": "invalid character", "severity": "error",
        "line": "0001",
    }  # fmt: skip


def test_a_warning_is_accepted_with_errors_noted():
    received = judged(X12)
    message = received.groups[0].messages[0]
    message.issues = (Issue(Fault.OUT_OF_ORDER, Position(segment=4, tag="N1"), "", Severity.WARNING),)
    answer = acknowledge(received, at=NOON, control="7").decode()
    assert "AK3*N1*4**7~AK5*E*5~AK9*E*1*1*1~" in answer


def test_a_note_is_not_told():
    received = judged(X12)
    received.groups[0].messages[0].issues = (Issue(Fault.OUT_OF_ORDER, Position(segment=4), "", Severity.NOTE),)
    assert "AK2*850*0001~AK5*A~AK9*A*1*1*1~" in acknowledge(received, at=NOON, control="7").decode()


def test_some_messages_of_a_group_are_accepted():
    bad = GOOD.replace("0001", "0002").replace("20240229", "20240230")
    text = ISA + GS + GOOD + bad + "GE*2*1~IEA*1*000000001~"
    assert "AK5*A~AK2*850*0002~AK3*BEG*2**8~AK4*5*373*8*20240230~AK5*R*5~AK9*P*2*2*1~" in acknowledge(
        judged(text), at=NOON, control="7"
    ).decode()  # fmt: skip


def test_each_group_has_its_own_997_and_a_group_of_acknowledgements_none():
    second = GS.replace("*1*X", "*2*X") + GOOD + "GE*1*2~"
    third = GS.replace("GS*PO", "GS*FA").replace("*1*X", "*3*X") + "ST*997*0001~AK1*PO*1~AK9*A*1*1*1~SE*4*0001~GE*1*3~"
    text = ISA + GS + GOOD + "GE*1*1~" + second + third + "IEA*3*000000001~"
    answer = acknowledge(judged(text), at=NOON, control="7").decode()
    assert re.findall(r"ST\*997\*(\d+)~AK1\*PO\*(\d)", answer) == [("0001", "1"), ("0002", "2")]
    assert "GE*2*7~IEA*1*000000007~" in answer


def test_from_005010_on_a_group_is_answered_by_999_unless_997_was_agreed():
    received = judged(X12.replace("*U*00401*", "*^*00501*").replace("004010", "005010"))
    answer = acknowledge(received, at=NOON, control="7").decode()
    assert "*X*005010~ST*999*0001~AK1*PO*1*005010~AK2*850*0001~IK5*" in answer
    assert answer_of(received) == "x12:999:005010"
    agreed = acknowledge(received, at=NOON, control="7", functional_set="997").decode()
    assert "*X*005010~ST*997*0001~AK1*PO*1~AK2*850*0001~AK5*" in agreed
    assert answer_of(received, "997") == "x12:997:005010"
    assert answer[:106] == answer[:106].replace("*U*00401", "*^*00501")


def test_a_999_names_the_element_that_makes_another_mandatory():
    received = faulty(X12, Fault.MISSING_CONDITIONAL, AT_ELEMENT)
    issue = received.messages[0].issues[0]
    for rule, trigger in (("P0302", "3"), ("C0302", "3"), ("L030204", "3"), ("R0203", None)):
        received.messages[0].issues = (Issue(issue.fault, issue.at, "", rule=rule),)
        answer = acknowledge(received, at=NOON, control="7", functional_set="999").decode()
        context = re.search(r"CTX\*(.*?)~", answer)
        assert (context[1] if context else None) == (f"SITUATIONAL TRIGGER*BEG*3**{trigger}" if trigger else None)


@pytest.mark.parametrize(
    ("fault", "code"),
    [(Fault.INVALID_CODE, "I6"), (Fault.MISSING_ELEMENT, "I9"), (Fault.TOO_LONG, "5")],
)
def test_a_999_tells_a_guides_rule_from_the_standards(fault, code):
    received = faulty(X12, fault, AT_ELEMENT)
    issue = received.messages[0].issues[0]
    received.messages[0].issues = (Issue(fault, issue.at, "", rule="guide"),)
    assert f"IK4*2**{code}~" in acknowledge(received, at=NOON, control="7", functional_set="999").decode()
    assert f"AK4*2**{fault.ak4}~" in acknowledge(received, at=NOON, control="7", functional_set="997").decode()


def test_what_a_partners_guide_demands_is_told_by_codes_of_its_own():
    guide = {"close": {"BEG.02": "NE"}, "require": ["REF", "N1.N1.03"]}
    reading = read(X12.encode(), maps(), guide=guide)
    list(reading)
    answer = acknowledge(reading.interchanges[0], at=NOON, control="7", functional_set="999").decode()
    assert "IK3*BEG*2**8~IK4*2*92*I6*SA~" in answer
    assert "IK3*REF*3**I8~" in answer
    assert "IK4*3*66*I9~" in answer
    plain = acknowledge(reading.interchanges[0], at=NOON, control="7", functional_set="997").decode()
    assert "AK4*2*92*7*SA~" in plain


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("*0*P*", "*1*P*", "A*000"),
        ("240301*1200*U", "241301*1200*U", "E*014"),
        ("240301*1200*U", "240301*2500*U", "E*015"),
        ("00401*0", "0O401*0", "E*017"),
        ("HAIDI          *ZZ", "               *ZZ", "E*006"),
        ("*0*P*", "*1*Q*", "E*020"),
    ],
)
def test_ta1_tells_what_the_envelope_is_like_where_it_is_asked_for(old, new, said):
    text = X12.replace(old, new).replace("*0*P*", "*1*P*")
    assert f"*{said}~GS*FA" in acknowledge(judged(text), at=NOON, control="7").decode()


def test_groups_are_answered_one_by_one():
    second = re.search(r"UNG.*UNE\+1\+9'", GROUPED)[0].replace("+9+UN+", "+10+UN+").replace("UNE+1+9", "UNE+2+10")
    text = GROUPED.replace("UNZ+1", f"{second}UNZ+2")
    answer = acknowledge(judged(text), at=NOON, control="7").decode()
    assert (
        "UCI+1+HAIDI:ZZ+RHEIN:ZZ+7'UCF+9+HAIDI+RHEIN+7'UCM+1+ORDERS:D:96A:UN+7'UCF+10+HAIDI+RHEIN+4+29+UNE+2'"
    ) in answer
    every = acknowledged(next(iter(read(answer.encode(), maps()))))
    assert [(each.group, each.message, each.response) for each in every] == [
        ("9", "1", "accepted"), ("9", "", "accepted"), ("10", "", "rejected"), ("", "", "accepted"),
    ]  # fmt: skip


def test_syntax_4_is_answered_in_syntax_4():
    text = EDIFACT.replace("UNOC:3", "UNOW:4").replace("240301:1200", "20240301:1200").replace("UNA:+.? '", "UNA:+.?*'")
    received = judged(text.replace("+HAIDI:ZZ+", "+HAIDI:ZZ:DEPT:DESK+"))
    answer = acknowledge(received, at=NOON, control="7").decode()
    assert answer.startswith("UNA:+.?*'UNB+UNOW:4+RHEIN:ZZ+HAIDI:ZZ+20240301:1200+7'UNH+1+CONTRL:4:1:UN'")
    assert "UCI+1+HAIDI:ZZ:DEPT:DESK+RHEIN:ZZ+7'" in answer
    assert answer_of(received) == "edifact:CONTRL:41"


def test_an_answer_of_nothing():
    assert acknowledge(Interchange("x12"), at=datetime(2024, 3, 1), control="7") == b""  # noqa: DTZ001
    note = interchange_acknowledged("TA1*9*240301*1200*A*000", judged(X12))
    assert (note.interchange, note.response, note.notes) == ("000000009", "accepted", ())


@pytest.mark.parametrize(
    ("element", "code"),
    [
        (1, "010"), (2, "011"), (3, "012"), (4, "013"), (5, "005"), (6, "006"), (7, "007"), (8, "008"), (9, "014"),
        (10, "015"), (11, "016"), (12, "017"), (13, "018"), (14, "019"), (15, "020"), (16, "027"), (17, "022"),
    ],
)  # fmt: skip
def test_ta1_has_a_code_for_each_element_of_isa(element, code):
    received = judged(X12)
    received.issues.append(Issue(Fault.BAD_ENVELOPE, Position("1", "", "", 0, "ISA", "", element), ""))
    assert f"TA1*000000001*240301*1200*R*{code}~" in acknowledge(received, at=NOON, control="7").decode()


def test_a_group_is_answered_from_its_receiver_to_its_sender_whoever_is_named_outside():
    received = judged(X12.replace("GS*PO*HAIDI*NINGBO", "GS*PO*BRANCH*PLANT"))
    assert "~GS*FA*PLANT*BRANCH*20240301*1200*7*X*004010~" in acknowledge(received, at=NOON, control="7").decode()


def test_where_no_group_is_answered_the_answer_is_ta1():
    received = judged(X12.replace("GS*PO", "GS*FA").replace("*0*P*", "*1*P*"))
    assert answer_of(received) == "x12:TA1:004010"
    assert acknowledge(received, at=NOON, control="7").decode().endswith(
        "TA1*000000001*240301*1200*A*000~IEA*0*000000007~"
    )  # fmt: skip


def test_a_997_names_five_faults_of_a_group_at_most():
    received = judged(X12)
    group = received.groups[0]
    known = [fault for fault in Fault if fault in GROUP_CODES]
    codes = list(dict.fromkeys(GROUP_CODES[fault] for fault in known))
    assert len(codes) > 5
    group.issues.extend(Issue(fault, Position("1", "1", "", 0, "GE"), "") for fault in known)
    said = re.search(r"AK9\*R\*1\*1\*\d\*([\d*]+)~", acknowledge(received, at=NOON, control="7").decode())
    assert said
    assert said[1].split("*") == codes[:5]


@pytest.mark.parametrize(("trailer", "stated"), [("GE*3*1~", 3), ("GE*x*1~", 1), ("GE*1234567890*1~", 1), ("", 1)])
def test_ak9_tells_what_the_trailer_stated_or_else_what_came(trailer, stated):
    text = X12.replace("GE*1*1~", trailer)
    assert re.search(rf"AK9\*\w\*{stated}\*1\*", acknowledge(judged(text), at=NOON, control="7").decode())


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (Position("1", "", "1", 1, "UNH"), "UCM+1+ORDERS:D:96A:UN+4+15+UNH'UNT"),
        (Position("1", "", "1", 9, "UNT"), "UCM+1+ORDERS:D:96A:UN+4+15+UNT'UNT"),
        (Position("1", "", "1", 2, "BGM"), "UCM+1+ORDERS:D:96A:UN+4'UCS+2+15'UNT"),
    ],
)
def test_contrl_tells_a_fault_of_the_whole_message_from_one_of_a_segment(at, said):
    received = judged(EDIFACT)
    message = received.groups[0].messages[0]
    message.issues, message.accepted = (Issue(Fault.UNKNOWN_SEGMENT, at, ""),), False
    assert said in acknowledge(received, at=NOON, control="7").decode()


@pytest.mark.parametrize(("type", "code"), [("851", "1"), ("8500", "6"), ("85", "6"), ("8-0", "6"), ("", "6")])
def test_a_set_that_is_none_by_its_very_name_is_told_apart_from_one_that_is_not_supported(type, code):
    received = judged(X12)
    message = received.groups[0].messages[0]
    message.type = type
    message.issues, message.accepted = (Issue(Fault.UNKNOWN_MESSAGE, Position("1", "1", "1", 1, "ST"), ""),), False
    assert f"AK5*R*{code}~" in acknowledge(received, at=NOON, control="7", functional_set="997").decode()
