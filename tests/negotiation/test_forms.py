"""What people type as numbers and days."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.negotiation.words import quoted
from tradehub.negotiation import forms
from tradehub.platform import clock
from tradehub.platform.entered import read_number


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("24000", "24000"), ("12.40", "12.40"), ("12,40", "12.40"), ("24 000.5", "24000.5"), ("24,000.50", "24000.50"),
        ("1,234,567", "1234567"), ("0", "0"), (" 7 ", "7"),
        ("12,400", None), ("1e5", None), ("-1", None), ("NaN", None), ("", None), ("1.2.3", None), ("١٢", None),
        ("12 4", None), ("1,010", None), ("1.010", "1.010"), ("0,125", "0.125"), ("1 010,50", "1010.50"),
        ("1 010,500", None), ("1.010,50", None), ("1,010.50", "1010.50"), ("1 010\u202f500", "1010500"),
    ],
)  # fmt: skip
def test_a_number_is_read_as_people_write_it_or_not_at_all(typed, value):
    assert read_number(typed) == (None if value is None else Decimal(value))


@pytest.mark.parametrize(
    ("value", "typed"),
    [("24000", "24000"), ("12.4000", "12.40"), ("12.4567", "12.4567"), ("1E+3", "1000"), ("5.00", "5")],
)
def test_a_number_is_filled_in_as_one_would_type_it(value, typed):
    assert forms.as_typed(Decimal(value)) == typed


def test_a_counter_is_filled_in_with_their_terms():
    with clock.frozen(datetime(2026, 11, 23, 9, tzinfo=UTC)):
        form = forms.prefilled(quoted(), is_buyer=True)
    assert [(line.price, line.quantity, line.unit, line.delivery) for line in form.lines] == [
        ("12.40", "100", "C62", "2027-01-20"),
        ("0.82", "200", "C62", "2027-01-20"),
    ]
    assert (form.payment, form.incoterm, form.place, form.valid_until) == ("T/T 30 days", "FOB", "Ningbo", "2026-12-04")


def test_a_counter_to_an_offer_that_ran_out_gets_two_weeks_and_no_day_off():
    with clock.frozen(datetime(2026, 12, 12, 9, tzinfo=UTC)):
        assert forms.prefilled(quoted(), is_buyer=True).valid_until == "2026-12-28"
