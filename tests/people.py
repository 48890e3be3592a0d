"""People who have opened their one-time link and set a password: without the work of both, which each test would pay for."""

from __future__ import annotations

from collections.abc import Iterable

from argon2 import PasswordHasher
from sqlalchemy.orm import Session

from tradehub.documents import PartyId
from tradehub.platform.security import Security, User

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
PASSWORD = "correct horse battery"
_HASHED = CHEAP.hash(PASSWORD)


def let_in(
    security: Security,
    session: Session,
    org: PartyId | str,
    email: str,
    roles: Iterable[str],
    *,
    name: str = "",
    lang: str | None = None,
) -> str:
    """Make somebody a member who signs in by ``PASSWORD``, and return the user id."""
    named = name or email.partition("@")[0].capitalize()
    user = security.add_user(session, PartyId(org), email, named, roles, lang=lang)
    session.get_one(User, user).password_hash = _HASHED
    return user
