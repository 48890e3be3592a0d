"""Our X12 dictionaries and structures against the facts gathered from other sources (beside the repository, in
TRADEHUB_SHARED or ../shared)."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import pytest

from benchmarks.corpus import shared
from tests.edi.engine import FOLDER, maps

RELEASES = ("004010", "005010")
ENVELOPE = frozenset({"ST", "SE", "ISA", "IEA", "GS", "GE"})
"""Segments of the engine: no dictionary or structure of ours holds them."""

BESIDE = frozenset({"TA1"})
"""Segments that stand in no set."""

ONCE = {
    ("005010", "CTX"): "the notation says how often a place comes in a row, not that one place repeats",
    ("005010", "DMG"): "as CTX",
}
"""Segments of which the facts say that an element repeats in its place; ours state it once, for the reason given."""

LISTS = ("353", "587", "668", "248", "349", "92?", "333?", "336?", "146?")
"""Code lists that we state whole."""


def facts(release: str) -> dict[str, Any]:
    try:
        folder = shared()
    except FileNotFoundError as absent:
        pytest.skip(f"the facts are absent: {absent}")
    return parsed(folder / "facts" / f"x12-{release}.json")


@cache
def parsed(path: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def ours(release: str, name: str) -> Any:
    return maps().plain(f"x12/{release}/{name}.yaml")[1]


EVERY_RELEASE = pytest.mark.parametrize("release", RELEASES)
EVERY_SET = pytest.mark.parametrize(
    ("release", "number"),
    [
        (release, path.stem)
        for release in RELEASES
        for path in sorted((FOLDER / "x12" / release / "structure").glob("*.yaml"))
    ],
)


@EVERY_RELEASE
def test_each_set_of_the_facts_has_a_structure(release: str):
    there = {path.stem for path in (FOLDER / "x12" / release / "structure").glob("*.yaml")}
    assert there == set(facts(release)["sets"])


@EVERY_SET
def test_order_usage_repeats_and_loops_of_a_set(release: str, number: str):
    stated = [_node(row) for row in ours(release, f"structure/{number}")["structure"]]
    expected = [_fact(node) for node in facts(release)["sets"][number]["structure"]]
    assert [each for each in stated if each] == [each for each in expected if each]


HABITS = {"810": [("", "loop ISS O * habit")], "832": [("loop LIN O *", "DTM O 10 habit")]}
"""Places that are none of the standard, each with the loop it is in: one more place of what the loop has anyway."""


@EVERY_RELEASE
def test_a_habit_is_a_place_that_the_standard_has_elsewhere_in_the_loop(release: str):
    found: dict[str, list[tuple[str, str]]] = {}

    def walk(rows: list[Any], within: str, number: str) -> None:
        names = [next(iter(row)) if isinstance(row, dict) else row for row in rows]
        for name in names:
            if name.endswith("habit"):
                found.setdefault(number, []).append((within, name))
                assert name.removesuffix(" habit") in names
        for row in rows:
            if isinstance(row, dict):
                walk(next(iter(row.values())), next(iter(row)), number)

    for number in facts(release)["sets"]:
        walk(ours(release, f"structure/{number}")["structure"], "", number)
    assert found == HABITS


def _node(row: Any) -> Any:
    """Return one row of ours in the form of the facts; None for a habit, which is no place of the standard."""
    spelled, children = next(iter(row.items())) if isinstance(row, dict) else (row, None)
    words = spelled.split()
    if "habit" in words:
        return None
    if children is None:
        return tuple(words)
    return (*words[1:4], "bounded" in words, *(each for each in map(_node, children) if each))


def _fact(node: Any) -> Any:
    if isinstance(node, list):
        tag, usage, most = node
        return None if tag in ENVELOPE else (tag, usage, _most(most))
    below = (_fact(each) for each in node["of"])
    return (node["loop"], node["use"], _most(node["max"]), bool(node.get("bounded")), *(each for each in below if each))


def _most(most: int | None) -> str:
    return "*" if most is None else str(most)


@EVERY_RELEASE
def test_elements_usage_and_conditions_of_each_segment(release: str):
    known = facts(release)["segments"]
    expected = {tag: _row(known[tag], "elements", once=(release, tag) in ONCE) for tag in _used(release)}
    assert {tag: _stated(text) for tag, text in ours(release, "segments")["segments"].items()} == expected


@EVERY_RELEASE
def test_parts_and_conditions_of_each_composite(release: str):
    known = facts(release)["composites"]
    expected = {id_: _row(known[id_], "parts") for id_ in _composites(release)}
    assert {id_: _stated(text) for id_, text in ours(release, "segments")["composites"].items()} == expected


@EVERY_RELEASE
def test_type_and_length_of_each_element(release: str):
    known = facts(release)
    refs = {ref for tag in _used(release) for ref, *_ in known["segments"][tag]["elements"]}
    refs |= {ref for id_ in _composites(release) for ref, *_ in known["composites"][id_]["parts"]}
    expected = {id_: _element(known["elements"][id_]) for id_ in refs - set(known["composites"])}
    stated = {id_: " ".join(text.split()[:2]) for id_, text in ours(release, "elements")["elements"].items()}
    assert stated == expected


def test_each_segment_whose_element_repeats_is_a_known_difference():
    found = {
        (release, tag)
        for release in RELEASES
        for tag in _used(release)
        if any(len(each) > 2 for each in facts(release)["segments"][tag]["elements"])
    }
    assert found == set(ONCE)


@pytest.mark.parametrize("element", LISTS)
@EVERY_RELEASE
def test_a_code_list_that_we_state_is_whole(release: str, element: str):
    stated = set(ours(release, "codes")["lists"][element].split())
    known = set(facts(release)["codes"][element.rstrip("?")])
    assert stated == known


@EVERY_RELEASE
def test_a_code_that_we_translate_exists(release: str):
    """The comment behind a table's name says whose codes it holds."""
    text = (FOLDER / "x12" / "004010" / "codes.yaml").read_text("utf-8")
    elements = dict(re.findall(r"^  (\w+): \{  # (\d+)", text, re.MULTILINE))
    known = facts(release)["codes"]
    wrong = {
        name: sorted(set(codes) - {"else"} - set(known[elements[name]]))
        for name, codes in ours(release, "codes")["tables"].items()
        if known.get(elements[name])
    }
    assert {name: codes for name, codes in wrong.items() if codes} == UNLISTED[release]


UNLISTED: dict[str, dict[str, list[str]]] = {"004010": {}, "005010": {"party": ["RE"], "shipment_reason": ["NS"]}}
"""Codes that our tables hold and the facts do not, by table. RE (remit to) and NS (normal) are in use in both
releases."""


def _used(release: str) -> set[str]:
    found: set[str] = set()

    def walk(nodes: list[Any]) -> None:
        for node in nodes:
            if isinstance(node, list):
                found.add(node[0])
            else:
                walk(node["of"])

    for each in facts(release)["sets"].values():
        walk(each["structure"])
    return (found | BESIDE) - ENVELOPE


def _composites(release: str) -> set[str]:
    known = facts(release)
    refs = {ref for tag in _used(release) for ref, *_ in known["segments"][tag]["elements"]}
    return refs & set(known["composites"])


def _row(fact: dict[str, Any], key: str, *, once: bool = False) -> tuple[list[tuple[str, ...]], list[str]]:
    uses = [tuple(str(part) for part in (each[:2] if once else each)) for each in fact[key]]
    return uses, list(fact.get("conditions") or ())


def _stated(text: str) -> tuple[list[tuple[str, ...]], list[str]]:
    listed, _, conditions = text.partition(";")
    uses: list[tuple[str, ...]] = []
    for each in listed.split(","):
        ref, usage, *times = each.split()
        uses += [(ref, usage)] * int(times[0].removeprefix("x") if times else 1)
    return uses, conditions.split()


def _element(fact: list[Any]) -> str:
    kind, least, most = fact[:3]
    return f"{kind} {least}/{'*' if most is None else most}"
