"""Terms in words, and values as the reader writes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from tradehub.web.language import Catalogues
from tradehub.web.terms import term, term_value


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    app = Flask(__name__)
    Babel(app).domain_instance = Catalogues()
    with app.test_request_context(), force_locale("en"):
        yield


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("number", "Number"),
        ("lines.1.price.amount", "Line 1: Unit price"),
        ("parties.buyer.name", "Buyer: Name of the party"),
        ("parties.ship_to.address.city", "Ship to: City"),
        ("parties.seller.ids.gln.value", "Seller: GLN"),
        ("references.offer.value", "Reference to the offer"),
        ("lines.2.references.order.line", "Line 2: Reference to the order: Line"),
        ("dates.requested_delivery.on", "Delivery"),
        ("parties.x12:ZZ.name", "parties x12:ZZ name"),
    ],
)
def test_a_path_reads_as_words_and_an_unknown_one_as_it_is(path: str, words: str) -> None:
    assert term(path) == words


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("issued_on", "2026-11-23", "23 Nov 2026"),
        ("lines.1.quantity.value", "1000", "1,000"),
        ("parties.buyer.ids.gln.value", "6901234000016", "6901234000016"),
        ("references.order.value", "20261123", "20261123"),
        ("notes.1.text", "2026-13-99", "2026-13-99"),
        ("partial_shipments", "true", "Yes"),
    ],
)
def test_a_value_is_written_as_what_it_is(path: str, value: str, shown: str) -> None:
    assert term_value(value, path) == shown
