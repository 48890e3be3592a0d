"""What a program's document holds that no form would let through, and the places that a refusal is about.

The rules say what has no effect in law; here stands what would be a slip: a currency that is none, two lines of one
number, of which the terms keep one alone. Each is named by its pointer into the body.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from flask_babel import gettext

from tradehub.documents import Line, TradeDocument
from tradehub.documents.lines import key
from tradehub.negotiation.forms import AMOUNT_MAX, INCOTERMS
from tradehub.negotiation.model import lines_of
from tradehub.negotiation.reading import Round
from tradehub.platform.faults import WORDS, Fault, fault

OLDER = ("DAF", "DES", "DEQ", "DDU", "DAT")
"""Rules of earlier Incoterms that partners' messages still bring."""

_CURRENCY = re.compile("[A-Z]{3}")
_UNIT = re.compile("[A-Z0-9]{2,3}")


def unfit(document: TradeDocument, at: str = "/document") -> Iterator[Fault]:
    """Name what is wrong with a document, whoever it goes to."""
    currency, terms = document.currency, document.delivery_terms
    if currency is not None and not _CURRENCY.fullmatch(currency):
        yield fault(f"{at}/currency", "currency", gettext("A currency has three letters."), currency)
    if terms is not None and terms.incoterm is not None and terms.incoterm not in (*INCOTERMS, *OLDER):
        where = f"{at}/delivery_terms/incoterm"
        yield fault(where, "incoterm", gettext("Choose a rule of Incoterms 2020."), terms.incoterm)
    seen: set[str] = set()
    for place, line in enumerate(lines_of(document)):
        name = key(line, place + 1)
        if name in seen:
            yield fault(f"{at}/lines/{place}/number", "given_twice", WORDS["given_twice"], name)
        seen.add(name)
        yield from _unfit_line(line, f"{at}/lines/{place}")


def unfit_inquiry(document: TradeDocument) -> Iterator[Fault]:
    """Name what is wrong with what is asked of suppliers."""
    yield from unfit(document)
    if not lines_of(document):
        yield fault("/document/lines", "missing", gettext("Name at least one item."))


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


def indefinite(document: TradeDocument, code: str) -> list[Fault]:
    """Return where a document is not definite enough to be an offer (R2), for the code that refuses it."""
    found = []
    for place, line in enumerate(lines_of(document)):
        at = f"/document/lines/{place}"
        quantity, price = line.quantity, line.price
        if code == "NOT_DEFINITE_ITEM" and not (line.item.ids or line.item.name or line.item.description):
            found.append(fault(f"{at}/item", code, gettext("Name the item.")))
        elif code == "NOT_DEFINITE_QUANTITY" and quantity is None:
            found.append(fault(f"{at}/quantity", code, WORDS["missing"]))
        elif code == "NOT_DEFINITE_QUANTITY" and quantity is not None and quantity.value <= 0:
            found.append(fault(f"{at}/quantity/value", code, WORDS["greater_than"] % {"gt": 0}, quantity.value))
        elif code == "NOT_DEFINITE_PRICE" and price is None:
            found.append(fault(f"{at}/price", code, WORDS["missing"]))
    if code == "NOT_DEFINITE_PRICE" and not found:
        found.append(fault("/document/currency", code, WORDS["missing"]))
    return found or [fault("/document/lines", code, gettext("Name at least one item."))]


def not_offered(round: Round, lines: Mapping[str, Decimal | None], code: str) -> list[Fault]:
    """Return the lines of an acceptance that the offer does not have, or not so much of (R22), with what is left."""
    found = []
    for name, quantity in lines.items():
        offered, left = round.offer.lines.get(name), round.open_lines.get(name, Decimal(0))
        is_taken = not left or (quantity is not None and quantity > left)
        about = {
            "NO_SUCH_LINE": offered is None,
            "MORE_THAN_OFFERED": offered is not None and quantity is not None and not 0 < quantity <= offered,
            "LINE_TAKEN": offered is not None and is_taken,
        }
        if about.get(code):
            said = (
                gettext("The offer has no such line.") if offered is None else gettext("%(left)s are left.", left=left)
            )
            found.append(fault(f"/lines/{name}", code, said, quantity))
    return found
