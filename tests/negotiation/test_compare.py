"""Rounds side by side: what moved, for whom that is good, and what still lies between the two sides."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.negotiation.words import asked, line, quoted
from tradehub.documents import Offer, Quantity
from tradehub.documents.parts import DatedEvent, PaymentTerms, Price, Schedule, Tax
from tradehub.documents.terms import terms_hash
from tradehub.negotiation import compare, drafting


def term(before, after, name, line="1", *, for_buyer=True):
    found = compare.changes(before, after, for_buyer=for_buyer)
    return next(each for each in found if each.name == name and each.line == line)


@pytest.mark.parametrize(("for_buyer", "direction"), [(True, "better"), (False, "worse")])
def test_a_lower_price_is_better_for_the_buyer_and_worse_for_the_seller(for_buyer, direction):
    found = term(quoted(price="12.40"), quoted(price="11.90"), "price", for_buyer=for_buyer)
    assert (found.direction, found.delta) == (direction, Decimal("-4.0"))


def test_an_earlier_delivery_is_better_for_the_buyer():
    earlier = quoted().model_copy(update={"dates": (DatedEvent(type="requested_delivery", on=date(2027, 1, 13)),)})
    found = term(quoted(), earlier, "delivery")
    assert (found.direction, found.delta, found.in_days) == ("better", Decimal(-7), True)


def test_a_day_promised_at_the_head_and_one_asked_on_the_line_are_the_same_term():
    day = DatedEvent(type="requested_delivery", on=date(2027, 1, 20))
    after = quoted(lines=tuple(each.model_copy(update={"dates": (day,)}) for each in quoted().lines))
    after = after.model_copy(update={"dates": ()})
    assert term(quoted(), after, "delivery").direction == "same"
    scheduled = line(schedules=(Schedule(on=date(2027, 1, 20)),))
    assert drafting.delivery_on(quoted(), scheduled) == date(2027, 1, 20)


def test_a_price_per_hundred_is_compared_per_unit():
    hundred = Price(amount=Decimal(1190), basis=Quantity(value=Decimal(100), unit="C62"))
    after = quoted(lines=(line().model_copy(update={"price": hundred}), quoted().lines[1]))
    assert term(quoted(), after, "price").delta == Decimal("-4.0")


def test_a_price_in_another_currency_is_a_change_without_a_size():
    found = term(quoted(), quoted(currency="EUR"), "price")
    assert (found.direction, found.delta) == ("changed", None)


def test_a_line_left_out_and_one_added_are_shown():
    one, two = quoted(lines=(line(),)), quoted(lines=(line(2, "Seal kit"),))
    assert term(one, two, "price", "1").direction == "removed"
    assert term(one, two, "price", "2").direction == "added"


def test_a_term_that_nobody_haggles_over_is_shown_by_its_path():
    found = term(quoted(warranty="12 months"), quoted(warranty="18 months"), "warranty", None)
    assert (found.before.value, found.after.value) == ("12 months", "18 months")
    assert [each.name for each in compare.further_terms(quoted(warranty="12 months"))] == ["warranty"]


@pytest.mark.parametrize(
    ("after", "same"),
    [
        (quoted("Q-2"), True),
        (quoted("Q-2", until=None), True),
        (quoted(payment_terms=()), True),
        (quoted(price="12.41"), False),
        (quoted(currency="EUR"), False),
        (quoted(payment_terms=(PaymentTerms(text="net 60"),)), False),
        (quoted(lines=quoted().lines[:1]), False),
        (quoted(warranty="none"), False),  # S44: an unknown term
        (
            quoted(lines=tuple(line.model_copy(update={"taxes": (Tax(rate=Decimal(13)),)}) for line in quoted().lines)),
            True,
        ),
    ],
)
def test_an_answer_agrees_where_it_repeats_or_is_silent(after, same):
    assert (compare.changed_terms(quoted(), after) == ()) is same


def rounds(*prices):
    return [(number, number % 2 == 1, quoted(price=price)) for number, price in enumerate(prices, 2)]


def test_the_gap_is_how_far_the_seller_still_lies_above_the_buyer():
    found = compare.series(rounds("12.40", "11.90", "12.05"))[0]
    assert [point.amount for point in found.points] == [Decimal("12.4"), Decimal("11.9"), Decimal("12.05")]
    assert (found.gap, found.currency, found.has_moved) == (Decimal("0.15"), "USD", True)
    assert compare.series(rounds("12.40", "11.90", "11.80"))[0].gap == 0


def test_a_price_stated_once_is_no_series():
    assert compare.series(rounds("12.40")) == ()
    assert compare.series([(1, True, asked())]) == ()


@given(st.lists(st.decimals("0.01", "9999", places=2), min_size=2, max_size=60))
def test_every_mark_stands_within_the_drawing(prices):
    found = compare.series(rounds(*prices))[0]
    drawn = compare.chart(found)
    assert len(drawn.marks) == min(len(prices), compare.MARKED_MAX)
    assert [drawn.marks[at].point for at in (0, -1)] == [found.points[at] for at in (0, -1)]
    named = [mark.is_named for mark in drawn.marks]
    assert sum(named) == min(len(prices), compare.NAMED_MAX)
    assert named[0]
    assert named[-1]
    assert all(0 <= mark.x <= drawn.width and 0 <= mark.y <= drawn.height for mark in drawn.marks)
    high, low = (
        max(drawn.marks, key=lambda mark: mark.point.amount),
        min(drawn.marks, key=lambda mark: mark.point.amount),
    )
    assert high.y <= low.y, "a higher price stands higher"


@pytest.mark.parametrize(
    ("prices", "said"),
    [
        (("65.87", "60.60"), ["65.87", "63.24", "60.6"]),
        (("7", "6"), ["7", "6.5", "6"]),
        (("0.0125", "0.0121"), ["0.0125", "0.0123", "0.0121"]),
        (("1.01", "1.00"), ["1.01", "1"]),
    ],
)
def test_the_scale_is_as_fine_as_the_prices(prices, said):
    drawn = compare.chart(compare.series(rounds(*prices))[0])
    assert [str(amount) for _y, amount in drawn.ticks] == said


def test_terms_keep_their_hash_whichever_document_states_them():
    inquiry = asked(lines=quoted().lines, action="proposed_amendment")
    assert terms_hash(drafting.as_offer(inquiry)) == terms_hash(inquiry)
    assert isinstance(drafting.as_offer(inquiry), Offer)


@pytest.mark.parametrize(
    ("typed", "days"), [("net 30", 30), ("Net 30 days", 30), ("60 d net", 60), ("L/C 60 d", None), ("30/60", None)]
)
def test_days_to_pay_are_read_only_where_they_are_plain(typed, days):
    head = drafting.Letterhead("Q-1", date(2026, 11, 23), drafting.Party(role=""), drafting.Party(role=""))
    draft = drafting.Draft(lines=(drafting.LineDraft("1", price=Decimal(1)),), payment=typed)
    terms = drafting.offer(head, quoted(), draft).payment_terms
    assert [(each.text, each.net_days) for each in terms] == [(typed, days)]
