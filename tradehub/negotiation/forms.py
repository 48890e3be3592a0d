"""What people type, read into drafts: every error at its field, and nothing typed is lost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from math import prod
from typing import Any

from flask_babel import gettext
from werkzeug.datastructures import MultiDict

from tradehub.documents import Line, TradeDocument
from tradehub.documents.amounts import AMOUNT_MAX
from tradehub.documents.lines import keyed
from tradehub.documents.parts import INCOTERMS, Attachment
from tradehub.negotiation import drafting, further, model
from tradehub.negotiation.attachments import Kept
from tradehub.negotiation.drafting import Draft, LineDraft
from tradehub.negotiation.further import Known, Sort, Stated
from tradehub.negotiation.model import Refused
from tradehub.negotiation.recording import Unsendable
from tradehub.platform import clock
from tradehub.platform.entered import not_read, read_number

Posted = MultiDict[str, str]

UNITS = ("C62", "KGM", "TNE", "MTR", "MTK", "MTQ", "LTR", "SET", "PR", "BX", "PK", "RO")
"""Units offered in a list (UN/ECE Recommendation 20); any other is kept when a document brings it."""

CURRENCIES = ("USD", "EUR", "CNY", "GBP", "JPY", "CHF", "HKD", "SEK", "NOK", "DKK")

LINES_MAX = 500
"""More lines than anybody types; a file is the way for more."""

FURTHER_MAX = 1_000
"""Further terms on one form: a browser that sends more was not filled in by hand."""

TERM_MAX = 10_000
"""Characters of one term: a clause of four pages. A longer text belongs into a document of its own."""

TEXT_MAX = 2_000
TERM_PATH_MAX = 300
"""Characters of the path of a term: ``lines.``, a line's number and the longest name of a term of one's own."""

NAME_MAX = 200
VALID_DAYS = 14
FIRST_LINES = 3
LARGE_MOVE = Decimal("0.25")
"""A price moved by more than this against the round before is shown once more before it is sent."""


@dataclass
class LineForm:
    """One row as typed. ``number`` is the line it answers; ``asked`` the line itself, where there is one.

    ``alternative`` is the line in whose place it is offered, where it is an alternative; it has no number of its own.
    """

    number: str = ""
    name: str = ""
    item: str = ""
    quantity: str = ""
    unit: str = "C62"
    price: str = ""
    delivery: str = ""
    alternative: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    asked: Line | None = None
    is_left_out: bool = False

    @property
    def is_offered(self) -> bool:
        return bool(self.price.strip()) and not self.is_left_out

    @property
    def is_added(self) -> bool:
        """Whether it answers no line, and is none's alternative: it comes in beside them."""
        return bool(self.number) and self.asked is None

    @property
    def is_blank(self) -> bool:
        return not any(each.strip() for each in (self.name, self.item, self.quantity))


@dataclass
class TermRow:
    """A further term as typed. ``line`` is empty for one of the whole offer. ``is_new``: just added, to be filled in."""

    line: str = ""
    name: str = "custom"
    label: str = ""
    value: str = ""
    is_new: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def known(self) -> Known:
        return (further.LINE if self.line else further.HEADER)[self.name]

    @property
    def path(self) -> str:
        return further.path(self.name, self.label, self.line or None)

    @property
    def is_long(self) -> bool:
        return "\n" in self.value or len(self.value) > LONG_VALUE

    @property
    def is_blank(self) -> bool:
        """Whether it is to be left out: what has no value is no term."""
        return not self.value.strip() and not (self.known.label and self.label.strip() and self.name != "custom")


LONG_VALUE = 60
"""A term of more characters than this is typed in a field of several rows."""

FLAGS = ("irrevocable", "as_is_only", "divisible")
"""How an offer may be accepted, beside its last day."""


@dataclass
class TermsForm:
    """A form as typed, with its errors by field. ``files`` are None where the form says nothing of them.

    ``kept`` are those of an inquiry, by the sign under which the form names them.
    ``own_terms`` are the hash and number of the version that may be referred to, ``standard_terms`` the hash where it is.
    """

    lines: list[LineForm] = field(default_factory=list)
    terms: list[TermRow] = field(default_factory=list)
    irrevocable: bool = False
    as_is_only: bool = False
    divisible: bool = False
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
    files: tuple[Attachment, ...] | None = None
    kept: Mapping[str, Kept] = field(default_factory=dict)
    standard_terms: str = ""
    own_terms: tuple[str, int] | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        return not self.errors and not any(self._row_errors)

    @property
    def _row_errors(self) -> list[dict[str, str]]:
        return [*(line.errors for line in self.lines), *(row.errors for row in self.terms)]

    def forgive(self) -> None:
        """Say nothing yet of what is still to be filled in."""
        for errors in (self.errors, *self._row_errors):
            errors.clear()

    @property
    def error_count(self) -> int:
        return len(self.errors) + sum(map(len, self._row_errors))


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
            quantity=read_number(line.quantity),
            unit=line.unit,
            delivery_on=read_day(line.delivery),
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
        files=tuple(each for each in base.attachments if each.sha256),
        terms=[TermRow("", each.name, each.label, each.value) for each in further.stated(base)],
    )
    for number, line in keyed(model.lines_of(base)).items():
        day = drafting.delivery_on(base, line)
        form.lines.append(
            LineForm(
                number=number,
                name=drafting.item_label(line),
                item=drafting.item_number(line),
                quantity=as_typed(line.quantity.value) if line.quantity else "",
                unit=(line.quantity.unit if line.quantity else None) or "",
                price=as_typed(line.price.amount) if line.price else "",
                delivery=day.isoformat() if day else "",
                asked=line,
            )
        )
        form.terms += [TermRow(number, each.name, each.label, each.value) for each in further.stated(line)]
    return form


def posted_answer(posted: Posted, base: TradeDocument, *, is_buyer: bool, may_add: bool = False) -> TermsForm:
    """Return what was typed in answer to ``base``, with its errors. A seller's line without a price is no bid.

    With ``may_add`` a row of another number is a line that comes in.
    """
    form = _header(posted)
    form.firm = is_buyer or posted.get("obligation", "firm") == "firm"
    asked = keyed(model.lines_of(base))
    rows = _rows(posted)
    added = _added(rows, asked) if may_add else []
    form.lines = [line for line in rows if line.number in asked or line.alternative in asked]
    left_out = set(posted.getlist("leave_out"))
    for line in form.lines:
        if line.alternative in asked:
            line.number, line.asked = "", asked[line.alternative]
            _check_line(line, needs_price=True)
            continue
        line.alternative = ""
        line.asked, line.is_left_out = asked[line.number], line.number in left_out
        line.name, line.item = drafting.item_label(line.asked), drafting.item_number(line.asked)
        if line.is_offered or (is_buyer and not line.is_left_out):
            _check_line(line, needs_price=True)
    for line in added:
        _check_line(line, needs_price=True)
    form.lines += added
    if len(form.lines) > LINES_MAX:
        form.errors["lines"] = gettext("At most %(count)s lines.", count=LINES_MAX)
        form.lines = form.lines[:LINES_MAX]
    if not is_buyer and not any(line.price.strip() for line in form.lines) and form.lines:
        form.lines[0].errors["price"] = gettext("Give a price for at least one line, or decline the inquiry.")
    for name in FLAGS:
        setattr(form, name, bool(posted.get(name)))
    _check_alternatives(form)
    form.terms = _term_rows(posted, asked)
    if len(form.terms) > FURTHER_MAX:
        form.errors["terms"] = gettext("At most %(count)s terms.", count=FURTHER_MAX)
        form.terms = form.terms[:FURTHER_MAX]
    offered = {line.number: line for line in form.lines if line.is_offered and line.number}
    stated = [row for row in form.terms if not row.is_blank and (not row.line or row.line in offered)]
    for row in stated:
        _check_term(row)
    _check_twice(stated)
    for number, line in offered.items():
        _check_parts([row for row in form.terms if row.line == number and row.name == "schedules"], line)
    return form


def _added(rows: Sequence[LineForm], asked: Mapping[str, Line]) -> list[LineForm]:
    """Return the rows of lines that come in, by numbers that nothing else has."""
    found = {
        line.number: line
        for line in rows
        if line.number not in asked and not line.alternative and _ADDED.fullmatch(line.number)
    }
    return list(found.values())


_ADDED = re.compile(r"[1-9]\d{0,5}")
"""The number that a line gets which comes in: each standard has room for it."""


def with_line(form: TermsForm) -> None:
    """Add an empty row for a line that comes in, under the next free number."""
    taken = [int(line.number) for line in form.lines if line.number.isdecimal()]
    form.lines.append(LineForm(number=str(max([*taken, len(form.lines)]) + 1)))


def without_line(form: TermsForm, number: str) -> None:
    """Take out a line that was to come in."""
    form.lines = [line for line in form.lines if line.number != number or not line.is_added]


def with_alternative(form: TermsForm, number: str) -> None:
    """Add a row for an alternative of a line, below it and those that it has: filled in with the line, but for the price."""
    places = [place for place, line in enumerate(form.lines) if number and number in (line.number, line.alternative)]
    if places:
        line = form.lines[places[0]]
        row = replace(line, number="", price="", alternative=number, errors={}, is_left_out=False)
        form.lines.insert(places[-1] + 1, row)


def without_alternative(form: TermsForm, place: str) -> None:
    """Take out the alternative at a place among the lines, counted from nought."""
    if place.isdecimal() and int(place) < len(form.lines) and form.lines[int(place)].alternative:
        del form.lines[int(place)]


def _check_alternatives(form: TermsForm) -> None:
    """An alternative differs from the line in whose place it stands."""
    by_number = {line.number: line for line in form.lines if line.number}
    alternatives = [line for line in form.lines if line.alternative]
    for line in alternatives:
        base = by_number.get(line.alternative)
        if base is None or not base.is_offered:
            line.errors.setdefault("name", gettext("Offer the line itself as well: this stands in its place."))
        elif all(getattr(line, name) == getattr(base, name) for name in _SAID):
            line.errors.setdefault("name", gettext("An alternative must differ from its line."))
    counted = Counter(line.alternative for line in alternatives)
    if prod(count + 1 for count in counted.values()) > drafting.VARIANTS_MAX:
        form.errors["form"] = gettext("Too many alternatives: at most %(count)s offers come of them.",
                                      count=drafting.VARIANTS_MAX)  # fmt: skip


ROW_ACTS = frozenset({"add", "drop", "alternative", "drop_alternative"})
"""Buttons of a form of terms that add a row or take one out."""


def changes_rows(form: TermsForm, posted: Posted) -> bool:
    """Do what a button does that adds a row or takes one out, and return whether one was pressed: nothing is sent then."""
    if not ROW_ACTS & posted.keys():
        return False
    form.forgive()
    with_alternative(form, posted.get("alternative", ""))
    without_alternative(form, posted.get("drop_alternative", ""))
    with_term(form, posted, posted.get("add", ""))
    without_term(form, posted.get("drop", ""))
    return True


def posted_changes(posted: Posted, base: TradeDocument, *, may_add: bool = False) -> TermsForm:
    """Return what was typed into the form that accepts ``base`` with changes: every line is there, or left out. With
    ``may_add`` others may come in."""
    form = posted_answer(posted, base, is_buyer=True, may_add=may_add)
    form.lines = [line for line in form.lines if line.number]
    if form.lines and all(line.is_left_out for line in form.lines):
        form.errors["lines"] = gettext("Keep at least one line, or decline the offer.")
    return form


def changes_draft(form: TermsForm, base: TradeDocument) -> Draft:
    """Return the draft of a valid form of changes: how long it stands is what the offer says (R10)."""
    return replace(answer_draft(form), valid_until=base.date_of("valid_until"))


def with_term(form: TermsForm, posted: Posted, at: str) -> None:
    """Add the row that the button asked for: a term of the whole offer, or of the line chosen beside it."""
    number = posted.get("add_line", "") if at == "line" else ""
    name = posted.get(f"add_{at}_term", "custom")
    known = further.LINE if number else further.HEADER
    if name in known and (at == "header" or (at == "line" and number)):
        form.terms.append(TermRow(number, name, is_new=True))


def added_term(posted: Posted, base: TradeDocument, at: str) -> TermRow | None:
    """Return the row that is to be added to a form that stays as it is; None for a term that there is not."""
    form = TermsForm()
    with_term(form, posted, at)
    known = {"", *keyed(model.lines_of(base))}
    return next((row for row in form.terms if row.line in known), None)


def without_term(form: TermsForm, place: str) -> None:
    """Take out the row at a place, counted from nought."""
    if place.isdecimal() and int(place) < len(form.terms):
        del form.terms[int(place)]


HEADER_TERMS, LINE_TERMS = further.HEADER, further.LINE


def path_of(name: str, label: str = "") -> str:
    """Return the path of a known term, of the whole offer or of a line, without the line."""
    known = further.KNOWN[name]
    return f"custom.{label}" if name == "custom" else known.path


def titles(form: TermsForm) -> dict[str, str]:
    """Return what each line of the form is called in a list: its number and its item."""
    return {line.number: f"{line.number} · {line.name}" for line in form.lines if line.number}


def weighs(row: TermRow, agreed: Mapping[str, bool]) -> bool:
    """Return whether changing the term is material, as the parties have agreed or the law has it (R9, R10)."""
    return model.is_material(row.path, agreed)


def groups(names: Mapping[str, Known], agreed: Mapping[str, bool], *, line: str | None) -> dict[bool, list[str]]:
    """Return the known terms by whether they are material; one's own, which are, come last."""
    found: dict[bool, list[str]] = {True: [], False: []}
    for name in names:
        if name != "custom":
            found[model.is_material(further.path(name, "", line), agreed)].append(name)
    return found


def answer_draft(form: TermsForm) -> Draft:
    """Return the draft of a valid answer: the lines that carry a price."""
    lines = tuple(
        LineDraft(
            number=line.number,
            name=line.name.strip() if line.is_added else "",
            item_number=line.item.strip() if line.is_added else "",
            quantity=read_number(line.quantity),
            unit=line.unit or None,
            price=read_number(line.price),
            delivery_on=read_day(line.delivery),
            terms=_stated(form, line.number),
        )
        for line in form.lines
        if line.is_offered and line.number
    )
    alternatives = tuple(
        LineDraft(
            number=line.alternative,
            name=line.name.strip(),
            item_number=line.item.strip(),
            quantity=read_number(line.quantity),
            unit=line.unit or None,
            price=read_number(line.price),
            delivery_on=read_day(line.delivery),
            terms=tuple(each for each in _stated(form, line.alternative) if each.name not in _OF_THE_LINE_ITSELF),
        )
        for line in form.lines
        if line.alternative
    )
    flags = {name: getattr(form, name) for name in FLAGS}
    return replace(
        _draft(form, lines), terms=_stated(form, ""), attachments=form.files, alternatives=alternatives,
        standard_terms=form.standard_terms or None, **flags,
    )  # fmt: skip


def large_moves(form: TermsForm, base: TradeDocument) -> list[LineForm]:
    """Return the rows whose price moved so far from ``base`` that it may be a slip of the hand."""
    before = {number: line.price.amount for number, line in keyed(model.lines_of(base)).items() if line.price}
    found = []
    for line in form.lines:
        was, now = before.get(line.number), read_number(line.price)
        if was and now is not None and abs(now - was) / was > LARGE_MOVE:
            found.append(line)
    return found


def refused_at(form: TermsForm, refused: Refused, sentence: str) -> None:
    """Put what the rules refused at the field that can mend it, and what a message cannot hold at the fields that say it."""
    code = refused.code
    if isinstance(refused, Unsendable):
        for value, why in refused.values:
            _put_at(form, value, why)
    if code == "ACCEPT_BY_PAST":
        form.errors["valid_until"] = sentence
    elif code in ("NOT_DEFINITE_PRICE", "NOT_DEFINITE_QUANTITY") and form.lines:
        form.lines[0].errors["price" if code == "NOT_DEFINITE_PRICE" else "quantity"] = sentence
    else:
        form.errors["form"] = sentence


def _put_at(form: TermsForm, value: str, why: str) -> None:
    """Put a sentence at every field that holds this value; nowhere, where it was not typed here."""
    for name in ("payment", "place", "text"):
        if _says(getattr(form, name), value):
            form.errors[name] = why
    for line in form.lines:
        line.errors |= {
            name: why for name in ("name", "item", "quantity", "price") if _says(getattr(line, name), value)
        }
    for row in form.terms:
        row.errors |= {name: why for name in ("label", "value") if _says(getattr(row, name), value)}


def _says(typed: str, value: str) -> bool:
    number = read_number(typed)
    return typed.split() == value.split() if number is None else number == read_number(value)


def hidden_fields(form: TermsForm) -> Iterable[tuple[str, str]]:
    """Return the form once more as (name, value), for a review page that posts it again."""
    for name in ("currency", "delivery", "respond_by", "valid_until", "incoterm", "place", "payment", "text", "note"):
        yield name, getattr(form, name)
    yield "obligation", "firm" if form.firm else "free"
    for line in form.lines:
        for name in _COLUMNS:
            yield f"line_{name}", getattr(line, name)
    for row in form.terms:
        for name in _TERM_COLUMNS:
            yield f"term_{name}", getattr(row, name)
    yield from (("leave_out", line.number) for line in form.lines if line.is_left_out)
    yield from ((name, "1") for name in FLAGS if getattr(form, name))
    for id, _ in form.suppliers:
        yield "suppliers", id
    if form.standard_terms:
        yield "standard_terms", form.standard_terms
    yield from (("kept", sign) for sign in form.kept)
    if form.files is not None:
        yield "files_listed", "1"
        yield from (("attachment", str(each.sha256)) for each in form.files)


def pairs(values: Sequence[str], chosen: str) -> list[tuple[str, str]]:
    """Return the choices of a list, with what was chosen among them whatever it is."""
    known = (*values, chosen) if chosen not in values else values
    return [(each, each or "–") for each in known]


_COLUMNS = ("number", "name", "item", "quantity", "unit", "price", "delivery", "alternative")
_OF_THE_LINE_ITSELF = frozenset({"price.breaks", "price.formula", "schedules"})
"""Further terms of a line that its alternatives do not share: they go with its price and its quantity."""

_SAID = ("name", "item", "quantity", "unit", "price", "delivery")
_TERM_COLUMNS = ("line", "name", "label", "value")


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


def _term_rows(posted: Posted, asked: Mapping[str, Line]) -> list[TermRow]:
    """Return the rows of further terms; one that names no line or term of ours was made by no form of ours."""
    columns = [posted.getlist(f"term_{name}")[: FURTHER_MAX + 1] for name in _TERM_COLUMNS]
    rows = []
    for line, name, label, value in zip(*columns, strict=False):
        known = (further.LINE if line in asked else further.HEADER if not line else {}).get(name)
        if known is not None:
            text = value.replace("\r\n", "\n").strip()
            rows.append(TermRow(line, name, label.strip() if known.label else "", text))
    return rows


def _check_term(row: TermRow) -> None:
    known = row.known
    if len(row.value) > TERM_MAX:
        row.errors["value"] = gettext("At most %(count)s characters; a longer text goes by a document.", count=TERM_MAX)
    elif row.name == "custom" and not row.label:
        row.errors["label"] = gettext("Name the term.")
    elif len(row.label) > NAME_MAX:
        row.errors["label"] = gettext("At most %(count)s characters.", count=NAME_MAX)
    if known.label is Sort.NUMBER:
        check_number(row.label, row.errors, "label", above_zero=True)
    if known.sort is Sort.NUMBER:
        check_number(row.value, row.errors, "value", above_zero=False)
    elif known.sort is Sort.AMOUNT:
        check_number(row.value.removesuffix("%").strip(), row.errors, "value", above_zero=False)
    elif known.sort is Sort.DAY:
        _check_day(row.value or "-", row.errors, "value")
    elif known.sort is Sort.YES_NO and row.value not in ("true", "false"):
        row.errors["value"] = gettext("Yes or no?")


def _check_twice(rows: Sequence[TermRow]) -> None:
    """A term has one value: which of two was meant, nobody could tell afterwards."""
    seen = set()
    for row in rows:
        key = (row.line, row.name, row.label.casefold())
        if key in seen and not (row.known.many and row.name != "custom"):
            row.errors["label" if row.known.label else "value"] = gettext("This term stands here twice.")
        seen.add(key)


def _check_parts(parts: Sequence[TermRow], line: LineForm) -> None:
    """What is delivered in parts must come to the quantity of the line."""
    stated = [read_number(row.label) for row in parts if not row.is_blank and not row.errors]
    whole = read_number(line.quantity)
    if stated and None not in stated and whole is not None:
        summed = sum((each for each in stated if each is not None), Decimal(0))
        if summed != whole:
            parts[0].errors["label"] = gettext(
                "The parts come to %(parts)s, the line to %(whole)s.", parts=as_typed(summed), whole=as_typed(whole)
            )


def _stated(form: TermsForm, line: str) -> tuple[Stated, ...]:
    """Return the terms of the whole, or of a line, with numbers as they are written in a document."""
    return tuple(
        Stated(row.name, _as_stated(row.known.sort, row.value), _as_stated(row.known.label, row.label))
        for row in form.terms
        if row.line == line and not row.is_blank
    )


def _as_stated(sort: Sort | None, text: str) -> str:
    if sort is Sort.AMOUNT and text.endswith("%"):
        return f"{_as_stated(Sort.NUMBER, text[:-1].strip())}%"
    number = read_number(text) if sort in (Sort.NUMBER, Sort.AMOUNT) else None
    return text if number is None else further.plain(number)


def _check_line(line: LineForm, *, needs_price: bool) -> None:
    if not (line.name or line.item):
        line.errors["name"] = gettext("Name the item.")
    if not line.quantity:
        line.errors["quantity"] = gettext("How many?")
    else:
        check_number(line.quantity, line.errors, "quantity", above_zero=True)
    if needs_price and not line.price:
        line.errors["price"] = gettext("A counter-offer needs a price.")
    elif line.price:
        check_number(line.price, line.errors, "price", above_zero=False)
    _check_day(line.delivery, line.errors, "delivery")
    if line.unit and not re.fullmatch(r"[A-Z0-9]{2,3}", line.unit):
        line.errors["unit"] = gettext("Unknown unit.")


def check_number(text: str, errors: dict[str, str], name: str, *, above_zero: bool) -> None:
    value = read_number(text)
    if value is None and read_number(text.lstrip("-−")) is not None:
        errors[name] = gettext("More than zero, please.") if above_zero else gettext("Not less than zero, please.")
    elif value is None:
        errors[name] = not_read(text)
    elif value > AMOUNT_MAX:
        errors[name] = gettext("This number is too large.")
    elif above_zero and value <= 0:
        errors[name] = gettext("More than zero, please.")


def _check_day(text: str, errors: dict[str, str], name: str) -> None:
    day = read_day(text)
    if text and day is None:
        errors[name] = gettext("This is not a day: write it as 2026-12-31.")
    elif day is not None and day < clock.now().date():
        errors[name] = gettext("This day has passed.")


def read_day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _draft(form: TermsForm, lines: tuple[LineDraft, ...]) -> Draft:
    return Draft(
        lines=lines,
        currency=form.currency,
        delivery_on=read_day(form.delivery),
        respond_by=read_day(form.respond_by),
        valid_until=read_day(form.valid_until),
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


def as_typed(value: Decimal) -> str:
    """Return the number as one would type it: no exponent, two decimals where it has any."""
    text = format(value, "f")
    if "." not in text:
        return text
    whole, fraction = text.split(".")
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction.ljust(2, '0')}" if fraction else whole
