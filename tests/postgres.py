"""A PostgreSQL server for the tests: one for the session, a fresh database for each test that asks.

In this order: ``TRADEHUB_TEST_PG_URL`` (a user who may create databases); the system's own binaries, run in a temporary
folder; else the tests that need it are skipped and say what to install.
"""

from __future__ import annotations

import fcntl
import json
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from sqlalchemy import Engine, MetaData

MISSING = "PostgreSQL is not here: install it (Debian: apt-get install postgresql) or set TRADEHUB_TEST_PG_URL"
OPTIONS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "300",
           "listen_addresses": "127.0.0.1", "shared_buffers": "32MB"}  # fmt: skip

_numbers = count()


class NoPostgres(Exception):
    """There is no server and no way to start one; the text says what to install."""


@contextmanager
def server(shared: Path, worker: str) -> Iterator[str]:
    """The URL of a running server. Processes that name the same ``shared`` folder use one server; the last stops it."""
    given = os.environ.get("TRADEHUB_TEST_PG_URL")
    if given:
        yield given
        return
    state = shared / "postgres.json"
    with _locked(shared / "postgres.lock"):
        known = json.loads(state.read_text()) if state.exists() else _start()
        state.write_text(json.dumps({**known, "users": [*known.get("users", []), worker]}))
    try:
        yield known["url"]
    finally:
        with _locked(shared / "postgres.lock"):
            known = json.loads(state.read_text())
            known["users"].remove(worker)
            if known["users"]:
                state.write_text(json.dumps(known))
            else:
                state.unlink()
                _stop(known)


@contextmanager
def fresh_database(url: str, template: str | None = None) -> Iterator[str]:
    """The URL of a new database, dropped afterwards; a copy of ``template`` if one is named."""
    name = f"t{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))  # type: ignore[arg-type]
    try:
        yield url.rsplit("/", 1)[0] + f"/{name}"
    finally:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


def empty(engine: Engine, metadata: MetaData) -> None:
    """Delete every row of the tables."""
    tables = [f'DELETE FROM "{table.name}"' for table in reversed(metadata.sorted_tables)]
    with engine.begin() as connection:
        connection.exec_driver_sql("; ".join(tables))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _start() -> dict[str, str]:
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="tradehub-pg-"))
    user = pwd.getpwnam("postgres") if os.geteuid() == 0 else None
    if user:
        os.chown(folder, user.pw_uid, user.pw_gid)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cluster = folder / "cluster"
    _run([binaries / "initdb", "-D", cluster, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"], folder)
    settings = " ".join(f"-c {name}={value}" for name, value in OPTIONS.items())
    _run(
        [
            binaries / "pg_ctl",
            "-D",
            cluster,
            "-w",
            "-l",
            folder / "log",
            "-o",
            f"-p {port} -k {folder} {settings}",
            "start",
        ],
        folder,
    )
    return {"url": f"postgresql://postgres@127.0.0.1:{port}/postgres", "folder": str(folder), "binaries": str(binaries)}


def _stop(known: dict[str, str]) -> None:
    folder = Path(known["folder"])
    _run([Path(known["binaries"]) / "pg_ctl", "-D", folder / "cluster", "-m", "immediate", "stop"], folder)
    shutil.rmtree(folder)


def _binaries() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"))
    on_path = shutil.which("pg_ctl")
    if found:
        return found[-1].parent
    if on_path:
        return Path(on_path).resolve().parent
    raise NoPostgres(MISSING)


def _run(command: list[str | Path], folder: Path) -> None:
    """Run as the user postgres where we are root, for the server refuses to be root."""
    user = "postgres" if os.geteuid() == 0 else None
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, user=user, group=user, extra_groups=[] if user else None,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed: {done.stdout}")
