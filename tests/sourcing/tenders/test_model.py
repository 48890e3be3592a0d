"""The rules of a tender that only show in values: where it stands, and each place of a bid that cannot be compared."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.sourcing.tenders.conftest import (
    CLOSES,
    COMMERCIAL,
    MONDAY,
    NINGBO,
    TECHNICAL,
    in_three_stages,
    notice,
    offer,
)
from tradehub.documents.parts import AllowanceCharge, Price, Quantity
from tradehub.sourcing.tenders import model
from tradehub.sourcing.tenders.model import ORDER, RULES, Phase, Standing, TenderRefused


def at(standing: Standing, moment=CLOSES):
    found = model.where(in_three_stages(), standing, now=moment)
    return found.phase, found.stage


@pytest.mark.parametrize(
    ("standing", "moment", "phase", "stage"),
    [
        (Standing(), MONDAY, Phase.PREPARING, None),
        (Standing(keys_ready=True), MONDAY, Phase.READY, None),
        (Standing(published_at=MONDAY), CLOSES - timedelta(days=4, seconds=1), Phase.RUNNING, ORDER[0]),
        (Standing(published_at=MONDAY), CLOSES - timedelta(days=4), Phase.TO_OPEN, ORDER[0]),
        (Standing(published_at=MONDAY, opened={ORDER[0]: MONDAY}), CLOSES - timedelta(days=3), Phase.RUNNING, ORDER[1]),
        (
            Standing(published_at=MONDAY, opened={ORDER[0]: MONDAY}, bidders={ORDER[0]: frozenset({NINGBO})}),
            CLOSES - timedelta(days=3), Phase.EVALUATING, ORDER[0],
        ),
        (Standing(published_at=MONDAY, opened=dict.fromkeys(ORDER[:2], MONDAY)), CLOSES, Phase.TO_OPEN, ORDER[2]),
        (Standing(published_at=MONDAY, opened=dict.fromkeys(ORDER, MONDAY)), CLOSES, Phase.TO_AWARD, ORDER[2]),
        (
            Standing(published_at=MONDAY, opened=dict.fromkeys(ORDER, MONDAY), unscored=frozenset({COMMERCIAL})),
            CLOSES, Phase.EVALUATING, ORDER[2],
        ),
        (Standing(published_at=MONDAY, awarded_at=CLOSES), CLOSES, Phase.AWARDED, None),
        (Standing(published_at=MONDAY, cancelled_at=CLOSES), CLOSES, Phase.CANCELLED, None),
    ],
)  # fmt: skip
def test_where_a_tender_stands_follows_from_what_happened_and_the_clock(standing, moment, phase, stage) -> None:
    assert at(standing, moment) == (phase, stage)


LINE = offer("12.40").offer.lines[0]


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (LINE.model_copy(update={"price": None}), "lines.1"),
        (LINE.model_copy(update={"price": Price(amount=Decimal(-1))}), "lines.1"),
        (LINE.model_copy(update={"price": Price(amount=Decimal(1), formula="LME + 80")}), "lines.1"),
        (LINE.model_copy(update={"more_prices": (Price(amount=Decimal(1)),)}), "lines.1"),
        (
            LINE.model_copy(update={"allowances_charges": (AllowanceCharge(is_charge=False, amount=Decimal(1)),)}),
            "lines.1",
        ),
        (LINE.model_copy(update={"quantity": Quantity(value=Decimal(0), unit="C62")}), "lines.1.quantity"),
        (LINE.model_copy(update={"quantity": Quantity(value=Decimal(5), unit="KGM")}), "lines.1.quantity"),
    ],
)
def test_a_line_that_cannot_be_compared_is_named(line, place: str) -> None:
    bid = offer("12.40").offer.model_copy(update={"lines": (line,)})
    with pytest.raises(TenderRefused) as caught:
        model.check_offer(notice(), bid)
    assert (caught.value.code, caught.value.value) == ("INVALID_BID", place)


def test_an_allowance_on_the_whole_bid_is_named_too() -> None:
    less = AllowanceCharge(is_charge=False, amount=Decimal(1))
    with pytest.raises(TenderRefused, match="allowances_charges"):
        model.check_offer(notice(), offer("1", allowances_charges=(less,)).offer)


def test_a_stage_that_there_is_not_is_refused() -> None:
    with pytest.raises(TenderRefused, match="NO_SUCH_STAGE"):
        notice().stage(TECHNICAL)


def test_nothing_is_done_in_a_tender_that_is_over_or_not_begun() -> None:
    for standing, code in (
        (Standing(), "NOT_PUBLISHED"),
        (Standing(published_at=MONDAY, awarded_at=MONDAY), "AWARDED"),
        (Standing(published_at=MONDAY, cancelled_at=MONDAY), "CANCELLED"),
    ):
        with pytest.raises(TenderRefused) as caught:
            model.check_bid(notice(), standing, COMMERCIAL, NINGBO, now=MONDAY)
        assert caught.value.code == code


def test_every_refusal_has_its_rule_and_its_sentence() -> None:
    from tradehub.sourcing.tenders.wording import REFUSALS

    assert RULES.keys() == REFUSALS.keys()
    assert sorted({int(rule[1:]) for rule in RULES.values()}) == list(range(1, 27))
