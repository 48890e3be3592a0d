"""The race in its short form; ``--races 200`` is the long one."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from tests.negotiation import race
from tests.negotiation.conftest import BUYER, KeptOutbox, service
from tests.negotiation.words import HAIDI
from tradehub.negotiation.model import Refused
from tradehub.negotiation.store import DealRow
from tradehub.platform.db import Database


def accept_without_guard(url, work, barrier, results) -> None:
    """What a careless build would do: not say which version the page had shown."""
    database = Database(url)
    negotiation = service(KeptOutbox())
    for deal, offer, _, _ in work:
        barrier.wait(race.PATIENCE_S)
        with database.write(HAIDI) as session:
            session.execute(update(DealRow).where(DealRow.id == deal).values(title="touched"))
            try:
                negotiation.accept(session, BUYER, deal, offer)
                results.put((deal, "contract"))
            except race.Conflict:
                results.put((deal, "conflict"))
            except Refused as refused:
                results.put((deal, refused.code))
    database.dispose()


@pytest.mark.timeout(900)
def test_two_acceptances_at_once_give_one_contract_and_one_conflict(database_url, request):
    assert race.run(database_url, request.config.getoption("--races", default=20)) == []


@pytest.mark.timeout(180)
def test_the_race_notices_an_outcome_other_than_one_contract_and_one_conflict(database_url):
    assert race.run(database_url, 2, accept_without_guard) != []
