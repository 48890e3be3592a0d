"""Bringing a file to a deal, and fetching one: what people and programs do with attachments."""

from __future__ import annotations

from sqlalchemy.orm import Session

from tradehub.documents import PartyId
from tradehub.negotiation import attachments, store
from tradehub.negotiation.attachments import FILE_MAX, UNSENT_MAX, Kept, Unfit
from tradehub.negotiation.recording import Actor, NotFound
from tradehub.negotiation.store import DealFileRow, DealRow
from tradehub.platform import clock, ids
from tradehub.platform.files import PayloadStore


class Attaching:
    """Use cases; each takes a session opened for the organisation that brings a file or asks for one."""

    payloads: PayloadStore | None

    def attach(self, session: Session, actor: Actor, deal_id: str, name: str, content: bytes) -> DealFileRow:
        """Keep a file for a deal, and return it as it will be named; the same file again is the same row.

        No statement names it yet. Raises Unfit, and NotFound where the organisation has no such deal.
        """
        row = store.deal_row(session, deal_id, lock=True)
        if row is None:
            raise NotFound(deal_id)
        kept = self.keep(name, content)
        mine = [each for each in attachments.files(session, row.id) if each.by_id == actor.party]
        known = next((each for each in mine if each.sha256 == kept.sha256), None)
        if known is not None:
            return known
        if sum(each.sent_at is None for each in mine) >= UNSENT_MAX:
            raise Unfit("TOO_MANY")
        found = self._brought(row, actor.party, kept)
        session.add(found)
        session.flush()
        return found

    def keep(self, name: str, content: bytes) -> Kept:
        """Keep the content of a file, and return it as an inquiry names it. Raises Unfit."""
        if not content:
            raise Unfit("EMPTY")
        if len(content) > FILE_MAX:
            raise Unfit("TOO_LARGE")
        kind = attachments.kind_of(content)
        if kind is None:
            raise Unfit("UNKNOWN_TYPE")
        shown = attachments.clean_name(name, kind)
        return Kept(self._payloads.put(content), shown, kind.media_type, len(content))

    @staticmethod
    def _brought(row: DealRow, by: PartyId, kept: Kept) -> DealFileRow:
        return DealFileRow(
            id=ids.new_id(), deal_id=row.id, buyer_id=row.buyer_id, seller_id=row.seller_id, by_id=by, at=clock.now(),
            sha256=kept.sha256, name=kept.name, media_type=kept.media_type, length=kept.length,
        )  # fmt: skip

    def files(self, session: Session, deal_id: str) -> list[DealFileRow]:
        """Return the files of a deal that the session sees, in the order they came. Raises NotFound."""
        if store.deal_row(session, deal_id) is None:
            raise NotFound(deal_id)
        return attachments.files(session, deal_id)

    def file(self, session: Session, deal_id: str, digest: str) -> tuple[DealFileRow, bytes]:
        """Return a file with its content. Raises NotFound, or what the payload store raises where it is damaged."""
        found = next((each for each in attachments.files(session, deal_id) if each.sha256 == digest), None)
        if found is None:
            raise NotFound(digest)
        return found, self._payloads.get(digest)

    @property
    def _payloads(self) -> PayloadStore:
        if self.payloads is None:
            raise LookupError("no payload store")
        return self.payloads
