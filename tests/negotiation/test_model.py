"""The scenarios of the rules of formation, each under its number (spec/negotiation section 4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from tests.negotiation.words import FRIDAY, HAIDI, MONDAY, NINGBO, STRANGER, Deal, asked, line, proposal, quoted
from tradehub.documents.parts import DatedEvent, Item, Price
from tradehub.documents.terms import flatten
from tradehub.negotiation import model
from tradehub.negotiation.model import Calendar, Conflict, Event, Kind, Refused, State


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
    assert (caught.value.rule, caught.value.article) == ("R1", "CISG 14(2)")


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
    deal.withdraw(about)
    deal.reach(about)
    assert deal.state(about) == "withdrawn"
    with refused("WITHDRAWN"):
        deal.accept(about)


def test_s10_an_irrevocable_offer_may_be_withdrawn_before_it_arrives(deal):
    about = deal.offer(reached=False, irrevocable=True)
    deal.withdraw(about)
    assert deal.state(about) == "withdrawn"


def test_s11_too_late_to_withdraw(deal):
    about = deal.offer()
    with refused("TOO_LATE_USE_REVOKE"):
        deal.withdraw(about)


def test_s12_a_revoked_offer_cannot_be_accepted(deal):
    about = deal.offer(quoted(until=None))
    deal.revoke(about)
    with refused("REVOKED"):
        deal.accept(about)


@pytest.mark.parametrize(("regime", "binds"), [("CISG", True), ("PRC", True), ("UCC", False)])
def test_s13_a_fixed_period_binds_under_cisg_and_prc(regime, binds):
    deal = Deal(regime)
    about = deal.offer()
    if binds:
        with refused("IRREVOCABLE"):
            deal.revoke(about)
    else:
        deal.revoke(about)
    assert deal.state(about) == ("effective" if binds else "revoked")


def test_s18_an_acceptance_sent_before_the_revocation_arrives_counts_when_it_reaches(deal):
    about = deal.offer(quoted(until=None))
    acceptance = deal.at(4).accept(about, reached=False)
    with refused("ACCEPTED"):
        deal.at(5).revoke(about)
    assert (deal.contract.state, deal.contract.concluded_at) == ("awaiting_reach", None)
    deal.at(6).reach(acceptance)
    assert (deal.contract.state, deal.contract.concluded_at) == ("concluded", MONDAY + timedelta(hours=6))


def test_s20_the_offeree_cannot_revoke(deal):
    about = deal.offer(quoted(until=None))
    with refused("NOT_OFFEROR"):
        deal.revoke(about, HAIDI)


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
        deal.counter(about)


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
        deal.revoke(about)
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
    deal.offer()
    before = deal.value
    deal.value = model.step(before, before.statements[0], now=deal.at(1).now)
    assert deal.value == before


def test_r29_the_same_number_with_other_content_is_refused(deal):
    about = deal.offer()
    with refused("SAME_NUMBER_OTHER_CONTENT"):
        deal.say(Kind.REJECT, HAIDI, about, id=about)


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


def test_the_table_has_one_row_for_each_event_in_a_state():
    assert len({(move.state, move.event) for move in model.TRANSITIONS}) == len(model.TRANSITIONS)
    assert {each.rule for each in model.TRANSITIONS} <= {rule.number for rule in model.RULES}


def test_what_leaves_a_dead_state():
    """Only an acceptance under way when it ended, a late one, and what undoes an acceptance, each by its rule."""
    leaving = {(move.state, move.event, move.rule) for move in model.TRANSITIONS if move.state in model.DEAD}
    assert {(str(state), str(event), rule) for state, event, rule in leaving} == {
        ("withdrawn", "reach", "R5"),
        ("revoked", "accept", "R8"),
        ("superseded", "accept", "R8"),
        ("lapsed", "accept", "R14"),
        ("accepted", "object", "R13"),
        ("accepted", "lapse_notice", "R15"),
        ("accepted", "retract", "R30"),
    }


def test_an_unknown_event_moves_nothing(deal):
    about = deal.offer()
    assert (State.EFFECTIVE, Event.FAIL) not in {(move.state, move.event) for move in model.TRANSITIONS}
    deal.say(Kind.FAIL, about=about)
    assert deal.state(about) == "effective"
    with refused("NO_SUCH_OFFER"):
        deal.accept("nothing")
    assert asked().lines


# --- irrevocable, provisional, in dispute -------------------------------------------------------


def test_s17_an_offer_that_the_offeree_relies_on_cannot_be_revoked(deal):
    about = deal.offer(quoted(until=None))
    deal.say(Kind.RELY, HAIDI, about, text="tooling ordered")
    with refused("IRREVOCABLE"):
        deal.revoke(about)


def test_r6_a_firm_offer_under_the_ucc_binds_for_three_months_at_most():
    deal = Deal("UCC", reasonable=timedelta(days=365))
    about = deal.offer(quoted(until=None), irrevocable=True)
    with refused("IRREVOCABLE"):
        deal.at(24 * 92).revoke(about)
    deal.at(24 * 92 + 1).revoke(about)
    assert deal.state(about) == "revoked"


def test_r6_a_revocation_counts_when_it_reaches(deal):
    about = deal.offer(quoted(until=None))
    notice = deal.at(3).revoke(about, reached=False)
    assert deal.state(about) == "effective"
    deal.at(4).accept(about, reached=False)
    deal.at(5).reach(notice)
    assert (deal.state(about), deal.contract.state) == ("accepting", "awaiting_reach"), "dispatched before: 16(1)"


def test_r6_reliance_stops_a_revocation_on_its_way(deal):
    about = deal.offer(quoted(until=None))
    notice = deal.revoke(about, reached=False)
    deal.at(1).say(Kind.RELY, HAIDI, about)
    deal.at(2).reach(notice)
    assert deal.state(about) == "effective"


@pytest.mark.parametrize("regime", ["CISG", "PRC", "UCC"])
def test_r8_a_revocation_is_provisional_until_earlier_acceptances_have_arrived(regime):
    """S18 as the hub of the offeror sees it: the acceptance comes in later, with proof of its dispatch."""
    deal = Deal(regime)
    about = deal.offer(quoted(until=None))
    deal.at(5).revoke(about)
    assert deal.state(about) == "revoked"
    deal.at(6).accept(about, sent_at=MONDAY + timedelta(hours=4))
    effective = 4 if regime == "UCC" else 6
    assert (deal.contract.state, deal.contract.concluded_at) == ("concluded", MONDAY + timedelta(hours=effective))


def test_r8_a_claim_without_proof_is_for_the_offeror_to_admit(deal):
    about = deal.offer(quoted(until=None))
    deal.at(5).revoke(about)
    deal.at(6).accept(about, claimed_at=MONDAY + timedelta(hours=4))
    assert (deal.state(about), deal.contract.state, deal.contract.concluded_at) == ("disputed", "disputed_time", None)
    with refused("NOT_OFFEROR"):
        deal.say(Kind.ADMIT_TIME, HAIDI, about)
    deal.at(7).say(Kind.ADMIT_TIME, NINGBO, about)
    assert (deal.state(about), deal.contract.concluded_at) == ("accepted", MONDAY + timedelta(hours=6))


@pytest.mark.parametrize("denies", [True, False])
def test_r8_a_claim_that_is_not_admitted_comes_to_nothing(deal, denies):
    about = deal.offer(quoted(until=None))
    deal.revoke(about)
    deal.at(6).accept(about, claimed_at=MONDAY - timedelta(hours=1))
    if denies:
        deal.say(Kind.LAPSE_NOTICE, NINGBO, about)
    deal.at(6 + 49)
    assert (deal.state(about), deal.contract) == ("lapsed", None)
    with refused("TOO_LATE_TO_ELECT"):
        deal.say(Kind.ADMIT_TIME, NINGBO, about)


def test_r8_an_acceptance_dispatched_after_the_revocation_is_refused(deal):
    about = deal.offer(quoted(until=None))
    deal.at(5).revoke(about)
    with refused("REVOKED"):
        deal.at(6).accept(about, sent_at=MONDAY + timedelta(hours=5))
    with refused("REVOKED"):
        deal.at(6).accept(about, claimed_at=MONDAY + timedelta(hours=5))


def test_r5_a_withdrawal_that_arrives_after_the_offer_is_a_revocation(deal):
    first = deal.offer(quoted(until=None), reached=False, group="either")
    second = deal.offer(quoted("Q-2"), reached=False, group="either")
    notices = [deal.withdraw(each, reached=False) for each in (first, second)]
    for each in (first, second, *notices):
        deal.at(deal.hour + 1).reach(each)
    assert (deal.state(first), deal.state(second)) == ("revoked", "effective"), "the second is irrevocable"


def test_r5_a_withdrawal_that_arrives_together_with_the_offer_counts(deal):
    about = deal.offer(reached=False)
    notice = deal.withdraw(about, reached=False)
    deal.at(2).reach(about)
    deal.reach(notice)
    assert deal.state(about) == "withdrawn"


def test_r27_without_a_receipt_an_offer_may_be_treated_as_never_sent(deal):
    about = deal.offer(reached=False)
    with refused("RECEIPT_STILL_DUE"):
        deal.at(24).say(Kind.DISREGARD, NINGBO, about)
    deal.at(25).say(Kind.DISREGARD, NINGBO, about)
    deal.reach(about)
    assert deal.state(about) == "withdrawn"


def test_r27_what_is_conditional_on_a_receipt_is_not_sent_without_one(deal):
    about = deal.offer(reached=False, conditional_on_receipt=True)
    deal.say(Kind.DISREGARD, NINGBO, about)
    assert deal.state(about) == "withdrawn"
    reached = deal.offer(conditional_on_receipt=True)
    with refused("TOO_LATE_USE_REVOKE"):
        deal.say(Kind.DISREGARD, NINGBO, reached)


def test_r1_an_inquiry_may_be_cancelled_by_who_made_it(deal):
    asking = deal.inquire()
    with refused("NOT_OFFEROR"):
        deal.say(Kind.CANCEL, NINGBO, asking, reached_at=deal.now)
    deal.say(Kind.CANCEL, HAIDI, asking, reached_at=deal.now)
    assert (deal.state(asking), deal.turn) == ("withdrawn", None)
    with refused("NOT_AN_INVITATION"):
        deal.say(Kind.CANCEL, NINGBO, deal.offer())


# --- acceptance that changes terms --------------------------------------------------------------


def test_s38_acceptance_at_another_price_is_a_counter_offer_which_the_seller_may_accept(deal):
    about = deal.offer(quoted(price="9.50"))
    counter = deal.accept_with(about, ["lines.1.price.amount"], quoted(price="9.00"))
    assert (deal.state(about), deal.state(counter), deal.contract) == ("countered", "effective", None)
    assert deal.value.offer(counter).accept_by == deal.value.offer(about).accept_by
    deal.accept(counter, NINGBO)
    assert deal.contract.offer.id == counter


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ("payment_terms.1.net_days", "39a"),
        ("lines.1.quantity.value", "39b"),
        ("lines.1.dates.requested_delivery.on", "39c"),
        ("liability", "39d"),
        ("disputes", "39e"),
        ("delivery_terms.incoterm", "39f"),
        ("custom.colour_of_the_sky", "44"),
        ("lines.1.packaging", ""),
        ("warranty", ""),
        ("law", ""),
        ("currency", "X14"),
        ("a.path.nobody.knows", "44"),
    ],
)
def test_s39_s44_a_material_change_makes_it_a_counter_offer(deal, change, number):
    about = deal.offer()
    counter = deal.accept_with(about, [change])
    assert (deal.state(about), deal.state(counter), deal.contract) == ("countered", "effective", None), number


@pytest.mark.parametrize(
    "change", ["documents_required.1", "custom.label_text", "custom.marking", "notes.1", "custom.contact"]
)
def test_s40_an_immaterial_change_stands_unless_objected_to(deal, change):
    about = deal.offer()
    acceptance = deal.accept_with(about, ["custom.document_copies", change])
    agreed = deal.contract
    assert (deal.state(about), agreed.state) == ("accepted", "concluded_objectable")
    assert (agreed.terms.id, agreed.objectable_until) == (acceptance, MONDAY + timedelta(days=2))
    deal.at(49)
    assert (deal.contract.state, deal.contract.concluded_at) == ("concluded", MONDAY)


def test_s41_an_objection_undoes_it(deal):
    about = deal.offer()
    deal.accept_with(about, ["custom.document_copies"])
    with refused("NOT_OFFEROR"):
        deal.say(Kind.OBJECT, HAIDI, about)
    deal.at(48).say(Kind.OBJECT, NINGBO, about)
    assert (deal.state(about), deal.contract, deal.contracts[0].state) == ("countered", None, "never_concluded")
    deal.accept(deal.offer(quoted("Q-2")))
    assert deal.contract.offer.number == "Q-2", "the talks go on"


def test_s42_a_late_objection_is_refused(deal):
    about = deal.offer()
    deal.accept_with(about, ["custom.document_copies"])
    with refused("TOO_LATE_TO_OBJECT"):
        deal.at(48.01).say(Kind.OBJECT, NINGBO, about)
    with refused("NOTHING_TO_OBJECT_TO"):
        second = Deal()
        plain = second.offer()
        second.accept(plain)
        second.say(Kind.OBJECT, NINGBO, plain)


def test_s43_an_offer_to_be_taken_as_it_is_allows_no_change(deal):
    about = deal.offer(as_is_only=True)
    counter = deal.accept_with(about, ["custom.document_copies"])
    assert (deal.state(about), deal.state(counter)) == ("countered", "effective")


def test_s45_partners_may_agree_that_a_term_is_immaterial():
    deal = Deal(materiality={"delivery_date": False, "remarks": True})
    about = deal.offer()
    deal.accept_with(about, ["lines.1.dates.promised_delivery.on"])
    assert deal.contract.state == "concluded_objectable"
    other = Deal(materiality={"remarks": True})
    counter = other.accept_with(other.offer(), ["notes.1"])
    assert other.state(counter) == "effective"


def test_ucc_2_207_concludes_without_the_material_terms_that_were_added():
    deal = Deal("UCC")
    about = deal.offer()
    deal.accept_with(about, ["warranty"])
    assert (deal.contract.state, deal.contract.terms.id, deal.contract.knocked_out) == (
        "concluded",
        about,
        ("warranty",),
    )


@pytest.mark.parametrize(("changes", "conditional"), [(["lines.1.price.amount"], False), (["warranty"], True)])
def test_ucc_2_207_a_conditional_acceptance_or_another_core_is_a_counter_offer(changes, conditional):
    deal = Deal("UCC")
    about = deal.offer()
    counter = deal.accept_with(about, changes, conditional=conditional)
    assert (deal.state(about), deal.state(counter)) == ("countered", "effective")


@pytest.mark.parametrize("makes", ["counter", "accept_with"])
def test_r5_a_counter_withdrawn_before_it_reached_bars_no_acceptance(deal, makes):
    """CISG 15(2): what was stopped never reaches, so nothing races the acceptance, and what still comes of it is nothing."""
    about = deal.offer()
    if makes == "counter":
        counter = deal.counter(about, reached=False)
    else:
        counter = deal.accept_with(about, ["lines.1.price.amount"], quoted(price="9"), reached=False)
    withdrawal = deal.withdraw(counter, by=HAIDI, reached=False)
    with refused("COUNTER_UNDER_WAY"):
        deal.accept(about)
    deal.reach(withdrawal)
    deal.accept(about)
    deal.reach(counter)
    assert (deal.state(about), deal.state(counter)) == ("accepted", "withdrawn")


def test_r10_a_changed_acceptance_on_its_way_counts_when_it_reaches(deal):
    about = deal.offer()
    counter = deal.accept_with(about, ["lines.1.price.amount"], quoted(price="9"), reached=False)
    assert (deal.state(about), deal.state(counter)) == ("effective", "dispatched")
    with refused("COUNTER_UNDER_WAY"):
        deal.accept(about)
    deal.reach(counter)
    assert (deal.state(about), deal.state(counter)) == ("countered", "effective")


# --- acceptance and its time, again -------------------------------------------------------------


def test_r14_an_acceptance_sent_late_is_for_the_offeror_to_elect(deal):
    about = deal.offer(quoted(until=None))
    deal.at(24 * 15).accept(about)
    assert (deal.state(about), deal.contract.state) == ("late_pending", "awaiting_election")
    deal.at(24 * 15 + 1).say(Kind.ELECT_LATE, NINGBO, about)
    assert (deal.state(about), deal.contract.concluded_at) == ("accepted", MONDAY + timedelta(days=15))


@pytest.mark.parametrize("declines", [True, False])
def test_r14_what_is_not_elected_without_delay_comes_to_nothing(deal, declines):
    about = deal.offer(quoted(until=None))
    deal.at(24 * 15).accept(about)
    if declines:
        deal.say(Kind.LAPSE_NOTICE, NINGBO, about)
    deal.at(24 * 17.5)
    assert (deal.state(about), deal.contract) == ("lapsed", None)
    with refused("TOO_LATE_TO_ELECT"):
        deal.say(Kind.ELECT_LATE, NINGBO, about)


def test_r15_what_was_delayed_on_its_way_stands_unless_the_offeror_says_it_lapsed(deal):
    about = deal.offer(quoted(until=None))
    acceptance = deal.at(24 * 13).accept(about, reached=False, delayed=True)
    deal.at(24 * 15).reach(acceptance)
    assert (deal.state(about), deal.contract.state) == ("accepted", "concluded_objectable")
    with refused("NOTHING_TO_OBJECT_TO"):
        deal.say(Kind.OBJECT, NINGBO, about)
    deal.say(Kind.LAPSE_NOTICE, NINGBO, about)
    assert (deal.state(about), deal.contract) == ("lapsed", None)


def test_r15_silence_lets_a_delayed_acceptance_stand(deal):
    about = deal.offer(quoted(until=None))
    deal.at(24 * 15).accept(about, sent_at=MONDAY + timedelta(days=13), delayed=True)
    deal.at(24 * 18)
    assert (deal.contract.state, deal.contract.concluded_at) == ("concluded", MONDAY + timedelta(days=15))
    with refused("TOO_LATE_TO_OBJECT"):
        deal.say(Kind.LAPSE_NOTICE, NINGBO, about)


def test_r15_no_evidence_helps_an_acceptance_that_was_sent_late(deal):
    about = deal.offer(quoted(until=None))
    deal.at(24 * 15).accept(about, delayed=True)
    assert deal.contract.state == "awaiting_election"


def test_r16_an_acceptance_may_be_taken_back_until_it_reaches(deal):
    about = deal.offer()
    acceptance = deal.accept(about, reached=False)
    deal.at(1).say(Kind.WITHDRAW_ACCEPTANCE, HAIDI, about, reached_at=deal.now)
    deal.at(2).reach(acceptance)
    assert (deal.state(about), deal.contract) == ("effective", None)
    deal.accept(about)
    with refused("TOO_LATE_ACCEPTANCE_EFFECTIVE"):
        deal.say(Kind.WITHDRAW_ACCEPTANCE, HAIDI, about, reached_at=deal.now)


@pytest.mark.parametrize(("order", "outcome"), [("together", None), ("after", "concluded")])
def test_r16_the_withdrawal_must_reach_no_later_than_the_acceptance(deal, order, outcome):
    about = deal.offer()
    acceptance = deal.accept(about, reached=False)
    notice = deal.say(Kind.WITHDRAW_ACCEPTANCE, HAIDI, about)
    deal.at(2).reach(acceptance)
    deal.at(2 if order == "together" else 3).reach(notice)
    assert (deal.contract and deal.contract.state) == outcome


def test_r16_under_the_mailbox_rule_an_acceptance_cannot_be_taken_back():
    deal = Deal("UCC")
    about = deal.offer()
    deal.accept(about, reached=False)
    assert deal.contract.state == "concluded"
    with refused("TOO_LATE_ACCEPTANCE_EFFECTIVE"):
        deal.say(Kind.WITHDRAW_ACCEPTANCE, HAIDI, about)
    with refused("NO_ACCEPTANCE"):
        other = Deal()
        other.say(Kind.WITHDRAW_ACCEPTANCE, HAIDI, other.offer())


def test_r17_a_period_counts_from_the_reach_of_the_offer(deal):
    about = deal.offer(quoted(until=None), accept_within=timedelta(days=3), reached=False)
    deal.at(24).reach(about)
    assert deal.at(24 * 4).state(about) == "effective"
    assert deal.at(24 * 4 + 0.01).state(about) == "lapsed"


def test_x7_a_deadline_rolls_over_the_holidays_of_the_offerors_place():
    """Ningbo's spring festival 2027 as its calendar has it, and a weekend that is worked."""
    new_year = frozenset(date(2027, 2, day) for day in range(5, 12))
    place = Calendar(holidays=new_year, workdays=frozenset({date(2027, 2, 14)}))
    deal = Deal(calendars={NINGBO: place})
    about = deal.offer(quoted(until=date(2027, 2, 6)))
    assert model.deadline(deal.value, deal.value.offer(about), now=deal.now).date() == date(2027, 2, 12)
    weekend = deal.offer(quoted("Q-2", until=date(2027, 2, 14)))
    assert model.deadline(deal.value, deal.value.offer(weekend), now=deal.now).date() == date(2027, 2, 14)
    buyers = deal.offer(quoted("Q-3", until=date(2027, 2, 8)), by=HAIDI)
    assert model.deadline(deal.value, deal.value.offer(buyers), now=deal.now).date() == date(2027, 2, 8)


def test_s48_to_perform_is_to_accept_where_the_offer_or_a_practice_says_so(deal):
    about = deal.offer(performance_accepts=True)
    deal.at(3).say(Kind.PERFORM, HAIDI, about, text="paid")
    assert (deal.contract.state, deal.contract.concluded_at) == ("concluded", MONDAY + timedelta(hours=3))
    other = Deal()
    with refused("PERFORMANCE_NOT_INDICATED"):
        other.say(Kind.PERFORM, HAIDI, other.offer())
    third = Deal(performance_accepts=True)
    third.say(Kind.PERFORM, HAIDI, third.offer())
    assert third.contract.state == "concluded"


def test_r19_silence_accepts_only_between_partners_who_agreed_so():
    deal = Deal(silence_accepts=True)
    about = deal.offer(quoted(until=None))
    assert deal.at(24 * 14).contract is None
    deal.at(24 * 15)
    assert (deal.state(about), deal.contract.concluded_at) == ("accepted", MONDAY + timedelta(days=14))
    other = Deal(silence_accepts=True)
    rejected = other.offer(quoted(until=None))
    other.reject(rejected, reached=False)
    other.at(24 * 15)
    assert other.contract is None, "it was answered, the answer is on its way"


def test_r20_alternatives_stay_open_side_by_side(deal):
    steel = deal.offer(quoted(until=None), group="material")
    brass = deal.offer(quoted("Q-2", until=None, price="14"), group="material")
    assert (deal.state(steel), deal.state(brass)) == ("effective", "effective")
    deal.accept(brass)
    with refused("CONCLUDED"):
        deal.accept(steel)


def test_r22_part_of_one_alternative_is_the_pick_of_it(deal):
    steel = deal.offer(quoted(until=None), group="material", divisible=True)
    brass = deal.offer(quoted("Q-2", until=None, price="14"), group="material", divisible=True)
    deal.accept(steel, lines=(("1", None),))
    with refused("CONCLUDED"):
        deal.accept(brass, lines=(("2", None),))
    deal.accept(steel, lines=(("2", None),))
    assert [each.offer.id for each in deal.contracts] == [steel, steel]


# --- signature, parts, amendment ----------------------------------------------------------------


@pytest.mark.parametrize(("formation", "kind"), [("signature", Kind.SIGN), ("confirmation", Kind.CONFIRM)])
def test_r21_the_contract_waits_for_both_signatures(formation, kind):
    deal = Deal("PRC", formation=formation)
    about = deal.offer()
    deal.accept(about)
    assert (deal.contract.state, deal.contract.concluded_at) == ("awaiting_confirmation", None)
    deal.at(1).say(kind, HAIDI, about)
    with refused("ALREADY_CONFIRMED"):
        deal.say(kind, HAIDI, about)
    with refused("TERMS_HASH_MISMATCH"):
        deal.say(kind, NINGBO, about, terms_hash="other")
    with refused("NOT_AWAITING_CONFIRMATION"):
        deal.say(Kind.SIGN if kind is Kind.CONFIRM else Kind.CONFIRM, NINGBO, about)
    deal.at(2).say(kind, NINGBO, about)
    assert (deal.contract.state, deal.contract.concluded_at) == ("concluded", MONDAY + timedelta(hours=2))


def test_s56_some_lines_of_an_indivisible_offer_are_a_counter_offer(deal):
    about = deal.offer()
    with refused("INDIVISIBLE"):
        deal.accept(about, lines=(("1", None),))
    part = quoted(lines=(line(),))
    counter = deal.accept_with(about, [], part, lines=(("1", None),))
    assert (deal.state(about), deal.state(counter), deal.contract) == ("countered", "effective", None)


def test_s57_some_lines_of_a_divisible_offer_are_a_contract_for_those(deal):
    about = deal.offer(divisible=True)
    deal.accept(about, lines=(("1", None),))
    assert (deal.state(about), deal.contract.lines) == ("effective", {"1": Decimal(100)})
    with refused("LINE_TAKEN"):
        deal.accept(about, lines=(("1", None),))
    with refused("NO_SUCH_LINE"):
        deal.accept(about, lines=(("9", None),))
    with refused("MORE_THAN_OFFERED"):
        deal.accept(about, lines=(("2", Decimal(201)),))
    deal.accept(about, lines=(("2", Decimal(50)),))
    assert [each.lines for each in deal.contracts] == [{"1": Decimal(100)}, {"2": Decimal(50)}]
    assert deal.at(24 * 14).state(about) == "lapsed", "the rest stayed open until its last day"
    with refused("CONCLUDED"):
        deal.offer(quoted("Q-2"))


def test_s57_the_last_part_closes_the_offer(deal):
    about = deal.offer(divisible=True)
    deal.accept(about, lines=(("1", None),))
    deal.accept(about)
    assert (deal.state(about), [each.state for each in deal.contracts]) == ("accepted", ["concluded", "concluded"])


def test_s57_a_part_that_never_arrives_is_open_again(deal):
    about = deal.offer(divisible=True)
    part = deal.accept(about, lines=(("1", None),), reached=False)
    with refused("LINE_TAKEN"):
        deal.accept(about, lines=(("1", None),))
    deal.say(Kind.FAIL, about=part)
    deal.accept(about)
    assert deal.state(about) == "accepted"
    deal.reach(part)
    assert len([each for each in deal.contracts if each.is_live]) == 1, "its lines have gone to another acceptance"


def test_s57_what_is_left_may_be_revoked(deal):
    about = deal.offer(quoted(until=None), divisible=True)
    deal.accept(about, lines=(("1", None),))
    deal.revoke(about)
    assert (deal.state(about), deal.contract.state) == ("revoked", "concluded")


def test_r24_standard_terms_of_both_sides_clash(deal):
    about = deal.offer(standard_terms="seller-2026")
    counter = deal.accept_with(about, [], standard_terms="buyer-2026")
    assert (deal.state(about), deal.state(counter)) == ("countered", "effective"), "last shot"
    knocked = Deal(battle="knock_out")
    knocked.accept(knocked.offer(standard_terms="seller-2026"), standard_terms="buyer-2026")
    assert (knocked.contract.state, knocked.contract.knocked_out) == ("concluded", ("standard_terms",))
    same = Deal()
    same.accept(same.offer(standard_terms="incoterms"), standard_terms="incoterms")
    assert same.contract.knocked_out == ()


def test_r25_a_contract_is_amended_by_offer_and_acceptance(deal):
    with refused("NO_CONTRACT"):
        deal.amend("s1")
    about = deal.offer()
    deal.accept(about)
    change = deal.amend(about)
    assert (deal.turn, deal.contract.version) == (NINGBO, 1)
    other = deal.counter(change, NINGBO, quoted("A-2", price="12.10"), amends=about)
    with refused("COUNTERED"):
        deal.accept(change, NINGBO)
    deal.accept(other)
    assert (deal.contract.version, deal.contract.terms.id, deal.contract.offer.id) == (2, other, about)
    assert deal.turn is None


def test_r25_a_contract_ends_by_agreement(deal):
    about = deal.offer()
    deal.accept(about)
    deal.accept(deal.amend(about, terminates=True), NINGBO)
    assert (deal.contract.state, deal.contract.version) == ("terminated", 2)
    with refused("NO_CONTRACT"):
        deal.amend(about)


def test_r25_a_counter_to_an_amendment_speaks_of_the_amendment(deal):
    about = deal.offer()
    deal.accept(about)
    change = deal.amend(about)
    with refused("CONCLUDED"):
        deal.counter(change, NINGBO, quoted("A-2"))


# --- who may speak ------------------------------------------------------------------------------


def test_s58_s59_authority_and_its_limit(deal):
    about = deal.offer(quoted(price="9.50"))  # 950 + 164
    with refused("NO_AUTHORITY"):
        deal.accept(about, may_bind=False)
    with refused("OVER_LIMIT"):
        deal.accept(about, limit=Decimal("1113.99"))
    deal.accept(about, limit=Decimal(1114))
    assert deal.contract.state == "concluded"


def test_s59_the_limit_counts_the_lines_that_are_accepted(deal):
    about = deal.offer(quoted(price="9.50"), divisible=True)
    with refused("OVER_LIMIT"):
        deal.accept(about, lines=(("1", Decimal(50)),), limit=Decimal("474.99"))
    deal.accept(about, lines=(("1", Decimal(50)),), limit=Decimal(475))


def test_r26_what_cannot_be_attributed_does_not_bind(deal):
    with refused("UNATTRIBUTED"):
        deal.accept(deal.offer(), attributed=False)
    deal.say(Kind.COMMENT, NINGBO, text="hello", attributed=False)


def test_r30_an_input_error_may_be_taken_back_where_no_correction_was_offered(deal):
    about = deal.offer()
    acceptance = deal.accept(about, reviewed=False)
    deal.say(Kind.RETRACT, HAIDI, acceptance)
    assert (deal.state(about), deal.contract) == ("effective", None)
    shown = deal.accept(about)
    with refused("CORRECTION_WAS_OFFERED"):
        deal.say(Kind.RETRACT, HAIDI, shown)
    with refused("NOT_OFFEROR"):
        deal.say(Kind.RETRACT, NINGBO, shown)


def test_r30_not_once_the_other_side_relied_on_it(deal):
    about = deal.offer()
    unseen = replace(deal.value.offer(about), id="typo")
    deal.say(Kind.OFFER, NINGBO, id="typo", offer=unseen, reached_at=deal.now, reviewed=False)
    deal.say(Kind.RELY, HAIDI, "typo")
    with refused("ALREADY_RELIED_ON"):
        deal.say(Kind.RETRACT, NINGBO, "typo")
    again = replace(unseen, id="typo2")
    deal.say(Kind.OFFER, NINGBO, id="typo2", offer=again, reached_at=deal.now, reviewed=False)
    deal.say(Kind.RETRACT, NINGBO, "typo2")
    assert deal.state("typo2") == "withdrawn"


def test_s72_an_order_on_a_web_catalogue_concludes_when_it_is_submitted():
    """PRC 491(2): the page itself is the offer. Elsewhere the order must reach the shop."""
    for regime, outcome in (("PRC", "concluded"), ("CISG", "awaiting_reach")):
        deal = Deal(regime)
        deal.accept(deal.offer(catalogue=True), reached=False)
        assert deal.contract.state == outcome


def test_s52_crossing_offers_are_flagged(deal):
    theirs, ours = deal.offer(), deal.offer(by=HAIDI)
    found = model.crossing(deal.value, now=deal.now)
    assert [(one.id, other.id) for one, other in found] == [(theirs, ours)]
    assert deal.contract is None
