"""Options of the engine's tests: ``make properties``, ``make judges`` and ``make fuzz`` are their long forms."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--examples", type=int, default=200, help="messages made for each map")
    parser.addoption("--judged", type=int, default=400, help="mutated messages on which pyx12 is asked too")
