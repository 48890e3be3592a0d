"""Payloads as received or sent, kept by their SHA-256 and never changed.

A payload is under its final name only when all of it is on the disk: write, fsync the file, rename, fsync the folder.
What a crash leaves behind ends in ``.tmp``.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path

from tradehub.platform import ids

_SHA256 = re.compile(r"[0-9a-f]{64}")


class NoPayload(KeyError):
    """No payload is kept under that SHA-256."""


class DamagedPayload(ValueError):
    """What is kept under a SHA-256 no longer has it."""


class PayloadStore:
    """A folder of payloads. The name of a file is computed here, never taken from input."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def put(self, payload: bytes) -> str:
        """Keep ``payload`` and return its SHA-256 once it would survive a power cut. A second put of it is harmless."""
        digest = sha256(payload).hexdigest()
        path = self._path(digest)
        if not path.parent.is_dir():
            path.parent.mkdir(exist_ok=True)
            _sync_folder(self.root)
        if not (path.is_file() and path.read_bytes() == payload):
            _write(path, payload)
        _sync_folder(path.parent)
        return digest

    def get(self, digest: str) -> bytes:
        """Return the payload. Raises NoPayload, or DamagedPayload where the disk does not hold what was put."""
        try:
            payload = self._path(digest).read_bytes()
        except FileNotFoundError:
            raise NoPayload(digest) from None
        if sha256(payload).hexdigest() != digest:
            raise DamagedPayload(digest)
        return payload

    def __contains__(self, digest: str) -> bool:
        return self._path(digest).is_file()

    def _path(self, digest: str) -> Path:
        if not _SHA256.fullmatch(digest):
            raise NoPayload(digest)
        return self.root / digest[:2] / digest


def _write(path: Path, payload: bytes) -> None:
    draft = path.with_name(f"{path.name}.{ids.new_id()}.tmp")
    with draft.open("xb") as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
