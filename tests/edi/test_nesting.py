"""What a message nests and the document keeps flat: a document made here is nested and comes back as it was."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from tradehub.edi.functions import SHAPES

BUYER = {"role": "ship_to", "ids": [{"value": "P1"}]}
OTHER = {"role": "ship_to", "ids": [{"value": "P2"}]}
FIRM, WEEKLY = {"status": "firm"}, {"status": "planned", "pattern": "weekly"}
PLANS = [
    {"on": 1, **FIRM},
    {"on": 2, **FIRM},
    {"on": 3, **WEEKLY},
    {"on": 4, "place": "P1", **FIRM},
    {"on": 5, "place": "P2"},
]
ORDER = {"type": "order", "value": "PO-1"}
DOCUMENTS: dict[str, list[dict[str, Any]]] = {
    "groups": [
        {"lines": [{"number": "1", "group": "A"}, {"number": "2", "group": "A"}, {"number": "3"}, {"number": "4", "group": "A"}]},
    ],
    "points": [
        {"lines": [{"number": "1", "parties": [BUYER]}, {"number": "2", "parties": [BUYER]}, {"number": "3", "parties": [OTHER]}]},
        {"lines": [{"number": "1", "plan": PLANS}, {"number": "2"}]},
        {"lines": [{"number": "1", "parties": [BUYER]}, {"number": "2"}]},
    ],
    "schedules": [
        {"lines": [{"number": "1", "parties": [BUYER], "plan": PLANS}, {"number": "2", "parties": [BUYER]}, {"number": "3"}]},
    ],
    "consignments": [
        {"events": [{"status": "delivered"}]},
        {"events": [{"status": "delivered"}], "transport": [{"mode": "road"}], "lines": [{"number": "1"}]},
        {"lines": [{"number": "1", "events": [{"status": "delivered"}]}, {"number": "2"}], "transport": [{"mode": "sea"}]},
        {"transport": [{"mode": "sea"}]},
    ],
    "documents": [
        {"references": [{"type": "contract", "value": "C"}, ORDER]},
        {"references": [{"type": "contract", "value": "C"}]},
        {"events": [{"status": "done"}]},
        {"references": [ORDER], "lines": [{"number": "1"}, {"number": "2", "references": [{"type": "contract"}]}]},
        {"lines": [{"number": "1", "references": [ORDER]}, {"number": "2", "references": [{"type": "order", "value": "PO-2"}]}]},
        {"lines": [{"number": "1", "references": [ORDER]}, {"number": "2"}], "references": [{"type": "order", "value": "PO-3"}]},
        {"lines": [{"number": "1", "references": []}], "events": [{"status": "done"}]},
    ],
    "verdict": [
        {"subject": ORDER},
        {"subject": ORDER, "references": [{"type": "previous", "value": "M"}]},
        {"judgements": []},
    ],
    "disputes": [
        {"subject": {"type": "invoice", "value": "I-1"}, "judgements": [{"code": "4"}, {"code": "5", "place": "I-2"}]},
        {"subject": {"type": "invoice", "value": "I-1"}},
        {"judgements": [{"code": "4"}]},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("shape", "document"), [(shape, each) for shape, some in DOCUMENTS.items() for each in [{}, *some]]
)
def test_a_document_comes_back_from_its_nested_form(shape: str, document: dict[str, Any]):
    fold, unfold = SHAPES[shape]
    before = deepcopy(document)
    nested = unfold(document)
    assert document == before, "unfolding changes nothing of the document"
    assert tidy(fold(deepcopy(nested))) == tidy(document)


def tidy(document: dict[str, Any]) -> dict[str, Any]:
    """Without empty lists, which say what no list says; with what is planned for a place last."""

    def clean(each: Any) -> Any:
        if isinstance(each, dict):
            return {name: clean(value) for name, value in each.items() if value != []}
        return [clean(one) for one in each] if isinstance(each, list) else each

    return clean(document)


@pytest.mark.parametrize(
    ("shape", "document", "nested"),
    [
        ("groups", DOCUMENTS["groups"][0], [("A", ["1", "2"]), (None, ["3"]), ("A", ["4"])]),
        ("points", DOCUMENTS["points"][0], [("P1", ["1", "2"]), ("P2", ["3"])]),
        ("schedules", DOCUMENTS["schedules"][0], [("P1", ["1", "2"]), (None, ["3"])]),
        ("documents", DOCUMENTS["documents"][3], [("PO-1", ["1", "2"])]),
        ("documents", DOCUMENTS["documents"][4], [("PO-1", ["1"]), ("PO-2", ["2"])]),
    ],
)
def test_lines_of_one_group_stand_together(shape: str, document: dict[str, Any], nested: list[Any]):
    levels = SHAPES[shape][1](document)["levels"]
    assert [(name_of(level), [line["number"] for line in level["lines"]]) for level in levels] == nested


def name_of(level: dict[str, Any]) -> str | None:
    party = level.get("party") or {"ids": [{"value": None}]}
    return level.get("group") or level.get("document", {}).get("value") or party["ids"][0]["value"]


def test_an_order_as_a_whole_among_the_lines_is_a_document_with_its_events():
    whole = {"level": "order", "references": [ORDER], "events": [{"status": "complete"}]}
    nested = SHAPES["documents"][1]({"lines": [whole, {"number": "1", "references": [ORDER]}]})
    assert nested["levels"] == [
        {"document": ORDER, "events": [{"status": "complete"}], "lines": [{"number": "1", "references": []}]}
    ]


def test_a_schedule_with_a_line_of_no_place_goes_by_article():
    nested = SHAPES["points"][1](DOCUMENTS["points"][2])
    assert [line["number"] for line in nested["lines"]] == ["1", "2"]
    assert "levels" not in nested


def test_what_is_planned_for_one_commitment_stands_together():
    (level, _) = SHAPES["schedules"][1](DOCUMENTS["schedules"][0])["levels"]
    line = level["lines"][0]
    assert [(each.get("status"), [one["on"] for one in each["plan"]]) for each in line["schedules"]] == [
        ("firm", [1, 2]), ("planned", [3]),
    ]  # fmt: skip
    assert [each["place"] for each in line["places"]] == ["P1", "P2"]


def test_packages_that_lie_in_each_other_are_written_with_their_lines():
    packages = [{"number": "A", "kind": "pack", "parent": "B"}, {"number": "B", "kind": "pack", "parent": "A"}]
    document = {
        "packages": [{"number": "1", "kind": "shipment"}, *packages],
        "lines": [{"number": "7", "package": "B"}],
    }
    levels = SHAPES["hl"][1](document)["levels"]
    assert [(each["level"], each.get("parent"), each.get("number")) for each in levels] == [
        ("shipment", None, None), ("pack", None, None), ("pack", "2", None), ("item", "3", "7"),
    ]  # fmt: skip
