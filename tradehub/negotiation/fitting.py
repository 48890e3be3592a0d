"""The places in a program's body that a refusal by the rules of negotiation is about, each by its pointer."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from flask_babel import gettext

from tradehub.documents import TradeDocument
from tradehub.negotiation.model import lines_of
from tradehub.negotiation.reading import Round
from tradehub.platform.faults import WORDS, Fault, escaped, fault


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
            found.append(fault(f"/lines/{escaped(name)}", code, said, quantity))
    return found
