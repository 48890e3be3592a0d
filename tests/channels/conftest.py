"""The clock of the deals, and hubs for their two sides."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.channels.trade import MONDAY, make_hub
from tradehub.platform import clock

__all__ = ["at_monday", "make_hub"]


@pytest.fixture(autouse=True)
def at_monday() -> Iterator[clock.Frozen]:
    with clock.frozen(MONDAY) as frozen:
        yield frozen
