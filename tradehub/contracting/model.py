"""A contract's life after conclusion, and the frozen terms that it stands on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from hashlib import sha256

from tradehub.documents import TradeDocument
from tradehub.documents.terms import frozen_terms


class State(StrEnum):
    """Contract states of the rules of formation (R8, R9, R21)."""

    AWAITING_CONFIRMATION = "awaiting_confirmation"
    CONCLUDED_OBJECTABLE = "concluded_objectable"
    CONCLUDED = "concluded"
    NEVER_CONCLUDED = "never_concluded"
    IN_PERFORMANCE = "in_performance"
    FULFILLED = "fulfilled"
    SUSPENDED = "suspended"
    TERMINATED = "terminated"
    AVOIDED = "avoided"


class Event(StrEnum):
    """What moves a contract on. PERFORMED: something was delivered or billed; COMPLETED: nothing is left of either."""

    CONFIRMED = "confirmed"
    OBJECTED = "objected"
    PERFORMED = "performed"
    COMPLETED = "completed"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    TERMINATED = "terminated"
    AVOIDED = "avoided"


_LIVE = (State.CONCLUDED, State.IN_PERFORMANCE)

TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.AWAITING_CONFIRMATION, Event.CONFIRMED): State.CONCLUDED,
    (State.CONCLUDED_OBJECTABLE, Event.CONFIRMED): State.CONCLUDED,
    (State.CONCLUDED_OBJECTABLE, Event.OBJECTED): State.NEVER_CONCLUDED,
    # an acceptance on its way is kept as a contract already; it may still come to nothing
    (State.CONCLUDED, Event.OBJECTED): State.NEVER_CONCLUDED,
    (State.CONCLUDED, Event.PERFORMED): State.IN_PERFORMANCE,
    (State.IN_PERFORMANCE, Event.PERFORMED): State.IN_PERFORMANCE,
    (State.FULFILLED, Event.PERFORMED): State.FULFILLED,
    (State.FULFILLED, Event.COMPLETED): State.FULFILLED,
    (State.SUSPENDED, Event.RESUMED): State.IN_PERFORMANCE,
    **{(state, Event.COMPLETED): State.FULFILLED for state in _LIVE},
    **{(state, Event.SUSPENDED): State.SUSPENDED for state in _LIVE},
    **{(state, Event.TERMINATED): State.TERMINATED for state in (*_LIVE, State.SUSPENDED)},
    **{(state, Event.AVOIDED): State.AVOIDED for state in (*_LIVE, State.SUSPENDED)},
}
"""Every move; what is not here leaves the contract as it is."""


ENDED = frozenset({State.NEVER_CONCLUDED, State.TERMINATED, State.AVOIDED})
"""States in which nothing is signed or called off any more."""


class Refused(Exception):
    """A party may not do this. ``rule`` says why, ``place`` where, ``value`` what stands in the way."""

    def __init__(self, rule: str, value: str = "", *, place: str = "") -> None:
        super().__init__(": ".join(each for each in (rule, place, value) if each))
        self.rule, self.value, self.place = rule, value, place


class Conflict(Exception):
    """What was shown has changed since."""


def move(state: State, event: Event) -> State:
    """Return the state after ``event``, the same where the event means nothing to it."""
    return TRANSITIONS.get((state, event), state)


def freeze(document: TradeDocument) -> str:
    """Return the document's terms as canonical JSON, the very text whose SHA-256 is ``documents.terms.terms_hash``."""
    return frozen_terms(document)


def thaw(frozen: str) -> dict[str, str]:
    """Return frozen terms by their path."""
    terms: dict[str, str] = json.loads(frozen)
    return terms


def is_intact(frozen: str, terms_hash: str) -> bool:
    """Return whether the frozen text is still the one that was hashed."""
    return sha256(frozen.encode()).hexdigest() == terms_hash


def by_group(terms: Mapping[str, str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return the terms of the whole contract, and those of each line by line number, in natural order."""
    header: dict[str, str] = {}
    lines: dict[str, dict[str, str]] = {}
    for path, value in terms.items():
        if path.startswith("lines."):
            _, number, rest = path.split(".", 2)
            lines.setdefault(number, {})[rest] = value
        else:
            header[path] = value
    return header, dict(sorted(lines.items(), key=lambda each: (len(each[0]), each[0])))
