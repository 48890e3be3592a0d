"""What the seller writes means the same in every dialect: 855, 856, 810; ORDRSP, DESADV, INVOIC; and in UBL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TypeVar

import pytest

from tests.ordering.test_answers import order
from tests.trade_fulfilment import offer
from tradehub import edi
from tradehub.billing import model as billing
from tradehub.billing.service import Bill, invoice_of
from tradehub.documents import KINDS, Document, Order
from tradehub.documents.parts import DatedEvent
from tradehub.edi.envelope import Id
from tradehub.edi.xml import read_xml, write_xml, xml_map
from tradehub.fulfilment import model as fulfilment
from tradehub.fulfilment.service import Shipment, despatch_of
from tradehub.ordering.answers import Answer, changes_of, classify
from tradehub.ordering.drafting import response_to
from tradehub.platform.resources import map_store

MESSAGES = {
    "x12": {"order": "850", "order_response": "855", "despatch": "856", "invoice": "810"},
    "edifact": {"order": "ORDERS", "order_response": "ORDRSP", "despatch": "DESADV", "invoice": "INVOIC"},
    "ubl": {
        "order": "Order", "order_response": "OrderResponse", "despatch": "DespatchAdvice", "invoice": "Invoice",
    },
}  # fmt: skip
RELEASES = {"x12": "004010", "edifact": "D96A", "ubl": "2.1"}
AT = datetime(2026, 3, 3, 12, 0, tzinfo=UTC)
DocumentT = TypeVar("DocumentT", bound=Document)
Carry = Callable[[DocumentT], DocumentT]


@pytest.fixture(params=MESSAGES)
def carried(request: pytest.FixtureRequest) -> Carry:
    """Write a document in one dialect and read it back."""
    standard, maps = request.param, map_store()

    def carry(document: DocumentT) -> DocumentT:
        name, release = MESSAGES[standard][document.kind], RELEASES[standard]
        if standard == "ubl":
            read = read_xml(write_xml(xml_map(maps, name, release), document), maps)
            plain = read.document
        else:
            ours, theirs = Id("ZZ", "DELTA"), Id("ZZ", "HAIDI")
            envelope = edi.EnvelopeFacts(standard, ours, theirs, control_number="1", at=AT)
            message = edi.message(maps.get(standard, name, release), document, "0001")
            [read] = list(edi.read(edi.write_interchange([message], envelope), maps))
            plain = read.document
        return KINDS[document.kind].model_validate(plain)

    return carry


@pytest.mark.parametrize(
    ("answer", "more", "changes"),
    [
        (Answer.ACCEPTED, {}, set()),
        (Answer.CHANGES, {"quantities": {"2": Decimal(30)}}, {"lines.2.quantity.value"}),
        (Answer.CHANGES, {"prices": {"1": Decimal("12.90")}}, {"lines.1.price.amount"}),
        (Answer.CHANGES, {"days": {"3": date(2026, 4, 9)}}, {"lines.3.dates.requested_delivery.on"}),
        (Answer.REJECTED, {}, {f"lines.{line}.quantity.value" for line in "123"}),
    ],
)
def test_an_answer_means_the_same_in_every_dialect(carried, answer, more, changes):
    said = response_to(order(), number="OR-1", issued_on=date(2026, 3, 3), answer=answer, **more)
    read = carried(said)
    assert read.reference("order") == "PO-1"
    assert (classify(order(), read), {change.path for change in changes_of(order(), read)}) == (answer, changes)


def test_a_despatch_delivers_the_same_in_every_dialect(carried):
    shipment = Shipment({"1": Decimal(60), "3": Decimal(1000)}, date(2026, 3, 20), arrives_on=date(2026, 3, 25))
    read = carried(despatch_of(order(), shipment, number="DN-1", issued_on=date(2026, 3, 20)))
    got = fulfilment.compare(read, read.lines, order(), {"1": Decimal(100), "2": Decimal(40), "3": Decimal(1000)})
    assert got.quantities == {"1": 60, "3": 1000}
    assert [each.rule for each in got.differences] == ["UNDER"]


def test_an_invoice_charges_the_same_in_every_dialect(carried):
    bill = Bill({"1": Decimal(60), "3": Decimal(1000)}, {}, date(2026, 3, 21), tax_rate=Decimal(13))
    read = carried(invoice_of(order(), bill, number="I-1"))
    billed = {str(line): billing.Billed(Decimal(1000), Decimal(1000)) for line in (1, 2, 3)}
    got = billing.match(read, read.lines, order(), billed)
    assert got.quantities == {"1": 60, "3": 1000}
    assert (got.differences, billing.arithmetic(read)) == ((), ())
    assert billing.total_of(read) == Decimal("981.97")


def test_an_order_keeps_its_offer_and_terms_in_every_dialect(carried):
    read = carried(order())
    assert isinstance(read, Order)
    assert (read.number, read.reference("offer")) == ("PO-1", "Q-7781")
    assert read.date_of("requested_delivery") == date(2026, 4, 1)
    assert [(line.number, line.quantity, line.price.amount) for line in read.lines] == [
        (line.number, line.quantity, line.price.amount) for line in offer().lines
    ]
    assert DatedEvent(type="requested_delivery", on=date(2026, 4, 1)) in read.dates
