"""Secret amounts at rest: bids under seal, and the limits of automatic bids.

Each is sealed under the installation's secret (AES-256-GCM), which the database does not hold, and bound to auction, lot,
bidder and bid. What is sealed has one length whatever the amount. A limit is opened when the auction is loaded, since
each bid has to meet it at once; a sealed bid after its lot's end and not before. docs/auctions.md says what that keeps
from whom.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import cached_property

from tradehub.platform.sealing import Sealer
from tradehub.sourcing.auctions.rules import Bid, Format

WIDTH = 32
"""Characters that an amount is filled up to: the largest, with its decimals, takes fewer."""


class Envelopes:
    """Seals for one installation. Opening raises ``platform.sealing.Tampered`` for what was changed or moved."""

    def __init__(self, sealer: Callable[[], Sealer]) -> None:
        self._make = sealer

    @cached_property
    def _sealer(self) -> Sealer:
        """Made on first use: a hub that only looks at its tables needs no secret."""
        return self._make()

    def seal(self, auction_id: str, form: Format, bid: Bid) -> str | None:
        """Return what of the bid is secret, sealed; None where nothing is."""
        secret = bid.amount if form is Format.SEALED else bid.limit
        if secret is None:
            return None
        text = format(secret, "f").rjust(WIDTH)
        return self._sealer.seal(text.encode(), context=_about(auction_id, form, bid))

    def limit(self, auction_id: str, bid: Bid, sealed: str) -> Decimal:
        """Return the limit that was given with a bid."""
        return self._open(auction_id, Format.OPEN, bid, sealed)

    def opened(self, auction_id: str, bid: Bid, sealed: str) -> Bid:
        """Return a bid that was under seal with its amount."""
        return replace(bid, amount=self._open(auction_id, Format.SEALED, bid, sealed))

    def _open(self, auction_id: str, form: Format, bid: Bid, sealed: str) -> Decimal:
        return Decimal(self._sealer.open(sealed, context=_about(auction_id, form, bid)).decode().strip())


def _about(auction_id: str, form: Format, bid: Bid) -> str:
    return f"auction {auction_id} lot {bid.lot} bid {bid.number} of {bid.by}: {form}"
