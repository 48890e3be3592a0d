"""The words of auctions for people: kinds, statuses, and why something was refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from babel.numbers import format_decimal
from flask_babel import get_locale, gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from tradehub.sourcing.auctions.rules import Display, Kind, Refused, Status

KINDS: Mapping[str, LazyString] = {
    Kind.REVERSE: lazy_gettext("Reverse auction"),
    Kind.ENGLISH: lazy_gettext("English auction"),
    Kind.DUTCH: lazy_gettext("Dutch auction"),
    Kind.DUTCH_REVERSE: lazy_gettext("Dutch auction, rising"),
    Kind.VICKREY: lazy_gettext("Sealed bids, second price"),
    Kind.VICKREY_REVERSE: lazy_gettext("Sealed bids, second price, to buy"),
}

CHOICES: Mapping[str, LazyString] = {
    Kind.REVERSE: lazy_gettext("Reverse: you buy, sellers bid down"),
    Kind.ENGLISH: lazy_gettext("English: you sell, buyers bid up"),
    Kind.DUTCH: lazy_gettext("Dutch: you sell, the price falls until somebody accepts"),
    Kind.DUTCH_REVERSE: lazy_gettext("Dutch rising: you buy, the price rises until somebody accepts"),
    Kind.VICKREY: lazy_gettext("Sealed, second price: you sell, the highest bid pays the second one"),
    Kind.VICKREY_REVERSE: lazy_gettext("Sealed, second price: you buy, the lowest bid is paid the second one"),
}

EXPLAINED: Mapping[str, LazyString] = {
    Kind.REVERSE: lazy_gettext("The lowest price wins when the time is over."),
    Kind.ENGLISH: lazy_gettext("The highest price wins when the time is over."),
    Kind.DUTCH: lazy_gettext("The price falls by the clock. Whoever accepts first buys at the price of that moment."),
    Kind.DUTCH_REVERSE: lazy_gettext(
        "The price rises by the clock. Whoever accepts first sells at the price of that moment."
    ),
    Kind.VICKREY: lazy_gettext(
        "Nobody sees a bid before the end. The highest one wins and pays what the second highest bid."
    ),
    Kind.VICKREY_REVERSE: lazy_gettext(
        "Nobody sees a bid before the end. The lowest one wins and is paid what the second lowest asked for."
    ),
}

STATUSES: Mapping[str, tuple[str, LazyString]] = {
    Status.SCHEDULED: ("wait", lazy_gettext("Not yet begun")),
    Status.RUNNING: ("work", lazy_gettext("Running")),
    Status.PAUSED: ("warn", lazy_gettext("Paused")),
    Status.UNOPENED: ("wait", lazy_gettext("Bids to be opened")),
    Status.WON: ("ok", lazy_gettext("Won")),
    Status.SHORT: ("off", lazy_gettext("Reserve not met")),
    Status.EMPTY: ("off", lazy_gettext("No bid")),
    Status.CANCELLED: ("bad", lazy_gettext("Cancelled")),
}
"""A status -> the kind of its pill, and its word."""

DISPLAYS: Mapping[str, LazyString] = {
    Display.PRICE: lazy_gettext("Prices, under numbers instead of names"),
    Display.RANK: lazy_gettext("Only their own rank"),
}

CHIPS: Mapping[str, LazyString] = {
    "all": lazy_gettext("All"),
    "running": lazy_gettext("Running"),
    "scheduled": lazy_gettext("Not yet begun"),
    "over": lazy_gettext("Over"),
}

REFUSALS: Mapping[str, LazyString] = {
    "NOT_STARTED": lazy_gettext("The auction has not begun yet."),
    "CLOSED": lazy_gettext("The time is over: your bid came too late."),
    "PAUSED": lazy_gettext("The auction is paused; no bid counts until it goes on."),
    "CANCELLED": lazy_gettext("The auction was cancelled."),
    "NOT_INVITED": lazy_gettext("Your organisation is not among the bidders."),
    "OWN_AUCTION": lazy_gettext("You cannot bid in your own auction."),
    "NOT_OWNER": lazy_gettext("Only who holds the auction may do this."),
    "NO_SUCH_LOT": lazy_gettext("There is no such lot."),
    "NOT_AN_AMOUNT": lazy_gettext("Write an amount, for example 1250.00."),
    "TOO_MANY_DECIMALS": lazy_gettext("The amount has more decimals than the currency."),
    "START_PRICE": lazy_gettext("The bid does not reach the start price."),
    "INCREMENT": lazy_gettext("The bid is not far enough from the last one."),
    "YOU_LEAD": lazy_gettext("You lead already. You may give a limit that goes further."),
    "PROXY_NOT_ALLOWED": lazy_gettext("A limit is not possible in this auction."),
    "LIMIT_WORSE_THAN_BID": lazy_gettext("The limit does not go as far as the bid itself."),
    "LIMIT_NOT_BETTER": lazy_gettext("A limit that was given can only be carried further."),
    "NOT_THE_PRICE": lazy_gettext("The price has not come to that yet."),
    "TAKEN": lazy_gettext("Somebody else was faster."),
    "NO_SUCH_BID": lazy_gettext("There is no such bid."),
    "NOT_YOUR_BID": lazy_gettext("This is not your bid."),
    "ASKED_ALREADY": lazy_gettext("You have asked for this bid already; the owner has to answer."),
    "NOT_ASKED": lazy_gettext("Nobody asks for this bid."),
    "WITHDRAWN": lazy_gettext("This bid was taken back."),
    "REASON_MISSING": lazy_gettext("Say why: it stays on record."),
    "NOT_RUNNING": lazy_gettext("The auction is not running."),
    "NOT_PAUSED": lazy_gettext("The auction is not paused."),
    "OVER": lazy_gettext("The auction is over."),
    "SETTLED": lazy_gettext("The auction is settled; nothing can be changed any more."),
    "LARGE_STEP": lazy_gettext("This is a large step. Do you mean it?"),
    "NO_AUTHORITY": lazy_gettext("A bid binds, and you may not bind your organisation."),
    "OVER_LIMIT": lazy_gettext("A bid binds, and this amount is above what you may bind your organisation to alone."),
    "NO_RATE": lazy_gettext("A bid binds, and your organisation's spending limits state no rate for this currency."),
    "NO_APPROVER": lazy_gettext(
        "A bid binds, and this amount is above what you may bind your organisation to; nobody else there may approve it."
    ),
}

ADVICE = lazy_gettext("“code”, “rule” and “value” say why. The rules stand in docs/auctions.md.")

OVERTAKEN = {f"BID_{code}": sentence for code, sentence in REFUSALS.items()}
"""Why a bid that was approved could not be placed any more, by the code that the request ends with."""

OF_AUTHORITY = frozenset({"NO_AUTHORITY", "OVER_LIMIT", "NO_RATE", "NO_APPROVER"})
"""Refusals by the limits of the bidder's own organisation; their value is what the person may bind alone."""


def why(refused: Refused, currency: str) -> str:
    """Return the sentence for a refusal with its rule, and the amount that would do."""
    said = str(REFUSALS[refused.code])
    if refused.code in OF_AUTHORITY:
        if refused.value is None:
            least = str(gettext("You may bind it to no amount alone."))
        else:
            least = str(gettext("Your limit is %(amount)s.", amount=f"{currency} {number(refused.value)}"))
        said = f"{said} {least}"
    elif refused.value is not None and refused.code != "LARGE_STEP":
        value = f"{currency} {number(refused.value)}"
        said = str(gettext("%(sentence)s Valid is %(amount)s.", sentence=said, amount=value))
    return str(gettext("%(sentence)s (rule %(rule)s)", sentence=said, rule=refused.rule))


def number(value: Decimal) -> str:
    return str(format_decimal(value, format="#,##0.00######", locale=get_locale(), decimal_quantization=False))


def bidder(alias: int) -> str:
    return str(gettext("Bidder %(number)s", number=alias))
