"""The rules as printed, the page made of them, and the drawing."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from tests.negotiation import rulebook
from tradehub.cli import main
from tradehub.negotiation import drawing, model, printing, simulation
from tradehub.negotiation.model import Kind, State
from tradehub.negotiation.model.refusals import RULES
from tradehub.negotiation.model.steps import checks

HISTORY = '{"kind":"negotiation","negotiation":"n","buyer":"b","seller":"s"}\n'


def run(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(main, ["negotiation", *words], input=text)


def test_the_page_is_up_to_date():
    """If this fails, run ``python -m tests.negotiation.rulebook``."""
    page = rulebook.PAGE.read_text(encoding="utf-8")
    assert rulebook.made(page) == page
    assert rulebook.DRAWING.read_text(encoding="utf-8") == drawing.diagram()


def test_the_page_has_every_table_and_names_every_kind_field_and_default():
    page = rulebook.PAGE.read_text(encoding="utf-8")
    assert set(re.findall(r"<!-- (?!end)(\w+) -->", page)) == {*(each.name for each in printing.tables()), "mutants"}
    assert all(f"`{kind}`" in page for kind in Kind)
    entries = (simulation.NegotiationEntry, simulation.StatementEntry, simulation.OfferEntry, simulation.LineEntry,
               simulation.PlaceEntry, simulation.AwardEntry, simulation.PickEntry, simulation.NowEntry)  # fmt: skip
    for entry in entries:
        for name in entry.model_fields:
            assert f"`{name}`" in page or f'"{name}"' in page, f"{entry.__name__}.{name}"
    assert all(f"`{key}`" in page for key in simulate_keys())


def simulate_keys() -> set[str]:
    """Return all keys of answers that the page's own examples show."""
    page = rulebook.PAGE.read_text(encoding="utf-8")
    found: set[str] = set()
    for example in rulebook.EXAMPLE.finditer(page):
        for answer in simulation.simulate(example["history"].splitlines()):
            found |= answer.keys() - {"negotiations"}
    return found


def test_each_rule_has_its_articles_under_each_law():
    (rules,) = (each for each in printing.tables() if each.name == "rules")
    assert [row[0] for row in rules.rows] == [f"R{number}" for number in range(1, 31)]
    assert all(all(row) for row in rules.rows)


def test_each_refusal_has_its_sentence():
    (refusals,) = (each for each in printing.tables() if each.name == "refusals")
    assert {row[0]: row[1] for row in refusals.rows} == dict(RULES)
    assert all(row[2].endswith(".") for row in refusals.rows)


def test_each_check_is_explained_and_each_refusal_belongs_to_one():
    asked = {name for kind in Kind for name in checks(kind)}
    assert asked == set(printing.QUESTIONS)
    codes = " ".join(code for _, code in printing.QUESTIONS.values())
    elsewhere = {"STALE_VERSION", "SAME_NUMBER_OTHER_CONTENT", "MORE_THAN_DEMANDED", "UNKNOWN_REFERENCE"}
    elsewhere |= {"NO_RATE", "NO_APPROVER"}  # an organisation's own limits (docs/approvals.md)
    elsewhere |= {"NO_SUCH_TERM"}  # words have no effect: no rule asks what they speak of
    assert {code for code in RULES if code not in codes} == elsewhere


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_the_tables_are_printed_in_each_form(form):
    result = run("table", "--format", form)
    assert result.exit_code == 0
    assert all(rule.number in result.output and rule.title in result.output for rule in model.RULES)
    if form == "json":
        printed = json.loads(result.output)
        assert len(printed["offer_moves"]) == len(model.TRANSITIONS)
        assert printed["materiality"][-1]["class of terms"] == "unknown"


def test_the_drawing_shows_every_move_by_rule_and_event():
    drawn = ElementTree.fromstring(run("diagram").output)
    words = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    for move in model.TRANSITIONS:
        assert any(f"{move.rule} {move.event.replace('_', ' ')}" in str(each) for each in words)
    assert set(drawing.PLACES) == set(State)


def test_simulate_exits_with_0_for_what_was_refused_and_2_for_what_could_not_be_read(tmp_path):
    refused = HISTORY + '{"kind":"accept","id":"a","by":"b","about":"o","at":"2026-11-23T09:00:00Z"}\n'
    file = tmp_path / "history.jsonl"
    file.write_text(refused)
    result = run("simulate", str(file))
    assert (result.exit_code, [json.loads(each)["outcome"] for each in result.output.splitlines()]) == (
        0, ["accepted", "refused"],
    )  # fmt: skip
    assert run("simulate", "-", text=refused).output == result.output
    file.write_bytes(HISTORY.encode() + b'{"kind":"\xff"}\n')
    broken = run("simulate", str(file))
    assert (broken.exit_code, json.loads(broken.output.splitlines()[1])["outcome"]) == (2, "invalid")
