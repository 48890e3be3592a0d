"""Two processes bid at the same moment for the same last increment, or accept the clock's price: one of them wins."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from multiprocessing.synchronize import Barrier
from queue import Empty

from tests.fakes import FakeJobs
from tests.sourcing.auctions.house import house
from tests.sourcing.auctions.words import ANN, BEN
from tradehub.documents import PartyId
from tradehub.platform import clock
from tradehub.platform.db import Base, Database
from tradehub.sourcing.auctions import service
from tradehub.sourcing.auctions.rules import Bid, Kind, Refused

PATIENCE_S = 120
AMOUNT = {Kind.REVERSE: "1000", Kind.ENGLISH: "1000", Kind.DUTCH: "1000"}
LOST = {Kind.REVERSE: "INCREMENT", Kind.ENGLISH: "INCREMENT", Kind.DUTCH: "TAKEN"}


def prepare(database: Database, kind: Kind, rounds: int) -> list[str]:
    now = clock.now()
    times = {"starts_at": now, "ends_at": now + timedelta(hours=1), "tick": timedelta(hours=1)}
    times = times if kind is Kind.DUTCH else {name: times[name] for name in ("starts_at", "ends_at")}
    return [house(database, FakeJobs(database)).hold(kind, bidders=(ANN, BEN), **times) for _ in range(rounds)]


def bid_all(url: str, by: PartyId, kind: Kind, auctions: list[str], barrier: Barrier, results) -> None:
    """Bid the same amount in each auction, waiting before each for the other process."""
    database = Database(url)
    mine = house(database, FakeJobs(database))
    for id in auctions:
        barrier.wait(PATIENCE_S)
        try:
            mine.bid(id, by, AMOUNT[kind])
            results.put((id, "stands"))
        except Refused as refused:
            results.put((id, refused.code))
    database.dispose()


def run(url: str, kind: Kind, rounds: int, bidding=bid_all) -> list[str]:
    """Return what went wrong, a line per auction; empty where each has one bid and one refusal."""
    database = Database(url)
    Base.metadata.create_all(database.engine)
    auctions = prepare(database, kind, rounds)
    database.dispose()  # no open connection may be inherited
    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(2), fork.Queue()
    processes = [fork.Process(target=bidding, args=(url, by, kind, auctions, barrier, results)) for by in (ANN, BEN)]
    for each in processes:
        each.start()
    outcomes: dict[str, Counter] = {id: Counter() for id in auctions}
    try:
        for _ in range(2 * rounds):
            id, outcome = results.get(timeout=PATIENCE_S)
            outcomes[id][outcome] += 1
    except Empty:
        return ["a process stopped before its work was done"]
    finally:
        for each in processes:
            each.join(PATIENCE_S)
    wrong = [f"{id}: {dict(count)}" for id, count in outcomes.items() if count != Counter({"stands": 1, LOST[kind]: 1})]
    found = house(database, FakeJobs(database))
    for id in auctions:
        kept = found.load(id)
        if [type(each) for each in kept.events] != [Bid] or kept.events[0].amount != Decimal(AMOUNT[kind]):
            wrong.append(f"{id}: {kept.events}")
        with database.read() as session:
            if service.verify(session, id) is not None:
                wrong.append(f"{id}: the chain is broken")
    database.dispose()
    return wrong
