"""What a bid costs the service after so many others: ``python -m tests.sourcing.auctions.long_auction``.

One auction, forty bidders, a proxy limit in every tenth bid; each bid is a transaction of its own on SQLite.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from tests.fakes import FakeJobs
from tests.sourcing.auctions.house import House, house
from tests.sourcing.auctions.words import TEN
from tradehub.documents import PartyId
from tradehub.platform import clock
from tradehub.platform.db import Base, Database
from tradehub.sourcing.auctions.drafting import DraftLine
from tradehub.sourcing.auctions.rules import Increment, Kind

BIDDERS = tuple(PartyId(f"bidder-{number}") for number in range(40))


def costs(found: House, bids: int, standing: clock.Frozen) -> list[float]:
    """Return what each of so many bids took, in milliseconds."""
    line = DraftLine("Valve", Decimal(1000), "C62", Decimal(1000))
    id = found.hold(Kind.REVERSE, lines=(line,), bidders=BIDDERS, increment=Increment(Decimal(1)))
    took = []
    for number in range(bids):
        standing.move(timedelta(seconds=1))
        amount = 1_000_000 - 3 * number
        limit = str(amount - 1) if number % 10 == 0 else None
        began = time.perf_counter()
        found.bid(id, BIDDERS[number % len(BIDDERS)], str(amount), limit)
        took.append(1000 * (time.perf_counter() - began))
    return took


def main() -> None:
    wanted = argparse.ArgumentParser()
    wanted.add_argument("--bids", type=int, default=2_000)
    bids = wanted.parse_args().bids
    with tempfile.TemporaryDirectory() as folder, clock.frozen(TEN) as standing:
        database = Database(f"sqlite:///{Path(folder) / 'tradehub.db'}")
        Base.metadata.create_all(database.engine)
        took = costs(house(database, FakeJobs(database)), bids, standing)
        database.dispose()
    tenth = max(1, bids // 10)
    for first in range(0, bids, tenth):
        some = took[first : first + tenth]
        said = f"median {statistics.median(some):6.2f} ms, worst {max(some):6.2f} ms"
        sys.stdout.write(f"bids {first + 1:5}-{first + len(some):5}: {said}\n")


if __name__ == "__main__":
    main()
