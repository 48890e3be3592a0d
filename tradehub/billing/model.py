"""An invoice against its order: quantity, price, currency, tax and its own arithmetic, line by line, in exact decimals.

Rules after EN 16931 and Peppol BIS Billing 3: a line's net amount may be off by 0.02 (R120), sums must be exact
(BR-CO-10 to 16), tax per category and rate must be within 1.00, exclusive (BR-CO-17). Each line is rounded first,
HALF_UP.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from tradehub.documents import Invoice, Line, Order, Totals
from tradehub.documents.amounts import balance, net_amount, rounded, unit_price
from tradehub.documents.lines import Difference, Severity, find, keyed
from tradehub.documents.parts import Item, Tax
from tradehub.documents.units import convert, to_decimal

LINE_SLACK = Decimal("0.02")
"""Peppol R120: a line's net amount may differ by this much, inclusive."""

TAX_SLACK = Decimal(1)
"""BR-CO-17: tax per category and rate may differ by less than this."""

CREDITS = frozenset({"credit_note"})


class State(StrEnum):
    """How an invoice stands against order and despatches."""

    MATCHED = "matched"
    REMARKED = "remarked"
    HELD = "held"


STATES = {
    None: State.MATCHED,
    Severity.NOTE: State.MATCHED,
    Severity.WARNING: State.REMARKED,
    Severity.HOLD: State.HELD,
}
"""The gravest difference decides."""


class Tolerances(NamedTuple):
    """What is let pass. A price is held when it is above the agreed one by more than the percentage and the amount."""

    quantity_percent: Decimal = Decimal(0)
    price_percent: Decimal = Decimal(0)
    price_amount: Decimal = Decimal(0)


class Billed(NamedTuple):
    """What earlier invoices claimed of one order line, and what was delivered of it, in the order line's unit."""

    ordered: Decimal
    despatched: Decimal = Decimal(0)
    invoiced: Decimal = Decimal(0)


class EarlierLine(NamedTuple):
    """A line of an earlier invoice, to find the same claim made twice."""

    invoice: str
    line: str
    quantity: Decimal
    amount: Decimal | None


@dataclass(frozen=True)
class Charged:
    """One invoice line as the order sees it: the order's line (None if unknown), quantity in its unit, net amount."""

    line: str | None
    item: Item
    quantity: Decimal | None
    stated: Decimal | None
    unit: str | None
    price: Decimal | None
    net: Decimal | None
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class Matched:
    """The part of an invoice that belongs to one order. ``quantities`` are by order line; a credit's are negative."""

    lines: tuple[Charged, ...]
    differences: tuple[Difference, ...] = ()
    state: State = State.MATCHED
    quantities: Mapping[str, Decimal] = field(default_factory=dict)


def match(
    invoice: Invoice,
    lines: Sequence[Line],
    order: Order,
    billed: Mapping[str, Billed],
    earlier: Sequence[EarlierLine] = (),
    tolerances: Tolerances | None = None,
) -> Matched:
    """Compare ``lines`` of ``invoice`` with ``order``, and with what was despatched and invoiced of it before.

    The invoice's own figures are judged by ``arithmetic``.
    """
    allowed = tolerances or Tolerances()
    charged = tuple(_charged(line, order, invoice, allowed) for line in lines)
    quantities: dict[str, Decimal] = {}
    for each in charged:
        if each.line is not None and each.quantity is not None:
            quantities[each.line] = quantities.get(each.line, Decimal(0)) + each.quantity
    if is_credit(invoice):
        quantities = {name: -value for name, value in quantities.items()}
    differences = (
        *_currency(invoice, order),
        *(each for line in charged for each in line.differences),
        *_quantities(quantities, billed, allowed),
        *_claimed_before(charged, earlier),
    )
    return Matched(charged, differences, state_of(differences), quantities)


def state_of(differences: Iterable[Difference]) -> State:
    """Return what the gravest of the differences makes of the document."""
    return STATES[max((each.severity for each in differences), key=list(Severity).index, default=None)]


def is_credit(invoice: Invoice) -> bool:
    return invoice.type in CREDITS


def total_of(invoice: Invoice) -> Decimal | None:
    """Return what is to be paid, as the invoice states it, else as its lines, charges and taxes come to."""
    totals = invoice.totals or Totals()
    for stated in (totals.payable, totals.with_tax, invoice.total):
        if stated is not None:
            return stated
    nets = _nets(invoice)
    if nets is None:
        return totals.before_tax
    return sum(nets, Decimal(0)) + balance(invoice.allowances_charges) + _tax_total(invoice, totals.tax)


def _nets(invoice: Invoice) -> list[Decimal] | None:
    """Return the net amounts of all lines, stated or computed; None where one cannot be told, or there is no line."""
    nets = [
        line.net_amount if line.net_amount is not None else net_amount(line, invoice.currency) for line in invoice.lines
    ]
    known = [net for net in nets if net is not None]
    return known if known and len(known) == len(nets) else None


# Against the order -------------------------------------------------------------------------------------------------


def _currency(invoice: Invoice, order: Order) -> Iterator[Difference]:
    if invoice.currency and order.currency and invoice.currency != order.currency:
        yield Difference(None, "currency", "CURRENCY", order.currency, invoice.currency, Severity.HOLD)


def _charged(line: Line, order: Order, invoice: Invoice, allowed: Tolerances) -> Charged:
    found = find(order.lines, line)
    stated = line.quantity.value if line.quantity else None
    unit = line.quantity.unit if line.quantity else None
    amount = line.price.amount if line.price else None
    net = line.net_amount if line.net_amount is not None else net_amount(line, invoice.currency)
    if found is None:
        name = next((each.value for each in line.item.ids), line.item.name or line.number)
        unknown = Difference(None, "item", "UNKNOWN_ITEM", None, name, Severity.HOLD)
        return Charged(None, line.item, None, stated, unit, amount, net, (unknown,))
    mine = found.line
    name = next(key for key, each in keyed(order.lines).items() if each is mine)
    into = mine.quantity.unit if mine.quantity else None
    quantity = None if stated is None else convert(stated, unit, into)
    differences = [
        *_items(name, mine, line, found.is_other_item),
        *_units(name, stated, quantity, into, unit),
        *_prices(name, mine, line, into, allowed),
    ]
    return Charged(name, line.item, quantity, stated, unit, amount, net, tuple(differences))


def _items(name: str, mine: Line, line: Line, is_other: bool) -> Iterator[Difference]:
    if is_other:
        expected, got = (next((each.value for each in item.ids), item.name) for item in (mine.item, line.item))
        yield Difference(name, "item", "OTHER_ITEM", expected, got, Severity.HOLD)
    agreed, stated = _category(mine), _category(line)
    if agreed and stated and agreed != stated:
        yield Difference(name, "tax.category", "TAX_CATEGORY", agreed, stated, Severity.HOLD)


def _category(line: Line) -> str | None:
    return next((each.category for each in line.taxes if each.category), None)


def _units(
    name: str, stated: Decimal | None, quantity: Decimal | None, into: str | None, unit: str | None
) -> Iterator[Difference]:
    if stated is None:
        yield Difference(name, "quantity", "NO_QUANTITY", None, None, Severity.HOLD)
    elif quantity is None:
        yield Difference(name, "unit", "OTHER_UNIT", into, unit, Severity.HOLD)


def _prices(name: str, mine: Line, line: Line, unit: str | None, allowed: Tolerances) -> Iterator[Difference]:
    agreed = unit_price(mine, unit)
    if agreed is None or line.price is None:
        return
    if line.price.basis is not None and line.price.basis.value <= 0:
        yield Difference(name, "price.basis", "PRICE_BASIS", None, _text(line.price.basis.value), Severity.HOLD)
        return
    stated = unit_price(line, unit)
    if stated is None or stated == agreed:
        return
    above = stated - agreed
    shown = (_text(to_decimal(agreed)), _text(to_decimal(stated)))
    if above < 0:
        yield Difference(name, "price", "PRICE_BELOW", *shown, Severity.WARNING)
        return
    within = above <= agreed * Fraction(allowed.price_percent) / 100 or above <= Fraction(allowed.price_amount)
    yield Difference(name, "price", "PRICE_ABOVE", *shown, Severity.NOTE if within else Severity.HOLD)


def _quantities(
    quantities: Mapping[str, Decimal], billed: Mapping[str, Billed], allowed: Tolerances
) -> Iterator[Difference]:
    for name, quantity in quantities.items():
        before = billed.get(name, Billed(Decimal(0)))
        total = before.invoiced + quantity
        if total < 0:
            yield Difference(
                name, "quantity", "CREDIT_EXCEEDS", _text(before.invoiced), _text(-quantity), Severity.HOLD
            )
        elif total > before.ordered * (1 + allowed.quantity_percent / 100):
            yield Difference(name, "quantity", "ABOVE_ORDERED", _text(before.ordered), _text(total), Severity.HOLD)
        elif total > before.despatched:
            yield Difference(
                name, "quantity", "ABOVE_DESPATCHED", _text(before.despatched), _text(total), Severity.WARNING
            )


def _claimed_before(lines: Sequence[Charged], earlier: Sequence[EarlierLine]) -> Iterator[Difference]:
    for line in lines:
        for other in earlier:
            if line.line == other.line and line.quantity == other.quantity and line.net == other.amount:
                yield Difference(line.line, "invoice", "CLAIMED_BEFORE", None, other.invoice, Severity.WARNING)


# Against itself ----------------------------------------------------------------------------------------------------


def arithmetic(invoice: Invoice) -> tuple[Difference, ...]:
    """Return where the invoice's own figures do not add up. Figures that it does not state are not judged."""
    return (*_line_nets(invoice), *_sums(invoice), *_taxes(invoice))


def _line_nets(invoice: Invoice) -> Iterator[Difference]:
    for name, line in keyed(invoice.lines).items():
        computed = net_amount(line, invoice.currency)
        if computed is None or line.net_amount is None:
            continue
        if abs(computed - line.net_amount) > LINE_SLACK:
            yield _sum_difference(f"lines.{name}.net_amount", "LINE_NET", computed, line.net_amount)


def _sums(invoice: Invoice) -> Iterator[Difference]:
    """BR-CO-10 to BR-CO-16: each total from those before it; one not stated is computed and used for the next."""
    totals = invoice.totals
    nets = _nets(invoice)
    if nets is None:
        return
    stated = totals.model_dump() if totals else {}
    if invoice.total is not None and stated.get("payable") is None and stated.get("with_tax") is None:
        stated["payable"] = invoice.total
    nought = Decimal(0)
    own = invoice.allowances_charges
    computed: dict[str, Decimal] = {
        "lines": sum(nets, nought),
        "allowances": -balance(tuple(each for each in own if not each.is_charge)),
        "charges": balance(tuple(each for each in own if each.is_charge)),
    }
    value = dict(computed)
    for name, rule in _SUM_RULES:
        if name == "before_tax":
            computed[name] = value["lines"] - value["allowances"] + value["charges"]
        elif name == "tax":
            computed[name] = _tax_total(invoice, stated.get("tax"))
        elif name == "with_tax":
            computed[name] = value["before_tax"] + value["tax"]
        elif name == "payable":
            computed[name] = value["with_tax"] - (stated.get("prepaid") or nought) + (stated.get("rounding") or nought)
        said = stated.get(name)
        value[name] = computed[name] if said is None else said
        if said is not None and said != computed[name]:
            yield _sum_difference(f"totals.{name}", rule, computed[name], said)


_SUM_RULES = (
    ("lines", "BR-CO-10"), ("allowances", "BR-CO-11"), ("charges", "BR-CO-12"), ("before_tax", "BR-CO-13"),
    ("tax", "BR-CO-14"), ("with_tax", "BR-CO-15"), ("payable", "BR-CO-16"),
)  # fmt: skip


def _tax_total(invoice: Invoice, stated: Decimal | None) -> Decimal:
    amounts = [each.amount for each in invoice.taxes if each.amount is not None]
    if amounts:
        return sum(amounts, Decimal(0))
    return stated if stated is not None else Decimal(0)


def _taxes(invoice: Invoice) -> Iterator[Difference]:
    basis: defaultdict[tuple[str | None, Decimal | None], Decimal] = defaultdict(Decimal)
    amount: defaultdict[tuple[str | None, Decimal | None], Decimal] = defaultdict(Decimal)
    for tax in invoice.taxes:
        if tax.basis is not None and tax.amount is not None and tax.rate is not None:
            basis[_group(tax)] += tax.basis
            amount[_group(tax)] += tax.amount
    for (category, rate), of in basis.items():
        computed = rounded(of * (rate or Decimal(0)) / 100, invoice.currency)
        if abs(computed - amount[category, rate]) >= TAX_SLACK:
            yield _sum_difference(f"taxes.{category or ''}", "BR-CO-17", computed, amount[category, rate])


def _group(tax: Tax) -> tuple[str | None, Decimal | None]:
    return tax.category, tax.rate


def _sum_difference(term: str, rule: str, expected: Decimal, got: Decimal) -> Difference:
    return Difference(None, term, rule, _text(expected), _text(got), Severity.HOLD)


def _text(value: Decimal) -> str:
    return format(value, "f")
