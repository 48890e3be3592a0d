"""Our EDIFACT dictionaries and structures against the facts: every message in every directory that we have.

The facts stand beside the repository (../shared/facts, or TRADEHUB_SHARED); without them the tests are skipped.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest

from benchmarks.corpus import shared
from tradehub.edi import schema
from tradehub.edi.maps import MapStore
from tradehub.edi.schema import SegmentRule, StructureNode, Use
from tradehub.platform.resources import read_text

STORE = MapStore(read_text)
DIRECTORIES = ("D96A", "D01B", "D24A")
MESSAGES = [
    "REQOTE",
    "QUOTES",
    "ORDERS",
    "ORDRSP",
    "ORDCHG",
    "OSTENQ",
    "OSTRPT",
    "DESADV",
    "RECADV",
    "INVOIC",
    "REMADV",
    "COMDIS",
    "PRICAT",
    "INVRPT",
    "DELFOR",
    "DELJIT",
    "IFTSTA",
    "APERAK",
    "PARTIN",
]
SINCE_D01B = {"OSTENQ", "OSTRPT"}
EACH = [(one, each) for one in DIRECTORIES for each in MESSAGES if one != "D96A" or each not in SINCE_D01B]
OF_THE_ENGINE = {"UNH", "UNT"}
OF_THE_SERVICE_DIRECTORY = {"UNS"}

OUR_OWN_WAY = {
    ("D96A", "INVOIC", "SG2/FII"): "a habit: the bank stands behind the references of the party; read with a warning",
    ("D96A", "INVOIC", "SG2/SG3"): "a habit: and more references behind the bank",
}
"""Places that the standard does not have, and why we read them."""


@cache
def facts(directory: str) -> dict[str, Any]:
    try:
        path = shared() / "facts" / f"edifact-{directory.lower()}.json"
    except FileNotFoundError:
        path = None
    if path is None or not path.is_file():
        pytest.skip("no facts: set TRADEHUB_SHARED to the folder that holds facts/edifact-*.json")
    return json.loads(path.read_text(encoding="utf-8"))


def told(level: list[Any], path: str = "") -> list[tuple[str, str, int]]:
    """Every place of the facts' structure: its path, usage and maximum (0 is no limit), in order."""
    found = []
    for node in level:
        if isinstance(node, dict):
            here = f"{path}SG{node['group']}"
            found.append((here, node["use"], node["max"] or 0))
            found += told(node["of"], f"{here}/")
        elif node[0] not in OF_THE_ENGINE:
            found.append((path + node[0], node[1], node[2] or 0))
    return found


def ours(level: tuple[StructureNode, ...], path: str = "") -> list[tuple[str, str, int, bool]]:
    """Every place of our structure in the same form, and whether we call it a habit."""
    found = []
    for node in level:
        found.append((path + node.name, "M" if node.mandatory else "C", node.max, node.habit))
        found += ours(node.children, f"{path}{node.name}/") if not node.habit else []
    return found


def structure(directory: str, message: str) -> tuple[StructureNode, ...]:
    name = f"edifact/{directory}/structure/{message}.yaml"
    _, plain = STORE.plain(name)
    assert plain is not None, f"{name} is missing"
    return schema.load_structure(plain, STORE.dictionary("edifact", directory), name)


@pytest.mark.parametrize(("directory", "message"), EACH)
def test_order_usage_repeats_and_nesting_are_those_of_the_directory(directory: str, message: str):
    expected = told(facts(directory)["messages"][message]["structure"])
    got = ours(structure(directory, message))
    assert [place[:3] for place in got if not place[3]] == expected
    assert {(directory, message, place[0]) for place in got if place[3]} == {
        each for each in OUR_OWN_WAY if each[:2] == (directory, message)
    }


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_the_messages_of_a_directory_are_those_we_have(directory: str):
    assert set(facts(directory)["messages"]) == {each for one, each in EACH if one == directory}


def tags(level: tuple[StructureNode, ...]) -> set[str]:
    return {
        tag for node in level for tag in (tags(node.children) if node.is_loop else {node.name})
    } - OF_THE_SERVICE_DIRECTORY


def flat(rows: list[list[Any]]) -> list[tuple[str, str]]:
    """Positions one by one: a mandatory element that repeats has to be there once."""
    found = []
    for ref, use, *repeat in rows:
        found += [(ref, use), *[(ref, "C")] * ((repeat[0] if repeat else 1) - 1)]
    return found


def said(uses: tuple[Use, ...]) -> list[tuple[str, str]]:
    return [(use.ref, "M" if use.mandatory else "C") for use in uses]


def used(rule: SegmentRule) -> set[str]:
    """The ids of all elements of a segment."""
    return {part.ref for use in rule.uses for part in (use.parts or (use,))}


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_segments_composites_and_elements_are_those_of_the_directory(directory: str):
    known, dictionary = facts(directory), STORE.dictionary("edifact", directory)
    wanted = {tag for one, each in EACH if one == directory for tag in tags(structure(directory, each))}
    composites = {use.ref for tag in wanted for use in dictionary.segments[tag].uses if use.parts}
    elements = {id_ for tag in wanted for id_ in used(dictionary.segments[tag])}
    assert {tag: said(dictionary.segments[tag].uses) for tag in wanted} == {
        tag: flat(known["segments"][tag]["elements"]) for tag in wanted
    }
    assert {id_: said(dictionary.composites[id_].parts) for id_ in composites} == {
        id_: flat(known["composites"][id_]["parts"]) for id_ in composites
    }
    assert {id_: _limits(dictionary.elements[id_]) for id_ in elements} == {
        id_: tuple(known["elements"][id_][:3]) for id_ in elements
    }


def _limits(rule: schema.ElementRule) -> tuple[str, int, int]:
    return rule.type, rule.min, rule.max


@pytest.mark.parametrize("directory", DIRECTORIES)
def test_a_closed_list_holds_every_code_of_the_directory_and_no_other(directory: str):
    """Else a partner's good code would be an error."""
    elements = STORE.dictionary("edifact", directory).elements.items()
    closed = {id_: set(rule.codes) for id_, rule in elements if rule.codes and rule.codes_are_closed}
    assert closed == {id_: set(facts(directory)["codes"][id_]) for id_ in closed}


def test_what_is_gone_from_a_directory_is_gone_from_our_dictionary():
    segments = STORE.dictionary("edifact", "D24A").segments
    assert {"PAT", "GIS"} & set(segments) == set()
    assert "PYT" in segments
