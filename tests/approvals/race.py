"""Two processes approve one request at the same moment: it is carried out exactly once, every time.

``python -m tests.approvals.race --url URL --rounds 200`` is the long form.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections import Counter
from multiprocessing.synchronize import Barrier
from queue import Empty

from sqlalchemy import func, select

from tests.approvals.conftest import build, settle
from tests.negotiation.words import HAIDI
from tradehub.approvals.model import Refused
from tradehub.negotiation import store
from tradehub.negotiation.model import Kind
from tradehub.negotiation.store import StatementRow
from tradehub.platform import audit
from tradehub.platform.db import Base, Database

PATIENCE_S = 60


def approve_all(url: str, name: str, work: list[str], barrier: Barrier, results) -> None:
    """Approve each request, waiting before each for the other process."""
    database = Database(url)
    firm = build(database)
    for request in work:
        barrier.wait(PATIENCE_S)
        try:
            with database.write(HAIDI) as session:
                state = firm.approvals.decide(session, firm.asker(name), request, approves=True)
            results.put((request, str(state)))
        except Refused as refused:
            results.put((request, refused.code))
    database.dispose()


def run(url: str, rounds: int) -> list[str]:
    """Return what went wrong, a line per request; empty where each was done once and refused once."""
    database = Database(url)
    Base.metadata.create_all(database.engine)
    settle(database)
    firm = build(database)
    deals = [firm.offered(valid_until=None) for _ in range(rounds)]
    work = [firm.ask(deal) for deal in deals]
    database.dispose()  # no open connection may be inherited
    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(2), fork.Queue()
    processes = [fork.Process(target=approve_all, args=(url, name, work, barrier, results)) for name in ("ann", "bo")]
    for each in processes:
        each.start()
    outcomes: dict[str, Counter] = {request: Counter() for request in work}
    try:
        for _ in range(2 * rounds):
            request, outcome = results.get(timeout=PATIENCE_S)
            outcomes[request][outcome] += 1
    except Empty:
        return ["a process stopped before its work was done"]
    finally:
        for each in processes:
            each.join(PATIENCE_S)
    expected = Counter(done=1, REQUEST_DONE=1)
    wrong = [f"{request}: {dict(count)}" for request, count in outcomes.items() if count != expected]
    with database.read() as session:
        accepts = select(StatementRow.deal_id, func.count()).where(StatementRow.kind == Kind.ACCEPT)
        found = dict(list(session.execute(accepts.group_by(StatementRow.deal_id))))
        wrong += [f"{deal}: {found.get(deal, 0)} acceptances on record" for deal in deals if found.get(deal) != 1]
        wrong += [f"{deal}: the chain is broken" for deal in deals if store.verify(session, deal) is not None]
        if audit.verify(session, f"approvals:{HAIDI}") is not None:
            wrong.append("the record of approvals is broken")
    database.dispose()
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description="Approve requests from two processes at once.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--rounds", type=int, default=200)
    options = parser.parse_args()
    wrong = run(options.url, options.rounds)
    sys.stdout.write("\n".join([*wrong, f"{options.rounds} rounds, {len(wrong)} wrong\n"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
