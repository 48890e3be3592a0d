"""The terms beside item, price, quantity, delivery, payment and Incoterm, one by one, as a form states them.

``KNOWN`` lists them: how a term is read from a document or a line, and how it is set there. What a form does not state
differently stays as it was, in whatever detail the partner gave it. Terms of one's own are ``custom``, by name and value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from tradehub.documents import Line
from tradehub.documents.normal import DELIVERY_DATES
from tradehub.documents.parts import (
    AllowanceCharge,
    DatedEvent,
    DeliveryTerms,
    Part,
    PaymentTerms,
    Price,
    PriceBreak,
    Quantity,
    Schedule,
    Tax,
    Transport,
)

Owner = TypeVar("Owner", bound=Part)
Said = tuple[str, str]
"""A label, empty where the term needs none, and a value: numbers plain, days as ISO 8601, yes and no as true and false."""


class Sort(StrEnum):
    """What a value is, and so what is typed."""

    TEXT = "text"
    NUMBER = "number"
    DAY = "day"
    YES_NO = "yes_no"
    AMOUNT = "amount"
    """A number, or a share as ``2.5%``."""


@dataclass(frozen=True)
class Stated:
    """A term as stated: ``name`` is a key of ``KNOWN``. ``label`` is what it is called, or from when it holds."""

    name: str
    value: str
    label: str = ""


@dataclass(frozen=True)
class Known:
    """A term that can be stated. ``label`` is the sort of its label; None: it has none. ``path`` is its first path."""

    name: str
    path: str
    sort: Sort
    read: Callable[[Any], list[Said]]
    write: Callable[[Any, Sequence[Said]], dict[str, Any]]
    label: Sort | None = None
    many: bool = False


def stated(owner: Part) -> tuple[Stated, ...]:
    """Return the further terms of a document, or of a line, in the order of the list."""
    return tuple(Stated(name, value, label) for name, known in _of(owner).items() for label, value in known.read(owner))


def applied(owner: Owner, wanted: Iterable[Stated] | None) -> Owner:
    """Return ``owner`` with exactly these further terms; None changes nothing."""
    if wanted is None:
        return owner
    said: dict[str, list[Said]] = {}
    for each in wanted:
        said.setdefault(each.name, []).append((each.label, each.value))
    result = owner
    for name, known in _of(owner).items():
        if _told(said.get(name, [])) != _told(known.read(result)):
            update = known.write(result, said.get(name, []))
            result = result.model_copy(update=update)
    return result


def path(name: str, label: str, line: str | None = None) -> str:
    """Return the path of a term, as ``documents.terms`` names it."""
    known = HEADER.get(name) if line is None else LINE.get(name)
    own = f"custom.{label.strip()}" if name == "custom" else known.path if known else name
    return own if line is None else f"lines.{line}.{own}"


def _of(owner: Part) -> Mapping[str, Known]:
    return LINE if isinstance(owner, Line) else HEADER


def _told(said: Sequence[Said]) -> list[Said]:
    return [(" ".join(label.split()), " ".join(value.split())) for label, value in said]


def plain(value: object) -> str:
    """Return a value as it is stated: a number without needless noughts, a day as ISO 8601."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        plain = format(value, "f")
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    return value.isoformat() if isinstance(value, date) else str(value)


def _made(sort: Sort, value: str) -> Any:
    if sort is Sort.NUMBER:
        return Decimal(value)
    if sort is Sort.DAY:
        return date.fromisoformat(value)
    return value == "true" if sort is Sort.YES_NO else value


def _field(name: str, sort: Sort = Sort.TEXT) -> Known:
    """A term that is a field of its own."""

    def read(owner: Any) -> list[Said]:
        value = getattr(owner, name)
        return [] if value is None else [("", plain(value))]

    def write(owner: Any, said: Sequence[Said]) -> dict[str, Any]:
        return {name: _made(sort, said[-1][1]) if said else None}

    return Known(name, name, sort, read, write)


def _inside(part: str, name: str, new: Callable[[], Any], sort: Sort = Sort.TEXT) -> Known:
    """A term within a part that may be missing; the part goes where nothing is left in it."""

    def read(owner: Any) -> list[Said]:
        whole = getattr(owner, part)
        value = None if whole is None else getattr(whole, name)
        return [] if value is None else [("", plain(value))]

    def write(owner: Any, said: Sequence[Said]) -> dict[str, Any]:
        whole = (getattr(owner, part) or new()).model_copy(update={name: _made(sort, said[-1][1]) if said else None})
        return {part: None if whole == new() else whole}

    return Known(f"{part}.{name}", f"{part}.{name}", sort, read, write)


def _first(part: str, name: str, new: Callable[[], Any]) -> Known:
    """A term within the first of several parts."""

    def read(owner: Any) -> list[Said]:
        value = next((getattr(each, name) for each in getattr(owner, part)), None)
        return [] if value is None else [("", plain(value))]

    def write(owner: Any, said: Sequence[Said]) -> dict[str, Any]:
        first, *others = getattr(owner, part) or (new(),)
        first = first.model_copy(update={name: said[-1][1] if said else None})
        return {part: tuple(each for each in (first, *others) if each != new())}

    return Known(f"{part}.{name}", f"{part}.1.{name}", Sort.TEXT, read, write)


def _day(kind: str) -> Known:
    def read(owner: Any) -> list[Said]:
        return [("", each.on.isoformat()) for each in owner.dates if each.type == kind and each.on][:1]

    def write(owner: Any, said: Sequence[Said]) -> dict[str, Any]:
        new = (DatedEvent(type=kind, on=date.fromisoformat(value)) for _, value in said[-1:])
        return {"dates": (*(each for each in owner.dates if each.type != kind), *new)}

    return Known(f"dates.{kind}", f"dates.{kind}", Sort.DAY, read, write)


def _documents(owner: Any) -> list[Said]:
    return [("", each) for each in owner.documents_required]


def _custom(owner: Any) -> list[Said]:
    return list(owner.custom)


def _charges(owner: Any, *, is_charge: bool) -> list[Said]:
    return [
        (each.reason or each.reason_code or "", _amount_of(each))
        for each in owner.allowances_charges
        if each.is_charge is is_charge and _amount_of(each)
    ]


def _amount_of(item: AllowanceCharge) -> str:
    if item.amount is not None:
        return plain(item.amount)
    return "" if item.percent is None else f"{plain(item.percent)}%"


def _with_charges(owner: Any, said: Sequence[Said], *, is_charge: bool) -> dict[str, Any]:
    before = owner.allowances_charges
    known = {(each.reason or each.reason_code or "", _amount_of(each)): each for each in before
             if each.is_charge is is_charge}  # fmt: skip
    kept = [each for each in before if each.is_charge is not is_charge or not _amount_of(each)]
    return {"allowances_charges": (*kept, *(known.get(each) or _charge(is_charge, *each) for each in said))}


def _charge(is_charge: bool, reason: str, value: str) -> AllowanceCharge:
    share = value.endswith("%")
    number = Decimal(value.rstrip("% "))
    return AllowanceCharge(
        is_charge=is_charge, reason=reason or None, percent=number if share else None, amount=None if share else number
    )


def _taxes(owner: Any) -> list[Said]:
    return [(each.category or "", plain(each.rate)) for each in owner.taxes if each.rate is not None]


def _with_taxes(owner: Any, said: Sequence[Said]) -> dict[str, Any]:
    known = {(each.category or "", plain(each.rate)): each for each in owner.taxes if each.rate is not None}
    kept = [each for each in owner.taxes if each.rate is None]
    new = (known.get(each) or Tax(category=each[0] or None, rate=Decimal(each[1])) for each in said)
    return {"taxes": (*kept, *new)}


def _breaks(line: Line) -> list[Said]:
    return [(plain(each.min_quantity), plain(each.amount)) for each in (line.price.breaks if line.price else ())]


def _priced(line: Line, **update: object) -> dict[str, Any]:
    return {"price": None if line.price is None else line.price.model_copy(update=update)}


def _with_breaks(line: Line, said: Sequence[Said]) -> dict[str, Any]:
    new = [PriceBreak(min_quantity=Decimal(least), amount=Decimal(amount)) for least, amount in said]
    return _priced(line, breaks=tuple(sorted(new, key=lambda each: each.min_quantity)))


def _formula(line: Line) -> list[Said]:
    return [("", line.price.formula)] if line.price and line.price.formula else []


def _with_formula(line: Line, said: Sequence[Said]) -> dict[str, Any]:
    return _priced(line, formula=said[-1][1] if said else None)


def _basis(line: Line) -> list[Said]:
    basis = line.price.basis if line.price else None
    return [] if basis is None else [("", plain(basis.value))]


def _with_basis(line: Line, said: Sequence[Said]) -> dict[str, Any]:
    if not said:
        return _priced(line, basis=None)
    price: Price | None = line.price
    unit = price.basis.unit if price and price.basis else line.quantity.unit if line.quantity else None
    return _priced(line, basis=Quantity(value=Decimal(said[-1][1]), unit=unit))


def _schedules(line: Line) -> list[Said]:
    return [(plain(each.quantity.value), each.on.isoformat()) for each in line.schedules if each.quantity and each.on]


def _with_schedules(line: Line, said: Sequence[Said]) -> dict[str, Any]:
    """Deliver in parts: the day of the whole then no longer stands beside those of its parts."""
    unit = line.quantity.unit if line.quantity else None
    parts = tuple(
        Schedule(quantity=Quantity(value=Decimal(quantity), unit=unit), on=date.fromisoformat(day))
        for quantity, day in said
    )
    kept = tuple(each for each in line.dates if each.type not in DELIVERY_DATES) if parts else line.dates
    return {"schedules": parts, "dates": kept}


def _listed(*known: Known) -> dict[str, Known]:
    return {each.name: each for each in known}


_SHARED = (
    Known("charge", "allowances_charges.1.amount", Sort.AMOUNT, lambda owner: _charges(owner, is_charge=True),
          lambda owner, said: _with_charges(owner, said, is_charge=True), label=Sort.TEXT, many=True),
    Known("allowance", "allowances_charges.1.amount", Sort.AMOUNT, lambda owner: _charges(owner, is_charge=False),
          lambda owner, said: _with_charges(owner, said, is_charge=False), label=Sort.TEXT, many=True),
    Known("taxes", "taxes.1.rate", Sort.NUMBER, _taxes, _with_taxes, label=Sort.TEXT, many=True),
    _field("packaging"),
    _day("requested_ship"), _day("ship_not_before"), _day("ship_not_after"), _day("earliest_delivery"),
)  # fmt: skip

_OWN = Known(
    "custom", "custom", Sort.TEXT, _custom, lambda owner, said: {"custom": tuple(said)}, label=Sort.TEXT, many=True
)

HEADER: Mapping[str, Known] = _listed(
    _field("warranty"), _field("liability"), _field("penalty"), _field("disputes"), _field("law"), _field("inspection"),
    Known("documents_required", "documents_required.1", Sort.TEXT, _documents,
          lambda owner, said: {"documents_required": tuple(value for _, value in said)}, many=True),
    _field("partial_shipments", Sort.YES_NO),
    _first("transport", "mode", Transport), _first("transport", "carrier", Transport),
    _inside("delivery_terms", "version", DeliveryTerms), _inside("delivery_terms", "freight", DeliveryTerms),
    _inside("delivery_terms", "text", DeliveryTerms),
    _first("payment_terms", "means", PaymentTerms), _day("cancel_after"),
    _field("exchange_rate", Sort.NUMBER), _field("target_currency"), *_SHARED, _OWN,
)  # fmt: skip
"""The further terms of a whole offer."""

LINE: Mapping[str, Known] = _listed(
    Known("price.breaks", "price.breaks.1.amount", Sort.NUMBER, _breaks, _with_breaks, label=Sort.NUMBER, many=True),
    Known("price.formula", "price.formula", Sort.TEXT, _formula, _with_formula),
    Known("price.basis", "price.basis.value", Sort.NUMBER, _basis, _with_basis),
    _field("min_quantity", Sort.NUMBER), _field("max_quantity", Sort.NUMBER),
    Known("schedules", "schedules.1.on", Sort.DAY, _schedules, _with_schedules, label=Sort.NUMBER, many=True),
    _inside("delivery_terms", "incoterm", DeliveryTerms), _inside("delivery_terms", "place", DeliveryTerms),
    *_SHARED, _OWN,
)  # fmt: skip
"""The further terms of one line."""

KNOWN: Mapping[str, Known] = {**HEADER, **LINE}
