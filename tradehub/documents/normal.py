"""One form for what partners say in several ways, so that the same terms have the same hash over every channel.

A day of delivery stands at the head or on each line, is requested or promised, or is the end of a period; a price is per one
or per a hundred; a line is number 1 or 001; texts are cut where a segment ends. Nothing here changes what is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from tradehub.documents.base import TradeDocument
from tradehub.documents.parts import DatedEvent, PaymentTerms, Price, Quantity, Schedule

DELIVERY_DATES = (
    "promised_delivery", "scheduled_delivery", "estimated_delivery", "requested_delivery", "latest_delivery",
    "delivered",
)  # fmt: skip
"""Date types that answer "when will it be there?", the most binding first."""

AGREED_DELIVERY = "requested_delivery"
"""The name under which the normal form states that day."""

_SAID_OF_THE_DAY = frozenset(DELIVERY_DATES[:4])

_PRICE_PER = {"per_hundred": Decimal(100), "per_thousand": Decimal(1000)}
_USUAL_PRICE = frozenset({"net", "per_each", "per_unit"})
"""Price types that say no more than a price without one: net, per unit of the quantity."""

_USUAL_TERMS = frozenset({"basic", "basic_discount"})
"""Types of payment terms that say no more than their days and percentages do (X12 336, EDIFACT 4279)."""

USUAL_BASIS = "invoice"
"""From the day of the invoice days of payment count where nobody says otherwise (X12 333 code 3, UNCL 2475 code 5)."""

DocumentT = TypeVar("DocumentT", bound=TradeDocument)


def negotiated(document: DocumentT) -> DocumentT:
    """Return ``document`` with each term that can be said in several ways said in one."""
    lines = getattr(document, "lines", ())
    day, start = _day(document.dates, (), document.delivery_period), _start(document.delivery_period)
    update: dict[str, object] = {
        "dates": _dates(document.dates, None if lines else day, None if lines else start),
        "delivery_period": None,
        "payment_terms": tuple(_payment(each) for each in document.payment_terms),
    }
    if lines:
        update["lines"] = tuple(_line(document, line, day, start) for line in lines)
    return document.model_copy(update=update)


def plain_number(number: str | None) -> str | None:
    """Return a line's number without the noughts that some systems fill it up with."""
    return (number.strip().lstrip("0") or number) if number else number


def _line(document: TradeDocument, line: object, day: date | None, start: date | None) -> object:
    schedules: Sequence[Schedule] = line.schedules  # type: ignore[attr-defined]
    own = _day(line.dates, schedules, line.delivery_period)  # type: ignore[attr-defined]
    is_split = len({each.on for each in schedules if each.on}) > 1
    begins = _start(line.delivery_period) or start  # type: ignore[attr-defined]
    return line.model_copy(  # type: ignore[attr-defined]
        update={
            "number": plain_number(line.number),  # type: ignore[attr-defined]
            "dates": _dates(line.dates, None if is_split else own or day, begins),  # type: ignore[attr-defined]
            "schedules": tuple(_schedule(each) for each in schedules) if is_split else (),
            "delivery_period": None,
            "price": _price(line.price, document.currency),  # type: ignore[attr-defined]
        }
    )


def _dates(dates: Iterable[DatedEvent], day: date | None, start: date | None) -> tuple[DatedEvent, ...]:
    others = [each for each in dates if each.type not in _SAID_OF_THE_DAY]
    if day is None:
        return tuple(others)
    others = [each for each in others if each.type not in DELIVERY_DATES or _on(each) != day]
    if start is not None and all(each.type != "earliest_delivery" for each in others):
        others.append(DatedEvent(type="earliest_delivery", on=start))
    return (DatedEvent(type=AGREED_DELIVERY, on=day), *others)


def _schedule(schedule: Schedule) -> Schedule:
    is_day = schedule.type is None or schedule.type in _SAID_OF_THE_DAY
    return schedule.model_copy(update={"type": AGREED_DELIVERY}) if is_day else schedule


def _day(dates: Iterable[DatedEvent], schedules: Iterable[Schedule], period: object) -> date | None:
    stated = [DatedEvent(type=each.type or DELIVERY_DATES[0], on=each.on) for each in schedules if each.on]
    found = _most_binding(dates) or _most_binding(stated)
    return found or getattr(period, "end", None)


def _most_binding(dates: Iterable[DatedEvent]) -> date | None:
    by_type = {each.type: _on(each) for each in dates}
    return next((day for name in DELIVERY_DATES if (day := by_type.get(name))), None)


def _on(event: DatedEvent) -> date | None:
    return event.on or (event.at.date() if isinstance(event.at, datetime) else None)


def _start(period: object) -> date | None:
    start: date | None = getattr(period, "start", None)
    return start


def _price(price: Price | None, currency: str | None) -> Price | None:
    if price is None:
        return None
    basis = price.basis
    if price.type in _PRICE_PER and (basis is None or basis.value == 1):
        basis = Quantity(value=_PRICE_PER[price.type])
    is_usual = price.type in _USUAL_PRICE or price.type in _PRICE_PER
    return price.model_copy(
        update={
            "basis": None if basis is None or basis.value == 1 else basis,
            "type": None if is_usual else price.type,
            "currency": None if price.currency == currency else price.currency,
        }
    )


def _payment(terms: PaymentTerms) -> PaymentTerms:
    return terms.model_copy(
        update={
            "type": None if terms.type in _USUAL_TERMS else terms.type,
            "basis": None if terms.basis == USUAL_BASIS else terms.basis,
        }
    )
