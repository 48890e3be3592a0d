"""Passkeys (WebAuthn level 2): a person shows once more who it is by a device that knows face, finger or PIN.

A passkey stands in for the password, at sign-in and before an act that binds. What the device signs, the challenge, is 32
random bytes and after them the ``subject`` of the act, so an answer given for one contract is good for no other. A
challenge is good once and for a few minutes, for the person, or the address, that it was given to; only its hash is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_address
from urllib.parse import urlsplit

import webauthn
from cryptography.hazmat.primitives import serialization
from sqlalchemy import LargeBinary, String, Text, delete, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_authentication_credential_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from tradehub.platform import audit, clock, ids
from tradehub.platform.db import Base, Database
from tradehub.platform.http import Principal
from tradehub.platform.security import SignInRefused

CHALLENGE_LIFE = timedelta(minutes=5)
CHALLENGES_MAX = 20
"""Challenges of one person that wait at once: more tabs than anybody has open."""

PASSKEYS_MAX = 20
NAME_MAX = 60
ANSWER_MAX = 16 * 1024
"""Longest answer of a device that is read, in characters: real ones have one or two thousand."""


class Passkey(Base):
    """A person's device, by its public key. ``site`` is the host name that it was made for and answers to."""

    __tablename__ = "passkey"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(32), index=True)
    site: Mapped[str] = mapped_column(String(255))
    name: Mapped[str] = mapped_column(String(NAME_MAX))
    credential: Mapped[str] = mapped_column(Text, unique=True)
    public_key: Mapped[bytes] = mapped_column(LargeBinary)
    sign_count: Mapped[int]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PasskeyChallenge(Base):
    """A challenge that waits for its answer. ``user_id`` is whose, or the mark of an address where nobody is known yet."""

    __tablename__ = "passkey_challenge"

    hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(32), index=True)
    expires_at: Mapped[datetime]


class PasskeyRefused(ValueError):
    """What a device answered makes no passkey; ``rule`` is answer, known, many or name."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True)
class Presence:
    """That a person was there: what the device signed, checkable without this hub.

    ``signature`` is over ``authenticator_data`` and the SHA-256 of ``client_data``, by ``public_key`` (DER, RFC 5280);
    the challenge in ``client_data`` ends with the subject of the act. All but ``client_data`` in hexadecimal.
    """

    credential: str
    public_key: str
    authenticator_data: str
    client_data: str
    signature: str

    def as_record(self) -> Mapping[str, str]:
        return vars(self).copy()


@dataclass(frozen=True)
class Recognised:
    """Who signed in, and with which passkey."""

    user_id: str
    passkey: str


@dataclass(frozen=True)
class Site:
    """Where a request came to, as the browser names it: a host with its port, where that is not the usual one."""

    host: str

    @property
    def name(self) -> str:
        return urlsplit(f"//{self.host}").hostname or ""

    @property
    def origins(self) -> list[str]:
        """Return where an answer may come from. Browsers make passkeys over plain HTTP for localhost alone."""
        schemes = ("https", "http") if self.name.rpartition(".")[2] == "localhost" else ("https",)
        return [f"{scheme}://{self.host}" for scheme in schemes]

    @property
    def has_passkeys(self) -> bool:
        """True for names: browsers make no passkey for an address."""
        try:
            ip_address(self.name)
        except ValueError:
            return bool(self.name)
        return False


class Passkeys:
    """The passkeys of all people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, session: Session, user_id: str) -> list[Passkey]:
        """Return a person's passkeys, the oldest first."""
        return list(session.scalars(select(Passkey).where(Passkey.user_id == user_id).order_by(Passkey.created_at)))

    def good_at(self, user_id: str, site: Site) -> bool:
        """Return whether a person has a passkey for this host."""
        with self._database.read() as session:
            found = select(Passkey.id).where(Passkey.user_id == user_id, Passkey.site == site.name)
            return session.scalar(found.limit(1)) is not None

    def invite(self, who: Principal, site: Site) -> str:
        """Return what the browser needs to make a passkey (``PublicKeyCredentialCreationOptions`` as JSON)."""
        with self._database.read() as session:
            known = self.of(session, who.user_id)
        options = webauthn.generate_registration_options(
            rp_id=site.name, rp_name="tradehub", user_name=who.email, user_display_name=who.name,
            user_id=who.user_id.encode(), challenge=self._challenge(who.user_id),
            exclude_credentials=_descriptors(known, site),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.PREFERRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
        )  # fmt: skip
        return webauthn.options_to_json(options)

    def add(self, who: Principal, site: Site, answer: str, name: str) -> None:
        """Keep a new passkey. Raises PasskeyRefused."""
        wanted = name.strip()
        if not 0 < len(wanted) <= NAME_MAX:
            raise PasskeyRefused("name")
        try:
            parsed = parse_registration_credential_json(_bounded(answer))
            challenge = self._taken(who.user_id, parsed.response.client_data_json)
            made = webauthn.verify_registration_response(
                credential=parsed, expected_challenge=challenge, expected_rp_id=site.name, expected_origin=site.origins,
                require_user_verification=True,
            )  # fmt: skip
        except (WebAuthnException, ValueError, KeyError, TypeError):
            raise PasskeyRefused("answer") from None
        credential = bytes_to_base64url(made.credential_id)
        with self._database.write() as session:
            if session.scalar(select(Passkey.id).where(Passkey.credential == credential)) is not None:
                raise PasskeyRefused("known")
            if len(self.of(session, who.user_id)) >= PASSKEYS_MAX:
                raise PasskeyRefused("many")
            row = Passkey(
                id=ids.new_id(), user_id=who.user_id, site=site.name, name=wanted, credential=credential,
                public_key=made.credential_public_key, sign_count=made.sign_count, created_at=clock.now(),
            )  # fmt: skip
            session.add(row)
            self._record(session, who, "passkey.added", {"passkey": row.id, "site": site.name})

    def forget(self, who: Principal, passkey_id: str) -> bool:
        """End a passkey; False where the person has none of that id."""
        with self._database.write() as session:
            row = session.scalar(select(Passkey).where(Passkey.id == passkey_id, Passkey.user_id == who.user_id))
            if row is None:
                return False
            session.delete(row)
            self._record(session, who, "passkey.forgotten", {"passkey": passkey_id})
        return True

    def ask(self, who: Principal, site: Site, subject: bytes = b"") -> str:
        """Return what the browser needs to ask a passkey (``PublicKeyCredentialRequestOptions`` as JSON)."""
        with self._database.read() as session:
            known = self.of(session, who.user_id)
        options = webauthn.generate_authentication_options(
            rp_id=site.name, challenge=self._challenge(who.user_id, subject), allow_credentials=_descriptors(known, site),
            user_verification=UserVerificationRequirement.REQUIRED,
        )  # fmt: skip
        return webauthn.options_to_json(options)

    def confirm(self, who: Principal, site: Site, answer: str, subject: bytes = b"") -> Presence:
        """Take a device's answer about ``subject``. Raises SignInRefused where it is not right in every part."""
        row, parsed, count = self._answered(site, answer, asked=who.user_id, subject=subject)
        if row.user_id != who.user_id:
            raise SignInRefused
        with self._database.write() as session:
            _move_on(session, row, count)
            self._record(session, who, "passkey.used", {"passkey": row.id})
        key = decoded_public_key_to_cryptography(decode_credential_public_key(row.public_key))
        der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        response = parsed.response
        return Presence(
            row.credential, der.hex(), response.authenticator_data.hex(), response.client_data_json.decode(),
            response.signature.hex(),
        )  # fmt: skip

    def ask_anybody(self, site: Site, address: str) -> str:
        """Return what the browser needs to ask whichever passkey it has for this host: nobody has said who it is."""
        options = webauthn.generate_authentication_options(
            rp_id=site.name, challenge=self._challenge(_stranger(address)),
            user_verification=UserVerificationRequirement.REQUIRED,
        )  # fmt: skip
        return webauthn.options_to_json(options)

    def recognise(self, site: Site, answer: str, address: str) -> Recognised:
        """Return who signs in with a device's answer. Raises SignInRefused where it is not right in every part."""
        row, parsed, count = self._answered(site, answer, asked=_stranger(address))
        if parsed.response.user_handle != row.user_id.encode():
            raise SignInRefused
        with self._database.write() as session:
            _move_on(session, row, count)
        return Recognised(row.user_id, row.id)

    def _answered(
        self, site: Site, answer: str, *, asked: str, subject: bytes = b""
    ) -> tuple[Passkey, AuthenticationCredential, int]:
        """Return the passkey that answered, its answer, and how often it says that it has signed. Raises SignInRefused."""
        try:
            parsed = parse_authentication_credential_json(_bounded(answer))
            challenge = self._taken(asked, parsed.response.client_data_json)
            if challenge[32:] != subject:
                raise SignInRefused
            row = self._known(site, bytes_to_base64url(parsed.raw_id))
            seen = webauthn.verify_authentication_response(
                credential=parsed, expected_challenge=challenge, expected_rp_id=site.name, expected_origin=site.origins,
                credential_public_key=row.public_key, credential_current_sign_count=row.sign_count,
                require_user_verification=True,
            )  # fmt: skip
        except (WebAuthnException, ValueError, KeyError, TypeError):
            raise SignInRefused from None
        return row, parsed, seen.new_sign_count

    def _known(self, site: Site, credential: str) -> Passkey:
        with self._database.read() as session:
            wanted = select(Passkey).where(Passkey.site == site.name, Passkey.credential == credential)
            row = session.scalar(wanted)
        if row is None:
            raise SignInRefused
        return row

    def _challenge(self, asked: str, subject: bytes = b"") -> bytes:
        challenge, now = ids.random_bytes(32) + subject, clock.now()
        with self._database.write() as session:
            mine = PasskeyChallenge.user_id == asked
            session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at <= now))
            waiting = select(PasskeyChallenge.hash).where(mine).order_by(PasskeyChallenge.expires_at.desc())
            kept = list(session.scalars(waiting.limit(CHALLENGES_MAX - 1)))
            session.execute(delete(PasskeyChallenge).where(mine, PasskeyChallenge.hash.not_in(kept)))
            session.add(
                PasskeyChallenge(hash=sha256(challenge).hexdigest(), user_id=asked, expires_at=now + CHALLENGE_LIFE)
            )
        return challenge

    def _taken(self, asked: str, client_data: bytes) -> bytes:
        """Return the challenge that is answered, and use it up. Raises SignInRefused for one that does not wait."""
        challenge = base64url_to_bytes(json.loads(client_data)["challenge"])
        with self._database.write() as session:
            taken = session.execute(
                delete(PasskeyChallenge)
                .where(
                    PasskeyChallenge.hash == sha256(challenge).hexdigest(), PasskeyChallenge.user_id == asked,
                    PasskeyChallenge.expires_at > clock.now(),
                )
                .returning(PasskeyChallenge.hash)
            ).first()  # fmt: skip
        if taken is None:
            raise SignInRefused
        return challenge

    def _record(self, session: Session, who: Principal, action: str, details: dict[str, object]) -> None:
        audit.append(
            session, chain="security", org=who.org, actor=who.user_id, action=action, subject=who.user_id,
            details=details, at=clock.now(),
        )  # fmt: skip


def _move_on(session: Session, row: Passkey, count: int) -> None:
    """Of two answers at once the counter tells which device was copied: only the one that moves it on counts."""
    moved = session.execute(
        update(Passkey)
        .where(Passkey.id == row.id, Passkey.sign_count == row.sign_count)
        .values(sign_count=count, used_at=clock.now())
        .returning(Passkey.id)
    ).first()
    if moved is None:
        raise SignInRefused


def _stranger(address: str) -> str:
    """Return what the challenges of an address are kept under: no id of a person begins so."""
    return f"@{sha256(address.encode()).hexdigest()[:31]}"


def _descriptors(known: Iterable[Passkey], site: Site) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(id=base64url_to_bytes(each.credential))
        for each in known
        if each.site == site.name
    ]


def _bounded(answer: str) -> str:
    if len(answer) > ANSWER_MAX:
        raise ValueError("too long")
    return answer
