"""Is the hub well? Checks that say in a word what is wrong, and numbers for Prometheus."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from tradehub.platform import clock, metrics, schedules
from tradehub.platform.db import Database
from tradehub.platform.jobs import Jobs
from tradehub.platform.outbox import OutboxRow

METRICS_TYPE = CONTENT_TYPE_LATEST

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


def exposition(jobs: Jobs) -> bytes:
    """Return the metrics in the text format of ``METRICS_TYPE``."""
    gauges = CollectorRegistry()
    gauges.register(_Gauges(jobs))
    return generate_latest(metrics.REGISTRY) + generate_latest(gauges)


class _Gauges(Collector):
    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs

    def collect(self) -> Iterator[GaugeMetricFamily]:
        waiting = GaugeMetricFamily("tradehub_jobs", "Jobs by state", labels=["state"])
        for state, number in self.jobs.counts().items():
            waiting.add_metric([state], number)
        yield waiting
        with self.jobs.database.read() as session:
            open_rows = select(func.count()).select_from(OutboxRow).where(OutboxRow.closed_at.is_(None))
            yield GaugeMetricFamily(
                "tradehub_outbox_open", "Documents on their way", value=session.scalar(open_rows) or 0
            )
            late = len(schedules.late(session, clock.now()))
            yield GaugeMetricFamily("tradehub_schedules_late", "Schedules whose late alarm is on", value=late)


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
