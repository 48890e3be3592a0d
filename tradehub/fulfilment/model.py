"""What was despatched against what is open: matched line by line, differences named.

Several despatch lines may deliver one order line (batches, pallets), and several despatches one order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from tradehub.documents import Despatch, DespatchLine, Line, Order
from tradehub.documents.lines import Difference, Severity, find, keyed
from tradehub.documents.parts import Item
from tradehub.documents.units import convert

ARRIVALS = ("delivered", "estimated_delivery", "scheduled_delivery", "promised_delivery")
"""Date types by which a despatch says when the goods arrive, the surest first."""

DEPARTURES = ("shipped", "promised_ship", "pick_up")


class State(StrEnum):
    """How a despatch stands against its order."""

    AS_ORDERED = "as_ordered"
    REMARKED = "remarked"
    HELD = "held"


STATES = {
    None: State.AS_ORDERED,
    Severity.NOTE: State.AS_ORDERED,
    Severity.WARNING: State.REMARKED,
    Severity.HOLD: State.HELD,
}
"""The gravest difference decides."""


class Tolerance(NamedTuple):
    """How far a despatched quantity may be from the open one, in percent of the latter."""

    over: Decimal = Decimal(0)
    under: Decimal = Decimal(0)


@dataclass(frozen=True)
class Delivered:
    """One line of a despatch as the order sees it. ``quantity`` is in the order line's unit; None where not comparable.

    ``line`` is the order's line, None for an item that was not ordered.
    """

    line: str | None
    item: Item
    quantity: Decimal | None
    stated: Decimal | None
    unit: str | None
    batch: str | None = None
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class Compared:
    """A despatch, or its part for one order, compared with that order."""

    lines: tuple[Delivered, ...]
    differences: tuple[Difference, ...] = ()
    state: State = State.AS_ORDERED
    quantities: Mapping[str, Decimal] = field(default_factory=dict)


def compare(
    despatch: Despatch,
    lines: Sequence[DespatchLine],
    order: Order,
    open_quantities: Mapping[str, Decimal],
    tolerance: Tolerance | None = None,
) -> Compared:
    """Compare ``lines`` with ``order``, of which ``open_quantities`` (by order line) were open before."""
    delivered = tuple(_delivered(each, order) for each in lines)
    quantities: dict[str, Decimal] = {}
    for each in delivered:
        if each.line is not None and each.quantity is not None:
            quantities[each.line] = quantities.get(each.line, Decimal(0)) + each.quantity
    differences = [each for line in delivered for each in line.differences]
    ordered = keyed(order.lines)
    for name, quantity in quantities.items():
        differences += _amounts(name, quantity, open_quantities.get(name, Decimal(0)), tolerance or Tolerance())
        differences += _late(name, _arrival(despatch, lines), ordered[name], order)
    if order.partial_shipments is False:
        differences += _left_open(quantities, open_quantities)
    gravest = max((each.severity for each in differences), key=list(Severity).index, default=None)
    return Compared(delivered, tuple(differences), STATES[gravest], quantities)


def _delivered(line: DespatchLine, order: Order) -> Delivered:
    names = {id(each): name for name, each in keyed(order.lines).items()}
    found = find(order.lines, line)
    stated = line.quantity.value if line.quantity else None
    unit = line.quantity.unit if line.quantity else None
    if found is None:
        unknown = Difference(None, "item", "UNKNOWN_ITEM", None, _named(line), Severity.HOLD)
        return Delivered(None, line.item, None, stated, unit, line.batch, (unknown,))
    name, mine = names[id(found.line)], found.line
    differences = []
    if found.is_other_item:
        differences.append(Difference(name, "item", "OTHER_ITEM", _item(mine.item), _item(line.item), Severity.WARNING))
    into = mine.quantity.unit if mine.quantity else None
    quantity = None if stated is None else convert(stated, unit, into)
    if stated is None:
        differences.append(Difference(name, "quantity", "NO_QUANTITY", None, None, Severity.HOLD))
    elif quantity is None:
        differences.append(Difference(name, "unit", "OTHER_UNIT", into, unit, Severity.HOLD))
    return Delivered(name, line.item, quantity, stated, unit, line.batch, tuple(differences))


def _amounts(name: str, quantity: Decimal, still_open: Decimal, tolerance: Tolerance) -> Iterator[Difference]:
    if quantity > still_open * (1 + tolerance.over / 100):
        yield Difference(name, "quantity", "OVER", _text(still_open), _text(quantity), Severity.HOLD)
    elif quantity < still_open * (1 - tolerance.under / 100):
        yield Difference(name, "quantity", "UNDER", _text(still_open), _text(quantity), Severity.NOTE)


def _late(name: str, arrival: tuple[str, date] | None, mine: Line, order: Order) -> Iterator[Difference]:
    agreed = mine.date_of("requested_delivery") or order.date_of("requested_delivery")
    if arrival and agreed and arrival[1] > agreed:
        yield Difference(
            name, f"dates.{arrival[0]}", "LATE", agreed.isoformat(), arrival[1].isoformat(), Severity.WARNING
        )


def _arrival(despatch: Despatch, lines: Sequence[DespatchLine]) -> tuple[str, date] | None:
    """Return the day of arrival that is stated, else of departure: past the day of delivery either is late."""
    for name in (*ARRIVALS, *DEPARTURES):
        stated = [day for day in (despatch.date_of(name), *(line.date_of(name) for line in lines)) if day]
        if stated:
            return name, max(stated)
    return None


def _left_open(quantities: Mapping[str, Decimal], open_quantities: Mapping[str, Decimal]) -> Iterator[Difference]:
    for name, still_open in open_quantities.items():
        got = quantities.get(name, Decimal(0))
        if got < still_open:
            yield Difference(name, "partial_shipments", "PARTIAL", _text(still_open), _text(got), Severity.WARNING)


def _item(item: Item) -> str | None:
    return next((each.value for each in item.ids), item.name)


def _named(line: DespatchLine) -> str | None:
    return _item(line.item) or line.number


def _text(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"
