"""The drop folder: the partner writes files into one folder and fetches ours from another.

In: a file that has been left alone for a while is claimed by a rename into ``work/`` and ends in ``processed/`` or
``failed/`` (there with ``<name>.error.json``); of what is sealed no copy stays. What a crash leaves in ``work/`` is
taken up by the next poll.
Out: a file appears under its name all at once and only when all of it is on the disk.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from tradehub.exchange.transport import Arrival, Envelope, TransportError
from tradehub.platform import clock, ids

UNFINISHED = (".tmp", ".part", ".filepart", ".crdownload")
"""Endings under which partners' programs write what is not complete yet."""

MAX_FILES = 200
"""Files taken in one poll, so that one partner's pile does not hold a worker for minutes."""


class FolderTransport:
    def __init__(self, channel: str, in_dir: Path, out_dir: Path, *, settle: timedelta, max_bytes: int) -> None:
        self.channel = channel
        self.in_dir = in_dir
        self.out_dir = out_dir
        self.settle = settle
        self.max_bytes = max_bytes

    def send(self, envelope: Envelope) -> str:
        """Write a file. The same envelope sent again replaces it, so the partner sees it once unless he was quicker.

        Each writer has a draft of its own: two that send the same at once must not write into one another's.
        """
        try:
            self.out_dir.mkdir(parents=True, exist_ok=True)
            draft = self.out_dir / f".{envelope.name}.{ids.new_id()}.tmp"
            with draft.open("wb") as file:
                file.write(envelope.payload)
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self.out_dir / envelope.name)
            _sync(self.out_dir)
        except OSError as error:
            raise TransportError(f"cannot write into the folder: {error.strerror}", permanent=False) from error
        return f"written as {envelope.name}"

    def poll(self) -> Iterator[Arrival]:
        try:
            for folder in (self.in_dir, self.in_dir / "work"):
                folder.mkdir(parents=True, exist_ok=True)
            claimed = sorted((self.in_dir / "work").iterdir())
            waiting = sorted(entry.name for entry in os.scandir(self.in_dir) if self._is_settled(entry))
        except OSError as error:
            raise TransportError(f"cannot look into the folder: {error.strerror}", permanent=False) from error
        for path in claimed:
            yield from self._read(path)
        for name in waiting[:MAX_FILES]:
            taken = self._claim(name)
            if taken is not None:
                yield from self._read(taken)

    def _is_settled(self, entry: os.DirEntry[str]) -> bool:
        if entry.name.startswith(".") or entry.name.lower().endswith(UNFINISHED):
            return False
        try:
            if not entry.is_file(follow_symlinks=False):
                return False
            changed = datetime.fromtimestamp(entry.stat(follow_symlinks=False).st_mtime, UTC)
        except FileNotFoundError:
            return False
        return clock.now() - changed >= self.settle

    def _claim(self, name: str) -> Path | None:
        """Move a file into ``work/`` and return its place; None where another poll was quicker."""
        source = self.in_dir / name
        try:
            target = self.in_dir / "work" / f"{source.stat().st_mtime_ns}-{name}"
            source.rename(target)
        except FileNotFoundError:
            return None
        _sync(self.in_dir / "work")
        return target

    def _read(self, path: Path) -> Iterator[Arrival]:
        try:
            before = path.stat()
            if before.st_size > self.max_bytes:
                yield _Dropped(self, path, b"", before.st_size)
                return
            payload = path.read_bytes()
            after = path.stat()
        except FileNotFoundError:
            return
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            place = self.in_dir / path.name.partition("-")[2]
            if not place.exists():  # else another file of that name came meanwhile, and this one waits where it is
                path.rename(place)  # still being written: back, and wait
            return
        yield _Dropped(self, path, payload, len(payload))


@dataclass(frozen=True)
class _Dropped:
    """A file in ``work/``. Its name there begins with its time of change, which a rename keeps."""

    folder: FolderTransport
    path: Path
    payload: bytes
    size: int

    @property
    def is_too_large(self) -> bool:
        return self.size > self.folder.max_bytes

    @property
    def key(self) -> str:
        return sha256(
            b"\0".join((self.folder.channel.encode(), os.fsencode(self.path.name), sha256(self.payload).digest()))
        ).hexdigest()

    @property
    def name(self) -> str:
        return self.path.name.partition("-")[2]

    def accept(self) -> None:
        self._move("processed")

    def erase(self) -> None:
        self.path.unlink(missing_ok=True)
        _sync(self.path.parent)

    def refuse(self, problem: dict[str, str]) -> None:
        folder = self._move("failed")
        report = folder / f"{self.path.name}.error.json"
        report.write_text(json.dumps({"file": self.name, **problem}, ensure_ascii=False, indent=2), encoding="utf-8")
        _sync(folder)

    def _move(self, to: str) -> Path:
        folder = self.folder.in_dir / to
        folder.mkdir(exist_ok=True)
        try:
            self.path.rename(folder / self.path.name)
        except FileNotFoundError:
            return folder  # another poll has moved it
        _sync(folder)
        _sync(self.path.parent)
        return folder


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
