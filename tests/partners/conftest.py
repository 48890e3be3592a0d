from collections.abc import Iterator
from pathlib import Path

import pytest

from tradehub.platform.db import Base, Database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(f"sqlite:///{tmp_path / 'test.db'}")
    Base.metadata.create_all(found.engine)
    yield found
    found.dispose()
