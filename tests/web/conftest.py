from __future__ import annotations

from pathlib import Path

import pytest

from tests.web.house import House, build
from tradehub.platform.db import Database


@pytest.fixture
def house(database: Database, tmp_path: Path) -> House:
    return build(database, tmp_path)
