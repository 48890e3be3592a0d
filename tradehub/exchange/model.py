"""What is true of a message in transit: three statuses that are never merged, and the decisions about them.

Validation says whether it is what its standard and its agreement allow; delivery, whether it got where it goes
(inbound: to the capability that acts on it); acknowledgement, whether its receiver said so (inbound: whether we did).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from tradehub.partners.profile import Retry


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class Validation(StrEnum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    WARNED = "warned"
    """Accepted, with warnings to look at."""
    REJECTED = "rejected"
    HELD = "held"
    """Kept back until a person decides: same number, other content."""
    DUPLICATE = "duplicate"
    """The same message once more; answered as the first time and not acted on."""


class Delivery(StrEnum):
    NONE = "none"
    """Goes nowhere: rejected, or a duplicate."""
    PENDING = "pending"
    RETRYING = "retrying"
    SENT = "sent"
    """Left us (outbound)."""
    HANDED_ON = "handed_on"
    """Acted on by its capability (inbound)."""
    REFUSED = "refused"
    """Readable, and its capability refused to act on it (inbound)."""
    FAILED = "failed"


class Acknowledgement(StrEnum):
    NONE = "none"
    """Nobody expects one."""
    EXPECTED = "expected"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    """The receiver's answer (outbound), or ours (inbound), says that it was not accepted."""


class Reason(StrEnum):
    """Why a message is where it is; what people read is made of it at the edge."""

    NOT_EDI = "not-edi"
    TOO_LARGE = "too-large"
    TRUNCATED = "truncated"
    UNREADABLE = "unreadable"
    SYNTAX = "syntax"
    UNKNOWN_SENDER = "unknown-sender"
    SENDER_NOT_OF_CHANNEL = "sender-not-of-channel"
    UNKNOWN_RECEIVER = "unknown-receiver"
    NO_AGREEMENT = "no-agreement"
    AGREEMENT_NOT_VALID = "agreement-not-valid"
    PARTNER_SUSPENDED = "partner-suspended"
    UNKNOWN_MESSAGE = "unknown-message"
    DUPLICATE = "duplicate"
    OTHER_CONTENT = "same-number-other-content"
    NO_HANDLER = "no-handler"
    ACKNOWLEDGES_NOTHING = "acknowledges-nothing"
    CANNOT_BE_WRITTEN = "cannot-be-written"
    OWN_JUDGEMENT = "own-judgement"
    TERM_NOT_CARRIED = "term-not-carried"
    NO_CHANNEL = "no-channel"
    TRANSPORT = "transport"
    GAVE_UP = "gave-up"
    REJECTED_BY_RECEIVER = "rejected-by-receiver"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Statuses:
    """Where a message is. ``is_settled`` when a person has dealt with it, for instance by a replay."""

    direction: Direction
    validation: Validation
    delivery: Delivery
    acknowledgement: Acknowledgement
    ack_deadline: datetime | None = None
    is_settled: bool = False


def is_late(statuses: Statuses, *, now: datetime) -> bool:
    """True where an acknowledgement is expected and its time has passed."""
    return (
        statuses.acknowledgement is Acknowledgement.EXPECTED
        and statuses.ack_deadline is not None
        and statuses.ack_deadline < now
    )


def needs_attention(statuses: Statuses, *, now: datetime) -> bool:
    """True where a person has to act. ``store.attention`` says the same in SQL."""
    if statuses.is_settled:
        return False
    return (
        statuses.validation in (Validation.REJECTED, Validation.HELD)
        or statuses.delivery in (Delivery.REFUSED, Delivery.FAILED)
        or (statuses.direction is Direction.OUT and statuses.acknowledgement is Acknowledgement.REJECTED)
        or is_late(statuses, now=now)
    )


class Repetition(StrEnum):
    NEW = "new"
    SAME = "same"
    OTHER_CONTENT = "other-content"


@dataclass(frozen=True)
class Earlier:
    """A message received before under the same partner, standard and number."""

    message_id: str
    sha256: str
    validation: Validation


def repetition(earlier: Sequence[Earlier], sha256: str) -> tuple[Repetition, Earlier | None]:
    """Say whether a transmission repeats an earlier one (R28), or uses its number for something else (R29).

    Where nothing came of the earlier one, it may come again, as it was or mended: what stopped it may be gone.
    """
    counted = [each for each in earlier if each.validation not in (Validation.REJECTED, Validation.DUPLICATE)]
    same = next((each for each in counted if each.sha256 == sha256), None)
    if same is not None:
        return Repetition.SAME, same
    return (Repetition.OTHER_CONTENT, counted[0]) if counted else (Repetition.NEW, None)


def next_try(retry: Retry, attempt: int) -> timedelta | None:
    """Return how long to wait after the ``attempt``-th failure, from 1; None when it is time to give up."""
    if attempt >= retry.tries:
        return None
    times: int = retry.factor ** min(attempt - 1, 30)
    return min(retry.first * times, retry.max)
