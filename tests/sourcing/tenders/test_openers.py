"""An opener hands the place over to another person before the opening; the bids open with the new one, not with the old."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.sourcing.tenders.conftest import (
    CLOSES,
    COMMERCIAL,
    DELTA,
    HAIDI,
    LI,
    MO,
    NINGBO,
    TECHNICAL,
    WORDS,
    YU,
    House,
    in_three_stages,
    offer,
)
from tradehub.platform.audit import AuditEntry
from tradehub.sourcing.tenders.hooks import Actor
from tradehub.sourcing.tenders.model import Phase, StageKind, TenderRefused

AN = Actor(HAIDI, "u-an", "An Lin")
WORDS_OF_AN = "nine brass kettles on a raft"


def gives_place(house: House, tender: str, who: Actor, to: Actor, words: str) -> None:
    house.do(who, "name_successor", tender, to.user_id, to.name)
    house.do(to, "set_passphrase", tender, words)
    with house.database.read(HAIDI) as session:
        key = house.service.key_of(session, who, tender, WORDS[who])
    house.do(who, "give_place", tender, key)


@pytest.mark.parametrize("openers", [(LI, MO), (LI, MO, YU)])
def test_the_bids_open_with_who_took_the_place_and_not_with_who_left(house: House, openers) -> None:
    tender = house.publish(openers)
    house.bid(NINGBO, tender, offer("9.00", "0.50"))
    gives_place(house, tender, LI, AN, WORDS_OF_AN)
    house.clock.at = CLOSES
    with pytest.raises(TenderRefused, match="T3"):
        house.agree(LI, tender)
    assert house.agree(openers[-1], tender) is False
    assert house.agree(AN, tender, words=WORDS_OF_AN) is True
    assert house.deals.offers[0][1] == NINGBO


def test_a_place_may_be_handed_on_and_both_places_may_change(house: House) -> None:
    tender = house.publish()
    house.bid(NINGBO, tender, offer("9.00"))
    gives_place(house, tender, LI, AN, WORDS_OF_AN)
    WORDS[AN] = WORDS_OF_AN
    gives_place(house, tender, MO, YU, WORDS[YU])
    gives_place(house, tender, AN, Actor(HAIDI, "u-bo", "Bo"), "a harbour without any boats")
    house.clock.at = CLOSES
    assert house.agree(Actor(HAIDI, "u-bo", "Bo"), tender, words="a harbour without any boats") is False
    assert house.agree(YU, tender) is True


def test_bidders_and_the_record_see_who_took_whose_place(house: House) -> None:
    tender = house.publish()
    gives_place(house, tender, LI, AN, WORDS_OF_AN)
    seen = house.see(NINGBO, "bidder_room", tender).opener_changes
    assert [(each.left, each.joined) for each in seen] == [("Li Wei", "An Lin")]
    with house.database.read() as session:
        noted = session.scalars(select(AuditEntry.action).where(AuditEntry.chain == f"tender:{tender}"))
        told = sorted(each for each in noted if "successor" in each or "opener" in each)
    assert told == ["tender.opener_exchanged", "tender.successor_named"]


def test_later_stages_change_hands_though_an_earlier_one_is_open(house: House) -> None:
    tender = house.publish(notice=in_three_stages())
    for stage in (StageKind.PREQUALIFICATION,):
        house.clock.at = CLOSES
        assert house.agree(LI, tender, stage) is False
        assert house.agree(MO, tender, stage) is True
    gives_place(house, tender, MO, AN, WORDS_OF_AN)
    assert house.agree(LI, tender, TECHNICAL) is False
    assert house.agree(AN, tender, TECHNICAL, WORDS_OF_AN) is True


def _unnamed(house: House, tender: str) -> None:
    with house.database.read(HAIDI) as session:
        key = house.service.key_of(session, LI, tender, WORDS[LI])
    house.do(LI, "give_place", tender, key)


def _named_without_passphrase(house: House, tender: str) -> None:
    house.do(LI, "name_successor", tender, AN.user_id, AN.name)
    _unnamed(house, tender)


def _wrong_words(house: House, tender: str) -> None:
    house.do(LI, "name_successor", tender, AN.user_id, AN.name)
    house.do(AN, "set_passphrase", tender, WORDS_OF_AN)
    with house.database.read(HAIDI) as session:
        key = house.service.key_of(session, LI, tender, "not what it was set to")
    house.do(LI, "give_place", tender, key)


def _begun(house: House, tender: str) -> None:
    house.clock.at = CLOSES
    house.agree(MO, tender)
    gives_place(house, tender, LI, AN, WORDS_OF_AN)


def _over(house: House, tender: str) -> None:
    house.open(tender)
    gives_place(house, tender, LI, AN, WORDS_OF_AN)


REFUSED = (
    (_unnamed, "NO_SUCCESSOR"),
    (_named_without_passphrase, "NO_SUCCESSOR"),
    (_wrong_words, "WRONG_PASSPHRASE"),
    (lambda house, tender: house.do(LI, "name_successor", tender, MO.user_id, MO.name), "ALREADY_OPENER"),
    (lambda house, tender: house.do(YU, "name_successor", tender, AN.user_id, AN.name), "NOT_AN_OPENER"),
    (_begun, "OPENING_BEGUN"),
    (_over, "OPENING_BEGUN"),
    (lambda house, tender: (house.do(LI, "cancel", tender), gives_place(house, tender, LI, AN, WORDS_OF_AN)), "CANCELLED"),
)  # fmt: skip


@pytest.mark.parametrize(("attempt", "code"), REFUSED)
def test_a_place_is_not_handed_over(house: House, attempt, code: str) -> None:
    tender = house.publish()
    house.bid(DELTA, tender, offer("9.00"))
    with pytest.raises(TenderRefused) as refused:
        attempt(house, tender)
    assert refused.value.code == code


def test_who_is_named_opens_nothing_and_may_be_replaced_by_another(house: House) -> None:
    tender = house.publish()
    house.bid(DELTA, tender, offer("9.00"))
    house.do(LI, "name_successor", tender, AN.user_id, AN.name)
    house.do(AN, "set_passphrase", tender, WORDS_OF_AN)
    house.do(LI, "name_successor", tender, YU.user_id, YU.name)
    assert [each.user_id for each in house.see(HAIDI, "buyer_room", tender).named] == [YU.user_id]
    house.do(YU, "set_passphrase", tender, WORDS[YU])
    house.clock.at = CLOSES
    with pytest.raises(TenderRefused, match="T3"):
        house.agree(YU, tender)
    assert house.see(HAIDI, "buyer_room", tender).where.phase is Phase.TO_OPEN
    assert house.agree(LI, tender, COMMERCIAL) is False
