"""The time. ``now`` is the only place that asks the machine for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Frozen:
    """A time that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        if at.tzinfo is None:
            raise ValueError("a frozen time must be aware")
        self.at = at.astimezone(UTC)

    def move(self, by: timedelta) -> datetime:
        self.at += by
        return self.at


def zone(name: str | None) -> tzinfo:
    """Return a time zone by its IANA name; UTC where there is none of that name."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


_frozen: Frozen | None = None


def now() -> datetime:
    """Return the time: aware, UTC, to the microsecond."""
    standing = _frozen
    return datetime.now(UTC) if standing is None else standing.at


@contextmanager
def frozen(at: datetime) -> Iterator[Frozen]:
    """Let ``now`` stand at ``at`` in every thread of this process, for tests."""
    global _frozen  # noqa: PLW0603 - the clock of the process
    before, _frozen = _frozen, Frozen(at)
    try:
        yield _frozen
    finally:
        _frozen = before
