from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracting import proven as made
from tests.contracting.proven import Proven
from tests.fakes import FakeJobs
from tests.trade_fulfilment import Trade
from tradehub.platform.db import Database


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--tampered", type=int, default=200, help="evidence archives that are tampered with")


@pytest.fixture
def trade(database: Database, jobs: FakeJobs) -> Trade:
    return Trade(database, jobs)


@pytest.fixture(scope="session")
def proven(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proven]:
    """A hub with a contract that both sides signed, made by messages, and one that nobody has signed yet."""
    house = made.build(tmp_path_factory.mktemp("proven") / "data")
    contract = house.contract(made.HAIDI)
    bundle = house.prepare(contract)
    for org in (made.HAIDI, made.NINGBO):
        house.sign(contract, org, bundle)
    yield house
    house.hub.database.dispose()


@pytest.fixture(scope="session")
def archive(proven: Proven) -> bytes:
    """The evidence of the contract that was signed."""
    return proven.evidence(proven.contract(made.HAIDI))
