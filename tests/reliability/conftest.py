"""How hard the campaign is: ``--kills N``, ``--seed S``; ``--cold`` starts each process as a command, from nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.reliability.campaign import Campaign
from tests.reliability.stable import Cold, Stable


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--kills", type=int, default=6, help="how often processes are killed")
    parser.addoption("--seed", type=int, default=1, help="decides what is sent, and who is killed about when")
    parser.addoption("--cold", action="store_true", help="start processes by the commands of an installation")


@pytest.fixture(scope="session")
def stable() -> Iterator[Stable]:
    found = Stable()
    yield found
    found.close()


@pytest.fixture
def campaign(tmp_path: Path, stable: Stable, request: pytest.FixtureRequest) -> Callable[..., Campaign]:
    """Return what prepares a campaign against a hub of its own, with a bug planted if one is named."""

    def make(plant: str = "") -> Campaign:
        cold = request.config.getoption("--cold", default=False) and not plant
        seed = int(request.config.getoption("--seed", default=1))
        return Campaign(tmp_path / "data", Cold() if cold else stable, seed=seed, plant=plant)

    return make
