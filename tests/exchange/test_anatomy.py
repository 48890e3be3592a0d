"""What the message page shows: lines as they came, the fault at its element, the cursor at the fault."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradehub.exchange import anatomy


@dataclass(frozen=True)
class Fault:
    segment: int | None
    tag: str | None = None
    element: int | None = None
    component: int | None = None
    path: str | None = None
    value: str | None = None
    text: str = "wrong"
    severity: str = "error"


ISA = "ISA*00*          *00*          *ZZ*NINGBOVALVES   *ZZ*HAIDITRADING   *261123*1200*U*00401*000000001*0*P*>~\n"
X12 = ISA + "\n".join([
    "GS*PO*A*B*20261123*1200*1*X*004010~", "ST*850*0001~", "BEG*00*SA*PO-1**20261399~", "SE*3*0001~",
    "ST*850*0002~", "BEG*00*SA*PO-2**20261101~", "SE*3*0002~", "GE*2*1~", "IEA*1*000000001~", "",
])  # fmt: skip
EDIFACT = (
    "UNA:+.? 'UNB+UNOC:3+A:14+B:14+261123:1200+7'UNH+1+ORDERS:D:96A:UN'BGM+220+PO?'1?++9'"
    "DTM+137:20261399:102'UNT+4+1'UNZ+1+7'"
)


def test_a_fault_is_pinned_to_its_element_in_its_own_message() -> None:
    shown = anatomy.lines(X12, "x12", message=0, pins=[Fault(2, "BEG", 5)])
    (wrong,) = [line for line in shown if line.is_wrong]
    assert (wrong.message, wrong.number) == (0, 2)
    assert [piece.text for piece in wrong.pieces if piece.look == "fault"] == ["20261399"]
    found = anatomy.first_fault(shown)
    assert found is not None
    assert X12[slice(*found)] == "20261399"


def test_a_component_is_marked_alone_and_released_characters_part_nothing() -> None:
    shown = anatomy.lines(EDIFACT, "edifact", message=0, pins=[Fault(3, "DTM", 1, 2)])
    (wrong,) = [line for line in shown if line.is_wrong]
    assert [(piece.text, piece.look) for piece in wrong.pieces if piece.look] == [("DTM", "tag"), ("20261399", "fault")]
    bgm = next(line for line in shown if line.text.startswith("BGM"))
    assert [(value.name, value.text) for value in anatomy.values(bgm, EDIFACT)] == [
        ("BGM01", "220"), ("BGM02", "PO'1+"), ("BGM03", "9"),
    ]  # fmt: skip


def test_a_fault_of_the_envelope_is_pinned_to_the_envelope() -> None:
    shown = anatomy.lines(X12, "x12", message=0, pins=[Fault(None, "GE")])
    assert [line.text for line in shown if line.is_wrong] == ["GE*2*1~"]


def test_xml_is_marked_by_line_and_value() -> None:
    text = "<Order>\n  <IssueDate>2026-13-99</IssueDate>\n</Order>\n"
    shown = anatomy.lines(text, "ubl", message=0, pins=[Fault(2, value="2026-13-99")])
    found = anatomy.first_fault(shown)
    assert found is not None
    assert text[slice(*found)] == "2026-13-99"


@pytest.mark.parametrize("text", [X12, EDIFACT])
def test_nothing_of_the_text_is_lost(text: str) -> None:
    shown = anatomy.lines(text, "x12", message=0, pins=[Fault(2, "x", 1, 1)])
    assert "".join(line.text for line in shown) == text.replace("\n", "")
    assert all("".join(piece.text for piece in line.pieces) == line.text for line in shown)
    assert all(text[line.start :].startswith(line.text) for line in shown)


@given(st.text(alphabet="UNAISA+':?*~\n\r B1", max_size=300), st.sampled_from(["x12", "edifact", "ubl", None]))
def test_any_text_can_be_shown(text: str, standard: str | None) -> None:
    shown = anatomy.lines(text, standard, message=0, pins=[Fault(1, "ISA", 3, 2), Fault(None, "UNB")])
    for line in shown:
        assert text[line.start :].startswith(line.text)
        assert "".join(piece.text for piece in line.pieces) == line.text
        anatomy.values(line, text)
    anatomy.first_fault(shown)


@pytest.mark.parametrize("text", [X12, EDIFACT, X12.replace("\n", "")])
def test_a_text_to_be_edited_has_a_line_for_each_segment(text: str) -> None:
    laid = anatomy.laid_out(text, "x12")
    assert laid is not None
    assert laid.replace("\n", "") == text.replace("\n", "")
    assert len(laid.splitlines()) == len(anatomy.lines(text, "x12", message=0))
