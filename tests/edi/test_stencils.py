"""Items written whole by one function: whatever their values, as the functions for single segments write them."""

from __future__ import annotations

from copy import deepcopy
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.edi.engine import SEPARATORS, maps
from tests.edi.making import maker
from tests.edi.test_linting import changed
from tradehub.edi import stencils, writing
from tradehub.edi.functions import Scope
from tradehub.edi.maps import Map
from tradehub.edi.writing import Writer

NEVER = 1 << 30
TEXTS = ("", None, "x" * 200, "buyer", "x12:ZZ", "A", "edifact:A")
OTHERS = ("", None, Decimal(0), Decimal("1E3"), False)


def writer(rules: Map) -> Writer:
    return Writer(rules.spec, rules.machine, rules._reader.tables)


def by_functions(rules: Map, document: Scope) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "OFTEN", NEVER)
        return written(writer(rules), document)


def written(by: Writer, document: Scope) -> Any:
    """Return segments and places; of what cannot be written, what it raises."""
    try:
        return by.write(document, "*", ">")
    except (TypeError, ValueError, AttributeError, ArithmeticError) as wrong:
        return type(wrong)


def varied(value: Any, random: Random) -> Any:
    """Return a plain value with some of what lies in it as no message has it."""
    if isinstance(value, dict):
        return {name: varied(each, random) for name, each in value.items()}
    if isinstance(value, list):
        return [varied(each, random) for each in value[: len(value) - (random.random() < 0.03)]]
    if random.random() < 0.1:
        return random.choice(TEXTS if isinstance(value, str) else OTHERS)
    return value


@pytest.mark.parametrize(
    ("standard", "kind", "release"),
    [
        ("x12", "810", "004010"),
        ("x12", "840", "004010"),
        ("x12", "850", "004010"),
        ("x12", "856", "005010"),
        ("edifact", "ORDERS", "D96A"),
        ("edifact", "PRICAT", "D96A"),
        ("edifact", "DESADV", "D01B"),
    ],
)
def test_a_value_of_another_kind_is_written_as_it_would_be_alone(standard, kind, release, monkeypatch):
    rules = maps().get(standard, kind, release)
    monkeypatch.setattr(writing, "MOST_TRIES", NEVER)
    quick, plain = writer(rules), writer(rules)
    for seed in range(12):
        document = rules.read(maker(rules).message(seed), *SEPARATORS[standard]).document
        document.pop("extensions", None)
        monkeypatch.setattr(writing, "OFTEN", 1)
        written(quick, document)
        for each in range(4):
            other = varied(document, Random(seed * 10 + each))
            monkeypatch.setattr(writing, "OFTEN", NEVER)
            wanted = written(plain, other)
            monkeypatch.setattr(writing, "OFTEN", 1)
            assert written(quick, other) == wanted, (seed, each)


LINE = {
    "number": "1",
    "quantity": {"value": Decimal(5), "unit": "EA"},
    "price": {"amount": Decimal("1.20")},
    "item": {"ids": [{"scheme": "buyer", "value": "B1"}], "name": "Gate valve"},
}


@pytest.fixture
def rules() -> Map:
    return maps().get("x12", "850", "004010")


@pytest.fixture
def cut(rules, monkeypatch):
    """Return what writes a line of an 850, and the stencils that are there after so many lines like it."""
    monkeypatch.setattr(writing, "OFTEN", 2)

    def cut(*lines: Scope) -> tuple[list[str], int]:
        by, document = writer(rules), {"lines": [deepcopy(each) for each in lines]}
        for _ in range(2):
            segments, places = by.write(document, "*", ">")
        assert (segments, places) == by_functions(rules, document)
        lines = [each for each in by.lists if str(each._target) == "lines[]"]
        return segments[1:-1], sum(len(made) for each in lines for made in each._stencils.values())

    return cut


def test_lines_alike_are_written_by_one_stencil(cut):
    segments, stencils_ = cut(*[LINE] * 9)
    assert segments[:2] == ["PO1*1*5*EA*1.20**BP*B1", "PID*F****Gate valve"]
    assert (len(segments), stencils_) == (18, 1)


@pytest.mark.parametrize(
    "other",
    [
        {"quantity": {"value": Decimal(5), "unit": "x12:ZZ"}},
        {"quantity": {"value": Decimal(5)}},
        {"number": ""},
        {"number": None},
        {"item": {"ids": [], "name": "Gate valve"}},
        {"item": {"ids": [{"scheme": "buyer", "value": "B1"}, {"scheme": "seller", "value": "S1"}], "name": "G"}},
        {"item": {"ids": [{"scheme": "edifact:ZZ", "value": "B1"}], "name": "Gate valve"}},
        {"item": {"ids": [{"scheme": "buyer", "value": None}], "name": "Gate valve"}},
        {"item": {"ids": ({"scheme": "buyer", "value": "B1"},), "name": "y" * 81}},
        {"price": {}},
    ],
    ids=str,
)
def test_a_line_that_asks_otherwise_has_a_stencil_of_its_own_or_none(cut, other):
    segments, _ = cut(*[LINE] * 3, *[{**LINE, **other}] * 4, LINE)
    assert segments[-2:] == segments[:2]


@pytest.mark.parametrize(
    "uncut",
    [
        {"dates": [{"type": "requested_delivery", "on": date(2026, 3, 1), "at": {1, 2}}]},  # of a kind that is no value
        {"notes": [{"text": str(number)} for number in range(stencils.MOST_VALUES * 3)]},
        {"item": {"name": "y" * 81}},  # written in pieces
    ],
    ids=["a set", "many values", "a long text"],
)
def test_what_no_condition_can_tell_is_left_to_the_functions(rules, uncut, monkeypatch):
    monkeypatch.setattr(writing, "OFTEN", 1)
    by = writer(rules)
    lists = {str(each._target): each for each in by.lists if each._target.steps[-1].name == "lines"}
    line = {**LINE, **uncut}
    assert by.stencil(lists["lines[]"]._number, line) is None


def test_of_an_item_that_is_written_only_for_want_of_what_was_tried_before_no_stencil_is_cut(monkeypatch):
    """A number that the first node took, though it is not for this contact, is not there for the second one to see. By itself
    no such contact is written: a stencil of it would leave out the next."""
    monkeypatch.setattr(writing, "OFTEN", 2)
    bound = "contacts[] {01 role = code:contact_role, 02 name, 03/04 other[] (scheme/value) = code:channel}"
    store, _ = changed(
        "x12/004010/850.yaml",
        "  - PER: contacts[] {01 role = code:contact_role else IC, 02 name, pairs 03/04 .. 07/08 other[] (scheme/value) = code:channel}",
        f"  - PER[02=Sales]: {bound}\n  - PER[03!=*]: {bound}",
    )
    rules = store.get("x12", "850", "004010")
    contacts = [{"role": "order", "name": f"Haidi {at}", "other": [{"scheme": "fax", "value": "1"}]} for at in range(3)]
    document, by = {"parties": [{"role": "buyer", "contacts": contacts}]}, writer(rules)
    for _ in range(4):
        segments, places = written(by, document)
        assert [each for each in segments if each[:3] == "PER"] == [
            "PER*OC*Haidi 0",
            "PER*OC*Haidi 1",
            "PER*OC*Haidi 2",
        ]
        assert (segments, places) == by_functions(rules, document)


def test_only_so_many_stencils_are_cut_and_sets_of_fields_counted(rules, monkeypatch):
    monkeypatch.setattr(writing, "OFTEN", 1)
    monkeypatch.setattr(writing, "MOST_STENCILS", 1)
    monkeypatch.setattr(writing, "MOST_FIELDS", 1)
    by = writer(rules)
    dated = {**LINE, "dates": [{"type": "requested_delivery", "on": date(2026, 3, 1)}]}
    short = {**LINE, "item": {"name": "Gate valve"}}
    for each in (LINE, short, dated, short):
        by.write({"lines": [each]}, "*", ">")
    lines = next(each for each in by.lists if str(each._target) == "lines[]" and each._seen)
    assert [len(each) for each in lines._stencils.values()] == [1]
    assert list(lines._seen) == [tuple(LINE)]


@pytest.mark.parametrize("value", [bool, str, hash, lambda each: each == ""], ids=["true", "text", "hash", "equal"])
def test_a_traced_value_answers_only_what_is_noted(value):
    with pytest.raises(stencils.Untraceable):
        value(stencils.Traced("A", "v1"))


@pytest.mark.parametrize("asks", ["r.get('number')", "str(s)"])
def test_the_whole_document_and_what_is_computed_of_it_are_no_part_of_an_item(asks):
    tracer = stencils.Tracer(lambda: (f"def write(s, r, left, es, cs):\n    return {asks}, 1\n", {}))
    with pytest.raises(stencils.Untraceable):
        tracer({}, stencils.Recorder(), None, "", "")


def test_a_moment_is_written_as_day_and_time(cut):
    at = datetime(2026, 3, 1, 12, 30)  # noqa: DTZ001
    segments, made = cut(*[{**LINE, "dates": [{"type": "requested_delivery", "on": at.date(), "at": at}]}] * 5)
    assert segments[2] == "DTM*002*20260301*1230"
    assert made == 1


@pytest.mark.parametrize(
    ("only", "excluded", "scheme", "has_place"),
    [("EN", "", "EN", True), ("EN", "", "UP", False), ("", "EN", "EN", False), ("", "EN", "UP", True)],
)
def test_an_item_has_a_place_where_its_code_is_wanted(only, excluded, scheme, has_place):
    wanted = (frozenset(each.split()) for each in (only, excluded))
    recorder, item = stencils.Recorder(), {"scheme": scheme, "value": "1"}
    by = stencils.ItemWriter((("scheme", str), ("value", str)), *wanted)
    made = by.traced(recorder.scope(item, "s"), recorder)
    assert (made is not None, by(item)) == (has_place, (scheme, "1") if has_place else None)


@pytest.mark.parametrize(("code", "holds"), [("A", True), ("B", False)])
def test_that_a_text_is_one_of_some_is_noted(code, holds):
    source = "def write(s, r, left, es, cs):\n    return 'X', s.get('code') in S\n"
    recorder, tracer = stencils.Recorder(), stencils.Tracer(lambda: (source, {"S": frozenset("A")}))
    assert tracer(recorder.scope({"code": code}, "s"), recorder, None, "", "") == ("X", holds)
    write = recorder.stencil(["'X'"], [1]).write
    assert [write({"code": each}, "*", ">") is not None for each in "AB"] == [holds, not holds]


def test_an_item_that_may_be_left_to_another_segment_has_no_stencil():
    by = stencils.ItemWriter((("value", str),), frozenset(), frozenset(), lambda item: "text" in item)
    assert (by({"value": "1"}), by({"value": "1", "text": "X"})) == (("1",), None)
    with pytest.raises(stencils.Untraceable):
        by.traced({}, stencils.Recorder())
