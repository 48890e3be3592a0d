"""Control numbers have no gap and no repeat, however many write at once, and whatever is rolled back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tradehub.exchange import store
from tradehub.platform.db import Database

WRITERS, EACH = 4, 50


def take(database: Database, *, fail: bool = False) -> int | None:
    def work(session: object) -> int:
        number = store.next_number(
            session,
            owner="haidi",
            sender="A",
            receiver="B",
            standard="x12",
            level="interchange",  # type: ignore[arg-type]
        )
        if fail:
            raise KeyError(number)
        return number

    try:
        return database.transact(work)
    except KeyError:
        return None


def test_four_writers_take_fifty_each_and_every_tenth_is_rolled_back(database: Database) -> None:
    def writer(_: int) -> list[int | None]:
        return [take(database, fail=turn % 10 == 9) for turn in range(EACH)]

    with ThreadPoolExecutor(WRITERS) as pool:
        taken = [number for numbers in pool.map(writer, range(WRITERS)) for number in numbers if number is not None]
    assert sorted(taken) == list(range(1, len(taken) + 1))
    assert len(taken) == WRITERS * EACH * 9 // 10


def test_each_pair_standard_and_level_counts_for_itself(database: Database) -> None:
    with database.write() as session:
        for expected in (1, 2):
            for level in ("interchange", "group"):
                number = store.next_number(
                    session, owner="haidi", sender="A", receiver="B", standard="x12", level=level
                )
                assert number == expected
        other = store.next_number(session, owner="haidi", sender="A", receiver="C", standard="x12", level="group")
        assert other == 1
