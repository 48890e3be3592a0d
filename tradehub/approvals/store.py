"""The rows of approvals: versions of the policy, requests with what they froze, the decisions on them, delegations.

Policies and decisions are only ever added. Everything belongs to one organisation; the other side of a deal sees none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, ForeignKey, Text, UniqueConstraint, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column, relationship

from tradehub.approvals.model import Decision, Delegation, Policy, Request, State
from tradehub.documents.parts import PartyId
from tradehub.partners.authority import Act, Approver, Binding, Step, Wanted
from tradehub.platform.db import Base, Scoped, to_json

POLICY = TypeAdapter(Policy)
STEPS: TypeAdapter[tuple[Step, ...]] = TypeAdapter(tuple[Step, ...])
FITS: TypeAdapter[tuple[Approver, ...]] = TypeAdapter(tuple[Approver, ...])


OTHERS = "others"
"""Where a request keeps, beside what its capability froze, the further partners that its act binds to."""


class _OfOrg(Scoped):
    org: Mapped[str] = mapped_column(index=True)

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.org == org


class PolicyRow(Scoped, Base):
    """A version of an organisation's policy; the highest one is in force."""

    __tablename__ = "approval_policy"

    org: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    document: Mapped[dict[str, Any]]
    made_by: Mapped[str]
    made_by_name: Mapped[str]
    at: Mapped[datetime]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.org == org

    @property
    def policy(self) -> Policy:
        return POLICY.validate_python(self.document)


class RequestRow(_OfOrg, Base):
    """What somebody asked others to approve. ``revision`` guards every change; whether it has expired is computed."""

    __tablename__ = "approval_request"
    __table_args__ = (UniqueConstraint("org", "request_key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    act: Mapped[str]
    deal_id: Mapped[str] = mapped_column(index=True)
    partner: Mapped[str]
    partner_name: Mapped[str]
    title: Mapped[str]
    amount: Mapped[Decimal | None]
    currency: Mapped[str | None]
    categories: Mapped[list[str]]
    offer_id: Mapped[str]
    expected_version: Mapped[int]
    terms_hash: Mapped[str]
    payload: Mapped[dict[str, Any]]
    until: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(Text, default="")
    requester_id: Mapped[str] = mapped_column(index=True)
    requester_name: Mapped[str]
    channel: Mapped[str]
    policy_version: Mapped[int]
    steps: Mapped[list[Any]]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    why: Mapped[dict[str, Any] | None]
    request_key: Mapped[str | None]
    revision: Mapped[int] = mapped_column()

    decisions: Mapped[list[DecisionRow]] = relationship(order_by="DecisionRow.number", lazy="selectin")

    __mapper_args__ = {"version_id_col": revision}  # noqa: RUF012 - the name is SQLAlchemy's

    @property
    def request(self) -> Request:
        ended = State(self.ended) if self.ended else None
        return Request(self.requester_id, STEPS.validate_python(self.steps), self.expires_at, ended)

    @property
    def said(self) -> tuple[Decision, ...]:
        return tuple(each.decision for each in self.decisions)

    @property
    def wanted(self) -> Wanted:
        """What is to be done, as it was asked for."""
        payload = {name: value for name, value in self.payload.items() if name != OTHERS}
        others = tuple(PartyId(each) for each in self.payload.get(OTHERS, ()))
        return Wanted(
            Binding(
                Act(self.act), self.deal_id, PartyId(self.partner), self.amount, self.currency, tuple(self.categories),
                others,
            ),
            self.title, self.partner_name, self.offer_id, self.expected_version, self.terms_hash, payload, self.until,
        )  # fmt: skip

    @property
    def digest(self) -> str:
        """The SHA-256 of what is to be done: the record binds each decision to it."""
        return digest(self.wanted)


class DecisionRow(_OfOrg, Base):
    __tablename__ = "approval_decision"

    request_id: Mapped[str] = mapped_column(ForeignKey("approval_request.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    by_id: Mapped[str] = mapped_column(index=True)
    by_name: Mapped[str]
    giver_id: Mapped[str | None]
    giver_name: Mapped[str | None]
    step: Mapped[int]
    fits: Mapped[list[Any]]
    approves: Mapped[bool]
    reason: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime]

    @property
    def decision(self) -> Decision:
        fits = FITS.validate_python(self.fits)
        return Decision(self.by_id, self.step, self.approves, self.at, fits, self.giver_id, self.reason)


class DelegationRow(_OfOrg, Base):
    """Who decides for whom, and when; ``ended_at`` where it was taken back."""

    __tablename__ = "approval_delegation"

    id: Mapped[str] = mapped_column(primary_key=True)
    giver: Mapped[str] = mapped_column(index=True)
    giver_name: Mapped[str]
    taker: Mapped[str] = mapped_column(index=True)
    taker_name: Mapped[str]
    first_on: Mapped[date]
    last_on: Mapped[date]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    @property
    def delegation(self) -> Delegation:
        return Delegation(self.giver, self.taker, self.first_on, self.last_on)


class NotedRow(_OfOrg, Base):
    """Somebody has taken note of how a request ended, so it leaves their work queue."""

    __tablename__ = "approval_noted"

    request_id: Mapped[str] = mapped_column(ForeignKey("approval_request.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime]


def frozen(wanted: Wanted) -> dict[str, Any]:
    """Return what is kept of a request as its payload."""
    others = {OTHERS: list(wanted.binding.others)} if wanted.binding.others else {}
    return {**wanted.payload, **others}


def digest(wanted: Wanted) -> str:
    values = asdict(wanted)
    if not wanted.binding.others:
        del values["binding"]["others"]  # as it was hashed before there were such acts
    values["binding"]["amount"] = None if wanted.binding.amount is None else str(wanted.binding.amount)
    values["until"] = wanted.until.isoformat(timespec="microseconds") if wanted.until else None
    return sha256(to_json(values).encode()).hexdigest()


def policy_row(session: Session, org: str, version: int | None = None) -> PolicyRow | None:
    """Return a version of the policy, the one in force unless another is named."""
    wanted = select(PolicyRow).where(PolicyRow.org == org).order_by(PolicyRow.version.desc()).limit(1)
    return session.scalar(wanted if version is None else wanted.where(PolicyRow.version == version))


def policy_rows(session: Session, org: str) -> Sequence[PolicyRow]:
    return session.scalars(select(PolicyRow).where(PolicyRow.org == org).order_by(PolicyRow.version.desc())).all()


def request_row(session: Session, id: str, *, lock: bool = False) -> RequestRow | None:
    wanted = select(RequestRow).where(RequestRow.id == id)
    if lock:
        wanted = wanted.with_for_update().execution_options(populate_existing=True)
    return session.scalar(wanted)


def request_by_key(session: Session, org: str, key: str) -> RequestRow | None:
    return session.scalar(select(RequestRow).where(RequestRow.org == org, RequestRow.request_key == key))


def add_decision(session: Session, row: RequestRow, said: Decision, *, by_name: str, giver_name: str | None) -> None:
    number = session.scalar(select(func.count()).where(DecisionRow.request_id == row.id)) or 0
    row.decisions.append(
        DecisionRow(
            request_id=row.id, number=number + 1, org=row.org, by_id=said.by, by_name=by_name, giver_id=said.giver,
            giver_name=giver_name, step=said.step, fits=FITS.dump_python(said.fits, mode="json"),
            approves=said.approves, reason=said.reason, at=said.at,
        )
    )  # fmt: skip
    session.flush()


def delegation_rows(session: Session, org: str) -> Sequence[DelegationRow]:
    """Return the delegations that were not taken back, the latest first."""
    wanted = select(DelegationRow).where(DelegationRow.org == org, DelegationRow.ended_at.is_(None))
    return session.scalars(wanted.order_by(DelegationRow.first_on.desc(), DelegationRow.id)).all()
