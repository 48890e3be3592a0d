"""The shared partner database in use: who somebody is, how one is reached, what was agreed; its sync with files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from pydantic import TypeAdapter
from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from tradehub.documents.parts import PartyId
from tradehub.edi.schema import Guide
from tradehub.partners.model import Agreement, Incoming, Known, Step, SyncPlan, plan_sync
from tradehub.partners.profile import AckPolicy, Channel, Identity, Profile
from tradehub.partners.store import (
    AgreementRow,
    ChannelRow,
    PartnerRevisionRow,
    PartyContactRow,
    PartyIdentityRow,
    PartyRow,
)
from tradehub.platform import audit

_CHANNEL: TypeAdapter[Channel] = TypeAdapter(Channel)

MAX_SUGGESTIONS = 10
"""More than fit under a field nobody reads; the next letter narrows them."""


@dataclass(frozen=True)
class Suggestion:
    """A party offered while its name is being typed. ``hint`` is what tells it from others of the name."""

    id: PartyId
    name: str
    hint: str


@dataclass(frozen=True)
class PolledChannelOf:
    """A channel that must be looked into, with its party and profile entry."""

    id: str
    owner: PartyId
    party: PartyId
    name: str
    channel: Channel


class PartnerService:
    """Everything takes the caller's session, and sees what that session may see."""

    def name_of(self, session: Session, party: str) -> str:
        """Return the party's name; its id where the session may not see it."""
        return session.scalar(select(PartyRow.name).where(PartyRow.id == party)) or party

    def is_web(self, session: Session, party: str) -> bool:
        """True where people of the party work on our own pages."""
        return bool(session.scalar(select(PartyRow.is_web).where(PartyRow.id == party)))

    def suggest(
        self, session: Session, text: str, role: str | None = None, *, of: str | None = None
    ) -> list[Suggestion]:
        """Return active parties whose name, id or identity holds ``text``, those whose name begins with it first.

        ``of`` keeps the owner itself out.
        """
        wanted = text.strip().casefold()
        pattern = f"%{_escaped(wanted)}%"
        known_as = select(PartyIdentityRow.party_id).where(
            func.lower(PartyIdentityRow.value).like(pattern, escape="\\")
        )
        found = session.scalars(
            select(PartyRow)
            .where(PartyRow.status.in_(("test", "live")), PartyRow.id != (of or ""))
            .where(
                or_(
                    func.lower(PartyRow.name).like(pattern, escape="\\"),
                    PartyRow.id.like(pattern, escape="\\"),
                    PartyRow.id.in_(known_as),
                )
            )
            .order_by(PartyRow.name)
        ).all()
        fits = [row for row in found if role is None or role in row.roles]
        fits.sort(key=lambda row: (not row.name.casefold().startswith(wanted), row.name))
        return [Suggestion(PartyId(row.id), row.name, _hint(row)) for row in fits[:MAX_SUGGESTIONS]]

    def parties(self, session: Session) -> list[PartyRow]:
        return list(session.scalars(select(PartyRow).order_by(PartyRow.name)))

    def party(self, session: Session, party: str) -> PartyRow | None:
        return session.scalar(select(PartyRow).where(PartyRow.id == party))

    def lock(self, session: Session, party: str) -> PartyRow | None:
        """Return the party and let nobody else hold it until the transaction ends: one of its messages at a time."""
        return session.scalar(select(PartyRow).where(PartyRow.id == party).with_for_update())

    def profile(self, session: Session, party: str) -> Profile | None:
        """Return the profile as last applied, or None where the session sees none."""
        row = session.scalar(
            select(PartnerRevisionRow)
            .where(PartnerRevisionRow.party_id == party)
            .order_by(PartnerRevisionRow.revision.desc())
            .limit(1)
        )
        return None if row is None else Profile.model_validate(row.profile)

    def revisions(self, session: Session, party: str) -> list[PartnerRevisionRow]:
        """Return every revision of a party, the latest first."""
        rows = select(PartnerRevisionRow).where(PartnerRevisionRow.party_id == party)
        return list(session.scalars(rows.order_by(PartnerRevisionRow.revision.desc())))

    def who(
        self, session: Session, owner: str, scheme: str, value: str, qualifier: str | None = None
    ) -> PartyId | None:
        """Return the active party of ``owner`` (or itself) that is known by this name, or None."""
        named = (
            select(PartyIdentityRow.party_id)
            .join(PartyRow, PartyRow.id == PartyIdentityRow.party_id)
            .where(PartyIdentityRow.owner == owner, PartyRow.status.in_(("test", "live")))
            .where(PartyIdentityRow.scheme == scheme, PartyIdentityRow.value == value)
        )
        if qualifier is not None:
            named = named.where(PartyIdentityRow.qualifier == qualifier)
        found = session.scalar(named.limit(1))
        return None if found is None else PartyId(found)

    def identity(self, session: Session, party: str, scheme: str) -> Identity | None:
        """Return the first name of ``party`` under ``scheme``, or None."""
        row = session.scalar(
            select(PartyIdentityRow)
            .where(PartyIdentityRow.party_id == party, PartyIdentityRow.scheme == scheme)
            .order_by(PartyIdentityRow.id)
            .limit(1)
        )
        return (
            None
            if row is None
            else Identity.model_validate(
                {"scheme": row.scheme, "qualifier": row.qualifier, "value": row.value, "usage": row.usage}
            )
        )

    def agreements(self, session: Session, partner: str) -> tuple[Agreement, ...]:
        """Return all agreements with ``partner``, in the profile's order, for ``agree``."""
        rows = session.execute(
            select(AgreementRow, PartyRow.status)
            .join(PartyRow, PartyRow.id == AgreementRow.party_id)
            .where(AgreementRow.party_id == partner)
            .order_by(AgreementRow.place)
        )
        return tuple(
            Agreement(
                id=row.id, owner=PartyId(row.owner), partner=PartyId(row.party_id),
                direction=cast(Literal["in", "out"], row.direction), message=row.message, channel=row.channel,
                ack=AckPolicy.model_validate(row.ack), revision=row.revision, guide=row.guide,
                valid_from=row.valid_from, valid_until=row.valid_until, is_active=status in ("test", "live"),
            )
            for row, status in rows
        )  # fmt: skip

    def guides(self, session: Session, partner: str, direction: Literal["in", "out"]) -> dict[str, Guide]:
        """Return the guides by which messages travel in a direction, by message: ``x12:850:004010``."""
        profile = self.profile(session, partner)
        agreed = [each for each in profile.agreements if each.direction == direction] if profile else []
        guides = profile.guides if profile else {}
        return {each.message: guides[each.guide] for each in agreed if each.guide in guides}

    def channel(self, session: Session, party: str, name: str) -> Channel | None:
        row = session.scalar(select(ChannelRow).where(ChannelRow.party_id == party, ChannelRow.name == name))
        return None if row is None else _CHANNEL.validate_python(row.settings)

    def channels(self, session: Session, kind: str | None = None) -> list[PolledChannelOf]:
        """Return the channels of active parties, of one kind or all."""
        rows = (
            select(ChannelRow)
            .join(PartyRow, PartyRow.id == ChannelRow.party_id)
            .where(PartyRow.status.in_(("test", "live")))
            .order_by(ChannelRow.id)
        )
        if kind is not None:
            rows = rows.where(ChannelRow.kind == kind)
        return [
            PolledChannelOf(
                row.id, PartyId(row.owner), PartyId(row.party_id), row.name, _CHANNEL.validate_python(row.settings)
            )
            for row in session.scalars(rows)
        ]

    # the sync with files

    def known(self, session: Session) -> dict[str, Known]:
        """Return every partner as last applied, for ``plan_sync``."""
        known: dict[str, Known] = {}
        for row in session.scalars(select(PartyRow)):
            profile = self.profile(session, row.id)
            if profile is not None:
                source = cast(Literal["file", "web"], row.source)
                known[row.id] = Known(profile, source, row.file_sha256, row.revision)
        return known

    def plan(self, session: Session, incoming: Mapping[str, Incoming]) -> SyncPlan:
        return plan_sync(self.known(session), incoming)

    def apply(
        self, session: Session, incoming: Mapping[str, Incoming], *, by: str, at: datetime, source: str = "file"
    ) -> SyncPlan:
        """Bring the database to what the files say, in the caller's one transaction, and return what was done."""
        known = self.known(session)
        plan = plan_sync(known, incoming)
        for step in plan.changes:
            profile, digest = _target(step, known, incoming)
            revision = known[step.party].revision + 1 if step.party in known else 1
            _replace(session, profile, source=source, digest=digest, revision=revision, by=by, at=at)
        return plan

    def hand_over(self, session: Session, party: str, to: Literal["file", "web"], *, by: str, at: datetime) -> None:
        """Let a partner be changed on the pages from now on, or by its file again with the next sync.

        Raises LookupError where the session sees no such partner.
        """
        row, profile = self.party(session, party), self.profile(session, party)
        if row is None or profile is None:
            raise LookupError(party)
        if row.source != to:
            _replace(session, profile, source=to, digest=None, revision=row.revision + 1, by=by, at=at)

    def save(self, session: Session, profile: Profile, *, by: str, at: datetime) -> int:
        """Store a partner made on the web and return its revision. Raises ManagedByFile."""
        before = self.party(session, profile.id)
        if before is not None and before.source == "file":
            raise ManagedByFile(profile.id)
        revision = before.revision + 1 if before else 1
        _replace(session, profile, source="web", digest=None, revision=revision, by=by, at=at)
        return revision


class ManagedByFile(Exception):
    """The partner is described by its file, and changed there."""


def _hint(row: PartyRow) -> str:
    return " · ".join(part for part in (row.country, *row.roles) if part)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _target(step: Step, known: Mapping[str, Known], incoming: Mapping[str, Incoming]) -> tuple[Profile, str | None]:
    if step.action == "suspend":
        before = known[step.party]
        return before.profile.model_copy(update={"status": "suspended"}), before.file_sha256
    after = incoming[step.party]
    return after.profile, after.file_sha256


def _replace(
    session: Session, profile: Profile, *, source: str, digest: str | None, revision: int, by: str, at: datetime
) -> None:
    for table in (PartyIdentityRow, PartyContactRow, ChannelRow, AgreementRow):
        session.execute(delete(table).where(table.party_id == profile.id))
    session.merge(
        PartyRow(
            id=profile.id, owner=profile.owner, name=profile.name, status=profile.status, shared=profile.shared,
            is_web=profile.is_web, roles=list(profile.roles), country=profile.country, source=source,
            file_sha256=digest, revision=revision,
        )
    )  # fmt: skip
    session.flush()
    session.add(
        PartnerRevisionRow(
            owner=profile.owner, party_id=profile.id, revision=revision, source=source, file_sha256=digest,
            profile=profile.model_dump(mode="json", by_alias=True), applied_at=at, applied_by=by,
        )
    )  # fmt: skip
    audit.append(
        session, chain=f"partner:{profile.id}", org=profile.owner, actor=by, action="partner-changed",
        subject=profile.id, details={"revision": revision, "source": source}, at=at,
    )  # fmt: skip
    _add_identities(session, profile)
    _add_channels(session, profile)
    _add_agreements(session, profile, source, digest, revision)
    session.flush()


def _add_identities(session: Session, profile: Profile) -> None:
    for number, each in enumerate(profile.identities):
        row_id = f"{profile.id}:{number:02}"
        claim = "|".join((profile.owner, *each.key)) if profile.is_active else row_id
        session.add(
            PartyIdentityRow(
                id=row_id, owner=profile.owner, party_id=profile.id, scheme=each.scheme, qualifier=each.qualifier,
                value=each.value, usage=each.usage, claimed_by=claim,
            )
        )  # fmt: skip
    for number, contact in enumerate(profile.contacts):
        session.add(
            PartyContactRow(
                id=f"{profile.id}:{number:02}", owner=profile.owner, party_id=profile.id, role=contact.role,
                name=contact.name, email=contact.email, phone=contact.phone,
            )
        )  # fmt: skip


def _add_channels(session: Session, profile: Profile) -> None:
    for name, channel in profile.channels.items():
        session.add(
            ChannelRow(
                id=f"{profile.id}.{name}", owner=profile.owner, party_id=profile.id, name=name, kind=channel.kind,
                settings=channel.model_dump(mode="json"),
            )
        )  # fmt: skip


def _add_agreements(session: Session, profile: Profile, source: str, digest: str | None, revision: int) -> None:
    for place, each in enumerate(profile.agreements):
        if not each.enabled:
            continue
        session.add(
            AgreementRow(
                id=f"{profile.id}:{each.direction}:{each.message}", owner=profile.owner, party_id=profile.id,
                place=place, direction=each.direction, message=each.message, channel=each.channel, guide=each.guide,
                ack=each.ack.model_dump(mode="json"), valid_from=each.valid_from, valid_until=each.valid_until,
                source=source, file_sha256=digest, revision=revision,
            )
        )  # fmt: skip
