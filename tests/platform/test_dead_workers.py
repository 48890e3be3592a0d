"""A worker that is killed in the middle of a job, before or after its commit."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from subprocess import run

import pytest
from sqlalchemy import select

from tests.platform.test_jobs import Tally, Work
from tradehub.platform import queue
from tradehub.platform.db import Base, Database
from tradehub.platform.jobs import JobContext, Jobs

DYING = """
import os, sys, time
from sqlalchemy.orm import Session
from tradehub.platform.db import Database
from tradehub.platform.jobs import Jobs
from tests.platform.test_jobs import Tally

def dies(ctx, after):
    if after:
        with ctx.write() as session:
            session.add(Tally(job=ctx.id, what="done"))
    os._exit(9)

jobs = Jobs(Database(sys.argv[1]), poll_s=0.05)
jobs.register("dies", dies)
with jobs.database.write() as session:
    jobs.enqueue_in_tx(session, "dies", sys.argv[3] == "after", id=sys.argv[4])
jobs.run_worker(sys.argv[2])
time.sleep(20)
"""


@pytest.mark.parametrize(("when", "slot"), [("after", "same"), ("before", "other")])
def test_the_job_of_a_dead_worker_is_taken_up(
    database_url: str, when: str, slot: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the same slot when it starts again, by another one once it is silent; what was done is not done again."""
    monkeypatch.setattr(queue, "HEARTBEAT", timedelta(milliseconds=100))
    monkeypatch.setattr(queue, "DEAD_AFTER", timedelta(milliseconds=400))
    database = Database(database_url)
    Base.metadata.create_all(database.engine)
    queue.prepare(database)
    script = [sys.executable, "-c", DYING, database_url, "same", when, "the job"]
    assert run(script, cwd=Path(__file__).parents[2], timeout=60, check=False).returncode == 9

    def takes_up(ctx: JobContext, after: bool) -> None:
        with ctx.write() as session:
            session.add(Tally(job=ctx.id, what="done"))

    jobs = Jobs(database, poll_s=0.05)
    jobs.register("dies", takes_up)
    jobs.run_worker(slot)
    try:
        Work.settled(_Plain(jobs), "the job")
    finally:
        jobs.stop()
        jobs.close()
    with database.read() as session:
        assert session.execute(select(Tally.job, Tally.what)).all() == [("the job", "done")]
    database.dispose()


class _Plain(Work):
    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
