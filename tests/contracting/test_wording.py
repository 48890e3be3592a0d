"""The language of contract templates: what it says, where it is wrong, and that it always ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradehub.contracting import wording
from tradehub.contracting.wording import LINE_TERMS, TERMS, Block, Mistake, fill, parse, set_out

TERMS_AGREED = {"buyer": "Haidi Trading", "payment_terms": "net 30", "law": ""}
LINES = [{"line_number": "1", "line_item": "Valve"}, {"line_number": "2", "line_item": "{{buyer}} {% raw %}"}]


def filled(text: str) -> str:
    return fill(parse(text), TERMS_AGREED, LINES)


def test_a_placeholder_stands_for_its_term():
    assert filled("Paid {{payment_terms}} by {{ buyer }}.") == "Paid net 30 by Haidi Trading."


def test_a_block_is_repeated_for_every_line_and_a_value_is_never_a_template():
    text = "{{#lines}}{{line_number}} {{line_item}} for {{buyer}};{{/lines}}"
    assert filled(text) == "1 Valve for Haidi Trading;2 {{buyer}} {% raw %} for Haidi Trading;"


def test_text_about_a_term_that_was_not_agreed_is_left_out():
    assert filled("{{?law}}Under {{law}}. {{/law}}{{?payment_terms}}Pay {{payment_terms}}.{{/payment_terms}}") == (
        "Pay net 30."
    )


@pytest.mark.parametrize(
    ("text", "rule", "line", "column"),
    [
        ("a\n  {{pament_terms}}", "unknown", 2, 3),
        ("{{ }}", "no_name", 1, 1),
        ("x {{7*7}}", "no_name", 1, 3),
        ("{{buyer.__class__}}", "no_name", 1, 1),
        ("{{line_item}}", "line_term_outside", 1, 1),
        ("{{#lines}}{{#lines}}{{/lines}}{{/lines}}", "nested", 1, 11),
        ("one\n{{#lines}}x", "not_closed", 2, 1),
        ("{{?law}}x{{/lines}}", "not_opened", 1, 10),
        ("{{/lines}}", "not_opened", 1, 1),
        ("{{#buyer}}{{/buyer}}", "unknown", 1, 1),
        ("{{?law}}" * 9, "too_deep", 1, 65),
        ("{{buyer", "open_braces", 1, 1),
        ("{{buyer}} and {{seller", "open_braces", 1, 15),
    ],
)
def test_what_is_wrong_is_named_with_its_place(text, rule, line, column):
    with pytest.raises(Mistake) as found:
        parse(text)
    assert (found.value.rule, found.value.line, found.value.column) == (rule, line, column)


def test_a_template_and_its_text_have_a_bound(monkeypatch):
    with pytest.raises(Mistake, match="too_long"):
        parse("x" * (wording.TEMPLATE_MAX + 1))
    monkeypatch.setattr(wording, "TEXT_MAX", 10)
    with pytest.raises(Mistake, match="too_long"):
        filled("{{#lines}}eight or more{{/lines}}")


def test_a_subheading_without_text_is_left_out():
    assert set_out("# A\n## B\n## C\nx\n## D") == (
        Block("heading", "A"), Block("subheading", "C"), Block("paragraph", "x")
    )  # fmt: skip


def test_a_text_is_set_in_headings_items_and_paragraphs():
    assert set_out("# One\n\nA\nB\n- c\n- d\n\n## Two\nE") == (
        Block("heading", "One"),
        Block("paragraph", "A\nB"),
        Block("item", "c"),
        Block("item", "d"),
        Block("subheading", "Two"),
        Block("paragraph", "E"),
    )


@pytest.mark.parametrize("language", ["en", "zh_Hans"])
def test_the_standard_templates_are_sound_and_name_every_term_of_law(language):
    pieces = parse(wording.standard(language))
    everything = dict.fromkeys((*TERMS, *LINE_TERMS), "@")
    text = fill(pieces, everything, [everything])
    assert len(set_out(text)) > 10
    assert fill(pieces, {}, [])


pieces_of_text = st.sampled_from(
    ["{{", "}}", "#", "?", "/", "lines", "buyer", "law", "line_item", "\n", " ", "x", "{{#lines}}", "{{/lines}}"]
)


@given(st.lists(pieces_of_text, max_size=30).map("".join))
def test_any_text_is_a_template_or_a_mistake_with_its_place(text):
    found = mistake_in(text)
    if found is None:
        assert isinstance(filled(text), str)
        return
    lines = text.split("\n")
    assert 1 <= found.line <= len(lines)
    assert 1 <= found.column <= len(lines[found.line - 1]) + 1


def mistake_in(text: str) -> Mistake | None:
    try:
        parse(text)
    except Mistake as mistake:
        return mistake
    return None
