"""The demo's auction: the buyer asks for the lowest price, and two suppliers that robots play bid against each other.

Whoever looks on sees the price move; the people of the demo may bid, pause and cancel like anybody else.
"""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal
from itertools import cycle

from tradehub.documents import PartyId
from tradehub.hub import Hub
from tradehub.platform import clock
from tradehub.sourcing.auctions.drafting import Conditions, Draft, DraftLine
from tradehub.sourcing.auctions.rules import OVER, Increment, Kind, Refused, Rules, SoftClose
from tradehub.sourcing.auctions.service import Actor
from tradehub.sourcing.auctions.views import LotView

LASTS = timedelta(hours=2)
BIDDERS = (PartyId("ningbo"), PartyId("rhein"), PartyId("nordic"), PartyId("delta"))
BID_EVERY_S = 20.0
STEPS = (Decimal("0.985"), Decimal("0.99"), Decimal("0.993"), Decimal("0.98"))
"""What the robots make of the leading price, in turn."""

FLOORS = {"ningbo": Decimal(52_000), "rhein": Decimal(55_500)}
"""Where each robot stops."""


def hold(hub: Hub, owner: PartyId) -> str:
    """Announce the auction, running from now on, and return its id."""
    now = clock.now()
    rules = Rules(
        Kind.REVERSE,
        "USD",
        now,
        now + LASTS,
        Increment(Decimal("0.5"), is_percent=True),
        SoftClose(timedelta(minutes=2), timedelta(minutes=3), timedelta(hours=1)),
    )
    lines = (
        DraftLine("Butterfly valve DN80", Decimal(1_200), "C62", Decimal("38.00"), Decimal("35.00"), "V-80"),
        DraftLine("Gasket set DN80", Decimal(1_200), "SET", Decimal("13.50"), Decimal("12.00"), "G-80"),
    )
    wanted = Conditions(now.date() + timedelta(days=60), "FOB", "Ningbo", "net 30")
    draft = Draft("Butterfly valves for the spring call-off", rules, lines, BIDDERS, conditions=wanted)
    with hub.database.write(org=owner) as session:
        return hub.auctions.hold(session, Actor(owner), draft, request_key="demo-auction")


def bid_along(
    hub: Hub, auction: str, stopped: threading.Event, *, every_s: float = BID_EVERY_S, patience: int | None = None
) -> None:
    """Let the robots bid in turn until the auction is over, or ``patience`` turns long none did, or the hub stops."""
    turns, steps = cycle(FLOORS), cycle(STEPS)
    rests = 0
    while rests != patience and not stopped.wait(every_s):
        party, step = PartyId(next(turns)), next(steps)
        with hub.database.read(org=party) as session:
            _row, view = hub.auctions.view(session, auction, party)
        if view.status in OVER:
            return
        (lot,) = view.lots
        rests = 0 if _bid(hub, auction, party, lot, step) else rests + 1


def _bid(hub: Hub, auction: str, party: PartyId, lot: LotView, step: Decimal) -> bool:
    """Bid for a robot; False where it leads, goes no further, or cannot bid now."""
    if lot.is_leading or lot.next is None:
        return False
    amount = min(lot.next, ((lot.price or lot.next) * step).quantize(Decimal(1)))
    if amount < FLOORS[party]:
        return False
    try:
        with hub.database.write(org=party) as session:
            hub.auctions.bid(session, Actor(party, name="robot"), auction, lot=1, amount=amount, confirmed=True)
    except Refused:
        return False  # somebody else was faster: the next turn looks again
    return True
