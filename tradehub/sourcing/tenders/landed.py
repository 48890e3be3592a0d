"""What an offer costs at the buyer's door: every step from the price as quoted to the landed cost of one unit.

The Incoterm says which parts of the way are still the buyer's to pay (``PAID_BY_SELLER``, Incoterms 2020); the buyer
states what they cost. Exact fractions are carried to the end; the landed cost of a unit is then rounded once, HALF_UP,
to ``PLACES`` decimals, and amounts are that times the quantity. VAT is left out: it is recovered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from fractions import Fraction

from tradehub.documents import Line, Offer
from tradehub.documents.amounts import price_at, unit_price
from tradehub.documents.lines import find, keyed
from tradehub.documents.parts import EXACT, Part, Price, Quantity
from tradehub.documents.units import factor, to_decimal

PLACES = Decimal("0.000001")
"""Decimals of a landed unit cost."""

WAY = ("pickup", "export", "loading", "main", "insurance", "unloading", "onward", "import")
"""The parts of the way from the works to the buyer's door, in order; duty comes after ``insurance`` by its own base."""

_TO_CARRIER = frozenset({"pickup", "export"})
_ON_BOARD = _TO_CARRIER | {"loading"}
_CARRIED = _ON_BOARD | {"main"}

PAID_BY_SELLER: Mapping[str, frozenset[str]] = {
    "EXW": frozenset(),
    "FCA": _TO_CARRIER,
    "FAS": _TO_CARRIER,
    "FOB": _ON_BOARD,
    "CFR": _CARRIED,
    "CPT": _CARRIED,
    "CIF": _CARRIED | {"insurance"},
    "CIP": _CARRIED | {"insurance"},
    "DAP": _CARRIED | {"insurance", "onward"},
    "DPU": _CARRIED | {"insurance", "onward", "unloading"},
    "DDP": _CARRIED | {"insurance", "onward", "import", "duty"},
}
"""What the price already holds under each rule. FCA is read as delivery to the carrier, not at the works. The risk under
DAP, DPU and DDP is the seller's up to the place, so the buyer insures nothing."""

NOT_IN_FOB = frozenset({"main", "insurance"})


class Rate(Part):
    """What one unit of ``currency`` is worth in the currency of comparison, on a day, by whom."""

    currency: str
    rate: Decimal
    on: date
    source: str = ""


class Charge(Part):
    """A cost of a part of the way, in the currency of comparison.

    ``how``: ``unit`` is per unit asked for, ``percent`` of the value reached so far, ``lump`` for the supplier's whole
    delivery, spread over its lines by goods value.
    """

    part: str
    amount: Decimal
    how: str = "unit"
    supplier: str | None = None


class Basis(Part):
    """What the buyer states so that offers can be compared; a charge for one supplier goes before the general one."""

    currency: str = "EUR"
    rates: tuple[Rate, ...] = ()
    charges: tuple[Charge, ...] = ()
    duty: Decimal | None = None
    duty_by_line: tuple[tuple[str, Decimal], ...] = ()
    duty_base: str = "cif"
    packs: tuple[tuple[str, Decimal], ...] = ()
    """Unit of a pack -> how many of the unit asked for it holds, e.g. (``BX``, 50)."""

    def rate(self, currency: str | None) -> Rate | None:
        if currency == self.currency:
            return None
        return next((each for each in self.rates if each.currency == currency), None)

    def charge(self, part: str, supplier: str) -> Charge | None:
        fitting = [each for each in self.charges if each.part == part and each.supplier in (None, supplier)]
        return max(fitting, key=lambda each: each.supplier is not None, default=None)

    def duty_of(self, line: str) -> Decimal | None:
        return dict(self.duty_by_line).get(line, self.duty)


@dataclass(frozen=True)
class Step:
    """One line of the explanation: a name for it, the sum as written, and what it comes to, per unit."""

    name: str
    sum: str
    amount: Decimal


@dataclass(frozen=True)
class Cost:
    """The landed cost of a line of an offer at one quantity; ``why_not`` says why there is none.

    ``missing`` names parts of the way that are the buyer's to pay and for which no cost is stated: they count nought.
    """

    line: str
    quantity: Decimal
    unit: Decimal | None = None
    steps: tuple[Step, ...] = ()
    missing: tuple[str, ...] = ()
    why_not: str = ""
    value: str = ""

    @property
    def amount(self) -> Decimal | None:
        return None if self.unit is None else self.unit * self.quantity


@dataclass(frozen=True)
class _Priced:
    """The goods alone, per unit asked for, in the currency of comparison."""

    unit: Fraction
    steps: tuple[Step, ...]


@dataclass
class _Sum:
    """The cost as it grows along the way."""

    at: Fraction
    steps: list[Step] = field(default_factory=list)
    added: dict[str, Fraction] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)


def cost(offer: Offer, asked: Line, supplier: str, basis: Basis, quantity: Decimal | None = None) -> Cost:
    """Return the landed cost of ``asked`` under ``offer``, at ``quantity`` or as much of the demand as is offered."""
    number = asked.number or ""
    line = _offered(offer, asked)
    demand = asked.quantity.value if asked.quantity else Decimal(0)
    if line is None:
        return Cost(number, demand, why_not="no_bid")
    most = line.max_quantity if line.max_quantity is not None else demand
    at = min(demand, most) if quantity is None else quantity
    priced = _goods(offer, line, asked, basis, at)
    if isinstance(priced, Cost):
        return priced
    rule = (offer.delivery_terms.incoterm if offer.delivery_terms else None) or ""
    paid = PAID_BY_SELLER.get(rule)
    if paid is None:
        return Cost(number, at, why_not="no_incoterm", value=rule)
    total = _Sum(priced.unit, list(priced.steps))
    _add_way(total, offer, asked, supplier, basis, paid)
    unit = _rounded(total.at)
    return Cost(number, at, unit, tuple(total.steps), tuple(total.missing))


def tiers(offer: Offer, asked: Line) -> tuple[Decimal, ...]:
    """Return the quantities, of the unit asked for, from which another price counts; the first is nought."""
    line = _offered(offer, asked)
    if line is None or line.price is None:
        return ()
    return tuple(sorted({Decimal(0), *(each.min_quantity for each in line.price.breaks)}))


def offered_quantities(offer: Offer, asked: Line) -> tuple[Decimal, Decimal]:
    """Return the least and the most that the offer has of a line; the most is the demand where it says nothing."""
    line = _offered(offer, asked)
    demand = asked.quantity.value if asked.quantity else Decimal(0)
    if line is None:
        return Decimal(0), Decimal(0)
    most = line.max_quantity if line.max_quantity is not None else demand
    return line.min_quantity or Decimal(0), min(most, demand)


def _offered(offer: Offer, asked: Line) -> Line | None:
    named = keyed(offer.lines).get(asked.number or "")
    if named is not None:
        return named if named.price is not None else None
    found = find(offer.lines, asked)
    return found.line if found and found.line.price is not None else None


def _goods(offer: Offer, line: Line, asked: Line, basis: Basis, quantity: Decimal) -> _Priced | Cost:
    """Return price, unit and currency brought to one unit asked for; a Cost where that cannot be."""
    number, price = asked.number or "", line.price
    unit = asked.quantity.unit if asked.quantity else None
    currency = (price.currency if price else None) or offer.currency or ""
    if price is None:
        return Cost(number, quantity, why_not="no_bid")
    amount = price_at(price, quantity)
    per = price.basis or Quantity(value=Decimal(1), unit=unit)
    steps = [Step("price", f"{plain(amount)} {currency} / {plain(per.value)} {per.unit or unit or ''}".strip(), amount)]
    one = _per_unit(line, price, amount, unit, basis)
    if one is None:
        return Cost(number, quantity, why_not="no_unit", value=f"{per.unit} → {unit}")
    if one != Fraction(amount):
        steps.append(Step("unit", f"{plain(amount)} {currency} ÷ {_content(line, price, unit, basis)}", _shown(one)))
    if currency != basis.currency:
        rate = basis.rate(currency)
        if rate is None:
            return Cost(number, quantity, why_not="no_rate", value=currency)
        dated = f"{_text(one)} {currency} × {plain(rate.rate)} ({rate.on.isoformat()}{_by(rate.source)})"
        one *= Fraction(rate.rate)
        steps.append(Step("currency", dated, _shown(one)))
    return _Priced(one, tuple(steps))


def _per_unit(line: Line, price: Price, amount: Decimal, unit: str | None, basis: Basis) -> Fraction | None:
    at = price.model_copy(update={"amount": amount, "breaks": ()})
    found = unit_price(line.model_copy(update={"price": at}), unit)
    if found is not None or price.basis is None:
        return found
    content = dict(basis.packs).get(price.basis.unit or "")
    if not content or price.basis.value <= 0:
        return None
    return Fraction(amount) / Fraction(price.basis.value) / Fraction(content)


def _content(line: Line, price: Price, unit: str | None, basis: Basis) -> str:
    """Return what the price is divided by, as written: ``100 C62``, ``2 DZN × 12 C62``, ``1 BX × 50 C62``."""
    per = price.basis or Quantity(value=Decimal(1), unit=line.quantity.unit if line.quantity else unit)
    by = factor(per.unit, unit)
    content = to_decimal(by) if by is not None else dict(basis.packs).get(per.unit or "", Decimal(1))
    if per.unit in (unit, None):
        return f"{plain(per.value)} {unit or ''}".strip()
    return f"({plain(per.value)} {per.unit} × {plain(content)} {unit or ''})"


def _add_way(total: _Sum, offer: Offer, asked: Line, supplier: str, basis: Basis, paid: frozenset[str]) -> None:
    for part in WAY:
        if part == "unloading":  # the frontier is behind: duty is due on what the goods cost up to here
            _add_duty(total, asked, basis, paid)
        if part not in paid:
            _add_charge(total, part, offer, asked, supplier, basis)


def _add_charge(total: _Sum, part: str, offer: Offer, asked: Line, supplier: str, basis: Basis) -> None:
    charge = basis.charge(part, supplier)
    if charge is None:
        total.missing.append(part)
        return
    if charge.how == "percent":
        more = total.at * Fraction(charge.amount) / 100
        sum = f"{_text(total.at)} × {plain(charge.amount)} %"
    elif charge.how == "lump":
        share, goods, quantity = _share(offer, asked, supplier, basis)
        more = Fraction(charge.amount) * share / quantity if quantity else Fraction(0)
        sum = f"{plain(charge.amount)} {basis.currency} × {_text(goods)} % ÷ {plain(_shown(quantity))}"
    else:
        more = Fraction(charge.amount)
        sum = f"{plain(charge.amount)} {basis.currency}"
    total.at += more
    total.added[part] = more
    total.steps.append(Step(part, sum, _shown(more)))


def _add_duty(total: _Sum, asked: Line, basis: Basis, paid: frozenset[str]) -> None:
    if "duty" in paid:
        return
    percent = basis.duty_of(asked.number or "")
    if percent is None:
        total.missing.append("duty")
        return
    base = total.at
    if basis.duty_base == "fob":
        base -= sum((total.added.get(part, Fraction(0)) for part in NOT_IN_FOB), Fraction(0))
    more = base * Fraction(percent) / 100
    total.at += more
    total.steps.append(Step("duty", f"{_text(base)} × {plain(percent)} %", _shown(more)))


def _share(offer: Offer, asked: Line, supplier: str, basis: Basis) -> tuple[Fraction, Fraction, Fraction]:
    """Return this line's part of the offer's goods value, the same in percent, and the quantity it is for.

    Lines are weighed as the offer has them, in its own currency, each at its own quantity.
    """
    values = {number: _value(line) for number, line in keyed(offer.lines).items()}
    all_lines = sum(values.values(), Fraction(0))
    line = _offered(offer, asked)
    quantity = Fraction(min(*_both(line, asked))) if line else Fraction(0)
    own = values.get(asked.number or "", Fraction(0))
    share = own / all_lines if all_lines else Fraction(0)
    return share, share * 100, quantity


def _value(line: Line) -> Fraction:
    if line.price is None or line.quantity is None:
        return Fraction(0)
    one = unit_price(line, line.quantity.unit)
    return (one or Fraction(0)) * Fraction(line.quantity.value)


def _both(line: Line, asked: Line) -> tuple[Decimal, Decimal]:
    demand = asked.quantity.value if asked.quantity else Decimal(0)
    return demand, line.max_quantity if line.max_quantity is not None else demand


def _rounded(value: Fraction) -> Decimal:
    """Return the fraction rounded HALF_UP to ``PLACES``, exactly: by integers, not by a division of decimals."""
    scaled = value / Fraction(PLACES)
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    up = 2 * rest >= scaled.denominator
    return Decimal(whole + up) * PLACES


def _shown(value: Fraction) -> Decimal:
    return _rounded(value) if value >= 0 else -_rounded(-value)


def _text(value: Fraction) -> str:
    return plain(_shown(value))


def plain(value: Decimal) -> str:
    """Return a number without exponent or trailing zeros."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _by(source: str) -> str:
    return f", {source}" if source else ""


def rounded_money(amount: Decimal) -> Decimal:
    """Return an amount rounded HALF_UP to cents, for sums of rounded lines."""
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP, EXACT)


def money_up(amount: Decimal) -> Decimal:
    """Return an amount rounded up to cents, for what is said to be the most."""
    return amount.quantize(Decimal("0.01"), ROUND_CEILING, EXACT)
