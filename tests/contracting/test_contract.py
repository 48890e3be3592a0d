"""The contract: frozen, hashed, moved on by its table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import update
from sqlalchemy.exc import NoResultFound

from tests.trade_fulfilment import DELTA, HAIDI, concluded, offer
from tradehub.contracting.model import TRANSITIONS, Event, State, by_group, freeze, is_intact, move, thaw
from tradehub.contracting.store import ContractVersionRow
from tradehub.documents.normal import negotiated
from tradehub.documents.terms import flatten, terms_hash


def test_the_frozen_text_is_the_one_that_is_hashed():
    assert is_intact(freeze(offer()), terms_hash(offer()))
    assert not is_intact(freeze(offer(currency="EUR")), terms_hash(offer()))
    assert thaw(freeze(offer())) == flatten(negotiated(offer()))


def test_terms_are_grouped_by_line_in_natural_order():
    terms = {"currency": "USD", "lines.10.quantity.value": "1", "lines.2.price.amount": "3", "lines.2.item.name": "V"}
    header, lines = by_group(terms)
    assert header == {"currency": "USD"}
    assert list(lines) == ["2", "10"]
    assert lines["2"] == {"price.amount": "3", "item.name": "V"}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", Event)
def test_what_the_table_does_not_name_changes_nothing(state, event):
    assert move(state, event) is TRANSITIONS.get((state, event), state)


@pytest.mark.parametrize("dead", [State.NEVER_CONCLUDED, State.TERMINATED, State.AVOIDED])
@pytest.mark.parametrize("event", Event)
def test_an_ended_contract_stays_ended(dead, event):
    assert move(dead, event) is dead


def test_a_deal_has_one_contract_however_often_it_is_concluded(trade):
    with trade.database.write() as session:
        first = trade.contracts.record(session, concluded())
        assert trade.contracts.record(session, concluded()) == first
        assert trade.contracts.record(session, concluded("deal-2")) != first


def test_a_contract_that_awaits_its_signatures_is_concluded_by_the_last(trade):
    later = concluded().at + timedelta(days=1)
    with trade.database.write() as session:
        contract_id = trade.contracts.record(session, concluded(), is_awaiting=True)
        assert trade.contracts.contract(session, contract_id).is_in is State.AWAITING_CONFIRMATION
        assert trade.contracts.record(session, concluded(), is_awaiting=True) == contract_id
        assert trade.contracts.contract(session, contract_id).is_in is State.AWAITING_CONFIRMATION
        assert trade.contracts.record(session, replace(concluded(), at=later)) == contract_id
    with trade.database.read(HAIDI) as session:
        contract = trade.contracts.contract(session, contract_id)
        assert (contract.is_in, contract.concluded_at, len(contract.versions)) == (State.CONCLUDED, later, 1)


def test_buyer_and_seller_see_the_contract_and_nobody_else(trade):
    with trade.database.write() as session:
        contract_id = trade.contracts.record(session, concluded(seller=DELTA))
        rival = trade.contracts.record(session, concluded("deal-2"))
    for org in (HAIDI, DELTA):
        with trade.database.read(org) as session:
            version = trade.contracts.contract(session, contract_id).versions[0]
            assert (version.version, version.is_intact, version.terms_hash) == (1, True, terms_hash(offer()))
    with trade.database.read(DELTA) as session, pytest.raises(NoResultFound):
        trade.contracts.contract(session, rival)


def test_a_changed_text_shows(trade):
    with trade.database.write() as session:
        contract_id = trade.contracts.record(session, concluded())
        cheaper = freeze(offer()).replace('"12.4"', '"11.4"')
        session.execute(update(ContractVersionRow).values(terms=cheaper))
    with trade.database.read(HAIDI) as session:
        version = trade.contracts.contract(session, contract_id).versions[0]
        assert version.terms_by_path["lines.1.price.amount"] == "11.4"
        assert not version.is_intact


def test_amending_keeps_the_earlier_version(trade):
    dearer = offer(lines=(offer().lines[0].model_copy(update={"min_quantity": Decimal(5)}), *offer().lines[1:]))
    with trade.database.write() as session:
        contract_id = trade.contracts.record(session, concluded())
        trade.contracts.amend(session, "deal-1", dearer, HAIDI, concluded().at)
        trade.contracts.amend(session, "deal-1", dearer, HAIDI, concluded().at)
    with trade.database.read(HAIDI) as session:
        contract = trade.contracts.contract(session, contract_id)
        assert [each.terms_hash for each in contract.versions] == [terms_hash(offer()), terms_hash(dearer)]
