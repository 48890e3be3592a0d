"""Corners of the rules of formation, where several of them meet: each has been got wrong once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from time import process_time

import pytest

from tests.negotiation.words import HAIDI, MONDAY, NINGBO, Deal, line, proposal, quoted
from tradehub.negotiation import model
from tradehub.negotiation.model import Calendar, Kind, Offer, Refused, Statement


def refused(code: str):
    return pytest.raises(Refused, match=f"^{code} ")


def open_ended(number="Q-1", **more):
    return quoted(number, until=None, **more)


# --- what is said of what -----------------------------------------------------------------------


def test_only_what_answers_an_acceptance_may_name_it():
    """An acceptance that failed leaves the offer open, but is none itself."""
    deal = Deal()
    about = deal.offer()
    acceptance = deal.accept(about, reached=False)
    deal.say(Kind.FAIL, about=acceptance)
    for kind in (Kind.ACCEPT, Kind.REJECT, Kind.PERFORM, Kind.RELY):
        with refused("NO_SUCH_OFFER"):
            deal.say(kind, HAIDI, acceptance)
    with refused("NO_SUCH_OFFER"):
        deal.revoke(acceptance)
    assert deal.state(about) == "effective"


def test_an_acceptance_on_its_own_immaterial_terms_is_no_offer_to_answer():
    deal = Deal()
    about = deal.offer()
    acceptance = deal.accept_with(about, ["notes.1"])
    with refused("NO_SUCH_OFFER"):
        deal.say(Kind.REJECT, HAIDI, acceptance)
    deal.say(Kind.OBJECT, NINGBO, acceptance)
    assert deal.state(about) == "countered"


@pytest.mark.parametrize("kind", [Kind.COMMENT, Kind.REJECT, Kind.REVOKE, Kind.REACH])
def test_terms_come_only_with_a_proposal_or_an_acceptance(kind):
    deal = Deal()
    about = deal.offer()
    by = NINGBO if kind is Kind.REVOKE else HAIDI
    with refused("NOT_ALLOWED"):
        deal.say(kind, by, about, offer=proposal("x", by, quoted()))


def test_r29_an_offer_made_again_until_another_day_is_another_offer():
    deal = Deal()
    about = deal.offer()
    later = replace(deal.value.offer(about), accept_by=MONDAY + timedelta(days=40))
    with refused("SAME_NUMBER_OTHER_CONTENT"):
        deal.say(Kind.OFFER, NINGBO, id=about, offer=later)


def test_nothing_is_dispatched_after_it_was_recorded():
    deal = Deal("UCC")
    about = deal.offer()
    deal.accept(about, sent_at=MONDAY + timedelta(days=400), reached=False)
    assert deal.contract.concluded_at == MONDAY


# --- failing, taking back -----------------------------------------------------------------------


def test_r22_an_acceptance_that_fails_twice_gives_its_lines_back_once():
    deal = Deal()
    about = deal.offer(divisible=True)
    part = deal.accept(about, reached=False, lines=(("1", Decimal(60)),))
    deal.say(Kind.FAIL, about=part)
    deal.say(Kind.FAIL, about=part)
    deal.accept(about, lines=(("1", Decimal(60)),))
    with refused("LINE_TAKEN"):
        deal.accept(about, lines=(("1", Decimal(60)),))


def test_r16_a_withdrawal_means_the_acceptance_that_was_on_its_way_when_it_was_written():
    deal = Deal()
    about = deal.offer(divisible=True)
    first = deal.accept(about, reached=False, lines=(("1", None),))
    notice = deal.say(Kind.WITHDRAW_ACCEPTANCE, HAIDI, about)
    second = deal.accept(about, reached=False, lines=(("2", None),))
    for each in (notice, first, second):
        deal.reach(each)
    assert [each.id for each in deal.contracts] == [second]


@pytest.mark.parametrize("reached", [True, False])
def test_r16_an_acceptance_may_be_taken_back_by_its_own_name(reached):
    deal = Deal()
    about = deal.offer()
    acceptance = deal.accept(about, reached=False)
    notice = deal.say(Kind.WITHDRAW_ACCEPTANCE, HAIDI, acceptance, reached_at=deal.now if reached else None)
    if not reached:
        deal.reach(notice)
    assert (deal.state(about), deal.contract) == ("effective", None)


def test_r16_an_acceptance_taken_back_while_it_was_undeliverable_says_nothing_when_it_is_sent_again():
    deal = Deal()
    about = deal.offer()
    acceptance = deal.accept(about, reached=False)
    notice = deal.say(Kind.WITHDRAW_ACCEPTANCE, HAIDI, about)
    deal.say(Kind.FAIL, about=acceptance)
    deal.reach(notice)
    deal.reach(acceptance)
    assert (deal.state(about), deal.contract) == ("effective", None)


@pytest.mark.parametrize("first", ["counter", "withdrawal"])
def test_r5_a_counter_withdrawn_at_the_moment_it_arrives_leaves_the_offer_as_it_was(first):
    deal = Deal()
    about = deal.offer()
    answer = deal.counter(about, reached=False)
    notice = deal.withdraw(answer, HAIDI, reached=False)
    deal.at(2)
    for each in (answer, notice) if first == "counter" else (notice, answer):
        deal.reach(each)
    assert (deal.state(about), deal.state(answer)) == ("effective", "withdrawn")
    assert deal.at(24 * 15).state(about) == "lapsed"


def test_r30_only_what_was_said_can_be_taken_back_and_only_once():
    deal = Deal()
    with refused("NO_SUCH_OFFER"):
        deal.say(Kind.RETRACT, HAIDI, "nothing")
    about = deal.offer()
    acceptance = deal.accept(about, reviewed=False)
    deal.say(Kind.RETRACT, HAIDI, acceptance)
    with refused("ALREADY_RELIED_ON"):
        deal.say(Kind.RETRACT, HAIDI, acceptance)
    asking = deal.inquire()
    with refused("CORRECTION_WAS_OFFERED"):
        deal.say(Kind.RETRACT, HAIDI, asking)


def test_r30_what_was_taken_back_is_not_undone_again_when_its_time_to_be_answered_ends():
    deal = Deal()
    about = deal.offer(open_ended())
    deal.at(1).revoke(about)
    claimed = deal.at(2).accept(about, claimed_at=MONDAY, reviewed=False)
    deal.say(Kind.RETRACT, HAIDI, claimed)
    assert deal.at(72).state(about) == "revoked"


# --- too late -----------------------------------------------------------------------------------


@pytest.mark.parametrize("says_no", [True, False])
def test_r8_a_revoked_offer_is_not_revived_by_a_claim_that_was_not_admitted(says_no):
    deal = Deal()
    about = deal.offer(open_ended())
    deal.at(1).revoke(about)
    deal.at(2).accept(about, claimed_at=MONDAY)
    if says_no:
        deal.say(Kind.LAPSE_NOTICE, NINGBO, about)
    deal.at(60).accept(about)
    assert (deal.state(about), deal.contract.state) == ("late_pending", "awaiting_election")


def test_r8_under_the_mailbox_rule_an_admitted_time_dates_the_contract():
    deal = Deal("UCC")
    about = deal.offer(open_ended())
    deal.at(5).revoke(about)
    deal.at(6).accept(about, claimed_at=MONDAY + timedelta(hours=4))
    deal.at(7).say(Kind.ADMIT_TIME, NINGBO, about)
    assert deal.contract.concluded_at == MONDAY + timedelta(hours=4)


@pytest.mark.parametrize(("claims", "outcome"), [(13, "disputed_time"), (15, "awaiting_election")])
def test_r14_under_the_mailbox_rule_a_claim_to_have_sent_in_time_is_for_the_offeror_to_admit(claims, outcome):
    deal = Deal("UCC")
    about = deal.offer(open_ended())
    deal.at(24 * 20).accept(about, claimed_at=MONDAY + timedelta(days=claims))
    assert deal.contract.state == outcome
    with refused("NOT_LATE"):
        deal.say(Kind.ADMIT_TIME if claims == 15 else Kind.ELECT_LATE, NINGBO, about)


def test_r14_under_the_mailbox_rule_only_what_is_sent_in_time_counts_before_it_reaches():
    deal = Deal("UCC")
    about = deal.offer(open_ended())
    late = deal.at(24 * 20).accept(about, reached=False)
    assert (deal.state(about), deal.contract.state) == ("accepting", "awaiting_reach")
    deal.at(24 * 60).reach(late)
    assert (deal.state(about), deal.contract.state) == ("late_pending", "awaiting_election")
    assert deal.at(24 * 63).state(about) == "lapsed"


def test_r15_a_notice_of_lapse_needs_an_acceptance_that_came_late():
    deal = Deal()
    about = deal.offer()
    with refused("NOT_LATE"):
        deal.say(Kind.LAPSE_NOTICE, NINGBO, about)
    deal.accept(about)
    with refused("NOT_LATE"):
        deal.say(Kind.LAPSE_NOTICE, NINGBO, about)


@pytest.mark.parametrize(("hour", "code"), [(1, "REVOKED"), (24 * 20, "REVOKED")])
def test_r10_what_was_taken_back_cannot_be_countered_by_an_earlier_acceptance(hour, code):
    deal = Deal()
    about = deal.offer(open_ended())
    deal.at(1).revoke(about)
    with refused(code):
        deal.at(hour).accept_with(about, ["lines.1.price.amount"], sent_at=MONDAY)


def test_r10_what_has_lapsed_cannot_be_countered_by_acceptance():
    deal = Deal()
    about = deal.offer(open_ended())
    with refused("LAPSED"):
        deal.at(24 * 20).accept_with(about, ["lines.1.price.amount"])


@pytest.mark.parametrize("proven", [True, False])
def test_r13_the_time_to_object_starts_when_the_acceptance_reaches_whenever_it_took_effect(proven):
    deal = Deal("UCC")
    about = deal.offer()
    if proven:
        deal.at(72).accept_with(about, ["notes.1"], sent_at=MONDAY)
    else:
        acceptance = deal.accept_with(about, ["notes.1"], reached=False)
        assert deal.at(71).contract.objectable_until is None, "it cannot object to what it has not read"
        deal.at(72).reach(acceptance)
    assert deal.contract.concluded_at == MONDAY
    assert deal.contract.objectable_until == MONDAY + timedelta(hours=72 + 48)
    deal.at(120).say(Kind.OBJECT, NINGBO, about)
    assert deal.contract is None


def test_r10_a_counter_by_acceptance_keeps_a_deadline_that_rolled_to_a_working_day():
    deal = Deal()
    about = deal.offer(quoted(until=date(2026, 11, 28)))  # a Saturday
    counter = deal.at(24 * 6).accept_with(about, ["lines.1.price.amount"], quoted(price="9"))
    assert deal.state(counter) == "effective"
    with refused("ACCEPT_BY_PAST"):
        deal.counter(counter, NINGBO, quoted(until=date(2026, 11, 28)))


def test_r11_counters_by_acceptance_are_rounds_too():
    deal = Deal(rounds_max=1)
    counter = deal.accept_with(deal.offer(), ["lines.1.price.amount"], quoted(price="9"))
    with refused("ROUND_LIMIT"):
        deal.accept_with(counter, ["lines.1.price.amount"], quoted(price="10"), by=NINGBO)
    deal.accept(counter, NINGBO)


def test_x14_a_counter_in_another_currency_is_another_bargain_and_amount():
    deal = Deal()
    about = deal.offer(quoted(price="9.50"))  # 950 + 164 USD
    with refused("OVER_LIMIT"):
        deal.accept_with(about, ["currency"], quoted(price="68", currency="CNY"), limit=Decimal(6963))
    counter = deal.accept_with(about, ["currency"], quoted(price="68", currency="CNY"), limit=Decimal(6964))
    assert (deal.state(about), deal.value.offer(counter).amount) == ("countered", Decimal("6964.00"))
    with refused("TERMS_HASH_MISMATCH"):
        deal.accept(counter, NINGBO, terms_hash=deal.value.offer(about).terms_hash)


# --- silence ------------------------------------------------------------------------------------


def test_r19_silence_accepts_one_of_two_alternatives_the_one_whose_time_ends_first():
    deal = Deal(silence_accepts=True)
    slow = deal.offer(open_ended(), group="either", accept_within=timedelta(days=5))
    fast = deal.offer(open_ended("Q-2"), group="either", accept_within=timedelta(days=3))
    deal.at(24 * 20)
    assert [each.offer.id for each in deal.contracts] == [fast]
    assert deal.state(slow) == "lapsed"


def test_r19_silence_accepts_nothing_once_the_parties_are_agreed():
    deal = Deal(silence_accepts=True)
    first, second = deal.offer(), deal.offer(quoted("Q-2", price="12.00"))
    deal.accept(first)
    deal.at(24 * 20)
    assert (len(deal.contracts), deal.state(second)) == (1, "lapsed")


def test_r19_silence_accepts_nothing_that_arrived_after_its_last_moment():
    deal = Deal(silence_accepts=True)
    about = deal.offer(reached=False)
    deal.at(24 * 30).reach(about)
    deal.at(24 * 30 + 1)
    assert (deal.state(about), deal.contract) == ("lapsed", None)


# --- parts, amounts, amendments -----------------------------------------------------------------


@pytest.mark.parametrize("regime", ["CISG", "PRC", "UCC"])
def test_s56_some_lines_of_an_indivisible_offer_are_a_counter_offer_under_every_law(regime):
    deal = Deal(regime)
    about = deal.offer()
    counter = deal.accept_with(about, [], quoted(lines=(line(),)), lines=(("1", None),))
    assert (deal.state(about), deal.state(counter), deal.contract) == ("countered", "effective", None)


def test_s59_the_limit_counts_what_is_left_of_the_lines():
    deal = Deal()
    about = deal.offer(quoted(price="9.50"), divisible=True)  # 950 + 164
    deal.accept(about, lines=(("1", Decimal(60)),))
    with refused("OVER_LIMIT"):
        deal.accept(about, lines=(("1", None),), limit=Decimal("379.99"))
    with refused("OVER_LIMIT"):
        deal.accept(about, limit=Decimal("543.99"))
    deal.accept(about, limit=Decimal(544))
    assert deal.state(about) == "accepted"


def test_r25_nothing_is_amended_once_the_contract_has_ended():
    deal = Deal()
    about = deal.offer()
    deal.accept(about)
    change, end = deal.amend(about), deal.amend(about, by=NINGBO, terminates=True)
    deal.accept(end, HAIDI)
    with refused("NO_CONTRACT"):
        deal.accept(change, NINGBO)
    with refused("NO_CONTRACT"):
        deal.counter(change, NINGBO, amends=about)
    assert (deal.contract.state, deal.contract.version) == ("terminated", 2)


def test_r25_an_acceptance_that_arrives_after_the_end_amends_nothing():
    deal = Deal()
    about = deal.offer()
    deal.accept(about)
    change, end = deal.amend(about), deal.amend(about, by=NINGBO, terminates=True)
    on_its_way = deal.accept(change, NINGBO, reached=False)
    deal.accept(end, HAIDI)
    deal.at(1).reach(on_its_way)
    assert (deal.contract.state, deal.contract.version) == ("terminated", 2)


def test_r25_calling_it_an_amendment_does_not_reopen_an_agreed_deal():
    deal = Deal()
    first, second = deal.offer(), deal.offer(quoted("Q-2", price="12.00"))
    deal.accept(first)
    own = replace(deal.value.offer(second), id="again", by=HAIDI, amends=first)
    with refused("CONCLUDED"):
        deal.say(Kind.ACCEPT, HAIDI, second, id="again", offer=own, changes=("notes.1",), reached_at=deal.now)
    with refused("NO_CONTRACT"):
        deal.offer(quoted("Q-3"), amends="nothing")


def test_r21_nothing_is_concluded_before_the_signatures_that_were_agreed():
    deal = Deal(formation="signature")
    deal.accept_with(deal.offer(), ["notes.1"])
    assert (deal.contract.state, deal.contract.concluded_at) == ("concluded_objectable", None)
    deal.at(49)
    assert (deal.contract.state, deal.contract.concluded_at) == ("awaiting_confirmation", None)


def test_r17_a_place_that_works_on_no_day_rolls_nothing():
    place = Calendar(weekend=frozenset(range(7)))
    assert place.rolled(MONDAY) == MONDAY
    last = datetime(9999, 12, 31, 12, tzinfo=UTC)
    assert place.rolled(last) == last


def test_a_thousand_statements_are_folded_in_no_time():
    """Five hundred irrevocable offers of either side, all open at once: the dearest history there is."""
    until = MONDAY + timedelta(days=40)
    said = []
    for number in range(1000):
        by, at = (HAIDI, NINGBO)[number % 2], MONDAY + timedelta(minutes=number)
        offer = Offer(f"s{number}", by, accept_by=until)
        said.append(Statement(offer.id, Kind.OFFER, by, offer=offer, at=at, reached_at=at))
    deal = replace(Deal().value, statements=tuple(said))
    spent = []
    for _ in range(3):
        started = process_time()
        assert len(model.states(deal, now=MONDAY + timedelta(days=2))) == 1000
        spent.append(process_time() - started)
    assert min(spent) < 0.5, "seconds; 0.07 on a machine of its own"


# --- where a model written apart from the spec alone had it otherwise ------------------------------


@pytest.mark.parametrize("kind", [Kind.CONFIRM, Kind.SIGN])
def test_s59_a_signature_binds_for_what_was_accepted_of_a_divisible_offer_not_for_what_is_left(kind):
    deal = Deal(formation="confirmation" if kind is Kind.CONFIRM else "signature")
    about = deal.offer(divisible=True)
    acceptance = deal.accept(about, lines=(("1", Decimal(60)),))  # 744.00; 660.00 are left
    with refused("OVER_LIMIT"):
        deal.say(kind, NINGBO, acceptance, limit=Decimal("743.99"))
    deal.say(kind, NINGBO, acceptance, limit=Decimal(744))


def test_s59_to_elect_a_late_acceptance_binds_for_what_it_accepted():
    deal = Deal()
    about = deal.offer(divisible=True)
    acceptance = deal.at(24 * 20).accept(about)
    assert deal.state(about) == "late_pending"
    with refused("OVER_LIMIT"):
        deal.say(Kind.ELECT_LATE, NINGBO, acceptance, limit=Decimal("1403.99"))
    deal.say(Kind.ELECT_LATE, NINGBO, acceptance, limit=Decimal(1404))


def test_s32_a_late_acceptance_is_dated_when_it_reached_under_the_mailbox_rule_too():
    """It is no acceptance before the offeror elects it; what counts on dispatch is one that is in time (R2d 70)."""
    deal = Deal("UCC")
    about = deal.offer(open_ended())
    acceptance = deal.at(24 * 20).accept(about, reached=False)
    deal.at(24 * 20 + 5).reach(acceptance)
    deal.at(24 * 20 + 6).say(Kind.ELECT_LATE, NINGBO, acceptance)
    assert deal.contract.concluded_at == MONDAY + timedelta(days=20, hours=5)


@pytest.mark.parametrize("regime", ["CISG", "UCC"])
def test_r16_a_late_acceptance_is_taken_back_by_what_reaches_together_with_it(regime):
    deal = Deal(regime)
    about = deal.offer(open_ended())
    acceptance = deal.at(24 * 20).accept(about, reached=False)
    withdrawal = deal.say(Kind.WITHDRAW_ACCEPTANCE, HAIDI, acceptance)
    deal.at(24 * 20 + 5).reach(acceptance)
    deal.reach(withdrawal)
    assert (deal.state(about), deal.contract) == ("lapsed", None)


@pytest.mark.parametrize("reached", [5, 24 * 14])
@pytest.mark.parametrize("newer", [False, True])
def test_r8_a_revocation_that_the_acceptance_held_off_counts_once_the_acceptance_is_gone(newer, reached):
    """REVOKED is provisional until every acceptance dispatched earlier can no longer arrive (spec, 2)."""
    deal = Deal()
    about = deal.offer(open_ended())
    ending = deal.offer(quoted("Q-2"), reached=False) if newer else deal.revoke(about, reached=False)
    acceptance = deal.at(1).accept(about, reached=False)
    deal.at(reached).reach(ending)
    assert deal.state(about) == "accepting"
    deal.at(reached + 1).say(Kind.WITHDRAW_ACCEPTANCE, HAIDI, acceptance, reached_at=deal.now)
    assert deal.state(about) == ("superseded" if newer else "revoked")
    with refused("SUPERSEDED" if newer else "REVOKED"):
        deal.accept(about)


def test_r8_an_acceptance_dispatched_before_the_revocation_is_sent_again_and_counts():
    deal = Deal()
    about = deal.offer(open_ended())
    revocation = deal.revoke(about, reached=False)
    acceptance = deal.at(4).accept(about, reached=False)
    deal.at(5).reach(revocation)
    deal.say(Kind.FAIL, about=acceptance)
    assert deal.state(about) == "revoked"
    deal.at(6).reach(acceptance)
    assert (deal.state(about), deal.contract.concluded_at) == ("accepted", MONDAY + timedelta(hours=6))


def test_r20_an_older_offer_that_arrives_late_does_not_replace_a_newer_one():
    deal = Deal()
    older = deal.offer(open_ended(), reached=False)
    newer = deal.at(1).offer(open_ended("Q-2", price="11.00"))
    deal.at(2).reach(older)
    assert (deal.state(older), deal.state(newer)) == ("superseded", "effective")
    with refused("SUPERSEDED"):
        deal.accept(older)


def test_r20_an_older_irrevocable_offer_that_arrives_late_stands_beside_the_newer_one():
    deal = Deal()
    older = deal.offer(reached=False)
    newer = deal.at(1).offer(open_ended("Q-2"))
    deal.at(2).reach(older)
    assert (deal.state(older), deal.state(newer)) == ("effective", "effective")


def test_r20_a_newer_offer_that_was_withdrawn_replaces_nothing():
    deal = Deal()
    older = deal.offer(open_ended(), reached=False)
    newer = deal.offer(open_ended("Q-2"), reached=False)
    withdrawal = deal.withdraw(newer, reached=False)
    deal.at(1).reach(newer)
    deal.reach(withdrawal)
    deal.at(2).reach(older)
    assert (deal.state(older), deal.state(newer)) == ("effective", "withdrawn")


def test_r19_a_revocation_that_has_not_reached_is_no_answer_so_that_silence_accepts():
    deal = Deal(silence_accepts=True)
    about = deal.offer(open_ended())
    revocation = deal.at(1).revoke(about, reached=False)
    deal.at(24 * 15).reach(revocation)
    assert (deal.state(about), str(deal.contract.state)) == ("accepted", "concluded")


def test_r19_silence_agrees_to_no_change_of_a_contract_that_has_ended():
    deal = Deal(silence_accepts=True)
    about = deal.offer()
    deal.accept(about)
    end = deal.amend(about, terminates=True)
    change = deal.amend(about, open_ended("A-2"), NINGBO, accept_within=timedelta(days=3))
    deal.at(1).accept(end, NINGBO)
    deal.at(24 * 5)
    assert (deal.state(change), str(deal.contracts[0].state)) == ("lapsed", "terminated")


def test_r24_what_is_knocked_out_names_the_standard_terms_beside_the_rest():
    deal = Deal("UCC", battle="knock_out")
    about = deal.offer(standard_terms="ningbo-2026")
    deal.accept_with(about, ["warranty"], standard_terms="haidi-7")
    assert deal.contract.knocked_out == ("warranty", "standard_terms")


@pytest.mark.parametrize("regime", ["CISG", "PRC", "UCC"])
@pytest.mark.parametrize(("offered", "said"), [({}, {"conditional": True}), ({"as_is_only": True}, {})])
def test_r24_no_knock_out_for_who_says_expressly_that_it_is_to_be_bound_on_its_own_terms_only(regime, offered, said):
    """UCC 2-207(1), last half-sentence; PICC 2.1.22: unless one side makes plain that it will not be bound otherwise."""
    deal = Deal(regime, battle="knock_out")
    about = deal.offer(standard_terms="ningbo-2026", **offered)
    answer = deal.accept_with(about, [], standard_terms="haidi-7", **said)
    assert (deal.state(about), deal.state(answer), deal.contract) == ("countered", "effective", None)


def test_r18_an_invitation_is_not_accepted_by_performance_either():
    deal = Deal(performance_accepts=True)
    about = deal.offer(firm=False)
    with refused("INVITATION_NOT_ACCEPTABLE"):
        deal.say(Kind.PERFORM, HAIDI, about)


def test_r13_what_has_not_reached_cannot_be_objected_to_and_the_reason_says_so():
    deal = Deal()
    about = deal.offer()
    acceptance = deal.accept_with(about, ["notes.1"], reached=False)
    with refused("NOT_YET_REACHED"):
        deal.say(Kind.OBJECT, NINGBO, acceptance)


def test_r14_a_late_acceptance_that_was_taken_back_cannot_be_elected():
    deal = Deal()
    about = deal.offer()
    acceptance = deal.at(24 * 20).accept(about, reached=False)
    withdrawal = deal.say(Kind.WITHDRAW_ACCEPTANCE, HAIDI, acceptance)
    deal.at(24 * 20 + 5).reach(acceptance)
    deal.reach(withdrawal)
    with refused("NOT_LATE"):
        deal.say(Kind.ELECT_LATE, NINGBO, acceptance)
