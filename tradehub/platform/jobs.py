"""Work that must happen, behind five verbs: register, enqueue_in_tx, run_worker, list, resume."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy.orm import Session

from tradehub.platform.db import Database

Argument = str | int | bool | None
"""What a job may be given: ids and small plain values, never a document."""


class RetryLater(Exception):
    """A job asks to be run again after ``delay``."""

    def __init__(self, delay: timedelta, reason: str = "") -> None:
        super().__init__(reason)
        self.delay = delay


class JobContext(Protocol):
    """What a job may do besides thinking."""

    id: str
    attempt: int
    """1 on the first run; counts runs asked for by RetryLater."""

    def write(self) -> AbstractContextManager[Session]:
        """A session whose effects happen exactly once, even where the process is killed and the job runs again."""

    def read(self) -> AbstractContextManager[Session]: ...


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
    created_at: datetime
    updated_at: datetime | None
    attempts: int
    error: str | None


class Jobs:
    def __init__(self, database: Database) -> None:
        self.database = database

    def register(self, name: str, job: Job) -> None:
        """Make ``job`` known as ``name``. Every process registers the same jobs, before it runs a worker."""
        raise NotImplementedError

    def enqueue_in_tx(
        self,
        session: Session,
        name: str,
        *args: Argument,
        id: str,
        queue: str = "default",
        delay_s: float | None = None,
    ) -> None:
        """Let the job run once the caller's transaction is committed. A second one under the same id is harmless."""
        raise NotImplementedError
