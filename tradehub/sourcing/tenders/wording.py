"""The words of tenders for people: phases, stages, steps of a cost, limits, and why something is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

from babel.dates import format_skeleton
from flask_babel import get_locale, get_timezone, gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from tradehub.sourcing.tenders.landed import WAY, plain
from tradehub.sourcing.tenders.model import Criterion, TenderRefused

PHASES: Mapping[str, tuple[str, LazyString]] = {
    "preparing": ("warn", lazy_gettext("Waiting for passphrases")),
    "ready": ("turn", lazy_gettext("Ready to publish")),
    "running": ("work", lazy_gettext("Taking bids")),
    "to_open": ("turn", lazy_gettext("Closed, to be opened")),
    "evaluating": ("turn", lazy_gettext("Being evaluated")),
    "to_award": ("turn", lazy_gettext("To be awarded")),
    "awarded": ("ok", lazy_gettext("Awarded")),
    "cancelled": ("off", lazy_gettext("Cancelled")),
}
"""A phase -> the kind of its pill, and its word."""

TODOS: Mapping[str, tuple[str, LazyString]] = {
    "passphrase": ("turn", lazy_gettext("Set your passphrase")),
    "give_place": ("turn", lazy_gettext("Hand your place over")),
    "publish": ("turn", lazy_gettext("Ready to publish")),
    "answer": ("turn", lazy_gettext("Questions to answer")),
    "open": ("turn", lazy_gettext("To be opened by you")),
    "evaluate": ("turn", lazy_gettext("To be evaluated")),
    "award": ("turn", lazy_gettext("To be awarded")),
    "bid": ("turn", lazy_gettext("Your bid is wanted")),
    "acknowledge": ("warn", lazy_gettext("New addendum")),
}
"""What a person may do next."""

STAGES: Mapping[str, LazyString] = {
    "prequalification": lazy_gettext("Prequalification"),
    "technical": lazy_gettext("Technical bid"),
    "commercial": lazy_gettext("Commercial bid"),
}

STEPS: Mapping[str, LazyString] = {
    "price": lazy_gettext("Price as quoted"),
    "unit": lazy_gettext("Per unit asked for"),
    "currency": lazy_gettext("In the currency of comparison"),
    "pickup": lazy_gettext("Pick-up and carriage to the port"),
    "export": lazy_gettext("Export clearance"),
    "loading": lazy_gettext("Loading"),
    "main": lazy_gettext("Main carriage"),
    "insurance": lazy_gettext("Insurance"),
    "duty": lazy_gettext("Import duty"),
    "unloading": lazy_gettext("Unloading"),
    "onward": lazy_gettext("Carriage to your door"),
    "import": lazy_gettext("Import clearance"),
}

HOWS: Mapping[str, LazyString] = {
    "unit": lazy_gettext("per unit"),
    "percent": lazy_gettext("percent of the value so far"),
    "lump": lazy_gettext("lump sum per supplier"),
}

DUTY_BASES: Mapping[str, LazyString] = {
    "cif": lazy_gettext("Value with freight and insurance (CIF)"),
    "fob": lazy_gettext("Value without freight and insurance (FOB)"),
}

WHY_NOT: Mapping[str, LazyString] = {
    "no_bid": lazy_gettext("no bid"),
    "no_incoterm": lazy_gettext("no Incoterm"),
    "no_unit": lazy_gettext("units do not compare"),
    "no_rate": lazy_gettext("no rate stated for"),
}

CONSTRAINTS: Mapping[str, LazyString] = {
    "suppliers_max": lazy_gettext("At most so many suppliers"),
    "share_min": lazy_gettext("Least share of an awarded supplier"),
    "share_max": lazy_gettext("Largest share of a supplier"),
    "capacity": lazy_gettext("What suppliers can deliver"),
    "minimum": lazy_gettext("Least quantities of suppliers"),
    "whole": lazy_gettext("Lines are not divided"),
}

BID_STATES: Mapping[str, tuple[str, LazyString]] = {
    "live": ("ok", lazy_gettext("Valid")),
    "replaced": ("off", lazy_gettext("Replaced")),
    "withdrawn": ("off", lazy_gettext("Withdrawn")),
}

REFUSALS: Mapping[str, LazyString] = {
    "WEIGHTS_NOT_100": lazy_gettext("The weights of all criteria must add up to 100."),
    "STAGES_OUT_OF_ORDER": lazy_gettext("Stages follow each other: prequalification, technical, commercial; none closes before the last."),
    "OPENERS_NOT_TWO": lazy_gettext("Sealed bids are opened by two different people, with a third as deputy if you like."),
    "NOT_AN_OPENER": lazy_gettext("Only the people named for it open these bids."),
    "PASSPHRASE_WEAK": lazy_gettext("Too easy to guess: take several words of your own, longer than this many characters in all."),
    "PASSPHRASE_SET": lazy_gettext("The passphrase is set; after publication it cannot be changed."),
    "KEYS_MISSING": lazy_gettext("A passphrase is still missing."),
    "NOT_PUBLISHED": lazy_gettext("The tender is not published yet."),
    "PUBLISHED": lazy_gettext("The tender is published already."),
    "NOT_INVITED": lazy_gettext("You are not among the bidders of this tender."),
    "QUESTIONS_CLOSED": lazy_gettext("The time for questions is over."),
    "NOT_ACKNOWLEDGED": lazy_gettext("Confirm first that you have read the latest addendum."),
    "CHANGE_TOO_LATE": lazy_gettext("After the closing time nothing is changed any more."),
    "CLOSING_IN_THE_PAST": lazy_gettext("The closing time must lie ahead, and may only move back; questions end no later than it."),
    "CLOSED": lazy_gettext("Too late: bids were taken until the closing time."),
    "NOT_PASSED": lazy_gettext("Only who has passed the stage before may bid here."),
    "NO_SUCH_STAGE": lazy_gettext("The tender has no such stage."),
    "INVALID_BID": lazy_gettext("The bid cannot be compared; this place is missing or not allowed."),
    "VALIDITY_TOO_SHORT": lazy_gettext("The bid must stay open at least until this day."),
    "NO_BID": lazy_gettext("There is no bid to withdraw."),
    "NOT_YET_CLOSED": lazy_gettext("Nothing is opened before the closing time."),
    "STAGE_BEFORE": lazy_gettext("The stage before has to be opened and decided first."),
    "OPENED": lazy_gettext("This stage is open already."),
    "WRONG_PASSPHRASE": lazy_gettext("This is not the passphrase that you set."),
    "TOO_MANY_TRIES": lazy_gettext("Too many tries. Try again later."),
    "HANDED_OVER": lazy_gettext("You have agreed already; the second person opens."),
    "NOT_OPENED": lazy_gettext("The bids are not open yet."),
    "NOT_AN_EVALUATOR": lazy_gettext("Only the people named for it evaluate this stage."),
    "SCORE_OUT_OF_RANGE": lazy_gettext("A score lies between 0 and 100."),
    "BELOW_PASS_MARK": lazy_gettext("The pass mark decides: who reaches it passes, who does not fails."),
    "OVER_DEMAND": lazy_gettext("More would be awarded than is asked for."),
    "NOTHING_AWARDED": lazy_gettext("Award at least one line."),
    "NOT_OFFERED": lazy_gettext("This is not what the supplier offers."),
    "AWARDED": lazy_gettext("The tender is awarded."),
    "CANCELLED": lazy_gettext("The tender is cancelled."),
    "NO_SUCCESSOR": lazy_gettext("Name who takes your place first; that person sets a passphrase, then you hand over."),
    "ALREADY_OPENER": lazy_gettext("This person cannot take the place: it opens these bids already, or has left."),
    "OPENING_BEGUN": lazy_gettext("The opening has begun or is over: now the places stay as they are."),
    "SEALED_TENDER": lazy_gettext("This tender takes sealed bids: hand yours in on the tender's page, by the API or by message."),
    "NO_AUTHORITY": lazy_gettext("An award binds, and you may not bind your organisation."),
    "OVER_LIMIT": lazy_gettext("An award binds, and it is above what you may bind your organisation to alone."),
    "NO_RATE": lazy_gettext("An award binds, and your spending limits state no rate for its currency."),
    "NO_APPROVER": lazy_gettext("An award binds, and nobody else in your organisation may approve this one."),
}  # fmt: skip


ADVICE = lazy_gettext("“code”, “rule” and “value” say why. The rules stand in docs/tenders.md.")

NOT_NEEDED = lazy_gettext("You may do this without approval.")

OVERTAKEN = {f"AWARD_{code}": sentence for code, sentence in REFUSALS.items()}
"""Why an award that was approved could not be made any more, by the code that the request ends with."""

BY_MESSAGE = {f"BID_{code}": sentence for code, sentence in REFUSALS.items()}
"""Why a bid by message was not taken, by the code that is answered."""


def why(refused: TenderRefused) -> str:
    """Return the sentence for a refusal, with its rule and the value it is about."""
    sentence = str(REFUSALS[refused.code])
    value = _told(refused.value)
    if not value:
        return str(gettext("%(sentence)s (%(rule)s)", sentence=sentence, rule=refused.rule))
    return str(gettext("%(sentence)s (%(rule)s: %(value)s)", sentence=sentence, rule=refused.rule, value=value))


def parts() -> list[tuple[str, LazyString]]:
    """Return the parts of the way as the choices of a list."""
    return [(code, STEPS[code]) for code in WAY]


def constraint(name: str) -> str:
    """Return a constraint as people say it: ``capacity:2`` names its line."""
    kind, _, line = name.partition(":")
    said = str(CONSTRAINTS[kind])
    return str(gettext("%(limit)s, line %(line)s", limit=said, line=line)) if line else said


def criterion(each: Criterion) -> str:
    """Return a criterion's name; the price is called what the reader calls it."""
    return str(gettext("Price")) if each.is_price else each.name


def moment(at: datetime) -> str:
    """To the second, with the zone: a deadline leaves no doubt."""
    here = at.astimezone(get_timezone())
    return f"{_day(here)} {here:%H:%M:%S %Z}"


def _day(on: date) -> str:
    """The day before the month in English, as all over the pages: 23 Nov 2026."""
    locale = get_locale()
    return str(format_skeleton("yMMMd", on, locale="en_GB" if locale is None or locale.language == "en" else locale))


def _told(value: object) -> str:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return _day(value)
    if isinstance(value, Decimal):
        return plain(value)
    return str(value)
