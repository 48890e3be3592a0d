"""Names for new things, and secrets. The only place that draws random bits."""

from __future__ import annotations

import secrets

import uuid_utils


def new_id() -> str:
    """Return a fresh UUIDv7 as 32 hexadecimal characters: later ids sort after earlier ones."""
    return uuid_utils.uuid7().hex


def new_secret(size: int = 32) -> str:
    """Return ``size`` random bytes as URL-safe text."""
    return secrets.token_urlsafe(size)


def random_bytes(size: int) -> bytes:
    """Return ``size`` random bytes, for keys and salts."""
    return secrets.token_bytes(size)
