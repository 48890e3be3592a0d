"""A price nobody else would write is bid in a whole hub; then everything that the hub keeps is searched for it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.negotiation.pages import form_fields
from tests.people import CHEAP, PASSWORD
from tests.sourcing.canary import DELTA, HAIDI, NINGBO, PEOPLE, RHEIN, kept, renderings, spellings, whole_hub
from tests.sourcing.tenders.conftest import COMMERCIAL, WORDS, inquiry, notice, offer, plan
from tests.web.house import post, sign_in
from tradehub.documents import Offer, PartyId
from tradehub.documents.parts import DatedEvent, Reference
from tradehub.hub import Hub
from tradehub.negotiation import store as negotiation
from tradehub.negotiation.drafting import Draft, LineDraft
from tradehub.negotiation.model import Refused
from tradehub.negotiation.recording import Actor as Speaker
from tradehub.partners.handling import Received
from tradehub.platform import clock
from tradehub.platform.security import Security
from tradehub.sourcing.tenders.hooks import Actor
from tradehub.sourcing.tenders.model import Stage
from tradehub.sourcing.tenders.sealing import Work
from tradehub.sourcing.tenders.service import Opener, TenderDraft

ON_SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
CANARY = "48151.62342"
SPELLINGS = (*spellings(CANARY), "48151.62", "48,151.62")


def words_of(name: str) -> str:
    return dict(zip(("li", "mo"), WORDS.values(), strict=False))[name]


@dataclass
class Place:
    hub: Hub
    app: Flask
    people: dict[str, Actor] = field(default_factory=dict)

    def found(self, logged: str) -> list[bytes]:
        """Return the renderings of the price that are somewhere in it, and passphrases in clear."""
        everything = kept(self.hub, logged)
        words = [words_of(name).encode() for name in ("li", "mo")]
        return [each for each in (*renderings(SPELLINGS), *words) if each in everything]

    def do(self, actor: Actor, verb: str, *args, **more):
        with self.hub.database.write(actor.party) as session:
            return getattr(self.hub.tenders, verb)(session, actor, *args, **more)

    def tender(self, closes, *, is_sealed: bool = True) -> str:
        li, mo = self.people["li"], self.people["mo"]
        told = notice(
            stages=(Stage(kind=COMMERCIAL, closes_at=closes),), questions_until=closes, is_sealed=is_sealed,
            valid_until=closes.date(), inquiry=inquiry(),
        )  # fmt: skip
        openers = [Opener(each.user_id or "", each.name or "") for each in (li, mo)]
        tender = self.do(li, "create", TenderDraft(told, plan(), [DELTA, NINGBO, RHEIN], openers))
        if is_sealed:
            for name in ("li", "mo"):
                self.post(name, f"/tenders/{tender}/passphrase", passphrase=words_of(name), again=words_of(name))
        self.do(li, "publish", tender)
        return tender

    def agree(self, name: str, tender: str) -> None:
        self.post(name, f"/tenders/{tender}/open", stage="commercial", passphrase=words_of(name))

    def post(self, name: str, url: str, **form: str) -> None:
        client = self.app.test_client()
        assert sign_in(client, f"{name}@example.com", PASSWORD).status_code == 303
        answer = post(client, url, **form)
        assert answer.status_code == 303, answer.text

    def open(self, tender: str) -> None:
        self.agree("li", tender)
        self.agree("mo", tender)

    def deal(self, seller: PartyId) -> negotiation.DealRow:
        with self.hub.database.read(HAIDI) as session:
            return session.scalars(select(negotiation.DealRow).where(negotiation.DealRow.seller_id == seller)).one()

    def states(self, seller: PartyId) -> list[str]:
        """Return the kinds of all statements in the deal with a supplier."""
        with self.hub.database.read(HAIDI) as session:
            return [each.kind for each in negotiation.statement_rows(session, [self.deal(seller).id])]


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Place]:
    with whole_hub(database_url, tmp_path / "data") as (hub, app, users):
        hub.tenders.work = Work(1, 8, 1)
        people = {name: Actor(org, users[name], name.capitalize()) for name, org in PEOPLE}
        yield Place(hub, app, people)


def bid_by_form(place: Place, tender: str, price: str) -> None:
    """Type a bid, look at the review page, mistype once, and hand it in: every step that the pages have."""
    client = place.app.test_client()
    assert sign_in(client, "dan@example.com", PASSWORD).status_code == 303
    room = f"/tenders/{tender}"
    fields = form_fields(client.get(f"{room}/bid?stage=commercial").text, f"{room}/bid")

    def posted(step: str, prices: list[str]):
        data: dict[str, list[str]] = {}
        for name, value in fields:
            if name not in ("bid_price", "bid_breaks", "step"):
                data.setdefault(name, []).append(value)
        data |= {
            "bid_price": prices,
            "bid_breaks": [f"500={price}", ""],
            "step": [step],
            "text": [f"Down from {price}."],
        }
        return client.post(f"{room}/bid", data=data)

    assert posted("review", [price, "x"]).status_code == 422
    assert price in posted("review", [price, "0.80"]).text.replace(",", "")
    assert posted("send", [price, "0.80"]).status_code == 303
    assert posted("send", [price, "0.80"]).status_code == 303
    assert client.get(f"/search?q={price}").status_code == 200


def test_no_price_is_anywhere_before_the_opening_and_it_is_found_after(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    closes = clock.now() + timedelta(hours=2)
    tender = place.tender(closes)
    bid_by_form(place, tender, CANARY)
    dan, nina = place.people["dan"], place.people["nina"]
    until = (DatedEvent(type="valid_until", on=date(2099, 1, 1)),)
    first = offer(CANARY, "0.90", dates=until)
    place.do(dan, "bid", tender, COMMERCIAL, first)
    place.do(nina, "bid", tender, COMMERCIAL, first)
    place.do(nina, "withdraw", tender, COMMERCIAL)
    client = place.app.test_client()
    token = _token(place, NINGBO)
    body = first.model_dump(mode="json", exclude_defaults=True)
    head = {"Authorization": f"Bearer {token}", "Idempotency-Key": "0123456789"}
    sent = client.post(f"/api/v1/tenders/{tender}/bids", json=body, headers=head)
    assert sent.status_code == 201
    wrong = {"offer": {**body["offer"], "tota": CANARY}}
    refused = client.post(f"/api/v1/tenders/{tender}/bids", json=wrong, headers=head)
    assert refused.status_code == 422
    assert CANARY not in refused.text
    place.hub.jobs.drain()

    assert place.found(caplog.text) == []
    with clock.frozen(closes):
        place.agree("li", tender)
        assert place.found(caplog.text) == []
        place.agree("mo", tender)
    assert CANARY.encode() in place.found(caplog.text)


@ON_SQLITE
def test_the_search_would_find_a_price_that_was_not_sealed(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    tender = place.tender(clock.now() + timedelta(hours=2), is_sealed=False)
    bid_by_form(place, tender, CANARY)
    assert CANARY.encode() in place.found(caplog.text)


@ON_SQLITE
def test_a_bid_in_clear_is_refused_on_every_other_way_until_the_opening(place: Place) -> None:
    closes = clock.now() + timedelta(hours=2)
    tender = place.tender(closes)
    dan, draft = place.people["dan"], Draft(lines=(LineDraft("1", price=Decimal(9)),), valid_until=date(2099, 1, 1))

    def say() -> None:
        with place.hub.database.write(DELTA) as session:
            place.hub.negotiation.make_offer(session, Speaker(DELTA, dan.user_id), place.deal(DELTA).id, draft)

    with pytest.raises(Refused, match="T24"):
        say()
    client = place.app.test_client()
    assert sign_in(client, "dan@example.com", PASSWORD).status_code == 303
    assert f"/tenders/{tender}" in client.get(f"/deals/{place.deal(DELTA).id}").text
    quote = offer("9.00", "0.50").offer or Offer()
    number = place.deal(NINGBO).inquiry_number
    letter = quote.model_copy(
        update={"number": "Q-1", "action": "original", "references": (Reference(type="inquiry", value=number),)}
    )
    with place.hub.database.write() as session:
        got = Received("m-1", HAIDI, NINGBO, "x12", "843", clock.now())
        handled = place.hub.handlers["offer"](session, letter, got)
    assert handled.refusal is not None
    assert (handled.refusal.rule, handled.refusal.text) == ("T24", "SEALED_TENDER")
    assert "offer" not in place.states(NINGBO)
    with clock.frozen(closes):
        place.open(tender)
        say()


@ON_SQLITE
def test_an_award_is_contracts_and_refusals_each_in_its_deal(place: Place) -> None:
    """Delta's whole bid is accepted, of Ningbo's two lines a part of one; Rhein, who lost, is told so."""
    closes = clock.now() + timedelta(hours=2)
    tender = place.tender(closes)
    until = (DatedEvent(type="valid_until", on=date(2099, 1, 1)),)
    rhein = Actor(RHEIN)
    for actor, prices in (
        (place.people["dan"], ("9.00", None)),
        (place.people["nina"], ("9.50", "0.60")),
        (rhein, ("9.90", "0.70")),
    ):
        place.do(actor, "bid", tender, COMMERCIAL, offer(*prices, dates=until))
    with clock.frozen(closes):
        place.open(tender)
        place.do(place.people["li"], "award", tender, {(DELTA, "1"): Decimal(1000), (NINGBO, "2"): Decimal(400)})
    assert place.states(DELTA)[-2:] == ["offer", "accept"]
    assert place.states(NINGBO)[-1] == "accept"
    assert place.states(RHEIN)[-1] == "reject"
    with place.hub.database.read(HAIDI) as session:
        assert len(place.hub.contracts.find(session)) == 2


def _token(place: Place, org: PartyId) -> str:
    with place.hub.database.write() as session:
        return Security(place.hub.database, CHEAP).issue_token(
            session, org, "erp", ["deal.negotiate", "deal.read"], life=timedelta(days=1)
        )
