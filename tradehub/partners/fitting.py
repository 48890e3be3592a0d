"""What a program's document holds that no form would let through, whoever it goes to.

Rules say what has no effect; here stands what would be a slip: a currency that is none, two lines of one number, of
which the terms keep one alone. Each is named by its pointer into the body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from flask_babel import gettext

from tradehub.documents import Line, TradeDocument
from tradehub.documents.amounts import AMOUNT_MAX
from tradehub.documents.lines import key
from tradehub.documents.parts import INCOTERMS
from tradehub.platform.faults import WORDS, Fault, fault

OLDER = ("DAF", "DES", "DEQ", "DDU", "DAT")
"""Rules of earlier Incoterms that partners' messages still bring."""

_CURRENCY = re.compile("[A-Z]{3}")
_UNIT = re.compile("[A-Z0-9]{2,3}")


def unfit(document: TradeDocument, lines: Sequence[Line], at: str = "/document") -> Iterator[Fault]:
    """Name what is wrong with a document and its lines."""
    currency, terms = document.currency, document.delivery_terms
    if currency is not None and not _CURRENCY.fullmatch(currency):
        yield fault(f"{at}/currency", "currency", gettext("A currency has three letters."), currency)
    if terms is not None and terms.incoterm is not None and terms.incoterm not in (*INCOTERMS, *OLDER):
        where = f"{at}/delivery_terms/incoterm"
        yield fault(where, "incoterm", gettext("Choose a rule of Incoterms 2020."), terms.incoterm)
    seen: set[str] = set()
    for place, line in enumerate(lines):
        name = key(line, place + 1)
        if name in seen:
            yield fault(f"{at}/lines/{place}/number", "given_twice", WORDS["given_twice"], name)
        seen.add(name)
        yield from _unfit_line(line, f"{at}/lines/{place}")


def unfit_inquiry(document: TradeDocument, lines: Sequence[Line]) -> Iterator[Fault]:
    """Name what is wrong with what is asked of suppliers."""
    yield from unfit(document, lines)
    if not lines:
        yield fault("/document/lines", "missing", gettext("Name at least one item."))


def unknown_supplier(at: str, supplier: str) -> Fault:
    return fault(at, "unknown_supplier", gettext("No supplier of yours."), supplier)


def _unfit_line(line: Line, at: str) -> Iterator[Fault]:
    unit = line.quantity.unit if line.quantity is not None else None
    if unit is not None and not _UNIT.fullmatch(unit):
        yield fault(f"{at}/quantity/unit", "unit", gettext("Unknown unit."), unit)
    prices = [(f"{at}/price/amount", line.price.amount)] if line.price is not None else []
    if line.price is not None:
        prices += [(f"{at}/price/breaks/{n}/amount", each.amount) for n, each in enumerate(line.price.breaks)]
    for where, amount in prices:
        if amount < 0:
            yield fault(where, "greater_than_equal", WORDS["greater_than_equal"] % {"ge": 0}, amount)
        elif amount > AMOUNT_MAX:
            yield fault(where, "less_than_equal", gettext("This number is too large."), amount)
    if line.quantity is not None and line.quantity.value > AMOUNT_MAX:
        yield fault(
            f"{at}/quantity/value", "less_than_equal", gettext("This number is too large."), line.quantity.value
        )
