"""What an issue says of itself: its codes in each standard's acknowledgement, and the caret under its place."""

from __future__ import annotations

import pytest

from tradehub.edi.segments import Fault, Issue, Position, Segment, is_count

AK304, AK403 = set("12345678"), {*"123456789", "10", "12", "13"}
CODES_0085 = {"2", "4", "7", "8", *map(str, range(12, 41))}


@pytest.mark.parametrize("fault", Fault, ids=lambda each: each.word)
def test_each_fault_has_codes_that_the_acknowledgements_know(fault: Fault):
    assert fault.ak3 in AK304 | {""}
    assert fault.ak4 in AK403 | {""}
    assert fault.contrl in CODES_0085 | {""}
    assert not fault.ak4 or fault.ak3 == "8"  # an element in error is told below its segment


@pytest.mark.parametrize(
    ("raw", "at", "signs", "caret"),
    [
        ("PO1*1*X*EA", {"element": 2}, (), 6),
        ("PO1*1*X*EA", {}, (), 0),
        ("PO1*1", {"element": 4}, (), 5),
        ("REF*ZZ*A*B>C", {"element": 4, "component": 2}, ("*", ">"), 12),
        ("NAD+BY+401:Y", {"element": 2, "component": 2}, ("+",), 11),  # the colon is what is usual
        ("NAD+BY+401:Y", {"element": 2, "component": 1}, ("+",), 7),
    ],
)
def test_the_caret_stands_under_the_fault(raw, at, signs, caret):
    issue = Issue(Fault.INVALID_CODE, Position(segment=2, tag=raw[:3], **at), "")
    shown, below = issue.line(raw, *signs).split("\n")
    assert (shown, below.index("^")) == (raw, caret)


def test_what_is_missing_would_stand_before_the_segment():
    issue = Issue(Fault.MISSING_SEGMENT, Position(segment=2, tag="BEG"), "")
    assert issue.line("PO1*1").endswith(", before this")


@pytest.mark.parametrize(
    ("stated", "count", "is_right"),
    [
        ("3", 3, True),
        ("003", 3, True),
        ("0", 0, True),
        ("000", 0, True),
        ("", 0, False),
        ("30", 3, False),
        ("-3", 3, False),
        ("٣", 3, False),
    ],
)
def test_a_count_may_have_zeros_in_front(stated: str, count: int, is_right: bool):
    assert is_count(stated, count) is is_right


def test_a_segment_outside_a_message_has_no_number():
    assert (Segment("TA1").number, Segment("TA1", ("X",)).element(2), Segment("TA1", ("X:Y",)).element(1, 3)) == (
        0,
        "",
        "",
    )
