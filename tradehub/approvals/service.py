"""Asking and approving: whether somebody may bind alone, what others are asked, and carrying out what they agreed to.

Each use case takes the caller's write session and is one transaction there, with its entry in the organisation's chain
``approvals:<org>``. Roles are read in that transaction, not taken from the page: who lost one since may no longer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tradehub.approvals import model, store
from tradehub.approvals.model import TOKEN_ROLE, NotAllowed, Person, Policy, Refused, Standing, State
from tradehub.approvals.store import DecisionRow, DelegationRow, NotedRow, PolicyRow, RequestRow
from tradehub.documents.parts import Money, PartyId
from tradehub.partners.authority import (
    Allowed,
    Approver,
    Asker,
    Binding,
    Forbidden,
    Needs,
    Overtaken,
    Step,
    Verdict,
    Wanted,
)
from tradehub.platform import audit, clock, ids, paging
from tradehub.platform.security import ROLES, ApiToken, Membership, User, permissions_of

LISTED_MAX = 500
"""Requests in one list, newest first."""

TOLD_FOR = timedelta(days=90)
"""How long the work queue keeps what has ended and was not taken note of: a quarter, then it is history."""

DECIDES = "approval.decide"
BINDS = frozenset({"deal.bind", "deal.negotiate"})

BINDING_ROLES = tuple(role for role, allowed in ROLES.items() if allowed & BINDS)
"""The roles that a policy may give a limit, and ask for approval."""

R8 = ("R8", "CISG 18(1), MLEC 13")

Execute = Callable[[Session, Asker, Wanted], None]
"""Do what was approved, in the caller's transaction. Raises Overtaken where it can no longer be done."""


class NotFound(Exception):
    """No such request or delegation, or none of the session's organisation."""


class PolicyRefused(Exception):
    """A policy that may not be stated; ``faults`` say why."""

    def __init__(self, faults: Sequence[model.Fault]) -> None:
        self.faults = faults
        super().__init__(", ".join(f"{each.place}: {each.code}" for each in faults))


class PolicyChanged(Exception):
    """Another version came in between the form and its saving."""


@dataclass(frozen=True)
class Member:
    """Somebody of the organisation, with the roles of this moment."""

    id: str
    name: str
    roles: frozenset[str]

    @property
    def person(self) -> Person:
        return Person(self.id, self.roles, may_ask=bool(permissions_of(self.roles) & BINDS))

    @property
    def may_decide(self) -> bool:
        return DECIDES in permissions_of(self.roles)


@dataclass(frozen=True)
class Voice:
    """A way in which somebody may decide: in the own name, or for ``giver``."""

    giver: Member | None
    may_approve: bool
    may_decline: bool


@dataclass(frozen=True)
class StepView:
    step: Step
    state: str  # "done" | "now" | "ahead"
    people: Mapping[Approver, tuple[str, ...]]
    decisions: tuple[DecisionRow, ...]


@dataclass(frozen=True)
class RequestView:
    """A request as one of the organisation's people sees it."""

    row: RequestRow
    standing: Standing
    steps: tuple[StepView, ...]
    voices: tuple[Voice, ...]
    is_mine: bool
    to_note: bool

    @property
    def state(self) -> State:
        return self.standing.state

    @property
    def may_approve(self) -> bool:
        return any(each.may_approve for each in self.voices)

    @property
    def searched(self) -> str:
        return f"{self.row.title} {self.row.partner_name} {self.row.requester_name}".casefold()

    @property
    def may_withdraw(self) -> bool:
        return self.is_mine and self.state is State.PENDING


class ApprovalService:
    """``execute`` does what was approved; ``hub`` leads it to the capability whose act it is."""

    def __init__(self, execute: Execute) -> None:
        self._execute = execute

    # May this be done?

    def authorise(self, session: Session, asker: Asker, binding: Binding) -> Verdict:
        """Return whether the act may be done now, by whom it must be approved first, or why it may not.

        What the organisation's own system says by message is allowed: the agreement with the partner is its authority.
        An act that carries out a request is allowed once all have approved it, and only as it was asked for.
        """
        if asker.channel == "message":
            return Allowed()
        if asker.approval is not None:
            return self._approved(session, asker.approval, binding)
        version, policy = self._in_force(session, asker.org)
        requester = self._requester(session, asker)
        if (
            requester is None
        ):  # nobody on the pages: the operator, who has the database in hand, while no rule is stated
            return Allowed() if asker.user_id is None and version == 0 else Forbidden("NO_AUTHORITY")
        steps = _required(policy, binding, requester)
        if steps == ():
            return Allowed()
        most = _most_alone(policy, binding, requester)
        if isinstance(steps, NotAllowed):
            return Forbidden(steps.code, most=most)
        deciders = [each for each in self.members(session, asker.org).values() if each.may_decide]
        if not model.can_be_met(steps, requester.id, [each.person for each in deciders]):
            return Forbidden("NO_APPROVER", most=most)
        return Needs(steps, _people(steps, deciders, but=requester.id), most=most)

    def _approved(self, session: Session, request_id: str, binding: Binding) -> Verdict:
        row = store.request_row(session, request_id)
        same = row is not None and row.wanted.binding == binding
        if row is None or not same or model.standing(row.request, row.said, clock.now()).state is not State.APPROVED:
            return Forbidden("NO_AUTHORITY")
        return Allowed()

    def _requester(self, session: Session, asker: Asker) -> Person | None:
        member = self.members(session, asker.org).get(asker.user_id or "")
        if member is not None:
            return member.person
        token = session.get(ApiToken, asker.user_id or "")
        if token is None or token.org != asker.org or token.revoked_at or token.expires_at <= clock.now():
            return None
        return Person(token.id, frozenset({TOKEN_ROLE}), may_ask="deal.bind" in token.scopes)

    def members(self, session: Session, org: str) -> dict[str, Member]:
        """Return the people of the organisation by user id, in order of name; who is shut out is not among them."""
        found = select(User, Membership).join(Membership, Membership.user_id == User.id)
        found = found.where(Membership.org == org, User.disabled_at.is_(None)).order_by(User.name, User.id)
        return {user.id: Member(user.id, user.name, frozenset(of.roles)) for user, of in session.execute(found)}

    # Asking

    def ask(
        self, session: Session, asker: Asker, wanted: Wanted, *, note: str = "", request_key: str | None = None
    ) -> str:
        """Ask for approval of what is wanted, frozen as it is, and return the request's id.

        The same ``request_key``, or the same thing while it is pending, gives the first request. Raises Refused with
        the verdict's code where nobody can approve it, NOT_NEEDED where nobody has to.
        """
        known = store.request_by_key(session, asker.org, request_key) if request_key else None
        if known is not None:
            return known.id
        verdict = self.authorise(session, asker, wanted.binding)
        if not isinstance(verdict, Needs):
            raise Refused("NOT_NEEDED" if isinstance(verdict, Allowed) else verdict.code)
        now = clock.now()
        for each in self._open(session, asker.org, RequestRow.deal_id == wanted.binding.deal_id):
            if each.digest == store.digest(wanted):
                return each.id
        row = self._asked(session, asker, wanted, verdict.steps, note=note, request_key=request_key or None, at=now)
        self._record(session, row.org, asker.user_id, "approval.asked", row, at=now, steps=row.steps, note=row.note)
        return row.id

    def _asked(
        self,
        session: Session,
        asker: Asker,
        wanted: Wanted,
        steps: tuple[Step, ...],
        *,
        note: str,
        request_key: str | None,
        at: datetime,
    ) -> RequestRow:
        version, policy = self._in_force(session, asker.org)
        binding = wanted.binding
        row = RequestRow(
            id=ids.new_id(), org=asker.org, act=str(binding.act), deal_id=binding.deal_id, partner=binding.partner,
            partner_name=wanted.partner_name, title=wanted.title, amount=binding.amount, currency=binding.currency,
            categories=list(binding.categories), offer_id=wanted.offer_id, expected_version=wanted.expected_version,
            terms_hash=wanted.terms_hash, payload=store.frozen(wanted), until=wanted.until, note=note.strip(),
            requester_id=asker.user_id or "", requester_name=asker.name, channel=asker.channel, policy_version=version,
            steps=store.STEPS.dump_python(steps, mode="json"), asked_at=at,
            expires_at=at + timedelta(days=policy.days), request_key=request_key,
        )  # fmt: skip
        session.add(row)
        session.flush()
        return row

    def withdraw(self, session: Session, asker: Asker, request_id: str) -> None:
        """Take back one's own request. Raises Refused where it has ended, NotFound where it is somebody else's."""
        row = self._locked(session, request_id)
        if row.requester_id != asker.user_id:
            raise NotFound(request_id)
        state = model.standing(row.request, row.said, clock.now()).state
        if state is not State.PENDING:
            raise Refused(f"REQUEST_{state.upper()}")
        self._end(session, row, State.WITHDRAWN, by=asker.user_id)

    # Deciding

    def decide(
        self,
        session: Session,
        asker: Asker,
        request_id: str,
        *,
        approves: bool,
        reason: str = "",
        giver: str | None = None,
    ) -> State:
        """Record what somebody says, for ``giver`` where one is named, and return the request's state after it.

        The last approval carries the act out in the same transaction: DONE, or OVERTAKEN where it can no longer be
        done, with nothing of it done. Raises Refused, or NotFound.
        """
        row = self._locked(session, request_id)
        members = self.members(session, row.org)
        decider = members.get(asker.user_id or "")
        if decider is None or not decider.may_decide:
            raise Refused("NOT_ASKED")
        for_whom = members.get(giver) if giver else None
        if giver and for_whom is None:
            raise Refused("NO_DELEGATION")
        now = clock.now()
        said = model.decide(
            row.request, row.said, decider.person, approves=approves, now=now, reason=reason,
            giver=for_whom.person if for_whom else None,
            delegations=[each.delegation for each in store.delegation_rows(session, row.org)],
        )  # fmt: skip
        giver_name = for_whom.name if for_whom else None
        store.add_decision(session, row, said, by_name=decider.name, giver_name=giver_name)
        self._record(
            session, row.org, decider.id, "approval.approved" if approves else "approval.declined", row, at=now,
            step=said.step, giver=said.giver, reason=said.reason,
        )  # fmt: skip
        state = model.standing(row.request, row.said, now).state
        if state is State.DECLINED:
            self._end(session, row, State.DECLINED, by=decider.id)
        elif state is State.APPROVED:
            state = self._carry_out(session, row, by=decider.id)
        return state

    def _carry_out(self, session: Session, row: RequestRow, *, by: str) -> State:
        """Do what was approved, or end the request as overtaken with the reason; a savepoint keeps it whole."""
        asker = Asker(PartyId(row.org), row.requester_id, row.requester_name, row.channel, approval=row.id)
        try:
            self._check_requester(session, row)
            with session.begin_nested():
                self._execute(session, asker, row.wanted)
        except Overtaken as overtaken:
            why = {"code": overtaken.code, "rule": overtaken.rule, "article": overtaken.article}
            if overtaken.detail:
                why["detail"] = overtaken.detail
            return self._end(session, row, State.OVERTAKEN, by=by, why=why)
        return self._end(session, row, State.DONE, by=by)

    def _check_requester(self, session: Session, row: RequestRow) -> None:
        """Raises Overtaken where the requester's roles, or the policy, now take more than was asked for (X8)."""
        asker = Asker(PartyId(row.org), row.requester_id, row.requester_name, row.channel)
        version, policy = self._in_force(session, row.org)
        requester = self._requester(session, asker)
        if requester is None:
            raise Overtaken("NO_AUTHORITY", *R8)
        steps = _required(policy, row.wanted.binding, requester)
        if isinstance(steps, NotAllowed):
            raise Overtaken(steps.code, *R8)
        if Counter(steps) - Counter(row.request.steps):
            raise Overtaken("NO_AUTHORITY" if version == row.policy_version else "POLICY_CHANGED", *R8)

    def _end(
        self, session: Session, row: RequestRow, state: State, *, by: str | None, why: dict[str, Any] | None = None
    ) -> State:
        row.ended, row.ended_at, row.why = str(state), clock.now(), why
        session.flush()
        if state is not State.DECLINED:  # a refusal is its own entry
            self._record(session, row.org, by, f"approval.{state}", row, at=row.ended_at, why=why)
        return state

    def take_note(self, session: Session, asker: Asker, request_id: str) -> None:
        """Let a request that has ended leave this person's work queue."""
        row = store.request_row(session, request_id)
        if row is None or asker.user_id is None:
            raise NotFound(request_id)
        if session.get(NotedRow, (row.id, asker.user_id)) is None:
            session.add(NotedRow(request_id=row.id, user_id=asker.user_id, org=row.org, at=clock.now()))

    # Looking

    def view(self, session: Session, asker: Asker, request_id: str) -> RequestView:
        """Raises NotFound."""
        row = store.request_row(session, request_id)
        if row is None:
            raise NotFound(request_id)
        return self._views(session, asker, [row])[0]

    def inbox(self, session: Session, asker: Asker) -> list[RequestView]:
        """Return what this person may approve now, the soonest to expire first."""
        views = self._views(session, asker, self._open(session, asker.org))
        return sorted((each for each in views if each.may_approve), key=lambda each: each.row.expires_at)

    def mine(self, session: Session, asker: Asker) -> list[RequestView]:
        rows = session.scalars(_newest(RequestRow.org == asker.org, RequestRow.requester_id == asker.user_id)).all()
        return self._views(session, asker, rows)

    def history(self, session: Session, asker: Asker, text: str = "") -> list[RequestView]:
        """Return the organisation's requests in whose deal, partner or requester each word of ``text`` stands."""
        views = self._views(session, asker, session.scalars(_newest(RequestRow.org == asker.org)).all())
        words = text.casefold().split()
        return [each for each in views if all(word in each.searched for word in words)]

    def page(
        self, session: Session, asker: Asker, *, cursor: str | None, size: int
    ) -> tuple[list[RequestView], str | None]:
        """Return a page of the organisation's requests, the latest first, and the cursor of the next."""
        wanted = select(RequestRow).where(RequestRow.org == asker.org)
        rows, following = paging.page(session, wanted, RequestRow.asked_at, RequestRow.id, cursor, size)
        return self._views(session, asker, rows), following

    def to_note(self, session: Session, asker: Asker) -> list[RequestView]:
        """Return what has ended and concerns this person: the own requests, and approved ones that were overtaken."""
        decided = select(DecisionRow.request_id).where(DecisionRow.by_id == asker.user_id)
        rows = session.scalars(
            _newest(
                RequestRow.org == asker.org,
                RequestRow.asked_at > clock.now() - TOLD_FOR,
                or_(RequestRow.requester_id == asker.user_id, RequestRow.id.in_(decided)),
            )
        ).all()
        return [each for each in self._views(session, asker, rows) if each.to_note]

    def of_deal(self, session: Session, asker: Asker, deal_id: str) -> list[RequestView]:
        rows = session.scalars(_newest(RequestRow.org == asker.org, RequestRow.deal_id == deal_id)).all()
        return self._views(session, asker, rows)

    def _open(self, session: Session, org: str, *more: Any) -> Sequence[RequestRow]:
        still = (RequestRow.org == org, RequestRow.ended.is_(None), RequestRow.expires_at >= clock.now())
        return session.scalars(_newest(*still, *more)).all()

    def _views(self, session: Session, asker: Asker, rows: Sequence[RequestRow]) -> list[RequestView]:
        if not rows:
            return []
        members = self.members(session, asker.org)
        noted = set(session.scalars(select(NotedRow.request_id).where(NotedRow.user_id == asker.user_id)))
        delegations = [each.delegation for each in store.delegation_rows(session, asker.org)]
        return [self._view(asker, row, members, delegations, row.id in noted) for row in rows]

    def _view(
        self,
        asker: Asker,
        row: RequestRow,
        members: Mapping[str, Member],
        delegations: Sequence[model.Delegation],
        is_noted: bool,
    ) -> RequestView:
        now = clock.now()
        request, said = row.request, row.said
        stands = model.standing(request, said, now)
        me = members.get(asker.user_id or "")
        is_mine = row.requester_id == asker.user_id
        decided = any(each.by_id == asker.user_id for each in row.decisions)
        news = stands.state not in (State.PENDING, State.WITHDRAWN) if is_mine else stands.state is State.OVERTAKEN
        people = _people(request.steps, [each for each in members.values() if each.may_decide], but=row.requester_id)
        voices: list[Voice] = []
        if me is not None and me.may_decide and stands.state is State.PENDING:
            givers = {each.giver for each in delegations if each.taker == me.id and each.holds(now.date())}
            for giver in (None, *(members[each] for each in sorted(givers) if each in members)):
                voices += _voice(request, said, me, giver, delegations, now)
        return RequestView(
            row, stands, _step_views(row, request.steps, stands, people), tuple(voices), is_mine,
            to_note=(is_mine or decided) and news and not is_noted,
        )  # fmt: skip

    # The policy

    def policy(self, session: Session, org: str, version: int | None = None) -> PolicyRow | None:
        return store.policy_row(session, org, version)

    def policies(self, session: Session, org: str) -> Sequence[PolicyRow]:
        return store.policy_rows(session, org)

    def _in_force(self, session: Session, org: str) -> tuple[int, Policy]:
        """Return the version and the policy; version 0 where none is stated: whoever holds ``deal.bind`` binds."""
        row = store.policy_row(session, org)
        if row is not None:
            return row.version, row.policy
        holders = [role for role, allowed in ROLES.items() if "deal.bind" in allowed]
        return 0, model.unwritten([*holders, TOKEN_ROLE])

    def faults(self, session: Session, org: str, policy: Policy) -> tuple[model.Fault, ...]:
        people = [each.id for each in self.members(session, org).values() if each.may_decide]
        return model.faults(policy, roles=BINDING_ROLES, people=people)

    def state_policy(self, session: Session, asker: Asker, policy: Policy, *, expected_version: int) -> int:
        """Put a new version in force and return its number. Raises PolicyRefused or PolicyChanged."""
        now = clock.now()
        document = store.POLICY.dump_python(policy, mode="json")
        # The entry first: it makes two who save at once wait for each other.
        self._record(session, asker.org, asker.user_id, "approval.policy", None, at=now,
                     version=expected_version + 1, policy=document)  # fmt: skip
        found = self.faults(session, asker.org, policy)
        if found:
            raise PolicyRefused(found)
        row = store.policy_row(session, asker.org)
        if (row.version if row else 0) != expected_version:
            raise PolicyChanged
        session.add(
            PolicyRow(
                org=asker.org, version=expected_version + 1, document=document, made_by=asker.user_id or "",
                made_by_name=asker.name, at=now,
            )
        )  # fmt: skip
        session.flush()
        return expected_version + 1

    # Delegates

    def delegations(self, session: Session, org: str) -> Sequence[DelegationRow]:
        return store.delegation_rows(session, org)

    def delegate(self, session: Session, asker: Asker, taker: str, first_on: date, last_on: date) -> str:
        """Let ``taker`` decide for the asker in that time, and return the delegation's id.

        Raises Refused: SELF, PERIOD, LOOP, or TAKER for somebody who may not decide at all.
        """
        now = clock.now()
        new = model.Delegation(asker.user_id or "", taker, first_on, last_on)
        row = DelegationRow(
            id=ids.new_id(), org=asker.org, giver=new.giver, giver_name=asker.name, taker=taker, taker_name="",
            first_on=first_on, last_on=last_on, made_at=now,
        )  # fmt: skip
        # The entry first: two who delegate to each other at once wait here, and the second sees the first.
        self._record(session, asker.org, asker.user_id, "approval.delegated", None, at=now, delegation=row.id,
                     taker=taker, first_on=first_on.isoformat(), last_on=last_on.isoformat())  # fmt: skip
        member = self.members(session, asker.org).get(taker)
        if member is None or not member.may_decide:
            raise Refused("TAKER")
        fault = model.delegation_fault([each.delegation for each in store.delegation_rows(session, asker.org)], new)
        if fault is not None:
            raise Refused(fault)
        row.taker_name = member.name
        session.add(row)
        session.flush()
        return row.id

    def end_delegation(self, session: Session, asker: Asker, delegation_id: str) -> None:
        """Take back a delegation that one has given. Raises NotFound."""
        row = session.get(DelegationRow, delegation_id)
        if row is None or row.giver != asker.user_id or row.org != asker.org:
            raise NotFound(delegation_id)
        if row.ended_at is None:
            row.ended_at = clock.now()
            self._record(session, row.org, row.giver, "approval.delegation_ended", None, at=row.ended_at,
                         delegation=row.id)  # fmt: skip

    def _locked(self, session: Session, request_id: str) -> RequestRow:
        row = store.request_row(session, request_id, lock=True)
        if row is None:
            raise NotFound(request_id)
        return row

    def _record(
        self,
        session: Session,
        org: str,
        actor: str | None,
        action: str,
        row: RequestRow | None,
        *,
        at: datetime,
        **details: Any,
    ) -> None:
        """Add an entry; one about a request names what was to be done by its SHA-256."""
        about = {} if row is None else {
            "act": row.act, "deal": row.deal_id, "amount": None if row.amount is None else str(row.amount),
            "currency": row.currency, "what": row.digest, "requester": row.requester_id,
        }  # fmt: skip
        audit.append(
            session, chain=f"approvals:{org}", org=org, actor=actor, action=action,
            subject=row.id if row else None, details=about | details, at=at,
        )  # fmt: skip


def _required(policy: Policy, binding: Binding, requester: Person) -> tuple[Step, ...] | NotAllowed:
    """Return what the act takes towards each of its partners; what is alike is asked for once."""
    amount = None
    if binding.amount is not None and binding.currency is not None:
        amount = Money(amount=binding.amount, currency=binding.currency)
    steps: list[Step] = []
    for partner in (binding.partner, *binding.others):
        found = model.required(
            policy, binding.act, amount, requester, partner=partner, categories=binding.categories
        )  # fmt: skip
        if isinstance(found, NotAllowed):
            return found
        known = Counter((each.approvers, each.all_of) for each in steps)
        for each in found:
            key = (each.approvers, each.all_of)
            if known[key]:
                known[key] -= 1
            else:
                steps.append(each)
    return tuple(steps)


def _most_alone(policy: Policy, binding: Binding, requester: Person) -> Money | None:
    if binding.currency is None:
        return None
    found = [
        model.most_alone(
            policy, binding.act, binding.currency, requester, partner=each, categories=binding.categories
        )
        for each in (binding.partner, *binding.others)
    ]  # fmt: skip
    told = [each for each in found if each is not None]
    return min(told, key=lambda each: each.amount) if len(told) == len(found) else None


def _people(steps: Sequence[Step], members: Sequence[Member], *, but: str) -> dict[Approver, tuple[str, ...]]:
    """Return by approver the names of those who are meant today."""
    return {
        each: tuple(one.name for one in members if one.id != but and model.matches(one.person, each))
        for step in steps
        for each in step.approvers
    }


def _step_views(
    row: RequestRow, steps: Sequence[Step], stands: Standing, people: Mapping[Approver, tuple[str, ...]]
) -> tuple[StepView, ...]:
    is_open = stands.state in (State.PENDING, State.EXPIRED)
    reached = stands.step if is_open else max((each.step + each.approves for each in row.decisions), default=0)
    return tuple(
        StepView(
            step, "done" if number < reached else "now" if number == reached and is_open else "ahead", people,
            tuple(each for each in row.decisions if each.step == number),
        )
        for number, step in enumerate(steps)
    )  # fmt: skip


def _voice(
    request: model.Request,
    said: Sequence[model.Decision],
    me: Member,
    giver: Member | None,
    delegations: Sequence[model.Delegation],
    now: datetime,
) -> list[Voice]:
    """Return the voice if anything can be said with it."""

    def counts(approves: bool) -> bool:
        try:
            model.decide(
                request, said, me.person, approves=approves, now=now, reason="?",
                giver=giver.person if giver else None, delegations=delegations,
            )  # fmt: skip
        except Refused:
            return False
        return True

    voice = Voice(giver, counts(True), counts(False))
    return [voice] if voice.may_approve or voice.may_decline else []


def _newest(*conditions: Any) -> Any:
    return (
        select(RequestRow)
        .where(*conditions)
        .order_by(RequestRow.asked_at.desc(), RequestRow.id.desc())
        .limit(LISTED_MAX)
    )
