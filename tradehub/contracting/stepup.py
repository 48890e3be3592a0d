"""Who binds an organisation shows once more who it is: signing asks here, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from tradehub.contracting.model import Refused
from tradehub.platform.http import Principal

FRESH_FOR = timedelta(minutes=5)
"""How long a password that was just typed counts for an act; a form is filled in by then."""


def is_fresh(who: Principal, *, at: datetime) -> bool:
    """Return whether this person has shown lately who it is. A program with a token never has."""
    return not who.is_token and who.fresh_until is not None and at < who.fresh_until


def demand(who: Principal, *, at: datetime) -> None:
    """Raise Refused (NOT_FRESH) unless ``is_fresh``."""
    if not is_fresh(who, at=at):
        raise Refused("NOT_FRESH")


def freshened(who: Principal, *, at: datetime) -> Principal:
    """Return the person as one whose password was right a moment ago."""
    return replace(who, fresh_until=at + FRESH_FOR)
