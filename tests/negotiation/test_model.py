"""The scenarios of the rules of formation, each under its number, and the properties of any history."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.negotiation.words import FRIDAY, HAIDI, MONDAY, NINGBO, STRANGER, Deal, asked, line, proposal, quoted
from tradehub.documents.parts import DatedEvent, Item, Price
from tradehub.documents.terms import apply, diff, flatten
from tradehub.negotiation import model
from tradehub.negotiation.model import Conflict, Event, Kind, Refused, State, Statement


@pytest.fixture
def deal() -> Deal:
    return Deal()


def refused(code: str):
    return pytest.raises(Refused, match=f"^{code} ")


# --- what is an offer ---------------------------------------------------------------------------


def test_s1_an_inquiry_cannot_be_accepted(deal):
    asking = deal.inquire()
    with refused("INVITATION_NOT_ACCEPTABLE"):
        deal.accept(asking, NINGBO)


def test_s2_an_indicative_offer_cannot_be_accepted(deal):
    about = deal.offer(firm=False)
    with refused("INVITATION_NOT_ACCEPTABLE") as caught:
        deal.accept(about)
    assert (caught.value.rule, caught.value.article) == ("R1", "CISG 14(2), PRC 473")


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ((line(price=None),), "NOT_DEFINITE_PRICE"),  # S3
        ((line(quantity=None),), "NOT_DEFINITE_QUANTITY"),  # S4
        ((line(quantity="0"),), "NOT_DEFINITE_QUANTITY"),
        ((line().model_copy(update={"item": Item()}),), "NOT_DEFINITE_ITEM"),
        ((), "NOT_DEFINITE_ITEM"),
    ],
)
def test_s3_s4_a_firm_offer_must_be_definite(deal, lines, code):
    with refused(code):
        deal.offer(quoted(lines=lines))
    assert deal.offer(quoted(lines=lines), firm=False), "without obligation it may be said"


def test_a_price_without_a_currency_is_not_definite(deal):
    with refused("NOT_DEFINITE_PRICE"):
        deal.offer(quoted(currency=None))


def test_s5_a_price_formula_is_definite(deal):
    formula = line().model_copy(update={"price": Price(amount=Decimal(0), formula="LME average + 80")})
    assert deal.state(deal.offer(quoted(lines=(formula,)))) == "effective"


def test_s6_an_offer_that_has_already_expired_is_refused(deal):
    with refused("ACCEPT_BY_PAST"):
        deal.offer(quoted(until=date(2026, 11, 20)))


# --- reach, withdraw, revoke --------------------------------------------------------------------


def test_r4_an_offer_is_effective_once_it_reaches(deal):
    about = deal.offer(reached=False)
    assert deal.state(about) == "dispatched"
    with refused("NOT_YET_REACHED"):
        deal.accept(about)
    deal.reach(about)
    assert deal.state(about) == "effective"


def test_r4_an_offer_that_could_not_be_delivered_may_still_be_sent_again(deal):
    about = deal.offer(reached=False)
    deal.say(Kind.FAIL, about=about)
    assert deal.state(about) == "undelivered"
    deal.reach(about)
    assert deal.state(about) == "effective", "the message was sent again"


def test_s8_withdrawn_before_it_arrives(deal):
    about = deal.offer(reached=False)
    deal.say(Kind.WITHDRAW, NINGBO, about)
    deal.reach(about)
    assert deal.state(about) == "withdrawn"
    with refused("WITHDRAWN"):
        deal.accept(about)


def test_s10_an_irrevocable_offer_may_be_withdrawn_before_it_arrives(deal):
    about = deal.offer(reached=False, irrevocable=True)
    deal.say(Kind.WITHDRAW, NINGBO, about)
    assert deal.state(about) == "withdrawn"


def test_s11_too_late_to_withdraw(deal):
    about = deal.offer()
    with refused("TOO_LATE_USE_REVOKE"):
        deal.say(Kind.WITHDRAW, NINGBO, about)


def test_s12_a_revoked_offer_cannot_be_accepted(deal):
    about = deal.offer(quoted(until=None))
    deal.say(Kind.REVOKE, NINGBO, about)
    with refused("REVOKED"):
        deal.accept(about)


@pytest.mark.parametrize(("regime", "binds"), [("CISG", True), ("PRC", True), ("UCC", False)])
def test_s13_a_fixed_period_binds_under_cisg_and_prc(regime, binds):
    deal = Deal(regime)
    about = deal.offer()
    if binds:
        with refused("IRREVOCABLE"):
            deal.say(Kind.REVOKE, NINGBO, about)
    else:
        deal.say(Kind.REVOKE, NINGBO, about)
    assert deal.state(about) == ("effective" if binds else "revoked")


def test_s18_an_acceptance_sent_before_the_revocation_arrives_counts_when_it_reaches(deal):
    about = deal.offer(quoted(until=None))
    acceptance = deal.at(4).accept(about, reached=False)
    with refused("ACCEPTED"):
        deal.at(5).say(Kind.REVOKE, NINGBO, about)
    assert (deal.contract.state, deal.contract.concluded_at) == ("awaiting_reach", None)
    deal.at(6).reach(acceptance)
    assert (deal.contract.state, deal.contract.concluded_at) == ("concluded", MONDAY + timedelta(hours=6))


def test_s20_the_offeree_cannot_revoke(deal):
    about = deal.offer(quoted(until=None))
    with refused("NOT_OFFEROR"):
        deal.say(Kind.REVOKE, HAIDI, about)


# --- reject, counter, ask -----------------------------------------------------------------------


def test_s7_the_offeror_cannot_accept_its_own_offer(deal):
    about = deal.offer()
    with refused("NOT_OFFEREE"):
        deal.accept(about, NINGBO)


def test_s21_reject_then_accept_within_the_period(deal):
    about = deal.offer()
    deal.reject(about)
    with refused("REJECTED"):
        deal.accept(about)


def test_s22_counter_then_accept_the_original(deal):
    about = deal.offer()
    deal.counter(about)
    with refused("COUNTERED"):
        deal.accept(about)


def test_r11_the_parent_is_countered_on_reach_and_not_before(deal):
    about = deal.offer()
    answer = deal.counter(about, reached=False)
    assert (deal.state(about), deal.state(answer)) == ("effective", "dispatched")
    with refused("COUNTER_UNDER_WAY"):
        deal.accept(about)
    deal.reach(answer)
    assert (deal.state(about), deal.state(answer)) == ("countered", "effective")


def test_a_counter_that_failed_leaves_the_offer_open(deal):
    about = deal.offer()
    answer = deal.counter(about, reached=False)
    deal.say(Kind.FAIL, about=answer)
    assert deal.turn == HAIDI
    deal.accept(about)
    assert deal.contract.offer.id == about


def test_s24_a_question_never_kills_an_offer(deal):
    about = deal.offer()
    version = deal.value.version
    deal.say(Kind.QUESTION, HAIDI, about, text="could you do 9.00?")
    assert (deal.state(about), deal.value.version) == ("effective", version)


def test_s25_a_third_party_cannot_counter(deal):
    about = deal.offer()
    with refused("NOT_OFFEREE"):
        deal.counter(about, by=STRANGER)
    with refused("NOT_A_PARTY"):
        deal.offer(by=STRANGER)


def test_s26_five_rounds_then_accept(deal):
    about = deal.offer()
    rounds = [about]
    for each in range(5):
        rounds.append(deal.counter(rounds[-1], by=(HAIDI, NINGBO)[each % 2]))
    deal.accept(rounds[-1], NINGBO)
    assert [deal.state(each) for each in rounds] == ["countered"] * 5 + ["accepted"]
    assert deal.contract.offer.id == rounds[-1]


def test_the_round_limit(deal):
    deal = Deal(rounds_max=1)
    answer = deal.counter(deal.offer())
    with refused("ROUND_LIMIT"):
        deal.counter(answer, by=NINGBO)


# --- acceptance and its time --------------------------------------------------------------------


def test_s28_a_plain_acceptance(deal):
    document = quoted()
    about = deal.offer(document)
    deal.accept(about)
    assert deal.contract.state == "concluded"
    assert flatten(deal.contract.offer.document) == flatten(document)
    assert deal.contract.accepted_by == HAIDI


def test_s29_reached_exactly_at_accept_by(deal):
    until = MONDAY + timedelta(hours=8)
    about = deal.propose(Kind.OFFER, NINGBO, quoted(until=None))
    offer = replace(deal.value.offer(about), id="timed", accept_by=until)
    deal.say(Kind.OFFER, NINGBO, offer=offer, reached_at=deal.now)
    deal.at(8).accept("timed")
    assert deal.contract.concluded_at == until


@pytest.mark.parametrize(("regime", "outcome"), [("CISG", "awaiting_election"), ("UCC", "concluded")])
def test_s30_s31_sent_before_reached_after(regime, outcome):
    deal = Deal(regime)
    about = deal.offer()
    hours = (datetime.combine(FRIDAY, datetime.max.time(), UTC) - MONDAY) / timedelta(hours=1)
    acceptance = deal.at(hours - 1).accept(about, reached=False)
    deal.at(hours + 1).reach(acceptance)
    assert deal.contract.state == outcome


def test_s32_s34_only_the_offeror_can_elect_a_late_acceptance(deal):
    test_s30_s31_sent_before_reached_after("CISG", "awaiting_election")
    about = deal.offer()
    acceptance = deal.accept(about, reached=False)
    deal.at(24 * 20).reach(acceptance)
    with refused("NOT_OFFEROR"):
        deal.say(Kind.ELECT_LATE, HAIDI, about)
    deal.at(24 * 20 + 1).say(Kind.ELECT_LATE, NINGBO, about)
    assert deal.contract.concluded_at == MONDAY + timedelta(days=20), "dated at the reach of the acceptance"


def test_an_acceptance_that_could_not_be_delivered_leaves_the_offer_open(deal):
    about = deal.offer()
    deal.say(Kind.FAIL, about=deal.accept(about, reached=False))
    assert (deal.state(about), deal.contract) == ("effective", None)


def test_s37_without_accept_by_it_lapses_after_a_reasonable_time(deal):
    about = deal.offer(quoted(until=None))
    assert deal.at(24 * 14).state(about) == "effective"
    assert deal.at(24 * 15).state(about) == "lapsed"
    with refused("LAPSED"):
        deal.accept(about)


def test_s49_silence_is_never_acceptance(deal):
    about = deal.offer()
    deal.at(24 * 30)
    assert (deal.state(about), deal.contract, deal.turn) == ("lapsed", None, None)


@pytest.mark.parametrize(
    ("regime", "until", "last"),
    [
        ("CISG", date(2026, 12, 5), date(2026, 12, 7)),
        ("PRC", date(2026, 12, 6), date(2026, 12, 7)),
        ("UCC", date(2026, 12, 5), date(2026, 12, 5)),
        ("CISG", FRIDAY, FRIDAY),
    ],
)
def test_r17_a_deadline_on_a_day_off_rolls_to_the_next_working_day(regime, until, last):
    deal = Deal(regime)
    about = deal.offer(quoted(until=until))
    assert model.deadline(deal.value, deal.value.offer(about), now=deal.now).date() == last


def test_s50_of_two_acceptances_with_one_version_one_conflicts(deal):
    about = deal.offer()
    shown = deal.value.version
    deal.accept(about, expected_version=shown)
    with pytest.raises(Conflict) as caught:
        deal.accept(about, expected_version=shown)
    assert (caught.value.expected, caught.value.actual) == (shown, shown + 1)


def test_s52_identical_crossing_offers_are_two_open_offers(deal):
    theirs = deal.offer()
    ours = deal.offer(by=HAIDI)
    assert (deal.state(theirs), deal.state(ours), deal.contract) == ("effective", "effective", None)


def test_s53_a_stale_terms_hash(deal):
    about = deal.offer()
    with refused("TERMS_HASH_MISMATCH"):
        deal.accept(about, terms_hash=deal.value.offer(about).terms_hash[::-1])


def test_s69_the_same_terms_offered_again_can_be_accepted(deal):
    deal.reject(deal.offer())
    deal.accept(deal.offer(quoted("Q-2")))
    assert deal.contract.offer.number == "Q-2"


def test_s70_nothing_is_revoked_after_conclusion(deal):
    about = deal.offer(quoted(until=None))
    deal.accept(about)
    with refused("ACCEPTED"):
        deal.say(Kind.REVOKE, NINGBO, about)
    with refused("CONCLUDED"):
        deal.offer()


def test_r20_a_better_offer_supersedes_a_revocable_one(deal):
    first = deal.offer(quoted(until=None))
    second = deal.offer(quoted("Q-2", until=None, price="12.00"))
    assert (deal.state(first), deal.state(second)) == ("superseded", "effective")


def test_r20_an_irrevocable_offer_stays_open_beside_the_better_one(deal):
    first, second = deal.offer(), deal.offer(quoted("Q-2", price="12.00"))
    assert (deal.state(first), deal.state(second)) == ("effective", "effective")
    deal.accept(first)
    assert deal.contract.offer.id == first


def test_r28_a_statement_made_again_changes_nothing(deal):
    about = deal.offer()
    before = deal.value
    deal.say(Kind.REJECT, HAIDI, about, id=about)
    assert deal.value == before


def test_whose_turn_it_is(deal):
    deal.inquire()
    assert deal.turn == NINGBO
    about = deal.offer()
    assert deal.turn == HAIDI
    deal.counter(about)
    assert deal.turn == NINGBO


def test_it_is_nobodys_turn_once_the_contract_stands(deal):
    deal.accept(deal.offer())
    assert deal.turn is None


def test_a_rejection_counts_when_it_reaches_and_not_where_it_fails(deal):
    about = deal.offer()
    rejection = deal.reject(about, reached=False)
    assert deal.state(about) == "effective"
    with refused("COUNTER_UNDER_WAY"):
        deal.accept(about)
    deal.say(Kind.FAIL, about=rejection)
    assert deal.state(about) == "effective"
    deal.accept(about)
    assert deal.state(about) == "accepted"


def test_a_rejection_sent_again_ends_the_offer_once_it_reaches(deal):
    about = deal.offer()
    rejection = deal.reject(about, reached=False)
    deal.say(Kind.FAIL, about=rejection)
    deal.reach(rejection)
    assert deal.state(about) == "rejected"


def test_an_offer_is_made_by_who_states_it(deal):
    with refused("NO_SUCH_OFFER"):
        deal.say(Kind.OFFER, HAIDI, offer=proposal("x", NINGBO, quoted()))
    with refused("NO_SUCH_OFFER"):
        deal.reach("nothing")


@pytest.mark.parametrize("zone", [None, UTC])
def test_an_offer_may_end_at_a_moment(zone):
    moment = datetime(2026, 12, 1, 17, 0, tzinfo=zone)
    document = quoted(until=None).model_copy(update={"dates": (DatedEvent(type="valid_until", at=moment),)})
    assert model.accept_by(document) == datetime(2026, 12, 1, 17, 0, tzinfo=UTC)


def test_an_invitation_has_no_deadline(deal):
    asking = deal.inquire()
    assert model.deadline(deal.value, deal.value.offer(asking), now=deal.now) is None


def test_the_table_prints_a_row_per_move():
    printed = model.table().splitlines()
    assert len(printed) == 1 + len(model.TRANSITIONS) + len(model.CONTRACT_TRANSITIONS)
    assert len({(move.state, move.event) for move in model.TRANSITIONS}) == len(model.TRANSITIONS)


def test_nothing_leaves_a_dead_state_but_a_late_acceptance():
    leaving = {move.state for move in model.TRANSITIONS if move.to is not move.state}
    assert not leaving & model.DEAD


# --- any history --------------------------------------------------------------------------------

MOVES = st.tuples(
    st.sampled_from(list(Kind)),
    st.sampled_from([HAIDI, NINGBO, STRANGER]),
    st.integers(0, 6),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0, 1, 30, 24 * 5, 24 * 15]),
    st.sampled_from(["12.40", "11.90", "10"]),
)


def play(moves, regime="CISG") -> list[model.Negotiation]:
    """Return each version of a negotiation in which all of ``moves`` were tried."""
    value = model.Negotiation("n", HAIDI, NINGBO, model.REGIMES[regime])
    history, now = [value], MONDAY
    for number, (kind, by, about, reached, firm, hours, price) in enumerate(moves):
        now += timedelta(hours=hours)
        known = [each.id for each in (value.statements if kind in (Kind.REACH, Kind.FAIL) else value.offers)]
        target = known[about % len(known)] if known else None
        offer = None
        if kind in model.PROPOSALS:
            until = (now + timedelta(days=6)).date() if about % 2 else None
            firm = firm and kind is not Kind.INQUIRY
            offer = proposal(f"s{number}", by, quoted(price=price, until=until), firm=firm, parent=target)
        said = Statement(f"s{number}", kind, by, target, offer, reached_at=now if reached else None)
        try:
            value = model.step(value, said, now=now)
        except Refused:
            continue
        history.append(value)
    return history


@given(st.lists(MOVES, max_size=25), st.sampled_from(["CISG", "PRC", "UCC"]))
@settings(deadline=None)
def test_at_most_one_contract_and_never_from_an_invitation(moves, regime):
    latest = play(moves, regime)[-1]
    found = model.states(latest, now=MONDAY + timedelta(days=400))
    bound = [each for each in latest.offers if found[each.id] in model.BOUND]
    assert len(bound) <= 1
    assert all(each.firm for each in bound)
    accepts = [each for each in latest.statements if each.kind is Kind.ACCEPT]
    assert all(latest.offer(each.about).by != each.by for each in accepts)


@given(st.lists(MOVES, max_size=25), st.sampled_from(["CISG", "PRC", "UCC"]))
@settings(deadline=None)
def test_what_is_accepted_stays_accepted(moves, regime):
    accepted: set[str] = set()
    for each in play(moves, regime):
        now = each.statements[-1].at if each.statements else MONDAY
        found = model.states(each, now=now)
        assert all(found[offer] is State.ACCEPTED for offer in accepted)
        accepted |= {offer for offer, state in found.items() if state is State.ACCEPTED}
        later = model.states(each, now=now + timedelta(days=365))
        assert all(later[offer] is State.ACCEPTED for offer in accepted), "no clock undoes it"


@given(st.lists(MOVES, max_size=25))
@settings(deadline=None)
def test_each_change_of_state_is_a_row_of_the_table(moves):
    rows = {(move.state, move.to) for move in model.TRANSITIONS}
    reachable = set(rows)
    for _ in State:  # one statement may be several moves: an offer made and reached, an acceptance sent and reached
        reachable |= {(start, end) for start, middle in reachable for again, end in rows if middle == again}
    previous: dict[str, State] = {}
    for each in play(moves):
        found = model.states(each, now=each.statements[-1].at if each.statements else MONDAY)
        for offer, state in found.items():
            before = previous.get(offer, State.NONE)
            assert before is state or (before, state) in reachable
        previous = found


@given(st.lists(MOVES, min_size=1, max_size=25))
@settings(deadline=None)
def test_of_two_commands_with_one_version_exactly_one_commits(moves):
    latest = play(moves)[-1]
    now = latest.statements[-1].at if latest.statements else MONDAY
    for number, offer in enumerate(latest.offers):
        said = Statement(
            f"a{number}", Kind.ACCEPT, latest.other(offer.by), offer.id, reached_at=now, expected_version=latest.version
        )
        if model.refusal(latest, said, now=now) is None:
            after = model.step(latest, said, now=now)
            again = model.refusal(after, replace(said, id="again"), now=now)
            assert isinstance(again, Conflict)


@given(st.lists(MOVES, max_size=12))
@settings(deadline=None)
def test_a_difference_applied_gives_the_other_offer(moves):
    offers = play(moves)[-1].offers
    for one in offers:
        for other in offers:
            before, after = flatten(one.document), flatten(other.document)
            assert apply(before, diff(before, after)) == after


def test_an_unknown_event_moves_nothing(deal):
    about = deal.offer()
    assert (State.EFFECTIVE, Event.FAIL) not in {(move.state, move.event) for move in model.TRANSITIONS}
    deal.say(Kind.FAIL, about=about)
    assert deal.state(about) == "effective"
    with refused("NO_SUCH_OFFER"):
        deal.accept("nothing")
    assert asked().lines
