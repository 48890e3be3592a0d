"""The fold over the statements: where each offer and each acceptance stands at a moment.

Status is a function of the statements, the regime and the moment; nothing is stored that could disagree with it.
An offer has a state of its own (``Standing.base``), which its acceptances cover while they hold all of its lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from heapq import heappop, heappush
from itertools import count, takewhile

from tradehub.documents import PartyId
from tradehub.negotiation.model import materiality
from tradehub.negotiation.model.materiality import Change
from tradehub.negotiation.model.regimes import Regime
from tradehub.negotiation.model.table import MOVES, Event
from tradehub.negotiation.model.values import (
    NEWS,
    PROPOSALS,
    UNSAID,
    Contract,
    ContractState,
    Kind,
    Negotiation,
    Offer,
    State,
    Statement,
)

PENDING_KINDS = frozenset(
    {*PROPOSALS, Kind.ACCEPT, Kind.REJECT, Kind.WITHDRAW, Kind.REVOKE, Kind.WITHDRAW_ACCEPTANCE, Kind.CANCEL}
)
"""Statements that count only when they reach. The others count when they are made: CISG 19(2) and 21 ask the offeror to
dispatch its notice, 18(3) and a signature are acts."""


@dataclass
class Standing:
    """An offer and where it stands. ``remaining`` are the quantities not yet accepted, by line.

    ``until`` is its last moment, from when it takes effect. ``ended_by`` is the offer whose reach ended it. ``is_given_up``:
    its offeror let it lapse, so that what accepts it afterwards is late however early it says that it was sent.
    """

    offer: Offer
    sent_at: datetime
    base: State
    reached_at: datetime | None = None
    until: datetime | None = None
    ended_at: datetime | None = None
    ended_by: str | None = None
    is_relied_on: bool = False
    is_given_up: bool = False
    remaining: dict[str, Decimal] = field(default_factory=dict)
    acceptances: list[Acceptance] = field(default_factory=list)

    @property
    def state(self) -> State:
        live = [each for each in self.acceptances if each.is_live]
        if not live or self.remaining:
            return self.base
        return next(state for held, state in _COVERED if held is None or any(each.state is held for each in live))


@dataclass
class Acceptance:
    """An acceptance and what has become of it. ``effective_at`` is when it took effect, in law."""

    statement: Statement
    standing: Standing
    by: PartyId
    lines: dict[str, Decimal]
    is_whole: bool
    change: Change = Change.NONE
    is_disputed: bool = False
    is_late: bool = False
    state: ContractState = ContractState.AWAITING_REACH
    effective_at: datetime | None = None
    window_until: datetime | None = None
    is_delayed: bool = False
    is_failed: bool = False
    concluded_at: datetime | None = None
    signed_by: set[PartyId] = field(default_factory=set)
    knocked_out: tuple[str, ...] = ()

    @property
    def is_live(self) -> bool:
        return not self.is_failed and self.state is not ContractState.NEVER_CONCLUDED

    @property
    def terms(self) -> Offer:
        """The offer whose document holds the terms agreed."""
        changed = self.statement.offer
        return changed if changed is not None and self.change is Change.IMMATERIAL else self.standing.offer


_COVERED: tuple[tuple[ContractState | None, State], ...] = (
    (ContractState.AWAITING_REACH, State.ACCEPTING),
    (ContractState.DISPUTED_TIME, State.DISPUTED),
    (ContractState.AWAITING_ELECTION, State.LATE_PENDING),
    (None, State.ACCEPTED),
)
"""What an offer's state is while acceptances hold all of it: the least advanced of them decides."""

AMENDABLE = frozenset({ContractState.CONCLUDED, ContractState.CONCLUDED_OBJECTABLE})
_ANSWERABLE = frozenset(
    {ContractState.CONCLUDED_OBJECTABLE, ContractState.AWAITING_ELECTION, ContractState.DISPUTED_TIME}
)
"""Acceptances that their offeror may answer, without undue delay."""


class Ledger:
    """Everything that ``of`` computed; ``now`` is the moment it holds for."""

    def __init__(self, negotiation: Negotiation) -> None:
        self.negotiation = negotiation
        self.now = UNSAID
        self.standings: dict[str, Standing] = {}
        self.acceptances: dict[str, Acceptance] = {}
        self.pending: dict[str, Statement] = {}
        self.failed: set[str] = set()
        self._open: dict[str, Standing] = {}
        self._due: list[tuple[datetime, int, Standing | Acceptance]] = []
        self._counted = count()
        self._known = 0
        self._withdrawals: dict[str, Acceptance] = {}

    @classmethod
    def of(cls, negotiation: Negotiation, now: datetime) -> Ledger:
        """Return how things stand at ``now``, or after the last statement where a clock lags behind it."""
        ledger = cls(negotiation)
        ledger.go_on(negotiation, now)
        return ledger

    def go_on(self, negotiation: Negotiation, now: datetime) -> None:
        """Take in what ``negotiation`` says beyond what is known here, and let time pass until ``now``, never back."""
        self.negotiation = negotiation
        for statement in negotiation.statements[self._known :]:
            self._pass(statement.at)
            self._note(statement, statement.at)
            self.now = max(self.now, statement.at)
        self._known = len(negotiation.statements)
        self.now = max(self.now, now)
        self._pass(self.now)

    # What is asked of it

    @property
    def regime(self) -> Regime:
        return self.negotiation.regime

    @property
    def states(self) -> dict[str, State]:
        return {id: standing.state for id, standing in self.standings.items()}

    def acceptance(self, about: str | None) -> Acceptance | None:
        """Return the acceptance of that id, or the latest of the offer of that id."""
        if about in self.acceptances:
            return self.acceptances[about]
        standing = self.standings.get(about or "")
        return standing.acceptances[-1] if standing and standing.acceptances else None

    def contracts(self) -> tuple[Contract, ...]:
        """Return what the acceptances brought about, oldest first, each with its amendments applied."""
        awaits = self.negotiation.ground.formation != "agreement"
        found = [_contract(each, awaits_signatures=awaits) for each in self.acceptances.values() if _counts(each)]
        for amendment in sorted(self._amendments(), key=lambda each: each.concluded_at or self.now):
            for place, contract in enumerate(found):
                named = amendment.standing.offer.amends in (contract.id, contract.offer.id)
                if named and contract.state in AMENDABLE:
                    found[place] = _amended(contract, amendment)
                    break
        return tuple(found)

    @property
    def is_closed(self) -> bool:
        """Whether the parties are agreed, so that nothing more can be offered but an amendment."""
        live = [each for each in self.acceptances.values() if each.is_live and each.standing.offer.amends is None]
        return bool(live) and not any(self._goes_on(each.standing) for each in live)

    def _goes_on(self, standing: Standing) -> bool:
        """Whether what is left of an offer is still talked of: it is open, or the counter-offer to it is (R11, R22)."""
        while standing.state is State.COUNTERED and standing.ended_by is not None:
            standing = self.standings[standing.ended_by]
        return standing.state is State.EFFECTIVE

    def deadline(self, offer: Offer) -> datetime | None:
        """Return the last moment at which acceptance counts (R17); None where no period has begun."""
        standing = self.standings.get(offer.id)
        if standing is not None and standing.until is not None:
            return standing.until
        reached = standing.reached_at if standing else None
        if offer.accept_by is not None:
            until = offer.accept_by
        elif reached is None:
            return None
        else:
            until = reached + (
                self.negotiation.ground.reasonable if offer.accept_within is None else offer.accept_within
            )
        return self.negotiation.calendar(offer.by).rolled(until) if self.regime.rolls_to_working_day else until

    def next_change(self) -> datetime | None:
        """Return the first moment after which the clock alone changes something; None where it never will."""
        return min((until for until, _, what in self._due if _is_awaited(what, until)), default=None)

    def is_irrevocable(self, offer: Offer, at: datetime) -> bool:
        """Whether ``offer`` cannot be revoked at ``at`` (CISG 16(2), PRC 476, UCC 2-205)."""
        standing = self.standings[offer.id]
        if standing.is_relied_on:
            return True
        if offer.irrevocable:
            return self.regime.firm_for is None or at <= standing.sent_at + self.regime.firm_for
        has_period = offer.accept_by is not None or offer.accept_within is not None
        return has_period and self.regime.fixed_period_is_irrevocable

    def change_of(self, statement: Statement, offer: Offer) -> Change:
        """Return what an acceptance's own terms make of it (R9, R10, R22, R24)."""
        changes = self.changes_of(statement, offer)
        if statement.lines and not offer.divisible:
            changes = (*changes, "lines")
        return materiality.judge(
            changes,
            regime=self.regime,
            as_is_only=offer.as_is_only,
            conditional=statement.conditional,
            agreed=self.negotiation.ground.materiality,
        )

    def changes_of(self, statement: Statement, offer: Offer) -> tuple[str, ...]:
        own = statement.standard_terms
        clash = own is not None and own != offer.standard_terms
        is_change = clash and not self._knocks_out(statement, offer)
        return (*statement.changes, "standard_terms") if is_change else statement.changes

    def _knocks_out(self, statement: Statement, offer: Offer) -> bool:
        """Whether standard terms in conflict fall away: agreed, and neither side says it is bound by its own only."""
        is_agreed = self.negotiation.ground.battle == "knock_out"
        return is_agreed and not (statement.conditional or offer.as_is_only)

    def stands(self, amended: str) -> bool:
        """Whether the contract of that id, or of the offer of that id, can be amended."""
        return any(amended in (each.id, each.offer.id) and each.state in AMENDABLE for each in self.contracts())

    # The passing of time

    def _pass(self, at: datetime) -> None:
        """Let happen, in their order, what the clock brings about before ``at``: a last moment itself still counts."""
        while self._due and self._due[0][0] < at:
            until, _, what = heappop(self._due)
            if isinstance(what, Standing):
                self._lapse(what, until)
            elif what.window_until == until:
                self._window_closes(what)

    def _await(self, until: datetime, what: Standing | Acceptance) -> None:
        heappush(self._due, (until, next(self._counted), what))

    def _lapse(self, standing: Standing, until: datetime) -> None:
        if standing.base is not State.EFFECTIVE:
            return
        if self._is_accepted_by_silence(standing, until):
            self._accept_by_silence(standing, until)
        standing.base = State.LAPSED
        standing.ended_at = until
        self._open.pop(standing.offer.id, None)

    def _is_accepted_by_silence(self, standing: Standing, until: datetime) -> bool:
        """Only where that is agreed, of one offer that was open until then, and not of what came too late to be read."""
        return (
            self.negotiation.ground.silence_accepts
            and standing.state is State.EFFECTIVE
            and standing.reached_at is not None
            and standing.reached_at <= until
            and (not self.is_closed if standing.offer.amends is None else self.stands(standing.offer.amends))
            and not self._is_answered(standing)
        )

    def _is_answered(self, standing: Standing) -> bool:
        """Whether the other side's answer is on its way. What the offeror says on its part counts once it reaches."""
        offer = standing.offer
        return any(
            each.about == offer.id and each.by != offer.by and each.id not in self.failed
            for each in self.pending.values()
        )  # fmt: skip

    def _accept_by_silence(self, standing: Standing, until: datetime) -> None:
        offer = standing.offer
        said = Statement(f"{offer.id}:silence", Kind.ACCEPT, self.negotiation.other(offer.by), offer.id, at=until)
        acceptance = self._hold(said, standing)
        self._effective(acceptance, until, until)

    def _window_closes(self, acceptance: Acceptance) -> None:
        if not acceptance.is_live:
            return
        if acceptance.state is ContractState.CONCLUDED_OBJECTABLE:
            self._form(acceptance)
        elif acceptance.state in (ContractState.AWAITING_ELECTION, ContractState.DISPUTED_TIME):
            self._undo(acceptance, State.LAPSED)

    # Statements

    def _note(self, statement: Statement, at: datetime) -> None:
        if statement.kind in NEWS:
            about = self.pending.get(statement.about or "")
            if about is not None and statement.kind is Kind.REACH:
                del self.pending[about.id]
                self._arrive(replace(about, delayed=True) if statement.delayed else about, at)
            elif about is not None:
                self._fail(about)
            return
        if statement.kind is Kind.ACCEPT:
            self._accept(statement)
        elif statement.offer is not None:
            self._propose(statement, statement.offer)
        elif statement.kind is Kind.WITHDRAW_ACCEPTANCE and (meant := self.acceptance(statement.about)) is not None:
            self._withdrawals[statement.id] = meant
        else:
            self._at_once(statement, at)
        if statement.kind in PENDING_KINDS:
            if statement.reached_at is not None:
                self._arrive(statement, statement.reached_at)
            else:
                self.pending[statement.id] = statement

    def _propose(self, statement: Statement, offer: Offer) -> None:
        opening = MOVES[State.NONE, Event.OFFER if offer.firm else Event.INVITE].to
        self.standings[offer.id] = Standing(offer, statement.dispatched_at, opening, remaining=dict(offer.lines))

    def _at_once(self, statement: Statement, at: datetime) -> None:
        acceptance = self.acceptance(statement.about)
        standing = self.standings.get(statement.about or "")
        by = statement.by
        match statement.kind:
            case Kind.PERFORM if standing is not None and standing.state is State.EFFECTIVE:
                self._effective(self._hold(statement, standing), at, at)
            case Kind.RELY if standing is not None:
                standing.is_relied_on = True
            case Kind.DISREGARD if standing is not None:
                self._move(standing, Event.DISREGARD, at)
            case Kind.RETRACT:
                self._retract(statement, at)
            case Kind.OBJECT if acceptance is not None:
                self._undo(acceptance, State.COUNTERED)
            case Kind.LAPSE_NOTICE if acceptance is not None:
                self._undo(acceptance, State.LAPSED)
            case Kind.ELECT_LATE | Kind.ADMIT_TIME if acceptance is not None:
                self._form(acceptance)
            case Kind.CONFIRM | Kind.SIGN if acceptance is not None and by is not None:
                acceptance.signed_by.add(by)
                self._form(acceptance, at)

    def _retract(self, statement: Statement, at: datetime) -> None:
        if statement.about in self.acceptances:
            self._take_back_acceptance(self.acceptances[statement.about])
        elif statement.about in self.standings:
            self._move(self.standings[statement.about], Event.RETRACT, at)

    def _arrive(self, statement: Statement, at: datetime) -> None:
        if statement.kind is Kind.ACCEPT and statement.id in self.acceptances:
            self.acceptances[statement.id].statement = statement
            self._acceptance_arrives(self.acceptances[statement.id], at)
        elif statement.offer is not None:
            self._takes_effect(statement, self.standings[statement.offer.id], at)
        elif statement.kind is Kind.WITHDRAW_ACCEPTANCE:
            self._withdraw_acceptance(statement, at)
        else:
            standing = self.standings[statement.about or ""]
            if statement.kind is Kind.REJECT:
                self._move(standing, Event.REJECT, at)
            elif statement.kind is Kind.CANCEL:
                self._move(standing, Event.CANCEL, at)
            else:
                self._take_back(statement, standing, at)

    def _fail(self, statement: Statement) -> None:
        self.failed.add(statement.id)
        acceptance = self.acceptances.get(statement.id)
        if acceptance is not None and acceptance.is_live and acceptance.state is ContractState.AWAITING_REACH:
            self._release(acceptance)
        elif statement.offer is not None and acceptance is None:
            standing = self.standings[statement.offer.id]
            self._move(standing, Event.FAIL, standing.sent_at)

    def _takes_effect(self, statement: Statement, standing: Standing, at: datetime) -> None:
        offer = standing.offer
        if not offer.firm:
            return
        self._move(standing, Event.REACH, at)
        if standing.base is not State.EFFECTIVE:
            return
        standing.reached_at = at
        standing.until = self.deadline(offer)
        self._reopen(standing)
        if statement.kind in (Kind.COUNTER, Kind.ACCEPT) and statement.about in self.standings:
            self._move(self.standings[statement.about], Event.COUNTER, at, by=offer.id)
        for earlier in self._earlier(offer):
            if not self.is_irrevocable(earlier.offer, at):
                self._move(earlier, Event.SUPERSEDE, at, by=offer.id)
        newer = next(self._newer(offer), None)
        if newer is not None and not self.is_irrevocable(offer, at):
            self._move(standing, Event.SUPERSEDE, at, by=newer.offer.id)

    def _reopen(self, standing: Standing) -> None:
        self._open[standing.offer.id] = standing
        if standing.until is not None:
            self._await(standing.until, standing)

    def _earlier(self, offer: Offer) -> Iterator[Standing]:
        """The open offers that a new one replaces: those that its party made before it."""
        newer = {each.offer.id for each in self._newer(offer)}
        for standing in list(self._open.values()):
            if _is_beside(standing.offer, offer) and standing.offer.id not in newer:
                yield standing

    def _newer(self, offer: Offer) -> Iterator[Standing]:
        """Offers that have reached before one of the same party that was made earlier, and that replaced it."""
        for standing in takewhile(lambda each: each.offer.id != offer.id, reversed(self.standings.values())):
            has_reached = standing.reached_at is not None and standing.base is not State.WITHDRAWN
            if has_reached and _is_beside(standing.offer, offer):
                yield standing

    def _take_back(self, statement: Statement, standing: Standing, at: datetime) -> None:
        """A withdrawal that reaches no later than the offer; otherwise it is a revocation (CISG 15(2), 16)."""
        if statement.kind is Kind.WITHDRAW:
            untouched = not standing.acceptances
            if standing.reached_at is None:
                self._move(standing, Event.WITHDRAW, at)
                return
            if standing.reached_at == at and standing.base is State.EFFECTIVE and untouched:
                self._end(standing, State.WITHDRAWN, at)
                self._never_reached(standing, at)
                return
        if not self.is_irrevocable(standing.offer, at):
            self._move(standing, Event.REVOKE, at)

    def _never_reached(self, standing: Standing, at: datetime) -> None:
        """What the reach of a withdrawn offer ended at this very moment goes on."""
        for other in self.standings.values():
            if other.ended_by == standing.offer.id and other.ended_at == at:
                other.base, other.ended_at, other.ended_by = State.EFFECTIVE, None, None
                self._reopen(other)

    # Acceptances

    def _accept(self, statement: Statement) -> None:
        standing = self.standings[statement.about or ""]
        change = self.change_of(statement, standing.offer)
        if change is Change.MATERIAL:
            if statement.offer is not None:
                self._propose(statement, statement.offer)
            return
        acceptance = self._hold(statement, standing)
        acceptance.change = change
        if change is Change.KNOCKED_OUT:
            acceptance.knocked_out = self.changes_of(statement, standing.offer)
        clash = statement.standard_terms not in (None, standing.offer.standard_terms)
        if clash and self._knocks_out(statement, standing.offer):
            acceptance.knocked_out = (*acceptance.knocked_out, "standard_terms")
        if standing.base in (State.REVOKED, State.SUPERSEDED):
            acceptance.is_disputed = not was_before(statement, standing.ended_at)
        acceptance.is_late = standing.is_given_up
        if statement.reached_at is None and self._is_timely_when_made(acceptance):
            self._effective(acceptance, statement.dispatched_at, None)

    def _is_timely_when_made(self, acceptance: Acceptance) -> bool:
        """Whether it takes effect without having to reach; one that is late or disputed has to, as any other."""
        until = self.deadline(acceptance.standing.offer)
        is_late = acceptance.is_late or (until is not None and acceptance.statement.dispatched_at > until)
        return self._counts_when_made(acceptance.standing.offer) and not (acceptance.is_disputed or is_late)

    def _counts_when_made(self, offer: Offer) -> bool:
        """The mailbox rule, or an order on a published catalogue that is itself the offer (PRC 491(2))."""
        by_catalogue = offer.catalogue and "catalogue" in self.regime.extra_steps
        return self.regime.acceptance_effective == "dispatch" or by_catalogue

    def _hold(self, statement: Statement, standing: Standing) -> Acceptance:
        """Reserve the lines that the acceptance speaks of."""
        wanted = {line: standing.remaining.get(line, Decimal(0)) for line in standing.offer.lines}
        if statement.lines and standing.offer.divisible:
            wanted = {line: wanted[line] if amount is None else amount for line, amount in statement.lines}
        lines = {line: amount for line, amount in wanted.items() if amount > 0}
        is_whole = lines == dict(standing.offer.lines)
        by = statement.by or self.negotiation.other(standing.offer.by)
        acceptance = Acceptance(statement, standing, by, lines, is_whole)
        self._take(acceptance)
        standing.acceptances.append(acceptance)
        self.acceptances[statement.id] = acceptance
        return acceptance

    @staticmethod
    def _take(acceptance: Acceptance) -> None:
        remaining = acceptance.standing.remaining
        for line, amount in acceptance.lines.items():
            left = remaining.get(line, Decimal(0)) - amount
            if left > 0:
                remaining[line] = left
            else:
                remaining.pop(line, None)

    def _acceptance_arrives(self, acceptance: Acceptance, at: datetime) -> None:
        if acceptance.is_failed:
            if not self._may_be_held_again(acceptance):
                return
            acceptance.is_failed = False
            self._take(acceptance)
        if acceptance.state is not ContractState.AWAITING_REACH:
            self._window_opens(acceptance, at)
            return
        statement, standing = acceptance.statement, acceptance.standing
        by_dispatch = self._counts_when_made(standing.offer)
        effective_at = statement.dispatched_at if by_dispatch else at
        claimed = statement.claimed_at if by_dispatch else None
        until = self.deadline(standing.offer)
        if acceptance.is_disputed:
            self._wait(acceptance, ContractState.DISPUTED_TIME, claimed or effective_at, at)
        elif acceptance.is_late:
            self._wait(acceptance, ContractState.AWAITING_ELECTION, at, at)
        elif until is None or effective_at <= until:
            self._effective(acceptance, effective_at, at)
        elif statement.delayed and statement.dispatched_at <= until:
            acceptance.is_delayed = True
            self._wait(acceptance, ContractState.CONCLUDED_OBJECTABLE, effective_at, at)
        elif claimed is not None and claimed <= until:
            self._wait(acceptance, ContractState.DISPUTED_TIME, claimed, at)
        else:
            self._wait(acceptance, ContractState.AWAITING_ELECTION, at, at)

    def _may_be_held_again(self, acceptance: Acceptance) -> bool:
        standing = acceptance.standing
        is_in_time = standing.state in (State.EFFECTIVE, State.LAPSED)
        if standing.state in (State.REVOKED, State.SUPERSEDED):
            is_in_time = acceptance.is_disputed or was_before(acceptance.statement, standing.ended_at)
        return is_in_time and all(
            standing.remaining.get(line, Decimal(0)) >= amount for line, amount in acceptance.lines.items()
        )

    def _effective(self, acceptance: Acceptance, at: datetime, reached_at: datetime | None) -> None:
        if acceptance.change is Change.IMMATERIAL:
            self._wait(acceptance, ContractState.CONCLUDED_OBJECTABLE, at, reached_at)
            return
        acceptance.effective_at = at
        self._form(acceptance)

    def _wait(
        self, acceptance: Acceptance, state: ContractState, effective_at: datetime, reached_at: datetime | None
    ) -> None:
        acceptance.state = state
        acceptance.effective_at = effective_at
        self._window_opens(acceptance, reached_at)

    def _window_opens(self, acceptance: Acceptance, reached_at: datetime | None) -> None:
        """The offeror's time to answer starts once the acceptance has reached it, whenever it took effect."""
        if reached_at is not None and acceptance.window_until is None and acceptance.state in _ANSWERABLE:
            acceptance.window_until = reached_at + self.negotiation.ground.undue_delay
            self._await(acceptance.window_until, acceptance)

    def _form(self, acceptance: Acceptance, at: datetime | None = None) -> None:
        """Conclude, at the moment the acceptance took effect, or at the last signature where that is agreed (R21)."""
        both = {self.negotiation.buyer, self.negotiation.seller}
        if self.negotiation.ground.formation == "agreement":
            acceptance.state = ContractState.CONCLUDED
            acceptance.concluded_at = acceptance.concluded_at or acceptance.effective_at
        elif acceptance.signed_by >= both:
            acceptance.state = ContractState.CONCLUDED
            acceptance.concluded_at = acceptance.concluded_at or at
        else:
            acceptance.state = ContractState.AWAITING_CONFIRMATION

    def _withdraw_acceptance(self, statement: Statement, at: datetime) -> None:
        acceptance = self._withdrawals.get(statement.id)
        if acceptance is None or acceptance.state is ContractState.NEVER_CONCLUDED:
            return
        if acceptance.is_failed:
            self.pending.pop(acceptance.statement.id, None)
        elif acceptance.state is ContractState.AWAITING_REACH or acceptance.effective_at == at:
            self._take_back_acceptance(acceptance)

    def _take_back_acceptance(self, acceptance: Acceptance) -> None:
        """Release it for good: even if its message still arrives, it says nothing any more."""
        self.pending.pop(acceptance.statement.id, None)
        self._release(acceptance)

    def _release(self, acceptance: Acceptance) -> None:
        """Let go of the lines: the acceptance could not be delivered, or was taken back in time."""
        acceptance.is_failed = True
        self._give_back(acceptance)

    def _undo(self, acceptance: Acceptance, base: State) -> None:
        """No contract after all; the offer is dead as well."""
        acceptance.state = ContractState.NEVER_CONCLUDED
        acceptance.concluded_at = None
        self._give_back(acceptance)
        self._open.pop(acceptance.standing.offer.id, None)
        acceptance.standing.base = base
        acceptance.standing.is_given_up = base is State.LAPSED

    @staticmethod
    def _give_back(acceptance: Acceptance) -> None:
        remaining = acceptance.standing.remaining
        for line, amount in acceptance.lines.items():
            remaining[line] = remaining.get(line, Decimal(0)) + amount

    # Moves

    def _move(self, standing: Standing, event: Event, at: datetime, *, by: str | None = None) -> None:
        """Make the move if the table has it; an event that finds no row leaves the offer where it is.

        What takes an offer back finds its own state: an acceptance dispatched before holds that off only while it lives.
        """
        move = MOVES.get((standing.base if event in (Event.REVOKE, Event.SUPERSEDE) else standing.state, event))
        if move is not None:
            self._end(standing, move.to, at, by=by)

    def _end(self, standing: Standing, state: State, at: datetime, *, by: str | None = None) -> None:
        standing.base = state
        if state not in (State.EFFECTIVE, State.UNDELIVERED):
            standing.ended_at = at
            standing.ended_by = by
            self._open.pop(standing.offer.id, None)

    def _amendments(self) -> list[Acceptance]:
        return [
            each
            for each in self.acceptances.values()
            if each.is_live and each.standing.offer.amends is not None and each.state is ContractState.CONCLUDED
        ]


def _is_awaited(what: Standing | Acceptance, until: datetime) -> bool:
    """Whether the moment still brings anything about."""
    if isinstance(what, Standing):
        return what.base is State.EFFECTIVE and what.until == until
    return what.is_live and what.window_until == until and what.state in _ANSWERABLE


def _is_beside(one: Offer, other: Offer) -> bool:
    """Whether both are one party's, about the same, and not alternatives: the newer of them replaces the older."""
    is_alternative = one.group is not None and one.group == other.group
    return one.id != other.id and (one.by, one.amends) == (other.by, other.amends) and not is_alternative


def was_before(statement: Statement, moment: datetime | None) -> bool:
    """Whether ``statement`` was, as far as that is proven, dispatched before ``moment``."""
    return moment is not None and statement.dispatched_at < moment


def _counts(acceptance: Acceptance) -> bool:
    """Whether it is about a contract of its own: not an amendment, and not one that never arrived."""
    return acceptance.standing.offer.amends is None and not acceptance.is_failed


def _contract(acceptance: Acceptance, *, awaits_signatures: bool) -> Contract:
    objectable = acceptance.state is ContractState.CONCLUDED_OBJECTABLE
    stands = objectable and not awaits_signatures
    concluded = acceptance.effective_at if stands else acceptance.concluded_at
    return Contract(
        id=acceptance.statement.id,
        offer=acceptance.standing.offer,
        accepted_by=acceptance.by,
        state=acceptance.state,
        concluded_at=concluded,
        terms=acceptance.terms,
        lines={} if acceptance.is_whole else dict(acceptance.lines),
        knocked_out=acceptance.knocked_out,
        objectable_until=acceptance.window_until if objectable else None,
        signed_by=frozenset(acceptance.signed_by),
    )


def _amended(contract: Contract, amendment: Acceptance) -> Contract:
    ends = amendment.standing.offer.terminates
    state = ContractState.TERMINATED if ends else contract.state
    return replace(contract, terms=amendment.terms, version=contract.version + 1, state=state)
