"""Sums that a document states about itself (EN 16931 BR-CO-10 to BR-CO-16): a difference is a warning at the stated
figure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

Scope = Mapping[str, Any]

ROUNDING = Decimal("0.01")  # a line's own rounding


class Difference(NamedTuple):
    """A stated figure that its parts do not add up to; ``path`` leads to it in the document: ``totals.lines``,
    ``lines.3.net_amount``.
    """

    path: str
    stated: Decimal
    computed: Decimal


def differences(document: Scope) -> Iterator[Difference]:
    """Yield the figures of a document that do not follow from the others it gives."""
    for position, line in enumerate(document.get("lines", ())):
        yield from _line(position, line)
    totals = document.get("totals")
    if totals:
        yield from _totals(document, totals)


def _line(position: int, line: Scope) -> Iterator[Difference]:
    price, quantity, stated = line.get("price"), line.get("quantity"), line.get("net_amount")
    if not price or not quantity or stated is None:
        return
    basis = (price.get("basis") or {}).get("value") or Decimal(1)
    computed = quantity["value"] * price["amount"] / basis + _charges(line)
    if abs(computed - stated) > ROUNDING:
        yield Difference(f"lines.{position}.net_amount", stated, computed)


def _charges(scope: Scope) -> Decimal:
    amount = Decimal(0)
    for each in scope.get("allowances_charges", ()):
        if each.get("amount") is not None:
            amount += each["amount"] if each["is_charge"] else -each["amount"]
    return amount


def _totals(document: Scope, totals: Scope) -> Iterator[Difference]:
    lines = [line["net_amount"] for line in document.get("lines", ()) if "net_amount" in line]
    if len(lines) == len(document.get("lines", ())):
        yield from _compare(totals, "lines", sum(lines, Decimal(0)))
    if "lines" in totals:
        yield from _compare(totals, "before_tax", totals["lines"] + _charges(document))
    tax = totals.get("tax", Decimal(0))
    if "before_tax" in totals:
        yield from _compare(totals, "with_tax", totals["before_tax"] + tax)
    if "with_tax" in totals:
        due = totals["with_tax"] - totals.get("prepaid", Decimal(0)) + totals.get("rounding", Decimal(0))
        yield from _compare(totals, "payable", due)
    taxes = [each["amount"] for each in document.get("taxes", ()) if "amount" in each]
    if taxes:
        yield from _compare(totals, "tax", sum(taxes, Decimal(0)))


def _compare(totals: Scope, name: str, computed: Decimal) -> Iterator[Difference]:
    if name in totals and abs(totals[name] - computed) > ROUNDING / 2:
        yield Difference(f"totals.{name}", totals[name], computed)
