"""What an owner types to hold an auction, read into a draft: every error at its field, and nothing typed is lost."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from werkzeug.datastructures import MultiDict

from tradehub.documents import PartyId
from tradehub.documents.amounts import AMOUNT_MAX, MINOR_UNITS
from tradehub.documents.parts import INCOTERMS
from tradehub.platform import clock
from tradehub.platform.entered import not_read, read_number
from tradehub.sourcing.auctions.drafting import Conditions, Draft, DraftLine
from tradehub.sourcing.auctions.rules import (
    FORMS,
    LINES_MAX,
    Display,
    Format,
    Increment,
    Kind,
    Rules,
    SoftClose,
)

Posted = MultiDict[str, str]

UNITS = ("C62", "KGM", "TNE", "MTR", "MTK", "MTQ", "LTR", "SET", "PR", "BX", "PK", "RO")
"""Units offered in a list (UN/ECE Recommendation 20)."""

CURRENCIES = ("USD", "EUR", "CNY", "GBP", "JPY", "CHF", "HKD", "SEK", "NOK", "DKK")

NAME_MAX = 200
TEXT_MAX = 2_000
FIRST_LINES = 2
LASTS = timedelta(hours=1)
NOTICE = timedelta(minutes=15)
"""What bidders should have at least between the announcement and the start that the form proposes."""

BINDS_DAYS_MAX = 180


class Field:
    """The fields of the form beside its lines and bidders."""

    TEXTS = (
        "title", "kind", "currency", "starts", "ends", "step", "step_unit", "soft_within", "soft_by", "soft_most",
        "tick", "display", "binds_days", "delivery", "incoterm", "place", "payment",
    )  # fmt: skip
    CHECKS = ("allows_proxy", "by_line")
    COLUMNS = ("name", "item", "quantity", "unit", "opening", "reserve")


@dataclass
class LineForm:
    """One row as typed."""

    name: str = ""
    item: str = ""
    quantity: str = ""
    unit: str = "C62"
    opening: str = ""
    reserve: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_blank(self) -> bool:
        return not any((self.name, self.item, self.quantity, self.opening, self.reserve))


@dataclass
class AuctionForm:
    """The form as typed, in the zone of whom it belongs to."""

    zone: ZoneInfo
    title: str = ""
    kind: str = str(Kind.REVERSE)
    currency: str = "USD"
    starts: str = ""
    ends: str = ""
    step: str = "1"
    step_unit: str = "percent"
    soft_within: str = "2"
    soft_by: str = "3"
    soft_most: str = "60"
    tick: str = "60"
    display: str = str(Display.PRICE)
    allows_proxy: bool = True
    by_line: bool = False
    binds_days: str = "14"
    delivery: str = ""
    incoterm: str = ""
    place: str = ""
    payment: str = ""
    text: str = ""
    lines: list[LineForm] = field(default_factory=list)
    bidders: list[tuple[str, str]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def error_count(self) -> int:
        return len(self.errors) + sum(len(line.errors) for line in self.lines)

    @property
    def is_sale(self) -> bool:
        return FORMS[Kind(self.kind)].sign > 0

    @property
    def format(self) -> Format:
        return FORMS[Kind(self.kind)].format


def blank(zone: ZoneInfo) -> AuctionForm:
    """Return the form as it opens: for an hour, from the first full hour on that leaves time to notice."""
    start = (clock.now() + NOTICE + timedelta(hours=1)).astimezone(zone).replace(minute=0, second=0, microsecond=0)
    return AuctionForm(
        zone=zone,
        starts=_typed(start),
        ends=_typed(start + LASTS),
        lines=[LineForm() for _ in range(FIRST_LINES)],
    )


def posted(given: Posted, zone: ZoneInfo, names: Mapping[str, str]) -> AuctionForm:
    """Return what was typed. ``names`` are those of the chosen bidders that the owner may invite; others are dropped."""
    form = AuctionForm(zone=zone)
    for name in Field.TEXTS:
        setattr(form, name, given.get(name, "").strip()[:NAME_MAX])
    for name in Field.CHECKS:
        setattr(form, name, given.get(name) == "1")
    form.text = given.get("text", "").strip()[:TEXT_MAX]
    form.currency = form.currency.upper()
    form.kind = form.kind if form.kind in list(Kind) else str(Kind.REVERSE)
    form.display = form.display if form.display in list(Display) else str(Display.PRICE)
    form.bidders = [(each, names[each]) for each in dict.fromkeys(given.getlist("bidders")) if each in names]
    form.lines = _rows(given)
    return form


def draft(form: AuctionForm) -> Draft | None:
    """Return the auction that was typed, or None, with the errors put at their fields."""
    rules = _rules(form)
    lines = _lines(form)
    if not form.title:
        form.errors["title"] = gettext("Give it a name.")
    if not form.bidders:
        form.errors["bidders"] = gettext("Invite at least one bidder.")
    days = _whole(form, "binds_days", 1, BINDS_DAYS_MAX)
    delivery = _day(form, "delivery")
    if form.incoterm and form.incoterm not in INCOTERMS:
        form.errors["incoterm"] = gettext("Choose a rule of Incoterms 2020.")
    elif form.incoterm and not form.place:
        form.errors["place"] = gettext("An Incoterm needs a named place.")
    if form.error_count or rules is None:
        return None
    return Draft(
        title=form.title,
        rules=rules,
        lines=lines,
        bidders=tuple(PartyId(each) for each, _ in form.bidders),
        by_line=form.by_line,
        conditions=Conditions(delivery, form.incoterm or None, form.place or None, form.payment or None, form.text),
        binds_days=days or BINDS_DAYS_MAX,
    )


def put_faults(form: AuctionForm, codes: Iterable[str]) -> None:
    """Put what the rules found wrong at the fields that can mend it."""
    for code in codes:
        name, sentence = FAULTS.get(code, ("form", NOT_AS_IT_STANDS))
        form.errors[name] = str(sentence)


def hidden_fields(form: AuctionForm) -> Iterable[tuple[str, str]]:
    """Return the form once more as (name, value), for the review that posts it again."""
    for name in Field.TEXTS:
        yield name, getattr(form, name)
    for name in Field.CHECKS:
        if getattr(form, name):
            yield name, "1"
    yield "text", form.text
    for line in form.lines:
        for name in Field.COLUMNS:
            yield f"line_{name}", getattr(line, name)
    for id, _ in form.bidders:
        yield "bidders", id


def pairs(values: Sequence[str], chosen: str) -> list[tuple[str, str]]:
    """Return the choices of a list, with what was chosen among them whatever it is."""
    known = (*values, chosen) if chosen not in values else values
    return [(each, each or "–") for each in known]


NOT_AS_IT_STANDS = lazy_gettext("This auction cannot be held as it stands.")

FAULTS: Mapping[str, tuple[str, LazyString]] = {
    "STARTS_IN_THE_PAST": ("starts", lazy_gettext("This moment has passed.")),
    "TOO_SHORT": ("ends", lazy_gettext("It has to last a minute at least.")),
    "TOO_LONG": ("ends", lazy_gettext("It may last 60 days at most.")),
    "NO_LOT": ("lines", lazy_gettext("Between 1 and 50 lots, please.")),
    "NO_BIDDER": ("bidders", lazy_gettext("Invite at least one bidder.")),
    "TOO_MANY_BIDDERS": ("bidders", lazy_gettext("500 bidders at most.")),
    "OWNER_BIDS": ("bidders", lazy_gettext("You cannot bid in your own auction.")),
    "START_MISSING": ("lines", lazy_gettext("Each line needs an opening price above zero.")),
    "INCREMENT_MISSING": ("step", lazy_gettext("More than zero, please.")),
    "INCREMENT_TOO_LARGE": ("step", lazy_gettext("50 % at most.")),
    "RESERVE_MISSING": (
        "lines",
        lazy_gettext("A price that moves by the clock needs a reserve on every line: there it comes to rest."),
    ),
    "RESERVE_WRONG_SIDE": (
        "lines",
        lazy_gettext(
            "The reserve lies on the wrong side of the opening price: you sell for no less, and buy for no more, than"
            " the reserve; a clock runs from the opening price towards it."
        ),
    ),
    "TICK_MISSING": ("tick", lazy_gettext("At least one second.")),
    "TOO_MANY_STEPS": ("step", lazy_gettext("The price would take more than 10,000 steps. Make them larger.")),
}
"""What the rules find wrong -> the field that can mend it, and what to say there."""


def _rules(form: AuctionForm) -> Rules | None:
    by_clock = form.format is Format.CLOCK
    starts, ends = _moment(form, "starts"), None if by_clock else _moment(form, "ends")
    step = Decimal(1) if form.format is Format.SEALED else _number(form, "step")
    tick = _whole(form, "tick", 1, 86_400) if by_clock else None
    if not re.fullmatch(r"[A-Z]{3}", form.currency):
        form.errors["currency"] = gettext("A currency has three letters.")
    soft = _soft_close(form) if form.format is Format.OPEN else None
    if starts is None or step is None or (ends is None and not by_clock):
        return None
    return Rules(
        kind=Kind(form.kind),
        currency=form.currency,
        starts_at=starts,
        ends_at=ends or starts + LASTS,
        increment=Increment(step, form.step_unit == "percent"),
        soft_close=soft,
        display=Display(form.display),
        allows_proxy=form.allows_proxy,
        tick=None if tick is None else timedelta(seconds=tick),
    )


def _soft_close(form: AuctionForm) -> SoftClose | None:
    """Without a time to extend by, the end stands."""
    if not form.soft_by or form.soft_by == "0":
        return None
    within, by = _whole(form, "soft_within", 1, 1_440), _whole(form, "soft_by", 1, 1_440)
    most = _whole(form, "soft_most", 1, 14_400) if form.soft_most else None
    if within is None or by is None:
        return None
    return SoftClose(timedelta(minutes=within), timedelta(minutes=by), (most and timedelta(minutes=most)) or None)


def _lines(form: AuctionForm) -> tuple[DraftLine, ...]:
    made = []
    for line in form.lines:
        if line.is_blank:
            continue
        if not (line.name or line.item):
            line.errors["name"] = gettext("Name the item.")
        if line.unit and not re.fullmatch(r"[A-Z0-9]{2,3}", line.unit):
            line.errors["unit"] = gettext("Unknown unit.")
        quantity = _of_line(line, "quantity")
        opening = _of_line(line, "opening")
        reserve = _of_line(line, "reserve") if line.reserve else None
        if quantity and opening and not line.errors:
            made.append(DraftLine(line.name or line.item, quantity, line.unit or "C62", opening, reserve, line.item))
    if not any(not line.is_blank for line in form.lines):
        form.errors["lines"] = gettext("Enter at least one line.")
    elif len(form.lines) > LINES_MAX:
        form.errors["lines"] = gettext("%(count)s lines at most.", count=LINES_MAX)
    places = MINOR_UNITS.get(form.currency, 2)
    if any(-int(each.opening.as_tuple().exponent) > places + 4 for each in made):
        form.errors["lines"] = gettext("The prices have too many decimals.")
    return tuple(made)


def _of_line(line: LineForm, name: str) -> Decimal | None:
    value = read_number(getattr(line, name))
    if value is None:
        line.errors[name] = not_read(getattr(line, name))
    elif not 0 < value <= AMOUNT_MAX:
        line.errors[name] = gettext("More than zero, please.")
    return None if name in line.errors else value


def _number(form: AuctionForm, name: str) -> Decimal | None:
    value = read_number(getattr(form, name))
    if value is None:
        form.errors[name] = not_read(getattr(form, name))
    elif value > AMOUNT_MAX:
        form.errors[name] = gettext("This number is too large.")
    return None if name in form.errors else value


def _whole(form: AuctionForm, name: str, least: int, most: int) -> int | None:
    text = getattr(form, name)
    if not re.fullmatch(r"[0-9]{1,6}", text) or not least <= int(text) <= most:
        form.errors[name] = gettext("A whole number from %(least)s to %(most)s.", least=least, most=most)
        return None
    return int(text)


def _moment(form: AuctionForm, name: str) -> datetime | None:
    """Read what a browser's field of day and time sends, in the reader's zone."""
    try:
        typed = datetime.fromisoformat(getattr(form, name))
    except ValueError:
        form.errors[name] = gettext("Write day and time as 2026-12-31T15:00.")
        return None
    return (typed if typed.tzinfo else typed.replace(tzinfo=form.zone)).astimezone(UTC)


def _day(form: AuctionForm, name: str) -> date | None:
    text = getattr(form, name)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        form.errors[name] = gettext("This is not a day: write it as 2026-12-31.")
        return None


def _rows(given: Posted) -> list[LineForm]:
    columns = {name: given.getlist(f"line_{name}") for name in Field.COLUMNS}
    count = min(max(map(len, columns.values()), default=0), LINES_MAX + 1)
    return [
        LineForm(
            **{
                name: values[place].strip()[:NAME_MAX] if place < len(values) else ""
                for name, values in columns.items()
            }  # type: ignore[arg-type]
        )
        for place in range(count)
    ]


def _typed(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M")
