"""What is done with the histories that messages speak of: said of ours, compared, shown to people until they looked.

A claim never decides anything: the statement that came with it is taken all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile

from sqlalchemy import select
from sqlalchemy.orm import Session

from tradehub.documents import PartyId
from tradehub.negotiation import histories, store
from tradehub.negotiation.histories import Claim, Shown, Verdict
from tradehub.negotiation.model import Kind
from tradehub.negotiation.recording import Actor
from tradehub.negotiation.store import ClaimRow, DealRow
from tradehub.partners.handling import Received
from tradehub.platform import audit, clock, ids

LISTED_MAX = 50
"""Deals with differing histories in the work queue; one is too many already."""


@dataclass(frozen=True)
class Difference:
    """A claim that does not fit our record. ``number`` is how many statements ours had when it came."""

    verdict: Verdict
    claim: Claim
    at: datetime
    number: int
    message_id: str


class Claims:
    """The part of the service that speaks of histories."""

    def claim(self, session: Session, deal_id: str, by: PartyId) -> str | None:
        """Return what a message of ``by`` says of this deal's history; None where there is no such deal.

        Until somebody has looked into another history that the other side showed, it names the head of the one before:
        so the other side learns that it has lost what it once had.
        """
        row = store.deal_row(session, deal_id)
        if row is None:
            return None
        rows = [each for each in store.claim_rows(session, deal_id) if each.by_id != by]
        told = list(takewhile(lambda each: each.asks is None or each.verdict == Verdict.UNKNOWN, rows))
        theirs = histories.latest([each.claim for each in _read(told)])
        seen = (theirs.length, theirs.head) if theirs else (0, histories.NOTHING)
        return Claim(row.length, row.head, *seen, clock.now()).text

    def compare_histories(self, session: Session, deal_id: str, text: str, received: Received) -> Verdict | None:
        """Note which history a partner's message speaks of; None where it is no claim, or was noted before."""
        claim, row = histories.read(text), store.deal_row(session, deal_id)
        if claim is None or row is None:
            return None
        earlier = [each for each in store.claim_rows(session, deal_id) if each.by_id == received.partner]
        if any(each.claim == claim.text for each in earlier):
            return None
        verdict = histories.judge(
            claim,
            [each.hash for each in store.statement_rows(session, [deal_id])],
            _read(earlier),
            _received(session, row, by=received.owner),
        )
        differs = verdict is not Verdict.KNOWN
        noted = ClaimRow(
            id=ids.new_id(), deal_id=row.id, buyer_id=row.buyer_id, seller_id=row.seller_id, by_id=received.partner,
            message_id=received.message_id, at=received.received_at, claim=claim.text, verdict=verdict,
            length=row.length, asks=received.owner if differs else None,
        )  # fmt: skip
        session.add(noted)
        session.flush()
        if differs:
            audit.append(
                session, chain=f"deal:{row.id}", org=received.owner, actor=None, action=f"history.{verdict}",
                subject=noted.id, at=received.received_at,
                details={"claim": claim.text, "message": received.message_id, "length": row.length, "head": row.head},
            )  # fmt: skip
        return verdict

    def differences(self, session: Session, deal_id: str, org: PartyId) -> tuple[Difference, ...]:
        """Return what ``org`` has yet to look into, the latest first."""
        found = (each for each in store.claim_rows(session, deal_id) if each.asks == org)
        return tuple(each for each in map(_difference, found) if each is not None)[::-1]

    def deals_that_differ(self, session: Session, org: PartyId) -> list[tuple[DealRow, Verdict]]:
        """Return the deals in which ``org`` has a difference to look into, with the latest one."""
        wanted = (
            select(DealRow, ClaimRow.verdict)
            .join(ClaimRow, ClaimRow.deal_id == DealRow.id)
            .where(ClaimRow.asks == org)
            .order_by(ClaimRow.at.desc(), ClaimRow.id.desc())
        )
        found: dict[str, tuple[DealRow, Verdict]] = {}
        for row, verdict in session.execute(wanted.limit(LISTED_MAX)):
            found.setdefault(row.id, (row, Verdict(verdict)))
        return list(found.values())

    def settle_histories(self, session: Session, actor: Actor, deal_id: str) -> None:
        """Note that a person has compared the two records: nothing is asked until they differ anew."""
        for each in store.claim_rows(session, deal_id):
            if each.asks == actor.party:
                each.asks, each.settled_at, each.settled_by = None, clock.now(), actor.user_id
                audit.append(
                    session, chain=f"deal:{deal_id}", org=actor.party, actor=actor.user_id, action="history.settled",
                    subject=each.id, at=each.settled_at, details={"claim": each.claim, "verdict": each.verdict},
                )  # fmt: skip


def _read(rows: Iterable[ClaimRow]) -> list[Shown]:
    read = ((histories.read(each.claim), Verdict(each.verdict)) for each in rows)
    return [Shown(claim, verdict) for claim, verdict in read if claim is not None]


def _received(session: Session, row: DealRow, *, by: PartyId) -> list[tuple[int, datetime]]:
    """How much of our history the other side is known to have been shown, by the receipts of the messages that said so."""
    made = {key: histories.read(text) for key, text in store.claims_made(session, row.id, by).items()}
    rows = store.statement_rows(session, [row.id])
    reached = {each.about: each.at for each in rows if each.kind == Kind.REACH}
    told = ((made.get(each.outbox_key or ""), reached.get(each.id)) for each in rows)
    return [(claim.length, at) for claim, at in told if claim is not None and at is not None]


def _difference(row: ClaimRow) -> Difference | None:
    claim = histories.read(row.claim)
    return None if claim is None else Difference(Verdict(row.verdict), claim, row.at, row.length, row.message_id)
