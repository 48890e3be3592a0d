"""Mutants of the rules in their short form; `make rule-mutants` runs all of them."""

from __future__ import annotations

from random import Random

import pytest

from tests.negotiation import mutants
from tests.negotiation.mutants import MUTANTS, PACKAGE, ROOT


def test_each_mutant_changes_one_place_and_every_rule_has_one():
    for each in MUTANTS:
        assert (ROOT / PACKAGE / each.file).read_text(encoding="utf-8").count(each.old) == 1, each.name
        assert each.old != each.new
        assert each.killed_by
    rules = {each.name.split(":")[0] for each in MUTANTS}
    assert {f"R{number}" for number in range(1, 31)} - rules == set()
    assert len({each.name for each in MUTANTS}) == len(MUTANTS)


@pytest.mark.timeout(3000)
def test_mutants_are_killed_by_the_test_that_is_named_for_it(request):
    count = request.config.getoption("--mutants", default=2)
    chosen = Random(len(MUTANTS)).sample(MUTANTS, min(count, len(MUTANTS)))
    assert [wrong for each in chosen if (wrong := mutants.survives(each)) is not None] == []
