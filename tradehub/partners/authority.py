"""What passes between a capability that is about to bind an organisation and the one that knows who may.

It stands below both sides, so that neither needs to import the other; ``hub`` hands one the other's callables. Before
a binding act the capability states a ``Binding`` and gets a ``Verdict``; where approval is needed it hands over what is
``Wanted``, frozen, and is called back to carry it out once the last approval is in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias

from tradehub.documents import PartyId
from tradehub.documents.parts import Money


class Act(StrEnum):
    """What binds an organisation."""

    OFFER = "offer"
    """A firm offer or counter-offer (R2, R11)."""
    ACCEPTANCE = "acceptance"
    """R8."""
    AWARD = "award"
    """R23: one decision over several suppliers; its amount is the sum."""
    SIGNATURE = "signature"
    """R21."""
    AMENDMENT = "amendment"
    """R25."""
    CALL_OFF = "call_off"
    """An order under a framework contract."""
    BID = "bid"
    """A bid in an auction (R2): what its winner is bound to. ``deal_id`` of its binding is the auction's id."""


@dataclass(frozen=True)
class Binding:
    """An act that is about to bind: on which deal, towards whom, and what it comes to in the deal's currency.

    ``amount`` None: it cannot be told (a price by formula); it then counts as above every limit. ``categories`` are
    the classes of what is traded, as the lines state them (UNSPSC, eCl@ss, CPV). ``others`` are the partners beside the
    first that one decision binds to as well; ``deal_id`` of an award is the inquiry's id.
    """

    act: Act
    deal_id: str
    partner: PartyId
    amount: Decimal | None
    currency: str | None
    categories: tuple[str, ...] = ()
    others: tuple[PartyId, ...] = ()


@dataclass(frozen=True)
class Asker:
    """Who acts for an organisation: a person, a program with a token, or its own system by ``message``.

    ``approval`` is the approved request that is being carried out.
    """

    org: PartyId
    user_id: str | None = None
    name: str = ""
    channel: str = "web"
    approval: str | None = None


@dataclass(frozen=True)
class Wanted:
    """What is to be done once it is approved, as it was when it was asked for.

    ``payload`` holds what the form said, as plain values; ``until`` is the offer's own period, for people to see.
    """

    binding: Binding
    title: str
    partner_name: str
    offer_id: str
    expected_version: int
    terms_hash: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    until: datetime | None = None


class Approver(NamedTuple):
    """Any holder of a role, or one person by user id."""

    kind: Literal["role", "person"]
    id: str


class Because(StrEnum):
    """Why a step is wanted."""

    OVER_LIMIT = "over_limit"
    CHAIN = "chain"
    TWO_PERSONS = "two_persons"


@dataclass(frozen=True)
class Step:
    """One approval, or with ``all_of`` one from each of ``approvers``. ``name`` is the chain's, if it comes of one."""

    because: Because
    approvers: tuple[Approver, ...]
    all_of: bool = False
    name: str = ""

    @property
    def count(self) -> int:
        """How many approvals end it."""
        return len(self.approvers) if self.all_of else 1


@dataclass(frozen=True)
class Allowed:
    """Go on."""

    kind: ClassVar[str] = "allowed"


@dataclass(frozen=True)
class Needs:
    """Others must approve first. ``people`` names by approver who they are today, ``most`` is what the asker may bind
    alone; None where that is nothing."""

    kind: ClassVar[str] = "needs"
    steps: tuple[Step, ...]
    people: Mapping[Approver, tuple[str, ...]] = field(default_factory=dict)
    code: str = "OVER_LIMIT"
    rule: str = "R8"
    article: str = "CISG 18(1), MLEC 13"
    most: Money | None = None


@dataclass(frozen=True)
class Forbidden:
    """It may not be done, and nobody can approve it. ``code``: NO_AUTHORITY, OVER_LIMIT, NO_RATE or NO_APPROVER."""

    kind: ClassVar[str] = "forbidden"
    code: str
    rule: str = "R8"
    article: str = "CISG 18(1), MLEC 13"
    most: Money | None = None


Verdict: TypeAlias = Allowed | Needs | Forbidden


class Overtaken(Exception):
    """What was approved can no longer be done: the deal moved on. ``code`` says how, ``rule`` and ``article`` why, and
    ``detail``, where there is more to say, in words."""

    def __init__(self, code: str, rule: str, article: str, detail: str = "") -> None:
        self.code, self.rule, self.article, self.detail = code, rule, article, detail
        super().__init__(f"{code} ({rule}, {article})")
