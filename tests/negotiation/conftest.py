"""A hub in small: the service over a real database, with an outbox that keeps what it was given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import event

from tests.negotiation.words import HAIDI, NINGBO
from tradehub.documents import Document, PartyId
from tradehub.documents.parts import Party
from tradehub.negotiation.drafting import Draft, LineDraft
from tradehub.negotiation.recording import Actor, Hooks
from tradehub.negotiation.service import NegotiationService
from tradehub.partners.handling import Received
from tradehub.platform import clock
from tradehub.platform.db import Database
from tradehub.platform.files import PayloadStore

DELTA, RHEIN = PartyId("delta"), PartyId("rhein")
NAMES = {"haidi": "Haidi Trading", "ningbo": "Ningbo Valves", "delta": "Delta Fluid", "rhein": "Rhein Armaturen"}
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
BUYER = Actor(HAIDI, "u-haidi", "Li Wei")
SELLER = Actor(DELTA, "u-delta", "Ann Delta")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--rounds", type=int, default=60, help="rounds of the long deal")
    parser.addoption("--lines", type=int, default=40, help="lines of the long deal")
    parser.addoption("--deals", type=int, default=3000, help="deals of the crowded work list")
    parser.addoption("--races", type=int, default=8, help="rounds of the races of two commands")
    parser.addoption("--histories", type=int, default=200, help="random histories for each property of the rules")
    parser.addoption("--mutants", type=int, default=2, help="how many mutants of the rules to run their tests against")


@dataclass
class KeptOutbox:
    """Keeps in memory what would leave; as from a table, it is gone where its session is rolled back."""

    sent: list[tuple[PartyId, Document, str]] = field(default_factory=list)

    def put(self, session, document, *, sender, to, idempotency_key, subject=None) -> str:
        entry = (to, document, idempotency_key)
        self.sent.append(entry)

        def undo(*_what) -> None:
            self.sent[:] = [each for each in self.sent if each is not entry]

        event.listen(session, "after_soft_rollback", undo)
        return idempotency_key


def draft(**more) -> Draft:
    lines = tuple(
        LineDraft(number=str(number), name=name, item_number=f"V-{number}", quantity=Decimal(quantity), unit="C62")
        for number, name, quantity in ((1, "Valve V-22", 24000), (2, "Seal kit", 24000), (3, "Flange F-3", 4000))
    )
    return Draft(**{"lines": lines, "currency": "USD", "delivery_on": date(2027, 1, 15), **more})


def terms(*prices: str | None, **more) -> Draft:
    """Prices for lines 1, 2, 3; None offers nothing on that line."""
    lines = tuple(
        LineDraft(number=str(number), price=Decimal(price), delivery_on=date(2027, 1, 20))
        for number, price in enumerate(prices, 1)
        if price is not None
    )
    settings = {"valid_until": date(2026, 12, 4), "incoterm": "FOB", "place": "Ningbo", "payment": "net 30", **more}
    return Draft(lines=lines, **settings)


@dataclass
class House:
    database: Database
    outbox: KeptOutbox
    service: NegotiationService
    concluded: list

    def inquire(self, *suppliers: PartyId, **more) -> str:
        with self.database.write(HAIDI) as session:
            return self.service.send_inquiry(session, BUYER, draft(), suppliers, **more)

    def deal_with(self, supplier: PartyId) -> str:
        """Send an inquiry to one supplier and return the deal's id."""
        from tradehub.negotiation.store import DealRow

        inquiry = self.inquire(supplier)
        with self.database.read(HAIDI) as session:
            return session.query(DealRow).filter_by(inquiry_id=inquiry).one().id

    def do(self, actor: Actor, verb: str, *args, **more) -> str:
        with self.database.write(actor.party) as session:
            return getattr(self.service, verb)(session, actor, *args, **more)

    def receive(self, document: Document, partner: PartyId = NINGBO, owner: PartyId = HAIDI):
        handler = getattr(self.service, f"receive_{document.kind}")
        with self.database.write() as session:
            got = Received("m-1", owner, partner, "x12", "843", clock.now())
            return handler(session, document, got)

    def load(self, deal_id: str):
        from tradehub.negotiation import store

        with self.database.read() as session:
            row = store.deal_row(session, deal_id)
            assert row is not None
            return store.load(session, row)


def service(outbox, concluded: list | None = None, payloads: PayloadStore | None = None) -> NegotiationService:
    kept = [] if concluded is None else concluded
    hooks = Hooks(
        is_web=lambda session, party: party in (HAIDI, DELTA),
        on_concluded=lambda session, what: kept.append(what),
        party=lambda session, party: Party(role="", name=NAMES.get(party, party)),
    )
    return NegotiationService(outbox, hooks, payloads)


@pytest.fixture
def at_monday():
    with clock.frozen(MONDAY) as frozen:
        yield frozen


@pytest.fixture
def house(database: Database, at_monday, payloads) -> House:
    outbox, concluded = KeptOutbox(), []
    return House(database, outbox, service(outbox, concluded, payloads), concluded)
