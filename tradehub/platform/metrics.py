"""What this process counts for Prometheus. ``health.exposition`` adds what only the database knows."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

REGISTRY = CollectorRegistry()
JOBS_RUN = Counter("tradehub_jobs_run", "Attempts of jobs that ended", ["job", "outcome"], registry=REGISTRY)
JOB_SECONDS = Histogram("tradehub_job_seconds", "Time that attempts took", ["job"], registry=REGISTRY)
REQUESTS = Histogram("tradehub_request_seconds", "Time that web requests took", ["route", "status"], registry=REGISTRY)
MESSAGES = Counter(
    "tradehub_messages", "Messages taken in or sent", ["direction", "standard", "outcome"], registry=REGISTRY
)
LETTERS = Counter("tradehub_letters", "Letters to people, posted or refused for good", ["outcome"], registry=REGISTRY)
