"""Asking and approving over a real database: what is done, what is not, and what is on record of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from tests.approvals import race
from tests.approvals.conftest import LIMITS
from tests.negotiation.conftest import DELTA, terms
from tests.negotiation.words import HAIDI
from tradehub.approvals import service as approvals
from tradehub.approvals.model import TOKEN_ROLE, Chain, ChainStep, Fault, Limit, Policy, Rate, Refused, State, Threshold
from tradehub.approvals.service import NotFound, PolicyChanged, PolicyRefused
from tradehub.approvals.store import DecisionRow, RequestRow
from tradehub.documents import PartyId
from tradehub.documents.parts import Money
from tradehub.negotiation.model import Kind
from tradehub.negotiation.recording import Misfit
from tradehub.negotiation.store import StatementRow
from tradehub.partners.authority import Act, Allowed, Approver, Asker, Binding, Forbidden, Needs
from tradehub.platform import audit, clock
from tradehub.platform.security import Security

on_sqlite = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
"""For a table of cases that differ in the rules, not in what the database does."""

TWO = replace(LIMITS, thresholds=(Threshold("USD", Decimal(1000)),))


def kinds(firm, deal) -> list[str]:
    return [str(each.kind) for each in firm.load(deal).statements]


# --- may it be done


@on_sqlite
@pytest.mark.parametrize(
    ("policy", "name", "expected"),
    [
        (None, "ann", Allowed()),
        (None, "li", "approver"),
        (None, "eve", Forbidden("NO_AUTHORITY")),
        (LIMITS, "ann", Allowed()),
        (LIMITS, "li", "approver"),
        (LIMITS, "max", Forbidden("NO_AUTHORITY")),
        (replace(LIMITS, limits=LIMITS.limits[:1]), "li", Forbidden("OVER_LIMIT")),
        (Policy("EUR", (Limit("approver", "EUR", Decimal(1)),)), "ann", Forbidden("NO_RATE")),
        (Policy("EUR", (Limit("approver", "EUR", Decimal(10**6)),), rates=(Rate("USD", Decimal("0.9")),)), "ann",
         Allowed()),
        (TWO, "bo", "approver"),
    ],
)  # fmt: skip
def test_who_may_accept(firm, policy, name, expected):
    """S58, S59."""
    deal = firm.offered()
    if policy is not None:
        firm.state(policy)
    found = firm.verdict(name, deal)
    if expected == "approver":
        assert isinstance(found, Needs)
        assert found.steps[0].approvers == (Approver("role", "approver"),)
        assert (found.code, found.rule) == ("OVER_LIMIT", "R8")
        assert name.capitalize() not in found.people[found.steps[0].approvers[0]]
    else:
        assert (found.kind, getattr(found, "code", "")) == (expected.kind, getattr(expected, "code", ""))


@on_sqlite
def test_where_nobody_else_may_approve_it_is_refused_at_once(firm):
    deal = firm.offered()
    firm.state(TWO)
    firm.set_roles("ann", "viewer")
    assert firm.verdict("bo", deal) == Forbidden("NO_APPROVER", most=Money(amount=Decimal("1000.00"), currency="USD"))


@on_sqlite
def test_nobody_on_the_pages_binds_only_while_no_policy_is_stated(firm):
    binding = Binding(Act.OFFER, "d", DELTA, Decimal(1), "USD")
    for channel, before, after in (("web", Allowed(), Forbidden("NO_AUTHORITY")), ("message", Allowed(), Allowed())):
        asker = Asker(HAIDI, channel=channel)
        with firm.database.read(HAIDI) as session:
            assert firm.approvals.authorise(session, asker, binding) == before
        if channel == "web":
            firm.state(LIMITS)
        with firm.database.read(HAIDI) as session:
            assert firm.approvals.authorise(session, asker, binding) == after


@on_sqlite
def test_a_stranger_with_every_role_elsewhere_binds_nobody_here(firm):
    deal = firm.offered()
    with firm.database.read(HAIDI) as session:
        asker = Asker(HAIDI, firm.users["dana"], "Dana")
        found = firm.approvals.authorise(session, asker, firm.wanted(session, deal).binding)
    assert found == Forbidden("NO_AUTHORITY")


@on_sqlite
@pytest.mark.parametrize(
    ("scopes", "policy", "expected"),
    [
        (["deal.bind"], None, Allowed()),
        (["deal.negotiate"], None, Forbidden("NO_AUTHORITY")),
        (["deal.bind"], LIMITS, Needs),
        (["deal.bind"], replace(LIMITS, limits=(*LIMITS.limits, Limit(TOKEN_ROLE, "USD", None))), Allowed()),
    ],
)
def test_a_program_needs_the_scope_and_has_the_limit_of_programs(firm, scopes, policy, expected):
    deal = firm.offered()
    if policy is not None:
        firm.state(policy)
    security = Security(firm.database)
    with firm.database.write() as session:
        token = security.issue_token(session, HAIDI, "erp", scopes, life=timedelta(days=1))
    who = security.principal_of_token(token)
    with firm.database.read(HAIDI) as session:
        asker = Asker(HAIDI, who.user_id, who.name, "api")
        found = firm.approvals.authorise(session, asker, firm.wanted(session, deal).binding)
    assert isinstance(found, Needs) if expected is Needs else found == expected


@on_sqlite
def test_no_program_is_given_the_right_to_approve_or_to_state_limits(firm):
    for scope in ("approval.decide", "policy.manage"):
        with firm.database.write() as session, pytest.raises(ValueError, match=scope):
            Security(firm.database).issue_token(session, HAIDI, "erp", [scope], life=timedelta(days=1))


# --- asking, approving, doing


def test_the_last_approval_does_what_was_asked_for_in_the_name_of_who_asked(firm):
    deal = firm.offered()
    request = firm.ask(deal, note="as agreed on the phone")
    assert kinds(firm, deal)[-1] == "offer"
    assert firm.decide(request, "ann", reason="fine") == State.DONE
    assert kinds(firm, deal)[-1] == "accept"
    assert len(firm.concluded) == 1
    with firm.database.read(HAIDI) as session:
        last = session.scalars(select(StatementRow).where(StatementRow.kind == Kind.ACCEPT)).one()
    assert (last.user_id, last.request_key) == (firm.users["li"], f"approval:{request}")
    view = firm.view(request)
    assert (view.state, view.to_note) == (State.DONE, True)


def test_a_counter_offer_is_sent_as_it_was_typed(firm):
    deal = firm.offered()
    request = firm.ask_offer(deal, "11.85")
    assert firm.decide(request, "ann") == State.DONE
    last = firm.load(deal).statements[-1]
    assert (str(last.kind), last.offer.document.lines[0].price.amount) == ("counter", Decimal("11.85"))
    assert last.offer.terms_hash == firm.view(request).row.terms_hash


def test_a_refusal_ends_it_and_nothing_is_done(firm):
    deal = firm.offered()
    request = firm.ask(deal)
    assert firm.decide(request, "ann", approves=False, reason="too dear") == State.DECLINED
    with pytest.raises(Refused, match="REQUEST_DECLINED"):
        firm.decide(request, "bo")
    assert kinds(firm, deal)[-1] == "offer"


def test_steps_are_walked_in_order_and_only_the_last_one_does_it(firm):
    bo = Approver("person", firm.users["bo"])
    steps = (ChainStep((Approver("role", "approver"),)), ChainStep((bo,)))
    firm.state(replace(LIMITS, chains=(Chain("Large", Decimal(1000), None, steps),)))
    deal = firm.offered()
    request = firm.ask(deal)
    assert firm.decide(request, "ann") == State.PENDING
    assert kinds(firm, deal)[-1] == "offer"
    with pytest.raises(Refused, match="SAME_PERSON"):
        firm.decide(request, "ann")
    assert firm.decide(request, "bo") == State.DONE


def test_above_the_threshold_one_person_is_never_two(firm):
    """#17: neither by asking and approving, nor twice, nor for each other."""
    firm.state(TWO)
    deal = firm.offered()
    request = firm.ask(deal, "bo")
    with firm.database.write(HAIDI) as session:
        firm.approvals.delegate(session, firm.asker("bo"), firm.users["ann"], date(2026, 11, 1), date(2026, 12, 1))
        firm.approvals.delegate(session, firm.asker("ann"), firm.users["li"], date(2026, 11, 1), date(2026, 12, 1))
    for name, giver, code in (
        ("bo", None, "OWN_REQUEST"), ("ann", "bo", "FOR_REQUESTER"), ("li", None, "NOT_ASKED"),
        ("li", "bo", "FOR_REQUESTER"), ("eve", None, "NOT_ASKED"),
    ):  # fmt: skip
        with pytest.raises(Refused) as refused:
            firm.decide(request, name, giver=firm.users[giver] if giver else None)
        assert refused.value.code == code
    assert firm.decide(request, "li", giver=firm.users["ann"]) == State.DONE
    (word,) = firm.view(request).row.decisions
    assert (word.by_name, word.giver_name) == ("Li", "Ann")


@on_sqlite
def test_who_has_no_word_in_the_house_is_not_heard(firm):
    request = firm.ask(firm.offered())
    for name in ("max", "eve"):
        with pytest.raises(Refused, match="NOT_ASKED"):
            firm.decide(request, name)
    with firm.database.write(HAIDI) as session, pytest.raises(Refused, match="NOT_ASKED"):
        firm.approvals.decide(session, Asker(HAIDI, firm.users["dana"], "Dana"), request, approves=True)
    with firm.database.write(DELTA) as session, pytest.raises(NotFound):
        firm.approvals.decide(session, firm.asker("dana"), request, approves=True)


# --- overtaken


def _lapses(firm, at, _deal):
    at.at += timedelta(days=12)


def _is_improved(firm, _at, deal):
    with firm.database.write(DELTA) as session:
        view = firm.negotiation.deal(session, deal)
        firm.negotiation.make_offer(
            session, firm.actor("dana"), deal, terms("12.20"), about=view.rounds[-1].offer.id,
        )  # fmt: skip


def _is_revoked(firm, _at, deal):
    with firm.database.write(DELTA) as session:
        view = firm.negotiation.deal(session, deal)
        about = view.rounds[-1].offer.id
        firm.negotiation.revoke(session, firm.actor("dana"), deal, about, expected_version=view.version)


def _is_countered(firm, _at, deal):
    with firm.database.write(HAIDI) as session:
        view = firm.negotiation.deal(session, deal)
        about = view.rounds[-1].offer.id
        firm.negotiation.make_offer(session, firm.actor("bo"), deal, terms("11"), about=about)


def _is_rejected(firm, _at, deal):
    with firm.database.write(HAIDI) as session:
        view = firm.negotiation.deal(session, deal)
        firm.negotiation.reject(session, firm.actor("bo"), deal, view.rounds[-1].offer.id)


def _is_accepted_by_another(firm, _at, deal):
    with firm.database.write(HAIDI) as session:
        view = firm.negotiation.deal(session, deal)
        firm.negotiation.accept(session, firm.actor("ann"), deal, view.rounds[-1].offer.id)


def _loses_the_role(firm, _at, _deal):
    firm.set_roles("li", "viewer")


def _leaves(firm, _at, _deal):
    with firm.database.write() as session:
        Security(firm.database).remove_member(session, firm.users["li"], HAIDI)


def _limits_change(firm, _at, _deal):
    firm.state(TWO)


@on_sqlite
@pytest.mark.parametrize("ask", ["ask", "ask_offer"])
@pytest.mark.parametrize(
    ("happens", "codes", "rules"),
    [
        (_lapses, {"LAPSED"}, {"R17"}),
        (_is_revoked, {"REVOKED"}, {"R6"}),
        (_is_improved, {"STALE_VERSION"}, {"R8"}),
        (_is_countered, {"COUNTERED"}, {"R11"}),
        (_is_rejected, {"REJECTED"}, {"R7"}),
        (_is_accepted_by_another, {"ACCEPTED", "CONCLUDED"}, {"R8"}),
        (_loses_the_role, {"NO_AUTHORITY"}, {"R8"}),
        (_leaves, {"NO_AUTHORITY"}, {"R8"}),
        (_limits_change, {"POLICY_CHANGED"}, {"R8"}),
    ],
)
def test_what_the_deal_has_overtaken_is_not_done_and_both_are_told(firm, at_monday, ask, happens, codes, rules):
    """X8, X9."""
    if happens is _lapses:
        firm.state(replace(Policy("USD", LIMITS.limits), days=30))
    deal = firm.offered(valid_until=None if happens is _is_revoked else date(2026, 12, 4))
    request = getattr(firm, ask)(deal)
    happens(firm, at_monday, deal)
    before = kinds(firm, deal)
    assert firm.decide(request, "ann") == State.OVERTAKEN
    assert kinds(firm, deal) == before
    row = firm.view(request).row
    assert row.why["code"] in codes
    assert row.why["rule"] in rules
    assert row.why["article"]
    for name in ("li", "ann"):
        assert firm.view(request, name).to_note, name
    assert not firm.view(request, "bo").to_note
    with pytest.raises(Refused, match="REQUEST_OVERTAKEN"):
        firm.decide(request, "bo")


def test_what_breaks_half_way_leaves_nothing_behind(firm, monkeypatch):
    deal = firm.offered()
    request = firm.ask(deal)

    def breaks(*_more, **_named):
        raise ZeroDivisionError

    monkeypatch.setattr(firm.negotiation, "_agreed", breaks)
    with pytest.raises(ZeroDivisionError):
        firm.decide(request, "ann")
    assert firm.view(request).state is State.PENDING
    assert kinds(firm, deal)[-1] == "offer"
    with firm.database.read() as session:
        assert session.scalar(select(func.count()).select_from(DecisionRow)) == 0


def test_an_overtaken_act_is_rolled_back_to_before_it_began(firm, monkeypatch):
    """The act fails after it has written: the request ends, and what it wrote is gone."""
    from tradehub.negotiation.model import Refused as Illegal

    deal = firm.offered()
    request = firm.ask(deal)

    def refuses(*_more, **_named):
        raise Illegal("LAPSED")

    monkeypatch.setattr(firm.negotiation, "_agreed", refuses)
    assert firm.decide(request, "ann") == State.OVERTAKEN
    assert kinds(firm, deal)[-1] == "offer"


def test_an_approved_offer_that_no_message_can_hold_ends_with_the_element_that_it_fails_at(firm, browse):
    """X8: the partner's agreement changed between asking and approving."""
    deal = firm.offered()
    request = firm.ask_offer(deal)
    hooks = firm.negotiation.hooks
    firm.negotiation.hooks = replace(
        hooks, is_web=lambda *_: False, misfit=lambda *_: Misfit("PO104 has at most 3 decimals: 12.4567")
    )
    assert firm.decide(request, "ann") == State.OVERTAKEN
    assert firm.view(request).row.why["code"] == "UNSENDABLE"
    page = browse("li").get(f"/approvals/{request}")
    assert "cannot state this as it was stated. PO104 has at most 3 decimals: 12.4567" in " ".join(page.split())


def test_an_approval_opens_one_door_and_only_while_it_is_carried_out(firm):
    deal = firm.offered()
    request = firm.ask(deal)
    with firm.database.read(HAIDI) as session:
        binding = firm.wanted(session, deal).binding
        asker = replace(firm.asker("li"), approval=request)
        assert firm.approvals.authorise(session, asker, binding) == Forbidden("NO_AUTHORITY")
    seen = []
    execute = firm.approvals._execute

    def watched(session, asker, wanted):
        dearer = replace(wanted.binding, amount=wanted.binding.amount + 1)
        seen.extend(firm.approvals.authorise(session, asker, each) for each in (wanted.binding, dearer))
        execute(session, asker, wanted)

    firm.approvals._execute = watched
    assert firm.decide(request, "ann") == State.DONE
    assert seen == [Allowed(), Forbidden("NO_AUTHORITY")]


# --- idempotent, at once


def test_asking_again_gives_the_same_request(firm):
    deal = firm.offered()
    first = firm.ask(deal, request_key="form-1")
    assert firm.ask(deal, request_key="form-1") == first
    assert firm.ask(deal, "li") == first
    with pytest.raises(Refused, match="NOT_NEEDED"):
        firm.ask(deal, "ann")


@pytest.mark.timeout(900)
def test_two_approvals_at_once_do_it_once(database_url, request):
    assert race.run(database_url, request.config.getoption("--approvals", default=6)) == []


# --- taking back, expiring, taking note


@on_sqlite
def test_only_who_asked_takes_it_back_and_only_while_it_waits(firm):
    request = firm.ask(firm.offered())
    with firm.database.write(HAIDI) as session:
        with pytest.raises(NotFound):
            firm.approvals.withdraw(session, firm.asker("ann"), request)
        firm.approvals.withdraw(session, firm.asker("li"), request)
        with pytest.raises(Refused, match="REQUEST_WITHDRAWN"):
            firm.approvals.withdraw(session, firm.asker("li"), request)
    with pytest.raises(Refused, match="REQUEST_WITHDRAWN"):
        firm.decide(request, "ann")


def test_a_request_expires_by_the_clock_alone(firm, at_monday):
    request = firm.ask(firm.offered())
    with firm.database.read(HAIDI) as session:
        assert [each.row.id for each in firm.approvals.inbox(session, firm.asker("ann"))] == [request]
    at_monday.at += timedelta(days=5, microseconds=1)
    with firm.database.read(HAIDI) as session:
        assert firm.approvals.inbox(session, firm.asker("ann")) == []
        (mine,) = firm.approvals.to_note(session, firm.asker("li"))
        assert (mine.row.id, mine.state) == (request, State.EXPIRED)
    with pytest.raises(Refused, match="REQUEST_EXPIRED"):
        firm.decide(request, "ann")
    again = firm.ask(firm.view(request).row.deal_id)
    assert again != request


@on_sqlite
def test_the_inbox_is_of_those_who_may_approve_now(firm):
    request = firm.ask(firm.offered(), "li")
    seen = {}
    with firm.database.read(HAIDI) as session:
        for name in ("li", "ann", "bo", "max", "eve"):
            seen[name] = [each.row.id for each in firm.approvals.inbox(session, firm.asker(name))]
    assert seen == {"li": [], "ann": [request], "bo": [request], "max": [], "eve": []}
    with firm.database.read(DELTA) as session:
        assert firm.approvals.inbox(session, firm.asker("dana")) == []
        assert firm.approvals.of_deal(session, firm.asker("dana"), firm.view(request).row.deal_id) == []


@on_sqlite
def test_what_was_noted_leaves_the_work_queue_of_that_person(firm):
    request = firm.ask(firm.offered())
    firm.decide(request, "ann")
    for _ in range(2):
        with firm.database.write(HAIDI) as session:
            firm.approvals.take_note(session, firm.asker("li"), request)
    assert not firm.view(request).to_note


# --- policy, delegates, record


def test_policies_are_kept_by_version_and_the_last_is_in_force(firm):
    assert firm.state(LIMITS) == 1
    assert firm.state(TWO, 1) == 2
    with pytest.raises(PolicyChanged):
        firm.state(LIMITS, 1)
    with firm.database.read(HAIDI) as session:
        rows = firm.approvals.policies(session, HAIDI)
        assert [(each.version, each.policy) for each in rows] == [(2, TWO), (1, LIMITS)]
        assert firm.approvals.policy(session, HAIDI, 1).policy == LIMITS
    with firm.database.read(DELTA) as session:
        assert firm.approvals.policies(session, HAIDI) == []


@on_sqlite
def test_a_policy_that_names_a_stranger_is_refused(firm):
    step = ChainStep((Approver("person", firm.users["dana"]),))
    with pytest.raises(PolicyRefused) as refused:
        firm.state(replace(LIMITS, chains=(Chain("X", Decimal(0), None, (step,)),)))
    assert refused.value.faults == (Fault("chains.0.0", "APPROVER"),)


@on_sqlite
@pytest.mark.parametrize(
    ("taker", "first", "last", "code"),
    [
        ("ann", date(2026, 11, 23), date(2026, 11, 30), "SELF"),
        ("eve", date(2026, 11, 23), date(2026, 11, 30), "TAKER"),
        ("dana", date(2026, 11, 23), date(2026, 11, 30), "TAKER"),
        ("bo", date(2026, 11, 23), date(2026, 11, 22), "PERIOD"),
        ("li", date(2026, 11, 23), date(2026, 11, 30), "LOOP"),
    ],
)
def test_a_delegation_that_is_refused_is_not_on_record(firm, taker, first, last, code):
    with firm.database.write(HAIDI) as session:
        firm.approvals.delegate(session, firm.asker("li"), firm.users["ann"], date(2026, 11, 30), date(2026, 12, 9))
    with pytest.raises(Refused) as refused, firm.database.write(HAIDI) as session:
        firm.approvals.delegate(session, firm.asker("ann"), firm.users[taker], first, last)
    assert refused.value.code == code
    with firm.database.read(HAIDI) as session:
        assert [each.giver_name for each in firm.approvals.delegations(session, HAIDI)] == ["Li"]


@on_sqlite
def test_a_delegation_that_was_taken_back_does_not_count(firm):
    request = firm.ask(firm.offered())
    with firm.database.write(HAIDI) as session:
        id = firm.approvals.delegate(session, firm.asker("bo"), firm.users["ann"], date(2026, 11, 1), date(2026, 12, 1))
        with pytest.raises(NotFound):
            firm.approvals.end_delegation(session, firm.asker("ann"), id)
        firm.approvals.end_delegation(session, firm.asker("bo"), id)
        firm.approvals.end_delegation(session, firm.asker("bo"), id)
    with pytest.raises(Refused, match="NO_DELEGATION"):
        firm.decide(request, "ann", giver=firm.users["bo"])


def test_every_word_is_bound_into_the_chain_with_what_it_was_about(firm):
    firm.state(LIMITS)
    deal = firm.offered()
    request = firm.ask(deal)
    firm.decide(request, "ann", reason="fine")
    with firm.database.read() as session:
        assert audit.verify(session, f"approvals:{HAIDI}") is None
        found = session.scalars(
            select(audit.AuditEntry).where(audit.AuditEntry.chain == f"approvals:{HAIDI}").order_by("number")
        ).all()
        digest = session.get_one(RequestRow, request).digest
    assert [each.action for each in found] == [
        "approval.policy", "approval.asked", "approval.approved", "approval.done",
    ]  # fmt: skip
    assert {each.details["what"] for each in found[1:]} == {digest}
    assert found[2].details["reason"] == "fine"
    assert found[2].at == clock.now()


@on_sqlite
def test_people_of_an_organisation_that_was_never_heard_of_are_none(firm):
    with firm.database.read() as session:
        assert firm.approvals.members(session, PartyId("nobody")) == {}
    assert set(approvals.BINDING_ROLES) == {"buyer", "seller", "approver"}
