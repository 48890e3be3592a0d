"""The crowd in its short form: the real server, a few screens, and every bid on each of them. ``make auction`` is long."""

from __future__ import annotations

import pytest

from tests.sourcing.auctions import crowd


@pytest.mark.timeout(180)
def test_every_bid_is_on_every_screen_within_moments(tmp_path) -> None:
    figures = crowd.run(tmp_path, bidders=10, seconds=1.5, rate=5, whole=False)
    assert figures.bids > 0
    assert figures.missing == 0
    assert figures.median < crowd.MEDIAN_MS * 5, str(figures)  # a busy machine is no fault; make auction is strict
