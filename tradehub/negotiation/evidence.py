"""What a deal's record holds, as plain values for a reader outside: nothing here is computed anew.

Statements are given with the values that their hash stands on, documents as the very text whose SHA-256 they name.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tradehub.negotiation import histories
from tradehub.negotiation.store import (
    DealRow,
    OfferRow,
    StandardTermsRow,
    StatementRow,
    claim_rows,
    deal_row,
    statement_rows,
)
from tradehub.platform.db import to_json


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
    """Return the canonical texts of the deal's documents by their SHA-256: every offer, and every letter that said
    something of one."""
    rows = statement_rows(session, [deal_id])
    offered = select(OfferRow.document).where(OfferRow.deal_id == deal_id)
    beside = select(StatementRow.source).where(StatementRow.deal_id == deal_id)
    letters = [each["document"] for each in session.scalars(beside) if each is not None]
    stated = {each.document_sha256 for each in rows} | {each.source_sha256 for each in rows}
    texts = [to_json(each).encode() for each in (*session.scalars(offered), *letters)]
    found = {sha256(text).hexdigest(): text for text in texts}
    return {digest: text for digest, text in found.items() if digest in stated}


def attachments(session: Session, deal_id: str) -> list[str]:
    """Return the SHA-256 of each file that a proposal or words of the deal name."""
    offered = session.scalars(select(OfferRow.document).where(OfferRow.deal_id == deal_id))
    proposed = (each.get("sha256") for document in offered for each in document.get("attachments", ()))
    beside = (each for row in statement_rows(session, [deal_id]) for each in row.particulars.get("attachments", ()))
    return sorted({*filter(None, proposed), *(digest for digest, _ in beside)})


def standard_terms(session: Session, deal_id: str) -> dict[str, bytes]:
    """Return the canonical texts of the standard terms that the deal refers to, by SHA-256, where the hub has them."""
    stated = [row.particulars for row in statement_rows(session, [deal_id])]
    named = {each.get("standard_terms") for one in stated for each in (one, one.get("offer", {}))} - {None}
    rows = session.scalars(select(StandardTermsRow).where(StandardTermsRow.sha256.in_(named)))
    return {row.sha256: to_json(row.content).encode() for row in rows}


def claims(session: Session, deal_id: str) -> list[dict[str, Any]]:
    """Return what messages said of the deal's history, in the order they came, and what was thought of it.

    ``seen_length`` and ``seen_head`` name a statement of this record where the verdict is ``known``.
    """
    found = []
    for row in claim_rows(session, deal_id):
        claim = histories.read(row.claim)
        if claim is not None:
            found.append({
                "by": row.by_id, "at": row.at.isoformat(timespec="microseconds"), "message": row.message_id,
                "claim": row.claim, "verdict": row.verdict, "length": claim.length, "head": claim.head,
                "seen_length": claim.seen_length, "seen_head": claim.seen_head, "compared_with": row.length,
            })  # fmt: skip
    return found
