"""The maps as data: they lint, and their words are the model's words."""

from __future__ import annotations

from functools import cache

import pytest

from tradehub.documents.parts import DATE_TYPES, PARTY_ROLES, REFERENCE_TYPES
from tradehub.edi import schema
from tradehub.platform.resources import read_text

RELEASES = {"x12": "004010", "edifact": "D96A"}
MAPS = [("x12", each) for each in ("840", "843", "850", "855", "856", "810")] + [
    ("edifact", each) for each in ("REQOTE", "QUOTES", "ORDERS", "ORDRSP", "DESADV", "INVOIC")
]
MODEL_WORDS = {"party": PARTY_ROLES, "reference": REFERENCE_TYPES, "date": DATE_TYPES}


def plain(standard: str, name: str) -> object:
    text = read_text(f"{standard}/{RELEASES[standard]}/{name}.yaml")
    assert text is not None, name
    return schema.parse_yaml(text, name)


@cache
def dictionary(standard: str) -> schema.Dictionary:
    return schema.load_dictionary(standard, *(plain(standard, each) for each in ("elements", "segments", "codes")))


@pytest.mark.parametrize(("standard", "name"), MAPS)
def test_a_map_fits_its_structure_its_dictionary_and_the_model(standard: str, name: str):
    words = dictionary(standard)
    structure = schema.load_structure(plain(standard, f"structure/{name}"), words, name)
    head, body = schema.load_map(plain(standard, name), name)
    assert schema.lint(schema.MapSpec(head, structure, body, words)) == []


@pytest.mark.parametrize("standard", RELEASES)
@pytest.mark.parametrize("table", MODEL_WORDS)
def test_tables_speak_the_words_of_the_model(standard: str, table: str):
    rows = dictionary(standard).tables[table]
    words = {word for code, text in rows.items() if code != "else" for word in text.split("|")}
    assert words <= set(MODEL_WORDS[table])


@pytest.mark.parametrize("table", ["party", "reference", "date", "freight", "terms_type", "terms_basis", "item_id"])
def test_most_words_can_be_said_in_both_standards(table: str):
    """A word that only one standard knows is lost on the way between them; the losses are few and known."""
    ours = {name: set(dictionary(name).tables[table].values()) for name in RELEASES}
    only_one = ours["x12"] ^ ours["edifact"]
    assert len(only_one) <= len(ours["x12"] & ours["edifact"])


@pytest.mark.parametrize("standard", RELEASES)
def test_every_code_of_a_table_is_in_the_list_that_checks_it(standard: str):
    words = dictionary(standard)
    element = {
        "x12": {"action": "353", "response": "587", "line_status": "668"},
        "edifact": {"action": "1225", "response": "4343", "line_status": "1229"},
    }
    for table, id_ in element[standard].items():
        assert set(words.tables[table]) - {"else"} <= words.elements[id_].codes, table
