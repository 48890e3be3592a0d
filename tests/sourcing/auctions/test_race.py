"""The race in its short form; ``--auction-races 200`` is the long one."""

from __future__ import annotations

import pytest

from tests.sourcing.auctions import race
from tests.sourcing.auctions.house import SECRET
from tradehub.platform.db import Database
from tradehub.platform.sealing import Sealer
from tradehub.sourcing.auctions import store
from tradehub.sourcing.auctions.envelopes import Envelopes
from tradehub.sourcing.auctions.memory import Memory
from tradehub.sourcing.auctions.rules import Kind


def bid_on_an_old_state(url, by, kind, auctions, barrier, results) -> None:
    """What a careless build would do: look first, lock later, and not compare versions."""
    known = {}
    database = Database(url)
    with database.read() as session:
        mine = Memory(Envelopes(lambda: Sealer(SECRET)))
        known = {id: mine.load(session, store.row(session, id)) for id in auctions}
    Memory.load = lambda _self, _session, row: known[row.id]
    race.bid_all(url, by, kind, auctions, barrier, results)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", [Kind.REVERSE, Kind.DUTCH])
def test_of_two_bids_at_once_for_one_price_one_stands(database_url, kind, request) -> None:
    assert race.run(database_url, kind, request.config.getoption("--auction-races")) == []


@pytest.mark.timeout(180)
def test_the_guard_alone_stops_a_bid_on_an_old_state(tmp_path) -> None:
    """Without the lock's fresh look the second bid is stopped by the guarded UPDATE, so its process ends with it."""
    race.PATIENCE_S = 2
    try:
        assert race.run(f"sqlite:///{tmp_path / 'tradehub.db'}", Kind.REVERSE, 1, bid_on_an_old_state) != []
    finally:
        race.PATIENCE_S = 120
