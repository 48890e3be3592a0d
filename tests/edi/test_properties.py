"""Properties that hold for every map found in edi_mappings, on messages that the standard allows."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.edi.engine import SEPARATORS, every_map, maps, message
from tradehub.documents import KINDS
from tradehub.edi import reading, traces
from tradehub.edi.maps import Map

SLOW = settings(
    max_examples=2, deadline=None, phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck)
)
END = "~"
EVERY = pytest.mark.parametrize(("standard", "kind", "release"), every_map(), ids=lambda each: str(each))


def compiled(standard: str, kind: str, release: str) -> Map:
    return maps().get(standard, kind, release)


def drawn(data: st.DataObject, rules: Map) -> list[str]:
    return data.draw(message(rules.spec))


def same(one: dict, other: dict) -> bool:
    """Equal documents; extensions in any order."""

    def key(document: dict) -> tuple:
        plain = {name: value for name, value in document.items() if name != "extensions"}
        return plain, sorted(map(str, document.get("extensions", ())))

    return key(one) == key(other)


@EVERY
@SLOW
@given(data=st.data())
def test_a_message_that_the_standard_allows(standard, kind, release, data):
    """One message is drawn for all properties: drawing is what costs."""
    rules = compiled(standard, kind, release)
    raw = drawn(data, rules)
    decoded = rules.read(raw, *SEPARATORS[standard])
    is_written_back_byte_for_byte(rules, decoded.document, raw)
    has_no_error_of_structure_or_length(decoded)
    makes_a_document_of_its_kind_when_it_is_clean(rules, decoded)
    is_read_alike_by_generated_functions_and_walked_tables(rules, decoded, raw)
    is_canonical_where_it_is_held_so(rules, decoded, raw)
    is_written_the_same_for_ever(rules, decoded.document)
    is_read_alike_by_functions_of_its_shapes(rules, decoded, raw)
    is_read_alike_by_traces(rules, decoded, raw)


def is_written_back_byte_for_byte(rules, document, raw):
    """P2 and P3: what comes back holds every value."""
    assert rules.write(document, *SEPARATORS[rules.head.standard]) == raw


def has_no_error_of_structure_or_length(decoded):
    wrong = [each for each in decoded.findings if each.finding.severity == "error"]
    assert [each for each in wrong if each.finding.fault.ak4 in {"", "1", "3", "4", "5"}] == []


def makes_a_document_of_its_kind_when_it_is_clean(rules, decoded):
    if not any(each.finding.severity == "error" for each in decoded.findings):
        KINDS[rules.head.document].model_validate(decoded.document)


def is_read_alike_by_generated_functions_and_walked_tables(rules, decoded, raw):
    """P6."""
    slow = rules.read(raw, *SEPARATORS[rules.head.standard], interpreted=True)
    assert {name for name in decoded.document if decoded.document[name] != slow.document.get(name)} <= {"extensions"}
    assert same(decoded.document, slow.document)
    assert decoded.findings == slow.findings


def is_read_alike_by_functions_of_its_shapes(rules, decoded, raw):
    """P6, for the functions that are made when a shape of segment comes often."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "WARM", 1)
        special = of_shapes(rules)
        for _ in range(2):
            again = special.read(raw, *SEPARATORS[rules.head.standard])
            assert same(again.document, decoded.document)
            assert again.findings == decoded.findings


def is_read_alike_by_traces(rules, decoded, raw):
    """P6, for the runs of segments that are read by one pattern when they come often."""
    element, component = SEPARATORS[rules.head.standard]
    text = "".join(each + END for each in raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(traces, "OFTEN", 1)
        patch.setattr(traces, "WATCHED", len(raw))
        hurried = Map(rules.spec, rules.sha256)
        for _ in range(2):
            again = hurried.read_text(text, element, component, END)
            assert same(again.document, decoded.document)
            assert again.findings == decoded.findings
            assert again.is_canonical == decoded.is_canonical


@cache
def of_shapes(rules):
    return Map(rules.spec, rules.sha256)


def is_canonical_where_it_is_held_so(rules, decoded, raw):
    compared = rules.read(raw, *SEPARATORS[rules.head.standard], compared=True)
    assert same(decoded.document, compared.document)


def is_written_the_same_for_ever(rules, document):
    """P1, from what our own writer makes: reading it and writing it again changes nothing."""
    first = {name: value for name, value in document.items() if name != "extensions"}
    written = rules.write(first, *SEPARATORS[rules.head.standard])
    second = rules.read(written, *SEPARATORS[rules.head.standard]).document
    assert rules.write(second, *SEPARATORS[rules.head.standard]) == written


def test_a_form_is_kept_though_another_message_is_read_meanwhile():
    """Several threads read at once: a quantity written as 010 comes back so."""
    rules = maps().get("x12", "850", "004010")
    raw = ["BEG*00*SA*PO-1**20240301", "PO1*1*010*EA*1.20**VP*X1", "CTT*1"]

    def segments():
        for each in raw:
            yield each.split("*")
            rules.read(["BEG*00*SA*PO-2**20240301", "PO1*1*10*EA*1.20**VP*X1", "CTT*1"], "*", ">")

    assert not rules._reader.read(segments(), ">").is_canonical
