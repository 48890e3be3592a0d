"""What a message nests and the document keeps flat: a document made here is nested and comes back as it was."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from random import Random
from typing import Any

import pytest

from tradehub.edi.functions import SHAPES, stands_hl

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


def levels_of(random: Random) -> list[dict[str, Any]]:
    """Return the levels of a ship notice, most of them as they are written."""
    levels: list[dict[str, Any]] = [{"id": "1", "level": "shipment", "transport": [{"mode": "sea"}]}]

    def add(kind: str, parent: str, **fields: Any) -> str:
        levels.append({"id": str(len(levels) + 1), "level": kind, "parent": parent, **fields})
        return str(len(levels))

    def items(parent: str) -> None:
        for _ in range(random.choice((0, 1, 1, 2, 3))):
            own = [{"type": random.choice(("order", "line")), "value": random.choice("AB")}]
            add("item", parent, number="7", **({"references": own} if random.random() < 0.1 else {}))

    for _ in range(random.randint(0, 2)):
        kind = random.choice(("order", "order", "order", "contract"))
        said = {"references": [{"type": kind, "value": "A"}]} if random.random() < 0.8 else {}
        order = add("order", "1", **said)
        items(order)
        for _ in range(random.randint(0, 2)):
            pack = add("pack", add("tare", order, sscc="1"), marks=["X"])
            items(pack)
    if random.random() < 0.3:
        items("1" if random.random() < 0.3 else add("pack", "1"))
    return levels


CHANGES = [
    lambda levels, at: levels[at].update(id="9"),
    lambda levels, at: levels[at].update(parent=str(at)),
    lambda levels, at: levels[at].pop("parent", None),
    lambda levels, at: levels[at].update(level=""),
    lambda levels, at: levels[at].update(level="order"),
    lambda levels, at: levels[at].update(level="shipment"),
    lambda levels, at: levels[at].update(dates=[{"type": "shipped"}]),
    lambda levels, at: levels[at].update(package="2"),
    lambda levels, at: levels[at].update(lines=[]),
    lambda levels, at: levels.insert(at, levels.pop()),
    lambda levels, at: levels.clear(),
]


def test_levels_held_to_come_back_do_come_back():
    """What is proved before folding is what unfolding shows, of trees as they should be and of others."""
    random = Random(7)
    proved = Counter()
    for seed in range(4000):
        levels, change = levels_of(random), None
        if seed % 2:
            change = random.randrange(len(CHANGES))
            CHANGES[change](levels, random.randrange(len(levels)))
        document = {
            "number": "A-1",
            **({"levels": levels} if levels else {}),
            **({"currency": "EUR"} if seed % 97 == 0 else {}),
        }
        stands = stands_hl(document)
        fold, unfold = SHAPES["hl"]
        assert not stands or unfold(fold(deepcopy(document))) == document, levels
        proved[change, stands] += 1
    assert proved[None, True] > 1000
    assert all(proved[change, False] for change in (None, *range(len(CHANGES))))
