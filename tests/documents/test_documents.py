"""Documents: frozen, strict about what they hold, and the same after a trip through JSON."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from tradehub.documents import KINDS, Document, Order
from tradehub.documents.parts import DatedEvent, Identifier, Item, Number, Part, Party, Reference
from tradehub.documents.trade import Line

ORDER = Order(
    number="PO-1",
    issued_on=date(2026, 11, 23),
    parties=(Party(role="buyer", name="Haidi Trading", ids=(Identifier(scheme="gln", value="4012345000009"),)),),
    references=(Reference(type="offer", value="Q-7"),),
    dates=(DatedEvent(type="requested_delivery", on=date(2026, 12, 24)),),
    lines=(
        Line(
            number="1",
            item=Item(ids=(Identifier(scheme="buyer", value="V-22"),)),
            dates=(DatedEvent(type="promised_delivery", on=date(2026, 12, 20)),),
            references=(Reference(type="offer", value="Q-7", line="3"),),
            net_amount=Decimal("1.20"),
        ),
    ),
)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_document_survives_json(kind: type[Document]) -> None:
    values = {"offer_number": "Q", "terms_hash": "0"} if kind.kind == "contract" else {}
    document = kind.model_validate({**values, "number": "1", "notes": [{"text": "é 阀"}]})
    assert kind.model_validate_json(document.model_dump_json()) == document


def test_an_amount_keeps_its_digits_through_json() -> None:
    again = Order.model_validate_json(ORDER.model_dump_json())
    assert str(again.lines[0].net_amount) == "1.20"


def test_what_a_document_names_is_found_by_its_type() -> None:
    line = ORDER.lines[0]
    assert ORDER.reference("offer") == "Q-7"
    assert ORDER.date_of("requested_delivery") == date(2026, 12, 24)
    assert line.date_of("promised_delivery") == date(2026, 12, 20)
    found = line.reference("offer")
    assert found is not None
    assert found.line == "3"
    assert line.item.identifier("buyer") == "V-22"
    buyer = ORDER.party("buyer")
    assert buyer is not None
    assert buyer.identifier("gln") == "4012345000009"


def test_what_a_document_does_not_name_is_none() -> None:
    line = ORDER.lines[0]
    assert (ORDER.reference("contract"), ORDER.date_of("due"), ORDER.party("seller")) == (None, None, None)
    assert (line.date_of("due"), line.reference("order"), line.item.identifier("gtin")) == (None, None, None)


def test_a_document_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValidationError, match="colour"):
        Order.model_validate({"colour": "red"})


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_a_number_is_finite(text: str) -> None:
    class Held(Part):
        value: Number

    with pytest.raises(ValidationError):
        Held(value=Decimal(text))


def test_a_document_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        ORDER.number = "PO-2"


def test_without_extensions_keeps_the_rest() -> None:
    assert ORDER.without_extensions() == ORDER


def test_importing_the_documents_builds_no_validator() -> None:
    """Most commands need few kinds, and Pydantic looks for plugins of all packages before it builds its first."""
    code = "import sys, tradehub.documents; print('pydantic.plugin._loader' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "False\n"
