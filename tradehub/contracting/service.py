"""Use cases of contracting: record what was concluded, amend it, follow its performance."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from tradehub.contracting.calling_off import CallOffs, lines_of
from tradehub.contracting.execution import Parts
from tradehub.contracting.model import ENDED, Event, State, freeze, move
from tradehub.contracting.store import (
    BlanketRow,
    BundleRow,
    CallOffRow,
    ContractRow,
    ContractVersionRow,
    SignatureRow,
)
from tradehub.documents import TradeDocument
from tradehub.documents.lines import keyed
from tradehub.documents.parts import PartyId
from tradehub.documents.terms import terms_hash
from tradehub.partners.handling import Concluded
from tradehub.platform import audit, paging
from tradehub.platform.ids import new_id
from tradehub.platform.numbers import next_number

LISTED_MAX = 500
"""Contracts in one list; more are found by searching."""


class ContractService(CallOffs):
    """The capability: what becomes of a contract here, signing and proving in ``execution``, releases in ``calling_off``.

    Made without ``parts`` it records and follows contracts, and signs none.
    """

    def __init__(self, parts: Parts | None = None) -> None:
        self._parts = parts

    def record(self, session: Session, concluded: Concluded, *, is_awaiting: bool = False) -> str:
        """Store the contract that an acceptance made on its frozen terms and return its id; once per acceptance.

        ``is_awaiting``: the parties agreed that it comes about when both have signed or confirmed (R21). It can be put
        up for signature from then on; to record it again without, after the last signature, concludes it.
        """
        known = self.of_acceptance(session, concluded.acceptance) or self.taken_up(session, concluded)
        if known is not None:
            if known.is_in is State.NEVER_CONCLUDED:
                self._record_again(session, known, concluded, is_awaiting=is_awaiting)
            elif known.is_in is State.AWAITING_CONFIRMATION and not is_awaiting:
                known.concluded_at = concluded.at
                self.move_on(session, known.acceptance, Event.CONFIRMED, concluded.at)
            return known.id
        contract = ContractRow(
            id=new_id(),
            number=self._number(session, concluded),
            deal_id=concluded.deal_id,
            acceptance=concluded.acceptance,
            inquiry=concluded.inquiry,
            offer_number=concluded.offer.number,
            buyer=concluded.buyer,
            seller=concluded.seller,
            accepted_by=concluded.accepted_by,
            state=State.AWAITING_CONFIRMATION if is_awaiting else State.CONCLUDED,
            version=1,
            concluded_at=concluded.at,
        )
        contract.versions = [
            _version(contract, concluded.offer, concluded.terms_hash, by=concluded.accepted_by, at=concluded.at)
        ]
        session.add(contract)
        session.flush()
        action = "awaiting" if is_awaiting else "concluded"
        self._record(session, contract, action, by=concluded.accepted_by, at=concluded.at)
        return contract.id

    def _number(self, session: Session, concluded: Concluded) -> str:
        """Return the next number of the year; of a deal's further contracts the first one's, with -2, -3 and so on."""
        earlier = self.of_deal(session, concluded.deal_id)
        if earlier:
            return f"{earlier[0].number}-{len(earlier) + 1}"
        year = concluded.at.year
        return f"C-{year}-{next_number(session, f'contract:{year}'):05d}"

    def taken_up(self, session: Session, concluded: Concluded) -> ContractRow | None:
        """Return the contract that came to nothing and of which the new acceptance takes up a line again, or None."""
        if self.of_acceptance(session, concluded.acceptance) is not None:
            return None
        lines = set(keyed(concluded.offer.lines))
        for each in self.of_deal(session, concluded.deal_id):
            if each.is_in is State.NEVER_CONCLUDED and lines & set(lines_of(each.versions[-1])):
                return each
        return None

    def _record_again(
        self, session: Session, contract: ContractRow, concluded: Concluded, *, is_awaiting: bool
    ) -> None:
        """The parties came to terms after all; what came to nothing stays as the version before."""
        contract.state = State.AWAITING_CONFIRMATION if is_awaiting else State.CONCLUDED
        contract.concluded_at, contract.acceptance = concluded.at, concluded.acceptance
        contract.accepted_by, contract.offer_number = concluded.accepted_by, concluded.offer.number
        if contract.versions[-1].terms_hash != concluded.terms_hash:
            contract.version += 1
            contract.versions.append(
                _version(contract, concluded.offer, concluded.terms_hash, by=concluded.accepted_by, at=concluded.at)
            )
        session.flush()
        action = "awaiting" if is_awaiting else "concluded"
        self._record(session, contract, action, by=concluded.accepted_by, at=concluded.at)

    def amend(self, session: Session, acceptance: str, document: TradeDocument, by: PartyId, at: datetime) -> None:
        """Put the terms of ``document``, on which both sides agreed, beside the earlier ones as a new version (R25)."""
        contract = self.of_acceptance(session, acceptance)
        if contract is None or contract.versions[-1].terms_hash == terms_hash(document):
            return
        contract.version += 1
        contract.versions.append(_version(contract, document, terms_hash(document), by=by, at=at))
        session.flush()
        self._record(session, contract, "amended", by=by, at=at)

    def move_on(self, session: Session, acceptance: str, event: str, at: datetime) -> None:
        """Let ``event`` (a word of ``Event``) happen to the contract; what means nothing to its state is ignored.

        ``acceptance`` may be the id of a release: whatever becomes of one order, the blanket agreement is only performed.
        """
        contract = self.of_acceptance(session, acceptance)
        happened = Event(event)
        if contract is None:
            contract = self.of_release(session, acceptance)
            happened = Event.PERFORMED if happened in (Event.PERFORMED, Event.COMPLETED) else happened
            if contract is None or happened is not Event.PERFORMED:
                return
        after = move(contract.is_in, happened)
        if after is not contract.is_in:
            contract.state = after
            session.flush()
            self._record(session, contract, after.value, by=None, at=at)

    def contract(self, session: Session, contract_id: str) -> ContractRow:
        """Return a contract. Raises NoResultFound where the session sees none."""
        return session.scalars(select(ContractRow).where(ContractRow.id == contract_id)).one()

    def of_acceptance(self, session: Session, acceptance: str) -> ContractRow | None:
        return session.scalar(select(ContractRow).where(ContractRow.acceptance == acceptance))

    def to_sign(self, session: Session, org: PartyId) -> Sequence[ContractRow]:
        """Return the contracts whose latest version was put up for signature and waits for that of ``org``."""
        mine = select(SignatureRow.party).where(
            SignatureRow.contract_id == BundleRow.contract_id,
            SignatureRow.version == BundleRow.version,
            SignatureRow.party == org,
        )
        wanted = (
            select(ContractRow)
            .join(BundleRow, (BundleRow.contract_id == ContractRow.id) & (BundleRow.version == ContractRow.version))
            .where(~mine.exists(), ContractRow.state.not_in(ENDED))
        )
        return session.scalars(wanted.order_by(BundleRow.prepared_at).limit(LISTED_MAX)).all()

    def to_agree(self, session: Session, org: PartyId) -> Sequence[ContractRow]:
        """Return the contracts for which the other side has proposed ceilings that ``org`` has not answered."""
        wanted = (
            select(ContractRow)
            .join(BlanketRow, BlanketRow.contract_id == ContractRow.id)
            .where(BlanketRow.confirmed_at.is_(None), BlanketRow.agreed_by != org, ContractRow.state.not_in(ENDED))
        )
        return session.scalars(wanted.order_by(BlanketRow.agreed_at).limit(LISTED_MAX)).all()

    def of_release(self, session: Session, release_id: str) -> ContractRow | None:
        """Return the blanket agreement under which a release was called off."""
        released = select(CallOffRow.contract_id).where(CallOffRow.id == release_id)
        return session.scalar(select(ContractRow).where(ContractRow.id.in_(released)))

    def find(self, session: Session, text: str = "") -> Sequence[ContractRow]:
        """Return the contracts that the session sees, the latest first; with ``text``, those of that number."""
        return session.scalars(_named(text).order_by(ContractRow.concluded_at.desc()).limit(LISTED_MAX)).all()

    def page(
        self, session: Session, *, text: str = "", cursor: str | None = None, size: int = LISTED_MAX
    ) -> tuple[list[ContractRow], str | None]:
        """Return a page of what ``find`` finds, and the cursor of the next."""
        return paging.page(session, _named(text), ContractRow.concluded_at, ContractRow.id, cursor, size)

    def _record(
        self, session: Session, contract: ContractRow, action: str, *, by: PartyId | None, at: datetime
    ) -> None:
        last = contract.versions[-1]
        audit.append(
            session, chain=f"deal:{contract.deal_id}", org=by or contract.buyer, actor=None,
            action=f"contract.{action}", subject=contract.id, at=at,
            details={"contract": contract.number, "version": last.version, "terms_hash": last.terms_hash},
        )  # fmt: skip


def _named(text: str) -> Select[ContractRow]:
    wanted = select(ContractRow)
    for word in text.split():
        named = (ContractRow.number, ContractRow.inquiry, ContractRow.offer_number)
        wanted = wanted.where(or_(*(column.icontains(word, autoescape=True) for column in named)))
    return wanted


def _version(
    contract: ContractRow, document: TradeDocument, agreed_hash: str, *, by: PartyId, at: datetime
) -> ContractVersionRow:
    return ContractVersionRow(
        contract_id=contract.id,
        version=contract.version,
        at=at,
        by=by,
        kind=document.kind,
        document=document.model_dump(mode="json"),
        terms=freeze(document),
        terms_hash=agreed_hash,
    )
