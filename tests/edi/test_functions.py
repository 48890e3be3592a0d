"""What the functions of maps make of single values, and what they write: tables, with the values that they refuse."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal

import pytest

from tests.edi.engine import maps
from tradehub.edi import functions, generation
from tradehub.edi.functions import CodeTable
from tradehub.edi.segments import Fault

SAID = "."
"""Whatever is said: it becomes a finding at its place, in words of ours."""


def at(*parts: int) -> datetime:
    """Return a moment as messages have it, without a zone."""
    return datetime(*parts)  # noqa: DTZ001


NUMBERS = {
    "0": "0", "12": "12", "-12": "-12", "1.50": "1.50", ".5": "0.5", "-.5": "-0.5", "1,5": "1.5", "-1,5": "-1.5",
    "007": "7",
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), NUMBERS.items())
def test_numbers_are_read_as_partners_write_them(text, value):
    assert functions.read_decimal(text) == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "+", "-", ".", "1.5.5", "1,5,5", "1,5.5", "1e5", "--1", "+1.5", "+-1", "1 5", "²", "٣", "x"]
)
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError, match=SAID):
        functions.read_decimal(text)


def test_implied_decimals():
    assert functions.read_implied("1234", 2) == Decimal("12.34")
    assert functions.read_implied("-5", 3) == Decimal("-0.005")
    assert [functions.write_implied(Decimal(each), 2) for each in ("12.34", "1.005", "-1.005", "0")] == [
        "1234", "101", "-101", "0",
    ]  # fmt: skip
    for text in ("12.3", "12,3", "+12"):
        with pytest.raises(ValueError, match=SAID):
            functions.read_implied(text, 2)


@pytest.mark.parametrize("text", ["1,500", "+5", "1e3"])
def test_a_number_of_x12_has_a_point_and_no_other_mark(text):
    """``1,500`` is fifteen hundred to the one and one and a half to the other: it is refused, and not guessed."""
    read = maps().get("x12", "850", "004010").read(["BEG*00*SA*PO-1**20240301", f"PO1*1*{text}*EA*1**VP*X1"], "*", ">")
    [found] = read.findings
    assert (found.tag, found.finding.element, found.finding.value) == ("PO1", 2, text)
    assert found.finding.fault is Fault.INVALID_CHARACTER
    assert "quantity" not in read.document["lines"][0]


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("-7", -7), ("0012", 12)])
def test_whole_numbers(text, value):
    assert functions.read_int(text) == value


@pytest.mark.parametrize("text", ["", "-", "--7", "+7", "1.0", "7-", "²"])
def test_what_is_no_whole_number_is_refused(text):
    with pytest.raises(ValueError, match=SAID):
        functions.read_int(text)


DAYS = {
    "20240229": date(2024, 2, 29), "240229": date(2024, 2, 29), "500101": date(2050, 1, 1), "510101": date(1951, 1, 1),
}  # fmt: skip


@pytest.mark.parametrize(("text", "day"), DAYS.items())
def test_days(text, day):
    assert functions.read_date(text) == day


@pytest.mark.parametrize(
    "text", ["", "20230229", "20241301", "2024022", "202402290", "2024022a", "-2024022", "2024-2-9"]
)
def test_what_is_no_day_is_refused(text):
    with pytest.raises(ValueError, match=SAID):
        functions.read_date(text)


TIMES = {
    "1205": time(12, 5), "120507": time(12, 5, 7), "1205071": time(12, 5, 7, 100_000), "12050712": time(12, 5, 7, 120_000),
}  # fmt: skip


@pytest.mark.parametrize(("text", "value"), TIMES.items())
def test_times(text, value):
    assert functions.read_time(text) == value


@pytest.mark.parametrize("text", ["", "12", "12050", "120507123", "2401", "1260", "120560", "12:05", "12a5", "-105"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=SAID):
        functions.read_time(text)


def test_a_time_is_written_as_exactly_as_it_is_known():
    assert [functions.write_time(each) for each in TIMES.values()] == ["1205", "120507", "12050710", "12050712"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2402291205", at(2024, 2, 29, 12, 5)),
        ("202402291205", at(2024, 2, 29, 12, 5)),
        ("20240229120507", at(2024, 2, 29, 12, 5, 7)),
    ],
)
def test_moments(text, moment):
    assert functions.read_datetime(text) == moment
    written = functions.write_datetime(moment)
    assert written.endswith(text)
    assert functions.read_datetime(written) == moment


@pytest.mark.parametrize("text", ["", "20240229", "2024022912050", "202402292405", "202302291205"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(ValueError, match=SAID):
        functions.read_datetime(text)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("20240229", "102"), ("240229", "101"), ("290224", "2"), ("022924", "3"), ("29022024", "4"), ("20240229", ""),
        ("202402291205", "203"), ("20240229120507", "204"), ("2402291205", "201"), ("240229120507", "202"),
        ("2402291205CET", "301"), ("202402291205CET", "303"), ("20240229120507CET", "304"),
    ],
)  # fmt: skip
def test_the_day_of_an_edifact_date_under_its_format(text, form):
    assert functions.read_edifact_date(text, form) == date(2024, 2, 29)


@pytest.mark.parametrize("form", ["718", "616", "102 "])
def test_a_format_that_is_no_day_is_refused(form):
    with pytest.raises(ValueError, match=SAID):
        functions.read_edifact_date("20240229", form)


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        ("20240229", "102", (date(2024, 2, 29), None, None)),
        ("20240229", "", (date(2024, 2, 29), None, None)),
        ("", "", (None, None, "")),
        ("202402291205", "203", (date(2024, 2, 29), at(2024, 2, 29, 12, 5), None)),
        ("20240229120507", "204", (date(2024, 2, 29), at(2024, 2, 29, 12, 5, 7), None)),
        ("2024W09", "616", (None, None, "2024W09 (616)")),
    ],
)
def test_a_date_time_or_period_is_read_as_what_it_is_and_written_again(text, form, expected):
    found = functions.read_when(text, form)
    assert found == expected
    assert functions.when_parts(form) == (form in {"102", "", "203", "204"}, form in {"203", "204"}, form == "616")
    if text:
        assert functions.write_when(*found) == (text, form or "102")


@pytest.mark.parametrize(
    ("text", "form", "moment"),
    [
        ("240229", "101", None), ("290224", "2", None), ("022924", "3", None), ("29022024", "4", None),
        ("2402291205", "201", at(2024, 2, 29, 12, 5)), ("240229120507", "202", at(2024, 2, 29, 12, 5, 7)),
        ("2402291205CET", "301", at(2024, 2, 29, 12, 5)), ("202402291205UTC", "303", at(2024, 2, 29, 12, 5)),
        ("20240229120507M08", "304", at(2024, 2, 29, 12, 5, 7)),
    ],
)  # fmt: skip
def test_a_day_and_a_moment_in_other_formats_are_read_as_such(text, form, moment):
    assert functions.read_when(text, form) == (date(2024, 2, 29), moment, None)
    assert functions.when_parts(form) == (True, moment is not None, False)


@pytest.mark.parametrize(
    ("text", "form"), [("300224", "2"), ("291324", "2"), ("2402292505", "201"), ("24022912", "303")]
)
def test_a_day_or_moment_in_another_format_that_does_not_exist_is_refused(text, form):
    with pytest.raises(ValueError, match=SAID):
        functions.read_when(text, form)


def test_what_cannot_be_told_from_its_digits_has_no_format():
    assert [functions.form_said(each) for each in ("20240229", "202402291205", "20240229120507", "2402", "2024W09x")] == [
        "102", "203", "204", "", "",
    ]  # fmt: skip


def test_a_code_table_goes_both_ways_and_keeps_what_it_does_not_know():
    table = CodeTable("x12", {"BY": "buyer", "IV": "bill_to|invoicee", "ST": "ship_to", "else": "ZZ"})
    assert [table.read(each) for each in ("BY", "IV", "QQ")] == ["buyer", "bill_to", "x12:QQ"]
    words = ("buyer", "bill_to", "invoicee", "x12:QQ", "edifact:QQ", "unheard_of")
    assert [table.write(each) for each in words] == ["BY", "IV", "IV", "QQ", "ZZ", "ZZ"]
    assert CodeTable("x12", {"BY": "buyer"}).write("unheard_of") is None


def test_a_line_that_names_no_order_stands_below_the_order_that_has_no_name():
    def order(*numbers):
        return {"level": "order", "references": [{"type": "order", "value": each} for each in numbers]}

    of_second = {"number": "9", "references": [{"type": "order", "value": "A"}]}
    document = {"lines": [order("A"), order(), order("B"), {"number": "7"}, of_second]}
    levels = functions.unfold_hl_orders(document)["levels"]
    assert [(each["level"], each.get("parent")) for each in levels] == [
        ("order", None), ("order", None), ("order", None), ("item", "2"), ("item", "1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("known", "first", "second"),
    [
        (functions.Decimals(), "1.5", "2.50"),
        (functions.Decimals(), "1.5", "0.1234567891"),
        (functions.Dates(), "20260301", "20260302"),
        (functions.DateTexts(), date(2026, 3, 1), date(2026, 3, 2)),
        (generation.Whens(), ("20260301", "102"), ("202603011205", "203")),
        (generation.Moments(), ("20260301", "102"), ("20260302", "102")),
        (generation.Times(), "1205", "1206"),
    ],
)
def test_what_has_been_read_is_kept_only_for_so_many(monkeypatch, known, first, second):
    monkeypatch.setattr(functions, "CACHED", 1)
    monkeypatch.setattr(generation, "CACHED", 1)
    values = [known[first], known[second], known[first]]
    assert values[0] == values[2] != values[1]
    assert len(known) == 1


def levels_of(document):
    return [(each["level"], each.get("parent")) for each in functions.unfold_hl(document)["levels"]]


@pytest.mark.parametrize("kind", ["pack", "order"])
@pytest.mark.parametrize(
    ("around", "below"),
    [({"1": "2", "2": "1"}, ["1", "2"]), ({"1": "1", "2": "1"}, ["1", "2"]), ({"1": None, "2": "2"}, ["1", "1"])],
)
def test_packages_within_each_other_in_a_circle_are_written_once_each(kind, around, below):
    packages = [{"number": number, "parent": parent, "kind": kind} for number, parent in around.items()]
    assert levels_of({"packages": packages}) == [("shipment", None), *((kind, parent) for parent in below)]


def test_lines_of_one_order_stand_below_it_together():
    lines = [{"number": each, "references": [{"type": "order", "value": "A"}]} for each in "12"]
    assert levels_of({"lines": lines}) == [("shipment", None), ("order", "1"), ("item", "2"), ("item", "2")]


def test_a_level_without_a_number_is_no_ones_parent():
    levels = [{"level": "shipment", "id": "1"}, {"level": "order"}, {"level": "item", "id": "3"}]
    assert functions.fold_hl({"levels": levels})["lines"] == [{"package": "1"}]


def test_a_line_of_a_package_without_a_number_names_none():
    assert functions.fold_cps({"levels": [{"lines": [{"number": "7"}]}]})["lines"] == [{"number": "7"}]
