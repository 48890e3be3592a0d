"""A release's files may stand on those of another: only what differs is written down."""

from __future__ import annotations

import pytest

from tradehub.edi.editions import nearest
from tradehub.edi.maps import MapStore
from tradehub.edi.paths import MapError

BASE = {
    "x12/004010/elements.yaml": 'elements: {"1": AN 1/10 one, "2": AN 1/10 two}',
    "x12/004010/segments.yaml": 'segments: {AAA: "1 M", BBB: "2 M"}',
    "x12/004010/codes.yaml": "tables: {kind: {A: first, B: second}, other: {X: why}}\nlists: {'1': A B}",
    "x12/004010/structure/850.yaml": "structure: [AAA M 1, BBB O 1]",
    "x12/004010/850.yaml": (
        'message: {standard: x12, set: "850", release: "004010", group: PO, document: order}\n'
        "body: [{AAA: 01 number}, {BBB: 01 type}]"
    ),
}
OWN = {
    "x12/005010/elements.yaml": 'like: "004010"\nelements: {"2": AN 2/20 two}',
    "x12/005010/segments.yaml": 'like: "004010"\nsegments: {CCC: "1 O"}\ngone: AAA',
    "x12/005010/codes.yaml": 'like: "004010"\ntables: {kind: {B: third}}',
    "x12/005010/structure/850.yaml": "structure: [BBB M 1, CCC O 1]",
    "x12/005010/850.yaml": (
        'message: {standard: x12, set: "850", release: "005010", like: "004010"}\nbody: [{BBB: 01 process}]'
    ),
}


def store(**changes: str) -> MapStore:
    return MapStore({**BASE, **OWN, **{name.replace("__", "/") + ".yaml": text for name, text in changes.items()}})


def test_dictionaries_are_merged_row_by_row():
    dictionary = store().dictionary("x12", "005010")
    assert {name: (rule.min, rule.max) for name, rule in dictionary.elements.items()} == {"1": (1, 10), "2": (2, 20)}
    assert sorted(dictionary.segments) == ["BBB", "CCC"]
    assert dictionary.tables == {"kind": {"A": "first", "B": "third"}, "other": {"X": "why"}}
    assert dictionary.elements["1"].codes == {"A", "B"}


def test_a_map_replaces_nodes_of_one_name_and_keeps_the_rest():
    _, plain = store().plain("x12/005010/850.yaml")
    assert plain["message"]["release"] == "005010"
    assert plain["message"]["document"] == "order"
    assert plain["body"] == [{"AAA": "01 number"}, {"BBB": "01 process"}]


def test_the_digest_of_a_file_changes_with_the_file_it_is_like():
    before = store().plain("x12/005010/elements.yaml")[0]
    after = store(x12__004010__elements='elements: {"1": AN 1/11 one, "2": AN 1/10 two}')
    assert after.plain("x12/005010/elements.yaml")[0] != before


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("x12__004010__elements", 'like: "005010"\nelements: {}', "like itself"),
        ("x12__005010__elements", 'like: "003010"\nelements: {}', "no file to be like"),
        ("x12__005010__850", 'message: {release: "005010", like: "004010"}\nbody: [{ZZZ: 01 number}]', "has no ZZZ"),
        ("x12__005010__850", 'message: {release: "005010", like: "004010"}\nbody: [{AAA: 01 a, BBB: 01 b}]', "one key"),
        ("x12__004010__850", "[a list]", "x12/005010/850.yaml: there is no file to be like"),
    ],
)
def test_a_file_that_is_like_nothing_is_refused(file, text, said):
    with pytest.raises(MapError, match=said):
        store(**{file: text}).plain(file.replace("__", "/").replace("004010", "005010") + ".yaml")


X12 = ("004010", "005010")
EDIFACT = ("D96A", "D01B", "D24A")


@pytest.mark.parametrize(
    ("release", "known", "stands_in"),
    [
        ("003040", X12, "004010"),
        ("004030", X12, "004010"),
        ("005030", X12, "005010"),
        ("D93A", EDIFACT, "D96A"),
        ("S93A", EDIFACT, "D96A"),
        ("096A", EDIFACT, "D96A"),
        ("D97A", EDIFACT, "D96A"),
        ("D98B", EDIFACT, "D96A"),
        ("D99B", EDIFACT, "D01B"),
        ("D03A", EDIFACT, "D01B"),
        ("D11A", EDIFACT, "D01B"),
        ("D13B", EDIFACT, "D24A"),
        ("D21B", EDIFACT, "D24A"),
        ("D21B", EDIFACT[:2], "D01B"),
        ("1911", EDIFACT, "D96A"),
        ("D21B", (), ""),
    ],
)
def test_the_nearest_release_stands_in(release: str, known: tuple[str, ...], stands_in: str):
    assert nearest(release, known) == stands_in


def test_what_is_not_there_is_not_remembered():
    maps = store()
    for number in range(100):
        assert not maps.has("x12", "850", f"{number:06}")
    assert maps._plain == {}


def test_two_files_of_a_release_may_be_loaded_at_once():
    """Several threads ask for maps: one file is loaded while another of its release waits for the file it is like."""
    files = {**BASE, **OWN}
    asked: list[str] = []

    def source(path: str) -> str | None:
        if path == "x12/004010/elements.yaml" and not asked:
            asked.append(path)
            assert maps.plain("x12/005010/segments.yaml")[1] is not None
        return files.get(path)

    maps = MapStore(source)
    assert maps.plain("x12/005010/elements.yaml")[1] is not None
    assert asked
