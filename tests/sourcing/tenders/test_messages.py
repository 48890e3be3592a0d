"""Bids by message: a whole hub is sent quotations on a sealed tender, and everything that it keeps is searched."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.sourcing.canary import HAIDI, NINGBO, PEOPLE, RHEIN, kept, renderings, spellings, whole_hub
from tests.sourcing.tenders.conftest import COMMERCIAL, WORDS, inquiry, notice, plan
from tradehub.cli import verify
from tradehub.documents import Line, Offer, PartyId
from tradehub.documents.parts import DatedEvent, DeliveryTerms, Item, Party, Price, Quantity, Reference
from tradehub.exchange.codec import Frame
from tradehub.exchange.inbound import Arrived, Receipt
from tradehub.exchange.service import CannotReplay
from tradehub.exchange.store import IssueRow, MessageRow
from tradehub.hub import Hub
from tradehub.negotiation import store as negotiation
from tradehub.partners.profile import Envelope, Identity
from tradehub.platform import clock
from tradehub.sourcing.tenders.hooks import Actor
from tradehub.sourcing.tenders.model import Stage
from tradehub.sourcing.tenders.sealing import Work
from tradehub.sourcing.tenders.service import Opener, TenderDraft
from tradehub.sourcing.tenders.store import BidRow

NORDIC = PartyId("nordic")
PRICE = "48151.62"
SPELLINGS = (*spellings(PRICE), "48,151.62")
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)

MESSAGES = {
    NINGBO: ("x12:843:004010", "drop", Identity(scheme="x12-isa", qualifier="ZZ", value="NINGBOVALVES")),
    RHEIN: ("edifact:QUOTES:D96A", "drop", Identity(scheme="edifact-unb", qualifier="14", value="4012345000009")),
    NORDIC: ("ubl:Quotation:2.1", "post", Identity(scheme="ubl", qualifier="0088", value="7301234000006")),
}
OURS = {
    "x12": Identity(scheme="x12-isa", qualifier="ZZ", value="HAIDITRADING"),
    "edifact": Identity(scheme="edifact-unb", qualifier="14", value="6901234000016"),
    "ubl": Identity(scheme="ubl", qualifier="0088", value="6901234000016"),
}


@dataclass
class Place:
    """A hub with a sealed tender, to which three suppliers were invited that trade by message."""

    hub: Hub
    li: Actor
    mo: Actor
    closes: datetime
    tenders: list[str] = field(default_factory=list)

    def publish(self, *suppliers: PartyId) -> str:
        told = notice(
            stages=(Stage(kind=COMMERCIAL, closes_at=self.closes),), questions_until=self.closes,
            valid_until=self.closes.date(), inquiry=inquiry(),
        )  # fmt: skip
        openers = [Opener(each.user_id or "", each.name or "") for each in (self.li, self.mo)]
        tender = self.do(self.li, "create", TenderDraft(told, plan(), suppliers, openers))
        for person, words in zip((self.li, self.mo), WORDS.values(), strict=False):
            self.do(person, "set_passphrase", tender, words)
        self.do(self.li, "publish", tender)
        self.tenders.append(tender)
        return tender

    def do(self, actor: Actor, verb: str, *args):
        with self.hub.database.write(actor.party) as session:
            return getattr(self.hub.tenders, verb)(session, actor, *args)

    def open(self, tender: str) -> None:
        for person, words in zip((self.li, self.mo), WORDS.values(), strict=False):
            with self.hub.database.read(HAIDI) as session:
                key = self.hub.tenders.key_of(session, person, tender, words)
            self.do(person, "hand_over", tender, COMMERCIAL, key)

    def number(self, supplier: PartyId, tender: int = -1) -> str:
        """Return what the inquiry is called by a supplier."""
        with self.hub.database.read(HAIDI) as session:
            deals = select(negotiation.DealRow).where(negotiation.DealRow.seller_id == supplier)
            rows = session.scalars(deals.order_by(negotiation.DealRow.id)).all()
            return str(rows[tender].inquiry_number)

    def quotation(self, supplier: PartyId, price: str | None = PRICE, **more) -> Offer:
        line = Line(
            number="1", item=Item(name="Valve V-22"), quantity=Quantity(value="1000", unit="C62"),
            price=Price(amount=price) if price else None,
        )  # fmt: skip
        gln = {NINGBO: "6907654000018", RHEIN: "4012345000009", NORDIC: "7301234000006"}[supplier]
        settings = {
            "number": "Q-1", "action": "original", "issued_on": date(2026, 11, 23), "currency": "EUR",
            "references": (Reference(type="inquiry", value=self.number(supplier)),),
            "dates": (DatedEvent(type="valid_until", on=date(2099, 1, 1)),), "lines": (line,),
            "delivery_terms": DeliveryTerms(incoterm="DAP", place="Hamburg"),
            "parties": (_party("buyer", "6901234000016"), _party("seller", gln)),
        }  # fmt: skip
        return Offer(**{**settings, **more})

    def message(self, supplier: PartyId, offer: Offer | None = None, number: int = 1) -> bytes:
        name, _, identity = MESSAGES[supplier]
        frame = Frame(
            identity, OURS[name.split(":")[0]], identity.value, "HAIDITRADING", Envelope(), NOW, number, number, 1
        )
        return self.hub.codec.write(name, offer or self.quotation(supplier), frame).payload

    def send(self, supplier: PartyId, payload: bytes, **facts) -> Receipt:
        arrived = Arrived(payload, HAIDI, supplier, MESSAGES[supplier][1], **facts)
        receipt = self.hub.exchange.inbound.receive(arrived)
        if not receipt.is_sealed:
            self.hub.jobs.drain()
        return receipt

    def row(self, receipt: Receipt) -> MessageRow:
        with self.hub.database.read(HAIDI) as session:
            return session.get_one(MessageRow, receipt.message_id)

    def bids(self, tender: str) -> list[BidRow]:
        with self.hub.database.read(HAIDI) as session:
            rows = select(BidRow).where(BidRow.tender_id == tender).order_by(BidRow.supplier_id, BidRow.number)
            return list(session.scalars(rows))

    def answers(self, receipt: Receipt) -> list[str]:
        """Return what the sender was answered: the types of the messages."""
        with self.hub.database.read(HAIDI) as session:
            rows = select(MessageRow).where(MessageRow.answers == receipt.message_id)
            return [str(each.type) for each in session.scalars(rows)]

    def found(self, logged: str) -> list[bytes]:
        everything = kept(self.hub, logged)
        return [each for each in renderings(SPELLINGS) if each in everything]


def _party(role: str, gln: str) -> Party:
    return Party(role=role, name=role.capitalize(), ids=({"scheme": "gln", "value": gln},))


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Place]:
    with whole_hub(database_url, tmp_path / "data") as (hub, _, users):
        hub.tenders.work = Work(1, 8, 1)
        people = {name: Actor(org, users[name], name.capitalize()) for name, org in PEOPLE}
        yield Place(hub, people["li"], people["mo"], clock.now() + timedelta(hours=2))


ON_SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
EACH = pytest.mark.parametrize("supplier", MESSAGES)


def test_a_quotation_by_message_is_nowhere_in_clear_before_the_opening(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """Of X12, EDIFACT and UBL; replaced, late, wrong, and once more the same: what is searched is all that is kept."""
    caplog.set_level(logging.DEBUG)
    tender = place.publish(*MESSAGES)
    receipts = {}
    for supplier in MESSAGES:
        receipts[supplier] = place.send(supplier, place.message(supplier))
        assert place.answers(receipts[supplier]), supplier
        place.send(supplier, place.message(supplier))  # the same again
        malformed = place.message(supplier, number=7).replace(b"2099", b"20X9").replace(b"EUR", b"E1R")
        place.send(supplier, malformed)
    place.send(NINGBO, place.message(NINGBO, place.quotation(NINGBO, number="Q-2"), 2))
    assert [(each.supplier_id, each.state) for each in place.bids(tender)] == [
        ("ningbo", "replaced"), ("ningbo", "live"), ("nordic", "live"), ("rhein", "live"),
    ]  # fmt: skip
    with clock.frozen(place.closes):
        late = place.send(RHEIN, place.message(RHEIN, place.quotation(RHEIN, number="Q-3"), 3))
        assert place.row(late).delivery_reason == "T10"
        assert place.found(caplog.text) == []
        place.open(tender)
    assert PRICE.encode() in place.found(caplog.text)


@ON_SQLITE
@EACH
def test_it_is_opened_with_its_message_and_stands_in_the_deal(place: Place, supplier: PartyId) -> None:
    tender = place.publish(supplier)
    payload = place.message(supplier)
    receipt = place.send(supplier, payload)
    before = place.row(receipt)
    assert (before.validation, before.delivery, before.document) == ("accepted", "handed_on", None)
    assert before.size == len(payload)
    with pytest.raises(CannotReplay), place.hub.database.write(HAIDI) as session:
        place.hub.exchange.replay(session, before.id, actor="Li")
    with clock.frozen(place.closes):
        place.open(tender)
    after = place.row(receipt)
    assert place.hub.payloads.get(str(after.payload_sha256)) == payload
    assert after.sealed_as is None
    assert (after.document or {})["lines"][0]["price"]["amount"] == PRICE
    [bid] = place.bids(tender)
    assert (bid.message_id, bid.fault, bid.channel) == (after.id, "", "message")
    with place.hub.database.read(HAIDI) as session:
        [said] = [each for each in negotiation.statement_rows(session, [after.deal]) if each.kind == "offer"]
    assert (said.id, said.message_id) == (bid.offer_id, after.id)
    record = place.hub.record_of(str(after.deal))
    assert payload in [each.raw for each in record.messages]
    assert record.not_kept == ()


@ON_SQLITE
def test_before_the_opening_the_archive_is_whole_and_the_evidence_leaves_the_message_out(place: Place) -> None:
    place.publish(NINGBO)
    payload = place.message(NINGBO)
    deal = str(place.row(place.send(NINGBO, payload)).deal)
    assert [each.wrong for each in verify.examine(place.hub) if each.check in ("payloads", "audit chains")] == [(), ()]
    assert "843" not in [each.facts["message"].split(":")[1] for each in place.hub.record_of(deal).messages]


@ON_SQLITE
def test_what_was_replaced_withdrawn_or_late_is_never_opened(place: Place) -> None:
    tender = place.publish(NINGBO, RHEIN)
    first = place.send(NINGBO, place.message(NINGBO))
    second = place.send(NINGBO, place.message(NINGBO, place.quotation(NINGBO, "9.00", number="Q-2"), 2))
    withdrawn = place.send(RHEIN, place.message(RHEIN))
    taken_back = place.quotation(RHEIN, None, action="cancel", number="Q-1")
    place.send(RHEIN, place.message(RHEIN, taken_back, 2))
    with clock.frozen(place.closes):
        late = place.send(NINGBO, place.message(NINGBO, place.quotation(NINGBO, number="Q-3"), 3))
        place.open(tender)
    assert [place.row(each).sealed_as is None for each in (first, second, withdrawn, late)] == [
        False, True, False, False,
    ]  # fmt: skip
    assert [(each.supplier_id, each.state) for each in place.bids(tender)] == [
        ("ningbo", "replaced"), ("ningbo", "live"), ("rhein", "withdrawn"),
    ]  # fmt: skip


@ON_SQLITE
def test_a_file_of_bids_on_two_tenders_is_read_when_both_are_open(place: Place) -> None:
    """Each interchange is opened with its own tender; the file, which holds both prices, with the later one."""
    one = place.publish(NINGBO)
    first = place.message(NINGBO, place.quotation(NINGBO))
    other = place.publish(NINGBO)
    second = place.message(NINGBO, place.quotation(NINGBO, number="Q-2"), 2)
    receipt = place.send(NINGBO, first + second)
    assert len(receipt.outcomes) == 2
    with place.hub.database.read(HAIDI) as session:
        rows = session.scalars(select(MessageRow.id).where(MessageRow.type == "843", MessageRow.direction == "in"))
        pieces = sorted(rows)
    with clock.frozen(place.closes):
        place.open(one)
        sealed = [place.row(Receipt(each, each)).sealed_as is not None for each in (*pieces, receipt.message_id)]
        assert sealed == [False, True, True]
        place.open(other)
    assert place.hub.payloads.get(str(place.row(receipt).payload_sha256)) == first + second


@ON_SQLITE
def test_words_are_read_at_once_and_a_wrong_bid_is_refused_by_its_rule(place: Place) -> None:
    tender = place.publish(NINGBO)
    words = place.quotation(NINGBO, None, notes=({"text": "May we deliver in two lots?"},), action="information")
    assert place.row(place.send(NINGBO, place.message(NINGBO, words))).sealed_as is None
    short = (DatedEvent(type="valid_until", on=date(2026, 1, 1)),)
    wrong = {
        "T13": {"dates": short},
        "T12": {"action": "proposal"},
    }
    for number, (rule, more) in enumerate(wrong.items(), 2):
        offer = place.quotation(NINGBO, number=f"Q-{number}", **more)
        receipt = place.send(NINGBO, place.message(NINGBO, offer, number))
        assert (place.row(receipt).delivery_reason, receipt.outcomes[0]["refused"]) == (rule, rule)
    assert place.bids(tender) == []


@ON_SQLITE
def test_the_receipt_is_that_of_a_bid_and_the_same_bytes_are_one_bid(place: Place) -> None:
    tender = place.publish(NINGBO)
    payload = place.message(NINGBO)
    first, again, same_file = (
        place.send(NINGBO, payload, key="k"), place.send(NINGBO, payload), place.send(NINGBO, payload, key="k")
    )  # fmt: skip
    [bid] = place.bids(tender)
    assert first.outcomes[0]["fingerprint"] == bid.fingerprint
    assert again.is_repeated
    assert same_file.message_id == first.message_id


@ON_SQLITE
def test_a_file_from_a_folder_leaves_no_copy(place: Place) -> None:
    place.publish(NINGBO)
    folder = place.hub.settings.data_dir / "exchange/ningbo/from-partner"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bid.edi").write_bytes(place.message(NINGBO))
    with place.hub.database.read() as session:
        channel = next(each for each in place.hub.exchange.polled_channels(session) if each.party == NINGBO)
    with clock.frozen(clock.now() + timedelta(minutes=1)):
        assert place.hub.exchange.poll(channel) == 1
    assert [path for path in folder.rglob("*") if path.is_file()] == []


@ON_SQLITE
def test_what_is_wrong_with_a_sealed_message_is_told_by_its_place_alone(place: Place) -> None:
    """Also in the acknowledgement, which would copy a bad price (AK404) into the archive."""
    place.publish(NINGBO)
    receipt = place.send(NINGBO, place.message(NINGBO).replace(PRICE.encode(), PRICE.encode() + b"X"))
    row = place.row(receipt)
    assert (row.validation, row.sealed_as is not None) == ("rejected", True)
    with place.hub.database.read(HAIDI) as session:
        issues = session.scalars(select(IssueRow).where(IssueRow.message_id == row.id)).all()
        answer = session.scalars(select(MessageRow).where(MessageRow.answers == row.id)).one()
    assert [(each.tag, each.element, each.value, each.line) for each in issues] == [("PO1", 4, None, None)]
    assert b"AK4*4*212*6~" in place.hub.payloads.get(str(answer.payload_sha256))


@ON_SQLITE
def test_a_number_that_names_no_sealed_tender_is_handled_as_ever(place: Place) -> None:
    place.publish(NINGBO)
    stray = place.quotation(NINGBO, references=(Reference(type="inquiry", value="RFQ-0"),))
    row = place.row(place.send(NINGBO, place.message(NINGBO, stray)))
    assert (row.sealed_as, row.delivery) == (None, "refused")
