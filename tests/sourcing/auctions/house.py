"""An auction house in small: the service over a real database, jobs that run when told to, and what was won."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.fakes import FakeJobs
from tests.sourcing.auctions.words import ANN, BEN, CAI, OWNER, TEN
from tradehub.documents import PartyId
from tradehub.documents.parts import Party
from tradehub.platform import audit
from tradehub.platform.db import Database
from tradehub.platform.sealing import Sealer
from tradehub.sourcing.auctions import store
from tradehub.sourcing.auctions.drafting import Conditions, Draft, DraftLine
from tradehub.sourcing.auctions.ledger import Auction
from tradehub.sourcing.auctions.rules import FORMS, ActKind, Format, Increment, Kind, Rules
from tradehub.sourcing.auctions.service import Actor, AuctionService, Hooks

NAMES = {OWNER: "Haidi Trading", ANN: "Ann Armaturen", BEN: "Ben Valves", CAI: "Cai Metals"}


@dataclass
class KeptDeals:
    """Stands for the negotiation: keeps each offer that a winner's bid has become."""

    won: list[tuple[PartyId, Any]] = field(default_factory=list)

    def __call__(self, session, auction, winner, document) -> str:
        self.won.append((winner, document))
        return f"deal-{len(self.won)}"


def draft(kind: Kind = Kind.REVERSE, **more) -> Draft:
    """Return an auction of an hour from ten on; settings of the rules and of the draft go by their names."""
    by_clock = FORMS[kind].format is Format.CLOCK
    rules = {
        "kind": kind, "currency": "USD", "starts_at": TEN, "ends_at": TEN + timedelta(hours=1),
        "increment": Increment(Decimal(10)), "tick": timedelta(seconds=60) if by_clock else None,
    }  # fmt: skip
    rules |= {name: more.pop(name) for name in list(more) if name in Rules.__dataclass_fields__}
    reserve = Decimal("9.00") if kind in (Kind.DUTCH, Kind.REVERSE) else None
    settings = {
        "title": "Valves for spring",
        "lines": (DraftLine("Valve V-22", Decimal(100), "C62", Decimal("10.00"), reserve, "V-22"),),
        "bidders": (ANN, BEN, CAI),
        "conditions": Conditions(date(2027, 1, 20), "FOB", "Ningbo", "net 30", "Two spare seals each."),
        **more,
    }
    return Draft(rules=Rules(**rules), **settings)


@dataclass
class House:
    database: Database
    jobs: FakeJobs
    deals: KeptDeals
    service: AuctionService

    def hold(self, kind: Kind = Kind.REVERSE, **more) -> str:
        with self.database.write(OWNER) as session:
            return self.service.hold(session, Actor(OWNER, "u-1", "Lin"), draft(kind, **more))

    def bid(self, auction_id: str, by: PartyId, amount: str | None = None, limit: str | None = None, **more) -> int:
        wanted = {"lot": 1, "confirmed": True, **more}
        with self.database.write(by) as session:
            return self.service.bid(
                session, Actor(by, f"u-{by}", by), auction_id,
                amount=None if amount is None else Decimal(amount), limit=None if limit is None else Decimal(limit),
                **wanted,
            )  # fmt: skip

    def act(self, auction_id: str, kind: ActKind, by: PartyId = OWNER, text: str = "why", about=None) -> int:
        with self.database.write(by) as session:
            return self.service.act(session, Actor(by, f"u-{by}", by), auction_id, kind, text=text, about=about)

    def load(self, auction_id: str) -> Auction:
        with self.database.read() as session:
            return self.service.memory.load(session, store.row(session, auction_id))

    def room(self, auction_id: str, viewer: PartyId):
        with self.database.read(viewer) as session:
            return self.service.room(session, auction_id, viewer)


SECRET = b"the secret of an installation"


def house(database: Database, jobs: FakeJobs) -> House:
    deals = KeptDeals()
    hooks = Hooks(
        on_won=deals,
        party=lambda session, party: Party(role="", name=NAMES.get(party, str(party))),
        name_of=lambda session, party: NAMES.get(party, str(party)),
    )  # fmt: skip
    service = AuctionService(jobs, lambda: Sealer(SECRET), hooks)
    service.register()
    return House(database, jobs, deals, service)


def audit_text(database: Database) -> str:
    with database.read() as session:
        return " ".join(str(each.details) for each in session.query(audit.AuditEntry))
