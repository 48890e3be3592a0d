"""Transmissions that nobody may read yet, for instance a quotation that answers a sealed tender.

The bytes, and what was read from them, are kept in an envelope. Its key is made for this one transmission and split
into parts, one for each message that is to stay unread: any part short, the others say nothing. Whoever keeps a part
(``Keepers``) gives it back when that is opened which the message belongs to; with all of them the transmission is
unsealed, and stands there as if it had come in clear. In clear lie meanwhile who sent it, when, how many bytes, a keyed
hash by which the same bytes are known again, and what was answered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from tradehub.documents import Document
from tradehub.documents.parts import PartyId
from tradehub.exchange.codec import Finding, Reading
from tradehub.exchange.store import IssueRow, MessageRow, log_stage
from tradehub.platform import ids
from tradehub.platform.db import to_json
from tradehub.platform.files import PayloadStore
from tradehub.platform.sealing import lock, split, unlock

KEY_SIZE = 32
_LENGTH = 8
"""Bytes that tell how long the part of the contents is that is not the transmission itself."""

SealedFor = str
"""What a message must stay unread for, in the words of whoever keeps its part of the key."""


class Keepers(Protocol):
    def watch(self, session: Session, owner: PartyId, partner: PartyId) -> bool:
        """Return whether anything that the partner sends now might have to be sealed."""

    def sealed_for(
        self,
        session: Session,
        owner: PartyId,
        partner: PartyId,
        document: Document | None,
        payload: bytes,
        *,
        is_understood: bool,
    ) -> SealedFor | None:
        """Return what a message must be sealed for; None where it may be read.

        Unless it ``is_understood``, it says more than its document does, which may be none.
        """

    def keep(self, session: Session, held_for: SealedFor, transmission: str, message: str, part: bytes) -> None:
        """Keep a message's part of its transmission's key. A part that is never given back is the end of all parts."""


@dataclass(frozen=True)
class Sealing:
    """How a hub seals. ``fingerprint`` is the keyed hash by which the same bytes are known again."""

    keepers: Keepers
    fingerprint: Callable[[bytes], str]


def enclosed(payload: bytes, reading: Reading, transmission: str, parts: int) -> tuple[bytes, list[bytes]]:
    """Return the envelope of a transmission, and its key in so many parts."""
    messages = [
        {
            "document": part.document.model_dump(mode="json", exclude_defaults=True) if part.document else None,
            "findings": [asdict(each) for each in (*reading.findings, *part.findings)],
        }
        for part in reading.parts
    ]
    told = to_json(messages).encode()
    key = ids.random_bytes(KEY_SIZE)
    envelope = lock(len(told).to_bytes(_LENGTH, "big") + told + payload, key, context=transmission)
    return envelope, split(key, parts, ids.random_bytes)


def unseal(session: Session, payloads: PayloadStore, transmission: str, key: bytes) -> None:
    """Keep a transmission in clear from now on, in the caller's transaction. Raises Tampered for another key."""
    family = or_(MessageRow.id == transmission, MessageRow.received_with == transmission)
    rows = session.scalars(select(MessageRow).where(family).order_by(MessageRow.position)).all()
    contents = unlock(payloads.get(str(rows[0].payload_sha256)), key, context=transmission)
    begins = _LENGTH + int.from_bytes(contents[:_LENGTH], "big")
    messages: list[dict[str, Any]] = json.loads(contents[_LENGTH:begins])
    digest = payloads.put(contents[begins:])
    for row in rows:
        row.payload_sha256, row.sealed_as = digest, None
        if row.position < len(messages):
            row.document = messages[row.position]["document"]
            _tell(session, row, [Finding(**each) for each in messages[row.position]["findings"]])
        log_stage(session, row, "unsealed")


def _tell(session: Session, row: MessageRow, findings: Sequence[Finding]) -> None:
    """Let what was found in a message quote it."""
    for issue in session.scalars(select(IssueRow).where(IssueRow.message_id == row.id)):
        found = findings[issue.number - 1]
        issue.text, issue.value, issue.line = found.text, found.value, found.line
