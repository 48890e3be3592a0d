"""What people type, read into drafts: every error at its field, and nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from tradehub.documents import Line, TradeDocument
from tradehub.documents.lines import keyed
from tradehub.negotiation import drafting, model
from tradehub.negotiation.drafting import Draft, LineDraft
from tradehub.platform import clock

Posted = MultiDict[str, str]

UNITS = ("C62", "KGM", "TNE", "MTR", "MTK", "MTQ", "LTR", "SET", "PR", "BX", "PK", "RO")
"""Units offered in a list (UN/ECE Recommendation 20); any other is kept when a document brings it."""

CURRENCIES = ("USD", "EUR", "CNY", "GBP", "JPY", "CHF", "HKD", "SEK", "NOK", "DKK")
INCOTERMS = ("EXW", "FCA", "FAS", "FOB", "CFR", "CIF", "CPT", "CIP", "DAP", "DPU", "DDP")
"""Incoterms 2020."""

LINES_MAX = 500
"""More lines than anybody types; a file is the way for more."""

TEXT_MAX = 2_000
NAME_MAX = 200
VALID_DAYS = 14
FIRST_LINES = 3
LARGE_MOVE = Decimal("0.25")
"""A price moved by more than this against the round before is shown once more before it is sent."""

_PLAIN = re.compile(r"^\d+([.,]\d+)?$")
_GROUPED = re.compile(r"^\d{1,3}([ ,\u202f\u00a0]\d{3})+(\.\d+)?$")
_AMBIGUOUS = re.compile(r"^\d{1,3},\d{3}$")
AMOUNT_MAX = Decimal("1e12")


@dataclass
class LineForm:
    """One row as typed. ``number`` is the line it answers; ``asked`` the line itself, where there is one."""

    number: str = ""
    name: str = ""
    item: str = ""
    quantity: str = ""
    unit: str = "C62"
    price: str = ""
    delivery: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    asked: Line | None = None

    @property
    def is_blank(self) -> bool:
        return not any(each.strip() for each in (self.name, self.item, self.quantity))


@dataclass
class TermsForm:
    """A form as typed, with its errors by field."""

    lines: list[LineForm] = field(default_factory=list)
    currency: str = "USD"
    delivery: str = ""
    respond_by: str = ""
    valid_until: str = ""
    incoterm: str = ""
    place: str = ""
    payment: str = ""
    text: str = ""
    note: str = ""
    firm: bool = True
    suppliers: list[tuple[str, str]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        return not self.errors and not any(line.errors for line in self.lines)

    @property
    def error_count(self) -> int:
        return len(self.errors) + sum(len(line.errors) for line in self.lines)


def blank_inquiry() -> TermsForm:
    """Return the form for a new inquiry: three empty rows, an answer wanted within a week."""
    wanted = (clock.now() + timedelta(days=7)).date()
    return TermsForm(lines=[LineForm() for _ in range(FIRST_LINES)], respond_by=wanted.isoformat())


def posted_inquiry(posted: Posted) -> TermsForm:
    """Return what was typed into the inquiry form, with its errors."""
    form = _header(posted)
    form.note = posted.get("note", "")[:TEXT_MAX]
    form.lines = _rows(posted)
    said = [line for line in form.lines if not line.is_blank]
    for line in said:
        _check_line(line, needs_price=False)
    if not said:
        form.lines = form.lines or [LineForm()]
        form.lines[0].errors["name"] = gettext("Name at least one item.")
    if len(form.lines) > LINES_MAX:
        form.errors["lines"] = gettext("At most %(count)s lines.", count=LINES_MAX)
        form.lines = form.lines[:LINES_MAX]
    return form


def inquiry_draft(form: TermsForm) -> Draft:
    """Return the draft of a valid inquiry form."""
    said = [line for line in form.lines if not line.is_blank]
    lines = tuple(
        LineDraft(
            number=str(number),
            name=line.name.strip(),
            item_number=line.item.strip(),
            quantity=_decimal(line.quantity),
            unit=line.unit,
            delivery_on=_day(line.delivery),
        )
        for number, line in enumerate(said, 1)
    )
    return _draft(form, lines)


def prefilled(base: TradeDocument, *, is_buyer: bool) -> TermsForm:
    """Return the form for an answer to ``base``: their terms, to be changed where one wants."""
    terms = base.delivery_terms
    form = TermsForm(
        currency=base.currency or "USD",
        valid_until=_valid_until(base).isoformat(),
        incoterm=(terms.incoterm if terms else None) or "",
        place=(terms.place if terms else None) or "",
        payment=drafting.payment_text(base) or "",
    )
    for number, line in keyed(model.lines_of(base)).items():
        day = drafting.delivery_on(base, line)
        form.lines.append(
            LineForm(
                number=number,
                name=drafting.item_label(line),
                item=drafting.item_number(line),
                quantity=_plain(line.quantity.value) if line.quantity else "",
                unit=(line.quantity.unit if line.quantity else None) or "",
                price=_plain(line.price.amount) if line.price else "",
                delivery=day.isoformat() if day else "",
                asked=line,
            )
        )
    return form


def posted_answer(posted: Posted, base: TradeDocument, *, is_buyer: bool) -> TermsForm:
    """Return what was typed in answer to ``base``, with its errors. A seller's line without a price is no bid."""
    form = _header(posted)
    form.firm = is_buyer or posted.get("obligation", "firm") == "firm"
    asked = keyed(model.lines_of(base))
    form.lines = [line for line in _rows(posted) if line.number in asked]
    for line in form.lines:
        line.asked = asked[line.number]
        line.name, line.item = drafting.item_label(line.asked), drafting.item_number(line.asked)
        if is_buyer or line.price.strip():
            _check_line(line, needs_price=True)
    if not is_buyer and not any(line.price.strip() for line in form.lines) and form.lines:
        form.lines[0].errors["price"] = gettext("Give a price for at least one line, or decline the inquiry.")
    return form


def answer_draft(form: TermsForm) -> Draft:
    """Return the draft of a valid answer: the lines that carry a price."""
    lines = tuple(
        LineDraft(
            number=line.number,
            quantity=_decimal(line.quantity),
            unit=line.unit or None,
            price=_decimal(line.price),
            delivery_on=_day(line.delivery),
        )
        for line in form.lines
        if line.price.strip()
    )
    return _draft(form, lines)


def large_moves(form: TermsForm, base: TradeDocument) -> list[LineForm]:
    """Return the rows whose price moved so far from ``base`` that it may be a slip of the hand."""
    before = {number: line.price.amount for number, line in keyed(model.lines_of(base)).items() if line.price}
    found = []
    for line in form.lines:
        was, now = before.get(line.number), _decimal(line.price)
        if was and now is not None and abs(now - was) / was > LARGE_MOVE:
            found.append(line)
    return found


def refused_at(form: TermsForm, code: str, sentence: str) -> None:
    """Put what the rules refused at the field that can mend it."""
    if code == "ACCEPT_BY_PAST":
        form.errors["valid_until"] = sentence
    elif code in ("NOT_DEFINITE_PRICE", "NOT_DEFINITE_QUANTITY") and form.lines:
        form.lines[0].errors["price" if code == "NOT_DEFINITE_PRICE" else "quantity"] = sentence
    else:
        form.errors["form"] = sentence


def hidden_fields(form: TermsForm) -> Iterable[tuple[str, str]]:
    """Return the form once more as (name, value), for a review page that posts it again."""
    for name in ("currency", "delivery", "respond_by", "valid_until", "incoterm", "place", "payment", "text", "note"):
        yield name, getattr(form, name)
    yield "obligation", "firm" if form.firm else "free"
    for line in form.lines:
        for name in _COLUMNS:
            yield f"line_{name}", getattr(line, name)
    for id, _ in form.suppliers:
        yield "suppliers", id


def pairs(values: Sequence[str], chosen: str) -> list[tuple[str, str]]:
    """Return the choices of a list, with what was chosen among them whatever it is."""
    known = (*values, chosen) if chosen not in values else values
    return [(each, each or "–") for each in known]


_COLUMNS = ("number", "name", "item", "quantity", "unit", "price", "delivery")


def _header(posted: Posted) -> TermsForm:
    form = TermsForm(
        currency=posted.get("currency", "").strip().upper() or "USD",
        text=posted.get("text", "")[:TEXT_MAX],
    )
    for name in ("delivery", "respond_by", "valid_until", "incoterm", "place", "payment"):
        setattr(form, name, posted.get(name, "").strip()[:NAME_MAX])
    for name in ("delivery", "respond_by", "valid_until"):
        _check_day(getattr(form, name), form.errors, name)
    if not re.fullmatch(r"[A-Z]{3}", form.currency):
        form.errors["currency"] = gettext("A currency has three letters.")
    if form.incoterm and form.incoterm not in INCOTERMS:
        form.errors["incoterm"] = gettext("Choose a rule of Incoterms 2020.")
    elif form.incoterm and not form.place:
        form.errors["place"] = gettext("An Incoterm needs a named place.")
    return form


def _rows(posted: Posted) -> list[LineForm]:
    columns: Mapping[str, Sequence[str]] = {name: posted.getlist(f"line_{name}") for name in _COLUMNS}
    count = min(max(map(len, columns.values()), default=0), LINES_MAX + 1)
    rows = []
    for index in range(count):
        typed: dict[str, Any] = {
            name: values[index].strip()[:NAME_MAX] if index < len(values) else "" for name, values in columns.items()
        }
        rows.append(LineForm(**typed))
    return rows


def _check_line(line: LineForm, *, needs_price: bool) -> None:
    if not (line.name or line.item):
        line.errors["name"] = gettext("Name the item.")
    if not line.quantity:
        line.errors["quantity"] = gettext("How many?")
    else:
        _check_number(line.quantity, line.errors, "quantity", above_zero=True)
    if needs_price and not line.price:
        line.errors["price"] = gettext("A counter-offer needs a price.")
    elif line.price:
        _check_number(line.price, line.errors, "price", above_zero=False)
    _check_day(line.delivery, line.errors, "delivery")
    if line.unit and not re.fullmatch(r"[A-Z0-9]{2,3}", line.unit):
        line.errors["unit"] = gettext("Unknown unit.")


def _check_number(text: str, errors: dict[str, str], name: str, *, above_zero: bool) -> None:
    value = _decimal(text)
    if _AMBIGUOUS.match(text):
        errors[name] = gettext("Write it without a comma: %(one)s or %(other)s.", one=text.replace(",", ""),
                               other=text.replace(",", "."))  # fmt: skip
    elif value is None:
        errors[name] = gettext("This is not a number.")
    elif value > AMOUNT_MAX:
        errors[name] = gettext("This number is too large.")
    elif above_zero and value <= 0:
        errors[name] = gettext("More than zero, please.")


def _check_day(text: str, errors: dict[str, str], name: str) -> None:
    day = _day(text)
    if text and day is None:
        errors[name] = gettext("This is not a day: write it as 2026-12-31.")
    elif day is not None and day < clock.now().date():
        errors[name] = gettext("This day has passed.")


def _decimal(text: str) -> Decimal | None:
    """Read ``24000``, ``24 000.5``, ``24,000.50`` and ``12,40``; None for anything else, or what reads both ways."""
    text = text.strip()
    if _AMBIGUOUS.match(text):
        return None
    if _GROUPED.match(text):
        return Decimal(re.sub(r"[ ,\u202f\u00a0]", "", text))
    return Decimal(text.replace(",", ".")) if _PLAIN.match(text) and text.isascii() else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _draft(form: TermsForm, lines: tuple[LineDraft, ...]) -> Draft:
    return Draft(
        lines=lines,
        currency=form.currency,
        delivery_on=_day(form.delivery),
        respond_by=_day(form.respond_by),
        valid_until=_day(form.valid_until),
        incoterm=form.incoterm or None,
        place=form.place or None,
        payment=form.payment or None,
        text=form.text,
        firm=form.firm,
    )


def _valid_until(base: TradeDocument) -> date:
    """Their own last day while it lies ahead, else two weeks from now, on a working day."""
    today = clock.now().date()
    stated = base.date_of("valid_until")
    day = stated if stated and stated > today else today + timedelta(days=VALID_DAYS)
    return model.Calendar().next_working(day)


def _plain(value: Decimal) -> str:
    """Return the number as one would type it: no exponent, two decimals where it has any."""
    text = format(value, "f")
    if "." not in text:
        return text
    whole, fraction = text.split(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction.ljust(2, '0')}" if fraction else whole
