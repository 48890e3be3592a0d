"""What a deal's record holds, as plain values for a reader outside: nothing here is computed anew.

Statements are given with the values that their hash stands on, documents as the very text whose SHA-256 they name.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tradehub.negotiation.store import DealRow, StatementRow, deal_row, offer_rows, statement_rows
from tradehub.platform.db import to_json
from tradehub.platform.outbox import OutboxRow


def find_deals(session: Session, named: str) -> list[str]:
    """Return the ids of the deals of that id or number. Numbers are each organisation's own, so several may be found."""
    wanted = select(DealRow.id).where(or_(DealRow.id == named, DealRow.number == named))
    return list(session.scalars(wanted.order_by(DealRow.id)))


def deal(session: Session, deal_id: str) -> dict[str, Any] | None:
    """Return what a deal is called and between whom it is, or None where the session sees none."""
    row = deal_row(session, deal_id)
    if row is None:
        return None
    return {
        "id": row.id, "number": row.number, "inquiry": row.inquiry_number, "title": row.title, "buyer": row.buyer_id,
        "seller": row.seller_id, "regime": row.regime,
    }  # fmt: skip


def statements(session: Session, deal_id: str) -> list[dict[str, Any]]:
    """Return the statements in order: ``statement`` holds the values hashed, with ``previous`` and ``hash``."""
    return [
        {"statement": row.hashed_values(), "previous": row.previous, "hash": row.hash}
        for row in statement_rows(session, [deal_id])
    ]


def documents(session: Session, deal_id: str) -> dict[str, bytes]:
    """Return the canonical texts of the deal's documents by their SHA-256: every offer, and every letter that we sent.

    A letter is shown only in a session that sees its sender's outbox.
    """
    rows = statement_rows(session, [deal_id])
    texts = [to_json(each.document).encode() for each in offer_rows(session, [deal_id]).values()]
    texts += [to_json(each.document).encode() for each in _letters(session, rows)]
    stated = {each.document_sha256 for each in rows} | {each.source_sha256 for each in rows}
    found = {sha256(text).hexdigest(): text for text in texts}
    return {digest: text for digest, text in found.items() if digest in stated}


def _letters(session: Session, rows: Sequence[StatementRow]) -> list[OutboxRow]:
    keys = [each.outbox_key for each in rows if each.outbox_key]
    return list(session.scalars(select(OutboxRow).where(OutboxRow.idempotency_key.in_(keys))))
