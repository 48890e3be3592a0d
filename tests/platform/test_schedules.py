"""Ticks become jobs once, whoever looks at the clock, and however long nobody did."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from sqlalchemy import select

from tests.conftest import NOON
from tests.fakes import FakeJobs
from tradehub.platform import clock, schedules
from tradehub.platform.clock import Frozen
from tradehub.platform.db import Database
from tradehub.platform.jobs import JobContext
from tradehub.platform.schedules import Clock, Schedule

MINUTE = timedelta(minutes=1)


@pytest.fixture
def synced(jobs: FakeJobs) -> list[str]:
    """The ids of the sync jobs that ran."""
    ran: list[str] = []

    def sync(ctx: JobContext, partner: str) -> None:
        assert partner == "ningbo"
        ran.append(ctx.id)

    jobs.register("sync", sync)
    return ran


def schedule(database: Database, **timing: object) -> Schedule:
    with database.write() as session:
        return schedules.put(session, "s", kind="sync", target="ningbo", owner="haidi", **timing)  # type: ignore[arg-type]


def stored(database: Database) -> Schedule:
    with database.read() as session:
        return session.get_one(Schedule, "s")


@pytest.mark.parametrize(
    ("cron", "after", "due"),
    [
        ("0 9 * * 1-5", datetime(2026, 3, 6, 9, tzinfo=UTC), datetime(2026, 3, 9, 9, tzinfo=UTC)),
        ("0 9 * * 0", datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 8, 9, tzinfo=UTC)),
        ("0 9 * * 7", datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 8, 9, tzinfo=UTC)),
        ("*/15 * * * *", datetime(2026, 3, 2, 12, 1, tzinfo=UTC), datetime(2026, 3, 2, 12, 15, tzinfo=UTC)),
        ("30 1 29 3 *", datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("0 0 29 2 *", datetime(2026, 3, 1, tzinfo=UTC), datetime(2028, 2, 29, tzinfo=UTC)),
    ],
)
def test_a_cron_line_means_what_it_means_elsewhere(cron: str, after: datetime, due: datetime) -> None:
    assert next(schedules.ticks(Schedule(cron=cron), after)) == due


def test_every_clock_computes_the_same_ticks() -> None:
    every = Schedule(every_s=7, created_at=NOON + timedelta(microseconds=5))
    early = list(islice(schedules.ticks(every, NOON), 100))
    assert all(later - sooner == timedelta(seconds=7) for sooner, later in pairwise(early))
    assert list(islice(schedules.ticks(every, NOON + timedelta(seconds=100.5)), 5)) == early[14:19]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"cron": "* * * * *", "every_s": 5},
        {"cron": "61 * * * *"},
        {"cron": "soon"},
        {"every_s": 5, "misfire": "some"},
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(database: Database, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - some of the texts are APScheduler's
        schedule(database, **wrong)


def test_a_tick_makes_one_job_however_many_clocks_there_are(jobs: FakeJobs, synced: list[str], noon: Frozen) -> None:
    schedule(jobs.database, every_s=60)
    clocks = [Clock(jobs) for _ in range(3)]
    for _ in range(3):
        noon.move(MINUTE)
        for each in clocks:
            each.tick("s")
        jobs.drain()
    assert synced == [f"sched:s:{int((NOON + minute * MINUTE).timestamp())}" for minute in (1, 2, 3)]


def test_a_tick_fired_again_long_after_does_nothing(jobs: FakeJobs, synced: list[str], noon: Frozen) -> None:
    schedule(jobs.database, every_s=60)
    noon.move(2 * MINUTE)
    one = Clock(jobs)
    assert one.fire("s", NOON + 2 * MINUTE)
    assert not one.fire("s", NOON + 2 * MINUTE)
    assert not one.fire("s", NOON + MINUTE)
    jobs.drain()
    assert len(synced) == 1


@pytest.mark.parametrize(("policy", "made_up_for"), [("one", [48]), ("all", range(1, 49)), ("none", [])])
def test_missed_ticks_are_made_up_for_by_policy(
    jobs: FakeJobs, synced: list[str], noon: Frozen, policy: str, made_up_for: list[int]
) -> None:
    schedule(jobs.database, cron="0 * * * *", misfire=policy)
    noon.move(48 * 60 * MINUTE + 5 * MINUTE)
    Clock(jobs).refresh()
    jobs.drain()
    assert synced == [f"sched:s:{int((NOON + hour * 60 * MINUTE).timestamp())}" for hour in made_up_for]
    assert stored(jobs.database).last_fired == NOON + 48 * 60 * MINUTE
    assert stored(jobs.database).next_due == NOON + 49 * 60 * MINUTE


def test_a_tick_just_missed_is_on_time_whatever_the_policy(jobs: FakeJobs, synced: list[str], noon: Frozen) -> None:
    schedule(jobs.database, cron="0 * * * *", misfire="none")
    noon.move(60 * MINUTE + schedules.GRACE)
    Clock(jobs).refresh()
    jobs.drain()
    assert len(synced) == 1


def test_a_tick_is_skipped_while_the_one_before_it_still_waits_or_runs(
    jobs: FakeJobs, synced: list[str], noon: Frozen
) -> None:
    schedule(jobs.database, every_s=60)
    one = Clock(jobs)
    for _ in range(3):
        noon.move(MINUTE)
        one.tick("s")
    jobs.drain()
    assert synced == [f"sched:s:{int((NOON + MINUTE).timestamp())}"]


def test_a_year_of_minutes_is_caught_up_with_quickly(jobs: FakeJobs, synced: list[str], noon: Frozen) -> None:
    schedule(jobs.database, cron="* * * * *")
    noon.move(timedelta(days=365))
    began = time.perf_counter()
    Clock(jobs).refresh()
    assert time.perf_counter() - began < 3


def test_a_disabled_or_removed_schedule_does_not_fire(jobs: FakeJobs, synced: list[str], noon: Frozen) -> None:
    schedule(jobs.database, every_s=60, enabled=False)
    one = Clock(jobs)
    noon.move(5 * MINUTE)
    one.refresh()
    one.tick("s")
    with jobs.database.write() as session:
        schedules.remove(session, "s")
    one.refresh()
    one.tick("s")
    jobs.drain()
    assert synced == []


def test_a_schedule_is_late_until_a_run_succeeds(jobs: FakeJobs, synced: list[str], noon: Frozen) -> None:
    schedule(jobs.database, every_s=60, late_after_s=180)
    one = Clock(jobs)
    noon.move(4 * MINUTE)
    with jobs.database.read() as session:
        assert [each.id for each in schedules.late(session, clock.now())] == ["s"]
    one.tick("s")
    jobs.drain()
    assert stored(jobs.database).last_ok == NOON + 4 * MINUTE
    with jobs.database.read() as session:
        assert schedules.late(session, clock.now()) == []


def test_an_organisation_sees_its_own_schedules(jobs: FakeJobs) -> None:
    schedule(jobs.database, every_s=60)
    for org, seen in (("haidi", ["s"]), ("delta", [])):
        with jobs.database.read(org) as session:
            assert session.scalars(select(Schedule.id)).all() == seen


def test_running_clocks_follow_the_table(jobs: FakeJobs, synced: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedules, "REFRESH_S", 0.2)
    clocks = [Clock(jobs) for _ in range(2)]
    for each in clocks:
        each.start()
    schedule(jobs.database, every_s=1)
    try:
        until = time.monotonic() + 15
        while len(synced) < 2 and time.monotonic() < until:
            jobs.drain()
            time.sleep(0.05)
    finally:
        for each in clocks:
            each.stop()
    assert len(synced) >= 2
    assert len(set(synced)) == len(synced)
