"""The signing keys that the hub holds for those who want it: made or brought once, sealed, retired, never shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.contracting import keys
from tradehub.contracting.keys import SigningKey
from tradehub.contracting.store import SigningKeyRow
from tradehub.documents.parts import PartyId
from tradehub.platform import audit
from tradehub.platform.ids import new_id
from tradehub.platform.sealing import Sealer


def keep(
    session: Session,
    sealer: Sealer,
    key: SigningKey,
    *,
    org: PartyId,
    origin: Literal["made", "brought"],
    by: str | None,
    at: datetime,
) -> SigningKeyRow:
    """Keep ``key`` for the organisation; keys it had before are retired."""
    for earlier in listed(session, org):
        earlier.retired_at = earlier.retired_at or at
    id = new_id()
    row = SigningKeyRow(
        id=id, org=org, made_at=at, made_by=by, origin=origin, subject=keys.subject(key.certificate),
        fingerprint=key.fingerprint, expires_at=key.certificate.not_valid_after_utc,
        certificates=key.certificate_pem.decode(), head_key=key.head_key_hex,
        sealed_key=sealer.seal(key.key_der, context=_context(org, id, "key")),
        sealed_head_key=sealer.seal(key.head_key.private_bytes_raw(), context=_context(org, id, "head")),
    )  # fmt: skip
    session.add(row)
    session.flush()
    _record(session, row, origin, by=by, at=at)
    return row


def retire(session: Session, key_id: str, *, by: str | None, at: datetime) -> None:
    """Let a key sign no more. Raises NoResultFound where the session sees none. What it signed stays signed."""
    row = session.scalars(select(SigningKeyRow).where(SigningKeyRow.id == key_id)).one()
    if row.retired_at is None:
        row.retired_at = at
        _record(session, row, "retired", by=by, at=at)


def listed(session: Session, org: PartyId) -> Sequence[SigningKeyRow]:
    """Return the organisation's keys, the latest first."""
    wanted = select(SigningKeyRow).where(SigningKeyRow.org == org)
    return session.scalars(wanted.order_by(SigningKeyRow.made_at.desc(), SigningKeyRow.id.desc())).all()


def held(session: Session, org: PartyId, *, at: datetime) -> SigningKeyRow | None:
    """Return the key that the organisation signs with now, or None."""
    return next((each for each in listed(session, org) if each.retired_at is None and at < each.expires_at), None)


def opened(row: SigningKeyRow, sealer: Sealer) -> SigningKey:
    """Return the key itself. Raises sealing.Tampered where the row was changed or is another installation's."""
    return keys.restored(
        sealer.open(row.sealed_key, context=_context(row.org, row.id, "key")),
        row.certificates.encode(),
        sealer.open(row.sealed_head_key, context=_context(row.org, row.id, "head")),
    )


def _context(org: str, id: str, part: str) -> str:
    return f"signing_keys {org} {id} {part}"


def _record(session: Session, row: SigningKeyRow, action: str, *, by: str | None, at: datetime) -> None:
    audit.append(
        session, chain="security", org=row.org, actor=by, action=f"signing-key.{action}", subject=row.id, at=at,
        details={"fingerprint": row.fingerprint},
    )  # fmt: skip
