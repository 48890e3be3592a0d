"""What a process knows of auctions: an auction that was loaded before is brought up to date by what came since.

A bid then costs the same after two others and after two thousand. Nothing computed is stored, and nothing is trusted:
what is remembered counts only as far as its last event is still the one that the database has, so a transaction that was
rolled back, or a database that was restored, makes it load anew.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from tradehub.platform.sealing import Tampered
from tradehub.sourcing.auctions import model, store
from tradehub.sourcing.auctions.envelopes import Envelopes
from tradehub.sourcing.auctions.ledger import Auction
from tradehub.sourcing.auctions.rules import Status
from tradehub.sourcing.auctions.store import AuctionRow

EVENTS_MAX = 200_000
"""Events that are kept in mind, of all auctions together: some hundred bytes each."""

log = structlog.get_logger(__name__)


class Memory:
    """The auctions of one process. Its threads share it: what it hands out is never changed afterwards."""

    def __init__(self, envelopes: Envelopes, *, events_max: int = EVENTS_MAX) -> None:
        self.envelopes = envelopes
        self._events_max = events_max
        self._known: OrderedDict[str, Auction] = OrderedDict()
        self._lock = threading.Lock()

    def load(self, session: Session, row: AuctionRow) -> Auction:
        """Return the auction as the model knows it, with every bid; amounts under seal are None."""
        return self.load_all(session, [row])[row.id]

    def load_all(self, session: Session, rows: Sequence[AuctionRow]) -> dict[str, Auction]:
        """Return several auctions with two queries, or with three where some are not known."""
        with self._lock:
            known = {row.id: self._known[row.id] for row in rows if row.id in self._known}
        found = store.brought_up(session, known, self.envelopes)
        missing = [row for row in rows if row.id not in found]
        found |= store.load_all(session, missing, self.envelopes) if missing else {}
        with self._lock:
            for each in found.values():
                self._known[each.id] = each
                self._known.move_to_end(each.id)
            self._forget()
        return found

    def opened(self, session: Session, auction: Auction, now: datetime) -> Auction:
        """Return the auction with the amounts that were under seal, where its time is over.

        One that was changed in the database opens nothing: the auction stays unopened rather than be won without it.
        """
        if model.overall(auction, now) is not Status.UNOPENED:
            return auction
        try:
            return store.opened(session, auction, self.envelopes)
        except Tampered:
            log.error("a bid under seal was changed: the auction is not opened", auction=auction.id)
            return auction

    def _forget(self) -> None:
        """Let go of what was not asked for longest."""
        count = sum(each.version for each in self._known.values())
        while count > self._events_max and len(self._known) > 1:
            _, oldest = self._known.popitem(last=False)
            count -= oldest.version
