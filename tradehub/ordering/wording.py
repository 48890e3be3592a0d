"""How orders read to people: every state as a pill's kind and word, every refusal as a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from tradehub.ordering.answers import Answer
from tradehub.ordering.model import Delivery, Standing
from tradehub.platform import entered

Pill = tuple[str, LazyString]

STANDINGS: dict[Standing, Pill] = {
    Standing.AWAITING: ("wait", lazy_gettext("Not answered yet")),
    Standing.RECEIVED: ("work", lazy_gettext("Received, not yet accepted")),
    Standing.ACCEPTED: ("ok", lazy_gettext("Accepted")),
    Standing.CHANGES_PROPOSED: ("turn", lazy_gettext("Accepted with changes")),
    Standing.COUNTERED: ("turn", lazy_gettext("Counter-offer")),
    Standing.REJECTED: ("bad", lazy_gettext("Rejected")),
    Standing.UNCLEAR: ("warn", lazy_gettext("Answer unclear")),
    Standing.AGREED: ("ok", lazy_gettext("Changes agreed")),
    Standing.DECLINED: ("warn", lazy_gettext("Changes declined")),
    Standing.CANCELLED: ("off", lazy_gettext("Cancelled")),
}

ANSWERS: dict[Answer, Pill] = {
    Answer.RECEIVED: ("work", lazy_gettext("Receipt only")),
    Answer.ACCEPTED: ("ok", lazy_gettext("Acceptance")),
    Answer.CHANGES: ("turn", lazy_gettext("Acceptance with changes")),
    Answer.COUNTER: ("turn", lazy_gettext("Counter-offer")),
    Answer.REJECTED: ("bad", lazy_gettext("Rejection")),
    Answer.UNCLEAR: ("warn", lazy_gettext("Unclear")),
}

MEANINGS: dict[Answer, LazyString] = {
    Answer.RECEIVED: lazy_gettext("The seller has the order and has not yet said yes or no."),
    Answer.ACCEPTED: lazy_gettext("The seller will deliver as ordered."),
    Answer.CHANGES: lazy_gettext("The seller will deliver on the terms below. Until both agree, the contract holds."),
    Answer.COUNTER: lazy_gettext("The seller proposes other terms. Until both agree, the contract holds."),
    Answer.REJECTED: lazy_gettext("The seller will not deliver. The contract stands until both agree to end it."),
    Answer.UNCLEAR: lazy_gettext("The answer carries a code that has no agreed meaning. Read it and ask the seller."),
}  # fmt: skip

DELIVERIES: dict[Delivery, Pill] = {
    Delivery.OPEN: ("wait", lazy_gettext("Not despatched")),
    Delivery.PARTLY: ("work", lazy_gettext("Partly despatched")),
    Delivery.COMPLETE: ("ok", lazy_gettext("Despatched")),
    Delivery.OVER: ("bad", lazy_gettext("More than ordered despatched")),
    Delivery.CANCELLED: ("off", lazy_gettext("Nothing to deliver")),
}

BILLINGS: dict[Delivery, Pill] = {
    Delivery.OPEN: ("wait", lazy_gettext("Not invoiced")),
    Delivery.PARTLY: ("work", lazy_gettext("Partly invoiced")),
    Delivery.COMPLETE: ("ok", lazy_gettext("Invoiced")),
    Delivery.OVER: ("bad", lazy_gettext("More than ordered invoiced")),
    Delivery.CANCELLED: ("off", lazy_gettext("Nothing to invoice")),
}

EVENTS: dict[str, LazyString] = {
    "placed": lazy_gettext("Order placed"),
    "response": lazy_gettext("Order response"),
    "agree": lazy_gettext("Changes agreed"),
    "decline": lazy_gettext("Changes declined"),
    "amended": lazy_gettext("Changed with the contract"),
    "numbered": lazy_gettext("Numbered by the buyer"),
    "cancelled": lazy_gettext("Cancelled with the contract"),
    "despatched": lazy_gettext("Despatch advice"),
    "invoiced": lazy_gettext("Invoice"),
}

FILTER_WORDS: dict[str, LazyString] = {
    "all": lazy_gettext("All"),
    "awaiting": lazy_gettext("Not answered"),
    "decide": lazy_gettext("To decide"),
    "deliver": lazy_gettext("To deliver"),
    "invoice": lazy_gettext("To invoice"),
    "differences": lazy_gettext("Invoice differences"),
}

REFUSALS: dict[str, LazyString] = {
    "NOT_BUYER": lazy_gettext("Only the buyer can decide on changes to this order."),
    "NOT_SELLER": lazy_gettext("Only the seller can answer this order."),
    "NOTHING_TO_DECIDE": lazy_gettext("There is nothing left to decide."),
    "BELOW_DESPATCHED": lazy_gettext("More has already been despatched than the changed order would hold."),
    "CANCELLED": lazy_gettext("This order is cancelled."),
}

FAULTS: Mapping[str, LazyString] = {**entered.FAULTS, "answer": lazy_gettext("Choose an answer.")}
