"""A map's files that say what the notation (docs/maps.md) does not know: each is refused at its row, and with no traceback."""

from __future__ import annotations

import pytest

from tradehub.edi.linting import map_faults
from tradehub.edi.maps import MapStore
from tradehub.edi.paths import MapError

SOUND = {
    "elements": 'elements: {"1": AN 1/10 one, "2": AN 1/10 two}',
    "segments": 'segments: {AAA: "1 M", BBB: "C1 O"}\ncomposites: {C1: "1 O, 2 O"}',
    "codes": "tables: {kind: {A: first}}",
    "structure/850": "structure: [ST M 1, AAA M 1, BBB O 1, SE M 1]",
    "850": (
        'message: {standard: x12, set: "850", release: "004010", group: PO, document: order}\n'
        "body: [{AAA: 01 number}, {BBB: 01.1 type}]"
    ),
}
HEAD = SOUND["850"].split("\n", 1)[0]


def store(**changes: str) -> MapStore:
    files = SOUND | {name.replace("__", "/").lstrip("_"): text for name, text in changes.items()}
    return MapStore({f"x12/004010/{name}.yaml": text for name, text in files.items()})


def test_the_sound_one_is_one() -> None:
    rules = store().get("x12", "850", "004010")
    assert rules.read(["AAA*7", "BBB*x>y"], "*", ">").document["number"] == "7"
    assert map_faults(store(), "x12", "850", "004010") == []


FAULTS = [
    ("elements", 'elements: {"1": XX 1/10 one}', "1: 'XX 1/10 one' is not TYPE MIN/MAX name"),
    ("segments", 'segments: {AAA: "1 Q"}', "AAA: '1 Q' is not REF USE"),
    ("segments", 'segments: {AAA: "9 M"}', "AAA: 9 is neither element nor composite"),
    ("segments", 'segments: {AAA: "1 M; Q0102"}', "'Q0102' is not a condition"),
    ("structure__850", "structure: [AAA M]", "'AAA M' is not 'TAG USE MAX'"),
    ("structure__850", "structure: [AAA M 1 often]", "'AAA M 1 often' is not 'TAG USE MAX'"),
    ("structure__850", "structure: [AAA M many]", "'AAA M many' is not 'TAG USE MAX'"),
    ("structure__850", "structure: [AAA M -1]", "'AAA M -1' is not 'TAG USE MAX'"),
    ("structure__850", "structure: [AAA Q 1]", "'AAA Q 1' is not 'TAG USE MAX'"),
    ("structure__850", 'structure: [""]', "'' is not 'TAG USE MAX'"),
    ("structure__850", "structure: [{loop N1 O: [AAA M 1]}]", "'loop N1 O' is not 'loop NAME USE MAX'"),
    ("structure__850", "structure: [{loop N1 O many: [AAA M 1]}]", "'loop N1 O many' is not 'loop NAME USE MAX'"),
    ("structure__850", "structure: [{group N1 O 1: [AAA M 1]}]", "'group N1 O 1' is not 'loop NAME USE MAX'"),
    ("structure__850", "structure: [{loop N1 O 1: []}]", "'loop N1 O 1' is empty"),
    ("structure__850", "structure: [{loop N1 O 1: [AAA M 1], loop N2 O 1: [AAA M 1]}]", "a node has one key, not "),
    ("_850", HEAD.replace("PO", "[PO]") + "\nbody: [{AAA: 01 number}]", "message.group: "),
    ("_850", HEAD + "\nbody: {AAA: 01 number}", "body: "),
    ("_850", HEAD + "\nbody: [{AAA: 01 number, BBB: 01.1 type}]", "a node has one key, not "),
    ("_850", HEAD + "\nbody: [{'AAA[': 01 number}]", "AAA[: not a node: 'AAA['"),
    ("_850", HEAD + "\nbody: [{AAA: 01 number = unheard}]", "AAA: not a binding: '01 number = unheard'"),
    ("_850", HEAD + "\nbody: [{BBB: 01.2-01.1 type}]", "01.2-01.1 is no row of components"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "said"), FAULTS)
def test_what_the_notation_does_not_know_is_refused_at_its_row(file: str, text: str, said: str) -> None:
    with pytest.raises(MapError) as raised:
        store(**{file: text}).get("x12", "850", "004010")
    assert said in str(raised.value)
    assert f"004010/{file.replace('__', '/').lstrip('_')}" in str(raised.value)


def test_a_row_that_no_message_uses_stops_none_and_the_linter_names_it() -> None:
    broken = store(segments=f"{SOUND['segments'].replace('}', ', ZZZ: 1 Q}', 1)}")
    assert broken.get("x12", "850", "004010").read(["AAA*7"], "*", ">").document["number"] == "7"
    found = [str(each) for each in map_faults(broken, "x12", "850", "004010")]
    assert len(found) == 1
    assert "ZZZ: '1 Q' is not REF USE" in found[0]


@pytest.mark.parametrize(("file", "text", "said"), FAULTS)
def test_the_linter_says_so_too(file: str, text: str, said: str) -> None:
    assert map_faults(store(**{file: text}), "x12", "850", "004010") != []


LINTED = [
    ("{AAA: 01.3 number}", "component 01.3 does not exist; AAA01 has none"),
    ("{BBB: 01 type}", "01 is a composite; name a component, as in 01.1"),
]


@pytest.mark.parametrize(("node", "said"), LINTED)
def test_a_place_that_the_segment_does_not_have_is_named(node: str, said: str) -> None:
    found = map_faults(store(_850=f"{HEAD}\nbody: [{node}]"), "x12", "850", "004010")
    assert [said in str(each) for each in found] == [True], found
