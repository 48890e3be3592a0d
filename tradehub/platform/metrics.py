"""Numbers for Prometheus. Counters are of this process; gauges are read from the database when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from tradehub.platform import clock, schedules
from tradehub.platform.jobs import Jobs
from tradehub.platform.outbox import OutboxRow

CONTENT_TYPE = CONTENT_TYPE_LATEST

REGISTRY = CollectorRegistry()
JOBS_RUN = Counter("tradehub_jobs_run", "Attempts of jobs that ended", ["job", "outcome"], registry=REGISTRY)
JOB_SECONDS = Histogram("tradehub_job_seconds", "Time that attempts took", ["job"], registry=REGISTRY)
REQUESTS = Histogram("tradehub_request_seconds", "Time that web requests took", ["route", "status"], registry=REGISTRY)
MESSAGES = Counter(
    "tradehub_messages", "Messages taken in or sent", ["direction", "standard", "outcome"], registry=REGISTRY
)


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


def exposition(jobs: Jobs) -> bytes:
    """Return the metrics in the text format of ``CONTENT_TYPE``."""
    gauges = CollectorRegistry()
    gauges.register(_Gauges(jobs))
    return generate_latest(REGISTRY) + generate_latest(gauges)
