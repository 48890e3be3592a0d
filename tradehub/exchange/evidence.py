"""The messages of a deal as they travelled, byte for byte, for a reader outside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tradehub.exchange.store import MessageRow
from tradehub.platform.files import DamagedPayload, NoPayload, PayloadStore


@dataclass(frozen=True)
class Kept:
    """Messages with their bytes, and the ids of those whose bytes are not kept or no longer what they were."""

    messages: tuple[tuple[dict[str, Any], bytes], ...]
    not_kept: tuple[str, ...]


def messages(
    session: Session, payloads: PayloadStore, deal_id: str, *, between: Collection[str], named: Collection[str] = ()
) -> Kept:
    """Return what travelled about a deal between its two parties, in order of time, with what acknowledged it.

    ``named`` are further messages that the deal's statements name. A transmission that carried several messages is
    given whole with each of them: only so does it have its SHA-256. What is still sealed is left out.
    """
    ids = sorted(named)
    about = select(MessageRow).where(or_(MessageRow.deal == deal_id, MessageRow.id.in_(ids)))
    rows = list(session.scalars(about))
    acknowledged = select(MessageRow).where(MessageRow.answers.in_([row.id for row in rows]))
    every = {row.id: row for row in (*rows, *session.scalars(acknowledged))}
    found, missing = [], sorted(set(ids) - every.keys())
    for row in sorted(every.values(), key=lambda each: (each.created_at, each.id)):
        if not {row.owner, row.partner} <= set(between) or row.payload_sha256 is None or row.sealed_as is not None:
            missing += [row.id] if row.id in ids else []
            continue
        try:
            found.append((_facts(row), payloads.get(row.payload_sha256)))
        except (NoPayload, DamagedPayload):
            missing.append(row.id)
    return Kept(tuple(found), tuple(missing))


def documents(session: Session, deal_id: str) -> Sequence[dict[str, Any]]:
    """Return the documents that the deal's messages carried, as they were read or written."""
    wanted = select(MessageRow.document).where(MessageRow.deal == deal_id, MessageRow.document.is_not(None))
    return [each for each in session.scalars(wanted) if each is not None]


def _facts(row: MessageRow) -> dict[str, Any]:
    return {
        "id": row.id, "direction": row.direction, "partner": row.partner, "channel": row.channel,
        "at": row.created_at.isoformat(timespec="microseconds"), "message": row.message or None,
        "sender": row.sender_id, "receiver": row.receiver_id, "control_number": row.control_number,
        "group_number": row.group_number, "message_number": row.message_number, "reference": row.reference,
        "answers": row.answers,
        "acknowledged_at": row.ack_at.isoformat(timespec="microseconds") if row.ack_at else None,
    }  # fmt: skip
