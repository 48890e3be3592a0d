"""The landed cost of one unit, step by step, each rule of Incoterms once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tradehub.documents import Line, Offer
from tradehub.documents.parts import DeliveryTerms, Item, Price, PriceBreak, Quantity
from tradehub.sourcing.tenders.landed import PAID_BY_SELLER, Basis, Charge, Rate, cost, offered_quantities, tiers

DAY = date(2026, 11, 26)
WAY = ("pickup", "export", "loading", "main", "unloading", "onward", "import")
BASIS = Basis(
    currency="EUR",
    rates=(Rate(currency="USD", rate=Decimal("0.92"), on=DAY, source="ECB"),),
    charges=(
        *(Charge(part=part, amount=Decimal(1)) for part in WAY),
        Charge(part="insurance", amount=Decimal(1), how="percent"),
    ),
    duty=Decimal(10),
)
ASKED = Line(number="1", item=Item(name="Valve"), quantity=Quantity(value=Decimal(1000), unit="C62"))


def offered(amount: str = "100", incoterm: str | None = "FOB", currency: str = "EUR", **more) -> Offer:
    price = Price(amount=Decimal(amount), **more.pop("price", {}))
    line = Line(number="1", quantity=Quantity(value=Decimal(1000), unit="C62"), price=price, **more)
    terms = DeliveryTerms(incoterm=incoterm, place="Ningbo") if incoterm else None
    return Offer(currency=currency, lines=(line,), delivery_terms=terms)


@pytest.mark.parametrize(
    ("incoterm", "unit"),
    [
        # goods 100; 1 for each part still to pay; 1 % insurance on the sum; 10 % duty on that; then 1 for each part at home
        ("EXW", (100 + 4) * Decimal("1.01") * Decimal("1.1") + 3),
        ("FCA", (100 + 2) * Decimal("1.01") * Decimal("1.1") + 3),
        ("FAS", (100 + 2) * Decimal("1.01") * Decimal("1.1") + 3),
        ("FOB", (100 + 1) * Decimal("1.01") * Decimal("1.1") + 3),
        ("CFR", 100 * Decimal("1.01") * Decimal("1.1") + 3),
        ("CPT", 100 * Decimal("1.01") * Decimal("1.1") + 3),
        ("CIF", 100 * Decimal("1.1") + 3),
        ("CIP", 100 * Decimal("1.1") + 3),
        ("DAP", 100 * Decimal("1.1") + 2),
        ("DPU", 100 * Decimal("1.1") + 1),
        ("DDP", Decimal(101)),
    ],
)
def test_each_incoterm_leaves_the_buyer_its_part_of_the_way(incoterm: str, unit: Decimal) -> None:
    assert cost(offered(incoterm=incoterm), ASKED, "ningbo", BASIS).unit == unit


def test_every_rule_of_incoterms_has_its_row() -> None:
    assert len(PAID_BY_SELLER) == 11


def test_every_step_is_shown_as_it_was_calculated() -> None:
    got = cost(
        offered("124", currency="USD", price={"basis": Quantity(value=Decimal(10), unit="C62")}), ASKED, "n", BASIS
    )
    assert [(each.name, each.sum, each.amount) for each in got.steps] == [
        ("price", "124 USD / 10 C62", Decimal(124)),
        ("unit", "124 USD ÷ 10 C62", Decimal("12.4")),
        ("currency", "12.4 USD × 0.92 (2026-11-26, ECB)", Decimal("11.408")),
        ("main", "1 EUR", Decimal(1)),
        ("insurance", "12.408 × 1 %", Decimal("0.12408")),
        ("duty", "12.53208 × 10 %", Decimal("1.253208")),
        ("unloading", "1 EUR", Decimal(1)),
        ("onward", "1 EUR", Decimal(1)),
        ("import", "1 EUR", Decimal(1)),
    ]
    assert got.unit == Decimal("16.785288")
    assert got.amount == Decimal("16785.288")


def test_the_steps_add_up_to_the_unit() -> None:
    got = cost(offered("0.333333", currency="USD"), ASKED, "n", BASIS)
    landed = [each.amount for each in got.steps if each.name not in ("price", "unit")]
    assert abs(sum(landed) - got.unit) <= Decimal("0.000005")


def test_duty_on_fob_value_leaves_freight_and_insurance_out() -> None:
    fob = BASIS.model_copy(update={"duty_base": "fob"})
    step = next(each for each in cost(offered(), ASKED, "n", fob).steps if each.name == "duty")
    assert (step.sum, step.amount) == ("100 × 10 %", Decimal(10))


def test_a_line_may_have_a_duty_of_its_own() -> None:
    own = BASIS.model_copy(update={"duty_by_line": (("1", Decimal("2.5")),)})
    step = next(each for each in cost(offered(incoterm="CIF"), ASKED, "n", own).steps if each.name == "duty")
    assert step.sum == "100 × 2.5 %"


@pytest.mark.parametrize(("quantity", "price"), [("1000", "90"), ("999", "95"), ("499", "100"), ("500", "95")])
def test_the_break_reached_at_the_quantity_counts(quantity: str, price: str) -> None:
    breaks = tuple(PriceBreak(min_quantity=Decimal(q), amount=Decimal(a)) for q, a in ((500, 95), (1000, 90)))
    offer = offered(incoterm="DDP", price={"breaks": breaks})
    assert cost(offer, ASKED, "n", BASIS, Decimal(quantity)).steps[0].amount == Decimal(price)
    assert tiers(offer, ASKED) == (Decimal(0), Decimal(500), Decimal(1000))


@pytest.mark.parametrize(
    ("basis", "amount"),
    [
        (Quantity(value=Decimal(1), unit="DZN"), "8.333333"),
        (Quantity(value=Decimal(2), unit="BX"), "1"),
        (Quantity(value=Decimal(1), unit="MIL"), "0.1"),
    ],
)
def test_a_price_per_another_unit_is_brought_to_the_unit_asked_for(basis: Quantity, amount: str) -> None:
    packs = BASIS.model_copy(update={"packs": (("BX", Decimal(50)),)})
    got = cost(offered(incoterm="DDP", price={"basis": basis}), ASKED, "n", packs)
    assert got.steps[1].amount == Decimal(amount)


@pytest.mark.parametrize(
    ("offer", "why", "value"),
    [
        (offered(currency="GBP"), "no_rate", "GBP"),
        (offered(incoterm=None), "no_incoterm", ""),
        (offered(price={"basis": Quantity(value=Decimal(1), unit="KGM")}), "no_unit", "KGM → C62"),
        (Offer(currency="EUR"), "no_bid", ""),
    ],
)
def test_what_cannot_be_compared_is_said_and_not_guessed(offer: Offer, why: str, value: str) -> None:
    got = cost(offer, ASKED, "n", BASIS)
    assert (got.unit, got.why_not, got.value) == (None, why, value)


def test_a_cost_that_nobody_stated_counts_nought_and_is_named() -> None:
    got = cost(offered(incoterm="CIP"), ASKED, "n", Basis(currency="EUR"))
    assert got.unit == Decimal(100)
    assert got.missing == ("duty", "unloading", "onward", "import")


def test_a_suppliers_own_freight_goes_before_the_general_one() -> None:
    own = (*BASIS.charges, Charge(part="main", amount=Decimal(7), supplier="ningbo"))
    basis = BASIS.model_copy(update={"charges": own})
    assert [s.sum for s in cost(offered(), ASKED, "ningbo", basis).steps if s.name == "main"] == ["7 EUR"]
    assert [s.sum for s in cost(offered(), ASKED, "rhein", basis).steps if s.name == "main"] == ["1 EUR"]


def test_a_lump_is_spread_over_the_lines_by_their_value() -> None:
    other = Line(number="2", quantity=Quantity(value=Decimal(100), unit="C62"), price=Price(amount=Decimal(3000)))
    offer = offered(incoterm="DAP").model_copy(update={"lines": (*offered().lines, other)})
    lump = Basis(currency="EUR", charges=(Charge(part="unloading", amount=Decimal(4000), how="lump"),))
    step = cost(offer, ASKED, "n", lump).steps[-1]
    assert (step.sum, step.amount) == ("4000 EUR × 25 % ÷ 1000", Decimal(1))


def test_what_a_supplier_can_deliver_is_part_of_its_offer() -> None:
    offer = offered(incoterm="DDP", max_quantity=Decimal(400), min_quantity=Decimal(50))
    assert offered_quantities(offer, ASKED) == (Decimal(50), Decimal(400))
    assert cost(offer, ASKED, "n", BASIS).amount == Decimal(40400)


def test_nothing_is_offered_of_a_line_that_is_not_in_the_bid() -> None:
    assert tiers(Offer(currency="EUR"), ASKED) == ()
    assert offered_quantities(Offer(currency="EUR"), ASKED) == (0, 0)


def test_a_lump_on_lines_without_a_value_adds_nothing() -> None:
    lump = Basis(currency="EUR", charges=(Charge(part="unloading", amount=Decimal(4000), how="lump"),))
    assert cost(offered("0", incoterm="DAP"), ASKED, "n", lump).unit == 0
