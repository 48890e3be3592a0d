"""No term is lost on the way: one without an element goes in words, and without room for those the message stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.exchange.conftest import HAIDI, NINGBO, Bench
from tradehub.cli.counterparty import SUPPLIERS, quote, respond
from tradehub.documents import Inquiry, Offer, Order, TradeDocument
from tradehub.documents.parts import Party, PaymentTerms, Reference
from tradehub.documents.terms import NOT_TERMS
from tradehub.exchange.codec import Codec, Frame
from tradehub.exchange.engine import engine_codec
from tradehub.exchange.outbound import TRIED_LINES_MAX
from tradehub.exchange.store import IssueRow
from tradehub.exchange.trial import not_carried
from tradehub.negotiation import drafting, letters
from tradehub.negotiation.drafting import Draft, Letterhead, LineDraft
from tradehub.negotiation.histories import Claim
from tradehub.partners.profile import Envelope, Identity
from tradehub.platform.outbox import OutboxRow

CODEC = engine_codec()
TODAY = date(2026, 11, 23)
STANDARDS = {
    "ningbo": ("x12-isa", "x12:{}:004010", {"inquiry": "840", "offer": "843", "order": "850", "order_response": "855"}),
    "rhein": (
        "edifact-unb", "edifact:{}:D96A",
        {"inquiry": "REQOTE", "offer": "QUOTES", "order": "ORDERS", "order_response": "ORDRSP"},
    ),
    "nordic": (
        "ubl", "ubl:{}:2.1",
        {"inquiry": "RequestForQuotation", "offer": "Quotation", "order": "Order", "order_response": "OrderResponse"},
    ),
}  # fmt: skip
D = TypeVar("D", bound=TradeDocument)
BUYER, SELLER = Party(role="buyer", name="Haidi Trading"), Party(role="seller", name="A supplier")


class Wire:
    """The way between the two: what one states, the other reads; what it lost is noted."""

    def __init__(self, partner: str) -> None:
        self.scheme, self.name, self.types = STANDARDS[partner]
        self.lost: list[str | None] = []

    def __call__(self, document: D) -> D:
        ours = Identity(scheme=self.scheme, qualifier="ZZ" if self.scheme == "x12-isa" else "14", value="HAIDITRADING")
        frame = Frame(ours, ours, "HAIDI", "OTHER", Envelope(), datetime(2026, 11, 23, 8, tzinfo=UTC), 1, 1, 1)
        message = self.name.format(self.types[document.kind])
        payload = CODEC.write(message, document, frame).payload
        judged = CODEC.read(payload)
        self.lost += [finding.value for finding in not_carried(document, judged, judged)]
        read = judged.parts[0].document
        assert isinstance(read, type(document)), judged.parts[0].findings
        return read


def head(number: str, *references: tuple[str, str | None], action: str = "original") -> Letterhead:
    named = tuple(Reference(type=type, value=value) for type, value in references)
    return Letterhead(number, TODAY, BUYER, SELLER, named, action)


def asked(payment: str | None, incoterm: str | None) -> Inquiry:
    lines = tuple(
        LineDraft(str(n), Decimal(10 * n), "C62", name=f"Ball valve DN{n}0", item_number=f"V-{n}", delivery_on=day)
        for n, day in enumerate((date(2027, 1, 4), date(2027, 1, 4), date(2027, 1, 18)), 1)
    )
    place = incoterm and "Shanghai"
    draft = Draft(lines, "USD", None, TODAY, None, incoterm, place, payment, "Please quote")
    return drafting.inquiry(head("RFQ-1"), draft)


def countered(offer: Offer) -> Inquiry:
    lines = tuple(LineDraft(str(line.number), price=line.price.amount - 1) for line in offer.lines if line.price)
    terms = offer.delivery_terms
    assert terms is not None
    draft = Draft(
        lines, "USD", date(2027, 1, 2), None, date(2026, 12, 1), terms.incoterm, terms.place,
        drafting.payment_text(offer), "Too dear",
    )  # fmt: skip
    references = (("inquiry", "RFQ-1"), ("offer", offer.number))
    return drafting.counter(head("RFQ-1-2", *references, action="proposed_amendment"), offer, draft)


def ordered(offer: Offer) -> Order:
    terms = {name: getattr(offer, name) for name in TradeDocument.model_fields if name not in NOT_TERMS}
    stated = {**terms, **head("PO-1", ("offer", offer.number)).fields, "type": "order", "lines": offer.lines}
    return Order.model_validate(stated)


@pytest.mark.parametrize(("payment", "incoterm"), [(None, None), ("net 45", "FOB"), ("T/T before shipment", "CIP")])
@pytest.mark.parametrize("temper", ["accept", "change", "counter", "reject"])
@pytest.mark.parametrize("partner", STANDARDS)
def test_a_usual_deal_loses_nothing_on_the_way(
    partner: str, temper: str, payment: str | None, incoterm: str | None
) -> None:
    supplier = SUPPLIERS[partner]._replace(temper=temper)  # type: ignore[arg-type]
    wire = Wire(partner)
    offers: dict[str, Offer] = {}
    inquiry = wire(asked(payment, incoterm))
    for serial in (1, 2):
        made = quote(supplier, inquiry, offers, today=TODAY, serial=serial)
        assert made is not None
        offers[str(made.number)] = made
        offer = wire(made)
        inquiry = wire(countered(offer))
    order = wire(ordered(offer))
    answer = respond(supplier, order, today=TODAY, serial=7)
    assert wire(answer).response == answer.response
    assert wire.lost == []


RELEASES = {"ningbo": ("004010", "005010"), "rhein": ("D96A", "D01B", "D24A"), "nordic": ("2.1",)}
CHANGES = {"ningbo": ("860", "865"), "rhein": ("ORDCHG", "ORDRSP"), "nordic": ("OrderChange", "OrderResponse")}


@pytest.mark.parametrize(("partner", "release"), [(each, one) for each, known in RELEASES.items() for one in known])
def test_which_history_the_sender_has_is_carried_whole_by_each_message_of_a_deal(partner: str, release: str) -> None:
    claim = Claim(120, "ab" * 32, 119, "cd" * 32, datetime(2026, 11, 23, 9, tzinfo=UTC)).text
    wire = Wire(partner)
    standard = wire.name.partition(":")[0]
    wire.name = f"{standard}:{{}}:{release}"
    said = {"heads": claim}
    inquiry = asked("net 45", "FOB").model_copy(update=said)
    offer = quote(SUPPLIERS[partner], inquiry, {}, today=TODAY, serial=1)
    assert offer is not None
    order = ordered(offer).model_copy(update=said)
    answer = respond(SUPPLIERS[partner], order, today=TODAY, serial=7)
    for each in (inquiry, offer, order, answer):
        assert wire(each.model_copy(update=said)).heads == claim
    wire.types = dict(zip(("order_change", "order_response"), CHANGES[partner], strict=True))
    on = {"number": "PO-1-1", "sequence": "1", "on": TODAY}
    for each in (letters.change(order, order, agreed=order, **on), letters.answer(order, order, agreed=order, **on)):
        assert wire(each.model_copy(update=said)).heads == claim


@pytest.fixture
def bench(make_bench: Callable[[Codec], Bench]) -> Bench:
    return make_bench(CODEC)


def findings(bench: Bench) -> Iterator[tuple[str, str, str | None, str | None]]:
    with bench.database.read() as session:
        for each in session.scalars(select(IssueRow).order_by(IssueRow.number)):
            yield each.severity, each.fault, each.path, each.value


def test_a_term_that_has_no_element_goes_in_words(bench: Bench) -> None:
    bench.put("PO-1", custom=(("colour", "blue"),), payment_terms=(PaymentTerms(net_days=30, means="42"),))
    bench.jobs.drain()
    (row,) = bench.messages("out")
    assert (row.validation, row.delivery) == ("accepted", "sent")
    assert b"(TERM) custom.colour: blue" in bench.payloads.get(str(row.payload_sha256))
    assert list(findings(bench)) == []


def test_a_message_that_cannot_hold_a_term_does_not_leave_and_names_it(bench: Bench) -> None:
    colours = tuple((f"colour {n}", "blue " * 60) for n in range(MESSAGE_TEXTS + 1))
    bench.put("PO-1", to="rhein", custom=colours)
    bench.jobs.drain()
    (row,) = bench.messages("out")
    assert (row.validation, row.validation_reason, row.delivery) == ("rejected", "term-not-carried", "none")
    assert bench.failed == ["PO-1"]
    assert ("error", "term_not_carried", "custom.colour 99") in [each[:3] for each in findings(bench)]


MESSAGE_TEXTS = 99
"""FTX of a message's head (UN/EDIFACT D.96A, ORDERS)."""


def test_a_message_that_carries_every_term_has_no_finding(bench: Bench) -> None:
    bench.put("PO-1", payment_terms=(PaymentTerms(net_days=30, text="T/T 30 days"),), warranty="24 months")
    bench.jobs.drain()
    assert [row.validation for row in bench.messages("out")] == ["accepted"]
    assert list(findings(bench)) == []


def test_a_long_document_is_tried_out_by_its_job_alone_and_what_is_said_to_many_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    write = bench.exchange.outbound.codec.write
    monkeypatch.setattr(
        bench.exchange.outbound.codec, "write", lambda *said: (written.append(said[0]), write(*said))[1]
    )

    def order(name: str, lines: int = 1) -> Order:
        with bench.database.read() as session:
            row = session.get_one(OutboxRow, bench.put(f"PO-{name}-{lines}", custom=(("colour", "blue"),)))
        made = row.restored()
        assert isinstance(made, Order)
        (line,) = made.lines
        many = tuple(line.model_copy(update={"number": str(number)}) for number in range(1, lines + 1))
        return made.model_copy(update={"lines": many, "parties": (Party(role="seller", name=name),)})

    def tried(session: Session, document: Order) -> bool:
        return bench.exchange.outbound.try_out(session, document, sender=HAIDI, to=NINGBO) is not None

    first, other = order("A"), order("B")
    at_most, longer = order("C", TRIED_LINES_MAX), order("D", TRIED_LINES_MAX + 1)
    with bench.database.read() as session:
        assert (tried(session, first), tried(session, other.model_copy(update={"number": first.number}))) == (
            True,
            True,
        )
        once = len(written)
        assert (tried(session, at_most), tried(session, longer)) == (True, False)
    assert (once, len(written)) == (2, 4)  # each as it is, and with the colour in words


def test_a_term_in_our_own_block_goes_in_words_too_for_others_pass_over_it(bench: Bench) -> None:
    bench.put("PO-1", to="nordic", warranty="24 months")
    bench.jobs.drain()
    (row,) = bench.messages("out")
    assert row.validation == "accepted"
    sent = bench.payloads.get(str(row.payload_sha256))
    assert b"<th:Warranty>24 months<" in sent
    assert b"<cbc:Note>(TERM) warranty: 24 months<" in sent
    assert list(findings(bench)) == []
