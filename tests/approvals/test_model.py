"""The rules by which an organisation binds itself: tables of cases, and properties of any policy and any request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradehub.approvals.model import (
    PERSONS,
    REFUSALS,
    TOKEN_ROLE,
    Chain,
    ChainStep,
    Decision,
    Delegation,
    Fault,
    Limit,
    NotAllowed,
    Person,
    Policy,
    Rate,
    Refused,
    Request,
    State,
    Threshold,
    can_be_met,
    covers,
    decide,
    delegation_fault,
    faults,
    required,
    standing,
    unwritten,
)
from tradehub.documents.parts import Money
from tradehub.partners.authority import Act, Approver, Because, Step

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
TODAY = NOW.date()
LATER = NOW + timedelta(days=5)

BUYER, SELLER, BOSS = (Approver("role", each) for each in ("buyer", "seller", "approver"))


def usd(amount: str | int) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def person(id: str, *roles: str, may_ask: bool = True) -> Person:
    return Person(id, frozenset(roles), may_ask)


LI, ANN, BO = person("li", "buyer"), person("ann", "approver"), person("bo", "approver")

LIMITS = (
    Limit("buyer", "USD", Decimal(1000)),
    Limit("approver", "USD", Decimal(50000)),
    Limit("approver", "USD", Decimal(20000), Act.SIGNATURE),
)
POLICY = Policy("USD", LIMITS, rates=(Rate("EUR", Decimal("1.10")),))
TWO = Policy("USD", (*LIMITS, Limit("seller", "USD", None)), thresholds=(Threshold("USD", Decimal(10000)),))


def chain(**more: object) -> Chain:
    steps = (ChainStep((Approver("person", "ann"),)), ChainStep((BOSS, BUYER), all_of=True))
    return Chain(**{"name": "Plant", "above": Decimal(0), "up_to": None, "steps": steps, **more})  # type: ignore[arg-type]


# --- what an act takes


@pytest.mark.parametrize(
    ("act", "amount", "by", "because"),
    [
        (Act.OFFER, usd("1000"), LI, []),
        (Act.OFFER, usd("1000.01"), LI, [Because.OVER_LIMIT]),
        (Act.OFFER, usd("50000"), ANN, []),
        (Act.SIGNATURE, usd("20000"), ANN, []),
        (Act.SIGNATURE, usd("20000.01"), ANN, "OVER_LIMIT"),
        (Act.ACCEPTANCE, usd("50000.01"), ANN, "OVER_LIMIT"),
        (Act.ACCEPTANCE, None, ANN, "OVER_LIMIT"),
        (Act.OFFER, Money(amount=Decimal("909.09"), currency="EUR"), LI, []),
        (Act.OFFER, Money(amount=Decimal("909.10"), currency="EUR"), LI, [Because.OVER_LIMIT]),
        (Act.OFFER, Money(amount=Decimal(909), currency="EUR"), ANN, []),
        (Act.OFFER, Money(amount=Decimal("45454.55"), currency="EUR"), ANN, "OVER_LIMIT"),
        (Act.OFFER, Money(amount=Decimal(1), currency="JPY"), ANN, "NO_RATE"),
        (Act.OFFER, usd(1), person("eve", "viewer", may_ask=False), "NO_AUTHORITY"),
        (Act.OFFER, usd(1), person("eve", "seller"), [Because.OVER_LIMIT]),
    ],
)
def test_limits(act, amount, by, because):
    """A EUR amount is converted, for it has no rows; nobody states a rate for JPY."""
    found = required(POLICY, act, amount, by)
    assert found == NotAllowed(because) if isinstance(because, str) else [each.because for each in found] == because


def test_a_row_in_the_currency_of_the_amount_goes_before_any_rate():
    policy = Policy("USD", (*LIMITS, Limit("buyer", "EUR", Decimal(5))), rates=POLICY.rates)
    euros = [Money(amount=Decimal(each), currency="EUR") for each in (5, 6)]
    assert [covers(policy, "buyer", Act.OFFER, each) for each in euros] == [True, False]


def test_an_amount_in_a_third_currency_must_be_within_every_row():
    rates = (*POLICY.rates, Rate("CNY", Decimal("0.14")))
    policy = Policy("USD", (Limit("buyer", "USD", Decimal(1000)), Limit("buyer", "EUR", Decimal(5))), rates=rates)
    yuan = [Money(amount=Decimal(each), currency="CNY") for each in (39, 40)]
    assert [covers(policy, "buyer", Act.OFFER, each) for each in yuan] == [True, False]


def test_the_approvers_of_what_is_over_the_limit_are_the_roles_that_cover_it():
    (step,) = required(POLICY, Act.OFFER, usd(2000), LI)
    assert step == Step(Because.OVER_LIMIT, (BOSS,))


@pytest.mark.parametrize(
    ("amount", "by", "counts"),
    [
        (10000, person("s", "seller"), []),
        (10001, person("s", "seller"), [Because.TWO_PERSONS]),
        (10001, ANN, [Because.TWO_PERSONS]),
        (10001, LI, [Because.OVER_LIMIT, Because.TWO_PERSONS]),
        (60000, LI, [Because.OVER_LIMIT, Because.TWO_PERSONS]),
    ],
)
def test_above_a_threshold_two_people_with_authority_stand_behind_it(amount, by, counts):
    assert [each.because for each in required(TWO, Act.ACCEPTANCE, usd(amount), by)] == counts


def test_a_program_is_no_person_of_two():
    policy = Policy("USD", (*TWO.limits, Limit(TOKEN_ROLE, "USD", None)), thresholds=TWO.thresholds)
    token = person("t", TOKEN_ROLE)
    assert required(policy, Act.ACCEPTANCE, usd(10000), token) == ()
    steps = required(policy, Act.ACCEPTANCE, usd(10001), token)
    assert sum(each.count for each in steps) == PERSONS
    assert Approver("role", TOKEN_ROLE) not in [one for each in steps for one in each.approvers]


@pytest.mark.parametrize(
    ("more", "fits"),
    [
        ({}, True),
        ({"above": Decimal(2000)}, False),
        ({"above": Decimal("1999.99")}, True),
        ({"up_to": Decimal(2000)}, True),
        ({"up_to": Decimal("1999.99")}, False),
        ({"act": Act.OFFER}, True),
        ({"act": Act.AWARD}, False),
        ({"partner": "delta"}, True),
        ({"partner": "rhein"}, False),
        ({"category": "4014"}, True),
        ({"category": "40141600"}, True),
        ({"category": "50"}, False),
    ],
)
def test_a_chain_is_for_its_band_act_partner_and_class(more, fits):
    policy = Policy("USD", LIMITS, chains=(chain(**more),))
    found = required(policy, Act.OFFER, usd(2000), LI, partner="delta", categories=("40141600", "31"))
    assert [each.because for each in found] == ([Because.CHAIN] * 2 if fits else [Because.OVER_LIMIT])


def test_a_chain_is_for_those_over_the_limit_and_with_always_for_everybody():
    for always, count in ((False, 0), (True, 2)):
        policy = Policy("USD", LIMITS, chains=(chain(always=always),))
        assert len(required(policy, Act.OFFER, usd(500), LI)) == count


def test_the_first_chain_that_fits_counts():
    policy = Policy("USD", LIMITS, chains=(chain(partner="delta", name="Delta"), chain(name="All")))
    assert required(policy, Act.OFFER, usd(2000), LI, partner="delta")[0].name == "Delta"
    assert required(policy, Act.OFFER, usd(2000), LI, partner="rhein")[0].name == "All"


def test_a_chain_gives_the_approvals_that_a_threshold_wants():
    policy = Policy("USD", LIMITS, TWO.thresholds, chains=(chain(),))
    assert [each.because for each in required(policy, Act.OFFER, usd(10001), ANN)] == [Because.CHAIN] * 2


def test_an_amount_that_cannot_be_told_is_above_all_that_is_stated():
    assert required(TWO, Act.OFFER, None, person("s", "seller")) == (Step(Because.TWO_PERSONS, (SELLER,)),)
    policy = Policy("USD", LIMITS, chains=(chain(up_to=Decimal(10**9)), chain(name="Rest")))
    assert required(policy, Act.OFFER, None, LI)[0].name == "Rest"


def test_without_a_policy_whoever_holds_the_role_binds_and_the_others_ask():
    policy = unwritten(["approver"])
    assert required(policy, Act.ACCEPTANCE, None, ANN) == ()
    assert required(policy, Act.ACCEPTANCE, usd(10**9), ANN) == ()
    assert required(policy, Act.OFFER, usd(1), LI) == (Step(Because.OVER_LIMIT, (BOSS,)),)


@pytest.mark.parametrize(
    ("steps", "people", "met"),
    [
        ([Step(Because.OVER_LIMIT, (BOSS,))], [LI], False),
        ([Step(Because.OVER_LIMIT, (BOSS,))], [ANN], True),
        ([Step(Because.OVER_LIMIT, (BOSS,))] * 2, [ANN], False),
        ([Step(Because.OVER_LIMIT, (BOSS,))] * 2, [ANN, BO], True),
        ([Step(Because.CHAIN, (BOSS, BUYER), all_of=True)], [person("x", "approver", "buyer")], False),
        ([Step(Because.CHAIN, (BOSS, BUYER), all_of=True)], [person("x", "approver", "buyer"), ANN], True),
        ([Step(Because.OVER_LIMIT, (BUYER,))], [LI], False),
    ],
)
def test_there_must_be_people_enough_and_the_requester_is_none_of_them(steps, people, met):
    assert can_be_met(steps, "li", people) is met


# --- a policy's faults


@pytest.mark.parametrize(
    ("policy", "fault"),
    [
        (Policy("usd"), Fault("currency", "CURRENCY")),
        (Policy("USD", days=0), Fault("days", "DAYS")),
        (Policy("USD", days=91), Fault("days", "DAYS")),
        (Policy("USD", (Limit("viewer", "USD", None),)), Fault("limits.0", "ROLE")),
        (Policy("USD", (Limit("buyer", "dollars", None),)), Fault("limits.0", "CURRENCY")),
        (Policy("USD", (LIMITS[0], LIMITS[0])), Fault("limits.1", "TWICE")),
        (Policy("USD", thresholds=(Threshold("USD", Decimal(1)),) * 2), Fault("thresholds.1", "TWICE")),
        (Policy("USD", rates=(Rate("USD", Decimal(1)),)), Fault("rates.0", "RATE")),
        (Policy("USD", rates=(Rate("EUR", Decimal(0)),)), Fault("rates.0", "RATE")),
        (Policy("USD", chains=(chain(name=" "),)), Fault("chains.0", "NAME")),
        (Policy("USD", chains=(chain(above=Decimal(5), up_to=Decimal(5)),)), Fault("chains.0", "BAND")),
        (Policy("USD", chains=(chain(steps=()),)), Fault("chains.0", "NO_STEPS")),
        (Policy("USD", chains=(chain(steps=(ChainStep(()),)),)), Fault("chains.0.0", "NO_STEPS")),
        (Policy("USD", chains=(chain(steps=(ChainStep((BOSS, BOSS)),)),)), Fault("chains.0.0", "TWICE")),
        (Policy("USD", chains=(chain(steps=(ChainStep((Approver("person", "zoe"),)),)),)),
         Fault("chains.0.0", "APPROVER")),
        (Policy("USD", chains=(chain(steps=(ChainStep((Approver("role", "viewer"),)),)),)),
         Fault("chains.0.0", "APPROVER")),
    ],
)  # fmt: skip
def test_what_may_not_be_stated(policy, fault):
    assert faults(policy, roles=("buyer", "seller", "approver"), people=("ann",)) == (fault,)


def test_a_sound_policy_has_no_fault():
    policy = Policy("USD", (*LIMITS, Limit(TOKEN_ROLE, "USD", Decimal(5))), TWO.thresholds, (chain(),), POLICY.rates)
    assert faults(policy, roles=("buyer", "seller", "approver"), people=("ann",)) == ()


# --- delegations

DAY = timedelta(days=1)


def given_by(giver: str, taker: str, first: int = 0, last: int = 5) -> Delegation:
    return Delegation(giver, taker, TODAY + first * DAY, TODAY + last * DAY)


@pytest.mark.parametrize(
    ("known", "new", "fault"),
    [
        ([], given_by("a", "b"), None),
        ([], given_by("a", "a"), "SELF"),
        ([], given_by("a", "b", 3, 2), "PERIOD"),
        ([given_by("b", "a")], given_by("a", "b"), "LOOP"),
        ([given_by("b", "a", 5, 9)], given_by("a", "b", 0, 5), "LOOP"),
        ([given_by("b", "a", 6, 9)], given_by("a", "b", 0, 5), None),
        ([given_by("b", "c"), given_by("c", "a")], given_by("a", "b"), "LOOP"),
        ([given_by("b", "c"), given_by("c", "d")], given_by("a", "b"), None),
        ([given_by("a", "c")], given_by("a", "b"), None),
    ],
)
def test_a_delegation_leads_nowhere_back(known, new, fault):
    assert delegation_fault(known, new) == fault


def test_a_delegation_holds_on_both_of_its_days():
    held = given_by("a", "b", 1, 2)
    assert [held.holds(TODAY + days * DAY) for days in range(4)] == [False, True, True, False]


# --- deciding

ONE = Request("li", (Step(Because.OVER_LIMIT, (BOSS,)),), LATER)
PAIR = Request("li", (Step(Because.OVER_LIMIT, (BOSS,)), Step(Because.TWO_PERSONS, (BOSS,))), LATER)
BOTH = Request("li", (Step(Because.CHAIN, (BOSS, Approver("person", "bo")), all_of=True),), LATER)
STANDS_IN = (given_by("ann", "bo"), given_by("li", "bo"), given_by("ann", "carl"), given_by("bo", "dan"))
CARL, DAN, EVE = person("carl", "buyer"), person("dan", "buyer"), person("eve", "seller")


def said(by: str, step: int = 0, *, approves: bool = True, giver: str | None = None, fits=(BOSS,)) -> Decision:
    return Decision(by, step, approves, NOW, tuple(fits), giver)


UNHEARD = [
    ("REQUEST_DONE", Request("li", ONE.steps, LATER, State.DONE), [], {}),
    ("REQUEST_DONE", ONE, [said("bo")], {}),
    ("REQUEST_DECLINED", ONE, [said("bo", approves=False)], {}),
    ("REQUEST_WITHDRAWN", Request("li", ONE.steps, LATER, State.WITHDRAWN), [], {}),
    ("REQUEST_OVERTAKEN", Request("li", ONE.steps, LATER, State.OVERTAKEN), [], {}),
    ("REQUEST_EXPIRED", ONE, [], {"now": LATER + timedelta(microseconds=1)}),
    ("OWN_REQUEST", Request("ann", ONE.steps, LATER), [], {}),
    ("OWN_REQUEST", Request("bo", ONE.steps, LATER), [], {"decider": BO, "giver": ANN}),
    ("OWN_REQUEST", Request("ann", ONE.steps, LATER), [], {"approves": False, "reason": "no"}),
    ("FOR_REQUESTER", ONE, [], {"decider": BO, "giver": person("li", "approver")}),
    ("NO_DELEGATION", ONE, [], {"decider": DAN, "giver": ANN}),
    ("NO_DELEGATION", ONE, [], {"decider": CARL, "giver": ANN, "now": NOW - DAY}),
    ("SAME_PERSON", PAIR, [said("ann")], {}),
    ("SAME_PERSON", PAIR, [said("bo", giver="ann")], {"decider": BO}),
    ("SAME_PERSON", PAIR, [said("bo")], {"decider": BO, "giver": ANN}),
    ("SAME_AUTHORITY", PAIR, [said("ann")], {"decider": BO, "giver": ANN}),
    ("SAME_AUTHORITY", PAIR, [said("carl", giver="ann")], {}),
    ("SAME_AUTHORITY", PAIR, [said("carl", giver="ann")], {"decider": BO, "giver": ANN}),
    ("NOT_ASKED", ONE, [], {"decider": EVE}),
    ("NOT_ASKED", BOTH, [said("ann")], {"decider": person("eve", "approver")}),
    ("NOT_ASKED", ONE, [], {"decider": CARL, "giver": DAN, "delegations": (given_by("dan", "carl"),)}),
    ("REASON_MISSING", ONE, [], {"approves": False}),
    ("REASON_MISSING", ONE, [], {"approves": False, "reason": " \n"}),
]


@pytest.mark.parametrize(("code", "request_", "decisions", "more"), UNHEARD)
def test_a_word_that_does_not_count_is_refused_by_its_code(code, request_, decisions, more):
    word = {"decider": ANN, "approves": True, "now": NOW, "delegations": STANDS_IN, **more}
    with pytest.raises(Refused) as refused:
        decide(request_, decisions, **word)
    assert refused.value.code == code


def test_every_refusal_has_a_case():
    assert {code for code, *_ in UNHEARD} == set(REFUSALS)


def test_a_delegate_decides_with_the_authority_of_who_gave_it_and_is_recorded_so():
    word = decide(ONE, [], CARL, approves=True, now=NOW, giver=ANN, delegations=STANDS_IN)
    assert (word.by, word.giver, word.fits) == ("carl", "ann", (BOSS,))
    assert word.behind == {"carl", "ann"}


def test_a_delegate_may_decide_in_the_own_name_as_well():
    assert decide(PAIR, [said("ann")], BO, approves=True, now=NOW, delegations=STANDS_IN).giver is None


def test_any_of_is_ended_by_one_and_all_of_by_each():
    any_of = Request("li", (Step(Because.CHAIN, (BOSS, BUYER)),), LATER)
    assert standing(any_of, [said("ann")], NOW).state is State.APPROVED
    first = standing(BOTH, [said("ann")], NOW)
    assert (first.state, first.wanted) == (State.PENDING, (Approver("person", "bo"),))
    assert standing(BOTH, [said("ann"), said("bo", fits=BOTH.steps[0].approvers)], NOW).state is State.APPROVED


def test_who_fills_two_places_takes_the_one_that_leaves_room_for_the_other():
    """Bo may fill either place; Ann only that of the role. Whoever comes first, both count."""
    word = decide(BOTH, [], BO, approves=True, now=NOW)
    assert word.fits == BOTH.steps[0].approvers
    other = decide(BOTH, [word], ANN, approves=True, now=NOW)
    assert standing(BOTH, [word, other], NOW).state is State.APPROVED


def test_a_request_may_be_decided_to_its_last_moment():
    assert standing(ONE, [], LATER).state is State.PENDING
    assert standing(ONE, [], LATER + timedelta(microseconds=1)).state is State.EXPIRED
    assert standing(ONE, [said("ann")], LATER + DAY).state is State.APPROVED


def test_who_has_approved_may_still_decline():
    word = decide(PAIR, [said("ann")], ANN, approves=False, now=NOW, reason="on second thought")
    assert standing(PAIR, [said("ann"), word], NOW).state is State.DECLINED


# --- properties

ROLES = ("buyer", "seller", "approver")
CURRENCIES = ("USD", "EUR", "CNY")
PEOPLE = tuple("abcdef")

amounts = st.integers(0, 100).map(Decimal)
acts = st.none() | st.sampled_from(Act)
limits = st.builds(Limit, st.sampled_from(ROLES), st.sampled_from(CURRENCIES), st.none() | amounts, acts)
thresholds = st.builds(Threshold, st.sampled_from(CURRENCIES), amounts, acts)
approvers = st.sampled_from([Approver("role", each) for each in ROLES] + [Approver("person", each) for each in PEOPLE])
chain_steps = st.builds(
    ChainStep, st.lists(approvers, min_size=1, max_size=3, unique=True).map(tuple), st.booleans()
)  # fmt: skip
chains = st.builds(
    Chain, st.just("c"), amounts, st.none() | amounts, st.lists(chain_steps, min_size=1, max_size=3).map(tuple), acts,
    always=st.booleans(),
)  # fmt: skip
policies = st.builds(
    Policy, st.just("USD"), st.lists(limits, max_size=6).map(tuple), st.lists(thresholds, max_size=2).map(tuple),
    st.lists(chains, max_size=2).map(tuple),
    st.sampled_from([(), (Rate("EUR", Decimal("1.1")), Rate("CNY", Decimal("0.14")))]),
)  # fmt: skip
staff = st.fixed_dictionaries({
    each: st.frozensets(st.sampled_from(ROLES), max_size=2).map(lambda roles, id=each: Person(id, roles))
    for each in PEOPLE
})  # fmt: skip
money = st.none() | st.builds(lambda amount, currency: Money(amount=amount, currency=currency), amounts,
                              st.sampled_from(CURRENCIES))  # fmt: skip
delegations = st.lists(
    st.builds(lambda giver, taker: given_by(giver, taker), st.sampled_from(PEOPLE), st.sampled_from(PEOPLE)), max_size=6
)
words = st.lists(
    st.tuples(st.sampled_from(PEOPLE), st.none() | st.sampled_from(PEOPLE), st.integers(0, 9)), max_size=25
)


def said_in_turn(request: Request, everybody: dict[str, Person], handed: list[Delegation], spoken) -> list[Decision]:
    """Return the decisions that count, of people who say all they like; one word in ten is a refusal."""
    counted: list[Decision] = []
    for who, giver, luck in spoken:
        try:
            counted.append(
                decide(
                    request, counted, everybody[who], approves=luck > 0, now=NOW, reason="r",
                    giver=everybody[giver] if giver else None, delegations=handed,
                )
            )  # fmt: skip
        except Refused:
            continue
    return counted


@given(policies, st.sampled_from(Act), money, staff)
def test_nobody_binds_alone_above_the_own_limit(policy, act, amount, everybody):
    for one in everybody.values():
        if required(policy, act, amount, one) == ():
            assert any(covers(policy, role, act, amount) for role in one.roles)


@given(policies, st.sampled_from(Act), money, staff)
def test_more_money_never_takes_less(policy, act, amount, everybody):
    """Who may not bind an amount alone may not bind a greater one alone, unless no chain is for everybody there."""
    if amount is None or any(each.always for each in policy.chains):
        return
    more = amount.model_copy(update={"amount": amount.amount + 1})
    for one in everybody.values():
        if required(policy, act, more, one) == ():
            assert required(policy, act, amount, one) == ()


few = st.sampled_from("abcd")
crowd = st.fixed_dictionaries({
    each: st.sampled_from([("approver",), ("approver", "buyer"), ("buyer",)]).map(lambda held, id=each: person(id, *held))
    for each in "abcd"
})  # fmt: skip
talk = st.lists(st.tuples(few, st.none() | few, st.integers(0, 9)), min_size=4, max_size=20)
handed_on = st.lists(st.builds(given_by, few, few), min_size=2, max_size=8)
wanted_steps = st.lists(
    st.builds(
        Step, st.just(Because.CHAIN),
        st.lists(st.sampled_from([BOSS, BUYER, *(Approver("person", each) for each in "abcd")]), min_size=1, max_size=3,
                 unique=True).map(tuple),
        st.booleans(),
    ), min_size=1, max_size=3,
).map(tuple)  # fmt: skip


@settings(max_examples=max(200, settings.default.max_examples))
@given(wanted_steps, crowd, handed_on, talk)
def test_each_word_that_counts_is_that_of_other_people_than_the_words_before(steps, everybody, handed, spoken):
    """One human is never two, by a second role or for another; nor is who asked, however words are handed on."""
    counted = said_in_turn(Request("a", steps, LATER), everybody, handed, spoken)
    heard = {"a"}
    for each in counted:
        assert each.by != "a"
        assert each.giver != "a"
        if each.approves:
            assert not each.behind & heard
            heard |= each.behind


@settings(max_examples=max(200, settings.default.max_examples))
@given(wanted_steps, crowd, handed_on, talk)
def test_a_refusal_always_ends_it(steps, everybody, handed, spoken):
    request = Request("a", steps, LATER)
    counted = said_in_turn(request, everybody, handed, spoken)
    refusals = [place for place, each in enumerate(counted) if not each.approves]
    if refusals:
        assert standing(request, counted, NOW).state is State.DECLINED
        assert refusals == [len(counted) - 1]


@given(policies, st.sampled_from(Act), money, staff, delegations, words)
def test_above_a_threshold_what_is_approved_has_two_people_with_authority_behind_it(
    policy, act, amount, everybody, handed, spoken
):
    requester = everybody["a"]
    steps = required(policy, act, amount, requester)
    double = any(each.act in (None, act) and (amount is None or each.currency == amount.currency)
                 and (amount is None or amount.amount > each.above) for each in policy.thresholds)  # fmt: skip
    if isinstance(steps, NotAllowed) or not double:
        return
    request = Request("a", steps, LATER)
    counted = said_in_turn(request, everybody, handed, spoken)
    if standing(request, counted, NOW).state is State.APPROVED:
        within = any(covers(policy, role, act, amount) for role in requester.roles)
        assert len({each.by for each in counted}) + within >= PERSONS


@given(staff, st.lists(chain_steps, min_size=1, max_size=3), st.permutations(PEOPLE))
def test_where_people_are_enough_nobody_who_comes_first_keeps_the_others_out(everybody, wanted, order):
    """In a step, whoever counts leaves room: the step ends as soon as all who may fill it have spoken."""
    (first, *_rest) = wanted
    steps = (Step(Because.CHAIN, first.approvers, first.all_of),)
    if not can_be_met(steps, "nobody", list(everybody.values())):
        return
    request = Request("nobody", steps, LATER)
    counted = said_in_turn(request, everybody, [], [(who, None, 1) for who in order])
    assert standing(request, counted, NOW).state is State.APPROVED


@given(delegations)
def test_delegations_that_were_let_in_never_run_in_a_circle(new):
    known: list[Delegation] = []
    for each in new:
        if delegation_fault(known, each) is None:
            known.append(each)
    for start in PEOPLE:
        reached, ahead = set(), [start]
        while ahead:
            giver = ahead.pop()
            for each in known:
                if each.giver == giver and each.taker not in reached:
                    reached.add(each.taker)
                    ahead.append(each.taker)
        assert start not in reached
