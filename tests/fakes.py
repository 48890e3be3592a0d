"""Fakes that keep the promises of the real things, without threads, sockets or waiting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from tradehub.platform import clock
from tradehub.platform.db import Database
from tradehub.platform.jobs import Jobs
from tradehub.platform.queue import ListedJob, QueuedJob

_WAITING = "fake_jobs"


@dataclass
class FakeQueue:
    """The job engine in memory: what is put in a transaction is here after its commit, and never after a rollback."""

    known: dict[str, ListedJob] = field(default_factory=dict)
    due: dict[str, datetime] = field(default_factory=dict)

    def put(self, session: Session, job: QueuedJob, *, queue: str, delay_s: float | None = None) -> None:
        due = clock.now() + timedelta(seconds=delay_s or 0)
        state = "delayed" if delay_s else "queued"
        listed = ListedJob(job.id, job.name, state, queue, job.args, clock.now(), clock.now(), None, None)
        if _WAITING not in session.info:
            session.info[_WAITING] = []
            event.listen(session, "after_commit", self._take)
            event.listen(session, "after_soft_rollback", _forget)
        session.info[_WAITING].append((listed, due))

    def _take(self, session: Session) -> None:
        for listed, due in session.info[_WAITING]:
            if listed.id not in self.known:
                self.known[listed.id] = listed
                self.due[listed.id] = due
        session.info[_WAITING].clear()

    def listed(self, *, state: str | None, name: str | None, limit: int, offset: int) -> list[ListedJob]:
        found = [each for each in self.known.values() if state in (None, each.state) and name in (None, each.name)]
        return found[::-1][offset : offset + limit]

    def latest(self, id: str, mark: str) -> ListedJob | None:
        mine = [each for each in self.known.values() if each.id == id or each.id.startswith(id + mark)]
        return mine[-1] if mine else None

    def queue_of(self, id: str) -> str | None:
        return self.known[id].queue if id in self.known else None

    def counts(self) -> dict[str, int]:
        return dict(Counter(each.state for each in self.known.values()))

    def waiting_since(self) -> datetime | None:
        return min((each.updated_at for each in self.known.values() if each.state == "queued"), default=None)

    def forget(self, before: datetime, *, state: str, prefix: str) -> list[str]:
        ended = [each for each in self.known.values() if each.state == state and each.updated_at < before]
        ids = [each.id for each in ended if each.id.startswith(prefix)]
        for id in ids:
            del self.known[id]
        return ids

    def hasten(self, id: str) -> None:
        self.due[id] = clock.now()

    def cancel(self, id: str) -> None:
        if self.known[id].state in ("queued", "delayed"):
            self.known[id] = replace(self.known[id], state="cancelled")

    def start(self, slot: str, names: Sequence[str], run: Callable[[QueuedJob], None]) -> None:
        raise RuntimeError("a fake queue has no workers: drain it")

    def stop(self, timeout_s: float) -> None: ...

    def close(self) -> None: ...


def _forget(session: Session, previous: SessionTransaction) -> None:
    session.info[_WAITING].clear()


class FakeJobs(Jobs):
    """The jobs of a test: ``drain`` runs what is due, in this thread."""

    queue: FakeQueue

    def __init__(self, database: Database) -> None:
        super().__init__(database, queue=FakeQueue())

    def drain(self, *, at_most: int = 1000) -> int:
        """Run jobs until none is due, and return how many ran. What a job raises is raised."""
        for count in range(at_most):
            id = next((id for id, job in self.queue.known.items() if self._is_due(job, self.queue.due[id])), None)
            if id is None:
                return count
            self._run_one(self.queue.known[id])
        raise AssertionError(f"still busy after {at_most} jobs")

    def _is_due(self, job: ListedJob, at: datetime) -> bool:
        return job.state in ("queued", "delayed") and at <= clock.now()

    def _run_one(self, job: ListedJob) -> None:
        self.queue.known[job.id] = replace(job, state="failed")
        self.run(QueuedJob(job.id, job.name, job.args))
        self.queue.known[job.id] = replace(job, state="done")
