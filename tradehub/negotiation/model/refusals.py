"""Why a statement is not taken: a code for each reason, with the rule that it rests on."""

from __future__ import annotations

from collections.abc import Mapping

from tradehub.negotiation.model.regimes import Regime, article

RULES: Mapping[str, str] = {
    "INVITATION_NOT_ACCEPTABLE": "R1",
    "NOT_AN_INVITATION": "R1",
    "NOT_DEFINITE_ITEM": "R2",
    "NOT_DEFINITE_QUANTITY": "R2",
    "NOT_DEFINITE_PRICE": "R2",
    "ACCEPT_BY_PAST": "R2",
    "NO_AUTHORITY": "R8",
    "OVER_LIMIT": "R8",
    "NO_RATE": "R8",
    "NO_APPROVER": "R8",
    "NOT_YET_REACHED": "R4",
    "WITHDRAWN": "R5",
    "TOO_LATE_USE_REVOKE": "R5",
    "REVOKED": "R6",
    "IRREVOCABLE": "R6",
    "NOT_OFFEROR": "R6",
    "REJECTED": "R7",
    "NOT_OFFEREE": "R8",
    "NO_SUCH_OFFER": "R8",
    "STALE_VERSION": "R8",
    "TERMS_HASH_MISMATCH": "R8",
    "ACCEPTED": "R8",
    "CONCLUDED": "R8",
    "NOT_ALLOWED": "R8",
    "DISPUTED_TIME": "R8",
    "COUNTERED": "R11",
    "COUNTER_UNDER_WAY": "R11",
    "ROUND_LIMIT": "R11",
    "NO_SUCH_TERM": "R12",
    "NOTHING_TO_OBJECT_TO": "R13",
    "TOO_LATE_TO_OBJECT": "R13",
    "LATE_PENDING": "R14",
    "NOT_LATE": "R14",
    "TOO_LATE_TO_ELECT": "R14",
    "TOO_LATE_ACCEPTANCE_EFFECTIVE": "R16",
    "NO_ACCEPTANCE": "R16",
    "LAPSED": "R17",
    "PERFORMANCE_NOT_INDICATED": "R18",
    "SUPERSEDED": "R20",
    "NOT_AWAITING_CONFIRMATION": "R21",
    "ALREADY_CONFIRMED": "R21",
    "INDIVISIBLE": "R22",
    "NO_SUCH_LINE": "R22",
    "MORE_THAN_OFFERED": "R22",
    "LINE_TAKEN": "R22",
    "MORE_THAN_DEMANDED": "R23",
    "NO_CONTRACT": "R25",
    "NOT_A_PARTY": "R26",
    "UNATTRIBUTED": "R26",
    "RECEIPT_STILL_DUE": "R27",
    "UNKNOWN_REFERENCE": "R28",
    "SAME_NUMBER_OTHER_CONTENT": "R29",
    "CORRECTION_WAS_OFFERED": "R30",
    "ALREADY_RELIED_ON": "R30",
}
"""Code -> rule."""


class Refused(Exception):
    """A statement that has no place here. ``code`` says which, ``rule`` and ``article`` why.

    Without a regime the article is named in every one.
    """

    def __init__(self, code: str, regime: Regime | None = None) -> None:
        self.code = code
        self.rule = RULES[code]
        self.article = article(self.rule, regime)
        super().__init__(f"{code} ({self.rule}, {self.article})")


class Conflict(Refused):
    """The negotiation moved on since the page or message was made: whoever said it spoke of another version."""

    def __init__(self, expected: int, actual: int, regime: Regime | None = None) -> None:
        self.expected, self.actual = expected, actual
        super().__init__("STALE_VERSION", regime)
