"""The job engine: DBOS, with its tables in our own database, so that a job is enqueued in the caller's transaction.

DBOS holds its worker in globals of the process: one worker a process, though any number may enqueue. It is told three
things that its defaults get wrong for us: a lasting executor id per slot, so that a restarted worker finds its own
unfinished jobs; one application version for ever, so that a new release takes up the jobs of the old one; and to log
through our handlers.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import sleep
from typing import Any, Protocol

import structlog
from dbos import DBOS, DBOSClient, DBOSConfig, EnqueueOptions, WorkflowSerializationFormat, WorkflowStatus
from sqlalchemy import TextClause, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from tradehub.platform import clock
from tradehub.platform.db import Base, Database, is_transient

HEARTBEAT = timedelta(seconds=3)
DEAD_AFTER = timedelta(seconds=15)
"""A worker silent for so long is dead: four beats and a slow disk. Its jobs go back to the queue."""

BATCH = 500
"""Jobs forgotten in one transaction: more would hold up the writers of SQLite."""

APPLICATION = "tradehub"
VERSION = "1"
"""What DBOS calls the application version. It changes only if the meaning of a job's arguments ever does."""

STATES = {
    "ENQUEUED": "queued",
    "DELAYED": "delayed",
    "PENDING": "running",
    "SUCCESS": "done",
    "ERROR": "failed",
    "CANCELLED": "cancelled",
    "MAX_RECOVERY_ATTEMPTS_EXCEEDED": "failed",
}

log = structlog.get_logger(__name__)
_running = threading.Lock()


class Worker(Base):
    """A worker's sign of life."""

    __tablename__ = "workers"

    slot: Mapped[str] = mapped_column(primary_key=True)
    host: Mapped[str]
    pid: Mapped[int]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    stopped: Mapped[bool] = mapped_column(default=False)


@dataclass(frozen=True)
class QueuedJob:
    id: str
    name: str
    args: tuple[Any, ...]


@dataclass(frozen=True)
class ListedJob:
    """A job as the engine reports it."""

    id: str
    name: str
    state: str
    queue: str | None
    args: tuple[Any, ...]
    created_at: datetime
    updated_at: datetime
    error: str | None
    slot: str | None


class Engine(Protocol):
    """What jobs ask of an engine; another one, or a fake, can take this one's place."""

    def put(self, session: Session, job: QueuedJob, *, queue: str, delay_s: float | None = None) -> None: ...
    def queue_of(self, id: str) -> str | None: ...
    def listed(self, *, state: str | None, name: str | None, limit: int, offset: int) -> list[ListedJob]: ...
    def latest(self, id: str, mark: str) -> ListedJob | None: ...
    def counts(self) -> dict[str, int]: ...
    def waiting_since(self) -> datetime | None: ...
    def forget(self, before: datetime, *, state: str, prefix: str) -> list[str]: ...
    def hasten(self, id: str) -> None: ...
    def cancel(self, id: str) -> None: ...
    def start(self, slot: str, names: Sequence[str], run: Callable[[QueuedJob], None]) -> None: ...
    def stop(self, timeout_s: float) -> None: ...
    def close(self) -> None: ...


class Queue:
    def __init__(self, database: Database, *, queues: Sequence[str], poll_s: float, threads: int) -> None:
        self.database = database
        self.queues = tuple(queues)
        self.poll_s = poll_s
        self.threads = threads
        self._url = _url(database)
        self._known: DBOSClient | None = None
        self._opening = threading.Lock()
        self._stopping = threading.Event()
        self._pulse: threading.Thread | None = None
        self.slot: str | None = None

    def put(self, session: Session, job: QueuedJob, *, queue: str, delay_s: float | None = None) -> None:
        """Enqueue in the session's transaction. A job whose id is known already is left as it is."""
        options: EnqueueOptions = {
            "workflow_name": job.name,
            "queue_name": queue,
            "workflow_id": job.id,
            "app_version": VERSION,
            "application_name": APPLICATION,
            "serialization_type": WorkflowSerializationFormat.PORTABLE,
        }
        if delay_s:
            options["delay_seconds"] = delay_s
        self._client().enqueue_in_transaction(session.connection(), options, *job.args)

    def queue_of(self, id: str) -> str | None:
        """Return the name of the queue that a job was put into."""
        found = self._client().list_workflows(workflow_ids=[id], load_input=False, load_output=False)
        return found[0].queue_name if found else None

    def listed(self, *, state: str | None, name: str | None, limit: int, offset: int) -> list[ListedJob]:
        statuses = [theirs for theirs, ours in STATES.items() if state is None or ours == state]
        found = self._client().list_workflows(
            status=statuses, name=name, limit=limit, offset=offset, sort_desc=True, load_output=True
        )
        return [_listed(each) for each in found]

    def latest(self, id: str, mark: str) -> ListedJob | None:
        """Return the job ``id`` or the last of the jobs ``id + mark + number``, or None."""
        found = self._client().list_workflows(workflow_id_prefix=[id], limit=1000)
        mine = [each for each in found if each.workflow_id == id or each.workflow_id.startswith(id + mark)]
        return _listed(max(mine, key=lambda each: (len(each.workflow_id), each.workflow_id))) if mine else None

    def counts(self) -> dict[str, int]:
        """Return the number of jobs in each state."""
        counted: Counter[str] = Counter()
        with self.database.read() as session:
            for status, number in session.execute(self._by_status()):
                counted[STATES.get(status, status)] += number
        return dict(counted)

    def waiting_since(self) -> datetime | None:
        """Return since when the oldest queued job has waited."""
        oldest = self._client().list_workflows(status="ENQUEUED", limit=1, load_input=False, load_output=False)
        return _moment(oldest[0].updated_at or oldest[0].created_at) if oldest else None

    def _by_status(self) -> TextClause:
        table = "workflow_status" if self.database.is_sqlite else "dbos.workflow_status"
        return text(f"SELECT status, count(*) FROM {table} GROUP BY status")  # noqa: S608 - one of two constants

    def forget(self, before: datetime, *, state: str, prefix: str) -> list[str]:
        """Delete jobs that ended in a state before a moment, a batch at most, and return their ids.

        ``prefix`` is how their ids begin; empty for all.
        """
        found = self._client().list_workflows(
            status=[theirs for theirs, ours in STATES.items() if ours == state],
            completed_before=before.isoformat(),
            workflow_id_prefix=prefix or None,
            limit=BATCH,
            load_input=False,
            load_output=False,
        )
        ids = [each.workflow_id for each in found]
        if ids:
            self._client().delete_workflows(ids)
        return ids

    def hasten(self, id: str) -> None:
        self._client().set_workflow_delay(id, delay_seconds=0)

    def cancel(self, id: str) -> None:
        self._client().cancel_workflow(id)

    def start(self, slot: str, names: Sequence[str], run: Callable[[QueuedJob], None]) -> None:
        """Run jobs of these names in threads of this process."""
        if not _running.acquire(blocking=False):
            raise RuntimeError("a process runs one worker")
        self.slot = slot
        self._stopping.clear()
        self._take_slot(slot)
        quieten()
        DBOS(config=self._config(slot))
        for name in names:
            DBOS.workflow(name=name)(_workflow(name, run))
        DBOS.launch()
        for queue in self.queues:
            DBOS.register_queue(
                queue, worker_concurrency=self.threads, polling_interval_sec=self.poll_s, on_conflict="always_update"
            )
        self._pulse = threading.Thread(target=self._beat, args=(slot,), name="worker-heartbeat", daemon=True)
        self._pulse.start()

    def stop(self, timeout_s: float) -> None:
        if self.slot is None:
            return
        self._stopping.set()
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=int(timeout_s))
        if self._pulse is not None:
            self._pulse.join()
        self.database.transact(lambda session: self._sign(session, stopped=True))
        self.slot = None
        _running.release()

    def close(self) -> None:
        """Let go of the engine's own connections."""
        if self._known is not None:
            self._known.destroy()
            self._known = None

    def reap(self) -> list[str]:
        """Put the unfinished jobs of dead workers back into the queue, and return the dead workers' slots."""
        horizon = clock.now() - DEAD_AFTER
        with self.database.read() as session:
            dead = list(session.scalars(select(Worker.slot).where(Worker.seen_at < horizon, Worker.slot != self.slot)))
        reaped = []
        for slot in dead:
            if DBOS._recover_pending_workflows([_executor(slot)]):
                log.warning("jobs of a dead worker taken up", slot=slot)
                reaped.append(slot)
        return reaped

    def _client(self) -> DBOSClient:
        with self._opening:
            if self._known is None:
                self._known = DBOSClient(system_database_url=self._url, application_name=APPLICATION, lazy=True)
            return self._known

    def _config(self, slot: str) -> DBOSConfig:
        return {
            "name": APPLICATION,
            "system_database_url": self._url,
            "application_version": VERSION,
            "executor_id": _executor(slot),
            "use_listen_notify": False,
            "run_migrations": True,
            "scheduler_polling_interval_sec": 3600.0,
            "notification_listener_polling_interval_sec": 1.0,
            "log_level": "WARNING",
        }

    def _take_slot(self, slot: str) -> None:
        while not self.database.transact(self._signed_on(slot)):
            log.warning("slot is held by another live worker, waiting", slot=slot)
            sleep(HEARTBEAT.total_seconds())

    def _signed_on(self, slot: str) -> Callable[[Session], bool]:
        def sign_on(session: Session) -> bool:
            held = session.get(Worker, slot, with_for_update=True)
            if held is not None and _is_alive(held):
                return False
            now = clock.now()
            here = Worker(
                slot=slot, host=socket.gethostname(), pid=os.getpid(), started_at=now, seen_at=now, stopped=False
            )
            session.merge(here)
            return True

        return sign_on

    def _beat(self, slot: str) -> None:
        while not self._stopping.wait(HEARTBEAT.total_seconds()):
            try:
                self.database.transact(lambda session: self._sign(session, stopped=False), attempts=1)
                self.reap()
            except DBAPIError as error:
                if not is_transient(error):
                    raise
                log.warning("no sign of life given, the database is busy", slot=slot)

    def _sign(self, session: Session, *, stopped: bool) -> None:
        worker = session.get_one(Worker, self.slot)
        worker.seen_at = clock.now()
        worker.stopped = stopped


def prepare(database: Database) -> None:
    """Create or upgrade the engine's own tables."""
    quieten()
    DBOS.migrate(_url(database))


def quieten() -> None:
    """Let the engine log through the root logger, and only what somebody should look at."""
    logger = logging.getLogger("dbos")
    logger.handlers = [logging.NullHandler()]  # it adds its own console handler where there is none
    logger.propagate = True
    logger.setLevel(logging.WARNING)


def _workflow(name: str, run: Callable[[QueuedJob], None]) -> Callable[..., None]:
    def workflow(*args: Any) -> None:
        run(QueuedJob(str(DBOS.workflow_id), name, args))

    workflow.__qualname__ = workflow.__name__ = name
    return workflow


def _is_alive(worker: Worker) -> bool:
    if worker.stopped or worker.seen_at < clock.now() - DEAD_AFTER:
        return False
    if worker.host != socket.gethostname():
        return True
    if worker.pid == os.getpid():
        return False
    try:
        os.kill(worker.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _executor(slot: str) -> str:
    return f"{APPLICATION}-{slot}"


def _url(database: Database) -> str:
    return database.engine.url.render_as_string(hide_password=False)


def _listed(status: WorkflowStatus) -> ListedJob:
    args = status.input["args"] if status.input else ()
    return ListedJob(
        id=status.workflow_id, name=status.name, state=STATES[status.status], queue=status.queue_name, args=tuple(args),
        created_at=_moment(status.created_at), updated_at=_moment(status.updated_at),
        error=None if status.error is None else f"{type(status.error).__name__}: {status.error}",
        slot=None if status.executor_id is None else status.executor_id.removeprefix(f"{APPLICATION}-"),
    )  # fmt: skip


def _moment(milliseconds: int | None) -> datetime:
    return datetime.fromtimestamp((milliseconds or 0) / 1000, UTC)
