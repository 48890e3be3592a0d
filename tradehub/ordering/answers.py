"""What an order response is, whatever it calls itself, and which terms of the order it would change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum

from tradehub.documents import Line, LineResponse, Order, OrderResponse, ResponseLine, TradeDocument
from tradehub.documents.amounts import unit_price
from tradehub.documents.lines import contradicts, find, key
from tradehub.documents.parts import DatedEvent, Price, Quantity, Schedule
from tradehub.documents.terms import NOT_TERMS, Change, diff, flatten
from tradehub.documents.units import convert

DELIVERY_PROMISES = (
    "promised_delivery", "scheduled_delivery", "estimated_delivery", "requested_delivery", "latest_delivery",
)  # fmt: skip
"""Date types that answer "when will it be there?", the most binding first."""

AGREED_DELIVERY = "requested_delivery"
"""Under this name the agreed day stands in an order."""

_SHIP_DATES = frozenset({"promised_ship", "requested_ship", "shipped"})


class Answer(StrEnum):
    """What an order response is, whatever it calls itself."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    CHANGES = "accepted_with_change"
    COUNTER = "counter_offer"
    REJECTED = "rejected"
    UNCLEAR = "unclear"


HEADER_CODES = {
    "received": Answer.RECEIVED,
    "in_process": Answer.RECEIVED,
    "on_hold": Answer.RECEIVED,
    "accepted": Answer.ACCEPTED,
    "accepted_with_change": Answer.CHANGES,
    "accepted_in_part": Answer.CHANGES,
    "counter_offer": Answer.COUNTER,
    "rejected": Answer.REJECTED,
}

ACTION_CODES = {
    "accepted": Answer.ACCEPTED,
    "accepted_with_change": Answer.CHANGES,
    "change": Answer.CHANGES,
    "proposed_amendment": Answer.COUNTER,
    "proposal": Answer.COUNTER,
    "not_accepted": Answer.REJECTED,
    "cancel": Answer.REJECTED,
}

LINE_CODES = {
    "received": Answer.RECEIVED,
    "on_hold": Answer.RECEIVED,
    "accepted": Answer.ACCEPTED,
    "accepted_without_change": Answer.ACCEPTED,
    "no_change": Answer.ACCEPTED,
    "confirmation": Answer.ACCEPTED,
    "already_delivered": Answer.ACCEPTED,
    "accepted_with_change": Answer.CHANGES,
    "accepted_with_amendment": Answer.CHANGES,
    "changed": Answer.CHANGES,
    "change": Answer.CHANGES,
    "price_changed": Answer.CHANGES,
    "quantity_changed": Answer.CHANGES,
    "date_changed": Answer.CHANGES,
    "backordered": Answer.CHANGES,
    "substituted": Answer.CHANGES,
    "item_changed": Answer.CHANGES,
    "added": Answer.CHANGES,
    "add": Answer.CHANGES,
    "proposed_amendment": Answer.COUNTER,
    "rejected": Answer.REJECTED,
    "not_accepted": Answer.REJECTED,
    "delete": Answer.REJECTED,
    "deleted": Answer.REJECTED,
    "cancelled": Answer.REJECTED,
}


UNTOUCHED = "no_action"
"""EDIFACT 1229 code 4: the message says nothing about this line."""


def classify(order: Order, response: OrderResponse) -> Answer:
    """Return what the response is: by its header code, else its action, else the status of its lines.

    Assent with other terms is no plain assent, so it is CHANGES; so is a rejection of some lines alone. A code without
    a meaning here is UNCLEAR and left to a person; silence is never read as assent.
    """
    stated = stated_answer(response)
    if stated is Answer.ACCEPTED and changes_of(order, response):
        return Answer.CHANGES
    if stated is Answer.REJECTED and any(_is_wanted(line) for line in proposed(order, response).lines):
        return Answer.CHANGES
    return stated


def _is_wanted(line: Line) -> bool:
    return line.quantity is None or line.quantity.value != 0


def stated_answer(response: OrderResponse) -> Answer:
    """Return what the response calls itself."""
    of_the_whole = _stated_of_the_whole(response)
    if of_the_whole is not None:
        return of_the_whole
    statuses = [status for line in response.lines for status in _statuses(line) if status != UNTOUCHED]
    said = {LINE_CODES.get(status, Answer.UNCLEAR) for status in statuses}
    if not said:
        return Answer.UNCLEAR if response.lines else Answer.RECEIVED
    return _together(said)


def _stated_of_the_whole(response: OrderResponse) -> Answer | None:
    if response.response is not None:
        return HEADER_CODES.get(response.response, Answer.UNCLEAR)
    return ACTION_CODES.get(response.action or "")


def _together(said: set[Answer]) -> Answer:
    if len(said) == 1:
        return next(iter(said))
    if Answer.REJECTED in said and not said & {Answer.COUNTER, Answer.UNCLEAR}:
        return Answer.CHANGES
    order = (Answer.COUNTER, Answer.UNCLEAR, Answer.CHANGES, Answer.RECEIVED)
    return next(answer for answer in order if answer in said)


def _statuses(line: ResponseLine) -> Iterable[str]:
    if line.responses:
        return [each.status for each in line.responses]
    return [line.action] if line.action else []


def changes_of(order: Order, response: OrderResponse) -> tuple[Change, ...]:
    """Return the order's terms that the response would change, term by term; what it does not mention stays."""
    if stated_answer(response) is Answer.RECEIVED:
        return ()
    return diff(flatten(order), flatten(proposed(order, response)))


def proposed(order: Order, response: OrderResponse) -> Order:
    """Return the order as the response would have it. A rejection has every quantity at nought."""
    if _stated_of_the_whole(response) is Answer.REJECTED:
        return order.model_copy(update={"lines": tuple(_rejected(line) for line in order.lines)})
    update: dict[str, object] = {
        name: _merged(getattr(order, name), stated)
        for name in TradeDocument.model_fields
        if name not in NOT_TERMS | {"dates"} and (stated := getattr(response, name)) not in (None, ())
    }
    day = day_among(response.dates)
    has_own_days = day_among(order.dates) is None and any(day_among(line.dates) for line in order.lines)
    update["dates"] = _merged_dates(order.dates, response.dates, None if has_own_days else day)
    update["lines"] = _proposed_lines(order, response, day if has_own_days else None)
    return order.model_copy(update=update)


def delivery_day(order: Order, line: Line | None = None) -> date | None:
    """Return the day agreed for the line, or for the order where the line names none."""
    return (day_among(line.dates) if line else None) or day_among(order.dates)


def day_among(dates: Iterable[DatedEvent]) -> date | None:
    """Return the day of delivery that ``dates`` name, the most binding first, or None."""
    by_type = {each.type: each.on or (each.at.date() if each.at else None) for each in reversed(tuple(dates))}
    return next((day for name in DELIVERY_PROMISES if (day := by_type.get(name))), None)


def _merged(mine: object, stated: object) -> object:
    """Lay what is stated over what was there, field by field where both are parts."""
    if hasattr(mine, "model_copy") and type(mine) is type(stated):
        fields = {name: value for name, value in stated if value not in (None, ())}  # type: ignore[attr-defined]
        return mine.model_copy(update=fields)
    return stated


def _merged_dates(
    mine: tuple[DatedEvent, ...], stated: tuple[DatedEvent, ...], day: date | None
) -> tuple[DatedEvent, ...]:
    result = list(mine)
    if day is not None and day != day_among(mine):
        result = [each for each in result if each.type not in DELIVERY_PROMISES]
        result.append(DatedEvent(type=AGREED_DELIVERY, on=day))
    known = {each.type for each in mine}
    for each in stated:
        if each.type in DELIVERY_PROMISES or (each.type in _SHIP_DATES and each.type not in known):
            continue
        result = [other for other in result if other.type != each.type]
        result.append(each)
    return tuple(result)


def _proposed_lines(order: Order, response: OrderResponse, day: date | None) -> tuple[Line, ...]:
    answers: dict[str, list[ResponseLine]] = {}
    added: list[Line] = []
    names = {id(line): key(line, position) for position, line in enumerate(order.lines, 1)}
    for line in response.lines:
        found = find(order.lines, line)
        if found is None:
            added.append(_added(line, set(names.values()), len(added) + 1))
        else:
            answers.setdefault(names[id(found.line)], []).append(line)
    kept = [_answered(order, line, answers.get(names[id(line)], []), day) for line in order.lines]
    return (*kept, *added)


def _added(line: ResponseLine, taken: set[str], ordinal: int) -> Line:
    number = line.number if line.number and line.number not in taken else f"+{ordinal}"
    fields = {name: getattr(line, name) for name in Line.model_fields}
    return Line(**{**fields, "number": number, "action": None, "references": (), "notes": ()})


def _rejected(line: Line) -> Line:
    unit = line.quantity.unit if line.quantity else None
    return line.model_copy(update={"quantity": Quantity(value=Decimal(0), unit=unit), "schedules": ()})


def _answered(order: Order, line: Line, answers: list[ResponseLine], day: date | None) -> Line:
    if not answers:
        return line if day is None else _on_days(order, line, [(None, day)])
    parts = [part for answer in answers for part in _parts(answer)]
    kept = [part for part in parts if LINE_CODES.get(part.status) is not Answer.REJECTED]
    if parts and not kept:
        return _rejected(line)
    line = line.model_copy(update={"quantity": _answered_quantity(line, kept)})
    for answer in answers:
        line = _restated(line, answer)
    for part in kept:
        if part.item is not None and contradicts(line.item, part.item):
            line = line.model_copy(update={"item": part.item})
    days = [(part.quantity, on) for part in kept if (on := part.on or day) is not None]
    return _on_days(order, line, days)


def _parts(answer: ResponseLine) -> list[LineResponse]:
    """Return how each part of the line is answered; a line without parts is one part, answered by its own action."""
    day = day_among(answer.dates)
    stated = answer.confirmed_quantity or answer.quantity
    if not answer.responses:
        return [LineResponse(status=answer.action or "", quantity=stated, on=day)]
    alone = len(answer.responses) == 1
    return [
        part.model_copy(
            update={
                "quantity": part.quantity or (stated if alone else None),
                "on": part.on if part.on is not None and part.date_type not in _SHIP_DATES else day,
            }
        )
        for part in answer.responses
    ]


def _answered_quantity(line: Line, parts: list[LineResponse]) -> Quantity | None:
    stated = [part.quantity for part in parts]
    if not stated or any(each is None for each in stated):
        return line.quantity
    mine = line.quantity
    unit = mine.unit if mine else None
    converted = [convert(each.value, each.unit, unit) for each in stated if each is not None]
    total = sum((each for each in converted if each is not None), Decimal(0))
    if None in converted or mine is None:
        return next(each for each in stated if each is not None)
    return mine if total == mine.value else Quantity(value=total, unit=unit)


def _restated(line: Line, answer: ResponseLine) -> Line:
    """Lay price, item and the other terms that the answer states over the line."""
    update: dict[str, object] = {}
    if answer.price is not None:
        update["price"] = _restated_price(line, answer)
    if contradicts(line.item, answer.item):
        update["item"] = answer.item
    for name in ("allowances_charges", "taxes", "delivery_terms", "delivery_period", "packaging"):
        stated = getattr(answer, name)
        if stated not in (None, ()):
            update[name] = _merged(getattr(line, name), stated)
    return line.model_copy(update=update)


def _restated_price(line: Line, answer: ResponseLine) -> Price:
    mine, stated = line.price, answer.price
    if stated is None or mine is None:
        return stated or mine or Price(amount=Decimal(0))
    unit = line.quantity.unit if line.quantity else None
    bare = answer.model_copy(update={"quantity": answer.quantity or line.quantity})
    same_currency = stated.currency in (None, mine.currency) or mine.currency is None
    if same_currency and unit_price(bare, unit) == unit_price(line, unit):
        return mine
    return Price(
        amount=stated.amount, basis=stated.basis, type=stated.type or mine.type,
        currency=stated.currency or mine.currency, breaks=stated.breaks, formula=stated.formula,
    )  # fmt: skip


def _on_days(order: Order, line: Line, days: list[tuple[Quantity | None, date]]) -> Line:
    if not days:
        return line
    distinct = {on for _, on in days}
    if len(distinct) > 1:
        schedules = tuple(Schedule(quantity=quantity, type=AGREED_DELIVERY, on=on) for quantity, on in days)
        return line if schedules == line.schedules else line.model_copy(update={"schedules": schedules})
    on = distinct.pop()
    if on == delivery_day(order, line):
        return line
    others = tuple(each for each in line.dates if each.type not in DELIVERY_PROMISES)
    return line.model_copy(update={"dates": (*others, DatedEvent(type=AGREED_DELIVERY, on=on)), "schedules": ()})
