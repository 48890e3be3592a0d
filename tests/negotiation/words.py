"""Words to build negotiations in tests: a buyer, a seller, what they say and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from tradehub.documents import Inquiry, Line, PartyId, Quantity
from tradehub.documents import Offer as OfferDocument
from tradehub.documents.parts import DatedEvent, DeliveryTerms, Identifier, Item, PaymentTerms, Price, Reference
from tradehub.documents.terms import terms_hash
from tradehub.negotiation import model
from tradehub.negotiation.model import Ground, Kind, Negotiation, Offer, Statement

HAIDI, NINGBO, STRANGER = PartyId("haidi"), PartyId("ningbo"), PartyId("stranger")
MONDAY = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
FRIDAY = date(2026, 12, 4)


def line(number=1, name="Valve V-22", quantity="100", price="12.40", unit="C62", **more) -> Line:
    return Line(
        number=str(number),
        item=Item(ids=(Identifier(scheme="buyer", value=f"V-{number}"),), name=name),
        quantity=None if quantity is None else Quantity(value=Decimal(quantity), unit=unit),
        price=None if price is None else Price(amount=Decimal(price)),
        **more,
    )


def asked(number="RFQ-1", lines=None, action="original", **more) -> Inquiry:
    dates = (DatedEvent(type="requested_delivery", on=date(2027, 1, 15)),)
    return Inquiry(
        number=number, action=action, currency="USD", dates=dates,
        lines=lines or (line(price=None), line(2, "Seal kit", "200", None)), **more,
    )  # fmt: skip


def quoted(
    number="Q-1", until: date | None = FRIDAY, price="12.40", lines=None, action="original", **more
) -> OfferDocument:
    dates = [DatedEvent(type="promised_delivery", on=date(2027, 1, 20))]
    if until:
        dates.append(DatedEvent(type="valid_until", on=until))
    settings = {
        "currency": "USD",
        "delivery_terms": DeliveryTerms(incoterm="FOB", place="Ningbo"),
        "payment_terms": (PaymentTerms(text="T/T 30 days", net_days=30),),
        "references": (Reference(type="inquiry", value="RFQ-1"),),
        **more,
    }
    return OfferDocument(
        number=number, action=action, dates=tuple(dates),
        lines=lines if lines is not None else (line(price=price), line(2, "Seal kit", "200", "0.82")), **settings,
    )  # fmt: skip


def proposal(id: str, by: PartyId, document, *, firm=True, parent=None, **more) -> Offer:
    return Offer.of(id, by, document, terms_hash(document), firm=firm, parent=parent, **more)


class Deal:
    """A negotiation that is told what happens; hours count from Monday morning."""

    def __init__(self, regime="CISG", **settings) -> None:
        calendars = settings.pop("calendars", {})
        self.value = Negotiation("n", HAIDI, NINGBO, model.REGIMES[regime], (), Ground(**settings), calendars)
        self.hour = 0.0
        self.count = 0

    @property
    def now(self) -> datetime:
        return MONDAY + timedelta(hours=self.hour)

    def at(self, hour: float) -> Deal:
        self.hour = hour
        return self

    def say(self, kind: Kind, by: PartyId | None = None, about: str | None = None, **more) -> str:
        """Make a statement and return its id (also the id of the offer it makes)."""
        self.count += 1
        id = more.pop("id", f"s{self.count}")
        statement = Statement(id=id, kind=kind, by=by, about=about, **more)
        self.value = model.step(self.value, statement, now=self.now)
        return id

    def propose(self, kind: Kind, by: PartyId, document, about=None, *, reached=True, firm=True, **more) -> str:
        self.count += 1
        id = f"s{self.count}"
        offer = proposal(id, by, document, firm=firm, parent=about, **more)
        statement = Statement(
            id=id, kind=kind, by=by, about=about, offer=offer, reached_at=self.now if reached else None
        )
        self.value = model.step(self.value, statement, now=self.now)
        return id

    def inquire(self, document=None) -> str:
        return self.propose(Kind.INQUIRY, HAIDI, document or asked(), firm=False)

    def offer(self, document=None, by=NINGBO, **more) -> str:
        return self.propose(Kind.OFFER, by, document or quoted(), **more)

    def counter(self, about, by=HAIDI, document=None, **more) -> str:
        return self.propose(Kind.COUNTER, by, document or quoted(price="11.90"), about, **more)

    def accept(self, about, by=HAIDI, *, reached=True, **more) -> str:
        return self.say(Kind.ACCEPT, by, about, reached_at=self.now if reached else None, **more)

    def reject(self, about, by=HAIDI, *, reached=True) -> str:
        return self.say(Kind.REJECT, by, about, reached_at=self.now if reached else None)

    def revoke(self, about, by=NINGBO, *, reached=True) -> str:
        return self.say(Kind.REVOKE, by, about, reached_at=self.now if reached else None)

    def withdraw(self, about, by=NINGBO, *, reached=True) -> str:
        return self.say(Kind.WITHDRAW, by, about, reached_at=self.now if reached else None)

    def accept_with(self, about, changes, document=None, by=HAIDI, *, reached=True, **more) -> str:
        """Accept on terms of one's own; ``changes`` are the paths at which they differ."""
        self.count += 1
        id, parent = f"s{self.count}", self.value.offer(about)
        settings = {"accept_by": parent.accept_by, "amends": parent.amends}
        offer = proposal(id, by, document or parent.document, parent=about, **settings)
        return self.say(
            Kind.ACCEPT, by, about, id=id, offer=offer, changes=tuple(changes),
            reached_at=self.now if reached else None, **more,
        )  # fmt: skip

    def amend(self, about, document=None, by=HAIDI, **more) -> str:
        return self.propose(Kind.AMEND, by, document or quoted("A-1", price="12.00"), amends=about, **more)

    def reach(self, statement: str) -> str:
        return self.say(Kind.REACH, about=statement)

    def state(self, offer: str) -> str:
        return str(model.states(self.value, now=self.now)[offer])

    @property
    def contracts(self):
        return model.contracts(self.value, now=self.now)

    @property
    def contract(self):
        return model.contract(self.value, now=self.now)

    @property
    def turn(self):
        return model.turn(self.value, now=self.now)


__all__ = ["FRIDAY", "HAIDI", "MONDAY", "NINGBO", "STRANGER", "Deal", "asked", "line", "proposal", "quoted", "replace"]
