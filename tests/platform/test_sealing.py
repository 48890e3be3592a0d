"""Secrets in parts: all of them give the secret back, and any fewer say nothing of it."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from random import Random

import pytest

from tradehub.platform import ids
from tradehub.platform.sealing import joined, split

SECRET = bytes(range(32))


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_all_parts_give_the_secret_and_none_is_short_of_another(count: int) -> None:
    parts = split(SECRET, count, ids.random_bytes)
    assert len(parts) == count
    assert joined(reversed(parts)) == SECRET
    assert all(joined(some) != SECRET for some in combinations(parts, count - 1) if some)


def test_a_part_is_as_good_as_random() -> None:
    dice = Random(7)
    for which in (0, 1):
        counts = Counter(byte for _ in range(400) for byte in split(bytes(32), 2, dice.randbytes)[which])
        assert len(counts) == 256
        assert max(counts.values()) < 2 * 400 * 32 / 256
