"""First guides: what is said of samples that fill an element, vary without end, or bring what the standard does not know."""

from __future__ import annotations

from datetime import date

from tests.edi.engine import maps
from tests.edi.test_corners import interchange
from tradehub.edi import learning, read


def draft(*bodies: list[str]) -> list[str]:
    rules = maps().get("edifact", "ORDERS", "D96A")
    seen = learning.survey(rules, read(interchange(*bodies), maps()))
    return learning.draft(seen, "acme", "edifact:ORDERS:D96A", 1, date(2026, 3, 2)).splitlines()


def lines(text: list[str], start: str) -> list[str]:
    return [each for each in text if each.lstrip("# ").startswith(start)]


def test_a_text_as_long_as_the_standard_lets_it_be_is_no_limit():
    assert lines(draft(["BGM+220+" + "X" * 34]), "BGM.02: 34") != []
    assert lines(draft(["BGM+220+" + "X" * 35]), "BGM.02:") == []


def test_an_element_with_ever_other_values_is_no_list_to_close():
    def sent(count: int) -> list[str]:
        references = [f"RFF+A{chr(65 + each)}:1" for each in range(count)]
        return lines(draft(*([["BGM+220+PO-1", "DTM+137:20260301:102", each] for each in references])), "SG1.RFF.01.1:")

    (closed,) = sent(learning.MOST_CODES)
    assert closed.startswith("  SG1.RFF.01.1: AA AB AC")
    assert sent(learning.MOST_CODES + 2) == []


def test_of_what_was_not_seen_at_all_there_is_no_section():
    assert lines(draft(["BGM+220"]), "limit:") == []
    assert lines(draft(["BGM+220+PO-1"]), "limit:") != []


def test_a_segment_of_the_partners_own_is_spelled_with_what_its_texts_fit_into():
    (fits,) = lines(draft(["BGM+220+PO-1", "ZZZ+AB:CD"]), 'ZZZ: "')
    (none,) = lines(draft(["BGM+220+PO-1", "ZZZ+" + ":".join(["X" * 400] * 4)]), 'ZZZ: "')
    assert (fits.split('"')[1], none.split('"')[1]) == ("C002 C", "4440 C")
