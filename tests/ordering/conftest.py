import pytest

from tests.fakes import FakeJobs
from tests.trade_fulfilment import Trade
from tradehub.platform.db import Database


@pytest.fixture
def trade(database: Database, jobs: FakeJobs) -> Trade:
    return Trade(database, jobs)
