"""The races in their short form; ``--races 200`` is the long one, of each pair."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import IntegrityError

from tests.negotiation import race
from tests.negotiation.conftest import BUYER, SELLER
from tests.negotiation.words import HAIDI
from tradehub.negotiation import model, store
from tradehub.negotiation.model import Kind, Statement
from tradehub.negotiation.store import Circumstances
from tradehub.platform import clock, ids
from tradehub.platform.db import Database


def carelessly(kind: Kind, actor) -> race.Command:
    """What a careless build would do: decide on what was read before, then write without looking again."""

    def say(hub, database: Database, work: race.Work) -> None:
        with database.read() as session:
            value = store.load(session, store.deal_row(session, work.deal))
        statement = Statement(ids.new_id(), kind, actor.party, work.offer)
        statement = replace(statement, reached_at=clock.now())
        after = model.step(value, statement, now=clock.now())
        while True:
            try:
                with database.write(HAIDI) as session:
                    row = store.deal_row(session, work.deal)
                    entry = store._entry(row, after.statements[-1], Circumstances())
                    session.add(entry)
                    row.length, row.head, row.version = entry.number, entry.hash, after.version
            except IntegrityError:  # the other one has taken the number: simply the next, then
                continue
            return

    return say


@pytest.mark.timeout(3000)
def test_two_at_once_end_as_one_of_their_orders_does(database_url, request):
    rounds = request.config.getoption("--races", default=8)
    wrong = {name: race.run(database_url, rounds, pair) for name, pair in race.PAIRS.items()}
    assert wrong == {name: [] for name in race.PAIRS}
    database = Database(database_url)
    for name, pair in race.PAIRS.items():
        endings = race.legal(database, pair)
        assert len(endings) == 2, f"{name}: the orders end differently"
        for answers, *_, whole in endings:
            assert [*answers].count("ok") == 1, f"{name}: one of the two prevails"
            assert whole
    database.dispose()


@pytest.mark.timeout(180)
def test_the_races_notice_a_build_that_does_not_look_again(database_url):
    both = (carelessly(Kind.ACCEPT, BUYER), carelessly(Kind.ACCEPT, BUYER))
    assert race.run(database_url, 4, race.PAIRS["accept/accept"], both) != []
    either = (carelessly(Kind.ACCEPT, BUYER), carelessly(Kind.REVOKE, SELLER))
    assert race.run(database_url, 4, race.PAIRS["accept/revoke"], either) != []
