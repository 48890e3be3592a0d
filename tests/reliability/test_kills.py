"""kill -9 of web, worker or both at random moments of inbound orders: nothing is lost and nothing is doubled.

First the campaign shows that it would notice.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from tests.reliability.campaign import Campaign
from tests.reliability.checker import Wrong


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("plant", "target", "at_once", "found"),
    [
        ("hasty", "web", True, {Wrong.LOST}),
        ("", "web", True, set()),
        ("careless", "worker", True, {Wrong.LOST}),
        ("", "worker", True, set()),
        ("forgetful", "web", False, {Wrong.DOUBLED}),
        ("", "web", False, set()),
    ],
)
def test_a_planted_bug_is_noticed_and_nothing_else(
    campaign: Callable[..., Campaign], plant: str, target: str, at_once: bool, found: set[Wrong]
) -> None:
    assert campaign(plant).run_briefly(target, at_once=at_once) == found


@pytest.mark.timeout(3000)
def test_what_was_acknowledged_is_there_once(
    campaign: Callable[..., Campaign], request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    fought = campaign()
    outcome = fought.run(int(request.config.getoption("--kills", default=6)))
    with capsys.disabled():
        sys.stdout.write(f"\n{outcome}\n")
    assert outcome.violations == [], fought.hub.log()
    assert outcome.verified == ""
