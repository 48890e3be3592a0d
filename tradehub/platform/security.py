"""People, the organisations they act for, and how they prove who they are.

A person gets in once by a one-time link, sets a password, and from then on signs in with it. Secrets are kept as hashes
only: passwords by Argon2id, links, sessions and API tokens (256 random bits each) by SHA-256. Whoever guesses is slowed
down per account and per address, and gets the same answer, in the same time, for an account that does not exist.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, cached_property
from hashlib import sha256
from importlib.resources import files

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import ColumnElement, String, delete, func, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from tradehub.documents.parts import PartyId
from tradehub.platform import audit, clock, ids
from tradehub.platform.db import Base, Database, Scoped, org_of
from tradehub.platform.http import Principal

PERMISSIONS = (
    "deal.read",
    "deal.negotiate",
    "deal.bind",
    "inquiry.write",
    "tender.serve",
    "order.read",
    "order.write",
    "invoice.read",
    "message.read",
    "message.repair",
    "partner.read",
    "partner.write",
    "schedule.read",
    "audit.read",
    "user.manage",
    "approval.decide",
    "policy.manage",
)

_TRADING = ("deal.read", "order.read", "invoice.read", "partner.read", "message.read")

ROLES: dict[str, frozenset[str]] = {
    "buyer": frozenset(
        {*_TRADING, "deal.negotiate", "inquiry.write", "order.write", "approval.decide", "tender.serve"}
    ),
    "seller": frozenset({*_TRADING, "deal.negotiate", "order.write", "approval.decide"}),
    "approver": frozenset({*_TRADING, "deal.bind", "audit.read", "approval.decide", "tender.serve"}),
    "partner_manager": frozenset({"partner.read", "partner.write", "message.read", "schedule.read", "user.manage"}),
    "operator": frozenset({"message.read", "message.repair", "partner.read", "schedule.read", "audit.read"}),
    "viewer": frozenset(_TRADING),
    "administrator": frozenset({"user.manage", "policy.manage", "audit.read"}),
}
"""What each role may do. A buyer or seller states terms; an approver binds the organisation, unless its own policy
gives limits by role. Who states that policy does not bind by it. ``tender.serve`` is to open and evaluate tenders in
which one is named for it."""

PEOPLE_ONLY = frozenset({"approval.decide", "policy.manage"})
"""What no program may do: two-person rules count people."""

TOKEN_SCOPES = frozenset({*PERMISSIONS, "exchange.send", "metrics.read"}) - PEOPLE_ONLY
"""What an API token may be good for: a permission, or one of the doors that are for programs alone."""

PASSWORD_MIN = 8
PASSWORD_MAX = 128
"""Argon2 takes any length; a bound keeps a megabyte of password from being hashed."""

LINK_LIFE = timedelta(hours=24)
SESSION_IDLE = timedelta(hours=8)
SESSION_LIFE = timedelta(days=7)
FRESH_FOR = timedelta(minutes=15)
"""How long after the password an act that binds needs no second one (ASVS 7.5.1): long enough to read an offer and
accept it in a row of deals, short enough that a browser left open over lunch binds nobody."""

TOUCH_EVERY = timedelta(minutes=5)
"""How exactly the last use of a session or token is known: one write in five minutes, not one per request."""

ATTEMPT_WINDOW = timedelta(minutes=15)
ATTEMPTS_PER_ACCOUNT = 10
ATTEMPTS_PER_ADDRESS = 50
"""An office behind one address may mistype more often than one person; both are far below what guessing needs."""


class Organisation(Base):
    """A party whose people use these pages. The id is its party id in the partner database."""

    __tablename__ = "organisation"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str]
    created_at: Mapped[datetime]


class User(Base):
    __tablename__ = "user_account"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str]
    password_hash: Mapped[str | None]
    lang: Mapped[str | None] = mapped_column(String(16))
    time_zone: Mapped[str | None] = mapped_column(String(64))
    mail: Mapped[str | None] = mapped_column(String(16))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class Membership(Scoped, Base):
    __tablename__ = "membership"

    user_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    org: Mapped[str] = mapped_column(String(64), primary_key=True)
    roles: Mapped[list[str]]
    since: Mapped[datetime]
    mailed_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.org == org


class SignInLink(Base):
    __tablename__ = "sign_in_link"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(32), index=True)
    org: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class WebSession(Base):
    __tablename__ = "web_session"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(32), index=True)
    org: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    agent: Mapped[str]
    fresh_until: Mapped[datetime | None]
    """Until when an act that binds needs no password; None: at once."""
    family: Mapped[str | None] = mapped_column(String(64))
    """The first hash of a session that was renewed: forms of other tabs, made before that, stay good."""


class ApiToken(Scoped, Base):
    __tablename__ = "api_token"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    prefix: Mapped[str] = mapped_column(String(16))
    hash: Mapped[str] = mapped_column(String(64), unique=True)
    org: Mapped[str] = mapped_column(String(64), index=True)
    name: Mapped[str]
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]

    @classmethod
    def visible_to(cls, org: str) -> ColumnElement[bool]:
        return cls.org == org

    @property
    def is_over(self) -> bool:
        return self.expires_at <= clock.now()


class SignInAttempt(Base):
    __tablename__ = "sign_in_attempt"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column(index=True)


class SignInRefused(Exception):
    """Wrong, unknown, disabled or without a password: the caller is not told which."""


class TooManyAttempts(Exception):
    """Sign-in is closed to this account or address for a while, whatever the password."""

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("too many sign-in attempts")
        self.retry_after = retry_after


class LinkRefused(Exception):
    """A sign-in link that is unknown, used or too old."""


class PasswordRefused(ValueError):
    """A password that may not be chosen; ``rule`` is short, long, common or personal."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True)
class Invited:
    """Whom a valid sign-in link lets in."""

    user_id: str
    org: PartyId
    email: str
    name: str
    has_password: bool


def permissions_of(roles: Iterable[str]) -> frozenset[str]:
    """Return what the roles allow together. A role that does not exist allows nothing."""
    return frozenset().union(*(ROLES.get(role, frozenset()) for role in roles))


def check_password(password: str, *, personal: Iterable[str] = ()) -> str:
    """Return the password as it is hashed (NFKC); no rules of composition. Raises PasswordRefused."""
    chosen = unicodedata.normalize("NFKC", password)
    if len(chosen) < PASSWORD_MIN:
        raise PasswordRefused("short")
    if len(chosen) > PASSWORD_MAX:
        raise PasswordRefused("long")
    folded = chosen.casefold()
    if folded in common_passwords() or len(set(folded)) < 3:
        raise PasswordRefused("common")
    names = {each.casefold() for each in personal if len(each) >= 4} | {"tradehub"}
    if any(folded.replace(each, "").strip("0123456789!._- ") == "" for each in names):
        raise PasswordRefused("personal")
    return chosen


@cache
def common_passwords() -> frozenset[str]:
    text = files("tradehub.platform").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line.casefold() for line in text.splitlines() if not line.startswith("# "))


class Security:
    """Who may come in. Works as the system itself: at the door nobody's organisation is known yet."""

    def __init__(self, database: Database, hasher: PasswordHasher | None = None) -> None:
        self._database = database
        self._hasher = hasher or PasswordHasher()

    @cached_property
    def _dummy(self) -> str:
        """What the password of nobody is held to, so that it takes as long as somebody's."""
        return self._hasher.hash(ids.new_secret())

    # People and organisations

    def add_organisation(self, session: Session, org: PartyId, name: str) -> None:
        """Make the organisation, or give it another name."""
        known = session.get(Organisation, org)
        if known is None:
            session.add(Organisation(id=org, name=name, created_at=clock.now()))
        else:
            known.name = name

    def add_user(
        self, session: Session, org: PartyId, email: str, name: str, roles: Iterable[str], *, lang: str | None = None
    ) -> str:
        """Make a person a member of the organisation, new or known by e-mail, and return the user id."""
        chosen = sorted(set(roles))
        if unknown := set(chosen) - ROLES.keys():
            raise ValueError(f"no such role: {', '.join(sorted(unknown))}")
        address = email.strip().casefold()
        user = session.scalar(select(User).where(User.email == address))
        if user is None:
            user = User(id=ids.new_id(), email=address, name=name, lang=lang, created_at=clock.now())
            session.add(user)
        membership = session.get(Membership, (user.id, org))
        if membership is None:
            session.add(Membership(user_id=user.id, org=org, roles=chosen, since=clock.now()))
        else:
            membership.roles = chosen
        session.flush()
        self._record(session, org, user.id, "user.member", {"roles": chosen})
        return user.id

    def members(self, session: Session, org: PartyId) -> list[tuple[User, Membership]]:
        found = select(User, Membership).join(Membership, Membership.user_id == User.id).where(Membership.org == org)
        return [(user, membership) for user, membership in session.execute(found.order_by(User.name))]

    def remove_member(self, session: Session, user_id: str, org: PartyId) -> None:
        """End a membership, and with it the person's sessions and links in this organisation."""
        session.execute(delete(Membership).where(Membership.user_id == user_id, Membership.org == org))
        session.execute(delete(WebSession).where(WebSession.user_id == user_id, WebSession.org == org))
        session.execute(delete(SignInLink).where(SignInLink.user_id == user_id, SignInLink.org == org))
        self._record(session, org, user_id, "user.removed", {})

    def disable(self, session: Session, user_id: str) -> None:
        """Shut a person out, at once: open sessions and links end too."""
        user = session.get_one(User, user_id)
        user.disabled_at = clock.now()
        session.execute(delete(WebSession).where(WebSession.user_id == user_id))
        session.execute(delete(SignInLink).where(SignInLink.user_id == user_id))
        self._record(session, None, user_id, "user.disabled", {})

    # The one-time link

    def issue_link(self, session: Session, user_id: str, org: PartyId, *, life: timedelta = LINK_LIFE) -> str:
        """Return the secret of a new one-time link; links given before to this person and organisation end.

        Raises LinkRefused where an organisation asks for somebody who acts for another one too: the link sets the
        password, so it would let this organisation in there.
        """
        now = clock.now()
        if org_of(session) is not None and self._acts_elsewhere(user_id, org):
            raise LinkRefused
        unused = (SignInLink.user_id == user_id, SignInLink.org == org, SignInLink.used_at.is_(None))
        session.execute(delete(SignInLink).where(*unused))
        secret = ids.new_secret()
        session.add(SignInLink(hash=_digest(secret), user_id=user_id, org=org, created_at=now, expires_at=now + life))
        return secret

    def _acts_elsewhere(self, user_id: str, org: PartyId) -> bool:
        with self._database.read() as session:
            elsewhere = select(Membership.org).where(Membership.user_id == user_id, Membership.org != org)
            return session.scalar(elsewhere.limit(1)) is not None

    def invited(self, session: Session, secret: str) -> Invited:
        """Return whom the link lets in, without using it up. Raises LinkRefused."""
        link = session.get(SignInLink, _digest(secret))
        user = session.get(User, link.user_id) if link else None
        if link is None or user is None or link.used_at or link.expires_at <= clock.now() or user.disabled_at:
            raise LinkRefused
        return Invited(user.id, PartyId(link.org), user.email, user.name, user.password_hash is not None)

    def open_link(self, secret: str, password: str, *, agent: str = "") -> str:
        """Use the link up: set the password, end all other sessions, and return the secret of a new one.

        Raises LinkRefused or PasswordRefused; the link stays good after the latter.
        """
        with self._database.read() as session:
            invited = self.invited(session, secret)
        encoded = self._hasher.hash(check_password(password, personal=_personal(invited.email, invited.name)))
        with self._database.write() as session:
            self.invited(session, secret)
            used = (SignInLink.hash == _digest(secret), SignInLink.used_at.is_(None))
            taken = session.execute(
                update(SignInLink).where(*used).values(used_at=clock.now()).returning(SignInLink.hash)
            )
            if taken.first() is None:
                raise LinkRefused
            session.get_one(User, invited.user_id).password_hash = encoded
            session.execute(delete(WebSession).where(WebSession.user_id == invited.user_id))
            self._record(session, invited.org, invited.user_id, "sign-in.link", {})
            return self._open_session(session, invited.user_id, invited.org, agent)

    # Password

    def sign_in(self, email: str, password: str, *, address: str, agent: str = "") -> str:
        """Return the secret of a new session. Raises SignInRefused or TooManyAttempts."""
        account = email.strip().casefold()[:254]
        keys = (_digest(f"account {account}"), _digest(f"address {address}"))
        self._count_attempt(keys)
        with self._database.read() as session:
            user = session.scalar(select(User).where(User.email == account))
            known = user.password_hash if user is not None and user.disabled_at is None else None
            memberships = select(Membership).where(Membership.user_id == (user.id if user else "")).limit(1)
            membership = session.scalar(memberships.order_by(Membership.since))
        good = self._verify(known, unicodedata.normalize("NFKC", password[: PASSWORD_MAX * 4]))
        if not good or user is None or membership is None:
            raise SignInRefused
        with self._database.write() as session:
            session.execute(delete(SignInAttempt).where(SignInAttempt.key == keys[0]))
            self._record(session, PartyId(membership.org), user.id, "sign-in.password", {})
            return self._open_session(session, user.id, PartyId(membership.org), agent)

    def sign_in_by_passkey(self, recognise: Callable[[], tuple[str, str]], *, address: str, agent: str = "") -> str:
        """Return the secret of a new session of the person whom ``recognise`` finds, with the id of the passkey.

        Counted with the sign-ins of the address. Raises SignInRefused or TooManyAttempts.
        """
        self._count_attempt((_digest(f"address {address}"),), (ATTEMPTS_PER_ADDRESS,))
        user_id, passkey = recognise()
        with self._database.write() as session:
            user = session.get(User, user_id)
            memberships = select(Membership).where(Membership.user_id == user_id).order_by(Membership.since).limit(1)
            membership = session.scalar(memberships)
            if user is None or user.disabled_at is not None or membership is None:
                raise SignInRefused
            self._record(session, PartyId(membership.org), user_id, "sign-in.passkey", {"passkey": passkey})
            return self._open_session(session, user_id, PartyId(membership.org), agent)

    def confirm(self, who: Principal, password: str, *, address: str) -> str:
        """Take the password once more and return the secret that the person's session has from now on (ASVS 7.2.4).

        Counted with the sign-ins of the account and the address. Raises SignInRefused or TooManyAttempts.
        """
        keys = (_digest(f"account {who.email}"), _digest(f"address {address}"))
        self._hold_to(who, password, keys)
        return self.renew(who)

    def renew(self, who: Principal) -> str:
        """Return the secret that the session of a person who has just shown who it is has from now on.

        Raises SignInRefused for a session that ended meanwhile.
        """
        secret = ids.new_secret()
        with self._database.write() as session:
            renewed = session.execute(
                update(WebSession)
                .where(WebSession.hash == who.session)
                .values(
                    hash=_digest(secret), fresh_until=clock.now() + FRESH_FOR,
                    family=func.coalesce(WebSession.family, WebSession.hash),
                )
                .returning(WebSession.hash)
            ).first()  # fmt: skip
            if renewed is None:  # ended meanwhile, from another browser
                raise SignInRefused
            session.execute(delete(SignInAttempt).where(SignInAttempt.key == _digest(f"account {who.email}")))
            self._record(session, who.org, who.user_id, "sign-in.confirmed", {})
        return secret

    def confirm_password(self, who: Principal, password: str) -> None:
        """Hold a person to the password for one act, the session staying as it is: for a form that carries files.

        Counted with the sign-ins of the account. Raises SignInRefused or TooManyAttempts.
        """
        key = _digest(f"account {who.email}")
        self._hold_to(who, password, (key,))
        with self._database.write() as session:
            session.execute(delete(SignInAttempt).where(SignInAttempt.key == key))

    def _hold_to(self, who: Principal, password: str, keys: tuple[str, ...]) -> None:
        """Count the attempt, and raise SignInRefused where it is not the password of ``who``, or TooManyAttempts."""
        self._count_attempt(keys)
        with self._database.read() as session:
            user = session.get(User, who.user_id)
            known = user.password_hash if user is not None and user.disabled_at is None else None
        if not self._verify(known, unicodedata.normalize("NFKC", password[: PASSWORD_MAX * 4])):
            raise SignInRefused

    def change_password(self, user_id: str, old: str, new: str, *, keep: str | None) -> None:
        """Set another password and end every other session than ``keep``. Raises SignInRefused or PasswordRefused."""
        self._count_attempt((_digest(f"change {user_id}"),))
        with self._database.read() as session:
            user = session.get_one(User, user_id)
        if not self._verify(user.password_hash, unicodedata.normalize("NFKC", old[: PASSWORD_MAX * 4])):
            raise SignInRefused
        encoded = self._hasher.hash(check_password(new, personal=_personal(user.email, user.name)))
        with self._database.write() as session:
            session.get_one(User, user_id).password_hash = encoded
            session.execute(delete(SignInAttempt).where(SignInAttempt.key == _digest(f"change {user_id}")))
            session.execute(delete(WebSession).where(WebSession.user_id == user_id, WebSession.hash != (keep or "")))
            self._record(session, None, user_id, "password.changed", {})

    def _verify(self, encoded: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(encoded or self._dummy, password) and encoded is not None
        except (VerifyMismatchError, InvalidHashError):
            return False

    def _count_attempt(
        self, keys: tuple[str, ...], limits: tuple[int, ...] = (ATTEMPTS_PER_ACCOUNT, ATTEMPTS_PER_ADDRESS)
    ) -> None:
        """Count before the password is looked at, so that guesses side by side are counted as well."""
        now = clock.now()
        with self._database.write() as session:
            session.execute(delete(SignInAttempt).where(SignInAttempt.at <= now - ATTEMPT_WINDOW))
            for key, limit in zip(keys, limits, strict=False):
                count, first = session.execute(
                    select(func.count(), func.min(SignInAttempt.at)).where(SignInAttempt.key == key)
                ).one()
                if count >= limit:
                    raise TooManyAttempts(first + ATTEMPT_WINDOW - now)
            session.add_all(SignInAttempt(id=ids.new_id(), key=key, at=now) for key in keys)

    # Sessions

    def _open_session(self, session: Session, user_id: str, org: PartyId, agent: str) -> str:
        now = clock.now()
        session.execute(delete(WebSession).where(WebSession.ends_at <= now))
        secret = ids.new_secret()
        session.add(
            WebSession(
                hash=_digest(secret),
                user_id=user_id,
                org=org,
                created_at=now,
                seen_at=now,
                ends_at=now + SESSION_LIFE,
                agent=agent[:200],
                fresh_until=now + FRESH_FOR,
            )
        )
        return secret

    def principal_of(self, secret: str) -> Principal | None:
        """Return whose session it is; None where it is unknown, idle for too long, over, or of a disabled person."""
        now = clock.now()
        found = (
            select(WebSession, User, Membership, Organisation.name)
            .join(User, User.id == WebSession.user_id)
            .join(Membership, (Membership.user_id == WebSession.user_id) & (Membership.org == WebSession.org))
            .join(Organisation, Organisation.id == WebSession.org, isouter=True)
            .where(WebSession.hash == _digest(secret), User.disabled_at.is_(None))
        )
        with self._database.read() as session:
            row = session.execute(found).one_or_none()
        if row is None:
            return None
        web, user, membership, org_name = row
        if web.ends_at <= now or web.seen_at + SESSION_IDLE <= now:
            return None
        if web.seen_at + TOUCH_EVERY <= now:
            with self._database.write() as session:
                session.execute(update(WebSession).where(WebSession.hash == web.hash).values(seen_at=now))
        return Principal(
            user_id=user.id,
            org=PartyId(web.org),
            name=user.name,
            roles=frozenset(membership.roles),
            permissions=permissions_of(membership.roles),
            org_name=org_name or web.org,
            email=user.email,
            lang=user.lang,
            time_zone=user.time_zone,
            session=web.hash,
            family=web.family or web.hash,
            fresh_until=web.fresh_until,
        )

    def sessions(self, session: Session, user_id: str) -> list[WebSession]:
        found = select(WebSession).where(WebSession.user_id == user_id, WebSession.ends_at > clock.now())
        return list(session.scalars(found.order_by(WebSession.seen_at.desc())))

    def sign_out(self, session: Session, session_hash: str) -> None:
        session.execute(delete(WebSession).where(WebSession.hash == session_hash))

    def sign_out_others(self, session: Session, user_id: str, keep: str) -> None:
        session.execute(delete(WebSession).where(WebSession.user_id == user_id, WebSession.hash != keep))

    def set_preferences(self, session: Session, user_id: str, **chosen: str | None) -> None:
        """Keep ``lang`` or ``time_zone`` (None leaves it to the browser), or ``mail``: how often to be told."""
        session.execute(update(User).where(User.id == user_id).values(**chosen))

    # API tokens

    def issue_token(self, session: Session, org: PartyId, name: str, scopes: Iterable[str], *, life: timedelta) -> str:
        """Return a new API token of the organisation; it is shown once, for only its hash is kept."""
        chosen = sorted(set(scopes))
        if unknown := set(chosen) - TOKEN_SCOPES:
            raise ValueError(f"no such scope: {', '.join(sorted(unknown))}")
        now = clock.now()
        prefix = f"th_{ids.new_id()[-8:]}"
        token = f"{prefix}_{ids.new_secret()}"
        session.add(
            ApiToken(
                id=ids.new_id(),
                prefix=prefix,
                hash=_digest(token),
                org=org,
                name=name,
                scopes=chosen,
                created_at=now,
                expires_at=now + life,
            )
        )
        self._record(session, org, None, "token.issued", {"prefix": prefix, "scopes": chosen})
        return token

    def tokens(self, session: Session, org: PartyId) -> list[ApiToken]:
        """Return the organisation's tokens, the latest first."""
        return list(session.scalars(select(ApiToken).where(ApiToken.org == org).order_by(ApiToken.created_at.desc())))

    def revoke_token(self, session: Session, org: PartyId, token_id: str) -> bool:
        """End a token at once; False where the organisation has none of that id."""
        row = session.scalar(select(ApiToken).where(ApiToken.id == token_id, ApiToken.org == org))
        if row is None:
            return False
        row.revoked_at = row.revoked_at or clock.now()
        self._record(session, org, None, "token.revoked", {"prefix": row.prefix})
        return True

    def principal_of_token(self, token: str) -> Principal | None:
        """Return what the token speaks for; None for one that is unknown, revoked or too old. It opens no session."""
        with self._database.read() as session:
            row = session.scalar(select(ApiToken).where(ApiToken.hash == _digest(token)))
        now = clock.now()
        if row is None or row.revoked_at is not None or row.expires_at <= now:
            return None
        if row.used_at is None or row.used_at + TOUCH_EVERY <= now:
            with self._database.write() as session:
                session.execute(update(ApiToken).where(ApiToken.id == row.id).values(used_at=now))
        return Principal(
            user_id=row.id, org=PartyId(row.org), name=row.name, permissions=frozenset(row.scopes), org_name=row.org
        )

    def _record(
        self, session: Session, org: PartyId | None, user_id: str | None, action: str, details: dict[str, object]
    ) -> None:
        audit.append(
            session, chain="security", org=org, actor=user_id, action=action, subject=user_id, details=details,
            at=clock.now(),
        )  # fmt: skip


def _digest(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _personal(email: str, name: str) -> tuple[str, ...]:
    local, _, host = email.partition("@")
    return (email, local, host.split(".")[0], name, *name.split())
