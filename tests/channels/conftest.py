"""The clock of the deals, and hubs for their two sides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import postgres
from tests.channels.trade import MONDAY, MakeHub, hubs
from tradehub.documents import PartyId
from tradehub.platform import clock


@pytest.fixture(autouse=True)
def at_monday() -> Iterator[clock.Frozen]:
    with clock.frozen(MONDAY) as frozen:
        yield frozen


@pytest.fixture(scope="session")
def make_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeHub]:
    with hubs(tmp_path_factory.mktemp("channels")) as make:
        yield make


@pytest.fixture
def postgres_hubs(postgres_url: str, tmp_path: Path) -> Iterator[MakeHub]:
    """Hubs whose databases are on PostgreSQL, new for each test."""
    with ExitStack() as stack:
        urls: dict[PartyId, str] = {}

        def url(home: PartyId) -> str:
            return urls.setdefault(home, stack.enter_context(postgres.fresh_database(postgres_url)))

        yield stack.enter_context(hubs(tmp_path, url))
