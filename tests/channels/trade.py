"""Two sides of a deal, each on a hub of its own, with the real bytes of their messages between them.

A side trades by one channel. Two that work on pages or by the API share one hub; a side that trades by messages has a
hub of its own, whose database is another one: what both know, they know from what was written and read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests import databases
from tests.fakes import FakeJobs
from tests.people import CHEAP
from tradehub.contracting.store import ContractRow
from tradehub.documents import PartyId, TradeDocument
from tradehub.documents.normal import negotiated
from tradehub.documents.parts import Party
from tradehub.documents.terms import diff, flatten
from tradehub.exchange.inbound import Arrived
from tradehub.exchange.store import MessageRow
from tradehub.exchange.transport import Envelope
from tradehub.hub import Hub
from tradehub.negotiation import drafting, model, store
from tradehub.negotiation.drafting import Draft, Letterhead, LineDraft
from tradehub.negotiation.model import Kind
from tradehub.negotiation.recording import Actor
from tradehub.negotiation.store import DealRow, InquiryRow
from tradehub.ordering.store import OrderRow
from tradehub.partners.model import Incoming
from tradehub.partners.profile import Profile
from tradehub.platform import clock
from tradehub.platform.ids import new_id
from tradehub.platform.security import TOKEN_SCOPES, Security
from tradehub.platform.settings import Settings
from tradehub.web import create_app

BUYER, SELLER = PartyId("haidi"), PartyId("ningbo")
BOTH = PartyId("both")
"""Whose hub it is where both work on the same one: another than the buyer's, for it gives numbers to both."""
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MESSAGES = {
    "x12": ("840", "843", "850", "855", "860", "865", "824"),
    "edifact": ("REQOTE", "QUOTES", "ORDERS", "ORDRSP", "ORDCHG", "APERAK"),
    "ubl": ("RequestForQuotation", "Quotation", "Order", "OrderResponse", "OrderChange"),
}
RELEASES = {"x12": "004010", "edifact": "D96A", "ubl": "2.1"}
RECEIPTS = {"x12": "997", "edifact": "CONTRL", "ubl": "ApplicationResponse"}
SAID_BY_PEOPLE = ("web", "api")


def identities(party: PartyId) -> list[dict[str, str]]:
    gln = {"haidi": "6901234000016", "ningbo": "6907654000018"}[party]
    return [
        {"scheme": "x12-isa", "qualifier": "ZZ", "value": party.upper()},
        {"scheme": "edifact-unb", "qualifier": "14", "value": gln},
        {"scheme": "ubl", "qualifier": "0088", "value": gln},
        {"scheme": "gln", "value": gln},
    ]


def profile(
    party: PartyId, owner: PartyId, *, reads: str | None = None, writes: str | None = None, **more: Any
) -> Profile:
    """A party as ``owner`` knows it: by pages, or by messages that it ``reads`` and ``writes``."""
    plain: dict[str, Any] = {
        "schema": "1", "id": party, "owner": owner, "name": f"{party.capitalize()} Trading", "status": "live",
        "shared": True, "roles": ["supplier" if party == SELLER else "buyer"], "identities": identities(party),
        "channels": {"pages": {"kind": "web"}}, **more,
    }  # fmt: skip
    if reads and writes:
        plain["channels"] = {"wire": {"kind": "folder", "in_dir": "in", "out_dir": "out", "every": "2s"}}
        plain["agreements"] = [
            {
                "direction": way, "message": f"{standard}:{name}:{RELEASES[standard]}", "channel": "wire",
                "ack": {asks: RECEIPTS[standard]},
            }
            for way, standard, asks in (("out", reads, "expect"), ("in", writes, "send"))
            for name in MESSAGES[standard]
        ]  # fmt: skip
    return Profile.model_validate(plain)


@dataclass
class Wire:
    """What a hub hands over lies here until the other side fetches it."""

    sent: list[bytes] = field(default_factory=list)
    log: list[bytes] = field(default_factory=list)

    def send(self, envelope: Envelope) -> str:
        self.sent.append(envelope.payload)
        self.log.append(envelope.payload)
        return "taken"

    def poll(self) -> Iterator[Any]:
        return iter(())


@dataclass
class Side:
    """One party at its hub. ``channel`` is how it speaks there."""

    hub: Hub
    party: PartyId
    other: PartyId
    channel: str
    wire: Wire = field(default_factory=Wire)
    inquiry: str = ""
    _deals: dict[str, str] = field(default_factory=dict)
    _read: tuple[str, model.Negotiation] | None = None

    @property
    def jobs(self) -> FakeJobs:
        assert isinstance(self.hub.jobs, FakeJobs)
        return self.hub.jobs

    @property
    def actor(self) -> Actor:
        by = "api" if self.channel == "api" else "web"
        return Actor(self.party, name=self.party.capitalize(), channel=by)

    def do(self, verb: str, *args: Any, **more: Any) -> Any:
        with self.hub.database.write(self.party) as session:
            return getattr(self.hub.negotiation, verb)(session, self.actor, *args, **more)

    @property
    def deal(self) -> str:
        if self.inquiry not in self._deals:
            with self.hub.database.read(self.party) as session:
                found = session.scalars(select(DealRow.id).where(DealRow.inquiry_number == self.inquiry))
                self._deals[self.inquiry] = found.one()
        return self._deals[self.inquiry]

    @property
    def negotiation(self) -> model.Negotiation:
        """What is on record; read anew where the last statement is another one, for tests look often."""
        with self.hub.database.read() as session:
            head = session.scalars(select(DealRow.head).where(DealRow.id == self.deal)).one()
            if self._read is None or self._read[0] != head:
                row = store.deal_row(session, self.deal)
                assert row is not None
                self._read = head, store.load(session, row)
            return self._read[1]

    @property
    def last(self) -> model.Offer:
        return self.negotiation.offers[-1]

    def document(self, offer: model.Offer | None = None) -> TradeDocument:
        return (offer or self.last).document

    @property
    def hashes(self) -> list[str]:
        return [each.terms_hash for each in self.negotiation.offers]

    @property
    def states(self) -> list[str]:
        return [str(each) for each in model.states(self.negotiation, now=clock.now()).values()]

    @property
    def kinds(self) -> list[str]:
        """What was said, without the hub's own news of how it travelled."""
        return [str(each.kind) for each in self.negotiation.statements if each.kind not in (Kind.REACH, Kind.FAIL)]

    @property
    def contract(self) -> tuple[str, int, list[str]] | None:
        """How the contract stands by the rules, its version, and the terms hash of each version as kept."""
        with self.hub.database.read() as session:
            row = session.scalar(select(ContractRow).where(ContractRow.deal_id == self.deal))
            found = model.contract(self.negotiation, now=clock.now())
            if row is None or found is None:
                return None
            assert all(each.is_intact for each in row.versions)
            assert row.version == found.version or found.state is model.ContractState.TERMINATED
            return str(found.state), row.version, [each.terms_hash for each in row.versions]

    @property
    def order(self) -> OrderRow | None:
        with self.hub.database.read() as session:
            row = session.scalar(select(OrderRow).where(OrderRow.deal_id == self.deal))
            if row is not None:
                _ = row.versions, row.lines, row.responses
            return row

    def messages(self, direction: str = "in") -> list[MessageRow]:
        """The messages of this deal."""
        with self.hub.database.read() as session:
            rows = select(MessageRow).where(MessageRow.direction == direction, MessageRow.deal == self.deal)
            return list(session.scalars(rows.order_by(MessageRow.created_at, MessageRow.id)))


@dataclass
class Program(Side):
    """A party whose program speaks by the REST API: what it says goes over HTTP, with a token of its organisation."""

    token: str = ""

    @cached_property
    def client(self) -> FlaskClient:
        return create_app(self.hub, hasher=CHEAP).test_client()

    def do(self, verb: str, *args: Any, **more: Any) -> Any:
        if verb not in _OVER_HTTP:
            return super().do(verb, *args, **more)
        path, body = _OVER_HTTP[verb](self, *args, **more)
        if not self.token:
            with self.hub.database.write() as session:
                scopes, life = sorted(TOKEN_SCOPES), timedelta(days=300)
                security = Security(self.hub.database, CHEAP)
                self.token = security.issue_token(session, self.party, "program", scopes, life=life)
        answer = self.client.post(
            f"/api/v1{path}", json=body, headers={"Authorization": f"Bearer {self.token}", "Idempotency-Key": new_id()}
        )
        assert answer.status_code == 201, answer.text
        return answer.json["inquiry" if verb == "send_inquiry" else "statement"]


def _asked(_side: Side, draft: Draft, suppliers: list[PartyId]) -> tuple[str, dict[str, Any]]:
    head = Letterhead("-", clock.now().date(), Party(role="buyer"), Party(role="seller"))
    return "/inquiries", {"document": _stated(drafting.inquiry(head, draft)), "suppliers": suppliers}


def _terms(_side: Side, deal: str, document: TradeDocument, *, about: str | None = None) -> tuple[str, dict[str, Any]]:
    return f"/deals/{deal}/offers", {"document": _stated(document), "offer": about}


def _taken(side: Side, deal: str, offer: str, *, document: TradeDocument | None = None) -> tuple[str, dict[str, Any]]:
    shown = side.negotiation.offer(offer)
    body = {"offer": offer, "terms_hash": shown.terms_hash, "document": _stated(document) if document else None}
    return f"/deals/{deal}/acceptances", body


def _amended(_side: Side, deal: str, document: TradeDocument) -> tuple[str, dict[str, Any]]:
    return f"/deals/{deal}/amendments", {"document": _stated(document)}


_OVER_HTTP: dict[str, Callable[..., tuple[str, dict[str, Any]]]] = {
    "send_inquiry": _asked, "state_terms": _terms, "accept": _taken, "amend": _amended,
}  # fmt: skip


def _stated(document: TradeDocument) -> dict[str, Any]:
    return document.model_dump(mode="json", exclude_defaults=True, exclude={"extensions"})


@dataclass
class Trade:
    """A buyer and a seller; ``travel`` lets everything that was said arrive."""

    buyer: Side
    seller: Side

    @property
    def sides(self) -> tuple[Side, Side]:
        return self.buyer, self.seller

    @property
    def is_one_hub(self) -> bool:
        return self.buyer.hub is self.seller.hub

    def inquire(self, draft: Draft | None = None) -> None:
        """Let the buyer ask; the number of its inquiry is by what both know the deal."""
        asked = self.buyer.do("send_inquiry", draft or wished(), [self.seller.party])
        with self.buyer.hub.database.read(BUYER) as session:
            self.buyer.inquiry = self.seller.inquiry = session.get_one(InquiryRow, asked).number

    def travel(self) -> None:
        while any(self.step(side) for side in self.sides):
            pass

    def step(self, side: Side) -> int:
        """Let one side's jobs run and what they sent arrive; return how much that was."""
        count = side.jobs.drain()
        other = self.seller if side is self.buyer else self.buyer
        while side.wire.sent:
            payload = side.wire.sent.pop(0)
            self.arrive(other, payload)
            count += 1
        return count

    def arrive(self, at: Side, payload: bytes) -> None:
        at.hub.exchange.inbound.receive(Arrived(payload, at.party, at.other, "wire"))
        at.jobs.drain()


MakeHub = Callable[[PartyId], Hub]


@contextmanager
def hubs(folder: Path, url: Callable[[PartyId], str] = lambda home: "") -> Iterator[MakeHub]:
    """Make the hub of an organisation once; each has a database of its own, which many deals share."""
    made: dict[PartyId, Hub] = {}

    def make(home: PartyId) -> Hub:
        if home not in made:
            settings = Settings(data_dir=folder / home, home_org=home, database_url=url(home), _env_file=None)  # type: ignore[call-arg]
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("tradehub.hub.Jobs", lambda database, poll_s: FakeJobs(database))
                made[home] = Hub(settings)
            databases.make_tables(made[home].database)
        return made[home]

    yield make
    for hub in made.values():
        hub.database.dispose()


def known(hub: Hub, *profiles: Profile) -> None:
    with hub.database.write() as session:
        incoming = {each.id: Incoming(each, "0" * 64) for each in profiles}
        hub.partners.apply(session, incoming, by="test", at=clock.now())


def trade(make_hub: MakeHub, buying: str, selling: str, **agreed: Any) -> Trade:
    """A buyer who trades by ``buying`` and a seller who trades by ``selling``; ``agreed`` goes into both profiles."""
    if buying in SAID_BY_PEOPLE and selling in SAID_BY_PEOPLE:
        hub = make_hub(BOTH)
        known(hub, profile(BUYER, BUYER), profile(SELLER, BUYER, **agreed))
        return Trade(_side(hub, BUYER, SELLER, buying), _side(hub, SELLER, BUYER, selling))
    # a partner's system reads the standard that it writes, where the other side has none of its own
    buys = buying if buying not in SAID_BY_PEOPLE else selling
    sells = selling if selling not in SAID_BY_PEOPLE else buying
    one, two = make_hub(BUYER), make_hub(SELLER)
    known(one, profile(BUYER, BUYER), profile(SELLER, BUYER, reads=buys, writes=sells, **agreed))
    known(two, profile(SELLER, SELLER), profile(BUYER, SELLER, reads=sells, writes=buys, **agreed))
    buyer, seller = _side(one, BUYER, SELLER, buying), _side(two, SELLER, BUYER, selling)
    for side in (buyer, seller):
        side.hub.exchange.outbound.open_channel = lambda id, channel, wire=side.wire: wire
    return Trade(buyer, seller)


def inquired(make_hub: MakeHub, standard: str, **agreed: Any) -> Trade:
    """Two sides that trade by messages of one standard, and the buyer's inquiry has arrived."""
    made = trade(make_hub, standard, standard, **agreed)
    made.inquire()
    made.travel()
    return made


def _side(hub: Hub, party: PartyId, other: PartyId, channel: str) -> Side:
    return (Program if channel == "api" else Side)(hub, party, other, channel)


# What they say


def wished() -> Draft:
    lines = tuple(
        LineDraft(number=str(number), name=name, item_number=f"V-{number}", quantity=Decimal(quantity), unit=unit)
        for number, name, quantity, unit in (
            (1, "Gate valve DN50", "240", "C62"), (2, "Seal kit", "12.5", "KGM"), (3, "Flange", "1000", "MTR")
        )
    )  # fmt: skip
    return Draft(
        lines, "USD", date(2027, 1, 15), date(2026, 12, 1), None, "FOB", "Ningbo", "net 30", "Please quote by Friday"
    )


def priced(*prices: str, days: tuple[date, ...] = (date(2027, 1, 20),), **more: Any) -> Draft:
    """Prices of lines 1, 2, 3; the last of ``days`` holds for all further lines."""
    lines = tuple(
        LineDraft(number=str(number), price=Decimal(price), delivery_on=days[min(number, len(days)) - 1])
        for number, price in enumerate(prices, 1)
    )
    settings = {
        "currency": "USD", "valid_until": date(2026, 12, 18), "incoterm": "FOB", "place": "Ningbo", "payment": "net 30",
        **more,
    }  # fmt: skip
    return Draft(lines=lines, **settings)


def told_apart(trade: Trade) -> list[tuple[str, str | None, str | None]]:
    """What differs between the two sides' views of the last proposal, for a message of a failing test."""
    one, two = (flatten(negotiated(side.document())) for side in trade.sides)
    return [tuple(each) for each in diff(one, two)]
