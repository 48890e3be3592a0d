"""Who may bind an organisation, and who must agree first: from a policy and an amount to the approvals that it takes.

``required`` says which approvals an act takes, ``standing`` where a request stands, ``decide`` whether somebody's word
counts: a table of guards, each with its code. One person never counts twice in a request, neither by a second role nor
as the delegate of somebody who has counted already, so two approvals are always two people (ASVS 2.3.5).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple, TypeVar

from tradehub.documents.amounts import MINOR_UNITS
from tradehub.documents.parts import Money
from tradehub.partners.authority import Act, Approver, Because, Step

TOKEN_ROLE = "api_token"  # noqa: S105 - the name of a role
"""The role that a policy gives to programs, which have no other."""

CHAINS_MAX = 20
STEPS_MAX = 4
APPROVERS_MAX = 4
ROWS_MAX = 60
"""A policy is read by people: one with more chains, steps or rows than fit on a few pages hides what it says."""

DAYS = 5
DAYS_MAX = 90
"""How long a request may wait: a working week unless the policy says otherwise, a quarter at most."""

NO_CURRENCY = "XXX"
"""ISO 4217: no currency is involved."""

PERSONS = 2
"""How many people with authority stand behind an act above a two-person threshold."""

T = TypeVar("T", bound=Hashable)


# --- the policy -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Limit:
    """What a holder of ``role`` may bind alone: up to and including ``most``, or any amount where that is None.

    A row with an ``act`` stands in for the role's general rows, for that act.
    """

    role: str
    currency: str
    most: Decimal | None
    act: Act | None = None


@dataclass(frozen=True)
class Threshold:
    """Above this amount two people with authority stand behind the act, whatever the limits say."""

    currency: str
    above: Decimal
    act: Act | None = None


@dataclass(frozen=True)
class Rate:
    """One unit of ``currency`` counts as ``value`` units of the policy's currency."""

    currency: str
    value: Decimal


@dataclass(frozen=True)
class ChainStep:
    approvers: tuple[Approver, ...]
    all_of: bool = False


@dataclass(frozen=True)
class Chain:
    """Whom to ask, in order, for amounts above ``above`` up to and including ``up_to``, in the policy's currency.

    It is walked by whoever is over the own limit, and with ``always`` by everybody. ``category`` is a class of goods,
    or the beginning of one: 4014 takes in 40141600. One line in it is enough.
    """

    name: str
    above: Decimal
    up_to: Decimal | None
    steps: tuple[ChainStep, ...]
    act: Act | None = None
    partner: str | None = None
    category: str | None = None
    always: bool = False


@dataclass(frozen=True)
class Policy:
    """An organisation's rules. Of the chains that fit, the first one counts."""

    currency: str
    limits: tuple[Limit, ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    chains: tuple[Chain, ...] = ()
    rates: tuple[Rate, ...] = ()
    days: int = DAYS

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that have a limit, in the order stated."""
        return tuple(dict.fromkeys(each.role for each in self.limits))


class Fault(NamedTuple):
    """What is wrong with a policy. ``place`` is its part and row, counted from nought: ``limits.2``, ``chains.0.1``."""

    place: str
    code: str


def unwritten(roles: Collection[str]) -> Policy:
    """Return the policy of an organisation that has stated none: these roles bind alone, in any amount."""
    return Policy(NO_CURRENCY, tuple(Limit(each, NO_CURRENCY, None) for each in sorted(roles)))


def faults(policy: Policy, *, roles: Collection[str], people: Collection[str]) -> tuple[Fault, ...]:
    """Return what is wrong with a policy, given the roles and the members that may bind or approve."""
    found = [Fault("currency", "CURRENCY")] if not _is_currency(policy.currency) else []
    if not 1 <= policy.days <= DAYS_MAX:
        found.append(Fault("days", "DAYS"))
    known = {Approver("role", each) for each in roles} | {Approver("person", each) for each in people}
    found += _row_faults(policy, {*roles, TOKEN_ROLE})
    for number, chain in enumerate(policy.chains):
        found += _chain_faults(f"chains.{number}", chain, known)
    return tuple(found)


def _row_faults(policy: Policy, roles: Collection[str]) -> Iterator[Fault]:
    seen: set[object] = set()
    rows: tuple[tuple[str, Sequence[Rate | Limit | Threshold]], ...] = (
        ("rates", policy.rates), ("limits", policy.limits), ("thresholds", policy.thresholds),
    )  # fmt: skip
    for part, each in rows:
        for number, row in enumerate(each):
            place, key = f"{part}.{number}", (part, row.currency, getattr(row, "role", ""), getattr(row, "act", None))
            if not _is_currency(row.currency):
                yield Fault(place, "CURRENCY")
            if key in seen:
                yield Fault(place, "TWICE")
            seen.add(key)
            if isinstance(row, Rate) and (row.value <= 0 or row.currency == policy.currency):
                yield Fault(place, "RATE")
            if isinstance(row, Limit) and row.role not in roles:
                yield Fault(place, "ROLE")


def _chain_faults(place: str, chain: Chain, known: Collection[Approver]) -> Iterator[Fault]:
    if not chain.name.strip():
        yield Fault(place, "NAME")
    if chain.up_to is not None and chain.up_to <= chain.above:
        yield Fault(place, "BAND")
    if not chain.steps:
        yield Fault(place, "NO_STEPS")
    for number, step in enumerate(chain.steps):
        if not step.approvers or len(set(step.approvers)) < len(step.approvers):
            yield Fault(f"{place}.{number}", "TWICE" if step.approvers else "NO_STEPS")
        if any(each not in known for each in step.approvers):
            yield Fault(f"{place}.{number}", "APPROVER")


def _is_currency(code: str) -> bool:
    return re.fullmatch(r"[A-Z]{3}", code) is not None


# --- what an act takes ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """A member, or a program. ``may_ask``: one of the roles lets them state terms or bind at all."""

    id: str
    roles: frozenset[str]
    may_ask: bool = True


class NotAllowed(NamedTuple):
    """Nobody can make it allowed. ``code``: NO_AUTHORITY, OVER_LIMIT, NO_RATE or NO_APPROVER."""

    code: str


class _NoRate(Exception):
    """The policy states no rate for a currency that has to be compared."""


def required(
    policy: Policy,
    act: Act,
    amount: Money | None,
    requester: Person,
    *,
    partner: str | None = None,
    categories: Collection[str] = (),
) -> tuple[Step, ...] | NotAllowed:
    """Return the approvals that the act takes, in order; none where the requester may bind alone.

    An ``amount`` of None counts as above every amount that is stated.
    """
    if not requester.may_ask:
        return NotAllowed("NO_AUTHORITY")
    try:
        covering = tuple(each for each in policy.roles if covers(policy, each, act, amount))
        is_within = not requester.roles.isdisjoint(covering)
        takes_two = any(_is_above(policy, each, amount) for each in policy.thresholds if each.act in (None, act))
        chain = next((each for each in policy.chains if _fits(policy, each, act, amount, partner, categories)), None)
    except _NoRate:
        return NotAllowed("NO_RATE")
    if is_within and not takes_two and not (chain and chain.always):
        return ()
    others = tuple(Approver("role", each) for each in covering if each != TOKEN_ROLE)
    if chain is not None:
        steps = tuple(Step(Because.CHAIN, each.approvers, each.all_of, chain.name) for each in chain.steps)
    else:
        steps = () if is_within else (Step(Because.OVER_LIMIT, others),)
    if takes_two:
        counts_too = is_within and TOKEN_ROLE not in requester.roles  # a program is nobody
        missing = PERSONS - sum(each.count for each in steps) - counts_too
        steps += (Step(Because.TWO_PERSONS, others),) * missing
    return steps if all(each.approvers for each in steps) else NotAllowed("OVER_LIMIT")


def most_alone(
    policy: Policy,
    act: Act,
    currency: str,
    requester: Person,
    *,
    partner: str | None = None,
    categories: Collection[str] = (),
) -> Money | None:
    """Return the largest amount in ``currency`` that the requester may bind alone; None where that is none, or any.

    What an act takes changes at the stated amounts alone, so one of them is the largest.
    """
    stated: list[tuple[Decimal | None, str]] = [(each.most, each.currency) for each in policy.limits]
    stated += [(each.above, each.currency) for each in policy.thresholds]
    stated += [(value, policy.currency) for each in policy.chains for value in (each.above, each.up_to)]
    bounds = set()
    for value, stated_in in stated:
        try:
            bounds.add(_in(policy, Money(amount=value or Decimal(0), currency=stated_in), currency))
        except _NoRate:
            continue
    unit = Decimal(1).scaleb(-MINOR_UNITS.get(currency, 2))
    for bound in sorted(bounds, reverse=True):
        amount = Money(amount=Decimal(math.floor(bound / Fraction(unit))) * unit, currency=currency)
        if amount.amount > 0 and required(policy, act, amount, requester, partner=partner, categories=categories) == ():
            return amount
    return None


def covers(policy: Policy, role: str, act: Act, amount: Money | None) -> bool:
    """True where a holder of the role may bind the amount alone. Rows in the amount's own currency come first."""
    rows = [each for each in policy.limits if each.role == role]
    rows = [each for each in rows if each.act == act] or [each for each in rows if each.act is None]
    if amount is not None:
        rows = [each for each in rows if each.currency == amount.currency] or rows
    return bool(rows) and all(_is_within(policy, each, amount) for each in rows)


def _is_within(policy: Policy, limit: Limit, amount: Money | None) -> bool:
    if limit.most is None:
        return True
    return amount is not None and _in(policy, amount, limit.currency) <= Fraction(limit.most)


def _is_above(policy: Policy, threshold: Threshold, amount: Money | None) -> bool:
    return amount is None or _in(policy, amount, threshold.currency) > Fraction(threshold.above)


def _fits(
    policy: Policy, chain: Chain, act: Act, amount: Money | None, partner: str | None, categories: Collection[str]
) -> bool:
    if chain.act not in (None, act) or chain.partner not in (None, partner):
        return False
    if chain.category is not None and not any(each.startswith(chain.category) for each in categories):
        return False
    if amount is None:
        return chain.up_to is None
    value = _in(policy, amount, policy.currency)
    return Fraction(chain.above) < value and (chain.up_to is None or value <= Fraction(chain.up_to))


def _in(policy: Policy, amount: Money, currency: str) -> Fraction:
    """Return the amount in another currency, exact, by the policy's rates. Raises _NoRate."""
    if amount.currency == currency:
        return Fraction(amount.amount)
    rates = {policy.currency: Decimal(1), **{each.currency: each.value for each in policy.rates}}
    if amount.currency not in rates or currency not in rates:
        raise _NoRate
    return Fraction(amount.amount) * Fraction(rates[amount.currency]) / Fraction(rates[currency])


def matches(person: Person, approver: Approver) -> bool:
    return approver.id == person.id if approver.kind == "person" else approver.id in person.roles


def can_be_met(steps: Sequence[Step], requester: str, people: Sequence[Person]) -> bool:
    """True where there are people enough, each counted once and the requester not at all."""
    places = [
        wanted
        for step in steps
        for wanted in ([[each] for each in step.approvers] if step.all_of else [step.approvers])
    ]
    others = [each for each in people if each.id != requester]
    wishes = [[each.id for each in others if any(matches(each, one) for one in wanted)] for wanted in places]
    return len(_matched(wishes)) == len(places)


def _matched(wishes: Sequence[Collection[T]]) -> dict[T, int]:
    """Give as many wishers as possible one of their wishes each, nothing twice; return wish -> wisher (Kuhn)."""
    given: dict[T, int] = {}

    def find(wisher: int, tried: set[T]) -> bool:
        for wish in wishes[wisher]:
            if wish not in tried:
                tried.add(wish)
                if wish not in given or find(given[wish], tried):
                    given[wish] = wisher
                    return True
        return False

    for wisher in range(len(wishes)):
        find(wisher, set())
    return given


# --- a request ------------------------------------------------------------------------------------


class State(StrEnum):
    """Of a request."""

    PENDING = "pending"
    APPROVED = "approved"
    """All have approved; it is being carried out in the same transaction, so no request is found so."""
    DONE = "done"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    OVERTAKEN = "overtaken"
    """Approved, but the deal had moved on: nothing was done."""


@dataclass(frozen=True)
class Request:
    """What was asked. ``ended`` is how it ended, other than by a decision or by the clock."""

    requester: str
    steps: tuple[Step, ...]
    expires_at: datetime
    ended: State | None = None


@dataclass(frozen=True)
class Decision:
    """What ``by`` said of step number ``step``, in the own name or for ``giver``; ``fits`` are the places it can fill."""

    by: str
    step: int
    approves: bool
    at: datetime
    fits: tuple[Approver, ...] = ()
    giver: str | None = None
    reason: str = ""

    @property
    def behind(self) -> frozenset[str]:
        """Everybody whose word this is: who said it, and for whom."""
        return frozenset({self.by, self.giver or self.by})


class Standing(NamedTuple):
    """Where a request stands; while it is pending, the step that is open and whose word is still wanted in it."""

    state: State
    step: int = 0
    wanted: tuple[Approver, ...] = ()


def standing(request: Request, decisions: Sequence[Decision], now: datetime) -> Standing:
    """Return where the request stands. One refusal ends it; after ``expires_at`` an open one has expired."""
    if request.ended is not None:
        return Standing(request.ended)
    if any(not each.approves for each in decisions):
        return Standing(State.DECLINED)
    for number, step in enumerate(request.steps):
        wanted = _wanted(step, [each for each in decisions if each.step == number])
        if wanted:
            return Standing(State.EXPIRED if now > request.expires_at else State.PENDING, number, wanted)
    return Standing(State.APPROVED)


def _wanted(step: Step, approvals: Sequence[Decision]) -> tuple[Approver, ...]:
    filled = _matched([each.fits for each in approvals])
    if not step.all_of:
        return () if filled else step.approvers
    return tuple(each for each in step.approvers if each not in filled)


@dataclass(frozen=True)
class Delegation:
    """``taker`` decides for ``giver`` from ``first_on`` to ``last_on``, both included (UTC). It cannot be handed on."""

    giver: str
    taker: str
    first_on: date
    last_on: date

    def holds(self, on: date) -> bool:
        return self.first_on <= on <= self.last_on

    def meets(self, other: Delegation) -> bool:
        """True where some day lies in both."""
        return self.first_on <= other.last_on and other.first_on <= self.last_on


def delegation_fault(known: Sequence[Delegation], new: Delegation) -> str | None:
    """Return why a delegation may not be given: SELF, PERIOD or LOOP; None where it may."""
    if new.giver == new.taker:
        return "SELF"
    if new.last_on < new.first_on:
        return "PERIOD"
    reached, ahead = {new.taker}, [new.taker]
    while ahead:
        giver = ahead.pop()
        onward = {each.taker for each in known if each.giver == giver and each.meets(new)} - reached
        reached |= onward
        ahead += onward
    return "LOOP" if new.giver in reached else None


class Refused(Exception):
    """A word that does not count. ``code`` is one of ``REFUSALS``."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class _Said:
    """What a guard looks at."""

    request: Request
    decisions: Sequence[Decision]
    standing: Standing
    decision: Decision
    has_delegation: bool

    @property
    def approvals(self) -> Sequence[Decision]:
        return self.decisions if self.decision.approves else ()


_GUARDS: tuple[tuple[str, Callable[[_Said], bool]], ...] = (
    ("REQUEST_DONE", lambda said: said.standing.state in (State.DONE, State.APPROVED)),
    ("REQUEST_DECLINED", lambda said: said.standing.state is State.DECLINED),
    ("REQUEST_WITHDRAWN", lambda said: said.standing.state is State.WITHDRAWN),
    ("REQUEST_OVERTAKEN", lambda said: said.standing.state is State.OVERTAKEN),
    ("REQUEST_EXPIRED", lambda said: said.standing.state is State.EXPIRED),
    ("OWN_REQUEST", lambda said: said.decision.by == said.request.requester),
    ("FOR_REQUESTER", lambda said: said.decision.giver == said.request.requester),
    ("NO_DELEGATION", lambda said: said.decision.giver is not None and not said.has_delegation),
    ("SAME_PERSON", lambda said: any(said.decision.by == each.by for each in said.approvals)),
    ("SAME_AUTHORITY", lambda said: any(said.decision.behind & each.behind for each in said.approvals)),
    ("NOT_ASKED", lambda said: not said.decision.fits),
    ("REASON_MISSING", lambda said: not said.decision.approves and not said.decision.reason.strip()),
)
"""Code -> when a word is refused for it; the first that is met counts."""

REFUSALS = tuple(code for code, _ in _GUARDS)


def decide(
    request: Request,
    decisions: Sequence[Decision],
    decider: Person,
    *,
    approves: bool,
    now: datetime,
    reason: str = "",
    giver: Person | None = None,
    delegations: Sequence[Delegation] = (),
) -> Decision:
    """Return what ``decider`` says, for ``giver`` where one is named, as a decision to be recorded. Raises Refused.

    ``decider`` and ``giver`` carry the roles that they have now, not those of the day of the request.
    """
    stands = standing(request, decisions, now)
    authority = giver or decider
    places = _places(request, decisions, stands, approves=approves)
    fits = tuple(each for each in places if matches(authority, each))
    said = _Said(
        request, decisions, stands,
        Decision(decider.id, stands.step, approves, now, fits, giver.id if giver else None, reason.strip()),
        any(each.taker == decider.id and each.giver == authority.id and each.holds(now.date()) for each in delegations),
    )  # fmt: skip
    for code, is_met in _GUARDS:
        if is_met(said):
            raise Refused(code)
    return said.decision


def _places(request: Request, decisions: Sequence[Decision], stands: Standing, *, approves: bool) -> Sequence[Approver]:
    """The approvers of the open step; for an approval less those whose place no further word can fill.

    A place that is filled may still be had: who filled it may take another one of theirs.
    """
    if stands.state is not State.PENDING:
        return ()
    step = request.steps[stands.step]
    if not approves:
        return step.approvers
    said = [each.fits for each in decisions if each.step == stands.step]
    return [each for each in step.approvers if len(_matched([*said, (each,)])) > len(said)]
