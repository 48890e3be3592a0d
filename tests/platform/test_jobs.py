"""The promises of jobs. The fake that other tests use is held to the same ones as the engine, on both databases."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from tests import postgres
from tests.fakes import FakeJobs
from tradehub.platform import clock, ids, queue
from tradehub.platform.db import Base, Database
from tradehub.platform.jobs import TICK, TIDY, JobContext, JobEffect, JobRecord, Jobs, RetryLater, UnknownJob
from tradehub.platform.queue import QueuedJob

PATIENCE_S = 20


class Tally(Base):
    """One row for each time that something was done."""

    __tablename__ = "test_tallies"

    id: Mapped[str] = mapped_column(primary_key=True, default=ids.new_id)
    job: Mapped[str]
    what: Mapped[str]


class Work:
    """Jobs that leave traces: rows in ``Tally``, and calls to the outside world in ``told``."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.told: dict[str, list[str]] = defaultdict(list)
        self.gates: dict[str, Callable[[], None]] = {}
        for job in (self.count, self.stubborn, self.steps, self.broken, self.twice, self.late):
            jobs.register(job.__name__, job)

    def count(self, ctx: JobContext, what: str) -> None:
        self.told[ctx.id].append(what)
        with ctx.write() as session:
            session.add(Tally(job=ctx.id, what=what))

    def stubborn(self, ctx: JobContext, attempts: int) -> None:
        with ctx.write() as session:
            session.add(Tally(job=ctx.id, what=f"attempt {ctx.attempt}"))
            if ctx.attempt < attempts:
                raise RetryLater(timedelta(milliseconds=10), "not yet")

    def steps(self, ctx: JobContext) -> None:
        number = ctx.once("number", lambda session: self._number(session, ctx))
        self.told[ctx.id].append(f"number {number}")
        if ctx.attempt == 1:
            raise RetryLater(timedelta(milliseconds=10))
        with ctx.write() as session:
            session.add(Tally(job=ctx.id, what=f"sent {number}"))

    def _number(self, session: Any, ctx: JobContext) -> int:
        session.add(Tally(job=ctx.id, what="number drawn"))
        return 40 + ctx.attempt

    def broken(self, ctx: JobContext) -> None:
        self.told[ctx.id].append("tried")
        if len(self.told[ctx.id]) == 1:
            raise ZeroDivisionError("planted")

    def twice(self, ctx: JobContext) -> None:
        with ctx.write():
            pass
        with ctx.write():
            pass

    def late(self, ctx: JobContext) -> None:
        with ctx.write():
            pass
        raise RetryLater(timedelta(0))

    def enqueue(self, name: str, *args: Any, id: str, **more: Any) -> None:
        with self.jobs.database.write() as session:
            self.jobs.enqueue_in_tx(session, name, *args, id=id, **more)

    def tallies(self, id: str) -> list[str]:
        with self.jobs.database.read() as session:
            return list(session.scalars(select(Tally.what).where(Tally.job == id).order_by(Tally.id)))

    def settled(self, *wanted: str) -> list[JobRecord]:
        """Let time pass until the jobs are neither waiting nor running, and return them."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if isinstance(self.jobs, FakeJobs):
                _drain(self.jobs)
            found = [self.jobs.get(each) for each in wanted]
            if all(each is not None and each.state in ("done", "failed", "cancelled") for each in found):
                return [each for each in found if each is not None]
            time.sleep(0.05)
        raise AssertionError(f"not settled: {found}")


def _drain(jobs: FakeJobs) -> None:
    try:
        jobs.drain()
    except (ZeroDivisionError, RuntimeError):
        _drain(jobs)


@pytest.fixture(scope="module", params=["fake", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def work(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    with ExitStack() as stack:
        url = f"sqlite:///{tmp_path_factory.mktemp('jobs') / 'tradehub.db'}"
        if request.param == "postgres":
            url = stack.enter_context(postgres.fresh_database(request.getfixturevalue("postgres_url")))
        database = Database(url)
        stack.callback(database.dispose)
        Base.metadata.create_all(database.engine)
        if request.param == "fake":
            yield Work(FakeJobs(database))
            return
        queue.prepare(database)
        jobs = Jobs(database, poll_s=0.05)
        stack.callback(jobs.close)
        work = Work(jobs)
        jobs.run_worker("7")
        stack.callback(jobs.stop)
        yield work


@pytest.fixture
def id() -> str:
    return ids.new_id()


def test_a_committed_job_runs_once(work: Work, id: str) -> None:
    work.enqueue("count", "海", id=id)
    (job,) = work.settled(id)
    assert (job.name, job.state, job.args, job.attempt, job.error) == ("count", "done", ("海",), 1, None)
    assert work.tallies(id) == ["海"]
    assert work.told[id] == ["海"]


def test_a_job_of_a_transaction_that_was_rolled_back_never_runs(work: Work, id: str) -> None:
    def enqueue_and_fail(session: Session) -> None:
        work.jobs.enqueue_in_tx(session, "count", "x", id=id)
        raise KeyError

    with pytest.raises(KeyError):
        work.jobs.database.transact(enqueue_and_fail)
    work.enqueue("count", "y", id=id + "-after")
    work.settled(id + "-after")
    assert work.jobs.get(id) is None
    assert work.tallies(id) == []


def test_a_second_enqueue_under_the_same_id_is_harmless(work: Work, id: str) -> None:
    with work.jobs.database.write() as session:
        work.jobs.enqueue_in_tx(session, "count", "x", id=id)
        work.jobs.enqueue_in_tx(session, "count", "x", id=id)
    work.settled(id)
    work.enqueue("count", "x", id=id)
    work.enqueue("count", "y", id=id + "-after")
    work.settled(id, id + "-after")
    assert work.tallies(id) == ["x"]


def test_what_a_retried_attempt_wrote_is_kept(work: Work, id: str) -> None:
    work.enqueue("stubborn", 3, id=id)
    (job,) = work.settled(id)
    assert (job.state, job.attempt) == ("done", 3)
    assert work.tallies(id) == ["attempt 1", "attempt 2", "attempt 3"]


def test_a_step_is_done_once_over_all_attempts_and_its_value_is_remembered(work: Work, id: str) -> None:
    work.enqueue("steps", id=id)
    work.settled(id)
    assert work.told[id] == ["number 41", "number 41"]
    assert work.tallies(id) == ["number drawn", "sent 41"]


def test_a_job_repeated_after_its_end_changes_nothing(work: Work, id: str) -> None:
    work.enqueue("stubborn", 2, id=id)
    work.settled(id)
    work.jobs.run(queue.QueuedJob(id, "stubborn", (2,)))
    work.jobs.run(queue.QueuedJob(id + "~2", "stubborn", (2,)))
    assert work.settled(id)[0].attempt == 2
    assert work.tallies(id) == ["attempt 1", "attempt 2"]


def test_a_broken_job_is_shown_with_its_error_and_can_be_resumed(work: Work, id: str) -> None:
    work.enqueue("broken", id=id)
    (job,) = work.settled(id)
    assert job.state == "failed"
    if not isinstance(work.jobs, FakeJobs):
        assert "planted" in str(job.error)
    assert id in [each.id for each in work.jobs.list(state="failed")]
    work.jobs.resume(id)
    (job,) = work.settled(id)
    assert (job.state, job.attempt) == ("done", 2)


def test_a_delayed_job_waits_until_it_is_resumed(work: Work, id: str) -> None:
    work.enqueue("count", "x", id=id, delay_s=3600)
    work.enqueue("count", "y", id=id + "-after")
    work.settled(id + "-after")
    job = work.jobs.get(id)
    assert job is not None
    assert job.state == "delayed"
    work.jobs.resume(id)
    work.settled(id)
    assert work.tallies(id) == ["x"]


def test_a_cancelled_job_does_not_run(work: Work, id: str) -> None:
    work.enqueue("count", "x", id=id, delay_s=3600)
    work.jobs.cancel(id)
    (job,) = work.settled(id)
    assert job.state == "cancelled"
    assert work.tallies(id) == []


@pytest.mark.parametrize("name", ["twice", "late"])
def test_a_job_that_could_not_keep_the_promise_fails_at_its_first_run(work: Work, id: str, name: str) -> None:
    work.enqueue(name, id=id)
    assert work.settled(id)[0].state == "failed"


def test_jobs_are_listed_latest_first(work: Work, id: str) -> None:
    for number in range(3):
        work.enqueue("count", "x", id=f"{id}-{number}")
        time.sleep(0.002)
    work.settled(*(f"{id}-{number}" for number in range(3)))
    assert [each.id for each in work.jobs.list(name="count", limit=3)] == [f"{id}-2", f"{id}-1", f"{id}-0"]
    assert [each.id for each in work.jobs.list(name="count", limit=1, offset=1)] == [f"{id}-1"]


def test_a_slow_job_stays_in_its_queue_when_it_is_retried(work: Work, id: str) -> None:
    work.enqueue("stubborn", 2, id=id, queue="slow")
    assert work.settled(id)[0].queue == "slow"


def test_what_was_done_long_ago_is_forgotten_and_what_failed_is_not(work: Work, id: str) -> None:
    work.enqueue("count", "x", id=id)
    work.enqueue("twice", id=id + "-failed")
    work.settled(id, id + "-failed")
    assert work.jobs.tidy() == 0
    with clock.frozen(clock.now() + timedelta(days=31)):
        assert work.jobs.tidy() >= 1
    assert work.jobs.get(id) is None
    assert work.jobs.get(id + "-failed") is not None
    with work.jobs.database.read() as session:
        assert session.scalars(select(JobEffect).where(JobEffect.job_id == id)).all() == []


def test_ticks_are_forgotten_within_hours_and_other_jobs_are_not(work: Work, id: str) -> None:
    done, failed = f"{TICK}poll:{id}:1", f"{TICK}poll:{id}:2"
    work.enqueue("count", "x", id=done)
    work.enqueue("twice", id=failed)
    work.enqueue("count", "x", id=id)
    work.settled(done, failed, id)
    for hours, kept in ((1, {done, failed, id}), (3, {failed, id}), (72, {id})):
        with clock.frozen(clock.now() + timedelta(hours=hours)):
            work.jobs.run(QueuedJob(f"tidy:{id}:{hours}", TIDY, ("",)))
        assert {each for each in (done, failed, id) if work.jobs.get(each) is not None} == kept


def test_what_cannot_be_enqueued_is_refused(work: Work) -> None:
    with work.jobs.database.write() as session:
        with pytest.raises(ValueError, match="~"):
            work.jobs.enqueue_in_tx(session, "count", "x", id="a~2")
        with pytest.raises(ValueError, match="no queue"):
            work.jobs.enqueue_in_tx(session, "count", "x", id="a", queue="none")
    with pytest.raises(UnknownJob):
        work.jobs.resume("none")
    with pytest.raises(ValueError, match="already"):
        work.jobs.register("count", work.count)


def test_two_runs_of_one_attempt_at_once_have_one_effect(work: Work, id: str) -> None:
    """A worker thought dead that still lives: the other one takes its job up while it runs."""
    jobs, inner = work.jobs, []

    def slow(ctx: JobContext) -> None:
        if not inner:
            inner.append(1)
            jobs.run(queue.QueuedJob(id, name, ()))
        with ctx.write() as session:
            session.add(Tally(job=id, what="x"))

    name = f"slow-{id}"
    jobs.register(name, slow)
    jobs.run(queue.QueuedJob(id, name, ()))
    assert work.tallies(id) == ["x"]


def test_effects_are_dated(work: Work, id: str) -> None:
    before = clock.now()
    work.enqueue("count", "x", id=id)
    work.settled(id)
    with work.jobs.database.read() as session:
        assert before <= session.get_one(JobEffect, (id, "~1")).at <= clock.now()
