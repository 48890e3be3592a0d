"""A message as its page shows it: what the standard has, what a partner's guide changes of it, and what it was before."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from tests.edi.engine import FOLDER, maps
from tradehub.edi import guides
from tradehub.edi.maps import MapStore
from tradehub.edi.outline import Change, Node, Row, outline, titles

FILES = {
    "elements": 'elements: {"1": AN 1/10 one, "2": AN 1/* two, "3": ID 1/2 three}',
    "segments": 'segments: {AAA: "1 M", BBB: "2 O, 3 O", CCC: "1 O"}',
    "codes": "tables: {kind: {A: first}}",
    "structure/850": "structure: [AAA M 1, BBB O *, {loop CCC O 5: [CCC M 1, BBB O 1]}, XXX O 1]",
    "850": (
        'message: {standard: x12, set: "850", release: "004010", group: PO, document: order}\n'
        "body: [{AAA: 01 number}, {AAA: 01 number}, {BBB: 02 type = code:kind}]"
    ),
}


@cache
def store() -> MapStore:
    return MapStore({f"x12/004010/{name}.yaml": text for name, text in FILES.items()})


def shown(guide: dict[str, Any]) -> dict[str, Node]:
    """Return the nodes of the small message under a guide, by their paths."""
    standard = store().spec("x12", "850", "004010")
    own = guides.patched(standard, guides.load(guide))
    return {each.path: each for top in outline(standard, own) for each in top.walk()}


def row(node: Node, place: str) -> Row:
    return next(each for each in node.rows if each.place == place)


def test_without_rules_nothing_is_changed():
    nodes = shown({})
    assert list(nodes) == ["AAA", "BBB", "CCC", "CCC.CCC", "CCC.BBB", "XXX"]
    assert [each.path for each in nodes.values() if each.is_changed] == []


@pytest.mark.parametrize(
    ("guide", "path", "changes"),
    [
        ({"limit": {"BBB": "3"}}, "BBB", (Change("limited", "∞", "3"),)),
        ({"limit": {"CCC": "2"}}, "CCC", (Change("limited", "5", "2"),)),
        ({"widen": {"CCC": "7"}}, "CCC", (Change("widened", "5", "7"),)),
        ({"widen": {"CCC": "*"}}, "CCC", (Change("widened", "5", "∞"),)),
        ({"require": ["BBB"]}, "BBB", (Change("required"),)),
        ({"forbid": ["CCC"]}, "CCC", (Change("forbidden"),)),
        ({"forbid": ["BBB"]}, "BBB", (Change("forbidden"),)),
        ({"add": {"CCC": ["AAA O 1"]}}, "CCC.AAA", (Change("added"),)),
    ],
    ids=str,
)
def test_a_segment_or_loop_says_what_the_guide_changes(guide: dict[str, Any], path: str, changes: tuple[Change, ...]):
    nodes = shown(guide)
    assert nodes[path].changes == changes
    around = {path.rpartition(".")[0], path}
    assert {each.path for each in nodes.values() if each.is_changed} - {""} == around - {""}


@pytest.mark.parametrize(
    ("guide", "path", "place", "changes"),
    [
        ({"require": ["BBB.02"]}, "BBB", "02", (Change("required"),)),
        ({"require": ["CCC.BBB.02"]}, "CCC.BBB", "02", (Change("required"),)),
        ({"forbid": ["BBB.02"]}, "BBB", "02", (Change("forbidden"),)),
        ({"limit": {"BBB.01": "9"}}, "BBB", "01", (Change("limited", "∞", "9"),)),
        ({"widen": {"AAA.01": "12"}}, "AAA", "01", (Change("widened", "10", "12"),)),
        ({"close": {"BBB.02": "B A"}}, "BBB", "02", (Change("closed", now="A B"),)),
        ({"tables": {"kind": {"A": "first", "Z": "last"}}}, "BBB", "02", (Change("codes", now="Z"),)),
        ({"bind": {"CCC.BBB": "01 packaging"}}, "CCC.BBB", "01", (Change("bound"),)),
        ({"bind": {"BBB": "01 packaging"}}, "BBB", "01", (Change("bound"),)),
    ],
    ids=str,
)
def test_an_element_says_what_the_guide_changes(
    guide: dict[str, Any], path: str, place: str, changes: tuple[Change, ...]
):
    node = shown(guide)[path]
    assert [(each.place, each.changes) for each in node.rows if each.changes] == [(place, changes)]


def test_a_size_without_limit_is_open():
    nodes = shown({})
    assert (row(nodes["AAA"], "01").size, row(nodes["BBB"], "01").size) == ("1-10", "1+")


def test_a_target_that_two_nodes_name_is_shown_once():
    assert [each.path for each in row(shown({})["AAA"], "01").targets] == ["number"]


def test_what_a_guide_binds_anew_is_told_from_what_the_map_bound():
    """In a loop too: a binding that stands there without the guide is no change."""
    rules = maps().spec("x12", "850", "004010")
    own = guides.patched(rules, guides.load({"bind": {"N1.N2": "01 name"}}))
    nodes = {each.path: each for top in outline(rules, own) for each in top.walk()}
    bound = [
        (path, each.place) for path, node in nodes.items() for each in node.rows if Change("bound") in each.changes
    ]
    assert bound == [("N1.N2", "01")]
    assert row(nodes["N1.N3"], "01").targets[0].path == "parties[].address.street[]"


def test_a_segment_that_the_dictionary_does_not_have_is_shown_without_elements():
    node = shown({})["XXX"]
    assert (node.rows, node.usage) == ((), "optional")


def test_names_stand_behind_the_rows_of_the_dictionary_and_of_the_one_it_is_like():
    own = 'like: "004010"\nsegments:\n  ZZA: 127 M  # crate\n  BEG: 353 M  # order\n'
    texts = {"x12/009999/segments.yaml": own}
    found = titles(lambda path: texts.get(path) or (FOLDER / path).read_text("utf-8"), "x12", "009999")
    shipped = titles(lambda path: (FOLDER / path).read_text("utf-8"), "x12", "004010")
    assert {name: found[name] for name in found if found[name] != shipped.get(name)} == {"ZZA": "crate", "BEG": "order"}
    assert set(found) == {*shipped, "ZZA"}


def test_names_of_a_dictionary_that_is_no_yaml_are_those_of_its_own_rows():
    assert titles(lambda _: "segments:\n  ZZA: 127 M  # crate\n  ]", "x12", "009999") == {"ZZA": "crate"}
