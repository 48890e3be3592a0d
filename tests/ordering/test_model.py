"""How an order stands, and what of it is open."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradehub.ordering.answers import Answer
from tradehub.ordering.model import TRANSITIONS, Balance, Decision, Delivery, Refused, Standing, move, together

NUMBERS = st.decimals(0, 10_000, places=3)


@given(ordered=NUMBERS, cancelled=NUMBERS, despatched=NUMBERS)
def test_what_is_open_is_never_negative(ordered, cancelled, despatched):
    balance = Balance(ordered, cancelled, despatched)
    assert balance.open == max(ordered - cancelled - despatched, 0)
    assert (balance.delivery is Delivery.OVER) == (despatched > max(ordered - cancelled, 0))


@pytest.mark.parametrize("standing", Standing)
@pytest.mark.parametrize("answer", Answer)
def test_every_answer_finds_every_order(standing, answer):
    assert move(standing, answer) in Standing


def test_a_receipt_takes_no_assent_back():
    assert move(Standing.ACCEPTED, Answer.RECEIVED) is Standing.ACCEPTED


@pytest.mark.parametrize("standing", [each for each in Standing if (each, Decision.AGREE) not in TRANSITIONS])
def test_without_a_proposal_there_is_nothing_to_agree(standing):
    with pytest.raises(Refused, match="NOTHING_TO_DECIDE"):
        move(standing, Decision.AGREE)


@pytest.mark.parametrize(
    ("lines", "whole"),
    [
        ([Delivery.OPEN, Delivery.OPEN], Delivery.OPEN),
        ([Delivery.OPEN, Delivery.COMPLETE], Delivery.PARTLY),
        ([Delivery.COMPLETE, Delivery.CANCELLED], Delivery.COMPLETE),
        ([Delivery.OVER, Delivery.OPEN], Delivery.OVER),
        ([Delivery.CANCELLED], Delivery.CANCELLED),
    ],
)
def test_the_lines_make_the_order(lines, whole):
    assert together(lines) is whole
