"""How often a segment or a loop may stand: exactly its maximum is right, one more is named at its place, and each
repetition of the loop around it counts anew."""

from __future__ import annotations

import pytest

from tests.edi.engine import maps
from tests.edi.fuzzing import interchange
from tradehub.edi import Fault, read, reading

SEGMENTS, LOOPS = Fault.TOO_MANY_SEGMENTS, Fault.TOO_MANY_LOOPS
BEG, PO1 = "BEG*00*SA*PO-1**20240229", "PO1*1*10*EA*1.20**VP*A1"
BGM, DATE, END = "BGM+220+PO-1+9", "DTM+137:20240229:102", "UNS+S"


def found(standard: str, message: str, release: str, segments: list[str]) -> list[tuple[Fault, str]]:
    """Return which maxima are exceeded, and where."""
    rules = maps().get(standard, message, release)
    (judged,) = read(interchange(rules, [segments]), maps())
    return [(each.fault, str(each.at)) for each in judged.issues if each.fault in {SEGMENTS, LOOPS}]


X12_CASES = [
    # before it, what repeats, its maximum, after it, the fault, the tag
    ([BEG], ["PER*BD*A"], 3, [PO1], SEGMENTS, "PER"),
    ([BEG], ["CSH*Y"], 5, [PO1], SEGMENTS, "CSH"),
    ([BEG], ["DTM*002*20240301"], 10, [PO1], SEGMENTS, "DTM"),
    ([BEG, "N1*ST*A*92*1"], ["N3*STREET 1"], 2, [PO1], SEGMENTS, "N3"),
    ([BEG, "N1*ST*A*92*1"], ["REF*DP*1"], 12, [PO1], SEGMENTS, "REF"),
    ([BEG], ["SAC*C*D240***100"], 25, [PO1], LOOPS, "SAC"),
    ([BEG, PO1], ["N1*ST*A*92*1"], 200, [], LOOPS, "N1"),
]


@pytest.mark.parametrize(
    ("before", "repeated", "most", "after", "fault", "tag"), X12_CASES, ids=lambda each: str(each)[:20]
)
def test_x12(before, repeated, most, after, fault, tag):
    assert found("x12", "850", "004010", [*before, *repeated * most, *after]) == []
    where = f"segment {len(before) + most + 2} ({tag})"
    assert found("x12", "850", "004010", [*before, *repeated * (most + 1), *after]) == [(fault, where)]
    twice = f"segment {len(before) + most + 3} ({tag})"
    assert found("x12", "850", "004010", [*before, *repeated * (most + 2), *after]) == [(fault, where), (fault, twice)]


EDIFACT_CASES = [
    ([BGM, DATE], ["ALI+CN"], 5, [END], SEGMENTS, "ALI"),
    ([BGM, DATE, "RFF+CT:1"], ["DTM+171:20240229:102"], 5, [END], SEGMENTS, "DTM"),
    ([BGM, DATE], ["RFF+CT:1"], 10, [END], LOOPS, "RFF"),
    ([BGM, DATE, "NAD+BY+1::92"], ["FII+BB"], 5, [END], SEGMENTS, "FII"),
    ([BGM, DATE, "NAD+BY+1::92", "CTA+OC"], ["COM+1:TE"], 5, [END], SEGMENTS, "COM"),
    ([BGM, DATE], ["TOD+3++CIF"], 5, [END], LOOPS, "TOD"),
]


@pytest.mark.parametrize(
    ("before", "repeated", "most", "after", "fault", "tag"), EDIFACT_CASES, ids=lambda each: str(each)[:20]
)
def test_edifact(before, repeated, most, after, fault, tag):
    assert found("edifact", "ORDERS", "D96A", [*before, *repeated * most, *after]) == []
    where = f"segment {len(before) + most + 2} ({tag})"
    assert found("edifact", "ORDERS", "D96A", [*before, *repeated * (most + 1), *after]) == [(fault, where)]


def test_each_repetition_of_a_loop_counts_anew():
    party = ["N1*ST*A*92*1", "N3*STREET 1", "N3*STREET 2"]
    assert found("x12", "850", "004010", [BEG, *party * 3, PO1]) == []
    assert found("x12", "850", "004010", [BEG, *party * 2, "N3*STREET 3", *party, PO1]) == [
        (SEGMENTS, "segment 9 (N3)")
    ]
    reference = ["RFF+CT:1", *["DTM+171:20240229:102"] * 5]
    assert found("edifact", "ORDERS", "D96A", [BGM, DATE, *reference * 3, END]) == []


def test_beside_a_segment_that_has_no_place_it_is_counted_all_the_same():
    assert found("x12", "850", "004010", [BEG, "QQQ*1", *["PER*BD*A"] * 3, PO1]) == []
    assert found("x12", "850", "004010", [BEG, "QQQ*1", *["PER*BD*A"] * 4, PO1]) == [(SEGMENTS, "segment 7 (PER)")]


def test_a_message_that_ends_after_its_first_segment_lacks_what_must_follow():
    rules = maps().get("x12", "850", "004010")
    (judged,) = read(interchange(rules, [[BEG]]), maps())
    assert [(each.fault, str(each.at)) for each in judged.issues] == [(Fault.MISSING_SEGMENT, "segment 3 (PO1)")]


def test_limits_hold_for_more_kinds_of_messages_than_are_remembered(monkeypatch):
    monkeypatch.setattr(reading, "MOST_SETS", 2)
    reader = maps().get("x12", "850", "004010")._reader
    for others in ([], ["CSH*Y"], ["DTM*002*20240301"], ["N1*ST*A*92*1"], []):
        wrong = [BEG, *["PER*BD*A"] * 4, *others, PO1]
        assert found("x12", "850", "004010", wrong) == [(SEGMENTS, "segment 6 (PER)")]
    assert len(reader._known_limits) <= 2
