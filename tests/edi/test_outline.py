"""What a guide changes, as the page of an implementation guide shows it: at which node or element, and how."""

from __future__ import annotations

from typing import Any

import pytest

from tests.edi.engine import FOLDER, maps
from tradehub.edi import guides, outline
from tradehub.edi.outline import Node

X12, EDIFACT = ("x12", "850", "004010"), ("edifact", "ORDERS", "D24A")


def nodes(of: tuple[str, str, str], guide: dict[str, Any]) -> list[Node]:
    standard = maps().spec(*of)
    own = guides.patched(standard, guides.load({"of": standard.head.key, **guide}))
    return [one for each in outline.outline(standard, own) for one in each.walk()]


def changes(of: tuple[str, str, str], guide: dict[str, Any]) -> list[str]:
    found = []
    for node in nodes(of, guide):
        found += [" ".join(filter(None, (node.path, each.kind, each.was, each.now))) for each in node.changes]
        for row in node.rows:
            place = f"{node.path}.{row.place}"
            found += [" ".join(filter(None, (place, each.kind, each.was, each.now))) for each in row.changes]
    return found


@pytest.mark.parametrize(
    ("of", "guide", "said"),
    [
        (X12, {}, []),
        (X12, {"require": ["CUR"]}, ["CUR required"]),
        (X12, {"require": ["/CUR.03"]}, ["CUR.03 required"]),
        (X12, {"forbid": ["CUR"]}, ["CUR forbidden"]),
        (X12, {"forbid": ["N9"]}, ["N9 forbidden"]),
        (X12, {"forbid": ["/CUR.03"]}, ["CUR.03 forbidden"]),
        (X12, {"limit": {"REF": "2"}}, ["REF limited ∞ 2"]),
        (X12, {"limit": {"PO1": "50"}}, ["PO1 limited ∞ 50"]),
        (X12, {"widen": {"CUR": "3"}}, ["CUR widened 1 3"]),
        (X12, {"widen": {"CUR": "*"}}, ["CUR widened 1 ∞"]),
        (X12, {"limit": {"BEG.03": "10"}}, ["BEG.03 limited 22 10"]),
        (X12, {"widen": {"BEG.03": "30"}}, ["BEG.03 widened 22 30"]),
        (X12, {"close": {"BEG.02": "SA NE"}}, ["BEG.02 closed NE SA"]),
        (X12, {"rename": {"party": {"VX": "SE"}}}, ["N1.N1.01 codes VX", "PO1.N1.N1.01 codes VX"]),
        (X12, {"notes": {"BEG.03": "ours begins with PO"}}, []),
        (X12, {"bind": {"CUR": "04 notes[subject=rate].text"}}, ["CUR.04 bound"]),
        (X12, {"segments": {"ZZZ": "127 M"}, "add": {"PO1": ["ZZZ O 1"]}}, ["PO1.ZZZ added"]),
        (EDIFACT, {"require": ["/SG2.NAD.02.3"]}, ["SG2.NAD.02.3 required"]),
        (EDIFACT, {"require": ["/SG2.NAD.04"]}, ["SG2.NAD.04 required"]),
        (EDIFACT, {"forbid": ["/SG2.NAD.04"]}, ["SG2.NAD.04 forbidden"]),
    ],
    ids=lambda each: str(each)[:60],
)
def test_each_entry_of_a_guide_shows_as_one_change(of, guide, said):
    assert changes(of, guide) == said


def test_an_element_without_a_longest_text_says_how_short_it_may_be():
    assert (outline._size(1, 10**9), outline._size(2, 2), outline._size(1, 3)) == ("1+", "2", "1-3")


def test_what_two_nodes_bind_alike_is_told_once():
    rows = {(node.path, row.place): row.targets for node in nodes(X12, {}) for row in node.rows if node.name == "PID"}
    assert all(len(set(each)) == len(each) for each in rows.values())


@pytest.mark.parametrize("text", ["segments: [", "\tx"])
def test_names_of_segments_end_where_a_file_cannot_be_read(text):
    good = (FOLDER / "x12/004010/segments.yaml").read_text("utf-8")
    assert outline.titles(lambda _: text, "x12", "004010") == {}
    assert outline.titles(lambda _: good, "x12", "004010")["BEG"] != ""
