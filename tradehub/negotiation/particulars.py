"""What statements and offers say beside their columns, as JSON: only what differs from the usual is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tradehub.negotiation.model import Offer, Statement

_Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]


def _plain(value: Any) -> Any:
    return value


def _amounts(stored: Mapping[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(value) for name, value in stored.items()}


_PLAIN: _Codec = (_plain, _plain)
_MOMENT: _Codec = (lambda value: value.isoformat(), datetime.fromisoformat)
_SPAN: _Codec = (lambda value: int(value.total_seconds()), lambda stored: timedelta(seconds=stored))
_NUMBER: _Codec = (str, Decimal)
_AMOUNTS: _Codec = (lambda value: {name: str(each) for name, each in value.items()}, _amounts)
_PAIRS: _Codec = (
    lambda value: [list(each) for each in value],
    lambda stored: tuple((one, other) for one, other in stored),
)
_LINES: _Codec = (
    lambda value: [[line, None if amount is None else str(amount)] for line, amount in value],
    lambda stored: tuple((line, None if amount is None else Decimal(amount)) for line, amount in stored),
)

_OF_OFFER: Mapping[str, _Codec] = {
    "accept_within": _SPAN,
    "as_is_only": _PLAIN,
    "divisible": _PLAIN,
    "group": _PLAIN,
    "amends": _PLAIN,
    "terminates": _PLAIN,
    "catalogue": _PLAIN,
    "performance_accepts": _PLAIN,
    "conditional_on_receipt": _PLAIN,
    "standard_terms": _PLAIN,
    "lines": _AMOUNTS,
    "amounts": _AMOUNTS,
    "amount": _NUMBER,
    "currency": _PLAIN,
    "lacking": _PLAIN,
}
_OF_STATEMENT: Mapping[str, _Codec] = {
    "sent_at": _MOMENT,
    "claimed_at": _MOMENT,
    "lines": _LINES,
    "changes": (list, tuple),
    "conditional": _PLAIN,
    "delayed": _PLAIN,
    "reviewed": _PLAIN,
    "attributed": _PLAIN,
    "may_bind": _PLAIN,
    "limit": _NUMBER,
    "standard_terms": _PLAIN,
    "term": _PLAIN,
    "attachments": _PAIRS,
}


def for_offer(offer: Offer) -> dict[str, Any]:
    """Return what is to be stored of ``offer``."""
    return _stored(offer, _OF_OFFER)


def of_offer(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _OF_OFFER[name][1](value) for name, value in stored.items()}


def for_statement(statement: Statement) -> dict[str, Any]:
    """Return what is to be stored of ``statement``, and of the offer that it makes, so that one hash covers both."""
    said = _stored(statement, _OF_STATEMENT)
    return {**said, "offer": for_offer(statement.offer)} if statement.offer is not None else said


def of_statement(stored: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _OF_STATEMENT[name][1](value) for name, value in stored.items() if name != "offer"}


def _stored(value: Offer | Statement, codecs: Mapping[str, _Codec]) -> dict[str, Any]:
    fields = type(value).__dataclass_fields__
    found = {}
    for name, (store, _restore) in codecs.items():
        said = getattr(value, name)
        if said != fields[name].default and said not in ((), {}):
            found[name] = store(said)
    return found
