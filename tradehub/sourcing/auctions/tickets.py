"""Tickets to a live stream: who may hear which auction, signed, and good for a minute.

The stream is served by a process that knows no sessions. A page gets a ticket where it is let in, and shows it there.
"""

from __future__ import annotations

from typing import NamedTuple

from itsdangerous import BadData, URLSafeTimedSerializer

from tradehub.documents import PartyId

LIFE_S = 60
"""From the page to the stream; a browser takes milliseconds. Once let in, a stream lasts by itself."""


class Ticket(NamedTuple):
    """``origin`` is the page's: only scripts of that site may read the stream."""

    auction: str
    party: PartyId
    origin: str


def issue(key: bytes, ticket: Ticket) -> str:
    return _signer(key).dumps(list(ticket))


def read(key: bytes, text: str) -> Ticket | None:
    """Return the ticket; None for one that is forged, torn or too old."""
    try:
        auction, party, origin = _signer(key).loads(text, max_age=LIFE_S)
    except (BadData, ValueError):
        return None
    return Ticket(auction, PartyId(party), origin)


def _signer(key: bytes) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt="auction-stream")
