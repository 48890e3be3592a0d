"""Options of the engine's tests: ``make properties``, ``make judges`` and ``make fuzz`` are their long forms."""

from __future__ import annotations

from functools import lru_cache
from types import CodeType

import pytest

from tradehub.edi import reading, stencils, traces, writing

KEPT = 20_000


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--examples", type=int, default=200, help="messages made for each map")
    parser.addoption("--judged", type=int, default=400, help="mutated messages on which pyx12 is asked too")


@lru_cache(KEPT)
def _compiled(source: str, mode: str) -> CodeType:
    code: CodeType = compile(source, "<made>", mode)
    return code


for module in (reading, stencils, traces, writing):
    # Maps of one message in several directories, and those that a test makes anew, are mostly the same functions.
    vars(module)["compile"] = lambda source, _name, mode: _compiled(source, mode)
