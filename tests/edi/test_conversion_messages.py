"""P5 for the messages between order and payment: a document goes to the other standard and back.

Each example holds what both standards can say. What else is lost stands in docs/conversions.md.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.edi.engine import maps
from tests.edi.test_maps_roundtrip import differences, whole
from tradehub.edi.segments import Severity

BUYER = {"role": "buyer", "name": "Rhein Anlagenbau", "ids": [{"scheme": "buyer", "value": "4711"}]}
SELLER = {"role": "seller", "name": "Ningbo Valves", "ids": [{"scheme": "duns", "value": "123456789"}]}
HEAD: dict[str, Any] = {"number": "N-1", "issued_on": date(2026, 3, 10), "parties": [BUYER, SELLER]}
ITEM = {"ids": [{"scheme": "buyer", "value": "VLV-50"}]}
PIECES = {"value": Decimal(240), "unit": "EA"}
FEW = {"value": Decimal(6), "unit": "EA"}
MORNING = {"on": date(2026, 3, 18), "at": datetime.fromisoformat("2026-03-18T06:30")}
LINE: dict[str, Any] = {"number": "1", "item": ITEM}
ORDER = {"type": "order", "value": "PO-8801", "on": date(2026, 1, 5)}
NUMBERED = {"type": "order", "value": "PO-8801"}
NAMED: dict[str, Any] = {"number": "N-1", "parties": [BUYER, SELLER]}

EXAMPLES: list[tuple[str, str, str, dict[str, Any]]] = [
    (
        "860",
        "ORDCHG",
        "order_change",
        HEAD
        | {
            "action": "change",
            "currency": "EUR",
            "references": [ORDER],
            "lines": [LINE | {"action": "change", "quantity": PIECES}, LINE | {"number": "2", "action": "delete"}],
        },
    ),
    (
        "861",
        "RECADV",
        "receipt",
        HEAD
        | {
            "action": "original",
            "references": [NUMBERED],
            "dates": [{"type": "received", "on": date(2026, 3, 9)}],
            "lines": [LINE | {"quantity": PIECES, "despatched": PIECES, "accepted": PIECES, "references": [NUMBERED]}],
        },
    ),
    (
        "820",
        "REMADV",
        "remittance",
        HEAD
        | {
            "currency": "EUR",
            "total": Decimal("1166.20"),
            "allocations": [
                {
                    "type": "invoice",
                    "number": "INV-1",
                    "due": Decimal("1190.00"),
                    "paid": Decimal("1166.20"),
                    "discount": Decimal("23.80"),
                }
            ],
        },
    ),
    (
        "832",
        "PRICAT",
        "catalogue",
        HEAD
        | {
            "action": "original",
            "currency": "EUR",
            "lines": [LINE | {"action": "add", "price": {"amount": Decimal("4.15")}, "min_quantity": Decimal(12)}],
        },
    ),
    (
        "846",
        "INVRPT",
        "inventory",
        HEAD | {"action": "original", "lines": [LINE | {"quantities": [{"type": "on_hand", "quantity": PIECES}]}]},
    ),
    (
        "830",
        "DELFOR",
        "forecast",
        HEAD
        | {
            "type": "forecast",
            "action": "replace",
            "horizon": {"start": date(2026, 3, 16), "end": date(2026, 6, 14)},
            "lines": [
                LINE
                | {
                    "plan": [
                        {
                            "quantity": PIECES,
                            "status": "firm",
                            "pattern": "discrete",
                            "type": "requested_delivery",
                            **MORNING,
                        },
                        {
                            "quantity": FEW,
                            "status": "planned",
                            "pattern": "weekly",
                            "type": "requested_delivery",
                            **MORNING,
                        },
                    ]
                }
            ],
        },
    ),
    (
        "862",
        "DELJIT",
        "forecast",
        HEAD
        | {
            "type": "call_off",
            "action": "replace",
            "references": [{"type": "release", "value": "R-1"}],
            "horizon": {"start": date(2026, 3, 16), "end": date(2026, 3, 20)},
            "lines": [
                LINE
                | {
                    "plan": [
                        {
                            "quantity": PIECES,
                            "status": "firm",
                            "pattern": "discrete",
                            "type": "requested_delivery",
                            **MORNING,
                        }
                    ]
                }
            ],
        },
    ),
    (
        "870",
        "OSTRPT",
        "status",
        HEAD
        | {
            "type": "order_report",
            "references": [ORDER],
            "lines": [LINE | {"events": [{"status": "complete", "on": date(2026, 3, 9)}]}],
        },
    ),
    (
        "824",
        "APERAK",
        "application_response",
        HEAD
        | {
            "action": "original",
            "response": "rejected",
            "subject": ORDER,
            "judgements": [{"code": "other", "text": "Article unknown"}],
        },
    ),
    (
        "214",
        "IFTSTA",
        "status",
        NAMED
        | {
            "references": [{"type": "carrier_reference", "value": "PRO-1"}],
            "transport": [{"carrier": "ABCD", "carrier_scheme": "scac"}],
            "events": [
                {"status": "delivered", "at": datetime.fromisoformat("2026-03-12T10:15"), "on": date(2026, 3, 12)}
            ],
        },
    ),
]
LOST: dict[str, set[str]] = {
    "ORDCHG": {"type", "lines[].outstanding_quantity", "lines[].item.ids"},
    "RECADV": {"type", "lines[].accepted", "packages", "lines[].package"},
    "REMADV": {"number", "action", "means", "handling", "is_debit"},
    "PRICAT": {"type", "issued_on", "lines[].price.type"},
    "INVRPT": {"type"},
    "DELFOR": {"date_basis", "quantity_basis", "lines[].plan[].quantity.unit"},
    "DELJIT": {"date_basis", "lines[].unit", "lines[].plan[].quantity.unit"},
    "OSTRPT": {"action", "scope", "lines[].events[].date_type"},
    "APERAK": {"action"},
    "IFTSTA": {"type", "number", "action", "events[].date_type", "events[].reason"},
}
"""What differs when a document comes back; each stands with its reason in docs/conversions.md."""

RELEASE = {"x12": "004010", "edifact": "D01B"}


@pytest.mark.parametrize("origin", ["x12", "edifact"])
@pytest.mark.parametrize(
    ("number", "name", "kind", "document"), EXAMPLES, ids=lambda each: each if isinstance(each, str) else ""
)
def test_what_both_standards_can_say_comes_back(
    number: str, name: str, kind: str, document: dict[str, Any], origin: str
):
    route = [("x12", number), ("edifact", name)]
    if origin == "edifact":
        route.reverse()
    if not maps().has("x12", number, RELEASE["x12"]):
        pytest.skip(f"there is no map for {number}")
    told = document
    for standard, message in [*route, route[0]]:
        rules = maps().get(standard, message, RELEASE[standard])
        told, findings = rules.decode(rules.encode(told))
        wrong = [(message, each.tag, each.finding.text) for each in findings if each.finding.severity is Severity.ERROR]
        assert wrong == []
    lost = set(differences(whole(kind, document), whole(kind, told)))
    assert lost - LOST.get(name, set()) == set()


def test_every_loss_stands_on_the_page():
    page = (Path(__file__).parents[2] / "docs" / "conversions.md").read_text(encoding="utf-8")
    missing = [(name, path) for name, paths in LOST.items() for path in paths if f"| {name} | `{path}` |" not in page]
    assert missing == []
