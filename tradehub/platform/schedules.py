"""What is to happen again and again: a table of schedules, and clocks that turn its ticks into jobs.

Every worker may run a clock. A tick is a job with the id ``sched:<schedule>:<epoch>``, enqueued in the transaction that
moves the schedule's ``last_fired`` on, so several clocks make one job of it. The clocks share nothing else: APScheduler
keeps its own list in memory, for two schedulers on one job store run ticks twice.

Ticks that no clock was there for are looked at on start, by each schedule's policy: ``one`` makes up for all of them
with the last, ``all`` runs each, ``none`` lets them go. A tick is skipped while the job before it still runs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

import structlog
from apscheduler.executors.base import BaseExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from tradehub.platform import clock
from tradehub.platform.db import Base, Database, Scoped, is_transient
from tradehub.platform.jobs import REVIVE, TICK, TIDY, Jobs

GRACE = timedelta(seconds=60)
"""A tick no older than this is on time: a clock may start, or the machine stall, for so long."""

REFRESH_S = 3
"""How soon a clock sees a new, changed or removed schedule."""

MOST_MISSED = 1000
"""Ticks that the policy ``all`` makes up for; more would be a flood of old news."""

LOOK_BACK = (timedelta(hours=1), timedelta(days=2), timedelta(days=60))
"""Where the last missed tick is looked for first, so that a year of minutes is not counted through."""

TIDY_AT = "17 * * * *"
"""When done jobs are forgotten: often, for polls leave many, and not on the hour, when everybody's syncs are due."""

REVIVE_EVERY_S = 300
"""How often jobs that failed because the database was busy are looked for."""

POLICIES = ("one", "all", "none")

log = structlog.get_logger(__name__)


class Schedule(Base, Scoped):
    """``kind`` is the job's name and ``target`` its argument. ``cron`` (five fields, UTC) or ``every_s`` is set."""

    __tablename__ = "schedules"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str | None] = mapped_column(index=True)
    kind: Mapped[str]
    target: Mapped[str]
    cron: Mapped[str | None]
    every_s: Mapped[int | None]
    misfire: Mapped[str] = mapped_column(default="one")
    enabled: Mapped[bool] = mapped_column(default=True)
    late_after_s: Mapped[int | None]
    created_at: Mapped[datetime]
    last_fired: Mapped[datetime | None]
    next_due: Mapped[datetime | None]
    last_job: Mapped[str | None]
    last_ok: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.owner == org

    def is_late(self, at: datetime) -> bool:
        """True where no run has succeeded for longer than ``late_after_s``."""
        if not self.enabled or self.late_after_s is None:
            return False
        return at - (self.last_ok or self.created_at) > timedelta(seconds=self.late_after_s)


def put(
    session: Session,
    id: str,
    *,
    kind: str,
    target: str = "",
    owner: str | None = None,
    cron: str | None = None,
    every_s: int | None = None,
    misfire: str = "one",
    late_after_s: int | None = None,
    enabled: bool = True,
) -> Schedule:
    """Make or change a schedule. Raises ValueError for a cron line that cannot be read, or an unknown policy."""
    if (cron is None) == (every_s is None):
        raise ValueError("a schedule has either a cron line or a number of seconds")
    if misfire not in POLICIES:
        raise ValueError(f"no policy {misfire}; there are {', '.join(POLICIES)}")
    schedule = session.get(Schedule, id)
    if schedule is None:
        schedule = Schedule(id=id, created_at=clock.now())
        session.add(schedule)
    schedule.kind, schedule.target, schedule.owner = kind, target, owner
    schedule.cron, schedule.every_s, schedule.misfire = cron, every_s, misfire
    schedule.late_after_s, schedule.enabled = late_after_s, enabled
    schedule.next_due = next(ticks(schedule, clock.now()), None) if enabled else None
    session.flush()
    return schedule


def remove(session: Session, id: str) -> None:
    """Take a schedule away; without one of that id, nothing."""
    schedule = session.get(Schedule, id)
    if schedule is not None:
        session.delete(schedule)


def ticks(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """Yield the moments later than ``after`` at which a schedule is due. Every clock computes the same."""
    trigger, previous = _trigger(schedule), None
    moment = after + timedelta(microseconds=1)
    while True:
        due: datetime | None = trigger.get_next_fire_time(previous, moment)
        if due is None:
            return
        due = due.astimezone(UTC)
        yield due
        previous, moment = due, due + timedelta(microseconds=1)


def late(session: Session, at: datetime) -> list[Schedule]:
    """Return the schedules whose late alarm is on."""
    enabled = session.scalars(select(Schedule).where(Schedule.enabled).order_by(Schedule.id))
    return [each for each in enabled if each.is_late(at)]


def job_id(schedule_id: str, due: datetime) -> str:
    return f"{TICK}{schedule_id}:{int(due.timestamp())}"


class Clock:
    """One clock of possibly many. ``start`` and ``stop`` it beside the worker."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.database: Database = jobs.database
        self._known: dict[str, tuple[Any, ...]] = {}
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={"default": _Calls()},
            job_defaults={"coalesce": True, "misfire_grace_time": int(GRACE.total_seconds()), "max_instances": 1},
        )
        jobs.finished.append(self._note_success)

    def start(self) -> None:
        self.database.transact(_put_our_own)
        _unless_busy(self.refresh)
        self._scheduler.add_job(self.refresh, "interval", seconds=REFRESH_S, id="refresh")
        self._scheduler.start()

    def stop(self) -> None:
        self._scheduler.shutdown(wait=True)
        self.jobs.finished.remove(self._note_success)

    def refresh(self) -> None:
        """Bring the clock in line with the table, and make up for ticks that no clock was there for."""
        with self.database.read() as session:
            wanted = {each.id: each for each in session.scalars(select(Schedule).where(Schedule.enabled))}
        for id in self._known.keys() - wanted.keys():
            self._forget(id)
        for id, schedule in wanted.items():
            timing = (schedule.cron, schedule.every_s, schedule.created_at)
            if self._known.get(id) != timing:
                self._forget(id)
                self.catch_up(schedule)
                self._known[id] = timing
                self._scheduler.add_job(self.tick, _trigger(schedule), args=(id,), id=f"tick:{id}")

    def tick(self, id: str) -> None:
        """Fire the latest due tick of a schedule, unless another clock has."""
        with self.database.read() as session:
            schedule = session.get(Schedule, id)
        if schedule is None or not schedule.enabled:
            return
        missed = self._missed(schedule)
        if missed:
            self.fire(id, missed[-1])

    def catch_up(self, schedule: Schedule) -> None:
        """Treat the ticks since the last fire by the schedule's policy."""
        missed = self._missed(schedule)
        if not missed:
            return
        on_time = missed[-1] >= clock.now() - GRACE
        if schedule.misfire == "all":
            for due in missed:
                self.fire(schedule.id, due, overlapping=True)
        elif schedule.misfire == "one" or on_time:
            self.fire(schedule.id, missed[-1])
        else:
            with self.database.write() as session:
                self._move_on(session, schedule, missed[-1])

    def fire(self, id: str, due: datetime, *, overlapping: bool = False) -> bool:
        """Enqueue the job of one tick. False where another clock has, or where the job before it still runs."""
        with self.database.write() as session:
            schedule = session.get(Schedule, id)
            if schedule is None:
                return False
            before = None if overlapping or schedule.last_job is None else self.jobs.get(schedule.last_job)
            if not self._move_on(session, schedule, due):
                return False
            if before is not None and before.state in ("queued", "running"):
                log.info("tick skipped, the one before it still runs", schedule=id)
                return False
            schedule.last_job = job_id(id, due)
            self.jobs.enqueue_in_tx(session, schedule.kind, schedule.target, id=schedule.last_job)
            return True

    def _move_on(self, session: Session, schedule: Schedule, due: datetime) -> bool:
        earlier = or_(Schedule.last_fired.is_(None), Schedule.last_fired < due)
        moved = update(Schedule).where(Schedule.id == schedule.id, earlier).returning(Schedule.id)
        following = next(ticks(schedule, max(due, clock.now())), None)
        return session.scalar(moved.values(last_fired=due, next_due=following)) is not None

    def _missed(self, schedule: Schedule) -> Sequence[datetime]:
        """Return the due ticks since the last fire, in order; the last alone where the policy needs no more."""
        now, last = clock.now(), schedule.last_fired or schedule.created_at
        windows = () if schedule.misfire == "all" else LOOK_BACK
        for window in windows:
            due = _due(schedule, max(last, now - window), now)
            if due:
                return due[-1:]
        return _due(schedule, last, now)

    def _forget(self, id: str) -> None:
        if self._known.pop(id, None) is not None:
            self._scheduler.remove_job(f"tick:{id}")

    def _note_success(self, job: str) -> None:
        kind, _, rest = job.partition(":")
        if kind == "sched":
            _unless_busy(self._set_last_ok, rest.rpartition(":")[0])

    def _set_last_ok(self, id: str) -> None:
        with self.database.write() as session:
            session.execute(update(Schedule).where(Schedule.id == id).values(last_ok=clock.now()))


class _Calls(BaseExecutor):  # type: ignore[misc]
    """Runs what is due in the scheduler's own thread: a tick only enqueues."""

    def _do_submit_job(self, job: Any, run_times: list[datetime]) -> None:
        _unless_busy(job.func, *job.args)  # what else it raises is logged by the scheduler
        self._run_job_success(job.id, [])


def _unless_busy(call: Callable[..., None], *args: Any) -> None:
    """Call, and where the database is busy let it be: the next tick, refresh or success makes up for it."""
    try:
        call(*args)
    except DBAPIError as error:
        if not is_transient(error):
            raise
        log.warning("left for the next time, the database is busy", call=getattr(call, "__name__", ""), args=args)


def _put_our_own(session: Session) -> None:
    put(session, TIDY, kind=TIDY, cron=TIDY_AT)
    put(session, REVIVE, kind=REVIVE, every_s=REVIVE_EVERY_S)


def _due(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    return list(deque(takewhile(lambda due: due <= until, ticks(schedule, after)), maxlen=MOST_MISSED))


def _trigger(schedule: Schedule) -> Any:
    if schedule.cron is not None:
        return CronTrigger.from_crontab(_english_weekdays(schedule.cron), timezone=UTC)
    return IntervalTrigger(
        seconds=schedule.every_s or 1, start_date=schedule.created_at.replace(microsecond=0), timezone=UTC
    )


def _english_weekdays(cron: str) -> str:
    """Say weekdays by name, for in APScheduler 3 the number 0 is Monday where every other cron means Sunday."""
    fields = cron.split()
    if len(fields) == 5:
        names = ("sun", "mon", "tue", "wed", "thu", "fri", "sat", "sun")
        days, slash, step = fields[4].partition("/")
        fields[4] = "".join(names[int(each)] if each in "01234567" else each for each in days) + slash + step
    return " ".join(fields)
