"""What people type, read into drafts: every error at its field, and nothing typed is lost. Passphrases never come here."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from flask_babel import format_datetime, get_timezone, gettext
from werkzeug.datastructures import MultiDict

from tradehub.documents import Inquiry, Line, Offer, PartyId
from tradehub.documents.amounts import AMOUNT_MAX
from tradehub.documents.parts import (
    INCOTERMS,
    DatedEvent,
    DeliveryTerms,
    Identifier,
    Item,
    Note,
    PaymentTerms,
    Price,
    PriceBreak,
    Quantity,
)
from tradehub.platform import clock
from tradehub.platform.entered import not_read, read_number, reads_both_ways
from tradehub.sourcing.tenders.awarding import Limits
from tradehub.sourcing.tenders.landed import WAY, Basis, Charge, Rate, plain
from tradehub.sourcing.tenders.model import HUNDRED, Criterion, Notice, Stage, StageKind, Submission, TenderRefused
from tradehub.sourcing.tenders.plan import Evaluator, Plan
from tradehub.sourcing.tenders.service import Opener, TenderDraft

Posted = MultiDict[str, str]

UNITS = ("C62", "KGM", "TNE", "MTR", "MTK", "MTQ", "LTR", "SET", "PR", "BX", "PK", "RO")
BASIS_UNITS = ("", "C62", "PR", "DZN", "CEN", "MIL", "KGM", "TNE", "MTR", "LTR", "BX", "PK", "RO")
CURRENCIES = ("EUR", "USD", "CNY", "GBP", "JPY", "CHF", "HKD", "SEK", "NOK", "DKK")
HOWS = ("unit", "percent", "lump")

LINES_MAX = 500
ROWS_MAX = 60
TEXT_MAX = 8_000
NAME_MAX = 200
SUPPLIERS_MAX = 200
CLOSES_IN = timedelta(days=14)
BINDING = timedelta(days=60)
QUESTIONS_BEFORE = timedelta(days=4)

_BREAK = re.compile(r"^\s*(\S+)\s*[=:]\s*(\S+)\s*$")


@dataclass
class Row:
    """One row of a table of fields, as typed."""

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    asked: Line | None = None

    def __getattr__(self, name: str) -> str:
        try:
            return str(self.__dict__["values"][name])
        except KeyError:
            raise AttributeError(name) from None

    @property
    def is_blank(self) -> bool:
        return not any(self.values.get(name, "").strip() for name in ("name", "item", "quantity"))


@dataclass
class Form:
    """A form as typed, with its errors by field. ``rows`` are its tables."""

    values: dict[str, str] = field(default_factory=dict)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    many: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    suppliers: list[tuple[str, str]] = field(default_factory=list)

    def __getattr__(self, name: str) -> str:
        if name.startswith("__"):
            raise AttributeError(name)
        return str(self.__dict__.get("values", {}).get(name, ""))

    @property
    def is_valid(self) -> bool:
        return self.error_count == 0

    @property
    def error_count(self) -> int:
        return len(self.errors) + sum(len(row.errors) for rows in self.rows.values() for row in rows)

    def hidden_fields(self) -> Iterable[tuple[str, str]]:
        """Return the form once more as (name, value), for a review page that posts it again."""
        yield from self.values.items()
        for table, rows in self.rows.items():
            for row in rows:
                for name, value in row.values.items():
                    yield f"{table}_{name}", value
        for name, values in self.many.items():
            for value in values:
                yield name, value


LINE = ("name", "item", "quantity", "unit", "delivery")
CRITERION = ("name", "stage", "weight")
BID = ("number", "price", "basis", "basis_unit", "breaks", "least", "most", "delivery")
RATE = ("currency", "rate", "on", "source")
CHARGE = ("part", "amount", "how", "supplier")
PACK = ("unit", "content")
LIMIT = ("number", "duty", "limit")


# --- a new tender ----------------------------------------------------------------------------------

NEW = (
    "title", "text", "invitation", "sealed", "divisible", "closes", "questions", "valid_until", "currency", "incoterm",
    "place", "payment", "delivery", "note", "price_weight", "technical", "pass_mark", "prequalification",
    "prequalification_closes", "opener_1", "opener_2", "opener_3",
)  # fmt: skip


def blank_tender(user_id: str) -> Form:
    """Return the form for a new tender: sealed, restricted, judged by price alone, closing in two weeks at noon."""
    closes = (clock.now() + CLOSES_IN).astimezone(get_timezone()).replace(hour=12, minute=0, second=0, microsecond=0)
    form = Form(dict.fromkeys(NEW, ""))
    form.values |= {
        "invitation": "restricted", "sealed": "1", "divisible": "1", "closes": _local(closes), "currency": "EUR",
        "questions": _local(closes - QUESTIONS_BEFORE), "valid_until": (closes + BINDING).date().isoformat(),
        "price_weight": "100", "opener_1": user_id,
    }  # fmt: skip
    form.rows = {"line": [_blank(LINE, unit="C62") for _ in range(3)], "criterion": [_blank(CRITERION)]}
    form.many = {"evaluators": [user_id]}
    return form


def like_tender(form: Form, notice: Notice, plan: Plan, openers: Sequence[str]) -> Form:
    """Return the form filled in like an earlier tender; times stay those of a new one."""
    terms, stages = notice.inquiry.delivery_terms, {each.kind: each for each in notice.stages}
    technical = stages.get(StageKind.TECHNICAL)
    price = next((each.weight for each in notice.criteria if each.is_price), Decimal(0))
    form.values |= {
        "title": notice.title, "text": notice.text, "invitation": "open" if notice.is_open else "restricted",
        "sealed": "1" if notice.is_sealed else "", "divisible": "1" if notice.is_divisible else "",
        "currency": notice.inquiry.currency or "EUR", "incoterm": (terms.incoterm if terms else None) or "",
        "place": (terms.place if terms else None) or "", "note": plan.note, "price_weight": plain(price),
        "payment": "; ".join(filter(None, (each.text for each in notice.inquiry.payment_terms))),
        "technical": "1" if technical else "", "pass_mark": _typed(technical.pass_mark if technical else None),
        "prequalification": "1" if StageKind.PREQUALIFICATION in stages else "",
    }  # fmt: skip
    form.values |= {f"opener_{place}": id for place, id in enumerate(openers[:3], 1)}
    form.rows["line"] = [
        _blank(
            LINE, name=line.item.name or "", item=line.item.identifier("buyer") or "",
            quantity=_typed(line.quantity.value if line.quantity else None),
            unit=(line.quantity.unit if line.quantity else None) or "C62",
        )
        for line in notice.inquiry.lines
    ]  # fmt: skip
    form.rows["criterion"] = [
        _blank(CRITERION, name=each.name, stage=str(each.stage), weight=plain(each.weight))
        for each in notice.criteria
        if not each.is_price
    ] or [_blank(CRITERION)]
    form.many["evaluators"] = list(dict.fromkeys(each.user_id for each in plan.evaluators))
    return form


def posted_tender(posted: Posted, people: Mapping[str, str]) -> Form:
    """Return what was typed into the form of a new tender, with its errors."""
    form = _read(posted, NEW, {"line": LINE, "criterion": CRITERION})
    form.many["evaluators"] = [each for each in posted.getlist("evaluators") if each in people]
    _need(form, "title", gettext("Give the tender a title."))
    _check_lines(form)
    for name in ("closes", "questions"):
        _check_moment(form, name)
    _check_day(form.values["valid_until"], form.errors, "valid_until", needed=True)
    _check_day(form.values["delivery"], form.errors, "delivery")
    _check_terms(form)
    _check_criteria(form)
    _check_openers(form, people)
    if form.values["prequalification"]:
        _check_moment(form, "prequalification_closes")
    if form.values["pass_mark"]:
        _check_number(form.values["pass_mark"], form.errors, "pass_mark", most=HUNDRED)
    if not form.many["evaluators"]:
        form.errors["evaluators"] = gettext("Choose who evaluates.")
    return form


def tender_draft(form: Form, people: Mapping[str, str]) -> TenderDraft:
    """Return the draft of a valid form."""
    stages, criteria = _stages(form), _criteria(form)
    notice = Notice(
        number="", title=form.title.strip(), text=form.text.strip(), inquiry=_inquiry(form), stages=stages,
        criteria=criteria, is_open=form.invitation == "open", is_sealed=bool(form.sealed),
        is_divisible=bool(form.divisible), questions_until=_moment(form.questions) or stages[-1].closes_at,
        valid_until=_day(form.valid_until) or stages[-1].closes_at.date(),
    )  # fmt: skip
    evaluators = tuple(
        Evaluator(stage=stage.kind, user_id=id, name=people[id]) for stage in stages for id in form.many["evaluators"]
    )
    chosen = [form.values[f"opener_{place}"] for place in (1, 2, 3)]
    openers = [Opener(id, people[id]) for id in chosen if id] if notice.is_sealed else []
    plan = Plan(note=form.note.strip(), basis=Basis(currency=form.currency), evaluators=evaluators)
    return TenderDraft(notice, plan, [PartyId(id) for id, _ in form.suppliers], openers)


def refused_at(form: Form, refused: TenderRefused, sentence: str) -> None:
    """Put what the rules refused at the field that can mend it."""
    places = {
        "WEIGHTS_NOT_100": "price_weight", "CLOSING_IN_THE_PAST": "closes", "OPENERS_NOT_TWO": "opener_2",
        "STAGES_OUT_OF_ORDER": "prequalification_closes", "VALIDITY_TOO_SHORT": "valid_until",
    }  # fmt: skip
    form.errors[places.get(refused.code, "form")] = sentence


def _stages(form: Form) -> tuple[Stage, ...]:
    closes = _moment(form.closes) or clock.now()
    mark = read_number(form.pass_mark)
    stages = [Stage(kind=StageKind.COMMERCIAL, closes_at=closes)]
    if form.technical:
        stages.insert(0, Stage(kind=StageKind.TECHNICAL, closes_at=closes, pass_mark=mark))
    if form.prequalification:
        first = _moment(form.prequalification_closes) or closes
        stages.insert(0, Stage(kind=StageKind.PREQUALIFICATION, closes_at=first))
    return tuple(stages)


def _criteria(form: Form) -> tuple[Criterion, ...]:
    price = read_number(form.price_weight) or Decimal(0)
    found = [
        Criterion(
            key=f"c{at}", name=row.name.strip(), weight=read_number(row.weight) or Decimal(0),
            stage=StageKind(row.stage or (StageKind.TECHNICAL if form.technical else StageKind.COMMERCIAL)),
        )
        for at, row in enumerate(_said(form.rows["criterion"]), 1)
    ]  # fmt: skip
    by_price = Criterion(
        key="price", name=str(gettext("Price")), stage=StageKind.COMMERCIAL, weight=price, is_price=True
    )
    return (*found, by_price) if price else tuple(found)


def _inquiry(form: Form) -> Inquiry:
    lines = tuple(
        Line(
            number=str(number),
            item=Item(name=row.name.strip() or None, ids=_item_ids(row)),
            quantity=Quantity(value=read_number(row.quantity) or Decimal(0), unit=row.unit),
            dates=_dated("requested_delivery", _day(row.delivery)),
        )
        for number, row in enumerate((each for each in form.rows["line"] if not each.is_blank), 1)
    )
    said = form.incoterm or form.place
    terms = DeliveryTerms(incoterm=form.incoterm or None, place=form.place or None) if said else None
    return Inquiry(
        currency=form.currency, lines=lines, delivery_terms=terms, payment_terms=_payment(form.payment),
        dates=_dated("requested_delivery", _day(form.delivery)),
        notes=(Note(text=form.text.strip()),) if form.text.strip() else (),
    )  # fmt: skip


def _check_lines(form: Form) -> None:
    said = [row for row in form.rows["line"] if not row.is_blank]
    for row in said:
        if not (row.name or row.item):
            row.errors["name"] = gettext("Name the item.")
        _check_number(row.quantity, row.errors, "quantity", needed=True, above_zero=True)
        _check_day(row.delivery, row.errors, "delivery")
        if row.unit not in UNITS:
            row.errors["unit"] = gettext("Unknown unit.")
    if not said:
        form.rows["line"] = form.rows["line"] or [_blank(LINE, unit="C62")]
        form.rows["line"][0].errors["name"] = gettext("Name at least one item.")
    if len(form.rows["line"]) > LINES_MAX:
        form.errors["lines"] = gettext("At most %(count)s lines.", count=LINES_MAX)


def _check_criteria(form: Form) -> None:
    _check_number(form.price_weight, form.errors, "price_weight", needed=True, most=HUNDRED)
    for row in _said(form.rows["criterion"]):
        _check_number(row.weight, row.errors, "weight", needed=True, above_zero=True, most=HUNDRED)
        if row.stage == StageKind.TECHNICAL and not form.technical:
            row.errors["stage"] = gettext("There is no technical envelope.")
        elif row.stage not in ("", *StageKind):
            row.errors["stage"] = gettext("There is no such stage.")


def _check_openers(form: Form, people: Mapping[str, str]) -> None:
    if not form.sealed:
        return
    chosen = [form.values[f"opener_{place}"] for place in (1, 2, 3)]
    for place, id in enumerate(chosen, 1):
        if id and id not in people:
            form.errors[f"opener_{place}"] = gettext("This is none of your people.")
        elif not id and place < 3:
            form.errors[f"opener_{place}"] = gettext("Two people have to open the bids.")
        elif id and id in chosen[: place - 1]:
            form.errors[f"opener_{place}"] = gettext("Name somebody else: one person alone must not open.")


# --- a bid -----------------------------------------------------------------------------------------

HEAD = ("stage", "currency", "incoterm", "place", "payment", "valid_until", "text")


def blank_bid(notice: Notice, kind: StageKind) -> Form:
    """Return the form of a bid for a stage, with the terms that the tender asks for."""
    terms, asked = notice.inquiry.delivery_terms, notice.inquiry
    form = Form(dict.fromkeys(HEAD, ""))
    form.values |= {
        "stage": str(kind), "currency": asked.currency or "EUR", "valid_until": notice.valid_until.isoformat(),
        "incoterm": (terms.incoterm if terms else None) or "", "place": (terms.place if terms else None) or "",
        "payment": "; ".join(filter(None, (each.text for each in asked.payment_terms))),
    }  # fmt: skip
    for number, line in _asked(notice).items():
        row = _blank(BID, number=number, basis="1", basis_unit=(line.quantity.unit if line.quantity else None) or "")
        row.asked = line
        form.rows.setdefault("bid", []).append(row)
    for criterion in notice.criteria_of(kind):
        if not criterion.is_price:
            form.values[f"answer_{criterion.key}"] = ""
    return form


def posted_bid(posted: Posted, notice: Notice, kind: StageKind) -> Form:
    """Return what a bidder typed, with its errors. A line without a price is not offered."""
    form = _read(posted, HEAD, {"bid": BID})
    form.values["stage"] = str(kind)
    for criterion in notice.criteria_of(kind):
        if not criterion.is_price:
            name = f"answer_{criterion.key}"
            form.values[name] = posted.get(name, "")[:TEXT_MAX]
    if kind is not StageKind.COMMERCIAL:
        form.rows = {}
        if not form.text.strip() and not any(form.values[each].strip() for each in form.values if "answer_" in each):
            form.errors["text"] = gettext("The envelope is empty.")
        return form
    asked = _asked(notice)
    form.rows["bid"] = [row for row in form.rows["bid"] if row.number in asked]
    for row in form.rows["bid"]:
        row.asked = asked[row.number]
        _check_bid_row(row)
    if form.rows["bid"] and not any(row.price for row in form.rows["bid"]):
        form.rows["bid"][0].errors["price"] = gettext("Give a price for at least one line.")
    _check_terms(form)
    if not form.incoterm:
        form.errors["incoterm"] = gettext("Choose a rule of Incoterms 2020.")
    _check_day(form.valid_until, form.errors, "valid_until", needed=True)
    until = _day(form.valid_until)
    if until and until < notice.valid_until:
        form.errors["valid_until"] = gettext(
            "Bids stay open until %(day)s at least.", day=notice.valid_until.isoformat()
        )
    return form


def submission(form: Form, notice: Notice, kind: StageKind) -> Submission:
    """Return what goes into the envelope, of a valid form."""
    answers = tuple(
        (each.key, form.values[f"answer_{each.key}"].strip())
        for each in notice.criteria_of(kind)
        if not each.is_price and form.values.get(f"answer_{each.key}", "").strip()
    )
    if kind is not StageKind.COMMERCIAL:
        return Submission(answers=answers, text=form.text.strip())
    lines = tuple(_bid_line(row) for row in form.rows["bid"] if row.price)
    offer = Offer(
        currency=form.currency, lines=lines, delivery_terms=DeliveryTerms(incoterm=form.incoterm, place=form.place),
        payment_terms=_payment(form.payment), dates=_dated("valid_until", _day(form.valid_until)),
        notes=(Note(text=form.text.strip()),) if form.text.strip() else (),
    )  # fmt: skip
    return Submission(offer=offer, answers=answers)


def _bid_line(row: Row) -> Line:
    unit = row.asked.quantity.unit if row.asked and row.asked.quantity else None
    basis = Quantity(value=read_number(row.basis) or Decimal(1), unit=row.basis_unit or unit)
    is_plain = basis.value == 1 and basis.unit == unit
    price = Price(
        amount=read_number(row.price) or Decimal(0), basis=None if is_plain else basis, breaks=_breaks(row.breaks)
    )
    return Line(
        number=row.number, price=price, quantity=row.asked.quantity if row.asked else None,
        min_quantity=read_number(row.least), max_quantity=read_number(row.most),
        dates=_dated("promised_delivery", _day(row.delivery)),
    )  # fmt: skip


def _check_bid_row(row: Row) -> None:
    if not row.price:
        return
    _check_number(row.price, row.errors, "price")
    _check_number(row.basis, row.errors, "basis", above_zero=True)
    _check_number(row.least, row.errors, "least")
    _check_number(row.most, row.errors, "most", above_zero=True)
    _check_day(row.delivery, row.errors, "delivery")
    if row.basis_unit and not re.fullmatch(r"[A-Z0-9]{2,3}", row.basis_unit):
        row.errors["basis_unit"] = gettext("Unknown unit.")
    try:
        _breaks(row.breaks)
    except ValueError:
        row.errors["breaks"] = gettext("Write it as 500=11.90; 1000=11.40.")


def _breaks(text: str) -> tuple[PriceBreak, ...]:
    """Read ``500=11.90; 1000=11.40``. Raises ValueError for anything else."""
    found = []
    for part in filter(str.strip, text.split(";")):
        told = _BREAK.match(part)
        quantity, amount = (read_number(told[1]), read_number(told[2])) if told else (None, None)
        if quantity is None or amount is None or quantity <= 0:
            raise ValueError(part)
        found.append(PriceBreak(min_quantity=quantity, amount=amount))
    return tuple(found)


# --- costs, limits, evaluators ---------------------------------------------------------------------

COSTS = ("currency", "duty", "duty_base", "suppliers_max", "share_min", "share_max", "note")


def costs_form(plan: Plan, notice: Notice) -> Form:
    """Return the form of what the buyer states: prefilled, with an empty row at the end of each table."""
    basis, award = plan.basis, plan.award
    form = Form(
        {
            "currency": basis.currency, "duty": _typed(basis.duty), "duty_base": basis.duty_base, "note": plan.note,
            "suppliers_max": str(award.suppliers_max or ""), "share_min": _typed(award.share_min),
            "share_max": _typed(award.share_max),
        }
    )  # fmt: skip
    rates = [
        Row({"currency": e.currency, "rate": _typed(e.rate), "on": e.on.isoformat(), "source": e.source})
        for e in basis.rates
    ]
    charges = [
        Row({"part": e.part, "amount": _typed(e.amount), "how": e.how, "supplier": e.supplier or ""})
        for e in basis.charges
    ]
    packs = [Row({"unit": unit, "content": _typed(content)}) for unit, content in basis.packs]
    duties, limits = dict(basis.duty_by_line), dict(plan.limit_prices)
    today = clock.now().date().isoformat()
    form.rows = {
        "rate": [*rates, _blank(RATE, on=today)],
        "charge": [*charges, _blank(CHARGE, part="main", how="unit")],
        "pack": [*packs, _blank(PACK)],
        "limit": [
            _blank(LIMIT, number=number, duty=_typed(duties.get(number)), limit=_typed(limits.get(number)))
            for number in _asked(notice)
        ],
    }
    for row, line in zip(form.rows["limit"], _asked(notice).values(), strict=True):
        row.asked = line
    form.many = {"evaluators": list(dict.fromkeys(each.user_id for each in plan.evaluators))}
    return form


def posted_costs(posted: Posted, notice: Notice, suppliers: Iterable[str], people: Mapping[str, str]) -> Form:
    form = _read(posted, COSTS, {"rate": RATE, "charge": CHARGE, "pack": PACK, "limit": LIMIT})
    form.many["evaluators"] = [each for each in posted.getlist("evaluators") if each in people]
    asked, known = _asked(notice), {"", *suppliers}
    _check_currency(form.currency, form.errors, "currency")
    for name in ("duty", "share_min", "share_max"):
        _check_number(form.values[name], form.errors, name, most=HUNDRED)
    if form.suppliers_max and not (
        form.suppliers_max.isascii() and form.suppliers_max.isdigit() and int(form.suppliers_max)
    ):
        form.errors["suppliers_max"] = gettext("A whole number, please.")
    for row in form.rows["rate"]:
        if row.currency or row.rate:
            _check_currency(row.currency.upper(), row.errors, "currency")
            _check_number(row.rate, row.errors, "rate", needed=True, above_zero=True)
            _check_day(row.on, row.errors, "on", needed=True, past=True)
    for row in form.rows["charge"]:
        if row.amount and (row.part not in WAY or row.how not in HOWS or row.supplier not in known):
            row.errors["part"] = gettext("Choose from the list.")
        _check_number(row.amount, row.errors, "amount")
    for row in form.rows["pack"]:
        if row.unit or row.content:
            _check_number(row.content, row.errors, "content", needed=True, above_zero=True)
    form.rows["limit"] = [row for row in form.rows["limit"] if row.number in asked]
    for row in form.rows["limit"]:
        row.asked = asked[row.number]
        _check_number(row.duty, row.errors, "duty", most=HUNDRED)
        _check_number(row.limit, row.errors, "limit")
    if not form.many["evaluators"]:
        form.errors["evaluators"] = gettext("Choose who evaluates.")
    return form


def plan_of(form: Form, notice: Notice, people: Mapping[str, str]) -> Plan:
    """Return the plan of a valid form."""
    basis = Basis(
        currency=form.currency, duty=read_number(form.duty), duty_base="fob" if form.duty_base == "fob" else "cif",
        rates=tuple(
            Rate(currency=row.currency.upper(), rate=read_number(row.rate) or Decimal(1), on=_day(row.on) or date.max,
                 source=row.source)
            for row in form.rows["rate"] if row.currency
        ),
        charges=tuple(
            Charge(part=row.part, amount=read_number(row.amount) or Decimal(0), how=row.how, supplier=row.supplier or None)
            for row in form.rows["charge"] if row.amount
        ),
        packs=tuple((row.unit.upper(), read_number(row.content) or Decimal(1)) for row in form.rows["pack"] if row.unit),
        duty_by_line=tuple((row.number, found) for row in form.rows["limit"] if (found := read_number(row.duty)) is not None),
    )  # fmt: skip
    limits = Limits(
        suppliers_max=int(form.suppliers_max) if form.suppliers_max else None, share_min=read_number(form.share_min),
        share_max=read_number(form.share_max),
    )  # fmt: skip
    return Plan(
        note=form.note, basis=basis, award=limits,
        limit_prices=tuple((row.number, found) for row in form.rows["limit"] if (found := read_number(row.limit)) is not None),
        evaluators=tuple(
            Evaluator(stage=stage.kind, user_id=id, name=people[id])
            for stage in notice.stages for id in form.many["evaluators"]
        ),
    )  # fmt: skip


# --- an award, scores, an addendum -----------------------------------------------------------------


def posted_award(posted: Posted) -> tuple[dict[tuple[PartyId, str], Decimal], list[str]]:
    """Return the quantities typed, by (supplier, line), and what could not be read. Empty fields are no award."""
    picked, wrong = {}, []
    columns = (posted.getlist("pick_supplier"), posted.getlist("pick_line"), posted.getlist("pick_quantity"))
    for supplier, line, text in zip(*columns, strict=False):
        value = read_number(text)
        if text.strip() and value is None:
            wrong.append(text.strip()[:NAME_MAX])
        elif value:
            picked[PartyId(supplier), line] = value
    return picked, wrong


def posted_scores(posted: Posted) -> tuple[dict[tuple[str, str], Decimal], dict[tuple[str, str], str], list[str]]:
    """Return scores and reasons by (supplier, criterion), and what could not be read."""
    names = ("score_supplier", "score_criterion", "score_value", "score_reason")
    scores, reasons, wrong = {}, {}, []
    for supplier, criterion, text, reason in zip(*(posted.getlist(each) for each in names), strict=False):
        value = read_number(text)
        if value is not None:
            scores[supplier, criterion], reasons[supplier, criterion] = value, reason[:TEXT_MAX]
        elif text.strip():
            wrong.append(text.strip()[:NAME_MAX])
    return scores, reasons, wrong


def no_numbers(wrong: Sequence[str]) -> str:
    """Return why quantities or scores are refused that cannot be read."""
    if reads_both_ways(wrong[0]):
        return not_read(wrong[0])
    return str(gettext("This is not a number: %(text)s", text=", ".join(wrong)))


def moment_of(text: str) -> datetime | None:
    """Read a ``datetime-local`` field in the reader's own zone; None for anything else."""
    return _moment(text)


def moment_text(at: datetime) -> str:
    return _local(at.astimezone(get_timezone()))


def zone_name() -> str:
    """Return the zone in which the page's times are typed, e.g. ``Europe/Berlin``, as people call it."""
    return str(format_datetime(clock.now(), "VV"))


def pairs(values: Sequence[str], chosen: str) -> list[tuple[str, str]]:
    """Return the choices of a list, with what was chosen among them whatever it is."""
    known = (*values, chosen) if chosen not in values else values
    return [(each, each or "–") for each in known]


# --- reading single fields -------------------------------------------------------------------------


def _read(posted: Posted, names: Sequence[str], tables: Mapping[str, Sequence[str]]) -> Form:
    form = Form({name: posted.get(name, "").strip()[:NAME_MAX] for name in names})
    for name in ("text", "note"):
        if name in form.values:
            form.values[name] = posted.get(name, "")[:TEXT_MAX]
    for table, columns in tables.items():
        form.rows[table] = _rows(posted, table, columns)
    if "currency" in form.values:
        form.values["currency"] = form.values["currency"].upper()
    return form


def _rows(posted: Posted, table: str, columns: Sequence[str]) -> list[Row]:
    typed = {name: posted.getlist(f"{table}_{name}") for name in columns}
    most = LINES_MAX if table in ("line", "bid", "limit") else ROWS_MAX
    count = min(max(map(len, typed.values()), default=0), most + 1)
    return [
        Row({name: values[at].strip()[:NAME_MAX] if at < len(values) else "" for name, values in typed.items()})
        for at in range(count)
    ]


def _blank(columns: Sequence[str], **values: str) -> Row:
    return Row({**dict.fromkeys(columns, ""), **values})


def blank_row(table: str) -> Row:
    """Return an empty row of a table, for the template that is copied when a row is added."""
    return {
        "line": _blank(LINE, unit="C62"), "criterion": _blank(CRITERION), "rate": _blank(RATE),
        "charge": _blank(CHARGE, part="main", how="unit"), "pack": _blank(PACK),
    }[table]  # fmt: skip


def _said(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.name.strip()]


def _asked(notice: Notice) -> dict[str, Line]:
    return {line.number or str(at): line for at, line in enumerate(notice.inquiry.lines, 1)}


def _need(form: Form, name: str, sentence: str) -> None:
    if not form.values[name]:
        form.errors[name] = sentence


def _check_terms(form: Form) -> None:
    _check_currency(form.currency, form.errors, "currency")
    if form.incoterm and form.incoterm not in INCOTERMS:
        form.errors["incoterm"] = gettext("Choose a rule of Incoterms 2020.")
    elif form.incoterm and not form.place:
        form.errors["place"] = gettext("An Incoterm needs a named place.")


def _check_currency(text: str, errors: dict[str, str], name: str) -> None:
    if not re.fullmatch(r"[A-Z]{3}", text):
        errors[name] = gettext("A currency has three letters.")


def _check_number(
    text: str, errors: dict[str, str], name: str, *, needed: bool = False, above_zero: bool = False,
    most: Decimal = AMOUNT_MAX,
) -> None:  # fmt: skip
    text = text.strip()
    value = read_number(text)
    if not text:
        if needed:
            errors[name] = gettext("This is needed.")
    elif value is None:
        errors[name] = not_read(text)
    elif value > most:
        errors[name] = gettext("At most %(most)s.", most=plain(most))
    elif above_zero and value <= 0:
        errors[name] = gettext("More than zero, please.")


def _check_day(text: str, errors: dict[str, str], name: str, *, needed: bool = False, past: bool = False) -> None:
    day = _day(text)
    if not text:
        if needed:
            errors[name] = gettext("This is needed.")
    elif day is None:
        errors[name] = gettext("This is not a day: write it as 2026-12-31.")
    elif not past and day < clock.now().date():
        errors[name] = gettext("This day has passed.")


def _check_moment(form: Form, name: str) -> None:
    at = _moment(form.values[name])
    if at is None:
        form.errors[name] = gettext("This is not a day and time.")
    elif at <= clock.now():
        form.errors[name] = gettext("This time has passed.")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=get_timezone())
    return at.astimezone(UTC)


def _local(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(timespec="minutes")


def _typed(value: Decimal | None) -> str:
    return "" if value is None else plain(value)


def _dated(type: str, on: date | None) -> tuple[DatedEvent, ...]:
    return (DatedEvent(type=type, on=on),) if on else ()


def _payment(text: str) -> tuple[PaymentTerms, ...]:
    if not text:
        return ()
    found = re.fullmatch(r"net\s+(\d{1,3})(?:\s*d(?:ays)?)?", text, re.IGNORECASE)
    return (PaymentTerms(text=text, net_days=int(found[1]) if found else None),)


def _item_ids(row: Row) -> tuple[Any, ...]:
    return (Identifier(scheme="buyer", value=row.item),) if row.item else ()
