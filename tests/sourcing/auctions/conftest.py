from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes import FakeJobs
from tests.sourcing.auctions.house import House
from tests.sourcing.auctions.house import house as made
from tests.sourcing.auctions.words import TEN
from tradehub.platform import clock
from tradehub.platform.db import Database


@pytest.fixture
def at_ten() -> Iterator[clock.Frozen]:
    with clock.frozen(TEN) as standing:
        yield standing


@pytest.fixture
def house(database: Database, jobs: FakeJobs, at_ten: clock.Frozen) -> House:
    return made(database, jobs)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--auction-races", type=int, default=8, help="rounds of the race of two bids")
