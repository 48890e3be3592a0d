"""Tenders from writing to award, each rule at its boundary."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.sourcing.tenders.conftest import (
    CLOSES,
    COMMERCIAL,
    DELTA,
    HAIDI,
    LI,
    MO,
    NINGBO,
    PREQUALIFICATION,
    RHEIN,
    TECHNICAL,
    WORDS,
    YU,
    House,
    in_three_stages,
    notice,
    offer,
)
from tradehub.documents import PartyId
from tradehub.documents.parts import PriceBreak
from tradehub.platform import audit
from tradehub.sourcing.tenders import reading, sealing, store
from tradehub.sourcing.tenders.hooks import Actor
from tradehub.sourcing.tenders.model import Criterion, Phase, Stage, StageKind, Submission, TenderRefused
from tradehub.sourcing.tenders.reading import NotFound

SECOND = timedelta(seconds=1)


def refused(code: str):
    return pytest.raises(TenderRefused, match=rf"^{code} ")


def where(house: House, tender: str):
    return house.see(HAIDI, "buyer_room", tender).where


# --- writing and publishing ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"criteria": (Criterion(key="p", name="Price", stage=COMMERCIAL, weight=Decimal("99.9"), is_price=True),)},
         "WEIGHTS_NOT_100"),
        ({"stages": (Stage(kind=TECHNICAL, closes_at=CLOSES),)}, "STAGES_OUT_OF_ORDER"),
        ({"stages": (Stage(kind=COMMERCIAL, closes_at=CLOSES), Stage(kind=TECHNICAL, closes_at=CLOSES))},
         "STAGES_OUT_OF_ORDER"),
        ({"stages": (Stage(kind=COMMERCIAL, closes_at=CLOSES - timedelta(days=30)),)}, "CLOSING_IN_THE_PAST"),
        ({"questions_until": CLOSES + SECOND}, "CLOSING_IN_THE_PAST"),
    ],
)  # fmt: skip
def test_a_tender_that_does_not_fit_together_is_refused(house: House, change: dict, code: str) -> None:
    with refused(code):
        house.write(change=change)


@pytest.mark.parametrize("openers", [(LI,), (LI, LI), ()])
def test_sealed_bids_need_two_different_openers(house: House, openers) -> None:
    with refused("OPENERS_NOT_TWO"):
        house.write(openers)


def test_nothing_is_published_before_every_opener_has_a_passphrase(house: House) -> None:
    tender = house.write()
    house.do(LI, "set_passphrase", tender, WORDS[LI])
    assert where(house, tender).phase is Phase.PREPARING
    with refused("KEYS_MISSING"):
        house.do(LI, "publish", tender)
    assert house.see(NINGBO, "tenders") == []
    house.do(MO, "set_passphrase", tender, WORDS[MO])
    assert where(house, tender).phase is Phase.READY
    house.do(LI, "publish", tender)
    assert where(house, tender).phase is Phase.RUNNING


@pytest.mark.parametrize("weak", ["short", "aaaaaaaaaaaaaaaaaaaa", "Valves 2027 tender", "Li Wei Li Wei Li Wei"])
def test_a_passphrase_that_would_be_guessed_is_refused(house: House, weak: str) -> None:
    with refused("PASSPHRASE_WEAK"):
        house.do(LI, "set_passphrase", house.write(), weak)


def test_nobody_but_the_named_sets_a_passphrase_and_only_until_publication(house: House) -> None:
    tender = house.write()
    with refused("NOT_AN_OPENER"):
        house.do(YU, "set_passphrase", tender, WORDS[YU])
    house.do(LI, "set_passphrase", tender, WORDS[LI])
    with refused("PASSPHRASE_SET"):
        house.do(LI, "set_passphrase", tender, WORDS[YU])
    house.do(LI, "forget_passphrase", tender)
    house.do(LI, "set_passphrase", tender, WORDS[YU])
    house.do(MO, "set_passphrase", tender, WORDS[MO])
    house.do(LI, "publish", tender)
    with refused("PASSPHRASE_SET"):
        house.do(LI, "forget_passphrase", tender)


def test_publishing_asks_each_supplier_with_the_closing_day(house: House) -> None:
    house.publish(note="our budget")
    ((note, letter, suppliers),) = house.deals.asked
    assert (note, suppliers, letter.date_of("respond_by")) == ("our budget", (NINGBO, DELTA), CLOSES.date())


def test_the_same_form_twice_is_one_tender(house: House) -> None:
    from tests.sourcing.tenders.conftest import plan
    from tradehub.sourcing.tenders.service import Opener, TenderDraft

    draft = TenderDraft(notice(), plan(), [NINGBO], [Opener("u-li", "Li"), Opener("u-mo", "Mo")])
    assert house.do(LI, "create", draft, request_key="f-1") == house.do(LI, "create", draft, request_key="f-1")


# --- questions and changes -------------------------------------------------------------------------


def test_all_read_the_answer_and_nobody_learns_who_asked(house: House) -> None:
    tender = house.publish()
    question = house.do(Actor(NINGBO), "ask", tender, "Is PN16 enough for us at Ningbo?")
    assert house.see(DELTA, "bidder_room", tender).questions == ()
    house.do(LI, "answer", tender, question, "Is PN16 enough?", "Yes.")
    for each in (NINGBO, DELTA):
        room = house.see(each, "bidder_room", tender)
        assert [(a.question, a.answer) for a in room.answers] == [("Is PN16 enough?", "Yes.")]
    assert "supplier_id" not in store.AnswerRow.__table__.columns


def test_a_question_after_the_deadline_is_refused_with_the_time(house: House) -> None:
    tender = house.publish()
    house.clock.at = CLOSES - timedelta(days=2) - SECOND
    house.do(Actor(NINGBO), "ask", tender, "In time?")
    house.clock.move(SECOND)
    with refused("QUESTIONS_CLOSED") as caught:
        house.do(Actor(NINGBO), "ask", tender, "Late?")
    assert caught.value.value == CLOSES - timedelta(days=2)


def test_an_addendum_is_acknowledged_before_the_next_bid(house: House) -> None:
    tender = house.publish()
    house.bid(NINGBO, tender, offer("12.40", "0.80"))
    later = CLOSES + timedelta(days=1)
    assert house.do(LI, "amend", tender, "Seals in FKM.", later) == 2
    with refused("NOT_ACKNOWLEDGED") as caught:
        house.bid(NINGBO, tender, offer("12.30", "0.80"))
    assert caught.value.value == 2
    house.do(Actor(NINGBO), "acknowledge", tender, 2)
    house.clock.at = CLOSES
    house.bid(NINGBO, tender, offer("12.30", "0.80"))
    assert house.see(NINGBO, "bidder_room", tender).notice.closes_at == later


def test_a_tender_that_was_often_changed_crowds_no_other_out_of_the_list(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet, changed = house.publish(), house.publish()
    for words in ("Seals in FKM.", "Or in NBR.", "Or in EPDM."):
        house.clock.move(SECOND)
        house.do(LI, "amend", changed, words, CLOSES)
    monkeypatch.setattr(reading, "LIST_LIMIT", 2)
    listed = [(each.id, each.todo) for each in house.see(NINGBO, "tenders")]
    assert listed == [(changed, "acknowledge"), (quiet, "bid")]


def test_the_closing_moves_back_only_and_only_while_it_lies_ahead(house: House) -> None:
    tender = house.publish()
    with refused("CLOSING_IN_THE_PAST"):
        house.do(LI, "amend", tender, "Sooner.", CLOSES - SECOND)
    house.clock.at = CLOSES
    with refused("CHANGE_TOO_LATE"):
        house.do(LI, "amend", tender, "Later.", CLOSES + timedelta(days=9))


# --- bids ------------------------------------------------------------------------------------------


def test_a_bid_counts_until_the_closing_time_and_not_at_it(house: House) -> None:
    tender = house.publish()
    house.clock.at = CLOSES - SECOND
    first = house.bid(NINGBO, tender, offer("12.40", "0.80"))
    house.clock.at = CLOSES
    with refused("CLOSED") as caught:
        house.bid(NINGBO, tender, offer("12.30", "0.80"))
    assert caught.value.value == CLOSES
    with refused("CLOSED"):
        house.do(Actor(NINGBO), "withdraw", tender, COMMERCIAL)
    assert first.number == 1


def test_the_last_bid_replaces_the_earlier_and_a_withdrawn_one_is_never_opened(house: House) -> None:
    tender = house.publish()
    receipts = [house.bid(NINGBO, tender, offer(price, "0.80")) for price in ("12.40", "12.10")]
    house.bid(DELTA, tender, offer("11.00", "0.70"))
    house.do(Actor(DELTA), "withdraw", tender, COMMERCIAL)
    with refused("NO_BID"):
        house.do(Actor(DELTA), "withdraw", tender, COMMERCIAL)
    house.open(tender)
    assert [(party, str(made.lines[0].price.amount)) for _, party, made in house.deals.offers] == [(NINGBO, "12.10")]
    with house.database.read() as session:
        kept = {(row.supplier_id, row.number): row for row in store.bids(session, tender)}
    assert kept[NINGBO, 1].document is None
    assert kept[DELTA, 1].document is None
    assert kept[NINGBO, 2].fingerprint == receipts[1].fingerprint != receipts[0].fingerprint


def test_what_was_opened_is_what_the_receipt_binds(house: House) -> None:
    from tradehub.sourcing.tenders.opening import packed

    tender = house.publish()
    receipt = house.bid(NINGBO, tender, offer("12.40", "0.80"))
    house.open(tender)
    (bid,) = house.see(NINGBO, "bidder_room", tender).bids
    contents = packed(Submission.model_validate(bid.document))
    assert sealing.fingerprint(contents, bytes.fromhex(bid.salt)) == receipt.fingerprint


@pytest.mark.parametrize(
    ("submission", "value"),
    [
        (Submission(), "lines"),
        (offer("12.40", currency=None), "currency"),
        (offer("12.40").model_copy(update={"offer": None}), "lines"),
        (offer("12.40", "1", "2"), "lines.3"),
    ],
)
def test_a_bid_that_could_not_be_compared_is_refused_by_place(house: House, submission, value: str) -> None:
    tender = house.publish()
    with refused("INVALID_BID") as caught:
        house.bid(NINGBO, tender, submission)
    assert caught.value.value == value


def test_a_bid_must_stand_as_long_as_the_tender_says(house: House) -> None:
    tender = house.publish()
    with refused("VALIDITY_TOO_SHORT"):
        house.bid(NINGBO, tender, offer("12.40", dates=()))


def test_who_is_not_invited_finds_nothing_and_in_an_open_tender_may_come(house: House) -> None:
    restricted, free = house.publish(), house.publish(change={"is_open": True})
    with pytest.raises(NotFound):
        house.bid(RHEIN, restricted, offer("9.00", "0.50"))
    assert [each.id for each in house.see(RHEIN, "tenders")] == [free]
    house.bid(RHEIN, free, offer("9.00", "0.50"))
    house.open(free)
    assert house.deals.offers[0][:2] == ("i-2-rhein", RHEIN)


def test_the_buyer_does_not_bid_in_its_own_open_tender(house: House) -> None:
    tender = house.publish(change={"is_open": True})
    with refused("NOT_INVITED"):
        house.bid(HAIDI, tender, offer("1.00", "0.10"))


# --- opening ---------------------------------------------------------------------------------------


def test_nothing_opens_before_the_closing_time_whoever_asks(house: House) -> None:
    tender = house.publish()
    house.bid(NINGBO, tender, offer("12.40", "0.80"))
    house.clock.at = CLOSES - SECOND
    for each in (LI, MO):
        with refused("NOT_YET_CLOSED") as caught:
            house.agree(each, tender)
        assert caught.value.value == CLOSES
    with house.database.read() as session:
        assert [each.handed for each in store.shares(session, tender, "commercial")] == [None, None]


@pytest.mark.parametrize("order", [(LI, MO), (MO, LI)])
def test_two_people_open_in_any_order_and_one_alone_does_not(house: House, order) -> None:
    tender = house.publish()
    house.bid(NINGBO, tender, offer("12.40", "0.80"))
    house.clock.at = CLOSES
    assert house.agree(order[0], tender) is False
    with refused("HANDED_OVER"):
        house.agree(order[0], tender)
    assert house.deals.offers == []
    assert house.agree(order[1], tender) is True
    assert len(house.deals.offers) == 1
    with refused("OPENED"):
        house.agree(order[0], tender)


def test_what_lies_between_the_two_visits_opens_with_the_second_passphrase_alone(house: House) -> None:
    """The first one's half is sealed to the second: the first one's own key no longer says anything more."""
    tender = house.publish()
    house.clock.at = CLOSES
    house.agree(LI, tender)
    with house.database.read(HAIDI) as session:
        rows = {each.user_id: each for each in store.shares(session, tender, "commercial")}
        key = house.service.key_of(session, LI, tender, WORDS[LI])
    handed = bytes.fromhex(rows[LI.user_id].handed)
    about = house.service.about_share(tender, "commercial", LI.user_id, MO.user_id, "handed")
    for envelope, words in ((handed, about), (bytes.fromhex(rows[MO.user_id].sealed), about)):
        with pytest.raises(sealing.NotOpened):
            sealing.unseal(envelope, key, words)


def test_a_wrong_passphrase_is_counted_and_after_ten_the_door_is_shut_for_a_while(house: House) -> None:
    tender = house.publish()
    house.clock.at = CLOSES
    with house.database.read(HAIDI) as session:
        wrong = house.service.key_of(session, LI, tender, "not the one at all")
        right = house.service.key_of(session, LI, tender, WORDS[LI])
    with refused("WRONG_PASSPHRASE"):
        house.do(LI, "hand_over", tender, COMMERCIAL, wrong)
    assert [house.do(LI, "is_right", tender, wrong) for _ in range(10)] == [False] * 10
    with refused("TOO_MANY_TRIES"):
        house.do(LI, "is_right", tender, right)
    house.clock.move(timedelta(minutes=15))
    assert house.do(LI, "is_right", tender, right) is True


@pytest.mark.parametrize("two", [(LI, YU), (YU, MO)])
def test_with_a_deputy_any_two_of_three_open(house: House, two) -> None:
    tender = house.publish((LI, MO, YU))
    house.bid(NINGBO, tender, offer("12.40", "0.80"))
    house.clock.at = CLOSES
    assert [house.agree(each, tender) for each in two] == [False, True]
    assert len(house.deals.offers) == 1


def test_an_envelope_that_somebody_swapped_stops_the_opening(house: House) -> None:
    """Who can write to the database may destroy a bid, but neither read it nor give it to another bidder."""
    tender = house.publish()
    house.bid(NINGBO, tender, offer("12.40", "0.80"))
    house.bid(DELTA, tender, offer("11.00", "0.70"))
    with house.database.write() as session:
        one, other = store.bids(session, tender)
        one.sealed, other.sealed = other.sealed, one.sealed
    house.clock.at = CLOSES
    house.agree(LI, tender)
    with pytest.raises(sealing.NotOpened):
        house.agree(MO, tender)
    assert house.deals.offers == []


def test_a_bid_that_its_deal_refuses_is_named_and_takes_no_part(house: House) -> None:
    tender = house.publish()
    house.bid(NINGBO, tender, offer("12.40", "0.80"))
    house.deals.refuses[NINGBO] = "CONCLUDED"
    house.open(tender)
    room = house.see(HAIDI, "buyer_room", tender)
    assert [each.fault for each in room.bids] == ["CONCLUDED"]
    with house.database.read(HAIDI) as session:
        assert house.service.compared(session, room).grid.columns == ()


def test_a_tender_without_seals_opens_with_one_click_after_the_closing_time(house: House) -> None:
    tender = house.publish((), change={"is_sealed": False})
    house.bid(NINGBO, tender, offer("12.40", "0.80"))
    with refused("NOT_YET_CLOSED"):
        house.do(LI, "open_unsealed", tender, COMMERCIAL)
    house.clock.at = CLOSES
    house.do(LI, "open_unsealed", tender, COMMERCIAL)
    assert len(house.deals.offers) == 1


# --- stages ----------------------------------------------------------------------------------------


def test_the_second_envelope_is_opened_only_for_those_who_passed_the_first(house: House) -> None:
    tender = house.publish(notice=in_three_stages(), suppliers=(NINGBO, DELTA, RHEIN))
    for each in (NINGBO, DELTA, RHEIN):
        house.bid(each, tender, Submission(text="ISO 9001"), PREQUALIFICATION)
    house.clock.at = CLOSES - timedelta(days=4)
    with refused("NOT_PASSED"):
        house.bid(NINGBO, tender, offer("12.40", "0.80"))
    for each in (LI, MO):
        house.agree(each, tender, PREQUALIFICATION)
    house.do(LI, "judge", tender, PREQUALIFICATION, {NINGBO: True, DELTA: True, RHEIN: False})
    with refused("NOT_PASSED"):
        house.bid(RHEIN, tender, offer("9.00", "0.50"))
    for each, price in ((NINGBO, "12.40"), (DELTA, "11.00")):
        house.bid(each, tender, Submission(answers=(("quality", "PN16"),)), TECHNICAL)
        house.bid(each, tender, offer(price, "0.80"))
    house.clock.at = CLOSES
    with refused("STAGE_BEFORE"):
        house.agree(LI, tender)
    house.agree(LI, tender, TECHNICAL)
    house.agree(MO, tender, TECHNICAL)
    assert where(house, tender).phase is Phase.EVALUATING
    scores = {(NINGBO, "quality"): 80, (NINGBO, "service"): 60, (DELTA, "quality"): 50, (DELTA, "service"): 70}
    house.do(LI, "score", tender, TECHNICAL, {key: Decimal(each) for key, each in scores.items()}, {})
    with refused("BELOW_PASS_MARK"):
        house.do(LI, "judge", tender, TECHNICAL, {NINGBO: True, DELTA: True})
    house.do(LI, "judge", tender, TECHNICAL, {NINGBO: True, DELTA: False})
    house.open(tender)
    assert [party for _, party, _ in house.deals.offers] == [NINGBO]
    with house.database.read() as session:
        (failed,) = [e for e in store.bids(session, tender) if (e.supplier_id, e.stage) == (DELTA, "commercial")]
    assert failed.document is None
    room = house.see(HAIDI, "buyer_room", tender)
    with house.database.read(HAIDI) as session:
        (first,) = house.service.compared(session, room).ranking
    assert [(p.criterion.key, p.score, p.points) for p in first.points] == [
        ("quality", Decimal(80), Decimal(24)), ("service", Decimal(60), Decimal(6)), ("price", Decimal(100), Decimal(60)),
    ]  # fmt: skip
    assert (first.place, first.total) == (1, Decimal(90))


def test_only_the_named_evaluate_and_only_what_is_open(house: House) -> None:
    tender = house.publish(notice=in_three_stages().model_copy(update={"stages": in_three_stages().stages[1:]}))
    house.bid(NINGBO, tender, Submission(text="x"), TECHNICAL)
    with refused("NOT_OPENED"):
        house.do(LI, "score", tender, TECHNICAL, {(NINGBO, "quality"): Decimal(50)}, {})
    house.open(tender, TECHNICAL)
    with refused("NOT_AN_EVALUATOR"):
        house.do(MO, "score", tender, TECHNICAL, {(NINGBO, "quality"): Decimal(50)}, {})
    with refused("SCORE_OUT_OF_RANGE"):
        house.do(LI, "score", tender, TECHNICAL, {(NINGBO, "quality"): Decimal("100.1")}, {})


# --- award -----------------------------------------------------------------------------------------


@pytest.fixture
def opened(house: House) -> str:
    tender = house.publish(suppliers=(NINGBO, DELTA))
    house.bid(NINGBO, tender, offer("12.00", "0.90"))
    house.bid(DELTA, tender, offer("13.00", "0.80"))
    house.open(tender)
    return tender


def pick(*picked: tuple[str, str, str]) -> dict[tuple[PartyId, str], Decimal]:
    return {(PartyId(supplier), line): Decimal(quantity) for supplier, line, quantity in picked}


def test_the_proposed_award_is_the_cheapest_at_landed_cost_and_may_be_given(house: House, opened: str) -> None:
    room = house.see(HAIDI, "buyer_room", opened)
    with house.database.read(HAIDI) as session:
        proposal = house.service.compared(session, room).proposal
    assert proposal.picked == pick(("ningbo", "1", "1000"), ("delta", "2", "500"))
    assert proposal.cost == Decimal(12400)
    house.do(LI, "award", opened, {(PartyId(s), line): q for (s, line), q in proposal.picked.items()})
    ((_inquiry, picks),) = house.deals.awards
    assert [(p.supplier, dict(p.lines), p.is_whole) for p in picks] == [
        (NINGBO, {"1": Decimal(1000)}, False), (DELTA, {"2": Decimal(500)}, False),
    ]  # fmt: skip
    assert where(house, opened).phase is Phase.AWARDED
    assert house.see(DELTA, "bidder_room", opened).where.phase is Phase.AWARDED
    with refused("AWARDED"):
        house.do(LI, "award", opened, pick(("ningbo", "1", "1")))


@pytest.mark.parametrize(
    ("picked", "code"),
    [
        (pick(("ningbo", "1", "600"), ("delta", "1", "401")), "OVER_DEMAND"),
        (pick(("ningbo", "3", "1")), "NOT_OFFERED"),
        (pick(("rhein", "1", "1")), "NOT_OFFERED"),
        (pick(("ningbo", "1", "0")), "NOT_OFFERED"),
        ({}, "NOTHING_AWARDED"),
    ],
)
def test_no_more_is_awarded_than_was_asked_for_and_offered(house: House, opened: str, picked, code: str) -> None:
    with refused(code):
        house.do(LI, "award", opened, picked)
    assert house.deals.awards == []


def test_exactly_the_demand_may_be_shared(house: House, opened: str) -> None:
    house.do(LI, "award", opened, pick(("ningbo", "1", "600"), ("delta", "1", "400")))
    assert len(house.deals.awards) == 1


def test_nothing_is_awarded_before_the_bids_are_open(house: House) -> None:
    tender = house.publish()
    house.bid(NINGBO, tender, offer("12.00", "0.90"))
    with refused("NOT_OPENED"):
        house.do(LI, "award", tender, pick(("ningbo", "1", "1")))


def test_price_breaks_and_capacity_shape_the_proposal(house: House) -> None:
    tender = house.publish()
    cheap = offer("10.00", "0.90")
    line = cheap.offer.lines[0]
    price = line.price.model_copy(update={"breaks": (PriceBreak(min_quantity=Decimal(800), amount=Decimal(8)),)})
    short = cheap.offer.model_copy(
        update={
            "lines": (line.model_copy(update={"price": price, "max_quantity": Decimal(700)}), *cheap.offer.lines[1:])
        }
    )
    house.bid(NINGBO, tender, Submission(offer=short))
    house.bid(DELTA, tender, offer("11.00", "0.95"))
    house.open(tender)
    room = house.see(HAIDI, "buyer_room", tender)
    with house.database.read(HAIDI) as session:
        found = house.service.compared(session, room).proposal
    assert found.picked == pick(("ningbo", "1", "700"), ("delta", "1", "300"), ("ningbo", "2", "500"))
    assert found.cost == Decimal(10750)
    assert dict(found.explained.price_of)["capacity"] == int((Decimal(10750) - Decimal(8450)) * 10**6)


def test_a_cancelled_tender_is_over_and_its_envelopes_stay_shut(house: House) -> None:
    tender = house.publish()
    house.bid(NINGBO, tender, offer("12.00", "0.90"))
    house.do(LI, "cancel", tender)
    house.clock.at = CLOSES
    for verb, args in (("hand_over", (COMMERCIAL, b"x" * 32)), ("award", (pick(("ningbo", "1", "1")),))):
        with refused("CANCELLED"):
            house.do(LI, verb, tender, *args)
    with refused("CANCELLED"):
        house.bid(NINGBO, tender, offer("12.00", "0.90"))


# --- who sees what ---------------------------------------------------------------------------------


def test_every_act_stands_in_the_audit_chain(house: House, opened: str) -> None:
    house.do(LI, "award", opened, pick(("ningbo", "1", "1000")))
    with house.database.read() as session:
        assert audit.verify(session, f"tender:{opened}") is None
        rows = session.query(audit.AuditEntry).filter_by(chain=f"tender:{opened}").order_by("number").all()
    assert [each.action.removeprefix("tender.") for each in rows] == [
        "created", "passphrase", "passphrase", "published", "bid", "bid", "handed_over", "opened", "awarded",
    ]  # fmt: skip


def test_no_row_tells_a_bidder_of_a_rival(house: House) -> None:
    from sqlalchemy import inspect, select

    from tradehub.platform.db import Base, Scoped

    tender = house.publish(note="MARK-NOTE", limit_prices=(("1", Decimal("31415.92")),))
    question = house.do(Actor(DELTA), "ask", tender, "MARK-DELTA")
    house.bid(DELTA, tender, offer("11.00", "0.70"))
    house.bid(NINGBO, tender, offer("12.00", "0.90"))
    house.do(LI, "answer", tender, question, "What?", "That.")
    mine = [each.class_ for each in Base.registry.mappers if each.class_.__module__.endswith("tenders.store")]
    assert all(issubclass(each, Scoped) for each in mine)
    house.open(tender)
    with house.database.read(NINGBO) as session:
        seen = [
            str({c.key: getattr(row, c.key) for c in inspect(kind).column_attrs})
            for kind in mine
            for row in session.scalars(select(kind))
        ]
    told = "\n".join(seen)
    assert "12.00" in told
    for secret in ("delta", "Delta", "MARK-NOTE", "MARK-DELTA", "31415.92", "11.00", "u-li", "rhein"):
        assert secret not in told, secret


def test_every_stage_knows_its_order() -> None:
    assert [str(each) for each in StageKind] == ["prequalification", "technical", "commercial"]
