"""The words of negotiation for people: what a status, a round and a refusal are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from babel.lists import format_list
from babel.numbers import format_decimal
from flask_babel import get_locale, gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from markupsafe import Markup, escape

from tradehub.negotiation import model
from tradehub.negotiation.compare import Term
from tradehub.negotiation.histories import Verdict
from tradehub.negotiation.model import Refused, Regime
from tradehub.negotiation.recording import Unsendable
from tradehub.negotiation.standard import Battle

STATUSES: Mapping[str, tuple[str, LazyString]] = {
    "your_turn": ("turn", lazy_gettext("Your turn")),
    "waiting": ("wait", lazy_gettext("Waiting for them")),
    "sending": ("work", lazy_gettext("On its way")),
    "undelivered": ("bad", lazy_gettext("Not delivered")),
    "accepting": ("work", lazy_gettext("Acceptance on its way")),
    "late": ("warn", lazy_gettext("Accepted late")),
    "signing": ("wait", lazy_gettext("To be signed")),
    "concluded": ("ok", lazy_gettext("Contract")),
    "terminated": ("off", lazy_gettext("Ended")),
    "rejected": ("off", lazy_gettext("Declined")),
    "lapsed": ("off", lazy_gettext("Expired")),
    "revoked": ("off", lazy_gettext("Revoked")),
    "withdrawn": ("off", lazy_gettext("Withdrawn")),
    "quiet": ("off", lazy_gettext("Nothing open")),
}
"""A deal's status -> the kind of its pill, and its word."""

STATES: Mapping[str, tuple[str, LazyString]] = {
    "dispatched": ("work", lazy_gettext("On its way")),
    "undelivered": ("bad", lazy_gettext("Not delivered")),
    "invitation": ("info", lazy_gettext("Without obligation")),
    "effective": ("ok", lazy_gettext("Can be accepted")),
    "withdrawn": ("off", lazy_gettext("Withdrawn")),
    "rejected": ("off", lazy_gettext("Declined")),
    "countered": ("off", lazy_gettext("Countered")),
    "revoked": ("off", lazy_gettext("Revoked")),
    "superseded": ("off", lazy_gettext("Replaced")),
    "lapsed": ("off", lazy_gettext("Expired")),
    "accepting": ("work", lazy_gettext("Acceptance on its way")),
    "late_pending": ("warn", lazy_gettext("Accepted late")),
    "disputed": ("warn", lazy_gettext("Time in dispute")),
    "accepted": ("ok", lazy_gettext("Accepted")),
}
"""A round's state."""

KINDS: Mapping[str, LazyString] = {
    "inquiry": lazy_gettext("Inquiry"),
    "offer": lazy_gettext("Offer"),
    "counter": lazy_gettext("Counter-offer"),
    "amend": lazy_gettext("Amendment proposed"),
    "question": lazy_gettext("Question"),
    "answer": lazy_gettext("Answer"),
    "comment": lazy_gettext("Comment"),
    "reject": lazy_gettext("Declined"),
    "accept": lazy_gettext("Acceptance"),
    "withdraw": lazy_gettext("Withdrawal"),
    "revoke": lazy_gettext("Revocation"),
    "perform": lazy_gettext("Performance"),
    "withdraw_acceptance": lazy_gettext("Acceptance withdrawn"),
    "object": lazy_gettext("Objection"),
    "elect_late": lazy_gettext("Late acceptance agreed"),
    "lapse_notice": lazy_gettext("Notice of lapse"),
    "admit_time": lazy_gettext("Time of dispatch admitted"),
    "confirm": lazy_gettext("Confirmation"),
    "sign": lazy_gettext("Signature"),
    "rely": lazy_gettext("Reliance on the offer"),
    "cancel": lazy_gettext("Inquiry cancelled"),
    "disregard": lazy_gettext("Treated as never sent"),
    "retract": lazy_gettext("Input error taken back"),
    "reach": lazy_gettext("Reached the other side"),
    "fail": lazy_gettext("Could not be delivered"),
}
"""A statement's kind."""

CASES: Mapping[str, LazyString] = {
    "late": lazy_gettext("Accepted after the last day"),
    "disputed": lazy_gettext("The time of dispatch is in dispute"),
    "changed": lazy_gettext("Accepted with changes that are not material"),
    "delayed": lazy_gettext("Sent in time, delayed on its way"),
}
"""What waits on the late desk."""

CHANNELS: Mapping[str, LazyString] = {
    "web": lazy_gettext("by form"),
    "message": lazy_gettext("by message"),
    "api": lazy_gettext("by API"),
    "hub": lazy_gettext("noted by the hub"),
    "order": lazy_gettext("by the answer to the order"),
}

TERMS: Mapping[str, LazyString] = {
    "price": lazy_gettext("Unit price"),
    "quantity": lazy_gettext("Quantity"),
    "delivery": lazy_gettext("Delivery"),
    "total": lazy_gettext("Total"),
    "currency": lazy_gettext("Currency"),
    "incoterm": lazy_gettext("Incoterm"),
    "payment": lazy_gettext("Payment"),
    "validity": lazy_gettext("Valid until"),
    "item": lazy_gettext("Item"),
}

FURTHER: Mapping[str, LazyString] = {
    "charge": lazy_gettext("Charge"),
    "allowance": lazy_gettext("Allowance"),
    "taxes": lazy_gettext("Tax rate, %"),
    "price.breaks": lazy_gettext("Price from a quantity on"),
    "price.basis": lazy_gettext("Price per"),
    "schedules": lazy_gettext("Part delivery"),
    "custom": lazy_gettext("A term of your own"),
}
"""Further terms that a form calls otherwise than their paths (``further.KNOWN``)."""

LABELS: Mapping[str, LazyString] = {
    "charge": lazy_gettext("What for"),
    "allowance": lazy_gettext("What for"),
    "taxes": lazy_gettext("Category (S, Z, E, AE …)"),
    "price.breaks": lazy_gettext("From quantity"),
    "schedules": lazy_gettext("Quantity"),
    "custom": lazy_gettext("Name of the term"),
}
VALUES: Mapping[str, LazyString] = {
    "charge": lazy_gettext("Amount, or a share such as 2.5%"),
    "allowance": lazy_gettext("Amount, or a share such as 2.5%"),
    "taxes": lazy_gettext("Rate in percent"),
    "price.breaks": lazy_gettext("Unit price"),
    "schedules": lazy_gettext("Delivery"),
    "custom": lazy_gettext("What it says"),
}
"""What is typed into the two fields of a term that has two."""

FLAGS: Mapping[str, LazyString] = {
    "irrevocable": lazy_gettext("Irrevocable"),
    "as_is_only": lazy_gettext("As it is, or not at all"),
    "divisible": lazy_gettext("Divisible"),
}
FLAG_EFFECTS: Mapping[str, LazyString] = {
    "irrevocable": lazy_gettext("You cannot revoke it before its last day, even where the law would let you."),
    "as_is_only": lazy_gettext("An acceptance that changes anything, even a small thing, is a counter-offer."),
    "divisible": lazy_gettext("They may accept single lines, or part of a quantity; the rest stays open."),
}
"""How an offer may be accepted, and what that does."""

DIRECTIONS: Mapping[str, tuple[str, LazyString]] = {
    "better": ("ok", lazy_gettext("better for you")),
    "worse": ("bad", lazy_gettext("worse for you")),
    "changed": ("warn", lazy_gettext("changed")),
    "added": ("info", lazy_gettext("added")),
    "removed": ("warn", lazy_gettext("left out")),
}

CHIPS: Mapping[str, LazyString] = {
    "all": lazy_gettext("All"),
    "your_turn": lazy_gettext("Your turn"),
    "waiting": lazy_gettext("Waiting"),
    "expiring": lazy_gettext("Expiring soon"),
    "concluded": lazy_gettext("Contracts"),
    "closed": lazy_gettext("Closed"),
}

REFUSALS: Mapping[str, LazyString] = {
    "INVITATION_NOT_ACCEPTABLE": lazy_gettext("This was sent without obligation. Make an offer of your own instead."),
    "NOT_DEFINITE_ITEM": lazy_gettext("An offer must say what is offered: at least one line with an item."),
    "NOT_DEFINITE_QUANTITY": lazy_gettext("Each line that is offered needs a quantity above zero."),
    "NOT_DEFINITE_PRICE": lazy_gettext("Each line that is offered needs a price and a currency."),
    "ACCEPT_BY_PAST": lazy_gettext("The day until which it is valid has passed."),
    "NOT_YET_REACHED": lazy_gettext("It has not reached you yet."),
    "WITHDRAWN": lazy_gettext("It was withdrawn before it arrived."),
    "TOO_LATE_USE_REVOKE": lazy_gettext("It has arrived already; it can only be revoked."),
    "REVOKED": lazy_gettext("It was revoked."),
    "IRREVOCABLE": lazy_gettext("It binds you until its last day and cannot be revoked."),
    "NOT_OFFEROR": lazy_gettext("Only who made the offer may do this."),
    "REJECTED": lazy_gettext("It was declined and can no longer be accepted."),
    "NOT_OFFEREE": lazy_gettext("It is your own offer: the other side decides."),
    "NO_SUCH_OFFER": lazy_gettext("There is no offer to act on yet."),
    "NO_AUTHORITY": lazy_gettext("Your role does not let you bind your organisation."),
    "STALE_VERSION": lazy_gettext("The deal moved on while this page was open."),
    "TERMS_HASH_MISMATCH": lazy_gettext("The terms are no longer those that the page showed."),
    "ACCEPTED": lazy_gettext("It has been accepted."),
    "CONCLUDED": lazy_gettext("The contract stands; nothing more can be offered here."),
    "NOT_ALLOWED": lazy_gettext("This cannot be done now."),
    "COUNTERED": lazy_gettext("A counter-offer has ended it."),
    "COUNTER_UNDER_WAY": lazy_gettext("Your own answer to it is already on its way."),
    "ROUND_LIMIT": lazy_gettext("The agreed number of rounds is used up."),
    "LAPSED": lazy_gettext("It has expired."),
    "LATE_PENDING": lazy_gettext("It was accepted too late; the other side decides whether that counts."),
    "SUPERSEDED": lazy_gettext("A newer offer has replaced it."),
    "NOT_A_PARTY": lazy_gettext("Only the two parties speak in this deal."),
    "NOT_AN_INVITATION": lazy_gettext("Only an inquiry, or what was sent without obligation, can be cancelled."),
    "OVER_LIMIT": lazy_gettext("The amount is above what you may bind your organisation to."),
    "NO_RATE": lazy_gettext("Your organisation's spending limits state no rate for this currency."),
    "NO_APPROVER": lazy_gettext("It needs approval, and nobody else in your organisation may give it."),
    "DISPUTED_TIME": lazy_gettext("When its acceptance was sent is in dispute; who made the offer decides."),
    "NOTHING_TO_OBJECT_TO": lazy_gettext("The acceptance changed nothing that could be objected to."),
    "TOO_LATE_TO_OBJECT": lazy_gettext("The time to object is over; the contract stands."),
    "NOT_LATE": lazy_gettext("There is no late acceptance to decide on."),
    "TOO_LATE_TO_ELECT": lazy_gettext("The late acceptance was not answered in time and has come to nothing."),
    "TOO_LATE_ACCEPTANCE_EFFECTIVE": lazy_gettext("The acceptance has taken effect and cannot be taken back."),
    "NO_ACCEPTANCE": lazy_gettext("There is no acceptance to take back."),
    "PERFORMANCE_NOT_INDICATED": lazy_gettext(
        "Neither the offer nor your practice lets performance count as acceptance."
    ),
    "NOT_AWAITING_CONFIRMATION": lazy_gettext("This contract waits for no such confirmation."),
    "ALREADY_CONFIRMED": lazy_gettext("You have confirmed it already."),
    "INDIVISIBLE": lazy_gettext("The offer can only be accepted as a whole."),
    "NO_SUCH_LINE": lazy_gettext("The offer has no such line."),
    "MORE_THAN_OFFERED": lazy_gettext("That is more than the line offers."),
    "LINE_TAKEN": lazy_gettext("The line has been accepted already."),
    "MORE_THAN_DEMANDED": lazy_gettext("More would be awarded of a line than was asked for."),
    "NO_SUCH_TERM": lazy_gettext("The offer has no such term."),
    "NO_CONTRACT": lazy_gettext("There is no contract that could be changed."),
    "UNATTRIBUTED": lazy_gettext("It could not be shown to come from the party it names, and binds nobody."),
    "RECEIPT_STILL_DUE": lazy_gettext("The receipt may still come; it cannot be treated as never sent yet."),
    "CORRECTION_WAS_OFFERED": lazy_gettext("It was shown for correction before it left; it stands as sent."),
    "ALREADY_RELIED_ON": lazy_gettext("The other side has relied on it already."),
    "UNKNOWN_REFERENCE": lazy_gettext("No deal is known under that number."),
    "SEALED_TENDER": lazy_gettext(
        "This tender takes sealed bids: hand yours in on the tender's page, by the API or by message."
    ),
    "UNSENDABLE": lazy_gettext("The message that goes to the other side cannot state this as it was stated."),
    "SAME_NUMBER_OTHER_CONTENT": lazy_gettext("The number was used before for other content."),
}


def sentence(refused: Refused) -> str:
    """Return what a refusal says, in the reader's language."""
    if isinstance(refused, Unsendable):
        return str(
            gettext(
                "Nothing was sent: the message that goes to %(partner)s cannot state this as you did. %(what)s",
                partner=refused.to, what=refused.what,
            )
        )  # fmt: skip
    found = REFUSALS.get(refused.code)
    return str(found) if found is not None else refused.code


def why(refused: Refused) -> str:
    """Return the sentence for a refusal, with the rule it rests on; what a message has no room for rests on none."""
    if isinstance(refused, Unsendable):
        return sentence(refused)
    return str(gettext("%(sentence)s (%(article)s)", sentence=sentence(refused), article=refused.article))


def article(rule: str, regime: Regime) -> str:
    """Return the article behind a rule, under the law of the deal."""
    return model.article(rule, regime)


def listed(items: Sequence[str]) -> Markup:
    """Return the items as one enumerates them: ``a, b and c``."""
    return Markup(format_list([str(escape(each)) for each in items], locale=get_locale()))  # noqa: S704 - each escaped


def delta(term: Term) -> str:
    """Return how far a term moved, with its sign: ``−4.0 %``, ``+7 d``."""
    if term.delta is None:
        return ""
    sign = "+" if term.delta > 0 else "−"
    size = format_decimal(abs(term.delta), locale=get_locale(), decimal_quantization=False)
    if term.in_days:
        days = gettext("%(count)s d", count=size)
        return f"{sign}{days}"
    return f"{sign}{size} %"


UNFIT: Mapping[str, LazyString] = {
    "EMPTY": lazy_gettext("The file is empty."),
    "TOO_LARGE": lazy_gettext("The file is too large."),
    "UNKNOWN_TYPE": lazy_gettext("Files of this kind are not taken; what it is was told by its content."),
    "TOO_MANY": lazy_gettext("These are too many files."),
    "NOT_HERE": lazy_gettext("The deal has no such file: bring it first."),
}
"""Why a file is not taken."""


def unfit(code: str) -> str:
    """Return why a file is not taken, in the reader's language."""
    return str(UNFIT[code])


TOPICS: Mapping[str, LazyString] = {
    "law": lazy_gettext("Governing law"),
    "disputes": lazy_gettext("Jurisdiction, arbitration"),
    "title": lazy_gettext("Title"),
    "penalty": lazy_gettext("Penalties"),
    "force_majeure": lazy_gettext("Force majeure"),
    "warranty": lazy_gettext("Warranty"),
    "liability": lazy_gettext("Liability"),
    "payment": lazy_gettext("Payment"),
    "delivery": lazy_gettext("Delivery"),
    "inspection": lazy_gettext("Inspection"),
    "price": lazy_gettext("Price"),
    "confidentiality": lazy_gettext("Confidentiality"),
}
"""What clauses of standard terms are about."""

_UNSOUND: Mapping[str, LazyString] = {
    "NO_CLAUSES": lazy_gettext("There is no clause: each begins with its number and heading on a line of its own."),
    "TOO_LONG": lazy_gettext("The text is too long."),
    "NUMBER_TWICE": lazy_gettext("A clause of this number stands there already."),
}


def unsound(code: str, place: int) -> str:
    """Return what is wrong with a text of standard terms, with the line where it is known."""
    sentence = str(_UNSOUND[code])
    return str(gettext("Line %(place)s: %(sentence)s", place=place, sentence=sentence)) if place else sentence


def topic(name: str, heading: str) -> str:
    return str(TOPICS[name]) if name in TOPICS else heading


def battle(found: Battle, regime: Regime, other: str) -> str:
    """Return what holds where two sides' standard terms conflict, should the offer be accepted (R24)."""
    if found.knocks_out:
        sentence = gettext(
            "If you accept, the clauses in conflict fall away on both sides and the law stands in their place; "
            "what does not conflict holds."
        )
    else:
        sentence = gettext(
            "If you accept, the standard terms of %(other)s hold, for they were sent last; yours do not become part "
            "of the contract.", other=other,
        )  # fmt: skip
        if regime.name == "PRC":
            sentence += " " + gettext(
                "A clause in which you have a major interest, and to which they did not draw your attention, you may "
                "claim to be no part of it."
            )
    return str(gettext("%(sentence)s (%(article)s)", sentence=sentence, article=f"R24, {article('R24', regime)}"))


HISTORIES_DIFFER = lazy_gettext("The other side's record of this deal and ours differ.")

HISTORIES = {
    Verdict.UNKNOWN: lazy_gettext(
        "The other side has seen a history that is not ours: its message names a statement that our record does not have. "
        "Ours was restored from a backup, or changed."
    ),
    Verdict.FORKED: lazy_gettext(
        "Its record is another one than it had shown us before: it was restored from a backup and went on, or was changed."
    ),
    Verdict.SHORTER: lazy_gettext(
        "Its record has lost what it had before: it was probably restored from a backup, and may not know our last messages."
    ),
}
"""What a difference of histories shows, by verdict."""
