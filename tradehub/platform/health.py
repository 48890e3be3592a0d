"""Is the hub well? Each check says in a word what is wrong, for an operator and for a load balancer."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from tradehub.platform import clock, schedules
from tradehub.platform.db import Database
from tradehub.platform.jobs import Jobs

LONGEST_WAIT = timedelta(seconds=60)
"""A job that has been ready for longer means that no worker keeps up, or that none is there."""

LEAST_FREE = 200 * 2**20
"""Bytes: below this, SQLite's log and the payloads of an hour's traffic may no longer fit."""


@dataclass(frozen=True)
class Check:
    name: str
    ok: bool
    detail: str = ""


def checks(jobs: Jobs, data_dir: Path) -> list[Check]:
    """Look at the database, the job queue, the disk and the schedules; never raises for what is wrong with them."""
    database = _guarded("database", lambda: _database(jobs.database))
    if not database.ok:
        return [database, _disk(data_dir)]
    queue = _guarded("queue", lambda: _queue(jobs))
    late = _guarded("schedules", lambda: _schedules(jobs.database))
    return [database, queue, _disk(data_dir), late]


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except DBAPIError as error:
        return Check(name, False, type(error.orig).__name__)


def _database(database: Database) -> Check:
    with database.read() as session:
        session.execute(select(func.count()).select_from(schedules.Schedule))
    return Check("database", True)


def _queue(jobs: Jobs) -> Check:
    since = jobs.waiting_since()
    waits = timedelta(0) if since is None else clock.now() - since
    return Check("queue", waits <= LONGEST_WAIT, f"oldest job ready for {int(waits.total_seconds())} s")


def _disk(data_dir: Path) -> Check:
    try:
        free = shutil.disk_usage(data_dir).free
    except OSError as error:
        return Check("disk", False, error.strerror or "")
    return Check("disk", free >= LEAST_FREE, f"{free // 2**20} MiB free")


def _schedules(database: Database) -> Check:
    with database.read() as session:
        late = schedules.late(session, clock.now())
    return Check("schedules", not late, "late: " + ", ".join(each.id for each in late) if late else "")
