"""Two processes say two things of one offer at the same moment: what happened is what one of the two orders gives.

The legal outcomes of a pair are not written down but taken from the hub itself, with the two commands one after the other,
in either order: what each was answered, what is on record, where offer and contract stand. A race must end in one of them.
``python -m tests.negotiation.race --url URL --rounds 200`` is the long form. The database of the URL is emptied of nothing
and keeps what was done.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from queue import Empty

from sqlalchemy import select

from tests.negotiation.conftest import BUYER, DELTA, SELLER, KeptOutbox, draft, service, terms
from tests.negotiation.words import HAIDI
from tradehub.negotiation import model, store
from tradehub.negotiation.model import Kind, Refused
from tradehub.negotiation.service import NegotiationService, Pick
from tradehub.negotiation.store import DealRow
from tradehub.platform import clock
from tradehub.platform.db import Base, Database

PATIENCE_S = 120


@dataclass(frozen=True)
class Work:
    """A deal with one open offer, as the page shows it."""

    inquiry: str
    deal: str
    offer: str
    version: int
    terms_hash: str


Command = Callable[[NegotiationService, Database, Work], object]
"""Says something of an offer in a transaction of its own; raises Refused where it may not."""


def accept(hub: NegotiationService, database: Database, work: Work) -> object:
    with database.write(HAIDI) as session:
        return hub.accept(
            session, BUYER, work.deal, work.offer, expected_version=work.version, terms_hash=work.terms_hash
        )


def counter(hub: NegotiationService, database: Database, work: Work) -> object:
    with database.write(HAIDI) as session:
        return hub.counter(
            session, BUYER, work.deal, terms("11.90", valid_until=None), about=work.offer, expected_version=work.version
        )


def revoke(hub: NegotiationService, database: Database, work: Work) -> object:
    with database.write(DELTA) as session:
        return hub.act(session, SELLER, work.deal, Kind.REVOKE, work.offer, expected_version=work.version)


def withdraw(hub: NegotiationService, database: Database, work: Work) -> object:
    with database.write(DELTA) as session:
        return hub.act(session, SELLER, work.deal, Kind.WITHDRAW, work.offer, expected_version=work.version)


def revise(hub: NegotiationService, database: Database, work: Work) -> object:
    with database.write(DELTA) as session:
        return hub.make_offer(
            session,
            SELLER,
            work.deal,
            terms("12.90", valid_until=None),
            about=work.offer,
            expected_version=work.version,
        )


def award(hub: NegotiationService, database: Database, work: Work) -> object:
    with database.write(HAIDI) as session:
        return hub.award(session, BUYER, work.inquiry, [Pick(work.deal, work.offer, terms_hash=work.terms_hash)])


PAIRS: Mapping[str, tuple[Command, Command]] = {
    "accept/accept": (accept, accept),
    "accept/withdraw": (accept, withdraw),
    "accept/revoke": (accept, revoke),
    "accept/counter": (accept, counter),
    "award/revise": (award, revise),
}


def prepare(database: Database, rounds: int) -> list[Work]:
    """Open as many deals as rounds, each with one open offer that its offeror may revoke."""
    hub = service(KeptOutbox())
    found = []
    for _ in range(rounds):
        with database.write(HAIDI) as session:
            inquiry = hub.send_inquiry(session, BUYER, draft(), [DELTA])
            deal = session.scalars(select(DealRow.id).where(DealRow.inquiry_id == inquiry)).one()
        with database.write(DELTA) as session:
            offer = hub.make_offer(session, SELLER, deal, terms("12.40", valid_until=None))
            value = store.load(session, store.deal_row(session, deal))
        found.append(Work(inquiry, deal, offer, value.version, value.offer(offer).terms_hash))
    return found


def said(command: Command, hub: NegotiationService, database: Database, work: Work) -> str:
    """Return "ok", or why it was refused."""
    try:
        command(hub, database, work)
    except Refused as refused:
        return refused.code
    return "ok"


def ending(database: Database, work: Work, answers: tuple[str, str]) -> tuple:
    """Return how it ended: both answers, what is on record, the state of each offer and of what came of them."""
    with database.read() as session:
        row = store.deal_row(session, work.deal)
        value = store.load(session, row)
        whole = store.verify(session, work.deal) is None
        kinds = tuple(str(each.kind) for each in value.statements)
        states = tuple(str(each) for each in model.states(value, now=clock.now()).values())
        contracts = tuple(str(each.state) for each in model.contracts(value, now=clock.now()))
        return (answers, kinds, states, contracts, (row.version, row.length, row.state), whole)


def legal(database: Database, pair: tuple[Command, Command]) -> set[tuple]:
    """Return the endings of both orders, one command after the other."""
    hub = service(KeptOutbox())
    one, other = prepare(database, 2)
    forth = (said(pair[0], hub, database, one), said(pair[1], hub, database, one))
    back = (said(pair[1], hub, database, other), said(pair[0], hub, database, other))
    return {ending(database, one, forth), ending(database, other, back[::-1])}


def run(
    url: str, rounds: int, pair: tuple[Command, Command], racing: tuple[Command, Command] | None = None
) -> list[str]:
    """Return what went wrong, a line per deal; empty where each round ended as one of the two orders does.

    ``racing`` are other commands that are to do the same.
    """
    database = Database(url)
    Base.metadata.create_all(database.engine)
    expected = legal(database, pair)
    work = prepare(database, rounds)
    database.dispose()  # no open connection may be inherited
    answers = raced(url, work, racing or pair)
    if answers is None:
        return ["a process stopped before its work was done"]
    database = Database(url)
    found = {each.deal: ending(database, each, answers[each.deal]) for each in work}
    database.dispose()
    return [f"{deal}: {ended}" for deal, ended in found.items() if ended not in expected]


def raced(url: str, work: list[Work], pair: tuple[Command, Command]) -> dict[str, tuple[str, str]] | None:
    fork = multiprocessing.get_context("fork")
    barrier, results = fork.Barrier(2), fork.Queue()
    processes = [
        fork.Process(target=each_in_turn, args=(url, work, side, pair[side], barrier, results)) for side in (0, 1)
    ]
    for each in processes:
        each.start()
    answers: dict[str, list[str]] = {each.deal: ["", ""] for each in work}
    try:
        for _ in range(2 * len(work)):
            deal, side, answer = results.get(timeout=PATIENCE_S)
            answers[deal][side] = answer
    except Empty:
        return None
    finally:
        for each in processes:
            each.join(PATIENCE_S)
    return {deal: (one, other) for deal, (one, other) in answers.items()}


def each_in_turn(url: str, work: list[Work], side: int, command: Command, barrier: Barrier, results) -> None:
    """Say it of each offer, waiting before each for the other process."""
    database = Database(url)
    hub = service(KeptOutbox())
    for each in work:
        barrier.wait(PATIENCE_S)
        results.put((each.deal, side, said(command, hub, database, each)))
    database.dispose()


def main() -> int:
    parser = argparse.ArgumentParser(description="Say two things of an offer from two processes at once.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--rounds", type=int, default=200, help="of each pair")
    options = parser.parse_args()
    wrong = 0
    for name, pair in PAIRS.items():
        lines = run(options.url, options.rounds, pair)
        wrong += len(lines)
        sys.stdout.write(
            "\n".join([*lines, f"{name}: {options.rounds - len(lines)} of {options.rounds} ended legally\n"])
        )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
