"""The tamper-evident record: chains of entries, each bound to the one before it by SHA-256.

A chain is a name, for instance ``deal:<id>`` or ``security``. Its head (how long it is, and its last hash) stands
apart from the entries, so that cutting off the end shows as well. Two writers of one chain wait for each other there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from tradehub.platform.db import Base, Scoped, org_of, to_json

FIRST = "0" * 64
"""What stands before the first entry of a chain."""


class AuditHead(Base):
    __tablename__ = "audit_heads"

    chain: Mapped[str] = mapped_column(primary_key=True)
    length: Mapped[int] = mapped_column(default=0)
    hash: Mapped[str] = mapped_column(default=FIRST)


class AuditEntry(Base, Scoped):
    __tablename__ = "audit_entries"

    chain: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    org: Mapped[str | None] = mapped_column(index=True)
    actor: Mapped[str | None]
    action: Mapped[str]
    subject: Mapped[str | None] = mapped_column(index=True)
    details: Mapped[dict[str, Any]]
    previous: Mapped[str]
    hash: Mapped[str]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.org == org

    def computed_hash(self) -> str:
        """Return the hash that this entry's values have."""
        values = {
            "chain": self.chain, "number": self.number, "at": self.at.isoformat(timespec="microseconds"),
            "org": self.org, "actor": self.actor, "action": self.action, "subject": self.subject,
            "details": self.details,
        }  # fmt: skip
        return sha256((self.previous + to_json(values)).encode()).hexdigest()


@dataclass(frozen=True)
class Broken:
    """The first place where a chain is not what was written: a changed, moved, missing or surplus entry."""

    chain: str
    number: int
    reason: str


def append(
    session: Session,
    *,
    chain: str,
    org: str | None,
    actor: str | None,
    action: str,
    subject: str | None,
    details: Mapping[str, Any],
    at: datetime,
) -> str:
    """Add an entry in the caller's transaction and return its hash. ``details`` are plain values, amounts as text."""
    head = _locked_head(session, chain)
    head.length += 1
    entry = AuditEntry(
        chain=chain, number=head.length, at=at, org=org, actor=actor, action=action, subject=subject,
        details=dict(details), previous=head.hash,
    )  # fmt: skip
    entry.hash = head.hash = entry.computed_hash()
    session.add(entry)
    session.flush()
    return entry.hash


def verify(session: Session, chain: str) -> Broken | None:
    """Return the first bad place of a chain, or None where all of it is as it was written. An empty chain is sound."""
    if org_of(session) is not None:
        raise ValueError("a chain is verified whole, so by the system and not by one organisation")
    entries = select(AuditEntry).where(AuditEntry.chain == chain).order_by(AuditEntry.number)
    with session.scalars(entries.execution_options(yield_per=500)) as found:
        number, previous, broken = _followed(chain, found)
    if broken is not None:
        return broken
    head = session.get(AuditHead, chain)
    length, last = (head.length, head.hash) if head else (0, FIRST)
    if length > number:
        return Broken(chain, number + 1, "missing")
    if (length, last) != (number, previous):
        return Broken(chain, number, "not what the head of the chain names")
    return None


def _followed(chain: str, entries: Iterable[AuditEntry]) -> tuple[int, str, Broken | None]:
    """Return the number and hash of the last sound entry, and the first that is not."""
    number, previous = 0, FIRST
    for entry in entries:
        reason = (
            "missing" if entry.number != number + 1
            else "not bound to the entry before it" if entry.previous != previous
            else "changed" if entry.computed_hash() != entry.hash
            else None
        )  # fmt: skip
        if reason is not None:
            return number, previous, Broken(chain, number + 1, reason)
        number, previous = entry.number, entry.hash
    return number, previous, None


def chains(session: Session) -> list[str]:
    """Return the names of all chains, from heads and entries, so that a deleted head shows."""
    names = {*session.scalars(select(AuditHead.chain)), *session.scalars(select(AuditEntry.chain).distinct())}
    return sorted(names)


def _locked_head(session: Session, chain: str) -> AuditHead:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    session.execute(insert(AuditHead).values(chain=chain, length=0, hash=FIRST).on_conflict_do_nothing())
    locked = (
        select(AuditHead).where(AuditHead.chain == chain).with_for_update().execution_options(populate_existing=True)
    )
    return session.scalars(locked).one()
