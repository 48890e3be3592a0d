"""Two processes accept one offer at the same moment: exactly one contract, exactly one conflict, every time.

``python -m tests.negotiation.race --url URL --rounds 200`` is the long form. The database of the URL is emptied of
nothing and keeps what was done.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections import Counter
from multiprocessing.synchronize import Barrier
from queue import Empty

from sqlalchemy import func, select

from tests.negotiation.conftest import BUYER, DELTA, SELLER, KeptOutbox, draft, service, terms
from tests.negotiation.words import HAIDI
from tradehub.negotiation import store
from tradehub.negotiation.model import Conflict, Kind
from tradehub.negotiation.store import DealRow, StatementRow
from tradehub.platform.db import Base, Database

PATIENCE_S = 120


def prepare(database: Database, rounds: int) -> list[tuple[str, str, int, str]]:
    """Return (deal, offer, version, terms hash) of as many deals as rounds, each with one open offer."""
    told: list = []
    negotiation = service(KeptOutbox(), told)
    found = []
    for _ in range(rounds):
        with database.write(HAIDI) as session:
            inquiry = negotiation.send_inquiry(session, BUYER, draft(), [DELTA])
            deal = session.scalars(select(DealRow.id).where(DealRow.inquiry_id == inquiry)).one()
        with database.write(DELTA) as session:
            offer = negotiation.make_offer(session, SELLER, deal, terms("12.40", valid_until=None))
            value = store.load(session, store.deal_row(session, deal))
        found.append((deal, offer, value.version, value.offer(offer).terms_hash))
    return found


def accept_all(url: str, work: list[tuple[str, str, int, str]], barrier: Barrier, results) -> None:
    """Accept each offer, waiting before each for the other process."""
    database = Database(url)
    told: list = []
    negotiation = service(KeptOutbox(), told)
    for deal, offer, version, shown in work:
        barrier.wait(PATIENCE_S)
        try:
            with database.write(HAIDI) as session:
                negotiation.accept(session, BUYER, deal, offer, expected_version=version, terms_hash=shown)
            results.put((deal, "contract"))
        except Conflict:
            results.put((deal, "conflict"))
    database.dispose()


def run(url: str, rounds: int, accepting=accept_all) -> list[str]:
    """Return what went wrong, a line per deal; empty where each round gave one contract and one conflict."""
    database = Database(url)
    Base.metadata.create_all(database.engine)
    work = prepare(database, rounds)
    database.dispose()  # no open connection may be inherited
    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(2), fork.Queue()
    processes = [fork.Process(target=accepting, args=(url, work, barrier, results)) for _ in range(2)]
    for each in processes:
        each.start()
    outcomes: dict[str, Counter] = {deal: Counter() for deal, *_ in work}
    try:
        for _ in range(2 * rounds):
            deal, outcome = results.get(timeout=PATIENCE_S)
            outcomes[deal][outcome] += 1
    except Empty:
        return ["a process stopped before its work was done"]
    finally:
        for each in processes:
            each.join(PATIENCE_S)
    expected = Counter(contract=1, conflict=1)
    wrong = [f"{deal}: {dict(count)}" for deal, count in outcomes.items() if count != expected]
    with database.read() as session:
        accepts = select(StatementRow.deal_id, func.count()).where(StatementRow.kind == Kind.ACCEPT)
        for deal, count in session.execute(accepts.group_by(StatementRow.deal_id)):
            if count != 1:
                wrong.append(f"{deal}: {count} acceptances on record")
        wrong += [f"{deal}: the chain is broken" for deal, *_ in work if store.verify(session, deal) is not None]
    database.dispose()
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description="Accept offers from two processes at once.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    wrong = run(options.url, options.rounds)
    sys.stdout.write(
        "\n".join([*wrong, f"{options.rounds - len(wrong)} of {options.rounds} rounds gave one contract\n"])
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
