"""The clock of the deals, and hubs for their two sides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.channels.trade import MONDAY, MakeHub, hubs
from tradehub.platform import clock


@pytest.fixture(autouse=True)
def at_monday() -> Iterator[clock.Frozen]:
    with clock.frozen(MONDAY) as frozen:
        yield frozen


@pytest.fixture(scope="session")
def make_hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MakeHub]:
    with hubs(tmp_path_factory.mktemp("channels")) as make:
        yield make
