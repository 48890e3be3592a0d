"""Work that must happen, behind five verbs: register, enqueue_in_tx, run_worker, list, resume. The engine is ``queue``.

A job is a function ``fn(ctx, *args)``. It runs at least once; a killed worker's jobs run again. What it does to the
database happens exactly once if it is done through its context:

- ``ctx.once(name, work)`` runs ``work(session)`` in a transaction of its own and remembers the plain value it returned;
  a repeat of the job, or a later attempt, gets that value and does nothing. For what must be settled before the world
  is told: a control number, a kept payload.
- ``with ctx.write() as session:`` concludes the attempt, so it stands at most once in a run and last. After its commit
  a repeat of the attempt does nothing.
- ``raise RetryLater(delay)`` inside that block commits what the block did *and* the next attempt, as one. Outside of
  it, and without it, the next attempt alone.

What a job does to the outside (send, post) may happen twice and carries its own key.

A database that is busy fails no job: the attempt is made again, and how it ended is written down as soon as it can be.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any, TypeVar

import structlog
from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from tradehub.platform import clock, metrics
from tradehub.platform.db import Base, Database, Json, is_transient
from tradehub.platform.queue import Engine, ListedJob, Queue, QueuedJob

Argument = str | int | bool | None
"""What a job may be given: ids and small plain values, never a document."""

DEFAULT_QUEUE = "default"
QUEUES = (DEFAULT_QUEUE, "slow")
"""``slow`` is for what may take minutes and must not hold up a partner's answer."""

LONGEST_BACKOFF = timedelta(hours=1)
"""Between two attempts of a job that names no delay: 2, 4, 8 ... seconds, up to this."""

PAUSES = tuple(timedelta(seconds=seconds) for seconds in (0.1, 0.5, 2, 5, 10))
"""Between two tries to write down how an attempt ended, the last again and again; each try waits for the lock itself."""

PATIENCE = timedelta(hours=1)
"""How long that is tried. No writer of ours holds the database so long; who does is a person who can be asked."""

STILL_BUSY = "the database was busy for too long"
"""How the error of a job begins whose outcome could not be written down. Such jobs are revived."""

REVIVE = "platform.revive"
"""The job, registered in every process, that runs those again which failed because the database was busy."""

MOST_REVIVED = 10_000
"""Failed jobs looked through for those to revive."""

TIDY = "platform.tidy"
"""The job, registered in every process, that forgets what was done long ago."""

KEPT = timedelta(days=30)
"""How long a done job is remembered: its id enqueued a second time within that time is harmless."""

TICK = "sched:"
"""How the id of a job begins that a schedule's tick has made: one every two seconds, where a folder is looked into."""

KEPT_TICKS = {"done": timedelta(hours=2), "failed": timedelta(days=2)}
"""How long a tick's job is remembered. No tick comes twice, and who fails for long is told of by the late alarm."""

_ATTEMPT_MARK = "~"

log = structlog.get_logger(__name__)
T = TypeVar("T")


class RetryLater(Exception):
    """A job asks to be run again after ``delay``; without one, after a delay that doubles with each attempt."""

    def __init__(self, delay: timedelta | None = None, reason: str = "") -> None:
        super().__init__(reason)
        self.delay = delay
        self.reason = reason


class StillBusy(Exception):
    """It could not be written down how an attempt ended. The job counts as failed until it is revived."""


class UnknownJob(KeyError):
    """No job is registered under that name, or no job has that id."""


class JobEffect(Base):
    """What a job has done to the database, committed with it: a value by name, or how an attempt ended."""

    __tablename__ = "job_effects"

    job_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(Json, nullable=True)
    at: Mapped[datetime] = mapped_column(index=True)


Job = Callable[..., None]
"""``fn(ctx: JobContext, *args)``."""


@dataclass(frozen=True)
class JobRecord:
    """A job as the operator sees it. ``state`` is queued, delayed, running, done, failed or cancelled."""

    id: str
    name: str
    state: str
    queue: str | None
    args: tuple[Argument, ...]
    attempt: int
    created_at: datetime
    updated_at: datetime
    error: str | None
    worker: str | None


class _Concluded(BaseException):
    """The attempt had been concluded before: leave the job function, whatever it catches."""


class Jobs:
    """The jobs of one database. ``poll_s`` is how long a committed job waits at most for a free worker."""

    def __init__(
        self, database: Database, *, queue: Engine | None = None, poll_s: float = 0.2, threads: int = 16
    ) -> None:
        self.database = database
        self.queue: Engine = queue or Queue(database, queues=QUEUES, poll_s=poll_s, threads=threads)
        self.finished: list[Callable[[str], None]] = []
        """Called with the id of each job that has come to its end without an error."""
        self._jobs: dict[str, Job] = {TIDY: self._tidy_all, REVIVE: self._revive_all}
        self._stopping = threading.Event()

    def register(self, name: str, job: Job) -> None:
        """Make ``job`` known as ``name``. Every process registers the same jobs before it runs a worker."""
        if name in self._jobs:
            raise ValueError(f"there is a job {name} already")
        self._jobs[name] = job

    def enqueue_in_tx(
        self,
        session: Session,
        name: str,
        *args: Argument,
        id: str,
        queue: str = DEFAULT_QUEUE,
        delay_s: float | None = None,
    ) -> None:
        """Let the job run once the caller's transaction is committed. A second one under the same id is harmless."""
        if _ATTEMPT_MARK in id:
            raise ValueError(f"the id of a job may not contain {_ATTEMPT_MARK}: {id}")
        if queue not in QUEUES:
            raise ValueError(f"no queue {queue}")
        self.queue.put(session, QueuedJob(id, name, args), queue=queue, delay_s=delay_s)

    def run_worker(self, slot: str = "0") -> None:
        """Run jobs in threads of this process until ``stop``. ``slot`` is the worker's lasting name among its equals.

        Its unfinished jobs of a former life are taken up at once; those of a dead worker by any other one, within
        ``queue.DEAD_AFTER``. Waits as long while another live process still has the slot.
        """
        self._stopping.clear()
        self.queue.start(slot, tuple(self._jobs), self.run)
        self.revive()

    def stop(self, timeout_s: float = 10) -> None:
        """Take no more jobs, and wait for the running ones."""
        self._stopping.set()
        self.queue.stop(timeout_s)

    def close(self) -> None:
        """Let go of the engine's connections."""
        self.queue.close()

    def list(
        self, *, state: str | None = None, name: str | None = None, limit: int = 100, offset: int = 0
    ) -> list[JobRecord]:
        """Return jobs, latest first."""
        return [_record(each) for each in self.queue.listed(state=state, name=name, limit=limit, offset=offset)]

    def counts(self) -> dict[str, int]:
        """Return how many attempts are in each state."""
        return self.queue.counts()

    def waiting_since(self) -> datetime | None:
        """Return since when the oldest job that could run has waited, or None where all is taken up."""
        return self.queue.waiting_since()

    def get(self, id: str) -> JobRecord | None:
        """Return the latest attempt of a job, or None."""
        latest = self.queue.latest(id, _ATTEMPT_MARK)
        return None if latest is None else _record(latest)

    def resume(self, id: str) -> None:
        """Run a failed or cancelled job again, as its next attempt; let a delayed one run now. Raises UnknownJob."""
        base, _ = _split(id)
        record = self.get(base)
        if record is None:
            raise UnknownJob(id)
        if record.state in ("failed", "cancelled"):
            following = QueuedJob(_joined(base, record.attempt + 1), record.name, record.args)
            with self.database.write() as session:
                self.queue.put(session, following, queue=record.queue or DEFAULT_QUEUE)
        elif record.state == "delayed":
            self.queue.hasten(_joined(base, record.attempt))

    def cancel(self, id: str) -> None:
        """Keep a queued or delayed job from running. A running one is not interrupted."""
        record = self.get(_split(id)[0])
        if record is None:
            raise UnknownJob(id)
        self.queue.cancel(_joined(record.id, record.attempt))

    def tidy(self, *, keep: timedelta = KEPT, state: str = "done", prefix: str = "") -> int:
        """Forget some of the jobs that ended so before ``keep``, and return how many.

        Failed ones stay until somebody looks, but for those of ticks.
        """
        before = clock.now() - keep
        forgotten = self.queue.forget(before, state=state, prefix=prefix)
        with self.database.write() as session:
            session.execute(delete(JobEffect).where(JobEffect.at < before, JobEffect.job_id.in_(map(_base, forgotten))))
        return len(forgotten)

    def revive(self) -> Sequence[str]:
        """Resume the jobs that failed because the database was busy, and return their ids. Others stay failed."""
        failed = self.list(state="failed", limit=MOST_REVIVED)
        busy = {each.id for each in failed if STILL_BUSY in (each.error or "")}
        revived = []
        for id in sorted(busy):
            latest = self.get(id)
            if latest is not None and latest.state == "failed":
                self.resume(id)
                revived.append(id)
                log.warning("job that failed on a busy database runs again", job_id=id)
        return revived

    def _revive_all(self, ctx: JobContext, target: str = "") -> None:
        self.revive()

    def _tidy_all(self, ctx: JobContext, target: str = "") -> None:
        for state, keep in KEPT_TICKS.items():
            while self.tidy(keep=keep, state=state, prefix=TICK):
                pass
        while self.tidy():
            pass

    def run(self, job: QueuedJob) -> None:
        """Run one attempt here and now, as a worker does. What the job raises is raised, except RetryLater."""
        base, attempt = _split(job.id)
        context = JobContext(self, base, attempt, job)
        with structlog.contextvars.bound_contextvars(job=job.name, job_id=base, attempt=attempt):
            try:
                with metrics.JOB_SECONDS.labels(job.name).time():
                    self._attempt(context, job)
            except _Concluded:
                log.info("job repeated after its end")
            except Exception:
                metrics.JOBS_RUN.labels(job.name, "failed").inc()
                log.exception("job failed")
                raise
            self._note_end(context, job)

    def _note_end(self, context: JobContext, job: QueuedJob) -> None:
        metrics.JOBS_RUN.labels(job.name, "again" if context.goes_on else "done").inc()
        if not context.goes_on:
            for tell in self.finished:
                tell(context.id)

    def _attempt(self, context: JobContext, job: QueuedJob) -> None:
        try:
            self._jobs[job.name](context, *job.args)
        except RetryLater as later:
            self._conclude(context, later)
        except DBAPIError as error:
            if not is_transient(error) or context.concluded:
                raise
            self._conclude(context, RetryLater(reason="the database was busy"))

    def _conclude(self, context: JobContext, later: RetryLater) -> None:
        """Write down that the attempt is to be followed by another, however busy the database. Raises StillBusy."""
        until = clock.now() + PATIENCE
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            try:
                context.conclude_with(later)
            except DBAPIError as error:
                if not is_transient(error):
                    raise
                if clock.now() > until or self._stopping.wait(pause.total_seconds()):
                    raise StillBusy(f"{STILL_BUSY}: {error.orig}") from error
            else:
                return


class JobContext:
    """What a job may do besides thinking. See the module for the promises."""

    def __init__(self, jobs: Jobs, id: str, attempt: int, job: QueuedJob) -> None:
        self.id = id
        self.attempt = attempt
        """1 on the first run; counts runs asked for by RetryLater or an operator, not repeats after a kill."""
        self.concluded = False
        self.goes_on = False
        self._jobs = jobs
        self._job = job

    @property
    def database(self) -> Database:
        """For transactions that are harmless when repeated."""
        return self._jobs.database

    def read(self) -> AbstractContextManager[Session]:
        return self.database.read()

    def once(self, name: str, work: Callable[[Session], T]) -> T:
        """Return what ``work`` returned in the transaction in which it ran once, a plain value; never run it again."""
        with self.database.write() as session:
            if not self._claim(session, name):
                remembered: T = session.scalars(self._effect(name)).one().value
                return remembered
            value = work(session)
            session.flush()
            session.execute(update(JobEffect).where(*self._key(name)).values(value=value))
            return value

    @contextmanager
    def write(self) -> Iterator[Session]:
        """The session that concludes the attempt: committed with the block, and never run again after that."""
        if self.concluded:
            raise RuntimeError(f"job {self._job.name}: write() concludes the attempt, so do earlier steps with once()")
        later: RetryLater | None = None
        with self.database.write() as session:
            self._claim_end(session)
            try:
                yield session
            except RetryLater as asked:
                later = asked
                self._enqueue_next(session, asked)
        self.concluded = True
        if later is not None:
            raise later

    def conclude_with(self, later: RetryLater) -> None:
        """End an attempt that asked to be run again, unless its own ``write`` has done so."""
        if self.concluded:
            if self.goes_on:
                return
            raise RuntimeError(f"job {self._job.name}: raise RetryLater inside write(), or its end and the retry part")
        with self.database.write() as session:
            self._claim_end(session)
            self._enqueue_next(session, later)
        self.concluded = True

    def _claim_end(self, session: Session) -> None:
        if not self._claim(session, _end(self.attempt)):
            raise _Concluded

    def _enqueue_next(self, session: Session, later: RetryLater) -> None:
        doubled = timedelta(seconds=2 ** min(self.attempt, 20))  # 2 to the 50th is no number of seconds any more
        delay = min(doubled, LONGEST_BACKOFF) if later.delay is None else later.delay
        queue = self._jobs.queue.queue_of(self._job.id) or DEFAULT_QUEUE
        following = QueuedJob(_joined(self.id, self.attempt + 1), self._job.name, self._job.args)
        self._jobs.queue.put(session, following, queue=queue, delay_s=max(0.0, delay.total_seconds()))
        self.goes_on = True
        log.info("job will run again", in_s=delay.total_seconds(), reason=later.reason)

    def _claim(self, session: Session, name: str) -> bool:
        insert = sqlite.insert if self.database.is_sqlite else postgresql.insert
        row = insert(JobEffect).values(job_id=self.id, name=name, value=None, at=clock.now())
        return session.scalar(row.on_conflict_do_nothing().returning(JobEffect.job_id)) is not None

    def _key(self, name: str) -> tuple[Any, ...]:
        return JobEffect.job_id == self.id, JobEffect.name == name

    def _effect(self, name: str) -> Any:
        return select(JobEffect).where(*self._key(name))


def _end(attempt: int) -> str:
    return f"{_ATTEMPT_MARK}{attempt}"


def _joined(base: str, attempt: int) -> str:
    return base if attempt == 1 else f"{base}{_ATTEMPT_MARK}{attempt}"


def _base(id: str) -> str:
    return _split(id)[0]


def _split(id: str) -> tuple[str, int]:
    base, _, attempt = id.partition(_ATTEMPT_MARK)
    return base, int(attempt or 1)


def _record(job: ListedJob) -> JobRecord:
    base, attempt = _split(job.id)
    return JobRecord(
        id=base, name=job.name, state=job.state, queue=job.queue, args=job.args, attempt=attempt,
        created_at=job.created_at, updated_at=job.updated_at, error=job.error, worker=job.slot,
    )  # fmt: skip
