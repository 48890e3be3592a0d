"""Terms: what counts as one, how two rounds differ, and what the hash covers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradehub.documents import Inquiry, Line, Offer
from tradehub.documents.parts import (
    DatedEvent,
    DeliveryTerms,
    Identifier,
    Item,
    Note,
    PaymentTerms,
    Price,
    Quantity,
    Reference,
)
from tradehub.documents.terms import Change, apply, diff, differences, flatten, terms_hash

OFFER = Offer(
    number="Q-1",
    currency="USD",
    delivery_terms=DeliveryTerms(incoterm="FOB", place="Ningbo", version="2020"),
    dates=(DatedEvent(type="requested_delivery", on=date(2026, 12, 24)),),
    payment_terms=(PaymentTerms(net_days=30),),
    partial_shipments=True,
    custom=(("moulds", "stay with the buyer"),),
    lines=(
        Line(
            number="1",
            item=Item(ids=(Identifier(scheme="buyer", value="V-22"), Identifier(value="x"))),
            quantity=Quantity(value=Decimal(20), unit="C62"),
            price=Price(amount=Decimal("12.40")),
        ),
        Line(item=Item(name="seat"), quantity=Quantity(value=Decimal("-0.0"))),
    ),
)

EAST = timezone(timedelta(hours=8))
NOON = (
    datetime(2026, 12, 24, 12, tzinfo=UTC),
    datetime(2026, 12, 24, 20, tzinfo=EAST),
)  # one moment, written in two ways

lines = st.builds(
    Line,
    number=st.sampled_from(["1", "2", "7", None]),
    item=st.sampled_from([Item(), Item(name="seat"), Item(ids=(Identifier(value="x"), Identifier(value="y")))]),
    quantity=st.sampled_from([None, Quantity(value=Decimal(1)), Quantity(value=Decimal("1.0"), unit="C62")]),
    price=st.sampled_from([None, Price(amount=Decimal("1.2")), Price(amount=Decimal("1.20"))]),
    dates=st.lists(st.builds(DatedEvent, type=st.just("requested_delivery"), at=st.sampled_from(NOON)), max_size=2).map(
        tuple
    ),
    custom=st.sampled_from([(), (("surface", "polished"),), (("surface", "rough"), ("colour", "red"))]),
    packaging=st.sampled_from([None, "crate"]),
)
offers = st.builds(Offer, currency=st.sampled_from(["USD", None]), lines=st.lists(lines, max_size=4).map(tuple))

paths = st.dictionaries(st.sampled_from("abcdefgh"), st.text(max_size=3), max_size=6)


def test_each_term_has_a_path_that_names_it() -> None:
    assert flatten(OFFER) == {
        "dates.requested_delivery.on": "2026-12-24",
        "currency": "USD",
        "delivery_terms.incoterm": "FOB",
        "delivery_terms.place": "Ningbo",
        "delivery_terms.version": "2020",
        "partial_shipments": "true",
        "payment_terms.1.net_days": "30",
        "custom.moulds": "stay with the buyer",
        "lines.1.item.ids.buyer.value": "V-22",
        "lines.1.item.ids.2.value": "x",
        "lines.1.quantity.value": "20",
        "lines.1.quantity.unit": "C62",
        "lines.1.price.amount": "12.4",
        "lines.2.item.name": "seat",
        "lines.2.quantity.value": "0",
    }


def test_two_values_of_one_type_both_count() -> None:
    twice = OFFER.model_copy(update={"dates": (OFFER.dates[0], OFFER.dates[0].model_copy(update={"text": "or so"}))})
    assert {"dates.requested_delivery.on", "dates.requested_delivery.2.on"} <= flatten(twice).keys()


@pytest.mark.parametrize(
    "update",
    [
        {"number": "Q-2"},
        {"notes": (Note(text="best regards"),)},
        {"references": (Reference(type="inquiry", value="I-1"),)},
        {"dates": (*OFFER.dates, DatedEvent(type="valid_until", on=date(2026, 12, 1)))},
        {"lines": (OFFER.lines[0].model_copy(update={"price": Price(amount=Decimal("12.4000"))}), OFFER.lines[1])},
    ],
)
def test_what_does_not_bind_does_not_change_the_hash(update: dict[str, object]) -> None:
    assert terms_hash(OFFER.model_copy(update=update)) == terms_hash(OFFER)


@pytest.mark.parametrize(
    ("update", "path"),
    [
        ({"currency": "EUR"}, "currency"),
        ({"partial_shipments": False}, "partial_shipments"),
        ({"custom": (("moulds", "move"),)}, "custom.moulds"),
        ({"payment_terms": (PaymentTerms(net_days=60),)}, "payment_terms.1.net_days"),
        (
            {"lines": (OFFER.lines[0].model_copy(update={"price": Price(amount=Decimal("12.41"))}), OFFER.lines[1])},
            "lines.1.price.amount",
        ),
    ],
)
def test_what_binds_changes_the_hash_and_shows_as_one_change(update: dict[str, object], path: str) -> None:
    changed = OFFER.model_copy(update=update)
    assert terms_hash(changed) != terms_hash(OFFER)
    assert [each.path for each in diff(flatten(OFFER), flatten(changed))] == [path]


def test_an_inquiry_and_the_offer_that_repeats_it_have_the_same_terms() -> None:
    asked = Inquiry(**{name: getattr(OFFER, name) for name in ("currency", "delivery_terms", "dates", "lines")})
    assert diff(flatten(asked), flatten(OFFER)) == (
        Change("partial_shipments", None, "true"),
        Change("payment_terms.1.net_days", None, "30"),
        Change("custom.moulds", None, "stay with the buyer"),
    )


@given(paths, paths)
def test_a_difference_applied_to_the_one_gives_the_other(before: dict[str, str], after: dict[str, str]) -> None:
    assert apply(before, diff(before, after)) == after
    assert diff(before, before) == ()


def test_a_digit_of_any_number_changes_the_hash() -> None:
    def at(price: str) -> str:
        line = OFFER.lines[0].model_copy(update={"price": Price(amount=Decimal(price))})
        return terms_hash(OFFER.model_copy(update={"lines": (line,)}))

    assert len({at(f"{10**40}.4"), at(f"{10**40}.5"), at(f"{10**40 + 1}.4")}) == 3
    assert at(f"{10**40}.40") == at(f"{10**40}.4")


@given(offers, offers)
def test_what_differs_is_found_without_looking_at_what_does_not(before: Offer, after: Offer) -> None:
    assert differences(before, after) == diff(flatten(before), flatten(after))
