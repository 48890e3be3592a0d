"""What a first guide says of a partner's samples, and what it leaves unsaid."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest
from ruamel.yaml import YAML

from tests.edi.engine import maps
from tests.edi.test_corners import ORDERS, interchange
from tests.edi.test_guides import ENVELOPE
from tradehub.edi import read
from tradehub.edi.learning import ENOUGH, MOST_CODES, Values, draft, survey

ORDER = ("BEG*00*SA*PO-1**20261123", "REF*CT*C-7", "PO1*1*24*EA*12.05**BP*V-22", "CTT*1")


def drafted(bodies: Sequence[Sequence[str]]) -> str:
    """Return the first guide of an 850, learned from so many messages."""
    files = (ENVELOPE.format(body="".join(f"{each}~" for each in body), count=len(body) + 2) for body in bodies)
    seen = survey(
        maps().get("x12", "850", "004010"), [message for file in files for message in read(file.encode(), maps())]
    )
    return draft(seen, "acme", "x12:850:004010", len(bodies), date(2026, 11, 23))


def drafted_of_edifact(*bodies: list[str]) -> str:
    seen = survey(maps().get("edifact", "ORDERS", "D96A"), read(interchange(*bodies), maps()))
    return draft(seen, "acme", "edifact:ORDERS:D96A", 1, date(2026, 11, 23))


def test_of_no_message_nothing_is_said():
    assert YAML(typ="safe").load(drafted([])) == {"of": "x12/004010/850"}


@pytest.mark.parametrize(
    ("count", "is_closed"), [(ENOUGH, True), (MOST_CODES, True), (MOST_CODES + 1, False), (30, False)]
)
def test_a_list_of_many_codes_is_not_worth_closing(count: int, is_closed: bool):
    codes = [f"A{at:02}" for at in range(count)]
    guide = YAML(typ="safe").load(drafted([(ORDER[0], f"REF*{each}*C-7", *ORDER[2:]) for each in codes]))
    said = guide["close"]["BEG.02"], guide["close"].get("/REF.01")
    assert said == ("SA", " ".join(codes) if is_closed else None)


def test_of_an_element_of_any_values_no_more_are_kept_than_tell_that_they_are_no_codes():
    values = Values()
    for number in range(1000):
        values.see(str(number))
    assert (values.count, len(values.codes), values.longest) == (1000, MOST_CODES + 1, "100")


@pytest.mark.parametrize(("length", "limit"), [(21, 21), (22, None)])
def test_a_text_as_long_as_the_standard_allows_is_not_limited(length: int, limit: int | None):
    """The number of an order (BEG03) has 22 characters at most."""
    guide = YAML(typ="safe").load(drafted([(ORDER[0].replace("PO-1", "9" * length), *ORDER[1:])] * ENOUGH))
    assert guide["limit"].get("BEG.03") == limit
    assert guide["limit"]["/REF.02"] == 3


@pytest.mark.parametrize(
    ("elements", "made_of"),
    [
        (["crate 7"], "4440 C"),
        (["crate:7"], "C040 C"),
        (["x" * 600 + ":7"], "4440 C"),  # no composite has a text so long
        (["a", "crate:7:" + "x" * 300], "4440 C, 4440 C"),
    ],
    ids=lambda each: str(each)[:20],
)
def test_a_segment_that_the_standard_does_not_know_is_made_of_what_can_hold_it(elements: list[str], made_of: str):
    text = drafted_of_edifact([*ORDERS[:-1], "+".join(["ZZA", *elements]), ORDERS[-1]])
    assert f'#   ZZA: "{made_of}"  # seen 1 time' in text.splitlines()
